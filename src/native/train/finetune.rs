//! `lfdm finetune`: the decoder alone learns to paint pictures of a new domain, as in the paper.
//!
//! Motion needs no labels here: the auto-encoder finds it between two frames of a clip. Encoder,
//! flow predictor and diffusion model stay as they are, bit by bit, so what the model makes of a
//! label stays what it was. With `--finer` a further refinement learns with the decoder, to find
//! motion on a grid twice as fine; that is another motion space, in which the diffusion model has
//! to be trained on.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::adversary::{self, AdversarialLosses, Adversary};
use super::args::RunArgs;
use super::decoding::{DecodingRecipe, adam, files, open_vgg, pack_vgg, prefetch, unpack_vgg};
use super::frozen::{self, FrozenLfae};
use super::losses::{Pairs, flow_error, visibility_error, warping_error};
use super::motion_augmentation::augment_motion;
use super::parcel::Parcel;
use super::perceptual::Vgg19;
use super::stage::{Draw, Loss, Metrics, Objective, Spec, Stage};
use super::{inherit, preview, run};
use crate::config::LfdmConfig;
use crate::lfae::{
    Estimate, FINE_REFINEMENT, FlowRefinement, Generator, LatentFlowAutoencoder, ReferenceFeatures, is_decoder,
    is_flow_predictor, is_lfae, official_key,
};
use crate::motion::Motion;
use crate::native::checkpoint::Source;
use crate::native::data::{
    AugmentArgs, Augmentation, ClipSet, Crop, PairBatch, PairOptions, Prefetch, Split, fingerprint_of,
};
use crate::native::numbers;
use crate::weights::{StateDict, collect_module};

/// `lfdm finetune`
#[derive(Debug, Clone, clap::Args)]
#[command(
    mut_arg("steps", |arg| arg.required(false).default_value("1000")),
    mut_arg("lr", |arg| arg.required(false).default_value("0.0001")),
)]
pub(crate) struct Args {
    /// The model: a bundle, or a run directory of `lfdm train lfae` or of an earlier fine-tuning.
    #[arg(long)]
    model: PathBuf,
    #[command(flatten)]
    run: RunArgs,
    /// Add a painter, which shows the motion to the decoder, to a model that has none. It changes
    /// nothing before the first step.
    #[arg(long)]
    painter: bool,
    /// Also learn to find motion on a grid of twice as many rows and columns. Until the first step,
    /// the motion is as coarse as before. Stage 2 then has to be trained on the new motion:
    /// `lfdm train dm --init`.
    #[arg(long)]
    finer: bool,
    #[command(flatten)]
    motion: MotionArgs,
    /// torchvision's weights of VGG19, `.pth` or safetensors. They add the perceptual loss of the
    /// official training.
    #[arg(long, value_name = "FILE")]
    vgg: Option<PathBuf>,
    /// Train against an adversary, a network that learns at the same time to tell painted patches
    /// from real ones, and give its verdict this weight. Teeth and eyelids become sharper, at the
    /// cost of some PSNR; begin with 1. A run that continues from one with an adversary takes that
    /// adversary over [default: no adversary]
    #[arg(long, value_name = "WEIGHT", value_parser = numbers::positive)]
    adversary: Option<f64>,
    /// Weight of the distance between painted and real frame in the adversary's own features. The
    /// verdict alone asks for detail that looks real wherever it lies; this asks for the detail
    /// that is there [default: not used]
    #[arg(long, value_name = "WEIGHT", requires = "adversary", value_parser = numbers::positive)]
    feature_matching: Option<f64>,
    /// Share of the pairs whose motion loses some of its detail to equally strong noise before the
    /// decoder sees it: the conditioning augmentation of Ho et al. 2022. It prepares the decoder
    /// for the motion of stage 2, whose detail is made up; 0.6 is a good value.
    #[arg(long, value_name = "PROBABILITY", default_value_t = 0.0, value_parser = numbers::probability)]
    motion_augmentation: f32,
    #[command(flatten)]
    recipe: DecodingRecipe,
    #[command(flatten)]
    augment: AugmentArgs,
}

/// How the finer motion is learned.
#[derive(Debug, Clone, clap::Args)]
struct MotionArgs {
    /// Directory of exact flows (`s000000_k0_flow32.npy` …). With --finer they teach the finer motion. Without it the
    /// decoder learns to paint from them, wherever frame 0 is the source, which prepares it for a stage 2 of
    /// `lfdm train dm --flow` [default: the motion that the auto-encoder sees]
    #[arg(long, value_name = "DIR")]
    flow: Option<PathBuf>,
    #[command(flatten)]
    recipe: MotionRecipe,
}

/// How much each term counts that teaches the finer motion, in addition to the decoder's loss.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, clap::Args)]
struct MotionRecipe {
    /// Weight of the L1 distance, over three scales, between the driving frame and the source as
    /// the motion alone warps it, where frame 0 shows the point. A brow is a few cells, which exact
    /// flow, averaged over all of them, hardly notices.
    #[arg(long, value_name = "WEIGHT", requires = "finer", default_value_t = 10.0, value_parser = numbers::weight)]
    warping: f64,
    /// Weight of the squared distance between flow and exact flow, where frame 0 shows the point;
    /// in pixels of a 64-pixel image.
    #[arg(
        long,
        value_name = "WEIGHT",
        requires = "flow",
        requires = "finer",
        default_value_t = 0.3,
        value_parser = numbers::weight,
    )]
    flow_weight: f64,
    /// Weight of the cross-entropy between occlusion and exact visibility.
    #[arg(
        long,
        value_name = "WEIGHT",
        requires = "flow",
        requires = "finer",
        default_value_t = 0.1,
        value_parser = numbers::weight,
    )]
    visibility: f64,
    /// First steps, which train the motion alone; they decode nothing, so they are cheap.
    #[arg(long, value_name = "STEPS", requires = "finer", default_value_t = 0)]
    motion_warm_up: u64,
}

/// What a checkpoint of the fine-tuning was trained with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Settings {
    config: LfdmConfig,
    /// The model's labels; the new clips have none.
    labels: Vec<String>,
    recipe: DecodingRecipe,
    /// How the finer motion was learned.
    motion: Option<MotionRecipe>,
    /// Whether exact flow was used.
    supervised: bool,
    augmentation: Augmentation,
    batch: usize,
    accumulate: u16,
    /// The part of the frames that is seen, if not all of it.
    crop: Option<Crop>,
    /// Whether the loss had the perceptual term.
    perceptual: bool,
    /// Weight of the adversary's verdict.
    adversary: Option<f64>,
    /// Weight of the distance of the adversary's features.
    feature_matching: Option<f64>,
    /// Share of the pairs with augmented motion.
    motion_augmentation: f32,
    /// The step of the auto-encoder, before any fine-tuning of its decoder, whose motion is used;
    /// `None` where that is learned too.
    lfae_step: Option<u64>,
}

impl Settings {
    fn is_warming_up(&self, step: u64) -> bool {
        self.motion.as_ref().is_some_and(|motion| step < motion.motion_warm_up)
    }

    fn pair_options(&self, step: u64) -> PairOptions {
        let mut options = self.recipe.pair_options(self.augmentation);
        if self.is_warming_up(step) {
            options.first_frame_probability = 1.0;
        }
        options
    }
}

/// Trains the decoder.
pub(crate) fn run(args: &Args) -> Result<()> {
    let base = FrozenLfae::open(&args.model)?;
    let settings = settings(args, &base)?;
    let claim = args.run.claim()?;
    let ([size, _], [grid, _]) = (settings.config.image_size, settings.config.flow_size());
    let open = |split| -> Result<ClipSet> {
        let data = args.run.reading.open(&args.run.data, args.motion.flow.as_deref(), size, None, split)?;
        Ok(data.with_grid(grid))
    };
    let (train, validation) = (open(Split::Train)?, open(Split::Val)?);
    let data = fingerprint_of([&train, &validation]);
    let frozen = base.init(&args.run.device.open()?)?;
    let files = files(args.vgg.as_deref())?;
    let vgg = args.vgg.as_deref().map(|path| open_vgg(path, &args.run)).transpose()?;
    let pair_options = settings.clone();
    let train = prefetch(train, &args.run, move |step| pair_options.pair_options(step));
    let source = Source { data, motion: base.fingerprint, files, fps: None };
    let base = Base { config: base.config, weights: base.weights };
    let objective = DecoderObjective { settings: settings.clone(), vgg, base, frozen };
    let spec = Spec { name: "decoder", settings, source, optimizer: adam(), parameter_name: official_key };
    let stage = DecoderStage { spec, objective, train, validation };
    run::run(&stage, &args.run, Some(&args.model), claim)
}

/// What is to be trained, and how, beginning with the model `base`.
fn settings(args: &Args, base: &FrozenLfae) -> Result<Settings> {
    let mut config = if args.finer { base.config.clone().with_fine_motion() } else { base.config.clone() };
    let ([height, width], [rows, columns]) = (config.image_size, config.flow_size());
    ensure!(height == width && rows == columns, "the model is for {width}x{height} pixels, but clips are square");
    ensure!(
        args.adversary.is_none() || height.is_multiple_of(adversary::REDUCTION),
        "--adversary needs frames whose sides are divisible by {}, but the model's are {height}",
        adversary::REDUCTION
    );
    ensure!(
        args.motion_augmentation == 0.0 || rows.is_multiple_of(2),
        "--motion-augmentation needs motion on a grid with an even number of rows, but the model's has {rows}"
    );
    config.lfae.generator.painter |= args.painter;
    config.lfae.validate()?;
    Ok(Settings {
        labels: base.labels.clone(),
        config,
        recipe: args.recipe.clone(),
        augmentation: args.augment.augmentation(),
        batch: args.run.batch,
        accumulate: args.run.accumulate,
        crop: args.run.reading.crop,
        motion: args.finer.then(|| args.motion.recipe.clone()),
        supervised: args.motion.flow.is_some(),
        perceptual: args.vgg.is_some(),
        adversary: args.adversary,
        feature_matching: args.feature_matching,
        motion_augmentation: args.motion_augmentation,
        lfae_step: (!args.finer).then_some(base.step),
    })
}

/// What keys of the adversary begin with, in the weights of a run. No bundle has them.
const ADVERSARY: &str = "adversary.";

/// What fine-tuning changes, and the encoder that belongs to it.
#[derive(Module, Debug)]
pub(super) struct Learner {
    /// Only its decoder is reached by the loss.
    generator: Generator,
    /// Where finer motion is learned.
    fine_refinement: Option<FlowRefinement>,
    adversary: Option<Adversary>,
}

struct DecoderStage {
    spec: Spec<Settings>,
    objective: DecoderObjective,
    train: Prefetch<PairBatch>,
    validation: ClipSet,
}

impl Stage for DecoderStage {
    type Objective = DecoderObjective;
    type Settings = Settings;

    fn spec(&self) -> &Spec<Settings> {
        &self.spec
    }

    fn objective(&self) -> &DecoderObjective {
        &self.objective
    }

    fn adapt(&self, weights: StateDict, fresh: &StateDict) -> StateDict {
        // A run that had an adversary hands it on.
        let mut adversary = fresh.clone().filter(is_adversary);
        if !adversary.is_empty() {
            adversary.merge(weights.clone().filter(is_adversary));
        }
        let learns =
            |key: &str| !is_flow_predictor(key) || (self.objective.is_finer() && key.starts_with(FINE_REFINEMENT));
        let mut weights = inherit::adapt_lfae(weights.filter(|key| is_lfae(key) && learns(key)), fresh);
        weights.merge(adversary);
        weights
    }

    fn export(&self, model: &Learner) -> StateDict {
        let learned = |key: &str| is_adversary(key) || key.starts_with(FINE_REFINEMENT) || is_decoder(key);
        let mut weights = self.objective.base.weights.clone();
        weights.merge(collect_module(model, &official_key).filter(learned));
        weights
    }

    fn batch(&self, draw: Draw, device: &Device) -> Result<Pairs> {
        Ok(Pairs::new(self.train.get(draw.index()), device))
    }

    fn validate(&self, model: &Learner, step: u64, dir: &Path, device: &Device) -> Result<Metrics> {
        const BATCHES: u64 = 8;
        // The same pairs at every validation, past the warm-up, so that the metrics compare.
        let draw = Draw::of(0, u64::MAX, 1);
        let settings = &self.spec.settings;
        let options = settings.pair_options(draw.step);
        let loss = |index| {
            let pairs = self.validation.pairs(&options, settings.batch, 0, index);
            self.objective.loss(model, Pairs::new(pairs, device), draw, device).total.into_scalar::<f32>()
        };
        let loss = (0..BATCHES).map(loss).sum::<f32>() / BATCHES as f32;
        let mut flow_predictor = self.objective.frozen.flow_predictor.clone().to_device(device);
        if self.objective.is_finer() {
            flow_predictor.fine_refinement.clone_from(&model.fine_refinement);
        }
        let whole = LatentFlowAutoencoder { generator: model.generator.clone(), flow_predictor };
        let mut metrics = vec![("loss", f64::from(loss))];
        let path = dir.join(format!("decoder-{step:07}.png"));
        metrics.extend(preview::reconstructions(&whole, device, &self.validation, &path)?);
        Ok(metrics)
    }

    fn psnrs(&self) -> Option<[&'static str; 2]> {
        Some(preview::PSNRS)
    }

    fn next_command(&self, run: &Path) -> Option<String> {
        Some(format!("lfdm export --lfae {} --dm DM --name NAME --out MODEL", run.display()))
    }
}

/// What fine-tuning minimises.
pub(super) struct DecoderObjective {
    settings: Settings,
    vgg: Option<Vgg19>,
    /// The auto-encoder as it was.
    base: Base,
    /// The same in its inference form.
    frozen: LatentFlowAutoencoder,
}

/// The auto-encoder that a decoder belongs to.
struct Base {
    config: LfdmConfig,
    weights: StateDict,
}

/// The prefix of the auto-encoder's weights in a parcel.
const BASE: &str = "base";

impl DecoderObjective {
    /// Whether finer motion is learned.
    fn is_finer(&self) -> bool {
        self.settings.motion.is_some()
    }
}

impl Objective for DecoderObjective {
    type Model = Learner;
    type Batch = Pairs;
    const NAME: &'static str = "decoder";

    fn init(&self, device: &Device) -> Learner {
        let Settings { config, adversary, .. } = &self.settings;
        let fine_refinement = if self.is_finer() { config.lfae.init_fine_refinement(device) } else { None };
        let adversary = adversary.map(|_| Adversary::new(device));
        Learner { generator: config.lfae.init_generator(device), fine_refinement, adversary }
    }

    fn pack(&self) -> Result<Parcel> {
        let parcel = Parcel::new(&(&self.settings, &self.base.config))?.with_weights(BASE, &self.base.weights);
        Ok(pack_vgg(parcel, self.vgg.as_ref()))
    }

    fn unpack(mut parcel: Parcel, device: &Device) -> Result<Self> {
        let (settings, config): (Settings, LfdmConfig) = parcel.words()?;
        settings.config.validate()?;
        config.validate()?;
        let vgg = unpack_vgg(&mut parcel, device)?;
        let weights = parcel.weights(BASE).unwrap_or_default();
        let frozen = frozen::init(&config, &weights, &device.clone().inner())?;
        Ok(Self { settings, vgg, base: Base { config, weights }, frozen })
    }

    fn loss(&self, model: &Learner, pairs: Pairs, draw: Draw, device: &Device) -> Loss {
        let settings = &self.settings;
        let (features, mut motion, mut logits) = self.estimate_frozen(&pairs, device);
        if let Some(refinement) = &model.fine_refinement {
            (motion, logits) =
                refinement.forward_upsampled(pairs.source.clone(), pairs.driving.clone(), &motion, logits);
        }
        let mut loss = Loss::zero(device);
        if let Some(recipe) = &settings.motion {
            let warped = model.generator.deform(&pairs.source, &motion);
            let warping = warping_error(warped, &motion, &pairs, settings.recipe.motion_focus);
            loss.add("warping", warping, recipe.warping);
            if settings.supervised {
                loss.add("flow", flow_error(&motion, &pairs), recipe.flow_weight);
                loss.add("visibility", visibility_error(logits, &pairs), recipe.visibility);
            }
        }
        if settings.is_warming_up(draw.step) {
            return loss;
        }
        // The held-out loss is of the motion as it is.
        if device.is_autodiff() && settings.motion_augmentation > 0.0 {
            // Of another seed than what the adversary draws.
            let mut noise = Draw { seed: !draw.seed, ..draw }.noise();
            motion = augment_motion(motion, settings.motion_augmentation, &mut noise);
        }
        let decoded = model.generator.decode(pairs.source.clone(), &features, &motion);
        let prediction = decoded.prediction.clone();
        loss.include(settings.recipe.loss(decoded, &pairs, self.vgg.as_ref()));
        // The held-out loss is without the adversary, whose measure changes as it learns.
        if let (Some(adversary), Some(weight), true) = (&model.adversary, settings.adversary, device.is_autodiff()) {
            let focus = settings.recipe.focus(&pairs);
            let losses = adversary.losses(&prediction, &pairs.driving, focus, draw.noise());
            let AdversarialLosses { fooling, mismatch, judging } = losses;
            loss.add("fooling", fooling, weight);
            loss.add("judging", judging, 1.0);
            if let Some(weight) = settings.feature_matching {
                loss.add("matching", mismatch, weight);
            }
        }
        loss
    }
}

impl DecoderObjective {
    /// What the model as it was finds in the pairs, without gradients: features, and motion with
    /// the logits of its occlusion, before any fine refinement that learns here. The motion may also be the exact one,
    /// which has no logits.
    fn estimate_frozen(&self, pairs: &Pairs, device: &Device) -> (ReferenceFeatures, Motion, Option<Tensor<4>>) {
        let inner = |image: &Tensor<4>| if device.is_autodiff() { image.clone().inner() } else { image.clone() };
        let outer = |x: Tensor<4>| if device.is_autodiff() { Tensor::from_inner(x) } else { x };
        let (source, driving) = (inner(&pairs.source), inner(&pairs.driving));
        let frozen = self.frozen.clone().to_device(&source.device());
        let features =
            ReferenceFeatures { levels: frozen.encode(source.clone()).levels.into_iter().map(outer).collect() };
        let outer_motion = |motion: Motion| Motion { flow: outer(motion.flow), occlusion: outer(motion.occlusion) };
        if self.settings.supervised && !self.is_finer() {
            let motion = pairs.exact_motion_or(|| outer_motion(frozen.estimate_motion(source, driving)));
            return (features, motion, None);
        }
        let Estimate { motion, occlusion_logits, .. } = if self.is_finer() {
            frozen.flow_predictor.coarse(source, driving)
        } else {
            frozen.estimate(source, driving)
        };
        (features, outer_motion(motion), occlusion_logits.map(outer))
    }
}

fn is_adversary(key: &str) -> bool {
    key.starts_with(ADVERSARY)
}
