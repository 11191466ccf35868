//! The frames of a photo, from its motion and from what a decoder painted.

mod cpu;

use burn::tensor::Tensor;

use self::cpu::PhotoFrames;
use crate::kernels::cpu::tensors::{contiguous, elements, tensor};
use crate::kernels::{otherwise, warp_blend};
use crate::motion::{FlowResize, Motion};
use crate::tensor::{channels_first, channels_last, enlarge, pixel_grid};

/// Occlusion up to which the photo is not trusted at all, and from which it is trusted entirely.
const TRUSTED: (f32, f32) = (0.45, 0.85);

/// A photo, and how it is moved.
#[derive(Debug, Clone)]
pub struct PhotoBlend {
    /// `[1, 3, height, width]`
    pub photo: Tensor<4>,
    /// How much of a frame's difference to the photo is shown, `[1, 1, height, width]`.
    pub feather: Tensor<4>,
    /// The size that flow and occlusion are smoothly enlarged to, before the warp enlarges them on.
    pub smooth: [usize; 2],
}

impl PhotoBlend {
    /// Warps the photo where the occlusion says that it can be trusted; elsewhere there is what was painted, enlarged.
    ///
    /// # Shapes
    /// - `flow`: `[frames, rows, columns, 2]`, places in [-1, 1]
    /// - `occlusion`: `[frames, 1, rows', columns']` in [0, 1], on the grid of the flow or that of the painting
    /// - `painted`: `[frames, 3, height', width']`, no larger than the photo
    /// - result: `[frames, 3, height, width]` in [0, 1]
    pub fn forward(&self, flow: &Tensor<4>, occlusion: &Tensor<4>, painted: &Tensor<4>) -> Tensor<4> {
        #[cfg(feature = "gpu")]
        if let Some(frames) = self.on_gpu(flow, occlusion, painted) {
            return frames;
        }
        if let Some(frames) = self.on_cpu(flow, occlusion, painted) {
            return frames;
        }
        otherwise(|| self.twin(flow, occlusion, painted))
    }

    fn on_cpu(&self, flow: &Tensor<4>, occlusion: &Tensor<4>, painted: &Tensor<4>) -> Option<Tensor<4>> {
        let (size, trusted) = (self.size(), self.mask(flow, occlusion));
        let [frames, rows, columns, _] = flow.dims();
        let [_, _, mask_rows, mask_columns] = occlusion.dims();
        let [_, _, painted_rows, painted_columns] = painted.dims();
        let [photo, feather] = [contiguous(&self.photo)?, contiguous(&self.feather)?];
        let [flow, occlusion, painted] = [contiguous(flow)?, contiguous(occlusion)?, contiguous(painted)?];
        let made = PhotoFrames {
            photo: elements(&photo),
            feather: elements(&feather),
            size,
            flow: elements(&flow),
            grid: [rows, columns],
            smooth: self.smooth,
            occlusion: elements(&occlusion),
            mask: [mask_rows, mask_columns],
            trusted,
            painted: elements(&painted),
            painting: [painted_rows, painted_columns],
        };
        let [height, width] = size;
        let lines: Tensor<4> = tensor(made.frames(frames), [frames, height, 3, width]);
        Some(lines.swap_dims(1, 2))
    }

    /// [`forward`](Self::forward) in tensor operations, for any device.
    ///
    /// # Shapes
    /// - as [`forward`](Self::forward)
    pub fn twin(&self, flow: &Tensor<4>, occlusion: &Tensor<4>, painted: &Tensor<4>) -> Tensor<4> {
        let (device, size) = (flow.device(), self.size());
        // Displacements are enlarged, not places: beyond the outermost cells places would stand still.
        let [_, rows, columns, _] = flow.dims();
        let displacement = flow.clone() - pixel_grid([rows, columns], &device).unsqueeze();
        let displacement = channels_last(enlarge(channels_first(displacement), self.smooth));
        let occlusion = enlarge(occlusion.clone(), self.mask(flow, occlusion));
        let (none, all) = TRUSTED;
        let trust = (occlusion - none).div_scalar(all - none).clamp(0.0, 1.0);
        let smooth = Motion {
            flow: displacement + pixel_grid(self.smooth, &device).unsqueeze(),
            occlusion: trust.clone() * trust.clone() * (trust * -2.0 + 3.0),
        };
        let painted = channels_last(enlarge(painted.clone(), size));
        let photo = channels_last(self.photo.clone());
        let moved = channels_first(warp_blend(&photo, &smooth, Some(&painted), FlowResize::Displacements));
        ((moved - self.photo.clone()) * self.feather.clone() + self.photo.clone()).clamp(0.0, 1.0)
    }

    /// Height and width of the photo.
    fn size(&self) -> [usize; 2] {
        let [_, _, height, width] = self.photo.dims();
        [height, width]
    }

    /// The size that the occlusion is enlarged to: a painter decides for each pixel, otherwise it has the cells of the
    /// motion.
    fn mask(&self, flow: &Tensor<4>, occlusion: &Tensor<4>) -> [usize; 2] {
        if occlusion.dims()[2..] == flow.dims()[1..3] { self.smooth } else { self.size() }
    }

    /// [`forward`](Self::forward) on a WebGPU device, by `shaders/cubic.wgsl` and `shaders/photo.wgsl`; `None` on any
    /// other.
    #[cfg(feature = "gpu")]
    fn on_gpu(&self, flow: &Tensor<4>, occlusion: &Tensor<4>, painted: &Tensor<4>) -> Option<Tensor<4>> {
        use crate::kernels::gpu::{self, Shader, empty};

        /// Side of a workgroup, in pixels.
        const SIDE: usize = 8;
        let ([height, width], mask) = (self.size(), self.mask(flow, occlusion));
        let [frames, rows, columns, _] = flow.dims();
        let [_, _, mask_rows, mask_columns] = occlusion.dims();
        let [_, _, painted_rows, painted_columns] = painted.dims();
        let (photo, feather) = (gpu::contiguous(&self.photo)?, gpu::contiguous(&self.feather)?);
        let painted = gpu::contiguous(painted)?;
        let places = enlarge_on_gpu(&gpu::contiguous(flow)?, [frames, rows, columns, 2], self.smooth);
        let trust = enlarge_on_gpu(&gpu::contiguous(occlusion)?, [frames, mask_rows, mask_columns, 1], mask);
        let output = empty(&photo, [frames, 3, height, width]);
        let [smooth_rows, smooth_columns] = self.smooth;
        let sizes = [height, width, smooth_rows, smooth_columns, mask[0], mask[1], painted_rows, painted_columns];
        let source = include_str!("../../../shaders/photo.wgsl");
        let shader = Shader { name: "photo", source, numbers: vec![("side", SIDE as u32)] };
        let workgroups = [width.div_ceil(SIDE), height.div_ceil(SIDE), frames];
        let tensors = [&photo, &feather, &places, &trust, &painted, &output];
        shader.launch(workgroups, &tensors, &sizes.map(|size| size as u32));
        Some(gpu::tensor(output))
    }
}

/// Flow or occlusion, `[frames, rows, columns, channels]`, at another size: places, or how far the photo is trusted.
#[cfg(feature = "gpu")]
fn enlarge_on_gpu(map: &burn_wgpu::CubeTensor, shape: [usize; 4], to: [usize; 2]) -> burn_wgpu::CubeTensor {
    use crate::kernels::gpu::{Shader, elementwise, empty};

    let ([frames, rows, columns, channels], [height, width]) = (shape, to);
    let output = empty(map, [frames, height, width, channels]);
    let count = frames * height * width * channels;
    let (workgroups, invocations) = elementwise(count);
    let (none, all) = TRUSTED;
    let [rows, columns, height, width, channels] = [rows, columns, height, width, channels].map(|size| size as u32);
    let sizes = [count as u32, invocations, rows, columns, height, width, channels, none.to_bits(), all.to_bits()];
    let shader = Shader { name: "cubic", source: include_str!("../../../shaders/cubic.wgsl"), numbers: Vec::new() };
    shader.launch(workgroups, &[map, &output], &sizes);
    output
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use burn::tensor::activation::sigmoid;

    use super::*;
    use crate::noise::NoiseSource;

    /// Photos to try, with motion, occlusion and paintings: occlusion of the motion's cells and of the painting's
    /// pixels; one frame and several; sides of any ratio; motion that leaves the photo here and there.
    fn for_all(mut check: impl FnMut(&PhotoBlend, [&Tensor<4>; 3])) {
        let cpu = Device::flex();
        let mut noise = NoiseSource::new(29);
        for (frames, [height, width], grid, mask) in [(1, [40, 56], [4, 6], [4, 6]), (3, [33, 21], [4, 4], [8, 16])] {
            let mut picture = |shape: [usize; 4]| sigmoid(noise.normal::<4>(shape, &cpu) * 2.0);
            let blend = PhotoBlend {
                photo: picture([1, 3, height, width]),
                feather: picture([1, 1, height, width]),
                smooth: grid.map(|side| 4 * side),
            };
            let (occlusion, painted) = (picture([frames, 1, mask[0], mask[1]]), picture([frames, 3, 8, 16]));
            let rest = pixel_grid(grid, &cpu).unsqueeze::<4>();
            let flow = rest + noise.normal([frames, grid[0], grid[1], 2], &cpu) * 0.3;
            check(&blend, [&flow, &occlusion, &painted]);
        }
    }

    #[test]
    fn kernel_and_twin_agree_on_the_cpu() {
        for_all(|blend, [flow, occlusion, painted]| {
            let found = blend.on_cpu(flow, occlusion, painted).unwrap();
            let difference = (found - blend.twin(flow, occlusion, painted)).abs().max().into_scalar::<f32>();
            assert!(difference < 1e-4, "{difference}");
        });
    }

    #[cfg(feature = "gpu")]
    #[test]
    fn kernel_and_twin_agree_on_the_gpu() {
        use crate::kernels::gpu::tests::{difference, gpu, on};

        let Some(gpu) = gpu() else { return };
        for_all(|blend, [flow, occlusion, painted]| {
            let (photo, feather) = (on(&gpu, &blend.photo), on(&gpu, &blend.feather));
            let there = PhotoBlend { photo, feather, smooth: blend.smooth };
            let found = there.on_gpu(&on(&gpu, flow), &on(&gpu, occlusion), &on(&gpu, painted));
            let Some(found) = found else { panic!("the kernel did not run") };
            assert!(difference(found, blend.twin(flow, occlusion, painted)) < 1e-4);
        });
    }
}
