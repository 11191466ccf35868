//! What faces do in a clip: face units, the head and the eyes, frame by frame.
//!
//! A clip begins with a small resting expression that all clips of a take share, goes to one label or a mixture of
//! two, and mostly back. Its strengths are linear in the weights of the face units: 1 is the label as its table has it,
//! 0 is neutral.

mod habit;
mod label;
mod limits;
mod timing;
mod units;

use std::{collections::BTreeMap, f32::consts::TAU};

use glam::{Vec2, Vec3};
use serde::{Serialize, Serializer};

use self::{
    habit::Habits,
    limits::{limit, shut},
    timing::{Blinks, Envelope, Gaze, Sway},
    units::AREAS,
};
pub use self::{
    label::Label,
    units::{Muscle, Units, unit_names},
};
use crate::random::Random;

/// How much of each label a clip shows at its apex, from 0 to 1.3; one that is absent is not shown. A neutral clip has
/// none.
pub type Strengths = BTreeMap<Label, f32>;

/// The largest sum of strengths.
pub const STRONGEST: f32 = 1.3;

/// What a face does in one frame.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Pose {
    /// Weights of the face units, those of the gaze included.
    pub units: Units,
    /// Where the head is.
    pub head: HeadPose,
    /// Where the eyes look: x to the person's left, y up, 1 as far as eyes turn. The units have it already.
    #[serde(serialize_with = "rounded_gaze")]
    pub gaze: Vec2,
}

/// How the head is turned and moved from its place in the first frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HeadPose {
    /// To the person's left, in radians.
    pub yaw: f32,
    /// Nodding down, in radians.
    pub pitch: f32,
    /// Towards the person's right shoulder, in radians.
    pub roll: f32,
    /// In heights of a head: x to the person's left, y up, z to the front.
    pub shift: Vec3,
}

impl Serialize for HeadPose {
    /// Angles and shifts, to a ten-thousandth.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Rounded {
            yaw: f64,
            pitch: f64,
            roll: f64,
            shift: [f64; 3],
        }
        let [yaw, pitch, roll] = [self.yaw, self.pitch, self.roll].map(|angle| decimals(angle, 1e4));
        Rounded { yaw, pitch, roll, shift: self.shift.to_array().map(|value| decimals(value, 1e4)) }
            .serialize(serializer)
    }
}

/// A clip: what a face does, and how strongly it shows which labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Clip {
    /// The label of its row.
    pub label: Label,
    /// What it shows at `apex`.
    pub strengths: Strengths,
    /// The frame of greatest strength; [`apex_index`] for a neutral clip.
    pub apex: usize,
    /// One per frame; the first is the same for all labels of a take.
    pub poses: Vec<Pose>,
}

/// How clips are made.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Frames of a clip, at least 2.
    pub frames: usize,
    /// Multiplies the motion of the head.
    pub motion: f32,
    /// What to show at the apex instead of what is drawn for the person, the take and the label.
    pub strengths: Option<Strengths>,
}

impl Default for Options {
    fn default() -> Self {
        Self { frames: 16, motion: 1., strengths: None }
    }
}

/// The frame that shows the expression at or near its full strength, whatever the clip.
pub fn apex_index(frames: usize) -> usize {
    (frames.saturating_sub(1) as f32 * 0.6).round() as usize
}

/// The clip of a person, a take and a label.
pub fn clip(person: u64, take: u32, label: Label, options: &Options) -> Clip {
    let strengths = options.strengths.clone().unwrap_or_else(|| draw_strengths(person, take, label));
    let last = options.frames.saturating_sub(1).max(1) as f32;
    let times: Vec<f32> = (0..options.frames).map(|frame| frame as f32 / last).collect();
    let performance = Performance::draw(person, take, label, &strengths, options.motion, &times);
    let poses = times.iter().map(|&time| performance.at(time)).collect();
    Clip { label, strengths, apex: performance.apex, poses }
}

/// What the first frame of all clips of a take shows: nearly nothing, but faces are never quite neutral.
pub fn rest(person: u64, take: u32) -> Pose {
    let mut random = Random::new("rest", &[person, take.into()]);
    let level = random.unit().powf(1.5);
    let mut units = Units::default();
    let mood = *random.pick(&Label::ALL);
    let share = random.between(0., 0.16) * level;
    add_units(&mut units, &Habits::of(person).portray(mood, &mut random), |_| share);
    for (muscle, chance, most) in RESTING {
        let (there, weight) = (random.chance(chance), random.between(0., most) * level);
        let lean = random.normal_within(0., 0.2, 2.);
        if there {
            units.update(muscle, |side, before| before + weight * if side == 0 { 1. + lean } else { 1. - lean });
        }
    }
    let deviation = if random.chance(0.15) { 0.14 } else { 0.04 };
    let gaze = Vec2::new(random.normal_within(0., deviation, 2.), random.normal_within(0., deviation, 2.));
    look(&mut units, gaze);
    limit(&mut units);
    Pose { units, head: HeadPose::default(), gaze }
}

/// What people do who do nothing: how many of them, and how much at most.
const RESTING: [(Muscle, f32, f32); 11] = [
    (Muscle::BrowDown, 0.25, 0.25),
    (Muscle::BrowInnerUp, 0.25, 0.25),
    (Muscle::BrowOuterUp, 0.25, 0.25),
    (Muscle::EyeBlink, 0.3, 0.22),
    (Muscle::EyeSquint, 0.25, 0.25),
    (Muscle::EyeWide, 0.15, 0.25),
    (Muscle::JawOpen, 0.25, 0.09),
    (Muscle::MouthLowerDown, 0.15, 0.15),
    (Muscle::MouthPress, 0.2, 0.3),
    (Muscle::MouthSmile, 0.3, 0.22),
    (Muscle::MouthFrown, 0.15, 0.2),
];

/// What a clip shows: the label itself in take 0, as models without strengths want it; in other takes any strength,
/// and in some of them a second label with each.
fn draw_strengths(person: u64, take: u32, label: Label) -> Strengths {
    let mixed = take > 0 && Random::new("mixed", &[person, take.into()]).chance(0.35);
    let mut random = Random::new("strengths", &[person, take.into(), label as u64]);
    if label == Label::Neutral {
        return Strengths::new();
    }
    if mixed {
        let others: Vec<Label> = Label::ALL.into_iter().skip(1).filter(|&other| other != label).collect();
        let (sum, share) = (random.between(0.6, STRONGEST), random.between(0.5, 0.85));
        return [(label, sum * share), (*random.pick(&others), sum * (1. - share))].into();
    }
    let (low, high) = match take {
        0 => (0.9, 1.1),
        _ => *random.weighted(&[((0.1, STRONGEST), 0.55), ((0.85, 1.15), 0.35), ((0.02, 0.3), 0.1)]),
    };
    [(label, random.between(low, high))].into()
}

/// All that is drawn for a clip.
struct Performance {
    label: Label,
    apex: usize,
    rest: Pose,
    /// The weights at the apex, on top of what is left of `rest`.
    height: Units,
    /// The sum of the strengths.
    strength: f32,
    envelope: Envelope,
    /// Multiplies the envelope, so that the apex frame has the strengths.
    scale: f32,
    lags: [f32; AREAS],
    blinks: Blinks,
    gaze: Gaze,
    sway: Sway,
    tremor: Tremor,
}

impl Performance {
    fn draw(person: u64, take: u32, label: Label, strengths: &Strengths, motion: f32, times: &[f32]) -> Self {
        let seeds = [person, take.into(), label as u64];
        let mut random = Random::new("timing", &seeds);
        let envelope = Envelope::draw(&mut random);
        let heights: Vec<f32> = times.iter().map(|&time| envelope.at(time, 0.)).collect();
        let apex = if strengths.is_empty() { apex_index(times.len()) } else { highest(&heights) };
        let nod: f32 = strengths.iter().map(|(shown, strength)| shown.nod() * strength).sum();
        let sway = motion * liveliness(person, take) * if label == Label::Neutral { 1.4 } else { 1. };
        let rest = rest(person, take);
        Self {
            label,
            apex,
            height: compose(person, take, label, strengths),
            strength: strengths.values().sum(),
            scale: 1. / heights[apex].max(1e-3),
            envelope,
            lags: std::array::from_fn(|_| random.between(-0.05, 0.05)),
            blinks: Blinks::draw(label, times[apex], &mut Random::new("blinks", &seeds)),
            gaze: Gaze::draw(label, rest.gaze, &mut Random::new("gaze", &seeds)),
            sway: Sway::draw(sway, nod * motion, &mut Random::new("sway", &seeds)),
            tremor: Tremor::draw(&mut Random::new("tremor", &seeds)),
            rest,
        }
    }

    /// How far the expression has come, `lag` later than the rest of the face.
    fn progress(&self, time: f32, lag: f32) -> f32 {
        (self.envelope.at(time, lag) * self.scale).min(1.)
    }

    fn at(&self, time: f32) -> Pose {
        if time <= 0. {
            return self.rest.clone();
        }
        let heights = self.lags.map(|lag| self.progress(time, lag));
        let mut units = Units::default();
        // An expression takes the place of the resting one; without an expression, the face relaxes a little.
        let relaxed = if self.label == Label::Neutral { 0.3 } else { 0.8 * self.strength.min(1.) };
        add_units(&mut units, &self.rest.units, |area| 1. - relaxed * heights[area]);
        for muscle in GAZE {
            units.set(muscle, 0.);
        }
        add_units(&mut units, &self.height, |area| heights[area]);
        self.tremor.shake(&mut units, time);
        blink(&mut units, self.blinks.at(time));
        let gaze = self.gaze.at(time);
        look(&mut units, gaze);
        limit(&mut units);
        Pose { units, head: self.sway.at(time, self.progress(time, 0.)), gaze }
    }
}

/// The weights of a label or a mixture at the strengths, as the person shows them in this clip.
fn compose(person: u64, take: u32, label: Label, strengths: &Strengths) -> Units {
    let habits = Habits::of(person);
    let mut units = Units::default();
    for (&shown, &strength) in strengths {
        let mut random = Random::new("portrayal", &[person, take.into(), label as u64, shown as u64]);
        add_units(&mut units, &habits.portray(shown, &mut random), |_| strength);
    }
    units
}

/// Adds `weights`, each times what `factor` gives for the number of its area.
fn add_units(units: &mut Units, weights: &Units, factor: impl Fn(usize) -> f32) {
    for muscle in Muscle::all() {
        let (more, factor) = (weights.sides(muscle), factor(muscle.area() as usize));
        units.update(muscle, |side, before| before + more[side] * factor);
    }
}

/// Motion of the head in a take, 1 being about 2 degrees: most people sit still.
fn liveliness(person: u64, take: u32) -> f32 {
    let mut random = Random::new("liveliness", &[person, take.into()]);
    if random.chance(0.13) { random.between(1., 2.2) } else { random.between(0.15, 0.5) }
}

/// The units that turn the eyes.
const GAZE: [Muscle; 4] = [Muscle::EyeLookIn, Muscle::EyeLookOut, Muscle::EyeLookUp, Muscle::EyeLookDown];

/// Turns the eyes.
fn look(units: &mut Units, gaze: Vec2) {
    let (left, up) = (gaze.x.clamp(-0.8, 0.8), gaze.y.clamp(-0.8, 0.8));
    units.set_sides(Muscle::EyeLookOut, [left.max(0.), (-left).max(0.)]);
    units.set_sides(Muscle::EyeLookIn, [(-left).max(0.), left.max(0.)]);
    units.set(Muscle::EyeLookUp, up.max(0.));
    units.set(Muscle::EyeLookDown, (-up).max(0.));
}

/// Closes the eyes by a share of the way that is left.
fn blink(units: &mut Units, share: f32) {
    let most = shut(units);
    units.update(Muscle::EyeBlink, |side, before| before * (1. - share) + share * most[side]);
    units.scale(Muscle::EyeWide, 1. - 0.9 * share);
}

/// Small movements that mean nothing.
struct Tremor([(Muscle, f32, f32, f32); 9]);

impl Tremor {
    const MUSCLES: [Muscle; 9] = [
        Muscle::BrowDown,
        Muscle::BrowInnerUp,
        Muscle::BrowOuterUp,
        Muscle::EyeSquint,
        Muscle::EyeBlink,
        Muscle::MouthSmile,
        Muscle::MouthPress,
        Muscle::MouthShrugLower,
        Muscle::JawOpen,
    ];

    fn draw(random: &mut Random) -> Self {
        Self(Self::MUSCLES.map(|muscle| {
            let most = if muscle == Muscle::JawOpen { 0.006 } else { 0.022 };
            (muscle, random.normal_within(0., most, 2.), random.between(0., TAU), random.between(3., 9.))
        }))
    }

    fn shake(&self, units: &mut Units, time: f32) {
        for &(muscle, amplitude, phase, rate) in &self.0 {
            units.add(muscle, amplitude * ((phase + rate * time).sin() - phase.sin()));
        }
    }
}

/// Where the greatest is; among equals the one nearest to [`apex_index`].
fn highest(heights: &[f32]) -> usize {
    let usual = apex_index(heights.len());
    let greatest = heights.iter().copied().fold(0., f32::max);
    let equals = (0..heights.len()).filter(|&frame| heights[frame] >= greatest - 1e-4);
    equals.min_by_key(|frame| frame.abs_diff(usual)).unwrap_or(usual)
}

/// To a thousandth, as a number that JSON writes with as few digits.
fn rounded(value: f32) -> f64 {
    decimals(value, 1e3)
}

fn decimals(value: f32, scale: f64) -> f64 {
    // `+ 0.` turns -0 into 0.
    (f64::from(value) * scale).round() / scale + 0.
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn rounded_gaze<S: Serializer>(gaze: &Vec2, serializer: S) -> Result<S::Ok, S::Error> {
    gaze.to_array().map(rounded).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(strengths: &[(Label, f32)]) -> Options {
        Options { strengths: Some(strengths.iter().copied().collect()), ..Options::default() }
    }

    /// Distance of the units of two poses, without those of the eyes.
    fn distance(one: &Pose, other: &Pose) -> f32 {
        Muscle::all()
            .filter(|muscle| !matches!(muscle.area(), units::Area::Eyes))
            .map(|muscle| (one.units.get(muscle) - other.units.get(muscle)).powi(2))
            .sum::<f32>()
            .sqrt()
    }

    #[test]
    fn clips_are_the_same_every_time_and_differ_by_take_and_person() {
        let options = Options::default();
        let first = clip(7, 1, Label::Fear, &options);
        assert_eq!(first, clip(7, 1, Label::Fear, &options));
        assert_ne!(first.poses[9], clip(7, 2, Label::Fear, &options).poses[9]);
        assert_ne!(first.poses[9], clip(8, 1, Label::Fear, &options).poses[9]);
        assert_eq!(first.poses.len(), 16);
    }

    #[test]
    fn all_clips_of_a_take_begin_alike_and_nearly_neutral() {
        for person in 0..60 {
            let start = rest(person, 2);
            for label in Label::ALL {
                assert_eq!(clip(person, 2, label, &Options::default()).poses[0], start);
            }
            assert!(distance(&start, &Pose::default()) < 0.6, "{person}: {:?}", start.units);
            assert_eq!(start.head, HeadPose::default());
        }
        assert_ne!(rest(1, 0), rest(1, 1));
    }

    #[test]
    fn strengths_are_linear_in_the_weights() {
        for label in Label::ALL.into_iter().skip(1) {
            let apex = |strength: f32| {
                let clip = clip(5, 1, label, &with(&[(label, strength)]));
                assert_eq!(clip.strengths[&label], strength);
                clip.poses[clip.apex].units
            };
            let [none, half, whole] = [0., 0.4, 0.8].map(apex);
            let main = Muscle::all().max_by(|&one, &other| {
                (whole.get(one) - none.get(one)).total_cmp(&(whole.get(other) - none.get(other)))
            });
            let main = main.unwrap();
            let ratio = (half.get(main) - none.get(main)) / (whole.get(main) - none.get(main));
            assert!((0.44..0.56).contains(&ratio), "{label}, {main:?}: {ratio}");
        }
    }

    #[test]
    fn the_recorded_apex_is_the_strongest_frame() {
        for person in 0..40 {
            for label in Label::ALL.into_iter().skip(1) {
                let clip = clip(person, 0, label, &Options::default());
                let moved: Vec<f32> = clip.poses.iter().map(|pose| distance(pose, &clip.poses[0])).collect();
                let most = moved.iter().copied().fold(0., f32::max);
                assert!(moved[clip.apex] > 0.93 * most, "{person} {label}: {} of {moved:?}", clip.apex);
                assert!(moved[9] > 0.8 * most, "{person} {label}: frame 9 of {moved:?}");
                assert!(moved[15] < 0.55 * most, "{person} {label}: {moved:?}");
            }
        }
    }

    #[test]
    fn takes_have_the_strengths_that_they_promise() {
        let mut mixtures = 0;
        for person in 0..100 {
            assert!(draw_strengths(person, 0, Label::Neutral).is_empty());
            let plain = draw_strengths(person, 0, Label::Anger);
            assert!(plain.len() == 1 && (0.9..=1.1).contains(&plain[&Label::Anger]));
            let drawn = draw_strengths(person, 1, Label::Anger);
            let sum: f32 = drawn.values().sum();
            assert!((0. ..=STRONGEST + 1e-5).contains(&sum) && drawn.len() <= 2);
            mixtures += usize::from(drawn.len() == 2);
        }
        assert!((20..55).contains(&mixtures), "{mixtures} of 100 are mixtures");
    }

    #[test]
    fn a_mixture_shows_both() {
        let both = clip(3, 1, Label::Happiness, &with(&[(Label::Happiness, 0.6), (Label::Surprise, 0.6)]));
        let units = both.poses[both.apex].units;
        assert!(units.get(Muscle::MouthSmile) > 0.35 && units.get(Muscle::BrowInnerUp) > 0.5);
    }

    #[test]
    fn heads_stay_where_they_are() {
        let mut turns = Vec::new();
        for person in 0..200 {
            let clip = clip(person, 0, Label::Sadness, &Options::default());
            turns.push(clip.poses[9].head.pitch.abs().max(clip.poses[9].head.yaw.abs()).to_degrees());
        }
        turns.sort_by(f32::total_cmp);
        assert!(turns[100] < 3., "the median is {} degrees", turns[100]);
        assert!((4. ..16.).contains(&turns[199]), "some are livelier: {}", turns[199]);
    }

    #[test]
    fn no_lid_goes_through_an_eye() {
        for person in 0..100 {
            for label in Label::ALL {
                for pose in clip(person, 3, label, &Options::default()).poses {
                    for side in 0..2 {
                        let closed =
                            pose.units.sides(Muscle::EyeBlink)[side] + 0.3 * pose.units.sides(Muscle::EyeSquint)[side];
                        assert!(closed <= 1.0001, "{person} {label}: {closed}");
                    }
                }
            }
        }
    }

    /// Writes poses for the eye: the path is in `PEOPLE_POSES`.
    #[test]
    #[ignore = "writes a file to look at"]
    fn poses_for_the_eye() {
        let clips: Vec<_> = (0..12_u64)
            .flat_map(|person| Label::ALL.map(|label| (person, clip(person, 1, label, &Options::default()))))
            .map(|(person, clip)| {
                serde_json::json!({
                    "person": person, "label": clip.label, "strengths": clip.strengths, "apex": clip.apex,
                    "frames": clip.poses,
                })
            })
            .collect();
        let path = std::env::var("PEOPLE_POSES").unwrap();
        std::fs::write(path, serde_json::to_vec(&clips).unwrap()).unwrap();
    }
}
