//! Drawings with pencil, chalk and charcoal.

use glam::{Vec2, Vec3};

use super::{
    Step,
    brush::lines,
    display::{DISPLAY, each_pixel, luma, place_of, shown_pixels},
    field::Field,
    grid::Grid,
};
use crate::{noise::smooth, picture::Picture};

/// A drawing on paper.
#[derive(Clone, Debug)]
pub(super) struct Drawing {
    pub(super) field: Field,
    pub(super) paper: Vec3,
    pub(super) ink: Vec3,
    /// How much of the sitter's colours the pencils have.
    pub(super) colour: f32,
    /// Hatched lines in the width, if any.
    pub(super) hatching: f32,
    pub(super) turn: f32,
    /// How dark flat shades are rubbed in.
    pub(super) shade: f32,
    /// Roughness of the paper.
    pub(super) tooth: f32,
    /// Width of the lines, as a share of the picture's width.
    pub(super) pen: f32,
    pub(super) outline: f32,
    /// White chalk on what is brightest.
    pub(super) chalk: f32,
}

impl Step for Drawing {
    fn apply(&self, picture: &mut Picture, _: u64) {
        let size = picture.size();
        let pixels = size as f32;
        let shown = shown_pixels(picture);
        let grey = Grid::from(size, &shown, luma);
        let outlines = lines(&grey, (self.pen * pixels).max(0.6), 0., 22.);
        // What is darker than its surroundings is drawn, whatever the light.
        let around = grey.gaussian(pixels * 0.035);
        each_pixel(picture, |x, y, _| {
            let (at, place) = (y * size + x, place_of(x, y, size));
            let tone = grey.cells[at];
            let local = (1. - tone / (around.cells[at] + 0.02)).clamp(0., 1.);
            let tooth = self.tooth * self.field.layered(place * 62., 2);
            let dark = (1. - tone) * self.shade + 1.1 * local;
            let rubbed = smooth(0., 1.1, dark * (1. + 0.9 * tooth) + 0.2 * tooth * (1. - tone));
            let hatched = self.hatched(place, 1. - tone, pixels);
            let outline = (1. - outlines.cells[at]) * self.outline * (1. + tooth);
            let cover = 1. - (1. - rubbed.min(0.95)) * (1. - hatched) * (1. - outline.clamp(0., 0.95));
            let ink = self.ink.lerp(shown[at] * 0.85, self.colour);
            let chalk = self.chalk * smooth(0.62, 0.95, tone * (1. + 0.4 * tooth));
            let drawn = self.paper * (1. + 0.12 * tooth);
            DISPLAY.light3(drawn.lerp(Vec3::splat(0.97), chalk).lerp(ink, cover))
        });
    }
}

impl Drawing {
    /// How much hatching covers a place: more directions where it is darker.
    fn hatched(&self, place: Vec2, dark: f32, pixels: f32) -> f32 {
        if self.hatching == 0. {
            return 0.;
        }
        // Lines closer than three pixels would be grey.
        let frequency = self.hatching.min(pixels / 3.2);
        let wobble = 0.35 * self.field.at(place * 7.);
        let mut bare = 1.;
        for layer in 0..3 {
            let wanted = smooth(0.25 + 0.2 * layer as f32, 0.5 + 0.22 * layer as f32, dark);
            let across = Vec2::from_angle(self.turn + 0.9 * layer as f32).dot(place);
            let line = (std::f32::consts::TAU * (across * frequency + wobble)).sin();
            bare *= 1. - 0.6 * wanted * smooth(-0.3, 0.8, line);
        }
        1. - bare
    }
}
