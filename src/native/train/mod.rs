//! Training of both stages: one loop, two [`Stage`]s.
//!
//! burn-train's learner measures progress in epochs over a dataset; both stages here draw random pairs and times without end, average
//! their weights and change their rate by the step, so the loop is ours. Everything random in a step is a function of the seed and
//! of the step, which is what makes a resumed run continue the interrupted one.

mod checkpoint;
pub mod classifier;
pub mod diffusion;
mod ema;
pub mod lfae;
pub mod perceptual;
mod plots;
pub mod tps;

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use burn::module::Module;
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor};
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::device::DeviceArgs;
use super::model::open_weights;
use crate::weights::{StateDict, WeightsError};
use checkpoint::Checkpoint;
pub use checkpoint::TrainedModel;
use ema::Ema;

/// Options that both stages share.
#[derive(Debug, Clone, clap::Args)]
pub struct RunArgs {
    /// Directory of the training set (`meta.json` and one sheet per person).
    #[arg(long)]
    pub data: PathBuf,
    /// Directory of this run: checkpoints, losses, previews.
    #[arg(long)]
    pub out: PathBuf,
    /// Continue the run in `--out` where it stopped.
    #[arg(long)]
    pub resume: bool,
    /// Begin with the averaged weights of another run, or of a bundle, instead of random ones.
    #[arg(long, conflicts_with = "resume")]
    pub init: Option<PathBuf>,
    /// Steps of the whole run; the learning rate decays over the last half.
    #[arg(long)]
    pub steps: u64,
    /// Clips per step.
    #[arg(long, default_value_t = 8)]
    pub batch: usize,
    /// Peak learning rate.
    #[arg(long)]
    pub lr: f64,
    /// Steps at which the rate falls to a tenth, as in the official training, instead of warming up and decaying smoothly.
    #[arg(long, value_delimiter = ',')]
    pub milestones: Vec<u64>,
    /// Seed of the initial weights and of everything drawn in training.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Steps between checkpoints.
    #[arg(long, default_value_t = 250)]
    pub save_every: u64,
    /// Steps between previews and validations.
    #[arg(long, default_value_t = 500)]
    pub preview_every: u64,
    /// Stop after this many minutes, with a checkpoint, as if interrupted.
    #[arg(long)]
    pub max_minutes: Option<f64>,
    #[command(flatten)]
    pub(crate) device: DeviceArgs,
}

/// One value of the loss, by name, for the log.
pub(crate) type Terms = Vec<(&'static str, Tensor<1>)>;

/// Figures of a validation, by name.
pub(crate) type Figures = Vec<(&'static str, f64)>;

/// What a training stage adds to the loop.
pub(crate) trait Stage {
    /// The trained network.
    type Model: Module;
    /// Sizes and options that a resumed run must share.
    type Settings: Serialize + for<'de> Deserialize<'de> + PartialEq;

    fn name(&self) -> &'static str;
    fn settings(&self) -> &Self::Settings;
    fn adam(&self) -> AdamConfig;
    fn init(&self, device: &Device) -> Self::Model;
    /// `model` with the weights of a bundle or of a run, under the official keys.
    fn load(&self, model: Self::Model, weights: StateDict) -> Result<Self::Model, WeightsError>;
    /// State dict of the averaged weights, and what belongs to them, under the official keys.
    fn export(&self, model: &Self::Model) -> StateDict;
    /// The loss that is minimised, and its terms. Draws only from `(seed, step)`.
    fn loss(&self, model: &Self::Model, seed: u64, step: u64, device: &Device) -> (Tensor<1>, Terms);
    /// Figures on the validation split, the loss among them; writes pictures to `dir`. `model` is without gradients, on `device`.
    fn validate(&self, model: &Self::Model, step: u64, dir: &Path, device: &Device) -> Result<Figures>;
}

/// Trains `stage` from its beginning, or from the last checkpoint in `args.out`.
pub(crate) fn run<S: Stage>(stage: &S, args: &RunArgs) -> Result<()> {
    ensure!(args.steps > 0 && args.batch > 0, "--steps and --batch must be at least 1");
    ensure!(args.lr.is_finite() && args.lr > 0.0, "--lr must be a positive number");
    let device = args.device.open().autodiff();
    device.seed(args.seed);
    let mut model = stage.init(&device);
    let mut optimizer: ModuleOptimizer = stage.adam().init();
    let mut first_step = 0;

    let previous = Checkpoint::<S::Settings>::latest(&args.out)?;
    let mut ema = match previous {
        Some(checkpoint) => {
            ensure!(
                args.resume,
                "{} already holds a run (step {}); add --resume to continue it, or choose another --out",
                args.out.display(),
                checkpoint.step()
            );
            ensure!(
                checkpoint.settings() == stage.settings(),
                "{} was trained with other settings than these; use the settings of its state.json, or another --out",
                checkpoint.path().display()
            );
            first_step = checkpoint.step();
            let ema = Ema::new(checkpoint.load_average(&model)?);
            model = checkpoint.load_model(model)?;
            optimizer = checkpoint.load_optimizer(optimizer)?;
            ema
        }
        None => {
            ensure!(!args.resume, "nothing to resume in {}: no checkpoint there", args.out.display());
            if let Some(path) = &args.init {
                let (_, weights) = open_weights(path)?;
                model = stage
                    .load(model, weights)
                    .with_context(|| format!("cannot begin with the weights in {}", path.display()))?;
            }
            Ema::new(model.valid())
        }
    };
    std::fs::create_dir_all(&args.out).with_context(|| format!("cannot create {}", args.out.display()))?;
    let mut log = Log::open(&args.out, args.steps, first_step)?;
    log.note(&format!("{}: {} parameters, steps {first_step} to {}", stage.name(), model.num_params(), args.steps));

    let previews = args.out.join("previews");
    std::fs::create_dir_all(&previews).with_context(|| format!("cannot create {}", previews.display()))?;
    if first_step == 0 {
        log.validation(0, &stage.validate(ema.model(), 0, &previews, &device.clone().inner())?)?;
    }
    let started = Instant::now();
    let save = |model: &S::Model, optimizer: &ModuleOptimizer, ema: &Ema<S::Model>, step: u64| {
        let average = ema.model();
        Checkpoint::write(&args.out, stage.settings(), step, model, optimizer, average, &stage.export(average))
    };
    for step in first_step..args.steps {
        let (loss, terms) = stage.loss(&model, args.seed, step, &device);
        let value: f32 = loss.clone().into_scalar();
        if !value.is_finite() {
            bail!("the loss is {value} at step {step}; the last good checkpoint is in {}", args.out.display());
        }
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        model = optimizer.step(learning_rate(args, step), model, gradients);
        ema.update(&model, step);
        log.step(step, value, terms)?;

        let done = step + 1;
        let out_of_time = args.max_minutes.is_some_and(|minutes| started.elapsed().as_secs_f64() > minutes * 60.0);
        if done % args.save_every == 0 || done == args.steps || out_of_time {
            save(&model, &optimizer, &ema, done)?;
        }
        if done % args.preview_every == 0 || done == args.steps {
            log.validation(done, &stage.validate(ema.model(), done, &previews, &device.clone().inner())?)?;
            plots::draw(&args.out)?;
        }
        if out_of_time {
            log.note(&format!("stopped after step {done}: out of time; --resume continues"));
            break;
        }
    }
    log.finish(started.elapsed());
    Ok(())
}

/// The official schedule (PyTorch's `MultiStepLR`): a tenth of the rate from each milestone on.
pub fn multi_step(lr: f64, milestones: &[u64], step: u64) -> f64 {
    milestones.iter().filter(|&&milestone| step >= milestone).fold(lr, |lr, _| lr * 0.1)
}

/// Linear warm-up over 100 steps, constant, then a cosine to a hundredth over the last half; or [`multi_step`].
fn learning_rate(args: &RunArgs, step: u64) -> f64 {
    if !args.milestones.is_empty() {
        return multi_step(args.lr, &args.milestones, step);
    }
    let warm_up = ((step + 1) as f64 / 100.0).min(1.0);
    let half = args.steps as f64 / 2.0;
    let decayed = ((step as f64 - half) / half).clamp(0.0, 1.0);
    let cosine = 0.5 * (1.0 + (std::f64::consts::PI * decayed).cos());
    args.lr * warm_up * (0.01 + 0.99 * cosine)
}

/// Progress bar, `losses.jsonl`, `validation.jsonl` and notes.
struct Log {
    bar: ProgressBar,
    losses: File,
    validations: File,
    averages: Vec<(&'static str, f32)>,
}

impl Log {
    /// Continues the files in `dir` before step `first`: what an interrupted run wrote after its last checkpoint is done again.
    fn open(dir: &Path, steps: u64, first: u64) -> Result<Self> {
        let bar = ProgressBar::new(steps).with_position(first);
        bar.set_style(ProgressStyle::with_template("{bar:30} {pos}/{len} {per_sec} eta {eta} {msg}")?);
        bar.reset_eta();
        let losses = continued(&dir.join("losses.jsonl"), |step| step < first)?;
        let validations = continued(&dir.join("validation.jsonl"), |step| first > 0 && step <= first)?;
        Ok(Self { bar, losses, validations, averages: Vec::new() })
    }

    fn validation(&mut self, step: u64, figures: &Figures) -> Result<()> {
        write_line(&mut self.validations, step, figures.iter().copied())?;
        let words: Vec<_> = figures.iter().map(|(name, value)| format!("{name} {value:.4}")).collect();
        self.note(&format!("validation after {step} steps: {}", words.join(", ")));
        Ok(())
    }

    fn step(&mut self, step: u64, loss: f32, terms: Terms) -> Result<()> {
        let mut values = vec![("loss", loss)];
        values.extend(terms.into_iter().map(|(name, term)| (name, term.into_scalar::<f32>())));
        if self.averages.len() != values.len() {
            self.averages.clone_from(&values);
        }
        for ((_, average), (_, value)) in self.averages.iter_mut().zip(&values) {
            *average += 0.02 * (value - *average);
        }
        write_line(&mut self.losses, step, values.iter().map(|&(name, value)| (name, f64::from(value))))?;
        self.bar.inc(1);
        let message: Vec<_> = self.averages.iter().map(|(name, value)| format!("{name} {value:.4}")).collect();
        self.bar.set_message(message.join(" "));
        // A bar shows nothing in a file or a pipe.
        if self.bar.is_hidden() && (step + 1).is_multiple_of(50) {
            let eta = self.bar.eta().as_secs();
            tracing::info!(
                "step {} of {}, {} s left, {}",
                step + 1,
                self.bar.length().unwrap_or(0),
                eta,
                message.join(" ")
            );
        }
        Ok(())
    }

    fn note(&self, text: &str) {
        self.bar.suspend(|| tracing::info!("{text}"));
    }

    fn finish(self, elapsed: Duration) {
        self.bar.finish_and_clear();
        let averages: Vec<_> = self.averages.iter().map(|(name, value)| format!("{name} {value:.4}")).collect();
        tracing::info!("trained for {:.1} min; {}", elapsed.as_secs_f64() / 60.0, averages.join(" "));
    }
}

/// The lines of a log whose step `keep` accepts, open for more.
fn continued(path: &Path, keep: impl Fn(u64) -> bool) -> Result<File> {
    let failed = || format!("cannot write {}", path.display());
    let step = |line: &&str| serde_json::from_str::<serde_json::Value>(line).ok()?["step"].as_u64();
    let kept: String = match std::fs::read_to_string(path) {
        Ok(text) => text.lines().filter(|line| step(line).is_some_and(&keep)).map(|line| format!("{line}\n")).collect(),
        Err(_) => String::new(),
    };
    let mut file = File::create(path).with_context(failed)?;
    file.write_all(kept.as_bytes()).with_context(failed)?;
    Ok(file)
}

/// `{"step": …, name: value, …}`
fn write_line(file: &mut File, step: u64, values: impl Iterator<Item = (&'static str, f64)>) -> Result<()> {
    let mut line = serde_json::Map::from_iter([("step".to_owned(), json!(step))]);
    line.extend(values.map(|(name, value)| (name.to_owned(), json!(value))));
    writeln!(file, "{}", serde_json::Value::Object(line))?;
    Ok(())
}
