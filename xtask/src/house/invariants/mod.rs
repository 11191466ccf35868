//! Which room may use which: the invariants of ARCHITECTURE.md, read off the paths in `src/`.
//!
//! A path counts from the file that writes it to the file that defines its last known module, re-exports followed. What
//! stands under `#[cfg(test)]` may use anything.

mod graph;
mod scan;

use anyhow::Result;

use super::{Fault, Source};
use graph::{Edge, Graph};

/// The document that states the invariants, each under a heading.
const DOCUMENT: &str = "ARCHITECTURE.md";

/// The heading about modules that use each other.
const NO_CIRCLES: &str = "No circles";

/// Modules `from` must not use modules `to`.
struct Rule {
    /// The rule's heading in ARCHITECTURE.md.
    heading: &'static str,
    from: fn(&str) -> bool,
    to: fn(&str) -> bool,
}

const RULES: [Rule; 5] = [
    Rule { heading: "The core stands alone", from: is_core, to: is_outside },
    Rule {
        heading: "The stages meet in motion",
        from: |module| is_in(module, "diffusion"),
        to: |module| is_in(module, "lfae"),
    },
    Rule {
        heading: "The stages meet in motion",
        from: |module| is_in(module, "lfae"),
        to: |module| is_in(module, "diffusion"),
    },
    Rule { heading: "Kernels know no network", from: |module| is_in(module, "kernels"), to: is_stage },
    Rule { heading: "Commands are ends", from: is_used_by_commands, to: is_command },
];

fn is_core(module: &str) -> bool {
    !is_outside(module)
}

/// What knows files, terminals or the DOM.
fn is_outside(module: &str) -> bool {
    is_in(module, "native") || is_in(module, "web")
}

fn is_stage(module: &str) -> bool {
    is_in(module, "lfae") || is_in(module, "diffusion")
}

fn is_used_by_commands(module: &str) -> bool {
    is_in(module, "native::train") || is_in(module, "native::eval")
}

fn is_command(module: &str) -> bool {
    let commands = ["animate", "export", "import", "export_pth", "sheet", "cli"];
    commands.iter().any(|command| is_in(module, &format!("native::{command}")))
}

/// Whether `module` is `room` or lies in it.
fn is_in(module: &str, room: &str) -> bool {
    module.strip_prefix(room).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

pub(super) fn check(sources: &[Source]) -> Result<Vec<Fault>> {
    let graph = Graph::read(sources)?;
    let mut faults: Vec<Fault> = RULES.iter().flat_map(|rule| broken(rule, &graph)).collect();
    faults.extend(graph.circles().into_iter().map(|circle| circle_fault(&circle, &graph)));
    let document = sources.iter().find(|source| source.path == DOCUMENT);
    let headings = RULES.iter().map(|rule| rule.heading).chain([NO_CIRCLES]);
    faults.extend(headings.filter_map(|heading| missing(heading, document.map_or("", |source| &source.text))));
    faults.dedup();
    Ok(faults)
}

fn broken(rule: &Rule, graph: &Graph) -> Vec<Fault> {
    let forbidden = |edge: &&Edge| (rule.from)(graph.module(edge.from)) && (rule.to)(graph.module(edge.to));
    let fault = |edge: &Edge| Fault {
        path: graph.path(edge.from).to_owned(),
        line: edge.line,
        what: format!("uses {}; see \"{}\" in {DOCUMENT}", graph.path(edge.to), rule.heading),
    };
    graph.edges().iter().filter(forbidden).map(fault).collect()
}

fn circle_fault(circle: &[Edge], graph: &Graph) -> Fault {
    let first = circle[0];
    let arrow = |edge: &Edge| format!("{}:{} uses {}", graph.path(edge.from), edge.line, graph.path(edge.to));
    let way: Vec<String> = circle.iter().map(arrow).collect();
    let what = format!("is part of a circle ({}); see \"{NO_CIRCLES}\" in {DOCUMENT}", way.join(", "));
    Fault { path: graph.path(first.from).to_owned(), line: first.line, what }
}

/// A rule that the document does not state any more under its heading.
fn missing(heading: &str, document: &str) -> Option<Fault> {
    let is_there = document.lines().any(|line| line.starts_with('#') && line.trim_start_matches('#').trim() == heading);
    let what = format!("has no heading \"{heading}\", which a rule of `cargo xtask lint` points to");
    (!is_there).then(|| Fault { path: DOCUMENT.to_owned(), line: 1, what })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A crate of the given files, beside a document that states every rule.
    fn faults(files: &[(&str, &str)]) -> Vec<String> {
        let headings: Vec<String> = RULES.iter().map(|rule| format!("### {}\n", rule.heading)).collect();
        let document = format!("{}### {NO_CIRCLES}\n", headings.join(""));
        let all = files.iter().copied().chain([(DOCUMENT, document.as_str())]);
        let sources: Vec<Source> = all.map(|(path, text)| Source { path: path.into(), text: text.into() }).collect();
        check(&sources).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_rule_names_both_files_and_its_heading() {
        let rules = [
            ("src/bundle.rs", "crate::native::staging", "src/native/staging.rs", "The core stands alone"),
            ("src/photo.rs", "crate::web", "src/web.rs", "The core stands alone"),
            ("src/diffusion/codec.rs", "crate::lfae::Motion", "src/lfae.rs", "The stages meet in motion"),
            ("src/lfae/codec.rs", "crate::diffusion", "src/diffusion.rs", "The stages meet in motion"),
            ("src/kernels/warp.rs", "crate::lfae::Motion", "src/lfae.rs", "Kernels know no network"),
            ("src/native/train/run.rs", "super::super::animate::run", "src/native/animate.rs", "Commands are ends"),
            ("src/native/eval/mod.rs", "super::export_pth", "src/native/export_pth.rs", "Commands are ends"),
        ];
        for (from, path, to, heading) in rules {
            let found = faults(&[(from, &format!("//! Text.\nuse {path};\n")), (to, "pub fn run() {}")]);
            assert_eq!(found, [format!("{from}:2: uses {to}; see \"{heading}\" in {DOCUMENT}")]);
        }
    }

    #[test]
    fn what_the_rules_allow_passes() {
        let found = faults(&[
            ("src/native/train/run.rs", "use crate::diffusion::Unet; use crate::native::generate;"),
            ("src/native/animate.rs", "use super::train; use crate::motion::Motion;"),
            ("src/native/generate.rs", ""),
            ("src/native/train/mod.rs", "mod run; pub use run::Run;"),
            ("src/diffusion/mod.rs", "use crate::motion::Motion;"),
            ("src/lfae/mod.rs", "use crate::motion::Motion;"),
            ("src/motion.rs", "#[cfg(test)]\nmod tests { use crate::native::animate; use crate::lfae; }"),
        ]);
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn a_circle_is_told_with_every_step() {
        let found = faults(&[
            ("src/a.rs", "use crate::b::B;"),
            ("src/b.rs", "fn f() { crate::c::g() }"),
            ("src/c.rs", "\nuse crate::a;"),
        ]);
        let way = "src/a.rs:1 uses src/b.rs, src/b.rs:1 uses src/c.rs, src/c.rs:2 uses src/a.rs";
        assert_eq!(found, [format!("src/a.rs:1: is part of a circle ({way}); see \"{NO_CIRCLES}\" in {DOCUMENT}")]);
    }

    #[test]
    fn a_map_that_hands_out_its_rooms_is_no_circle() {
        let found = faults(&[
            ("src/lfae/mod.rs", "mod flow; mod blocks; pub use flow::Flow; pub use blocks::Block; pub struct Net;"),
            ("src/lfae/flow.rs", "use super::{Block, Net};"),
            ("src/lfae/blocks.rs", ""),
        ]);
        assert_eq!(found, [""; 0]);
        // Through the same map, two rooms that need each other.
        let found = faults(&[
            ("src/lfae/mod.rs", "pub use flow::Flow; pub use blocks::Block;"),
            ("src/lfae/flow.rs", "use super::Block;"),
            ("src/lfae/blocks.rs", "use crate::lfae::Flow;"),
        ]);
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn a_rule_without_its_heading_is_a_fault() {
        let sources = [Source { path: DOCUMENT.into(), text: format!("# {NO_CIRCLES}") }];
        assert_eq!(check(&sources).unwrap().len(), 4, "one for each other heading");
    }
}
