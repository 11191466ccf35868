//! Painter: lets the decoder see the motion, so that it paints what no warp can bring. It is ours and optional; the
//! official decoder sees only features that the motion has warped.
//!
//! An opening mouth covers three cells of the flow grid. A decoder that sees nothing but warped features must guess
//! from a blurred lip whether there are teeth, and an occlusion on that grid blends the lip back over what it painted.
//! The painter shows flow and occlusion to the bottleneck, and lets the decoder adjust the occlusion before every
//! blend, at the blend's own resolution. The motion space and the diffusion model stay as they are.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Tensor};

use super::blocks::zero_conv;
use super::config::LfaeConfig;
use crate::kernels::{Convolution, sharpen};
use crate::motion::Motion;
use crate::tensor::{WAVELETS, channels_last, haar, pixel_grid, resize};

/// Shows the motion to the decoder and sharpens its occlusion.
#[derive(Module, Debug)]
pub(super) struct Painter {
    /// From displacement and occlusion, or their wavelets if the motion is finer than the bottleneck, to features of
    /// the bottleneck.
    motion: Conv2d,
    /// For every blend, deepest first: from features to a shift of the occlusion's logit.
    masks: Vec<Conv2d>,
}

/// Displacement in cells of the bottleneck, and occlusion.
const INPUTS: usize = 2 + 1;
/// Occlusion is kept this far from 0 and 1, where its logit would be infinite.
pub(crate) const MARGIN: f32 = 1e-3;

impl LfaeConfig {
    /// A painter that changes nothing until it has learned to.
    pub(super) fn init_painter(&self, device: &Device) -> Painter {
        let (generator, levels) = (&self.generator, self.generator.down_blocks);
        let masked = (0..=levels).rev().map(|level| generator.channels_at(level)).chain([generator.block_expansion]);
        let is_finer = self.motion_scale() == 2.0 * 0.5f64.powi(levels as i32);
        let bands = if is_finer { WAVELETS } else { 1 };
        Painter {
            motion: zero_conv([bands * INPUTS, generator.channels_at(levels)], device),
            masks: masked.map(|channels| zero_conv([channels, 1], device)).collect(),
        }
    }
}

impl Painter {
    /// Features that the motion adds to the bottleneck.
    ///
    /// # Shapes
    /// - `size`: `[height, width]` of those features
    /// - returns `[frames, height, width, channels]`
    pub(super) fn show(&self, motion: &Motion, size: [usize; 2]) -> Tensor<4> {
        let [_, rows, columns, _] = motion.flow.dims();
        let device = motion.flow.device();
        let cells = [size[1], size[0]].map(|cells| cells as f32 / 2.0);
        let cells = Tensor::<1>::from_floats(cells, &device).reshape([1, 1, 1, 2]);
        let displacement = (motion.flow.clone() - pixel_grid([rows, columns], &device).unsqueeze()) * cells;
        let seen = Tensor::cat(vec![displacement.permute([0, 3, 1, 2]), motion.occlusion.clone()], 1);
        let seen = if [rows, columns] == size.map(|side| 2 * side) { haar(seen) } else { resize(seen, size) };
        Convolution::of(&self.motion).forward(channels_last(seen))
    }

    /// The occlusion for blend `index`, whose painted features are `features`.
    ///
    /// # Shapes
    /// - `features`: `[frames, height, width, channels]`
    /// - `occlusion`: `[frames, 1, rows, columns]`, the motion's
    /// - returns `[frames, 1, height, width]` in (0, 1)
    pub(super) fn sharpen(&self, index: usize, features: &Tensor<4>, occlusion: &Tensor<4>) -> Tensor<4> {
        let shift = Convolution::of(&self.masks[index]).forward(features.clone());
        sharpen(occlusion, shift, MARGIN)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::activation::sigmoid;

    use super::*;
    use crate::config::LfdmConfig;
    use crate::noise::NoiseSource;
    use crate::weights::{collect_module, load_module};

    fn distance(a: &Tensor<4>, b: &Tensor<4>) -> f32 {
        (a.clone() - b.clone()).abs().max().into_scalar()
    }

    #[test]
    fn a_painter_that_has_learned_nothing_changes_nothing() {
        let device = Device::flex();
        let mut config = LfdmConfig::faces_64(1).lfae;
        config.generator.painter = true;
        let with = config.init_generator(&device);
        config.generator.painter = false;
        let without = {
            let key = |path: &str| path.to_owned();
            let weights = collect_module(&with, &key).filter(|key| !key.starts_with("painter."));
            load_module(config.init_generator(&device), &weights, &key).unwrap()
        };
        let mut noise = NoiseSource::new(3);
        let image = sigmoid(noise.normal([1, 3, 64, 64], &device));
        let motion = Motion {
            flow: pixel_grid([16, 16], &device).unsqueeze() + noise.normal([2, 16, 16, 2], &device) * 0.1,
            occlusion: sigmoid(noise.normal([2, 1, 16, 16], &device)),
        };
        let features = with.encode(image.clone());
        let [with, without] = [with, without].map(|generator| generator.decode(image.clone(), &features, &motion));
        assert!(distance(&with.prediction, &without.prediction) < 1e-4);
        assert_eq!(with.occlusion.dims(), [2, 1, 64, 64]);
        assert_eq!(without.occlusion.dims(), [2, 1, 16, 16]);
    }

    #[cfg(feature = "gpu")]
    #[test]
    fn a_gpu_decodes_the_same() {
        use crate::kernels::gpu::tests::{difference, gpu, on};
        let Some(gpu) = gpu() else { return };
        let cpu = Device::flex();
        let mut config = LfdmConfig::faces_64(1).lfae;
        config.generator.painter = true;
        let generator = config.init_generator(&cpu).fold_batch_norm();
        let mut noise = NoiseSource::new(5);
        let image = sigmoid(noise.normal::<4>([1, 3, 64, 64], &cpu));
        let flow = pixel_grid([16, 16], &cpu).unsqueeze() + noise.normal::<4>([2, 16, 16, 2], &cpu) * 0.1;
        let occlusion = sigmoid(noise.normal::<4>([2, 1, 16, 16], &cpu));
        let decode = |generator: &crate::lfae::Generator, device: &Device| {
            let (image, motion) =
                (on(device, &image), Motion { flow: on(device, &flow), occlusion: on(device, &occlusion) });
            let features = generator.encode(image.clone());
            generator.decode(image, &features, &motion)
        };
        let expected = decode(&generator, &cpu);
        let found = decode(&generator.to_device(&gpu), &gpu);
        assert!(difference(found.prediction, expected.prediction) < 1e-3);
        assert!(difference(found.painted, expected.painted) < 1e-3);
        assert!(difference(found.occlusion, expected.occlusion) < 1e-3);
    }

    #[test]
    fn masks_move_the_occlusion_and_keep_it_a_share() {
        let device = Device::flex();
        let mut painter = LfdmConfig::faces_64(1).lfae.init_painter(&device);
        let bias = |value: f32| Some(burn::module::Param::from_tensor(Tensor::from_floats([value], &device)));
        let features = Tensor::ones([1, 8, 8, 32], &device);
        let mut sharpened = |shift: f32, occlusion: f32| {
            painter.masks[2].bias = bias(shift);
            let occlusion = Tensor::full([1, 1, 4, 4], occlusion, &device);
            painter.sharpen(2, &features, &occlusion).max().into_scalar::<f32>()
        };
        assert!((sharpened(0.0, 0.3) - 0.3).abs() < 1e-5);
        assert!(sharpened(-9.0, 0.9) < 0.01);
        assert!(sharpened(9.0, 0.1) > 0.99);
        for edge in [0.0, 1.0] {
            assert!((sharpened(0.0, edge) - edge).abs() < 0.0011, "the logit of {edge} is finite");
        }
    }
}
