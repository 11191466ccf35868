//! The matrix product under every convolution, projection and attention.
//!
//! Rows are gathered, not copied: an output row is the product of a panel of weights and, for every tap, the stretch
//! of input that begins at the row's offset plus the tap's. A convolution over a padded map in channels-last order is
//! exactly that, and so is a plain matrix product (one tap at 0).

use aligned_vec::AVec;
use pulp::{Simd, WithSimd};

use super::{chunks, load, mul_add, store, unrolled};
use crate::kernels::conv::Activation;

/// Vectors in a row of a full tile.
pub(in crate::kernels) const WIDE: usize = 2;

/// Lanes of the widest vector of `f32` that this processor has.
struct Lanes;

impl WithSimd for Lanes {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        S::F32_LANES
    }
}

/// Columns of a panel: the outputs of one tile.
pub(crate) fn panel_width() -> usize {
    WIDE * super::dispatch(Lanes)
}

/// Zeros that begin where a line of the cache does.
pub(crate) fn aligned(length: usize) -> AVec<f32> {
    let mut zeros = AVec::with_capacity(64, length);
    zeros.resize(length, 0.0);
    zeros
}

/// A matrix of weights, `[depth, columns]`, cut into panels of as many columns as a tile computes at once, each
/// contiguous, the last one filled up with zeros.
#[derive(Debug, Clone)]
pub(crate) struct Panels {
    depth: usize,
    columns: usize,
    data: AVec<f32>,
}

impl Panels {
    /// Packs the matrix whose element in row `k` and column `n` is `at(k, n)`.
    pub(crate) fn new(depth: usize, columns: usize, at: impl Fn(usize, usize) -> f32 + Sync) -> Self {
        let width = panel_width();
        let mut panels = Self { depth, columns, data: aligned(columns.div_ceil(width) * depth * width) };
        chunks(&mut panels.data, depth * width, |panel, data| {
            let start = panel * width;
            for (k, row) in data.chunks_exact_mut(width).enumerate() {
                for (value, n) in row.iter_mut().zip(start..columns.min(start + width)) {
                    *value = at(k, n);
                }
            }
        });
        panels
    }

    /// Packs a row-major matrix whose rows begin `stride` elements apart.
    pub(crate) fn from_rows(depth: usize, columns: usize, stride: usize, rows: &[f32]) -> Self {
        Self::new(depth, columns, |k, n| rows[k * stride + n])
    }

    /// The number of columns.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// Panels as a [`Product`] reads them.
    pub(crate) fn view(&self) -> PanelsView<'_> {
        PanelsView { depth: self.depth, columns: self.columns, data: &self.data }
    }
}

/// Borrowed [`Panels`], or what a kernel wrote in their order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PanelsView<'a> {
    pub(crate) depth: usize,
    pub(crate) columns: usize,
    /// `[panels, depth, panel_width()]`
    pub(crate) data: &'a [f32],
}

/// `out[outs[i] + n] = activation(sum + bias[n] + residual[outs[i] + n])`, where `sum` is that over taps `t` and
/// `k < depth` of `x[rows[i] + taps[t] + k] * weights[t, k][n]`.
pub(crate) struct Product<'a> {
    /// Where rows are gathered from.
    pub(crate) x: &'a [f32],
    /// Offset of each row in `x`.
    pub(crate) rows: &'a [usize],
    /// Offsets that are added to a row's.
    pub(crate) taps: &'a [usize],
    /// Length of the stretch of `x` at each tap.
    pub(crate) depth: usize,
    /// `[taps * depth, columns]`
    pub(crate) weights: PanelsView<'a>,
    /// `[columns]`
    pub(crate) bias: Option<&'a [f32]>,
    /// Of the size of `out`.
    pub(crate) residual: Option<&'a [f32]>,
    pub(crate) activation: Activation,
    pub(crate) out: &'a mut [f32],
    /// Offset of each row in `out`.
    pub(crate) outs: &'a [usize],
}

#[cfg(feature = "native")]
impl<'a> Product<'a> {
    /// A product of rows of `depth` numbers, with nothing done to its sums.
    pub(crate) fn plain(
        (x, rows): (&'a [f32], &'a [usize]),
        depth: usize,
        weights: PanelsView<'a>,
        (out, outs): (&'a mut [f32], &'a [usize]),
    ) -> Self {
        let activation = Activation::Identity;
        Self { x, rows, taps: &[0], depth, weights, bias: None, residual: None, activation, out, outs }
    }
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // As many sums as registers hold beside the weights and an input. V8 keeps all inputs of a tile at once.
        if cfg!(target_family = "wasm") {
            self.tiles::<S, 4>(simd);
        } else if S::REGISTER_COUNT >= 32 {
            self.tiles::<S, 12>(simd);
        } else {
            self.tiles::<S, 6>(simd);
        }
    }
}

impl Product<'_> {
    /// All tiles of `ROWS` rows; the last one repeats its last row.
    #[inline(always)]
    fn tiles<S: Simd, const ROWS: usize>(mut self, simd: S) {
        let Self { weights: PanelsView { depth, columns, data }, rows, outs, .. } = self;
        assert_eq!(depth, self.taps.len() * self.depth);
        assert_eq!(rows.len(), outs.len());
        let lanes = S::F32_LANES;
        let width = WIDE * lanes;
        for (panel, start) in (0..columns).step_by(width).enumerate() {
            let (vectors, _) = S::as_simd_f32s(&data[panel * depth * width..][..depth * width]);
            let narrow = columns - start <= lanes;
            for first in (0..rows.len()).step_by(ROWS) {
                let last = rows.len() - 1;
                let tile: [usize; ROWS] = std::array::from_fn(|row| rows[last.min(first + row)]);
                let filled = ROWS.min(rows.len() - first);
                if narrow {
                    let sums = self.tile::<S, ROWS, 1>(simd, tile, vectors);
                    self.store(simd, &outs[first..first + filled], start, &sums);
                } else {
                    let sums = self.tile::<S, ROWS, WIDE>(simd, tile, vectors);
                    self.store(simd, &outs[first..first + filled], start, &sums);
                }
            }
        }
    }

    /// The sums of `ROWS` rows and `COLUMNS` vectors of columns.
    #[inline(always)]
    fn tile<S: Simd, const ROWS: usize, const COLUMNS: usize>(
        &self,
        simd: S,
        rows: [usize; ROWS],
        panel: &[S::f32s],
    ) -> [[S::f32s; COLUMNS]; ROWS] {
        let mut sums = [[simd.splat_f32s(0.0); COLUMNS]; ROWS];
        for (&tap, panel) in self.taps.iter().zip(panel.chunks_exact(self.depth * WIDE)) {
            let (panel, _) = panel.as_chunks::<WIDE>();
            let panel = &panel[..self.depth];
            let x: [&[f32]; ROWS] = std::array::from_fn(|row| &self.x[rows[row] + tap..][..self.depth]);
            for (k, weights) in panel.iter().enumerate() {
                unrolled!(ROW < ROWS, {
                    let x = simd.splat_f32s(x[ROW][k]);
                    for (sum, &weight) in sums[ROW].iter_mut().zip(weights) {
                        *sum = mul_add(simd, x, weight, *sum);
                    }
                });
            }
        }
        sums
    }

    /// Finishes the sums of some rows, from column `start` on.
    #[inline(always)]
    fn store<S: Simd, const COLUMNS: usize>(
        &mut self,
        simd: S,
        outs: &[usize],
        start: usize,
        sums: &[[S::f32s; COLUMNS]],
    ) {
        let lanes = S::F32_LANES;
        for (&out, sums) in outs.iter().zip(sums) {
            for (vector, &sum) in sums.iter().enumerate() {
                let column = start + vector * lanes;
                let length = lanes.min(self.weights.columns.saturating_sub(column));
                let range = out + column..out + column + length;
                let mut sum = sum;
                if let Some(bias) = self.bias {
                    sum = simd.add_f32s(sum, load_some(simd, &bias[column..column + length]));
                }
                if let Some(residual) = self.residual {
                    sum = simd.add_f32s(sum, load_some(simd, &residual[range.clone()]));
                }
                if self.activation == Activation::Relu {
                    sum = simd.max_f32s(sum, simd.splat_f32s(0.0));
                }
                store_some(simd, &mut self.out[range], sum);
            }
        }
    }
}

/// A vector that may be longer than `x`; what lies beyond is 0.
#[inline(always)]
fn load_some<S: Simd>(simd: S, x: &[f32]) -> S::f32s {
    // Masks are slow where the processor has none.
    if x.len() == S::F32_LANES { load(simd, x) } else { simd.partial_load_f32s(x) }
}

/// Writes the first lanes.
#[inline(always)]
fn store_some<S: Simd>(simd: S, out: &mut [f32], x: S::f32s) {
    if out.len() == S::F32_LANES { store(simd, out, x) } else { simd.partial_store_f32s(out, x) }
}

/// `out[outs + m * stride + n] += sum over rows r of x[r * x_stride + m] * y[r * y_stride + n]`: the product of a
/// transposed matrix with another, for `m < columns[0]` and `n < columns[1]`.
pub(crate) struct Outer<'a> {
    pub(crate) x: &'a [f32],
    /// Offset of each row in `x`.
    pub(crate) rows: &'a [usize],
    pub(crate) y: &'a [f32],
    /// From one row of `y` to the next.
    pub(crate) stride: usize,
    /// Columns of `x`, columns of `y`.
    pub(crate) columns: [usize; 2],
    pub(crate) out: &'a mut [f32],
    /// From one row of `out` to the next.
    pub(crate) out_stride: usize,
}

impl WithSimd for Outer<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if S::REGISTER_COUNT >= 32 && !cfg!(target_family = "wasm") {
            self.tiles::<S, 8>(simd);
        } else {
            self.tiles::<S, 4>(simd);
        }
    }
}

impl Outer<'_> {
    #[inline(always)]
    fn tiles<S: Simd, const ROWS: usize>(self, simd: S) {
        /// Rows whose part of `y` stays in the first cache while those of `x` pass by.
        const RUN: usize = 64;
        let Self { x, rows, y, stride, columns, out, out_stride } = self;
        for (rows, y) in rows.chunks(RUN).zip(y.chunks(RUN * stride)) {
            Outer { x, rows, y, stride, columns, out: &mut *out, out_stride }.run::<S, ROWS>(simd);
        }
    }

    #[inline(always)]
    fn run<S: Simd, const ROWS: usize>(mut self, simd: S) {
        let width = WIDE * S::F32_LANES;
        for start in (0..self.columns[1]).step_by(width) {
            for first in (0..self.columns[0]).step_by(ROWS) {
                let count = ROWS.min(self.columns[0] - first);
                // Sums stay in registers only if no other way of computing them is in the same loop.
                let sums = if count == ROWS && start + width <= self.columns[1] {
                    self.whole_tile::<S, ROWS>(simd, [first, start])
                } else {
                    self.part_of_tile::<S, ROWS>(simd, [first, start], count)
                };
                self.add(simd, [first, start], &sums[..count]);
            }
        }
    }

    /// The sums of `ROWS` columns of `x` and [`WIDE`] vectors of columns of `y`.
    #[inline(always)]
    fn whole_tile<S: Simd, const ROWS: usize>(&self, simd: S, [first, start]: [usize; 2]) -> Tile<S, ROWS> {
        let mut sums = [[simd.splat_f32s(0.0); WIDE]; ROWS];
        for (&row, y) in self.rows.iter().zip(self.y.chunks(self.stride)) {
            let x: &[f32; ROWS] = self.x[row + first..].first_chunk().unwrap_or_else(|| unreachable!());
            let (y, _) = S::as_simd_f32s(&y[start..start + WIDE * S::F32_LANES]);
            let y: &[S::f32s; WIDE] = y.first_chunk().unwrap_or_else(|| unreachable!());
            unrolled!(ROW < ROWS, {
                let x = simd.splat_f32s(x[ROW]);
                for (sum, &y) in sums[ROW].iter_mut().zip(y) {
                    *sum = mul_add(simd, x, y, *sum);
                }
            });
        }
        sums
    }

    /// [`whole_tile`](Self::whole_tile) at the edges: of `count` columns of `x`, and of what columns of `y` there are.
    #[inline(always)]
    fn part_of_tile<S: Simd, const ROWS: usize>(
        &self,
        simd: S,
        [first, start]: [usize; 2],
        count: usize,
    ) -> Tile<S, ROWS> {
        let filled = (WIDE * S::F32_LANES).min(self.columns[1] - start);
        let mut sums = [[simd.splat_f32s(0.0); WIDE]; ROWS];
        for (&row, y) in self.rows.iter().zip(self.y.chunks(self.stride)) {
            let (head, tail) = y[start..start + filled].split_at(S::F32_LANES.min(filled));
            let y = [simd.partial_load_f32s(head), simd.partial_load_f32s(tail)];
            for (sums, &x) in sums.iter_mut().zip(&self.x[row + first..][..count]) {
                let x = simd.splat_f32s(x);
                for (sum, y) in sums.iter_mut().zip(y) {
                    *sum = mul_add(simd, x, y, *sum);
                }
            }
        }
        sums
    }

    #[inline(always)]
    fn add<S: Simd>(&mut self, simd: S, [first, start]: [usize; 2], sums: &[[S::f32s; WIDE]]) {
        let lanes = S::F32_LANES;
        for (row, sums) in (first..).zip(sums) {
            for (vector, &sum) in sums.iter().enumerate() {
                let column = start + vector * lanes;
                let length = lanes.min(self.columns[1].saturating_sub(column));
                let begin = row * self.out_stride + column;
                if length > 0 {
                    let out = &mut self.out[begin..begin + length];
                    let total = simd.add_f32s(load_some(simd, out), sum);
                    store_some(simd, out, total);
                }
            }
        }
    }
}

/// Sums of a tile.
type Tile<S, const ROWS: usize> = [[<S as Simd>::f32s; WIDE]; ROWS];
