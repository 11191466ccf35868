//! People: their shape, their colours and the parts that they are made of.

mod creases;
mod eyes;
mod growth;
mod mouth;
mod palette;
pub(crate) mod parts;
mod shape;
mod skin;
mod wardrobe;

use std::{collections::BTreeMap, sync::Arc};

use glam::Vec3;

pub use self::{creases::Creases, palette::Palette, shape::Shape};
use crate::{
    assets::Assets,
    hair::{areas, uv_map::UvMap},
    head::Head,
    mesh::{Part, Target},
    noise::smooth,
    random::Random,
};

/// Ids from here on are for final tests: they wear what no lower id does, and nobody trains or tunes on them.
pub const RESERVED_FROM: u64 = 100_000;

/// What all people share, prepared once.
pub struct Studio {
    /// What was read.
    pub assets: Assets,
    /// All face units: those of the head, and oblique brows.
    pub units: BTreeMap<String, Target>,
    /// The skin's texture for frames, and a smaller one for single pictures.
    sites: Sites,
    small_sites: Sites,
    /// Pairs of neighbouring vertices.
    pub(crate) edges: Vec<[u32; 2]>,
}

/// Where the texels of a skin's texture are.
pub(super) struct Sites {
    map: UvMap,
    lips: Vec<f32>,
    ears: Vec<f32>,
    lids: Vec<f32>,
    cavity: Vec<bool>,
}

/// A person as a take shows them.
pub struct Person {
    /// Their number.
    pub id: u64,
    /// Their shape.
    pub shape: Shape,
    /// Their colours.
    pub palette: Palette,
    /// What they are made of.
    pub parts: Vec<Part>,
    /// Their wrinkles.
    pub creases: Creases,
    /// What is painted of their hair.
    scalp: skin::Scalp,
    /// Words for what was drawn: hair, beard, clothes and so on.
    pub words: BTreeMap<&'static str, String>,
}

impl Studio {
    /// Prepares what was read for people whose frames have `size` pixels.
    pub fn new(assets: Assets, size: usize) -> Self {
        let side = if size <= 160 { 384 } else { 768 };
        let head = &assets.head;
        let (ears, lids) = (areas::ears(head), areas::lids(head));
        let mut units = head.units.clone();
        units.extend(
            [("browTiltLeft", 1.), ("browTiltRight", -1.)].map(|(name, side)| (name.to_owned(), tilt(head, side))),
        );
        Self {
            sites: Sites::new(head, side, &ears, &lids),
            small_sites: Sites::new(head, side.min(size * 2).max(192), &ears, &lids),
            edges: edges(&head.mesh.triangles),
            units,
            assets,
        }
    }
}

impl Sites {
    fn new(head: &Head, side: usize, ears: &[f32], lids: &[f32]) -> Self {
        let map = UvMap::new(head, side);
        let cavity: Vec<f32> = head.cavity.iter().map(|&inside| f32::from(u8::from(inside))).collect();
        let share = |values: &[f32]| map.interpolate(values).iter().map(|value| value.clamp(0., 1.)).collect();
        Self {
            lips: share(&head.lips),
            ears: share(ears),
            lids: share(lids),
            cavity: map.interpolate(&cavity).iter().map(|&value| value > 0.5).collect(),
            map,
        }
    }
}

impl Person {
    /// Makes the person `id` as `take` shows them: clothes and what is worn change from take to take.
    pub fn new(studio: &Studio, id: u64, take: u32) -> Self {
        let mut person = Self::draw(studio, id);
        parts::assemble(&mut person, studio, take, true);
        person
    }

    /// The same person without clothes: head and shoulders, and what is worn on the head.
    pub(crate) fn without_clothes(studio: &Studio, id: u64, take: u32) -> Self {
        let mut person = Self::draw(studio, id);
        parts::assemble(&mut person, studio, take, false);
        person
    }

    fn draw(studio: &Studio, id: u64) -> Self {
        let head = &studio.assets.head;
        let shape = Shape::draw(&mut Random::new("shape", &[id]), head);
        let palette =
            Palette::draw(&mut Random::new("palette", &[id]), shape.origins, shape.age, shape.is_feminine(), false);
        let creases = Creases::paint(&studio.small_sites, palette.seed);
        Self { id, shape, palette, parts: Vec::new(), creases, scalp: skin::Scalp::default(), words: BTreeMap::new() }
    }

    /// The same person with other colours, clothes of other colours and another skin.
    pub fn disguised(&self, studio: &Studio, appearance: &mut Random) -> Vec<Part> {
        let freely = appearance.chance(0.7);
        let shape = &self.shape;
        let palette = Palette::draw(appearance, shape.origins, shape.age, shape.is_feminine(), freely);
        parts::repaint(self, &palette, studio, appearance)
    }

    /// Whether the person is for final tests.
    pub fn is_reserved(&self) -> bool {
        self.id >= RESERVED_FROM
    }

    /// How deep each kind of wrinkle is at these weights of face units.
    pub fn wrinkles(&self, weight: impl Fn(&str) -> f32) -> [f32; Creases::KINDS] {
        let both = |unit: &str| 0.5 * (weight(&format!("{unit}Left")) + weight(&format!("{unit}Right")));
        let raised = weight("browInnerUp").max(both("browOuterUp")) + 0.3 * both("browTilt");
        let frown = both("browDown") + 0.5 * both("noseSneer") + 0.3 * both("browTilt");
        let squint = 0.6 * both("cheekSquint") + 0.5 * both("eyeSquint") + 0.3 * both("mouthSmile");
        let fold = 0.7 * both("mouthSmile") + 0.5 * both("noseSneer") + 0.4 * both("mouthUpperUp");
        let depth = 0.22 + 0.65 * self.shape.age;
        [raised, frown, squint, fold].map(|drawn| depth * drawn.clamp(0., 1.5))
    }

    /// How light falls into the folds of the skin at these places, a factor for each vertex.
    pub(crate) fn folds(&self, studio: &Studio, places: &[Vec3], normals: &[Vec3]) -> Vec<f32> {
        let mut sums = vec![(0_f32, 0_f32); places.len()];
        for &[a, b] in &studio.edges {
            let (a, b) = (a as usize, b as usize);
            let edge = (places[b] - places[a]).normalize_or_zero();
            for (vertex, rise) in [(a, edge.dot(normals[a])), (b, -edge.dot(normals[b]))] {
                sums[vertex].0 += rise;
                sums[vertex].1 += 1.;
            }
        }
        let depth = 1.5 + 0.9 * self.shape.age;
        sums.iter().map(|(sum, count)| 1. - ((sum / count.max(1.) - 0.03) * depth).clamp(0., 0.5)).collect()
    }
}

/// Inner brow up and outer brow slightly down on one side: the oblique brows of fear and sadness.
fn tilt(head: &Head, side: f32) -> Target {
    let mut target = Target::default();
    let skin: std::collections::BTreeSet<u32> = head.mesh.triangles.iter().flatten().copied().collect();
    for vertex in skin {
        let place = head.vertices[vertex as usize];
        let inner = 0.055 * skin::bump(place, [0.15, 7.52, 1.5], [0.13, 0.17, 0.4]);
        let outer = 0.022 * skin::bump(place, [0.52, 7.42, 1.3], [0.13, 0.1, 0.4]);
        let rise = (inner - outer) * smooth(-0.06, 0.06, side * place.x);
        if rise.abs() > 1e-4 {
            target.vertices.push(vertex);
            target.offsets.push(Vec3::new(0., rise, 0.1 * rise));
        }
    }
    target
}

fn edges(triangles: &[[u32; 3]]) -> Vec<[u32; 2]> {
    let sides = |&[a, b, c]: &[u32; 3]| [[a, b], [b, c], [c, a]].map(|[a, b]| [a.min(b), a.max(b)]);
    let mut edges: Vec<[u32; 2]> = triangles.iter().flat_map(sides).collect();
    edges.sort_unstable();
    edges.dedup();
    edges
}

/// A shared texture.
type Paint = Arc<crate::texture::Texture>;
