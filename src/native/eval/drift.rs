//! Identity drift: how much of a clip cannot be found in the picture it started from.
//!
//! A person who moves stays the same person, so frames are not compared place by place. Every block
//! of a frame is looked for in frame 0 within a distance, and the difference at the best place is
//! the drift: colours that change, detail that blurs, features that turn into somebody else's. An
//! opening mouth counts, too, in real clips as in generated ones; the figures of real clips and of
//! their reconstructions show how much.

use rayon::prelude::*;

use crate::native::metrics::mean;
use crate::native::video::Video;

/// Blocks per side. They are looked for one block around.
const BLOCKS: usize = 8;

/// Mean absolute difference, of 255, between the blocks of all frames but the first and the most
/// similar blocks of `reference`.
///
/// # Shapes
///
/// - `reference`: `[3, size, size]`, in `[0, 1]`
pub(crate) fn identity_drift(reference: &[f32], video: &Video) -> f64 {
    let size = video.size();
    let places = nearest_first(size / BLOCKS);
    let frames: Vec<&[f32]> = video.frames().skip(1).collect();
    let drifts: Vec<f64> = frames.par_iter().map(|frame| frame_drift(reference, frame, size, &places)).collect();
    255.0 * mean(&drifts)
}

fn frame_drift(reference: &[f32], frame: &[f32], size: usize, places: &[[isize; 2]]) -> f64 {
    let bounds = |block: usize| block * size / BLOCKS..(block + 1) * size / BLOCKS;
    let mut total = 0.0;
    for rows in (0..BLOCKS).map(bounds) {
        for columns in (0..BLOCKS).map(bounds) {
            let mut best = f32::INFINITY;
            for &[down, right] in places {
                let (Some(top), Some(left)) =
                    (rows.start.checked_add_signed(down), columns.start.checked_add_signed(right))
                else {
                    continue;
                };
                if top + rows.len() > size || left + columns.len() > size {
                    continue;
                }
                let mut difference = 0.0;
                for (channel, row) in (0..3).flat_map(|channel| (0..rows.len()).map(move |row| (channel, row))) {
                    let here = (channel * size + rows.start + row) * size + columns.start;
                    let there = (channel * size + top + row) * size + left;
                    let pairs = frame[here..].iter().zip(&reference[there..]).take(columns.len());
                    difference += pairs.map(|(a, b)| (a - b).abs()).sum::<f32>();
                    if difference >= best {
                        break;
                    }
                }
                best = best.min(difference);
            }
            total += f64::from(best);
        }
    }
    total / frame.len() as f64
}

/// All displacements of at most `reach` along each axis, short ones first. Most blocks hardly move,
/// and a good place found early rules out the others at their first rows.
fn nearest_first(reach: usize) -> Vec<[isize; 2]> {
    let reach = reach as isize;
    let mut places: Vec<[isize; 2]> =
        (-reach..=reach).flat_map(|down| (-reach..=reach).map(move |right| [down, right])).collect();
    places.sort_by_key(|[down, right]| down * down + right * right);
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: usize = 32;

    /// Texture around a flat border, so that nothing leaves the picture when it moves.
    fn picture(moved: usize, brighter: f32) -> Vec<f32> {
        let mut picture = vec![0.5 + brighter; 3 * SIZE * SIZE];
        for channel in 0..3 {
            for (y, x) in (8..24).flat_map(|y| (8..24).map(move |x| (y, x))) {
                let value = (x * 7 + y * 13 + channel * 5) % 11;
                picture[(channel * SIZE + y) * SIZE + x + moved] = value as f32 / 20.0 + brighter;
            }
        }
        picture
    }

    fn drift(moved: usize, brighter: f32) -> f64 {
        let first = picture(0, 0.0);
        let video = Video::new(SIZE, [first.clone(), picture(moved, brighter), picture(moved, brighter)].concat());
        identity_drift(&first, &video)
    }

    #[test]
    fn moving_by_whole_pixels_is_no_drift_within_reach() {
        assert_eq!(drift(0, 0.0), 0.0);
        // A block moves with the texture that fills it; its border moves along where the block is
        // cut by it.
        assert!(drift(4, 0.0) < 1e-6, "{}", drift(4, 0.0));
        assert!(drift(7, 0.0) > 1.0, "farther than a block");
    }

    #[test]
    fn a_change_of_light_is_drift() {
        let found = drift(0, 0.3);
        assert!(found > 20.0 && found <= 255.0 * 0.3 + 1e-3, "{found}");
    }
}
