//! Comparison with golden tensors of the official implementation.
//!
//! `cargo test --features native --test oracle` compares what the small set in `tests/fixtures/oracle` allows.
//! With `LFDM_ORACLE=<dir>` naming a full set (`manifest.json`, `config.yaml`, the safetensors files, and the
//! weights in it or beside it) everything is compared, and whatever is not counts as missing.
//!
//! It is done twice. In single precision, in which models run, two roundings lie between the numbers: the
//! official one's and ours. In double precision only the first is left, which shows that the formulas are the
//! same, gradients and optimiser steps included.
#![cfg(feature = "native")]

mod dm;
mod fixture;
mod golden;
mod lfae;
mod train;
mod units;

use std::process::Command;

use burn::tensor::{Device, FloatDType};
use golden::{Golden, Precision, Report};

const PRECISION: &str = "LFDM_ORACLE_PRECISION";

/// A device's type of floats is settled once per process, so each precision gets a process of its own.
#[test]
fn outputs_match_the_official_implementation() {
    for precision in ["single", "double"] {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "compare", "--ignored", "--nocapture"])
            .env(PRECISION, precision)
            .output()
            .unwrap();
        let lines = String::from_utf8_lossy(&output.stdout);
        lines.lines().filter(|line| line.starts_with("oracle")).for_each(|line| println!("{line}"));
        assert!(output.status.success(), "{precision} precision:\n{lines}{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
#[ignore = "the test above runs it, once per precision"]
fn compare() {
    let precision = match std::env::var(PRECISION).as_deref() {
        Ok("single") => Precision::Single,
        _ => Precision::Double,
    };
    if precision == Precision::Double {
        Device::flex().configure(FloatDType::F64).unwrap();
    }
    let golden = Golden::open();
    let mut report = Report::new(precision);
    dm::compare(&golden, &mut report);
    lfae::compare(&golden, &mut report);
    units::compare(&golden, &mut report);
    train::compare(&golden, &mut report);
    report.finish(&golden);
}
