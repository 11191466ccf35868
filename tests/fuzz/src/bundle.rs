//! Weights of a bundle: the header and what follows of its first shard.
#![no_main]

use std::sync::LazyLock;

use self::readers::Shards;

#[path = "../../hostile/readers.rs"]
#[allow(dead_code, reason = "each target uses a part of it")]
mod readers;
#[path = "../../tiny/mod.rs"]
mod tiny;

static SHARDS: LazyLock<Shards> = LazyLock::new(|| {
    let dir = std::env::temp_dir().join(format!("lfdm-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    Shards::write(&dir)
});
static NAME: LazyLock<String> = LazyLock::new(|| SHARDS.read().remove(0).0);

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| SHARDS.load_with(&NAME, bytes));
