//! What a figure does in a clip: a motion of the table at a pace, with a reach, on a side and in a style.

use std::f32::consts::TAU;

use glam::Vec3;

use super::{
    label::Act,
    motions::{APEX, Motion},
    stance::{Arm, HANGING, REST, Stance},
};
use crate::{expression::apex_index, noise::smooth, random::Random};

/// Share of people who do most with their left hand.
const LEFT_HANDED: f32 = 0.2;

/// A clip.
#[derive(Clone, Debug, PartialEq)]
pub struct Clip {
    /// The label of its row.
    pub label: Act,
    /// The frame in the middle of the motion.
    pub apex: usize,
    /// One per frame; the first is the same for all labels of a take.
    pub poses: Vec<Stance>,
}

/// The clip of a person, a take and a label, with at least 2 frames.
pub fn clip(person: u64, take: u32, label: Act, frames: usize) -> Clip {
    let performance = Performance::draw(person, take, label);
    let last = frames.saturating_sub(1).max(1) as f32;
    let poses = (0..frames).map(|frame| performance.at(frame as f32 / last)).collect();
    Clip { label, apex: apex_index(frames), poses }
}

/// How somebody stands in a take before anything happens.
pub fn rest(person: u64, take: u32) -> Stance {
    let mut random = Random::new("stance", &[person, take.into()]);
    let mut stance = REST;
    let apart = random.between(-0.02, 0.07);
    for side in 0..2 {
        let arm = &mut stance.arms[side];
        arm.upper += Vec3::new(random.between(-0.06, 0.14), 0., random.normal_within(0., 0.06, 2.));
        arm.fore += Vec3::new(random.normal_within(0., 0.06, 2.), 0., random.between(-0.1, 0.2));
        arm.grip = random.between(0.15, 0.6);
        let leg = &mut stance.legs[side];
        leg.out = apart + random.normal_within(0., 0.008, 2.);
        leg.front = random.normal_within(0., 0.025, 2.);
        leg.splay = random.between(2., 20.);
    }
    stance.shift = Vec3::new(random.normal_within(0., 0.012, 2.), 0., 0.);
    stance.hips.z = random.normal_within(0., 1.2, 2.);
    stance.spine = Vec3::new(random.normal_within(0., 2., 2.), random.normal_within(0., 2.5, 2.), -stance.hips.z);
    stance.head = Vec3::new(random.normal_within(0., 4., 2.), random.normal_within(0., 7., 2.), random.normal(0., 2.));
    stance
}

/// Everything that a clip is drawn from.
struct Performance {
    motion: Motion,
    mirrored: bool,
    rest: Stance,
    pace: Pace,
    style: Style,
    /// Share of the way back to rest that is left at the end.
    lingers: f32,
    breath: f32,
}

impl Performance {
    fn draw(person: u64, take: u32, label: Act) -> Self {
        let mut random = Random::new("performance", &[person, take.into(), label as u64]);
        let left_handed = Random::new("handedness", &[person]).chance(LEFT_HANDED);
        let other_hand = random.chance(0.25);
        Self {
            motion: *random.weighted(label.motions()),
            mirrored: label.is_mirrored().unwrap_or(left_handed != other_hand),
            rest: rest(person, take),
            pace: Pace::draw(&mut random),
            style: Style::draw(person, &mut random),
            lingers: if label == Act::Turn { 0. } else { random.between(0., 0.12) },
            breath: random.between(0., TAU),
        }
    }

    fn at(&self, time: f32) -> Stance {
        if time <= 0. {
            return self.rest;
        }
        let mut stance = self.between_keys(self.pace.at(time));
        // Nobody stands quite still.
        let sway = (self.breath + TAU * 0.6 * time).sin() - self.breath.sin();
        stance.spine += Vec3::new(0.7, 0.4, 0.3) * sway;
        stance.head += Vec3::new(-0.5, 0.5, 0.) * sway;
        stance
    }

    /// Eases from one key to the next.
    fn between_keys(&self, phase: f32) -> Stance {
        let after = self.motion.iter().position(|(time, _)| *time >= phase);
        let (from, begin) = match after {
            Some(0) => (self.rest, 0.),
            Some(next) => (self.key(next - 1), self.motion[next - 1].0),
            None => (self.key(self.motion.len() - 1), self.motion[self.motion.len() - 1].0),
        };
        let (to, end) = match after {
            Some(next) => (self.key(next), self.motion[next].0),
            None => (self.rest.blend(&from, self.lingers), 1.),
        };
        from.blend(&to, smooth(begin, end.max(begin + 1e-3), phase))
    }

    /// A stance of the table as this person takes it here.
    fn key(&self, index: usize) -> Stance {
        let key = self.motion[index].1;
        let key = if self.mirrored { key.mirrored() } else { key };
        self.style.apply(&key, &self.rest)
    }
}

/// When things happen. Frame 9 of 16 shows the middle of the motion, whatever the pace.
struct Pace {
    start: f32,
    end: f32,
    /// Exponent of the way to the middle: above 1 it begins slowly.
    rise: f32,
    fall: f32,
}

impl Pace {
    fn draw(random: &mut Random) -> Self {
        Self {
            start: random.between(0., 0.12),
            end: random.between(0.88, 1.),
            rise: random.normal_within(0., 0.14, 2.).exp(),
            fall: random.normal_within(0., 0.14, 2.).exp(),
        }
    }

    /// Where in the motion a moment of the clip is.
    fn at(&self, time: f32) -> f32 {
        let share = |from: f32, to: f32| ((time - from) / (to - from)).clamp(0., 1.);
        if time <= APEX {
            APEX * share(self.start, APEX).powf(self.rise)
        } else {
            APEX + (1. - APEX) * share(APEX, self.end).powf(self.fall)
        }
    }
}

/// How far somebody goes, and in which directions their limbs differ from the table's.
struct Style {
    reach: f32,
    depth: f32,
    /// Upper arm and forearm of both sides.
    arms: [[Vec3; 2]; 2],
    trunk: Vec3,
}

impl Style {
    fn draw(person: u64, clip: &mut Random) -> Self {
        let mut habit = Random::new("style", &[person]);
        let (broad, deep) = (habit.between(0.9, 1.03), habit.between(0.82, 1.05));
        let own = habit.normal3(0.06);
        let arms = [0, 1].map(|_| [0, 1].map(|_| own + habit.normal3(0.04) + clip.normal3(0.035)));
        Self {
            reach: broad * clip.between(0.96, 1.03),
            depth: deep * clip.between(0.92, 1.05),
            arms,
            trunk: habit.normal3(1.2) + clip.normal3(1.),
        }
    }

    fn apply(&self, key: &Stance, rest: &Stance) -> Stance {
        let mut stance = *key;
        for side in [0, 1] {
            stance.arms[side] = if key.arms[side] == HANGING {
                rest.arms[side]
            } else {
                rest.arms[side].blend(self.bend(key.arms[side], side), self.reach)
            };
            let leg = &mut stance.legs[side];
            let (key, own) = (key.legs[side], rest.legs[side]);
            leg.out = own.out + key.out;
            leg.front = own.front + key.front * self.depth;
            leg.up = key.up * self.depth;
            leg.splay = own.splay + key.splay - REST.legs[side].splay;
        }
        stance.shift = rest.shift + key.shift * self.depth;
        stance.hips = rest.hips + key.hips * self.depth;
        stance.spine = rest.spine + key.spine * self.depth + self.trunk;
        stance.head = rest.head + key.head;
        stance
    }

    /// The arm of a key, in the person's manner.
    fn bend(&self, arm: Arm, side: usize) -> Arm {
        let [upper, fore] = self.arms[side];
        Arm {
            upper: arm.upper.normalize_or(Vec3::NEG_Y) + upper,
            fore: arm.fore.normalize_or(Vec3::NEG_Y) + fore,
            ..arm
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_clips_of_a_take_begin_alike_and_end_near_rest() {
        for (person, take) in [(0, 0), (7, 1), (31, 4)] {
            let rest = rest(person, take);
            for label in Act::ALL {
                let clip = clip(person, take, label, 16);
                assert_eq!((clip.poses.len(), clip.apex), (16, 9));
                assert_eq!(clip.poses[0], rest, "{label:?}");
                let left = clip.poses[15].arms[1].upper.angle_between(rest.arms[1].upper);
                assert!(left < 0.5, "{label:?} ends {left} from rest");
            }
        }
    }

    #[test]
    fn labels_differ_in_the_middle_and_clips_of_a_label_too() {
        let apart = |a: &Stance, b: &Stance| -> f32 {
            let arm = |side: usize| {
                a.arms[side].upper.angle_between(b.arms[side].upper)
                    + a.arms[side].fore.angle_between(b.arms[side].fore)
            };
            let legs: f32 = (0..2).map(|side| (a.legs[side].up - b.legs[side].up).abs() * 3.).sum();
            let trunk = (a.hips - b.hips).length() + (a.shift - b.shift).length() * 60. + (a.heading - b.heading).abs();
            arm(0) + arm(1) + legs + trunk / 60.
        };
        let middle = |person: u64, label: Act| {
            let clip = clip(person, 0, label, 16);
            clip.poses[6..=9].to_vec()
        };
        for (at, &label) in Act::ALL.iter().enumerate() {
            for &other in &Act::ALL[..at] {
                let (one, two) = (middle(3, label), middle(3, other));
                let most = one.iter().zip(&two).map(|(a, b)| apart(a, b)).fold(0., f32::max);
                assert!(most > 0.25, "{label:?} and {other:?} differ by {most}");
            }
            let (one, two) = (clip(3, 0, label, 16), clip(4, 0, label, 16));
            assert_ne!(one.poses[9], two.poses[9], "{label:?}");
        }
    }

    #[test]
    fn sides_that_mean_something_are_kept() {
        for person in 0..20 {
            let points = |label: Act, side: usize| clip(person, 0, label, 16).poses[9].arms[side].upper;
            assert!(points(Act::MoveLeft, 0).normalize().x > 0.8, "the left arm points");
            assert!(points(Act::MoveRight, 1).normalize().x > 0.8, "the right arm points");
        }
        let kicks = |side: usize| (0..40).filter(|&id| clip(id, 0, Act::Kick, 16).poses[9].legs[side].up > 0.3).count();
        assert!(kicks(0) > 5 && kicks(1) > 5, "{} and {}", kicks(0), kicks(1));
    }

    #[test]
    fn the_middle_comes_at_the_apex_whatever_the_pace() {
        for seed in 0..100 {
            let pace = Pace::draw(&mut Random::new("test", &[seed]));
            assert_eq!((pace.at(0.), pace.at(1.)), (0., 1.));
            assert!((pace.at(APEX) - APEX).abs() < 1e-5);
            assert!((1..100).all(|step| pace.at(step as f32 / 100.) >= pace.at((step - 1) as f32 / 100.)));
        }
    }
}
