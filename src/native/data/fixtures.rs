//! Clips that tests read.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::json;

use super::{ClipSet, DataArgs, DataError, Split, meta::META};

/// Sheets of three people, and the exact flow of the first.
pub(super) fn faces() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/faces")
}

/// The people of [`faces`] to train on, with frames of 32 pixels.
pub(super) fn open_faces() -> ClipSet {
    ClipSet::open(&faces(), Some(&faces()), 32, Split::Train).unwrap()
}

/// A copy of [`faces`] to be spoiled.
pub(in crate::native) fn copy_faces() -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(faces()).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    copy
}

/// [`copy_faces`] with two takes of both people to train on: the second begins with another frame and is stronger. Each
/// has two other appearances.
pub(in crate::native) fn faces_with_takes() -> tempfile::TempDir {
    let dir = copy_faces();
    let text = fs::read_to_string(dir.path().join(META)).unwrap();
    let mut meta: serde_json::Value = serde_json::from_str(&text).unwrap();
    meta["takes"] = json!([0, 3]);
    meta["clip_files"] = "s{id:06d}_k{take}.json".into();
    meta["reference_files"] = "s{id:06d}_k{take}_references.webp".into();
    meta["references"] = 2.into();
    fs::write(dir.path().join(META), meta.to_string()).unwrap();
    let labels: Vec<String> = serde_json::from_value(meta["actions"].clone()).unwrap();
    let size = meta["size"].as_u64().unwrap() as u32;
    for id in [0, 1] {
        let path = |name: &str| dir.path().join(format!("s{id:06}_{name}"));
        let sheet = image::open(path("k0.webp")).unwrap().into_rgb8();
        let darker = image::RgbImage::from_fn(sheet.width(), sheet.height(), |x, y| {
            image::Rgb(sheet.get_pixel(x, y).0.map(|value| value / 2))
        });
        darker.save(path("k3.webp")).unwrap();
        for (take, strength) in [(0, 1.0), (3, 1.25)] {
            let clip = |label: &String| json!({ "strengths": { label: strength }, "apex": 2, "frames": [] });
            let clips = json!({ "clips": labels.iter().map(clip).collect::<Vec<_>>() });
            fs::write(path(&format!("k{take}.json")), clips.to_string()).unwrap();
            let row = image::RgbImage::from_fn(2 * size, size, |x, _| image::Rgb([(x / size * 200) as u8; 3]));
            row.save(path(&format!("k{take}_references.webp"))).unwrap();
        }
    }
    dir
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
