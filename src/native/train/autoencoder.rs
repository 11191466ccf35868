//! `lfdm train autoencoder`: the auto-encoder of single frames that the latent baseline, `lfdm train ldm`, diffuses the latents of.
//!
//! It learns as stage 1 does, from pictures alone, by the same pyramid of absolute differences. LDM's regularisation of the latent, which it
//! weighs with 1e-6 (Rombach et al. 2022, Appendix G), is left out, and so is its discriminator, as stage 1 has none.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use burn::optim::AdamConfig;
use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::lfae::{adam, open_vgg, perceptual, prefetch, pyramid_l1};
use super::perceptual::Vgg19;
use super::{Draw, Figures, RunArgs, Stage, Terms};
use crate::native::baseline::{AutoencoderConfig, FrameAutoencoder};
use crate::native::contact_sheet::ContactSheet;
use crate::native::data::{AugmentArgs, Augmentation, ClipSet, PairBatch, PairOptions, Prefetch, Split, parse_zoom};
use crate::native::metrics::{Score, psnr};
use crate::portrait::planar_to_rgba;
use crate::weights::{StateDict, WeightsError, collect_module, load_module};

/// People in a preview; the figure beside it is of them only.
const PEOPLE: usize = 8;
/// What the perceptual loss counts beside the pyramid, as in stage 1.
const PERCEPTUAL_WEIGHT: f64 = 1.0;

/// `lfdm train autoencoder`
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub run: RunArgs,
    /// Side of the frames in pixels.
    #[arg(long, default_value_t = 64)]
    pub size: usize,
    /// Channels of the latent.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    pub latent_channels: u16,
    /// Halvings of the side: the latent of 64 pixels has 16 cells after 2.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=5))]
    pub down_blocks: u16,
    /// torchvision's weights of VGG19, `.pth` or safetensors: adds the perceptual loss.
    #[arg(long)]
    pub vgg: Option<PathBuf>,
    /// Largest random enlargement of a frame.
    #[arg(long, default_value_t = 1.5, value_parser = parse_zoom)]
    pub max_zoom: f32,
    #[command(flatten)]
    pub augment: AugmentArgs,
}

/// What a checkpoint of the auto-encoder was trained with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Side of the frames in pixels.
    pub size: usize,
    pub autoencoder: AutoencoderConfig,
    pub augmentation: Augmentation,
    pub max_zoom: f32,
    pub batch: usize,
    pub accumulate: u16,
    /// Whether VGG19 judged the pictures.
    pub perceptual: bool,
}

/// Trains the auto-encoder.
pub fn run(args: &Args) -> Result<()> {
    let autoencoder = AutoencoderConfig {
        down_blocks: usize::from(args.down_blocks),
        latent_channels: usize::from(args.latent_channels),
        ..AutoencoderConfig::default()
    };
    let multiple = autoencoder.reduction();
    ensure!(args.size > 0 && args.size.is_multiple_of(multiple), "--size must be a multiple of {multiple}");
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
    let options = settings.pair_options();
    let train = prefetch(train, &args.run, move |_| options);
    super::run(&AutoencoderStage { train, validation, vgg, settings }, &args.run, None)
}

impl Settings {
    fn pair_options(&self) -> PairOptions {
        PairOptions { augmentation: self.augmentation, max_zoom: self.max_zoom, ..PairOptions::default() }
    }
}

struct AutoencoderStage {
    /// Two frames of each clip.
    train: Prefetch<PairBatch>,
    validation: ClipSet,
    vgg: Option<Vgg19>,
    settings: Settings,
}

impl Stage for AutoencoderStage {
    type Model = FrameAutoencoder;
    type Settings = Settings;

    fn name(&self) -> &'static str {
        "frame auto-encoder"
    }

    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn adam(&self) -> AdamConfig {
        adam()
    }

    fn init(&self, device: &Device) -> FrameAutoencoder {
        self.settings.autoencoder.init(device)
    }

    fn load(&self, model: FrameAutoencoder, weights: StateDict) -> Result<FrameAutoencoder, WeightsError> {
        load_module(model, &weights, &str::to_owned)
    }

    fn export(&self, model: &FrameAutoencoder) -> StateDict {
        collect_module(model, &str::to_owned)
    }

    fn loss(&self, model: &FrameAutoencoder, draw: Draw, device: &Device) -> (Tensor<1>, Terms) {
        self.loss_on(self.train.get(draw.index()), model, device)
    }

    fn validate(&self, model: &FrameAutoencoder, step: u64, dir: &Path, device: &Device) -> Result<Figures> {
        const BATCHES: u64 = 8;
        // The same frames at every validation, so that the figures compare.
        let loss = |batch| {
            let pairs = self.validation.pairs(&self.settings.pair_options(), self.settings.batch, 0, batch);
            self.loss_on(pairs, model, device).0.into_scalar::<f32>()
        };
        let loss = (0..BATCHES).map(loss).sum::<f32>() / BATCHES as f32;
        let score = self.preview(model, &dir.join(format!("autoencoder-{step:07}.png")), device)?;
        Ok(vec![("loss", f64::from(loss)), ("psnr", score.frame)])
    }

    fn next_command(&self, run: &Path) -> Option<String> {
        Some(format!("lfdm train ldm --data DATA --autoencoder {} --out RUN --steps 2000 --lr 5e-4", run.display()))
    }
}

impl AutoencoderStage {
    fn loss_on(&self, pairs: PairBatch, model: &FrameAutoencoder, device: &Device) -> (Tensor<1>, Terms) {
        let PairBatch { batch, size, source, driving, .. } = pairs;
        let frames = TensorData::new([source, driving].concat(), [2 * batch, 3, size, size]);
        let frames = Tensor::<4>::from_data(frames, device);
        let rebuilt = model.rebuild(frames.clone());
        let reconstruction = pyramid_l1(rebuilt.clone(), &frames, &Tensor::ones([2 * batch, 1, size, size], device));
        let mut terms = vec![("reconstruction", reconstruction.clone())];
        let mut total = reconstruction;
        if let Some(vgg) = &self.vgg {
            let perceptual = perceptual(vgg, &rebuilt, &frames);
            total = total + perceptual.clone() * PERCEPTUAL_WEIGHT;
            terms.push(("perceptual", perceptual));
        }
        (total, terms)
    }

    /// Apex frames of the first people beside what becomes of them, and the mean PSNR.
    fn preview(&self, model: &FrameAutoencoder, path: &Path, device: &Device) -> Result<Score> {
        let size = self.settings.size;
        let mut sheet = ContactSheet::new([size; 2]);
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
