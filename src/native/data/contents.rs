//! What a reader found in a directory: people, labels and clips in memory, before a model's size
//! and length matter.

use std::sync::Arc;

use super::{flow::ExactFlow, pixels::Pixels, references::References};
use crate::condition::Strengths;

/// What a reader found.
pub(super) struct Contents {
    /// Side of the frames in memory.
    pub(super) tile: usize,
    /// Suggested frames per second.
    pub(super) fps: usize,
    /// Where an expression is at or near full strength, as a share of the clip.
    pub(super) apex: f64,
    pub(super) labels: Vec<String>,
    pub(super) subjects: Vec<Subject>,
    /// By subject, then label.
    pub(super) clips: Vec<StoredClip>,
    /// What was left out, each with the reason.
    pub(super) skipped: Vec<String>,
}

/// A person.
pub(super) struct Subject {
    /// Stable across splits and sizes.
    pub(super) id: u32,
    pub(super) name: String,
}

/// A clip with all of its frames.
pub(super) struct StoredClip {
    pub(super) subject: usize,
    pub(super) label: usize,
    /// As messages call it.
    pub(super) name: String,
    /// At least 2.
    pub(super) frames: usize,
    /// Colours premultiplied by `alpha`.
    pub(super) pixels: Pixels,
    /// `[frame, y, x]`; `None` if every pixel is opaque.
    pub(super) alpha: Option<Vec<u8>>,
    pub(super) flow: Option<ExactFlow>,
    /// How strongly which labels are there, if that is not `label` with strength 1.
    pub(super) strengths: Option<Strengths>,
    /// Frame 0 in other appearances.
    pub(super) references: Option<Arc<References>>,
}
