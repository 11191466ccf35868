# shellcheck shell=bash
# What the recipes share. Sourced by them, never run by itself.
#
# Variables that every recipe understands:
#   QUICK=1   a few steps on drawn faces: shows in minutes that every command runs, and trains nothing worth keeping
#   RUNS      where runs, models and reports go [default: runs, with QUICK=1 runs/quick]
#   DEVICE    what --device takes [default: cpu]
#   LFDM      the program [default: built here, with the features in FEATURES]
#   FEATURES  features of the build [default: native]
#
# Call a recipe again after an interruption: finished steps are skipped, a broken training is resumed.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

QUICK=${QUICK:-}
DEVICE=${DEVICE:-cpu}
RUNS=${RUNS:-runs${QUICK:+/quick}}
mkdir -p "$RUNS"

if [[ -z "${LFDM:-}" ]]; then
    cargo build --release --features "${FEATURES:-native}"
    LFDM="${CARGO_TARGET_DIR:-target}/release/lfdm"
fi

# What `lfdm export` says of models that were trained on renderings alone.
licence=(--licence "CC0-1.0; trained on renderings of synthetic people made from CC0 parts")

# Says what a recipe does next.
say() {
    printf '\n== %s\n' "$*" >&2
}

# data NAME WHAT: stops unless the variable NAME holds a directory. With QUICK=1, clips that `quick_clips` makes take
# its place.
data() {
    if [[ -n "$QUICK" ]]; then
        quick_clips
        printf -v "$1" %s "$RUNS/clips"
    elif [[ ! -d "${!1:-}" ]]; then
        echo "set $1 to a directory with $2 (docs/training.md says how it is laid out), or QUICK=1 for a try" >&2
        exit 2
    fi
}

# Three people and four labels, drawn by the shipped faces-128 from the page's samples.
quick_clips() {
    local sample label
    for sample in 3628 3666 3652; do
        for label in neutral happiness sadness surprise; do
            once "$RUNS/clips/$sample/$label" animate --model www/models/faces-128 --image "www/samples/$sample.jpg" \
                --label "$label" --steps 2
        done
    done
    echo '{ "train": ["3628", "3666"], "val": ["3652"] }' > "$RUNS/clips/splits.json"
}

# exact_flow SIZE DIRECTORY OPTION…: sets the array `exact` to the options that name training clips with exact flow,
# and to OPTION…. With QUICK=1 the drawn faces have it, but only models of 64 pixels can learn from those.
exact_flow() {
    if [[ -z "$QUICK" ]]; then
        exact=(--data "$2" --flow "$2" "${@:3}")
    elif [[ "$1" == 64 ]]; then
        exact=(--data synthetic --flow synthetic "${@:3}")
    else
        exact=(--data "$2")
    fi
}

# train NAME STEPS BATCH COMMAND…: a training in $RUNS/NAME, begun, resumed or, if it is finished, skipped.
train() {
    local run="$RUNS/$1" steps=$2 batch=$3 resume=()
    shift 3
    if [[ -e "$run/finished" ]]; then
        return
    fi
    if [[ -n "$QUICK" ]]; then
        steps=2 batch=2
    fi
    if compgen -G "$run/step-*" > /dev/null; then
        resume=(--resume)
    fi
    local options=()
    while (( $# )); do
        # What a run began with is in it by now, and lfdm takes no other beginning with --resume.
        if [[ ${#resume[@]} -gt 0 && ( "$1" == --init || "$1" == --motion-of ) ]]; then
            shift
        else
            options+=("$1")
        fi
        shift
    done
    say "$run: $steps steps of batch $batch"
    "$LFDM" "${options[@]}" --out "$run" --steps "$steps" --batch "$batch" --device "$DEVICE" \
        ${resume[@]+"${resume[@]}"}
    touch "$run/finished"
}

# once OUT COMMAND…: what is made in one go, unless it is there.
once() {
    local out=$1
    shift
    if [[ ! -e "$out" ]]; then
        say "$out"
        mkdir -p "$(dirname "$out")"
        "$LFDM" "$@" --out "$out"
    fi
}

# iterate_refinement MODEL: three passes of the refinement, which find motion a little better than the training's two.
iterate_refinement() {
    sed -i.bak 's/"iterations": 2/"iterations": 3/' "$1/manifest.json"
    rm "$1/manifest.json.bak"
}

# What both models begin with: $RUNS/models/coarse, which is faces-128 with its motion on 16x16 cells.
#
# Needs DATA: 128-pixel sheets with exact flow. About 20 minutes of a CPU core, 11 of an H200, 12 of a CPU core.
coarse_128() {
    # The shipped models began with an older faces-64 (docs/log/2026-11-22.md), which took 2.5 hours; this run was
    # measured to end better (docs/log/2026-11-26.md).
    train seed 1200 4 train lfae --data "$DATA" --lr 3e-4 --first-frame 0.85 --max-zoom 1.2

    exact_flow 128 "$DATA" --flow-weight 1 --tracking 3 --visibility 0.03
    train coarse-lfae 1300 32 train lfae --preset faces-128 --init "$RUNS/seed" "${exact[@]}" --lr 4e-4 \
        --equivariance-shift 3 --equivariance-affine 3 --motion-focus 2 --max-zoom 1.4 --first-frame 0.85 \
        --blur 0.15 --noise 0.15 --jpeg 0.1 --grey 0.1
    train coarse-dm 1300 32 train dm --data "$DATA" --lfae "$RUNS/coarse-lfae" --lr 8e-4 --views "$(views 4)" \
        --max-zoom 1.4
    if [[ ! -e "$RUNS/models/coarse-first" ]]; then
        once "$RUNS/models/coarse-first" export --lfae "$RUNS/coarse-lfae" --dm "$RUNS/coarse-dm" --name coarse \
            "${licence[@]}"
        iterate_refinement "$RUNS/models/coarse-first"
    fi
    train coarse-decoder 500 6 finetune --model "$RUNS/models/coarse-first" --data "$DATA" --lr 3e-4 --motion-focus 2 \
        --first-frame 0.9 --max-zoom 1.4 --blur 0.1 --noise 0.1 --jpeg 0.1 --grey 0.05
    once "$RUNS/models/coarse" export --lfae "$RUNS/coarse-decoder" --dm "$RUNS/models/coarse-first" --name coarse \
        "${licence[@]}"
}

# views N: the views of each person that stage 2 learns, one with QUICK=1.
views() {
    if [[ -n "$QUICK" ]]; then echo 1; else echo "$1"; fi
}
