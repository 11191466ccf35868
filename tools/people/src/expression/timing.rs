//! What happens when: the expression's rise and fall, blinks, glances and the sway of the head. Time runs from 0 at
//! the first frame to 1 at the last.

use std::f32::consts::TAU;

use glam::{Vec2, Vec3};

use super::{HeadPose, Label};
use crate::{noise::smooth, random::Random};

/// How an expression comes and goes.
pub(super) struct Envelope {
    start: f32,
    full: f32,
    release: f32,
    /// Share of the way that it goes back.
    back: f32,
    /// Exponent of the rise: above 1 it begins slowly.
    curve: f32,
    /// Share that is gained (or, below 0, lost) while it is held.
    drift: f32,
}

impl Envelope {
    /// All reach their height by 0.54 and hold it until 0.68: whatever the clip, frame 9 of 16 shows the expression.
    pub(super) fn draw(random: &mut Random) -> Self {
        let start = random.between(0., 0.14);
        Self {
            start,
            full: random.between(start + 0.17, 0.54),
            release: random.between(0.68, 0.92),
            back: random.between(0.7, 1.),
            curve: random.between(-0.3, 0.35).exp(),
            drift: if random.chance(0.5) { random.between(-0.1, 0.1) } else { 0. },
        }
    }

    /// Its height, from 0 to about 1, `lag` later than the rest of the face.
    pub(super) fn at(&self, time: f32, lag: f32) -> f32 {
        if time <= 0. {
            return 0.;
        }
        let rise = smooth(self.start + lag, self.full + lag, time).powf(self.curve);
        let fall = smooth(self.release + lag * 0.5, 1.03, time);
        let held = smooth(self.full, self.release, time);
        let hold = if self.drift > 0. { 1. - self.drift * (1. - held) } else { 1. + self.drift * held };
        rise * hold * (1. - self.back * fall)
    }
}

/// When the eyes close for a moment.
pub(super) struct Blinks(Vec<(f32, f32, f32)>);

impl Blinks {
    /// At most one during an expression and one or two without, none at the time `apex`.
    pub(super) fn draw(label: Label, apex: f32, random: &mut Random) -> Self {
        let chance = match label {
            Label::Neutral => 0.95,
            Label::Fear | Label::Surprise => 0.12,
            _ => 0.36,
        };
        let mut blinks = Vec::new();
        if random.chance(chance) {
            blinks.push(Self::draw_one(apex, random));
        }
        if label == Label::Neutral && random.chance(0.25) {
            blinks.push(Self::draw_one(apex, random));
        }
        Self(blinks)
    }

    /// Centre, half of its length, and how far the lids go.
    fn draw_one(apex: f32, random: &mut Random) -> (f32, f32, f32) {
        let (before, after) = (random.between(0.14, apex - 0.14), random.between(apex + 0.14, 0.95));
        let late = random.chance(0.5) && apex < 0.8;
        let depth = if random.chance(0.15) { random.between(0.5, 0.8) } else { random.between(0.9, 1.) };
        (if late { after } else { before }, random.between(0.085, 0.12), depth)
    }

    /// How far the lids are on their way down, `[0, 1]`.
    pub(super) fn at(&self, time: f32) -> f32 {
        let closed = |&(centre, width, depth): &(f32, f32, f32)| {
            ((1. - (time - centre).abs() / width).max(0.) * 1.6).min(1.) * depth
        };
        if time <= 0. { 0. } else { self.0.iter().map(closed).fold(0., f32::max) }
    }
}

/// Where the eyes look: x to the person's left, y up, 1 as far as eyes turn.
pub(super) struct Gaze {
    rest: Vec2,
    glance: Vec2,
    from: f32,
    until: f32,
    wander: Vec2,
    phase: f32,
}

impl Gaze {
    /// From where they look at `rest`, perhaps with a glance that the label makes likely.
    pub(super) fn draw(label: Label, rest: Vec2, random: &mut Random) -> Self {
        let side = if random.chance(0.5) { 1. } else { -1. };
        let (chance, glance) = match label {
            Label::Sadness => (0.3, Vec2::new(side * random.between(0., 0.2), -random.between(0.12, 0.4))),
            Label::Fear => (0.22, Vec2::new(side * random.between(0.15, 0.5), random.between(-0.1, 0.1))),
            Label::Disgust => (0.18, Vec2::new(side * random.between(0.1, 0.4), -random.between(0., 0.25))),
            _ => (0.14, Vec2::new(random.normal_within(0., 0.2, 2.), random.normal_within(0., 0.12, 2.))),
        };
        Self {
            rest,
            glance: if random.chance(chance) { glance } else { Vec2::ZERO },
            from: random.between(0.1, 0.5),
            until: random.between(0.7, 1.1),
            wander: Vec2::new(random.normal_within(0., 0.07, 2.), random.normal_within(0., 0.06, 2.)),
            phase: random.between(0., TAU),
        }
    }

    pub(super) fn at(&self, time: f32) -> Vec2 {
        // Eyes jump: a glance takes a frame.
        let away = smooth(self.from, self.from + 0.07, time) - smooth(self.until, self.until + 0.07, time);
        self.rest + self.glance * away + self.wander * smooth(0., 0.25, time) * (time * 3. + self.phase).sin()
    }
}

/// How the head moves: towards a place that it holds during the expression, and round it.
pub(super) struct Sway {
    target: [f32; 3],
    amplitude: [f32; 6],
    phase: [f32; 6],
    rate: [f32; 6],
}

impl Sway {
    /// Deviations of the place, radians of yaw, pitch and roll.
    const PLACE: [f32; 3] = [0.03, 0.025, 0.018];
    /// Deviations of the movement round it: yaw, pitch and roll in radians, shifts in heights of a head.
    const ROUND: [f32; 6] = [0.016, 0.012, 0.008, 0.004, 0.003, 0.004];

    /// `motion` scales all of it; `nod` is added to the place, in radians.
    pub(super) fn draw(motion: f32, nod: f32, random: &mut Random) -> Self {
        let mut target = Self::PLACE.map(|deviation| motion * random.normal_within(0., deviation, 2.5));
        target[1] += nod * random.between(0.2, 1.3);
        Self {
            target,
            amplitude: Self::ROUND.map(|deviation| motion * random.normal_within(0., deviation, 2.5)),
            phase: std::array::from_fn(|_| random.between(0., TAU)),
            rate: std::array::from_fn(|_| random.between(0.6, 1.6)),
        }
    }

    /// The pose, given how far the expression has come; none at time 0.
    pub(super) fn at(&self, time: f32, height: f32) -> HeadPose {
        let round: [f32; 6] = std::array::from_fn(|axis| {
            let (phase, rate) = (self.phase[axis], self.rate[axis]);
            self.amplitude[axis] * ((phase + rate * TAU * time).sin() - phase.sin())
        });
        let [yaw, pitch, roll] = std::array::from_fn(|axis| self.target[axis] * height + round[axis]);
        HeadPose { yaw, pitch, roll, shift: Vec3::new(round[3], round[4], round[5]) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_there_at_frame_nine_and_mostly_gone_at_the_end() {
        for seed in 0..500 {
            let envelope = Envelope::draw(&mut Random::new("test", &[seed]));
            assert_eq!(envelope.at(0., -0.05), 0.);
            let heights = [-0.05, 0., 0.05].map(|lag| envelope.at(0.6, lag));
            assert!(heights.iter().all(|height| (0.87..=1.).contains(height)), "{seed}: {heights:?}");
            assert!(envelope.at(1., 0.) < 0.4, "{seed}: {}", envelope.at(1., 0.));
        }
    }

    #[test]
    fn the_first_frame_has_no_blink_and_no_head_motion() {
        for seed in 0..200 {
            let mut random = Random::new("test", &[seed]);
            assert_eq!(Blinks::draw(Label::Neutral, 0.6, &mut random).at(0.), 0.);
            assert_eq!(Sway::draw(1., 0.1, &mut random).at(0., 0.), HeadPose::default());
            let rest = Vec2::new(0.1, -0.05);
            assert_eq!(Gaze::draw(Label::Fear, rest, &mut random).at(0.), rest);
        }
    }

    #[test]
    fn nobody_blinks_at_the_height_of_an_expression() {
        for apex in [0.55, 0.6, 0.9] {
            let blinks = |seed: u64| Blinks::draw(Label::Neutral, apex, &mut Random::new("test", &[seed]));
            assert_eq!((0..500).map(|seed| blinks(seed).at(apex)).fold(0., f32::max), 0.);
            assert!((0..500).any(|seed| blinks(seed).at(0.3) > 0.8));
        }
    }
}
