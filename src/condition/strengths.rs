//! How much each label counts: one label as it is, a weaker or stronger one, or a mixture.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use serde::{Deserialize, Serialize};

use super::error::ConditionError;
use super::{MAX_STRENGTH, NEUTRAL};

/// Sums that differ by less are the same: 0.7 and 0.3 have no exact sum in binary.
const ROUNDING: f32 = 1e-4;

/// How strongly each label counts: 0 is neutral, 1 the label as it is. The sum is at most [`MAX_STRENGTH`].
///
/// A plain label is that label with strength 1. Labels that are not named have strength 0.
///
/// ```
/// use lfdm::condition::Strengths;
///
/// let known = ["neutral", "happiness", "surprise"].map(str::to_owned);
/// let mixture = Strengths::parse("surprise=0.4,happiness=0.7", &known)?;
/// assert_eq!(mixture.to_string(), "happiness=0.7,surprise=0.4");
/// assert_eq!(Strengths::parse("happiness=1", &known)?, Strengths::from("happiness"));
/// assert!(Strengths::parse("happiness=-1", &known).is_err());
/// # Ok::<(), lfdm::condition::ConditionError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, f32>", into = "BTreeMap<String, f32>")]
pub struct Strengths(BTreeMap<String, f32>);

impl Strengths {
    /// # Errors
    /// [`ConditionError`] for a strength that is negative, no number or infinite, and for a sum beyond
    /// [`MAX_STRENGTH`].
    pub fn new(strengths: impl IntoIterator<Item = (String, f32)>) -> Result<Self, ConditionError> {
        let mut checked = BTreeMap::new();
        for (label, strength) in strengths {
            if !(0.0..f32::INFINITY).contains(&strength) {
                return Err(ConditionError::Strength { label, strength: strength.to_string() });
            }
            if checked.contains_key(&label) {
                return Err(ConditionError::Twice(label));
            }
            checked.insert(label, strength);
        }
        let sum: f32 = checked.values().sum();
        if sum > MAX_STRENGTH + ROUNDING { Err(ConditionError::Sum(sum)) } else { Ok(Self(checked)) }
    }

    /// Reads `happiness=0.7,surprise=0.4`. A label without a number has strength 1; a label may hold commas and
    /// equals signs if it is `known` and all of `text`.
    ///
    /// # Errors
    /// As [`new`](Self::new), and [`ConditionError::UnknownLabel`] for a label that is not `known`.
    pub fn parse(text: &str, known: &[String]) -> Result<Self, ConditionError> {
        let is_known = |label: &str| known.iter().any(|known| known == label);
        if is_known(text) {
            return Ok(Self::from(text));
        }
        let part = |part: &str| {
            let part = part.trim();
            let (label, strength) = match part.rsplit_once('=') {
                Some((label, strength)) if !is_known(part) => (label.trim(), strength.trim()),
                _ => (part, "1"),
            };
            if !is_known(label) {
                return Err(ConditionError::UnknownLabel { label: label.to_owned(), known: known.to_owned() });
            }
            let refused = |_| ConditionError::Strength { label: label.to_owned(), strength: strength.to_owned() };
            Ok((label.to_owned(), strength.parse().map_err(refused)?))
        };
        Self::new(text.split(',').map(part).collect::<Result<Vec<_>, _>>()?)
    }

    /// The labels that have a strength, in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f32)> {
        self.0.iter().map(|(label, &strength)| (label.as_str(), strength))
    }

    /// How much each of a model's `labels` counts in the condition, as its table has them. The weights add up to 1:
    /// what the others leave is `neutral`, negative where they are more than 1 together.
    ///
    /// A plain label has the weight 1, and all others 0, exactly.
    ///
    /// # Errors
    /// [`ConditionError`] for a label that is not among `labels`, or strengths that do not add up to 1 if
    /// [`NEUTRAL`] is not.
    pub fn weights(&self, labels: &[String]) -> Result<Vec<f32>, ConditionError> {
        let mut weights = vec![0.0; labels.len()];
        for (label, strength) in self.iter() {
            let unknown = || ConditionError::UnknownLabel { label: label.to_owned(), known: labels.to_owned() };
            weights[labels.iter().position(|known| known == label).ok_or_else(unknown)?] = strength;
        }
        if let Some(neutral) = labels.iter().position(|label| label == NEUTRAL) {
            weights[neutral] = 0.0;
            weights[neutral] = 1.0 - weights.iter().sum::<f32>();
            return Ok(weights);
        }
        let sum: f32 = weights.iter().sum();
        if (sum - 1.0).abs() > ROUNDING { Err(ConditionError::NoNeutral(sum)) } else { Ok(weights) }
    }
}

impl From<&str> for Strengths {
    fn from(label: &str) -> Self {
        Self(BTreeMap::from([(label.to_owned(), 1.0)]))
    }
}

impl TryFrom<BTreeMap<String, f32>> for Strengths {
    type Error = ConditionError;

    fn try_from(strengths: BTreeMap<String, f32>) -> Result<Self, ConditionError> {
        Self::new(strengths)
    }
}

impl From<Strengths> for BTreeMap<String, f32> {
    fn from(strengths: Strengths) -> Self {
        strengths.0
    }
}

/// As [`Strengths::parse`] reads it; a single label of strength 1 is the label alone.
impl Display for Strengths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (label, strength)) in self.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{label}")?;
            if self.0.len() > 1 || strength != 1.0 {
                write!(f, "={strength}")?;
            }
        }
        Ok(())
    }
}

/// Which strengths a model learned from. Others are an extrapolation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StrengthRange {
    /// The lowest and the highest sum of the strengths of a clip that is not neutral.
    pub sum: [f32; 2],
    /// The most labels that a clip mixed.
    pub labels: usize,
}

impl StrengthRange {
    /// Every clip has one label, of strength 1.
    pub const ONE_HOT: Self = Self { sum: [1.0; 2], labels: 1 };

    /// Sums within this of 1 are 1: people differ as much in what they call a smile, and a model that saw no more has
    /// not learned what strength is.
    const FULL: f32 = 0.15;

    /// The range of all `clips`, [`NEUTRAL`] apart; [`ONE_HOT`](Self::ONE_HOT) if all show one label at about full
    /// strength.
    pub fn of<'a>(clips: impl IntoIterator<Item = &'a Strengths>) -> Self {
        let mut range: Option<Self> = None;
        for clip in clips {
            let strengths: Vec<f32> =
                clip.iter().filter(|&(label, strength)| label != NEUTRAL && strength > 0.0).map(|(_, s)| s).collect();
            if strengths.is_empty() {
                continue;
            }
            let sum: f32 = strengths.iter().sum();
            let Self { sum: [least, most], labels } = range.unwrap_or(Self { sum: [sum; 2], labels: 1 });
            range = Some(Self { sum: [least.min(sum), most.max(sum)], labels: labels.max(strengths.len()) });
        }
        let is_full = |range: &Self| range.labels == 1 && range.sum.iter().all(|sum| (sum - 1.0).abs() <= Self::FULL);
        range.filter(|range| !is_full(range)).unwrap_or(Self::ONE_HOT)
    }

    /// Whether there is nothing but plain labels.
    pub fn is_one_hot(&self) -> bool {
        *self == Self::ONE_HOT
    }

    /// Whether a training can have had this range; the error says why not.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let [least, most] = self.sum;
        if !(0.0 < least && least <= most && most <= MAX_STRENGTH + ROUNDING) {
            return Err("has sums that are not two numbers in order, above 0 and up to 2");
        }
        if self.labels == 0 { Err("mixes 0 labels; it must be at least 1") } else { Ok(()) }
    }
}

impl Default for StrengthRange {
    fn default() -> Self {
        Self::ONE_HOT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> Vec<String> {
        ["joy", "neutral", "fear", "a=b,c"].map(str::to_owned).to_vec()
    }

    fn parsed(text: &str) -> Strengths {
        Strengths::parse(text, &labels()).unwrap()
    }

    fn refusal(text: &str) -> String {
        Strengths::parse(text, &labels()).unwrap_err().to_string()
    }

    #[test]
    fn text_is_read_as_it_is_written() {
        for (text, written) in [
            ("joy", "joy"),
            (" fear = 0.4 ,joy=0.7", "fear=0.4,joy=0.7"),
            ("joy=1", "joy"),
            ("joy,fear=0.5", "fear=0.5,joy=1"),
            ("a=b,c", "a=b,c"),
            ("joy=0", "joy=0"),
        ] {
            assert_eq!(parsed(text).to_string(), written);
            assert_eq!(parsed(written), parsed(text), "{text}");
        }
    }

    #[test]
    fn what_is_no_strength_is_refused_with_a_sentence() {
        for (text, sentence) in [
            ("joy=-0.1", "`joy` has the strength -0.1, which is not possible; choose a number from 0 (neutral) to 2"),
            ("joy=NaN", "`joy` has the strength NaN"),
            ("joy=inf", "`joy` has the strength inf"),
            ("joy=lots", "`joy` has the strength lots"),
            ("joy=", "`joy` has the strength , which"),
            ("joy=1.5,fear=0.6", "the strengths add up to 2.1; keep their sum at or below 2"),
            ("joy=0.5,joy=0.6", "`joy` is there twice; give it one strength"),
            ("glee=0.5", "unknown label `glee`; this model knows joy, neutral, fear"),
        ] {
            assert!(refusal(text).contains(sentence), "{text}: {}", refusal(text));
        }
        assert_eq!(parsed("joy=1.4,fear=0.6").iter().count(), 2, "the sum of both is 2, but for rounding");
        let json = serde_json::from_str::<Strengths>(r#"{"joy": -1}"#).unwrap_err().to_string();
        assert!(json.contains("`joy` has the strength -1"), "{json}");
    }

    #[test]
    fn what_is_left_is_neutral() {
        let weights = |text: &str| parsed(text).weights(&labels()).unwrap();
        assert_eq!(weights("joy"), [1.0, 0.0, 0.0, 0.0]);
        assert_eq!(weights("neutral"), [0.0, 1.0, 0.0, 0.0]);
        assert_eq!(weights("joy=0"), [0.0, 1.0, 0.0, 0.0]);
        assert_eq!(weights("neutral=0.5"), [0.0, 1.0, 0.0, 0.0]);
        assert_eq!(weights("joy=0.5,fear=0.25"), [0.5, 0.25, 0.25, 0.0]);
        assert_eq!(weights("joy=1.5"), [1.5, -0.5, 0.0, 0.0]);
    }

    #[test]
    fn without_neutral_only_a_sum_of_one_has_a_meaning() {
        let labels = ["joy", "fear"].map(str::to_owned);
        let weights = |text: &str| Strengths::parse(text, &labels).unwrap().weights(&labels);
        assert_eq!(weights("fear").unwrap(), [0.0, 1.0]);
        assert_eq!(weights("joy=0.7,fear=0.3").unwrap(), [0.7, 0.3]);
        let message = weights("joy=0.7").unwrap_err().to_string();
        assert!(message.contains("no label `neutral`") && message.ends_with("add up to 1, not 0.7"), "{message}");
    }

    #[test]
    fn a_range_has_both_ends_and_the_largest_mixture() {
        let clips = ["neutral", "joy=0.4", "joy=0.8,fear=0.5", "neutral=0.1,fear=0"].map(parsed);
        assert_eq!(StrengthRange::of(&clips), StrengthRange { sum: [0.4, 1.3], labels: 2 });
        assert_eq!(StrengthRange::of(&clips[..1]), StrengthRange::ONE_HOT);
        assert_eq!(StrengthRange::of(&["joy=0.9", "fear=1.1"].map(parsed)), StrengthRange::ONE_HOT);
        assert_eq!(StrengthRange::of(&["joy=0.9", "fear=1.2"].map(parsed)).sum, [0.9, 1.2]);
        for (range, is_possible) in [
            (StrengthRange { sum: [0.4, 1.3], labels: 2 }, true),
            (StrengthRange { sum: [1.3, 0.4], labels: 2 }, false),
            (StrengthRange { sum: [0.4, f32::NAN], labels: 2 }, false),
            (StrengthRange { sum: [0.4, 9.0], labels: 2 }, false),
            (StrengthRange { labels: 0, ..StrengthRange::ONE_HOT }, false),
        ] {
            assert_eq!(range.check().is_ok(), is_possible, "{range:?}");
        }
    }
}
