//! Each hand-written WGSL kernel against its twin in tensor operations, at the sizes of the decoder of `faces-64` and
//! of the U-Net of `faces-128`.
//!
//! `cargo bench --bench kernels`

use std::{panic::catch_unwind, sync::LazyLock};

use burn::nn::{GroupNorm, GroupNormConfig};
use burn::tensor::{Device, DeviceKind, Tensor, activation::sigmoid};
use divan::Bencher;
use lfdm::{
    kernels::{
        Affine, Attention, Convolution, LinearAttention, group_norm, quantile,
        warp_blend::{self, warp_blend},
    },
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

/// A map of the U-Net, 16 frames: side and channels.
#[derive(Debug, Clone, Copy)]
struct Stage(usize, usize);

const STAGES: [Stage; 3] = [Stage(16, 32), Stage(8, 64), Stage(4, 128)];
const FRAMES: usize = 16;

impl Stage {
    fn map(self, device: &Device) -> Tensor<4> {
        let Self(side, channels) = self;
        NoiseSource::new(2).normal([FRAMES, side, side, channels], device)
    }
}

/// Waits for the results of `work` without reading them.
fn measure<T>(bencher: Bencher, work: impl Fn(&Device) -> Box<dyn Fn() -> T>) {
    let Some(gpu) = &*GPU else { return };
    let work = work(gpu);
    bencher.bench_local(|| {
        let result = work();
        if let Err(error) = gpu.sync() {
            panic!("the device failed: {error}");
        }
        result
    });
}

fn convolution(
    stage: Stage,
    device: &Device,
    apply: fn(Convolution, Tensor<4>) -> Tensor<4>,
) -> Box<dyn Fn() -> Tensor<4>> {
    let Stage(_, channels) = stage;
    let weight = NoiseSource::new(3).normal([channels, channels, 3, 3], device);
    let (conv, x) = (Convolution::new(weight, None), stage.map(device));
    Box::new(move || apply(conv.clone(), x.clone()))
}

#[divan::bench(args = STAGES)]
fn convolution_kernel(bencher: Bencher, stage: Stage) {
    measure(bencher, |device| convolution(stage, device, Convolution::forward));
}

#[divan::bench(args = STAGES)]
fn convolution_twin(bencher: Bencher, stage: Stage) {
    measure(bencher, |device| convolution(stage, device, Convolution::twin));
}

type Norm = fn(&GroupNorm, &Tensor<4>, usize, Option<&Tensor<2>>) -> Affine;

fn norm(stage: Stage, device: &Device, apply: Norm) -> Box<dyn Fn() -> Affine> {
    let Stage(_, channels) = stage;
    let (norm, x) = (GroupNormConfig::new(8, channels).init(device), stage.map(device));
    Box::new(move || apply(&norm, &x, 1, None))
}

#[divan::bench(args = STAGES)]
fn group_norm_kernel(bencher: Bencher, stage: Stage) {
    measure(bencher, |device| norm(stage, device, group_norm::group_norm));
}

#[divan::bench(args = STAGES)]
fn group_norm_twin(bencher: Bencher, stage: Stage) {
    measure(bencher, |device| norm(stage, device, group_norm::twin));
}

const HEADS: usize = 4;
const HEAD_DIM: usize = 32;

fn frame_attention(
    stage: Stage,
    device: &Device,
    apply: fn(&Attention, Tensor<4>) -> Tensor<4>,
) -> Box<dyn Fn() -> Tensor<4>> {
    let Stage(side, channels) = stage;
    let mut noise = NoiseSource::new(4);
    let block = Attention {
        heads: HEADS,
        head_dim: HEAD_DIM,
        gain: noise.normal([channels], device),
        qkv: noise.normal([channels, 3 * HEADS * HEAD_DIM], device),
        out: noise.normal([HEADS * HEAD_DIM, channels], device),
        rotation: Some(noise.normal([FRAMES, HEAD_DIM, HEAD_DIM], device)),
        positions: Some(noise.normal([HEADS, FRAMES, FRAMES], device)),
    };
    let x = stage.map(device).reshape([1, FRAMES, side * side, channels]);
    Box::new(move || apply(&block, x.clone()))
}

#[divan::bench(args = STAGES)]
fn attention_kernel(bencher: Bencher, stage: Stage) {
    measure(bencher, |device| frame_attention(stage, device, Attention::forward));
}

#[divan::bench(args = STAGES)]
fn attention_twin(bencher: Bencher, stage: Stage) {
    measure(bencher, |device| frame_attention(stage, device, Attention::twin));
}

fn linear_attention(
    stage: Stage,
    device: &Device,
    apply: fn(&LinearAttention, Tensor<3>) -> Tensor<3>,
) -> Box<dyn Fn() -> Tensor<3>> {
    let Stage(side, channels) = stage;
    let mut noise = NoiseSource::new(5);
    let block = LinearAttention {
        heads: HEADS,
        head_dim: HEAD_DIM,
        gain: noise.normal([channels], device),
        qkv: noise.normal([channels, 3 * HEADS * HEAD_DIM], device),
        out: noise.normal([HEADS * HEAD_DIM, channels], device),
        bias: noise.normal([channels], device),
    };
    let x = stage.map(device).reshape([FRAMES, side * side, channels]);
    Box::new(move || apply(&block, x.clone()))
}

#[divan::bench(args = STAGES)]
fn linear_attention_kernel(bencher: Bencher, stage: Stage) {
    measure(bencher, |device| linear_attention(stage, device, LinearAttention::forward));
}

#[divan::bench(args = STAGES)]
fn linear_attention_twin(bencher: Bencher, stage: Stage) {
    measure(bencher, |device| linear_attention(stage, device, LinearAttention::twin));
}

/// A clip of 12 bands.
fn estimate(device: &Device) -> Tensor<2> {
    NoiseSource::new(6).normal([1, 12 * FRAMES * 256], device)
}

#[divan::bench]
fn confine_kernel(bencher: Bencher) {
    measure(bencher, |device| {
        let x = estimate(device);
        Box::new(move || quantile::confine(x.clone(), 0.995, 1.0))
    });
}

#[divan::bench]
fn confine_twin(bencher: Bencher) {
    measure(bencher, |device| {
        let x = estimate(device);
        Box::new(move || quantile::confine_twin(x.clone(), 0.995, 1.0))
    });
}
