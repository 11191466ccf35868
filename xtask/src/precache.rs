//! The list of files that the page's service worker keeps, written into its copy beside them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

const WORKER: &str = "sw.js";

/// The line of `www/sw.js` that this replaces.
const PLACEHOLDER: &str = "const BUILD = null;";

/// Models have a store of their own, by content, and are too large for every visitor to have all of them.
const MODELS: &str = "models";

/// The picture of links to the page, which sites that show them load and the page never does.
const CARD: &str = "previews/card.gif";

/// Lists the files of the built page in `directory` in its service worker; returns how many there are.
pub(crate) fn write(directory: &Path) -> Result<usize> {
    let worker = directory.join(WORKER);
    let source = fs::read_to_string(&worker).with_context(|| format!("cannot read {}", worker.display()))?;
    if !source.contains(PLACEHOLDER) {
        bail!("{} has no line `{PLACEHOLDER}` to put the list of files into", worker.display());
    }
    let mut files = Vec::new();
    collect(directory, directory, &mut files)?;
    files.sort();

    let mut entries = Vec::new();
    for file in &files {
        let path = directory.join(file);
        let content = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        entries.push(format!("[{:?},\"{}\",{}]", address(file), sha256(&content), content.len()));
    }
    let list = entries.join(",\n");
    // The worker's own text counts too: a browser compares only that to find a new build.
    let id = &sha256(format!("{source}{list}").as_bytes())[..16];
    let build = format!("const BUILD = {{id:\"{id}\",files:[\n{list}\n]}};");
    fs::write(&worker, source.replacen(PLACEHOLDER, &build, 1))
        .with_context(|| format!("cannot write {}", worker.display()))?;
    Ok(files.len())
}

/// Paths below `root`, relative to it.
fn collect(root: &Path, directory: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(directory).with_context(|| format!("cannot list {}", directory.display()))? {
        let path = entry?.path();
        let relative = path.strip_prefix(root)?.to_owned();
        let hidden = relative.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if hidden || [MODELS, WORKER, CARD].iter().any(|other| relative == Path::new(other)) {
            continue;
        }
        if path.is_dir() { collect(root, &path, files)? } else { files.push(relative) }
    }
    Ok(())
}

fn address(file: &Path) -> String {
    let parts: Vec<_> = file.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use xshell::Shell;

    use super::*;

    #[test]
    fn the_worker_lists_the_page_without_its_models() -> Result<()> {
        let sh = Shell::new()?;
        let page = sh.create_temp_dir()?;
        let write_file = |name: &str, text: &str| sh.write_file(page.path().join(name), text);
        write_file("index.html", "abc")?;
        write_file("app/main.js", "")?;
        write_file("models/one/manifest.json", "{}")?;
        write_file(CARD, "gif")?;
        write_file("sw.js", "// Why.\nconst BUILD = null;\nuse(BUILD);\n")?;

        assert_eq!(write(page.path())?, 2);
        let worker = sh.read_file(page.path().join("sw.js"))?;
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert!(worker.contains(&format!("[\"index.html\",\"{digest}\",3]")), "{worker}");
        assert!(worker.contains("[\"app/main.js\",\"e3b0c442"), "{worker}");
        assert!(!worker.contains("models/") && !worker.contains(CARD), "{worker}");
        assert!(worker.starts_with("// Why.\n") && worker.ends_with("use(BUILD);\n"), "{worker}");

        assert!(write(page.path()).is_err(), "a worker that has a list already must not be taken for a fresh one");
        Ok(())
    }

    #[test]
    fn another_file_is_another_build() -> Result<()> {
        let sh = Shell::new()?;
        let build = |text: &str| -> Result<String> {
            let page = sh.create_temp_dir()?;
            sh.write_file(page.path().join("index.html"), text)?;
            sh.write_file(page.path().join("sw.js"), PLACEHOLDER)?;
            write(page.path())?;
            Ok(sh.read_file(page.path().join("sw.js"))?)
        };
        assert_eq!(build("one")?, build("one")?);
        assert_ne!(build("one")?, build("two")?);
        Ok(())
    }
}
