//! The derivative of [`attention`](super::cpu::attention), which computes the forward pass again.

use pulp::{Simd, WithSimd};

use super::cpu::{AttentionShape, AttentionWeights, Lanes, Norm, Places, Rotate, exponentials};
use crate::kernels::cpu::product::{PanelsView, Product, WIDE, aligned, panel_width};
use crate::kernels::cpu::{dispatch, load, map, mul_add, store, unrolled};
use crate::kernels::linear_attention::gradient::{add, unfold_gain};

/// Weights as the derivative reads them; see [`Attention`](super::Attention).
pub(super) struct Weights<'a> {
    pub(super) gain: &'a [f32],
    pub(super) qkv: &'a [f32],
    pub(super) out: &'a [f32],
    pub(super) places: Places<'a>,
}

/// Gradients by the input and by each weight, in the shapes of these. The rotation is a constant.
pub(super) struct Gradients {
    pub(super) x: Vec<f32>,
    pub(super) gain: Vec<f32>,
    pub(super) qkv: Vec<f32>,
    pub(super) out: Vec<f32>,
    pub(super) positions: Vec<f32>,
}

/// Sums of gradients that grow side by side; a fixed number, so that the result does not depend on the number of cores.
const SUMS: usize = 16;

/// The gradients of the block, of the `gradient` by its output.
pub(super) fn gradients(x: &[f32], shape: &AttentionShape, weights: &Weights<'_>, gradient: &[f32]) -> Gradients {
    let &AttentionShape { tokens, channels, heads, head_dim: dim, .. } = shape;
    let hidden = heads * dim;
    let Weights { gain, qkv, out, places } = *weights;
    let packed = AttentionWeights::new(shape, [gain, qkv, out], places.rotation.is_some());
    let mut back = vec![0.0; packed.qkv.len()];
    for (row, weights) in packed.qkv.chunks_exact(channels).enumerate() {
        for (channel, weight) in weights.iter().enumerate() {
            back[channel * 3 * hidden + row] = *weight;
        }
    }
    let lanes = Lanes::of(shape);
    let share = lanes.bundles().div_ceil(SUMS);
    let parts = map(lanes.bundles().div_ceil(share), |part| {
        let mut sums = Sums {
            qkv: vec![0.0; 3 * hidden * channels],
            out: vec![0.0; hidden * channels],
            positions: vec![0.0; heads * tokens * tokens],
        };
        let bundles = (part * share..lanes.bundles().min((part + 1) * share)).map(|bundle| {
            let mut x = lanes.gather(x, bundle);
            let mut gradient = lanes.gather(gradient, bundle);
            dispatch(Bundle {
                x: &mut x,
                gradient: &mut gradient,
                shape,
                weights: &packed,
                places,
                back: &back,
                sums: &mut sums,
            });
            x
        });
        (bundles.collect::<Vec<_>>(), sums)
    });
    let mut result = Gradients {
        x: gradient.to_vec(),
        gain: vec![0.0; channels],
        qkv: vec![0.0; channels * 3 * hidden],
        out: vec![0.0; hidden * channels],
        positions: vec![0.0; heads * tokens * tokens],
    };
    let mut by_packed = vec![0.0; packed.qkv.len()];
    for (part, (bundles, sums)) in parts.iter().enumerate() {
        for (index, bundle) in bundles.iter().enumerate() {
            lanes.add(bundle, part * share + index, &mut result.x);
        }
        add(&mut by_packed, &sums.qkv);
        add(&mut result.out, &sums.out);
        add(&mut result.positions, &sums.positions);
    }
    for (row, by_row) in by_packed.chunks_exact(channels).enumerate() {
        let (column, scale) = AttentionWeights::column(shape, row, places.rotation.is_some());
        for (channel, by) in by_row.iter().enumerate() {
            result.qkv[channel * 3 * hidden + column] = by * scale;
        }
    }
    unfold_gain(&mut result.gain, &mut result.qkv, gain, qkv);
    result
}

struct Sums {
    /// Of packed weights, `[heads, 3 * head_dim, channels]`.
    qkv: Vec<f32>,
    /// `[heads * head_dim, channels]`
    out: Vec<f32>,
    positions: Vec<f32>,
}

/// A panel's width of groups. `x`, `[tokens, channels, width]`, becomes the gradient by it, without the residual's.
struct Bundle<'a> {
    x: &'a mut [f32],
    gradient: &'a mut [f32],
    shape: &'a AttentionShape,
    weights: &'a AttentionWeights,
    places: Places<'a>,
    /// Packed weights turned, `[channels, heads * 3 * head_dim]`.
    back: &'a [f32],
    sums: &'a mut Sums,
}

impl WithSimd for Bundle<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { x, gradient, shape, weights, places, back, sums } = self;
        let &AttentionShape { tokens, channels, heads, head_dim: dim, .. } = shape;
        let hidden = heads * dim;
        let width = panel_width();
        let mut scales = aligned(tokens * width);
        simd.vectorize(Norm { x, channels, width, scales: Some(&mut scales) });

        let longest = (3 * dim).max(channels).max(hidden);
        let rows = |depth: usize| -> Vec<usize> { (0..longest).map(|row| row * depth).collect() };
        let (from_x, from_out, from_qkv, to) = (rows(channels), rows(channels), rows(3 * hidden), rows(width));

        // By what the heads give: `out` is `[hidden, channels]`.
        let mut by_heard = aligned(tokens * hidden * width);
        for (gradient, by) in gradient.chunks_exact(channels * width).zip(by_heard.chunks_exact_mut(hidden * width)) {
            let panel = PanelsView { depth: channels, columns: width, data: gradient };
            let turned = (&*weights.out_rows, &from_out[..hidden]);
            simd.vectorize(Product::plain(turned, channels, panel, (by, &to[..hidden])));
        }

        let mut qkv = aligned(tokens * 3 * dim * width);
        let mut heard = aligned(tokens * dim * width);
        let mut by_qkv = aligned(tokens * 3 * hidden * width);
        for head in 0..heads {
            for (x, qkv) in x.chunks_exact(channels * width).zip(qkv.chunks_exact_mut(3 * dim * width)) {
                let panel = PanelsView { depth: channels, columns: width, data: x };
                let projection = (&weights.qkv[head * 3 * dim * channels..], &from_x[..3 * dim]);
                simd.vectorize(Product::plain(projection, channels, panel, (qkv, &to[..3 * dim])));
            }
            rotate(simd, &mut qkv, places.rotation, [3 * dim, dim], width, false);
            let positions = places.positions.map(|bias| &bias[head * tokens * tokens..][..tokens * tokens]);
            simd.vectorize(Hear {
                qkv: &qkv,
                positions,
                by_heard: &by_heard[head * dim * width..],
                by_qkv: &mut by_qkv[head * 3 * dim * width..],
                heard: &mut heard,
                by_positions: &mut sums.positions[head * tokens * tokens..][..tokens * tokens],
                tokens,
                dim,
                width,
                hidden,
            });
            let by_head = &mut by_qkv[head * 3 * dim * width..];
            rotate(simd, by_head, places.rotation, [3 * hidden, dim], width, true);
            simd.vectorize(Dots {
                x: &heard,
                x_rows: [dim, dim],
                y: gradient,
                y_rows: [channels, channels],
                width,
                out: &mut sums.out[head * dim * channels..][..dim * channels],
            });
        }
        simd.vectorize(Dots {
            x: &by_qkv,
            x_rows: [3 * hidden, 3 * hidden],
            y: x,
            y_rows: [channels, channels],
            width,
            out: &mut sums.qkv,
        });
        let mut by_normed = aligned(x.len());
        for (by, out) in by_qkv.chunks_exact(3 * hidden * width).zip(by_normed.chunks_exact_mut(channels * width)) {
            let panel = PanelsView { depth: 3 * hidden, columns: width, data: by };
            let turned = (back, &from_qkv[..channels]);
            simd.vectorize(Product::plain(turned, 3 * hidden, panel, (out, &to[..channels])));
        }
        simd.vectorize(NormGradient { x, by: &by_normed, scales: &scales, channels, width });
    }
}

/// Rotates queries and keys of every token, or turns their gradients back. A token has `sizes[0]` rows, of which the
/// first `2 * sizes[1]` rotate.
#[inline(always)]
fn rotate<S: Simd>(simd: S, x: &mut [f32], rotation: Option<&[f32]>, sizes: [usize; 2], width: usize, backwards: bool) {
    let Some(rotation) = rotation else { return };
    let [token, dim] = sizes;
    for (x, rotation) in x.chunks_mut(token * width).zip(rotation.chunks_exact(dim)) {
        let (queries, keys) = x[..2 * dim * width].split_at_mut(dim * width);
        for x in [queries, keys] {
            simd.vectorize(Rotate { x, rotation, width, backwards });
        }
    }
}

/// One head: what it hears, and the gradients by its queries, keys, values and positions of that by what it hears.
struct Hear<'a> {
    /// `[tokens, 3, dim, width]`
    qkv: &'a [f32],
    /// `[tokens, tokens]`
    positions: Option<&'a [f32]>,
    /// `[tokens, hidden, width]`, from this head on.
    by_heard: &'a [f32],
    /// `[tokens, 3 * hidden, width]`, from this head on.
    by_qkv: &'a mut [f32],
    /// `[tokens, dim, width]`
    heard: &'a mut [f32],
    /// Added to.
    by_positions: &'a mut [f32],
    tokens: usize,
    dim: usize,
    width: usize,
    hidden: usize,
}

impl WithSimd for Hear<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { qkv, positions, by_heard, by_qkv, heard, by_positions, tokens, dim, width, hidden } = self;
        let lanes = S::F32_LANES;
        let rows = tokens * lanes;
        let [mut scores, mut by_scores] = [(); 2].map(|()| aligned(tokens * rows));
        for vector in (0..width).step_by(lanes) {
            let part = |part: usize| Rows { data: qkv, begin: part * dim * width + vector, stride: 3 * dim * width };
            let (queries, keys, values) = (part(0), part(1), part(2));
            let by_rows = Rows { data: by_heard, begin: vector, stride: hidden * width };
            let size = [tokens, dim, width];

            multiply(simd, queries, keys, size, &mut scores);
            for (query, scores) in scores.chunks_exact_mut(rows).enumerate() {
                if let Some(positions) = positions {
                    let positions = &positions[query * tokens..][..tokens];
                    for (score, &position) in scores.chunks_exact_mut(lanes).zip(positions) {
                        let sum = simd.add_f32s(load(simd, score), simd.splat_f32s(position));
                        store(simd, score, sum);
                    }
                }
                let share = exponentials(simd, scores);
                for score in scores.chunks_exact_mut(lanes) {
                    let score_share = simd.mul_f32s(load(simd, score), share);
                    store(simd, score, score_share);
                }
            }
            mix(simd, &scores, [rows, lanes], values, size, heard, [vector, dim * width]);
            // By values: scores turned around.
            let values_at = [2 * dim * width + vector, 3 * hidden * width];
            mix(simd, &scores, [lanes, rows], by_rows, size, by_qkv, values_at);

            multiply(simd, by_rows, values, size, &mut by_scores);
            for (query, (scores, by)) in scores.chunks_exact(rows).zip(by_scores.chunks_exact_mut(rows)).enumerate() {
                let mut along = simd.splat_f32s(0.0);
                for (score, by) in scores.chunks_exact(lanes).zip(by.chunks_exact(lanes)) {
                    along = mul_add(simd, load(simd, score), load(simd, by), along);
                }
                let by_positions = &mut by_positions[query * tokens..][..tokens];
                let terms = scores.chunks_exact(lanes).zip(by.chunks_exact_mut(lanes));
                for ((score, by), by_position) in terms.zip(by_positions) {
                    let value = simd.mul_f32s(load(simd, score), simd.sub_f32s(load(simd, by), along));
                    store(simd, by, value);
                    *by_position += simd.reduce_sum_f32s(value);
                }
            }
            mix(simd, &by_scores, [rows, lanes], keys, size, by_qkv, [vector, 3 * hidden * width]);
            let keys_at = [dim * width + vector, 3 * hidden * width];
            mix(simd, &by_scores, [lanes, rows], queries, size, by_qkv, keys_at);
        }
    }
}

/// One vector of each channel of each token.
#[derive(Clone, Copy)]
struct Rows<'a> {
    data: &'a [f32],
    begin: usize,
    /// From one token to the next.
    stride: usize,
}

impl Rows<'_> {
    #[inline(always)]
    fn at<S: Simd>(self, simd: S, token: usize, channel: usize) -> S::f32s {
        let at = self.begin + token * self.stride + channel;
        load(simd, &self.data[at..at + S::F32_LANES])
    }
}

/// Rows and columns of a tile.
const TILE: usize = 4;

/// `out[i, j] = sum over channels of x[i] * y[j]`, `[tokens, tokens, lanes]`.
#[inline(always)]
fn multiply<S: Simd>(simd: S, x: Rows<'_>, y: Rows<'_>, [tokens, dim, width]: [usize; 3], out: &mut [f32]) {
    let lanes = S::F32_LANES;
    let last = tokens - 1;
    for i in (0..tokens).step_by(TILE) {
        for j in (0..tokens).step_by(TILE) {
            let mut sums = [[simd.splat_f32s(0.0); TILE]; TILE];
            for channel in 0..dim {
                let mut next = [simd.splat_f32s(0.0); TILE];
                unrolled!(COLUMN in 0 1 2 3, {
                    next[COLUMN] = y.at(simd, last.min(j + COLUMN), channel * width);
                });
                let y = next;
                unrolled!(ROW in 0 1 2 3, {
                    let x = x.at(simd, last.min(i + ROW), channel * width);
                    unrolled!(COLUMN in 0 1 2 3, {
                        sums[ROW][COLUMN] = mul_add(simd, x, y[COLUMN], sums[ROW][COLUMN]);
                    });
                });
            }
            for (i, sums) in (i..tokens).zip(sums) {
                for (j, sum) in (j..tokens).zip(sums) {
                    store(simd, &mut out[(i * tokens + j) * lanes..][..lanes], sum);
                }
            }
        }
    }
}

/// `out[i] = sum over j of shares[i, j] * y[j]`; `shares` are so far apart from one `i` and one `j` to the next, `out`
/// begins at `place[0]` and has its tokens `place[1]` apart.
#[inline(always)]
fn mix<S: Simd>(
    simd: S,
    shares: &[f32],
    strides: [usize; 2],
    y: Rows<'_>,
    [tokens, dim, width]: [usize; 3],
    out: &mut [f32],
    place: [usize; 2],
) {
    let lanes = S::F32_LANES;
    for i in (0..tokens).step_by(TILE) {
        for channel in (0..dim).step_by(TILE) {
            let mut sums = [[simd.splat_f32s(0.0); TILE]; TILE];
            for j in 0..tokens {
                let mut next = [simd.splat_f32s(0.0); TILE];
                unrolled!(COLUMN in 0 1 2 3, {
                    next[COLUMN] = y.at(simd, j, (channel + COLUMN).min(dim - 1) * width);
                });
                let y = next;
                unrolled!(ROW in 0 1 2 3, {
                    let at = (i + ROW).min(tokens - 1) * strides[0] + j * strides[1];
                    let share = load(simd, &shares[at..at + lanes]);
                    unrolled!(COLUMN in 0 1 2 3, {
                        sums[ROW][COLUMN] = mul_add(simd, share, y[COLUMN], sums[ROW][COLUMN]);
                    });
                });
            }
            for (i, sums) in (i..tokens).zip(sums) {
                for (channel, sum) in (channel..dim).zip(sums) {
                    let at = place[0] + i * place[1] + channel * width;
                    store(simd, &mut out[at..at + lanes], sum);
                }
            }
        }
    }
}

/// `out[i, j] += sum over tokens and lanes of x[token, i] * y[token, j]`. Tokens have as many rows as the second
/// numbers say, of which the first so many are multiplied.
struct Dots<'a> {
    x: &'a [f32],
    x_rows: [usize; 2],
    y: &'a [f32],
    y_rows: [usize; 2],
    width: usize,
    /// `[x_rows[0], y_rows[0]]`
    out: &'a mut [f32],
}

impl WithSimd for Dots<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { x, x_rows, y, y_rows, width, out } = self;
        let lanes = S::F32_LANES;
        debug_assert_eq!(width, WIDE * lanes);
        for i in (0..x_rows[0]).step_by(TILE) {
            for j in (0..y_rows[0]).step_by(TILE) {
                let mut sums = [[simd.splat_f32s(0.0); TILE]; TILE];
                let tokens = x.chunks(x_rows[1] * width).zip(y.chunks(y_rows[1] * width));
                for (x, y) in tokens {
                    for vector in (0..width).step_by(lanes) {
                        let mut next = [simd.splat_f32s(0.0); TILE];
                        unrolled!(COLUMN in 0 1 2 3, {
                            let at = (j + COLUMN).min(y_rows[0] - 1) * width + vector;
                            next[COLUMN] = load(simd, &y[at..at + lanes]);
                        });
                        let y = next;
                        unrolled!(ROW in 0 1 2 3, {
                            let at = (i + ROW).min(x_rows[0] - 1) * width + vector;
                            let x = load(simd, &x[at..at + lanes]);
                            unrolled!(COLUMN in 0 1 2 3, {
                                sums[ROW][COLUMN] = mul_add(simd, x, y[COLUMN], sums[ROW][COLUMN]);
                            });
                        });
                    }
                }
                for (i, sums) in (i..x_rows[0]).zip(sums) {
                    for (j, sum) in (j..y_rows[0]).zip(sums) {
                        out[i * y_rows[0] + j] += simd.reduce_sum_f32s(sum);
                    }
                }
            }
        }
    }
}

/// Through the layer norm: `x`, normed, becomes the gradient by what was normed.
struct NormGradient<'a> {
    /// `[tokens, channels, width]`
    x: &'a mut [f32],
    /// Like `x`.
    by: &'a [f32],
    /// What [`Norm`] multiplied with, `[tokens, width]`.
    scales: &'a [f32],
    channels: usize,
    width: usize,
}

impl WithSimd for NormGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { x, by, scales, channels, width } = self;
        let lanes = S::F32_LANES;
        let share = simd.splat_f32s(1.0 / channels as f32);
        let tokens = x.chunks_exact_mut(channels * width).zip(by.chunks_exact(channels * width));
        for ((x, by), scales) in tokens.zip(scales.chunks_exact(width)) {
            for vector in (0..width).step_by(lanes) {
                let range = vector..vector + lanes;
                let (mut level, mut along) = (simd.splat_f32s(0.0), simd.splat_f32s(0.0));
                for (x, by) in x.chunks_exact(width).zip(by.chunks_exact(width)) {
                    let by = load(simd, &by[range.clone()]);
                    level = simd.add_f32s(level, by);
                    along = mul_add(simd, load(simd, &x[range.clone()]), by, along);
                }
                let (level, along) = (simd.mul_f32s(level, share), simd.mul_f32s(along, share));
                let scale = load(simd, &scales[range.clone()]);
                for (x, by) in x.chunks_exact_mut(width).zip(by.chunks_exact(width)) {
                    let x = &mut x[range.clone()];
                    let rest = simd.sub_f32s(load(simd, &by[range.clone()]), level);
                    let rest = simd.sub_f32s(rest, simd.mul_f32s(load(simd, x), along));
                    store(simd, x, simd.mul_f32s(rest, scale));
                }
            }
        }
    }
}
