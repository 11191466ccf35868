//! Clips as files: a GIF, or a directory of frames.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::record::{COMMENT, Record};
use crate::{
    gif,
    native::staging::{Staging, ensure_no_input, ensure_replaceable, write_file},
    pipeline::{Frame, Picture},
};

/// What the names of frames begin with.
const FRAME: &str = "frame_";
/// PNG's word for the program that wrote a picture, and ours.
const WRITTEN_BY: [&str; 2] = ["Software", "lfdm"];

/// Whether a clip can be written to `out`: a GIF that is no input, or a directory that holds nothing but frames of an
/// earlier clip.
pub(super) fn check(out: &Path, inputs: &[&Path]) -> Result<()> {
    if is_gif(out) {
        return ensure_no_input(out, inputs);
    }
    ensure!(
        out.extension().is_none() || out.is_dir(),
        "--out {} is neither a .gif nor a directory; name one of the two",
        out.display()
    );
    ensure_replaceable(out, |name| is_frame(&out.join(name), name), inputs)
}

/// Whether `path` is a frame of an earlier clip. Other programs give such names, too, so the picture must say it.
fn is_frame(path: &Path, name: &str) -> bool {
    let Ok(file) = File::open(path) else { return false };
    name.starts_with(FRAME)
        && name.ends_with(".png")
        && png::Decoder::new(BufReader::new(file)).read_info().is_ok_and(|picture| {
            let texts = &picture.info().uncompressed_latin1_text;
            texts.iter().any(|text| [&*text.keyword, &*text.text] == WRITTEN_BY)
        })
}

/// Writes a GIF, or a directory of PNG files, as the name of `out` asks. It has this name only when it is complete.
pub(super) fn write(frames: &[Frame], fps: f32, record: &Record, out: &Path) -> Result<()> {
    if is_gif(out) {
        return write_file(out, &encode_gif(frames, fps, record)?).with_context(|| cannot_write(out));
    }
    let staging = Staging::beside(out).with_context(|| cannot_write(out))?;
    write_frames(frames, record, staging.path())?;
    staging.publish().with_context(|| cannot_write(out))
}

pub(super) fn is_gif(out: &Path) -> bool {
    out.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gif"))
}

/// The file of the first frame.
pub(super) fn first_frame() -> String {
    name_of(0)
}

fn name_of(index: usize) -> String {
    format!("{FRAME}{index:03}.png")
}

fn write_frames(frames: &[Frame], record: &Record, dir: &Path) -> Result<()> {
    for (index, frame) in frames.iter().enumerate() {
        let Picture { size: [height, width], rgba } = picture(frame);
        let path = dir.join(name_of(index));
        let bytes = encode_png(&rgba, [width as u32, height as u32], record)?;
        fs::write(&path, bytes).with_context(|| cannot_write(&path))?;
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
