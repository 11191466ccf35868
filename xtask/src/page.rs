//! The page and the wasm module that it shares with the npm package.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use crate::{
    precache,
    system::step,
    target_dir, tools,
    wasm::{TARGET, WasmToolchain},
};

pub(crate) fn setup(sh: &Shell) -> Result<()> {
    let toolchain = WasmToolchain::ensure(sh)?;
    let wasm_bindgen = tools::wasm_bindgen(sh)?;
    let trunk = tools::trunk(sh)?;
    tools::put_on_path(&trunk)?;
    step(&format!("ready: wasm32 from {toolchain}, {}, {}", wasm_bindgen.display(), trunk.display()));
    Ok(())
}

pub(crate) fn serve(sh: &Shell, address: &str, port: u16, arguments: &[String]) -> Result<()> {
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

/// Some dependencies run code before everything else. Unless the module exports it, the linker puts a
/// call of it into every other export, and each word between Rust and JavaScript, such as a string or
/// an object, takes a third of a millisecond.
const CONSTRUCTORS: [&str; 2] = ["-C", "link-arg=--export=__wasm_call_ctors"];

pub(crate) fn build(sh: &Shell, small: bool) -> Result<()> {
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

/// Trunk runs this as a hook, instead of building the crate itself: so `trunk serve` works in a
/// shell that knows nothing of the fallback compiler, and the page uses the very files that the npm
/// package ships.
pub(crate) fn build_wasm(sh: &Shell) -> Result<()> {
    if env::var_os("LFDM_SKIP_WASM").is_some() {
        step("LFDM_SKIP_WASM is set: pkg/ stays as it is");
        return Ok(());
    }
    let toolchain = WasmToolchain::ensure(sh)?;
    let wasm_bindgen = tools::wasm_bindgen(sh)?;
    // The release profile for daily work too: unoptimised tensor code is unusable, and a second
    // profile would be a second graph of dependencies to compile.
    let small = env::var_os(SMALL).is_some();
    let profile = if small { "small" } else { "release" };
    let mut cargo =
        cmd!(sh, "cargo rustc --package lfdm --lib --profile {profile} --target {TARGET} -- {CONSTRUCTORS...}");
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

pub(crate) fn precache(directory: Option<PathBuf>) -> Result<()> {
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
