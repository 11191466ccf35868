//! DDIM: from deterministic to ancestral sampling over any times.

use super::trajectory::{Update, ending_in_x0};
use crate::diffusion::schedule::NoiseSchedule;

/// DDIM over `times`, from each one's level of signal to that of the next.
pub(super) fn ddim(schedule: &NoiseSchedule, times: &[usize], eta: f64) -> Vec<Update> {
    let levels: Vec<f64> = times.iter().map(|&time| schedule.alpha_cumprod(time)).collect();
    ddim_between(&levels, times, eta)
}

/// DDIM as the official LFDM has it: the levels lag one time behind the times at which the network
/// is evaluated.
pub(super) fn official_ddim(schedule: &NoiseSchedule, times: &[usize], eta: f64) -> Vec<Update> {
    let levels: Vec<f64> = times.iter().map(|&time| schedule.alpha_cumprod_prev(time)).collect();
    ddim_between(&levels, times, eta)
}

/// DDIM (Song et al. 2021, Eqs. 12 and 16), with `a` the share of the signal's variance, one of the
/// `levels`:
///
/// ```text
/// x[i+1] = sqrt(a[i+1]) x0 + sqrt(1 - a[i+1] - sigma^2) noise + sigma z
/// sigma  = eta sqrt((1 - a[i+1]) / (1 - a[i])) sqrt(1 - a[i] / a[i+1])
/// ```
fn ddim_between(levels: &[f64], times: &[usize], eta: f64) -> Vec<Update> {
    ending_in_x0(times, |i| {
        let (here, next) = (levels[i], levels[i + 1]);
        let sigma = eta * ((1.0 - here / next) * (1.0 - next) / (1.0 - here)).sqrt();
        let noise = (1.0 - next - sigma * sigma).max(0.0).sqrt();
        Update { x0: next.sqrt(), noise, fresh: sigma, ..Update::at(times[i]) }
    })
}

#[cfg(test)]
mod tests {
    use super::super::gaussian::assert_draws_the_data;
    use super::super::times::trailing_times;
    use super::*;
    use crate::config::ScheduleKind;

    #[test]
    fn stochastic_ddim_draws_the_data() {
        let schedule = NoiseSchedule::new(ScheduleKind::Cosine, 200);
        assert_draws_the_data(&schedule, ddim(&schedule, &trailing_times(&schedule, 100), 1.0));
    }
}
