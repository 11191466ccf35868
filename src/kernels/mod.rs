//! Hand-written WGSL kernels from `shaders/`.
//!
//! Each has a twin in plain tensor operations, which every other device and training use, and runs on inference tensors of a device that takes
//! WGSL. A kernel returns `None` where it cannot run; the caller then takes the twin.

use burn::tensor::{Shape, Tensor};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::template::{KernelSource, SourceKernel, SourceTemplate};
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{CubeBackend, CubeDevice};
use cubecl::prelude::{CubeCount, CubeDim, KernelId};
use cubecl::server::KernelArguments;

use crate::config::FlowResize;
use crate::lfae::Motion;

/// Side of a workgroup: 64 invocations, within every device's limits.
const SIDE: u32 = 8;

struct WarpBlend;

impl KernelSource for WarpBlend {
    fn source(&self) -> SourceTemplate {
        SourceTemplate::new(include_str!("../../shaders/warp_blend.wgsl")).register("side", SIDE.to_string())
    }

    fn id(&self) -> KernelId {
        KernelId::new::<Self>()
    }

    fn lang(&self) -> &'static str {
        "wgsl"
    }
}

/// `warp(image) * occlusion + painted * (1 - occlusion)` with flow and occlusion enlarged on the way, each from its own grid. Twin: `lfae::generator::warp_blend`.
///
/// # Shapes
/// - `image`: `[1 or frames, channels, height, width]`
/// - `painted`, result: `[frames, channels, height, width]`
pub(crate) fn warp_blend(
    image: &Tensor<4>,
    motion: &Motion,
    painted: Option<&Tensor<4>>,
    resize: FlowResize,
) -> Option<Tensor<4>> {
    let [images, channels, height, width] = image.dims();
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
    let shape = Shape::from([frames, channels, height, width]);
    let output = empty_device_contiguous_dtype(client.clone(), image.device.clone(), shape, image.dtype);
    let choices = [painted.is_some(), resize == FlowResize::Displacements].map(usize::from);
    let sizes = [images, channels, height, width, rows, columns, mask_rows, mask_columns, choices[0], choices[1]];
    let info: Vec<u8> = sizes.iter().flat_map(|&size| (size as u32).to_le_bytes()).collect();
    // A binding cannot be absent, and one buffer cannot be bound twice for writing.
    let painted = painted.map_or_else(|| client.create_from_slice(&[0; 4]), |painted| painted.handle);
    let buffers = vec![
        image.handle.binding(),
        flow.handle.binding(),
        occlusion.handle.binding(),
        painted.binding(),
        output.handle.clone().binding(),
        client.create_from_slice(&info).binding(),
    ];
    let count = CubeCount::Static((width as u32).div_ceil(SIDE), (height as u32).div_ceil(SIDE), frames as u32);
    let kernel = SourceKernel::new(WarpBlend, CubeDim::new_2d(SIDE, SIDE));
    client.launch(Box::new(kernel), count, KernelArguments::new().with_buffers(buffers));
    Some(Tensor::from_primitive::<CubeBackend>(output))
}

/// The tensor's buffer, contiguous, where it lies on a WebGPU device and carries no gradient.
fn primitive(tensor: &Tensor<4>) -> Option<CubeTensor> {
    let primitive = tensor.clone().try_into_primitive::<CubeBackend>().ok()?;
    matches!(primitive.device, CubeDevice::Wgpu(_)).then(|| into_contiguous(primitive))
}
