//! 3x3 convolutions by Winograd's minimal filtering, F(2x2, 3x3) (Lavin and Gray 2016): tiles of 4x4 inputs become 16
//! numbers that are multiplied one by one, where the definition takes 36 products for the 2x2 outputs.
//!
//! All coefficients are 0, 1, -1 and halves, so little precision is lost.

use pulp::{Simd, WithSimd};

use super::Activation;
use super::cpu::{Bands, ConvShape, ConvTerms, Window};
use crate::kernels::cpu::product::{Panels, Product, aligned};
use crate::kernels::cpu::{chunks, dispatch, load, store};

/// Numbers of a transformed tile.
const NUMBERS: usize = 16;
/// Channels come in multiples of the widest vector.
const CHANNELS: usize = 16;
/// Tiles of a unit of work; transformed, they fit the second cache.
const TILES: usize = 64;

/// Transformed weights, `[in, out]` for each of the numbers.
#[derive(Debug, Clone)]
pub(crate) struct Winograd([Panels; NUMBERS]);

impl Winograd {
    /// Whether a convolution can be, and is better, computed this way.
    pub(crate) fn serves(shape: &ConvShape, out: usize) -> bool {
        let is_plain = shape.kernel == [3, 3] && shape.stride == [1, 1] && shape.padding == [1, 1];
        let is_even = shape.size.iter().all(|side| side.is_multiple_of(2));
        is_plain && is_even && [shape.channels, out].iter().all(|&channels| channels.is_multiple_of(CHANNELS))
    }

    /// Transforms PyTorch's `[out, in, 3, 3]`.
    pub(crate) fn new(weight: &[f32], [out, channels]: [usize; 2]) -> Self {
        // Rows of the transformation: of three weights, four.
        let four = |[first, second, third]: [f32; 3]| {
            let ends = first + third;
            [first, (ends + second) * 0.5, (ends - second) * 0.5, third]
        };
        let mut transformed = vec![0.0; NUMBERS * channels * out];
        for n in 0..out {
            for channel in 0..channels {
                let (kernel, _) = weight[(n * channels + channel) * 9..][..9].as_chunks::<3>();
                let rows = [0, 1, 2].map(|row| four(kernel[row]));
                for column in 0..4 {
                    let down = four(rows.map(|row| row[column]));
                    for (row, value) in down.into_iter().enumerate() {
                        transformed[((row * 4 + column) * channels + channel) * out + n] = value;
                    }
                }
            }
        }
        Self(std::array::from_fn(|number| {
            Panels::from_rows(channels, out, out, &transformed[number * channels * out..][..channels * out])
        }))
    }

    /// The number of output channels.
    pub(crate) fn columns(&self) -> usize {
        self.0[0].columns()
    }
}

/// `activation(conv(prologue(x)) + bias + residual)`, where it [`serves`](Winograd::serves).
pub(crate) fn conv(x: &[f32], shape: &ConvShape, weights: &Winograd, terms: ConvTerms<'_>) -> Vec<f32> {
    let columns = weights.columns();
    let [height, width] = shape.size;
    let mut out = vec![0.0; shape.images * height * width * columns];
    let rows = 2 * Bands::of(TILES, [height / 2, width / 2]).rows;
    chunks(&mut out, rows * width * columns, |index, out| {
        let first = index * rows;
        let rows = out.len() / (width * columns);
        let window = Window::gather(x, shape, terms.prologue, first, rows);
        let tiles: Vec<[usize; 2]> =
            (0..rows / 2).flat_map(|row| (0..width / 2).map(move |column| [2 * row, 2 * column])).collect();
        let inputs = tiles.iter().map(|&[row, column]| {
            (window.line(first + row, first, height, shape) * window.pitch + column) * shape.channels
        });
        let mut seen = aligned(NUMBERS * tiles.len() * shape.channels);
        let inputs: Vec<usize> = inputs.collect();
        dispatch(Analysis {
            x: &window.data,
            tiles: &inputs,
            pitch: window.pitch * shape.channels,
            channels: shape.channels,
            out: &mut seen,
        });

        let mut mixed = aligned(NUMBERS * tiles.len() * columns);
        let offsets = |stride: usize| -> Vec<usize> { (0..tiles.len()).map(|tile| tile * stride).collect() };
        let (rows, outs) = (offsets(shape.channels), offsets(columns));
        let numbers =
            seen.chunks_exact(tiles.len() * shape.channels).zip(mixed.chunks_exact_mut(tiles.len() * columns));
        for ((seen, mixed), weights) in numbers.zip(&weights.0) {
            dispatch(Product {
                x: seen,
                rows: &rows,
                taps: &[0],
                depth: shape.channels,
                weights: weights.view(),
                bias: None,
                residual: None,
                activation: Activation::Identity,
                out: mixed,
                outs: &outs,
            });
        }

        let begin = first * width * columns;
        let outputs: Vec<usize> = tiles.iter().map(|[row, column]| (row * width + column) * columns).collect();
        dispatch(Synthesis {
            x: &mixed,
            tiles: &outputs,
            pitch: width * columns,
            channels: columns,
            bias: terms.bias,
            residual: terms.residual.map(|residual| &residual[begin..begin + out.len()]),
            activation: terms.activation,
            out,
        });
    });
    out
}

/// From tiles of 4x4 inputs to 16 numbers each, `[numbers, tiles, channels]`.
struct Analysis<'a> {
    x: &'a [f32],
    /// Where each tile begins.
    tiles: &'a [usize],
    /// From one row to the next.
    pitch: usize,
    channels: usize,
    out: &'a mut [f32],
}

impl WithSimd for Analysis<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { x, tiles, pitch, channels, out } = self;
        let lanes = S::F32_LANES;
        let number = tiles.len() * channels;
        let four = |[a, b, c, d]: [S::f32s; 4]| {
            [simd.sub_f32s(a, c), simd.add_f32s(b, c), simd.sub_f32s(c, b), simd.sub_f32s(b, d)]
        };
        for (tile, &begin) in tiles.iter().enumerate() {
            let rows: [&[f32]; 4] = std::array::from_fn(|row| &x[begin + row * pitch..][..4 * channels]);
            for channel in (0..channels).step_by(lanes) {
                let columns: [[S::f32s; 4]; 4] = std::array::from_fn(|column| {
                    let at = column * channels + channel;
                    four(rows.map(|row| load(simd, &row[at..at + lanes])))
                });
                for row in 0..4 {
                    for (column, value) in four(columns.map(|column| column[row])).into_iter().enumerate() {
                        let at = (row * 4 + column) * number + tile * channels + channel;
                        store(simd, &mut out[at..at + lanes], value);
                    }
                }
            }
        }
    }
}

/// From 16 numbers, `[numbers, tiles, channels]`, to tiles of 2x2 outputs.
struct Synthesis<'a> {
    x: &'a [f32],
    /// Where each tile begins in `out`.
    tiles: &'a [usize],
    /// From one row of `out` to the next.
    pitch: usize,
    channels: usize,
    bias: Option<&'a [f32]>,
    residual: Option<&'a [f32]>,
    activation: Activation,
    out: &'a mut [f32],
}

impl WithSimd for Synthesis<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { x, tiles, pitch, channels, bias, residual, activation, out } = self;
        let lanes = S::F32_LANES;
        let number = tiles.len() * channels;
        let two =
            |[a, b, c, d]: [S::f32s; 4]| [simd.add_f32s(simd.add_f32s(a, b), c), simd.sub_f32s(simd.sub_f32s(b, c), d)];
        for (tile, &begin) in tiles.iter().enumerate() {
            for channel in (0..channels).step_by(lanes) {
                let bias = bias.map(|bias| load(simd, &bias[channel..channel + lanes]));
                let columns: [[S::f32s; 2]; 4] = std::array::from_fn(|column| {
                    two(std::array::from_fn(|row| {
                        let at = (row * 4 + column) * number + tile * channels + channel;
                        load(simd, &x[at..at + lanes])
                    }))
                });
                for row in 0..2 {
                    for (column, value) in two(columns.map(|column| column[row])).into_iter().enumerate() {
                        let at = begin + row * pitch + column * channels + channel;
                        let mut value = value;
                        if let Some(bias) = bias {
                            value = simd.add_f32s(value, bias);
                        }
                        if let Some(residual) = residual {
                            value = simd.add_f32s(value, load(simd, &residual[at..at + lanes]));
                        }
                        if activation == Activation::Relu {
                            value = simd.max_f32s(value, simd.splat_f32s(0.0));
                        }
                        store(simd, &mut out[at..at + lanes], value);
                    }
                }
            }
        }
    }
}
