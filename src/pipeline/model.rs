//! The networks and tables that make videos, from their weights.

use burn::module::Module;
#[cfg(feature = "gpu")]
use burn::module::Param;
use burn::tensor::Device;
use thiserror::Error;

use crate::condition::{ConditionError, ConditionTable};
use crate::config::LfdmConfig;
use crate::diffusion::{self, DiffusionModel, MotionCodec};
use crate::lfae::{self, Generator};
use crate::weights::{StateDict, WeightsError, load_module};

/// What all videos of an [`Animator`](super::Animator) share.
pub(super) struct Model {
    pub(super) config: LfdmConfig,
    pub(super) generator: Generator,
    pub(super) diffusion: DiffusionModel,
    pub(super) codec: MotionCodec,
    pub(super) conditions: ConditionTable,
    pub(super) device: Device,
}

impl Model {
    /// Builds the networks on `device` from what generation needs of `weights`.
    pub(super) fn load(
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
        Ok(Self { config, generator, diffusion, codec, conditions, device: device.clone() })
    }
}

#[cfg(feature = "gpu")]
impl Model {
    /// Networks of these sizes that have learned nothing.
    pub(super) fn untrained(
        config: &LfdmConfig,
        labels: Vec<String>,
        device: &Device,
    ) -> Result<Self, crate::condition::ConditionError> {
        let [rows, columns] = config.diffused_size();
        let channels = config.diffusion.unet.diffused.channels();
        let vectors = burn::tensor::Tensor::zeros([labels.len(), config.diffusion.unet.condition_dim], &host());
        Ok(Self {
            config: config.clone(),
            generator: config.lfae.init_generator(&host()).fold_batch_norm().map(&mut Drawn).to_device(device),
            diffusion: config.diffusion.init(config.latent_channels(), &host()).map(&mut Drawn).to_device(device),
            codec: MotionCodec::identity([channels, rows, columns], device),
            conditions: ConditionTable::new(labels, vectors.to_device(device))?,
            device: device.clone(),
        })
    }
}

/// Has parameters drawn where they are: after `to_device` the device would draw them, with kernels of its own.
#[cfg(feature = "gpu")]
struct Drawn;

#[cfg(feature = "gpu")]
impl burn::module::ModuleMapper for Drawn {
    fn map_float<const D: usize>(&mut self, param: Param<burn::tensor::Tensor<D>>) -> Param<burn::tensor::Tensor<D>> {
        param.map(|tensor| tensor)
    }
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

fn part(part: &'static str) -> impl FnOnce(WeightsError) -> LoadError {
    move |source| LoadError::Weights { part, source }
}

/// Where networks are built. On a GPU, their initialisation and the folding of norms would take three dozen kernels
/// that nothing else needs.
fn host() -> Device {
    Device::flex()
}

fn load_generator(config: &LfdmConfig, weights: &StateDict, device: &Device) -> Result<Generator, LoadError> {
    let key = |path: &str| lfae::official_key(&format!("generator.{path}"));
    let generator = load_module(config.lfae.init_generator(&host()), weights, &key).map_err(part("auto-encoder"))?;
    Ok(generator.fold_batch_norm().to_device(device))
}

fn load_diffusion(config: &LfdmConfig, weights: &StateDict, device: &Device) -> Result<DiffusionModel, LoadError> {
    let module = config.diffusion.init(config.latent_channels(), &host());
    let module = load_module(module, weights, &diffusion::official_key).map_err(part("diffusion model"))?;
    Ok(module.to_device(device))
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
