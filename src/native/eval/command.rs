//! The command: opens model, data and networks, measures clip after clip, and reports.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use burn::tensor::Device;

use super::{
    clip_folders::ClipFolders,
    generation::{ClipMeasurements, Plan},
    judges::{ActionJudge, I3dJudge, VideoNetwork},
    model::{ClipSource, Denoising, ModelUnderTest},
    rebuild::Rebuild,
    reconstruction::FrameMeasurements,
    report::Report,
};
use crate::{
    condition::NEUTRAL,
    native::{
        data::{ClipSet, SplitArgs},
        device::DeviceArgs,
        generate::{ContrastName, SamplerName},
        numbers,
        printable::say,
        progress::Progress,
        staging::{ensure_apart, ensure_distinct, ensure_no_input, ensure_writable, write_file},
        video::Video,
    },
    pipeline::Portrait,
};

/// The largest `--seed`, far from the end of what a seed can be.
const LAST_SEED: u64 = u64::MAX / 2;
/// Sides that structural similarity needs, for its window to fit.
const MIN_SIZE: usize = 11;

/// `lfdm eval`
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Directory of a model, or of a run of `lfdm train vdm`, `ldm`, `imaginator`, `lfae` or
    /// `autoencoder`. The last two only rebuild clips.
    #[arg(long)]
    model: PathBuf,
    #[command(flatten)]
    set: SplitArgs,
    /// Only rebuild the clips, whatever their labels, `neutral` among them: the best test of an
    /// auto-encoder on videos of one's own.
    #[arg(long, conflicts_with_all = ["classifier", "i3d", "clips", "steps", "guidance", "sampler", "clips_out"])]
    reconstruction: bool,
    /// JSON report to write.
    #[arg(long)]
    out: PathBuf,
    /// New directory for the clips that are compared (real, rebuilt and generated ones), as
    /// `<origin>/<subject>/<label>/0001.png …`.
    #[arg(long)]
    clips_out: Option<PathBuf>,
    /// Run of `lfdm train classifier`: adds label accuracy and Frechet distances.
    #[arg(long)]
    classifier: Option<PathBuf>,
    /// Weights of I3D under PyTorch's keys (`rgb_imagenet.pt`, `i3d_pretrained_400.pt`, or
    /// safetensors): adds the Frechet video distance (FVD) that papers report.
    #[arg(long)]
    i3d: Option<PathBuf>,
    /// Compare only the first people of the split, until they have this many clips [default: everybody]
    #[arg(long)]
    clips: Option<usize>,
    /// Clips to generate for every real one.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    seeds: u16,
    /// Seed of the first generated clip.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Denoising steps; several, such as 4,8, make a table [default: the model's own]
    #[arg(long, value_delimiter = ',', value_parser = numbers::steps)]
    steps: Vec<usize>,
    /// Strength of the label; 1 is the plain condition, more exaggerates it [default: the model's own]
    #[arg(long, value_parser = numbers::guidance)]
    guidance: Option<f32>,
    /// What guidance exaggerates the label against [default: the model's own]
    #[arg(long, value_enum)]
    contrast: Option<ContrastName>,
    /// How each step is taken [default: the model's own]
    #[arg(long, value_enum)]
    sampler: Option<SamplerName>,
    #[command(flatten)]
    device: DeviceArgs,
}

/// Measures a model.
pub(crate) fn run(args: &Args) -> Result<()> {
    ensure!(args.clips != Some(0), "--clips must be at least 1");
    ensure!(args.seed <= LAST_SEED, "--seed must be at most {LAST_SEED}: the clips have the seeds from there on");
    // An hour of measuring would be lost to a report that cannot be written.
    let cannot_write = || format!("cannot write {}", args.out.display());
    ensure_no_input(&args.out, &args.inputs())?;
    ensure_apart(&args.out, &[&args.set.data])?;
    if let Some(dir) = &args.clips_out {
        ensure_apart(dir, &[&args.set.data])?;
        ensure_distinct(("--clips-out", dir), ("--out", &args.out))?;
    }
    ensure_writable(&args.out).with_context(cannot_write)?;
    let device = args.device.open()?;
    let ModelUnderTest { size, autoencoder, source } = ModelUnderTest::open(&args.model, &device)?;
    let source = source.filter(|_| !args.reconstruction);
    ensure!(
        autoencoder.is_some() || !args.reconstruction,
        "{} has no auto-encoder that could rebuild clips",
        args.model.display()
    );
    ensure!(size >= MIN_SIZE, "the model's frames have sides of {size} pixels; similarity needs {MIN_SIZE}");
    if let Some(source) = &source {
        args.ensure_possible(source)?;
    }
    let mut data = args.set.open(size, source.as_ref().map(|source| source.frames))?;
    if let Some(source) = &source {
        data = data.with_labels(&source.labels)?;
    }
    let networks = args.networks(&data, &device)?;

    let plan = source.as_ref().map(|source| (&*source.model, args.plan(source)));
    let cost = source.as_ref().zip(plan.as_ref()).map(|(source, (_, plan))| source.cost(plan.denoising.as_ref()));
    let folders = args.clips_out.as_ref().map(|dir| ClipFolders::create(dir, &data, args.seeds.into())).transpose()?;
    let mut clips = (plan.is_some() || !networks.is_empty() || folders.is_some())
        .then(|| ClipMeasurements::new(data.labels(), networks, plan, data.frames()).kept_in(folders.as_ref()));
    let mut frames = FrameMeasurements::default();
    args.measure(&data, autoencoder.as_deref(), &mut frames, clips.as_mut())?;

    let report = Report {
        split: args.set.split.name(),
        size,
        reconstruction: autoencoder.is_some().then(|| frames.report(&data)),
        generation: clips.map(ClipMeasurements::report),
        cost,
    };
    write_file(&args.out, &report.to_json()?).with_context(cannot_write)?;
    folders.map(ClipFolders::publish).transpose()?;
    say(report.to_string().trim_end())?;
    if !args.reconstruction {
        args.print_advice(source.is_some())?;
    }
    Ok(())
}

impl Args {
    /// All that is read.
    fn inputs(&self) -> Vec<&Path> {
        let given = [Some(&self.model), Some(&self.set.data), self.classifier.as_ref(), self.i3d.as_ref()];
        given.into_iter().flatten().map(PathBuf::as_path).collect()
    }

    /// The networks that judge clips.
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

    /// # Errors
    /// Names options that only a model that denoises can heed.
    fn ensure_possible(&self, source: &ClipSource) -> Result<()> {
        let given = [
            (!self.steps.is_empty(), "--steps"),
            (self.guidance.is_some(), "--guidance"),
            (self.contrast.is_some(), "--contrast"),
            (self.sampler.is_some(), "--sampler"),
        ];
        let given: Vec<&str> = given.into_iter().filter_map(|(is_given, option)| is_given.then_some(option)).collect();
        ensure!(
            source.denoising.is_some() || given.is_empty(),
            "{} makes a clip in one pass, without steps or guidance; leave {} out",
            self.model.display(),
            given.join(", ")
        );
        Ok(())
    }

    /// How clips are generated, with the model's defaults where the user gave nothing.
    fn plan(&self, source: &ClipSource) -> Plan {
        let denoising = source.denoising.as_ref().map(|default| Denoising {
            guidance: self.guidance.unwrap_or(default.guidance),
            contrast: self.contrast.map_or(default.contrast, ContrastName::contrast),
            sampler: self.sampler.map_or(default.sampler, SamplerName::sampler),
            steps: if self.steps.is_empty() { default.steps.clone() } else { self.steps.clone() },
        });
        Plan { seeds: usize::from(self.seeds), first_seed: self.seed, denoising }
    }

    /// Measures all clips, person by person: their frames, and as many whole clips as are asked for.
    fn measure(
        &self,
        data: &ClipSet,
        autoencoder: Option<&dyn Rebuild>,
        frames: &mut FrameMeasurements,
        mut clips: Option<&mut ClipMeasurements<'_>>,
    ) -> Result<()> {
        let size = data.size();
        let progress = Progress::new("measuring clips", data.clip_count());
        for subject in 0..data.len() {
            let is_compared = clips.as_ref().is_some_and(|clips| self.clips.is_none_or(|count| clips.len() < count));
            for clip in data.clips_of(subject) {
                let real = Video::new(size, clip.all_frames());
                let rebuilt = autoencoder.map(|autoencoder| autoencoder.rebuild(&real)).transpose()?;
                if let Some(rebuilt) =
                    rebuilt.as_ref().filter(|_| self.reconstruction || data.labels()[clip.label()] != NEUTRAL)
                {
                    frames.add(clip.label(), &real, rebuilt);
                }
                if let Some(clips) = clips.as_mut().filter(|_| is_compared) {
                    let portrait = Portrait::from_rgba(size, size, &clip.rgba(0), [size; 2])?;
                    clips.add(&clip, &portrait, real, rebuilt)?;
                }
                progress.inc(1);
            }
        }
        progress.finish();
        Ok(())
    }

    /// Says what the report lacks, and how to get it.
    fn print_advice(&self, generates: bool) -> Result<()> {
        if !generates {
            say(&format!(
                "{} holds no diffusion model, so nothing was generated; `lfdm export` joins both stages, and \
                 `lfdm train ldm` trains one on an auto-encoder of frames",
                self.model.display()
            ))?;
        }
        if self.classifier.is_none() {
            say(&format!(
                "\nLabel accuracy and Frechet distances need a network that knows such clips: \
                 `lfdm train classifier --data {} --out runs/classifier`, then --classifier runs/classifier",
                self.set.data.display()
            ))?;
        }
        Ok(())
    }
}
