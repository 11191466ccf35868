//! What must hold of the sources before a test runs, from the cheapest to the dearest. A gate that fails does not keep
//! the others from looking, so that one run tells everything.

use std::{fs, path::Path};

use anyhow::Result;
use xshell::{Shell, cmd};

use crate::{
    house,
    phases::Phases,
    system::step,
    test::PEOPLE,
    tools,
    wasm::{TARGET, WasmToolchain},
};

/// The crate's feature sets but for `cuda` and `tch`, which need libraries of the machine.
const FEATURE_SETS: [&str; 4] = ["", "gpu", "native", "native,gpu"];

/// What `cargo xtask test` looks at. The WebGPU device is most of what there is to compile, and clippy and rustdoc
/// compile what they need apart from the tests: with the device 9 minutes on two cores from nothing, which a fresh
/// machine is spared.
const BEFORE_TESTS: &str = "native";

/// Every gate on every feature set; if `quick`, those that compile nothing.
pub(crate) fn lint(sh: &Shell, quick: bool) -> Result<()> {
    let mut phases = Phases::default();
    quick_gates(sh, &mut phases);
    if !quick {
        phases.attempt("clippy", || with("clippy", tools::clippy(sh), |()| every_clippy(sh)));
        phases.attempt("rustdoc", || rustdoc(sh, "native,gpu"));
    }
    phases.print_summary();
    phases.verdict()
}

/// The gates that `cargo xtask test` begins with.
pub(crate) fn before_tests(sh: &Shell, phases: &mut Phases) -> Result<()> {
    quick_gates(sh, phases);
    phases.attempt("clippy", || with("clippy", tools::clippy(sh), |()| clippy(sh, BEFORE_TESTS)));
    phases.attempt("rustdoc", || rustdoc(sh, BEFORE_TESTS));
    phases.verdict()
}

/// The gates that compile nothing.
fn quick_gates(sh: &Shell, phases: &mut Phases) {
    phases
        .attempt("format", || with("rustfmt", tools::rustfmt(sh), |()| Ok(cmd!(sh, "cargo fmt --all --check").run()?)));
    phases.attempt("house rules", || house::check(sh));
    phases.attempt("typos", || with("typos", tools::typos(sh), |typos| Ok(cmd!(sh, "{typos}").run()?)));
    // Advisories come from a database that changes without us: the workflow asks it, not the tests.
    phases.attempt("cargo deny", || {
        with("cargo-deny", tools::cargo_deny(sh), |deny| {
            Ok(cmd!(sh, "{deny} --locked check bans licenses sources").run()?)
        })
    });
    phases.attempt("javascript", || {
        tools::node_modules(sh, "tests/browser")?;
        forget_older_types(sh)?;
        let _in_tests = sh.push_dir("tests/browser");
        Ok(cmd!(sh, "npm run lint").run()?)
    });
}

/// The glue of the module and its types are made with it. Those of an older one would be held against JavaScript that
/// calls this one; without any, the types that stand in for them are.
fn forget_older_types(sh: &Shell) -> Result<()> {
    let types = Path::new("pkg/lfdm.d.ts");
    let sources = sh.read_dir("src/web")?;
    if types.exists() && !sources.iter().all(|source| is_newer(types, source)) {
        step("pkg/lfdm.js and its types are of an older module and go; the next build makes others");
        // Without the types, the glue itself would be read, which is not written to be checked.
        sh.remove_path("pkg/lfdm.js")?;
        sh.remove_path(types)?;
    }
    Ok(())
}

/// Whether a file was made after the one that it was made of.
fn is_newer(made: &Path, of: &Path) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|data| data.modified());
    matches!((changed(made), changed(of)), (Ok(made), Ok(of)) if made > of)
}

/// A check by a program that was looked for. A machine that cannot get it can still test everything else; the workflow
/// has it.
fn with<T>(program: &str, found: Result<T>, check: impl FnOnce(T) -> Result<()>) -> Result<()> {
    match found {
        Ok(found) => check(found),
        Err(error) => {
            step(&format!("WARNING: {program} CANNOT BE HAD, SO ITS GATE IS LEFT OUT: {error:#}"));
            Ok(())
        }
    }
}

fn every_clippy(sh: &Shell) -> Result<()> {
    for features in FEATURE_SETS {
        clippy(sh, features)?;
    }
    match WasmToolchain::ensure(sh)? {
        WasmToolchain::Installed => Ok(cmd!(sh, "cargo clippy --lib --target {TARGET} -- --deny warnings").run()?),
        // Clippy must be of the version of the compiler, and Debian packages none for this one.
        WasmToolchain::Debian { .. } => {
            step("WARNING: CLIPPY ON WASM32 IS LEFT OUT: it needs rustup's wasm32 target");
            Ok(())
        }
    }
}

/// Not with the other packages in one command, here and wherever cargo compiles: together they share the features of
/// what all depend on, and a good part of the crate's dependencies would be compiled a second time for that.
fn clippy(sh: &Shell, features: &str) -> Result<()> {
    for package in ["xtask", PEOPLE] {
        cmd!(sh, "cargo clippy --package {package} --all-targets -- --deny warnings").run()?;
    }
    let set = ["--all-targets", "--no-default-features", "--features", features];
    Ok(cmd!(sh, "cargo clippy {set...} -- --deny warnings").run()?)
}

fn rustdoc(sh: &Shell, features: &str) -> Result<()> {
    let documentation = cmd!(sh, "cargo doc --no-deps --no-default-features --features {features}");
    Ok(documentation.env("RUSTDOCFLAGS", "--deny warnings").run()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_than_its_source_is_told_by_its_time() -> Result<()> {
        let directory = Shell::new()?.create_temp_dir()?;
        let [source, made] = ["lib.rs", "lfdm.d.ts"].map(|name| directory.path().join(name));
        fs::write(&source, "")?;
        assert!(!is_newer(&made, &source));
        fs::write(&made, "")?;
        let later = fs::metadata(&source)?.modified()? + std::time::Duration::from_secs(9);
        fs::File::options().write(true).open(&made)?.set_modified(later)?;
        assert!(is_newer(&made, &source));
        assert!(!is_newer(&source, &made));
        Ok(())
    }
}
