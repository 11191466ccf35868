//! `lfdm export`: the two trained stages as one bundle for the page and for `lfdm animate`.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use burn::tensor::Device;
use serde_json::{Value, json};

use super::bundle_dir::summary;
use super::checkpoint::TrainedModel;
use super::generate::ContrastName;
use super::model::{TrainingSettings, open_trained};
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
    /// Frames per second of the training clips.
    #[arg(long, default_value_t = 8.0)]
    fps: f32,
    /// Denoising steps that suit the model; 8 for the shipped ones.
    #[arg(long, default_value_t = 10)]
    steps: usize,
    /// Guidance that suits the model; 3.5 to 4 for the shipped ones, with their --guidance-interval.
    #[arg(long, default_value_t = 1.5)]
    guidance: f32,
    /// What guidance exaggerates labels against [default: null]
    #[arg(long, value_enum)]
    contrast: Option<ContrastName>,
    /// Part of the schedule in which guidance applies: 0,1 is all of it, 0.55,0.95 suits the shipped models
    /// [default: the run's own]
    #[arg(long, value_name = "FROM,TO", value_parser = interval)]
    guidance_interval: Option<[f64; 2]>,
    /// How many times as strongly guidance acts on the detail of the motion as on the rest; 1 is equally
    /// [default: the run's own]
    #[arg(long, value_name = "TIMES")]
    detail_guidance: Option<f64>,
    /// How many times as strongly guidance acts on the motion of the whole foreground as on the rest; 0 leaves heads
    /// where they are, 1 is equally [default: the run's own]
    #[arg(long, value_name = "TIMES")]
    affine_guidance: Option<f64>,
    /// Licence of the weights and origin of the training data.
    #[arg(long, default_value = "CC0-1.0; trained on renderings of synthetic people made from CC0 parts")]
    licence: String,
}

/// Two numbers; whether they make an interval is checked with the configuration.
fn interval(text: &str) -> Result<[f64; 2], String> {
    let numbers: Result<Vec<f64>, _> = text.split(',').map(|number| number.trim().parse()).collect();
    numbers
        .ok()
        .and_then(|numbers| numbers.try_into().ok())
        .ok_or_else(|| "must be FROM,TO, such as 0.55,0.95".to_owned())
}

/// How a stage was trained, as its bundle or its run tells.
fn record(stage: &str, trained: &TrainedModel<TrainingSettings>) -> Value {
    let TrainedModel { step, seconds, settings, .. } = trained;
    let of_bundle = settings.rest.get(stage).cloned();
    of_bundle.unwrap_or_else(|| json!({ "steps": step, "seconds": seconds, "settings": settings.rest }))
}

/// Joins the two stages and writes the bundle.
pub(crate) fn run(args: &Args) -> Result<()> {
    let lfae = open_trained(&args.lfae)?;
    let mut dm = open_trained(&args.dm)?;
    ensure!(
        lfae.settings.config.lfae.estimates_same_motion(&dm.settings.config.lfae),
        "{} learned from another auto-encoder than the one in {}; export a pair that belongs together",
        args.dm.display(),
        args.lfae.display()
    );
    let (of_lfae, of_dm) = (record("lfae", &lfae), record("dm", &dm));
    let lfae_step = lfae.lfae_step();
    if of_dm["settings"].get("lfae_step").is_some_and(|step| *step != lfae_step) {
        tracing::warn!(
            "{} has been trained further since {} was; the motion it learned may no longer fit",
            args.lfae.display(),
            args.dm.display()
        );
    }

    let mut config = LfdmConfig { lfae: lfae.settings.config.lfae, ..dm.settings.config };
    config.diffusion.guidance_interval = args.guidance_interval.unwrap_or(config.diffusion.guidance_interval);
    config.diffusion.detail_guidance = args.detail_guidance.unwrap_or(config.diffusion.detail_guidance);
    config.diffusion.affine_guidance = args.affine_guidance.unwrap_or(config.diffusion.affine_guidance);
    config.validate()?;
    let mut weights = lfae.weights.filter(is_lfae);
    dm.weights.take(is_lfae);
    weights.merge(dm.weights);
    let manifest = Manifest {
        format: FORMAT,
        name: args.name.clone(),
        config,
        labels: dm.settings.labels,
        strengths: dm.settings.strengths,
        fps: args.fps,
        default_steps: args.steps,
        default_guidance: args.guidance,
        default_contrast: args.contrast.map_or(Contrast::Null, ContrastName::contrast),
        licence: args.licence.clone(),
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
