//! Which device a command computes on.
#![cfg_attr(
    feature = "tch",
    expect(deprecated, reason = "the feature `tch` is for making weights only, until burn 0.23")
)]

use anyhow::Result;
use burn::tensor::Device;
use clap::ValueEnum as _;

/// Options of every command that computes with a model.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct DeviceArgs {
    /// Device to compute on.
    #[arg(long, value_enum, default_value_t = DeviceKind::Cpu)]
    device: DeviceKind,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum DeviceKind {
    /// The CPU.
    Cpu,
    /// The first GPU, through Vulkan, Metal, DirectX 12 or WebGPU.
    #[cfg(feature = "gpu")]
    Gpu,
    /// The first NVIDIA GPU, through CUDA.
    #[cfg(feature = "cuda")]
    Cuda,
    /// The CPU, through PyTorch's library.
    #[cfg(feature = "tch")]
    Libtorch,
    /// The first NVIDIA GPU, through PyTorch's library.
    #[cfg(feature = "tch")]
    LibtorchCuda,
}

impl DeviceArgs {
    /// The device, or the first of its kind.
    ///
    /// # Errors
    /// A machine without a graphics adapter, asked for a GPU.
    #[cfg_attr(not(feature = "gpu"), expect(clippy::unnecessary_wraps, reason = "only a GPU can be missing"))]
    pub(crate) fn open(&self) -> Result<Device> {
        match self.device {
            DeviceKind::Cpu => Ok(Device::flex()),
            #[cfg(feature = "gpu")]
            DeviceKind::Gpu => {
                adapters()?;
                Ok(Device::wgpu(burn::tensor::DeviceKind::DefaultDevice))
            }
            #[cfg(feature = "cuda")]
            DeviceKind::Cuda => Ok(Device::cuda(0)),
            #[cfg(feature = "tch")]
            DeviceKind::Libtorch => Ok(Device::libtorch()),
            #[cfg(feature = "tch")]
            DeviceKind::LibtorchCuda => Ok(Device::libtorch_cuda(0)),
        }
    }

    /// What the kind is called on the command line.
    pub(crate) fn name(&self) -> String {
        self.device.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// Whether the device takes work and goes on without its caller.
    pub(crate) fn is_asynchronous(&self) -> bool {
        match self.device {
            DeviceKind::Cpu => false,
            #[cfg(feature = "gpu")]
            DeviceKind::Gpu => true,
            #[cfg(feature = "cuda")]
            DeviceKind::Cuda => true,
            #[cfg(feature = "tch")]
            DeviceKind::Libtorch => false,
            #[cfg(feature = "tch")]
            DeviceKind::LibtorchCuda => true,
        }
    }

    /// The first `count` devices of the kind. On the CPU they are threads.
    ///
    /// # Errors
    /// A kind of which there are fewer.
    pub(crate) fn open_all(&self, count: u16) -> Result<Vec<Device>> {
        match self.device {
            _ if count == 1 => Ok(vec![self.open()?]),
            DeviceKind::Cpu => Ok((0..count).map(|_| Device::flex()).collect()),
            #[cfg(feature = "gpu")]
            DeviceKind::Gpu => discrete_gpus(count),
            #[cfg(feature = "cuda")]
            DeviceKind::Cuda => Ok((0..count).map(|index| Device::cuda(usize::from(index))).collect()),
            #[cfg(feature = "tch")]
            DeviceKind::Libtorch => anyhow::bail!("there is only one device libtorch; leave --devices out"),
            #[cfg(feature = "tch")]
            DeviceKind::LibtorchCuda => Ok((0..count).map(|index| Device::libtorch_cuda(usize::from(index))).collect()),
        }
    }
}

/// What the graphics drivers show to programs. Opening something else is a panic.
///
/// # Errors
/// A machine without any.
#[cfg(feature = "gpu")]
fn adapters() -> Result<Vec<Device>> {
    let adapters = Device::enumerate(burn::tensor::DeviceType::Wgpu).into_vec();
    anyhow::ensure!(
        !adapters.is_empty(),
        "this machine has no graphics adapter that its drivers show to programs; leave out --device gpu to compute on \
         the CPU"
    );
    Ok(adapters)
}

/// The first `count` graphics cards.
///
/// # Errors
/// A machine that has fewer.
#[cfg(feature = "gpu")]
fn discrete_gpus(count: u16) -> Result<Vec<Device>> {
    let adapters = adapters()?;
    let card = |index: u16| Device::wgpu(burn::tensor::DeviceKind::DiscreteGpu(index.into()));
    let cards: Vec<Device> = (0..count).map(card).filter(|card| adapters.contains(card)).collect();
    anyhow::ensure!(
        cards.len() == usize::from(count),
        "--devices {count} asks for {count} discrete GPUs; this machine has {}",
        cards.len()
    );
    Ok(cards)
}
