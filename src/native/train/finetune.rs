//! `lfdm finetune`: the decoder alone learns to paint pictures of a new domain, as in the paper.
//!
//! Motion needs no labels here: the auto-encoder finds it between two frames of a clip. Encoder, flow predictor and diffusion model are
//! taken over bit by bit, so what the model makes of a label stays what it was.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use burn::module::Module;
use burn::optim::AdamConfig;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::lfae::{DecodingRecipe, Pairs, adam, grown, open_vgg, prefetch};
use super::perceptual::Vgg19;
use super::{Draw, Figures, RunArgs, Stage, Terms};
use crate::config::LfdmConfig;
use crate::lfae::{
    Generator, LatentFlowAutoencoder, Motion, ReferenceFeatures, is_decoder, is_flow_predictor, is_lfae, official_key,
};
use crate::native::data::{AugmentArgs, Augmentation, ClipSet, PairBatch, Prefetch, Split};
use crate::native::model::open_trained;
use crate::native::preview;
use crate::weights::{StateDict, WeightsError, collect_module, load_module};

/// `lfdm finetune`
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The model: a bundle, or run directory of `lfdm train lfae`.
    #[arg(long)]
    pub model: PathBuf,
    #[command(flatten)]
    pub run: RunArgs,
    /// Give the decoder of an older model a painter, which shows it the motion; it changes nothing before the first step.
    #[arg(long)]
    pub painter: bool,
    /// torchvision's weights of VGG19, `.pth` or safetensors: adds the official perceptual loss.
    #[arg(long)]
    pub vgg: Option<PathBuf>,
    #[command(flatten)]
    pub recipe: DecodingRecipe,
    #[command(flatten)]
    pub augment: AugmentArgs,
}

/// What a checkpoint of the fine-tuning was trained with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    pub config: LfdmConfig,
    /// The model's labels; the new clips have none.
    pub labels: Vec<String>,
    pub recipe: DecodingRecipe,
    #[serde(default)]
    pub augmentation: Augmentation,
    pub batch: usize,
    pub accumulate: u16,
    /// Whether VGG19 judged the pictures.
    pub perceptual: bool,
    /// The step of the auto-encoder, before any fine-tuning, whose decoder learns.
    pub lfae_step: u64,
}

/// Trains the decoder.
pub fn run(args: &Args) -> Result<()> {
    let model = open_trained(&args.model)?;
    let lfae_step = model.lfae_step();
    let mut config = model.settings.config;
    let ([height, width], [rows, columns]) = (config.image_size, config.flow_size());
    ensure!(height == width && rows == columns, "the model is for {width}x{height} pixels, but clips are square");
    let open = |split| -> Result<ClipSet> {
        let data = args.run.reading.open(&args.run.data, None, height, None, split)?;
        Ok(data.with_grid(rows))
    };
    let (train, validation) = (open(Split::Train)?, open(Split::Val)?);
    let weights = model.weights.filter(is_lfae);
    let frozen = load_module(config.lfae.init(&args.run.device.open()), &weights, &official_key)
        .with_context(|| format!("cannot use the auto-encoder in {}", args.model.display()))?
        .fold_batch_norm();
    config.lfae.generator.painter |= args.painter;
    config.lfae.validate()?;
    let settings = Settings {
        labels: model.settings.labels,
        config,
        recipe: args.recipe.clone(),
        augmentation: args.augment.augmentation(),
        batch: args.run.batch,
        accumulate: args.run.accumulate,
        perceptual: args.vgg.is_some(),
        lfae_step,
    };
    let vgg = args.vgg.as_deref().map(|path| open_vgg(path, &args.run)).transpose()?;
    let options = settings.recipe.pair_options(settings.augmentation);
    let train = prefetch(train, &args.run, move |_| options);
    super::run(&DecoderStage { train, validation, vgg, frozen, weights, settings }, &args.run, Some(&args.model))
}

struct DecoderStage {
    train: Prefetch<PairBatch>,
    validation: ClipSet,
    vgg: Option<Vgg19>,
    /// The auto-encoder as it was, in its inference form.
    frozen: LatentFlowAutoencoder,
    /// Its weights.
    weights: StateDict,
    settings: Settings,
}

impl Stage for DecoderStage {
    /// Only its decoder is reached by the loss.
    type Model = Generator;
    type Settings = Settings;

    fn name(&self) -> &'static str {
        "decoder"
    }

    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn adam(&self) -> AdamConfig {
        adam()
    }

    fn init(&self, device: &Device) -> Generator {
        self.settings.config.lfae.init_generator(device)
    }

    fn load(&self, model: Generator, weights: StateDict) -> Result<Generator, WeightsError> {
        let weights = weights.filter(|key| is_lfae(key) && !is_flow_predictor(key));
        let weights = grown(weights, &collect_module(&model, &generator_key));
        load_module(model, &weights, &generator_key)
    }

    fn export(&self, model: &Generator) -> StateDict {
        let mut weights = self.weights.clone();
        weights.merge(collect_module(model, &generator_key).filter(is_decoder));
        weights
    }

    fn loss(&self, model: &Generator, draw: Draw, device: &Device) -> (Tensor<1>, Terms) {
        self.loss_on(self.train.get(draw.index()), model, device)
    }

    fn validate(&self, model: &Generator, step: u64, dir: &Path, device: &Device) -> Result<Figures> {
        const BATCHES: u64 = 8;
        // The same pairs at every validation, so that the figures compare.
        let options = self.settings.recipe.pair_options(self.settings.augmentation);
        let loss = |index| {
            let pairs = self.validation.pairs(&options, self.settings.batch, 0, index);
            self.loss_on(pairs, model, device).0.into_scalar::<f32>()
        };
        let loss = (0..BATCHES).map(loss).sum::<f32>() / BATCHES as f32;
        let whole = LatentFlowAutoencoder {
            generator: model.clone(),
            flow_predictor: self.frozen.flow_predictor.clone().to_device(device),
        };
        let mut figures = vec![("loss", f64::from(loss))];
        let path = dir.join(format!("decoder-{step:07}.png"));
        figures.extend(preview::reconstructions(&whole, device, &self.validation, &path)?);
        Ok(figures)
    }

    fn next_command(&self, run: &Path) -> Option<String> {
        Some(format!("lfdm export --lfae {} --dm DM --name NAME --out MODEL", run.display()))
    }
}

impl DecoderStage {
    fn loss_on(&self, pairs: PairBatch, model: &Generator, device: &Device) -> (Tensor<1>, Terms) {
        let recipe = &self.settings.recipe;
        let pairs = Pairs::new(pairs, device);
        let (features, motion) = self.see(&pairs, device);
        recipe.loss(model.decode(pairs.source.clone(), &features, &motion), &pairs, self.vgg.as_ref())
    }

    /// What the model as it was sees in the pairs, without gradients.
    fn see(&self, pairs: &Pairs, device: &Device) -> (ReferenceFeatures, Motion) {
        let inner = |image: &Tensor<4>| if device.is_autodiff() { image.clone().inner() } else { image.clone() };
        let outer = |x: Tensor<4>| if device.is_autodiff() { Tensor::from_inner(x) } else { x };
        let (source, driving) = (inner(&pairs.source), inner(&pairs.driving));
        let frozen = self.frozen.clone().to_device(&source.device());
        let levels = frozen.encode(source.clone()).levels.into_iter().map(outer).collect();
        let Motion { flow, occlusion } = frozen.estimate_motion(source, driving);
        (ReferenceFeatures { levels }, Motion { flow: outer(flow), occlusion: outer(occlusion) })
    }
}

/// The official key of a module path of the [`Generator`].
fn generator_key(path: &str) -> String {
    official_key(&format!("generator.{path}"))
}
