//! Attention over positions and over frames (Video Diffusion Models, Sec. 3; linear attention: Shen
//! et al. 2021).
//!
//! All blocks are residual and pre-normalised: `x + attention(norm(x))`. They take and give frames
//! folded into the batch, `[batch * frames, channels, height * width]`, the layout of the
//! convolutions between them. Each projection writes the arrangement that the next product reads,
//! so the wide `heads * head_dim` tensors are hardly ever permuted.

use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::softmax;
use burn::tensor::module::layer_norm;
use burn::tensor::{Device, Int, Tensor, TensorData};

/// Buckets of the relative position bias: T5's, bidirectional.
const BUCKETS: usize = 32;
/// Distance from which all positions share the last bucket, in the official model.
pub const MAX_DISTANCE: usize = 32;
/// Wavelengths of the rotary embedding grow up to this (Su et al. 2021).
const ROTARY_THETA: f64 = 10_000.0;
/// Added to the variance of a [`ChannelNorm`].
const NORM_EPSILON: f64 = 1e-5;

/// Bytes that the queries, keys and values of one slice may take on the CPU. What its cache does
/// not hold goes to memory and back in every step of the attention, which then takes two to three
/// times as long.
const SLICE_BYTES: usize = 4 << 20;

/// Runs `attend` on `x`, on the CPU in slices along `axis` that become slices along `out_axis`.
/// `floats` is the size of the queries, keys and values that belong to one index.
fn in_slices(
    x: Tensor<3>,
    [axis, out_axis]: [usize; 2],
    floats: usize,
    attend: impl Fn(Tensor<3>) -> Tensor<3>,
) -> Tensor<3> {
    let total = x.dims()[axis];
    let device = x.device();
    let length = (SLICE_BYTES / (4 * floats)).max(1);
    if device.is_autodiff() || device != Device::flex() || length >= total {
        return attend(x);
    }
    let slices =
        (0..total).step_by(length).map(|start| attend(x.clone().narrow(axis, start, length.min(total - start))));
    Tensor::cat(slices.collect(), out_axis)
}

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

    /// Normalises, and moves the channels last: every projection starts from tokens.
    ///
    /// # Shapes
    /// - `x`: `[n, channels, positions]`
    /// - result: `[n, positions, channels]`
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        layer_norm(x.swap_dims(1, 2), self.gamma.val(), None, NORM_EPSILON)
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
            to_qkv: LinearConfig::new(channels, 3 * heads * head_dim).with_bias(false).init(device),
            to_out: LinearConfig::new(heads * head_dim, channels).init(device),
            heads,
            head_dim,
        }
    }

    /// `x + attention(norm(x))`.
    ///
    /// # Shapes
    /// - `x` and result: `[batch * frames, channels, height * width]`
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let [_, _, positions] = x.dims();
        let floats = 3 * self.heads * self.head_dim * positions;
        in_slices(x, [0, 0], floats, |x| x.clone() + self.attend(self.norm.forward(x)))
    }

    /// The attention without normalisation and residual.
    ///
    /// # Shapes
    /// - `tokens`: `[n, positions, channels]`
    /// - result: `[n, channels, positions]`
    pub fn attend(&self, tokens: Tensor<3>) -> Tensor<3> {
        let [n, positions, channels] = tokens.dims();
        let (heads, head_dim) = (self.heads, self.head_dim);
        let hidden = heads * head_dim;
        let weight = self.to_qkv.weight.val();
        let part = |index: usize| weight.clone().narrow(1, index * hidden, hidden);

        // q is a softmax over the head's channels, k over the positions: each is projected with its
        // softmax axis last.
        let q = tokens.clone().reshape([n * positions, channels]).matmul(part(0));
        let q = softmax(q.reshape([n, positions, heads, head_dim]), 3);
        let by_channel = tokens.swap_dims(1, 2);
        let k = part(1).transpose().unsqueeze::<3>().matmul(by_channel.clone());
        let k = softmax(k, 2).reshape([n, heads, head_dim, positions]);
        let v = part(2).transpose().unsqueeze::<3>().matmul(by_channel).reshape([n, heads, head_dim, positions]);

        let context = v.matmul(k.swap_dims(2, 3)) * (head_dim as f64).powf(-0.5);
        let out = context.matmul(q.permute([0, 2, 3, 1])).reshape([n, hidden, positions]);
        project_out(&self.to_out, out)
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
            to_qkv: LinearConfig::new(channels, 3 * heads * head_dim).with_bias(false).init(device),
            to_out: LinearConfig::new(heads * head_dim, channels).with_bias(false).init(device),
            heads,
            head_dim,
        }
    }

    /// `x + attention(norm(x))`.
    ///
    /// # Shapes
    /// - `x` and result: `[batch * frames, channels, height * width]`
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let [n, channels, positions] = x.dims();
        let tokens = self.norm.forward(x.clone());
        let qkv = tokens.reshape([n * positions, channels]).matmul(self.to_qkv.weight.val());
        let qkv = qkv.reshape([n, positions, 3 * self.heads, self.head_dim]);
        let part = |index: usize| qkv.clone().narrow(2, index * self.heads, self.heads).swap_dims(1, 2);

        let q = part(0) * (self.head_dim as f64).powf(-0.5);
        let attention = softmax(q.matmul(part(1).swap_dims(2, 3)), 3);
        let out = attention.matmul(part(2)).swap_dims(1, 2).reshape([n, positions, self.heads * self.head_dim]);
        x + project_out(&self.to_out, out.swap_dims(1, 2))
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
            to_qkv: LinearConfig::new(channels, 3 * heads * head_dim).with_bias(false).init(device),
            to_out: LinearConfig::new(heads * head_dim, channels).with_bias(false).init(device),
            heads,
            head_dim,
        }
    }

    /// `x + attention(norm(x))`.
    ///
    /// # Shapes
    /// - `x` and result: `[batch * frames, channels, height * width]`, `frames` as in `tables`
    pub fn forward(&self, x: Tensor<3>, tables: &FrameTables) -> Tensor<3> {
        x.clone() + self.attend(self.norm.forward(x), tables)
    }

    /// The attention without normalisation and residual.
    ///
    /// # Shapes
    /// - `tokens`: `[batch * frames, positions, channels]`
    /// - result: `[batch * frames, channels, positions]`
    pub fn attend(&self, tokens: Tensor<3>, tables: &FrameTables) -> Tensor<3> {
        let floats = 3 * self.heads * self.head_dim * tokens.dims()[0];
        in_slices(tokens, [1, 2], floats, |tokens| self.attend_slice(tokens, tables))
    }

    /// [`attend`](Self::attend) for some of the positions.
    fn attend_slice(&self, tokens: Tensor<3>, tables: &FrameTables) -> Tensor<3> {
        let [n, positions, channels] = tokens.dims();
        let (heads, head_dim, frames) = (self.heads, self.head_dim, tables.frames());
        let hidden = heads * head_dim;
        let batch = n / frames;
        let weight = self.to_qkv.weight.val();
        let tokens = tokens.reshape([n * positions, channels]);

        let part = |index: usize| tokens.clone().matmul(weight.clone().narrow(1, index * hidden, hidden));
        let rotated = |x: Tensor<2>| {
            let x = tables.rotate(x.reshape([batch, frames, positions * heads, head_dim]));
            x.reshape([batch, frames, positions, heads, head_dim])
        };
        let q = rotated(part(0)).permute([0, 2, 3, 1, 4]);
        let k = rotated(part(1)).permute([0, 2, 3, 4, 1]);
        let mut scores = q.matmul(k);
        if let Some(bias) = &tables.bias {
            scores = scores + bias.clone();
        }

        let v = part(2).reshape([batch, frames, positions, heads, head_dim]).permute([0, 2, 3, 1, 4]);
        let out = softmax(scores, 4).matmul(v).permute([0, 3, 1, 2, 4]).reshape([n, positions, hidden]);
        project_out(&self.to_out, out.swap_dims(1, 2))
    }
}

/// What all temporal attentions of one pass share; it depends on the number of frames only.
#[derive(Debug, Clone)]
pub struct FrameTables {
    /// Rotary embedding as one matrix per frame, times `head_dim^(-1/4)` so that q and k carry the
    /// attention's scale: `[1, frames, head_dim, head_dim]`.
    rotation: Tensor<4>,
    /// Relative position bias, `[1, 1, heads, frames, frames]`.
    bias: Option<Tensor<5>>,
}

impl FrameTables {
    /// Computes the rotations of `frames` frames.
    ///
    /// # Shapes
    /// - `bias`: `[heads, frames, frames]`
    pub fn new(frames: usize, head_dim: usize, bias: Option<Tensor<3>>, device: &Device) -> Self {
        let rotation = TensorData::new(rotation_matrices(frames, head_dim), [1, frames, head_dim, head_dim]);
        Self { rotation: Tensor::from_data(rotation, device), bias: bias.map(Tensor::unsqueeze::<5>) }
    }

    /// Rotary embedding of queries or keys, times `head_dim^(-1/4)`.
    ///
    /// The rotation of one frame is one small matrix for all positions and heads: a product, no
    /// gathers.
    ///
    /// # Shapes
    /// - `x` and result: `[batch, frames, n, head_dim]`
    pub fn rotate(&self, x: Tensor<4>) -> Tensor<4> {
        x.matmul(self.rotation.clone())
    }

    fn frames(&self) -> usize {
        self.rotation.dims()[1]
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
        let weight = burn::nn::Initializer::Normal { mean: 0.0, std: 1.0 }.init([BUCKETS, heads], device);
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

/// The output projection, written straight into the channel-first layout.
///
/// # Shapes
/// - `x`: `[n, hidden, positions]`
/// - result: `[n, channels, positions]`
fn project_out(to_out: &Linear, x: Tensor<3>) -> Tensor<3> {
    let out = to_out.weight.val().transpose().unsqueeze::<3>().matmul(x);
    match &to_out.bias {
        Some(bias) => out + bias.val().reshape([1, -1, 1]),
        None => out,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::NoiseSource;

    #[test]
    fn slices_add_up_to_the_whole() {
        let device = Device::flex();
        let (heads, head_dim, frames) = (2, 8, 3);
        let mut noise = NoiseSource::new(1);
        let x = noise.normal::<3>([frames, 6, 7], &device);
        let distance = |a: Tensor<3>, b: Tensor<3>| (a - b).abs().max().into_scalar::<f32>();

        let linear = SpatialLinearAttention::new(6, heads, head_dim, &device);
        let forward = |x: Tensor<3>| x.clone() + linear.attend(linear.norm.forward(x));
        // So many floats that a slice is one index, or two.
        for floats in [SLICE_BYTES, SLICE_BYTES / 8] {
            assert!(distance(in_slices(x.clone(), [0, 0], floats, forward), linear.forward(x.clone())) < 1e-6);
        }
        let temporal = TemporalAttention::new(6, heads, head_dim, &device);
        let tables = FrameTables::new(frames, head_dim, None, &device);
        let tokens = temporal.norm.forward(x);
        for floats in [SLICE_BYTES, SLICE_BYTES / 8] {
            let sliced = in_slices(tokens.clone(), [1, 2], floats, |tokens| temporal.attend_slice(tokens, &tables));
            assert!(distance(sliced, temporal.attend(tokens.clone(), &tables)) < 1e-6);
        }
    }
}
