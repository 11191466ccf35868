//! Generator: encodes the reference once, then warps its latent by a flow and paints the frame (LFDM, Sec. 3.2).

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};

use super::Motion;
use super::blocks::{ConvBlock, DownBlock, ResBlock, UpBlock, conv, narrow_conv};
use super::painter::Painter;
use crate::config::{FlowResize, LfaeConfig};
use crate::tensor::{resize, resize_flow, warp};

/// Encoder and warping decoder: all of stage 1 that generation needs.
#[derive(Module, Debug)]
pub struct Generator {
    first: ConvBlock,
    down_blocks: Vec<DownBlock>,
    up_blocks: Vec<UpBlock>,
    bottleneck: Vec<ResBlock>,
    painter: Option<Painter>,
    #[module(skip)]
    skips: bool,
    #[module(skip)]
    occlusion: bool,
    #[module(skip)]
    resize: FlowResize,
    // `final` is a keyword; the key is restored by `official_key`.
    last: Conv2d,
}

/// The encoder's output at every scale, full resolution first. It depends on the reference alone: one per video.
#[derive(Debug, Clone)]
pub struct ReferenceFeatures {
    pub(crate) levels: Vec<Tensor<4>>,
}

impl ReferenceFeatures {
    /// `[batch, channels, height / 2^level, width / 2^level]` for each level from 0 on.
    pub fn levels(&self) -> &[Tensor<4>] {
        &self.levels
    }

    /// The deepest level, which the diffusion model sees: `[batch, channels, height / 2^down, width / 2^down]`.
    pub fn latent(&self) -> Tensor<4> {
        self.levels[self.levels.len() - 1].clone()
    }
}

/// A decoded frame.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// `[batch, 3, height, width]` in [0, 1]
    pub prediction: Tensor<4>,
    /// The decoder's own painting before the last blend with the warped source: `[batch, 3, height, width]` in [0, 1].
    pub painted: Tensor<4>,
    /// What the last blend trusted the warped source with: `[batch, 1, height, width]` where a painter decided it, otherwise the occlusion of
    /// the motion.
    pub occlusion: Tensor<4>,
}

impl LfaeConfig {
    pub fn init_generator(&self, device: &Device) -> Generator {
        let generator = &self.generator;
        let levels = generator.down_blocks;
        let step = |from: usize, to: usize| [generator.channels_at(from), generator.channels_at(to)];
        Generator {
            first: ConvBlock::new([self.channels, generator.block_expansion], 7, device),
            down_blocks: (0..levels).map(|level| DownBlock::new(step(level, level + 1), device)).collect(),
            up_blocks: (0..levels).rev().map(|level| UpBlock::new(step(level + 1, level), device)).collect(),
            bottleneck: (0..generator.bottleneck_blocks)
                .map(|_| ResBlock::new(generator.channels_at(levels), device))
                .collect(),
            painter: generator.painter.then(|| self.init_painter(device)),
            skips: generator.skips,
            occlusion: self.flow.occlusion,
            resize: self.flow.resize,
            last: conv([generator.block_expansion, self.channels], 7, 3, device),
        }
    }
}

impl Generator {
    /// # Shapes
    /// - `image`: `[batch, 3, height, width]` in [0, 1]
    pub fn encode(&self, image: Tensor<4>) -> ReferenceFeatures {
        let mut levels = vec![self.first.forward(image)];
        for block in &self.down_blocks {
            let next = block.forward(levels[levels.len() - 1].clone());
            levels.push(next);
        }
        ReferenceFeatures { levels }
    }

    /// Paints the frames that `motion` describes.
    ///
    /// # Shapes
    /// - `image`: `[1 or batch, 3, height, width]` in [0, 1]
    /// - `features`: of that image
    /// - `motion`: of `batch` frames
    pub fn decode(&self, image: Tensor<4>, features: &ReferenceFeatures, motion: &Motion) -> Decoded {
        self.decode_with(image, features, motion, &mut |_, _| {})
    }

    /// [`decode`](Self::decode) that shows what goes into `bottleneck`, `up0`, `up1`, ... and `final`, and what comes out of `final`.
    pub fn decode_with(
        &self,
        image: Tensor<4>,
        features: &ReferenceFeatures,
        motion: &Motion,
        tap: &mut dyn FnMut(&str, &Tensor<4>),
    ) -> Decoded {
        let mut levels = features.levels.iter().rev();
        let Some(latent) = levels.next() else { unreachable!("an encoder has at least one level") };

        let mut out = self.blend(latent, None, motion);
        if let Some(painter) = &self.painter {
            let [_, _, height, width] = out.dims();
            out = out + painter.show(motion, [height, width]);
        }
        tap("bottleneck_in", &out);
        out = self.bottleneck.iter().fold(out, |out, block| block.forward(out));
        if self.skips {
            let motion = self.sharpened(0, &out, motion);
            out = self.blend(latent, Some(out), &motion);
        }
        for (index, (block, skip)) in self.up_blocks.iter().zip(levels).enumerate() {
            tap(&format!("up{index}_in"), &out);
            out = block.forward(out);
            if self.skips {
                let motion = self.sharpened(index + 1, &out, motion);
                out = self.blend(skip, Some(out), &motion);
            }
        }
        tap("final_in", &out);
        let motion = &self.sharpened(self.up_blocks.len() + 1, &out, motion);
        let out = narrow_conv(&self.last, out);
        tap("final_out", &out);
        let painted = sigmoid(out);
        let prediction = if self.skips { self.blend(&image, Some(painted.clone()), motion) } else { painted.clone() };
        Decoded { prediction, painted, occlusion: motion.occlusion.clone() }
    }

    /// The source, warped only; nothing is painted.
    ///
    /// # Shapes
    /// - `image`: `[1 or batch, 3, height, width]` in [0, 1]
    /// - `motion`: of `batch` frames
    /// - returns `[batch, 3, height, width]`
    pub fn deform(&self, image: &Tensor<4>, motion: &Motion) -> Tensor<4> {
        warp_to(image, motion, self.resize)
    }

    /// `motion` as blend `index` uses it: its occlusion is the painter's, if there is one.
    fn sharpened(&self, index: usize, features: &Tensor<4>, motion: &Motion) -> Motion {
        let Motion { flow, occlusion } = motion.clone();
        let occlusion = match &self.painter {
            None => occlusion,
            Some(painter) => painter.sharpen(index, features, &occlusion),
        };
        Motion { flow, occlusion }
    }

    /// Warps `reference` and, where occlusion says so, puts `painted` (or nothing) in its place.
    fn blend(&self, reference: &Tensor<4>, painted: Option<Tensor<4>>, motion: &Motion) -> Tensor<4> {
        if !self.occlusion {
            return warp_to(reference, motion, self.resize);
        }
        blend_warped(reference, painted, motion, self.resize)
    }

    /// The same map in inference, with every batch norm that follows a convolution folded into it.
    pub fn fold_batch_norm(self) -> Self {
        Self {
            first: self.first.fold(),
            down_blocks: self.down_blocks.into_iter().map(DownBlock::fold).collect(),
            up_blocks: self.up_blocks.into_iter().map(UpBlock::fold).collect(),
            bottleneck: self.bottleneck.into_iter().map(ResBlock::fold).collect(),
            ..self
        }
    }
}

/// `warp(reference) * occlusion + painted * (1 - occlusion)`, flow and occlusion each enlarged to the size of `reference`; nothing painted is
/// black.
///
/// # Shapes
/// - `reference`: `[1 or frames, channels, height, width]`
/// - `painted`, result: `[frames, channels, height, width]`
pub(crate) fn blend_warped(
    reference: &Tensor<4>,
    painted: Option<Tensor<4>>,
    motion: &Motion,
    resize: FlowResize,
) -> Tensor<4> {
    #[cfg(feature = "gpu")]
    if let Some(blended) = crate::kernels::warp_blend(reference, motion, painted.as_ref(), resize) {
        return blended;
    }
    warp_blend(reference, motion, painted, resize)
}

/// [`blend_warped`] in tensor operations.
fn warp_blend(reference: &Tensor<4>, motion: &Motion, painted: Option<Tensor<4>>, flow: FlowResize) -> Tensor<4> {
    let warped = warp_to(reference, motion, flow);
    let [_, _, height, width] = warped.dims();
    let occlusion = resize(motion.occlusion.clone(), [height, width]);
    match painted {
        None => warped * occlusion,
        Some(painted) => (warped - painted.clone()) * occlusion + painted,
    }
}

/// `reference`, of one image or of all frames, warped by the flow at its own resolution.
fn warp_to(reference: &Tensor<4>, motion: &Motion, how: FlowResize) -> Tensor<4> {
    let [images, _, height, width] = reference.dims();
    let [frames, _, _, _] = motion.flow.dims();
    let reference = if images == frames { reference.clone() } else { reference.clone().repeat_dim(0, frames) };
    warp(reference, resize_flow(motion.flow.clone(), [height, width], how))
}

#[cfg(all(test, feature = "gpu"))]
mod tests {
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

    /// Largest difference between two tensors, wherever they lie.
    fn difference(a: Tensor<4>, b: Tensor<4>) -> f32 {
        let (a, b) = (a.into_data(), b.into_data());
        assert_eq!(a.shape(), b.shape());
        a.iter::<f32>().zip(b.iter::<f32>()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn the_kernel_and_its_twin_agree_on_the_gpu_and_on_the_cpu() {
        let Some(gpu) = gpu() else {
            println!("skipped: this machine has no GPU and no software Vulkan");
            return;
        };
        let cpu = Device::flex();
        let mut noise = NoiseSource::new(5);
        // One reference for all frames or one each; a grid coarser than the image or its own size; flow that leaves the image.
        // The occlusion on the grid of the flow or on a finer one.
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
            let on_gpu = |tensor: &Tensor<4>| Tensor::<4>::from_data(tensor.to_data(), &gpu);
            let gpu_motion = Motion { flow: on_gpu(&motion.flow), occlusion: on_gpu(&motion.occlusion) };
            let hows = [FlowResize::Places, FlowResize::Displacements];
            for (painted, how) in
                [None, Some(painted)].into_iter().flat_map(|painted| hows.map(|how| (painted.clone(), how)))
            {
                let expected = warp_blend(&image, &motion, painted.clone(), how);
                let gpu_painted = painted.as_ref().map(on_gpu);
                let Some(kernel) = crate::kernels::warp_blend(&on_gpu(&image), &gpu_motion, gpu_painted.as_ref(), how)
                else {
                    panic!("the kernel did not run on {gpu:?}");
                };
                let twin = warp_blend(&on_gpu(&image), &gpu_motion, gpu_painted, how);
                assert!(difference(kernel, expected.clone()) < 1e-4, "kernel");
                assert!(difference(twin, expected) < 1e-4, "twin");
            }
        }
        assert!(
            crate::kernels::warp_blend(&Tensor::zeros([1, 1, 2, 2], &cpu), &motionless(&cpu), None, FlowResize::Places)
                .is_none()
        );
    }

    fn motionless(device: &Device) -> Motion {
        Motion { flow: Tensor::zeros([1, 2, 2, 2], device), occlusion: Tensor::ones([1, 1, 2, 2], device) }
    }
}
