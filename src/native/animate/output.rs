//! Clips as files: a GIF, or a directory of frames.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

use crate::{
    gif,
    native::staging::Staging,
    pipeline::{Frame, Picture},
};

/// Writes a GIF, or a directory of PNG files, as the name of `out` asks.
pub(super) fn write(frames: &[Frame], fps: f32, out: &Path) -> Result<()> {
    if is_gif(out) {
        return fs::write(out, encode_gif(frames, fps)?).with_context(|| cannot_write(out));
    }
    ensure!(
        out.extension().is_none() || out.is_dir(),
        "--out {} is neither a .gif nor a directory; name one of the two",
        out.display()
    );
    fs::create_dir_all(out).with_context(|| cannot_write(out))?;
    write_frames(frames, out)
}

/// Writes the clip as [`write()`] does, but under its name only when it is complete.
pub(super) fn write_whole(frames: &[Frame], fps: f32, out: &Path) -> Result<()> {
    if !is_gif(out) {
        let staging = Staging::beside(out).with_context(|| cannot_write(out))?;
        write_frames(frames, staging.path())?;
        return staging.publish().with_context(|| cannot_write(out));
    }
    let parent = out.parent().unwrap_or(Path::new("."));
    let partial: PathBuf = out.with_added_extension("part");
    let bytes = encode_gif(frames, fps)?;
    fs::create_dir_all(parent)
        .and_then(|()| fs::write(&partial, bytes))
        .and_then(|()| fs::rename(&partial, out))
        .with_context(|| cannot_write(out))
}

pub(super) fn is_gif(out: &Path) -> bool {
    out.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gif"))
}

fn write_frames(frames: &[Frame], dir: &Path) -> Result<()> {
    for (index, frame) in frames.iter().enumerate() {
        let Picture { size: [height, width], rgba } = picture(frame);
        let path = dir.join(format!("frame_{index:03}.png"));
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
