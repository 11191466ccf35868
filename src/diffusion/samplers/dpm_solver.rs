//! DPM-Solver++(2M) and UniPC: solvers in the logarithm of the signal-to-noise ratio.
//!
//! With `alpha = sqrt(abar)`, `sigma = sqrt(1 - abar)` and `lambda = ln(alpha / sigma)`, the
//! probability flow from step `i` to the next is (Lu et al. 2022, "DPM-Solver++", Proposition 4.1)
//!
//! ```text
//! x[i+1] = sigma[i+1] / sigma[i] x[i]
//!          + sigma[i+1] integral of exp(lambda) x0(lambda) from lambda[i] to lambda[i+1].
//! ```

use super::trajectory::{Update, ending_in_x0};
use crate::diffusion::schedule::NoiseSchedule;

/// DPM-Solver++(2M) (Lu et al. 2022, Algorithm 2). The first step and the last are of first order.
pub(super) fn dpm_solver_pp_2m(schedule: &NoiseSchedule, times: &[usize]) -> Vec<Update> {
    let path = Path { schedule, times };
    ending_in_x0(times, |i| path.predictor(i))
}

/// UniPC of order 2 (Zhao et al. 2023, Algorithms 1 and 2, data prediction, `B(h) = exp(h) - 1`).
/// The first step and the last are of first order.
///
/// A sample is corrected once the network has seen it, and the next step scales what the correction
/// added:
///
/// ```text
/// x[i+1] = predictor(i) + sigma[i+1] / sigma[i] gain(i-1) corrector(i-1)
/// ```
pub(super) fn unipc(schedule: &NoiseSchedule, times: &[usize]) -> Vec<Update> {
    let path = Path { schedule, times };
    ending_in_x0(times, |i| {
        let predicted = path.predictor(i);
        // The step from noise alone is infinitely long: it is of first order and stays uncorrected.
        if i == 0 || path.h(i - 1).is_infinite() {
            return predicted;
        }
        predicted.plus(path.sigma_ratio(i) * path.gain(i - 1), path.corrector(i - 1))
    })
}

/// The times that a solver visits.
struct Path<'a> {
    schedule: &'a NoiseSchedule,
    times: &'a [usize],
}

impl Path<'_> {
    /// DPM-Solver++(2M), which is also the predictor of UniPC:
    ///
    /// ```text
    /// x[i+1] = sigma[i+1] / sigma[i] x[i] - alpha[i+1] (exp(-h[i]) - 1) D[i]
    /// D[i]   = (1 + 1 / 2r) x0[i] - 1 / 2r x0[i-1],    r = h[i-1] / h[i]
    /// ```
    fn predictor(&self, i: usize) -> Update {
        let half_inverse_r = if i == 0 { 0.0 } else { self.h(i) / (2.0 * self.h(i - 1)) };
        let gain = self.gain(i);
        Update {
            x: self.sigma_ratio(i),
            x0: gain * (1.0 + half_inverse_r),
            previous_x0: [-gain * half_inverse_r, 0.0],
            ..Update::at(self.times[i])
        }
    }

    /// UniPC's corrector: the weights of `x0[i+1]`, `x0[i]` and `x0[i-1]` in what is added to the
    /// predicted `x[i+1]`, in units of [`gain`](Self::gain). With `D[1] = x0[i+1] - x0[i]` and
    /// `D[r] = x0[i-1] - x0[i]` it is
    ///
    /// ```text
    /// a[1] D[1] + (a[r] - 1/2) D[r] / r,    r = -h[i-1] / h[i],
    /// a[1] +   a[r] = phi2 / phi1
    /// a[1] + r a[r] = 2 phi3 / phi1,
    /// ```
    ///
    /// where 1/2 is the predictor's share, and `a[1] = 1/2` alone where there is no step before.
    fn corrector(&self, i: usize) -> [f64; 3] {
        if i == 0 {
            return [0.5, -0.5, 0.0];
        }
        let h = self.h(i);
        let phi1 = (-h).exp_m1();
        let phi2 = phi1 / -h - 1.0;
        let phi3 = phi2 / -h - 0.5;
        let (first, second) = (phi2 / phi1, 2.0 * phi3 / phi1);
        let r = -self.h(i - 1) / h;
        let a_r = (first - second) / (1.0 - r);
        let a_1 = first - a_r;
        let before = (a_r - 0.5) / r;
        [a_1, -a_1 - before, before]
    }

    /// `-alpha[i+1] (exp(-h[i]) - 1)`: what the step makes of a clean estimate that does not
    /// change.
    fn gain(&self, i: usize) -> f64 {
        -self.schedule.alpha_cumprod(self.times[i + 1]).sqrt() * (-self.h(i)).exp_m1()
    }

    /// `sigma[i+1] / sigma[i]`.
    fn sigma_ratio(&self, i: usize) -> f64 {
        let [abar, next] = [i, i + 1].map(|i| self.schedule.alpha_cumprod(self.times[i]));
        ((1.0 - next) / (1.0 - abar)).sqrt()
    }

    /// `lambda[i+1] - lambda[i]`.
    fn h(&self, i: usize) -> f64 {
        self.schedule.log_snr_half(self.times[i + 1]) - self.schedule.log_snr_half(self.times[i])
    }
}

#[cfg(test)]
mod tests {
    use super::super::gaussian::assert_orders;
    use super::*;

    #[test]
    fn predictor_and_corrector_have_their_orders() {
        assert_orders(dpm_solver_pp_2m, unipc);
    }
}
