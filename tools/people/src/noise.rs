//! Smooth noise in space, from which skin, cloth and hair are painted.

use glam::Vec3;

use crate::random::Random;

/// Cells of the lattice, each way; noise repeats after them.
const CELLS: usize = 32;

/// Trilinear value noise that repeats after 32 units.
pub struct Noise(Vec<f32>);

impl Noise {
    /// The noise of a seed.
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new("noise", &[seed]);
        Self((0..CELLS * CELLS * CELLS).map(|_| random.between(-1., 1.)).collect())
    }

    /// A value in `[-1, 1]`.
    #[inline]
    pub fn at(&self, place: Vec3) -> f32 {
        let floor = place.floor();
        let share = place - floor;
        let share = share * share * (Vec3::splat(3.) - 2. * share);
        let low = floor.as_ivec3().to_array().map(|value| value.rem_euclid(CELLS as i32) as usize);
        let high = low.map(|value| (value + 1) % CELLS);
        let row = |x: usize, y: usize| {
            let base = (x * CELLS + y) * CELLS;
            self.0[base + low[2]] * (1. - share.z) + self.0[base + high[2]] * share.z
        };
        let near = row(low[0], low[1]) * (1. - share.y) + row(low[0], high[1]) * share.y;
        let far = row(high[0], low[1]) * (1. - share.y) + row(high[0], high[1]) * share.y;
        near * (1. - share.x) + far * share.x
    }
}

/// 0 below `low`, 1 above `high`, smooth between; `low` may be the greater.
pub fn smooth(low: f32, high: f32, value: f32) -> f32 {
    let share = ((value - low) / (high - low)).clamp(0., 1.);
    share * share * (3. - 2. * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_continuous_bounded_and_repeats() {
        let noise = Noise::new(7);
        let mut last = noise.at(Vec3::ZERO);
        for step in 1..2000 {
            let place = Vec3::new(0.01, 0.013, -0.007) * step as f32;
            let value = noise.at(place);
            assert!(value.abs() <= 1. && (value - last).abs() < 0.1, "{place}: {last} {value}");
            assert!((value - noise.at(place + Vec3::splat(32.))).abs() < 1e-3);
            last = value;
        }
    }

    #[test]
    fn steps_go_either_way() {
        assert_eq!((smooth(0., 1., -1.), smooth(0., 1., 2.), smooth(0., 1., 0.5)), (0., 1., 0.5));
        assert_eq!((smooth(1., 0., -1.), smooth(1., 0., 2.)), (1., 0.));
    }
}
