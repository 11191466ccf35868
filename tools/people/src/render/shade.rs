//! Light on surfaces.

use glam::Vec3;

use super::{
    light::{Lighting, ShadowMap},
    posed::Posed,
};
use crate::{mesh::Material, person::Creases};

/// Bias of shadows in cells: for what is smooth, and for hair, whose strands lie close.
const BIAS: (f32, f32) = (3., 6.);
/// Share of their light that lamps without shadows keep in corners that little light reaches.
const CORNERS: f32 = 0.35;

/// A point of a surface, ready to be lit.
pub(super) struct Point {
    pub(super) view: Vec3,
    pub(super) normal: Vec3,
    pub(super) albedo: Vec3,
    /// Share of ambient light that reaches it.
    pub(super) occlusion: f32,
    /// Light lost in folds, a factor.
    pub(super) fold: f32,
}

/// What lights a frame.
pub(super) struct Shader<'a> {
    pub(super) lighting: &'a Lighting,
    /// One for each lamp, where it throws shadows.
    pub(super) shadows: Vec<Option<ShadowMap>>,
    /// Where the camera is, in its space.
    pub(super) eye: Vec3,
    /// Wrinkles of the skin, and how deep each kind is in this frame.
    pub(super) creases: (&'a Creases, [f32; Creases::KINDS]),
}

impl Shader<'_> {
    /// The colour of a point of a part: of a triangle at the weights of its corners.
    pub(super) fn colour(&self, posed: &Posed, triangle: usize, weights: Vec3, back: bool) -> Vec3 {
        self.light(&self.point(posed, triangle, weights, back), &posed.part.material, posed.strands())
    }

    fn point(&self, posed: &Posed, triangle: usize, weights: Vec3, back: bool) -> Point {
        let normal = posed.vector(&posed.normals, triangle, weights).normalize_or(Vec3::Z);
        let uv = posed.uv(triangle, weights);
        let mut albedo = posed.part.texture.sample(uv, posed.level).truncate() * posed.part.material.tint;
        if posed.is_skin() {
            // Furrows are darker, and redder as skin is thinner there; the ridges beside them catch light.
            let depth = self.creases.0.depth(uv, &self.creases.1);
            albedo *= (Vec3::ONE - depth * Vec3::new(0.5, 0.62, 0.62)).max(Vec3::splat(0.25));
        }
        Point {
            view: posed.vector(posed.view, triangle, weights),
            normal: if back { -normal } else { normal },
            albedo,
            occlusion: posed.scalar(&posed.part.occlusion, triangle, weights, 1.),
            fold: posed.scalar(posed.folds, triangle, weights, 1.),
        }
    }

    /// Light at a vertex of a part and nothing of its texture: for what is blended, where that is enough.
    pub(super) fn vertex_light(&self, posed: &Posed, vertex: usize) -> Vec3 {
        let normal = posed.normals[vertex];
        let towards = self.eye - posed.view[vertex];
        let point = Point {
            view: posed.view[vertex],
            normal: if normal.dot(towards) < 0. { -normal } else { normal },
            albedo: posed.part.material.tint,
            occlusion: posed.part.occlusion.get(vertex).copied().unwrap_or(1.),
            fold: posed.folds.get(vertex).copied().unwrap_or(1.),
        };
        self.light(&point, &posed.part.material, posed.strands())
    }

    fn light(&self, point: &Point, material: &Material, strands: bool) -> Vec3 {
        let towards = (self.eye - point.view).normalize_or(Vec3::Z);
        let ambient = material.ambient * point.occlusion * self.lighting.ambient(point.normal);
        let (mut diffuse, mut highlight) = (ambient, Vec3::ZERO);
        for (lamp, shadow) in self.lighting.lamps.iter().zip(&self.shadows) {
            let facing = point.normal.dot(lamp.direction);
            let reach = match shadow {
                Some(map) if strands => map.light_of_strand(point.view, BIAS.1),
                Some(map) if facing > -0.5 => map.light(point.view, BIAS.0),
                Some(_) => 0.,
                None => CORNERS + (1. - CORNERS) * point.occlusion,
            };
            let through = material.translucency + (1. - material.translucency) * reach;
            let wrapped = ((material.wrap + facing) / (material.wrap + 1.)).max(Vec3::ZERO);
            diffuse += wrapped * through * lamp.colour;
            if facing > 0. && material.specular > 0. {
                let half = (lamp.direction + towards).normalize_or(Vec3::Z);
                let sheen = power(point.normal.dot(half).max(0.), material.gloss);
                highlight += material.specular * reach * sheen * lamp.colour;
            }
        }
        if material.reflection > 0. {
            let mirrored = -towards + 2. * point.normal.dot(towards) * point.normal;
            highlight += material.reflection * fresnel(point.normal.dot(towards)) * self.lighting.ambient(mirrored);
        }
        // Folds keep some red: light goes through skin.
        let fold = Vec3::new(0.4 + 0.6 * point.fold, point.fold, point.fold);
        point.albedo * fold * diffuse + highlight
    }
}

/// Schlick's approximation for glass and water, 1 where the surface is seen edge on.
fn fresnel(facing: f32) -> f32 {
    let grazing = (1. - facing.abs()).clamp(0., 1.);
    0.04 + 0.96 * grazing * grazing * grazing * grazing * grazing
}

/// `base` to a power, for highlights: nothing is wrong with a few percent.
#[inline]
fn power(base: f32, exponent: f32) -> f32 {
    if base < 1. - 6. / exponent {
        return 0.;
    }
    (exponent * base.ln()).exp()
}
