//! DEIS: a solver in the angle between clip and noise.
//!
//! With `x = cos(angle) x0 + sin(angle) noise` the probability flow from step `i` to the next is
//!
//! ```text
//! x[i+1] / sin(angle[i+1]) = x[i] / sin(angle[i])
//!                            + integral of x0(angle) / sin(angle)^2 from angle[i+1] to angle[i].
//! ```
//!
//! Unlike the logarithm of the signal-to-noise ratio, the angle is finite at both ends, for noise
//! alone and for the clip, so that all steps but the first are of their full order.

use std::ops::RangeInclusive;

use super::trajectory::Update;
use crate::diffusion::schedule::NoiseSchedule;

/// DEIS of order 2 (Zhang and Chen 2023, "tAB-DEIS") for the clean estimate, corrected as UniPC is:
///
/// ```text
/// x[i+1] = sin(angle[i+1]) (x[i] / sin(angle[i]) + predictor(i) + corrector(i-1) - predictor(i-1))
/// ```
///
/// A sample is corrected once the network has seen it: what the corrector makes of the step before
/// takes the place of what the predictor made of it.
pub(super) fn deis(schedule: &NoiseSchedule, times: &[usize]) -> Vec<Update> {
    let path = Path::new(schedule, times);
    path.table(|i| {
        let mut weights = path.predictor(i);
        if i > 0 {
            let [seen, foreseen] = [path.corrector(i - 1), path.predictor(i - 1)];
            weights = add(weights, seen);
            // What is the newest estimate for the step before is one step old for this one.
            weights = add(weights, [0.0, -foreseen[0], -foreseen[1]]);
        }
        weights
    })
}

/// The times that the solver visits, and their angles.
struct Path<'a> {
    times: &'a [usize],
    angles: Vec<f64>,
}

impl<'a> Path<'a> {
    fn new(schedule: &NoiseSchedule, times: &'a [usize]) -> Self {
        Self { times, angles: times.iter().map(|&time| schedule.angle(time)).collect() }
    }

    /// The table whose steps add the clean estimates of this step and the two before by `weights`.
    fn table(&self, weights: impl Fn(usize) -> [f64; 3]) -> Vec<Update> {
        let step = |i: usize| {
            let sigma = self.angles[i + 1].sin();
            let [x0, before, before_that] = weights(i).map(|weight| weight * sigma);
            Update {
                x: sigma / self.angles[i].sin(),
                x0,
                previous_x0: [before, before_that],
                ..Update::at(self.times[i])
            }
        };
        let last = self.times.len() - 1;
        (0..last).map(step).chain([self.last_step()]).collect()
    }

    /// The weights of `x0[i]` and `x0[i-1]`: the integral over the `i`-th step of the line through
    /// both.
    fn predictor(&self, i: usize) -> [f64; 3] {
        self.integral(i, i.saturating_sub(1)..=i)
    }

    /// The weights of `x0[i+1]`, `x0[i]` and `x0[i-1]`: the integral over the `i`-th step of the
    /// parabola through all three.
    fn corrector(&self, i: usize) -> [f64; 3] {
        self.integral(i, i.saturating_sub(1)..=i + 1)
    }

    /// The weights of the clean estimates of the steps `nodes`, the newest first, in the integral
    /// over the `i`-th step of the polynomial through them:
    ///
    /// ```text
    /// weight[j] = integral of lagrange[j](angle) / sin(angle)^2 from angle[i+1] to angle[i]
    /// lagrange[j](angle) = product of (angle - angle[k]) / (angle[j] - angle[k]) over k != j
    /// ```
    fn integral(&self, i: usize, nodes: RangeInclusive<usize>) -> [f64; 3] {
        let nodes: Vec<f64> = self.angles[nodes].iter().rev().copied().collect();
        let mut weights = [0.0; 3];
        for (node, weight) in weights.iter_mut().enumerate().take(nodes.len()) {
            *weight = quadrature(self.angles[i + 1], self.angles[i], |angle| {
                lagrange(&nodes, node, angle) / angle.sin().powi(2)
            });
        }
        weights
    }

    /// The step to the clean sample: a line through the last two clean estimates, continued to angle
    /// 0. It is a line in the square of the angle, because clean estimates of a smooth distribution
    /// depend on the square of the noise (Tweedie's formula).
    fn last_step(&self) -> Update {
        let last = self.times.len() - 1;
        let square = |i: usize| self.angles[i].powi(2);
        let slope = if last == 0 { 0.0 } else { square(last) / (square(last - 1) - square(last)) };
        Update { x0: 1.0 + slope, previous_x0: [-slope, 0.0], ..Update::at(self.times[last]) }
    }
}

/// The polynomial that is 1 at the `node`-th of `nodes` and 0 at the others.
fn lagrange(nodes: &[f64], node: usize, x: f64) -> f64 {
    let others = nodes.iter().enumerate().filter(|&(other, _)| other != node);
    others.map(|(_, other)| (x - other) / (nodes[node] - other)).product()
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

fn add(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    std::array::from_fn(|i| a[i] + b[i])
}

#[cfg(test)]
mod tests {
    use super::super::dpm_solver::unipc;
    use super::super::gaussian::{assert_orders, distance_from_flow};
    use super::super::times::trailing_times;
    use super::*;
    use crate::config::ScheduleKind;

    /// DEIS as it is published, without the corrector.
    fn uncorrected(schedule: &NoiseSchedule, times: &[usize]) -> Vec<Update> {
        let path = Path::new(schedule, times);
        path.table(|i| path.predictor(i))
    }

    #[test]
    fn predictor_and_corrector_have_their_orders() {
        assert_orders(uncorrected, deis);
    }

    #[test]
    fn along_the_angle_few_steps_lead_nearer_to_the_flow() {
        for kind in [ScheduleKind::Cosine, ScheduleKind::CosineZeroTerminal] {
            let schedule = NoiseSchedule::new(kind, 1000);
            for steps in [4, 6, 8] {
                let times = trailing_times(&schedule, steps);
                let along_log_snr = distance_from_flow(&schedule, unipc(&schedule, &times));
                let along_angle = distance_from_flow(&schedule, deis(&schedule, &times));
                println!("{kind:?}, {steps} steps: {along_log_snr:.4} and {along_angle:.4}");
                assert!(along_angle < 0.8 * along_log_snr, "{kind:?}, {steps}: {along_angle}, {along_log_snr}");
            }
        }
    }
}
