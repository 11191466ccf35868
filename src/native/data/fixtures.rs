//! Clips that tests read.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{ClipSet, DataArgs, DataError, Split};

/// Sheets of three people, and the exact flow of the first.
pub(super) fn faces() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/faces")
}

/// The people of [`faces`] to train on, with frames of 32 pixels.
pub(super) fn open_faces() -> ClipSet {
    ClipSet::open(&faces(), Some(&faces()), 32, Split::Train).unwrap()
}

/// A copy of [`faces`] to be spoiled.
pub(super) fn copy_faces() -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(faces()).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    copy
}

/// A directory of one-coloured frames, `[colour, number of the frame, 0]`: for each clip its
/// folder, and number, size and colour of its frames.
pub(super) fn folders(clips: &[(&str, usize, [u32; 2], u8)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for &(clip, count, [width, height], colour) in clips {
        fs::create_dir_all(dir.path().join(clip)).unwrap();
        for frame in 0..count {
            let picture = image::RgbImage::from_pixel(width, height, image::Rgb([colour, frame as u8, 0]));
            picture.save(dir.path().join(clip).join(format!("{frame}.png"))).unwrap();
        }
    }
    dir
}

/// Opens [`folders`] with frames of 16 pixels.
pub(super) fn read(dir: &Path, frames: Option<usize>, split: Split) -> Result<ClipSet, DataError> {
    DataArgs::default().open(dir, None, 16, frames, split)
}
