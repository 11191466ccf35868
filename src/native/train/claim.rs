//! A run directory belongs to one process at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use anyhow::{Context, Result, bail};

/// The file that is locked; the system unlocks it when a process ends, however it does.
const LOCK: &str = ".lock";

/// A run directory that no other process trains in, until this is dropped.
pub(super) struct Claim {
    _lock: File,
}

impl Claim {
    /// Makes the directory, if need be, and claims it.
    ///
    /// # Errors
    /// A directory that cannot be written, or that another process trains in.
    pub(super) fn of(directory: &Path) -> Result<Self> {
        let failed = || format!("cannot write to {}", directory.display());
        std::fs::create_dir_all(directory).with_context(failed)?;
        let lock = OpenOptions::new().create(true).append(true).open(directory.join(LOCK)).with_context(failed)?;
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

#[cfg(test)]
mod tests {
    use super::*;

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
