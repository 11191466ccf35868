//! Which times a sampler visits, from noise to data.

use crate::diffusion::schedule::NoiseSchedule;

/// Below this half log-SNR a sample is noise to single precision, and no solver starts there (Lu et
/// al. 2022, for cosine schedules).
const MIN_LOG_SNR_HALF: f64 = -5.1;

/// The power that packs the steps of [`noise_first_times`]: with it 8 guided steps of `faces-128`
/// come nearest to 100 (docs/log/2026-11-27.md, "The sampler").
const NOISE_FIRST: f64 = 0.7;

/// Evenly spaced times that begin with the noisiest one (Lin et al. 2024, Table 2: "trailing").
pub(super) fn trailing_times(schedule: &NoiseSchedule, steps: usize) -> Vec<usize> {
    times_by_power(schedule, steps, 1.0)
}

/// Times that begin with the noisiest one and lie closest together there.
pub(super) fn noise_first_times(schedule: &NoiseSchedule, steps: usize) -> Vec<usize> {
    times_by_power(schedule, steps, NOISE_FIRST)
}

/// Times in proportion to a power of the share of steps that are left. A network that was trained
/// on noise alone begins there.
fn times_by_power(schedule: &NoiseSchedule, steps: usize, power: f64) -> Vec<usize> {
    let noisiest = noisiest_time(schedule);
    let last = schedule.len() as f64;
    let mut times: Vec<usize> = (0..steps)
        .map(|step| (last * ((steps - step) as f64 / steps as f64).powf(power)).round() as usize)
        .map(|time| time.saturating_sub(1).min(noisiest))
        .collect();
    // Where steps are shorter than the distance between two times, each takes the next time.
    for step in 1..times.len() {
        times[step] = times[step].min(times[step - 1].saturating_sub(1));
    }
    times.dedup();
    times
}

/// The last time at which a solver can start.
fn noisiest_time(schedule: &NoiseSchedule) -> usize {
    (0..schedule.len())
        .rev()
        .find(|&time| schedule.log_snr_half(time) >= MIN_LOG_SNR_HALF || schedule.alpha_cumprod(time) == 0.0)
        .unwrap_or(0)
}

/// The times of the official LFDM: `trunc(linspace(0, T, steps + 2))` without both ends, in single
/// precision as PyTorch computes it, so that some times fall one short of the exact value.
pub(super) fn official_ddim_times(timesteps: usize, steps: usize) -> Vec<usize> {
    let points = steps + 2;
    let increment = timesteps as f32 / (points - 1) as f32;
    let point = |index: usize| {
        if index < points / 2 {
            increment * index as f32
        } else {
            timesteps as f32 - increment * (points - 1 - index) as f32
        }
    };
    (1..=steps).rev().map(|index| point(index) as usize).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn official_times_are_truncated_like_single_precision() {
        let table: std::collections::BTreeMap<String, Vec<usize>> =
            serde_json::from_str(include_str!("../../../tests/fixtures/ddim_times.json")).unwrap();
        assert!(table.len() >= 20);
        for (case, mut expected) in table {
            let (timesteps, steps) = case.trim_start_matches('T').split_once("_S").unwrap();
            // The table ends with the zero at which sampling stops.
            assert_eq!(expected.pop(), Some(0));
            assert_eq!(official_ddim_times(timesteps.parse().unwrap(), steps.parse().unwrap()), expected, "{case}");
        }
    }
}
