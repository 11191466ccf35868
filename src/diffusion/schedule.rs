//! The noise schedule of the forward process (Ho et al. 2020; Nichol and Dhariwal 2021).

use super::config::ScheduleKind;

/// `q(x_t | x_0) = N(sqrt(abar_t) x_0, 1 - abar_t)` for t in `0..len()`, in double precision.
#[derive(Debug, Clone, PartialEq)]
pub struct NoiseSchedule {
    betas: Vec<f64>,
    alphas_cumprod: Vec<f64>,
}

impl NoiseSchedule {
    /// A schedule of `timesteps` times.
    pub fn new(kind: ScheduleKind, timesteps: usize) -> Self {
        let abar = |step: usize| {
            ((step as f64 / timesteps as f64 + 0.008) / 1.008 * std::f64::consts::FRAC_PI_2).cos().powi(2)
        };
        let betas: Vec<f64> = (0..timesteps).map(|t| (1.0 - abar(t + 1) / abar(t)).clamp(0.0, 0.9999)).collect();
        let alphas_cumprod = betas
            .iter()
            .scan(1.0, |product, beta| {
                *product *= 1.0 - beta;
                Some(*product)
            })
            .collect();
        let cosine = Self { betas, alphas_cumprod };
        match kind {
            ScheduleKind::Cosine => cosine,
            ScheduleKind::CosineZeroTerminal => cosine.with_zero_terminal(),
        }
    }

    /// Moves and stretches the signal's levels so that the last is 0 and the first stays.
    fn with_zero_terminal(self) -> Self {
        let signals: Vec<f64> = self.alphas_cumprod.iter().map(|abar| abar.sqrt()).collect();
        let (first, last) = (signals[0], signals[signals.len() - 1]);
        let alphas_cumprod: Vec<f64> =
            signals.iter().map(|signal| ((signal - last) * first / (first - last)).powi(2)).collect();
        let previous = std::iter::once(&1.0).chain(&alphas_cumprod);
        let betas = alphas_cumprod.iter().zip(previous).map(|(abar, previous)| 1.0 - abar / previous).collect();
        Self { betas, alphas_cumprod }
    }

    /// The number of diffusion times T.
    #[allow(clippy::len_without_is_empty, reason = "a schedule without times is refused by the configuration")]
    pub fn len(&self) -> usize {
        self.betas.len()
    }

    /// The variance of the noise that time t adds.
    pub fn beta(&self, t: usize) -> f64 {
        self.betas[t]
    }

    /// abar at t: the share of the signal's variance that is left.
    pub fn alpha_cumprod(&self, t: usize) -> f64 {
        self.alphas_cumprod[t]
    }

    /// abar one time earlier; 1 before the first.
    pub fn alpha_cumprod_prev(&self, t: usize) -> f64 {
        if t == 0 { 1.0 } else { self.alphas_cumprod[t - 1] }
    }

    /// The signal-to-noise ratio; 0 where only noise is left.
    pub fn snr(&self, t: usize) -> f64 {
        self.alphas_cumprod[t] / (1.0 - self.alphas_cumprod[t])
    }

    /// The share of noise as an angle: 0 for the clean sample, a right angle for noise alone.
    pub fn angle(&self, t: usize) -> f64 {
        (1.0 - self.alphas_cumprod[t]).sqrt().atan2(self.alphas_cumprod[t].sqrt())
    }

    /// Half of the logarithm of the signal-to-noise ratio; minus infinity where only noise is left.
    pub fn log_snr_half(&self, t: usize) -> f64 {
        let abar = self.alphas_cumprod[t];
        0.5 * (abar / (1.0 - abar)).ln()
    }

    /// The variance of `q(x_{t-1} | x_t, x_0)`.
    pub fn posterior_variance(&self, t: usize) -> f64 {
        self.betas[t] * (1.0 - self.alpha_cumprod_prev(t)) / (1.0 - self.alphas_cumprod[t])
    }

    /// The logarithm of [`posterior_variance`](Self::posterior_variance), kept finite at t = 0.
    pub fn posterior_log_variance(&self, t: usize) -> f64 {
        self.posterior_variance(t).max(1e-20).ln()
    }

    /// `(c0, ct)` of the mean `c0 x_0 + ct x_t` of `q(x_{t-1} | x_t, x_0)`.
    pub fn posterior_mean(&self, t: usize) -> (f64, f64) {
        let (beta, abar, previous) = (self.betas[t], self.alphas_cumprod[t], self.alpha_cumprod_prev(t));
        (beta * previous.sqrt() / (1.0 - abar), (1.0 - previous) * (1.0 - beta).sqrt() / (1.0 - abar))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cosine_schedule_has_its_closed_form() {
        let schedule = NoiseSchedule::new(ScheduleKind::Cosine, 1000);
        let closed = |t: f64| ((t / 1000.0 + 0.008) / 1.008 * std::f64::consts::FRAC_PI_2).cos().powi(2);
        for t in [0, 1, 250, 500, 900, 990] {
            let expected = closed(t as f64 + 1.0) / closed(0.0);
            assert!((schedule.alpha_cumprod(t) - expected).abs() < 1e-12, "t = {t}");
        }
        assert_eq!(schedule.beta(999), 0.9999);
        assert!((schedule.alpha_cumprod(999) - 2.4e-10).abs() < 1e-11);
    }

    #[test]
    fn the_zero_terminal_schedule_ends_in_noise_alone() {
        let [cosine, zero] =
            [ScheduleKind::Cosine, ScheduleKind::CosineZeroTerminal].map(|kind| NoiseSchedule::new(kind, 1000));
        assert_eq!((zero.alpha_cumprod(999), zero.beta(999), zero.snr(999)), (0.0, 1.0, 0.0));
        assert_eq!(zero.log_snr_half(999), f64::NEG_INFINITY);
        assert_eq!(zero.angle(999), std::f64::consts::FRAC_PI_2);
        assert_eq!(zero.posterior_mean(999), (zero.alpha_cumprod(998).sqrt(), 0.0));
        for t in 0..999 {
            assert!((zero.alpha_cumprod(t) - cosine.alpha_cumprod(t)).abs() < 1e-4, "t = {t}");
            assert!(zero.alpha_cumprod(t) > zero.alpha_cumprod(t + 1) && zero.beta(t) < zero.beta(t + 1), "t = {t}");
        }
        let product: f64 = (0..500).map(|t| 1.0 - zero.beta(t)).product();
        assert!((product - zero.alpha_cumprod(499)).abs() < 1e-12, "betas and their product belong together");
    }

    #[test]
    fn the_posterior_interpolates_between_x0_and_xt() {
        let schedule = NoiseSchedule::new(ScheduleKind::Cosine, 50);
        assert_eq!(schedule.posterior_mean(0), (1.0, 0.0));
        assert_eq!(schedule.posterior_variance(0), 0.0);
        for t in 1..50 {
            // Mean of the posterior over x_t = sqrt(abar) x_0 is sqrt(abar_prev) x_0: the forward
            // process is consistent.
            let (c0, ct) = schedule.posterior_mean(t);
            let mean = c0 + ct * schedule.alpha_cumprod(t).sqrt();
            assert!((mean - schedule.alpha_cumprod_prev(t).sqrt()).abs() < 1e-12, "t = {t}");
        }
    }
}
