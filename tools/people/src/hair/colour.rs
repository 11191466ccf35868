//! Colours of hair.

use glam::Vec3;

use crate::{
    random::Random,
    texture::{hsv, srgb},
};

/// Natural colours in sRGB from dark to light, and how often light-skinned people have them.
const NATURAL: [([u8; 3], f32); 10] = [
    ([20, 16, 15], 0.08),
    ([42, 28, 21], 0.17),
    ([74, 48, 32], 0.18),
    ([98, 60, 38], 0.12),
    ([112, 52, 30], 0.06),
    ([164, 86, 40], 0.06),
    ([132, 96, 64], 0.12),
    ([158, 124, 82], 0.1),
    ([200, 166, 112], 0.08),
    ([222, 204, 170], 0.03),
];

/// What the hairs of one head are coloured, all linear.
#[derive(Clone, Copy, Debug)]
pub struct Colours {
    /// Most of them.
    pub base: Vec3,
    /// Some of them.
    pub highlight: Vec3,
    /// Share of `highlight`.
    pub highlights: f32,
    /// Those that lost their colour.
    pub grey: Vec3,
    /// Share of `grey`.
    pub greyness: f32,
    /// Brightness at the roots, 1 at the tips.
    pub roots: f32,
}

impl Colours {
    /// Hair of one natural colour, some of it a little lighter.
    pub fn plain(base: Vec3) -> Self {
        let highlight = (base * 1.5).min(Vec3::splat(0.75));
        Self { base, highlight, highlights: 0.2, grey: srgb(206, 203, 198), greyness: 0., roots: 0.8 }
    }

    /// The hair of somebody of this age (0 young, 1 old), whose natural colours are all dark or not.
    pub fn draw(random: &mut Random, dark: bool, age: f32) -> Self {
        let [red, green, blue] = if dark {
            *random.weighted(&[([20, 16, 15], 0.55), ([42, 28, 21], 0.33), ([74, 48, 32], 0.12)])
        } else {
            *random.weighted(&NATURAL)
        };
        let base = (srgb(red, green, blue) * random.between(0.7, 1.3)).clamp(Vec3::splat(0.004), Vec3::splat(0.7));
        let mut colours = Self::plain(base);
        colours.roots = random.between(0.6, 0.95);
        colours.highlight = base * random.between(1.2, 1.8) + Vec3::new(0.01, 0.006, 0.003);
        colours.highlights = random.between(0., 0.5);
        colours.greyness = (((age - 0.4) / 0.5).clamp(0., 1.) * random.between(0.2, 1.3)).min(1.);
        colours.grey = srgb(206, 203, 198) * random.between(0.4, 1.);
        if random.chance(0.1) {
            colours.dye(random);
        }
        colours
    }

    /// Bleached strands, dark roots, or a colour that nobody is born with.
    fn dye(&mut self, random: &mut Random) {
        match random.below(4) {
            0 => (self.highlight, self.highlights) = (srgb(214, 184, 132), random.between(0.3, 0.7)),
            1 => {
                self.base = srgb(206, 174, 120) * random.between(0.7, 1.1);
                self.highlight = self.base * 1.2;
                self.roots = 0.3;
            }
            2 => self.base = srgb(124, 22, 30) * random.between(0.5, 1.2),
            _ => {
                self.base = hsv(random.unit(), random.between(0.4, 0.9), random.between(0.3, 0.85));
                self.highlight = (self.base * 1.4).min(Vec3::splat(0.8));
            }
        }
        self.greyness *= 0.2;
    }

    /// What they look like together.
    pub fn mean(&self) -> Vec3 {
        let coloured = self.base.lerp(self.highlight, self.highlights * 0.5);
        coloured.lerp(self.grey, self.greyness)
    }

    /// The colour of one strand.
    pub fn strand(&self, random: &mut Random) -> Vec3 {
        if random.chance(self.greyness) {
            return self.grey * random.between(0.8, 1.1);
        }
        let share = if random.chance(self.highlights) { random.between(0.4, 1.) } else { random.between(0., 0.15) };
        self.base.lerp(self.highlight, share) * random.between(0.82, 1.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_are_greyer() {
        let mean = |age: f32| {
            (0..200).map(|seed| Colours::draw(&mut Random::new("colour", &[seed]), true, age).mean().y).sum::<f32>()
        };
        assert!(mean(1.) > 3. * mean(0.2));
    }

    #[test]
    fn colours_can_be_shown() {
        for seed in 0..300 {
            let mut random = Random::new("colour", &[seed]);
            let colours = Colours::draw(&mut random, seed % 2 == 0, 0.5);
            for colour in [colours.mean(), colours.strand(&mut random)] {
                assert!(colour.min_element() >= 0. && colour.max_element() <= 1., "{colours:?}");
            }
        }
    }
}
