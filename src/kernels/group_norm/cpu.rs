//! The passes on the CPU.

use pulp::{Simd, WithSimd};

use super::Gate;
use crate::kernels::cpu::math::silu;
#[cfg(feature = "native")]
use crate::kernels::cpu::math::silu_slope;
use crate::kernels::cpu::{chunks, dispatch, map};

/// `gate(x * scale + shift)`, with a scale and a shift per sample and channel.
#[derive(Clone, Copy)]
pub(crate) struct Prologue<'a> {
    /// `[samples, channels]`
    pub(crate) scale: &'a [f32],
    /// `[samples, channels]`
    pub(crate) shift: &'a [f32],
    pub(crate) channels: usize,
    /// Images of each sample, one after the other.
    pub(crate) images: usize,
    pub(crate) gate: Gate,
}

impl Prologue<'_> {
    /// Writes some pixels of `image`.
    pub(crate) fn apply(&self, image: usize, x: &[f32], out: &mut [f32]) {
        let sample = image / self.images * self.channels;
        let [scale, shift] = [self.scale, self.shift].map(|terms| &terms[sample..sample + self.channels]);
        dispatch(Affine { x, scale, shift, gate: self.gate, residual: None, out });
    }
}

/// `gate(x * scale + shift) + residual` of some pixels of one sample.
struct Affine<'a> {
    x: &'a [f32],
    scale: &'a [f32],
    shift: &'a [f32],
    gate: Gate,
    residual: Option<&'a [f32]>,
    out: &'a mut [f32],
}

impl WithSimd for Affine<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { x, scale, shift, gate, residual, out } = self;
        let channels = scale.len();
        simd.vectorize(|| {
            for (index, (out, x)) in out.chunks_exact_mut(channels).zip(x.chunks_exact(channels)).enumerate() {
                let terms = scale.iter().zip(shift);
                match gate {
                    Gate::Relu => {
                        for ((out, x), (scale, shift)) in out.iter_mut().zip(x).zip(terms) {
                            *out = (x * scale + shift).max(0.0);
                        }
                    }
                    Gate::Silu => {
                        for ((out, x), (scale, shift)) in out.iter_mut().zip(x).zip(terms) {
                            *out = silu(x * scale + shift);
                        }
                    }
                }
                if let Some(residual) = residual {
                    for (out, residual) in out.iter_mut().zip(&residual[index * channels..][..channels]) {
                        *out += residual;
                    }
                }
            }
        });
    }
}

/// `gate(x * scale + shift) + residual`, of maps `[samples, pixels, channels]`.
pub(crate) fn affine(x: &[f32], prologue: Prologue<'_>, residual: Option<&[f32]>) -> Vec<f32> {
    let mut out = vec![0.0; x.len()];
    let channels = prologue.channels;
    let samples = prologue.scale.len() / channels;
    let pixels = x.len() / samples / channels;
    let unit = unit(pixels) * channels;
    chunks(&mut out, unit, |index, out| {
        let begin = index * unit;
        let sample = begin / (pixels * channels) * channels;
        let [scale, shift] = [prologue.scale, prologue.shift].map(|terms| &terms[sample..sample + channels]);
        let range = begin..begin + out.len();
        let residual = residual.map(|residual| &residual[range.clone()]);
        dispatch(Affine { x: &x[range], scale, shift, gate: prologue.gate, residual, out });
    });
    out
}

/// Gradients of [`affine`] by `x`, by the scale and by the shift, of the gradient by its output.
#[cfg(feature = "native")]
pub(crate) fn affine_gradient(x: &[f32], prologue: Prologue<'_>, gradient: &[f32]) -> [Vec<f32>; 3] {
    let channels = prologue.channels;
    let samples = prologue.scale.len() / channels;
    let pixels = x.len() / samples / channels;
    let unit = unit(pixels);
    let mut by_x = vec![0.0; x.len()];
    let mut sums = vec![0.0; samples * pixels / unit * 2 * channels];
    crate::kernels::cpu::chunk_pairs([&mut by_x, &mut sums], [unit * channels, 2 * channels], |index, by_x, sums| {
        let begin = index * unit * channels;
        let sample = index * unit / pixels * channels;
        let [scale, shift] = [prologue.scale, prologue.shift].map(|terms| &terms[sample..sample + channels]);
        let range = begin..begin + by_x.len();
        let (by_scale, by_shift) = sums.split_at_mut(channels);
        let (x, gradient) = (&x[range.clone()], &gradient[range]);
        dispatch(AffineGradient { x, scale, shift, gate: prologue.gate, gradient, by_x, by_scale, by_shift });
    });
    let [mut by_scale, mut by_shift] = [(); 2].map(|()| vec![0.0; samples * channels]);
    for (index, sums) in sums.chunks_exact(2 * channels).enumerate() {
        let sample = index * unit / pixels * channels;
        let totals = by_scale[sample..].iter_mut().zip(&mut by_shift[sample..]);
        for ((by_scale, by_shift), (scale, shift)) in totals.zip(sums[..channels].iter().zip(&sums[channels..])) {
            *by_scale += scale;
            *by_shift += shift;
        }
    }
    [by_x, by_scale, by_shift]
}

#[cfg(feature = "native")]
struct AffineGradient<'a> {
    x: &'a [f32],
    scale: &'a [f32],
    shift: &'a [f32],
    gate: Gate,
    gradient: &'a [f32],
    by_x: &'a mut [f32],
    by_scale: &'a mut [f32],
    by_shift: &'a mut [f32],
}

#[cfg(feature = "native")]
impl WithSimd for AffineGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { x, scale, shift, gate, gradient, by_x, by_scale, by_shift } = self;
        let channels = scale.len();
        simd.vectorize(|| {
            let pixels = x.chunks_exact(channels).zip(gradient.chunks_exact(channels));
            for ((x, gradient), by_x) in pixels.zip(by_x.chunks_exact_mut(channels)) {
                let sums = by_scale.iter_mut().zip(by_shift.iter_mut());
                let terms = scale.iter().zip(shift).zip(sums);
                for (((x, gradient), by_x), ((scale, shift), (by_scale, by_shift))) in
                    x.iter().zip(gradient).zip(by_x).zip(terms)
                {
                    let gated = x * scale + shift;
                    let slope = match gate {
                        Gate::Relu => f32::from(u8::from(gated > 0.0)),
                        Gate::Silu => silu_slope(gated),
                    };
                    let gradient = gradient * slope;
                    *by_x = gradient * scale;
                    *by_scale += gradient * x;
                    *by_shift += gradient;
                }
            }
        });
    }
}

/// Pixels of a unit of work: a divisor of a sample's, for a unit that crosses from one to the next would need two
/// scales.
fn unit(pixels: usize) -> usize {
    (1..=pixels.min(1024)).rev().find(|&unit| pixels.is_multiple_of(unit)).unwrap_or(1)
}

/// Sums of the values and of their squares for each channel of each sample, `[samples, channels]` each.
pub(crate) fn moments(x: &[f32], samples: usize, channels: usize) -> [Vec<f32>; 2] {
    /// Pixels that are added up in single precision before the sums go on in double.
    const RUN: usize = 128;
    /// Runs of a unit of work.
    const RUNS: usize = 16;
    let sample = x.len() / samples;
    let unit = RUNS * RUN * channels;
    let units = sample.div_ceil(unit);
    let parts = map(samples * units, |index| {
        let x = &x[index / units * sample..][..sample];
        let x = &x[index % units * unit..];
        moments_of_unit(&x[..unit.min(x.len())], RUN, channels)
    });
    let mut sums = [(); 2].map(|()| vec![0f64; samples * channels]);
    for (index, parts) in parts.iter().enumerate() {
        for (sums, part) in sums.iter_mut().zip(parts) {
            for (sum, part) in sums[index / units * channels..].iter_mut().zip(part) {
                *sum += part;
            }
        }
    }
    sums.map(|sums| sums.into_iter().map(|sum| sum as f32).collect())
}

/// Sums of the values and of their squares for each channel, over runs of so many pixels.
fn moments_of_unit(x: &[f32], run: usize, channels: usize) -> [Vec<f64>; 2] {
    let mut sums = [(); 2].map(|()| vec![0f64; channels]);
    let mut of_run = [(); 2].map(|()| vec![0f32; channels]);
    for pixels in x.chunks(run * channels) {
        let [first, second] = &mut of_run;
        first.fill(0.0);
        second.fill(0.0);
        dispatch(Sums { x: pixels, first, second });
        for (sums, of_run) in sums.iter_mut().zip(&of_run) {
            for (sum, of_run) in sums.iter_mut().zip(of_run) {
                *sum += f64::from(*of_run);
            }
        }
    }
    sums
}

/// The gradient of [`moments`] by `x`, of the gradients by both sums.
#[cfg(feature = "native")]
pub(crate) fn moments_gradient(x: &[f32], samples: usize, [first, second]: [&[f32]; 2]) -> Vec<f32> {
    let channels = first.len() / samples;
    let pixels = x.len() / samples / channels;
    let unit = unit(pixels) * channels;
    let mut out = vec![0.0; x.len()];
    chunks(&mut out, unit, |index, out| {
        let begin = index * unit;
        let sample = begin / (pixels * channels) * channels;
        let [first, second] = [first, second].map(|terms| &terms[sample..sample + channels]);
        dispatch(MomentsGradient { x: &x[begin..begin + out.len()], first, second, out });
    });
    out
}

#[cfg(feature = "native")]
struct MomentsGradient<'a> {
    x: &'a [f32],
    first: &'a [f32],
    second: &'a [f32],
    out: &'a mut [f32],
}

#[cfg(feature = "native")]
impl WithSimd for MomentsGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { x, first, second, out } = self;
        simd.vectorize(|| {
            for (x, out) in x.chunks_exact(first.len()).zip(out.chunks_exact_mut(first.len())) {
                for ((out, x), (first, second)) in out.iter_mut().zip(x).zip(first.iter().zip(second)) {
                    *out = first + 2.0 * x * second;
                }
            }
        });
    }
}

/// Sums of each channel, `[channels]`.
#[cfg(feature = "native")]
pub(crate) fn sums(x: &[f32], channels: usize) -> Vec<f32> {
    let [sums, _] = moments(x, 1, channels);
    sums
}

struct Sums<'a> {
    x: &'a [f32],
    first: &'a mut [f32],
    second: &'a mut [f32],
}

impl WithSimd for Sums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { x, first, second } = self;
        simd.vectorize(|| {
            for x in x.chunks_exact(first.len()) {
                for ((first, second), x) in first.iter_mut().zip(second.iter_mut()).zip(x) {
                    *first += x;
                    *second += x * x;
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pixel_of_a_sample_counts_once() {
        let (samples, pixels, channels) = (2, 5001, 3);
        // Sums of small whole numbers are exact.
        let x: Vec<f32> = (0..samples * pixels * channels).map(|index| (index * 31 % 7) as f32 - 2.0).collect();
        let [first, second] = moments(&x, samples, channels);
        for (index, (first, second)) in first.iter().zip(&second).enumerate() {
            let (sample, channel) = (index / channels, index % channels);
            let of_channel =
                x[sample * pixels * channels..][..pixels * channels].iter().skip(channel).step_by(channels);
            let (sum, squares) = of_channel.fold((0.0, 0.0), |(sum, squares), x| (sum + x, squares + x * x));
            assert_eq!((*first, *second), (sum, squares));
        }
    }
}
