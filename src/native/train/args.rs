//! Options that training commands share.

use std::path::PathBuf;

use anyhow::{Result, ensure};

use super::claim::Claim;
use super::log::ensure_begun_at_most;
use super::rate::RateArgs;
use crate::native::checkpoint::{frames_of, newest_step};
use crate::native::data::{DataArgs, Sampling};
use crate::native::device::DeviceArgs;
use crate::native::numbers;
use crate::native::staging::ensure_apart;

/// Options of every stage.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct RunArgs {
    /// Directory of the training clips: sheets, or folders of frames, GIFs or videos. `synthetic`
    /// draws clips and needs no files.
    #[arg(long)]
    pub(crate) data: PathBuf,
    #[command(flatten)]
    pub(crate) reading: DataArgs,
    /// Directory of this run: its checkpoints, losses and previews.
    #[arg(long)]
    pub(crate) out: PathBuf,
    /// Continue the run in `--out` from its last checkpoint.
    #[arg(long)]
    pub(crate) resume: bool,
    /// Steps of the whole run.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) steps: u64,
    /// Clips that a device learns from at a time.
    #[arg(long, default_value_t = 8)]
    pub(crate) batch: usize,
    /// Batches whose gradients make one step: the effect of a batch this many times as large, in
    /// the memory of one.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) accumulate: u16,
    #[command(flatten)]
    pub(crate) rate: RateArgs,
    /// Largest norm of the gradient of each tensor; larger ones are clipped [default: the stage's own]
    #[arg(long, value_name = "NORM", value_parser = numbers::norm)]
    pub(crate) clip: Option<f32>,
    /// Seed of the initial weights and of everything random in training.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Steps between checkpoints.
    #[arg(long, default_value_t = 250, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) save_every: u64,
    /// Minutes after which a checkpoint is saved, however few steps they had.
    #[arg(long, value_name = "MINUTES", default_value_t = 5.0, value_parser = numbers::minutes)]
    pub(crate) save_minutes: f64,
    /// Steps between validations, each of which also draws a preview.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) preview_every: u64,
    /// Largest share of a run's time for the validations between the first and the last; one that would take more is
    /// left out.
    #[arg(long, value_name = "SHARE", default_value_t = 0.1, value_parser = numbers::share)]
    pub(crate) validation_share: f64,
    /// Save a checkpoint and stop after this many minutes; `--resume` continues.
    #[arg(long, value_name = "MINUTES", value_parser = numbers::minutes)]
    pub(crate) max_minutes: Option<f64>,
    /// Devices that share the batches of a step, all of the kind that `--device` names.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) devices: u16,
    #[command(flatten)]
    pub(crate) device: DeviceArgs,
}

/// Clips of a batch, at most: more are for `--accumulate`.
const MOST_CLIPS: usize = 4096;

impl RunArgs {
    /// Claims the run directory, before anything else has taken time.
    ///
    /// # Errors
    /// Options that no run can have, a directory that is in use, or one that holds a run where none is resumed, or the
    /// other way round, or logs that are not of a run which had hardly begun.
    pub(super) fn claim(&self) -> Result<Claim> {
        self.check()?;
        ensure_apart(&self.out, &[&self.data])?;
        let out = self.out.display();
        if let Some(step) = newest_step(&self.out) {
            ensure!(
                self.resume,
                "{out} already holds a run (step {step}); add --resume to continue it, or choose another --out"
            );
        } else {
            ensure!(!self.resume, "there is no checkpoint in {out} to resume from; leave --resume out to begin");
            ensure_begun_at_most(&self.out)?;
        }
        Claim::of(&self.out)
    }

    /// Says of a run that is resumed with another `--frames` just that: clips may be too short for these.
    pub(super) fn ensure_frames(&self, frames: usize) -> Result<()> {
        let then = frames_of(&self.out).filter(|then| self.resume && *then != frames);
        ensure!(
            then.is_none(),
            "{} was begun with other settings: --frames was {} and is now {frames}; use the same again",
            self.out.display(),
            then.unwrap_or_default()
        );
        Ok(())
    }

    /// # Errors
    /// Names the option that no run can have.
    fn check(&self) -> Result<()> {
        ensure!((1..=MOST_CLIPS).contains(&self.batch), "--batch must be from 1 to {MOST_CLIPS}");
        ensure!(
            self.devices <= self.accumulate,
            "{0} devices need at least {0} batches a step; give --accumulate {0} or a multiple of it",
            self.devices
        );
        Ok(())
    }

    /// Clips that a step learns from.
    pub(super) fn clips_of_step(&self) -> usize {
        self.batch * usize::from(self.accumulate)
    }

    /// Batches to be drawn ahead of the devices that learn from them.
    pub(super) fn ahead(&self) -> usize {
        2 * usize::from(self.devices)
    }
}

/// Which views of the clips a diffusion model learns.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct ViewArgs {
    /// Views of each person to learn from: the whole picture, then random enlargements, every other
    /// one mirrored.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) views: u16,
    /// Largest random enlargement of a view.
    #[arg(long, default_value_t = 1.5, value_parser = numbers::zoom)]
    pub(crate) max_zoom: f32,
    /// Which frames of a longer clip to learn from, drawn anew for each view.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) sampling: Sampling,
}
