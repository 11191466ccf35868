//! A model on its device.

use std::sync::Arc;

use burn::tensor::Device;
use thiserror::Error;

use super::generation::Generation;
use super::request::{Request, RequestError};
use crate::bundle::Bundle;
use crate::condition::{ConditionError, ConditionTable};
use crate::config::LfdmConfig;
use crate::diffusion::{self, DiffusionModel, MotionCodec};
use crate::lfae::{self, Generator};
use crate::portrait::Portrait;
use crate::weights::{StateDict, WeightsError, load_module};

/// A model on a device, ready for any number of videos.
///
/// ```no_run
/// use burn::tensor::Device;
/// use lfdm::{
///     bundle::Bundle,
///     diffusion::Sampler,
///     pipeline::{Animator, Event, Portrait, Request},
/// };
///
/// # async fn animate(bundle: Bundle, rgba: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
/// let animator = Animator::load(bundle, &Device::flex())?;
/// let portrait = Portrait::from_rgba(640, 480, rgba, animator.config().image_size)?;
/// let label = animator.labels()[0].clone();
/// let request = Request { label, seed: 7, steps: 8, guidance: 1.0, sampler: Sampler::default() };
/// let mut generation = animator.generate(&portrait, &request)?;
/// while let Some(event) = generation.next().await {
///     if let Event::Frame(frame) = event? {
///         println!("frame {} of {}: {:?} pixels", frame.index + 1, frame.total, frame.size);
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Animator {
    model: Arc<Model>,
}

/// What all videos of an [`Animator`] share.
pub(super) struct Model {
    pub(super) config: LfdmConfig,
    pub(super) generator: Generator,
    pub(super) diffusion: DiffusionModel,
    pub(super) codec: MotionCodec,
    pub(super) conditions: ConditionTable,
    pub(super) device: Device,
}

/// Weights that make no complete model.
#[derive(Debug, Error)]
pub enum LoadError {
    /// A network's weights are missing or do not fit.
    #[error("{part}: {source}")]
    Weights {
        /// The network.
        part: &'static str,
        /// What is wrong with them.
        source: WeightsError,
    },
    /// The condition vectors are missing or not one for each label.
    #[error("conditions: {0}")]
    Conditions(#[from] ConditionError),
    /// The condition vectors have another length than the U-Net takes.
    #[error("conditions have length {found}, but the model takes {expected}; export it again")]
    ConditionWidth {
        /// Length of the vectors.
        found: usize,
        /// Length that the U-Net takes.
        expected: usize,
    },
    /// The motion statistics belong to another grid or representation.
    #[error(
        "the motion statistics have {found:?} channels, rows and columns, but what the model denoises has \
         {expected:?}; export it again"
    )]
    MotionShape {
        /// Channels, rows and columns of the statistics.
        found: [usize; 3],
        /// Channels, rows and columns of what the U-Net denoises.
        expected: [usize; 3],
    },
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
    /// [`LoadError`] if any weight of encoder, decoder, U-Net, motion statistics or conditions is missing or
    /// has another shape than `config` says.
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

    /// Checks the request and prepares the video; [`Generation::next`] does the work.
    ///
    /// # Errors
    /// [`RequestError`] for a portrait of another size, an unknown label, or steps or guidance out of range.
    pub fn generate(&self, portrait: &Portrait, request: &Request) -> Result<Generation, RequestError> {
        Generation::new(self.model.clone(), portrait, request)
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
