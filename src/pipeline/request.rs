//! What a caller asks for.

use thiserror::Error;

use crate::condition::{ConditionError, Contrast, Strengths};
use crate::diffusion::Sampler;

/// Most denoising steps: more than the training schedule has times cannot help.
pub const MAX_STEPS: usize = 1000;

/// Strongest guidance: beyond it the motion only saturates.
pub const MAX_GUIDANCE: f32 = 20.0;

/// A video to make.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// One of the model's labels, or several, and how strongly each counts.
    pub strengths: Strengths,
    /// The same seed gives the same video.
    pub seed: u64,
    /// Denoising steps, 1 to [`MAX_STEPS`].
    pub steps: usize,
    /// How far the label is exaggerated, 0 to [`MAX_GUIDANCE`]; 1 adds nothing to the condition itself.
    pub guidance: f32,
    /// What guidance exaggerates the label against.
    pub contrast: Contrast,
    /// How noise becomes motion.
    pub sampler: Sampler,
}

impl Request {
    pub(crate) fn check(&self) -> Result<(), RequestError> {
        if !(1..=MAX_STEPS).contains(&self.steps) {
            return Err(RequestError::Steps(self.steps));
        }
        if !(0.0..=MAX_GUIDANCE).contains(&self.guidance) {
            return Err(RequestError::Guidance(self.guidance));
        }
        if let Sampler::Ddim { eta, .. } = self.sampler
            && !(0.0..=1.0).contains(&eta)
        {
            return Err(RequestError::Eta(eta));
        }
        Ok(())
    }
}

/// A request that is refused before any work is done.
#[derive(Debug, Error)]
pub enum RequestError {
    /// The model does not know the label, or takes no such strengths.
    #[error("{field}: {0}", field = .0.field())]
    Condition(#[from] ConditionError),
    /// The number of steps is out of range.
    #[error("steps: {0} is not possible; choose 1 to {MAX_STEPS}; the model's own default is a good start, 8 for most")]
    Steps(usize),
    /// The guidance is out of range.
    #[error(
        "guidance: {0} is not possible; choose a number from 0 to {MAX_GUIDANCE}; the model's own default is a good \
         start, 3.5 to 4 for most"
    )]
    Guidance(f32),
    /// DDIM's share of noise is out of range.
    #[error(
        "sampler: eta {0} is not possible; choose a number from 0, no noise, to 1, all the noise of ancestral sampling"
    )]
    Eta(f64),
    /// The portrait was prepared for another model.
    #[error("image: prepared as {found:?} pixels (height, width), but the model takes {expected:?}")]
    PortraitSize {
        /// Height and width of the portrait.
        found: [usize; 2],
        /// Height and width that the model takes.
        expected: [usize; 2],
    },
}
