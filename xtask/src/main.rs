//! `cargo xtask <task>`: what people who work on lfdm do often, one command each, on a machine that has only Rust, a C
//! linker and a network. Everything else is installed on first use and found again on the next.

mod bench;
mod gates;
mod house;
mod module;
mod page;
mod phases;
mod precache;
mod server;
mod system;
mod test;
mod tools;
mod wasm;

use std::{
    env,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use xshell::Shell;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Build, serve and test lfdm")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what building the page and `trunk serve` need: a wasm32 standard library and trunk.
    Setup,
    /// Build the module and serve the page at a printed address. A reload shows what changed in www/ and pkg/.
    Serve {
        /// The address to listen on; 0.0.0.0 lets other machines in.
        #[arg(long, default_value = "127.0.0.1")]
        address: String,
        #[arg(long, default_value_t = 8080)]
        port: u16,
        /// Serve with trunk instead, which also rebuilds the module when a Rust file changes. It is installed first.
        #[arg(long)]
        trunk: bool,
        /// Further arguments for `trunk serve`.
        #[arg(last = true, requires = "trunk")]
        arguments: Vec<String>,
    },
    /// Build the static page into dist/, ready for any path of any static host.
    Build {
        /// As small as it gets, for publishing: link-time optimisation and wasm-opt, which take many minutes.
        #[arg(long)]
        small: bool,
    },
    /// Build the wasm module, with and without relaxed SIMD, and its JavaScript glue into pkg/. Trunk calls this before
    /// each build of the page.
    Wasm,
    /// Write the list of the page's files into its service worker. Trunk calls this after each build of the page.
    Precache {
        /// The built page; trunk names it in the environment.
        directory: Option<PathBuf>,
    },
    /// Install what the tests need, then check the sources and run all tests: native, wasm build, browser.
    Test {
        /// Leave out the trainings and the slow browser tests.
        #[arg(long)]
        quick: bool,
    },
    /// Print what a video costs, ours beside onnxruntime with the same network, in the page and natively.
    Bench(bench::Args),
    /// Check the sources on every feature set and on wasm32; `test` checks the sets that it builds.
    Lint {
        /// Leave out clippy and rustdoc, which compile.
        #[arg(long)]
        quick: bool,
    },
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
        Task::Setup => page::setup(&sh),
        Task::Serve { address, port, trunk: true, arguments } => {
            page::serve_with_trunk(&sh, &address, port, &arguments)
        }
        Task::Serve { address, port, .. } => page::serve(&sh, &address, port),
        Task::Build { small } => page::build(&sh, small),
        Task::Wasm => module::build(&sh, page::is_in_work()),
        Task::Precache { directory } => page::precache(directory),
        Task::Test { quick } => test::run(&sh, quick),
        Task::Bench(args) => bench::run(&sh, &args),
        Task::Lint { quick } => gates::lint(&sh, quick),
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
