//! Cloth: colours and patterns that repeat.

use std::sync::Arc;

use glam::{Vec3, Vec4};

use crate::{
    mesh::Material,
    noise::Noise,
    random::Random,
    texture::{Texture, hsv},
};

/// Texels of a pattern each way.
const SIZE: usize = 128;

/// How cloth is woven or printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// One colour.
    Plain,
    /// Bars across.
    Stripes,
    /// Thin lines down.
    Pinstripes,
    /// Bars both ways.
    Checks,
    /// Rows of stitches.
    Knit,
    /// Dots.
    Dots,
    /// Blots of other colours.
    Print,
    /// Coarse blue or grey twill.
    Denim,
}

/// A cloth.
#[derive(Clone, Copy, Debug)]
pub struct Fabric {
    /// How it is woven or printed.
    pub pattern: Pattern,
    /// Its ground, linear.
    pub colour: Vec3,
    /// What is on the ground, linear.
    pub accent: Vec3,
    /// Times a pattern repeats within a texture.
    pub count: usize,
    /// Seed of its grain.
    pub grain: u64,
}

impl Fabric {
    /// Any cloth.
    pub fn draw(random: &mut Random) -> Self {
        let pattern = *random.weighted(&[
            (Pattern::Plain, 0.5),
            (Pattern::Stripes, 0.1),
            (Pattern::Pinstripes, 0.05),
            (Pattern::Checks, 0.1),
            (Pattern::Knit, 0.1),
            (Pattern::Dots, 0.05),
            (Pattern::Print, 0.06),
            (Pattern::Denim, 0.04),
        ]);
        Self::of(random, pattern)
    }

    /// A cloth of a kind.
    pub fn of(random: &mut Random, pattern: Pattern) -> Self {
        let colour = match pattern {
            Pattern::Denim => hsv(random.between(0.56, 0.64), random.between(0.25, 0.6), random.between(0.2, 0.65)),
            _ => hsv(random.unit(), 0.9 * random.unit().powf(1.4), random.between(0.06, 0.95)),
        };
        let accent = if random.chance(0.4) {
            Vec3::splat(if colour.y > 0.25 { random.between(0., 0.08) } else { random.between(0.5, 0.9) })
        } else {
            hsv(random.unit(), random.between(0., 0.9), random.between(0.1, 0.95))
        };
        Self { pattern, colour, accent, count: random.below(5) + 2, grain: random.seed() }
    }

    /// Its texture, which repeats.
    pub fn texture(&self) -> Arc<Texture> {
        let noise = Noise::new(self.grain);
        let texel = |at: usize| {
            let (x, y) = ((at % SIZE) as f32 / SIZE as f32, (at / SIZE) as f32 / SIZE as f32);
            // Noise repeats after 32 units, and so does the texture.
            let folds = noise.at(Vec3::new(x * 32., y * 32., 0.5));
            let thread = noise.at(Vec3::new(x * 96., y * 96., 9.5));
            let grey = 1. + 0.05 * folds + 0.07 * thread;
            (self.at(x, y, &noise) * grey).clamp(Vec3::splat(0.002), Vec3::splat(0.92)).extend(1.)
        };
        let texels: Vec<Vec4> = (0..SIZE * SIZE).map(texel).collect();
        Arc::new(Texture::new(SIZE, SIZE, &texels))
    }

    fn at(&self, x: f32, y: f32, noise: &Noise) -> Vec3 {
        let count = self.count as f32;
        let bar = |place: f32, share: f32| f32::from(place.fract() < share);
        let mix = |share: f32| self.colour.lerp(self.accent, share);
        match self.pattern {
            Pattern::Plain => self.colour,
            Pattern::Stripes => mix(bar(y * count, 0.4)),
            Pattern::Pinstripes => mix(0.7 * bar(x * count * 3., 0.1)),
            Pattern::Checks => mix(0.45 * (bar(x * count, 0.4) + bar(y * count, 0.4))),
            Pattern::Knit => {
                let row = y * 24.;
                let slant = (x * 16. + (row.fract() - 0.5).abs()).fract();
                self.colour * (0.72 + 0.5 * (1. - (2. * slant - 1.).abs()))
            }
            Pattern::Dots => {
                let row = (y * count * 2.).floor();
                let (u, v) = ((x * count * 2. + 0.5 * row).fract() - 0.5, (y * count * 2.).fract() - 0.5);
                mix(f32::from(u.hypot(v) < 0.24))
            }
            Pattern::Print => {
                let blots = noise.at(Vec3::new(x * 32. / 4., y * 32. / 4., 3.5));
                mix(f32::from(blots > 0.2)).lerp(self.colour * 0.4, f32::from(blots < -0.45))
            }
            Pattern::Denim => self.colour * (0.85 + 0.3 * bar((x + y) * 48., 0.5)),
        }
    }

    /// How cloth answers light.
    pub fn material() -> Material {
        Material { specular: 0.015, wrap: Vec3::splat(0.15), ..Material::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_show_both_colours() {
        for pattern in [Pattern::Stripes, Pattern::Checks, Pattern::Dots, Pattern::Print, Pattern::Pinstripes] {
            let (colour, accent) = (Vec3::new(0.5, 0.02, 0.02), Vec3::new(0.02, 0.02, 0.5));
            let fabric = Fabric { pattern, colour, accent, count: 3, grain: 1 };
            let texels = fabric.texture().texels();
            let reddish = texels.iter().filter(|texel| texel.x > texel.z).count();
            assert!(reddish > 500 && reddish < texels.len(), "{pattern:?} {reddish}");
            assert!(texels.iter().any(|texel| texel.z > 0.12), "{pattern:?}");
        }
    }
}
