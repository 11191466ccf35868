//! The Frechet distance between two sets of clips, each seen as a Gaussian in the feature space of
//! a video network (Heusel et al. 2017; over video features: Unterthiner et al. 2018, "FVD").

/// Mean and covariance of features.
pub(crate) struct Gaussian {
    mean: Vec<f64>,
    /// Rows of a matrix `A` with the covariance `A^T A`: the scaled difference of each sample from
    /// the mean.
    deviations: Vec<Vec<f64>>,
}

impl Gaussian {
    /// The Gaussian of finite samples, with the unbiased covariance; `None` for fewer than two.
    pub(crate) fn of(samples: &[&[f64]]) -> Option<Self> {
        if samples.len() < 2 {
            return None;
        }
        let mean: Vec<f64> = (0..samples[0].len())
            .map(|feature| samples.iter().map(|sample| sample[feature]).sum::<f64>() / samples.len() as f64)
            .collect();
        let scale = ((samples.len() - 1) as f64).sqrt().recip();
        let deviation =
            |sample: &&[f64]| sample.iter().zip(&mean).map(|(value, mean)| (value - mean) * scale).collect();
        let deviations = samples.iter().map(deviation).collect();
        Some(Self { mean, deviations })
    }

    /// The squared Frechet distance, `|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))`.
    ///
    /// With `C1 = A^T A` and `C2 = B^T B`, the eigenvalues of `C1 C2` are the squared singular
    /// values of `A B^T`, so the sum of the singular values is the trace of the root. No covariance
    /// is formed, and singular covariances, of few samples, are as exact as others.
    pub(crate) fn distance(&self, other: &Self) -> f64 {
        // Each deviation of one side becomes a column, and the fewer columns the better.
        let (few, many) = if self.deviations.len() < other.deviations.len() { (self, other) } else { (other, self) };
        let column = |a: &Vec<f64>| many.deviations.iter().map(|b| dot(a, b)).collect();
        let overlap = nuclear_norm(few.deviations.iter().map(column).collect());
        let apart: f64 = self.mean.iter().zip(&other.mean).map(|(a, b)| (a - b).powi(2)).sum();
        (apart + self.variance() + other.variance() - 2.0 * overlap).max(0.0)
    }

    /// The covariance's trace.
    fn variance(&self) -> f64 {
        self.deviations.iter().map(|deviation| dot(deviation, deviation)).sum()
    }
}

/// The sum of a matrix's singular values. One-sided Jacobi rotations make its columns orthogonal,
/// and their lengths are the singular values (Hestenes 1958; Golub and Van Loan, "Matrix
/// Computations", 8.6.3).
fn nuclear_norm(mut columns: Vec<Vec<f64>>) -> f64 {
    const TOLERANCE: f64 = 1e-12;
    const MAX_SWEEPS: usize = 40;
    let largest = columns.iter().map(|column| dot(column, column)).sum::<f64>();
    for _ in 0..MAX_SWEEPS {
        let mut rotated = false;
        for second in 1..columns.len() {
            let (before, after) = columns.split_at_mut(second);
            let b = &mut after[0];
            for a in before {
                let (aa, bb, ab) = (dot(a, a), dot(b, b), dot(a, b));
                // Columns that rounding has left over have no length, whatever their angle.
                if ab.abs() <= TOLERANCE * (aa * bb).sqrt() || ab.abs() <= f64::EPSILON * TOLERANCE * largest {
                    continue;
                }
                rotated = true;
                let zeta = (bb - aa) / (2.0 * ab);
                let tangent = zeta.signum() / (zeta.abs() + zeta.hypot(1.0));
                let cosine = tangent.hypot(1.0).recip();
                let sine = cosine * tangent;
                for (a, b) in a.iter_mut().zip(b.iter_mut()) {
                    (*a, *b) = (cosine * *a - sine * *b, sine * *a + cosine * *b);
                }
            }
        }
        if !rotated {
            break;
        }
    }
    columns.iter().map(|column| dot(column, column).sqrt()).sum()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::NoiseSource;

    fn gaussian<const N: usize>(mean: [f64; N], deviations: [[f64; N]; N]) -> Gaussian {
        Gaussian { mean: mean.to_vec(), deviations: deviations.map(|row| row.to_vec()).to_vec() }
    }

    /// `[[a, b], [b, c]]` as `(a, b, c)`.
    fn covariance(gaussian: &Gaussian) -> (f64, f64, f64) {
        let entry = |i: usize, j: usize| gaussian.deviations.iter().map(|row| row[i] * row[j]).sum();
        (entry(0, 0), entry(0, 1), entry(1, 1))
    }

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9 * (1.0 + expected), "{found}, not {expected}");
    }

    #[test]
    fn equal_axes_leave_the_difference_of_deviations() {
        let a = gaussian([1.0, 2.0, 0.0], [[2.0, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, 0.0]]);
        let b = gaussian([4.0, 6.0, 0.0], [[1.0, 0.0, 0.0], [0.0, 4.0, 0.0], [0.0, 0.0, 0.5]]);
        close(a.distance(&b), 25.0 + 1.0 + 1.0 + 0.25);
        close(b.distance(&a), 27.25);
        close(a.distance(&a), 0.0);
    }

    /// For 2x2 matrices the trace of a root is `sqrt(tr M + 2 sqrt(det M))`.
    #[test]
    fn crossed_axes_follow_the_closed_form() {
        let a = gaussian([0.0, 0.0], [[2.0, 0.6], [0.0, 1.0]]);
        let b = gaussian([0.0, 0.0], [[1.0, -0.8], [0.0, 3.0]]);
        let ((a1, b1, c1), (a2, b2, c2)) = (covariance(&a), covariance(&b));
        let trace = a1 * a2 + 2.0 * b1 * b2 + c1 * c2;
        let determinant = (a1 * c1 - b1 * b1) * (a2 * c2 - b2 * b2);
        close(a.distance(&b), a1 + c1 + a2 + c2 - 2.0 * (trace + 2.0 * determinant.sqrt()).sqrt());
    }

    #[test]
    fn samples_give_their_moments() {
        let samples = [[2.0, 1.0], [0.0, 1.0], [1.0, 2.0], [1.0, 0.0]];
        let found = Gaussian::of(&samples.each_ref().map(<[f64; 2]>::as_slice)).unwrap();
        assert_eq!(found.mean, [1.0, 1.0]);
        let (a, b, c) = covariance(&found);
        close(a, 2.0 / 3.0);
        close(b.abs(), 0.0);
        close(c, 2.0 / 3.0);
        assert!(Gaussian::of(&[&[1.0, 2.0]]).is_none());
    }

    /// Fewer samples than features and more of them: a set against itself, moved along one
    /// diagonal, and made twice as wide.
    #[test]
    fn moving_and_stretching_samples_cost_what_they_should() {
        for count in [6, 60] {
            let mut noise = NoiseSource::new(5);
            let samples: Vec<Vec<f64>> = (0..count).map(|_| (0..16).map(|_| noise.uniform()).collect()).collect();
            let map = |function: fn(f64) -> f64| -> Vec<Vec<f64>> {
                samples.iter().map(|sample| sample.iter().map(|&value| function(value)).collect()).collect()
            };
            let of =
                |samples: &[Vec<f64>]| Gaussian::of(&samples.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap();
            let original = of(&samples);
            close(original.distance(&original), 0.0);
            close(original.distance(&of(&map(|value| value + 0.5))), 4.0);
            let wide = of(&map(|value| 2.0 * value));
            let apart: f64 = original.mean.iter().map(|mean| mean * mean).sum();
            close(original.distance(&wide), apart + original.variance());
        }
    }
}
