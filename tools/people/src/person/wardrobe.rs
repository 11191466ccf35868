//! Clothes of a pack in other colours.

use std::sync::Arc;

use glam::{Mat3, Vec3, Vec4};

use super::Paint;
use crate::{
    random::Random,
    texture::{Texture, hsv},
};

/// Another colouring of a cloth's texture: plain with its folds kept, or its own colours turned.
pub(super) fn dye(random: &mut Random, cloth: &Texture) -> Paint {
    let (width, height) = cloth.size();
    let texels = cloth.texels();
    let dyed: Vec<Vec4> = if random.chance(0.5) {
        let colour = fabric(random);
        let mean = texels.iter().map(|texel| texel.truncate().element_sum()).sum::<f32>() / (3 * texels.len()) as f32;
        let shade = |texel: &Vec4| (texel.truncate().element_sum() / (3. * mean.max(1e-3))).powf(0.5).clamp(0.5, 1.4);
        texels.iter().map(|texel| (colour * shade(texel)).extend(texel.w)).collect()
    } else {
        let turn = hue_turn(random.unit() * std::f32::consts::TAU);
        let (saturation, value) = (random.between(0.25, 1.3), random.between(0.4, 1.3));
        texels
            .iter()
            .map(|texel| {
                let turned = turn * texel.truncate();
                let grey = Vec3::splat(turned.element_sum() / 3.);
                (grey.lerp(turned, saturation) * value).clamp(Vec3::splat(0.003), Vec3::splat(0.85)).extend(texel.w)
            })
            .collect()
    };
    Arc::new(Texture::new(width, height, &dyed))
}

/// A colour that cloth has: mostly muted, sometimes bright.
pub(super) fn fabric(random: &mut Random) -> Vec3 {
    hsv(random.unit(), random.unit().powf(1.3) * 0.85, random.between(0.08, 0.95))
}

/// Turns hues, as a rotation about the axis of greys.
fn hue_turn(angle: f32) -> Mat3 {
    Mat3::from_axis_angle(Vec3::ONE.normalize(), angle)
}
