//! The wasm module and its glue, which the page and the npm package share. The module is built twice, because a browser
//! that lacks relaxed SIMD refuses a whole module for one such instruction: `pkg/modules.js` chooses.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use wasm_bindgen_cli_support::Bindgen;
use wasmparser::{Parser, Payload};
use xshell::{Shell, cmd};

use crate::{
    system::step,
    target_dir, tools,
    wasm::{TARGET, WasmToolchain},
};

/// Set for the hook that builds the module: `cargo xtask wasm`.
pub(crate) const SMALL: &str = "LFDM_SMALL_WASM";

/// What wasm-bindgen writes for a module that is called `lfdm`.
const GLUE: &str = "lfdm.js";
const MODULE: &str = "lfdm_bg.wasm";

/// What the module with relaxed SIMD is called in `pkg/`.
const RELAXED: &str = "lfdm_relaxed_bg.wasm";

const LINKING: [&str; 4] = [
    // Some dependencies run code before everything else. Unless the module exports it, the linker
    // puts a call of it into every other export, and each word between Rust and JavaScript, such as
    // a string or an object, takes a third of a millisecond.
    "-C",
    "link-arg=--export=__wasm_call_ctors",
    // wasm-bindgen numbers functions that have no name, and both modules must have the same glue.
    "-C",
    "link-arg=--keep-section=name",
];

/// Of this crate alone. Its kernels are what computes, and both modules share all dependencies.
const FUSED: [&str; 2] = ["-C", "target-feature=+relaxed-simd"];

/// Trunk runs this as a hook, instead of building the crate itself: so `trunk serve` works in a
/// shell that knows nothing of the fallback compiler, and the page uses the very files that the npm
/// package ships.
///
/// While people work on the page (`in_work`), each change is compiled once.
pub(crate) fn build(sh: &Shell, in_work: bool) -> Result<()> {
    if env::var_os("LFDM_SKIP_WASM").is_some() {
        step("LFDM_SKIP_WASM is set: pkg/ stays as it is");
        return Ok(());
    }
    let builder = Builder { sh, toolchain: WasmToolchain::ensure(sh)?, small: env::var_os(SMALL).is_some() };
    let relaxed = if in_work { None } else { Some(builder.glued("relaxed", &FUSED)?) };
    // The last one is what cargo finds when the page is served next.
    let plain = builder.glued("plain", &[])?;

    let pkg = sh.current_dir().join("pkg");
    for file in sh.read_dir(&plain)? {
        let name = file.file_name().with_context(|| format!("{} has no name", file.display()))?;
        copy_if_changed(&file, &pkg.join(name))?;
    }
    copy_if_changed(&relaxed.as_ref().unwrap_or(&plain).join(MODULE), &pkg.join(RELAXED))?;
    let Some(relaxed) = relaxed else {
        step(&format!("pkg/{RELAXED} is a copy, as always while the page is served: {}", size(&pkg.join(MODULE))?));
        return Ok(());
    };
    // Comments number the module's functions, of which one may have another inlined.
    let code = |folder: &Path| -> Result<Vec<String>> {
        let glue = fs::read_to_string(folder.join(GLUE))?;
        Ok(glue.lines().filter(|line| !line.trim_start().starts_with("//")).map(str::to_owned).collect())
    };
    if code(&plain)? != code(&relaxed)? {
        bail!("the two modules need different glue: compare {GLUE} in {} and {}", plain.display(), relaxed.display());
    }
    check(&pkg)
}

/// Whether there is a module already, so that only what changed is compiled.
pub(crate) fn is_built() -> Result<bool> {
    Ok(compiled("release")?.exists())
}

/// Where cargo puts the module.
fn compiled(profile: &str) -> Result<PathBuf> {
    Ok(target_dir()?.join(TARGET).join(profile).join("lfdm.wasm"))
}

/// Says what the modules are, or that they are not what they should be.
fn check(pkg: &Path) -> Result<()> {
    for (name, is_relaxed) in [(MODULE, false), (RELAXED, true)] {
        let path = pkg.join(name);
        let count = relaxed_instructions(&fs::read(&path)?).with_context(|| format!("cannot parse pkg/{name}"))?;
        if (count > 0) != is_relaxed {
            bail!("pkg/{name} has {count} relaxed instructions");
        }
        step(&format!("pkg/{name}: {}, {count} relaxed instructions", size(&path)?));
    }
    Ok(())
}

struct Builder<'a> {
    sh: &'a Shell,
    toolchain: WasmToolchain,
    small: bool,
}

impl Builder<'_> {
    /// Compiles a module; returns the folder that it and its glue are in.
    fn glued(&self, name: &str, flags: &[&str]) -> Result<PathBuf> {
        let Self { sh, toolchain, small } = self;
        // The release profile for daily work too: unoptimised tensor code is unusable, and a second
        // profile would be a second graph of dependencies to compile.
        let profile = if *small { "small" } else { "release" };
        let glued = target_dir()?.join("wasm-bindgen").join(format!("{profile}-{name}"));
        let stamp = Stamp::new(&glued, self.circumstances(flags)?);
        if glued.join(MODULE).exists() && stamp.holds() {
            return Ok(glued);
        }
        stamp.remove()?;
        let mut cargo = cmd!(
            sh,
            "cargo rustc --package lfdm --lib --profile {profile} --target {TARGET} -- {LINKING...} {flags...}"
        );
        for (key, value) in toolchain.environment() {
            cargo = cargo.env(key, value);
        }
        cargo.run()?;
        let module = compiled(profile)?;
        let mut bindgen = Bindgen::new();
        // As the program wasm-bindgen does with `--target web --remove-name-section`.
        bindgen.input_path(&module).out_name("lfdm").web(true)?.remove_name_section(true);
        bindgen.typescript(true).omit_default_module_path(false);
        bindgen.generate(&glued).with_context(|| format!("wasm-bindgen cannot read {}", module.display()))?;
        if *small {
            tools::optimise(sh, &glued.join(MODULE))?;
        }
        stamp.write(&sources(&module.with_extension("d"))?)?;
        Ok(glued)
    }

    /// What a module depends on beside the sources of this crate.
    fn circumstances(&self, flags: &[&str]) -> Result<String> {
        let Self { sh, toolchain, small } = self;
        let rustc = toolchain.environment().into_iter().find(|(key, _)| *key == "RUSTC").map(|(_, rustc)| rustc);
        let rustc = rustc.unwrap_or_else(|| "rustc".into());
        let version = cmd!(sh, "{rustc} --version --verbose").quiet().read()?;
        let ours = [include_str!("module.rs"), include_str!("tools.rs")];
        let variables = ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"].map(env::var_os);
        let manifests = ["Cargo.toml", "Cargo.lock"].map(|file| fs::read(sh.current_dir().join(file)).ok());
        Ok(format!("{version}{flags:?}{small}{ours:?}{variables:?}{manifests:?}"))
    }
}

/// What a module was made of, kept beside its folder. The two builds share one place in cargo's directory, so cargo
/// would compile both every time.
struct Stamp {
    file: PathBuf,
    circumstances: String,
}

impl Stamp {
    fn new(glued: &Path, circumstances: String) -> Self {
        Self { file: glued.with_extension("made-of"), circumstances }
    }

    /// Whether everything is as it was.
    fn holds(&self) -> bool {
        let Ok(text) = fs::read_to_string(&self.file) else { return false };
        let Some((hash, sources)) = text.split_once('\n') else { return false };
        let sources: Vec<PathBuf> = sources.lines().map(PathBuf::from).collect();
        !sources.is_empty() && self.hash(&sources).is_ok_and(|now| now == hash)
    }

    fn remove(&self) -> Result<()> {
        if self.file.exists() {
            fs::remove_file(&self.file).with_context(|| format!("cannot remove {}", self.file.display()))?;
        }
        Ok(())
    }

    fn write(&self, sources: &[PathBuf]) -> Result<()> {
        let names: String = sources.iter().map(|source| format!("{}\n", source.display())).collect();
        fs::write(&self.file, format!("{}\n{names}", self.hash(sources)?))
            .with_context(|| format!("cannot write {}", self.file.display()))
    }

    fn hash(&self, sources: &[PathBuf]) -> Result<String> {
        let mut hash = Sha256::new();
        hash.update(&self.circumstances);
        // A folder is what a build script reads; what the module needs of it is in the list, too.
        for source in sources.iter().filter(|source| !source.is_dir()) {
            let content = fs::read(source)?;
            hash.update(content.len().to_le_bytes());
            hash.update(content);
        }
        Ok(format!("{:x}", hash.finalize()))
    }
}

/// The files that cargo says it has compiled: `module: file file`, with a backslash before spaces in names.
fn sources(list: &Path) -> Result<Vec<PathBuf>> {
    let text = fs::read_to_string(list).with_context(|| format!("cannot read {}", list.display()))?;
    let names = text.lines().filter_map(|line| line.split_once(": ")).flat_map(|(_, names)| {
        let names = names.replace("\\ ", "\0");
        names.split(' ').map(|name| PathBuf::from(name.replace('\0', " "))).collect::<Vec<_>>()
    });
    Ok(names.collect())
}

/// How many instructions of relaxed SIMD a module has.
fn relaxed_instructions(module: &[u8]) -> Result<usize> {
    let mut count = 0;
    for payload in Parser::new(0).parse_all(module) {
        let Payload::CodeSectionEntry(body) = payload? else { continue };
        for operator in body.get_operators_reader()?.into_iter_with_offsets() {
            let (_, offset) = operator?;
            count += usize::from(is_relaxed(&module[offset as usize..]));
        }
    }
    Ok(count)
}

/// Whether an instruction is one of 0xfd 0x100 and above. The second number has seven bits to a byte.
fn is_relaxed(instruction: &[u8]) -> bool {
    matches!(instruction, [0xfd, 0x80..=0xff, 0x02..=0xff, ..])
}

/// Trunk watches pkg/, so a file that would stay the same must not look new to it.
fn copy_if_changed(file: &Path, copy: &Path) -> Result<()> {
    let content = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    if fs::read(copy).is_ok_and(|present| present == content) {
        return Ok(());
    }
    fs::write(copy, content).with_context(|| format!("cannot write {}", copy.display()))
}

fn size(file: &Path) -> Result<String> {
    Ok(format!("{:.1} MB", fs::metadata(file)?.len() as f64 / 1e6))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A module of one function that returns a vector.
    fn module(code: &[u8]) -> Vec<u8> {
        let header = [b"\0asm\x01\0\0\0".as_slice(), &[1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0]].concat();
        let body = [&[0], code, &[0x0b]].concat();
        let length = body.len() as u8;
        [header, vec![10, length + 2, 1, length], body].concat()
    }

    const ZEROS: [u8; 4] = [0x41, 0, 0xfd, 15];

    #[test]
    fn relaxed_instructions_are_counted() -> Result<()> {
        let madd = [&[ZEROS; 3].concat(), [0xfd, 0x85, 0x02].as_slice()].concat();
        assert_eq!(relaxed_instructions(&module(&madd))?, 1);
        let twice = [&madd, ZEROS.as_slice(), &ZEROS, &[0xfd, 0x85, 0x02]].concat();
        assert_eq!(relaxed_instructions(&module(&twice))?, 2);
        Ok(())
    }

    #[test]
    fn other_vectors_are_not_relaxed() -> Result<()> {
        assert_eq!(relaxed_instructions(&module(&ZEROS))?, 0);
        // f32x4.add, whose number takes two bytes too.
        let add = [ZEROS.as_slice(), &ZEROS, &[0xfd, 0xe4, 0x01]].concat();
        assert_eq!(relaxed_instructions(&module(&add))?, 0);
        Ok(())
    }

    #[test]
    fn a_number_that_looks_like_an_instruction_is_none() -> Result<()> {
        let constant = [[0xfd, 12].as_slice(), &[0xfd, 0x85, 0x02, 0].repeat(4)].concat();
        assert_eq!(relaxed_instructions(&module(&constant))?, 0);
        Ok(())
    }

    #[test]
    fn a_module_is_made_again_when_anything_has_changed() -> Result<()> {
        let directory = Shell::new()?.create_temp_dir()?;
        let [list, one, two] = ["lfdm.d", "one.rs", "a two.rs"].map(|name| directory.path().join(name));
        fs::write(&list, format!("lfdm.wasm: {} {}\n", one.display(), two.display().to_string().replace(' ', "\\ ")))?;
        fs::write(&one, "1")?;
        fs::write(&two, "2")?;
        let stamp = Stamp::new(&directory.path().join("plain"), "a compiler".to_owned());
        assert!(!stamp.holds());
        assert_eq!(sources(&list)?, [one, two.clone()]);
        stamp.write(&sources(&list)?)?;
        assert!(stamp.holds());
        assert!(!Stamp::new(&directory.path().join("plain"), "another".to_owned()).holds());
        fs::write(&two, "3")?;
        assert!(!stamp.holds());
        fs::write(&two, "2")?;
        assert!(stamp.holds());
        fs::remove_file(&two)?;
        assert!(!stamp.holds());
        stamp.remove()?;
        stamp.remove()?;
        assert!(!stamp.holds());
        Ok(())
    }

    #[test]
    fn what_is_no_module_is_an_error() {
        assert!(relaxed_instructions(b"<!doctype html>").is_err());
        assert!(relaxed_instructions(&module(&[0xfd])).is_err());
    }
}
