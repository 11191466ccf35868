//! Weighted sums, and maps beside each other: what is simple, but takes a tensor library several passes.

use burn::tensor::Tensor;

/// Terms that the kernel of WebGPU adds in one pass.
#[cfg(feature = "gpu")]
const MOST: usize = 6;

/// The sum of tensors, each times a factor. Terms whose factor is 0 are left out, but for the first.
///
/// # Panics
/// If there are no terms.
pub fn combine<const D: usize>(terms: Vec<(f64, Tensor<D>)>) -> Tensor<D> {
    let mut terms = terms.into_iter();
    let Some(first) = terms.next() else { panic!("a sum has terms") };
    let terms: Vec<(f64, Tensor<D>)> =
        std::iter::once(first).chain(terms.filter(|&(factor, _)| factor != 0.0)).collect();
    #[cfg(feature = "gpu")]
    if let Some(sum) = combine_on_gpu(&terms) {
        return sum;
    }
    combine_twin(terms)
}

/// [`combine`] in tensor operations, for any device and with gradients; of at least one term.
fn combine_twin<const D: usize>(terms: Vec<(f64, Tensor<D>)>) -> Tensor<D> {
    let weighted = terms.into_iter().map(|(factor, term)| term * factor);
    let Some(sum) = weighted.reduce(|sum, term| sum + term) else { unreachable!("a sum has terms") };
    sum
}

/// [`combine`] on a WebGPU device, by `shaders/combination.wgsl`; `None` on any other, or for more terms than it takes.
#[cfg(feature = "gpu")]
fn combine_on_gpu<const D: usize>(terms: &[(f64, Tensor<D>)]) -> Option<Tensor<D>> {
    use crate::kernels::gpu::{Shader, absent, contiguous, elementwise, empty, tensor};

    let (_, first) = terms.first()?;
    if terms.len() > MOST {
        return None;
    }
    let beside = contiguous(first)?;
    let mut operands = terms.iter().map(|(_, term)| contiguous(term)).collect::<Option<Vec<_>>>()?;
    operands.resize_with(MOST, || absent(&beside));
    let output = empty(&beside, first.dims());
    let count = first.dims().iter().product();
    let (workgroups, invocations) = elementwise(count);
    let mut info = vec![count as u32, invocations, terms.len() as u32, 0];
    info.extend(terms.iter().map(|&(factor, _)| (factor as f32).to_bits()));
    info.resize(4 + 8, 0);
    let source = include_str!("../../shaders/combination.wgsl");
    let shader = Shader { name: "combination", source, numbers: Vec::new() };
    let tensors: Vec<_> = operands.iter().chain([&output]).collect();
    shader.launch(workgroups, &tensors, &info);
    Some(tensor(output))
}

/// `conditional + (conditional - contrast) * gain`, with a gain for each channel.
///
/// # Shapes
/// - `conditional`, `contrast` and result: `[batch, channels, frames, height, width]`
///
/// # Panics
/// If there are not as many gains as channels.
pub fn extrapolate(conditional: Tensor<5>, contrast: Tensor<5>, gains: &[f64]) -> Tensor<5> {
    assert_eq!(conditional.dims()[1], gains.len(), "every channel has a gain");
    #[cfg(feature = "gpu")]
    if let Some(out) = extrapolate_on_gpu(&conditional, &contrast, gains) {
        return out;
    }
    extrapolate_twin(conditional, contrast, gains)
}

/// [`extrapolate`] in tensor operations, for any device and with gradients.
fn extrapolate_twin(conditional: Tensor<5>, contrast: Tensor<5>, gains: &[f64]) -> Tensor<5> {
    let table = Tensor::<1>::from_data(gains, &conditional.device()).reshape([1, gains.len(), 1, 1, 1]);
    conditional.clone() + (conditional - contrast) * table
}

/// [`extrapolate`] on a WebGPU device, by `shaders/guidance.wgsl`; `None` on any other, or for many channels.
#[cfg(feature = "gpu")]
fn extrapolate_on_gpu(conditional: &Tensor<5>, contrast: &Tensor<5>, gains: &[f64]) -> Option<Tensor<5>> {
    use crate::kernels::gpu::{Shader, contiguous, elementwise, empty, tensor};

    const CHANNELS: usize = 32;
    let dims = conditional.dims();
    let [_, channels, frames, height, width] = dims;
    if channels > CHANNELS {
        return None;
    }
    let (conditional, contrast) = (contiguous(conditional)?, contiguous(contrast)?);
    let output = empty(&conditional, dims);
    let count: usize = dims.iter().product();
    let (workgroups, invocations) = elementwise(count);
    let mut info = vec![count as u32, invocations, (frames * height * width) as u32, channels as u32];
    info.extend(gains.iter().map(|&gain| (gain as f32).to_bits()));
    info.resize(4 + CHANNELS, 0);
    let source = include_str!("../../shaders/guidance.wgsl");
    let shader = Shader { name: "guidance", source, numbers: Vec::new() };
    shader.launch(workgroups, &[&conditional, &contrast, &output], &info);
    Some(tensor(output))
}

/// The channels of two maps, the second behind the first.
///
/// # Shapes
/// - `first`: `[images, height, width, channels]`
/// - `second`: of other channels
/// - result: of the channels of both
pub fn concatenate(first: Tensor<4>, second: Tensor<4>) -> Tensor<4> {
    #[cfg(feature = "gpu")]
    if let Some(both) = concatenate_on_gpu(&first, &second) {
        return both;
    }
    Tensor::cat(vec![first, second], 3)
}

/// [`concatenate`] on a WebGPU device, by `shaders/concatenation.wgsl`; `None` on any other.
#[cfg(feature = "gpu")]
fn concatenate_on_gpu(first: &Tensor<4>, second: &Tensor<4>) -> Option<Tensor<4>> {
    use crate::kernels::gpu::{Shader, contiguous, elementwise, empty, tensor};

    let [images, height, width, channels] = first.dims();
    let others = second.dims()[3];
    let (first, second) = (contiguous(first)?, contiguous(second)?);
    let output = empty(&first, [images, height, width, channels + others]);
    let count = images * height * width * (channels + others);
    let (workgroups, invocations) = elementwise(count);
    let source = include_str!("../../shaders/concatenation.wgsl");
    let shader = Shader { name: "concatenation", source, numbers: Vec::new() };
    let info = [count as u32, invocations, channels as u32, others as u32];
    shader.launch(workgroups, &[&first, &second, &output], &info);
    Some(tensor(output))
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn terms_without_weight_are_left_out() {
        let device = Device::flex();
        let number = |value: f32| Tensor::<1>::from_floats([value], &device);
        let sum = combine(vec![(0.0, number(5.0)), (2.0, number(3.0)), (0.0, number(f32::NAN)), (-1.0, number(1.0))]);
        assert_eq!(sum.into_scalar::<f32>(), 5.0);
    }

    #[cfg(feature = "gpu")]
    #[test]
    fn kernels_and_twins_agree_on_the_gpu() {
        use crate::kernels::gpu::tests::{difference, gpu, on};
        use crate::noise::NoiseSource;
        let Some(gpu) = gpu() else { return };
        let cpu = Device::flex();
        let mut noise = NoiseSource::new(21);
        for count in 1..=MOST {
            let terms: Vec<(f64, Tensor<3>)> =
                (0..count).map(|i| (i as f64 * 0.7 - 1.0, noise.normal([3, 7, 50], &cpu))).collect();
            let moved = terms.iter().map(|(factor, term)| (*factor, on(&gpu, term))).collect::<Vec<_>>();
            let Some(sum) = combine_on_gpu(&moved) else { panic!("the kernel did not run") };
            assert!(difference(sum, combine_twin(terms)) < 1e-5);
        }
        let [conditional, contrast] = [(); 2].map(|()| noise.normal::<5>([2, 6, 3, 4, 2], &cpu));
        let gains = [0.5, 0.0, -2.0, 3.0, 1.0, 2.5];
        let Some(out) = extrapolate_on_gpu(&on(&gpu, &conditional), &on(&gpu, &contrast), &gains) else {
            panic!("the kernel did not run")
        };
        assert!(difference(out, extrapolate_twin(conditional, contrast, &gains)) < 1e-5);
        let [first, second] = [5, 3].map(|channels| noise.normal::<4>([2, 4, 3, channels], &cpu));
        let Some(both) = concatenate_on_gpu(&on(&gpu, &first), &on(&gpu, &second)) else {
            panic!("the kernel did not run")
        };
        assert_eq!(difference(both, Tensor::cat(vec![first, second], 3)), 0.0);
    }
}
