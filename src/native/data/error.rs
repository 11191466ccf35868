//! What can be wrong with data, and what to do about it.

use std::{io, path::PathBuf};

use thiserror::Error;

use super::{notices, split::Split};

/// Share of sheets, clips or frames that may be unusable before opening fails.
const TOLERATED: f64 = 0.05;

/// Of at least so many, one may be unusable nevertheless: another is left.
const FEW: usize = 2;

/// How many names a message lists before it only counts them.
const NAMED: usize = 20;

/// Data that cannot be used.
#[derive(Debug, Error)]
#[allow(missing_docs, reason = "the messages say what variants and fields are")]
pub enum DataError {
    #[error("cannot read {}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{} does not describe a set of sheets: {source}", path.display())]
    MetaFormat { path: PathBuf, source: serde_json::Error },
    #[error("{} {problem}", path.display())]
    Unusable { path: PathBuf, problem: String },
    #[error("{} contains none of the {expected} sheets of split `{split}`, such as {first}", dir.display())]
    NoSheets { dir: PathBuf, split: Split, expected: usize, first: String },
    #[error("{} contains no clips; {expected}", dir.display())]
    NoClips { dir: PathBuf, expected: &'static str },
    #[error("no subject in {} belongs to split `{split}`; name its subjects in splits.json", dir.display())]
    EmptySplit { dir: PathBuf, split: Split },
    #[error(
        "{} of {total} {what} cannot be used, more than 1 in 20; repair or remove them: {}", bad.len(), abridged(bad)
    )]
    TooManyBad { what: &'static str, total: usize, bad: Vec<String> },
    #[error(
        "{} of {total} clips are shorter than the {frames} frames of the model, more than 1 in 20; use longer clips, \
         or a model with fewer `frames`: {}", short.len(), abridged(short)
    )]
    TooShort { frames: usize, total: usize, short: Vec<String> },
    #[error(
        "{} of {total} clips are shorter than the {frames} frames that stage 2 will learn; use longer clips, or give \
         --frames {longest}, which all of them have: {}", short.len(), abridged(short)
    )]
    TooShortForStage2 { frames: usize, longest: usize, total: usize, short: Vec<String> },
    #[error("cannot list the flow directory {}: {source}", path.display())]
    FlowDirectory { path: PathBuf, source: io::Error },
    #[error("only sheets (meta.json) and `synthetic` have exact flow; leave out --flow for {}", dir.display())]
    NoFlow { dir: PathBuf },
    #[error("frames of {size}x{size} pixels do not divide into flow cells; use a multiple of {multiple}")]
    Size { size: usize, multiple: usize },
    #[error(
        "{} is a video, and ffmpeg, which reads videos, is not installed; install it (apt install ffmpeg, \
         brew install ffmpeg, winget install ffmpeg), or turn videos into GIFs or folders of frames", path.display()
    )]
    NoFfmpeg { path: PathBuf },
    #[error(
        "{clips} clips of {frames} frames of {tile}x{tile} pixels need {needed:.1} GiB, but --memory grants {granted}; \
         grant more, or use fewer clips"
    )]
    Memory { clips: usize, tile: usize, frames: usize, needed: f64, granted: f64 },
    #[error(
        "the model does not know {}; it knows {}. Rename these labels, or leave their clips out",
        unknown.join(", "), known.join(", ")
    )]
    UnknownLabels { unknown: Vec<String>, known: Vec<String> },
}

/// Whether so few are unusable that the others will do.
pub(super) fn is_tolerable(bad: usize, total: usize) -> bool {
    bad as f64 <= TOLERATED * total as f64 || (bad == 1 && total >= FEW)
}

/// Says what is skipped, with the reasons, or fails if that is too much.
pub(super) fn tolerate(what: &'static str, total: usize, bad: &[String]) -> Result<(), DataError> {
    if !is_tolerable(bad.len(), total) {
        return Err(DataError::TooManyBad { what, total, bad: bad.to_vec() });
    }
    if !bad.is_empty() {
        notices::warn(format!("skipped {} of {total} {what}: {}", bad.len(), abridged(bad)));
    }
    Ok(())
}

/// The names as one line; only the first ones of a long list.
pub(super) fn abridged(names: &[String]) -> String {
    let first = names[..names.len().min(NAMED)].join("; ");
    if names.len() > NAMED { format!("{first}; and {} more", names.len() - NAMED) } else { first }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_clip_does_not_end_a_run_nor_does_one_in_twenty() {
        for (bad, total, expected) in [(0, 1, true), (1, 2, true), (2, 3, false), (5, 100, true), (6, 100, false)] {
            assert_eq!(is_tolerable(bad, total), expected, "{bad} of {total}");
        }
        assert!(!is_tolerable(1, 1), "nothing would be left");
    }
}
