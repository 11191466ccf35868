//! Motion as the diffusion model sees it: flow and occlusion, normalised and stacked into a video
//! of three channels, or of four times as many on half the grid, or of twice as many in half the
//! frames.

use std::iter::repeat_n;

use burn::tensor::module::avg_pool2d;
use burn::tensor::ops::AvgPoolOptions;
use burn::tensor::{Device, Tensor, TensorData};

use super::config::Diffused;
use crate::kernels::wavelet_motion;
use crate::motion::Motion;
use crate::tensor::{
    WAVELETS, coordinate_grid, haar, haar_of_pairs, inverse_haar, inverse_haar_of_pairs, upsample_nearest,
};
use crate::weights::{StateDict, WeightsError};

const MEAN_KEY: &str = "motion.mean";
const STD_KEY: &str = "motion.std";
/// A channel that never moves is not blown up further than this.
const MIN_STD: f64 = 1e-3;

/// Planes of motion: flow x, flow y and occlusion.
const PLANES: usize = 3;

/// The map between motion and what is diffused: `x = (z - mean) / std`.
///
/// `z` holds flow x, flow y and occlusion, or the wavelets of the flow, then those of the occlusion:
/// over the grid ([`haar`]), over frames ([`haar_of_pairs`]), or over frames of those over the grid.
/// The number of channels tells them apart.
#[derive(Debug, Clone)]
pub struct MotionCodec {
    /// Per cell, `[channels, height, width]`.
    mean: Tensor<3>,
    /// Per channel, `[channels]`.
    std: Tensor<1>,
}

impl MotionCodec {
    /// The official normalisation: occlusion to [-1, 1]; flow as it is, or as an offset from the
    /// identity if `residual`.
    pub fn official(size: [usize; 2], residual: bool, device: &Device) -> Self {
        let [height, width] = size;
        let flow = if residual {
            coordinate_grid(size, device).permute([2, 0, 1])
        } else {
            Tensor::zeros([2, height, width], device)
        };
        let mean = Tensor::cat(vec![flow, Tensor::full([1, height, width], 0.5, device)], 0);
        Self { mean, std: Tensor::from_data([1.0f32, 1.0, 0.5], device) }
    }

    /// Leaves `[channels, height, width]` as they are.
    #[cfg(feature = "gpu")]
    pub(crate) fn identity(shape: [usize; 3], device: &Device) -> Self {
        let number = |count: usize, value: f32| TensorData::new(vec![value; count], [count]);
        let mean = Tensor::<1>::from_data(number(shape.iter().product(), 0.0), device).reshape(shape);
        Self { mean, std: Tensor::from_data(number(shape[0], 1.0), device) }
    }

    /// Reads `motion.mean` and `motion.std`.
    ///
    /// # Errors
    /// [`WeightsError`] where one of them is missing or of another rank.
    pub fn from_state(dict: &StateDict, device: &Device) -> Result<Self, WeightsError> {
        Ok(Self { mean: dict.tensor(MEAN_KEY, device)?, std: dict.tensor(STD_KEY, device)? })
    }

    /// Writes `motion.mean` and `motion.std`.
    pub fn to_state(&self) -> StateDict {
        let mut dict = StateDict::default();
        dict.insert(MEAN_KEY, self.mean.to_data());
        dict.insert(STD_KEY, self.std.to_data());
        dict
    }

    /// `[channels, height, width]` of a frame as it is diffused.
    pub fn shape(&self) -> [usize; 3] {
        self.mean.dims()
    }

    /// What the codec turns motion into.
    pub fn diffused(&self) -> Diffused {
        let channels = self.mean.dims()[0];
        Diffused::MOTION.into_iter().find(|diffused| diffused.channels() == channels).unwrap_or(Diffused::Motion)
    }

    /// Height and width of the flow grid.
    pub fn size(&self) -> [usize; 2] {
        let [_, height, width] = self.mean.dims();
        [height, width].map(|side| side * self.diffused().cells())
    }

    /// Normalises motion and stacks it into videos.
    ///
    /// # Shapes
    /// - `motion`: of `batch * frames` frames, the frames of one video in a row; an even number of frames if they are
    ///   diffused in pairs
    /// - result: `[batch, channels, frames, height, width]`, with half the frames if they are pairs
    pub fn encode(&self, motion: &Motion, batch: usize) -> Tensor<5> {
        let z = stack(motion, self.diffused());
        let [n, channels, height, width] = z.dims();
        let x = (z - self.mean.clone().unsqueeze::<4>()) / self.std.clone().reshape([1, channels, 1, 1]);
        x.reshape([batch, n / batch, channels, height, width]).permute([0, 2, 1, 3, 4])
    }

    /// Takes videos apart into motion.
    ///
    /// # Shapes
    /// - `x`: `[batch, channels, frames, height, width]`
    /// - result: motion of `batch * frames` frames, or of twice as many if they are pairs; occlusion clamped to [0, 1]
    pub fn decode(&self, x: Tensor<5>) -> Motion {
        let [batch, channels, frames, height, width] = x.dims();
        let x = x.permute([0, 2, 1, 3, 4]).reshape([batch * frames, channels, height, width]);
        if self.diffused() == Diffused::MotionWavelets {
            return wavelet_motion(x, &self.mean, &self.std);
        }
        let z = x * self.std.clone().reshape([1, channels, 1, 1]) + self.mean.clone().unsqueeze::<4>();
        let (bands, diffused) = (channels / PLANES, self.diffused());
        let [flow, occlusion] = [z.clone().narrow(1, 0, 2 * bands), z.narrow(1, 2 * bands, bands)]
            .map(|planes| if diffused.frames() > 1 { inverse_haar_of_pairs(planes) } else { planes })
            .map(|planes| if diffused.cells() > 1 { inverse_haar(planes) } else { planes });
        Motion { flow: flow.permute([0, 2, 3, 1]), occlusion: occlusion.clamp(0.0, 1.0) }
    }
}

/// Running sums over a training set, in double precision, from which a codec is fitted.
#[derive(Debug, Clone)]
pub struct MotionStatistics {
    diffused: Diffused,
    /// `[channels, height, width]` of what is diffused.
    shape: [usize; 3],
    count: usize,
    /// Per channel and cell.
    sum: Vec<f64>,
    sum_of_squares: Vec<f64>,
}

impl MotionStatistics {
    /// Starts empty, for motion of `size`, height and width of the flow grid.
    pub fn new(size: [usize; 2], diffused: Diffused) -> Self {
        let [height, width] = size.map(|side| side / diffused.cells());
        let shape = [diffused.channels(), height, width];
        let cells = shape.iter().product();
        Self { diffused, shape, count: 0, sum: vec![0.0; cells], sum_of_squares: vec![0.0; cells] }
    }

    /// Adds every frame of `motion`, reading it back from its device. The frames must be as
    /// [`MotionCodec::encode`] takes them.
    pub fn add(&mut self, motion: &Motion) {
        let n = motion.flow.dims()[0] / self.diffused.frames();
        let values = stack(motion, self.diffused).into_data();
        for (index, value) in values.iter::<f64>().enumerate() {
            let cell = index % self.sum.len();
            self.sum[cell] += value;
            self.sum_of_squares[cell] += value * value;
        }
        self.count += n;
    }

    /// The codec that gives this set zero mean in every cell and unit variance in every channel.
    pub fn codec(&self, device: &Device) -> MotionCodec {
        let [channels, height, width] = self.shape;
        let count = self.count.max(1) as f64;
        let mean: Vec<f64> = self.sum.iter().map(|sum| sum / count).collect();
        let variance: Vec<f64> = (self.sum_of_squares.iter().zip(&mean))
            .map(|(squares, mean)| (squares / count - mean * mean).max(0.0))
            .collect();
        let cells = height * width;
        let std: Vec<f32> = variance
            .chunks_exact(cells)
            .map(|channel| (channel.iter().sum::<f64>() / cells as f64).sqrt().max(MIN_STD) as f32)
            .collect();
        let mean: Vec<f32> = mean.into_iter().map(|mean| mean as f32).collect();
        MotionCodec {
            mean: Tensor::from_data(TensorData::new(mean, [channels, height, width]), device),
            std: Tensor::from_data(TensorData::new(std, [channels]), device),
        }
    }
}

/// `z` of every frame, or of every two, `[n, channels, height, width]`: see [`MotionCodec`].
fn stack(motion: &Motion, diffused: Diffused) -> Tensor<4> {
    let planes = [motion.flow.clone().permute([0, 3, 1, 2]), motion.occlusion.clone()]
        .map(|planes| if diffused.cells() > 1 { haar(planes) } else { planes })
        .map(|planes| if diffused.frames() > 1 { haar_of_pairs(planes) } else { planes });
    Tensor::cat(planes.to_vec(), 1)
}

/// The detail of diffused motion: what differs within two by two cells of its grid.
///
/// # Shapes
/// - `x` and result: `[batch, channels, frames, height, width]`, with even sides unless it holds
///   wavelets
pub(super) fn detail(x: Tensor<5>, diffused: Diffused) -> Tensor<5> {
    if diffused.cells() > 1 {
        // Flow and occlusion, each of every band over frames.
        let lengths = [PLANES - 1, 1].into_iter().flat_map(|planes| repeat_n(WAVELETS * planes, diffused.frames()));
        let starts = lengths.clone().scan(0, |end, length| Some(std::mem::replace(end, *end + length)));
        let bands = starts.zip(lengths).map(|(start, length)| without_means(x.clone().narrow(1, start, length)));
        return Tensor::cat(bands.collect(), 1);
    }
    let [batch, channels, frames, height, width] = x.dims();
    let images = x.clone().reshape([batch, channels * frames, height, width]);
    let means = upsample_nearest(avg_pool2d(images, AvgPoolOptions::new([2, 2]).with_stride([2, 2])));
    x - means.reshape([batch, channels, frames, height, width])
}

/// Which channels of wavelets are [`detail`].
pub(super) fn detail_channels(diffused: Diffused) -> Vec<bool> {
    let planes = [PLANES - 1, 1].into_iter().flat_map(|planes| repeat_n(planes, diffused.frames()));
    planes.flat_map(|planes| (0..WAVELETS * planes).map(move |channel| channel >= planes)).collect()
}

/// Wavelets with zero means. The means are the first of the [`WAVELETS`] bands.
///
/// # Shapes
/// - `bands` and result: `[batch, WAVELETS * planes, frames, height, width]`
fn without_means(bands: Tensor<5>) -> Tensor<5> {
    let channels = bands.dims()[1];
    let means = channels / WAVELETS;
    let zeros = bands.clone().narrow(1, 0, means).zeros_like();
    Tensor::cat(vec![zeros, bands.narrow(1, means, channels - means)], 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::NoiseSource;

    fn motion(device: &Device) -> Motion {
        let mut noise = NoiseSource::new(1);
        let flow = noise.normal([8, 4, 6, 2], device) * 0.1 + coordinate_grid([4, 6], device).unsqueeze::<4>();
        let occlusion = (noise.normal::<4>([8, 1, 4, 6], device) * 0.1 + 0.5).clamp(0.0, 1.0);
        Motion { flow, occlusion }
    }

    fn fitted(motion: &Motion, diffused: Diffused, device: &Device) -> MotionCodec {
        let mut statistics = MotionStatistics::new([4, 6], diffused);
        statistics.add(motion);
        statistics.codec(device)
    }

    fn distance<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> f32 {
        (a - b).abs().max().into_scalar()
    }

    #[test]
    fn decoding_undoes_encoding() {
        let device = Device::flex();
        let motion = motion(&device);
        let fitted = Diffused::MOTION.map(|diffused| fitted(&motion, diffused, &device));
        let reread = fitted.each_ref().map(|codec| MotionCodec::from_state(&codec.to_state(), &device).unwrap());
        let official = [false, true].map(|residual| MotionCodec::official([4, 6], residual, &device));
        assert_eq!(fitted.each_ref().map(MotionCodec::diffused), Diffused::MOTION);
        for codec in official.iter().chain(&fitted).chain(&reread) {
            let x = codec.encode(&motion, 2);
            let expected = match codec.diffused() {
                Diffused::Motion => [2, 3, 4, 4, 6],
                Diffused::MotionWavelets => [2, 12, 4, 2, 3],
                Diffused::MotionPairs => [2, 6, 2, 4, 6],
                Diffused::MotionWaveletPairs => [2, 24, 2, 2, 3],
                Diffused::Channels(_) => panic!("no motion"),
            };
            assert_eq!(x.dims(), expected);
            assert_eq!(codec.size(), [4, 6]);
            let decoded = codec.decode(x);
            assert!(distance(decoded.flow, motion.flow.clone()) < 1e-5);
            assert!(distance(decoded.occlusion, motion.occlusion.clone()) < 1e-5);
        }
    }

    #[test]
    fn detail_is_what_means_of_two_by_two_cells_leave() {
        let device = Device::flex();
        let motion = motion(&device);
        let fitted = Diffused::MOTION.map(|diffused| fitted(&motion, diffused, &device));
        for codec in fitted.into_iter().chain([MotionCodec::official([4, 6], true, &device)]) {
            let x = codec.encode(&motion, 2);
            let rest = x.clone() - detail(x.clone(), codec.diffused());
            // Decoded, and less what rest decodes to, so that means and scales of the codec do not
            // matter.
            let still = codec.decode(x.zeros_like());
            let planes = |x: Tensor<5>| {
                let Motion { flow, .. } = codec.decode(x);
                (flow - still.flow.clone()).permute([0, 3, 1, 2])
            };
            let (whole, coarse) = (haar(planes(x)), haar(planes(rest)));
            assert!(distance(coarse.clone().narrow(1, 0, 2), whole.clone().narrow(1, 0, 2)) < 1e-5, "means stay");
            assert!(coarse.narrow(1, 2, 6).abs().max().into_scalar::<f32>() < 1e-5, "and nothing else");
            assert!(whole.narrow(1, 2, 6).abs().max().into_scalar::<f32>() > 1e-2);
        }
    }

    #[test]
    fn a_fitted_codec_standardises_its_set() {
        let device = Device::flex();
        let motion = motion(&device);
        for diffused in Diffused::MOTION {
            let x = fitted(&motion, diffused, &device).encode(&motion, 1);
            assert!(x.clone().mean_dim(2).abs().max().into_scalar::<f32>() < 1e-5, "zero mean in every cell");
            let variance = (x.clone() * x).mean_dims(&[2, 3, 4]);
            assert!((variance - 1.0).abs().max().into_scalar::<f32>() < 1e-4, "unit variance in every channel");
        }
    }

    #[test]
    fn a_pair_that_stands_still_has_no_differences() {
        let device = Device::flex();
        let Motion { flow, occlusion } = motion(&device);
        let twice = |x: Tensor<4>| x.select(0, Tensor::from_ints([0, 0, 1, 1, 2, 2, 3, 3], &device));
        let still = Motion { flow: twice(flow.clone()), occlusion: twice(occlusion.clone()) };
        for (diffused, alone) in
            [(Diffused::MotionPairs, Diffused::Motion), (Diffused::MotionWaveletPairs, Diffused::MotionWavelets)]
        {
            let (pairs, alone) =
                (stack(&still, diffused), stack(&Motion { flow: flow.clone(), occlusion: occlusion.clone() }, alone));
            let alone = alone.narrow(0, 0, 4);
            let of_flow = alone.dims()[1] * 2 / 3;
            let of_occlusion = of_flow / 2;
            // The bands of the flow's means, then of its differences; the same of occlusion.
            let band = |start, length| pairs.clone().narrow(1, start, length);
            assert!(distance(band(0, of_flow), alone.clone().narrow(1, 0, of_flow)) < 1e-6);
            assert!(distance(band(2 * of_flow, of_occlusion), alone.narrow(1, of_flow, of_occlusion)) < 1e-6);
            for (start, length) in [(of_flow, of_flow), (2 * of_flow + of_occlusion, of_occlusion)] {
                assert_eq!(band(start, length).abs().max().into_scalar::<f32>(), 0.0);
            }
        }
    }

    #[test]
    fn the_identity_is_zero_for_the_residual_codec() {
        let device = Device::flex();
        let identity = Motion {
            flow: coordinate_grid([4, 6], &device).unsqueeze::<4>(),
            occlusion: Tensor::full([1, 1, 4, 6], 0.5, &device),
        };
        let x = MotionCodec::official([4, 6], true, &device).encode(&identity, 1);
        assert_eq!(x.abs().max().into_scalar::<f32>(), 0.0);
    }
}
