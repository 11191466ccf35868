//! The launch of `shaders/warp_blend.wgsl`.

use burn::tensor::{Shape, Tensor};
use burn_cubecl::CubeBackend;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::template::{KernelSource, SourceKernel, SourceTemplate};
use cubecl::prelude::{CubeCount, CubeDim, KernelId};
use cubecl::server::KernelArguments;

use crate::kernels::launch::{SIDE, info, primitive};
use crate::motion::{FlowResize, Motion};

struct WarpBlend;

impl KernelSource for WarpBlend {
    fn source(&self) -> SourceTemplate {
        SourceTemplate::new(include_str!("../../../shaders/warp_blend.wgsl")).register("side", SIDE.to_string())
    }

    fn id(&self) -> KernelId {
        KernelId::new::<Self>()
    }

    fn lang(&self) -> &'static str {
        "wgsl"
    }
}

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
    let image = primitive(image)?;
    let flow = primitive(&motion.flow)?;
    let occlusion = primitive(&motion.occlusion)?;
    let painted = match painted {
        None => None,
        Some(painted) => Some(primitive(painted)?),
    };

    let client = image.client.clone();
    let shape = Shape::from([frames, height, width, channels]);
    let output = empty_device_contiguous_dtype(client.clone(), image.device.clone(), shape, image.dtype);
    let [is_painted, is_displaced] = [painted.is_some(), resize == FlowResize::Displacements].map(usize::from);
    let sizes = [images, channels, height, width, rows, columns, mask_rows, mask_columns, is_painted, is_displaced];
    // A binding cannot be absent, and one buffer cannot be bound twice for writing.
    let painted = painted.map_or_else(|| client.create_from_slice(&[0; 4]), |painted| painted.handle);
    let buffers = vec![
        image.handle.binding(),
        flow.handle.binding(),
        occlusion.handle.binding(),
        painted.binding(),
        output.handle.clone().binding(),
        client.create_from_slice(&info(&sizes)).binding(),
    ];
    let count = CubeCount::Static((width as u32).div_ceil(SIDE), (height as u32).div_ceil(SIDE), frames as u32);
    let kernel = SourceKernel::new(WarpBlend, CubeDim::new_2d(SIDE, SIDE));
    client.launch(Box::new(kernel), count, KernelArguments::new().with_buffers(buffers));
    Some(Tensor::from_primitive::<CubeBackend>(output))
}
