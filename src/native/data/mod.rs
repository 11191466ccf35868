//! Clips of moving people, in memory, delivered at the model's size.
//!
//! What a directory holds says how it is read:
//!
//! - `sheets`: `meta.json` and one picture per person, with exact flow if there is one; under the name [`SYNTHETIC`], drawn on the spot;
//! - `folders`: `subject/label/…` with frames, GIFs or videos;
//! - `layouts`: MUG, UTD-MHAD and NATOPS.
//!
//! Clips differ in length, and not every subject has every label.

mod augmentation;
mod clips;
mod crop;
mod decode;
mod flow;
mod folders;
mod gif;
mod layouts;
mod pairs;
mod prefetch;
mod random;
mod sampling;
mod sheets;
mod splits;
mod video;
mod view;

use std::{
    collections::BTreeSet,
    fmt::{self, Display},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use thiserror::Error;

use self::{augmentation::Backdrop, flow::ExactFlow};
pub use self::{
    augmentation::{AugmentArgs, Augmentation},
    clips::ClipBatch,
    crop::Crop,
    decode::Fit,
    flow::FlowFrame,
    folders::UNLABELLED,
    layouts::Layout,
    pairs::{PairBatch, PairOptions},
    prefetch::Prefetch,
    sampling::Sampling,
    view::View,
};
use crate::portrait::{resample_rgb, to_byte};
pub(crate) use augmentation::probability;
pub(crate) use view::parse_zoom;

/// The name of the set that is drawn; as `flow_dir` it stands for its exact flow.
pub const SYNTHETIC: &str = "synthetic";

/// The label of clips without an expression or a gesture.
pub const NEUTRAL: &str = "neutral";

/// Pixels per cell of the flow grid, each way, unless [`ClipSet::with_grid`] says otherwise: the official flow scale of 0.25.
const PIXELS_PER_CELL: usize = 4;

/// Sheets, clips or frames that may be unusable before opening fails: one in twenty.
const TOLERATED: f64 = 0.05;

/// Names in a message, after which the others are only counted.
const NAMED: usize = 20;

/// How clips are read from a directory.
#[derive(Debug, Clone, clap::Args)]
pub struct DataArgs {
    /// How the clips of `--data` lie in their folders.
    #[arg(long, value_enum, default_value_t)]
    pub layout: Layout,
    /// How frames become squares; `crop` without it, and `pad` for the three data sets of the paper, as there.
    #[arg(long, value_enum)]
    pub fit: Option<Fit>,
    /// The part of every square frame that is used, as LEFT,TOP,SIDE in shares of its side; 0,0,1 is all of it. Faces want to fill the
    /// frame.
    #[arg(long, value_name = "LEFT,TOP,SIDE")]
    pub crop: Option<Crop>,
    /// Memory for the clips of a split, in GiB: of longer ones fewer frames are kept, evenly spaced.
    #[arg(long, value_name = "GIB", default_value_t = 8.0)]
    pub memory: f64,
}

impl Default for DataArgs {
    fn default() -> Self {
        Self { layout: Layout::Auto, fit: None, crop: None, memory: 8.0 }
    }
}

/// Which people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Split {
    Train,
    Val,
    /// Both.
    All,
}

/// Data that cannot be used.
#[derive(Debug, Error)]
pub enum DataError {
    #[error("cannot read {}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{} does not describe a faces set: {source}", path.display())]
    MetaFormat { path: PathBuf, source: serde_json::Error },
    #[error("{} {problem}", path.display())]
    Unusable { path: PathBuf, problem: String },
    #[error("{} holds none of the {expected} sheets of split `{split}` (the first would be {first})", dir.display())]
    NoSheets { dir: PathBuf, split: Split, expected: usize, first: String },
    #[error("{} holds no clips; {}", dir.display(), expected(*layout))]
    NoClips { dir: PathBuf, layout: Layout },
    #[error("no subject in {} belongs to split `{split}`; name its subjects in splits.json", dir.display())]
    EmptySplit { dir: PathBuf, split: Split },
    #[error("{} of {total} {what} cannot be used, more than 1 in 20; repair or remove them: {}", bad.len(), some(bad))]
    TooManyBad { what: &'static str, total: usize, bad: Vec<String> },
    #[error(
        "{} of {total} clips are shorter than the {frames} frames of the model, more than 1 in 20; use longer clips, or a model \
         with fewer `frames`: {}", short.len(), some(short)
    )]
    TooShort { frames: usize, total: usize, short: Vec<String> },
    #[error("cannot list the flow directory {}: {source}", path.display())]
    FlowDirectory { path: PathBuf, source: io::Error },
    #[error("exact flow goes with sheets (meta.json) and with `{SYNTHETIC}`; leave out --flow for {}", dir.display())]
    NoFlow { dir: PathBuf },
    #[error("frames of {0}x{0} pixels have no flow grid; ask for a multiple of {PIXELS_PER_CELL}")]
    Size(usize),
    #[error(
        "{} is a video, and ffmpeg, which reads those, is not installed; install it (apt install ffmpeg, brew install ffmpeg, \
         winget install ffmpeg), or turn videos into GIFs or folders of frames", path.display()
    )]
    NoFfmpeg { path: PathBuf },
    #[error(
        "{clips} clips of {frames} frames of {tile}x{tile} pixels take {needed:.1} GiB, more than the {granted} GiB of --memory; grant \
         more, or use fewer clips"
    )]
    Memory { clips: usize, tile: usize, frames: usize, needed: f64, granted: f64 },
    #[error("the model does not know {}; it knows {}. Rename these labels or leave their clips out", unknown.join(", "), known.join(", "))]
    UnknownLabels { unknown: Vec<String>, known: Vec<String> },
}

/// What a directory without clips should have held.
fn expected(layout: Layout) -> &'static str {
    match layout {
        Layout::Auto | Layout::Folders => {
            "it must hold meta.json and its sheets, or folders of frames (png, jpg), GIFs or videos (mp4, avi) like these:\n\n  \
             anna/smile/0001.png 0002.png …\n  anna/wave/take1/0001.png 0002.png …\n  bert/smile.gif\n  bert/wave.mp4\n"
        }
        Layout::Mug => "MUG has folders like 001/happiness/take000/img_0000.jpg",
        Layout::Mhad => "UTD-MHAD has folders like a1_s1_t1/a1_s1_t1_000.png, or videos like a1_s1_t1_color.avi",
        Layout::Natops => {
            "NATOPS has folders like g01s01p01/0000.png, one for each take that its segmentation.txt cuts out of a video"
        }
    }
}

/// The first of many names.
fn some(names: &[String]) -> String {
    let first = names[..names.len().min(NAMED)].join("; ");
    if names.len() > NAMED { format!("{first}; and {} more", names.len() - NAMED) } else { first }
}

/// Names what was skipped, or fails if that is too much.
fn is_tolerable(what: &'static str, total: usize, bad: &[String]) -> Result<(), DataError> {
    if bad.len() as f64 > TOLERATED * total as f64 {
        return Err(DataError::TooManyBad { what, total, bad: bad.to_vec() });
    }
    if !bad.is_empty() {
        tracing::warn!("skipped {} of {total} {what}: {}", bad.len(), some(bad));
    }
    Ok(())
}

/// Clips of moving people, in memory.
pub struct ClipSet {
    size: usize,
    grid: usize,
    /// Side of the frames in memory.
    tile: usize,
    frames: usize,
    fps: usize,
    /// Where an expression is at or near full strength, as a share of the clip.
    apex: f64,
    labels: Vec<String>,
    subjects: Vec<Subject>,
    /// By subject, then label.
    clips: Vec<Stored>,
    skipped: Vec<String>,
    crop: Option<Crop>,
}

/// What a reader found.
struct Contents {
    tile: usize,
    fps: usize,
    apex: f64,
    labels: Vec<String>,
    subjects: Vec<Subject>,
    clips: Vec<Stored>,
    skipped: Vec<String>,
}

struct Subject {
    id: u32,
    name: String,
}

struct Stored {
    subject: usize,
    label: usize,
    /// As messages call it.
    name: String,
    /// At least 2.
    frames: usize,
    /// `[frame, y, x, rgb]`, the colours times `alpha`.
    pixels: Vec<u8>,
    /// `[frame, y, x]`; opaque without it.
    alpha: Option<Vec<u8>>,
    flow: Option<ExactFlow>,
}

/// One take of one person and one label, with as many frames as the model has; a view into the dataset.
#[derive(Clone, Copy)]
pub struct Clip<'a> {
    dataset: &'a ClipSet,
    stored: &'a Stored,
    sampling: Sampling,
    seed: u64,
}

/// Which clips are looked at.
#[derive(Debug, Clone, clap::Args)]
pub struct SplitArgs {
    /// Directory of the clips, in any form that training takes.
    #[arg(long)]
    pub data: PathBuf,
    #[command(flatten)]
    reading: DataArgs,
    #[arg(long, value_enum, default_value_t = Split::Val)]
    pub split: Split,
}

impl SplitArgs {
    /// [`DataArgs::open`] of them, without flow.
    pub fn open(&self, size: usize, frames: Option<usize>) -> Result<ClipSet, DataError> {
        self.reading.open(&self.data, None, size, frames, self.split)
    }
}

impl DataArgs {
    /// Decodes one split of a directory, or draws it if `dir` is [`SYNTHETIC`]; frames are area-averaged to `size` by `size` pixels, and of
    /// longer clips [`Sampling`] picks `frames` of them, or without it as many as the shortest has.
    ///
    /// `flow_dir` may hold exact flow for sheets.
    pub fn open(
        &self,
        dir: &Path,
        flow_dir: Option<&Path>,
        size: usize,
        frames: Option<usize>,
        split: Split,
    ) -> Result<ClipSet, DataError> {
        if size == 0 || !size.is_multiple_of(PIXELS_PER_CELL) {
            return Err(DataError::Size(size));
        }
        let contents = if dir == Path::new(SYNTHETIC) {
            sheets::draw(flow_dir.is_some(), size, split)?
        } else if dir.join(sheets::META).is_file() {
            sheets::read(dir, flow_dir, size, split)?
        } else {
            let tile = self.crop.map_or(size, |crop| crop.tile_for(size));
            decode::open(dir, flow_dir, self, tile, frames, split)?
        };
        let contents = match self.crop {
            None => contents,
            Some(crop) => crop.cut(contents),
        };
        if contents.tile < size {
            let tile = contents.tile;
            tracing::warn!(
                "what --crop leaves, {tile}x{tile} pixels, is enlarged to {size}x{size}; a model learns its blur"
            );
        }
        Ok(ClipSet { crop: self.crop, ..ClipSet::new(contents, size, frames)? })
    }
}

impl ClipSet {
    /// [`DataArgs::open`] without options.
    pub fn open(dir: &Path, flow_dir: Option<&Path>, size: usize, split: Split) -> Result<Self, DataError> {
        DataArgs::default().open(dir, flow_dir, size, None, split)
    }

    fn new(contents: Contents, size: usize, frames: Option<usize>) -> Result<Self, DataError> {
        let Contents { tile, fps, apex, labels, mut subjects, mut clips, mut skipped } = contents;
        let frames = frames.or_else(|| clips.iter().map(|clip| clip.frames).min()).unwrap_or_default();
        let total = clips.len();
        let mut short = Vec::new();
        clips.retain(|clip| {
            let long_enough = clip.frames >= frames;
            if !long_enough {
                short.push(format!("{} has {}", clip.name, clip.frames));
            }
            long_enough
        });
        if short.len() as f64 > TOLERATED * total as f64 {
            return Err(DataError::TooShort { frames, total, short });
        }
        if !short.is_empty() {
            tracing::warn!(
                "skipped {} of {total} clips with fewer than {frames} frames: {}",
                short.len(),
                some(&short)
            );
            skipped.extend(short);
        }
        // Subjects none of whose clips are left have nothing to show.
        let present: BTreeSet<usize> = clips.iter().map(|clip| clip.subject).collect();
        let places: Vec<usize> = (0..subjects.len()).map(|subject| present.range(..subject).count()).collect();
        clips.iter_mut().for_each(|clip| clip.subject = places[clip.subject]);
        let mut index = 0..;
        subjects.retain(|_| index.next().is_some_and(|index| present.contains(&index)));
        let grid = size / PIXELS_PER_CELL;
        Ok(Self { size, grid, tile, frames, fps, apex, labels, subjects, clips, skipped, crop: None })
    }

    /// The same clips under the labels of a model, in its order. Labels that it does not know are an error that names them.
    pub fn with_labels(mut self, known: &[String]) -> Result<Self, DataError> {
        let places: Vec<Option<usize>> =
            self.labels.iter().map(|label| known.iter().position(|known| known == label)).collect();
        let unknown: BTreeSet<usize> =
            self.clips.iter().map(|clip| clip.label).filter(|&label| places[label].is_none()).collect();
        if !unknown.is_empty() {
            let unknown = unknown.into_iter().map(|label| self.labels[label].clone()).collect();
            return Err(DataError::UnknownLabels { unknown, known: known.to_vec() });
        }
        for clip in &mut self.clips {
            clip.label = places[clip.label].unwrap_or_default();
        }
        self.clips.sort_by_key(|clip| (clip.subject, clip.label));
        self.labels = known.to_vec();
        Ok(self)
    }

    /// The part of the frames that is used, if not all of it.
    pub(crate) fn crop(&self) -> Option<Crop> {
        self.crop
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
        self.grid
    }

    /// The same clips with flow on a grid of `grid` by `grid` cells.
    pub fn with_grid(self, grid: usize) -> Self {
        Self { grid, ..self }
    }

    /// Frames per clip, as models see it.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// Suggested frames per second.
    pub fn fps(&self) -> usize {
        self.fps
    }

    /// The frame where an expression is at or near full strength: the middle one where the data does not say.
    pub fn apex_frame(&self) -> usize {
        (self.apex * self.frames.saturating_sub(1) as f64).round() as usize
    }

    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// An id of a person, stable across splits and sizes.
    pub fn subject_id(&self, subject: usize) -> u32 {
        self.subjects[subject].id
    }

    /// The name of a person: that of its folder.
    pub fn subject_name(&self, subject: usize) -> &str {
        &self.subjects[subject].name
    }

    /// What was left out, each with the reason.
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// The first take of a person and a label, if there is one.
    pub fn find(&self, subject: usize, label: usize) -> Option<Clip<'_>> {
        let at = self.clips.partition_point(|clip| (clip.subject, clip.label) < (subject, label));
        let stored = self.clips.get(at)?;
        ((stored.subject, stored.label) == (subject, label)).then(|| self.nth_clip(at))
    }

    /// [`Self::find`], where sets are known to have all labels of all people.
    pub fn clip(&self, subject: usize, label: usize) -> Clip<'_> {
        self.find(subject, label).unwrap_or_else(|| panic!("no clip ({subject}, {label})"))
    }

    /// All clips, by person, then label.
    pub fn clips(&self) -> impl ExactSizeIterator<Item = Clip<'_>> {
        (0..self.clips.len()).map(|index| self.nth_clip(index))
    }

    /// The clips of one person, at least one, by label.
    pub fn clips_of(&self, subject: usize) -> impl ExactSizeIterator<Item = Clip<'_>> {
        let place = |subject: usize| self.clips.partition_point(|clip| clip.subject < subject);
        (place(subject)..place(subject + 1)).map(|index| self.nth_clip(index))
    }

    pub fn clip_count(&self) -> usize {
        self.clips.len()
    }

    fn nth_clip(&self, index: usize) -> Clip<'_> {
        Clip { dataset: self, stored: &self.clips[index], sampling: Sampling::Uniform, seed: 0 }
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
        let mut rng = random::stream(u64::from(self.subject_id(subject)), 0);
        let drawn = (1..count).map(|i| View { mirror: i % 2 == 1, ..View::draw(&mut rng, self.tile, max_zoom) });
        std::iter::once(View::whole(self.tile)).chain(drawn).collect()
    }

    /// The [`views`](Self::views) of everybody, each with its person and its number.
    pub fn all_views(&self, count: usize, max_zoom: f32) -> Vec<(usize, u64, View)> {
        let of = |subject| {
            (0..).zip(self.views(subject, count, max_zoom)).map(move |(number, view)| (subject, number, view))
        };
        (0..self.len()).flat_map(of).collect()
    }

    /// The middle of every tile, `zoom` times enlarged.
    pub fn close_up(&self, zoom: f32) -> View {
        View::middle(self.tile, zoom)
    }
}

impl<'a> Clip<'a> {
    /// Which person it is.
    pub fn subject(&self) -> usize {
        self.stored.subject
    }

    pub fn label(&self) -> usize {
        self.stored.label
    }

    /// Where the clip comes from.
    pub fn name(&self) -> &'a str {
        &self.stored.name
    }

    /// The same clip with frames picked by `sampling` for `seed`; evenly spaced ones otherwise.
    pub fn sampled(self, sampling: Sampling, seed: u64) -> Self {
        Self { sampling, seed, ..self }
    }

    /// Whether both clips of a set have the same first frame, as all sheets of a person do.
    pub fn begins_like(&self, other: &Self) -> bool {
        let length = self.dataset.tile.pow(2) * 3;
        self.stored.pixels[..length] == other.stored.pixels[..length]
    }

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
        self.stored_flow_through(View::whole(self.dataset.tile), self.pick(frame))
    }

    /// What `view` shows of a frame, at the model's size; transparent parts show white.
    ///
    /// # Shapes
    ///
    /// `[3, size, size]`, RGB in `[0, 1]`.
    pub fn frame_through(&self, view: View, frame: usize) -> Vec<f32> {
        self.stored_through(view, self.pick(frame), &Backdrop::WHITE)
    }

    /// Which of the frames in memory is the model's `frame`.
    fn pick(&self, frame: usize) -> usize {
        let ClipSet { frames, .. } = *self.dataset;
        assert!(frame < frames, "no frame {frame}");
        self.sampling.picks(self.stored.frames, frames, self.seed)[frame]
    }

    /// [`Self::frame_through`] for a frame in memory, before a backdrop.
    fn stored_through(&self, view: View, index: usize, backdrop: &Backdrop) -> Vec<f32> {
        let ClipSet { size, tile, .. } = *self.dataset;
        let area = tile * tile;
        let bytes = &self.stored.pixels[index * area * 3..(index + 1) * area * 3];
        let alpha = self.stored.alpha.as_ref().map(|alpha| &alpha[index * area..(index + 1) * area]);
        let place = |i: usize| (2 * i + 1) as f32 / tile as f32 - 1.0;
        let mut pixels = resample_rgb([view.side; 2], [size; 2], |y, row| {
            let start = (view.top + y) * tile + view.left;
            for (value, &byte) in row.iter_mut().zip(&bytes[start * 3..]) {
                *value = f32::from(byte) / 255.0;
            }
            let Some(alpha) = alpha else { return };
            for (x, (pixel, &alpha)) in row.chunks_exact_mut(3).zip(&alpha[start..]).enumerate() {
                let behind = backdrop.at([place(view.left + x), place(view.top + y)]);
                let share = 1.0 - f32::from(alpha) / 255.0;
                pixel.iter_mut().zip(behind).for_each(|(value, behind)| *value += share * behind);
            }
        });
        if view.mirror {
            pixels.chunks_exact_mut(size).for_each(<[f32]>::reverse);
        }
        pixels
    }

    /// The exact flow of [`Self::stored_through`].
    fn stored_flow_through(&self, view: View, index: usize) -> Option<FlowFrame> {
        let ClipSet { tile, grid, .. } = *self.dataset;
        Some(self.stored.flow.as_ref()?.through(view, tile, index, grid))
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

impl Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn progress_bar(what: &str, count: usize) -> ProgressBar {
    let style = ProgressStyle::with_template(&format!("reading {what} {{bar:40}} {{pos}}/{{len}} {{eta}}"))
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(count as u64).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{sheets::META, *};

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
            let options =
                PairOptions { first_frame_probability: 1.0, augmentation: Augmentation::PLAIN, max_zoom: 1.5 };
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
        let options = PairOptions { first_frame_probability: 1.0, augmentation: Augmentation::NONE, max_zoom: 1.0 };
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

        let (flow, reversed) = (clip.flow(2).unwrap(), clip.stored_flow_through(mirrored, 2).unwrap());
        for y in 0..8 {
            for x in 0..8 {
                let (here, there) = (y * 8 + x, y * 8 + 7 - x);
                assert_eq!(flow.displacement[2 * here], -reversed.displacement[2 * there]);
                assert_eq!(flow.displacement[2 * here + 1], reversed.displacement[2 * there + 1]);
                assert_eq!(flow.visibility[here], reversed.visibility[there]);
            }
        }
    }

    /// A directory of one-coloured frames: file, count, size and colour, in which `{}` is the number of the frame.
    fn folders(clips: &[(&str, usize, [u32; 2], u8)]) -> tempfile::TempDir {
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

    fn read(dir: &Path, frames: Option<usize>, split: Split) -> Result<ClipSet, DataError> {
        DataArgs::default().open(dir, None, 16, frames, split)
    }

    #[test]
    fn clips_of_folders_differ_in_length_size_and_labels() {
        let dir = folders(&[
            ("anna/smile/take1", 12, [40, 30], 10),
            ("anna/smile/take2", 4, [20, 20], 20),
            ("anna/wave", 4, [40, 30], 30),
            ("bert/wave", 9, [40, 30], 40),
        ]);
        let data = read(dir.path(), None, Split::All).unwrap();
        assert_eq!((data.len(), data.clip_count(), data.frames(), data.apex_frame()), (2, 4, 4, 2));
        assert_eq!(data.labels(), ["smile", "wave"]);
        // The middle 30x30 of the first clip, but no more than 1.5 times the model's 16.
        assert_eq!(data.tile, 24);
        let clips: Vec<_> = data.clips().map(|clip| (clip.subject(), clip.label())).collect();
        assert_eq!(clips, [(0, 0), (0, 0), (0, 1), (1, 1)]);
        assert!(data.find(1, 0).is_none() && data.clips_of(1).len() == 1);
        let bytes = |clip: Clip<'_>| (0..4).map(|frame| clip.rgba(frame)[..2].to_vec()).collect::<Vec<_>>();
        assert_eq!(bytes(data.clip(0, 0)), [[10, 0], [10, 3], [10, 7], [10, 11]]);
        assert_eq!(bytes(data.clip(1, 1)), [[40, 0], [40, 2], [40, 5], [40, 8]]);
        assert_ne!(bytes(data.clip(0, 0).sampled(Sampling::VeryRandom, 1)), bytes(data.clip(0, 0)));
        assert!(!data.clip(0, 0).begins_like(&data.clip(0, 1)) && data.clip(0, 1).begins_like(&data.clip(0, 1)));

        // Pairs come from all frames of all clips, also from those that the model's 4 leave out.
        let pairs = data.pairs(&PairOptions { augmentation: Augmentation::NONE, ..PairOptions::default() }, 200, 0, 0);
        let drawn: BTreeSet<_> =
            pairs.driving.chunks(3 * 256).map(|frame| [frame[0], frame[256]].map(to_byte)).collect();
        assert!(drawn.len() > 25 && drawn.contains(&[10, 1]) && drawn.contains(&[40, 7]), "{drawn:?}");
    }

    #[test]
    fn one_side_never_sees_the_other() {
        let names: Vec<String> = (0..20).map(|i| format!("p{i}/smile")).collect();
        let clips: Vec<_> = names.iter().map(|name| (name.as_str(), 2, [16, 16], 0)).collect();
        let dir = folders(&clips);
        let people = |split| {
            let data = read(dir.path(), None, split).unwrap();
            (0..data.len()).map(|subject| data.subject_name(subject).to_owned()).collect::<BTreeSet<_>>()
        };
        let (train, val) = (people(Split::Train), people(Split::Val));
        assert_eq!((train.len(), val.len()), (18, 2));
        assert!(train.is_disjoint(&val));
        assert_eq!(people(Split::All).len(), 20);

        fs::write(dir.path().join("splits.json"), r#"{"train": ["p3", "p4"], "val": []}"#).unwrap();
        assert_eq!(people(Split::Train).into_iter().collect::<Vec<_>>(), ["p3", "p4"]);
        let message = read(dir.path(), None, Split::Val).err().unwrap().to_string();
        assert!(message.contains("split `val`") && message.contains("splits.json"), "{message}");
    }

    #[test]
    fn unusable_folders_say_what_to_do() {
        let message = |dir: &Path, frames| read(dir, frames, Split::All).err().unwrap().to_string();
        let dir = folders(&[("anna/smile", 6, [16, 16], 0), ("bert/smile", 3, [16, 16], 0)]);
        let short = message(dir.path(), Some(5));
        assert!(short.contains("1 of 2") && short.contains("bert/smile has 3") && short.contains("fewer"), "{short}");
        let missing = message(&dir.path().join("absent"), None);
        assert!(missing.contains("cannot read") && missing.contains("absent"), "{missing}");

        let data = read(dir.path(), None, Split::All).unwrap();
        let unknown = data.with_labels(&["wave".to_owned()]).err().unwrap().to_string();
        assert!(unknown.contains("does not know smile") && unknown.contains("knows wave"), "{unknown}");
        let flow = DataArgs::default().open(dir.path(), Some(dir.path()), 16, None, Split::All).err().unwrap();
        assert!(flow.to_string().contains("leave out --flow"), "{flow}");
        let size = DataArgs::default().open(dir.path(), None, 18, None, Split::All).err().unwrap();
        assert!(size.to_string().contains("multiple of 4"), "{size}");
        let natops = DataArgs { layout: Layout::Natops, ..DataArgs::default() };
        let natops = natops.open(dir.path(), None, 16, None, Split::All).err().unwrap().to_string();
        assert!(natops.contains("g01s01p01"), "{natops}");

        fs::remove_dir_all(dir.path().join("anna")).unwrap();
        fs::remove_dir_all(dir.path().join("bert")).unwrap();
        let empty = message(dir.path(), None);
        assert!(empty.contains("meta.json") && empty.contains("bert/wave.mp4"), "{empty}");
    }

    #[test]
    fn damaged_frames_are_skipped_up_to_one_in_twenty() {
        let dir = folders(&[("anna/smile", 30, [16, 16], 0), ("bert/smile", 30, [16, 16], 0)]);
        let damage = |name: &str| fs::write(dir.path().join(name), b"no picture").unwrap();
        damage("anna/smile/0.png");
        damage("anna/smile/7.png");
        let data = read(dir.path(), Some(16), Split::All).unwrap();
        assert_eq!((data.clips[0].frames, data.skipped().len()), (28, 2));
        assert!(data.skipped()[0].contains("anna/smile/0.png"), "{:?}", data.skipped());
        assert_eq!(data.clip(0, 0).rgba(0)[1], 1, "the first frame that is left");

        damage("bert/smile/1.png");
        damage("bert/smile/2.png");
        let message = read(dir.path(), Some(16), Split::All).err().unwrap().to_string();
        assert!(message.contains("4 of 60 frames") && message.contains("bert/smile/2.png"), "{message}");
    }

    #[test]
    fn labels_take_the_order_of_the_model() {
        let dir =
            folders(&[("anna/smile", 2, [16, 16], 10), ("anna/wave", 2, [16, 16], 20), ("bert/wave", 2, [16, 16], 30)]);
        let known = ["wave", "frown", "smile"].map(str::to_owned);
        let data = read(dir.path(), None, Split::All).unwrap().with_labels(&known).unwrap();
        let clips: Vec<_> = data.clips().map(|clip| (clip.subject(), clip.label(), clip.rgba(0)[0])).collect();
        assert_eq!(clips, [(0, 0, 20), (0, 2, 10), (1, 0, 30)]);
    }

    #[test]
    fn transparent_frames_show_what_is_behind_them() {
        let dir = folders(&[]);
        fs::create_dir_all(dir.path().join("anna/smile")).unwrap();
        for name in ["0.png", "1.png"] {
            let half = |x, _| image::Rgba(if x < 8 { [200, 0, 0, 255] } else { [0; 4] });
            image::RgbaImage::from_fn(16, 16, half).save(dir.path().join("anna/smile").join(name)).unwrap();
        }
        let data = read(dir.path(), None, Split::All).unwrap();
        let row = &data.clip(0, 0).rgba(0)[..16 * 4];
        assert_eq!((&row[..4], &row[15 * 4..]), (&[200, 0, 0, 255][..], &[255; 4][..]));

        let augmentation = Augmentation { backdrop: 1.0, ..Augmentation::NONE };
        let pairs = data.pairs(&PairOptions { augmentation, ..PairOptions::default() }, 1, 0, 0);
        assert!(pairs.source[15] < 0.99, "the background is still white");
        assert_eq!(pairs.source, pairs.driving, "the background stands still");
        assert!((pairs.source[0] - 200.0 / 255.0).abs() < 1e-6);
    }

    #[test]
    fn time_flips_exchange_the_frames() {
        let data = open(&fixture()).unwrap();
        let draw = |augmentation| data.pairs(&PairOptions { augmentation, ..PairOptions::default() }, 4, 1, 1);
        let forth = draw(Augmentation::NONE);
        let back = draw(Augmentation { time_flip: 1.0, ..Augmentation::NONE });
        assert_eq!((forth.source, forth.driving), (back.driving, back.source));
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
