//! Grids, warping, resizing and wavelets: the geometry that the whole model shares.
//!
//! Coordinates are normalised to [-1, 1], x before y. The official model mixes two conventions, and so must we:
//! grids run from corner to corner ([`coordinate_grid`]), while sampling puts -1 and 1 on the outer edges of
//! the corner pixels ([`warp`]). A flow equal to [`coordinate_grid`] is therefore a slight zoom; [`pixel_grid`]
//! moves nothing.

use burn::tensor::module::interpolate;
use burn::tensor::ops::{GridSampleOptions, InterpolateMode, InterpolateOptions};
use burn::tensor::{Device, Int, Tensor, TensorData};

/// Corner-to-corner grid: `2 i / (n - 1) - 1`.
///
/// # Shapes
/// Returns `[height, width, 2]`, xy.
pub fn coordinate_grid([height, width]: [usize; 2], device: &Device) -> Tensor<3> {
    grid([height, width], |i, n| if n > 1 { 2.0 * i / (n - 1) as f64 - 1.0 } else { -1.0 }, device)
}

/// Pixel centres as [`warp`] sees them: `(2 i + 1) / n - 1`. Warping by it is the identity.
///
/// # Shapes
/// Returns `[height, width, 2]`, xy.
pub fn pixel_grid([height, width]: [usize; 2], device: &Device) -> Tensor<3> {
    grid([height, width], |i, n| (2.0 * i + 1.0) / n as f64 - 1.0, device)
}

fn grid([height, width]: [usize; 2], place: impl Fn(f64, usize) -> f64, device: &Device) -> Tensor<3> {
    let mut values = Vec::with_capacity(height * width * 2);
    for y in 0..height {
        for x in 0..width {
            values.extend([place(x as f64, width), place(y as f64, height)]);
        }
    }
    Tensor::from_data(TensorData::new(values, [height, width, 2]), device)
}

/// Samples `image` bilinearly at the places in `grid`; zeros outside.
///
/// # Shapes
/// - `image`: `[batch, channels, height, width]`
/// - `grid`: `[batch, out_height, out_width, 2]`, xy in [-1, 1], -1 and 1 on the outer edges of the corner pixels
/// - returns `[batch, channels, out_height, out_width]`
pub fn warp(image: Tensor<4>, grid: Tensor<4>) -> Tensor<4> {
    // The backend's kernel has no gradient, and the one that autodiff composes out of element gathers takes most of a
    // training step; gathering whole pixels needs a fraction of it.
    if image.device().is_autodiff() {
        warp_by_rows(image, grid)
    } else {
        // burn-cubecl 0.22.1 reads y right after x, whatever the grid's strides; a resized flow is a permuted view.
        let [x, y] = [0, 1].map(|axis| grid.clone().narrow(3, axis, 1));
        image.grid_sample_2d(Tensor::cat(vec![x, y], 3), GridSampleOptions::default())
    }
}

/// [`warp`] made of differentiable parts: each of the four neighbours is one selection of channel rows.
fn warp_by_rows(image: Tensor<4>, grid: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = image.dims();
    let [_, out_height, out_width, _] = grid.dims();
    let (device, places) = (image.device(), out_height * out_width);
    let rows = image.permute([0, 2, 3, 1]).reshape([batch * height * width, channels]);

    let pixels = |axis: usize, side: usize| {
        let normalised = grid.clone().slice([0..batch, 0..out_height, 0..out_width, axis..axis + 1]);
        ((normalised + 1.0) * (side as f32 / 2.0) - 0.5).reshape([batch, places])
    };
    let (x, y) = (pixels(0, width), pixels(1, height));
    let (left, top) = (x.clone().detach().floor(), y.clone().detach().floor());
    let (toward_right, toward_bottom) = (x - left.clone(), y - top.clone());
    let first_row =
        Tensor::<1, Int>::arange(0..batch as i64, &device).mul_scalar((height * width) as i64).reshape([batch, 1]);

    let neighbour = |dx: f32, dy: f32| {
        let (column, line) = (left.clone() + dx, top.clone() + dy);
        let inside = inside(column.clone(), width) * inside(line.clone(), height);
        let column = column.clamp(0.0, (width - 1) as f32);
        let line = line.clamp(0.0, (height - 1) as f32);
        let index = (line * width as f32 + column).int() + first_row.clone();
        let share = |toward: Tensor<2>, far: f32| if far > 0.0 { toward } else { toward.neg() + 1.0 };
        let weight = share(toward_right.clone(), dx) * share(toward_bottom.clone(), dy) * inside;
        rows.clone().select(0, index.reshape([batch * places])) * weight.reshape([batch * places, 1])
    };
    let sampled = neighbour(0.0, 0.0) + neighbour(1.0, 0.0) + neighbour(0.0, 1.0) + neighbour(1.0, 1.0);
    sampled.reshape([batch, out_height, out_width, channels]).permute([0, 3, 1, 2])
}

/// 1 where `0 <= position < side`, else 0.
fn inside(position: Tensor<2>, side: usize) -> Tensor<2> {
    position.clone().greater_equal_elem(0.0).float() * position.lower_equal_elem((side - 1) as f32).float()
}

/// Bilinear resize, half-pixel centres, no anti-aliasing (PyTorch's `interpolate(align_corners=False)`).
///
/// # Shapes
/// - `x`: `[batch, channels, height, width]`
/// - returns `[batch, channels, size[0], size[1]]`
pub fn resize(x: Tensor<4>, size: [usize; 2]) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    if [height, width] == size {
        return x;
    }
    separable(x, &bilinear_matrix(height, size[0]), &bilinear_matrix(width, size[1]))
}

/// Cubic enlargement (Keys 1981), half-pixel centres: smooth where [`resize`] has creases. It overshoots a step by up
/// to an eighth.
///
/// # Shapes
/// - `x`: `[batch, channels, height, width]`
/// - returns `[batch, channels, size[0], size[1]]`, where no side may be smaller
pub fn enlarge(x: Tensor<4>, size: [usize; 2]) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    separable(x, &cubic_matrix(height, size[0]), &cubic_matrix(width, size[1]))
}

/// `[batch, height, width, channels]` as `[batch, channels, height, width]`; a view.
pub fn channels_first(x: Tensor<4>) -> Tensor<4> {
    x.permute([0, 3, 1, 2])
}

/// `[batch, channels, height, width]` as `[batch, height, width, channels]`; a view.
pub fn channels_last(x: Tensor<4>) -> Tensor<4> {
    x.permute([0, 2, 3, 1])
}

/// Doubles both sides by repeating pixels.
///
/// # Shapes
/// - `x`: `[batch, channels, height, width]`
/// - returns `[batch, channels, 2 height, 2 width]`
pub fn upsample_nearest(x: Tensor<4>) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    interpolate(x, InterpolateOptions::new(InterpolateMode::Nearest).with_output_size([2 * height, 2 * width]))
}

/// Bands of one level of Haar wavelets: each channel becomes this many.
pub const WAVELETS: usize = 4;

/// One level of Haar wavelets: for every two by two pixels their mean, and half the differences between
/// columns, between rows and between diagonals.
///
/// # Shapes
/// - `x`: `[batch, channels, height, width]`, both sides even
/// - returns `[batch, 4 channels, height / 2, width / 2]`: all means, then all differences between columns, all between
///   rows, all between diagonals
pub fn haar(x: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    let cells = x.reshape([batch, channels, height / 2, 2, width / 2, 2]);
    let pixel = |row: usize, column: usize| {
        let pixel = cells.clone().narrow(3, row, 1).narrow(5, column, 1);
        pixel.reshape([batch, channels, height / 2, width / 2])
    };
    let [top, bottom] = [0, 1].map(|row| [pixel(row, 0), pixel(row, 1)]);
    let [[top, top_slope], [bottom, bottom_slope]] =
        [top, bottom].map(|[left, right]| [(left.clone() + right.clone()) * 0.5, (left - right) * 0.5]);
    let halves = |a: Tensor<4>, b: Tensor<4>| [(a.clone() + b.clone()) * 0.5, (a - b) * 0.5];
    let [mean, rows] = halves(top, bottom);
    let [columns, diagonals] = halves(top_slope, bottom_slope);
    Tensor::cat(vec![mean, columns, rows, diagonals], 1)
}

/// Undoes [`haar`].
///
/// # Shapes
/// - `x`: `[batch, 4 channels, height, width]`
/// - returns `[batch, channels, 2 height, 2 width]`
pub fn inverse_haar(x: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    let channels = channels / 4;
    let [mean, columns, rows, diagonals] = [0, 1, 2, 3].map(|band| x.clone().narrow(1, band * channels, channels));
    let pair = |a: Tensor<4>, b: Tensor<4>| [a.clone() + b.clone(), a - b];
    let [top, bottom] = pair(mean, rows);
    let [top_slope, bottom_slope] = pair(columns, diagonals);
    let row = |mean: Tensor<4>, slope: Tensor<4>| Tensor::stack::<5>(pair(mean, slope).to_vec(), 4);
    let rows = vec![row(top, top_slope), row(bottom, bottom_slope)];
    Tensor::stack::<6>(rows, 3).reshape([batch, channels, 2 * height, 2 * width])
}

/// One level of Haar wavelets over images: for every two in a row their mean and half their difference.
///
/// # Shapes
/// - `x`: `[batch, channels, height, width]`, an even batch
/// - returns `[batch / 2, 2 channels, height, width]`: all means, then all differences
pub fn haar_of_pairs(x: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    let pairs = x.reshape([batch / 2, 2, channels, height, width]);
    let [first, second] = [0, 1].map(|image| pairs.clone().narrow(1, image, 1).squeeze_dim::<4>(1));
    Tensor::cat(vec![(first.clone() + second.clone()) * 0.5, (first - second) * 0.5], 1)
}

/// Undoes [`haar_of_pairs`].
///
/// # Shapes
/// - `x`: `[batch, 2 channels, height, width]`
/// - returns `[2 batch, channels, height, width]`
pub fn inverse_haar_of_pairs(x: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    let channels = channels / 2;
    let [mean, difference] = [0, 1].map(|band| x.clone().narrow(1, band * channels, channels));
    let pairs = vec![mean.clone() + difference.clone(), mean - difference];
    Tensor::stack::<5>(pairs, 1).reshape([2 * batch, channels, height, width])
}

/// Gaussian blur, then subsampling: MRAA's `AntiAliasInterpolation2d` for a scale of 1/2, 1/4 or 1/8.
///
/// The 2D kernel is the outer product of a normalised 1D one, so the whole operation is one small matrix per axis.
///
/// # Shapes
/// - `x`: `[batch, channels, height, width]`
/// - returns `[batch, channels, ceil(height * scale), ceil(width * scale)]`
pub fn anti_alias(x: Tensor<4>, scale: f64) -> Tensor<4> {
    if scale == 1.0 {
        return x;
    }
    let [_, _, height, width] = x.dims();
    separable(x, &anti_alias_matrix(height, scale), &anti_alias_matrix(width, scale))
}

/// A linear map of one axis: `rows[i]` lists `(input index, weight)` of output `i`.
struct AxisMatrix {
    inputs: usize,
    rows: Vec<Vec<(usize, f64)>>,
}

impl AxisMatrix {
    fn tensor(&self, device: &Device) -> Tensor<2> {
        let mut values = vec![0.0f64; self.rows.len() * self.inputs];
        for (row, entries) in self.rows.iter().enumerate() {
            for &(column, weight) in entries {
                values[row * self.inputs + column] += weight;
            }
        }
        Tensor::from_data(TensorData::new(values, [self.rows.len(), self.inputs]), device)
    }
}

/// `rows * x * columns^T` on every channel.
///
/// Not by products in a page: nothing else there needs burn's, which would make its module half as large again.
fn separable(x: Tensor<4>, rows: &AxisMatrix, columns: &AxisMatrix) -> Tensor<4> {
    if cfg!(target_family = "wasm") { by_taps(by_taps(x, 3, columns), 2, rows) } else { by_products(x, rows, columns) }
}

fn by_products(x: Tensor<4>, rows: &AxisMatrix, columns: &AxisMatrix) -> Tensor<4> {
    let device = x.device();
    let x = x.matmul(columns.tensor(&device).transpose().unsqueeze());
    rows.tensor(&device).unsqueeze::<4>().matmul(x)
}

/// One axis, as a sum of as many weighted copies as an output has inputs.
fn by_taps(x: Tensor<4>, axis: usize, matrix: &AxisMatrix) -> Tensor<4> {
    let (device, outputs) = (x.device(), matrix.rows.len());
    let most = matrix.rows.iter().map(Vec::len).max().unwrap_or(0);
    let mut along = [1; 4];
    along[axis] = outputs;
    let tap = |tap: usize| {
        let entries = matrix.rows.iter().map(|entries| entries.get(tap).copied().unwrap_or((0, 0.0)));
        let (inputs, weights): (Vec<i32>, Vec<f32>) =
            entries.map(|(input, weight)| (input as i32, weight as f32)).unzip();
        let inputs = Tensor::<1, Int>::from_data(TensorData::new(inputs, [outputs]), &device);
        x.clone().select(axis, inputs) * Tensor::from_data(TensorData::new(weights, along), &device)
    };
    let sum = (0..most).map(tap).reduce(|sum, tap| sum + tap);
    sum.unwrap_or_else(|| unreachable!("an output is made of inputs"))
}

fn bilinear_matrix(inputs: usize, outputs: usize) -> AxisMatrix {
    let ratio = inputs as f64 / outputs as f64;
    let row = |i: usize| {
        let place = ((i as f64 + 0.5) * ratio - 0.5).max(0.0);
        let low = (place.floor() as usize).min(inputs - 1);
        let weight = place - low as f64;
        vec![(low, 1.0 - weight), ((low + 1).min(inputs - 1), weight)]
    };
    AxisMatrix { inputs, rows: (0..outputs).map(row).collect() }
}

fn cubic_matrix(inputs: usize, outputs: usize) -> AxisMatrix {
    let ratio = inputs as f64 / outputs as f64;
    let kernel = |distance: f64| match distance.abs() {
        d if d < 1.0 => (1.5 * d - 2.5) * d * d + 1.0,
        d if d < 2.0 => ((-0.5 * d + 2.5) * d - 4.0) * d + 2.0,
        _ => 0.0,
    };
    let row = |i: usize| {
        let place = (i as f64 + 0.5) * ratio - 0.5;
        let first = place.floor() as isize - 1;
        let tap = |tap: isize| ((tap.clamp(0, inputs as isize - 1)) as usize, kernel(place - tap as f64));
        (first..first + 4).map(tap).collect()
    };
    AxisMatrix { inputs, rows: (0..outputs).map(row).collect() }
}

/// The Gaussian of [`anti_alias`] along one axis: an odd number of weights with sum 1.
pub(crate) fn anti_alias_kernel(scale: f64) -> Vec<f64> {
    let sigma = (1.0 / scale - 1.0) / 2.0;
    let radius = (4.0 * sigma).round_ties_even() as isize;
    let kernel: Vec<f64> = (-radius..=radius).map(|i| (-((i * i) as f64) / (2.0 * sigma * sigma)).exp()).collect();
    let total: f64 = kernel.iter().sum();
    kernel.into_iter().map(|weight| weight / total).collect()
}

fn anti_alias_matrix(inputs: usize, scale: f64) -> AxisMatrix {
    let kernel = anti_alias_kernel(scale);
    let radius = (kernel.len() / 2) as isize;
    let row = |centre: usize| {
        let tap = |(k, &weight): (usize, &f64)| {
            let place = centre as isize + k as isize - radius;
            (0..inputs as isize).contains(&place).then_some((place as usize, weight))
        };
        kernel.iter().enumerate().filter_map(tap).collect()
    };
    let stride = (1.0 / scale).round() as usize;
    AxisMatrix { inputs, rows: (0..inputs).step_by(stride).map(row).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Distribution, Tolerance};

    fn close<const D: usize>(left: Tensor<D>, right: Tensor<D>) {
        left.into_data().assert_approx_eq::<f32>(&right.into_data(), Tolerance::absolute(1e-5));
    }

    #[test]
    fn warping_by_the_pixel_grid_changes_nothing() {
        let device = Device::flex();
        let image: Tensor<4> = Tensor::random([2, 3, 5, 7], Distribution::Default, &device);
        let identity = pixel_grid([5, 7], &device).unsqueeze::<4>().repeat_dim(0, 2);
        close(warp(image.clone(), identity.clone()), image.clone());
        close(warp_by_rows(image.clone(), identity), image);
    }

    #[test]
    fn both_warps_agree_inside_and_outside_the_image() {
        let device = Device::flex();
        let image: Tensor<4> = Tensor::random([2, 3, 6, 4], Distribution::Default, &device);
        let grid: Tensor<4> = Tensor::random([2, 5, 8, 2], Distribution::Uniform(-1.6, 1.6), &device);
        close(warp(image.clone(), grid.clone()), warp_by_rows(image, grid));
    }

    #[test]
    fn resizing_keeps_a_linear_ramp_away_from_the_border() {
        let device = Device::flex();
        let ramp = Tensor::<1>::from_floats([0.0, 1.0, 2.0, 3.0], &device).reshape([1, 1, 1, 4]);
        let wide: Vec<f32> = resize(ramp, [1, 8]).into_data().try_to_vec().unwrap();
        assert_eq!(wide, [0.0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3.0]);
    }

    #[test]
    fn enlarging_keeps_a_curve_that_has_no_third_derivative() {
        let device = Device::flex();
        let parabola = |n: usize| {
            let values: Vec<f32> = (0..n).map(|i| ((2 * i + 1) as f32 / n as f32 - 1.0).powi(2)).collect();
            Tensor::<1>::from_floats(values.as_slice(), &device).reshape([1, 1, 1, n])
        };
        let found = enlarge(parabola(8).repeat_dim(2, 3), [3, 32]).narrow(2, 1, 1);
        // Away from the border, where the outermost value is repeated.
        close(found.narrow(3, 8, 16), parabola(32).narrow(3, 8, 16));
    }

    #[test]
    fn taps_and_products_agree() {
        let device = Device::flex();
        let x = crate::noise::NoiseSource::new(9).normal::<4>([2, 3, 6, 8], &device);
        let maps = [
            [bilinear_matrix(6, 16), bilinear_matrix(8, 5)],
            [cubic_matrix(6, 24), cubic_matrix(8, 9)],
            [anti_alias_matrix(6, 0.5), anti_alias_matrix(8, 0.25)],
        ];
        for [rows, columns] in &maps {
            let taps = by_taps(by_taps(x.clone(), 3, columns), 2, rows);
            close(taps, by_products(x.clone(), rows, columns));
        }
    }

    #[test]
    fn anti_aliasing_keeps_a_constant_away_from_the_border_and_rounds_odd_sides_up() {
        let device = Device::flex();
        let out = anti_alias(Tensor::ones([1, 1, 45, 64], &device), 0.25);
        assert_eq!(out.dims(), [1, 1, 12, 16]);
        let centre: f32 = out.slice([0..1, 0..1, 6..7, 8..9]).into_scalar();
        assert!((centre - 1.0).abs() < 1e-6);
    }

    #[test]
    fn wavelets_are_means_and_differences_and_come_back() {
        let device = Device::flex();
        let x = Tensor::<4>::from_data([[[[5.0f32, 3.0], [1.0, -1.0]]]], &device);
        // The mean, left minus right, top minus bottom, and one diagonal minus the other, each of them halved.
        haar(x).into_data().assert_eq(&TensorData::from([[[[2.0f32]], [[1.0]], [[2.0]], [[0.0]]]]), true);
        let x = crate::noise::NoiseSource::new(9).normal::<4>([2, 3, 6, 8], &device);
        let wavelets = haar(x.clone());
        assert_eq!(wavelets.dims(), [2, 12, 3, 4]);
        let means = resize(x.clone(), [3, 4]);
        let difference = |a: Tensor<4>, b: Tensor<4>| (a - b).abs().max().into_scalar::<f32>();
        assert!(difference(wavelets.clone().narrow(1, 0, 3), means) < 1e-6);
        assert!(difference(inverse_haar(wavelets), x) < 1e-6);
    }

    #[test]
    fn pairs_of_images_are_means_and_differences_and_come_back() {
        let device = Device::flex();
        let x = Tensor::<4>::from_data([[[[5.0f32]]], [[[3.0]]], [[[1.0]]], [[[-1.0]]]], &device);
        let expected = TensorData::from([[[[4.0f32]], [[1.0]]], [[[0.0]], [[1.0]]]]);
        haar_of_pairs(x).into_data().assert_eq(&expected, true);
        let x = crate::noise::NoiseSource::new(9).normal::<4>([6, 3, 2, 5], &device);
        let wavelets = haar_of_pairs(x.clone());
        assert_eq!(wavelets.dims(), [3, 6, 2, 5]);
        assert!((inverse_haar_of_pairs(wavelets) - x).abs().max().into_scalar::<f32>() < 1e-6);
    }
}
