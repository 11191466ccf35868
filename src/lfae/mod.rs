//! Stage 1: the latent flow auto-encoder.
//!
//! A reference image is encoded once. [`LatentFlowAutoencoder::estimate_motion`] estimates the backward flow and the
//! occlusion from it to a driving frame; [`LatentFlowAutoencoder::decode`] warps the reference's features with them and
//! paints the frame. Generation uses only encoder and decoder, the [`Generator`]: there the motion comes from the
//! diffusion model.

mod background;
pub mod blocks;
pub(crate) mod config;
mod flow_predictor;
mod generator;
pub mod hourglass;
mod painter;
mod pixelwise;
mod refinement;
mod region;

use burn::module::Module;
use burn::tensor::{Device, Tensor};

pub use background::BackgroundMotionPredictor;
pub use flow_predictor::{Estimate, FlowPredictor};
pub use generator::{Decoded, Generator, ReferenceFeatures};
#[cfg(feature = "native")]
pub(crate) use painter::MARGIN as OCCLUSION_MARGIN;
pub use pixelwise::{FlowTaps, PixelwiseFlowPredictor, gaussian_heatmaps};
pub use refinement::FlowRefinement;
pub use region::{RegionPredictor, Regions};

use self::config::LfaeConfig;
use crate::motion::Motion;

/// The networks of stage 1. [`official_key`] turns their module paths into the official checkpoints' keys.
///
/// ```no_run
/// use burn::tensor::Device;
/// use lfdm::{config::LfdmConfig, noise::NoiseSource};
///
/// let (config, device, mut noise) = (LfdmConfig::faces_64(7), Device::flex(), NoiseSource::new(1));
/// let model = config.lfae.init(&device);
/// let [source, driving] = [(); 2].map(|()| noise.normal::<4>([1, 3, 64, 64], &device) * 0.1 + 0.5);
/// let motion = model.estimate_motion(source.clone(), driving);
/// let features = model.encode(source.clone());
/// let frame = model.decode(source, &features, &motion).prediction;
/// assert_eq!(frame.dims(), [1, 3, 64, 64]);
/// ```
#[derive(Module, Debug)]
pub struct LatentFlowAutoencoder {
    /// Encoder and decoder.
    pub generator: Generator,
    /// The networks that estimate motion.
    pub flow_predictor: FlowPredictor,
}

impl LfaeConfig {
    /// Stage 1 with random weights.
    pub fn init(&self, device: &Device) -> LatentFlowAutoencoder {
        LatentFlowAutoencoder {
            generator: self.init_generator(device),
            flow_predictor: self.init_flow_predictor(device),
        }
    }
}

impl LatentFlowAutoencoder {
    /// Features of a reference image.
    ///
    /// # Shapes
    /// - `image`: `[batch, 3, height, width]` in [0, 1], sides divisible by `2^down_blocks`
    pub fn encode(&self, image: Tensor<4>) -> ReferenceFeatures {
        self.generator.encode(image)
    }

    /// Decodes the frames that `motion` describes.
    ///
    /// # Shapes
    /// - `image`: `[1 or batch, 3, height, width]` in [0, 1]; `features` of that image
    /// - `motion`: of `batch` frames
    pub fn decode(&self, image: Tensor<4>, features: &ReferenceFeatures, motion: &Motion) -> Decoded {
        self.generator.decode(image, features, motion)
    }

    /// The motion from `source` to `driving`.
    ///
    /// # Shapes
    /// - `source`, `driving`: `[batch, 3, height, width]` in [0, 1]
    pub fn estimate_motion(&self, source: Tensor<4>, driving: Tensor<4>) -> Motion {
        self.estimate(source, driving).motion
    }

    /// [`estimate_motion`](Self::estimate_motion) with its intermediate results.
    ///
    /// # Shapes
    /// - `source`, `driving`: `[batch, 3, height, width]` in [0, 1]
    pub fn estimate(&self, source: Tensor<4>, driving: Tensor<4>) -> Estimate {
        self.flow_predictor.forward(source, driving)
    }

    /// The same maps in inference, with every batch norm that follows a convolution folded into it.
    pub fn fold_batch_norm(self) -> Self {
        Self { generator: self.generator.fold_batch_norm(), flow_predictor: self.flow_predictor.fold() }
    }
}

/// The official checkpoints' key of a module path of [`LatentFlowAutoencoder`].
pub fn official_key(path: &str) -> String {
    let path = path.replace(".block.", ".").replace("bg_predictor.network.", "bg_predictor.");
    if let Some(rest) = path.strip_prefix("flow_predictor.pixelwise.") {
        return format!("generator.pixelwise_flow_predictor.{rest}");
    }
    if let Some(rest) = path.strip_prefix("flow_predictor.") {
        return rest.to_owned();
    }
    if let Some(rest) = path.strip_prefix("generator.last.") {
        return format!("generator.final.{rest}");
    }
    match path.strip_prefix("generator.bottleneck.") {
        Some(rest) => format!("generator.bottleneck.r{rest}"),
        None => path,
    }
}

/// Whether an official key belongs to stage 1.
pub fn is_lfae(key: &str) -> bool {
    key.starts_with("generator.") || is_flow_predictor(key)
}

/// Whether an official key belongs to the decoder, the half of the [`Generator`] that paints.
pub fn is_decoder(key: &str) -> bool {
    ["generator.bottleneck.", "generator.up_blocks.", "generator.final.", PAINTER]
        .iter()
        .any(|prefix| key.starts_with(prefix))
}

/// Prefix of the keys of the decoder's painter.
pub(crate) const PAINTER: &str = "generator.painter.";

/// Prefix of the keys of the fine refinement.
pub(crate) const FINE_REFINEMENT: &str = "fine_refinement.";

/// Whether an official key belongs to the [`FlowPredictor`]; the other keys of stage 1 belong to the [`Generator`].
pub fn is_flow_predictor(key: &str) -> bool {
    ["generator.pixelwise_flow_predictor.", "region_predictor.", "bg_predictor.", "refinement.", FINE_REFINEMENT]
        .iter()
        .any(|prefix| key.starts_with(prefix))
}
