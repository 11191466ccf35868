//! Which device a command computes on.

use burn::tensor::Device;

/// Options that every command with a model shares.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct DeviceArgs {
    /// Where to compute.
    #[arg(long, value_enum, default_value_t = DeviceKind::Cpu)]
    device: DeviceKind,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum DeviceKind {
    Cpu,
    /// The first GPU, through Vulkan, Metal, DirectX 12 or WebGPU.
    #[cfg(feature = "gpu")]
    Gpu,
    #[cfg(feature = "cuda")]
    Cuda,
    /// The CPU, through PyTorch's library.
    #[cfg(feature = "tch")]
    Libtorch,
}

impl DeviceArgs {
    pub(crate) fn open(&self) -> Device {
        match self.device {
            DeviceKind::Cpu => Device::flex(),
            #[cfg(feature = "gpu")]
            DeviceKind::Gpu => Device::wgpu(burn::tensor::DeviceKind::DefaultDevice),
            #[cfg(feature = "cuda")]
            DeviceKind::Cuda => Device::cuda(0),
            #[cfg(feature = "tch")]
            DeviceKind::Libtorch => Device::libtorch(),
        }
    }
}
