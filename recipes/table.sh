#!/usr/bin/env bash
# LFDM, VDM, LDM and ImaGINator from random weights, each with the same minutes of one machine, on faces and on figures.
#
#   FACES=DIRECTORY FIGURES=DIRECTORY recipes/table.sh       or QUICK=1 recipes/table.sh
#
# Needs FACES, sheets of people, and FIGURES, sheets of bodies (tools/people, recipes/figures-128.sh); one of them is
# enough for half of the table. No method sees exact flow: only renderings have it, and videos are what all can learn
# from.
#
#   MINUTES  of training, for all stages of a method together [default: 30]
#   SIZES    of the frames in pixels [default: "64 128"]
#   THREADS  of each training [default: 1]
#   CLIPS    that are judged [default: 72]
#
# Trainings of one method follow each other, and those of LFDM, which has two stages, share MINUTES as 2 to 3; LDM's as
# 1 to 3. The machine should have as many cores as THREADS says and nothing else to do. Sampling takes 8 steps, without
# guidance and with 3, and the table has both, so that each method is seen at its best.
#
# Writes $RUNS/table.md and, with python3 and Pillow, $RUNS/table-MOTION-SIZE.webp: one clip of each label, the real
# ones above.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
minutes=${MINUTES:-30} sizes=${SIZES:-64 128} threads=${THREADS:-1} clips=${CLIPS:-72} steps=8 judged=900
if [[ -n "$QUICK" ]]; then
    quick_clips
    FACES="$RUNS/clips" FIGURES=
    minutes=1 sizes=64 clips=4 steps=2 judged=2
elif [[ -z "${FACES:-}${FIGURES:-}" ]]; then
    echo "set FACES or FIGURES to a directory with sheets (docs/training.md), or QUICK=1 for a try" >&2
    exit 2
fi

# timed NAME SHARE BATCH COMMAND…: a training in $RUNS/NAME that gets SHARE percent of the minutes. One that was
# interrupted begins anew, since minutes are what is compared.
timed() {
    local name=$1 share=$2 batch=$3 limit
    shift 3
    if [[ ! -e "$RUNS/$name/finished" ]]; then
        rm -rf "${RUNS:?}/$name"
    fi
    limit=$(( minutes * share / 100 ))
    train "$name" 1000000 "$batch" "$@" --lr-schedule constant --threads "$threads" \
        --max-minutes "$(( limit > 0 ? limit : 1 ))" --save-minutes 60 --validation-share 0.02
}

# judge NAME MODEL DATA CLASSIFIER OPTION…: what the action network and the distances say of a model.
judge() {
    local name=$1 model=$2 data=$3 classifier=$4
    shift 4
    once "$RUNS/reports/$name.json" eval --model "$model" --data "$data" --split val --clips "$clips" \
        --classifier "$classifier" --device "$DEVICE" --clips-out "$RUNS/clips-of/$name" "$@"
}

# methods MOTION DATA SIZE CLASSIFIER: all four, trained and judged.
methods() {
    local motion=$1 data=$2 size=$3 classifier=$4 run="$1-$3" method guidance
    timed "$run-lfae" 40 4 train lfae --data "$data" --preset "faces-$size" --lr 3e-4 --first-frame 0.85 --max-zoom 1.2
    timed "$run-dm" 60 8 train dm --data "$data" --lfae "$RUNS/$run-lfae" --views 1 --lr 8e-4
    once "$RUNS/models/$run-lfdm" export --lfae "$RUNS/$run-lfae" --dm "$RUNS/$run-dm" --name "$run-lfdm"
    timed "$run-autoencoder" 25 8 train autoencoder --data "$data" --size "$size" --lr 4e-4 --max-zoom 1.2
    timed "$run-ldm" 75 8 train ldm --data "$data" --autoencoder "$RUNS/$run-autoencoder" --views 1 --lr 8e-4
    timed "$run-vdm" 100 2 train vdm --data "$data" --size "$size" --views 1 --lr 8e-4
    timed "$run-imaginator" 100 8 train imaginator --data "$data" --size "$size" --views 1 --channels 32

    for guidance in 1 3; do
        for method in models/$run-lfdm "$run-ldm" "$run-vdm"; do
            judge "$(basename "$method")-guidance-$guidance" "$RUNS/$method" "$data" "$classifier" \
                --steps "$steps" --guidance "$guidance"
        done
    done
    # It makes a clip in one pass, without steps or guidance.
    judge "$run-imaginator" "$RUNS/$run-imaginator" "$data" "$classifier"
}

for motion in faces figures; do
    if [[ "$motion" == faces ]]; then data="${FACES:-}"; else data="${FIGURES:-}"; fi
    if [[ -z "$data" ]]; then
        continue
    fi
    classifier=tests/fixtures/judge
    if [[ "$motion" == figures ]]; then
        # Its training is nobody's, and not counted.
        train judge-figures "$judged" 16 train classifier --data "$data" --frames 16
        classifier="$RUNS/judge-figures"
    fi
    for size in $sizes; do
        methods "$motion" "$data" "$size" "$classifier"
        if python3 -c 'import PIL' 2> /dev/null; then
            python3 recipes/rows.py --sheet "$RUNS" "$motion-$size" --out "$RUNS/table-$motion-$size.webp"
        fi
    done
done
python3 recipes/rows.py --table "$RUNS" > "$RUNS/table.md"
say "$RUNS/table.md"
