//! Everything that CI runs.

use std::env;

use anyhow::Result;
use xshell::{Shell, cmd};

use crate::{gates, page, phases::Phases, system::which, target_dir, tools, wasm::WasmToolchain};

/// The trainings: minutes of computing that `--quick` leaves out.
const TRAININGS: &str = "training";

/// The renderer of people.
pub(crate) const PEOPLE: &str = "lfdm-people";

/// Tells the browser tests to leave out the slow ones.
const QUICK: &str = "LFDM_QUICK";

pub(crate) fn run(sh: &Shell, quick: bool) -> Result<()> {
    if quick {
        sh.set_var(QUICK, "1");
    }
    let mut phases = Phases::default();
    let outcome = run_phases(sh, quick, &mut phases);
    phases.print_summary();
    outcome
}

fn run_phases(sh: &Shell, quick: bool, phases: &mut Phases) -> Result<()> {
    gates::before_tests(sh, phases)?;
    let chromium = phases.run("setup", || {
        WasmToolchain::ensure(sh)?;
        tools::trunk(sh)?;
        tools::node_modules(sh, "tests/browser")?;
        tools::chromium(sh)
    })?;
    phases.run("xtask tests", || Ok(cmd!(sh, "cargo test --package xtask").run()?))?;
    phases.run("people tests", || Ok(cmd!(sh, "cargo test --package {PEOPLE}").run()?))?;
    phases.run("native tests", || native(sh, quick))?;
    phases.run("doc tests", || Ok(cmd!(sh, "cargo test --doc --features native").run()?))?;
    phases.run("native binary", || Ok(cmd!(sh, "cargo build --features native").run()?))?;
    phases.run("page", || page::build(sh, false))?;
    phases.run("browser tests", || {
        let binary = target_dir()?.join("debug").join(format!("lfdm{}", env::consts::EXE_SUFFIX));
        let dist = sh.current_dir().join("dist");
        let _in_tests = sh.push_dir("tests/browser");
        let npm = cmd!(sh, "npm test").env("LFDM_BIN", binary).env("LFDM_DIST", dist);
        Ok(npm.env("LFDM_CHROMIUM", &chromium).run()?)
    })
}

/// With nextest, where the machine has it: it runs the tests of all programs at once, cargo one
/// program after the other.
fn native(sh: &Shell, quick: bool) -> Result<()> {
    if which("cargo-nextest").is_some() {
        let but_trainings = format!("not binary({TRAININGS})");
        let filter: &[&str] = if quick { &["--filterset", &but_trainings] } else { &[] };
        return Ok(cmd!(sh, "cargo nextest run --features native {filter...}").run()?);
    }
    if !quick {
        return Ok(cmd!(sh, "cargo test --features native --lib --bins --tests --examples").run()?);
    }
    cmd!(sh, "cargo test --features native --lib --bins --examples").run()?;
    for test in tests(sh)?.iter().filter(|test| *test != TRAININGS) {
        cmd!(sh, "cargo test --features native --test {test}").run()?;
    }
    Ok(())
}

/// The programs that cargo makes of `tests/`.
fn tests(sh: &Shell) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in sh.read_dir("tests")? {
        let is_program =
            entry.extension().is_some_and(|extension| extension == "rs") || entry.join("main.rs").is_file();
        if let (true, Some(name)) = (is_program, entry.file_stem()) {
            names.push(name.to_string_lossy().into_owned());
        }
    }
    Ok(names)
}
