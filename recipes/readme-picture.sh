#!/usr/bin/env bash
# The moving picture at the top of the README: portraits that faces-128 never saw, each with several expressions.
#
#   recipes/readme-picture.sh                or, with one portrait and one step, QUICK=1 recipes/readme-picture.sh
#
# Needs python3 with Pillow. Takes a few minutes of a CPU core; the portraits and the model are in the repository.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
portraits=(411 418 422 425 427 433)
labels=(happiness surprise sadness anger)
steps=8 picture=docs/faces.webp
if [[ -n "$QUICK" ]]; then
    portraits=(411) labels=(happiness) steps=1 picture="$RUNS/faces.webp"
fi

# Photos of this side: the warped photo itself, which is sharper than the model's 128 pixels.
side=160
for label in "${labels[@]}"; do
    for portrait in "${portraits[@]}"; do
        once "$RUNS/readme/$label/$portrait" animate --model www/models/faces-128 --image "www/samples/$portrait.png" \
            --label "$label" --seed "$(seed "$portrait" "$label")" --steps "$steps" --photo-size "$side"
    done
done

say "$picture"
python3 recipes/grid.py --out "$picture" --side "$side" --columns "${#portraits[@]}" \
    $(for label in "${labels[@]}"; do for portrait in "${portraits[@]}"; do echo "$RUNS/readme/$label/$portrait"; done; done)
