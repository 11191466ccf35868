//! The networks of generation one by one, for commands that run or export each alone.

use anyhow::Result;
use burn::tensor::Device;

use crate::{
    config::LfdmConfig,
    diffusion::{self, DiffusionModel},
    lfae::{self, Generator},
    weights::{StateDict, collect_module, load_module},
};

/// The networks of generation.
pub(super) struct Networks {
    /// Encoder and decoder; their batch norms are not folded.
    pub generator: Generator,
    /// The U-Net and its schedule.
    pub diffusion: DiffusionModel,
}

impl Networks {
    /// Builds the networks on `device` from the weights of a bundle.
    pub(super) fn load(config: &LfdmConfig, weights: &StateDict, device: &Device) -> Result<Self> {
        let of_generator = |key: &str| lfae::is_lfae(key) && !lfae::is_flow_predictor(key);
        let networks = Self::init(config, device);
        let generator = weights.clone().filter(of_generator);
        let diffusion = weights.clone().filter(diffusion::is_denoiser);
        Ok(Self {
            generator: load_module(networks.generator, &generator, &generator_key)?,
            diffusion: load_module(networks.diffusion, &diffusion, &diffusion::official_key)?,
        })
    }

    /// The networks with random weights.
    pub(super) fn init(config: &LfdmConfig, device: &Device) -> Self {
        let diffusion = config.diffusion.init(config.latent_channels(), device);
        Self { generator: config.lfae.init_generator(device), diffusion }
    }

    /// The weights of generator and U-Net, each under the official keys within that network and in
    /// the shapes of our modules, whatever file they came from.
    pub(super) fn weights(&self) -> [StateDict; 2] {
        [
            collect_module(&self.generator, &generator_key).sub("generator"),
            collect_module(&self.diffusion.denoise_fn, &diffusion::official_key),
        ]
    }
}

fn generator_key(path: &str) -> String {
    lfae::official_key(&format!("generator.{path}"))
}
