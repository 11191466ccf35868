//! What a model costs: operations, parameters and time of training.

use std::fmt::{self, Display};

use serde::Serialize;

const DEFINITION: &str = "`flops_per_step`: floating-point operations of one denoising step of one clip at this \
     guidance, two for each multiply-add of the convolutions, the linear layers and the products of attention. \
     Guidance other than 0 and 1 evaluates two conditions, and half as many operations in the steps that it spares \
     (`guidance_interval`). `training_seconds`: time that the run's steps took on its device, without validations \
     and without the runs that it began from; null if the run did not measure it.";

/// What a model costs, as opposed to what it achieves.
#[derive(Serialize)]
pub(super) struct Cost {
    definition: &'static str,
    guidance: f32,
    flops_per_step: u64,
    denoiser: TrainedNetwork,
    autoencoder: Option<TrainedNetwork>,
}

/// The size of a network, and the time its training took.
#[derive(Clone, Serialize)]
pub(super) struct TrainedNetwork {
    pub(super) parameters: usize,
    pub(super) training_seconds: Option<f64>,
}

impl Cost {
    pub(super) fn new(
        guidance: f32,
        flops_per_step: u64,
        denoiser: TrainedNetwork,
        autoencoder: Option<TrainedNetwork>,
    ) -> Self {
        Self { definition: DEFINITION, guidance, flops_per_step, denoiser, autoencoder }
    }
}

impl Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let giga = self.flops_per_step as f64 / 1e9;
        writeln!(f, "cost: {giga:.3} GFLOP per denoising step of a clip, guidance {}", self.guidance)?;
        let networks = [("denoiser", Some(&self.denoiser)), ("auto-encoder", self.autoencoder.as_ref())];
        for (name, trained) in networks.into_iter().filter_map(|(name, trained)| Some((name, trained?))) {
            write!(f, "{name:24} {:.2} M parameters", trained.parameters as f64 / 1e6)?;
            match trained.training_seconds {
                Some(seconds) => writeln!(f, ", trained for {:.1} min", seconds / 60.0)?,
                None => writeln!(f)?,
            }
        }
        Ok(())
    }
}
