//! Reference latents and motion of clips as a safetensors file, which is written clip by clip and read clip by clip:
//! a large set is larger than memory.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use burn::tensor::TensorData;
use half::f16;
use safetensors::{Dtype, tensor::Metadata};
use serde_json::json;
use tempfile::TempPath;

use crate::native::staging::Making;

/// Bytes of a number.
const HALF: usize = 2;

/// A file that is open for reading.
pub(super) struct MotionFile {
    path: PathBuf,
    file: Mutex<File>,
    latents: Records,
    motions: Records,
}

/// A tensor whose first axis counts records.
#[derive(Debug, Clone)]
pub(super) struct Records {
    /// `[channels, height, width]` of a latent; `[frames, height, width, 3]` of a motion.
    pub(super) shape: Vec<usize>,
    pub(super) count: usize,
    /// Where it begins in the file.
    start: u64,
}

/// A file that is being written: under its own name once it is complete. Motion goes into the file, latents, whose
/// number nobody knows beforehand, into another one beside it.
pub(super) struct MotionWriter {
    path: PathBuf,
    latents: Part,
    motions: Part,
}

/// The records of one tensor, in a file of their own, which goes with them.
struct Part {
    path: TempPath,
    _making: Making,
    file: BufWriter<File>,
    shape: Vec<usize>,
    count: usize,
}

impl MotionWriter {
    /// # Errors
    /// A directory that cannot be written to.
    pub(super) fn create(path: &Path, latent: &[usize], motion: &[usize]) -> Result<Self> {
        let part = |name: &str, shape: &[usize]| Part::create(&path.with_extension(name), shape);
        Ok(Self { path: path.to_owned(), latents: part("latents", latent)?, motions: part("motions", motion)? })
    }

    /// Appends whole latents.
    pub(super) fn push_latents(&mut self, data: &TensorData) -> Result<()> {
        self.latents.push(data)
    }

    /// Appends whole motions.
    pub(super) fn push_motions(&mut self, data: &TensorData) -> Result<()> {
        self.motions.push(data)
    }

    /// Joins the parts under the name of the file, and opens it.
    pub(super) fn finish(self, metadata: serde_json::Value) -> Result<MotionFile> {
        let Self { path, latents, motions } = self;
        let failed = || format!("cannot write {}", path.display());
        let end = latents.bytes();
        let header = json!({
            "__metadata__": metadata,
            "latents": latents.header(0),
            "motions": motions.header(end),
        });
        // Tensors begin at a multiple of eight bytes; spaces after the header count as part of it.
        let mut header = header.to_string().into_bytes();
        header.resize(header.len().next_multiple_of(8), b' ');
        let write = || -> io::Result<()> {
            let partial = TempPath::try_from_path(path.with_extension("partial"))?;
            let _making = Making::at(&partial);
            let mut file = BufWriter::new(File::create(&partial)?);
            file.write_all(&(header.len() as u64).to_le_bytes())?;
            file.write_all(&header)?;
            latents.append_to(&mut file)?;
            motions.append_to(&mut file)?;
            file.into_inner()?.sync_all()?;
            Ok(partial.persist(&path)?)
        };
        write().with_context(failed)?;
        let (file, _) = MotionFile::open(&path).with_context(failed)?;
        Ok(file)
    }
}

impl Part {
    fn create(path: &Path, shape: &[usize]) -> Result<Self> {
        let failed = || format!("cannot write {}", path.display());
        let file = File::create(path).with_context(failed)?;
        let path = TempPath::try_from_path(path).with_context(failed)?;
        Ok(Self { _making: Making::at(&path), path, file: BufWriter::new(file), shape: shape.to_vec(), count: 0 })
    }

    fn push(&mut self, data: &TensorData) -> Result<()> {
        let bytes: Vec<u8> = data.iter::<f32>().flat_map(|value| f16::from_f32(value).to_le_bytes()).collect();
        self.count += bytes.len() / (HALF * self.shape.iter().product::<usize>());
        self.file.write_all(&bytes).with_context(|| format!("cannot write {}", self.path.display()))
    }

    fn bytes(&self) -> usize {
        self.count * HALF * self.shape.iter().product::<usize>()
    }

    fn header(&self, start: usize) -> serde_json::Value {
        let shape: Vec<usize> = [self.count].into_iter().chain(self.shape.iter().copied()).collect();
        json!({ "dtype": "F16", "shape": shape, "data_offsets": [start, start + self.bytes()] })
    }

    /// Moves the records to the end of `file`.
    fn append_to(self, file: &mut impl Write) -> io::Result<()> {
        self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        io::copy(&mut File::open(&self.path)?, file)?;
        Ok(())
    }
}

impl MotionFile {
    /// The file, and what its header says about it.
    ///
    /// # Errors
    /// A file that is missing, or holds something else.
    pub(super) fn open(path: &Path) -> Result<(Self, serde_json::Map<String, serde_json::Value>)> {
        let mut file = File::open(path)?;
        let mut length = [0; 8];
        file.read_exact(&mut length)?;
        let length = usize::try_from(u64::from_le_bytes(length))?;
        let bytes = file.metadata()?.len();
        ensure!(length as u64 <= bytes, "its header is longer than the file");
        let mut header = vec![0; length];
        file.read_exact(&mut header)?;
        let header: Metadata = serde_json::from_slice(&header)?;
        let records = |name: &str| -> Result<Records> {
            let tensor = header.info(name).with_context(|| format!("it has no tensor `{name}`"))?;
            let (count, shape) = tensor.shape.split_first().context("a tensor without axes")?;
            ensure!(tensor.dtype == Dtype::F16, "`{name}` is not in half precision");
            let start = (8 + length + tensor.data_offsets.0) as u64;
            let records = Records { shape: shape.to_vec(), count: *count, start };
            ensure!(records.end() <= bytes, "it was cut off");
            Ok(records)
        };
        let (latents, motions) = (records("latents")?, records("motions")?);
        let text = |(key, value): (&String, &String)| (key.clone(), serde_json::Value::from(value.as_str()));
        let metadata = header.metadata().iter().flatten().map(text).collect();
        Ok((Self { path: path.to_owned(), file: Mutex::new(file), latents, motions }, metadata))
    }

    pub(super) fn latents(&self) -> &Records {
        &self.latents
    }

    pub(super) fn motions(&self) -> &Records {
        &self.motions
    }

    /// One latent.
    ///
    /// # Shapes
    /// - result: `[channels, height, width]`
    pub(super) fn latent(&self, index: usize) -> Result<Vec<f32>> {
        self.read(&self.latents, index)
    }

    /// The motion of one clip.
    ///
    /// # Shapes
    /// - result: `[frames, height, width, 3]`
    pub(super) fn motion(&self, index: usize) -> Result<Vec<f32>> {
        self.read(&self.motions, index)
    }

    fn read(&self, records: &Records, index: usize) -> Result<Vec<f32>> {
        let mut bytes = vec![0; records.bytes()];
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(records.start + (index * records.bytes()) as u64))
            .and_then(|_| file.read_exact(&mut bytes))
            .with_context(|| format!("cannot read {}", self.path.display()))?;
        Ok(bytes.chunks_exact(HALF).map(|half| f16::from_le_bytes([half[0], half[1]]).to_f32()).collect())
    }
}

impl Records {
    /// Bytes of a record.
    fn bytes(&self) -> usize {
        HALF * self.shape.iter().product::<usize>()
    }

    fn end(&self) -> u64 {
        self.start + (self.count * self.bytes()) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::StateDict;

    fn numbers(count: usize, first: f32) -> TensorData {
        TensorData::new((0..count).map(|i| first + i as f32 / 8.0).collect::<Vec<f32>>(), [count])
    }

    #[test]
    fn what_is_written_in_pieces_is_read_in_records_and_is_a_safetensors_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("motion.safetensors");
        let mut writer = MotionWriter::create(&path, &[2, 1, 2], &[3, 1, 1, 3]).unwrap();
        writer.push_motions(&numbers(9, 50.0)).unwrap();
        writer.push_latents(&numbers(8, 0.0)).unwrap();
        writer.push_motions(&numbers(18, 70.0)).unwrap();
        let written = writer.finish(json!({ "key": "a \"quoted\" key" })).unwrap();
        let (read, metadata) = MotionFile::open(&path).unwrap();
        assert_eq!(metadata["key"], "a \"quoted\" key");
        for file in [written, read] {
            assert_eq!([file.latents().count, file.motions().count], [2, 3]);
            assert_eq!(file.latent(1).unwrap(), [0.5, 0.625, 0.75, 0.875]);
            assert_eq!(file.motion(0).unwrap()[..2], [50.0, 50.125]);
            assert_eq!(file.motion(2).unwrap()[8], 72.125);
        }
        let whole = StateDict::from_safetensors(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(whole.get("motions").unwrap().shape().to_vec(), [3, 3, 1, 1, 3]);
        assert_eq!(whole.get("latents").unwrap().iter::<f32>().nth(4), Some(0.5));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "parts are left");
    }

    #[test]
    fn what_is_not_finished_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = MotionWriter::create(&dir.path().join("motion.safetensors"), &[1], &[4]).unwrap();
        writer.push_motions(&numbers(4, 0.0)).unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
        drop(writer);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_that_was_cut_off_is_not_opened() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("motion.safetensors");
        let mut writer = MotionWriter::create(&path, &[1], &[4]).unwrap();
        writer.push_latents(&numbers(1, 0.0)).unwrap();
        writer.push_motions(&numbers(4, 0.0)).unwrap();
        writer.finish(json!({})).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        for length in [0, 7, 20, bytes.len() - 1] {
            std::fs::write(&path, &bytes[..length]).unwrap();
            assert!(MotionFile::open(&path).is_err(), "{length} bytes");
        }
    }
}
