//! The convolutional blocks of the auto-encoder and their inference form. Maps are `[batch, height, width, channels]`.

use burn::module::{Module, Param, RunningState};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Initializer, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::module::{BatchNormTrainOutput, batch_norm_train};
use burn::tensor::{Device, Tensor};

use crate::kernels::{Affine, Convolution, DoublingConvolution, Gate, mean_pool};
use crate::layers::Build;
use crate::tensor::{channels_first, channels_last};

/// A `side` x `side` convolution that pads by `padding` on all sides.
pub fn conv(channels: [usize; 2], side: usize, padding: usize, device: &Device) -> Conv2d {
    Conv2dConfig::new(channels, [side, side])
        .with_padding(PaddingConfig2d::Explicit(padding, padding, padding, padding))
        .build(device)
}

/// A 3x3 convolution whose output is zero until it has learned.
pub(super) fn zero_conv(channels: [usize; 2], device: &Device) -> Conv2d {
    Conv2dConfig::new(channels, [3, 3])
        .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
        .with_initializer(Initializer::Zeros)
        .build(device)
}

/// Convolution, batch norm, ReLU.
///
/// `norm` is `None` once [`fold`](Self::fold) has moved it into the convolution.
#[derive(Module, Debug)]
pub struct ConvBlock {
    /// `[out, in, side, side]`
    pub conv: Conv2d,
    /// Over the `out` channels.
    pub norm: Option<BatchNorm>,
}

impl ConvBlock {
    /// A size-preserving block with a kernel of odd `side`.
    pub fn new(channels: [usize; 2], side: usize, device: &Device) -> Self {
        Self {
            conv: conv(channels, side, side / 2, device),
            norm: Some(BatchNormConfig::new(channels[1]).build(device)),
        }
    }

    /// `relu(norm(conv(x)))`
    ///
    /// # Shapes
    /// - `x`: `[batch, height, width, in]`
    /// - returns `[batch, height, width, out]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let conv = Convolution::of(&self.conv);
        match &self.norm {
            Some(norm) => norm_relu(norm, conv.forward(x)),
            None => conv.relu().forward(x),
        }
    }

    /// The same map in inference, without the norm.
    pub fn fold(self) -> Self {
        match self.norm {
            Some(norm) => Self { conv: fold_batch_norm(self.conv, &norm), norm: None },
            None => self,
        }
    }
}

/// [`ConvBlock`], then a 2x2 mean: the official `DownBlock2d`.
#[derive(Module, Debug)]
pub struct DownBlock {
    /// At full resolution.
    pub block: ConvBlock,
}

impl DownBlock {
    /// A block from `channels[0]` to `channels[1]` channels.
    pub fn new(channels: [usize; 2], device: &Device) -> Self {
        Self { block: ConvBlock::new(channels, 3, device) }
    }

    /// Halves the resolution.
    ///
    /// # Shapes
    /// - `x`: `[batch, height, width, in]`
    /// - returns `[batch, height / 2, width / 2, out]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        mean_pool(self.block.forward(x))
    }

    /// The same map in inference, without the norm.
    pub fn fold(self) -> Self {
        Self { block: self.block.fold() }
    }
}

/// Nearest-neighbour doubling, then [`ConvBlock`]: the official `UpBlock2d`.
#[derive(Module, Debug)]
pub struct UpBlock {
    /// At the doubled resolution.
    pub block: ConvBlock,
}

impl UpBlock {
    /// A block from `channels[0]` to `channels[1]` channels.
    pub fn new(channels: [usize; 2], device: &Device) -> Self {
        Self { block: ConvBlock::new(channels, 3, device) }
    }

    /// Doubles the resolution.
    ///
    /// # Shapes
    /// - `x`: `[batch, height, width, in]`
    /// - returns `[batch, 2 height, 2 width, out]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let ConvBlock { conv, norm } = &self.block;
        let conv = DoublingConvolution::nearest(conv);
        match norm {
            Some(norm) => norm_relu(norm, conv.forward(x)),
            None => conv.relu().forward(x),
        }
    }

    /// The same map in inference, without the norm.
    pub fn fold(self) -> Self {
        Self { block: self.block.fold() }
    }
}

/// Pre-activation residual block: the official `ResBlock2d`.
#[derive(Module, Debug)]
pub struct ResBlock {
    conv1: Conv2d,
    conv2: Conv2d,
    /// It precedes a ReLU, so no convolution can absorb it.
    norm1: BatchNorm,
    norm2: Option<BatchNorm>,
    /// Whether gain and bias of the first norm are all there is to it.
    #[module(skip)]
    is_folded: bool,
}

impl ResBlock {
    /// A block that keeps `channels` channels.
    pub fn new(channels: usize, device: &Device) -> Self {
        Self {
            conv1: conv([channels, channels], 3, 1, device),
            conv2: conv([channels, channels], 3, 1, device),
            norm1: BatchNormConfig::new(channels).build(device),
            norm2: Some(BatchNormConfig::new(channels).build(device)),
            is_folded: false,
        }
    }

    /// `x + conv2(relu(norm2(conv1(relu(norm1(x))))))`
    ///
    /// # Shapes
    /// - `x` and result: `[batch, height, width, channels]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let conv = Convolution::of(&self.conv1);
        let out = match self.entry() {
            Some(affine) => conv.after(affine).relu_if(self.norm2.is_none()).forward(x.clone()),
            None => conv.relu_if(self.norm2.is_none()).forward(norm_relu(&self.norm1, x.clone())),
        };
        let out = match &self.norm2 {
            Some(norm) => norm_relu(norm, out),
            None => out,
        };
        Convolution::of(&self.conv2).plus(x).forward(out)
    }

    /// The first norm and its ReLU as a scale and a shift, outside of training.
    fn entry(&self) -> Option<Affine> {
        if !self.is_folded {
            return affine(&self.norm1);
        }
        let [scale, shift] = [&self.norm1.gamma, &self.norm1.beta].map(|param| param.val().unsqueeze());
        Some(Affine { scale, shift, gate: Gate::Relu })
    }

    /// The same map in inference, without the second norm and with the first as a scale and a shift.
    pub fn fold(self) -> Self {
        let Some(Affine { scale, shift, .. }) = self.entry() else { return self };
        let conv1 = match &self.norm2 {
            Some(norm) => fold_batch_norm(self.conv1, norm),
            None => self.conv1,
        };
        let [gamma, beta] = [scale, shift].map(|term| Param::from_tensor(term.squeeze_dim(0)));
        Self { conv1, norm1: BatchNorm { gamma, beta, ..self.norm1 }, norm2: None, is_folded: true, ..self }
    }
}

/// `relu(norm(x))`
///
/// # Shapes
/// - `x` and result: `[batch, height, width, channels]`
fn norm_relu(norm: &BatchNorm, x: Tensor<4>) -> Tensor<4> {
    match affine(norm) {
        Some(affine) => affine.apply(x, None),
        None => learning_norm_relu(norm, x),
    }
}

/// [`norm_relu`] by the statistics of the batch, which it keeps.
fn learning_norm_relu(norm: &BatchNorm, x: Tensor<4>) -> Tensor<4> {
    #[cfg(feature = "native")]
    if let Some(affine) = learning_affine(norm, &x) {
        return affine.apply(x, None);
    }
    channels_last(relu(batch_norm(norm, channels_first(x))))
}

/// [`norm_relu`] as a scale and a shift by the statistics of the batch, which it keeps, where a kernel finds them.
#[cfg(feature = "native")]
fn learning_affine(norm: &BatchNorm, x: &Tensor<4>) -> Option<Affine> {
    let [mean, variance] = norm.training.is_enabled().then(|| crate::kernels::group_norm::statistics(x)).flatten()?;
    let [batch, height, width, _] = x.dims();
    keep_statistics(norm, mean.clone(), variance.clone(), batch * height * width);
    let scale = norm.gamma.val() / (variance + norm.epsilon).sqrt();
    let shift = norm.beta.val() - mean * scale.clone();
    Some(Affine { scale: scale.unsqueeze(), shift: shift.unsqueeze(), gate: Gate::Relu })
}

/// `norm(x)` with nothing after it: by its own statistics, or in training by those of the batch, which it keeps.
///
/// # Shapes
/// - `x` and result: `[batch, height, width, channels]`
#[cfg(feature = "native")]
pub(crate) fn norm(norm: &BatchNorm, x: Tensor<4>) -> Tensor<4> {
    match affine(norm).or_else(|| learning_affine(norm, &x)) {
        Some(Affine { scale, shift, .. }) => x * scale.unsqueeze() + shift.unsqueeze(),
        None => channels_last(batch_norm(norm, channels_first(x))),
    }
}

/// `relu(norm(x))` as a scale and a shift, which it is outside of training.
fn affine(norm: &BatchNorm) -> Option<Affine> {
    let mean = norm.running_mean.value_sync();
    if mean.device().is_autodiff() || norm.gamma.val().device().is_autodiff() {
        return None;
    }
    let scale = norm.gamma.val() / (norm.running_var.value_sync() + norm.epsilon).sqrt();
    let shift = norm.beta.val() - mean * scale.clone();
    Some(Affine { scale: scale.unsqueeze(), shift: shift.unsqueeze(), gate: Gate::Relu })
}

/// Batch norm in the tensor library's own order of axes.
fn batch_norm(norm: &BatchNorm, x: Tensor<4>) -> Tensor<4> {
    if !(x.device().is_autodiff() && norm.training.is_enabled()) {
        return norm.forward(x);
    }
    let [batch, _, height, width] = x.dims();
    let BatchNormTrainOutput { output, mean, variance } =
        batch_norm_train(x, norm.gamma.val(), norm.beta.val(), norm.epsilon);
    keep_statistics(norm, mean, variance, batch * height * width);
    output
}

/// Moves the running statistics towards those of a batch of `samples`. The running variance is the unbiased one, as in
/// PyTorch; burn's own layer keeps the batch's, too small by `1/n`.
fn keep_statistics(norm: &BatchNorm, mean: Tensor<1>, variance: Tensor<1>, samples: usize) {
    let samples = samples as f64;
    let blend = |running: &RunningState<Tensor<1>>, batch: Tensor<1>| {
        let moved = running.value_sync() * (1.0 - norm.momentum) + batch * norm.momentum;
        running.update(moved.detach());
    };
    blend(&norm.running_mean, mean.detach());
    blend(&norm.running_var, variance.detach() * (samples / (samples - 1.0).max(1.0)));
}

/// Scales a convolution's kernels and shifts its bias by the running statistics of the norm that follows it.
fn fold_batch_norm(mut conv: Conv2d, norm: &BatchNorm) -> Conv2d {
    let scale = norm.gamma.val() / (norm.running_var.value_sync() + norm.epsilon).sqrt();
    let shift = norm.beta.val() - norm.running_mean.value_sync() * scale.clone();
    let [out, _, _, _] = conv.weight.dims();
    conv.weight = conv.weight.map(|weight| weight * scale.clone().reshape([out, 1, 1, 1]));
    conv.bias = Some(match conv.bias {
        Some(bias) => bias.map(|bias| bias * scale + shift),
        None => Param::from_tensor(shift),
    });
    conv
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Distribution, Tolerance};

    /// A norm whose statistics and gains are all away from their initial values.
    fn shaken(norm: &mut BatchNorm, device: &Device) {
        let [channels] = norm.gamma.dims();
        let random = |low, high| Tensor::<1>::random([channels], Distribution::Uniform(low, high), device);
        norm.gamma = Param::from_tensor(random(0.5, 2.0));
        norm.beta = Param::from_tensor(random(-1.0, 1.0));
        norm.running_mean = burn::module::RunningState::new(random(-1.0, 1.0));
        norm.running_var = burn::module::RunningState::new(random(0.2, 3.0));
    }

    #[test]
    fn folding_changes_no_output() {
        let device = Device::flex();
        let x: Tensor<4> = Tensor::random([2, 8, 8, 4], Distribution::Normal(0.0, 1.0), &device);

        let mut block = ConvBlock::new([4, 6], 3, &device);
        block.norm.iter_mut().for_each(|norm| shaken(norm, &device));
        let expected = block.forward(x.clone()).into_data();
        let folded = block.fold();
        assert!(folded.norm.is_none());
        folded.forward(x.clone()).into_data().assert_approx_eq::<f32>(&expected, Tolerance::absolute(1e-5));

        let mut residual = ResBlock::new(4, &device);
        shaken(&mut residual.norm1, &device);
        residual.norm2.iter_mut().for_each(|norm| shaken(norm, &device));
        let expected = residual.forward(x.clone()).into_data();
        residual.fold().forward(x).into_data().assert_approx_eq::<f32>(&expected, Tolerance::absolute(1e-5));
    }
}
