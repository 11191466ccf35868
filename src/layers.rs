//! Layers before they have weights.
//!
//! Burn draws the weights of a new layer at random. A page always loads them, so there they begin as zeros: one of
//! burn's ways to draw needs its products of matrices, which nothing else there does, and which would make the module
//! half as large again.

use burn::module::{Param, RunningState};
use burn::nn::conv::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, GroupNorm, GroupNormConfig, Initializer, Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

/// Whether all weights will be loaded.
const IN_PAGE: bool = cfg!(target_family = "wasm");

/// What a layer is built from.
pub(crate) trait Build {
    /// The layer.
    type Layer;

    /// The layer with weights to be trained, or to be loaded.
    fn build(&self, device: &Device) -> Self::Layer;
}

fn zeros<const D: usize>(shape: [usize; D], device: &Device) -> Param<Tensor<D>> {
    Param::from_tensor(Tensor::zeros(shape, device))
}

/// Numbers from the normal distribution.
pub(crate) fn normal<const D: usize>(shape: [usize; D], device: &Device) -> Param<Tensor<D>> {
    if IN_PAGE { zeros(shape, device) } else { Initializer::Normal { mean: 0.0, std: 1.0 }.init(shape, device) }
}

impl Build for Conv2dConfig {
    type Layer = Conv2d;

    fn build(&self, device: &Device) -> Conv2d {
        if !IN_PAGE {
            return self.init(device);
        }
        let ([inputs, outputs], [rows, columns]) = (self.channels, self.kernel_size);
        Conv2d {
            weight: zeros([outputs, inputs / self.groups, rows, columns], device),
            bias: self.bias.then(|| zeros([outputs], device)),
            stride: self.stride,
            kernel_size: self.kernel_size,
            dilation: self.dilation,
            groups: self.groups,
            padding: self.padding.clone(),
        }
    }
}

impl Build for ConvTranspose2dConfig {
    type Layer = ConvTranspose2d;

    fn build(&self, device: &Device) -> ConvTranspose2d {
        if !IN_PAGE {
            return self.init(device);
        }
        let ([inputs, outputs], [rows, columns]) = (self.channels, self.kernel_size);
        ConvTranspose2d {
            weight: zeros([inputs, outputs / self.groups, rows, columns], device),
            bias: self.bias.then(|| zeros([outputs], device)),
            stride: self.stride,
            kernel_size: self.kernel_size,
            dilation: self.dilation,
            groups: self.groups,
            padding: self.padding,
            padding_out: self.padding_out,
            channels: self.channels,
        }
    }
}

impl Build for LinearConfig {
    type Layer = Linear;

    fn build(&self, device: &Device) -> Linear {
        if !IN_PAGE {
            return self.init(device);
        }
        let (weight, bias) = (zeros([self.d_input, self.d_output], device), zeros([self.d_output], device));
        Linear { weight, bias: self.bias.then_some(bias) }
    }
}

impl Build for GroupNormConfig {
    type Layer = GroupNorm;

    fn build(&self, device: &Device) -> GroupNorm {
        if !IN_PAGE {
            return self.init(device);
        }
        let learned = || self.affine.then(|| zeros([self.num_channels], device));
        GroupNorm {
            gamma: learned(),
            beta: learned(),
            num_groups: self.num_groups,
            num_channels: self.num_channels,
            epsilon: self.epsilon,
            affine: self.affine,
        }
    }
}

impl Build for BatchNormConfig {
    type Layer = BatchNorm;

    fn build(&self, device: &Device) -> BatchNorm {
        if !IN_PAGE {
            return self.init(device);
        }
        let values = || Tensor::zeros([self.num_features], device);
        BatchNorm {
            gamma: Param::from_tensor(values()),
            beta: Param::from_tensor(values()),
            training: Param::from_bool(true),
            running_mean: RunningState::new(values()),
            running_var: RunningState::new(values()),
            momentum: self.momentum,
            epsilon: self.epsilon,
        }
    }
}
