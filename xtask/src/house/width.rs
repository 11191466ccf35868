//! No line is wider than a reader's window.

use super::{Fault, Source};

/// Columns of the widest line. Comments aim at 100.
const COLUMNS: usize = 120;

/// What a file is to this rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Code,
    Markdown,
}

/// The kind of a file by its name; `None` where lines may be as long as they like.
pub(super) fn kind(path: &str) -> Option<Kind> {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("rs" | "js" | "mjs" | "cjs" | "ts" | "sh" | "wgsl") => Some(Kind::Code),
        Some("md") => Some(Kind::Markdown),
        _ if path == ".ci/run" => Some(Kind::Code),
        _ => None,
    }
}

pub(super) fn check(sources: &[Source]) -> Vec<Fault> {
    sources.iter().flat_map(faults).collect()
}

fn faults(source: &Source) -> Vec<Fault> {
    let Some(kind) = kind(&source.path) else {
        return Vec::new();
    };
    let mut in_fence = false;
    let mut faults = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        if kind == Kind::Markdown && line.trim_start().starts_with("```") {
            in_fence = !in_fence;
        }
        let columns = line.chars().count();
        let is_exempt = is_unbreakable(line) || kind == Kind::Markdown && is_exempt_in_markdown(line, in_fence);
        if columns > COLUMNS && !is_exempt {
            let what = format!("{columns} columns; {COLUMNS} are the most");
            faults.push(Fault { path: source.path.clone(), line: index + 1, what });
        }
    }
    faults
}

/// One word, with nothing before it but the mark of a comment or a list: most often an address.
fn is_unbreakable(line: &str) -> bool {
    let words = line.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric));
    words.count() <= 1
}

/// Tables, lines that are nothing but links, and addresses in code cannot be wrapped.
fn is_exempt_in_markdown(line: &str, in_fence: bool) -> bool {
    let is_table = line.trim_start().starts_with('|');
    if in_fence { line.contains("://") } else { is_table || is_link_only(line) }
}

/// Links, pictures, and definitions of links, with nothing else on their line.
fn is_link_only(line: &str) -> bool {
    let line = line.trim_start_matches(['-', '*', ' ']);
    let is_definition = line.starts_with('[') && line.contains("]: ");
    is_definition || (line.starts_with(['[', '!']) && line.trim_end().ends_with(')') && !line.contains(") "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_at_fault(path: &str, text: &str) -> Vec<usize> {
        let source = Source { path: path.into(), text: text.into() };
        check(&[source]).iter().map(|fault| fault.line).collect()
    }

    #[test]
    fn a_line_is_too_wide_from_the_121st_column_on() {
        let words =
            |columns: usize| "// ".to_owned() + &"é ".repeat(columns).chars().take(columns - 3).collect::<String>();
        assert!(lines_at_fault("src/a.rs", &words(120)).is_empty());
        assert_eq!(lines_at_fault("src/a.rs", &format!("fn a() {{}}\n{}", words(121))), [2]);
        assert_eq!(lines_at_fault("www/app/a.js", &words(121)), [1]);
        assert!(lines_at_fault("www/style.css", &words(121)).is_empty());
    }

    #[test]
    fn an_address_may_be_long() {
        let address = format!("https://example.org/{}", "a".repeat(120));
        assert!(lines_at_fault("src/a.rs", &format!("/// {address}")).is_empty());
        assert!(lines_at_fault("README.md", &format!("- [a paper of many words]({address})")).is_empty());
        assert!(lines_at_fault("README.md", &format!("[paper]: {address}")).is_empty());
        assert_eq!(lines_at_fault("README.md", &format!("As [a paper]({address}) says.")), [1]);
    }

    #[test]
    fn tables_are_exempt_and_prose_is_not() {
        let prose = "word ".repeat(30);
        assert!(lines_at_fault("README.md", &format!("| {prose} | {prose} |")).is_empty());
        assert_eq!(lines_at_fault("README.md", &prose), [1]);
    }

    #[test]
    fn code_in_markdown_is_wrapped_unless_it_holds_an_address() {
        let long = "--option value ".repeat(10);
        assert_eq!(lines_at_fault("README.md", &format!("```sh\nlfdm {long}\n```\n")), [2]);
        assert!(lines_at_fault("README.md", &format!("```sh\ncurl https://example.org {long}\n```\n")).is_empty());
    }
}
