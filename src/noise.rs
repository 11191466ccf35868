//! Seeded Gaussian noise, bit-identical on every platform, so that a seed means the same video everywhere.

use burn::tensor::{Device, Tensor, TensorData};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// A stream of standard normal numbers: ChaCha12, then Box-Muller with `libm`'s functions in double precision.
///
/// ```
/// use burn::tensor::Device;
/// use lfdm::noise::NoiseSource;
///
/// let device = Device::flex();
/// let [first, again, other] = [7, 7, 8].map(|seed| NoiseSource::new(seed).normal([2, 3], &device).into_data());
/// assert_eq!(first, again);
/// assert_ne!(first, other);
/// ```
#[derive(Debug, Clone)]
pub struct NoiseSource {
    rng: ChaCha12Rng,
    /// The second number of the last pair.
    spare: Option<f32>,
}

impl NoiseSource {
    /// The stream of `seed`.
    pub fn new(seed: u64) -> Self {
        Self { rng: ChaCha12Rng::seed_from_u64(seed), spare: None }
    }

    /// Independent standard normal values, drawn on the CPU in row-major order.
    ///
    /// # Shapes
    /// Returns `shape`.
    pub fn normal<const D: usize>(&mut self, shape: [usize; D], device: &Device) -> Tensor<D> {
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| self.next_normal()).collect();
        Tensor::from_data(TensorData::new(values, shape), device)
    }

    /// A number in `0..bound`; `bound` is at least 1.
    pub fn below(&mut self, bound: usize) -> usize {
        // The high half of a wide product: free of the low bits' bias, and the bias that is left is below 2^-32.
        ((u128::from(self.rng.next_u64()) * bound as u128) >> 64) as usize
    }

    /// A number in the open interval (0, 1).
    pub fn uniform(&mut self) -> f64 {
        ((self.rng.next_u64() >> 11) as f64 + 0.5) * (1.0 / (1u64 << 53) as f64)
    }

    fn next_normal(&mut self) -> f32 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let radius = libm::sqrt(-2.0 * libm::log(self.uniform()));
        let angle = std::f64::consts::TAU * self.uniform();
        self.spare = Some((radius * libm::sin(angle)) as f32);
        (radius * libm::cos(angle)) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(seed: u64, count: usize) -> Vec<f32> {
        NoiseSource::new(seed).normal([count], &Device::flex()).into_data().try_to_vec().unwrap()
    }

    #[test]
    fn the_first_values_never_change() {
        // From an independent implementation of ChaCha12 and Box-Muller.
        let golden = [3213608924, 3197751094, 3209300938, 1057465516, 3222209915, 1068057883];
        let bits: Vec<u32> = draw(42, 6).into_iter().map(f32::to_bits).collect();
        assert_eq!(bits, golden, "every saved seed would mean another video");
    }

    #[test]
    fn values_are_standard_normal() {
        let values = draw(7, 40_001);
        let count = values.len() as f64;
        let moment = |power: i32| values.iter().map(|&value| f64::from(value).powi(power)).sum::<f64>() / count;
        assert!(moment(1).abs() < 0.02);
        assert!((moment(2) - 1.0).abs() < 0.03);
        assert!((moment(4) - 3.0).abs() < 0.2);
        assert!(values.iter().all(|value| value.is_finite()));
    }

    #[test]
    fn seeds_differ_and_a_stream_does_not_depend_on_how_it_is_cut() {
        assert_ne!(draw(1, 8), draw(2, 8));
        let device = Device::flex();
        let mut source = NoiseSource::new(1);
        let mut cut: Vec<f32> = source.normal([3], &device).into_data().try_to_vec().unwrap();
        cut.extend(source.normal([5], &device).into_data().try_to_vec::<f32>().unwrap());
        assert_eq!(cut, draw(1, 8));
    }

    #[test]
    fn bounded_numbers_fill_their_range() {
        let mut source = NoiseSource::new(0);
        let mut seen = [0; 7];
        for _ in 0..7000 {
            seen[source.below(7)] += 1;
        }
        assert!(seen.iter().all(|&count| (850..1150).contains(&count)), "{seen:?}");
    }
}
