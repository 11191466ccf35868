//! A generation run to its end: what `animate`, `sheet`, training's previews and evaluation share.

use anyhow::Result;
use clap::ValueEnum;

use super::numbers;
use crate::{
    bundle::Manifest,
    condition::{Contrast, Strengths},
    diffusion::{DdimTimes, Sampler},
    pipeline::{Event, Frame, Generation, Request, Timings},
};

/// Runs a generation to its end: all frames in order, and the time they took.
pub(crate) fn collect(mut generation: Generation, mut on_event: impl FnMut(&Event)) -> Result<(Vec<Frame>, Timings)> {
    let (mut frames, mut timings) = (Vec::new(), Timings::default());
    while let Some(event) = pollster::block_on(generation.next()) {
        let event = event?;
        on_event(&event);
        match event {
            Event::Frame(frame) => frames.push(frame),
            Event::Done(measured) => timings = measured,
            Event::Encoded | Event::Step { .. } => {}
        }
    }
    Ok((frames, timings))
}

/// How a video is drawn from the model.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct SamplingArgs {
    /// Seed of the noise: the same seed gives the same video.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Denoising steps; `ddpm` always takes all of the training schedule [default: the model's own]
    #[arg(long, value_parser = numbers::steps)]
    steps: Option<usize>,
    /// Strength of the label; 1 is the plain condition, more exaggerates it [default: the model's own]
    #[arg(long, allow_negative_numbers = true, value_parser = numbers::guidance)]
    guidance: Option<f32>,
    /// What guidance exaggerates the label against [default: the model's own, null for most]
    #[arg(long, value_enum)]
    contrast: Option<ContrastName>,
    /// How each step is taken [default: deis, or consistency for a model tuned for it]
    #[arg(long, value_enum)]
    sampler: Option<SamplerName>,
}

impl SamplingArgs {
    /// The seed that the user gave.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// The request for one clip of these `strengths`, with the model's defaults where the user gave nothing.
    pub(crate) fn request(&self, manifest: &Manifest, strengths: &Strengths, seed: u64) -> Request {
        Request {
            strengths: strengths.clone(),
            seed,
            steps: self.steps.unwrap_or(manifest.default_steps),
            guidance: self.guidance.unwrap_or(manifest.default_guidance),
            contrast: self.contrast.map_or(manifest.default_contrast, ContrastName::contrast),
            sampler: self.sampler.map_or_else(|| manifest.default_sampler(), SamplerName::sampler),
        }
    }
}

/// What guidance exaggerates labels against, by the names that the command line gives it.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ContrastName {
    /// The null condition: any label at all.
    Null,
    /// The label `neutral`: what all labels share is not exaggerated.
    Neutral,
}

impl ContrastName {
    /// The contrast of this name.
    pub(crate) fn contrast(self) -> Contrast {
        match self {
            Self::Null => Contrast::Null,
            Self::Neutral => Contrast::Neutral,
        }
    }
}

/// The samplers, by the names that the command line gives them.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum SamplerName {
    /// DPM-Solver++ (2M): deterministic, good from 10 steps on.
    DpmSolver,
    /// UniPC of order 2: deterministic; corrects each step with the next evaluation.
    Unipc,
    /// DEIS of order 2 with a corrector, most steps where there is most noise: deterministic, good from 8 steps on.
    Deis,
    /// Consistency sampling, for models from `lfdm train consistency`: 1 to 4 steps.
    Consistency,
    /// DDIM without noise (eta 0): deterministic.
    Ddim,
    /// DDIM with as much noise as ancestral sampling (eta 1).
    DdimStochastic,
    /// DDIM as the official implementation has it: its times, shifted signal levels and noise, to match its results.
    DdimOfficial,
    /// DDPM: ancestral sampling through the whole training schedule.
    Ddpm,
}

impl SamplerName {
    /// The sampler of this name.
    pub(crate) fn sampler(self) -> Sampler {
        match self {
            Self::DpmSolver => Sampler::DpmSolverPp2m,
            Self::Unipc => Sampler::Unipc,
            Self::Deis => Sampler::Deis,
            Self::Consistency => Sampler::Consistency,
            Self::Ddim => Sampler::Ddim { eta: 0.0, times: DdimTimes::Trailing },
            Self::DdimStochastic => Sampler::Ddim { eta: 1.0, times: DdimTimes::Trailing },
            Self::DdimOfficial => Sampler::Ddim { eta: 1.0, times: DdimTimes::Official },
            Self::Ddpm => Sampler::Ddpm,
        }
    }
}
