//! The labels, and the ways in which people show them.

use std::{fmt, str::FromStr};

use serde::Serialize;

use super::units::Muscle;
use Muscle as M;

/// What a clip shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "they are what they say")]
pub enum Label {
    Neutral,
    Anger,
    Disgust,
    Fear,
    Happiness,
    Sadness,
    Surprise,
}

impl Label {
    /// All of them, in the order of the rows of a sheet.
    pub const ALL: [Self; 7] =
        [Self::Neutral, Self::Anger, Self::Disgust, Self::Fear, Self::Happiness, Self::Sadness, Self::Surprise];

    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Neutral => "neutral",
            Self::Anger => "anger",
            Self::Disgust => "disgust",
            Self::Fear => "fear",
            Self::Happiness => "happiness",
            Self::Sadness => "sadness",
            Self::Surprise => "surprise",
        }
    }

    /// The ways to show it, with how usual each is.
    pub(super) fn variants(self) -> &'static [(Variant, f32)] {
        match self {
            Self::Neutral => &[(&[], 1.)],
            Self::Anger => ANGER,
            Self::Disgust => DISGUST,
            Self::Fear => FEAR,
            Self::Happiness => HAPPINESS,
            Self::Sadness => SADNESS,
            Self::Surprise => SURPRISE,
        }
    }

    /// How far the head nods with it, in radians. It is little: a model that sees heads sink with sadness pulls the
    /// whole portrait down.
    pub(super) fn nod(self) -> f32 {
        match self {
            Self::Neutral | Self::Happiness => 0.,
            Self::Anger => 0.022,
            Self::Disgust => -0.014,
            Self::Fear => -0.022,
            Self::Sadness => 0.03,
            Self::Surprise => -0.025,
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Label {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let names = Self::ALL.map(Self::name).join(", ");
        let found = Self::ALL.into_iter().find(|label| label.name() == name);
        found.ok_or_else(|| format!("`{name}` is no label; there are {names}"))
    }
}

/// The units of one way to show a label at strength 1.
pub(super) type Variant = &'static [(Muscle, f32)];

#[rustfmt::skip]
const ANGER: &[(Variant, f32)] = &[
    // Lips shut.
    (&[(M::BrowDown, 1.7), (M::NoseSneer, 1.), (M::EyeSquint, 0.2), (M::EyeWide, 0.7), (M::MouthFrown, 0.85),
       (M::MouthShrugLower, 0.7), (M::MouthPress, 0.45), (M::MouthUpperUp, 0.3), (M::MouthLowerDown, 0.2),
       (M::JawForward, 0.3)], 2.),
    // Lips parted.
    (&[(M::BrowDown, 1.65), (M::NoseSneer, 1.05), (M::EyeSquint, 0.25), (M::EyeWide, 0.6), (M::MouthFrown, 0.55),
       (M::MouthUpperUp, 0.5), (M::MouthLowerDown, 0.55), (M::MouthStretch, 0.2)], 1.5),
    // Teeth bared.
    (&[(M::BrowDown, 1.6), (M::NoseSneer, 1.), (M::EyeSquint, 0.25), (M::EyeWide, 0.5), (M::MouthUpperUp, 0.6),
       (M::MouthLowerDown, 0.85), (M::MouthStretch, 0.35), (M::JawOpen, 0.18), (M::MouthFrown, 0.2)], 1.5),
    // Lips pressed to a line.
    (&[(M::BrowDown, 1.75), (M::NoseSneer, 0.8), (M::EyeSquint, 0.3), (M::EyeWide, 0.6), (M::MouthPress, 0.9),
       (M::MouthRollLower, 0.3), (M::MouthRollUpper, 0.2), (M::MouthFrown, 0.6), (M::MouthShrugLower, 0.4),
       (M::JawForward, 0.35)], 1.),
    // Shouting.
    (&[(M::BrowDown, 1.6), (M::NoseSneer, 1.1), (M::EyeSquint, 0.2), (M::EyeWide, 0.7), (M::MouthUpperUp, 0.7),
       (M::MouthLowerDown, 0.85), (M::MouthStretch, 0.4), (M::JawOpen, 0.48), (M::MouthFrown, 0.15)], 1.),
    // Teeth clenched.
    (&[(M::BrowDown, 1.65), (M::NoseSneer, 1.25), (M::EyeSquint, 0.3), (M::EyeWide, 0.4), (M::MouthUpperUp, 0.7),
       (M::MouthLowerDown, 0.75), (M::MouthStretch, 0.4), (M::JawOpen, 0.07), (M::JawForward, 0.2),
       (M::MouthFrown, 0.25)], 1.),
];

#[rustfmt::skip]
const DISGUST: &[(Variant, f32)] = &[
    (&[(M::NoseSneer, 1.75), (M::MouthUpperUp, 1.05), (M::BrowInnerUp, 1.), (M::EyeSquint, 0.95),
       (M::CheekSquint, 1.), (M::MouthFrown, 0.5), (M::MouthShrugLower, 0.6)], 1.5),
    // Lower lip pushed up.
    (&[(M::NoseSneer, 1.7), (M::MouthUpperUp, 0.8), (M::BrowInnerUp, 1.), (M::EyeSquint, 0.95),
       (M::CheekSquint, 1.), (M::MouthFrown, 0.4), (M::MouthShrugLower, 0.95), (M::MouthShrugUpper, 0.85)], 1.5),
    // Upper lip high.
    (&[(M::NoseSneer, 1.75), (M::MouthUpperUp, 1.2), (M::BrowInnerUp, 1.15), (M::EyeSquint, 0.95), (M::EyeBlink, 0.1),
       (M::CheekSquint, 1.1), (M::MouthFrown, 0.35), (M::MouthShrugLower, 0.45)], 1.5),
    // Mouth open.
    (&[(M::NoseSneer, 1.7), (M::MouthUpperUp, 1.1), (M::MouthLowerDown, 0.35), (M::JawOpen, 0.22),
       (M::BrowInnerUp, 0.8), (M::EyeSquint, 0.85), (M::CheekSquint, 1.), (M::MouthFrown, 0.4)], 1.),
    // Frowning.
    (&[(M::NoseSneer, 1.75), (M::MouthUpperUp, 0.9), (M::BrowDown, 0.7), (M::BrowInnerUp, 0.4), (M::EyeSquint, 0.85),
       (M::CheekSquint, 1.), (M::MouthFrown, 0.5), (M::MouthShrugLower, 0.75), (M::MouthShrugUpper, 0.4)], 1.),
];

#[rustfmt::skip]
const FEAR: &[(Variant, f32)] = &[
    (&[(M::BrowInnerUp, 1.5), (M::BrowTilt, 1.15), (M::EyeWide, 1.35), (M::MouthStretch, 1.25), (M::JawOpen, 0.16),
       (M::MouthLowerDown, 0.6), (M::MouthFrown, 0.2)], 1.5),
    (&[(M::BrowInnerUp, 1.35), (M::BrowTilt, 1.), (M::EyeWide, 1.45), (M::MouthStretch, 0.75), (M::JawOpen, 0.38),
       (M::MouthLowerDown, 0.55), (M::MouthUpperUp, 0.2), (M::MouthFrown, 0.4)], 1.5),
    (&[(M::BrowInnerUp, 1.5), (M::BrowTilt, 1.2), (M::EyeWide, 1.25), (M::MouthStretch, 1.), (M::JawOpen, 0.28),
       (M::MouthLowerDown, 0.7), (M::MouthUpperUp, 0.35)], 1.5),
    // Lips hardly parted.
    (&[(M::BrowInnerUp, 1.5), (M::BrowTilt, 1.15), (M::EyeWide, 1.4), (M::MouthStretch, 1.2), (M::MouthLowerDown, 0.3),
       (M::MouthFrown, 0.3), (M::JawOpen, 0.03)], 1.),
    // Gasping.
    (&[(M::BrowInnerUp, 1.45), (M::BrowTilt, 1.1), (M::EyeWide, 1.5), (M::MouthStretch, 0.9), (M::JawOpen, 0.48),
       (M::MouthLowerDown, 0.6), (M::MouthUpperUp, 0.2), (M::MouthFrown, 0.2)], 1.),
];

#[rustfmt::skip]
const HAPPINESS: &[(Variant, f32)] = &[
    (&[(M::MouthSmile, 1.05), (M::CheekSquint, 0.85), (M::EyeSquint, 0.35), (M::MouthUpperUp, 0.45), (M::JawOpen, 0.14),
       (M::MouthDimple, 0.25)], 1.5),
    (&[(M::MouthSmile, 1.05), (M::CheekSquint, 0.8), (M::EyeSquint, 0.35), (M::MouthUpperUp, 0.5),
       (M::MouthLowerDown, 0.25), (M::JawOpen, 0.3), (M::MouthDimple, 0.2)], 1.5),
    // Lips shut.
    (&[(M::MouthSmile, 1.15), (M::CheekSquint, 0.8), (M::EyeSquint, 0.3), (M::MouthDimple, 0.4),
       (M::MouthUpperUp, 0.15)], 1.5),
    // Laughing.
    (&[(M::MouthSmile, 1.1), (M::CheekSquint, 1.), (M::EyeSquint, 0.5), (M::MouthUpperUp, 0.6),
       (M::MouthLowerDown, 0.3), (M::JawOpen, 0.48), (M::MouthDimple, 0.15), (M::BrowOuterUp, 0.15)], 1.),
    // Grinning, teeth together.
    (&[(M::MouthSmile, 1.15), (M::CheekSquint, 0.85), (M::EyeSquint, 0.35), (M::MouthUpperUp, 0.5),
       (M::MouthLowerDown, 0.4), (M::JawOpen, 0.05), (M::MouthStretch, 0.15), (M::MouthDimple, 0.2)], 1.),
];

#[rustfmt::skip]
const SADNESS: &[(Variant, f32)] = &[
    (&[(M::BrowInnerUp, 1.35), (M::BrowTilt, 1.1), (M::MouthFrown, 1.4), (M::MouthShrugLower, 0.75),
       (M::EyeSquint, 0.2), (M::EyeBlink, 0.22)], 2.),
    (&[(M::BrowInnerUp, 1.35), (M::BrowTilt, 1.25), (M::MouthFrown, 1.35), (M::MouthShrugLower, 0.9),
       (M::MouthPucker, 0.15), (M::EyeBlink, 0.28), (M::MouthStretch, 0.2)], 2.),
    // Lips parted.
    (&[(M::BrowInnerUp, 1.35), (M::BrowTilt, 1.2), (M::MouthFrown, 1.35), (M::MouthShrugLower, 0.3), (M::JawOpen, 0.1),
       (M::MouthLowerDown, 0.25), (M::EyeBlink, 0.25)], 1.),
    // Near tears.
    (&[(M::BrowInnerUp, 1.4), (M::BrowTilt, 1.3), (M::MouthFrown, 1.35), (M::MouthShrugLower, 1.),
       (M::MouthStretch, 0.35), (M::EyeSquint, 0.45), (M::CheekSquint, 0.35), (M::EyeBlink, 0.1)], 1.),
];

#[rustfmt::skip]
const SURPRISE: &[(Variant, f32)] = &[
    (&[(M::BrowInnerUp, 1.6), (M::BrowOuterUp, 0.9), (M::EyeWide, 1.4), (M::JawOpen, 0.72)], 1.5),
    (&[(M::BrowInnerUp, 1.75), (M::BrowOuterUp, 1.), (M::EyeWide, 1.35), (M::JawOpen, 0.55),
       (M::MouthFunnel, 0.4)], 1.5),
    (&[(M::BrowInnerUp, 1.6), (M::BrowOuterUp, 1.05), (M::EyeWide, 1.45), (M::JawOpen, 0.82),
       (M::MouthFunnel, 0.2)], 1.5),
    // A small mouth.
    (&[(M::BrowInnerUp, 1.7), (M::BrowOuterUp, 1.05), (M::EyeWide, 1.4), (M::JawOpen, 0.36),
       (M::MouthFunnel, 0.25)], 1.),
    // A round one.
    (&[(M::BrowInnerUp, 1.65), (M::BrowOuterUp, 1.), (M::EyeWide, 1.4), (M::JawOpen, 0.5), (M::MouthFunnel, 0.5),
       (M::MouthPucker, 0.1)], 1.),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for label in Label::ALL {
            assert_eq!(label.name().parse(), Ok(label));
            assert_eq!(serde_json::to_value(label).unwrap(), label.name());
        }
        assert!("joy".parse::<Label>().unwrap_err().contains("happiness"));
    }

    #[test]
    fn every_label_has_open_and_shut_mouths() {
        for label in Label::ALL.into_iter().skip(1) {
            let opens = |variant: Variant| variant.iter().any(|unit| unit.0 == M::JawOpen && unit.1 >= 0.1);
            assert!(label.variants().iter().any(|variant| opens(variant.0)), "{label} never opens the mouth");
            let alike = label.variants().iter().all(|variant| variant.0.len() == label.variants()[0].0.len());
            assert!(!alike || label.variants().len() > 3, "{label} has few variants");
        }
    }
}
