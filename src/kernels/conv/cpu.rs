//! Convolutions on the CPU.

use super::Activation;
use crate::kernels::cpu::product::{Panels, Product};
use crate::kernels::cpu::{chunks, dispatch};
use crate::kernels::group_norm::cpu::Prologue;

/// Sizes of a convolution. Maps are `[images, height, width, channels]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConvShape {
    pub(crate) images: usize,
    /// Of the input: height and width.
    pub(crate) size: [usize; 2],
    /// Of the input.
    pub(crate) channels: usize,
    /// Height and width of the kernel.
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: [usize; 2],
    /// Zeros before the first and after the last row and column.
    pub(crate) padding: [usize; 2],
}

impl ConvShape {
    /// Height and width of the output.
    pub(crate) fn out_size(&self) -> [usize; 2] {
        std::array::from_fn(|axis| {
            (self.size[axis] + 2 * self.padding[axis] - self.kernel[axis]) / self.stride[axis] + 1
        })
    }

    /// Whether every output is a product of one input pixel, in the same place.
    fn is_plain_product(&self) -> bool {
        self.kernel == [1, 1] && self.stride == [1, 1] && self.padding == [0, 0]
    }
}

/// What is done before, with and after a convolution.
#[derive(Clone, Copy)]
pub(crate) struct ConvTerms<'a> {
    /// Applied to the input as it is read.
    pub(crate) prologue: Option<Prologue<'a>>,
    /// `[out]`
    pub(crate) bias: Option<&'a [f32]>,
    /// Added to the output, of its size.
    pub(crate) residual: Option<&'a [f32]>,
    /// The last thing done.
    pub(crate) activation: Activation,
}

/// Weights as [`conv`] reads them, from PyTorch's `[out, in, height, width]`.
pub(crate) fn conv_panels(weight: &[f32], [out, channels, height, width]: [usize; 4]) -> Panels {
    Panels::new(height * width * channels, out, |k, n| {
        let (tap, channel) = (k / channels, k % channels);
        weight[(n * channels + channel) * height * width + tap]
    })
}

/// `activation(conv(prologue(x)) + bias + residual)`
pub(crate) fn conv(x: &[f32], shape: &ConvShape, weights: &Panels, terms: ConvTerms<'_>) -> Vec<f32> {
    let [height, width] = shape.out_size();
    let columns = weights.columns();
    let mut out = vec![0.0; shape.images * height * width * columns];
    if shape.is_plain_product() && terms.prologue.is_none() {
        let pixels = 256;
        chunks(&mut out, pixels * columns, |index, out| {
            let rows = out.len() / columns;
            let first = index * pixels;
            let offsets: Vec<usize> = (first..first + rows).map(|row| row * shape.channels).collect();
            let outs: Vec<usize> = (0..rows).map(|row| row * columns).collect();
            let residual = terms.residual.map(|residual| &residual[first * columns..][..rows * columns]);
            dispatch(Product {
                x,
                rows: &offsets,
                taps: &[0],
                depth: shape.channels,
                weights: weights.view(),
                bias: terms.bias,
                residual,
                activation: terms.activation,
                out,
                outs: &outs,
            });
        });
        return out;
    }

    let bands = Bands::new([height, width]);
    chunks(&mut out, bands.rows * width * columns, |index, out| {
        let first = index * bands.rows;
        let rows = out.len() / (width * columns);
        let window = Window::gather(x, shape, terms.prologue, first, rows);
        // A row of the kernel sees one stretch of a line.
        let taps: Vec<usize> = (0..shape.kernel[0]).map(|tap| tap * window.pitch * shape.channels).collect();
        let offsets = window.offsets(first, rows, shape);
        let outs: Vec<usize> = (0..rows * width).map(|pixel| pixel * columns).collect();
        let begin = first * width * columns;
        dispatch(Product {
            x: &window.data,
            rows: &offsets,
            taps: &taps,
            depth: shape.kernel[1] * shape.channels,
            weights: weights.view(),
            bias: terms.bias,
            residual: terms.residual.map(|residual| &residual[begin..begin + out.len()]),
            activation: terms.activation,
            out,
            outs: &outs,
        });
    });
    out
}

/// Weights as the gradient by the input reads them: a convolution by the mirrored kernel, or a doubling one.
#[cfg(feature = "native")]
pub(crate) enum InputGradient {
    Mirrored(Panels),
    Doubling(Doubling),
}

#[cfg(feature = "native")]
impl InputGradient {
    /// `None` for strides that no layer of a network that learns has.
    pub(crate) fn new(weight: &[f32], dims: [usize; 4], stride: [usize; 2], padding: [usize; 2]) -> Option<Self> {
        let [out, channels, height, width] = dims;
        match (stride, [height, width], padding) {
            ([1, 1], ..) if padding[0] < height && padding[1] < width => {
                let taps = height * width;
                Some(Self::Mirrored(Panels::new(taps * out, channels, |k, n| {
                    let (tap, channel) = (k / out, k % out);
                    weight[(channel * channels + n) * taps + taps - 1 - tap]
                })))
            }
            ([2, 2], [4, 4], [1, 1]) => Some(Self::Doubling(Doubling::transposed(weight, [out, channels]))),
            _ => None,
        }
    }

    /// The gradient by the input of a convolution of `shape`, of the gradient by its output.
    pub(crate) fn pull(&self, gradient: &[f32], shape: &ConvShape, out: usize) -> Vec<f32> {
        let size = shape.out_size();
        match self {
            Self::Mirrored(weights) => {
                let shape = ConvShape {
                    size,
                    channels: out,
                    padding: [0, 1].map(|axis| shape.kernel[axis] - 1 - shape.padding[axis]),
                    ..*shape
                };
                let plain = ConvTerms { prologue: None, bias: None, residual: None, activation: Activation::Identity };
                conv(gradient, &shape, weights, plain)
            }
            Self::Doubling(weights) => {
                let dims = [shape.images, size[0], size[1], out];
                doubling_conv(gradient, dims, weights, None, Activation::Identity)
            }
        }
    }
}

/// The gradient by the weights, `[out, in, height, width]`, of the gradient by the output.
#[cfg(feature = "native")]
pub(crate) fn weight_gradient(x: &[f32], shape: &ConvShape, gradient: &[f32], out: usize) -> Vec<f32> {
    /// Sums that grow side by side; a fixed number, so that the result does not depend on the number of cores.
    const SUMS: usize = 16;
    let [height, width] = shape.out_size();
    let (channels, taps) = (shape.channels, shape.kernel[0] * shape.kernel[1]);
    let stretch = shape.kernel[1] * channels;
    let bands = Bands::new([height, width]);
    let unit = bands.rows * width * out;
    let units: Vec<&[f32]> = gradient.chunks(unit).collect();
    let share = units.len().div_ceil(SUMS);
    let sums = crate::kernels::cpu::map(units.len().div_ceil(share), |sum| {
        let mut total = vec![0.0; taps * channels * out];
        for (index, unit) in units.iter().enumerate().skip(sum * share).take(share) {
            let first = index * bands.rows;
            let rows = unit.len() / (width * out);
            let window = Window::gather(x, shape, None, first, rows);
            let offsets = window.offsets(first, rows, shape);
            // A row of the kernel sees one stretch of a line.
            for (line, total) in total.chunks_exact_mut(stretch * out).enumerate() {
                dispatch(crate::kernels::cpu::product::Outer {
                    x: &window.data[line * window.pitch * channels..],
                    rows: &offsets,
                    y: unit,
                    stride: out,
                    columns: [stretch, out],
                    out: total,
                    out_stride: out,
                });
            }
        }
        total
    });
    in_order_of_weights(&total_of(sums), [taps, channels, out])
}

/// The sum of equally long vectors, of which there is at least one.
#[cfg(feature = "native")]
fn total_of(mut sums: Vec<Vec<f32>>) -> Vec<f32> {
    /// Numbers of a unit of work, which stay in the first cache.
    const PART: usize = 4096;
    let mut total = sums.swap_remove(0);
    chunks(&mut total, PART, |index, total| {
        for sums in &sums {
            for (total, sum) in total.iter_mut().zip(&sums[index * PART..]) {
                *total += sum;
            }
        }
    });
    total
}

/// `[taps, channels, out]` as `[out, channels, taps]`.
#[cfg(feature = "native")]
fn in_order_of_weights(x: &[f32], [taps, channels, out]: [usize; 3]) -> Vec<f32> {
    let mut result = vec![0.0; x.len()];
    chunks(&mut result, channels * taps, |n, result| {
        for (channel, result) in result.chunks_exact_mut(taps).enumerate() {
            for (tap, result) in result.iter_mut().enumerate() {
                *result = x[(tap * channels + channel) * out + n];
            }
        }
    });
    result
}

/// How the rows of all images are dealt to units of work: whole images, or equal parts of one.
pub(super) struct Bands {
    /// Rows of a unit: a multiple of an image's, or a divisor.
    pub(super) rows: usize,
}

/// Pixels of a unit of work: its input fits the second cache, and there are units for several cores.
const UNIT: usize = 256;

impl Bands {
    fn new(size: [usize; 2]) -> Self {
        Self::of(UNIT, size)
    }

    /// Units of about so many pixels.
    pub(super) fn of(unit: usize, [height, width]: [usize; 2]) -> Self {
        let pixels = height * width;
        let rows = if pixels <= unit {
            height * (unit / pixels)
        } else {
            let most = (2 * unit / width).max(1);
            (1..=most.min(height)).rev().find(|&rows| height.is_multiple_of(rows)).unwrap_or(1)
        };
        Self { rows }
    }
}

/// The padded input of one unit of work.
pub(super) struct Window {
    /// Lines of `pitch` pixels.
    pub(super) data: Vec<f32>,
    /// Pixels from one line to the next.
    pub(super) pitch: usize,
    /// Lines of each image in this window.
    lines: usize,
    /// The first image.
    image: usize,
}

impl Window {
    /// What output rows `first..first + rows` (of all images, one after the other) read.
    pub(super) fn gather(
        x: &[f32],
        shape: &ConvShape,
        prologue: Option<Prologue<'_>>,
        first: usize,
        rows: usize,
    ) -> Self {
        let [out_height, _] = shape.out_size();
        let [height, width] = shape.size;
        let channels = shape.channels;
        let pitch = width + 2 * shape.padding[1];
        let image = first / out_height;
        let images = rows.div_ceil(out_height);
        let (top, count) = if rows < out_height { (first % out_height, rows) } else { (0, out_height) };
        let lines = (count - 1) * shape.stride[0] + shape.kernel[0];
        let mut data = vec![0.0; images * lines * pitch * channels];
        for (index, window) in data.chunks_exact_mut(lines * pitch * channels).enumerate() {
            for (line, out) in window.chunks_exact_mut(pitch * channels).enumerate() {
                let Some(row) =
                    (top * shape.stride[0] + line).checked_sub(shape.padding[0]).filter(|&row| row < height)
                else {
                    continue;
                };
                let row = &x[((image + index) * height + row) * width * channels..][..width * channels];
                let out = &mut out[shape.padding[1] * channels..][..width * channels];
                match prologue {
                    None => out.copy_from_slice(row),
                    Some(prologue) => prologue.apply(image + index, row, out),
                }
            }
        }
        Self { data, pitch, lines, image }
    }

    /// Where the kernel of each pixel of `rows` output rows begins.
    fn offsets(&self, first: usize, rows: usize, shape: &ConvShape) -> Vec<usize> {
        let [height, width] = shape.out_size();
        let offset = |pixel: usize| {
            let line = self.line(first + pixel / width, first, height, shape);
            (line * self.pitch + pixel % width * shape.stride[1]) * shape.channels
        };
        (0..rows * width).map(offset).collect()
    }

    /// The line of this window where the kernel of output row `row` begins.
    pub(super) fn line(&self, row: usize, first: usize, out_height: usize, shape: &ConvShape) -> usize {
        let image = row / out_height - self.image;
        let top = if image == 0 { first % out_height } else { 0 };
        image * self.lines + (row % out_height - top) * shape.stride[0]
    }
}

/// Weights of a map that is doubled and convolved: a 2x2 kernel for each of the four parities of an output pixel, as
/// rows and columns of the output that are even or odd see the same inputs.
#[derive(Debug, Clone)]
pub(crate) struct Doubling([Panels; 4]);

impl Doubling {
    /// Nearest neighbours, then a 3x3 convolution with zeros around it, of PyTorch's `[out, in, 3, 3]`.
    pub(crate) fn nearest(weight: &[f32], [out, channels]: [usize; 2]) -> Self {
        // Of the three rows of the kernel: which of the two input rows they see.
        let seen = |parity: usize, tap: usize| -> &'static [usize] {
            match (parity, tap) {
                (0, 0) => &[0],
                (0, _) => &[1, 2],
                (_, 0) => &[0, 1],
                _ => &[2],
            }
        };
        Self::new(out, channels, |[down, right], [row, column], channel, n| {
            let sum = |row: usize| -> f32 {
                seen(right, column).iter().map(|column| weight[((n * channels + channel) * 3 + row) * 3 + column]).sum()
            };
            seen(down, row).iter().map(|&row| sum(row)).sum()
        })
    }

    /// A transposed 4x4 convolution of stride 2 and padding 1, of PyTorch's `[in, out, 4, 4]`.
    pub(crate) fn transposed(weight: &[f32], [channels, out]: [usize; 2]) -> Self {
        Self::new(out, channels, |[down, right], [row, column], channel, n| {
            // Input `i` reaches output `o` through row `o + 1 - 2 i`; here `o` is `2 y + down` and `i` is
            // `y - 1 + down + row`.
            let row = 3 - 2 * row - down;
            let column = 3 - 2 * column - right;
            weight[((channel * out + n) * 4 + row) * 4 + column]
        })
    }

    /// The number of output channels.
    pub(crate) fn columns(&self) -> usize {
        self.0[0].columns()
    }

    fn new(out: usize, channels: usize, at: impl Fn([usize; 2], [usize; 2], usize, usize) -> f32 + Sync) -> Self {
        Self(std::array::from_fn(|parity| {
            Panels::new(4 * channels, out, |k, n| {
                let (tap, channel) = (k / channels, k % channels);
                at([parity / 2, parity % 2], [tap / 2, tap % 2], channel, n)
            })
        }))
    }
}

/// Doubles height and width of `[images, height, width, channels]`.
pub(crate) fn doubling_conv(
    x: &[f32],
    [images, height, width, channels]: [usize; 4],
    weights: &Doubling,
    bias: Option<&[f32]>,
    activation: Activation,
) -> Vec<f32> {
    let columns = weights.columns();
    let mut out = vec![0.0; images * height * width * 4 * columns];
    let shape = ConvShape { images, size: [height, width], channels, kernel: [3, 3], stride: [1, 1], padding: [1, 1] };
    let bands = Bands::new([height, width]);
    chunks(&mut out, bands.rows * width * 4 * columns, |index, out| {
        let first = index * bands.rows;
        let rows = out.len() / (4 * width * columns);
        let window = Window::gather(x, &shape, None, first, rows);
        for (parity, weights) in weights.0.iter().enumerate() {
            let (down, right) = (parity / 2, parity % 2);
            let taps = [0, window.pitch * channels];
            let offsets: Vec<usize> = (0..rows * width)
                .map(|pixel| {
                    let line = window.line(first + pixel / width, first, height, &shape) + down;
                    (line * window.pitch + pixel % width + right) * channels
                })
                .collect();
            let outs: Vec<usize> = (0..rows * width)
                .map(|pixel| ((2 * (pixel / width) + down) * 2 * width + 2 * (pixel % width) + right) * columns)
                .collect();
            dispatch(Product {
                x: &window.data,
                rows: &offsets,
                taps: &taps,
                depth: 2 * channels,
                weights: weights.view(),
                bias,
                residual: None,
                activation,
                out,
                outs: &outs,
            });
        }
    });
    out
}
