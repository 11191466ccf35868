//! `lfdm train dm`: stage 2, on the motion that the trained auto-encoder sees in every clip.
//!
//! The auto-encoder is frozen, so the reference latents and the motion of all clips are computed once, kept in half precision, and stored
//! beside the checkpoints for `--resume`.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use burn::grad_clipping::GradientClippingConfig;
use burn::optim::AdamConfig;
use burn::tensor::{Device, Tensor, TensorData};
use half::f16;
use indicatif::{ProgressBar, ProgressIterator};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::consistency::Tuning;
use super::inherit::finer;
use super::{Draw, Figures, RunArgs, Stage, Terms, ViewArgs};
use crate::condition::ConditionTable;
use crate::config::{Diffused, DiffusionConfig, LfdmConfig, Parameterization, ScheduleKind};
use crate::diffusion::{DiffusionModel, MotionCodec, MotionStatistics, Sampler, is_denoiser, official_key};
use crate::lfae::{LatentFlowAutoencoder, is_lfae};
use crate::motion::Motion;
use crate::native::contact_sheet::ContactSheet;
use crate::native::data::{Clip, ClipSet, Crop, Prefetch, Sampling, Split};
use crate::native::generate::collect;
use crate::native::model::{open_lfae, open_trained};
use crate::noise::NoiseSource;
use crate::pipeline::{Animator, Portrait, Request};
use crate::weights::{StateDict, WeightDtype, WeightsError, collect_module, load_module};

/// `lfdm train dm`
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub run: RunArgs,
    /// Begin with the averaged weights of another run, or of a bundle, instead of random ones.
    #[arg(long, conflicts_with = "resume")]
    pub init: Option<PathBuf>,
    /// The auto-encoder: a run directory of `lfdm train lfae` or `lfdm finetune`, or a bundle.
    #[arg(long)]
    pub lfae: PathBuf,
    /// Diffusion configuration as JSON; the one in the auto-encoder's run without it.
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// Train on the schedule whose last time holds noise alone (Lin et al. 2024), as sampling begins.
    #[arg(long, conflicts_with_all = ["config", "min_snr"])]
    pub zero_terminal: bool,
    /// Weigh times by min-SNR-gamma (Hang et al. 2023), with this gamma: 5 is usual. Without it all times count alike.
    #[arg(long, value_name = "GAMMA")]
    pub min_snr: Option<f64>,
    /// Learn more at noisy times: the share u of the schedule that was drawn becomes S u / (1 + (S - 1) u), as Esser et al. 2024 shift theirs.
    /// With 2 the noisiest quarter gets 40 % of the clips.
    #[arg(long, value_name = "S", default_value_t = 1.0)]
    pub time_shift: f64,
    #[command(flatten)]
    pub views: ViewArgs,
}

/// Batches of a validation.
const BATCHES: usize = 12;

/// What a stage-2 checkpoint was trained with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    pub config: LfdmConfig,
    pub labels: Vec<String>,
    pub batch: usize,
    #[serde(default = "super::one_part")]
    pub accumulate: u16,
    /// The step of the auto-encoder whose motion is learned.
    pub lfae_step: u64,
    /// Views of each person, and the largest enlargement among them.
    pub views: u16,
    pub max_zoom: f32,
    /// The part of the frames that is seen, if not all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crop: Option<Crop>,
    #[serde(default)]
    pub sampling: Sampling,
    /// The gamma of min-SNR weighting.
    #[serde(default)]
    pub min_snr: Option<f64>,
    /// How far times were shifted towards noise; 1 is not at all.
    #[serde(default = "unshifted")]
    pub time_shift: f64,
    /// How the model was tuned for consistency.
    #[serde(default)]
    pub consistency: Option<Tuning>,
}

fn unshifted() -> f64 {
    1.0
}

/// Trains stage 2.
pub fn run(args: &Args) -> Result<()> {
    let trained = open_trained(&args.lfae)?;
    let lfae_step = trained.lfae_step();
    let mut config = trained.settings.config;
    if let Some(path) = &args.config {
        config.diffusion = read_config(path)?;
    }
    if args.zero_terminal {
        config.diffusion.schedule = ScheduleKind::CosineZeroTerminal;
    }
    ensure!(
        !matches!(config.diffusion.unet.diffused, Diffused::Channels(_)),
        "stage 2 diffuses motion; leave `diffused` out of the configuration, or train a baseline: `lfdm train vdm`"
    );
    config.validate()?;
    ensure!(args.min_snr.is_none_or(|gamma| gamma > 0.0), "--min-snr must be a positive number");
    ensure!(
        args.min_snr.is_none() || config.diffusion.schedule == ScheduleKind::Cosine,
        "--min-snr gives the time that holds noise alone no weight, so the first step of sampling would never be trained; \
         use it with the `cosine` schedule"
    );
    ensure!(args.time_shift > 0.0 && args.time_shift.is_finite(), "--time-shift must be a positive number");
    let labels = trained.settings.labels;
    check_labels(&config.diffusion, &labels)?;
    let ViewArgs { views, max_zoom, sampling } = args.views;
    let settings = Settings {
        labels,
        batch: args.run.batch,
        accumulate: args.run.accumulate,
        lfae_step,
        views,
        max_zoom,
        crop: args.run.reading.crop,
        sampling,
        min_snr: args.min_snr,
        time_shift: args.time_shift,
        consistency: None,
        config,
    };
    let (train, validation) = motion_sets(&args.run, &args.lfae, &[&args.run.out], &settings)?;
    let codec = train.statistics(settings.config.diffusion.unet.diffused).codec(&Device::flex());
    let stage = DiffusionStage::new(&args.run, &args.lfae, [train, validation], codec, settings)?;
    super::run(&stage, &args.run, args.init.as_deref())
}

/// A diffusion configuration as JSON.
pub(super) fn read_config(path: &Path) -> Result<DiffusionConfig> {
    let text = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is not a diffusion configuration", path.display()))
}

/// One-hot conditions have the length of the labels.
pub(super) fn check_labels(config: &DiffusionConfig, labels: &[String]) -> Result<()> {
    ensure!(
        config.unet.condition_dim == labels.len(),
        "one-hot conditions of {} labels need `condition_dim` {0}, the configuration says {}",
        labels.len(),
        config.unet.condition_dim
    );
    Ok(())
}

/// The motion of the training and the validation split, from the first of `stores` that has it; otherwise it is computed and stored in the
/// run directory.
pub(super) fn motion_sets(
    run: &RunArgs,
    lfae: &Path,
    stores: &[&Path],
    settings: &Settings,
) -> Result<(MotionSet, MotionSet)> {
    std::fs::create_dir_all(&run.out).with_context(|| format!("cannot create {}", run.out.display()))?;
    let device = run.device.open();
    let (_, lfae) = open_lfae(lfae, &device)?;
    let set = |split, name: &str| -> Result<MotionSet> {
        let name = format!("motion-{name}.safetensors");
        if let Some(set) = stores.iter().find_map(|store| MotionSet::open(&store.join(&name), settings)) {
            return Ok(set);
        }
        let set = MotionSet::compute(&lfae, &open_clips(run, settings, split)?, settings, &device);
        set.save(&run.out.join(&name), settings)?;
        Ok(set)
    };
    Ok((set(Split::Train, "train")?, set(Split::Val, "val")?))
}

/// Clips of the model's length, under its labels.
fn open_clips(run: &RunArgs, settings: &Settings, split: Split) -> Result<ClipSet> {
    let LfdmConfig { image_size: [size, _], frames, .. } = settings.config;
    let data = run.reading.open(&run.data, None, size, Some(frames), split)?;
    Ok(data.with_labels(&settings.labels)?)
}

/// Stage 2, and what its tuning shares with it.
pub(super) struct DiffusionStage {
    train: Arc<MotionSet>,
    pub validation: MotionSet,
    /// Batches of `train` on the host, by [`Draw::index`], for the seed of the run.
    batches: Prefetch<Batch>,
    /// The people of the validation split, for previews.
    people: ClipSet,
    codec: MotionCodec,
    /// The auto-encoder's weights, for previews.
    lfae: StateDict,
    lfae_run: PathBuf,
    pub settings: Settings,
}

impl Stage for DiffusionStage {
    type Model = DiffusionModel;
    type Settings = Settings;

    fn name(&self) -> &'static str {
        "diffusion model"
    }

    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn adam(&self) -> AdamConfig {
        adam()
    }

    fn init(&self, device: &Device) -> DiffusionModel {
        self.settings.config.diffusion.init(self.settings.config.latent_channels(), device)
    }

    fn load(&self, model: DiffusionModel, weights: StateDict) -> Result<DiffusionModel, WeightsError> {
        let weights = finer(weights.filter(is_denoiser), &collect_module(&model, &official_key));
        load_module(model, &weights, &official_key)
    }

    fn export(&self, model: &DiffusionModel) -> StateDict {
        let mut dict = collect_module(model, &official_key);
        dict.merge(self.codec.to_state());
        dict.merge(ConditionTable::one_hot(self.settings.labels.clone(), &Device::flex()).to_state());
        dict
    }

    fn loss(&self, model: &DiffusionModel, draw: Draw, device: &Device) -> (Tensor<1>, Terms) {
        (self.loss_on(self.draw_part(draw, device), model), Vec::new())
    }

    fn validate(&self, model: &DiffusionModel, step: u64, dir: &Path, device: &Device) -> Result<Figures> {
        self.preview(model, &dir.join(format!("dm-{step:07}.png")), (10, Sampler::default()), device)?;
        // The same clips, times and noises at every validation, so that the figures compare.
        let mut noise = NoiseSource::new(0);
        let mut loss = || {
            let batch = self.draw_four(&self.validation, &mut noise, device);
            f64::from(self.loss_on(batch, model).into_scalar::<f32>())
        };
        let loss = (0..BATCHES).map(|_| loss()).sum::<f64>() / BATCHES as f64;
        let mut figures = vec![("loss", loss)];
        if model.config().parameterization == Parameterization::Velocity {
            figures.push(("unforeseen", self.unforeseen(&self.validation, model, device)));
            figures.push(("unforeseen_seen", self.unforeseen(&self.train, model, device)));
        }
        Ok(figures)
    }

    fn next_command(&self, run: &Path) -> Option<String> {
        Some(format!("lfdm export --lfae {} --dm {} --name NAME --out MODEL", self.lfae_run.display(), run.display()))
    }
}

/// The optimiser of all that denoises.
pub(super) fn adam() -> AdamConfig {
    let clipping = GradientClippingConfig::Norm(1.0);
    AdamConfig::new().with_beta_1(0.9).with_beta_2(0.99).with_epsilon(1e-8).with_grad_clipping(Some(clipping))
}

/// Which clips of a set are learned at which times, and which of them without their condition.
pub(super) struct Choice {
    pub clips: Vec<usize>,
    pub times: Vec<usize>,
    pub null: Vec<bool>,
}

impl Choice {
    /// The `rows` of a batch of `of` among `clips` clips.
    pub fn draw(
        diffusion: &DiffusionConfig,
        clips: usize,
        rows: Range<usize>,
        of: usize,
        noise: &mut NoiseSource,
    ) -> Self {
        let clips: Vec<usize> = (0..of).map(|_| noise.below(clips)).collect();
        // One time per stratum: the loss depends on the time far more than on the clip.
        let times: Vec<usize> = (0..of)
            .map(|i| (((i as f64 + noise.uniform()) / of as f64) * diffusion.timesteps as f64) as usize)
            .map(|time| time.min(diffusion.timesteps - 1))
            .collect();
        let null: Vec<bool> = (0..of).map(|_| diffusion.drops_condition(noise.uniform())).collect();
        Self { clips: clips[rows.clone()].to_vec(), times: times[rows.clone()].to_vec(), null: null[rows].to_vec() }
    }
}

/// The time whose share of the schedule is `shift * u / (1 + (shift - 1) * u)`, where that of `time` is `u`.
fn shifted(time: usize, timesteps: usize, shift: f64) -> usize {
    let share = (time as f64 + 0.5) / timesteps as f64;
    ((shift * share / (1.0 + (shift - 1.0) * share)) * timesteps as f64) as usize
}

/// Noise of clips from the place `first` on among all that are drawn for `seed`, `[batch, channels, frames, height, width]` on the host. Every clip has noise
/// of its own, so that several threads can draw it, and that it does not matter how a step is divided.
pub(super) fn noise_of_clips(
    seed: u64,
    first: u64,
    [batch, frames]: [usize; 2],
    [channels, height, width]: [usize; 3],
) -> Tensor<5> {
    let host = Device::flex();
    let noise_of = |place: u64| -> Vec<f32> {
        // Of another seed than the choice, whose draws it would repeat.
        let mut source = Draw::of(!seed, place, 1).noise();
        source.normal([channels * frames * height * width], &host).into_data().iter::<f32>().collect()
    };
    let noise: Vec<f32> = (first..first + batch as u64).into_par_iter().flat_map_iter(noise_of).collect();
    Tensor::from_data(TensorData::new(noise, [batch, channels, frames, height, width]), &host)
}

/// Clips with everything that is drawn for them.
pub(super) struct Batch {
    pub x0: Tensor<5>,
    pub latents: Tensor<4>,
    pub condition: Tensor<2>,
    pub times: Vec<usize>,
    pub null: Vec<bool>,
    pub noise: Tensor<5>,
}

impl Batch {
    /// The chosen clips of `set`, on the host.
    fn new(set: &MotionSet, codec: &MotionCodec, choice: Choice, noise: Tensor<5>) -> Self {
        let host = Device::flex();
        let Choice { clips, times, null } = choice;
        let encoded = |&clip: &usize| codec.encode(&set.motion(&[clip], &host), 1);
        Self {
            x0: Tensor::cat(clips.par_iter().map(encoded).collect(), 0),
            latents: set.latents(&clips, &host),
            condition: set.conditions(&clips, &host),
            times,
            null,
            noise,
        }
    }

    fn on(self, device: &Device) -> Self {
        Self {
            x0: Tensor::from_data(self.x0.into_data(), device),
            latents: Tensor::from_data(self.latents.into_data(), device),
            condition: Tensor::from_data(self.condition.into_data(), device),
            noise: Tensor::from_data(self.noise.into_data(), device),
            ..self
        }
    }
}

impl DiffusionStage {
    pub(super) fn new(
        run: &RunArgs,
        lfae: &Path,
        [train, validation]: [MotionSet; 2],
        codec: MotionCodec,
        settings: Settings,
    ) -> Result<Self> {
        let people = open_clips(run, &settings, Split::Val)?;
        let lfae_run = lfae.to_owned();
        let train = Arc::new(train);
        let batches = {
            let (train, codec) = (train.clone(), codec.clone());
            let (diffusion, time_shift) = (settings.config.diffusion.clone(), settings.time_shift);
            let (seed, parts, batch) = (run.seed, usize::from(run.accumulate), run.batch);
            Prefetch::new(run.ahead(), move |index| {
                let draw = Draw::at(seed, index, parts);
                let rows = draw.part * batch..(draw.part + 1) * batch;
                let mut choice = Choice::draw(&diffusion, train.len(), rows, parts * batch, &mut draw.noise_of_step());
                for time in &mut choice.times {
                    *time = shifted(*time, diffusion.timesteps, time_shift);
                }
                let noise = noise_of_clips(seed, index * batch as u64, [batch, train.frames], codec.shape());
                Batch::new(&train, &codec, choice, noise)
            })
        };
        Ok(Self {
            train,
            validation,
            batches,
            people,
            codec,
            lfae: open_trained(lfae)?.weights.filter(is_lfae),
            lfae_run,
            settings,
        })
    }

    /// The clips of one part of a step.
    pub(super) fn draw_part(&self, draw: Draw, device: &Device) -> Batch {
        self.batches.get(draw.index()).on(device)
    }

    /// Four clips of `set`, for a validation: the noise too is drawn from `noise`.
    fn draw_four(&self, set: &MotionSet, noise: &mut NoiseSource, device: &Device) -> Batch {
        let choice = Choice::draw(&self.settings.config.diffusion, set.len(), 0..4, 4, noise);
        let [channels, height, width] = self.codec.shape();
        let noise = noise.normal([4, channels, set.frames, height, width], &Device::flex());
        Batch::new(set, &self.codec, choice, noise).on(device)
    }

    /// The share of the motion's variance that the network leaves open where sampling begins, with the reference and the condition alone to go
    /// by: 1 for the mean of all motion. That of clips which were learned and that of others part where a model remembers people; the loss over
    /// all times, most of which is detail, hides it.
    fn unforeseen(&self, set: &MotionSet, model: &DiffusionModel, device: &Device) -> f64 {
        let mut noise = NoiseSource::new(0);
        let mut shares = || {
            let Batch { x0, latents, condition, noise, .. } = self.draw_four(set, &mut noise, device);
            let variance = (x0.clone() * x0.clone()).mean().into_scalar::<f32>();
            // A velocity is the clean sample there, but for its sign.
            let times = [model.schedule().len() - 1; 4];
            let error = model.loss(x0, latents, condition, &times, noise, &[false; 4]).into_scalar::<f32>();
            [error, variance].map(f64::from)
        };
        let [error, variance] = (0..BATCHES).map(|_| shares()).fold([0.0; 2], |sum, x| [sum[0] + x[0], sum[1] + x[1]]);
        error / variance
    }

    fn loss_on(&self, batch: Batch, model: &DiffusionModel) -> Tensor<1> {
        let Batch { x0, latents, condition, times, null, noise } = batch;
        let x = model.q_sample(x0.clone(), noise.clone(), &times);
        let output = model.predict(x, latents, condition, &times, &null);
        match self.settings.min_snr {
            None => model.error(output, x0, noise, &times),
            Some(gamma) => model.min_snr_error(output, x0, noise, &times, gamma),
        }
    }

    /// One generated clip per label of the first people, every other frame.
    pub(super) fn preview(
        &self,
        model: &DiffusionModel,
        path: &Path,
        (steps, sampler): (usize, Sampler),
        device: &Device,
    ) -> Result<()> {
        let config = self.settings.config.clone();
        let size = config.image_size;
        let mut weights = self.lfae.clone();
        weights.merge(self.export(model));
        let animator = Animator::new(config, self.settings.labels.clone(), weights, device)?;
        let mut sheet = ContactSheet::new(size);
        for (index, label) in self.settings.labels.iter().enumerate().skip(1) {
            let Some(clip) = self.people.clips_of(index % self.people.len()).next() else { continue };
            let portrait = clip.rgba(0);
            let portrait = Portrait::from_rgba(size[1], size[0], &portrait, size)?;
            let request = Request { label: label.clone(), seed: index as u64, steps, guidance: 1.0, sampler };
            let (frames, _) = collect(animator.generate(&portrait, &request)?, |_| {})?;
            sheet.push(label, frames.into_iter().step_by(2).map(|frame| frame.rgba).collect());
        }
        sheet.save(path)
    }
}

/// Reference latents and motion of all clips, in half precision. Another view of a clip is a clip of its own.
pub(super) struct MotionSet {
    labels: usize,
    pub frames: usize,
    /// `[channels, height, width]` of a latent.
    latent: [usize; 3],
    /// Height and width of the motion.
    grid: [usize; 2],
    /// Reference and label of each clip.
    clips: Vec<(usize, usize)>,
    /// `[references, channels, height, width]`: clips that begin with the same frame share one.
    latents: Vec<f16>,
    /// `[clips, frames, height, width, 3]`: absolute flow xy and occlusion.
    motions: Vec<f16>,
}

impl MotionSet {
    fn compute(lfae: &LatentFlowAutoencoder, data: &ClipSet, settings: &Settings, device: &Device) -> Self {
        let (size, frames) = (data.size(), data.frames());
        let config = &settings.config;
        let [height, width] = config.latent_size();
        let mut set = Self {
            labels: data.labels().len(),
            frames,
            latent: [config.latent_channels(), height, width],
            grid: config.flow_size(),
            clips: Vec::new(),
            latents: Vec::new(),
            motions: Vec::new(),
        };
        let halves = |data: TensorData, into: &mut Vec<f16>| into.extend(data.iter::<f32>().map(f16::from_f32));
        let views = usize::from(settings.views);
        tracing::info!("computing the motion of {} clips", data.clip_count() * views);
        let views = data.all_views(views, settings.max_zoom);
        for (subject, seed, view) in views.iter().copied().progress_with(ProgressBar::new(views.len() as u64)) {
            let clips: Vec<Clip<'_>> =
                data.clips_of(subject).map(|clip| clip.sampled(settings.sampling, seed)).collect();
            for clips in clips.chunk_by(Clip::begins_like) {
                let pixels = TensorData::new(clips[0].frame_through(view, 0), [1, 3, size, size]);
                let source = Tensor::<4>::from_data(pixels, device);
                halves(lfae.encode(source.clone()).latent().into_data(), &mut set.latents);

                let count = clips.len() * frames;
                let pixels: Vec<f32> = (0..count)
                    .into_par_iter()
                    .flat_map_iter(|index| clips[index / frames].frame_through(view, index % frames))
                    .collect();
                let driving = Tensor::<4>::from_data(TensorData::new(pixels, [count, 3, size, size]), device);
                let motion = lfae.estimate_motion(source.repeat_dim(0, count), driving);
                let stacked = Tensor::cat(vec![motion.flow, motion.occlusion.permute([0, 2, 3, 1])], 3);
                halves(stacked.into_data(), &mut set.motions);
                let reference = set.references() - 1;
                set.clips.extend(clips.iter().map(|clip| (reference, clip.label())));
            }
        }
        set
    }

    /// `count` clips of as many labels and people as there are.
    pub fn assorted(&self, count: usize) -> Vec<usize> {
        let clip = |index: usize| {
            let label = (index + 1) % self.labels;
            let of_label: Vec<usize> = (0..self.clips.len()).filter(|&clip| self.clips[clip].1 == label).collect();
            if of_label.is_empty() { index % self.clips.len() } else { of_label[index % of_label.len()] }
        };
        (0..count).map(clip).collect()
    }

    /// How many clips there are.
    fn len(&self) -> usize {
        self.clips.len()
    }

    fn references(&self) -> usize {
        self.latents.len() / self.latent.iter().product::<usize>()
    }

    fn clip_len(&self) -> usize {
        self.frames * self.grid[0] * self.grid[1] * 3
    }

    /// One-hot labels of the clips, `[clips, labels]`.
    pub fn conditions(&self, clips: &[usize], device: &Device) -> Tensor<2> {
        let mut values = vec![0.0f32; clips.len() * self.labels];
        for (row, &clip) in clips.iter().enumerate() {
            values[row * self.labels + self.clips[clip].1] = 1.0;
        }
        Tensor::from_data(TensorData::new(values, [clips.len(), self.labels]), device)
    }

    /// Latents of the clips' references, `[clips, channels, height, width]`.
    pub fn latents(&self, clips: &[usize], device: &Device) -> Tensor<4> {
        let [channels, height, width] = self.latent;
        let length = channels * height * width;
        let values: Vec<f32> = clips
            .iter()
            .map(|&clip| self.clips[clip].0)
            .flat_map(|reference| &self.latents[reference * length..(reference + 1) * length])
            .map(|value| value.to_f32())
            .collect();
        Tensor::from_data(TensorData::new(values, [clips.len(), channels, height, width]), device)
    }

    /// Motion of `clips * frames` frames.
    fn motion(&self, clips: &[usize], device: &Device) -> Motion {
        let [height, width] = self.grid;
        let length = self.clip_len();
        let values: Vec<f32> = clips
            .iter()
            .flat_map(|clip| &self.motions[clip * length..(clip + 1) * length])
            .map(|value| value.to_f32())
            .collect();
        let n = clips.len() * self.frames;
        let stacked = Tensor::<4>::from_data(TensorData::new(values, [n, height, width, 3]), device);
        Motion { flow: stacked.clone().narrow(3, 0, 2), occlusion: stacked.narrow(3, 2, 1).permute([0, 3, 1, 2]) }
    }

    fn statistics(&self, diffused: Diffused) -> MotionStatistics {
        let device = Device::flex();
        let mut statistics = MotionStatistics::new(self.grid, diffused);
        for clip in 0..self.clips.len() {
            statistics.add(&self.motion(&[clip], &device));
        }
        statistics
    }

    /// Reads a set that was computed with the same settings; `None` when there is none, or another's.
    fn open(path: &Path, settings: &Settings) -> Option<Self> {
        let bytes = std::fs::read(path).ok()?;
        let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).ok()?;
        let metadata = header.metadata().as_ref()?;
        if metadata.get("key")? != &Self::key(settings) {
            return None;
        }
        let clips = serde_json::from_str(metadata.get("clips")?).ok()?;
        let dict = StateDict::from_safetensors(&bytes).ok()?;
        let (latents, motions) = (dict.get("latents")?, dict.get("motions")?);
        let (latent_shape, motion_shape) = (latents.shape().to_vec(), motions.shape().to_vec());
        let halves = |data: &TensorData| data.iter::<f32>().map(f16::from_f32).collect();
        Some(Self {
            labels: settings.labels.len(),
            frames: motion_shape[1],
            clips,
            latent: [latent_shape[1], latent_shape[2], latent_shape[3]],
            grid: [motion_shape[2], motion_shape[3]],
            latents: halves(latents),
            motions: halves(motions),
        })
    }

    fn save(&self, path: &Path, settings: &Settings) -> Result<()> {
        let ([channels, height, width], [rows, columns]) = (self.latent, self.grid);
        let mut dict = StateDict::default();
        let floats = |values: &[f16]| values.iter().map(|value| value.to_f32()).collect::<Vec<_>>();
        dict.insert("latents", TensorData::new(floats(&self.latents), [self.references(), channels, height, width]));
        let shape = [self.clips.len(), self.frames, rows, columns, 3];
        dict.insert("motions", TensorData::new(floats(&self.motions), shape));
        let clips = serde_json::to_string(&self.clips)?;
        let metadata = [("key".to_owned(), Self::key(settings)), ("clips".to_owned(), clips)].into();
        let bytes = dict.to_safetensors(WeightDtype::F16, Some(metadata))?;
        let temporary = path.with_extension("partial");
        std::fs::write(&temporary, bytes)
            .and_then(|()| std::fs::rename(&temporary, path))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// What a stored set depends on.
    fn key(settings: &Settings) -> String {
        let config = &settings.config;
        let views = (settings.views, settings.max_zoom, settings.crop, settings.sampling);
        serde_json::json!([settings.lfae_step, config.lfae, config.image_size, config.frames, views]).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::shifted;

    #[test]
    fn shifted_times_are_noisier_and_stay_on_the_schedule() {
        const TIMES: usize = 1000;
        assert!((0..TIMES).all(|time| shifted(time, TIMES, 1.0) == time));
        let noisy = |shift: f64| (0..TIMES).filter(|&time| shifted(time, TIMES, shift) >= 750).count();
        assert_eq!([noisy(1.0), noisy(2.0), noisy(3.0)], [250, 400, 500]);
        for shift in [0.2, 2.0, 50.0] {
            assert!((1..TIMES).all(|time| shifted(time - 1, TIMES, shift) <= shifted(time, TIMES, shift)));
            assert!(shifted(TIMES - 1, TIMES, shift) < TIMES);
        }
    }
}
