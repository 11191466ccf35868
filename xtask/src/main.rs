//! `cargo xtask <task>`: what people who work on lfdm do often, one command each, on a machine that has only Rust, a C
//! linker and a network. Everything else is installed on first use and found again on the next.

mod phases;
mod precache;
mod system;
mod tools;
mod wasm;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use xshell::{Shell, cmd};

use crate::{
    phases::Phases,
    system::step,
    wasm::{TARGET, WasmToolchain},
};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Build, serve and test lfdm")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what building and serving the page needs: a wasm32 standard library, wasm-bindgen, trunk.
    Setup,
    /// Build the page, serve it at a printed address, and rebuild it when a source file changes.
    Serve {
        /// The address to listen on; 0.0.0.0 lets other machines in.
        #[arg(long, default_value = "127.0.0.1")]
        address: String,
        #[arg(long, default_value_t = 8080)]
        port: u16,
        /// Further arguments for `trunk serve`.
        #[arg(last = true)]
        trunk: Vec<String>,
    },
    /// Build the static page into dist/, ready for any path of any static host.
    Build {
        /// As small as it gets, for publishing: link-time optimisation and wasm-opt, which take many minutes.
        #[arg(long)]
        small: bool,
    },
    /// Build the wasm module and its JavaScript glue into pkg/. Trunk calls this before each build of the page.
    Wasm,
    /// Write the list of the page's files into its service worker. Trunk calls this after each build of the page.
    Precache {
        /// The built page; trunk names it in the environment.
        directory: Option<PathBuf>,
    },
    /// Install what the tests need, then run them all: format, native, wasm build, browser.
    Test,
    /// Format, clippy and rustdoc without a warning, on every feature set.
    Lint,
}

fn main() -> ExitCode {
    match run(Cli::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    let sh = shell()?;
    match task {
        Task::Setup => setup(&sh),
        Task::Serve { address, port, trunk } => serve(&sh, &address, port, &trunk),
        Task::Build { small } => build(&sh, small),
        Task::Wasm => build_wasm(&sh),
        Task::Precache { directory } => precache(directory),
        Task::Test => test(&sh),
        Task::Lint => lint(&sh),
    }
}

/// A shell in the root of the checkout, whose cargo builds land where this binary was built.
fn shell() -> Result<Shell> {
    // Asked at run time: two checkouts that share a target directory also share this binary.
    let manifest_dir = env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    let root = Path::new(&manifest_dir).parent().context("xtask/ lies in no directory")?;
    let sh = Shell::new()?;
    sh.change_dir(root);
    sh.set_var("CARGO_TARGET_DIR", target_dir()?);
    if env::var_os("NO_COLOR").is_some() {
        // Any value means the same to everyone but trunk, which stops at what is not a boolean.
        sh.set_var("NO_COLOR", "true");
    }
    Ok(sh)
}

/// The directory cargo builds into, whatever of the command line, the environment and the configuration chose it.
fn target_dir() -> Result<PathBuf> {
    let executable = env::current_exe().context("cannot find the path of this program")?;
    let target = executable.parent().and_then(Path::parent);
    Ok(target.context("this program does not lie in a target directory")?.to_owned())
}

fn setup(sh: &Shell) -> Result<()> {
    let toolchain = WasmToolchain::ensure(sh)?;
    let wasm_bindgen = tools::wasm_bindgen(sh)?;
    let trunk = tools::trunk(sh)?;
    tools::put_on_path(&trunk)?;
    step(&format!("ready: wasm32 from {toolchain}, {}, {}", wasm_bindgen.display(), trunk.display()));
    Ok(())
}

fn serve(sh: &Shell, address: &str, port: u16, arguments: &[String]) -> Result<()> {
    setup(sh)?;
    let trunk = tools::trunk(sh)?;
    let port = port.to_string();
    step(&format!(
        "the page will be at http://{address}:{port}/ once it is built (the first build compiles some 400 crates)"
    ));
    cmd!(sh, "{trunk} serve --offline --address {address} --port {port} {arguments...}").run()?;
    Ok(())
}

/// Set for the hook that builds the module: `cargo xtask wasm`.
const SMALL: &str = "LFDM_SMALL_WASM";

fn build(sh: &Shell, small: bool) -> Result<()> {
    WasmToolchain::ensure(sh)?;
    tools::wasm_bindgen(sh)?;
    if small {
        tools::wasm_opt(sh)?;
        sh.set_var(SMALL, "1");
    }
    let trunk = tools::trunk(sh)?;
    // A relative public URL, so that the page works under any path: a project page, a sub-directory, a file share.
    cmd!(sh, "{trunk} build --offline --release --public-url ./").run()?;
    step(&format!("the page is in {}", sh.current_dir().join("dist").display()));
    Ok(())
}

/// Trunk runs this as a hook, instead of building the crate itself: so `trunk serve` works in a shell that knows nothing of
/// the fallback compiler, and the page uses the very files that the npm package ships.
fn build_wasm(sh: &Shell) -> Result<()> {
    if env::var_os("LFDM_SKIP_WASM").is_some() {
        step("LFDM_SKIP_WASM is set: pkg/ stays as it is");
        return Ok(());
    }
    let toolchain = WasmToolchain::ensure(sh)?;
    let wasm_bindgen = tools::wasm_bindgen(sh)?;
    // The release profile for daily work too: unoptimised tensor code is unusable, and a second profile would be a second
    // graph of dependencies to compile.
    let small = env::var_os(SMALL).is_some();
    let profile = if small { "small" } else { "release" };
    let mut cargo = cmd!(sh, "cargo build --package lfdm --lib --profile {profile} --target {TARGET}");
    for (key, value) in toolchain.environment() {
        cargo = cargo.env(key, value);
    }
    cargo.run()?;
    let target = target_dir()?;
    let module = target.join(TARGET).join(profile).join("lfdm.wasm");
    let glued = target.join("wasm-bindgen");
    cmd!(sh, "{wasm_bindgen} --target web --out-dir {glued} --out-name lfdm {module}").run()?;
    if small {
        tools::optimise(sh, &glued.join("lfdm_bg.wasm"))?;
    }
    for file in sh.read_dir(&glued)? {
        copy_if_changed(&file, &sh.current_dir().join("pkg"))?;
    }
    let bytes = fs::metadata(glued.join("lfdm_bg.wasm"))?.len();
    step(&format!("pkg/lfdm_bg.wasm: {:.1} MB", bytes as f64 / 1e6));
    Ok(())
}

fn precache(directory: Option<PathBuf>) -> Result<()> {
    // While people work on the page, it should come from the server: a worker without a list removes itself.
    if directory.is_none() && env::var_os("TRUNK_PROFILE").is_some_and(|profile| profile == "debug") {
        return Ok(());
    }
    let directory = directory.or_else(|| env::var_os("TRUNK_STAGING_DIR").map(PathBuf::from));
    let directory = directory.context("name the directory of the built page: cargo xtask precache dist")?;
    let files = precache::write(&directory)?;
    step(&format!("sw.js keeps {files} files for use offline"));
    Ok(())
}

/// Trunk watches pkg/, so a file that would stay the same must not look new to it.
fn copy_if_changed(file: &Path, directory: &Path) -> Result<()> {
    let copy = directory.join(file.file_name().with_context(|| format!("{} has no name", file.display()))?);
    let content = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    if fs::read(&copy).is_ok_and(|present| present == content) {
        return Ok(());
    }
    fs::write(&copy, content).with_context(|| format!("cannot write {}", copy.display()))
}

fn test(sh: &Shell) -> Result<()> {
    let mut phases = Phases::default();
    let outcome = test_phases(sh, &mut phases);
    phases.print_summary();
    outcome
}

fn test_phases(sh: &Shell, phases: &mut Phases) -> Result<()> {
    phases.run("format", || Ok(cmd!(sh, "cargo fmt --all --check").run()?))?;
    let chromium = phases.run("setup", || {
        WasmToolchain::ensure(sh)?;
        tools::wasm_bindgen(sh)?;
        tools::trunk(sh)?;
        tools::node_modules(sh, "tests/browser")?;
        tools::chromium(sh)
    })?;
    phases.run("xtask tests", || Ok(cmd!(sh, "cargo test --package xtask").run()?))?;
    phases.run("native tests", || Ok(cmd!(sh, "cargo test --features native").run()?))?;
    phases.run("native binary", || Ok(cmd!(sh, "cargo build --features native").run()?))?;
    phases.run("page", || build(sh, false))?;
    phases.run("browser tests", || {
        let binary = target_dir()?.join("debug").join(format!("lfdm{}", env::consts::EXE_SUFFIX));
        let dist = sh.current_dir().join("dist");
        let _in_tests = sh.push_dir("tests/browser");
        let npm = cmd!(sh, "npm test").env("LFDM_BIN", binary).env("LFDM_DIST", dist);
        Ok(npm.env("LFDM_CHROMIUM", &chromium).run()?)
    })
}

fn lint(sh: &Shell) -> Result<()> {
    cmd!(sh, "cargo fmt --all --check").run()?;
    cmd!(sh, "cargo clippy --package xtask --all-targets -- --deny warnings").run()?;
    for features in ["", "gpu", "native", "native,gpu"] {
        cmd!(sh, "cargo clippy --all-targets --no-default-features --features {features} -- --deny warnings").run()?;
    }
    match WasmToolchain::ensure(sh)? {
        WasmToolchain::Installed => {
            cmd!(sh, "cargo clippy --lib --target {TARGET} -- --deny warnings").run()?;
        }
        // Clippy must be of the version of the compiler, and Debian packages none for this one.
        WasmToolchain::Debian { .. } => step("clippy on wasm32 is left out: it needs rustup's wasm32 target"),
    }
    cmd!(sh, "cargo doc --no-deps --features native").env("RUSTDOCFLAGS", "--deny warnings").run()?;
    for (program, arguments) in [("cargo-deny", ["check"].as_slice()), ("typos", &[])] {
        match system::which(program) {
            Some(path) => cmd!(sh, "{path} {arguments...}").run()?,
            None => step(&format!("{program} is not installed, left out: cargo install {program}")),
        }
    }
    Ok(())
}
