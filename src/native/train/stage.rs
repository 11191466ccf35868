//! What a training stage adds to the loop.

use std::borrow::Cow;
use std::path::Path;

use anyhow::Result;
use burn::module::Module;
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::parcel::Parcel;
use crate::native::checkpoint::Source;
use crate::noise::NoiseSource;
use crate::weights::{StateDict, WeightsError, collect_module, load_module};

/// Named values, in the order of the log.
pub(crate) type Metrics<T = f64> = Vec<(&'static str, T)>;
/// The loss and its terms, which may come from a worker.
pub(crate) type Terms = Vec<(Cow<'static, str>, f32)>;

/// A network and what is minimised: all that computes a part of a step, apart from the data. Workers on other machines
/// have it too.
///
/// Everything random in a step is a function of its [`Draw`]: that is what lets a resumed run
/// continue the interrupted one bit by bit, and parts be computed anywhere.
pub(crate) trait Objective: Sync + Sized {
    /// The trained network.
    type Model: Module;
    /// What a loss is computed from.
    type Batch: Cargo;
    /// What workers know it by.
    const NAME: &'static str;

    /// A network with random weights.
    fn init(&self, device: &Device) -> Self::Model;
    /// The loss that is minimised, on the batch of `draw`. Draws only from `draw`.
    fn loss(&self, model: &Self::Model, batch: Self::Batch, draw: Draw, device: &Device) -> Loss;
    /// All of it, for a worker.
    fn pack(&self) -> Result<Parcel>;
    /// What was packed, on `device`.
    fn unpack(parcel: Parcel, device: &Device) -> Result<Self>;
}

/// What a worker is sent to compute with.
pub(crate) trait Cargo: Sized {
    /// All of it.
    fn pack(self) -> Result<Parcel>;
    /// What was packed, on `device`.
    fn unpack(parcel: Parcel, device: &Device) -> Result<Self>;
}

/// The network that a stage trains.
pub(crate) type ModelOf<S> = <<S as Stage>::Objective as Objective>::Model;
/// What the loss of a stage is computed from.
pub(crate) type BatchOf<S> = <<S as Stage>::Objective as Objective>::Batch;

/// An objective and what it learns from.
pub(crate) trait Stage: Sync {
    /// What is minimised.
    type Objective: Objective;
    /// Sizes and options that a resumed run must share.
    type Settings: Serialize + for<'de> Deserialize<'de>;

    /// What the stage is, apart from its data.
    fn spec(&self) -> &Spec<Self::Settings>;
    /// What is minimised.
    fn objective(&self) -> &Self::Objective;
    /// The clips of `draw`, on `device`.
    fn batch(&self, draw: Draw, device: &Device) -> Result<BatchOf<Self>>;
    /// Metrics on the validation split, [`held_out_metric`](Self::held_out_metric) among them;
    /// writes pictures to `dir`. `model` is without gradients, on `device`.
    fn validate(&self, model: &ModelOf<Self>, step: u64, dir: &Path, device: &Device) -> Result<Metrics>;

    /// The weights to begin with, under the names of this network, from those of a bundle or a run.
    /// `fresh` are the random weights of this network, for what the other lacks.
    fn adapt(&self, weights: StateDict, _fresh: &StateDict) -> StateDict {
        weights
    }

    /// `model` with the weights of a bundle or a run.
    fn load(&self, model: ModelOf<Self>, weights: StateDict) -> Result<ModelOf<Self>, WeightsError> {
        let name = &self.spec().parameter_name;
        let weights = self.adapt(weights, &collect_module(&model, name));
        load_module(model, &weights, name)
    }

    /// The averaged weights and what belongs to them, as a checkpoint offers them to other commands.
    fn export(&self, model: &ModelOf<Self>) -> StateDict {
        collect_module(model, &self.spec().parameter_name)
    }

    /// The held-out metric, the lower the better, by which a run is judged.
    fn held_out_metric(&self) -> &'static str {
        "loss"
    }

    /// Floating-point operations of learning a clip, forward and backward, where they are counted.
    fn flops_per_clip(&self, _model: &ModelOf<Self>) -> Option<u64> {
        None
    }

    /// The PSNRs of rebuilt frames and of frame 0 in their place, among the metrics, for a stage that rebuilds.
    fn psnrs(&self) -> Option<[&'static str; 2]> {
        None
    }

    /// The command that makes use of the finished `run`.
    fn next_command(&self, _run: &Path) -> Option<String> {
        None
    }
}

/// What a stage is, apart from its data.
pub(crate) struct Spec<S> {
    /// What the network is called in messages.
    pub(crate) name: &'static str,
    /// Sizes and options that a resumed run must share.
    pub(crate) settings: S,
    /// What it learns from: a resumed run must share this too.
    pub(crate) source: Source,
    pub(crate) optimizer: AdamConfig,
    /// The name of a parameter in checkpoints and bundles, from its path in the module.
    pub(crate) parameter_name: fn(&str) -> String,
}

/// A loss, with the terms that it is made of.
pub(crate) struct Loss {
    pub(crate) total: Tensor<1>,
    /// Without their weights.
    pub(crate) terms: Metrics<Tensor<1>>,
}

impl Loss {
    /// No loss yet.
    pub(crate) fn zero(device: &Device) -> Self {
        Self::from(Tensor::zeros([1], device))
    }

    /// Adds a term of this weight.
    pub(crate) fn add(&mut self, name: &'static str, term: Tensor<1>, weight: f64) {
        self.total = self.total.clone() + term.clone() * weight;
        self.terms.push((name, term));
    }

    /// Adds a whole loss and its terms.
    pub(crate) fn include(&mut self, other: Self) {
        self.total = self.total.clone() + other.total;
        self.terms.extend(other.terms);
    }
}

impl From<Tensor<1>> for Loss {
    /// A loss of one piece.
    fn from(total: Tensor<1>) -> Self {
        Self { total, terms: Metrics::new() }
    }
}

/// What comes of a part.
pub(crate) struct Outcome {
    /// The loss and its terms, divided by the number of parts.
    pub(crate) values: Terms,
    pub(crate) gradients: GradientsParams,
    /// What the forward pass made of the running statistics; of the first part only.
    pub(crate) statistics: Vec<TensorData>,
}

/// The part of a step that a loss is computed for: all that its draws depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Draw {
    pub(crate) seed: u64,
    pub(crate) step: u64,
    /// From 0, one of `parts` that make the step.
    pub(crate) part: usize,
    pub(crate) parts: usize,
}

impl Draw {
    /// The first part of `step`.
    pub(crate) fn of(seed: u64, step: u64, parts: usize) -> Self {
        Self { seed, step, part: 0, parts }
    }

    /// The draw whose [`index`](Self::index) is `index`.
    pub(crate) fn at(seed: u64, index: u64, parts: usize) -> Self {
        let (step, part) = (index / parts as u64, (index % parts as u64) as usize);
        Self { seed, step, part, parts }
    }

    /// Its place among the parts of all steps.
    pub(crate) fn index(self) -> u64 {
        self.step * self.parts as u64 + self.part as u64
    }

    /// Noise of this part alone.
    pub(crate) fn noise(self) -> NoiseSource {
        NoiseSource::new(self.seed ^ (self.index() + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    /// Noise that all parts of the step share.
    pub(crate) fn noise_of_step(self) -> NoiseSource {
        Self::of(self.seed, self.step, 1).noise()
    }
}
