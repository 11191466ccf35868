//! Sizes of a baseline.

use std::ops::RangeInclusive;

use anyhow::{Result, ensure};
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::autoencoder::AutoencoderConfig;
use crate::{
    config::{Diffused, DiffusionConfig, bounds::within, sizes::SIDES},
    diffusion::DiffusionModel,
};

/// Channels of RGB.
pub(crate) const COLOURS: usize = 3;
/// Frames of a clip.
pub(super) const FRAMES: RangeInclusive<usize> = 2..=512;

/// Sizes of a baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BaselineConfig {
    /// Side of a frame in pixels.
    pub(crate) size: usize,
    /// Frames per clip.
    pub(crate) frames: usize,
    /// The auto-encoder whose latents are diffused; `None` diffuses pixels.
    pub(crate) autoencoder: Option<AutoencoderConfig>,
    /// The diffusion model, whose U-Net must diffuse as many channels as a frame has.
    pub(crate) diffusion: DiffusionConfig,
}

impl BaselineConfig {
    /// `[channels, height, width]` of a frame as it is diffused.
    pub(crate) fn grid(&self) -> [usize; 3] {
        let side = self.size / self.reduction();
        [self.channels(), side, side]
    }

    /// Channels of a frame as it is diffused.
    pub(crate) fn channels(&self) -> usize {
        self.autoencoder.as_ref().map_or(COLOURS, |autoencoder| autoencoder.latent_channels)
    }

    /// Pixels per diffused cell, each way.
    fn reduction(&self) -> usize {
        self.autoencoder.as_ref().map_or(1, AutoencoderConfig::reduction)
    }

    /// Checks that the networks can work on such frames.
    ///
    /// # Errors
    /// Sizes that do not fit together.
    pub(crate) fn check(&self) -> Result<()> {
        within("--size", self.size, &SIDES)?;
        within("--frames", self.frames, &FRAMES)?;
        self.autoencoder.as_ref().map_or(Ok(()), |autoencoder| autoencoder.check(self.size))?;
        self.diffusion.validate()?;
        let unet = &self.diffusion.unet;
        let multiple = self.reduction() << unet.dim_mults.len().saturating_sub(1);
        ensure!(
            self.size.is_multiple_of(multiple),
            "frames of {0}x{0} pixels cannot be halved as often as the networks do; choose a multiple of {multiple}",
            self.size
        );
        let [channels, height, width] = self.grid();
        unet.validate_maps("--size", "--size", [height, width], self.frames)?;
        ensure!(
            unet.diffused == Diffused::Channels(channels),
            "the U-Net must diffuse {channels} channels, but its configuration says {:?}",
            unet.diffused
        );
        Ok(())
    }

    /// The denoising network; its reference is frame 0 as it is diffused.
    pub(crate) fn init(&self, device: &Device) -> DiffusionModel {
        self.diffusion.init(self.grid()[0], device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::baseline::fixtures::{small_autoencoder, small_config};

    #[test]
    fn sizes_that_cannot_be_halved_are_refused() {
        let mut config = small_config(Some(small_autoencoder()));
        assert_eq!(config.grid(), [4, 4, 4]);
        config.size = 20;
        assert!(config.check().unwrap_err().to_string().contains("multiple of 8"));
    }

    #[test]
    fn what_would_fill_the_memory_is_refused_and_named() {
        let with = |change: fn(&mut BaselineConfig)| {
            let mut config = small_config(Some(small_autoencoder()));
            assert!(config.check().is_ok());
            change(&mut config);
            config.check().unwrap_err().to_string()
        };
        assert!(with(|config| config.size = 1 << 16).contains("--size"));
        assert!(with(|config| config.frames = 1 << 16).contains("--frames"));
        assert!(with(|config| (config.size, config.frames) = (1024, 512)).contains("--size"));
        let with = |change: fn(&mut AutoencoderConfig)| {
            let mut autoencoder = small_autoencoder();
            change(&mut autoencoder);
            let config = BaselineConfig { autoencoder: Some(autoencoder), ..small_config(Some(small_autoencoder())) };
            config.check().unwrap_err().to_string()
        };
        assert!(with(|autoencoder| autoencoder.down_blocks = 64).contains("--down-blocks"));
        assert!(with(|autoencoder| autoencoder.latent_channels = 1 << 20).contains("--latent-channels"));
        assert!(with(|autoencoder| autoencoder.block_expansion = 1 << 60).contains("block_expansion"));
    }
}
