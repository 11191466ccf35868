//! Several portraits, labels or mixtures of labels: a clip of each pair, all from one model and one seed.
//!
//! Everything that can be wrong is found before the first clip is computed, since nobody watches
//! the last.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};

use super::{
    Args, Studio,
    names::is_gif,
    output::{self, Target},
    record::{self, Record},
};
use crate::{
    condition::Strengths,
    native::{framing::FramingArgs, printable::one_paragraph, progress::Progress},
    pipeline::{Event, Portrait, Timings},
};

/// A clip to be made.
struct Clip<'a> {
    image: &'a Path,
    portrait: &'a Portrait,
    strengths: &'a Strengths,
    record: Record,
    out: PathBuf,
    target: Target,
}

/// Makes a clip of each pair of a picture and a label, in `--out`.
pub(super) fn run(studio: &Studio<'_>, images: &[PathBuf], asked: &[Strengths]) -> Result<()> {
    let args = studio.args;
    check(args, images.len() * asked.len())?;
    let folders = folders_of(images)?;
    let names = names_of(asked)?;
    let portraits = read_all(images, &args.framing, studio.animator.config().image_size)?;

    let mut clips = Vec::new();
    for ((image, (portrait, picture)), folder) in images.iter().zip(&portraits).zip(&folders) {
        for (strengths, name) in asked.iter().zip(&names) {
            let name = if args.gif { format!("{name}.gif") } else { name.clone() };
            let record = studio.record(picture, strengths);
            let out = args.out.join(folder).join(name);
            let replaces = args.replace && out.exists();
            let target = if replaces { output::check(&out, &[])? } else { Target::new(&out)? };
            clips.push(Clip { image, portrait, strengths, record, out, target });
        }
    }
    let count = clips.len();
    for clip in clips.iter().filter(|clip| clip.out.exists()) {
        ensure!(
            args.resume || args.replace,
            "{} is there already; add --resume to make only what is missing, --replace to make it again, or choose \
             another --out",
            clip.out.display()
        );
        record::ensure_ours(&clip.out)?;
        if args.resume {
            clip.record.ensure_kept(&clip.out, studio.animator.config().frames)?;
        }
    }
    clips.retain(|clip| !clip.out.exists() || args.replace);
    if let Some(clip) = clips.first() {
        output::ensure_writable_at(&clip.out)?;
    }
    let timings = make_all(studio, &clips)?;
    tracing::info!(
        "{}: made {} of {count} clips in {:.1} s (encode {:.1}, denoise {:.1}, decode {:.1})",
        args.out.display(),
        clips.len(),
        timings.total_ms / 1e3,
        timings.encode_ms / 1e3,
        timings.denoise_ms / 1e3,
        timings.decode_ms / 1e3,
    );
    Ok(())
}

fn check(args: &Args, clips: usize) -> Result<()> {
    let out = args.out.display();
    ensure!(
        !is_gif(&args.out),
        "--out {out} is one file, but clips of {clips} pairs of a portrait and a label need a directory; name one{}",
        if args.gif { "" } else { ", and add --gif for a GIF of each" }
    );
    ensure!(!args.out.exists() || args.out.is_dir(), "--out {out} is a file; name a directory");
    ensure!(args.sheet.is_none(), "--sheet shows a single clip; give one portrait and one label, or see `lfdm sheet`");
    Ok(())
}

/// Makes the clips in turn; returns the sums of their times.
fn make_all(studio: &Studio<'_>, clips: &[Clip<'_>]) -> Result<Timings> {
    let mut sum = Timings::default();
    let progress = Progress::new("frames", clips.len() * studio.animator.config().frames);
    for clip in clips {
        let failed = || format!("no clip of {} with `{}`", clip.image.display(), clip.strengths);
        let timings = make(studio, clip, &progress).with_context(failed)?;
        sum.total_ms += timings.total_ms;
        sum.encode_ms += timings.encode_ms;
        sum.denoise_ms += timings.denoise_ms;
        sum.decode_ms += timings.decode_ms;
        // A bar shows nothing in a file or a pipe.
        if progress.is_hidden() {
            tracing::info!("{} in {:.2} s", clip.out.display(), timings.total_ms / 1e3);
        }
    }
    progress.finish();
    Ok(sum)
}

fn make(studio: &Studio<'_>, clip: &Clip<'_>, progress: &Progress) -> Result<Timings> {
    let request = studio.request(clip.strengths);
    let (frames, timings) = studio.film(clip.image, clip.portrait, &request, |event| {
        if let Event::Frame(_) = event {
            progress.inc(1);
        }
    })?;
    output::write(&frames, studio.manifest.fps, &clip.record, clip.target.clone(), &clip.out)?;
    Ok(timings)
}

/// Reads all portraits, each with the hash of its framed picture; names all that cannot be used.
fn read_all(images: &[PathBuf], framing: &FramingArgs, size: [usize; 2]) -> Result<Vec<(Portrait, String)>> {
    let (mut portraits, mut remarks, mut problems) = (Vec::new(), Vec::new(), Vec::new());
    for image in images {
        match read_one(image, framing, size) {
            Ok((portrait, hash, remark)) => {
                portraits.push((portrait, hash));
                remarks.extend(remark);
            }
            Err(problem) => problems.push(one_paragraph(&problem)),
        }
    }
    ensure!(problems.is_empty(), "{}", problems.join("; "));
    remarks.iter().take(REMARKS).for_each(|remark| tracing::info!("{remark}"));
    if remarks.len() > REMARKS {
        tracing::info!("… and so for {} more portraits", remarks.len() - REMARKS);
    }
    Ok(portraits)
}

/// Remarks that are read.
const REMARKS: usize = 3;

/// A portrait, the hash of its framed picture, and what should be said of it.
fn read_one(image: &Path, framing: &FramingArgs, size: [usize; 2]) -> Result<(Portrait, String, Option<String>)> {
    let framed = framing.read(image)?;
    let portrait = framed.portrait(size).with_context(|| image.display().to_string())?;
    Ok((portrait, framed.hash(), framed.remark))
}

/// The directory of each picture's clips: its name without the extension.
fn folders_of(images: &[PathBuf]) -> Result<Vec<String>> {
    let mut owners = BTreeMap::new();
    let mut folders = Vec::new();
    for image in images {
        let folder = file_name(&image.file_stem().unwrap_or_default().to_string_lossy());
        if let Some(other) = owners.insert(folder.clone(), image) {
            bail!(
                "the clips of {} and {} would both go to {folder}/; rename one, or leave one out",
                other.display(),
                image.display()
            );
        }
        folders.push(folder);
    }
    Ok(folders)
}

/// The name of the clips of each label or mixture: `happiness`, or `happiness=0.7,surprise=0.4`.
fn names_of(asked: &[Strengths]) -> Result<Vec<String>> {
    let names: Vec<String> = asked.iter().map(|strengths| file_name(&strengths.to_string())).collect();
    for (index, name) in names.iter().enumerate() {
        if let Some(other) = names[..index].iter().position(|other| other == name) {
            bail!(
                "the clips of `{}` and `{}` would both be called {name}; ask for one at a time",
                asked[other],
                asked[index]
            );
        }
    }
    Ok(names)
}

/// `text` as the name of a file on every system: a label can be any text.
fn file_name(text: &str) -> String {
    /// Bytes; a name has at most 255 on most systems, with its extension, and a sentence may have more.
    const LONGEST: usize = 200;
    let is_special = |c: char| c.is_control() || r#"/\:*?"<>|"#.contains(c);
    let name: String = text.chars().map(|c| if is_special(c) { '_' } else { c }).collect();
    let name = &name[..name.floor_char_boundary(LONGEST)];
    // Neither hidden nor `..`; Windows drops spaces and dots at the end.
    let visible = name.trim_end_matches([' ', '.']).trim_start_matches([' ', '.']);
    if visible.is_empty() { "_".to_owned() } else { visible.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_clips_stay_in_their_directory() {
        for (text, name) in [
            ("happiness", "happiness"),
            ("raise left hand", "raise left hand"),
            ("../../etc/passwd", "_.._etc_passwd"),
            ("..", "_"),
            ("C:\\x", "C__x"),
            ("", "_"),
            ("anna. ", "anna"),
        ] {
            assert_eq!(file_name(text), name, "{text}");
        }
        assert_eq!(file_name(&"né".repeat(80)), "né".repeat(66) + "n", "200 bytes would cut a letter in two");
    }

    #[test]
    fn clips_of_the_same_name_are_refused() {
        let images = ["a/anna.png", "b/bert.png", "b/anna.jpg"].map(PathBuf::from);
        let message = folders_of(&images).unwrap_err().to_string();
        assert!(message.contains("a/anna.png and b/anna.jpg"), "{message}");
        assert_eq!(folders_of(&images[..2]).unwrap(), ["anna", "bert"]);
        let message = names_of(&["a/b", "c", "a:b"].map(Strengths::from)).unwrap_err().to_string();
        assert!(message.contains("`a/b` and `a:b`"), "{message}");
    }
}
