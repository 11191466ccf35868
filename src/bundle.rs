//! A model as files: `manifest.json` and weight shards, verified before anything is used.
//!
//! The same [`Assembly`] serves a directory and a page that downloads the files. One state dict holds it all:
//! `generator.*`, `region_predictor.*`, `bg_predictor.*` (stage 1), `denoise_fn.*` (stage 2), `motion.mean`, `motion.std` and
//! `conditions`.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::{
    config::LfdmConfig,
    diffusion::Sampler,
    lfae::is_flow_predictor,
    weights::{StateDict, WeightsError},
};

/// The manifest's file name.
pub const MANIFEST: &str = "manifest.json";

/// The one version of the layout that this crate reads and writes.
pub const FORMAT: u32 = 1;

/// Static hosts refuse larger files, and a lost connection should not cost more than this.
pub const MAX_SHARD_BYTES: usize = 24 << 20;

/// A bundle that must not be used.
#[derive(Debug, Error)]
pub enum BundleError {
    #[error("{MANIFEST} cannot be read: {0}; it is damaged or belongs to something else, fetch the whole bundle again")]
    Manifest(#[source] serde_json::Error),
    #[error(
        "{MANIFEST} has format {found}, this version of lfdm reads format {FORMAT}; export the model again with it"
    )]
    Format { found: u64 },
    #[error("{MANIFEST}: {0}")]
    Content(String),
    #[error("{name} is missing; the bundle needs {expected} weight files, fetch it again")]
    MissingFile { name: String, expected: usize },
    #[error(
        "{name} has {found} bytes where {MANIFEST} says {expected}; the download was cut off or the file was changed, fetch it again"
    )]
    Size { name: String, expected: usize, found: usize },
    #[error(
        "{name} has SHA-256 {found} where {MANIFEST} says {expected}; the file was changed or damaged, fetch it again"
    )]
    Checksum { name: String, expected: String, found: String },
    #[error("{name}: {source}")]
    Weights { name: String, source: WeightsError },
    #[cfg(feature = "native")]
    #[error("{}: {source}", path.display())]
    Io { path: std::path::PathBuf, source: std::io::Error },
}

/// What a model is, without its weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this layout, [`FORMAT`].
    pub format: u32,
    pub name: String,
    pub config: LfdmConfig,
    /// Conditions that a video can be made for.
    pub labels: Vec<String>,
    /// Frames per second at which the clips were made.
    pub fps: f32,
    pub default_steps: usize,
    pub default_guidance: f32,
    /// Licence of the weights and what they were trained on, for people to read.
    pub licence: String,
    /// Program and version that wrote the bundle.
    pub created_with: String,
    /// How the model was trained; free form, for people to read.
    #[serde(default)]
    pub training: serde_json::Value,
    pub files: Vec<WeightFile>,
}

/// What weights are needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Making videos: encoder, decoder, U-Net, and the small tables. All that a page downloads.
    #[default]
    Generation,
    /// Finding the motion between two frames: what training and evaluation need beside it.
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
    /// A plain file name beside the manifest.
    pub name: String,
    #[serde(default)]
    pub part: Part,
    pub bytes: usize,
    /// Lower-case hexadecimal.
    pub sha256: String,
}

/// A verified model, on no device yet.
#[derive(Debug, Clone)]
pub struct Bundle {
    pub manifest: Manifest,
    pub weights: StateDict,
}

impl Manifest {
    /// Reads a manifest and checks all that can be checked without the weights.
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

    fn check(&self) -> Result<(), String> {
        if self.labels.is_empty() {
            return Err("`labels` is empty, so there is nothing to generate".into());
        }
        if self.files.is_empty() {
            return Err("`files` lists no weights".into());
        }
        if !self.fps.is_finite() || self.fps <= 0.0 {
            return Err(format!("`fps` is {}, not a speed", self.fps));
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

/// A bundle whose files arrive one by one; each is checked and read when it comes, and need not be kept.
#[derive(Debug)]
pub struct Assembly {
    manifest: Manifest,
    weights: StateDict,
    arrived: Vec<String>,
}

impl Assembly {
    pub fn new(manifest: &[u8]) -> Result<Self, BundleError> {
        Ok(Self { manifest: Manifest::parse(manifest)?, weights: StateDict::default(), arrived: Vec::new() })
    }

    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Takes in a file that the manifest names.
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

    /// The bundle, if all files of `parts` are there.
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
    #[cfg(feature = "native")]
    fn describe(name: String, part: Part, bytes: &[u8]) -> Self {
        Self { name, part, bytes: bytes.len(), sha256: sha256(bytes) }
    }

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

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(feature = "native")]
mod directory {
    use std::{fs, path::Path};

    use super::{Assembly, Bundle, BundleError, MANIFEST, MAX_SHARD_BYTES, Manifest, Part, WeightFile};
    use crate::native::staging::Staging;
    use crate::weights::{StateDict, WeightDtype};

    impl Bundle {
        /// Reads a bundle from a directory.
        pub fn open_dir(dir: &Path) -> Result<Self, BundleError> {
            Self::open_parts(dir, &[Part::Generation, Part::FlowPrediction])
        }

        /// Reads only `parts` of a bundle.
        pub fn open_parts(dir: &Path, parts: &[Part]) -> Result<Self, BundleError> {
            let mut assembly = Assembly::new(&read(dir, MANIFEST)?)?;
            let wanted = |file: &&WeightFile| parts.contains(&file.part) && dir.join(&file.name).exists();
            let files: Vec<String> =
                assembly.manifest().files.iter().filter(wanted).map(|file| file.name.clone()).collect();
            for name in files {
                assembly.add(&name, &read(dir, &name)?)?;
            }
            // A missing file is named here.
            assembly.finish(parts)
        }

        /// Writes the bundle, all or nothing: what was in `dir` before is replaced at the very end.
        ///
        /// `manifest.files` is filled in here; returns the manifest as written.
        pub fn write_dir(&self, dir: &Path, dtype: WeightDtype) -> Result<Manifest, BundleError> {
            let io = |path: &Path| {
                let path = path.to_owned();
                move |source| BundleError::Io { path, source }
            };
            let staging = Staging::beside(dir).map_err(io(dir))?;
            let mut manifest = Manifest { files: Vec::new(), ..self.manifest.clone() };
            for (index, (part, shard)) in split(&self.weights, dtype).into_iter().enumerate() {
                let name = format!("weights-{index}.safetensors");
                let bytes = shard
                    .to_safetensors(dtype, None)
                    .map_err(|source| BundleError::Weights { name: name.clone(), source })?;
                let path = staging.path().join(&name);
                fs::write(&path, &bytes).map_err(io(&path))?;
                manifest.files.push(WeightFile::describe(name, part, &bytes));
            }
            manifest.check().map_err(BundleError::Content)?;
            let json = serde_json::to_vec_pretty(&manifest).map_err(BundleError::Manifest)?;
            let path = staging.path().join(MANIFEST);
            fs::write(&path, json).map_err(io(&path))?;

            // What was exported must be loadable before it replaces anything.
            Self::open_dir(staging.path())?;
            staging.publish().map_err(io(dir))?;
            Ok(manifest)
        }
    }

    fn read(dir: &Path, name: &str) -> Result<Vec<u8>, BundleError> {
        let path = dir.join(name);
        fs::read(&path).map_err(|source| BundleError::Io { path, source })
    }

    /// Shards of one part each and of at most [`MAX_SHARD_BYTES`], as long as no single tensor is larger.
    fn split(weights: &StateDict, dtype: WeightDtype) -> Vec<(Part, StateDict)> {
        // A header entry: key, type, shape, offsets.
        const HEADER_BYTES: usize = 256;
        let mut shards: Vec<(Part, StateDict)> = Vec::new();
        for part in [Part::Generation, Part::FlowPrediction] {
            let mut filled = MAX_SHARD_BYTES;
            for (key, data) in weights.iter().filter(|(key, _)| Part::of(key) == part) {
                let bytes = data.num_elements() * dtype.size() + HEADER_BYTES;
                if filled + bytes > MAX_SHARD_BYTES {
                    shards.push((part, StateDict::default()));
                    filled = 0;
                }
                filled += bytes;
                if let Some((_, shard)) = shards.last_mut() {
                    shard.insert(key, data.clone());
                }
            }
        }
        shards
    }
}

#[cfg(all(test, feature = "native"))]
mod tests {
    use std::fs;

    use burn::tensor::TensorData;

    use super::*;
    use crate::weights::WeightDtype;

    fn bundle(numbers: usize) -> Bundle {
        let mut weights = StateDict::default();
        for key in ["generator.a.weight", "denoise_fn.b.weight", "conditions"] {
            let values: Vec<f32> = (0..numbers).map(|i| (i % 100) as f32 / 8.0).collect();
            weights.insert(key, TensorData::new(values, [numbers]));
        }
        let manifest = Manifest {
            format: FORMAT,
            name: "test".into(),
            config: LfdmConfig::faces_64(2),
            labels: vec!["calm".into(), "joy".into()],
            fps: 8.0,
            default_steps: 10,
            default_guidance: 1.5,
            licence: "CC0-1.0".into(),
            created_with: "test".into(),
            training: serde_json::Value::Null,
            files: Vec::new(),
        };
        Bundle { manifest, weights }
    }

    #[test]
    fn a_bundle_survives_the_round_trip_and_replaces_the_old_one() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("models/test");
        bundle(10).write_dir(&dir, WeightDtype::F16).unwrap();
        fs::write(dir.join("stale"), b"x").unwrap();
        let original = bundle(30);
        let manifest = original.write_dir(&dir, WeightDtype::F16).unwrap();
        let read = Bundle::open_dir(&dir).unwrap();
        assert_eq!(read.manifest, manifest);
        assert_eq!(read.weights.get("conditions"), original.weights.get("conditions"));
        let left: Vec<_> = fs::read_dir(dir.parent().unwrap()).unwrap().collect();
        assert_eq!(left.len(), 1, "temporary directories are left: {left:?}");
        assert!(!dir.join("stale").exists());
    }

    #[test]
    fn large_weights_are_split() {
        let parent = tempfile::tempdir().unwrap();
        let original = bundle(5 << 20);
        let manifest = original.write_dir(&parent.path().join("large"), WeightDtype::F16).unwrap();
        assert_eq!(manifest.files.len(), 2);
        assert!(manifest.files.iter().all(|file| file.bytes <= MAX_SHARD_BYTES));
        assert_eq!(Bundle::open_dir(&parent.path().join("large")).unwrap().weights.len(), 3);
    }

    /// The message of loading a bundle after `damage`.
    fn after(damage: impl Fn(&std::path::Path)) -> String {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("test");
        bundle(10).write_dir(&dir, WeightDtype::F16).unwrap();
        damage(&dir);
        Bundle::open_dir(&dir).unwrap_err().to_string()
    }

    #[test]
    fn every_damage_is_found_and_named() {
        let weights = "weights-0.safetensors";
        let message = after(|dir| fs::remove_file(dir.join(weights)).unwrap());
        assert!(message.contains("weights-0.safetensors is missing"), "{message}");

        let message = after(|dir| {
            let bytes = fs::read(dir.join(weights)).unwrap();
            fs::write(dir.join(weights), &bytes[..bytes.len() - 1]).unwrap();
        });
        assert!(message.contains(weights) && message.contains("cut off"), "{message}");

        let message = after(|dir| {
            let mut bytes = fs::read(dir.join(weights)).unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            fs::write(dir.join(weights), bytes).unwrap();
        });
        assert!(message.contains(weights) && message.contains("SHA-256"), "{message}");

        let edit = |from: &'static str, to: &'static str| {
            after(move |dir| {
                let text = fs::read_to_string(dir.join(MANIFEST)).unwrap();
                assert!(text.contains(from), "{text}");
                fs::write(dir.join(MANIFEST), text.replace(from, to)).unwrap();
            })
        };
        assert!(edit("\"format\": 1", "\"format\": 2").contains("reads format 1"));
        assert!(edit(weights, "../escape").contains("not a plain file name"));
        assert!(edit("\"fps\": 8.0", "\"fps\": 0.0").contains("`fps`"));
        assert!(edit("{", "").contains(MANIFEST));
        assert!(after(|dir| fs::remove_file(dir.join(MANIFEST)).unwrap()).contains(MANIFEST));
    }
}
