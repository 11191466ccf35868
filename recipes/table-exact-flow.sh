#!/usr/bin/env bash
# Stage 1 from random weights, with and without exact flow (docs/log/2026-11-26.md, "Stage 1 without exact flow").
#
#   DATA=DIRECTORY recipes/table-exact-flow.sh       or QUICK=1 recipes/table-exact-flow.sh
#
# Needs DATA, 128-pixel sheets with exact flow; the log's figures are of 100 people. Takes 20 and 22 minutes of a shared
# CPU core with libtorch.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
data DATA "128-pixel sheets and exact flow"

train without-flow 1200 4 train lfae --data "$DATA" --lr 3e-4 --first-frame 0.85 --max-zoom 1.2
exact_flow 64 "$DATA"
train with-flow 1200 4 train lfae "${exact[@]}" --lr 3e-4 --first-frame 0.85 --max-zoom 1.2
for run in without-flow with-flow; do
    once "$RUNS/reports/$run.json" eval --model "$RUNS/$run" --data "$DATA" --split val --device "$DEVICE"
done
