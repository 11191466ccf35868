//! What every stage that denoises shares: its configuration, its optimiser, and how a batch is drawn.

use std::ops::Range;
use std::path::Path;

use anyhow::{Result, ensure};
use burn::grad_clipping::GradientClippingConfig;
use burn::optim::AdamConfig;
use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;

use super::parcel::Parcel;
use super::stage::{Cargo, Draw};
use crate::config::DiffusionConfig;
use crate::diffusion::DiffusionModel;
use crate::native::whole_file::read_json;
use crate::noise::NoiseSource;

/// A diffusion configuration as JSON.
pub(super) fn read_config(path: &Path) -> Result<DiffusionConfig> {
    read_json(path, "a diffusion configuration")
}

/// A given configuration takes the conditions that there are, which are `width` numbers each: as many as labels unless
/// these have vectors.
pub(super) fn check_conditions(config: &DiffusionConfig, labels: &[String], width: usize) -> Result<()> {
    let given = config.unet.condition_dim;
    let what = if width == labels.len() {
        format!("there are {width} labels")
    } else {
        format!("the labels have vectors of {width} numbers")
    };
    ensure!(given == width, "{what}, so `condition_dim` in the diffusion configuration must be {width}, not {given}");
    Ok(())
}

/// The optimiser of all that denoises.
pub(super) fn adam() -> AdamConfig {
    let clipping = GradientClippingConfig::Norm(1.0);
    AdamConfig::new().with_beta_1(0.9).with_beta_2(0.99).with_epsilon(1e-8).with_grad_clipping(Some(clipping))
}

/// Passes that learning costs: the backward one has two products for each of the forward one.
const PASSES_OF_LEARNING: u64 = 3;

/// Floating-point operations of learning a clip whose diffused `grid` is `[height, width]`.
pub(super) fn flops_of_learning(model: &DiffusionModel, frames: usize, grid: [usize; 2]) -> u64 {
    PASSES_OF_LEARNING * model.flops_per_step(frames, grid, 1.0)
}

/// Which clips of a set are learned at which times, and which of them without their condition.
pub(super) struct Choice {
    pub(super) clips: Vec<usize>,
    pub(super) times: Vec<usize>,
    pub(super) null: Vec<bool>,
    /// Numbers in `[0, 1)` for the other appearances of the clips' references; `None` for their own.
    pub(super) appearances: Vec<Option<f64>>,
}

impl Choice {
    /// The `rows` of a batch of `of` among `clips` clips, whose references appear as they are.
    pub(super) fn draw(
        diffusion: &DiffusionConfig,
        clips: usize,
        rows: Range<usize>,
        of: usize,
        noise: &mut NoiseSource,
    ) -> Self {
        let clips: Vec<usize> = (0..of).map(|_| noise.below(clips)).collect();
        // One time per stratum: the loss depends on the time far more than on the clip.
        let times: Vec<usize> = (0..of)
            .map(|i| (((i as f64 + noise.uniform()) / of as f64) * diffusion.timesteps as f64) as usize)
            .map(|time| time.min(diffusion.timesteps - 1))
            .collect();
        let null: Vec<bool> = (0..of).map(|_| diffusion.drops_condition(noise.uniform())).collect();
        Self {
            appearances: vec![None; rows.len()],
            clips: clips[rows.clone()].to_vec(),
            times: times[rows.clone()].to_vec(),
            null: null[rows].to_vec(),
        }
    }

    /// The `batch` rows that are this part of a step, among `clips` clips.
    pub(super) fn draw_part(diffusion: &DiffusionConfig, clips: usize, draw: Draw, batch: usize) -> Self {
        let rows = draw.part * batch..(draw.part + 1) * batch;
        Self::draw(diffusion, clips, rows, draw.parts * batch, &mut draw.noise_of_step())
    }
}

/// Clips with everything that is drawn for them.
pub(super) struct Batch {
    /// `[batch, channels, frames, height, width]`
    pub(super) x0: Tensor<5>,
    /// `[batch, channels, height, width]`
    pub(super) latents: Tensor<4>,
    /// `[batch, condition]`
    pub(super) condition: Tensor<2>,
    pub(super) times: Vec<usize>,
    pub(super) null: Vec<bool>,
    /// `[batch, channels, frames, height, width]`
    pub(super) noise: Tensor<5>,
}

impl Batch {
    /// The same batch on `device`.
    pub(super) fn on(self, device: &Device) -> Self {
        Self {
            x0: Tensor::from_data(self.x0.into_data(), device),
            latents: Tensor::from_data(self.latents.into_data(), device),
            condition: Tensor::from_data(self.condition.into_data(), device),
            noise: Tensor::from_data(self.noise.into_data(), device),
            ..self
        }
    }
}

impl Cargo for Batch {
    fn pack(self) -> Result<Parcel> {
        Ok(Parcel::new(&(self.times, self.null))?
            .with("x0", self.x0)
            .with("latents", self.latents)
            .with("condition", self.condition)
            .with("noise", self.noise))
    }

    fn unpack(mut parcel: Parcel, device: &Device) -> Result<Self> {
        let (times, null) = parcel.words()?;
        Ok(Self {
            x0: parcel.tensor("x0", device)?,
            latents: parcel.tensor("latents", device)?,
            condition: parcel.tensor("condition", device)?,
            times,
            null,
            noise: parcel.tensor("noise", device)?,
        })
    }
}

/// Numbers that pick other appearances for `batch` clips from the place `first` on, with this probability, as
/// [`noise_of_clips`] draws noise.
pub(super) fn appearances_of_clips(seed: u64, first: u64, batch: usize, probability: f64) -> Vec<Option<f64>> {
    let draw = |place: u64| {
        // Of a place that no noise comes from.
        let mut source = Draw::of(!seed, u64::MAX / 2 + place, 1).noise();
        let (chance, share) = (source.uniform(), source.uniform());
        (chance < probability).then_some(share)
    };
    (first..first + batch as u64).map(draw).collect()
}

/// Noise of clips from the place `first` on among all that are drawn for `seed`, on the host. Every
/// clip has noise of its own, so that several threads can draw it, and that it does not matter how
/// a step is divided.
///
/// # Shapes
/// - result: `[batch, channels, frames, height, width]`
pub(super) fn noise_of_clips(
    seed: u64,
    first: u64,
    [batch, frames]: [usize; 2],
    [channels, height, width]: [usize; 3],
) -> Tensor<5> {
    let host = Device::flex();
    let noise_of = |place: u64| -> Vec<f32> {
        // Of another seed than the choice, whose draws it would repeat.
        let mut source = Draw::of(!seed, place, 1).noise();
        source.normal([channels * frames * height * width], &host).into_data().iter::<f32>().collect()
    };
    let noise: Vec<f32> = (first..first + batch as u64).into_par_iter().flat_map_iter(noise_of).collect();
    Tensor::from_data(TensorData::new(noise, [batch, channels, frames, height, width]), &host)
}
