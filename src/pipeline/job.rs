//! Units of work that can be done elsewhere.

use super::event::Picture;

/// A unit of work that depends on nothing else: another thread or worker can do it.
/// [`Generation::jobs`](super::Generation::jobs) names those that there are,
/// [`Generation::compute`](super::Generation::compute) does one.
#[derive(Debug, Clone, PartialEq)]
pub enum Job {
    /// One of the network's passes of a guided step.
    Predict {
        /// The step, from 0.
        step: usize,
        /// 0 with the condition, 1 with what guidance compares it with.
        pass: usize,
        /// The noisy motion, `[channels, frames, height, width]`.
        x: Vec<f32>,
    },
    /// The painting of one frame.
    Decode {
        /// The frame, from 0.
        index: usize,
        /// `[height, width, 2]`, of the flow grid.
        flow: Vec<f32>,
        /// `[height, width]`, of the flow grid.
        occlusion: Vec<f32>,
    },
}

/// What comes of a [`Job`], for [`Generation::supply`](super::Generation::supply).
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Of [`Job::Predict`].
    Prediction {
        /// The step, from 0.
        step: usize,
        /// 0 with the condition, 1 with what guidance compares it with.
        pass: usize,
        /// The network's output, `[channels, frames, height, width]`.
        values: Vec<f32>,
    },
    /// Of [`Job::Decode`].
    Painting {
        /// The frame, from 0.
        index: usize,
        /// `height * width * 4` RGBA bytes.
        rgba: Vec<u8>,
        /// The frame at the photo's own size, with
        /// [`Generation::at_photo_size`](super::Generation::at_photo_size).
        photo: Option<Picture>,
    },
}
