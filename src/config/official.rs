//! The official YAML layout (`config/mug128.yaml` and its like).

use serde_json::Value;

use super::{
    BackgroundConfig, BackgroundMotion, ConfigError, Diffused, DiffusionConfig, FlowConfig, GeneratorConfig,
    HourglassConfig, LfaeConfig, LfdmConfig, Parameterization, RegionAffine, RegionConfig, ScheduleKind, Threshold,
    UnetConfig, Upsampling,
};
use crate::motion::FlowResize;

impl LfdmConfig {
    /// Reads the official YAML layout, parsed into a JSON value so that the core needs no YAML parser.
    ///
    /// The official code takes the diffusion model's sizes from its scripts, not from the YAML: here they are
    /// those of its scripts, with `frames` frames.
    ///
    /// # Errors
    /// [`ConfigError`] naming the setting that is missing or has another type.
    pub fn from_official(yaml: &Value, frames: usize) -> Result<Self, ConfigError> {
        let root = Section { value: yaml, path: String::new() };
        let side = root.section("dataset_params")?.integer("frame_shape")?;
        let lfae = lfae(&root.section("model_params")?)?;
        Ok(Self { image_size: [side, side], frames, lfae, diffusion: diffusion() })
    }
}

fn lfae(model: &Section<'_>) -> Result<LfaeConfig, ConfigError> {
    let region = model.section("region_predictor_params")?;
    let background = model.section("bg_predictor_params")?;
    let generator = model.section("generator_params")?;
    let flow = generator.section("pixelwise_flow_predictor_params")?;
    Ok(LfaeConfig {
        channels: model.integer("num_channels")?,
        regions: model.integer("num_regions")?,
        revert_axis_swap: model.flag("revert_axis_swap", true)?,
        region: RegionConfig {
            hourglass: region.hourglass()?,
            temperature: region.number("temperature")?,
            scale_factor: region.number_or("scale_factor", 1.0)?,
            padding: if region.value.get("pad").is_some() { region.integer("pad")? } else { 3 },
            affine: match (model.flag("estimate_affine", true)?, region.flag("pca_based", false)?) {
                (false, _) => RegionAffine::None,
                (true, true) => RegionAffine::Pca,
                (true, false) => RegionAffine::Regression,
            },
        },
        background: BackgroundConfig { hourglass: background.hourglass()?, motion: background_motion(&background)? },
        flow: FlowConfig {
            hourglass: flow.hourglass()?,
            scale_factor: flow.number_or("scale_factor", 1.0)?,
            deformed_source: flow.flag("use_deformed_source", true)?,
            covariance_heatmap: flow.flag("use_covar_heatmap", false)?,
            occlusion: flow.flag("estimate_occlusion_map", false)?,
            resize: FlowResize::Places,
        },
        refinement: None,
        fine_refinement: None,
        generator: GeneratorConfig {
            block_expansion: generator.integer("block_expansion")?,
            max_features: generator.integer("max_features")?,
            down_blocks: generator.integer("num_down_blocks")?,
            bottleneck_blocks: generator.integer("num_bottleneck_blocks")?,
            skips: generator.flag("skips", false)?,
            painter: false,
        },
    })
}

fn background_motion(section: &Section<'_>) -> Result<BackgroundMotion, ConfigError> {
    match section.text("bg_type", "zero")? {
        "zero" => Ok(BackgroundMotion::Zero),
        "shift" => Ok(BackgroundMotion::Shift),
        "affine" => Ok(BackgroundMotion::Affine),
        "perspective" => Ok(BackgroundMotion::Perspective),
        _ => Err(section.problem("bg_type", "must be zero, shift, affine or perspective")),
    }
}

/// The diffusion model of the official training scripts.
fn diffusion() -> DiffusionConfig {
    DiffusionConfig {
        unet: UnetConfig {
            diffused: Diffused::Motion,
            dim: 64,
            dim_mults: vec![1, 2, 4, 8],
            heads: 8,
            head_dim: 32,
            groups: 8,
            init_kernel: 7,
            condition_dim: 768,
            learned_null_condition: false,
            upsampling: Upsampling::Deconvolution,
        },
        timesteps: 1000,
        schedule: ScheduleKind::Cosine,
        parameterization: Parameterization::Epsilon,
        threshold: Threshold::OFFICIAL,
        null_condition_probability: 0.1,
        guidance_interval: [0.0, 1.0],
        detail_guidance: 1.0,
        affine_guidance: 1.0,
        consistency: false,
    }
}

/// A section of the YAML, with its path for messages.
struct Section<'a> {
    value: &'a Value,
    path: String,
}

impl<'a> Section<'a> {
    fn problem(&self, key: &str, problem: &str) -> ConfigError {
        ConfigError::new(self.path_of(key), problem)
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn section(&self, key: &str) -> Result<Section<'a>, ConfigError> {
        match self.value.get(key) {
            Some(value) if value.is_object() => Ok(Section { value, path: self.path_of(key) }),
            _ => Err(self.problem(key, "is missing; the official YAML has it as a section")),
        }
    }

    fn number(&self, key: &str) -> Result<f64, ConfigError> {
        let number = self.value.get(key).and_then(Value::as_f64);
        number.filter(|number| *number >= 0.0).ok_or_else(|| self.problem(key, "is missing or not a positive number"))
    }

    fn number_or(&self, key: &str, default: f64) -> Result<f64, ConfigError> {
        if self.value.get(key).is_none() { Ok(default) } else { self.number(key) }
    }

    fn integer(&self, key: &str) -> Result<usize, ConfigError> {
        let number = self.number(key)?;
        if number.fract() != 0.0 || number > 1e6 {
            return Err(self.problem(key, &format!("is {number}, but must be a whole number of at most a million")));
        }
        Ok(number as usize)
    }

    fn flag(&self, key: &str, default: bool) -> Result<bool, ConfigError> {
        match self.value.get(key) {
            None => Ok(default),
            Some(value) => value.as_bool().ok_or_else(|| self.problem(key, "must be true or false")),
        }
    }

    fn text(&self, key: &str, default: &'static str) -> Result<&'a str, ConfigError> {
        match self.value.get(key) {
            None => Ok(default),
            Some(value) => value.as_str().ok_or_else(|| self.problem(key, "must be a word")),
        }
    }

    fn hourglass(&self) -> Result<HourglassConfig, ConfigError> {
        Ok(HourglassConfig {
            block_expansion: self.integer("block_expansion")?,
            blocks: self.integer("num_blocks")?,
            max_features: self.integer("max_features")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incomplete_configuration_names_what_is_missing() {
        let yaml = serde_json::json!({ "model_params": { "region_predictor_params": {} } });
        let error = LfdmConfig::from_official(&yaml, 40).unwrap_err();
        assert_eq!(error.field, "dataset_params");
        let yaml = serde_json::json!({
            "dataset_params": { "frame_shape": 64 },
            "model_params": { "region_predictor_params": {} },
        });
        let error = LfdmConfig::from_official(&yaml, 40).unwrap_err();
        assert_eq!(error.field, "model_params.bg_predictor_params");
    }
}
