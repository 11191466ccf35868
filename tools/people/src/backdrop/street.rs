//! Streets with houses, cars and passers-by.

use glam::{Vec2, Vec3};

use super::{
    fill::Fill,
    outdoors::{Hour, house_colour},
    sketch::{Sketch, any_colour, depth_of_field, near},
    stroke::{Shape, Stroke},
};
use crate::{random::Random, texture::srgb};

/// A street by day: houses that recede on both sides, a pavement and whoever is there.
pub(super) fn draw(random: &mut Random, sketch: &mut Sketch) {
    let hour = Hour::draw(random);
    let horizon = random.between(0.5, 0.75);
    let vanishing = Vec2::new(random.between(0.2, 0.8), horizon);
    hour.sky(random, sketch, horizon);
    let road = near(random, srgb(120, 118, 116), 0.2) * hour.light;
    let below = Shape::Below { height: horizon + 0.02, slope: 0., rough: 0., frequency: 1., octaves: 1, offset: 0. };
    let colours = [road, road * 0.7];
    sketch.add(Stroke::new(below, Fill::Linear { from: vanishing, to: Vec2::new(0.5, 1.), colours }));
    houses(random, sketch, &hour, vanishing);
    let blur = depth_of_field(random, 0.006, 0.05);
    sketch.blur(blur * 0.4);
    traffic(random, sketch, &hour, horizon);
    sketch.finish(blur);
}

/// Blocks from the far end of the street to the near, each larger than the one before.
fn houses(random: &mut Random, sketch: &mut Sketch, hour: &Hour, vanishing: Vec2) {
    for block in 0..7 {
        let nearness = 0.12 * 1.42_f32.powi(block);
        for side in [-1., 1.] {
            let inner = vanishing.x + side * nearness * random.between(0.35, 0.6);
            let outer = vanishing.x + side * (nearness * 1.6 + 0.6);
            let top = vanishing.y - nearness * random.between(0.7, 1.8);
            let bottom = vanishing.y + nearness * 0.3;
            let far = (0.5 - 0.1 * block as f32).max(0.);
            let wall = (house_colour(random) * hour.light).lerp(Vec3::splat(0.5) * hour.light, far);
            let wall = if side < 0. { wall } else { wall * 0.7 };
            let (lit, dark) = (Vec3::new(1., 0.8, 0.5) * 0.9, wall * 0.25 + Vec3::new(0.02, 0.03, 0.05));
            let cell = Vec2::new(0.16, 0.24) * nearness * random.between(0.8, 1.3);
            let fill = Fill::Windows { wall, lit, dark, cell, share: random.between(0., 0.25), seed: random.seed() };
            let (low, high) = (Vec2::new(inner.min(outer), top), Vec2::new(inner.max(outer), bottom));
            sketch.rect(low, high, fill);
            if random.chance(0.5) {
                awning(random, sketch, hour, [low.x, high.x], bottom - nearness * 0.25, nearness);
            }
        }
    }
}

/// The front of a shop.
fn awning(random: &mut Random, sketch: &mut Sketch, hour: &Hour, [left, right]: [f32; 2], y: f32, nearness: f32) {
    let colour = any_colour(random, [0.3, 0.9], [0.3, 0.9]) * hour.light;
    sketch.rect(Vec2::new(left, y), Vec2::new(right, y + nearness * 0.08), Fill::Plain(colour));
    let glass = Vec3::new(0.9, 0.8, 0.6) * random.between(0.1, 0.8);
    sketch.rect(Vec2::new(left, y + nearness * 0.08), Vec2::new(right, y + nearness * 0.22), Fill::Plain(glass));
}

fn traffic(random: &mut Random, sketch: &mut Sketch, hour: &Hour, horizon: f32) {
    for _ in 0..random.below(7) {
        let near_by = random.between(0.05, 0.3);
        let x = random.between(-0.1, 1.1);
        let foot = Vec2::new(x, horizon + near_by * random.between(0.4, 0.6));
        if random.chance(0.5) {
            car(random, sketch, hour, foot, near_by);
        } else {
            passer_by(random, sketch, hour, foot, near_by);
        }
    }
}

fn car(random: &mut Random, sketch: &mut Sketch, hour: &Hour, foot: Vec2, size: f32) {
    let colour = if random.chance(0.6) {
        Vec3::splat(random.between(0.02, 0.8))
    } else {
        any_colour(random, [0.5, 0.9], [0.3, 0.8])
    };
    let colour = colour * hour.light;
    let part = |dx: f32, dy: f32, w: f32, h: f32| Shape::Box {
        centre: foot + Vec2::new(dx, dy) * size,
        half: Vec2::new(w, h) * size,
        turn: 0.,
        round: 0.1 * size,
    };
    sketch.add(Stroke::new(part(0., -0.3, 0.7, 0.2), Fill::Plain(colour)));
    sketch.add(Stroke::new(part(0., -0.52, 0.42, 0.16), Fill::Plain(colour * 0.25 + 0.02)));
    let lamp = if random.chance(0.5) { Vec3::new(1.6, 1.5, 1.2) } else { Vec3::new(1.2, 0.05, 0.03) };
    for side in [-0.6, 0.6] {
        sketch.ellipse(foot + Vec2::new(side, -0.3) * size, Vec2::splat(0.07 * size), 0., lamp);
        sketch.ellipse(foot + Vec2::new(side * 0.7, -0.1) * size, Vec2::splat(0.13 * size), 0., Vec3::splat(0.01));
    }
}

fn passer_by(random: &mut Random, sketch: &mut Sketch, hour: &Hour, foot: Vec2, size: f32) {
    let skin = srgb(214, 170, 140).lerp(srgb(90, 60, 44), random.unit()) * hour.light;
    let coat = any_colour(random, [0., 0.8], [0.1, 0.8]) * hour.light;
    let legs = any_colour(random, [0., 0.5], [0.05, 0.4]) * hour.light;
    sketch.ellipse(foot - Vec2::Y * 0.35 * size, Vec2::new(0.13, 0.4) * size, 0., legs);
    sketch.ellipse(foot - Vec2::Y * 0.95 * size, Vec2::new(0.2, 0.36) * size, 0., coat);
    sketch.ellipse(foot - Vec2::Y * 1.42 * size, Vec2::new(0.1, 0.13) * size, 0., skin);
}
