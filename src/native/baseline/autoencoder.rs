//! The auto-encoder of single frames whose latents LDM diffuses: the blocks of LFDM's
//! [`Generator`](crate::lfae::Generator) around a narrow latent, with neither warping nor skips.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::config::{ConfigError, bounds::within, sizes::SIDES};
use crate::kernels::Convolution;
use crate::lfae::blocks::{ConvBlock, DownBlock, ResBlock, UpBlock, conv};
use crate::tensor::{channels_first, channels_last};

/// Sizes of a [`FrameAutoencoder`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AutoencoderConfig {
    /// Channels at full size; they double with every halving of the side.
    pub(crate) block_expansion: usize,
    /// Upper bound of the channels.
    pub(crate) max_features: usize,
    /// Halvings of the side.
    pub(crate) down_blocks: usize,
    /// Residual blocks behind the latent.
    pub(crate) bottleneck_blocks: usize,
    /// Channels of the latent; few, since they are what is diffused.
    pub(crate) latent_channels: usize,
}

/// The widths of the `faces-64` generator.
impl Default for AutoencoderConfig {
    fn default() -> Self {
        Self { block_expansion: 32, max_features: 128, down_blocks: 2, bottleneck_blocks: 3, latent_channels: 4 }
    }
}

impl AutoencoderConfig {
    /// Pixels per cell of the latent, each way.
    pub(crate) fn reduction(&self) -> usize {
        1 << self.down_blocks
    }

    /// Checks that the network can work on frames of `size` pixels, and how large it is.
    ///
    /// # Errors
    /// Names the number that is too large or too small.
    pub(crate) fn check(&self, size: usize) -> Result<(), ConfigError> {
        within("--size", size, &SIDES)?;
        within("--down-blocks", self.down_blocks, &(1..=5))?;
        within("--latent-channels", self.latent_channels, &(1..=64))?;
        within("block_expansion", self.block_expansion, &(1..=512))?;
        within("max_features", self.max_features, &(1..=1024))?;
        within("bottleneck_blocks", self.bottleneck_blocks, &(0..=64))?;
        if !size.is_multiple_of(self.reduction()) {
            return Err(ConfigError::new("--size", format!("must be a multiple of {}", self.reduction())));
        }
        Ok(())
    }

    fn channels_at(&self, level: usize) -> usize {
        (self.block_expansion << level).min(self.max_features)
    }

    /// An auto-encoder with random weights.
    pub(crate) fn init(&self, device: &Device) -> FrameAutoencoder {
        let levels = self.down_blocks;
        let step = |from: usize, to: usize| [self.channels_at(from), self.channels_at(to)];
        let deepest = self.channels_at(levels);
        FrameAutoencoder {
            first: ConvBlock::new([3, self.block_expansion], 7, device),
            down_blocks: (0..levels).map(|level| DownBlock::new(step(level, level + 1), device)).collect(),
            to_latent: conv([deepest, self.latent_channels], 1, 0, device),
            from_latent: conv([self.latent_channels, deepest], 1, 0, device),
            bottleneck: (0..self.bottleneck_blocks).map(|_| ResBlock::new(deepest, device)).collect(),
            up_blocks: (0..levels).rev().map(|level| UpBlock::new(step(level + 1, level), device)).collect(),
            last: conv([self.block_expansion, 3], 7, 3, device),
        }
    }
}

/// From a frame to its latent and back.
#[derive(Module, Debug)]
pub(crate) struct FrameAutoencoder {
    first: ConvBlock,
    down_blocks: Vec<DownBlock>,
    to_latent: Conv2d,
    from_latent: Conv2d,
    bottleneck: Vec<ResBlock>,
    up_blocks: Vec<UpBlock>,
    last: Conv2d,
}

impl FrameAutoencoder {
    /// Frames to latents.
    ///
    /// # Shapes
    ///
    /// - `frames`: `[n, 3, height, width]` in [0, 1], sides divisible by `2^down_blocks`
    /// - returns `[n, latent_channels, height / 2^down_blocks, width / 2^down_blocks]`
    pub(crate) fn encode(&self, frames: Tensor<4>) -> Tensor<4> {
        let x = self.first.forward(channels_last(frames));
        let x = self.down_blocks.iter().fold(x, |x, block| block.forward(x));
        channels_first(Convolution::of(&self.to_latent).forward(x))
    }

    /// Latents to frames.
    ///
    /// # Shapes
    ///
    /// - `latent`: `[n, latent_channels, height / 2^down_blocks, width / 2^down_blocks]`
    /// - returns `[n, 3, height, width]` in [0, 1]
    pub(crate) fn decode(&self, latent: Tensor<4>) -> Tensor<4> {
        let x = Convolution::of(&self.from_latent).forward(channels_last(latent));
        let x = self.bottleneck.iter().fold(x, |x, block| block.forward(x));
        let x = self.up_blocks.iter().fold(x, |x, block| block.forward(x));
        sigmoid(channels_first(Convolution::of(&self.last).forward(x)))
    }

    /// Frames to latents and back.
    ///
    /// # Shapes
    ///
    /// - `frames` and result: `[n, 3, height, width]` in [0, 1]
    pub(crate) fn rebuild(&self, frames: Tensor<4>) -> Tensor<4> {
        self.decode(self.encode(frames))
    }

    /// The same map in inference, with every batch norm that follows a convolution folded into it.
    pub(crate) fn fold_batch_norm(self) -> Self {
        Self {
            first: self.first.fold(),
            down_blocks: self.down_blocks.into_iter().map(DownBlock::fold).collect(),
            bottleneck: self.bottleneck.into_iter().map(ResBlock::fold).collect(),
            up_blocks: self.up_blocks.into_iter().map(UpBlock::fold).collect(),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Distribution, Tolerance};

    #[test]
    fn a_frame_passes_through_a_narrow_latent() {
        let device = Device::flex();
        let config =
            AutoencoderConfig { block_expansion: 4, max_features: 8, latent_channels: 5, ..Default::default() };
        let autoencoder = config.init(&device);
        let frames = Tensor::<4>::random([2, 3, 16, 24], Distribution::Uniform(0.0, 1.0), &device);
        let latent = autoencoder.encode(frames.clone());
        assert_eq!(latent.dims(), [2, 5, 4, 6]);
        let rebuilt = autoencoder.decode(latent);
        assert_eq!(rebuilt.dims(), frames.dims());
        let folded = autoencoder.fold_batch_norm().rebuild(frames).into_data();
        folded.assert_approx_eq::<f32>(&rebuilt.into_data(), Tolerance::absolute(1e-5));
    }
}
