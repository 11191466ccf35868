//! Pieces of clothing as parts: cut from the helper geometry of the body, held off the skin, with folds.

use std::{
    f32::consts::{PI, TAU},
    sync::Arc,
};

use glam::{Vec2, Vec3};

use super::{
    Figure,
    outfit::{Cloth, Outfit, Piece},
};
use crate::{
    mesh::{Cover, Mesh, Part, Placement, Region},
    noise::{Noise, smooth},
    person::parts::{compact, plain, some_triangles},
    props::fabric::Fabric,
    random::Random,
    render,
};

/// How deep below cloth skin is left out, in decimetres.
const HIDDEN: f32 = 0.22;
/// Repeats of a texture in a decimetre.
const REPEATS: f32 = 0.3;

/// Where a vertex is on the base body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Site {
    pub(super) base: Vec3,
    /// How much of it belongs to an arm.
    pub(super) arm: f32,
    /// How far down an arm it is: 0 at the shoulder, 1 at the elbow, 2 at the wrist.
    pub(super) along_arm: f32,
    /// How much of it belongs to a leg.
    pub(super) leg: f32,
}

/// A piece as a part, and which vertex of the body each of its own is.
pub(super) struct Worn {
    pub(super) part: Part,
    pub(super) vertices: Vec<u32>,
}

/// The sites of all vertices of the base body.
pub(super) fn sites(figure: &Figure) -> Vec<Site> {
    let ends = figure.rig.ends(&figure.vertices);
    let site = |(base, bones): (&Vec3, &Vec<(usize, f32)>)| {
        let share =
            |of: &[usize]| -> f32 { bones.iter().filter(|(bone, _)| of.contains(bone)).map(|(_, share)| share).sum() };
        let side = usize::from(base.x < 0.);
        let (arm, leg) = (figure.rig.limbs.arms[side], figure.rig.limbs.legs[side]);
        let fingers = arm.fingers.as_flattened();
        let of_arm = share(&[arm.upper, arm.lower, arm.hand]) + share(fingers);
        let upper = along(ends[arm.upper], *base);
        let lower = along(ends[arm.lower], *base);
        let along_arm = if upper < 1. { upper } else { 1. + lower.max(0.) };
        Site {
            base: *base,
            arm: of_arm,
            along_arm: -1. + (along_arm + 1.) * smooth(0.05, 0.6, of_arm),
            leg: share(&[leg.thigh, leg.calf, leg.foot, leg.ball]),
        }
    };
    figure.vertices.iter().zip(&figure.rig.weights).map(site).collect()
}

fn along([head, tail]: [Vec3; 2], place: Vec3) -> f32 {
    let axis = tail - head;
    (place - head).dot(axis) / axis.length_squared().max(1e-6)
}

/// Whether skin at each vertex of the body is under cloth, so that nobody sees it.
pub(super) fn hidden(outfit: &Outfit, sites: &[Site]) -> Vec<bool> {
    let under = |site: &Site| {
        // A skirt hides nothing: it swings.
        let close = outfit.pieces.iter().filter(|piece| piece.cloth == Cloth::Tights);
        close.map(|piece| piece.covers(site)).fold(f32::MIN, f32::max) > HIDDEN
    };
    sites.iter().map(under).collect()
}

/// Makes all pieces for a body with these vertices.
pub(super) fn make(figure: &Figure, sites: &[Site], vertices: &[Vec3], outfit: &Outfit) -> Vec<Worn> {
    // All hang alike, so that what is worn below stays below.
    let noise = Noise::new(outfit.pieces.first().map_or(0, |piece| piece.fabric.grain));
    outfit.pieces.iter().filter_map(|piece| cut(figure, sites, vertices, piece, &noise)).collect()
}

fn cut(figure: &Figure, sites: &[Site], vertices: &[Vec3], piece: &Piece, noise: &Noise) -> Option<Worn> {
    let mesh = if piece.cloth == Cloth::Skirt { &figure.skirt } else { &figure.tights };
    let normals = render::normals(vertices, &mesh.triangles);
    let inside = |corners: &[u32; 3]| corners.iter().any(|&at| piece.covers(&sites[at as usize]) > 0.);
    let (mesh, used) = compact(&wrapped(&some_triangles(mesh, inside), sites));
    if mesh.triangles.is_empty() {
        return None;
    }
    let place = |&at: &u32| {
        let (at, site) = (at as usize, &sites[at as usize]);
        vertices[at] + held_off(piece, site, normals[at], noise)
    };
    let places: Vec<Vec3> = used.iter().map(place).collect();
    // A vertex that is 0.01 inside is wholly there: edges are sharp.
    let clip = used.iter().map(|&at| piece.covers(&sites[at as usize]) * 12.).collect();
    let material = crate::mesh::Material { specular: piece.shine, ..Fabric::material() };
    let part = Part {
        clip,
        cover: Cover::Cutout(0.5),
        ..plain(Region::Clothes, mesh, Placement::Fixed(Arc::new(places)), piece.fabric.texture(), material)
    };
    Some(Worn { part, vertices: used })
}

/// How far and where cloth is from the tights it is cut from.
fn held_off(piece: &Piece, site: &Site, normal: Vec3, noise: &Noise) -> Vec3 {
    let base = site.base;
    let slack = noise.at(base * 1.1) + 0.6 * noise.at(base * 2.7 + Vec3::splat(9.));
    // Where limbs bend, cloth lies in folds across them.
    let bent = (site.arm * bump(site.along_arm, 1., 0.35)).max(site.leg * bump(base.y, -3.7, 1.1));
    let across = if site.arm > 0.5 { site.along_arm * 2.3 } else { base.y };
    let folds = (across * 9. + 3. * noise.at(base * 0.8)).sin();
    let loose = piece.thickness * (1. + 0.35 * slack) + 0.03 * bent * folds;
    let outward = normal.with_y(0.).normalize_or(normal);
    normal * loose + outward * piece.flare * piece.down(base).powi(2)
}

fn bump(value: f32, centre: f32, width: f32) -> f32 {
    (1. - ((value - centre) / width).abs()).max(0.)
}

/// The mesh with texture coordinates that go round trunk and limbs, with seams where sleeves and legs begin.
fn wrapped(mesh: &Mesh, sites: &[Site]) -> Mesh {
    let mut wrapped = Mesh { triangles: mesh.triangles.clone(), ..Mesh::default() };
    for corners in &mesh.triangles {
        let limb = Limb::of(&sites[corners[0] as usize]);
        let first = limb.wrap(&sites[corners[0] as usize]);
        let start = wrapped.uv.len() as u32;
        for &corner in corners {
            let place = limb.wrap(&sites[corner as usize]);
            // Round the back of the seam the shorter way.
            let rounds = ((first.x - place.x) / limb.rounds()).round() * limb.rounds();
            wrapped.uv.push(place + Vec2::new(rounds, 0.));
        }
        wrapped.uv_triangles.push([start, start + 1, start + 2]);
    }
    wrapped
}

/// What cloth is wound round.
#[derive(Clone, Copy, PartialEq)]
enum Limb {
    Trunk,
    Arm,
    Leg,
}

impl Limb {
    fn of(site: &Site) -> Self {
        match (site.arm > 0.5, site.leg > 0.6 && site.base.y < 0.) {
            (true, _) => Self::Arm,
            (_, true) => Self::Leg,
            _ => Self::Trunk,
        }
    }

    /// Repeats of the texture on the way round.
    fn rounds(self) -> f32 {
        if self == Self::Trunk { 3. } else { 1. }
    }

    /// The texture coordinates of a site.
    fn wrap(self, site: &Site) -> Vec2 {
        let base = site.base;
        let (angle, along) = match self {
            Self::Trunk => (base.x.atan2(base.z - 0.1), base.y),
            // The middle of a leg runs outwards to the foot.
            Self::Leg => ((base.x.abs() - 1.1 - 0.14 * (0.5 - base.y)).atan2(base.z - 0.1), base.y),
            Self::Arm => {
                let side = base.x.abs() - 1.68 - 0.82 * (5.25 - base.y);
                (side.atan2(base.z - 0.15 - 1.4 * (site.along_arm - 1.).max(0.)), -site.along_arm * 2.3)
            }
        };
        Vec2::new((angle + PI) / TAU * self.rounds(), along * REPEATS)
    }
}

/// A number for the folds of a take.
pub(super) fn seeded(person: u64, take: u32) -> Random {
    Random::new("figure's clothes", &[person, take.into()])
}
