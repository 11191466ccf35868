//! How far a long command has come, and how long it takes.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

/// Until the first line of progress where there is no terminal, and between two of them.
const FIRST_SILENCE: Duration = Duration::from_secs(5);
const SILENCE: Duration = Duration::from_secs(30);

/// A bar on a terminal. In a file or a pipe, where no bar can be seen, a line in the log now and then.
pub(crate) struct Progress {
    what: &'static str,
    bar: ProgressBar,
    /// When the next line is due.
    due: Mutex<Instant>,
}

impl Progress {
    /// Of `count` steps of `what`. The bar is redrawn five times a second, so that a long step does not look stuck.
    pub(crate) fn new(what: &'static str, count: usize) -> Self {
        let style = ProgressStyle::with_template("{msg} {bar:40} {pos}/{len} {left}")
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .with_key("left", |state: &ProgressState, out: &mut dyn fmt::Write| {
                let left = seconds_left(state.pos(), state.len().unwrap_or(0), state.elapsed());
                // A bar that cannot be written has nobody to tell.
                let _ = write!(out, "{}", left.map(in_words).unwrap_or_default());
            });
        let bar = ProgressBar::new(count as u64).with_style(style).with_message(what);
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { what, bar, due: Mutex::new(Instant::now() + FIRST_SILENCE) }
    }

    /// So many more steps are done.
    pub(crate) fn inc(&self, steps: usize) {
        self.bar.inc(steps as u64);
        if self.is_hidden() && self.is_due(Instant::now()) {
            let (done, all) = (self.bar.position(), self.bar.length().unwrap_or(0));
            let left = seconds_left(done, all, self.bar.elapsed())
                .map(|seconds| format!(", {} left", in_words(seconds)))
                .unwrap_or_default();
            tracing::info!("{}: {done} of {all}{left}", self.what);
        }
    }

    /// Whether there is no terminal to see the bar on.
    pub(crate) fn is_hidden(&self) -> bool {
        self.bar.is_hidden()
    }

    /// All is done.
    pub(crate) fn finish(self) {
        self.bar.finish_and_clear();
    }

    /// Whether a line is due; then the next one is due only after a while.
    fn is_due(&self, now: Instant) -> bool {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = now >= *due;
        if is_due {
            *due = now + SILENCE;
        }
        is_due
    }
}

/// What is left of `all` steps if they go on as on average so far; `None` at either end. indicatif's own estimate takes
/// a step of a minute for a standstill, and grows to centuries.
fn seconds_left(done: u64, all: u64, elapsed: Duration) -> Option<f64> {
    (0 < done && done < all).then(|| elapsed.as_secs_f64() * (all - done) as f64 / done as f64)
}

/// A time in the two largest units that matter.
pub(crate) fn in_words(seconds: f64) -> String {
    let minutes = (seconds / 60.0).round() as u64;
    match minutes {
        0..2 => format!("{seconds:.0} s"),
        2..90 => format!("{minutes} min"),
        90..2880 => format!("{} h {} min", minutes / 60, minutes % 60),
        _ => format!("{} d {} h", minutes / 1440, minutes % 1440 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_soon_and_then_seldom() {
        let progress = Progress::new("steps", 100);
        let start = Instant::now();
        let lines: Vec<u64> = (0..100).filter(|&second| progress.is_due(start + Duration::from_secs(second))).collect();
        assert_eq!(lines, [5, 35, 65, 95]);
    }

    #[test]
    fn slow_steps_are_no_standstill() {
        let left = |done| seconds_left(done, 6, Duration::from_secs(60 * done));
        assert_eq!([left(0), left(2), left(5), left(6)], [None, Some(240.0), Some(60.0), None]);
    }

    #[test]
    fn times_are_said_in_units_that_matter() {
        for (seconds, words) in [(61.4, "61 s"), (610.0, "10 min"), (12_000.0, "3 h 20 min"), (200_000.0, "2 d 7 h")] {
            assert_eq!(in_words(seconds), words);
        }
    }
}
