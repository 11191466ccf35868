//! A part as one frame sees it.

use std::borrow::Cow;

use glam::{Vec2, Vec3, Vec4};

use crate::mesh::Part;

/// The vertices of a part in a frame.
pub(super) struct Posed<'a> {
    pub(super) part: &'a Part,
    /// Places before the camera: x to the right, y up, z towards it.
    pub(super) view: &'a [Vec3],
    /// Unit normals in that space.
    pub(super) normals: Cow<'a, [Vec3]>,
    /// x and y in samples, the distance from the camera, and one over it.
    pub(super) screen: Vec<Vec4>,
    /// Light lost in folds, a factor for each vertex; empty for none.
    pub(super) folds: &'a [f32],
    /// The triangles from the nearest to the farthest, where that matters.
    pub(super) order: Option<&'a [u32]>,
    /// The copy of the texture that fits the size on the screen.
    pub(super) level: usize,
}

impl Posed<'_> {
    /// A value at the corners of a triangle, interpolated.
    #[inline]
    pub(super) fn scalar(&self, values: &[f32], triangle: usize, weights: Vec3, otherwise: f32) -> f32 {
        if values.is_empty() {
            return otherwise;
        }
        let [a, b, c] = self.part.mesh.triangles[triangle].map(|vertex| values[vertex as usize]);
        Vec3::new(a, b, c).dot(weights)
    }

    /// A vector at the corners of a triangle, interpolated.
    #[inline]
    pub(super) fn vector(&self, values: &[Vec3], triangle: usize, weights: Vec3) -> Vec3 {
        let [a, b, c] = self.part.mesh.triangles[triangle].map(|vertex| values[vertex as usize]);
        a * weights.x + b * weights.y + c * weights.z
    }

    #[inline]
    pub(super) fn uv(&self, triangle: usize, weights: Vec3) -> Vec2 {
        let mesh = &self.part.mesh;
        let [a, b, c] = mesh.uv_triangles[triangle].map(|vertex| mesh.uv[vertex as usize]);
        a * weights.x + b * weights.y + c * weights.z
    }

    /// How much of what lies behind is covered, in `[0, 1]`.
    #[inline]
    pub(super) fn alpha(&self, triangle: usize, weights: Vec3) -> f32 {
        let clip = self.scalar(&self.part.clip, triangle, weights, 1.);
        if clip <= 0. {
            return 0.;
        }
        if self.part.texture.is_opaque() {
            return clip.min(1.);
        }
        self.part.texture.alpha(self.uv(triangle, weights), self.level) * clip.min(1.)
    }

    /// Whether there is nothing to be seen behind any of it.
    pub(super) fn is_solid(&self) -> bool {
        self.part.clip.is_empty() && self.part.texture.is_opaque()
    }
}

/// Unit normals of the vertices of a mesh: means of its triangles', by area.
pub(crate) fn normals(places: &[Vec3], triangles: &[[u32; 3]]) -> Vec<Vec3> {
    let mut sums = vec![Vec3::ZERO; places.len()];
    for triangle in triangles {
        let [a, b, c] = triangle.map(|vertex| places[vertex as usize]);
        let normal = (b - a).cross(c - a);
        for &vertex in triangle {
            sums[vertex as usize] += normal;
        }
    }
    sums.into_iter().map(|sum| sum.normalize_or(Vec3::Z)).collect()
}
