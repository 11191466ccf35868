//! Training: one loop, and one `Stage` for each network.
//!
//! - The loop: `stage` is what a stage adds to it; `run` is the loop itself, with its `args`,
//!   learning `rate`, gradients of the `parts` of a step, averaged weights (`ema`), `log`, `plots`
//!   and the `account` of its time. A `claim` keeps other processes out, and an `interruption` ends
//!   it with a checkpoint.
//! - Stages that paint: `lfae`, `finetune`, `autoencoder`. They share `decoding`, [`losses`], the
//!   loss of [`perceptual`], the thin-plate transforms of [`tps`], the `adversary` and
//!   `motion_augmentation`.
//! - Stages that denoise: `diffusion`, `consistency`, `baseline`. They share `denoising` and
//!   `motion_set`.
//! - `imaginator`, which learns against `discriminators`, and of the same `video_set` as `baseline`.
//! - `classifier`: the network with which `lfdm eval` judges clips.
//! - Other machines: a `device_list` names devices and workers, a `remote` one is asked for parts, in `parcel`s over a
//!   `connection`, and `worker` is `lfdm worker`, which computes them.
//! - How a stage begins: from a `frozen` auto-encoder, with the weights that it can `inherit`, or
//!   as an [`official`] YAML file describes.
//! - `preview`: pictures for people who watch a training.

mod account;
mod adversary;
mod args;
pub(crate) mod autoencoder;
pub(crate) mod baseline;
mod claim;
pub(crate) mod classifier;
mod connection;
pub(crate) mod consistency;
mod decoding;
mod denoising;
mod device_list;
pub(crate) mod diffusion;
mod discriminators;
mod ema;
pub(crate) mod finetune;
mod frozen;
pub(crate) mod imaginator;
mod inherit;
pub(crate) mod lfae;
mod log;
pub mod losses;
mod motion_augmentation;
mod motion_file;
mod motion_set;
pub mod official;
mod parcel;
mod parts;
pub mod perceptual;
mod plots;
mod preview;
mod rate;
mod remote;
mod run;
mod stage;
pub mod tps;
mod video_set;
pub(crate) mod worker;

pub use rate::multi_step;
