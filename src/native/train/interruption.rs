//! Ctrl-C and SIGTERM, which end a training after the step that it is in.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// Whether somebody wants the process to end.
pub(super) struct Interruption {
    is_wanted: Arc<AtomicBool>,
}

impl Interruption {
    /// From here on, a signal is noted, and only a second one ends the process at once.
    pub(super) fn listen() -> Result<Self> {
        let is_wanted = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order: the first looks at the flag before the second sets it.
            flag::register_conditional_shutdown(signal, 128 + signal, is_wanted.clone())
                .and_then(|_| flag::register(signal, is_wanted.clone()))
                .context("cannot listen to signals")?;
        }
        Ok(Self { is_wanted })
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.is_wanted.load(Ordering::Relaxed)
    }
}
