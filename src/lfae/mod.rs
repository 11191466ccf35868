//! Stage 1: the latent flow auto-encoder.
//!
//! A reference image is encoded once. [`LatentFlowAutoencoder::estimate_motion`] finds the backward flow and the occlusion from it
//! to a driving frame; [`LatentFlowAutoencoder::decode`] warps the reference's features with them and paints the frame. Generation
//! uses only the encoder and the decoder: there the motion comes from the diffusion model.

mod background;
pub mod blocks;
mod flow;
mod generator;
pub mod hourglass;
mod region;

use burn::module::Module;
use burn::tensor::{Device, Tensor};

pub use background::BackgroundMotionPredictor;
pub use flow::{FlowTaps, Motion, PixelwiseFlowPredictor, gaussian_heatmaps};
pub use generator::{Decoded, Generator, ReferenceFeatures};
pub use region::{RegionPredictor, Regions};

use crate::config::LfaeConfig;

/// The three networks of stage 1. Module paths are the official checkpoints' keys up to [`official_key`].
#[derive(Module, Debug)]
pub struct LatentFlowAutoencoder {
    pub generator: Generator,
    pub region_predictor: RegionPredictor,
    pub bg_predictor: BackgroundMotionPredictor,
}

/// Everything stage 1 says about a pair of frames.
#[derive(Debug, Clone)]
pub struct Estimate {
    pub source: Regions,
    pub driving: Regions,
    /// `[batch, 3, 3]`
    pub background: Tensor<3>,
    pub motion: Motion,
    pub taps: FlowTaps,
}

impl LfaeConfig {
    pub fn init(&self, device: &Device) -> LatentFlowAutoencoder {
        LatentFlowAutoencoder {
            generator: self.init_generator(device),
            region_predictor: self.region.init(self.channels, self.regions, device),
            bg_predictor: self.background.init(self.channels, device),
        }
    }
}

impl LatentFlowAutoencoder {
    /// # Shapes
    /// - `image`: `[batch, 3, height, width]` in [0, 1], sides divisible by `2^down_blocks`
    pub fn encode(&self, image: Tensor<4>) -> ReferenceFeatures {
        self.generator.encode(image)
    }

    /// # Shapes
    /// - `image`: `[1 or batch, 3, height, width]` in [0, 1]; `features` of that image
    /// - `motion`: of `batch` frames
    pub fn decode(&self, image: Tensor<4>, features: &ReferenceFeatures, motion: &Motion) -> Decoded {
        self.generator.decode(image, features, motion)
    }

    /// # Shapes
    /// - `source`, `driving`: `[batch, 3, height, width]` in [0, 1]
    pub fn estimate_motion(&self, source: Tensor<4>, driving: Tensor<4>) -> Motion {
        self.estimate(source, driving).motion
    }

    /// [`estimate_motion`](Self::estimate_motion) with everything it computed on its way.
    ///
    /// # Shapes
    /// - `source`, `driving`: `[batch, 3, height, width]` in [0, 1]
    pub fn estimate(&self, source: Tensor<4>, driving: Tensor<4>) -> Estimate {
        let source_regions = self.region_predictor.forward(source.clone());
        let driving_regions = self.region_predictor.forward(driving.clone());
        let background = self.bg_predictor.forward(source.clone(), driving);
        let (motion, taps) = self.generator.pixelwise_flow_predictor.forward(
            source,
            &source_regions,
            &driving_regions,
            Some(background.clone()),
        );
        Estimate { source: source_regions, driving: driving_regions, background, motion, taps }
    }

    /// The same maps in inference, with every batch norm that follows a convolution folded into it.
    pub fn fold_batch_norm(self) -> Self {
        Self {
            generator: self.generator.fold(),
            region_predictor: self.region_predictor.fold(),
            bg_predictor: self.bg_predictor.fold(),
        }
    }
}

/// The official checkpoints' key of a module path of [`LatentFlowAutoencoder`].
pub fn official_key(path: &str) -> String {
    let path = path.replace(".block.", ".").replace("bg_predictor.network.", "bg_predictor.");
    if let Some(rest) = path.strip_prefix("generator.last.") {
        return format!("generator.final.{rest}");
    }
    match path.strip_prefix("generator.bottleneck.") {
        Some(rest) => format!("generator.bottleneck.r{rest}"),
        None => path,
    }
}
