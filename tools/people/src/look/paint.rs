//! Paintings: oil, watercolour, cartoons.

use glam::{Vec2, Vec3};

use super::{
    Step,
    brush::{Flow, Habit, lines, patches, smear},
    display::{DISPLAY, each_pixel, luma, place_of, shown_pixels},
    field::{Field, normal_at},
    grid::Grid,
};
use crate::{noise::smooth, picture::Picture};

/// Oil on canvas.
#[derive(Clone, Debug)]
pub(super) struct Oil {
    pub(super) field: Field,
    pub(super) seed: u64,
    pub(super) habit: Habit,
    /// Radius of a patch, as a share of the picture's width.
    pub(super) brush: f32,
    /// Length of the smear, as a share of the picture's width.
    pub(super) smear: f32,
    /// How much the bristles show.
    pub(super) bristles: f32,
    /// How much the weave shows.
    pub(super) canvas: f32,
    /// How much cracks show.
    pub(super) cracks: f32,
}

impl Step for Oil {
    fn apply(&self, picture: &mut Picture, _: u64) {
        let size = picture.size();
        let pixels = size as f32;
        let shown = Grid { size, cells: shown_pixels(picture) };
        let flow = Flow::of(&shown, (self.brush * pixels * 0.8).max(1.), &self.field, self.habit);
        let patched = patches(&shown, &flow, (self.brush * pixels).max(1.1));
        let bristles = bristles(size, self.seed);
        let painted = smear(&patched, &bristles, &flow, (self.smear * pixels).max(1.));
        each_pixel(picture, |x, y, _| {
            let (at, place) = (y * size + x, place_of(x, y, size));
            let paint = painted.cells[at];
            let relief = 1. + self.bristles * paint.w + self.canvas * weave(place, &self.field);
            DISPLAY.light3(paint.truncate() * relief * (1. - self.cracks * crack(place, &self.field)))
        });
    }
}

/// Random bristles, the same in every frame.
fn bristles(size: usize, seed: u64) -> Grid<f32> {
    Grid::make(size, |x, y| normal_at(seed, x as i32, y as i32))
}

/// The threads of a canvas.
fn weave(place: Vec2, field: &Field) -> f32 {
    let threads = place * 64.;
    let (across, down) = (field.at(threads * Vec2::new(0.4, 1.)), field.at(threads * Vec2::new(1., 0.4) + 31.));
    0.5 * (across + down)
}

/// Where old paint is cracked: along the zeros of noise.
fn crack(place: Vec2, field: &Field) -> f32 {
    let bent = place * 17. + 1.2 * field.at(place * 9.);
    let (first, second) = (field.at(bent).abs(), field.at(bent * 1.3 + 23.).abs());
    smooth(0.05, 0.01, first.min(second)) * smooth(-0.2, 0.4, field.at(place * 4. + 7.))
}

/// Watercolour on rough paper.
#[derive(Clone, Debug)]
pub(super) struct Watercolour {
    pub(super) field: Field,
    pub(super) habit: Habit,
    pub(super) brush: f32,
    pub(super) paper: Vec3,
    /// How thin the paint is.
    pub(super) thin: f32,
    /// How dark its rims dry.
    pub(super) rims: f32,
}

impl Step for Watercolour {
    fn apply(&self, picture: &mut Picture, _: u64) {
        let size = picture.size();
        let pixels = size as f32;
        let shown = Grid { size, cells: shown_pixels(picture) };
        let radius = (self.brush * pixels).max(1.2);
        let flow = Flow::of(&shown, radius * 0.8, &self.field, self.habit);
        let washed = patches(&shown, &flow, radius).gaussian(0.5);
        let soft = Grid::from(size, &washed.cells, luma).gaussian(radius * 0.7);
        each_pixel(picture, |x, y, _| {
            let (at, place) = (y * size + x, place_of(x, y, size));
            let colour = washed.cells[at];
            // Paint gathers where a wash ends, on its dark side.
            let rim = (soft.cells[at] - luma(colour)).max(0.) * self.rims;
            let pool = 0.14 * self.field.layered(place * 5., 3);
            let grain = 0.07 * self.field.layered(place * 50. + 9., 2);
            let dense = ((1. - self.thin) * (1. + pool + grain) + rim).max(0.);
            let vivid = luma(colour) + (colour - luma(colour)) * 1.35;
            let absorbed = (Vec3::ONE - vivid).clamp(Vec3::ZERO, Vec3::ONE) * dense * 0.9;
            DISPLAY.light3(self.paper * (Vec3::ONE - absorbed) * (1. + 0.25 * grain))
        });
    }
}

/// Flat colours with black outlines.
#[derive(Clone, Debug)]
pub(super) struct Cartoon {
    pub(super) field: Field,
    pub(super) habit: Habit,
    pub(super) brush: f32,
    /// Steps of brightness.
    pub(super) levels: f32,
    pub(super) saturation: f32,
    /// Width of the outlines, as a share of the picture's width.
    pub(super) pen: f32,
    pub(super) ink: f32,
}

impl Step for Cartoon {
    fn apply(&self, picture: &mut Picture, _: u64) {
        let size = picture.size();
        let pixels = size as f32;
        let shown = Grid { size, cells: shown_pixels(picture) };
        let radius = (self.brush * pixels).max(1.2);
        let flow = Flow::of(&shown, radius * 0.8, &self.field, self.habit);
        let flat = patches(&shown, &flow, radius);
        let grey = Grid::from(size, &flat.cells, luma);
        let outlines = lines(&grey, (self.pen * pixels).max(0.7), 0., 28.);
        each_pixel(picture, |x, y, _| {
            let at = y * size + x;
            let (colour, tone) = (flat.cells[at], grey.cells[at]);
            let stepped = self.stepped(tone);
            let vivid = tone + (colour - tone) * self.saturation;
            let inked = 1. - self.ink * (1. - outlines.cells[at]);
            DISPLAY.light3((vivid * (stepped / tone.max(0.02))).clamp(Vec3::ZERO, Vec3::ONE) * inked)
        });
    }
}

impl Cartoon {
    /// A brightness on its step; the rises are short slopes, so that steps do not jump from frame to frame.
    fn stepped(&self, tone: f32) -> f32 {
        let place = tone * self.levels;
        (place.floor() + smooth(0.3, 0.7, place.fract())) / self.levels
    }
}
