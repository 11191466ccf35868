//! A plain rasteriser to look at what grows, for tests only.

use glam::{Quat, Vec2, Vec3};

use super::{places, stand_in::Person};
use crate::mesh::{Cover, Part};

const SIZE: usize = 260;
const FINE: usize = 2;

/// A picture of some parts, turned by `yaw` in radians.
pub(crate) struct View {
    turn: Quat,
    centre: Vec3,
    zoom: f32,
    pixels: Vec<Vec3>,
    depths: Vec<f32>,
}

impl View {
    pub(crate) fn new(centre: Vec3, zoom: f32, yaw: f32) -> Self {
        let count = (SIZE * FINE) * (SIZE * FINE);
        Self {
            turn: Quat::from_rotation_y(yaw),
            centre,
            zoom,
            pixels: vec![Vec3::new(0.35, 0.42, 0.5); count],
            depths: vec![f32::MIN; count],
        }
    }

    /// Draws skin in one colour, then all parts.
    pub(crate) fn person(&mut self, person: &Person, parts: &[Part]) {
        let head = &person.head;
        let eyes = head.inner.eyes.binding.fit(&person.vertices);
        let skin = |uv: Vec2| Vec3::new(0.62, 0.42, 0.32).extend(if uv.x < -1. { 0. } else { 1. });
        self.draw(&person.vertices, &head.mesh.triangles, None, &[], 0., &skin);
        let white = |_| Vec3::splat(0.6).extend(1.);
        self.draw(&eyes, &head.inner.eyes.mesh.triangles, None, &[], 0., &white);
        for part in parts {
            self.part(person, part);
        }
    }

    fn part(&mut self, person: &Person, part: &Part) {
        let places = places(&part.placement, &person.vertices);
        let sample = |uv: Vec2| {
            let texel = part.texture.sample(uv, 0);
            (texel.truncate() * part.material.tint).extend(texel.w)
        };
        let uv = Some((&part.mesh.uv[..], &part.mesh.uv_triangles[..]));
        let (solid, soft) = match part.cover {
            Cover::Opaque => (0., false),
            Cover::Cutout(threshold) => (threshold, false),
            Cover::Strands(threshold) => (threshold, true),
            Cover::Blended => (2., true),
        };
        if solid <= 1. {
            self.draw(&places, &part.mesh.triangles, uv, &part.clip, solid, &sample);
        }
        if soft {
            let middle = |triangle: &[u32; 3]| {
                triangle.iter().map(|&corner| (self.turn * places[corner as usize]).z).sum::<f32>()
            };
            let mut order: Vec<usize> = (0..part.mesh.triangles.len()).collect();
            order.sort_by(|&a, &b| middle(&part.mesh.triangles[a]).total_cmp(&middle(&part.mesh.triangles[b])));
            let triangles: Vec<_> = order.iter().map(|&at| part.mesh.triangles[at]).collect();
            let uv_triangles: Vec<_> = order.iter().map(|&at| part.mesh.uv_triangles[at]).collect();
            let uv = Some((&part.mesh.uv[..], &uv_triangles[..]));
            self.draw(&places, &triangles, uv, &part.clip, -1., &sample);
        }
    }

    #[allow(clippy::many_single_char_names)]
    /// Draws triangles; texels above `threshold` cover, or are blended where it is below 0.
    fn draw(
        &mut self,
        places: &[Vec3],
        triangles: &[[u32; 3]],
        uv: Option<(&[Vec2], &[[u32; 3]])>,
        clip: &[f32],
        threshold: f32,
        sample: &dyn Fn(Vec2) -> glam::Vec4,
    ) {
        let side = (SIZE * FINE) as f32;
        let turned: Vec<Vec3> = places
            .iter()
            .map(|&place| {
                let at = self.turn * (place - self.centre);
                let near = 14. / (14. - at.z);
                Vec3::new(side * (0.5 + at.x * near / self.zoom), side * (0.5 - at.y * near / self.zoom), at.z)
            })
            .collect();
        let mut normals = vec![Vec3::ZERO; places.len()];
        for triangle in triangles {
            let [a, b, c] = triangle.map(|corner| self.turn * places[corner as usize]);
            for corner in triangle {
                normals[*corner as usize] += (b - a).cross(c - a);
            }
        }
        for (at, triangle) in triangles.iter().enumerate() {
            let corners = triangle.map(|corner| corner as usize);
            let [a, b, c] = corners.map(|corner| turned[corner]);
            let area = (b - a).truncate().perp_dot((c - a).truncate());
            if area.abs() < 1e-6 {
                continue;
            }
            let low = a.min(b).min(c).max(Vec3::ZERO);
            let high = a.max(b).max(c).min(Vec3::splat(side - 1.));
            for y in low.y as usize..=(high.y.max(0.) as usize) {
                for x in low.x as usize..=(high.x.max(0.) as usize) {
                    let p = Vec2::new(x as f32 + 0.5, y as f32 + 0.5);
                    let u = (b.truncate() - p).perp_dot(c.truncate() - p) / area;
                    let v = (c.truncate() - p).perp_dot(a.truncate() - p) / area;
                    let w = 1. - u - v;
                    let depth = a.z * u + b.z * v + c.z * w;
                    let pixel = y * SIZE * FINE + x;
                    if u < 0. || v < 0. || w < 0. || depth < self.depths[pixel] {
                        continue;
                    }
                    let place = uv.map_or(Vec2::ZERO, |(uv, triangles)| {
                        let [a, b, c] = triangles[at].map(|corner| uv[corner as usize]);
                        a * u + b * v + c * w
                    });
                    let mut texel = sample(place);
                    if !clip.is_empty() {
                        let opacity = corners.iter().zip([u, v, w]).map(|(&at, share)| clip[at] * share).sum::<f32>();
                        texel.w *= opacity.clamp(0., 1.);
                    }
                    if texel.w < threshold.max(0.02) {
                        continue;
                    }
                    let mut normal =
                        corners.iter().zip([u, v, w]).map(|(&at, share)| normals[at] * share).sum::<Vec3>();
                    normal = normal.normalize_or(Vec3::Z);
                    if normal.z < 0. {
                        normal = -normal;
                    }
                    let light = Vec3::new(-0.4, 0.6, 0.7).normalize();
                    let half = (light + Vec3::Z).normalize();
                    let lambert = ((normal.dot(light) + 0.2) / 1.2).max(0.);
                    let shine = normal.dot(half).max(0.).powf(20.) * 0.08;
                    let colour = texel.truncate() * (0.35 + 0.2 * normal.y + 0.8 * lambert) + shine;
                    if threshold < 0. {
                        self.pixels[pixel] = self.pixels[pixel].lerp(colour, texel.w.min(1.));
                    } else {
                        self.pixels[pixel] = colour;
                        self.depths[pixel] = depth;
                    }
                }
            }
        }
    }

    fn at(&self, x: usize, y: usize) -> [u8; 3] {
        let mut sum = Vec3::ZERO;
        for dy in 0..FINE {
            for dx in 0..FINE {
                sum += self.pixels[(y * FINE + dy) * SIZE * FINE + x * FINE + dx];
            }
        }
        (sum / (FINE * FINE) as f32).to_array().map(|light| (light.clamp(0., 1.).powf(1. / 2.2) * 255.) as u8)
    }
}

/// Writes pictures beside each other, `columns` in a row.
pub(crate) fn sheet(views: &[View], columns: usize, file: &str) {
    let folder = crate::picture::looking_folder();
    let rows = views.len().div_ceil(columns);
    let picture = image::RgbImage::from_fn((columns * SIZE) as u32, (rows * SIZE) as u32, |x, y| {
        let (x, y) = (x as usize, y as usize);
        let view = views.get(y / SIZE * columns + x / SIZE);
        image::Rgb(view.map_or([0; 3], |view| view.at(x % SIZE, y % SIZE)))
    });
    picture.save(folder.join(file)).unwrap();
}
