//! I3D, the network behind the Frechet video distances of the field (Carreira and Zisserman 2017,
//! "Quo Vadis, Action Recognition?"): an Inception-v1 whose squares have become cubes, trained to
//! name the actions of Kinetics-400.
//!
//! Users bring the weights, under the keys of the usual PyTorch conversion
//! (`Conv3d_1a_7x7.conv3d.weight`, `Mixed_3b.b1a.bn.running_var`, `logits.conv3d.bias` …). Nothing
//! is downloaded.

use burn::module::Module;
use burn::nn::conv::{Conv3d, Conv3dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::{MaxPoolOptions, PadMode};
use burn::tensor::{Device, Tensor};

use crate::weights::{StateDict, WeightsError, load_module};

/// Side of the frames that it looks at.
pub(crate) const SIZE: usize = 224;
/// Frames that a clip needs: fewer leave nothing for the last average, over two steps of time.
pub(crate) const MIN_FRAMES: usize = 9;

/// Key, kernel and stride of the convolutions before the Inception modules. After the first and the
/// last of them, a window halves frames again, though not time.
const STEM: [(&str, usize, usize); 3] = [("Conv3d_1a_7x7", 7, 2), ("Conv3d_2b_1x1", 1, 1), ("Conv3d_2c_3x3", 3, 1)];
/// Key of every Inception module, with the side of the window before it that halves space and time,
/// if there is one.
const MIXED: [(&str, Option<usize>); 9] = [
    ("Mixed_3b", None),
    ("Mixed_3c", None),
    ("Mixed_4b", Some(3)),
    ("Mixed_4c", None),
    ("Mixed_4d", None),
    ("Mixed_4e", None),
    ("Mixed_4f", None),
    ("Mixed_5b", Some(2)),
    ("Mixed_5c", None),
];
/// Epsilon of the batch norms.
const EPSILON: f64 = 1e-3;

/// From a clip to the logits of its action. It is never trained.
#[derive(Module, Debug)]
pub(crate) struct I3d {
    stem: Vec<Unit>,
    mixed: Vec<Inception>,
    /// Weight `[channels, actions]`.
    logits: Linear,
}

impl I3d {
    /// A network as wide as `weights`.
    ///
    /// # Errors
    /// Missing, unexpected and misshapen keys, all of them.
    pub(crate) fn new(weights: &StateDict, device: &Device) -> Result<Self, WeightsError> {
        // A missing or misshapen layer gets some width here, and is named when the weights are loaded.
        let width = |key: &str| {
            let weight = weights.get(&format!("{key}.conv3d.weight"));
            weight.and_then(|weight| weight.shape().first().copied()).unwrap_or(1).max(1)
        };
        let mut input = 3;
        let stem = STEM.map(|(key, kernel, stride)| {
            let unit = Unit::new([input, width(key)], kernel, stride, device);
            input = width(key);
            unit
        });
        let mixed = MIXED.map(|(key, _)| {
            let [b0, b1a, b1b, b2a, b2b, b3b] =
                ["b0", "b1a", "b1b", "b2a", "b2b", "b3b"].map(|branch| width(&format!("{key}.{branch}")));
            let inception = Inception {
                b0: Unit::new([input, b0], 1, 1, device),
                b1a: Unit::new([input, b1a], 1, 1, device),
                b1b: Unit::new([b1a, b1b], 3, 1, device),
                b2a: Unit::new([input, b2a], 1, 1, device),
                b2b: Unit::new([b2a, b2b], 3, 1, device),
                b3b: Unit::new([input, b3b], 1, 1, device),
            };
            input = b0 + b1b + b2b + b3b;
            inception
        });
        let logits = LinearConfig::new(input, width("logits")).init(device);
        let network = Self { stem: stem.into(), mixed: mixed.into(), logits };
        load_module(network, weights, &key)
    }

    /// Number of actions.
    pub(crate) fn actions(&self) -> usize {
        self.logits.weight.dims()[1]
    }

    /// Logits, averaged over time.
    ///
    /// # Shapes
    ///
    /// - `clips`: `[batch, 3, frames, 224, 224]`, RGB in `[-1, 1]`, at least 9 frames
    /// - returns `[batch, actions]`
    pub(crate) fn forward(&self, clips: Tensor<5>) -> Tensor<2> {
        let mut x = clips;
        for (index, unit) in self.stem.iter().enumerate() {
            x = unit.forward(x);
            if index != 1 {
                x = max_pool(x, [1, 3, 3], [1, 2, 2]);
            }
        }
        for (inception, (_, halving)) in self.mixed.iter().zip(MIXED) {
            if let Some(side) = halving {
                x = max_pool(x, [side; 3], [2; 3]);
            }
            x = inception.forward(x);
        }
        let [batch, channels, frames, ..] = x.dims();
        let x = x.mean_dims(&[3, 4]).reshape([batch, channels, frames]);
        let pairs = (x.clone().narrow(2, 0, frames - 1) + x.narrow(2, 1, frames - 1)) / 2.0;
        self.logits.forward(pairs.mean_dim(2).reshape([batch, channels]))
    }
}

/// The PyTorch key of a module's path.
fn key(path: &str) -> String {
    let layer = |list: &[&str], rest: &str| -> Option<String> {
        let (index, rest) = rest.split_once('.')?;
        Some(format!("{}.{rest}", list.get(index.parse::<usize>().ok()?)?))
    };
    if let Some(rest) = path.strip_prefix("stem.") {
        layer(&STEM.map(|(key, ..)| key), rest)
    } else if let Some(rest) = path.strip_prefix("mixed.") {
        layer(&MIXED.map(|(key, _)| key), rest)
    } else {
        path.strip_prefix("logits.").map(|rest| format!("logits.conv3d.{rest}"))
    }
    .unwrap_or_else(|| path.to_owned())
}

/// A convolution, its batch norm and ReLU.
#[derive(Module, Debug)]
struct Unit {
    conv3d: Conv3d,
    bn: BatchNorm,
}

impl Unit {
    fn new(channels: [usize; 2], kernel: usize, stride: usize, device: &Device) -> Self {
        let conv3d = Conv3dConfig::new(channels, [kernel; 3]).with_stride([stride; 3]).with_bias(false).init(device);
        Self { conv3d, bn: BatchNormConfig::new(channels[1]).with_epsilon(EPSILON).init(device) }
    }

    /// # Shapes
    /// - `x`: `[batch, from, frames, height, width]`
    /// - returns `[batch, to, frames / stride, height / stride, width / stride]`, rounded up
    fn forward(&self, x: Tensor<5>) -> Tensor<5> {
        relu(self.bn.forward(self.conv3d.forward(padded(x, self.conv3d.kernel_size, self.conv3d.stride))))
    }
}

/// Four views of the same place: one point, two cubes of different width, and the strongest of its
/// neighbours.
#[derive(Module, Debug)]
struct Inception {
    b0: Unit,
    b1a: Unit,
    b1b: Unit,
    b2a: Unit,
    b2b: Unit,
    b3b: Unit,
}

impl Inception {
    fn forward(&self, x: Tensor<5>) -> Tensor<5> {
        let branches = vec![
            self.b0.forward(x.clone()),
            self.b1b.forward(self.b1a.forward(x.clone())),
            self.b2b.forward(self.b2a.forward(x.clone())),
            self.b3b.forward(max_pool(x, [3; 3], [1; 3])),
        ];
        Tensor::cat(branches, 1)
    }
}

/// Zeros around frames and time, so that a window with this stride starts at every stride-th place
/// (TensorFlow's "SAME"). Half of them go before, the odd one behind.
fn padded(x: Tensor<5>, kernel: [usize; 3], stride: [usize; 3]) -> Tensor<5> {
    let dims = x.dims();
    let padding = [0, 1, 2].map(|axis| {
        let rest = dims[axis + 2] % stride[axis];
        let lacking = kernel[axis].saturating_sub(if rest == 0 { stride[axis] } else { rest });
        (lacking / 2, lacking - lacking / 2)
    });
    if padding == [(0, 0); 3] { x } else { x.pad(padding, PadMode::Constant(0.0)) }
}

/// The maximum over windows, first inside frames, then across them. Values are not negative, so the
/// zeros around them change nothing.
fn max_pool(x: Tensor<5>, kernel: [usize; 3], stride: [usize; 3]) -> Tensor<5> {
    let x = padded(x, kernel, stride);
    let pool = |x: Tensor<4>, kernel_size: [usize; 2], stride: [usize; 2]| {
        let options = MaxPoolOptions { kernel_size, stride, padding: [(0, 0); 2], dilation: [1; 2], ceil_mode: false };
        max_pool2d(x, options)
    };
    let [batch, channels, frames, height, width] = x.dims();
    let x = x.reshape([batch, channels * frames, height, width]);
    let x = pool(x, [kernel[1], kernel[2]], [stride[1], stride[2]]);
    let [_, _, height, width] = x.dims();
    let x = pool(x.reshape([batch, channels, frames, height * width]), [kernel[0], 1], [stride[0], 1]);
    let frames = x.dims()[2];
    x.reshape([batch, channels, frames, height, width])
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use burn::tensor::{DType, TensorData};

    /// Evenly spread values in `[0, 1)`, the same on every machine and easily made elsewhere: the
    /// finaliser of MurmurHash3.
    fn uniform(salt: u32, count: usize) -> impl Iterator<Item = f64> {
        (0..count as u32).map(move |index| {
            let mut hash = index.wrapping_mul(2_654_435_761).wrapping_add(salt.wrapping_mul(2_246_822_519));
            hash = (hash ^ (hash >> 16)).wrapping_mul(2_246_822_507);
            hash = (hash ^ (hash >> 13)).wrapping_mul(3_266_489_909);
            f64::from(hash ^ (hash >> 16)) / 2f64.powi(32)
        })
    }

    /// A network of the real depth and an eighth of the width, which tells five actions apart.
    pub(crate) fn weights() -> StateDict {
        const WIDTHS: [[usize; 6]; 9] = [
            [64, 96, 128, 16, 32, 32],
            [128, 128, 192, 32, 96, 64],
            [192, 96, 208, 16, 48, 64],
            [160, 112, 224, 24, 64, 64],
            [128, 128, 256, 24, 64, 64],
            [112, 144, 288, 32, 64, 64],
            [256, 160, 320, 32, 128, 128],
            [256, 160, 320, 32, 128, 128],
            [384, 192, 384, 48, 128, 128],
        ];
        let mut shapes: Vec<(String, Vec<usize>)> = Vec::new();
        let mut unit = |key: String, [input, output]: [usize; 2], kernel: usize| {
            shapes.push((format!("{key}.conv3d.weight"), vec![output, input, kernel, kernel, kernel]));
            for leaf in ["weight", "bias", "running_mean", "running_var"] {
                shapes.push((format!("{key}.bn.{leaf}"), vec![output]));
            }
        };
        let mut input = 3;
        for ((key, kernel, _), output) in STEM.into_iter().zip([8, 8, 24]) {
            unit(key.into(), [input, output], kernel);
            input = output;
        }
        for ((key, _), widths) in MIXED.into_iter().zip(WIDTHS) {
            let [b0, b1a, b1b, b2a, b2b, b3b] = widths.map(|width| width / 8);
            unit(format!("{key}.b0"), [input, b0], 1);
            unit(format!("{key}.b1a"), [input, b1a], 1);
            unit(format!("{key}.b1b"), [b1a, b1b], 3);
            unit(format!("{key}.b2a"), [input, b2a], 1);
            unit(format!("{key}.b2b"), [b2a, b2b], 3);
            unit(format!("{key}.b3b"), [input, b3b], 1);
            input = b0 + b1b + b2b + b3b;
        }
        shapes.push(("logits.conv3d.weight".into(), vec![5, input, 1, 1, 1]));
        shapes.push(("logits.conv3d.bias".into(), vec![5]));
        shapes.sort();

        let mut weights = StateDict::default();
        for (salt, (key, shape)) in shapes.into_iter().enumerate() {
            let [count, inputs] = [0, 1].map(|axis| shape[axis..].iter().product::<usize>());
            let value = |value: f64| match key.rsplit_once('.') {
                Some((layer, "weight")) if layer.ends_with("conv3d") => {
                    (2.0 * value - 1.0) * (6.0 / inputs as f64).sqrt()
                }
                Some((_, "weight" | "running_var")) => value + 0.5,
                Some(("logits.conv3d", _)) => value - 0.5,
                _ => (value - 0.5) * 0.4,
            };
            let values: Vec<f32> = uniform(salt as u32, count).map(|draw| value(draw) as f32).collect();
            weights.insert(key.clone(), TensorData::new(values, shape));
        }
        weights
    }

    /// The logits of the PyTorch conversion with these weights, its widths divided by eight, for 9
    /// and 17 frames of noise: windows over odd lengths lie unevenly, and the last average has one
    /// place and two.
    #[test]
    fn logits_are_those_of_the_usual_conversion() {
        let device = Device::flex();
        let network = I3d::new(&weights(), &device).unwrap();
        assert_eq!(network.actions(), 5);
        for (frames, expected) in [
            (9, [1.801_982, 1.976_497, 4.807_148, 2.784_308, -1.825_166]),
            (17, [5.398_799, 3.380_455, 3.871_055, 5.674_996, -1.811_907]),
        ] {
            let shape = [1, 3, frames, SIZE, SIZE];
            let noise: Vec<f32> =
                uniform(10_000, shape.iter().product()).map(|value| (2.0 * value - 1.0) as f32).collect();
            let logits = network.forward(Tensor::from_data(TensorData::new(noise, shape), &device));
            let logits: Vec<f32> = logits.into_data().iter().collect();
            for (found, expected) in logits.iter().zip(expected) {
                assert!((found - expected).abs() < 1e-3, "{frames} frames: {logits:?}");
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let mut weights = weights().filter(|key| key != "Mixed_4d.b1b.bn.running_var");
        weights.insert("end_point", TensorData::zeros::<f32, _>([1]));
        weights.insert("Mixed_3b.b0.conv3d.weight", TensorData::from_bytes_vec(vec![0; 4], [0; 0], DType::F32));
        let message = I3d::new(&weights, &Device::flex()).unwrap_err().to_string();
        for part in
            ["missing Mixed_4d.b1b.bn.running_var; unexpected end_point", "`Mixed_3b.b0.conv3d.weight` should be"]
        {
            assert!(message.contains(part), "{message}");
        }
    }
}
