//! From a stance to the bones of a person: arms by the directions of their halves, legs by where their feet are.

use glam::{Mat3, Quat, Vec3};

use super::{
    Rig,
    rig::{ArmBones, LegBones, Limbs},
    stance::{Arm, Leg, Stance},
};

/// How much of its length a leg reaches when somebody stands at ease.
const AT_EASE: f32 = 0.985;
/// Share of the angle to which it is raised by which an arm lifts its shoulder.
const SHRUG: f32 = 0.3;
/// How far a forearm can turn a hand, in radians.
const TWIST: f32 = 1.9;
/// Weight of the elbow's axis at ease, which decides while an arm is nearly straight.
const AT_EASE_AXIS: f32 = 0.2;

/// A person's bones at ease, feet on the ground at height 0.
#[derive(Clone, Debug)]
pub(super) struct Skeleton {
    limbs: Limbs,
    /// Both ends of each bone.
    ends: Vec<[Vec3; 2]>,
    parents: Vec<Option<usize>>,
    /// Thigh and shin together.
    leg: f32,
    ground: f32,
}

/// What a bone does with what it carries.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bend {
    /// The joint that it turns about, in the body as it was made.
    from: Vec3,
    /// Where that joint is now.
    to: Vec3,
    turn: Quat,
    /// Where the bone points now.
    axis: Vec3,
    /// How far it is twisted at its end, which is twisted most.
    twist: f32,
}

impl Bend {
    /// Where a place goes that is at a `share` of the bone's length.
    #[inline]
    pub(super) fn carry(&self, place: Vec3, share: f32) -> Vec3 {
        let turned = self.turn * (place - self.from);
        if self.twist == 0. || share <= 0. {
            return self.to + turned;
        }
        self.to + Quat::from_axis_angle(self.axis, self.twist * share) * turned
    }
}

/// The bones as they are turned so far.
struct Turns {
    turned: Vec<Option<Quat>>,
    twists: Vec<f32>,
    pelvis: Vec3,
}

impl Skeleton {
    /// The bones of a body that stands on `ground`.
    pub(super) fn new(rig: &Rig, vertices: &[Vec3], ground: f32) -> Self {
        let ends = rig.ends(vertices);
        let LegBones { thigh, calf, .. } = rig.limbs.legs[0];
        let length = |bone: usize| ends[bone][0].distance(ends[bone][1]);
        Self {
            leg: length(thigh) + length(calf),
            parents: rig.bones.iter().map(|bone| bone.parent).collect(),
            limbs: rig.limbs,
            ground,
            ends,
        }
    }

    /// What share of the length of a bone a place is at.
    pub(super) fn along(&self, bone: usize, place: Vec3) -> f32 {
        let [head, tail] = self.ends[bone];
        let axis = tail - head;
        ((place - head).dot(axis) / axis.length_squared().max(1e-6)).clamp(0., 1.)
    }

    /// What each bone does in a stance.
    pub(super) fn pose(&self, stance: &Stance) -> Vec<Bend> {
        let count = self.ends.len();
        let mut turns = Turns { turned: vec![None; count], twists: vec![0.; count], pelvis: Vec3::ZERO };
        let heading = Quat::from_rotation_y(stance.heading.to_radians());
        let chest = self.pose_trunk(stance, heading, &mut turns);
        turns.pelvis = self.standing() + heading * (stance.shift * self.leg);
        for side in [0, 1] {
            self.pose_arm(self.limbs.arms[side], &stance.arms[side], sign(side), chest, &mut turns);
            self.pose_leg(self.limbs.legs[side], &stance.legs[side], sign(side), &mut turns);
        }
        self.bends(&turns)
    }

    /// Turns pelvis, spine and head; gives the turn of the chest.
    fn pose_trunk(&self, stance: &Stance, heading: Quat, turns: &mut Turns) -> Quat {
        let limbs = &self.limbs;
        let pelvis = heading * turned(stance.hips);
        turns.turned[limbs.pelvis] = Some(pelvis);
        for (&bone, share) in limbs.spine.iter().zip([1. / 3., 2. / 3., 1.]) {
            turns.turned[bone] = Some(pelvis * turned(stance.spine * share));
        }
        let chest = pelvis * turned(stance.spine);
        turns.turned[limbs.neck] = Some(chest * turned(stance.head * 0.45));
        turns.turned[limbs.head] = Some(chest * turned(stance.head));
        chest
    }

    /// Where the pelvis of somebody is who stands.
    fn standing(&self) -> Vec3 {
        let LegBones { thigh, foot, .. } = self.limbs.legs[0];
        let [pelvis, hip, ankle] = [self.limbs.pelvis, thigh, foot].map(|bone| self.ends[bone][0]);
        Vec3::new(0., ankle.y - self.ground + AT_EASE * self.leg + pelvis.y - hip.y, pelvis.z - hip.z)
    }

    fn direction(&self, bone: usize) -> Vec3 {
        (self.ends[bone][1] - self.ends[bone][0]).normalize_or(Vec3::NEG_Y)
    }

    fn pose_arm(&self, bones: ArmBones, arm: &Arm, side: f32, chest: Quat, turns: &mut Turns) {
        let seen = |direction: Vec3| chest * (direction * Vec3::new(side, 1., 1.)).normalize_or(Vec3::NEG_Y);
        let (upper, fore) = (seen(arm.upper), seen(arm.fore));
        let (upper_before, fore_before) = (self.direction(bones.upper), self.direction(bones.lower));
        let axis_before = upper_before.cross(fore_before).normalize_or(Vec3::X);
        let clavicle = chest * shrug(arm.upper, side);
        let swing = Quat::from_rotation_arc(clavicle * upper_before, upper) * clavicle;
        // An elbow bends one way only, which is how the upper arm must be twisted.
        let at_ease = swing * axis_before;
        let axis = across(upper.cross(fore) + AT_EASE_AXIS * at_ease, upper, at_ease);
        let lower = frame(fore, axis) * frame(fore_before, axis_before).inverse();
        turns.turned[bones.clavicle] = Some(clavicle);
        turns.turned[bones.upper] = Some(swing);
        turns.twists[bones.upper] = angle_about(upper, at_ease, axis);
        turns.turned[bones.lower] = Some(lower);

        let hand = self.hand(bones);
        let twist = angle_about(fore, lower * hand.palm, seen(arm.palm)).clamp(-TWIST, TWIST);
        turns.twists[bones.lower] = twist;
        let turn = Quat::from_axis_angle(fore, twist) * lower;
        turns.turned[bones.hand] = Some(turn);
        close(bones, arm.grip, turn, &hand, turns);
    }

    /// How the hand lies in the body as it was made.
    fn hand(&self, bones: ArmBones) -> Hand {
        let at = |finger: usize| self.ends[bones.fingers[finger][0]][0];
        let along = (at(2) - self.ends[bones.hand][0]).normalize_or(Vec3::NEG_Y);
        let side = self.ends[bones.hand][0].x.signum();
        let palm = side * along.cross(at(1) - at(4)).normalize_or(Vec3::X);
        Hand { palm, curl: along.cross(palm).normalize_or(Vec3::X) }
    }

    fn pose_leg(&self, bones: LegBones, leg: &Leg, side: f32, turns: &mut Turns) {
        let [thigh_before, shin_before] = [bones.thigh, bones.calf].map(|bone| self.direction(bone));
        let [upper, lower] = [bones.thigh, bones.calf].map(|bone| self.ends[bone][0].distance(self.ends[bone][1]));
        let pelvis = turns.turned[self.limbs.pelvis].unwrap_or(Quat::IDENTITY);
        let hip = turns.pelvis + pelvis * (self.ends[bones.thigh][0] - self.ends[self.limbs.pelvis][0]);
        let way = self.ankle(bones, leg, side) - hip;
        let (distance, way) = (way.length().clamp(0.3 * self.leg, 0.999 * self.leg), way.normalize_or(Vec3::NEG_Y));
        let foot = Quat::from_rotation_y((leg.heading + side * leg.splay).to_radians());
        let lateral = across(foot * Vec3::X, way, Vec3::X);
        let cosine = (upper * upper + distance * distance - lower * lower) / (2. * upper * distance);
        let thigh = Quat::from_axis_angle(lateral, -cosine.clamp(-1., 1.).acos()) * way;
        let shin = (way * distance - thigh * upper).normalize_or(Vec3::NEG_Y);
        let turn = |now: Vec3, before: Vec3| frame(now, lateral) * frame(before, Vec3::X).inverse();
        turns.turned[bones.thigh] = Some(turn(thigh, thigh_before));
        turns.turned[bones.calf] = Some(turn(shin, shin_before));
        turns.turned[bones.foot] = Some(foot * Quat::from_rotation_x(leg.point.to_radians()));
        turns.turned[bones.ball] = Some(foot * Quat::from_rotation_x(0.35 * leg.point.to_radians()));
    }

    /// Where an ankle is to be.
    fn ankle(&self, bones: LegBones, leg: &Leg, side: f32) -> Vec3 {
        let (hip, ankle) = (self.ends[bones.thigh][0], self.ends[bones.foot][0]);
        let place = Vec3::new(
            hip.x + side * leg.out * self.leg,
            ankle.y - self.ground + leg.up * self.leg,
            leg.front * self.leg,
        );
        Quat::from_rotation_y(leg.heading.to_radians()) * place
    }

    /// Places joints one after the other. A bone that nobody turned goes with the one that carries it.
    fn bends(&self, turns: &Turns) -> Vec<Bend> {
        let mut bends: Vec<Bend> = Vec::with_capacity(self.ends.len());
        for (bone, [head, _]) in self.ends.iter().enumerate() {
            let parent = self.parents[bone].and_then(|parent| bends.get(parent));
            let turn = turns.turned[bone].or(parent.map(|parent| parent.turn)).unwrap_or(Quat::IDENTITY);
            let to = parent.map_or(turns.pelvis, |parent| parent.carry(*head, 1.));
            let axis = turn * self.direction(bone);
            bends.push(Bend { from: *head, to, turn, axis, twist: turns.twists[bone] });
        }
        bends
    }
}

/// How a hand lies in the body as it was made: where its palm looks, and the axis about which its fingers close.
struct Hand {
    palm: Vec3,
    curl: Vec3,
}

/// Closes the fingers of a hand.
fn close(bones: ArmBones, grip: f32, turn: Quat, hand: &Hand, turns: &mut Turns) {
    for (finger, phalanges) in bones.fingers.iter().enumerate() {
        let mut bent = 0.;
        for (&phalanx, most) in phalanges.iter().zip([70_f32, 85., 60.]) {
            let share = if finger == 0 { 0.35 * (grip - 0.3) } else { grip - 0.12 };
            bent += share * most.to_radians();
            turns.turned[phalanx] = Some(turn * Quat::from_axis_angle(hand.curl, bent));
        }
    }
}

fn sign(side: usize) -> f32 {
    if side == 0 { 1. } else { -1. }
}

/// Degrees forwards, to the left and leaning to the left, as a turn.
fn turned(angles: Vec3) -> Quat {
    let [forwards, left, lean] = angles.to_array().map(f32::to_radians);
    Quat::from_rotation_y(left) * Quat::from_rotation_x(forwards) * Quat::from_rotation_z(-lean)
}

/// How an arm in this direction lifts its shoulder, and pulls it to the front.
fn shrug(upper: Vec3, side: f32) -> Quat {
    let upper = upper.normalize_or(Vec3::NEG_Y);
    let lift = SHRUG * (upper.y.asin() + 0.35).max(0.);
    let pull = 0.25 * upper.z.clamp(-0.6, 1.).asin() * (1. + upper.y.min(0.));
    Quat::from_rotation_z(side * lift) * Quat::from_rotation_y(-side * pull)
}

/// What of a vector is at right angles to a unit vector, with length 1.
fn across(vector: Vec3, unit: Vec3, otherwise: Vec3) -> Vec3 {
    let rest = |vector: Vec3| vector - unit * unit.dot(vector);
    rest(vector).try_normalize().unwrap_or_else(|| rest(otherwise).normalize_or(Vec3::X))
}

/// The turn whose first axis is `along` and whose second is as near to `side` as can be.
fn frame(along: Vec3, side: Vec3) -> Quat {
    let side = across(side, along, Vec3::Z);
    Quat::from_mat3(&Mat3::from_cols(along, side, along.cross(side)))
}

/// How far `from` must be turned about an axis to look where `to` does.
fn angle_about(axis: Vec3, from: Vec3, to: Vec3) -> f32 {
    let (from, to) = (from - axis * axis.dot(from), to - axis * axis.dot(to));
    if from.length() < 0.1 || to.length() < 0.1 {
        return 0.;
    }
    from.cross(to).dot(axis).atan2(from.dot(to))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::{
        clip::clip,
        label::Act,
        rig::stand_in,
        stance::{REST, arm, foot},
    };

    fn skeleton() -> Skeleton {
        let (rig, vertices) = stand_in::rig();
        Skeleton::new(&rig, &vertices, stand_in::GROUND)
    }

    /// Where a bone begins and ends in a stance.
    fn ends(skeleton: &Skeleton, bone: usize, stance: &Stance) -> [Vec3; 2] {
        let bend = skeleton.pose(stance)[bone];
        skeleton.ends[bone].map(|end| bend.carry(end, 1.))
    }

    #[test]
    fn arms_point_where_a_stance_says_on_both_sides() {
        let skeleton = skeleton();
        let stance = REST.both(arm([1., 0., 0.], [0., 1., 0.], [0., 0., 1.]));
        for (bones, side) in skeleton.limbs.arms.iter().zip([1., -1.]) {
            let pointing = |bone: usize| {
                let [head, tail] = ends(&skeleton, bone, &stance);
                (tail - head).normalize()
            };
            assert!(pointing(bones.upper).abs_diff_eq(Vec3::X * side, 1e-4), "{}", pointing(bones.upper));
            assert!(pointing(bones.lower).abs_diff_eq(Vec3::Y, 1e-4), "{}", pointing(bones.lower));
            let bend = skeleton.pose(&stance)[bones.hand];
            let palm = bend.turn * skeleton.hand(*bones).palm;
            assert!(palm.z > 0.9, "the palm looks to {palm}");
        }
    }

    #[test]
    fn limbs_keep_their_lengths_and_hang_together() {
        let skeleton = skeleton();
        for (label, frame) in Act::ALL.into_iter().flat_map(|label| (0..16).map(move |frame| (label, frame))) {
            let stance = clip(5, 0, label, 16).poses[frame];
            let bends = skeleton.pose(&stance);
            for (bone, parent) in skeleton.parents.iter().enumerate() {
                let [head, tail] = skeleton.ends[bone];
                let (now, before) = (bends[bone].to.distance(bends[bone].carry(tail, 1.)), head.distance(tail));
                assert!((now - before).abs() < 1e-3, "{label:?} {frame}");
                let held = parent.map_or(bends[bone].to, |parent| bends[parent].carry(head, 1.));
                assert!(held.distance(bends[bone].to) < 1e-3, "{label:?} {frame}");
            }
        }
    }

    #[test]
    fn feet_stay_where_they_stand() {
        let skeleton = skeleton();
        let ankles = |stance: &Stance| skeleton.limbs.legs.map(|leg| skeleton.pose(stance)[leg.foot].to);
        for person in 0..6 {
            let rest = ankles(&clip(person, 0, Act::Bow, 16).poses[0]);
            for label in [Act::Wave, Act::Clap, Act::Bow, Act::ArmsUp, Act::Stop, Act::CutEngine] {
                for stance in clip(person, 0, label, 16).poses {
                    let moved = ankles(&stance).iter().zip(rest).map(|(a, b)| a.distance(b)).fold(0., f32::max);
                    assert!(moved < 0.12, "{person} {label:?}: {moved} dm");
                }
            }
        }
    }

    #[test]
    fn nobody_sinks_into_the_floor_and_who_jumps_leaves_it() {
        let skeleton = skeleton();
        let lowest = |stance: &Stance| {
            let bends = skeleton.pose(stance);
            let toes = skeleton.limbs.legs.map(|leg| bends[leg.ball].carry(skeleton.ends[leg.ball][1], 1.).y);
            toes[0].min(toes[1])
        };
        let standing = lowest(&REST);
        for label in Act::ALL {
            let heights: Vec<f32> = clip(2, 0, label, 16).poses.iter().map(lowest).collect();
            let deepest = heights.iter().copied().fold(f32::MAX, f32::min);
            assert!(deepest > standing - 0.35, "{label:?}: {deepest} below {standing}");
            assert_eq!(heights[9] > standing + 0.8, label == Act::Jump, "{label:?}: {}", heights[9]);
        }
    }

    #[test]
    fn knees_bend_forwards_and_reach_their_feet() {
        let skeleton = skeleton();
        let stance = REST.shift(0., -0.4, 0.).legs(foot(0., 0., 0.1), foot(0., 0., 0.));
        let bends = skeleton.pose(&stance);
        for leg in skeleton.limbs.legs {
            let [hip, knee, ankle] = [leg.thigh, leg.calf, leg.foot].map(|bone| bends[bone].to);
            assert!(knee.z > hip.z.max(ankle.z) + 1., "hip {hip}, knee {knee}, ankle {ankle}");
        }
        let [left, right] = skeleton.limbs.legs.map(|leg| bends[leg.foot].to.z);
        assert!((left - right - 0.1 * skeleton.leg).abs() < 0.02, "{left} {right}");
    }

    #[test]
    fn hands_meet_when_they_clap_and_arms_cross_above_the_head() {
        let skeleton = skeleton();
        let hands = |label: Act, frame: usize| {
            let bends = skeleton.pose(&clip(1, 0, label, 16).poses[frame]);
            skeleton.limbs.arms.map(|arm| bends[arm.fingers[2][0]].to)
        };
        let gap = |frame: usize| hands(Act::Clap, frame).iter().fold(0., |sum: f32, hand| sum + hand.x.abs());
        let nearest = (3..13).map(gap).fold(f32::MAX, f32::min);
        let farthest = (3..13).map(gap).fold(0., f32::max);
        assert!(nearest < 2.2 && farthest > 2. * nearest, "{nearest} {farthest}");
        let [left, right] = hands(Act::Stop, 9);
        assert!(left.x < right.x && left.y > 15., "left hand {left}, right hand {right}");
    }
}
