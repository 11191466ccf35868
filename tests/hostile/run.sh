#!/usr/bin/env bash
# Repeats the trials that once broke the program: damaged files for SECONDS each [default: 900]; about 2400 calls of the
# program, counted; then full disks, two processes in one run, signals, and outputs that would replace what is the
# user's.
#
#   tests/hostile/run.sh [SECONDS]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

export LFDM_HOSTILE_SECONDS=${1:-900}
cargo test --features native --test hostile -- --nocapture --test-threads 1 --include-ignored
cargo test --features native --test nothing_is_lost
