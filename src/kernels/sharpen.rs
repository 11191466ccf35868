//! Occlusion at the resolution of a map, moved pixel by pixel.

use burn::tensor::Tensor;
use burn::tensor::activation::sigmoid;

use crate::tensor::{channels_first, resize};

/// `sigmoid(logit(occlusion) + shift)`, with the occlusion brought to the size of the shift and kept `margin` away from
/// 0 and 1, where its logit is infinite.
///
/// # Shapes
/// - `occlusion`: `[frames, 1, rows, columns]`
/// - `shift`: `[frames, height, width, 1]`
/// - result: `[frames, 1, height, width]` in (0, 1)
pub fn sharpen(occlusion: &Tensor<4>, shift: Tensor<4>, margin: f32) -> Tensor<4> {
    #[cfg(feature = "gpu")]
    if let Some(sharpened) = on_gpu(occlusion, &shift, margin) {
        return sharpened;
    }
    twin(occlusion, shift, margin)
}

/// [`sharpen`] in tensor operations, for any device and with gradients.
///
/// # Shapes
/// - as [`sharpen`]
pub fn twin(occlusion: &Tensor<4>, shift: Tensor<4>, margin: f32) -> Tensor<4> {
    let [_, height, width, _] = shift.dims();
    let occlusion = resize(occlusion.clone(), [height, width]).clamp(margin, 1.0 - margin);
    let logit = occlusion.clone().log() - (-occlusion + 1.0).log();
    sigmoid(logit + channels_first(shift))
}

/// [`sharpen`] on a WebGPU device, by `shaders/sharpen.wgsl`; `None` on any other.
#[cfg(feature = "gpu")]
fn on_gpu(occlusion: &Tensor<4>, shift: &Tensor<4>, margin: f32) -> Option<Tensor<4>> {
    use crate::kernels::gpu::{Shader, contiguous, elementwise, empty, tensor};

    let [frames, height, width, _] = shift.dims();
    let [_, _, rows, columns] = occlusion.dims();
    let (occlusion, shift) = (contiguous(occlusion)?, contiguous(shift)?);
    let output = empty(&shift, [frames, 1, height, width]);
    let count = frames * height * width;
    let (workgroups, invocations) = elementwise(count);
    let sizes = [height, width, rows, columns].map(|side| side as u32);
    let info = [count as u32, invocations, sizes[0], sizes[1], sizes[2], sizes[3], margin.to_bits()];
    let shader = Shader { name: "sharpen", source: include_str!("../../shaders/sharpen.wgsl"), numbers: Vec::new() };
    shader.launch(workgroups, &[&occlusion, &shift, &output], &info);
    Some(tensor(output))
}

#[cfg(all(test, feature = "gpu"))]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::kernels::gpu::tests::{difference, gpu, on};
    use crate::noise::NoiseSource;

    #[test]
    fn kernel_and_twin_agree_on_the_gpu() {
        let Some(gpu) = gpu() else { return };
        let cpu = Device::flex();
        let mut noise = NoiseSource::new(26);
        for (frames, grid, [height, width]) in [(2, [4, 6], [16, 40]), (3, [8, 8], [8, 8]), (1, [5, 3], [9, 7])] {
            let occlusion = sigmoid(noise.normal::<4>([frames, 1, grid[0], grid[1]], &cpu) * 4.0);
            let shift: Tensor<4> = noise.normal([frames, height, width, 1], &cpu);
            let Some(found) = on_gpu(&on(&gpu, &occlusion), &on(&gpu, &shift), 1e-3) else {
                panic!("the kernel did not run")
            };
            assert!(difference(found, twin(&occlusion, shift, 1e-3)) < 1e-5);
        }
    }
}
