//! Flow refinement: corrects what the regions' motions miss, from the two frames themselves. It is ours; the official
//! model ends with the regions.
//!
//! Only flow and occlusion reach the decoder and the diffusion model, so hiding the driving frame from the network that
//! estimates them gains nothing. An opening mouth is smaller than a region, and no mixture of affine motions opens it.
//! The refinement compares the driving frame with the source as warped so far and corrects flow and occlusion cell by
//! cell (as SpyNet, Ranjan and Black 2017, does level by level). Generation does not need it.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};

use super::blocks::{DownBlock, zero_conv};
use super::config::{LfaeConfig, RefinementConfig};
use super::hourglass::Hourglass;
use crate::motion::{FlowResize, Motion, resize_flow};
use crate::tensor::{anti_alias, channels_first, channels_last, coordinate_grid, pixel_grid, resize, warp};

/// Corrects a motion by looking at the source and the driving frame.
#[derive(Module, Debug)]
pub struct FlowRefinement {
    /// From the scale at which frames are seen to the flow grid.
    down_blocks: Vec<DownBlock>,
    hourglass: Hourglass,
    /// Correction of the flow, in cells.
    flow: Conv2d,
    /// Correction of the occlusion, before the sigmoid.
    occlusion: Option<Conv2d>,
    #[module(skip)]
    scale_factor: f64,
    #[module(skip)]
    iterations: usize,
    #[module(skip)]
    resize: FlowResize,
}

/// Warped source, driving frame, displacement and occlusion so far.
const INPUTS: usize = 3 + 3 + 2 + 1;

impl LfaeConfig {
    /// The refinement on the grid of the pixelwise flow predictor, if the model has one.
    pub fn init_refinement(&self, device: &Device) -> Option<FlowRefinement> {
        Some(self.init_refinement_of(self.refinement.as_ref()?, self.flow.scale_factor, device))
    }

    /// The refinement on a grid twice as fine, if the model has one.
    pub fn init_fine_refinement(&self, device: &Device) -> Option<FlowRefinement> {
        Some(self.init_refinement_of(self.fine_refinement.as_ref()?, self.motion_scale(), device))
    }

    fn init_refinement_of(&self, config: &RefinementConfig, grid_scale: f64, device: &Device) -> FlowRefinement {
        let levels = (config.scale_factor / grid_scale).log2().round().max(0.0) as usize;
        let width = config.hourglass.block_expansion;
        let inputs = |level: usize| if level == 0 { INPUTS } else { width };
        let features = config.hourglass.out_channels(inputs(levels));
        FlowRefinement {
            down_blocks: (0..levels).map(|level| DownBlock::new([inputs(level), width], device)).collect(),
            hourglass: config.hourglass.init(inputs(levels), device),
            flow: zero_conv([features, 2], device),
            occlusion: self.flow.occlusion.then(|| zero_conv([features, 1], device)),
            scale_factor: config.scale_factor,
            resize: self.flow.resize,
            iterations: config.iterations,
        }
    }
}

impl FlowRefinement {
    /// Corrects `motion` as often as the configuration says.
    ///
    /// # Shapes
    /// - `source`, `driving`: `[batch, 3, height, width]` in [0, 1]
    /// - `motion`: from source to driving frame, on a grid of `rows` by `columns` cells
    /// - `occlusion_logits`: `[batch, 1, rows, columns]`, logits of the motion's occlusion
    /// - returns the refined motion and the logits of its occlusion
    pub fn forward(
        &self,
        source: Tensor<4>,
        driving: Tensor<4>,
        motion: Motion,
        occlusion_logits: Option<Tensor<4>>,
    ) -> (Motion, Option<Tensor<4>>) {
        let source = anti_alias(source, self.scale_factor);
        let driving = anti_alias(driving, self.scale_factor);
        let [batch, _, height, width] = source.dims();
        let [_, rows, columns, _] = motion.flow.dims();
        let device = source.device();
        let centres = pixel_grid([rows, columns], &device).unsqueeze::<4>();
        let cell = Tensor::<1>::from_floats([2.0 / columns as f32, 2.0 / rows as f32], &device).reshape([1, 1, 1, 2]);

        let (Motion { mut flow, mut occlusion }, mut occlusion_logits) = (motion, occlusion_logits);
        for _ in 0..self.iterations {
            let warped = warp(source.clone(), resize_flow(flow.clone(), [height, width], self.resize));
            let displacement = (flow.clone() - centres.clone()).permute([0, 3, 1, 2]);
            let guess = resize(Tensor::cat(vec![displacement, occlusion.clone()], 1), [height, width]);
            let seen = Tensor::cat(vec![warped, driving.clone(), guess], 1);
            let features = self.down_blocks.iter().fold(channels_last(seen), |x, block| block.forward(x));
            let features = self.hourglass.forward(channels_first(features));

            flow = flow + self.flow.forward(features.clone()).permute([0, 2, 3, 1]) * cell.clone();
            if let (Some(head), Some(logits)) = (&self.occlusion, &mut occlusion_logits) {
                *logits = logits.clone() + head.forward(features);
                occlusion = sigmoid(logits.clone());
            }
        }
        debug_assert_eq!(flow.dims(), [batch, rows, columns, 2]);
        (Motion { flow, occlusion }, occlusion_logits)
    }

    /// [`forward`](Self::forward) after `motion` is brought to a grid of twice as many rows and columns.
    ///
    /// # Shapes
    /// - as for [`forward`](Self::forward), but the result has the finer grid
    pub fn forward_upsampled(
        &self,
        source: Tensor<4>,
        driving: Tensor<4>,
        motion: &Motion,
        occlusion_logits: Option<Tensor<4>>,
    ) -> (Motion, Option<Tensor<4>>) {
        let [_, rows, columns, _] = motion.flow.dims();
        let size = [2 * rows, 2 * columns];
        let logits = occlusion_logits.map(|logits| resize(logits, size));
        let occlusion = match &logits {
            Some(logits) => sigmoid(logits.clone()),
            None => resize(motion.occlusion.clone(), size),
        };
        let flow = resize_flow(motion.flow.clone(), size, self.resize);
        self.forward(source, driving, Motion { flow, occlusion }, logits)
    }

    pub(super) fn fold(self) -> Self {
        Self {
            down_blocks: self.down_blocks.into_iter().map(DownBlock::fold).collect(),
            hourglass: self.hourglass.fold(),
            ..self
        }
    }
}

/// The same displacements relative to the grid that warps nothing.
///
/// Regions measure from corner to corner of the image, warping from centre to centre of its outermost cells. What the
/// regions call rest is therefore a zoom by `1 - 1 / cells`.
///
/// # Shapes
/// - `flow`: `[batch, rows, columns, 2]`
pub(super) fn centred(flow: Tensor<4>) -> Tensor<4> {
    let [_, rows, columns, _] = flow.dims();
    let offset = pixel_grid([rows, columns], &flow.device()) - coordinate_grid([rows, columns], &flow.device());
    flow + offset.unsqueeze::<4>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::LfdmConfig;
    use crate::noise::NoiseSource;

    fn frames(noise: &mut NoiseSource) -> [Tensor<4>; 2] {
        [(); 2].map(|()| noise.normal::<4>([2, 3, 128, 128], &Device::flex()) * 0.2 + 0.5)
    }

    #[test]
    fn an_untrained_refinement_changes_nothing() {
        let device = Device::flex();
        let Some(refinement) = LfdmConfig::faces_128(1).lfae.init_refinement(&device) else {
            panic!("faces-128 has a refinement");
        };
        let mut noise = NoiseSource::new(1);
        let [source, driving] = frames(&mut noise);
        let logits = noise.normal::<4>([2, 1, 16, 16], &device);
        let motion =
            Motion { flow: noise.normal::<4>([2, 16, 16, 2], &device) * 0.3, occlusion: sigmoid(logits.clone()) };
        let (refined, refined_logits) = refinement.forward(source, driving, motion.clone(), Some(logits.clone()));
        refined.flow.into_data().assert_eq(&motion.flow.into_data(), true);
        refined.occlusion.into_data().assert_eq(&motion.occlusion.into_data(), true);
        let Some(refined_logits) = refined_logits else { panic!("there were logits") };
        refined_logits.into_data().assert_eq(&logits.into_data(), true);
    }

    #[test]
    fn regions_at_rest_leave_the_frame_where_it_is() {
        let device = Device::flex();
        let rest = centred(coordinate_grid([16, 16], &device).unsqueeze());
        let image = NoiseSource::new(2).normal::<4>([1, 3, 64, 64], &device);
        let warped = warp(image.clone(), resize_flow(rest, [64, 64], FlowResize::Displacements));
        let difference: f32 = (warped - image).abs().max().into_scalar();
        assert!(difference < 1e-4, "{difference}");
    }

    /// The heads begin at zero, so the layers before them learn only once both heads have moved.
    #[cfg(feature = "native")]
    #[test]
    fn its_heads_learn_from_the_first_step() {
        let device = Device::flex().autodiff();
        let Some(refinement) = LfdmConfig::faces_128(1).lfae.init_refinement(&device) else {
            panic!("faces-128 has a refinement");
        };
        let mut noise = NoiseSource::new(3);
        let [source, driving] = frames(&mut noise).map(|frame| Tensor::from_data(frame.into_data(), &device));
        let rest = pixel_grid([16, 16], &device).unsqueeze::<4>().repeat_dim(0, 2);
        let logits = Tensor::<4>::zeros([2, 1, 16, 16], &device);
        let motion = Motion { flow: rest, occlusion: sigmoid(logits.clone()) };
        let (refined, _) = refinement.forward(source.clone(), driving.clone(), motion, Some(logits));
        let warped = warp(source, resize_flow(refined.flow, [128, 128], FlowResize::Displacements));
        let loss = (warped - driving).powi_scalar(2).mean() + refined.occlusion.mean();
        let gradients = loss.backward();
        let norm = |head: &Conv2d| {
            head.weight.val().grad(&gradients).map(|gradient| gradient.abs().sum().into_scalar::<f32>())
        };
        assert!(norm(&refinement.flow) > Some(0.0));
        assert!(refinement.occlusion.as_ref().is_some_and(|head| norm(head) > Some(0.0)));
    }
}
