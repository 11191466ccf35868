//! A model as files: `manifest.json` and weight shards, verified before anything is used.
//!
//! The same [`Assembly`] serves a directory and a page that downloads the files. One state dict holds all weights:
//! `generator.*`, `region_predictor.*`, `bg_predictor.*` (stage 1), `denoise_fn.*` (stage 2), `motion.mean`,
//! `motion.std` and `conditions`.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::{
    condition::{Contrast, NEUTRAL, StrengthRange},
    config::LfdmConfig,
    diffusion::Sampler,
    lfae::is_flow_predictor,
    weights::{StateDict, WeightsError},
};

/// The manifest's file name.
pub const MANIFEST: &str = "manifest.json";

/// The one version of the layout that this crate reads and writes.
pub const FORMAT: u32 = 1;

/// A browser compiles a function twice, and a call that has begun in the slow code ends in it: what hashes a whole
/// shard at once would never get into the fast one, and takes twenty times as long.
const HASHED_AT_ONCE: usize = 1 << 16;

/// A bundle that must not be used.
#[derive(Debug, Error)]
pub enum BundleError {
    /// The manifest is no JSON, or lacks a field.
    #[error("{MANIFEST} cannot be read: {0}; it is damaged or belongs to something else, fetch the whole bundle again")]
    Manifest(#[source] serde_json::Error),
    /// The layout has another version.
    #[error(
        "{MANIFEST} has format {found}, this version of lfdm reads format {FORMAT}; export the model again with it"
    )]
    Format {
        /// Version of the manifest.
        found: u64,
    },
    /// The manifest, or what is added to it, makes no sense.
    #[error("{MANIFEST}: {0}")]
    Content(String),
    /// A weight file is not there.
    #[error("{name} is missing; the bundle needs {expected} weight files, fetch it again")]
    MissingFile {
        /// The file.
        name: String,
        /// Weight files of the whole bundle.
        expected: usize,
    },
    /// A weight file has another size.
    #[error(
        "{name} has {found} bytes where {MANIFEST} says {expected}; the download was cut off or the file was changed, \
         fetch it again"
    )]
    Size {
        /// The file.
        name: String,
        /// Bytes according to the manifest.
        expected: usize,
        /// Bytes of the file.
        found: usize,
    },
    /// A weight file has another content.
    #[error(
        "{name} has SHA-256 {found} where {MANIFEST} says {expected}; the file was changed or damaged, fetch it again"
    )]
    Checksum {
        /// The file.
        name: String,
        /// SHA-256 according to the manifest.
        expected: String,
        /// SHA-256 of the file.
        found: String,
    },
    /// A weight file cannot be read.
    #[error("{name}: {source}")]
    Weights {
        /// The file.
        name: String,
        /// What is wrong with it.
        source: WeightsError,
    },
}

/// A model without its weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this layout, [`FORMAT`].
    pub format: u32,
    /// Name of the model.
    pub name: String,
    /// Sizes and options of its networks.
    pub config: LfdmConfig,
    /// Conditions that a video can be made for.
    pub labels: Vec<String>,
    /// Which strengths of the labels it learned from [default: each label alone, as it is]
    #[serde(default, skip_serializing_if = "StrengthRange::is_one_hot")]
    pub strengths: StrengthRange,
    /// Frames per second of the clips it learned from.
    pub fps: f32,
    /// Denoising steps unless the user asks for another number.
    pub default_steps: usize,
    /// Guidance unless the user asks for another strength; 1 adds nothing to the condition itself.
    pub default_guidance: f32,
    /// What guidance exaggerates labels against, unless the user asks for something else [default: the null condition]
    #[serde(default, skip_serializing_if = "Contrast::is_null")]
    pub default_contrast: Contrast,
    /// Licence of the weights and what they were trained on, for people to read.
    pub licence: String,
    /// Program and version that wrote the bundle.
    pub created_with: String,
    /// How the model was trained; free form, for people to read.
    pub training: serde_json::Value,
    /// The weight shards.
    pub files: Vec<WeightFile>,
}

/// The use of a weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Making videos: encoder, decoder, U-Net, and the small tables. This is all that a page downloads.
    Generation,
    /// Estimating the motion between two frames, which training and evaluation need too.
    FlowPrediction,
}

impl Part {
    /// The part that the weight `key` belongs to.
    pub fn of(key: &str) -> Self {
        if is_flow_predictor(key) { Self::FlowPrediction } else { Self::Generation }
    }
}

/// One weight shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightFile {
    /// A plain file name in the manifest's directory.
    pub name: String,
    /// The use of its weights.
    pub part: Part,
    /// Its size.
    pub bytes: usize,
    /// Its hash in lower-case hexadecimal.
    pub sha256: String,
}

/// A verified model, on no device yet.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// All but the weights.
    pub manifest: Manifest,
    /// The weights, under the official keys.
    pub weights: StateDict,
}

impl Manifest {
    /// Reads a manifest and checks all that can be checked without the weights.
    ///
    /// # Errors
    /// [`BundleError`] for another format, a missing field, or values that fit no model.
    pub fn parse(json: &[u8]) -> Result<Self, BundleError> {
        #[derive(Deserialize)]
        struct Version {
            format: u64,
        }
        // Before the rest: another format may have other fields.
        let Version { format } = serde_json::from_slice(json).map_err(BundleError::Manifest)?;
        if format != u64::from(FORMAT) {
            return Err(BundleError::Format { found: format });
        }
        let manifest: Self = serde_json::from_slice(json).map_err(BundleError::Manifest)?;
        manifest.check().map_err(BundleError::Content)?;
        Ok(manifest)
    }

    /// The sampler that the model was trained for.
    pub fn default_sampler(&self) -> Sampler {
        self.config.diffusion.default_sampler()
    }

    /// Whether the values make sense; the error says which does not.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.labels.is_empty() {
            return Err("`labels` is empty, so there is nothing to generate".into());
        }
        if self.files.is_empty() {
            return Err("`files` lists no weights".into());
        }
        if !self.fps.is_finite() || self.fps <= 0.0 {
            return Err(format!("`fps` is {}, not a speed", self.fps));
        }
        self.strengths.check().map_err(|problem| format!("`strengths` {problem}"))?;
        if self.default_contrast == Contrast::Neutral && !self.labels.iter().any(|label| label == NEUTRAL) {
            return Err("`default_contrast` is `neutral`, which is none of the `labels`".into());
        }
        self.config.validate().map_err(|error| error.to_string())?;
        for file in &self.files {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            if file.name.starts_with('.') || file.name.is_empty() || !file.name.chars().all(plain) {
                return Err(format!("`{}` is not a plain file name", file.name));
            }
        }
        Ok(())
    }
}

/// A bundle whose files arrive one by one. Each is verified and read on arrival, and need not be kept.
#[derive(Debug)]
pub struct Assembly {
    manifest: Manifest,
    weights: StateDict,
    arrived: Vec<String>,
}

impl Assembly {
    /// Begins with the bytes of `manifest.json`.
    ///
    /// # Errors
    /// As [`Manifest::parse`].
    pub fn new(manifest: &[u8]) -> Result<Self, BundleError> {
        Ok(Self { manifest: Manifest::parse(manifest)?, weights: StateDict::default(), arrived: Vec::new() })
    }

    /// The manifest that names the files.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Verifies a file that the manifest names and takes its weights.
    ///
    /// # Errors
    /// [`BundleError`] for a name that the manifest lacks, or a file that is not the one it lists.
    pub fn add(&mut self, name: &str, bytes: &[u8]) -> Result<(), BundleError> {
        let Some(file) = self.manifest.files.iter().find(|file| file.name == name) else {
            return Err(BundleError::Content(format!("`{name}` is not among the files of this bundle")));
        };
        file.verify(bytes)?;
        let weights = StateDict::from_safetensors(bytes);
        self.weights.merge(weights.map_err(|source| BundleError::Weights { name: name.to_owned(), source })?);
        self.arrived.push(name.to_owned());
        Ok(())
    }

    /// The bundle, if all files of `parts` have arrived.
    ///
    /// # Errors
    /// [`BundleError::MissingFile`] if one has not.
    pub fn finish(self, parts: &[Part]) -> Result<Bundle, BundleError> {
        let Self { manifest, weights, arrived } = self;
        let missing = |file: &&WeightFile| parts.contains(&file.part) && !arrived.contains(&file.name);
        match manifest.files.iter().find(missing) {
            Some(file) => Err(BundleError::MissingFile { name: file.name.clone(), expected: manifest.files.len() }),
            None => Ok(Bundle { manifest, weights }),
        }
    }
}

impl WeightFile {
    fn verify(&self, bytes: &[u8]) -> Result<(), BundleError> {
        if bytes.len() != self.bytes {
            return Err(BundleError::Size { name: self.name.clone(), expected: self.bytes, found: bytes.len() });
        }
        let found = sha256(bytes);
        if found != self.sha256 {
            return Err(BundleError::Checksum { name: self.name.clone(), expected: self.sha256.clone(), found });
        }
        Ok(())
    }
}

/// SHA-256 in lower-case hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let mut hash = Sha256::new();
    bytes.chunks(HASHED_AT_ONCE).for_each(|part| hash.update(part));
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_that_of_the_whole_wherever_it_is_cut() {
        // The standard's own examples, FIPS 180-2, appendix B.
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(sha256(&vec![b'a'; 1_000_000]), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
        for length in [0, HASHED_AT_ONCE - 1, HASHED_AT_ONCE, HASHED_AT_ONCE + 1, 3 * HASHED_AT_ONCE] {
            let bytes: Vec<u8> = (0..length).map(|index| (index % 251) as u8).collect();
            let whole: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(sha256(&bytes), whole, "{length} bytes");
        }
    }
}
