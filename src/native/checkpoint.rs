//! Checkpoints: one directory per saved step, complete or absent.
//!
//! `step-00000250/` holds `model.bpk` and `optimizer.bpk` (burn's own format, which keeps the parameter ids that tie
//! the two together), `average.bpk` (the averaged weights, to resume from), `average.safetensors` (the same under the
//! official keys, to use) and `state.json`. It is written under another name and renamed when complete; only then is
//! the previous one removed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::ModuleOptimizer;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tempfile::TempDir;

use super::differences::differences;
use super::staging::Making;
use super::whole_file::read_file;
use crate::weights::{StateDict, WeightDtype};

const MODEL: &str = "model.bpk";
const OPTIMIZER: &str = "optimizer.bpk";
const AVERAGE: &str = "average.bpk";
const WEIGHTS: &str = "average.safetensors";
const STATE: &str = "state.json";
/// Prefix of a directory that is still being written.
const SAVING: &str = ".saving-";

/// What `state.json` says.
#[derive(Serialize, Deserialize)]
pub(crate) struct State<T> {
    pub step: u64,
    pub settings: T,
    /// Time that the steps took, without validations and checkpoints.
    pub seconds: f64,
    /// Runs of earlier versions do not say.
    #[serde(default)]
    pub origin: Option<Origin>,
}

/// What a run learns from, beside its settings. Another origin would make it another run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Origin {
    pub seed: u64,
    /// Largest norm of a gradient, if not the stage's own.
    pub clip: Option<f32>,
    #[serde(flatten)]
    pub source: Source,
}

/// The data and the networks that a run learns from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Source {
    /// Hash of the clips of both splits, as they are in memory.
    pub data: String,
    /// [Fingerprint](super::fingerprint::of_motion) of the auto-encoder whose motion is learned, or that was given to
    /// begin with and is kept.
    pub motion: Option<String>,
    /// Hash of every other network that the loss looks through, by the option that names it. Runs of earlier versions
    /// do not say.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
    /// Frames per second of the clips, where the stage learns how they move. Another number is no other run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fps: Option<f32>,
}

impl Origin {
    /// Each way in which `now` differs, in words.
    fn differences(&self, now: &Self) -> Vec<String> {
        let mut differences = Vec::new();
        if self.seed != now.seed {
            differences.push(format!("--seed was {} and is now {}", self.seed, now.seed));
        }
        if self.clip != now.clip {
            let norm = |clip: Option<f32>| clip.map_or_else(|| "the stage's own".to_owned(), |norm| norm.to_string());
            differences.push(format!("--clip was {} and is now {}", norm(self.clip), norm(now.clip)));
        }
        differences.extend(self.source.differences(&now.source));
        differences
    }
}

impl Source {
    /// Each way in which `now` differs, in words.
    fn differences(&self, now: &Self) -> Vec<String> {
        let mut differences = Vec::new();
        if self.motion != now.motion {
            differences.push("the auto-encoder is another one, or has been trained further".to_owned());
        } else if self.data != now.data {
            differences.push("the clips are others (--data, --flow, --fit, --memory)".to_owned());
        }
        let is_other = |(option, hash): &(&String, &String)| now.files.get(*option).is_some_and(|now| now != *hash);
        differences.extend(self.files.iter().filter(is_other).map(|(option, _)| format!("{option} is another one")));
        differences
    }
}

/// A saved step of a run.
pub(crate) struct Checkpoint<T> {
    path: PathBuf,
    state: State<T>,
}

impl<T: Serialize + for<'de> Deserialize<'de>> Checkpoint<T> {
    /// The newest complete checkpoint in the run directory, if it holds any.
    pub(crate) fn latest(run: &Path) -> Result<Option<Self>> {
        let Some(path) = newest(run) else { return Ok(None) };
        let file = path.join(STATE);
        let text = read_file(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let state = serde_json::from_slice(&text)
            .with_context(|| format!("{} is of another kind of training, or damaged", file.display()))?;
        Ok(Some(Self { path, state }))
    }

    /// Writes a checkpoint, which counts once it is [published](Written::publish).
    pub(crate) fn write<M: Module>(
        run: &Path,
        state: &State<&T>,
        model: &M,
        optimizer: &ModuleOptimizer,
        average: &M,
        weights: &StateDict,
    ) -> Result<Written> {
        let write = || -> Result<(TempDir, Making)> {
            let temporary = tempfile::Builder::new().prefix(SAVING).tempdir_in(run)?;
            let making = Making::at(temporary.path());
            let at = |name: &str| temporary.path().join(name);
            model.clone().save_file(at(MODEL))?;
            optimizer.save(at(OPTIMIZER))?;
            average.clone().save_file(at(AVERAGE))?;
            fs::write(at(WEIGHTS), weights.to_safetensors(WeightDtype::F32, None)?)?;
            fs::write(at(STATE), serde_json::to_vec_pretty(state)?)?;
            for file in fs::read_dir(temporary.path())? {
                fs::File::open(file?.path())?.sync_all()?;
            }
            Ok((temporary, making))
        };
        let (temporary, making) = write().with_context(|| cannot_save(run, state.step))?;
        Ok(Written { temporary, making, run: run.to_owned(), step: state.step })
    }

    /// Steps taken so far.
    pub(crate) fn step(&self) -> u64 {
        self.state.step
    }

    /// Time that the steps took, without validations and checkpoints.
    pub(crate) fn seconds(&self) -> f64 {
        self.state.seconds
    }

    /// Each setting in which `now` differs from the run's, with both values, and what else would make it another run.
    pub(crate) fn differences(&self, now: &T, origin: &Origin) -> Result<Vec<String>> {
        let mut differences = differences(&serde_json::to_value(&self.state.settings)?, &serde_json::to_value(now)?);
        differences.extend(self.state.origin.iter().flat_map(|then| then.differences(origin)));
        Ok(differences)
    }

    /// The weights as the last step left them.
    pub(crate) fn load_model<M: Module>(&self, model: M) -> Result<M> {
        self.load(model, MODEL)
    }

    /// The averaged weights, as a module without gradients.
    pub(crate) fn load_average<M: Module>(&self, like: &M) -> Result<M> {
        self.load(like.valid(), AVERAGE)
    }

    /// The optimiser's state.
    pub(crate) fn load_optimizer(&self, optimizer: ModuleOptimizer) -> Result<ModuleOptimizer> {
        let path = self.path.join(OPTIMIZER);
        optimizer.load(&path).with_context(|| format!("cannot read {}", path.display()))
    }

    fn load<M: Module>(&self, model: M, name: &str) -> Result<M> {
        let path = self.path.join(name);
        model.try_load_file(&path).with_context(|| format!("cannot read {}", path.display()))
    }
}

/// A checkpoint that is complete on disk, under a name that nobody looks for. Dropping it leaves the previous one.
pub(crate) struct Written {
    temporary: TempDir,
    making: Making,
    run: PathBuf,
    step: u64,
}

impl Written {
    /// Gives the checkpoint its name, then removes the previous one and what a killed run may have left half written.
    pub(crate) fn publish(self) -> Result<()> {
        let Self { temporary, making: _making, run, step } = self;
        let target = path_of(&run, step);
        let publish = || -> std::io::Result<()> {
            if target.exists() {
                fs::remove_dir_all(&target)?;
            }
            fs::rename(temporary.keep(), &target)
        };
        publish().with_context(|| cannot_save(&run, step))?;
        for old in fs::read_dir(&run)?.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
            let is_half = old.file_name().is_some_and(|name| name.to_string_lossy().starts_with(SAVING));
            if is_half || step_of(&old).is_some_and(|old_step| old_step < step) {
                fs::remove_dir_all(&old).with_context(|| format!("cannot remove {}", old.display()))?;
            }
        }
        Ok(())
    }
}

fn cannot_save(run: &Path, step: u64) -> String {
    format!("cannot save step {step} in {}; the previous checkpoint is untouched", run.display())
}

/// Where the checkpoint of `step` lies.
pub(crate) fn path_of(run: &Path, step: u64) -> PathBuf {
    run.join(format!("step-{step:08}"))
}

/// The averaged weights of a run's newest checkpoint and their settings: what export and evaluation need.
pub(crate) struct TrainedModel<T> {
    pub step: u64,
    pub settings: T,
    /// Time that the steps took; a bundle may not know.
    pub seconds: Option<f64>,
    /// [Fingerprint](super::fingerprint::of_motion) of the auto-encoder that stage 2 learned from; earlier versions do
    /// not say.
    pub motion: Option<String>,
    /// Frames per second of the clips that stage 2 learned; earlier versions do not say.
    pub fps: Option<f32>,
    /// What a bundle says for its users.
    pub advice: Option<Advice>,
    pub weights: StateDict,
}

/// What a bundle says for its users.
#[derive(Debug, Clone)]
pub(crate) struct Advice {
    pub fps: f32,
    pub steps: usize,
    pub guidance: f32,
    pub licence: String,
}

impl<T: Serialize + for<'de> Deserialize<'de>> TrainedModel<T> {
    /// Opens the newest checkpoint of `run`.
    ///
    /// # Errors
    /// A directory without a checkpoint, or one that cannot be read.
    pub(crate) fn open(run: &Path) -> Result<Self> {
        let checkpoint = Checkpoint::<T>::latest(run)?
            .with_context(|| format!("{} holds no checkpoint (no step-… directory)", run.display()))?;
        let path = checkpoint.path.join(WEIGHTS);
        let bytes = read_file(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let weights = StateDict::from_safetensors(&bytes).with_context(|| path.display().to_string())?;
        let State { step, settings, seconds, origin } = checkpoint.state;
        let Source { motion, fps, .. } = origin.map(|origin| origin.source).unwrap_or_default();
        Ok(Self { step, settings, seconds: Some(seconds), motion, fps, advice: None, weights })
    }
}

/// Whether all weights of `model` are numbers.
pub(crate) fn is_finite<M: Module>(model: &M) -> bool {
    struct Sums(f32);
    impl ModuleVisitor for Sums {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0 += param.val().sum().into_scalar::<f32>();
        }
    }
    let mut sums = Sums(0.0);
    model.visit(&mut sums);
    sums.0.is_finite()
}

/// The step of the newest complete checkpoint in the run directory.
pub(crate) fn newest_step(run: &Path) -> Option<u64> {
    step_of(&newest(run)?)
}

/// How many frames the run in a directory makes or learns from, if there is one and it says so.
pub(crate) fn frames_of(run: &Path) -> Option<usize> {
    let settings = Checkpoint::<Value>::latest(run).ok()??.state.settings;
    usize::try_from(settings["config"]["frames"].as_u64()?).ok()
}

fn newest(run: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(run).ok()?;
    entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| step_of(path).is_some()).max()
}

fn step_of(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.strip_prefix("step-")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::nn::LinearConfig;
    use burn::tensor::Device;

    #[test]
    fn another_origin_is_said_in_words() {
        let files = |hash: &str| BTreeMap::from([("--vgg".to_owned(), hash.to_owned())]);
        let source = Source { data: "a".into(), motion: Some("m".into()), files: files("v"), fps: Some(8.0) };
        let then = Origin { seed: 0, clip: None, source };
        assert!(then.differences(&then).is_empty());
        let differs = |now: Origin| then.differences(&now).join(", ");
        assert_eq!(differs(Origin { seed: 7, ..then.clone() }), "--seed was 0 and is now 7");
        let clip = differs(Origin { clip: Some(0.5), ..then.clone() });
        assert_eq!(clip, "--clip was the stage's own and is now 0.5");
        let differs_in = |change: fn(&mut Source)| {
            let mut now = then.clone();
            change(&mut now.source);
            differs(now)
        };
        assert!(differs_in(|now| now.data = "b".into()).contains("--fit"));
        assert!(differs_in(|now| now.motion = None).contains("auto-encoder is another"));
        assert_eq!(differs_in(|now| now.fps = Some(12.0)), "");
        assert_eq!(differs_in(|now| now.files = [("--vgg".into(), "w".into())].into()), "--vgg is another one");
        assert_eq!(differs_in(|now| now.files.clear()), "", "only networks that both runs have can differ");

        let earlier = serde_json::json!({ "seed": 0, "clip": null, "data": "a", "motion": "m" });
        let earlier: Origin = serde_json::from_value(earlier).unwrap();
        assert!(earlier.differences(&then).is_empty(), "a run of an earlier version resumes");
        assert_eq!(serde_json::from_value::<Origin>(serde_json::to_value(&then).unwrap()).unwrap(), then);
    }

    #[test]
    fn weights_that_are_no_numbers_are_found() {
        let mut model = LinearConfig::new(2, 2).init(&Device::flex());
        assert!(is_finite(&model));
        model.weight = model.weight.map(|weight| weight * f32::NAN);
        assert!(!is_finite(&model));
    }
}
