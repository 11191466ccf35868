//! How far a long run has come.

use std::{
    io::{IsTerminal, stderr},
    time::{Duration, Instant},
};

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};

/// A bar on a terminal, and a line now and then in a log.
pub(super) struct Progress {
    bar: ProgressBar,
    begun: Instant,
    quiet: bool,
}

impl Progress {
    /// Lines that a log gets.
    const LINES: u64 = 50;

    pub(super) fn new(count: usize, quiet: bool) -> Self {
        let style = ProgressStyle::with_template("{msg} {bar:40} {pos}/{len} {eta}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new(0) };
        bar.set_length(count as u64);
        let bar = bar.with_style(style).with_message("takes");
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, begun: Instant::now(), quiet }
    }

    /// One more is done.
    pub(super) fn step(&self) {
        self.bar.inc(1);
        let (done, all) = (self.bar.position(), self.bar.length().unwrap_or_default());
        let due = done % (all / Self::LINES).max(1) == 0;
        if due && !self.quiet && !stderr().is_terminal() {
            eprintln!("{done} of {all} takes, {} left", HumanDuration(self.left(done, all)));
        }
    }

    /// How long the rest takes at the pace so far.
    fn left(&self, done: u64, all: u64) -> Duration {
        self.begun.elapsed().mul_f64(all.saturating_sub(done) as f64 / done.max(1) as f64)
    }

    pub(super) fn finish(self) {
        self.bar.finish_and_clear();
    }
}
