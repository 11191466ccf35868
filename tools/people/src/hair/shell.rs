//! Hair that lies close to the skin: copies of the scalp at several heights, painted with hair.

use std::sync::Arc;

use glam::{Vec3, Vec4};

use super::{
    Wearer,
    colour::Colours,
    cut::{Pattern, Under},
    hairline::Hairline,
    ribbon::part,
    scalp::Scalp,
};
use crate::{
    mesh::{Mesh, Part, Placement, Region},
    noise::{Noise, smooth},
    random::Random,
    texture::Texture,
};

/// A texel of the scalp, and what is painted from.
struct Spot {
    index: u32,
    /// How far inside the hairline, 0 to 1.
    edge: f32,
    brightness: f32,
    /// Grain of the hair, about -1 to 1.
    grain: f32,
}

/// All layers of hair on the skin.
pub(super) fn grow(
    wearer: &Wearer,
    scalp: &Scalp,
    hairline: &Hairline,
    under: &Under,
    colours: &Colours,
    random: &mut Random,
) -> Vec<Part> {
    if under.layers == 0 {
        return Vec::new();
    }
    let spots = spots(wearer, scalp, hairline, under, random.seed());
    let (mesh, used) = compact(wearer, &scalp.triangles);
    let mesh = Arc::new(mesh);
    let offsets = |layer: usize| -> Vec<Vec3> {
        let share = (layer + 1) as f32 / under.layers as f32;
        let height = |&at: &u32| 0.004 + wearer.scale() * under.thickness * share * profile(wearer, scalp, under, at);
        used.iter().map(|at| wearer.normals[*at as usize] * height(at)).collect()
    };
    let layer = |layer: usize| {
        let placement = Placement::Shell { vertices: Arc::new(used.clone()), offsets: Arc::new(offsets(layer)) };
        let texture = Arc::new(paint(wearer, &spots, under, colours, layer));
        let shell = part(Region::Hair, Mesh::default(), placement, texture, Vec::new());
        Part { mesh: Arc::clone(&mesh), casts: layer == 0, ..shell }
    };
    (0..under.layers).map(layer).collect()
}

/// The chosen triangles of the head with vertices of their own, and the head's vertices that those follow.
pub(super) fn compact(wearer: &Wearer, chosen: &[usize]) -> (Mesh, Vec<u32>) {
    let head = &wearer.head.mesh;
    let mut used: Vec<u32> = chosen.iter().flat_map(|&at| head.triangles[at]).collect();
    used.sort_unstable();
    used.dedup();
    let renumber = |corner: u32| used.partition_point(|&at| at < corner) as u32;
    let triangles = chosen.iter().map(|&at| head.triangles[at].map(renumber)).collect();
    let uv_triangles = chosen.iter().map(|&at| head.uv_triangles[at]).collect();
    (Mesh { triangles, uv_triangles, uv: head.uv.clone() }, used)
}

/// How high hair stands over a vertex, as a share of its thickness.
fn profile(wearer: &Wearer, scalp: &Scalp, under: &Under, vertex: u32) -> f32 {
    let at = vertex as usize;
    let base = wearer.head.vertices[at];
    let slope = if under.pattern == Pattern::Curly { 0.3 } else { 0.22 };
    let faded = under.fade.map_or(1., |(low, high)| 0.15 + 0.85 * smooth(low, high, base.y));
    smooth(-0.08, slope, scalp.above[at])
        * (0.55 + 0.45 * smooth(7.3, 8.1, base.y))
        * (1. - smooth(0.2, 0.6, scalp.ears[at]))
        * faded
}

fn spots(wearer: &Wearer, scalp: &Scalp, hairline: &Hairline, under: &Under, seed: u64) -> Vec<Spot> {
    let noise = Noise::new(seed);
    let scale = if under.pattern == Pattern::Straight { Vec3::new(34., 20., 9.) } else { Vec3::splat(17.) };
    let texels = wearer.map.texels().iter().filter(|texel| texel.base.y > 6.3);
    let spot = |texel: &super::uv_map::Texel| {
        let base = texel.base;
        let above = hairline.above(base);
        if above < -0.3 {
            return None;
        }
        let ear = texel.interpolate(&scalp.ears);
        let grain = 0.6 * noise.at(base * scale) + 0.4 * noise.at(base * scale * 2.1 + 7.3);
        let coarse = noise.at(base * 4. + 3.1);
        let (grain, shade) = match under.pattern {
            Pattern::Rows(rows) => plait(base, rows, grain),
            _ => (grain, 0.),
        };
        let strength = if under.pattern == Pattern::Straight { 0.4 } else { 0.55 };
        let edge = match under.pattern {
            Pattern::Straight => smooth(-0.05, 0.09, above + 0.07 * grain + 0.04 * coarse),
            _ => smooth(-0.03, 0.06, above + 0.09 * grain + 0.05 * coarse),
        };
        let faded = under.fade.map_or(1., |(low, high)| smooth(low, high, base.y + 0.03 * coarse));
        Some(Spot {
            index: texel.index,
            edge: edge * (1. - smooth(0.1, 0.4, ear)) * faded * (1. - bald(under, base, coarse)),
            brightness: (0.75 + strength * grain + 0.12 * coarse - shade).clamp(0.12, 1.6),
            grain,
        })
    };
    texels.filter_map(spot).collect()
}

/// How bald the top of the head is at a place.
fn bald(under: &Under, base: Vec3, coarse: f32) -> f32 {
    let middle = (base.x / 0.62).hypot((base.z - 0.75) / 0.75);
    let bald = 0.97 * smooth(8.02, 8.16, base.y + 0.05 * coarse) * smooth(1.15, 0.9, middle);
    if under.bald_top { bald } else { 0. }
}

/// Rows that run from forehead to nape: their grain, and how dark the skin between them is.
fn plait(base: Vec3, rows: f32, grain: f32) -> (f32, f32) {
    let angle = base.x.atan2(base.y - 7.45);
    let row = angle * rows / 2.4;
    let across = (row - row.round()).abs() * 2.;
    let along = (base.z - 0.5).atan2(base.y - 7.4) * 13.;
    let links = (along + across * 2.2).sin() * 0.5;
    (0.5 * grain + links - 1.1 * smooth(0.6, 0.95, across), 0.5 * smooth(0.5, 0.9, across))
}

fn paint(wearer: &Wearer, spots: &[Spot], under: &Under, colours: &Colours, layer: usize) -> Texture {
    let size = wearer.map.size();
    let share = layer as f32 / under.layers as f32;
    let mut texels = vec![Vec4::ZERO; size * size];
    for spot in spots {
        let open = if layer == 0 { 1. } else { smooth(1.1 * share - 0.75, 1.1 * share - 0.45, spot.grain + 0.25) };
        let silver = smooth(1. - colours.greyness - 0.25, 1. - colours.greyness + 0.25, 0.5 + 0.5 * spot.grain);
        let colour = colours.base.lerp(colours.grey, silver * colours.greyness.min(1.).powf(0.3));
        let depth = 0.75 + 0.35 * (layer + 1) as f32 / under.layers as f32;
        let alpha = spot.edge * open * under.cover * if layer > 0 && under.cover < 0.9 { 0.7 } else { 1. };
        texels[spot.index as usize] = (colour * spot.brightness * depth).extend(alpha);
    }
    Texture::new(size, size, &texels)
}
