#!/usr/bin/env bash
# How the guidance of faces-128 was chosen (docs/log/2026-11-27.md, "Guidance"): 70 clips for each strength of detail.
#
#   DATA208=DIRECTORY recipes/table-guidance.sh       or QUICK=1 recipes/table-guidance.sh
#
# Needs DATA208, 208-pixel sheets whose validation split holds people 412 to 421.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
data DATA208 "208-pixel sheets"
clips=70 steps=8
if [[ -n "$QUICK" ]]; then
    clips=4 steps=2
fi

# The strength of detail is 1 + (guidance - 1) times `detail`: 3.6, 5.2 and 7.6 make 10, 14 and 20 of 3.5. The figures
# in the log are of an earlier decoder; this measures the shipped model.
for detail in 3.6 5.2 7.6; do
    model="$RUNS/models/detail-$detail"
    once "$model" export --lfae www/models/faces-128 --dm www/models/faces-128 --name "detail-$detail" --steps 8 \
        --guidance 3.5 --guidance-interval 0.55,0.95 --detail-guidance "$detail"
    once "$RUNS/reports/detail-$detail.json" eval --model "$model" --data "$DATA208" --crop 0.086,0.086,0.828 \
        --split val --clips "$clips" --steps "$steps" --classifier tests/fixtures/judge --device "$DEVICE"
done
