//! Pictures of parts: which triangle is seen, how it is lit, and what lies behind what.
//!
//! Visibility is found at several samples per pixel and light once per pixel and part, which is where the time goes;
//! eyes and mouths, small and full of detail, are lit at every sample.

mod canvas;
mod floor;
mod flow;
mod light;
mod occlusion;
mod posed;
mod shade;

use std::sync::Arc;

use glam::{Vec2, Vec3, Vec4};

pub use self::light::{Lamp, Lighting};
use self::{
    canvas::{Canvas, Samples, Seen, Setup},
    light::ShadowMap,
    posed::Posed,
    shade::Shader,
};
pub use self::{floor::Floor, flow::Origin};
pub(crate) use self::{occlusion::occlude, posed::normals};
use crate::{
    camera::Camera,
    mesh::{Cover, Part, Region},
    person::Creases,
    picture::Picture,
};

/// What a frame is rendered from.
pub struct Scene<'a> {
    /// The parts, those that are blended in the order in which they lie on each other.
    pub parts: &'a [Part],
    /// Where the camera is.
    pub camera: &'a Camera,
    /// What lights it.
    pub lighting: &'a Lighting,
    /// What is behind, as large as the frame.
    pub backdrop: &'a Picture,
    /// What of the backdrop is a floor that shadows fall on.
    pub floor: Option<&'a Floor>,
    /// The skin's wrinkles, and how deep each kind is.
    pub creases: (&'a Creases, [f32; Creases::KINDS]),
    /// Samples per pixel each way.
    pub samples: usize,
}

/// The places of a scene's vertices in a frame.
pub struct Pose {
    /// For each part, in the camera's space.
    pub places: Vec<Vec<Vec3>>,
    /// Unit normals of each part's vertices, where they are known already.
    pub normals: Vec<Option<Vec<Vec3>>>,
    /// Light lost in the folds of each part; empty for none.
    pub folds: Vec<Vec<f32>>,
    /// Triangles of each part from the nearest to the farthest; empty where their order does not matter.
    pub order: Arc<Vec<Vec<u32>>>,
}

impl Pose {
    /// The order of the triangles of parts that are blended or have holes. Heads turn little within a clip, so that the
    /// order of one frame is good for all.
    pub fn order(parts: &[Part], places: &[Vec<Vec3>]) -> Arc<Vec<Vec<u32>>> {
        Arc::new(parts.iter().zip(places).map(|(part, places)| order(part, places)).collect())
    }
}

fn order(part: &Part, places: &[Vec3]) -> Vec<u32> {
    if !matches!(part.cover, Cover::Blended | Cover::Strands(_)) {
        return Vec::new();
    }
    let depth = |triangle: &[u32; 3]| triangle.iter().map(|&vertex| places[vertex as usize].z).sum::<f32>();
    let mut order: Vec<(f32, u32)> = part.mesh.triangles.iter().map(depth).zip(0..).collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0));
    order.into_iter().map(|entry| entry.1).collect()
}

/// A rendered frame.
pub struct Rendered {
    /// What the camera sees.
    pub picture: Picture,
    /// What each pixel shows, by [`Region`].
    pub regions: Vec<u8>,
    /// For each pixel the surface that it shows.
    surface: Vec<Surface>,
}

impl Rendered {
    /// What each pixel shows, by what `name` says of a triangle of a part; 0 for the backdrop.
    pub fn named(&self, name: impl Fn(usize, usize) -> u8) -> Vec<u8> {
        self.surface.iter().map(|surface| surface.seen.map_or(0, |seen| name(seen.part, seen.triangle))).collect()
    }
}

/// The surface at the centre of a pixel.
#[derive(Clone, Copy)]
struct Surface {
    /// Nothing for the backdrop.
    seen: Option<Seen>,
    weights: Vec3,
}

impl Scene<'_> {
    /// Renders a pose.
    pub fn render(&self, pose: &Pose) -> Rendered {
        let size = self.backdrop.size();
        let side = size * self.samples;
        let posed = self.posed(pose, side);
        let shader = self.shader(&posed);
        let shaded = self.floor.map(|floor| floor.shaded(self.backdrop, &posed, &shader, self.camera.head_height));
        let backdrop = shaded.as_ref().unwrap_or(self.backdrop);
        let mut canvas = Canvas::new(side);
        posed.iter().enumerate().for_each(|(index, posed)| canvas.cover(index, posed));
        let mut samples = Samples::new(side);
        let mut surface = Vec::with_capacity(size * size);
        for at in 0..size * size {
            surface.push(self.shade_pixel(&posed, &shader, &canvas, &mut samples, backdrop, (at % size, at / size)));
        }
        let mut regions: Vec<u8> = surface.iter().map(|surface| region(self.parts, surface) as u8).collect();
        self.blend(&posed, &shader, &canvas, &mut samples, &mut regions);
        let mut picture = Picture::plain(size, Vec3::ZERO);
        picture.pixels_mut().copy_from_slice(&samples.resolve(self.samples));
        Rendered { picture, regions, surface }
    }

    fn posed<'a>(&'a self, pose: &'a Pose, side: usize) -> Vec<Posed<'a>> {
        let pixels_per_sample = 1. / self.samples as f32;
        (0..self.parts.len())
            .map(|index| {
                let (part, places) = (&self.parts[index], &pose.places[index]);
                let mut posed = Posed {
                    part,
                    normals: match &pose.normals[index] {
                        Some(normals) => normals.into(),
                        None => normals(places, &part.mesh.triangles).into(),
                    },
                    screen: places.iter().map(|&place| self.on_screen(place, side)).collect(),
                    view: places,
                    folds: &pose.folds[index],
                    order: Some(&pose.order[index][..]).filter(|order| !order.is_empty()),
                    level: 0,
                };
                posed.level = posed.fitting_level(pixels_per_sample);
                posed
            })
            .collect()
    }

    fn on_screen(&self, place: Vec3, side: usize) -> Vec4 {
        let screen = self.camera.project(place, side as f32);
        screen.extend(1. / screen.z)
    }

    fn shader(&self, posed: &[Posed]) -> Shader<'_> {
        let shadows = self.lighting.lamps.iter().map(|lamp| {
            let mut map = ShadowMap::new(lamp, lamp.shadow?, self.camera.head_height);
            posed.iter().filter(|posed| posed.part.casts).for_each(|posed| map.throw(posed));
            Some(map)
        });
        Shader { lighting: self.lighting, shadows: shadows.collect(), eye: self.camera.eye(), creases: self.creases }
    }

    /// Lights the samples of a pixel; gives the surface at its centre.
    fn shade_pixel(
        &self,
        posed: &[Posed],
        shader: &Shader,
        canvas: &Canvas,
        samples: &mut Samples,
        backdrop: &Picture,
        (x, y): (usize, usize),
    ) -> Surface {
        let scale = self.samples;
        let (left, top) = (x * scale, y * scale);
        let places = || (0..scale * scale).map(move |at| (left + at % scale, top + at / scale));
        let middle = (left + scale / 2, top + scale / 2);
        let centre = canvas.seen(middle.0, middle.1).map(|seen| {
            let (_, weights, back) = posed[seen.part].at_centre(seen, (left, top), scale, canvas.side);
            (seen, weights, back)
        });
        let behind = backdrop.pixels()[y * backdrop.size() + x];
        // Colours of the parts in this pixel; there are seldom more than two.
        let mut lit: [Option<(usize, Vec3)>; 4] = [None; 4];
        for (column, row) in places() {
            let Some(seen) = canvas.seen(column, row) else {
                samples.set(column, row, behind);
                continue;
            };
            let part = &posed[seen.part];
            let known = lit.iter().flatten().find(|colour| colour.0 == seen.part).map(|colour| colour.1);
            let colour = match known {
                Some(colour) if !part.is_detailed() => colour,
                _ => {
                    // The centre's triangle stands for the whole pixel, if it is of this part.
                    let stands = centre.filter(|centre| centre.0.part == seen.part && !part.is_detailed());
                    let (triangle, weights, back) = match stands {
                        Some((seen, weights, back)) => (seen.triangle, weights, back),
                        None => part.at_sample(seen, (column, row), canvas.side),
                    };
                    let colour = shader.colour(part, triangle, weights, back);
                    if let Some(free) = lit.iter_mut().find(|colour| colour.is_none()) {
                        *free = Some((seen.part, colour));
                    }
                    colour
                }
            };
            samples.set(column, row, colour);
        }
        Surface { seen: centre.map(|centre| centre.0), weights: centre.map_or(Vec3::ZERO, |centre| centre.1) }
    }

    /// Draws what is blended over what was drawn: the farthest triangles of each part first.
    fn blend(&self, posed: &[Posed], shader: &Shader, canvas: &Canvas, samples: &mut Samples, regions: &mut [u8]) {
        for part in posed {
            let limit = match part.part.cover {
                Cover::Blended => f32::MAX,
                Cover::Strands(threshold) => threshold,
                _ => continue,
            };
            // Most vertices of hair lie behind other hair, and their light is never asked for.
            let mut light = vec![None; part.view.len()];
            for triangle in part.nearest_first().rev() {
                let Some(setup) = Setup::new(part, triangle, canvas.side) else { continue };
                setup.for_each(|column, row, sample| {
                    if sample.nearness() < canvas.nearness(column, row) * 0.999 {
                        return;
                    }
                    let weights = sample.weights();
                    let alpha = part.alpha(triangle, weights);
                    if alpha < 0.08 || alpha > limit {
                        return;
                    }
                    let colour = blended(part, shader, triangle, weights, &mut light);
                    samples.blend(column, row, colour.extend(alpha));
                    if alpha > 0.35 && part.part.region == Region::Brows {
                        let size = self.backdrop.size();
                        regions[row / self.samples * size + column / self.samples] = Region::Brows as u8;
                    }
                });
            }
        }
    }
}

/// The colour of a sample of what is blended; `light` keeps the light at its vertices.
fn blended(part: &Posed, shader: &Shader, triangle: usize, weights: Vec3, light: &mut [Option<Vec3>]) -> Vec3 {
    if part.part.material.reflection > 0. {
        return shader.colour(part, triangle, weights, false);
    }
    let texture = part.part.texture.sample(part.uv(triangle, weights), part.level).truncate();
    let [a, b, c] = part.part.mesh.triangles[triangle].map(|vertex| {
        let vertex = vertex as usize;
        *light[vertex].get_or_insert_with(|| shader.vertex_light(part, vertex))
    });
    texture * (a * weights.x + b * weights.y + c * weights.z)
}

impl Posed<'_> {
    fn strands(&self) -> bool {
        self.part.region == Region::Hair
    }

    fn is_skin(&self) -> bool {
        self.part.region == Region::Skin
    }

    /// Triangle, weights of its corners and whether its back is seen, at the centre of a sample.
    fn at_sample(&self, seen: Seen, (column, row): (usize, usize), side: usize) -> (usize, Vec3, bool) {
        let place = Vec2::new(column as f32 + 0.5, row as f32 + 0.5);
        let setup = Setup::new(self, seen.triangle, side);
        setup.map_or((seen.triangle, Vec3::X, false), |setup| (seen.triangle, setup.weights_at(place), setup.back))
    }

    /// The same at the centre of the pixel whose first sample is given, or, if that is far outside the triangle, at the
    /// sample beside it.
    fn at_centre(&self, seen: Seen, (left, top): (usize, usize), scale: usize, side: usize) -> (usize, Vec3, bool) {
        let place = Vec2::new(left as f32, top as f32) + scale as f32 / 2.;
        let near = |setup: &Setup| (setup.weights_at(place), setup.back);
        match Setup::new(self, seen.triangle, side).as_ref().map(near) {
            Some((weights, back)) if weights.min_element() > -0.25 => (seen.triangle, weights, back),
            _ => self.at_sample(seen, (left + scale / 2, top + scale / 2), side),
        }
    }

    /// Whether it is lit at every sample.
    fn is_detailed(&self) -> bool {
        matches!(self.part.region, Region::Eyes | Region::Mouth)
    }

    /// The copy of the texture of which one texel is about one pixel, by the areas of all triangles.
    fn fitting_level(&self, pixels_per_sample: f32) -> usize {
        let mesh = &self.part.mesh;
        let (width, height) = self.part.texture.size();
        let (mut texels, mut pixels) = (0., 0.);
        for (triangle, uv) in mesh.triangles.iter().zip(&mesh.uv_triangles).step_by(7) {
            let area = twice_area(triangle.map(|vertex| self.screen[vertex as usize].truncate().truncate()));
            if area < 0. {
                pixels -= area * pixels_per_sample * pixels_per_sample;
                texels += twice_area(uv.map(|vertex| mesh.uv[vertex as usize])).abs() * (width * height) as f32;
            }
        }
        // Half a level finer than one texel per pixel: the tent blurs enough.
        if pixels <= 0. || texels <= 0. { 0 } else { (0.5 * (texels / pixels).log2() - 0.35).max(0.).round() as usize }
    }

    /// All triangles, the nearest first if their order matters.
    fn nearest_first(&self) -> impl DoubleEndedIterator<Item = usize> {
        let count = self.part.mesh.triangles.len();
        (0..count).map(|index| self.order.map_or(index, |order| order[index] as usize))
    }
}

/// Positive where the corners go clockwise on a screen whose rows go down.
fn twice_area([a, b, c]: [Vec2; 3]) -> f32 {
    (b - a).perp_dot(c - a)
}

fn region(parts: &[Part], surface: &Surface) -> Region {
    surface.seen.map_or(Region::Background, |seen| parts[seen.part].region)
}

#[cfg(test)]
mod tests;
