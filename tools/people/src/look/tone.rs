//! Tones and colours: exposure, white balance, contrast, fading, black and white, vignettes.

use glam::Vec3;

use super::{
    Step,
    display::{Curve, DISPLAY, each_pixel, place_of},
};
use crate::picture::Picture;

/// What a sensor, a film or an ageing print does to every pixel alike.
#[derive(Clone, Debug)]
pub(super) struct Tone {
    /// Gains of the channels.
    pub(super) gains: Vec3,
    /// From -0.45, flat, to 0.45, steep.
    pub(super) contrast: f32,
    /// What black becomes, as shown.
    pub(super) black: Vec3,
    /// What white becomes, as shown.
    pub(super) white: Vec3,
    pub(super) mix: Mix,
    /// Darkening of the corners.
    pub(super) vignette: f32,
}

/// How colours are kept.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mix {
    /// 0 is grey, 1 as it was.
    Saturation(f32),
    /// Grey, of these shares of red, green and blue.
    Grey(Vec3),
}

impl Tone {
    /// Changes nothing.
    pub(super) const NEUTRAL: Self = Self {
        gains: Vec3::ONE,
        contrast: 0.,
        black: Vec3::ZERO,
        white: Vec3::ONE,
        mix: Mix::Saturation(1.),
        vignette: 0.,
    };

    fn curve(&self, channel: usize) -> Curve {
        let (black, white) = (self.black[channel], self.white[channel]);
        Curve::new(|light| {
            let shown = DISPLAY.shown(light * self.gains[channel]);
            let steep = shown + 2. * self.contrast * shown * (1. - shown) * (2. * shown - 1.);
            DISPLAY.light(black + (white - black) * steep)
        })
    }

    /// With its tables, ready for frames.
    pub(super) fn ready(self) -> Toned {
        Toned { curves: [0, 1, 2].map(|channel| self.curve(channel)), mix: self.mix, vignette: self.vignette }
    }
}

/// A [`Tone`] as tables.
#[derive(Clone, Debug)]
pub(super) struct Toned {
    curves: [Curve; 3],
    mix: Mix,
    vignette: f32,
}

impl Step for Toned {
    fn apply(&self, picture: &mut Picture, _: u64) {
        let size = picture.size();
        each_pixel(picture, |x, y, pixel| {
            let lens = 1. / (1. + self.vignette * 2. * (place_of(x, y, size) - 0.5).length_squared());
            let mixed = self.mix.of(pixel * (lens * lens));
            Vec3::new(self.curves[0].at(mixed.x), self.curves[1].at(mixed.y), self.curves[2].at(mixed.z))
        });
    }
}

impl Mix {
    #[inline]
    fn of(self, light: Vec3) -> Vec3 {
        match self {
            Self::Saturation(amount) => {
                let grey = Vec3::splat(light.dot(Vec3::new(0.213, 0.715, 0.072)));
                grey.lerp(light, amount).max(Vec3::ZERO)
            }
            Self::Grey(shares) => Vec3::splat(light.dot(shares).max(0.)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neutral_changes_nothing_and_grey_has_no_colour() {
        let colour = Vec3::new(0.3, 0.5, 0.05);
        let mut picture = Picture::plain(4, colour);
        Tone::NEUTRAL.ready().apply(&mut picture, 0);
        assert!(picture.pixels()[5].distance(colour) < 5e-3);
        Tone { mix: Mix::Grey(Vec3::new(0.3, 0.6, 0.1)), ..Tone::NEUTRAL }.ready().apply(&mut picture, 0);
        assert!(picture.pixels()[5].distance(Vec3::splat(0.395)) < 5e-3);
    }

    #[test]
    fn contrast_parts_dark_from_bright() {
        let shown = |contrast: f32, light: f32| {
            let mut picture = Picture::plain(2, Vec3::splat(light));
            Tone { contrast, ..Tone::NEUTRAL }.ready().apply(&mut picture, 0);
            picture.pixels()[0].x
        };
        assert!(shown(0.4, 0.05) < 0.05 && shown(0.4, 0.5) > 0.5);
        assert!(shown(-0.4, 0.05) > 0.05 && shown(-0.4, 0.5) < 0.5);
    }
}
