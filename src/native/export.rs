//! `lfdm export`: the two trained stages as one bundle for the page and for `lfdm animate`.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use burn::tensor::Device;
use serde_json::{Value, json};

use super::bundle_dir::{ensure_bundle_replaceable, summary};
use super::checkpoint::{Advice, TrainedModel};
use super::fingerprint;
use super::generate::ContrastName;
use super::model::{MotionOf, TrainingSettings, ensure_pair, open_trained};
use super::numbers;
use crate::{
    bundle::{Bundle, FORMAT, Manifest},
    condition::Contrast,
    config::LfdmConfig,
    lfae::is_lfae,
    pipeline::Animator,
    weights::WeightDtype,
};

/// Options of `lfdm export`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Stage 1: run directory of `lfdm train lfae` or `lfdm finetune`, or a bundle to take the auto-encoder from.
    #[arg(long)]
    lfae: PathBuf,
    /// Stage 2: run directory of `lfdm train dm` or `lfdm train consistency`, or a bundle to take the diffusion model
    /// from.
    #[arg(long)]
    dm: PathBuf,
    /// Name of the model.
    #[arg(long)]
    name: String,
    /// Directory to write; a bundle that is there is replaced once the new one is complete.
    #[arg(long)]
    out: PathBuf,
    /// Frames per second of the training clips [default: those of the bundle or the run given as --dm; 8 for folders
    /// and videos]
    #[arg(long, value_parser = numbers::fps)]
    fps: Option<f32>,
    /// Denoising steps that suit the model [default: those of a bundle given as --dm, otherwise 8, or 2 after
    /// `lfdm train consistency`]
    #[arg(long, value_parser = numbers::steps)]
    steps: Option<usize>,
    /// Guidance that suits the model [default: that of a bundle given as --dm, otherwise 4, or 1 after `lfdm train
    /// consistency`]
    #[arg(long, value_parser = numbers::guidance)]
    guidance: Option<f32>,
    /// What guidance exaggerates labels against [default: null]
    #[arg(long, value_enum)]
    contrast: Option<ContrastName>,
    /// Part of the schedule in which guidance applies: 0,1 is all of it, 0.55,0.95 suits the shipped models
    /// [default: the run's own]
    #[arg(long, value_name = "FROM,TO", value_parser = interval)]
    guidance_interval: Option<[f64; 2]>,
    /// How many times as strongly guidance acts on the detail of the motion as on the rest; 1 is equally
    /// [default: the run's own]
    #[arg(long, value_name = "TIMES", value_parser = numbers::weight)]
    detail_guidance: Option<f64>,
    /// How many times as strongly guidance acts on the motion of the whole foreground as on the rest; 0 leaves heads
    /// where they are, 1 is equally [default: the run's own]
    #[arg(long, value_name = "TIMES", value_parser = numbers::weight)]
    affine_guidance: Option<f64>,
    /// Licence of the weights and origin of the training data [default: that of both stages, if they are bundles of
    /// one licence, otherwise "not stated; ask whoever trained the weights"]
    #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    licence: Option<String>,
}

/// Two numbers; whether they make an interval is checked with the configuration.
fn interval(text: &str) -> Result<[f64; 2], String> {
    let numbers: Result<Vec<f64>, _> = text.split(',').map(|number| number.trim().parse()).collect();
    numbers
        .ok()
        .and_then(|numbers| numbers.try_into().ok())
        .ok_or_else(|| "must be FROM,TO, such as 0.55,0.95".to_owned())
}

/// Steps and guidance that suit a model of ours, from a run.
const USUAL: (usize, f32) = (8, 4.0);
/// The same for one that was tuned for consistency.
const TUNED: (usize, f32) = (2, 1.0);
/// Frames per second of clips that do not say.
const FPS: f32 = 8.0;

/// Letters of a name, at most.
const MOST_LETTERS: usize = 100;

/// What is said of a licence that nobody named.
const UNSTATED: &str = "not stated; ask whoever trained the weights";

/// The licence that both stages have.
fn shared_licence(lfae: Option<&Advice>, dm: Option<&Advice>) -> String {
    let shared = lfae.zip(dm).filter(|(lfae, dm)| lfae.licence == dm.licence).map(|(lfae, _)| lfae.licence.clone());
    shared.unwrap_or_else(|| UNSTATED.to_owned())
}

/// How a stage was trained, as its bundle or its run tells.
fn record(stage: &str, trained: &TrainedModel<TrainingSettings>) -> Value {
    let TrainedModel { step, seconds, settings, .. } = trained;
    let of_bundle = settings.rest.get(stage).cloned();
    of_bundle.unwrap_or_else(|| json!({ "steps": step, "seconds": seconds, "settings": settings.rest }))
}

/// Joins the two stages and writes the bundle.
pub(crate) fn run(args: &Args) -> Result<()> {
    ensure_bundle_replaceable(&args.out, &[&args.lfae, &args.dm])?;
    let is_name = |name: &str| {
        !name.trim().is_empty() && name.chars().count() <= MOST_LETTERS && !name.contains(char::is_control)
    };
    ensure!(is_name(&args.name), "--name must be one to {MOST_LETTERS} letters without control codes");
    let lfae = open_trained(&args.lfae)?;
    let mut dm = open_trained(&args.dm)?;
    let fingerprint = fingerprint::of_motion(&lfae.weights);
    ensure_pair(
        &MotionOf { path: &args.lfae, config: &lfae.settings.config, fingerprint: fingerprint.as_deref() },
        &MotionOf { path: &args.dm, config: &dm.settings.config, fingerprint: dm.motion.as_deref() },
    )?;
    let (of_lfae, mut of_dm) = (record("lfae", &lfae), record("dm", &dm));
    let lfae_step = lfae.lfae_step();
    if dm.motion.is_none() && of_dm["settings"].get("lfae_step").is_some_and(|step| *step != lfae_step) {
        tracing::warn!(
            "{} has been trained further since {} was; the motion it learned may no longer fit",
            args.lfae.display(),
            args.dm.display()
        );
    }
    if let Value::Object(of_dm) = &mut of_dm {
        of_dm.insert("motion".into(), json!(fingerprint));
    }

    let mut config = LfdmConfig { lfae: lfae.settings.config.lfae, ..dm.settings.config };
    config.diffusion.guidance_interval = args.guidance_interval.unwrap_or(config.diffusion.guidance_interval);
    config.diffusion.detail_guidance = args.detail_guidance.unwrap_or(config.diffusion.detail_guidance);
    config.diffusion.affine_guidance = args.affine_guidance.unwrap_or(config.diffusion.affine_guidance);
    config.validate()?;
    let usual = if config.diffusion.consistency { TUNED } else { USUAL };
    let (steps, guidance) = dm.advice.as_ref().map_or(usual, |advice| (advice.steps, advice.guidance));
    let mut weights = lfae.weights.filter(is_lfae);
    dm.weights.take(is_lfae);
    weights.merge(dm.weights);
    let manifest = Manifest {
        format: FORMAT,
        name: args.name.clone(),
        config,
        labels: dm.settings.labels,
        strengths: dm.settings.strengths,
        fps: args.fps.or(dm.advice.as_ref().map(|advice| advice.fps)).or(dm.fps).unwrap_or(FPS),
        default_steps: args.steps.unwrap_or(steps),
        default_guidance: args.guidance.unwrap_or(guidance),
        default_contrast: args.contrast.map_or(Contrast::Null, ContrastName::contrast),
        licence: args.licence.clone().unwrap_or_else(|| shared_licence(lfae.advice.as_ref(), dm.advice.as_ref())),
        created_with: concat!("lfdm ", env!("CARGO_PKG_VERSION")).into(),
        training: json!({ "lfae": of_lfae, "dm": of_dm }),
        files: Vec::new(),
    };
    let bundle = Bundle { manifest, weights };
    Animator::load(bundle.clone(), &Device::flex())
        .with_context(|| format!("{} and {} make no complete model", args.lfae.display(), args.dm.display()))?;
    let manifest = bundle.write_dir(&args.out, WeightDtype::F16)?;
    tracing::info!("{}: {}", args.out.display(), summary(&manifest));
    Ok(())
}
