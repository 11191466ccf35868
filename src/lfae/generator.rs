//! Generator: encodes the reference once, then warps its latent by a flow and paints the frame (LFDM, Sec. 3.2).

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};

use super::blocks::{ConvBlock, DownBlock, ResBlock, UpBlock, conv};
use super::flow::{Motion, PixelwiseFlowPredictor};
use crate::config::LfaeConfig;
use crate::tensor::{resize, resize_flow, warp};

/// Encoder, warping decoder and, as in the official checkpoints, the flow predictor.
#[derive(Module, Debug)]
pub struct Generator {
    pub(crate) pixelwise_flow_predictor: PixelwiseFlowPredictor,
    first: ConvBlock,
    down_blocks: Vec<DownBlock>,
    up_blocks: Vec<UpBlock>,
    bottleneck: Vec<ResBlock>,
    #[module(skip)]
    skips: bool,
    #[module(skip)]
    occlusion: bool,
    // `final` is a keyword; the key is restored by `official_key`.
    last: Conv2d,
}

/// The encoder's output at every scale, full resolution first. It depends on the reference alone: one per video.
#[derive(Debug, Clone)]
pub struct ReferenceFeatures {
    pub(crate) levels: Vec<Tensor<4>>,
}

impl ReferenceFeatures {
    /// The deepest level, which the diffusion model sees: `[batch, channels, height / 2^down, width / 2^down]`.
    pub fn latent(&self) -> Tensor<4> {
        self.levels[self.levels.len() - 1].clone()
    }

    fn repeat(&self, batch: usize) -> Self {
        Self { levels: self.levels.iter().map(|level| broadcast(level.clone(), batch)).collect() }
    }
}

/// A decoded frame.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// `[batch, 3, height, width]` in [0, 1]
    pub prediction: Tensor<4>,
    /// The decoder's own painting before the last blend with the warped source: `[batch, 3, height, width]` in [0, 1].
    pub painted: Tensor<4>,
    /// The source, warped only: `[batch, 3, height, width]` in [0, 1].
    pub deformed: Tensor<4>,
}

impl LfaeConfig {
    pub(crate) fn init_generator(&self, device: &Device) -> Generator {
        let generator = &self.generator;
        let levels = generator.down_blocks;
        let step = |from: usize, to: usize| [generator.channels_at(from), generator.channels_at(to)];
        Generator {
            pixelwise_flow_predictor: self.init_flow(device),
            first: ConvBlock::new([self.channels, generator.block_expansion], 7, device),
            down_blocks: (0..levels).map(|level| DownBlock::new(step(level, level + 1), device)).collect(),
            up_blocks: (0..levels).rev().map(|level| UpBlock::new(step(level + 1, level), device)).collect(),
            bottleneck: (0..generator.bottleneck_blocks)
                .map(|_| ResBlock::new(generator.channels_at(levels), device))
                .collect(),
            skips: generator.skips,
            occlusion: self.flow.occlusion,
            last: conv([generator.block_expansion, self.channels], 7, 3, device),
        }
    }
}

impl Generator {
    /// # Shapes
    /// - `image`: `[batch, 3, height, width]` in [0, 1]
    pub fn encode(&self, image: Tensor<4>) -> ReferenceFeatures {
        let mut levels = vec![self.first.forward(image)];
        for block in &self.down_blocks {
            let next = block.forward(levels[levels.len() - 1].clone());
            levels.push(next);
        }
        ReferenceFeatures { levels }
    }

    /// Paints the frames that `motion` describes.
    ///
    /// # Shapes
    /// - `image`: `[1 or batch, 3, height, width]` in [0, 1]
    /// - `features`: of that image
    /// - `motion`: of `batch` frames
    pub fn decode(&self, image: Tensor<4>, features: &ReferenceFeatures, motion: &Motion) -> Decoded {
        let [batch, _, _, _] = motion.flow.dims();
        let features = features.repeat(batch);
        let mut levels = features.levels.into_iter().rev();
        let Some(latent) = levels.next() else { unreachable!("an encoder has at least one level") };

        let warped_latent = warp_to(latent, motion);
        let bottleneck = self.occlude(warped_latent.clone(), motion);
        let mut out = self.bottleneck.iter().fold(bottleneck, |out, block| block.forward(out));

        if !self.skips {
            out = self.up_blocks.iter().fold(out, |out, block| block.forward(out));
        } else {
            out = self.blend(warped_latent, out, motion);
            for (block, skip) in self.up_blocks.iter().zip(levels) {
                out = block.forward(out);
                out = self.blend(warp_to(skip, motion), out, motion);
            }
        }
        let painted = sigmoid(self.last.forward(out));
        let deformed = warp_to(broadcast(image, batch), motion);
        let prediction =
            if self.skips { self.blend(deformed.clone(), painted.clone(), motion) } else { painted.clone() };
        Decoded { prediction, painted, deformed }
    }

    fn occlude(&self, warped: Tensor<4>, motion: &Motion) -> Tensor<4> {
        if self.occlusion { warped.clone() * occlusion_at(&warped, motion) } else { warped }
    }

    /// `warped * occlusion + painted * (1 - occlusion)`.
    fn blend(&self, warped: Tensor<4>, painted: Tensor<4>, motion: &Motion) -> Tensor<4> {
        if !self.occlusion {
            return warped;
        }
        let occlusion = occlusion_at(&warped, motion);
        (warped - painted.clone()) * occlusion + painted
    }

    pub(crate) fn fold(self) -> Self {
        Self {
            pixelwise_flow_predictor: self.pixelwise_flow_predictor.fold(),
            first: self.first.fold(),
            down_blocks: self.down_blocks.into_iter().map(DownBlock::fold).collect(),
            up_blocks: self.up_blocks.into_iter().map(UpBlock::fold).collect(),
            bottleneck: self.bottleneck.into_iter().map(ResBlock::fold).collect(),
            ..self
        }
    }
}

fn size_of(x: &Tensor<4>) -> [usize; 2] {
    let [_, _, height, width] = x.dims();
    [height, width]
}

fn warp_to(x: Tensor<4>, motion: &Motion) -> Tensor<4> {
    let size = size_of(&x);
    warp(x, resize_flow(motion.flow.clone(), size))
}

fn occlusion_at(x: &Tensor<4>, motion: &Motion) -> Tensor<4> {
    resize(motion.occlusion.clone(), size_of(x))
}

fn broadcast(x: Tensor<4>, batch: usize) -> Tensor<4> {
    if x.dims()[0] == batch { x } else { x.repeat_dim(0, batch) }
}
