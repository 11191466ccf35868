//! The baselines of the paper: LFDM's U-Net over the pixels of frames (VDM, Ho et al. 2022) and
//! over their latents (LDM, Rombach et al. 2022), given frame 0 and a label as LFDM is. They are
//! measured against LFDM, and live outside the core.
//!
//! `config` has their sizes, `autoencoder` makes the latents, `codec` maps frames to what is
//! diffused, and `model` generates clips. The third, which diffuses nothing, is [`imaginator`].

mod autoencoder;
mod codec;
mod config;
#[cfg(test)]
mod fixtures;
pub(crate) mod imaginator;
mod model;

pub(crate) use autoencoder::{AutoencoderConfig, FrameAutoencoder};
pub(crate) use codec::FrameCodec;
pub(crate) use config::{BaselineConfig, COLOURS};
pub(crate) use model::Baseline;
