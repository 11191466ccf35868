//! What a model costs: operations, parameters and time of training.

use std::fmt::{self, Display};

use serde::Serialize;

const DEFINITION: &str = "`flops_per_step`: floating-point operations of one denoising step of one clip at this \
     guidance, two for each multiply-add of the convolutions, the linear layers and the products of attention. \
     Guidance other than 0 and 1 evaluates two conditions, and half as many operations in the steps that it spares \
     (`guidance_interval`). `flops_per_clip`: the same of a whole clip, for a model that takes no steps. \
     `training_seconds`: time that the run's steps took on its device, without validations \
     and without the runs that it began from; null if the run did not measure it.";

/// What a model costs, as opposed to what it achieves.
#[derive(Serialize)]
pub(super) struct Cost {
    definition: &'static str,
    #[serde(flatten)]
    of_clips: CostOfClips,
    autoencoder: Option<TrainedNetwork>,
}

/// What it costs to generate clips.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum CostOfClips {
    /// Step by step.
    Denoising { guidance: f32, flops_per_step: u64, denoiser: TrainedNetwork },
    /// In one pass.
    Pass { flops_per_clip: u64, generator: TrainedNetwork },
}

/// The size of a network, and the time its training took.
#[derive(Clone, Serialize)]
pub(super) struct TrainedNetwork {
    pub(super) parameters: usize,
    pub(super) training_seconds: Option<f64>,
}

impl Cost {
    pub(super) fn new(of_clips: CostOfClips, autoencoder: Option<TrainedNetwork>) -> Self {
        Self { definition: DEFINITION, of_clips, autoencoder }
    }
}

impl Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let giga = |flops: u64| flops as f64 / 1e9;
        let network = match &self.of_clips {
            CostOfClips::Denoising { guidance, flops_per_step, denoiser } => {
                let giga = giga(*flops_per_step);
                writeln!(f, "cost: {giga:.3} GFLOP per denoising step of a clip, guidance {guidance}")?;
                ("denoiser", denoiser)
            }
            CostOfClips::Pass { flops_per_clip, generator } => {
                let giga = giga(*flops_per_clip);
                writeln!(f, "cost: {giga:.3} GFLOP per clip, in one pass without steps or guidance")?;
                ("generator", generator)
            }
        };
        let autoencoder = self.autoencoder.as_ref().map(|trained| ("auto-encoder", trained));
        for (name, trained) in [Some(network), autoencoder].into_iter().flatten() {
            write!(f, "{name:24} {:.2} M parameters", trained.parameters as f64 / 1e6)?;
            match trained.training_seconds {
                Some(seconds) => writeln!(f, ", trained for {:.1} min", seconds / 60.0)?,
                None => writeln!(f)?,
            }
        }
        Ok(())
    }
}
