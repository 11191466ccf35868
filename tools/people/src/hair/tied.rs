//! What hangs from a knot or is wound to one: tails, buns, puffs and plaits.

use std::f32::consts::TAU;

use glam::{Quat, Vec3};

use super::{
    comb::{Comb, Sprout},
    cut::{Tail, TailKind},
    ribbon::{COLUMNS, Strips},
};
use crate::random::Random;

/// Adds the strips of a tail.
pub(super) fn lay(strips: &mut Strips, comb: &Comb, tail: &Tail, random: &mut Random) {
    let measures = &comb.skull.measures;
    let knot = measures.centre + tail.knot * measures.scale;
    match tail.kind {
        TailKind::Loose => hang(strips, comb, tail, knot, random),
        TailKind::Bun => wind(strips, comb, tail, knot, random),
        TailKind::Puff => puff(strips, comb, tail, knot, random),
        TailKind::Plait => plait(strips, comb, tail, knot, random),
    }
}

/// Strands that leave the knot and fall.
fn hang(strips: &mut Strips, comb: &Comb, tail: &Tail, knot: Vec3, random: &mut Random) {
    let scale = comb.skull.measures.scale;
    let falling = super::cut::Cut { gravity: 0.9, stand: 0., piece: 0.22, ..comb.cut.clone() };
    let comb = Comb { cut: &falling, ..*comb };
    for _ in 0..tail.strips {
        let spread = random.normal3(0.5 * tail.radius * scale);
        let sprout = Sprout {
            place: knot + spread * 0.5,
            direction: (tail.leaves + spread * 2.).normalize_or(Vec3::NEG_Y),
            length: tail.length * scale * random.between(0.7, 1.),
            layer: 0.05,
            side: if tail.knot.x < 0. { -1. } else { 1. },
            fore: if tail.knot.x == 0. { -1. } else { 1. },
            whim: spread * 1.2 + tail.leaves.with_y(0.) * 0.12,
            knot: None,
            stand: 0.,
            phase: random.unit(),
        };
        let mut nodes = comb.grow(&sprout);
        comb.wave(&sprout, &mut nodes);
        let outward: Vec<Vec3> = nodes.iter().map(|&node| away_from_axis(node, knot, spread)).collect();
        strips.lay(&nodes, &outward, |along| 0.1 * scale * (1. - 0.6 * along), random.below(COLUMNS));
    }
}

fn away_from_axis(node: Vec3, knot: Vec3, spread: Vec3) -> Vec3 {
    ((node - knot).with_y(0.) * 0.4 + spread * 4. + Vec3::Z * 0.4).normalize_or(Vec3::Z)
}

/// Strands round a ball, each on a circle of its own.
fn wind(strips: &mut Strips, comb: &Comb, tail: &Tail, knot: Vec3, random: &mut Random) {
    let axis = tail.leaves.normalize_or(Vec3::Y);
    let radius = tail.radius * comb.skull.measures.scale;
    for _ in 0..tail.strips {
        let tilt = (axis + random.normal3(0.35)).normalize_or(Vec3::Y);
        let across = tilt.any_orthonormal_vector();
        let height = random.between(-0.85, 0.85);
        let ring = (1. - height * height).sqrt() * radius * random.between(0.92, 1.04);
        let start = random.unit() * TAU;
        let nodes: Vec<Vec3> = (0..=6)
            .map(|at| {
                let angle = start + at as f32 / 6. * 2.6;
                knot + tilt * height * radius * 0.8 + Quat::from_axis_angle(tilt, angle) * across * ring
            })
            .collect();
        if nodes.iter().any(|&node| comb.skull.distance(node) < -0.06) {
            continue;
        }
        let outward: Vec<Vec3> = nodes.iter().map(|&node| (node - knot).normalize_or(axis)).collect();
        strips.lay(&nodes, &outward, |_| 0.3 * radius, random.below(COLUMNS));
    }
}

/// Curls that fill a ball.
fn puff(strips: &mut Strips, comb: &Comb, tail: &Tail, knot: Vec3, random: &mut Random) {
    let scale = comb.skull.measures.scale;
    let radius = tail.radius * scale;
    for at in 0..tail.strips {
        let outward = random.normal3(1.).normalize_or(Vec3::Y);
        let middle = knot + outward * radius * if at % 3 == 0 { 0.75 } else { random.between(0.85, 1.05) };
        if comb.skull.distance(middle) < 0.02 {
            continue;
        }
        let along = outward.cross(random.normal3(1.)).normalize_or(Vec3::X);
        let reach = 0.5 * tail.length * scale;
        let nodes: Vec<Vec3> = [-1., -0.35, 0.35, 1.]
            .map(|share: f32| middle + along * reach * share - outward * reach * 0.6 * (share * share - 0.3))
            .into();
        let faces = [outward; 4];
        strips.lay(&nodes, &faces, |_| 0.28 * radius, random.below(COLUMNS));
    }
}

/// Three locks that cross over and under each other.
fn plait(strips: &mut Strips, comb: &Comb, tail: &Tail, knot: Vec3, random: &mut Random) {
    let scale = comb.skull.measures.scale;
    let side = if tail.knot.x < 0. { -1. } else { 1. };
    let falling = super::cut::Cut { gravity: 0.9, stand: 0., piece: 0.07, ragged: 0., ..comb.cut.clone() };
    let comb = Comb { cut: &falling, ..*comb };
    let sprout = Sprout {
        place: knot,
        direction: Vec3::new(0.5 * side, -0.5, 0.5).normalize(),
        length: tail.length * scale,
        layer: tail.radius * scale,
        side,
        fore: 1.,
        whim: Vec3::new(0.12 * side, 0., 0.12),
        knot: None,
        stand: 0.,
        phase: 0.5,
    };
    let spine = comb.grow(&sprout);
    let front = (Vec3::Z + Vec3::X * side * 0.4).normalize();
    for lock in 0..3 {
        for strip in 0..3 {
            let lift = 0.25 * (strip as f32 - 1.);
            let nodes: Vec<Vec3> = spine
                .iter()
                .enumerate()
                .map(|(at, &place)| {
                    let phase = at as f32 * 0.75 + lock as f32 * TAU / 3.;
                    let thin = tail.radius * scale * (1. - 0.45 * at as f32 / spine.len() as f32);
                    place + Vec3::X * thin * 0.6 * phase.sin() + front * thin * (0.45 * (2. * phase).sin() + lift)
                })
                .collect();
            let outward = vec![front; nodes.len()];
            strips.lay(&nodes, &outward, |along| tail.radius * scale * (0.75 - 0.3 * along), random.below(COLUMNS));
        }
    }
    brush(strips, tail, &spine, scale, random);
}

/// The loose end of a plait.
fn brush(strips: &mut Strips, tail: &Tail, spine: &[Vec3], scale: f32, random: &mut Random) {
    let Some(&end) = spine.last() else { return };
    for _ in 0..6 {
        let spread = random.normal3(0.04 * scale);
        let nodes = [end, end + spread + Vec3::NEG_Y * 0.12 * scale, end + spread * 1.6 + Vec3::NEG_Y * 0.26 * scale];
        strips.lay(&nodes, &[Vec3::Z; 3], |along| tail.radius * scale * (0.6 - 0.4 * along), random.below(COLUMNS));
    }
}
