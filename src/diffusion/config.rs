//! Sizes and options of stage 2.

use serde::{Deserialize, Serialize};

use crate::config::bounds::{self, within};
use crate::config::error::ConfigError;

/// Stage 2: the conditional diffusion model over flow and occlusion (LFDM, Sec. 3.3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiffusionConfig {
    /// The network that denoises.
    pub unet: UnetConfig,
    /// Length T of the training schedule.
    pub timesteps: usize,
    /// Noise levels of the T times.
    pub schedule: ScheduleKind,
    /// What the network predicts.
    pub parameterization: Parameterization,
    /// What happens to each predicted clean sample.
    pub threshold: Threshold,
    /// Probability with which training replaces the condition by the null condition.
    pub null_condition_probability: f64,
    /// Shares of the schedule between which guidance applies. Outside them a step sees the condition unguided, at
    /// half the cost (Kynkaanniemi et al. 2024). `[0, 1]`, as in the official model, guides at all times.
    pub guidance_interval: [f64; 2],
    /// Factor by which guidance strengthens the motion's detail, the differences within two by two cells of its
    /// grid, more than its means: frequency-decoupled guidance (Sadat et al. 2025). 1, as in the official model,
    /// treats both the same.
    pub detail_guidance: f64,
    /// Factor by which guidance strengthens what moves the whole foreground, shifts, turns and stretches of it, more
    /// than the rest: 0 leaves heads where the condition alone puts them. 1, as in the official model, treats both
    /// the same.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub affine_guidance: f64,
    /// Whether the network was tuned for consistency: its clean estimates are samples already, its guidance is
    /// built in, and [`Sampler::Consistency`](crate::diffusion::Sampler::Consistency) is its sampler.
    pub consistency: bool,
}

impl DiffusionConfig {
    /// Checks what no type can.
    ///
    /// # Errors
    /// [`ConfigError`] for a number beyond its bounds, a guidance that does not exist, or a schedule and a
    /// parameterisation from which no sample can be drawn.
    pub fn validate(&self) -> Result<(), ConfigError> {
        within("diffusion.timesteps", self.timesteps, &(2..=100_000))?;
        within("diffusion.null_condition_probability", self.null_condition_probability, &(0.0..=1.0))?;
        if let Threshold::Dynamic { quantile, bound } = self.threshold {
            within("diffusion.threshold.dynamic.quantile", quantile, &(0.0..=1.0))?;
            within("diffusion.threshold.dynamic.bound", bound, &(1e-3..=1e6))?;
        }
        self.unet.validate()?;
        self.validate_guidance()?;
        let ends_in_noise = self.schedule == ScheduleKind::CosineZeroTerminal;
        if ends_in_noise && self.parameterization == Parameterization::Epsilon {
            return Err(ConfigError::new(
                "diffusion.parameterization",
                "`epsilon` says nothing about the sample where `cosine_zero_terminal` leaves only noise; \
                 use `velocity`",
            ));
        }
        Ok(())
    }

    fn validate_guidance(&self) -> Result<(), ConfigError> {
        let [from, to] = self.guidance_interval;
        if !(0.0 <= from && from < to && to <= 1.0) {
            return Err(ConfigError::new(
                "diffusion.guidance_interval",
                "must be two shares of the schedule, the lower one first; [0, 1] guides at all times",
            ));
        }
        if !(0.0..=1000.0).contains(&self.detail_guidance) {
            let problem = "must be a number from 0 to 1000; 1 guides detail like everything else";
            return Err(ConfigError::new("diffusion.detail_guidance", problem));
        }
        if !(0.0..=1000.0).contains(&self.affine_guidance) {
            let problem = "must be a number from 0 to 1000; 1 guides the motion of the whole like everything else";
            return Err(ConfigError::new("diffusion.affine_guidance", problem));
        }
        let has_even_sides = self.unet.diffused.cells() > 1 || self.unet.dim_mults.len() > 1;
        if self.detail_guidance != 1.0 && !has_even_sides {
            let problem = "other than 1 needs a grid with even sides: wavelets, or a U-Net of at least two levels";
            return Err(ConfigError::new("diffusion.detail_guidance", problem));
        }
        Ok(())
    }
}

fn one() -> f64 {
    1.0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_one(value: &f64) -> bool {
    *value == 1.0
}

/// The 3D U-Net (Video Diffusion Models, with the official LFDM's conditioning).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnetConfig {
    /// What is denoised.
    pub diffused: Diffused,
    /// Channels at the first level.
    pub dim: usize,
    /// Channels at each level, as multiples of `dim`.
    pub dim_mults: Vec<usize>,
    /// Attention heads.
    pub heads: usize,
    /// Channels of each head.
    pub head_dim: usize,
    /// Groups of each GroupNorm.
    pub groups: usize,
    /// Kernel side of the first convolution, odd.
    pub init_kernel: usize,
    /// Length of a condition vector.
    pub condition_dim: usize,
    /// Learn the null condition; it is zeros otherwise.
    pub learned_null_condition: bool,
    /// How the grid is doubled on the way up.
    pub upsampling: Upsampling,
}

impl UnetConfig {
    fn validate(&self) -> Result<(), ConfigError> {
        let Self { dim, dim_mults, heads, head_dim, groups, init_kernel, .. } = self;
        if let Diffused::Channels(channels) = self.diffused {
            within("diffusion.unet.diffused.channels", channels, &(1..=64))?;
        }
        within("diffusion.unet.dim", *dim, &(4..=512))?;
        within("diffusion.unet.heads", *heads, &(1..=64))?;
        within("diffusion.unet.head_dim", *head_dim, &(2..=256))?;
        within("diffusion.unet.init_kernel", *init_kernel, &(1..=31))?;
        within("diffusion.unet.condition_dim", self.condition_dim, &(1..=65_536))?;
        if dim_mults.is_empty() || dim_mults.len() > 8 {
            return Err(ConfigError::new("diffusion.unet.dim_mults", "must have 1 to 8 levels"));
        }
        for multiple in dim_mults {
            within("diffusion.unet.dim_mults", *multiple, &(1..=64))?;
            within("diffusion.unet.dim_mults times dim", dim * multiple, &(1..=2048))?;
        }
        let must_be = |field: &str, problem: &str| Err(ConfigError::new(format!("diffusion.unet.{field}"), problem));
        if !dim.is_multiple_of(2) {
            return must_be("dim", "must be even: half of the embedding of a time is sines");
        }
        if !head_dim.is_multiple_of(2) {
            return must_be("head_dim", "must be even: channels are rotated in pairs");
        }
        if init_kernel.is_multiple_of(2) {
            return must_be("init_kernel", "must be odd, to have a middle");
        }
        if *groups == 0 || !dim.is_multiple_of(*groups) {
            return must_be("groups", "must divide `dim`");
        }
        // Four blocks of two convolutions at each level, half of them on the way up, where the input is twice as wide.
        let squares: f64 = dim_mults.iter().map(|multiple| ((dim * multiple) as f64).powi(2)).sum();
        bounds::count("diffusion.unet.dim_mults", "weights", 100.0 * squares)
    }
}

/// What the U-Net denoises: its channels and its output heads follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Diffused {
    /// Flow x, flow y and occlusion; flow and occlusion have a head each, as in the official model.
    Motion,
    /// The same on a grid twice as fine, as one level of Haar wavelets: for each channel the means of two by two
    /// cells and three differences between them. The network stays on the coarse grid and costs what it did.
    MotionWavelets,
    /// Motion of two frames at a time, as one level of Haar wavelets over frames: their means and half their
    /// differences. The network sees half as many frames and costs half as much.
    MotionPairs,
    /// Both: the wavelets of finer motion of two frames at a time.
    MotionWaveletPairs,
    /// This many channels of frames or of their latents, from one head: the baselines of the paper.
    Channels(usize),
}

impl Diffused {
    /// All that are motion.
    pub(crate) const MOTION: [Self; 4] =
        [Self::Motion, Self::MotionWavelets, Self::MotionPairs, Self::MotionWaveletPairs];

    /// Channels of what is denoised.
    pub fn channels(self) -> usize {
        match self {
            Self::Channels(channels) => channels,
            _ => 3 * self.cells() * self.cells() * self.frames(),
        }
    }

    /// Cells of the motion's grid along each side of a cell that is denoised.
    pub fn cells(self) -> usize {
        match self {
            Self::MotionWavelets | Self::MotionWaveletPairs => 2,
            Self::Motion | Self::MotionPairs | Self::Channels(_) => 1,
        }
    }

    /// Frames of the video in each frame that is denoised.
    pub fn frames(self) -> usize {
        match self {
            Self::MotionPairs | Self::MotionWaveletPairs => 2,
            Self::Motion | Self::MotionWavelets | Self::Channels(_) => 1,
        }
    }
}

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

/// Noise levels of the training schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleKind {
    /// Nichol and Dhariwal's cosine schedule, s = 0.008, betas clipped at 0.9999.
    Cosine,
    /// The same, rescaled so that its last time holds noise alone, like the start of sampling (Lin et al. 2024,
    /// Algorithm 1).
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

/// What happens to each predicted x0 while sampling.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Threshold {
    /// Nothing.
    None,
    /// Imagen's dynamic thresholding, per sample: `s = max(bound, quantile(|x0|))`, then
    /// `clamp(x0, -s, s) * bound / s`.
    Dynamic {
        /// Share of the values that stay below `s`, 0 to 1.
        quantile: f64,
        /// Largest magnitude of the result.
        bound: f64,
    },
}

impl Threshold {
    /// The official one. Flow is diffused as places in the picture there, from -1 to 1.
    pub const OFFICIAL: Self = Self::Dynamic { quantile: 0.9, bound: 1.0 };
    /// That of motion which is diffused in deviations of the training data, as `lfdm train dm` does it.
    pub const DEVIATIONS: Self = Self::Dynamic { quantile: 0.995, bound: 5.0 };

    /// The same for motion in deviations, of which the official one would cut off a third.
    #[must_use]
    pub fn in_deviations(self) -> Self {
        if self == Self::OFFICIAL { Self::DEVIATIONS } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::LfdmConfig;

    #[test]
    fn what_is_diffused_survives_json() {
        let mut config = LfdmConfig::faces_64(7).diffusion.unet;
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
        for (interval, is_valid) in [
            ([0.0, 1.0], true),
            ([0.5, 0.9], true),
            ([0.5, 0.5], false),
            ([-0.1, 1.0], false),
            ([0.0, f64::NAN], false),
        ] {
            config.guidance_interval = interval;
            assert_eq!(config.validate().is_ok(), is_valid, "{interval:?}");
        }
    }

    #[test]
    fn only_the_official_threshold_is_of_places() {
        let own = LfdmConfig::faces_64(7).diffusion.threshold;
        assert_eq!(Threshold::OFFICIAL.in_deviations(), own);
        for threshold in [own, Threshold::None, Threshold::Dynamic { quantile: 0.995, bound: 10.0 }] {
            assert_eq!(threshold.in_deviations(), threshold);
        }
    }

    #[test]
    fn detail_is_guided_by_a_number() {
        let mut config = LfdmConfig::faces_64(7).diffusion;
        for (factor, is_valid) in [(0.0, true), (2.5, true), (-1.0, false), (f64::NAN, false), (f64::INFINITY, false)] {
            config.detail_guidance = factor;
            assert_eq!(config.validate().is_ok(), is_valid, "{factor}");
        }
        config.detail_guidance = 1.0;
        for (factor, is_valid) in [(0.0, true), (1.5, true), (-0.5, false), (f64::NAN, false)] {
            config.affine_guidance = factor;
            assert_eq!(config.validate().is_ok(), is_valid, "{factor}");
        }
        config.affine_guidance = 1.0;
        config.unet.dim_mults = vec![1];
        config.detail_guidance = 2.0;
        assert!(config.validate().is_err(), "the grid may have odd sides");
        config.detail_guidance = 1.0;
        assert_eq!(config.validate(), Ok(()));
    }
}
