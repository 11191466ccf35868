//! Directories that appear under their name only when they are complete.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A directory in the making, next to its target. Dropping it leaves nothing behind.
pub(crate) struct Staging {
    temporary: TempDir,
    parent: PathBuf,
    target: PathBuf,
}

impl Staging {
    /// Makes an empty directory next to `target`, on the same file system.
    pub(crate) fn beside(target: &Path) -> io::Result<Self> {
        let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(parent)?;
        let temporary = tempfile::Builder::new().prefix(".staging-").tempdir_in(parent)?;
        Ok(Self { temporary, parent: parent.to_owned(), target: target.to_owned() })
    }

    /// Where to write meanwhile.
    pub(crate) fn path(&self) -> &Path {
        self.temporary.path()
    }

    /// Gives the directory its name; what had the name before is removed, or put back if that fails.
    pub(crate) fn publish(self) -> io::Result<()> {
        make_readable(self.path())?;
        let old = tempfile::Builder::new().prefix(".staging-").tempdir_in(&self.parent)?;
        let replaced = old.path().join("replaced");
        if self.target.exists() {
            fs::rename(&self.target, &replaced)?;
        }
        let published = fs::rename(self.path(), &self.target);
        if published.is_err() && replaced.exists() && fs::rename(&replaced, &self.target).is_err() {
            tracing::error!(
                "{} could not be replaced; what it held is in {}",
                self.target.display(),
                old.keep().display()
            );
        }
        published
    }
}

/// Temporary directories are private, but bundles are served by web servers that run as somebody else.
#[cfg(unix)]
fn make_readable(dir: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_readable(_dir: &Path) -> io::Result<()> {
    Ok(())
}
