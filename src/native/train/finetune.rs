//! `lfdm finetune`: the decoder alone learns to paint pictures of a new domain, as in the paper.
//!
//! Motion needs no labels here: the auto-encoder finds it between two frames of a clip. Encoder, flow predictor and diffusion model are
//! taken over bit by bit, so what the model makes of a label stays what it was. With `--finer` a further refinement learns with the decoder, to find
//! motion on a grid twice as fine; that is another motion space, in which the diffusion model has to be trained on.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use burn::module::Module;
use burn::optim::AdamConfig;
use burn::tensor::module::avg_pool2d;
use burn::tensor::ops::AvgPoolOptions;
use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::adversary::{self, Adversary, Game};
use super::inherit::grown;
use super::lfae::{
    DecodingRecipe, Pairs, adam, flow_error, motion_focus, open_vgg, prefetch, visibility_error, warping_error,
};
use super::perceptual::Vgg19;
use super::preview;
use super::{Draw, Figures, RunArgs, Stage, Terms};
use crate::config::LfdmConfig;
use crate::lfae::{
    Estimate, FINE_REFINEMENT, FlowRefinement, Generator, LatentFlowAutoencoder, ReferenceFeatures, is_decoder,
    is_flow_predictor, is_lfae, official_key,
};
use crate::motion::Motion;
use crate::native::data::{
    AugmentArgs, Augmentation, ClipSet, Crop, PairBatch, PairOptions, Prefetch, Split, probability,
};
use crate::native::model::open_trained;
use crate::noise::NoiseSource;
use crate::tensor::{WAVELETS, coordinate_grid, haar, inverse_haar};
use crate::weights::{StateDict, WeightsError, collect_module, load_module};

/// `lfdm finetune`
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The model: a bundle, or run directory of `lfdm train lfae` or of an earlier fine-tuning.
    #[arg(long)]
    pub model: PathBuf,
    #[command(flatten)]
    pub run: RunArgs,
    /// Give the decoder of an older model a painter, which shows it the motion; it changes nothing before the first step.
    #[arg(long)]
    pub painter: bool,
    /// Also learn to find motion on a grid of twice as many rows and columns; it is as coarse as before until the first step. Stage 2 has to be trained
    /// on that motion: `lfdm train dm --init`.
    #[arg(long)]
    pub finer: bool,
    #[command(flatten)]
    pub motion: MotionArgs,
    /// torchvision's weights of VGG19, `.pth` or safetensors: adds the official perceptual loss.
    #[arg(long)]
    pub vgg: Option<PathBuf>,
    /// What the verdict of an adversary counts, a network that learns beside the decoder to tell painted patches from real ones: sharper teeth and
    /// lids, at the price of some PSNR. 1 is a good beginning. There is none without it. It goes on from that of --model, if that is a run that had one.
    #[arg(long, value_name = "WEIGHT", value_parser = parse_weight)]
    pub adversary: Option<f64>,
    /// What the distance between painted and real frame counts in the adversary's own features. The verdict alone asks for detail that looks real wherever it lies;
    /// this asks for the detail that is there.
    #[arg(long, value_name = "WEIGHT", requires = "adversary", value_parser = parse_weight)]
    pub feature_matching: Option<f64>,
    /// Share of the pairs whose motion loses some of its detail to noise as strong, before the decoder sees it: the conditioning augmentation of cascades
    /// (Ho et al. 2022). Detail that stage 2 makes up is as strong as real detail and knows less where it belongs.
    #[arg(long, value_name = "PROBABILITY", default_value_t = 0.0, value_parser = probability)]
    pub vague_motion: f32,
    #[command(flatten)]
    pub recipe: DecodingRecipe,
    #[command(flatten)]
    pub augment: AugmentArgs,
}

fn parse_weight(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(weight) if weight > 0.0 && f64::is_finite(weight) => Ok(weight),
        _ => Err("a positive number".to_owned()),
    }
}

/// What teaches the finer motion.
#[derive(Debug, Clone, clap::Args)]
pub struct MotionArgs {
    /// Directory of exact flows (`s000000_k0_flow32.npy` …) for the finer motion; it learns by the pictures alone without them.
    #[arg(long, requires = "finer")]
    pub flow: Option<PathBuf>,
    #[command(flatten)]
    pub recipe: MotionRecipe,
}

/// What the terms count that teach the finer motion, beside the decoder's error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, clap::Args)]
pub struct MotionRecipe {
    /// Multi-scale L1 between the driving frame and the source as the motion alone warps it, where frame 0 shows the point. A brow is a few cells: exact
    /// flow, averaged over all of them, hardly notices it.
    #[arg(long, requires = "finer", default_value_t = 10.0)]
    pub warping: f64,
    /// Squared distance between flow and exact flow, where frame 0 shows the point; in pixels of a 64-pixel image.
    #[arg(long, requires = "flow", default_value_t = 0.3)]
    pub flow_weight: f64,
    /// Cross-entropy between occlusion and exact visibility.
    #[arg(long, requires = "flow", default_value_t = 0.1)]
    pub visibility: f64,
    /// First steps that train the motion alone: no decoding, so they are cheap.
    #[arg(long, requires = "finer", default_value_t = 0)]
    pub motion_warm_up: u64,
}

/// What a checkpoint of the fine-tuning was trained with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    pub config: LfdmConfig,
    /// The model's labels; the new clips have none.
    pub labels: Vec<String>,
    pub recipe: DecodingRecipe,
    /// What taught the finer motion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub motion: Option<MotionRecipe>,
    /// Whether exact flow was used.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub supervised: bool,
    #[serde(default)]
    pub augmentation: Augmentation,
    pub batch: usize,
    pub accumulate: u16,
    /// The part of the frames that is seen, if not all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crop: Option<Crop>,
    /// Whether VGG19 judged the pictures.
    pub perceptual: bool,
    /// What the adversary's verdict counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adversary: Option<f64>,
    /// What the distance of the adversary's features counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature_matching: Option<f64>,
    /// The share of pairs with vague motion.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub vague_motion: f32,
    /// The step of the auto-encoder, before any fine-tuning of its decoder, whose motion is used; `None` where that is learned too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lfae_step: Option<u64>,
}

fn is_zero(share: &f32) -> bool {
    *share == 0.0
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
pub fn run(args: &Args) -> Result<()> {
    let model = open_trained(&args.model)?;
    let lfae_step = model.lfae_step();
    let older = model.settings.config;
    let mut config = if args.finer { older.clone().with_fine_motion() } else { older.clone() };
    let ([height, width], [rows, columns]) = (config.image_size, config.flow_size());
    ensure!(height == width && rows == columns, "the model is for {width}x{height} pixels, but clips are square");
    ensure!(
        args.adversary.is_none() || height.is_multiple_of(adversary::REDUCTION),
        "--adversary needs frames whose sides are divisible by {}, and the model's are {height}",
        adversary::REDUCTION
    );
    ensure!(
        args.vague_motion == 0.0 || rows.is_multiple_of(2),
        "--vague-motion needs a grid of motion with an even number of rows, and the model's has {rows}"
    );
    let open = |split| -> Result<ClipSet> {
        let data = args.run.reading.open(&args.run.data, args.motion.flow.as_deref(), height, None, split)?;
        Ok(data.with_grid(rows))
    };
    let (train, validation) = (open(Split::Train)?, open(Split::Val)?);
    let weights = model.weights.filter(is_lfae);
    let frozen = load_module(older.lfae.init(&args.run.device.open()), &weights, &official_key)
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
        crop: args.run.reading.crop,
        motion: args.finer.then(|| args.motion.recipe.clone()),
        supervised: args.motion.flow.is_some(),
        perceptual: args.vgg.is_some(),
        adversary: args.adversary,
        feature_matching: args.feature_matching,
        vague_motion: args.vague_motion,
        lfae_step: (!args.finer).then_some(lfae_step),
    };
    let vgg = args.vgg.as_deref().map(|path| open_vgg(path, &args.run)).transpose()?;
    let drawn = settings.clone();
    let train = prefetch(train, &args.run, move |step| drawn.pair_options(step));
    let stage = DecoderStage { train, validation, vgg, frozen, weights, settings, is_finer: args.finer };
    super::run(&stage, &args.run, Some(&args.model))
}

/// `motion` in which a `share` of the batch has lost some of its detail to noise that is as strong in the neighbourhood, channel by channel. Detail is what differs
/// within two by two cells ([`haar`]).
fn vague(motion: Motion, share: f32, noise: &mut NoiseSource) -> Motion {
    let Motion { flow, occlusion } = motion;
    let device = flow.device();
    let [batch, height, width, _] = flow.dims();
    // The slope of the grid itself is no detail.
    let grid = coordinate_grid([height, width], &device).unsqueeze::<4>();
    let displacement = (flow - grid.clone()).permute([0, 3, 1, 2]);
    let bands = haar(Tensor::cat(vec![displacement, occlusion], 1));
    let planes = bands.dims()[1] / WAVELETS;
    let detail = bands.clone().narrow(1, planes, bands.dims()[1] - planes);
    let around = AvgPoolOptions::new([3, 3]).with_stride([1, 1]).with_padding([1, 1]).with_count_include_pad(false);
    let strength = (avg_pool2d(detail.clone().square(), around) + MIN_DETAIL * MIN_DETAIL).sqrt();

    let (mut kept, mut made_up) = (Vec::with_capacity(batch), Vec::with_capacity(batch));
    for _ in 0..batch {
        let [is_vague, share_kept, level] = [(); 3].map(|()| noise.uniform() as f32);
        let share_kept = if is_vague < share { share_kept } else { 1.0 };
        kept.push(share_kept);
        made_up.push((1.0 - share_kept * share_kept).sqrt() * level);
    }
    let [kept, made_up] =
        [kept, made_up].map(|shares| Tensor::<4>::from_data(TensorData::new(shares, [batch, 1, 1, 1]), &device));
    let drawn = noise.normal(detail.dims(), &device);
    let detail = detail * kept + strength * drawn * made_up;
    let moved = inverse_haar(Tensor::cat(vec![bands.narrow(1, 0, planes), detail], 1));
    Motion {
        flow: moved.clone().narrow(1, 0, 2).permute([0, 2, 3, 1]) + grid,
        occlusion: moved.narrow(1, 2, 1).clamp(0.0, 1.0),
    }
}

/// Keeps the root of the strength differentiable where there is no detail.
const MIN_DETAIL: f32 = 1e-6;

/// What keys of the adversary begin with, in the weights of a run. No bundle has them.
const ADVERSARY: &str = "adversary";

/// What fine-tuning changes, and the encoder that belongs to it.
#[derive(Module, Debug)]
struct Learner {
    /// Only its decoder is reached by the loss.
    generator: Generator,
    /// Where finer motion is learned.
    fine_refinement: Option<FlowRefinement>,
    adversary: Option<Adversary>,
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
    /// Whether finer motion is learned.
    is_finer: bool,
}

impl Stage for DecoderStage {
    type Model = Learner;
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

    fn init(&self, device: &Device) -> Learner {
        let lfae = &self.settings.config.lfae;
        let fine_refinement = if self.is_finer { lfae.init_fine_refinement(device) } else { None };
        let adversary = self.settings.adversary.map(|_| Adversary::new(device));
        Learner { generator: lfae.init_generator(device), fine_refinement, adversary }
    }

    fn load(&self, mut model: Learner, weights: StateDict) -> Result<Learner, WeightsError> {
        let mut adversary = model.adversary.take();
        // A run that had an adversary hands it on.
        let judge = weights.sub(ADVERSARY);
        if !judge.is_empty() {
            adversary = adversary.map(|adversary| load_module(adversary, &judge, &str::to_owned)).transpose()?;
        }
        let learns = |key: &str| !is_flow_predictor(key) || (self.is_finer && key.starts_with(FINE_REFINEMENT));
        let weights = grown(weights.filter(|key| is_lfae(key) && learns(key)), &collect_module(&model, &official_key));
        Ok(Learner { adversary, ..load_module(model, &weights, &official_key)? })
    }

    fn export(&self, model: &Learner) -> StateDict {
        let mut weights = self.weights.clone();
        let learned =
            |key: &str| [ADVERSARY, FINE_REFINEMENT].iter().any(|prefix| key.starts_with(prefix)) || is_decoder(key);
        weights.merge(collect_module(model, &official_key).filter(learned));
        weights
    }

    fn loss(&self, model: &Learner, draw: Draw, device: &Device) -> (Tensor<1>, Terms) {
        self.loss_on(self.train.get(draw.index()), model, draw, device)
    }

    fn validate(&self, model: &Learner, step: u64, dir: &Path, device: &Device) -> Result<Figures> {
        const BATCHES: u64 = 8;
        // The same pairs at every validation, past the warm-up, so that the figures compare.
        let draw = Draw::of(0, u64::MAX, 1);
        let options = self.settings.pair_options(draw.step);
        let loss = |index| {
            let pairs = self.validation.pairs(&options, self.settings.batch, 0, index);
            self.loss_on(pairs, model, draw, device).0.into_scalar::<f32>()
        };
        let loss = (0..BATCHES).map(loss).sum::<f32>() / BATCHES as f32;
        let mut flow_predictor = self.frozen.flow_predictor.clone().to_device(device);
        if self.is_finer {
            flow_predictor.fine_refinement.clone_from(&model.fine_refinement);
        }
        let whole = LatentFlowAutoencoder { generator: model.generator.clone(), flow_predictor };
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
    fn loss_on(&self, pairs: PairBatch, model: &Learner, draw: Draw, device: &Device) -> (Tensor<1>, Terms) {
        let pairs = Pairs::new(pairs, device);
        let (features, mut motion, mut logits) = self.see(&pairs, device);
        if let Some(refinement) = &model.fine_refinement {
            (motion, logits) =
                refinement.forward_upsampled(pairs.source.clone(), pairs.driving.clone(), &motion, logits);
        }
        let (mut total, mut terms) = (Tensor::zeros([1], device), Terms::new());
        if let Some(recipe) = &self.settings.motion {
            let warped = model.generator.deform(&pairs.source, &motion);
            let warping = warping_error(warped, &motion, &pairs, self.settings.recipe.motion_focus);
            total = warping.clone() * recipe.warping;
            terms.push(("warping", warping));
            if self.settings.supervised {
                let (flow, visibility) = (flow_error(&motion, &pairs), visibility_error(logits, &pairs));
                total = total + flow.clone() * recipe.flow_weight + visibility.clone() * recipe.visibility;
                terms.extend([("flow", flow), ("visibility", visibility)]);
            }
        }
        if self.settings.is_warming_up(draw.step) {
            return (total, terms);
        }
        // The held-out loss is of the motion as it is.
        if device.is_autodiff() && self.settings.vague_motion > 0.0 {
            // Of another seed than what the adversary draws.
            motion = vague(motion, self.settings.vague_motion, &mut Draw { seed: !draw.seed, ..draw }.noise());
        }
        let decoded = model.generator.decode(pairs.source.clone(), &features, &motion);
        let prediction = decoded.prediction.clone();
        let (loss, of_decoding) = self.settings.recipe.loss(decoded, &pairs, self.vgg.as_ref());
        total = total + loss;
        terms.extend(of_decoding);
        // The held-out loss is without the adversary, whose measure changes as it learns.
        if let (Some(adversary), Some(weight), true) = (&model.adversary, self.settings.adversary, device.is_autodiff())
        {
            let focus = motion_focus(&pairs, self.settings.recipe.motion_focus);
            let Game { fooling, mismatch, judging } = adversary.play(&prediction, &pairs.driving, focus, draw.noise());
            total = total + fooling.clone() * weight + judging.clone();
            terms.extend([("fooling", fooling), ("judging", judging)]);
            if let Some(weight) = self.settings.feature_matching {
                total = total + mismatch.clone() * weight;
                terms.push(("matching", mismatch));
            }
        }
        (total, terms)
    }

    /// What the model as it was sees in the pairs, without gradients: features, and motion with the logits of its occlusion, before any fine refinement
    /// that learns here.
    fn see(&self, pairs: &Pairs, device: &Device) -> (ReferenceFeatures, Motion, Option<Tensor<4>>) {
        let inner = |image: &Tensor<4>| if device.is_autodiff() { image.clone().inner() } else { image.clone() };
        let outer = |x: Tensor<4>| if device.is_autodiff() { Tensor::from_inner(x) } else { x };
        let (source, driving) = (inner(&pairs.source), inner(&pairs.driving));
        let frozen = self.frozen.clone().to_device(&source.device());
        let levels = frozen.encode(source.clone()).levels.into_iter().map(outer).collect();
        let Estimate { motion, occlusion_logits, .. } = match self.is_finer {
            true => frozen.flow_predictor.coarse(source, driving),
            false => frozen.estimate(source, driving),
        };
        let Motion { flow, occlusion } = motion;
        let motion = Motion { flow: outer(flow), occlusion: outer(occlusion) };
        (ReferenceFeatures { levels }, motion, occlusion_logits.map(outer))
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Tolerance;

    use super::*;

    #[test]
    fn vague_motion_keeps_its_means_and_about_its_detail() {
        let device = Device::flex();
        let mut noise = NoiseSource::new(0);
        let grid = coordinate_grid([8, 8], &device).unsqueeze::<4>();
        let flow = grid.clone() + noise.normal::<4>([64, 8, 8, 2], &device) * 0.1;
        let occlusion = (noise.normal([64, 1, 8, 8], &device) * 0.05 + 0.5).clamp(0.0, 1.0);
        let motion = Motion { flow, occlusion };
        let bands = |motion: &Motion| {
            let displacement = (motion.flow.clone() - grid.clone()).permute([0, 3, 1, 2]);
            let bands = haar(Tensor::cat(vec![displacement, motion.occlusion.clone()], 1));
            [bands.clone().narrow(1, 0, 3), bands.narrow(1, 3, 9)]
        };
        let [means, detail] = bands(&motion);
        let near = |a: Tensor<4>, b: &Tensor<4>| {
            a.into_data().assert_approx_eq::<f32>(&b.to_data(), Tolerance::absolute(1e-5));
        };

        let [same_means, same_detail] = bands(&vague(motion.clone(), 0.0, &mut noise));
        near(same_means, &means);
        near(same_detail, &detail);

        let [kept_means, other_detail] = bands(&vague(motion, 1.0, &mut noise));
        near(kept_means, &means);
        let energy = |detail: &Tensor<4>| detail.clone().square().mean().into_scalar::<f32>();
        // A third is kept on average, and of the other two a third comes back as noise.
        let ratio = energy(&other_detail) / energy(&detail);
        assert!((0.45..0.7).contains(&ratio), "{ratio}");
        let likeness = (other_detail * detail.clone()).mean().into_scalar::<f32>() / energy(&detail);
        assert!((0.4..0.6).contains(&likeness), "half of the detail is kept on average, not {likeness}");
    }
}
