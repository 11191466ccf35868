//! What guidance exaggerates a label against.

use serde::{Deserialize, Serialize};

/// What guidance exaggerates a label against: it adds so many times the difference that the label makes to this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contrast {
    /// The null condition, which stands for any label at all (Ho and Salimans 2021).
    #[default]
    Null,
    /// The label [`NEUTRAL`](super::NEUTRAL): what all labels share is not exaggerated.
    Neutral,
}

impl Contrast {
    /// Whether it is the null condition.
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
    pub(crate) fn is_null(&self) -> bool {
        *self == Self::Null
    }
}
