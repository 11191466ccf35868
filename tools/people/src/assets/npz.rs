//! Archives of `NumPy` arrays, of which nothing is believed: what is damaged is an error and never a panic.

use std::{
    collections::BTreeMap,
    io::{self, Cursor, Read, Write},
};

use glam::{Vec2, Vec3};
use half::f16;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter, write::SimpleFileOptions};

/// No array of a pack comes near it; what claims to be larger is damaged.
const LARGEST: u64 = 64 << 20;

/// All arrays of an archive by name.
pub(super) struct Archive(BTreeMap<String, Array>);

/// An archive that is written, which holds the same bytes whenever it is.
pub(super) struct Writer(ZipWriter<Cursor<Vec<u8>>>);

/// One array, elements as they were stored.
pub(super) struct Array {
    shape: Vec<usize>,
    kind: Kind,
    bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Bool,
    Half,
    Single,
    Double,
    Signed(usize),
    Unsigned(usize),
    /// Text of so many characters of 4 bytes.
    Text(usize),
}

impl Archive {
    /// Reads all arrays of a `.npz` file.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(|error| error.to_string())?;
        let mut arrays = BTreeMap::new();
        for index in 0..zip.len() {
            let member = zip.by_index(index).map_err(|error| error.to_string())?;
            let name = member.name().map_err(|error| error.to_string())?;
            let Some(name) = name.strip_suffix(".npy").map(str::to_owned) else { continue };
            let mut content = Vec::new();
            member.take(LARGEST).read_to_end(&mut content).map_err(|error| format!("{name}: {error}"))?;
            let array = Array::parse(&content).map_err(|problem| format!("{name}: {problem}"))?;
            arrays.insert(name, array);
        }
        Ok(Self(arrays))
    }

    /// Names of all arrays.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether there is an array of this name.
    pub(super) fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Numbers of any kind, with `columns` of them in each row.
    pub(super) fn floats(&self, name: &str, columns: usize) -> Result<Vec<f32>, String> {
        self.array(name, columns)?.floats().map_err(|problem| format!("{name} {problem}"))
    }

    /// Points in the plane.
    pub(super) fn points2(&self, name: &str) -> Result<Vec<Vec2>, String> {
        Ok(self.floats(name, 2)?.chunks_exact(2).map(Vec2::from_slice).collect())
    }

    /// Points in space.
    pub(super) fn points3(&self, name: &str) -> Result<Vec<Vec3>, String> {
        Ok(self.floats(name, 3)?.chunks_exact(3).map(Vec3::from_slice).collect())
    }

    /// Whole numbers, each below `limit`, with `columns` of them in each row.
    pub(super) fn indices(&self, name: &str, columns: usize, limit: usize) -> Result<Vec<u32>, String> {
        let values = self.array(name, columns)?.integers().map_err(|problem| format!("{name} {problem}"))?;
        let valid = |value: i64| u32::try_from(value).ok().filter(|&index| (index as usize) < limit);
        let explain = |value| format!("{name} points to entry {value} of {limit}");
        values.into_iter().map(|value| valid(value).ok_or_else(|| explain(value))).collect()
    }

    /// Corners of triangles, each below `limit`.
    pub(super) fn triples(&self, name: &str, limit: usize) -> Result<Vec<[u32; 3]>, String> {
        Ok(self.indices(name, 3, limit)?.chunks_exact(3).map(|three| [three[0], three[1], three[2]]).collect())
    }

    /// Texts.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>, String> {
        self.array(name, 1)?.texts().map_err(|problem| format!("{name} {problem}"))
    }

    fn array(&self, name: &str, columns: usize) -> Result<&Array, String> {
        let array = self.0.get(name).ok_or_else(|| format!("there is no array {name}"))?;
        let fits = match array.shape[..] {
            [_] => columns == 1,
            [_, width] => columns == width,
            _ => false,
        };
        if fits { Ok(array) } else { Err(format!("{name} has shape {:?}, not rows of {columns}", array.shape)) }
    }
}

impl Writer {
    /// An archive without arrays.
    pub(super) fn new() -> Self {
        Self(ZipWriter::new(Cursor::new(Vec::new())))
    }

    /// Adds numbers, with `columns` of them in each row.
    pub(super) fn floats(&mut self, name: &str, columns: usize, values: &[f32]) -> io::Result<()> {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.array(name, "<f4", &shape(values.len(), columns), &bytes)
    }

    /// Adds numbers rounded to halves.
    pub(super) fn halves(&mut self, name: &str, columns: usize, values: &[f32]) -> io::Result<()> {
        let bytes: Vec<u8> = values.iter().flat_map(|&value| f16::from_f32(value).to_le_bytes()).collect();
        self.array(name, "<f2", &shape(values.len(), columns), &bytes)
    }

    /// Adds whole numbers, two bytes each where that is enough.
    pub(super) fn indices(&mut self, name: &str, columns: usize, values: &[u32]) -> io::Result<()> {
        let shape = shape(values.len(), columns);
        if values.iter().all(|&value| u16::try_from(value).is_ok()) {
            let bytes: Vec<u8> = values.iter().flat_map(|&value| (value as u16).to_le_bytes()).collect();
            return self.array(name, "<u2", &shape, &bytes);
        }
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.array(name, "<u4", &shape, &bytes)
    }

    /// Adds a row of what is true or not.
    pub(super) fn flags(&mut self, name: &str, values: &[bool]) -> io::Result<()> {
        let bytes: Vec<u8> = values.iter().map(|&value| u8::from(value)).collect();
        self.array(name, "|b1", &[values.len()], &bytes)
    }

    /// Adds a row of texts.
    pub(super) fn texts(&mut self, name: &str, values: &[String]) -> io::Result<()> {
        let length = values.iter().map(|text| text.chars().count()).max().unwrap_or_default().max(1);
        let padded =
            |text: &str| -> Vec<u32> { text.chars().map(u32::from).chain(std::iter::repeat(0)).take(length).collect() };
        let bytes: Vec<u8> = values.iter().flat_map(|text| padded(text)).flat_map(u32::to_le_bytes).collect();
        self.array(name, &format!("<U{length}"), &[values.len()], &bytes)
    }

    fn array(&mut self, name: &str, kind: &str, shape: &[usize], bytes: &[u8]) -> io::Result<()> {
        let lengths: String = shape.iter().map(|length| format!("{length}, ")).collect();
        let lengths = if shape.len() == 1 { lengths.trim_end() } else { lengths.trim_end_matches(", ") };
        let mut header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({lengths}), }}");
        // The data begin at a multiple of 64 bytes, 10 of which come before the header.
        header.extend(std::iter::repeat_n(' ', 63 - (header.len() + 10) % 64));
        header.push('\n');
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        self.0.start_file(format!("{name}.npy"), options.last_modified_time(DateTime::default()))?;
        self.0.write_all(b"\x93NUMPY\x01\0")?;
        self.0.write_all(&(header.len() as u16).to_le_bytes())?;
        self.0.write_all(header.as_bytes())?;
        self.0.write_all(bytes)
    }

    /// The archive's bytes.
    pub(super) fn finish(self) -> io::Result<Vec<u8>> {
        Ok(self.0.finish()?.into_inner())
    }
}

fn shape(count: usize, columns: usize) -> Vec<usize> {
    if columns == 1 { vec![count] } else { vec![count / columns, columns] }
}

impl Array {
    /// Parses a `.npy` file.
    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let (header, bytes) = split_header(bytes).ok_or("the header is damaged")?;
        let kind = value_of(header, "descr").and_then(Kind::parse);
        let kind = kind.ok_or_else(|| format!("elements of an unknown kind: {}", header.trim_end()))?;
        if value_of(header, "fortran_order").is_none_or(|value| !value.starts_with("False")) {
            return Err("columns come before rows, or the header is damaged".into());
        }
        let shape = value_of(header, "shape").and_then(parse_shape).ok_or("the shape is damaged")?;
        let count = shape.iter().try_fold(kind.bytes(), |product, &length| product.checked_mul(length));
        if count != Some(bytes.len()) {
            return Err(format!("{} bytes do not fill {shape:?} of {kind:?}", bytes.len()));
        }
        Ok(Self { shape, kind, bytes: bytes.to_vec() })
    }

    fn elements(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes.chunks_exact(self.kind.bytes().max(1))
    }

    fn floats(&self) -> Result<Vec<f32>, String> {
        let read: fn(&[u8]) -> f32 = match self.kind {
            Kind::Half => |bytes| f16::from_le_bytes(padded(bytes)).to_f32(),
            Kind::Single => |bytes| f32::from_le_bytes(padded(bytes)),
            Kind::Double => |bytes| f64::from_le_bytes(padded(bytes)) as f32,
            _ => return Ok(self.integers()?.into_iter().map(|value| value as f32).collect()),
        };
        let values: Vec<f32> = self.elements().map(read).collect();
        let finite = values.iter().all(|value| value.is_finite());
        if finite { Ok(values) } else { Err("has values that are no numbers".into()) }
    }

    fn integers(&self) -> Result<Vec<i64>, String> {
        let read: fn(&[u8]) -> i64 = match self.kind {
            Kind::Bool | Kind::Unsigned(_) => |bytes| i64::from_le_bytes(padded(bytes)),
            Kind::Signed(1) => |bytes| i64::from(i8::from_le_bytes(padded(bytes))),
            Kind::Signed(2) => |bytes| i64::from(i16::from_le_bytes(padded(bytes))),
            Kind::Signed(4) => |bytes| i64::from(i32::from_le_bytes(padded(bytes))),
            Kind::Signed(_) => |bytes| i64::from_le_bytes(padded(bytes)),
            _ => return Err("are not whole numbers".into()),
        };
        Ok(self.elements().map(read).collect())
    }

    fn texts(&self) -> Result<Vec<String>, String> {
        let Kind::Text(length) = self.kind else { return Err("are not texts".into()) };
        if length == 0 {
            return Err("are empty texts".into());
        }
        let character = |bytes: &[u8]| char::from_u32(u32::from_le_bytes(padded(bytes)));
        let text = |bytes: &[u8]| -> Option<String> {
            bytes.chunks_exact(4).map(character).take_while(|&character| character != Some('\0')).collect()
        };
        self.elements().map(|bytes| text(bytes).ok_or_else(|| "hold what is no text".to_owned())).collect()
    }
}

impl Kind {
    /// From `NumPy`'s name of it, little-endian and in quotes.
    fn parse(quoted: &str) -> Option<Self> {
        let name = quoted.strip_prefix('\'')?.split('\'').next()?;
        let (order, name) = name.split_at_checked(1)?;
        let (letter, size) = name.split_at_checked(1)?;
        let size: usize = size.parse().ok()?;
        match (letter, size, order) {
            ("b", 1, "|") => Some(Self::Bool),
            ("u", 1, "|") => Some(Self::Unsigned(1)),
            ("i", 1, "|") => Some(Self::Signed(1)),
            ("f", 2, "<") => Some(Self::Half),
            ("f", 4, "<") => Some(Self::Single),
            ("f", 8, "<") => Some(Self::Double),
            ("i", 2 | 4 | 8, "<") => Some(Self::Signed(size)),
            ("u", 2 | 4 | 8, "<") => Some(Self::Unsigned(size)),
            ("U", 1..=4096, "<") => Some(Self::Text(size)),
            _ => None,
        }
    }

    fn bytes(self) -> usize {
        match self {
            Self::Bool => 1,
            Self::Half => 2,
            Self::Single => 4,
            Self::Double => 8,
            Self::Signed(size) | Self::Unsigned(size) => size,
            Self::Text(length) => length * 4,
        }
    }
}

/// The text of the header and what follows it.
fn split_header(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let rest = bytes.strip_prefix(b"\x93NUMPY")?;
    let (version, rest) = rest.split_at_checked(2)?;
    let (length, rest) = rest.split_at_checked(if version[0] == 1 { 2 } else { 4 })?;
    let (header, data) = rest.split_at_checked(u32::from_le_bytes(padded(length)) as usize)?;
    Some((std::str::from_utf8(header).ok()?, data))
}

/// What stands behind a key of the header's dictionary.
fn value_of<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let (_, behind) = header.split_once(&format!("'{key}'"))?;
    Some(behind.trim_start().strip_prefix(':')?.trim_start())
}

/// `(3, 4)`, `(3,)` or `()`.
fn parse_shape(text: &str) -> Option<Vec<usize>> {
    let (inside, _) = text.strip_prefix('(')?.split_once(')')?;
    inside.split(',').map(str::trim).filter(|length| !length.is_empty()).map(|length| length.parse().ok()).collect()
}

/// The bytes, and zeros behind them.
fn padded<const COUNT: usize>(bytes: &[u8]) -> [u8; COUNT] {
    std::array::from_fn(|at| bytes.get(at).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Vec<u8> {
        let mut writer = Writer::new();
        writer.floats("places", 3, &[1., 2., 3., 4., 5., 6.]).unwrap();
        writer.halves("offsets", 1, &[0.5, -2.]).unwrap();
        writer.indices("few", 3, &[1, 2, 65535]).unwrap();
        writer.indices("many", 1, &[65536, 7]).unwrap();
        writer.flags("flags", &[true, false]).unwrap();
        writer.texts("names", &["nose|nose-hump".to_owned(), String::new(), "ohr-größe".to_owned()]).unwrap();
        writer.finish().unwrap()
    }

    #[test]
    fn what_is_written_is_read() {
        let archive = Archive::read(&example()).unwrap();
        assert_eq!(archive.points3("places").unwrap(), [Vec3::new(1., 2., 3.), Vec3::new(4., 5., 6.)]);
        assert_eq!(archive.floats("offsets", 1).unwrap(), [0.5, -2.]);
        assert_eq!(archive.triples("few", 65536).unwrap(), [[1, 2, 65535]]);
        assert_eq!(archive.indices("many", 1, 70000).unwrap(), [65536, 7]);
        assert_eq!(archive.indices("flags", 1, 2).unwrap(), [1, 0]);
        assert_eq!(archive.texts("names").unwrap(), ["nose|nose-hump", "", "ohr-größe"]);
        assert_eq!(example(), example(), "the same bytes every time");
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let archive = Archive::read(&example()).unwrap();
        let problem = |result: Result<Vec<u32>, String>| result.unwrap_err();
        assert_eq!(problem(archive.indices("many", 1, 65536)), "many points to entry 65536 of 65536");
        assert_eq!(problem(archive.indices("places", 3, 9)), "places are not whole numbers");
        assert_eq!(problem(archive.indices("few", 1, 9)), "few has shape [1, 3], not rows of 1");
        assert_eq!(problem(archive.indices("hair", 1, 9)), "there is no array hair");
        assert!(archive.texts("flags").is_err());
    }

    #[test]
    fn headers_are_not_believed() {
        let npy = |kind: &str, order: &str, shape: &str, data: &[u8]| {
            let header = format!("{{'descr': '{kind}', 'fortran_order': {order}, 'shape': ({shape})}}");
            let length = (header.len() as u16).to_le_bytes();
            Array::parse(&[b"\x93NUMPY\x01\0", &length[..], header.as_bytes(), data].concat())
        };
        assert_eq!(npy("<i2", "False", "2,", &[254, 255, 3, 0]).unwrap().integers().unwrap(), [-2, 3]);
        assert!(npy("<i2", "True", "2,", &[0; 4]).is_err());
        assert!(npy(">i2", "False", "2,", &[0; 4]).is_err());
        assert!(npy("<i2", "False", "3,", &[0; 4]).is_err());
        assert!(npy("<i2", "False", "4294967296, 4294967296, 4294967296", &[0; 4]).is_err());
        assert!(npy("<U999999", "False", "0,", &[]).is_err());
        assert!(npy("<f4", "False", "1,", &f32::NAN.to_le_bytes()).unwrap().floats().is_err());
        assert!(npy("<U1", "False", "1,", &[0, 0, 0, 255]).unwrap().texts().is_err());
    }
}
