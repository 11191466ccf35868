//! Rooms: walls with windows, doors, shelves, lamps, pictures, curtains and plants, seen out of focus.

use glam::{Vec2, Vec3};

use super::{
    fill::{Fill, Sky},
    sketch::{Sketch, any_colour, anywhere, depth_of_field, near, rect},
    stroke::{Mode, Shape, Stroke},
    wall::{paint_colour, surface, wood_colour},
};
use crate::{
    random::Random,
    texture::{hsv, srgb},
};

/// A room with some of its furniture.
pub(super) fn draw(random: &mut Random, sketch: &mut Sketch) {
    if random.chance(0.25) {
        surface(random, sketch);
    } else {
        sketch.fill(Fill::Plain(paint_colour(random)));
    }
    let floor = random.between(0.75, 1.3);
    skirting(random, sketch, floor);
    let dark = random.between(0.35, 0.8);
    sketch.falloff(random, dark, 1.1);
    let blur = depth_of_field(random, 0.004, 0.06);
    // Whatever stands in the middle is hidden: one thing at each side, sometimes one between.
    let left = random.between(-0.1, 0.14);
    let right = random.between(0.62, 0.8);
    thing(random, sketch, left, floor);
    thing(random, sketch, right, floor);
    if random.chance(0.4) {
        let middle = random.between(0.3, 0.5);
        thing(random, sketch, middle, floor);
    }
    sketch.blur(blur * random.between(0.3, 0.6));
    if random.chance(0.6) {
        let side = if random.chance(0.5) { random.between(-0.05, 0.15) } else { random.between(0.8, 1.) };
        nearer_thing(random, sketch, side, floor);
    }
    if random.chance(0.35) {
        ceiling_lights(random, sketch);
    }
    sketch.finish(blur);
}

fn thing(random: &mut Random, sketch: &mut Sketch, x: f32, floor: f32) {
    type Thing = fn(&mut Random, &mut Sketch, f32, f32);
    let things: [(Thing, f32); 7] =
        [(window, 4.), (door, 2.), (shelf, 3.5), (picture, 2.5), (cupboard, 1.5), (screen, 0.8), (doorway, 1.)];
    random.weighted(&things)(random, sketch, x, floor);
}

fn nearer_thing(random: &mut Random, sketch: &mut Sketch, x: f32, floor: f32) {
    type Thing = fn(&mut Random, &mut Sketch, f32, f32);
    let things: [(Thing, f32); 4] = [(lamp, 3.), (plant, 3.), (sofa, 2.), (curtain, 2.)];
    random.weighted(&things)(random, sketch, x, floor);
}

fn skirting(random: &mut Random, sketch: &mut Sketch, floor: f32) {
    let wood = wood_colour(random);
    let colours = [wood, wood * 0.5];
    sketch.rect(
        Vec2::new(-1., floor),
        Vec2::new(2., 3.),
        Fill::Linear { from: Vec2::new(0.5, floor), to: Vec2::new(0.5, floor + 0.4), colours },
    );
    let board = if random.chance(0.6) { Vec3::splat(0.75) } else { wood };
    sketch.rect(Vec2::new(-1., floor - 0.035), Vec2::new(2., floor), Fill::Plain(board));
}

/// A bright window with bars, often with curtains, and its light on the wall.
fn window(random: &mut Random, sketch: &mut Sketch, x: f32, _: f32) {
    let (low, size) =
        (Vec2::new(x, random.between(-0.15, 0.2)), Vec2::new(random.between(0.22, 0.5), random.between(0.35, 0.7)));
    let high = low + size;
    let frame = if random.chance(0.7) { Vec3::splat(random.between(0.4, 0.9)) } else { wood_colour(random) };
    sketch.rect(low - 0.025, high + 0.025, Fill::Plain(frame));
    view(random, sketch, low, high);
    for bar in 1..=random.below(3) {
        let at = low.x + size.x * bar as f32 / 2.;
        sketch.rect(Vec2::new(at - 0.008, low.y), Vec2::new(at + 0.008, high.y), Fill::Plain(frame * 0.8));
    }
    if random.chance(0.5) {
        let at = low.y + size.y * random.between(0.3, 0.6);
        sketch.rect(Vec2::new(low.x, at - 0.008), Vec2::new(high.x, at + 0.008), Fill::Plain(frame * 0.8));
    }
    if random.chance(0.25) {
        blinds(sketch, low, high, frame);
    }
    if random.chance(0.5) {
        curtains(random, sketch, low, high);
    }
    sketch.glow((low + high) / 2., size * 0.9, Vec3::new(0.85, 0.95, 1.) * random.between(0.05, 0.3));
}

/// What is seen through a window: sky, and green or houses below, too bright for the room's exposure.
fn view(random: &mut Random, sketch: &mut Sketch, low: Vec2, high: Vec2) {
    let bright = random.between(0.9, 2.6);
    let sky = Sky {
        zenith: srgb(150, 190, 235) * bright,
        low: Vec3::ONE * bright,
        cloud: Vec3::splat(1.1) * bright,
        shade: Vec3::splat(0.9) * bright,
        cover: random.between(0.2, 0.9),
        horizon: high.y,
        scale: 1.,
        offset: anywhere(random),
    };
    sketch.rect(low, high, Fill::Sky(sky));
    if random.chance(0.6) {
        let top = Vec2::new(low.x, low.y + (high.y - low.y) * random.between(0.45, 0.9));
        let far = near(random, srgb(120, 150, 90), 0.4) * bright * 0.6;
        let (scale, offset) = (Vec2::splat(9.), anywhere(random));
        let colours = [far, far * 0.5];
        let fill = Fill::Mottled { colours, scale, turn: 0., octaves: 2, contrast: 0.8, offset };
        sketch.add(Stroke { soft: 0.04, ..Stroke::new(rect(top, high), fill) });
    }
}

fn blinds(sketch: &mut Sketch, low: Vec2, high: Vec2, colour: Vec3) {
    let slats = ((high.y - low.y) / 0.03) as usize;
    for slat in 0..slats {
        let y = low.y + 0.03 * slat as f32;
        sketch.rect(Vec2::new(low.x, y), Vec2::new(high.x, y + 0.018), Fill::Plain(colour));
    }
}

fn curtains(random: &mut Random, sketch: &mut Sketch, low: Vec2, high: Vec2) {
    let colour = any_colour(random, [0., 0.6], [0.4, 0.95]);
    let width = (high.x - low.x) * random.between(0.2, 0.4);
    for left in [low.x - width * 0.7, high.x - width * 0.3] {
        cloth(random, sketch, left, left + width, low.y - 0.08, colour);
    }
}

fn cloth(random: &mut Random, sketch: &mut Sketch, left: f32, right: f32, top: f32, colour: Vec3) {
    let fill = Fill::Folds {
        colours: [colour * 0.45, colour],
        frequency: random.between(14., 26.),
        turn: 0.,
        offset: anywhere(random),
    };
    sketch.rect(Vec2::new(left, top), Vec2::new(right, 2.), fill);
}

fn curtain(random: &mut Random, sketch: &mut Sketch, x: f32, _: f32) {
    let colour = any_colour(random, [0., 0.7], [0.3, 0.95]);
    let width = random.between(0.08, 0.2);
    cloth(random, sketch, x - width, x + width, -0.1, colour);
}

fn door(random: &mut Random, sketch: &mut Sketch, x: f32, floor: f32) {
    let width = random.between(0.28, 0.42);
    let (low, high) = (Vec2::new(x, floor - width * random.between(2., 2.4)), Vec2::new(x + width, floor));
    let colour = if random.chance(0.5) { Vec3::splat(random.between(0.5, 0.85)) } else { wood_colour(random) };
    sketch.rect(low - Vec2::splat(0.03), high + Vec2::new(0.03, 0.), Fill::Plain(near(random, colour, 0.2)));
    sketch.rect(low, high, Fill::Plain(colour));
    for panel in 0..3 {
        let top = low.y + (high.y - low.y) * (0.06 + 0.31 * panel as f32);
        let bottom = top + (high.y - low.y) * 0.25;
        for column in 0..2 {
            let left = low.x + width * (0.12 + 0.42 * column as f32);
            let corner = Vec2::new(left + width * 0.33, bottom);
            sketch.rect(Vec2::new(left, top), corner, Fill::Plain(colour * 0.72));
            sketch.rect(Vec2::new(left + 0.006, top + 0.01), corner - 0.004, Fill::Plain(colour * 0.93));
        }
    }
    sketch.ellipse(Vec2::new(low.x + width * 0.92, (low.y + high.y) / 2.), Vec2::splat(0.014), 0., srgb(190, 160, 90));
}

/// An open door to a room with other light.
fn doorway(random: &mut Random, sketch: &mut Sketch, x: f32, floor: f32) {
    let width = random.between(0.28, 0.45);
    let (low, high) = (Vec2::new(x, floor - width * 2.2), Vec2::new(x + width, floor));
    sketch.rect(low - Vec2::splat(0.03), high + Vec2::new(0.03, 0.), Fill::Plain(wood_colour(random)));
    let inside = paint_colour(random) * random.between(0.08, 1.2);
    sketch.rect(low, high, Fill::Linear { from: low, to: high, colours: [inside, inside * random.between(0.3, 1.2)] });
    let edge = low.x + width * random.between(0.3, 0.8);
    sketch.rect(Vec2::new(edge, low.y), high, Fill::Plain(inside * random.between(0.4, 1.6)));
}

/// Shelves with books that stand, lean and lie.
fn shelf(random: &mut Random, sketch: &mut Sketch, x: f32, floor: f32) {
    let wood = wood_colour(random);
    let width = random.between(0.3, 0.6);
    let (top, step) = (random.between(-0.15, 0.2), random.between(0.14, 0.24));
    let bottom = floor.min(1.1);
    sketch.rect(Vec2::new(x, top), Vec2::new(x + width, bottom), Fill::Plain(wood * 0.35));
    let mut y = top;
    while y < bottom {
        books(random, sketch, [x + 0.015, x + width - 0.015], y + step, step * 0.85);
        sketch.rect(Vec2::new(x, y), Vec2::new(x + width, y + 0.018), Fill::Plain(wood));
        y += step;
    }
    for side in [x, x + width - 0.015] {
        sketch.rect(Vec2::new(side, top), Vec2::new(side + 0.015, bottom), Fill::Plain(wood * 0.9));
    }
}

fn books(random: &mut Random, sketch: &mut Sketch, [mut x, right]: [f32; 2], base: f32, tallest: f32) {
    let muted = random.between(0.3, 0.9);
    while x < right - 0.02 {
        if random.chance(0.06) {
            x += random.between(0.03, 0.12);
            continue;
        }
        let width = random.between(0.012, 0.036).min(right - x);
        let height = tallest * random.between(0.6, 1.);
        let colour = if random.chance(0.25) {
            Vec3::splat(random.between(0.3, 0.8))
        } else {
            hsv(random.unit(), random.between(0.1, 0.9) * muted, random.between(0.15, 0.85))
        };
        let (low, high) = (Vec2::new(x, base - height), Vec2::new(x + width * 0.93, base));
        sketch.rect(low, high, Fill::Plain(colour));
        if random.chance(0.4) {
            let band = low.y + height * random.between(0.15, 0.5);
            let label = if random.chance(0.5) { Vec3::splat(0.7) } else { srgb(196, 160, 80) };
            sketch.rect(Vec2::new(low.x, band), Vec2::new(high.x, band + height * 0.1), Fill::Plain(label));
        }
        x += width;
    }
}

/// A framed picture: a landscape, a print or a photograph.
fn picture(random: &mut Random, sketch: &mut Sketch, x: f32, _: f32) {
    let size = Vec2::new(random.between(0.14, 0.4), random.between(0.16, 0.42));
    let low = Vec2::new(x, random.between(0.02, 0.3));
    let high = low + size;
    let frame = if random.chance(0.4) { Vec3::splat(0.02) } else { wood_colour(random) };
    sketch.rect(low + 0.012, high + 0.018, Fill::Plain(Vec3::splat(0.1)));
    sketch.rect(low, high, Fill::Plain(frame));
    let mut inset = Vec2::splat(random.between(0.01, 0.025));
    if random.chance(0.5) {
        sketch.rect(low + inset, high - inset, Fill::Plain(Vec3::splat(0.8)));
        inset += random.between(0.02, 0.05);
    }
    let colours = [any_colour(random, [0.1, 0.8], [0.2, 0.95]), any_colour(random, [0.1, 0.8], [0.1, 0.9])];
    let (scale, offset) = (Vec2::new(random.between(3., 12.), random.between(3., 16.)), anywhere(random));
    let fill = Fill::Mottled { colours, scale, turn: 0., octaves: 3, contrast: random.between(0.6, 1.5), offset };
    sketch.rect(low + inset, high - inset, fill);
}

fn cupboard(random: &mut Random, sketch: &mut Sketch, x: f32, floor: f32) {
    let colour = if random.chance(0.5) { wood_colour(random) } else { paint_colour(random) };
    let (top, width) = (random.between(-0.2, 0.6), random.between(0.35, 0.6));
    sketch.rect(Vec2::new(x, top), Vec2::new(x + width, floor), Fill::Plain(colour));
    let doors = 2 + random.below(2);
    for door in 0..doors {
        let share = width / doors as f32;
        let left = x + share * door as f32;
        sketch.rect(Vec2::new(left, top), Vec2::new(left + 0.006, floor), Fill::Plain(colour * 0.4));
        let handle = Vec2::new(left + share * 0.88, top + (floor - top) * 0.5);
        sketch.rect(handle, handle + Vec2::new(0.01, 0.06), Fill::Plain(Vec3::splat(0.35)));
    }
    for object in 0..random.below(4) {
        let at = Vec2::new(x + width * (0.15 + 0.25 * object as f32), top);
        let (half, colour) = (Vec2::new(0.03, random.between(0.04, 0.1)), any_colour(random, [0.1, 0.9], [0.2, 0.95]));
        sketch.ellipse(at - Vec2::Y * half.y * 0.8, half, 0., colour);
    }
}

/// A monitor or a television.
fn screen(random: &mut Random, sketch: &mut Sketch, x: f32, _: f32) {
    let (low, size) =
        (Vec2::new(x, random.between(0.2, 0.5)), Vec2::new(random.between(0.3, 0.45), random.between(0.2, 0.28)));
    sketch.rect(low - 0.012, low + size + 0.012, Fill::Plain(Vec3::splat(0.01)));
    let bright = random.between(0.02, 1.1);
    let colours =
        [any_colour(random, [0.2, 0.9], [0.4, 1.]) * bright, any_colour(random, [0., 0.6], [0.4, 1.]) * bright];
    sketch.rect(low, low + size, Fill::Linear { from: low, to: low + size, colours });
    let foot = Vec2::new(x + size.x / 2., low.y + size.y + 0.05);
    sketch.rect(foot - Vec2::new(0.02, 0.04), foot + Vec2::new(0.02, 0.04), Fill::Plain(Vec3::splat(0.02)));
}

/// A lamp with a warm shade, mostly lit.
fn lamp(random: &mut Random, sketch: &mut Sketch, x: f32, _: f32) {
    let (y, height, half) = (random.between(0.1, 0.5), random.between(0.12, 0.2), random.between(0.08, 0.14));
    let lit = random.chance(0.75);
    let colour = hsv(random.between(0.06, 0.14), random.between(0.15, 0.55), 1.);
    let bright = if lit { random.between(0.9, 2.6) } else { 0.5 };
    let top = half * random.between(0.5, 0.95);
    let stem = Vec3::splat(random.between(0.02, 0.3));
    sketch.rect(Vec2::new(x - 0.008, y + height), Vec2::new(x + 0.008, 2.), Fill::Plain(stem));
    let corners = [(-top, 0.), (top, 0.), (half, height), (-half, height)].map(|(dx, dy)| Vec2::new(x + dx, y + dy));
    sketch.convex(corners.to_vec(), colour * bright);
    if lit {
        sketch.glow(
            Vec2::new(x, y + height / 2.),
            Vec2::splat(random.between(0.2, 0.45)),
            colour * random.between(0.2, 0.6),
        );
    }
}

/// A plant in a pot, or only its leaves from below the picture.
fn plant(random: &mut Random, sketch: &mut Sketch, x: f32, floor: f32) {
    let root = Vec2::new(x, random.between(0.65, 1.05).min(floor));
    let (count, reach) = (9 + random.below(22), random.between(0.2, 0.42));
    let slim = random.between(0.1, 0.35);
    let green = hsv(random.between(0.22, 0.4), random.between(0.35, 0.8), random.between(0.25, 0.65));
    for _ in 0..count {
        let angle = random.normal_within(-std::f32::consts::FRAC_PI_2, 0.65, 2.);
        let length = reach * random.between(0.5, 1.);
        let tip = root + Vec2::from_angle(angle) * length;
        let leaf = length * random.between(0.25, 0.5);
        let droop = angle + random.normal(0., 0.4);
        let stem = Vec2::new(length / 2., 0.003);
        sketch.bar((root + tip) / 2., stem, angle, green * 0.5);
        sketch.ellipse(tip, Vec2::new(leaf, leaf * slim), droop, near(random, green, 0.35));
    }
    let pot = near(random, srgb(170, 110, 80), 0.5);
    let corners = [(-0.09, 0.), (0.09, 0.), (0.06, 0.2), (-0.06, 0.2)].map(|(dx, dy)| root + Vec2::new(dx, dy));
    sketch.convex(corners.to_vec(), pot);
}

fn sofa(random: &mut Random, sketch: &mut Sketch, x: f32, _: f32) {
    let colour = any_colour(random, [0.05, 0.7], [0.15, 0.8]);
    let (top, half) = (random.between(0.6, 0.85), random.between(0.35, 0.7));
    let back = Shape::Box { centre: Vec2::new(x, top + 0.3), half: Vec2::new(half, 0.3), turn: 0., round: 0.06 };
    let fill = Fill::Linear { from: Vec2::new(x, top), to: Vec2::new(x, top + 0.4), colours: [colour, colour * 0.45] };
    sketch.add(Stroke::new(back, fill));
    for cushion in 0..random.below(3) {
        let centre = Vec2::new(x + (cushion as f32 - 0.5) * half, top + 0.1);
        let shape = Shape::Box { centre, half: Vec2::splat(0.09), turn: random.normal(0., 0.3), round: 0.04 };
        sketch.add(Stroke::new(shape, Fill::Plain(any_colour(random, [0.1, 0.9], [0.3, 0.95]))));
    }
}

/// Lights on the ceiling of an office, or pendants in a café.
fn ceiling_lights(random: &mut Random, sketch: &mut Sketch) {
    let warm = random.chance(0.6);
    let colour = if warm { Vec3::new(1., 0.72, 0.4) } else { Vec3::new(0.9, 1., 1.05) };
    let bright = random.between(1.5, 6.);
    for _ in 0..=random.below(6) {
        let centre = Vec2::new(random.unit(), random.between(-0.02, 0.28));
        let half =
            if warm { Vec2::splat(random.between(0.012, 0.03)) } else { Vec2::new(random.between(0.04, 0.12), 0.014) };
        let shape = Shape::Ellipse { centre, half, turn: 0. };
        sketch.add(Stroke { mode: Mode::Add, ..Stroke::new(shape, Fill::Plain(colour * bright)) });
    }
}
