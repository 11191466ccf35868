//! Functions that compilers turn into vectors: no branches, no tables.

/// `e^x`, within 2 units in the last place; `e^-87` below -87.
#[inline(always)]
pub(in crate::kernels) fn exp(x: f32) -> f32 {
    /// Adding it leaves the nearest integer in the low bits of the sum.
    const ROUND: f32 = 12_582_912.0;
    /// `ln 2` in two parts, the first of which has so few digits that its products are exact.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    /// Of the exponential over `[-ln 2 / 2, ln 2 / 2]`, after `1 + x`.
    const POLYNOMIAL: [f32; 6] = [1.987_569_1e-4, 1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_66, 0.5];
    let x = x.clamp(-87.0, 88.0);
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let power = rounded - ROUND;
    let rest = x - power * LN_2[0] - power * LN_2[1];
    let polynomial = POLYNOMIAL.iter().skip(1).fold(POLYNOMIAL[0], |sum, term| sum * rest + term);
    let fraction = polynomial * rest * rest + rest + 1.0;
    // The exponent's bits hold the power plus 127.
    fraction * f32::from_bits(rounded.to_bits().wrapping_sub(ROUND.to_bits() - 127) << 23)
}

/// `x sigmoid(x)`
#[inline(always)]
pub(in crate::kernels) fn silu(x: f32) -> f32 {
    x / (1.0 + exp(-x))
}

/// The derivative of [`silu`].
#[cfg(feature = "native")]
#[inline(always)]
pub(in crate::kernels) fn silu_slope(x: f32) -> f32 {
    let sigmoid = 1.0 / (1.0 + exp(-x));
    sigmoid * (1.0 + x * (1.0 - sigmoid))
}

/// Sums of this many interleaved parts do not wait for each other.
const PARTS: usize = 16;

/// The sum of `term` over `x`.
#[inline(always)]
pub(in crate::kernels) fn sum(x: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    let mut parts = [0.0; PARTS];
    let (whole, rest) = x.as_chunks::<PARTS>();
    for x in whole {
        for (part, x) in parts.iter_mut().zip(x) {
            *part += term(*x);
        }
    }
    for (part, x) in parts.iter_mut().zip(rest) {
        *part += term(*x);
    }
    by_halves(parts, |x, y| x + y)
}

/// The sum of the products of `x` and `y`, which are of one length.
#[cfg(feature = "native")]
#[inline(always)]
pub(in crate::kernels) fn dot(x: &[f32], y: &[f32]) -> f32 {
    let mut parts = [0.0; PARTS];
    let ((x, x_rest), (y, y_rest)) = (x.as_chunks::<PARTS>(), y.as_chunks::<PARTS>());
    for (x, y) in x.iter().zip(y) {
        for ((part, x), y) in parts.iter_mut().zip(x).zip(y) {
            *part += x * y;
        }
    }
    for ((part, x), y) in parts.iter_mut().zip(x_rest).zip(y_rest) {
        *part += x * y;
    }
    by_halves(parts, |x, y| x + y)
}

/// The largest of `x`.
#[inline(always)]
pub(in crate::kernels) fn max(x: &[f32]) -> f32 {
    let larger = |x: f32, y: f32| if x > y { x } else { y };
    let mut parts = [f32::NEG_INFINITY; PARTS];
    let (whole, rest) = x.as_chunks::<PARTS>();
    for x in whole {
        for (part, x) in parts.iter_mut().zip(x) {
            *part = larger(*x, *part);
        }
    }
    for (part, x) in parts.iter_mut().zip(rest) {
        *part = larger(*x, *part);
    }
    by_halves(parts, larger)
}

/// All parts in one. One half is combined with the other at a time: one part after the other would wait for each.
#[inline(always)]
fn by_halves(mut parts: [f32; PARTS], both: impl Fn(f32, f32) -> f32) -> f32 {
    for half in [8, 4, 2, 1] {
        let (first, second) = parts.split_at_mut(half);
        for (first, second) in first.iter_mut().zip(second) {
            *first = both(*first, *second);
        }
    }
    parts[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_right_to_the_last_places() {
        for step in -8700..=8800 {
            let x = step as f32 / 100.0;
            let expected = f64::from(x).exp();
            assert!((f64::from(exp(x)) - expected).abs() <= 2.5e-7 * expected, "{x}");
        }
        assert!(exp(f32::NEG_INFINITY) < 1e-37);
        assert!(exp(f32::NAN).is_nan());
    }

    #[test]
    fn every_number_counts_once() {
        for count in 0..70_u16 {
            // Sums of whole numbers are exact.
            let x: Vec<f32> = (0..count).map(|index| f32::from(index * 37 % 71) - 30.0).collect();
            assert_eq!(sum(&x, |x| 2.0 * x), x.iter().map(|x| 2.0 * x).sum::<f32>());
            assert_eq!(max(&x), x.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        }
    }

    #[cfg(feature = "native")]
    #[test]
    fn every_pair_counts_once() {
        for count in 0..70_u16 {
            let x: Vec<f32> = (0..count).map(|index| f32::from(index * 37 % 71) - 30.0).collect();
            let y: Vec<f32> = x.iter().map(|x| 3.0 - x).collect();
            assert_eq!(dot(&x, &y), x.iter().zip(&y).map(|(x, y)| x * y).sum::<f32>());
        }
    }
}
