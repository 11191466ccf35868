//! Samplers: how many steps, at which times, and what each step does with the denoiser's estimates.
//!
//! Every step of every sampler here is one linear combination of the current sample, the denoiser's estimates of the clean sample and
//! of the noise, the two clean estimates before and fresh noise. A sampler is therefore a table of coefficients, computed ahead in double
//! precision by [`ddpm`], [`ddim`], [`dpm_solver_pp_2m`], [`unipc`], [`deis`] or [`consistency`]; a [`Trajectory`] walks it.

use std::fmt;

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::schedule::NoiseSchedule;

/// Below this half log-SNR a sample is noise to single precision, and no solver starts there (Lu et al. 2022, for cosine schedules).
const MIN_LOG_SNR_HALF: f64 = -5.1;

/// The sampling algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Sampler {
    /// Multistep DPM-Solver++ of order 2: deterministic, good from 10 steps on.
    DpmSolverPp2m,
    /// UniPC of order 2, with B(h) = exp(h) - 1: DPM-Solver++(2M) whose samples are corrected by the next evaluation. As many evaluations, nearer
    /// to the end of the flow.
    Unipc,
    /// DEIS of order 2 in the angle between clip and noise, corrected by the next evaluation, with most steps where there is most noise. As many
    /// evaluations, nearer still.
    #[default]
    Deis,
    /// Multistep consistency sampling, for networks tuned for it: each clean estimate is noised again to the next time.
    Consistency,
    /// `eta` 0 is deterministic, 1 draws as much noise as ancestral sampling. See [`DdimTimes`].
    Ddim { eta: f64, times: DdimTimes },
    /// Ancestral sampling over all times; the number of steps is ignored.
    Ddpm,
}

/// Which times DDIM visits, and with which signal levels it moves between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DdimTimes {
    /// From the last time on, each step to the signal level of the next time.
    Trailing,
    /// As the official LFDM: evenly spaced without either end, and moving between levels that lag one time behind the ones the network
    /// is evaluated at. Needed for matching outputs with official checkpoints.
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
            Self::DpmSolverPp2m => dpm_solver_pp_2m(schedule, steps),
            Self::Unipc => unipc(schedule, steps),
            Self::Deis => deis(schedule, steps),
            Self::Consistency => consistency(schedule, steps),
            Self::Ddim { eta, times } => ddim(schedule, steps, eta, times),
            Self::Ddpm => ddpm(schedule),
        }
    }
}

/// What a sampler needs to know of a model: its estimates at the `step`-th time of the table.
pub trait Denoise {
    /// # Shapes
    /// - `x` and both estimates: `[batch, channels, frames, height, width]`
    fn denoise(&self, x: &Tensor<5>, step: usize) -> Estimate;
}

/// A denoiser's reading of a noisy sample.
#[derive(Debug, Clone)]
pub struct Estimate {
    /// The clean sample, thresholded.
    pub x0: Tensor<5>,
    /// The noise, as the network said it: not recomputed after thresholding.
    pub noise: Tensor<5>,
}

/// One step: `x <- x * self.x + x0 * self.x0 + noise estimate * self.noise + previous x0s * self.previous_x0 + fresh noise * self.fresh`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Update {
    /// The time at which the network is evaluated.
    pub time: usize,
    pub x: f64,
    pub x0: f64,
    pub noise: f64,
    /// Of the clean estimates one and two steps before.
    pub previous_x0: [f64; 2],
    pub fresh: f64,
}

/// A sample on its way from noise to data, one step per call.
#[derive(Debug, Clone)]
pub struct Trajectory {
    updates: Vec<Update>,
    next: usize,
    /// The clean estimates one and two steps before, as far as the table has use for them.
    previous_x0: [Option<Tensor<5>>; 2],
    estimate: Option<Tensor<5>>,
}

impl Trajectory {
    pub fn new(updates: Vec<Update>) -> Self {
        Self { updates, next: 0, previous_x0: [None, None], estimate: None }
    }

    /// The times to prepare the denoiser for, one per step.
    pub fn times(&self) -> Vec<usize> {
        self.updates.iter().map(|update| update.time).collect()
    }

    /// Steps taken so far.
    pub fn taken(&self) -> usize {
        self.next
    }

    /// The clean sample as the last step saw it; `None` before the first.
    pub fn estimate(&self) -> Option<&Tensor<5>> {
        self.estimate.as_ref()
    }

    pub fn is_done(&self) -> bool {
        self.next == self.updates.len()
    }

    /// Takes the next step; after the last one the sample is returned as it is. `fresh` is called only if the step draws noise.
    ///
    /// # Shapes
    /// - `x`, `fresh()` and result: `[batch, channels, frames, height, width]`
    pub fn step(&mut self, denoiser: &impl Denoise, x: Tensor<5>, fresh: impl FnOnce() -> Tensor<5>) -> Tensor<5> {
        let Some(&update) = self.updates.get(self.next) else { return x };
        let estimate = denoiser.denoise(&x, self.next);
        self.next += 1;

        self.estimate = Some(estimate.x0.clone());
        let previous = self.previous_x0.clone();
        let multistep = self.updates[self.next..].iter().any(|later| later.previous_x0 != [0.0, 0.0]);
        self.previous_x0 = match multistep {
            true => [Some(estimate.x0.clone()), previous[0].clone()],
            false => [None, None],
        };

        let mut sum = estimate.x0 * update.x0;
        let mut add = |factor: f64, term: Tensor<5>| {
            if factor != 0.0 {
                sum = sum.clone() + term * factor;
            }
        };
        add(update.x, x);
        add(update.noise, estimate.noise);
        for (factor, previous) in update.previous_x0.into_iter().zip(previous) {
            if let Some(previous) = previous {
                add(factor, previous);
            }
        }
        if update.fresh != 0.0 {
            add(update.fresh, fresh());
        }
        sum
    }
}

/// Ancestral sampling (Ho et al. 2020, Algorithm 2): all T times.
pub fn ddpm(schedule: &NoiseSchedule) -> Vec<Update> {
    let update = |time| {
        let (x0, x) = schedule.posterior_mean(time);
        let fresh = if time == 0 { 0.0 } else { (0.5 * schedule.posterior_log_variance(time)).exp() };
        Update { x, x0, fresh, ..Update::at(time) }
    };
    (0..schedule.len()).rev().map(update).collect()
}

/// DDIM (Song et al. 2021, Eq. 12).
pub fn ddim(schedule: &NoiseSchedule, steps: usize, eta: f64, times: DdimTimes) -> Vec<Update> {
    let visited = match times {
        DdimTimes::Official => official_ddim_times(schedule.len(), steps),
        DdimTimes::Trailing => trailing_times(schedule, steps, EVEN),
    };
    let level = |time: usize| match times {
        DdimTimes::Official => schedule.alpha_cumprod_prev(time),
        DdimTimes::Trailing => schedule.alpha_cumprod(time),
    };
    visited
        .iter()
        .enumerate()
        .map(|(step, &time)| {
            let Some(next) = visited.get(step + 1).map(|&next| level(next)) else { return to_clean(time) };
            let here = level(time);
            let fresh = eta * ((1.0 - here / next) * (1.0 - next) / (1.0 - here)).sqrt();
            let noise = (1.0 - next - fresh * fresh).max(0.0).sqrt();
            Update { x0: next.sqrt(), noise, fresh, ..Update::at(time) }
        })
        .collect()
}

/// Multistep DPM-Solver++ of order 2 in its data-prediction form (Lu et al. 2022, Algorithm 2), first order in the first and last step.
pub fn dpm_solver_pp_2m(schedule: &NoiseSchedule, steps: usize) -> Vec<Update> {
    multistep(schedule, &trailing_times(schedule, steps, EVEN), false)
}

/// UniPC of order 2 (Zhao et al. 2023, Algorithms 1 and 2, data prediction, `B_2`), first order in the first and last step.
pub fn unipc(schedule: &NoiseSchedule, steps: usize) -> Vec<Update> {
    multistep(schedule, &trailing_times(schedule, steps, EVEN), true)
}

/// DEIS of order 2 (Zhang and Chen 2023, "tAB-DEIS") for the clean estimate, whose samples are corrected as UniPC's are.
///
/// The time is the angle between clip and noise. Unlike the logarithm of their ratio it is finite at both ends, for noise alone and for the clip, so all steps
/// but the first are of their full order. Guided flows bend most where there is most noise: there the steps are shortest.
pub fn deis(schedule: &NoiseSchedule, steps: usize) -> Vec<Update> {
    angular_multistep(schedule, &trailing_times(schedule, steps, NOISE_FIRST), true)
}

/// Multistep consistency sampling (Song et al. 2023, Algorithm 1).
pub fn consistency(schedule: &NoiseSchedule, steps: usize) -> Vec<Update> {
    let times = trailing_times(schedule, steps, EVEN);
    let update = |(step, &time): (usize, &usize)| match times.get(step + 1) {
        None => to_clean(time),
        Some(&next) => {
            let abar = schedule.alpha_cumprod(next);
            Update { x0: abar.sqrt(), fresh: (1.0 - abar).sqrt(), ..Update::at(time) }
        }
    };
    times.iter().enumerate().map(update).collect()
}

/// DPM-Solver++(2M), which is also the predictor of UniPC, and with `corrected` its corrector.
///
/// UniPC corrects a sample once the network has seen it. The correction is a combination of clean estimates, and so is the next step
/// from there: both are one update. From noise alone a step is infinitely long in log-SNR: it is of first order and stays uncorrected.
fn multistep(schedule: &NoiseSchedule, times: &[usize], corrected: bool) -> Vec<Update> {
    let lambda = |step: usize| schedule.log_snr_half(times[step]);
    let length = |step: usize| lambda(step + 1) - lambda(step);
    // What a step does with x0 if that is constant.
    let data = |step: usize| -schedule.alpha_cumprod(times[step + 1]).sqrt() * (-length(step)).exp_m1();
    let update = |step: usize| {
        let time = times[step];
        if step + 1 == times.len() {
            return to_clean(time);
        }
        let (abar, abar_next) = (schedule.alpha_cumprod(time), schedule.alpha_cumprod(times[step + 1]));
        let x = ((1.0 - abar_next) / (1.0 - abar)).sqrt();
        // The second difference of x0, by the last two evaluations.
        let slope = match step {
            0 => 0.0,
            _ => length(step) / (2.0 * length(step - 1)),
        };
        let predicted = data(step);
        let mut update =
            Update { x, x0: predicted * (1.0 + slope), previous_x0: [-predicted * slope, 0.0], ..Update::at(time) };
        if corrected && step > 0 && length(step - 1).is_finite() {
            let [here, before, before_that] = correction(length(step - 1), (step > 1).then(|| length(step - 2)));
            let scale = x * data(step - 1);
            update.x0 += scale * here;
            update.previous_x0[0] += scale * before;
            update.previous_x0[1] += scale * before_that;
        }
        update
    };
    (0..times.len()).map(update).collect()
}

/// What UniPC's corrector adds to the predicted end of a step of length `h`, in units of [`multistep`]'s `data`: factors of the clean
/// estimates there, at the step's beginning, and at the beginning of the step before, which had length `previous`.
fn correction(h: f64, previous: Option<f64>) -> [f64; 3] {
    let Some(previous) = previous else { return [0.5, -0.5, 0.0] };
    let phi1 = (-h).exp_m1();
    let phi2 = phi1 / -h - 1.0;
    let phi3 = phi2 / -h - 0.5;
    let (first, second) = (phi2 / phi1, 2.0 * phi3 / phi1);
    // The place of the step before in units of this one; the two weights match the first two moments.
    let ratio = -previous / h;
    let at_before = (first - second) / (1.0 - ratio);
    let here = first - at_before;
    // The predictor had a weight of 1/2 there.
    let before_that = (at_before - 0.5) / ratio;
    [here, -here - before_that, before_that]
}

/// DEIS with the clean estimate on a line through its last two values, and with `corrected` on a parabola through three, the newest of which is at the
/// end of the step.
///
/// With `x = cos(angle) x0 + sin(angle) noise` the flow is `d(x / sin(angle)) = -x0 / sin(angle)^2 d(angle)`: a step adds the integral of a polynomial.
/// The last step ends in the value at angle 0 of a line in the square of the angle, since it is the square of the noise that clean estimates of a smooth
/// distribution depend on (Tweedie's formula). As in [`multistep`], correction and next step are one update.
fn angular_multistep(schedule: &NoiseSchedule, times: &[usize], corrected: bool) -> Vec<Update> {
    let angles: Vec<f64> = times.iter().map(|&time| schedule.angle(time)).collect();
    // What the clean estimates at `newest` and up to `back` steps before it count in the `step`-th step.
    let integral = |step: usize, newest: usize, back: usize| -> [f64; 3] {
        let nodes: Vec<f64> = angles[newest.saturating_sub(back)..=newest].iter().rev().copied().collect();
        let weight = |node: usize| {
            let lagrange = |angle: f64| -> f64 {
                let others = nodes.iter().enumerate().filter(|&(other, _)| other != node);
                others.map(|(_, other)| (angle - other) / (nodes[node] - other)).product()
            };
            quadrature(angles[step + 1], angles[step], |angle| lagrange(angle) / angle.sin().powi(2))
        };
        std::array::from_fn(|node| if node < nodes.len() { weight(node) } else { 0.0 })
    };
    let update = |step: usize| {
        if step + 1 == times.len() {
            let square = |step: usize| angles[step].powi(2);
            let slope = if step == 0 { 0.0 } else { square(step) / (square(step - 1) - square(step)) };
            return Update { x0: 1.0 + slope, previous_x0: [-slope, 0.0], ..Update::at(times[step]) };
        }
        let mut weights = integral(step, step, 1);
        if corrected && step > 0 {
            let (foreseen, seen) = (integral(step - 1, step - 1, 1), integral(step - 1, step, 2));
            for (weight, seen) in weights.iter_mut().zip(seen) {
                *weight += seen;
            }
            for (weight, foreseen) in weights[1..].iter_mut().zip(foreseen) {
                *weight -= foreseen;
            }
        }
        let sigma = angles[step + 1].sin();
        let [x0, previous, before] = weights.map(|weight| weight * sigma);
        Update { x: sigma / angles[step].sin(), x0, previous_x0: [previous, before], ..Update::at(times[step]) }
    };
    (0..times.len()).map(update).collect()
}

/// The integral of a smooth function by Gauss's three points on each of many parts.
fn quadrature(from: f64, to: f64, f: impl Fn(f64) -> f64) -> f64 {
    const PARTS: usize = 64;
    let half = (to - from) / (2 * PARTS) as f64;
    let offset = 0.6f64.sqrt() * half;
    let part = |index: usize| {
        let middle = from + (2 * index + 1) as f64 * half;
        (5.0 * (f(middle - offset) + f(middle + offset)) + 8.0 * f(middle)) / 9.0 * half
    };
    (0..PARTS).map(part).sum()
}

impl Update {
    /// An evaluation at `time` of which nothing is made yet.
    fn at(time: usize) -> Self {
        Self { time, x: 0.0, x0: 0.0, noise: 0.0, previous_x0: [0.0, 0.0], fresh: 0.0 }
    }
}

/// The last step of a sampler of first order there: what is left is the clean estimate.
fn to_clean(time: usize) -> Update {
    Update { x0: 1.0, ..Update::at(time) }
}

/// Powers of the share of steps that are left, to which times are proportional.
const EVEN: f64 = 1.0;
/// Chosen by how near 8 guided steps of `faces-128` come to 100 (docs/models.md).
const NOISE_FIRST: f64 = 0.7;

/// Times that begin with the noisiest one (Lin et al. 2024, Table 2: "trailing") and fall by `power`. A network that was trained on noise alone begins
/// there.
fn trailing_times(schedule: &NoiseSchedule, steps: usize, power: f64) -> Vec<usize> {
    let last = schedule.len();
    let begins = |&time: &usize| schedule.log_snr_half(time) >= MIN_LOG_SNR_HALF || schedule.alpha_cumprod(time) == 0.0;
    let noisiest = (0..last).rev().find(begins).unwrap_or(0);
    let mut times: Vec<usize> = (0..steps)
        .map(|step| (last as f64 * ((steps - step) as f64 / steps as f64).powf(power)).round() as usize)
        .map(|time| time.saturating_sub(1).min(noisiest))
        .collect();
    // Where steps are shorter than the time between two evaluations, each takes the next time.
    for step in 1..times.len() {
        times[step] = times[step].min(times[step - 1].saturating_sub(1));
    }
    times.dedup();
    times
}

/// `trunc(linspace(0, T, steps + 2))` without both ends, in single precision as PyTorch computes it: some times fall one short of the
/// exact value.
fn official_ddim_times(timesteps: usize, steps: usize) -> Vec<usize> {
    let points = steps + 2;
    let increment = timesteps as f32 / (points - 1) as f32;
    let point = |index: usize| match index < points / 2 {
        true => increment * index as f32,
        false => timesteps as f32 - increment * (points - 1 - index) as f32,
    };
    (1..=steps).rev().map(|index| point(index) as usize).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ScheduleKind;
    use crate::noise::NoiseSource;
    use burn::tensor::Device;

    /// The exact denoiser of data that is Gaussian, independently per value: mean 0.4, standard deviation 0.6.
    struct Gaussian {
        levels: Vec<f64>,
    }

    const MEAN: f64 = 0.4;
    const DEVIATION: f64 = 0.6;

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
    struct Consistent(Gaussian);

    impl Denoise for Consistent {
        fn denoise(&self, x: &Tensor<5>, step: usize) -> Estimate {
            let abar = self.0.levels[step];
            let spread = (abar * DEVIATION * DEVIATION + 1.0 - abar).sqrt();
            Estimate { x0: (x.clone() - abar.sqrt() * MEAN) * (DEVIATION / spread) + MEAN, noise: x.zeros_like() }
        }
    }

    fn run(updates: Vec<Update>, schedule: &NoiseSchedule, x: Tensor<5>, seed: u64) -> Tensor<5> {
        let denoiser = Gaussian::new(schedule, &updates);
        walk(updates, &denoiser, x, seed)
    }

    fn walk(updates: Vec<Update>, denoiser: &impl Denoise, x: Tensor<5>, seed: u64) -> Tensor<5> {
        let mut source = NoiseSource::new(seed);
        let device = x.device();
        let shape = x.dims();
        let mut trajectory = Trajectory::new(updates);
        let mut x = x;
        while !trajectory.is_done() {
            x = trajectory.step(denoiser, x, || source.normal(shape, &device));
        }
        x
    }

    /// Largest distance to the exact solution of the probability flow.
    fn error(sampler: Sampler, steps: usize) -> f64 {
        error_on(ScheduleKind::Cosine, sampler, steps)
    }

    fn error_on(kind: ScheduleKind, sampler: Sampler, steps: usize) -> f64 {
        let schedule = NoiseSchedule::new(kind, 1000);
        error_of(&schedule, sampler.updates(&schedule, steps))
    }

    fn error_of(schedule: &NoiseSchedule, updates: Vec<Update>) -> f64 {
        let start = schedule.alpha_cumprod(updates[0].time);
        let x = NoiseSource::new(3).normal::<5>([1, 3, 2, 4, 4], &Device::flex());
        let spread = (start * DEVIATION * DEVIATION + 1.0 - start).sqrt();
        let exact = (x.clone() - start.sqrt() * MEAN) * (DEVIATION / spread) + MEAN;
        (run(updates, schedule, x, 0) - exact).abs().max().into_scalar::<f32>() as f64
    }

    #[test]
    fn deterministic_samplers_converge_to_the_probability_flow() {
        let ddim = Sampler::Ddim { eta: 0.0, times: DdimTimes::Trailing };
        for sampler in [ddim, Sampler::DpmSolverPp2m, Sampler::Unipc, Sampler::Deis] {
            let errors = [5, 10, 20, 80].map(|steps| error(sampler, steps));
            assert!(errors[0] > 1.5 * errors[1] && errors[1] > 1.5 * errors[2], "{sampler:?}: {errors:?}");
            assert!(errors[3] < 0.1 * errors[0] && errors[3] < 0.05, "{sampler:?}: {errors:?}");
        }
        assert!(error(Sampler::DpmSolverPp2m, 10) < 0.5 * error(ddim, 10));
    }

    #[test]
    fn along_the_angle_few_steps_lead_nearer_to_the_flow() {
        for kind in [ScheduleKind::Cosine, ScheduleKind::CosineZeroTerminal] {
            let schedule = NoiseSchedule::new(kind, 1000);
            for steps in [4, 6, 8] {
                let times = trailing_times(&schedule, steps, EVEN);
                let along_log_snr = error_of(&schedule, multistep(&schedule, &times, true));
                let along_angle = error_of(&schedule, angular_multistep(&schedule, &times, true));
                println!("{kind:?}, {steps} steps: {along_log_snr:.4} and {along_angle:.4}");
                assert!(along_angle < 0.8 * along_log_snr, "{kind:?}, {steps}: {along_angle}, {along_log_snr}");
            }
        }
    }

    #[test]
    fn samplers_begin_with_noise_alone_where_the_schedule_ends_there() {
        let kind = ScheduleKind::CosineZeroTerminal;
        let ddim = Sampler::Ddim { eta: 0.0, times: DdimTimes::Trailing };
        for sampler in [ddim, Sampler::DpmSolverPp2m, Sampler::Unipc, Sampler::Deis] {
            let first = sampler.updates(&NoiseSchedule::new(kind, 1000), 8)[0];
            assert_eq!(first.time, 999);
            let errors = [10, 20, 80].map(|steps| error_on(kind, sampler, steps));
            assert!(errors[0] > 1.5 * errors[1] && errors[2] < 0.05, "{sampler:?}: {errors:?}");
        }
        let stochastic = Sampler::Ddim { eta: 1.0, times: DdimTimes::Trailing };
        let multistep = [Sampler::DpmSolverPp2m, Sampler::Unipc, Sampler::Deis];
        for sampler in [ddim, stochastic, Sampler::Consistency, Sampler::Ddpm].into_iter().chain(multistep) {
            for Update { x, x0, noise, previous_x0: [one, two], fresh, .. } in
                sampler.updates(&NoiseSchedule::new(kind, 1000), 4)
            {
                assert!([x, x0, noise, one, two, fresh].iter().all(|factor| factor.is_finite()), "{sampler:?}");
            }
        }
    }

    /// The order of the error in the step length, between levels that both ends of the flow are smooth at.
    #[test]
    fn solvers_have_their_order() {
        let schedule = NoiseSchedule::new(ScheduleKind::Cosine, 200_000);
        let time = |lambda: f64| (0..schedule.len()).rev().find(|&time| schedule.log_snr_half(time) >= lambda).unwrap();
        type Solver = fn(&NoiseSchedule, &[usize], bool) -> Vec<Update>;
        let error = |solver: Solver, steps: usize, corrected: bool| {
            let times: Vec<usize> = (0..=steps).map(|i| time(-2.0 + 3.0 * i as f64 / steps as f64)).collect();
            let spread = |abar: f64| (abar * DEVIATION * DEVIATION + 1.0 - abar).sqrt();
            let (mut x, mut previous) = (1.3, [0.0, 0.0]);
            let start = schedule.alpha_cumprod(times[0]);
            let end = schedule.alpha_cumprod(times[steps]);
            let exact = (x - start.sqrt() * MEAN) * spread(end) / spread(start) + end.sqrt() * MEAN;
            for update in &solver(&schedule, &times, corrected)[..steps] {
                let abar = schedule.alpha_cumprod(update.time);
                let x0 = (x * abar.sqrt() * DEVIATION * DEVIATION + MEAN * (1.0 - abar)) / spread(abar).powi(2);
                x = x * update.x
                    + x0 * update.x0
                    + previous[0] * update.previous_x0[0]
                    + previous[1] * update.previous_x0[1];
                previous = [x0, previous[0]];
            }
            (x - exact).abs()
        };
        for (solver, names) in [
            (multistep as Solver, ["DPM-Solver++(2M)", "UniPC-2"]),
            (angular_multistep as Solver, ["DEIS-2", "DEIS-2, corrected"]),
        ] {
            let order = |corrected| (error(solver, 20, corrected) / error(solver, 40, corrected)).log2();
            let (predictor, corrected) = (order(false), order(true));
            println!("{} {predictor:.2}, {} {corrected:.2}", names[0], names[1]);
            assert!((1.7..2.4).contains(&predictor), "{}: {predictor}", names[0]);
            assert!((2.6..3.5).contains(&corrected), "{}: {corrected}", names[1]);
            assert!(error(solver, 10, true) < 0.5 * error(solver, 10, false));
        }
    }

    #[test]
    fn consistency_sampling_reproduces_the_data_distribution_in_any_number_of_steps() {
        for kind in [ScheduleKind::Cosine, ScheduleKind::CosineZeroTerminal] {
            let schedule = NoiseSchedule::new(kind, 1000);
            for steps in [1, 2, 4] {
                let updates = Sampler::Consistency.updates(&schedule, steps);
                assert_eq!(updates.len(), steps);
                let denoiser = Consistent(Gaussian::new(&schedule, &updates));
                let x = NoiseSource::new(5).normal::<5>([1, 3, 8, 16, 16], &Device::flex());
                let sample = walk(updates, &denoiser, x, 9).flatten::<1>(0, 4);
                let mean = f64::from(sample.clone().mean().into_scalar::<f32>());
                let deviation = f64::from(sample.var(0).sqrt().into_scalar::<f32>());
                assert!((mean - MEAN).abs() < 0.03 && (deviation - DEVIATION).abs() < 0.03, "{mean} {deviation}");
            }
        }
    }

    #[test]
    fn ancestral_samplers_reproduce_the_data_distribution() {
        let schedule = NoiseSchedule::new(ScheduleKind::Cosine, 200);
        for sampler in [Sampler::Ddpm, Sampler::Ddim { eta: 1.0, times: DdimTimes::Trailing }] {
            let x = NoiseSource::new(5).normal::<5>([1, 3, 8, 16, 16], &Device::flex());
            let sample = run(sampler.updates(&schedule, 100), &schedule, x, 9);
            let mean = sample.clone().mean().into_scalar::<f32>() as f64;
            let deviation = sample.var(4).mean().sqrt().into_scalar::<f32>() as f64;
            assert!(
                (mean - MEAN).abs() < 0.03 && (deviation - DEVIATION).abs() < 0.05,
                "{sampler:?}: {mean} {deviation}"
            );
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
            Sampler::Ddim { eta: 1.0, times: DdimTimes::Trailing },
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

    #[test]
    fn official_times_are_truncated_like_single_precision() {
        let table: std::collections::BTreeMap<String, Vec<usize>> =
            serde_json::from_str(include_str!("../../tests/fixtures/ddim_times.json")).unwrap();
        assert!(table.len() >= 20);
        for (case, mut expected) in table {
            let (timesteps, steps) = case.trim_start_matches('T').split_once("_S").unwrap();
            // The table ends with the zero at which sampling stops.
            assert_eq!(expected.pop(), Some(0));
            assert_eq!(official_ddim_times(timesteps.parse().unwrap(), steps.parse().unwrap()), expected, "{case}");
        }
    }
}
