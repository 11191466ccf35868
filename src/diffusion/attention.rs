//! Attention over positions and over frames (Video Diffusion Models, Sec. 3; linear attention: Shen
//! et al. 2021).
//!
//! All blocks are residual and pre-normalised: `x + attention(norm(x))`. They take and give maps in channels-last
//! order with frames folded into the batch, `[batch * frames, height, width, channels]`.

use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::kernels::{Attention, LinearAttention};
use crate::layers::{Build, normal};

/// Buckets of the relative position bias: T5's, bidirectional.
const BUCKETS: usize = 32;
/// Distance from which all positions share the last bucket, in the official model.
pub const MAX_DISTANCE: usize = 32;
/// Wavelengths of the rotary embedding grow up to this (Su et al. 2021).
const ROTARY_THETA: f64 = 10_000.0;
/// Layer normalisation over the channels of each position, with a gain and no shift.
#[derive(Module, Debug)]
pub struct ChannelNorm {
    /// Gain, `[channels]`.
    pub gamma: Param<Tensor<1>>,
}

impl ChannelNorm {
    fn new(channels: usize, device: &Device) -> Self {
        Self { gamma: Param::from_tensor(Tensor::ones([channels], device)) }
    }
}

/// Linear attention over the positions of each frame.
#[derive(Module, Debug)]
pub struct SpatialLinearAttention {
    /// Before the projections.
    pub norm: ChannelNorm,
    /// Weight `[channels, 3 * heads * head_dim]`, no bias.
    pub to_qkv: Linear,
    /// Weight `[heads * head_dim, channels]`, with bias.
    pub to_out: Linear,
    /// The number of heads.
    pub heads: usize,
    /// Channels of each head.
    pub head_dim: usize,
}

impl SpatialLinearAttention {
    pub(crate) fn new(channels: usize, heads: usize, head_dim: usize, device: &Device) -> Self {
        Self {
            norm: ChannelNorm::new(channels, device),
            to_qkv: LinearConfig::new(channels, 3 * heads * head_dim).with_bias(false).build(device),
            to_out: LinearConfig::new(heads * head_dim, channels).build(device),
            heads,
            head_dim,
        }
    }

    /// `x + attention(norm(x))`.
    ///
    /// # Shapes
    /// - `x` and result: `[batch * frames, height, width, channels]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let [n, height, width, channels] = x.dims();
        let x = self.block().forward(x.reshape([n, height * width, channels]));
        x.reshape([n, height, width, channels])
    }

    /// The block as its kernel takes it.
    ///
    /// # Panics
    /// If the output projection has no bias; it has one unless weights were loaded that lack it.
    pub fn block(&self) -> LinearAttention {
        let Some(bias) = &self.to_out.bias else { panic!("the output of linear attention has a bias") };
        LinearAttention {
            heads: self.heads,
            head_dim: self.head_dim,
            gain: self.norm.gamma.val(),
            qkv: self.to_qkv.weight.val(),
            out: self.to_out.weight.val(),
            bias: bias.val(),
        }
    }
}

/// Softmax attention over the positions of each frame; used once, at the coarsest level.
#[derive(Module, Debug)]
pub struct SpatialAttention {
    /// Before the projections.
    pub norm: ChannelNorm,
    /// Weight `[channels, 3 * heads * head_dim]`, no bias.
    pub to_qkv: Linear,
    /// Weight `[heads * head_dim, channels]`, no bias.
    pub to_out: Linear,
    /// The number of heads.
    pub heads: usize,
    /// Channels of each head.
    pub head_dim: usize,
}

impl SpatialAttention {
    pub(crate) fn new(channels: usize, heads: usize, head_dim: usize, device: &Device) -> Self {
        Self {
            norm: ChannelNorm::new(channels, device),
            to_qkv: LinearConfig::new(channels, 3 * heads * head_dim).with_bias(false).build(device),
            to_out: LinearConfig::new(heads * head_dim, channels).with_bias(false).build(device),
            heads,
            head_dim,
        }
    }

    /// `x + attention(norm(x))`.
    ///
    /// # Shapes
    /// - `x` and result: `[batch * frames, height, width, channels]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let [n, height, width, channels] = x.dims();
        let x = self.block().forward(x.reshape([n, height * width, 1, channels]));
        x.reshape([n, height, width, channels])
    }

    /// The block as its kernel takes it.
    pub fn block(&self) -> Attention {
        Attention {
            heads: self.heads,
            head_dim: self.head_dim,
            gain: self.norm.gamma.val(),
            qkv: self.to_qkv.weight.val(),
            out: self.to_out.weight.val(),
            rotation: None,
            positions: None,
        }
    }
}

/// Softmax attention over the frames of each position, with rotary embedding and relative position
/// bias.
#[derive(Module, Debug)]
pub struct TemporalAttention {
    /// Before the projections.
    pub norm: ChannelNorm,
    /// Weight `[channels, 3 * heads * head_dim]`, no bias.
    pub to_qkv: Linear,
    /// Weight `[heads * head_dim, channels]`, no bias.
    pub to_out: Linear,
    /// The number of heads.
    pub heads: usize,
    /// Channels of each head.
    pub head_dim: usize,
}

impl TemporalAttention {
    pub(crate) fn new(channels: usize, heads: usize, head_dim: usize, device: &Device) -> Self {
        Self {
            norm: ChannelNorm::new(channels, device),
            to_qkv: LinearConfig::new(channels, 3 * heads * head_dim).with_bias(false).build(device),
            to_out: LinearConfig::new(heads * head_dim, channels).with_bias(false).build(device),
            heads,
            head_dim,
        }
    }

    /// `x + attention(norm(x))`.
    ///
    /// # Shapes
    /// - `x` and result: `[batch * frames, height, width, channels]`, `frames` as in `tables`
    pub fn forward(&self, x: Tensor<4>, tables: &FrameTables) -> Tensor<4> {
        let [n, height, width, channels] = x.dims();
        let frames = tables.frames();
        let x = self.block(tables).forward(x.reshape([n / frames, frames, height * width, channels]));
        x.reshape([n, height, width, channels])
    }

    /// The block as its kernel takes it.
    pub fn block(&self, tables: &FrameTables) -> Attention {
        Attention {
            heads: self.heads,
            head_dim: self.head_dim,
            gain: self.norm.gamma.val(),
            qkv: self.to_qkv.weight.val(),
            out: self.to_out.weight.val(),
            rotation: Some(tables.rotation.clone()),
            positions: tables.bias.clone(),
        }
    }
}

/// What all temporal attentions of one pass share; it depends on the number of frames only.
#[derive(Debug, Clone)]
pub struct FrameTables {
    /// Rotary embedding as one matrix per frame, times `head_dim^(-1/4)` so that q and k carry the
    /// attention's scale: `[frames, head_dim, head_dim]`.
    rotation: Tensor<3>,
    /// Relative position bias, `[heads, frames, frames]`.
    bias: Option<Tensor<3>>,
}

impl FrameTables {
    /// Computes the rotations of `frames` frames.
    ///
    /// # Shapes
    /// - `bias`: `[heads, frames, frames]`
    pub fn new(frames: usize, head_dim: usize, bias: Option<Tensor<3>>, device: &Device) -> Self {
        Self { rotation: rotations(frames, head_dim, device), bias }
    }

    /// Rotary embedding of queries or keys, times `head_dim^(-1/4)`.
    ///
    /// The rotation of one frame is one small matrix for all positions and heads: a product, no
    /// gathers.
    ///
    /// # Shapes
    /// - `x` and result: `[batch, frames, n, head_dim]`
    pub fn rotate(&self, x: Tensor<4>) -> Tensor<4> {
        x.matmul(self.rotation.clone().unsqueeze())
    }

    /// The tables of every `stride`-th frame.
    pub(crate) fn every(self, stride: usize) -> Self {
        if stride == 1 {
            return self;
        }
        let kept = Tensor::arange_step(0..self.frames() as i64, stride, &self.rotation.device());
        Self {
            rotation: self.rotation.select(0, kept.clone()),
            bias: self.bias.map(|bias| bias.select(1, kept.clone()).select(2, kept)),
        }
    }

    fn frames(&self) -> usize {
        self.rotation.dims()[0]
    }
}

/// T5's relative position bias: one learned number per head and bucket of distances.
#[derive(Module, Debug)]
pub struct RelativePositionBias {
    /// The learned numbers, `[32, heads]`.
    pub relative_attention_bias: BiasTable,
}

/// An embedding table.
#[derive(Module, Debug)]
pub struct BiasTable {
    /// An entry per row, `[entries, width]`.
    pub weight: Param<Tensor<2>>,
}

impl RelativePositionBias {
    pub(crate) fn new(heads: usize, device: &Device) -> Self {
        let weight = normal([BUCKETS, heads], device);
        Self { relative_attention_bias: BiasTable { weight } }
    }

    /// The bias of each pair of frames.
    ///
    /// # Shapes
    /// - result: `[heads, frames (query), frames (key)]`
    pub fn forward(&self, frames: usize) -> Tensor<3> {
        let table = self.relative_attention_bias.weight.val();
        let heads = table.dims()[1];
        let buckets: Vec<i64> = (0..frames * frames)
            .map(|cell| relative_bucket(cell / frames, cell % frames, MAX_DISTANCE) as i64)
            .collect();
        let buckets = Tensor::<1, Int>::from_data(TensorData::new(buckets, [frames * frames]), &table.device());
        table.select(0, buckets).reshape([frames, frames, heads]).permute([2, 0, 1])
    }
}

/// The bucket of the distance between frame `query` and frame `key`: half of the buckets for each
/// direction, exact up to 7 frames, logarithmic beyond, the last one from `max_distance` on.
pub fn relative_bucket(query: usize, key: usize, max_distance: usize) -> usize {
    let side = BUCKETS / 2;
    let exact = side / 2;
    let offset = if key > query { side } else { 0 };
    let distance = query.abs_diff(key);
    if distance < exact {
        return offset + distance;
    }
    // Single precision on purpose: the truncation must fall where the official code's does.
    let position = (distance as f32 / exact as f32).ln() / (max_distance as f64 / exact as f64).ln() as f32;
    offset + (exact + (position * (side - exact) as f32) as usize).min(side - 1)
}

/// The angle per frame of each pair of channels (Su et al. 2021): `10000^(-2 i / head_dim)`.
pub fn rotary_frequencies(head_dim: usize) -> impl Iterator<Item = f64> {
    (0..head_dim).step_by(2).map(move |channel| ROTARY_THETA.powf(-(channel as f64) / head_dim as f64))
}

/// The rotary embedding of each frame as a matrix, times `head_dim^(-1/4)`.
///
/// # Shapes
/// - result: `[frames, head_dim, head_dim]`
pub(crate) fn rotations(frames: usize, head_dim: usize, device: &Device) -> Tensor<3> {
    let matrices = TensorData::new(rotation_matrices(frames, head_dim), [frames, head_dim, head_dim]);
    Tensor::from_data(matrices, device)
}

/// Row-vector rotation matrices: `(x0, x1) -> (x0 cos - x1 sin, x1 cos + x0 sin)` for each pair of
/// neighbours.
fn rotation_matrices(frames: usize, head_dim: usize) -> Vec<f64> {
    let scale = (head_dim as f64).powf(-0.25);
    let mut matrices = vec![0.0; frames * head_dim * head_dim];
    for (frame, matrix) in matrices.chunks_exact_mut(head_dim * head_dim).enumerate() {
        for (pair, frequency) in rotary_frequencies(head_dim).enumerate() {
            let pair = 2 * pair;
            let (sin, cos) = (frame as f64 * frequency).sin_cos();
            let (sin, cos) = (sin * scale, cos * scale);
            matrix[pair * head_dim + pair] = cos;
            matrix[pair * head_dim + pair + 1] = sin;
            matrix[(pair + 1) * head_dim + pair] = -sin;
            matrix[(pair + 1) * head_dim + pair + 1] = cos;
        }
    }
    matrices
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::NoiseSource;

    #[test]
    fn tables_of_every_other_frame_are_rows_of_the_whole() {
        let device = Device::flex();
        let bias = RelativePositionBias::new(2, &device).forward(12);
        let whole = FrameTables::new(12, 8, Some(bias.clone()), &device);
        let every = whole.clone().every(2);
        assert_eq!(every.frames(), 6);
        let x = NoiseSource::new(1).normal::<4>([1, 1, 3, 8], &device);
        let turned = |tables: &FrameTables| {
            let frames = tables.frames();
            let turned = tables.rotate(x.clone().repeat_dim(1, frames)).into_data();
            turned.iter::<f32>().collect::<Vec<f32>>().chunks_exact(3 * 8).map(<[f32]>::to_vec).collect::<Vec<_>>()
        };
        let (all, kept) = (turned(&whole), turned(&every));
        assert!((0..6).all(|frame| kept[frame] == all[2 * frame] && all[2 * frame] != all[2 * frame + 1]));

        let values = |bias: Tensor<3>| bias.into_data().iter::<f32>().collect::<Vec<f32>>();
        let (all, kept) = (values(bias), values(every.bias.unwrap()));
        for (index, &value) in kept.iter().enumerate() {
            let (head, query, key) = (index / 36, index / 6 % 6, index % 6);
            assert_eq!(value, all[head * 144 + 2 * query * 12 + 2 * key]);
        }
    }
}
