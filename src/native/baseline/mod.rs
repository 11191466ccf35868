//! The baselines of the paper: LFDM's U-Net over frames themselves (VDM, Ho et al. 2022) and over
//! the latents of frames (LDM, Rombach et al. 2022), given frame 0 and a label as LFDM is. They
//! exist to be measured beside it, and live outside the core.

mod autoencoder;

use anyhow::{Context, Result, ensure};
use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

pub use autoencoder::{AutoencoderConfig, FrameAutoencoder};

use crate::condition::ConditionTable;
use crate::config::{Diffused, DiffusionConfig};
use crate::diffusion::{DiffusionModel, Sampling};
use crate::noise::NoiseSource;
use crate::pipeline::{Portrait, Request};
use crate::portrait::planar_to_rgba;
use crate::weights::{StateDict, WeightsError, collect_module, load_module};

const AUTOENCODER: &str = "autoencoder";
const MEAN_KEY: &str = "frames.mean";
const STD_KEY: &str = "frames.std";
/// RGB.
const COLOURS: usize = 3;

/// Sizes of a baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaselineConfig {
    /// Side of a frame in pixels.
    pub size: usize,
    /// Frames per clip.
    pub frames: usize,
    /// Whose latents are diffused; pixels are without one.
    pub autoencoder: Option<AutoencoderConfig>,
    pub diffusion: DiffusionConfig,
}

impl BaselineConfig {
    /// `[channels, height, width]` of a frame as it is diffused.
    pub fn grid(&self) -> [usize; 3] {
        let side = self.size / self.reduction();
        [self.autoencoder.as_ref().map_or(COLOURS, |autoencoder| autoencoder.latent_channels), side, side]
    }

    /// Pixels per cell of what is diffused, each way.
    fn reduction(&self) -> usize {
        self.autoencoder.as_ref().map_or(1, AutoencoderConfig::reduction)
    }

    /// # Errors
    /// Sizes that do not fit together.
    pub(crate) fn check(&self) -> Result<()> {
        self.diffusion.validate()?;
        let unet = &self.diffusion.unet;
        let multiple = self.reduction() << unet.dim_mults.len().saturating_sub(1);
        ensure!(
            self.size > 0 && self.size.is_multiple_of(multiple),
            "frames of {0}x{0} pixels cannot be halved as often as the networks do; choose a multiple of {multiple}",
            self.size
        );
        let channels = self.grid()[0];
        ensure!(
            unet.diffused == Diffused::Channels(channels),
            "the U-Net must diffuse {channels} channels, and its configuration says {:?}",
            unet.diffused
        );
        Ok(())
    }

    /// The denoising network; its reference is frame 0 as it is diffused.
    pub(crate) fn init(&self, device: &Device) -> DiffusionModel {
        self.diffusion.init(self.grid()[0], device)
    }
}

/// Between frames and what is diffused of them: an affine map of pixels or of latents, per channel.
#[derive(Debug, Clone)]
pub(crate) struct FrameCodec {
    /// Pixels are diffused without one.
    autoencoder: Option<FrameAutoencoder>,
    /// Per channel.
    mean: Vec<f32>,
    std: Vec<f32>,
}

impl FrameCodec {
    /// RGB from [0, 1] to [-1, 1].
    pub(crate) fn pixels() -> Self {
        Self { autoencoder: None, mean: vec![0.5; COLOURS], std: vec![0.5; COLOURS] }
    }

    /// Latents by `mean` and deviation of each channel.
    pub(crate) fn latents(autoencoder: FrameAutoencoder, [mean, std]: [Vec<f32>; 2]) -> Self {
        Self { autoencoder: Some(autoencoder), mean, std }
    }

    pub(crate) fn from_state(
        config: Option<&AutoencoderConfig>,
        dict: &StateDict,
        device: &Device,
    ) -> Result<Self, WeightsError> {
        let autoencoder = config
            .map(|config| load_module(config.init(device), &dict.sub(AUTOENCODER), &str::to_owned))
            .transpose()?;
        let values = |key: &str| -> Result<Vec<f32>, WeightsError> {
            Ok(dict.tensor::<1>(key, &Device::flex())?.into_data().iter::<f32>().collect())
        };
        Ok(Self { autoencoder, mean: values(MEAN_KEY)?, std: values(STD_KEY)? })
    }

    /// Of a codec whose auto-encoder is not folded.
    pub(crate) fn to_state(&self) -> StateDict {
        let mut dict = StateDict::default();
        if let Some(autoencoder) = &self.autoencoder {
            dict = collect_module(autoencoder, &str::to_owned).prefixed(AUTOENCODER);
        }
        for (key, values) in [(MEAN_KEY, &self.mean), (STD_KEY, &self.std)] {
            dict.insert(key, TensorData::new(values.clone(), [values.len()]));
        }
        dict
    }

    pub(crate) fn autoencoder(&self) -> Option<&FrameAutoencoder> {
        self.autoencoder.as_ref()
    }

    /// The same map in inference on `device`.
    fn fold_batch_norm(self, device: &Device) -> Self {
        let autoencoder = self.autoencoder.map(|autoencoder| autoencoder.to_device(device).fold_batch_norm());
        Self { autoencoder, ..self }
    }

    /// A value of `channel`, of a pixel in [0, 1] or of a latent, as it is diffused.
    pub(crate) fn normalise(&self, channel: usize, value: f32) -> f32 {
        (value - self.mean[channel]) / self.std[channel]
    }

    /// # Shapes
    /// - `frames`: `[n, 3, height, width]` in [0, 1]
    /// - result: `[n, channels, grid height, grid width]`
    fn encode(&self, frames: Tensor<4>) -> Tensor<4> {
        let z = match &self.autoencoder {
            None => frames,
            Some(autoencoder) => autoencoder.encode(frames),
        };
        let [mean, std] = self.tables(&z.device());
        (z - mean) / std
    }

    /// # Shapes
    /// - `x`: `[n, channels, grid height, grid width]`
    /// - result: `[n, 3, height, width]` in [0, 1]
    fn decode(&self, x: Tensor<4>) -> Tensor<4> {
        let [mean, std] = self.tables(&x.device());
        let z = x * std + mean;
        match &self.autoencoder {
            None => z.clamp(0.0, 1.0),
            Some(autoencoder) => autoencoder.decode(z),
        }
    }

    /// Mean and deviation, `[1, channels, 1, 1]`.
    fn tables(&self, device: &Device) -> [Tensor<4>; 2] {
        [&self.mean, &self.std]
            .map(|values| Tensor::from_data(TensorData::new(values.clone(), [1, values.len(), 1, 1]), device))
    }
}

/// A trained baseline on a device, ready for any number of videos.
pub(crate) struct Baseline {
    config: BaselineConfig,
    model: DiffusionModel,
    codec: FrameCodec,
    conditions: ConditionTable,
    device: Device,
}

impl Baseline {
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

    pub(crate) fn config(&self) -> &BaselineConfig {
        &self.config
    }

    pub(crate) fn labels(&self) -> &[String] {
        self.conditions.labels()
    }

    /// The network that denoises.
    pub(crate) fn diffusion(&self) -> &DiffusionModel {
        &self.model
    }

    pub(crate) fn autoencoder(&self) -> Option<&FrameAutoencoder> {
        self.codec.autoencoder()
    }

    /// The frames of a video that begins with `portrait`, each `size * size * 4` opaque RGBA bytes.
    pub(crate) fn generate(&self, portrait: &Portrait, request: &Request) -> Result<Vec<Vec<u8>>> {
        request.check()?;
        let BaselineConfig { size, frames, .. } = self.config;
        ensure!(portrait.size() == [size; 2], "the model takes {size}x{size} pixels, not {:?}", portrait.size());
        let pixels = TensorData::new(portrait.pixels().to_vec(), [1, COLOURS, size, size]);
        let reference = self.codec.encode(Tensor::from_data(pixels, &self.device));
        let [_, channels, height, width] = reference.dims();
        let condition = self.conditions.vector(&request.label)?;

        let Request { sampler, steps, .. } = *request;
        let sampling = Sampling { sampler, steps, guidance: f64::from(request.guidance) };
        let x = self.model.sample(reference, condition, frames, sampling, &mut NoiseSource::new(request.seed));
        let frames = self.codec.decode(x.permute([0, 2, 1, 3, 4]).reshape([frames, channels, height, width]));
        let values: Vec<f32> =
            frames.try_into_data().context("the device failed; try the CPU")?.iter::<f32>().collect();
        ensure!(
            values.iter().all(|value| value.is_finite()),
            "the model produced values that are not numbers; try another seed, or train it again with a lower --lr"
        );
        Ok(values.chunks_exact(COLOURS * size * size).map(planar_to_rgba).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{LfdmConfig, Threshold};
    use crate::diffusion::{Sampler, is_denoiser, official_key};

    fn config(autoencoder: Option<AutoencoderConfig>) -> BaselineConfig {
        let mut diffusion = LfdmConfig::faces_64(2).diffusion;
        diffusion.unet.dim = 8;
        diffusion.unet.dim_mults = vec![1, 2];
        diffusion.threshold = Threshold::None;
        let mut config = BaselineConfig { size: 16, frames: 3, autoencoder, diffusion };
        config.diffusion.unet.diffused = Diffused::Channels(config.grid()[0]);
        config
    }

    fn small() -> AutoencoderConfig {
        AutoencoderConfig { block_expansion: 4, max_features: 8, ..AutoencoderConfig::default() }
    }

    #[test]
    fn both_baselines_make_clips_from_what_they_store() {
        let device = Device::flex();
        let labels = ["smile", "frown"].map(str::to_owned).to_vec();
        for autoencoder in [None, Some(small())] {
            let config = config(autoencoder);
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
            let request =
                Request { label: "frown".to_owned(), seed: 3, steps: 2, guidance: 2.0, sampler: Sampler::default() };
            let clip = |model, codec| {
                Baseline::new(config.clone(), labels.clone(), model, codec, &device).generate(&portrait, &request)
            };
            let frames = clip(model, codec).unwrap();
            assert_eq!(frames.iter().map(Vec::len).collect::<Vec<_>>(), [1024; 3]);
            // What was stored lies in memory in another order, and sums round differently.
            let again = clip(load(), reread.clone()).unwrap();
            let levels = frames.concat().into_iter().zip(again.concat()).map(|(a, b)| a.abs_diff(b)).max();
            assert!(levels <= Some(2), "{levels:?}");

            let unknown = Request { label: "wave".to_owned(), ..request.clone() };
            let model = Baseline::new(config.clone(), labels.clone(), load(), reread, &device);
            assert!(model.generate(&portrait, &unknown).unwrap_err().to_string().contains("smile, frown"));
        }
    }

    #[test]
    fn pixels_are_diffused_between_minus_one_and_one() {
        let device = Device::flex();
        let codec = FrameCodec::pixels();
        let frames = Tensor::<4>::from_data(TensorData::new(vec![0.0f32, 0.5, 1.0], [1, 3, 1, 1]), &device);
        let x = codec.encode(frames.clone());
        assert_eq!(x.clone().into_data().try_to_vec::<f32>().unwrap(), [-1.0, 0.0, 1.0]);
        assert_eq!([0.0, 0.5, 1.0].map(|value| codec.normalise(0, value)), [-1.0, 0.0, 1.0]);
        assert_eq!(codec.decode(x).into_data(), frames.into_data());
    }

    #[test]
    fn sizes_that_cannot_be_halved_are_refused() {
        let mut config = config(Some(small()));
        assert_eq!(config.grid(), [4, 4, 4]);
        config.size = 20;
        assert!(config.check().unwrap_err().to_string().contains("multiple of 8"));
    }
}
