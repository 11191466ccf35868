//! Studios: paper sweeps, plain cards and coloured lights.

use glam::{Vec2, Vec3};

use super::{
    fill::Fill,
    sketch::{Sketch, any_colour, anywhere},
    stroke::{Mode, Shape, Stroke},
};
use crate::{
    random::Random,
    texture::{hsv, srgb},
};

/// White, black, grey and the colours of identity cards.
pub(super) fn plain(random: &mut Random, sketch: &mut Sketch) {
    let grey = random.between(0.02, 1.1);
    let choices = [
        (Vec3::splat(random.between(0.85, 1.3)), 4.),
        (Vec3::splat(random.between(0.002, 0.02)), 3.),
        (Vec3::splat(grey), 3.),
        (srgb(178, 203, 232) * random.between(0.6, 1.2), 1.5),
        (srgb(206, 43, 47) * random.between(0.6, 1.), 0.6),
        (srgb(52, 112, 190) * random.between(0.7, 1.1), 0.8),
        (srgb(40, 160, 70), 0.5),
        (any_colour(random, [0.2, 1.], [0.3, 1.]), 2.),
    ];
    let colour = *random.weighted(&choices);
    sketch.fill(Fill::Plain(colour));
    if random.chance(0.5) {
        let dark = random.between(0.8, 1.);
        sketch.falloff(random, dark, 1.03);
    }
}

/// A paper or cloth sweep with a light on it.
pub(super) fn sweep(random: &mut Random, sketch: &mut Sketch) {
    let value = random.between(0.15, 0.95);
    let colour = if random.chance(0.45) {
        hsv(random.unit(), random.between(0., 0.12), value)
    } else {
        any_colour(random, [0.15, 0.8], [0.2, 0.9])
    };
    if random.chance(0.35) {
        muslin(random, sketch, colour);
    } else {
        sketch.fill(Fill::Plain(colour));
    }
    if random.chance(0.25) {
        floor(random, sketch, colour);
    }
    let centre = Vec2::new(random.normal_within(0.5, 0.18, 2.), random.normal_within(0.45, 0.2, 2.));
    let radius = Vec2::new(random.between(0.3, 0.8), random.between(0.3, 0.9));
    let colours = [Vec3::splat(random.between(1., 1.5)), Vec3::splat(random.between(0.12, 0.8))];
    let fill = Fill::Radial { centre, radius, colours };
    sketch.add(Stroke { mode: Mode::Times, ..Stroke::new(Shape::All, fill) });
    if random.chance(0.3) {
        sketch.falloff(random, 0.5, 1.1);
    }
    sketch.finish(random.between(0., 0.03));
}

/// Hand-painted cloth: clouds of lighter and darker paint.
fn muslin(random: &mut Random, sketch: &mut Sketch, colour: Vec3) {
    let scale = Vec2::splat(random.between(2., 7.));
    let other = colour * random.between(0.35, 0.75) + any_colour(random, [0., 0.6], [0., 0.3]) * 0.3;
    let (octaves, contrast) = (4, random.between(0.4, 0.9));
    sketch.fill(Fill::Mottled {
        colours: [colour, other],
        scale,
        turn: 0.4,
        octaves,
        contrast,
        offset: anywhere(random),
    });
}

/// Where the wall meets the floor, softly.
fn floor(random: &mut Random, sketch: &mut Sketch, colour: Vec3) {
    let height = random.between(0.6, 0.9);
    let shape = Shape::Below { height, slope: 0., rough: 0., frequency: 1., octaves: 1, offset: 0. };
    let shade = Fill::Plain(colour * random.between(0.5, 1.4));
    sketch.add(Stroke { soft: random.between(0.02, 0.3), ..Stroke::new(shape, shade) });
}

/// Two or three coloured lights on a dark or grey wall.
pub(super) fn gels(random: &mut Random, sketch: &mut Sketch) {
    sketch.fill(Fill::Plain(any_colour(random, [0., 0.8], [0.02, 0.35])));
    let hue = random.unit();
    for light in 0..2 + random.below(2) {
        let side = if light == 0 { random.between(-0.15, 0.3) } else { random.between(0.6, 1.15) };
        let radius = Vec2::new(random.between(0.25, 0.7), random.between(0.3, 0.9));
        let colour = hsv(hue + light as f32 * random.between(0.15, 0.6), random.between(0.5, 1.), 1.);
        sketch.glow(Vec2::new(side, random.between(-0.1, 1.1)), radius, colour * random.between(0.2, 1.));
    }
    if random.chance(0.3) {
        let (x, turn) = (random.between(0., 1.), random.between(-0.6, 0.6));
        let colour = hsv(hue + random.unit(), random.between(0.3, 0.9), 1.) * random.between(1., 3.);
        sketch.bar(Vec2::new(x, random.between(0.1, 0.5)), Vec2::new(0.008, 0.5), turn, colour);
    }
    sketch.finish(random.between(0., 0.04));
}
