//! Brows of single hairs that move with the skin.

use std::sync::Arc;

use glam::{Vec2, Vec3};

use super::{
    Wearer,
    colour::Colours,
    ribbon::{self, COLUMNS, Weave},
    skin::{Anchor, Bound, Front},
};
use crate::{
    mesh::{Cover, Part, Region},
    noise::smooth,
    random::Random,
};

/// A pair of brows; lengths are decimetres of the base head.
#[derive(Clone, Copy, Debug)]
pub struct Brows {
    /// Colours of their hairs.
    pub colours: Colours,
    /// Height above the usual.
    pub lift: f32,
    /// How much higher the outer end is than the inner one.
    pub slope: f32,
    /// Height of the arch between the ends.
    pub arch: f32,
    /// Where the arch is highest, as a share of the way outwards.
    pub peak: f32,
    /// Half the thickness of the inner half.
    pub thickness: f32,
    /// Distance of the inner ends from the middle.
    pub inner: f32,
    /// Distance of the outer ends from the middle.
    pub outer: f32,
    /// How dense they are, in `[0, 1]`.
    pub density: f32,
    /// Length of a hair.
    pub length: f32,
}

impl Brows {
    /// Brows of somebody whose hair has these colours; `femininity` in `[0, 1]`.
    pub fn draw(random: &mut Random, femininity: f32, colours: &Colours) -> Self {
        let bushy = (random.normal_within(0.5 - 0.3 * femininity, 0.22, 2.)).clamp(0., 1.);
        let mut colours = *colours;
        // Brows of the fair are darker than their hair, and stay darker than it with age.
        colours.base =
            (colours.base * random.between(0.5, 0.9)).min(Vec3::new(0.16, 0.11, 0.075)).max(Vec3::splat(0.004));
        colours.highlight = colours.base * 1.4;
        colours.greyness *= random.between(0.1, 0.7);
        colours.roots = 1.;
        Self {
            colours,
            lift: random.normal_within(0.005, 0.018, 2.),
            slope: random.normal_within(-0.005, 0.02, 2.),
            arch: random.between(0.01, 0.04 + 0.03 * femininity),
            peak: random.between(0.5, 0.75),
            thickness: 0.014 + 0.03 * bushy,
            inner: random.between(0.09, 0.14) - 0.03 * bushy,
            outer: random.between(0.47, 0.57),
            density: (0.35 + 0.6 * bushy + random.normal_within(0., 0.12, 2.)).clamp(0.25, 1.),
            length: random.between(0.045, 0.065) + 0.04 * bushy,
        }
    }

    /// Height of the line of the brow, and half its thickness, at a share of the way outwards.
    fn line(&self, along: f32) -> (f32, f32) {
        let rise = smooth(0., self.peak, along) * smooth(1.25, self.peak, along);
        let height = 7.405 + self.lift + self.slope * along + self.arch * rise - 0.05 * smooth(0.6, 1.1, along);
        let taper = smooth(-0.12, 0.12, along) * (1. - 0.75 * smooth(0.4, 1.05, along));
        (height, self.thickness * taper)
    }

    fn place(&self, along: f32, across: f32) -> Vec2 {
        let (height, half) = self.line(along);
        Vec2::new(self.inner + (self.outer - self.inner) * along, height + half * across)
    }
}

/// Grows both brows.
pub fn grow(wearer: &Wearer, brows: &Brows, random: &mut Random) -> Option<Part> {
    let front = Front::new(wearer, Vec2::new(-0.1, 7.2), Vec2::new(0.8, 7.8));
    let mut bound = Bound::default();
    for side in [1., -1.] {
        body(&mut bound, wearer, &front, brows, side);
        for _ in 0..(60. + 110. * brows.density) as usize {
            hair(&mut bound, wearer, &front, brows, side, random);
        }
    }
    let weave = Weave { dense: 0.15 + 0.5 * brows.density, hairs: 9, full: 0.3, ..Weave::SPARSE };
    let part = bound.finish(Arc::new(ribbon::texture(&brows.colours, &weave, random)), Region::Brows)?;
    Some(Part { cover: Cover::Blended, casts: false, ..part })
}

/// A place on the skin, a little above it.
fn above(wearer: &Wearer, anchor: Anchor, height: f32) -> Vec3 {
    anchor.of(wearer.vertices) + anchor.of(wearer.normals).normalize_or(Vec3::Z) * height
}

/// Strips along the brow, of which its body is made: what single hairs look like from afar.
fn body(bound: &mut Bound, wearer: &Wearer, front: &Front, brows: &Brows, side: f32) {
    for (lane, column) in [(-0.35, 1), (0.35, 4), (0., 6)] {
        let share = |at: usize| at as f32 / 9. * 0.97;
        let anchors: Option<Vec<Anchor>> =
            (0..10).map(|at| front.find(brows.place(share(at), lane) * Vec2::new(side, 1.))).collect();
        let Some(anchors) = anchors else { continue };
        let nodes: Vec<(Vec3, Anchor)> = anchors.iter().map(|&at| (above(wearer, at, 0.012), at)).collect();
        let outward: Vec<Vec3> = anchors.iter().map(|at| at.of(wearer.normals)).collect();
        let half = |along: f32| brows.line(along).1.max(0.004) * (0.6 + 0.5 * brows.density);
        bound.lay(wearer, &nodes, &outward, half, column);
    }
}

fn hair(bound: &mut Bound, wearer: &Wearer, front: &Front, brows: &Brows, side: f32, random: &mut Random) {
    let along = random.unit().powf(1.1);
    let across = random.normal_within(0., 0.55, 1.8);
    let Some(anchor) = front.find(brows.place(along, across) * Vec2::new(side, 1.)) else { return };
    let normal = anchor.of(wearer.normals).normalize_or(Vec3::Z);
    // Inner hairs stand up, those of the upper edge grow down to the line and those of the lower edge up to it.
    let steep = 1.3 * smooth(0.3, 0., along) - 0.35 * smooth(0.5, 1., along) - 0.45 * across * smooth(0., 0.3, along);
    let growth = Vec3::new(side, steep, 0.) + random.normal3(0.16);
    let lie = (growth - normal * growth.dot(normal)).normalize_or(Vec3::X);
    let length = brows.length * random.between(0.6, 1.2) * (1. - 0.35 * along);
    let root = above(wearer, anchor, 0.012);
    let nodes = [0., 0.5, 1.]
        .map(|share: f32| (root + (lie * share + normal * 0.25 * share * (1. - 0.4 * share)) * length, anchor));
    let half = |share: f32| length * 0.2 * (1. - 0.8 * share);
    bound.lay(wearer, &nodes, &[normal; 3], half, random.below(COLUMNS));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brows_taper_outwards_and_lie_above_the_eyes() {
        for seed in 0..40 {
            let mut random = Random::new("brows", &[seed]);
            let brows = Brows::draw(&mut random, 0.5, &Colours::plain(Vec3::splat(0.1)));
            assert!(brows.line(1.).1 < brows.line(0.3).1);
            for along in [0., 0.25, 0.5, 0.75] {
                let (height, half) = brows.line(along);
                assert!(height - half > 7.28 && height + half < 7.6, "{brows:?} at {along}");
            }
        }
    }
}
