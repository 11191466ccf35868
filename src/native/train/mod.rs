//! Training: one loop, one `Stage` for each network.
//!
//! Everything random in a step is a function of a `Draw`, which is what makes a resumed run continue the interrupted one. Why the loop
//! is not burn-train's learner: see ARCHITECTURE.md.

mod adversary;
pub mod autoencoder;
pub mod baseline;
pub mod classifier;
pub mod consistency;
pub mod diffusion;
mod ema;
pub mod finetune;
mod inherit;
pub mod lfae;
mod log;
mod parts;
pub mod perceptual;
mod plots;
mod preview;
mod rate;
pub mod tps;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use burn::grad_clipping::GradientClippingConfig;
use burn::module::Module;
use burn::optim::{AdamConfig, ModuleOptimizer};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::checkpoint::{self, Checkpoint, State};
use super::data::{DataArgs, Sampling, parse_zoom};
use super::device::DeviceArgs;
use super::model::open_weights;
use crate::noise::NoiseSource;
use crate::weights::{StateDict, WeightsError};
use ema::Ema;
use log::Log;
pub use rate::{LrSchedule, RateArgs, multi_step};

/// Options that all stages share.
#[derive(Debug, Clone, clap::Args)]
pub struct RunArgs {
    /// Directory of the training set: sheets, or folders of frames, GIFs or videos; or `synthetic`.
    #[arg(long)]
    pub data: PathBuf,
    #[command(flatten)]
    pub reading: DataArgs,
    /// Directory of this run: checkpoints, losses, previews.
    #[arg(long)]
    pub out: PathBuf,
    /// Continue the run in `--out` where it stopped.
    #[arg(long)]
    pub resume: bool,
    /// Steps of the whole run.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub steps: u64,
    /// Clips per part of a step.
    #[arg(long, default_value_t = 8)]
    pub batch: usize,
    /// Parts whose gradients make one step: a batch of this many times `--batch`, in the memory of one.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub accumulate: u16,
    #[command(flatten)]
    pub rate: RateArgs,
    /// Norm to which the gradient of each tensor is clipped; the stage's own without it.
    #[arg(long, value_name = "NORM")]
    pub clip: Option<f32>,
    /// Seed of the initial weights and of everything drawn in training.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Steps between checkpoints.
    #[arg(long, default_value_t = 250, value_parser = clap::value_parser!(u64).range(1..))]
    pub save_every: u64,
    /// Steps between previews and validations.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..))]
    pub preview_every: u64,
    /// Stop after this many minutes, with a checkpoint, as if interrupted.
    #[arg(long)]
    pub max_minutes: Option<f64>,
    /// Devices among which the parts of a step are divided, of the kind that `--device` names.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub devices: u16,
    #[command(flatten)]
    pub(crate) device: DeviceArgs,
}

impl RunArgs {
    /// Batches that wait for the devices that learn from them.
    pub(crate) fn ahead(&self) -> usize {
        2 * usize::from(self.devices)
    }
}

/// Which views of the clips a diffusion model learns.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct ViewArgs {
    /// Views of each person that are learned: the whole picture, then random enlargements, every other one mirrored.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..))]
    pub views: u16,
    /// Largest random enlargement of a view.
    #[arg(long, default_value_t = 1.5, value_parser = parse_zoom)]
    pub max_zoom: f32,
    /// Which frames of longer clips are learned, drawn for each view.
    #[arg(long, value_enum, default_value_t)]
    pub sampling: Sampling,
}

/// One value of the loss, by name, for the log.
pub(crate) type Terms = Vec<(&'static str, Tensor<1>)>;

/// Figures of a validation, by name.
pub(crate) type Figures = Vec<(&'static str, f64)>;

/// Which part of which step a loss is computed for: all that its draws depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Draw {
    pub seed: u64,
    pub step: u64,
    /// From 0, one of `parts` that make the step.
    pub part: usize,
    pub parts: usize,
}

impl Draw {
    /// The first part of `step`.
    pub(crate) fn of(seed: u64, step: u64, parts: usize) -> Self {
        Self { seed, step, part: 0, parts }
    }

    /// The draw whose [`index`](Self::index) is `index`.
    pub(crate) fn at(seed: u64, index: u64, parts: usize) -> Self {
        let (step, part) = (index / parts as u64, (index % parts as u64) as usize);
        Self { seed, step, part, parts }
    }

    /// Its place among the parts of all steps.
    pub(crate) fn index(self) -> u64 {
        self.step * self.parts as u64 + self.part as u64
    }

    /// Noise of this part alone.
    pub(crate) fn noise(self) -> NoiseSource {
        NoiseSource::new(self.seed ^ (self.index() + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    /// Noise that all parts of the step draw alike.
    pub(crate) fn noise_of_step(self) -> NoiseSource {
        Self::of(self.seed, self.step, 1).noise()
    }
}

/// What older checkpoints mean by saying nothing of accumulation.
fn one_part() -> u16 {
    1
}

/// What a training stage adds to the loop.
pub(crate) trait Stage: Sync {
    /// The trained network.
    type Model: Module;
    /// Sizes and options that a resumed run must share. What was added later has a default, so that older runs can be resumed.
    type Settings: Serialize + for<'de> Deserialize<'de>;

    fn name(&self) -> &'static str;
    fn settings(&self) -> &Self::Settings;
    fn adam(&self) -> AdamConfig;
    fn init(&self, device: &Device) -> Self::Model;
    /// `model` with the weights of a bundle or of a run, under the official keys.
    fn load(&self, model: Self::Model, weights: StateDict) -> Result<Self::Model, WeightsError>;
    /// State dict of the averaged weights, and what belongs to them, under the official keys.
    fn export(&self, model: &Self::Model) -> StateDict;
    /// The loss that is minimised, and its terms. Draws only from `draw`.
    fn loss(&self, model: &Self::Model, draw: Draw, device: &Device) -> (Tensor<1>, Terms);
    /// Figures on the validation split, [`figure`](Self::figure) among them; writes pictures to `dir`. `model` is without gradients, on `device`.
    fn validate(&self, model: &Self::Model, step: u64, dir: &Path, device: &Device) -> Result<Figures>;
    /// The held-out figure, the lower the better, that a run is judged by.
    fn figure(&self) -> &'static str {
        "loss"
    }
    /// The command that makes use of the finished `run`.
    fn next_command(&self, _run: &Path) -> Option<String> {
        None
    }
}

/// Trains `stage` from its beginning, or from the last checkpoint in `args.out`. A beginning has the averaged weights of `init`, a run or a
/// bundle, or random ones.
pub(crate) fn run<S: Stage>(stage: &S, args: &RunArgs, init: Option<&Path>) -> Result<()> {
    ensure!(args.batch > 0, "--batch must be at least 1");
    ensure!(args.rate.lr.is_finite() && args.rate.lr > 0.0, "--lr must be a positive number");
    ensure!(args.clip.is_none_or(|norm| norm > 0.0), "--clip must be a positive number");
    let parts = usize::from(args.accumulate);
    ensure!(
        args.devices <= args.accumulate,
        "--devices {} cannot share the {parts} part(s) of a step; set --accumulate to a multiple of the devices",
        args.devices
    );
    let devices: Vec<Device> = args.device.open_all(args.devices)?.into_iter().map(Device::autodiff).collect();
    let device = &devices[0];
    device.seed(args.seed);
    let mut model = stage.init(device);
    let mut optimizer: ModuleOptimizer = stage.adam().init();
    if let Some(norm) = args.clip {
        optimizer = optimizer.with_grad_clipping(GradientClippingConfig::Norm(norm).init());
    }
    let mut first_step = 0;
    let mut seconds = 0.0;

    let previous = Checkpoint::<S::Settings>::latest(&args.out)?;
    let mut ema = match previous {
        Some(checkpoint) => {
            ensure!(
                args.resume,
                "{} already holds a run (step {}); add --resume to continue it, or choose another --out",
                args.out.display(),
                checkpoint.step()
            );
            let differences = checkpoint.differences(stage.settings())?;
            ensure!(
                differences.is_empty(),
                "{} was trained with other settings: {}; repeat those, or choose another --out",
                args.out.display(),
                differences.join(", ")
            );
            first_step = checkpoint.step();
            seconds = checkpoint.seconds();
            let ema = Ema::new(checkpoint.load_average(&model)?);
            model = checkpoint.load_model(model)?;
            optimizer = checkpoint.load_optimizer(optimizer)?;
            ema
        }
        None => {
            ensure!(!args.resume, "nothing to resume in {}: no checkpoint there", args.out.display());
            if let Some(path) = init {
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
    let validate = |log: &mut Log, ema: &Ema<S::Model>, step: u64| -> Result<()> {
        log.validation(step, &stage.validate(ema.model(), step, &previews, &device.clone().inner())?)
    };
    if first_step == 0 {
        validate(&mut log, &ema, 0)?;
    }
    let mut saved = (first_step > 0).then_some(first_step);
    let write = |model: &S::Model, optimizer: &ModuleOptimizer, ema: &Ema<S::Model>, step: u64, seconds: f64| {
        let (average, state) = (ema.model(), State { step, settings: stage.settings(), seconds });
        Checkpoint::write(&args.out, &state, model, optimizer, average, &stage.export(average))
    };
    let last_good = |saved: Option<u64>| match saved {
        Some(step) => format!("the checkpoint of step {step} in {} is good", args.out.display()),
        None => "there is no checkpoint yet".to_owned(),
    };
    let advice = "a lower --lr or --clip may help";
    let started = Instant::now();
    let mut done = first_step;
    while done < args.steps {
        let step = done;
        let is_due = step.is_multiple_of(args.save_every) && step > first_step;
        // Before the step, which moves the running statistics; published after it, when the weights are known to be good.
        let written = is_due.then(|| write(&model, &optimizer, &ema, step, seconds)).transpose()?;
        let clock = Instant::now();
        let (values, gradients) = parts::mean_gradients(stage, &model, &devices, Draw::of(args.seed, step, parts));
        let loss = values[0].1;
        ensure!(loss.is_finite(), "the loss is {loss} at step {step}; {}; {advice}", last_good(saved));
        let for_gradients = clock.elapsed();
        if let Some(written) = written {
            written.publish()?;
            saved = Some(step);
            plots::draw(&args.out)?;
        }
        let clock = Instant::now();
        model = optimizer.step(args.rate.at(args.steps, step), model, gradients);
        ema.update(&model, step);
        seconds += (for_gradients + clock.elapsed()).as_secs_f64();
        log.step(step, &values)?;
        done += 1;
        if args.max_minutes.is_some_and(|minutes| started.elapsed().as_secs_f64() > minutes * 60.0) {
            log.note(&format!("out of time after step {done}; --resume continues"));
            break;
        }
        if done.is_multiple_of(args.preview_every) && done < args.steps {
            validate(&mut log, &ema, done)?;
        }
    }
    if saved != Some(done) {
        if !checkpoint::is_finite(&model) {
            bail!("the weights are no numbers after step {done}; {}; {advice}", last_good(saved));
        }
        write(&model, &optimizer, &ema, done, seconds)?.publish()?;
        plots::draw(&args.out)?;
    }
    if done == args.steps {
        validate(&mut log, &ema, done)?;
        plots::draw(&args.out)?;
    }
    log.finish(stage.figure(), &checkpoint::path_of(&args.out, done), stage.next_command(&args.out).as_deref());
    Ok(())
}
