//! Pairs of frames, from which stage 1 learns.

use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::{
    augmentation::{Augmentation, Change},
    clip_set::{Clip, ClipSet},
    flow::FlowFrame,
    random::{below, chance, stream},
    view::View,
};

/// How training pairs are drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PairOptions {
    /// Probability that the source is frame 0 rather than any other. Only pairs from frame 0 have
    /// an exact flow.
    pub(crate) first_frame_probability: f32,
    /// What is changed, the same way in both frames of a pair.
    pub(crate) augmentation: Augmentation,
    /// Largest enlargement, at least 1. Both frames of a pair are cropped to the same random square
    /// and brought to the model's size.
    pub(crate) max_zoom: f32,
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
/// - flow: `[batch, grid, grid, 2]`, backward sampling grid, absolute normalised xy as `grid_sample` with
///   `align_corners=false` reads it; identity is `(2 i + 1) / grid - 1`
/// - visibility: `[batch, 1, grid, grid]` in `[0, 1]`
/// - `flow_mask`: `[batch]`, 1 for pairs whose flow and visibility are exact, 0 for others (identity
///   and 1)
pub(crate) struct PairBatch {
    pub(crate) batch: usize,
    pub(crate) size: usize,
    pub(crate) grid: usize,
    pub(crate) source: Vec<f32>,
    pub(crate) driving: Vec<f32>,
    pub(crate) flow: Vec<f32>,
    pub(crate) visibility: Vec<f32>,
    pub(crate) flow_mask: Vec<f32>,
}

impl ClipSet {
    /// A batch of pairs of any frames of any clips. The draw depends on `seed` and `step` alone, so
    /// a resumed training continues the same sequence.
    pub(crate) fn pairs(&self, options: &PairOptions, batch: usize, seed: u64, step: u64) -> PairBatch {
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
        let made: Vec<Pair> = draws.par_iter().map(PairDraw::make).collect();
        for pair in made {
            pairs.push(pair);
        }
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

/// One pair of a batch.
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::native::data::{
        SYNTHETIC, Split,
        fixtures::{faces, open_faces},
    };

    /// The flow explains the motion: warping frame 0 by it comes closer to the driving frame than
    /// frame 0 itself.
    #[test]
    fn the_flow_points_from_a_frame_to_frame_0() {
        let data = ClipSet::open(&faces(), Some(&faces()), 64, Split::Train).unwrap();
        assert!(data.clip(1, 0).flow(0).is_none(), "person 1 has no flow file");
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
        let surprise = data.clip(0, 3).flow(data.apex_frame()).unwrap();
        assert!(surprise.visibility.iter().any(|&v| v < 0.3), "an open mouth was never seen");
        assert!(
            data.clip(0, 1).frame(8) != data.clip(0, 2).frame(8)
                && data.clip(0, 1).frame(8) != data.clip(1, 1).frame(8)
        );
        assert!(ClipSet::open(dir, None, 64, Split::Val).unwrap().clip(0, 1).flow(8).is_none());
    }

    #[test]
    fn pairs_repeat_for_a_seed_and_change_with_the_step() {
        let data = open_faces();
        let draw = |seed, step| data.pairs(&PairOptions::default(), 4, seed, step);
        assert_eq!(draw(1, 2).driving, draw(1, 2).driving);
        assert_ne!(draw(1, 2).driving, draw(1, 3).driving);
        assert_ne!(draw(1, 2).driving, draw(2, 2).driving);
    }

    #[test]
    fn time_flips_exchange_the_frames() {
        let data = open_faces();
        let draw = |augmentation| data.pairs(&PairOptions { augmentation, ..PairOptions::default() }, 4, 1, 1);
        let forth = draw(Augmentation::NONE);
        let back = draw(Augmentation { time_flip: 1.0, ..Augmentation::NONE });
        assert_eq!((forth.source, forth.driving), (back.driving, back.source));
    }

    #[test]
    fn unknown_flow_is_the_identity_with_mask_0() {
        let data = ClipSet::open(&faces(), None, 32, Split::Train).unwrap();
        let pairs = data.pairs(&PairOptions::default(), 3, 0, 0);
        assert_eq!(pairs.flow_mask, [0.0; 3]);
        assert_eq!(pairs.flow.len(), 3 * 8 * 8 * 2);
        assert_eq!(pairs.flow[..4], [-0.875, -0.875, -0.625, -0.875]);
        assert!(pairs.visibility.iter().all(|&v| v == 1.0));
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
