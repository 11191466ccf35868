//! From a portrait and a label to a video, one unit of work at a time.
//!
//! [`Generation::next`] encodes the portrait, takes one denoising step, or decodes one frame, and says which. Whoever asks
//! decides the pace: not asking pauses, dropping the generation cancels. The command line and the page ask the same way.

use std::sync::Arc;

use burn::tensor::{Device, ExecutionError, Tensor, TensorData};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    bundle::Bundle,
    clock::Stopwatch,
    condition::{ConditionError, ConditionTable},
    config::LfdmConfig,
    diffusion::{self, Denoiser, DiffusionModel, MotionCodec, Trajectory},
    lfae::{self, Generator, ReferenceFeatures},
    motion::Motion,
    noise::NoiseSource,
    photo::PhotoWarp,
    portrait::planar_to_rgba,
    viz::{flow_to_rgba, occlusion_to_rgba},
    weights::{StateDict, WeightsError, load_module},
};
pub use crate::{diffusion::Sampler, portrait::Portrait};

/// More steps than the training schedule has times cannot help.
pub const MAX_STEPS: usize = 1000;

/// Beyond this, guidance only saturates the motion.
pub const MAX_GUIDANCE: f32 = 20.0;

/// What to make.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// One of the manifest's labels.
    pub label: String,
    /// The same seed gives the same video.
    pub seed: u64,
    /// Denoising steps, 1 to [`MAX_STEPS`].
    pub steps: usize,
    /// Strength of the label, 0 to [`MAX_GUIDANCE`]; 1 is none beyond the condition itself.
    pub guidance: f32,
    pub sampler: Sampler,
}

impl Request {
    pub(crate) fn check(&self) -> Result<(), RequestError> {
        if !(1..=MAX_STEPS).contains(&self.steps) {
            return Err(RequestError::Steps(self.steps));
        }
        if !(0.0..=MAX_GUIDANCE).contains(&self.guidance) {
            return Err(RequestError::Guidance(self.guidance));
        }
        Ok(())
    }
}

/// A request that is refused before any work is done.
#[derive(Debug, Error)]
pub enum RequestError {
    #[error("label: {0}")]
    Label(#[from] ConditionError),
    #[error("steps: {0} is not possible; choose 1 to {MAX_STEPS}; the model's own default is a good start, 8 for most")]
    Steps(usize),
    #[error(
        "guidance: {0} is not possible; choose a number from 0 to {MAX_GUIDANCE}; the model's own default is a good start, 3.5 to 4 for most"
    )]
    Guidance(f32),
    #[error("image: prepared as {found:?} pixels (height, width), but the model takes {expected:?}")]
    PortraitSize { found: [usize; 2], expected: [usize; 2] },
}

/// A bundle that holds no complete model.
#[derive(Debug, Error)]
pub enum LoadError {
    #[error("{part}: {source}")]
    Weights { part: &'static str, source: WeightsError },
    #[error("conditions: {0}")]
    Conditions(#[from] ConditionError),
    #[error("conditions have length {found}, but the model takes {expected}; export it again")]
    ConditionWidth { found: usize, expected: usize },
    #[error(
        "the motion statistics have {found:?} channels, rows and columns, but what the model denoises has {expected:?}; export it again"
    )]
    MotionShape { found: [usize; 3], expected: [usize; 3] },
}

/// A generation that failed midway.
#[derive(Debug, Error)]
pub enum PipelineError {
    #[error("the device failed: {0}; try again, or use the CPU")]
    Device(#[from] ExecutionError),
    #[error(
        "the model produced values that are not numbers; try another seed, fewer guidance, or fetch the model again"
    )]
    NotFinite,
}

/// What a unit of work achieved.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The portrait is encoded and the steps are prepared.
    Encoded,
    /// Step `index` (from 0) of `total` is taken.
    Step {
        index: usize,
        total: usize,
        /// With [`Generation::with_previews`].
        preview: Option<Preview>,
    },
    Frame(Frame),
    Done(Timings),
}

/// The motion of all frames as far as it is known after a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// `[height, width]` of the flow grid.
    pub size: [usize; 2],
    /// [`flow_to_rgba`] of each frame in turn: `frames * height * width * 4` RGBA bytes.
    pub flow: Vec<u8>,
}

/// A picture of a size of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// `[height, width]`
    pub size: [usize; 2],
    /// `height * width * 4` RGBA bytes.
    pub rgba: Vec<u8>,
}

/// A finished frame with its motion, all pictures of one size.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// From 0.
    pub index: usize,
    pub total: usize,
    /// `[height, width]` of the three pictures.
    pub size: [usize; 2],
    /// `height * width * 4` RGBA bytes.
    pub rgba: Vec<u8>,
    /// [`flow_to_rgba`] of the frame's flow.
    pub flow: Vec<u8>,
    /// [`occlusion_to_rgba`] of the frame's occlusion.
    pub occlusion: Vec<u8>,
    /// The frame at the photo's own size, with [`Generation::at_photo_size`].
    pub photo: Option<Picture>,
}

/// Milliseconds by phase.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Timings {
    pub encode_ms: f64,
    pub denoise_ms: f64,
    pub decode_ms: f64,
    /// From the first to the last unit, pauses between them not counted.
    pub total_ms: f64,
}

/// A model on a device, ready for any number of videos.
#[derive(Clone)]
pub struct Animator {
    model: Arc<Model>,
}

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

struct Model {
    config: LfdmConfig,
    generator: Generator,
    diffusion: DiffusionModel,
    codec: MotionCodec,
    conditions: ConditionTable,
    device: Device,
}

enum Phase {
    Encode(Box<Sampling>),
    Denoise(Box<Denoising>),
    Decode(Box<Decoding>),
    Done,
    /// Finished, failed, or dropped in the middle of a unit.
    Over,
}

/// What sampling needs of the request.
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
    /// The same on the host, for pictures.
    flow: Vec<f32>,
    occlusion: Vec<f32>,
    next: usize,
}

impl Animator {
    /// Builds the model of a bundle: [`new`](Self::new) without the rest of its manifest.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn load(bundle: Bundle, device: &Device) -> Result<Self, LoadError> {
        let Bundle { manifest, weights } = bundle;
        Self::new(manifest.config, manifest.labels, weights, device)
    }

    /// Builds the model on `device`. `weights` may hold what only training needs; it is left alone.
    ///
    /// # Errors
    /// [`LoadError`] if any weight of encoder, decoder, U-Net, motion statistics or conditions is missing or has another
    /// shape than `config` says.
    pub fn new(
        config: LfdmConfig,
        labels: Vec<String>,
        mut weights: StateDict,
        device: &Device,
    ) -> Result<Self, LoadError> {
        // Each part's weights are freed once it is built: a large model is in memory twice only in parts.
        weights.take(lfae::is_flow_predictor);
        let generator = load_generator(&config, &weights.take(lfae::is_lfae), device)?;
        let diffusion = load_diffusion(&config, &weights.take(diffusion::is_denoiser), device)?;
        let codec = load_codec(&config, &weights, device)?;
        let conditions = load_conditions(&config, labels, &weights, device)?;
        let model = Model { config, generator, diffusion, codec, conditions, device: device.clone() };
        Ok(Self { model: Arc::new(model) })
    }

    /// Sizes and options of the model.
    pub fn config(&self) -> &LfdmConfig {
        &self.model.config
    }

    /// Conditions that a video can be made for.
    pub fn labels(&self) -> &[String] {
        self.model.conditions.labels()
    }

    /// The network that denoises.
    pub fn diffusion(&self) -> &DiffusionModel {
        &self.model.diffusion
    }

    /// Checks the request; the work is done by [`Generation::next`].
    pub fn generate(&self, portrait: &Portrait, request: &Request) -> Result<Generation, RequestError> {
        let size = self.model.config.image_size;
        if portrait.size() != size {
            return Err(RequestError::PortraitSize { found: portrait.size(), expected: size });
        }
        request.check()?;
        let updates = request.sampler.updates(self.model.diffusion.schedule(), request.steps);
        let sampling = Sampling {
            condition: self.model.conditions.vector(&request.label)?,
            guidance: request.guidance,
            frames: self.model.config.frames,
            trajectory: Trajectory::new(updates),
            noise: NoiseSource::new(request.seed),
        };
        let pixels = TensorData::new(portrait.pixels().to_vec(), [1, 3, size[0], size[1]]);
        Ok(Generation {
            model: self.model.clone(),
            size,
            image: Tensor::from_data(pixels, &self.model.device),
            phase: Phase::Encode(Box::new(sampling)),
            timings: Timings::default(),
            previews: false,
            photo: None,
        })
    }
}

fn part(part: &'static str) -> impl FnOnce(WeightsError) -> LoadError {
    move |source| LoadError::Weights { part, source }
}

fn load_generator(config: &LfdmConfig, weights: &StateDict, device: &Device) -> Result<Generator, LoadError> {
    let key = |path: &str| lfae::official_key(&format!("generator.{path}"));
    let generator = load_module(config.lfae.init_generator(device), weights, &key).map_err(part("auto-encoder"))?;
    Ok(generator.fold_batch_norm())
}

fn load_diffusion(config: &LfdmConfig, weights: &StateDict, device: &Device) -> Result<DiffusionModel, LoadError> {
    let module = config.diffusion.init(config.latent_channels(), device);
    load_module(module, weights, &diffusion::official_key).map_err(part("diffusion model"))
}

fn load_codec(config: &LfdmConfig, weights: &StateDict, device: &Device) -> Result<MotionCodec, LoadError> {
    let codec = MotionCodec::from_state(weights, device).map_err(part("motion"))?;
    let [rows, columns] = config.diffused_size();
    let (found, expected) = (codec.shape(), [config.diffusion.unet.diffused.channels(), rows, columns]);
    if found == expected { Ok(codec) } else { Err(LoadError::MotionShape { found, expected }) }
}

fn load_conditions(
    config: &LfdmConfig,
    labels: Vec<String>,
    weights: &StateDict,
    device: &Device,
) -> Result<ConditionTable, LoadError> {
    let conditions = ConditionTable::from_state(weights, labels, device)?;
    let (found, expected) = (conditions.dim(), config.diffusion.unet.condition_dim);
    if found == expected { Ok(conditions) } else { Err(LoadError::ConditionWidth { found, expected }) }
}

impl Generation {
    /// Shows the motion after every step, which reads it back from the device.
    pub fn with_previews(self) -> Self {
        Self { previews: true, ..self }
    }

    /// Also makes every frame at the size of `photo`, which shows the same crop as the portrait: see [`photo`](crate::photo).
    pub fn at_photo_size(self, photo: &Portrait) -> Self {
        let photo = PhotoWarp::new(photo, self.model.codec.size(), self.size, &self.model.device);
        Self { photo: Some(photo), ..self }
    }

    /// Does the next unit of work; `None` after [`Event::Done`] or an error.
    ///
    /// A denoising step reads nothing back from the device, unless previews are asked for.
    pub async fn next(&mut self) -> Option<Result<Event, PipelineError>> {
        let clock = Stopwatch::start();
        let (result, spent) = match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Encode(sampling) => (self.encode(*sampling), &mut self.timings.encode_ms),
            Phase::Denoise(denoising) => (self.denoise(*denoising).await, &mut self.timings.denoise_ms),
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

/// Makes progress true: waits for the work submitted so far where waiting is possible. Nothing is read.
///
/// A browser cannot block; there the work is only handed to the GPU.
fn settle(device: &Device) -> Result<(), PipelineError> {
    if cfg!(target_family = "wasm") {
        device.flush()?
    } else {
        device.sync()?
    }
    Ok(())
}
