//! `lfdm animate`: portraits and labels become GIFs or directories of frames.
//!
//! One portrait and one label are a clip, written to `--out` itself; several are a [`batch`].

mod batch;
mod names;
mod output;
mod record;
mod text;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};

use self::{record::Record, text::TextArgs};
use super::{
    contact_sheet::ContactSheet,
    data::{pictures, warn_of_unread_in},
    device::DeviceArgs,
    framing::FramingArgs,
    generate::{SamplingArgs, collect},
    staging::ensure_distinct,
};
use crate::{
    bundle::{Bundle, Manifest, Part},
    condition::{ConditionError, Strengths},
    pipeline::{Animator, Event, Frame, Portrait, Request, RequestError, Timings},
};

/// What `--label` calls all labels of the model.
const ALL: &str = "all";

/// Options of `lfdm animate`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Directory of the model: manifest.json and its weights.
    #[arg(long)]
    model: PathBuf,
    /// Portrait to animate: PNG, JPEG, WebP, GIF or BMP. Several, or a folder of them, are animated
    /// in turn by a model that is loaded once.
    #[arg(long, required = true, num_args = 1..)]
    image: Vec<PathBuf>,
    /// What the face does, such as happiness; a label that the model does not know lists those it
    /// knows. Several, such as happiness,fear, or `all` make a clip of each. With strengths, such as
    /// happiness=0.7 or happiness=0.7,surprise=0.4, it is one clip: 0 is neutral, 1 the plain label.
    #[arg(long, required_unless_present = "text", num_args = 1..)]
    label: Vec<String>,
    #[command(flatten)]
    text: TextArgs,
    /// Where the video goes: a file that ends in .gif, or a directory for `frame_000.png`,
    /// `frame_001.png`, … Several portraits or labels go to a directory, as
    /// `<portrait>/<label>/frame_000.png`, all with the same seed.
    #[arg(long)]
    out: PathBuf,
    /// Write `<portrait>/<label>.gif` into the directory `--out`.
    #[arg(long)]
    gif: bool,
    /// Of several clips, keep those that `--out` already holds and make the others.
    #[arg(long)]
    resume: bool,
    /// Of several clips, make those again that this command wrote into `--out` before.
    #[arg(long, conflicts_with = "resume")]
    replace: bool,
    /// Warp the photo itself by the generated motion, for frames with sides of up to SIDE pixels [default: the
    /// model's own frames]
    #[arg(long, value_name = "SIDE", value_parser = clap::value_parser!(u16).range(16..=4096))]
    photo_size: Option<u16>,
    #[command(flatten)]
    framing: FramingArgs,
    /// Also write a PNG with all frames side by side, flow and occlusion below them.
    #[arg(long)]
    sheet: Option<PathBuf>,
    #[command(flatten)]
    sampling: SamplingArgs,
    #[command(flatten)]
    device: DeviceArgs,
}

/// Makes the videos and writes them.
pub(crate) fn run(args: &Args) -> Result<()> {
    let images = args.images()?;
    let mut bundle = Bundle::open_parts(&args.model, &[Part::Generation])?;
    let settings = record::Settings::new(args, &bundle.manifest)?;
    let vectors = args.text.teach(&mut bundle)?;
    let manifest = bundle.manifest.clone();
    let animator = Animator::load(bundle, &args.device.open()?)
        .with_context(|| format!("cannot use the model in {}", args.model.display()))?;
    let asked = args.strengths(animator.labels()).map_err(RequestError::from)?;
    let is_one_clip = args.is_one_clip(animator.labels());
    let studio = Studio { args, manifest, animator, settings, vectors };
    let first = asked.first().context("the model knows no label")?;
    studio.request(first).check()?;
    if is_one_clip { one_clip(&studio, &images[0], first) } else { batch::run(&studio, &images, &asked) }
}

impl Args {
    /// The pictures, those of folders in the natural order of their names.
    fn images(&self) -> Result<Vec<PathBuf>> {
        let mut images = Vec::new();
        for path in &self.image {
            if path.is_dir() {
                let found = pictures(path)?;
                warn_of_unread_in(path);
                ensure!(!found.is_empty(), "{} holds no PNG, JPEG, WebP, GIF or BMP", path.display());
                images.extend(found);
            } else {
                images.push(path.clone());
            }
        }
        Ok(images)
    }

    /// What is asked for, each once, in terms of the `known` labels, which sentences are among. A label can have a
    /// comma or an equals sign, or be called `all`.
    fn strengths(&self, known: &[String]) -> Result<Vec<Strengths>, ConditionError> {
        let mut asked: Vec<Strengths> = Vec::new();
        for given in &self.label {
            let parts: Vec<&str> = if is_whole(given, known) {
                vec![given]
            } else if given == ALL {
                known.iter().map(String::as_str).collect()
            } else {
                given.split(',').map(str::trim).collect()
            };
            for part in parts {
                let strengths = Strengths::parse(part, known)?;
                strengths.weights(known)?;
                if !asked.contains(&strengths) {
                    asked.push(strengths);
                }
            }
        }
        for sentence in &self.text.text {
            let strengths = Strengths::from(sentence.as_str());
            if !asked.contains(&strengths) {
                asked.push(strengths);
            }
        }
        Ok(asked)
    }

    /// Whether one picture and one label, mixture or sentence are named: what a folder happens to hold does not count.
    fn is_one_clip(&self, known: &[String]) -> bool {
        let is_one = match (&self.label[..], &self.text.text[..]) {
            ([label], []) => label != ALL && (is_whole(label, known) || !label.contains(',')),
            ([], [_]) => true,
            _ => false,
        };
        matches!(&self.image[..], [image] if !image.is_dir()) && is_one && !self.gif
    }
}

/// Whether `given` is one label or one mixture, and no list of labels.
fn is_whole(given: &str, known: &[String]) -> bool {
    given.contains('=') || known.iter().any(|label| label == given)
}

/// A model that is ready, and what is asked of it.
struct Studio<'a> {
    args: &'a Args,
    manifest: Manifest,
    animator: Animator,
    settings: record::Settings,
    /// Hashes of the vectors of sentences.
    vectors: BTreeMap<String, String>,
}

impl Studio<'_> {
    fn request(&self, strengths: &Strengths) -> Request {
        self.args.sampling.request(&self.manifest, strengths, self.args.sampling.seed())
    }

    /// How a clip will be made of the framed picture of this hash.
    fn record(&self, picture: &str, strengths: &Strengths) -> Record {
        let vector = self.vectors.get(&strengths.to_string());
        self.settings.record(picture, &self.request(strengths), vector)
    }

    /// All frames of a clip of the `portrait`, which was read from `image`.
    fn film(
        &self,
        image: &Path,
        portrait: &Portrait,
        request: &Request,
        on_event: impl FnMut(&Event),
    ) -> Result<(Vec<Frame>, Timings)> {
        let mut generation = self.animator.generate(portrait, request)?;
        if let Some(side) = self.args.photo_size {
            let framed = self.args.framing.read(image)?;
            let photo = framed.photo(self.animator.config().image_size, usize::from(side))?;
            generation = generation.at_photo_size(&photo);
        }
        collect(generation, on_event)
    }
}

/// Makes the clip of one picture and one label or mixture.
fn one_clip(studio: &Studio<'_>, image: &Path, strengths: &Strengths) -> Result<()> {
    let Studio { args, manifest, animator, .. } = studio;
    ensure!(!args.resume && !args.replace, "--resume and --replace are for several portraits or labels");
    let inputs = [image, &*args.model];
    if let Some(sheet) = &args.sheet {
        ensure_distinct(("--out", &args.out), ("--sheet", sheet))?;
        ContactSheet::check(sheet, &inputs)?;
    }
    let target = output::check(&args.out, &inputs)?;
    let size = animator.config().image_size;
    let framed = args.framing.read(image)?;
    if let Some(remark) = &framed.remark {
        tracing::info!("{remark}");
    }
    let portrait = framed.portrait(size).with_context(|| image.display().to_string())?;
    let bar = one_bar();
    let (frames, timings) = studio.film(image, &portrait, &studio.request(strengths), |event| show(&bar, event))?;
    bar.finish_and_clear();

    let record = studio.record(&framed.hash(), strengths);
    output::write(&frames, manifest.fps, &record, target, &args.out)?;
    if let Some(path) = &args.sheet {
        let mut sheet = ContactSheet::new(size);
        sheet.push(strengths.to_string(), frames.iter().map(|frame| frame.rgba.clone()).collect());
        sheet.push("flow", frames.iter().map(|frame| frame.flow.clone()).collect());
        sheet.push("occlusion", frames.iter().map(|frame| frame.occlusion.clone()).collect());
        sheet.save(path)?;
    }
    report(&args.out, frames.len(), &timings);
    Ok(())
}

fn report(out: &Path, frames: usize, timings: &Timings) {
    tracing::info!(
        "{}: {} frames in {:.2} s (encode {:.2}, denoise {:.2}, decode {:.2})",
        out.display(),
        frames,
        timings.total_ms / 1e3,
        timings.encode_ms / 1e3,
        timings.denoise_ms / 1e3,
        timings.decode_ms / 1e3,
    );
    if let Some(bytes) = peak_memory() {
        tracing::info!("peak memory {:.2} GB", bytes as f64 / 1e9);
    }
}

/// The most memory in bytes that this process has had at once, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(kilobytes.trim().trim_end_matches(" kB").parse::<u64>().ok()? * 1024)
}

fn one_bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:8} {bar:40} {pos}/{len} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style).with_message("encode")
}

fn show(bar: &ProgressBar, event: &Event) {
    let (message, done, total) = match event {
        Event::Step { index, total, .. } => ("denoise", index + 1, *total),
        Event::Frame(frame) => ("decode", frame.index + 1, frame.total),
        Event::Encoded | Event::Done(_) => return,
    };
    bar.set_message(message);
    bar.set_length(total as u64);
    bar.set_position(done as u64);
}
