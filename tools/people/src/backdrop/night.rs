//! Lights at night, out of focus.

use glam::{Vec2, Vec3};

use super::{
    fill::Fill,
    sketch::{Sketch, near, near_one_of},
    stroke::{Mode, Shape, Stroke},
};
use crate::{
    random::Random,
    texture::{hsv, srgb},
};

/// A town by night: points of light, which the blur makes discs.
pub(super) fn draw(random: &mut Random, sketch: &mut Sketch) {
    let dark = hsv(random.between(0.55, 0.75), random.between(0.2, 0.8), random.between(0.03, 0.22));
    let (from, to) = (Vec2::new(0.5, 0.), Vec2::new(0.5, 1.));
    let ground = near(random, dark, 0.3) + srgb(60, 40, 20) * random.unit();
    sketch.fill(Fill::Linear { from, to, colours: [dark, ground] });
    let blur = random.between(0.012, 0.06);
    if random.chance(0.4) {
        houses(random, sketch, dark);
    }
    let palette = palette(random);
    let band = (random.between(0.2, 0.6), random.between(0.12, 0.4));
    for _ in 0..random.between(15., 110.) as usize {
        let centre = Vec2::new(random.between(-0.05, 1.05), random.normal(band.0, band.1));
        light(random, sketch, centre, blur, &palette);
    }
    sketch.blur(blur);
    // A few nearer to us in depth, and so larger or smaller discs.
    for _ in 0..random.below(8) {
        let centre = Vec2::new(random.between(-0.05, 1.05), random.unit());
        light(random, sketch, centre, blur, &palette);
    }
    sketch.finish(blur * random.between(0.5, 0.9));
}

fn palette(random: &mut Random) -> Vec<Vec3> {
    let any = [srgb(255, 170, 80), srgb(255, 214, 150), srgb(220, 235, 255), srgb(255, 60, 40), srgb(80, 200, 255)];
    if random.chance(0.3) {
        return (0..4).map(|_| hsv(random.unit(), random.between(0.6, 1.), 1.)).collect();
    }
    any[..2 + random.below(4)].to_vec()
}

fn light(random: &mut Random, sketch: &mut Sketch, centre: Vec2, blur: f32, palette: &[Vec3]) {
    let radius = 0.01;
    let strength = random.between(0.08, 1.).powi(2) * random.between(0.4, 1.6);
    let colour = near_one_of(random, palette, 0.1) * strength * (blur / radius).powi(2).max(1.);
    let shape = Shape::Ellipse { centre, half: Vec2::splat(radius), turn: 0. };
    sketch.add(Stroke { mode: Mode::Add, ..Stroke::new(shape, Fill::Plain(colour)) });
}

fn houses(random: &mut Random, sketch: &mut Sketch, dark: Vec3) {
    let mut x = random.between(-0.2, 0.);
    while x < 1. {
        let (width, top) = (random.between(0.12, 0.35), random.between(0.05, 0.6));
        let wall = near(random, dark, 0.4) * 1.4;
        let lit = srgb(255, 200, 120) * random.between(0.4, 1.6);
        let cell = Vec2::new(0.035, 0.05) * random.between(0.7, 1.6);
        let fill =
            Fill::Windows { wall, lit, dark: wall * 0.5, cell, share: random.between(0.1, 0.5), seed: random.seed() };
        sketch.rect(Vec2::new(x, top), Vec2::new(x + width, 1.), fill);
        x += width * random.between(0.9, 1.2);
    }
}
