#!/usr/bin/env bash
# From a bare checkout to faces-128.
#
#   DATA=DIRECTORY DATA192=DIRECTORY STILL=DIRECTORY recipes/faces-128.sh
#   QUICK=1 recipes/faces-128.sh             to see every command run in minutes
#
# Needs DATA, 128-pixel sheets of people with exact flow, and DATA192, 192-pixel sheets with exact flow of 64x64 cells
# (docs/training.md, "Sheets"): recipes/people.sh and SIZE=192 CELLS=64 recipes/people.sh make both. The auto-encoder of
# the shipped model learned from pictures of an older renderer. STILL are people whose heads hold still:
# HEADS=0 NAME=people-still TRAIN=0:500 TAKES=0 recipes/people.sh.
#
# Takes, by the logs of the runs that made the shipped model: about nine hours of one or two CPU cores and 25 minutes of
# an H200. With DEVICE=libtorch-cuda FEATURES=tch all of it computes on the GPU. The trainings are those runs in their
# order, without their stops and detours (docs/log/2026-11-26.md, docs/log/2026-11-27.md) and on all people, where those
# saw 72 to 320; this script as a whole has not been run at full length.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
data DATA "128-pixel sheets and exact flow"
data DATA192 "192-pixel sheets and exact flow"
data STILL "128-pixel sheets and exact flow of people whose heads hold still"
coarse_128

face=(--crop "0.15625,0.21875,0.6875") # close-ups
page=(--crop "0.086,0.086,0.828")       # the page's framing
camera=(--blur 0.05 --noise 0.05 --jpeg 0.05 --grey 0.05)
painting=(--motion-focus 4 --painting 1)

# The decoder learns to see the motion. 17 and 44 minutes of a CPU core.
train painter 900 6 finetune --painter --model "$RUNS/models/coarse" --data "$DATA" --lr 5e-4 --lr-schedule constant \
    "${painting[@]}" --first-frame 0.9 --max-zoom 1.5 --blur 0.1 --noise 0.1 --jpeg 0.1 --grey 0.05
train close 1600 8 finetune --model "$RUNS/painter" --data "$DATA" "${face[@]}" --lr 3e-4 "${painting[@]}" \
    --first-frame 1 --max-zoom 1.3 "${camera[@]}"

# Motion on 32x32 cells, then the decoder on the page's framing. 25 and 20 minutes of a CPU core.
exact_flow 128 "$DATA192" --flow-weight 0.2 --visibility 0.03
train finer 500 8 finetune --finer --model "$RUNS/close" "${exact[@]}" "${face[@]}" --lr 8e-4 --first-frame 1 \
    --max-zoom 1.25 "${painting[@]}" --warping 10 "${camera[@]}"
train decoder 500 8 finetune --model "$RUNS/finer" --data "$DATA192" "${page[@]}" --lr 4e-4 --first-frame 1 \
    --max-zoom 1.5 "${painting[@]}" "${camera[@]}"

# Stage 2: the coarse motion of close-ups, then the wavelets of the finer motion. 17 minutes of two CPU cores to see the
# motion, and 2.5 seconds a step.
train close-dm 700 8 train dm --init "$RUNS/models/coarse" --lfae "$RUNS/painter" --data "$DATA" "${face[@]}" \
    --lr 5e-4 --views "$(views 2)" --max-zoom 1.35
train finer-dm 450 8 train dm --init "$RUNS/close-dm" --lfae "$RUNS/finer" --data "$DATA192" "${page[@]}" \
    --lr 6e-4 --views "$(views 2)" --max-zoom 1.4
train finer-dm-long 3300 8 train dm --init "$RUNS/finer-dm" --lfae "$RUNS/finer" --data "$DATA192" "${page[@]}" \
    --lr 6e-4 --views "$(views 2)" --max-zoom 1.4

# An adversary makes the decoder paint sharper. 71 and 40 minutes of a CPU core.
train sharp 1500 8 finetune --model "$RUNS/decoder" --data "$DATA192" "${page[@]}" --adversary 1 --lr 6e-4 \
    --milestones 1380 --first-frame 1 --max-zoom 1.4 "${painting[@]}"
train sharper 800 8 finetune --model "$RUNS/sharp" --data "$DATA192" "${page[@]}" --adversary 1 --lr 5e-4 \
    --milestones 680 --first-frame 1 --max-zoom 1.4 "${painting[@]}"
once "$RUNS/models/faces-128-first" export --lfae "$RUNS/sharper" --dm "$RUNS/finer-dm-long" --name faces-128 \
    "${licence[@]}"

# On more people: finer motion with the decoder, a new adversary, and stage 2. 13 minutes of an H200.
train finest 500 32 finetune --finer --model "$RUNS/models/faces-128-first" --data "$DATA192" "${page[@]}" --lr 8e-4 \
    --first-frame 1 --max-zoom 1.4 "${painting[@]}" --warping 10 "${camera[@]}"
train judged 900 32 finetune --model "$RUNS/finest" --data "$DATA192" "${page[@]}" --adversary 1 --lr 6e-4 \
    --first-frame 1 --max-zoom 1.4 "${painting[@]}"
train faces-128-dm 750 64 train dm --init "$RUNS/models/faces-128-first" --lfae "$RUNS/finest" --data "$DATA192" \
    "${page[@]}" --lr 8e-4 --views "$(views 2)" --max-zoom 1.4 --time-shift 2

# The decoder learns not to trust details that stage 2 makes up. 70 minutes of a CPU core.
train matched 2000 8 finetune --model "$RUNS/judged" --data "$DATA192" "${page[@]}" --adversary 0.5 \
    --feature-matching 8 --motion-augmentation 0.6 --lr 5e-4 --first-frame 1 --max-zoom 1.4 "${painting[@]}"

# Expressions alone: people whose heads hold still, and their exact motion. The decoder learns to paint from it.
exact_flow 128 "$STILL"
train expressions-dm 1900 8 train dm --init "$RUNS/faces-128-dm" --lfae "$RUNS/matched" "${exact[@]}" --lr 5e-4 \
    --lr-schedule constant --views "$(views 4)" --max-zoom 1.3 --time-shift 2
train expressions 800 8 finetune --model "$RUNS/matched" "${exact[@]}" --adversary 0.5 --feature-matching 8 \
    --motion-augmentation 0.5 --lr 4e-4 --lr-schedule constant --first-frame 1 --max-zoom 1.3 "${painting[@]}"

once "$RUNS/models/faces-128" export --lfae "$RUNS/expressions" --dm "$RUNS/expressions-dm" --name faces-128 --steps 8 \
    --guidance 3.5 --detail-guidance 5.2 --guidance-interval 0.55,0.95 \
    "${licence[@]}"
say "$RUNS/models/faces-128 is ready: copy it to www/models/faces-128, or try it with lfdm animate"
