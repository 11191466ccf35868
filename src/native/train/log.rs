//! What a run reports: a progress bar, `losses.jsonl`, `validation.jsonl`, `times.jsonl`, and a summary at its
//! end.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::account::Times;
use super::stage::{Metrics, Terms};
use crate::native::staging::write_file;
use crate::native::whole_file::read_file;

/// Longest time without a word where there is no bar.
const SILENCE: Duration = Duration::from_secs(30);
const LOSSES: &str = "losses.jsonl";
const VALIDATIONS: &str = "validation.jsonl";
/// A line for each process that worked on the run and came to its end.
const TIMES: &str = "times.jsonl";

pub(super) struct Log {
    directory: PathBuf,
    bar: ProgressBar,
    losses: File,
    validations: File,
    times: File,
    averages: Terms,
    started: Instant,
    /// When the last line of progress was written, where there is no bar.
    said: Option<Instant>,
}

impl Log {
    /// Continues the files in `directory` from step `first`, dropping what an interrupted run wrote
    /// after its last checkpoint, which is now done again.
    pub(super) fn open(directory: &Path, steps: u64, first: u64) -> Result<Self> {
        let bar = ProgressBar::new(steps).with_position(first);
        bar.set_style(ProgressStyle::with_template("{bar:30} {pos}/{len} {per_sec} eta {eta} {msg}")?);
        bar.reset_eta();
        let losses = continued(&directory.join(LOSSES), |step| step < first)?;
        // The validation before a checkpoint is done; that after the last step is done again.
        let is_done = |step| first > 0 && (step < first || step == first && first < steps);
        let validations = continued(&directory.join(VALIDATIONS), is_done)?;
        let times = continued(&directory.join(TIMES), |step| first > 0 && step <= first)?;
        Ok(Self {
            directory: directory.to_owned(),
            bar,
            losses,
            validations,
            times,
            averages: Vec::new(),
            started: Instant::now(),
            said: None,
        })
    }

    pub(super) fn validation(&mut self, step: u64, metrics: &Metrics) -> Result<()> {
        write_line(&mut self.validations, step, metrics.iter().copied())?;
        let words: Vec<_> = metrics.iter().map(|(name, value)| format!("{name} {value:.4}")).collect();
        self.note(&format!("validation after {step} steps: {}", words.join(", ")));
        Ok(())
    }

    pub(super) fn step(&mut self, step: u64, values: &Terms) -> Result<()> {
        if self.averages.len() != values.len() {
            self.averages.clone_from(values);
        }
        for ((_, average), (_, value)) in self.averages.iter_mut().zip(values) {
            *average += 0.02 * (value - *average);
        }
        write_line(&mut self.losses, step, values.iter().map(|(name, value)| (&**name, f64::from(*value))))?;
        self.bar.inc(1);
        let message = self.averages();
        self.bar.set_message(message.clone());
        // A bar shows nothing in a file or a pipe.
        let is_first = self.said.is_none();
        if self.bar.is_hidden() && (is_first || self.said.is_some_and(|said| said.elapsed() >= SILENCE)) {
            self.said = Some(Instant::now());
            let (total, eta) = (self.bar.length().unwrap_or(0), self.bar.eta().as_secs());
            tracing::info!("step {} of {total}, {eta} s left, {message}", step + 1);
        }
        Ok(())
    }

    /// What this process spent on the run until `step`.
    pub(super) fn times(&mut self, step: u64, times: &Times) -> Result<()> {
        write_line(&mut self.times, step, times.metrics().into_iter())?;
        self.note(&times.in_words());
        Ok(())
    }

    pub(super) fn note(&self, text: &str) {
        self.bar.suspend(|| tracing::info!("{text}"));
    }

    /// Says what came out, where it is, and what can be done with it.
    pub(super) fn finish(self, metric: &str, gain: Option<[&str; 2]>, checkpoint: &Path, next: Option<&str>) {
        self.bar.finish_and_clear();
        let directory = self.directory.display();
        tracing::info!("trained for {:.1} min; {}", self.started.elapsed().as_secs_f64() / 60.0, self.averages());
        if let Some(held_out) = held_out(&self.directory.join(VALIDATIONS), metric) {
            tracing::info!("{held_out}");
        }
        if let Some(words) = gain.and_then(|names| gained(&self.directory.join(VALIDATIONS), names)) {
            tracing::info!("{words}");
        }
        tracing::info!(
            "checkpoint {}; {directory}/previews, {directory}/plots/index.html, {directory}/{LOSSES}",
            checkpoint.display()
        );
        if let Some(next) = next {
            tracing::info!("next: {next}");
        }
    }

    /// Means over the last steps.
    fn averages(&self) -> String {
        let words: Vec<_> = self.averages.iter().map(|(name, value)| format!("{name} {value:.4}")).collect();
        words.join(" ")
    }
}

/// The last held-out `metric` and the best, in words.
fn held_out(path: &Path, metric: &str) -> Option<String> {
    let text = String::from_utf8(read_file(path).ok()?).ok()?;
    let values: Vec<(u64, f64)> = text
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|line| Some((line["step"].as_u64()?, line[metric].as_f64()?)))
        .collect();
    let (step, last) = values.last()?;
    let (best_step, best) = values.iter().min_by(|a, b| a.1.total_cmp(&b.1))?;
    let words = format!("held-out {metric} {last:.4} after {step} steps");
    Some(match *best_step {
        0 if *step > 0 => format!("{words}, no better than the {best:.4} before the first"),
        best_step if best_step < *step => format!("{words}, best {best:.4} after {best_step}"),
        _ => words,
    })
}

/// How much nearer to the real frames rebuilt frames of people never trained on are than frame 0, by the last
/// validation that has both PSNRs.
fn gained(path: &Path, [rebuilt, repeated]: [&str; 2]) -> Option<String> {
    let text = String::from_utf8(read_file(path).ok()?).ok()?;
    let lines = text.lines().rev().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let gain = { lines }.find_map(|line| Some(line[rebuilt].as_f64()? - line[repeated].as_f64()?))?;
    Some(if gain > 0.0 {
        format!("where something moves, rebuilt frames are {gain:.1} dB nearer to the real ones than frame 0 is")
    } else {
        format!(
            "where something moves, rebuilt frames are still {:.1} dB further from the real ones than frame 0 is; \
             train longer",
            -gain
        )
    })
}

/// Lets a run begin in `directory`, where there is no checkpoint, if no log is lost by that. A run that was killed
/// before its first checkpoint has logged two steps at most.
///
/// # Errors
/// A log of another run or of another program, which would be emptied.
pub(super) fn ensure_begun_at_most(directory: &Path) -> Result<()> {
    for name in [LOSSES, VALIDATIONS, TIMES] {
        let path = directory.join(name);
        let is_early = |line: &str| step_of(line).is_some_and(|step| step <= 1);
        let is_ours = match read_file(&path).map(String::from_utf8) {
            Ok(text) => text.is_ok_and(|text| text.lines().all(is_early)),
            Err(error) => error.kind() == ErrorKind::NotFound,
        };
        ensure!(
            is_ours,
            "{} is of another run or of another program, and would be emptied; remove it, or choose another --out",
            path.display()
        );
    }
    Ok(())
}

fn step_of(line: &str) -> Option<u64> {
    serde_json::from_str::<serde_json::Value>(line).ok()?["step"].as_u64()
}

/// The lines of a log whose step `keep` accepts, open for more.
fn continued(path: &Path, keep: impl Fn(u64) -> bool) -> Result<File> {
    let failed = || format!("cannot write {}", path.display());
    let kept: String = match read_file(path).map(String::from_utf8) {
        Ok(Ok(text)) => {
            text.lines().filter(|line| step_of(line).is_some_and(&keep)).map(|line| format!("{line}\n")).collect()
        }
        _ => String::new(),
    };
    write_file(path, kept.as_bytes()).with_context(failed)?;
    OpenOptions::new().append(true).open(path).with_context(failed)
}

/// `{"step": …, name: value, …}`
fn write_line<'a>(file: &mut File, step: u64, values: impl Iterator<Item = (&'a str, f64)>) -> Result<()> {
    let mut line = serde_json::Map::from_iter([("step".to_owned(), json!(step))]);
    line.extend(values.map(|(name, value)| (name.to_owned(), json!(value))));
    writeln!(file, "{}", serde_json::Value::Object(line)).context("cannot write the log of losses")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_log_of_a_run_that_had_hardly_begun_is_begun_anew() {
        let dir = tempfile::tempdir().unwrap();
        assert!(ensure_begun_at_most(dir.path()).is_ok());
        let with = |text: &str| {
            std::fs::write(dir.path().join(LOSSES), text).unwrap();
            ensure_begun_at_most(dir.path())
        };
        assert!(with("").is_ok() && with("{\"step\":0,\"loss\":3}\n{\"step\":1,\"loss\":2}\n").is_ok());
        assert!(with("{\"step\":0,\"loss\":3}\n{\"step\":70,\"loss\":2}\n").is_err(), "its checkpoint is gone");
        let message = with("{\"epoch\":0,\"loss\":3}\n").unwrap_err().to_string();
        assert!(message.contains("losses.jsonl is of another run"), "{message}");
    }

    #[test]
    fn the_summary_names_the_last_and_the_best_validation() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(
            file.path(),
            "{\"step\":0,\"loss\":3}\n{\"step\":50,\"loss\":1}\n{\"step\":60,\"loss\":2}\n{\"st",
        )
        .unwrap();
        let words = held_out(file.path(), "loss").unwrap();
        assert_eq!(words, "held-out loss 2.0000 after 60 steps, best 1.0000 after 50");
        let said = |text: &str| {
            std::fs::write(file.path(), text).unwrap();
            (held_out(file.path(), "loss").unwrap(), gained(file.path(), ["psnr", "repeat"]).unwrap_or_default())
        };
        let (words, gain) = said("{\"step\":0,\"loss\":1}\n{\"step\":9,\"loss\":2,\"psnr\":30.2,\"repeat\":23.5}");
        assert_eq!(words, "held-out loss 2.0000 after 9 steps, no better than the 1.0000 before the first");
        assert!(gain.contains("are 6.7 dB nearer to the real ones"), "{gain}");
        let (words, gain) = said("{\"step\":0,\"loss\":2}\n{\"step\":9,\"loss\":1,\"psnr\":20,\"repeat\":23.5}");
        assert_eq!(words, "held-out loss 1.0000 after 9 steps");
        assert!(gain.contains("still 3.5 dB further"), "{gain}");
    }
}
