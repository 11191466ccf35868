//! Walls close behind a person, and drapery.

use glam::{Vec2, Vec3};

use super::{
    Scene,
    fill::{Bricks, Figure, Fill, Planks},
    sketch::{Sketch, any_colour, anywhere, depth_of_field, near},
    stroke::{Mode, Shape, Stroke},
};
use crate::{
    random::Random,
    texture::{hsv, srgb},
};

/// A wall of some material, with light across it.
pub(super) fn draw(random: &mut Random, sketch: &mut Sketch) {
    surface(random, sketch);
    if random.chance(0.25) {
        corner(random, sketch);
    }
    let dark = random.between(0.35, 0.9);
    sketch.falloff(random, dark, 1.15);
    if random.chance(0.25) {
        window_light(random, sketch);
    }
    sketch.finish(depth_of_field(random, 0., 0.035));
}

/// Fills all with a material.
pub(super) fn surface(random: &mut Random, sketch: &mut Sketch) {
    let materials: [(Scene, f32); 6] =
        [(plaster, 5.), (bricks, 2.5), (planks, 2.5), (paper, 3.), (tiles, 1.5), (concrete, 2.)];
    random.weighted(&materials)(random, sketch);
}

/// The colours that walls are painted in: mostly pale.
pub(super) fn paint_colour(random: &mut Random) -> Vec3 {
    match random.below(4) {
        0 => hsv(random.between(0.05, 0.15), random.between(0.03, 0.25), random.between(0.7, 0.97)),
        1 => hsv(random.unit(), random.between(0., 0.05), random.between(0.5, 0.97)),
        2 => any_colour(random, [0.1, 0.35], [0.5, 0.95]),
        _ => any_colour(random, [0.3, 0.75], [0.2, 0.8]),
    }
}

fn plaster(random: &mut Random, sketch: &mut Sketch) {
    let colour = paint_colour(random);
    let worn = random.between(0.03, 0.3);
    let (scale, contrast) = (Vec2::splat(random.between(3., 9.)), random.between(0.5, 1.));
    let colours = [colour, near(random, colour, 0.3) * (1. - worn)];
    sketch.fill(Fill::Mottled { colours, scale, turn: 0.3, octaves: 4, contrast, offset: anywhere(random) });
    speckle(random, sketch, worn * 0.6);
}

/// Fine roughness that multiplies.
fn speckle(random: &mut Random, sketch: &mut Sketch, amount: f32) {
    let scale = Vec2::splat(random.between(40., 110.));
    let colours = [Vec3::splat(1. - amount), Vec3::splat(1. + amount)];
    let fill = Fill::Mottled { colours, scale, turn: 0.8, octaves: 1, contrast: 0.6, offset: anywhere(random) };
    sketch.add(Stroke { mode: Mode::Times, ..Stroke::new(Shape::All, fill) });
}

fn concrete(random: &mut Random, sketch: &mut Sketch) {
    let grey = hsv(random.between(0.05, 0.6), random.between(0., 0.08), random.between(0.35, 0.75));
    let (scale, offset) = (Vec2::new(random.between(2., 5.), random.between(2., 8.)), anywhere(random));
    sketch.fill(Fill::Mottled { colours: [grey, grey * 0.6], scale, turn: 0., octaves: 4, contrast: 0.8, offset });
    speckle(random, sketch, 0.12);
    if random.chance(0.5) {
        let (size, gap) = (Vec2::new(random.between(0.5, 1.), random.between(0.4, 0.8)), 0.006);
        let colours = [Vec3::splat(0.92), Vec3::splat(1.05)];
        let panels =
            Bricks { colours, mortar: Vec3::splat(0.45), size, gap, stagger: 0., rough: 0., seed: random.seed() };
        sketch.add(Stroke { mode: Mode::Times, ..Stroke::new(Shape::All, Fill::Bricks(panels)) });
    }
}

fn bricks(random: &mut Random, sketch: &mut Sketch) {
    let base = match random.below(4) {
        0 | 1 => srgb(150, 72, 52),
        2 => srgb(222, 216, 206),
        _ => srgb(120, 98, 80),
    };
    let base = near(random, base, 0.2);
    let width = random.between(0.13, 0.32);
    let size = Vec2::new(width, width * random.between(0.3, 0.42));
    let colours = [near(random, base, 0.3), near(random, base, 0.3)];
    let mortar = if random.chance(0.6) { srgb(175, 168, 156) } else { base * 0.45 };
    let gap = size.y * random.between(0.1, 0.2);
    let rough = random.between(0.1, 0.3);
    let fill = Bricks { colours, mortar, size, gap, stagger: 0.5, rough, seed: random.seed() };
    sketch.fill(Fill::Bricks(fill));
}

fn tiles(random: &mut Random, sketch: &mut Sketch) {
    let colour = paint_colour(random);
    let width = random.between(0.09, 0.25);
    let size = Vec2::new(width, width * *random.pick(&[1., 1., 0.5, 0.7]));
    let colours = [colour, near(random, colour, 0.12)];
    let mortar = Vec3::splat(random.between(0.15, 0.7));
    let (stagger, gap) = (*random.pick(&[0., 0., 0.5]), width * random.between(0.03, 0.08));
    sketch.fill(Fill::Bricks(Bricks { colours, mortar, size, gap, stagger, rough: 0.03, seed: random.seed() }));
}

fn planks(random: &mut Random, sketch: &mut Sketch) {
    let wood = wood_colour(random);
    let colours = [near(random, wood, 0.2), near(random, wood, 0.2) * 0.75];
    let (width, upright) = (random.between(0.07, 0.25), random.chance(0.55));
    let gap = width * random.between(0.02, 0.08);
    sketch.fill(Fill::Planks(Planks { colours, width, upright, gap, seed: random.seed() }));
}

/// Wood from pine to walnut, or painted white or grey.
pub(super) fn wood_colour(random: &mut Random) -> Vec3 {
    match random.below(6) {
        0 => srgb(228, 224, 214) * random.between(0.6, 1.),
        1 => srgb(130, 124, 116) * random.between(0.5, 1.2),
        _ => srgb(196, 152, 102).lerp(srgb(74, 44, 28), random.unit()),
    }
}

fn paper(random: &mut Random, sketch: &mut Sketch) {
    let ground = paint_colour(random);
    let other = if random.chance(0.6) { near(random, ground, 0.3) } else { any_colour(random, [0.1, 0.6], [0.3, 0.9]) };
    let figures = [Figure::Stripes, Figure::Dots, Figure::Diamonds, Figure::Leaves, Figure::Checks];
    let (figure, scale) = (*random.pick(&figures), random.between(6., 18.));
    sketch.fill(Fill::Paper { colours: [ground, other], figure, scale, offset: anywhere(random) });
}

/// The next wall, lighter or darker.
fn corner(random: &mut Random, sketch: &mut Sketch) {
    let x = if random.chance(0.5) { random.between(0.05, 0.3) } else { random.between(0.7, 0.95) };
    let (low, high) = if x < 0.5 { (-1., x) } else { (x, 2.) };
    let lean = random.between(-0.03, 0.03);
    let corners = vec![Vec2::new(low, -1.), Vec2::new(high, -1.), Vec2::new(high + lean, 2.), Vec2::new(low, 2.)];
    let shade = Fill::Plain(Vec3::splat(random.between(0.55, 1.3)));
    sketch.add(Stroke { mode: Mode::Times, ..Stroke::new(Shape::Convex(corners), shade) });
}

/// Slanting patches of sun through a window.
fn window_light(random: &mut Random, sketch: &mut Sketch) {
    let (turn, soft) = (random.between(-0.5, 0.5), random.between(0.01, 0.06));
    let start = Vec2::new(random.between(0., 0.8), random.between(0., 0.5));
    let half = Vec2::new(random.between(0.05, 0.11), random.between(0.1, 0.25));
    let gain = Vec3::new(1., 0.9, 0.72) * random.between(1.4, 2.6);
    let axes = (Vec2::from_angle(turn), Vec2::from_angle(turn).perp());
    for pane in 0..4 {
        let (column, row) = ((pane % 2) as f32, (pane / 2) as f32);
        let centre = start + axes.0 * column * (2. * half.x + 0.03) + axes.1 * row * (2. * half.y + 0.03);
        let shape = Shape::Box { centre, half, turn, round: 0. };
        sketch.add(Stroke { mode: Mode::Times, soft, ..Stroke::new(shape, Fill::Plain(gain)) });
    }
}

/// A curtain or cloth that fills the picture.
pub(super) fn drapery(random: &mut Random, sketch: &mut Sketch) {
    let colour = any_colour(random, [0., 0.85], [0.25, 0.9]);
    let colours = [colour * random.between(0.1, 0.5), colour];
    let (frequency, turn) = (random.between(2.5, 9.), random.normal(0., 0.2));
    sketch.fill(Fill::Folds { colours, frequency, turn, offset: anywhere(random) });
    sketch.falloff(random, 0.3, 1.2);
    sketch.finish(depth_of_field(random, 0., 0.03));
}
