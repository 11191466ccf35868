//! What is behind a person: studios, walls, rooms, places outdoors, lights at night and painted canvases.
//!
//! A backdrop is a list of filled shapes, drawn once; painting it makes no more choices, so that it is the same at
//! every size.

mod canvas;
pub(crate) mod fill;
mod night;
mod outdoors;
mod room;
mod sketch;
mod street;
pub(crate) mod stroke;
mod studio;
mod wall;

use glam::Vec3;

use self::sketch::Sketch;
use crate::{
    look::{field::Field, grid::Grid},
    picture::Picture,
    random::Random,
};

/// What is behind a person.
#[derive(Clone, Debug)]
pub struct Backdrop {
    sketch: Sketch,
    field: Field,
}

/// Mean colours of a backdrop's parts: the light that it throws on the person.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ambient {
    /// Of the upper third.
    pub sky: Vec3,
    /// Of the lower third.
    pub ground: Vec3,
    /// Of the picture's left third.
    pub left: Vec3,
    /// Of the picture's right third.
    pub right: Vec3,
}

/// How a kind is drawn.
type Scene = fn(&mut Random, &mut Sketch);

/// The kinds, with how often they come.
const KINDS: [((&str, Scene), f32); 12] = [
    (("plain", studio::plain), 0.07),
    (("studio", studio::sweep), 0.16),
    (("gels", studio::gels), 0.05),
    (("wall", wall::draw), 0.16),
    (("drapery", wall::drapery), 0.03),
    (("room", room::draw), 0.18),
    (("landscape", outdoors::landscape), 0.1),
    (("foliage", outdoors::foliage), 0.07),
    (("shore", outdoors::shore), 0.03),
    (("street", street::draw), 0.06),
    (("night", night::draw), 0.05),
    (("canvas", canvas::draw), 0.08),
];

impl Backdrop {
    /// Draws a backdrop: all choices are made here.
    pub fn draw(random: &mut Random) -> Self {
        let &(kind, scene) = random.weighted(&KINDS);
        Self::of(kind, scene, random)
    }

    fn of(kind: &'static str, scene: Scene, random: &mut Random) -> Self {
        let field = Field::draw(random);
        let mut sketch = Sketch::new(kind);
        scene(random, &mut sketch);
        Self { sketch, field }
    }

    /// Its kind: `"studio"`, `"room"`, …
    pub fn kind(&self) -> &'static str {
        self.sketch.kind
    }

    /// Paints it in linear light, the same at every size, larger ones finer.
    pub fn paint(&self, size: usize) -> Picture {
        let working = self.sketch.enough_pixels(size);
        let mut grid = Grid { size: working, cells: vec![Vec3::splat(0.2); working * working] };
        for plane in &self.sketch.planes {
            for stroke in &plane.strokes {
                stroke.paint(working, &mut grid.cells, &self.field);
            }
            grid = grid.disc(plane.blur * working as f32);
        }
        for cell in &mut grid.cells {
            *cell = cell.max(Vec3::ZERO);
        }
        grid.resized(size).picture()
    }

    /// The mean colours of its parts.
    pub fn ambient(&self) -> Ambient {
        const SIZE: usize = 30;
        let small = self.paint(SIZE);
        let mean = |inside: &dyn Fn(usize, usize) -> bool| {
            let pixels = small.pixels().iter().enumerate().filter(|(at, _)| inside(at % SIZE, at / SIZE));
            pixels.map(|(_, &pixel)| pixel).sum::<Vec3>() / (SIZE * SIZE / 3) as f32
        };
        Ambient {
            sky: mean(&|_, y| y < SIZE / 3),
            ground: mean(&|_, y| y >= SIZE - SIZE / 3),
            left: mean(&|x, _| x < SIZE / 3),
            right: mean(&|x, _| x >= SIZE - SIZE / 3),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn every_kind(variants: u64) -> impl Iterator<Item = Backdrop> {
        (0..variants * KINDS.len() as u64).map(|at| {
            let ((kind, scene), _) = KINDS[at as usize % KINDS.len()];
            Backdrop::of(kind, scene, &mut Random::new("backdrop", &[at]))
        })
    }

    /// The mean difference of what two pictures show, of 255.
    fn difference(a: &Picture, b: &Picture) -> f32 {
        let (a, b) = (a.to_srgb(), b.to_srgb());
        a.iter().zip(&b).map(|(&a, &b)| f32::from(a.abs_diff(b))).sum::<f32>() / a.len() as f32
    }

    #[test]
    fn the_same_seed_is_the_same_backdrop_and_another_is_not() {
        let paint = |seed: u64| Backdrop::draw(&mut Random::new("backdrop", &[seed])).paint(48);
        assert_eq!(paint(3).pixels(), paint(3).pixels());
        assert_ne!(paint(3).pixels(), paint(4).pixels());
    }

    #[test]
    fn light_is_finite_and_not_negative() {
        for backdrop in every_kind(4) {
            let picture = backdrop.paint(64);
            let good = |pixel: &Vec3| pixel.is_finite() && pixel.min_element() >= 0. && pixel.max_element() < 50.;
            assert!(picture.pixels().iter().all(good), "{}", backdrop.kind());
        }
    }

    #[test]
    fn a_backdrop_is_the_same_at_every_size() {
        for backdrop in every_kind(3) {
            let halved = Grid::of(&backdrop.paint(256)).halved().halved().picture();
            let small = backdrop.paint(64);
            let apart = difference(&halved, &small);
            assert!(apart < 5., "{}: {apart} of 255", backdrop.kind());
        }
    }

    #[test]
    fn ambient_light_tells_the_sides_apart() {
        let mut backdrop = every_kind(1).next().unwrap();
        let half = |left: f32, colour: Vec3| {
            let (centre, half) = (glam::Vec2::new(left + 0.25, 0.5), glam::Vec2::new(0.25, 0.5));
            stroke::Stroke::new(stroke::Shape::Box { centre, half, turn: 0., round: 0. }, fill::Fill::Plain(colour))
        };
        backdrop.sketch = Sketch::new("test");
        backdrop.sketch.add(half(0., Vec3::X));
        backdrop.sketch.add(half(0.5, Vec3::Y));
        let ambient = backdrop.ambient();
        assert!(ambient.left.distance(Vec3::X) < 0.01 && ambient.right.distance(Vec3::Y) < 0.01);
        assert!(ambient.sky.distance(ambient.ground) < 0.01);
    }

    /// Milliseconds that this thread has computed, whatever else runs.
    fn computed() -> f32 {
        let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        stat.split(' ').next().unwrap().parse::<f64>().unwrap() as f32 * 1e-6
    }

    #[test]
    #[ignore = "measures"]
    fn costs() {
        for (name, ((kind, scene), _)) in KINDS.iter().enumerate() {
            let costs = (0..6).map(|at| {
                let backdrop = Backdrop::of(kind, *scene, &mut Random::new("backdrop", &[at * 12 + name as u64]));
                let started = computed();
                (0..3).for_each(|_| drop(backdrop.paint(384)));
                format!("{:.0}", (computed() - started) / 3.)
            });
            println!("{kind}: {} ms of 384 pixels", costs.collect::<Vec<_>>().join(" "));
        }
    }

    #[test]
    #[ignore = "makes pictures to look at"]
    fn contact_sheet() {
        let variants: u64 = std::env::var("VARIANTS").map_or(5, |value| value.parse().unwrap());
        let size = 192;
        let columns = KINDS.len() as u32;
        let mut sheet = image::RgbImage::new(columns * size, variants as u32 * size);
        for (at, backdrop) in every_kind(variants).enumerate() {
            let picture = backdrop.paint(384);
            let shown = Grid::of(&picture).halved().picture().to_srgb();
            let tile = image::RgbImage::from_raw(size, size, shown).unwrap();
            let (x, y) = (at as u32 % columns * size, at as u32 / columns * size);
            image::imageops::replace(&mut sheet, &tile, i64::from(x), i64::from(y));
        }
        sheet.save(crate::picture::looking_folder().join("backdrops.png")).unwrap();
    }
}
