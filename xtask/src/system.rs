//! The machine around the checkout: programs on PATH, Debian packages, the cache directory.

use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

/// Says on the terminal what happens next, or what was found.
pub(crate) fn step(what: &str) {
    eprintln!("==> {what}");
}

/// The executable that a shell would run for `program`.
pub(crate) fn which(program: &str) -> Option<PathBuf> {
    which_in(program, &env::var_os("PATH")?)
}

/// Where the tools lie that this project installs, shared by all its checkouts.
pub(crate) fn cache_dir() -> Result<PathBuf> {
    let base = match env::var_os("XDG_CACHE_HOME").filter(|path| Path::new(path).is_absolute()) {
        Some(path) => PathBuf::from(path),
        None => env::home_dir().context("neither XDG_CACHE_HOME nor HOME says where to keep tools")?.join(".cache"),
    };
    Ok(base.join("lfdm"))
}

/// Installs Debian packages as root, or by a `sudo` that asks for no password. `purpose` is what
/// they are needed for, and `instead` what a person can do on a machine where this is impossible.
pub(crate) fn apt_install(sh: &Shell, packages: &[&str], purpose: &str, instead: &str) -> Result<()> {
    let names = packages.join(" ");
    let Some(apt) = which("apt-get") else {
        bail!("{purpose} is missing, and there is no apt-get to install it with. {instead}");
    };
    let is_root = cmd!(sh, "id -u").quiet().read()? == "0";
    let sudo: &[&str] = match is_root {
        true => &[],
        false if cmd!(sh, "sudo -n true").quiet().ignore_stderr().run().is_ok() => &["sudo", "-n"],
        false => bail!("{purpose} is missing. Run `sudo apt-get install {names}` and try again. {instead}"),
    };
    step(&format!("installing {names}: {purpose}"));
    let environment = ["env", "DEBIAN_FRONTEND=noninteractive"];
    let prefix: Vec<&str> = sudo.iter().chain(&environment).copied().collect();
    let [first, rest @ ..] = prefix.as_slice() else { unreachable!("the prefix is never empty") };
    if let Err(error) = cmd!(sh, "{first} {rest...} {apt} update").run() {
        step(&format!("the package lists may be old: {error}"));
    }
    cmd!(sh, "{first} {rest...} {apt} install --yes {packages...}")
        .run()
        .with_context(|| format!("{purpose} is missing and cannot be installed. {instead}"))
}

fn which_in(program: &str, path: &OsStr) -> Option<PathBuf> {
    env::split_paths(path).map(|directory| directory.join(program)).find(|candidate| is_executable(candidate))
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn only_executable_files_on_the_path_are_programs() -> Result<()> {
        use std::os::unix::fs::PermissionsExt;
        let sh = Shell::new()?;
        let first = sh.create_temp_dir()?;
        let second = sh.create_temp_dir()?;
        let path = env::join_paths([first.path(), second.path()])?;
        assert_eq!(which_in("tool", &path), None);
        sh.write_file(first.path().join("tool"), "not executable")?;
        assert_eq!(which_in("tool", &path), None);
        let tool = second.path().join("tool");
        sh.write_file(&tool, "#!/bin/sh\n")?;
        fs::set_permissions(&tool, fs::Permissions::from_mode(0o755))?;
        assert_eq!(which_in("tool", &path), Some(tool));
        Ok(())
    }
}
