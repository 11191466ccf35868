#!/usr/bin/env bash
# The paper's training on MUG: seven facial expressions, 26 people to train on and 26 to test.
#
#   DATA=DIRECTORY VGG=FILE I3D=FILE recipes/mug.sh      or, on a stand-in and in minutes, QUICK=1 recipes/mug.sh
#
# Needs DATA, MUG as it is published (001/happiness/take000/img_0000.jpg), which its owners give to researchers who ask;
# VGG and, for FVD, I3D. recipes/official.sh says which settings are the paper's and which are not, and has the options.
#
# The authors' numbers: 465 clips to train on. Stage 1: 100 epochs, each of the clips 100 times. Stage 2: 1200 epochs of
# 93 batches of 5, on 40 frames of which only the first is certain. DDIM in 10 steps. Their repository names no hours;
# here nobody has run this at full length.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$(dirname "${BASH_SOURCE[0]}")/official.sh"
begin mug
stage1 46500 27900,41850 3
stage2 7 5 111600 74400,93000 very_random
finish 10 19
