//! Convolutions on WebGPU: how they lie in memory, for `shaders/product.wgsl`.

use burn::tensor::Tensor;
use burn_wgpu::{CubeTensor, into_contiguous};

use super::{Activation, Convolution, DoublingConvolution};
use crate::kernels::gpu::product::{Product, Prologue, Spread, Weights};
use crate::kernels::gpu::{contiguous, on_gpu, tensor};

/// [`Convolution::forward`] on a WebGPU device; `None` on any other.
pub(super) fn launch(convolution: &Convolution, x: &Tensor<4>) -> Option<Tensor<4>> {
    let prologue = match (&convolution.prologue, &convolution.gated) {
        (None, None) => Prologue::None,
        (Some(affine), _) => Prologue::Input(affine.terms()?),
        (None, Some(affine)) => Prologue::Residual(affine.terms()?),
    };
    let residual = match &convolution.residual {
        None => None,
        Some(residual) => Some((contiguous(residual)?, residual.dims()[0])),
    };
    let [_, _, rows, columns] = convolution.weight.dims();
    let product = Product {
        kernel: [rows, columns],
        stride: convolution.stride,
        padding: convolution.padding,
        residual,
        prologue,
        ..product(x, &convolution.weight, convolution.bias.as_ref(), convolution.activation)?
    };
    Some(tensor(product.launch()))
}

/// [`DoublingConvolution::forward`] on a WebGPU device; `None` on any other.
pub(super) fn launch_doubling(convolution: &DoublingConvolution, x: &Tensor<4>) -> Option<Tensor<4>> {
    let product = match convolution {
        DoublingConvolution::Nearest(weight, bias, activation) => Product {
            kernel: [3, 3],
            padding: [1, 1],
            spread: Spread::Twice,
            ..product(x, weight, bias.as_ref(), *activation)?
        },
        DoublingConvolution::Transposed(weight, bias) => Product {
            kernel: [4, 4],
            padding: [2, 2],
            spread: Spread::Zeros,
            // Here the inputs come first.
            ..product(x, &weight.clone().swap_dims(0, 1), bias.as_ref(), Activation::Identity)?
        },
    };
    Some(tensor(product.launch()))
}

/// What both have in common.
fn product(x: &Tensor<4>, weight: &Tensor<4>, bias: Option<&Tensor<1>>, activation: Activation) -> Option<Product> {
    let bias = match bias {
        None => None,
        Some(bias) => Some(contiguous(bias)?),
    };
    let plain = Product::of_pixels(contiguous(x)?, x.dims(), weights(on_gpu(weight)?), weight.dims()[0]);
    Some(Product { bias, is_rectified: activation == Activation::Relu, ..plain })
}

/// Weights where they lie, even if they are some of the channels of others.
fn weights(weight: CubeTensor) -> Weights {
    let [_, _, _, width] = weight.meta.shape().dims();
    let is_dense = |weight: &CubeTensor| weight.meta.strides()[2..] == [width, 1];
    let tensor = if is_dense(&weight) { weight } else { into_contiguous(weight) };
    let strides = [tensor.meta.strides()[0], tensor.meta.strides()[1], 1];
    Weights { tensor, strides }
}
