//! Sheets: `meta.json`, and for each person one WebP picture with a row per label and a column per frame, square tiles without gaps.
//!
//! Frame 0 is the neutral face and the same for all labels; it is always taken from row 0, so coding noise is the same too. Beside the
//! sheets or elsewhere there may be exact flow: `s{id:06}_k0_flow{N}.npy`, float16 `[label, frame, N, N, 3]`, as [`FlowFrame`] has it with
//! the visibility as channel 2. A person without such a file simply has no flow.
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

use super::{Contents, DataError, SYNTHETIC, Split, Stored, Subject, flow::ExactFlow, is_tolerable, progress_bar};
use crate::native::synthetic;

/// What makes a directory one of sheets.
pub(super) const META: &str = "meta.json";

/// Decodes the people of one split.
pub(super) fn read(dir: &Path, flow_dir: Option<&Path>, size: usize, split: Split) -> Result<Contents, DataError> {
    let meta = Meta::read(dir)?;
    meta.admit(size, &dir.join(META))?;
    let ids = meta.ids(split);
    let flow_files = flow_dir.map(list_flow_files).transpose()?.unwrap_or_default();

    let progress = progress_bar("sheets", ids.len());
    let results: Vec<Result<Person, String>> = ids
        .par_iter()
        .map(|&id| {
            let labels = read_sheet(&dir.join(meta.sheet(id)), &meta)?;
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
    if people.is_empty() && ids.iter().all(|&id| !dir.join(meta.sheet(id)).exists()) {
        return Err(DataError::NoSheets {
            dir: dir.to_owned(),
            split,
            expected: ids.len(),
            first: ids.first().map(|&id| meta.sheet(id)).unwrap_or_default(),
        });
    }
    is_tolerable("sheets", ids.len(), &skipped)?;
    tracing::info!(
        "{} people ({split}), {} with exact flow",
        people.len(),
        people.iter().filter(|person| person.flow.is_some()).count()
    );
    Ok(meta.contents(people, skipped))
}

/// Draws the people of one split.
pub(super) fn draw(with_flow: bool, size: usize, split: Split) -> Result<Contents, DataError> {
    let meta = Meta::synthetic();
    meta.admit(size, Path::new(SYNTHETIC))?;
    let tile = meta.frames * meta.size * meta.size * 3;
    let person = |id: u32| {
        let (pixels, cells) = synthetic::clips(id);
        let labels = pixels.chunks_exact(tile).map(<[u8]>::to_vec).collect();
        let cells = |length: usize| cells.chunks_exact(length).map(<[f16]>::to_vec).collect();
        let flow = with_flow.then(|| (synthetic::CELLS, cells(meta.frames * synthetic::CELLS.pow(2) * 3)));
        Person { id, labels, flow }
    };
    let people = meta.ids(split).into_par_iter().map(person).collect();
    Ok(meta.contents(people, Vec::new()))
}

struct Person {
    id: u32,
    /// For each label `[frame, y, x, rgb]`.
    labels: Vec<Vec<u8>>,
    /// Cells of a side, and for each label `[frame, y, x, (dx, dy, visibility)]`.
    flow: Option<(usize, Vec<Vec<f16>>)>,
}

#[derive(Deserialize)]
struct Meta {
    actions: Vec<String>,
    frames: usize,
    size: usize,
    fps: usize,
    apex_frame: usize,
    splits: Splits,
}

#[derive(Deserialize)]
struct Splits {
    train: Vec<u32>,
    val: Vec<u32>,
}

impl Meta {
    fn synthetic() -> Self {
        let (train, val) = synthetic::PEOPLE;
        Self {
            actions: synthetic::LABELS.map(str::to_owned).to_vec(),
            frames: synthetic::FRAMES,
            size: synthetic::TILE,
            fps: 8,
            apex_frame: synthetic::APEX,
            splits: Splits { train: (0..train).collect(), val: (train..train + val).collect() },
        }
    }

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

    /// Tiles are never enlarged as a whole: a model would learn the blur.
    fn admit(&self, size: usize, path: &Path) -> Result<(), DataError> {
        if size <= self.size {
            return Ok(());
        }
        let problem = format!("has tiles of {0}x{0} pixels, too small for a model of {size}x{size}", self.size);
        Err(DataError::Unusable { path: path.to_owned(), problem })
    }

    fn ids(&self, split: Split) -> Vec<u32> {
        match split {
            Split::Train => self.splits.train.clone(),
            Split::Val => self.splits.val.clone(),
            Split::All => self.splits.train.iter().chain(&self.splits.val).copied().collect(),
        }
    }

    fn sheet(&self, id: u32) -> String {
        format!("s{id:06}_k0.webp")
    }

    fn contents(self, people: Vec<Person>, skipped: Vec<String>) -> Contents {
        let (mut subjects, mut clips) = (Vec::with_capacity(people.len()), Vec::new());
        for Person { id, labels, flow } in people {
            let (side, mut flows) = flow.map_or((0, None), |(side, flows)| (side, Some(flows.into_iter())));
            for (label, pixels) in labels.into_iter().enumerate() {
                let flow = flows.as_mut().and_then(Iterator::next).map(|cells| ExactFlow { side, cells });
                let name = format!("{id} {}", self.actions[label]);
                let (subject, frames) = (subjects.len(), self.frames);
                clips.push(Stored { subject, label, name, frames, pixels, alpha: None, flow });
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

/// For each label `[frame, y, x, rgb]`.
fn read_sheet(path: &Path, meta: &Meta) -> Result<Vec<Vec<u8>>, String> {
    let explain = |problem: &dyn Display| format!("{}: {problem}", path.display());
    let sheet = image::ImageReader::open(path)
        .and_then(|reader| reader.with_guessed_format())
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

/// The people with a flow file.
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

/// Cells of a side, and for each label `[frame, y, x, (dx, dy, visibility)]`.
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
