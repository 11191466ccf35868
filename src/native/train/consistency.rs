//! `lfdm train consistency`: a trained stage 2 is tuned until one estimate of the clean motion is a
//! sample (Geng et al. 2024, "Consistency Models Made Easy"; velocities as in Lu and Song 2024).
//!
//! The network's clean estimate at a time must equal the one that it makes at an earlier time of
//! the same path. The estimate is `signal x - sigma v`, which is `x` where there is no noise: that
//! is where paths end, and nothing else is needed to anchor it. Both times lie on the line between
//! a clip and its noise, so the path needs no teacher. Training begins with the earlier time at the
//! clip itself, as in the diffusion training that went before, and the gap halves stage by stage.
//!
//! Guidance is built in, since a sample of one estimate has no room for it: the path is bent by the
//! difference that the condition makes to the model before its tuning, which stays as it was. The
//! tuned network is sampled with guidance 1, at half the cost per step.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result, ensure};
use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

use super::args::RunArgs;
use super::denoising::Batch;
use super::diffusion::{DiffusionStage, Settings, Tuning};
use super::frozen::FrozenLfae;
use super::parcel::Parcel;
use super::run;
use super::stage::{Draw, Loss, Metrics, Objective, Spec, Stage};
use crate::condition::ConditionTable;
use crate::config::{LfdmConfig, Parameterization};
use crate::diffusion::{DiffusionModel, MotionCodec, Sampler, Sampling, added_by_guidance, is_denoiser, official_key};
use crate::native::checkpoint::TrainedModel;
use crate::native::data::Split;
use crate::native::fingerprint;
use crate::native::model::{MotionOf, ensure_pair};
use crate::native::numbers;
use crate::noise::NoiseSource;
use crate::weights::{StateDict, collect_module, load_module};

/// Steps of the solver that stands for the exact flow.
const REFERENCE_STEPS: usize = 32;
/// The loss is quadratic in errors whose root mean square is below this and linear in larger ones
/// (Song and Dhariwal 2024, Sec. 3.3). No clip can then outweigh the others, as happens with
/// squares once the gap is small.
const HUBER: f64 = 0.00054;
/// Clips of a validation.
const CLIPS: usize = 4;

/// `lfdm train consistency`
#[derive(Debug, Clone, clap::Args)]
#[command(
    mut_arg("steps", |arg| arg.required(false).default_value("2000")),
    mut_arg("lr", |arg| arg.required(false).default_value("0.0001")),
)]
pub(crate) struct Args {
    #[command(flatten)]
    run: RunArgs,
    /// The auto-encoder: a run directory of `lfdm train lfae` or `lfdm finetune`, or a bundle.
    #[arg(long, value_name = "MODEL")]
    lfae: PathBuf,
    /// The model to tune: a run directory of `lfdm train dm`.
    #[arg(long, value_name = "RUN")]
    dm: PathBuf,
    /// Directory of the exact flows that `--dm` learned, if it was trained with `--flow`.
    #[arg(long, value_name = "DIR")]
    flow: Option<PathBuf>,
    /// Strength of the label to build in: the guidance with which the model makes its best clips.
    #[arg(long, value_parser = numbers::weight)]
    guidance: f64,
    /// Steps after which the gap between the two times halves; eight such stages are usual.
    #[arg(long, value_name = "STEPS", value_parser = clap::value_parser!(u64).range(1..))]
    stage_steps: u64,
}

/// Tunes stage 2.
pub(crate) fn run(args: &Args) -> Result<()> {
    let lfae = FrozenLfae::open(&args.lfae)?;
    let dm = TrainedModel::<Settings>::open(&args.dm)
        .with_context(|| format!("{} is not a run of `lfdm train dm`", args.dm.display()))?;
    let config = &dm.settings.motion.config;
    config.validate().with_context(|| format!("cannot use the run {}", args.dm.display()))?;
    ensure!(
        config.diffusion.parameterization == Parameterization::Velocity,
        "only a model that predicts velocities can be tuned; train one with `parameterization` \"velocity\""
    );
    ensure!(
        !config.diffusion.consistency,
        "{} is tuned already; give the run that it was tuned from",
        args.dm.display()
    );
    ensure_pair(
        &MotionOf { path: &args.lfae, config: &lfae.config, fingerprint: lfae.fingerprint.as_deref() },
        &MotionOf { path: &args.dm, config, fingerprint: dm.motion.as_deref() },
    )?;
    ensure!(
        !dm.settings.motion.exact || args.flow.is_some(),
        "{} learned exact flow: give the directory of the flows with --flow, as for its training",
        args.dm.display()
    );
    ensure!(
        dm.settings.motion.exact || args.flow.is_none(),
        "{} learned the motion that the auto-encoder sees: leave out --flow",
        args.dm.display()
    );
    let claim = args.run.claim()?;
    let tuning = Tuning { guidance: args.guidance, stage_steps: args.stage_steps, dm_step: dm.step };
    let codec = MotionCodec::from_state(&dm.weights, &Device::flex())?;
    let conditions = ConditionTable::from_state(&dm.weights, dm.settings.motion.labels.clone(), &Device::flex())?;
    let mut settings = Settings {
        batch: args.run.batch,
        accumulate: args.run.accumulate,
        min_snr: None,
        time_shift: 1.0,
        consistency: Some(tuning.clone()),
        ..dm.settings
    };
    settings.motion.crop = args.run.reading.crop;
    settings.motion.config.diffusion.consistency = true;
    let clips = settings.motion.open_clips(&args.run, args.flow.as_deref(), Split::Train)?;
    let lessons =
        settings.motion.open_or_compute(&args.run, args.flow.as_deref(), &lfae, &[&args.run.out, &args.dm], &clips)?;
    let base = DiffusionStage::new(
        "consistency model",
        &args.run,
        lfae,
        lessons.with_conditions(&conditions),
        codec,
        settings,
    )
    .depending_on("--dm", fingerprint::of_weights(&dm.weights, is_denoiser));
    let before = base.load(base.objective().init(&args.run.device.open()?), dm.weights)?;
    let objective = ConsistencyObjective { config: base.config().clone(), before, tuning };
    let stage = ConsistencyStage { base, objective, solution: OnceLock::new() };
    run::run(&stage, &args.run, Some(&args.dm), claim)
}

struct ConsistencyStage {
    base: DiffusionStage,
    objective: ConsistencyObjective,
    /// Samples of the exact flow of the model before its tuning, which those of one step are compared with.
    solution: OnceLock<TensorData>,
}

impl Stage for ConsistencyStage {
    type Objective = ConsistencyObjective;
    type Settings = Settings;

    fn spec(&self) -> &Spec<Settings> {
        self.base.spec()
    }

    fn objective(&self) -> &ConsistencyObjective {
        &self.objective
    }

    fn adapt(&self, weights: StateDict, fresh: &StateDict) -> StateDict {
        self.base.adapt(weights, fresh)
    }

    fn export(&self, model: &DiffusionModel) -> StateDict {
        self.base.export(model)
    }

    fn batch(&self, draw: Draw, device: &Device) -> Result<Batch> {
        self.base.batch(draw, device)
    }

    fn validate(&self, model: &DiffusionModel, step: u64, dir: &Path, device: &Device) -> Result<Metrics> {
        if self.solution.get().is_none() {
            let ConsistencyObjective { before, tuning, .. } = &self.objective;
            let (before, guidance) = (before.clone().to_device(device), tuning.guidance);
            let solution = self.sample(&before, Sampler::default(), REFERENCE_STEPS, guidance, device)?;
            self.solution.get_or_init(|| solution.into_data());
        }
        let solution = self.solution.get().context("the solution was just found")?;
        let solution = Tensor::<5>::from_data(solution.clone(), device);
        let error = self.sample(model, Sampler::Consistency, 1, 1.0, device)? - solution;
        let distance = (error.clone() * error).mean().into_scalar::<f32>();
        self.base.preview(model, &dir.join(format!("consistency-{step:07}.png")), (2, Sampler::Consistency), device)?;
        Ok(vec![(self.held_out_metric(), f64::from(distance))])
    }

    /// Squared distance between samples of one step and the ends of the guided flow that begins
    /// with the same noise.
    fn held_out_metric(&self) -> &'static str {
        "one_step"
    }

    fn next_command(&self, run: &Path) -> Option<String> {
        Some(format!("{} --steps 2 --guidance 1", self.base.next_command(run)?))
    }
}

/// What the tuning minimises.
pub(super) struct ConsistencyObjective {
    config: LfdmConfig,
    /// The model before its tuning.
    before: DiffusionModel,
    tuning: Tuning,
}

/// The prefix of that model's weights in a parcel.
const BEFORE: &str = "before";

impl Objective for ConsistencyObjective {
    type Model = DiffusionModel;
    type Batch = Batch;
    const NAME: &'static str = "consistency";

    fn init(&self, device: &Device) -> DiffusionModel {
        self.config.diffusion.init(self.config.latent_channels(), device)
    }

    fn loss(&self, model: &DiffusionModel, batch: Batch, draw: Draw, device: &Device) -> Loss {
        let schedule = model.schedule();
        let earlier: Vec<Option<usize>> =
            batch.times.iter().map(|&time| self.tuning.earlier(time, draw.step)).collect();
        let x = model.q_sample(batch.x0.clone(), batch.noise.clone(), &batch.times);
        let target = Tensor::from_inner(self.target(&model.valid(), &batch, &x, &earlier));
        let conditioned = vec![false; batch.times.len()];
        let output =
            model.predict(x.clone(), batch.latents.clone(), batch.condition.clone(), &batch.times, &conditioned);
        let error = model.predicted_x0(&x, output, &batch.times) - target;

        let angle = |time: Option<usize>| time.map_or(0.0, |time| schedule.angle(time));
        let weights = column(&batch, &earlier, device, |time, earlier| 1.0 / (schedule.angle(time) - angle(earlier)));
        let squared = (error.clone() * error).mean_dims(&[1, 2, 3, 4]);
        let distance = (squared + HUBER * HUBER).sqrt() - HUBER;
        (distance * weights).mean().into()
    }

    fn pack(&self) -> Result<Parcel> {
        let before = collect_module(&self.before, &official_key);
        Ok(Parcel::new(&(&self.config, &self.tuning))?.with_weights(BEFORE, &before))
    }

    fn unpack(mut parcel: Parcel, device: &Device) -> Result<Self> {
        let (config, tuning): (LfdmConfig, Tuning) = parcel.words()?;
        config.validate()?;
        let before = config.diffusion.init(config.latent_channels(), &device.clone().inner());
        let before = load_module(before, &parcel.weights(BEFORE).unwrap_or_default(), &official_key)?;
        Ok(Self { config, before, tuning })
    }
}

impl ConsistencyObjective {
    /// What the estimates at `x` must be, without gradients: those at the earlier times or, where
    /// there is none, the end of the bent path.
    fn target(&self, model: &DiffusionModel, batch: &Batch, x: &Tensor<5>, earlier: &[Option<usize>]) -> Tensor<5> {
        let (x0, noise) = (batch.x0.clone().inner(), batch.noise.clone().inner());
        let (latents, condition) = (batch.latents.clone().inner(), batch.condition.clone().inner());
        let device = x0.device();
        let conditioned = vec![false; earlier.len()];
        let shift = match self.tuning.guidance {
            1.0 => x0.zeros_like(),
            guidance => {
                let before = self.before.clone().to_device(&device);
                let x = x.clone().inner();
                let clean = |null: bool| {
                    let null = vec![null; earlier.len()];
                    let output = before.predict(x.clone(), latents.clone(), condition.clone(), &batch.times, &null);
                    before.predicted_x0(&x, output, &batch.times)
                };
                added_by_guidance(clean(false) - clean(true), guidance, before.config())
            }
        };
        let end = x0.clone() + shift.clone();
        if earlier.iter().all(Option::is_none) {
            return end;
        }
        let schedule = model.schedule();
        let bend = column(batch, earlier, &device, |time, earlier| {
            let (angle, earlier) = (schedule.angle(time), earlier.map_or(0.0, |time| schedule.angle(time)));
            (angle - earlier).sin() / angle.sin()
        });
        let times: Vec<usize> = earlier.iter().map(|time| time.unwrap_or(0)).collect();
        let x = model.q_sample(x0, noise, &times) + shift * bend;
        let output = model.predict(x.clone(), latents, condition, &times, &conditioned);
        let has_earlier = column(batch, earlier, &device, |_, earlier| f64::from(u8::from(earlier.is_some())));
        model.predicted_x0(&x, output, &times) * has_earlier.clone() + end * (has_earlier * -1.0 + 1.0)
    }
}

impl ConsistencyStage {
    /// The same clips of held-out people from the same noise, by any sampler.
    fn sample(
        &self,
        model: &DiffusionModel,
        sampler: Sampler,
        steps: usize,
        guidance: f64,
        device: &Device,
    ) -> Result<Tensor<5>> {
        let set = &self.base.validation;
        let clips = set.assorted(CLIPS);
        let latents = set.latents(&clips, &[None; CLIPS], device)?;
        let condition = set.conditions_of(&clips, device)?;
        let (frames, sampling) = (self.base.config().diffused_frames(), Sampling { sampler, steps, guidance });
        Ok(model.sample(latents, condition, frames, sampling, &mut NoiseSource::new(0)))
    }
}

impl Tuning {
    /// The earlier time that `time` is compared with at `step`; `None` is the clip itself.
    ///
    /// The gap is a share of the time. On the cosine schedule that is a share of the angle between
    /// clip and noise.
    fn earlier(&self, time: usize, step: u64) -> Option<usize> {
        let stage = i32::try_from(step / self.stage_steps).unwrap_or(i32::MAX);
        let kept = (time + 1) as f64 * (1.0 - 0.5f64.powi(stage));
        (kept as usize).min(time).checked_sub(1)
    }
}

/// A value of each clip's two times, `[batch, 1, 1, 1, 1]`.
fn column(
    batch: &Batch,
    earlier: &[Option<usize>],
    device: &Device,
    value: impl Fn(usize, Option<usize>) -> f64,
) -> Tensor<5> {
    let values: Vec<f64> = batch.times.iter().zip(earlier).map(|(&time, &earlier)| value(time, earlier)).collect();
    Tensor::from_data(TensorData::new(values, [earlier.len(), 1, 1, 1, 1]), device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diffusion::NoiseSchedule;

    #[test]
    fn the_gap_halves_from_the_whole_time_to_the_one_before() {
        let tuning = Tuning { guidance: 1.0, stage_steps: 10, dm_step: 0 };
        for time in [0, 1, 500, 999] {
            assert_eq!(tuning.earlier(time, 9), None);
            assert_eq!(tuning.earlier(time, u64::MAX), time.checked_sub(1));
        }
        assert_eq!(tuning.earlier(999, 10), Some(499));
        assert_eq!(tuning.earlier(999, 25), Some(749));
        assert_eq!(tuning.earlier(1, 10), Some(0));
        assert_eq!(tuning.earlier(0, 10), None);
    }

    /// Along the bent path clip and noise are mixed as along the straight one, with the noise that
    /// leads to the moved end.
    #[test]
    fn bending_keeps_the_place_and_moves_the_end() {
        let schedule = NoiseSchedule::new(crate::config::ScheduleKind::Cosine, 1000);
        let (time, earlier, x0, noise, shift) = (700, 300, 0.4, -1.2, 0.3);
        let level = |time: usize| (schedule.alpha_cumprod(time).sqrt(), (1.0 - schedule.alpha_cumprod(time)).sqrt());
        let ((signal, sigma), (signal_r, sigma_r)) = (level(time), level(earlier));
        let x = signal * x0 + sigma * noise;
        let other = (x - signal * (x0 + shift)) / sigma;
        let (angle, angle_r) = (schedule.angle(time), schedule.angle(earlier));
        let bent = signal_r * x0 + sigma_r * noise + shift * (angle - angle_r).sin() / angle.sin();
        assert!((signal_r * (x0 + shift) + sigma_r * other - bent).abs() < 1e-12);
    }
}
