//! Frames as a GIF, the one video format that everything plays.

use std::borrow::Cow;

use gif::{Encoder, EncodingError, Extension, Frame, Repeat};
use thiserror::Error;

/// NeuQuant samples one pixel in this many, 1 to 30.
const SPEED: i32 = 1;

/// Frames from which no GIF can be made.
#[derive(Debug, Error)]
pub enum GifError {
    /// There are no frames, or they have no pixels.
    #[error("there are no frames to write")]
    Empty,
    /// A frame has another number of bytes.
    #[error("frame {index} holds {found} bytes, but {width}x{height} RGBA pixels take {expected}")]
    FrameSize {
        /// The frame, from 0.
        index: usize,
        /// In pixels.
        width: u16,
        /// In pixels.
        height: u16,
        /// Bytes of the frame.
        found: usize,
        /// Bytes of that many RGBA pixels.
        expected: usize,
    },
    /// Too many rows for one palette.
    #[error("{frames} frames of {height} rows are more than the 65535 rows that share one palette; write fewer frames")]
    TooLong {
        /// Number of frames.
        frames: usize,
        /// Rows of each.
        height: u16,
    },
    /// The frame rate is no positive number.
    #[error("{0} frames per second is not a speed; it must be above 0")]
    Speed(f32),
    /// The encoder failed.
    #[error("the GIF could not be encoded: {0}")]
    Encoding(#[from] EncodingError),
}

/// Encodes frames as a GIF that loops forever.
///
/// All frames share one palette: with a palette for each, a still background flickers.
///
/// # Shapes
/// - `frames`: each `height * width * 4` RGBA bytes
/// - `fps`: frames per second; GIF rounds the duration of a frame to 1/100 s
///
/// # Errors
/// [`GifError`] for no frames, frames of different sizes, too many rows, or an impossible frame rate.
pub fn encode(frames: &[Vec<u8>], width: u16, height: u16, fps: f32) -> Result<Vec<u8>, GifError> {
    encode_with_comment(frames, width, height, fps, None)
}

/// The same with a remark, which no program shows.
pub(crate) fn encode_with_comment(
    frames: &[Vec<u8>],
    width: u16,
    height: u16,
    fps: f32,
    comment: Option<&str>,
) -> Result<Vec<u8>, GifError> {
    let area = usize::from(width) * usize::from(height);
    if frames.is_empty() || area == 0 {
        return Err(GifError::Empty);
    }
    if let Some((index, frame)) = frames.iter().enumerate().find(|(_, frame)| frame.len() != area * 4) {
        return Err(GifError::FrameSize { index, width, height, found: frame.len(), expected: area * 4 });
    }
    if fps.is_nan() || fps <= 0.0 {
        return Err(GifError::Speed(fps));
    }
    let rows = u16::try_from(frames.len() * usize::from(height))
        .map_err(|_| GifError::TooLong { frames: frames.len(), height })?;

    // Quantised as one tall picture, then cut again.
    let tall = Frame::from_rgba_speed(width, rows, &mut frames.concat(), SPEED);
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width, height, tall.palette.as_deref().unwrap_or_default())?;
    encoder.set_repeat(Repeat::Infinite)?;
    if let Some(comment) = comment {
        encoder.write_raw_extension(Extension::Comment.into(), &[comment.as_bytes()])?;
    }
    for indices in tall.buffer.chunks_exact(area) {
        encoder.write_frame(&Frame {
            width,
            height,
            delay: (100.0 / fps).round().clamp(1.0, f32::from(u16::MAX)) as u16,
            transparent: tall.transparent,
            buffer: Cow::Borrowed(indices),
            ..Frame::default()
        })?;
    }
    drop(encoder);
    Ok(bytes)
}

/// The remark that a GIF begins with, if it has one: what [`encode_with_comment`] wrote.
#[cfg(feature = "native")]
pub(crate) fn comment(bytes: &[u8]) -> Option<String> {
    const HEADER: usize = 13;
    let flags = *bytes.get(10).filter(|_| bytes.starts_with(b"GIF8"))?;
    let palette = if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
    let mut blocks = bytes.get(HEADER + palette..)?;
    // Extensions are `!`, their kind, and blocks of up to 255 bytes, the last of which is empty.
    while let [b'!', kind, rest @ ..] = blocks {
        let mut content = Vec::new();
        blocks = rest;
        while let Some((&length, rest)) = blocks.split_first() {
            let (block, rest) = rest.split_at_checked(length.into())?;
            content.extend_from_slice(block);
            blocks = rest;
            if length == 0 {
                break;
            }
        }
        if *kind == Extension::Comment as u8 {
            return String::from_utf8(content).ok();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gradient(shift: u8) -> Vec<u8> {
        (0..32 * 24u32).flat_map(|i| [(i % 32 * 4) as u8, (i / 32 * 3) as u8, shift, 255]).collect()
    }

    fn decode(bytes: &[u8]) -> Vec<(u16, Vec<u8>)> {
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        let mut decoder = options.read_info(bytes).unwrap();
        let mut frames = Vec::new();
        while let Some(frame) = decoder.read_next_frame().unwrap() {
            frames.push((frame.delay, frame.buffer.to_vec()));
        }
        frames
    }

    #[test]
    fn frames_survive_within_the_palette_error() {
        let frames: Vec<_> = [0, 30, 60].map(gradient).into();
        let decoded = decode(&encode(&frames, 32, 24, 8.0).unwrap());
        assert_eq!(decoded.len(), 3);
        for ((delay, found), frame) in decoded.iter().zip(&frames) {
            assert_eq!(*delay, 13);
            let error: u32 = found.iter().zip(frame).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
            assert!((error as f32) < 6.0 * frame.len() as f32, "mean error {}", error as f32 / frame.len() as f32);
        }
    }

    #[cfg(feature = "native")]
    #[test]
    fn a_remark_is_kept_and_found_again() {
        let frames = vec![gradient(0); 2];
        for remark in ["", "seed 3", &"né ".repeat(300)] {
            let bytes = encode_with_comment(&frames, 32, 24, 8.0, Some(remark)).unwrap();
            assert_eq!(comment(&bytes).as_deref(), Some(remark));
            assert_eq!(decode(&bytes), decode(&encode(&frames, 32, 24, 8.0).unwrap()));
            (0..bytes.len().min(900)).for_each(|length| drop(comment(&bytes[..length])));
        }
        assert!(comment(&encode(&frames, 32, 24, 8.0).unwrap()).is_none() && comment(b"GIF89a").is_none());
    }

    #[test]
    fn few_colours_are_exact_and_a_still_background_does_not_flicker() {
        let still: Vec<u8> = (0..16 * 16).flat_map(|i| [i as u8, 255 - i as u8, 0, 255]).collect();
        let frames = vec![still.clone(); 4];
        assert!(decode(&encode(&frames, 16, 16, 10.0).unwrap()).iter().all(|(_, frame)| *frame == still));
    }

    #[test]
    fn impossible_requests_are_refused() {
        assert!(matches!(encode(&[], 4, 4, 8.0), Err(GifError::Empty)));
        assert!(matches!(encode(&[vec![0; 10]], 4, 4, 8.0), Err(GifError::FrameSize { index: 0, expected: 64, .. })));
        assert!(matches!(encode(&[vec![0; 64]], 4, 4, 0.0), Err(GifError::Speed(_))));
        assert!(matches!(encode(&[vec![0; 64]], 4, 4, f32::NAN), Err(GifError::Speed(_))));
        assert!(matches!(encode(&vec![vec![0; 4 * 4000]; 20], 1, 4000, 8.0), Err(GifError::TooLong { .. })));
    }
}
