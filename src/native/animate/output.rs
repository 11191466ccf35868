//! Clips as files: a GIF, or a directory of frames.

use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::names::{FRAME, is_gif, name_of};
use super::record::{COMMENT, Record};
use crate::{
    gif,
    native::{
        staging::{Place, ensure_no_input, ensure_replaceable, ensure_writable, write_file},
        whole_file::open_file,
    },
    pipeline::{Frame, Picture},
};

/// PNG's word for the program that wrote a picture, and ours.
const WRITTEN_BY: [&str; 2] = ["Software", "lfdm"];

/// Where a clip goes.
#[derive(Debug, Clone)]
pub(super) enum Target {
    /// A file, which is replaced.
    Gif(PathBuf),
    /// A directory.
    Frames(Place),
}

impl Target {
    /// A new clip at `out`, where nothing is.
    pub(super) fn new(out: &Path) -> Result<Self> {
        Ok(if is_gif(out) { Self::Gif(out.to_owned()) } else { Self::Frames(Place::of(out)?) })
    }
}

/// Whether a clip can be written to `out`: a GIF that is no input, or a directory that holds nothing but frames of an
/// earlier clip.
///
/// # Errors
/// A place that cannot be written to, or that holds something else.
pub(super) fn check(out: &Path, inputs: &[&Path]) -> Result<Target> {
    if is_gif(out) {
        ensure_no_input(out, inputs)?;
        ensure_writable(out).with_context(|| cannot_write(out))?;
        return Ok(Target::Gif(out.to_owned()));
    }
    ensure!(
        out.extension().is_none() || out.is_dir(),
        "--out {} is neither a .gif nor a directory; name one of the two",
        out.display()
    );
    let place = ensure_replaceable(out, |name| is_frame(&out.join(name), name), inputs)?;
    place.ensure_writable().with_context(|| cannot_write(out))?;
    Ok(Target::Frames(place))
}

/// Lets a clip be written to `out`, where nothing is yet, or one of ours.
///
/// # Errors
/// A place that cannot be written to.
pub(super) fn ensure_writable_at(out: &Path) -> Result<()> {
    ensure_writable(&out.with_extension("gif")).with_context(|| cannot_write(out))
}

/// Whether `path` is a frame of an earlier clip. Other programs give such names, too, so the picture must say it.
fn is_frame(path: &Path, name: &str) -> bool {
    if !(name.starts_with(FRAME) && name.ends_with(".png")) {
        return false;
    }
    open_file(path).is_ok_and(|file| {
        png::Decoder::new(BufReader::new(file)).read_info().is_ok_and(|picture| {
            let texts = &picture.info().uncompressed_latin1_text;
            texts.iter().any(|text| [&*text.keyword, &*text.text] == WRITTEN_BY)
        })
    })
}

/// Writes a GIF, or a directory of PNG files. It has its name, `out`, only when it is complete.
pub(super) fn write(frames: &[Frame], fps: f32, record: &Record, target: Target, out: &Path) -> Result<()> {
    let failed = || cannot_write(out);
    match target {
        Target::Gif(out) => write_file(&out, &encode_gif(frames, fps, record)?).with_context(failed),
        Target::Frames(place) => {
            let staging = place.staging().with_context(failed)?;
            write_frames(frames, record, staging.path()).with_context(failed)?;
            staging.publish().with_context(failed)
        }
    }
}

fn write_frames(frames: &[Frame], record: &Record, dir: &Path) -> Result<()> {
    for (index, frame) in frames.iter().enumerate() {
        let Picture { size: [height, width], rgba } = picture(frame);
        let path = dir.join(name_of(index));
        let bytes = encode_png(&rgba, [width as u32, height as u32], record)?;
        fs::write(path, bytes)?;
    }
    Ok(())
}

/// A picture that says who wrote it, and how.
fn encode_png(rgba: &[u8], [width, height]: [u32; 2], record: &Record) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    let [keyword, program] = WRITTEN_BY.map(str::to_owned);
    encoder.add_text_chunk(keyword, program)?;
    encoder.add_itxt_chunk(COMMENT.to_owned(), record.text())?;
    let mut writer = encoder.write_header()?;
    writer.write_image_data(rgba)?;
    writer.finish()?;
    Ok(bytes)
}

fn encode_gif(frames: &[Frame], fps: f32, record: &Record) -> Result<Vec<u8>> {
    let pictures: Vec<Picture> = frames.iter().map(picture).collect();
    let [height, width] = pictures.first().context("the model makes no frames")?.size;
    let pictures: Vec<Vec<u8>> = pictures.into_iter().map(|picture| picture.rgba).collect();
    let (width, height) = (u16::try_from(width)?, u16::try_from(height)?);
    Ok(gif::encode_with_comment(&pictures, width, height, fps, Some(&record.text()))?)
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
