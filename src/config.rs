//! Every size and option of the model, as one serialisable [`LfdmConfig`].
//!
//! The JSON form is what bundles and checkpoints carry. The official YAML layout is read by
//! [`LfdmConfig::from_official`], which takes the parsed YAML as a JSON value so that this module needs no YAML parser.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A setting that no model can be built from.
#[derive(Debug, Error, PartialEq)]
#[error("config: `{field}` {problem}")]
pub struct ConfigError {
    /// Path of the setting, e.g. `lfae.region.scale_factor`.
    pub field: String,
    /// What is wrong with it and what is accepted.
    pub problem: String,
}

/// The whole model: the latent flow auto-encoder and the diffusion model in its motion space.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LfdmConfig {
    /// Image height and width in pixels.
    pub image_size: [usize; 2],
    /// Frames per generated video.
    pub frames: usize,
    pub lfae: LfaeConfig,
    pub diffusion: DiffusionConfig,
}

/// Stage 1: the latent flow auto-encoder (LFDM, Sec. 3.2; the motion model is MRAA's).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LfaeConfig {
    /// Image channels: 3, RGB.
    pub channels: usize,
    /// Motion regions K.
    pub regions: usize,
    /// Multiply each region's motion by the sign of its first entry (MRAA's `revert_axis_swap`).
    pub revert_axis_swap: bool,
    pub region: RegionConfig,
    pub background: BackgroundConfig,
    pub flow: FlowConfig,
    /// Refinement of what the pixelwise flow predictor finds; the official model has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refinement: Option<RefinementConfig>,
    /// Another refinement, on a grid of twice as many rows and columns, which is then the grid of the motion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fine_refinement: Option<RefinementConfig>,
    pub generator: GeneratorConfig,
}

/// Widths of an hourglass: block `i` has `min(max_features, block_expansion * 2^(i + 1))` channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HourglassConfig {
    pub block_expansion: usize,
    pub blocks: usize,
    pub max_features: usize,
}

/// Region predictor: heat maps -> centre and affine frame of each region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegionConfig {
    pub hourglass: HourglassConfig,
    /// Softmax temperature of the heat maps.
    pub temperature: f64,
    /// The predictor sees the image at this scale: 1, 0.5, 0.25 or 0.125.
    pub scale_factor: f64,
    /// Padding of the 7x7 heat-map convolution; 3 keeps the size, 0 loses 6 pixels (official MHAD and NATOPS).
    pub padding: usize,
    pub affine: RegionAffine,
}

/// Where the affine frame of a region comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegionAffine {
    /// Principal axes of the heat map (MRAA, `pca_based`).
    Pca,
    /// A regressed Jacobian (FOMM).
    Regression,
    /// Translation only (`estimate_affine: false`).
    None,
}

/// Background motion predictor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackgroundConfig {
    pub hourglass: HourglassConfig,
    pub motion: BackgroundMotion,
}

/// Family of the background motion, a homography with 0, 2, 6 or 8 free parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackgroundMotion {
    Zero,
    Shift,
    Affine,
    Perspective,
}

/// Pixelwise flow predictor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlowConfig {
    pub hourglass: HourglassConfig,
    /// Scale of the grid on which regions are mixed against the image: 0.25 gives 16x16 cells for 64x64 pixels. It is the grid of the motion
    /// unless there is a fine refinement.
    pub scale_factor: f64,
    /// Feed the source warped by each region's motion.
    pub deformed_source: bool,
    /// Draw regions as Gaussians with their covariance rather than a fixed variance of 0.01.
    pub covariance_heatmap: bool,
    /// Predict occlusion; without it nothing is ever painted.
    pub occlusion: bool,
    /// How flow is brought to the size of an image.
    #[serde(default, skip_serializing_if = "FlowResize::is_official")]
    pub resize: FlowResize,
}

/// What is interpolated between the cells of a flow grid. Between the centres of the outermost cells both are the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowResize {
    /// The places that are sampled, as in the official model. Beyond the centres of the outermost cells they stand still, which smears half a cell
    /// along the border of every frame.
    #[default]
    Places,
    /// Displacements; and instead of places outside the image, its border is sampled.
    Displacements,
}

impl FlowResize {
    fn is_official(&self) -> bool {
        *self == Self::Places
    }
}

/// Flow refinement: a network on a flow grid that sees source and driving frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefinementConfig {
    /// `block_expansion` is also the width of the blocks that bring the frames down to the flow grid.
    pub hourglass: HourglassConfig,
    /// The frames are seen at this scale: that of its flow grid times a power of two.
    pub scale_factor: f64,
    /// How often the motion is corrected, by the same weights.
    pub iterations: usize,
}

/// Generator: encoder, warping, decoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GeneratorConfig {
    pub block_expansion: usize,
    pub max_features: usize,
    pub down_blocks: usize,
    pub bottleneck_blocks: usize,
    /// Blend warped encoder features into every decoder level.
    pub skips: bool,
    /// Show the motion to the decoder and let it move the occlusion of every blend; the official decoder does neither.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub painter: bool,
}

/// Stage 2: the conditional diffusion model over flow and occlusion (LFDM, Sec. 3.3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiffusionConfig {
    pub unet: UnetConfig,
    /// Length T of the training schedule.
    pub timesteps: usize,
    pub schedule: ScheduleKind,
    pub parameterization: Parameterization,
    pub threshold: Threshold,
    /// Probability with which training replaces the condition by the null condition.
    pub null_condition_probability: f64,
    /// Shares of the schedule between which guidance applies; at other times the condition is left alone, at half the cost (Kynkaanniemi et al. 2024). From
    /// 0 to 1, as in the official model, it always does.
    #[serde(default = "always", skip_serializing_if = "is_always")]
    pub guidance_interval: [f64; 2],
    /// How many times as much guidance strengthens the detail of the motion, what differs within two by two cells of its grid, as it strengthens the rest:
    /// frequency-decoupled guidance (Sadat et al. 2025). 1, as in the official model, is the same for all.
    #[serde(default = "alike", skip_serializing_if = "is_alike")]
    pub detail_guidance: f64,
    /// Whether the network was tuned for consistency: its clean estimates are samples already, its guidance is built in, and
    /// [`Sampler::Consistency`](crate::diffusion::Sampler::Consistency) is its sampler.
    #[serde(default)]
    pub consistency: bool,
}

fn always() -> [f64; 2] {
    [0.0, 1.0]
}

fn is_always(interval: &[f64; 2]) -> bool {
    *interval == always()
}

fn alike() -> f64 {
    1.0
}

fn is_alike(share: &f64) -> bool {
    *share == alike()
}

impl DiffusionConfig {
    /// # Errors
    /// [`ConfigError`] for guidance with an interval that is none or a detail that it cannot have, or a schedule and a parameterisation that no sample can be drawn from.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let problem = |field: &str, problem: &str| ConfigError {
            field: format!("diffusion.{field}"),
            problem: problem.to_owned(),
        };
        if self.timesteps < 2 {
            return Err(problem("timesteps", "must be at least 2; 1000 is usual"));
        }
        let [from, to] = self.guidance_interval;
        if !(0.0 <= from && from < to && to <= 1.0) {
            let text = "must be two shares of the schedule, the lower one first; 0 and 1 are guidance at all times";
            return Err(problem("guidance_interval", text));
        }
        if !(self.detail_guidance >= 0.0 && self.detail_guidance.is_finite()) {
            return Err(problem("detail_guidance", "must be a number from 0 on; 1 is the guidance of everything else"));
        }
        let halves = self.unet.diffused == Diffused::MotionWavelets || self.unet.dim_mults.len() > 1;
        if !is_alike(&self.detail_guidance) && !halves {
            let text = "other than 1 needs a grid with even sides: wavelets, or a U-Net of at least two levels";
            return Err(problem("detail_guidance", text));
        }
        let noise_alone = self.schedule == ScheduleKind::CosineZeroTerminal;
        if noise_alone && self.parameterization == Parameterization::Epsilon {
            let epsilon = "of `epsilon` says nothing of the sample where `cosine_zero_terminal` leaves only noise; use `velocity`";
            return Err(problem("parameterization", epsilon));
        }
        Ok(())
    }
}

/// The 3D U-Net (Video Diffusion Models, with the official LFDM's conditioning).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnetConfig {
    /// Motion, where nothing is said of it.
    #[serde(default)]
    pub diffused: Diffused,
    pub dim: usize,
    pub dim_mults: Vec<usize>,
    pub heads: usize,
    pub head_dim: usize,
    /// Groups of each GroupNorm.
    pub groups: usize,
    /// Kernel side of the first convolution, odd.
    pub init_kernel: usize,
    /// Length of a condition vector.
    pub condition_dim: usize,
    /// A learned null condition; zeros otherwise.
    pub learned_null_condition: bool,
    pub upsampling: Upsampling,
}

/// What the U-Net denoises: its channels and its output heads follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Diffused {
    /// Flow x, flow y and occlusion; flow and occlusion have a head each, as in the official model.
    #[default]
    Motion,
    /// The same on a grid twice as fine, as one level of Haar wavelets: the means of two by two cells, and three differences between them for
    /// each. The network stays on the coarse grid and costs what it did.
    MotionWavelets,
    /// So many channels of frames or of their latents, from one head: the baselines of the paper.
    Channels(usize),
}

impl Diffused {
    pub fn channels(self) -> usize {
        match self {
            Self::Motion => 3,
            Self::MotionWavelets => 3 * WAVELETS,
            Self::Channels(channels) => channels,
        }
    }
}

/// Channels into which one level of Haar wavelets takes a channel.
pub const WAVELETS: usize = 4;

/// How the U-Net doubles its grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Upsampling {
    /// Transposed 4x4 convolution (official MUG, `use_deconv: true`).
    Deconvolution,
    /// Nearest neighbour, then a 3x3 convolution with zero padding.
    NearestZeros,
    /// Nearest neighbour, then a 3x3 convolution with reflect padding (official NATOPS).
    NearestReflect,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleKind {
    /// Nichol and Dhariwal's cosine schedule, s = 0.008, betas clipped at 0.9999.
    Cosine,
    /// The same, rescaled so that the last time holds noise alone, as sampling begins with (Lin et al. 2024, Algorithm 1).
    CosineZeroTerminal,
}

/// What the U-Net predicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parameterization {
    /// The noise (official).
    Epsilon,
    /// `sqrt(abar) eps - sqrt(1 - abar) x0` (Salimans and Ho 2022).
    Velocity,
}

/// What is done to each predicted x0 while sampling.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Threshold {
    None,
    /// Imagen's: `s = max(bound, quantile(|x0|))`, then `clamp(x0, -s, s) * bound / s`, per sample.
    /// The official model has quantile 0.9 and bound 1.
    Dynamic {
        quantile: f64,
        bound: f64,
    },
}

impl LfaeConfig {
    /// Whether stage 2 learns the same from both: a painter may have joined the decoder since.
    pub fn sees_like(&self, other: &Self) -> bool {
        let painter = self.generator.painter;
        *self == Self { generator: GeneratorConfig { painter, ..other.generator.clone() }, ..other.clone() }
    }

    /// Scale of the motion's grid against the image.
    pub fn motion_scale(&self) -> f64 {
        self.flow.scale_factor * if self.fine_refinement.is_some() { 2.0 } else { 1.0 }
    }

    /// # Errors
    /// [`ConfigError`] for a painter that has nothing to blend, or a refinement whose frames do not fit its grid.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if self.generator.painter && !(self.generator.skips && self.flow.occlusion) {
            let field = "lfae.generator.painter".to_owned();
            let problem =
                "needs `generator.skips` and `flow.occlusion`: it decides what is blended with the warped source";
            return Err(ConfigError { field, problem: problem.to_owned() });
        }
        let refinements = [
            ("refinement", &self.refinement, self.flow.scale_factor),
            ("fine_refinement", &self.fine_refinement, self.motion_scale()),
        ];
        for (name, refinement, grid) in refinements {
            let Some(refinement) = refinement else { continue };
            let problem = |field: &str, problem: String| ConfigError { field: format!("lfae.{name}.{field}"), problem };
            let levels = (refinement.scale_factor / grid).log2();
            if levels.fract() != 0.0 || levels < 0.0 {
                let text = format!("must be {grid}, the scale of its flow grid, times a power of two");
                return Err(problem("scale_factor", text));
            }
            if refinement.iterations == 0 {
                return Err(problem("iterations", "must be at least 1; leave the refinement out for none".to_owned()));
            }
        }
        Ok(())
    }
}

impl LfdmConfig {
    /// Reads the official YAML layout (`config/mug128.yaml` and its like), parsed into a JSON value.
    ///
    /// The official code takes the diffusion model's sizes from its scripts, not from the YAML: they are those scripts' here, with
    /// `frames` frames.
    ///
    /// # Errors
    /// [`ConfigError`] naming the setting that is missing or of another type.
    pub fn from_official(yaml: &serde_json::Value, frames: usize) -> Result<Self, ConfigError> {
        let root = Official { value: yaml, path: String::new() };
        let model = root.section("model_params")?;
        let region = model.section("region_predictor_params")?;
        let background = model.section("bg_predictor_params")?;
        let generator = model.section("generator_params")?;
        let flow = generator.section("pixelwise_flow_predictor_params")?;
        let side = root.section("dataset_params")?.number("frame_shape")? as usize;
        let affine = match (model.flag("estimate_affine", true)?, region.flag("pca_based", false)?) {
            (false, _) => RegionAffine::None,
            (true, true) => RegionAffine::Pca,
            (true, false) => RegionAffine::Regression,
        };
        let motion = match background.text("bg_type", "zero")? {
            "zero" => BackgroundMotion::Zero,
            "shift" => BackgroundMotion::Shift,
            "affine" => BackgroundMotion::Affine,
            "perspective" => BackgroundMotion::Perspective,
            _ => return Err(background.problem("bg_type", "must be zero, shift, affine or perspective")),
        };
        Ok(Self {
            image_size: [side, side],
            frames,
            lfae: LfaeConfig {
                channels: model.number("num_channels")? as usize,
                regions: model.number("num_regions")? as usize,
                revert_axis_swap: model.flag("revert_axis_swap", true)?,
                region: RegionConfig {
                    hourglass: region.hourglass()?,
                    temperature: region.number("temperature")?,
                    scale_factor: region.number_or("scale_factor", 1.0)?,
                    padding: region.number_or("pad", 3.0)? as usize,
                    affine,
                },
                background: BackgroundConfig { hourglass: background.hourglass()?, motion },
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
                    block_expansion: generator.number("block_expansion")? as usize,
                    max_features: generator.number("max_features")? as usize,
                    down_blocks: generator.number("num_down_blocks")? as usize,
                    bottleneck_blocks: generator.number("num_bottleneck_blocks")? as usize,
                    skips: generator.flag("skips", false)?,
                    painter: false,
                },
            },
            diffusion: DiffusionConfig {
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
                threshold: Threshold::Dynamic { quantile: 0.9, bound: 1.0 },
                null_condition_probability: 0.1,
                guidance_interval: always(),
                detail_guidance: alike(),
                consistency: false,
            },
        })
    }

    /// # Errors
    /// [`ConfigError`] for what [`LfaeConfig::validate`] and [`DiffusionConfig::validate`] refuse, and for a grid of motion that does not lie on the
    /// latent as the U-Net needs it.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.lfae.validate()?;
        self.diffusion.validate()?;
        let latent = self.latent_size();
        if self.diffused_size() == latent {
            return Ok(());
        }
        let [[height, width], [rows, columns]] = [latent, self.flow_size()];
        let problem = format!(
            "must be `motion` for a grid of motion of the latent's size, `motion_wavelets` for one twice as fine; \
             the latent has {height}x{width} cells, the motion {rows}x{columns}"
        );
        Err(ConfigError { field: "diffusion.unet.diffused".to_owned(), problem })
    }

    /// Height and width of the grid of the motion.
    pub fn flow_size(&self) -> [usize; 2] {
        self.image_size.map(|side| (side as f64 * self.lfae.motion_scale()).round() as usize)
    }

    /// Height and width of the reference latent.
    pub fn latent_size(&self) -> [usize; 2] {
        self.image_size.map(|side| side >> self.lfae.generator.down_blocks)
    }

    /// Height and width of what the U-Net denoises.
    pub fn diffused_size(&self) -> [usize; 2] {
        match self.diffusion.unet.diffused {
            Diffused::MotionWavelets => self.flow_size().map(|side| side / 2),
            Diffused::Motion | Diffused::Channels(_) => self.flow_size(),
        }
    }

    /// Channels of the reference latent that the U-Net sees beside the three motion channels.
    pub fn latent_channels(&self) -> usize {
        self.lfae.generator.channels_at(self.lfae.generator.down_blocks)
    }

    /// The demo model: 64x64 pixels, 16 frames, a 16x16 flow grid, `labels` one-hot conditions.
    pub fn faces_64(labels: usize) -> Self {
        let hourglass = HourglassConfig { block_expansion: 16, blocks: 3, max_features: 128 };
        Self {
            image_size: [64, 64],
            frames: 16,
            lfae: LfaeConfig {
                channels: 3,
                regions: 16,
                revert_axis_swap: true,
                region: RegionConfig {
                    hourglass,
                    temperature: 0.1,
                    scale_factor: 0.5,
                    padding: 3,
                    affine: RegionAffine::Pca,
                },
                background: BackgroundConfig {
                    hourglass: HourglassConfig { block_expansion: 8, blocks: 3, max_features: 64 },
                    motion: BackgroundMotion::Affine,
                },
                flow: FlowConfig {
                    hourglass: HourglassConfig { block_expansion: 32, blocks: 3, max_features: 256 },
                    scale_factor: 0.25,
                    deformed_source: true,
                    covariance_heatmap: true,
                    occlusion: true,
                    resize: FlowResize::Displacements,
                },
                refinement: Some(RefinementConfig {
                    hourglass: HourglassConfig { block_expansion: 64, blocks: 3, max_features: 128 },
                    scale_factor: 1.0,
                    iterations: 2,
                }),
                fine_refinement: None,
                generator: GeneratorConfig {
                    block_expansion: 32,
                    max_features: 128,
                    down_blocks: 2,
                    bottleneck_blocks: 3,
                    skips: true,
                    painter: false,
                },
            },
            diffusion: DiffusionConfig {
                unet: UnetConfig {
                    diffused: Diffused::Motion,
                    dim: 32,
                    dim_mults: vec![1, 2, 4],
                    heads: 4,
                    head_dim: 32,
                    groups: 8,
                    init_kernel: 7,
                    condition_dim: labels,
                    learned_null_condition: false,
                    upsampling: Upsampling::NearestZeros,
                },
                timesteps: 1000,
                schedule: ScheduleKind::Cosine,
                parameterization: Parameterization::Velocity,
                threshold: Threshold::Dynamic { quantile: 0.995, bound: 5.0 },
                null_condition_probability: 0.1,
                // Four of eight steps of the default sampler, the second to the fifth.
                guidance_interval: [0.55, 0.95],
                detail_guidance: alike(),
                consistency: false,
            },
        }
    }
}

impl LfdmConfig {
    /// The demo model at the paper's size: 128x128 pixels on the flow grid of [`faces_64`](Self::faces_64). A flow at an eighth of the
    /// image still carries the expression and makes the diffusion model four times cheaper. The networks are the same but for one more
    /// level of the generator, so that training can begin with the weights of the smaller model.
    pub fn faces_128(labels: usize) -> Self {
        let mut config = Self::faces_64(labels);
        config.image_size = [128, 128];
        config.lfae.region.scale_factor /= 2.0;
        config.lfae.flow.scale_factor /= 2.0;
        config.lfae.generator.block_expansion /= 2;
        config.lfae.generator.down_blocks += 1;
        if let Some(refinement) = &mut config.lfae.refinement {
            refinement.scale_factor /= 2.0;
        }
        config
    }
}

impl LfdmConfig {
    /// The same model with motion on a grid twice as fine: what stage 1 learns with `finetune --finer`, and stage 2 anew.
    pub fn finer(mut self) -> Self {
        if self.lfae.fine_refinement.is_none() {
            // It has four times the cells of the first refinement to look at, and less to find.
            let usual = HourglassConfig { block_expansion: 64, blocks: 3, max_features: 128 };
            let first = self.lfae.refinement.as_ref().map_or(usual, |refinement| refinement.hourglass);
            self.lfae.fine_refinement = Some(RefinementConfig {
                hourglass: HourglassConfig { block_expansion: (first.block_expansion / 2).max(4), ..first },
                scale_factor: (8.0 * self.lfae.flow.scale_factor).min(1.0),
                iterations: 2,
            });
            self.diffusion.unet.diffused = Diffused::MotionWavelets;
            // Differences between cells have heavier tails: in some clips half a percent of all values reaches 8 deviations.
            if let Threshold::Dynamic { bound, .. } = &mut self.diffusion.threshold {
                *bound *= 2.0;
            }
        }
        self
    }
}

impl GeneratorConfig {
    /// Channels after `level` down blocks.
    pub fn channels_at(&self, level: usize) -> usize {
        (self.block_expansion << level).min(self.max_features)
    }
}

impl HourglassConfig {
    /// Output channels of the encoder after `level` blocks; level 0 is the input.
    pub fn channels_at(&self, level: usize) -> usize {
        (self.block_expansion << level).min(self.max_features)
    }

    /// Channels of the hourglass output: the last up block concatenated with the network's input.
    pub fn out_channels(&self, in_channels: usize) -> usize {
        self.block_expansion + in_channels
    }
}

/// A section of the official YAML, with its path for messages.
struct Official<'a> {
    value: &'a serde_json::Value,
    path: String,
}

impl<'a> Official<'a> {
    fn problem(&self, key: &str, problem: &str) -> ConfigError {
        let separator = if self.path.is_empty() { "" } else { "." };
        ConfigError { field: format!("{}{separator}{key}", self.path), problem: problem.to_owned() }
    }

    fn section(&self, key: &str) -> Result<Official<'a>, ConfigError> {
        match self.value.get(key) {
            Some(value) if value.is_object() => Ok(Official { value, path: self.problem(key, "").field }),
            _ => Err(self.problem(key, "is missing; the official YAML has it as a section")),
        }
    }

    fn number(&self, key: &str) -> Result<f64, ConfigError> {
        let number = self.value.get(key).and_then(serde_json::Value::as_f64);
        number.filter(|number| *number >= 0.0).ok_or_else(|| self.problem(key, "is missing or not a positive number"))
    }

    fn number_or(&self, key: &str, default: f64) -> Result<f64, ConfigError> {
        if self.value.get(key).is_none() { Ok(default) } else { self.number(key) }
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
            block_expansion: self.number("block_expansion")? as usize,
            blocks: self.number("num_blocks")? as usize,
            max_features: self.number("max_features")? as usize,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_survives_json() {
        let config = LfdmConfig::faces_64(7);
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<LfdmConfig>(&json).unwrap(), config);
        assert_eq!(config.flow_size(), [16, 16]);
    }

    #[test]
    fn a_configuration_that_does_not_say_what_is_diffused_means_motion() {
        let mut config = LfdmConfig::faces_64(7).diffusion.unet;
        let mut json = serde_json::to_value(&config).unwrap();
        json.as_object_mut().unwrap().remove("diffused").unwrap();
        assert_eq!(serde_json::from_value::<UnetConfig>(json).unwrap(), config);
        config.diffused = Diffused::Channels(4);
        let json = serde_json::to_string(&config).unwrap();
        assert!(json.contains(r#""diffused":{"channels":4}"#), "{json}");
        assert_eq!(serde_json::from_str::<UnetConfig>(&json).unwrap(), config);
    }

    #[test]
    fn a_schedule_that_ends_in_noise_alone_needs_velocities() {
        let mut config = LfdmConfig::faces_64(7).diffusion;
        config.schedule = ScheduleKind::CosineZeroTerminal;
        assert_eq!(config.validate(), Ok(()));
        config.parameterization = Parameterization::Epsilon;
        assert_eq!(config.validate().unwrap_err().field, "diffusion.parameterization");
    }

    #[test]
    fn guidance_has_an_interval_of_the_schedule() {
        let mut config = LfdmConfig::faces_64(7).diffusion;
        for (interval, is_one) in [
            ([0.0, 1.0], true),
            ([0.5, 0.9], true),
            ([0.5, 0.5], false),
            ([-0.1, 1.0], false),
            ([0.0, f64::NAN], false),
        ] {
            config.guidance_interval = interval;
            assert_eq!(config.validate().is_ok(), is_one, "{interval:?}");
        }
        config.guidance_interval = [0.0, 1.0];
        let json = serde_json::to_string(&config).unwrap();
        assert!(!json.contains("guidance_interval"), "that of models from before it says nothing");
        assert!(!json.contains("detail_guidance"), "nor of detail");
        assert_eq!(serde_json::from_str::<DiffusionConfig>(&json).unwrap(), config);
    }

    #[test]
    fn detail_is_guided_by_a_number() {
        let mut config = LfdmConfig::faces_64(7).diffusion;
        for (share, is_one) in [(0.0, true), (2.5, true), (-1.0, false), (f64::NAN, false), (f64::INFINITY, false)] {
            config.detail_guidance = share;
            assert_eq!(config.validate().is_ok(), is_one, "{share}");
        }
        config.unet.dim_mults = vec![1];
        config.detail_guidance = 2.0;
        assert!(config.validate().is_err(), "cells may not come in twos");
        config.detail_guidance = 1.0;
        assert_eq!(config.validate(), Ok(()));
    }

    #[test]
    fn a_refinement_must_fit_its_grid() {
        let mut config = LfdmConfig::faces_128(1).lfae;
        assert_eq!(config.validate(), Ok(()));
        let mut with = |scale_factor: f64, iterations: usize| {
            config.refinement =
                config.refinement.clone().map(|old| RefinementConfig { scale_factor, iterations, ..old });
            config.validate().map_err(|error| error.field)
        };
        assert_eq!(with(0.3, 1), Err("lfae.refinement.scale_factor".to_owned()));
        assert_eq!(with(0.0625, 1), Err("lfae.refinement.scale_factor".to_owned()), "coarser than the grid");
        assert_eq!(with(0.125, 0), Err("lfae.refinement.iterations".to_owned()));
        assert_eq!(with(0.125, 1), Ok(()));
    }

    #[test]
    fn finer_motion_is_diffused_as_wavelets() {
        for config in [LfdmConfig::faces_64(7), LfdmConfig::faces_128(7)] {
            assert_eq!(config.validate(), Ok(()));
            let mut finer = config.clone().finer();
            assert_eq!(finer.validate(), Ok(()));
            assert_eq!((finer.flow_size(), finer.diffused_size()), ([32, 32], [16, 16]));
            assert_eq!(finer.clone().finer(), finer, "it is as fine as it gets");
            let json = serde_json::to_string(&finer).unwrap();
            assert_eq!(serde_json::from_str::<LfdmConfig>(&json).unwrap(), finer);
            finer.diffusion.unet.diffused = Diffused::Motion;
            assert_eq!(finer.validate().unwrap_err().field, "diffusion.unet.diffused");
        }
    }

    #[test]
    fn models_from_before_the_refinement_have_none() {
        let mut config = LfdmConfig::faces_64(1);
        config.lfae.refinement = None;
        let older = serde_json::to_value(&config).unwrap();
        assert!(older["lfae"].get("refinement").is_none());
        assert_eq!(serde_json::from_value::<LfdmConfig>(older).unwrap(), config);
    }

    #[test]
    fn an_incomplete_official_configuration_names_what_is_missing() {
        let yaml = serde_json::json!({ "model_params": { "region_predictor_params": {} } });
        let error = LfdmConfig::from_official(&yaml, 40).unwrap_err();
        assert_eq!(error.field, "model_params.bg_predictor_params");
    }
}
