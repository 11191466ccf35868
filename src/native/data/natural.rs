//! Names in the order in which people count: `frame2` before `frame10`.

use std::{fs, path::Path};

use super::error::DataError;

/// The names in a directory, in natural order, without hidden entries.
pub(super) fn entries(dir: &Path) -> Result<Vec<String>, DataError> {
    let explain = |source| DataError::Io { path: dir.to_owned(), source };
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).map_err(explain)? {
        let name = entry.map_err(explain)?.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort_by_cached_key(|name| natural_key(name));
    Ok(names)
}

/// A part of a name. Numbers without their leading zeros compare by how many digits they have, then
/// by the digits.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Number(usize, String),
    Text(String),
}

/// A key that sorts `frame2` before `frame10`. The name itself decides between names that differ
/// only in leading zeros.
pub(super) fn natural_key(name: &str) -> (Vec<Part>, String) {
    let parts = name.as_bytes().chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit()).map(|part| {
        let text = String::from_utf8_lossy(part);
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            let digits = text.trim_start_matches('0');
            Part::Number(digits.len(), digits.to_owned())
        } else {
            Part::Text(text.into_owned())
        }
    });
    (parts.collect(), name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_as_people_count() {
        let mut names =
            ["f10.png", "f9.png", "f009.png", "f1a.png", "g.png", "f123456789012345678901234567890.png", "f1.png"];
        names.sort_by_cached_key(|name| natural_key(name));
        let expected =
            ["f1.png", "f1a.png", "f009.png", "f9.png", "f10.png", "f123456789012345678901234567890.png", "g.png"];
        assert_eq!(names, expected);
    }
}
