//! What lenses and shutters do: fringes, bloom, defocus and motion blur.

use glam::{Vec2, Vec3};

use super::{Step, display::each_pixel, grid::Grid};
use crate::picture::Picture;

/// Coloured fringes: red is seen a little larger than blue.
#[derive(Clone, Debug)]
pub(super) struct Fringes {
    /// Shift at the middle of a side, as a share of the picture's width.
    pub(super) shift: f32,
}

impl Step for Fringes {
    fn apply(&self, picture: &mut Picture, _: u64) {
        let grid = Grid::of(picture);
        let middle = grid.size as f32 / 2.;
        each_pixel(picture, |x, y, pixel| {
            let place = Vec2::new(x as f32, y as f32);
            let outwards = (place + 0.5 - middle) * (2. * self.shift);
            let (red, blue) = (place - outwards, place + outwards);
            Vec3::new(grid.sample(red.x, red.y).x, pixel.y, grid.sample(blue.x, blue.y).z)
        });
    }
}

/// Light that spreads from what is brighter than white.
#[derive(Clone, Debug)]
pub(super) struct Bloom {
    pub(super) strength: f32,
    /// Spread, as a share of the picture's width.
    pub(super) radius: f32,
    pub(super) threshold: f32,
    pub(super) tint: Vec3,
}

impl Step for Bloom {
    fn apply(&self, picture: &mut Picture, _: u64) {
        let bright = |pixel: Vec3| (pixel - self.threshold).clamp(Vec3::ZERO, Vec3::splat(4.)) * self.tint;
        let small = Grid::from(picture.size(), picture.pixels(), bright).halved().halved();
        let spread = small.gaussian(self.radius * small.size as f32).resized(picture.size());
        for (pixel, glow) in picture.pixels_mut().iter_mut().zip(spread.cells) {
            *pixel += glow * self.strength;
        }
    }
}

/// Out of focus, or softened.
#[derive(Clone, Debug)]
pub(super) struct Defocus {
    /// Radius of the disc of confusion, as a share of the picture's width.
    pub(super) radius: f32,
}

impl Step for Defocus {
    fn apply(&self, picture: &mut Picture, _: u64) {
        let radius = self.radius * picture.size() as f32;
        let grid = Grid::of(picture);
        // Below a pixel a disc has no shape.
        *picture = if radius < 1. { grid.gaussian(radius * 0.6) } else { grid.disc(radius) }.picture();
        for pixel in picture.pixels_mut() {
            *pixel = pixel.max(Vec3::ZERO);
        }
    }
}

/// The camera moved while the shutter was open.
#[derive(Clone, Debug)]
pub(super) struct Motion {
    /// How far, as shares of the picture's width.
    pub(super) path: Vec2,
}

impl Step for Motion {
    fn apply(&self, picture: &mut Picture, _: u64) {
        let grid = Grid::of(picture);
        let path = self.path * grid.size as f32;
        let taps = path.length().ceil() as usize + 1;
        each_pixel(picture, |x, y, _| {
            let place = Vec2::new(x as f32, y as f32);
            let mut sum = Vec3::ZERO;
            for tap in 0..taps {
                let there = place + path * ((tap as f32 + 0.5) / taps as f32 - 0.5);
                sum += grid.sample(there.x, there.y);
            }
            sum / taps as f32
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(step: &dyn Step) -> Picture {
        let mut picture = Picture::plain(33, Vec3::ZERO);
        picture.pixels_mut()[16 * 33 + 16] = Vec3::ONE;
        step.apply(&mut picture, 0);
        picture
    }

    #[test]
    fn motion_smears_along_its_path_only() {
        let smeared = point(&Motion { path: Vec2::new(0.2, 0.) });
        let sum = smeared.pixels().iter().map(|pixel| pixel.x).sum::<f32>();
        assert!((sum - 1.).abs() < 1e-3 && smeared.at(18, 16).x > 0.05 && smeared.at(16, 18).x == 0.);
    }

    #[test]
    fn fringes_part_red_from_blue_off_the_middle() {
        let mut picture = Picture::paint(64, |x, _| Vec3::splat(f32::from(u8::from(x > 0.75))));
        Fringes { shift: 0.02 }.apply(&mut picture, 0);
        let edge: Vec3 = (0..64).map(|x| picture.at(x, 32)).sum();
        assert!(edge.z > edge.y && edge.y > edge.x, "red moves outwards: {edge}");
    }

    #[test]
    fn only_what_is_bright_blooms() {
        let bloom = Bloom { strength: 0.5, radius: 0.05, threshold: 0.8, tint: Vec3::ONE };
        let mut dark = Picture::plain(16, Vec3::splat(0.5));
        bloom.apply(&mut dark, 0);
        assert_eq!(dark.pixels()[0], Vec3::splat(0.5));
        let mut bright = Picture::plain(16, Vec3::splat(1.2));
        bloom.apply(&mut bright, 0);
        assert!((bright.pixels()[0].x - 1.4).abs() < 1e-3);
    }
}
