//! Light: lamps with shadows, and what comes from everywhere.

use glam::{Mat3, Vec3};

use super::posed::Posed;
use crate::{backdrop::Ambient, random::Random};

/// Cells of a map of shadows, each way.
const CELLS: usize = 160;
/// Width of a map of shadows, in heights of the head.
const REACH: f32 = 2.8;
/// Places around a point where its shadow is looked up, in units of the light's softness.
const TAPS: [(f32, f32); 5] = [(0., 0.), (1.7, 0.6), (-0.6, 1.7), (-1.7, -0.6), (0.6, -1.7)];

/// A lamp far away.
#[derive(Clone, Copy, Debug)]
pub struct Lamp {
    /// Unit vector towards it, in the camera's space.
    pub direction: Vec3,
    /// Its light.
    pub colour: Vec3,
    /// Spread of the edges of its shadows, in cells of a map; none if it throws no shadows.
    pub shadow: Option<f32>,
}

/// All light of a scene.
#[derive(Clone, Debug)]
pub struct Lighting {
    /// One to four lamps, the main one first.
    pub lamps: Vec<Lamp>,
    /// What comes from everywhere.
    pub ambient: Ambient,
}

impl Lighting {
    /// Lamps that suit a backdrop's light, exposed for a face of `darkness` in `[0, 1]`.
    pub fn draw(random: &mut Random, ambient: Ambient, darkness: f32) -> Self {
        let exposure = random.between(0.8, 1.08) * (1. + 0.55 * darkness);
        let hardness = random.between(0.35, 1.);
        let key = Lamp {
            direction: key_direction(random),
            colour: exposure * 0.84 * hardness * tint(random),
            shadow: Some(random.between(0.4, 3.2)),
        };
        let side = -key.direction.x.signum();
        let fill = Lamp {
            direction: Vec3::new(side * random.between(0.3, 0.9), random.between(-0.1, 0.35), 0.8).normalize(),
            colour: exposure * (0.62 - 0.42 * hardness) * random.between(0.5, 1.1) * tint(random),
            shadow: None,
        };
        let mut lamps = vec![key, fill];
        if random.chance(0.4) {
            let shine = random.between(0.1, 0.7);
            lamps.push(Lamp {
                direction: Vec3::new(side * 0.85, random.between(0.1, 0.6), -0.5).normalize(),
                colour: exposure * shine * tint(random),
                shadow: None,
            });
        }
        if random.chance(0.18) {
            let direction = Vec3::new(random.between(-1., 1.), random.between(-0.6, 0.8), random.between(0.1, 0.9));
            let colour = crate::texture::hsv(random.unit(), random.between(0.3, 0.9), 1.);
            lamps.push(Lamp { direction: direction.normalize(), colour: 0.4 * exposure * colour, shadow: None });
        }
        let level = exposure * (0.60 - 0.22 * hardness);
        Self { lamps, ambient: normalised(ambient, level, random.between(0.1, 0.5)) }
    }

    /// Light from everywhere that reaches a surface with this unit normal.
    #[inline]
    pub(super) fn ambient(&self, normal: Vec3) -> Vec3 {
        let vertical = self.ambient.ground.lerp(self.ambient.sky, 0.5 + 0.5 * normal.y);
        let side = self.ambient.left.lerp(self.ambient.right, 0.5 + 0.5 * normal.x);
        vertical.lerp(side, 0.35 * normal.x * normal.x)
    }
}

fn key_direction(random: &mut Random) -> Vec3 {
    let across = random.normal_within(0., 0.65, 2.2);
    let height = random.between(0.05, 1.);
    Vec3::new(across.sin() * height.cos(), height.sin(), across.cos() * height.cos())
}

/// Colours of lamps, from candles to blue sky, of about equal strength.
fn tint(random: &mut Random) -> Vec3 {
    let warmth = random.normal_within(0.08, 0.35, 2.);
    Vec3::new(1. + 0.1 * warmth, 1., 1. - 0.15 * warmth)
}

/// Ambient light of this mean level, of which `share` keeps the backdrop's colours.
fn normalised(ambient: Ambient, level: f32, share: f32) -> Ambient {
    let parts = [ambient.sky, ambient.ground, ambient.left, ambient.right];
    let mean = parts.iter().sum::<Vec3>().element_sum() / 12. + 1e-3;
    let coloured = |part: Vec3, grey: f32| level * (Vec3::splat(grey).lerp(part / mean, share)).min(Vec3::splat(2.));
    Ambient {
        sky: coloured(ambient.sky, 1.1),
        ground: coloured(ambient.ground, 0.62),
        left: coloured(ambient.left, 0.9),
        right: coloured(ambient.right, 0.9),
    }
}

/// How far each ray of a lamp gets.
pub(super) struct ShadowMap {
    /// From the camera's space to cells and, downwards, the distance from the lamp.
    turn: Mat3,
    /// Side of a cell.
    depth: Vec<f32>,
    softness: f32,
}

impl ShadowMap {
    /// An empty map for a lamp, around the origin; `height` is that of the head.
    pub(super) fn new(lamp: &Lamp, softness: f32, height: f32) -> Self {
        let right = Vec3::Y.cross(lamp.direction).normalize_or(Vec3::X);
        let up = lamp.direction.cross(right);
        let scale = CELLS as f32 / (REACH * height);
        let turn = Mat3::from_cols(right * scale, -up * scale, -lamp.direction * scale).transpose();
        Self { turn, depth: vec![f32::MAX; CELLS * CELLS], softness }
    }

    /// Side of a cell of a map that is scaled by `height`.
    pub(super) fn cell(height: f32) -> f32 {
        REACH * height / CELLS as f32
    }

    #[inline]
    pub(super) fn place(&self, view: Vec3) -> Vec3 {
        let centre = CELLS as f32 / 2.;
        self.turn * view + Vec3::new(centre, centre, 0.)
    }

    /// How far behind the nearest thing a place is, in cells; endless where there is nothing before it.
    pub(super) fn behind(&self, view: Vec3) -> f32 {
        let place = self.place(view);
        let last = CELLS as f32 - 1.;
        if place.x < 0. || place.y < 0. || place.x > last || place.y > last {
            return f32::MAX;
        }
        (place.z - self.depth[place.y as usize * CELLS + place.x as usize]).abs()
    }

    /// Enters what throws shadows of a part.
    pub(super) fn throw(&mut self, posed: &Posed) {
        let places: Vec<Vec3> = posed.view.iter().map(|&view| self.place(view)).collect();
        let clip = &posed.part.clip;
        // Of strands every third is enough: they lie close, and their shadows are soft.
        let step = if posed.strands() { 3 } else { 1 };
        for triangle in posed.part.mesh.triangles.iter().step_by(step) {
            if !clip.is_empty() && triangle.iter().any(|&vertex| clip[vertex as usize] < 0.3) {
                continue;
            }
            self.throw_triangle(triangle.map(|vertex| places[vertex as usize]));
        }
    }

    fn throw_triangle(&mut self, [a, b, c]: [Vec3; 3]) {
        let area = (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
        if area.abs() < 1e-6 {
            return;
        }
        let (low, high) = (a.min(b).min(c), a.max(b).max(c));
        let last = CELLS as f32 - 1.;
        let (left, right) = ((low.x + 0.5).max(0.), (high.x - 0.5).min(last));
        let (top, bottom) = ((low.y + 0.5).max(0.), (high.y - 0.5).min(last));
        if right < 0. || bottom < 0. || left > last || top > last {
            return;
        }
        let (first, last) = (left as usize, right as usize);
        if first > last || top as usize > bottom as usize {
            return;
        }
        let inverse = 1. / area;
        let grow = glam::Vec2::new(b.y - c.y, c.y - a.y) * inverse;
        for row in top as usize..=bottom as usize {
            let place = glam::Vec2::new(first as f32 + 0.5, row as f32 + 0.5);
            let [to_a, to_b, to_c] = [a, b, c].map(|corner| corner.truncate() - place);
            let mut weights = glam::Vec2::new(to_b.perp_dot(to_c), to_c.perp_dot(to_a)) * inverse;
            let cells = row * CELLS + first..row * CELLS + last + 1;
            for cell in self.depth.get_mut(cells).unwrap_or_default() {
                if weights.x >= -0.01 && weights.y >= -0.01 && weights.x + weights.y <= 1.01 {
                    let depth = c.z + weights.x * (a.z - c.z) + weights.y * (b.z - c.z);
                    *cell = cell.min(depth);
                }
                weights += grow;
            }
        }
    }

    /// The same of a strand, for which one look is enough.
    #[inline]
    pub(super) fn light_of_strand(&self, view: Vec3, bias: f32) -> f32 {
        self.lit(self.place(view), 0., 0., bias)
    }

    /// Share of the lamp's light that reaches a place, `bias` cells in front of it.
    #[inline]
    pub(super) fn light(&self, view: Vec3, bias: f32) -> f32 {
        let place = self.place(view);
        let lit: f32 = TAPS.iter().map(|tap| self.lit(place, tap.0 * self.softness, tap.1 * self.softness, bias)).sum();
        lit / TAPS.len() as f32
    }

    #[inline]
    fn lit(&self, place: Vec3, right: f32, down: f32, bias: f32) -> f32 {
        let (x, y) = (place.x + right - 0.5, place.y + down - 0.5);
        let last = (CELLS - 1) as f32;
        if x < 0. || y < 0. || x >= last || y >= last {
            return 1.;
        }
        let (left, top) = (x as usize, y as usize);
        let (across, along) = (x - left as f32, y - top as f32);
        let at = top * CELLS + left;
        let depth = place.z - bias;
        let open = |cell: usize| f32::from(u8::from(depth < self.depth[cell]));
        let upper = open(at) * (1. - across) + open(at + 1) * across;
        let lower = open(at + CELLS) * (1. - across) + open(at + CELLS + 1) * across;
        upper * (1. - along) + lower * along
    }
}
