//! The tree of folders that clips lie in: `subject/label/` with the frames of a clip, or with
//! several takes.
//!
//! A clip is a folder with PNG, JPEG, WebP or BMP frames, in the natural order of their names (`2`
//! before `10`), or a GIF, or a video. It lies at `subject/label` or at `subject/label/take`. A
//! clip right below the directory is a subject of its own, with the one label [`UNLABELLED`]; stage
//! 1, which ignores labels, can learn from it.

use std::path::Path;

use super::{
    error::DataError,
    media::{Media, stem},
    natural::entries,
};

/// The label of clips that lie in no label's folder.
pub(crate) const UNLABELLED: &str = "unlabelled";

/// A clip on disk, and what its place says of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FoundClip {
    pub(super) subject: String,
    pub(super) label: String,
    pub(super) media: Media,
}

/// All clips below `dir`.
pub(super) fn find(dir: &Path) -> Result<Vec<FoundClip>, DataError> {
    let mut found = Vec::new();
    for name in entries(dir)? {
        let path = dir.join(&name);
        match Media::of(&path)? {
            Some(media) => found.push(FoundClip { subject: stem(&name), label: UNLABELLED.to_owned(), media }),
            None if path.is_dir() => found.extend(find_labels(&path, &name)?),
            None => {}
        }
    }
    Ok(found)
}

/// The clips of one subject, at `label` or `label/take` in `dir`.
pub(super) fn find_labels(dir: &Path, subject: &str) -> Result<Vec<FoundClip>, DataError> {
    let mut found = Vec::new();
    for name in entries(dir)? {
        let path = dir.join(&name);
        let clip = |label: String, media| FoundClip { subject: subject.to_owned(), label, media };
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

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
