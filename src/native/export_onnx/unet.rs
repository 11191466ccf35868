//! One pass of the U-Net as a graph: [`Unet3d`](crate::diffusion::Unet3d) for one video and one
//! condition.
//!
//! Between its ends frames are folded into the batch, `[frames, channels, height, width]`.

use burn::tensor::Device;

use super::graph::{Graph, NORM_EPSILON, Value, Window};
use super::proto::Model;
use crate::{
    config::{LfdmConfig, UnetConfig, Upsampling},
    diffusion::{
        attention::{MAX_DISTANCE, relative_bucket, rotary_frequencies},
        unet::sinusoids,
    },
    weights::StateDict,
};

/// What the file says about itself.
const DOC: &str = "One pass of the denoising U-Net for one video and one condition. `x` is noisy motion, \
                   `reference` comes from the encoder, `time` is a time of the training schedule, from 0, and \
                   `condition` is a row of the table of conditions; `output` is the prediction.";

/// Key of the reference half of the first convolution in the graph of the encoder.
const STEM: &str = "init_conv";

/// The graph of a pass.
///
/// # Shapes
/// - `x` and `output`: `[1, channels, frames, height, width]`
/// - `reference`: `[1, dim, height, width]`, from [`reference`]
/// - `time`: `[1]`, an integer
/// - `condition`: `[1, condition_dim]`
pub(super) fn denoiser(config: &LfdmConfig, weights: &StateDict) -> Model {
    let unet = &config.diffusion.unet;
    let ([height, width], channels) = (config.diffused_size(), unet.diffused.channels());
    let mut graph = Graph::new("denoiser", weights);
    let x = graph.input("x", &[1, channels, config.diffused_frames(), height, width]);
    let reference = graph.input("reference", &[1, unet.dim, height, width]);
    let time = graph.integer_input("time", &[1]);
    let condition = graph.input("condition", &[1, unet.condition_dim]);

    let embedding = embed(&mut graph, unet, config.diffusion.timesteps, &time, &condition);
    let tables = FrameTables::new(&mut graph, unet, config.diffused_frames());
    let mut pass = Pass { graph, config: unet, embedding, tables };
    let output = pass.run(&x, &reference);
    pass.graph.output("output", &output);
    pass.graph.finish(DOC)
}

/// The part of the first convolution that sees the reference latent and is the same in all steps;
/// `weights` are the U-Net's.
///
/// # Shapes
/// - `latent`: `[1, latent_channels, height, width]`
/// - result: `[1, dim, height, width]`
pub(super) fn reference(graph: &mut Graph, unet: &UnetConfig, weights: &StateDict, latent: &Value) -> Value {
    let [_, latent_channels, _, _] = latent.dims();
    let unet_weights = Graph::new("stem", weights);
    let values = unet_weights.values(&format!("{STEM}.weight"));
    let (weight, shape) = half(unet, latent_channels, &values, unet.diffused.channels(), latent_channels);
    let weight = graph.constant("init_conv.weight[reference]", &shape, weight);
    let bias = graph.constant("init_conv.bias", &[unet.dim], unet_weights.values(&format!("{STEM}.bias")));
    graph.conv_with(latent, &weight, Some(&bias), Window::same(unet.init_kernel))
}

/// `length` input channels of the first convolution's weight, from `start` on, and their shape.
fn half(unet: &UnetConfig, latent: usize, values: &[f32], start: usize, length: usize) -> (Vec<f32>, [usize; 4]) {
    let (inputs, kernel) = (unet.diffused.channels() + latent, unet.init_kernel * unet.init_kernel);
    let rows = values.chunks_exact(inputs * kernel);
    let values = rows.flat_map(|row| &row[start * kernel..(start + length) * kernel]).copied().collect();
    (values, [unet.dim, length, unet.init_kernel, unet.init_kernel])
}

/// The activated embedding of time and condition, which scales and shifts every block.
///
/// # Shapes
/// - result: `[1, 4 * dim + condition_dim]`
fn embed(graph: &mut Graph, unet: &UnetConfig, timesteps: usize, time: &Value, condition: &Value) -> Value {
    // Sines of large angles lose digits in single precision, so they are a table.
    let times: Vec<usize> = (0..timesteps).collect();
    let table = graph.tensor("sinusoids", sinusoids(&times, unet.dim, &Device::flex()));
    let sinusoid = graph.gather(&table, time);
    let hidden = graph.linear(&sinusoid, "time_mlp.1");
    let hidden = graph.gelu(&hidden);
    let time = graph.linear(&hidden, "time_mlp.3");
    let embedding = graph.concat(&[&time, condition], 1);
    graph.silu(&embedding)
}

/// What all attentions over frames share.
struct FrameTables {
    /// Rotary embedding with the scale of the attention, `[frames, head_dim, head_dim]`.
    rotation: Value,
    /// Relative position bias, `[1, heads, frames, frames]`.
    bias: Value,
}

impl FrameTables {
    fn new(graph: &mut Graph, unet: &UnetConfig, frames: usize) -> Self {
        let UnetConfig { heads, head_dim, .. } = *unet;
        // Distances are those in the video.
        let stride = unet.diffused.frames();
        let rotation: Vec<f32> = (0..frames).flat_map(|frame| rotation(frame * stride, head_dim)).collect();
        let table = graph.values("time_rel_pos_bias.relative_attention_bias.weight");
        let bias = (0..heads * frames * frames).map(|index| {
            let (head, query, key) = (index / (frames * frames), index / frames % frames, index % frames);
            table[relative_bucket(query * stride, key * stride, MAX_DISTANCE) * heads + head]
        });
        Self {
            rotation: graph.constant("rotation", &[frames, head_dim, head_dim], rotation),
            bias: graph.constant("time_rel_pos_bias", &[1, heads, frames, frames], bias.collect()),
        }
    }
}

/// The matrix that rotates the row vectors of one frame, times `head_dim^(-1/4)`.
fn rotation(frame: usize, head_dim: usize) -> Vec<f32> {
    let scale = (head_dim as f64).powf(-0.25);
    let mut matrix = vec![0.0; head_dim * head_dim];
    for (pair, frequency) in rotary_frequencies(head_dim).enumerate() {
        let (sin, cos) = (frame as f64 * frequency).sin_cos();
        let [first, second] = [2 * pair, 2 * pair + 1];
        matrix[first * head_dim + first] = (cos * scale) as f32;
        matrix[first * head_dim + second] = (sin * scale) as f32;
        matrix[second * head_dim + first] = (-sin * scale) as f32;
        matrix[second * head_dim + second] = (cos * scale) as f32;
    }
    matrix
}

/// A pass in the making.
struct Pass<'a> {
    graph: Graph<'a>,
    config: &'a UnetConfig,
    embedding: Value,
    tables: FrameTables,
}

impl Pass<'_> {
    /// # Shapes
    /// - as for [`denoiser`]
    fn run(&mut self, x: &Value, reference: &Value) -> Value {
        let [_, channels, frames, height, width] = x.dims();
        let levels = self.config.dim_mults.len();

        let x = self.graph.reshape(x, &[channels, frames, height, width]);
        let x = self.graph.transpose(&x, &[1, 0, 2, 3]);
        let stem = self.stem(&x, reference);
        let mut x = self.temporal_attention(&stem, "init_temporal_attn.fn");

        let mut skips = Vec::new();
        for level in 0..levels {
            let stage = format!("downs.{level}");
            x = self.blocks(&x, &stage);
            skips.push(x.clone());
            if level + 1 < levels {
                x = self.graph.conv(&x, &format!("{stage}.4"), Window { stride: 2, padding: 1 });
            }
        }

        x = self.resnet(&x, "mid_block1");
        x = self.spatial_attention(&x, "mid_spatial_attn.fn");
        x = self.temporal_attention(&x, "mid_temporal_attn.fn");
        x = self.resnet(&x, "mid_block2");

        for (level, skip) in skips.iter().rev().enumerate() {
            let stage = format!("ups.{level}");
            x = self.graph.concat(&[&x, skip], 1);
            x = self.blocks(&x, &stage);
            if level + 1 < levels {
                x = self.upsample(&x, &format!("{stage}.4"));
            }
        }

        x = self.graph.concat(&[&x, &stem], 1);
        let mut output = self.head(&x, "final_conv");
        if self.graph.has("occlusion_map.1.weight") {
            let occlusion = self.head(&x, "occlusion_map");
            output = self.graph.concat(&[&output, &occlusion], 1);
        }
        let output = self.graph.transpose(&output, &[1, 0, 2, 3]);
        self.graph.reshape(&output, &[1, channels, frames, height, width])
    }

    /// The first convolution, whose reference half is given.
    fn stem(&mut self, x: &Value, reference: &Value) -> Value {
        let [_, channels, _, _] = x.dims();
        let values = self.graph.values(&format!("{STEM}.weight"));
        let kernel = self.config.init_kernel * self.config.init_kernel;
        let latent = values.len() / (self.config.dim * kernel) - channels;
        let (weight, shape) = half(self.config, latent, &values, 0, channels);
        let weight = self.graph.constant("init_conv.weight[x]", &shape, weight);
        let x = self.graph.conv_with(x, &weight, None, Window::same(self.config.init_kernel));
        self.graph.add(&x, reference)
    }

    /// The two blocks and the two attentions of one resolution.
    fn blocks(&mut self, x: &Value, stage: &str) -> Value {
        let x = self.resnet(x, &format!("{stage}.0"));
        let x = self.resnet(&x, &format!("{stage}.1"));
        let x = self.linear_attention(&x, &format!("{stage}.2.fn"));
        self.temporal_attention(&x, &format!("{stage}.3.fn"))
    }

    fn upsample(&mut self, x: &Value, key: &str) -> Value {
        if self.config.upsampling == Upsampling::Deconvolution {
            return self.graph.conv_transpose(x, key, Window { stride: 2, padding: 1 });
        }
        let x = self.graph.double(x);
        let key = format!("{key}.1");
        if self.config.upsampling == Upsampling::NearestZeros {
            return self.graph.conv(&x, &key, Window::same(3));
        }
        let x = self.graph.reflect(&x);
        self.graph.conv(&x, &key, Window { stride: 1, padding: 0 })
    }

    /// [`OutputHead`](crate::diffusion::unet::OutputHead)
    fn head(&mut self, x: &Value, key: &str) -> Value {
        let x = self.resnet(x, &format!("{key}.0"));
        self.graph.conv(&x, &format!("{key}.1"), Window::same(1))
    }

    /// [`ResnetBlock`](crate::diffusion::unet::ResnetBlock)
    fn resnet(&mut self, x: &Value, key: &str) -> Value {
        let mlp = format!("{key}.mlp.1");
        let film = self.graph.has(&format!("{mlp}.weight")).then(|| self.graph.linear(&self.embedding, &mlp));
        let h = self.conv_norm(x, &format!("{key}.block1"), film.as_ref());
        let h = self.conv_norm(&h, &format!("{key}.block2"), None);
        let projection = format!("{key}.res_conv");
        if !self.graph.has(&format!("{projection}.weight")) {
            return self.graph.add(&h, x);
        }
        let residual = self.graph.conv(x, &projection, Window::same(1));
        self.graph.add(&h, &residual)
    }

    /// Convolution, normalisation over the channels, frames and positions of each group, SiLU. As
    /// in [`ConvNorm`](crate::diffusion::unet::ConvNorm), the normalisation is one scale and one
    /// shift per channel.
    ///
    /// # Shapes
    /// - `x`: `[frames, from, height, width]`
    /// - `film`: `[1, 2 * to]`, scale - 1 and shift
    /// - result: `[frames, to, height, width]`
    fn conv_norm(&mut self, x: &Value, key: &str, film: Option<&Value>) -> Value {
        let graph = &mut self.graph;
        let x = graph.conv(x, &format!("{key}.proj"), Window::same(3));
        let [_, channels, _, _] = x.dims();
        let by_group = [self.config.groups, channels / self.config.groups];

        let squares = graph.mul(&x, &x);
        let [first, second] = [&x, &squares].map(|x| {
            let mean = graph.mean(x, &[0, 2, 3]);
            let mean = graph.reshape(&mean, &by_group);
            graph.mean(&mean, &[1])
        });
        let square = graph.mul(&first, &first);
        let variance = graph.sub(&second, &square);
        let variance = graph.each("Relu", &variance);
        let variance = graph.shift(&variance, NORM_EPSILON);
        let deviation = graph.each("Sqrt", &variance);

        let [gain, bias] = ["weight", "bias"].map(|name| {
            let values = graph.weight(&format!("{key}.norm.{name}"));
            graph.reshape(&values, &by_group)
        });
        let scale = graph.binary("Div", &gain, &deviation);
        let moved = graph.mul(&first, &scale);
        let shift = graph.sub(&bias, &moved);
        let [mut scale, mut shift] = [scale, shift].map(|x| graph.reshape(&x, &[1, channels, 1, 1]));
        if let Some(film) = film {
            let [film_scale, film_shift] = [0, channels].map(|start| {
                let half = graph.narrow(film, 1, start, channels);
                graph.reshape(&half, &[1, channels, 1, 1])
            });
            let film_scale = graph.shift(&film_scale, 1.0);
            scale = graph.mul(&scale, &film_scale);
            shift = graph.mul(&shift, &film_scale);
            shift = graph.add(&shift, &film_shift);
        }
        let x = graph.mul(&x, &scale);
        let x = graph.add(&x, &shift);
        graph.silu(&x)
    }

    /// Positions of each frame as tokens, normalised.
    ///
    /// # Shapes
    /// - `x`: `[frames, channels, height, width]`
    /// - result: `[frames, positions, channels]`
    fn tokens(&mut self, x: &Value, key: &str) -> Value {
        let [frames, channels, height, width] = x.dims();
        let x = self.graph.reshape(x, &[frames, channels, height * width]);
        let x = self.graph.transpose(&x, &[0, 2, 1]);
        self.graph.layer_norm(&x, &format!("{key}.norm.gamma"))
    }

    /// Output projection and residual.
    ///
    /// # Shapes
    /// - `x` and result: `[frames, channels, height, width]`
    /// - `out`: `[frames, hidden, positions]`
    fn project(&mut self, x: &Value, out: &Value, key: &str) -> Value {
        let graph = &mut self.graph;
        let weight = graph.weight(&format!("{key}.to_out.weight"));
        let mut out = graph.matmul(&weight, out);
        if graph.has(&format!("{key}.to_out.bias")) {
            let bias = graph.weight(&format!("{key}.to_out.bias"));
            let bias = graph.reshape(&bias, &[bias.shape()[0], 1]);
            out = graph.add(&out, &bias);
        }
        let out = graph.reshape(&out, x.shape());
        graph.add(x, &out)
    }

    /// [`SpatialLinearAttention`](crate::diffusion::attention::SpatialLinearAttention)
    fn linear_attention(&mut self, x: &Value, key: &str) -> Value {
        let UnetConfig { heads, head_dim, .. } = *self.config;
        let hidden = heads * head_dim;
        let tokens = self.tokens(x, key);
        let [frames, positions, _] = tokens.dims();
        let graph = &mut self.graph;
        let qkv = format!("{key}.fn.to_qkv.weight");

        // q is a softmax over the head's channels, k over the positions: both come out last.
        let weight = graph.rows(&qkv, 0, hidden, true);
        let q = graph.matmul(&tokens, &weight);
        let q = graph.reshape(&q, &[frames, positions, heads, head_dim]);
        let q = graph.softmax(&q);
        let q = graph.transpose(&q, &[0, 2, 3, 1]);
        let by_channel = graph.transpose(&tokens, &[0, 2, 1]);
        let [k, v] = [hidden, 2 * hidden].map(|start| {
            let weight = graph.rows(&qkv, start, hidden, false);
            graph.matmul(&weight, &by_channel)
        });
        let k = graph.softmax(&k);
        let [k, v] = [k, v].map(|x| graph.reshape(&x, &[frames, heads, head_dim, positions]));

        let k = graph.transpose(&k, &[0, 1, 3, 2]);
        let context = graph.matmul(&v, &k);
        let context = graph.scale(&context, (head_dim as f32).powf(-0.5));
        let out = graph.matmul(&context, &q);
        let out = graph.reshape(&out, &[frames, hidden, positions]);
        self.project(x, &out, &format!("{key}.fn"))
    }

    /// [`SpatialAttention`](crate::diffusion::attention::SpatialAttention)
    fn spatial_attention(&mut self, x: &Value, key: &str) -> Value {
        let UnetConfig { heads, head_dim, .. } = *self.config;
        let hidden = heads * head_dim;
        let tokens = self.tokens(x, key);
        let [frames, positions, _] = tokens.dims();
        let graph = &mut self.graph;
        let qkv = format!("{key}.fn.fn.to_qkv.weight");

        let [q, k, v] = [0, 1, 2].map(|index| {
            let weight = graph.rows(&qkv, index * hidden, hidden, true);
            let part = graph.matmul(&tokens, &weight);
            graph.reshape(&part, &[frames, positions, heads, head_dim])
        });
        let [q, v] = [q, v].map(|x| graph.transpose(&x, &[0, 2, 1, 3]));
        let k = graph.transpose(&k, &[0, 2, 3, 1]);
        let q = graph.scale(&q, (head_dim as f32).powf(-0.5));
        let scores = graph.matmul(&q, &k);
        let scores = graph.softmax(&scores);
        let out = graph.matmul(&scores, &v);
        let out = graph.transpose(&out, &[0, 1, 3, 2]);
        let out = graph.reshape(&out, &[frames, hidden, positions]);
        self.project(x, &out, &format!("{key}.fn.fn"))
    }

    /// [`TemporalAttention`](crate::diffusion::attention::TemporalAttention)
    fn temporal_attention(&mut self, x: &Value, key: &str) -> Value {
        let UnetConfig { heads, head_dim, .. } = *self.config;
        let hidden = heads * head_dim;
        let tokens = self.tokens(x, key);
        let [frames, positions, _] = tokens.dims();
        let graph = &mut self.graph;
        let qkv = format!("{key}.fn.fn.to_qkv.weight");

        let [q, k, v] = [0, 1, 2].map(|index| {
            let weight = graph.rows(&qkv, index * hidden, hidden, true);
            graph.matmul(&tokens, &weight)
        });
        let [q, k] = [q, k].map(|x| {
            let x = graph.reshape(&x, &[frames, positions * heads, head_dim]);
            graph.matmul(&x, &self.tables.rotation)
        });
        let [q, k, v] = [q, k, v].map(|x| graph.reshape(&x, &[frames, positions, heads, head_dim]));
        let [q, v] = [q, v].map(|x| graph.transpose(&x, &[1, 2, 0, 3]));
        let k = graph.transpose(&k, &[1, 2, 3, 0]);
        let scores = graph.matmul(&q, &k);
        let scores = graph.add(&scores, &self.tables.bias);
        let scores = graph.softmax(&scores);

        // `[positions, heads, frames, head_dim]`, back to frames of positions
        let out = graph.matmul(&scores, &v);
        let out = graph.transpose(&out, &[2, 1, 3, 0]);
        let out = graph.reshape(&out, &[frames, hidden, positions]);
        self.project(x, &out, &format!("{key}.fn.fn"))
    }
}
