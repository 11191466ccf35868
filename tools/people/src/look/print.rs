//! Prints: halftone dots, and what age does to photographs.

use glam::{Vec2, Vec3};

use super::{
    Step,
    display::{DISPLAY, each_pixel, place_of, shown_pixels},
    field::Field,
    grid::Grid,
};
use crate::{
    backdrop::{
        fill::Fill,
        stroke::{Mode, Shape, Stroke},
    },
    picture::Picture,
    random::Random,
};

/// Dots of ink, in black or in four colours.
#[derive(Clone, Debug)]
pub(super) struct Halftone {
    /// Dots in the width.
    pub(super) dots: f32,
    pub(super) coloured: bool,
    pub(super) paper: Vec3,
}

impl Step for Halftone {
    fn apply(&self, picture: &mut Picture, _: u64) {
        let size = picture.size();
        let pixels = size as f32;
        let shown = Grid { size, cells: shown_pixels(picture) }.gaussian(0.35 * pixels / self.dots);
        // How much darkness there is from bare to covered within a pixel.
        let steep = (pixels / (2.2 * self.dots)).max(0.8);
        each_pixel(picture, |x, y, _| {
            let (at, place) = (y * size + x, place_of(x, y, size));
            let dark = Vec3::ONE - shown.cells[at];
            let ink = |turn: f32, dark: f32| 1. - self.coverage(place, turn, dark, steep);
            let print = if self.coloured {
                Vec3::new(ink(0.26, dark.x), ink(1.31, dark.y), ink(0., dark.z))
            } else {
                Vec3::splat(ink(0.785, dark.dot(Vec3::new(0.3, 0.6, 0.1))))
            };
            DISPLAY.light3(self.paper * (Vec3::splat(0.07) + print * 0.93))
        });
    }
}

impl Halftone {
    fn coverage(&self, place: Vec2, turn: f32, dark: f32, steep: f32) -> f32 {
        let at = Vec2::from_angle(turn).rotate(place) * self.dots * std::f32::consts::TAU;
        let threshold = 0.5 + 0.25 * (at.x.cos() + at.y.cos());
        (0.5 + (dark - threshold) * steep).clamp(0., 1.)
    }
}

/// Scratches, stains, dust and a fold.
#[derive(Clone, Debug)]
pub(super) struct Aged {
    field: Field,
    marks: Vec<Stroke>,
}

impl Aged {
    /// The marks of a print.
    pub(super) fn draw(random: &mut Random) -> Self {
        let field = Field::draw(random);
        let mut marks = Vec::new();
        for _ in 0..random.below(4) {
            marks.push(stain(random));
        }
        for _ in 0..random.below(14) {
            marks.push(scratch(random));
        }
        for _ in 0..random.below(40) {
            marks.push(dust(random));
        }
        if random.chance(0.3) {
            marks.push(fold(random));
        }
        if random.chance(0.6) {
            marks.push(pale_edges(random));
        }
        Self { field, marks }
    }
}

impl Step for Aged {
    fn apply(&self, picture: &mut Picture, _: u64) {
        let size = picture.size();
        for mark in &self.marks {
            mark.paint(size, picture.pixels_mut(), &self.field);
        }
    }
}

fn anywhere(random: &mut Random) -> Vec2 {
    Vec2::new(random.between(-0.05, 1.05), random.between(-0.05, 1.05))
}

fn stain(random: &mut Random) -> Stroke {
    let half = Vec2::new(random.between(0.05, 0.3), random.between(0.05, 0.3));
    let shape =
        Shape::Blob { centre: anywhere(random), half, rough: 0.6, frequency: 6., offset: anywhere(random) * 20. };
    let colour = Vec3::new(0.9, 0.78, 0.55).lerp(Vec3::ONE, random.unit());
    let soft = random.between(0.02, 0.2);
    Stroke { mode: Mode::Times, soft, ..Stroke::new(shape, Fill::Plain(colour)) }
}

fn scratch(random: &mut Random) -> Stroke {
    let half = Vec2::new(random.between(0.02, 0.35), random.between(0.0008, 0.002));
    let turn = random.normal(1.5, 0.6);
    let shape = Shape::Box { centre: anywhere(random), half, turn, round: 0. };
    let colour = if random.chance(0.75) { Vec3::new(0.8, 0.76, 0.68) } else { Vec3::splat(0.03) };
    Stroke { opacity: random.between(0.15, 0.8), ..Stroke::new(shape, Fill::Plain(colour)) }
}

fn dust(random: &mut Random) -> Stroke {
    let half = Vec2::new(random.between(0.001, 0.006), random.between(0.001, 0.004));
    let shape = Shape::Ellipse { centre: anywhere(random), half, turn: random.between(0., 3.) };
    let colour = Vec3::splat(if random.chance(0.7) { 0.75 } else { 0.02 });
    Stroke { opacity: random.between(0.3, 1.), ..Stroke::new(shape, Fill::Plain(colour)) }
}

fn fold(random: &mut Random) -> Stroke {
    let turn = if random.chance(0.5) { 0. } else { std::f32::consts::FRAC_PI_2 } + random.normal(0., 0.1);
    let shape = Shape::Box { centre: anywhere(random), half: Vec2::new(1.5, 0.003), turn, round: 0. };
    Stroke { opacity: 0.5, soft: 0.008, ..Stroke::new(shape, Fill::Plain(Vec3::new(0.72, 0.68, 0.6))) }
}

fn pale_edges(random: &mut Random) -> Stroke {
    let tint = Vec3::new(0.75, 0.68, 0.55) * random.between(0.5, 1.1);
    let radius = Vec2::splat(random.between(0.75, 1.1));
    // Light that is added is nothing in the middle and most in the corners.
    let fill = Fill::Radial { centre: Vec2::splat(0.5), radius, colours: [Vec3::ZERO, tint * 0.5] };
    Stroke { mode: Mode::Add, ..Stroke::new(Shape::All, fill) }
}
