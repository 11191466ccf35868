//! The tree of folders that clips lie in: `subject/label/` with the frames of a clip, or with
//! several takes.
//!
//! A clip is a folder with PNG, JPEG, WebP or BMP frames, in the natural order of their names (`2`
//! before `10`), or a GIF, or a video. It lies at `subject/label` or at `subject/label/take`. A
//! clip right below the directory is a subject of its own, with the one label [`UNLABELLED`]; stage
//! 1, which ignores labels, can learn from it.
//!
//! Folders `train` and `test` (or `val`) next to each other are no subjects: each holds such a tree, and says
//! who is trained on and who is held out.

use std::{ffi::OsStr, fs, path::Path};

use super::{
    error::{DataError, abridged},
    media::{Media, stem},
    natural::entries,
    notices,
    split::Split,
};

/// The label of clips that lie in no label's folder.
pub(crate) const UNLABELLED: &str = "unlabelled";

/// A clip on disk, and what its place says of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FoundClip {
    pub(super) subject: String,
    pub(super) label: String,
    pub(super) media: Media,
    /// The split that the clip's folder names.
    pub(super) split: Option<Split>,
}

/// What folders of splits are called.
const SPLITS: [(&str, Split); 5] = [
    ("train", Split::Train),
    ("val", Split::Val),
    ("valid", Split::Val),
    ("validation", Split::Val),
    ("test", Split::Val),
];

/// Endings of pictures and videos that are not read.
const UNREAD: [&str; 18] = [
    "heic", "heif", "tif", "tiff", "avif", "jxl", "jp2", "dng", "cr2", "nef", "wmv", "flv", "mpg", "mpeg", "3gp",
    "mts", "ts", "ogv",
];

/// Folders that can lie in each other around a frame.
const DEPTH: usize = 5;

/// All clips below `dir`.
pub(super) fn find(dir: &Path) -> Result<Vec<FoundClip>, DataError> {
    let splits: Vec<_> = SPLITS.into_iter().filter(|(name, _)| dir.join(name).is_dir()).collect();
    let is_divided = |wanted| splits.iter().any(|&(_, split)| split == wanted);
    if !(is_divided(Split::Train) && is_divided(Split::Val)) {
        return find_subjects(dir);
    }
    let mut found = Vec::new();
    for (name, split) in splits {
        let clips = find_subjects(&dir.join(name))?;
        found.extend(clips.into_iter().map(|clip| FoundClip { split: Some(split), ..clip }));
    }
    Ok(found)
}

/// Warns of pictures and videos anywhere below `dir` that are not read.
pub(super) fn warn_of_unread(dir: &Path) {
    warn(&unread(dir, DEPTH));
}

/// The same for those right in `dir`.
pub(crate) fn warn_of_unread_in(dir: &Path) {
    warn(&unread(dir, 0));
}

/// Pictures and videos up to `depth` folders below `dir` that are not read, and names that are no text, each with the
/// reason.
fn unread(dir: &Path, depth: usize) -> Vec<String> {
    let mut found = Vec::new();
    collect_unread(dir, depth, &mut found);
    found.sort();
    found
}

fn warn(unread: &[String]) {
    match unread {
        [] => {}
        [file] => notices::warn(format!("left out a file that lfdm does not read: {file}")),
        files => notices::warn(format!("left out {} files that lfdm does not read: {}", files.len(), abridged(files))),
    }
}

fn collect_unread(dir: &Path, depth: usize, found: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        if path.is_dir() && depth > 0 {
            collect_unread(&path, depth - 1, found);
        }
        if path.file_name().is_some_and(|name| name.to_str().is_none()) {
            found.push(format!("{} (its name is not UTF-8; rename it)", path.display()));
        } else if path.extension().and_then(OsStr::to_str).is_some_and(is_unread) {
            found.push(format!("{} (convert it to PNG, JPEG or mp4)", path.display()));
        }
    }
}

fn is_unread(ending: &str) -> bool {
    UNREAD.iter().any(|unread| ending.eq_ignore_ascii_case(unread))
}

/// The clips of all subjects in `dir`.
fn find_subjects(dir: &Path) -> Result<Vec<FoundClip>, DataError> {
    let mut found = Vec::new();
    for name in entries(dir)? {
        let path = dir.join(&name);
        match Media::of(&path)? {
            Some(media) => {
                found.push(FoundClip { subject: stem(&name), label: UNLABELLED.to_owned(), media, split: None });
            }
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
        let clip = |label: String, media| FoundClip { subject: subject.to_owned(), label, media, split: None };
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
    use super::*;

    #[test]
    fn folders_of_splits_are_no_subjects() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["train/anna.mp4", "train/bert/smile/0.png", "test/carl.m4v", "train/odd.heic"] {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"").unwrap();
        }
        let found = find(dir.path()).unwrap();
        let who: Vec<_> = found.iter().map(|clip| (clip.subject.as_str(), clip.label.as_str(), clip.split)).collect();
        assert_eq!(
            who,
            [
                ("anna", UNLABELLED, Some(Split::Train)),
                ("bert", "smile", Some(Split::Train)),
                ("carl", UNLABELLED, Some(Split::Val))
            ]
        );
        fs::rename(dir.path().join("test"), dir.path().join("test-takes")).unwrap();
        assert!(find(dir.path()).unwrap().iter().all(|clip| clip.split.is_none()), "a person can be called train");
    }

    #[test]
    fn what_is_not_read_is_named() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("anna/smile")).unwrap();
        for name in ["anna/smile/1.HEIC", "anna/smile/2.tiff", "anna/smile/3.png", "anna/notes.txt"] {
            fs::write(dir.path().join(name), b"").unwrap();
        }
        let named = unread(dir.path(), DEPTH);
        assert_eq!(named.len(), 2);
        assert!(named[0].contains("1.HEIC (convert it"), "{named:?}");
        assert_eq!(unread(&dir.path().join("anna/smile"), 0), named);
        assert!(unread(&dir.path().join("anna"), 0).is_empty(), "what lies deeper is not looked at");
        #[cfg(target_os = "linux")]
        {
            use std::os::unix::ffi::OsStrExt;
            fs::write(dir.path().join(OsStr::from_bytes(b"anna/\xff.mp4")), b"").unwrap();
            assert!(unread(dir.path(), DEPTH).iter().any(|file| file.contains("not UTF-8")));
        }
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
