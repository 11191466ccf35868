//! Everything that the program reads from strangers, as tests and fuzzing call it: whatever the bytes are, a reader
//! returns.

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use lfdm::bundle::{Bundle, Manifest};
use lfdm::config::LfdmConfig;
use lfdm::native::bert::TextEncoder;
use lfdm::native::official::parse_yaml;
use lfdm::native::pth::Checkpoint;
use lfdm::native::train::official::OfficialTraining;
use lfdm::pipeline::Animator;
use lfdm::weights::WeightDtype;
use sha2::{Digest, Sha256};

use super::tiny::official::MODEL;

/// Everything in a checkpoint of these bytes, which are written to `path`.
pub(crate) fn checkpoint(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    let Ok(mut checkpoint) = Checkpoint::open(path) else { return };
    for (_, tensor) in checkpoint.tensors().unwrap_or_default() {
        drop(checkpoint.read(&tensor));
    }
}

/// A YAML file, as `lfdm import` and `lfdm train lfae --official-config` read it.
pub(crate) fn yaml(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(yaml) = parse_yaml(text) else { return };
    drop(OfficialTraining::read(&yaml));
    let _ = LfdmConfig::from_official(&yaml, 40).is_ok_and(|config| config.validate().is_ok());
}

/// The text encoder in `dir` with `bytes` in place of a file; says whether it encodes a sentence.
pub(crate) fn text_encoder(dir: &Path, file: &str, bytes: &[u8]) -> bool {
    let original = fs::read(dir.join(file)).unwrap();
    fs::write(dir.join(file), bytes).unwrap();
    let encoder = TextEncoder::open(dir, &Device::flex());
    let encodes = encoder.is_ok_and(|encoder| encoder.encode("Happy, swipe the \u{e9} \u{4e2d}!").is_ok());
    fs::write(dir.join(file), original).unwrap();
    encodes
}

/// A bundle whose shards are exchanged for others.
pub(crate) struct Shards {
    dir: PathBuf,
    manifest: Manifest,
}

impl Shards {
    /// Those of a small model, in `dir`.
    pub(crate) fn write(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), manifest: MODEL.write_dir(dir, WeightDtype::F16).unwrap() }
    }

    /// Each with its name.
    pub(crate) fn read(&self) -> Vec<(String, Vec<u8>)> {
        let read = |name: &String| fs::read(self.dir.join(name)).unwrap();
        self.manifest.files.iter().map(|file| (file.name.clone(), read(&file.name))).collect()
    }

    /// Loads the model with `bytes` in place of a shard. The manifest has the hash of what they are, so that they are
    /// read.
    pub(crate) fn load_with(&self, name: &str, bytes: &[u8]) {
        let original = fs::read(self.dir.join(name)).unwrap();
        fs::write(self.dir.join(name), bytes).unwrap();
        let mut changed = self.manifest.clone();
        for file in changed.files.iter_mut().filter(|file| file.name == name) {
            (file.bytes, file.sha256) = (bytes.len() as _, format!("{:x}", Sha256::digest(bytes)));
        }
        fs::write(self.dir.join("manifest.json"), serde_json::to_vec(&changed).unwrap()).unwrap();
        if let Ok(bundle) = Bundle::open_dir(&self.dir) {
            drop(Animator::load(bundle, &Device::flex()));
        }
        fs::write(self.dir.join(name), original).unwrap();
    }
}
