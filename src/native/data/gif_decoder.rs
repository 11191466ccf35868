//! The frames of a GIF, each as it is seen: where a frame is transparent, it shows the one before.

use std::{fs::File, io::BufReader, ops::ControlFlow, path::Path};

use image::{AnimationDecoder, ImageDecoder, codecs::gif::GifDecoder};

use super::media::Visit;
use crate::portrait::MAX_PIXELS;

/// Shows `visit` the frames of a GIF until it breaks off.
pub(super) fn visit(path: &Path, visit: Visit<'_>) -> Result<(), String> {
    let file = File::open(path).map_err(|e| e.to_string())?;
    let decoder = GifDecoder::new(BufReader::new(file)).map_err(|e| e.to_string())?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(format!("is {width}x{height} pixels, more than 100 megapixels"));
    }
    for (index, frame) in decoder.into_frames().enumerate() {
        let damaged = frame.is_err();
        let frame = frame.map(image::Frame::into_buffer).map_err(|e| format!("frame {index}: {e}"));
        // Nothing is known of what comes after a damaged frame.
        if visit(frame) == ControlFlow::Break(()) || damaged {
            break;
        }
    }
    Ok(())
}
