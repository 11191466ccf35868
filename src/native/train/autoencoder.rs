//! `lfdm train autoencoder`: the auto-encoder of single frames, whose latents the baseline of `lfdm
//! train ldm` diffuses.
//!
//! Like stage 1 it learns from pictures alone, by the same pyramid of absolute differences. It
//! leaves out LDM's regularisation of the latent, whose weight is 1e-6 there (Rombach et al. 2022,
//! Appendix G), and LDM's discriminator, since stage 1 has none.

use std::path::{Path, PathBuf};

use anyhow::Result;
use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::args::RunArgs;
use super::decoding::{adam, files, open_vgg, pack_vgg, prefetch, unpack_vgg};
use super::losses::pyramid_l1;
use super::parcel::Parcel;
use super::perceptual::{PerceptualPyramid, Vgg19};
use super::preview::PEOPLE;
use super::run;
use super::stage::{Cargo, Draw, Loss, Metrics, Objective, Spec, Stage};
use crate::native::baseline::{AutoencoderConfig, FrameAutoencoder};
use crate::native::checkpoint::Source;
use crate::native::contact_sheet::ContactSheet;
use crate::native::data::{
    AugmentArgs, Augmentation, ClipSet, PairBatch, PairOptions, Prefetch, Split, fingerprint_of,
};
use crate::native::metrics::{Score, psnr};
use crate::native::numbers;
use crate::portrait::planar_to_rgba;

/// Weight of the perceptual loss, against 1 of the pyramid, as in stage 1.
const PERCEPTUAL_WEIGHT: f64 = 1.0;

/// `lfdm train autoencoder`
#[derive(Debug, Clone, clap::Args)]
#[command(
    mut_arg("steps", |arg| arg.required(false).default_value("3000")),
    mut_arg("lr", |arg| arg.required(false).default_value("0.0004")),
)]
pub(crate) struct Args {
    #[command(flatten)]
    run: RunArgs,
    /// Side of the frames in pixels.
    #[arg(long, value_name = "SIDE", default_value_t = 64)]
    size: usize,
    /// Channels of the latent.
    #[arg(long, value_name = "CHANNELS", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    latent_channels: u16,
    /// How often the side is halved: after 2 halvings, the latent of 64 pixels has 16 cells each way.
    #[arg(long, value_name = "HALVINGS", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=5))]
    down_blocks: u16,
    /// torchvision's weights of VGG19, `.pth` or safetensors. They add a perceptual loss.
    #[arg(long, value_name = "FILE")]
    vgg: Option<PathBuf>,
    /// Largest random enlargement of a frame.
    #[arg(long, default_value_t = 1.5, value_parser = numbers::zoom)]
    max_zoom: f32,
    #[command(flatten)]
    augment: AugmentArgs,
}

/// What a checkpoint of the auto-encoder was trained with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Side of the frames in pixels.
    pub(crate) size: usize,
    pub(crate) autoencoder: AutoencoderConfig,
    augmentation: Augmentation,
    max_zoom: f32,
    batch: usize,
    accumulate: u16,
    /// Whether the loss had the perceptual term.
    perceptual: bool,
}

impl Settings {
    fn pair_options(&self) -> PairOptions {
        PairOptions { augmentation: self.augmentation, max_zoom: self.max_zoom, ..PairOptions::default() }
    }
}

/// Trains the auto-encoder.
pub(crate) fn run(args: &Args) -> Result<()> {
    let autoencoder = AutoencoderConfig {
        down_blocks: usize::from(args.down_blocks),
        latent_channels: usize::from(args.latent_channels),
        ..AutoencoderConfig::default()
    };
    autoencoder.check(args.size)?;
    let claim = args.run.claim()?;
    let open = |split| args.run.reading.open(&args.run.data, None, args.size, None, split);
    let (train, validation) = (open(Split::Train)?, open(Split::Val)?);
    let settings = Settings {
        size: args.size,
        autoencoder,
        augmentation: args.augment.augmentation(),
        max_zoom: args.max_zoom,
        batch: args.run.batch,
        accumulate: args.run.accumulate,
        perceptual: args.vgg.is_some(),
    };
    let vgg = args.vgg.as_deref().map(|path| open_vgg(path, &args.run)).transpose()?;
    let data = fingerprint_of([&train, &validation]);
    let source = Source { data, files: files(args.vgg.as_deref())?, ..Source::default() };
    let options = settings.pair_options();
    let train = prefetch(train, &args.run, move |_| options);
    let objective = AutoencoderObjective { size: args.size, config: settings.autoencoder.clone(), vgg };
    let spec = Spec { name: "frame auto-encoder", settings, source, optimizer: adam(), parameter_name: str::to_owned };
    run::run(&AutoencoderStage { spec, objective, train, validation }, &args.run, None, claim)
}

struct AutoencoderStage {
    spec: Spec<Settings>,
    objective: AutoencoderObjective,
    /// Two frames of each clip.
    train: Prefetch<PairBatch>,
    validation: ClipSet,
}

impl Stage for AutoencoderStage {
    type Objective = AutoencoderObjective;
    type Settings = Settings;

    fn spec(&self) -> &Spec<Settings> {
        &self.spec
    }

    fn objective(&self) -> &AutoencoderObjective {
        &self.objective
    }

    fn batch(&self, draw: Draw, device: &Device) -> Result<Frames> {
        Ok(Frames::new(self.train.get(draw.index()), device))
    }

    fn validate(&self, model: &FrameAutoencoder, step: u64, dir: &Path, device: &Device) -> Result<Metrics> {
        const BATCHES: u64 = 8;
        // The same frames at every validation, so that the metrics compare.
        let loss = |batch| {
            let pairs = self.validation.pairs(&self.spec.settings.pair_options(), self.spec.settings.batch, 0, batch);
            self.objective.loss_on(Frames::new(pairs, device), model, device).total.into_scalar::<f32>()
        };
        let loss = (0..BATCHES).map(loss).sum::<f32>() / BATCHES as f32;
        let score = self.preview(model, &dir.join(format!("autoencoder-{step:07}.png")), device)?;
        Ok(vec![("loss", f64::from(loss)), ("psnr", score.frame)])
    }

    fn next_command(&self, run: &Path) -> Option<String> {
        Some(format!("lfdm train ldm --data DATA --autoencoder {} --out RUN --steps 2000 --lr 5e-4", run.display()))
    }
}

/// What the auto-encoder minimises.
pub(super) struct AutoencoderObjective {
    size: usize,
    config: AutoencoderConfig,
    vgg: Option<Vgg19>,
}

impl Objective for AutoencoderObjective {
    type Model = FrameAutoencoder;
    type Batch = Frames;
    const NAME: &'static str = "autoencoder";

    fn init(&self, device: &Device) -> FrameAutoencoder {
        self.config.init(device)
    }

    fn loss(&self, model: &FrameAutoencoder, frames: Frames, _draw: Draw, device: &Device) -> Loss {
        self.loss_on(frames, model, device)
    }

    fn pack(&self) -> Result<Parcel> {
        Ok(pack_vgg(Parcel::new(&(self.size, &self.config))?, self.vgg.as_ref()))
    }

    fn unpack(mut parcel: Parcel, device: &Device) -> Result<Self> {
        let (size, config): (usize, AutoencoderConfig) = parcel.words()?;
        config.check(size)?;
        Ok(Self { size, config, vgg: unpack_vgg(&mut parcel, device)? })
    }
}

impl AutoencoderObjective {
    fn loss_on(&self, Frames(frames): Frames, model: &FrameAutoencoder, device: &Device) -> Loss {
        let [count, _, height, width] = frames.dims();
        let rebuilt = model.rebuild(frames.clone());
        let everywhere = Tensor::ones([count, 1, height, width], device);
        let mut loss = Loss::zero(device);
        loss.add("reconstruction", pyramid_l1(rebuilt.clone(), &frames, &everywhere), 1.0);
        if let Some(vgg) = &self.vgg {
            let perceptual = vgg.loss(&rebuilt, &frames, &PerceptualPyramid::default());
            loss.add("perceptual", perceptual, PERCEPTUAL_WEIGHT);
        }
        loss
    }
}

impl AutoencoderStage {
    /// Draws apex frames of the first people next to their reconstructions, and returns the mean PSNR.
    fn preview(&self, model: &FrameAutoencoder, path: &Path, device: &Device) -> Result<Score> {
        let size = self.spec.settings.size;
        let mut sheet = ContactSheet::new([size; 2]).with_headings(["real", "rebuilt"]);
        let mut scores = Vec::new();
        for subject in 0..self.validation.len().min(PEOPLE) {
            let mut clips = self.validation.clips_of(subject);
            let Some(clip) = clips.nth(subject % clips.len()) else { continue };
            let frame = clip.frame(self.validation.apex_frame());
            let rebuilt = model.rebuild(Tensor::from_data(TensorData::new(frame.clone(), [1, 3, size, size]), device));
            let rebuilt: Vec<f32> = rebuilt.try_into_data()?.iter::<f32>().collect();
            scores.push(psnr(&clip.frame(0), &frame, &rebuilt));
            sheet.push(
                &self.validation.labels()[clip.label()],
                [frame, rebuilt].map(|frame| planar_to_rgba(&frame)).into(),
            );
        }
        sheet.save(path)?;
        Ok(Score::mean(&scores))
    }
}

/// Both frames of each pair, `[2 * batch, 3, size, size]`.
pub(super) struct Frames(Tensor<4>);

impl Frames {
    fn new(pairs: PairBatch, device: &Device) -> Self {
        let PairBatch { batch, size, source, driving, .. } = pairs;
        Self(Tensor::from_data(TensorData::new([source, driving].concat(), [2 * batch, 3, size, size]), device))
    }
}

impl Cargo for Frames {
    fn pack(self) -> Result<Parcel> {
        Ok(Parcel::new(&())?.with("frames", self.0))
    }

    fn unpack(mut parcel: Parcel, device: &Device) -> Result<Self> {
        Ok(Self(parcel.tensor("frames", device)?))
    }
}
