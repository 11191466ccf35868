//! `lfdm pace`: what each network takes on this machine, for `cargo xtask bench`.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};
use burn::tensor::activation::sigmoid;
use burn::tensor::{Tensor, TensorData};

use super::device::DeviceArgs;
use super::networks::Networks;
use crate::{
    bundle::{Bundle, Part},
    diffusion::Denoiser,
    motion::Motion,
    noise::NoiseSource,
    tensor::pixel_grid,
};

/// Options of `lfdm pace`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Directory of the model: manifest.json and its weights.
    #[arg(long)]
    model: PathBuf,
    /// Runs of each network, after one that does not count.
    #[arg(long, default_value_t = 8)]
    runs: usize,
    #[command(flatten)]
    device: DeviceArgs,
}

/// Prints a line for each network: what it does and the milliseconds of each run, after a tab.
pub(crate) fn run(args: &Args) -> Result<()> {
    let device = args.device.open()?;
    let Bundle { manifest, weights } = Bundle::open_parts(&args.model, &[Part::Generation])?;
    let config = manifest.config;
    let Networks { generator, diffusion } = Networks::load(&config, &weights, &device)
        .with_context(|| format!("cannot use the model in {}", args.model.display()))?;
    let generator = generator.fold_batch_norm();

    let mut noise = NoiseSource::new(1);
    let [height, width] = config.image_size;
    let image = sigmoid(noise.normal([1, config.lfae.channels, height, width], &device));
    report("encoding", args.runs, || generator.encode(image.clone()).latent().into_data());

    let features = generator.encode(image.clone());
    let (frames, [rows, columns]) = (config.diffused_frames(), config.diffused_size());
    let x = noise.normal([1, config.diffusion.unet.diffused.channels(), frames, rows, columns], &device);
    let condition = Tensor::zeros([1, config.diffusion.unet.condition_dim], &device);
    let (time, unguided) = (config.diffusion.timesteps / 2, 1.0);
    let denoiser = Denoiser::new(&diffusion, features.latent(), condition, &[time], frames, unguided);
    report("one pass", args.runs, || denoiser.predict(&x, 0).into_data());

    let [rows, columns] = config.flow_size();
    let rest = pixel_grid([rows, columns], &device).unsqueeze::<4>();
    let motion = Motion {
        flow: rest + noise.normal([1, rows, columns, 2], &device) * 0.1,
        occlusion: sigmoid(noise.normal([1, 1, rows, columns], &device)),
    };
    report("decoded frame", args.runs, || generator.decode(image.clone(), &features, &motion).prediction.into_data());
    Ok(())
}

fn report(what: &str, runs: usize, mut work: impl FnMut() -> TensorData) {
    work();
    let times: Vec<String> = (0..runs)
        .map(|_| {
            let start = Instant::now();
            work();
            format!("{:.3}", start.elapsed().as_secs_f64() * 1e3)
        })
        .collect();
    println!("{what}\t{}", times.join(" "));
}
