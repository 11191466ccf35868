//! What a face can do, and how much of it it does.

use serde::{Serialize, Serializer, ser::SerializeMap};

/// What a face can do: the 52 units of ARKit with left and right taken together, and `BrowTilt`, the oblique brow of
/// fear and sadness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are ARKit's")]
pub enum Muscle {
    BrowDown,
    BrowInnerUp,
    BrowOuterUp,
    /// The inner end of the brow rises and the outer end sinks.
    BrowTilt,
    EyeBlink,
    EyeSquint,
    EyeWide,
    EyeLookDown,
    EyeLookIn,
    EyeLookOut,
    EyeLookUp,
    CheekPuff,
    CheekSquint,
    NoseSneer,
    JawForward,
    JawLeft,
    JawRight,
    JawOpen,
    MouthClose,
    MouthDimple,
    MouthFrown,
    MouthFunnel,
    MouthLeft,
    MouthLowerDown,
    MouthPress,
    MouthPucker,
    MouthRight,
    MouthRollLower,
    MouthRollUpper,
    MouthShrugLower,
    MouthShrugUpper,
    MouthSmile,
    MouthStretch,
    MouthUpperUp,
    TongueOut,
}

/// How many there are.
pub(super) const MUSCLES: usize = 35;

/// All of them, with the names of their units: left and right, or one in the middle.
#[rustfmt::skip]
const TABLE: [(Muscle, &[&str]); MUSCLES] = [
    (Muscle::BrowDown, &["browDownLeft", "browDownRight"]),
    (Muscle::BrowInnerUp, &["browInnerUp"]),
    (Muscle::BrowOuterUp, &["browOuterUpLeft", "browOuterUpRight"]),
    (Muscle::BrowTilt, &["browTiltLeft", "browTiltRight"]),
    (Muscle::EyeBlink, &["eyeBlinkLeft", "eyeBlinkRight"]),
    (Muscle::EyeSquint, &["eyeSquintLeft", "eyeSquintRight"]),
    (Muscle::EyeWide, &["eyeWideLeft", "eyeWideRight"]),
    (Muscle::EyeLookDown, &["eyeLookDownLeft", "eyeLookDownRight"]),
    (Muscle::EyeLookIn, &["eyeLookInLeft", "eyeLookInRight"]),
    (Muscle::EyeLookOut, &["eyeLookOutLeft", "eyeLookOutRight"]),
    (Muscle::EyeLookUp, &["eyeLookUpLeft", "eyeLookUpRight"]),
    (Muscle::CheekPuff, &["cheekPuff"]),
    (Muscle::CheekSquint, &["cheekSquintLeft", "cheekSquintRight"]),
    (Muscle::NoseSneer, &["noseSneerLeft", "noseSneerRight"]),
    (Muscle::JawForward, &["jawForward"]),
    (Muscle::JawLeft, &["jawLeft"]),
    (Muscle::JawRight, &["jawRight"]),
    (Muscle::JawOpen, &["jawOpen"]),
    (Muscle::MouthClose, &["mouthClose"]),
    (Muscle::MouthDimple, &["mouthDimpleLeft", "mouthDimpleRight"]),
    (Muscle::MouthFrown, &["mouthFrownLeft", "mouthFrownRight"]),
    (Muscle::MouthFunnel, &["mouthFunnel"]),
    (Muscle::MouthLeft, &["mouthLeft"]),
    (Muscle::MouthLowerDown, &["mouthLowerDownLeft", "mouthLowerDownRight"]),
    (Muscle::MouthPress, &["mouthPressLeft", "mouthPressRight"]),
    (Muscle::MouthPucker, &["mouthPucker"]),
    (Muscle::MouthRight, &["mouthRight"]),
    (Muscle::MouthRollLower, &["mouthRollLower"]),
    (Muscle::MouthRollUpper, &["mouthRollUpper"]),
    (Muscle::MouthShrugLower, &["mouthShrugLower"]),
    (Muscle::MouthShrugUpper, &["mouthShrugUpper"]),
    (Muscle::MouthSmile, &["mouthSmileLeft", "mouthSmileRight"]),
    (Muscle::MouthStretch, &["mouthStretchLeft", "mouthStretchRight"]),
    (Muscle::MouthUpperUp, &["mouthUpperUpLeft", "mouthUpperUpRight"]),
    (Muscle::TongueOut, &["tongueOut"]),
];

/// Parts of the face that people move more or less, earlier or later than others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Area {
    Brows,
    Eyes,
    Cheeks,
    Nose,
    Jaw,
    Mouth,
}

/// How many areas there are.
pub(super) const AREAS: usize = 6;

impl Muscle {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|entry| entry.0)
    }

    /// The names of its units: left and right, or one in the middle.
    pub fn names(self) -> &'static [&'static str] {
        TABLE[self as usize].1
    }

    pub(super) fn area(self) -> Area {
        let name = self.names()[0];
        let areas = [("brow", Area::Brows), ("eye", Area::Eyes), ("cheek", Area::Cheeks), ("nose", Area::Nose)];
        let found = areas.iter().find(|(start, _)| name.starts_with(start));
        found.map_or(if name.starts_with("jaw") { Area::Jaw } else { Area::Mouth }, |(_, area)| *area)
    }

    fn is_paired(self) -> bool {
        self.names().len() == 2
    }
}

/// The names of all units: those of ARKit, `browTiltLeft` and `browTiltRight`.
pub fn unit_names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().flat_map(|(_, names)| names.iter().copied())
}

/// How much of each unit a face shows: 0 is rest, 1 the unit as it was modelled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Units([[f32; 2]; MUSCLES]);

impl Default for Units {
    fn default() -> Self {
        Self([[0.; 2]; MUSCLES])
    }
}

impl Units {
    /// The units that are not at rest, by name.
    pub fn active(&self) -> impl Iterator<Item = (&'static str, f32)> {
        let all = TABLE.iter().zip(&self.0).flat_map(|((_, names), weights)| names.iter().copied().zip(*weights));
        all.filter(|(_, weight)| *weight != 0.)
    }

    /// The weight of a unit; 0 for a name that is none.
    pub fn named(&self, name: &str) -> f32 {
        self.active().find(|unit| unit.0 == name).map_or(0., |unit| unit.1)
    }

    /// The mean of left and right.
    pub fn get(&self, muscle: Muscle) -> f32 {
        let [left, right] = self.sides(muscle);
        (left + right) / 2.
    }

    /// Left and right, which are the same for a unit in the middle.
    pub fn sides(&self, muscle: Muscle) -> [f32; 2] {
        let [left, right] = self.0[muscle as usize];
        if muscle.is_paired() { [left, right] } else { [left, left] }
    }

    /// Sets both sides.
    pub fn set(&mut self, muscle: Muscle, weight: f32) {
        self.set_sides(muscle, [weight; 2]);
    }

    /// Sets left and right; a unit in the middle takes the mean.
    pub fn set_sides(&mut self, muscle: Muscle, [left, right]: [f32; 2]) {
        let sides = if muscle.is_paired() { [left, right] } else { [(left + right) / 2., 0.] };
        self.0[muscle as usize] = sides;
    }

    /// Adds to both sides.
    pub fn add(&mut self, muscle: Muscle, weight: f32) {
        self.update(muscle, |_, before| before + weight);
    }

    /// Multiplies both sides.
    pub fn scale(&mut self, muscle: Muscle, factor: f32) {
        self.update(muscle, |_, before| before * factor);
    }

    /// Sets each side (0 is left) to what `change` makes of it.
    pub fn update(&mut self, muscle: Muscle, change: impl Fn(usize, f32) -> f32) {
        let [left, right] = self.sides(muscle);
        self.set_sides(muscle, [change(0, left), change(1, right)]);
    }
}

impl Serialize for Units {
    /// A map of the units that are not at rest, to a thousandth.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, weight) in self.active() {
            let weight = super::rounded(weight);
            if weight != 0. {
                map.serialize_entry(name, &weight)?;
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_unit_once() {
        for (place, (muscle, names)) in TABLE.iter().enumerate() {
            assert_eq!(*muscle as usize, place, "{names:?} is out of order");
        }
        let mut names: Vec<_> = unit_names().collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 54, "52 of ARKit and two of ours");
    }

    #[test]
    fn a_unit_in_the_middle_has_one_weight() {
        let mut units = Units::default();
        units.set_sides(Muscle::JawOpen, [0.2, 0.4]);
        units.set_sides(Muscle::EyeBlink, [0.2, 0.4]);
        units.add(Muscle::JawOpen, 0.1);
        assert!((units.named("jawOpen") - 0.4).abs() < 1e-6);
        assert_eq!(units.sides(Muscle::JawOpen)[0], units.sides(Muscle::JawOpen)[1]);
        assert_eq!([units.named("eyeBlinkLeft"), units.named("eyeBlinkRight")], [0.2, 0.4]);
        assert_eq!(units.active().count(), 3);
    }

    #[test]
    fn areas_follow_the_names() {
        assert_eq!(Muscle::BrowTilt.area(), Area::Brows);
        assert_eq!(Muscle::JawOpen.area(), Area::Jaw);
        assert_eq!(Muscle::TongueOut.area(), Area::Mouth);
        assert_eq!(Area::Mouth as usize + 1, AREAS);
    }
}
