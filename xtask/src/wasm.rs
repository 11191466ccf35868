//! A compiler and a standard library for wasm32, from rustup or, where rustup cannot fetch one, from Debian.

use std::{
    ffi::OsString,
    fmt, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use crate::system::{apt_install, step, which};

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Debian's compiler that browsers are built with, its sources (to build a wasm32 standard library
/// from), and its standard library for this machine (for build scripts and macros).
const DEBIAN_PACKAGES: [&str; 3] = ["rustc-web", "rust-web-src", "libstd-rust-web-dev"];

const BY_HAND: &str = "On a machine that reaches rustup's server, `rustup target add wasm32-unknown-unknown` is all it \
                       takes; elsewhere Debian's packages rustc-web, rust-web-src and libstd-rust-web-dev.";

pub(crate) enum WasmToolchain {
    /// The compiler on PATH has a wasm32 standard library.
    Installed,
    /// Debian's compiler, which builds the wasm32 standard library from source along with the crates.
    Debian { rustc: PathBuf, linker: PathBuf },
}

impl WasmToolchain {
    /// Finds a way to build for wasm32, or makes one.
    pub(crate) fn ensure(sh: &Shell) -> Result<Self> {
        if has_wasm_std(sh) {
            return Ok(Self::Installed);
        }
        if let Some(debian) = Self::debian(sh)? {
            return Ok(debian);
        }
        if which("rustup").is_some() {
            match cmd!(sh, "rustup target add {TARGET}").run() {
                Ok(()) if has_wasm_std(sh) => {
                    step("wasm32: rustup installed the standard library");
                    return Ok(Self::Installed);
                }
                Ok(()) => step("wasm32: rustup installed it for another toolchain than `rustc` is of"),
                Err(_) => step("wasm32: rustup could not install it, trying Debian's compiler"),
            }
        }
        apt_install(sh, &DEBIAN_PACKAGES, "a wasm32 standard library", BY_HAND)?;
        Self::debian(sh)?.with_context(|| format!("Debian's wasm32 compiler is not complete. {BY_HAND}"))
    }

    /// What cargo must be told in its environment, and only when it builds for wasm32: native
    /// builds, and the clippy and rustfmt that belong to them, stay with the compiler on PATH.
    pub(crate) fn environment(&self) -> Vec<(&'static str, OsString)> {
        match self {
            Self::Installed => Vec::new(),
            Self::Debian { rustc, linker } => vec![
                ("RUSTC", rustc.into()),
                // Building the standard library is an unstable feature of cargo.
                ("RUSTC_BOOTSTRAP", "1".into()),
                ("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort".into()),
                ("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker.into()),
            ],
        }
    }

    fn debian(sh: &Shell) -> Result<Option<Self>> {
        if which("dpkg").is_none() {
            return Ok(None);
        }
        let Ok(files) = cmd!(sh, "dpkg --listfiles rustc-web").quiet().ignore_stderr().read() else {
            return Ok(None);
        };
        let Some(rustc) = compiler_among(&files) else {
            return Ok(None);
        };
        let sysroot = PathBuf::from(cmd!(sh, "{rustc} --print sysroot").quiet().read()?);
        if !sysroot.join("lib/rustlib/src/rust/library/std/Cargo.toml").exists() {
            return Ok(None);
        }
        let host_libraries = cmd!(sh, "{rustc} --print target-libdir").quiet().read()?;
        if !holds_std(Path::new(&host_libraries)) {
            return Ok(None);
        }
        Ok(Some(Self::Debian { rustc, linker: linker(sh)? }))
    }
}

impl fmt::Display for WasmToolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Installed => f.write_str("the compiler on PATH"),
            Self::Debian { rustc, .. } => write!(f, "Debian's {}", rustc.display()),
        }
    }
}

fn has_wasm_std(sh: &Shell) -> bool {
    let libraries = cmd!(sh, "rustc --print target-libdir --target {TARGET}").quiet().ignore_stderr().read();
    libraries.is_ok_and(|directory| holds_std(Path::new(&directory)))
}

fn holds_std(directory: &Path) -> bool {
    let Ok(mut files) = fs::read_dir(directory) else {
        return false;
    };
    files.any(|file| file.is_ok_and(|file| file.file_name().to_string_lossy().starts_with("libstd-")))
}

/// The compiler in the file list of its Debian package.
fn compiler_among(files: &str) -> Option<PathBuf> {
    files.lines().find(|file| file.ends_with("/bin/rustc")).map(PathBuf::from)
}

/// The linker for wasm, which every rustup toolchain brings along and Debian's compiler does not.
fn linker(sh: &Shell) -> Result<PathBuf> {
    let libraries = cmd!(sh, "rustc --print target-libdir").quiet().read()?;
    let bundled = Path::new(&libraries).with_file_name("bin").join("rust-lld");
    if bundled.is_file() {
        return Ok(bundled);
    }
    let find = || ["rust-lld", "wasm-ld"].into_iter().find_map(which);
    if let Some(found) = find() {
        return Ok(found);
    }
    apt_install(sh, &["lld"], "a linker for wasm", "Install lld, or Rust with rustup.")?;
    match find() {
        Some(found) => Ok(found),
        None => bail!("apt installed lld, but wasm-ld is not on PATH"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiler_is_told_from_its_companions() {
        let files = "/.\n/usr\n/usr/bin/rustdoc\n/usr/share/rustc/bin/wasi-node\n/usr/lib/rust-web/bin/rustc\n";
        assert_eq!(compiler_among(files), Some(PathBuf::from("/usr/lib/rust-web/bin/rustc")));
        assert_eq!(compiler_among("/usr/share/doc/rustc-web\n"), None);
    }

    #[test]
    fn a_directory_without_a_standard_library_is_no_toolchain() -> Result<()> {
        let directory = Shell::new()?.create_temp_dir()?;
        assert!(!holds_std(&directory.path().join("absent")));
        assert!(!holds_std(directory.path()));
        fs::write(directory.path().join("libstd-0123.rlib"), "")?;
        assert!(holds_std(directory.path()));
        Ok(())
    }

    #[test]
    fn only_the_fallback_changes_cargos_environment() {
        assert!(WasmToolchain::Installed.environment().is_empty());
        let debian = WasmToolchain::Debian { rustc: "/usr/bin/rustc".into(), linker: "/usr/bin/wasm-ld".into() };
        let environment = debian.environment();
        assert!(environment.contains(&("RUSTC", "/usr/bin/rustc".into())));
        assert!(environment.contains(&("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "/usr/bin/wasm-ld".into())));
    }
}
