//! `lfdm train dm`: stage 2, on the motion that the trained auto-encoder sees in every clip.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, ensure};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::args::{RunArgs, ViewArgs};
use super::denoising::{
    Batch, Choice, adam, appearances_of_clips, check_conditions, flops_of_learning, noise_of_clips, read_config,
};
use super::frozen::FrozenLfae;
use super::motion_set::{Lessons, MotionSet, MotionSettings};
use super::parcel::Parcel;
use super::stage::{Draw, Loss, Metrics, Objective, Spec, Stage};
use super::{inherit, preview, run};
use crate::condition::{ConditionTable, StrengthRange};
use crate::config::{Diffused, LfdmConfig, Parameterization, ScheduleKind};
use crate::diffusion::{DiffusionModel, MotionCodec, Sampler, is_denoiser, official_key};
use crate::native::checkpoint::Source;
use crate::native::data::{ClipSet, Prefetch, Split};
use crate::native::fingerprint;
use crate::native::generate::collect;
use crate::native::label_vectors::ConditionArgs;
use crate::native::model::open_weights;
use crate::native::numbers;
use crate::noise::NoiseSource;
use crate::pipeline::Animator;
use crate::weights::{StateDict, collect_module};

/// `lfdm train dm`
#[derive(Debug, Clone, clap::Args)]
#[command(
    mut_arg("steps", |arg| arg.required(false).default_value("2000")),
    mut_arg("lr", |arg| arg.required(false).default_value("0.0005")),
)]
pub(crate) struct Args {
    #[command(flatten)]
    run: RunArgs,
    /// Begin with the averaged weights of another run or of a bundle [default: random weights]
    #[arg(long, value_name = "MODEL", conflicts_with = "resume")]
    init: Option<PathBuf>,
    /// The auto-encoder: a run directory of `lfdm train lfae` or `lfdm finetune`, or a bundle.
    #[arg(long, value_name = "MODEL")]
    lfae: PathBuf,
    /// Directory of exact flows (`s000000_k0_flow32.npy` …), which are learned in place of the motion that the
    /// auto-encoder sees: nothing moves in them that does not move, and no time is spent on finding it.
    #[arg(long, value_name = "DIR")]
    flow: Option<PathBuf>,
    #[command(flatten)]
    conditions: ConditionArgs,
    /// Diffusion configuration as JSON [default: the one in `--lfae`]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Train on the schedule whose last time holds noise alone, which is where sampling begins (Lin
    /// et al. 2024).
    #[arg(long, conflicts_with_all = ["config", "min_snr"])]
    zero_terminal: bool,
    /// Denoise frames in pairs, as their means and half their differences: half the work of a step, in
    /// training and on the page. Needs an even number of frames.
    #[arg(long, conflicts_with = "config")]
    pairs: bool,
    /// Weigh times by min-SNR-gamma (Hang et al. 2023); 5 is the usual gamma [default: all times
    /// count alike]
    #[arg(long, value_name = "GAMMA", value_parser = numbers::positive)]
    min_snr: Option<f64>,
    /// Learn more at noisy times: the share u of the schedule becomes S u / (1 + (S - 1) u), as in
    /// Esser et al. 2024. With 2, the noisiest quarter gets 40 % of the clips.
    #[arg(long, value_name = "S", default_value_t = 1.0, value_parser = numbers::positive)]
    time_shift: f64,
    #[command(flatten)]
    views: ViewArgs,
    /// Other looks to make of each reference, from its frame 0 by changes of colour, light, sharpness, noise and
    /// compression.
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    looks: u16,
    /// Probability of learning a clip from another appearance of its reference, one that came with the data or one
    /// of --looks [default: 0.75 if there are any]
    #[arg(long, value_name = "P", value_parser = numbers::probability)]
    appearances: Option<f32>,
}

/// Probability of other appearances, where there are any.
const APPEARANCES: f32 = 0.75;

/// Batches of a validation.
const BATCHES: usize = 12;

/// What a stage-2 checkpoint was trained with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Settings {
    #[serde(flatten)]
    pub(super) motion: MotionSettings,
    pub(super) batch: usize,
    pub(super) accumulate: u16,
    /// The gamma of min-SNR weighting.
    pub(super) min_snr: Option<f64>,
    /// How far times were shifted towards noise; 1 is not at all.
    pub(super) time_shift: f64,
    /// Which strengths the clips have.
    #[serde(default, skip_serializing_if = "StrengthRange::is_one_hot")]
    pub(super) strengths: StrengthRange,
    /// Probability of another appearance of a reference.
    #[serde(default, skip_serializing_if = "is_never")]
    pub(super) appearances: f32,
    /// How the model was tuned for consistency.
    pub(super) consistency: Option<Tuning>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_never(probability: &f32) -> bool {
    *probability == 0.0
}

/// How a model was tuned for consistency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Tuning {
    pub(super) guidance: f64,
    pub(super) stage_steps: u64,
    /// The step of the diffusion model that was tuned.
    pub(super) dm_step: u64,
}

/// Trains stage 2.
pub(crate) fn run(args: &Args) -> Result<()> {
    let lfae = FrozenLfae::open(&args.lfae)?;
    let mut settings = settings(args, &lfae)?;
    if let Some(path) = &args.init {
        // Weights that are not there are missed before hours go into the motion.
        open_weights(path)?;
    }
    let claim = args.run.claim()?;
    let clips = settings.motion.read_clips(&args.run, args.flow.as_deref(), Split::Train)?;
    settings.motion.adopt_labels(&clips);
    let conditions = args.conditions.open(&settings.motion.labels)?;
    let width = conditions.as_ref().map_or(settings.motion.labels.len(), ConditionTable::dim);
    if args.config.is_none() {
        settings.motion.config.diffusion.unet.condition_dim = width;
    }
    check_conditions(&settings.motion.config.diffusion, &settings.motion.labels, width)?;
    let clips = clips.with_labels(&settings.motion.labels)?;
    ensure!(
        args.appearances.is_none_or(|probability| probability == 0.0) || args.looks > 0 || clips.has_references(),
        "--appearances needs other appearances of the references; the data has none, but --looks 4 makes some"
    );
    let mut lessons =
        settings.motion.open_or_compute(&args.run, args.flow.as_deref(), &lfae, &[&args.run.out], &clips)?;
    if let Some(conditions) = &conditions {
        lessons = lessons.with_conditions(conditions);
    }
    let train = &lessons.train;
    settings.strengths = train.strengths();
    settings.appearances = match args.appearances {
        None if train.has_appearances() => APPEARANCES,
        given => given.unwrap_or(0.0),
    };
    let codec = train.statistics(settings.motion.config.diffusion.unet.diffused)?.codec(&Device::flex());
    let mut stage = DiffusionStage::new("diffusion model", &args.run, lfae, lessons, codec, settings);
    if let Some(conditions) = &conditions {
        stage = stage.depending_on(
            "the vectors of the labels (--conditions, --bert)",
            fingerprint::of_weights(&conditions.to_state(), |_| true),
        );
    }
    run::run(&stage, &args.run, args.init.as_deref(), claim)
}

/// What is to be trained on the motion of `lfae`.
fn settings(args: &Args, lfae: &FrozenLfae) -> Result<Settings> {
    let mut config = lfae.config.clone();
    match &args.config {
        Some(path) => config.diffusion = read_config(path)?,
        None => config.diffusion.threshold = config.diffusion.threshold.in_deviations(),
    }
    if args.zero_terminal {
        config.diffusion.schedule = ScheduleKind::CosineZeroTerminal;
    }
    if args.pairs {
        config = config.with_frame_pairs();
    }
    ensure!(
        !matches!(config.diffusion.unet.diffused, Diffused::Channels(_)),
        "stage 2 diffuses motion; set `diffused` to \"motion\" in the configuration, or train a baseline: \
         `lfdm train vdm`"
    );
    config.validate()?;
    ensure!(
        args.min_snr.is_none() || config.diffusion.schedule == ScheduleKind::Cosine,
        "--min-snr gives no weight to the time that holds noise alone, so the first step of sampling would never be \
         trained; use it with the `cosine` schedule"
    );
    let ViewArgs { views, max_zoom, sampling } = args.views;
    let crop = args.run.reading.crop;
    let labels = lfae.labels.clone();
    Ok(Settings {
        motion: MotionSettings {
            config,
            labels,
            lfae_step: lfae.step,
            views,
            max_zoom,
            looks: args.looks,
            exact: args.flow.is_some(),
            crop,
            sampling,
        },
        batch: args.run.batch,
        accumulate: args.run.accumulate,
        min_snr: args.min_snr,
        time_shift: args.time_shift,
        strengths: StrengthRange::ONE_HOT,
        appearances: 0.0,
        consistency: None,
    })
}

/// Stage 2, and what its tuning shares with it.
pub(super) struct DiffusionStage {
    pub(super) spec: Spec<Settings>,
    objective: DiffusionObjective,
    train: Arc<MotionSet>,
    pub(super) validation: MotionSet,
    /// Batches of `train` on the host, by [`Draw::index`], for the seed of the run.
    batches: Prefetch<Result<Batch>>,
    /// The people of the validation split, for previews.
    people: ClipSet,
    codec: MotionCodec,
    lfae: FrozenLfae,
}

impl Stage for DiffusionStage {
    type Objective = DiffusionObjective;
    type Settings = Settings;

    fn spec(&self) -> &Spec<Settings> {
        &self.spec
    }

    fn objective(&self) -> &DiffusionObjective {
        &self.objective
    }

    fn adapt(&self, weights: StateDict, fresh: &StateDict) -> StateDict {
        inherit::adapt_denoiser(weights.filter(is_denoiser), fresh)
    }

    fn export(&self, model: &DiffusionModel) -> StateDict {
        let mut dict = collect_module(model, &official_key);
        dict.merge(self.codec.to_state());
        dict.merge(self.train.conditions().to_state());
        dict
    }

    fn batch(&self, draw: Draw, device: &Device) -> Result<Batch> {
        Ok(self.batches.get(draw.index())?.on(device))
    }

    fn validate(&self, model: &DiffusionModel, step: u64, dir: &Path, device: &Device) -> Result<Metrics> {
        // Clips take nearly as long as all metrics, and show nothing before the first step.
        if step > 0 {
            self.preview(model, &dir.join(format!("dm-{step:07}.png")), (10, Sampler::default()), device)?;
        }
        // The same clips, times and noises at every validation, so that the metrics compare.
        let mut noise = NoiseSource::new(0);
        let mut loss = 0.0;
        for _ in 0..BATCHES {
            let batch = self.draw_four(&self.validation, &mut noise, device)?;
            loss += f64::from(self.objective.loss_on(batch, model).into_scalar::<f32>()) / BATCHES as f64;
        }
        let mut metrics = vec![("loss", loss)];
        if model.config().parameterization == Parameterization::Velocity {
            metrics.push(("unexplained", self.unexplained(&self.validation, model, device)?));
            metrics.push(("unexplained_train", self.unexplained(&self.train, model, device)?));
        }
        Ok(metrics)
    }

    fn flops_per_clip(&self, model: &DiffusionModel) -> Option<u64> {
        let config = self.config();
        Some(flops_of_learning(model, config.diffused_frames(), config.diffused_size()))
    }

    fn next_command(&self, run: &Path) -> Option<String> {
        let (lfae, dm) = (self.lfae.path.display(), run.display());
        Some(format!("lfdm export --lfae {lfae} --dm {dm} --name NAME --out MODEL"))
    }
}

impl DiffusionStage {
    pub(super) fn new(
        name: &'static str,
        run: &RunArgs,
        lfae: FrozenLfae,
        Lessons { data, train, validation, people }: Lessons,
        codec: MotionCodec,
        settings: Settings,
    ) -> Self {
        let train = Arc::new(train);
        let batches = prefetch(run, train.clone(), codec.clone(), &settings);
        let fps = Some(people.fps() as f32);
        let source = Source { data, motion: lfae.fingerprint.clone(), fps, ..Source::default() };
        let objective = DiffusionObjective { config: settings.motion.config.clone(), min_snr: settings.min_snr };
        let spec = Spec { name, settings, source, optimizer: adam(), parameter_name: official_key };
        Self { spec, objective, train, validation, batches, people, codec, lfae }
    }

    /// The same stage, which also depends on what `option` names, of this hash.
    pub(super) fn depending_on(mut self, option: &str, hash: String) -> Self {
        self.spec.source.files.insert(option.to_owned(), hash);
        self
    }

    pub(super) fn config(&self) -> &LfdmConfig {
        &self.spec.settings.motion.config
    }

    /// Four clips of `set`, for a validation: the noise too is drawn from `noise`.
    fn draw_four(&self, set: &MotionSet, noise: &mut NoiseSource, device: &Device) -> Result<Batch> {
        let choice = Choice::draw(&self.config().diffusion, set.len(), 0..4, 4, noise);
        let [channels, height, width] = self.codec.shape();
        let noise = noise.normal([4, channels, self.config().diffused_frames(), height, width], &Device::flex());
        Ok(set.batch(&self.codec, choice, noise)?.on(device))
    }

    /// The share of the motion's variance that the network leaves unexplained where sampling
    /// begins, with the reference and the condition alone to go by: 1 for a network that always
    /// answers with the mean of all motion.
    ///
    /// A model that remembers people explains more of the clips it has learned than of others. The
    /// loss over all times, most of which is detail, hides that.
    fn unexplained(&self, set: &MotionSet, model: &DiffusionModel, device: &Device) -> Result<f64> {
        let mut noise = NoiseSource::new(0);
        let mut sums = [0.0; 2];
        for _ in 0..BATCHES {
            let Batch { x0, latents, condition, noise, .. } = self.draw_four(set, &mut noise, device)?;
            let variance = (x0.clone() * x0.clone()).mean().into_scalar::<f32>();
            // A velocity is the clean sample there, but for its sign.
            let times = [model.schedule().len() - 1; 4];
            let error = model.loss(x0, latents, condition, &times, noise, &[false; 4]).into_scalar::<f32>();
            sums = [sums[0] + f64::from(error), sums[1] + f64::from(variance)];
        }
        Ok(sums[0] / sums[1])
    }

    /// One generated clip per label of the first people.
    pub(super) fn preview(
        &self,
        model: &DiffusionModel,
        path: &Path,
        (steps, sampler): (usize, Sampler),
        device: &Device,
    ) -> Result<()> {
        // A painter may have joined the decoder since stage 2 was trained.
        let config = LfdmConfig { lfae: self.lfae.config.lfae.clone(), ..self.config().clone() };
        let labels = &self.spec.settings.motion.labels;
        let mut weights = self.lfae.weights.clone();
        weights.merge(self.export(model));
        let animator = Animator::new(config, labels.clone(), weights, device)?;
        preview::generated_clips(labels, &self.people, (steps, sampler), path, |portrait, request| {
            let (frames, _) = collect(animator.generate(portrait, request)?, |_| {})?;
            Ok(frames.into_iter().map(|frame| frame.rgba).collect())
        })
    }
}

/// What stage 2 minimises.
pub(super) struct DiffusionObjective {
    config: LfdmConfig,
    /// The gamma of min-SNR weighting.
    min_snr: Option<f64>,
}

impl Objective for DiffusionObjective {
    type Model = DiffusionModel;
    type Batch = Batch;
    const NAME: &'static str = "dm";

    fn init(&self, device: &Device) -> DiffusionModel {
        self.config.diffusion.init(self.config.latent_channels(), device)
    }

    fn loss(&self, model: &DiffusionModel, batch: Batch, _draw: Draw, _device: &Device) -> Loss {
        self.loss_on(batch, model).into()
    }

    fn pack(&self) -> Result<Parcel> {
        Parcel::new(&(&self.config, self.min_snr))
    }

    fn unpack(parcel: Parcel, _device: &Device) -> Result<Self> {
        let (config, min_snr): (LfdmConfig, _) = parcel.words()?;
        config.validate()?;
        Ok(Self { config, min_snr })
    }
}

impl DiffusionObjective {
    fn loss_on(&self, batch: Batch, model: &DiffusionModel) -> Tensor<1> {
        let Batch { x0, latents, condition, times, null, noise } = batch;
        let x = model.q_sample(x0.clone(), noise.clone(), &times);
        let output = model.predict(x, latents, condition, &times, &null);
        match self.min_snr {
            None => model.error(output, x0, noise, &times),
            Some(gamma) => model.min_snr_error(output, x0, noise, &times, gamma),
        }
    }
}

/// Batches of `train`, drawn ahead of their use.
fn prefetch(run: &RunArgs, train: Arc<MotionSet>, codec: MotionCodec, settings: &Settings) -> Prefetch<Result<Batch>> {
    let (diffusion, time_shift) = (settings.motion.config.diffusion.clone(), settings.time_shift);
    let frames = settings.motion.config.diffused_frames();
    let appearances = f64::from(settings.appearances);
    let (seed, parts, batch) = (run.seed, usize::from(run.accumulate), run.batch);
    Prefetch::new(run.ahead(), move |index| {
        let mut choice = Choice::draw_part(&diffusion, train.len(), Draw::at(seed, index, parts), batch);
        for time in &mut choice.times {
            *time = shift_time(*time, diffusion.timesteps, time_shift);
        }
        choice.appearances = appearances_of_clips(seed, index * batch as u64, batch, appearances);
        let noise = noise_of_clips(seed, index * batch as u64, [batch, frames], codec.shape());
        train.batch(&codec, choice, noise)
    })
}

/// The time whose share of the schedule is `shift * u / (1 + (shift - 1) * u)`, where `u` is the
/// share of `time`.
fn shift_time(time: usize, timesteps: usize, shift: f64) -> usize {
    let share = (time as f64 + 0.5) / timesteps as f64;
    ((shift * share / (1.0 + (shift - 1.0) * share)) * timesteps as f64) as usize
}

#[cfg(test)]
mod tests {
    use super::shift_time;

    #[test]
    fn shifted_times_are_noisier_and_stay_on_the_schedule() {
        const TIMES: usize = 1000;
        assert!((0..TIMES).all(|time| shift_time(time, TIMES, 1.0) == time));
        let noisy = |shift: f64| (0..TIMES).filter(|&time| shift_time(time, TIMES, shift) >= 750).count();
        assert_eq!([noisy(1.0), noisy(2.0), noisy(3.0)], [250, 400, 500]);
        for shift in [0.2, 2.0, 50.0] {
            assert!((1..TIMES).all(|time| shift_time(time - 1, TIMES, shift) <= shift_time(time, TIMES, shift)));
            assert!(shift_time(TIMES - 1, TIMES, shift) < TIMES);
        }
    }
}
