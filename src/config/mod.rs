//! Every size and option of the model, as one serialisable [`LfdmConfig`].
//!
//! Bundles and checkpoints carry its JSON form. The settings of a network stand beside the network, in
//! `lfae::config` and `diffusion::config`, and are re-exported here.
//! [`LfdmConfig::from_official`] reads the official YAML layout.

pub(crate) mod bounds;
pub(crate) mod error;
mod official;
mod presets;
pub(crate) mod sizes;

use serde::{Deserialize, Serialize};

pub use self::error::ConfigError;
pub use crate::diffusion::config::{
    Diffused, DiffusionConfig, Parameterization, ScheduleKind, Threshold, UnetConfig, Upsampling,
};
pub use crate::lfae::config::{
    BackgroundConfig, BackgroundMotion, FlowConfig, GeneratorConfig, HourglassConfig, LfaeConfig, RefinementConfig,
    RegionAffine, RegionConfig,
};

/// The whole model: the latent flow auto-encoder and the diffusion model in its motion space.
///
/// ```
/// use lfdm::config::LfdmConfig;
///
/// let mut config = LfdmConfig::faces_64(7);
/// config.frames = 12;
/// config.validate()?;
/// let json = serde_json::to_string(&config)?;
/// assert_eq!(serde_json::from_str::<LfdmConfig>(&json)?, config);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LfdmConfig {
    /// Image height and width in pixels.
    pub image_size: [usize; 2],
    /// Frames per generated video.
    pub frames: usize,
    /// Stage 1.
    pub lfae: LfaeConfig,
    /// Stage 2.
    pub diffusion: DiffusionConfig,
}

impl LfdmConfig {
    /// Checks both stages, how large they are, and that they fit each other.
    ///
    /// # Errors
    /// [`ConfigError`] for what [`LfaeConfig::validate`] and [`DiffusionConfig::validate`] refuse, for images that a
    /// network cannot see or that would fill the memory, for frames that make no whole pairs where pairs are diffused,
    /// and for a motion whose grid does not lie on the latent as the
    /// U-Net needs it.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.lfae.validate()?;
        self.diffusion.validate()?;
        self.validate_sizes()?;
        if !self.frames.is_multiple_of(self.diffusion.unet.diffused.frames()) {
            let problem = format!("must be even to be diffused in pairs; {} is odd", self.frames);
            return Err(ConfigError::new("frames", problem));
        }
        let latent = self.latent_size();
        if self.diffused_size() == latent {
            return Ok(());
        }
        let [[height, width], [rows, columns]] = [latent, self.flow_size()];
        let problem = format!(
            "must be `motion` or `motion_pairs` if the motion's grid has the size of the latent, `motion_wavelets` or \
             `motion_wavelet_pairs` if it is twice as fine; the latent has {height}x{width} cells, the motion \
             {rows}x{columns}"
        );
        Err(ConfigError::new("diffusion.unet.diffused", problem))
    }

    /// Height and width of the motion's grid.
    pub fn flow_size(&self) -> [usize; 2] {
        self.image_size.map(|side| (side as f64 * self.lfae.motion_scale()).round() as usize)
    }

    /// Height and width of the reference latent.
    pub fn latent_size(&self) -> [usize; 2] {
        self.image_size.map(|side| side >> self.lfae.generator.down_blocks)
    }

    /// Height and width of what the U-Net denoises.
    pub fn diffused_size(&self) -> [usize; 2] {
        self.flow_size().map(|side| side / self.diffusion.unet.diffused.cells())
    }

    /// Frames of what the U-Net denoises.
    pub fn diffused_frames(&self) -> usize {
        self.frames / self.diffusion.unet.diffused.frames()
    }

    /// Channels of the reference latent, which the U-Net sees in addition to the channels that it denoises.
    pub fn latent_channels(&self) -> usize {
        self.lfae.generator.channels_at(self.lfae.generator.down_blocks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_survives_json() {
        let config = LfdmConfig::faces_64(7);
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<LfdmConfig>(&json).unwrap(), config);
        assert_eq!(config.flow_size(), [16, 16]);
    }
}
