//! The files of the crate and which uses which.

use std::collections::{HashMap, HashSet, VecDeque};

use anyhow::{Context, Result};

use super::scan::Scan;
use crate::house::Source;

/// How many re-exports of re-exports are followed.
const HOPS: usize = 8;

/// Where the crate begins.
const ROOT: &str = "src/lib.rs";

/// The program, a crate of its own.
const PROGRAM: &str = "src/main.rs";

/// File `from` uses file `to`, first on `line`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Edge {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) line: usize,
}

struct File {
    path: String,
    module: Vec<String>,
    /// The module as one text, such as `native::train`.
    name: String,
    scan: Scan,
}

pub(super) struct Graph {
    files: Vec<File>,
    by_module: HashMap<Vec<String>, usize>,
    edges: Vec<Edge>,
}

impl Graph {
    /// The crate's modules among the sources, but for those of tests.
    pub(super) fn read(sources: &[Source]) -> Result<Self> {
        let is_module =
            |source: &&Source| source.path.starts_with("src/") && source.has_extension("rs") && source.path != PROGRAM;
        let mut files = Vec::new();
        for source in sources.iter().filter(is_module) {
            let module = module_of(&source.path);
            let scan = Scan::of(&source.text, &module).with_context(|| format!("cannot read {}", source.path))?;
            files.push(File { path: source.path.clone(), name: module.join("::"), module, scan });
        }
        let of_tests: HashSet<Vec<String>> = files.iter().flat_map(|file| file.scan.test_modules.clone()).collect();
        files.retain(|file| !of_tests.iter().any(|tests| file.module.starts_with(tests)));
        let by_module = files.iter().enumerate().map(|(index, file)| (file.module.clone(), index)).collect();
        let mut graph = Self { files, by_module, edges: Vec::new() };
        graph.edges = (0..graph.files.len()).flat_map(|from| graph.edges_of(from)).collect();
        Ok(graph)
    }

    pub(super) fn edges(&self) -> &[Edge] {
        &self.edges
    }

    pub(super) fn path(&self, file: usize) -> &str {
        &self.files[file].path
    }

    pub(super) fn module(&self, file: usize) -> &str {
        &self.files[file].name
    }

    /// A map uses the rooms below it by nature, so that is no edge.
    fn edges_of(&self, from: usize) -> Vec<Edge> {
        let file = &self.files[from];
        let mut edges: Vec<Edge> = Vec::new();
        for (path, line) in &file.scan.paths {
            let Some(to) = self.locate(path, HOPS) else { continue };
            let is_below = self.files[to].module.starts_with(&file.module);
            if !is_below && edges.iter().all(|edge| edge.to != to) {
                edges.push(Edge { from, to, line: *line });
            }
        }
        edges
    }

    /// The file that defines what an absolute path names. `None` for other crates.
    fn locate(&self, path: &[String], hops: usize) -> Option<usize> {
        // The longest part that is a module of its own file.
        let length = (0..=path.len()).rev().find(|&length| self.by_module.contains_key(&path[..length]))?;
        let at = self.by_module[&path[..length]];
        let file = &self.files[at];
        let Some(name) = path.get(length) else { return Some(at) };
        if hops == 0 || file.scan.items.contains(name) {
            return Some(at);
        }
        if let Some(target) = file.scan.names.get(name) {
            let target: Vec<String> = target.iter().chain(&path[length + 1..]).cloned().collect();
            // A name that leads out of the crate was brought in here, which makes this the place.
            return if target == path { Some(at) } else { self.locate(&target, hops - 1) };
        }
        let defines = |&&index: &&usize| self.files[index].scan.items.contains(name);
        let globs: Vec<usize> = file.scan.globs.iter().filter_map(|glob| self.locate(glob, hops - 1)).collect();
        globs.iter().find(defines).copied().or(Some(at))
    }

    /// A shortest circle through each group of files that use each other.
    pub(super) fn circles(&self) -> Vec<Vec<Edge>> {
        let mut reported: HashSet<usize> = HashSet::new();
        let mut circles = Vec::new();
        for start in 0..self.files.len() {
            if reported.contains(&start) {
                continue;
            }
            if let Some(circle) = self.way_back(start) {
                reported.extend(circle.iter().map(|edge| edge.from));
                circles.push(circle);
            }
        }
        circles
    }

    /// The shortest way from a file to itself, breadth first.
    fn way_back(&self, start: usize) -> Option<Vec<Edge>> {
        let mut reached_by: HashMap<usize, Edge> = HashMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(at) = queue.pop_front() {
            for edge in self.edges.iter().filter(|edge| edge.from == at) {
                if reached_by.contains_key(&edge.to) {
                    continue;
                }
                reached_by.insert(edge.to, *edge);
                if edge.to == start {
                    return Some(trace(start, &reached_by));
                }
                queue.push_back(edge.to);
            }
        }
        None
    }
}

/// The edges of a circle, in order, from how each file was reached.
fn trace(start: usize, reached_by: &HashMap<usize, Edge>) -> Vec<Edge> {
    let mut circle = vec![reached_by[&start]];
    while circle[circle.len() - 1].from != start {
        circle.push(reached_by[&circle[circle.len() - 1].from]);
    }
    circle.reverse();
    circle
}

/// `src/native/train/mod.rs` is `native::train`.
fn module_of(path: &str) -> Vec<String> {
    if path == ROOT {
        return Vec::new();
    }
    let inner = path.trim_start_matches("src/").trim_end_matches(".rs");
    inner.trim_end_matches("/mod").split('/').map(str::to_owned).collect()
}
