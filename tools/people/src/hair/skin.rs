//! Places on the skin, and hair that moves with them.

use std::sync::Arc;

use glam::{Vec2, Vec3};

use super::{Wearer, ribbon::Strips};
use crate::{
    mesh::{Binding, Material, Part, Placement, Region},
    texture::Texture,
};

/// A place on a triangle of the head.
#[derive(Clone, Copy, Debug)]
pub(super) struct Anchor {
    pub(super) corners: [u32; 3],
    pub(super) weights: [f32; 3],
}

impl Anchor {
    /// A value of the head's vertices there.
    pub(super) fn of(&self, values: &[Vec3]) -> Vec3 {
        self.corners.iter().zip(self.weights).map(|(&corner, weight)| values[corner as usize] * weight).sum()
    }

    /// A number of the head's vertices there.
    pub(super) fn number(&self, values: &[f32]) -> f32 {
        self.corners.iter().zip(self.weights).map(|(&corner, weight)| values[corner as usize] * weight).sum()
    }
}

/// The front of the base head within a frame, seen from before.
#[derive(Debug)]
pub(super) struct Front<'a> {
    vertices: &'a [Vec3],
    triangles: Vec<[u32; 3]>,
}

impl<'a> Front<'a> {
    /// What is seen between two corners, x to both sides.
    pub(super) fn new(wearer: &Wearer<'a>, low: Vec2, high: Vec2) -> Self {
        let vertices = &wearer.head.vertices;
        let inside = |corner: &u32| {
            let place = vertices[*corner as usize];
            place.z > 0.6 && (low.x..high.x).contains(&place.x.abs()) && (low.y..high.y).contains(&place.y)
        };
        let seen = |triangle: &&[u32; 3]| {
            let [a, b, c] = triangle.map(|corner| vertices[corner as usize].truncate());
            triangle.iter().all(inside) && (b - a).perp_dot(c - a).abs() > 1e-9
        };
        Self { vertices, triangles: wearer.head.mesh.triangles.iter().filter(seen).copied().collect() }
    }

    /// The foremost place of the skin at x and y of the base head.
    pub(super) fn find(&self, at: Vec2) -> Option<Anchor> {
        let hits = self.triangles.iter().filter_map(|&corners| self.hit(corners, at));
        hits.max_by(|a, b| a.of(self.vertices).z.total_cmp(&b.of(self.vertices).z))
    }

    fn hit(&self, corners: [u32; 3], at: Vec2) -> Option<Anchor> {
        let [a, b, c] = corners.map(|corner| self.vertices[corner as usize].truncate());
        let area = (b - a).perp_dot(c - a);
        let (first, second) = ((b - at).perp_dot(c - at) / area, (c - at).perp_dot(a - at) / area);
        let weights = [first, second, 1. - first - second];
        weights.iter().all(|&weight| weight >= 0.).then_some(Anchor { corners, weights })
    }
}

/// Strips whose nodes each move with a place of the skin.
#[derive(Debug, Default)]
pub(super) struct Bound {
    strips: Strips,
    binding: Binding,
}

impl Bound {
    /// Lays a strip along `nodes`, each with what it moves with.
    pub(super) fn lay(
        &mut self,
        wearer: &Wearer,
        nodes: &[(Vec3, Anchor)],
        outward: &[Vec3],
        half: impl Fn(f32) -> f32,
        column: usize,
    ) {
        let first = self.strips.vertices.len();
        let places: Vec<Vec3> = nodes.iter().map(|node| node.0).collect();
        self.strips.lay(&places, outward, half, column);
        for (at, &vertex) in self.strips.vertices[first..].iter().enumerate() {
            let anchor = nodes[at / 2].1;
            self.binding.anchors.push(anchor.corners);
            self.binding.weights.push(anchor.weights);
            self.binding.offsets.push(vertex - anchor.of(wearer.vertices));
        }
    }

    /// The strips as a part; none where there are none.
    pub(super) fn finish(self, texture: Arc<Texture>, region: Region) -> Option<Part> {
        let part = self.strips.finish(texture, region)?;
        let material = Material { specular: 0.04, ..part.material };
        Some(Part { placement: Placement::Bound(Arc::new(self.binding)), material, ..part })
    }
}
