//! Linear attention over the positions of each frame (Shen et al. 2021).
//!
//! Keys and values of a frame become one small matrix for each head, and the output projection is multiplied into it,
//! so that queries meet one product.

use aligned_vec::AVec;
use pulp::{Simd, WithSimd};

use crate::kernels::attention::NORM_EPSILON;
use crate::kernels::attention::cpu::AttentionShape;
use crate::kernels::conv::Activation;
use crate::kernels::cpu::math::{exp, max, sum};
use crate::kernels::cpu::product::{Outer, Panels, Product, aligned};
use crate::kernels::cpu::{chunks_with, dispatch};

/// Weights of a linear attention.
pub(crate) struct LinearAttentionWeights {
    /// `[channels, 3 * heads * head_dim]`, gains of the norm in it.
    qkv: Panels,
    /// Of each head, `[head_dim, channels]`, scaled.
    out: Vec<Panels>,
    /// `[channels]`
    bias: Vec<f32>,
}

impl LinearAttentionWeights {
    /// - `gain`: `[channels]`, of the layer norm
    /// - `qkv`: `[channels, 3 * heads * head_dim]`
    /// - `out`: `[heads * head_dim, channels]`
    /// - `bias`: `[channels]`
    pub(crate) fn new(shape: &AttentionShape, [gain, qkv, out, bias]: [&[f32]; 4]) -> Self {
        let &AttentionShape { channels, heads, head_dim: dim, .. } = shape;
        let hidden = heads * dim;
        let scale = (dim as f32).powf(-0.5);
        Self {
            qkv: Panels::new(channels, 3 * hidden, |k, n| gain[k] * qkv[k * 3 * hidden + n]),
            out: (0..heads)
                .map(|head| Panels::new(dim, channels, |k, n| scale * out[(head * dim + k) * channels + n]))
                .collect(),
            bias: bias.to_vec(),
        }
    }
}

/// `x + attention(norm(x))` of `[frames, positions, channels]`; `shape` has the frames as `outer`, the positions as
/// `tokens`.
pub(crate) fn linear_attention(x: &[f32], shape: &AttentionShape, weights: &LinearAttentionWeights) -> Vec<f32> {
    let mut out = vec![0.0; x.len()];
    let frame = shape.tokens * shape.channels;
    chunks_with(
        &mut out,
        frame,
        || Workspace::of(shape),
        |workspace, index, out| {
            dispatch(Frame { x: &x[index * frame..][..frame], shape, weights, workspace, out });
        },
    );
    out
}

/// What is computed between a frame and its attention.
struct Workspace {
    /// `[positions, channels]`
    normed: AVec<f32>,
    /// `[positions, 3 * hidden]`
    qkv: AVec<f32>,
    /// `[hidden, channels]`
    mixed: AVec<f32>,
}

impl Workspace {
    fn of(shape: &AttentionShape) -> Self {
        let &AttentionShape { tokens, channels, heads, head_dim, .. } = shape;
        let hidden = heads * head_dim;
        Self {
            normed: aligned(tokens * channels),
            qkv: aligned(tokens * 3 * hidden),
            mixed: aligned(hidden * channels),
        }
    }
}

struct Frame<'a> {
    x: &'a [f32],
    shape: &'a AttentionShape,
    weights: &'a LinearAttentionWeights,
    workspace: &'a mut Workspace,
    out: &'a mut [f32],
}

impl WithSimd for Frame<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { x, shape, weights, workspace: Workspace { normed, qkv, mixed }, out } = self;
        let &AttentionShape { tokens, channels, heads, head_dim: dim, .. } = shape;
        let hidden = heads * dim;
        simd.vectorize(NormRows { x, out: normed, channels });

        let offsets = |stride: usize| -> Vec<usize> { (0..tokens).map(|token| token * stride).collect() };
        let (by_channels, by_qkv) = (offsets(channels), offsets(3 * hidden));
        simd.vectorize(Product {
            x: normed,
            rows: &by_channels,
            taps: &[0],
            depth: channels,
            weights: weights.qkv.view(),
            bias: None,
            residual: None,
            activation: Activation::Identity,
            out: qkv,
            outs: &by_qkv,
        });
        let mut sums = vec![0.0; hidden];
        simd.vectorize(Softmaxes { qkv, dim, hidden, sums: &mut sums });

        let rows: Vec<usize> = (0..dim).map(|row| row * dim).collect();
        for (head, out) in weights.out.iter().enumerate() {
            let mut context = vec![0.0; dim * dim];
            simd.vectorize(Outer {
                x: &qkv[hidden + head * dim..],
                rows: &by_qkv,
                y: &qkv[2 * hidden + head * dim..],
                stride: 3 * hidden,
                columns: [dim; 2],
                out: &mut context,
                out_stride: dim,
            });
            for (row, sum) in context.chunks_exact_mut(dim).zip(&sums[head * dim..]) {
                for value in row {
                    *value /= sum;
                }
            }
            let outs: Vec<usize> = (0..dim).map(|row| (head * dim + row) * channels).collect();
            simd.vectorize(Product {
                x: &context,
                rows: &rows,
                taps: &[0],
                depth: dim,
                weights: out.view(),
                bias: None,
                residual: None,
                activation: Activation::Identity,
                out: mixed,
                outs: &outs,
            });
        }
        let mixed = Panels::from_rows(hidden, channels, channels, mixed);
        simd.vectorize(Product {
            x: qkv,
            rows: &by_qkv,
            taps: &[0],
            depth: hidden,
            weights: mixed.view(),
            bias: Some(&weights.bias),
            residual: Some(x),
            activation: Activation::Identity,
            out,
            outs: &by_channels,
        });
    }
}

/// Layer normalisation of rows of `channels`, without gain.
pub(super) struct NormRows<'a> {
    pub(super) x: &'a [f32],
    pub(super) out: &'a mut [f32],
    pub(super) channels: usize,
}

impl pulp::NullaryFnOnce for NormRows<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let count = self.channels as f32;
        for (x, out) in self.x.chunks_exact(self.channels).zip(self.out.chunks_exact_mut(self.channels)) {
            let mean = sum(x, |x| x) / count;
            let scale = 1.0 / (sum(x, |x| (x - mean) * (x - mean)) / count + NORM_EPSILON as f32).sqrt();
            for (out, x) in out.iter_mut().zip(x) {
                *out = (x - mean) * scale;
            }
        }
    }
}

/// The softmax of queries over the channels of a head, and of keys over the positions but for the division by `sums`.
pub(super) struct Softmaxes<'a> {
    /// `[positions, 3 * hidden]`
    pub(super) qkv: &'a mut [f32],
    pub(super) dim: usize,
    pub(super) hidden: usize,
    /// `[hidden]`
    pub(super) sums: &'a mut [f32],
}

impl pulp::NullaryFnOnce for Softmaxes<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { qkv, dim, hidden, sums } = self;
        let mut most = vec![f32::NEG_INFINITY; hidden];
        for row in qkv.chunks_exact(3 * hidden) {
            for (most, key) in most.iter_mut().zip(&row[hidden..2 * hidden]) {
                *most = if *key > *most { *key } else { *most };
            }
        }
        for row in qkv.chunks_exact_mut(3 * hidden) {
            let (queries, keys) = row[..2 * hidden].split_at_mut(hidden);
            for query in queries.chunks_exact_mut(dim) {
                let most = max(query);
                for x in query.iter_mut() {
                    *x = exp(*x - most);
                }
                let scale = 1.0 / sum(query, |x| x);
                for x in query {
                    *x *= scale;
                }
            }
            for ((key, most), sum) in keys.iter_mut().zip(&most).zip(sums.iter_mut()) {
                *key = exp(*key - most);
                *sum += *key;
            }
        }
    }
}
