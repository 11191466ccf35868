//! `lfdm train imaginator`: the paper's third rival, a conditional GAN of clips.
//!
//! The generator and its two adversaries learn in one step, each from its own loss. Their optimisers in the authors'
//! code have the same rates and moments, and the adversaries judge what the generator made before its step; one
//! optimiser of all three networks computes the same.

use std::path::Path;

use anyhow::{Result, ensure};
use burn::module::Module;
use burn::optim::AdamConfig;
use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::args::RunArgs;
use super::discriminators::{AdversarialLosses, ImageDiscriminator, VideoDiscriminator};
use super::parcel::Parcel;
use super::stage::{Cargo, Draw, Loss, Metrics, Objective, Spec, Stage};
use super::video_set::{ClipArgs, Clips, VideoSet};
use super::{preview, run};
use crate::diffusion::Sampler;
use crate::native::baseline::FrameCodec;
use crate::native::baseline::imaginator::{Generator, Imaginator, ImaginatorConfig, NOISE};
use crate::native::checkpoint::Source;
use crate::native::data::{ClipSet, Prefetch, Sampling};
use crate::native::numbers;
use crate::noise::NoiseSource;
use crate::weights::{StateDict, collect_module};

/// The held-out figure: what the generator's first term is in training.
const RECONSTRUCTION: &str = "reconstruction";

/// `lfdm train imaginator`
#[derive(Debug, Clone, clap::Args)]
#[command(
    mut_arg("steps", |arg| arg.required(false).default_value("5000")),
    mut_arg("lr", |arg| arg.required(false).default_value("0.0002")),
    mut_arg("lr_schedule", |arg| arg.default_value("constant")),
)]
pub(crate) struct Args {
    #[command(flatten)]
    shared: ClipArgs,
    /// Side of the frames in pixels, a power of two.
    #[arg(long, value_name = "SIDE", default_value_t = 64)]
    size: usize,
    /// Channels of the maps at half the side. They double with every further halving, up to eightfold.
    #[arg(long, default_value_t = 64)]
    channels: usize,
    /// Weight of the L1 distance between made and real clips, whose colours are from -1 to 1.
    #[arg(long, value_name = "WEIGHT", default_value_t = 100.0, value_parser = numbers::weight)]
    reconstruction: f64,
    /// Weight of each adversary's verdict.
    #[arg(long, value_name = "WEIGHT", default_value_t = 1.0, value_parser = numbers::weight)]
    adversary: f64,
}

/// What a checkpoint of ImaGINator was trained with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) config: ImaginatorConfig,
    pub(crate) labels: Vec<String>,
    batch: usize,
    accumulate: u16,
    views: u16,
    max_zoom: f32,
    sampling: Sampling,
    reconstruction: f64,
    adversary: f64,
}

/// Trains the generator and its adversaries.
pub(crate) fn run(args: &Args) -> Result<()> {
    // What no clips could change is refused before they are read.
    let shared = &args.shared;
    let mut config = ImaginatorConfig { size: args.size, frames: shared.frames(), labels: 1, channels: args.channels };
    config.check()?;
    ensure!(
        shared.run.batch > 1,
        "--batch must be at least 2: the generator's batch norms compare clips with each other"
    );
    let Clips { claim, train, people, labels, fingerprint: data } = shared.open(config.size)?;
    config.labels = labels.len();
    config.check()?;

    let settings = Settings {
        config,
        labels,
        batch: shared.run.batch,
        accumulate: shared.run.accumulate,
        views: shared.views.views,
        max_zoom: shared.views.max_zoom,
        sampling: shared.views.sampling,
        reconstruction: args.reconstruction,
        adversary: args.adversary,
    };
    let sets = [&train, &people].map(|clips| VideoSet::of_pixels(clips, shared.views));
    drop(train);
    let spec = spec(settings, Source { data, ..Source::default() });
    run::run(&ImaginatorStage::new(&shared.run, sets, people, spec), &shared.run, None, claim)
}

fn spec(settings: Settings, source: Source) -> Spec<Settings> {
    let optimizer = AdamConfig::new().with_beta_1(0.5).with_beta_2(0.999).with_epsilon(1e-8);
    Spec { name: "ImaGINator", settings, source, optimizer, parameter_name: str::to_owned }
}

/// What learns. Only the generator is of use afterwards.
#[derive(Module, Debug)]
pub(crate) struct Learner {
    generator: Generator,
    images: ImageDiscriminator,
    videos: VideoDiscriminator,
}

struct ImaginatorStage {
    spec: Spec<Settings>,
    objective: ImaginatorObjective,
    /// By [`Draw::index`], for the seed of the run.
    train: Prefetch<HostBatch>,
    validation: VideoSet,
    /// The people of the validation split, for previews.
    people: ClipSet,
}

impl Stage for ImaginatorStage {
    type Objective = ImaginatorObjective;
    type Settings = Settings;

    fn spec(&self) -> &Spec<Settings> {
        &self.spec
    }

    fn objective(&self) -> &ImaginatorObjective {
        &self.objective
    }

    fn export(&self, model: &Learner) -> StateDict {
        collect_module(&model.generator, &str::to_owned)
    }

    fn held_out_metric(&self) -> &'static str {
        RECONSTRUCTION
    }

    fn batch(&self, draw: Draw, device: &Device) -> Result<Batch> {
        Ok(self.train.get(draw.index()).batch(device))
    }

    fn validate(&self, model: &Learner, step: u64, dir: &Path, device: &Device) -> Result<Metrics> {
        const BATCHES: usize = 12;
        const CLIPS: usize = 4;
        // The same clips and noises at every validation, so that the metrics compare.
        let mut noise = NoiseSource::new(0);
        let distance = |_| {
            let batch = HostBatch::draw(&self.validation, CLIPS, &mut noise).batch(device);
            distance(&batch.made_by(&model.generator), &batch.clips).into_scalar::<f32>()
        };
        let total: f32 = (0..BATCHES).map(distance).sum();
        self.preview(&model.generator, &dir.join(format!("clips-{step:07}.png")), device)?;
        Ok(vec![(RECONSTRUCTION, f64::from(total / BATCHES as f32))])
    }

    fn next_command(&self, run: &Path) -> Option<String> {
        Some(format!("lfdm eval --model {} --data DATA --classifier RUN --out report.json", run.display()))
    }
}

/// What ImaGINator's networks minimise.
pub(super) struct ImaginatorObjective(Settings);

impl Objective for ImaginatorObjective {
    type Model = Learner;
    type Batch = Batch;
    const NAME: &'static str = "imaginator";

    fn init(&self, device: &Device) -> Learner {
        let config = &self.0.config;
        Learner {
            generator: config.init(device),
            images: ImageDiscriminator::new(config, device),
            videos: VideoDiscriminator::new(config, device),
        }
    }

    fn loss(&self, model: &Learner, batch: Batch, _draw: Draw, device: &Device) -> Loss {
        let Settings { reconstruction, adversary, .. } = self.0;
        let made = batch.made_by(&model.generator);
        let Batch { clips, condition, places: [real, of_made], .. } = batch;
        let mut loss = Loss::zero(device);
        loss.add(RECONSTRUCTION, distance(&made, &clips), reconstruction);
        let AdversarialLosses { fooling, judging } = model.images.losses(frame(&clips, real), frame(&made, of_made));
        loss.add("fooling_images", fooling, adversary);
        loss.add("judging_images", judging, 1.0);
        let AdversarialLosses { fooling, judging } = model.videos.losses(clips, made, condition);
        loss.add("fooling_videos", fooling, adversary);
        loss.add("judging_videos", judging, 1.0);
        loss
    }

    fn pack(&self) -> Result<Parcel> {
        Parcel::new(&self.0)
    }

    fn unpack(parcel: Parcel, _device: &Device) -> Result<Self> {
        let settings: Settings = parcel.words()?;
        settings.config.check()?;
        Ok(Self(settings))
    }
}

impl ImaginatorStage {
    fn new(run: &RunArgs, [train, validation]: [VideoSet; 2], people: ClipSet, spec: Spec<Settings>) -> Self {
        let (seed, parts, batch) = (run.seed, usize::from(run.accumulate), run.batch);
        let train = Prefetch::new(run.ahead(), move |index| {
            HostBatch::draw(&train, batch, &mut Draw::at(seed, index, parts).noise())
        });
        let objective = ImaginatorObjective(spec.settings.clone());
        Self { spec, objective, train, validation, people }
    }

    /// One generated clip per label of the first people.
    fn preview(&self, generator: &Generator, path: &Path, device: &Device) -> Result<()> {
        let Settings { config, labels, .. } = &self.spec.settings;
        let model = Imaginator::new(config.clone(), labels.clone(), generator.clone(), device);
        preview::generated_clips(labels, &self.people, (1, Sampler::default()), path, |portrait, request| {
            model.generate(portrait, &request.strengths, request.seed)
        })
    }
}

/// # Shapes
/// - `made`, `real`: `[batch, frames, 3, height, width]` in [-1, 1]
fn distance(made: &Tensor<5>, real: &Tensor<5>) -> Tensor<1> {
    (made.clone() - real.clone()).abs().mean()
}

/// # Shapes
/// - `clips`: `[batch, frames, 3, height, width]`
/// - returns `[batch, 3, height, width]`
fn frame(clips: &Tensor<5>, place: usize) -> Tensor<4> {
    clips.clone().narrow(1, place, 1).squeeze_dim(1)
}

/// Clips with everything that is drawn for them.
pub(super) struct Batch {
    /// `[batch, frames, 3, size, size]` in [-1, 1]
    clips: Tensor<5>,
    /// `[batch, labels]`
    condition: Tensor<2>,
    /// `[batch, 512]`
    noise: Tensor<2>,
    /// Which frame of the real clips, and which of the made ones, is judged by itself.
    places: [usize; 2],
}

impl Batch {
    /// What `generator` makes of frame 0 of each clip.
    fn made_by(&self, generator: &Generator) -> Tensor<5> {
        generator.forward(frame(&self.clips, 0), self.noise.clone(), self.condition.clone())
    }
}

impl Cargo for Batch {
    fn pack(self) -> Result<Parcel> {
        let parcel = Parcel::new(&self.places)?;
        Ok(parcel.with("clips", self.clips).with("condition", self.condition).with("noise", self.noise))
    }

    fn unpack(mut parcel: Parcel, device: &Device) -> Result<Self> {
        Ok(Self {
            places: parcel.words()?,
            clips: parcel.tensor("clips", device)?,
            condition: parcel.tensor("condition", device)?,
            noise: parcel.tensor("noise", device)?,
        })
    }
}

/// A [`Batch`] on the host, as plain numbers.
struct HostBatch {
    clips: TensorData,
    condition: TensorData,
    noise: TensorData,
    places: [usize; 2],
}

impl HostBatch {
    fn draw(set: &VideoSet, batch: usize, noise: &mut NoiseSource) -> Self {
        let clips: Vec<usize> = (0..batch).map(|_| noise.below(set.len())).collect();
        let [frames, ..] = set.shape();
        Self {
            clips: set.videos(&clips, &FrameCodec::pixels()),
            condition: set.conditions(&clips),
            places: [(); 2].map(|()| noise.below(frames)),
            noise: noise.normal([batch, NOISE], &Device::flex()).into_data(),
        }
    }

    fn batch(self, device: &Device) -> Batch {
        Batch {
            clips: Tensor::from_data(self.clips, device),
            condition: Tensor::from_data(self.condition, device),
            noise: Tensor::from_data(self.noise, device),
            places: self.places,
        }
    }
}
