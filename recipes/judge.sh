#!/usr/bin/env bash
# The action network that judges clips in `lfdm eval`; the run behind the card is tests/fixtures/judge.
#
#   DATA=DIRECTORY recipes/judge.sh          or QUICK=1 recipes/judge.sh
#
# Needs DATA, 128-pixel sheets of people. Takes under a minute of an H200.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
data DATA "128-pixel sheets"
train judge 420 16 train classifier --data "$DATA" --frames 16
