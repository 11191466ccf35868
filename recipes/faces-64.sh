#!/usr/bin/env bash
# From a bare checkout to faces-64.
#
#   DATA=DIRECTORY recipes/faces-64.sh       or, to see every command run in minutes, QUICK=1 recipes/faces-64.sh
#
# Needs DATA, 128-pixel sheets of people with exact flow (docs/training.md, "Sheets"), which recipes/people.sh makes.
# The shipped model learned from pictures of an older renderer.
#
# Takes, by the logs of the runs that made the shipped model: about 2.5 hours of a CPU core and 20 minutes of an H200.
# With DEVICE=libtorch-cuda FEATURES=tch all of it computes on the GPU. The trainings are those runs in their order,
# except for what they began with (see `coarse_128`); this script as a whole has not been run at full length.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
data DATA "128-pixel sheets and exact flow"
coarse_128

# Stage 1: the coarse model's motion holds at 64 pixels too. 31 minutes of a CPU core.
exact_flow 64 "$DATA" --flow-weight 1 --tracking 3 --visibility 0.06
train faces-64-lfae 1000 8 train lfae --preset faces-64 --init "$RUNS/seed" --motion-of "$RUNS/models/coarse" \
    "${exact[@]}" --lr 3e-4 --equivariance-shift 3 --equivariance-affine 3 --motion-focus 2 --max-zoom 1.4 \
    --first-frame 0.85 --blur 0.15 --noise 0.15 --jpeg 0.1 --grey 0.1

# Stage 2, from the coarse model's denoiser. 7 minutes to see the motion, 35 to learn it, of a CPU core.
train faces-64-dm 400 8 train dm --init "$RUNS/models/coarse" --lfae "$RUNS/faces-64-lfae" --data "$DATA" --lr 6e-4 \
    --views 1
if [[ ! -e "$RUNS/models/faces-64-first" ]]; then
    once "$RUNS/models/faces-64-first" export --lfae "$RUNS/faces-64-lfae" --dm "$RUNS/faces-64-dm" --name faces-64 \
        "${licence[@]}"
    iterate_refinement "$RUNS/models/faces-64-first"
fi

# The decoder with an adversary, which makes it paint sharper. 30 minutes of a CPU core.
train faces-64-sharp 1200 8 finetune --model "$RUNS/models/faces-64-first" --data "$DATA" --adversary 1 --lr 5e-4 \
    --milestones 1000 --first-frame 0.9 --max-zoom 1.4 --motion-focus 4 --blur 0.03 --noise 0.05 --jpeg 0.05 --grey 0.05
once "$RUNS/models/faces-64-sharp" export --lfae "$RUNS/faces-64-sharp" --dm "$RUNS/models/faces-64-first" \
    --name faces-64 "${licence[@]}"

# Stage 2 again, longer. 8 minutes of an H200.
train faces-64-dm-long 1400 64 train dm --init "$RUNS/models/faces-64-sharp" --lfae "$RUNS/models/faces-64-sharp" \
    --data "$DATA" --lr 8e-4 --views "$(views 2)" --max-zoom 1.3 --time-shift 2

once "$RUNS/models/faces-64" export --lfae "$RUNS/models/faces-64-sharp" --dm "$RUNS/faces-64-dm-long" \
    --name faces-64 --steps 8 --guidance 4 --guidance-interval 0.55,0.95 "${licence[@]}"
say "$RUNS/models/faces-64 is ready: copy it to www/models/faces-64, or try it with lfdm animate"
