//! Sizes and options of stage 1: one configuration for each of its networks.

use serde::{Deserialize, Serialize};

use crate::config::bounds::{self, within};
use crate::config::error::ConfigError;
use crate::motion::FlowResize;

/// Stage 1: the latent flow auto-encoder (LFDM, Sec. 3.2; the motion model is MRAA's).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LfaeConfig {
    /// Image channels: 3, RGB.
    pub channels: usize,
    /// Number K of motion regions.
    pub regions: usize,
    /// Multiply each region's motion by the sign of its first entry (MRAA's `revert_axis_swap`).
    pub revert_axis_swap: bool,
    /// The region predictor.
    pub region: RegionConfig,
    /// The background motion predictor.
    pub background: BackgroundConfig,
    /// The pixelwise flow predictor.
    pub flow: FlowConfig,
    /// A network that corrects the pixelwise flow; the official model has none.
    pub refinement: Option<RefinementConfig>,
    /// A second refinement, on a grid with twice as many rows and columns, which then becomes the motion's grid.
    pub fine_refinement: Option<RefinementConfig>,
    /// Encoder and decoder.
    pub generator: GeneratorConfig,
}

impl LfaeConfig {
    /// Scale of the motion's grid relative to the image.
    pub fn motion_scale(&self) -> f64 {
        self.flow.scale_factor * if self.fine_refinement.is_some() { 2.0 } else { 1.0 }
    }

    /// Whether both configurations estimate the same motion, so that stage 2 learns the same from either. They
    /// may differ in the decoder's painter, which fine-tuning can add.
    #[cfg(feature = "native")]
    pub(crate) fn estimates_same_motion(&self, other: &Self) -> bool {
        let painter = self.generator.painter;
        *self == Self { generator: GeneratorConfig { painter, ..other.generator.clone() }, ..other.clone() }
    }

    /// Checks what no type can.
    ///
    /// # Errors
    /// [`ConfigError`] for a number beyond its bounds, a painter that has nothing to blend, or a refinement whose input
    /// does not fit its grid.
    pub fn validate(&self) -> Result<(), ConfigError> {
        within("lfae.channels", self.channels, &(3..=3))?;
        within("lfae.regions", self.regions, &(1..=100))?;
        self.region.hourglass.validate("lfae.region")?;
        within("lfae.region.temperature", self.region.temperature, &(1e-3..=100.0))?;
        within("lfae.region.padding", self.region.padding, &(0..=3))?;
        bounds::scale("lfae.region.scale_factor", self.region.scale_factor)?;
        self.background.hourglass.validate("lfae.background")?;
        self.flow.hourglass.validate("lfae.flow")?;
        bounds::scale("lfae.flow.scale_factor", self.flow.scale_factor)?;
        self.generator.validate()?;
        if self.generator.painter && !(self.generator.skips && self.flow.occlusion) {
            return Err(ConfigError::new(
                "lfae.generator.painter",
                "needs `generator.skips` and `flow.occlusion`: it decides what is blended with the warped source",
            ));
        }
        if let Some(refinement) = &self.refinement {
            refinement.validate("lfae.refinement", self.flow.scale_factor)?;
        }
        if let Some(refinement) = &self.fine_refinement {
            refinement.validate("lfae.fine_refinement", self.motion_scale())?;
        }
        Ok(())
    }
}

/// Widths of an hourglass: block `i` has `min(max_features, block_expansion * 2^(i + 1))` channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HourglassConfig {
    /// Channels of the last up block; the first down block has twice as many.
    pub block_expansion: usize,
    /// Blocks on the way down, and as many on the way up.
    pub blocks: usize,
    /// Upper limit of the channels of any block.
    pub max_features: usize,
}

impl HourglassConfig {
    /// `path` is the place of its network in the configuration.
    fn validate(&self, path: &str) -> Result<(), ConfigError> {
        within(format!("{path}.hourglass.block_expansion"), self.block_expansion, &(1..=512))?;
        within(format!("{path}.hourglass.blocks"), self.blocks, &(1..=8))?;
        within(format!("{path}.hourglass.max_features"), self.max_features, &(1..=1024))?;
        let widths = |level: usize| (self.channels_at(level) * self.channels_at(level + 1)) as f64;
        // Kernels of 3x3, once on the way down and, with a skip, twice as many on the way up.
        let weights: f64 = (0..self.blocks).map(|level| 27.0 * widths(level)).sum();
        bounds::count(&format!("{path}.hourglass.max_features"), "weights", weights)
    }

    /// Output channels of the encoder after `level` blocks; level 0 is the input.
    pub(super) fn channels_at(&self, level: usize) -> usize {
        (self.block_expansion << level).min(self.max_features)
    }

    /// Channels of the hourglass output: the last up block concatenated with the network's input.
    pub(super) fn out_channels(&self, in_channels: usize) -> usize {
        self.block_expansion + in_channels
    }
}

/// Region predictor: heat maps -> centre and affine frame of each region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegionConfig {
    /// Widths of its hourglass.
    pub hourglass: HourglassConfig,
    /// Softmax temperature of the heat maps.
    pub temperature: f64,
    /// Scale at which the predictor sees the image: 1, 0.5, 0.25 or 0.125.
    pub scale_factor: f64,
    /// Padding of the 7x7 heat-map convolution; 3 keeps the size, 0 loses 6 pixels (official MHAD and NATOPS).
    pub padding: usize,
    /// How the affine frame of a region is found.
    pub affine: RegionAffine,
}

/// Where the affine frame of a region comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegionAffine {
    /// Principal axes of the heat map (MRAA, `pca_based`).
    Pca,
    /// A regressed Jacobian (FOMM).
    Regression,
    /// Translation only (`estimate_affine: false`).
    None,
}

/// Background motion predictor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackgroundConfig {
    /// Widths of its encoder.
    pub hourglass: HourglassConfig,
    /// The family of motions that it chooses from.
    pub motion: BackgroundMotion,
}

/// Family of the background motion, a homography with 0, 2, 6 or 8 free parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackgroundMotion {
    /// The background stands still.
    Zero,
    /// Translation: 2 parameters.
    Shift,
    /// Affine map: 6 parameters.
    Affine,
    /// Full homography: 8 parameters.
    Perspective,
}

/// Pixelwise flow predictor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlowConfig {
    /// Widths of its hourglass.
    pub hourglass: HourglassConfig,
    /// Scale of its grid relative to the image: 0.25 gives 16x16 cells for 64x64 pixels. Unless there is a fine
    /// refinement, this is the motion's grid too.
    pub scale_factor: f64,
    /// Feed the source warped by each region's motion.
    pub deformed_source: bool,
    /// Draw regions as Gaussians with their covariance rather than a fixed variance of 0.01.
    pub covariance_heatmap: bool,
    /// Predict occlusion; without it nothing is ever painted.
    pub occlusion: bool,
    /// How flow is brought to the size of an image.
    pub resize: FlowResize,
}

/// Flow refinement: a network on a flow grid that sees the source and the driving frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefinementConfig {
    /// Widths of its hourglass. `block_expansion` is also the width of the blocks that bring the frames down to
    /// the flow grid.
    pub hourglass: HourglassConfig,
    /// Scale at which the frames are seen: the scale of the flow grid times a power of two.
    pub scale_factor: f64,
    /// How often the same weights correct the motion, at least once.
    pub iterations: usize,
}

impl RefinementConfig {
    /// `path` is its place in the configuration, `grid` the scale of its flow grid.
    fn validate(&self, path: &str, grid: f64) -> Result<(), ConfigError> {
        self.hourglass.validate(path)?;
        within(format!("{path}.iterations"), self.iterations, &(0..=16))?;
        within(format!("{path}.scale_factor"), self.scale_factor, &(0.0..=1.0))?;
        let levels = (self.scale_factor / grid).log2();
        if levels.fract() != 0.0 || levels < 0.0 {
            let problem = format!("must be {grid}, the scale of its flow grid, times a power of two");
            return Err(ConfigError::new(format!("{path}.scale_factor"), problem));
        }
        if self.iterations == 0 {
            let problem = "must be at least 1; set the whole refinement to null to have none";
            return Err(ConfigError::new(format!("{path}.iterations"), problem));
        }
        Ok(())
    }
}

/// Generator: encoder, warping, decoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GeneratorConfig {
    /// Channels at full resolution; each down block doubles them.
    pub block_expansion: usize,
    /// Upper limit of the channels at any level.
    pub max_features: usize,
    /// Blocks that halve the resolution, and as many that double it again.
    pub down_blocks: usize,
    /// Residual blocks at the lowest resolution.
    pub bottleneck_blocks: usize,
    /// Blend warped encoder features into every decoder level.
    pub skips: bool,
    /// Show the motion to the decoder and let it adjust the occlusion of every blend; the official decoder does
    /// neither.
    pub painter: bool,
}

impl GeneratorConfig {
    fn validate(&self) -> Result<(), ConfigError> {
        within("lfae.generator.block_expansion", self.block_expansion, &(1..=512))?;
        within("lfae.generator.max_features", self.max_features, &(1..=1024))?;
        within("lfae.generator.down_blocks", self.down_blocks, &(1..=6))?;
        within("lfae.generator.bottleneck_blocks", self.bottleneck_blocks, &(0..=64))?;
        let widest = self.channels_at(self.down_blocks) as f64;
        let weights = (2 * self.bottleneck_blocks + 4 * self.down_blocks) as f64 * 9.0 * widest * widest;
        bounds::count("lfae.generator.max_features", "weights", weights)
    }

    /// Channels after `level` down blocks.
    pub fn channels_at(&self, level: usize) -> usize {
        (self.block_expansion << level).min(self.max_features)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::LfdmConfig;

    #[test]
    fn a_refinement_must_fit_its_grid() {
        let mut config = LfdmConfig::faces_128(1).lfae;
        assert_eq!(config.validate(), Ok(()));
        let mut with = |scale_factor: f64, iterations: usize| {
            config.refinement =
                config.refinement.clone().map(|old| RefinementConfig { scale_factor, iterations, ..old });
            config.validate().map_err(|error| error.field)
        };
        assert_eq!(with(0.3, 1), Err("lfae.refinement.scale_factor".to_owned()));
        assert_eq!(with(0.0625, 1), Err("lfae.refinement.scale_factor".to_owned()), "coarser than the grid");
        assert_eq!(with(0.125, 0), Err("lfae.refinement.iterations".to_owned()));
        assert_eq!(with(0.125, 1), Ok(()));
    }
}
