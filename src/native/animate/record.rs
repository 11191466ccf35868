//! How a clip was made, which its files say: with that, `--resume` keeps no clip of other settings.

use std::io::BufReader;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{
    Args,
    names::{is_gif, name_of},
};
use crate::{
    bundle::{Manifest, sha256},
    gif,
    native::{
        differences::differences,
        whole_file::{open_file, read_file},
    },
    pipeline::Request,
};

/// How a PNG ends: a chunk of no bytes, and its checksum.
const PNG_END: &[u8] = b"\0\0\0\0IEND\xaeB`\x82";
/// PNG's word for a remark.
pub(super) const COMMENT: &str = "Comment";

/// All that makes a clip what it is. Two clips of one record are the same to the bit, on one device.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Record(Value);

/// What all clips of a call share.
pub(super) struct Settings {
    model: String,
    photo_size: Option<u16>,
}

impl Settings {
    /// `manifest` is that of the model as it was stored.
    ///
    /// # Errors
    /// A manifest that is no JSON.
    pub(super) fn new(args: &Args, manifest: &Manifest) -> Result<Self> {
        let model = sha256(&serde_json::to_vec(manifest)?);
        Ok(Self { model, photo_size: args.photo_size })
    }

    /// The record of a clip of a framed picture of this hash, and, for a sentence, of its `vector`'s.
    pub(super) fn record(&self, picture: &str, request: &Request, vector: Option<&String>) -> Record {
        Record(json!({
            "model": self.model,
            "framed_picture": picture,
            "photo_size": self.photo_size,
            "label": request.strengths.to_string(),
            "vector": vector,
            "seed": request.seed,
            "steps": request.steps,
            "guidance": request.guidance,
            "contrast": request.contrast,
            "sampler": request.sampler,
        }))
    }
}

impl Record {
    /// What a file says.
    pub(super) fn text(&self) -> String {
        self.0.to_string()
    }

    /// Lets the clip at `out` stay if all its `frames` were made as this record says.
    ///
    /// # Errors
    /// One that was made otherwise, or is not whole.
    pub(super) fn ensure_kept(&self, out: &Path, frames: usize) -> Result<()> {
        let differences = differences(&read(out).unwrap_or_default(), &self.0);
        ensure!(
            differences.is_empty(),
            "{} was made with other settings: {}; use the same again, or choose another --out",
            out.display(),
            differences.join(", ")
        );
        ensure!(is_whole(out, frames), "{} is damaged; remove it, and it is made again", out.display());
        Ok(())
    }
}

/// Whether `lfdm animate` made the clip at `out`.
///
/// # Errors
/// One that does not say how it was made.
pub(super) fn ensure_ours(out: &Path) -> Result<()> {
    let silent = || format!("{} does not say how it was made; move it away, or choose another --out", out.display());
    read(out).map(drop).with_context(silent)
}

/// Whether no frame of a clip is missing, or the end of its file.
fn is_whole(out: &Path, frames: usize) -> bool {
    if is_gif(out) {
        return read_file(out).is_ok_and(|bytes| bytes.ends_with(b";"));
    }
    let is_frame = |index| read_file(&out.join(name_of(index))).is_ok_and(|bytes| bytes.ends_with(PNG_END));
    (0..frames).all(is_frame)
}

/// What a clip says of itself, if it says anything.
fn read(out: &Path) -> Option<Value> {
    let text = if is_gif(out) {
        gif::comment(&read_file(out).ok()?)?
    } else {
        let frame = open_file(&out.join(name_of(0))).ok()?;
        let picture = png::Decoder::new(BufReader::new(frame)).read_info().ok()?;
        let texts = &picture.info().utf8_text;
        texts.iter().find(|text| text.keyword == COMMENT)?.get_text().ok()?
    };
    serde_json::from_str(&text).ok()
}
