//! Both stages learn, and survive being killed, on the set that needs no files.
#![cfg(feature = "native")]

mod tiny;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Labels of the synthetic set.
const LABELS: usize = 4;
const FRAMES: usize = 8;

fn lfdm(dir: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lfdm"));
    command.args(arguments.split_whitespace()).current_dir(dir);
    command
}

fn run(dir: &Path, arguments: &str) {
    let output = lfdm(dir, arguments).output().unwrap();
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

fn lines(path: &Path) -> Vec<Value> {
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A directory with the configuration of a small model.
fn workplace() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let config = tiny::config(64, FRAMES, LABELS);
    fs::write(dir.path().join("config.json"), serde_json::to_vec(&config).unwrap()).unwrap();
    dir
}

const LFAE: &str = "train lfae --data synthetic --flow synthetic --config config.json --batch 4 --lr 0.001";

/// The loss on people that were never trained on, first and last.
fn held_out(run: &Path) -> (f64, f64) {
    let losses: Vec<f64> =
        lines(&run.join("validation.jsonl")).iter().map(|line| line["loss"].as_f64().unwrap()).collect();
    println!("{}: {losses:?}", run.display());
    (losses[0], losses[losses.len() - 1])
}

#[test]
fn held_out_error_falls_in_both_stages() {
    let dir = workplace();
    let dir = dir.path();
    run(dir, &format!("{LFAE} --out lfae --steps 60"));
    let (first, last) = held_out(&dir.join("lfae"));
    assert!(last < 0.8 * first, "stage 1: {first} to {last}");

    run(dir, "train dm --data synthetic --lfae lfae --out dm --batch 4 --lr 0.004 --steps 60");
    let (first, last) = held_out(&dir.join("dm"));
    assert!(last < 0.9 * first, "stage 2: {first} to {last}");
}

#[test]
fn a_killed_run_goes_on_as_if_nothing_had_happened() {
    let dir = workplace();
    let dir = dir.path();
    run(dir, &format!("{LFAE} --out whole --steps 12 --save-every 3"));

    let arguments = format!("{LFAE} --out killed --steps 12 --save-every 3");
    let mut child = lfdm(dir, &arguments).stderr(Stdio::null()).spawn().unwrap();
    let since = Instant::now();
    // After a checkpoint, in the middle of whatever it does then.
    while !dir.join("killed/step-00000003").exists() && !dir.join("killed/step-00000006").exists() {
        assert!(since.elapsed() < Duration::from_secs(120), "no checkpoint");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success(), "it was over before it could be killed");
    run(dir, &format!("{arguments} --resume"));

    for log in ["losses.jsonl", "validation.jsonl"] {
        assert_eq!(lines(&dir.join("whole").join(log)), lines(&dir.join("killed").join(log)), "{log}");
    }
    let weights = |name: &str| fs::read(dir.join(name).join("step-00000012/average.safetensors")).unwrap();
    assert!(weights("whole") == weights("killed"), "the weights differ");
}
