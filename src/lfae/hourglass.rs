//! The U-shaped feature extractor of MRAA's predictors.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::blocks::{DownBlock, UpBlock};
use super::config::HourglassConfig;
use crate::tensor::{channels_first, channels_last};

/// Encoder and decoder; every scale of the encoder, the input included, is concatenated into the decoder.
#[derive(Module, Debug)]
pub struct Hourglass {
    /// The contracting half.
    pub encoder: HourglassEncoder,
    decoder: HourglassDecoder,
}

/// The contracting half.
#[derive(Module, Debug)]
pub struct HourglassEncoder {
    down_blocks: Vec<DownBlock>,
}

#[derive(Module, Debug)]
struct HourglassDecoder {
    up_blocks: Vec<UpBlock>,
}

impl HourglassConfig {
    /// An hourglass for inputs of `in_channels` channels.
    pub fn init(&self, in_channels: usize, device: &Device) -> Hourglass {
        let up_blocks = (0..self.blocks).rev().map(|level| {
            let skipped = if level + 1 == self.blocks { 1 } else { 2 };
            let input = skipped * self.channels_at(level + 1);
            UpBlock::new([input, self.channels_at(level)], device)
        });
        Hourglass {
            encoder: self.init_encoder(in_channels, device),
            decoder: HourglassDecoder { up_blocks: up_blocks.collect() },
        }
    }

    /// Its contracting half alone.
    pub fn init_encoder(&self, in_channels: usize, device: &Device) -> HourglassEncoder {
        let down_blocks = (0..self.blocks).map(|level| {
            let input = if level == 0 { in_channels } else { self.channels_at(level) };
            DownBlock::new([input, self.channels_at(level + 1)], device)
        });
        HourglassEncoder { down_blocks: down_blocks.collect() }
    }
}

impl Hourglass {
    /// Features of every place, and the input itself.
    ///
    /// # Shapes
    /// - `x`: `[batch, in, height, width]`, sides divisible by `2^blocks`
    /// - returns `[batch, block_expansion + in, height, width]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let mut scales = self.encoder.scales(channels_last(x));
        let deepest = scales.pop();
        let out = self.decoder.up_blocks.iter().fold(deepest, |out, block| {
            let skip = scales.pop()?;
            Some(Tensor::cat(vec![block.forward(out?), skip], 3))
        });
        let Some(out) = out else { unreachable!("the encoder returns one scale more than the decoder has blocks") };
        channels_first(out)
    }

    /// The same map in inference, without batch norms.
    pub fn fold(self) -> Self {
        let up_blocks = self.decoder.up_blocks.into_iter().map(UpBlock::fold).collect();
        Self { encoder: self.encoder.fold(), decoder: HourglassDecoder { up_blocks } }
    }
}

impl HourglassEncoder {
    /// All scales, the input first.
    ///
    /// # Shapes
    /// - `x`: `[batch, in, height, width]`
    /// - returns `blocks + 1` tensors, each half the side of the one before
    pub fn forward(&self, x: Tensor<4>) -> Vec<Tensor<4>> {
        self.scales(channels_last(x)).into_iter().map(channels_first).collect()
    }

    /// [`forward`](Self::forward) of maps with the channels last.
    fn scales(&self, x: Tensor<4>) -> Vec<Tensor<4>> {
        let mut scales = vec![x];
        for block in &self.down_blocks {
            let next = block.forward(scales[scales.len() - 1].clone());
            scales.push(next);
        }
        scales
    }

    /// The same map in inference, without batch norms.
    pub fn fold(self) -> Self {
        Self { down_blocks: self.down_blocks.into_iter().map(DownBlock::fold).collect() }
    }
}
