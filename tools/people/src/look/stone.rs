//! Plaster, marble and bronze: light without colours.

use glam::Vec3;

use super::{
    Step,
    display::{DISPLAY, each_pixel, luma, place_of, shown_pixels},
    field::Field,
    grid::Grid,
};
use crate::{noise::smooth, picture::Picture};

/// A statue, as if all were of one material.
#[derive(Clone, Debug)]
pub(super) struct Statue {
    pub(super) field: Field,
    /// Colours of shadow, middle and light, as shown.
    pub(super) colours: [Vec3; 3],
    /// How much of the wide differences in brightness stays: little of them is shape.
    pub(super) wide: f32,
    pub(super) contrast: f32,
    pub(super) rough: f32,
}

impl Step for Statue {
    fn apply(&self, picture: &mut Picture, _: u64) {
        let size = picture.size();
        let pixels = size as f32;
        let tones = Grid::from(size, &shown_pixels(picture), |colour| (luma(colour) + 0.06).ln());
        let fine = tones.gaussian(pixels * 0.004);
        let broad = tones.gaussian(pixels * 0.06);
        let mean = broad.cells.iter().sum::<f32>() / (size * size) as f32;
        each_pixel(picture, |x, y, _| {
            let (at, place) = (y * size + x, place_of(x, y, size));
            let detail = (fine.cells[at] - broad.cells[at]).clamp(-0.9, 0.7);
            let shape = self.contrast * (detail + self.wide * (broad.cells[at] - mean));
            let tone = 0.6 + 0.55 * shape + self.rough * self.field.layered(place * 45., 2);
            DISPLAY.light3(self.colour(tone.clamp(0., 1.)))
        });
    }
}

impl Statue {
    fn colour(&self, tone: f32) -> Vec3 {
        let [shadow, middle, light] = self.colours;
        shadow.lerp(middle, smooth(0.02, 0.62, tone)).lerp(light, smooth(0.55, 1., tone))
    }
}
