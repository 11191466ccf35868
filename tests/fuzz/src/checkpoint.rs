//! `lfdm import`: checkpoints of PyTorch, pickles in a ZIP archive or in the older format.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

#[path = "../../hostile/readers.rs"]
#[allow(dead_code, reason = "each target uses a part of it")]
mod readers;
#[path = "../../tiny/mod.rs"]
mod tiny;

static FILE: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("lfdm-fuzz-{}.pth", std::process::id())));

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| readers::checkpoint(&FILE, bytes));
