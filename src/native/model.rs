//! Opening trained weights: a bundle, the run directory of a training, or a file of tensors.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::checkpoint::{Advice, TrainedModel};
use super::fingerprint;
use super::pth::Checkpoint;
use super::whole_file::read_file;
use crate::{
    bundle::{Bundle, MANIFEST},
    condition::StrengthRange,
    config::LfdmConfig,
    lfae::{LatentFlowAutoencoder, is_lfae, official_key},
    weights::{StateDict, load_module},
};

/// The float tensors of a safetensors file or a PyTorch checkpoint (`.pth`, `.pt`, `.ckpt`), under their full keys.
pub(crate) fn read_tensors(path: &Path) -> Result<StateDict> {
    let is_pickled =
        path.extension().is_some_and(|extension| ["pth", "pt", "ckpt"].iter().any(|known| extension == *known));
    if !is_pickled {
        let bytes = read_file(path).with_context(|| format!("cannot read {}", path.display()))?;
        return StateDict::from_safetensors(&bytes).with_context(|| path.display().to_string());
    }
    let mut checkpoint = Checkpoint::open(path)?;
    let mut tensors = StateDict::default();
    for (key, tensor) in checkpoint.tensors()? {
        if let Some(data) = checkpoint.read(&tensor)? {
            tensors.insert(key, data);
        }
    }
    Ok(tensors)
}

/// The settings that both stages save with their weights; `rest` holds those of one stage alone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TrainingSettings {
    pub config: LfdmConfig,
    pub labels: Vec<String>,
    /// Which strengths of the labels stage 2 learned from.
    #[serde(default)]
    pub strengths: StrengthRange,
    #[serde(flatten)]
    pub rest: serde_json::Map<String, serde_json::Value>,
}

impl TrainedModel<TrainingSettings> {
    /// The step of the auto-encoder whose motion stage 2 learns; fine-tuning the decoder later does not change it.
    pub(crate) fn lfae_step(&self) -> u64 {
        let settings = &self.settings.rest;
        let of_bundle = || settings.get("lfae")?.get("settings")?.get("lfae_step");
        let of_motion = settings.get("lfae_step").or_else(of_bundle);
        of_motion.and_then(serde_json::Value::as_u64).unwrap_or(self.step)
    }
}

/// The motion that stage 1 finds, or that stage 2 has learned.
pub(crate) struct MotionOf<'a> {
    /// Where the stage comes from.
    pub path: &'a Path,
    pub config: &'a LfdmConfig,
    /// [Fingerprint](fingerprint::of_motion) of the auto-encoder, if it is known.
    pub fingerprint: Option<&'a str>,
}

/// Refuses stages that do not belong together. Where a fingerprint is missing, the configurations alone decide.
///
/// # Errors
/// A diffusion model that learned another auto-encoder's motion.
pub(crate) fn ensure_pair(lfae: &MotionOf<'_>, dm: &MotionOf<'_>) -> Result<()> {
    let is_same = lfae.fingerprint.zip(dm.fingerprint).is_none_or(|(found, learned)| found == learned);
    ensure!(
        is_same && lfae.config.lfae.estimates_same_motion(&dm.config.lfae),
        "{} learned from another auto-encoder than the one in {}, or from an earlier step of it; give a pair that \
         belongs together",
        dm.path.display(),
        lfae.path.display()
    );
    Ok(())
}

/// The averaged weights of a run's newest checkpoint.
///
/// # Errors
/// A directory without a checkpoint, or one with a configuration from which no model can be built.
pub(crate) fn open_run(run: &Path) -> Result<TrainedModel<TrainingSettings>> {
    let trained = TrainedModel::<TrainingSettings>::open(run)?;
    trained.settings.config.validate().with_context(|| format!("cannot use the run {}", run.display()))?;
    Ok(trained)
}

/// The model of a bundle or a run. For a bundle, the step is its auto-encoder's.
pub(crate) fn open_trained(path: &Path) -> Result<TrainedModel<TrainingSettings>> {
    if !path.join(MANIFEST).exists() {
        return open_run(path);
    }
    let Bundle { manifest, weights } = Bundle::open_dir(path)?;
    let step = manifest.training["lfae"]["steps"].as_u64().unwrap_or(0);
    let rest = manifest.training.as_object().cloned().unwrap_or_default();
    let motion = match manifest.training["dm"]["motion"].as_str() {
        Some(recorded) => Some(recorded.to_owned()),
        None => fingerprint::of_motion(&weights),
    };
    let advice = Advice {
        fps: manifest.fps,
        steps: manifest.default_steps,
        guidance: manifest.default_guidance,
        licence: manifest.licence.clone(),
    };
    Ok(TrainedModel {
        motion,
        fps: None,
        advice: Some(advice),
        step,
        settings: TrainingSettings {
            config: manifest.config,
            labels: manifest.labels,
            strengths: manifest.strengths,
            rest,
        },
        seconds: manifest.training["lfae"]["seconds"].as_f64(),
        weights,
    })
}

/// Configuration and weights of a bundle or a run.
pub(crate) fn open_weights(path: &Path) -> Result<(LfdmConfig, StateDict)> {
    let trained = open_trained(path)?;
    Ok((trained.settings.config, trained.weights))
}

/// The auto-encoder of a bundle or a stage-1 run, ready for inference.
pub(crate) fn open_lfae(path: &Path, device: &Device) -> Result<(LfdmConfig, LatentFlowAutoencoder)> {
    let (config, weights) = open_weights(path)?;
    let model = load_module(config.lfae.init(device), &weights.filter(is_lfae), &official_key)
        .with_context(|| format!("cannot use the auto-encoder in {}", path.display()))?;
    Ok((config, model.fold_batch_norm()))
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;

    use super::*;
    use crate::native::pth::{self, Entry};
    use crate::weights::WeightDtype;

    #[test]
    fn tensors_are_read_from_either_kind_of_file() {
        let dir = tempfile::tempdir().unwrap();
        let data = TensorData::from([0.5f32, -2.0]);
        let mut weights = StateDict::default();
        weights.insert("features.0.bias", data.clone());
        let (safe, pickled) = (dir.path().join("vgg.safetensors"), dir.path().join("vgg.pth"));
        std::fs::write(&safe, weights.to_safetensors(WeightDtype::F32, None).unwrap()).unwrap();
        pth::write(&pickled, &[("features", Entry::Tensors(vec![("0.bias".into(), data.clone())]))]).unwrap();
        for path in [&safe, &pickled] {
            assert_eq!(read_tensors(path).unwrap().get("features.0.bias"), Some(&data));
        }
        std::fs::write(&pickled, b"no pickle").unwrap();
        for path in [&pickled, &dir.path().join("absent.safetensors")] {
            let message = format!("{:#}", read_tensors(path).unwrap_err());
            assert!(message.contains(path.to_str().unwrap()), "{message}");
        }
    }
}
