//! Wrinkles that come and go with the expression.

use glam::{Vec2, Vec3};

use super::{Sites, skin::bump};
use crate::noise::{Noise, smooth};

/// Depths of all wrinkles over the skin's texture: how much light is lost where they are fully drawn.
#[derive(Clone, Debug)]
pub struct Creases {
    size: usize,
    /// For each texel and kind, 127 for the deepest furrow; negative for ridges.
    texels: Vec<[i8; Self::KINDS]>,
}

impl Creases {
    /// Kinds: across the forehead, between the brows, around the eyes, from nose to mouth.
    pub const KINDS: usize = 4;

    /// Wrinkles of a person with this seed.
    pub(super) fn paint(sites: &Sites, seed: u64) -> Self {
        let noise = Noise::new(seed);
        let size = sites.map.size();
        let mut texels = vec![[0; Self::KINDS]; size * size];
        for texel in sites.map.texels() {
            let depths = depths(texel.base, noise.at(texel.base * 1.7));
            texels[texel.index as usize] = depths.map(|depth| (depth * 100.).clamp(-127., 127.) as i8);
        }
        Self { size, texels }
    }

    /// Smooth skin.
    #[cfg(test)]
    pub(crate) fn none() -> Self {
        Self { size: 2, texels: vec![[0; Self::KINDS]; 4] }
    }

    /// Share of the light that is lost at `uv`, when each kind is drawn as deep as `weights` says.
    pub(crate) fn depth(&self, uv: Vec2, weights: &[f32; Self::KINDS]) -> f32 {
        let place = Vec2::new(uv.x, 1. - uv.y) * self.size as f32 - 0.5;
        let (first, last) = (place.floor().max(Vec2::ZERO), self.size - 2);
        let (column, row) = ((first.x as usize).min(last), (first.y as usize).min(last));
        let share = (place - first).clamp(Vec2::ZERO, Vec2::ONE);
        let at = |right: usize, down: usize| {
            let texel = self.texels[(row + down) * self.size + column + right];
            texel.iter().zip(weights).map(|(&depth, weight)| f32::from(depth) * weight).sum::<f32>()
        };
        let upper = at(0, 0) * (1. - share.x) + at(1, 0) * share.x;
        let lower = at(0, 1) * (1. - share.x) + at(1, 1) * share.x;
        (upper * (1. - share.y) + lower * share.y) / 100.
    }
}

/// Depths of all kinds at a place of the base head; `wave` in `[-1, 1]` makes their lines uneven.
pub(super) fn depths(place: Vec3, wave: f32) -> [f32; Creases::KINDS] {
    if place.z < 0.6 || place.y < 5.9 {
        return [0.; Creases::KINDS];
    }
    [forehead(place, wave), glabella(place, wave), eyes(place), folds(place)]
}

/// A furrow at a signed distance from its line, with a ridge beside it.
fn furrow(distance: f32, width: f32) -> f32 {
    let at = |shift: f32| {
        let scaled = distance / width - shift;
        (-scaled * scaled).exp()
    };
    at(0.) - 0.4 * at(1.7)
}

fn forehead(place: Vec3, wave: f32) -> f32 {
    let within = smooth(0.68, 0.35, place.x.abs()) * smooth(0.9, 1.15, place.z);
    let lines: f32 = (0..4)
        .map(|line| {
            let line = line as f32;
            let height = 7.66 + 0.1 * line + 0.02 * (7. * place.x + line).sin() + 0.03 * wave;
            furrow(place.y - height, 0.02) * (0.75 + 0.25 * (3. * wave + line).sin())
        })
        .sum();
    within * lines
}

/// Two upright lines between the brows, and one across the root of the nose.
fn glabella(place: Vec3, wave: f32) -> f32 {
    let across = place.x.abs();
    let upright = furrow(across - 0.085 - 0.25 * (place.y - 7.42) - 0.012 * wave, 0.022)
        * smooth(7.26, 7.36, place.y)
        * smooth(7.68, 7.5, place.y);
    let root = furrow(place.y - 7.27, 0.022) * smooth(0.17, 0.08, across);
    let bunny: f32 = (0..2).map(|line| furrow(place.y - 7.1 - 0.5 * across - 0.06 * line as f32, 0.016)).sum();
    let nose = bunny * bump(place, [0.12, 7.14, 1.5], [0.06, 0.1, 0.3]);
    upright + 0.8 * root + 0.5 * nose
}

/// Crow's feet, and the bag below the eye.
fn eyes(place: Vec3) -> f32 {
    let (across, up) = (place.x.abs() - 0.46, place.y - 7.25);
    let (angle, radius) = (up.atan2(across), across.hypot(up));
    let rays = furrow((angle + 10.) % 0.42 - 0.2, 0.09)
        * smooth(0.05, 0.09, radius)
        * smooth(0.26, 0.12, radius)
        * smooth(1.15, 0.95, angle.abs());
    let bag = ((place.x.abs() - 0.29) / 0.2).hypot((place.y - 7.2) / 0.2);
    let below = furrow(bag - 0.95, 0.1) * smooth(7.18, 7.15, place.y) * smooth(0.95, 1.05, place.z);
    0.7 * rays + 0.6 * below
}

/// From the wings of the nose past the corners of the mouth, and brackets beside those.
fn folds(place: Vec3) -> f32 {
    let across = place.x.abs();
    let nasolabial = furrow(to_line(across, place.y, [0.19, 6.95], [0.37, 6.52]), 0.034);
    let bracket = furrow(to_line(across, place.y, [0.42, 6.72], [0.46, 6.48]), 0.03);
    (nasolabial + 0.5 * bracket) * smooth(0.85, 1., place.z)
}

/// Signed distance to a slightly bent line, positive outwards; far beyond its ends.
fn to_line(x: f32, y: f32, from: [f32; 2], to: [f32; 2]) -> f32 {
    let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
    let length = dx.hypot(dy);
    let along = ((x - from[0]) * dx + (y - from[1]) * dy) / (length * length);
    let inside = along.clamp(0., 1.);
    let bend = 0.05 * (inside * std::f32::consts::PI).sin();
    let distance = -((x - from[0]) * dy - (y - from[1]) * dx) / length - bend;
    let beyond = (along - inside).abs() * length;
    distance.signum() * distance.hypot(2. * beyond)
}
