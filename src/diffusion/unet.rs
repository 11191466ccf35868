//! The denoising network: a 3D U-Net with convolutions inside frames and attention across them
//! (Video Diffusion Models, Sec. 3), fed with the reference latent, the diffusion time and a
//! condition (LFDM, Sec. 3.3).
//!
//! Between its ends the network keeps frames folded into the batch and channels last,
//! `[batch * frames, height, width, channels]`.

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig};
use burn::nn::{GroupNorm, GroupNormConfig, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::activation::{gelu, silu};
use burn::tensor::ops::PadMode;
use burn::tensor::{Device, Tensor, TensorData};

use super::attention::{
    FrameTables, RelativePositionBias, SpatialAttention, SpatialLinearAttention, TemporalAttention,
};
use super::config::{Diffused, UnetConfig, Upsampling};
use crate::kernels::{Convolution, DoublingConvolution, concatenate, group_norm, project};
use crate::layers::{Build, normal};
use crate::tensor::{channels_first, channels_last, upsample_nearest};

/// The U-Net. [`official_key`] turns its module paths into the official checkpoints' keys.
#[derive(Module, Debug)]
pub struct Unet3d {
    /// Bias of every attention over frames.
    pub time_rel_pos_bias: RelativePositionBias,
    /// First convolution, over what is diffused and the reference latent, in this order.
    pub init_conv: Conv2d,
    /// Attention over frames before the first stage.
    pub init_temporal_attn: TemporalAttention,
    /// Embedding of the diffusion time.
    pub time_mlp: TimeEmbedding,
    /// The way down, the finest grid first.
    pub downs: Vec<DownStage>,
    /// First block of the coarsest grid.
    pub mid_block1: ResnetBlock,
    /// Attention over the positions of the coarsest grid.
    pub mid_spatial_attn: SpatialAttention,
    /// Attention over frames on the coarsest grid.
    pub mid_temporal_attn: TemporalAttention,
    /// Second block of the coarsest grid.
    pub mid_block2: ResnetBlock,
    /// The way up, the coarsest grid first.
    pub ups: Vec<UpStage>,
    /// The head of the flow, or of all channels if it is not motion that is diffused.
    pub final_conv: OutputHead,
    /// The head of the occlusion, if it is motion that is diffused.
    pub occlusion_map: Option<OutputHead>,
    /// Learned null condition, `[1, condition_dim]` [default: zeros].
    pub null_cond_emb: Option<Param<Tensor<2>>>,
    /// Channels of what is diffused.
    pub channels: usize,
    /// Length of a condition.
    pub condition_dim: usize,
    /// Channels of each attention head.
    pub head_dim: usize,
    /// Frames of the video from one frame that is denoised to the next.
    pub stride: usize,
}

impl UnetConfig {
    /// Allocates the network; `latent_channels` is the number of channels of the reference latent.
    pub fn init(&self, latent_channels: usize, device: &Device) -> Unet3d {
        let dim = self.dim;
        let levels = self.dim_mults.len();
        let coarsest = self.channels_at(levels);
        let channels = self.diffused.channels();
        // The last ones; those of the flow come first.
        let of_occlusion = match self.diffused {
            Diffused::Channels(_) => 0,
            _ => channels / 3,
        };
        let pad = self.init_kernel / 2;
        Unet3d {
            time_rel_pos_bias: RelativePositionBias::new(self.heads, device),
            init_conv: Conv2dConfig::new([channels + latent_channels, dim], [self.init_kernel; 2])
                .with_padding(PaddingConfig2d::Explicit(pad, pad, pad, pad))
                .build(device),
            init_temporal_attn: self.frame_attention(dim, device),
            time_mlp: TimeEmbedding {
                hidden: LinearConfig::new(dim, 4 * dim).build(device),
                out: LinearConfig::new(4 * dim, 4 * dim).build(device),
            },
            downs: (0..levels).map(|level| self.down_stage(level, device)).collect(),
            mid_block1: self.block(coarsest, coarsest, device),
            mid_spatial_attn: SpatialAttention::new(coarsest, self.heads, self.head_dim, device),
            mid_temporal_attn: self.frame_attention(coarsest, device),
            mid_block2: self.block(coarsest, coarsest, device),
            ups: (0..levels).rev().map(|level| self.up_stage(level, device)).collect(),
            final_conv: self.head(channels - of_occlusion, device),
            occlusion_map: (of_occlusion > 0).then(|| self.head(of_occlusion, device)),
            null_cond_emb: self.learned_null_condition.then(|| normal([1, self.condition_dim], device)),
            channels,
            condition_dim: self.condition_dim,
            head_dim: self.head_dim,
            stride: self.diffused.frames(),
        }
    }

    fn down_stage(&self, level: usize, device: &Device) -> DownStage {
        let (from, to) = (self.channels_at(level), self.channels_at(level + 1));
        DownStage {
            resnet1: self.block(from, to, device),
            resnet2: self.block(to, to, device),
            linear_attn: SpatialLinearAttention::new(to, self.heads, self.head_dim, device),
            frame_attn: self.frame_attention(to, device),
            resample: (level + 1 < self.dim_mults.len()).then(|| downsample(to, device)),
        }
    }

    fn up_stage(&self, level: usize, device: &Device) -> UpStage {
        let (from, to) = (self.channels_at(level + 1), self.channels_at(level));
        UpStage {
            // The skip of the way down is as wide as what comes up.
            resnet1: self.block(2 * from, to, device),
            resnet2: self.block(to, to, device),
            linear_attn: SpatialLinearAttention::new(to, self.heads, self.head_dim, device),
            frame_attn: self.frame_attention(to, device),
            resample: (level > 0).then(|| Upsample::new(to, self.upsampling, device)),
        }
    }

    /// Channels after `level` stages of the way down.
    fn channels_at(&self, level: usize) -> usize {
        if level == 0 { self.dim } else { self.dim * self.dim_mults[level - 1] }
    }

    fn block(&self, from: usize, to: usize, device: &Device) -> ResnetBlock {
        ResnetBlock::new(from, to, self.groups, Some(4 * self.dim + self.condition_dim), device)
    }

    fn frame_attention(&self, channels: usize, device: &Device) -> TemporalAttention {
        TemporalAttention::new(channels, self.heads, self.head_dim, device)
    }

    fn head(&self, channels: usize, device: &Device) -> OutputHead {
        OutputHead {
            resnet: ResnetBlock::new(2 * self.dim, self.dim, self.groups, None, device),
            conv: Conv2dConfig::new([self.dim, channels], [1, 1]).build(device),
        }
    }
}

impl Unet3d {
    /// The network's output for noisy `x`.
    ///
    /// `conditioning` may hold a multiple of `x`'s batch: its rows are then `[variant, batch]`, and
    /// everything that does not depend on it is computed once. Guidance asks for the conditional
    /// and the unconditional output this way.
    ///
    /// # Shapes
    /// - `x`: `[batch, channels, frames, height, width]`, of motion flow x, flow y and occlusion,
    ///   with sides divisible by `2^(levels - 1)`
    /// - `reference`: `[batch, height, width, dim]`, from [`reference`](Self::reference), or one
    ///   per frame, `batch * frames` of them
    /// - `conditioning`: `variants * batch` rows
    /// - result: `[variants * batch, channels, frames, height, width]`
    pub fn forward(
        &self,
        x: Tensor<5>,
        reference: &Tensor<4>,
        conditioning: &Conditioning,
        tables: &FrameTables,
    ) -> Tensor<5> {
        self.forward_with(x, reference, conditioning, tables, &mut |_, _| {})
    }

    /// [`forward`](Self::forward) that shows each module's output,
    /// `[batch * frames, height, width, channels]`, under its official name.
    pub fn forward_with(
        &self,
        x: Tensor<5>,
        reference: &Tensor<4>,
        conditioning: &Conditioning,
        tables: &FrameTables,
        tap: &mut dyn FnMut(&str, &Tensor<4>),
    ) -> Tensor<5> {
        let [batch, channels, frames, height, width] = x.dims();
        let variants = conditioning.rows() / batch;

        let x = x.permute([0, 2, 3, 4, 1]).reshape([batch * frames, height, width, channels]);
        let stem = self.embed(x, reference);
        tap("init_conv", &stem);
        let x = self.init_temporal_attn.forward(stem.clone(), tables);
        tap("init_temporal_attn", &x);

        let out = if variants > 1 && x.device() == Device::flex() {
            // On the CPU the activations of one variant fill the cache; on a GPU one of them does
            // not fill the device.
            let outputs = (0..variants).map(|variant| {
                let conditioning = conditioning.narrow(variant * batch, batch);
                self.conditioned(x.clone(), stem.clone(), &conditioning, tables, tap)
            });
            Tensor::cat(outputs.collect(), 0)
        } else {
            let repeat = |x: Tensor<4>| if variants > 1 { x.repeat_dim(0, variants) } else { x };
            self.conditioned(repeat(x), repeat(stem), conditioning, tables, tap)
        };
        out.reshape([variants * batch, frames, height, width, channels]).permute([0, 4, 1, 2, 3])
    }

    /// Everything that depends on time and condition.
    ///
    /// # Shapes
    /// - `x`: `[rows * frames, height, width, dim]`, after the first temporal attention
    /// - `stem`: the same before it; concatenated at the end
    /// - result: `[rows * frames, height, width, channels]`
    fn conditioned(
        &self,
        mut x: Tensor<4>,
        stem: Tensor<4>,
        conditioning: &Conditioning,
        tables: &FrameTables,
        tap: &mut dyn FnMut(&str, &Tensor<4>),
    ) -> Tensor<4> {
        let rows = conditioning.rows();
        let mut films = conditioning.films.iter();
        let mut skips = Vec::with_capacity(self.downs.len());
        for (level, stage) in self.downs.iter().enumerate() {
            let mut tap = |index: usize, x: &Tensor<4>| tap(&format!("downs.{level}.{index}"), x);
            x = stage.resnet1.forward(x, rows, films.next());
            tap(0, &x);
            x = stage.resnet2.forward(x, rows, films.next());
            tap(1, &x);
            x = stage.linear_attn.forward(x);
            tap(2, &x);
            x = stage.frame_attn.forward(x, tables);
            tap(3, &x);
            skips.push(x.clone());
            if let Some(downsample) = &stage.resample {
                x = Convolution::of(downsample).forward(x);
                tap(4, &x);
            }
        }

        x = self.mid_block1.forward(x, rows, films.next());
        tap("mid_block1", &x);
        x = self.mid_spatial_attn.forward(x);
        tap("mid_spatial_attn", &x);
        x = self.mid_temporal_attn.forward(x, tables);
        tap("mid_temporal_attn", &x);
        x = self.mid_block2.forward(x, rows, films.next());
        tap("mid_block2", &x);

        for (level, (stage, skip)) in self.ups.iter().zip(skips.into_iter().rev()).enumerate() {
            let mut tap = |index: usize, x: &Tensor<4>| tap(&format!("ups.{level}.{index}"), x);
            x = stage.resnet1.forward(concatenate(x, skip), rows, films.next());
            tap(0, &x);
            x = stage.resnet2.forward(x, rows, films.next());
            tap(1, &x);
            x = stage.linear_attn.forward(x);
            tap(2, &x);
            x = stage.frame_attn.forward(x, tables);
            tap(3, &x);
            if let Some(upsample) = &stage.resample {
                x = upsample.forward(x);
                tap(4, &x);
            }
        }

        let x = concatenate(x, stem);
        match &self.occlusion_map {
            None => self.final_conv.forward(x, rows),
            Some(head) => concatenate(self.final_conv.forward(x.clone(), rows), head.forward(x, rows)),
        }
    }

    /// The reference latent's part of the first convolution. The convolution is linear, so this
    /// part, the same for every frame and every step, is computed once.
    ///
    /// # Shapes
    /// - `latent`: `[batch, latent_channels, height, width]`
    /// - result: `[batch, height, width, dim]`
    pub fn reference(&self, latent: Tensor<4>) -> Tensor<4> {
        let weight = self.init_conv.weight.val();
        let latent_channels = weight.dims()[1] - self.channels;
        let bias = self.init_conv.bias.as_ref().map(Param::val);
        Convolution::new(weight.narrow(1, self.channels, latent_channels), bias).forward(channels_last(latent))
    }

    /// The scales and shifts of every block for `n` pairs of time and condition.
    ///
    /// # Shapes
    /// - `times`: `n` diffusion times
    /// - `condition`: `[n, condition_dim]`
    pub fn conditioning(&self, times: &[usize], condition: Tensor<2>) -> Conditioning {
        let time = self.time_mlp.forward(times, &condition.device());
        let embedding = silu(Tensor::cat(vec![time, condition], 1));
        let stages = self.downs.iter().map(|stage| (&stage.resnet1, &stage.resnet2));
        let middle = std::iter::once((&self.mid_block1, &self.mid_block2));
        let films = stages
            .chain(middle)
            .chain(self.ups.iter().map(|stage| (&stage.resnet1, &stage.resnet2)))
            .flat_map(|(first, second)| [first, second])
            .filter_map(|block| block.mlp.as_ref().map(|mlp| linear(mlp, embedding.clone())));
        Conditioning { films: films.collect() }
    }

    /// The rotary embedding and the relative position bias for `frames` frames that are denoised.
    ///
    /// Distances are those in the video, so that what attention has learned of them holds for pairs
    /// of frames too.
    pub fn frame_tables(&self, frames: usize) -> FrameTables {
        let in_video = frames * self.stride;
        let bias = self.time_rel_pos_bias.forward(in_video);
        let device = bias.device();
        FrameTables::new(in_video, self.head_dim, Some(bias), &device).every(self.stride)
    }

    /// The condition that stands for no condition.
    ///
    /// # Shapes
    /// - result: `[1, condition_dim]`
    pub fn null_condition(&self) -> Tensor<2> {
        match &self.null_cond_emb {
            Some(learned) => learned.val(),
            None => Tensor::zeros([1, self.condition_dim], &self.init_conv.weight.val().device()),
        }
    }

    /// `init_conv` over what is diffused and the reference.
    ///
    /// # Shapes
    /// - `x`: `[batch * frames, height, width, channels]`
    /// - `reference`: `[batch, height, width, dim]`
    /// - result: `[batch * frames, height, width, dim]`
    fn embed(&self, x: Tensor<4>, reference: &Tensor<4>) -> Tensor<4> {
        let weight = self.init_conv.weight.val().narrow(1, 0, self.channels);
        Convolution::new(weight, None).plus(reference.clone()).forward(x)
    }
}

/// What time and condition do to the network: a scale and a shift per channel of every conditioned
/// block.
#[derive(Debug, Clone)]
pub struct Conditioning {
    /// One `[rows, 2 * channels]` per block, in the order of the pass.
    films: Vec<Tensor<2>>,
}

impl Conditioning {
    /// The number of pairs of time and condition.
    pub(crate) fn rows(&self) -> usize {
        self.films.first().map_or(0, |film| film.dims()[0])
    }

    /// Rows `start..start + length`.
    pub(crate) fn narrow(&self, start: usize, length: usize) -> Self {
        Self { films: self.films.iter().map(|film| film.clone().narrow(0, start, length)).collect() }
    }
}

/// Sines, then cosines, of each time at `dim / 2` frequencies from 1 down to 1/10000.
///
/// # Shapes
/// - result: `[times, dim]`
pub fn sinusoids(times: &[usize], dim: usize, device: &Device) -> Tensor<2> {
    let half = dim / 2;
    let mut table = Vec::with_capacity(times.len() * dim);
    for &time in times {
        let angle = |index: usize| time as f64 * (-(10_000f64.ln()) * index as f64 / (half - 1) as f64).exp();
        table.extend((0..half).map(|index| angle(index).sin()));
        table.extend((0..half).map(|index| angle(index).cos()));
    }
    Tensor::from_data(TensorData::new(table, [times.len(), dim]), device)
}

/// Sinusoidal embedding of the diffusion time and its two-layer network.
#[derive(Module, Debug)]
pub struct TimeEmbedding {
    /// Weight `[dim, 4 * dim]`.
    pub hidden: Linear,
    /// Weight `[4 * dim, 4 * dim]`.
    pub out: Linear,
}

impl TimeEmbedding {
    /// Embeds diffusion times.
    ///
    /// # Shapes
    /// - result: `[times, 4 * dim]`
    pub fn forward(&self, times: &[usize], device: &Device) -> Tensor<2> {
        let sinusoid = sinusoids(times, self.hidden.weight.lazy_shape()[0], device);
        linear(&self.out, gelu(linear(&self.hidden, sinusoid)))
    }
}

/// A linear layer of rows.
fn linear(layer: &Linear, x: Tensor<2>) -> Tensor<2> {
    project(x, &layer.weight.val(), layer.bias.as_ref().map(Param::val))
}

/// One resolution on the way down.
#[derive(Module, Debug)]
pub struct DownStage {
    /// First block, to this level's width.
    pub resnet1: ResnetBlock,
    /// Second block.
    pub resnet2: ResnetBlock,
    /// Attention over positions.
    pub linear_attn: SpatialLinearAttention,
    /// Attention over frames.
    pub frame_attn: TemporalAttention,
    /// 4x4 convolution of stride 2; the coarsest level has none.
    pub resample: Option<Conv2d>,
}

/// One resolution on the way up; its input is concatenated with the skip of the way down.
#[derive(Module, Debug)]
pub struct UpStage {
    /// First block, to the width of the next finer level.
    pub resnet1: ResnetBlock,
    /// Second block.
    pub resnet2: ResnetBlock,
    /// Attention over positions.
    pub linear_attn: SpatialLinearAttention,
    /// Attention over frames.
    pub frame_attn: TemporalAttention,
    /// Doubles the grid; the finest level has none.
    pub resample: Option<Upsample>,
}

/// Doubles the grid.
#[derive(Module, Debug)]
pub enum Upsample {
    /// Transposed 4x4 convolution of stride 2.
    Deconvolution(ConvTranspose2d),
    /// Nearest neighbour, then a convolution.
    Nearest(NearestUpsample),
}

/// Nearest neighbour, then a 3x3 convolution.
#[derive(Module, Debug)]
pub struct NearestUpsample {
    /// Weight `[channels, channels, 3, 3]`.
    pub conv: Conv2d,
    /// Whether the convolution's padding reflects [default: zeros].
    pub reflect: bool,
}

impl Upsample {
    fn new(channels: usize, kind: Upsampling, device: &Device) -> Self {
        let nearest = |reflect: bool| {
            let pad = usize::from(!reflect);
            let conv = Conv2dConfig::new([channels, channels], [3, 3])
                .with_padding(PaddingConfig2d::Explicit(pad, pad, pad, pad))
                .build(device);
            Self::Nearest(NearestUpsample { conv, reflect })
        };
        match kind {
            Upsampling::Deconvolution => Self::Deconvolution(
                ConvTranspose2dConfig::new([channels, channels], [4, 4])
                    .with_stride([2, 2])
                    .with_padding([1, 1])
                    .build(device),
            ),
            Upsampling::NearestZeros => nearest(false),
            Upsampling::NearestReflect => nearest(true),
        }
    }

    /// Doubles height and width.
    ///
    /// # Shapes
    /// - `x`: `[n, height, width, channels]`
    /// - result: `[n, 2 * height, 2 * width, channels]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Deconvolution(conv) => DoublingConvolution::transposed(conv).forward(x),
            Self::Nearest(NearestUpsample { conv, reflect: false }) => DoublingConvolution::nearest(conv).forward(x),
            Self::Nearest(NearestUpsample { conv, reflect: true }) => {
                let x = upsample_nearest(channels_first(x)).pad((1, 1, 1, 1), PadMode::Reflect);
                Convolution::of(conv).forward(channels_last(x))
            }
        }
    }
}

/// Two convolutions around a residual; time and condition scale and shift the first.
#[derive(Module, Debug)]
pub struct ResnetBlock {
    /// Weight `[4 * dim + condition_dim, 2 * channels]`; the output heads have none.
    pub mlp: Option<Linear>,
    /// First convolution, which time and condition scale and shift.
    pub block1: ConvNorm,
    /// Second convolution.
    pub block2: ConvNorm,
    /// 1x1 convolution of the residual, where the number of channels changes.
    pub res_conv: Option<Conv2d>,
}

impl ResnetBlock {
    fn new(from: usize, to: usize, groups: usize, embedding: Option<usize>, device: &Device) -> Self {
        Self {
            mlp: embedding.map(|embedding| LinearConfig::new(embedding, 2 * to).build(device)),
            block1: ConvNorm::new(from, to, groups, device),
            block2: ConvNorm::new(to, to, groups, device),
            res_conv: (from != to).then(|| Conv2dConfig::new([from, to], [1, 1]).build(device)),
        }
    }

    /// Both convolutions, and the residual.
    ///
    /// # Shapes
    /// - `x`: `[batch * frames, height, width, from]`
    /// - `film`: `[batch, 2 * to]`, scale - 1 and shift
    /// - result: `[batch * frames, height, width, to]`
    pub fn forward(&self, x: Tensor<4>, batch: usize, film: Option<&Tensor<2>>) -> Tensor<4> {
        let h = Convolution::of(&self.block1.proj).forward(x.clone());
        let first = group_norm(&self.block1.norm, &h, batch, film);
        let h = Convolution::of(&self.block2.proj).after(first).forward(h);
        let second = group_norm(&self.block2.norm, &h, batch, None);
        match &self.res_conv {
            Some(conv) => Convolution::of(conv).plus_gated(second, h).forward(x),
            None => second.apply(h, Some(x)),
        }
    }
}

/// 3x3 convolution, group normalisation, SiLU.
#[derive(Module, Debug)]
pub struct ConvNorm {
    /// Weight `[to, from, 3, 3]`.
    pub proj: Conv2d,
    /// Over channels, frames and positions of each group.
    pub norm: GroupNorm,
}

impl ConvNorm {
    fn new(from: usize, to: usize, groups: usize, device: &Device) -> Self {
        Self {
            proj: Conv2dConfig::new([from, to], [3, 3])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .build(device),
            norm: GroupNormConfig::new(groups, to).build(device),
        }
    }
}

/// A last residual block and the projection to the output channels.
#[derive(Module, Debug)]
pub struct OutputHead {
    /// From the last stage and the stem to `dim` channels.
    pub resnet: ResnetBlock,
    /// Weight `[channels, dim, 1, 1]`.
    pub conv: Conv2d,
}

impl OutputHead {
    /// Block and projection.
    ///
    /// # Shapes
    /// - `x`: `[batch * frames, height, width, 2 * dim]`
    /// - result: `[batch * frames, height, width, channels]`
    pub fn forward(&self, x: Tensor<4>, batch: usize) -> Tensor<4> {
        Convolution::of(&self.conv).forward(self.resnet.forward(x, batch, None))
    }
}

/// The official checkpoint key of a module path of [`Unet3d`], or of the
/// [`DiffusionModel`](super::DiffusionModel) around it.
pub fn official_key(path: &str) -> String {
    const NAMES: [(&str, &str); 14] = [
        (".linear_attn.norm.", ".2.fn.norm."),
        (".linear_attn.", ".2.fn.fn."),
        (".frame_attn.norm.", ".3.fn.norm."),
        (".frame_attn.", ".3.fn.fn.fn."),
        ("_attn.norm.", "_attn.fn.norm."),
        ("_attn.to_", "_attn.fn.fn.fn.to_"),
        (".resnet1.", ".0."),
        (".resnet2.", ".1."),
        (".resample.Deconvolution.", ".4."),
        (".resample.Nearest.conv.", ".4.1."),
        (".resample.", ".4."),
        (".mlp.", ".mlp.1."),
        ("time_mlp.hidden.", "time_mlp.1."),
        ("time_mlp.out.", "time_mlp.3."),
    ];
    let mut key = NAMES.iter().fold(path.to_owned(), |key, (ours, official)| key.replace(ours, official));
    for head in ["final_conv.", "occlusion_map."] {
        key = key
            .replace(&format!("{head}resnet."), &format!("{head}0."))
            .replace(&format!("{head}conv."), &format!("{head}1."));
    }
    key
}

fn downsample(channels: usize, device: &Device) -> Conv2d {
    Conv2dConfig::new([channels, channels], [4, 4])
        .with_stride([2, 2])
        .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
        .build(device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::LfdmConfig;
    use crate::noise::NoiseSource;
    use crate::weights::collect_module;

    fn tiny(upsampling: Upsampling) -> UnetConfig {
        UnetConfig {
            diffused: Diffused::Motion,
            dim: 8,
            dim_mults: vec![1, 2],
            heads: 2,
            head_dim: 8,
            groups: 4,
            init_kernel: 5,
            condition_dim: 3,
            learned_null_condition: true,
            upsampling,
        }
    }

    #[test]
    fn the_split_first_convolution_is_the_whole_one() {
        let device = Device::flex();
        let unet = tiny(Upsampling::NearestZeros).init(6, &device);
        let mut noise = NoiseSource::new(0);
        let (batch, frames) = (2, 3);
        let motion = noise.normal::<4>([batch * frames, 3, 8, 6], &device);
        let latent = noise.normal::<4>([batch, 6, 8, 6], &device);
        let repeated = latent.clone().unsqueeze_dim::<5>(1).repeat_dim(1, frames).flatten::<4>(0, 1);
        let whole = channels_last(unet.init_conv.forward(Tensor::cat(vec![motion.clone(), repeated], 1)));
        let split = unet.embed(channels_last(motion), &unet.reference(latent));
        assert!((whole - split).abs().max().into_scalar::<f32>() < 1e-5);
    }

    #[test]
    fn samples_of_a_batch_and_variants_do_not_mix() {
        let device = Device::flex();
        let unet = tiny(Upsampling::NearestReflect).init(4, &device);
        let mut noise = NoiseSource::new(1);
        let x = noise.normal::<5>([2, 3, 4, 8, 8], &device);
        let reference = unet.reference(noise.normal([2, 4, 8, 8], &device));
        let conditions = noise.normal::<2>([4, 3], &device);
        let times = [10, 700, 10, 700];
        let tables = unet.frame_tables(4);
        let all = unet.forward(x.clone(), &reference, &unet.conditioning(&times, conditions.clone()), &tables);
        assert_eq!(all.dims(), [4, 3, 4, 8, 8]);
        for row in 0..4 {
            let sample = row % 2;
            let conditioning = unet.conditioning(&times[row..=row], conditions.clone().narrow(0, row, 1));
            let reference = reference.clone().narrow(0, sample, 1);
            let alone = unet.forward(x.clone().narrow(0, sample, 1), &reference, &conditioning, &tables);
            assert!((alone - all.clone().narrow(0, row, 1)).abs().max().into_scalar::<f32>() < 1e-4, "row {row}");
        }
    }

    #[cfg(feature = "gpu")]
    #[test]
    fn a_gpu_computes_the_same() {
        use crate::kernels::gpu::tests::{difference, gpu, on};
        let Some(gpu) = gpu() else { return };
        let cpu = Device::flex();
        for upsampling in [Upsampling::NearestZeros, Upsampling::Deconvolution] {
            let unet = tiny(upsampling).init(4, &cpu);
            let mut noise = NoiseSource::new(4);
            let x = noise.normal::<5>([1, 3, 4, 8, 8], &cpu);
            let latent = noise.normal::<4>([1, 4, 8, 8], &cpu);
            let conditions = noise.normal::<2>([2, 3], &cpu);
            // Of two conditions, as guidance asks for.
            let forward = |unet: &Unet3d, device: &Device| {
                let reference = unet.reference(on(device, &latent));
                let conditioning = unet.conditioning(&[10, 10], on(device, &conditions));
                unet.forward(on(device, &x), &reference, &conditioning, &unet.frame_tables(4))
            };
            let expected = forward(&unet, &cpu);
            assert!(difference(forward(&unet.to_device(&gpu), &gpu), expected.clone()) < 1e-3);
            assert!(expected.abs().max().into_scalar::<f32>() > 0.1, "there is something to compare");
        }
    }

    #[test]
    fn pairs_are_as_far_apart_as_their_frames() {
        let device = Device::flex();
        let frames = tiny(Upsampling::NearestZeros).init(4, &device);
        let mut pairs =
            UnetConfig { diffused: Diffused::MotionPairs, ..tiny(Upsampling::NearestZeros) }.init(4, &device);
        pairs.time_rel_pos_bias = frames.time_rel_pos_bias.clone();
        let mut noise = NoiseSource::new(1);
        let x = noise.normal::<4>([12, 2, 3, 8], &device);
        // Attention of every other frame alone: what is left of the video if the others are not there.
        let tables = [frames.frame_tables(12).every(2), pairs.frame_tables(6)];
        let [left, right] = tables.map(|tables| frames.init_temporal_attn.forward(x.clone(), &tables));
        assert!((left.clone() - right).abs().max().into_scalar::<f32>() < 1e-6);
        let near = frames.init_temporal_attn.forward(x, &frames.frame_tables(6));
        assert!((left - near).abs().max().into_scalar::<f32>() > 1e-4, "distances must matter for this test");
    }

    #[test]
    fn any_number_of_channels_comes_from_one_head() {
        let device = Device::flex();
        for channels in [1, 3, 4] {
            let config = UnetConfig { diffused: Diffused::Channels(channels), ..tiny(Upsampling::NearestZeros) };
            let unet = config.init(channels, &device);
            let mut noise = NoiseSource::new(1);
            let x = noise.normal::<5>([2, channels, 3, 8, 8], &device);
            let reference = unet.reference(noise.normal([2, channels, 8, 8], &device));
            let conditioning = unet.conditioning(&[10, 700], noise.normal::<2>([2, 3], &device));
            let out = unet.forward(x, &reference, &conditioning, &unet.frame_tables(3));
            assert_eq!(out.dims(), [2, channels, 3, 8, 8]);
            let keys = collect_module(&unet, &official_key);
            assert!(keys.iter().all(|(key, _)| !key.starts_with("occlusion_map.")));
        }
    }

    #[test]
    fn keys_are_the_official_ones() {
        let device = Device::flex();
        let keys = |upsampling| -> Vec<String> {
            let dict = collect_module(&tiny(upsampling).init(4, &device), &official_key);
            dict.iter().map(|(key, _)| key.to_owned()).collect()
        };
        let deconvolution = keys(Upsampling::Deconvolution);
        for key in [
            "null_cond_emb",
            "time_rel_pos_bias.relative_attention_bias.weight",
            "time_mlp.1.weight",
            "time_mlp.3.bias",
            "init_temporal_attn.fn.fn.fn.to_qkv.weight",
            "downs.0.0.mlp.1.weight",
            "downs.1.0.res_conv.bias",
            "downs.0.1.block2.norm.weight",
            "downs.0.2.fn.fn.to_out.bias",
            "downs.0.3.fn.norm.gamma",
            "downs.0.4.weight",
            "mid_spatial_attn.fn.fn.fn.to_out.weight",
            "ups.0.4.bias",
            "final_conv.0.block1.proj.weight",
            "occlusion_map.1.bias",
        ] {
            assert!(deconvolution.iter().any(|known| known == key), "{key} is not among {deconvolution:?}");
        }
        assert!(keys(Upsampling::NearestZeros).iter().any(|key| key == "ups.0.4.1.weight"));
    }

    #[test]
    fn the_demo_model_has_the_size_it_is_budgeted_for() {
        let config = LfdmConfig::faces_64(7);
        let unet = config.diffusion.unet.init(config.latent_channels(), &Device::flex());
        let millions = unet.num_params() as f64 / 1e6;
        assert!((2.6..3.1).contains(&millions), "{millions} million parameters");
    }
}
