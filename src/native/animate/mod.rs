//! `lfdm animate`: a portrait and a label become a GIF or a directory of frames.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};

use super::{
    contact_sheet::ContactSheet,
    device::DeviceArgs,
    generate::{SamplingArgs, collect},
    image_file::{read_photo, read_portrait},
};
use crate::{
    bundle::{Bundle, Part},
    gif,
    pipeline::{Animator, Event, Frame, Picture, Timings},
};

/// Options of `lfdm animate`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Directory of the model: manifest.json and its weights.
    #[arg(long)]
    model: PathBuf,
    /// Portrait to animate: PNG, JPEG, WebP, GIF or BMP.
    #[arg(long)]
    image: PathBuf,
    /// What the face does, such as happiness; a label that the model does not know lists those it knows.
    #[arg(long)]
    label: String,
    /// Where the video goes: a file that ends in .gif, or a directory for `frame_000.png`, `frame_001.png`, …
    #[arg(long)]
    out: PathBuf,
    /// Warp the photo itself by the generated motion, for frames with sides of up to SIDE pixels [default: the
    /// model's own frames]
    #[arg(long, value_name = "SIDE", value_parser = clap::value_parser!(u16).range(16..=4096))]
    photo_size: Option<u16>,
    /// Also write a PNG with all frames side by side, flow and occlusion below them.
    #[arg(long)]
    sheet: Option<PathBuf>,
    #[command(flatten)]
    sampling: SamplingArgs,
    #[command(flatten)]
    device: DeviceArgs,
}

/// Makes the video and writes it.
pub(crate) fn run(args: &Args) -> Result<()> {
    let bundle = Bundle::open_parts(&args.model, &[Part::Generation])?;
    let manifest = bundle.manifest.clone();
    let animator = Animator::load(bundle, &args.device.open())
        .with_context(|| format!("cannot use the model in {}", args.model.display()))?;
    let portrait = read_portrait(&args.image, animator.config().image_size)?;
    let request = args.sampling.request(&manifest, &args.label, args.sampling.seed());
    let bar = progress_bar();
    let mut generation = animator.generate(&portrait, &request)?;
    if let Some(side) = args.photo_size {
        let photo = read_photo(&args.image, animator.config().image_size, usize::from(side))?;
        generation = generation.at_photo_size(&photo);
    }
    let (frames, timings) = collect(generation, |event| show(&bar, event))?;
    bar.finish_and_clear();

    write(&frames.iter().map(picture).collect::<Vec<_>>(), manifest.fps, &args.out)?;
    if let Some(path) = &args.sheet {
        let mut sheet = ContactSheet::new(animator.config().image_size);
        sheet.push(&request.label, frames.iter().map(|frame| frame.rgba.clone()).collect());
        sheet.push("flow", frames.iter().map(|frame| frame.flow.clone()).collect());
        sheet.push("occlusion", frames.iter().map(|frame| frame.occlusion.clone()).collect());
        sheet.save(path)?;
    }
    report(&args.out, frames.len(), &timings);
    Ok(())
}

/// The frame at the photo's size, if the photo was warped, or at the model's.
fn picture(frame: &Frame) -> Picture {
    match &frame.photo {
        Some(photo) => photo.clone(),
        None => Picture { size: frame.size, rgba: frame.rgba.clone() },
    }
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

/// Writes a GIF, or a directory of PNG files, as the name of `out` asks.
fn write(frames: &[Picture], fps: f32, out: &Path) -> Result<()> {
    if out.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gif")) {
        return write_gif(frames, fps, out);
    }
    ensure!(
        out.extension().is_none() || out.is_dir(),
        "--out {} is neither a .gif nor a directory; name one of the two",
        out.display()
    );
    fs::create_dir_all(out).with_context(|| cannot_write(out))?;
    for (index, Picture { size: [height, width], rgba }) in frames.iter().enumerate() {
        let path = out.join(format!("frame_{index:03}.png"));
        image::save_buffer(&path, rgba, *width as u32, *height as u32, image::ExtendedColorType::Rgba8)
            .with_context(|| cannot_write(&path))?;
    }
    Ok(())
}

fn write_gif(frames: &[Picture], fps: f32, out: &Path) -> Result<()> {
    let Some(Picture { size: [height, width], .. }) = frames.first() else { return Ok(()) };
    let pictures: Vec<_> = frames.iter().map(|frame| frame.rgba.clone()).collect();
    let bytes = gif::encode(&pictures, u16::try_from(*width)?, u16::try_from(*height)?, fps)?;
    fs::write(out, bytes).with_context(|| cannot_write(out))
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}

fn progress_bar() -> ProgressBar {
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
