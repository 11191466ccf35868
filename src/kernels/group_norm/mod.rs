//! Group normalisation of maps in channels-last order, with a scale and a shift from outside, and what follows it.
//!
//! Statistics, gains and conditions are merged into one scale and one shift per channel ([`Affine`]), which a
//! convolution can apply to its input as it reads it.

pub(in crate::kernels) mod cpu;
#[cfg(feature = "gpu")]
mod kernel;

use burn::backend::flex::FlexTensor;
use burn::module::Param;
use burn::nn::GroupNorm;
use burn::tensor::Tensor;
use burn::tensor::activation::{relu, silu};

#[cfg(feature = "native")]
use crate::kernels::cpu::gradient::{Tracked, differentiable};
#[cfg(feature = "native")]
use crate::kernels::cpu::tensors::primitive;
use crate::kernels::cpu::tensors::{contiguous, elements, tensor};

/// What follows a scale and a shift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// `max(0, x)`
    Relu,
    /// `x sigmoid(x)`
    Silu,
}

/// `gate(x * scale + shift)`, with a scale and a shift per sample and channel.
#[derive(Debug, Clone)]
pub struct Affine {
    /// `[samples, channels]`
    pub scale: Tensor<2>,
    /// `[samples, channels]`
    pub shift: Tensor<2>,
    /// What follows.
    pub gate: Gate,
}

/// The terms of an [`Affine`] on the CPU.
pub(in crate::kernels) struct AffineElements {
    scale: FlexTensor,
    shift: FlexTensor,
    samples: usize,
    channels: usize,
    gate: Gate,
}

impl AffineElements {
    pub(in crate::kernels) fn prologue(&self, images: usize) -> cpu::Prologue<'_> {
        cpu::Prologue {
            scale: elements(&self.scale),
            shift: elements(&self.shift),
            channels: self.channels,
            images: images / self.samples,
            gate: self.gate,
        }
    }
}

impl Affine {
    /// `gate(x * scale + shift) + residual`.
    ///
    /// # Shapes
    /// - `x`, `residual` and result: `[samples * frames, height, width, channels]`
    pub fn apply(&self, x: Tensor<4>, residual: Option<Tensor<4>>) -> Tensor<4> {
        #[cfg(feature = "gpu")]
        if let Some(out) = kernel::apply(self, &x, residual.as_ref()) {
            return out;
        }
        if let Some(out) = self.on_cpu(&x, residual.as_ref()) {
            return out;
        }
        #[cfg(feature = "native")]
        if let Some(out) = self.in_graph(&x, residual.as_ref()) {
            return out;
        }
        self.twin(x, residual)
    }

    /// The kernel of the CPU with its derivative; `None` on any other device.
    #[cfg(feature = "native")]
    fn in_graph(&self, x: &Tensor<4>, residual: Option<&Tensor<4>>) -> Option<Tensor<4>> {
        let shape = x.dims();
        let [x, scale, shift] = [Tracked::new(x)?, Tracked::new(&self.scale)?, Tracked::new(&self.shift)?];
        let [samples, channels] = self.scale.dims();
        let input = x.contiguous();
        let terms =
            AffineElements { scale: scale.contiguous(), shift: shift.contiguous(), samples, channels, gate: self.gate };
        let residual = match residual {
            None => None,
            Some(residual) => Some(Tracked::new(residual)?),
        };
        let addend = residual.as_ref().map(Tracked::contiguous);
        let out = cpu::affine(elements(&input), terms.prologue(shape[0]), addend.as_ref().map(elements));
        let out = primitive(out, shape);
        let pull = move |gradient: &FlexTensor| {
            let prologue = terms.prologue(shape[0]);
            let [by_x, by_scale, by_shift] = cpu::affine_gradient(elements(&input), prologue, elements(gradient));
            let [by_scale, by_shift] = [by_scale, by_shift].map(|by| primitive(by, [samples, channels]));
            [primitive(by_x, shape), by_scale, by_shift].map(Some)
        };
        Some(match &residual {
            None => differentiable([&x, &scale, &shift], out, move |gradient, _| pull(&gradient)),
            Some(residual) => differentiable([&x, &scale, &shift, residual], out, move |gradient, _| {
                let [by_x, by_scale, by_shift] = pull(&gradient);
                [by_x, by_scale, by_shift, Some(gradient)]
            }),
        })
    }

    pub(in crate::kernels) fn elements(&self) -> Option<AffineElements> {
        let [samples, channels] = self.scale.dims();
        let (scale, shift) = (contiguous(&self.scale)?, contiguous(&self.shift)?);
        Some(AffineElements { scale, shift, samples, channels, gate: self.gate })
    }

    fn on_cpu(&self, x: &Tensor<4>, residual: Option<&Tensor<4>>) -> Option<Tensor<4>> {
        let shape = x.dims();
        let x = contiguous(x)?;
        let residual = match residual {
            None => None,
            Some(residual) => Some(contiguous(residual)?),
        };
        let affine = self.elements()?;
        Some(tensor(cpu::affine(elements(&x), affine.prologue(shape[0]), residual.as_ref().map(elements)), shape))
    }

    /// [`apply`](Self::apply) in tensor operations, for any device and with gradients.
    ///
    /// # Shapes
    /// - as [`apply`](Self::apply)
    pub fn twin(&self, x: Tensor<4>, residual: Option<Tensor<4>>) -> Tensor<4> {
        let [images, height, width, channels] = x.dims();
        let samples = self.scale.dims()[0];
        let per_channel = |terms: &Tensor<2>| terms.clone().reshape([samples, 1, channels]);
        let x = x.reshape([samples, images / samples * height * width, channels]);
        let x = x * per_channel(&self.scale) + per_channel(&self.shift);
        let x = match self.gate {
            Gate::Relu => relu(x),
            Gate::Silu => silu(x),
        };
        let x = x.reshape([images, height, width, channels]);
        match residual {
            None => x,
            Some(residual) => x + residual,
        }
    }
}

/// Group normalisation of `x` over channels, frames and positions jointly, then `film`, then SiLU; to be applied to
/// `x`.
///
/// # Shapes
/// - `x`: `[samples * frames, height, width, channels]`
/// - `film`: `[samples, 2 * channels]`, scale - 1 and shift
pub fn group_norm(norm: &GroupNorm, x: &Tensor<4>, samples: usize, film: Option<&Tensor<2>>) -> Affine {
    #[cfg(feature = "gpu")]
    if let Some(affine) = kernel::group_norm(norm, x, samples, film) {
        return affine;
    }
    twin(norm, x, samples, film)
}

/// [`group_norm`] in tensor operations, for any device and with gradients.
///
/// # Shapes
/// - as [`group_norm`]
pub fn twin(norm: &GroupNorm, x: &Tensor<4>, samples: usize, film: Option<&Tensor<2>>) -> Affine {
    let [images, height, width, channels] = x.dims();
    let groups = norm.num_groups;
    let size = channels / groups;
    let count = (images / samples * height * width * size) as f64;
    // Means over the groups, of values and of their squares, one for each channel.
    let mean = |sums: Tensor<2>| sums.reshape([samples, groups, size]).sum_dim(2).div_scalar(count);
    let [first, second] = moments(x, samples).map(mean);
    let variance = second - first.clone() * first.clone();
    let inverse = (variance.clamp_min(0.0) + norm.epsilon).sqrt().recip();

    let per_channel = |param: &Option<Param<Tensor<1>>>, default: f64| match param {
        Some(param) => param.val().reshape([1, groups, size]),
        None => Tensor::full([1, groups, size], default, &inverse.device()),
    };
    let scale = inverse.clone() * per_channel(&norm.gamma, 1.0);
    let shift = per_channel(&norm.beta, 0.0) - first * scale.clone();
    let (mut scale, mut shift) = (scale.reshape([samples, channels]), shift.reshape([samples, channels]));
    if let Some(film) = film {
        let film_scale = film.clone().narrow(1, 0, channels) + 1.0;
        scale = scale * film_scale.clone();
        shift = shift * film_scale + film.clone().narrow(1, channels, channels);
    }
    Affine { scale, shift, gate: Gate::Silu }
}

/// Mean and variance of each channel, `[channels]` each, where a kernel finds them for training; `None` on any other
/// device.
///
/// # Shapes
/// - `x`: `[images, height, width, channels]`
#[cfg(feature = "native")]
pub fn statistics(x: &Tensor<4>) -> Option<[Tensor<1>; 2]> {
    Tracked::new(x)?;
    let [images, height, width, channels] = x.dims();
    let count = (images * height * width) as f64;
    let [mean, second] = moments(x, 1).map(|sums| sums.reshape([channels]).div_scalar(count));
    let variance = (second - mean.clone() * mean.clone()).clamp_min(0.0);
    Some([mean, variance])
}

/// Sums of `x` and of its squares over each sample's frames and positions, `[samples, channels]` each.
fn moments(x: &Tensor<4>, samples: usize) -> [Tensor<2>; 2] {
    let [images, height, width, channels] = x.dims();
    if let Some(x) = contiguous(x) {
        return cpu::moments(elements(&x), samples, channels).map(|sums| tensor(sums, [samples, channels]));
    }
    #[cfg(feature = "native")]
    if let Some(tracked) = Tracked::new(x) {
        let shape = x.dims();
        let input = tracked.contiguous();
        let [first, second] = cpu::moments(elements(&input), samples, channels);
        let both = primitive([first, second].concat(), [2, samples, channels]);
        let both: Tensor<3> = differentiable([&tracked], both, move |gradient, _| {
            let (first, second) = elements(&gradient).split_at(samples * channels);
            [Some(primitive(cpu::moments_gradient(elements(&input), samples, [first, second]), shape))]
        });
        return [0, 1].map(|moment| both.clone().narrow(0, moment, 1).reshape([samples, channels]));
    }
    let x = x.clone().reshape([samples, images / samples * height * width, channels]);
    let sum = |x: Tensor<3>| x.sum_dim(1).reshape([samples, channels]);
    [sum(x.clone()), sum(x.clone() * x)]
}

#[cfg(test)]
mod tests {
    use burn::nn::GroupNormConfig;
    use burn::tensor::{Device, Tolerance};

    use super::*;
    use crate::noise::NoiseSource;

    #[test]
    fn kernel_and_twin_agree() {
        let device = Device::flex();
        let mut noise = NoiseSource::new(9);
        for (samples, [images, height, width, channels]) in [(2, [6, 5, 3, 8]), (1, [2, 40, 40, 20]), (3, [3, 1, 1, 4])]
        {
            let x: Tensor<4> = noise.normal::<4>([images, height, width, channels], &device) * 3.0 + 1.0;
            for gate in [Gate::Relu, Gate::Silu] {
                let [scale, shift] = [(); 2].map(|()| noise.normal([samples, channels], &device));
                let affine = Affine { scale, shift, gate };
                for residual in [None, Some(noise.normal([images, height, width, channels], &device))] {
                    let kernel = affine.on_cpu(&x, residual.as_ref()).unwrap().into_data();
                    let expected = affine.twin(x.clone(), residual).into_data();
                    kernel.assert_approx_eq::<f32>(&expected, Tolerance::absolute(1e-5));
                }
            }
        }
    }

    #[cfg(feature = "gpu")]
    #[test]
    fn kernels_and_twins_agree_on_the_gpu() {
        use crate::kernels::gpu::tests::{difference, gpu, on};
        let Some(gpu) = gpu() else { return };
        let cpu = Device::flex();
        let mut noise = NoiseSource::new(14);
        for (samples, [images, height, width, channels], groups) in
            [(2, [6, 5, 3, 8], 2), (1, [2, 40, 40, 20], 5), (3, [3, 1, 1, 4], 1), (2, [8, 16, 16, 32], 8)]
        {
            let x: Tensor<4> = noise.normal([images, height, width, channels], &cpu) * 3.0 + 1.0;
            let mut norm = GroupNormConfig::new(groups, channels).init(&cpu);
            let [gain, bias] = [(); 2].map(|()| noise.normal::<1>([channels], &cpu));
            let mut moved = norm.clone();
            for (norm, [gain, bias]) in
                [(&mut moved, [on(&gpu, &gain), on(&gpu, &bias)]), (&mut norm, [gain.clone(), bias.clone()])]
            {
                (norm.gamma, norm.beta) = (Some(Param::from_tensor(gain)), Some(Param::from_tensor(bias)));
            }
            for film in [None, Some(noise.normal::<2>([samples, 2 * channels], &cpu))] {
                let expected = twin(&norm, &x, samples, film.as_ref());
                let film = film.map(|film| on(&gpu, &film));
                let Some(found) = kernel::group_norm(&moved, &on(&gpu, &x), samples, film.as_ref()) else {
                    panic!("the kernel did not run")
                };
                assert!(difference(found.scale.clone(), expected.scale.clone()) < 1e-4);
                assert!(difference(found.shift.clone(), expected.shift.clone()) < 1e-4);
                for gate in [Gate::Relu, Gate::Silu] {
                    for residual in [None, Some(noise.normal::<4>([images, height, width, channels], &cpu))] {
                        let moved = residual.as_ref().map(|residual| on(&gpu, residual));
                        let Some(out) = kernel::apply(&Affine { gate, ..found.clone() }, &on(&gpu, &x), moved.as_ref())
                        else {
                            panic!("the kernel did not run")
                        };
                        let expected = Affine { gate, ..expected.clone() }.twin(x.clone(), residual);
                        assert!(difference(out, expected) < 1e-3);
                    }
                }
            }
        }
    }

    #[test]
    fn normalised_groups_have_mean_0_and_variance_1() {
        let device = Device::flex();
        let norm = GroupNormConfig::new(2, 4).init(&device);
        let x = NoiseSource::new(10).normal::<4>([6, 8, 8, 4], &device) * 5.0 + 30.0;
        let Affine { scale, shift, .. } = group_norm(&norm, &x, 2, None);
        let x = x.reshape([2, 3 * 64, 4]) * scale.reshape([2, 1, 4]) + shift.reshape([2, 1, 4]);
        let groups = x.reshape([2, 3 * 64, 2, 2]).swap_dims(1, 2).reshape([4, 3 * 64 * 2]);
        let mean = groups.clone().mean_dim(1);
        let variance = (groups - mean.clone()).powi_scalar(2).mean_dim(1);
        assert!(mean.abs().max().into_scalar::<f32>() < 1e-4);
        assert!((variance - 1.0).abs().max().into_scalar::<f32>() < 1e-3);
    }

    #[cfg(feature = "native")]
    #[test]
    fn derivatives_are_those_of_the_twin() {
        let device = Device::flex().autodiff();
        let norm = GroupNormConfig::new(2, 6).init(&device);
        let mut noise = NoiseSource::new(12);
        let x = (noise.normal::<4>([4, 9, 7, 6], &device) + 1.0).require_grad();
        let film = noise.normal::<2>([2, 12], &device).require_grad();
        let residual = noise.normal::<4>([4, 9, 7, 6], &device).require_grad();
        let weights = noise.normal::<4>([4, 9, 7, 6], &device);
        let normalised = |x: &Tensor<4>, residual: Option<Tensor<4>>, on_kernels: bool| {
            let affine = group_norm(&norm, x, 2, Some(&film));
            if on_kernels { affine.apply(x.clone(), residual) } else { affine.twin(x.clone(), residual) }
        };
        let gradients = |out: Tensor<4>| {
            let gradients = (out * weights.clone()).sum().backward();
            let by_residual = residual.grad(&gradients).map(Tensor::into_data);
            (x.grad(&gradients).unwrap().into_data(), film.grad(&gradients).unwrap().into_data(), by_residual)
        };
        for added in [None, Some(residual.clone())] {
            let (by_x, by_film, by_residual) = gradients(normalised(&x, added.clone(), true));
            let (twin_by_x, twin_by_film, twin_by_residual) = gradients(normalised(&x, added, false));
            by_x.assert_approx_eq::<f32>(&twin_by_x, Tolerance::absolute(1e-4));
            by_film.assert_approx_eq::<f32>(&twin_by_film, Tolerance::absolute(1e-3));
            assert_eq!(by_residual, twin_by_residual);
        }
    }

    #[cfg(feature = "native")]
    #[test]
    fn the_derivative_of_the_moments_is_that_of_their_sums() {
        let device = Device::flex().autodiff();
        let mut noise = NoiseSource::new(13);
        let x = noise.normal::<4>([4, 3, 5, 6], &device).require_grad();
        let weights = [(); 2].map(|()| noise.normal::<2>([2, 6], &device));
        let loss =
            |[first, second]: [Tensor<2>; 2]| (first * weights[0].clone()).sum() + (second * weights[1].clone()).sum();
        let twin = {
            let x = x.clone().reshape([2, 2 * 15, 6]);
            [x.clone(), x.clone() * x].map(|x| x.sum_dim(1).reshape([2, 6]))
        };
        let [kernel, expected] = [moments(&x, 2), twin].map(|moments| {
            let gradients = loss(moments).backward();
            x.grad(&gradients).unwrap().into_data()
        });
        kernel.assert_approx_eq::<f32>(&expected, Tolerance::absolute(1e-4));
    }
}
