//! Pairs of frames, which stage 1 learns from.

use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::{
    Clip, ClipSet,
    augmentation::{Augmentation, Change},
    flow::FlowFrame,
    random::{below, chance, stream},
    view::View,
};

/// How training pairs are drawn.
#[derive(Debug, Clone, Copy)]
pub struct PairOptions {
    /// Probability that the source is frame 0; any other frame otherwise. Only pairs from frame 0 have an exact flow.
    pub first_frame_probability: f32,
    /// What is changed, the same way in both frames of a pair.
    pub augmentation: Augmentation,
    /// Largest enlargement, at least 1: both frames of a pair are cropped to one random square and brought to the model's size.
    pub max_zoom: f32,
}

impl Default for PairOptions {
    fn default() -> Self {
        Self { first_frame_probability: 0.5, augmentation: Augmentation::PLAIN, max_zoom: 1.0 }
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
    /// A batch of pairs, of any frames of any clips. The draw depends on `seed` and `step` alone, so a resumed training continues the same
    /// sequence.
    pub fn pairs(&self, options: &PairOptions, batch: usize, seed: u64, step: u64) -> PairBatch {
        let mut rng = stream(seed, step);
        let (size, grid) = (self.size, self.grid);
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
        // Draws follow one another; what they ask for is made side by side.
        let draws: Vec<PairDraw<'_>> = (0..batch).map(|_| self.draw_pair(options, &mut rng)).collect();
        let made: Vec<Pair> = draws.par_iter().map(|draw| draw.make()).collect();
        made.into_iter().for_each(|pair| pairs.push(pair));
        pairs
    }

    fn draw_pair(&self, options: &PairOptions, rng: &mut ChaCha8Rng) -> PairDraw<'_> {
        let clip = self.nth_clip(below(rng, self.clip_count()));
        let frames = clip.stored.frames;
        let mut source = if chance(rng, options.first_frame_probability) { 0 } else { below(rng, frames) };
        // Any frame but the source, each equally often.
        let mut driving = (source + 1 + below(rng, frames - 1)) % frames;
        let change = options.augmentation.draw(rng);
        if change.time_flip {
            (source, driving) = (driving, source);
        }
        let view = View { mirror: change.mirror, ..View::draw(rng, self.tile, options.max_zoom) };
        PairDraw { clip, source, driving, view, change }
    }
}

/// All that is random about a pair.
struct PairDraw<'a> {
    clip: Clip<'a>,
    source: usize,
    driving: usize,
    view: View,
    change: Change,
}

struct Pair {
    source: Vec<f32>,
    driving: Vec<f32>,
    flow: Option<FlowFrame>,
}

impl PairDraw<'_> {
    fn make(&self) -> Pair {
        let Self { clip, source, driving, view, change } = self;
        let image = |place: u64, frame: usize| {
            let mut image = clip.stored_through(*view, frame, &change.backdrop);
            change.apply(&mut image, place);
            image
        };
        Pair {
            source: image(0, *source),
            driving: image(1, *driving),
            flow: if *source == 0 { clip.stored_flow_through(*view, *driving) } else { None },
        }
    }
}

impl PairBatch {
    fn push(&mut self, pair: Pair) {
        self.source.extend(pair.source);
        self.driving.extend(pair.driving);
        self.flow_mask.push(if pair.flow.is_some() { 1.0 } else { 0.0 });

        let grid = self.grid;
        let FlowFrame { displacement, visibility } = pair.flow.unwrap_or_else(|| FlowFrame::rest(grid));
        let identity = |i: usize| (2 * i + 1) as f32 / grid as f32 - 1.0;
        for (cell, xy) in displacement.chunks_exact(2).enumerate() {
            self.flow.extend([identity(cell % grid) + xy[0], identity(cell / grid) + xy[1]]);
        }
        self.visibility.extend(visibility);
    }
}
