//! The decoder's warp and blend in one pass.

pub(in crate::kernels) mod cpu;
#[cfg(feature = "gpu")]
mod kernel;

use burn::tensor::Tensor;

use crate::kernels::cpu::tensors::{contiguous, elements, tensor};
use crate::kernels::otherwise;
use crate::motion::{FlowResize, Motion};
use crate::tensor::{channels_first, channels_last, resize as resize_map};

/// `warp(image) * occlusion + painted * (1 - occlusion)`, with flow and occlusion each brought from its own grid to the
/// size of `image`. Nothing painted is black.
///
/// # Shapes
/// - `image`: `[1 or frames, height, width, channels]`
/// - `motion`: of `frames` frames
/// - `painted` and result: `[frames, height, width, channels]`
pub fn warp_blend(image: &Tensor<4>, motion: &Motion, painted: Option<&Tensor<4>>, resize: FlowResize) -> Tensor<4> {
    if let Some(blended) = on_cpu(image, motion, painted, resize) {
        return blended;
    }
    #[cfg(feature = "gpu")]
    if let Some(blended) = kernel::launch(image, motion, painted, resize) {
        return blended;
    }
    otherwise(|| twin(image, motion, painted, resize))
}

fn on_cpu(image: &Tensor<4>, motion: &Motion, painted: Option<&Tensor<4>>, resize: FlowResize) -> Option<Tensor<4>> {
    let [images, height, width, channels] = image.dims();
    let [frames, rows, columns, _] = motion.flow.dims();
    let [_, _, mask_rows, mask_columns] = motion.occlusion.dims();
    let [image, flow, occlusion] = [contiguous(image)?, contiguous(&motion.flow)?, contiguous(&motion.occlusion)?];
    let painted = match painted {
        None => None,
        Some(painted) => Some(contiguous(painted)?),
    };
    let blend = cpu::WarpBlend {
        image: elements(&image),
        images,
        size: [height, width],
        channels,
        flow: elements(&flow),
        grid: [rows, columns],
        occlusion: elements(&occlusion),
        mask: [mask_rows, mask_columns],
        painted: painted.as_ref().map(elements),
        resize,
    };
    Some(tensor(blend.frames(frames), [frames, height, width, channels]))
}

/// [`warp_blend`] in tensor operations, for any device and with gradients.
///
/// # Shapes
/// - as [`warp_blend`]
pub fn twin(image: &Tensor<4>, motion: &Motion, painted: Option<&Tensor<4>>, resize: FlowResize) -> Tensor<4> {
    let warped = motion.warp(&channels_first(image.clone()), resize);
    let [_, _, height, width] = warped.dims();
    let occlusion = resize_map(motion.occlusion.clone(), [height, width]);
    channels_last(match painted {
        None => warped * occlusion,
        Some(painted) => {
            let painted = channels_first(painted.clone());
            (warped - painted.clone()) * occlusion + painted
        }
    })
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use burn::tensor::activation::sigmoid;

    use super::*;
    use crate::noise::NoiseSource;

    /// Largest difference between two tensors on any devices.
    fn difference(a: Tensor<4>, b: Tensor<4>) -> f32 {
        let (a, b) = (a.into_data(), b.into_data());
        assert_eq!(a.shape(), b.shape());
        a.iter::<f32>().zip(b.iter::<f32>()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    }

    type Case = ([usize; 4], usize, [usize; 2], [usize; 2]);

    /// Sizes to try: `[images, height, width, channels]`, frames, the motion's grid and the occlusion's. One reference
    /// for all frames or one for each; a grid coarser than the image or its own size; flow that leaves the image;
    /// occlusion on the grid of the flow or on a finer one; channels that fill no vector, one and several.
    const CASES: [Case; 5] = [
        ([1, 24, 40, 3], 3, [6, 10], [6, 10]),
        ([1, 24, 40, 3], 2, [6, 10], [24, 40]),
        ([2, 8, 12, 5], 2, [8, 12], [8, 12]),
        ([1, 9, 7, 2], 1, [3, 2], [4, 5]),
        ([1, 12, 12, 70], 2, [6, 6], [6, 6]),
    ];

    /// Runs `check` on inputs of every size, with and without a painting, for both ways to resize.
    fn for_all(mut check: impl FnMut(&Tensor<4>, &Motion, Option<&Tensor<4>>, FlowResize)) {
        let cpu = Device::flex();
        let mut noise = NoiseSource::new(5);
        for ([images, height, width, channels], frames, [rows, columns], masked) in CASES {
            let image: Tensor<4> = noise.normal([images, height, width, channels], &cpu);
            let painted: Tensor<4> = noise.normal([frames, height, width, channels], &cpu);
            let motion = Motion {
                flow: noise.normal([frames, rows, columns, 2], &cpu),
                occlusion: sigmoid(noise.normal([frames, 1, masked[0], masked[1]], &cpu)),
            };
            for painted in [None, Some(&painted)] {
                for resize in [FlowResize::Places, FlowResize::Displacements] {
                    check(&image, &motion, painted, resize);
                }
            }
        }
    }

    #[test]
    fn kernel_and_twin_agree_on_the_cpu() {
        for_all(|image, motion, painted, resize| {
            let kernel = on_cpu(image, motion, painted, resize).unwrap();
            assert!(difference(kernel, twin(image, motion, painted, resize)) < 1e-4);
        });
    }

    #[cfg(feature = "gpu")]
    #[test]
    fn kernel_and_twin_agree_on_the_gpu() {
        use crate::kernels::gpu::tests::{gpu, on};
        let Some(gpu) = gpu() else { return };
        for_all(|image, motion, painted, resize| {
            let expected = twin(image, motion, painted, resize);
            let motion = Motion { flow: on(&gpu, &motion.flow), occlusion: on(&gpu, &motion.occlusion) };
            let (image, painted) = (on(&gpu, image), painted.map(|painted| on(&gpu, painted)));
            let Some(kernel) = kernel::launch(&image, &motion, painted.as_ref(), resize) else {
                panic!("the kernel did not run on {gpu:?}");
            };
            assert!(difference(kernel, expected.clone()) < 1e-4, "kernel");
            assert!(difference(twin(&image, &motion, painted.as_ref(), resize), expected) < 1e-4, "twin");
        });
    }

    #[cfg(feature = "gpu")]
    #[test]
    fn the_kernel_leaves_the_cpu_to_the_twin() {
        let cpu = Device::flex();
        let motion = Motion { flow: Tensor::zeros([1, 2, 2, 2], &cpu), occlusion: Tensor::ones([1, 1, 2, 2], &cpu) };
        let image = Tensor::zeros([1, 1, 2, 2], &cpu);
        assert!(kernel::launch(&image, &motion, None, FlowResize::Places).is_none());
    }
}
