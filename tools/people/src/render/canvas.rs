//! Which triangle is seen at which sample: the part of rasterisation that needs no light.

use glam::{Vec2, Vec3, Vec3A, Vec4};

use super::posed::Posed;
use crate::mesh::Cover;

/// Nothing but the backdrop is seen.
const NOBODY: u32 = u32::MAX;
/// Bits of an entry that number the triangle; the part is above them.
const TRIANGLE_BITS: u32 = 24;

/// Triangles of fewer columns than this are filled sample by sample.
const NARROW: usize = 7;

/// For each sample of a square grid the nearest triangle.
pub(super) struct Canvas {
    /// Samples each way.
    pub(super) side: usize,
    /// One over the distance from the camera; 0 for the backdrop.
    nearness: Vec<f32>,
    seen: Vec<u32>,
}

/// A triangle of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) part: usize,
    pub(super) triangle: usize,
}

/// The triangle under a sample, ready for interpolation that is right in perspective: weights and nearness are linear
/// on the screen.
pub(super) struct Setup {
    /// Weights of the first two corners and one over the distance: at the screen's origin, and their growth per sample
    /// to the right and down.
    origin: Vec3A,
    right: Vec3A,
    down: Vec3A,
    /// One over the distance of each corner.
    nearness: Vec3A,
    /// Samples to the right until each weight changes its sign, per unit of it.
    reach: Vec3A,
    /// First and last sample of the bounding box, each way.
    columns: (usize, usize),
    rows: (usize, usize),
    /// Whether its back is seen.
    pub(super) back: bool,
}

impl Canvas {
    pub(super) fn new(side: usize) -> Self {
        Self { side, nearness: vec![0.; side * side], seen: vec![NOBODY; side * side] }
    }

    /// What is seen at a sample, if it is not the backdrop.
    #[inline]
    pub(super) fn seen(&self, column: usize, row: usize) -> Option<Seen> {
        let entry = self.seen[row * self.side + column];
        (entry != NOBODY).then_some(Seen {
            part: (entry >> TRIANGLE_BITS) as usize,
            triangle: (entry & ((1 << TRIANGLE_BITS) - 1)) as usize,
        })
    }

    /// One over the distance of what is seen at a sample, 0 for the backdrop.
    #[inline]
    pub(super) fn nearness(&self, column: usize, row: usize) -> f32 {
        self.nearness[row * self.side + column]
    }

    /// Enters what covers of a part.
    pub(super) fn cover(&mut self, index: usize, posed: &Posed) {
        let threshold = match posed.part.cover {
            Cover::Opaque => None,
            Cover::Cutout(threshold) | Cover::Strands(threshold) => Some(threshold),
            Cover::Blended => return,
        };
        if self.hides(posed) {
            return;
        }
        let solid = posed.is_solid();
        for triangle in posed.nearest_first() {
            let Some(setup) = Setup::new(posed, triangle, self.side) else { continue };
            let entry = ((index as u32) << TRIANGLE_BITS) | triangle as u32;
            if solid {
                self.fill(&setup, entry, |_| true);
            } else {
                let threshold = threshold.unwrap_or(0.5);
                self.fill(&setup, entry, |weights| posed.alpha(triangle, weights) > threshold);
            }
        }
    }

    /// Whether all of a part lies behind what is seen already, such as teeth behind closed lips.
    fn hides(&self, posed: &Posed) -> bool {
        let (mut low, mut high) = (Vec4::MAX, Vec4::MIN);
        for &place in &posed.screen {
            low = low.min(place);
            high = high.max(place);
        }
        let (Some(columns), Some(rows)) = (between(low.x, high.x, self.side), between(low.y, high.y, self.side)) else {
            return false;
        };
        let nearest = 1. / low.z;
        (rows.0..=rows.1).all(|row| {
            let base = row * self.side;
            self.nearness[base + columns.0..=base + columns.1].iter().all(|&nearness| nearness > nearest)
        })
    }

    #[inline]
    fn fill(&mut self, setup: &Setup, entry: u32, covers: impl Fn(Vec3) -> bool) {
        if setup.columns.1 - setup.columns.0 < NARROW {
            return self.fill_narrow(setup, entry, covers);
        }
        for row in setup.rows.0..=setup.rows.1 {
            let Some((first, last, mut linear)) = setup.span(row) else { continue };
            let base = row * self.side;
            let nearness = &mut self.nearness[base + first..=base + last];
            let seen = &mut self.seen[base + first..=base + last];
            for (nearest, seen) in nearness.iter_mut().zip(seen) {
                if linear.z > *nearest && covers(setup.weights(linear)) {
                    *nearest = linear.z;
                    *seen = entry;
                }
                linear += setup.right;
            }
        }
    }
}

impl Canvas {
    /// The same for triangles of a few samples' width, where finding the ends of a row takes longer than trying all.
    #[inline]
    fn fill_narrow(&mut self, setup: &Setup, entry: u32, covers: impl Fn(Vec3) -> bool) {
        let (first, last) = setup.columns;
        let mut start = setup.linear(Vec2::new(first as f32 + 0.5, setup.rows.0 as f32 + 0.5));
        for row in setup.rows.0..=setup.rows.1 {
            let base = row * self.side;
            let mut linear = start;
            for at in base + first..=base + last {
                let inside = linear.x >= 0. && linear.y >= 0. && linear.x + linear.y <= 1.;
                if inside && linear.z > self.nearness[at] && covers(setup.weights(linear)) {
                    self.nearness[at] = linear.z;
                    self.seen[at] = entry;
                }
                linear += setup.right;
            }
            start += setup.down;
        }
    }
}

impl Setup {
    /// Nothing, if the triangle is outside, seen from behind and one-sided, or has no area.
    #[inline]
    pub(super) fn new(posed: &Posed, triangle: usize, side: usize) -> Option<Self> {
        let [a, b, c] = posed.part.mesh.triangles[triangle].map(|vertex| posed.screen[vertex as usize]);
        let (first, second) = (b - a, c - a);
        let area = first.x * second.y - first.y * second.x;
        let back = area > 0.;
        if area.abs() < 1e-9 || (back && !posed.part.material.two_sided) || a.z.min(b.z).min(c.z) <= 0. {
            return None;
        }
        let (low, high) = (a.min(b).min(c), a.max(b).max(c));
        // The samples of a triangle have their centres, at halves, within its bounds.
        let columns = between(low.x, high.x, side)?;
        let rows = between(low.y, high.y, side)?;
        let inverse = 1. / area;
        let nearness = Vec3A::new(a.w, b.w, c.w);
        let (near_first, near_second) = (nearness.x - nearness.z, nearness.y - nearness.z);
        // Weights of the first two corners, each a plane over the screen, and with them the nearness.
        let plane = |first: f32, second: f32, constant: f32| {
            let (first, second) = (first * inverse, second * inverse);
            Vec3A::new(first, second, first * near_first + second * near_second + constant)
        };
        let right = plane(b.y - c.y, c.y - a.y, 0.);
        let third = -right.x - right.y;
        Some(Self {
            origin: plane(b.x * c.y - b.y * c.x, c.x * a.y - c.y * a.x, nearness.z),
            down: plane(c.x - b.x, a.x - c.x, 0.),
            reach: -1. / Vec3A::new(right.x, right.y, third),
            right,
            nearness,
            columns,
            rows,
            back,
        })
    }

    /// First and last sample of a row that are inside, and the linear values at the first.
    #[inline]
    fn span(&self, row: usize) -> Option<(usize, usize, Vec3A)> {
        let (first, last) = self.columns;
        let linear = self.linear(Vec2::new(first as f32 + 0.5, row as f32 + 0.5));
        let weights = Vec3A::new(linear.x, linear.y, 1. - linear.x - linear.y);
        // Where each weight crosses zero; weights that grow bound the span from the left, the others from the right.
        let crossings = weights * self.reach;
        let (mut low, mut high) = (0_f32, (last - first) as f32);
        for axis in 0..3 {
            if self.reach[axis] < 0. {
                low = low.max(crossings[axis]);
            } else if self.reach[axis].is_finite() {
                high = high.min(crossings[axis]);
            } else if weights[axis] < 0. {
                return None;
            }
        }
        let skipped = low as usize + usize::from(low > (low as usize) as f32);
        (high >= 0. && skipped <= high as usize)
            .then(|| (first + skipped, first + high as usize, linear + self.right * skipped as f32))
    }

    /// Calls with column, row, weights of the corners on the surface and nearness of each sample inside.
    #[inline]
    pub(super) fn for_each(&self, mut call: impl FnMut(usize, usize, Setting)) {
        for row in self.rows.0..=self.rows.1 {
            let Some((first, last, mut linear)) = self.span(row) else { continue };
            for column in first..=last {
                call(column, row, Setting { linear, setup: self });
                linear += self.right;
            }
        }
    }

    /// Weights of the corners on the surface at any place on the screen, in samples.
    #[inline]
    pub(super) fn weights_at(&self, place: Vec2) -> Vec3 {
        self.weights(self.linear(place))
    }

    #[inline]
    fn linear(&self, place: Vec2) -> Vec3A {
        self.origin + self.right * place.x + self.down * place.y
    }

    #[inline]
    fn weights(&self, linear: Vec3A) -> Vec3 {
        (Vec3A::new(linear.x, linear.y, 1. - linear.x - linear.y) * self.nearness / linear.z).into()
    }
}

/// A sample inside a triangle.
pub(super) struct Setting<'a> {
    linear: Vec3A,
    setup: &'a Setup,
}

impl Setting<'_> {
    /// One over the distance.
    #[inline]
    pub(super) fn nearness(&self) -> f32 {
        self.linear.z
    }

    /// Weights of the corners on the surface.
    #[inline]
    pub(super) fn weights(&self) -> Vec3 {
        self.setup.weights(self.linear)
    }
}

/// First and last of `count` samples, centred at halves, between two places; nothing if there is none.
#[inline]
fn between(low: f32, high: f32, count: usize) -> Option<(usize, usize)> {
    // Truncation is the floor of what is not negative, without a call on processors of every age.
    let first = (low + 0.5).max(0.) as usize;
    let last = high - 0.5;
    if last < 0. || first >= count {
        return None;
    }
    let last = (last as usize).min(count - 1);
    (first <= last).then_some((first, last))
}

/// Colours of samples, filtered to pixels.
pub(super) struct Samples {
    side: usize,
    colours: Vec<Vec3>,
}

impl Samples {
    pub(super) fn new(side: usize) -> Self {
        Self { side, colours: vec![Vec3::ZERO; side * side] }
    }

    #[inline]
    pub(super) fn set(&mut self, column: usize, row: usize, colour: Vec3) {
        self.colours[row * self.side + column] = colour;
    }

    /// Blends a colour over what is there, by its alpha.
    #[inline]
    pub(super) fn blend(&mut self, column: usize, row: usize, colour: Vec4) {
        let below = &mut self.colours[row * self.side + column];
        *below = below.lerp(colour.truncate(), colour.w);
    }

    /// Pixels of `scale` samples each way: a tent of twice their width, as soft as a lens.
    pub(super) fn resolve(&self, scale: usize) -> Vec<Vec3> {
        let size = self.side / scale;
        let taps = tent(scale);
        let mut rows = vec![Vec3::ZERO; size * self.side];
        for y in 0..size {
            for &(offset, weight) in &taps {
                let row = clamped(y * scale, offset, self.side) * self.side;
                let target = &mut rows[y * self.side..(y + 1) * self.side];
                for (sum, &colour) in target.iter_mut().zip(&self.colours[row..row + self.side]) {
                    *sum += colour * weight;
                }
            }
        }
        let mut pixels = Vec::with_capacity(size * size);
        for row in rows.chunks_exact(self.side) {
            pixels.extend((0..size).map(|x| {
                taps.iter().map(|&(offset, weight)| row[clamped(x * scale, offset, self.side)] * weight).sum::<Vec3>()
            }));
        }
        pixels
    }
}

/// Samples relative to the first of a pixel, and their weights, which sum to 1.
fn tent(scale: usize) -> Vec<(isize, f32)> {
    let half = scale as f32 / 2.;
    let reach = 0.8 * scale as f32;
    let taps: Vec<_> = (-(scale as isize)..2 * scale as isize)
        .map(|offset| (offset, 1. - (offset as f32 + 0.5 - half).abs() / reach))
        .filter(|tap| tap.1 > 0.)
        .collect();
    let sum: f32 = taps.iter().map(|tap| tap.1).sum();
    taps.into_iter().map(|(offset, weight)| (offset, weight / sum)).collect()
}

fn clamped(first: usize, offset: isize, side: usize) -> usize {
    first.saturating_add_signed(offset).min(side - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_picture_stays_flat() {
        let mut samples = Samples::new(12);
        for at in 0..144 {
            samples.set(at % 12, at / 12, Vec3::splat(0.25));
        }
        assert!(samples.resolve(3).iter().all(|pixel| (pixel.x - 0.25).abs() < 1e-6));
    }

    #[test]
    fn taps_are_symmetric() {
        for scale in 1..5 {
            let taps = tent(scale);
            let centre: f32 = taps.iter().map(|&(offset, weight)| (offset as f32 + 0.5) * weight).sum();
            assert!((centre - scale as f32 / 2.).abs() < 1e-5, "{scale}: {centre}");
        }
    }
}
