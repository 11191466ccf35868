#!/usr/bin/env bash
# What is worth doing in ten minutes of a rented GPU: stage 2 of a model goes on, with the largest batch that is no
# slower for a clip.
#
#   DEVICE=libtorch-cuda FEATURES=tch DATA=DIRECTORY recipes/gpu-window.sh      or QUICK=1 recipes/gpu-window.sh
#
# Needs DATA, sheets of people (recipes/people.sh). Prints clips per second for each batch, and the share of PEAK that
# the run reached. Call it again in the next window: motion is computed once, and the training goes on where it was. To
# save minutes of the GPU, compute the motion before, on any machine: DEVICE=cpu MINUTES=0 recipes/gpu-window.sh
#
#   MODEL    what is trained [default: www/models/faces-128]
#   MINUTES  of training, after some seconds for each batch [default: 8]
#   BATCHES  batches to try [default: 64 128 256 512]
#   PEAK     what the device could do at most, in TFLOP/s [default: 60, an H200 in f32]
# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
data DATA "sheets of people"
MODEL=${MODEL:-www/models/faces-128} MINUTES=${MINUTES:-8} BATCHES=${BATCHES:-64 128 256 512} PEAK=${PEAK:-60}
trial=20
if [[ -n "$QUICK" ]]; then
    BATCHES="1 2" MINUTES=0.2 trial=3
fi
window="$RUNS/gpu-window"
mkdir -p "$window"

# stage2 NAME OPTION…: a training in $window/NAME on the motion that was computed once.
stage2() {
    local run="$window/$1"
    shift
    "$LFDM" train dm --lfae "$MODEL" --data "$DATA" --views 1 --time-shift 2 --lr-schedule constant --out "$run" \
        --preview-every 1000000 --device "$DEVICE" "$@"
}

# last RUN FIELD: a number of the last line in the run's account of its time.
last() {
    tail -n 1 "$window/$1/times.jsonl" | grep -o "\"$2\": *[0-9.eE+-]*" | sed 's/.*: *//'
}

if [[ ! -e "$window/motion/finished" ]]; then
    say "$window/motion: the motion of all clips"
    rm -rf "$window/motion"
    stage2 motion --init "$MODEL" --steps 1 --batch 1
    touch "$window/motion/finished"
fi
if [[ "$MINUTES" == 0 ]]; then
    exit
fi

best=0 fastest=0
for batch in $BATCHES; do
    run="$window/batch-$batch"
    if [[ ! -e "$run/times.jsonl" ]]; then
        rm -rf "$run"
        mkdir "$run"
        ln "$window"/motion/motion-*.safetensors "$run/"
        say "$trial steps of batch $batch"
        # The largest ones may not fit into memory.
        stage2 "batch-$batch" --init "$MODEL" --steps "$trial" --batch "$batch" || break
    fi
    clips=$(last "batch-$batch" clips_per_second)
    echo "batch $batch: $clips clips a second" >&2
    if awk "BEGIN { exit !($clips > 1.05 * $fastest) }"; then
        best=$batch fastest=$clips
    fi
done

# The rate grows with the root of the batch: 5e-4 at 8.
rate=$(awk "BEGIN { print 5e-4 * sqrt($best / 8 > 4 ? 4 : $best / 8) }")
say "batch $best at a rate of $rate, for $MINUTES minutes"
if compgen -G "$window/dm/step-*" > /dev/null; then
    stage2 dm --resume --steps 1000000 --batch "$best" --lr "$rate" --max-minutes "$MINUTES"
else
    rm -rf "$window/dm"
    mkdir "$window/dm"
    ln "$window"/motion/motion-*.safetensors "$window/dm/"
    stage2 dm --init "$MODEL" --steps 1000000 --batch "$best" --lr "$rate" --max-minutes "$MINUTES"
fi
flops=$(last dm flops_per_second)
awk "BEGIN { printf \"%.2f TFLOP/s, %.1f %% of %s\n\", $flops / 1e12, $flops / 1e10 / $PEAK, \"$PEAK TFLOP/s\" }" >&2
say "$window/dm: lfdm export --lfae $MODEL --dm $window/dm --name NAME --out DIRECTORY"
