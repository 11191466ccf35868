//! Where each texel of the skin's texture lies on the base head, so that what is painted knows where it is.

use glam::{Vec2, Vec3, Vec4};

use crate::{head::Head, texture::Texture};

/// How far triangles are painted beyond their edges, in texels, so that bilinear reading finds colour there.
const BLEED: f32 = 1.5;

/// A texel that some triangle of the skin covers.
#[derive(Clone, Copy, Debug)]
pub struct Texel {
    /// Its place in the texture: `row * size + column`, rows from the top.
    pub index: u32,
    /// Where it lies on the base head.
    pub base: Vec3,
    /// The vertices of its triangle.
    pub corners: [u32; 3],
    /// Their shares in it, which sum to 1; slightly outside `[0, 1]` at the edges of the texture's islands.
    pub weights: [f32; 3],
}

impl Texel {
    /// A value given at the vertices of the head, here.
    #[inline]
    pub fn interpolate(&self, vertices: &[f32]) -> f32 {
        self.corners.iter().zip(self.weights).map(|(&corner, weight)| vertices[corner as usize] * weight).sum()
    }

    /// A vector given at the vertices of the head, here.
    #[inline]
    pub fn interpolate_vector(&self, vertices: &[Vec3]) -> Vec3 {
        self.corners.iter().zip(self.weights).map(|(&corner, weight)| vertices[corner as usize] * weight).sum()
    }
}

/// All texels of a square skin texture that the head uses. It depends on the base head only, so one serves everybody.
#[derive(Clone, Debug)]
pub struct UvMap {
    size: usize,
    texels: Vec<Texel>,
}

/// Who painted a texel: nobody, a neighbour that bleeds into it, or the triangle that it is in.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Painted {
    Not,
    Beside,
    Inside,
}

impl UvMap {
    /// The map of `head` for a texture of `size` texels each way.
    pub fn new(head: &Head, size: usize) -> Self {
        let mut canvas = vec![(Painted::Not, [0; 3], [0.; 3]); size * size];
        for (corners, uv) in head.mesh.triangles.iter().zip(&head.mesh.uv_triangles) {
            let places = uv.map(|at| to_texels(head.mesh.uv[at as usize], size));
            fill(&mut canvas, size, places, *corners);
        }
        let covered = canvas.iter().enumerate().filter(|(_, texel)| texel.0 != Painted::Not);
        let texels = covered
            .map(|(index, &(_, corners, weights))| {
                let mut texel = Texel { index: index as u32, base: Vec3::ZERO, corners, weights };
                texel.base = texel.interpolate_vector(&head.vertices);
                texel
            })
            .collect();
        Self { size, texels }
    }

    /// Texels each way.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The texels that are used, in order of their index.
    pub fn texels(&self) -> &[Texel] {
        &self.texels
    }

    /// A value given at the vertices of the head, at each used texel.
    pub fn interpolate(&self, vertices: &[f32]) -> Vec<f32> {
        self.texels.iter().map(|texel| texel.interpolate(vertices)).collect()
    }

    /// A texture with a colour for each used texel, and `rest` elsewhere.
    pub fn texture(&self, colours: impl IntoIterator<Item = Vec4>, rest: Vec4) -> Texture {
        let mut all = vec![rest; self.size * self.size];
        for (texel, colour) in self.texels.iter().zip(colours) {
            all[texel.index as usize] = colour;
        }
        Texture::new(self.size, self.size, &all)
    }
}

/// Column and row of a texture coordinate, whose v runs upwards.
fn to_texels(uv: Vec2, size: usize) -> Vec2 {
    Vec2::new(uv.x, 1. - uv.y) * size as f32
}

/// Paints a triangle; what lies inside wins over what bled there.
fn fill(canvas: &mut [(Painted, [u32; 3], [f32; 3])], size: usize, places: [Vec2; 3], corners: [u32; 3]) {
    let [a, b, c] = places;
    let area = (b - a).perp_dot(c - a);
    if area.abs() < 1e-9 {
        return;
    }
    let bleed = BLEED / area.abs().sqrt();
    let low = (a.min(b).min(c).floor() - 1.).max(Vec2::ZERO).as_usizevec2();
    let high = (a.max(b).max(c).ceil() + 1.).clamp(Vec2::ZERO, Vec2::splat(size as f32)).as_usizevec2();
    for y in low.y..high.y {
        for x in low.x..high.x {
            let centre = Vec2::new(x as f32 + 0.5, y as f32 + 0.5);
            let first = (b - centre).perp_dot(c - centre) / area;
            let second = (c - centre).perp_dot(a - centre) / area;
            let weights = [first, second, 1. - first - second];
            let least = weights[0].min(weights[1]).min(weights[2]);
            let painted = if least >= 0. { Painted::Inside } else { Painted::Beside };
            let texel = &mut canvas[y * size + x];
            if least >= -bleed && painted > texel.0 {
                *texel = (painted, corners, weights);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mesh::Mesh;

    /// Two triangles that fill the lower left quarter of the texture.
    fn quarter() -> Head {
        let corner = |x: f32, y: f32| (Vec3::new(x, y, 1.), Vec2::new(x / 2., y / 2.));
        let (vertices, uv): (Vec<_>, Vec<_>) =
            [corner(0., 0.), corner(1., 0.), corner(1., 1.), corner(0., 1.)].into_iter().unzip();
        let triangles = vec![[0, 1, 2], [0, 2, 3]];
        Head { vertices, mesh: Mesh { uv_triangles: triangles.clone(), triangles, uv }, ..Head::default() }
    }

    #[test]
    fn texels_know_their_place() {
        let map = UvMap::new(&quarter(), 64);
        for texel in map.texels() {
            let (x, y) = (texel.index % 64, texel.index / 64);
            let place = Vec3::new((x as f32 + 0.5) / 32., (63.5 - y as f32) / 32., 1.);
            assert!(texel.base.distance(place) < 1e-4, "{texel:?} should lie at {place}");
        }
        let inside = map.texels().iter().filter(|texel| texel.weights.iter().all(|&weight| weight >= 0.)).count();
        assert_eq!(inside, 32 * 32);
        assert!(map.texels().len() > inside, "colour must bleed over the edges");
    }

    #[test]
    fn colours_land_on_their_texels() {
        let map = UvMap::new(&quarter(), 16);
        let heights = map.interpolate(&[0., 0., 1., 1.]);
        let texture = map.texture(heights.iter().map(|&height| Vec4::new(height, 0., 0., 1.)), Vec4::ZERO);
        let read = texture.sample(Vec2::new(0.25, 0.25), 0);
        assert!((read.x - 0.5).abs() < 0.03 && read.w == 1., "{read}");
        assert_eq!(texture.sample(Vec2::new(0.9, 0.9), 0).w, 0.);
    }
}
