//! Conditions that no video can be made for.

use thiserror::Error;

use super::MAX_STRENGTH;
use crate::weights::WeightsError;

/// A condition that the model does not know.
#[derive(Debug, Error)]
pub enum ConditionError {
    /// The model has no such label.
    #[error("unknown label `{label}`; this model knows {}", known.join(", "))]
    UnknownLabel {
        /// The label.
        label: String,
        /// The model's labels.
        known: Vec<String>,
    },
    /// What should be a strength is none.
    #[error(
        "`{label}` has the strength {strength}, which is not possible; choose a number from 0 (neutral) to \
         {MAX_STRENGTH}, where 1 is the label as it is"
    )]
    Strength {
        /// The label.
        label: String,
        /// What was given as its strength.
        strength: String,
    },
    /// The strengths are too large together.
    #[error("the strengths add up to {0}; keep their sum at or below {MAX_STRENGTH}")]
    Sum(f32),
    /// A label has two strengths.
    #[error("`{0}` is there twice; give it one strength")]
    Twice(String),
    /// There is nothing to count strengths from.
    #[error(
        "this model has no label `neutral` to count strengths from, so it takes only strengths that add up to 1, \
         not {0}"
    )]
    NoNeutral(f32),
    /// There is nothing to exaggerate a label against.
    #[error("this model has no label `neutral` to exaggerate labels against; use the contrast `null`")]
    NoContrast,
    /// The table has not one row for each label.
    #[error("the condition table has {rows} rows for {labels} labels; export the model again")]
    Rows {
        /// Rows of the table.
        rows: usize,
        /// Labels of the model.
        labels: usize,
    },
    /// The table is missing.
    #[error(transparent)]
    Weights(#[from] WeightsError),
}

impl ConditionError {
    /// The part of a request that is at fault.
    pub(crate) fn field(&self) -> &'static str {
        match self {
            Self::Strength { .. } | Self::Sum(_) | Self::Twice(_) | Self::NoNeutral(_) => "strengths",
            Self::NoContrast => "contrast",
            Self::UnknownLabel { .. } | Self::Rows { .. } | Self::Weights(_) => "label",
        }
    }
}
