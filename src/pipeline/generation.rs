//! A video being made.

use std::sync::Arc;

use burn::tensor::{Device, ExecutionError, Tensor, TensorData};
use thiserror::Error;

use super::event::{Event, Frame, Picture, Preview, Timings};
use super::model::Model;
use super::request::{Request, RequestError};
use crate::clock::Stopwatch;
use crate::diffusion::{Denoiser, Trajectory};
use crate::lfae::ReferenceFeatures;
use crate::motion::Motion;
use crate::noise::NoiseSource;
use crate::photo::PhotoWarp;
use crate::portrait::{Portrait, planar_to_rgba};
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
    guidance: f32,
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
            condition: model.conditions.vector(&request.label)?,
            guidance: request.guidance,
            frames: model.config.frames,
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
        let photo = PhotoWarp::new(photo, self.model.codec.size(), self.size, &self.model.device);
        Self { photo: Some(photo), ..self }
    }

    /// Does the next unit of work; `None` after [`Event::Done`] or an error.
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

    /// The portrait's features, the sampler's steps and the initial noise.
    fn encode(&self, sampling: Sampling) -> Result<(Event, Phase), PipelineError> {
        let Sampling { condition, guidance, frames, trajectory, mut noise } = sampling;
        let features = self.model.generator.encode(self.image.clone());
        let latent = features.latent();
        let [_, _, height, width] = latent.dims();
        let channels = self.model.diffusion.denoise_fn.channels;
        let denoiser =
            Denoiser::new(&self.model.diffusion, latent, condition, &trajectory.times(), frames, f64::from(guidance));
        let x = noise.normal([1, channels, frames, height, width], &self.model.device);
        settle(&self.model.device)?;
        let denoising = Denoising { features, denoiser, trajectory, noise, x };
        Ok((Event::Encoded, Phase::Denoise(Box::new(denoising))))
    }

    async fn denoise(&self, mut state: Denoising) -> Result<(Event, Phase), PipelineError> {
        let index = state.trajectory.taken();
        let shape = state.x.dims();
        let x = state.trajectory.step(&state.denoiser, state.x, || state.noise.normal(shape, &self.model.device));
        settle(&self.model.device)?;
        let preview = match state.trajectory.estimate() {
            Some(estimate) if self.previews => Some(self.preview(estimate.clone()).await?),
            _ => None,
        };
        let event = Event::Step { index, total: state.trajectory.times().len(), preview };
        if !state.trajectory.is_done() {
            return Ok((event, Phase::Denoise(Box::new(Denoising { x, ..state }))));
        }

        let motion = self.model.codec.decode(x);
        let flow = read(motion.flow.clone()).await?;
        let occlusion = read(motion.occlusion.clone()).await?;
        let decoding = Decoding { features: state.features, motion, flow, occlusion, next: 0 };
        Ok((event, Phase::Decode(Box::new(decoding))))
    }

    async fn preview(&self, estimate: Tensor<5>) -> Result<Preview, PipelineError> {
        let size = self.model.codec.size();
        let flow = read(self.model.codec.decode(estimate).flow).await?;
        let frames = flow.chunks_exact(size[0] * size[1] * 2);
        Ok(Preview { size, flow: frames.flat_map(|frame| flow_to_rgba(frame, size, size)).collect() })
    }

    async fn decode(&self, state: Decoding) -> Result<(Event, Phase), PipelineError> {
        let [total, height, width, _] = state.motion.flow.dims();
        let index = state.next;
        let motion = Motion {
            flow: state.motion.flow.clone().narrow(0, index, 1),
            occlusion: state.motion.occlusion.clone().narrow(0, index, 1),
        };
        let decoded = self.model.generator.decode(self.image.clone(), &state.features, &motion);
        let photo = match &self.photo {
            None => None,
            Some(photo) => {
                let frame = photo.frame(&motion, &decoded);
                let [_, _, height, width] = frame.dims();
                Some(Picture { size: [height, width], rgba: planar_to_rgba(&read(frame).await?) })
            }
        };
        let pixels = read(decoded.prediction).await?;
        let (grid, cells) = ([height, width], height * width);
        let frame = Frame {
            index,
            total,
            size: self.size,
            rgba: planar_to_rgba(&pixels),
            flow: flow_to_rgba(&state.flow[index * cells * 2..(index + 1) * cells * 2], grid, self.size),
            occlusion: occlusion_to_rgba(&state.occlusion[index * cells..(index + 1) * cells], grid, self.size),
            photo,
        };
        let phase = if index + 1 == total {
            Phase::Done
        } else {
            Phase::Decode(Box::new(Decoding { next: index + 1, ..state }))
        };
        Ok((Event::Frame(frame), phase))
    }
}

async fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, PipelineError> {
    let values: Vec<f32> = tensor.into_data_async().await?.iter::<f32>().collect();
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
