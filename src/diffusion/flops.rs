//! What a denoising step costs, read off the sizes of the network's weights.

use burn::module::Param;
use burn::nn::Linear;
use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;

use super::unet::{ConvNorm, OutputHead, ResnetBlock, Unet3d, Upsample};

/// A multiplication and an addition.
const MULTIPLY_ADD: u64 = 2;

impl Unet3d {
    /// Counts the floating-point operations of one denoising step of one video: two for each
    /// multiply-add of the convolutions, the linear layers and the two products of every attention.
    ///
    /// Norms, activations and position embeddings are not counted, nor the reference's part of the
    /// first convolution, which is computed once per video. `variants` is how many conditions are
    /// evaluated: 2 with guidance, which share what comes before the condition.
    ///
    /// # Shapes
    /// - `grid`: `[height, width]` of what is diffused
    pub fn flops_per_step(&self, frames: usize, grid: [usize; 2], variants: usize) -> u64 {
        let size = Size { frames: frames as u64, positions: (grid[0] * grid[1]) as u64 };
        let [dim, _, height, width] = sides(&self.init_conv.weight);
        let shared =
            dim * self.channels as u64 * height * width * size.tokens() + size.across(&self.init_temporal_attn);
        MULTIPLY_ADD * (shared + variants as u64 * self.conditioned_multiply_adds(size))
    }

    fn conditioned_multiply_adds(&self, mut size: Size) -> u64 {
        let full = size;
        let mut total = linear(&self.time_mlp.hidden) + linear(&self.time_mlp.out);
        for stage in &self.downs {
            total += size.block(&stage.resnet1) + size.block(&stage.resnet2);
            total += size.linear_within(&stage.linear_attn) + size.across(&stage.frame_attn);
            if let Some(downsample) = &stage.resample {
                size.positions /= 4;
                total += size.conv(downsample);
            }
        }
        total += size.block(&self.mid_block1) + size.block(&self.mid_block2);
        total += size.within(&self.mid_spatial_attn) + size.across(&self.mid_temporal_attn);
        for stage in &self.ups {
            total += size.block(&stage.resnet1) + size.block(&stage.resnet2);
            total += size.linear_within(&stage.linear_attn) + size.across(&stage.frame_attn);
            if let Some(upsample) = &stage.resample {
                let coarse = size;
                size.positions *= 4;
                total += match upsample {
                    // Every input meets the whole kernel.
                    Upsample::Deconvolution(conv) => sides(&conv.weight).iter().product::<u64>() * coarse.tokens(),
                    Upsample::Nearest(nearest) => size.conv(&nearest.conv),
                };
            }
        }
        let heads = std::iter::once(&self.final_conv).chain(&self.occlusion_map);
        total + heads.map(|OutputHead { resnet, conv }| full.block(resnet) + full.conv(conv)).sum::<u64>()
    }
}

/// The size of a video between two changes of the grid. Its methods count multiply-adds.
#[derive(Clone, Copy)]
struct Size {
    frames: u64,
    /// Cells of the grid.
    positions: u64,
}

impl Size {
    fn tokens(self) -> u64 {
        self.frames * self.positions
    }

    /// A convolution whose output has this size.
    fn conv(self, conv: &Conv2d) -> u64 {
        sides(&conv.weight).iter().product::<u64>() * self.tokens()
    }

    fn block(self, block: &ResnetBlock) -> u64 {
        let convs = [&block.block1, &block.block2].map(|ConvNorm { proj, .. }| self.conv(proj)).iter().sum::<u64>();
        let residual = block.res_conv.as_ref().map_or(0, |conv| self.conv(conv));
        // Time and condition scale and shift the channels of all frames alike.
        convs + residual + block.mlp.as_ref().map_or(0, linear)
    }

    fn across(self, attention: &super::attention::TemporalAttention) -> u64 {
        self.attention(&attention.to_qkv, &attention.to_out, self.frames)
    }

    fn within(self, attention: &super::attention::SpatialAttention) -> u64 {
        self.attention(&attention.to_qkv, &attention.to_out, self.positions)
    }

    /// Keys meet values first, so that a query meets one matrix, whatever the number of positions.
    fn linear_within(self, attention: &super::attention::SpatialLinearAttention) -> u64 {
        self.attention(&attention.to_qkv, &attention.to_out, attention.head_dim as u64)
    }

    /// The projections of every token, and two products over `reach` for each of its channels in
    /// the heads.
    fn attention(self, to_qkv: &Linear, to_out: &Linear, reach: u64) -> u64 {
        let [hidden, _] = sides(&to_out.weight);
        self.tokens() * (linear(to_qkv) + 2 * hidden * reach + linear(to_out))
    }
}

/// The multiply-adds of a linear layer on one token.
fn linear(layer: &Linear) -> u64 {
    sides(&layer.weight).iter().product()
}

/// The sides of a weight, without drawing its initial values.
fn sides<const D: usize>(weight: &Param<Tensor<D>>) -> [u64; D] {
    let shape = weight.lazy_shape();
    std::array::from_fn(|axis| shape[axis] as u64)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use crate::config::{Diffused, LfdmConfig, UnetConfig, Upsampling};

    fn tiny(diffused: Diffused, upsampling: Upsampling) -> UnetConfig {
        UnetConfig {
            diffused,
            dim: 8,
            dim_mults: vec![1, 2],
            heads: 2,
            head_dim: 4,
            groups: 4,
            init_kernel: 3,
            condition_dim: 3,
            learned_null_condition: false,
            upsampling,
        }
    }

    /// Counted by hand for 2 frames of 4x4 cells: 32 tokens, 8 at the coarse level; 8 channels in
    /// the heads, 35 in the embedding.
    #[test]
    fn a_small_network_is_counted_as_by_hand() {
        let stem: u64 = 8 * 3 * 9 * 32 + 32 * (8 * 24 + 2 * 8 * 2 + 8 * 8);
        let time = 8 * 32 + 32 * 32;
        let down_0 = 2 * (2 * 8 * 8 * 9 * 32 + 35 * 16)
            + 32 * (8 * 24 + 2 * 8 * 4 + 8 * 8)
            + 32 * (8 * 24 + 2 * 8 * 2 + 8 * 8)
            + 8 * 8 * 16 * 8;
        let down_1 = (8 * 16 * 9 * 8 + 16 * 16 * 9 * 8 + 8 * 16 * 8 + 35 * 32)
            + (2 * 16 * 16 * 9 * 8 + 35 * 32)
            + 8 * (16 * 24 + 2 * 8 * 4 + 8 * 16)
            + 8 * (16 * 24 + 2 * 8 * 2 + 8 * 16);
        let middle = 2 * (2 * 16 * 16 * 9 * 8 + 35 * 32)
            + 8 * (16 * 24 + 2 * 8 * 4 + 8 * 16)
            + 8 * (16 * 24 + 2 * 8 * 2 + 8 * 16);
        let up_1 = (32 * 8 * 9 * 8 + 8 * 8 * 9 * 8 + 32 * 8 * 8 + 35 * 16)
            + (2 * 8 * 8 * 9 * 8 + 35 * 16)
            + 8 * (8 * 24 + 2 * 8 * 4 + 8 * 8)
            + 8 * (8 * 24 + 2 * 8 * 2 + 8 * 8);
        let up_0 = (16 * 8 * 9 * 32 + 8 * 8 * 9 * 32 + 16 * 8 * 32 + 35 * 16)
            + (2 * 8 * 8 * 9 * 32 + 35 * 16)
            + 32 * (8 * 24 + 2 * 8 * 4 + 8 * 8)
            + 32 * (8 * 24 + 2 * 8 * 2 + 8 * 8);
        let head: u64 = 16 * 8 * 9 * 32 + 8 * 8 * 9 * 32 + 16 * 8 * 32;
        let conditioned = time + down_0 + down_1 + middle + up_1 + up_0 + 8 * 3 * 32;

        let count = |diffused, upsampling, latent_channels: usize, variants| {
            tiny(diffused, upsampling).init(latent_channels, &Device::flex()).flops_per_step(2, [4, 4], variants)
        };
        let (nearest, deconvolution) = (8 * 8 * 9 * 32, 8 * 8 * 16 * 8);
        let expected =
            |heads: u64, upsample: u64, variants: u64| 2 * (stem + variants * (conditioned + heads * head + upsample));
        let channels = Diffused::Channels(3);
        assert_eq!(count(channels, Upsampling::NearestZeros, 3, 1), expected(1, nearest, 1));
        assert_eq!(count(channels, Upsampling::NearestZeros, 3, 2), expected(1, nearest, 2));
        assert_eq!(count(channels, Upsampling::Deconvolution, 3, 1), expected(1, deconvolution, 1));
        // Motion has a second head; the reference's channels cost nothing per step.
        assert_eq!(count(Diffused::Motion, Upsampling::NearestReflect, 5, 1), expected(2, nearest, 1));
    }

    #[test]
    fn the_same_network_costs_more_on_a_finer_grid_and_half_in_pairs_of_frames() {
        let config = LfdmConfig::faces_64(7);
        let unet = config.diffusion.unet.init(3, &Device::flex());
        let pairs = config.clone().with_frame_pairs();
        let of_pairs =
            pairs.diffusion.unet.init(3, &Device::flex()).flops_per_step(pairs.diffused_frames(), [16; 2], 1);
        let saved = of_pairs as f64 / unet.flops_per_step(config.frames, [16; 2], 1) as f64;
        assert!((0.49..0.52).contains(&saved), "{saved}");
        let [coarse, fine] = [16, 64].map(|side| unet.flops_per_step(16, [side; 2], 1));
        assert!((16.0..18.0).contains(&(fine as f64 / coarse as f64)), "{coarse} and {fine}");
    }
}
