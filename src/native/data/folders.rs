//! Folders: `subject/label/` with the frames of a clip, or with several takes.
//!
//! What counts as a clip: a folder with PNG, JPEG, WebP or BMP frames, in the natural order of their names (`2` before `10`); a GIF; a
//! video, read through `ffmpeg`. It lies at `subject/label` or at `subject/label/take`. Right below the directory it is a subject of its
//! own, with the one label [`UNLABELLED`], which stage 1 does not mind.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use super::DataError;

/// The label of clips that lie in no label's folder.
pub const UNLABELLED: &str = "unlabelled";

const PICTURES: [&str; 5] = ["png", "jpg", "jpeg", "webp", "bmp"];
const VIDEOS: [&str; 5] = ["mp4", "avi", "mov", "mkv", "webm"];

/// A clip on disk.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub(super) subject: String,
    pub(super) label: String,
    pub(super) media: Media,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Media {
    /// A folder and the names of its frames.
    Frames(PathBuf, Vec<String>),
    Gif(PathBuf),
    Video(PathBuf),
}

impl Media {
    /// The file or folder, if it is a clip.
    pub(super) fn of(path: &Path) -> Result<Option<Self>, DataError> {
        if path.is_dir() {
            let (names, others): (Vec<String>, Vec<String>) =
                entries(path)?.into_iter().partition(|name| is_one_of(name, &PICTURES));
            // A picture beside folders is somebody's portrait, not a clip.
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

/// All clips below `dir`.
pub(super) fn find(dir: &Path) -> Result<Vec<Found>, DataError> {
    let mut found = Vec::new();
    for name in entries(dir)? {
        let path = dir.join(&name);
        match Media::of(&path)? {
            Some(media) => found.push(Found { subject: stem(&name), label: UNLABELLED.to_owned(), media }),
            None if path.is_dir() => found.extend(find_labels(&path, &name)?),
            None => {}
        }
    }
    Ok(found)
}

/// The clips of one subject: `label` or `label/take`.
pub(super) fn find_labels(dir: &Path, subject: &str) -> Result<Vec<Found>, DataError> {
    let mut found = Vec::new();
    for name in entries(dir)? {
        let path = dir.join(&name);
        let clip = |label: String, media| Found { subject: subject.to_owned(), label, media };
        match Media::of(&path)? {
            Some(media) => found.push(clip(stem(&name), media)),
            None if path.is_dir() => {
                for take in entries(&path)? {
                    found.extend(Media::of(&path.join(take))?.map(|media| clip(name.clone(), media)));
                }
            }
            None => {}
        }
    }
    Ok(found)
}

/// The names in a directory, in natural order, without hidden ones.
pub(super) fn entries(dir: &Path) -> Result<Vec<String>, DataError> {
    let explain = |source| DataError::Io { path: dir.to_owned(), source };
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).map_err(explain)? {
        let name = entry.map_err(explain)?.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort_by_cached_key(|name| natural(name));
    Ok(names)
}

/// `happiness.gif` without its ending.
fn stem(name: &str) -> String {
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

/// A part of a name. Numbers compare by their digits without leading zeros: first by how many, then by what.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Number(usize, String),
    Text(String),
}

/// What sorts `frame2` before `frame10`; of names that differ in leading zeros only, the name itself decides.
pub(super) fn natural(name: &str) -> (Vec<Part>, String) {
    let parts = name.as_bytes().chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit()).map(|part| {
        let text = String::from_utf8_lossy(part);
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            let digits = text.trim_start_matches('0');
            Part::Number(digits.len(), digits.to_owned())
        } else {
            Part::Text(text.into_owned())
        }
    });
    (parts.collect(), name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_as_people_count() {
        let mut names =
            ["f10.png", "f9.png", "f009.png", "f1a.png", "g.png", "f123456789012345678901234567890.png", "f1.png"];
        names.sort_by_cached_key(|name| natural(name));
        let expected =
            ["f1.png", "f1a.png", "f009.png", "f9.png", "f10.png", "f123456789012345678901234567890.png", "g.png"];
        assert_eq!(names, expected);
    }

    #[test]
    fn clips_are_found_at_every_place_they_may_have() {
        let dir = tempfile::tempdir().unwrap();
        for name in [
            "anna/portrait.png",
            "anna/smile/1.png",
            "anna/smile/2.JPG",
            "anna/smile/notes.txt",
            "anna/wave/take2/0.png",
            "anna/wave/take10.mp4",
            "anna/frown.gif",
            "anna/nod.avi",
            "bert.mp4",
            "carl/0.png",
            ".hidden/x/0.png",
            "read.me",
        ] {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"").unwrap();
        }
        let found = find(dir.path()).unwrap();
        let names: Vec<_> = found
            .iter()
            .map(|clip| {
                format!("{} {} {}", clip.subject, clip.label, clip.media.path().strip_prefix(&dir).unwrap().display())
            })
            .collect();
        assert_eq!(
            names,
            [
                "anna frown anna/frown.gif",
                "anna nod anna/nod.avi",
                "anna smile anna/smile",
                "anna wave anna/wave/take2",
                "anna wave anna/wave/take10.mp4",
                "bert unlabelled bert.mp4",
                "carl unlabelled carl",
            ]
        );
        assert!(matches!(&found[2].media, Media::Frames(_, names) if names == &["1.png", "2.JPG"]));
        assert!(matches!((&found[0].media, &found[1].media), (Media::Gif(_), Media::Video(_))));
    }
}
