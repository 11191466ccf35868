//! Clips of moving people, in memory, as a model sees them: of one size, one length, under one list
//! of labels.

use std::collections::BTreeSet;

use super::{
    augmentation::Backdrop,
    contents::{Contents, StoredClip, Subject},
    crop::Crop,
    error::{DataError, abridged, is_tolerable},
    flow::FlowFrame,
    look::Look,
    notices, random,
    sampling::Sampling,
    view::View,
};
use crate::condition::Strengths;
use crate::portrait::{resample_rgb, to_byte};

/// Pixels per cell of the flow grid, each way, unless [`ClipSet::with_grid`] changes it: the
/// official flow scale of 0.25.
pub(super) const PIXELS_PER_CELL: usize = 4;

/// Clips of moving people, in memory.
pub struct ClipSet {
    pub(super) size: usize,
    pub(super) grid: usize,
    /// Side of the frames in memory.
    pub(super) tile: usize,
    pub(super) frames: usize,
    fps: usize,
    /// Where an expression is at or near full strength, as a share of the clip.
    apex: f64,
    labels: Vec<String>,
    subjects: Vec<Subject>,
    /// By subject, then label.
    pub(super) clips: Vec<StoredClip>,
    skipped: Vec<String>,
    crop: Option<Crop>,
}

/// One take of one person and one label, with as many frames as the model has; a view into the set.
#[derive(Clone, Copy)]
pub struct Clip<'a> {
    set: &'a ClipSet,
    pub(super) stored: &'a StoredClip,
    sampling: Sampling,
    seed: u64,
}

impl ClipSet {
    /// The clips that are long enough, for a model of `size` and `frames`, by default those of the
    /// shortest clip.
    pub(super) fn new(
        contents: Contents,
        crop: Option<Crop>,
        size: usize,
        frames: Option<usize>,
    ) -> Result<Self, DataError> {
        let Contents { tile, fps, apex, labels, mut subjects, mut clips, mut skipped } = contents;
        let frames = frames.or_else(|| clips.iter().map(|clip| clip.frames).min()).unwrap_or_default();
        skipped.extend(drop_short(&mut clips, frames)?);
        drop_absent(&mut subjects, &mut clips);
        let grid = size / PIXELS_PER_CELL;
        Ok(Self { size, grid, tile, frames, fps, apex, labels, subjects, clips, skipped, crop })
    }

    /// The same clips under the labels of a model, in its order.
    ///
    /// # Errors
    /// Labels that the model does not know, all of them.
    pub(crate) fn with_labels(mut self, known: &[String]) -> Result<Self, DataError> {
        let places: Vec<Option<usize>> =
            self.labels.iter().map(|label| known.iter().position(|known| known == label)).collect();
        let of_mixture = |label: &str| self.labels.iter().position(|own| own == label);
        let used = |clip: &StoredClip| {
            let mixed = clip.strengths.iter().flat_map(Strengths::iter).filter_map(|(label, _)| of_mixture(label));
            mixed.chain([clip.label]).collect::<Vec<_>>()
        };
        let unknown: BTreeSet<usize> =
            self.clips.iter().flat_map(used).filter(|&label| places[label].is_none()).collect();
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

    /// Checks that clips of `frames` frames can be cut from these.
    ///
    /// # Errors
    /// Clips that are too short, if there are too many of them to do without.
    pub(crate) fn ensure_frames(&self, frames: usize) -> Result<(), DataError> {
        let short: Vec<String> = { self.clips.iter() }
            .filter(|clip| clip.frames < frames)
            .map(|clip| format!("{} has {}", clip.name, clip.frames))
            .collect();
        if is_tolerable(short.len(), self.clips.len()) {
            return Ok(());
        }
        let longest = self.clips.iter().map(|clip| clip.frames).min().unwrap_or_default();
        Err(DataError::TooShortForStage2 { frames, longest, total: self.clips.len(), short })
    }

    /// The part of the frames that is used; `None` for all of it.
    pub(crate) fn crop(&self) -> Option<Crop> {
        self.crop
    }

    /// Number of people.
    pub(crate) fn len(&self) -> usize {
        self.subjects.len()
    }

    /// Height and width of a frame.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Height and width of the flow grid.
    pub(crate) fn grid(&self) -> usize {
        self.grid
    }

    /// The same clips with flow on a grid of `grid` by `grid` cells.
    pub(crate) fn with_grid(self, grid: usize) -> Self {
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

    /// The frame where an expression is at or near full strength; the middle one unless the data
    /// says otherwise.
    pub fn apex_frame(&self) -> usize {
        (self.apex * self.frames.saturating_sub(1) as f64).round() as usize
    }

    /// Whether a label names a side, such as "Turn Left": a mirrored clip would show another label than its own.
    pub(super) fn has_sides(&self) -> bool {
        let names_side = |word: &str| ["left", "right"].iter().any(|side| word.eq_ignore_ascii_case(side));
        self.labels.iter().flat_map(|label| label.split(|c: char| !c.is_alphabetic())).any(names_side)
    }

    /// Names of the labels, which clips give by index.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// An id of a person, stable across splits and sizes.
    pub fn subject_id(&self, subject: usize) -> u32 {
        self.subjects[subject].id
    }

    /// The name of a person, from its folder.
    pub(crate) fn subject_name(&self, subject: usize) -> &str {
        &self.subjects[subject].name
    }

    /// What was left out, each with the reason.
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// The first take of a person and a label, if there is one.
    pub(crate) fn find(&self, subject: usize, label: usize) -> Option<Clip<'_>> {
        let at = self.clips.partition_point(|clip| (clip.subject, clip.label) < (subject, label));
        let stored = self.clips.get(at)?;
        ((stored.subject, stored.label) == (subject, label)).then(|| self.nth_clip(at))
    }

    /// The first take of a person and a label, in a set that is known to have all labels of all people.
    ///
    /// # Panics
    /// No such clip.
    pub fn clip(&self, subject: usize, label: usize) -> Clip<'_> {
        self.find(subject, label).unwrap_or_else(|| panic!("no clip ({subject}, {label})"))
    }

    /// All clips, by person, then label.
    pub(crate) fn clips(&self) -> impl ExactSizeIterator<Item = Clip<'_>> {
        (0..self.clips.len()).map(|index| self.nth_clip(index))
    }

    /// The clips of one person, at least one, by label.
    pub(crate) fn clips_of(&self, subject: usize) -> impl ExactSizeIterator<Item = Clip<'_>> {
        let place = |subject: usize| self.clips.partition_point(|clip| clip.subject < subject);
        (place(subject)..place(subject + 1)).map(|index| self.nth_clip(index))
    }

    /// Frames of each clip.
    pub(crate) fn lengths(&self) -> impl Iterator<Item = usize> {
        self.clips.iter().map(|clip| clip.frames)
    }

    /// Whether any clip came with other appearances of its first frame.
    pub(crate) fn has_references(&self) -> bool {
        self.clips.iter().any(|clip| clip.references.is_some())
    }

    /// Number of clips.
    pub(crate) fn clip_count(&self) -> usize {
        self.clips.len()
    }

    pub(super) fn nth_clip(&self, index: usize) -> Clip<'_> {
        Clip { set: self, stored: &self.clips[index], sampling: Sampling::Uniform, seed: 0 }
    }

    /// Views of one person: the whole tile, then random enlargements, every other one mirrored unless a label names a
    /// side. They are the same at every call.
    pub(crate) fn views(&self, subject: usize, count: usize, max_zoom: f32) -> Vec<View> {
        let mut rng = random::stream(u64::from(self.subject_id(subject)), 0);
        let has_sides = self.has_sides();
        let mirror = |i: usize| i % 2 == 1 && !has_sides;
        let drawn = (1..count).map(|i| View { mirror: mirror(i), ..View::draw(&mut rng, self.tile, max_zoom) });
        std::iter::once(View::whole(self.tile)).chain(drawn).collect()
    }

    /// The [`views`](Self::views) of everybody, each with its person and its number.
    pub(crate) fn all_views(&self, count: usize, max_zoom: f32) -> Vec<(usize, u64, View)> {
        (0..self.len())
            .flat_map(|subject| {
                (0..).zip(self.views(subject, count, max_zoom)).map(move |(number, view)| (subject, number, view))
            })
            .collect()
    }

    /// The middle of every tile, `zoom` times enlarged.
    pub(crate) fn close_up(&self, zoom: f32) -> View {
        View::middle(self.tile, zoom)
    }
}

impl Clip<'_> {
    /// Index of the person.
    pub(crate) fn subject(&self) -> usize {
        self.stored.subject
    }

    /// Index of the label.
    pub(crate) fn label(&self) -> usize {
        self.stored.label
    }

    /// How strongly which labels are there.
    pub(crate) fn strengths(&self) -> Strengths {
        let plain = || Strengths::from(self.set.labels[self.stored.label].as_str());
        self.mixture().cloned().unwrap_or_else(plain)
    }

    /// How strongly which labels are there, if that is not its label with strength 1.
    pub(crate) fn mixture(&self) -> Option<&Strengths> {
        self.stored.strengths.as_ref()
    }

    /// The same clip with frames picked by `sampling` for `seed` [default: evenly spaced].
    pub(crate) fn sampled(self, sampling: Sampling, seed: u64) -> Self {
        Self { sampling, seed, ..self }
    }

    /// Whether both clips of a set have the same first frame, as all sheets of a person do.
    pub(crate) fn begins_like(&self, other: &Self) -> bool {
        let tile = self.set.tile;
        self.stored.pixels.frame(0, tile) == other.stored.pixels.frame(0, tile)
    }

    /// A frame, with white behind transparent parts.
    ///
    /// # Shapes
    ///
    /// - returns `[3, size, size]`, RGB in `[0, 1]`
    pub(crate) fn frame(&self, frame: usize) -> Vec<f32> {
        self.frame_through(View::whole(self.set.tile), frame)
    }

    /// The clip as the model sees it.
    ///
    /// # Shapes
    ///
    /// - returns `[frames, 3, size, size]`, RGB in `[0, 1]`
    pub(crate) fn all_frames(&self) -> Vec<f32> {
        (0..self.set.frames).flat_map(|frame| self.frame(frame)).collect()
    }

    /// The frame as opaque RGBA bytes.
    pub fn rgba(&self, frame: usize) -> Vec<u8> {
        self.rgba_through(View::whole(self.set.tile), frame)
    }

    /// What `view` shows of a frame, as opaque RGBA bytes.
    pub(crate) fn rgba_through(&self, view: View, frame: usize) -> Vec<u8> {
        let pixels = self.frame_through(view, frame);
        let area = self.set.size.pow(2);
        (0..area)
            .flat_map(|i| [0, 1, 2].map(|channel| to_byte(pixels[channel * area + i])).into_iter().chain([255]))
            .collect()
    }

    /// What messages call it.
    pub(crate) fn name(&self) -> &str {
        &self.stored.name
    }

    /// Exact flow towards frame 0, if the renderer wrote it.
    #[cfg(test)]
    pub(super) fn flow(&self, frame: usize) -> Option<FlowFrame> {
        self.stored_flow_through(View::whole(self.set.tile), self.pick(frame))
    }

    /// What `view` shows of a frame, at the model's size; transparent parts show white.
    ///
    /// # Shapes
    ///
    /// - returns `[3, size, size]`, RGB in `[0, 1]`
    pub(crate) fn frame_through(&self, view: View, frame: usize) -> Vec<f32> {
        self.stored_through(view, self.pick(frame), &Backdrop::WHITE)
    }

    /// Which of the frames in memory is the model's `frame`.
    pub(super) fn pick(&self, frame: usize) -> usize {
        let ClipSet { frames, .. } = *self.set;
        assert!(frame < frames, "no frame {frame}");
        self.sampling.picks(self.stored.frames, frames, self.seed)[frame]
    }

    /// [`Self::frame_through`] for a frame in memory, with `backdrop` behind it.
    ///
    /// # Shapes
    ///
    /// - returns `[3, size, size]`, RGB in `[0, 1]`
    pub(super) fn stored_through(&self, view: View, index: usize, backdrop: &Backdrop) -> Vec<f32> {
        let area = self.set.tile.pow(2);
        let bytes = self.stored.pixels.frame(index, self.set.tile);
        let alpha = self.stored.alpha.as_ref().map(|alpha| &alpha[index * area..(index + 1) * area]);
        self.tile_through(view, &bytes, alpha, backdrop)
    }

    /// What the renderer made of frame 0 in other appearances, as `view` shows it.
    ///
    /// # Shapes
    ///
    /// - returns `[3, size, size]` each, RGB in `[0, 1]`
    ///
    /// # Errors
    /// A file that cannot be read, or is of another size.
    pub(crate) fn references_through(&self, view: View) -> Result<Vec<Vec<f32>>, DataError> {
        let Some(references) = &self.stored.references else { return Ok(Vec::new()) };
        let tiles = references.read()?;
        Ok(tiles.iter().map(|tile| self.tile_through(view, tile, None, &Backdrop::WHITE)).collect())
    }

    /// The first frame in `count` other looks, which depend on the person and on `seed` alone.
    ///
    /// # Shapes
    ///
    /// - returns `[3, size, size]` each, RGB in `[0, 1]`
    pub(crate) fn looks_through(&self, view: View, count: usize, seed: u64) -> Vec<Vec<f32>> {
        let mut rng = random::stream(u64::from(self.set.subject_id(self.stored.subject)), seed + 1);
        let first = self.frame_through(view, 0);
        let look = |_| {
            let mut frame = first.clone();
            Look::draw(&mut rng).apply(&mut frame);
            frame
        };
        (0..count).map(look).collect()
    }

    fn tile_through(&self, view: View, bytes: &[u8], alpha: Option<&[u8]>, backdrop: &Backdrop) -> Vec<f32> {
        let ClipSet { size, tile, .. } = *self.set;
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

    /// The exact flow of [`Self::frame_through`] on a grid of `side` by `side` cells, if the renderer wrote it.
    pub(crate) fn flow_through(&self, view: View, frame: usize, side: usize) -> Option<FlowFrame> {
        Some(self.stored.flow.as_ref()?.through(view, self.set.tile, self.pick(frame), side))
    }

    /// The exact flow of [`Self::stored_through`].
    pub(super) fn stored_flow_through(&self, view: View, index: usize) -> Option<FlowFrame> {
        let ClipSet { tile, grid, .. } = *self.set;
        Some(self.stored.flow.as_ref()?.through(view, tile, index, grid))
    }
}

/// Takes out the clips of fewer than `frames` frames, and names them.
fn drop_short(clips: &mut Vec<StoredClip>, frames: usize) -> Result<Vec<String>, DataError> {
    let total = clips.len();
    let short: Vec<String> = clips
        .extract_if(.., |clip| clip.frames < frames)
        .map(|clip| format!("{} has {}", clip.name, clip.frames))
        .collect();
    if !is_tolerable(short.len(), total) {
        return Err(DataError::TooShort { frames, total, short });
    }
    if !short.is_empty() {
        let names = abridged(&short);
        notices::warn(format!("skipped {} of {total} clips with fewer than {frames} frames: {names}", short.len()));
    }
    Ok(short)
}

/// Takes out the people who have no clips, and counts the others anew.
fn drop_absent(subjects: &mut Vec<Subject>, clips: &mut [StoredClip]) {
    let present: BTreeSet<usize> = clips.iter().map(|clip| clip.subject).collect();
    let places: Vec<usize> = (0..subjects.len()).map(|subject| present.range(..subject).count()).collect();
    for clip in clips.iter_mut() {
        clip.subject = places[clip.subject];
    }
    let mut index = 0..;
    subjects.retain(|_| index.next().is_some_and(|index| present.contains(&index)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::data::{
        Split,
        augmentation::Augmentation,
        fixtures::{folders, open_faces, read},
    };

    #[test]
    fn views_of_a_person_repeat_and_mirrored_ones_are_reversed() {
        let data = open_faces();
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

    #[test]
    fn clips_whose_labels_name_sides_are_not_mirrored() {
        let mirrored = |labels: [&str; 2]| {
            let dir = tempfile::tempdir().unwrap();
            for label in labels {
                let clip = dir.path().join("anna").join(label);
                std::fs::create_dir_all(&clip).unwrap();
                for frame in ["0.png", "1.png"] {
                    let picture = image::RgbImage::from_fn(16, 16, |x, _| image::Rgb([(x * 16) as u8; 3]));
                    picture.save(clip.join(frame)).unwrap();
                }
            }
            let data = read(dir.path(), None, Split::All).unwrap();
            let drawn = |augmentation: &Augmentation| data.clip_batch(augmentation, 1.0, 4, 3, 5).pixels;
            let is_flipped = drawn(&Augmentation { flip: 1.0, ..Augmentation::NONE }) != drawn(&Augmentation::NONE);
            let has_flipped_views = data.views(0, 4, 1.5).iter().any(|view| view.mirror);
            assert_eq!(is_flipped, has_flipped_views, "{labels:?}");
            is_flipped
        };
        assert!(mirrored(["wave", "brightness"]));
        assert!(!mirrored(["wave", "Turn Left"]));
        assert!(!mirrored(["lunge (right_foot)", "wave"]));
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
}
