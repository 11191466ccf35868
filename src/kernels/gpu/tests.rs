//! What the tests of kernels on the GPU share.

use burn::tensor::{Device, DeviceKind, Tensor};

/// A GPU, or Vulkan in software; `None`, with a word about it, on a machine without either.
pub(crate) fn gpu() -> Option<Device> {
    let open = || {
        let device = Device::wgpu(DeviceKind::DefaultDevice);
        Tensor::<1>::zeros([1], &device).into_data();
        device
    };
    let device = std::panic::catch_unwind(open).ok();
    if device.is_none() {
        println!("skipped: this machine has no GPU and no software Vulkan");
    }
    device
}

/// A copy of `tensor` on `device`.
pub(crate) fn on<const D: usize>(device: &Device, tensor: &Tensor<D>) -> Tensor<D> {
    Tensor::from_data(tensor.to_data(), device)
}

/// Largest difference between two tensors on any devices.
pub(crate) fn difference<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> f32 {
    let (a, b) = (a.into_data(), b.into_data());
    assert_eq!(a.shape(), b.shape());
    a.iter::<f32>().zip(b.iter::<f32>()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}
