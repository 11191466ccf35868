//! Bundles as directories: reading them, and writing them all or nothing.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use thiserror::Error;

use super::staging::{Place, ensure_replaceable};
use super::whole_file::read_file;
use crate::{
    bundle::{Assembly, Bundle, BundleError, MANIFEST, Manifest, Part, WeightFile, sha256},
    weights::{StateDict, WeightDtype},
};

/// Static hosts refuse larger files, and a lost connection should not cost more than this.
const MAX_SHARD_BYTES: usize = 24 << 20;

/// A directory that holds no usable bundle, or cannot be written.
#[derive(Debug, Error)]
pub enum BundleDirError {
    /// A file or directory that cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A directory that would be replaced, and that holds more than a bundle.
    #[error("{0}")]
    NotReplaceable(String),
    /// Files that make no bundle.
    #[error(transparent)]
    Bundle(#[from] BundleError),
}

impl BundleDirError {
    fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}

impl Bundle {
    /// Reads a bundle from a directory.
    pub fn open_dir(dir: &Path) -> Result<Self, BundleDirError> {
        Self::open_parts(dir, &[Part::Generation, Part::FlowPrediction])
    }

    /// Reads only `parts` of a bundle.
    pub fn open_parts(dir: &Path, parts: &[Part]) -> Result<Self, BundleDirError> {
        let mut assembly = Assembly::new(&read(dir, MANIFEST)?)?;
        let wanted = |file: &&WeightFile| parts.contains(&file.part) && dir.join(&file.name).exists();
        let files: Vec<String> =
            assembly.manifest().files.iter().filter(wanted).map(|file| file.name.clone()).collect();
        for name in files {
            assembly.add(&name, &read(dir, &name)?)?;
        }
        // A missing file is named here.
        Ok(assembly.finish(parts)?)
    }

    /// Writes the bundle, all or nothing: a bundle that was in `dir` before is replaced at the very end.
    ///
    /// `manifest.files` is filled in here; returns the manifest as written.
    ///
    /// # Errors
    /// A directory that holds anything but a bundle, which stays as it is.
    pub fn write_dir(&self, dir: &Path, dtype: WeightDtype) -> Result<Manifest, BundleDirError> {
        let refused = |error: anyhow::Error| BundleDirError::NotReplaceable(format!("{error:#}"));
        let place = ensure_bundle_replaceable(dir, &[]).map_err(refused)?;
        let staging = place.staging().map_err(BundleDirError::at(dir))?;
        let mut manifest = Manifest { files: Vec::new(), ..self.manifest.clone() };
        for (index, (part, shard)) in split(&self.weights, dtype).into_iter().enumerate() {
            let name = format!("{SHARD}{index}.safetensors");
            let bytes = shard
                .to_safetensors(dtype, None)
                .map_err(|source| BundleError::Weights { name: name.clone(), source })?;
            write(staging.path(), &name, &bytes)?;
            manifest.files.push(WeightFile { name, part, bytes: bytes.len(), sha256: sha256(&bytes) });
        }
        manifest.check().map_err(BundleError::Content)?;
        let json = serde_json::to_vec_pretty(&manifest).map_err(BundleError::Manifest)?;
        write(staging.path(), MANIFEST, &json)?;

        // What was exported must be loadable before it replaces anything.
        Self::open_dir(staging.path())?;
        staging.publish().map_err(BundleDirError::at(dir))?;
        Ok(manifest)
    }
}

/// What the names of shards begin with.
const SHARD: &str = "weights-";

/// Lets a bundle be written to `out`, which was made from `inputs`, if nothing but a bundle is lost by that.
pub(super) fn ensure_bundle_replaceable(out: &Path, inputs: &[&Path]) -> anyhow::Result<Place> {
    // Other programs have files of these names, too: only a manifest of ours says whose they are.
    let is_bundle = has_format(&out.join(MANIFEST));
    ensure_replaceable(out, |name| is_bundle && (name == MANIFEST || is_shard(name)), inputs)
}

/// Whether bundles give this name to a shard.
fn is_shard(name: &str) -> bool {
    let number = name.strip_prefix(SHARD).and_then(|rest| rest.strip_suffix(".safetensors"));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|letter| letter.is_ascii_digit()))
}

/// Whether a manifest is a bundle's, of this version or another.
fn has_format(manifest: &Path) -> bool {
    let manifest: Option<serde_json::Value> =
        read_file(manifest).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    manifest.is_some_and(|manifest| manifest["format"].is_u64() && manifest["files"].is_array())
}

/// How much a written bundle holds, in words.
pub(super) fn summary(manifest: &Manifest) -> String {
    let bytes: usize = manifest.files.iter().map(|file| file.bytes).sum();
    format!("{} files, {:.1} MB", manifest.files.len(), bytes as f64 / 1e6)
}

fn read(dir: &Path, name: &str) -> Result<Vec<u8>, BundleDirError> {
    let path = dir.join(name);
    read_file(&path).map_err(BundleDirError::at(&path))
}

fn write(dir: &Path, name: &str, bytes: &[u8]) -> Result<(), BundleDirError> {
    let path = dir.join(name);
    fs::write(&path, bytes).map_err(BundleDirError::at(&path))
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

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;

    use super::*;
    use crate::{
        bundle::FORMAT,
        condition::{Contrast, StrengthRange},
        config::LfdmConfig,
    };

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
            strengths: StrengthRange::ONE_HOT,
            fps: 8.0,
            default_steps: 10,
            default_guidance: 1.5,
            default_contrast: Contrast::Null,
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
        fs::write(dir.join("weights-9.safetensors"), b"x").unwrap();
        let original = bundle(30);
        let manifest = original.write_dir(&dir, WeightDtype::F16).unwrap();
        let read = Bundle::open_dir(&dir).unwrap();
        assert_eq!(read.manifest, manifest);
        assert_eq!(read.weights.get("conditions"), original.weights.get("conditions"));
        let left: Vec<_> = fs::read_dir(dir.parent().unwrap()).unwrap().collect();
        assert_eq!(left.len(), 1, "temporary directories are left: {left:?}");
        assert!(!dir.join("weights-9.safetensors").exists());
    }

    #[test]
    fn nothing_but_a_bundle_is_replaced() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("extension");
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join(MANIFEST), br#"{"manifest_version": 3}"#).unwrap();
        let message = bundle(10).write_dir(&dir, WeightDtype::F16).unwrap_err().to_string();
        assert!(message.contains("holds manifest.json"), "{message}");
        let weights = parent.path().join("weights");
        fs::create_dir(&weights).unwrap();
        fs::write(weights.join("weights-final.safetensors"), b"years of training").unwrap();
        let message = bundle(10).write_dir(&weights, WeightDtype::F16).unwrap_err().to_string();
        assert!(message.contains("holds weights-final.safetensors"), "{message}");
        assert_eq!(fs::read(weights.join("weights-final.safetensors")).unwrap(), b"years of training");
        let mine = parent.path().join("mine");
        bundle(10).write_dir(&mine, WeightDtype::F16).unwrap();
        fs::write(mine.join("weights-final.safetensors"), b"years of training").unwrap();
        let message = bundle(10).write_dir(&mine, WeightDtype::F16).unwrap_err().to_string();
        assert!(message.contains("holds weights-final.safetensors"), "beside a bundle, too: {message}");
        fs::remove_file(mine.join("weights-final.safetensors")).unwrap();
        fs::write(mine.join("thesis.tex"), b"years of work").unwrap();
        let message = bundle(10).write_dir(&mine, WeightDtype::F16).unwrap_err().to_string();
        assert!(message.contains("holds thesis.tex"), "{message}");
        assert!(mine.join("thesis.tex").exists() && Bundle::open_dir(&mine).is_ok());
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
    fn after(damage: impl Fn(&Path)) -> String {
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
