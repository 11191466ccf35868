//! The files of a take: their names, how they get there whole, and whether they are.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
};

use half::f16;
use serde_json::Value;

use super::{DatasetError, Format, Options};

/// The files of one take of a person.
pub(super) struct Files<'a> {
    dir: &'a Path,
    stem: String,
    options: &'a Options,
    /// Labels of the set.
    rows: usize,
}

impl<'a> Files<'a> {
    pub(super) fn new(dir: &'a Path, (id, take): (u64, u32), options: &'a Options, rows: usize) -> Self {
        Self { dir, stem: format!("s{id:06}_k{take}"), options, rows }
    }

    /// The name of a kind of files in the description of a set.
    pub(super) fn pattern(end: &str) -> String {
        format!("s{{id:06d}}_k{{take}}{end}")
    }

    /// The person and the take of a file with clips; none for another name.
    pub(super) fn parse(name: &str) -> Option<(u64, u32)> {
        let (id, take) = name.strip_prefix('s')?.strip_suffix(CLIPS)?.split_once("_k")?;
        Some((id.parse().ok()?, take.parse().ok()?))
    }

    pub(super) fn path(&self, end: &str) -> PathBuf {
        self.dir.join(format!("{}{end}", self.stem))
    }

    /// Who the person is, if all files of the take are there and whole.
    pub(super) fn subject(&self) -> Option<Value> {
        let clips = fs::read(self.path(CLIPS)).ok()?;
        let mut clips: Value = serde_json::from_slice(&clips).ok()?;
        let rows = clips.get("clips")?.as_array()?.len();
        let whole = rows == self.rows && self.pictures_are_whole() && self.flow_is_whole();
        let subject = clips.get_mut("subject")?.take();
        (whole && subject.is_object()).then_some(subject)
    }

    fn pictures_are_whole(&self) -> bool {
        let Options { size, frames, references, regions, format, .. } = *self.options;
        let sheet = [frames * size, self.rows * size];
        let strip = [references as usize * size, size];
        is_whole(&self.path(format.end()), sheet)
            && (references == 0 || is_whole(&self.path(&references_end(format)), strip))
            && (!regions || is_whole(&self.path(REGIONS), sheet))
    }

    fn flow_is_whole(&self) -> bool {
        let Some(cells) = self.options.flow_size else { return true };
        let shape = [self.rows, self.options.frames, cells, cells, 3];
        let Ok(bytes) = fs::read(self.path(&flow_end(cells))) else { return false };
        let Ok(file) = npyz::NpyFile::new(bytes.as_slice()) else { return false };
        file.shape().iter().map(|&n| n as usize).eq(shape)
            && file.into_vec::<f16>().is_ok_and(|values| values.len() == shape.iter().product::<usize>())
    }
}

/// The end of the name of a file with what clips show.
pub(super) const CLIPS: &str = ".json";
/// The end of the name of a sheet with regions.
pub(super) const REGIONS: &str = "_regions.png";

/// The end of the name of a file with other appearances.
pub(super) fn references_end(format: Format) -> String {
    format!("_references{}", format.end())
}

/// The end of the name of a file with flow on a grid.
pub(super) fn flow_end(cells: usize) -> String {
    format!("_flow{cells}.npy")
}

/// Writes a file aside and moves it into its place: nobody ever sees half of it.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), DatasetError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let aside = path.with_file_name(format!(".{name}.part"));
    let written = fs::write(&aside, bytes).and_then(|()| fs::rename(&aside, path));
    written.map_err(|source| {
        // What is left of it would only take space, of which there may be none.
        let _ = fs::remove_file(&aside);
        DatasetError::Io { path: path.to_owned(), source }
    })
}

/// Whether a picture has these dimensions and its end; it is not decoded.
fn is_whole(path: &Path, [width, height]: [usize; 2]) -> bool {
    let dimensions = image::image_dimensions(path).is_ok_and(|(w, h)| (w as usize, h as usize) == (width, height));
    dimensions && has_end(path).unwrap_or(false)
}

fn has_end(path: &Path) -> std::io::Result<bool> {
    let mut file = fs::File::open(path)?;
    let length = file.metadata()?.len();
    let mut head = [0; 8];
    file.read_exact(&mut head)?;
    if head.starts_with(b"RIFF") {
        let size = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        return Ok(u64::from(size) + 8 == length);
    }
    let mut rest = Vec::new();
    file.read_to_end(&mut rest)?;
    Ok(rest.ends_with(b"IEND\xaeB`\x82"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        let options = Options::default();
        let files = Files::new(Path::new("set"), (42, 3), &options, 7);
        let path = files.path(CLIPS);
        assert_eq!(path, Path::new("set/s000042_k3.json"));
        assert_eq!(Files::parse(path.file_name().unwrap().to_str().unwrap()), Some((42, 3)));
        for other in ["meta.json", "s000042_k3.webp", ".s000042_k3.json.part", "s1_k.json"] {
            assert_eq!(Files::parse(other), None, "{other}");
        }
        assert_eq!(Files::pattern(CLIPS), "s{id:06d}_k{take}.json");
    }

    #[test]
    fn files_are_replaced_and_leave_nothing_aside() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.json");
        write_whole(&path, b"one").unwrap();
        write_whole(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        let message = write_whole(&dir.path().join("none/a.json"), b"").unwrap_err().to_string();
        assert!(message.contains("none"), "{message}");
    }
}
