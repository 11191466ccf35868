//! The block on WebGPU: two products around the launch of `shaders/linear_attention.wgsl`.

use burn::tensor::Tensor;

use super::LinearAttention;
use crate::kernels::attention::kernel::projection;
use crate::kernels::gpu::product::{Product, rows};
use crate::kernels::gpu::{Shader, contiguous, empty, tensor};

/// Channels of a head whose products fit a workgroup's memory.
const MOST: usize = 48;

/// [`LinearAttention::forward`] on a WebGPU device; `None` on any other, or for very wide heads.
pub(super) fn launch(block: &LinearAttention, x: &Tensor<3>) -> Option<Tensor<3>> {
    let [frames, positions, channels] = x.dims();
    let &LinearAttention { heads, head_dim, .. } = block;
    if head_dim > MOST {
        return None;
    }
    let x = contiguous(x)?;
    let dims = [frames, positions, 1, channels];
    let projected = projection(&x, dims, &block.gain, &block.qkv)?.launch();
    let heard = empty(&x, [frames, positions, 1, heads * head_dim]);
    let source = include_str!("../../../shaders/linear_attention.wgsl");
    let shader = Shader { name: "linear_attention", source, numbers: vec![("dim", head_dim as u32)] };
    shader.launch([heads, frames, 1], &[&projected, &heard], &[positions as u32, heads as u32]);
    let merged = [frames, positions, 1, heads * head_dim];
    let product = Product {
        bias: Some(contiguous(&block.bias)?),
        residual: Some((x, frames)),
        ..Product::of_pixels(heard, merged, rows(&block.out)?, channels)
    };
    let out: Tensor<4> = tensor(product.launch());
    Some(out.reshape([frames, positions, channels]))
}
