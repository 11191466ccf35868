//! The derivative of [`linear_attention`](super::cpu::linear_attention), which computes the forward pass again.

use aligned_vec::AVec;
use pulp::{Simd, WithSimd};

use super::cpu::{NormRows, Softmaxes};
use crate::kernels::attention::NORM_EPSILON;
use crate::kernels::attention::cpu::AttentionShape;
use crate::kernels::cpu::math::{dot, sum};
use crate::kernels::cpu::product::{Outer, Panels, Product, aligned};
use crate::kernels::cpu::{dispatch, map};

/// Weights as the derivative reads them.
pub(super) struct Weights<'a> {
    /// `[channels]`
    pub(super) gain: &'a [f32],
    /// `[channels, 3 * heads * head_dim]`
    pub(super) qkv: &'a [f32],
    /// `[heads * head_dim, channels]`
    pub(super) out: &'a [f32],
}

/// Gradients by the input and by each weight, in the shapes of these.
pub(super) struct Gradients {
    pub(super) x: Vec<f32>,
    pub(super) gain: Vec<f32>,
    pub(super) qkv: Vec<f32>,
    pub(super) out: Vec<f32>,
    pub(super) bias: Vec<f32>,
}

/// Frames whose sums of gradients grow side by side; a fixed number, so that the result does not depend on the number
/// of cores.
const SUMS: usize = 16;

/// The gradients of the block, of the `gradient` by its output.
pub(super) fn gradients(x: &[f32], shape: &AttentionShape, weights: &Weights<'_>, gradient: &[f32]) -> Gradients {
    let &AttentionShape { outer: frames, tokens, channels, heads, head_dim: dim, .. } = shape;
    let hidden = heads * dim;
    let Weights { gain, qkv, out } = *weights;
    let panels = FramePanels {
        qkv: Panels::new(channels, 3 * hidden, |k, n| gain[k] * qkv[k * 3 * hidden + n]),
        qkv_back: Panels::new(3 * hidden, channels, |k, n| gain[n] * qkv[n * 3 * hidden + k]),
        out_back: Panels::new(channels, hidden, |k, n| out[n * channels + k]),
    };
    let share = frames.div_ceil(SUMS);
    let frame = tokens * channels;
    let parts = map(frames.div_ceil(share), |part| {
        let mut sums = Sums {
            qkv: vec![0.0; channels * 3 * hidden],
            out: vec![0.0; hidden * channels],
            bias: vec![0.0; channels],
        };
        let mut workspace = Workspace::of(shape);
        let mut by_x = Vec::with_capacity(share * frame);
        for index in part * share..frames.min((part + 1) * share) {
            let range = index * frame..(index + 1) * frame;
            let gradient = &gradient[range.clone()];
            let begin = by_x.len();
            by_x.extend_from_slice(gradient);
            dispatch(Frame {
                x: &x[range],
                shape,
                panels: &panels,
                gradient,
                by_x: &mut by_x[begin..],
                sums: &mut sums,
                workspace: &mut workspace,
            });
        }
        (by_x, sums)
    });
    let mut result = Gradients {
        x: Vec::with_capacity(x.len()),
        gain: vec![0.0; channels],
        qkv: vec![0.0; channels * 3 * hidden],
        out: vec![0.0; hidden * channels],
        bias: vec![0.0; channels],
    };
    for (by_x, sums) in parts {
        result.x.extend(by_x);
        add(&mut result.qkv, &sums.qkv);
        add(&mut result.out, &sums.out);
        add(&mut result.bias, &sums.bias);
    }
    unfold_gain(&mut result.gain, &mut result.qkv, gain, qkv);
    result
}

/// From the gradient by weights that are multiplied by a gain, row by row, to those by the gain and by the weights.
pub(in crate::kernels) fn unfold_gain(by_gain: &mut [f32], by_weights: &mut [f32], gain: &[f32], weights: &[f32]) {
    let columns = weights.len() / gain.len();
    let rows = by_weights.chunks_exact_mut(columns).zip(weights.chunks_exact(columns));
    for ((by_gain, gain), (by_row, row)) in by_gain.iter_mut().zip(gain).zip(rows) {
        *by_gain = by_row.iter().zip(row).map(|(by, weight)| by * weight).sum();
        for by in by_row {
            *by *= gain;
        }
    }
}

pub(in crate::kernels) fn add(totals: &mut [f32], parts: &[f32]) {
    for (total, part) in totals.iter_mut().zip(parts) {
        *total += part;
    }
}

struct FramePanels {
    qkv: Panels,
    qkv_back: Panels,
    out_back: Panels,
}

struct Sums {
    /// Of weights with the gain in them.
    qkv: Vec<f32>,
    out: Vec<f32>,
    bias: Vec<f32>,
}

/// What is computed between the gradients of a frame.
struct Workspace {
    /// `[positions, channels]`
    normed: AVec<f32>,
    /// `[positions, 3 * hidden]`
    qkv: AVec<f32>,
    /// `[positions, hidden]`
    heard: AVec<f32>,
    /// Like `heard`.
    by_heard: AVec<f32>,
    /// Like `qkv`.
    by_qkv: AVec<f32>,
    /// Like `normed`.
    by_normed: AVec<f32>,
}

impl Workspace {
    fn of(shape: &AttentionShape) -> Self {
        let &AttentionShape { tokens, channels, heads, head_dim, .. } = shape;
        let hidden = heads * head_dim;
        let [normed, by_normed] = [(); 2].map(|()| aligned(tokens * channels));
        let [qkv, by_qkv] = [(); 2].map(|()| aligned(tokens * 3 * hidden));
        let [heard, by_heard] = [(); 2].map(|()| aligned(tokens * hidden));
        Self { normed, qkv, heard, by_heard, by_qkv, by_normed }
    }
}

struct Frame<'a> {
    x: &'a [f32],
    shape: &'a AttentionShape,
    panels: &'a FramePanels,
    gradient: &'a [f32],
    /// Begins as `gradient`, for the residual.
    by_x: &'a mut [f32],
    sums: &'a mut Sums,
    workspace: &'a mut Workspace,
}

impl WithSimd for Frame<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { x, shape, panels, gradient, by_x, sums, workspace } = self;
        let Workspace { normed, qkv, heard, by_heard, by_qkv: by_qkv_rows, by_normed } = workspace;
        let &AttentionShape { tokens, channels, heads, head_dim: dim, .. } = shape;
        let hidden = heads * dim;
        let scale = (dim as f32).powf(-0.5);
        let offsets = |stride: usize| -> Vec<usize> { (0..tokens).map(|token| token * stride).collect() };
        let (by_channels, by_hidden, by_qkv) = (offsets(channels), offsets(hidden), offsets(3 * hidden));

        // Forward, up to what each head hears.
        simd.vectorize(NormRows { x, out: normed, channels });
        let normed_rows = (&**normed, &*by_channels);
        simd.vectorize(Product::plain(normed_rows, channels, panels.qkv.view(), (qkv, &by_qkv)));
        let mut totals = vec![0.0; hidden];
        simd.vectorize(Softmaxes { qkv, dim, hidden, sums: &mut totals });
        for row in qkv.chunks_exact_mut(3 * hidden) {
            for (key, total) in row[hidden..2 * hidden].iter_mut().zip(&totals) {
                *key /= total;
            }
        }

        let gradient_rows = (gradient, &*by_channels);
        simd.vectorize(Product::plain(gradient_rows, channels, panels.out_back.view(), (by_heard, &by_hidden)));
        for row in gradient.chunks_exact(channels) {
            add(&mut sums.bias, row);
        }

        for head in 0..heads {
            let [query, key, value] = [0, 1, 2].map(|part| part * hidden + head * dim);
            let outer = |x: &[f32], y: (&[f32], usize)| {
                let mut out = vec![0.0; dim * dim];
                simd.vectorize(Outer {
                    x,
                    rows: &by_qkv,
                    y: y.0,
                    stride: y.1,
                    columns: [dim; 2],
                    out: &mut out,
                    out_stride: dim,
                });
                for value in &mut out {
                    *value *= scale;
                }
                out
            };
            let context = outer(&qkv[key..], (&qkv[value..], 3 * hidden));
            let by_context = outer(&qkv[query..], (&by_heard[head * dim..], hidden));
            let straight = |matrix: &[f32]| Panels::from_rows(dim, dim, dim, matrix);
            let turned = |matrix: &[f32]| Panels::new(dim, dim, |k, n| matrix[n * dim + k]);

            // What is heard is `query context`; `context` is `keys^T values`.
            let products = [
                (&qkv[query..], &by_qkv, straight(&context), &mut heard[head * dim..], &by_hidden),
                (&by_heard[head * dim..], &by_hidden, turned(&context), &mut by_qkv_rows[query..], &by_qkv),
            ];
            for (x, rows, weights, out, outs) in products {
                simd.vectorize(Product::plain((x, rows), dim, weights.view(), (out, outs)));
            }
            let by_key = turned(&by_context);
            let keys = (&mut by_qkv_rows[key..], &*by_qkv);
            simd.vectorize(Product::plain((&qkv[value..], &by_qkv), dim, by_key.view(), keys));
            let by_value = straight(&by_context);
            let values = (&mut by_qkv_rows[value..], &*by_qkv);
            simd.vectorize(Product::plain((&qkv[key..], &by_qkv), dim, by_value.view(), values));
        }
        simd.vectorize(SoftmaxGradients { qkv, by: by_qkv_rows, dim, hidden });

        let weight_sums = [
            (&**heard, &by_hidden, gradient, channels, [hidden, channels], &mut sums.out),
            (&**normed, &by_channels, &**by_qkv_rows, 3 * hidden, [channels, 3 * hidden], &mut sums.qkv),
        ];
        for (x, rows, y, stride, columns, out) in weight_sums {
            simd.vectorize(Outer { x, rows, y, stride, columns, out, out_stride: columns[1] });
        }
        let back = (&**by_qkv_rows, &*by_qkv);
        simd.vectorize(Product::plain(back, 3 * hidden, panels.qkv_back.view(), (by_normed, &by_channels)));
        simd.vectorize(NormGradient { x, normed, by_normed, by_x, channels });
    }
}

/// Through both softmaxes: of queries over the channels of a head, of keys over the positions.
struct SoftmaxGradients<'a> {
    /// `[positions, 3 * hidden]`, softmaxes done.
    qkv: &'a [f32],
    /// Gradients by them, which become those by what the softmaxes were taken of.
    by: &'a mut [f32],
    dim: usize,
    hidden: usize,
}

impl pulp::NullaryFnOnce for SoftmaxGradients<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { qkv, by, dim, hidden } = self;
        let mut along = vec![0.0; hidden];
        for (row, by) in qkv.chunks_exact(3 * hidden).zip(by.chunks_exact(3 * hidden)) {
            let terms = row[hidden..2 * hidden].iter().zip(&by[hidden..2 * hidden]);
            for (along, (key, by)) in along.iter_mut().zip(terms) {
                *along += key * by;
            }
        }
        for (row, by) in qkv.chunks_exact(3 * hidden).zip(by.chunks_exact_mut(3 * hidden)) {
            let (by_queries, by_keys) = by[..2 * hidden].split_at_mut(hidden);
            for (query, by) in row.chunks_exact(dim).zip(by_queries.chunks_exact_mut(dim)) {
                let along = dot(query, by);
                for (query, by) in query.iter().zip(by) {
                    *by = query * (*by - along);
                }
            }
            for ((key, by), along) in row[hidden..].iter().zip(by_keys).zip(&along) {
                *by = key * (*by - along);
            }
        }
    }
}

/// Through the layer norm; added to `by_x`.
struct NormGradient<'a> {
    x: &'a [f32],
    normed: &'a [f32],
    by_normed: &'a [f32],
    by_x: &'a mut [f32],
    channels: usize,
}

impl pulp::NullaryFnOnce for NormGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { x, normed, by_normed, by_x, channels } = self;
        let count = channels as f32;
        let rows = x.chunks_exact(channels).zip(normed.chunks_exact(channels));
        let by_rows = by_normed.chunks_exact(channels).zip(by_x.chunks_exact_mut(channels));
        for ((x, normed), (by_normed, by_x)) in rows.zip(by_rows) {
            let mean = sum(x, |x| x) / count;
            let scale = 1.0 / (sum(x, |x| (x - mean) * (x - mean)) / count + NORM_EPSILON as f32).sqrt();
            let level = sum(by_normed, |by| by) / count;
            let along = dot(by_normed, normed) / count;
            for ((by_x, by), normed) in by_x.iter_mut().zip(by_normed).zip(normed) {
                *by_x += scale * (by - level - normed * along);
            }
        }
    }
}
