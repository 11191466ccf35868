//! Rules of this project that no other tool knows: how wide a line is, which room may use which, and that links lead
//! somewhere. Each rule returns what breaks it, one sentence per place.

mod invariants;
mod links;
mod width;

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

/// A file of the repository with its text; `path` is relative to the root and has forward slashes.
struct Source {
    path: String,
    text: String,
}

impl Source {
    fn has_extension(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == extension)
    }
}

/// A place that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
struct Fault {
    path: String,
    /// From 1.
    line: usize,
    what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// Checks all rules on the files that git knows or would add.
pub(crate) fn check(sh: &Shell) -> Result<()> {
    let root = sh.current_dir();
    let files = tracked(sh)?;
    let sources = read(&root, &files)?;
    let mut faults = width::check(&sources);
    faults.extend(links::check(&sources, &files));
    faults.extend(invariants::check(&sources)?);
    if faults.is_empty() {
        return Ok(());
    }
    for fault in &faults {
        eprintln!("{fault}");
    }
    bail!("{} places break a rule of the house", faults.len())
}

/// Paths of the repository's files, relative to its root.
fn tracked(sh: &Shell) -> Result<Vec<String>> {
    let listed = cmd!(sh, "git ls-files --cached --others --exclude-standard").quiet().read();
    let listed = listed.context("the rules of the house look at the files that git knows; this is no checkout")?;
    let root = sh.current_dir();
    // A file that was deleted and not yet committed is still listed.
    Ok(listed.lines().filter(|path| root.join(path).exists()).map(str::to_owned).collect())
}

/// The files that are text of a kind that any rule reads, and ours.
fn read(root: &Path, files: &[String]) -> Result<Vec<Source>> {
    let ours = files.iter().filter(|path| is_ours(path) && is_read(path));
    ours.map(|path| {
        let file: PathBuf = root.join(path);
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        Ok(Source { path: path.clone(), text })
    })
    .collect()
}

fn is_ours(path: &str) -> bool {
    // What others wrote keeps their habits. Fixtures are data.
    !["www/vendor/", "tests/fixtures/", "tests/browser/fixtures/"].iter().any(|prefix| path.starts_with(prefix))
}

fn is_read(path: &str) -> bool {
    path == ".ci/run" || width::kind(path).is_some()
}
