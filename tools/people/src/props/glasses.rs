//! Glasses with lenses.

use std::{f32::consts::TAU, sync::Arc};

use glam::{Vec2, Vec3};

use super::{
    body::Body,
    solid::{Solid, metal},
};
use crate::{
    hair::Wearer,
    mesh::{Cover, Material, Part},
    random::Random,
    texture::{Texture, hsv, srgb},
};

/// Places round a lens.
const ROUND: usize = 36;

/// The outline of a lens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A circle.
    Round,
    /// Wider than high.
    Oval,
    /// With corners.
    Square,
    /// Raised at the outer corners.
    CatEye,
    /// A drop.
    Aviator,
}

/// How lenses are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rim {
    /// All round.
    Full,
    /// From above.
    Half,
    /// By the bridge and the arms.
    None,
}

/// A pair of glasses; lengths are decimetres on an average head.
#[derive(Clone, Copy, Debug)]
pub struct Glasses {
    /// Outline of the lenses.
    pub shape: Shape,
    /// How they are held.
    pub rim: Rim,
    /// Half the width and height of a lens.
    pub lens: Vec2,
    /// Half the thickness of the frame.
    pub thickness: f32,
    /// Colour of the frame, linear.
    pub colour: Vec3,
    /// Whether the frame is of metal.
    pub metal: bool,
    /// Colour of the lenses, linear.
    pub tint: Vec3,
    /// How much the lenses hide, in `[0, 1]`.
    pub opacity: f32,
    /// How far down the nose they sit.
    pub drop: f32,
}

impl Glasses {
    /// Any glasses; one pair in `1 / sunny` hides the eyes.
    pub fn draw(random: &mut Random, sunny: f32) -> Self {
        let shape = *random.weighted(&[
            (Shape::Square, 0.38),
            (Shape::Oval, 0.2),
            (Shape::Round, 0.2),
            (Shape::CatEye, 0.1),
            (Shape::Aviator, 0.12),
        ]);
        let rim = match shape {
            Shape::Square | Shape::Oval => *random.weighted(&[(Rim::Full, 0.75), (Rim::Half, 0.15), (Rim::None, 0.1)]),
            _ => Rim::Full,
        };
        let metal = rim != Rim::Full || shape == Shape::Aviator || random.chance(0.4);
        let width = random.between(0.2, 0.265);
        let height = match shape {
            Shape::Round => width * random.between(0.92, 1.),
            Shape::Aviator => width * random.between(0.82, 0.95),
            _ => width * random.between(0.58, 0.82),
        };
        let colour = match metal {
            true => *random.pick(&[
                srgb(60, 60, 62),
                srgb(150, 148, 144),
                srgb(170, 135, 70),
                srgb(150, 100, 80),
                srgb(20, 20, 22),
            ]),
            false if random.chance(0.6) => {
                *random.pick(&[srgb(16, 16, 18), srgb(60, 36, 22), srgb(96, 60, 34), srgb(20, 28, 60)])
            }
            false => hsv(random.unit(), random.between(0.2, 0.9), random.between(0.15, 0.9)),
        };
        let dark = random.chance(sunny);
        let tint = if dark {
            hsv(random.unit(), random.between(0., 0.5), random.between(0.1, 0.35))
        } else {
            hsv(random.unit(), random.between(0., 0.3), 0.9)
        };
        let opacity = if dark { random.between(0.6, 0.95) } else { random.between(0.02, 0.1) };
        let thickness = if metal { random.between(0.008, 0.013) } else { random.between(0.015, 0.032) };
        let drop = if random.chance(0.12) { random.between(0.08, 0.2) } else { random.between(0., 0.05) };
        Self { shape, rim, lens: Vec2::new(width, height), thickness, colour, metal, tint, opacity, drop }
    }

    /// The outline of the left lens at an angle from the temple over the top to the nose.
    fn outline(&self, angle: f32) -> Vec2 {
        let (sin, cos) = angle.sin_cos();
        let power = match self.shape {
            Shape::Square => 2. / 4.2,
            Shape::CatEye => 2. / 2.8,
            Shape::Oval => 2. / 2.4,
            Shape::Round | Shape::Aviator => 1.,
        };
        let mut place = Vec2::new(cos.signum() * cos.abs().powf(power), sin.signum() * sin.abs().powf(power));
        match self.shape {
            Shape::CatEye => place.y += 0.4 * (0.5 + 0.5 * cos).powi(2) * (0.5 + 0.5 * sin),
            Shape::Aviator => {
                place.x *= 1. + 0.08 * sin;
                place -= Vec2::new(0.1 * (0.5 - 0.5 * sin), 0.22 * (0.5 - 0.5 * sin) * (1. - 0.4 * cos));
            }
            _ => {}
        }
        place * self.lens
    }
}

/// Puts glasses on: frame and lenses, which keep their places on the head.
pub fn make(wearer: &Wearer, glasses: &Glasses) -> Vec<Part> {
    let fit = Fit::new(wearer, glasses);
    let mut frame = Solid::default();
    let mut lenses = Solid::default();
    for side in [1., -1.] {
        fit.rim(&mut frame, side);
        fit.arm(&mut frame, side);
        fit.lens(&mut lenses, side);
    }
    fit.bridge(&mut frame);
    let plastic = Material { specular: 0.3, gloss: 40., reflection: 0.08, ..Material::default() };
    let (texture, material) =
        if glasses.metal { metal(glasses.colour) } else { (Arc::new(Texture::plain(glasses.colour)), plastic) };
    let clear = Arc::new(Texture::new(1, 1, &[glasses.tint.extend(glasses.opacity)]));
    let glass = Material { specular: 0.5, gloss: 120., reflection: 0.5, ..Material::default() };
    let lenses =
        lenses.finish(clear, glass).map(|part| Part { cover: Cover::Blended, casts: glasses.opacity > 0.5, ..part });
    frame.finish(texture, material).into_iter().chain(lenses).collect()
}

/// Glasses on a face.
struct Fit<'a> {
    glasses: &'a Glasses,
    body: Body<'a>,
    /// Middle of the left lens.
    lens: Vec2,
    /// How far to the front the lenses are at the nose.
    depth: f32,
    scale: f32,
}

impl<'a> Fit<'a> {
    fn new(wearer: &Wearer<'a>, glasses: &'a Glasses) -> Self {
        let body = Body::new(wearer, false);
        let (eye, scale) = (body.measures().eye, body.scale());
        let lens = Vec2::new(eye.x.max(glasses.lens.x * scale + 0.06 * scale), eye.y - (0.02 + glasses.drop) * scale);
        let reach = glasses.lens * scale * 1.1;
        let behind =
            wearer.head.mesh.triangles.iter().flatten().map(|&at| wearer.vertices[at as usize]).filter(|place| {
                let off = Vec2::new(place.x.abs() - lens.x, place.y - lens.y).abs();
                off.cmplt(reach).all() && place.x.abs() > 0.16 * scale
            });
        let skin = behind.map(|place| place.z).fold(eye.z + 0.05 * scale, f32::max);
        Self { glasses, lens, depth: skin + 0.015, scale, body }
    }

    /// A place of the left or right lens on the surface of both, which is bent round the face.
    fn surface(&self, side: f32, off: Vec2) -> Vec3 {
        let (x, y) = (self.lens.x + off.x, self.lens.y + off.y);
        let back = 0.16 * (x / self.scale - 0.12).max(0.).powi(2) * self.scale;
        Vec3::new(side * x, y, self.depth - back + 0.08 * off.y)
    }

    fn outline(&self, at: f32) -> Vec2 {
        self.glasses.outline(at * TAU) * self.scale
    }

    fn rim(&self, frame: &mut Solid, side: f32) {
        let (start, end) = match self.glasses.rim {
            Rim::Full => (0, ROUND),
            Rim::Half => (0, ROUND / 2 + 1),
            Rim::None => return,
        };
        let path: Vec<Vec3> =
            (start..end).map(|at| self.surface(side, self.outline(at as f32 / ROUND as f32))).collect();
        let thickness = self.glasses.thickness * self.scale;
        frame.tube(&path, self.glasses.rim == Rim::Full, 6, Vec2::ONE, |_| thickness);
    }

    fn bridge(&self, frame: &mut Solid) {
        let inner = self.lens.x + self.outline(0.5).x;
        let height = 0.25 * self.glasses.lens.y * self.scale;
        let nose = self.body.over(self.body.measures().centre.with_y(self.lens.y + height), Vec3::Z, 0.03).z;
        let path: Vec<Vec3> = (-4..=4)
            .map(|at| {
                let share = at as f32 / 4.;
                let x = share * inner;
                let arch = 0.03 * self.scale * (share * 1.5).cos();
                let depth = self.surface(1., Vec2::new(x.abs() - self.lens.x, 0.)).z;
                Vec3::new(x, self.lens.y + height + arch, depth.max(nose - 0.05 * share * share))
            })
            .collect();
        let double = self.glasses.shape == Shape::Aviator;
        for shift in if double { vec![0., 0.45] } else { vec![0.] } {
            let path: Vec<Vec3> =
                path.iter().map(|&place| place + Vec3::Y * shift * self.glasses.lens.y * self.scale).collect();
            frame.tube(&path, false, 6, Vec2::ONE, |_| self.glasses.thickness * self.scale);
        }
    }

    fn arm(&self, frame: &mut Solid, side: f32) {
        let measures = self.body.measures();
        let mut hinge = self.surface(side, self.outline(0.07));
        hinge.x += side * self.glasses.thickness;
        let ear = (measures.ear_top + Vec3::new(-0.05, -0.02, 0.) * self.scale) * Vec3::new(side, 1., 1.);
        let turn = hinge + Vec3::new(0.03 * side, 0., -0.07) * self.scale;
        let mut path = vec![hinge];
        for at in 0..=6 {
            let place = turn.lerp(ear, at as f32 / 6.);
            let clear = self.body.skull.push_out(place, 0.03);
            path.push(place.with_x(if side > 0. { place.x.max(clear.x) } else { place.x.min(clear.x) }));
        }
        path.push(ear + Vec3::new(0., -0.14, -0.1) * self.scale);
        frame.tube(&path, false, 5, Vec2::ONE, |_| self.glasses.thickness * self.scale * 1.1);
    }

    /// A lens that bulges a little, so that it mirrors more than one place.
    fn lens(&self, lenses: &mut Solid, side: f32) {
        let ring = |share: f32| -> Vec<Vec3> {
            let place = |at: usize| {
                // Both lenses are seen from before: rows run the same way round.
                let at = if side > 0. { at } else { ROUND - at };
                let bulge = 0.02 * self.scale * (1. - share * share);
                self.surface(side, self.outline(at as f32 / ROUND as f32) * share) + Vec3::Z * bulge
            };
            (0..ROUND).map(place).collect()
        };
        lenses.sheet(&[ring(0.01), ring(0.4), ring(0.75), ring(0.99)], true, Vec2::ONE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hair::{stand_in, uv_map::UvMap};

    #[test]
    fn lenses_sit_before_the_eyes_and_face_the_viewer() {
        let person = stand_in::person();
        let map = UvMap::new(&person.head, 16);
        let wearer = person.wearer(&map);
        for seed in 0..12 {
            let parts = make(&wearer, &Glasses::draw(&mut Random::new("glasses", &[seed]), 0.5));
            let lenses = parts.last().unwrap();
            let places = crate::hair::places(&lenses.placement, &person.vertices);
            let eye = Body::new(&wearer, false).measures().eye;
            assert!(places.iter().all(|place| place.is_finite()));
            assert!(places.iter().any(|place| place.truncate().distance(eye.truncate()) < 0.1 && place.z > eye.z));
            let front: f32 = lenses
                .mesh
                .triangles
                .iter()
                .map(|triangle| {
                    let [a, b, c] = triangle.map(|corner| places[corner as usize]);
                    (b - a).cross(c - a).z
                })
                .sum();
            assert!(front > 0.05, "they face backwards: {front}");
        }
    }

    #[test]
    fn outlines_are_as_large_as_lenses() {
        for seed in 0..30 {
            let glasses = Glasses::draw(&mut Random::new("glasses", &[seed]), 0.);
            let right = (0..36).map(|at| glasses.outline(at as f32 / 36. * TAU).x).fold(0., f32::max);
            assert!((right / glasses.lens.x - 1.).abs() < 0.15, "{glasses:?}");
        }
    }

    #[test]
    fn clear_lenses_hide_little() {
        let clear = Glasses::draw(&mut Random::new("glasses", &[1]), 0.);
        let dark = Glasses::draw(&mut Random::new("glasses", &[1]), 1.);
        assert!(clear.opacity < 0.15 && dark.opacity > 0.5);
    }
}
