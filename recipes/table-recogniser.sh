#!/usr/bin/env bash
# What an outside expression recogniser sees in real, rebuilt and generated clips (docs/models.md), and in the real
# clips of the whole validation split (docs/evaluation.md).
#
#   DATA=DIRECTORY STILL=DIRECTORY recipes/table-recogniser.sh       or QUICK=1 recipes/table-recogniser.sh
#
# Needs Node.js 18 or newer with npm; DATA, 128-pixel sheets of people; and STILL, 128-pixel ones of people whose heads
# hold still, as for recipes/table-card.sh.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
data DATA "128-pixel sheets"
data STILL "128-pixel sheets of people whose heads hold still"
clips=84
if [[ -n "$QUICK" ]]; then
    clips=4
fi
npm ci --prefix tools/judge

# judge CLIPS OPTION…
judge() {
    say "$1"
    node tools/judge/judge.js "$@"
}

# kept NAME OPTION…: the clips of one evaluation, kept in $RUNS/clips-NAME.
kept() {
    local name=$1
    shift
    once "$RUNS/reports/kept-$name.json" eval --clips-out "$RUNS/clips-$name" --split val --device "$DEVICE" "$@"
}

kept faces-128 --model www/models/faces-128 --data "$STILL" --clips "$clips"
judge "$RUNS/clips-faces-128" --out "$RUNS/clips-faces-128.json"

# All real clips, at both sizes; 2 steps, because the generated ones are not wanted here.
kept real-128 --model www/models/faces-128 --data "$DATA" --steps 2
judge "$RUNS/clips-real-128" --squares --out "$RUNS/clips-real-128.json"
judge "$RUNS/clips-real-128" --out "$RUNS/clips-real-128-detected.json"
kept real-64 --model www/models/faces-64 --data "$DATA" --steps 2
judge "$RUNS/clips-real-64" --squares --out "$RUNS/clips-real-64.json"
