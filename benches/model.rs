//! What a video and a training step cost on the CPU, with the shapes of the shipped `faces-64` and random weights.
//!
//! `cargo bench --features native --bench model`; `-- --sample-count 3` for a short look.

use burn::{
    optim::{AdamConfig, GradientsParams, ModuleOptimizer},
    tensor::{Device, Tensor},
};
use divan::{Bencher, black_box};
use lfdm::{
    config::{LfdmConfig, ScheduleKind},
    diffusion::{DdimTimes, Denoiser, NoiseSchedule, Sampler},
    motion::Motion,
    noise::NoiseSource,
    tensor::pixel_grid,
};

const LABELS: usize = 7;

/// A time in the middle of the schedule; all times cost the same.
const TIME: usize = 500;

fn main() {
    divan::main();
}

/// Reference latent, condition and noisy motion of one video.
struct Inputs {
    latent: Tensor<4>,
    condition: Tensor<2>,
    motion: Tensor<5>,
}

impl Inputs {
    fn draw(batch: usize, config: &LfdmConfig, device: &Device) -> Self {
        let mut noise = NoiseSource::new(1);
        let [height, width] = config.diffused_size();
        let channels = config.diffusion.unet.diffused.channels();
        Self {
            latent: noise.normal([batch, config.latent_channels(), height, width], device),
            condition: noise.normal([batch, config.diffusion.unet.condition_dim], device),
            motion: noise.normal([batch, channels, config.frames, height, width], device),
        }
    }
}

/// One evaluation of the U-Net for a whole video; guidance other than 1 evaluates it twice.
#[divan::bench(args = [1.0, 2.0], sample_count = 10)]
fn unet_step(bencher: Bencher, guidance: f64) {
    let (config, device) = (LfdmConfig::faces_64(LABELS), Device::flex());
    let model = config.diffusion.init(config.latent_channels(), &device);
    let Inputs { latent, condition, motion } = Inputs::draw(1, &config, &device);
    let denoiser = Denoiser::new(&model, latent, condition, &[TIME], config.frames, guidance);
    bencher.bench(|| denoiser.predict(&motion, 0).into_data());
}

/// From one frame's flow and occlusion to its pixels.
#[divan::bench(sample_count = 10)]
fn decoded_frame(bencher: Bencher) {
    let (config, device) = (LfdmConfig::faces_64(LABELS), Device::flex());
    let generator = config.lfae.init_generator(&device).fold_batch_norm();
    let [height, width] = config.image_size;
    let image = NoiseSource::new(2).normal([1, 3, height, width], &device) * 0.15 + 0.5;
    let [rows, columns] = config.flow_size();
    let motion = Motion {
        flow: pixel_grid([rows, columns], &device).unsqueeze() * 0.9,
        occlusion: Tensor::full([1, 1, rows, columns], 0.7, &device),
    };
    let features = generator.encode(image.clone());
    bencher.bench(|| generator.decode(image.clone(), &features, &motion).prediction.into_data());
}

/// The coefficients of all steps, which are computed once per video.
#[divan::bench(args = [
    Sampler::Deis,
    Sampler::Unipc,
    Sampler::DpmSolverPp2m,
    Sampler::Consistency,
    Sampler::Ddim { eta: 0.0, times: DdimTimes::Trailing },
    Sampler::Ddpm,
])]
fn sampler_table(bencher: Bencher, sampler: Sampler) {
    let schedule = NoiseSchedule::new(ScheduleKind::Cosine, 1000);
    bencher.bench(|| sampler.updates(black_box(&schedule), 8));
}

/// A step of stage 2 for so many clips: loss, gradients, Adam.
#[divan::bench(args = [1, 8], sample_count = 5)]
fn training_step(bencher: Bencher, batch: usize) {
    let (config, device) = (LfdmConfig::faces_64(LABELS), Device::flex().autodiff());
    let mut model = config.diffusion.init(config.latent_channels(), &device);
    let mut optimizer: ModuleOptimizer = AdamConfig::new().init();
    let Inputs { latent, condition, motion } = Inputs::draw(batch, &config, &device);
    let noise = NoiseSource::new(3).normal(motion.dims(), &device);
    bencher.bench_local(|| {
        let loss = model.loss(
            motion.clone(),
            latent.clone(),
            condition.clone(),
            &vec![TIME; batch],
            noise.clone(),
            &vec![false; batch],
        );
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        model = optimizer.step(1e-4, model.clone(), gradients);
    });
}
