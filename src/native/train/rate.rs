//! The learning rate over a run.

use crate::native::numbers;

/// Steps until the rate has its full height.
const WARM_UP: f64 = 100.0;

/// Options of the learning rate.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct RateArgs {
    /// Learning rate at its peak.
    #[arg(long, value_parser = numbers::rate)]
    pub(super) lr: f64,
    /// Course of the rate after its warm-up of 100 steps.
    #[arg(long, value_enum, default_value_t = LrSchedule::Cosine)]
    pub(super) lr_schedule: LrSchedule,
    /// Steps at which the rate falls to a tenth, without a warm-up, as in the official training.
    #[arg(long, value_delimiter = ',', conflicts_with = "lr_schedule")]
    pub(super) milestones: Vec<u64>,
}

/// Course of the rate between warm-up and end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum LrSchedule {
    /// Constant over the first half of `--steps`, then half a cosine down to a hundredth.
    Cosine,
    /// The peak rate until the end: for runs whose end is open.
    Constant,
}

impl RateArgs {
    /// The rate at `step` of `steps`.
    pub(super) fn at(&self, steps: u64, step: u64) -> f64 {
        if !self.milestones.is_empty() {
            return multi_step(self.lr, &self.milestones, step);
        }
        let peak = self.lr * ((step + 1) as f64 / WARM_UP).min(1.0);
        match self.lr_schedule {
            LrSchedule::Constant => peak,
            LrSchedule::Cosine => {
                let half = steps as f64 / 2.0;
                let decayed = ((step as f64 - half) / half).clamp(0.0, 1.0);
                let cosine = 0.5 * (1.0 + (std::f64::consts::PI * decayed).cos());
                peak * (0.01 + 0.99 * cosine)
            }
        }
    }
}

/// The official schedule (PyTorch's `MultiStepLR`): a tenth of the rate from each milestone on.
pub fn multi_step(lr: f64, milestones: &[u64], step: u64) -> f64 {
    milestones.iter().filter(|&&milestone| step >= milestone).fold(lr, |lr, _| lr * 0.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_warm_up_and_go_down_as_asked() {
        let mut rate = RateArgs { lr: 2.0, lr_schedule: LrSchedule::Cosine, milestones: Vec::new() };
        let near = |rate: f64, expected: f64| assert!((rate - expected).abs() < 1e-9, "{rate} instead of {expected}");
        near(rate.at(1000, 0), 0.02);
        near(rate.at(1000, 500), 2.0);
        near(rate.at(1000, 750), 1.01);
        near(rate.at(1000, 1000), 0.02);
        rate.lr_schedule = LrSchedule::Constant;
        near(rate.at(1000, 999), 2.0);
        rate.milestones = vec![10, 20];
        for (step, expected) in [(0, 2.0), (9, 2.0), (10, 0.2), (20, 0.02)] {
            near(rate.at(1000, step), expected);
        }
    }
}
