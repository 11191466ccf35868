//! A video being made.

use std::sync::Arc;

use burn::tensor::{Device, ExecutionError, Tensor, TensorData, Transaction};
use thiserror::Error;

use super::event::{Event, Frame, Picture, Preview, Timings};
use super::job::{Job, Output};
use super::model::Model;
use super::request::{Request, RequestError};
use crate::clock::Stopwatch;
use crate::diffusion::{Denoiser, Trajectory};
use crate::kernels::read_rgba;
#[cfg(feature = "gpu")]
use crate::kernels::rgba;
use crate::lfae::ReferenceFeatures;
use crate::motion::Motion;
use crate::noise::NoiseSource;
use crate::photo::PhotoWarp;
use crate::portrait::Portrait;
use crate::viz::{flow_to_rgba, occlusion_to_rgba};

/// A video being made.
pub struct Generation {
    model: Arc<Model>,
    size: [usize; 2],
    image: Tensor<4>,
    phase: Phase,
    timings: Timings,
    previews: bool,
    photo: Option<PhotoWarp>,
}

/// A generation that failed midway.
#[derive(Debug, Error)]
pub enum PipelineError {
    /// The device gave up.
    #[error("the device failed: {0}; try again, or use the CPU")]
    Device(#[from] ExecutionError),
    /// A tensor that was read back holds NaN or infinite values.
    #[error(
        "the model produced values that are not numbers; try another seed, less guidance, or fetch the model again"
    )]
    NotFinite,
    /// A job was asked of a generation that is not under way, or is another video's.
    #[error(
        "this generation cannot do the job; ask one of the same portrait and request, between its encoding and its end"
    )]
    Job,
}

enum Phase {
    Encode(Box<Sampling>),
    Denoise(Box<Denoising>),
    Decode(Box<Decoding>),
    Done,
    /// Finished, failed, or dropped in the middle of a unit of work.
    Over,
}

/// What sampling needs from the request.
struct Sampling {
    condition: Tensor<2>,
    contrast: Option<Tensor<2>>,
    guidance: f32,
    /// Of what is denoised.
    frames: usize,
    trajectory: Trajectory,
    noise: NoiseSource,
}

struct Denoising {
    features: ReferenceFeatures,
    denoiser: Denoiser,
    trajectory: Trajectory,
    noise: NoiseSource,
    x: Tensor<5>,
    /// What others found for the step to come, by pass.
    passes: [Option<Tensor<5>>; 2],
}

struct Decoding {
    features: ReferenceFeatures,
    /// Of all frames.
    motion: Motion,
    /// The motion's flow on the host, for pictures.
    flow: Vec<f32>,
    /// The motion's occlusion on the host, for pictures.
    occlusion: Vec<f32>,
    /// The frame to decode, from 0.
    next: usize,
    /// What others painted, by frame.
    paintings: Vec<Option<Painting>>,
}

/// A frame's pixels.
struct Painting {
    rgba: Vec<u8>,
    photo: Option<Picture>,
}

impl Generation {
    pub(super) fn new(model: Arc<Model>, portrait: &Portrait, request: &Request) -> Result<Self, RequestError> {
        let size = model.config.image_size;
        if portrait.size() != size {
            return Err(RequestError::PortraitSize { found: portrait.size(), expected: size });
        }
        request.check()?;
        let updates = request.sampler.updates(model.diffusion.schedule(), request.steps);
        let sampling = Sampling {
            condition: model.conditions.vector(&request.strengths)?,
            contrast: model.conditions.contrast(request.contrast)?,
            guidance: request.guidance,
            frames: model.config.diffused_frames(),
            trajectory: Trajectory::new(updates),
            noise: NoiseSource::new(request.seed),
        };
        let pixels = TensorData::new(portrait.pixels().to_vec(), [1, 3, size[0], size[1]]);
        let image = Tensor::from_data(pixels, &model.device);
        let phase = Phase::Encode(Box::new(sampling));
        Ok(Self { model, size, image, phase, timings: Timings::default(), previews: false, photo: None })
    }

    /// Reports the motion after every step, at the price of reading it back from the device.
    pub fn with_previews(self) -> Self {
        Self { previews: true, ..self }
    }

    /// Also makes every frame at the size of `photo`, which must show the same crop as the portrait: see
    /// [`photo`](crate::photo).
    pub fn at_photo_size(self, photo: &Portrait) -> Self {
        let photo = PhotoWarp::new(photo, self.model.codec.size(), &self.model.device);
        Self { photo: Some(photo), ..self }
    }

    /// Does the next unit of work, but for what it was [supplied](Self::supply) with; `None` after
    /// [`Event::Done`] or an error.
    ///
    /// A denoising step reads nothing back from the device, unless previews are asked for.
    ///
    /// # Errors
    /// [`PipelineError`] if the device fails or the model produces values that are not finite. The generation is over
    /// then.
    pub async fn next(&mut self) -> Option<Result<Event, PipelineError>> {
        let clock = Stopwatch::start();
        let (result, spent) = match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Encode(sampling) => (self.encode(*sampling), &mut self.timings.encode_ms),
            Phase::Denoise(denoising) => (Box::pin(self.denoise(*denoising)).await, &mut self.timings.denoise_ms),
            Phase::Decode(decoding) => (self.decode(*decoding).await, &mut self.timings.decode_ms),
            Phase::Done => return Some(Ok(Event::Done(self.timings))),
            Phase::Over => return None,
        };
        let elapsed = clock.milliseconds();
        *spent += elapsed;
        self.timings.total_ms += elapsed;
        Some(result.map(|(event, phase)| {
            self.phase = phase;
            event
        }))
    }

    /// The units of work that can be done elsewhere before the next call of [`next`](Self::next),
    /// those that are needed first before the others: the passes of a guided step, or all frames
    /// that are left. Empty if there is nothing to share.
    ///
    /// Nobody has to do them: `next` does what it is not [supplied](Self::supply) with.
    ///
    /// # Errors
    /// [`PipelineError`] if the device fails or the motion is not finite.
    pub async fn jobs(&self) -> Result<Vec<Job>, PipelineError> {
        match &self.phase {
            Phase::Denoise(state) if state.denoiser.passes(state.trajectory.taken()) > 1 => {
                let (step, x) = (state.trajectory.taken(), read(state.x.clone()).await?);
                let missing = (0..state.passes.len()).filter(|&pass| state.passes[pass].is_none());
                Ok(missing.map(|pass| Job::Predict { step, pass, x: x.clone() }).collect())
            }
            Phase::Decode(state) => {
                let missing = |&index: &usize| state.paintings[index].is_none();
                Ok((state.next..state.paintings.len()).filter(missing).map(|index| state.job(index)).collect())
            }
            Phase::Encode(_) | Phase::Denoise(_) | Phase::Done | Phase::Over => Ok(Vec::new()),
        }
    }

    /// Does a job of this generation, or of another one of the same portrait, request and photo, on
    /// whatever thread or machine that lives. This one must have encoded its portrait; it need not
    /// take the steps. Its timings do not count jobs.
    ///
    /// # Errors
    /// [`PipelineError`] if this generation cannot do it, the device fails, or the result is not finite.
    pub async fn compute(&self, job: &Job) -> Result<Output, PipelineError> {
        let device = &self.model.device;
        match (job, &self.phase) {
            (Job::Predict { step, pass, x }, Phase::Denoise(state)) => {
                let is_known = *step < state.trajectory.times().len() && *pass < state.denoiser.passes(*step);
                let x = tensor(x, state.x.dims(), device).filter(|_| is_known).ok_or(PipelineError::Job)?;
                let values = read(state.denoiser.pass(&x, *step, *pass)).await?;
                Ok(Output::Prediction { step: *step, pass: *pass, values })
            }
            (Job::Decode { index, flow, occlusion }, phase) => {
                let features = phase.features().ok_or(PipelineError::Job)?;
                let [height, width] = self.model.codec.size();
                let flow = tensor(flow, [1, height, width, 2], device).ok_or(PipelineError::Job)?;
                let occlusion = tensor(occlusion, [1, 1, height, width], device).ok_or(PipelineError::Job)?;
                let painted = self.paint(features, &Motion { flow, occlusion }).await?;
                let Some(Painting { rgba, photo }) = painted.into_iter().next() else { return Err(PipelineError::Job) };
                Ok(Output::Painting { index: *index, rgba, photo })
            }
            (Job::Predict { .. }, _) => Err(PipelineError::Job),
        }
    }

    /// Takes the result of a job, so that [`next`](Self::next) need not compute it. What comes too
    /// late, or is of another size, is ignored.
    pub fn supply(&mut self, output: Output) {
        match (output, &mut self.phase) {
            (Output::Prediction { step, pass, values }, Phase::Denoise(state))
                if step == state.trajectory.taken() && pass < state.denoiser.passes(step) =>
            {
                state.passes[pass] = tensor(&values, state.x.dims(), &self.model.device);
            }
            (Output::Painting { index, rgba, photo }, Phase::Decode(state))
                if index < state.paintings.len()
                    && rgba.len() == self.size[0] * self.size[1] * 4
                    && photo.is_some() == self.photo.is_some() =>
            {
                state.paintings[index] = Some(Painting { rgba, photo });
            }
            _ => {}
        }
    }

    /// The portrait's features, the sampler's steps and the initial noise.
    fn encode(&self, sampling: Sampling) -> Result<(Event, Phase), PipelineError> {
        let Sampling { condition, contrast, guidance, frames, trajectory, mut noise } = sampling;
        let features = self.model.generator.encode(self.image.clone());
        let latent = features.latent();
        let [_, _, height, width] = latent.dims();
        let diffusion = &self.model.diffusion;
        let channels = diffusion.denoise_fn.channels;
        let contrast = contrast.unwrap_or_else(|| diffusion.denoise_fn.null_condition());
        let (conditions, times) = ([condition, contrast], trajectory.times());
        let denoiser = Denoiser::with_contrast(diffusion, latent, conditions, &times, frames, f64::from(guidance));
        let x = noise.normal([1, channels, frames, height, width], &self.model.device);
        settle(&self.model.device)?;
        let denoising = Denoising { features, denoiser, trajectory, noise, x, passes: [None, None] };
        Ok((Event::Encoded, Phase::Denoise(Box::new(denoising))))
    }

    async fn denoise(&self, mut state: Denoising) -> Result<(Event, Phase), PipelineError> {
        let index = state.trajectory.taken();
        let x = self.step(&mut state);
        if !state.trajectory.is_done() {
            // Reading the motion waits for the last step.
            settle(&self.model.device)?;
        }
        let preview = match state.trajectory.estimate() {
            Some(estimate) if self.previews => Some(self.preview(estimate.clone()).await?),
            _ => None,
        };
        let event = Event::Step { index, total: state.trajectory.times().len(), preview };
        if !state.trajectory.is_done() {
            return Ok((event, Phase::Denoise(Box::new(Denoising { x, ..state }))));
        }

        let motion = self.model.codec.decode(x);
        let [flow, occlusion] = read_motion(&motion).await?;
        let paintings = (0..motion.flow.dims()[0]).map(|_| None).collect();
        let decoding = Decoding { features: state.features, motion, flow, occlusion, next: 0, paintings };
        Ok((event, Phase::Decode(Box::new(decoding))))
    }

    /// The motion after the next step.
    fn step(&self, state: &mut Denoising) -> Tensor<5> {
        let Denoising { denoiser, trajectory, noise, x, passes, .. } = state;
        let fresh = || noise.normal(x.dims(), &self.model.device);
        let passes = std::mem::take(passes);
        if passes.iter().all(Option::is_none) {
            return trajectory.step(denoiser, x.clone(), fresh);
        }
        let step = trajectory.taken();
        let passes = passes.into_iter().enumerate().take(denoiser.passes(step));
        let passes = passes.map(|(pass, known)| known.unwrap_or_else(|| denoiser.pass(x, step, pass))).collect();
        trajectory.step(&denoiser.knowing(passes), x.clone(), fresh)
    }

    async fn preview(&self, estimate: Tensor<5>) -> Result<Preview, PipelineError> {
        let size = self.model.codec.size();
        let flow = read(self.model.codec.decode(estimate).flow).await?;
        let frames = flow.chunks_exact(size[0] * size[1] * 2);
        Ok(Preview { size, flow: frames.flat_map(|frame| flow_to_rgba(frame, size, size)).collect() })
    }

    async fn decode(&self, mut state: Decoding) -> Result<(Event, Phase), PipelineError> {
        let (index, total, grid) = (state.next, state.paintings.len(), self.model.codec.size());
        let Painting { rgba, photo } = match state.paintings[index].take() {
            Some(painting) => painting,
            None => self.paint_from(&mut state, index).await?,
        };
        let frame = Frame {
            index,
            total,
            size: self.size,
            rgba,
            flow: flow_to_rgba(state.flow_of(index), grid, self.size),
            occlusion: occlusion_to_rgba(state.occlusion_of(index), grid, self.size),
            photo,
        };
        let phase = if index + 1 == total {
            Phase::Done
        } else {
            Phase::Decode(Box::new(Decoding { next: index + 1, ..state }))
        };
        Ok((Event::Frame(frame), phase))
    }

    /// The pixels of a frame; those that are painted together with it wait for their turn.
    async fn paint_from(&self, state: &mut Decoding, index: usize) -> Result<Painting, PipelineError> {
        let missing = state.paintings[index..].iter().take_while(|painting| painting.is_none()).count();
        let motion = state.motion_of(index, missing.min(self.frames_at_once()));
        let mut painted = self.paint(&state.features, &motion).await?.into_iter();
        let Some(first) = painted.next() else { unreachable!("motion of a frame gives a frame") };
        state.paintings.iter_mut().skip(index + 1).zip(painted).for_each(|(place, other)| *place = Some(other));
        Ok(first)
    }

    /// How many frames are painted together. On the CPU the maps of one fill the cache; a GPU is not filled by one, and
    /// what it takes to ask for a frame costs more than the frame.
    fn frames_at_once(&self) -> usize {
        /// Of the largest map, and of the photos.
        const BYTES: usize = 64 << 20;
        if self.model.device == Device::flex() {
            return 1;
        }
        let map = self.size[0] * self.size[1] * self.model.config.lfae.generator.block_expansion;
        let photo = self.photo.as_ref().map_or(0, PhotoWarp::values);
        (BYTES / (size_of::<f32>() * map.max(photo))).max(1)
    }

    /// The pixels of the frames with this motion.
    async fn paint(&self, features: &ReferenceFeatures, motion: &Motion) -> Result<Vec<Painting>, PipelineError> {
        let rendered = self.render(features, motion);
        let size = rendered.get(1).map(|photos| [photos.dims()[2], photos.dims()[3]]);
        let mut read = read_rgba(rendered).await?.ok_or(PipelineError::NotFinite)?.into_iter();
        let frames = read.next().unwrap_or_default();
        let mut photos = read.next().unwrap_or_default().into_iter();
        let mut photo = || Some(Picture { size: size?, rgba: photos.next()? });
        Ok(frames.into_iter().map(|rgba| Painting { rgba, photo: photo() }).collect())
    }

    /// The frames with this motion, and those at the photo's size where they are asked for; each `[frames, 3, height,
    /// width]`.
    fn render(&self, features: &ReferenceFeatures, motion: &Motion) -> Vec<Tensor<4>> {
        let decoded = self.model.generator.decode(self.image.clone(), features, motion);
        let photos = self.photo.as_ref().map(|photo| photo.frames(motion, &decoded));
        std::iter::once(decoded.prediction).chain(photos).collect()
    }

    /// Asks the device for everything that a video takes, and reads nothing.
    #[cfg(feature = "gpu")]
    pub(super) fn rehearse(mut self) -> Result<(), PipelineError> {
        let Phase::Encode(sampling) = std::mem::replace(&mut self.phase, Phase::Over) else { return Ok(()) };
        let (_, Phase::Denoise(mut state)) = self.encode(*sampling)? else { return Ok(()) };
        while !state.trajectory.is_done() {
            state.x = self.step(&mut state);
        }
        let Motion { flow, occlusion } = self.model.codec.decode(state.x);
        let frames = self.frames_at_once().min(flow.dims()[0]);
        let motion = Motion { flow: flow.narrow(0, 0, frames), occlusion: occlusion.narrow(0, 0, frames) };
        for batch in self.render(&state.features, &motion) {
            rgba::pack(&batch);
        }
        Ok(())
    }
}

impl Phase {
    /// The encoded portrait, from the encoding to the last frame.
    fn features(&self) -> Option<&ReferenceFeatures> {
        match self {
            Self::Denoise(state) => Some(&state.features),
            Self::Decode(state) => Some(&state.features),
            Self::Encode(_) | Self::Done | Self::Over => None,
        }
    }
}

impl Decoding {
    /// Of `frames` frames from `index` on.
    fn motion_of(&self, index: usize, frames: usize) -> Motion {
        Motion {
            flow: self.motion.flow.clone().narrow(0, index, frames),
            occlusion: self.motion.occlusion.clone().narrow(0, index, frames),
        }
    }

    fn flow_of(&self, index: usize) -> &[f32] {
        of_frame(&self.flow, index, self.paintings.len())
    }

    fn occlusion_of(&self, index: usize) -> &[f32] {
        of_frame(&self.occlusion, index, self.paintings.len())
    }

    fn job(&self, index: usize) -> Job {
        Job::Decode { index, flow: self.flow_of(index).to_vec(), occlusion: self.occlusion_of(index).to_vec() }
    }
}

/// The values of one of `frames` frames.
fn of_frame(values: &[f32], index: usize, frames: usize) -> &[f32] {
    let length = values.len() / frames;
    &values[index * length..(index + 1) * length]
}

/// The values as a tensor, if there are as many as it holds.
fn tensor<const D: usize>(values: &[f32], shape: [usize; D], device: &Device) -> Option<Tensor<D>> {
    let fits = values.len() == shape.iter().product::<usize>();
    fits.then(|| Tensor::from_data(TensorData::new(values.to_vec(), shape), device))
}

async fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, PipelineError> {
    finite(&tensor.into_data_async().await?)
}

/// The values of flow and occlusion, read at once.
async fn read_motion(motion: &Motion) -> Result<[Vec<f32>; 2], PipelineError> {
    let both = Transaction::default().register(motion.flow.clone()).register(motion.occlusion.clone());
    let data = both.execute_async().await?;
    let [flow, occlusion] = data.as_slice() else { unreachable!("what is registered is read") };
    Ok([finite(flow)?, finite(occlusion)?])
}

fn finite(data: &TensorData) -> Result<Vec<f32>, PipelineError> {
    let values: Vec<f32> = data.iter::<f32>().collect();
    if values.iter().all(|value| value.is_finite()) { Ok(values) } else { Err(PipelineError::NotFinite) }
}

/// Waits for the work submitted so far, so that progress means what it says. Nothing is read.
///
/// A browser cannot block; there the work is only handed to the GPU.
fn settle(device: &Device) -> Result<(), PipelineError> {
    if cfg!(target_family = "wasm") {
        device.flush()?;
    } else {
        device.sync()?;
    }
    Ok(())
}
