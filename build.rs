//! Gives the program a fingerprint of its sources, by which a training and a worker on another machine know that they
//! compute the same.

use std::path::Path;
use std::{env, fs, io};

/// Of all that decides what is computed. `Cargo.lock` is missing where this package is a dependency.
const SOURCES: [&str; 4] = ["Cargo.lock", "Cargo.toml", "shaders", "src"];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    // Trainings alone ask for it; the page's module need not be compiled again for a change in them.
    if env::var_os("CARGO_FEATURE_NATIVE").is_none() {
        return Ok(());
    }
    let mut fingerprint = Fnv::default();
    for source in SOURCES.map(Path::new).into_iter().filter(|source| source.exists()) {
        println!("cargo::rerun-if-changed={}", source.display());
        fingerprint.add(source)?;
    }
    println!("cargo::rustc-env=LFDM_SOURCES={:016x}", fingerprint.0);
    Ok(())
}

/// The 64-bit hash of Fowler, Noll and Vo (variant 1a): the same with every compiler, and no dependency.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    /// A file, or all files of a folder, with their names.
    fn add(&mut self, path: &Path) -> io::Result<()> {
        if path.is_dir() {
            let mut entries = fs::read_dir(path)?.collect::<io::Result<Vec<_>>>()?;
            entries.sort_by_key(|entry| entry.file_name());
            return entries.iter().try_for_each(|entry| self.add(&entry.path()));
        }
        self.add_bytes(path.file_name().unwrap_or_default().as_encoded_bytes());
        self.add_bytes(&fs::read(path)?);
        Ok(())
    }

    fn add_bytes(&mut self, bytes: &[u8]) {
        // Checkouts on Windows may have other ends of lines.
        let bytes = bytes.iter().filter(|&&byte| byte != b'\r').chain(&[0]);
        self.0 = bytes.fold(self.0, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    }
}
