//! Batches of whole clips with their labels, from which the action network learns.

use super::{
    augmentation::Augmentation,
    clip_set::{Clip, ClipSet},
    random::{below, stream},
    view::View,
};

/// A batch of clips.
///
/// # Shapes
///
/// - pixels: `[batch, frames, 3, size, size]`, RGB in `[0, 1]`
/// - labels: `[batch]`
pub(crate) struct ClipBatch {
    pub(crate) frames: usize,
    pub(crate) size: usize,
    pub(crate) pixels: Vec<f32>,
    pub(crate) labels: Vec<usize>,
}

impl ClipSet {
    /// A batch of any clips, each changed by one draw of `augmentation` (though never reversed in
    /// time, nor mirrored where a label names a side: either would be another action) and enlarged up
    /// to `max_zoom` times. The draw depends on `seed` and `step` alone.
    pub(crate) fn clip_batch(
        &self,
        augmentation: &Augmentation,
        max_zoom: f32,
        batch: usize,
        seed: u64,
        step: u64,
    ) -> ClipBatch {
        let mut rng = stream(seed, step);
        let mut drawn = self.empty_batch(batch);
        let has_sides = self.has_sides();
        for _ in 0..batch {
            let clip = self.nth_clip(below(&mut rng, self.clip_count()));
            let change = augmentation.draw(&mut rng);
            let view = View { mirror: change.mirror && !has_sides, ..View::draw(&mut rng, self.tile, max_zoom) };
            for (place, frame) in (0..).zip(0..self.frames) {
                let start = drawn.pixels.len();
                drawn.pixels.extend(clip.stored_through(view, clip.pick(frame), &change.backdrop));
                change.apply(&mut drawn.pixels[start..], place);
            }
            drawn.labels.push(clip.label());
        }
        drawn
    }

    /// All clips as they are, `batch` at a time.
    pub(crate) fn clip_batches(&self, batch: usize) -> impl Iterator<Item = ClipBatch> {
        let clips: Vec<Clip<'_>> = self.clips().collect();
        (0..clips.len().div_ceil(batch)).map(move |index| {
            let mut whole = self.empty_batch(batch);
            for clip in clips.iter().skip(index * batch).take(batch) {
                whole.pixels.extend(clip.all_frames());
                whole.labels.push(clip.label());
            }
            whole
        })
    }

    fn empty_batch(&self, room: usize) -> ClipBatch {
        let (frames, size) = (self.frames, self.size);
        let pixels = Vec::with_capacity(room * frames * 3 * size * size);
        ClipBatch { frames, size, pixels, labels: Vec::with_capacity(room) }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::native::data::{SYNTHETIC, Split};

    #[test]
    fn batches_of_clips_repeat_and_show_what_their_labels_say() {
        let data = ClipSet::open(Path::new(SYNTHETIC), None, 16, Split::Val).unwrap();
        let draw = |augmentation: &Augmentation, step| data.clip_batch(augmentation, 1.0, 3, 7, step);
        let (first, again) = (draw(&Augmentation::PLAIN, 4), draw(&Augmentation::PLAIN, 4));
        assert_eq!((&first.pixels, &first.labels), (&again.pixels, &again.labels));
        assert_ne!(first.pixels, draw(&Augmentation::PLAIN, 5).pixels);

        // Neither changed nor enlarged, a drawn clip is one of the set, under its label.
        let plain = draw(&Augmentation::NONE, 4);
        let length = data.frames() * 3 * 16 * 16;
        for (pixels, &label) in plain.pixels.chunks_exact(length).zip(&plain.labels) {
            assert!(data.clips().any(|clip| clip.label() == label && clip.all_frames() == pixels));
        }
        let all: Vec<usize> = data.clip_batches(5).flat_map(|batch| batch.labels).collect();
        assert_eq!(all, data.clips().map(|clip| clip.label()).collect::<Vec<_>>());
    }
}
