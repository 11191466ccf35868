//! Square grids of numbers or colours, and how they are blurred, halved and enlarged.

use std::ops::{Add, Mul, Sub};

use glam::{Vec3, Vec4};

use crate::picture::Picture;

/// What can be averaged.
pub(crate) trait Value:
    Copy + Default + Add<Output = Self> + Sub<Output = Self> + Mul<f32, Output = Self>
{
}

impl Value for f32 {}
impl Value for Vec3 {}
impl Value for Vec4 {}

/// A square grid, rows from the top.
#[derive(Clone, Debug)]
pub(crate) struct Grid<T> {
    pub(crate) size: usize,
    pub(crate) cells: Vec<T>,
}

impl Grid<Vec3> {
    /// The pixels of a picture.
    pub(crate) fn of(picture: &Picture) -> Self {
        Self { size: picture.size(), cells: picture.pixels().to_vec() }
    }

    /// The picture of these pixels.
    pub(crate) fn picture(self) -> Picture {
        let mut picture = Picture::plain(self.size, Vec3::ZERO);
        picture.pixels_mut().copy_from_slice(&self.cells);
        picture
    }
}

impl<T: Value> Grid<T> {
    /// A grid whose cells are made from the `values` of another grid or picture.
    pub(crate) fn from<U: Copy>(size: usize, values: &[U], make: impl Fn(U) -> T) -> Self {
        Self { size, cells: values.iter().map(|&value| make(value)).collect() }
    }

    /// A grid whose cells are what `make` gives for their column and row.
    pub(crate) fn make(size: usize, mut make: impl FnMut(usize, usize) -> T) -> Self {
        let mut cells = Vec::with_capacity(size * size);
        for y in 0..size {
            cells.extend((0..size).map(|x| make(x, y)));
        }
        Self { size, cells }
    }

    /// The cell at `x`, `y`, or the nearest one inside.
    #[inline]
    pub(crate) fn at(&self, x: isize, y: isize) -> T {
        let last = self.size as isize - 1;
        self.cells[(y.clamp(0, last) * self.size as isize + x.clamp(0, last)) as usize]
    }

    /// The cell that is nearest to a place in cells whose centres are whole numbers.
    #[inline]
    pub(crate) fn nearest(&self, x: f32, y: f32) -> T {
        let last = (self.size - 1) as i32;
        let inside = |value: f32| ((value + 0.5) as i32).clamp(0, last) as usize;
        self.cells[inside(y) * self.size + inside(x)]
    }

    /// Bilinear, at a place in cells whose centres are whole numbers.
    #[inline]
    pub(crate) fn sample(&self, x: f32, y: f32) -> T {
        let last = self.size as f32 - 1.001;
        let (x, y) = (x.clamp(0., last.max(0.)), y.clamp(0., last.max(0.)));
        let (left, top) = (x as i32 as usize, y as i32 as usize);
        let (right_share, bottom_share) = (x - left as f32, y - top as f32);
        let right = (left + 1).min(self.size - 1);
        let (upper, lower) = (top * self.size, (top + 1).min(self.size - 1) * self.size);
        let row = |row: usize| mix(self.cells[row + left], self.cells[row + right], right_share);
        mix(row(upper), row(lower), bottom_share)
    }

    /// Convolved with a normal distribution of `deviation` cells; the border goes on outside.
    pub(crate) fn gaussian(&self, deviation: f32) -> Self {
        if deviation < 0.2 {
            return self.clone();
        }
        if deviation > 3. && self.size >= 16 {
            // Half the size does: what is left has no finer detail.
            return self.halved().gaussian(deviation / 2. * 0.98).resized(self.size);
        }
        self.convolved(&normal_kernel(deviation))
    }

    /// Convolved each way with a symmetric kernel: its middle and one half.
    fn convolved(&self, kernel: &[f32]) -> Self {
        let (size, reach) = (self.size, kernel.len() - 1);
        let mut across = vec![T::default(); size * size];
        let mut padded = vec![T::default(); size + 2 * reach];
        for (row, target) in self.cells.chunks_exact(size).zip(across.chunks_exact_mut(size)) {
            padded[..reach].fill(row[0]);
            padded[reach..reach + size].copy_from_slice(row);
            padded[reach + size..].fill(row[size - 1]);
            for (x, cell) in target.iter_mut().enumerate() {
                let middle = x + reach;
                *cell = padded[middle] * kernel[0];
                for (step, &weight) in kernel.iter().enumerate().skip(1) {
                    *cell = *cell + (padded[middle - step] + padded[middle + step]) * weight;
                }
            }
        }
        let mut cells = vec![T::default(); size * size];
        for (y, target) in cells.chunks_exact_mut(size).enumerate() {
            let row = |y: usize| &across[y * size..(y + 1) * size];
            for (cell, &value) in target.iter_mut().zip(row(y)) {
                *cell = value * kernel[0];
            }
            for (step, &weight) in kernel.iter().enumerate().skip(1) {
                let (above, below) = (row(y.saturating_sub(step)), row((y + step).min(size - 1)));
                for ((cell, &above), &below) in target.iter_mut().zip(above).zip(below) {
                    *cell = *cell + (above + below) * weight;
                }
            }
        }
        Self { size, cells }
    }

    /// Means over a disc of `radius` cells, as a lens out of focus makes them: bright points become discs.
    pub(crate) fn disc(&self, radius: f32) -> Self {
        if radius < 0.5 {
            return self.clone();
        }
        let (size, reach) = (self.size, radius.floor() as isize);
        let pad = reach as usize + 2;
        let sums = self.row_sums(pad);
        let stride = size + 2 * pad + 1;
        let mut cells = vec![T::default(); size * size];
        let mut area = 0.;
        for dy in -reach..=reach {
            let half = (radius * radius - (dy * dy) as f32).max(0.).sqrt();
            area += 2. * half;
            // Sums up to both ends, which lie between two cells.
            let (low, high) = (pad as f32 + 0.5 - half, pad as f32 + 0.5 + half);
            let (low_cell, high_cell) = (low as usize, high as usize);
            let (low_share, high_share) = (low - low_cell as f32, high - high_cell as f32);
            for (y, target) in cells.chunks_exact_mut(size).enumerate() {
                let row = (y as isize + dy).clamp(0, size as isize - 1) as usize;
                let sums = &sums[row * stride..(row + 1) * stride];
                let upper = sums[high_cell..].iter().zip(&sums[high_cell + 1..]);
                let lower = sums[low_cell..].iter().zip(&sums[low_cell + 1..]);
                for ((cell, (&a, &b)), (&c, &d)) in target.iter_mut().zip(upper).zip(lower) {
                    *cell = *cell + mix(a, b, high_share) - mix(c, d, low_share);
                }
            }
        }
        for cell in &mut cells {
            *cell = *cell * (1. / area);
        }
        Self { size, cells }
    }

    /// For each row the sums of all cells before a place, with `pad` more cells at both ends.
    fn row_sums(&self, pad: usize) -> Vec<T> {
        let (size, stride) = (self.size, self.size + 2 * pad + 1);
        let mut sums = vec![T::default(); size * stride];
        for (row, target) in self.cells.chunks_exact(size).zip(sums.chunks_exact_mut(stride)) {
            let mut sum = T::default();
            for (at, cell) in target.iter_mut().enumerate().skip(1) {
                sum = sum + row[(at - 1).saturating_sub(pad).min(size - 1)];
                *cell = sum;
            }
        }
        sums
    }

    /// Half the size, rounded up: means of four.
    pub(crate) fn halved(&self) -> Self {
        let size = self.size.div_ceil(2);
        let mut cells = Vec::with_capacity(size * size);
        for y in 0..size {
            let (upper, lower) = (2 * y * self.size, (2 * y + 1).min(self.size - 1) * self.size);
            for x in 0..size {
                let (left, right) = (2 * x, (2 * x + 1).min(self.size - 1));
                let sum = self.cells[upper + left] + self.cells[upper + right];
                cells.push((sum + self.cells[lower + left] + self.cells[lower + right]) * 0.25);
            }
        }
        Self { size, cells }
    }

    /// Another size, bilinear; for smaller ones halve first.
    pub(crate) fn resized(&self, size: usize) -> Self {
        if size == self.size {
            return self.clone();
        }
        let scale = self.size as f32 / size as f32;
        let place = |at: usize| (at as f32 + 0.5) * scale - 0.5;
        // Across, then down: two mixes a cell instead of three, and no clamping inside.
        let last = self.size - 1;
        let steps: Vec<(usize, usize, f32)> = (0..size)
            .map(|at| {
                let place = place(at).clamp(0., last as f32);
                (place as usize, (place as usize + 1).min(last), place.fract())
            })
            .collect();
        let mut across = Vec::with_capacity(size * self.size);
        for row in self.cells.chunks_exact(self.size) {
            across.extend(steps.iter().map(|&(low, high, share)| mix(row[low], row[high], share)));
        }
        let mut cells = Vec::with_capacity(size * size);
        for &(low, high, share) in &steps {
            let (upper, lower) = (&across[low * size..(low + 1) * size], &across[high * size..(high + 1) * size]);
            cells.extend(upper.iter().zip(lower).map(|(&a, &b)| mix(a, b, share)));
        }
        Self { size, cells }
    }
}

#[inline]
fn mix<T: Value>(a: T, b: T, share: f32) -> T {
    a + (b - a) * share
}

/// The middle and one half of a normal distribution whose sum is 1.
fn normal_kernel(deviation: f32) -> Vec<f32> {
    let reach = (2.6 * deviation).ceil() as usize;
    let mut kernel: Vec<f32> = (0..=reach).map(|step| (-0.5 * (step as f32 / deviation).powi(2)).exp()).collect();
    let sum = kernel[0] + 2. * kernel[1..].iter().sum::<f32>();
    for weight in &mut kernel {
        *weight /= sum;
    }
    kernel
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(size: usize) -> Grid<f32> {
        let mut grid = Grid { size, cells: vec![0.; size * size] };
        grid.cells[size / 2 * size + size / 2] = 1.;
        grid
    }

    /// Sum, and the root of the mean squared distance each way from the middle.
    fn spread(grid: &Grid<f32>) -> (f32, f32) {
        let middle = (grid.size / 2) as f32;
        let sum: f32 = grid.cells.iter().sum();
        let moment: f32 =
            (0..grid.cells.len()).map(|at| grid.cells[at] * ((at % grid.size) as f32 - middle).powi(2)).sum();
        (sum, (moment / sum).sqrt())
    }

    #[test]
    fn a_blurred_point_keeps_its_light_and_has_the_spread_asked_for() {
        for deviation in [0.7, 2., 5., 9.] {
            let (sum, found) = spread(&point(128).gaussian(deviation));
            assert!((sum - 1.).abs() < 0.01, "{deviation}: {sum}");
            assert!((found / deviation - 1.).abs() < 0.12, "{deviation}: {found}");
        }
    }

    #[test]
    fn a_point_out_of_focus_is_an_even_disc() {
        let disc = point(65).disc(8.);
        assert!((spread(&disc).0 - 1.).abs() < 1e-3);
        let (inside, outside) = (disc.at(32, 37), disc.at(32, 42));
        assert!((disc.at(32, 32) - inside).abs() < 1e-4 && inside > 0.003 && outside.abs() < 1e-5);
        assert!((disc.at(26, 32) - disc.at(38, 32)).abs() < 1e-4, "as far to the left as to the right");
    }

    #[test]
    fn plain_grids_stay_plain() {
        let plain = Grid { size: 37, cells: vec![0.5_f32; 37 * 37] };
        for grid in [plain.gaussian(1.3), plain.gaussian(8.), plain.disc(4.4), plain.halved(), plain.resized(90)] {
            assert!(grid.cells.iter().all(|value| (value - 0.5).abs() < 1e-4));
        }
    }
}
