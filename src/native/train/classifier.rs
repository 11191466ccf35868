//! `lfdm train classifier`: the action network, whose verdicts and features `lfdm eval` reports.

use std::path::Path;

use anyhow::{Result, ensure};
use burn::grad_clipping::GradientClippingConfig;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::AdamConfig;
use burn::tensor::{Device, Int, Tensor, TensorData};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Figures, RunArgs, Stage, Terms};
use crate::native::action::{ActionConfig, ActionNetwork, Judgement, REDUCTION};
use crate::native::data::{ClipSet, Split, View};
use crate::noise::NoiseSource;
use crate::weights::{StateDict, WeightsError, collect_module, load_module};

/// Views of each person, every other one mirrored, and the largest enlargement among them.
const VIEWS: usize = 24;
const MAX_ZOOM: f32 = 1.4;
/// Clips per pass of a validation.
const VALIDATION_BATCH: usize = 14;

/// `lfdm train classifier`
#[derive(Debug, Clone, clap::Args)]
#[command(
    mut_arg("steps", |arg| arg.required(false).default_value("1500")),
    mut_arg("lr", |arg| arg.required(false).default_value("0.002")),
    mut_arg("batch", |arg| arg.default_value("16")),
    mut_arg("init", |arg| arg.hide(true)),
)]
pub struct Args {
    #[command(flatten)]
    pub run: RunArgs,
    /// Side of the frames that the network looks at; evaluation brings clips of any size to it.
    #[arg(long, default_value_t = 64)]
    pub size: usize,
}

/// What a checkpoint of the action network was trained with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    pub network: ActionConfig,
    pub batch: usize,
}

/// Trains the action network.
pub fn run(args: &Args) -> Result<()> {
    ensure!(args.run.init.is_none(), "a classifier learns from random weights; leave --init out");
    ensure!(
        args.size > 0 && args.size.is_multiple_of(REDUCTION),
        "--size must be a multiple of {REDUCTION}, 64 is a good one"
    );
    let [train, validation] =
        [Split::Train, Split::Val].map(|split| ClipSet::open(&args.run.data, None, args.size, split));
    let (train, validation) = (train?, validation?);
    ensure!(train.labels().len() > 1, "{} has one label, which needs no telling apart", args.run.data.display());
    let network = ActionConfig { size: args.size, labels: train.labels().to_vec() };
    let stage = ClassifierStage { train, validation, settings: Settings { network, batch: args.run.batch } };
    super::run(&stage, &args.run)
}

struct ClassifierStage {
    train: ClipSet,
    validation: ClipSet,
    settings: Settings,
}

impl Stage for ClassifierStage {
    type Model = ActionNetwork;
    type Settings = Settings;

    fn name(&self) -> &'static str {
        "action network"
    }

    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn adam(&self) -> AdamConfig {
        AdamConfig::new().with_grad_clipping(Some(GradientClippingConfig::Norm(1.0)))
    }

    fn init(&self, device: &Device) -> ActionNetwork {
        self.settings.network.init(device)
    }

    fn load(&self, model: ActionNetwork, weights: StateDict) -> Result<ActionNetwork, WeightsError> {
        load_module(model, &weights, &str::to_owned)
    }

    fn export(&self, model: &ActionNetwork) -> StateDict {
        collect_module(model, &str::to_owned)
    }

    fn loss(&self, model: &ActionNetwork, seed: u64, step: u64, device: &Device) -> (Tensor<1>, Terms) {
        let mut noise = NoiseSource::new(seed ^ (step + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let drawn: Vec<Drawn> = (0..self.settings.batch).map(|_| Drawn::draw(&self.train, &mut noise)).collect();
        let clips = clips(&self.train, &drawn, device);
        let labels = drawn.iter().map(|drawn| drawn.label);
        // Smoothed labels: a network that is sure of everything has features that say nothing but the label.
        (cross_entropy(model.forward(clips).logits, labels, Some(0.1)), Vec::new())
    }

    fn validate(&self, model: &ActionNetwork, _step: u64, _dir: &Path, device: &Device) -> Result<Figures> {
        let data = &self.validation;
        let all: Vec<Drawn> = (0..data.len())
            .flat_map(|subject| (0..data.labels().len()).map(move |label| (subject, label)))
            .map(|(subject, label)| Drawn::whole(data, subject, label))
            .collect();
        let (mut loss, mut right) = (0.0, 0);
        for some in all.chunks(VALIDATION_BATCH) {
            let Judgement { logits, .. } = model.forward(clips(data, some, device));
            let labels = some.iter().map(|drawn| drawn.label);
            let verdicts = logits.clone().argmax(1).try_into_data()?;
            right += verdicts.iter::<i64>().zip(labels.clone()).filter(|&(said, label)| said == label as i64).count();
            let mean: f32 = cross_entropy(logits, labels, None).into_scalar();
            loss += f64::from(mean) * some.len() as f64;
        }
        let count = all.len() as f64;
        Ok(vec![("loss", loss / count), ("accuracy", right as f64 / count)])
    }
}

/// A clip, as it is shown to the network.
struct Drawn {
    subject: usize,
    label: usize,
    view: View,
    /// Gain and offset of each colour.
    colours: [(f32, f32); 3],
    /// How much of the detail of single pixels is lost, 0 to 1: generated clips are softer than real ones.
    softness: f32,
}

impl Drawn {
    fn draw(data: &ClipSet, noise: &mut NoiseSource) -> Self {
        let (subject, label) = (noise.below(data.len()), noise.below(data.labels().len()));
        let view = data.views(subject, VIEWS, MAX_ZOOM)[noise.below(VIEWS)];
        let mut between = |low: f64, high: f64| (low + (high - low) * noise.uniform()) as f32;
        let (gain, offset) = (between(0.8, 1.2), between(-0.1, 0.1));
        let colours = [(); 3].map(|()| (gain * between(0.93, 1.07), offset));
        Self { subject, label, view, colours, softness: between(0.0, 1.0) }
    }

    fn whole(data: &ClipSet, subject: usize, label: usize) -> Self {
        Self { subject, label, view: data.close_up(1.0), colours: [(1.0, 0.0); 3], softness: 0.0 }
    }

    /// `[frames, 3, size, size]`
    fn pixels(&self, data: &ClipSet) -> Vec<f32> {
        let clip = data.clip(self.subject, self.label);
        let area = data.size() * data.size();
        let mut pixels = Vec::with_capacity(data.frames() * 3 * area);
        for index in 0..data.frames() {
            let mut frame = clip.frame_through(self.view, index);
            for (plane, (gain, offset)) in frame.chunks_exact_mut(area).zip(self.colours) {
                soften(plane, data.size(), self.softness);
                plane.iter_mut().for_each(|value| *value = (*value * gain + offset).clamp(0.0, 1.0));
            }
            pixels.extend(frame);
        }
        pixels
    }
}

/// Moves the pixels of every 2x2 square towards their mean.
fn soften(plane: &mut [f32], width: usize, softness: f32) {
    if softness == 0.0 {
        return;
    }
    for rows in plane.chunks_exact_mut(2 * width) {
        for x in (0..width).step_by(2) {
            let square = [x, x + 1, x + width, x + width + 1];
            let mean = square.iter().map(|&i| rows[i]).sum::<f32>() / 4.0;
            square.iter().for_each(|&i| rows[i] += softness * (mean - rows[i]));
        }
    }
}

/// # Shapes
/// - returns `[batch, frames, 3, size, size]`
fn clips(data: &ClipSet, drawn: &[Drawn], device: &Device) -> Tensor<5> {
    let pixels: Vec<f32> = drawn.par_iter().flat_map_iter(|drawn| drawn.pixels(data)).collect();
    let shape = [drawn.len(), data.frames(), 3, data.size(), data.size()];
    Tensor::from_data(TensorData::new(pixels, shape), device)
}

fn cross_entropy(logits: Tensor<2>, labels: impl Iterator<Item = usize>, smoothing: Option<f32>) -> Tensor<1> {
    let labels: Vec<i64> = labels.map(|label| label as i64).collect();
    let count = labels.len();
    let device = logits.device();
    let targets = Tensor::<1, Int>::from_data(TensorData::new(labels, [count]), &device);
    CrossEntropyLossConfig::new().with_smoothing(smoothing).init(&device).forward(logits, targets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::data::SYNTHETIC;

    #[test]
    fn softening_keeps_the_mean_of_a_square() {
        let mut plane = [0.0, 1.0, 0.2, 0.2, 0.0, 0.0, 0.2, 0.2];
        soften(&mut plane, 4, 0.5);
        assert_eq!(plane, [0.125, 0.625, 0.2, 0.2, 0.125, 0.125, 0.2, 0.2]);
    }

    #[test]
    fn a_step_repeats_and_steps_differ() {
        let device = Device::flex();
        let open = |split| ClipSet::open(Path::new(SYNTHETIC), None, 32, split).unwrap();
        let (train, validation) = (open(Split::Train), open(Split::Val));
        let network = ActionConfig { size: 32, labels: train.labels().to_vec() };
        let stage = ClassifierStage { train, validation, settings: Settings { network, batch: 2 } };
        let model = stage.init(&device);
        let loss = |step| stage.loss(&model, 1, step, &device).0.into_scalar::<f32>();
        assert_eq!(loss(3), loss(3));
        assert_ne!(loss(3), loss(4));
    }
}
