//! What can be wrong with assets.

use std::{
    io,
    path::{Path, PathBuf},
};

use thiserror::Error;

/// Why assets cannot be used, and what to do.
#[derive(Debug, Error)]
pub enum AssetsError {
    /// Nothing to take a head from.
    #[error(
        "people are made from assets, and none are given: `people fetch` gets the package with heads, `people pack` \
         makes a pack of hair and clothes"
    )]
    Nothing,
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A directory is not a pack.
    #[error("{} is no asset pack: it has no geometry.npz; make one with `people pack`", path.display())]
    NoGeometry {
        /// The directory.
        path: PathBuf,
    },
    /// A pack lacks a mesh that every person needs.
    #[error("the pack {} has no {what}; make it anew with `people pack`", path.display())]
    NoMesh {
        /// The pack.
        path: PathBuf,
        /// What is not there.
        what: String,
    },
    /// A file of a pack is damaged.
    #[error("{} is damaged: {problem}; make the pack anew with `people pack`", path.display())]
    DamagedPack {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A pack is bound to another body than the package's.
    #[error(
        "{} was made for another body than the package's; make it anew with `people pack`, or use it alone",
        path.display()
    )]
    OtherBody {
        /// The pack.
        path: PathBuf,
    },
    /// The package with heads is damaged.
    #[error("{} is damaged: {problem}; get it anew with `people fetch`", path.display())]
    DamagedPackage {
        /// The package.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

impl AssetsError {
    /// For `map_err` of what is read from `path`.
    pub(super) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Read { path: path.to_path_buf(), source }
    }

    /// For `map_err` of what is written to `path`.
    pub(super) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Write { path: path.to_path_buf(), source }
    }

    /// For `map_err` of a problem with a file of a pack.
    pub(super) fn pack(path: &Path) -> impl FnOnce(String) -> Self {
        move |problem| Self::DamagedPack { path: path.to_path_buf(), problem }
    }

    /// For `map_err` of a problem with the package.
    pub(super) fn package(path: &Path) -> impl FnOnce(String) -> Self {
        move |problem| Self::DamagedPackage { path: path.to_path_buf(), problem }
    }
}
