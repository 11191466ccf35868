//! Latent Flow Diffusion Models: one reference image and a condition become a video.
//!
//! Stage 1 ([`lfae`]) learns to move a picture by a low-dimensional backward flow and to paint what no flow can bring.
//! Stage 2 ([`diffusion`]) learns to draw whole sequences of such flows, given the picture and a condition.
//! [`pipeline`] runs both, from a portrait and a label to the frames of a video.
//!
//! - Ni et al., *Conditional Image-to-Video Generation with Latent Flow Diffusion Models*, CVPR 2023 (LFDM)
//! - Siarohin et al., *Motion Representations for Articulated Animation*, CVPR 2021 (MRAA)
//! - Ho et al., *Video Diffusion Models*, NeurIPS 2022
//!
//! # Features
//!
//! | feature | brings |
//! |---|---|
//! | `gpu` (default) | the WebGPU device and the hand-written WGSL kernels |
//! | none | inference on the CPU, in a quarter of the time to build |
//! | `native` | the `lfdm` program: data, training, evaluation, export |
//! | `cuda` | `native` on NVIDIA GPUs through CUDA |
//! | `tch` | `native` on the CPU or an NVIDIA GPU through an installed libtorch; for making weights only |

pub mod bundle;
mod clock;
pub mod condition;
pub mod config;
pub mod diffusion;
pub mod gif;
pub mod kernels;
mod layers;
pub mod lfae;
pub mod matrix2;
pub mod motion;
#[cfg(feature = "native")]
pub mod native;
pub mod noise;
pub mod photo;
pub mod pipeline;
pub mod portrait;
pub mod tensor;
pub mod viz;
#[cfg(target_family = "wasm")]
#[allow(unreachable_pub, reason = "wasm-bindgen exports what is `pub`, wherever it lies")]
mod web;
pub mod weights;
