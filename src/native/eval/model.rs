//! The model under test: a bundle of both stages, the run of an auto-encoder, or a baseline of the
//! paper.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use burn::module::Module;
use burn::tensor::Device;
use serde_json::{Value, from_value};

use super::{
    cost::{Cost, CostOfClips, TrainedNetwork},
    rebuild::{OnDevice, Rebuild},
};
use crate::bundle::{Bundle, MANIFEST, Manifest, Part};
use crate::condition::Contrast;
use crate::diffusion::{Sampler, is_denoiser, official_key};
use crate::native::baseline::imaginator::Imaginator;
use crate::native::baseline::{Baseline, FrameCodec};
use crate::native::checkpoint::TrainedModel;
use crate::native::generate::collect;
use crate::native::model::open_lfae;
use crate::native::train::{autoencoder, baseline, imaginator};
use crate::native::video::Video;
use crate::pipeline::{Animator, Portrait, Request};
use crate::weights::load_module;

/// Denoising steps of a baseline, which has no manifest to say what suits it.
const STEPS: usize = 10;

/// How clips are denoised.
#[derive(Clone)]
pub(super) struct Denoising {
    pub(super) guidance: f32,
    pub(super) contrast: Contrast,
    pub(super) sampler: Sampler,
    /// Numbers of denoising steps; each makes a series of its own.
    pub(super) steps: Vec<usize>,
}

/// A model that makes clips of a person and a label.
pub(super) trait ClipModel {
    /// The clip, and the seconds it took.
    fn generate(&self, portrait: &Portrait, request: &Request) -> Result<(Video, f64)>;

    /// Floating-point operations of one denoising step of a clip, or of the clip where there are no steps.
    fn flops(&self, guidance: f64) -> u64;
}

/// A model, or as much of one as there is.
pub(super) struct ModelUnderTest {
    /// Side of its frames in pixels.
    pub(super) size: usize,
    pub(super) autoencoder: Option<Box<dyn Rebuild>>,
    pub(super) source: Option<ClipSource>,
}

/// The part of a model that generates clips.
pub(super) struct ClipSource {
    pub(super) model: Box<dyn ClipModel>,
    pub(super) labels: Vec<String>,
    pub(super) frames: usize,
    /// What suits a model that denoises; `None` for one that makes a clip in one pass.
    pub(super) denoising: Option<Denoising>,
    network: TrainedNetwork,
    autoencoder: Option<TrainedNetwork>,
}

impl ModelUnderTest {
    /// Opens whatever kind of model the directory holds.
    ///
    /// # Errors
    /// A directory that holds no model, or one whose clips are not square.
    pub(super) fn open(path: &Path, device: &Device) -> Result<Self> {
        if path.join(MANIFEST).exists() {
            return Self::lfdm(path, device);
        }
        let TrainedModel { step, settings, seconds, motion, fps, advice, weights } = TrainedModel::<Value>::open(path)?;
        if let Ok(settings) = from_value::<baseline::Settings>(settings.clone()) {
            return Self::baseline(TrainedModel { step, settings, seconds, motion, fps, advice, weights }, device)
                .with_context(|| format!("cannot use the baseline in {}", path.display()));
        }
        if let Ok(settings) = from_value::<imaginator::Settings>(settings.clone()) {
            return Self::imaginator(TrainedModel { step, settings, seconds, motion, fps, advice, weights }, device)
                .with_context(|| format!("cannot use the baseline in {}", path.display()));
        }
        if let Ok(settings) = from_value::<autoencoder::Settings>(settings) {
            let unusable = || format!("cannot use the auto-encoder in {}", path.display());
            settings.autoencoder.check(settings.size).with_context(unusable)?;
            let model =
                load_module(settings.autoencoder.init(device), &weights, &str::to_owned).with_context(unusable)?;
            let autoencoder = OnDevice { model: model.fold_batch_norm(), device: device.clone() };
            return Ok(Self { size: settings.size, autoencoder: Some(Box::new(autoencoder)), source: None });
        }
        Self::lfdm(path, device)
    }

    /// A bundle, or a run of stage 1.
    fn lfdm(path: &Path, device: &Device) -> Result<Self> {
        let (config, model) = open_lfae(path, device)?;
        let [height, width] = config.image_size;
        ensure!(height == width, "the model is for {width}x{height} pixels, but clips are square");
        let source = open_animator(path, device)?.map(|(manifest, animator)| {
            let seconds = |stage: &str| manifest.training[stage]["seconds"].as_f64();
            let parameters = config.lfae.init(&Device::flex()).num_params();
            ClipSource {
                labels: manifest.labels.clone(),
                frames: config.frames,
                denoising: Some(Denoising {
                    steps: vec![manifest.default_steps],
                    guidance: manifest.default_guidance,
                    contrast: manifest.default_contrast,
                    sampler: manifest.default_sampler(),
                }),
                network: TrainedNetwork {
                    parameters: animator.diffusion().num_params(),
                    training_seconds: seconds("dm"),
                },
                autoencoder: Some(TrainedNetwork { parameters, training_seconds: seconds("lfae") }),
                model: Box::new(animator),
            }
        });
        let autoencoder = OnDevice { model, device: device.clone() };
        Ok(Self { size: height, autoencoder: Some(Box::new(autoencoder)), source })
    }

    /// A run of a baseline.
    fn baseline(trained: TrainedModel<baseline::Settings>, device: &Device) -> Result<Self> {
        let TrainedModel { settings, seconds, weights, .. } = trained;
        let baseline::Settings { config, labels, autoencoder: run, .. } = settings;
        config.check()?;
        let codec = FrameCodec::from_state(config.autoencoder.as_ref(), &weights, device)?;
        let model = load_module(config.init(device), &weights.filter(is_denoiser), &official_key)?;
        let denoiser = TrainedNetwork { parameters: model.num_params(), training_seconds: seconds };
        let encoding = config.autoencoder.as_ref().map(|autoencoder| TrainedNetwork {
            parameters: autoencoder.init(&Device::flex()).num_params(),
            training_seconds: run.and_then(|run| run.seconds).map(|seconds| seconds as f64),
        });
        let size = config.size;
        let baseline = Baseline::new(config, labels, model, codec, device);
        let autoencoder = baseline.autoencoder().map(|autoencoder| -> Box<dyn Rebuild> {
            Box::new(OnDevice { model: autoencoder.clone(), device: device.clone() })
        });
        let source = ClipSource {
            labels: baseline.labels().to_vec(),
            frames: baseline.config().frames,
            denoising: Some(Denoising {
                steps: vec![STEPS],
                guidance: 1.0,
                contrast: Contrast::Null,
                sampler: Sampler::default(),
            }),
            network: denoiser,
            autoencoder: encoding,
            model: Box::new(baseline),
        };
        Ok(Self { size, autoencoder, source: Some(source) })
    }

    /// A run of ImaGINator.
    fn imaginator(trained: TrainedModel<imaginator::Settings>, device: &Device) -> Result<Self> {
        let TrainedModel { settings: imaginator::Settings { config, labels, .. }, seconds, weights, .. } = trained;
        config.check()?;
        let generator = load_module(config.init(device), &weights, &str::to_owned)?;
        let source = ClipSource {
            labels: labels.clone(),
            frames: config.frames,
            denoising: None,
            network: TrainedNetwork { parameters: generator.num_params(), training_seconds: seconds },
            autoencoder: None,
            model: Box::new(Imaginator::new(config.clone(), labels, generator, device)),
        };
        Ok(Self { size: config.size, autoencoder: None, source: Some(source) })
    }
}

impl ClipSource {
    /// What the model costs if it denoises in such a way.
    pub(super) fn cost(&self, denoising: Option<&Denoising>) -> Cost {
        let flops = |guidance: f32| self.model.flops(f64::from(guidance));
        let network = self.network.clone();
        let of_clips = match denoising {
            Some(&Denoising { guidance, .. }) => {
                CostOfClips::Denoising { guidance, flops_per_step: flops(guidance), denoiser: network }
            }
            None => CostOfClips::Pass { flops_per_clip: flops(1.0), generator: network },
        };
        Cost::new(of_clips, self.autoencoder.clone())
    }
}

/// The whole model, if both stages are there.
fn open_animator(path: &Path, device: &Device) -> Result<Option<(Manifest, Animator)>> {
    if !path.join(MANIFEST).exists() {
        return Ok(None);
    }
    let bundle = Bundle::open_parts(path, &[Part::Generation])?;
    if !bundle.weights.iter().any(|(key, _)| is_denoiser(key)) {
        return Ok(None);
    }
    let manifest = bundle.manifest.clone();
    let animator =
        Animator::load(bundle, device).with_context(|| format!("cannot use the model in {}", path.display()))?;
    Ok(Some((manifest, animator)))
}

impl ClipModel for Animator {
    fn generate(&self, portrait: &Portrait, request: &Request) -> Result<(Video, f64)> {
        let (frames, timings) = collect(self.generate(portrait, request)?, |_| {})?;
        let video = Video::from_rgba(portrait.size()[0], frames.iter().map(|frame| frame.rgba.as_slice()));
        Ok((video, timings.total_ms / 1e3))
    }

    fn flops(&self, guidance: f64) -> u64 {
        let config = self.config();
        self.diffusion().flops_per_step(config.diffused_frames(), config.diffused_size(), guidance)
    }
}

/// The clip of a baseline that `generate` makes, and the seconds it took.
fn timed(portrait: &Portrait, generate: impl FnOnce() -> Result<Vec<Vec<u8>>>) -> Result<(Video, f64)> {
    let started = Instant::now();
    let frames = generate()?;
    let seconds = started.elapsed().as_secs_f64();
    Ok((Video::from_rgba(portrait.size()[0], frames.iter().map(Vec::as_slice)), seconds))
}

impl ClipModel for Imaginator {
    fn generate(&self, portrait: &Portrait, request: &Request) -> Result<(Video, f64)> {
        timed(portrait, || self.generate(portrait, &request.strengths, request.seed))
    }

    fn flops(&self, _guidance: f64) -> u64 {
        self.generator().flops()
    }
}

impl ClipModel for Baseline {
    fn generate(&self, portrait: &Portrait, request: &Request) -> Result<(Video, f64)> {
        timed(portrait, || self.generate(portrait, request))
    }

    fn flops(&self, guidance: f64) -> u64 {
        let [_, height, width] = self.config().grid();
        self.diffusion().flops_per_step(self.config().frames, [height, width], guidance)
    }
}
