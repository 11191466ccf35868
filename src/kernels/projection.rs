//! Products of rows with a matrix, as convolutions of single pixels.

use burn::tensor::Tensor;

use crate::kernels::{Convolution, otherwise};

/// `x * weight + bias` over the last axis.
///
/// # Shapes
/// - `x`: `[…, in]`
/// - `weight`: `[in, out]`, as a `Linear` has it
/// - `bias`: `[out]`
/// - result: `[…, out]`
pub fn project<const D: usize>(x: Tensor<D>, weight: &Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<D> {
    let [inputs, outputs] = weight.dims();
    let mut shape = x.dims();
    let pixels = [1, shape.iter().product::<usize>() / inputs, 1, inputs];
    shape[D - 1] = outputs;
    #[cfg(feature = "gpu")]
    if let Some(out) = on_gpu(&x.clone().reshape(pixels), weight, bias.as_ref()) {
        return out.reshape(shape);
    }
    // The kernel has outputs first.
    let matrix = weight.clone().transpose().unsqueeze_dims::<4>(&[2, 3]);
    if let Some(out) = Convolution::new(matrix, bias.clone()).on_cpu(&x.clone().reshape(pixels)) {
        return out.reshape(shape);
    }
    otherwise(|| twin(x, weight, bias))
}

/// [`project`] in tensor operations, for any device and with gradients.
///
/// # Shapes
/// - as [`project`]
pub fn twin<const D: usize>(x: Tensor<D>, weight: &Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<D> {
    let out = x.matmul(weight.clone().unsqueeze());
    match bias {
        None => out,
        Some(bias) => out + bias.unsqueeze(),
    }
}

/// [`project`] of single pixels on a WebGPU device, by `shaders/product.wgsl`; `None` on any other.
#[cfg(feature = "gpu")]
fn on_gpu(x: &Tensor<4>, weight: &Tensor<2>, bias: Option<&Tensor<1>>) -> Option<Tensor<4>> {
    use crate::kernels::gpu::product::{Product, rows};
    use crate::kernels::gpu::{contiguous, tensor};

    let bias = match bias {
        None => None,
        Some(bias) => Some(contiguous(bias)?),
    };
    let product = Product::of_pixels(contiguous(x)?, x.dims(), rows(weight)?, weight.dims()[1]);
    Some(tensor(Product { bias, ..product }.launch()))
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tolerance};

    use super::*;
    use crate::noise::NoiseSource;

    /// Rows, inputs and outputs.
    const CASES: [[usize; 3]; 4] = [[1, 7, 5], [40, 32, 3], [513, 16, 96], [3, 130, 1]];

    #[test]
    fn kernel_and_twin_agree() {
        let device = Device::flex();
        let mut noise = NoiseSource::new(31);
        for [rows, inputs, outputs] in CASES {
            let x: Tensor<3> = noise.normal([2, rows, inputs], &device);
            let bias: Tensor<1> = noise.normal([outputs], &device);
            // As it lies, and turned.
            let straight: Tensor<2> = noise.normal([inputs, outputs], &device);
            let turned = noise.normal::<2>([outputs, inputs], &device).transpose();
            for (weight, bias) in [(straight, None), (turned, Some(bias))] {
                let expected = twin(x.clone(), &weight, bias.clone()).into_data();
                project(x.clone(), &weight, bias)
                    .into_data()
                    .assert_approx_eq::<f32>(&expected, Tolerance::absolute(1e-4));
            }
        }
    }

    #[cfg(feature = "gpu")]
    #[test]
    fn kernel_and_twin_agree_on_the_gpu() {
        use crate::kernels::gpu::tests::{difference, gpu, on};

        let Some(gpu) = gpu() else { return };
        let cpu = Device::flex();
        let mut noise = NoiseSource::new(32);
        for [rows, inputs, outputs] in CASES {
            let x: Tensor<4> = noise.normal([1, rows, 1, inputs], &cpu);
            let weight = noise.normal::<2>([outputs, inputs], &cpu);
            let bias: Tensor<1> = noise.normal([outputs], &cpu);
            let found = on_gpu(&on(&gpu, &x), &on(&gpu, &weight).transpose(), Some(&on(&gpu, &bias)));
            let Some(found) = found else { panic!("the kernel did not run") };
            assert!(difference(found, twin(x, &weight.transpose(), Some(bias))) < 1e-4);
        }
    }
}
