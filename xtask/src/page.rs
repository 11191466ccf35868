//! The page.

use std::{env, net::TcpListener, path::PathBuf};

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use crate::{module, precache, server::Site, system::step, tools, wasm::WasmToolchain};

pub(crate) fn setup(sh: &Shell) -> Result<()> {
    let toolchain = WasmToolchain::ensure(sh)?;
    let trunk = tools::trunk(sh)?;
    tools::put_on_path(&trunk)?;
    step(&format!("ready: wasm32 from {toolchain}, {}", trunk.display()));
    Ok(())
}

/// The page as it lies in the checkout, which needs nothing but the module.
pub(crate) fn serve(sh: &Shell, address: &str, port: u16) -> Result<()> {
    // Before minutes of compiling: a port may be taken.
    let listener =
        TcpListener::bind((address, port)).with_context(|| format!("cannot listen on {address}:{port}; try --port"))?;
    step(if module::is_built()? {
        "building the module: seconds, or a minute after a change in Rust"
    } else {
        "building the module for the first time: about 400 crates, 10 to 20 minutes on two cores; later seconds"
    });
    module::build(sh, true)?;
    let here = sh.current_dir();
    let site = Site { root: here.join("www"), mounts: vec![("pkg", here.join("pkg"))] };
    step(&format!("the page is at http://{}/ (Ctrl-C ends it)", listener.local_addr()?));
    site.serve(&listener)
}

pub(crate) fn serve_with_trunk(sh: &Shell, address: &str, port: u16, arguments: &[String]) -> Result<()> {
    setup(sh)?;
    let trunk = tools::trunk(sh)?;
    let port = port.to_string();
    step(&format!(
        "the page will be at http://{address}:{port}/ once it is built (the first build compiles some 400 crates)"
    ));
    cmd!(sh, "{trunk} serve --offline --address {address} --port {port} {arguments...}").run()?;
    Ok(())
}

pub(crate) fn build(sh: &Shell, small: bool) -> Result<()> {
    WasmToolchain::ensure(sh)?;
    if small {
        tools::wasm_opt(sh)?;
        sh.set_var(module::SMALL, "1");
    }
    let trunk = tools::trunk(sh)?;
    // A relative public URL, so that the page works under any path: a project page, a sub-directory, a file share.
    cmd!(sh, "{trunk} build --offline --release --public-url ./").run()?;
    step(&format!("the page is in {}", sh.current_dir().join("dist").display()));
    Ok(())
}

pub(crate) fn precache(directory: Option<PathBuf>) -> Result<()> {
    // While people work on the page, it should come from the server: a worker without a list removes itself.
    if directory.is_none() && is_in_work() {
        return Ok(());
    }
    let directory = directory.or_else(|| env::var_os("TRUNK_STAGING_DIR").map(PathBuf::from));
    let directory = directory.context("name the directory of the built page: cargo xtask precache dist")?;
    let files = precache::write(&directory)?;
    step(&format!("sw.js keeps {files} files for use offline"));
    Ok(())
}

/// Whether a hook of trunk runs for `trunk serve`, which builds the page again for each change.
pub(crate) fn is_in_work() -> bool {
    env::var_os("TRUNK_PROFILE").is_some_and(|profile| profile == "debug")
}
