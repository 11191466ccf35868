//! Noise of sensors and grain of film: new in every frame.

use glam::Vec3;

use super::{
    Step,
    display::{each_pixel, luma},
    field::{normal_at, pair_at},
    grid::Grid,
};
use crate::picture::Picture;

/// Noise of a sensor, in linear light.
#[derive(Clone, Debug)]
pub(super) struct SensorNoise {
    pub(super) seed: u64,
    /// Deviation of the shot noise at white.
    pub(super) shot: f32,
    /// Deviation in the dark.
    pub(super) read: f32,
    /// Noise of colours, as a share of that of brightness.
    pub(super) chroma: f32,
    /// Spread in pixels, by which noise reduction has softened it.
    pub(super) soft: f32,
}

impl Step for SensorNoise {
    fn apply(&self, picture: &mut Picture, frame: u64) {
        let size = picture.size();
        let noise = white(size, seed_of(self.seed, frame), self.soft);
        let seed = seed_of(self.seed ^ 0x00c0_ffee, frame);
        each_pixel(picture, |x, y, pixel| {
            let light = luma(pixel).max(0.);
            let deviation = (self.read * self.read + self.shot * self.shot * light).sqrt();
            // Colours are noisy in blocks of two pixels, as they are stored.
            let [red, blue] = pair_at(seed, x as i32 / 2, y as i32 / 2);
            let colour = Vec3::new(red, -0.4 * (red + blue), blue) * self.chroma;
            (pixel + (colour + noise.cells[y * size + x]) * deviation).max(Vec3::ZERO)
        });
    }
}

/// Grain of film, strongest in the middle tones.
#[derive(Clone, Debug)]
pub(super) struct FilmGrain {
    pub(super) seed: u64,
    /// Deviation in the middle tones, of what is shown.
    pub(super) strength: f32,
    /// Spread of a grain, as a share of the picture's width.
    pub(super) size: f32,
    /// Whether each layer of colour has its own.
    pub(super) coloured: bool,
}

impl Step for FilmGrain {
    fn apply(&self, picture: &mut Picture, frame: u64) {
        let size = picture.size();
        let spread = (self.size * size as f32).max(0.45);
        let seed = seed_of(self.seed, frame);
        let grey = white(size, seed, spread);
        let colours = if self.coloured { 0.5 } else { 0. };
        each_pixel(picture, |x, y, pixel| {
            let [red, blue] = pair_at(seed ^ 0xf11e, x as i32, y as i32);
            let grain = Vec3::new(red * colours, 0., blue * colours) + grey.cells[y * size + x];
            // About what is shown, and how much light a step of it is.
            let tone = luma(pixel).max(0.).sqrt();
            let strength = self.strength * (0.35 + 2.6 * (tone * (1. - tone)).max(0.)) * 2.2 * (tone + 0.02);
            (pixel + grain * strength).max(Vec3::ZERO)
        });
    }
}

/// Normal noise of deviation 1 and the spread asked for, in pixels.
fn white(size: usize, seed: u64, spread: f32) -> Grid<f32> {
    let mut grid = Grid::make(size, |x, y| normal_at(seed, x as i32, y as i32)).gaussian(spread);
    if spread >= 0.2 {
        // Blurring took this share of the deviation away.
        let energy: f32 = grid.cells.iter().map(|value| value * value).sum();
        let gain = ((size * size) as f32 / energy.max(1e-6)).sqrt();
        grid.cells.iter_mut().for_each(|value| *value *= gain);
    }
    grid
}

fn seed_of(seed: u64, frame: u64) -> u64 {
    seed.wrapping_add(frame.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deviation(step: &dyn Step, frame: u64) -> (f32, Picture) {
        let mut picture = Picture::plain(96, Vec3::splat(0.3));
        step.apply(&mut picture, frame);
        let values = picture.pixels().iter().map(|pixel| (pixel.y - 0.3).powi(2));
        ((values.sum::<f32>() / 9216.).sqrt(), picture)
    }

    #[test]
    fn sensors_are_as_noisy_as_they_say_and_each_frame_anew() {
        let noise = SensorNoise { seed: 3, shot: 0.04, read: 0.01, chroma: 0., soft: 0. };
        let (found, first) = deviation(&noise, 0);
        let expected = (0.0001_f32 + 0.0016 * 0.3).sqrt();
        assert!((found / expected - 1.).abs() < 0.05, "{found}, not {expected}");
        assert_eq!(first.pixels(), deviation(&noise, 0).1.pixels());
        assert_ne!(first.pixels(), deviation(&noise, 1).1.pixels());
    }

    #[test]
    fn soft_noise_is_no_weaker() {
        for spread in [0., 0.6, 1.5] {
            let grid = white(96, 5, spread);
            let energy = grid.cells.iter().map(|value| value * value).sum::<f32>() / 9216.;
            assert!((energy - 1.).abs() < 0.05, "{spread}: {energy}");
        }
    }
}
