//! The launch of `shaders/warp_blend.wgsl`.

use burn::tensor::Tensor;

use crate::kernels::gpu::{Shader, absent, contiguous, empty, tensor};
use crate::motion::{FlowResize, Motion};

/// Side of a workgroup, in pixels.
const SIDE: usize = 8;

/// [`warp_blend`](super::warp_blend) on a device that takes WGSL; `None` on any other.
///
/// # Shapes
/// - as [`warp_blend`](super::warp_blend)
pub(super) fn launch(
    image: &Tensor<4>,
    motion: &Motion,
    painted: Option<&Tensor<4>>,
    resize: FlowResize,
) -> Option<Tensor<4>> {
    let [images, height, width, channels] = image.dims();
    let [frames, rows, columns, _] = motion.flow.dims();
    let [_, _, mask_rows, mask_columns] = motion.occlusion.dims();
    let image = contiguous(image)?;
    let flow = contiguous(&motion.flow)?;
    let occlusion = contiguous(&motion.occlusion)?;
    let painted = match painted {
        None => None,
        Some(painted) => Some(contiguous(painted)?),
    };

    let output = empty(&image, [frames, height, width, channels]);
    let [is_painted, is_displaced] = [painted.is_some(), resize == FlowResize::Displacements].map(usize::from);
    let sizes = [images, channels, height, width, rows, columns, mask_rows, mask_columns, is_painted, is_displaced];
    let painted = painted.unwrap_or_else(|| absent(&image));
    let source = include_str!("../../../shaders/warp_blend.wgsl");
    let shader = Shader { name: "warp_blend", source, numbers: vec![("side", SIDE as u32)] };
    let workgroups = [width.div_ceil(SIDE), height.div_ceil(SIDE), frames];
    shader.launch(workgroups, &[&image, &flow, &occlusion, &painted, &output], &sizes.map(|size| size as u32));
    Some(tensor(output))
}
