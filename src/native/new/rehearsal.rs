//! A few steps of both stages, by the same commands as in the script: what will be refused is refused now, and what a
//! step takes tells what all will take.

use std::{
    fs,
    io::{Read as _, Seek as _},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::script::Script;
use crate::native::{interruption::Interruption, progress::in_words};

/// Steps of each stage.
pub(super) const STEPS: u64 = 3;

/// What each stage took.
pub(super) struct Rehearsal {
    lfae: Pace,
    dm: Pace,
}

/// Seconds of the parts of a training.
struct Pace {
    /// Until the first step: reading clips, computing motion.
    before: f64,
    step: f64,
    validation: f64,
}

impl Rehearsal {
    /// Rehearses in `dir`, where nothing of it stays.
    pub(super) fn of(script: &Script, dir: &Path) -> Result<Self> {
        let place = tempfile::Builder::new().prefix(".rehearsal-").tempdir_in(dir)?;
        let at = |run: &str| Path::new(place.path().file_name().unwrap_or_default()).join(run);
        let (lfae, dm) = (at("lfae"), at("dm"));
        // Nobody else would end the trainings.
        let interruption = Interruption::listen();
        let rehearse = |options, run| rehearse(script, options, dir, run, &interruption);
        tracing::info!("rehearsing stage 1: {STEPS} steps, and two looks at the people who are held out");
        let since = Instant::now();
        let of_lfae = rehearse(script.lfae(), &lfae).context("stage 1 cannot be trained")?;
        tracing::info!("rehearsing stage 2, after {} for stage 1", in_words(since.elapsed().as_secs_f64()));
        let of_dm = rehearse(script.dm(&lfae), &dm).context("stage 2 cannot be trained")?;
        Ok(Self { lfae: of_lfae, dm: of_dm })
    }

    /// How long `steps` of each stage will take.
    pub(super) fn in_words(&self, steps: u64) -> String {
        let [lfae, dm] = [&self.lfae, &self.dm].map(|pace| pace.seconds(steps));
        format!(
            "time: stage 1 about {}, stage 2 about {}, together {}; {:.1} and {:.1} s a step here",
            in_words(lfae),
            in_words(dm),
            in_words(lfae + dm),
            self.lfae.step,
            self.dm.step
        )
    }
}

impl Pace {
    /// Of a training of so many steps: validations are two, and what is granted between them.
    fn seconds(&self, steps: u64) -> f64 {
        const SHARE_OF_VALIDATIONS: f64 = 0.1;
        self.before + 2.0 * self.validation + self.step * steps as f64 * (1.0 + SHARE_OF_VALIDATIONS)
    }

    /// From the account of a run of `seconds`, which ends in the last line of `times`.
    fn read(times: &str, seconds: f64) -> Option<Self> {
        let account: Value = serde_json::from_str(times.lines().last()?).ok()?;
        let value = |name: &str| account[name].as_f64();
        let steps = value("steps_done")?;
        let others = ["validation", "checkpoints", "other"].map(value);
        let in_steps = value("seconds")? - others.into_iter().sum::<Option<f64>>()?;
        Some(Self {
            before: (seconds - value("seconds")?).max(0.0),
            step: in_steps / steps.max(1.0),
            validation: value("validation")? / 2.0,
        })
    }
}

/// Trains for a few steps in `run`, seen from `dir`.
fn rehearse(
    script: &Script,
    options: Vec<String>,
    dir: &Path,
    run: &Path,
    interruption: &Interruption,
) -> Result<Pace> {
    let since = Instant::now();
    let mut said = tempfile::tempfile().context("no temporary file can be made")?;
    let mut training = Command::new(&script.lfdm)
        .arg("train")
        .args(options)
        .args(["--steps", &STEPS.to_string(), "--data"])
        .arg(&script.data)
        .arg("--init")
        .arg(&script.init)
        .arg("--out")
        .arg(run)
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(said.try_clone()?)
        .spawn()
        .with_context(|| format!("cannot run {}", script.lfdm.display()))?;
    if !wait_for(&mut training, interruption)?.success() {
        let mut text = Vec::new();
        said.rewind().and_then(|()| said.read_to_end(&mut text))?;
        let text = String::from_utf8_lossy(&text);
        bail!("{}", text.lines().last().unwrap_or("it said nothing").trim_start_matches("error: "));
    }
    let times = fs::read_to_string(dir.join(run).join("times.jsonl")).context("the rehearsal has no times")?;
    Pace::read(&times, since.elapsed().as_secs_f64()).context("the rehearsal has no times")
}

/// How a training ended.
///
/// # Errors
/// A signal, which ends it.
fn wait_for(training: &mut Child, interruption: &Interruption) -> Result<ExitStatus> {
    /// Between two looks.
    const PAUSE: Duration = Duration::from_millis(50);
    loop {
        if interruption.is_wanted() {
            training.kill().and_then(|()| training.wait())?;
            bail!("stopped by a signal, and nothing was written; --no-rehearsal writes the script at once");
        }
        if let Some(status) = training.try_wait()? {
            return Ok(status);
        }
        thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forecast_counts_what_comes_before_the_steps_and_the_validations() {
        let times =
            r#"{"step":3,"steps_done":3.0,"seconds":26.0,"data":1.0,"forward":5.0,"backward":5.0,"optimiser":1.0,
            "validation":12.0,"checkpoints":1.5,"other":0.5,"clips_per_second":2.0}"#
                .replace('\n', "");
        let pace = Pace::read(&times, 30.0).unwrap();
        assert_eq!((pace.before, pace.step, pace.validation), (4.0, 4.0, 6.0));
        assert!((pace.seconds(100) - (4.0 + 12.0 + 440.0)).abs() < 1e-9);
        assert!(Pace::read("", 1.0).is_none() && Pace::read("{}", 1.0).is_none());
    }
}
