//! Tubes, sheets and balls, of which things that people wear are made.

use std::{f32::consts::TAU, sync::Arc};

use glam::{Vec2, Vec3};

use crate::{
    mesh::{Cover, Material, Mesh, Part, Placement, Region},
    texture::Texture,
};

/// Triangles that are being put together, in the space of the head.
#[derive(Clone, Debug, Default)]
pub(super) struct Solid {
    pub(super) vertices: Vec<Vec3>,
    pub(super) mesh: Mesh,
}

impl Solid {
    /// A sheet through rows of places that all have as many; `closed` joins the ends of each row. Seen from where rows
    /// run to the right and follow each other downwards it faces the viewer. Its texture repeats `repeats` times along
    /// rows and columns.
    pub(super) fn sheet(&mut self, rows: &[Vec<Vec3>], closed: bool, repeats: Vec2) {
        let Some(width) = rows.first().map(|row| row.len() as u32) else { return };
        let (first, first_uv) = (self.vertices.len() as u32, self.mesh.uv.len() as u32);
        // Where a row closes, its texture ends beside its beginning, on the same vertices.
        let stride = width + u32::from(closed);
        for (at, row) in rows.iter().enumerate() {
            self.vertices.extend(row);
            let v = 1. - at as f32 / (rows.len().max(2) - 1) as f32;
            let u = |column: u32| column as f32 / (stride - 1).max(1) as f32;
            self.mesh.uv.extend((0..stride).map(|column| Vec2::new(u(column), v) * repeats));
        }
        for row in 1..rows.len() as u32 {
            for column in 1..stride {
                let quad = [(row - 1, column - 1), (row, column - 1), (row, column), (row - 1, column)];
                let [a, b, c, d] = quad.map(|(row, column)| first + row * width + column % width);
                self.mesh.triangles.extend([[a, b, c], [a, c, d]]);
                let [a, b, c, d] = quad.map(|(row, column)| first_uv + row * stride + column);
                self.mesh.uv_triangles.extend([[a, b, c], [a, c, d]]);
            }
        }
    }

    /// A tube along a path, of the radius that each place has.
    pub(super) fn tube(
        &mut self,
        path: &[Vec3],
        closed: bool,
        sides: usize,
        repeats: Vec2,
        radius: impl Fn(f32) -> f32,
    ) {
        let count = path.len();
        let last = count as isize - 1;
        let at =
            |index: isize| path[if closed { index.rem_euclid(count as isize) } else { index.clamp(0, last) } as usize];
        let mut across = Vec3::ZERO;
        // The last ring of a closed tube lies on the first.
        let rings: Vec<Vec<Vec3>> = (0..count + usize::from(closed))
            .map(|ring| {
                let ring = ring as isize;
                let tangent = (at(ring + 1) - at(ring - 1)).normalize_or(Vec3::Y);
                let start = if across == Vec3::ZERO { tangent.any_orthonormal_vector() } else { across };
                across = (start - tangent * start.dot(tangent)).normalize_or(Vec3::X);
                let third = tangent.cross(across);
                let thick = radius(ring as f32 / (count.max(2) - 1) as f32);
                let corner = |side: usize| {
                    let (sin, cos) = (side as f32 / sides as f32 * TAU).sin_cos();
                    at(ring) + (across * cos - third * sin) * thick
                };
                (0..sides).map(corner).collect()
            })
            .collect();
        self.sheet(&rings, true, repeats);
    }

    /// A ball of the given radii.
    pub(super) fn ball(&mut self, centre: Vec3, radii: Vec3, rows: usize) {
        let sides = 2 * rows;
        let ring = |row: usize| {
            let (height, radius) = (row as f32 / rows as f32 * TAU / 2.).sin_cos();
            let corner = move |side: usize| {
                let (sin, cos) = (side as f32 / sides as f32 * TAU).sin_cos();
                centre + Vec3::new(height * sin, radius, height * cos) * radii
            };
            (0..sides).map(corner).collect()
        };
        let rings: Vec<Vec<Vec3>> = (0..=rows).map(ring).collect();
        self.sheet(&rings, true, Vec2::ONE);
    }

    /// The thing as a part that keeps its place on the head; none where nothing was made.
    pub(super) fn finish(self, texture: Arc<Texture>, material: Material) -> Option<Part> {
        (!self.mesh.triangles.is_empty()).then(|| Part {
            region: Region::Clothes,
            mesh: Arc::new(self.mesh),
            placement: Placement::Fixed(Arc::new(self.vertices)),
            texture,
            material,
            cover: Cover::Opaque,
            casts: true,
            clip: Vec::new(),
            occlusion: Vec::new(),
            smooth: None,
        })
    }
}

/// How metal answers light.
pub(super) fn metal(colour: Vec3) -> (Arc<Texture>, Material) {
    let material = Material { specular: 0.6, gloss: 50., reflection: 0.25, ..Material::default() };
    (Arc::new(Texture::plain(colour)), material)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume(solid: &Solid) -> f32 {
        let of = |triangle: &[u32; 3]| {
            let [a, b, c] = triangle.map(|corner| solid.vertices[corner as usize]);
            a.dot(b.cross(c)) / 6.
        };
        solid.mesh.triangles.iter().map(of).sum()
    }

    #[test]
    fn balls_and_rings_face_outward() {
        let mut ball = Solid::default();
        ball.ball(Vec3::new(1., 2., 3.), Vec3::splat(0.5), 16);
        assert!((volume(&ball) - 4.18879 * 0.125).abs() < 0.02, "{}", volume(&ball));
        let path: Vec<Vec3> = (0..40).map(|at| Vec2::from_angle(at as f32 / 40. * TAU).extend(0.)).collect();
        let mut ring = Solid::default();
        ring.tube(&path, true, 12, Vec2::ONE, |_| 0.1);
        let expected = TAU * TAU / 2. * 0.01;
        assert!((volume(&ring) - expected).abs() < 0.1 * expected, "{} {expected}", volume(&ring));
    }
}
