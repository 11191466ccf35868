//! Numbers on the command line: what they may be, and what is said of others.

use std::ops::RangeInclusive;

use crate::pipeline::{MAX_GUIDANCE, MAX_STEPS};

/// Weights, rates and times beyond this are slips of the hand, and overflow soon.
const MOST: f64 = 1e6;
/// Of a frame enlarged further, next to nothing is left.
const MOST_ZOOM: f64 = 16.0;
/// Frames per second of anything that moves.
const SPEEDS: RangeInclusive<f64> = 0.1..=240.0;
/// GiB that hold a clip, at least.
const LEAST_MEMORY: f64 = 0.001;

/// How much a term of a loss counts.
pub(crate) fn weight(text: &str) -> Result<f64, String> {
    within(text, 0.0..=MOST, "a number from 0 to 1000000")
}

/// A factor, or a weight that is not 0.
pub(crate) fn positive(text: &str) -> Result<f64, String> {
    within(text, f64::MIN_POSITIVE..=MOST, "a positive number, at most 1000000")
}

/// A learning rate. One that is far too high is refused by what it does.
pub(crate) fn rate(text: &str) -> Result<f64, String> {
    within(text, f64::MIN_POSITIVE..=f64::from(f32::MAX), "a positive number")
}

/// The norm of a gradient.
pub(crate) fn norm(text: &str) -> Result<f32, String> {
    positive(text).map(|number| number as f32)
}

/// A time.
pub(crate) fn minutes(text: &str) -> Result<f64, String> {
    within(text, 0.0..=MOST, "a number of minutes, at most 1000000")
}

/// A part of a whole.
pub(crate) fn share(text: &str) -> Result<f64, String> {
    within(text, 0.0..=1.0, "a number from 0 to 1")
}

/// How likely something random is.
pub(crate) fn probability(text: &str) -> Result<f32, String> {
    within(text, 0.0..=1.0, "a probability, from 0 to 1").map(|number| number as f32)
}

/// The largest enlargement of a frame.
pub(crate) fn zoom(text: &str) -> Result<f32, String> {
    within(text, 1.0..=MOST_ZOOM, &format!("a number from 1, which crops nothing, to {MOST_ZOOM}"))
        .map(|number| number as f32)
}

/// GiB of memory.
pub(crate) fn memory(text: &str) -> Result<f64, String> {
    within(text, LEAST_MEMORY..=MOST, &format!("a number of GiB from {LEAST_MEMORY} on"))
}

/// Frames per second.
pub(crate) fn fps(text: &str) -> Result<f32, String> {
    let what = format!("a number of frames per second from {} to {}", SPEEDS.start(), SPEEDS.end());
    within(text, SPEEDS, &what).map(|number| number as f32)
}

/// Strength of a label, as [`Request`](crate::pipeline::Request) takes it.
pub(crate) fn guidance(text: &str) -> Result<f32, String> {
    within(text, 0.0..=f64::from(MAX_GUIDANCE), &format!("a number from 0 to {MAX_GUIDANCE}"))
        .map(|number| number as f32)
}

/// Denoising steps, as [`Request`](crate::pipeline::Request) takes them.
pub(crate) fn steps(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(steps) if (1..=MAX_STEPS).contains(&steps) => Ok(steps),
        _ => Err(format!("must be a whole number from 1 to {MAX_STEPS}")),
    }
}

/// A number of this range; `what` says which that is.
fn within(text: &str, range: RangeInclusive<f64>, what: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(format!("must be {what}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_bounds() {
        assert_eq!((weight("0"), positive("1e-4"), minutes("0.5")), (Ok(0.0), Ok(1e-4), Ok(0.5)));
        assert_eq!((zoom("1.5"), guidance("0"), steps("1000")), (Ok(1.5), Ok(0.0), Ok(1000)));
        assert!(probability("1.5").unwrap_err().contains("from 0 to 1") && probability("often").is_err());
        assert!(rate("1e30").is_ok() && rate("0").is_err() && rate("1e39").is_err());
        assert!(positive("0").unwrap_err().contains("positive"));
        assert!(zoom("0.9").is_err() && fps("1e-30").is_err() && memory("0").is_err());
        assert!(steps("0").is_err() && steps("1001").is_err() && guidance("-0.1").is_err());
    }
}
