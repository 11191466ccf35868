//! What is known of the official implementation's files: its YAML, and the schedule in its checkpoints.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::whole_file::read_small_file;
use crate::config::LfdmConfig;

pub(super) const BETAS: &str = "betas";

/// Buffers of the official model that hold the diffusion schedule;
/// [`NoiseSchedule`](crate::diffusion::NoiseSchedule) computes it.
pub(super) const SCHEDULE: [&str; 12] = [
    BETAS,
    "alphas_cumprod",
    "alphas_cumprod_prev",
    "sqrt_alphas_cumprod",
    "sqrt_one_minus_alphas_cumprod",
    "log_one_minus_alphas_cumprod",
    "sqrt_recip_alphas_cumprod",
    "sqrt_recipm1_alphas_cumprod",
    "posterior_variance",
    "posterior_log_variance_clipped",
    "posterior_mean_coef1",
    "posterior_mean_coef2",
];

/// The settings of the YAML that [`LfdmConfig::from_official`] reads.
pub(super) const READ: [&str; 28] = [
    "dataset_params.frame_shape",
    "model_params.num_regions",
    "model_params.num_channels",
    "model_params.estimate_affine",
    "model_params.revert_axis_swap",
    "model_params.bg_predictor_params.block_expansion",
    "model_params.bg_predictor_params.max_features",
    "model_params.bg_predictor_params.num_blocks",
    "model_params.bg_predictor_params.bg_type",
    "model_params.region_predictor_params.temperature",
    "model_params.region_predictor_params.block_expansion",
    "model_params.region_predictor_params.max_features",
    "model_params.region_predictor_params.num_blocks",
    "model_params.region_predictor_params.scale_factor",
    "model_params.region_predictor_params.pad",
    "model_params.region_predictor_params.pca_based",
    "model_params.generator_params.block_expansion",
    "model_params.generator_params.max_features",
    "model_params.generator_params.num_down_blocks",
    "model_params.generator_params.num_bottleneck_blocks",
    "model_params.generator_params.skips",
    "model_params.generator_params.pixelwise_flow_predictor_params.block_expansion",
    "model_params.generator_params.pixelwise_flow_predictor_params.max_features",
    "model_params.generator_params.pixelwise_flow_predictor_params.num_blocks",
    "model_params.generator_params.pixelwise_flow_predictor_params.scale_factor",
    "model_params.generator_params.pixelwise_flow_predictor_params.use_deformed_source",
    "model_params.generator_params.pixelwise_flow_predictor_params.use_covar_heatmap",
    "model_params.generator_params.pixelwise_flow_predictor_params.estimate_occlusion_map",
];

/// Settings and sections that mean nothing to a trained model.
const WITHOUT_EFFECT: [&str; 9] = [
    // Where the clips lie, and how they are varied.
    "dataset_params.root_dir",
    "dataset_params.augmentation_params",
    // Another routine for the same decomposition.
    "model_params.region_predictor_params.fast_svd",
    // MRAA's animation network is not part of LFDM.
    "model_params.avd_network_params",
    "train_avd_params",
    "animation_params",
    // How it was trained, tested and drawn.
    "train_params",
    "reconstruction_params",
    "visualizer_params",
];

/// Bytes of the largest configuration, and its deepest lists in lists.
const LARGEST: u64 = 1 << 20;
const DEEPEST: usize = 64;

/// The contents of a YAML file.
pub(super) fn read_yaml(path: &Path) -> Result<Value> {
    let unreadable = || format!("cannot read {}", path.display());
    let text = String::from_utf8(read_small_file(path, LARGEST).with_context(unreadable)?).with_context(unreadable)?;
    parse_yaml(&text).with_context(|| format!("{} is not a YAML file", path.display()))
}

/// What a YAML text says.
///
/// # Errors
/// If it is not YAML, has more than 1 MiB, or opens more than 64 brackets: reading takes time in the square of these.
pub fn parse_yaml(text: &str) -> Result<Value> {
    ensure!(text.len() as u64 <= LARGEST, "it has more than {LARGEST} bytes");
    ensure!(depth(text) <= DEEPEST, "it has more than {DEEPEST} lists within each other");
    Ok(serde_yaml_ng::from_str(text)?)
}

/// Most brackets that are open at once, those in comments and quotes included.
fn depth(text: &str) -> usize {
    let (mut open, mut most) = (0_usize, 0);
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        most = most.max(open);
    }
    most
}

/// The configuration that a YAML file describes; warns of settings that it has and nobody here knows.
pub(super) fn read_config(path: &Path, frames: usize) -> Result<LfdmConfig> {
    let yaml = read_yaml(path)?;
    let config = LfdmConfig::from_official(&yaml, frames)
        .with_context(|| format!("{} is not a configuration of the official implementation", path.display()))?;
    for setting in unknown(&yaml) {
        tracing::warn!("{}: `{setting}` is not a setting that lfdm knows; the import ignores it", path.display());
    }
    Ok(config)
}

/// The settings that are neither read nor known to have no effect, by their paths.
fn unknown(yaml: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect_unknown("", yaml, &mut found);
    found
}

fn collect_unknown(path: &str, value: &Value, found: &mut Vec<String>) {
    if READ.contains(&path) || WITHOUT_EFFECT.contains(&path) {
        return;
    }
    let leads_to_settings = READ.iter().chain(&WITHOUT_EFFECT).any(|known| is_inside(known, path));
    match value {
        Value::Object(section) if leads_to_settings => {
            for (key, value) in section {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                collect_unknown(&path, value, found);
            }
        }
        _ => found.push(path.to_owned()),
    }
}

fn is_inside(setting: &str, section: &str) -> bool {
    section.is_empty() || setting.strip_prefix(section).is_some_and(|rest| rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Every setting that is read.
    fn yaml() -> Value {
        let hourglass = json!({ "block_expansion": 8, "max_features": 64, "num_blocks": 3 });
        let with = |more: Value| {
            let mut all = hourglass.clone();
            all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            all
        };
        json!({
            "dataset_params": { "root_dir": "clips", "frame_shape": 64, "augmentation_params": { "flip": true } },
            "model_params": {
                "num_regions": 5,
                "num_channels": 3,
                "estimate_affine": true,
                "revert_axis_swap": true,
                "bg_predictor_params": with(json!({ "bg_type": "affine" })),
                "region_predictor_params": with(json!({
                    "temperature": 0.1, "scale_factor": 0.25, "pad": 3, "pca_based": true, "fast_svd": false,
                })),
                "generator_params": {
                    "block_expansion": 8,
                    "max_features": 64,
                    "num_down_blocks": 2,
                    "num_bottleneck_blocks": 2,
                    "skips": true,
                    "pixelwise_flow_predictor_params": with(json!({
                        "scale_factor": 0.25,
                        "use_deformed_source": true,
                        "use_covar_heatmap": true,
                        "estimate_occlusion_map": true,
                    })),
                },
                "avd_network_params": { "id_bottle_size": 64 },
            },
            "train_params": { "lr": 0.0002, "loss_weights": { "perceptual": [10, 8, 6, 4, 2] } },
            "visualizer_params": { "colormap": "gist_rainbow" },
        })
    }

    #[test]
    fn every_setting_that_counts_as_read_makes_a_difference() {
        let config = LfdmConfig::from_official(&yaml(), 40).unwrap();
        for path in READ {
            let mut yaml = yaml();
            let setting = path.split('.').fold(&mut yaml, |section, key| &mut section[key]);
            *setting = match setting {
                Value::Bool(flag) => json!(!*flag),
                Value::Number(number) => json!(number.as_f64().unwrap() * 2.0),
                Value::String(_) => json!("shift"),
                other => panic!("{path} is {other}"),
            };
            assert_ne!(LfdmConfig::from_official(&yaml, 40).unwrap(), config, "{path}");
        }
    }

    #[test]
    fn settings_that_nobody_knows_are_named() {
        let mut yaml = yaml();
        assert_eq!(unknown(&yaml), Vec::<String>::new());
        yaml["model_params"]["generator_params"]["attention"] = json!({ "heads": 4 });
        yaml["model_params"]["region_predictor_params"]["fast_svd_2"] = json!(true);
        yaml["diffusion_params"] = json!({ "dim": 32 });
        assert_eq!(
            unknown(&yaml),
            [
                "diffusion_params",
                "model_params.generator_params.attention",
                "model_params.region_predictor_params.fast_svd_2"
            ]
        );
    }
}
