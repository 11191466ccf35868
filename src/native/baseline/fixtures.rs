//! Small baselines for tests.

use super::{AutoencoderConfig, BaselineConfig};
use crate::config::{Diffused, LfdmConfig, Threshold};

/// A baseline of three frames of 16 pixels, in pixels or in latents.
pub(super) fn small_config(autoencoder: Option<AutoencoderConfig>) -> BaselineConfig {
    let mut diffusion = LfdmConfig::faces_64(2).diffusion;
    diffusion.unet.dim = 8;
    diffusion.unet.dim_mults = vec![1, 2];
    diffusion.threshold = Threshold::None;
    let mut config = BaselineConfig { size: 16, frames: 3, autoencoder, diffusion };
    config.diffusion.unet.diffused = Diffused::Channels(config.grid()[0]);
    config
}

/// An auto-encoder of few channels.
pub(super) fn small_autoencoder() -> AutoencoderConfig {
    AutoencoderConfig { block_expansion: 4, max_features: 8, ..AutoencoderConfig::default() }
}
