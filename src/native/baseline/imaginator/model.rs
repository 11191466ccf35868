//! A trained generator, which makes clips as the whole model does, but in one pass.

use anyhow::Result;
use burn::tensor::Device;

use super::{
    config::{ImaginatorConfig, NOISE},
    generator::Generator,
};
use crate::{
    condition::{ConditionTable, Strengths},
    native::baseline::{
        codec::FrameCodec,
        model::{frames_to_rgba, portrait_frame},
    },
    noise::NoiseSource,
    pipeline::Portrait,
};

/// A trained generator on a device, ready for any number of videos.
pub(crate) struct Imaginator {
    config: ImaginatorConfig,
    generator: Generator,
    codec: FrameCodec,
    conditions: ConditionTable,
    device: Device,
}

impl Imaginator {
    /// A generator in inference on `device`.
    pub(crate) fn new(config: ImaginatorConfig, labels: Vec<String>, generator: Generator, device: &Device) -> Self {
        let conditions = ConditionTable::one_hot(labels, device);
        Self { config, generator, codec: FrameCodec::pixels(), conditions, device: device.clone() }
    }

    /// The network.
    pub(crate) fn generator(&self) -> &Generator {
        &self.generator
    }

    /// The frames of a video that begins with `portrait`, each `size * size * 4` opaque RGBA bytes.
    pub(crate) fn generate(&self, portrait: &Portrait, strengths: &Strengths, seed: u64) -> Result<Vec<Vec<u8>>> {
        let image = self.codec.encode(portrait_frame(portrait, self.config.size, &self.device)?);
        let noise = NoiseSource::new(seed).normal([1, NOISE], &self.device);
        let clip = self.generator.forward(image, noise, self.conditions.vector(strengths)?);
        frames_to_rgba(self.codec.decode(clip.squeeze_dim(0)))
    }
}
