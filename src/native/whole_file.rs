//! Reading files whole: only those that have an end.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;

use anyhow::Context as _;
use serde::de::DeserializeOwned;

/// All bytes of a file, of whatever size.
///
/// # Errors
/// What is no file, such as a device, which may have no end; or what the system says.
pub(crate) fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_file(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A file that can be read to its end.
///
/// # Errors
/// As [`read_file`].
pub(crate) fn open_file(path: &Path) -> io::Result<File> {
    // Asked before opening, which waits for a pipe.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a file"));
    }
    File::open(path)
}

/// All bytes of a file or a pipe that has at most `most` of them: the size of a device is 0, whatever it holds.
///
/// # Errors
/// More bytes, or what the system says.
pub(crate) fn read_small_file(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::new(ErrorKind::FileTooLarge, format!("it has more than {most} bytes")));
    }
    Ok(bytes)
}

/// What a JSON file says, which a person has written, or `lfdm config`; `what` it should be.
///
/// # Errors
/// More than 1 MiB, or no such JSON.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path, what: &str) -> anyhow::Result<T> {
    const LARGEST: u64 = 1 << 20;
    let bytes = read_small_file(path, LARGEST).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&bytes).with_context(|| format!("{} is not {what}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_file_has_an_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("labels.txt");
        fs::write(&path, "joy\nfear\n").unwrap();
        assert_eq!(read_small_file(&path, 9).unwrap(), b"joy\nfear\n");
        assert_eq!(read_small_file(&path, 8).unwrap_err().to_string(), "it has more than 8 bytes");
        assert_eq!(read_file(&path).unwrap(), b"joy\nfear\n");
        assert_eq!(read_file(dir.path()).unwrap_err().to_string(), "it is not a file");
    }

    #[cfg(unix)]
    #[test]
    fn a_device_without_an_end_is_not_read_to_it() {
        let zeros = Path::new("/dev/zero");
        assert_eq!(read_file(zeros).unwrap_err().to_string(), "it is not a file");
        assert_eq!(read_small_file(zeros, 1000).unwrap_err().kind(), ErrorKind::FileTooLarge);
    }
}
