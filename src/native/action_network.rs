//! The action network, which names the label of a clip and gives features to compare clips by.
//!
//! It is a small relative of R(2+1)D (Tran et al. 2018): convolutions inside frames alternate with
//! convolutions across frames.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{GroupNormConfig, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::activation::silu;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::diffusion::unet::ConvNorm;
use crate::kernels::{Convolution, group_norm};
use crate::tensor::{channels_first, channels_last};

/// Channels after the stem and after every block.
const WIDTHS: [usize; 4] = [32, 48, 96, 160];
const GROUPS: usize = 8;
/// Factor by which a side shrinks: the stem and every block halve it.
pub(crate) const REDUCTION: usize = 1 << WIDTHS.len();
/// Few, so that a covariance is estimated well from the few hundred clips of a validation split.
pub(crate) const FEATURES: usize = 64;

/// Sizes of an [`ActionNetwork`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ActionConfig {
    /// Side of the frames that it looks at, a multiple of 16.
    pub(crate) size: usize,
    /// Labels that it tells apart.
    pub(crate) labels: Vec<String>,
}

/// From a clip to its features and label.
#[derive(Module, Debug)]
pub(crate) struct ActionNetwork {
    stem: ConvNorm,
    blocks: Vec<Block>,
    /// Weight `[160 * (size / 16)^2, 64]`.
    embed: Linear,
    /// Weight `[64, labels]`.
    classify: Linear,
}

/// What the network makes of clips.
pub(crate) struct ActionOutput {
    /// `[batch, 64]`
    pub(crate) features: Tensor<2>,
    /// `[batch, labels]`
    pub(crate) logits: Tensor<2>,
}

impl ActionConfig {
    /// A network with random weights.
    pub(crate) fn init(&self, device: &Device) -> ActionNetwork {
        let cells = (self.size / REDUCTION).pow(2);
        // Expressions differ in shape rather than in length, so only the last two blocks shorten
        // the clip.
        let blocks = WIDTHS.windows(2).zip([1, 2, 2]);
        ActionNetwork {
            stem: halving([6, WIDTHS[0]], device),
            blocks: blocks.map(|(widths, stride)| Block::new([widths[0], widths[1]], stride, device)).collect(),
            embed: LinearConfig::new(WIDTHS[3] * cells, FEATURES).init(device),
            classify: LinearConfig::new(FEATURES, self.labels.len()).init(device),
        }
    }
}

impl ActionNetwork {
    /// # Shapes
    ///
    /// - `clips`: `[batch, frames, 3, size, size]`, RGB in `[0, 1]`
    pub(crate) fn forward(&self, clips: Tensor<5>) -> ActionOutput {
        let [batch, frames, channels, height, width] = clips.dims();
        // What moves is in the difference to frame 0, whoever the person is.
        let motion = (clips.clone() - clips.clone().narrow(1, 0, 1)) * 4.0;
        let x = Tensor::cat(vec![clips * 2.0 - 1.0, motion], 2);
        let x = channels_last(x.reshape([batch * frames, 2 * channels, height, width]));
        let x = within(&self.stem, x, batch);
        let x = channels_first(self.blocks.iter().fold(x, |x, block| block.forward(x, batch)));
        let [n, channels, height, width] = x.dims();
        let x = x.reshape([batch, n / batch, channels * height * width]).mean_dim(1);
        let features = self.embed.forward(x.reshape([batch, channels * height * width]));
        let logits = self.classify.forward(silu(features.clone()));
        ActionOutput { features, logits }
    }
}

/// A convolution inside frames that halves their sides, then one across frames.
#[derive(Module, Debug)]
struct Block {
    inside: ConvNorm,
    across: ConvNorm,
}

impl Block {
    /// A block that keeps every `stride`-th frame.
    fn new([from, to]: [usize; 2], stride: usize, device: &Device) -> Self {
        let across: Conv2d = Conv2dConfig::new([to, to], [3, 1])
            .with_stride([stride, 1])
            .with_padding(PaddingConfig2d::Explicit(1, 0, 1, 0))
            .init(device);
        Self {
            inside: halving([from, to], device),
            across: ConvNorm { proj: across, norm: GroupNormConfig::new(GROUPS, to).init(device) },
        }
    }

    /// # Shapes
    /// - `x`: `[batch * frames, height, width, from]`
    /// - returns `[batch * ceil(frames / stride), height / 2, width / 2, to]`
    fn forward(&self, x: Tensor<4>, batch: usize) -> Tensor<4> {
        let x = within(&self.inside, x, batch);
        let [n, height, width, channels] = x.dims();
        let x = Convolution::of(&self.across.proj).forward(x.reshape([batch, n / batch, height * width, channels]));
        let frames = x.dims()[1];
        let x = x.reshape([batch * frames, height, width, channels]);
        group_norm(&self.across.norm, &x, batch, None).apply(x, None)
    }
}

/// Convolution, group normalisation, SiLU.
///
/// # Shapes
/// - `x`: `[batch * frames, height, width, from]`
/// - returns `[batch * frames, height', width', to]`
fn within(ConvNorm { proj, norm }: &ConvNorm, x: Tensor<4>, batch: usize) -> Tensor<4> {
    let x = Convolution::of(proj).forward(x);
    group_norm(norm, &x, batch, None).apply(x, None)
}

/// A convolution that halves the sides.
fn halving([from, to]: [usize; 2], device: &Device) -> ConvNorm {
    ConvNorm {
        proj: Conv2dConfig::new([from, to], [3, 3])
            .with_stride([2, 2])
            .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
            .init(device),
        norm: GroupNormConfig::new(GROUPS, to).init(device),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Distribution, Tolerance};

    #[test]
    fn clips_of_any_length_are_judged_one_by_one() {
        let device = Device::flex();
        let labels = ["a", "b", "c"].map(str::to_owned).to_vec();
        let network = ActionConfig { size: 32, labels }.init(&device);
        for frames in [1, 5, 8] {
            let clips = Tensor::<5>::random([2, frames, 3, 32, 32], Distribution::Default, &device);
            let both = network.forward(clips.clone());
            assert_eq!((both.features.dims(), both.logits.dims()), ([2, FEATURES], [2, 3]));
            let second = network.forward(clips.narrow(0, 1, 1));
            let expected = both.features.narrow(0, 1, 1).into_data();
            second.features.into_data().assert_approx_eq::<f32>(&expected, Tolerance::absolute(1e-4));
        }
    }
}
