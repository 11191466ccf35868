//! Softmax attention inside groups of tokens: over the frames of each position, or over the positions of each frame.
//!
//! Groups are the lanes of the vectors: a query is multiplied with a key in as many groups at once as a panel is wide,
//! so nothing is transposed, and the softmax needs no sum across lanes.

use aligned_vec::AVec;
use pulp::{Simd, WithSimd};

use super::NORM_EPSILON;

use crate::kernels::conv::Activation;
use crate::kernels::cpu::math::exp;
use crate::kernels::cpu::product::{PanelsView, Product, WIDE, aligned, panel_width};
use crate::kernels::cpu::{dispatch, load, map, mul_add, store, unrolled};

/// Sizes of an attention over `[outer, tokens, inner, channels]`: tokens of the same `outer` and `inner` form a group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AttentionShape {
    pub(crate) outer: usize,
    pub(crate) tokens: usize,
    pub(crate) inner: usize,
    pub(crate) channels: usize,
    pub(crate) heads: usize,
    pub(crate) head_dim: usize,
}

impl AttentionShape {
    fn hidden(&self) -> usize {
        self.heads * self.head_dim
    }
}

/// Weights of an attention as [`attention`] reads them.
pub(crate) struct AttentionWeights {
    /// `[heads, 3 * head_dim, channels]`: queries (scaled), keys, values; gains of the norm are in it. Queries and keys
    /// have the first of each pair of channels that rotates in the first half.
    pub(super) qkv: Vec<f32>,
    /// `[channels, heads * head_dim]`
    out: Vec<f32>,
    /// `[heads * head_dim, channels]`, for the derivative.
    #[cfg(feature = "native")]
    pub(super) out_rows: Vec<f32>,
}

/// What depends on the tokens' places alone.
#[derive(Clone, Copy)]
pub(crate) struct Places<'a> {
    /// Cosines, then sines, `[tokens, 2, head_dim / 2]`; see [`turns`].
    pub(super) rotation: Option<&'a [f32]>,
    /// Added to the products of queries and keys, `[heads, tokens, tokens]`.
    pub(super) positions: Option<&'a [f32]>,
}

/// Cosines, then sines, of matrices that rotate pairs of neighbours, `[tokens, head_dim, head_dim]`.
pub(super) fn turns(matrices: &[f32], dim: usize) -> Vec<f32> {
    let terms = matrices.chunks_exact(dim * dim).flat_map(|matrix| {
        let pairs = (0..dim / 2).map(|pair| 2 * pair * (dim + 1));
        let cosines = pairs.clone().map(|place| matrix[place]);
        cosines.chain(pairs.map(|place| matrix[place + 1]))
    });
    terms.collect()
}

impl AttentionWeights {
    /// - `gain`: `[channels]`, of the layer norm
    /// - `qkv`: `[channels, 3 * heads * head_dim]`
    /// - `out`: `[heads * head_dim, channels]`
    /// - `is_rotated`: whether a rotation will scale queries and keys
    pub(crate) fn new(shape: &AttentionShape, [gain, qkv, out]: [&[f32]; 3], is_rotated: bool) -> Self {
        let (hidden, channels) = (shape.hidden(), shape.channels);
        let mut packed = vec![0.0; 3 * hidden * channels];
        for (row, packed) in packed.chunks_exact_mut(channels).enumerate() {
            let (column, scale) = Self::column(shape, row, is_rotated);
            for ((packed, gain), row) in packed.iter_mut().zip(gain).zip(qkv.chunks_exact(3 * hidden)) {
                *packed = row[column] * gain * scale;
            }
        }
        let mut transposed = vec![0.0; out.len()];
        for (channel, row) in transposed.chunks_exact_mut(hidden).enumerate() {
            for (value, out) in row.iter_mut().zip(out.chunks_exact(channels)) {
                *value = out[channel];
            }
        }
        Self {
            qkv: packed,
            out: transposed,
            #[cfg(feature = "native")]
            out_rows: out.to_vec(),
        }
    }

    /// The column of the projection that becomes a packed row, and what it is multiplied with.
    pub(super) fn column(shape: &AttentionShape, row: usize, is_rotated: bool) -> (usize, f32) {
        let dim = shape.head_dim;
        let (head, part, index) = (row / (3 * dim), row / dim % 3, row % dim);
        let source = match part {
            2 => index,
            _ => 2 * (index % (dim / 2)) + index / (dim / 2),
        };
        let scale = if part == 0 && !is_rotated { (dim as f32).powf(-0.5) } else { 1.0 };
        (part * shape.hidden() + head * dim + source, scale)
    }
}

/// `x + attention(norm(x))`
pub(crate) fn attention(x: &[f32], shape: &AttentionShape, weights: &AttentionWeights, places: Places<'_>) -> Vec<f32> {
    let lanes = Lanes::of(shape);
    let bundles = map(lanes.bundles(), |bundle| {
        let mut x = lanes.gather(x, bundle);
        dispatch(Bundle { x: &mut x, shape, weights, places });
        x
    });
    let mut out = x.to_vec();
    for (bundle, x) in bundles.iter().enumerate() {
        lanes.add(x, bundle, &mut out);
    }
    out
}

/// How groups are dealt to bundles of a panel's width, in which each is a lane.
pub(super) struct Lanes<'a> {
    shape: &'a AttentionShape,
    groups: usize,
    width: usize,
}

impl<'a> Lanes<'a> {
    pub(super) fn of(shape: &'a AttentionShape) -> Self {
        Self { shape, groups: shape.outer * shape.inner, width: panel_width() }
    }

    pub(super) fn bundles(&self) -> usize {
        self.groups.div_ceil(self.width)
    }

    /// The groups of a bundle, in `[outer, tokens, inner, channels]`, as `[tokens, channels, width]`.
    pub(super) fn gather(&self, x: &[f32], bundle: usize) -> AVec<f32> {
        let &AttentionShape { tokens, channels, .. } = self.shape;
        let mut lanes = aligned(tokens * channels * self.width);
        for (token, lanes) in lanes.chunks_exact_mut(channels * self.width).enumerate() {
            for (lane, begin) in self.places(bundle, token).enumerate() {
                for (lanes, x) in lanes.chunks_exact_mut(self.width).zip(&x[begin..begin + channels]) {
                    lanes[lane] = *x;
                }
            }
        }
        lanes
    }

    /// Adds what [`gather`](Self::gather) would take to where it would take it from.
    pub(super) fn add(&self, lanes: &[f32], bundle: usize, out: &mut [f32]) {
        let channels = self.shape.channels;
        for (token, lanes) in lanes.chunks_exact(channels * self.width).enumerate() {
            for (lane, begin) in self.places(bundle, token).enumerate() {
                for (out, lanes) in out[begin..begin + channels].iter_mut().zip(lanes.chunks_exact(self.width)) {
                    *out += lanes[lane];
                }
            }
        }
    }

    /// Where a token of each group of a bundle begins.
    fn places(&self, bundle: usize, token: usize) -> impl Iterator<Item = usize> {
        let &AttentionShape { tokens, inner, channels, .. } = self.shape;
        let first = bundle * self.width;
        let at = move |group: usize| ((group / inner * tokens + token) * inner + group % inner) * channels;
        (first..self.groups.min(first + self.width)).map(at)
    }
}

/// A panel's width of groups; `x`, `[tokens, channels, width]`, becomes the attention without the residual.
struct Bundle<'a> {
    x: &'a mut [f32],
    shape: &'a AttentionShape,
    weights: &'a AttentionWeights,
    places: Places<'a>,
}

impl WithSimd for Bundle<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { x, shape, weights, places } = self;
        let &AttentionShape { tokens, channels, heads, head_dim: dim, .. } = shape;
        let hidden = shape.hidden();
        let width = WIDE * S::F32_LANES;
        simd.vectorize(Norm { x, channels, width, scales: None });

        let mut qkv = aligned(tokens * 3 * dim * width);
        let mut heard = aligned(tokens * hidden * width);
        let rows: Vec<usize> = (0..(3 * dim).max(channels)).collect();
        let [from_x, from_heard] =
            [channels, hidden].map(|depth| rows.iter().map(|row| row * depth).collect::<Vec<_>>());
        let to: Vec<usize> = rows.iter().map(|row| row * width).collect();
        for head in 0..heads {
            for (x, qkv) in x.chunks_exact(channels * width).zip(qkv.chunks_exact_mut(3 * dim * width)) {
                simd.vectorize(Product {
                    x: &weights.qkv[head * 3 * dim * channels..],
                    rows: &from_x[..3 * dim],
                    taps: &[0],
                    depth: channels,
                    weights: PanelsView { depth: channels, columns: width, data: x },
                    bias: None,
                    residual: None,
                    activation: Activation::Identity,
                    out: qkv,
                    outs: &to[..3 * dim],
                });
            }
            if let Some(rotation) = places.rotation {
                for (qkv, rotation) in qkv.chunks_exact_mut(3 * dim * width).zip(rotation.chunks_exact(dim)) {
                    let (queries, keys) = qkv[..2 * dim * width].split_at_mut(dim * width);
                    for x in [queries, keys] {
                        simd.vectorize(Rotate { x, rotation, width, backwards: false });
                    }
                }
            }
            let positions = places.positions.map(|bias| &bias[head * tokens * tokens..][..tokens * tokens]);
            let begin = head * dim * width;
            simd.vectorize(Listen { qkv: &qkv, positions, tokens, dim, width, begin, hidden, out: &mut heard });
        }
        for (x, heard) in x.chunks_exact_mut(channels * width).zip(heard.chunks_exact(hidden * width)) {
            simd.vectorize(Product {
                x: &weights.out,
                rows: &from_heard[..channels],
                taps: &[0],
                depth: hidden,
                weights: PanelsView { depth: hidden, columns: width, data: heard },
                bias: None,
                residual: None,
                activation: Activation::Identity,
                out: x,
                outs: &to[..channels],
            });
        }
    }
}

/// Layer normalisation over the channels of `[tokens, channels, width]`, without gain.
pub(super) struct Norm<'a> {
    pub(super) x: &'a mut [f32],
    pub(super) channels: usize,
    pub(super) width: usize,
    /// Takes what the rest from the mean is multiplied with, `[tokens, width]`.
    pub(super) scales: Option<&'a mut [f32]>,
}

impl WithSimd for Norm<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { x, channels, width, mut scales } = self;
        let lanes = S::F32_LANES;
        let share = simd.splat_f32s(1.0 / channels as f32);
        for (token, x) in x.chunks_exact_mut(channels * width).enumerate() {
            for vector in (0..width).step_by(lanes) {
                let mut sum = simd.splat_f32s(0.0);
                for x in x.chunks_exact(width) {
                    sum = simd.add_f32s(sum, load(simd, &x[vector..vector + lanes]));
                }
                let mean = simd.mul_f32s(sum, share);
                let mut squares = simd.splat_f32s(0.0);
                for x in x.chunks_exact(width) {
                    let rest = simd.sub_f32s(load(simd, &x[vector..vector + lanes]), mean);
                    squares = mul_add(simd, rest, rest, squares);
                }
                let variance = mul_add(simd, squares, share, simd.splat_f32s(NORM_EPSILON as f32));
                let scale = simd.div_f32s(simd.splat_f32s(1.0), simd.sqrt_f32s(variance));
                if let Some(scales) = &mut scales {
                    store(simd, &mut scales[token * width + vector..][..lanes], scale);
                }
                for x in x.chunks_exact_mut(width) {
                    let x = &mut x[vector..vector + lanes];
                    let normed = simd.mul_f32s(simd.sub_f32s(load(simd, x), mean), scale);
                    store(simd, x, normed);
                }
            }
        }
    }
}

/// Rotates `[dim, width]`, halves against each other.
pub(super) struct Rotate<'a> {
    pub(super) x: &'a mut [f32],
    /// `dim / 2` cosines, then as many sines.
    pub(super) rotation: &'a [f32],
    pub(super) width: usize,
    /// The other way round.
    pub(super) backwards: bool,
}

impl WithSimd for Rotate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { x, rotation, width, backwards } = self;
        let lanes = S::F32_LANES;
        let pairs = rotation.len() / 2;
        let (first, second) = x.split_at_mut(pairs * width);
        let (cosines, sines) = rotation.split_at(pairs);
        let pairs = first.chunks_exact_mut(width).zip(second.chunks_exact_mut(width));
        for ((first, second), (&cosine, &sine)) in pairs.zip(cosines.iter().zip(sines)) {
            let sine = if backwards { -sine } else { sine };
            let (cosine, sine) = (simd.splat_f32s(cosine), simd.splat_f32s(sine));
            for (first, second) in first.chunks_exact_mut(lanes).zip(second.chunks_exact_mut(lanes)) {
                let (x, y) = (load(simd, first), load(simd, second));
                store(simd, first, simd.sub_f32s(simd.mul_f32s(x, cosine), simd.mul_f32s(y, sine)));
                store(simd, second, mul_add(simd, x, sine, simd.mul_f32s(y, cosine)));
            }
        }
    }
}

/// The softmax of queries times keys, times the values, for one head.
struct Listen<'a> {
    /// `[tokens, 3, dim, width]`
    qkv: &'a [f32],
    /// `[tokens, tokens]`
    positions: Option<&'a [f32]>,
    tokens: usize,
    dim: usize,
    width: usize,
    /// Where this head begins in a token of `out`.
    begin: usize,
    hidden: usize,
    /// `[tokens, hidden, width]`
    out: &'a mut [f32],
}

/// Queries or channels, and keys, of a tile.
const TILE: usize = 4;

impl WithSimd for Listen<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { qkv, positions, tokens, dim, width, begin, hidden, out } = self;
        let lanes = S::F32_LANES;
        let mut all = aligned(TILE * tokens * lanes);
        for vector in (0..width).step_by(lanes) {
            let row = |token: usize, part: usize| &qkv[(token * 3 + part) * dim * width..][..dim * width];
            for first in (0..tokens).step_by(TILE) {
                let count = TILE.min(tokens - first);
                let queries: [&[f32]; TILE] = std::array::from_fn(|index| row((first + index).min(tokens - 1), 0));
                for key in (0..tokens).step_by(2) {
                    let keys: [&[f32]; 2] = std::array::from_fn(|index| row((key + index).min(tokens - 1), 1));
                    let mut sums = [[simd.splat_f32s(0.0); 2]; TILE];
                    for channel in 0..dim {
                        let at = channel * width + vector;
                        let keys = keys.map(|key| load(simd, &key[at..at + lanes]));
                        unrolled!(ROW in 0 1 2 3, {
                            let query = load(simd, &queries[ROW][at..at + lanes]);
                            for (sum, key) in sums[ROW].iter_mut().zip(keys) {
                                *sum = mul_add(simd, query, key, *sum);
                            }
                        });
                    }
                    for (index, sums) in sums.iter().enumerate().take(count) {
                        for (key, &sum) in (key..tokens).zip(sums) {
                            let bias = positions.map_or(0.0, |bias| bias[(first + index) * tokens + key]);
                            let sum = simd.add_f32s(sum, simd.splat_f32s(bias));
                            store(simd, &mut all[(index * tokens + key) * lanes..][..lanes], sum);
                        }
                    }
                }
                for (index, all) in all.chunks_exact_mut(tokens * lanes).enumerate().take(count) {
                    let share = exponentials(simd, all);
                    let out = &mut out[(first + index) * hidden * width + begin..][..dim * width];
                    for channel in (0..dim).step_by(TILE) {
                        let mut sums = [simd.splat_f32s(0.0); TILE];
                        for (token, score) in all.chunks_exact(lanes).enumerate() {
                            let score = load(simd, score);
                            let values = row(token, 2);
                            unrolled!(ROW in 0 1 2 3, {
                                let at = (channel + ROW).min(dim - 1) * width + vector;
                                sums[ROW] = mul_add(simd, score, load(simd, &values[at..at + lanes]), sums[ROW]);
                            });
                        }
                        for (channel, &sum) in (channel..dim).zip(&sums) {
                            let at = channel * width + vector;
                            store(simd, &mut out[at..at + lanes], simd.mul_f32s(sum, share));
                        }
                    }
                }
            }
        }
    }
}

/// `e^(x - max)` over the rows of `[tokens, lanes]`; returns one over their sums.
#[inline(always)]
pub(super) fn exponentials<S: Simd>(simd: S, x: &mut [f32]) -> S::f32s {
    let lanes = S::F32_LANES;
    let mut max = simd.splat_f32s(f32::NEG_INFINITY);
    for x in x.chunks_exact(lanes) {
        max = simd.max_f32s(max, load(simd, x));
    }
    for x in x.chunks_exact_mut(lanes) {
        let rest = simd.sub_f32s(load(simd, x), max);
        store(simd, x, rest);
    }
    for x in x.iter_mut() {
        *x = exp(*x);
    }
    let mut sum = simd.splat_f32s(0.0);
    for x in x.chunks_exact(lanes) {
        sum = simd.add_f32s(sum, load(simd, x));
    }
    simd.div_f32s(simd.splat_f32s(1.0), sum)
}
