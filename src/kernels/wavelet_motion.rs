//! Motion from normalised wavelets.

use burn::tensor::Tensor;

use crate::motion::Motion;
use crate::tensor::inverse_haar;

/// Planes of motion times bands of wavelets.
const CHANNELS: usize = 12;

/// The motion whose wavelets over the grid are `x * deviation + mean`: those of flow x and y, band by band, then those
/// of the occlusion, which is clamped to [0, 1].
///
/// # Shapes
/// - `x`: `[frames, 12, rows, columns]`
/// - `mean`: `[12, rows, columns]`
/// - `deviation`: `[12]`
/// - result: motion of `frames` frames with twice as many rows and columns
pub fn wavelet_motion(x: Tensor<4>, mean: &Tensor<3>, deviation: &Tensor<1>) -> Motion {
    #[cfg(feature = "gpu")]
    if let Some(motion) = on_gpu(&x, mean, deviation) {
        return motion;
    }
    twin(x, mean, deviation)
}

/// [`wavelet_motion`] in tensor operations, for any device and with gradients.
///
/// # Shapes
/// - as [`wavelet_motion`]
pub fn twin(x: Tensor<4>, mean: &Tensor<3>, deviation: &Tensor<1>) -> Motion {
    let z = x * deviation.clone().reshape([1, CHANNELS, 1, 1]) + mean.clone().unsqueeze::<4>();
    let flow = inverse_haar(z.clone().narrow(1, 0, CHANNELS * 2 / 3));
    let occlusion = inverse_haar(z.narrow(1, CHANNELS * 2 / 3, CHANNELS / 3));
    Motion { flow: flow.permute([0, 2, 3, 1]), occlusion: occlusion.clamp(0.0, 1.0) }
}

/// [`wavelet_motion`] on a WebGPU device, by `shaders/motion.wgsl`; `None` on any other.
#[cfg(feature = "gpu")]
fn on_gpu(x: &Tensor<4>, mean: &Tensor<3>, deviation: &Tensor<1>) -> Option<Motion> {
    use crate::kernels::gpu::{Shader, contiguous, elementwise, empty, tensor};

    let [frames, _, rows, columns] = x.dims();
    // As the clip lies already: all frames of a channel in a row.
    let x = contiguous(&x.clone().swap_dims(0, 1))?;
    let (mean, deviation) = (contiguous(mean)?, contiguous(deviation)?);
    let flow = empty(&x, [frames, 2 * rows, 2 * columns, 2]);
    let occlusion = empty(&x, [frames, 1, 2 * rows, 2 * columns]);
    let count = frames * 4 * rows * columns;
    let (workgroups, invocations) = elementwise(count);
    let info = [frames as u32, rows as u32, columns as u32, count as u32, invocations];
    let shader = Shader { name: "motion", source: include_str!("../../shaders/motion.wgsl"), numbers: Vec::new() };
    shader.launch(workgroups, &[&x, &mean, &deviation, &flow, &occlusion], &info);
    Some(Motion { flow: tensor(flow), occlusion: tensor(occlusion) })
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
        let mut noise = NoiseSource::new(27);
        for (frames, rows, columns) in [(1, 2, 3), (5, 8, 6)] {
            let x: Tensor<4> = noise.normal([frames, CHANNELS, rows, columns], &cpu);
            let mean: Tensor<3> = noise.normal([CHANNELS, rows, columns], &cpu);
            let deviation: Tensor<1> = noise.normal([CHANNELS], &cpu);
            let Some(found) = on_gpu(&on(&gpu, &x), &on(&gpu, &mean), &on(&gpu, &deviation)) else {
                panic!("the kernel did not run")
            };
            let expected = twin(x, &mean, &deviation);
            assert!(difference(found.flow, expected.flow) < 1e-5);
            assert!(difference(found.occlusion, expected.occlusion) < 1e-5);
        }
    }
}
