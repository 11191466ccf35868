//! Sizes of ImaGINator.

use std::ops::RangeInclusive;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use crate::{
    config::{
        bounds::{count, within},
        sizes::SIDES,
    },
    native::baseline::config::FRAMES,
};

/// Length of the noise from which the motion is drawn.
pub(crate) const NOISE: usize = 512;
/// Channels between the two halves of a transposed convolution, per channel that it makes: so many that it has about
/// half as many weights again as one of 4x4x4 would have.
pub(super) const MIDDLE: usize = 12;
/// The same of the first one.
pub(super) const MIDDLE_OF_FIRST: usize = 8;
/// Side of the smallest maps.
pub(crate) const SMALLEST: usize = 4;
/// Frames are doubled so often, as in the paper's network, unless a clip has too few.
const TIME_DOUBLINGS: usize = 4;
/// The channels double so often.
const CHANNEL_DOUBLINGS: usize = 3;
/// Channels at half the side.
const CHANNELS: RangeInclusive<usize> = 1..=512;

/// Sizes of a [`Generator`](super::Generator) and of its adversaries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImaginatorConfig {
    /// Side of a frame in pixels, a power of two.
    pub(crate) size: usize,
    /// Frames per clip.
    pub(crate) frames: usize,
    /// How many labels there are.
    pub(crate) labels: usize,
    /// Channels of the maps at half the side, 64 in the paper; they double with each of the next three halvings.
    pub(crate) channels: usize,
}

impl ImaginatorConfig {
    /// Halvings of the side until maps have 4x4 cells.
    pub(crate) fn levels(&self) -> usize {
        (self.size / SMALLEST).ilog2() as usize
    }

    /// Channels after `level` halvings, from 1 on.
    pub(crate) fn width(&self, level: usize) -> usize {
        self.channels << (level - 1).min(CHANNEL_DOUBLINGS)
    }

    /// How many of the doublings of the side also double the frames: the first ones.
    pub(super) fn time_doublings(&self) -> usize {
        TIME_DOUBLINGS.min(self.levels()).min(self.frames.ilog2() as usize)
    }

    /// Frames before the first doubling. Doubled, they may be more than the clip has.
    pub(super) fn first_frames(&self) -> usize {
        self.frames.div_ceil(1 << self.time_doublings())
    }

    /// Checks that the networks can work on such frames, and how large they are.
    ///
    /// # Errors
    /// Names the number that is too large or too small.
    pub(crate) fn check(&self) -> Result<()> {
        within("--size", self.size, &SIDES)?;
        within("--frames", self.frames, &FRAMES)?;
        within("--channels", self.channels, &CHANNELS)?;
        ensure!(
            self.size.is_power_of_two(),
            "--size is {}, but this network halves frames down to {SMALLEST}x{SMALLEST} cells; choose a power of two, \
             such as 64 or 128",
            self.size
        );
        let deepest = (self.width(self.levels()) * SMALLEST * SMALLEST) as f64;
        count("--channels", "a weight", deepest * (MIDDLE_OF_FIRST * self.width(self.levels())) as f64)?;
        count("labels", "a weight", (NOISE + self.labels) as f64 * deepest)?;
        let cells = (self.size / SMALLEST).pow(2) as f64;
        count("--size", "maps of all frames", cells * (self.frames * MIDDLE * self.channels) as f64)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(size: usize, frames: usize) -> ImaginatorConfig {
        ImaginatorConfig { size, frames, labels: 6, channels: 64 }
    }

    #[test]
    fn levels_follow_the_size_and_frames_are_never_too_few() {
        assert!([64, 128].into_iter().all(|size| config(size, 32).check().is_ok()));
        let widths = |config: ImaginatorConfig| -> Vec<usize> {
            (1..=config.levels()).map(|level| config.width(level)).collect()
        };
        assert_eq!(widths(config(64, 32)), [64, 128, 256, 512]);
        assert_eq!(widths(config(128, 32)), [64, 128, 256, 512, 512]);
        for (frames, first, doublings) in [(2, 1, 1), (3, 2, 1), (16, 1, 4), (32, 2, 4), (40, 3, 4)] {
            let config = config(64, frames);
            assert_eq!((config.first_frames(), config.time_doublings()), (first, doublings), "{frames} frames");
        }
    }

    #[test]
    fn what_would_not_fit_is_refused_and_named() {
        let refused = |config: ImaginatorConfig| config.check().unwrap_err().to_string();
        assert!(refused(config(96, 16)).contains("a power of two"));
        assert!(refused(config(8, 16)).contains("--size"));
        assert!(refused(config(1 << 16, 16)).contains("--size"));
        assert!(refused(config(1024, 512)).contains("--size"));
        assert!(refused(config(64, 1)).contains("--frames"));
        assert!(refused(ImaginatorConfig { channels: 0, ..config(64, 16) }).contains("--channels"));
        assert!(refused(ImaginatorConfig { channels: 512, ..config(64, 16) }).contains("--channels"));
        assert!(refused(ImaginatorConfig { labels: 1 << 40, ..config(64, 16) }).contains("labels"));
    }
}
