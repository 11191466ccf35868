//! Operations with hand-written kernels, a room for each.
//!
//! A room holds the operation that the model calls, its twin in plain tensor operations, its kernels (`cpu`, and the
//! launch of its WGSL from `shaders/`) and a test that holds kernels and twin together. The operation takes the kernel
//! of the tensors' device if there is one for inference; everywhere else, and in training, it is the twin.

#![allow(clippy::inline_always, reason = "vectors are enabled by function: what is not inlined does without them")]

pub mod attention;
pub mod combination;
pub mod conv;
mod cpu;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;
pub mod group_norm;
pub mod linear_attention;
pub mod mean_pool;
pub mod photo_blend;
pub mod projection;
pub mod quantile;
pub mod rgba;
pub mod sharpen;
mod trial;
pub mod warp_blend;
pub mod wavelet_motion;

pub use self::attention::Attention;
pub use self::combination::{combine, concatenate, extrapolate};
pub use self::conv::{Convolution, DoublingConvolution};
pub use self::group_norm::{Affine, Gate, group_norm};
pub use self::linear_attention::LinearAttention;
pub use self::mean_pool::mean_pool;
pub use self::photo_blend::PhotoBlend;
pub use self::projection::project;
pub use self::quantile::{confine, quantile};
pub use self::rgba::read_rgba;
pub use self::sharpen::sharpen;
pub use self::trial::{TrialError, trial};
pub use self::warp_blend::warp_blend;
pub use self::wavelet_motion::wavelet_motion;

/// What an operation is where a device has no kernel for it: its twin.
///
/// Both devices of a page have kernels for all that these twins do, and without them the module is two thirds as large:
/// they alone need burn's products of matrices and its convolutions, on the GPU in hundreds of variants.
fn otherwise<T>(twin: impl FnOnce() -> T) -> T {
    if cfg!(target_family = "wasm") { unreachable!("a page's devices have kernels for everything") } else { twin() }
}
