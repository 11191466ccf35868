//! Trained weights, wherever they lie: a bundle, or the run directory of a training.

use std::path::Path;

use anyhow::{Context, Result};
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::train::TrainedModel;
use crate::{
    bundle::{Bundle, MANIFEST},
    config::LfdmConfig,
    lfae::{LatentFlowAutoencoder, official_key},
    pipeline::is_lfae,
    weights::{StateDict, load_module},
};

/// What both stages save beside their weights, and the rest as it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TrainingSettings {
    pub config: LfdmConfig,
    pub labels: Vec<String>,
    #[serde(flatten)]
    pub rest: serde_json::Map<String, serde_json::Value>,
}

/// The averaged weights of the newest checkpoint of a run.
pub(crate) fn open_run(run: &Path) -> Result<TrainedModel<TrainingSettings>> {
    TrainedModel::open(run)
}

/// Configuration and weights of a bundle or of a run.
pub(crate) fn open_weights(path: &Path) -> Result<(LfdmConfig, StateDict)> {
    if path.join(MANIFEST).exists() {
        let bundle = Bundle::open_dir(path)?;
        Ok((bundle.manifest.config, bundle.weights))
    } else {
        let run = open_run(path)?;
        Ok((run.settings.config, run.weights))
    }
}

/// The auto-encoder of a bundle or of a stage-1 run, ready for inference.
pub(crate) fn open_lfae(path: &Path, device: &Device) -> Result<(LfdmConfig, LatentFlowAutoencoder)> {
    let (config, weights) = open_weights(path)?;
    let model = load_module(config.lfae.init(device), &weights.filter(is_lfae), &official_key)
        .with_context(|| format!("cannot use the auto-encoder in {}", path.display()))?;
    Ok((config, model.fold_batch_norm()))
}
