//! What all launches of a WGSL kernel share.

use burn::tensor::Tensor;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{CubeBackend, CubeDevice};

/// Side of a two-dimensional workgroup: 64 invocations, within the limits of every device.
pub(super) const SIDE: u32 = 8;

/// The tensor's buffer, contiguous, if the tensor lies on a WebGPU device and carries no gradient.
pub(super) fn primitive(tensor: &Tensor<4>) -> Option<CubeTensor> {
    let primitive = tensor.clone().try_into_primitive::<CubeBackend>().ok()?;
    matches!(primitive.device, CubeDevice::Wgpu(_)).then(|| into_contiguous(primitive))
}

/// Sizes and switches as the kernels read them: little-endian `u32`.
pub(super) fn info(values: &[usize]) -> Vec<u8> {
    values.iter().flat_map(|&value| (value as u32).to_le_bytes()).collect()
}
