//! Motion: where the two stages meet. Stage 1 estimates it and decodes frames from it, stage 2 draws it from noise.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::tensor::{pixel_grid, resize, warp};

/// Motion from a reference frame to a driving frame.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use lfdm::{
///     motion::{FlowResize, Motion},
///     noise::NoiseSource,
///     tensor::pixel_grid,
/// };
///
/// // Every cell comes from where it is: nothing moves.
/// let device = Device::flex();
/// let flow = pixel_grid([4, 4], &device).unsqueeze();
/// let still = Motion { flow, occlusion: Tensor::ones([1, 1, 4, 4], &device) };
/// let image = NoiseSource::new(1).normal([1, 3, 8, 8], &device);
/// let difference = (still.warp(&image, FlowResize::Displacements) - image).abs().max();
/// assert!(difference.into_scalar::<f32>() < 1e-5);
/// ```
#[derive(Debug, Clone)]
pub struct Motion {
    /// Backward flow: the place in the reference that each cell of the driving frame comes from,
    /// `[batch, height, width, 2]`, absolute, xy in [-1, 1].
    pub flow: Tensor<4>,
    /// How far the warped reference is to be trusted: 1 entirely, 0 where the decoder must paint,
    /// `[batch, 1, height, width]`. All ones for a model without occlusion.
    pub occlusion: Tensor<4>,
}

impl Motion {
    /// `image`, one for all frames or one for each, warped by the flow at the resolution of the image.
    ///
    /// # Shapes
    /// - `image`: `[1 or frames, channels, height, width]`
    /// - returns `[frames, channels, height, width]`
    pub fn warp(&self, image: &Tensor<4>, resize: FlowResize) -> Tensor<4> {
        let [images, _, height, width] = image.dims();
        let [frames, _, _, _] = self.flow.dims();
        let image = if images == frames { image.clone() } else { image.clone().repeat_dim(0, frames) };
        warp(image, resize_flow(self.flow.clone(), [height, width], resize))
    }
}

/// What is interpolated when a flow grid is resized. Between the centres of the outermost cells both are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowResize {
    /// The sampled places, as in the official model. They stand still beyond the centres of the outermost cells,
    /// which smears half a cell along the border of every frame.
    Places,
    /// Displacements. Places outside the image are moved to its border.
    Displacements,
}

/// Brings a flow field to another grid, ready for [`warp`].
///
/// # Shapes
/// - `flow`: `[batch, height, width, 2]`, absolute, xy in [-1, 1]
/// - returns `[batch, size[0], size[1], 2]`
pub fn resize_flow(flow: Tensor<4>, size: [usize; 2], resize: FlowResize) -> Tensor<4> {
    let [_, rows, columns, _] = flow.dims();
    let device = flow.device();
    let places = interpolated(flow, size);
    match resize {
        FlowResize::Places => places,
        FlowResize::Displacements => {
            // Interpolated rest lacks what lies beyond the centres of the outermost cells.
            let rest = pixel_grid([rows, columns], &device).unsqueeze();
            let lacking = pixel_grid(size, &device).unsqueeze() - interpolated(rest, size);
            let places = places + lacking;
            let border = [size[1], size[0]].map(|side| 1.0 - 1.0 / side as f64);
            let [x, y] = [0, 1].map(|axis| places.clone().narrow(3, axis, 1).clamp(-border[axis], border[axis]));
            Tensor::cat(vec![x, y], 3)
        }
    }
}

/// [`resize`] with the channels last, as flow has them.
fn interpolated(flow: Tensor<4>, size: [usize; 2]) -> Tensor<4> {
    resize(flow.permute([0, 3, 1, 2]), size).permute([0, 2, 3, 1])
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::noise::NoiseSource;

    #[test]
    fn displacements_are_enlarged_up_to_the_border() {
        let device = Device::flex();
        let (grid, size) = ([4, 5], [16, 40]);
        let difference = |a: Tensor<4>, b: Tensor<4>| (a - b).abs().max().into_scalar::<f32>();
        let rest: Tensor<4> = pixel_grid(grid, &device).unsqueeze();
        let fine: Tensor<4> = pixel_grid(size, &device).unsqueeze();
        assert!(difference(resize_flow(rest.clone(), size, FlowResize::Displacements), fine.clone()) < 1e-6);
        assert!(difference(resize_flow(rest.clone(), size, FlowResize::Places), fine.clone()) > 0.1);

        // The same between the centres of the outermost cells, and never outside the image.
        let flow = rest + NoiseSource::new(1).normal::<4>([1, 4, 5, 2], &device) * 0.05;
        let [places, displacements] =
            [FlowResize::Places, FlowResize::Displacements].map(|resize| resize_flow(flow.clone(), size, resize));
        let inner = |x: Tensor<4>| x.slice([0..1, 2..14, 4..36, 0..2]);
        assert!(difference(inner(places), inner(displacements)) < 1e-6);
        let outside = resize_flow(flow + 5.0, size, FlowResize::Displacements);
        assert!(difference(outside, fine.slice([0..1, 15..16, 39..40, 0..2]).expand([1, 16, 40, 2])) < 1e-6);
    }
}
