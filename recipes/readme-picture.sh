#!/usr/bin/env bash
# The moving picture at the top of the README: portraits that faces-128 never saw, each with several expressions.
#
#   recipes/readme-picture.sh       or QUICK=1 recipes/readme-picture.sh for one portrait in one step
#
# Needs python3 with Pillow; portraits and model are in the repository. SEED makes another picture of the same kind,
# PICTURE puts it elsewhere.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
portraits=(3628 3666 3652 3637 3676 3647)
labels=(happiness sadness fear anger)
seed=${SEED:-7} steps=8 picture=${PICTURE:-docs/faces.webp}
if [[ -n "$QUICK" ]]; then
    portraits=(3628) labels=(happiness) steps=1 picture="$RUNS/faces.webp"
fi

clips=()
for label in "${labels[@]}"; do
    for portrait in "${portraits[@]}"; do
        clip="$RUNS/readme/seed-$seed/$portrait-$label"
        once "$clip" animate --model www/models/faces-128 --image "www/samples/$portrait.jpg" --label "$label" \
            --seed "$seed" --steps "$steps" --device "$DEVICE"
        clips+=("$clip")
    done
done

say "$picture"
python3 recipes/grid.py --out "$picture" --columns "${#portraits[@]}" "${clips[@]}"
