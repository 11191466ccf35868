//! The generator: an encoder of frame 0, and a decoder whose transposed (1+2)D convolutions, one across frames and then
//! one inside each, make a clip of a single vector. After each of them the encoder's map of that size and the label
//! join the decoder's maps again: spatio-temporal fusion, by which what stays the same need not pass the vector.
//!
//! Maps are `[batch * frames, height, width, channels]`. No convolution that a norm follows has a bias, which the norm
//! would take away.

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Initializer, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::activation::{leaky_relu, tanh};
use burn::tensor::{Device, Tensor};

use super::config::{ImaginatorConfig, MIDDLE, MIDDLE_OF_FIRST, NOISE, SMALLEST};
use crate::{
    kernels::{Convolution, DoublingConvolution},
    lfae::blocks::norm,
    native::baseline::config::COLOURS,
    tensor::channels_last,
};

/// Length of the vector that frame 0 becomes.
const APPEARANCE: usize = 100;
/// Slope of the activations below zero.
const LEAK: f64 = 0.2;
/// Deviation of the initial weights (Radford et al. 2016).
const DEVIATION: f64 = 0.02;
/// A multiplication and an addition.
const MULTIPLY_ADD: usize = 2;

impl ImaginatorConfig {
    /// A generator with random weights.
    pub(crate) fn init(&self, device: &Device) -> Generator {
        let levels = self.levels();
        let from = |level: usize| if level == 0 { COLOURS } else { self.width(level) };
        let block = |number: usize| {
            let level = levels - number;
            let channels = [2 * self.width(level) + self.labels, from(level - 1)];
            DecoderBlock::new(channels, number < self.time_doublings(), level == 1, device)
        };
        Generator {
            encoder: (0..levels).map(|level| EncoderBlock::new([from(level), from(level + 1)], device)).collect(),
            to_appearance: linear([SMALLEST * SMALLEST * self.width(levels), APPEARANCE], device),
            first: FirstBlock::new(NOISE + APPEARANCE + self.labels, self.first_frames(), self.width(levels), device),
            decoder: (0..levels).map(block).collect(),
            frames: self.frames,
        }
    }
}

/// From frame 0, a label and noise to a clip.
#[derive(Module, Debug)]
pub(crate) struct Generator {
    /// From the largest map to the smallest.
    encoder: Vec<EncoderBlock>,
    to_appearance: Linear,
    first: FirstBlock,
    /// From the smallest map to the largest.
    decoder: Vec<DecoderBlock>,
    /// Frames per clip.
    #[module(skip)]
    frames: usize,
}

impl Generator {
    /// The clips.
    ///
    /// # Shapes
    /// - `image`: `[batch, 3, size, size]` in [-1, 1]
    /// - `noise`: `[batch, 512]`, normally distributed
    /// - `condition`: `[batch, labels]`
    /// - returns `[batch, frames, 3, size, size]` in [-1, 1]
    pub(crate) fn forward(&self, image: Tensor<4>, noise: Tensor<2>, condition: Tensor<2>) -> Tensor<5> {
        let [batch, _, size, _] = image.dims();
        let features = self.encode(image);
        let Some(smallest) = features.last() else { unreachable!("an encoder has blocks") };
        let appearance = self.to_appearance.forward(smallest.clone().flatten(1, 3));
        let x = self.first.forward(Tensor::cat(vec![noise, condition.clone(), appearance], 1));
        let x = self
            .decoder
            .iter()
            .zip(features.into_iter().rev())
            .fold(x, |x, (block, features)| block.forward(fuse(x, features, &condition), batch));
        let frames = x.dims()[0] / batch;
        let clips = tanh(x).reshape([batch, frames, size, size, COLOURS]).permute([0, 1, 4, 2, 3]);
        clips.narrow(1, 0, self.frames)
    }

    /// The maps of an image at every size below its own, `[batch, side, side, channels]` each.
    fn encode(&self, image: Tensor<4>) -> Vec<Tensor<4>> {
        let mut x = channels_last(image);
        let features = self.encoder.iter().map(|block| {
            x = block.forward(x.clone());
            x.clone()
        });
        features.collect()
    }

    /// Floating-point operations of a clip: two for each multiply-add of the convolutions and linear layers.
    pub(crate) fn flops(&self) -> u64 {
        let levels = self.encoder.len();
        let encoder = self.encoder.iter().enumerate().map(|(level, block)| {
            let side = SMALLEST << (levels - 1 - level);
            elements(&block.conv.weight) * side * side
        });
        let mut frames = self.first.frames;
        let first = elements(&self.first.across.weight) + frames * elements(&self.first.within.weight);
        let decoder = self.decoder.iter().enumerate().map(|(number, block)| {
            let (cells, before) = ((SMALLEST << number).pow(2), frames);
            frames *= block.time_factor();
            // Every input of a transposed convolution meets the whole kernel.
            cells * (before * elements(&block.across.weight) + frames * elements(&block.within.weight))
        });
        let appearance = elements(&self.to_appearance.weight);
        (MULTIPLY_ADD * (encoder.sum::<usize>() + appearance + first + decoder.sum::<usize>())) as u64
    }
}

/// A convolution that halves the side, batch norm, leaky ReLU.
#[derive(Module, Debug)]
struct EncoderBlock {
    /// `[out, in, 4, 4]`
    conv: Conv2d,
    norm: BatchNorm,
}

impl EncoderBlock {
    fn new(channels: [usize; 2], device: &Device) -> Self {
        let conv = Conv2dConfig::new(channels, [4, 4])
            .with_stride([2, 2])
            .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
            .with_bias(false)
            .with_initializer(initializer())
            .init(device);
        Self { conv, norm: BatchNormConfig::new(channels[1]).init(device) }
    }

    /// # Shapes
    /// - `x`: `[batch, height, width, in]`
    /// - returns `[batch, height / 2, width / 2, out]`
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        activate(&self.norm, Convolution::of(&self.conv).forward(x))
    }
}

/// The transposed (1+2)D convolution of a single vector, which is linear in both halves.
#[derive(Module, Debug)]
struct FirstBlock {
    /// Weight `[in, frames * middle]`.
    across: Linear,
    middle_norm: BatchNorm,
    /// Weight `[middle, 4 * 4 * out]`.
    within: Linear,
    norm: BatchNorm,
    #[module(skip)]
    frames: usize,
}

impl FirstBlock {
    fn new(from: usize, frames: usize, to: usize, device: &Device) -> Self {
        let middle = MIDDLE_OF_FIRST * to;
        Self {
            across: linear([from, frames * middle], device),
            middle_norm: BatchNormConfig::new(middle).init(device),
            within: linear([middle, SMALLEST * SMALLEST * to], device),
            norm: BatchNormConfig::new(to).init(device),
            frames,
        }
    }

    /// # Shapes
    /// - `x`: `[batch, in]`
    /// - returns `[batch * frames, 4, 4, out]`
    fn forward(&self, x: Tensor<2>) -> Tensor<4> {
        let rows = x.dims()[0] * self.frames;
        let x = self.across.forward(x).reshape([rows as i32, 1, 1, -1]);
        let x = self.within.forward(activate(&self.middle_norm, x).flatten::<2>(1, 3));
        activate(&self.norm, x.reshape([rows as i32, SMALLEST as i32, SMALLEST as i32, -1]))
    }
}

/// A transposed (1+2)D convolution that doubles the side and perhaps the frames. A batch norm and a leaky ReLU follow
/// each half, but not the last of all.
#[derive(Module, Debug)]
struct DecoderBlock {
    /// `[2 * middle, in, 2, 1]` if the frames are doubled, else `[middle, in, 3, 1]`.
    across: Conv2d,
    middle_norm: BatchNorm,
    /// `[middle, out, 4, 4]`
    within: ConvTranspose2d,
    norm: Option<BatchNorm>,
}

impl DecoderBlock {
    fn new([from, to]: [usize; 2], doubles_time: bool, is_last: bool, device: &Device) -> Self {
        let middle = MIDDLE * to;
        let (made, kernel) = if doubles_time { (2 * middle, 2) } else { (middle, 3) };
        let within = ConvTranspose2dConfig::new([middle, to], [4, 4]).with_stride([2, 2]).with_padding([1, 1]);
        Self {
            across: Conv2dConfig::new([from, made], [kernel, 1])
                .with_padding(PaddingConfig2d::Explicit(1, 0, 1, 0))
                .with_bias(false)
                .with_initializer(initializer())
                .init(device),
            middle_norm: BatchNormConfig::new(middle).init(device),
            within: within.with_bias(is_last).with_initializer(initializer()).init(device),
            norm: (!is_last).then(|| BatchNormConfig::new(to).init(device)),
        }
    }

    /// Frames that it makes of one.
    fn time_factor(&self) -> usize {
        if self.across.kernel_size[0] == 2 { 2 } else { 1 }
    }

    /// # Shapes
    /// - `x`: `[batch * frames, height, width, in]`
    /// - returns `[batch * factor * frames, 2 * height, 2 * width, out]`
    fn forward(&self, x: Tensor<4>, batch: usize) -> Tensor<4> {
        let x = activate(&self.middle_norm, self.across(x, batch));
        let x = DoublingConvolution::transposed(&self.within).forward(x);
        match &self.norm {
            Some(norm) => activate(norm, x),
            None => x,
        }
    }

    /// The half across frames.
    ///
    /// Doubled, it is a transposed convolution of 4 frames, stride 2 and padding 1. Each frame that this makes depends
    /// on two neighbours, and each two neighbours make two frames, so that it is a plain convolution over pairs.
    fn across(&self, x: Tensor<4>, batch: usize) -> Tensor<4> {
        let [n, height, width, channels] = x.dims();
        let (frames, cells) = (n / batch, height * width);
        let x = Convolution::of(&self.across).forward(x.reshape([batch, frames, cells, channels]));
        let [_, pairs, _, made] = x.dims();
        if self.time_factor() == 1 {
            return x.reshape([n, height, width, made]);
        }
        let middle = made / 2;
        // The first and the last pair reach beyond the clip, and so does one frame of each.
        let x = x.reshape([batch, pairs, cells, 2, middle]).permute([0, 1, 3, 2, 4]);
        let x = x.reshape([batch, 2 * pairs, cells, middle]).narrow(1, 1, 2 * frames);
        x.reshape([2 * n, height, width, middle])
    }
}

/// The decoder's maps, the encoder's of the same size and the label, both repeated over time.
///
/// # Shapes
/// - `x`: `[batch * frames, height, width, channels]`
/// - `features`: `[batch, height, width, channels]`
/// - `condition`: `[batch, labels]`
/// - returns `[batch * frames, height, width, 2 * channels + labels]`
fn fuse(x: Tensor<4>, features: Tensor<4>, condition: &Tensor<2>) -> Tensor<4> {
    let [n, height, width, _] = x.dims();
    let [batch, labels] = condition.dims();
    let everywhere = condition.clone().reshape([batch, 1, 1, labels]).expand([batch, height, width, labels]);
    let still = Tensor::cat(vec![features, everywhere], 3);
    let channels = still.dims()[3];
    let repeated = still.unsqueeze_dim::<5>(1).expand([batch, n / batch, height, width, channels]);
    Tensor::cat(vec![x, repeated.reshape([n, height, width, channels])], 3)
}

fn activate(of: &BatchNorm, x: Tensor<4>) -> Tensor<4> {
    leaky_relu(norm(of, x), LEAK)
}

fn linear([from, to]: [usize; 2], device: &Device) -> Linear {
    LinearConfig::new(from, to).with_bias(false).with_initializer(initializer()).init(device)
}

fn initializer() -> Initializer {
    Initializer::Normal { mean: 0.0, std: DEVIATION }
}

fn elements<const D: usize>(weight: &Param<Tensor<D>>) -> usize {
    weight.lazy_shape().num_elements()
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Distribution, Tolerance, module::conv_transpose2d, ops::ConvTransposeOptions};

    use super::*;

    fn clip_of(config: &ImaginatorConfig, generator: &Generator, seed: u64, label: usize) -> Tensor<5> {
        let device = Device::flex();
        let mut noise = crate::noise::NoiseSource::new(seed);
        let image = Tensor::<4>::full([1, 3, config.size, config.size], 0.3, &device);
        let condition = Tensor::<2>::zeros([1, config.labels], &device);
        let condition = condition.slice_fill([0..1, label..label + 1], 1.0);
        generator.forward(image, noise.normal([1, NOISE], &device), condition)
    }

    #[test]
    fn clips_have_any_size_and_length_and_follow_label_and_noise() {
        let device = Device::flex();
        for (size, frames) in [(16, 2), (16, 5), (32, 16), (64, 4)] {
            let config = ImaginatorConfig { size, frames, labels: 3, channels: 2 };
            let generator = config.init(&device);
            let clip = clip_of(&config, &generator, 1, 0);
            assert_eq!(clip.dims(), [1, frames, 3, size, size]);
            assert!(clip.clone().abs().max().into_scalar::<f32>() <= 1.0);
            let differs = |seed, label| {
                let other = clip_of(&config, &generator, seed, label);
                (other - clip.clone()).abs().max().into_scalar::<f32>() > 0.0
            };
            assert!(!differs(1, 0), "the same label and noise make the same clip");
            assert!(differs(2, 0) && differs(1, 2), "noise and label both matter");
        }
    }

    #[test]
    fn neighbours_make_the_frames_of_a_transposed_convolution() {
        let device = Device::flex();
        let (batch, frames, from) = (2, 5, 7);
        let block = DecoderBlock::new([from, COLOURS], true, true, &device);
        let middle = MIDDLE * COLOURS;
        let x = Tensor::<4>::random([batch * frames, 2, 3, from], Distribution::Normal(0.0, 1.0), &device);
        // Frame 2s - 1 is of neighbours s - 1 and s by taps 2 and 0, frame 2s by taps 3 and 1.
        let weight = block.across.weight.val().reshape([2, middle, from, 2]);
        let tap = |frame: usize, neighbour: usize| {
            let tap = weight.clone().narrow(0, frame, 1).narrow(3, neighbour, 1);
            tap.reshape([middle, from, 1, 1]).swap_dims(0, 1)
        };
        let taps = Tensor::cat(vec![tap(0, 1), tap(1, 1), tap(0, 0), tap(1, 0)], 2);
        let by_time = x.clone().reshape([batch, frames, 6, from]).permute([0, 3, 1, 2]);
        let options = ConvTransposeOptions::new([2, 1], [1, 0], [0, 0], [1, 1], 1);
        let expected = channels_last(conv_transpose2d(by_time, taps, None, options));
        let made = block.across(x, batch).reshape([batch, 2 * frames, 6, middle]);
        made.into_data().assert_approx_eq::<f32>(&expected.into_data(), Tolerance::absolute(1e-5));
    }

    #[test]
    fn the_papers_network_is_counted_as_by_hand() {
        let config = ImaginatorConfig { size: 64, frames: 32, labels: 6, channels: 64 };
        let encoder = 16 * (3 * 64 * 1024 + 64 * 128 * 256 + 128 * 256 * 64 + 256 * 512 * 16) + 16 * 512 * 100;
        let first = 618 * 2 * 4096 + 2 * 4096 * 16 * 512;
        let block = |frames: u64, cells: u64, [from, middle, to]: [u64; 3]| {
            frames * cells * from * middle * 4 + 2 * frames * cells * middle * to * 16
        };
        let decoder = block(2, 16, [1030, 3072, 256])
            + block(4, 64, [518, 1536, 128])
            + block(8, 256, [262, 768, 64])
            + block(16, 1024, [134, 36, 3]);
        assert_eq!(config.init(&Device::flex()).flops(), 2 * (encoder + first + decoder));
    }
}
