//! DDPM: ancestral sampling.

use super::trajectory::Update;
use crate::diffusion::schedule::NoiseSchedule;

/// DDPM over all times (Ho et al. 2020, Algorithm 2): each step draws from the posterior of their
/// Eqs. 6 and 7,
///
/// ```text
/// x[t-1] = c0 x0 + ct x[t] + sigma z,    q(x[t-1] | x[t], x0) = N(c0 x0 + ct x[t], sigma^2),
/// ```
///
/// and the last one takes its mean.
pub(super) fn ddpm(schedule: &NoiseSchedule) -> Vec<Update> {
    let update = |t| {
        let (c0, ct) = schedule.posterior_mean(t);
        let sigma = if t == 0 { 0.0 } else { (0.5 * schedule.posterior_log_variance(t)).exp() };
        Update { x: ct, x0: c0, fresh: sigma, ..Update::at(t) }
    };
    (0..schedule.len()).rev().map(update).collect()
}

#[cfg(test)]
mod tests {
    use super::super::gaussian::assert_draws_the_data;
    use super::*;
    use crate::config::ScheduleKind;

    #[test]
    fn ddpm_draws_the_data() {
        let schedule = NoiseSchedule::new(ScheduleKind::Cosine, 200);
        assert_draws_the_data(&schedule, ddpm(&schedule));
    }
}
