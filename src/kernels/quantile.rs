//! Quantiles of rows, and rows confined to them.

use burn::tensor::Tensor;

use crate::kernels::cpu::tensors::{contiguous, elements, tensor};

/// Halvings of the search interval of a quantile: as many as single precision resolves.
const HALVINGS: usize = 26;

/// The quantile of each row of non-negative values, interpolated linearly between neighbours.
///
/// # Shapes
/// - `values`: `[rows, n]`, each >= 0
/// - result: `[rows, 1]`
pub fn quantile(values: Tensor<2>, share: f64) -> Tensor<2> {
    let [rows, n] = values.dims();
    let Some(values) = contiguous(&values) else { return twin(values, share) };
    let (rank, fraction) = place(n, share);
    let found = elements(&values).chunks_exact(n).map(|row| {
        let mut row = row.to_vec();
        let (_, &mut here, above) = row.select_nth_unstable_by(rank, f32::total_cmp);
        let next = above.iter().copied().min_by(f32::total_cmp).unwrap_or(here);
        here + (next - here) * fraction as f32
    });
    tensor(found.collect(), [rows, 1])
}

/// The rank of the value below the quantile, and the share of the one above.
fn place(n: usize, share: f64) -> (usize, f64) {
    let position = share.clamp(0.0, 1.0) * (n - 1) as f64;
    (position.floor() as usize, position.fract())
}

/// Rows of `x` divided by the quantile of their magnitudes, clamped to -1 and 1 and multiplied by `bound`. A quantile
/// below `bound` counts as `bound`, so that rows within it stay as they are.
///
/// # Shapes
/// - `x` and result: `[rows, n]`
pub fn confine(x: Tensor<2>, share: f64, bound: f64) -> Tensor<2> {
    #[cfg(feature = "gpu")]
    if let Some(confined) = confine_on_gpu(&x, share, bound) {
        return confined;
    }
    confine_twin(x, share, bound)
}

/// [`confine`] in tensor operations, for any device.
///
/// # Shapes
/// - as [`confine`]
pub fn confine_twin(x: Tensor<2>, share: f64, bound: f64) -> Tensor<2> {
    let limit = quantile(x.clone().abs(), share).clamp_min(bound);
    (x / limit).clamp(-1.0, 1.0) * bound
}

/// [`confine`] on a WebGPU device, by `shaders/confine.wgsl`; `None` on any other.
#[cfg(feature = "gpu")]
fn confine_on_gpu(x: &Tensor<2>, share: f64, bound: f64) -> Option<Tensor<2>> {
    use crate::kernels::gpu::{Shader, contiguous, empty, tensor};

    let [rows, n] = x.dims();
    let x = contiguous(x)?;
    let output = empty(&x, [rows, n]);
    let (rank, fraction) = place(n, share);
    let shader = Shader { name: "confine", source: include_str!("../../shaders/confine.wgsl"), numbers: Vec::new() };
    let info = [n as u32, rank as u32, (fraction as f32).to_bits(), (bound as f32).to_bits()];
    shader.launch([rows, 1, 1], &[&x, &output], &info);
    Some(tensor(output))
}

/// [`quantile`] in tensor operations, for any device.
///
/// Sorting reads back to the host on GPU devices, so the order statistic is found by bisection of the value range:
/// elementwise work that stays where the tensor is.
///
/// # Shapes
/// - as [`quantile`]
pub fn twin(values: Tensor<2>, share: f64) -> Tensor<2> {
    let [rows, n] = values.dims();
    let (rank, fraction) = place(n, share);
    let rank = rank as f64;
    let at_most = |limit: &Tensor<2>| values.clone().lower_equal(limit.clone().expand([rows, n]));
    let count = |limit: &Tensor<2>| at_most(limit).float().sum_dim(1);

    // Invariant: fewer than rank + 1 values are <= low, and at least rank + 1 are <= low + width.
    let mut width = values.clone().max_dim(1);
    let mut low = width.zeros_like() - 1e-30;
    for _ in 0..HALVINGS {
        width = width * 0.5;
        let too_low = count(&(low.clone() + width.clone())).lower_equal_elem(rank + 0.5).float();
        low = low + width.clone() * too_low;
    }
    // The search ends within a few ulps of the order statistic; take the value itself.
    let upper = (low + width) * (1.0 + 1e-6);
    let here = values.clone().mask_fill(at_most(&upper).bool_not(), 0.0).max_dim(1);
    let next = values.clone().mask_fill(at_most(&upper), f32::MAX).min_dim(1);
    let repeated = count(&upper).greater_equal_elem(rank + 1.5);
    let next = next.mask_where(repeated, here.clone());
    if fraction == 0.0 { here } else { here.clone() + (next - here) * fraction }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Distribution, TensorData};

    use super::*;

    fn interpolated(row: &[f32], share: f64) -> f32 {
        let mut sorted = row.to_vec();
        sorted.sort_by(f32::total_cmp);
        let position = share * (row.len() - 1) as f64;
        let (index, fraction) = (position.floor() as usize, position.fract() as f32);
        let next = sorted[(index + 1).min(row.len() - 1)];
        sorted[index] + (next - sorted[index]) * fraction
    }

    #[test]
    fn the_quantile_is_that_of_the_sorted_values() {
        let device = Device::flex();
        let values = Tensor::<2>::random([3, 1537], Distribution::Normal(0.0, 2.0), &device).abs();
        let rows = values.to_data().try_to_vec::<f32>().unwrap();
        for share in [0.0, 0.5, 0.9, 0.995, 1.0] {
            for find in [quantile, twin] {
                let found = find(values.clone(), share).into_data().try_to_vec::<f32>().unwrap();
                for (row, found) in rows.chunks(1537).zip(found) {
                    let expected = interpolated(row, share);
                    let error = (found - expected).abs();
                    assert!(error <= 1e-6 * expected.max(1e-3), "{share}: {found} instead of {expected}");
                }
            }
        }
    }

    #[cfg(feature = "gpu")]
    #[test]
    fn kernel_and_twin_agree_on_the_gpu() {
        use crate::kernels::gpu::tests::{difference, gpu, on};
        let Some(gpu) = gpu() else { return };
        let cpu = Device::flex();
        let normal = Tensor::<2>::random([3, 1537], Distribution::Normal(0.0, 2.0), &cpu);
        let repeated = Tensor::from_data(TensorData::from([[0.0f32, -2.0, 2.0, 2.0, -2.0, 3.0]]), &cpu);
        for x in [normal.clone(), normal * 1e-3, repeated] {
            for (share, bound) in [(0.0, 1e-9), (0.5, 0.1), (0.5, 4.0), (0.9, 1.0), (0.995, 0.7), (1.0, 1.0)] {
                let Some(found) = confine_on_gpu(&on(&gpu, &x), share, bound) else { panic!("the kernel did not run") };
                let distance = difference(found, confine_twin(x.clone(), share, bound));
                assert!(distance < 1e-5 * bound as f32, "{share}, {bound}: {distance}");
            }
        }
    }

    #[test]
    fn repeated_values_are_their_own_quantile() {
        let values = Tensor::from_data(TensorData::from([[0.0f32, 2.0, 2.0, 2.0, 2.0, 3.0]]), &Device::flex());
        for find in [quantile, twin] {
            assert_eq!(find(values.clone(), 0.5).into_data().try_to_vec::<f32>().unwrap(), [2.0]);
        }
    }
}
