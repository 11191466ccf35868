//! The block on WebGPU: two products around the launch of `shaders/attention.wgsl`.

use burn::tensor::Tensor;
use burn_wgpu::CubeTensor;

use super::{Attention, NORM_EPSILON};
use crate::kernels::gpu::product::{Product, Prologue, rows};
use crate::kernels::gpu::{Shader, absent, contiguous, empty, on_gpu, tensor};

/// Channels of a head that fit an invocation's own memory.
const MOST: usize = 64;
/// Queries of a workgroup, as in the shader.
const QUERIES: usize = 16;

/// [`Attention::forward`] on a WebGPU device; `None` on any other, or for very wide heads.
pub(super) fn launch(block: &Attention, x: &Tensor<4>) -> Option<Tensor<4>> {
    let dims = x.dims();
    let [outer, tokens, inner, _] = dims;
    let &Attention { heads, head_dim, .. } = block;
    if head_dim > MOST {
        return None;
    }
    let x = contiguous(x)?;
    let projected = projection(&x, dims, &block.gain, &block.qkv)?.launch();
    let rotation = match &block.rotation {
        None => absent(&x),
        Some(rotation) => contiguous(rotation)?,
    };
    // A view of a table that is learned in another order.
    let positions = match &block.positions {
        None => absent(&x),
        Some(positions) => on_gpu(positions)?,
    };
    let strides: Vec<u32> = positions.meta.strides().iter().map(|&stride| stride as u32).collect();
    let [by_head, by_query, by_key] =
        if block.positions.is_some() { [strides[0], strides[1], strides[2]] } else { [0; 3] };
    let [is_turned, has_positions] = [block.rotation.is_some(), block.positions.is_some()].map(u32::from);
    let heard = empty(&x, [outer, tokens, inner, heads * head_dim]);
    // The rotations scale queries and keys already.
    let factor = if is_turned == 1 { 1.0 } else { (head_dim as f32).powf(-0.5) };
    let [all, across, of_heads] = [tokens, inner, heads].map(|count| count as u32);
    let info = [all, across, of_heads, is_turned, has_positions, factor.to_bits(), by_head, by_query, by_key];
    let source = include_str!("../../../shaders/attention.wgsl");
    let shader = Shader { name: "attention", source, numbers: vec![("dim", head_dim as u32)] };
    let workgroups = [heads * tokens.div_ceil(QUERIES), inner, outer];
    shader.launch(workgroups, &[&projected, &rotation, &positions, &heard], &info);
    let weights = rows(&block.out)?;
    let merged = [outer, tokens, inner, heads * head_dim];
    let product = Product { residual: Some((x, outer)), ..Product::of_pixels(heard, merged, weights, dims[3]) };
    Some(tensor(product.launch()))
}

/// Queries, keys and values of `norm(x)`.
pub(in crate::kernels) fn projection(
    x: &CubeTensor,
    dims: [usize; 4],
    gain: &Tensor<1>,
    qkv: &Tensor<2>,
) -> Option<Product> {
    let prologue = Prologue::Norm(contiguous(gain)?, NORM_EPSILON as f32);
    let columns = qkv.dims()[1];
    Some(Product { prologue, ..Product::of_pixels(x.clone(), dims, rows(qkv)?, columns) })
}
