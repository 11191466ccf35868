//! For tests of samplers: data whose denoiser and whose probability flow are known exactly.

use burn::tensor::{Device, Tensor};

use super::trajectory::{Denoise, Estimate, Trajectory, Update};
use crate::diffusion::config::ScheduleKind;
use crate::diffusion::schedule::NoiseSchedule;
use crate::noise::NoiseSource;

pub(super) const MEAN: f64 = 0.4;
pub(super) const DEVIATION: f64 = 0.6;

/// The exact denoiser of data that is Gaussian, independently per value.
struct Gaussian {
    levels: Vec<f64>,
}

impl Gaussian {
    fn new(schedule: &NoiseSchedule, updates: &[Update]) -> Self {
        Self { levels: updates.iter().map(|update| schedule.alpha_cumprod(update.time)).collect() }
    }
}

impl Denoise for Gaussian {
    fn denoise(&self, x: &Tensor<5>, step: usize) -> Estimate {
        let abar = self.levels[step];
        let variance = abar * DEVIATION * DEVIATION + 1.0 - abar;
        let x0 = (x.clone() * (abar.sqrt() * DEVIATION * DEVIATION) + MEAN * (1.0 - abar)) / variance;
        let noise = (x.clone() - x0.clone() * abar.sqrt()) / (1.0 - abar).sqrt();
        Estimate { x0, noise }
    }
}

/// The exact consistency function of that data: where the probability flow ends.
pub(super) struct Consistent(Gaussian);

impl Consistent {
    pub(super) fn new(schedule: &NoiseSchedule, updates: &[Update]) -> Self {
        Self(Gaussian::new(schedule, updates))
    }
}

impl Denoise for Consistent {
    fn denoise(&self, x: &Tensor<5>, step: usize) -> Estimate {
        let abar = self.0.levels[step];
        Estimate { x0: (x.clone() - abar.sqrt() * MEAN) * (DEVIATION / spread(abar)) + MEAN, noise: x.zeros_like() }
    }
}

/// The standard deviation of noisy data.
fn spread(abar: f64) -> f64 {
    (abar * DEVIATION * DEVIATION + 1.0 - abar).sqrt()
}

/// Walks a table from `x` to its end.
pub(super) fn walk(updates: Vec<Update>, denoiser: &impl Denoise, mut x: Tensor<5>, seed: u64) -> Tensor<5> {
    let (shape, device) = (x.dims(), x.device());
    let mut source = NoiseSource::new(seed);
    let mut trajectory = Trajectory::new(updates);
    while !trajectory.is_done() {
        x = trajectory.step(denoiser, x, || source.normal(shape, &device));
    }
    x
}

/// The largest distance of a deterministic sampler's result to the end of the probability flow.
pub(super) fn distance_from_flow(schedule: &NoiseSchedule, updates: Vec<Update>) -> f64 {
    let start = schedule.alpha_cumprod(updates[0].time);
    let denoiser = Gaussian::new(schedule, &updates);
    let x = NoiseSource::new(3).normal::<5>([1, 3, 2, 4, 4], &Device::flex());
    let exact = (x.clone() - start.sqrt() * MEAN) * (DEVIATION / spread(start)) + MEAN;
    f64::from((walk(updates, &denoiser, x, 0) - exact).abs().max().into_scalar::<f32>())
}

/// Asserts that a stochastic sampler's results are distributed as the data is.
pub(super) fn assert_draws_the_data(schedule: &NoiseSchedule, updates: Vec<Update>) {
    let denoiser = Gaussian::new(schedule, &updates);
    let x = NoiseSource::new(5).normal::<5>([1, 3, 8, 16, 16], &Device::flex());
    let sample = walk(updates, &denoiser, x, 9);
    let mean = f64::from(sample.clone().mean().into_scalar::<f32>());
    let deviation = f64::from(sample.var(4).mean().sqrt().into_scalar::<f32>());
    assert!((mean - MEAN).abs() < 0.03 && (deviation - DEVIATION).abs() < 0.05, "{mean} {deviation}");
}

/// A sampler over given times.
type Solver = fn(&NoiseSchedule, &[usize]) -> Vec<Update>;

/// Asserts that the error falls with the second power of the step length, and with the third once
/// corrected.
pub(super) fn assert_orders(predictor: Solver, corrected: Solver) {
    let [second, third] = [predictor, corrected].map(|solver| (error(solver, 20) / error(solver, 40)).log2());
    println!("orders {second:.2} and {third:.2}");
    assert!((1.7..2.4).contains(&second), "predictor: {second}");
    assert!((2.6..3.5).contains(&third), "corrected: {third}");
    assert!(error(corrected, 10) < 0.5 * error(predictor, 10));
}

/// The error of one value between levels at which both ends of the flow are smooth.
fn error(solver: Solver, steps: usize) -> f64 {
    let schedule = NoiseSchedule::new(ScheduleKind::Cosine, 200_000);
    let time = |lambda: f64| (0..schedule.len()).rev().find(|&time| schedule.log_snr_half(time) >= lambda).unwrap();
    let times: Vec<usize> = (0..=steps).map(|i| time(-2.0 + 3.0 * i as f64 / steps as f64)).collect();
    let [start, end] = [times[0], times[steps]].map(|time| schedule.alpha_cumprod(time));
    let (mut x, mut previous) = (1.3, [0.0, 0.0]);
    let exact = (x - start.sqrt() * MEAN) * spread(end) / spread(start) + end.sqrt() * MEAN;
    for update in &solver(&schedule, &times)[..steps] {
        let abar = schedule.alpha_cumprod(update.time);
        let x0 = (x * abar.sqrt() * DEVIATION * DEVIATION + MEAN * (1.0 - abar)) / spread(abar).powi(2);
        x = x * update.x + x0 * update.x0 + previous[0] * update.previous_x0[0] + previous[1] * update.previous_x0[1];
        previous = [x0, previous[0]];
    }
    (x - exact).abs()
}
