//! Comparison with golden tensors of the official implementation.
//!
//! `cargo test --test oracle` compares what the small set in `tests/fixtures/oracle` allows. With `LFDM_ORACLE=<dir>` naming a full set
//! (`manifest.json`, `config.yaml`, the safetensors files, and `weights_a.safetensors` in it or beside it) everything is compared.
#![cfg(feature = "native")]

mod dm;
mod fixture;
mod golden;
mod lfae;
mod train;
mod units;

use golden::{Golden, Report};

#[test]
fn outputs_match_the_official_implementation() {
    let golden = Golden::open();
    let mut report = Report::default();
    dm::compare(&golden, &mut report);
    lfae::compare(&golden, &mut report);
    units::compare(&golden, &mut report);
    train::compare(&golden, &mut report);
    report.finish(&golden);
}
