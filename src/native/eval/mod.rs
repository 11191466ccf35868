//! `lfdm eval`: how well expressions are rebuilt and generated for people that the model was not trained on.

mod clips;
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

use super::animate::SamplerName;
use super::data::{ClipSet, DataArgs, NEUTRAL, Split};
use super::device::DeviceArgs;
use super::model::open_lfae;
use super::video::Video;
use crate::bundle::{Bundle, MANIFEST, Part};
use crate::diffusion::is_denoiser;
use crate::pipeline::{Animator, MAX_STEPS, Portrait};
use clips::ClipFolders;
use generation::{Comparison, Generation, Plan};
use judges::{ActionJudge, VideoNetwork};
use reconstruction::{Measurements, Reconstruction, rebuild};

/// The structural similarity's window must fit.
const MIN_SIZE: usize = 11;

/// `lfdm eval`
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Directory of a model, or run directory of `lfdm train lfae`, which can be measured without generating.
    #[arg(long)]
    model: PathBuf,
    /// Directory of the clips, in any form that training takes.
    #[arg(long)]
    data: PathBuf,
    #[command(flatten)]
    reading: DataArgs,
    #[arg(long, value_enum, default_value_t = Split::Val)]
    split: Split,
    /// JSON report.
    #[arg(long)]
    out: PathBuf,
    /// New directory for the clips that are compared, as `<origin>/<subject>/<label>/0001.png …`: the real ones, as the auto-encoder repeats
    /// them, and generated ones.
    #[arg(long)]
    clips_out: Option<PathBuf>,
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
    /// The model's own without it.
    #[arg(long, value_enum)]
    sampler: Option<SamplerName>,
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
    let frames = animator.is_some().then_some(config.frames);
    let mut data = args.reading.open(&args.data, None, height, frames, args.split)?;
    if let Some(animator) = &animator {
        data = data.with_labels(&animator.manifest().labels)?;
    }
    let networks = args.networks(&data, &device)?;

    let plan = animator.as_ref().map(|animator| (animator, args.plan(animator)));
    let folders = args.clips_out.as_ref().map(|dir| ClipFolders::create(dir, &data, args.seeds.into())).transpose()?;
    let mut comparison = (plan.is_some() || !networks.is_empty() || folders.is_some())
        .then(|| Comparison::new(data.labels(), networks, plan, data.frames()).kept_in(folders.as_ref()));

    let mut measurements = Measurements::default();
    let bar = progress_bar(data.clip_count());
    for subject in 0..data.len() {
        let is_compared = comparison.as_ref().is_some_and(|comparison| args.clips.is_none_or(|n| comparison.len() < n));
        for clip in data.clips_of(subject) {
            let real = Video::new(height, clip.all_frames());
            let rebuilt = rebuild(&lfae, &real, &device)?;
            if data.labels()[clip.label()] != NEUTRAL {
                measurements.add(clip.label(), &real, &rebuilt);
            }
            if let Some(comparison) = comparison.as_mut().filter(|_| is_compared) {
                let portrait = Portrait::from_rgba(width, height, &clip.rgba(0), config.image_size)?;
                comparison.add(subject, clip.label(), &portrait, real, rebuilt)?;
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
    folders.map(ClipFolders::publish).transpose()?;
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
    fn networks(&self, data: &ClipSet, device: &Device) -> Result<Vec<Box<dyn VideoNetwork>>> {
        let mut networks: Vec<Box<dyn VideoNetwork>> = Vec::new();
        if let Some(run) = &self.classifier {
            networks.push(Box::new(ActionJudge::open(run, data, device)?));
        }
        Ok(networks)
    }

    fn plan(&self, animator: &Animator) -> Plan {
        let manifest = animator.manifest();
        Plan {
            seeds: usize::from(self.seeds),
            first_seed: self.seed,
            guidance: self.guidance.unwrap_or(manifest.default_guidance),
            sampler: self.sampler.map_or_else(|| manifest.default_sampler(), SamplerName::sampler),
            steps: if self.steps.is_empty() { vec![manifest.default_steps] } else { self.steps.clone() },
        }
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
