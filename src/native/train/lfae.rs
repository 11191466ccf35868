//! `lfdm train lfae`: stage 1, without labels; exact flow, where the data has it, is an optional extra term.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use burn::grad_clipping::GradientClippingConfig;
use burn::module::Module;
use burn::optim::AdamConfig;
use burn::tensor::activation::softplus;
use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::inherit::grown;
use super::perceptual::Vgg19;
use super::preview;
use super::tps::{ThinPlateTransform, TransformParams};
use super::{Draw, Figures, RunArgs, Stage, Terms};
use crate::config::LfdmConfig;
use crate::lfae::{
    Decoded, Estimate, FINE_REFINEMENT, LatentFlowAutoencoder, Regions, is_flow_predictor, is_lfae, official_key,
};
use crate::matrix2::Matrix2;
use crate::motion::Motion;
use crate::native::data::{
    AugmentArgs, Augmentation, ClipSet, Crop, PairBatch, PairOptions, Prefetch, Split, parse_zoom,
};
use crate::native::model::{open_weights, read_tensors};
use crate::tensor::{anti_alias, pixel_grid, resize, warp};
use crate::weights::{StateDict, WeightsError, collect_module, load_module};

/// `lfdm train lfae`
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub run: RunArgs,
    /// Begin with the averaged weights of another run, or of a bundle, instead of random ones.
    #[arg(long, conflicts_with = "resume")]
    pub init: Option<PathBuf>,
    /// Then take the flow predictor from another run or bundle. Its images may have another size, as long as regions, flow and refinement
    /// see them at the same size, as they do in our presets; the background's network sees whole frames and has to get used to theirs.
    #[arg(long, requires = "init")]
    pub motion_of: Option<PathBuf>,
    /// Directory of exact flows (`s000000_k0_flow32.npy` …), for the supervised term.
    #[arg(long)]
    pub flow: Option<PathBuf>,
    /// Which of our models is trained.
    #[arg(long, value_enum, default_value_t = Preset::Faces64)]
    pub preset: Preset,
    /// Model configuration as JSON, in place of a preset.
    #[arg(long, conflicts_with = "preset")]
    pub config: Option<PathBuf>,
    /// torchvision's weights of VGG19, `.pth` or safetensors: adds the official perceptual loss.
    #[arg(long)]
    pub vgg: Option<PathBuf>,
    #[command(flatten)]
    pub recipe: Recipe,
    #[command(flatten)]
    pub augment: AugmentArgs,
}

/// The demo models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Preset {
    #[value(name = "faces-64")]
    Faces64,
    #[value(name = "faces-128")]
    Faces128,
}

impl Preset {
    fn config(self, labels: usize) -> LfdmConfig {
        match self {
            Self::Faces64 => LfdmConfig::faces_64(labels),
            Self::Faces128 => LfdmConfig::faces_128(labels),
        }
    }
}

/// How stage 1 is trained: what each term of the loss counts, and which pairs of frames are drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, clap::Args)]
pub struct Recipe {
    #[command(flatten)]
    #[serde(flatten)]
    pub decoding: DecodingRecipe,
    /// Equivariance of the region centres.
    #[arg(long, default_value_t = 10.0)]
    pub equivariance_shift: f64,
    /// Equivariance of the region frames.
    #[arg(long, default_value_t = 10.0)]
    pub equivariance_affine: f64,
    /// Separation of the region centres (Zhang et al. 2018, "Unsupervised Discovery of Object Landmarks as Structural Representations",
    /// Eq. 4). Without it most regions settle on the middle of the face, and nothing follows the mouth.
    #[arg(long, default_value_t = 0.5)]
    pub separation: f64,
    /// Distance between the region centres of the source and those of the driving frame carried there by the exact flow.
    #[arg(long, default_value_t = 10.0)]
    pub tracking: f64,
    /// Squared distance between flow and exact flow, where frame 0 shows the point; in pixels of a 64-pixel image. Most cells hardly
    /// move, and an absolute distance would settle on no motion at all.
    #[arg(long, default_value_t = 1.0)]
    pub flow_weight: f64,
    /// First steps that train on exact flow alone: no decoding, so they are cheap.
    #[arg(long, default_value_t = 0)]
    pub flow_warm_up: u64,
    /// Cross-entropy between occlusion and exact visibility.
    #[arg(long, default_value_t = 0.1)]
    pub visibility: f64,
}

/// The part of a [`Recipe`] that is about what the decoder paints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, clap::Args)]
pub struct DecodingRecipe {
    /// Multi-scale L1 of pixels and of their differences.
    #[arg(long, default_value_t = 10.0)]
    pub reconstruction: f64,
    /// Perceptual loss, with `--vgg`.
    #[arg(long, default_value_t = 10.0)]
    pub perceptual: f64,
    /// How much more a pixel counts that moves.
    #[arg(long, default_value_t = 3.0)]
    pub motion_focus: f64,
    /// The reconstruction term on the decoder's painting before the occlusion blends the warped source in. It keeps the decoder
    /// learning to paint where an occlusion near 1 would hide it from the loss.
    #[arg(long, default_value_t = 2.0)]
    pub painting: f64,
    /// Probability that the source is frame 0, as it is in generation.
    #[arg(long, default_value_t = 0.75)]
    pub first_frame: f32,
    /// Largest random enlargement of a pair of frames. Close-ups teach expressions sooner, and visitors' photos come in any framing.
    #[arg(long, default_value_t = 1.5, value_parser = parse_zoom)]
    pub max_zoom: f32,
}

impl DecodingRecipe {
    pub(super) fn pair_options(&self, augmentation: Augmentation) -> PairOptions {
        PairOptions { first_frame_probability: self.first_frame, augmentation, max_zoom: self.max_zoom }
    }

    /// The loss of what was painted, and its terms.
    pub(super) fn loss(&self, decoded: Decoded, pairs: &Pairs, vgg: Option<&Vgg19>) -> (Tensor<1>, Terms) {
        let focus = motion_focus(pairs, self.motion_focus);
        let reconstruction = pyramid_l1(decoded.prediction.clone(), &pairs.driving, &focus);
        let painting = pyramid_l1(decoded.painted, &pairs.driving, &focus);
        let mut total = reconstruction.clone() * self.reconstruction + painting.clone() * self.painting;
        let mut terms = vec![("reconstruction", reconstruction), ("painting", painting)];
        if let Some(vgg) = vgg {
            let perceptual = perceptual(vgg, &decoded.prediction, &pairs.driving);
            total = total + perceptual.clone() * self.perceptual;
            terms.push(("perceptual", perceptual));
        }
        (total, terms)
    }
}

/// What a stage-1 checkpoint was trained with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    pub config: LfdmConfig,
    pub labels: Vec<String>,
    pub recipe: Recipe,
    #[serde(default)]
    pub augmentation: Augmentation,
    pub batch: usize,
    #[serde(default = "super::one_part")]
    pub accumulate: u16,
    /// The part of the frames that is seen, if not all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crop: Option<Crop>,
    /// Whether exact flow was used.
    pub supervised: bool,
    /// Whether VGG19 judged the pictures.
    pub perceptual: bool,
}

/// Trains stage 1.
pub fn run(args: &Args) -> Result<()> {
    let mut config = match &args.config {
        // The preset learns as many labels as the data has.
        None => args.preset.config(0),
        Some(path) => {
            let text = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            serde_json::from_slice(&text).with_context(|| format!("{} is not a model configuration", path.display()))?
        }
    };
    config.lfae.validate()?;
    let ([height, width], [rows, columns]) = (config.image_size, config.flow_size());
    ensure!(
        height == width && rows == columns,
        "the configuration asks for {width}x{height} pixels, but clips are square"
    );
    let open = |split| -> Result<ClipSet> {
        let data = args.run.reading.open(&args.run.data, args.flow.as_deref(), height, None, split)?;
        Ok(data.with_grid(rows))
    };
    let (train, validation) = (open(Split::Train)?, open(Split::Val)?);
    if args.config.is_none() {
        config.diffusion.unet.condition_dim = train.labels().len();
    }
    let settings = Settings {
        labels: train.labels().to_vec(),
        config,
        recipe: args.recipe.clone(),
        augmentation: args.augment.augmentation(),
        batch: args.run.batch,
        accumulate: args.run.accumulate,
        crop: args.run.reading.crop,
        supervised: args.flow.is_some(),
        perceptual: args.vgg.is_some(),
    };
    let vgg = args.vgg.as_deref().map(|path| open_vgg(path, &args.run)).transpose()?;
    let motion = args.motion_of.as_deref().map(|path| motion_of(path, &settings.config)).transpose()?;
    let drawn = settings.clone();
    let train = prefetch(train, &args.run, move |step| drawn.pair_options(step));
    super::run(&LfaeStage { train, validation, vgg, motion, settings }, &args.run, args.init.as_deref())
}

/// The flow predictor of another model, which must see what that of `config` will see. What it finds beyond the coarse motion stays behind where
/// `config` has no finer grid.
fn motion_of(path: &Path, config: &LfdmConfig) -> Result<StateDict> {
    let (other, weights) = open_weights(path)?;
    let is_finer = config.lfae.fine_refinement.is_some();
    let seen = |config: &LfdmConfig| {
        let lfae = &config.lfae;
        let refinement = lfae.refinement.as_ref().map(|refinement| refinement.scale_factor);
        let fine = lfae.fine_refinement.as_ref().filter(|_| is_finer).map(|refinement| refinement.scale_factor);
        [Some(lfae.region.scale_factor), Some(lfae.flow.scale_factor), refinement, fine]
            .map(|scale| scale.map(|scale| config.image_size.map(|side| side as f64 * scale)))
    };
    ensure!(
        seen(&other) == seen(config),
        "{} finds motion in frames of another size: the scale factors of region, flow and refinement times the image's sides must be the same",
        path.display()
    );
    Ok(weights.filter(|key| is_flow_predictor(key) && (is_finer || !key.starts_with(FINE_REFINEMENT))))
}

impl Settings {
    fn is_warming_up(&self, step: u64) -> bool {
        self.supervised && step < self.recipe.flow_warm_up
    }

    fn pair_options(&self, step: u64) -> PairOptions {
        let mut options = self.recipe.decoding.pair_options(self.augmentation);
        if self.is_warming_up(step) {
            options.first_frame_probability = 1.0;
        }
        options
    }
}

/// Batches of pairs by [`Draw::index`], drawn ahead of their use for the seed of the run; `options` are those of a step.
pub(super) fn prefetch(
    data: ClipSet,
    run: &RunArgs,
    options: impl Fn(u64) -> PairOptions + Send + Sync + 'static,
) -> Prefetch<PairBatch> {
    let (batch, seed, parts) = (run.batch, run.seed, u64::from(run.accumulate));
    Prefetch::new(run.ahead(), move |index| data.pairs(&options(index / parts), batch, seed, index))
}

/// The perceptual loss, also without gradients.
///
/// # Shapes
/// - `prediction`, `target`: `[batch, 3, height, width]` in [0, 1]
pub(super) fn perceptual(vgg: &Vgg19, prediction: &Tensor<4>, target: &Tensor<4>) -> Tensor<1> {
    let device = &target.device();
    let vgg = if device.is_autodiff() { vgg.clone() } else { vgg.valid() }.to_device(device);
    vgg.loss(prediction, target, &PERCEPTUAL_SCALES)
}

/// Scales of the picture that VGG19 sees; its last features need sides of 16.
const PERCEPTUAL_SCALES: [f64; 3] = [1.0, 0.5, 0.25];

pub(super) fn open_vgg(path: &Path, run: &RunArgs) -> Result<Vgg19> {
    Vgg19::new(&read_tensors(path)?, &run.device.open().autodiff())
        .with_context(|| format!("{} does not hold torchvision's VGG19", path.display()))
}

/// The optimiser of all that paints.
pub(super) fn adam() -> AdamConfig {
    // One almost degenerate region makes a gradient that would otherwise saturate occlusion and masks for good.
    let clipping = GradientClippingConfig::Norm(2.0);
    AdamConfig::new().with_beta_1(0.5).with_beta_2(0.999).with_epsilon(1e-8).with_grad_clipping(Some(clipping))
}

struct LfaeStage {
    train: Prefetch<PairBatch>,
    validation: ClipSet,
    vgg: Option<Vgg19>,
    /// The flow predictor that the run begins with, if it is another model's.
    motion: Option<StateDict>,
    settings: Settings,
}

impl Stage for LfaeStage {
    type Model = LatentFlowAutoencoder;
    type Settings = Settings;

    fn name(&self) -> &'static str {
        "latent flow auto-encoder"
    }

    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn adam(&self) -> AdamConfig {
        adam()
    }

    fn init(&self, device: &Device) -> LatentFlowAutoencoder {
        self.settings.config.lfae.init(device)
    }

    fn load(&self, model: LatentFlowAutoencoder, weights: StateDict) -> Result<LatentFlowAutoencoder, WeightsError> {
        let mut weights = grown(weights.filter(is_lfae), &collect_module(&model, &official_key));
        if let Some(motion) = &self.motion {
            weights.merge(motion.clone());
        }
        load_module(model, &weights, &official_key)
    }

    fn export(&self, model: &LatentFlowAutoencoder) -> StateDict {
        collect_module(model, &official_key)
    }

    fn loss(&self, model: &LatentFlowAutoencoder, draw: Draw, device: &Device) -> (Tensor<1>, Terms) {
        self.loss_on(self.train.get(draw.index()), model, draw, device)
    }

    fn next_command(&self, run: &Path) -> Option<String> {
        Some(format!("lfdm train dm --data DATA --lfae {} --out RUN --steps 2000 --lr 5e-4", run.display()))
    }

    fn validate(&self, model: &LatentFlowAutoencoder, step: u64, dir: &Path, device: &Device) -> Result<Figures> {
        const BATCHES: u64 = 8;
        // The same pairs at every validation, past the warm-up, so that the figures compare.
        let after_warm_up = u64::MAX - BATCHES;
        let loss = |batch| {
            let draw = Draw::of(0, after_warm_up + batch, 1);
            let options = self.settings.pair_options(draw.step);
            let pairs = self.validation.pairs(&options, self.settings.batch, draw.seed, draw.index());
            self.loss_on(pairs, model, draw, device).0.into_scalar::<f32>()
        };
        let loss = (0..BATCHES).map(loss).sum::<f32>() / BATCHES as f32;
        let path = dir.join(format!("lfae-{step:07}.png"));
        let mut figures = vec![("loss", f64::from(loss))];
        figures.extend(preview::reconstructions(model, device, &self.validation, &path)?);
        Ok(figures)
    }
}

impl LfaeStage {
    fn loss_on(
        &self,
        pairs: PairBatch,
        model: &LatentFlowAutoencoder,
        draw: Draw,
        device: &Device,
    ) -> (Tensor<1>, Terms) {
        let recipe = &self.settings.recipe;
        let pairs = Pairs::new(pairs, device);
        let estimate = model.estimate(pairs.source.clone(), pairs.driving.clone());
        let (shift, affine) = self.equivariance(model, &estimate, &pairs.driving, draw);
        let separation = crowding(&estimate.driving.shift);
        let mut total = shift.clone() * recipe.equivariance_shift
            + affine.clone() * recipe.equivariance_affine
            + separation.clone() * recipe.separation;
        let mut terms = vec![("shift", shift), ("affine", affine), ("separation", separation)];
        if self.settings.supervised {
            let tracking = tracking(&estimate.source.shift, &estimate.driving.shift, &pairs);
            let flow = flow_error(&estimate.motion, &pairs);
            let visibility = visibility_error(estimate.occlusion_logits.clone(), &pairs);
            // The refinement corrects what the regions leave over; they are not to leave it everything.
            if let Some(regional) = &estimate.regional {
                let regional = flow_error(regional, &pairs);
                total = total + regional.clone() * (REGIONAL * recipe.flow_weight);
                terms.push(("regional", regional));
            }
            total = total
                + flow.clone() * recipe.flow_weight
                + visibility.clone() * recipe.visibility
                + tracking.clone() * recipe.tracking;
            terms.extend([("flow", flow), ("visibility", visibility), ("tracking", tracking)]);
        }
        if self.settings.is_warming_up(draw.step) {
            return (total, terms);
        }

        let features = model.encode(pairs.source.clone());
        let decoded = model.decode(pairs.source.clone(), &features, &estimate.motion);

        let (loss, of_decoding) = recipe.decoding.loss(decoded, &pairs, self.vgg.as_ref());
        terms.extend(of_decoding);
        (total + loss, terms)
    }

    fn equivariance(
        &self,
        model: &LatentFlowAutoencoder,
        estimate: &Estimate,
        driving: &Tensor<4>,
        draw: Draw,
    ) -> (Tensor<1>, Tensor<1>) {
        let params = TransformParams::default();
        let [batch, _, _, _] = driving.dims();
        let (affine_shape, tps_shape) = ThinPlateTransform::noise_shapes(&params, batch);
        let mut noise = draw.noise();
        let device = driving.device();
        let affine_noise = noise.normal(affine_shape, &device);
        let transform = ThinPlateTransform::new(&params, affine_noise, noise.normal(tps_shape, &device));
        let transformed = model.flow_predictor.region_predictor.forward(transform.frame(driving.clone()));
        equivariance(&estimate.driving, &transformed, &transform, self.settings.config.lfae.revert_axis_swap)
    }
}

/// Regions must move with the picture: centres (FOMM, Eq. 9) and frames (Eq. 12), under a thin-plate transform of the driving frame.
pub fn equivariance(
    driving: &Regions,
    transformed: &Regions,
    transform: &ThinPlateTransform,
    revert_axis_swap: bool,
) -> (Tensor<1>, Tensor<1>) {
    let shift = (driving.shift.clone() - transform.points(transformed.shift.clone())).abs().mean();
    let affine = match (&driving.affine, &transformed.affine) {
        (Some(driving), Some(affine)) => {
            let moved = transform.jacobian(transformed.shift.clone()).product(affine);
            distance_to_identity(&driving.inverse().product(&moved), revert_axis_swap)
        }
        _ => Tensor::zeros([1], &driving.shift.device()),
    };
    (shift, affine)
}

fn distance_to_identity(matrix: &Matrix2, revert_axis_swap: bool) -> Tensor<1> {
    let matrix = if revert_axis_swap { matrix.scale(matrix.a.clone().sign()) } else { matrix.clone() };
    let [b, k] = matrix.a.dims();
    let identity = Tensor::<2>::eye(2, &matrix.a.device()).unsqueeze::<4>().expand([b, k, 2, 2]);
    (matrix.to_tensor() - identity).abs().mean()
}

/// A [`PairBatch`] on the device.
pub(super) struct Pairs {
    pub source: Tensor<4>,
    pub driving: Tensor<4>,
    flow: Tensor<4>,
    visibility: Tensor<4>,
    /// `[batch, 1, 1, 1]`
    flow_mask: Tensor<4>,
}

impl Pairs {
    pub fn new(pairs: PairBatch, device: &Device) -> Self {
        let (batch, size, grid) = (pairs.batch, pairs.size, pairs.grid);
        let image = |values: Vec<f32>| Tensor::from_data(TensorData::new(values, [batch, 3, size, size]), device);
        Self {
            source: image(pairs.source),
            driving: image(pairs.driving),
            flow: Tensor::from_data(TensorData::new(pairs.flow, [batch, grid, grid, 2]), device),
            visibility: Tensor::from_data(TensorData::new(pairs.visibility, [batch, 1, grid, grid]), device),
            flow_mask: Tensor::from_data(TensorData::new(pairs.flow_mask, [batch, 1, 1, 1]), device),
        }
    }
}

/// `1 + focus` where a pixel changes by a tenth of the range or more, 1 where it stays; `[batch, 1, height, width]`.
pub(super) fn motion_focus(pairs: &Pairs, focus: f64) -> Tensor<4> {
    let change = (pairs.driving.clone() - pairs.source.clone()).abs().max_dim(1);
    change.mul_scalar(10.0).clamp_max(1.0).mul_scalar(focus) + 1.0
}

/// L1 over three scales, of the pixels and of their differences to the right and down, which keeps edges sharp.
///
/// # Shapes
/// - `prediction`, `target`: `[batch, 3, height, width]` in [0, 1]
/// - `focus`: `[batch, 1, height, width]`
pub(super) fn pyramid_l1(prediction: Tensor<4>, target: &Tensor<4>, focus: &Tensor<4>) -> Tensor<1> {
    let error = prediction - target.clone();
    let terms = [1.0, 0.5, 0.25].map(|scale| {
        // Blurring and subsampling are linear: the error's pyramid is the pyramids' error.
        let (error, focus) = (anti_alias(error.clone(), scale), anti_alias(focus.clone(), scale));
        let [batch, channels, height, width] = error.dims();
        let inner = error.clone().slice([0..batch, 0..channels, 0..height - 1, 0..width - 1]);
        let right = error.clone().slice([0..batch, 0..channels, 0..height - 1, 1..width]) - inner.clone();
        let down = error.clone().slice([0..batch, 0..channels, 1..height, 0..width - 1]) - inner;
        let near = focus.clone().slice([0..batch, 0..1, 0..height - 1, 0..width - 1]);
        (error.abs() * focus).mean() + ((right.abs() + down.abs()) * near).mean()
    });
    let [full, half, quarter] = terms;
    full + half + quarter
}

/// How many others lie at a region's centre, on average: a Gaussian of a tenth of the image's half-width counts them.
///
/// # Shapes
/// - `centres`: `[batch, regions, 2]`
fn crowding(centres: &Tensor<3>) -> Tensor<1> {
    const SIGMA: f32 = 0.1;
    let [batch, regions, _] = centres.dims();
    let rows = centres.clone().unsqueeze_dim::<4>(2).expand([batch, regions, regions, 2]);
    let columns = centres.clone().unsqueeze_dim::<4>(1).expand([batch, regions, regions, 2]);
    let squared_distance = (rows - columns).powi_scalar(2).sum_dim(3);
    let neighbours = (squared_distance * (-0.5 / (SIGMA * SIGMA))).exp().sum();
    neighbours / (batch * regions) as f32 - 1.0
}

/// Regions must stay on the same point of the face: a centre of the driving frame, carried to the source by the exact flow, is the
/// source's.
///
/// # Shapes
/// - `source`, `driving`: `[batch, regions, 2]`
fn tracking(source: &Tensor<3>, driving: &Tensor<3>, pairs: &Pairs) -> Tensor<1> {
    let [batch, regions, _] = driving.dims();
    let [_, height, width, _] = pairs.flow.dims();
    let displacement = pairs.flow.clone() - pixel_grid([height, width], &pairs.flow.device()).unsqueeze();
    // The point moves, not the place where the field is read: its slope is noise.
    let places = driving.clone().detach().reshape([batch, regions, 1, 2]);
    let displacement = warp(displacement.permute([0, 3, 1, 2]), places).reshape([batch, 2, regions]).swap_dims(1, 2);
    let mask = pairs.flow_mask.clone().reshape([batch, 1, 1]);
    let count = pairs.flow_mask.clone().sum().clamp_min(1.0) * (regions * 2) as f32;
    ((source.clone() - driving.clone() - displacement).abs() * mask).sum() / count
}

/// Share of the flow's weight that the motion before its refinement has.
const REGIONAL: f64 = 0.3;

/// Squared error of the flow over visible cells, in pixels of a 64-pixel image, over the exact pairs.
///
/// The motion may lie on a coarser grid than the exact flow: before a fine refinement it does.
pub(super) fn flow_error(motion: &Motion, pairs: &Pairs) -> Tensor<1> {
    let [batch, height, width, _] = motion.flow.dims();
    let onto = |x: Tensor<4>| resize(x, [height, width]);
    let exact = onto(pairs.flow.clone().permute([0, 3, 1, 2])).permute([0, 2, 3, 1]);
    let weight = (onto(pairs.visibility.clone()) * pairs.flow_mask.clone()).reshape([batch, height, width, 1]);
    let error = (motion.flow.clone() - exact) * 32.0;
    let cells = pairs.flow_mask.clone().sum().clamp_min(1.0) * (height * width) as f32;
    (error.clone() * error * weight).sum() / cells
}

/// L1 pyramid of the source as the motion alone warps it, where frame 0 shows the point: as exact flow tells, otherwise as the occlusion does.
pub(super) fn warping_error(warped: Tensor<4>, motion: &Motion, pairs: &Pairs, focus: f64) -> Tensor<1> {
    let [_, _, height, width] = warped.dims();
    let size = [height, width];
    let told = pairs.flow_mask.clone();
    let visible = resize(pairs.visibility.clone(), size) * told.clone()
        + resize(motion.occlusion.clone().detach(), size) * (told.neg() + 1.0);
    pyramid_l1(warped, &pairs.driving, &(motion_focus(pairs, focus) * visible))
}

/// Cross-entropy of the occlusion with these logits over the exact pairs. From the logits: a saturated occlusion must still feel the pull back.
pub(super) fn visibility_error(logits: Option<Tensor<4>>, pairs: &Pairs) -> Tensor<1> {
    match logits {
        None => Tensor::zeros([1], &pairs.flow.device()),
        Some(logits) => {
            let [_, _, height, width] = logits.dims();
            let entropy = softplus(logits.clone(), 1.0) - logits * pairs.visibility.clone();
            let cells = pairs.flow_mask.clone().sum().clamp_min(1.0) * (height * width) as f32;
            (entropy * pairs.flow_mask.clone()).sum() / cells
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crowding_counts_the_others_at_a_centre() {
        let device = Device::flex();
        let count = |centres: [[f32; 2]; 3]| crowding(&Tensor::<3>::from_data([centres], &device)).into_scalar::<f32>();
        assert_eq!(count([[0.2, 0.1]; 3]), 2.0);
        assert!(count([[0.0, 0.0], [0.7, 0.0], [0.0, 0.7]]) < 1e-6);
        assert!((count([[0.0, 0.0], [0.0, 0.0], [0.0, 0.7]]) - 2.0 / 3.0).abs() < 1e-6);
    }

    #[test]
    fn motion_is_taken_from_a_model_of_another_size_that_sees_the_same() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("www/models/faces-128");
        let mut config = LfdmConfig::faces_64(7);
        let motion = motion_of(&path, &config).unwrap();
        let mut whole = collect_module(&config.lfae.init(&Device::flex()), &official_key);
        let keys = whole.len();
        assert!(motion.iter().all(|(key, _)| is_flow_predictor(key) && whole.get(key).is_some()));
        whole.merge(motion);
        assert_eq!(whole.len(), keys);
        assert!(load_module(config.lfae.init(&Device::flex()), &whole, &official_key).is_ok());
        config.lfae.region.scale_factor = 1.0;
        assert!(motion_of(&path, &config).unwrap_err().to_string().contains("another size"));
    }

    /// Cells far from the border: there the sampled field fades to zero.
    #[test]
    fn tracking_is_zero_where_regions_ride_on_the_flow() {
        let device = Device::flex();
        let (grid, shift) = (8, [0.125, -0.25]);
        let identity = pixel_grid([grid, grid], &device).unsqueeze_dim::<4>(0);
        let offset = Tensor::<1>::from_floats(shift, &device).reshape([1, 1, 1, 2]);
        let pairs = |mask: f32| Pairs {
            source: Tensor::zeros([1, 3, 4, 4], &device),
            driving: Tensor::zeros([1, 3, 4, 4], &device),
            flow: identity.clone() + offset.clone(),
            visibility: Tensor::ones([1, 1, grid, grid], &device),
            flow_mask: Tensor::full([1, 1, 1, 1], mask, &device),
        };
        let driving = Tensor::<3>::from_data([[[0.1, 0.2], [-0.3, 0.0]]], &device);
        let source = driving.clone() + Tensor::<1>::from_floats(shift, &device).reshape([1, 1, 2]);
        let distance = |source: &Tensor<3>, mask| tracking(source, &driving, &pairs(mask)).into_scalar::<f32>();
        assert!(distance(&source, 1.0) < 1e-6);
        assert!((distance(&driving, 1.0) - (0.125 + 0.25) / 2.0).abs() < 1e-6);
        assert_eq!(distance(&driving, 0.0), 0.0, "without exact flow there is nothing to follow");
    }
}
