//! Between linear light and what is shown, quickly: by tables.

use std::sync::LazyLock;

use glam::{Vec2, Vec3};

use crate::picture::Picture;

/// Steps of each table.
const STEPS: usize = 1024;
/// The brightest light that differs from white.
pub(crate) const WHITE: f32 = 4.;

/// Both directions of what [`Picture::to_srgb`] does, without rounding.
pub(crate) struct Display {
    shown: Curve,
    light: Box<[f32]>,
}

/// The tables, made when they are first used.
pub(crate) static DISPLAY: LazyLock<Display> = LazyLock::new(|| Display {
    shown: Curve::new(|light| {
        let rolled = if light > 0.6 { 0.6 + 0.4 * (1. - (-(light - 0.6) / 0.4).exp()) } else { light };
        rolled.powf(1. / 2.2)
    }),
    light: (0..=STEPS)
        .map(|step| {
            let rolled = (step as f32 / STEPS as f32).powf(2.2).min(0.9998);
            if rolled > 0.6 { 0.6 - 0.4 * (1. - (rolled - 0.6) / 0.4).ln() } else { rolled }
        })
        .collect(),
});

impl Display {
    /// What is shown for a light: 0 to 1.
    #[inline]
    pub(crate) fn shown(&self, light: f32) -> f32 {
        self.shown.at(light)
    }

    /// The light of what is shown.
    #[inline]
    pub(crate) fn light(&self, shown: f32) -> f32 {
        between(&self.light, shown.clamp(0., 1.) * STEPS as f32)
    }

    /// All channels of a light as shown.
    #[inline]
    pub(crate) fn shown3(&self, light: Vec3) -> Vec3 {
        Vec3::new(self.shown(light.x), self.shown(light.y), self.shown(light.z))
    }

    /// All channels of what is shown as light.
    #[inline]
    pub(crate) fn light3(&self, shown: Vec3) -> Vec3 {
        Vec3::new(self.light(shown.x), self.light(shown.y), self.light(shown.z))
    }
}

/// A function of light, as a table with as many entries for each doubling: a float's bits are its logarithm, so that
/// the place in the table needs no arithmetic.
#[derive(Clone, Debug)]
pub(crate) struct Curve(Box<[f32]>);

/// The bits of the light of the second entry, 2^-13; the first is of darkness.
const FIRST: u32 = (127 - 13) << 23;
/// Bits that tell where between two entries a light is: 32 entries for each doubling.
const FRACTION: u32 = 18;
/// Entries up to [`WHITE`].
const ENTRIES: u32 = (15 << (23 - FRACTION)) + 1;

impl Curve {
    /// The table of a function of light up to [`WHITE`].
    pub(crate) fn new(function: impl Fn(f32) -> f32) -> Self {
        let light = |entry: u32| if entry == 0 { 0. } else { f32::from_bits(FIRST + ((entry - 1) << FRACTION)) };
        Self((0..=ENTRIES).map(|entry| function(light(entry))).collect())
    }

    /// The value at a light.
    #[inline]
    pub(crate) fn at(&self, light: f32) -> f32 {
        let bits = light.max(0.).to_bits();
        if bits < FIRST {
            return self.0[0] + (self.0[1] - self.0[0]) * (light.max(0.) * 8192.);
        }
        let entry = (((bits - FIRST) >> FRACTION) + 1).min(ENTRIES - 1) as usize;
        let share = (bits.min(WHITE.to_bits() - 1) & ((1 << FRACTION) - 1)) as f32 * (1. / (1 << FRACTION) as f32);
        self.0[entry] + (self.0[entry + 1] - self.0[entry]) * share
    }
}

/// Linear between the entries of a table of `STEPS` + 1.
#[inline]
fn between(table: &[f32], place: f32) -> f32 {
    let low = (place as i32 as usize).min(STEPS - 1);
    table[low] + (table[low + 1] - table[low]) * (place - low as f32)
}

/// Changes every pixel; `change` gets its column, its row and its colour. Rows and not indices: a division for each
/// pixel would cost more than most looks do.
pub(crate) fn each_pixel(picture: &mut Picture, mut change: impl FnMut(usize, usize, Vec3) -> Vec3) {
    let size = picture.size();
    for (y, row) in picture.pixels_mut().chunks_exact_mut(size).enumerate() {
        for (x, pixel) in row.iter_mut().enumerate() {
            *pixel = change(x, y, *pixel);
        }
    }
}

/// The place of a pixel in the unit square.
#[inline]
pub(crate) fn place_of(x: usize, y: usize, size: usize) -> Vec2 {
    Vec2::new(x as f32, y as f32) / size as f32
}

/// How bright a colour looks.
#[inline]
pub(crate) fn luma(colour: Vec3) -> f32 {
    colour.dot(Vec3::new(0.299, 0.587, 0.114))
}

/// What [`Picture::to_srgb`] gives, by tables.
pub(crate) fn bytes(picture: &Picture) -> Vec<u8> {
    let byte = |light: f32| (DISPLAY.shown(light) * 255. + 0.5) as u8;
    picture.pixels().iter().flat_map(|pixel| pixel.to_array().map(byte)).collect()
}

/// Every pixel as shown.
pub(crate) fn shown_pixels(picture: &Picture) -> Vec<Vec3> {
    picture.pixels().iter().map(|&pixel| DISPLAY.shown3(pixel)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_agree_with_what_pictures_show() {
        for step in 0..=100 {
            let light = step as f32 * 0.03;
            let byte = Picture::plain(1, Vec3::splat(light)).to_srgb()[0];
            assert!(bytes(&Picture::plain(1, Vec3::splat(light)))[0].abs_diff(byte) <= 1);
            let shown = DISPLAY.shown(light);
            assert!((shown * 255. - f32::from(byte)).abs() < 0.7, "{light}: {shown} for {byte}");
            assert!((DISPLAY.shown(DISPLAY.light(shown)) - shown).abs() < 2e-3, "{light}");
        }
    }
}
