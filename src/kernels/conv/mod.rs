//! Convolutions of maps in channels-last order, `[images, height, width, channels]`.

pub(in crate::kernels) mod cpu;
#[cfg(feature = "gpu")]
mod kernel;
mod winograd;

use burn::module::Param;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, ConvTranspose2d};
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::module::{conv_transpose2d, conv2d};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions};

#[cfg(feature = "native")]
use burn::backend::flex::FlexTensor;

use self::cpu::{ConvShape, ConvTerms, Doubling, conv_panels, doubling_conv};
#[cfg(feature = "native")]
use self::cpu::{InputGradient, weight_gradient};
use self::winograd::Winograd;
use crate::kernels::cpu::tensors::{contiguous, elements, on_cpu, packed, tensor};
use crate::kernels::group_norm::Affine;
use crate::kernels::otherwise;
use crate::tensor::{channels_first, channels_last, upsample_nearest};

/// The last thing done to an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Activation {
    /// Nothing.
    #[default]
    Identity,
    /// `max(0, x)`
    Relu,
}

/// `activation(conv(prologue(x)) + bias + residual)`, where only the convolution and its bias must be.
#[derive(Debug, Clone)]
pub struct Convolution {
    /// `[out, in, height, width]`
    weight: Tensor<4>,
    /// `[out]`
    bias: Option<Tensor<1>>,
    stride: [usize; 2],
    padding: [usize; 2],
    prologue: Option<Affine>,
    residual: Option<Tensor<4>>,
    /// What the residual goes through.
    gated: Option<Affine>,
    activation: Activation,
}

impl Convolution {
    /// A convolution by `weight`, `[out, in, height, width]`, that moves by one pixel and pads with so many zeros that
    /// the size stays.
    pub fn new(weight: Tensor<4>, bias: Option<Tensor<1>>) -> Self {
        let padding = [2, 3].map(|axis| weight.dims()[axis] / 2);
        Self {
            weight,
            bias,
            stride: [1, 1],
            padding,
            prologue: None,
            residual: None,
            gated: None,
            activation: Activation::Identity,
        }
    }

    /// A layer's convolution.
    ///
    /// # Panics
    /// If the layer has groups, dilation, or a padding that is `Same` or differs from side to side.
    pub fn of(layer: &Conv2d) -> Self {
        assert!(layer.groups == 1 && layer.dilation == [1, 1], "the kernels have neither groups nor dilation");
        let padding = match layer.padding {
            PaddingConfig2d::Explicit(top, left, bottom, right) => {
                assert_eq!([top, left], [bottom, right], "the kernels pad opposite sides alike");
                [top, left]
            }
            PaddingConfig2d::Valid => [0, 0],
            PaddingConfig2d::Same => panic!("the kernels take padding as numbers"),
        };
        let bias = layer.bias.as_ref().map(Param::val);
        Self { stride: layer.stride, padding, ..Self::new(layer.weight.val(), bias) }
    }

    /// Its input first goes through `affine`.
    pub fn after(self, affine: Affine) -> Self {
        Self { prologue: Some(affine), ..self }
    }

    /// With `residual` added, which has the output's shape, or fewer images of it: each is then for several in a row.
    pub fn plus(self, residual: Tensor<4>) -> Self {
        Self { residual: Some(residual), ..self }
    }

    /// With `residual` added after it went through `affine`.
    pub fn plus_gated(self, affine: Affine, residual: Tensor<4>) -> Self {
        Self { residual: Some(residual), gated: Some(affine), ..self }
    }

    /// With a rectifier at the end.
    pub fn relu(self) -> Self {
        Self { activation: Activation::Relu, ..self }
    }

    /// With a rectifier at the end, if so.
    pub fn relu_if(self, rectified: bool) -> Self {
        if rectified { self.relu() } else { self }
    }

    /// Applies it.
    ///
    /// # Shapes
    /// - `x`: `[images, height, width, in]`
    /// - result: `[images, height', width', out]`
    pub fn forward(self, x: Tensor<4>) -> Tensor<4> {
        #[cfg(feature = "gpu")]
        if let Some(out) = kernel::launch(&self, &x) {
            return out;
        }
        if self.has_special_residual(&x) {
            return self.and_residual(x);
        }
        if let Some(out) = self.on_cpu(&x) {
            return out;
        }
        #[cfg(feature = "native")]
        if let Some(out) = self.in_graph(&x) {
            return out;
        }
        otherwise(|| self.twin(x))
    }

    /// Whether the residual is more than a map to be added.
    fn has_special_residual(&self, x: &Tensor<4>) -> bool {
        self.gated.is_some() || self.residual.as_ref().is_some_and(|residual| residual.dims()[0] != x.dims()[0])
    }

    /// The convolution, and then its residual. Only WebGPU has them in one kernel.
    fn and_residual(mut self, x: Tensor<4>) -> Tensor<4> {
        let (residual, gated) = (self.residual.take(), self.gated.take());
        let out = Self { activation: Activation::Identity, ..self.clone() }.forward(x);
        let out = match (gated, residual) {
            (Some(affine), Some(residual)) => affine.apply(residual, Some(out)),
            (None, Some(residual)) => plus_each(out, residual),
            (_, None) => out,
        };
        match self.activation {
            Activation::Identity => out,
            Activation::Relu => relu(out),
        }
    }

    /// The kernel of the CPU with its derivative; `None` on any other device.
    #[cfg(feature = "native")]
    fn in_graph(&self, x: &Tensor<4>) -> Option<Tensor<4>> {
        use crate::kernels::cpu::gradient::{Tracked, differentiable};
        use crate::kernels::cpu::tensors::primitive;
        use crate::kernels::group_norm::cpu::sums;

        Tracked::new(x)?;
        let weight = Tracked::new(&self.weight)?;
        let [out, _, rows, columns] = self.weight.dims();
        let x = match &self.prologue {
            None => x.clone(),
            Some(affine) => affine.apply(x.clone(), None),
        };
        let x = Tracked::new(&x)?;
        let input = x.contiguous();
        let [images, height, width, channels] = input.layout().shape().dims();
        let shape = ConvShape {
            images,
            size: [height, width],
            channels,
            kernel: [rows, columns],
            stride: self.stride,
            padding: self.padding,
        };
        let kernel = weight.contiguous();
        let dims = [out, channels, rows, columns];
        let stored = weight.primitive().clone();
        let backward = packed(&[&stored], || InputGradient::new(elements(&kernel), dims, self.stride, self.padding));
        backward.as_ref().as_ref()?;
        let panels = packed(&[&stored], || conv_panels(elements(&kernel), dims));
        let bias = match &self.bias {
            None => None,
            Some(bias) => Some(Tracked::new(bias)?),
        };
        let addend = bias.as_ref().map(Tracked::contiguous);
        let terms = ConvTerms {
            prologue: None,
            bias: addend.as_ref().map(elements),
            residual: None,
            activation: Activation::Identity,
        };
        let result = cpu::conv(elements(&input), &shape, &panels, terms);
        let [height, width] = shape.out_size();
        let result = primitive(result, [images, height, width, out]);
        let pull = move |gradient: FlexTensor, [by_x, by_weight]: [bool; 2]| {
            let gradient = elements(&gradient);
            let by_x = by_x.then(|| (*backward).as_ref()).flatten().map(|weights| {
                primitive(weights.pull(gradient, &shape, out), [images, shape.size[0], shape.size[1], channels])
            });
            let by_weight =
                by_weight.then(|| primitive(weight_gradient(elements(&input), &shape, gradient, out), dims));
            [by_x, by_weight]
        };
        let out = match &bias {
            None => differentiable([&x, &weight], result, pull),
            Some(bias) => differentiable([&x, &weight, bias], result, move |gradient, [by_x, by_weight, by_bias]| {
                let by_bias = by_bias.then(|| primitive(sums(elements(&gradient), out), [out]));
                let [by_x, by_weight] = pull(gradient, [by_x, by_weight]);
                [by_x, by_weight, by_bias]
            }),
        };
        let out = match &self.residual {
            None => out,
            Some(residual) => out + residual.clone(),
        };
        Some(match self.activation {
            Activation::Identity => out,
            Activation::Relu => relu(out),
        })
    }

    /// The kernel of the CPU; `None` on any other device.
    pub(in crate::kernels) fn on_cpu(&self, x: &Tensor<4>) -> Option<Tensor<4>> {
        let [images, height, width, channels] = x.dims();
        let [out, _, rows, columns] = self.weight.dims();
        let x = contiguous(x)?;
        let stored = on_cpu(&self.weight)?;
        let kernel = contiguous(&self.weight)?;
        let bias = self.bias.as_ref().map(contiguous);
        let residual = self.residual.as_ref().map(contiguous);
        let prologue = self.prologue.as_ref().map(Affine::elements);
        let shape = ConvShape {
            images,
            size: [height, width],
            channels,
            kernel: [rows, columns],
            stride: self.stride,
            padding: self.padding,
        };
        let terms = ConvTerms {
            prologue: match &prologue {
                None => None,
                Some(affine) => Some(affine.as_ref()?.prologue(images)),
            },
            bias: match &bias {
                None => None,
                Some(bias) => Some(elements(bias.as_ref()?)),
            },
            residual: match &residual {
                None => None,
                Some(residual) => Some(elements(residual.as_ref()?)),
            },
            activation: self.activation,
        };
        let dims = self.weight.dims();
        // With vectors of four, products are what takes the time; with wider ones the transforms would be.
        let result = if cfg!(target_family = "wasm") && Winograd::serves(&shape, out) {
            let weights = packed(&[&stored], || Winograd::new(elements(&kernel), [out, channels]));
            winograd::conv(elements(&x), &shape, &weights, terms)
        } else {
            let weights = packed(&[&stored], || conv_panels(elements(&kernel), dims));
            cpu::conv(elements(&x), &shape, &weights, terms)
        };
        let [height, width] = shape.out_size();
        Some(tensor(result, [images, height, width, out]))
    }

    /// [`forward`](Self::forward) in tensor operations, for any device and with gradients.
    ///
    /// # Shapes
    /// - as [`forward`](Self::forward)
    pub fn twin(self, x: Tensor<4>) -> Tensor<4> {
        if self.has_special_residual(&x) {
            return self.and_residual(x);
        }
        let x = match &self.prologue {
            None => x,
            Some(affine) => affine.twin(x, None),
        };
        let options = ConvOptions::new(self.stride, self.padding, [1, 1], 1);
        // Views back and forth cancel out: whole networks of these run in the backend's own order.
        let out = conv2d(channels_first(x), self.weight, self.bias, options);
        let out = match self.residual {
            None => out,
            Some(residual) => out + channels_first(residual),
        };
        channels_last(match self.activation {
            Activation::Identity => out,
            Activation::Relu => relu(out),
        })
    }
}

/// `x` and, for each of its images or for several in a row, one of `residual`.
fn plus_each(x: Tensor<4>, residual: Tensor<4>) -> Tensor<4> {
    let [images, height, width, channels] = x.dims();
    let few = residual.dims()[0];
    let x = x.reshape([few, images / few, height * width, channels]);
    (x + residual.reshape([few, 1, height * width, channels])).reshape([images, height, width, channels])
}

/// A convolution that doubles height and width.
#[derive(Debug, Clone)]
pub enum DoublingConvolution {
    /// Nearest neighbours, then a 3x3 convolution with zeros around the map.
    Nearest(Tensor<4>, Option<Tensor<1>>, Activation),
    /// A transposed 4x4 convolution of stride 2 and padding 1; the weight is `[in, out, 4, 4]`.
    Transposed(Tensor<4>, Option<Tensor<1>>),
}

impl DoublingConvolution {
    /// Nearest neighbours, then a layer's 3x3 convolution.
    pub fn nearest(layer: &Conv2d) -> Self {
        Self::Nearest(layer.weight.val(), layer.bias.as_ref().map(Param::val), Activation::Identity)
    }

    /// A layer's transposed convolution.
    pub fn transposed(layer: &ConvTranspose2d) -> Self {
        Self::Transposed(layer.weight.val(), layer.bias.as_ref().map(Param::val))
    }

    /// With a rectifier at the end of [`Nearest`](Self::Nearest).
    pub fn relu(self) -> Self {
        match self {
            Self::Nearest(weight, bias, _) => Self::Nearest(weight, bias, Activation::Relu),
            Self::Transposed(..) => self,
        }
    }

    /// Applies it.
    ///
    /// # Shapes
    /// - `x`: `[images, height, width, in]`
    /// - result: `[images, 2 * height, 2 * width, out]`
    pub fn forward(self, x: Tensor<4>) -> Tensor<4> {
        #[cfg(feature = "gpu")]
        if let Some(out) = kernel::launch_doubling(&self, &x) {
            return out;
        }
        if let Some(out) = self.on_cpu(&x) {
            return out;
        }
        #[cfg(feature = "native")]
        if let Some(out) = self.in_graph(&x) {
            return out;
        }
        otherwise(|| self.twin(x))
    }

    /// The kernel of the CPU for a transposed convolution with its derivative, which is the convolution that it
    /// transposes; `None` for any other, and on any other device.
    #[cfg(feature = "native")]
    fn in_graph(&self, x: &Tensor<4>) -> Option<Tensor<4>> {
        use crate::kernels::cpu::gradient::{Tracked, differentiable};
        use crate::kernels::cpu::tensors::primitive;

        let Self::Transposed(weight, bias) = self else { return None };
        let dims @ [channels, out, rows, columns] = weight.dims();
        let [images, height, width, _] = x.dims();
        let (x, weight) = (Tracked::new(x)?, Tracked::new(weight)?);
        let (input, kernel, stored) = (x.contiguous(), weight.contiguous(), weight.primitive().clone());
        let forward = packed(&[&stored], || Doubling::transposed(elements(&kernel), [channels, out]));
        let backward = packed(&[&stored], || conv_panels(elements(&kernel), dims));
        let shape = ConvShape {
            images,
            size: [2 * height, 2 * width],
            channels: out,
            kernel: [rows, columns],
            stride: [2, 2],
            padding: [1, 1],
        };
        let size = [images, height, width, channels];
        let result = doubling_conv(elements(&input), size, &forward, None, Activation::Identity);
        let pull = move |gradient: FlexTensor, [by_x, by_weight]: [bool; 2]| {
            let gradient = elements(&gradient);
            let plain = ConvTerms { prologue: None, bias: None, residual: None, activation: Activation::Identity };
            let by_x = by_x.then(|| primitive(cpu::conv(gradient, &shape, &backward, plain), size));
            let weight = || primitive(weight_gradient(gradient, &shape, elements(&input), channels), dims);
            [by_x, by_weight.then(weight)]
        };
        let result: Tensor<4> =
            differentiable([&x, &weight], primitive(result, [images, 2 * height, 2 * width, out]), pull);
        Some(match bias {
            None => result,
            Some(bias) => result + bias.clone().reshape([1, 1, 1, out]),
        })
    }

    fn on_cpu(&self, x: &Tensor<4>) -> Option<Tensor<4>> {
        let (Self::Nearest(weight, bias, _) | Self::Transposed(weight, bias)) = self;
        let shape = x.dims();
        let [images, height, width, _] = shape;
        let x = contiguous(x)?;
        let stored = on_cpu(weight)?;
        let values = contiguous(weight)?;
        let values = elements(&values);
        let bias = match bias {
            None => None,
            Some(bias) => Some(contiguous(bias)?),
        };
        let [first, second, ..] = weight.dims();
        let (weights, activation) = match self {
            Self::Nearest(.., activation) => {
                (packed(&[&stored], || Doubling::nearest(values, [first, second])), *activation)
            }
            Self::Transposed(..) => {
                (packed(&[&stored], || Doubling::transposed(values, [first, second])), Activation::Identity)
            }
        };
        let out = doubling_conv(elements(&x), shape, &weights, bias.as_ref().map(elements), activation);
        Some(tensor(out, [images, 2 * height, 2 * width, weights.columns()]))
    }

    /// [`forward`](Self::forward) in tensor operations, for any device and with gradients.
    ///
    /// # Shapes
    /// - as [`forward`](Self::forward)
    pub fn twin(self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Nearest(weight, bias, activation) => {
                let x = upsample_nearest(channels_first(x));
                let convolution = Convolution { activation, ..Convolution::new(weight, bias) };
                convolution.forward(channels_last(x))
            }
            Self::Transposed(weight, bias) => {
                let options = ConvTransposeOptions::new([2, 2], [1, 1], [0, 0], [1, 1], 1);
                channels_last(conv_transpose2d(channels_first(x), weight, bias, options))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tolerance};

    use super::*;
    use crate::kernels::Gate;
    use crate::noise::NoiseSource;

    /// Whole images to a unit of work and parts of one, few channels and more than a panel has, every kind of kernel.
    #[test]
    fn kernel_and_twin_agree() {
        let device = Device::flex();
        let mut noise = NoiseSource::new(6);
        for ([images, height, width, channels], out, [rows, columns], stride, padding) in [
            ([4, 6, 5, 3], 7, [3, 3], [1, 1], [1, 1]),
            ([8, 16, 16, 32], 32, [3, 3], [1, 1], [1, 1]),
            ([2, 48, 40, 5], 70, [3, 3], [1, 1], [1, 1]),
            ([2, 9, 11, 4], 3, [7, 7], [1, 1], [3, 3]),
            ([6, 16, 16, 6], 8, [4, 4], [2, 2], [1, 1]),
            ([2, 40, 36, 6], 8, [3, 3], [2, 2], [1, 1]),
            ([4, 5, 9, 40], 33, [1, 1], [1, 1], [0, 0]),
            ([2, 7, 30, 6], 8, [3, 1], [2, 1], [1, 0]),
        ] {
            let x: Tensor<4> = noise.normal([images, height, width, channels], &device);
            let mut plain = Convolution::new(noise.normal([out, channels, rows, columns], &device) * 0.2, None);
            (plain.stride, plain.padding) = (stride, padding);
            let mut whole = Convolution { bias: Some(noise.normal([out], &device)), ..plain.clone() }.relu();
            whole = whole.plus(noise.normal(plain.clone().twin(x.clone()).dims(), &device));
            for gate in [Gate::Relu, Gate::Silu] {
                let [scale, shift] = [(); 2].map(|()| noise.normal([2, channels], &device));
                for conv in [plain.clone(), whole.clone(), whole.clone().after(Affine { scale, shift, gate })] {
                    let kernel = conv.on_cpu(&x).unwrap().into_data();
                    let expected = conv.twin(x.clone()).into_data();
                    assert_eq!(kernel.shape(), expected.shape());
                    kernel.assert_approx_eq::<f32>(&expected, Tolerance::absolute(2e-5));
                }
            }
        }
    }

    #[cfg(feature = "gpu")]
    #[test]
    fn kernel_and_twin_agree_on_the_gpu() {
        use crate::kernels::gpu::tests::{difference, gpu, on};
        let Some(gpu) = gpu() else { return };
        let cpu = Device::flex();
        let mut noise = NoiseSource::new(22);
        let moved = |affine: &Affine| Affine {
            scale: on(&gpu, &affine.scale),
            shift: on(&gpu, &affine.shift),
            gate: affine.gate,
        };
        for ([images, height, width, channels], out, [rows, columns], stride, padding) in [
            ([4, 6, 5, 3], 7, [3, 3], [1, 1], [1, 1]),
            ([8, 16, 16, 32], 32, [3, 3], [1, 1], [1, 1]),
            // Large tiles, and narrow ones.
            ([2, 128, 128, 5], 70, [3, 3], [1, 1], [1, 1]),
            ([2, 9, 11, 4], 3, [7, 7], [1, 1], [3, 3]),
            ([6, 16, 16, 6], 8, [4, 4], [2, 2], [1, 1]),
            ([4, 5, 9, 40], 33, [1, 1], [1, 1], [0, 0]),
            ([2, 7, 30, 6], 1, [3, 1], [2, 1], [1, 0]),
        ] {
            let x: Tensor<4> = noise.normal([images, height, width, channels], &cpu);
            // Of more channels than it takes: weights may be a view.
            let weight: Tensor<4> = noise.normal::<4>([out, channels + 2, rows, columns], &cpu) * 0.2;
            let there = on(&gpu, &weight).narrow(1, 1, channels);
            let mut plain = Convolution::new(weight.narrow(1, 1, channels), None);
            (plain.stride, plain.padding) = (stride, padding);
            let shape = plain.clone().twin(x.clone()).dims();
            let mut whole = Convolution { bias: Some(noise.normal([out], &cpu)), ..plain.clone() }.relu();
            whole = whole.plus(noise.normal(shape, &cpu));
            let mut affine = |channels: usize, gate: Gate| {
                let [scale, shift] = [(); 2].map(|()| noise.normal([2, channels], &cpu));
                Affine { scale, shift, gate }
            };
            let gated = Convolution { gated: Some(affine(out, Gate::Silu)), ..whole.clone() };
            let each = whole.clone().plus(whole.residual.clone().unwrap().narrow(0, 0, images / 2));
            let after = [Gate::Relu, Gate::Silu].map(|gate| whole.clone().after(affine(channels, gate)));
            for conv in vec![plain, whole, gated, each].into_iter().chain(after) {
                let there = Convolution {
                    weight: there.clone(),
                    bias: conv.bias.as_ref().map(|bias| on(&gpu, bias)),
                    residual: conv.residual.as_ref().map(|residual| on(&gpu, residual)),
                    prologue: conv.prologue.as_ref().map(moved),
                    gated: conv.gated.as_ref().map(moved),
                    ..conv.clone()
                };
                let Some(found) = kernel::launch(&there, &on(&gpu, &x)) else { panic!("the kernel did not run") };
                assert!(difference(found, conv.twin(x.clone())) < 1e-4);
            }
        }
    }

    #[cfg(feature = "gpu")]
    #[test]
    fn kernel_and_twin_agree_on_doubled_maps_on_the_gpu() {
        use crate::kernels::gpu::tests::{difference, gpu, on};
        let Some(gpu) = gpu() else { return };
        let cpu = Device::flex();
        let mut noise = NoiseSource::new(23);
        for ([images, height, width, channels], out) in
            [([3, 4, 5, 6], 9), ([4, 8, 8, 40], 40), ([1, 32, 40, 7], 3), ([1, 1, 1, 3], 4)]
        {
            let x: Tensor<4> = noise.normal([images, height, width, channels], &cpu);
            let weight: Tensor<4> = noise.normal([out, channels, 3, 3], &cpu);
            let bias: Tensor<1> = noise.normal([out], &cpu);
            let conv =
                |weight: Tensor<4>, bias: Tensor<1>| DoublingConvolution::Nearest(weight, Some(bias), Activation::Relu);
            let there = conv(on(&gpu, &weight), on(&gpu, &bias));
            let Some(found) = kernel::launch_doubling(&there, &on(&gpu, &x)) else { panic!("the kernel did not run") };
            assert!(difference(found, conv(weight, bias.clone()).twin(x.clone())) < 1e-4);

            let weight: Tensor<4> = noise.normal([channels, out, 4, 4], &cpu);
            let conv = |weight: Tensor<4>, bias: Tensor<1>| DoublingConvolution::Transposed(weight, Some(bias));
            let there = conv(on(&gpu, &weight), on(&gpu, &bias));
            let Some(found) = kernel::launch_doubling(&there, &on(&gpu, &x)) else { panic!("the kernel did not run") };
            assert!(difference(found, conv(weight, bias).twin(x)) < 1e-4, "transposed");
        }
    }

    #[test]
    fn minimal_filtering_is_the_same_convolution() {
        let device = Device::flex();
        let mut noise = NoiseSource::new(14);
        for ([images, height, width, channels], out) in
            [([16, 4, 4, 32], 16), ([3, 16, 16, 16], 48), ([1, 40, 24, 16], 16), ([2, 2, 2, 16], 32)]
        {
            let x: Tensor<4> = noise.normal([images, height, width, channels], &device);
            let weight: Tensor<4> = noise.normal::<4>([out, channels, 3, 3], &device) * 0.2;
            let (bias, residual) = (noise.normal([out], &device), noise.normal([images, height, width, out], &device));
            let shape =
                ConvShape { images, size: [height, width], channels, kernel: [3, 3], stride: [1, 1], padding: [1, 1] };
            assert!(Winograd::serves(&shape, out));
            let values = |tensor: &Tensor<4>| contiguous(tensor).unwrap();
            let weights = Winograd::new(elements(&values(&weight)), [out, channels]);
            let (addend, rest) = (contiguous(&bias).unwrap(), values(&residual));
            let terms = ConvTerms {
                prologue: None,
                bias: Some(elements(&addend)),
                residual: Some(elements(&rest)),
                activation: Activation::Relu,
            };
            let result = winograd::conv(elements(&values(&x)), &shape, &weights, terms);
            let expected = Convolution::new(weight, Some(bias)).plus(residual).relu().twin(x);
            let result: Tensor<4> = tensor(result, [images, height, width, out]);
            result.into_data().assert_approx_eq::<f32>(&expected.into_data(), Tolerance::absolute(2e-5));
        }
    }

    #[test]
    fn kernel_and_twin_agree_on_doubled_maps() {
        let device = Device::flex();
        let mut noise = NoiseSource::new(7);
        for ([images, height, width, channels], out) in
            [([3, 4, 5, 6], 9), ([4, 8, 8, 40], 40), ([1, 32, 40, 7], 5), ([1, 1, 1, 3], 4)]
        {
            let x: Tensor<4> = noise.normal([images, height, width, channels], &device);
            let bias = Some(noise.normal([out], &device));
            let kernel = noise.normal([out, channels, 3, 3], &device);
            let nearest = DoublingConvolution::Nearest(kernel, bias.clone(), Activation::Identity);
            let transposed = DoublingConvolution::Transposed(noise.normal([channels, out, 4, 4], &device), bias);
            for conv in [nearest.clone(), nearest.relu(), transposed] {
                let kernel = conv.on_cpu(&x).unwrap().into_data();
                let expected = conv.twin(x.clone()).into_data();
                assert_eq!(kernel.shape(), expected.shape());
                kernel.assert_approx_eq::<f32>(&expected, Tolerance::absolute(1e-4));
            }
        }
    }

    #[test]
    fn weights_that_change_are_packed_anew() {
        let device = Device::flex();
        let mut noise = NoiseSource::new(8);
        let x: Tensor<4> = noise.normal([1, 4, 4, 8], &device);
        let mut weight: Tensor<4> = noise.normal([8, 8, 3, 3], &device);
        for _ in 0..3 {
            let conv = Convolution::new(weight.clone(), None);
            let kernel = conv.on_cpu(&x).unwrap().into_data();
            kernel.assert_approx_eq::<f32>(&conv.twin(x.clone()).into_data(), Tolerance::absolute(1e-4));
            // In place, if the tensor library may.
            weight = weight * 2.0 + 1.0;
        }
    }

    #[cfg(feature = "native")]
    #[test]
    fn derivatives_are_those_of_the_twin() {
        let device = Device::flex().autodiff();
        let mut noise = NoiseSource::new(11);
        for ([images, height, width, channels], out, [rows, columns], stride, padding) in [
            ([8, 6, 5, 3], 7, [3, 3], [1, 1], [1, 1]),
            ([40, 8, 8, 20], 33, [3, 3], [1, 1], [1, 1]),
            ([2, 32, 24, 4], 3, [7, 7], [1, 1], [3, 3]),
            ([6, 16, 16, 6], 8, [4, 4], [2, 2], [1, 1]),
            ([4, 5, 9, 40], 33, [1, 1], [1, 1], [0, 0]),
        ] {
            let mut leaf = |shape: [usize; 4]| noise.normal::<4>(shape, &device).require_grad();
            let (x, weight) = (leaf([images, height, width, channels]), leaf([out, channels, rows, columns]));
            let (scale, bias) = (leaf([2, channels, 1, 1]), leaf([out, 1, 1, 1]));
            let conv = || {
                let mut conv = Convolution::new(weight.clone(), Some(bias.clone().reshape([out])));
                (conv.stride, conv.padding) = (stride, padding);
                let scale = scale.clone().reshape([2, channels]);
                conv.after(Affine { shift: scale.clone() * 0.5, scale, gate: Gate::Silu }).relu()
            };
            let weights = noise.normal::<4>(conv().twin(x.clone()).dims(), &device);
            let gradients = |out: Tensor<4>| {
                let gradients = (out * weights.clone()).sum().backward();
                [&x, &weight, &scale, &bias].map(|leaf| leaf.grad(&gradients).unwrap().into_data())
            };
            let kernel = gradients(conv().in_graph(&x).unwrap());
            for (kernel, expected) in kernel.iter().zip(gradients(conv().twin(x.clone()))) {
                kernel.assert_approx_eq::<f32>(&expected, Tolerance::relative(1e-3).set_absolute(1e-3));
            }
        }
    }
    #[cfg(feature = "native")]
    #[test]
    fn derivatives_of_a_transposed_convolution_are_those_of_the_twin() {
        let device = Device::flex().autodiff();
        let mut noise = NoiseSource::new(12);
        for ([images, height, width, channels], out) in [([3, 4, 5, 6], 9), ([40, 8, 8, 20], 33), ([1, 1, 1, 3], 4)] {
            let mut leaf = |shape: [usize; 4]| noise.normal::<4>(shape, &device).require_grad();
            let leaves = [leaf([images, height, width, channels]), leaf([channels, out, 4, 4]), leaf([out, 1, 1, 1])];
            let [x, weight, bias] = leaves.clone();
            let conv = || DoublingConvolution::Transposed(weight.clone(), Some(bias.clone().reshape([out])));
            let weights = noise.normal::<4>([images, 2 * height, 2 * width, out], &device);
            let gradients = |out: Tensor<4>| {
                let gradients = (out * weights.clone()).sum().backward();
                leaves.each_ref().map(|leaf| leaf.grad(&gradients).unwrap().into_data())
            };
            let kernel = gradients(conv().in_graph(&x).unwrap());
            for (kernel, expected) in kernel.iter().zip(gradients(conv().twin(x))) {
                kernel.assert_approx_eq::<f32>(&expected, Tolerance::relative(1e-3).set_absolute(1e-3));
            }
        }
    }
}
