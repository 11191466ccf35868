//! Which room may use which: the invariants of ARCHITECTURE.md, read off the paths in `src/`.
//!
//! A path counts from the file that writes it to the file that defines its last known module, re-exports followed. What
//! stands under `#[cfg(test)]` may use anything.

mod graph;
mod scan;

use anyhow::Result;

use super::{Fault, Source};
use graph::{Edge, Graph};

/// The document that states the invariants, each in the section of its room.
const DOCUMENT: &str = "ARCHITECTURE.md";

/// What the paragraph of an invariant begins with.
const MARK: &str = "**Architecture Invariant:**";

/// The section about modules that use each other.
const CIRCLES: &str = "Everywhere";

/// Modules `from` must not use modules `to`.
struct Rule {
    /// The section of ARCHITECTURE.md that states the rule.
    heading: &'static str,
    from: fn(&str) -> bool,
    to: fn(&str) -> bool,
}

const RULES: [Rule; 5] = [
    Rule { heading: "`src/pipeline/`", from: is_core, to: is_outside },
    Rule { heading: "`src/diffusion/`", from: |module| is_in(module, "diffusion"), to: |module| is_in(module, "lfae") },
    Rule { heading: "`src/diffusion/`", from: |module| is_in(module, "lfae"), to: |module| is_in(module, "diffusion") },
    Rule { heading: "`src/kernels/`", from: |module| is_in(module, "kernels"), to: is_stage },
    Rule { heading: "`src/native/` (feature `native`)", from: is_used_by_commands, to: is_command },
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
    let commands = ["animate", "conditions", "export", "import", "export_pth", "new", "sheet", "cli"];
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
    let headings = RULES.iter().map(|rule| rule.heading).chain([CIRCLES]);
    faults.extend(headings.filter_map(|heading| missing(heading, document.map_or("", |source| &source.text))));
    faults.dedup();
    Ok(faults)
}

fn broken(rule: &Rule, graph: &Graph) -> Vec<Fault> {
    let forbidden = |edge: &&Edge| (rule.from)(graph.module(edge.from)) && (rule.to)(graph.module(edge.to));
    let fault = |edge: &Edge| Fault {
        path: graph.path(edge.from).to_owned(),
        line: edge.line,
        what: format!("uses {}; {}", graph.path(edge.to), reference(rule.heading)),
    };
    graph.edges().iter().filter(forbidden).map(fault).collect()
}

fn circle_fault(circle: &[Edge], graph: &Graph) -> Fault {
    let first = circle[0];
    let arrow = |edge: &Edge| format!("{}:{} uses {}", graph.path(edge.from), edge.line, graph.path(edge.to));
    let way: Vec<String> = circle.iter().map(arrow).collect();
    let what = format!("is part of a circle ({}); {}", way.join(", "), reference(CIRCLES));
    Fault { path: graph.path(first.from).to_owned(), line: first.line, what }
}

fn reference(heading: &str) -> String {
    format!("see the invariant under \"{heading}\" in {DOCUMENT}")
}

/// A rule that the document does not state any more where the errors say.
fn missing(heading: &str, document: &str) -> Option<Fault> {
    let mut lines = document.lines().skip_while(|line| !is_heading(line) || title(line) != heading);
    let is_stated =
        lines.next().is_some() && lines.take_while(|line| !is_heading(line)).any(|line| line.contains(MARK));
    let what = format!("states no invariant under \"{heading}\", where `cargo xtask lint` sends its readers");
    (!is_stated).then(|| Fault { path: DOCUMENT.to_owned(), line: 1, what })
}

fn is_heading(line: &str) -> bool {
    line.starts_with('#')
}

fn title(heading: &str) -> &str {
    heading.trim_start_matches('#').trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A crate of the given files, beside a document that states every rule.
    fn faults(files: &[(&str, &str)]) -> Vec<String> {
        let headings: Vec<String> = RULES.iter().map(|rule| format!("### {}\n{MARK} so.\n", rule.heading)).collect();
        let document = format!("{}### {CIRCLES}\n\n{MARK} none.\n", headings.join(""));
        let all = files.iter().copied().chain([(DOCUMENT, document.as_str())]);
        let sources: Vec<Source> = all.map(|(path, text)| Source { path: path.into(), text: text.into() }).collect();
        check(&sources).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_rule_names_both_files_and_its_heading() {
        let rules = [
            ("src/bundle.rs", "crate::native::staging", "src/native/staging.rs", "`src/pipeline/`"),
            ("src/photo.rs", "crate::web", "src/web.rs", "`src/pipeline/`"),
            ("src/diffusion/codec.rs", "crate::lfae::Motion", "src/lfae.rs", "`src/diffusion/`"),
            ("src/lfae/codec.rs", "crate::diffusion", "src/diffusion.rs", "`src/diffusion/`"),
            ("src/kernels/warp.rs", "crate::lfae::Motion", "src/lfae.rs", "`src/kernels/`"),
            (
                "src/native/train/run.rs",
                "super::super::animate::run",
                "src/native/animate.rs",
                "`src/native/` (feature `native`)",
            ),
            (
                "src/native/eval/mod.rs",
                "super::export_pth",
                "src/native/export_pth.rs",
                "`src/native/` (feature `native`)",
            ),
        ];
        for (from, path, to, heading) in rules {
            let found = faults(&[(from, &format!("//! Text.\nuse {path};\n")), (to, "pub fn run() {}")]);
            assert_eq!(found, [format!("{from}:2: uses {to}; {}", reference(heading))]);
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
        assert_eq!(found, [format!("src/a.rs:1: is part of a circle ({way}); {}", reference(CIRCLES))]);
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
    fn a_rule_that_the_document_does_not_state_is_a_fault() {
        let text = format!("# {CIRCLES}\n{MARK} none.\n# `src/diffusion/`\n# Other\n{MARK} of others.");
        let sources = [Source { path: DOCUMENT.into(), text }];
        assert_eq!(check(&sources).unwrap().len(), 4, "three headings and a statement are missing");
    }
}
