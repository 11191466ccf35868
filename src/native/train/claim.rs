//! A run directory belongs to one process at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::bundle::MANIFEST;
use crate::native::checkpoint::newest_step;
use crate::native::data::META;

/// The file that is locked; the system unlocks it when a process ends, however it does.
const LOCK: &str = ".lock";
/// What a run writes and others have too, and what a model or clips begin with, which a run would be mixed up with.
const STRANGERS: [&str; 4] = ["plots", "previews", MANIFEST, META];

/// A run directory that no other process trains in, until this is dropped.
pub(super) struct Claim {
    _lock: File,
}

impl Claim {
    /// Makes the directory, if need be, and claims it.
    ///
    /// # Errors
    /// A directory that cannot be written, that another process trains in, or that holds pictures of no run, a model or
    /// clips.
    pub(super) fn of(directory: &Path) -> Result<Self> {
        ensure_no_stranger(directory)?;
        let failed = || format!("cannot write to {}", directory.display());
        std::fs::create_dir_all(directory).with_context(failed)?;
        let path = directory.join(LOCK);
        ensure!(!path.exists() || path.is_file(), "{} is not a file; remove it", path.display());
        let lock = OpenOptions::new().create(true).append(true).open(path).with_context(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "another process is training in {} now; wait for its end, or choose another --out",
                directory.display()
            ),
            // Some network file systems have no locks.
            Err(TryLockError::Error(error)) => {
                tracing::warn!("cannot tell whether another process is training in {}: {error}", directory.display());
            }
        }
        Ok(Self { _lock: lock })
    }
}

/// What a run writes is replaced as it goes on, so it has to be of a run: of one that was claimed, or has a checkpoint.
/// It does not go into a model or among clips either.
fn ensure_no_stranger(directory: &Path) -> Result<()> {
    if directory.join(LOCK).exists() || newest_step(directory).is_some() {
        return Ok(());
    }
    let stranger = STRANGERS.map(|name| directory.join(name)).into_iter().find(|path| path.exists());
    match stranger {
        Some(path) => bail!("{} is of no run; choose another --out, so that nothing is mixed up", path.display()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_that_no_run_made_are_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("plots")).unwrap();
        for _ in 0..2 {
            let message = Claim::of(dir.path()).err().unwrap().to_string();
            assert!(message.contains("plots is of no run"), "{message}");
        }
        std::fs::remove_dir(dir.path().join("plots")).unwrap();
        std::fs::write(dir.path().join(MANIFEST), b"{}").unwrap();
        let message = Claim::of(dir.path()).err().unwrap().to_string();
        assert!(message.contains("manifest.json is of no run"), "{message}");
        assert!(!dir.path().join(LOCK).exists(), "a directory that is left alone is left as it was");
        std::fs::remove_file(dir.path().join(MANIFEST)).unwrap();
        drop(Claim::of(dir.path()).unwrap());
        std::fs::create_dir(dir.path().join("previews")).unwrap();
        assert!(Claim::of(dir.path()).is_ok(), "a run that was stopped early");
    }

    #[test]
    fn a_run_belongs_to_one_process_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let run = dir.path().join("runs/lfae");
        let claim = Claim::of(&run).unwrap();
        let refused = Claim::of(&run).err().unwrap().to_string();
        assert!(refused.contains("another process is training in"), "{refused}");
        drop(claim);
        Claim::of(&run).unwrap();
    }
}
