//! `lfdm train classifier`: the action network, whose verdicts and features `lfdm eval` reports.

use std::path::Path;

use anyhow::{Result, ensure};
use burn::grad_clipping::GradientClippingConfig;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::AdamConfig;
use burn::tensor::{Device, Int, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::args::RunArgs;
use super::parcel::Parcel;
use super::run;
use super::stage::{Cargo, Draw, Loss, Metrics, Objective, Spec, Stage};
use crate::config::{bounds::within, sizes::SIDES};
use crate::native::action_network::{ActionConfig, ActionNetwork, ActionOutput, REDUCTION};
use crate::native::checkpoint::Source;
use crate::native::data::{Augmentation, ClipBatch, ClipSet, Prefetch, Split, fingerprint_of};

/// Blurred, since generated clips are softer than real ones.
const AUGMENTATION: Augmentation = Augmentation { blur: 0.5, ..Augmentation::PLAIN };
/// Largest enlargement of a clip.
const MAX_ZOOM: f32 = 1.4;
/// Clips per pass of a validation.
const VALIDATION_BATCH: usize = 14;

/// `lfdm train classifier`
#[derive(Debug, Clone, clap::Args)]
#[command(
    mut_arg("steps", |arg| arg.required(false).default_value("420")),
    mut_arg("lr", |arg| arg.required(false).default_value("0.002")),
    mut_arg("batch", |arg| arg.default_value("16")),
)]
pub(crate) struct Args {
    #[command(flatten)]
    run: RunArgs,
    /// Side in pixels of the frames that the network looks at; evaluation resizes clips to it.
    #[arg(long, value_name = "SIDE", default_value_t = 64)]
    size: usize,
    /// Frames of each clip, evenly spaced. Best are as many as the model to be measured makes
    /// [default: as many as the shortest clip has]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    frames: Option<u16>,
}

/// What a checkpoint of the action network was trained with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) network: ActionConfig,
    batch: usize,
    accumulate: u16,
    /// Frames of each clip that it looks at, if not all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    frames: Option<u16>,
}

/// Trains the action network.
pub(crate) fn run(args: &Args) -> Result<()> {
    within("--size", args.size, &SIDES)?;
    ensure!(args.size.is_multiple_of(REDUCTION), "--size must be a multiple of {REDUCTION}; 64 is a good choice");
    let claim = args.run.claim()?;
    let RunArgs { reading, data, batch, accumulate, seed, .. } = &args.run;
    let open = |split| reading.open(data, None, args.size, args.frames.map(usize::from), split);
    let train = open(Split::Train)?;
    ensure!(train.labels().len() > 1, "{} has a single label, so there is nothing to tell apart", data.display());
    let validation = open(Split::Val)?.with_labels(train.labels())?;
    let network = ActionConfig { size: args.size, labels: train.labels().to_vec() };
    let settings = Settings { network, batch: *batch, accumulate: *accumulate, frames: args.frames };
    let (batch, seed) = (*batch, *seed);
    let data = fingerprint_of([&train, &validation]);
    let train =
        Prefetch::new(args.run.ahead(), move |index| train.clip_batch(&AUGMENTATION, MAX_ZOOM, batch, seed, index));
    let objective = ClassifierObjective(settings.network.clone());
    run::run(&ClassifierStage { spec: spec(settings, data), objective, train, validation }, &args.run, None, claim)
}

fn spec(settings: Settings, data: String) -> Spec<Settings> {
    let optimizer = AdamConfig::new().with_grad_clipping(Some(GradientClippingConfig::Norm(1.0)));
    let source = Source { data, ..Source::default() };
    Spec { name: "action network", settings, source, optimizer, parameter_name: str::to_owned }
}

struct ClassifierStage {
    spec: Spec<Settings>,
    objective: ClassifierObjective,
    /// By [`Draw::index`], for the seed of the run.
    train: Prefetch<ClipBatch>,
    validation: ClipSet,
}

impl Stage for ClassifierStage {
    type Objective = ClassifierObjective;
    type Settings = Settings;

    fn spec(&self) -> &Spec<Settings> {
        &self.spec
    }

    fn objective(&self) -> &ClassifierObjective {
        &self.objective
    }

    fn batch(&self, draw: Draw, device: &Device) -> Result<Batch> {
        Ok(Batch::new(self.train.get(draw.index()), device))
    }

    fn validate(&self, model: &ActionNetwork, _step: u64, _dir: &Path, device: &Device) -> Result<Metrics> {
        let (mut loss, mut right) = (0.0, 0);
        for batch in self.validation.clip_batches(VALIDATION_BATCH) {
            let count = batch.labels.len() as f64;
            let Batch { clips, labels } = Batch::new(batch, device);
            let labels = on(labels, device);
            let ActionOutput { logits, .. } = model.forward(clips);
            let verdicts = logits.clone().argmax(1).reshape([-1]);
            right += verdicts.equal(labels.clone()).int().sum().into_scalar::<i64>();
            loss += count * f64::from(cross_entropy(logits, labels, None).into_scalar::<f32>());
        }
        let count = self.validation.clip_count() as f64;
        Ok(vec![("loss", loss / count), ("accuracy", right as f64 / count)])
    }

    fn next_command(&self, run: &Path) -> Option<String> {
        Some(format!("lfdm eval --model MODEL --data DATA --classifier {} --out report.json", run.display()))
    }
}

/// What the action network minimises.
pub(super) struct ClassifierObjective(ActionConfig);

impl Objective for ClassifierObjective {
    type Model = ActionNetwork;
    type Batch = Batch;
    const NAME: &'static str = "classifier";

    fn init(&self, device: &Device) -> ActionNetwork {
        self.0.init(device)
    }

    fn loss(&self, model: &ActionNetwork, Batch { clips, labels }: Batch, _draw: Draw, device: &Device) -> Loss {
        // Smoothed labels: a network that is sure of everything has features that say nothing but
        // the label.
        cross_entropy(model.forward(clips).logits, on(labels, device), Some(0.1)).into()
    }

    fn pack(&self) -> Result<Parcel> {
        Parcel::new(&self.0)
    }

    fn unpack(parcel: Parcel, _device: &Device) -> Result<Self> {
        let config: ActionConfig = parcel.words()?;
        within("the side", config.size, &SIDES)?;
        Ok(Self(config))
    }
}

/// Clips and what they show.
pub(super) struct Batch {
    /// `[batch, frames, 3, size, size]`
    clips: Tensor<5>,
    labels: Vec<i64>,
}

impl Batch {
    fn new(batch: ClipBatch, device: &Device) -> Self {
        let ClipBatch { frames, size, pixels, labels } = batch;
        let shape = [labels.len(), frames, 3, size, size];
        Self {
            clips: Tensor::from_data(TensorData::new(pixels, shape), device),
            labels: labels.into_iter().map(|label| label as i64).collect(),
        }
    }
}

impl Cargo for Batch {
    fn pack(self) -> Result<Parcel> {
        Ok(Parcel::new(&self.labels)?.with("clips", self.clips))
    }

    fn unpack(mut parcel: Parcel, device: &Device) -> Result<Self> {
        Ok(Self { labels: parcel.words()?, clips: parcel.tensor("clips", device)? })
    }
}

fn on(labels: Vec<i64>, device: &Device) -> Tensor<1, Int> {
    let count = labels.len();
    Tensor::from_data(TensorData::new(labels, [count]), device)
}

fn cross_entropy(logits: Tensor<2>, labels: Tensor<1, Int>, smoothing: Option<f32>) -> Tensor<1> {
    CrossEntropyLossConfig::new().with_smoothing(smoothing).init(&logits.device()).forward(logits, labels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::data::SYNTHETIC;

    #[test]
    fn a_step_repeats_and_steps_and_parts_differ() {
        let device = Device::flex();
        let validation = ClipSet::open(Path::new(SYNTHETIC), None, 32, Split::Val).unwrap();
        let network = ActionConfig { size: 32, labels: validation.labels().to_vec() };
        let settings = Settings { network, batch: 2, accumulate: 2, frames: None };
        let train = ClipSet::open(Path::new(SYNTHETIC), None, 32, Split::Train).unwrap();
        let train = Prefetch::new(1, move |index| train.clip_batch(&AUGMENTATION, MAX_ZOOM, 2, 1, index));
        let objective = ClassifierObjective(settings.network.clone());
        let stage = ClassifierStage { spec: spec(settings, String::new()), objective, train, validation };
        let model = stage.objective().init(&device);
        let loss = |step, part| {
            let draw = Draw { part, ..Draw::of(1, step, 2) };
            stage
                .objective()
                .loss(&model, stage.batch(draw, &device).unwrap(), draw, &device)
                .total
                .into_scalar::<f32>()
        };
        assert_eq!(loss(3, 1), loss(3, 1));
        assert_ne!(loss(3, 0), loss(3, 1));
        assert_ne!(loss(3, 0), loss(4, 0));
    }
}
