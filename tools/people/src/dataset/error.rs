//! What can go wrong with a set.

use std::{io, path::PathBuf};

use thiserror::Error;

use crate::person::RESERVED_FROM;

/// Why a set cannot be made, and what to do.
#[derive(Debug, Error)]
pub enum DatasetError {
    /// Somebody asks for a person of the final tests.
    #[error(
        "person {id} is kept for final tests, as all from {RESERVED_FROM} on: nobody trains, tunes or looks at them. \
         Set FACES_FINAL_TEST=1 if this is one"
    )]
    Reserved {
        /// Who.
        id: u64,
    },
    /// A person of the final tests in a split that models learn from.
    #[error("person {id} is kept for final tests and cannot be in the split `{split}`; choose `test`")]
    ReservedInSplit {
        /// Who.
        id: u64,
        /// The split.
        split: String,
    },
    /// A person in two splits.
    #[error("person {id} would be in the splits `{one}` and `{other}`; models are judged on people they never saw")]
    TwoSplits {
        /// Who.
        id: u64,
        /// A split.
        one: String,
        /// Another.
        other: String,
    },
    /// Options that do not go together.
    #[error("{0}")]
    Options(String),
    /// The directory holds a set of another kind.
    #[error(
        "{} holds a set that was made with `{setting}` {there}, and this one would have {here}; choose another \
         directory or the same settings", dir.display()
    )]
    Other {
        /// The directory.
        dir: PathBuf,
        /// Which setting differs.
        setting: String,
        /// Its value in the directory.
        there: String,
        /// Its value now.
        here: String,
    },
    /// A description that cannot be read.
    #[error("{} is not the description of a set ({problem}); move it away to have it written anew", path.display())]
    Meta {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A file cannot be written or read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A picture cannot be encoded.
    #[error("cannot encode {}: {problem}", path.display())]
    Encode {
        /// The file that it was for.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// No threads.
    #[error("cannot start {jobs} threads ({problem}); choose fewer with --jobs")]
    Threads {
        /// How many.
        jobs: usize,
        /// Why.
        problem: String,
    },
}
