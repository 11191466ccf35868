//! What a GPU can prepare before there are weights: its pipelines.

use std::sync::Arc;

use burn::tensor::Device;
use cubecl::dry_run::DryRun;
use thiserror::Error;

use super::animator::Animator;
use super::generation::{Generation, PipelineError};
use super::model::Model;
use super::request::{Request, RequestError};
use crate::bundle::{Manifest, Part};
use crate::condition::{ConditionError, Strengths};
use crate::portrait::Portrait;

/// Weights of a larger model, in bytes, would take longer to make up than its pipelines to compile.
const LARGEST: usize = 64 << 20;
/// A photo this much larger than the frames; the pipelines of one size serve all.
const PHOTO: usize = 2;

/// A model for which nothing could be prepared. Its videos are not worse for that, only the first one is later.
#[derive(Debug, Error)]
pub enum RehearsalError {
    /// It has no labels.
    #[error(transparent)]
    Condition(#[from] ConditionError),
    /// Its own defaults are refused.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The device failed.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
}

impl Animator {
    /// Has a GPU compile the kernels of a model's first video, as large ones take seconds for it. Nothing is computed.
    ///
    /// For as long as this takes nothing else may be computed in the whole program: it would not be.
    ///
    /// # Errors
    /// [`RehearsalError`] if the manifest's defaults are refused, or the device fails.
    pub fn rehearse(manifest: &Manifest, device: &Device) -> Result<(), RehearsalError> {
        let bytes: usize =
            manifest.files.iter().filter(|file| file.part == Part::Generation).map(|file| file.bytes).sum();
        let Some(label) = manifest.labels.last() else { return Ok(()) };
        if bytes > LARGEST {
            return Ok(());
        }
        let request = Request {
            strengths: Strengths::from(label.as_str()),
            seed: 0,
            steps: manifest.default_steps,
            guidance: manifest.default_guidance,
            contrast: manifest.default_contrast,
            sampler: manifest.default_sampler(),
        };
        let model = Arc::new(Model::untrained(&manifest.config, manifest.labels.clone(), device)?);
        let _dry = DryRun::new();
        let portrait = Portrait::grey(manifest.config.image_size);
        Generation::new(model.clone(), &portrait, &request)?.rehearse()?;
        let photo = Portrait::grey(manifest.config.image_size.map(|side| PHOTO * side));
        Ok(Generation::new(model, &portrait, &Request { steps: 1, ..request })?.at_photo_size(&photo).rehearse()?)
    }
}
