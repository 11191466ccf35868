//! The two halves of the generator as graphs: [`Generator::encode`](crate::lfae::Generator::encode)
//! and [`Generator::decode`](crate::lfae::Generator::decode) for one picture.

use std::collections::BTreeMap;

use burn::tensor::Device;

use super::graph::{Graph, Value, Window};
use super::proto::Model;
use super::unet;
use crate::{
    config::LfdmConfig,
    lfae::OCCLUSION_MARGIN,
    motion::FlowResize,
    tensor::{WAVELETS, pixel_grid},
    weights::StateDict,
};

/// What the file of the encoder says about itself.
const ENCODER_DOC: &str = "The encoder. `image` holds colours in [0, 1]; `features_0` and so on go to the decoder, \
                           `reference` goes to the denoiser. Once per portrait.";
/// What the file of the decoder says about itself.
const DECODER_DOC: &str = "The decoder of one frame. `image` and `features_0` and so on are the encoder's input and \
                           output; `flow` is the place in the image that each cell comes from, xy in [-1, 1] from \
                           edge to edge; `occlusion` is 1 where the image is to be trusted and 0 where the decoder \
                           must paint; `prediction` holds colours in [0, 1].";

/// Name of the encoder's output and the decoder's input of one level.
fn features(level: usize) -> String {
    format!("features_{level}")
}

/// The graph of the encoder; `unet_weights` bring the reference half of the U-Net's first
/// convolution.
///
/// # Shapes
/// - `image`: `[1, 3, height, width]` in [0, 1]
/// - `features_n`: `[1, channels, height / 2^n, width / 2^n]` for each level from 0 on
/// - `reference`: `[1, dim, rows, columns]`
pub(super) fn encoder(config: &LfdmConfig, weights: &StateDict, unet_weights: &StateDict) -> Model {
    let mut graph = Graph::new("encoder", weights);
    let [height, width] = config.image_size;
    let image = graph.input("image", &[1, config.lfae.channels, height, width]);
    let mut x = conv_block(&mut graph, &image, "first", Window::same(7));
    graph.output(&features(0), &x);
    for level in 0..config.lfae.generator.down_blocks {
        x = conv_block(&mut graph, &x, &format!("down_blocks.{level}"), Window::same(3));
        x = graph.halve(&x);
        graph.output(&features(level + 1), &x);
    }
    let reference = unet::reference(&mut graph, &config.diffusion.unet, unet_weights, &x);
    graph.output("reference", &reference);
    graph.finish(ENCODER_DOC)
}

/// The graph of the decoder.
///
/// # Shapes
/// - `image` and `features_n`: the encoder's
/// - `flow`: `[1, rows, columns, 2]`
/// - `occlusion`: `[1, 1, rows, columns]`; not for a model without occlusion
/// - `prediction`: `[1, 3, height, width]` in [0, 1]
pub(super) fn decoder(config: &LfdmConfig, weights: &StateDict) -> Model {
    let (lfae, [height, width], [rows, columns]) = (&config.lfae, config.image_size, config.flow_size());
    let mut graph = Graph::new("decoder", weights);
    let image = graph.input("image", &[1, lfae.channels, height, width]);
    let levels: Vec<Value> = (0..=lfae.generator.down_blocks)
        .map(|level| {
            let channels = lfae.generator.channels_at(level);
            graph.input(&features(level), &[1, channels, height >> level, width >> level])
        })
        .collect();
    let flow = graph.input("flow", &[1, rows, columns, 2]);
    let occlusion = lfae.flow.occlusion.then(|| graph.input("occlusion", &[1, 1, rows, columns]));

    let planes = graph.transpose(&flow, &[0, 3, 1, 2]);
    let rest = plane_grid(&mut graph, [rows, columns]);
    let displacement = graph.sub(&planes, &rest);
    let motion = Motion { planes, displacement, occlusion, grids: BTreeMap::new() };
    let mut decoder = Decoder { graph, config, motion };
    let prediction = decoder.run(&image, &levels);
    decoder.graph.output("prediction", &prediction);
    decoder.graph.finish(DECODER_DOC)
}

/// Convolution, batch norm, ReLU: [`ConvBlock`](crate::lfae::blocks::ConvBlock).
fn conv_block(graph: &mut Graph, x: &Value, key: &str, window: Window) -> Value {
    let x = graph.conv(x, &format!("{key}.conv"), window);
    let x = graph.batch_norm(&x, &format!("{key}.norm"));
    graph.each("Relu", &x)
}

/// [`pixel_grid`] with the channels first.
///
/// # Shapes
/// - result: `[1, 2, size[0], size[1]]`
fn plane_grid(graph: &mut Graph, size: [usize; 2]) -> Value {
    let grid = pixel_grid(size, &Device::flex()).permute([2, 0, 1]).unsqueeze::<4>();
    graph.tensor(&format!("pixel_grid{size:?}"), grid)
}

/// The motion of the frame.
struct Motion {
    /// Flow with the channels first, `[1, 2, rows, columns]`.
    planes: Value,
    /// The same as an offset from rest.
    displacement: Value,
    /// `[1, 1, rows, columns]`
    occlusion: Option<Value>,
    /// Flow in the size of an image, ready for sampling; every size is made once.
    grids: BTreeMap<[usize; 2], Value>,
}

/// A decoder in the making.
struct Decoder<'a> {
    graph: Graph<'a>,
    config: &'a LfdmConfig,
    motion: Motion,
}

impl Decoder<'_> {
    /// # Shapes
    /// - as for [`decoder`]
    fn run(&mut self, image: &Value, levels: &[Value]) -> Value {
        let generator = &self.config.lfae.generator;
        let deepest = generator.down_blocks;
        let latent = &levels[deepest];

        let mut x = self.blend(latent, None, None);
        if generator.painter {
            let shown = self.show(&x);
            x = self.graph.add(&x, &shown);
        }
        for block in 0..generator.bottleneck_blocks {
            x = self.res_block(&x, &format!("bottleneck.r{block}"));
        }
        x = self.skip(latent, x, 0);
        for block in 0..deepest {
            x = self.graph.double(&x);
            x = conv_block(&mut self.graph, &x, &format!("up_blocks.{block}"), Window::same(3));
            x = self.skip(&levels[deepest - block - 1], x, block + 1);
        }
        let painted = self.graph.conv(&x, "final", Window::same(7));
        let painted = self.graph.each("Sigmoid", &painted);
        if !generator.skips {
            return painted;
        }
        let occlusion = self.occlusion(&x, deepest + 1);
        self.blend(image, Some(&painted), occlusion)
    }

    /// What was painted, blended with the warped features of the same level if the model does so.
    fn skip(&mut self, source: &Value, painted: Value, index: usize) -> Value {
        if !self.config.lfae.generator.skips {
            return painted;
        }
        let occlusion = self.occlusion(&painted, index);
        self.blend(source, Some(&painted), occlusion)
    }

    /// [`ResBlock`](crate::lfae::blocks::ResBlock)
    fn res_block(&mut self, x: &Value, key: &str) -> Value {
        let mut out = x.clone();
        for layer in [1, 2] {
            out = self.graph.batch_norm(&out, &format!("{key}.norm{layer}"));
            out = self.graph.each("Relu", &out);
            out = self.graph.conv(&out, &format!("{key}.conv{layer}"), Window::same(3));
        }
        self.graph.add(x, &out)
    }

    /// `warp(source) * occlusion + painted * (1 - occlusion)`; nothing painted is black. `occlusion`
    /// is the motion's unless it is given.
    ///
    /// # Shapes
    /// - `source`, `painted` and result: `[1, channels, height, width]`
    /// - `occlusion`: `[1, 1, height, width]`
    fn blend(&mut self, source: &Value, painted: Option<&Value>, occlusion: Option<Value>) -> Value {
        let [_, _, height, width] = source.dims();
        let size = [height, width];
        let grid = self.grid(size);
        let warped = self.graph.grid_sample(source, &grid);
        let Some(whole) = &self.motion.occlusion else { return warped };
        let occlusion = match occlusion {
            Some(occlusion) => occlusion,
            None => self.graph.resize(whole, size),
        };
        let Some(painted) = painted else { return self.graph.mul(&warped, &occlusion) };
        let difference = self.graph.sub(&warped, painted);
        let difference = self.graph.mul(&difference, &occlusion);
        self.graph.add(&difference, painted)
    }

    /// The flow in the size of an image: [`resize_flow`](crate::motion::resize_flow).
    ///
    /// # Shapes
    /// - result: `[1, size[0], size[1], 2]`
    fn grid(&mut self, size: [usize; 2]) -> Value {
        if let Some(grid) = self.motion.grids.get(&size) {
            return grid.clone();
        }
        let graph = &mut self.graph;
        let planes = match self.config.lfae.flow.resize {
            FlowResize::Places => graph.resize(&self.motion.planes, size),
            FlowResize::Displacements => {
                let displacement = graph.resize(&self.motion.displacement, size);
                let rest = plane_grid(graph, size);
                let places = graph.add(&displacement, &rest);
                let border = [size[1], size[0]].map(|side| 1.0 - 1.0 / side as f32);
                let [low, high] = [("first", -1.0), ("last", 1.0)].map(|(name, sign)| {
                    let values = border.map(|border| sign * border).to_vec();
                    graph.constant(&format!("{name}_pixel{size:?}"), &[1, 2, 1, 1], values)
                });
                graph.clamp(&places, &low, &high)
            }
        };
        let grid = graph.transpose(&planes, &[0, 2, 3, 1]);
        self.motion.grids.insert(size, grid.clone());
        grid
    }

    /// What the painter shows of the motion to the bottleneck `x`.
    ///
    /// # Shapes
    /// - `x` and result: `[1, channels, height, width]`
    fn show(&mut self, x: &Value) -> Value {
        let ([_, _, height, width], [_, _, rows, columns]) = (x.dims(), self.motion.planes.dims());
        let graph = &mut self.graph;
        let cells = [width, height].map(|cells| cells as f32 / 2.0).to_vec();
        let cells = graph.constant("cells", &[1, 2, 1, 1], cells);
        let displacement = graph.mul(&self.motion.displacement, &cells);
        let Some(occlusion) = &self.motion.occlusion else { unreachable!("a painter needs occlusion") };
        let seen = graph.concat(&[&displacement, occlusion], 1);
        let seen = if [rows, columns] == [2 * height, 2 * width] {
            haar(graph, &seen)
        } else {
            graph.resize(&seen, [height, width])
        };
        graph.conv(&seen, "painter.motion", Window::same(3))
    }

    /// The occlusion of blend `index`, if a painter sharpens it after a look at `features`.
    ///
    /// # Shapes
    /// - `features`: `[1, channels, height, width]`
    /// - result: `[1, 1, height, width]`
    fn occlusion(&mut self, features: &Value, index: usize) -> Option<Value> {
        let whole = self.motion.occlusion.as_ref().filter(|_| self.config.lfae.generator.painter)?;
        let [_, _, height, width] = features.dims();
        let graph = &mut self.graph;
        let occlusion = graph.resize(whole, [height, width]);
        let [low, high] = [OCCLUSION_MARGIN, 1.0 - OCCLUSION_MARGIN].map(|bound| graph.scalar(bound));
        let occlusion = graph.clamp(&occlusion, &low, &high);
        let one = graph.scalar(1.0);
        let rest = graph.sub(&one, &occlusion);
        let [occlusion, rest] = [occlusion, rest].map(|share| graph.each("Log", &share));
        let logit = graph.sub(&occlusion, &rest);
        let mask = graph.conv(features, &format!("painter.masks.{index}"), Window::same(3));
        let logit = graph.add(&logit, &mask);
        Some(graph.each("Sigmoid", &logit))
    }
}

/// One level of Haar wavelets, [`haar`](crate::tensor::haar), as a convolution of stride 2.
///
/// # Shapes
/// - `x`: `[1, channels, height, width]`
/// - result: `[1, 4 * channels, height / 2, width / 2]`
fn haar(graph: &mut Graph, x: &Value) -> Value {
    const QUARTERS: [[f32; 4]; WAVELETS] =
        [[0.25, 0.25, 0.25, 0.25], [0.25, -0.25, 0.25, -0.25], [0.25, 0.25, -0.25, -0.25], [0.25, -0.25, -0.25, 0.25]];
    let [_, channels, _, _] = x.dims();
    let mut values = vec![0.0; WAVELETS * channels * channels * 4];
    for (band, quarters) in QUARTERS.iter().enumerate() {
        for channel in 0..channels {
            let start = ((band * channels + channel) * channels + channel) * 4;
            values[start..start + 4].copy_from_slice(quarters);
        }
    }
    let weight = graph.constant("haar", &[WAVELETS * channels, channels, 2, 2], values);
    graph.conv_with(x, &weight, None, Window { stride: 2, padding: 0 })
}
