//! Strands of hair as narrow strips, all painted from one texture.

use std::sync::Arc;

use glam::{Vec2, Vec3, Vec4};

use super::colour::Colours;
use crate::{
    mesh::{Cover, Material, Mesh, Part, Placement, Region},
    noise::smooth,
    random::Random,
    texture::Texture,
};

/// Columns of the texture, each another bundle of hairs.
pub(super) const COLUMNS: usize = 8;

/// Texels of a column across and along the hairs.
const COLUMN: (usize, usize) = (32, 128);

/// How hair answers light.
pub(super) fn material() -> Material {
    Material {
        specular: 0.1,
        gloss: 22.,
        wrap: Vec3::splat(0.25),
        ambient: 0.9,
        translucency: 0.12,
        ..Material::default()
    }
}

/// How the hairs of a bundle run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weave {
    /// Hairs of a bundle.
    pub(super) hairs: usize,
    /// Half the thickness of a hair, as a share of the bundle.
    pub(super) thickness: f32,
    /// How far hairs wind to the side, as a share of the bundle.
    pub(super) winding: f32,
    /// How often they wind along the strip.
    pub(super) turns: f32,
    /// How much of the strip's length all hairs share before the first ends.
    pub(super) full: f32,
    /// How strongly the bundle covers between its hairs, at the root.
    pub(super) dense: f32,
}

impl Weave {
    /// Smooth hair.
    pub(super) const SMOOTH: Self =
        Self { hairs: 16, thickness: 0.035, winding: 0.05, turns: 0.8, full: 0.6, dense: 0.9 };
    /// Hair in small curls.
    pub(super) const CURLY: Self = Self { hairs: 14, thickness: 0.04, winding: 0.2, turns: 3., full: 0.7, dense: 0.4 };
    /// A few hairs: brows, beards.
    pub(super) const SPARSE: Self =
        Self { hairs: 6, thickness: 0.05, winding: 0.08, turns: 0.7, full: 0.45, dense: 0.25 };
}

/// The texture of all strips: `COLUMNS` bundles beside each other, roots at the top.
pub(super) fn texture(colours: &Colours, weave: &Weave, random: &mut Random) -> Texture {
    let (width, height) = (COLUMN.0 * COLUMNS, COLUMN.1);
    let mut texels = vec![Vec4::ZERO; width * height];
    for column in 0..COLUMNS {
        bundle(&mut texels, column, colours, weave, random);
    }
    Texture::new(width, height, &texels)
}

fn bundle(texels: &mut [Vec4], column: usize, colours: &Colours, weave: &Weave, random: &mut Random) {
    let (tint, roots) = (colours.strand(random).lerp(colours.mean(), 0.4), colours.roots);
    let hairs: Vec<Hair> = (0..weave.hairs).map(|_| Hair::draw(weave, colours, random)).collect();
    let bands = [random.between(0., 6.), random.between(3., 7.), random.between(0., 6.)];
    for row in 0..COLUMN.1 {
        let along = (row as f32 + 0.5) / COLUMN.1 as f32;
        // Brightness along the strand: what a highlight across many curved hairs looks like.
        let band = 1. + 0.14 * (bands[0] + along * bands[1]).sin() + 0.06 * (bands[2] + along * 17.).sin();
        let shade = band * (roots + (1. - roots) * smooth(0., 0.5, along));
        let places: Vec<(f32, f32)> = hairs.iter().map(|hair| hair.at(along)).collect();
        for x in 0..COLUMN.0 {
            let across = (x as f32 + 0.5) / COLUMN.0 as f32;
            let edge = smooth(0., 0.16, across.min(1. - across));
            let solid = weave.dense * edge * smooth(0.95, 0.2, along) * smooth(0., 0.1, along);
            let mut texel = (tint * 0.62 * shade).extend(solid);
            for (hair, &(centre, half)) in hairs.iter().zip(&places) {
                if (across - centre).abs() > half + 0.02 {
                    continue;
                }
                let cover = smooth(half + 0.02, half * 0.4, (across - centre).abs()) * smooth(-0.001, 0.012, half);
                let colour = tint.lerp(hair.tint, 0.5) * hair.brightness * shade;
                texel = texel.truncate().lerp(colour, cover).extend(texel.w + (1. - texel.w) * cover * 0.95);
            }
            let alpha = texel.w * smooth(0., 0.07, across.min(1. - across));
            texels[row * COLUMN.0 * COLUMNS + column * COLUMN.0 + x] = texel.truncate().extend(alpha);
        }
    }
}

/// One hair of a bundle, in shares of its width and length.
struct Hair {
    place: f32,
    thickness: f32,
    brightness: f32,
    tint: Vec3,
    start: f32,
    end: f32,
    winding: [f32; 3],
}

impl Hair {
    fn draw(weave: &Weave, colours: &Colours, random: &mut Random) -> Self {
        Self {
            place: random.between(0.12, 0.88),
            thickness: weave.thickness * random.between(0.6, 1.4),
            brightness: random.between(0.65, 1.3),
            tint: colours.strand(random),
            start: random.between(-0.02, 0.08),
            end: random.between(weave.full, 1.02),
            winding: [weave.winding, weave.turns * random.between(0.8, 1.25), random.unit()],
        }
    }

    /// Where it is across the bundle, and half its thickness, below 0 beyond its end.
    fn at(&self, along: f32) -> (f32, f32) {
        let [winding, turns, phase] = self.winding;
        let swing = (std::f32::consts::TAU * (turns * along + phase)).sin();
        let taper = ((self.end - along) / (self.end * 0.5)).min((along - self.start) / 0.05).min(1.);
        (self.place + winding * swing * (0.3 + 0.7 * along.min(0.5)), self.thickness * taper)
    }
}

/// Strips that are being laid.
#[derive(Debug, Default)]
pub(super) struct Strips {
    /// Places of their vertices.
    pub(super) vertices: Vec<Vec3>,
    /// Opacity of each vertex; as many as vertices, or none.
    pub(super) clip: Vec<f32>,
    mesh: Mesh,
}

impl Strips {
    /// Lays a strip along `nodes`, with its face towards `outward` at each, and of half the width `half` there.
    pub(super) fn lay(&mut self, nodes: &[Vec3], outward: &[Vec3], half: impl Fn(f32) -> f32, column: usize) {
        let first = self.vertices.len() as u32;
        let last = nodes.len().max(2) - 1;
        for (at, (&node, &outward)) in nodes.iter().zip(outward).enumerate() {
            let tangent = nodes[(at + 1).min(last)] - nodes[at.saturating_sub(1)];
            let along = at as f32 / last as f32;
            let side = tangent.cross(outward).normalize_or(Vec3::X) * half(along);
            self.vertices.extend([node - side, node + side]);
            let u = column as f32 + 0.04;
            let v = 1. - (0.004 + 0.992 * along);
            self.mesh.uv.extend([u, u + 0.92].map(|u| Vec2::new(u / COLUMNS as f32, v)));
        }
        for at in 0..last as u32 {
            let [a, b, c, d] = [0, 1, 2, 3].map(|corner| first + 2 * at + corner);
            self.mesh.triangles.extend([[a, b, d], [a, d, c]]);
        }
    }

    /// Triangles so far.
    pub(super) fn triangles(&self) -> usize {
        self.mesh.triangles.len()
    }

    /// The strips as a part of the picture that keeps its place on the head; none where there are no strips.
    pub(super) fn finish(mut self, texture: Arc<Texture>, region: Region) -> Option<Part> {
        self.mesh.uv_triangles.clone_from(&self.mesh.triangles);
        let placement = Placement::Fixed(Arc::new(self.vertices));
        (!self.mesh.triangles.is_empty()).then(|| part(region, self.mesh, placement, texture, self.clip))
    }

    /// The places of the vertices and their triangles.
    #[cfg(test)]
    fn take(mut self) -> (Vec<Vec3>, Mesh) {
        self.mesh.uv_triangles.clone_from(&self.mesh.triangles);
        (self.vertices, self.mesh)
    }
}

/// A part of hair.
pub(super) fn part(region: Region, mesh: Mesh, placement: Placement, texture: Arc<Texture>, clip: Vec<f32>) -> Part {
    Part {
        region,
        mesh: Arc::new(mesh),
        placement,
        texture,
        material: material(),
        cover: Cover::Strands(0.6),
        casts: true,
        clip,
        occlusion: Vec::new(),
        smooth: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_face_outward() {
        let mut strips = Strips::default();
        strips.lay(&[Vec3::ZERO, Vec3::NEG_Y, Vec3::NEG_Y * 2.], &[Vec3::Z; 3], |_| 0.1, 2);
        assert_eq!((strips.vertices.len(), strips.triangles()), (6, 4));
        let (vertices, mesh) = strips.take();
        for triangle in &mesh.triangles {
            let [a, b, c] = triangle.map(|corner| vertices[corner as usize]);
            assert!((b - a).cross(c - a).z > 0., "counter-clockwise seen from outside");
        }
        assert!(mesh.uv.iter().all(|uv| uv.x > 0.25 && uv.x < 0.375), "within its column");
    }

    #[test]
    fn hairs_thin_out_towards_their_tips() {
        let texture = texture(&Colours::plain(Vec3::splat(0.2)), &Weave::SMOOTH, &mut Random::new("strand", &[1]));
        let cover =
            |v: f32| (0..256).map(|x| texture.alpha(Vec2::new((x as f32 + 0.5) / 256., v), 0)).sum::<f32>() / 256.;
        assert!(cover(0.85) > 0.6 && cover(0.02) < 0.5 * cover(0.85), "{} {}", cover(0.85), cover(0.02));
        assert!(texture.alpha(Vec2::new(0.5 / 256., 0.9), 0) < 0.1, "edges are clear");
    }
}
