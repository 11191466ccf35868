//! The means on the CPU.

use crate::kernels::cpu::chunks;

/// Means over two by two pixels of `[images, height, width, channels]`.
pub(super) fn mean_pool(x: &[f32], [images, height, width, channels]: [usize; 4]) -> Vec<f32> {
    let [rows, columns] = [height / 2, width / 2];
    let mut out = vec![0.0; images * rows * columns * channels];
    chunks(&mut out, rows * columns * channels, |image, out| {
        let x = &x[image * height * width * channels..][..height * width * channels];
        for (row, out) in out.chunks_exact_mut(columns * channels).enumerate() {
            let [upper, lower] = [2 * row, 2 * row + 1].map(|row| &x[row * width * channels..][..width * channels]);
            let pairs = upper.chunks_exact(2 * channels).zip(lower.chunks_exact(2 * channels));
            for (out, (upper, lower)) in out.chunks_exact_mut(channels).zip(pairs) {
                let sums = [upper, lower].map(|pair| pair.split_at(channels));
                let rows = sums.map(|(left, right)| left.iter().zip(right).map(|(left, right)| left + right));
                let [upper, lower] = rows;
                for ((out, upper), lower) in out.iter_mut().zip(upper).zip(lower) {
                    *out = (upper + lower) * 0.25;
                }
            }
        }
    });
    out
}

/// The gradient by `x`, which is `[images, height, width, channels]`, of the gradient by the means.
#[cfg(feature = "native")]
pub(super) fn gradient(means: &[f32], [images, height, width, channels]: [usize; 4]) -> Vec<f32> {
    let [rows, columns] = [height / 2, width / 2];
    let mut out = vec![0.0; images * height * width * channels];
    chunks(&mut out, height * width * channels, |image, out| {
        let means = &means[image * rows * columns * channels..][..rows * columns * channels];
        for (row, out) in out.chunks_exact_mut(width * channels).take(2 * rows).enumerate() {
            let means = &means[row / 2 * columns * channels..][..columns * channels];
            for (column, out) in out.chunks_exact_mut(channels).take(2 * columns).enumerate() {
                let means = &means[column / 2 * channels..][..channels];
                for (out, mean) in out.iter_mut().zip(means) {
                    *out = mean * 0.25;
                }
            }
        }
    });
    out
}
