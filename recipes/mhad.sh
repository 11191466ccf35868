#!/usr/bin/env bash
# The paper's training on UTD-MHAD: 27 human actions, four people to train on and four to test.
#
#   DATA=DIRECTORY VGG=FILE I3D=FILE recipes/mhad.sh     or, on a stand-in and in minutes, QUICK=1 recipes/mhad.sh
#
# Needs DATA, the colour videos of UTD-MHAD as they are published (a1_s1_t1_color.avi, for which you need ffmpeg) or
# folders of their frames (a1_s1_t1/); VGG and, for FVD, I3D. recipes/official.sh says which settings are the paper's
# and which are not, and has the options.
#
# The authors' numbers: 431 clips to train on. Stage 1: 100 epochs, each of the clips 100 times. Stage 2: 1200 epochs of
# 72 batches of 6, on 40 frames that are evenly spaced but for some chance. DDIM in 10 steps. Their repository names no
# hours; here nobody has run this at full length.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$(dirname "${BASH_SOURCE[0]}")/official.sh"
begin mhad
stage1 43100 25860,38790 0
stage2 27 6 86400 57600,72000 random
finish 10 24
