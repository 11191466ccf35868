//! What a generation reports.

/// Result of one unit of work.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The portrait is encoded and the steps are prepared.
    Encoded,
    /// A denoising step is taken.
    Step {
        /// From 0.
        index: usize,
        /// Steps of the whole generation.
        total: usize,
        /// The motion so far, with [`Generation::with_previews`](super::Generation::with_previews).
        preview: Option<Preview>,
    },
    /// A frame is finished.
    Frame(Frame),
    /// The video is complete.
    Done(Timings),
}

/// The motion of all frames as far as it is known after a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// `[height, width]` of the flow grid.
    pub size: [usize; 2],
    /// [`flow_to_rgba`](crate::viz::flow_to_rgba) of each frame in turn: `frames * height * width * 4` RGBA bytes.
    pub flow: Vec<u8>,
}

/// Pixels with their size.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// `[height, width]`
    pub size: [usize; 2],
    /// `height * width * 4` RGBA bytes.
    pub rgba: Vec<u8>,
}

/// A finished frame with its motion. All three pictures have the same size.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// From 0.
    pub index: usize,
    /// Frames of the whole video.
    pub total: usize,
    /// `[height, width]` of the three pictures.
    pub size: [usize; 2],
    /// `height * width * 4` RGBA bytes.
    pub rgba: Vec<u8>,
    /// [`flow_to_rgba`](crate::viz::flow_to_rgba) of the frame's flow.
    pub flow: Vec<u8>,
    /// [`occlusion_to_rgba`](crate::viz::occlusion_to_rgba) of the frame's occlusion.
    pub occlusion: Vec<u8>,
    /// The frame at the photo's own size, with [`Generation::at_photo_size`](super::Generation::at_photo_size).
    pub photo: Option<Picture>,
}

/// Milliseconds by phase.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Timings {
    /// Encoding the portrait.
    pub encode_ms: f64,
    /// All denoising steps.
    pub denoise_ms: f64,
    /// Decoding all frames.
    pub decode_ms: f64,
    /// From the first to the last unit of work, without the pauses between them.
    pub total_ms: f64,
}
