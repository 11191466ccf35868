//! A link in a Markdown file leads to a file of the repository, and to a heading that is there.

use std::collections::HashSet;

use super::{Fault, Source};

pub(super) fn check(sources: &[Source], files: &[String]) -> Vec<Fault> {
    let present: HashSet<&str> = files.iter().map(String::as_str).collect();
    let documents = sources.iter().filter(|source| source.has_extension("md"));
    documents.flat_map(|source| faults(source, sources, &present)).collect()
}

fn faults(source: &Source, sources: &[Source], present: &HashSet<&str>) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (line, target) in targets(&source.text) {
        if let Some(what) = fault(&source.path, &target, sources, present) {
            faults.push(Fault { path: source.path.clone(), line, what });
        }
    }
    faults
}

/// What is wrong with a link, if anything is.
fn fault(document: &str, target: &str, sources: &[Source], present: &HashSet<&str>) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, heading) = target.split_once('#').map_or((target, None), |(path, heading)| (path, Some(heading)));
    let path = if path.is_empty() { document.to_owned() } else { resolve(document, path) };
    let directory = if path.is_empty() { String::new() } else { format!("{path}/") };
    let exists = present.contains(path.as_str()) || present.iter().any(|file| file.starts_with(&directory));
    if !exists {
        return Some(format!("{target}: there is no such file"));
    }
    let linked = sources.iter().find(|source| source.path == path && source.has_extension("md"))?;
    let heading = heading?;
    (!anchors(&linked.text).any(|anchor| anchor == heading)).then(|| format!("{target}: there is no such heading"))
}

/// A path as the document names it, from the root of the repository.
fn resolve(document: &str, path: &str) -> String {
    let mut parts: Vec<&str> = document.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// The targets of all links and pictures with the line of each, from 1. Code holds none.
fn targets(text: &str) -> Vec<(usize, String)> {
    let mut targets = Vec::new();
    for (line, content) in prose(text) {
        let content = without_code(content);
        targets.extend(content.split("](").skip(1).map(|rest| (line, until(rest, &[')', ' ']))));
        for attribute in ["src=\"", "href=\""] {
            targets.extend(content.split(attribute).skip(1).map(|rest| (line, until(rest, &['"']))));
        }
        if let Some((name, rest)) = content.split_once("]: ")
            && name.starts_with('[')
        {
            targets.push((line, until(rest, &[' '])));
        }
    }
    targets
}

/// The lines outside of fences, numbered from 1.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut in_fence = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let is_mark = line.trim_start().starts_with("```");
        in_fence ^= is_mark;
        (!in_fence && !is_mark).then_some((index + 1, line))
    })
}

fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("``")
}

fn until(text: &str, ends: &[char]) -> String {
    text.split(ends).next().unwrap_or_default().to_owned()
}

/// The names that GitHub gives to the headings of a document.
fn anchors(text: &str) -> impl Iterator<Item = String> {
    prose(text).filter(|(_, line)| line.starts_with('#')).map(|(_, line)| anchor(line.trim_start_matches('#').trim()))
}

fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults_of(text: &str) -> Vec<String> {
        let document = |path: &str, text: &str| Source { path: path.into(), text: text.into() };
        let sources = [document("docs/a.md", text), document("docs/b.md", "# Speed: of `all`\n")];
        let files = ["docs/a.md", "docs/b.md", "README.md", "www/models/m/manifest.json"].map(str::to_owned);
        check(&sources, &files).into_iter().map(|fault| format!("{}: {}", fault.line, fault.what)).collect()
    }

    #[test]
    fn links_to_files_and_directories_resolve() {
        let text = "[a](b.md), [root](../README.md), [models](../www/models) ![p](../www/models/m/manifest.json)\n\
                    [far](https://example.org/x.md) <img src=\"../README.md\">\n\n[r]: b.md\n";
        assert_eq!(faults_of(text), [""; 0]);
    }

    #[test]
    fn a_missing_file_is_named_with_its_line() {
        let text = "fine\n[gone](c.md) and <a href=\"d.md\">too</a>\n[r]: e.md\n";
        let missing =
            ["2: c.md: there is no such file", "2: d.md: there is no such file", "3: e.md: there is no such file"];
        assert_eq!(faults_of(text), missing);
    }

    #[test]
    fn a_missing_heading_is_named() {
        assert_eq!(faults_of("[b](b.md#speed-of-all)"), [""; 0]);
        assert_eq!(faults_of("[b](b.md#size)"), ["1: b.md#size: there is no such heading"]);
        assert_eq!(faults_of("# Here\n[a](#here) [a](#there)"), ["2: #there: there is no such heading"]);
    }

    #[test]
    fn code_is_no_link() {
        assert_eq!(faults_of("`[x](gone.md)`\n```md\n[y](gone.md)\n```\n"), [""; 0]);
    }
}
