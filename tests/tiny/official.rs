//! A small model as the official implementation would have it.

use std::sync::LazyLock;

use burn::tensor::Device;
use lfdm::bundle::{Bundle, Manifest};
use lfdm::condition::ConditionTable;
use lfdm::config::{Diffused, LfdmConfig, UnetConfig};
use lfdm::diffusion::{self, MotionCodec};
use lfdm::lfae;
use lfdm::weights::collect_module;

use super::manifest;

/// Its YAML file.
pub(crate) const CONFIG: &str = "
dataset_params: { frame_shape: 32 }
model_params:
  num_regions: 3
  num_channels: 3
  estimate_affine: true
  revert_axis_swap: true
  bg_predictor_params: { block_expansion: 4, max_features: 8, num_blocks: 2, bg_type: affine }
  region_predictor_params:
    { temperature: 0.1, block_expansion: 4, max_features: 8, num_blocks: 2, scale_factor: 0.5, pca_based: true }
  generator_params:
    block_expansion: 8
    max_features: 16
    num_down_blocks: 2
    num_bottleneck_blocks: 1
    skips: true
    pixelwise_flow_predictor_params:
      block_expansion: 4
      max_features: 8
      num_blocks: 2
      scale_factor: 0.25
      use_deformed_source: true
      use_covar_heatmap: true
      estimate_occlusion_map: true
";
pub(crate) const LABELS: [&str; 3] = ["joy", "calm", "fear"];
pub(crate) const FRAMES: usize = 4;

/// With random weights.
pub(crate) static MODEL: LazyLock<Bundle> =
    LazyLock::new(|| model(&ConditionTable::one_hot(LABELS.map(str::to_owned).to_vec(), &Device::flex())));

/// The same of other conditions.
pub(crate) fn model(conditions: &ConditionTable) -> Bundle {
    let device = Device::flex();
    let mut config = LfdmConfig::from_official(&serde_yaml_ng::from_str(CONFIG).unwrap(), FRAMES).unwrap();
    let official = config.diffusion.unet.clone();
    config.diffusion.unet = UnetConfig {
        diffused: Diffused::Motion,
        dim: 8,
        dim_mults: vec![1, 2],
        heads: 2,
        head_dim: 8,
        init_kernel: 3,
        condition_dim: conditions.dim(),
        ..official
    };
    device.seed(3);
    let mut weights = collect_module(&config.lfae.init(&device), &lfae::official_key);
    let denoiser = config.diffusion.init(config.latent_channels(), &device);
    weights.merge(collect_module(&denoiser, &diffusion::official_key));
    weights.merge(conditions.to_state());
    weights.merge(MotionCodec::official(config.flow_size(), false, &device).to_state());
    let labels = conditions.labels().to_vec();
    let manifest = Manifest { default_steps: 2, default_guidance: 1.0, ..manifest("official", config, labels) };
    Bundle { manifest, weights }
}
