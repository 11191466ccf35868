//! Thresholding: clean estimates confined to the range of the data.

use burn::tensor::Tensor;

use super::config::Threshold;
use crate::kernels::confine;

/// Applies `rule` to a clean estimate.
///
/// # Shapes
/// - `x0` and result: `[batch, channels, frames, height, width]`
pub fn threshold(x0: Tensor<5>, rule: Threshold) -> Tensor<5> {
    match rule {
        Threshold::None => x0,
        Threshold::Dynamic { quantile: share, bound } => {
            let shape = x0.dims();
            confine(x0.flatten(1, 4), share, bound).reshape(shape)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, Distribution};

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
