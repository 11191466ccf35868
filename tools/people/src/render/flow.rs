//! Exact flow: where each pixel of a frame was in frame 0, and whether it was seen there.

use glam::Vec3;

use super::{Pose, Rendered, Scene};
use crate::mesh::Part;

/// How much nearer than a point something may be in frame 0 before it hides the point, in heights of the head.
const TOLERANCE: f32 = 0.012;

/// Frame 0 as flow needs it.
pub struct Origin {
    places: Vec<Vec<Vec3>>,
    /// Distance of what each pixel shows; infinite for the backdrop.
    depth: Vec<f32>,
    size: usize,
}

impl Origin {
    /// Keeps what flow to this frame needs.
    pub fn new(scene: &Scene, pose: &Pose, rendered: &Rendered) -> Self {
        let size = scene.backdrop.size();
        let distance = |surface: &super::Surface| {
            surface.seen.map_or(f32::INFINITY, |seen| {
                let place = at(&scene.parts[seen.part], &pose.places[seen.part], seen.triangle, surface.weights);
                scene.camera.project(place, size as f32).z
            })
        };
        let depth = rendered.surface.iter().map(distance).collect();
        Self { places: pose.places.clone(), depth, size }
    }

    /// For each pixel of a frame the displacement to its place in frame 0 (x, y; normalised, 2 is the width of the
    /// picture) and whether it is seen there.
    pub fn flow(&self, scene: &Scene, pose: &Pose, rendered: &Rendered) -> Vec<[f32; 3]> {
        let project = |place: Vec3| scene.camera.project(place, self.size as f32);
        rendered
            .surface
            .iter()
            .enumerate()
            .map(|(index, surface)| {
                let Some(seen) = surface.seen else {
                    return [0., 0., f32::from(u8::from(self.depth[index].is_infinite()))];
                };
                let part = &scene.parts[seen.part];
                let [before, now] = [&self.places, &pose.places]
                    .map(|places| project(at(part, &places[seen.part], seen.triangle, surface.weights)));
                let displacement = (before - now) * (2. / self.size as f32);
                let seen = self.shows(before, TOLERANCE * scene.camera.head_height);
                [displacement.x, displacement.y, f32::from(u8::from(seen))]
            })
            .collect()
    }

    /// Whether frame 0 shows a point, or something so near it that it is the point's own surface.
    fn shows(&self, screen: Vec3, tolerance: f32) -> bool {
        let (x, y) = (screen.x.floor() as isize, screen.y.floor() as isize);
        let last = self.size as isize - 1;
        if x < 0 || y < 0 || x > last || y > last {
            return false;
        }
        (-1..=1).flat_map(|down| (-1..=1).map(move |right| (x + right, y + down))).any(|(x, y)| {
            let depth = self.depth[(y.clamp(0, last) * (last + 1) + x.clamp(0, last)) as usize];
            (depth - screen.z).abs() < tolerance
        })
    }
}

fn at(part: &Part, places: &[Vec3], triangle: usize, weights: Vec3) -> Vec3 {
    let [a, b, c] = part.mesh.triangles[triangle].map(|vertex| places[vertex as usize]);
    a * weights.x + b * weights.y + c * weights.z
}
