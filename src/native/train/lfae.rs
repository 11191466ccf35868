//! `lfdm train lfae`: stage 1, without labels; exact flow, where the data has it, is an optional
//! extra term.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::args::RunArgs;
use super::decoding::{DecodingRecipe, adam, files, open_vgg, pack_vgg, prefetch, unpack_vgg};
use super::losses::{Pairs, crowding, equivariance, flow_error, tracking, visibility_error};
use super::official::OfficialTraining;
use super::parcel::Parcel;
use super::perceptual::Vgg19;
use super::stage::{Draw, Loss, Metrics, Objective, Spec, Stage};
use super::tps::{ThinPlateTransform, TransformParams};
use super::{inherit, preview, run};
use crate::config::LfdmConfig;
use crate::lfae::{Estimate, FINE_REFINEMENT, LatentFlowAutoencoder, is_flow_predictor, is_lfae, official_key};
use crate::native::checkpoint::Source;
use crate::native::data::{
    AugmentArgs, Augmentation, ClipSet, Crop, PairBatch, PairOptions, Prefetch, Split, fingerprint_of,
};
use crate::native::model::open_weights;
use crate::native::numbers;
use crate::native::preset::Preset;
use crate::native::whole_file::read_json;
use crate::weights::StateDict;

/// `lfdm train lfae`
#[derive(Debug, Clone, clap::Args)]
#[command(
    mut_arg("steps", |arg| arg.required(false).default_value("3000")),
    mut_arg("lr", |arg| arg.required(false).default_value("0.0003")),
)]
pub(crate) struct Args {
    #[command(flatten)]
    run: RunArgs,
    /// Begin with the averaged weights of another run or of a bundle [default: random weights]
    #[arg(long, value_name = "MODEL", conflicts_with = "resume")]
    init: Option<PathBuf>,
    /// Take the flow predictor from a third run or bundle. Its frames may have another size, as
    /// long as regions, flow and refinement see them at the same size, as they do in our presets;
    /// the background's network sees whole frames and has to get used to the new ones.
    #[arg(long, value_name = "MODEL", requires = "init")]
    motion_of: Option<PathBuf>,
    /// Directory of exact flows (`s000000_k0_flow32.npy` …), which add the terms of
    /// `--flow-weight`, `--tracking` and `--visibility`.
    #[arg(long)]
    flow: Option<PathBuf>,
    /// Which of our models to train.
    #[arg(long, value_enum, default_value_t)]
    preset: Preset,
    /// Frames of the clips that stage 2 will learn [default: those of the preset or of the configuration]
    #[arg(long, value_parser = clap::value_parser!(u16).range(2..=512), conflicts_with = "official_config")]
    frames: Option<u16>,
    /// Model configuration as JSON, in place of a preset; `lfdm config` prints one to begin with.
    #[arg(long, value_name = "FILE", conflicts_with = "preset")]
    config: Option<PathBuf>,
    /// Train what a YAML file of the official implementation describes: its model, its loss
    /// weights, its scales and its transforms. Every setting of the file that is not used is named.
    #[arg(long, value_name = "FILE", requires = "vgg", conflicts_with_all = [
        "preset", "config", "reconstruction", "perceptual", "motion_focus", "hidden_focus", "painting",
        "equivariance_shift", "equivariance_affine", "separation",
    ])]
    official_config: Option<PathBuf>,
    /// torchvision's weights of VGG19, `.pth` or safetensors. They add the perceptual loss of the
    /// official training.
    #[arg(long, value_name = "FILE")]
    vgg: Option<PathBuf>,
    #[command(flatten)]
    recipe: Recipe,
    #[command(flatten)]
    augment: AugmentArgs,
}

/// How stage 1 is trained: how much each term of the loss counts, and which pairs of frames are drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, clap::Args)]
struct Recipe {
    #[command(flatten)]
    #[serde(flatten)]
    decoding: DecodingRecipe,
    /// Weight of the equivariance of the region centres.
    #[arg(long, value_name = "WEIGHT", default_value_t = 10.0, value_parser = numbers::weight)]
    equivariance_shift: f64,
    /// Weight of the equivariance of the region frames.
    #[arg(long, value_name = "WEIGHT", default_value_t = 10.0, value_parser = numbers::weight)]
    equivariance_affine: f64,
    /// The transforms under which both are measured.
    #[arg(skip)]
    transform: TransformParams,
    /// Weight of the separation of the region centres (Zhang et al. 2018, "Unsupervised Discovery
    /// of Object Landmarks as Structural Representations", Eq. 4). At 0 most regions settle on the
    /// middle of the face, and nothing follows the mouth.
    #[arg(long, value_name = "WEIGHT", default_value_t = 0.5, value_parser = numbers::weight)]
    separation: f64,
    /// Weight of the distance between the region centres of the source and those of the driving
    /// frame, carried there by the exact flow.
    #[arg(long, value_name = "WEIGHT", default_value_t = 10.0, value_parser = numbers::weight)]
    tracking: f64,
    /// Weight of the squared distance between flow and exact flow, where frame 0 shows the point;
    /// in pixels of a 64-pixel image. Most cells hardly move, and an absolute distance would settle
    /// on no motion at all.
    #[arg(long, value_name = "WEIGHT", default_value_t = 1.0, value_parser = numbers::weight)]
    flow_weight: f64,
    /// First steps, which learn from exact flow alone; they decode nothing, so they are cheap.
    #[arg(long, value_name = "STEPS", default_value_t = 0)]
    flow_warm_up: u64,
    /// Weight of the cross-entropy between occlusion and exact visibility.
    #[arg(long, value_name = "WEIGHT", default_value_t = 0.1, value_parser = numbers::weight)]
    visibility: f64,
}

impl Recipe {
    /// The official loss, which has fewer terms; what it says nothing of stays as it is.
    fn with_official(mut self, training: &OfficialTraining) -> Self {
        self.decoding.reconstruction = 0.0;
        self.decoding.painting = 0.0;
        self.decoding.perceptual = 1.0;
        self.decoding.pyramid = training.perceptual.clone();
        self.equivariance_shift = training.equivariance_shift;
        self.equivariance_affine = training.equivariance_affine;
        self.transform = training.transform;
        self.separation = 0.0;
        self
    }
}

/// What a stage-1 checkpoint was trained with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Settings {
    config: LfdmConfig,
    labels: Vec<String>,
    recipe: Recipe,
    augmentation: Augmentation,
    batch: usize,
    accumulate: u16,
    /// The part of the frames that is seen, if not all of it.
    crop: Option<Crop>,
    /// Whether exact flow was used.
    supervised: bool,
    /// Whether the loss had the perceptual term.
    perceptual: bool,
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

/// Trains stage 1.
pub(crate) fn run(args: &Args) -> Result<()> {
    let (mut config, recipe) = plan(args)?;
    config.frames = args.frames.map_or(config.frames, usize::from);
    // What stage 2 will refuse is refused before stage 1 has taken hours.
    config.validate()?;
    if let Some(path) = &args.init {
        // Weights that are not there are missed before the data is read.
        open_weights(path)?;
    }
    let claim = args.run.claim()?;
    args.run.ensure_frames(config.frames)?;
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
        // A preset or an official model learns as many labels as the data has.
        config.diffusion.unet.condition_dim = train.labels().len();
    }
    if args.official_config.is_some() {
        config.frames = config.frames.min(train.frames());
    }
    train.ensure_frames(config.frames)?;
    let settings = Settings {
        labels: train.labels().to_vec(),
        config,
        recipe,
        augmentation: args.augment.augmentation(),
        batch: args.run.batch,
        accumulate: args.run.accumulate,
        crop: args.run.reading.crop,
        supervised: args.flow.is_some(),
        perceptual: args.vgg.is_some(),
    };
    let data = fingerprint_of([&train, &validation]);
    let source = Source { data, files: files(args.vgg.as_deref())?, ..Source::default() };
    let vgg = args.vgg.as_deref().map(|path| open_vgg(path, &args.run)).transpose()?;
    let motion = args.motion_of.as_deref().map(|path| motion_of(path, &settings.config)).transpose()?;
    let pair_options = settings.clone();
    let train = prefetch(train, &args.run, move |step| pair_options.pair_options(step));
    let objective = LfaeObjective { settings: settings.clone(), vgg };
    let spec =
        Spec { name: "latent flow auto-encoder", settings, source, optimizer: adam(), parameter_name: official_key };
    run::run(&LfaeStage { spec, objective, train, validation, motion }, &args.run, args.init.as_deref(), claim)
}

/// The model to train, and how.
fn plan(args: &Args) -> Result<(LfdmConfig, Recipe)> {
    let recipe = args.recipe.clone();
    if let Some(path) = &args.official_config {
        let (config, training) = OfficialTraining::open(path)?;
        for remark in &training.remarks {
            tracing::info!("{}: {remark}", path.display());
        }
        return Ok((config, recipe.with_official(&training)));
    }
    let Some(path) = &args.config else { return Ok((args.preset.config(1), recipe)) };
    let config = read_json(path, "a model configuration")?;
    Ok((config, recipe))
}

/// The flow predictor of another model, which must see what that of `config` will see. What it
/// finds beyond the coarse motion stays behind where `config` has no finer grid.
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
        "{} finds motion in frames of another size: the sides of the image times the scale factors of region, flow and \
         refinement must be the same in both models",
        path.display()
    );
    Ok(weights.filter(|key| is_flow_predictor(key) && (is_finer || !key.starts_with(FINE_REFINEMENT))))
}

struct LfaeStage {
    spec: Spec<Settings>,
    objective: LfaeObjective,
    train: Prefetch<PairBatch>,
    validation: ClipSet,
    /// The flow predictor that the run begins with, if it is another model's.
    motion: Option<StateDict>,
}

impl Stage for LfaeStage {
    type Objective = LfaeObjective;
    type Settings = Settings;

    fn spec(&self) -> &Spec<Settings> {
        &self.spec
    }

    fn objective(&self) -> &LfaeObjective {
        &self.objective
    }

    fn adapt(&self, weights: StateDict, fresh: &StateDict) -> StateDict {
        let mut weights = inherit::adapt_lfae(weights.filter(is_lfae), fresh);
        if let Some(motion) = &self.motion {
            weights.merge(motion.clone());
        }
        weights
    }

    fn batch(&self, draw: Draw, device: &Device) -> Result<Pairs> {
        Ok(Pairs::new(self.train.get(draw.index()), device))
    }

    fn validate(&self, model: &LatentFlowAutoencoder, step: u64, dir: &Path, device: &Device) -> Result<Metrics> {
        const BATCHES: u64 = 8;
        // The same pairs at every validation, past the warm-up, so that the metrics compare.
        let after_warm_up = u64::MAX - BATCHES;
        let loss = |batch| {
            let draw = Draw::of(0, after_warm_up + batch, 1);
            let settings = &self.spec.settings;
            let options = settings.pair_options(draw.step);
            let pairs = self.validation.pairs(&options, settings.batch, draw.seed, draw.index());
            self.objective.loss(model, Pairs::new(pairs, device), draw, device).total.into_scalar::<f32>()
        };
        let loss = (0..BATCHES).map(loss).sum::<f32>() / BATCHES as f32;
        let path = dir.join(format!("lfae-{step:07}.png"));
        let mut metrics = vec![("loss", f64::from(loss))];
        metrics.extend(preview::reconstructions(model, device, &self.validation, &path)?);
        Ok(metrics)
    }

    fn psnrs(&self) -> Option<[&'static str; 2]> {
        Some(preview::PSNRS)
    }

    fn next_command(&self, run: &Path) -> Option<String> {
        Some(format!("lfdm train dm --data DATA --lfae {} --out RUN", run.display()))
    }
}

/// What stage 1 minimises.
pub(super) struct LfaeObjective {
    settings: Settings,
    vgg: Option<Vgg19>,
}

impl Objective for LfaeObjective {
    type Model = LatentFlowAutoencoder;
    type Batch = Pairs;
    const NAME: &'static str = "lfae";

    fn init(&self, device: &Device) -> LatentFlowAutoencoder {
        self.settings.config.lfae.init(device)
    }

    fn pack(&self) -> Result<Parcel> {
        Ok(pack_vgg(Parcel::new(&self.settings)?, self.vgg.as_ref()))
    }

    fn unpack(mut parcel: Parcel, device: &Device) -> Result<Self> {
        let settings: Settings = parcel.words()?;
        settings.config.validate()?;
        Ok(Self { settings, vgg: unpack_vgg(&mut parcel, device)? })
    }

    fn loss(&self, model: &LatentFlowAutoencoder, pairs: Pairs, draw: Draw, device: &Device) -> Loss {
        let Settings { recipe, supervised, .. } = &self.settings;
        let estimate = model.estimate(pairs.source.clone(), pairs.driving.clone());
        let (shift, affine) = self.equivariance(model, &estimate, &pairs.driving, draw);
        let mut loss = Loss::zero(device);
        loss.add("shift", shift, recipe.equivariance_shift);
        loss.add("affine", affine, recipe.equivariance_affine);
        loss.add("separation", crowding(&estimate.driving.shift), recipe.separation);
        if *supervised {
            // The refinement corrects what the regions leave over; they are not to leave it everything.
            if let Some(regional) = &estimate.regional {
                loss.add("regional", flow_error(regional, &pairs), REGIONAL * recipe.flow_weight);
            }
            loss.add("flow", flow_error(&estimate.motion, &pairs), recipe.flow_weight);
            loss.add("visibility", visibility_error(estimate.occlusion_logits.clone(), &pairs), recipe.visibility);
            let tracking = tracking(&estimate.source.shift, &estimate.driving.shift, &pairs);
            loss.add("tracking", tracking, recipe.tracking);
        }
        if self.settings.is_warming_up(draw.step) {
            return loss;
        }
        let features = model.encode(pairs.source.clone());
        let decoded = model.decode(pairs.source.clone(), &features, &estimate.motion);
        loss.include(recipe.decoding.loss(decoded, &pairs, self.vgg.as_ref()));
        loss
    }
}

impl LfaeObjective {
    /// Both terms of the equivariance, under a random transform of the driving frame.
    fn equivariance(
        &self,
        model: &LatentFlowAutoencoder,
        estimate: &Estimate,
        driving: &Tensor<4>,
        draw: Draw,
    ) -> (Tensor<1>, Tensor<1>) {
        let Settings { recipe, config, .. } = &self.settings;
        let [batch, _, _, _] = driving.dims();
        let (affine_shape, tps_shape) = ThinPlateTransform::noise_shapes(&recipe.transform, batch);
        let mut noise = draw.noise();
        let device = driving.device();
        let affine_noise = noise.normal(affine_shape, &device);
        let transform = ThinPlateTransform::new(&recipe.transform, affine_noise, noise.normal(tps_shape, &device));
        let transformed = model.flow_predictor.region_predictor.forward(transform.frame(driving.clone()));
        equivariance(&estimate.driving, &transformed, &transform, config.lfae.revert_axis_swap)
    }
}

/// Share of the flow's weight that the motion before its refinement has.
const REGIONAL: f64 = 0.3;

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::native::train::official::tests::YAML;
    use crate::weights::{collect_module, load_module};

    #[derive(clap::Parser)]
    struct Words {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn an_official_file_sets_model_and_loss_in_place_of_their_options() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), YAML).unwrap();
        let parse = |options: &str| {
            let path = file.path().display();
            let words = format!("lfdm --data synthetic --out run --steps 1 --lr 1 --official-config {path} {options}");
            Words::try_parse_from(words.split_whitespace()).map(|words| words.args)
        };
        let (config, recipe) = plan(&parse("--vgg vgg19.pth --first-frame 0").unwrap()).unwrap();
        assert_eq!((config.image_size, config.lfae.regions), ([128, 128], 10));
        assert_eq!(recipe.decoding.pyramid.layers, [10.0, 8.0, 6.0, 4.0, 2.0]);
        assert_eq!(recipe.decoding.pyramid.scales, [1.0, 0.5]);
        assert_eq!((recipe.decoding.perceptual, recipe.decoding.first_frame), (1.0, 0.0));
        assert_eq!((recipe.decoding.reconstruction, recipe.decoding.painting, recipe.separation), (0.0, 0.0, 0.0));
        assert_eq!((recipe.equivariance_shift, recipe.equivariance_affine), (10.0, 5.0));
        assert_eq!(recipe.transform.points, 7);

        assert!(parse("").unwrap_err().to_string().contains("--vgg"));
        for option in ["--reconstruction 1", "--perceptual 1", "--separation 1", "--preset faces-64"] {
            let message = parse(&format!("--vgg vgg19.pth {option}")).unwrap_err().to_string();
            assert!(message.contains("cannot be used with"), "{message}");
        }
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
}
