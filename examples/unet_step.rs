//! One step of the denoising U-Net of `faces-64`, with random weights, on the CPU.
//!
//! `cargo run --release --no-default-features --example unet_step`

use burn::tensor::Device;
use lfdm::{
    config::LfdmConfig,
    diffusion::{Denoise, Denoiser, Sampler, Trajectory},
    noise::NoiseSource,
};

fn main() {
    let labels = 7;
    let config = LfdmConfig::faces_64(labels);
    let device = Device::flex();
    let model = config.diffusion.init(config.latent_channels(), &device);

    // What stage 1 would make of a portrait, and the vector of a label.
    let mut noise = NoiseSource::new(7);
    let [height, width] = config.diffused_size();
    let latent = noise.normal([1, config.latent_channels(), height, width], &device);
    let condition = noise.normal([1, labels], &device);

    // Motion begins as noise: `[batch, channels, frames, height, width]`.
    let channels = config.diffusion.unet.diffused.channels();
    let shape = [1, channels, config.frames, height, width];
    let x = noise.normal(shape, &device);

    // The denoiser computes ahead what is the same in all steps; the trajectory walks the sampler's table.
    let mut trajectory = Trajectory::new(Sampler::default().updates(model.schedule(), 8));
    let denoiser = Denoiser::new(&model, latent, condition, &trajectory.times(), config.frames, 1.0);
    let clean = denoiser.denoise(&x, 0).x0;
    println!("at time {}, the network sees motion of shape {:?}", trajectory.times()[0], clean.dims());
    let x = trajectory.step(&denoiser, x, || noise.normal(shape, &device));
    println!("step {} of {} leads to {:?}", trajectory.taken(), trajectory.times().len(), x.dims());
}
