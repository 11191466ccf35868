//! Whole videos from a model, and what they cost.

use burn::tensor::Tensor;

use super::denoiser::{Denoiser, variants};
use super::model::DiffusionModel;
use super::samplers::{Sampler, Trajectory};
use crate::noise::NoiseSource;

/// How a video is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// The algorithm.
    pub sampler: Sampler,
    /// The number of steps, each of which evaluates the network once.
    pub steps: usize,
    /// The scale of classifier-free guidance; 1 turns it off.
    pub guidance: f64,
}

impl DiffusionModel {
    /// Draws `batch` videos at once.
    ///
    /// # Shapes
    /// - `latent`: `[batch, latent_channels, height, width]`, height and width of what is diffused
    /// - `condition`: `[batch, condition_dim]`
    /// - result: `[batch, channels, frames, height, width]`
    pub fn sample(
        &self,
        latent: Tensor<4>,
        condition: Tensor<2>,
        frames: usize,
        sampling: Sampling,
        noise: &mut NoiseSource,
    ) -> Tensor<5> {
        let Sampling { sampler, steps, guidance } = sampling;
        let (device, [batch, _, height, width]) = (latent.device(), latent.dims());
        let shape = [batch, self.denoise_fn.channels, frames, height, width];
        let mut trajectory = Trajectory::new(sampler.updates(self.schedule(), steps));
        let denoiser = Denoiser::new(self, latent, condition, &trajectory.times(), frames, guidance);
        let mut x = noise.normal(shape, &device);
        while !trajectory.is_done() {
            x = trajectory.step(&denoiser, x, || noise.normal(shape, &device));
        }
        x
    }

    /// Counts the floating-point operations of one denoising step of one video where this guidance
    /// applies: see [`Unet3d::flops_per_step`](super::Unet3d::flops_per_step).
    ///
    /// # Shapes
    /// - `grid`: `[height, width]` of what is diffused
    pub fn flops_per_step(&self, frames: usize, grid: [usize; 2], guidance: f64) -> u64 {
        self.denoise_fn.flops_per_step(frames, grid, variants(guidance))
    }
}
