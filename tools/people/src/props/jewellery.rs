//! Earrings and necklaces.

use std::f32::consts::TAU;

use glam::{Vec2, Vec3};

use super::{
    body::{Body, ROUND},
    solid::{Solid, metal},
};
use crate::{
    hair::Wearer,
    mesh::Part,
    random::Random,
    texture::{hsv, srgb},
};

/// What hangs at an ear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Earring {
    /// A bead.
    Stud,
    /// A ring.
    Hoop,
    /// A pendant.
    Drop,
}

/// What hangs round a neck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Necklace {
    /// A thin chain, some with a pendant.
    Chain,
    /// Beads.
    Beads,
    /// Close to the throat.
    Choker,
}

/// Jewellery; lengths are decimetres on an average head.
#[derive(Clone, Copy, Debug)]
pub struct Jewellery {
    /// At the ears: left, right, or both.
    pub earring: Option<Earring>,
    /// Which ears have one: left, right.
    pub ears: [bool; 2],
    /// Size of the earrings: 0 to 1.
    pub size: f32,
    /// Round the neck.
    pub necklace: Option<Necklace>,
    /// How far the necklace hangs down, 0 to 1.
    pub hang: f32,
    /// Colour of metal, linear.
    pub metal: Vec3,
    /// Colour of beads and pendants, linear.
    pub stone: Vec3,
}

impl Jewellery {
    /// What somebody wears; `femininity` in `[0, 1]`. Often nothing.
    pub fn draw(random: &mut Random, femininity: f32) -> Self {
        let earring = random.chance(0.06 + 0.45 * femininity);
        let kind = *random.weighted(&[(Earring::Stud, 0.45), (Earring::Hoop, 0.3), (Earring::Drop, 0.25)]);
        let necklace = random.chance(0.06 + 0.25 * femininity);
        let round = *random.weighted(&[(Necklace::Chain, 0.6), (Necklace::Beads, 0.25), (Necklace::Choker, 0.15)]);
        let one = random.chance(0.5 * (1. - femininity));
        Self {
            earring: earring.then_some(kind),
            ears: [true, !one],
            size: random.unit(),
            necklace: necklace.then_some(round),
            hang: random.unit(),
            metal: *random.pick(&[srgb(212, 175, 85), srgb(190, 190, 192), srgb(200, 140, 110), srgb(70, 70, 74)]),
            stone: hsv(random.unit(), random.between(0., 0.9), random.between(0.2, 0.95)),
        }
    }
}

/// Puts jewellery on; its parts keep their places on the head.
pub fn make(wearer: &Wearer, jewellery: &Jewellery) -> Vec<Part> {
    if jewellery.earring.is_none() && jewellery.necklace.is_none() {
        return Vec::new();
    }
    let body = Body::new(wearer, true);
    let (mut chain, mut stones) = (Solid::default(), Solid::default());
    if let Some(kind) = jewellery.earring {
        for (side, _) in [1., -1.].into_iter().zip(jewellery.ears).filter(|(_, worn)| *worn) {
            let lobe = body.measures().lobe * Vec3::new(side, 1., 1.) + Vec3::Y * 0.05 * body.scale();
            earring(&mut chain, &mut stones, kind, lobe, side, jewellery.size, body.scale());
        }
    }
    if let Some(kind) = jewellery.necklace {
        necklace(&mut chain, &mut stones, &body, kind, jewellery.hang);
    }
    let (bright, shine) = metal(jewellery.metal);
    let (coloured, _) = metal(jewellery.stone);
    chain.finish(bright, shine).into_iter().chain(stones.finish(coloured, shine)).collect()
}

fn earring(chain: &mut Solid, stones: &mut Solid, kind: Earring, lobe: Vec3, side: f32, size: f32, scale: f32) {
    let outside = lobe + Vec3::new(0.03 * side, 0., 0.02) * scale;
    match kind {
        Earring::Stud => stones.ball(outside, Vec3::splat((0.022 + 0.025 * size) * scale), 6),
        Earring::Hoop => {
            let radius = (0.06 + 0.2 * size) * scale;
            let centre = outside - Vec3::Y * radius;
            let path: Vec<Vec3> = (0..24)
                .map(|at| {
                    let (sin, cos) = (at as f32 / 24. * TAU).sin_cos();
                    centre + Vec3::new(0.3 * side * (1. - cos) * 0.2, cos, sin) * radius
                })
                .collect();
            chain.tube(&path, true, 6, Vec2::ONE, |_| (0.01 + 0.01 * size) * scale);
        }
        Earring::Drop => {
            let end = outside - Vec3::Y * (0.1 + 0.25 * size) * scale;
            chain.tube(&[outside, outside.lerp(end, 0.5), end], false, 5, Vec2::ONE, |_| 0.008 * scale);
            stones.ball(end - Vec3::Y * 0.05 * scale, Vec3::new(0.035, 0.06, 0.035) * scale * (0.8 + 0.6 * size), 8);
        }
    }
}

fn necklace(chain: &mut Solid, stones: &mut Solid, body: &Body, kind: Necklace, hang: f32) {
    let scale = body.scale();
    let back = body.carry(Vec3::new(0., 6.1, -0.2)).y;
    let front = body.carry(Vec3::new(0., 5.95, 0.6)).y;
    let drop = match kind {
        Necklace::Choker => 0.02,
        _ => 0.12 + 0.45 * hang,
    };
    let height = |share: f32| back + (front - back) * share - drop * scale * share.powi(3);
    let path = body.round_neck(height, |_| 0.02 * scale);
    match kind {
        Necklace::Chain => {
            chain.tube(&path, true, 5, Vec2::ONE, |_| 0.012 * scale);
            if hang > 0.4 {
                stones.ball(
                    path[ROUND / 2] - Vec3::new(0., 0.05, -0.02) * scale,
                    Vec3::new(0.04, 0.055, 0.02) * scale,
                    6,
                );
            }
        }
        Necklace::Choker => chain.tube(&path, true, 6, Vec2::ONE, |_| 0.025 * scale),
        Necklace::Beads => {
            for pair in path.windows(2) {
                for share in [0., 0.5] {
                    stones.ball(pair[0].lerp(pair[1], share), Vec3::splat(0.034 * scale), 4);
                }
            }
        }
    }
}
