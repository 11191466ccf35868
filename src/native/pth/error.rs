//! What can be wrong with a checkpoint.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why a checkpoint could not be read or written.
#[derive(Debug, Error)]
#[error("{} {problem}", path.display())]
pub struct PthError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    #[source]
    pub problem: Problem,
}

/// What is wrong with a checkpoint.
#[derive(Debug, Error)]
pub enum Problem {
    /// It names something that no weights need.
    #[error(
        "asks for `{0}`, which no weights need, and is refused; nothing in it was run. If you trust the file, load it \
         with PyTorch, save its state dicts alone, and import those"
    )]
    Code(String),
    /// It is incomplete or contradicts itself.
    #[error("is damaged: {0}; copy or download it again")]
    Damaged(String),
    /// It is of a kind that is not read or written.
    #[error("is not a checkpoint that lfdm knows: {0}; save its state dicts again with torch.save")]
    Foreign(String),
    /// The system refused.
    #[error("cannot be read or written: {0}")]
    Io(#[from] std::io::Error),
}

/// Says which file a problem is with.
pub(super) fn at(path: &Path) -> impl Fn(Problem) -> PthError {
    let path = path.to_owned();
    move |problem| PthError { path: path.clone(), problem }
}
