//! A model small enough to be made, trained and run in a test.
#![allow(dead_code, reason = "each test program uses a part of it")]

#[cfg(feature = "native")]
pub(crate) mod official;

use lfdm::bundle::{FORMAT, Manifest};
use lfdm::condition::{Contrast, StrengthRange};
use lfdm::config::{HourglassConfig, LfdmConfig, RefinementConfig};

pub(crate) fn config(size: usize, frames: usize, labels: usize) -> LfdmConfig {
    let hourglass = HourglassConfig { block_expansion: 4, blocks: 2, max_features: 8 };
    let mut config = LfdmConfig::faces_64(labels);
    config.image_size = [size; 2];
    config.frames = frames;
    config.lfae.regions = 3;
    config.lfae.region.hourglass = hourglass;
    config.lfae.background.hourglass = hourglass;
    config.lfae.flow.hourglass = hourglass;
    config.lfae.refinement = config.lfae.refinement.map(|refinement| RefinementConfig { hourglass, ..refinement });
    config.lfae.generator.block_expansion = 8;
    config.lfae.generator.max_features = 16;
    config.lfae.generator.bottleneck_blocks = 1;
    config.diffusion.unet.dim = 8;
    config.diffusion.unet.dim_mults = vec![1, 2];
    config.diffusion.unet.heads = 2;
    config.diffusion.unet.head_dim = 8;
    config.diffusion.unet.groups = 4;
    config.diffusion.unet.init_kernel = 3;
    config
}

/// What a test says about its model.
pub(crate) fn manifest(name: &str, config: LfdmConfig, labels: Vec<String>) -> Manifest {
    Manifest {
        format: FORMAT,
        name: name.to_owned(),
        config,
        labels,
        strengths: StrengthRange::ONE_HOT,
        fps: 8.0,
        default_steps: 3,
        default_guidance: 2.0,
        default_contrast: Contrast::Null,
        licence: "CC0-1.0".to_owned(),
        created_with: "a test".to_owned(),
        training: serde_json::Value::Null,
        files: Vec::new(),
    }
}
