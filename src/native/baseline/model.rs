//! A trained baseline, which generates clips as the whole model does.

use anyhow::{Context, Result, ensure};
use burn::tensor::{Device, Tensor, TensorData};

use super::{
    autoencoder::FrameAutoencoder,
    codec::FrameCodec,
    config::{BaselineConfig, COLOURS},
};
use crate::{
    condition::{ConditionTable, Contrast},
    diffusion::{DiffusionModel, Sampling},
    noise::NoiseSource,
    pipeline::{Portrait, Request},
    portrait::planar_to_rgba,
};

/// A trained baseline on a device, ready for any number of videos.
pub(crate) struct Baseline {
    config: BaselineConfig,
    model: DiffusionModel,
    codec: FrameCodec,
    conditions: ConditionTable,
    device: Device,
}

impl Baseline {
    /// A model in inference on `device`.
    pub(crate) fn new(
        config: BaselineConfig,
        labels: Vec<String>,
        model: DiffusionModel,
        codec: FrameCodec,
        device: &Device,
    ) -> Self {
        let conditions = ConditionTable::one_hot(labels, device);
        Self { config, model, codec: codec.fold_batch_norm(device), conditions, device: device.clone() }
    }

    /// Its sizes.
    pub(crate) fn config(&self) -> &BaselineConfig {
        &self.config
    }

    /// The labels that it knows.
    pub(crate) fn labels(&self) -> &[String] {
        self.conditions.labels()
    }

    /// The network that denoises.
    pub(crate) fn diffusion(&self) -> &DiffusionModel {
        &self.model
    }

    /// The auto-encoder whose latents are diffused, if there is one.
    pub(crate) fn autoencoder(&self) -> Option<&FrameAutoencoder> {
        self.codec.autoencoder()
    }

    /// The frames of a video that begins with `portrait`, each `size * size * 4` opaque RGBA bytes.
    pub(crate) fn generate(&self, portrait: &Portrait, request: &Request) -> Result<Vec<Vec<u8>>> {
        request.check()?;
        let BaselineConfig { size, frames, .. } = self.config;
        let reference = self.codec.encode(portrait_frame(portrait, size, &self.device)?);
        let [_, channels, height, width] = reference.dims();
        ensure!(request.contrast == Contrast::Null, "baselines know only the contrast `null`");
        let condition = self.conditions.vector(&request.strengths)?;

        let Request { sampler, steps, .. } = *request;
        let sampling = Sampling { sampler, steps, guidance: f64::from(request.guidance) };
        let x = self.model.sample(reference, condition, frames, sampling, &mut NoiseSource::new(request.seed));
        frames_to_rgba(self.codec.decode(x.permute([0, 2, 1, 3, 4]).reshape([frames, channels, height, width])))
    }
}

/// The portrait for a model of `size` pixels.
///
/// # Shapes
/// - result: `[1, 3, size, size]` in [0, 1]
pub(super) fn portrait_frame(portrait: &Portrait, size: usize, device: &Device) -> Result<Tensor<4>> {
    ensure!(portrait.size() == [size; 2], "the model takes {size}x{size} pixels, not {:?}", portrait.size());
    let pixels = TensorData::new(portrait.pixels().to_vec(), [1, COLOURS, size, size]);
    Ok(Tensor::from_data(pixels, device))
}

/// Generated frames as opaque RGBA bytes.
///
/// # Shapes
/// - `frames`: `[frames, 3, height, width]` in [0, 1]
pub(super) fn frames_to_rgba(frames: Tensor<4>) -> Result<Vec<Vec<u8>>> {
    let [_, colours, height, width] = frames.dims();
    let values: Vec<f32> = frames.try_into_data().context("the device failed; try the CPU")?.iter::<f32>().collect();
    ensure!(
        values.iter().all(|value| value.is_finite()),
        "the model produced values that are not numbers; try another seed, or train it again with a lower --lr"
    );
    Ok(values.chunks_exact(colours * height * width).map(planar_to_rgba).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        diffusion::{Sampler, is_denoiser, official_key},
        native::baseline::fixtures::{small_autoencoder, small_config},
        weights::{collect_module, load_module},
    };

    #[test]
    fn both_baselines_make_clips_from_what_they_store() {
        let device = Device::flex();
        let labels = ["smile", "frown"].map(str::to_owned).to_vec();
        for autoencoder in [None, Some(small_autoencoder())] {
            let config = small_config(autoencoder);
            config.check().unwrap();
            let codec = match &config.autoencoder {
                None => FrameCodec::pixels(),
                Some(small) => FrameCodec::latents(small.init(&device), [vec![0.25; 4], vec![2.0; 4]]),
            };
            let model = config.init(&device);
            let mut state = collect_module(&model, &official_key);
            state.merge(codec.to_state());

            let load = || load_module(config.init(&device), &state.clone().filter(is_denoiser), &official_key).unwrap();
            let reread = FrameCodec::from_state(config.autoencoder.as_ref(), &state, &device).unwrap();
            let portrait = Portrait::from_rgba(16, 16, &[40, 90, 200, 255].repeat(256), [16, 16]).unwrap();
            let request = Request {
                strengths: "frown".into(),
                seed: 3,
                steps: 2,
                guidance: 2.0,
                contrast: Contrast::Null,
                sampler: Sampler::default(),
            };
            let clip = |model, codec| {
                Baseline::new(config.clone(), labels.clone(), model, codec, &device).generate(&portrait, &request)
            };
            let frames = clip(model, codec).unwrap();
            assert_eq!(frames.iter().map(Vec::len).collect::<Vec<_>>(), [1024; 3]);
            // What was stored lies in memory in another order, and sums round differently.
            let again = clip(load(), reread.clone()).unwrap();
            let levels = frames.concat().into_iter().zip(again.concat()).map(|(a, b)| a.abs_diff(b)).max();
            assert!(levels <= Some(2), "{levels:?}");

            let unknown = Request { strengths: "wave".into(), ..request.clone() };
            let model = Baseline::new(config.clone(), labels.clone(), load(), reread, &device);
            assert!(model.generate(&portrait, &unknown).unwrap_err().to_string().contains("smile, frown"));
        }
    }
}
