//! Ctrl-C, SIGTERM and a terminal that is closed. A command that [listens](Interruption) ends by itself, a training
//! after the step that it is in; any other is ended here, and what it had in the making goes with it.

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::Result;

/// Whether somebody wants the process to end.
static IS_WANTED: AtomicBool = AtomicBool::new(false);
/// How many listen.
static LISTENERS: AtomicUsize = AtomicUsize::new(0);

/// While there is one, the first signal is only noted, and the second ends the process.
pub(crate) struct Interruption(());

impl Interruption {
    /// Listens until it is dropped.
    pub(crate) fn listen() -> Self {
        LISTENERS.fetch_add(1, Ordering::SeqCst);
        Self(())
    }

    /// Whether somebody wants the process to end.
    #[expect(clippy::unused_self, reason = "only who listens may ask")]
    pub(crate) fn is_wanted(&self) -> bool {
        IS_WANTED.load(Ordering::SeqCst)
    }
}

impl Drop for Interruption {
    fn drop(&mut self) {
        LISTENERS.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Heeds signals from here on.
#[cfg(unix)]
pub(super) fn heed() -> Result<()> {
    use anyhow::Context as _;
    use std::sync::Arc;

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
    use signal_hook::iterator::Signals;

    let failed = || "cannot listen to signals";
    // A file that may not grow is an error like a full disk, not an end without a word.
    signal_hook::flag::register(SIGXFSZ, Arc::default()).with_context(failed)?;
    let hang_up = (!is_hang_up_ignored()).then_some(SIGHUP);
    let mut signals = Signals::new([SIGINT, SIGTERM].into_iter().chain(hang_up)).with_context(failed)?;
    let heed = move || signals.forever().for_each(note_or_end);
    std::thread::Builder::new().name("signals".to_owned()).spawn(heed).with_context(failed)?;
    Ok(())
}

/// Whether the process shall outlive its terminal, as `nohup` arranges; taken to be so where the system does not tell.
#[cfg(unix)]
fn is_hang_up_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    ignored.is_none_or(|ignored| ignored & 1 != 0)
}

/// Elsewhere the system ends the process at once.
#[cfg(not(unix))]
pub(super) fn heed() -> Result<()> {
    Ok(())
}

#[cfg(unix)]
fn note_or_end(signal: i32) {
    let is_second = IS_WANTED.swap(true, Ordering::SeqCst);
    if LISTENERS.load(Ordering::SeqCst) > 0 && !is_second {
        return;
    }
    super::staging::abandon();
    let _ = writeln!(std::io::stderr(), "\nerror: stopped by a signal; nothing half-written was left");
    signal_hook::low_level::exit(128 + signal);
}
