//! Two training steps of stage 1 on drawn faces, in a loop of your own; `lfdm train lfae` is the complete training.
//!
//! `cargo run --release --features native --example train`

use std::path::Path;

use anyhow::Result;
use burn::{
    optim::{AdamConfig, GradientsParams, ModuleOptimizer},
    tensor::{Device, Tensor, TensorData},
};
use lfdm::{
    config::LfdmConfig,
    native::data::{ClipSet, Split},
    portrait::Portrait,
};

const STEPS: usize = 2;
const BATCH: usize = 2;

fn main() -> Result<()> {
    let size = 64;
    // Not a directory: the program draws the faces.
    let clips = ClipSet::open(Path::new("synthetic"), None, size, Split::Train)?;
    let config = LfdmConfig::faces_64(clips.labels().len());

    let device = Device::flex().autodiff();
    let mut model = config.lfae.init(&device);
    let mut optimizer: ModuleOptimizer = AdamConfig::new().init();
    for step in 0..STEPS {
        // The first frame of each clip, and the one where its expression is strongest.
        let people = step * BATCH..(step + 1) * BATCH;
        let source = frames(&clips, people.clone(), 0, &device)?;
        let driving = frames(&clips, people, clips.apex_frame(), &device)?;

        // Find the motion between the frames, then rebuild the second from the first and the motion.
        let motion = model.estimate_motion(source.clone(), driving.clone());
        let features = model.encode(source.clone());
        let decoded = model.decode(source, &features, &motion);
        let loss = (decoded.prediction - driving).abs().mean();
        println!("step {step}: loss {:.4}", loss.clone().into_scalar::<f32>());
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        model = optimizer.step(2e-4, model, gradients);
    }
    Ok(())
}

/// One frame of a clip of each person.
///
/// # Shapes
/// - returns `[people, 3, size, size]`, RGB in [0, 1]
fn frames(clips: &ClipSet, people: std::ops::Range<usize>, frame: usize, device: &Device) -> Result<Tensor<4>> {
    let size = 64;
    let mut pictures = Vec::new();
    for person in people {
        let label = person % clips.labels().len();
        let portrait = Portrait::from_rgba(size, size, &clips.clip(person, label).rgba(frame), [size; 2])?;
        let pixels = TensorData::new(portrait.pixels().to_vec(), [1, 3, size, size]);
        pictures.push(Tensor::from_data(pixels, device));
    }
    Ok(Tensor::cat(pictures, 0))
}
