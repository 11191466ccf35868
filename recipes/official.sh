# shellcheck shell=bash
# The training of the paper on its data sets: Ni et al., CVPR 2023, and the settings in the authors' repository (commit
# 3601635). Sourced by mug.sh, mhad.sh and natops.sh after common.sh, never run by itself.
#
# Variables of these recipes, beside those of common.sh:
#   DATA      the data set, laid out as docs/training.md says
#   VGG       torchvision's weights of VGG19, .pth or safetensors
#   I3D       weights of I3D (docs/evaluation.md), without which the report has no FVD but by our action network
#   BERT      bert-base-cased as Hugging Face lays it out, by whose vectors labels are learned, as in the paper: such a
#             model can be asked for any sentence [default: labels are numbers to the network]
#   PARTS     parts of a step of stage 1, which has a batch of 100: 5 need a fifth of the memory [default: 1]
#   DM_PARTS  the same for stage 2 [default: 1]
#   SEEDS     clips to generate for each real one [default: for about 10,000, as many as the authors compare]
#   SAMPLER   how clips are generated [default: ddim-official]
#   STEPS     its steps [default: those of DDIM in the authors' tests; their other choice is SAMPLER=ddpm STEPS=1000]
#   MEMORY    GiB for the clips of a split [default: 8, for NATOPS 48]
#
# As in the paper: the model (128 pixels, 10 regions, motion on 32x32 cells, a U-Net of 64 to 512 channels that predicts
# noise), losses and their weights, batches, steps, rates and milestones, 40 frames and how they are picked, dropped
# conditions, guidance 1, DDIM, who is tested, FVD over all clips, by label and by person.
#
# Not as in the paper:
#   - BERT reads our names of the labels, which nobody has compared with the words that the authors gave it. For other
#     words, write their vectors with `lfdm conditions`, and run `lfdm train dm --conditions`.
#   - Stage 1 begins with random weights. The authors began with those of MRAA (vox256 for MUG, taichi256 for the
#     others), which --init does not read.
#   - Motion is normalised before it is diffused, and estimates are confined to 5 deviations. The authors diffuse places
#     in the picture, from -1 to 1, and confine them to these.
#   - Each clip is learned in eight choices of its frames and five changes of its colours, made once, where the authors
#     make both anew for every step. Every other choice is mirrored, unless labels name sides. Colours change by
#     somewhat other amounts in both stages.
#   - Gradients are clipped, and averaged weights are exported. With PARTS, batch norms see a part of the batch.
#   - Where a clip has fewer than 40 frames the model gets as few, so take very short ones out.
#   - As many clips are generated for each real one of the test people, and compared with these. The authors draw people
#     and labels evenly, and as many real clips as generated ones.
# The action network, which names the labels of clips, is ours.

# Finds or, with QUICK=1, makes everything that a training on the data set $1 needs.
begin() {
    set=$1
    reading=(--layout "$set" --memory "${MEMORY:-8}")
    mkdir -p "$RUNS/$set"
    if [[ -n "$QUICK" ]]; then
        local stand_in="$RUNS/$set/stand-in"
        DATA="$stand_in/clips" VGG="$stand_in/vgg19.safetensors" I3D="$stand_in/i3d.safetensors" SEEDS=1 STEPS=2
        BERT=tests/fixtures/bert/now
        mkdir -p "$stand_in"
        [[ -e "$DATA" ]] || python3 recipes/stand_in.py clips "$set" "$DATA"
        python3 recipes/stand_in.py vgg "$VGG"
        python3 recipes/stand_in.py i3d "$I3D"
    elif [[ ! -d "${DATA:-}" || ! -f "${VGG:-}" ]]; then
        echo "set DATA to the data set and VGG to torchvision's weights of VGG19, or QUICK=1 for a try" >&2
        exit 2
    fi
}

# stage1 STEPS MILESTONES PADDING: the latent flow auto-encoder, in batches of 100.
stage1() {
    local parts=${PARTS:-1}
    lfae_config "$3" > "$RUNS/$set/official.yaml"
    # Any two frames of a clip are a pair, mirrored or in the other order half of the time, and never enlarged.
    train "$set/lfae" "$1" $((100 / parts)) train lfae --data "$DATA" "${reading[@]}" \
        --official-config "$RUNS/$set/official.yaml" --vgg "$VGG" --accumulate "$parts" --lr 2e-4 --milestones "$2" \
        --first-frame 0 --max-zoom 1 --flip 0.5 --time-flip 0.5 --colours 1
}

# stage2 LABELS BATCH STEPS MILESTONES SAMPLING [LEARNED_NULL UPSAMPLING]: the diffusion model.
stage2() {
    local parts=${DM_PARTS:-1} width=$1
    if [[ -n "${BERT:-}" ]]; then
        width=$(sed -n 's/.*"hidden_size": *\([0-9]*\).*/\1/p' "$BERT/config.json")
    fi
    diffusion_config "$width" "${@:6}" > "$RUNS/$set/diffusion.json"
    train "$set/dm" "$3" $(($2 / parts)) train dm --data "$DATA" "${reading[@]}" --lfae "$RUNS/$set/lfae" \
        --config "$RUNS/$set/diffusion.json" --accumulate "$parts" --lr 2e-4 --milestones "$4" --sampling "$5" \
        --views "$(views 8)" --max-zoom 1 --looks "$(views 4)" ${BERT:+--bert "$BERT"}
}

# finish STEPS SEEDS: the bundle, the network that knows the set's actions, and the report.
finish() {
    local steps=${STEPS:-$1} model="$RUNS/models/$set-128" judges=()
    once "$model" export --lfae "$RUNS/$set/lfae" --dm "$RUNS/$set/dm" --name "$set-128" --steps "$steps" --guidance 1 \
        --guidance-interval 0,1 --fps 10 --licence "not stated; trained on $set, whose terms apply"
    train "$set/judge" 2000 16 train classifier --data "$DATA" "${reading[@]}"
    once "$RUNS/reports/$set-128.json" eval --model "$model" --data "$DATA" "${reading[@]}" --split val \
        --classifier "$RUNS/$set/judge" ${I3D:+--i3d "$I3D"} --seeds "${SEEDS:-$2}" --steps "$steps" --guidance 1 \
        --sampler "${SAMPLER:-ddim-official}" --device "$DEVICE"
    say "$model is ready, and $RUNS/reports/$set-128.json measures it"
}

# lfae_config PADDING: what a YAML file of the authors says of the model and the loss of stage 1. Of that, their three
# files differ only in the padding of the last convolution that finds regions.
lfae_config() {
    cat << END
dataset_params: { frame_shape: 128 }
model_params:
  { num_regions: 10, num_channels: 3, estimate_affine: true, revert_axis_swap: true,
    region_predictor_params: { num_blocks: 5, block_expansion: $(width 32), max_features: $(width 1024),
                               scale_factor: 0.25, temperature: 0.1, pca_based: true, pad: $1 },
    bg_predictor_params: { num_blocks: 5, block_expansion: $(width 32), max_features: $(width 1024), bg_type: affine },
    generator_params: { num_down_blocks: 2, num_bottleneck_blocks: 6, block_expansion: $(width 64),
                        max_features: $(width 512), skips: true, pixelwise_flow_predictor_params:
      { num_blocks: 5, block_expansion: $(width 64), max_features: $(width 1024), scale_factor: 0.25,
        use_covar_heatmap: true, use_deformed_source: true, estimate_occlusion_map: true } } }
train_params:
  { scales: [1, 0.5, 0.25, 0.125], transform_params: { points_tps: 5, sigma_tps: 0.005, sigma_affine: 0.05 },
    loss_weights: { perceptual: [10, 10, 10, 10, 10], equivariance_shift: 10, equivariance_affine: 10 } }
END
}

# diffusion_config CONDITION [LEARNED_NULL UPSAMPLING]: stage 2 as the authors' scripts have it.
diffusion_config() {
    cat << END
{ "unet": { "diffused": "motion", "dim": $(width 64), "dim_mults": [1, 2, 4, 8], "heads": $(width 8), "head_dim": 32,
            "groups": 8, "init_kernel": 7, "condition_dim": $1, "learned_null_condition": ${2:-false},
            "upsampling": "${3:-deconvolution}" },
  "timesteps": 1000, "schedule": "cosine", "parameterization": "epsilon",
  "threshold": { "dynamic": { "quantile": 0.995, "bound": 5 } }, "null_condition_probability": 0.1,
  "guidance_interval": [0, 1], "detail_guidance": 1, "consistency": false }
END
}

# width CHANNELS: so many, or with QUICK=1 an eighth: a step of stage 2 in full size takes a CPU most of a minute.
width() {
    echo $((QUICK ? $1 / 8 : $1))
}
