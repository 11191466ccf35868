//! ImaGINator (Wang et al. 2020, "ImaGINator: Conditional Spatio-Temporal GAN for Video Generation"): one pass of a
//! network from frame 0, a label and noise to a clip. `config` has its sizes, `generator` is the network, and `model`
//! generates clips. Its adversaries are needed in training alone, and live there.

mod config;
mod generator;
mod model;

pub(crate) use config::{ImaginatorConfig, NOISE, SMALLEST};
pub(crate) use generator::Generator;
pub(crate) use model::Imaginator;
