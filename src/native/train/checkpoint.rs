//! Checkpoints: one directory per saved step, complete or absent.
//!
//! `step-00000250/` holds `model.bpk` and `optimizer.bpk` (burn's own format, which keeps the parameter ids that tie the two together),
//! `average.bpk` (the averaged weights, to resume), `average.safetensors` (the same under the official keys, to use) and `state.json`.
//! It is written under another name and renamed when complete; the one before is removed only then.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burn::module::Module;
use burn::optim::ModuleOptimizer;
use serde::{Deserialize, Serialize};

use crate::weights::{StateDict, WeightDtype};

const MODEL: &str = "model.bpk";
const OPTIMIZER: &str = "optimizer.bpk";
const AVERAGE: &str = "average.bpk";
const WEIGHTS: &str = "average.safetensors";
const STATE: &str = "state.json";

#[derive(Serialize, Deserialize)]
struct State<T> {
    step: u64,
    settings: T,
}

/// A saved step of a run.
pub(crate) struct Checkpoint<T> {
    path: PathBuf,
    state: State<T>,
}

impl<T: Serialize + for<'de> Deserialize<'de>> Checkpoint<T> {
    /// The newest complete checkpoint in the run directory, if it holds any.
    pub(crate) fn latest(run: &Path) -> Result<Option<Self>> {
        let Ok(entries) = fs::read_dir(run) else { return Ok(None) };
        let mut steps: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
        steps.retain(|path| step_of(path).is_some());
        steps.sort();
        let Some(path) = steps.pop() else { return Ok(None) };
        let file = path.join(STATE);
        let text = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let state =
            serde_json::from_slice(&text).with_context(|| format!("{} is not a training state", file.display()))?;
        Ok(Some(Self { path, state }))
    }

    pub(crate) fn write<M: Module>(
        run: &Path,
        settings: &T,
        step: u64,
        model: &M,
        optimizer: &ModuleOptimizer,
        average: &M,
        weights: &StateDict,
    ) -> Result<()> {
        let write = || -> Result<PathBuf> {
            let temporary = tempfile::Builder::new().prefix(".saving-").tempdir_in(run)?;
            let at = |name: &str| temporary.path().join(name);
            model.clone().save_file(at(MODEL))?;
            optimizer.save(at(OPTIMIZER))?;
            average.clone().save_file(at(AVERAGE))?;
            fs::write(at(WEIGHTS), weights.to_safetensors(WeightDtype::F32, None)?)?;
            fs::write(at(STATE), serde_json::to_vec_pretty(&State { step, settings })?)?;
            for file in fs::read_dir(temporary.path())? {
                fs::File::open(file?.path())?.sync_all()?;
            }
            let target = run.join(format!("step-{step:08}"));
            if target.exists() {
                fs::remove_dir_all(&target)?;
            }
            fs::rename(temporary.keep(), &target)?;
            Ok(target)
        };
        let written = write().with_context(|| {
            format!("cannot save step {step} in {}; the checkpoint before it is untouched", run.display())
        })?;
        for old in fs::read_dir(run)?.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
            if step_of(&old).is_some_and(|old_step| old_step < step) && old != written {
                fs::remove_dir_all(&old).with_context(|| format!("cannot remove {}", old.display()))?;
            }
        }
        Ok(())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn step(&self) -> u64 {
        self.state.step
    }

    pub(crate) fn settings(&self) -> &T {
        &self.state.settings
    }

    pub(crate) fn load_model<M: Module>(&self, model: M) -> Result<M> {
        self.load(model, MODEL)
    }

    /// The averaged weights, as a module without gradients.
    pub(crate) fn load_average<M: Module>(&self, like: &M) -> Result<M> {
        self.load(like.valid(), AVERAGE)
    }

    pub(crate) fn load_optimizer(&self, optimizer: ModuleOptimizer) -> Result<ModuleOptimizer> {
        let path = self.path.join(OPTIMIZER);
        optimizer.load(&path).with_context(|| format!("cannot read {}", path.display()))
    }

    fn load<M: Module>(&self, model: M, name: &str) -> Result<M> {
        let path = self.path.join(name);
        model.try_load_file(&path).with_context(|| format!("cannot read {}", path.display()))
    }
}

/// The averaged weights of a run's newest checkpoint, with the settings they belong to: what export and evaluation need.
pub struct TrainedModel<T> {
    pub step: u64,
    pub settings: T,
    pub weights: StateDict,
}

impl<T: Serialize + for<'de> Deserialize<'de>> TrainedModel<T> {
    /// # Errors
    /// A directory without a checkpoint, or one that cannot be read.
    pub fn open(run: &Path) -> Result<Self> {
        let checkpoint = Checkpoint::<T>::latest(run)?
            .with_context(|| format!("{} holds no checkpoint (no step-… directory)", run.display()))?;
        let path = checkpoint.path.join(WEIGHTS);
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let weights = StateDict::from_safetensors(&bytes).with_context(|| path.display().to_string())?;
        Ok(Self { step: checkpoint.state.step, settings: checkpoint.state.settings, weights })
    }
}

fn step_of(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.strip_prefix("step-")?.parse().ok()
}
