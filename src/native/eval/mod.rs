//! `lfdm eval`: how well expressions are rebuilt and generated for people that the model was not trained on.

mod drift;
mod frechet;
mod generation;
mod judges;
mod reconstruction;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use burn::tensor::Device;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::data::{ClipSet, Split};
use super::device::DeviceArgs;
use super::model::open_lfae;
use super::video::Video;
use crate::bundle::{Bundle, MANIFEST, Part};
use crate::diffusion::is_denoiser;
use crate::pipeline::{Animator, MAX_STEPS, Portrait};
use generation::{Comparison, Generation, Plan};
use judges::{ActionJudge, VideoNetwork};
use reconstruction::{Measurements, Reconstruction, is_expression, rebuild};

/// The structural similarity's window must fit.
const MIN_SIZE: usize = 11;

/// `lfdm eval`
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Directory of a model, or run directory of `lfdm train lfae`, which can be measured without generating.
    #[arg(long)]
    model: PathBuf,
    /// Directory of the clips.
    #[arg(long)]
    data: PathBuf,
    #[arg(long, value_enum, default_value_t = Split::Val)]
    split: Split,
    /// JSON report.
    #[arg(long)]
    out: PathBuf,
    /// Run directory of `lfdm train classifier`, for label accuracy and Frechet distances.
    #[arg(long)]
    classifier: Option<PathBuf>,
    /// Real clips that generated ones are compared with, whole people at a time, the first of the split; all without it.
    #[arg(long)]
    clips: Option<usize>,
    /// Clips to generate for every real one.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    seeds: u16,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Denoising steps, several for a table; the model's default without it.
    #[arg(long, value_delimiter = ',')]
    steps: Vec<usize>,
    /// Strength of the label; the model's default without it.
    #[arg(long)]
    guidance: Option<f32>,
    #[command(flatten)]
    device: DeviceArgs,
}

#[derive(Serialize)]
struct Report {
    split: &'static str,
    size: usize,
    reconstruction: Reconstruction,
    generation: Option<Generation>,
}

pub fn run(args: &Args) -> Result<()> {
    ensure!(args.clips != Some(0), "--clips must be at least 1");
    ensure!(args.steps.iter().all(|steps| (1..=MAX_STEPS).contains(steps)), "--steps must be 1 to {MAX_STEPS} each");
    let device = args.device.open();
    let (config, lfae) = open_lfae(&args.model, &device)?;
    let [height, width] = config.image_size;
    ensure!(height == width, "the model is for {width}x{height} pixels, but clips are square");
    ensure!(height >= MIN_SIZE, "the model's frames have sides of {height} pixels; similarity needs {MIN_SIZE}");
    let animator = open_animator(&args.model, &device)?;
    let data = ClipSet::open(&args.data, None, height, args.split)?;
    let networks = args.networks(data.labels(), &device)?;

    let frames = if animator.is_some() { config.frames.min(data.frames()) } else { data.frames() };
    let plan = match &animator {
        Some(animator) => Some((animator, args.plan(animator, data.labels())?)),
        None => None,
    };
    let mut comparison =
        (plan.is_some() || !networks.is_empty()).then(|| Comparison::new(data.labels(), networks, plan, frames));
    let labels = data.labels().len();
    let compared = if comparison.is_some() { args.clips.map_or(data.len(), |clips| clips.div_ceil(labels)) } else { 0 };

    let mut measurements = Measurements::default();
    let bar = progress_bar(data.len() * labels);
    for subject in 0..data.len() {
        for (label, name) in data.labels().iter().enumerate() {
            let real = Video::new(height, data.clip(subject, label).all_frames());
            let rebuilt = rebuild(&lfae, &real, &device)?;
            if is_expression(name) {
                measurements.add(label, &real, &rebuilt);
            }
            if subject < compared
                && let Some(comparison) = &mut comparison
            {
                let portrait = data.clip(subject, label).rgba(0);
                let portrait = Portrait::from_rgba(width, height, &portrait, config.image_size)?;
                comparison.add(subject, label, &portrait, real, rebuilt)?;
            }
            bar.inc(1);
        }
    }
    bar.finish_and_clear();

    let report = Report {
        split: args.split.name(),
        size: height,
        reconstruction: measurements.report(&data),
        generation: comparison.map(Comparison::report),
    };
    write(&report, &args.out)?;
    print!("{}", report.reconstruction);
    if let Some(generation) = &report.generation {
        print!("\n{generation}");
    }
    if animator.is_none() {
        println!(
            "\n{} holds no diffusion model, so nothing was generated; `lfdm export` joins both stages",
            args.model.display()
        );
    }
    if args.classifier.is_none() {
        println!(
            "\nLabel accuracy and Frechet distances need a network that has seen such clips: \
             `lfdm train classifier --data {} --out runs/classifier`, then --classifier runs/classifier",
            args.data.display()
        );
    }
    Ok(())
}

impl Args {
    fn networks(&self, labels: &[String], device: &Device) -> Result<Vec<Box<dyn VideoNetwork>>> {
        let mut networks: Vec<Box<dyn VideoNetwork>> = Vec::new();
        if let Some(run) = &self.classifier {
            networks.push(Box::new(ActionJudge::open(run, labels, device)?));
        }
        Ok(networks)
    }

    fn plan(&self, animator: &Animator, labels: &[String]) -> Result<Plan> {
        let manifest = animator.manifest();
        let unknown: Vec<&str> =
            labels.iter().filter(|label| !manifest.labels.contains(label)).map(String::as_str).collect();
        ensure!(
            unknown.is_empty(),
            "the model in {} does not know {} of {}; it knows {}",
            self.model.display(),
            unknown.join(", "),
            self.data.display(),
            manifest.labels.join(", ")
        );
        Ok(Plan {
            seeds: usize::from(self.seeds),
            first_seed: self.seed,
            guidance: self.guidance.unwrap_or(manifest.default_guidance),
            steps: if self.steps.is_empty() { vec![manifest.default_steps] } else { self.steps.clone() },
        })
    }
}

/// The whole model, if both stages are there.
fn open_animator(path: &Path, device: &Device) -> Result<Option<Animator>> {
    if !path.join(MANIFEST).exists() {
        return Ok(None);
    }
    let bundle = Bundle::open_parts(path, &[Part::Generation])?;
    if !bundle.weights.iter().any(|(key, _)| is_denoiser(key)) {
        return Ok(None);
    }
    let animator =
        Animator::load(bundle, device).with_context(|| format!("cannot use the model in {}", path.display()))?;
    Ok(Some(animator))
}

fn write(report: &Report, path: &Path) -> Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))?;
    }
    fs::write(path, serde_json::to_vec_pretty(report)?).with_context(|| format!("cannot write {}", path.display()))
}

fn progress_bar(clips: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("measuring clips {bar:40} {pos}/{len} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(clips as u64).with_style(style)
}
