//! `lfdm import --config`: YAML files of the official implementation.
#![no_main]

#[path = "../../hostile/readers.rs"]
#[allow(dead_code, reason = "each target uses a part of it")]
mod readers;
#[path = "../../tiny/mod.rs"]
mod tiny;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| readers::yaml(bytes));
