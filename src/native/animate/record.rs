//! How a clip was made, which its files say: with that, `--resume` keeps no clip of other settings.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{Args, output::is_gif};
use crate::{
    bundle::{Manifest, sha256},
    gif,
    native::differences::differences,
    pipeline::Request,
};

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

    /// Lets the clip at `out` stay if it was made as this record says.
    ///
    /// # Errors
    /// One that was made otherwise, or does not say how.
    pub(super) fn ensure_kept(&self, out: &Path) -> Result<()> {
        let other = "move it away, or choose another --out";
        let then = read(out).with_context(|| {
            format!("{} does not say how it was made, so it cannot be kept; {other}", out.display())
        })?;
        let differences = differences(&then, &self.0);
        ensure!(
            differences.is_empty(),
            "{} was made with other settings: {}; use the same again, {other}",
            out.display(),
            differences.join(", ")
        );
        Ok(())
    }
}

/// What a clip says of itself, if it says anything.
fn read(out: &Path) -> Option<Value> {
    let text = if is_gif(out) {
        gif::comment(&fs::read(out).ok()?)?
    } else {
        let frame = out.join(super::output::first_frame());
        let picture = png::Decoder::new(BufReader::new(File::open(frame).ok()?)).read_info().ok()?;
        let texts = &picture.info().utf8_text;
        texts.iter().find(|text| text.keyword == COMMENT)?.get_text().ok()?
    };
    serde_json::from_str(&text).ok()
}
