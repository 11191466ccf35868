use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::system::step;

/// What ran, how long it took, and whether it passed: the few lines that a person reads after thousands of log lines.
#[derive(Default)]
pub struct Phases {
    finished: Vec<Phase>,
}

struct Phase {
    name: &'static str,
    duration: Duration,
    passed: bool,
}

impl Phases {
    pub fn run<T>(&mut self, name: &'static str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        step(name);
        let start = Instant::now();
        let outcome = work().with_context(|| format!("the phase `{name}` failed"));
        self.finished.push(Phase { name, duration: start.elapsed(), passed: outcome.is_ok() });
        outcome
    }

    pub fn print_summary(&self) {
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
}
