//! `lfdm sheet`: one picture of generated clips of many people and labels.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use super::{
    contact_sheet::ContactSheet,
    data::SplitArgs,
    device::DeviceArgs,
    generate::{SamplingArgs, collect},
    numbers,
    progress::Progress,
    staging::ensure_apart,
};
use crate::{
    bundle::{Bundle, Part},
    pipeline::{Animator, Portrait},
};

/// Options of `lfdm sheet`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Directory of the model: manifest.json and its weights.
    #[arg(long)]
    model: PathBuf,
    #[command(flatten)]
    clips: SplitArgs,
    /// PNG to write.
    #[arg(long)]
    out: PathBuf,
    /// Number of people, the first of the split.
    #[arg(long, default_value_t = 3)]
    people: usize,
    /// Number of frames shown of each clip, evenly spaced.
    #[arg(long, default_value_t = 8)]
    columns: usize,
    /// Show the real clip of the same person and label above each generated one.
    #[arg(long)]
    real: bool,
    /// Factor by which the middle of every frame is enlarged before the model sees it.
    #[arg(long, default_value_t = 1.0, value_parser = numbers::zoom)]
    zoom: f32,
    #[command(flatten)]
    sampling: SamplingArgs,
    #[command(flatten)]
    device: DeviceArgs,
}

/// Generates the clips and draws the sheet.
pub(crate) fn run(args: &Args) -> Result<()> {
    ensure!(args.people > 0 && args.columns > 0, "--people and --columns must be at least 1");
    ContactSheet::check(&args.out, &[&args.model, &args.clips.data])?;
    ensure_apart(&args.out, &[&args.clips.data])?;
    let bundle = Bundle::open_parts(&args.model, &[Part::Generation])?;
    let manifest = bundle.manifest.clone();
    let animator = Animator::load(bundle, &args.device.open()?)
        .with_context(|| format!("cannot use the model in {}", args.model.display()))?;
    let size @ [height, width] = animator.config().image_size;
    ensure!(height == width, "the model is for {width}x{height} pixels, but clips are square");
    let data = args.clips.open(height, None)?;
    let data = data.with_labels(animator.labels())?;

    let view = data.close_up(args.zoom);
    let mut sheet = ContactSheet::new(size).with_headings(spread(animator.config().frames, args.columns));
    let people = args.people.min(data.len());
    let progress = Progress::new("clips", people * data.labels().len());
    for subject in 0..people {
        for (label, name) in data.labels().iter().enumerate() {
            progress.inc(1);
            let Some(clip) = data.find(subject, label) else { continue };
            if args.real {
                let shown = spread(data.frames(), args.columns).into_iter();
                sheet.push(format!("{name} (real)"), shown.map(|frame| clip.rgba_through(view, frame)).collect());
            }
            let portrait = Portrait::from_rgba(width, height, &clip.rgba_through(view, 0), size)?;
            // Another seed for each clip: one lucky or unlucky draw should not decide how all of them look.
            let seed = args.sampling.seed() + (subject * data.labels().len() + label) as u64;
            let request = args.sampling.request(&manifest, &clip.strengths(), seed);
            let (frames, _) = collect(animator.generate(&portrait, &request)?, |_| {})?;
            let shown = spread(frames.len(), args.columns).into_iter();
            sheet.push(name, shown.map(|frame| frames[frame].rgba.clone()).collect());
        }
    }
    progress.finish();
    sheet.save(&args.out)
}

/// `count` of so many frames, evenly spaced, with the first and the last.
fn spread(frames: usize, count: usize) -> Vec<usize> {
    let (last, count) = (frames.saturating_sub(1), count.min(frames));
    (0..count).map(|index| if count > 1 { index * last / (count - 1) } else { last }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_has_both_ends() {
        assert_eq!(spread(16, 4), [0, 5, 10, 15]);
        assert_eq!(spread(16, 99).len(), 16);
        assert_eq!(spread(16, 1), [15]);
        assert!(spread(0, 4).is_empty());
    }
}
