//! How large a model may be. A file can ask for any number, and what sizes a tensor must neither panic nor fill the
//! memory.

use std::fmt::Display;
use std::ops::RangeInclusive;

use super::error::ConfigError;

/// Most numbers in a tensor that a model computes with, or among the weights of a network: 400 MB in single precision.
/// The official models have a third of it.
const MOST: f64 = 100e6;
/// Scales at which a network sees the image.
const SCALES: [f64; 5] = [1.0, 0.5, 0.25, 0.125, 0.0625];

/// Checks that a number has one of the values that are possible.
pub(crate) fn within<T: PartialOrd + Display>(
    field: impl Into<String>,
    value: T,
    range: &RangeInclusive<T>,
) -> Result<(), ConfigError> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(ConfigError::new(field, format!("is {value}, but must be {} to {}", range.start(), range.end())))
}

/// Checks the scale at which a network sees the image.
pub(crate) fn scale(field: impl Into<String>, scale: f64) -> Result<(), ConfigError> {
    if SCALES.contains(&scale) {
        return Ok(());
    }
    Err(ConfigError::new(field, format!("is {scale}, but must be 1, 0.5, 0.25, 0.125 or 0.0625")))
}

/// Checks how many numbers something has.
pub(crate) fn count(field: &str, what: &str, numbers: f64) -> Result<(), ConfigError> {
    if numbers <= MOST {
        return Ok(());
    }
    let problem =
        format!("makes {what} of {:.0} million numbers; at most {:.0} are possible", numbers / 1e6, MOST / 1e6);
    Err(ConfigError::new(field, problem))
}
