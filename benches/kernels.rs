//! Each hand-written WGSL kernel against its twin in tensor operations, and the twin on the CPU, at the sizes of the
//! decoder of `faces-64`.
//!
//! `cargo bench --bench kernels`

use std::{panic::catch_unwind, sync::LazyLock};

use burn::tensor::{Device, DeviceKind, Tensor, activation::sigmoid};
use divan::Bencher;
use lfdm::{
    kernels::warp_blend::{self, warp_blend},
    motion::{FlowResize, Motion},
    noise::NoiseSource,
};

/// A device that takes WGSL; `None` on a machine without a GPU and without one in software.
static GPU: LazyLock<Option<Device>> = LazyLock::new(|| {
    let open = || {
        let device = Device::wgpu(DeviceKind::DefaultDevice);
        Tensor::<1>::zeros([1], &device).into_data();
        device
    };
    catch_unwind(open).ok()
});

fn main() {
    if GPU.is_none() {
        println!("This machine has no device that takes WGSL: only the twins on the CPU are measured.");
    }
    divan::main();
}

/// What the decoder blends at one of its levels: channels and side of its features.
#[derive(Debug, Clone, Copy)]
struct Level(usize, usize);

const LEVELS: [Level; 3] = [Level(128, 16), Level(64, 32), Level(32, 64)];

struct Blend {
    image: Tensor<4>,
    motion: Motion,
    painted: Tensor<4>,
    device: Device,
}

impl Blend {
    fn draw(Level(channels, side): Level, device: &Device) -> Self {
        let mut noise = NoiseSource::new(1);
        Self {
            image: noise.normal([1, channels, side, side], device),
            motion: Motion {
                flow: noise.normal::<4>([1, 16, 16, 2], device) * 0.5,
                occlusion: sigmoid(noise.normal([1, 1, 16, 16], device)),
            },
            painted: noise.normal([1, channels, side, side], device),
            device: device.clone(),
        }
    }

    /// Waits for the result without reading it.
    fn run(&self, blend: impl Fn(&Tensor<4>, &Motion, Option<&Tensor<4>>, FlowResize) -> Tensor<4>) -> Tensor<4> {
        let blended = blend(&self.image, &self.motion, Some(&self.painted), FlowResize::Displacements);
        if let Err(error) = self.device.sync() {
            panic!("the device failed: {error}");
        }
        blended
    }
}

#[divan::bench(args = LEVELS)]
fn warp_blend_kernel(bencher: Bencher, level: Level) {
    if let Some(gpu) = &*GPU {
        let blend = Blend::draw(level, gpu);
        bencher.bench_local(|| blend.run(warp_blend));
    }
}

#[divan::bench(args = LEVELS)]
fn warp_blend_twin(bencher: Bencher, level: Level) {
    if let Some(gpu) = &*GPU {
        let blend = Blend::draw(level, gpu);
        bencher.bench_local(|| blend.run(warp_blend::twin));
    }
}

#[divan::bench(args = LEVELS)]
fn warp_blend_twin_on_cpu(bencher: Bencher, level: Level) {
    let blend = Blend::draw(level, &Device::flex());
    bencher.bench_local(|| blend.run(warp_blend::twin));
}
