//! What a face cannot do at once.

use super::units::{Muscle as M, Units};

/// The largest weights that still look like a face.
const CAPS: [(M, f32); 21] = [
    (M::BrowDown, 2.2),
    (M::BrowInnerUp, 2.2),
    (M::BrowOuterUp, 1.5),
    (M::BrowTilt, 1.7),
    (M::EyeSquint, 1.2),
    (M::EyeWide, 1.8),
    (M::CheekSquint, 1.5),
    (M::NoseSneer, 2.2),
    (M::JawOpen, 1.05),
    (M::MouthDimple, 1.),
    (M::MouthFrown, 1.8),
    (M::MouthFunnel, 1.),
    (M::MouthLowerDown, 1.2),
    (M::MouthPress, 1.2),
    (M::MouthPucker, 1.),
    (M::MouthRollLower, 0.8),
    (M::MouthRollUpper, 0.8),
    (M::MouthShrugLower, 1.3),
    (M::MouthSmile, 1.5),
    (M::MouthStretch, 1.6),
    (M::MouthUpperUp, 1.5),
];

/// How much of the way that a lid has, a full squint and a full rise of the cheek take from below.
const SQUINT: f32 = 0.3;
const CHEEK: f32 = 0.05;

/// Keeps weights to what a face can do.
pub(super) fn limit(units: &mut Units) {
    for muscle in M::all() {
        units.update(muscle, |_, weight| weight.max(0.));
    }
    oppose_lips(units);
    for (muscle, cap) in CAPS {
        units.update(muscle, |_, weight| weight.min(cap));
    }
    keep_lids_on_the_eye(units);
}

/// What a blink reaches from where it would be without other units: the lids meet and go no further.
pub(super) fn shut(units: &Units) -> [f32; 2] {
    let (squint, cheek) = (units.sides(M::EyeSquint), units.sides(M::CheekSquint));
    [0, 1].map(|side| 1. - SQUINT * squint[side].min(1.2) - CHEEK * cheek[side].min(1.5))
}

fn keep_lids_on_the_eye(units: &mut Units) {
    let most = shut(units);
    units.update(M::EyeBlink, |side, weight| weight.min(most[side]));
}

/// Lips that are pressed or rolled in are together, a chin that is raised shuts the mouth, and a corner of the mouth
/// goes up or down.
fn oppose_lips(units: &mut Units) {
    let jaw = units.get(M::JawOpen);
    let parted = jaw / 0.3 + (units.get(M::MouthUpperUp) + units.get(M::MouthLowerDown)) / 2.5;
    for muscle in [M::MouthPress, M::MouthRollLower, M::MouthRollUpper] {
        units.scale(muscle, 1. - parted.min(1.));
    }
    units.scale(M::MouthShrugLower, 1. - jaw.min(1.));
    share(units, M::MouthSmile, M::MouthFrown, 1.6);
    share(units, M::MouthStretch, M::MouthPucker, 1.4);
    share(units, M::MouthSmile, M::MouthPucker, 1.3);
    // A shut jaw is as wide as the lips that hang on it need.
    units.update(M::MouthClose, |_, weight| weight.min(jaw));
}

/// Scales two units that pull against each other, so that together they pull at most `most`.
fn share(units: &mut Units, one: M, other: M, most: f32) {
    let (a, b) = (units.sides(one), units.sides(other));
    let factor = |side: usize| if a[side] > 0. && b[side] > 0. { (most / (a[side] + b[side])).min(1.) } else { 1. };
    units.update(one, |side, weight| weight * factor(side));
    units.update(other, |side, weight| weight * factor(side));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lids_meet_and_go_no_further() {
        let mut units = Units::default();
        units.set(M::EyeSquint, 1.);
        units.set_sides(M::EyeBlink, [0.9, 0.4]);
        limit(&mut units);
        assert_eq!(units.sides(M::EyeBlink), [1. - SQUINT, 0.4]);
    }

    #[test]
    fn an_open_mouth_presses_no_lips() {
        let mut units = Units::default();
        units.set(M::MouthPress, 1.);
        units.set(M::JawOpen, 0.5);
        units.set(M::MouthClose, 0.9);
        limit(&mut units);
        assert_eq!(units.get(M::MouthPress), 0.);
        assert_eq!(units.get(M::MouthClose), 0.5);
    }

    #[test]
    fn a_smile_alone_is_not_touched_and_nothing_is_negative() {
        let mut units = Units::default();
        units.set(M::MouthSmile, 1.4);
        units.set(M::JawForward, -0.3);
        limit(&mut units);
        assert_eq!(units.get(M::MouthSmile), 1.4);
        assert_eq!(units.get(M::JawForward), 0.);
        units.set(M::MouthFrown, 1.4);
        limit(&mut units);
        assert!((units.get(M::MouthSmile) + units.get(M::MouthFrown) - 1.6).abs() < 1e-5);
    }
}
