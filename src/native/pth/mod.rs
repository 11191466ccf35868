//! PyTorch checkpoints, `.pth`: state dicts in, state dicts out, and no Python in between.
//!
//! [`Checkpoint`] reads what `torch.save` has written since 1.6 (a zip archive of one pickle and a file per storage)
//! and what it wrote before (five pickles in a row, then the storages). Other crates that read such files turn code
//! that they do not know into placeholders; and two parsers on one file, one of them for safety, may disagree. So the
//! reader here is our own: a pickle machine that knows a few names (`pickle`) and refuses all others.

mod container;
mod error;
mod op;
mod pickle;
mod write;

use std::path::{Path, PathBuf};

use burn::tensor::TensorData;

use container::Storages;
use error::at;
use pickle::{Pickle, Value};

pub use error::{Problem, PthError};
pub use pickle::TensorRef;
pub use write::{Entry, write};

/// An open checkpoint. Its tensors are read one by one, so optimiser states cost nothing.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    pickle: Pickle,
    storages: Storages,
}

impl Checkpoint {
    /// Reads what is in the file and where, but no tensor yet.
    ///
    /// # Errors
    /// The file is damaged, of another kind, or asks for code.
    pub fn open(path: &Path) -> Result<Self, PthError> {
        let (pickle, storages) = container::open(path).map_err(at(path))?;
        Ok(Self { path: path.to_owned(), pickle, storages })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Every tensor in the nested dicts, under the keys of the dicts joined by dots.
    ///
    /// # Errors
    /// The checkpoint is not a dict, or its dicts are nested without end.
    pub fn tensors(&self) -> Result<Vec<(String, TensorRef)>, PthError> {
        /// The official files have 4 dicts around a tensor, and some thousand entries.
        const MAX_DEPTH: usize = 32;
        const MAX_ENTRIES: usize = 1 << 18;
        /// Bytes of all keys together.
        const MAX_KEYS: usize = 64 << 20;
        let endless = || at(&self.path)(Problem::Foreign("its dicts contain each other, or have no end".into()));
        let Value::Dict(root) = self.pickle.root else {
            let problem = Problem::Foreign("it is not a dict of state dicts".into());
            return Err(at(&self.path)(problem));
        };
        let mut tensors = Vec::new();
        let mut dicts = vec![(String::new(), root, 1)];
        let (mut entries, mut bytes) = (0, 0);
        while let Some((prefix, dict, depth)) = dicts.pop() {
            for pair in self.pickle.items(dict).chunks_exact(2) {
                let Value::Text(key) = &pair[0] else { continue };
                entries += 1;
                bytes += prefix.len() + key.len() + 1;
                if entries > MAX_ENTRIES || bytes > MAX_KEYS {
                    return Err(endless());
                }
                let key = if prefix.is_empty() { key.to_string() } else { format!("{prefix}.{key}") };
                match &pair[1] {
                    Value::Tensor(tensor) => tensors.push((key, TensorRef::clone(tensor))),
                    Value::Dict(_) if depth == MAX_DEPTH => return Err(endless()),
                    Value::Dict(inner) => dicts.push((key, *inner, depth + 1)),
                    _ => {}
                }
            }
        }
        Ok(tensors)
    }

    /// The values of a tensor as f32; `None` if they are whole numbers.
    ///
    /// # Errors
    /// The file is damaged.
    pub fn read(&mut self, tensor: &TensorRef) -> Result<Option<TensorData>, PthError> {
        self.storages.read(tensor).map_err(at(&self.path))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;

    use super::*;

    const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/pth");

    fn fixture(name: &str) -> PathBuf {
        Path::new(FIXTURES).join(name)
    }

    /// Shape and values of every tensor; none for whole numbers.
    type Values = BTreeMap<String, Option<(Vec<usize>, Vec<f32>)>>;

    fn values(path: &Path) -> Values {
        let mut checkpoint = Checkpoint::open(path).unwrap();
        let tensors = checkpoint.tensors().unwrap();
        let mut read = |(key, tensor)| {
            let data = checkpoint.read(&tensor).unwrap();
            (key, data.map(|data| (data.shape().to_vec(), data.iter::<f32>().collect())))
        };
        tensors.into_iter().map(&mut read).collect()
    }

    /// The message of a copy of the fixture after `damage`.
    fn after(name: &str, damage: impl Fn(&mut Vec<u8>)) -> String {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        let mut bytes = fs::read(fixture(name)).unwrap();
        damage(&mut bytes);
        fs::write(&path, bytes).unwrap();
        let error = Checkpoint::open(&path).and_then(|mut checkpoint| {
            checkpoint.tensors()?.iter().try_for_each(|(_, tensor)| checkpoint.read(tensor).map(drop))
        });
        error.expect_err("the damage was not noticed").to_string()
    }

    #[test]
    fn both_formats_of_pytorch_hold_the_same() {
        let ramp = |n: usize| (0..n).map(|i| i as f32).collect::<Vec<_>>();
        let transposed = vec![0.0, 3.0, 1.0, 4.0, 2.0, 5.0];
        for name in ["zip.pth", "zip_protocol_4.pth", "legacy.pth"] {
            let read = values(&fixture(name));
            let expect = |key: &str, shape: &[usize], values: &[f32]| {
                assert_eq!(read[key], Some((shape.to_vec(), values.to_vec())), "{name}: {key}");
            };
            expect("net.weight", &[2, 3], &ramp(6));
            expect("net.transposed", &[3, 2], &transposed);
            expect("net.tail", &[2], &[4.0, 5.0]);
            expect("net.scalar", &[], &[2.5]);
            expect("net.empty", &[0, 4], &[]);
            expect("net.parameter", &[2], &[0.5, -0.5]);
            expect("net.half", &[2], &[1.5, -0.25]);
            expect("net.bfloat", &[2], &[1.5, -0.25]);
            expect("net.double", &[2], &[1.5, -0.25]);
            assert_eq!(read["net.count"], None, "whole numbers are not weights");
            assert_eq!(read.len(), 10, "{name}: {:?}", read.keys());
        }
    }

    #[test]
    fn optimiser_states_do_no_harm() {
        let read = values(&fixture("optimizer.pth"));
        assert_eq!(read.keys().collect::<Vec<_>>(), ["net.bias", "net.weight"]);
    }

    #[test]
    fn code_is_refused_by_its_name() {
        for name in ["malicious.pth", "malicious_legacy.pth"] {
            let message = Checkpoint::open(&fixture(name)).unwrap_err().to_string();
            assert!(message.contains(name) && message.contains("`posix.system`"), "{message}");
        }
    }

    #[test]
    fn truncated_files_are_refused_at_every_length() {
        for name in ["zip.pth", "legacy.pth"] {
            let whole = fs::metadata(fixture(name)).unwrap().len() as usize;
            for length in (0..whole).step_by(7).chain([whole - 1]) {
                let message = after(name, |bytes| bytes.truncate(length));
                assert!(message.contains(name) && message.contains("damaged"), "{length}: {message}");
            }
        }
    }

    #[test]
    fn changed_bytes_are_noticed_or_harmless() {
        let position = |bytes: &[u8]| bytes.windows(4).position(|window| window == 5f32.to_le_bytes()).unwrap();
        let message = after("zip.pth", |bytes| {
            let place = position(bytes);
            bytes[place] ^= 1;
        });
        assert!(message.contains("damaged") && message.contains("data/"), "{message}");

        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("changed.pth");
        for name in ["zip.pth", "legacy.pth"] {
            let whole = fs::read(fixture(name)).unwrap();
            for place in (0..whole.len()).step_by(3) {
                let mut bytes = whole.clone();
                bytes[place] ^= 0x55;
                fs::write(&path, bytes).unwrap();
                if let Ok(mut checkpoint) = Checkpoint::open(&path) {
                    for (_, tensor) in checkpoint.tensors().into_iter().flatten() {
                        drop(checkpoint.read(&tensor));
                    }
                }
            }
        }
    }

    #[test]
    fn other_files_are_told_apart() {
        assert!(after("zip.pth", |bytes| *bytes = b"hello, this is text".to_vec()).contains("not a checkpoint"));
        assert!(after("zip.pth", |bytes| *bytes = b"\x80\x02]q\x00.".to_vec()).contains("not a checkpoint"));
        let absent = Checkpoint::open(Path::new("absent.pth")).unwrap_err().to_string();
        assert!(absent.starts_with("absent.pth cannot be read"), "{absent}");
    }

    #[test]
    fn what_is_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("written.pth");
        let weight = TensorData::new((0..300).map(|i| i as f32 / 7.0).collect::<Vec<_>>(), [3, 100]);
        let tensors = vec![
            ("weight".to_owned(), weight.clone()),
            ("empty".to_owned(), TensorData::new(Vec::<f32>::new(), [0])),
            ("count".to_owned(), TensorData::new(vec![3i64], Vec::<usize>::new())),
        ];
        write(&path, &[("epoch", Entry::Int(70_000)), ("net", Entry::Tensors(tensors))]).unwrap();
        let read = values(&path);
        assert_eq!(read["net.weight"], Some((vec![3, 100], weight.iter::<f32>().collect())));
        assert_eq!(read["net.empty"], Some((vec![0], vec![])));
        assert_eq!(read["net.count"], None);
    }

    /// A file in PyTorch's older format around the pickle of a checkpoint.
    fn legacy(dir: &Path, checkpoint: &[u8]) -> PathBuf {
        let path = dir.join("endless.pth");
        let start = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\
            \x80\x02}X\x0d\0\0\0little_endian\x88s.";
        fs::write(&path, [&start[..], checkpoint, b"\x80\x02]."].concat()).unwrap();
        path
    }

    #[test]
    fn dicts_without_end_are_refused_before_they_fill_the_memory() {
        let dir = tempfile::tempdir().unwrap();
        // A dict that holds itself a hundred times, and a chain of dicts that each hold the next one twice.
        let mut itself = b"\x80\x02}q\0(".to_vec();
        let mut chain = b"\x80\x02}q\0".to_vec();
        for index in 0..100u8 {
            itself.extend([b'X', 1, 0, 0, 0, index % 128, b'h', 0]);
            if index > 0 {
                chain.extend([b'}', b'q', index, b'(', b'X', 1, 0, 0, 0, b'a', b'h', index - 1]);
                chain.extend([b'X', 1, 0, 0, 0, b'b', b'h', index - 1, b'u']);
            }
        }
        itself.extend(b"u.");
        chain.extend(b".");
        for pickle in [itself, chain] {
            let since = std::time::Instant::now();
            let message = Checkpoint::open(&legacy(dir.path(), &pickle)).unwrap().tensors().unwrap_err().to_string();
            assert!(message.contains("contain each other"), "{message}");
            assert!(since.elapsed().as_secs() < 5, "{} s", since.elapsed().as_secs());
        }
    }
}
