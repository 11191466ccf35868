//! What is said of a directory, once, however many of its splits are opened.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Warns, unless that has been said.
pub(super) fn warn(text: String) {
    if is_new(&text) {
        tracing::warn!("{text}");
    }
}

/// Notes something, unless that has been said.
pub(super) fn info(text: String) {
    if is_new(&text) {
        tracing::info!("{text}");
    }
}

fn is_new(text: &str) -> bool {
    SAID.lock().unwrap_or_else(PoisonError::into_inner).insert(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_new_once() {
        assert!(is_new("the first notice of this test"));
        assert!(!is_new("the first notice of this test"));
        assert!(is_new("the second notice of this test"));
    }
}
