//! The skin that hair of the head grows on.

use glam::Vec3;

use super::{Wearer, areas, hairline::Hairline};
use crate::random::Random;

/// Where a strand grows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Root {
    /// On the person's head.
    pub(super) place: Vec3,
    /// Away from the skin.
    pub(super) normal: Vec3,
    /// On the base head.
    pub(super) base: Vec3,
    /// Height above the hairline on the base head.
    pub(super) above: f32,
}

/// Triangles above a hairline.
#[derive(Debug)]
pub(super) struct Scalp {
    /// They, with some that hair at the line covers in part.
    pub(super) triangles: Vec<usize>,
    /// Height above the hairline of each vertex of the head.
    pub(super) above: Vec<f32>,
    /// How much each vertex of the head belongs to an ear.
    pub(super) ears: Vec<f32>,
    /// Areas of the triangles up to each.
    sums: Vec<f32>,
}

impl Scalp {
    pub(super) fn new(wearer: &Wearer, hairline: &Hairline) -> Self {
        let head = wearer.head;
        let ears = areas::ears(head);
        let above: Vec<f32> = head.vertices.iter().map(|&base| hairline.above(base)).collect();
        let grows = |corner: u32| {
            let corner = corner as usize;
            above[corner] > -0.22 && head.vertices[corner].y > 6.3 && !head.cavity[corner]
        };
        let numbered = head.mesh.triangles.iter().enumerate();
        let triangles = numbered.filter(|(_, corners)| corners.iter().all(|&corner| grows(corner)));
        let mut scalp = Self { triangles: triangles.map(|(at, _)| at).collect(), above, ears, sums: Vec::new() };
        let mut sum = 0.;
        let areas = scalp.triangles.iter().map(|&triangle| {
            sum += scalp.area(wearer, triangle);
            sum
        });
        scalp.sums = areas.collect();
        scalp
    }

    /// Area of a triangle, less where hair is hardly seen: behind the head and at the ears.
    fn area(&self, wearer: &Wearer, triangle: usize) -> f32 {
        let corners = wearer.head.mesh.triangles[triangle].map(|corner| corner as usize);
        if corners.iter().any(|&corner| self.ears[corner] > 0.15) {
            return 0.;
        }
        let [a, b, c] = corners.map(|corner| wearer.vertices[corner]);
        let normal = (b - a).cross(c - a);
        normal.length() * if normal.z < -0.5 * normal.length() { 0.5 } else { 1. }
    }

    /// About `count` roots, spread evenly.
    pub(super) fn roots(&self, wearer: &Wearer, count: usize, random: &mut Random) -> Vec<Root> {
        let total = self.sums.last().copied().unwrap_or(0.);
        let mut roots = Vec::with_capacity(count);
        for at in 0..count {
            let sum = (at as f32 + random.unit()) / count as f32 * total;
            let triangle = self.sums.partition_point(|&value| value <= sum);
            let (mut u, mut v) = (random.unit(), random.unit());
            if u + v > 1. {
                (u, v) = (1. - u, 1. - v);
            }
            let Some(&triangle) = self.triangles.get(triangle) else { continue };
            let root = self.root(wearer, wearer.head.mesh.triangles[triangle], [1. - u - v, u, v]);
            if root.above > random.between(-0.02, 0.04) {
                roots.push(root);
            }
        }
        roots
    }

    fn root(&self, wearer: &Wearer, corners: [u32; 3], weights: [f32; 3]) -> Root {
        let mix = |values: &[Vec3]| -> Vec3 {
            corners.iter().zip(weights).map(|(&corner, weight)| values[corner as usize] * weight).sum()
        };
        let above = corners.iter().zip(weights).map(|(&corner, weight)| self.above[corner as usize] * weight).sum();
        Root {
            place: mix(wearer.vertices),
            normal: mix(wearer.normals).normalize_or(Vec3::Y),
            base: mix(&wearer.head.vertices),
            above,
        }
    }
}
