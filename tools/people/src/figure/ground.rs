//! The floor or ground that a figure stands on, painted into the lower part of a backdrop.

use glam::{Vec2, Vec3};

use crate::{
    camera::Camera,
    noise::{Noise, smooth},
    picture::Picture,
    random::Random,
    render::Floor,
    texture::{hsv, srgb},
};

/// Samples of a pixel each way: boards and tiles are fine.
const SAMPLES: usize = 3;
/// How far away outdoors ground goes over into the backdrop, in decimetres.
const HORIZON: f32 = 320.;

/// What the ground is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// One colour, as paper or paint.
    Plain,
    /// Boards of this width.
    Boards(f32),
    /// Square tiles of this side.
    Tiles(f32),
    /// Wool.
    Carpet,
    /// Asphalt or concrete.
    Asphalt,
    Grass,
    Sand,
}

/// A ground.
#[derive(Clone, Debug)]
pub(super) struct Ground {
    kind: Kind,
    colour: Vec3,
    other: Vec3,
    /// How far behind the figure it ends, in decimetres.
    end: f32,
    /// Share of the way over which it goes over into the backdrop: none where a wall stands on it.
    soft: f32,
    /// Height and colour of a skirting board.
    skirting: Option<(f32, Vec3)>,
    turn: f32,
    seed: u64,
}

impl Ground {
    /// A ground that suits a kind of backdrop.
    pub(super) fn draw(random: &mut Random, place: &str) -> Self {
        match place {
            "landscape" | "foliage" | "shore" | "street" | "night" => Self::outdoors(random, place),
            "wall" | "room" => Self::indoors(random),
            _ => Self::studio(random),
        }
    }

    fn of(random: &mut Random, kind: Kind, colour: Vec3) -> Self {
        Self {
            kind,
            colour,
            other: colour * random.between(0.5, 0.85),
            end: random.between(6., 30.),
            soft: 0.,
            skirting: None,
            turn: random.between(-0.8, 0.8),
            seed: random.seed(),
        }
    }

    fn outdoors(random: &mut Random, place: &str) -> Self {
        let light = random.between(0.7, 1.25);
        let (kind, colour) = match place {
            "shore" => (Kind::Sand, srgb(205, 184, 146)),
            "street" | "night" => {
                let slabs = if random.chance(0.5) { Kind::Tiles(random.between(3., 6.)) } else { Kind::Asphalt };
                (slabs, srgb(132, 130, 128))
            }
            _ if random.chance(0.65) => (Kind::Grass, srgb(98, 122, 58)),
            _ => (Kind::Asphalt, srgb(150, 140, 126)),
        };
        let dark = if place == "night" { 0.3 } else { 1. };
        Self { end: HORIZON, soft: 0.85, ..Self::of(random, kind, colour * light * dark) }
    }

    fn indoors(random: &mut Random) -> Self {
        let wood = srgb(150, 104, 66) * random.between(0.35, 1.3);
        let grey = hsv(random.unit(), random.between(0., 0.12), random.between(0.35, 0.85));
        let wool = hsv(random.unit(), random.between(0.1, 0.55), random.between(0.2, 0.7));
        let (kind, colour) = *random.weighted(&[
            ((Kind::Boards(random_width(wood)), wood), 0.45),
            ((Kind::Tiles(3.3), grey), 0.2),
            ((Kind::Carpet, wool), 0.2),
            ((Kind::Asphalt, grey), 0.15),
        ]);
        let board = if random.chance(0.6) { Vec3::splat(random.between(0.4, 0.8)) } else { wood * 0.8 };
        let skirting = random.chance(0.75).then(|| (random.between(0.6, 1.3), board));
        Self { skirting, ..Self::of(random, kind, colour) }
    }

    fn studio(random: &mut Random) -> Self {
        let colour = hsv(random.unit(), random.between(0., 0.25), random.between(0.25, 0.9));
        Self { end: random.between(20., 45.), soft: random.between(0.4, 0.8), ..Self::of(random, Kind::Plain, colour) }
    }

    /// Paints it before a camera; gives where shadows fall.
    pub(super) fn paint(&self, backdrop: &mut Picture, camera: &Camera) -> Floor {
        let size = backdrop.size();
        let noise = Noise::new(self.seed);
        // Paper that hangs from the wall to the floor has one colour.
        let paper = (self.kind == Kind::Plain).then(|| mean_of_lowest(backdrop));
        let mut places = Vec::with_capacity(size * size);
        for (at, pixel) in backdrop.pixels_mut().iter_mut().enumerate() {
            let corner = Vec2::new((at % size) as f32, (at / size) as f32);
            let (mut colour, mut share) = (Vec3::ZERO, 0.);
            for sample in 0..SAMPLES * SAMPLES {
                let inside = Vec2::new((sample % SAMPLES) as f32, (sample / SAMPLES) as f32) + 0.5;
                let place = (corner + inside / SAMPLES as f32) / size as f32;
                let (sampled, covers) = self.at(camera, place, &noise, paper);
                (colour, share) = (colour + sampled * covers, share + covers);
            }
            let count = (SAMPLES * SAMPLES) as f32;
            *pixel = *pixel * (1. - share / count) + colour / count;
            let middle = (corner + 0.5) / size as f32;
            places.push(camera.on_ground(middle.x, middle.y).filter(|_| share > 0.).map(|on| (on.0, share / count)));
        }
        Floor { places, up: camera.up() }
    }

    /// The colour at a place of the picture, and how much of it is ground.
    fn at(&self, camera: &Camera, place: Vec2, noise: &Noise, paper: Option<Vec3>) -> (Vec3, f32) {
        let Some((_, ground)) = camera.on_ground(place.x, place.y) else { return (Vec3::ZERO, 0.) };
        let behind = -ground.y;
        let covers = 1. - smooth(self.end * (1. - self.soft), self.end * 1.001, behind);
        if behind < self.end || self.skirting.is_none() {
            return (paper.unwrap_or_else(|| self.colour_at(ground, noise)), covers);
        }
        // The wall begins where the ground ends; as high as its board is, the ground would be that much farther.
        let (height, board) = self.skirting.unwrap_or_default();
        let eye = camera.eye_height();
        let rises = (behind - self.end) / (behind + camera.eye().z).max(1.) * eye;
        let lit = if rises > 0.85 * height { 1.15 } else { 0.9 };
        (board * lit, f32::from(u8::from(rises < height)))
    }

    fn colour_at(&self, ground: Vec2, noise: &Noise) -> Vec3 {
        let ground = Vec2::from_angle(self.turn).rotate(ground);
        let at = |scale: f32, shift: f32| noise.at(Vec3::new(ground.x * scale, ground.y * scale, shift));
        let patches = 1. + 0.08 * at(0.12, 0.5);
        match self.kind {
            Kind::Plain => self.colour,
            Kind::Boards(width) => {
                let (board, across) = ((ground.x / width).floor(), (ground.x / width).rem_euclid(1.));
                let along = ground.y / (width * 9.) + 7.3 * noise.at(Vec3::new(board * 0.77, 3.1, 8.2));
                let shade = noise.at(Vec3::new(board * 0.61, along.floor() * 0.53, 1.7));
                let grain = noise.at(Vec3::new(ground.x * 3.1, ground.y * 0.25, 5.5));
                let gap = across < 0.035 || along.rem_euclid(1.) < 0.005;
                self.colour * (1. + 0.22 * shade + 0.1 * grain) * if gap { 0.45 } else { 1. }
            }
            Kind::Tiles(side) => {
                let (tile, within) = ((ground / side).floor(), ground / side - (ground / side).floor());
                let shade = noise.at(Vec3::new(tile.x * 0.71, tile.y * 0.57, 2.2));
                let joint = within.min_element() < 0.03;
                if joint { self.other } else { self.colour * (1. + 0.07 * shade + 0.04 * at(0.9, 4.)) }
            }
            Kind::Carpet => self.colour * patches * (1. + 0.14 * at(4.3, 2.)),
            Kind::Asphalt => self.colour * patches * (1. + 0.12 * at(3.7, 2.) + 0.06 * at(0.5, 7.)),
            Kind::Grass => {
                let blades = at(3.1, 1.) * 0.35 + at(0.9, 6.) * 0.25 + at(0.2, 3.) * 0.2;
                self.colour.lerp(self.other, 0.5 + blades) * (1. + 0.3 * at(6.7, 9.))
            }
            Kind::Sand => self.colour * patches * (1. + 0.08 * at(4.9, 2.) + 0.1 * at(0.45, 5.)),
        }
    }
}

/// Old boards are narrow and dark, new ones wide and bright.
fn random_width(wood: Vec3) -> f32 {
    0.9 + 2.2 * wood.x
}

fn mean_of_lowest(backdrop: &Picture) -> Vec3 {
    let size = backdrop.size();
    let lowest = &backdrop.pixels()[size * (size - size.div_ceil(12))..];
    lowest.iter().sum::<Vec3>() / lowest.len() as f32
}
