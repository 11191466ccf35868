//! Eyes: painted by direction from the middle of the eyeball, so that any mesh of an eye will do.

use std::{f32::consts::PI, sync::Arc};

use glam::{Vec2, Vec3};

use crate::{
    head::Bound,
    mesh::Mesh,
    noise::{Noise, smooth},
    random::Random,
    texture::{Texture, srgb},
};

/// Texels of the texture of an eye, each way.
const SIDE: usize = 128;
/// Angle that the texture spans from the middle of the pupil to its edge.
const SPAN: f32 = 0.75 * PI;
/// Colours of irises, sRGB, and how common they are among light and dark people.
const IRISES: [((u8, u8, u8), f32, f32); 9] = [
    ((62, 34, 18), 0.16, 0.62),
    ((38, 20, 12), 0.08, 0.3),
    ((96, 58, 28), 0.14, 0.06),
    ((128, 92, 46), 0.1, 0.01),
    ((92, 104, 62), 0.12, 0.01),
    ((86, 122, 148), 0.16, 0.),
    ((58, 92, 138), 0.1, 0.),
    ((126, 146, 156), 0.1, 0.),
    ((104, 112, 118), 0.04, 0.),
];

/// The mesh of both eyes with texture coordinates by direction. `places` are those of the eyes at rest.
pub(super) fn by_direction(eyes: &Bound, places: &[Vec3]) -> Mesh {
    let triangles = eyes.mesh.triangles.clone();
    let axes = [true, false].map(|left| Axis::of(places, left));
    let uv = places.iter().map(|&place| axes[usize::from(place.x <= 0.)].uv(place)).collect();
    Mesh { uv_triangles: triangles.clone(), triangles, uv }
}

/// Where an eyeball is and where it looks.
struct Axis {
    centre: Vec3,
    forward: Vec3,
}

impl Axis {
    fn of(places: &[Vec3], left: bool) -> Self {
        let own = || places.iter().copied().filter(|place| (place.x > 0.) == left);
        let count = own().count().max(1) as f32;
        let centre = own().sum::<Vec3>() / count;
        let front = own().max_by(|a, b| a.z.total_cmp(&b.z)).unwrap_or(centre + Vec3::Z);
        Self { centre, forward: (front - centre).normalize_or(Vec3::Z) }
    }

    fn uv(&self, place: Vec3) -> Vec2 {
        let ray = (place - self.centre).normalize_or(self.forward);
        let right = Vec3::Y.cross(self.forward).normalize_or(Vec3::X);
        let up = self.forward.cross(right);
        let angle = ray.dot(self.forward).clamp(-1., 1.).acos().min(0.98 * SPAN);
        let around = Vec2::new(ray.dot(right), ray.dot(up)).normalize_or(Vec2::X);
        Vec2::splat(0.5) + 0.5 * angle / SPAN * around
    }
}

/// Draws an eye's texture; eyes of dark people are mostly dark.
pub(super) fn paint(random: &mut Random, darkness: f32) -> Arc<Texture> {
    let dark = smooth(0.2, 0.5, darkness);
    let choices: Vec<_> = IRISES
        .iter()
        .map(|&(colour, light_share, dark_share)| (colour, light_share + (dark_share - light_share) * dark))
        .collect();
    let &(red, green, blue) = random.weighted(&choices);
    let eye = Eye {
        iris: srgb(red, green, blue) * random.between(0.75, 1.3),
        inner: srgb(110, 76, 40) * random.between(0.5, 1.3),
        inner_share: random.unit() * random.unit(),
        white: Vec3::new(0.56, 0.52, 0.49) * random.between(0.8, 1.1),
        veins: random.unit() * random.unit(),
        radius: random.between(0.43, 0.5),
        pupil: random.between(0.3, 0.5),
        noise: Noise::new(random.seed()),
    };
    let texels: Vec<_> = (0..SIDE * SIDE)
        .map(|at| eye.colour(Vec2::new((at % SIDE) as f32 + 0.5, SIDE as f32 - (at / SIDE) as f32 - 0.5) / SIDE as f32))
        .map(|colour| colour.extend(1.))
        .collect();
    Arc::new(Texture::new(SIDE, SIDE, &texels))
}

struct Eye {
    iris: Vec3,
    /// Colour around the pupil, and how much of it.
    inner: Vec3,
    inner_share: f32,
    white: Vec3,
    veins: f32,
    /// Angle from the middle of the pupil to the edge of the iris, in radians.
    radius: f32,
    /// Radius of the pupil in that of the iris.
    pupil: f32,
    noise: Noise,
}

impl Eye {
    fn colour(&self, uv: Vec2) -> Vec3 {
        let place = (uv - 0.5) * 2.;
        let (angle, around) = (place.length() * SPAN, place.y.atan2(place.x));
        let share = angle / self.radius;
        let fibres = 0.6 * self.noise.at(Vec3::new(8. * around.cos(), 8. * around.sin(), 2. * share))
            + 0.4 * self.noise.at(Vec3::new(19. * around.cos(), 19. * around.sin(), 3. * share + 9.));
        let mut iris = self.iris.lerp(self.inner, self.inner_share * smooth(0.75, 0.35, share)) * (1. + 0.35 * fibres);
        iris *= 1. - 0.65 * smooth(0.82, 1., share);
        let eye = iris * smooth(self.pupil, self.pupil + 0.1, share) + 0.004;
        let thread = 1. - self.noise.at(Vec3::new(5. * place.x, 5. * place.y, 4.)).abs();
        let red =
            self.veins * (0.25 * smooth(0.6, 1.4, angle) + 0.5 * smooth(0.93, 1., thread) * smooth(0.7, 1.1, angle));
        let white = self.white * (Vec3::ONE - red * Vec3::new(0.1, 0.5, 0.5)) * (1. - 0.2 * smooth(0.7, 1.5, angle));
        eye.lerp(white, smooth(0.96, 1.04, share))
    }
}
