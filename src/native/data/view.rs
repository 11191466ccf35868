//! Square parts of a frame.

use rand_chacha::ChaCha8Rng;

use super::random::uniform;

/// A square part of a tile, in pixels, possibly mirrored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct View {
    pub(super) left: usize,
    pub(super) top: usize,
    pub(super) side: usize,
    pub(super) mirror: bool,
}

impl View {
    /// All of a tile.
    pub(super) fn whole(tile: usize) -> Self {
        Self { left: 0, top: 0, side: tile, mirror: false }
    }

    /// The middle, `zoom` times enlarged.
    pub(super) fn middle(tile: usize, zoom: f32) -> Self {
        let side = ((tile as f32 / zoom).round() as usize).clamp(1, tile);
        let margin = (tile - side) / 2;
        Self { left: margin, top: margin, side, mirror: false }
    }

    /// A random square in the middle half of the places where it can lie, since faces are in the
    /// middle of their tiles.
    pub(super) fn draw(rng: &mut ChaCha8Rng, tile: usize, max_zoom: f32) -> Self {
        let zoom = 1.0 + (max_zoom - 1.0) * uniform(rng);
        let side = ((tile as f32 / zoom).round() as usize).clamp(1, tile);
        let slack = (tile - side) as f32;
        let mut offset = || (slack * (0.25 + 0.5 * uniform(rng))).round() as usize;
        Self { left: offset(), top: offset(), side, mirror: false }
    }
}
