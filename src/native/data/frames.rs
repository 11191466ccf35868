//! The frames of a clip on disk, one after the other.

use std::ops::ControlFlow;

use super::{
    ffmpeg, gif_decoder,
    media::{Media, Visit},
};
use crate::native::image_file;

/// Shows `visit` the frames of a clip until it breaks off.
///
/// # Errors
/// A GIF or a video that cannot be read at all.
pub(super) fn visit(media: &Media, visit: Visit<'_>) -> Result<(), String> {
    match media {
        Media::Frames(dir, names) => {
            for name in names {
                let frame = image_file::read(&dir.join(name)).map(image::DynamicImage::into_rgba8);
                if visit(frame.map_err(|e| e.to_string())) == ControlFlow::Break(()) {
                    break;
                }
            }
            Ok(())
        }
        Media::Gif(path) => gif_decoder::visit(path, &mut |frame| {
            visit(frame.map_err(|problem| format!("{}: {problem}", path.display())))
        }),
        Media::Video(path) => ffmpeg::visit(path, visit),
    }
}
