//! What is measured: a bundle of both stages, the run of an auto-encoder, or a baseline of the paper.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use serde::Serialize;
use serde_json::{Value, from_value};

use super::reconstruction::rebuild;
use crate::bundle::{Bundle, MANIFEST, Manifest, Part};
use crate::diffusion::{Sampler, is_denoiser, official_key};
use crate::lfae::LatentFlowAutoencoder;
use crate::native::baseline::{Baseline, FrameAutoencoder, FrameCodec};
use crate::native::checkpoint::TrainedModel;
use crate::native::generate::collect;
use crate::native::model::open_lfae;
use crate::native::train::{autoencoder, baseline};
use crate::native::video::Video;
use crate::pipeline::{Animator, Portrait, Request};
use crate::weights::load_module;

const DEFINITION: &str = "`flops_per_step`: floating-point operations of one denoising step of one clip at this guidance, two for each \
     multiply-add of the convolutions, the linear layers and the products of attention; guidance other than 0 and 1 evaluates two conditions, and half as many \
     operations are done in steps that it spares (`guidance_interval`). \
     `training_seconds`: time that the run's steps took on its device, without validations and without the runs that it began from; \
     null where the run did not measure it.";

/// Steps of a baseline that are not asked for otherwise, as of exported models.
const STEPS: usize = 10;

/// What repeats real clips.
pub(crate) trait Rebuild {
    fn rebuild(&self, real: &Video) -> Result<Video>;
}

/// What makes clips of a person and a label.
pub(crate) trait ClipModel {
    /// The clip, and the seconds that it took.
    fn generate(&self, portrait: &Portrait, request: &Request) -> Result<(Video, f64)>;

    /// See [`Unet3d::flops_per_step`](crate::diffusion::Unet3d::flops_per_step).
    fn flops_per_step(&self, guidance: f64) -> u64;
}

/// A model, or as much of one as there is.
pub(crate) struct Subject {
    /// Side of its frames in pixels.
    pub size: usize,
    pub autoencoder: Option<Box<dyn Rebuild>>,
    pub source: Option<ClipSource>,
}

/// A model that clips are drawn from.
pub(crate) struct ClipSource {
    pub model: Box<dyn ClipModel>,
    pub labels: Vec<String>,
    pub frames: usize,
    /// What suits the model where nothing else is asked for.
    pub steps: usize,
    pub guidance: f32,
    pub sampler: Sampler,
    denoiser: Trained,
    autoencoder: Option<Trained>,
}

/// What the model costs, beside what it achieves.
#[derive(Serialize)]
pub(crate) struct Cost {
    definition: &'static str,
    guidance: f32,
    flops_per_step: u64,
    denoiser: Trained,
    autoencoder: Option<Trained>,
}

/// A network and its training.
#[derive(Clone, Serialize)]
struct Trained {
    parameters: usize,
    training_seconds: Option<f64>,
}

impl Subject {
    /// # Errors
    /// A directory that holds no model, or one whose clips are not square.
    pub(crate) fn open(path: &Path, device: &Device) -> Result<Self> {
        if path.join(MANIFEST).exists() {
            return Self::lfdm(path, device);
        }
        let TrainedModel { step, settings, seconds, weights } = TrainedModel::<Value>::open(path)?;
        if let Ok(settings) = from_value::<baseline::Settings>(settings.clone()) {
            return Self::baseline(TrainedModel { step, settings, seconds, weights }, device)
                .with_context(|| format!("cannot use the baseline in {}", path.display()));
        }
        if let Ok(settings) = from_value::<autoencoder::Settings>(settings) {
            let model = load_module(settings.autoencoder.init(device), &weights, &str::to_owned)
                .with_context(|| format!("cannot use the auto-encoder in {}", path.display()))?;
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
                steps: manifest.default_steps,
                guidance: manifest.default_guidance,
                sampler: manifest.default_sampler(),
                denoiser: Trained { parameters: animator.diffusion().num_params(), training_seconds: seconds("dm") },
                autoencoder: Some(Trained { parameters, training_seconds: seconds("lfae") }),
                model: Box::new(animator),
            }
        });
        let autoencoder = OnDevice { model, device: device.clone() };
        Ok(Self { size: height, autoencoder: Some(Box::new(autoencoder)), source })
    }

    fn baseline(trained: TrainedModel<baseline::Settings>, device: &Device) -> Result<Self> {
        let TrainedModel { settings, seconds, weights, .. } = trained;
        let baseline::Settings { config, labels, autoencoder: run, .. } = settings;
        let codec = FrameCodec::from_state(config.autoencoder.as_ref(), &weights, device)?;
        let model = load_module(config.init(device), &weights.filter(is_denoiser), &official_key)?;
        let denoiser = Trained { parameters: model.num_params(), training_seconds: seconds };
        let encoding = config.autoencoder.as_ref().map(|autoencoder| Trained {
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
            steps: STEPS,
            guidance: 1.0,
            sampler: Sampler::default(),
            denoiser,
            autoencoder: encoding,
            model: Box::new(baseline),
        };
        Ok(Self { size, autoencoder, source: Some(source) })
    }
}

impl ClipSource {
    pub(crate) fn cost(&self, guidance: f32) -> Cost {
        Cost {
            definition: DEFINITION,
            guidance,
            flops_per_step: self.model.flops_per_step(f64::from(guidance)),
            denoiser: self.denoiser.clone(),
            autoencoder: self.autoencoder.clone(),
        }
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

    fn flops_per_step(&self, guidance: f64) -> u64 {
        let config = self.config();
        self.diffusion().flops_per_step(config.frames, config.diffused_size(), guidance)
    }
}

impl ClipModel for Baseline {
    fn generate(&self, portrait: &Portrait, request: &Request) -> Result<(Video, f64)> {
        let started = Instant::now();
        let frames = self.generate(portrait, request)?;
        let seconds = started.elapsed().as_secs_f64();
        Ok((Video::from_rgba(portrait.size()[0], frames.iter().map(Vec::as_slice)), seconds))
    }

    fn flops_per_step(&self, guidance: f64) -> u64 {
        let [_, height, width] = self.config().grid();
        self.diffusion().flops_per_step(self.config().frames, [height, width], guidance)
    }
}

/// An auto-encoder in its inference form.
struct OnDevice<M> {
    model: M,
    device: Device,
}

impl Rebuild for OnDevice<LatentFlowAutoencoder> {
    fn rebuild(&self, real: &Video) -> Result<Video> {
        rebuild(&self.model, real, &self.device)
    }
}

impl Rebuild for OnDevice<FrameAutoencoder> {
    fn rebuild(&self, real: &Video) -> Result<Video> {
        let (size, frames) = (real.size(), real.len());
        let pixels = TensorData::new(real.pixels().to_vec(), [frames, 3, size, size]);
        let rebuilt = self.model.rebuild(Tensor::from_data(pixels, &self.device));
        Ok(Video::new(size, rebuilt.try_into_data()?.iter::<f32>().collect()))
    }
}

impl std::fmt::Display for Cost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let giga = self.flops_per_step as f64 / 1e9;
        writeln!(f, "cost: {giga:.3} GFLOP per denoising step of a clip, guidance {}", self.guidance)?;
        let networks = [("denoiser", Some(&self.denoiser)), ("auto-encoder", self.autoencoder.as_ref())];
        for (name, trained) in networks.into_iter().filter_map(|(name, trained)| Some((name, trained?))) {
            write!(f, "{name:24} {:.2} M parameters", trained.parameters as f64 / 1e6)?;
            match trained.training_seconds {
                Some(seconds) => writeln!(f, ", trained for {:.1} min", seconds / 60.0)?,
                None => writeln!(f)?,
            }
        }
        Ok(())
    }
}
