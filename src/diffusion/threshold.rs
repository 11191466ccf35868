//! Thresholding: clean estimates confined to the range of the data.

use burn::tensor::Tensor;

use super::config::Threshold;

/// Halvings of the search interval of a quantile: as many as single precision resolves.
const QUANTILE_HALVINGS: usize = 26;

/// Applies `rule` to a clean estimate.
///
/// # Shapes
/// - `x0` and result: `[batch, channels, frames, height, width]`
pub fn threshold(x0: Tensor<5>, rule: Threshold) -> Tensor<5> {
    match rule {
        Threshold::None => x0,
        Threshold::Dynamic { quantile, bound } => {
            let batch = x0.dims()[0];
            let limit = sample_quantile(x0.clone().abs().flatten(1, 4), quantile).clamp_min(bound);
            (x0 / limit.reshape([batch, 1, 1, 1, 1])).clamp(-1.0, 1.0) * bound
        }
    }
}

/// The quantile of each row of non-negative values, interpolated linearly between neighbours.
///
/// Sorting reads back to the host on GPU devices, so the order statistic is found by bisection of
/// the value range: elementwise work that stays where the tensor is.
///
/// # Shapes
/// - `values`: `[rows, n]`, each >= 0
/// - result: `[rows, 1]`
pub fn sample_quantile(values: Tensor<2>, quantile: f64) -> Tensor<2> {
    let [rows, n] = values.dims();
    let position = quantile.clamp(0.0, 1.0) * (n - 1) as f64;
    let (rank, fraction) = (position.floor(), position.fract());
    let at_most = |limit: &Tensor<2>| values.clone().lower_equal(limit.clone().expand([rows, n]));
    let count = |limit: &Tensor<2>| at_most(limit).float().sum_dim(1);

    // Invariant: fewer than rank + 1 values are <= low, and at least rank + 1 are <= low + width.
    let mut width = values.clone().max_dim(1);
    let mut low = width.zeros_like() - 1e-30;
    for _ in 0..QUANTILE_HALVINGS {
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
    use super::*;
    use burn::tensor::{Device, Distribution, TensorData};

    fn interpolated(row: &[f32], quantile: f64) -> f32 {
        let mut sorted = row.to_vec();
        sorted.sort_by(f32::total_cmp);
        let position = quantile * (row.len() - 1) as f64;
        let (index, fraction) = (position.floor() as usize, position.fract() as f32);
        let next = sorted[(index + 1).min(row.len() - 1)];
        sorted[index] + (next - sorted[index]) * fraction
    }

    #[test]
    fn the_quantile_is_that_of_the_sorted_values() {
        let device = Device::flex();
        let values = Tensor::<2>::random([3, 1537], Distribution::Normal(0.0, 2.0), &device).abs();
        let rows = values.to_data().try_to_vec::<f32>().unwrap();
        for quantile in [0.0, 0.5, 0.9, 0.995, 1.0] {
            let found = sample_quantile(values.clone(), quantile).into_data().try_to_vec::<f32>().unwrap();
            for (row, found) in rows.chunks(1537).zip(found) {
                let expected = interpolated(row, quantile);
                assert!(
                    (found - expected).abs() <= 1e-6 * expected.max(1e-3),
                    "{quantile}: {found} instead of {expected}"
                );
            }
        }
    }

    #[test]
    fn repeated_values_are_their_own_quantile() {
        let values = Tensor::from_data(TensorData::from([[0.0f32, 2.0, 2.0, 2.0, 2.0, 3.0]]), &Device::flex());
        assert_eq!(sample_quantile(values, 0.5).into_data().try_to_vec::<f32>().unwrap(), [2.0]);
    }

    #[test]
    fn thresholding_confines_to_the_bound_and_spares_what_is_inside() {
        let device = Device::flex();
        let x = Tensor::<5>::random([2, 3, 2, 4, 4], Distribution::Normal(0.0, 1.0), &device);
        let rule = Threshold::Dynamic { quantile: 0.9, bound: 10.0 };
        let same = threshold(x.clone(), rule);
        assert!((same - x.clone()).abs().max().into_scalar::<f32>() < 1e-5);
        let clipped = threshold(x * 100.0, rule).abs().max().into_scalar::<f32>();
        assert!((clipped - 10.0).abs() < 1e-4);
    }
}
