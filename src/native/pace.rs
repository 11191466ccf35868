//! `lfdm pace`: what each network takes on this machine, for `cargo xtask bench`.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor, TensorData};

use super::device::DeviceArgs;
use super::generate::collect;
use super::networks::Networks;
use super::printable::say;
use crate::{
    bundle::{Bundle, Manifest, Part},
    diffusion::Denoiser,
    motion::Motion,
    noise::NoiseSource,
    pipeline::{Animator, Portrait, Request},
    tensor::pixel_grid,
};

/// Options of `lfdm pace`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Directory of the model: manifest.json and its weights.
    #[arg(long)]
    model: PathBuf,
    /// Runs of each network, after one that does not count.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..))]
    runs: u16,
    #[command(flatten)]
    device: DeviceArgs,
}

/// Sides of the matrices whose product says what the device can do: large enough for a GPU, small enough for a core.
const SIDE: usize = 1024;
/// Denoising steps of a clip.
const STEPS: usize = 8;

/// Prints a line for each network, for a clip and for a large product: what it does and the milliseconds of each run,
/// after a tab. Says at the end how near the U-Net comes to the product.
pub(crate) fn run(args: &Args) -> Result<()> {
    let (device, runs) = (args.device.open()?, usize::from(args.runs));
    let bundle = Bundle::open_parts(&args.model, &[Part::Generation])?;
    let Bundle { manifest: Manifest { config, .. }, weights } = bundle.clone();
    let Networks { generator, diffusion } = Networks::load(&config, &weights, &device)
        .with_context(|| format!("cannot use the model in {}", args.model.display()))?;
    let generator = generator.fold_batch_norm();

    let mut noise = NoiseSource::new(1);
    let [height, width] = config.image_size;
    let image = sigmoid(noise.normal([1, config.lfae.channels, height, width], &device));
    report("encoding", runs, || arrived(generator.encode(image.clone()).latent().into_data()))?;

    let features = generator.encode(image.clone());
    let (frames, [rows, columns]) = (config.diffused_frames(), config.diffused_size());
    let x = noise.normal([1, config.diffusion.unet.diffused.channels(), frames, rows, columns], &device);
    let condition = Tensor::zeros([1, config.diffusion.unet.condition_dim], &device);
    let (time, unguided) = (config.diffusion.timesteps / 2, 1.0);
    let denoiser = Denoiser::new(&diffusion, features.latent(), condition, &[time], frames, unguided);
    let pass = report("one pass", runs, || arrived(denoiser.predict(&x, 0).into_data()))?;

    let [rows, columns] = config.flow_size();
    let rest = pixel_grid([rows, columns], &device).unsqueeze::<4>();
    let motion = Motion {
        flow: rest + noise.normal([1, rows, columns, 2], &device) * 0.1,
        occlusion: sigmoid(noise.normal([1, 1, rows, columns], &device)),
    };
    report("decoded frame", runs, || {
        arrived(generator.decode(image.clone(), &features, &motion).prediction.into_data())
    })?;
    clips(bundle, &device, runs)?;

    let [left, right] = [0, 1].map(|_| noise.normal::<2>([SIDE, SIDE], &device));
    // One number is read: all of them would take as long on the way from a GPU.
    let of_product = || arrived(left.clone().matmul(right.clone()).slice([0..1, 0..1]).into_data());
    let product = report(&format!("product of {SIDE} x {SIDE} matrices"), runs, of_product)?;
    let operations = diffusion.flops_per_step(frames, config.diffused_size(), unguided);
    let [pass, product] = [operations as f64 / pass, 2.0 * SIDE.pow(3) as f64 / product].map(|rate| rate / 1e6);
    tracing::info!(
        "a pass is {:.2} GFLOP, {pass:.0} of them a second; the product does {product:.0}: {:.0} %",
        operations as f64 / 1e9,
        100.0 * pass / product
    );
    Ok(())
}

/// Reports whole clips.
fn clips(bundle: Bundle, device: &Device, runs: usize) -> Result<()> {
    let manifest = bundle.manifest.clone();
    let animator = Animator::load(bundle, device)?;
    let [height, width] = manifest.config.image_size;
    let portrait = Portrait::from_rgba(width, height, &vec![128; 4 * height * width], [height, width])?;
    let request = Request {
        strengths: manifest.labels[0].as_str().into(),
        seed: 1,
        steps: STEPS,
        guidance: manifest.default_guidance,
        contrast: manifest.default_contrast,
        sampler: manifest.default_sampler(),
    };
    let mut failure = None;
    report(&format!("clip of {STEPS} steps"), runs, || {
        let made = animator.generate(&portrait, &request).map_err(Into::into);
        failure = made.and_then(|generation| collect(generation, |_| {})).err().or(failure.take());
    })?;
    failure.map_or(Ok(()), Err)
}

/// Numbers that are there: those of a GPU arrive when somebody looks at them.
fn arrived(data: TensorData) -> Option<f32> {
    data.iter::<f32>().next()
}

/// Prints the milliseconds of each run of `work`, after one that does not count; returns the fewest.
fn report<T>(what: &str, runs: usize, mut work: impl FnMut() -> T) -> Result<f64> {
    work();
    let times: Vec<f64> = (0..runs)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    let words: Vec<String> = times.iter().map(|time| format!("{time:.3}")).collect();
    say(&format!("{what}\t{}", words.join(" ")))?;
    Ok(times.into_iter().fold(f64::INFINITY, f64::min))
}
