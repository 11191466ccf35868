//! Inputs for the graphs and what our own networks make of them, to check a runtime by.

use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor, TensorData};

use super::super::networks::Networks;
use crate::{
    config::LfdmConfig, diffusion::Denoiser, motion::Motion, noise::NoiseSource, tensor::pixel_grid, weights::StateDict,
};

/// The same inputs for every export.
const SEED: u64 = 20;
/// How far the flow strays from rest; the image is 2 wide, and some of the flow leaves it.
const STRAY: f32 = 0.1;

/// Inputs and outputs of all three graphs under their names there, but for `reference`, which is
/// the encoder's to compute. `time` is a float here.
pub(super) fn compute(config: &LfdmConfig, networks: &Networks, tables: &StateDict, device: &Device) -> StateDict {
    let mut noise = NoiseSource::new(SEED);
    let mut example = StateDict::default();

    let [height, width] = config.image_size;
    let image = sigmoid(noise.normal([1, config.lfae.channels, height, width], device));
    let generator = networks.generator.clone().fold_batch_norm();
    let features = generator.encode(image.clone());
    insert(&mut example, "image", &image);
    for (level, features) in features.levels().iter().enumerate() {
        insert(&mut example, &format!("features_{level}"), features);
    }

    let (frames, [rows, columns]) = (config.diffused_frames(), config.diffused_size());
    let x = noise.normal([1, config.diffusion.unet.diffused.channels(), frames, rows, columns], device);
    let condition: Tensor<2> = match tables.tensor("conditions", device) {
        Ok(conditions) => conditions.narrow(0, 0, 1),
        Err(_) => Tensor::zeros([1, config.diffusion.unet.condition_dim], device),
    };
    let time = config.diffusion.timesteps / 2;
    let unguided = 1.0;
    let denoiser = Denoiser::new(&networks.diffusion, features.latent(), condition.clone(), &[time], frames, unguided);
    insert(&mut example, "x", &x);
    insert(&mut example, "condition", &condition);
    example.insert("time", TensorData::from([time as f32]));
    insert(&mut example, "output", &denoiser.predict(&x, 0));

    let [rows, columns] = config.flow_size();
    let rest = pixel_grid([rows, columns], device).unsqueeze::<4>();
    let motion = Motion {
        flow: rest + noise.normal([1, rows, columns, 2], device) * STRAY,
        occlusion: sigmoid(noise.normal([1, 1, rows, columns], device)),
    };
    let decoded = generator.decode(image, &features, &motion);
    insert(&mut example, "flow", &motion.flow);
    insert(&mut example, "occlusion", &motion.occlusion);
    insert(&mut example, "prediction", &decoded.prediction);
    example
}

fn insert<const D: usize>(example: &mut StateDict, name: &str, tensor: &Tensor<D>) {
    example.insert(name, tensor.to_data());
}
