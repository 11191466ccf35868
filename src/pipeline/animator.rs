//! A model on its device.

use std::sync::Arc;

use burn::tensor::Device;

use super::generation::Generation;
use super::model::{LoadError, Model};
use super::request::{Request, RequestError};
use crate::bundle::Bundle;
use crate::config::LfdmConfig;
use crate::diffusion::DiffusionModel;
use crate::portrait::Portrait;
use crate::weights::StateDict;

/// A model on a device, ready for any number of videos.
///
/// ```no_run
/// use burn::tensor::Device;
/// use lfdm::{
///     bundle::Bundle,
///     condition::{Contrast, Strengths},
///     diffusion::Sampler,
///     pipeline::{Animator, Event, Portrait, Request},
/// };
///
/// # async fn animate(bundle: Bundle, rgba: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
/// let animator = Animator::load(bundle, &Device::flex())?;
/// let portrait = Portrait::from_rgba(640, 480, rgba, animator.config().image_size)?;
/// let strengths = Strengths::parse("happiness=0.7,surprise=0.4", animator.labels())?;
/// let (contrast, sampler) = (Contrast::Null, Sampler::default());
/// let request = Request { strengths, seed: 7, steps: 8, guidance: 3.5, contrast, sampler };
/// let mut generation = animator.generate(&portrait, &request)?;
/// while let Some(event) = generation.next().await {
///     if let Event::Frame(frame) = event? {
///         println!("frame {} of {}: {:?} pixels", frame.index + 1, frame.total, frame.size);
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Animator {
    model: Arc<Model>,
}

impl Animator {
    /// Builds the model of a bundle: [`new`](Self::new) without the rest of its manifest.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn load(bundle: Bundle, device: &Device) -> Result<Self, LoadError> {
        let Bundle { manifest, weights } = bundle;
        Self::new(manifest.config, manifest.labels, weights, device)
    }

    /// Builds the model on `device`. `weights` may hold what only training needs; it is left alone.
    ///
    /// # Errors
    /// [`LoadError`] if any weight of encoder, decoder, U-Net, motion statistics or conditions is missing or
    /// has another shape than `config` says.
    pub fn new(
        config: LfdmConfig,
        labels: Vec<String>,
        weights: StateDict,
        device: &Device,
    ) -> Result<Self, LoadError> {
        Ok(Self { model: Arc::new(Model::load(config, labels, weights, device)?) })
    }

    /// Sizes and options of the model.
    pub fn config(&self) -> &LfdmConfig {
        &self.model.config
    }

    /// Conditions that a video can be made for.
    pub fn labels(&self) -> &[String] {
        self.model.conditions.labels()
    }

    /// The network that denoises.
    pub fn diffusion(&self) -> &DiffusionModel {
        &self.model.diffusion
    }

    /// Checks the request and prepares the video; [`Generation::next`] does the work.
    ///
    /// # Errors
    /// [`RequestError`] for a portrait of another size, an unknown label, or strengths, steps or guidance out of range.
    pub fn generate(&self, portrait: &Portrait, request: &Request) -> Result<Generation, RequestError> {
        Generation::new(self.model.clone(), portrait, request)
    }
}
