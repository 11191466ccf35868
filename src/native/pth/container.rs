//! Where a checkpoint keeps its pickle and its storages.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;
use std::rc::Rc;

use burn::tensor::{DType, Shape, TensorData};
use zip::ZipArchive;
use zip::result::ZipError;

use super::error::Problem;
use super::op;
use super::pickle::{Element, Pickle, Storage, TensorRef, Value};
use crate::native::whole_file::open_file;

const ZIP_MAGIC: &[u8] = b"PK\x03\x04";
/// A legacy file begins with this number, pickled.
const LEGACY_MAGIC: i128 = 0x1950_a86a_20f9_469c_fc6c;
const LEGACY_PROTOCOL: i128 = 1001;

/// Where the numbers of the tensors lie.
#[derive(Debug)]
pub(super) enum Storages {
    /// One entry per storage, `{root}/data/{key}`.
    Zip { archive: ZipArchive<BufReader<File>>, root: String },
    /// One after the other behind the pickles: the number of elements in 8 bytes, then the elements.
    Legacy { file: BufReader<File>, places: HashMap<Rc<str>, u64> },
}

/// The pickle of a checkpoint, and the way to its storages.
pub(super) fn open(path: &Path) -> Result<(Pickle, Storages), Problem> {
    let mut file = BufReader::new(open_file(path)?);
    let mut start = Vec::new();
    file.by_ref().take(ZIP_MAGIC.len() as u64).read_to_end(&mut start)?;
    file.rewind()?;
    if start.len() < ZIP_MAGIC.len() {
        return Err(Problem::Damaged(format!("it has {} bytes", start.len())));
    }
    if start == ZIP_MAGIC { open_zip(file) } else { open_legacy(file) }
}

fn open_zip(file: BufReader<File>) -> Result<(Pickle, Storages), Problem> {
    let mut archive = ZipArchive::new(file).map_err(zip_problem)?;
    let names: Vec<_> = archive.file_names().filter_map(|name| name.ok().map(String::from)).collect();
    let pickles: Vec<&str> = names.iter().filter_map(|name| name.strip_suffix("/data.pkl")).collect();
    let [root] = pickles[..] else {
        let what = format!("it is a zip archive with {} files named data.pkl instead of one", pickles.len());
        return Err(Problem::Foreign(what));
    };
    let order = format!("{root}/byteorder");
    if names.contains(&order) && read_entry(&mut archive, &order)? != b"little" {
        return Err(Problem::Foreign("it was saved on a big-endian machine".into()));
    }
    let bytes = read_entry(&mut archive, &format!("{root}/data.pkl"))?;
    let pickle = Pickle::read(&mut bytes.as_slice())?;
    Ok((pickle, Storages::Zip { archive, root: root.to_owned() }))
}

fn open_legacy(mut file: BufReader<File>) -> Result<(Pickle, Storages), Problem> {
    let is_pickle = file.fill_buf()?.first() == Some(&op::PROTO);
    match Pickle::read(&mut file) {
        Ok(Pickle { root: Value::Int(LEGACY_MAGIC), .. }) => {}
        Err(problem @ (Problem::Code(_) | Problem::Io(_))) => return Err(problem),
        Err(problem) if is_pickle => return Err(problem),
        _ => {
            let what = "it begins neither like a zip archive nor with PyTorch's legacy number";
            return Err(Problem::Foreign(what.into()));
        }
    }
    if Pickle::read(&mut file)?.root != Value::Int(LEGACY_PROTOCOL) {
        return Err(Problem::Foreign("its legacy format is not number 1001".into()));
    }
    if Pickle::read(&mut file)?.get("little_endian") != Some(&Value::Bool(true)) {
        return Err(Problem::Foreign("it was saved on a big-endian machine".into()));
    }
    let pickle = Pickle::read(&mut file)?;
    let order = Pickle::read(&mut file)?;
    let Value::List(keys) = order.root else {
        return Err(Problem::Damaged("the list of its storages is missing".into()));
    };

    let mut place = file.stream_position()?;
    let end = file.seek(SeekFrom::End(0))?;
    let mut places = HashMap::new();
    for key in order.items(keys) {
        let storage = match key {
            Value::Text(key) => pickle.storages.get(key),
            _ => None,
        };
        let storage = storage.ok_or_else(|| Problem::Damaged("it lists a storage that no tensor has".into()))?;
        file.seek(SeekFrom::Start(place))?;
        let mut len = [0; 8];
        file.read_exact(&mut len).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => Problem::Damaged(format!("it ends before storage {}", storage.key)),
            _ => Problem::Io(error),
        })?;
        let len = u64::from_le_bytes(len);
        if len != storage.len as u64 {
            let what = format!("storage {} has {len} elements instead of {}", storage.key, storage.len);
            return Err(Problem::Damaged(what));
        }
        places.insert(storage.key.clone(), place + 8);
        place = storage
            .bytes()
            .and_then(|bytes| (place + 8).checked_add(bytes as u64))
            .filter(|&place| place <= end)
            .ok_or_else(|| Problem::Damaged(format!("it ends inside storage {}", storage.key)))?;
    }
    Ok((pickle, Storages::Legacy { file, places }))
}

impl Storages {
    /// The values of `tensor` as f32; `None` if they are whole numbers.
    pub(super) fn read(&mut self, tensor: &TensorRef) -> Result<Option<TensorData>, Problem> {
        let Element::Float(dtype) = tensor.storage.element else { return Ok(None) };
        let bytes = self.bytes(&tensor.storage)?;
        let values = gather(bytes, tensor, dtype);
        let data = TensorData::from_bytes_vec(values, Shape::from(tensor.shape.clone()), dtype);
        Ok(Some(data.convert_dtype(DType::F32)))
    }

    fn bytes(&mut self, storage: &Storage) -> Result<Vec<u8>, Problem> {
        let key = &storage.key;
        let wanted = storage.bytes().ok_or_else(|| Problem::Damaged(format!("storage {key} is larger than memory")))?;
        let bytes = match self {
            Self::Zip { archive, root } => read_entry(archive, &format!("{root}/data/{key}"))?,
            Self::Legacy { file, places } => {
                let place = places.get(key).ok_or_else(|| Problem::Damaged(format!("storage {key} is missing")))?;
                file.seek(SeekFrom::Start(*place))?;
                let mut bytes = Vec::new();
                file.by_ref().take(wanted as u64).read_to_end(&mut bytes)?;
                bytes
            }
        };
        if bytes.len() != wanted {
            return Err(Problem::Damaged(format!("storage {key} has {} bytes instead of {wanted}", bytes.len())));
        }
        Ok(bytes)
    }
}

fn read_entry(archive: &mut ZipArchive<BufReader<File>>, name: &str) -> Result<Vec<u8>, Problem> {
    let damaged = |error: &dyn std::fmt::Display| Problem::Damaged(format!("{name} in it cannot be read ({error})"));
    let mut entry = archive.by_name(name).map_err(|error| match error {
        ZipError::UnsupportedArchive(what) => {
            Problem::Foreign(format!("{name} in it is stored in another way ({what})"))
        }
        error => damaged(&error),
    })?;
    let mut bytes = Vec::new();
    // The archive's checksum is compared at the end of the entry.
    entry.read_to_end(&mut bytes).map_err(|error| damaged(&error))?;
    Ok(bytes)
}

fn zip_problem(error: ZipError) -> Problem {
    match error {
        ZipError::Io(error) if error.kind() != ErrorKind::UnexpectedEof => Problem::Io(error),
        error => Problem::Damaged(format!("its zip archive is incomplete ({error})")),
    }
}

/// The tensor's elements in row-major order.
fn gather(storage: Vec<u8>, tensor: &TensorRef, dtype: DType) -> Vec<u8> {
    let width = dtype.size();
    if tensor.shape.contains(&0) {
        return Vec::new();
    }
    let elements: usize = tensor.shape.iter().product();
    let mut dense = 1;
    let contiguous = tensor.shape.iter().zip(&tensor.strides).rev().all(|(&side, &stride)| {
        let fits = side <= 1 || stride == dense;
        dense *= side;
        fits
    });
    if contiguous {
        return storage[tensor.offset * width..][..elements * width].to_vec();
    }
    let mut values = Vec::with_capacity(elements * width);
    let mut index = vec![0; tensor.shape.len()];
    for _ in 0..elements {
        let place: usize = index.iter().zip(&tensor.strides).map(|(&i, &stride)| i * stride).sum();
        values.extend_from_slice(&storage[(tensor.offset + place) * width..][..width]);
        for (i, &side) in index.iter_mut().zip(&tensor.shape).rev() {
            *i += 1;
            if *i < side {
                break;
            }
            *i = 0;
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(offset: usize, shape: &[usize], strides: &[usize]) -> TensorRef {
        let storage = Storage { key: "0".into(), element: Element::Float(DType::F16), len: 6 };
        TensorRef { storage, offset, shape: shape.to_vec(), strides: strides.to_vec() }
    }

    #[test]
    fn views_are_gathered_in_row_major_order() {
        let storage: Vec<u8> = (0..12).collect();
        let gathered = |offset, shape: &[usize], strides: &[usize]| {
            gather(storage.clone(), &tensor(offset, shape, strides), DType::F16)
                .into_iter()
                .step_by(2)
                .collect::<Vec<_>>()
        };
        assert_eq!(gathered(0, &[2, 3], &[3, 1]), [0, 2, 4, 6, 8, 10]);
        assert_eq!(gathered(0, &[3, 2], &[1, 3]), [0, 6, 2, 8, 4, 10]);
        assert_eq!(gathered(1, &[2, 1, 2], &[3, 77, 1]), [2, 4, 8, 10]);
        assert_eq!(gathered(5, &[], &[]), [10]);
        assert_eq!(gathered(0, &[2, 2], &[0, 1]), [0, 2, 0, 2]);
        assert!(gathered(0, &[0, usize::MAX, usize::MAX], &[1, 1, 1]).is_empty());
    }
}
