//! Cells of the tables that people read.

/// A figure, or a dash if there is none.
pub(super) fn cell(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
}
