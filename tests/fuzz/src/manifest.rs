//! `manifest.json` of a bundle.
#![no_main]

use lfdm::bundle::Manifest;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| drop(Manifest::parse(bytes)));
