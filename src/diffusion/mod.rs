//! Stage 2: the conditional diffusion model over motion (LFDM, Sec. 3.3).
//!
//! | concept | file |
//! |---|---|
//! | [`DiffusionModel`], what is trained and stored: network, forward process, losses | `model` |
//! | [`Unet3d`], the network, and its [`attention`] blocks | [`unet`], [`attention`] |
//! | [`NoiseSchedule`], how much noise each time has | `schedule` |
//! | [`MotionCodec`], from flow and occlusion to what is diffused and back | `codec` |
//! | [`Denoiser`], the model prepared for one video: guidance, thresholding | `denoiser`, `affine`, `threshold` |
//! | [`Sampler`], the algorithms, and [`Trajectory`], a sample on its way from noise to data | `samplers` |
//! | [`DiffusionModel::sample`], all of it at once | `sampling` |

mod affine;
pub mod attention;
mod codec;
pub(crate) mod config;
mod denoiser;
mod flops;
mod model;
mod samplers;
mod sampling;
mod schedule;
mod threshold;
pub mod unet;

pub use codec::{MotionCodec, MotionStatistics};
#[cfg(feature = "native")]
pub(crate) use denoiser::added_by_guidance;
pub use denoiser::{Denoiser, clean_and_noise};
pub use model::{DiffusionModel, is_denoiser};
pub use samplers::{DdimTimes, Denoise, Estimate, Sampler, Trajectory, Update};
pub use sampling::Sampling;
pub use schedule::NoiseSchedule;
pub use threshold::threshold;
pub use unet::{Conditioning, Unet3d, official_key};
