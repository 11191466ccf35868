//! `lfdm train vdm` and `lfdm train ldm`: the baselines of the paper, with the U-Net, the loss and
//! the loop of stage 2.
//!
//! Batches are drawn ahead on a thread of their own, with their noise: for pixels, sixteen times as
//! many numbers as in stage 2.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::args::RunArgs;
use super::denoising::{Batch, Choice, adam, check_conditions, flops_of_learning, noise_of_clips, read_config};
use super::parcel::Parcel;
use super::stage::{Draw, Loss, Metrics, Objective, Spec, Stage};
use super::video_set::{ClipArgs, Clips, VideoSet};
use super::{autoencoder, preview};
use crate::config::{Diffused, DiffusionConfig, LfdmConfig, ScheduleKind, Threshold};
use crate::diffusion::{DiffusionModel, Sampler, is_denoiser, official_key};
use crate::native::baseline::{AutoencoderConfig, Baseline, BaselineConfig, FrameCodec};
use crate::native::checkpoint::{Source, TrainedModel};
use crate::native::data::{ClipSet, Prefetch, Sampling};
use crate::native::fingerprint;
use crate::noise::NoiseSource;
use crate::weights::{StateDict, collect_module, load_module};

/// `lfdm train vdm`
#[derive(Debug, Clone, clap::Args)]
#[command(
    mut_arg("steps", |arg| arg.required(false).default_value("2000")),
    mut_arg("lr", |arg| arg.required(false).default_value("0.0005")),
)]
pub(crate) struct VdmArgs {
    #[command(flatten)]
    shared: SharedArgs,
    /// Side of the frames in pixels.
    #[arg(long, value_name = "SIDE", default_value_t = 64)]
    size: usize,
}

/// `lfdm train ldm`
#[derive(Debug, Clone, clap::Args)]
#[command(
    mut_arg("steps", |arg| arg.required(false).default_value("2000")),
    mut_arg("lr", |arg| arg.required(false).default_value("0.0005")),
)]
pub(crate) struct LdmArgs {
    #[command(flatten)]
    shared: SharedArgs,
    /// Run directory of `lfdm train autoencoder`.
    #[arg(long, value_name = "RUN")]
    autoencoder: PathBuf,
}

/// Options of both baselines.
#[derive(Debug, Clone, clap::Args)]
struct SharedArgs {
    #[command(flatten)]
    clips: ClipArgs,
    /// Diffusion configuration as JSON; the baseline replaces its `diffused` by what it diffuses
    /// [default: that of `faces-64`]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Train on the schedule whose last time holds noise alone, which is where sampling begins (Lin
    /// et al. 2024).
    #[arg(long, conflicts_with = "config")]
    zero_terminal: bool,
}

/// What a checkpoint of a baseline was trained with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) config: BaselineConfig,
    pub(crate) labels: Vec<String>,
    batch: usize,
    accumulate: u16,
    views: u16,
    max_zoom: f32,
    sampling: Sampling,
    /// The run whose latents are diffused.
    pub(crate) autoencoder: Option<AutoencoderRun>,
}

/// A finished run of `lfdm train autoencoder`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AutoencoderRun {
    step: u64,
    /// Time that its steps took.
    pub(crate) seconds: Option<u64>,
}

/// Trains the baseline in pixels.
pub(crate) fn vdm(args: &VdmArgs) -> Result<()> {
    train(&args.shared, args.size, None)
}

/// Trains the baseline in latents.
pub(crate) fn ldm(args: &LdmArgs) -> Result<()> {
    let trained = TrainedModel::<autoencoder::Settings>::open(&args.autoencoder).with_context(|| {
        format!("--autoencoder {} is not a run of `lfdm train autoencoder`", args.autoencoder.display())
    })?;
    train(&args.shared, trained.settings.size, Some(trained))
}

fn train(args: &SharedArgs, size: usize, trained: Option<TrainedModel<autoencoder::Settings>>) -> Result<()> {
    let autoencoder = trained.as_ref().map(|trained| trained.settings.autoencoder.clone());
    // What no clips could change is refused before they are read.
    let mut config = plan(args, size, autoencoder)?;
    config.check()?;
    let ClipArgs { run, views, .. } = &args.clips;
    let Clips { claim, train: clips, people, labels, fingerprint: data } = args.clips.open(size)?;
    let motion = trained.as_ref().map(|trained| fingerprint::of_weights(&trained.weights, |_| true));
    if args.config.is_none() {
        config.diffusion.unet.condition_dim = labels.len();
    }
    check_conditions(&config.diffusion, &labels, labels.len())?;
    config.check()?;

    let device = run.device.open()?;
    let autoencoder = match (&config.autoencoder, &trained) {
        (Some(config), Some(trained)) => Some(load_module(config.init(&device), &trained.weights, &str::to_owned)?),
        _ => None,
    };
    let settings = Settings {
        config,
        labels,
        batch: run.batch,
        accumulate: run.accumulate,
        views: views.views,
        max_zoom: views.max_zoom,
        sampling: views.sampling,
        autoencoder: trained.map(|trained| AutoencoderRun {
            step: trained.step,
            seconds: trained.seconds.map(|seconds| seconds.round() as u64),
        }),
    };
    let grid = settings.config.grid();
    let [train, validation] = [&clips, &people].map(|clips| match &autoencoder {
        None => VideoSet::of_pixels(clips, *views),
        Some(autoencoder) => VideoSet::of_latents(clips, *views, autoencoder, grid, &device),
    });
    drop(clips);
    let codec = match autoencoder {
        None => FrameCodec::pixels(),
        Some(autoencoder) => FrameCodec::latents(autoencoder, train.statistics()),
    };
    let spec = spec(settings, Source { data, motion, ..Source::default() });
    super::run::run(&BaselineStage::new(run, [train, validation], people, codec, spec), run, None, claim)
}

fn spec(settings: Settings, source: Source) -> Spec<Settings> {
    let name = match settings.config.autoencoder {
        None => "video diffusion model of pixels",
        Some(_) => "video diffusion model of latents",
    };
    Spec { name, settings, source, optimizer: adam(), parameter_name: official_key }
}

/// The baseline of the options, by default for a single label.
fn plan(args: &SharedArgs, size: usize, autoencoder: Option<AutoencoderConfig>) -> Result<BaselineConfig> {
    let diffusion = match &args.config {
        Some(path) => read_config(path)?,
        None => default_diffusion(1, autoencoder.is_none(), args.zero_terminal),
    };
    let mut config = BaselineConfig { size, frames: args.clips.frames(), autoencoder, diffusion };
    config.diffusion.unet.diffused = Diffused::Channels(config.channels());
    Ok(config)
}

/// The U-Net of `faces-64` and what it is trained for.
fn default_diffusion(labels: usize, pixels: bool, zero_terminal: bool) -> DiffusionConfig {
    let mut diffusion = LfdmConfig::faces_64(labels).diffusion;
    if pixels {
        // Colours end at 1 (Saharia et al. 2022, Sec. 2.3); motion and latents have no bounds of
        // their own.
        diffusion.threshold = Threshold::Dynamic { quantile: 0.995, bound: 1.0 };
    }
    if zero_terminal {
        diffusion.schedule = ScheduleKind::CosineZeroTerminal;
    }
    diffusion
}

struct BaselineStage {
    spec: Spec<Settings>,
    objective: BaselineObjective,
    /// By [`Draw::index`], for the seed of the run.
    train: Prefetch<HostBatch>,
    validation: VideoSet,
    /// The people of the validation split, for previews.
    people: ClipSet,
    codec: FrameCodec,
}

impl Stage for BaselineStage {
    type Objective = BaselineObjective;
    type Settings = Settings;

    fn spec(&self) -> &Spec<Settings> {
        &self.spec
    }

    fn objective(&self) -> &BaselineObjective {
        &self.objective
    }

    fn adapt(&self, weights: StateDict, _fresh: &StateDict) -> StateDict {
        weights.filter(is_denoiser)
    }

    fn export(&self, model: &DiffusionModel) -> StateDict {
        let mut dict = collect_module(model, &official_key);
        dict.merge(self.codec.to_state());
        dict
    }

    fn flops_per_clip(&self, model: &DiffusionModel) -> Option<u64> {
        let config = &self.spec.settings.config;
        let [_, height, width] = config.grid();
        Some(flops_of_learning(model, config.frames, [height, width]))
    }

    fn batch(&self, draw: Draw, device: &Device) -> Result<Batch> {
        Ok(self.train.get(draw.index()).batch(device))
    }

    fn validate(&self, model: &DiffusionModel, step: u64, dir: &Path, device: &Device) -> Result<Metrics> {
        const BATCHES: usize = 12;
        const CLIPS: usize = 4;
        // The same clips, times and noises at every validation, so that the metrics compare.
        let mut noise = NoiseSource::new(0);
        let diffusion = &self.spec.settings.config.diffusion;
        let loss = |batch: usize| {
            let choice = Choice::draw(diffusion, self.validation.len(), 0..CLIPS, CLIPS, &mut noise);
            let drawn = HostBatch::new(&self.validation, &self.codec, choice, 0, (batch * CLIPS) as u64);
            loss_on(drawn.batch(device), model).into_scalar::<f32>()
        };
        let total: f32 = (0..BATCHES).map(loss).sum();
        self.preview(model, &dir.join(format!("clips-{step:07}.png")), device)?;
        Ok(vec![("loss", f64::from(total / BATCHES as f32))])
    }

    fn next_command(&self, run: &Path) -> Option<String> {
        Some(format!("lfdm eval --model {} --data DATA --classifier RUN --out report.json", run.display()))
    }
}

/// What a baseline minimises.
pub(super) struct BaselineObjective(BaselineConfig);

impl Objective for BaselineObjective {
    type Model = DiffusionModel;
    type Batch = Batch;
    const NAME: &'static str = "baseline";

    fn init(&self, device: &Device) -> DiffusionModel {
        self.0.init(device)
    }

    fn loss(&self, model: &DiffusionModel, batch: Batch, _draw: Draw, _device: &Device) -> Loss {
        loss_on(batch, model).into()
    }

    fn pack(&self) -> Result<Parcel> {
        Parcel::new(&self.0)
    }

    fn unpack(parcel: Parcel, _device: &Device) -> Result<Self> {
        let config: BaselineConfig = parcel.words()?;
        config.check()?;
        Ok(Self(config))
    }
}

impl BaselineStage {
    fn new(
        run: &RunArgs,
        [train, validation]: [VideoSet; 2],
        people: ClipSet,
        codec: FrameCodec,
        spec: Spec<Settings>,
    ) -> Self {
        let (seed, parts, batch) = (run.seed, usize::from(run.accumulate), run.batch);
        let (diffusion, train_codec) = (spec.settings.config.diffusion.clone(), codec.clone());
        let train = Prefetch::new(run.ahead(), move |index| {
            let choice = Choice::draw_part(&diffusion, train.len(), Draw::at(seed, index, parts), batch);
            HostBatch::new(&train, &train_codec, choice, seed, index * batch as u64)
        });
        let objective = BaselineObjective(spec.settings.config.clone());
        Self { spec, objective, train, validation, people, codec }
    }

    /// One generated clip per label of the first people.
    fn preview(&self, model: &DiffusionModel, path: &Path, device: &Device) -> Result<()> {
        let Settings { config, labels, .. } = &self.spec.settings;
        let baseline = Baseline::new(config.clone(), labels.clone(), model.clone(), self.codec.clone(), device);
        preview::generated_clips(labels, &self.people, (10, Sampler::default()), path, |portrait, request| {
            baseline.generate(portrait, request)
        })
    }
}

fn loss_on(batch: Batch, model: &DiffusionModel) -> Tensor<1> {
    let Batch { x0, latents, condition, times, null, noise } = batch;
    model.loss(x0, latents, condition, &times, noise, &null)
}

/// A [`Batch`] on the host, as plain numbers.
struct HostBatch {
    /// `[batch, frames, channels, height, width]`
    videos: TensorData,
    /// `[batch, labels]`
    condition: TensorData,
    times: Vec<usize>,
    null: Vec<bool>,
    /// `[batch, channels, frames, height, width]`
    noise: TensorData,
}

impl HostBatch {
    /// `first`: the place of the first clip among all that are drawn for `seed`.
    fn new(set: &VideoSet, codec: &FrameCodec, choice: Choice, seed: u64, first: u64) -> Self {
        let Choice { clips, times, null, .. } = choice;
        let [frames, channels, height, width] = set.shape();
        let noise = noise_of_clips(seed, first, [clips.len(), frames], [channels, height, width]).into_data();
        Self { videos: set.videos(&clips, codec), condition: set.conditions(&clips), times, null, noise }
    }

    fn batch(self, device: &Device) -> Batch {
        let videos = Tensor::<5>::from_data(self.videos, device);
        let latents = videos.clone().narrow(1, 0, 1).squeeze_dim::<4>(1);
        Batch {
            x0: videos.permute([0, 2, 1, 3, 4]),
            latents,
            condition: Tensor::from_data(self.condition, device),
            times: self.times,
            null: self.null,
            noise: Tensor::from_data(self.noise, device),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::args::ViewArgs;
    use super::*;
    use crate::native::data::{SYNTHETIC, Split};

    const VIEWS: ViewArgs = ViewArgs { views: 2, max_zoom: 1.5, sampling: Sampling::Uniform };

    fn settings() -> Settings {
        let mut diffusion = default_diffusion(4, true, false);
        diffusion.unet.dim = 8;
        diffusion.unet.dim_mults = vec![1, 2];
        let mut config = BaselineConfig { size: 16, frames: 4, autoencoder: None, diffusion };
        config.diffusion.unet.diffused = Diffused::Channels(config.grid()[0]);
        let labels = ["neutral", "a", "b", "c"].map(str::to_owned).to_vec();
        Settings {
            config,
            labels,
            batch: 2,
            accumulate: 1,
            views: VIEWS.views,
            max_zoom: VIEWS.max_zoom,
            sampling: VIEWS.sampling,
            autoencoder: None,
        }
    }

    #[derive(clap::Parser)]
    struct Words {
        #[command(flatten)]
        run: RunArgs,
    }

    fn clips() -> ClipSet {
        let reading = crate::native::data::DataArgs::default();
        reading.open(Path::new(SYNTHETIC), None, 16, Some(4), Split::Val).unwrap()
    }

    #[test]
    fn frame_0_is_the_reference_of_what_is_diffused() {
        let set = VideoSet::of_pixels(&clips(), VIEWS);
        let choice =
            Choice { clips: vec![1, 2], times: vec![10, 900], null: vec![false, true], appearances: vec![None; 2] };
        let batch = HostBatch::new(&set, &FrameCodec::pixels(), choice, 1, 0).batch(&Device::flex());
        assert_eq!((batch.x0.dims(), batch.noise.dims()), ([2, 3, 4, 16, 16], [2, 3, 4, 16, 16]));
        let reference = batch.x0.narrow(2, 0, 1).squeeze_dim::<4>(2);
        assert_eq!(batch.latents.into_data(), reference.into_data());
    }

    #[test]
    fn a_step_repeats_and_its_parts_make_the_whole() {
        let device = Device::flex();
        let stage = |batch: usize, parts: usize| {
            let sets = [clips(), clips()].map(|data| VideoSet::of_pixels(&data, VIEWS));
            let words =
                format!("lfdm --data synthetic --out run --steps 1 --lr 1 --batch {batch} --accumulate {parts}");
            let Words { run } = Words::try_parse_from(words.split(' ')).unwrap();
            BaselineStage::new(&run, sets, clips(), FrameCodec::pixels(), spec(settings(), Source::default()))
        };
        let (whole, halves) = (stage(4, 1), stage(2, 2));
        let model = whole.objective().init(&device);
        let loss = |stage: &BaselineStage, step, part, parts| {
            let draw = Draw { part, ..Draw::of(0, step, parts) };
            stage
                .objective()
                .loss(&model, stage.batch(draw, &device).unwrap(), draw, &device)
                .total
                .into_scalar::<f32>()
        };
        let [first, second] = [0, 1].map(|part| loss(&halves, 3, part, 2));
        assert_ne!(first, second);
        assert_eq!(second, loss(&halves, 3, 1, 2));
        let both = loss(&whole, 3, 0, 1);
        assert!((both - f32::midpoint(first, second)).abs() < 1e-4, "{both} in one piece, {first} and {second}");
        assert_ne!(both, loss(&whole, 4, 0, 1));
    }
}
