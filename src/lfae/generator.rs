//! Generator: encodes the reference once, then warps its latent by a flow and paints the frame (LFDM, Sec. 3.2).

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};

use super::blocks::{ConvBlock, DownBlock, ResBlock, UpBlock, conv};
use super::config::LfaeConfig;
use super::painter::Painter;
use crate::kernels::{Convolution, warp_blend};
use crate::motion::{FlowResize, Motion};
use crate::tensor::{channels_first, channels_last};

/// Encoder and warping decoder: the half of stage 1 that generation needs.
#[derive(Module, Debug)]
pub struct Generator {
    first: ConvBlock,
    down_blocks: Vec<DownBlock>,
    up_blocks: Vec<UpBlock>,
    bottleneck: Vec<ResBlock>,
    painter: Option<Painter>,
    #[module(skip)]
    skips: bool,
    #[module(skip)]
    occlusion: bool,
    #[module(skip)]
    resize: FlowResize,
    // `final` is a keyword; the key is restored by `official_key`.
    last: Conv2d,
}

/// The encoder's output at every scale, full resolution first. It depends on the reference alone, so a video needs it
/// once.
#[derive(Debug, Clone)]
pub struct ReferenceFeatures {
    /// `[batch, height / 2^level, width / 2^level, channels]` for each level from 0 on.
    pub(crate) levels: Vec<Tensor<4>>,
}

impl ReferenceFeatures {
    /// `[batch, channels, height / 2^level, width / 2^level]` for each level from 0 on.
    pub fn levels(&self) -> Vec<Tensor<4>> {
        self.levels.iter().cloned().map(channels_first).collect()
    }

    /// The deepest level, which the diffusion model sees: `[batch, channels, height / 2^down, width / 2^down]`.
    pub fn latent(&self) -> Tensor<4> {
        channels_first(self.levels[self.levels.len() - 1].clone())
    }
}

/// A decoded frame.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// `[batch, 3, height, width]` in [0, 1]
    pub prediction: Tensor<4>,
    /// The decoder's own painting before the last blend with the warped source: `[batch, 3, height, width]` in [0, 1].
    pub painted: Tensor<4>,
    /// The occlusion of the last blend: `[batch, 1, height, width]` if the model has a painter, otherwise the motion's.
    pub occlusion: Tensor<4>,
}

impl LfaeConfig {
    /// The networks of generation.
    pub fn init_generator(&self, device: &Device) -> Generator {
        let generator = &self.generator;
        let levels = generator.down_blocks;
        let step = |from: usize, to: usize| [generator.channels_at(from), generator.channels_at(to)];
        Generator {
            first: ConvBlock::new([self.channels, generator.block_expansion], 7, device),
            down_blocks: (0..levels).map(|level| DownBlock::new(step(level, level + 1), device)).collect(),
            up_blocks: (0..levels).rev().map(|level| UpBlock::new(step(level + 1, level), device)).collect(),
            bottleneck: (0..generator.bottleneck_blocks)
                .map(|_| ResBlock::new(generator.channels_at(levels), device))
                .collect(),
            painter: generator.painter.then(|| self.init_painter(device)),
            skips: generator.skips,
            occlusion: self.flow.occlusion,
            resize: self.flow.resize,
            last: conv([generator.block_expansion, self.channels], 7, 3, device),
        }
    }
}

impl Generator {
    /// Features of the reference at every scale.
    ///
    /// # Shapes
    /// - `image`: `[batch, 3, height, width]` in [0, 1]
    pub fn encode(&self, image: Tensor<4>) -> ReferenceFeatures {
        let mut levels = vec![self.first.forward(channels_last(image))];
        for block in &self.down_blocks {
            let next = block.forward(levels[levels.len() - 1].clone());
            levels.push(next);
        }
        ReferenceFeatures { levels }
    }

    /// Decodes the frames that `motion` describes.
    ///
    /// # Shapes
    /// - `image`: `[1 or batch, 3, height, width]` in [0, 1]
    /// - `features`: of that image
    /// - `motion`: of `batch` frames
    pub fn decode(&self, image: Tensor<4>, features: &ReferenceFeatures, motion: &Motion) -> Decoded {
        self.decode_with(image, features, motion, &mut |_, _| {})
    }

    /// [`decode`](Self::decode) that passes intermediate results to `tap`: the inputs of `bottleneck`, `up0`,
    /// `up1`, ... and `final`, and the output of `final`, all `[batch, channels, height, width]`.
    ///
    /// # Shapes
    /// - as for [`decode`](Self::decode)
    pub fn decode_with(
        &self,
        image: Tensor<4>,
        features: &ReferenceFeatures,
        motion: &Motion,
        tap: &mut dyn FnMut(&str, &Tensor<4>),
    ) -> Decoded {
        let mut levels = features.levels.iter().rev();
        let Some(latent) = levels.next() else { unreachable!("an encoder has at least one level") };

        let mut tap = |name: &str, out: &Tensor<4>| tap(name, &channels_first(out.clone()));
        let mut out = self.blend(latent, motion, None);
        if let Some(painter) = &self.painter {
            let [_, height, width, _] = out.dims();
            out = out + painter.show(motion, [height, width]);
        }
        tap("bottleneck_in", &out);
        out = self.bottleneck.iter().fold(out, |out, block| block.forward(out));
        if self.skips {
            let motion = self.sharpened(0, &out, motion);
            out = self.blend(latent, &motion, Some(&out));
        }
        for (index, (block, skip)) in self.up_blocks.iter().zip(levels).enumerate() {
            tap(&format!("up{index}_in"), &out);
            out = block.forward(out);
            if self.skips {
                let motion = self.sharpened(index + 1, &out, motion);
                out = self.blend(skip, &motion, Some(&out));
            }
        }
        tap("final_in", &out);
        let motion = &self.sharpened(self.up_blocks.len() + 1, &out, motion);
        let out = Convolution::of(&self.last).forward(out);
        tap("final_out", &out);
        let painted = sigmoid(out);
        let image = channels_last(image);
        let prediction = if self.skips { self.blend(&image, motion, Some(&painted)) } else { painted.clone() };
        let [prediction, painted] = [prediction, painted].map(channels_first);
        Decoded { prediction, painted, occlusion: motion.occlusion.clone() }
    }

    /// The source warped by the motion; nothing is painted.
    ///
    /// # Shapes
    /// - `image`: `[1 or batch, 3, height, width]` in [0, 1]
    /// - `motion`: of `batch` frames
    /// - returns `[batch, 3, height, width]`
    pub fn deform(&self, image: &Tensor<4>, motion: &Motion) -> Tensor<4> {
        motion.warp(image, self.resize)
    }

    /// The motion for blend `index`; a painter, if there is one, sharpens its occlusion.
    fn sharpened(&self, index: usize, features: &Tensor<4>, motion: &Motion) -> Motion {
        let Motion { flow, occlusion } = motion.clone();
        let occlusion = match &self.painter {
            None => occlusion,
            Some(painter) => painter.sharpen(index, features, &occlusion),
        };
        Motion { flow, occlusion }
    }

    /// `image` warped and, where the occlusion says so, replaced by `painted`; channels are last.
    fn blend(&self, image: &Tensor<4>, motion: &Motion, painted: Option<&Tensor<4>>) -> Tensor<4> {
        if self.occlusion {
            warp_blend(image, motion, painted, self.resize)
        } else {
            channels_last(motion.warp(&channels_first(image.clone()), self.resize))
        }
    }

    /// The same map in inference, with every batch norm that follows a convolution folded into it.
    pub fn fold_batch_norm(self) -> Self {
        Self {
            first: self.first.fold(),
            down_blocks: self.down_blocks.into_iter().map(DownBlock::fold).collect(),
            up_blocks: self.up_blocks.into_iter().map(UpBlock::fold).collect(),
            bottleneck: self.bottleneck.into_iter().map(ResBlock::fold).collect(),
            ..self
        }
    }
}
