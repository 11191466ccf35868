#!/usr/bin/env bash
# Fuzzes the readers of checkpoints, YAML files, manifests and bundles, guided by coverage, for SECONDS each
# [default: 900]. Needs cargo-fuzz (cargo install cargo-fuzz) and the gigabyte that building all of it once more takes.
# What it finds lies in tests/fuzz/artifacts; `cargo fuzz run --fuzz-dir tests/fuzz TARGET FILE` repeats it.
#
#   tests/hostile/fuzz.sh [SECONDS [TARGET…]]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

seconds=${1:-900}
shift || true
if [[ $# -eq 0 ]]; then
    set -- checkpoint yaml manifest bundle
fi
# A sanitizer would need a nightly compiler, and all of this crate is safe code.
run=(cargo fuzz run --fuzz-dir tests/fuzz --sanitizer none)
cargo fuzz build --fuzz-dir tests/fuzz --sanitizer none
cargo test --features native --test hostile -- --ignored --exact seeds_of_fuzzing
for target in "$@"; do
    "${run[@]}" "$target" -- -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2000 -max_len=100000 \
        -print_final_stats=1
done
