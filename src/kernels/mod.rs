//! Operations with a hand-written kernel, a room for each.
//!
//! A room holds the operation that the model calls, its twin in plain tensor operations, the launch of its WGSL kernel
//! from `shaders/` and a test that holds kernel and twin together. The operation launches the kernel on inference
//! tensors of a device that takes WGSL; everywhere else, and in training, it is the twin.

#[cfg(feature = "gpu")]
mod launch;
pub mod warp_blend;

pub use self::warp_blend::warp_blend;
