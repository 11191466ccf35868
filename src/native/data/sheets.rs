//! Sheets: `meta.json`, and for each person one WebP picture with a row per label and a column per
//! frame, square tiles without gaps.
//!
//! Frame 0 is the neutral face and the same for all labels. It is always taken from row 0, so that
//! its coding noise is the same, too. Next to the sheets or elsewhere there may be exact flow:
//! `s{id:06}_k0_flow{N}.npy`, float16 `[label, frame, N, N, 3]`, the displacement of [`FlowFrame`]
//! and its visibility as channel 2. A person without such a file has no flow.
//!
//! [`FlowFrame`]: super::FlowFrame

use std::{
    fmt::Display,
    fs,
    path::{Path, PathBuf},
};

use half::f16;
use rayon::prelude::*;
use serde::Deserialize;

use super::{
    contents::{Contents, StoredClip, Subject},
    error::{DataError, tolerate},
    flow::ExactFlow,
    split::Split,
};
use crate::native::progress::progress_bar;

/// The file that makes a directory one of sheets.
pub(super) const META: &str = "meta.json";

/// Decodes the people of one split.
pub(super) fn read(dir: &Path, flow_dir: Option<&Path>, size: usize, split: Split) -> Result<Contents, DataError> {
    let meta = Meta::read(dir)?;
    meta.admit(size, &dir.join(META))?;
    let ids = meta.ids(split);
    let flow_files = flow_dir.map(list_flow_files).transpose()?.unwrap_or_default();

    let progress = progress_bar("reading sheets", ids.len());
    let results: Vec<Result<Person, String>> = ids
        .par_iter()
        .map(|&id| {
            let labels = read_sheet(&dir.join(sheet_name(id)), &meta)?;
            let flow = flow_files.iter().find(|file| file.0 == id).and_then(|(_, path)| {
                read_flow(path, &meta).inspect_err(|problem| tracing::warn!("no flow for person {id}: {problem}")).ok()
            });
            Ok(Person { id, labels, flow })
        })
        .inspect(|_| progress.inc(1))
        .collect();
    progress.finish_and_clear();

    let (mut people, mut skipped) = (Vec::with_capacity(ids.len()), Vec::new());
    for result in results {
        match result {
            Ok(person) => people.push(person),
            Err(problem) => skipped.push(problem),
        }
    }
    if people.is_empty() && ids.iter().all(|&id| !dir.join(sheet_name(id)).exists()) {
        return Err(DataError::NoSheets {
            dir: dir.to_owned(),
            split,
            expected: ids.len(),
            first: ids.first().map(|&id| sheet_name(id)).unwrap_or_default(),
        });
    }
    tolerate("sheets", ids.len(), &skipped)?;
    tracing::info!(
        "{} people ({split}), {} with exact flow",
        people.len(),
        people.iter().filter(|person| person.flow.is_some()).count()
    );
    Ok(meta.contents(people, skipped))
}

/// A person with all labels.
pub(super) struct Person {
    pub(super) id: u32,
    /// For each label `[frame, y, x, rgb]`.
    pub(super) labels: Vec<Vec<u8>>,
    /// Cells of a side, and for each label `[frame, y, x, (dx, dy, visibility)]`.
    pub(super) flow: Option<(usize, Vec<Vec<f16>>)>,
}

/// What `meta.json` says.
#[derive(Deserialize)]
pub(super) struct Meta {
    /// The labels, one per row.
    pub(super) actions: Vec<String>,
    pub(super) frames: usize,
    /// Side of a tile in pixels.
    pub(super) size: usize,
    pub(super) fps: usize,
    pub(super) apex_frame: usize,
    pub(super) splits: Splits,
}

/// The ids of the people of each split.
#[derive(Deserialize)]
pub(super) struct Splits {
    pub(super) train: Vec<u32>,
    pub(super) val: Vec<u32>,
}

impl Meta {
    fn read(dir: &Path) -> Result<Self, DataError> {
        let path = dir.join(META);
        let text = fs::read(&path).map_err(|source| DataError::Io { path: path.clone(), source })?;
        let meta: Self =
            serde_json::from_slice(&text).map_err(|source| DataError::MetaFormat { path: path.clone(), source })?;
        let problem = if meta.actions.is_empty() {
            "`actions` is empty"
        } else if meta.frames < 2 {
            "`frames` must be at least 2"
        } else if meta.apex_frame >= meta.frames {
            "`apex_frame` lies outside the clip"
        } else {
            return Ok(meta);
        };
        Err(DataError::Unusable { path, problem: problem.into() })
    }

    /// Refuses tiles that would have to be enlarged as a whole: a model would learn the blur.
    pub(super) fn admit(&self, size: usize, path: &Path) -> Result<(), DataError> {
        if size <= self.size {
            return Ok(());
        }
        let problem = format!("has tiles of {0}x{0} pixels, too small for a model of {size}x{size}", self.size);
        Err(DataError::Unusable { path: path.to_owned(), problem })
    }

    pub(super) fn ids(&self, split: Split) -> Vec<u32> {
        match split {
            Split::Train => self.splits.train.clone(),
            Split::Val => self.splits.val.clone(),
            Split::All => self.splits.train.iter().chain(&self.splits.val).copied().collect(),
        }
    }

    pub(super) fn contents(self, people: Vec<Person>, skipped: Vec<String>) -> Contents {
        let (mut subjects, mut clips) = (Vec::with_capacity(people.len()), Vec::new());
        for Person { id, labels, flow } in people {
            let (side, mut flows) = flow.map_or((0, None), |(side, flows)| (side, Some(flows.into_iter())));
            for (label, pixels) in labels.into_iter().enumerate() {
                let flow = flows.as_mut().and_then(Iterator::next).map(|cells| ExactFlow { side, cells });
                let name = format!("{id} {}", self.actions[label]);
                let (subject, frames) = (subjects.len(), self.frames);
                clips.push(StoredClip { subject, label, name, frames, pixels, alpha: None, flow });
            }
            subjects.push(Subject { id, name: id.to_string() });
        }
        Contents {
            tile: self.size,
            fps: self.fps,
            apex: self.apex_frame as f64 / (self.frames - 1) as f64,
            labels: self.actions,
            subjects,
            clips,
            skipped,
        }
    }
}

/// The file of a person.
fn sheet_name(id: u32) -> String {
    format!("s{id:06}_k0.webp")
}

/// The clips of a person: for each label `[frame, y, x, rgb]`.
fn read_sheet(path: &Path, meta: &Meta) -> Result<Vec<Vec<u8>>, String> {
    let explain = |problem: &dyn Display| format!("{}: {problem}", path.display());
    let sheet = image::ImageReader::open(path)
        .and_then(image::ImageReader::with_guessed_format)
        .map_err(|e| explain(&e))?
        .decode()
        .map_err(|e| explain(&e))?
        .into_rgb8();
    let (width, height) = (meta.frames * meta.size, meta.actions.len() * meta.size);
    if (sheet.width() as usize, sheet.height() as usize) != (width, height) {
        return Err(explain(&format!("is {}x{}, not {width}x{height}", sheet.width(), sheet.height())));
    }
    let clip = |label: usize| {
        let mut pixels = Vec::with_capacity(meta.size * width * 3);
        for frame in 0..meta.frames {
            let row = if frame == 0 { 0 } else { label };
            for y in 0..meta.size {
                let start = ((row * meta.size + y) * width + frame * meta.size) * 3;
                pixels.extend_from_slice(&sheet.as_raw()[start..start + meta.size * 3]);
            }
        }
        pixels
    };
    Ok((0..meta.actions.len()).map(clip).collect())
}

/// The people who have a flow file, with its path.
fn list_flow_files(dir: &Path) -> Result<Vec<(u32, PathBuf)>, DataError> {
    let explain = |source| DataError::FlowDirectory { path: dir.to_owned(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).map_err(explain)? {
        let path = entry.map_err(explain)?.path();
        let id = path.file_name().and_then(|name| name.to_str()).and_then(|name| {
            let (id, side) = name.strip_prefix('s')?.strip_suffix(".npy")?.split_once("_k0_flow")?;
            side.parse::<usize>().ok()?;
            id.parse().ok()
        });
        files.extend(id.map(|id| (id, path)));
    }
    Ok(files)
}

/// The exact flow of a person: cells of a side, and for each label `[frame, y, x, (dx, dy,
/// visibility)]`.
fn read_flow(path: &Path, meta: &Meta) -> Result<(usize, Vec<Vec<f16>>), String> {
    let explain = |problem: &dyn Display| format!("{}: {problem}", path.display());
    let bytes = fs::read(path).map_err(|e| explain(&e))?;
    let array = npyz::NpyFile::new(bytes.as_slice()).map_err(|e| explain(&e))?;
    let shape: Vec<usize> = array.shape().iter().map(|&n| n as usize).collect();
    let clips = [meta.actions.len(), meta.frames];
    let side = match shape.as_slice() {
        &[labels, frames, side, columns, 3] if [labels, frames] == clips && side == columns && side > 0 => side,
        _ => return Err(explain(&format!("has shape {shape:?}, not [{}, {}, N, N, 3]", clips[0], clips[1]))),
    };
    if array.order() != npyz::Order::C {
        return Err(explain(&"is stored in Fortran order"));
    }
    let cells: Vec<f16> = array.into_vec().map_err(|e| explain(&e))?;
    if cells.iter().any(|value| !value.is_finite()) {
        return Err(explain(&"holds values that are not finite"));
    }
    Ok((side, cells.chunks_exact(meta.frames * side * side * 3).map(<[f16]>::to_vec).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::data::{
        ClipSet,
        fixtures::{copy_faces, faces, open_faces},
    };

    fn open(dir: &Path) -> Result<ClipSet, DataError> {
        ClipSet::open(dir, Some(dir), 32, Split::Train)
    }

    #[test]
    fn reads_people_labels_and_frames() {
        let data = open_faces();
        assert_eq!((data.len(), data.frames(), data.size(), data.grid()), (2, 4, 32, 8));
        assert_eq!(data.labels()[4], "happiness");
        assert_eq!([data.subject_id(0), data.subject_id(1)], [0, 1]);
        assert_eq!(ClipSet::open(&faces(), None, 64, Split::All).unwrap().len(), 3);

        let frame = data.clip(0, 4).frame(2);
        assert_eq!(frame.len(), 3 * 32 * 32);
        assert!(frame.iter().all(|v| (0.0..=1.0).contains(v)));
        assert_ne!(frame, data.clip(0, 6).frame(2), "happiness and surprise look the same");
        assert_eq!(
            data.clip(0, 4).frame(0),
            data.clip(0, 6).frame(0),
            "frame 0 belongs to the person, not to the label"
        );
        assert_eq!(data.clip(0, 4).all_frames()[2 * 3 * 32 * 32..3 * 3 * 32 * 32], frame);
    }

    #[test]
    fn an_empty_directory_says_what_it_must_hold() {
        let dir = tempfile::tempdir().unwrap();
        let message = open(dir.path()).err().unwrap().to_string();
        assert!(message.contains("meta.json"), "{message}");

        fs::copy(faces().join(META), dir.path().join(META)).unwrap();
        let message = open(dir.path()).err().unwrap().to_string();
        assert!(message.contains("none of the 2 sheets") && message.contains("s000000_k0.webp"), "{message}");
    }

    #[test]
    fn bad_sheets_are_skipped_up_to_one_in_twenty() {
        let dir = copy_faces();
        let meta = fs::read_to_string(dir.path().join(META)).unwrap();
        let mut meta: serde_json::Value = serde_json::from_str(&meta).unwrap();
        meta["splits"]["train"] = (0..40).collect();
        fs::write(dir.path().join(META), meta.to_string()).unwrap();
        for id in 2..40 {
            fs::copy(dir.path().join("s000001_k0.webp"), dir.path().join(format!("s{id:06}_k0.webp"))).unwrap();
        }
        fs::write(dir.path().join("s000005_k0.webp"), b"RIFF").unwrap();
        let data = open(dir.path()).unwrap();
        assert_eq!(data.len(), 39);
        assert!(data.skipped()[0].contains("s000005_k0.webp"), "{:?}", data.skipped());

        for id in [6, 7] {
            fs::write(dir.path().join(format!("s{id:06}_k0.webp")), b"").unwrap();
        }
        let message = open(dir.path()).err().unwrap().to_string();
        assert!(message.contains("3 of 40") && message.contains("s000007_k0.webp"), "{message}");
    }

    #[test]
    fn a_sheet_of_another_size_is_named_with_both_sizes() {
        let dir = copy_faces();
        image::RgbImage::new(64, 64).save(dir.path().join("s000001_k0.webp")).unwrap();
        let message = open(dir.path()).err().unwrap().to_string();
        assert!(message.contains("s000001_k0.webp: is 64x64, not 256x448"), "{message}");
    }
}
