//! Options that training commands share.

use std::path::PathBuf;

use anyhow::{Result, bail, ensure};
use burn::tensor::Device;

use super::claim::Claim;
use super::device_list::DeviceList;
use super::log::ensure_begun_at_most;
use super::parts::Place;
use super::rate::RateArgs;
use super::remote::{Address, Remote, Token};
use super::stage::Objective;
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
    /// Devices that share the batches of a step: so many of the kind that `--device` names, or a list, such as
    /// `cpu,ws://a:3000,ws://b:3000`, of devices of that kind and of workers on other machines (`lfdm worker`).
    #[arg(long, value_name = "NUMBER|LIST", default_value_t)]
    pub(crate) devices: DeviceList,
    /// File with the word that the workers in `--devices` were started with.
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
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
        // What is wrong with workers is said now, and not when the clips are read.
        self.call_workers()?;
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
        let devices = self.devices.len();
        ensure!(
            devices <= usize::from(self.accumulate),
            "{devices} devices need at least {devices} batches a step; give --accumulate {devices} or a multiple of it"
        );
        if let Some(other) = self.devices.local_names().find(|name| **name != self.device.name()) {
            bail!("--devices names {other}, but --device is {}: give --device {other} as well", self.device.name());
        }
        Ok(())
    }

    /// The workers, called one by one.
    ///
    /// # Errors
    /// One that is not there, or that does not serve this program.
    fn call_workers(&self) -> Result<Vec<Remote>> {
        let addresses: Vec<&Address> = self.devices.workers().collect();
        let Some(path) = &self.token_file else {
            ensure!(
                addresses.is_empty(),
                "workers want a token: give the file that they were started with as --token-file"
            );
            return Ok(Vec::new());
        };
        ensure!(!addresses.is_empty(), "--token-file is for workers, and --devices names none");
        let token = Token::read(path)?;
        addresses.into_iter().map(|address| Remote::call(address, &token)).collect()
    }

    /// The device of the weights and the optimiser, and the places where the parts of a step are computed, which have
    /// `objective`.
    ///
    /// # Errors
    /// A device or a worker that is not there.
    pub(super) fn open_places<O: Objective>(&self, objective: &O) -> Result<(Device, Vec<Place>)> {
        let local = match self.devices.local_count() {
            0 => Vec::new(),
            count => self.device.open_all(count)?,
        };
        let local: Vec<Device> = local.into_iter().map(Device::autodiff).collect();
        let mut remote = self.call_workers()?;
        for worker in &mut remote {
            worker.learn(objective)?;
            tracing::info!("parts are computed by {}", worker.name());
        }
        let own = match local.first() {
            Some(device) => device.clone(),
            None => self.device.open()?.autodiff(),
        };
        Ok((
            own,
            local.into_iter().map(Place::Here).chain(remote.into_iter().map(Box::new).map(Place::There)).collect(),
        ))
    }

    /// Clips that a step learns from.
    pub(super) fn clips_of_step(&self) -> usize {
        self.batch * usize::from(self.accumulate)
    }

    /// Batches to be drawn ahead of the devices that learn from them.
    pub(super) fn ahead(&self) -> usize {
        2 * self.devices.len()
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
