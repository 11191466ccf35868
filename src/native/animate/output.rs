//! Clips as files: a GIF, or a directory of frames.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::{
    gif,
    native::staging::{Staging, ensure_replaceable, write_file},
    pipeline::{Frame, Picture},
};

/// What the names of frames begin with.
const FRAME: &str = "frame_";

/// Whether a clip can be written to `out`: a GIF, or a directory that holds nothing but frames of an earlier clip.
pub(super) fn check(out: &Path, inputs: &[&Path]) -> Result<()> {
    if is_gif(out) {
        return Ok(());
    }
    ensure!(
        out.extension().is_none() || out.is_dir(),
        "--out {} is neither a .gif nor a directory; name one of the two",
        out.display()
    );
    let is_frame = |name: &str| name.starts_with(FRAME) && name.ends_with(".png");
    ensure_replaceable(out, is_frame, inputs)
}

/// Writes a GIF, or a directory of PNG files, as the name of `out` asks. It has this name only when it is complete.
pub(super) fn write(frames: &[Frame], fps: f32, out: &Path) -> Result<()> {
    if is_gif(out) {
        return write_file(out, &encode_gif(frames, fps)?).with_context(|| cannot_write(out));
    }
    let staging = Staging::beside(out).with_context(|| cannot_write(out))?;
    write_frames(frames, staging.path())?;
    staging.publish().with_context(|| cannot_write(out))
}

pub(super) fn is_gif(out: &Path) -> bool {
    out.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gif"))
}

fn write_frames(frames: &[Frame], dir: &Path) -> Result<()> {
    for (index, frame) in frames.iter().enumerate() {
        let Picture { size: [height, width], rgba } = picture(frame);
        let path = dir.join(format!("{FRAME}{index:03}.png"));
        image::save_buffer(&path, &rgba, width as u32, height as u32, image::ExtendedColorType::Rgba8)
            .with_context(|| cannot_write(&path))?;
    }
    Ok(())
}

fn encode_gif(frames: &[Frame], fps: f32) -> Result<Vec<u8>> {
    let pictures: Vec<Picture> = frames.iter().map(picture).collect();
    let [height, width] = pictures.first().context("the model makes no frames")?.size;
    let pictures: Vec<Vec<u8>> = pictures.into_iter().map(|picture| picture.rgba).collect();
    Ok(gif::encode(&pictures, u16::try_from(width)?, u16::try_from(height)?, fps)?)
}

/// The frame at the photo's size, if the photo was warped, or at the model's.
fn picture(frame: &Frame) -> Picture {
    match &frame.photo {
        Some(photo) => photo.clone(),
        None => Picture { size: frame.size, rgba: frame.rgba.clone() },
    }
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}
