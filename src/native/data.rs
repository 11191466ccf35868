//! Clips of people making faces, in memory, delivered at the model's size: a directory of WebP sheets, optionally with the renderer's
//! exact flow, or, under the name `synthetic`, drawn on the spot.
//!
//! A directory holds `meta.json` and one sheet per person: row = label, column = frame, square tiles without gaps.
//! Frame 0 is the neutral face and the same for all labels; it is always taken from row 0, so coding noise is the same too.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use half::f16;
use indicatif::{ProgressBar, ProgressStyle};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};
use rayon::prelude::*;
use serde::Deserialize;
use thiserror::Error;

use super::synthetic;
use crate::portrait::{resample_rgb, to_byte};

/// Pixels per cell of the flow grid, each way: the flow predictor's scale of 0.25.
pub(crate) const PIXELS_PER_CELL: usize = 4;

/// Sheets that may be unreadable before opening fails: one in twenty.
const TOLERATED_BAD_SHEETS: f64 = 0.05;

/// A data directory that cannot be used.
#[derive(Debug, Error)]
pub enum DataError {
    #[error("cannot read {}: {source}; the data directory must hold meta.json and the sheets it describes", path.display())]
    Meta { path: PathBuf, source: io::Error },
    #[error("{} does not describe a faces set: {source}", path.display())]
    MetaFormat { path: PathBuf, source: serde_json::Error },
    #[error("{}: {problem}", path.display())]
    MetaContent { path: PathBuf, problem: String },
    #[error("{} holds none of the {expected} sheets of split `{split}` (the first would be {first})", dir.display())]
    NoSheets { dir: PathBuf, split: &'static str, expected: usize, first: String },
    #[error("{} of {total} sheets cannot be used, more than 1 in 20: {}", bad.len(), bad.join("; "))]
    BadSheets { total: usize, bad: Vec<String> },
    #[error("cannot list the flow directory {}: {source}", path.display())]
    FlowDirectory { path: PathBuf, source: io::Error },
}

/// Which people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Split {
    Train,
    Val,
    /// Every split of `meta.json`.
    All,
}

/// Clips of people making faces, in memory.
pub struct ClipSet {
    size: usize,
    /// Side of the tiles in memory, as in the sheets.
    tile: usize,
    frames: usize,
    fps: usize,
    apex_frame: usize,
    labels: Vec<String>,
    subjects: Vec<Subject>,
    skipped: Vec<String>,
}

/// One person and one label; a view into the dataset.
#[derive(Clone, Copy)]
pub struct Clip<'a> {
    dataset: &'a ClipSet,
    subject: usize,
    label: usize,
}

/// Exact motion from frame 0 to one frame.
pub struct FlowFrame {
    /// `[grid, grid, 2]`: xy displacement from a cell of the frame to its place in frame 0, normalised (2 = image width).
    pub displacement: Vec<f32>,
    /// `[grid, grid]`: the share of the cell that frame 0 shows, in `[0, 1]`.
    pub visibility: Vec<f32>,
}

/// How training pairs are drawn.
#[derive(Debug, Clone, Copy)]
pub struct PairOptions {
    /// Probability that the source is frame 0; any other frame otherwise. Only pairs from frame 0 have an exact flow.
    pub first_frame_probability: f32,
    /// Mirror and vary the colours, the same way in both frames of a pair.
    pub augment: bool,
    /// Largest enlargement, at least 1: both frames of a pair are cropped to one random square and brought to the model's size.
    pub max_zoom: f32,
}

impl Default for PairOptions {
    fn default() -> Self {
        Self { first_frame_probability: 0.5, augment: true, max_zoom: 1.0 }
    }
}

/// A batch of source and driving frames for stage 1.
///
/// # Shapes
///
/// - source, driving: `[batch, 3, size, size]`, RGB in `[0, 1]`
/// - flow: `[batch, grid, grid, 2]`, backward sampling grid, absolute normalised xy as grid_sample with
///   `align_corners=false` reads it; identity is `(2 i + 1) / grid - 1`
/// - visibility: `[batch, 1, grid, grid]` in `[0, 1]`
/// - flow_mask: `[batch]`, 1 where flow and visibility are exact; 0 where they are unknown (identity and 1)
pub struct PairBatch {
    pub batch: usize,
    pub size: usize,
    pub grid: usize,
    pub source: Vec<f32>,
    pub driving: Vec<f32>,
    pub flow: Vec<f32>,
    pub visibility: Vec<f32>,
    pub flow_mask: Vec<f32>,
}

impl ClipSet {
    /// Decodes one split of a directory, or draws it if `dir` is [`SYNTHETIC`]; frames are area-averaged to `size` by `size` pixels.
    ///
    /// `flow_dir` may hold `s{id:06}_k0_flow{N}.npy` (see [`FlowFrame`] for the units; float16
    /// `[label, frame, N, N, 3]`, channel 2 the visibility). A person without such a file simply has no flow.
    pub fn open(dir: &Path, flow_dir: Option<&Path>, size: usize, split: Split) -> Result<Self, DataError> {
        let drawn = dir == Path::new(SYNTHETIC);
        let meta = if drawn { Meta::synthetic() } else { Meta::read(dir)? };
        if size == 0 || !size.is_multiple_of(PIXELS_PER_CELL) || size > meta.size {
            return Err(DataError::MetaContent {
                path: dir.join(META),
                problem: format!(
                    "describes {0}x{0} tiles, which cannot become {size}x{size}: ask for a multiple of \
                     {PIXELS_PER_CELL} up to {0}",
                    meta.size
                ),
            });
        }
        let ids = meta.ids(split);
        if drawn {
            return Ok(Self::draw(meta, &ids, flow_dir.is_some(), size));
        }
        let flow_files = flow_dir.map(list_flow_files).transpose()?.unwrap_or_default();

        let progress = progress_bar(ids.len());
        let results: Vec<Result<Subject, String>> = ids
            .par_iter()
            .map(|&id| {
                let pixels = read_sheet(&dir.join(meta.sheet(id)), &meta)?;
                let flow = flow_files.iter().find(|file| file.0 == id).and_then(|(_, path)| {
                    read_flow(path, &meta)
                        .inspect_err(|problem| tracing::warn!("no flow for person {id}: {problem}"))
                        .ok()
                });
                Ok(Subject { id, pixels, flow })
            })
            .inspect(|_| progress.inc(1))
            .collect();
        progress.finish_and_clear();

        let (mut subjects, mut skipped) = (Vec::with_capacity(ids.len()), Vec::new());
        for result in results {
            match result {
                Ok(subject) => subjects.push(subject),
                Err(problem) => skipped.push(problem),
            }
        }
        if subjects.is_empty() && ids.iter().all(|&id| !dir.join(meta.sheet(id)).exists()) {
            return Err(DataError::NoSheets {
                dir: dir.to_owned(),
                split: split.name(),
                expected: ids.len(),
                first: ids.first().map(|&id| meta.sheet(id)).unwrap_or_default(),
            });
        }
        if skipped.len() as f64 > TOLERATED_BAD_SHEETS * ids.len() as f64 {
            return Err(DataError::BadSheets { total: ids.len(), bad: skipped });
        }
        if !skipped.is_empty() {
            tracing::warn!("skipped {} of {} sheets: {}", skipped.len(), ids.len(), skipped.join("; "));
        }
        tracing::info!(
            "{} people ({}), {} with exact flow",
            subjects.len(),
            split.name(),
            subjects.iter().filter(|subject| subject.flow.is_some()).count()
        );
        Ok(Self::of(meta, size, subjects, skipped))
    }

    fn draw(meta: Meta, ids: &[u32], with_flow: bool, size: usize) -> Self {
        let person = |&id: &u32| {
            let (pixels, cells) = synthetic::clips(id);
            Subject { id, pixels, flow: with_flow.then_some(ExactFlow { side: synthetic::CELLS, cells }) }
        };
        Self::of(meta, size, ids.par_iter().map(person).collect(), Vec::new())
    }

    fn of(meta: Meta, size: usize, subjects: Vec<Subject>, skipped: Vec<String>) -> Self {
        let Meta { actions, frames, size: tile, fps, apex_frame, .. } = meta;
        Self { size, tile, frames, fps, apex_frame, labels: actions, subjects, skipped }
    }

    /// People.
    pub fn len(&self) -> usize {
        self.subjects.len()
    }

    pub fn is_empty(&self) -> bool {
        self.subjects.is_empty()
    }

    /// Height and width of a frame.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Height and width of the flow grid.
    pub fn grid(&self) -> usize {
        self.size / PIXELS_PER_CELL
    }

    /// Frames per clip.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// Suggested frames per second.
    pub fn fps(&self) -> usize {
        self.fps
    }

    /// The frame where an expression is at or near full strength.
    pub fn apex_frame(&self) -> usize {
        self.apex_frame
    }

    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// The renderer's id of a person, stable across splits and sizes.
    pub fn subject_id(&self, subject: usize) -> u32 {
        self.subjects[subject].id
    }

    /// Sheets left out, each with the reason.
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }

    pub fn clip(&self, subject: usize, label: usize) -> Clip<'_> {
        assert!(subject < self.subjects.len() && label < self.labels.len(), "no clip ({subject}, {label})");
        Clip { dataset: self, subject, label }
    }

    /// # Shapes
    ///
    /// `[3, size, size]`, RGB in `[0, 1]`.
    pub fn frame(&self, subject: usize, label: usize, frame: usize) -> Vec<f32> {
        self.clip(subject, label).frame(frame)
    }

    /// Exact flow towards frame 0, where the renderer wrote it.
    pub fn flow(&self, subject: usize, label: usize, frame: usize) -> Option<FlowFrame> {
        self.clip(subject, label).flow(frame)
    }

    /// Views of one person: the whole tile, then random enlargements, every other one mirrored. The same at every call.
    pub fn views(&self, subject: usize, count: usize, max_zoom: f32) -> Vec<View> {
        let mut rng = ChaCha8Rng::seed_from_u64(u64::from(self.subject_id(subject)));
        let drawn = (1..count).map(|i| View { mirror: i % 2 == 1, ..View::draw(&mut rng, self.tile, max_zoom) });
        std::iter::once(View::whole(self.tile)).chain(drawn).collect()
    }

    /// The middle of every tile, `zoom` times enlarged.
    pub fn close_up(&self, zoom: f32) -> View {
        let side = ((self.tile as f32 / zoom).round() as usize).clamp(1, self.tile);
        let margin = (self.tile - side) / 2;
        View { left: margin, top: margin, side, mirror: false }
    }

    /// A batch of pairs. The draw depends on `seed` and `step` alone, so a resumed training continues the same sequence.
    pub fn pairs(&self, options: &PairOptions, batch: usize, seed: u64, step: u64) -> PairBatch {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(step);
        let (size, grid) = (self.size, self.grid());
        let mut pairs = PairBatch {
            batch,
            size,
            grid,
            source: Vec::with_capacity(batch * 3 * size * size),
            driving: Vec::with_capacity(batch * 3 * size * size),
            flow: Vec::with_capacity(batch * grid * grid * 2),
            visibility: Vec::with_capacity(batch * grid * grid),
            flow_mask: Vec::with_capacity(batch),
        };
        for _ in 0..batch {
            let clip = self.clip(below(&mut rng, self.len()), below(&mut rng, self.labels.len()));
            let source =
                if uniform(&mut rng) < options.first_frame_probability { 0 } else { below(&mut rng, self.frames) };
            // Any frame but the source, each equally often.
            let driving = (source + 1 + below(&mut rng, self.frames - 1)) % self.frames;
            let (colours, mirror) = if options.augment {
                (Colours::draw(&mut rng), uniform(&mut rng) < 0.5)
            } else {
                (Colours::default(), false)
            };
            let view = View { mirror, ..View::draw(&mut rng, self.tile, options.max_zoom) };
            pairs.push(&clip, source, driving, view, &colours);
        }
        pairs
    }
}

impl Clip<'_> {
    /// # Shapes
    ///
    /// `[3, size, size]`, RGB in `[0, 1]`.
    pub fn frame(&self, frame: usize) -> Vec<f32> {
        self.frame_through(View::whole(self.dataset.tile), frame)
    }

    /// # Shapes
    ///
    /// `[frames, 3, size, size]`, RGB in `[0, 1]`.
    pub fn all_frames(&self) -> Vec<f32> {
        (0..self.dataset.frames).flat_map(|frame| self.frame(frame)).collect()
    }

    /// The frame as opaque RGBA bytes.
    pub fn rgba(&self, frame: usize) -> Vec<u8> {
        self.rgba_through(View::whole(self.dataset.tile), frame)
    }

    /// What `view` shows of a frame, as opaque RGBA bytes.
    pub fn rgba_through(&self, view: View, frame: usize) -> Vec<u8> {
        let pixels = self.frame_through(view, frame);
        let area = self.dataset.size.pow(2);
        (0..area)
            .flat_map(|i| [0, 1, 2].map(|channel| to_byte(pixels[channel * area + i])).into_iter().chain([255]))
            .collect()
    }

    /// Exact flow towards frame 0, where the renderer wrote it.
    pub fn flow(&self, frame: usize) -> Option<FlowFrame> {
        self.flow_through(View::whole(self.dataset.tile), frame)
    }

    /// What `view` shows of a frame, at the model's size.
    ///
    /// # Shapes
    ///
    /// `[3, size, size]`, RGB in `[0, 1]`.
    pub fn frame_through(&self, view: View, frame: usize) -> Vec<f32> {
        let ClipSet { size, tile, .. } = *self.dataset;
        let bytes = self.bytes(frame);
        let mut pixels = resample_rgb([view.side; 2], [size; 2], |y, row| {
            let start = ((view.top + y) * tile + view.left) * 3;
            for (value, &byte) in row.iter_mut().zip(&bytes[start..]) {
                *value = f32::from(byte) / 255.0;
            }
        });
        if view.mirror {
            pixels.chunks_exact_mut(size).for_each(<[f32]>::reverse);
        }
        pixels
    }

    /// The exact flow of [`Self::frame_through`].
    fn flow_through(&self, view: View, frame: usize) -> Option<FlowFrame> {
        let ClipSet { tile, .. } = *self.dataset;
        let ExactFlow { side, ref cells } = *self.dataset.subjects[self.subject].flow.as_ref()?;
        let length = side * side * 3;
        let start = (self.label * self.dataset.frames + frame) * length;
        let window = [view.left, view.top, view.side].map(|pixels| (pixels * side) as f64 / tile as f64);
        let grid = self.dataset.grid();
        let mut flow = pool_flow(&cells[start..start + length], side, window, grid);
        if view.mirror {
            flow.displacement.chunks_exact_mut(2).for_each(|xy| xy[0] = -xy[0]);
            // Reversing every number of a row swaps x and y too; reversing the cells does not.
            for row in flow.displacement.chunks_exact_mut(2 * grid) {
                row.reverse();
                row.chunks_exact_mut(2).for_each(|xy| xy.swap(0, 1));
            }
            flow.visibility.chunks_exact_mut(grid).for_each(<[f32]>::reverse);
        }
        Some(flow)
    }

    /// Interleaved RGB of the whole tile.
    fn bytes(&self, frame: usize) -> &[u8] {
        assert!(frame < self.dataset.frames, "no frame {frame}");
        let length = self.dataset.tile.pow(2) * 3;
        let label = if frame == 0 { 0 } else { self.label };
        let start = (label * self.dataset.frames + frame) * length;
        &self.dataset.subjects[self.subject].pixels[start..start + length]
    }
}

impl PairBatch {
    fn push(&mut self, clip: &Clip<'_>, source: usize, driving: usize, view: View, colours: &Colours) {
        for (frame, buffer) in [(source, &mut self.source), (driving, &mut self.driving)] {
            let start = buffer.len();
            buffer.extend(clip.frame_through(view, frame));
            colours.apply(&mut buffer[start..]);
        }
        let flow = if source == 0 { clip.flow_through(view, driving) } else { None };
        self.flow_mask.push(if flow.is_some() { 1.0 } else { 0.0 });

        let grid = self.grid;
        let FlowFrame { displacement, visibility } = flow.unwrap_or_else(|| FlowFrame {
            displacement: vec![0.0; 2 * grid * grid],
            visibility: vec![1.0; grid * grid],
        });
        let identity = |i: usize| (2 * i + 1) as f32 / grid as f32 - 1.0;
        for (cell, xy) in displacement.chunks_exact(2).enumerate() {
            self.flow.extend([identity(cell % grid) + xy[0], identity(cell / grid) + xy[1]]);
        }
        self.visibility.extend(visibility);
    }
}

struct Subject {
    id: u32,
    /// `[label, frame, y, x, rgb]`.
    pixels: Vec<u8>,
    flow: Option<ExactFlow>,
}

/// The renderer's flow of one person.
struct ExactFlow {
    /// Cells per row and column.
    side: usize,
    /// `[label, frame, y, x, (dx, dy, visibility)]`.
    cells: Vec<f16>,
}

/// A square part of a tile, in pixels, possibly seen in a mirror.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    left: usize,
    top: usize,
    side: usize,
    mirror: bool,
}

impl View {
    fn whole(tile: usize) -> Self {
        Self { left: 0, top: 0, side: tile, mirror: false }
    }

    /// Anywhere within the middle half of where it can lie: faces are in the middle of their tiles.
    fn draw(rng: &mut ChaCha8Rng, tile: usize, max_zoom: f32) -> Self {
        let zoom = 1.0 + (max_zoom - 1.0) * uniform(rng);
        let side = ((tile as f32 / zoom).round() as usize).clamp(1, tile);
        let slack = (tile - side) as f32;
        let mut offset = || (slack * (0.25 + 0.5 * uniform(rng))).round() as usize;
        Self { left: offset(), top: offset(), side, mirror: false }
    }
}

const META: &str = "meta.json";

/// The name of the set that is drawn; as `flow_dir` it stands for its exact flow.
pub const SYNTHETIC: &str = "synthetic";

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
        let text = fs::read(&path).map_err(|source| DataError::Meta { path: path.clone(), source })?;
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
        Err(DataError::MetaContent { path, problem: problem.into() })
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
}

impl Split {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
            Self::All => "all",
        }
    }
}

/// `[label, frame, y, x, rgb]`.
fn read_sheet(path: &Path, meta: &Meta) -> Result<Vec<u8>, String> {
    let explain = |problem: &dyn std::fmt::Display| format!("{}: {problem}", path.display());
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
    let mut pixels = Vec::with_capacity(sheet.as_raw().len());
    for label in 0..meta.actions.len() {
        for frame in 0..meta.frames {
            for y in 0..meta.size {
                let start = ((label * meta.size + y) * width + frame * meta.size) * 3;
                pixels.extend_from_slice(&sheet.as_raw()[start..start + meta.size * 3]);
            }
        }
    }
    Ok(pixels)
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

fn read_flow(path: &Path, meta: &Meta) -> Result<ExactFlow, String> {
    let explain = |problem: &dyn std::fmt::Display| format!("{}: {problem}", path.display());
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
    Ok(ExactFlow { side, cells })
}

/// The flow under a window on a coarser grid: area means, of the displacement weighted by visibility, and of the visibility.
///
/// # Shapes
///
/// - fine: `[side, side, 3]`; displacements in halves of the tile
/// - window: `[left, top, side]` in fine cells
/// - returns a `grid` by `grid` flow; displacements in halves of the window
fn pool_flow(fine: &[f16], side: usize, [left, top, length]: [f64; 3], grid: usize) -> FlowFrame {
    // Fine cells under a coarse one along an axis, with the share of the coarse cell that each covers.
    let overlaps = |index: usize, start: f64| -> Vec<(usize, f32)> {
        let step = length / grid as f64;
        let (low, high) = (start + index as f64 * step, start + (index + 1) as f64 * step);
        (low as usize..side)
            .map(|i| (i, high.min((i + 1) as f64) - low.max(i as f64)))
            .take_while(|&(_, overlap)| overlap > 1e-9)
            .map(|(i, overlap)| (i, (overlap / step) as f32))
            .collect()
    };
    let columns: Vec<_> = (0..grid).map(|x| overlaps(x, left)).collect();
    let enlargement = (side as f64 / length) as f32;
    let mut flow =
        FlowFrame { displacement: Vec::with_capacity(grid * grid * 2), visibility: Vec::with_capacity(grid * grid) };
    for y in 0..grid {
        let rows = overlaps(y, top);
        for column in &columns {
            // Visible and plain sums: where nothing is visible the plain mean is as good a guess as any.
            let (mut visible, mut seen, mut plain) = (0.0, [0.0; 2], [0.0; 2]);
            for &(fine_y, height) in &rows {
                for &(fine_x, width) in column {
                    let area = height * width;
                    let [dx, dy, visibility] = [0, 1, 2].map(|i| fine[(fine_y * side + fine_x) * 3 + i].to_f32());
                    visible += area * visibility;
                    for (axis, value) in [dx, dy].into_iter().enumerate() {
                        seen[axis] += area * visibility * value;
                        plain[axis] += area * value;
                    }
                }
            }
            let mean = if visible > 0.0 { seen.map(|sum| sum / visible) } else { plain };
            flow.displacement.extend(mean.map(|value| value * enlargement));
            flow.visibility.push(visible);
        }
    }
    flow
}

/// One change of colours, applied to both frames of a pair.
struct Colours {
    brightness: f32,
    contrast: f32,
    saturation: f32,
    gain: [f32; 3],
}

impl Default for Colours {
    fn default() -> Self {
        Self { brightness: 0.0, contrast: 1.0, saturation: 1.0, gain: [1.0; 3] }
    }
}

impl Colours {
    fn draw(rng: &mut ChaCha8Rng) -> Self {
        let mut between = |low: f32, high: f32| low + (high - low) * uniform(rng);
        Self {
            brightness: between(-0.08, 0.08),
            contrast: between(0.8, 1.2),
            saturation: between(0.7, 1.3),
            gain: [between(0.92, 1.08), between(0.92, 1.08), between(0.92, 1.08)],
        }
    }

    /// # Shapes
    ///
    /// - frame: `[3, size, size]`, RGB in `[0, 1]`, changed in place
    fn apply(&self, frame: &mut [f32]) {
        let area = frame.len() / 3;
        for i in 0..area {
            let mut pixel = [0, 1, 2].map(|channel| frame[channel * area + i] * self.gain[channel]);
            let grey = 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2];
            for value in &mut pixel {
                let saturated = grey + (*value - grey) * self.saturation;
                *value = (saturated - 0.5) * self.contrast + 0.5 + self.brightness;
            }
            for (channel, value) in pixel.into_iter().enumerate() {
                frame[channel * area + i] = value.clamp(0.0, 1.0);
            }
        }
    }
}

/// In `[0, 1)`.
fn uniform(rng: &mut ChaCha8Rng) -> f32 {
    (rng.next_u32() >> 8) as f32 / (1 << 24) as f32
}

/// In `0..bound`; the bias of the modulus is below 1e-6 for the few thousand values there are.
fn below(rng: &mut ChaCha8Rng, bound: usize) -> usize {
    rng.next_u32() as usize % bound
}

fn progress_bar(sheets: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("reading sheets {bar:40} {pos}/{len} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(sheets as u64).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/faces")
    }

    fn copy_fixture() -> tempfile::TempDir {
        let copy = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(fixture()).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
        }
        copy
    }

    fn open(dir: &Path) -> Result<ClipSet, DataError> {
        ClipSet::open(dir, Some(dir), 32, Split::Train)
    }

    #[test]
    fn reads_people_labels_and_frames() {
        let data = open(&fixture()).unwrap();
        assert_eq!((data.len(), data.frames(), data.size(), data.grid()), (2, 4, 32, 8));
        assert_eq!(data.labels()[4], "happiness");
        assert_eq!([data.subject_id(0), data.subject_id(1)], [0, 1]);
        assert_eq!(ClipSet::open(&fixture(), None, 64, Split::All).unwrap().len(), 3);

        let frame = data.frame(0, 4, 2);
        assert_eq!(frame.len(), 3 * 32 * 32);
        assert!(frame.iter().all(|v| (0.0..=1.0).contains(v)));
        assert_ne!(frame, data.frame(0, 6, 2), "happiness and surprise look alike");
        assert_eq!(data.frame(0, 4, 0), data.frame(0, 6, 0), "frame 0 belongs to the person, not to the label");
        assert_eq!(data.clip(0, 4).all_frames()[2 * 3 * 32 * 32..3 * 3 * 32 * 32], frame);
    }

    /// The flow explains the motion: warping frame 0 by it comes closer to the driving frame than frame 0 itself.
    #[test]
    fn the_flow_points_from_a_frame_to_frame_0() {
        let data = ClipSet::open(&fixture(), Some(&fixture()), 64, Split::Train).unwrap();
        assert!(data.flow(1, 0, 0).is_none(), "person 1 has no flow file");
        let error = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
        let (mut repeated, mut warped) = (0.0, 0.0);
        for seed in 0..40 {
            let options = PairOptions { first_frame_probability: 1.0, augment: true, max_zoom: 1.5 };
            let pairs = data.pairs(&options, 1, seed, 0);
            if pairs.flow_mask[0] == 1.0 {
                repeated += error(&pairs.source, &pairs.driving);
                warped += error(&warp(&pairs), &pairs.driving);
            }
        }
        assert!(warped < 0.7 * repeated, "warped {warped}, repeated {repeated}");
    }

    #[test]
    fn drawn_faces_move_as_their_flow_says() {
        let dir = Path::new(SYNTHETIC);
        let data = ClipSet::open(dir, Some(dir), 64, Split::Val).unwrap();
        assert_eq!((data.len(), data.labels().len(), data.frames()), (12, 4, 16));
        let error = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
        let options = PairOptions { first_frame_probability: 1.0, augment: false, max_zoom: 1.0 };
        let (mut repeated, mut warped) = (0.0, 0.0);
        for seed in 0..30 {
            let pairs = data.pairs(&options, 1, seed, 0);
            repeated += error(&pairs.source, &pairs.driving);
            warped += error(&warp(&pairs), &pairs.driving);
        }
        assert!(warped < 0.3 * repeated, "warped {warped}, repeated {repeated}");
        let surprise = data.flow(0, 3, data.apex_frame()).unwrap();
        assert!(surprise.visibility.iter().any(|&v| v < 0.3), "an open mouth was never seen");
        assert!(data.frame(0, 1, 8) != data.frame(0, 2, 8) && data.frame(0, 1, 8) != data.frame(1, 1, 8));
        assert!(ClipSet::open(dir, None, 64, Split::Val).unwrap().flow(0, 1, 8).is_none());
    }

    #[test]
    fn pooling_weights_displacements_by_visibility() {
        let fine = [[1.0, 0.0, 1.0], [3.0, 0.0, 0.0], [1.0, 2.0, 0.5], [9.0, 9.0, 0.0]];
        let fine: Vec<f16> = fine.concat().into_iter().map(f16::from_f32).collect();
        let pooled = pool_flow(&fine, 2, [0.0, 0.0, 2.0], 1);
        assert_eq!(pooled.displacement[0], 1.0);
        assert!((pooled.displacement[1] - 2.0 / 3.0).abs() < 1e-3);
        assert_eq!(pooled.visibility, [0.375]);

        // The top left quarter: one cell, twice as long in halves of the window.
        let pooled = pool_flow(&fine, 2, [0.0, 0.0, 1.0], 1);
        assert_eq!((pooled.displacement, pooled.visibility), (vec![2.0, 0.0], vec![1.0]));
        // A window over parts of cells weighs them by their area.
        let pooled = pool_flow(&fine, 2, [0.5, 0.0, 1.0], 1);
        assert_eq!((pooled.displacement, pooled.visibility), (vec![2.0, 0.0], vec![0.5]));
    }

    #[test]
    fn pairs_repeat_for_a_seed_and_change_with_the_step() {
        let data = open(&fixture()).unwrap();
        let draw = |seed, step| data.pairs(&PairOptions::default(), 4, seed, step);
        assert_eq!(draw(1, 2).driving, draw(1, 2).driving);
        assert_ne!(draw(1, 2).driving, draw(1, 3).driving);
        assert_ne!(draw(1, 2).driving, draw(2, 2).driving);
    }

    #[test]
    fn views_of_a_person_repeat_and_mirrored_ones_are_reversed() {
        let data = ClipSet::open(&fixture(), Some(&fixture()), 32, Split::Train).unwrap();
        let views = data.views(0, 4, 1.5);
        assert_eq!(views, data.views(0, 4, 1.5));
        assert_ne!(views[1..], data.views(1, 4, 1.5)[1..]);
        assert_eq!(views.iter().map(|view| view.mirror).collect::<Vec<_>>(), [false, true, false, true]);

        let clip = data.clip(0, 4);
        assert_eq!(clip.frame_through(views[0], 2), clip.frame(2));
        let mirrored = View { mirror: true, ..views[0] };
        let mut frame = clip.frame_through(mirrored, 2);
        frame.chunks_exact_mut(32).for_each(<[f32]>::reverse);
        assert_eq!(frame, clip.frame(2));

        let (flow, reversed) = (clip.flow(2).unwrap(), clip.flow_through(mirrored, 2).unwrap());
        for y in 0..8 {
            for x in 0..8 {
                let (here, there) = (y * 8 + x, y * 8 + 7 - x);
                assert_eq!(flow.displacement[2 * here], -reversed.displacement[2 * there]);
                assert_eq!(flow.displacement[2 * here + 1], reversed.displacement[2 * there + 1]);
                assert_eq!(flow.visibility[here], reversed.visibility[there]);
            }
        }
    }

    #[test]
    fn unknown_flow_is_the_identity_with_mask_0() {
        let data = ClipSet::open(&fixture(), None, 32, Split::Train).unwrap();
        let pairs = data.pairs(&PairOptions::default(), 3, 0, 0);
        assert_eq!(pairs.flow_mask, [0.0; 3]);
        assert_eq!(pairs.flow.len(), 3 * 8 * 8 * 2);
        assert_eq!(pairs.flow[..4], [-0.875, -0.875, -0.625, -0.875]);
        assert!(pairs.visibility.iter().all(|&v| v == 1.0));
    }

    #[test]
    fn an_empty_directory_says_what_it_must_hold() {
        let dir = tempfile::tempdir().unwrap();
        let message = open(dir.path()).err().unwrap().to_string();
        assert!(message.contains("meta.json"), "{message}");

        fs::copy(fixture().join(META), dir.path().join(META)).unwrap();
        let message = open(dir.path()).err().unwrap().to_string();
        assert!(message.contains("none of the 2 sheets") && message.contains("s000000_k0.webp"), "{message}");
    }

    #[test]
    fn bad_sheets_are_skipped_up_to_one_in_twenty() {
        let dir = copy_fixture();
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
        let dir = copy_fixture();
        image::RgbImage::new(64, 64).save(dir.path().join("s000001_k0.webp")).unwrap();
        let message = open(dir.path()).err().unwrap().to_string();
        assert!(message.contains("s000001_k0.webp: is 64x64, not 256x448"), "{message}");
    }

    /// Bilinear `grid_sample(source, flow enlarged to the image)`, borders clamped.
    fn warp(pairs: &PairBatch) -> Vec<f32> {
        let (size, grid) = (pairs.size, pairs.grid);
        let bilinear = |plane: &dyn Fn(usize, usize) -> f32, side: usize, x: f32, y: f32| {
            let limit = (side - 1) as f32;
            let (x, y) = (x.clamp(0.0, limit), y.clamp(0.0, limit));
            let (x0, y0) = (x as usize, y as usize);
            let (x1, y1) = ((x0 + 1).min(side - 1), (y0 + 1).min(side - 1));
            let (fx, fy) = (x.fract(), y.fract());
            (plane(x0, y0) * (1.0 - fx) + plane(x1, y0) * fx) * (1.0 - fy)
                + (plane(x0, y1) * (1.0 - fx) + plane(x1, y1) * fx) * fy
        };
        let identity = |i: usize, n: usize| (2 * i + 1) as f32 / n as f32 - 1.0;
        let mut output = Vec::new();
        for channel in 0..3 {
            for y in 0..size {
                for x in 0..size {
                    let cell = |i: usize| (i as f32 + 0.5) * grid as f32 / size as f32 - 0.5;
                    let position = [0, 1].map(|axis| {
                        let displacement = |cx: usize, cy: usize| {
                            pairs.flow[(cy * grid + cx) * 2 + axis] - identity(if axis == 0 { cx } else { cy }, grid)
                        };
                        let pixel = if axis == 0 { x } else { y };
                        identity(pixel, size) + bilinear(&displacement, grid, cell(x), cell(y))
                    });
                    let [sx, sy] = position.map(|p| ((p + 1.0) * size as f32 - 1.0) / 2.0);
                    let plane = |px: usize, py: usize| pairs.source[(channel * size + py) * size + px];
                    output.push(bilinear(&plane, size, sx, sy));
                }
            }
        }
        output
    }
}
