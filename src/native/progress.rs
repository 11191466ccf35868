//! The bar that shows how far a long command has come.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar of `count` steps behind `message`. It is redrawn five times a second, so that a long step
/// does not look stuck.
pub(crate) fn progress_bar(message: &'static str, count: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {bar:40} {pos}/{len} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(count as u64).with_style(style).with_message(message);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
