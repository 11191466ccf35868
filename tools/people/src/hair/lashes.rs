//! Lashes on the edges of the lids.

use std::sync::Arc;

use glam::{Vec2, Vec3, Vec4};

use super::{
    Wearer,
    skin::{Anchor, Front},
};
use crate::{
    mesh::{Binding, Cover, Material, Mesh, Part, Placement, Region},
    noise::smooth,
    random::Random,
    texture::Texture,
};

/// Places along a lid.
const PLACES: usize = 14;

/// Lashes of both eyes; lengths are decimetres.
#[derive(Clone, Copy, Debug)]
pub struct Lashes {
    /// Length of the upper ones.
    pub upper: f32,
    /// Length of the lower ones.
    pub lower: f32,
    /// How strongly they curl up.
    pub curl: f32,
    /// How dense they are, in `[0, 1]`.
    pub density: f32,
    /// Their colour, linear.
    pub colour: Vec3,
}

impl Lashes {
    /// Lashes of somebody; `femininity` in `[0, 1]`, some of whom wear mascara.
    pub fn draw(random: &mut Random, femininity: f32, hair: Vec3) -> Self {
        let mascara = random.chance(0.45 * femininity);
        let longer = if mascara { 0.03 } else { 0. };
        Self {
            upper: random.between(0.05, 0.08) + longer,
            lower: random.between(0.02, 0.035) + 0.3 * longer,
            curl: random.between(0.3, 0.8),
            density: if mascara { random.between(0.8, 1.) } else { random.between(0.35, 0.7) },
            colour: if mascara { Vec3::splat(0.006) } else { (hair * 0.35).min(Vec3::splat(0.05)) },
        }
    }
}

/// Grows the lashes of both eyes.
pub fn grow(wearer: &Wearer, lashes: &Lashes, random: &mut Random) -> Option<Part> {
    let mut fringe = Fringe::default();
    for side in [1., -1.] {
        let Some(eye) = Eye::of(wearer, side) else { continue };
        let (upper, lower) = eye.edges(wearer);
        fringe.lay(wearer, &eye, &upper, lashes.upper * wearer.scale(), lashes.curl, 0.5);
        fringe.lay(wearer, &eye, &lower, lashes.lower * wearer.scale(), -0.8, 0.);
    }
    fringe.mesh.uv_triangles.clone_from(&fringe.mesh.triangles);
    let Fringe { mesh, binding } = fringe;
    (!mesh.triangles.is_empty()).then(|| Part {
        region: Region::Lashes,
        mesh: Arc::new(mesh),
        placement: Placement::Bound(Arc::new(binding)),
        texture: Arc::new(texture(lashes, random)),
        material: Material { specular: 0., wrap: Vec3::splat(0.3), ..Material::default() },
        cover: Cover::Blended,
        casts: false,
        clip: Vec::new(),
        occlusion: Vec::new(),
        smooth: None,
    })
}

/// An eyeball of the base head.
struct Eye {
    side: f32,
    centre: Vec3,
    radius: f32,
}

impl Eye {
    /// None where the head has no eyes.
    fn of(wearer: &Wearer, side: f32) -> Option<Self> {
        let places = wearer.head.inner.eyes.binding.fit(&wearer.head.vertices);
        let places: Vec<Vec3> = places.into_iter().filter(|place| place.x * side > 0.).collect();
        let low = places.iter().fold(Vec3::MAX, |low, &place| low.min(place));
        let high = places.iter().fold(Vec3::MIN, |high, &place| high.max(place));
        (!places.is_empty()).then(|| Self { side, centre: (low + high) / 2., radius: (high.y - low.y) / 2. })
    }

    /// The edges of the upper and lower lid from the nose outwards, as far as they lie before the eyeball.
    fn edges(&self, wearer: &Wearer) -> (Vec<Anchor>, Vec<Anchor>) {
        let reach = Vec2::new(self.radius * 1.5, self.radius * 1.5);
        let centre = Vec2::new(self.centre.x.abs(), self.centre.y);
        let front = Front::new(wearer, centre - reach, centre + reach);
        let edge = |up: f32| (0..PLACES).filter_map(|at| self.edge(&front, &wearer.head.vertices, at, up)).collect();
        (edge(1.), edge(-1.))
    }

    /// The first skin above or below the middle of the eye that is before the eyeball.
    fn edge(&self, front: &Front, vertices: &[Vec3], at: usize, up: f32) -> Option<Anchor> {
        let x = (at as f32 / (PLACES - 1) as f32 * 2. - 1.) * 0.86 * self.radius;
        let before = |height: &f32| {
            let place = Vec2::new(self.centre.x + self.side * x, self.centre.y + up * height);
            let depth = (self.radius.powi(2) - x * x - height * height).max(0.).sqrt();
            front.find(place).filter(|anchor| anchor.of(vertices).z > self.centre.z + 0.9 * depth)
        };
        (0..36).map(|step| step as f32 / 36. * self.radius).find_map(|height| before(&height))
    }
}

/// A fringe of lashes that is being laid, as strips across which lashes are painted.
#[derive(Default)]
struct Fringe {
    mesh: Mesh,
    binding: Binding,
}

impl Fringe {
    /// Lays lashes along an edge; `row` is the lower end of their half of the texture.
    fn lay(&mut self, wearer: &Wearer, eye: &Eye, edge: &[Anchor], length: f32, curl: f32, row: f32) {
        let first = self.binding.anchors.len() as u32;
        for (at, &anchor) in edge.iter().enumerate() {
            let along = at as f32 / (edge.len().max(2) - 1) as f32;
            let fan = Vec3::new(eye.side * (1.4 * along - 0.5), 0., 0.);
            let grown = length * smooth(-0.3, 0.35, along) * (0.75 + 0.25 * smooth(0.2, 0.8, along));
            for share in [0., 0.5, 1.] {
                let direction = Vec3::new(0., 1.1 * curl * share + 0.1 * curl.signum(), 0.9 - 0.35 * share) + fan * 0.5;
                let place = anchor.of(wearer.vertices) + direction * grown * share + Vec3::Z * 0.004;
                self.binding.anchors.push(anchor.corners);
                self.binding.weights.push(anchor.weights);
                self.binding.offsets.push(place - anchor.of(wearer.vertices));
                self.mesh.uv.push(Vec2::new(along * 0.98 + 0.01, row + 0.02 + 0.46 * share));
            }
        }
        for at in 1..edge.len() as u32 {
            for step in 0..2 {
                let a = first + (at - 1) * 3 + step;
                let (b, c, d) = (a + 1, a + 3, a + 4);
                self.mesh.triangles.extend([[a, c, d], [a, d, b]]);
            }
        }
    }
}

/// Lashes from their roots at the bottom: sparse ones in the lower half, dense ones in the upper.
fn texture(lashes: &Lashes, random: &mut Random) -> Texture {
    const WIDTH: usize = 128;
    const HEIGHT: usize = 32;
    let mut texels = vec![lashes.colour.extend(0.); WIDTH * 2 * HEIGHT];
    for (half, count) in [(1, 26.), (0, 46.)] {
        for _ in 0..(count * (0.4 + 0.6 * lashes.density)) as usize {
            let (root, lean, end) = (random.unit(), random.normal(0., 0.03), random.between(0.55, 1.));
            paint_lash(&mut texels[half * WIDTH * HEIGHT..][..WIDTH * HEIGHT], WIDTH, root, lean, end);
        }
    }
    Texture::new(WIDTH, 2 * HEIGHT, &texels)
}

fn paint_lash(texels: &mut [Vec4], width: usize, root: f32, lean: f32, end: f32) {
    let height = texels.len() / width;
    for row in 0..height {
        let along = 1. - (row as f32 + 0.5) / height as f32;
        let centre = (root + lean * along) * width as f32;
        let half = 1.3 * ((end - along) / end).max(0.).sqrt();
        for x in (centre - 3.).max(0.) as usize..((centre + 4.) as usize).min(width) {
            let cover = (half + 0.5 - (x as f32 + 0.5 - centre).abs()).clamp(0., 1.) * 0.85;
            let texel = &mut texels[row * width + x];
            texel.w += (1. - texel.w) * cover;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lashes_thin_out_towards_their_tips() {
        let mut random = Random::new("lashes", &[4]);
        let lashes = Lashes::draw(&mut random, 1., Vec3::splat(0.1));
        let texture = texture(&lashes, &mut random);
        let cover = |v: f32| (0..128).map(|x| texture.alpha(Vec2::new((x as f32 + 0.5) / 128., v), 0)).sum::<f32>();
        assert!(cover(0.55) > 2. * cover(0.97), "upper lashes");
        assert!(cover(0.05) > 2. * cover(0.47), "lower lashes");
        assert!(cover(0.55) > cover(0.05), "upper lashes are denser");
    }
}
