//! Where the time of a run goes: what is left at the beginning, what each part took at the end.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use burn::tensor::Device;

use super::stage::Metrics;
use crate::native::progress::in_words;

/// A device that computes on its own is made to finish each phase in one of so many steps only:
/// waiting for it in every step would slow the training down.
const ASYNCHRONOUS_PERIOD: u64 = 20;
/// Steps after which a run says how long it will take.
const FORECAST_STEPS: u64 = 10;
/// Fewer are enough once they have taken so many seconds.
const FORECAST_SECONDS: f64 = 20.0;
/// Steps that are enough then. The first does not count, since it prepares the device.
const FEWEST_STEPS: u64 = 3;

/// What a step consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Waiting for the batch, and bringing it to the device.
    Data,
    Forward,
    Backward,
    /// The optimiser's step, and that of the averaged weights.
    Optimiser,
}

/// Their names in the log, by `Phase as usize`.
const PHASES: [&str; 4] = ["data", "forward", "backward", "optimiser"];

/// Times the phases of one step, or does nothing.
pub(super) struct Stopwatch {
    /// What has to be finished when a phase ends; `None` does nothing.
    device: Option<Device>,
    since: Instant,
    seconds: [f64; PHASES.len()],
}

impl Stopwatch {
    /// A stopwatch that measures nothing.
    pub(super) fn idle() -> Self {
        Self { device: None, since: Instant::now(), seconds: Default::default() }
    }

    /// Starts once the device has finished what it was given before.
    fn start(device: &Device) -> Result<Self> {
        finish(device)?;
        Ok(Self { device: Some(device.clone()), ..Self::idle() })
    }

    /// What went on since the last lap was none of the phases.
    pub(super) fn resume(&mut self) {
        self.since = Instant::now();
    }

    /// What went on since the last lap was `phase`.
    pub(super) fn lap(&mut self, phase: Phase) -> Result<()> {
        if let Some(device) = &self.device {
            finish(device)?;
            let now = Instant::now();
            self.seconds[phase as usize] += (now - self.since).as_secs_f64();
            self.since = now;
        }
        Ok(())
    }
}

fn finish(device: &Device) -> Result<()> {
    device.sync().context("the device could not finish its work")
}

/// The time that this process has spent on a run.
pub(super) struct Account {
    started: Instant,
    /// Clips of a step.
    clips: usize,
    flops_per_clip: Option<u64>,
    /// One of so many steps is timed phase by phase.
    period: u64,
    steps: u64,
    /// Seconds that all steps took, and the first of them.
    in_steps: f64,
    in_first_step: f64,
    /// Seconds of each phase in the steps that were timed.
    timed: [f64; PHASES.len()],
    validations: u64,
    in_validations: f64,
    in_checkpoints: f64,
    is_forecast: bool,
}

impl Account {
    /// An account of steps of `clips` each, of which all are timed phase by phase, or only some if
    /// the device `is_asynchronous`.
    pub(super) fn open(clips: usize, is_asynchronous: bool) -> Self {
        Self {
            started: Instant::now(),
            clips,
            flops_per_clip: None,
            period: if is_asynchronous { ASYNCHRONOUS_PERIOD } else { 1 },
            steps: 0,
            in_steps: 0.0,
            in_first_step: 0.0,
            timed: Default::default(),
            validations: 0,
            in_validations: 0.0,
            in_checkpoints: 0.0,
            is_forecast: false,
        }
    }

    /// The account of a network that takes so many floating-point operations to learn a clip.
    pub(super) fn of_network(self, flops_per_clip: Option<u64>) -> Self {
        Self { flops_per_clip, ..self }
    }

    /// The stopwatch of the next step.
    pub(super) fn stopwatch(&self, device: &Device) -> Result<Stopwatch> {
        let is_timed = (self.steps + 1).is_multiple_of(self.period);
        if is_timed { Stopwatch::start(device) } else { Ok(Stopwatch::idle()) }
    }

    /// A step is done.
    pub(super) fn step(&mut self, seconds: f64, stopwatch: &Stopwatch) {
        if self.steps == 0 {
            self.in_first_step = seconds;
        }
        self.steps += 1;
        self.in_steps += seconds;
        for (sum, seconds) in self.timed.iter_mut().zip(stopwatch.seconds) {
            *sum += seconds;
        }
    }

    /// A validation is done.
    pub(super) fn validation(&mut self, since: Instant) {
        self.validations += 1;
        self.in_validations += since.elapsed().as_secs_f64();
    }

    /// Whether one more validation leaves them within this share of the time that went by.
    pub(super) fn affords_validation(&self, share: f64) -> bool {
        let after = self.in_validations + self.one_validation();
        after <= share * (self.in_steps + after)
    }

    /// Seconds of one.
    fn one_validation(&self) -> f64 {
        self.in_validations / self.validations.max(1) as f64
    }

    /// A part of saving a checkpoint is done.
    pub(super) fn checkpoint(&mut self, since: Instant) {
        self.in_checkpoints += since.elapsed().as_secs_f64();
    }

    /// How long the rest will take, once: as soon as a few steps have shown it. Validations are as many as are left
    /// or fit into their share, and the last. The run may be stopped after so many `minutes`.
    pub(super) fn forecast(
        &mut self,
        steps_left: u64,
        (validations_left, share): (u64, f64),
        minutes: Option<f64>,
    ) -> Option<String> {
        let is_known = self.steps >= FORECAST_STEPS || (self.steps >= FEWEST_STEPS && self.in_steps > FORECAST_SECONDS);
        if self.is_forecast || !is_known || steps_left == 0 {
            return None;
        }
        self.is_forecast = true;
        let step = (self.in_steps - self.in_first_step) / (self.steps - 1) as f64;
        let (in_steps, validation) = (step * steps_left as f64, self.one_validation());
        let between = (validation * validations_left.saturating_sub(1) as f64).min(in_steps * share / (1.0 - share));
        let left = in_steps + between + validation;
        let limit = match minutes {
            Some(minutes) if minutes * 60.0 < left => format!("; --max-minutes {minutes} ends it before"),
            _ => String::new(),
        };
        Some(format!(
            "{step:.3} s a step, {:.1} clips a second; {steps_left} steps to go, with their validations: about \
             {}{}{limit}",
            self.clips as f64 / step,
            in_words(left),
            end(SystemTime::now(), left),
        ))
    }

    /// Seconds of each part and all together, and the clips per second of the steps.
    pub(super) fn close(&self) -> Times {
        let seconds = self.started.elapsed().as_secs_f64();
        let mut parts = Metrics::new();
        let timed: f64 = self.timed.iter().sum();
        if timed > 0.0 {
            // Those of some steps stand for all.
            let share = |seconds: f64| self.in_steps * seconds / timed;
            parts.extend(PHASES.into_iter().zip(self.timed.map(share)));
        } else {
            parts.push(("steps", self.in_steps));
        }
        parts.push(("validation", self.in_validations));
        parts.push(("checkpoints", self.in_checkpoints));
        let rest = seconds - parts.iter().map(|(_, seconds)| seconds).sum::<f64>();
        parts.push(("other", rest.max(0.0)));
        let clips_per_second =
            if self.in_steps > 0.0 { (self.clips as u64 * self.steps) as f64 / self.in_steps } else { 0.0 };
        let flops_per_second = self.flops_per_clip.map(|flops| clips_per_second * flops as f64);
        Times { seconds, steps: self.steps, parts, clips_per_second, flops_per_second }
    }
}

/// What a process spent on a run.
pub(super) struct Times {
    pub(super) seconds: f64,
    pub(super) steps: u64,
    /// Seconds, which add up to all.
    pub(super) parts: Metrics,
    /// In steps alone.
    pub(super) clips_per_second: f64,
    /// The same, if the operations of the network are counted.
    pub(super) flops_per_second: Option<f64>,
}

impl Times {
    /// Seconds and shares.
    pub(super) fn in_words(&self) -> String {
        let part = |&(name, seconds): &(&str, f64)| {
            format!("{name} {seconds:.1} s ({:.0} %)", 100.0 * seconds / self.seconds.max(f64::MIN_POSITIVE))
        };
        let parts: Vec<_> = self.parts.iter().map(part).collect();
        let flops = self.flops_per_second.map_or(String::new(), |flops| format!(", {:.0} GFLOP/s", flops / 1e9));
        format!(
            "{} steps in {:.1} s: {}; {:.1} clips a second in steps{flops}",
            self.steps,
            self.seconds,
            parts.join(", "),
            self.clips_per_second
        )
    }

    /// As a line of the log has them.
    pub(super) fn metrics(&self) -> Metrics {
        let mut metrics = vec![("steps_done", self.steps as f64), ("seconds", self.seconds)];
        metrics.extend(&self.parts);
        metrics.push(("clips_per_second", self.clips_per_second));
        metrics.extend(self.flops_per_second.map(|flops| ("flops_per_second", flops)));
        metrics
    }
}

/// The time of day at which something ends that takes less than a day.
fn end(now: SystemTime, seconds: f64) -> String {
    let minute = now.duration_since(UNIX_EPOCH).map_or(0, |time| (time.as_secs() + seconds as u64) / 60);
    if seconds < 86_400.0 { format!(", until {:02}:{:02} UTC", minute / 60 % 24, minute % 60) } else { String::new() }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn stopwatch(seconds: [f64; 4]) -> Stopwatch {
        Stopwatch { seconds, ..Stopwatch::idle() }
    }

    #[test]
    fn parts_add_up_and_timed_steps_stand_for_all() {
        let mut account = Account::open(8, true).of_network(Some(5_000_000_000));
        account.started = Instant::now().checked_sub(Duration::from_secs(100)).unwrap();
        account.step(30.0, &Stopwatch::idle());
        account.step(10.0, &stopwatch([1.0, 2.0, 4.0, 1.0]));
        account.in_validations = 20.0;
        let times = account.close();
        assert_eq!(
            times.parts[..5],
            [("data", 5.0), ("forward", 10.0), ("backward", 20.0), ("optimiser", 5.0), ("validation", 20.0)]
        );
        let sum: f64 = times.parts.iter().map(|(_, seconds)| seconds).sum();
        assert!((sum - times.seconds).abs() < 1e-9 && times.seconds >= 100.0);
        assert_eq!((times.clips_per_second, times.flops_per_second), (0.4, Some(2e9)));
        assert!(times.in_words().ends_with("; 0.4 clips a second in steps, 2 GFLOP/s"), "{}", times.in_words());
        assert!(times.in_words().contains("backward 20.0 s (20 %), optimiser 5.0 s (5 %)"), "{}", times.in_words());
    }

    #[test]
    fn only_some_steps_of_an_asynchronous_device_are_timed() {
        let device = Device::flex();
        for (is_asynchronous, expected) in [(false, 40), (true, 2)] {
            let mut account = Account::open(1, is_asynchronous);
            let mut timed = 0;
            for _ in 0..40 {
                let stopwatch = account.stopwatch(&device).unwrap();
                timed += u64::from(stopwatch.device.is_some());
                account.step(1.0, &stopwatch);
            }
            assert_eq!(timed, expected);
            assert_eq!(account.close().parts[0], ("steps", 40.0), "without laps there is nothing to tell apart");
        }
    }

    #[test]
    fn a_forecast_is_made_once_and_leaves_out_the_first_step() {
        let mut account = Account::open(8, false);
        (account.validations, account.in_validations) = (1, 60.0);
        account.step(50.0, &Stopwatch::idle());
        account.step(0.5, &Stopwatch::idle());
        assert_eq!(account.forecast(100, (1, 0.1), None), None, "two steps are too few");
        account.step(0.5, &Stopwatch::idle());
        let words = account.forecast(120, (1, 0.1), Some(1.5)).unwrap();
        assert!(words.starts_with("0.500 s a step, 16.0 clips a second; 120 steps to go"), "{words}");
        assert!(
            words.contains("about 2 min, until ") && words.ends_with("--max-minutes 1.5 ends it before"),
            "{words}"
        );
        assert_eq!(account.forecast(119, (1, 0.1), None), None, "it is said once");
        account.is_forecast = false;
        let words = account.forecast(12_000, (100, 0.1), None).unwrap();
        assert!(words.contains("about 1 h 52 min"), "6000 s, a ninth of that, and 60 s: {words}");
    }

    #[test]
    fn validations_stay_within_their_share() {
        let mut account = Account::open(8, false);
        let mut done = Vec::new();
        (account.validations, account.in_validations) = (1, 20.0);
        for step in 1..=200 {
            account.step(5.0, &Stopwatch::idle());
            if step % 10 == 0 && account.affords_validation(0.1) {
                (account.validations, account.in_validations) =
                    (account.validations + 1, account.in_validations + 20.0);
                done.push(step);
            }
        }
        assert_eq!(done, [80, 110, 150, 180], "two of 20 s are a tenth of 400 s");
        assert!(account.affords_validation(1.0) && !account.affords_validation(0.0));
    }

    #[test]
    fn the_end_is_said_if_it_is_within_a_day() {
        let noon = UNIX_EPOCH + Duration::from_hours(12);
        assert_eq!(end(noon, 3_660.0), ", until 13:01 UTC");
        assert_eq!(end(noon, 43_200.0), ", until 00:00 UTC");
        assert_eq!(end(noon, 90_000.0), "");
    }
}
