//! A figure before a camera: what one take of a set is filmed from.

use glam::Vec3;

use super::{Figure, Stance, body::Body, clip, ground::Ground};
use crate::{
    camera::Camera,
    mesh::Part,
    person::{Person, Studio},
    random::Random,
    render::{self, Floor, Origin, Scene},
    sitting::{Film, Setting, Shot, develop},
};

/// How much of a figure is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// All of it, with room for arms and jumps.
    Whole,
    /// From the hips up.
    HipsUp,
}

/// A figure, a camera that does not move, lights, a floor, a backdrop and a film.
pub struct Sitting<'a> {
    studio: &'a Studio,
    body: Body,
    camera: Camera,
    place: Place,
    film: Film,
    take: u32,
    origin: Option<Origin>,
}

/// What may be another in another appearance.
struct Place {
    setting: Setting,
    floor: Floor,
}

impl Place {
    fn new(mut setting: Setting, random: &mut Random, camera: &Camera) -> Self {
        let ground = Ground::draw(random, setting.place);
        let floor = ground.paint(&mut setting.backdrop, camera);
        // Lamps are above who stands on a floor.
        for lamp in &mut setting.lighting.lamps {
            let up = camera.up();
            let rise = lamp.direction.dot(up);
            lamp.direction = (lamp.direction + up * (0.45 - rise).max(0.)).normalize_or(up);
        }
        Self { setting, floor }
    }
}

impl Framing {
    /// The heights that a camera sees, in heights of the figure.
    fn range(self, random: &mut Random) -> [f32; 2] {
        match self {
            Self::Whole => {
                let low = random.between(-0.14, -0.05);
                [low, low + random.between(1.46, 1.7)]
            }
            Self::HipsUp => {
                let low = random.between(0.4, 0.48);
                [low, low + random.between(0.84, 1.)]
            }
        }
    }
}

impl<'a> Sitting<'a> {
    /// Places a figure for a take.
    pub fn new(studio: &'a Studio, figure: &Figure, id: u64, take: u32, framing: Framing, film: Film) -> Self {
        let mut body = Body::new(studio, figure, id, take);
        let seeds = [id, u64::from(take)];
        let mut random = Random::new("figure's camera", &seeds);
        let heights = framing.range(&mut random).map(|share| share * body.height);
        let camera = Camera::of_figure(&mut random, body.height, heights);
        let mut random = Random::new("figure's setting", &seeds);
        let setting = Setting::for_clips(&mut random, body.person.palette.darkness, film.size);
        let place = Place::new(setting, &mut random, &camera);
        let middle = Vec3::Y * body.height / 2.;
        let rest: Vec<Vec<Vec3>> = body.pose(&clip::rest(id, take));
        let around = rest.iter().map(|places| places.iter().map(|&place| place - middle).collect()).collect::<Vec<_>>();
        render::occlude(&mut body.person.parts, &around, camera.head_height);
        Self { studio, body, camera, place, film, take, origin: None }
    }

    /// Who it is.
    pub fn person(&self) -> &Person {
        &self.body.person
    }

    /// The kind of look of the take, and the kind of its place.
    pub fn look(&self) -> [&str; 2] {
        [self.place.setting.look.kind(), self.place.setting.place]
    }

    /// Takes a picture. Flow is to the first picture that was taken with it.
    pub fn shoot(&mut self, stance: &Stance, frame: u64, with_flow: bool) -> Shot {
        let pose = self.pose(stance);
        let scene = self.scene(&self.body.person.parts, &self.place);
        let mut rendered = scene.render(&pose);
        rendered.regions = rendered.named(|part, triangle| self.body.area(part, triangle));
        let flow = match &self.origin {
            _ if !with_flow => None,
            Some(origin) => Some(origin.flow(&scene, &pose, &rendered)),
            None => {
                let origin = Origin::new(&scene, &pose, &rendered);
                let flow = origin.flow(&scene, &pose, &rendered);
                self.origin = Some(origin);
                Some(flow)
            }
        };
        develop(rendered, &self.place.setting.look, frame, flow)
    }

    /// The same picture in another appearance: skin, hair, light, clothes and place change, nothing moves.
    pub fn disguise(&self, stance: &Stance, appearance: u32) -> Vec<u8> {
        let person = &self.body.person;
        let seeds = [person.id, u64::from(self.take), u64::from(appearance)];
        let mut random = Random::new("figure's appearance", &seeds);
        let parts = person.disguised(self.studio, &mut random);
        let darkness = random.unit();
        let setting = Setting::for_stills(&mut random, darkness, self.film.size);
        let place = Place::new(setting, &mut random, &self.camera);
        let rendered = self.scene(&parts, &place).render(&self.pose(stance));
        develop(rendered, &place.setting.look, 0, None).rgb
    }

    fn scene<'b>(&'b self, parts: &'b [Part], place: &'b Place) -> Scene<'b> {
        Scene {
            parts,
            camera: &self.camera,
            lighting: &place.setting.lighting,
            backdrop: &place.setting.backdrop,
            floor: Some(&place.floor),
            creases: (&self.body.person.creases, self.body.person.wrinkles(|_| 0.)),
            samples: self.film.samples,
        }
    }

    fn pose(&self, stance: &Stance) -> render::Pose {
        let parts = &self.body.person.parts;
        let mut places = self.body.pose(stance);
        places.iter_mut().flatten().for_each(|place| *place = self.camera.view(*place));
        // A figure turns, so that what is nearest changes with every frame.
        let order = render::Pose::order(parts, &places);
        render::Pose { folds: vec![Vec::new(); parts.len()], normals: vec![None; parts.len()], places, order }
    }
}
