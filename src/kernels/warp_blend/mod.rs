//! The decoder's warp and blend in one pass.

#[cfg(feature = "gpu")]
mod kernel;

use burn::tensor::Tensor;

use crate::motion::{FlowResize, Motion};
use crate::tensor::resize as resize_map;

/// `warp(image) * occlusion + painted * (1 - occlusion)`, with flow and occlusion each brought from its own grid to the
/// size of `image`. Nothing painted is black.
///
/// # Shapes
/// - `image`: `[1 or frames, channels, height, width]`
/// - `motion`: of `frames` frames
/// - `painted` and result: `[frames, channels, height, width]`
pub fn warp_blend(image: &Tensor<4>, motion: &Motion, painted: Option<&Tensor<4>>, resize: FlowResize) -> Tensor<4> {
    #[cfg(feature = "gpu")]
    if let Some(blended) = kernel::launch(image, motion, painted, resize) {
        return blended;
    }
    twin(image, motion, painted, resize)
}

/// [`warp_blend`] in tensor operations, for any device and with gradients.
///
/// # Shapes
/// - as [`warp_blend`]
pub fn twin(image: &Tensor<4>, motion: &Motion, painted: Option<&Tensor<4>>, resize: FlowResize) -> Tensor<4> {
    let warped = motion.warp(image, resize);
    let [_, _, height, width] = warped.dims();
    let occlusion = resize_map(motion.occlusion.clone(), [height, width]);
    match painted {
        None => warped * occlusion,
        Some(painted) => (warped - painted.clone()) * occlusion + painted.clone(),
    }
}

#[cfg(all(test, feature = "gpu"))]
mod tests {
    use burn::tensor::activation::sigmoid;
    use burn::tensor::{Device, DeviceKind};

    use super::*;
    use crate::noise::NoiseSource;

    /// A GPU, or Vulkan in software; `None` on a machine without either.
    fn gpu() -> Option<Device> {
        let open = || {
            let device = Device::wgpu(DeviceKind::DefaultDevice);
            Tensor::<1>::zeros([1], &device).into_data();
            device
        };
        std::panic::catch_unwind(open).ok()
    }

    /// Largest difference between two tensors on any devices.
    fn difference(a: Tensor<4>, b: Tensor<4>) -> f32 {
        let (a, b) = (a.into_data(), b.into_data());
        assert_eq!(a.shape(), b.shape());
        a.iter::<f32>().zip(b.iter::<f32>()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    }

    fn on(device: &Device, tensor: &Tensor<4>) -> Tensor<4> {
        Tensor::from_data(tensor.to_data(), device)
    }

    #[test]
    fn kernel_and_twin_agree_on_the_gpu_and_on_the_cpu() {
        let Some(gpu) = gpu() else {
            println!("skipped: this machine has no GPU and no software Vulkan");
            return;
        };
        let cpu = Device::flex();
        let mut noise = NoiseSource::new(5);
        // One reference for all frames or one for each; a grid coarser than the image or its own size; flow that leaves
        // the image; occlusion on the grid of the flow or on a finer one.
        for ([images, channels, height, width], frames, [rows, columns], masked) in [
            ([1, 3, 24, 40], 3, [6, 10], [6, 10]),
            ([1, 3, 24, 40], 2, [6, 10], [24, 40]),
            ([2, 5, 8, 12], 2, [8, 12], [8, 12]),
            ([1, 2, 9, 7], 1, [3, 2], [4, 5]),
        ] {
            let image: Tensor<4> = noise.normal([images, channels, height, width], &cpu);
            let painted: Tensor<4> = noise.normal([frames, channels, height, width], &cpu);
            let motion = Motion {
                flow: noise.normal([frames, rows, columns, 2], &cpu),
                occlusion: sigmoid(noise.normal([frames, 1, masked[0], masked[1]], &cpu)),
            };
            let gpu_image = on(&gpu, &image);
            let gpu_motion = Motion { flow: on(&gpu, &motion.flow), occlusion: on(&gpu, &motion.occlusion) };
            for painted in [None, Some(&painted)] {
                let gpu_painted = painted.map(|painted| on(&gpu, painted));
                for resize in [FlowResize::Places, FlowResize::Displacements] {
                    let expected = twin(&image, &motion, painted, resize);
                    let Some(kernel) = kernel::launch(&gpu_image, &gpu_motion, gpu_painted.as_ref(), resize) else {
                        panic!("the kernel did not run on {gpu:?}");
                    };
                    let twin = twin(&gpu_image, &gpu_motion, gpu_painted.as_ref(), resize);
                    assert!(difference(kernel, expected.clone()) < 1e-4, "kernel");
                    assert!(difference(twin, expected) < 1e-4, "twin");
                }
            }
        }
    }

    #[test]
    fn the_kernel_leaves_the_cpu_to_the_twin() {
        let cpu = Device::flex();
        let motion = Motion { flow: Tensor::zeros([1, 2, 2, 2], &cpu), occlusion: Tensor::ones([1, 1, 2, 2], &cpu) };
        let image = Tensor::zeros([1, 1, 2, 2], &cpu);
        assert!(kernel::launch(&image, &motion, None, FlowResize::Places).is_none());
    }
}
