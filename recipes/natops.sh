#!/usr/bin/env bash
# The paper's training on NATOPS: 24 signals to aircraft, ten people to train on and nine to test.
#
#   DATA=DIRECTORY VGG=FILE I3D=FILE recipes/natops.sh   or, on a stand-in and in minutes, QUICK=1 recipes/natops.sh
#
# Needs DATA, the videos of NATOPS cut into takes by its segmentation.txt, a folder of frames for each (g01s01p01/);
# VGG and, for FVD, I3D; and 48 GiB of memory, or with a smaller MEMORY fewer frames of each clip to pick from.
# recipes/official.sh says which settings are the paper's and which are not, and has the options.
#
# The authors' numbers: 4800 clips to train on. Stage 1: 100 epochs, each of the clips 5 times. Stage 2: 140 epochs of
# 240 batches of 20, on 40 frames that are evenly spaced but for some chance (says their list of models; their script
# leaves chance out), with a null condition that is learned and nearest neighbours in place of transposed convolutions.
# DDIM in 200 steps. Their repository names no hours; here nobody has run this at full length.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$(dirname "${BASH_SOURCE[0]}")/official.sh"
MEMORY=${MEMORY:-48}
begin natops
stage1 24000 14400,21600 0
stage2 24 20 33600 19200,24000 random true nearest_reflect
finish 200 3
