//! Quantiles of rows.

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

    #[test]
    fn repeated_values_are_their_own_quantile() {
        let values = Tensor::from_data(TensorData::from([[0.0f32, 2.0, 2.0, 2.0, 2.0, 3.0]]), &Device::flex());
        for find in [quantile, twin] {
            assert_eq!(find(values.clone(), 0.5).into_data().try_to_vec::<f32>().unwrap(), [2.0]);
        }
    }
}
