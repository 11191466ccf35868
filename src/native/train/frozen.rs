//! A trained auto-encoder that a stage builds on and leaves as it is.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burn::tensor::Device;

use crate::config::LfdmConfig;
use crate::lfae::{LatentFlowAutoencoder, is_lfae, official_key};
use crate::native::fingerprint;
use crate::native::model::open_trained;
use crate::weights::{StateDict, WeightsError, load_module};

/// The auto-encoder of a bundle or a run.
pub(super) struct FrozenLfae {
    /// The bundle or the run.
    pub(super) path: PathBuf,
    /// With the diffusion model that the bundle has, or that its run was planned with.
    pub(super) config: LfdmConfig,
    pub(super) labels: Vec<String>,
    /// The step of the auto-encoder whose motion this is; fine-tuning a decoder afterwards has not
    /// changed it.
    pub(super) step: u64,
    /// [Of its motion](fingerprint::of_motion); a bundle without the networks that find motion has none.
    pub(super) fingerprint: Option<String>,
    /// Under the official keys.
    pub(super) weights: StateDict,
}

impl FrozenLfae {
    /// # Errors
    /// A directory that holds neither a bundle nor a run.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let trained = open_trained(path)?;
        Ok(Self {
            fingerprint: fingerprint::of_motion(&trained.weights),
            path: path.to_owned(),
            step: trained.lfae_step(),
            config: trained.settings.config,
            labels: trained.settings.labels,
            weights: trained.weights.filter(is_lfae),
        })
    }

    /// The network in its inference form.
    ///
    /// # Errors
    /// Weights that do not fit the configuration.
    pub(super) fn init(&self, device: &Device) -> Result<LatentFlowAutoencoder> {
        init(&self.config, &self.weights, device)
            .with_context(|| format!("cannot use the auto-encoder in {}", self.path.display()))
    }
}

/// An auto-encoder in its inference form.
///
/// # Errors
/// Weights that do not fit the configuration.
pub(super) fn init(
    config: &LfdmConfig,
    weights: &StateDict,
    device: &Device,
) -> Result<LatentFlowAutoencoder, WeightsError> {
    Ok(load_module(config.lfae.init(device), weights, &official_key)?.fold_batch_norm())
}
