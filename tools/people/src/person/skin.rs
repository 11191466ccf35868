//! Skin, painted where it lies on the head.

use glam::Vec3;

use super::{Palette, Sites};
use crate::{
    hair::Hairline,
    noise::{Noise, smooth},
    random::Random,
    texture::Texture,
};

/// Hair that is painted on the skin, below that which grows there.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scalp {
    /// Share of the scalp that shows hair: 0 for none.
    pub(super) share: f32,
    /// Where hair begins.
    pub(super) hairline: Hairline,
}

/// Noise at the scales of the skin: patches, mottling, pores.
struct Grain {
    patches: f32,
    mottling: f32,
    pores: f32,
    fine: f32,
}

/// Paints the skin of a palette: `age` in `[0, 1]`, `feminine` for where no beard grows.
pub(super) fn paint(sites: &Sites, palette: &Palette, age: f32, feminine: bool, scalp: Scalp) -> Texture {
    let painter = Painter::new(sites, palette, age, feminine, scalp);
    let colours = (0..sites.map.texels().len()).map(|texel| painter.colour(texel).extend(1.));
    sites.map.texture(colours, palette.skin.extend(1.))
}

struct Painter<'a> {
    sites: &'a Sites,
    palette: &'a Palette,
    age: f32,
    feminine: bool,
    scalp: Scalp,
    noise: Noise,
    spots: Vec<Spot>,
}

/// A mole, a freckle or a blemish.
struct Spot {
    centre: Vec3,
    radius: f32,
    depth: f32,
    /// Share of each channel that is lost in its middle.
    loss: Vec3,
}

impl<'a> Painter<'a> {
    fn new(sites: &'a Sites, palette: &'a Palette, age: f32, feminine: bool, scalp: Scalp) -> Self {
        let noise = Noise::new(palette.seed);
        Self { sites, palette, age, feminine, scalp, noise, spots: spots(palette, age) }
    }

    fn colour(&self, texel: usize) -> Vec3 {
        let place = self.sites.map.texels()[texel].base;
        if self.sites.cavity[texel] {
            return Vec3::new(0.13, 0.022, 0.02);
        }
        let grain = self.grain(place);
        let rough = 0.6 + 0.8 * self.age;
        let lightness = 1.
            + 0.035 * grain.patches
            + 0.035 * grain.mottling
            + 0.03 * grain.pores * rough
            + 0.06 * grain.fine * rough;
        let mut colour = self.palette.skin * lightness;
        colour *= self.redness(texel, place, &grain);
        colour *= self.shades(texel, place);
        colour *= self.lines(place, &grain);
        for spot in self.spots.iter().filter(|spot| (place.x - spot.centre.x).abs() < 3. * spot.radius) {
            colour *= spot.shade(place);
        }
        colour = self.make_up(texel, place, colour);
        colour = self.lips(texel, colour, &grain);
        colour = self.beard(texel, place, colour, &grain);
        self.scalp(texel, place, colour, &grain).clamp(Vec3::splat(0.002), Vec3::splat(0.95))
    }

    fn grain(&self, place: Vec3) -> Grain {
        let at = |scale: f32, shift: f32| self.noise.at(place * scale + Vec3::splat(shift));
        Grain { patches: at(1.7, 0.), mottling: at(5., 7.3), pores: at(15., 13.1), fine: at(46., 3.7) }
    }

    /// Blood under cheeks, nose, ears and chin.
    fn redness(&self, texel: usize, place: Vec3, grain: &Grain) -> Vec3 {
        let near = |centre: [f32; 3], radius: [f32; 3]| bump(place, centre, radius);
        let flush = 0.75 * near([0.47, 6.92, 1.25], [0.24, 0.2, 0.4])
            + 0.65 * near([0., 6.93, 1.68], [0.14, 0.13, 0.3])
            + 0.8 * self.sites.ears[texel]
            + 0.25 * near([0., 6.32, 1.5], [0.2, 0.14, 0.4]);
        let red = self.palette.blush * flush + 0.22 * grain.mottling + 0.12 * grain.pores;
        let red = red * (1. - 0.65 * self.palette.darkness);
        Vec3::ONE + red * Vec3::new(0.035, -0.15, -0.15)
    }

    /// Darker below the eyes and on the lids, lighter on the forehead.
    fn shades(&self, texel: usize, place: Vec3) -> Vec3 {
        let tired = (0.5 + 0.6 * self.age) * bump(place, [0.27, 7.10, 1.42], [0.2, 0.07, 0.3]);
        let dark = Vec3::ONE
            - tired * Vec3::new(0.16, 0.22, 0.17)
            - 0.6 * self.sites.lids[texel] * Vec3::new(0.12, 0.17, 0.15);
        dark * (1. + 0.06 * bump(place, [0., 7.75, 1.5], [0.5, 0.25, 0.4]))
    }

    /// Lines that age left, whatever the face does.
    fn lines(&self, place: Vec3, grain: &Grain) -> Vec3 {
        let aged = smooth(0.25, 0.9, self.age);
        if aged < 0.01 {
            return Vec3::ONE;
        }
        let depths = super::creases::depths(place, grain.patches);
        let lost = aged * (0.5 * depths[0].max(0.) + 0.3 * depths[1].max(0.) + 0.55 * depths[2] + 0.9 * depths[3]);
        Vec3::ONE - lost.max(0.) * Vec3::new(0.16, 0.22, 0.22)
    }

    fn make_up(&self, texel: usize, place: Vec3, colour: Vec3) -> Vec3 {
        let (shadow, amount) = self.palette.eye_shadow;
        let lid = bump(place, [0.31, 7.33, 1.35], [0.2, 0.09, 0.35]).max(0.8 * self.sites.lids[texel]);
        let colour = colour.lerp(shadow * (0.4 + 0.6 * colour / self.palette.skin.max_element()), amount * lid * 0.7);
        let edge = smooth(0.75, 0.97, self.sites.lids[texel]);
        colour.lerp(Vec3::splat(0.015), 0.75 * self.palette.liner * edge)
    }

    fn lips(&self, texel: usize, colour: Vec3, grain: &Grain) -> Vec3 {
        let lips = self.lip(texel, grain);
        let dark = self.palette.darkness;
        let natural = Vec3::new(0.96, 0.60, 0.60).lerp(Vec3::new(0.92, 0.70, 0.72), dark) * self.palette.skin;
        let (stick, amount) = self.palette.lipstick;
        colour.lerp(natural.lerp(stick, amount) * (1. + 0.08 * grain.pores), 0.9 * lips)
    }

    fn lip(&self, texel: usize, grain: &Grain) -> f32 {
        smooth(0.30, 0.75, self.sites.lips[texel] + 0.05 * grain.pores)
    }

    /// A beard that was shaved today or some days ago.
    fn beard(&self, texel: usize, place: Vec3, colour: Vec3, grain: &Grain) -> Vec3 {
        if self.feminine {
            return colour;
        }
        let (across, height) = (place.x.abs(), place.y);
        let top = interpolate(across, &[0., 0.3, 0.36, 0.5, 0.68, 0.8], &[6.83, 6.8, 6.64, 6.62, 6.92, 7.08]);
        let grows = smooth(0.05, -0.05, height - top + 0.05 * grain.mottling)
            * smooth(5.95, 6.14, height + 0.05 * grain.patches)
            * smooth(0.35, 0.6, place.z)
            * (1. - self.sites.ears[texel])
            * (1. - 0.92 * self.lip(texel, grain))
            * smooth(6.86, 6.8, height);
        let shadow = Vec3::ONE - 0.1 * grows * Vec3::new(1.2, 1., 0.8);
        let dots = self.noise.at(place * Vec3::new(40., 18., 40.));
        let share = grows * (self.palette.stubble * (1. + 0.35 * dots + 0.25 * grain.fine)).clamp(0., 1.);
        (colour * shadow).lerp(self.palette.hair * 0.5 * (1. + 0.3 * dots), share)
    }

    /// What is seen of the scalp between hairs.
    fn scalp(&self, texel: usize, place: Vec3, colour: Vec3, grain: &Grain) -> Vec3 {
        let above = self.scalp.hairline.above(place) + 0.04 * grain.pores;
        let grows = smooth(0.02, 0.14, above) * (1. - smooth(0.3, 0.7, self.sites.ears[texel]));
        let share = grows * self.scalp.share * (0.8 + 0.2 * grain.fine);
        colour.lerp(self.palette.hair * 0.5, share.clamp(0., 1.))
    }
}

impl Spot {
    fn shade(&self, place: Vec3) -> Vec3 {
        let distance = (place - self.centre).length_squared() / (self.radius * self.radius);
        Vec3::ONE - self.depth * (-distance).exp() * self.loss
    }
}

fn spots(palette: &Palette, age: f32) -> Vec<Spot> {
    let mut random = Random::new("spots", &[palette.seed]);
    let freckles = (palette.freckles * random.between(60., 170.)) as usize;
    let mut spots: Vec<Spot> = (0..freckles)
        .map(|_| {
            let (x, y) = (random.normal(0., 0.32), random.normal(6.98, 0.13));
            Spot {
                centre: on_face(x, y),
                radius: random.between(0.011, 0.022),
                depth: palette.freckles * random.between(0.2, 0.55),
                loss: Vec3::new(0.3, 0.48, 0.55),
            }
        })
        .collect();
    let moles = (random.unit() * random.unit() * (3. + 4. * age)) as usize;
    spots.extend((0..moles).map(|_| Spot {
        centre: on_face(random.normal(0., 0.4), random.between(6.2, 7.9)),
        radius: random.between(0.012, 0.028),
        depth: random.between(0.4, 0.85),
        loss: Vec3::new(0.7, 0.8, 0.85),
    }));
    let blemishes = if random.chance(0.2) { random.below(12) } else { 0 };
    spots.extend((0..blemishes).map(|_| Spot {
        centre: on_face(random.normal(0., 0.4), random.between(6.2, 7.8)),
        radius: random.between(0.015, 0.035),
        depth: random.between(0.2, 0.5),
        loss: Vec3::new(0.05, 0.5, 0.5),
    }));
    spots
}

/// About where the base head's surface is at this place of its front.
fn on_face(x: f32, y: f32) -> Vec3 {
    let round = (1. - (x / 0.8).powi(2) - ((y - 7.) / 1.4).powi(2)).max(0.04).sqrt();
    Vec3::new(x, y, 0.55 + round)
}

/// A soft bump on both sides of the face.
pub(super) fn bump(place: Vec3, centre: [f32; 3], radius: [f32; 3]) -> f32 {
    let across = (place.x.abs() - centre[0]) / radius[0];
    let up = (place.y - centre[1]) / radius[1];
    let out = (place.z - centre[2]) / radius[2];
    (-(across * across + up * up + out * out)).exp()
}

/// Piecewise linear, constant beyond the ends.
pub(super) fn interpolate(at: f32, places: &[f32], values: &[f32]) -> f32 {
    let after = places.partition_point(|&place| place <= at);
    if after == 0 {
        return values[0];
    }
    if after == places.len() {
        return values[after - 1];
    }
    let share = (at - places[after - 1]) / (places[after] - places[after - 1]);
    values[after - 1] + (values[after] - values[after - 1]) * share
}
