//! Background motion predictor (MRAA, Sec. 3.4): one homography for everything outside the regions.

use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

use super::config::{BackgroundConfig, BackgroundMotion};
use super::hourglass::HourglassEncoder;
use crate::layers::Build;

/// Estimates the homography that maps the driving frame's background to the source's.
#[derive(Module, Debug)]
pub struct BackgroundMotionPredictor {
    /// Absent when the background stands still.
    network: Option<BackgroundNetwork>,
    #[module(skip)]
    motion: BackgroundMotion,
}

#[derive(Module, Debug)]
struct BackgroundNetwork {
    encoder: HourglassEncoder,
    fc: Linear,
}

impl BackgroundConfig {
    /// A predictor for images of `channels` channels, whose background stands still until it has learned.
    pub fn init(&self, channels: usize, device: &Device) -> BackgroundMotionPredictor {
        let at_rest: &[f32] = match self.motion {
            BackgroundMotion::Zero => &[],
            BackgroundMotion::Shift => &[0.0; 2],
            BackgroundMotion::Affine => &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
            BackgroundMotion::Perspective => &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0],
        };
        let network = (!at_rest.is_empty()).then(|| {
            let mut fc =
                LinearConfig::new(self.hourglass.channels_at(self.hourglass.blocks), at_rest.len()).build(device);
            // A new tensor carries no gradient unless it is asked to.
            fc.weight = fc.weight.map(|weight| weight.zeros_like().set_require_grad(weight.is_require_grad()));
            fc.bias = Some(Param::from_data(at_rest, device));
            BackgroundNetwork { encoder: self.hourglass.init_encoder(2 * channels, device), fc }
        });
        BackgroundMotionPredictor { network, motion: self.motion }
    }
}

impl BackgroundMotionPredictor {
    /// The homography that maps places of the driving frame's background to the source's.
    ///
    /// # Shapes
    /// - `source`, `driving`: `[batch, 3, height, width]` in [0, 1]
    /// - returns `[batch, 3, 3]`, acting on homogeneous (x, y, 1)
    pub fn forward(&self, source: Tensor<4>, driving: Tensor<4>) -> Tensor<3> {
        let [batch, _, _, _] = source.dims();
        let device = source.device();
        let identity = Tensor::<2>::eye(3, &device).unsqueeze::<3>().repeat_dim(0, batch);
        let Some(network) = &self.network else { return identity };

        let features = network.encoder.forward(Tensor::cat(vec![source, driving], 1)).pop();
        let Some(features) = features else { return identity };
        let pooled = features.mean_dim(3).mean_dim(2).flatten::<2>(1, 3);
        let numbers = network.fc.forward(pooled);
        let last_row = identity.clone().slice([0..batch, 2..3, 0..3]);
        match self.motion {
            BackgroundMotion::Zero => identity,
            BackgroundMotion::Shift => {
                let linear = identity.slice([0..batch, 0..2, 0..2]);
                let rows = Tensor::cat(vec![linear, numbers.reshape([batch, 2, 1])], 2);
                Tensor::cat(vec![rows, last_row], 1)
            }
            BackgroundMotion::Affine => Tensor::cat(vec![numbers.reshape([batch, 2, 3]), last_row], 1),
            BackgroundMotion::Perspective => {
                let rows = numbers.clone().slice([0..batch, 0..6]).reshape([batch, 2, 3]);
                let vanishing = numbers.slice([0..batch, 6..8]).reshape([batch, 1, 2]);
                let one = last_row.slice([0..batch, 0..1, 2..3]);
                Tensor::cat(vec![rows, Tensor::cat(vec![vanishing, one], 2)], 1)
            }
        }
    }

    pub(super) fn fold(self) -> Self {
        let network = self.network.map(|network| BackgroundNetwork { encoder: network.encoder.fold(), ..network });
        Self { network, ..self }
    }
}
