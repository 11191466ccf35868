//! Multistep consistency sampling.

use super::trajectory::{Update, ending_in_x0};
use crate::diffusion::schedule::NoiseSchedule;

/// Multistep consistency sampling (Song et al. 2023, Algorithm 1): every clean estimate is a sample
/// already, and is noised again to the next time,
///
/// ```text
/// x[i+1] = sqrt(a[i+1]) x0 + sqrt(1 - a[i+1]) z.
/// ```
pub(super) fn consistency(schedule: &NoiseSchedule, times: &[usize]) -> Vec<Update> {
    ending_in_x0(times, |i| {
        let abar = schedule.alpha_cumprod(times[i + 1]);
        Update { x0: abar.sqrt(), fresh: (1.0 - abar).sqrt(), ..Update::at(times[i]) }
    })
}

#[cfg(test)]
mod tests {
    use super::super::gaussian::{Consistent, DEVIATION, MEAN, walk};
    use super::super::times::trailing_times;
    use super::*;
    use crate::config::ScheduleKind;
    use crate::noise::NoiseSource;
    use burn::tensor::Device;

    #[test]
    fn consistency_sampling_draws_the_data_in_any_number_of_steps() {
        for kind in [ScheduleKind::Cosine, ScheduleKind::CosineZeroTerminal] {
            let schedule = NoiseSchedule::new(kind, 1000);
            for steps in [1, 2, 4] {
                let updates = consistency(&schedule, &trailing_times(&schedule, steps));
                assert_eq!(updates.len(), steps);
                let denoiser = Consistent::new(&schedule, &updates);
                let x = NoiseSource::new(5).normal::<5>([1, 3, 8, 16, 16], &Device::flex());
                let sample = walk(updates, &denoiser, x, 9).flatten::<1>(0, 4);
                let mean = f64::from(sample.clone().mean().into_scalar::<f32>());
                let deviation = f64::from(sample.var(0).sqrt().into_scalar::<f32>());
                assert!((mean - MEAN).abs() < 0.03 && (deviation - DEVIATION).abs() < 0.03, "{mean} {deviation}");
            }
        }
    }
}
