//! Conditions: the vector that stands for labels and their strengths in the diffusion model.

mod contrast;
mod error;
mod strengths;
mod table;

pub use self::contrast::Contrast;
pub use self::error::ConditionError;
pub use self::strengths::{StrengthRange, Strengths};
pub use self::table::ConditionTable;

/// The label of clips without an expression or a gesture, from which strengths are counted.
pub const NEUTRAL: &str = "neutral";

/// The largest sum of strengths. Beyond it faces tear, whatever a model has learned.
pub const MAX_STRENGTH: f32 = 2.0;
