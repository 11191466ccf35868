//! Checkpoints as `torch.save` writes them since 1.6.

use std::fs::File;
use std::io::{Cursor, Write};
use std::path::Path;

use burn::tensor::{DType, TensorData};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::error::{Problem, PthError, at};
use super::op;

/// PyTorch begins every storage at a multiple of this, so that it can be mapped into memory.
const ALIGNMENT: u16 = 64;

/// One value of a checkpoint, which is a dict.
#[derive(Debug, Clone)]
pub enum Entry {
    /// A number, such as an epoch.
    Int(i32),
    /// A state dict of f32 or i64 tensors.
    Tensors(Vec<(String, TensorData)>),
}

/// Writes a checkpoint that `torch.load(path, weights_only=True)` opens.
///
/// # Errors
/// The file cannot be written, or a tensor is neither f32 nor i64.
pub fn write(path: &Path, root: &[(&str, Entry)]) -> Result<(), PthError> {
    write_zip(path, root).map_err(at(path))
}

fn write_zip(path: &Path, root: &[(&str, Entry)]) -> Result<(), Problem> {
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).with_alignment(ALIGNMENT);
    let name = path.file_stem().map_or("archive".into(), |stem| stem.to_string_lossy().into_owned());
    // In memory: on a full disk the writer would say so by itself, on the terminal.
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let mut entry = |path: &str, bytes: &[u8]| {
        zip.start_file(format!("{name}/{path}"), stored).map_err(std::io::Error::from)?;
        zip.write_all(bytes)
    };
    let mut pickle = Pickler::default();
    let storages = pickle.checkpoint(root)?;
    entry("data.pkl", &pickle.bytes)?;
    entry("byteorder", b"little")?;
    for (key, data) in storages.iter().enumerate() {
        entry(&format!("data/{key}"), data.as_bytes())?;
    }
    entry("version", b"3\n")?;
    let bytes = zip.finish().map_err(std::io::Error::from)?.into_inner();
    let mut file = File::create(path)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    Ok(())
}

#[derive(Default)]
struct Pickler {
    bytes: Vec<u8>,
}

impl Pickler {
    /// Writes the whole pickle; returns the storages that it names 0, 1, 2, …
    fn checkpoint<'a>(&mut self, root: &'a [(&str, Entry)]) -> Result<Vec<&'a TensorData>, Problem> {
        let mut storages = Vec::new();
        self.bytes.extend([op::PROTO, 2, op::EMPTY_DICT, op::MARK]);
        for (key, entry) in root {
            self.text(key);
            match entry {
                Entry::Int(number) => self.int(*number),
                Entry::Tensors(tensors) => {
                    self.ordered_dict();
                    self.bytes.push(op::MARK);
                    for (key, data) in tensors {
                        self.text(key);
                        self.tensor(storages.len(), data)?;
                        storages.push(data);
                    }
                    self.bytes.push(op::SET_ITEMS);
                }
            }
        }
        self.bytes.extend([op::SET_ITEMS, op::STOP]);
        Ok(storages)
    }

    /// A contiguous tensor over all of storage `key`.
    fn tensor(&mut self, key: usize, data: &TensorData) -> Result<(), Problem> {
        let class = match data.dtype() {
            DType::F32 => "FloatStorage",
            DType::I64 => "LongStorage",
            other => return Err(Problem::Foreign(format!("it would hold a tensor of type {other:?}"))),
        };
        self.class("torch._utils", "_rebuild_tensor_v2");
        self.bytes.push(op::MARK);

        self.bytes.push(op::MARK);
        self.text("storage");
        self.class("torch", class);
        self.text(&key.to_string());
        self.text("cpu");
        self.size(data.num_elements())?;
        self.bytes.extend([op::TUPLE, op::BIN_PERS_ID]);

        self.int(0);
        let shape = data.shape().to_vec();
        let strides: Vec<usize> = (0..shape.len()).map(|axis| shape[axis + 1..].iter().product()).collect();
        for sizes in [shape, strides] {
            self.bytes.push(op::MARK);
            sizes.into_iter().try_for_each(|size| self.size(size))?;
            self.bytes.push(op::TUPLE);
        }
        self.bytes.push(op::NEW_FALSE);
        self.ordered_dict();
        self.bytes.extend([op::TUPLE, op::REDUCE]);
        Ok(())
    }

    fn ordered_dict(&mut self) {
        self.class("collections", "OrderedDict");
        self.bytes.extend([op::EMPTY_TUPLE, op::REDUCE]);
    }

    fn class(&mut self, module: &str, name: &str) {
        self.bytes.push(op::GLOBAL);
        self.bytes.extend(format!("{module}\n{name}\n").into_bytes());
    }

    fn text(&mut self, text: &str) {
        self.bytes.push(op::BIN_UNICODE);
        self.bytes.extend((text.len() as u32).to_le_bytes());
        self.bytes.extend(text.as_bytes());
    }

    fn int(&mut self, number: i32) {
        self.bytes.push(op::BIN_INT);
        self.bytes.extend(number.to_le_bytes());
    }

    fn size(&mut self, size: usize) -> Result<(), Problem> {
        let size = i32::try_from(size).map_err(|_| Problem::Foreign("a tensor has more than 2^31 elements".into()))?;
        self.int(size);
        Ok(())
    }
}
