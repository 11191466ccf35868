//! The parts of a long run.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::system::step;

/// What ran, how long it took, and whether it passed: the few lines that a person reads after thousands of log lines.
#[derive(Default)]
pub(crate) struct Phases {
    finished: Vec<Phase>,
}

struct Phase {
    name: &'static str,
    duration: Duration,
    passed: bool,
}

impl Phases {
    /// Does a part of the work that the next one builds on.
    pub(crate) fn run<T>(&mut self, name: &'static str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        step(name);
        let start = Instant::now();
        let outcome = work().with_context(|| format!("the phase `{name}` failed"));
        self.finished.push(Phase { name, duration: start.elapsed(), passed: outcome.is_ok() });
        outcome
    }

    /// Does a part of the work that the next one does not depend on; [`verdict`](Self::verdict) tells how it ended.
    pub(crate) fn attempt(&mut self, name: &'static str, work: impl FnOnce() -> Result<()>) {
        if let Err(error) = self.run(name, work) {
            step(&format!("{error:#}"));
        }
    }

    /// # Errors
    /// The parts that failed, by name.
    pub(crate) fn verdict(&self) -> Result<()> {
        let failed: Vec<_> = self.finished.iter().filter(|phase| !phase.passed).map(|phase| phase.name).collect();
        ensure!(failed.is_empty(), "these failed: {}", failed.join(", "));
        Ok(())
    }

    pub(crate) fn print_summary(&self) {
        println!("\n{}", self.summary());
    }

    fn summary(&self) -> String {
        let lines = self.finished.iter().map(|phase| {
            let verdict = if phase.passed { "passed" } else { "FAILED" };
            format!("{:<16} {verdict} {:>7.1} s", phase.name, phase.duration.as_secs_f64())
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    #[test]
    fn a_failure_is_named_and_ends_the_list() {
        let mut phases = Phases::default();
        let outcome =
            phases.run("one", || Ok(1)).and_then(|_| phases.run("two", || -> Result<()> { bail!("no disk") }));
        assert_eq!(format!("{:#}", outcome.unwrap_err()), "the phase `two` failed: no disk");
        let summary = phases.summary();
        let lines: Vec<_> = summary.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with("one") && lines[0].contains("passed"));
        assert!(lines[1].starts_with("two") && lines[1].contains("FAILED"));
    }

    #[test]
    fn attempts_go_on_after_a_failure_and_the_verdict_remembers_it() {
        let mut phases = Phases::default();
        phases.attempt("one", || bail!("no disk"));
        phases.attempt("two", || Ok(()));
        phases.attempt("three", || bail!("no network"));
        assert_eq!(phases.verdict().unwrap_err().to_string(), "these failed: one, three");
        assert_eq!(phases.summary().lines().count(), 3);
    }
}
