//! A clip on disk: a folder with its frames, a GIF, or a video.

use std::{
    ffi::OsStr,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use image::RgbaImage;

use super::{error::DataError, natural::entries};

const PICTURES: [&str; 5] = ["png", "jpg", "jpeg", "webp", "bmp"];
const VIDEOS: [&str; 6] = ["mp4", "m4v", "avi", "mov", "mkv", "webm"];

/// What is done with the frames of a clip, as they come. A frame that cannot be read is its
/// problem, in words.
pub(super) type Visit<'a> = &'a mut dyn FnMut(Result<RgbaImage, String>) -> ControlFlow<()>;

/// A clip on disk.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Media {
    /// A folder and the names of its frames.
    Frames(PathBuf, Vec<String>),
    Gif(PathBuf),
    Video(PathBuf),
}

impl Media {
    /// The clip at `path`; `None` if there is something else.
    pub(super) fn of(path: &Path) -> Result<Option<Self>, DataError> {
        if path.is_dir() {
            let (names, others): (Vec<String>, Vec<String>) =
                entries(path)?.into_iter().partition(|name| is_one_of(name, &PICTURES));
            // A picture among folders is somebody's portrait, not a clip.
            let is_clip = !names.is_empty() && !others.iter().any(|name| path.join(name).is_dir());
            return Ok(is_clip.then(|| Self::Frames(path.to_owned(), names)));
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let owned = || path.to_owned();
        Ok(if is_one_of(&name, &["gif"]) {
            Some(Self::Gif(owned()))
        } else {
            is_one_of(&name, &VIDEOS).then(|| Self::Video(owned()))
        })
    }

    pub(super) fn path(&self) -> &Path {
        let (Self::Frames(path, _) | Self::Gif(path) | Self::Video(path)) = self;
        path
    }
}

/// The pictures right in `dir`, GIFs among them, in the natural order of their names.
pub(crate) fn pictures(dir: &Path) -> Result<Vec<PathBuf>, DataError> {
    let is_picture = |name: &String| is_one_of(name, &PICTURES) || is_one_of(name, &["gif"]);
    let paths = entries(dir)?.into_iter().filter(is_picture).map(|name| dir.join(name));
    // Names that are not UTF-8 lead nowhere; they are named elsewhere.
    Ok(paths.filter(|path| path.is_file()).collect())
}

/// The name without the extension of a clip or a picture: `happiness` of `happiness.gif`.
pub(super) fn stem(name: &str) -> String {
    let known = PICTURES.iter().chain(&VIDEOS).chain(&["gif"]);
    match name.rsplit_once('.') {
        Some((stem, ending)) if known.into_iter().any(|known| ending.eq_ignore_ascii_case(known)) => stem.to_owned(),
        _ => name.to_owned(),
    }
}

fn is_one_of(name: &str, endings: &[&str]) -> bool {
    let ending = Path::new(name).extension().and_then(OsStr::to_str);
    ending.is_some_and(|ending| endings.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}
