//! A person before a camera: what one take of the set is photographed from.

use std::sync::Arc;

use glam::{Mat3, Vec3};

use crate::{
    backdrop::Backdrop,
    camera::{Camera, Measures},
    expression::{HeadPose, Pose},
    look::{self, Look},
    mesh::{Part, Placement},
    person::{Person, Studio},
    picture::Picture,
    random::Random,
    render::{self, Lighting, Origin, Rendered, Scene},
};

/// The kind of look that most takes have, and their share.
const CAMERA: &str = "camera";
const PLAIN: f32 = 0.75;

/// How pictures are taken.
#[derive(Clone, Copy, Debug)]
pub struct Film {
    /// Pixels each way.
    pub size: usize,
    /// Samples per pixel each way.
    pub samples: usize,
}

/// A picture with what is known of it.
pub struct Shot {
    /// sRGB bytes, `[y, x, rgb]`.
    pub rgb: Vec<u8>,
    /// What each pixel shows, by [`crate::mesh::Region`].
    pub regions: Vec<u8>,
    /// For each pixel the displacement to its place in the first frame (x, y; 2 is the width of the picture) and
    /// whether it is seen there.
    pub flow: Option<Vec<[f32; 3]>>,
}

/// A person, a camera, lights, a backdrop and a film.
pub struct Sitting<'a> {
    studio: &'a Studio,
    person: Person,
    measures: Measures,
    camera: Camera,
    setting: Setting,
    film: Film,
    origin: Option<Origin>,
    order: Arc<Vec<Vec<u32>>>,
}

/// What may be another in another appearance.
pub(crate) struct Setting {
    pub(crate) lighting: Lighting,
    pub(crate) backdrop: Picture,
    pub(crate) look: Look,
    /// The kind of the backdrop.
    pub(crate) place: &'static str,
}

impl Setting {
    fn draw(random: &mut Random, darkness: f32, size: usize) -> Self {
        let backdrop = Backdrop::draw(random);
        let lighting = Lighting::draw(random, backdrop.ambient(), darkness);
        Self { lighting, backdrop: backdrop.paint(size), look: Look::draw(random), place: backdrop.kind() }
    }

    /// A setting for single pictures: more of them are plain than there are plain looks.
    pub(crate) fn for_stills(random: &mut Random, darkness: f32, size: usize) -> Self {
        let mut setting = Self::draw(random, darkness, size);
        if setting.look.kind() != CAMERA && random.chance(0.4) {
            setting.look = Look::draw(random);
        }
        setting
    }

    /// A setting for moving pictures: most are what a camera sees, none has a look that only suits stills.
    pub(crate) fn for_clips(random: &mut Random, darkness: f32, size: usize) -> Self {
        let mut setting = Self::draw(random, darkness, size);
        let plain = random.chance(PLAIN);
        while setting.look.is_still() || (plain && setting.look.kind() != CAMERA) {
            setting.look = Look::draw(random);
        }
        setting
    }
}

impl<'a> Sitting<'a> {
    /// Seats a person for a take.
    pub fn new(studio: &'a Studio, id: u64, take: u32, film: Film) -> Self {
        let mut person = Person::new(studio, id, take);
        let measures = person.shape.measures(&studio.assets.head);
        let seeds = [id, u64::from(take)];
        let camera = Camera::draw(&mut Random::new("camera", &seeds), measures);
        let setting = Setting::for_clips(&mut Random::new("setting", &seeds), person.palette.darkness, film.size);
        let rest = placed(&person.parts, &person.shape.vertices, 0.);
        let before_camera: Vec<Vec<Vec3>> =
            rest.iter().map(|places| places.iter().map(|&place| place - measures.centre).collect()).collect();
        render::occlude(&mut person.parts, &before_camera, measures.height);
        let seen: Vec<Vec<Vec3>> =
            rest.iter().map(|places| places.iter().map(|&place| camera.view(place)).collect()).collect();
        let order = render::Pose::order(&person.parts, &seen);
        Self { studio, person, measures, camera, setting, film, origin: None, order }
    }

    /// Who sits.
    pub fn person(&self) -> &Person {
        &self.person
    }

    /// The camera.
    pub fn camera(&self) -> &Camera {
        &self.camera
    }

    /// The kind of look of the take.
    pub fn look(&self) -> &str {
        self.setting.look.kind()
    }

    /// Takes a picture. Flow is to the first picture that was taken with it.
    pub fn shoot(&mut self, pose: &Pose, frame: u64, with_flow: bool) -> Shot {
        let posed = self.pose(pose);
        let scene = self.scene(&self.person.parts, &self.setting, pose);
        let rendered = scene.render(&posed);
        let flow = match &self.origin {
            _ if !with_flow => None,
            Some(origin) => Some(origin.flow(&scene, &posed, &rendered)),
            None => {
                let origin = Origin::new(&scene, &posed, &rendered);
                let flow = origin.flow(&scene, &posed, &rendered);
                self.origin = Some(origin);
                Some(flow)
            }
        };
        develop(rendered, &self.setting.look, frame, flow)
    }

    /// The same picture in another appearance: skin, hair, light, clothes, backdrop and look change, nothing moves.
    pub fn disguise(&self, pose: &Pose, appearance: u32) -> Vec<u8> {
        let mut random = Random::new("appearance", &[self.person.id, u64::from(appearance), self.setting_seed()]);
        let parts = self.person.disguised(self.studio, &mut random);
        let darkness = random.unit();
        let setting = Setting::for_stills(&mut random, darkness, self.film.size);
        let rendered = self.scene(&parts, &setting, pose).render(&self.pose(pose));
        develop(rendered, &setting.look, 0, None).rgb
    }

    /// Tells the takes of a person apart.
    fn setting_seed(&self) -> u64 {
        self.camera.angles().iter().fold(0, |seed, angle| seed.rotate_left(21) ^ u64::from(angle.to_bits()))
    }

    fn scene<'b>(&'b self, parts: &'b [Part], setting: &'b Setting, pose: &Pose) -> Scene<'b> {
        Scene {
            parts,
            camera: &self.camera,
            lighting: &setting.lighting,
            backdrop: &setting.backdrop,
            creases: (&self.person.creases, self.person.wrinkles(|unit| pose.units.named(unit))),
            samples: self.film.samples,
            floor: None,
        }
    }

    fn pose(&self, pose: &Pose) -> render::Pose {
        let mut vertices = self.person.shape.vertices.clone();
        for (unit, weight) in pose.units.active() {
            if let Some(target) = self.studio.units.get(unit) {
                target.add_to(&mut vertices, weight);
            }
        }
        let neck = Neck::new(&pose.head, self.measures);
        let mut places = placed(&self.person.parts, &vertices, pose.units.named("jawOpen"));
        for place in places.iter_mut().flatten() {
            *place = self.camera.view(neck.turn(*place));
        }
        let normals: Vec<_> =
            self.person.parts.iter().zip(&places).map(|(part, places)| smooth_normals(part, places)).collect();
        let folds = places.iter().zip(&normals).map(|(places, normals)| match normals {
            Some(normals) => self.person.folds(self.studio, places, normals),
            None => Vec::new(),
        });
        render::Pose { folds: folds.collect(), places, normals, order: self.order.clone() }
    }
}

/// Normals of a part that is smooth beyond its own triangles.
fn smooth_normals(part: &Part, places: &[Vec3]) -> Option<Vec<Vec3>> {
    part.smooth.as_ref().map(|triangles| render::normals(places, triangles))
}

pub(crate) fn develop(rendered: Rendered, look: &Look, frame: u64, flow: Option<Vec<[f32; 3]>>) -> Shot {
    let Rendered { mut picture, regions, .. } = rendered;
    look.apply(&mut picture, frame);
    Shot { rgb: look::display::bytes(&picture), regions, flow }
}

/// Places of the vertices of all parts, in the space of the head.
pub(crate) fn placed(parts: &[Part], head: &[Vec3], jaw: f32) -> Vec<Vec<Vec3>> {
    let place = |part: &Part| match &part.placement {
        Placement::Head => head.to_vec(),
        Placement::Bound(binding) => binding.fit(head),
        Placement::Fixed(places) => places.to_vec(),
        Placement::Jaw { binding, drops } => {
            binding.fit(head).into_iter().zip(drops.iter()).map(|(place, &drop)| place + drop * jaw).collect()
        }
        Placement::Shell { vertices, offsets } => {
            vertices.iter().zip(offsets.iter()).map(|(&vertex, &offset)| head[vertex as usize] + offset).collect()
        }
    };
    parts.iter().map(place).collect()
}

/// The head on its neck: what is above turns, what is below stays, and the neck bends between.
struct Neck {
    angles: Vec3,
    shift: Vec3,
    pivot: Vec3,
    /// Heights between which the neck bends.
    bend: (f32, f32),
    whole: Mat3,
}

impl Neck {
    fn new(pose: &HeadPose, measures: Measures) -> Self {
        let Measures { centre, height } = measures;
        let chin = centre.y - height / 2.;
        let angles = Vec3::new(pose.yaw, pose.pitch, pose.roll);
        Self {
            angles,
            shift: pose.shift * height,
            pivot: Vec3::new(0., chin - 0.02 * height, centre.z - 0.22 * height),
            bend: (chin - 0.42 * height, chin + 0.08 * height),
            whole: turn(angles),
        }
    }

    fn turn(&self, place: Vec3) -> Vec3 {
        let share = crate::noise::smooth(self.bend.0, self.bend.1, place.y);
        if share == 0. {
            return place;
        }
        let turn = if share == 1. { self.whole } else { turn(self.angles * share) };
        turn * (place - self.pivot) + self.pivot + self.shift * share
    }
}

fn turn(angles: Vec3) -> Mat3 {
    Mat3::from_rotation_z(angles.z) * Mat3::from_rotation_x(angles.y) * Mat3::from_rotation_y(angles.x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        assets::Assets,
        expression::{self, Label, Options},
        hair::stand_in,
    };

    const FILM: Film = Film { size: 48, samples: 2 };

    /// The pack of `PEOPLE_PACK`, or an egg.
    fn studio() -> Studio {
        Studio::new(Assets { head: stand_in::person().head, pack: None }, FILM.size)
    }

    fn clip(id: u64) -> expression::Clip {
        expression::clip(id, 0, Label::ALL[4], &Options::default())
    }

    #[test]
    fn an_id_is_a_person() {
        let studio = studio();
        let shoot = |id: u64, take: u32| Sitting::new(&studio, id, take, FILM).shoot(&clip(id).poses[0], 0, false).rgb;
        assert_eq!(shoot(7, 0), shoot(7, 0));
        assert_ne!(shoot(7, 0), shoot(8, 0));
        assert_ne!(shoot(7, 0), shoot(7, 1));
        let shape = |take: u32| Sitting::new(&studio, 7, take, FILM).person().shape.vertices.clone();
        assert_eq!(shape(0), shape(1), "the same person in another take");
    }

    #[test]
    fn flow_begins_at_rest() {
        let studio = studio();
        let mut sitting = Sitting::new(&studio, 3, 0, FILM);
        let clip = clip(3);
        let first = sitting.shoot(&clip.poses[0], 0, true).flow.unwrap();
        let still = first.iter().filter(|flow| flow[0].abs() < 1e-3 && flow[1].abs() < 1e-3 && flow[2] == 1.).count();
        assert!(still > first.len() * 99 / 100, "{still} of {} pixels are at rest", first.len());
        let nod = Pose { head: HeadPose { pitch: 0.2, ..HeadPose::default() }, ..clip.poses[0].clone() };
        let moved = sitting.shoot(&nod, 1, true).flow.unwrap();
        assert!(moved.iter().any(|flow| flow[1].abs() > 0.02), "a nod moves something");
    }

    #[test]
    fn another_appearance_has_the_same_outline() {
        let studio = studio();
        let sitting = Sitting::new(&studio, 5, 0, FILM);
        let pose = &clip(5).poses[0];
        let own = sitting.scene(&sitting.person.parts, &sitting.setting, pose).render(&sitting.pose(pose)).regions;
        let parts = sitting.person.disguised(&studio, &mut Random::new("test", &[]));
        let other = sitting.scene(&parts, &sitting.setting, pose).render(&sitting.pose(pose)).regions;
        let same = own.iter().zip(&other).filter(|(a, b)| a == b).count();
        assert!(same > own.len() * 98 / 100, "{same} of {} pixels show the same", own.len());
        assert_ne!(sitting.disguise(pose, 0), sitting.disguise(pose, 1));
    }
}
