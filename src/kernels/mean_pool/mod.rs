//! Means over two by two pixels, in channels-last order.

mod cpu;

use burn::nn::pool::AvgPool2dConfig;
use burn::tensor::Tensor;

#[cfg(feature = "native")]
use crate::kernels::cpu::gradient::{Tracked, differentiable};
#[cfg(feature = "native")]
use crate::kernels::cpu::tensors::primitive;
use crate::kernels::cpu::tensors::{contiguous, elements, tensor};
use crate::tensor::{channels_first, channels_last};

/// Means over two by two pixels; what is left over on odd sides is dropped.
///
/// # Shapes
/// - `x`: `[images, height, width, channels]`
/// - returns `[images, height / 2, width / 2, channels]`
pub fn mean_pool(x: Tensor<4>) -> Tensor<4> {
    let dims = x.dims();
    let [images, height, width, channels] = dims;
    let half = [images, height / 2, width / 2, channels];
    if let Some(x) = contiguous(&x) {
        return tensor(cpu::mean_pool(elements(&x), dims), half);
    }
    #[cfg(feature = "native")]
    if let Some(tracked) = Tracked::new(&x) {
        let out = primitive(cpu::mean_pool(elements(&tracked.contiguous()), dims), half);
        return differentiable([&tracked], out, move |gradient, _| {
            [Some(primitive(cpu::gradient(elements(&gradient), dims), dims))]
        });
    }
    twin(x)
}

/// [`mean_pool`] in tensor operations, for any device and with gradients.
///
/// # Shapes
/// - as [`mean_pool`]
pub fn twin(x: Tensor<4>) -> Tensor<4> {
    channels_last(AvgPool2dConfig::new([2, 2]).with_strides([2, 2]).init().forward(channels_first(x)))
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tolerance};

    use super::*;
    use crate::noise::NoiseSource;

    #[test]
    fn kernel_and_twin_agree() {
        for shape in [[2, 4, 6, 3], [1, 5, 7, 20], [3, 2, 2, 1]] {
            let x: Tensor<4> = NoiseSource::new(15).normal(shape, &Device::flex());
            let expected = twin(x.clone()).into_data();
            assert_eq!(mean_pool(x.clone()).into_data().shape(), expected.shape());
            mean_pool(x).into_data().assert_approx_eq::<f32>(&expected, Tolerance::absolute(1e-6));
        }
    }

    #[cfg(feature = "native")]
    #[test]
    fn the_derivative_is_that_of_the_twin() {
        let device = Device::flex().autodiff();
        let mut noise = NoiseSource::new(16);
        let x = noise.normal::<4>([2, 5, 6, 3], &device).require_grad();
        let weights = noise.normal::<4>([2, 2, 3, 3], &device);
        let [kernel, expected] = [mean_pool(x.clone()), twin(x.clone())].map(|out| {
            let gradients = (out * weights.clone()).sum().backward();
            x.grad(&gradients).unwrap().into_data()
        });
        kernel.assert_approx_eq::<f32>(&expected, Tolerance::absolute(1e-6));
    }
}
