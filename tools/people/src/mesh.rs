//! Triangles, what they are bound to, and the parts that a picture is made of.

use std::sync::Arc;

use glam::{Vec2, Vec3};

use crate::texture::Texture;

/// The triangles of a part: corners by vertex, and corners by texture coordinate.
#[derive(Clone, Debug, Default)]
pub struct Mesh {
    /// Vertices of each triangle, counter-clockwise seen from outside.
    pub triangles: Vec<[u32; 3]>,
    /// Entries of `uv` of each triangle; as many as `triangles`.
    pub uv_triangles: Vec<[u32; 3]>,
    /// Texture coordinates in `[0, 1]`, v upwards.
    pub uv: Vec<Vec2>,
}

/// Offsets of some vertices of the head: one identity target or one face unit at full weight.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// The vertices that move.
    pub vertices: Vec<u32>,
    /// How far, in decimetres.
    pub offsets: Vec<Vec3>,
}

impl Target {
    /// Moves `positions` by `weight` times this target.
    pub fn add_to(&self, positions: &mut [Vec3], weight: f32) {
        for (&vertex, &offset) in self.vertices.iter().zip(&self.offsets) {
            positions[vertex as usize] += offset * weight;
        }
    }
}

/// How the vertices of a mesh follow the head: each is a weighted sum of three of its vertices, and an offset that
/// grows with the head.
#[derive(Clone, Debug, Default)]
pub struct Binding {
    /// Three vertices of the head for each vertex.
    pub anchors: Vec<[u32; 3]>,
    /// Their weights, which sum to 1.
    pub weights: Vec<[f32; 3]>,
    /// Offset in decimetres, before it is scaled.
    pub offsets: Vec<Vec3>,
    /// For x, y and z: two vertices of the head and their distance along that axis at which the offset is right; none
    /// where the offset keeps its size.
    pub scale: [Option<(u32, u32, f32)>; 3],
}

impl Binding {
    /// Positions of the bound vertices, for the given ones of the head.
    pub fn fit(&self, head: &[Vec3]) -> Vec<Vec3> {
        let scale = Vec3::from_array(std::array::from_fn(|axis| {
            self.scale[axis].map_or(1., |(from, to, distance)| {
                (head[from as usize][axis] - head[to as usize][axis]).abs() / distance
            })
        }));
        self.anchors
            .iter()
            .zip(&self.weights)
            .zip(&self.offsets)
            .map(|((anchors, weights), &offset)| {
                let anchored: Vec3 = anchors.iter().zip(weights).map(|(&a, &w)| head[a as usize] * w).sum();
                anchored + offset * scale
            })
            .collect()
    }
}

/// What a part is, which is also what the map of regions says of its pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Region {
    /// Nobody.
    Background = 0,
    /// Skin, lips and ears.
    Skin = 1,
    /// The inside of the mouth, teeth and tongue.
    Mouth = 2,
    /// Eyeballs.
    Eyes = 3,
    /// Brows.
    Brows = 4,
    /// Hair of head and beard.
    Hair = 5,
    /// Clothes, and what is worn.
    Clothes = 6,
    /// Lashes.
    Lashes = 7,
}

/// How the vertices of a part get their places in a frame, before head and camera turn them.
#[derive(Clone, Debug)]
pub enum Placement {
    /// They are the vertices of the head.
    Head,
    /// They follow the head's vertices, expressions included.
    Bound(Arc<Binding>),
    /// They follow the head's vertices and, as far as the jaw opens, an offset of their own each: teeth and tongue.
    Jaw {
        /// How they follow.
        binding: Arc<Binding>,
        /// Their offsets at an open jaw, in decimetres.
        drops: Arc<Vec<Vec3>>,
    },
    /// They keep their places, in the space of the head (hair, glasses).
    Fixed(Arc<Vec<Vec3>>),
    /// They follow the head's vertices by an offset of their own each.
    Shell {
        /// For each vertex the vertex of the head.
        vertices: Arc<Vec<u32>>,
        /// How far from it, in decimetres.
        offsets: Arc<Vec<Vec3>>,
    },
}

/// What of a part's texture covers what lies behind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cover {
    /// All of it.
    Opaque,
    /// Where alpha is above the threshold; the rest is not there.
    Cutout(f32),
    /// Alpha is blended over what was drawn before.
    Blended,
    /// Alpha above the threshold covers, the rest is blended, farthest first: hair.
    Strands(f32),
}

/// How a surface answers light.
#[derive(Clone, Copy, Debug)]
pub struct Material {
    /// Multiplies the texture.
    pub tint: Vec3,
    /// Strength of the highlight.
    pub specular: f32,
    /// Exponent of the highlight.
    pub gloss: f32,
    /// How far light creeps round the terminator, per channel: skin is redder there.
    pub wrap: Vec3,
    /// Whether the back of a triangle is seen too.
    pub two_sided: bool,
    /// Multiplies ambient light.
    pub ambient: f32,
    /// Share of a light that still arrives in its full shadow.
    pub translucency: f32,
    /// Strength of a mirror-like reflection that grows at grazing angles: glasses, wet eyes.
    pub reflection: f32,
}

impl Default for Material {
    fn default() -> Self {
        Self {
            tint: Vec3::ONE,
            specular: 0.03,
            gloss: 12.,
            wrap: Vec3::splat(0.1),
            two_sided: true,
            ambient: 1.,
            translucency: 0.,
            reflection: 0.,
        }
    }
}

/// A mesh with its looks: a picture is made of these.
#[derive(Clone, Debug)]
pub struct Part {
    /// What it is.
    pub region: Region,
    /// Its triangles.
    pub mesh: Arc<Mesh>,
    /// How its vertices move.
    pub placement: Placement,
    /// Its colours.
    pub texture: Arc<Texture>,
    /// How it answers light.
    pub material: Material,
    /// How its alpha covers.
    pub cover: Cover,
    /// Whether it throws shadows.
    pub casts: bool,
    /// Opacity of each vertex beyond the texture's (above 1: all of it, at 0 or below: not there); empty for 1.
    pub clip: Vec<f32>,
    /// Fixed share of ambient light that reaches each vertex; empty where it is to be computed.
    pub occlusion: Vec<f32>,
    /// Triangles that give the vertices their normals, where they are more than its own: the whole head's for skin.
    pub smooth: Option<Arc<Vec<[u32; 3]>>>,
}

impl Part {
    /// The triangles that give its vertices their normals: all of the head's for skin, its own for the others.
    pub fn normal_triangles(&self) -> &[[u32; 3]] {
        self.smooth.as_deref().unwrap_or(&self.mesh.triangles)
    }
}
