#!/usr/bin/env bash
# LDM, trained longer, beside the shipped faces-64 (docs/baselines.md).
#
#   DATA=DIRECTORY DEVICE=libtorch-cuda FEATURES=tch recipes/table-baselines-gpu.sh
#   QUICK=1 recipes/table-baselines-gpu.sh
#
# Needs DATA, 128-pixel sheets of people; the docs' run saw 312 of them. Takes 0.5 and 5.9 minutes of an H200, and the
# evaluation.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
data DATA "128-pixel sheets"
clips=84 steps=8
if [[ -n "$QUICK" ]]; then
    clips=4 steps=2
fi

train long-autoencoder 600 32 train autoencoder --data "$DATA" --size 64 --lr 4e-4 --max-zoom 1.3
train long-ldm 1200 64 train ldm --data "$DATA" --autoencoder "$RUNS/long-autoencoder" --lr 8e-4 \
    --views "$(views 2)" --max-zoom 1.3

for model in "$RUNS/long-ldm" www/models/faces-64; do
    for guidance in 1 4; do
        once "$RUNS/reports/$(basename "$model")-guidance-$guidance.json" eval --model "$model" --data "$DATA" \
            --split val --clips "$clips" --steps "$steps" --guidance "$guidance" --classifier tests/fixtures/judge \
            --device "$DEVICE"
    done
done
