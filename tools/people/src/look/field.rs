//! Smooth noise of the plane: stains, clouds, canvas and paper.

use glam::Vec2;

use crate::random::Random;

/// Cells of the lattice, each way; a power of two, so that wrapping is a mask.
const CELLS: usize = 64;

/// Bilinear value noise that repeats after 64 units: a third of the cost of noise in space.
#[derive(Clone, Debug)]
pub(crate) struct Field(Box<[f32]>);

impl Field {
    /// The noise that `random` gives.
    pub(crate) fn draw(random: &mut Random) -> Self {
        Self((0..CELLS * CELLS).map(|_| random.between(-1., 1.)).collect())
    }

    /// A value in `[-1, 1]`.
    #[inline]
    pub(crate) fn at(&self, place: Vec2) -> f32 {
        let low = [floor(place.x), floor(place.y)];
        let share = place - Vec2::new(low[0] as f32, low[1] as f32);
        let share = share * share * (Vec2::splat(3.) - 2. * share);
        let (left, top) = (low[0] as usize & (CELLS - 1), low[1] as usize & (CELLS - 1));
        let (right, bottom) = ((left + 1) & (CELLS - 1), (top + 1) & (CELLS - 1));
        let row = |y: usize| {
            let (first, second) = (self.0[y * CELLS + left], self.0[y * CELLS + right]);
            first + (second - first) * share.x
        };
        let upper = row(top);
        upper + (row(bottom) - upper) * share.y
    }

    /// A sum of `octaves` of noise, each twice as fine and half as strong, about `[-1, 1]`.
    #[inline]
    pub(crate) fn layered(&self, mut place: Vec2, octaves: usize) -> f32 {
        let (mut sum, mut share, mut whole) = (0., 1., 0.);
        for _ in 0..octaves {
            sum += share * self.at(place);
            whole += share;
            share *= 0.5;
            // Turned, so that the axes of the lattice do not show.
            place = Vec2::new(1.6 * place.x - 1.2 * place.y, 1.2 * place.x + 1.6 * place.y) + Vec2::new(17.3, 5.9);
        }
        1.4 * sum / whole
    }
}

/// The next lower whole number: `f32::floor` is a call where the processor is not known to have it.
#[inline]
fn floor(value: f32) -> i32 {
    let cut = value as i32;
    cut - i32::from(value < cut as f32)
}

/// 32 random bits of a place: the same for the same numbers, without a stream.
#[inline]
pub(crate) fn hash(seed: u64, x: i32, y: i32) -> u32 {
    let mut value = (seed as u32) ^ (x as u32).wrapping_mul(0x9e37_79b1) ^ (y as u32).wrapping_mul(0x85eb_ca77);
    value = value.wrapping_add((seed >> 32) as u32);
    value ^= value >> 16;
    value = value.wrapping_mul(0x7feb_352d);
    value ^= value >> 15;
    value = value.wrapping_mul(0x846c_a68b);
    value ^ (value >> 16)
}

/// A number in `[0, 1)` of a place.
#[inline]
pub(crate) fn chance_at(seed: u64, x: i32, y: i32) -> f32 {
    (hash(seed, x, y) >> 8) as f32 / (1 << 24) as f32
}

/// Nearly normal noise of deviation 1: the four bytes of a hash, summed.
#[inline]
pub(crate) fn normal_at(seed: u64, x: i32, y: i32) -> f32 {
    let bits = hash(seed, x, y);
    normal_of(bits)
}

/// Two numbers of deviation 1 of a place, less nearly normal: two bytes each.
#[inline]
pub(crate) fn pair_at(seed: u64, x: i32, y: i32) -> [f32; 2] {
    let bits = hash(seed, x, y);
    let sums = (bits & 0x00ff_00ff) + ((bits >> 8) & 0x00ff_00ff);
    [sums & 0xffff, sums >> 16].map(|sum| (sum as f32 - 255.) * (1. / 104.5))
}

#[inline]
fn normal_of(bits: u32) -> f32 {
    let pairs = (bits & 0x00ff_00ff) + ((bits >> 8) & 0x00ff_00ff);
    let sum = (pairs & 0xffff) + (pairs >> 16);
    // Four uniform bytes have mean 510 and deviation 147.8.
    (sum as f32 - 510.) * (1. / 147.8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashed_noise_is_standard_normal_and_white() {
        let values: Vec<f32> = (0..40_000).map(|at| normal_at(7, at % 200, at / 200)).collect();
        let mean = |values: &mut dyn Iterator<Item = f32>| values.sum::<f32>() / 40_000.;
        assert!(mean(&mut values.iter().copied()).abs() < 0.02);
        assert!((mean(&mut values.iter().map(|value| value * value)) - 1.).abs() < 0.03);
        let pairs: Vec<[f32; 2]> = (0..40_000).map(|at| pair_at(9, at % 200, at / 200)).collect();
        assert!((mean(&mut pairs.iter().map(|pair| pair[0] * pair[0])) - 1.).abs() < 0.03);
        assert!(mean(&mut pairs.iter().map(|pair| pair[0] * pair[1])).abs() < 0.03);
        for step in [1, 200] {
            let neighbours = mean(&mut values.iter().zip(&values[step..]).map(|(a, b)| a * b));
            assert!(neighbours.abs() < 0.03, "neighbours at {step} go together: {neighbours}");
        }
    }

    #[test]
    fn fields_are_smooth_and_bounded() {
        let field = Field::draw(&mut Random::new("field", &[1]));
        for step in 0..1000 {
            let place = Vec2::new(step as f32 * 0.37 - 90., step as f32 * 0.11 - 20.);
            assert!(field.at(place).abs() <= 1.);
            assert!((field.at(place) - field.at(place + Vec2::splat(1e-3))).abs() < 0.02);
        }
    }
}
