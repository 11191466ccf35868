//! `lfdm eval`: how well expressions are rebuilt and generated for people that the model was not trained on.

mod clips;
mod drift;
mod frechet;
mod generation;
mod judges;
mod reconstruction;
mod subject;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use burn::tensor::Device;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::data::{ClipSet, NEUTRAL, SplitArgs};
use super::device::DeviceArgs;
use super::generate::SamplerName;
use super::video::Video;
use crate::pipeline::{MAX_STEPS, Portrait};
use clips::ClipFolders;
use generation::{Comparison, Generation, Plan};
use judges::{ActionJudge, I3dJudge, VideoNetwork};
use reconstruction::{Measurements, Reconstruction};
use subject::{ClipSource, Cost, Subject};

/// The structural similarity's window must fit.
const MIN_SIZE: usize = 11;

/// `lfdm eval`
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Directory of a model, or run directory of a baseline (`lfdm train vdm`, `lfdm train ldm`), or of an auto-encoder (`lfdm train lfae`,
    /// `lfdm train autoencoder`), which can be measured without generating.
    #[arg(long)]
    model: PathBuf,
    #[command(flatten)]
    set: SplitArgs,
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
    /// Weights of I3D under PyTorch's keys (`rgb_imagenet.pt`, `i3d_pretrained_400.pt`, or safetensors), for the Frechet distance that papers
    /// report.
    #[arg(long)]
    i3d: Option<PathBuf>,
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
    /// `None` for a model without an auto-encoder.
    reconstruction: Option<Reconstruction>,
    generation: Option<Generation>,
    cost: Option<Cost>,
}

pub fn run(args: &Args) -> Result<()> {
    ensure!(args.clips != Some(0), "--clips must be at least 1");
    ensure!(args.steps.iter().all(|steps| (1..=MAX_STEPS).contains(steps)), "--steps must be 1 to {MAX_STEPS} each");
    let device = args.device.open();
    let Subject { size, autoencoder, source } = Subject::open(&args.model, &device)?;
    ensure!(size >= MIN_SIZE, "the model's frames have sides of {size} pixels; similarity needs {MIN_SIZE}");
    let frames = source.as_ref().map(|source| source.frames);
    let mut data = args.set.open(size, frames)?;
    if let Some(source) = &source {
        data = data.with_labels(&source.labels)?;
    }
    let networks = args.networks(&data, &device)?;

    let plan = source.as_ref().map(|source| (&*source.model, args.plan(source)));
    let cost = source.as_ref().zip(plan.as_ref()).map(|(source, (_, plan))| source.cost(plan.guidance));
    let folders = args.clips_out.as_ref().map(|dir| ClipFolders::create(dir, &data, args.seeds.into())).transpose()?;
    let mut comparison = (plan.is_some() || !networks.is_empty() || folders.is_some())
        .then(|| Comparison::new(data.labels(), networks, plan, data.frames()).kept_in(folders.as_ref()));

    let mut measurements = Measurements::default();
    let bar = progress_bar(data.clip_count());
    for subject in 0..data.len() {
        let is_compared = comparison.as_ref().is_some_and(|comparison| args.clips.is_none_or(|n| comparison.len() < n));
        for clip in data.clips_of(subject) {
            let real = Video::new(size, clip.all_frames());
            let rebuilt = autoencoder.as_ref().map(|autoencoder| autoencoder.rebuild(&real)).transpose()?;
            if let Some(rebuilt) = rebuilt.as_ref().filter(|_| data.labels()[clip.label()] != NEUTRAL) {
                measurements.add(clip.label(), &real, rebuilt);
            }
            if let Some(comparison) = comparison.as_mut().filter(|_| is_compared) {
                let portrait = Portrait::from_rgba(size, size, &clip.rgba(0), [size; 2])?;
                comparison.add(subject, clip.label(), &portrait, real, rebuilt)?;
            }
            bar.inc(1);
        }
    }
    bar.finish_and_clear();

    let report = Report {
        split: args.set.split.name(),
        size,
        reconstruction: autoencoder.is_some().then(|| measurements.report(&data)),
        generation: comparison.map(Comparison::report),
        cost,
    };
    write(&report, &args.out)?;
    folders.map(ClipFolders::publish).transpose()?;
    if let Some(reconstruction) = &report.reconstruction {
        println!("{reconstruction}");
    }
    if let Some(generation) = &report.generation {
        println!("{generation}");
    }
    if let Some(cost) = &report.cost {
        print!("{cost}");
    }
    if source.is_none() {
        println!(
            "{} holds no diffusion model, so nothing was generated; `lfdm export` joins both stages, `lfdm train ldm` trains one on an \
             auto-encoder of frames",
            args.model.display()
        );
    }
    if args.classifier.is_none() {
        println!(
            "\nLabel accuracy and Frechet distances need a network that has seen such clips: \
             `lfdm train classifier --data {} --out runs/classifier`, then --classifier runs/classifier",
            args.set.data.display()
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
        if let Some(weights) = &self.i3d {
            networks.push(Box::new(I3dJudge::open(weights, data.frames(), device)?));
        }
        Ok(networks)
    }

    fn plan(&self, source: &ClipSource) -> Plan {
        Plan {
            seeds: usize::from(self.seeds),
            first_seed: self.seed,
            guidance: self.guidance.unwrap_or(source.guidance),
            sampler: self.sampler.map_or(source.sampler, SamplerName::sampler),
            steps: if self.steps.is_empty() { vec![source.steps] } else { self.steps.clone() },
        }
    }
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
