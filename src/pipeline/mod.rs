//! From a portrait and a label to a video, one unit of work at a time.
//!
//! [`Generation::next`] encodes the portrait, takes one denoising step or decodes one frame, and reports which.
//! The caller sets the pace: not calling pauses, dropping the generation cancels. The command line and the page
//! call it the same way. What several threads or workers can share is a [`Job`], made of plain
//! numbers; a generation that nobody helps does everything itself.

mod animator;
mod event;
mod generation;
mod job;
mod model;
#[cfg(feature = "gpu")]
mod rehearsal;
mod request;

pub use self::animator::Animator;
pub use self::event::{Event, Frame, Picture, Preview, Timings};
pub use self::generation::{Generation, PipelineError};
pub use self::job::{Job, Output};
pub use self::model::LoadError;
pub use self::request::{MAX_GUIDANCE, MAX_STEPS, Request, RequestError};
pub use crate::diffusion::Sampler;
pub use crate::portrait::Portrait;
