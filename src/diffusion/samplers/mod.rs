//! Samplers: how many steps, at which times, and what each step does with the denoiser's estimates.
//!
//! Every step of every sampler here is one linear combination of the current sample, the denoiser's
//! estimates of the clean sample and of the noise, the two clean estimates before and fresh noise.
//! A sampler is therefore a table of coefficients, an [`Update`] per step, computed ahead in double
//! precision; a [`Trajectory`] walks it. There is one file per algorithm, whose functions take the
//! times to visit, and `times` chooses those.

mod consistency;
mod ddim;
mod ddpm;
mod deis;
mod dpm_solver;
#[cfg(test)]
mod gaussian;
mod times;
mod trajectory;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use trajectory::{Denoise, Estimate, Trajectory, Update};

use self::consistency::consistency;
use self::ddim::{ddim, official_ddim};
use self::ddpm::ddpm;
use self::deis::deis;
use self::dpm_solver::{dpm_solver_pp_2m, unipc};
use self::times::{noise_first_times, official_ddim_times, trailing_times};
use super::schedule::NoiseSchedule;

/// The sampling algorithm [default: DEIS].
///
/// ```
/// use lfdm::{
///     config::ScheduleKind,
///     diffusion::{NoiseSchedule, Sampler, Trajectory},
/// };
///
/// let schedule = NoiseSchedule::new(ScheduleKind::Cosine, 1000);
/// let times = Trajectory::new(Sampler::Unipc.updates(&schedule, 4)).times();
/// assert_eq!(times.len(), 4);
/// assert!(times.is_sorted_by(|earlier, later| earlier > later), "from noise to data");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Sampler {
    /// Multistep DPM-Solver++ of order 2: deterministic, good from 10 steps on.
    DpmSolverPp2m,
    /// UniPC of order 2: DPM-Solver++(2M) that corrects each sample with the next evaluation. It
    /// takes as many evaluations and ends nearer to the end of the flow.
    Unipc,
    /// DEIS of order 2 in the angle between clip and noise, with UniPC's correction and with most
    /// of its steps where there is most noise. It takes as many evaluations and ends nearer still.
    #[default]
    Deis,
    /// Multistep consistency sampling, for networks tuned for it: each clean estimate is noised
    /// again to the next time.
    Consistency,
    /// DDIM.
    Ddim {
        /// The share of ancestral sampling's noise: 0 is deterministic, 1 draws all of it.
        eta: f64,
        /// The times to visit.
        times: DdimTimes,
    },
    /// Ancestral sampling over all times; the number of steps is ignored.
    Ddpm,
}

/// Which times DDIM visits, and with which signal levels it moves between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DdimTimes {
    /// From the last time on, each step to the signal level of the next time.
    Trailing,
    /// As in the official LFDM: evenly spaced without either end, and between levels that lag one
    /// time behind those at which the network is evaluated. Outputs match those of official
    /// checkpoints only with these.
    Official,
}

/// As papers call it.
impl fmt::Display for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DpmSolverPp2m => f.write_str("DPM-Solver++(2M)"),
            Self::Unipc => f.write_str("UniPC"),
            Self::Deis => f.write_str("DEIS"),
            Self::Consistency => f.write_str("consistency sampling"),
            Self::Ddim { eta, times: DdimTimes::Trailing } => write!(f, "DDIM, eta {eta}"),
            Self::Ddim { eta, times: DdimTimes::Official } => write!(f, "official DDIM, eta {eta}"),
            Self::Ddpm => f.write_str("DDPM"),
        }
    }
}

impl Sampler {
    /// The table of this sampler. `steps` is clamped to `1..=T`.
    pub fn updates(self, schedule: &NoiseSchedule, steps: usize) -> Vec<Update> {
        let steps = steps.clamp(1, schedule.len());
        match self {
            Self::DpmSolverPp2m => dpm_solver_pp_2m(schedule, &trailing_times(schedule, steps)),
            Self::Unipc => unipc(schedule, &trailing_times(schedule, steps)),
            Self::Deis => deis(schedule, &noise_first_times(schedule, steps)),
            Self::Consistency => consistency(schedule, &trailing_times(schedule, steps)),
            Self::Ddim { eta, times: DdimTimes::Trailing } => ddim(schedule, &trailing_times(schedule, steps), eta),
            Self::Ddim { eta, times: DdimTimes::Official } => {
                official_ddim(schedule, &official_ddim_times(schedule.len(), steps), eta)
            }
            Self::Ddpm => ddpm(schedule),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::gaussian::distance_from_flow;
    use super::*;
    use crate::config::ScheduleKind;

    const DDIM: Sampler = Sampler::Ddim { eta: 0.0, times: DdimTimes::Trailing };
    const STOCHASTIC_DDIM: Sampler = Sampler::Ddim { eta: 1.0, times: DdimTimes::Trailing };

    fn error(kind: ScheduleKind, sampler: Sampler, steps: usize) -> f64 {
        let schedule = NoiseSchedule::new(kind, 1000);
        distance_from_flow(&schedule, sampler.updates(&schedule, steps))
    }

    #[test]
    fn deterministic_samplers_converge_to_the_probability_flow() {
        let error = |sampler, steps| error(ScheduleKind::Cosine, sampler, steps);
        for sampler in [DDIM, Sampler::DpmSolverPp2m, Sampler::Unipc, Sampler::Deis] {
            let errors = [5, 10, 20, 80].map(|steps| error(sampler, steps));
            assert!(errors[0] > 1.5 * errors[1] && errors[1] > 1.5 * errors[2], "{sampler:?}: {errors:?}");
            assert!(errors[3] < 0.1 * errors[0] && errors[3] < 0.05, "{sampler:?}: {errors:?}");
        }
        assert!(error(Sampler::DpmSolverPp2m, 10) < 0.5 * error(DDIM, 10));
    }

    #[test]
    fn samplers_begin_with_noise_alone_where_the_schedule_ends_there() {
        let kind = ScheduleKind::CosineZeroTerminal;
        for sampler in [DDIM, Sampler::DpmSolverPp2m, Sampler::Unipc, Sampler::Deis] {
            let first = sampler.updates(&NoiseSchedule::new(kind, 1000), 8)[0];
            assert_eq!(first.time, 999);
            let errors = [10, 20, 80].map(|steps| error(kind, sampler, steps));
            assert!(errors[0] > 1.5 * errors[1] && errors[2] < 0.05, "{sampler:?}: {errors:?}");
        }
        let multistep = [Sampler::DpmSolverPp2m, Sampler::Unipc, Sampler::Deis];
        for sampler in [DDIM, STOCHASTIC_DDIM, Sampler::Consistency, Sampler::Ddpm].into_iter().chain(multistep) {
            for Update { x, x0, noise, previous_x0: [one, two], fresh, .. } in
                sampler.updates(&NoiseSchedule::new(kind, 1000), 4)
            {
                assert!([x, x0, noise, one, two, fresh].iter().all(|factor| factor.is_finite()), "{sampler:?}");
            }
        }
    }

    #[test]
    fn tables_end_in_the_clean_estimate_and_draw_no_noise_there() {
        let schedule = NoiseSchedule::new(ScheduleKind::Cosine, 1000);
        let samplers = [
            Sampler::DpmSolverPp2m,
            Sampler::Unipc,
            Sampler::Deis,
            Sampler::Consistency,
            STOCHASTIC_DDIM,
            Sampler::Ddim { eta: 1.0, times: DdimTimes::Official },
        ];
        for sampler in samplers {
            for steps in [1, 2, 3, 10, 50] {
                let updates = sampler.updates(&schedule, steps);
                assert_eq!(updates.len(), steps);
                assert!(updates.windows(2).all(|pair| pair[1].time < pair[0].time));
                // Of the sample and its noise nothing is left.
                let Update { x, x0, noise, previous_x0: [before, before_that], fresh, .. } = updates[steps - 1];
                assert_eq!((x, noise, before_that, fresh), (0.0, 0.0, 0.0, 0.0), "{sampler:?}");
                assert!((x0 + before - 1.0).abs() < 1e-12 && (before == 0.0 || sampler == Sampler::Deis));
            }
        }
        assert_eq!(Sampler::Ddpm.updates(&schedule, 7).len(), 1000);
    }
}
