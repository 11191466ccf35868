//! How the official implementation trains stage 1, from its YAML files (`config/mug128.yaml` and
//! its like).
//!
//! Every setting of such a file is used, or named together with the option that takes its place, or
//! named as not supported: nothing is passed over in silence.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::perceptual::{LAYERS, PerceptualPyramid, SMALLEST};
use super::tps::TransformParams;
use crate::config::{ConfigError, LfdmConfig};
use crate::native::official::{READ, read_yaml};

/// Frames per video of the official scripts, whose YAML files do not have it.
const FRAMES: usize = 40;

/// Settings that this reader uses; [`READ`] are those of the model.
const USED: [&str; 7] = [
    "train_params.scales",
    "train_params.transform_params.sigma_affine",
    "train_params.transform_params.sigma_tps",
    "train_params.transform_params.points_tps",
    "train_params.loss_weights.perceptual",
    "train_params.loss_weights.equivariance_shift",
    "train_params.loss_weights.equivariance_affine",
];

/// Settings that are options of the command, with the option and what differs.
const OPTIONS: [(&str, &str); 14] = [
    ("dataset_params.root_dir", "--data"),
    ("dataset_params.augmentation_params.flip_param.horizontal_flip", "--flip, a probability"),
    ("dataset_params.augmentation_params.flip_param.time_flip", "--time-flip, a probability"),
    ("dataset_params.augmentation_params.jitter_param.brightness", "--colours, a probability"),
    ("dataset_params.augmentation_params.jitter_param.contrast", "--colours, a probability"),
    ("dataset_params.augmentation_params.jitter_param.saturation", "--colours, a probability"),
    ("dataset_params.augmentation_params.jitter_param.hue", "--colours, a probability"),
    ("train_params.lr", "--lr"),
    ("train_params.batch_size", "--batch times --accumulate"),
    ("train_params.epoch_milestones", "--milestones, in steps"),
    ("train_params.max_epochs", "--steps"),
    ("train_params.num_repeats", "--steps"),
    ("train_params.update_ckpt_freq", "--save-every"),
    ("train_params.save_img_freq", "--preview-every"),
];

/// What an official YAML file says of the training of stage 1.
#[derive(Debug, Clone, PartialEq)]
pub struct OfficialTraining {
    /// `loss_weights.perceptual` and `scales`.
    pub perceptual: PerceptualPyramid,
    /// `transform_params`.
    pub transform: TransformParams,
    /// `loss_weights.equivariance_shift`.
    pub equivariance_shift: f64,
    /// `loss_weights.equivariance_affine`.
    pub equivariance_affine: f64,
    /// Every setting of the file that is not used, with the reason.
    pub remarks: Vec<String>,
}

impl OfficialTraining {
    /// The model and the training that the file at `path` describes.
    pub(super) fn open(path: &Path) -> Result<(LfdmConfig, Self)> {
        let yaml = read_yaml(path)?;
        let read = || Ok::<_, ConfigError>((LfdmConfig::from_official(&yaml, FRAMES)?, Self::read(&yaml)?));
        read().with_context(|| path.display().to_string())
    }

    /// Reads the parsed file.
    ///
    /// # Errors
    /// [`ConfigError`] naming the setting that is missing, or that no training can have.
    pub fn read(yaml: &Value) -> Result<Self, ConfigError> {
        let number = |path: &str| positive(path, at(yaml, path)?);
        let points = "train_params.transform_params.points_tps";
        let points_tps = at(yaml, points)?.as_u64().filter(|&points| points > 0);
        let training = Self {
            perceptual: PerceptualPyramid { layers: layers(yaml)?, scales: scales(yaml)? },
            transform: TransformParams {
                sigma_affine: number("train_params.transform_params.sigma_affine")?,
                sigma_tps: number("train_params.transform_params.sigma_tps")?,
                points: points_tps.ok_or_else(|| problem(points, "must be a whole number, 5 for example"))? as usize,
            },
            equivariance_shift: number("train_params.loss_weights.equivariance_shift")?,
            equivariance_affine: number("train_params.loss_weights.equivariance_affine")?,
            remarks: remarks(yaml),
        };
        Ok(training)
    }
}

/// A weight for each layer of VGG19, or for the first of them.
fn layers(yaml: &Value) -> Result<Vec<f64>, ConfigError> {
    let path = "train_params.loss_weights.perceptual";
    let layers = numbers(yaml, path)?;
    if layers.len() > LAYERS {
        let text = format!("has {} weights, but only {LAYERS} layers of VGG19 are compared", layers.len());
        return Err(problem(path, &text));
    }
    Ok(layers)
}

/// Scales at which a picture has features of every layer.
fn scales(yaml: &Value) -> Result<Vec<f64>, ConfigError> {
    let path = "train_params.scales";
    let scales = numbers(yaml, path)?;
    if scales.iter().any(|scale| *scale <= 0.0 || *scale > 1.0 || (1.0 / scale).fract() != 0.0) {
        return Err(problem(path, "must be shares of the image's side: 1, 0.5, 0.25, 0.125"));
    }
    let side = at(yaml, "dataset_params.frame_shape")?.as_f64().unwrap_or(f64::INFINITY);
    match scales.iter().find(|&scale| side * scale < SMALLEST as f64) {
        Some(scale) => {
            let text =
                format!("has {scale}, at which frames of {side} pixels are smaller than VGG19 can see: {SMALLEST}");
            Err(problem(path, &text))
        }
        None => Ok(scales),
    }
}

fn is_used(path: &str) -> bool {
    USED.contains(&path) || READ.contains(&path)
}

/// Names each setting that is not used.
fn remarks(yaml: &Value) -> Vec<String> {
    let mut remarks = Vec::new();
    for_each_setting("", yaml, &mut |path, value| {
        if is_used(path) {
            return;
        }
        remarks.push(match OPTIONS.iter().find(|(known, _)| *known == path) {
            Some((_, option)) => format!("`{path}`, {value} here, is left to {option}"),
            None => format!("`{path}` is not supported"),
        });
    });
    remarks
}

/// Calls `visit` for every setting below `value`, with its path.
fn for_each_setting(path: &str, value: &Value, visit: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(section) => {
            for (key, value) in section {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                for_each_setting(&path, value, visit);
            }
        }
        value => visit(path, value),
    }
}

/// The setting at a path of keys.
fn at<'a>(yaml: &'a Value, path: &str) -> Result<&'a Value, ConfigError> {
    path.split('.').try_fold(yaml, |section, key| section.get(key)).ok_or_else(|| problem(path, "is missing"))
}

fn numbers(yaml: &Value, path: &str) -> Result<Vec<f64>, ConfigError> {
    let list = at(yaml, path)?.as_array().filter(|list| !list.is_empty());
    let list = list.ok_or_else(|| problem(path, "must be a list of numbers"))?;
    list.iter().map(|value| positive(path, value)).collect()
}

/// A number from 0 on.
fn positive(path: &str, value: &Value) -> Result<f64, ConfigError> {
    let number = value.as_f64().filter(|number| *number >= 0.0 && number.is_finite());
    number.ok_or_else(|| problem(path, &format!("must be 0 or a positive number, not {value}")))
}

fn problem(path: &str, text: &str) -> ConfigError {
    ConfigError { field: path.to_owned(), problem: text.to_owned() }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The official layout, with unequal weights and fewer scales than the authors' files have.
    pub(in crate::native::train) const YAML: &str = "
dataset_params:
  root_dir: /data
  frame_shape: 128
  id_sampling: false
  pairs_list: null
  augmentation_params:
    flip_param: { horizontal_flip: true, time_flip: true }
    jitter_param: { brightness: 0.1, contrast: 0.1, saturation: 0.1, hue: 0.1 }
model_params:
  num_regions: 10
  num_channels: 3
  estimate_affine: true
  revert_axis_swap: true
  bg_predictor_params: { block_expansion: 32, max_features: 1024, num_blocks: 5, bg_type: affine }
  region_predictor_params:
    { temperature: 0.1, block_expansion: 32, max_features: 1024, scale_factor: 0.25, num_blocks: 5, pca_based: true,
      fast_svd: false }
  generator_params:
    block_expansion: 64
    max_features: 512
    num_down_blocks: 2
    num_bottleneck_blocks: 6
    skips: true
    pixelwise_flow_predictor_params:
      { block_expansion: 64, max_features: 1024, num_blocks: 5, scale_factor: 0.25, use_deformed_source: true,
        use_covar_heatmap: true, estimate_occlusion_map: true }
  avd_network_params: { id_bottle_size: 64, pose_bottle_size: 64 }
train_params:
  max_epochs: 100
  num_repeats: 100
  epoch_milestones: [60, 90]
  lr: 2.0e-4
  batch_size: 100
  use_sync_bn: false
  dataloader_workers: 6
  print_freq: 10
  save_img_freq: 100
  update_ckpt_freq: 5000
  scales: [1, 0.5]
  transform_params: { sigma_affine: 0.05, sigma_tps: 0.005, points_tps: 7 }
  loss_weights: { perceptual: [10, 8, 6, 4, 2], equivariance_shift: 10, equivariance_affine: 5 }
visualizer_params: { kp_size: 2 }
";

    fn yaml(from: &str, to: &str) -> Value {
        assert!(from.is_empty() || YAML.contains(from));
        serde_yaml_ng::from_str(&YAML.replacen(from, to, usize::from(!from.is_empty()))).unwrap()
    }

    #[test]
    fn every_setting_is_used_or_named() {
        let yaml = yaml("", "");
        LfdmConfig::from_official(&yaml, FRAMES).unwrap();
        let training = OfficialTraining::read(&yaml).unwrap();
        assert_eq!(training.perceptual.layers, [10.0, 8.0, 6.0, 4.0, 2.0]);
        assert_eq!(training.perceptual.scales, [1.0, 0.5]);
        assert_eq!(training.transform, TransformParams { sigma_affine: 0.05, sigma_tps: 0.005, points: 7 });
        assert_eq!((training.equivariance_shift, training.equivariance_affine), (10.0, 5.0));

        let mut settings = 0;
        for_each_setting("", &yaml, &mut |path, _| {
            settings += 1;
            let is_named = training.remarks.iter().any(|remark| remark.starts_with(&format!("`{path}`")));
            let is_used = is_used(path);
            assert!(is_named != is_used, "{path}");
        });
        assert_eq!(settings, 57, "a list is one setting");
        for remark in [
            "`train_params.lr`, 0.0002 here, is left to --lr",
            "`train_params.use_sync_bn` is not supported",
            "`model_params.region_predictor_params.fast_svd` is not supported",
            "`visualizer_params.kp_size` is not supported",
        ] {
            assert!(training.remarks.iter().any(|known| known == remark), "{remark}: {:#?}", training.remarks);
        }
    }

    #[test]
    fn what_cannot_be_trained_is_named() {
        for (from, to, message) in [
            ("[10, 8, 6, 4, 2]", "[1, 2, 3, 4, 5, 6]", "`train_params.loss_weights.perceptual` has 6 weights"),
            ("[10, 8, 6, 4, 2]", "10", "`train_params.loss_weights.perceptual` must be a list"),
            ("[1, 0.5]", "[1, 0.0625]", "`train_params.scales` has 0.0625, at which frames of 128 pixels"),
            ("[1, 0.5]", "[1, 0.3]", "`train_params.scales` must be"),
            ("equivariance_shift: 10, ", "", "`train_params.loss_weights.equivariance_shift` is missing"),
            ("points_tps: 7", "points_tps: 0", "`train_params.transform_params.points_tps` must be"),
        ] {
            let error = OfficialTraining::read(&yaml(from, to)).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}
