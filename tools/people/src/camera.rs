//! Where the camera stands and which lens it has.

use glam::{Mat3, Vec2, Vec3};

use crate::random::Random;

/// A camera in front of a head. Its space has its origin in the middle of the head, x to the right, y up and z towards
/// the camera.
#[derive(Clone, Debug)]
pub struct Camera {
    turn: Mat3,
    /// The middle of the head, in the space of the head.
    centre: Vec3,
    /// From the chin to the top, in decimetres.
    pub head_height: f32,
    /// Distance in heights of the head: short for a wide lens held close, long for a portrait lens.
    distance: f32,
    /// Heights of the head that fit into the picture.
    zoom: f32,
    /// From the middle of the picture, in its widths.
    shift: Vec2,
    angles: [f32; 3],
}

/// Where a head is and how large.
#[derive(Clone, Copy, Debug)]
pub struct Measures {
    /// Its middle.
    pub centre: Vec3,
    /// From the chin to the top.
    pub height: f32,
}

impl Camera {
    /// A camera for a head with these measures: most look into it, some from the side, from above or below.
    pub fn draw(random: &mut Random, measures: Measures) -> Self {
        let turned = random.chance(0.25);
        let yaw = if turned { random.normal_within(0., 0.36, 1.7) } else { random.normal_within(0., 0.14, 2.) };
        let pitch = random.normal_within(0., if turned { 0.13 } else { 0.07 }, 2.6);
        let tilted = random.chance(0.2);
        let roll = random.normal_within(0., if tilted { 0.13 } else { 0.04 }, 2.);
        let angles = [yaw, pitch, roll];
        Self {
            turn: Mat3::from_rotation_z(roll) * Mat3::from_rotation_x(pitch) * Mat3::from_rotation_y(yaw),
            centre: measures.centre,
            head_height: measures.height,
            distance: if random.chance(0.15) { random.between(2.6, 4.) } else { random.between(4., 10.) },
            zoom: random.between(0.98, 1.5),
            shift: Vec2::new(random.between(-0.05, 0.05), random.between(-0.04, 0.06)),
            angles,
        }
    }

    /// A camera that stands before a figure on the ground: `low` and `high` are the heights that it sees, `height` is
    /// the figure's, all in decimetres.
    pub fn of_figure(random: &mut Random, height: f32, [low, high]: [f32; 2]) -> Self {
        let angles = [random.normal_within(0., 0.3, 2.), random.between(0., 0.17), random.normal_within(0., 0.015, 2.)];
        // What heads are to faces, two thirds of a body are to figures: it scales shadows and tolerances.
        let head_height = 0.58 * height;
        Self {
            turn: Self::level(angles) * Mat3::from_rotation_y(angles[0]),
            centre: Vec3::new(0., (low + high) / 2., 0.),
            head_height,
            distance: random.between(3.6, 8.),
            zoom: (high - low) / head_height,
            shift: Vec2::new(random.between(-0.05, 0.05), 0.),
            angles,
        }
    }

    /// The turn of pitch and roll alone, before which what stands on the ground is turned by yaw.
    fn level([_, pitch, roll]: [f32; 3]) -> Mat3 {
        Mat3::from_rotation_z(roll) * Mat3::from_rotation_x(pitch)
    }

    /// Up, in its own space.
    pub fn up(&self) -> Vec3 {
        Self::level(self.angles) * Vec3::Y
    }

    /// How high above the ground it stands.
    pub fn eye_height(&self) -> f32 {
        self.eye().dot(self.up()) + self.centre.y
    }

    /// Where the ray through a place of a picture (x and y from its top left corner, in its widths) meets the ground at
    /// height 0: in its own space, and on the ground, x to the right and z towards it. None above the horizon.
    pub fn on_ground(&self, x: f32, y: f32) -> Option<(Vec3, Vec2)> {
        let eye = self.eye();
        let scale = self.head_height * self.zoom;
        let through = Vec3::new((x - 0.5 - self.shift.x) * scale, (0.5 + self.shift.y - y) * scale, 0.);
        let (ray, up) = (through - eye, self.up());
        let level = Self::level(self.angles);
        let foot = level * Vec3::new(0., -self.centre.y, 0.);
        let falls = -ray.dot(up);
        if falls <= 1e-4 {
            return None;
        }
        let place = eye + ray * ((eye - foot).dot(up) / falls);
        let ground = level.transpose() * place;
        Some((place, Vec2::new(ground.x, ground.z)))
    }

    /// A camera straight in front of a head, whose picture is as high as the head.
    #[cfg(test)]
    pub(crate) fn straight(measures: Measures) -> Self {
        Self {
            turn: Mat3::IDENTITY,
            centre: measures.centre,
            head_height: measures.height,
            distance: 6.,
            zoom: 1.,
            shift: Vec2::ZERO,
            angles: [0.; 3],
        }
    }

    /// Yaw, pitch and roll of the head before it, in radians.
    pub fn angles(&self) -> [f32; 3] {
        self.angles
    }

    /// Where it is, in its own space.
    pub fn eye(&self) -> Vec3 {
        Vec3::new(0., 0., self.head_height * self.distance)
    }

    /// From the space of the head to the camera's.
    pub fn view(&self, place: Vec3) -> Vec3 {
        self.turn * (place - self.centre)
    }

    /// x and y in a picture of `width`, from its top left corner, and the distance.
    pub fn project(&self, view: Vec3, width: f32) -> Vec3 {
        let distance = self.head_height * self.distance;
        let depth = distance - view.z;
        let scale = width * distance / (self.head_height * self.zoom * depth);
        Vec3::new(width * (0.5 + self.shift.x) + scale * view.x, width * (0.5 + self.shift.y) - scale * view.y, depth)
    }
}
