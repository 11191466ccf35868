//! Files and directories that appear under their name only when they are complete, and that replace nothing of the
//! user's.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf, absolute};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use anyhow::{Context, Result, bail, ensure};
use tempfile::{Builder, NamedTempFile, TempDir};

/// What the names of everything in the making begin with.
const PREFIX: &str = ".staging-";

/// Files and directories in the making.
static MAKING: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// What is in the making; nothing is published while this is held.
fn making() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    MAKING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes all that is in the making, for a process that ends now: others may still be writing.
pub(crate) fn abandon() {
    remove(&making());
}

fn remove(paths: &BTreeSet<PathBuf>) {
    /// Somebody may write into a directory while it is removed.
    const TRIES: usize = 100;
    for path in paths {
        for _ in 0..TRIES {
            let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
            if removed.is_ok() || !path.exists() {
                break;
            }
        }
    }
}

/// A file or a directory in the making, under the name that it has meanwhile.
pub(crate) struct Making(PathBuf);

impl Making {
    /// What is at `path` goes if the process is ended before this is dropped.
    pub(crate) fn at(path: &Path) -> Self {
        let path = absolute(path).unwrap_or_else(|_| path.to_owned());
        making().insert(path.clone());
        Self(path)
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        making().remove(&self.0);
    }
}

/// A place for a directory, as it was when somebody decided that it may be replaced.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    target: PathBuf,
    /// What it held, if there was a directory.
    held: Option<Vec<Entry>>,
}

/// Name, size and time of something in a directory.
type Entry = (OsString, u64, Option<SystemTime>);

impl Place {
    /// The place `out`, or what it links to. It may be empty or missing.
    ///
    /// # Errors
    /// A file, a link to nothing, or a directory that somebody stands in.
    pub(crate) fn of(out: &Path) -> Result<Self> {
        let name = out.display();
        ensure!(!out.exists() || out.is_dir(), "{name} is a file; name a directory");
        ensure!(out.exists() || !out.is_symlink(), "{name} is a link to nothing; name a directory");
        let target = place_of(out);
        let is_above = |here: PathBuf| here.starts_with(&target);
        ensure!(
            !(out.exists() && std::env::current_dir().is_ok_and(is_above)),
            "{name} is where you are, and would be replaced; call the program from another directory, or name another"
        );
        let held = held_in(&target).with_context(|| format!("cannot read {name}"))?;
        Ok(Self { target, held })
    }

    /// Whether nothing is there.
    pub(crate) fn is_free(&self) -> bool {
        self.held.as_ref().is_none_or(Vec::is_empty)
    }

    /// An empty directory beside the place, on the same file system.
    ///
    /// # Errors
    /// A place that cannot be written to.
    pub(crate) fn staging(self) -> io::Result<Staging> {
        Staging::beside(self)
    }

    /// Whether a directory could be written there; leaves nothing behind but the directories above it.
    ///
    /// # Errors
    /// A place that cannot be written to.
    pub(crate) fn ensure_writable(&self) -> io::Result<()> {
        self.clone().staging().map(drop)
    }
}

/// What a directory holds, in the order of the names.
fn held_in(dir: &Path) -> io::Result<Option<Vec<Entry>>> {
    if !dir.exists() {
        return Ok(None);
    }
    let entries = fs::read_dir(dir)?.map(|entry| {
        let entry = entry?;
        let about = entry.metadata()?;
        Ok((entry.file_name(), about.len(), about.modified().ok()))
    });
    let mut entries = entries.collect::<io::Result<Vec<_>>>()?;
    entries.sort();
    Ok(Some(entries))
}

/// A directory in the making, next to its target. Dropping it leaves nothing behind.
pub(crate) struct Staging {
    temporary: TempDir,
    _making: Making,
    parent: PathBuf,
    place: Place,
}

impl Staging {
    fn beside(place: Place) -> io::Result<Self> {
        let parent = parent_of(&place.target).to_owned();
        fs::create_dir_all(&parent)?;
        let temporary = Builder::new().prefix(PREFIX).tempdir_in(&parent)?;
        Ok(Self { _making: Making::at(temporary.path()), temporary, parent, place })
    }

    /// Where to write meanwhile.
    pub(crate) fn path(&self) -> &Path {
        self.temporary.path()
    }

    /// Gives the directory its name; what had the name before is removed, or put back if that fails.
    ///
    /// # Errors
    /// A place that is no longer as it was: nobody has decided about what is there now. The directory gets another
    /// name.
    pub(crate) fn publish(self) -> io::Result<()> {
        make_readable(self.path())?;
        let target = &self.place.target;
        if held_in(target)? != self.place.held {
            let other = free_name(target);
            fs::rename(self.path(), &other)?;
            let what = format!("it has changed meanwhile, so the result is in {}", other.display());
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, what));
        }
        let old = Builder::new().prefix(PREFIX).tempdir_in(&self.parent)?;
        // A process that ends here has either both or neither.
        let _nothing_is_abandoned = making();
        let replaced = old.path().join("replaced");
        if target.exists() {
            fs::rename(target, &replaced)?;
        }
        let published = fs::rename(self.path(), target);
        if published.is_err() && replaced.exists() && fs::rename(&replaced, target).is_err() {
            tracing::error!("{} could not be replaced; what it held is in {}", target.display(), old.keep().display());
        }
        published
    }
}

/// `clips-2`, `clips-3` or so, for `clips`: the first that nobody has.
fn free_name(target: &Path) -> PathBuf {
    let named = |number: u32| {
        let mut name = target.file_name().unwrap_or_default().to_owned();
        name.push(format!("-{number}"));
        target.with_file_name(name)
    };
    (2..).map(named).find(|path| !path.exists()).unwrap_or_else(|| target.to_owned())
}

/// A file in the making, next to its target. Dropping it leaves nothing behind, and what the target held before.
pub(crate) struct StagedFile {
    /// `None` for what is no file, such as a pipe, which nothing can be renamed to.
    temporary: Option<(NamedTempFile, Making)>,
    target: PathBuf,
}

impl StagedFile {
    /// Makes the directories above `target` and an empty file in the last.
    ///
    /// # Errors
    /// A place that cannot be written to, or a target that is a directory.
    pub(crate) fn beside(target: &Path) -> io::Result<Self> {
        // What a link points to is replaced, not the link.
        let target = fs::canonicalize(target).unwrap_or_else(|_| target.to_owned());
        if target.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory"));
        }
        if target.exists() && !target.is_file() {
            return Ok(Self { temporary: None, target });
        }
        let parent = parent_of(&target);
        fs::create_dir_all(parent)?;
        let temporary = builder().tempfile_in(parent)?;
        let making = Making::at(temporary.path());
        Ok(Self { temporary: Some((temporary, making)), target })
    }

    /// Gives the file its content and its name.
    pub(crate) fn publish(self, bytes: &[u8]) -> io::Result<()> {
        let Some((mut temporary, _making)) = self.temporary else { return fs::write(&self.target, bytes) };
        temporary.write_all(bytes)?;
        temporary.as_file().sync_all()?;
        temporary.persist(&self.target)?;
        Ok(())
    }
}

/// Writes a file, all or nothing, and the directories above it.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    StagedFile::beside(path)?.publish(bytes)
}

/// Whether a file could be written; leaves nothing behind but the directories above it.
///
/// # Errors
/// A place that cannot be written to, or a target that is a directory.
pub(crate) fn ensure_writable(path: &Path) -> io::Result<()> {
    StagedFile::beside(path).map(drop)
}

/// The place `out`, which a command may replace if everything in it `is_ours`, that is, has a name that the command
/// itself gives, and if nothing in it is among the `inputs`.
///
/// # Errors
/// A file, a directory that holds something else, or one that an input lies in, is, or holds.
pub(crate) fn ensure_replaceable(out: &Path, is_ours: impl Fn(&str) -> bool, inputs: &[&Path]) -> Result<Place> {
    let place = Place::of(out).context("--out")?;
    if place.held.is_none() {
        return Ok(place);
    }
    for input in inputs {
        let Ok(input) = fs::canonicalize(input) else { continue };
        ensure!(
            !input.starts_with(&place.target) && !place.target.starts_with(&input),
            "--out {} would replace what {} is read from; name another directory",
            out.display(),
            input.display()
        );
    }
    if let Some(name) = first_foreign(out, is_ours)? {
        bail!(
            "--out {} holds {name}, which this command did not write and which would be lost; name another directory",
            out.display()
        );
    }
    Ok(place)
}

/// Lets a command write the file `out` if that is none of its `inputs`, and nothing that lies in one.
///
/// # Errors
/// A file that the command reads, or may read.
pub(crate) fn ensure_no_input(out: &Path, inputs: &[&Path]) -> Result<()> {
    let Ok(place) = fs::canonicalize(out) else { return Ok(()) };
    for input in inputs {
        // What is no path, such as `synthetic`, is not replaced.
        let Ok(input) = fs::canonicalize(input) else { continue };
        ensure!(
            !place.starts_with(&input),
            "{} would replace what {} is read from; name another file",
            out.display(),
            input.display()
        );
    }
    Ok(())
}

/// Keeps what a command writes out of the directories that it, or another like it, reads everything in.
///
/// # Errors
/// A place, there or not, that is or lies in one of the `inputs`.
pub(crate) fn ensure_apart(out: &Path, inputs: &[&Path]) -> Result<()> {
    let place = place_of(out);
    for input in inputs {
        // What is no path, such as `synthetic`, has nothing in it.
        let Ok(input) = fs::canonicalize(input) else { continue };
        ensure!(
            !place.starts_with(&input),
            "{} lies in {}, which is read as a whole; name a place outside",
            out.display(),
            input.display()
        );
    }
    Ok(())
}

/// Keeps two results of a command apart, of which the second is a file, so that neither replaces the other.
///
/// # Errors
/// One name for both, or the second within the first, which is replaced as a whole.
pub(crate) fn ensure_distinct(first: (&str, &Path), second: (&str, &Path)) -> Result<()> {
    ensure!(
        !place_of(second.1).starts_with(place_of(first.1)),
        "{} {} and {} {} would replace each other; give them different names",
        first.0,
        first.1.display(),
        second.0,
        second.1.display()
    );
    Ok(())
}

/// Where a path leads that may not be there yet: links are followed as far as there are any.
fn place_of(path: &Path) -> PathBuf {
    let path = absolute(path).unwrap_or_else(|_| path.to_owned());
    for above in path.ancestors() {
        if let (Ok(place), Ok(rest)) = (fs::canonicalize(above), path.strip_prefix(above)) {
            // Joining nothing would add a slash, which makes a file a directory.
            return if rest.as_os_str().is_empty() { place } else { place.join(rest) };
        }
    }
    path
}

/// The name of something in the directory that is not ours, the first in alphabetical order.
fn first_foreign(dir: &Path, is_ours: impl Fn(&str) -> bool) -> Result<Option<String>> {
    let unreadable = || format!("cannot read {}", dir.display());
    let mut foreign = Vec::new();
    for entry in fs::read_dir(dir).with_context(unreadable)? {
        let entry = entry.with_context(unreadable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type().with_context(unreadable)?.is_dir() || !is_ours(&name) {
            foreign.push(name);
        }
    }
    Ok(foreign.into_iter().min())
}

fn parent_of(target: &Path) -> &Path {
    target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Temporary files and directories are private, but what they become is for everybody whom the user lets read it, such
/// as a web server that runs as somebody else.
#[cfg(unix)]
fn builder() -> Builder<'static, 'static> {
    use std::os::unix::fs::PermissionsExt;
    let mut builder = Builder::new();
    builder.prefix(PREFIX).permissions(fs::Permissions::from_mode(0o666));
    builder
}

#[cfg(not(unix))]
fn builder() -> Builder<'static, 'static> {
    let mut builder = Builder::new();
    builder.prefix(PREFIX);
    builder
}

#[cfg(unix)]
fn make_readable(dir: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_readable(_dir: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(out: &Path, inputs: &[&Path]) -> String {
        let refused = ensure_replaceable(out, |name| name == "ours", inputs);
        refused.err().map(|error| format!("{error:#}")).unwrap_or_default()
    }

    #[test]
    fn what_is_written_stays_out_of_the_data() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        fs::create_dir(&data).unwrap();
        for out in ["data", "data/run", "data/not/there"] {
            let message = ensure_apart(&dir.path().join(out), &[&data]).unwrap_err().to_string();
            assert!(message.contains("which is read as a whole"), "{message}");
        }
        for out in ["run", "database/run", "."] {
            assert!(ensure_apart(&dir.path().join(out), &[&data, Path::new("synthetic")]).is_ok(), "{out}");
        }
    }

    #[test]
    fn what_appears_while_something_is_made_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let make = |name: &str| {
            let staging = Place::of(&at(name)).unwrap().staging().unwrap();
            fs::write(staging.path().join("result"), b"new").unwrap();
            staging
        };
        make("clips").publish().unwrap();
        make("clips").publish().unwrap();
        let staging = make("clips");
        fs::write(at("clips/thesis.tex"), b"years of work").unwrap();
        let message = staging.publish().unwrap_err().to_string();
        assert!(message.contains("clips-2"), "{message}");
        assert_eq!(fs::read(at("clips/thesis.tex")).unwrap(), b"years of work");
        assert_eq!(fs::read(at("clips-2/result")).unwrap(), b"new");
        let staging = make("other");
        fs::create_dir(at("other")).unwrap();
        assert!(staging.publish().unwrap_err().to_string().contains("other-2"));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 4, "nothing else is left");
    }

    #[cfg(unix)]
    #[test]
    fn links_to_directories_stay_links() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        let [real, link, dangling] = ["real", "link", "dangling"].map(|name| dir.path().join(name));
        fs::create_dir(&real).unwrap();
        symlink(&real, &link).unwrap();
        symlink(dir.path().join("nowhere"), &dangling).unwrap();
        let staging = Place::of(&link).unwrap().staging().unwrap();
        fs::write(staging.path().join("result"), b"new").unwrap();
        staging.publish().unwrap();
        assert!(link.is_symlink() && real.join("result").exists());
        assert!(Place::of(&dangling).unwrap_err().to_string().contains("a link to nothing"));
        let here = std::env::current_dir().unwrap();
        for taken in [Path::new("."), here.as_path(), here.parent().unwrap()] {
            assert!(Place::of(taken).unwrap_err().to_string().contains("is where you are"), "{}", taken.display());
        }
    }

    #[test]
    fn two_results_have_two_names() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let is_distinct =
            |first: &str, second: &str| ensure_distinct(("--out", &at(first)), ("--sheet", &at(second))).is_ok();
        assert!(is_distinct("clip.gif", "sheet.png") && is_distinct("clips", "clips-sheet.png"));
        assert!(!is_distinct("clip.gif", "clip.gif") && !is_distinct("clip.gif", "./clip.gif"));
        assert!(!is_distinct("clips", "clips/report.json"));
        fs::write(at("clip.gif"), b"x").unwrap();
        assert!(!is_distinct("clip.gif", "clip.gif"), "one that is there");
    }

    #[test]
    fn what_is_in_the_making_goes_with_the_process() {
        let dir = tempfile::tempdir().unwrap();
        let staging = Place::of(&dir.path().join("clips")).unwrap().staging().unwrap();
        fs::create_dir(staging.path().join("anna")).unwrap();
        let file = StagedFile::beside(&dir.path().join("report.json")).unwrap();
        write_file(&dir.path().join("done.json"), b"{}").unwrap();
        let ours = making().iter().filter(|path| path.starts_with(dir.path())).cloned().collect();
        remove(&ours);
        let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["done.json"]);
        drop((staging, file));
    }

    #[test]
    fn only_what_is_ours_is_replaced_and_never_an_input() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let out = at("models/mine");
        assert_eq!(message(&out, &[]), "", "what is not there can be written");
        fs::create_dir_all(&out).unwrap();
        fs::write(out.join("ours"), b"x").unwrap();
        assert_eq!(message(&out, &[&at("models/other"), &at("models/mine-too")]), "");

        fs::create_dir_all(at("models/mine-too")).unwrap();
        assert_eq!(message(&out, &[&at("models/mine-too")]), "", "a longer name is another directory");
        for (input, what) in [("models/mine", "itself"), ("models", "a part"), ("models/mine/ours", "around it")] {
            assert!(message(&out, &[&at(input)]).contains("would replace what"), "{what}");
        }
        fs::create_dir(out.join("chapters")).unwrap();
        assert!(message(&out, &[]).contains("holds chapters"));
        fs::remove_dir(out.join("chapters")).unwrap();
        fs::write(out.join("thesis.tex"), b"years of work").unwrap();
        assert!(message(&out, &[]).contains("holds thesis.tex"));
        assert!(message(&out.join("ours"), &[]).contains("is a file"));
    }

    #[test]
    fn a_file_that_is_read_is_not_written() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("model")).unwrap();
        fs::write(at("model/manifest.json"), b"{}").unwrap();
        let is_free = |out: &str, input: &str| ensure_no_input(&at(out), &[&at(input)]).is_ok();
        assert!(!is_free("model/manifest.json", "model/manifest.json"));
        assert!(!is_free("model/../model/manifest.json", "model"));
        assert!(is_free("model/report.json", "model"), "it replaces nothing");
        fs::write(at("report.json"), b"an earlier one").unwrap();
        assert!(is_free("report.json", "model") && is_free("report.json", "synthetic"));
    }

    #[test]
    fn a_file_is_replaced_at_once_or_stays_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/report.json");
        write_file(&path, b"first").unwrap();
        let staged = StagedFile::beside(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"first");
        drop(staged);
        assert_eq!(fs::read(&path).unwrap(), b"first");
        write_file(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::read_dir(dir.path().join("new")).unwrap().count(), 1, "something is left");
        assert!(write_file(dir.path(), b"x").is_err(), "a directory is no file");
    }

    #[cfg(unix)]
    #[test]
    fn links_and_permissions_are_those_of_ordinary_files() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let dir = tempfile::tempdir().unwrap();
        let [file, link, plain] = ["file", "link", "plain"].map(|name| dir.path().join(name));
        write_file(&file, b"1").unwrap();
        symlink(&file, &link).unwrap();
        write_file(&link, b"2").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"2");
        assert!(link.is_symlink());
        fs::write(&plain, b"").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&file), mode(&plain));
    }
}
