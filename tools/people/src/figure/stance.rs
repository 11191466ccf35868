//! What a body does in one moment, in words that a table of motions can be written in.

use glam::{Quat, Vec3};
use serde::{Serialize, Serializer};

/// An arm. Directions are seen from the chest: x away from the body, y up, z to the front; their lengths do not matter.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Arm {
    /// Where the upper arm points.
    #[serde(serialize_with = "rounded")]
    pub upper: Vec3,
    /// Where the forearm points.
    #[serde(serialize_with = "rounded")]
    pub fore: Vec3,
    /// Where the palm looks, as far as the forearm can turn it.
    #[serde(serialize_with = "rounded")]
    pub palm: Vec3,
    /// How far the fingers are closed: 0 straight, 1 a fist.
    #[serde(serialize_with = "short")]
    pub grip: f32,
}

/// A leg, by where its foot is. Lengths are those of the leg.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Leg {
    /// How far beyond the hip the ankle is, away from the body.
    #[serde(serialize_with = "short")]
    pub out: f32,
    /// How high it is above where a foot stands.
    #[serde(serialize_with = "short")]
    pub up: f32,
    /// How far in front of the hip it is.
    #[serde(serialize_with = "short")]
    pub front: f32,
    /// How far the toes point down, in degrees.
    #[serde(serialize_with = "short")]
    pub point: f32,
    /// How far foot and knee are turned away from the body, in degrees.
    #[serde(serialize_with = "short")]
    pub splay: f32,
    /// Where the foot is round the body, in degrees to the person's left.
    #[serde(serialize_with = "short")]
    pub heading: f32,
}

/// A whole body. Of two limbs the person's left is the first; angles are degrees: x forwards, y to the left, z leaning
/// to the left.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Stance {
    /// Both arms.
    pub arms: [Arm; 2],
    /// Both legs.
    pub legs: [Leg; 2],
    /// How far the body is turned to the person's left, in degrees.
    #[serde(serialize_with = "short")]
    pub heading: f32,
    /// Where the pelvis is: to the left, up and to the front, in lengths of a leg.
    #[serde(serialize_with = "rounded")]
    pub shift: Vec3,
    /// How the pelvis is turned, and all above it.
    #[serde(serialize_with = "rounded")]
    pub hips: Vec3,
    /// How the spine is bent above the pelvis.
    #[serde(serialize_with = "rounded")]
    pub spine: Vec3,
    /// How the head is turned on the spine.
    #[serde(serialize_with = "rounded")]
    pub head: Vec3,
}

/// The hand hangs, the palm to the thigh.
pub(super) const HANGING: Arm =
    Arm { upper: Vec3::new(0.17, -1., 0.), fore: Vec3::new(0.1, -1., 0.24), palm: Vec3::new(-1., 0., 0.15), grip: 0.3 };

const STANDING: Leg = Leg { out: 0., up: 0., front: 0., point: 0., splay: 8., heading: 0. };

/// Somebody stands there.
pub(super) const REST: Stance = Stance {
    arms: [HANGING; 2],
    legs: [STANDING; 2],
    heading: 0.,
    shift: Vec3::ZERO,
    hips: Vec3::ZERO,
    spine: Vec3::ZERO,
    head: Vec3::ZERO,
};

/// An arm with a flat hand, from directions of upper arm, forearm and palm.
pub(super) const fn arm(upper: [f32; 3], fore: [f32; 3], palm: [f32; 3]) -> Arm {
    Arm { upper: Vec3::from_array(upper), fore: Vec3::from_array(fore), palm: Vec3::from_array(palm), grip: 0.08 }
}

/// An arm with a fist.
pub(super) const fn fist(upper: [f32; 3], fore: [f32; 3], palm: [f32; 3]) -> Arm {
    Arm { grip: 1., ..arm(upper, fore, palm) }
}

/// A foot that is away from where it stands: out, up and to the front.
pub(super) const fn foot(out: f32, up: f32, front: f32) -> Leg {
    Leg { out, up, front, ..STANDING }
}

impl Leg {
    /// With the toes down, or up below 0, by degrees.
    pub(super) const fn pointing(self, point: f32) -> Self {
        Self { point, ..self }
    }

    /// With the knee turned out by degrees.
    pub(super) const fn splayed(self, splay: f32) -> Self {
        Self { splay, ..self }
    }

    /// Round the body by degrees.
    pub(super) const fn round(self, heading: f32) -> Self {
        Self { heading, ..self }
    }

    fn blend(self, other: Self, share: f32) -> Self {
        let mix = |one: f32, other: f32| one + (other - one) * share;
        Self {
            out: mix(self.out, other.out),
            up: mix(self.up, other.up),
            front: mix(self.front, other.front),
            point: mix(self.point, other.point),
            splay: mix(self.splay, other.splay),
            heading: mix(self.heading, other.heading),
        }
    }
}

impl Arm {
    /// Between this and another; beyond it above 1.
    pub(super) fn blend(self, other: Self, share: f32) -> Self {
        Self {
            upper: towards(self.upper, other.upper, share),
            fore: towards(self.fore, other.fore, share),
            palm: towards(self.palm, other.palm, share),
            grip: self.grip + (other.grip - self.grip) * share,
        }
    }
}

impl Stance {
    /// With both arms alike.
    pub(super) const fn both(self, arm: Arm) -> Self {
        Self { arms: [arm; 2], ..self }
    }

    /// With the right arm, which is the one that acts, unless a clip is mirrored.
    pub(super) const fn right(self, arm: Arm) -> Self {
        Self { arms: [self.arms[0], arm], ..self }
    }

    /// With the left arm.
    pub(super) const fn left(self, arm: Arm) -> Self {
        Self { arms: [arm, self.arms[1]], ..self }
    }

    /// With the left and the right leg.
    pub(super) const fn legs(self, left: Leg, right: Leg) -> Self {
        Self { legs: [left, right], ..self }
    }

    /// With the pelvis moved: to the left, up and to the front, in lengths of a leg.
    pub(super) const fn shift(self, left: f32, up: f32, front: f32) -> Self {
        Self { shift: Vec3::new(left, up, front), ..self }
    }

    /// With the pelvis turned: forwards, to the left, leaning to the left.
    pub(super) const fn hips(self, forwards: f32, left: f32, lean: f32) -> Self {
        Self { hips: Vec3::new(forwards, left, lean), ..self }
    }

    /// With the spine bent, in the same way.
    pub(super) const fn spine(self, forwards: f32, left: f32, lean: f32) -> Self {
        Self { spine: Vec3::new(forwards, left, lean), ..self }
    }

    /// With the head turned, in the same way.
    pub(super) const fn head(self, forwards: f32, left: f32, lean: f32) -> Self {
        Self { head: Vec3::new(forwards, left, lean), ..self }
    }

    /// Turned to the left by degrees.
    pub(super) const fn heading(self, heading: f32) -> Self {
        Self { heading, ..self }
    }

    /// Between this and another.
    pub(super) fn blend(&self, other: &Self, share: f32) -> Self {
        Self {
            arms: [0, 1].map(|side| self.arms[side].blend(other.arms[side], share)),
            legs: [0, 1].map(|side| self.legs[side].blend(other.legs[side], share)),
            heading: self.heading + (other.heading - self.heading) * share,
            shift: self.shift.lerp(other.shift, share),
            hips: self.hips.lerp(other.hips, share),
            spine: self.spine.lerp(other.spine, share),
            head: self.head.lerp(other.head, share),
        }
    }

    /// What a mirror shows.
    pub(super) fn mirrored(&self) -> Self {
        let turned = |angles: Vec3| angles * Vec3::new(1., -1., -1.);
        let leg = |leg: Leg| Leg { heading: -leg.heading, ..leg };
        Self {
            arms: [self.arms[1], self.arms[0]],
            legs: [leg(self.legs[1]), leg(self.legs[0])],
            heading: -self.heading,
            shift: self.shift * Vec3::new(-1., 1., 1.),
            hips: turned(self.hips),
            spine: turned(self.spine),
            head: turned(self.head),
        }
    }
}

/// A direction on the shortest way from one to another.
fn towards(from: Vec3, to: Vec3, share: f32) -> Vec3 {
    let (from, to) = (from.normalize_or(Vec3::NEG_Y), to.normalize_or(Vec3::NEG_Y));
    let axis = from.cross(to);
    // Opposite directions have no shortest way; limbs move through the front.
    let axis = if axis.length() < 1e-3 { from.cross(Vec3::Z).normalize_or(Vec3::X) } else { axis.normalize() };
    Quat::from_axis_angle(axis, from.angle_between(to) * share) * from
}

/// To a thousandth.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it")]
fn short<S: Serializer>(value: &f32, serializer: S) -> Result<S::Ok, S::Error> {
    ((f64::from(*value) * 1e3).round() / 1e3).serialize(serializer)
}

/// To a thousandth.
fn rounded<S: Serializer>(value: &Vec3, serializer: S) -> Result<S::Ok, S::Error> {
    value.to_array().map(|value| (f64::from(value) * 1e3).round() / 1e3).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_shows_the_other_side_and_twice_the_same() {
        let stance = REST
            .right(fist([1., 0., 0.2], [0., 1., 0.], [0., 0., 1.]))
            .legs(foot(0.1, 0.2, 0.3).round(20.), foot(0., 0., 0.))
            .shift(0.1, -0.2, 0.)
            .spine(5., 20., -3.);
        let mirrored = stance.mirrored();
        assert_eq!((mirrored.arms[0], mirrored.legs[1].heading), (stance.arms[1], -20.));
        assert_eq!((mirrored.spine, mirrored.shift.x), (Vec3::new(5., -20., 3.), -0.1));
        assert_eq!(mirrored.mirrored(), stance);
    }

    #[test]
    fn arms_go_the_shortest_way_at_an_even_pace() {
        let (down, up) = (Vec3::new(0.2, -1., 0.), Vec3::new(0.2, 1., 0.));
        let half = towards(down, up, 0.5);
        assert!(half.abs_diff_eq(Vec3::X, 1e-5), "{half}");
        let quarter = towards(down, up, 0.25);
        assert!((quarter.angle_between(half) - down.angle_between(up) / 4.).abs() < 1e-4);
        assert!(towards(Vec3::Y, Vec3::NEG_Y, 0.5).abs_diff_eq(Vec3::Z, 1e-5), "through the front");
    }
}
