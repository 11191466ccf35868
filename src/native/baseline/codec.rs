//! Between frames and what a baseline diffuses of them.

use burn::{
    module::Module,
    tensor::{Device, Tensor, TensorData},
};

use super::{
    autoencoder::{AutoencoderConfig, FrameAutoencoder},
    config::COLOURS,
};
use crate::weights::{StateDict, WeightsError, collect_module, load_module};

const AUTOENCODER: &str = "autoencoder";
const MEAN_KEY: &str = "frames.mean";
const STD_KEY: &str = "frames.std";

/// The map between frames and what is diffused of them: affine per channel, of pixels or of latents.
#[derive(Debug, Clone)]
pub(crate) struct FrameCodec {
    /// `None` if pixels are diffused.
    autoencoder: Option<FrameAutoencoder>,
    /// Per channel, like the standard deviation.
    mean: Vec<f32>,
    std: Vec<f32>,
}

impl FrameCodec {
    /// The codec of pixels: RGB from [0, 1] to [-1, 1].
    pub(crate) fn pixels() -> Self {
        Self { autoencoder: None, mean: vec![0.5; COLOURS], std: vec![0.5; COLOURS] }
    }

    /// The codec of latents, which get mean 0 and deviation 1 in every channel.
    pub(crate) fn latents(autoencoder: FrameAutoencoder, [mean, std]: [Vec<f32>; 2]) -> Self {
        Self { autoencoder: Some(autoencoder), mean, std }
    }

    /// The codec that [`Self::to_state`] has stored.
    ///
    /// # Errors
    /// Weights that are missing or do not fit.
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

    /// Weights to store, with the auto-encoder's batch norms, which must not be folded yet.
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

    /// The auto-encoder whose latents are diffused, if there is one.
    pub(crate) fn autoencoder(&self) -> Option<&FrameAutoencoder> {
        self.autoencoder.as_ref()
    }

    /// The same map in inference on `device`.
    pub(super) fn fold_batch_norm(self, device: &Device) -> Self {
        let autoencoder = self.autoencoder.map(|autoencoder| autoencoder.to_device(device).fold_batch_norm());
        Self { autoencoder, ..self }
    }

    /// A value of a pixel in [0, 1] or of a latent, as it is diffused.
    pub(crate) fn normalise(&self, channel: usize, value: f32) -> f32 {
        (value - self.mean[channel]) / self.std[channel]
    }

    /// Frames as they are diffused.
    ///
    /// # Shapes
    ///
    /// - `frames`: `[n, 3, height, width]` in [0, 1]
    /// - returns `[n, channels, grid height, grid width]`
    pub(super) fn encode(&self, frames: Tensor<4>) -> Tensor<4> {
        let z = match &self.autoencoder {
            None => frames,
            Some(autoencoder) => autoencoder.encode(frames),
        };
        let [mean, std] = self.tables(&z.device());
        (z - mean) / std
    }

    /// Frames from what was diffused.
    ///
    /// # Shapes
    ///
    /// - `x`: `[n, channels, grid height, grid width]`
    /// - returns `[n, 3, height, width]` in [0, 1]
    pub(super) fn decode(&self, x: Tensor<4>) -> Tensor<4> {
        let [mean, std] = self.tables(&x.device());
        let z = x * std + mean;
        match &self.autoencoder {
            None => z.clamp(0.0, 1.0),
            Some(autoencoder) => autoencoder.decode(z),
        }
    }

    /// Mean and deviation of each channel, `[1, channels, 1, 1]`.
    fn tables(&self, device: &Device) -> [Tensor<4>; 2] {
        [&self.mean, &self.std]
            .map(|values| Tensor::from_data(TensorData::new(values.clone(), [1, values.len(), 1, 1]), device))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
