//! The adversaries of ImaGINator: a network that looks at single frames, and one that looks at whole clips and knows
//! their label. They learn together with the generator, in the same step, and no evaluation needs them.
//!
//! Maps are `[images, height, width, channels]`.

use burn::module::{Module, RunningState};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Initializer, PaddingConfig2d};
use burn::tensor::activation::{leaky_relu, log_sigmoid};
use burn::tensor::{Device, Tensor};

use crate::kernels::Convolution;
use crate::native::baseline::COLOURS;
use crate::native::baseline::imaginator::{ImaginatorConfig, SMALLEST};
use crate::tensor::channels_last;

/// Slope of the activations below zero.
const LEAK: f64 = 0.2;
/// Deviation of the initial weights (Radford et al. 2016).
const DEVIATION: f64 = 0.02;
/// Frames that a convolution over time sees, every other one.
const TAPS: usize = 4;
/// Keeps a direction finite where there is none.
const EPSILON: f64 = 1e-12;

/// The losses of both sides, each to be minimised by its own network.
pub(super) struct AdversarialLosses {
    /// How unreal the adversary finds what the generator made: the generator's loss, which does not reach the
    /// adversary.
    pub(super) fooling: Tensor<1>,
    /// The adversary's loss, which does not reach the generator.
    pub(super) judging: Tensor<1>,
}

impl AdversarialLosses {
    /// The cross entropies of verdicts, the higher the more real: `judged` on as many real as made samples, and
    /// `frozen` on the made ones.
    ///
    /// # Shapes
    /// - `judged`: `[2 * batch]`, real ones first
    /// - `frozen`: `[batch]`
    fn new(judged: Tensor<1>, frozen: Tensor<1>) -> Self {
        let [real, made] = halves(judged);
        let judging = -log_sigmoid(real).mean() - log_sigmoid(-made).mean();
        Self { fooling: -log_sigmoid(frozen).mean(), judging }
    }
}

fn halves(verdicts: Tensor<1>) -> [Tensor<1>; 2] {
    let batch = verdicts.dims()[0] / 2;
    [0, 1].map(|half| verdicts.clone().narrow(0, half * batch, batch))
}

/// Tells real frames from made ones.
#[derive(Module, Debug)]
pub(super) struct ImageDiscriminator {
    convolutions: Vec<SpectralConv>,
    verdict: SpectralConv,
}

impl ImageDiscriminator {
    /// An adversary with random weights.
    pub(super) fn new(config: &ImaginatorConfig, device: &Device) -> Self {
        let levels = config.levels();
        let width = |level: usize| if level == 0 { COLOURS } else { config.width(level) };
        Self {
            convolutions: (0..levels).map(|at| SpectralConv::halving([width(at), width(at + 1)], device)).collect(),
            verdict: SpectralConv::verdict(width(levels), device),
        }
    }

    /// # Shapes
    /// - `real`, `made`: `[batch, 3, size, size]` in [-1, 1]
    pub(super) fn losses(&self, real: Tensor<4>, made: Tensor<4>) -> AdversarialLosses {
        let judged = self.judge(Tensor::cat(vec![real, made.clone().detach()], 0));
        // Last, because parameters are drawn when first read: if a frozen copy were the first to read them, they would
        // stay frozen.
        AdversarialLosses::new(judged, self.clone().no_grad().judge(made))
    }

    /// # Shapes
    /// - `image`: `[batch, 3, size, size]` in [-1, 1]
    /// - returns `[batch]`
    fn judge(&self, image: Tensor<4>) -> Tensor<1> {
        let x = self.convolutions.iter().fold(channels_last(image), |x, conv| leaky_relu(conv.forward(x), LEAK));
        self.verdict.forward(x).flatten(0, 3)
    }
}

/// Tells real clips of a label from made ones, by convolutions over space and time. The label joins after the first.
#[derive(Module, Debug)]
pub(super) struct VideoDiscriminator {
    convolutions: Vec<SpectralConv>,
    verdict: SpectralConv,
}

impl VideoDiscriminator {
    /// An adversary with random weights.
    pub(super) fn new(config: &ImaginatorConfig, device: &Device) -> Self {
        let levels = config.levels();
        let width = |level: usize| match level {
            0 => COLOURS,
            1 => config.width(1) + config.labels,
            _ => config.width(level),
        };
        let mut frames = config.frames;
        let convolutions = (0..levels).map(|level| {
            let taps = if frames > 1 { TAPS } else { 1 };
            frames = (frames / 2).max(1);
            SpectralConv::halving([taps * width(level), config.width(level + 1)], device)
        });
        let convolutions = convolutions.collect();
        Self { convolutions, verdict: SpectralConv::verdict(frames * config.width(levels), device) }
    }

    /// # Shapes
    /// - `real`, `made`: `[batch, frames, 3, size, size]` in [-1, 1]
    /// - `condition`: `[batch, labels]`
    pub(super) fn losses(&self, real: Tensor<5>, made: Tensor<5>, condition: Tensor<2>) -> AdversarialLosses {
        let both = Tensor::cat(vec![condition.clone(), condition.clone()], 0);
        let judged = self.judge(Tensor::cat(vec![real, made.clone().detach()], 0), both);
        // Last, as in single frames.
        AdversarialLosses::new(judged, self.clone().no_grad().judge(made, condition))
    }

    /// # Shapes
    /// - `clips`: `[batch, frames, 3, size, size]` in [-1, 1]
    /// - `condition`: `[batch, labels]`
    /// - returns `[batch]`
    fn judge(&self, clips: Tensor<5>, condition: Tensor<2>) -> Tensor<1> {
        let [batch, labels] = condition.dims();
        let mut x = clips.permute([0, 1, 3, 4, 2]);
        for (level, conv) in self.convolutions.iter().enumerate() {
            if level == 1 {
                let [_, frames, height, width, _] = x.dims();
                let everywhere = condition.clone().reshape([batch, 1, 1, 1, labels]);
                x = Tensor::cat(vec![x, everywhere.expand([batch, frames, height, width, labels])], 4);
            }
            let windows = if x.dims()[1] > 1 { windows(x) } else { x };
            let frames = windows.dims()[1];
            let maps = leaky_relu(conv.forward(windows.flatten(0, 1)), LEAK);
            let [_, height, width, channels] = maps.dims();
            x = maps.reshape([batch, frames, height, width, channels]);
        }
        let [_, frames, height, width, channels] = x.dims();
        let x = x.permute([0, 2, 3, 1, 4]).reshape([batch, height, width, frames * channels]);
        self.verdict.forward(x).flatten(0, 3)
    }
}

/// The frames that each place of a convolution over 4 frames, of stride 2 and padding 1, sees, side by side in the
/// channels: what is left of it is a convolution inside frames.
///
/// # Shapes
/// - `x`: `[batch, frames, height, width, channels]`, at least two frames
/// - returns `[batch, frames / 2, height, width, 4 * channels]`
fn windows(x: Tensor<5>) -> Tensor<5> {
    let [batch, frames, height, width, channels] = x.dims();
    let made = frames / 2;
    let black = Tensor::zeros([batch, 1, height, width, channels], &x.device());
    // The last of an odd number of frames needs no other after it.
    let padded = if frames % 2 == 0 { vec![black.clone(), x, black] } else { vec![black, x] };
    let pairs = Tensor::cat(padded, 1).reshape([batch, made + 1, 2, height * width, channels]);
    let tap = |tap: usize| {
        let frames = pairs.clone().narrow(1, tap / 2, made).narrow(2, tap % 2, 1);
        frames.reshape([batch, made, height, width, channels])
    };
    Tensor::cat((0..TAPS).map(tap).collect(), 4)
}

/// A convolution by weights whose largest singular value is 1: spectral normalisation (Miyato et al. 2018), as in the
/// authors' code. It bounds how steep an adversary can be.
#[derive(Module, Debug)]
struct SpectralConv {
    conv: Conv2d,
    /// `[out]`, of length 1: near the left singular vector of that value, and nearer with every use in training.
    direction: RunningState<Tensor<1>>,
}

impl SpectralConv {
    /// One that halves the sides of maps.
    fn halving(channels: [usize; 2], device: &Device) -> Self {
        let around = PaddingConfig2d::Explicit(1, 1, 1, 1);
        Self::new(Conv2dConfig::new(channels, [4, 4]).with_stride([2, 2]).with_padding(around), device)
    }

    /// One that makes a number of maps of 4x4 cells.
    fn verdict(channels: usize, device: &Device) -> Self {
        Self::new(Conv2dConfig::new([channels, 1], [SMALLEST, SMALLEST]), device)
    }

    fn new(config: Conv2dConfig, device: &Device) -> Self {
        let out = config.channels[1];
        let initializer = Initializer::Normal { mean: 0.0, std: DEVIATION };
        let direction = Tensor::full([out], (out as f64).sqrt().recip(), device);
        Self { conv: config.with_initializer(initializer).init(device), direction: RunningState::new(direction) }
    }

    /// # Shapes
    /// - `x`: `[images, height, width, in]`
    /// - returns `[images, height', width', out]`
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        // The input is divided in place of the weights: there is then one copy of those.
        Convolution::of(&self.conv).forward(x / self.norm().reshape([1, 1, 1, 1]))
    }

    /// The largest singular value of the weights, by one more power iteration.
    fn norm(&self) -> Tensor<1> {
        let weight: Tensor<2> = self.conv.weight.val().flatten(1, 3);
        let fixed = weight.clone().detach();
        let left = self.direction.value_sync().unsqueeze::<2>();
        let right = unit(left.matmul(fixed.clone()));
        let left = unit(right.clone().matmul(fixed.transpose()));
        self.direction.update(left.clone().flatten(0, 1));
        (left.matmul(weight) * right).sum()
    }
}

/// # Shapes
/// - `x` and result: `[1, length]`
fn unit(x: Tensor<2>) -> Tensor<2> {
    let length = x.clone().square().sum_dim(1).sqrt();
    x / (length + EPSILON)
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Tolerance, module::conv3d, ops::ConvOptions};

    use super::*;
    use crate::noise::NoiseSource;

    fn config(frames: usize) -> ImaginatorConfig {
        ImaginatorConfig { size: 16, frames, labels: 3, channels: 4 }
    }

    #[test]
    fn windows_make_convolutions_over_time() {
        let device = Device::flex();
        let mut noise = NoiseSource::new(3);
        for frames in [2, 5, 8] {
            let x: Tensor<5> = noise.normal([2, frames, 6, 4, 3], &device);
            let weight: Tensor<5> = noise.normal([7, 3, TAPS, 4, 4], &device);
            let options = ConvOptions::new([2; 3], [1; 3], [1; 3], 1);
            let expected = conv3d(x.clone().permute([0, 4, 1, 2, 3]), weight.clone(), None, options);
            let mut conv = SpectralConv::halving([TAPS * 3, 7], &device).conv;
            conv.bias = None;
            conv.weight = conv.weight.map(|_| weight.clone().swap_dims(1, 2).reshape([7, TAPS * 3, 4, 4]));
            let found = Convolution::of(&conv).forward(windows(x).flatten(0, 1));
            let found = found.reshape([2, frames / 2, 3, 2, 7]).permute([0, 4, 1, 2, 3]);
            found.into_data().assert_approx_eq::<f32>(&expected.into_data(), Tolerance::absolute(1e-4));
        }
    }

    #[test]
    fn the_norm_is_the_largest_singular_value() {
        let device = Device::flex();
        let mut conv = SpectralConv::halving([2, 2], &device);
        // Rows of lengths 3 and 4 at an angle of 60 degrees: the eigenvalues of their products are 9 + 16 split by
        // the root of 7^2 + 4 * 6^2.
        let mut weight = [0.0f32; 2 * 32];
        weight[0] = 3.0;
        (weight[32], weight[33]) = (2.0, 12f32.sqrt());
        conv.conv.weight = conv.conv.weight.map(|_| Tensor::<1>::from_floats(weight, &device).reshape([2, 2, 4, 4]));
        let expected = (f32::midpoint(25.0, 193f32.sqrt())).sqrt();
        let norms: Vec<f32> = (0..20).map(|_| conv.norm().into_scalar::<f32>()).collect();
        assert!((norms[19] - expected).abs() < 1e-4, "{norms:?} instead of {expected}");
    }

    #[test]
    fn neither_side_moves_the_other() {
        let device = Device::flex().autodiff();
        device.seed(2);
        for frames in [2, 3, 8] {
            let (config, mut noise) = (config(frames), NoiseSource::new(4));
            let (images, videos) =
                (ImageDiscriminator::new(&config, &device), VideoDiscriminator::new(&config, &device));
            let real: Tensor<5> = noise.normal([2, frames, 3, 16, 16], &device);
            let made = noise.normal::<5>([2, frames, 3, 16, 16], &device).require_grad();
            let condition = noise.normal([2, 3], &device);
            let frame = |clips: &Tensor<5>| clips.clone().narrow(1, 1, 1).squeeze_dim::<4>(1);
            let losses = [
                (images.losses(frame(&real), frame(&made)), &images.convolutions),
                (videos.losses(real.clone(), made.clone(), condition), &videos.convolutions),
            ];
            for (AdversarialLosses { fooling, judging }, convolutions) in losses {
                let of_fooling = fooling.backward();
                assert!(made.grad(&of_fooling).is_some());
                assert!(convolutions.iter().all(|conv| conv.conv.weight.grad(&of_fooling).is_none()));
                let of_judging = judging.backward();
                assert!(made.grad(&of_judging).is_none());
                assert!(convolutions.iter().all(|conv| conv.conv.weight.grad(&of_judging).is_some()));
            }
        }
    }

    #[test]
    fn a_clip_is_judged_by_its_label_too() {
        let device = Device::flex();
        let videos = VideoDiscriminator::new(&config(4), &device);
        let clips = NoiseSource::new(5).normal::<5>([1, 4, 3, 16, 16], &device).repeat_dim(0, 2);
        let verdict = |labels: [[f32; 3]; 2]| {
            let verdicts = videos.judge(clips.clone(), Tensor::from_floats(labels, &device));
            assert_eq!(verdicts.dims(), [2]);
            verdicts.into_data().try_to_vec::<f32>().unwrap()
        };
        let same = verdict([[1.0, 0.0, 0.0]; 2]);
        assert!((same[0] - same[1]).abs() < 1e-6);
        let other = verdict([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]);
        assert!((other[0] - other[1]).abs() > 1e-6, "{other:?}");
    }
}
