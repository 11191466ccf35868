//! Twisted hair: tubes with a texture of their own.

use std::{f32::consts::TAU, sync::Arc};

use glam::{Vec2, Vec3, Vec4};

use super::{colour::Colours, ribbon};
use crate::{
    mesh::{Cover, Mesh, Part, Placement, Region},
    noise::{Noise, smooth},
    random::Random,
    texture::Texture,
};

/// Corners of a tube's cross-section.
const SIDES: u32 = 5;

/// Tubes that are being made.
#[derive(Debug, Default)]
pub(super) struct Ropes {
    pub(super) vertices: Vec<Vec3>,
    mesh: Mesh,
}

impl Ropes {
    /// Triangles of a tube along `nodes`.
    pub(super) fn triangles(nodes: &[Vec3]) -> usize {
        2 * SIDES as usize * (nodes.len().max(2) - 1)
    }

    /// Makes a tube along `nodes` that ends in a point.
    pub(super) fn lay(&mut self, nodes: &[Vec3], radius: f32, column: f32) {
        let first = self.vertices.len() as u32;
        let last = nodes.len().max(2) - 1;
        let mut along_skin = Vec3::X;
        for (at, &node) in nodes.iter().enumerate() {
            let tangent = (nodes[(at + 1).min(last)] - nodes[at.saturating_sub(1)]).normalize_or(Vec3::NEG_Y);
            along_skin =
                (along_skin - tangent * along_skin.dot(tangent)).normalize_or(tangent.any_orthonormal_vector());
            let across = tangent.cross(along_skin);
            let share = at as f32 / last as f32;
            let thick = radius * (0.8 + 0.3 * smooth(0., 0.3, share)) * if at == last { 0.35 } else { 1. };
            for corner in 0..=SIDES {
                let (sin, cos) = (corner as f32 / SIDES as f32 * TAU).sin_cos();
                self.vertices.push(node + (along_skin * cos + across * sin) * thick);
                self.mesh.uv.push(Vec2::new(column + corner as f32 / SIDES as f32 * 0.25, 1. - share));
            }
        }
        for at in 0..last as u32 {
            for corner in 0..SIDES {
                let a = first + at * (SIDES + 1) + corner;
                let (b, c) = (a + 1, a + SIDES + 1);
                self.mesh.triangles.extend([[a, b, c + 1], [a, c + 1, c]]);
            }
        }
    }

    /// The tubes as a part; none where there are none.
    pub(super) fn finish(mut self, clip: Vec<f32>, colours: &Colours, random: &mut Random) -> Option<Part> {
        self.mesh.uv_triangles.clone_from(&self.mesh.triangles);
        let texture = Arc::new(texture(colours, random));
        let placement = Placement::Fixed(Arc::new(self.vertices));
        let part = ribbon::part(Region::Hair, self.mesh, placement, texture, clip);
        (!part.mesh.triangles.is_empty()).then_some(Part { cover: Cover::Cutout(0.5), ..part })
    }
}

/// Twists that run round the tube, with frizz.
fn texture(colours: &Colours, random: &mut Random) -> Texture {
    const SIZE: usize = 64;
    let noise = Noise::new(random.seed());
    let tints: Vec<Vec3> = (0..4).map(|_| colours.strand(random)).collect();
    let texel = |at: usize| {
        let (x, y) = ((at % SIZE) as f32 / SIZE as f32, (at / SIZE) as f32 / SIZE as f32);
        let twist = (TAU * (x * 4. + y * 9.)).sin() * 0.5 + 0.5;
        let frizz = noise.at(Vec3::new(x * 30., y * 60., 1.));
        let light = 0.55 + 0.45 * twist + 0.25 * frizz;
        (tints[(x * 4.) as usize] * light.max(0.1) * (0.8 + 0.3 * y)).extend(1.)
    };
    let texels: Vec<Vec4> = (0..SIZE * SIZE).map(texel).collect();
    Texture::new(SIZE, SIZE, &texels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tubes_face_outward() {
        let mut ropes = Ropes::default();
        ropes.lay(&[Vec3::ZERO, Vec3::NEG_Y, Vec3::NEG_Y * 2.], 0.1, 0.);
        for triangle in &ropes.mesh.triangles {
            let [a, b, c] = triangle.map(|corner| ropes.vertices[corner as usize]);
            let middle = (a + b + c) / 3.;
            assert!((b - a).cross(c - a).dot(middle.with_y(0.)) > 0.);
        }
    }
}
