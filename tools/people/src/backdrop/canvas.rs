//! Painted canvases, as behind the sitters of old portraits.

use glam::{Vec2, Vec3};

use super::{
    fill::Fill,
    sketch::{Sketch, any_colour, anywhere, near, near_one_of},
    stroke::{Mode, Shape, Stroke},
};
use crate::{random::Random, texture::srgb};

/// Umber, or an idyll with a river, or strokes of any colours.
pub(super) fn draw(random: &mut Random, sketch: &mut Sketch) {
    match *random.weighted(&[(0, 5.), (1, 2.), (2, 1.5)]) {
        0 => umber(random, sketch),
        1 => idyll(random, sketch),
        _ => modern(random, sketch),
    }
}

/// Dark brown and green, lighter behind one shoulder, in soft strokes.
fn umber(random: &mut Random, sketch: &mut Sketch) {
    let tones =
        [srgb(58, 44, 30), srgb(70, 62, 40), srgb(52, 56, 44), srgb(84, 58, 38), srgb(40, 42, 46), srgb(110, 92, 66)];
    let base = near_one_of(random, &tones, 0.25) * random.between(0.5, 1.6);
    let (scale, offset) = (Vec2::splat(random.between(1.5, 4.)), anywhere(random));
    let colours = [base * 1.5, base * 0.5];
    sketch.fill(Fill::Mottled { colours, scale, turn: 0.5, octaves: 4, contrast: 0.6, offset });
    let light = Vec2::new(if random.chance(0.5) { 0.15 } else { 0.85 }, random.between(0.3, 0.7));
    sketch.glow(light, Vec2::new(random.between(0.25, 0.6), 0.5), base * random.between(0.3, 2.));
    strokes(random, sketch, &[base * 1.3, base * 0.7, base], 0.25);
    if random.chance(0.25) {
        curtain(random, sketch);
    }
    sketch.falloff(random, 0.3, 1.1);
    sketch.finish(random.between(0.003, 0.02));
}

/// A red, green or golden curtain at one side.
fn curtain(random: &mut Random, sketch: &mut Sketch) {
    let dyes = [srgb(120, 24, 22), srgb(40, 66, 40), srgb(130, 96, 40), srgb(36, 44, 84)];
    let colour = near_one_of(random, &dyes, 0.2);
    let (x, turn) = (if random.chance(0.5) { 0. } else { 1. }, random.between(-0.35, 0.35));
    let shape =
        Shape::Box { centre: Vec2::new(x, 0.4), half: Vec2::new(random.between(0.12, 0.25), 1.), turn, round: 0. };
    let colours = [colour * 0.2, colour];
    let fill = Fill::Folds { colours, frequency: random.between(6., 11.), turn, offset: anywhere(random) };
    sketch.add(Stroke { soft: 0.02, ..Stroke::new(shape, fill) });
}

/// Hazy hills in brown, green and blue, one behind the other.
fn idyll(random: &mut Random, sketch: &mut Sketch) {
    let sky = srgb(160, 168, 140).lerp(srgb(150, 175, 190), random.unit()) * random.between(0.5, 1.1);
    let (from, to) = (Vec2::ZERO, Vec2::new(0., 0.6));
    sketch.fill(Fill::Linear { from, to, colours: [sky * 0.6, sky * 1.1] });
    let horizon = random.between(0.3, 0.55);
    let (blue, brown) = (srgb(96, 120, 120), near(random, srgb(92, 74, 40), 0.2));
    for hill in 0..6 {
        let nearness = hill as f32 / 5.;
        let colour = near(random, sky.lerp(blue, 0.5).lerp(brown, nearness), 0.12) * (1. - 0.35 * nearness);
        let shape = Shape::Below {
            height: horizon + 0.1 * hill as f32,
            slope: random.normal(0., 0.15),
            rough: 0.05,
            frequency: random.between(2., 5.),
            octaves: 4,
            offset: random.between(0., 60.),
        };
        let (scale, offset) = (Vec2::new(6., 14.), anywhere(random));
        let fill =
            Fill::Mottled { colours: [colour, colour * 0.6], scale, turn: 0.2, octaves: 3, contrast: 0.6, offset };
        sketch.add(Stroke { soft: 0.015, ..Stroke::new(shape, fill) });
    }
    river(random, sketch, horizon, sky);
    strokes(random, sketch, &[brown, blue * 0.7, sky * 0.8], 0.12);
    sketch.finish(random.between(0.003, 0.014));
}

fn river(random: &mut Random, sketch: &mut Sketch, horizon: f32, sky: Vec3) {
    let mut place = Vec2::new(random.between(0., 1.), horizon + 0.1);
    let drift = random.between(-0.07, 0.07);
    for bend in 0..14 {
        let width = 0.02 + 0.006 * bend as f32;
        let shape = Shape::Ellipse { centre: place, half: Vec2::new(width * 1.3, width * 0.8), turn: 0. };
        sketch.add(Stroke { soft: 0.02, ..Stroke::new(shape, Fill::Plain(sky * 0.8)) });
        place += Vec2::new(drift * (0.8 * bend as f32).sin(), 0.026);
    }
}

/// Short strokes of a palette that follow a slowly turning direction.
fn strokes(random: &mut Random, sketch: &mut Sketch, palette: &[Vec3], opacity: f32) {
    let (turn, wave) = (random.between(0., 3.1), random.between(0.5, 3.));
    let length = random.between(0.04, 0.11);
    for _ in 0..95 {
        let centre = Vec2::new(random.unit(), random.unit());
        let half = Vec2::new(length, length * random.between(0.3, 0.55)) * random.between(0.6, 1.4);
        let angle = turn + wave * (centre.x - 0.5) + wave * 0.7 * (centre.y * 5.).sin() * 0.4 + random.normal(0., 0.2);
        let fill = Fill::Plain(near_one_of(random, palette, 0.15));
        let shape = Shape::Ellipse { centre, half, turn: angle };
        sketch.add(Stroke { opacity: opacity * random.between(0.5, 1.), soft: 0.03, ..Stroke::new(shape, fill) });
    }
}

/// Bold strokes of three or four colours.
fn modern(random: &mut Random, sketch: &mut Sketch) {
    let base = any_colour(random, [0.1, 0.7], [0.2, 0.9]);
    sketch.fill(Fill::Plain(base));
    let palette: Vec<Vec3> =
        (0..3).map(|_| base.lerp(any_colour(random, [0.2, 0.9], [0.1, 0.95]), random.between(0.2, 0.9))).collect();
    strokes(random, sketch, &palette, 0.7);
    strokes(random, sketch, &palette, 0.9);
    if random.chance(0.5) {
        let shade = Fill::Plain(Vec3::splat(random.between(0.3, 0.7)));
        let shape = Shape::Below {
            height: 0.7,
            slope: random.normal(0., 0.2),
            rough: 0.1,
            frequency: 2.,
            octaves: 3,
            offset: 3.,
        };
        sketch.add(Stroke { mode: Mode::Times, soft: 0.2, ..Stroke::new(shape, shade) });
    }
    sketch.finish(random.between(0., 0.012));
}
