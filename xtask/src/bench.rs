//! `cargo xtask bench`: what a video costs, ours beside peers that run the same network.
//!
//! Ours and its peers take turns, so that what slows a machine down for a while slows down all of
//! them. A peer that is not installed is left out, and the table says so.

use std::{
    env,
    path::{Path, PathBuf},
    thread,
};

use anyhow::{Context, Result};
use clap::{Args as Arguments, ValueEnum};
use xshell::{Shell, cmd};

use crate::{
    page,
    system::{step, which},
    target_dir, tools,
};

const MODELS: [&str; 2] = ["faces-64", "faces-128"];

/// Our name in the table; all other names are peers.
const OURS: &str = "lfdm";

/// Names the program to measure.
const PROGRAM: &str = "LFDM_BIN";

/// Names a Python that has onnxruntime.
const PYTHON: &str = "LFDM_PYTHON";

/// Names the folder of the npm package onnxruntime-web.
const ONNXRUNTIME: &str = "LFDM_ONNXRUNTIME";

/// Runs of each network in a turn.
const RUNS: usize = 8;

#[derive(Arguments)]
pub(crate) struct Args {
    /// Measure one part alone.
    #[arg(long, value_enum)]
    part: Option<Part>,
    /// Measure on the GPU: natively through Vulkan or what there is, and in the page on WebGPU. `LFDM_SWIFTSHADER=1`
    /// takes Chromium's software in its place.
    #[arg(long)]
    gpu: bool,
    /// Denoising steps of a clip in the page.
    #[arg(long, default_value_t = 8)]
    steps: usize,
    /// How often ours and each peer have their turn.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Download the peer of the page, npm's onnxruntime-web (148 MB), if it is not there.
    #[arg(long)]
    install: bool,
    /// Measure the page that lies in dist/ rather than building it.
    #[arg(long)]
    no_build: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The page, on the CPU, in Chromium.
    Page,
    /// The program `lfdm`.
    Native,
}

pub(crate) fn run(sh: &Shell, args: &Args) -> Result<()> {
    let program = program(sh, args.gpu)?;
    let mut table = Table::default();
    if args.part != Some(Part::Page) {
        if args.gpu { on_gpu(sh, args, &program, &mut table)? } else { native(sh, args, &program, &mut table)? }
    }
    if args.part != Some(Part::Native) {
        in_page(sh, args, &program, &mut table)?;
    }
    println!("\n{}", table.render());
    Ok(())
}

/// The program `lfdm`: the one that the environment names, or an optimised build of it.
fn program(sh: &Shell, gpu: bool) -> Result<PathBuf> {
    if let Some(program) = env::var_os(PROGRAM) {
        return Ok(program.into());
    }
    step("building lfdm");
    let features = if gpu { "native,gpu" } else { "native" };
    cmd!(sh, "cargo build --package lfdm --release --no-default-features --features {features}").run()?;
    Ok(target_dir()?.join("release").join(format!("lfdm{}", env::consts::EXE_SUFFIX)))
}

fn native(sh: &Shell, args: &Args, program: &Path, table: &mut Table) -> Result<()> {
    let peer = sh.current_dir().join("tools/bench/peer.py");
    let python = env::var_os(PYTHON).map(PathBuf::from).or_else(|| which("python3")).and_then(|python| {
        let found = cmd!(sh, "{python} {peer} --check").quiet().ignore_stderr().read().ok()?;
        Some((python, found))
    });
    if python.is_none() {
        table.notes.push(format!(
            "native peer left out: no Python with onnxruntime (pip install onnxruntime; {PYTHON} names another Python)"
        ));
    }
    let graphs = sh.create_temp_dir()?;
    let cores = thread::available_parallelism().map_or(1, |cores| cores.get());
    let runs = RUNS.to_string();
    for model in MODELS {
        let bundle = sh.current_dir().join("www/models").join(model);
        let out = graphs.path().join(model);
        if python.is_some() {
            cmd!(sh, "{program} export-onnx --model {bundle} --out {out}").quiet().ignore_stderr().run()?;
        }
        let mut threads = vec![1, cores];
        threads.dedup();
        for threads in threads.iter().map(ToString::to_string) {
            step(&format!("{model}, threads: {threads}"));
            for _ in 0..args.rounds {
                let ours = cmd!(sh, "{program} pace --model {bundle} --runs {runs}").env("RAYON_NUM_THREADS", &threads);
                let what = format!("native, {model}, {threads} thread(s)");
                table.read(&what, Some(OURS), &ours.quiet().read()?)?;
                if let Some((python, name)) = &python {
                    let theirs = cmd!(sh, "{python} {peer} {out} --runs {runs} --threads {threads}");
                    table.read(&what, Some(name), &theirs.quiet().read()?)?;
                }
            }
        }
    }
    Ok(())
}

/// The program alone does this too, where there is a driver and nothing else: `lfdm pace --device gpu`.
fn on_gpu(sh: &Shell, args: &Args, program: &Path, table: &mut Table) -> Result<()> {
    let runs = RUNS.to_string();
    for model in MODELS {
        step(&format!("{model} on the GPU"));
        let bundle = sh.current_dir().join("www/models").join(model);
        for _ in 0..args.rounds {
            let ours = cmd!(sh, "{program} pace --model {bundle} --runs {runs} --device gpu");
            table.read(&format!("native, {model}, GPU"), Some(OURS), &ours.quiet().read()?)?;
        }
    }
    Ok(())
}

fn in_page(sh: &Shell, args: &Args, program: &Path, table: &mut Table) -> Result<()> {
    tools::node_modules(sh, "tests/browser")?;
    let chromium = tools::chromium(sh)?;
    let installed = env::var_os(ONNXRUNTIME).map(PathBuf::from);
    let runtime = match installed {
        Some(folder) => Some(folder),
        None => tools::onnxruntime(sh, args.install)?,
    };
    if !args.no_build {
        page::build(sh, false)?;
    }
    if runtime.is_none() {
        table.notes.push(format!(
            "peer of the page left out: no onnxruntime-web (--install downloads it; {ONNXRUNTIME} names its folder)"
        ));
    }
    let dist = sh.current_dir().join("dist");
    let _in_tests = sh.push_dir("tests/browser");
    let mut bench = cmd!(sh, "node bench.js")
        .env(PROGRAM, program)
        .env("LFDM_DIST", dist)
        .env("LFDM_CHROMIUM", chromium)
        .env("LFDM_BENCH_DEVICE", if args.gpu { "webgpu" } else { "cpu" })
        .env("LFDM_BENCH_STEPS", args.steps.to_string())
        .env("LFDM_BENCH_ROUNDS", args.rounds.to_string());
    if let Some(runtime) = runtime {
        bench = bench.env(ONNXRUNTIME, runtime);
    }
    step("the page, in Chromium");
    table.read("page", None, &bench.quiet().read()?)
}

/// Measurements by what was done and who did it, in the order of their first appearance.
#[derive(Default)]
struct Table {
    rows: Vec<Row>,
    notes: Vec<String>,
}

struct Row {
    what: String,
    who: String,
    milliseconds: Vec<f64>,
}

impl Table {
    /// Reads lines of what was done, who did it unless `who` says so, and milliseconds, with tabs
    /// between them.
    fn read(&mut self, place: &str, who: Option<&str>, lines: &str) -> Result<()> {
        for line in lines.lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            let ((&[what, times], Some(who)) | (&[what, who, times], None)) = (fields.as_slice(), who) else {
                anyhow::bail!("this is no measurement: {line}");
            };
            let what = format!("{place}, {what}");
            let times: Result<Vec<f64>, _> = times.split(' ').map(str::parse).collect();
            self.add(&what, who, &times.with_context(|| format!("these are no milliseconds: {line}"))?);
        }
        Ok(())
    }

    fn add(&mut self, what: &str, who: &str, milliseconds: &[f64]) {
        if let Some(row) = self.rows.iter_mut().find(|row| row.what == what && row.who == who) {
            row.milliseconds.extend(milliseconds);
        } else {
            let (what, who) = (what.to_owned(), who.to_owned());
            self.rows.push(Row { what, who, milliseconds: milliseconds.to_vec() });
        }
    }

    /// A Markdown table: a line for each thing that was done and each peer that did it too.
    fn render(&self) -> String {
        let mut lines =
            vec!["| | lfdm, ms | peer, ms | peer / lfdm | peer |".to_owned(), "|---|---|---|---|---|".to_owned()];
        for ours in self.rows.iter().filter(|row| row.who == OURS) {
            let ours_ms = median(&ours.milliseconds);
            let mut peers = self.rows.iter().filter(|row| row.what == ours.what && row.who != OURS).peekable();
            if peers.peek().is_none() {
                lines.push(format!("| {} | {ours_ms:.1} | | | |", ours.what));
            }
            for peer in peers {
                let peer_ms = median(&peer.milliseconds);
                let ratio = peer_ms / ours_ms;
                lines.push(format!("| {} | {ours_ms:.1} | {peer_ms:.1} | {ratio:.2} | {} |", ours.what, peer.who));
            }
        }
        let notes = self.notes.iter().map(|note| format!("\n{note}"));
        lines.into_iter().chain(notes).collect::<Vec<_>>().join("\n")
    }
}

/// The middle of the sorted numbers, or the mean of the two in the middle.
fn median(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => sorted[half],
        _ => f64::midpoint(sorted[half - 1], sorted[half]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_add_up_and_peers_are_compared() -> Result<()> {
        let mut table = Table::default();
        for times in ["2.0 9.0", "4.0"] {
            table.read("native", Some(OURS), &format!("one pass\t{times}"))?;
        }
        table.read("native", Some("theirs"), "one pass\t6.0 10.0")?;
        table.read("page", None, "loaded\tlfdm\t7")?;
        table.notes.push("a peer is not there".to_owned());
        let lines = table.render();
        let lines: Vec<&str> = lines.lines().skip(2).collect();
        assert_eq!(
            lines,
            [
                "| native, one pass | 4.0 | 8.0 | 2.00 | theirs |",
                "| page, loaded | 7.0 | | | |",
                "",
                "a peer is not there"
            ]
        );
        assert!(table.read("page", None, "nonsense").is_err());
        assert!(table.read("page", None, "loaded\tlfdm\tsoon").is_err());
        Ok(())
    }
}
