//! Group normalisation on WebGPU: the launches of `shaders/group_norm.wgsl` and `shaders/affine.wgsl`.

use burn::nn::GroupNorm;
use burn::tensor::Tensor;

use super::{Affine, Gate};
use crate::kernels::gpu::product::Terms;
use crate::kernels::gpu::{Shader, absent, contiguous, elementwise, empty, tensor};

/// [`group_norm`](super::group_norm) on a WebGPU device; `None` on any other, or for a norm without gain and bias.
pub(super) fn group_norm(norm: &GroupNorm, x: &Tensor<4>, samples: usize, film: Option<&Tensor<2>>) -> Option<Affine> {
    let [images, height, width, channels] = x.dims();
    let x = contiguous(x)?;
    let (gain, bias) = (norm.gamma.as_ref()?.val(), norm.beta.as_ref()?.val());
    let (gain, bias) = (contiguous(&gain)?, contiguous(&bias)?);
    let film = match film {
        None => None,
        Some(film) => Some(contiguous(film)?),
    };
    let has_film = u32::from(film.is_some());
    let film = film.unwrap_or_else(|| absent(&x));
    let [scale, shift] = [(); 2].map(|()| empty(&x, [samples, channels]));
    let pixels = images / samples * height * width;
    let [pixels, channels, groups] = [pixels, channels, norm.num_groups].map(|count| count as u32);
    let info = [pixels, channels, groups, has_film, (norm.epsilon as f32).to_bits()];
    let shader =
        Shader { name: "group_norm", source: include_str!("../../../shaders/group_norm.wgsl"), numbers: Vec::new() };
    shader.launch([norm.num_groups, samples, 1], &[&x, &gain, &bias, &film, &scale, &shift], &info);
    Some(Affine { scale: tensor(scale), shift: tensor(shift), gate: Gate::Silu })
}

impl Affine {
    /// The terms on a WebGPU device; `None` on any other.
    pub(in crate::kernels) fn terms(&self) -> Option<Terms> {
        let (scale, shift) = (contiguous(&self.scale)?, contiguous(&self.shift)?);
        Some(Terms { scale, shift, is_silu: self.gate == Gate::Silu })
    }
}

/// [`Affine::apply`] on a WebGPU device; `None` on any other.
pub(super) fn apply(affine: &Affine, x: &Tensor<4>, residual: Option<&Tensor<4>>) -> Option<Tensor<4>> {
    let shape = x.dims();
    let x = contiguous(x)?;
    let Terms { scale, shift, is_silu } = affine.terms()?;
    let residual = match residual {
        None => None,
        Some(residual) => Some(contiguous(residual)?),
    };
    let has_residual = u32::from(residual.is_some());
    let residual = residual.unwrap_or_else(|| absent(&x));
    let output = empty(&x, shape);
    let count: usize = shape.iter().product();
    let (workgroups, invocations) = elementwise(count);
    let sizes = [count, shape[3], count / affine.scale.dims()[0]].map(|size| size as u32);
    let info = [sizes[0], sizes[1], sizes[2], u32::from(is_silu), has_residual, invocations];
    let shader = Shader { name: "affine", source: include_str!("../../../shaders/affine.wgsl"), numbers: Vec::new() };
    shader.launch(workgroups, &[&x, &scale, &shift, &residual, &output], &info);
    Some(tensor(output))
}
