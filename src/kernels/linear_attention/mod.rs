//! A residual block of linear attention over the positions of each frame (Shen et al. 2021): `x + attention(norm(x))`.

pub(in crate::kernels) mod cpu;
#[cfg(feature = "native")]
pub(in crate::kernels) mod gradient;
#[cfg(feature = "gpu")]
mod kernel;

use burn::tensor::Tensor;
use burn::tensor::activation::softmax;
use burn::tensor::module::layer_norm;

use self::cpu::LinearAttentionWeights;
use crate::kernels::attention::NORM_EPSILON;
use crate::kernels::attention::cpu::AttentionShape;
#[cfg(feature = "native")]
use crate::kernels::cpu::gradient::{Tracked, differentiable};
#[cfg(feature = "native")]
use crate::kernels::cpu::tensors::primitive;
use crate::kernels::cpu::tensors::{contiguous, elements, on_cpu, packed, tensor};
use crate::kernels::otherwise;

/// The weights of the block.
#[derive(Debug, Clone)]
pub struct LinearAttention {
    /// The number of heads.
    pub heads: usize,
    /// Channels of each head.
    pub head_dim: usize,
    /// Gain of the layer norm over channels, `[channels]`.
    pub gain: Tensor<1>,
    /// Projection to queries, keys and values, `[channels, 3 * heads * head_dim]`.
    pub qkv: Tensor<2>,
    /// Projection of the heads, `[heads * head_dim, channels]`.
    pub out: Tensor<2>,
    /// Of the projection of the heads, `[channels]`.
    pub bias: Tensor<1>,
}

impl LinearAttention {
    /// `x + attention(norm(x))`.
    ///
    /// # Shapes
    /// - `x` and result: `[frames, positions, channels]`
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        #[cfg(feature = "gpu")]
        if let Some(out) = kernel::launch(self, &x) {
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

    /// The kernel of the CPU with its derivative; `None` on any other device.
    #[cfg(feature = "native")]
    fn in_graph(&self, x: &Tensor<3>) -> Option<Tensor<3>> {
        let dims = x.dims();
        let [frames, positions, channels] = dims;
        let &Self { heads, head_dim, .. } = self;
        let shape = AttentionShape { outer: frames, tokens: positions, inner: 1, channels, heads, head_dim };
        let (x, gain, qkv) = (Tracked::new(x)?, Tracked::new(&self.gain)?, Tracked::new(&self.qkv)?);
        let (out, bias) = (Tracked::new(&self.out)?, Tracked::new(&self.bias)?);
        let inputs = [&x, &gain, &qkv, &out, &bias];
        let values = inputs.map(Tracked::contiguous);
        let [_, weights @ ..] = values.each_ref().map(elements);
        let result = cpu::linear_attention(elements(&values[0]), &shape, &LinearAttentionWeights::new(&shape, weights));
        Some(differentiable(inputs, primitive(result, dims), move |gradient, _| {
            let [x, gain, qkv, out, _] = values.each_ref().map(elements);
            let weights = gradient::Weights { gain, qkv, out };
            let by = gradient::gradients(x, &shape, &weights, elements(&gradient));
            let hidden = heads * head_dim;
            [
                Some(primitive(by.x, dims)),
                Some(primitive(by.gain, [channels])),
                Some(primitive(by.qkv, [channels, 3 * hidden])),
                Some(primitive(by.out, [hidden, channels])),
                Some(primitive(by.bias, [channels])),
            ]
        }))
    }

    fn on_cpu(&self, x: &Tensor<3>) -> Option<Tensor<3>> {
        let [frames, positions, channels] = x.dims();
        let &Self { heads, head_dim, .. } = self;
        let shape = AttentionShape { outer: frames, tokens: positions, inner: 1, channels, heads, head_dim };
        let x = contiguous(x)?;
        let matrix = |tensor: &Tensor<2>| on_cpu(tensor);
        let vector = |tensor: &Tensor<1>| on_cpu(tensor);
        let keys = [vector(&self.gain)?, matrix(&self.qkv)?, matrix(&self.out)?, vector(&self.bias)?];
        let values = [contiguous(&self.gain)?, contiguous(&self.qkv)?, contiguous(&self.out)?, contiguous(&self.bias)?];
        let weights = packed(&keys.each_ref(), || LinearAttentionWeights::new(&shape, values.each_ref().map(elements)));
        Some(tensor(cpu::linear_attention(elements(&x), &shape, &weights), [frames, positions, channels]))
    }

    /// [`forward`](Self::forward) in tensor operations, for any device and with gradients.
    ///
    /// # Shapes
    /// - as [`forward`](Self::forward)
    pub fn twin(&self, x: Tensor<3>) -> Tensor<3> {
        let normed = layer_norm(x.clone(), self.gain.clone(), None, NORM_EPSILON);
        x + self.attend(normed)
    }

    /// The attention alone, without norm and residual, in tensor operations.
    ///
    /// # Shapes
    /// - `x` and result: `[frames, positions, channels]`
    pub fn attend(&self, x: Tensor<3>) -> Tensor<3> {
        let [frames, positions, channels] = x.dims();
        let &Self { heads, head_dim, .. } = self;
        let hidden = heads * head_dim;
        let rows = x.clone().reshape([frames * positions, channels]);
        let part = |index: usize| self.qkv.clone().narrow(1, index * hidden, hidden);

        // q is a softmax over the head's channels, k over the positions: each is projected with its softmax axis last.
        let q = softmax(rows.clone().matmul(part(0)).reshape([frames, positions, heads, head_dim]), 3);
        let by_channel = x.swap_dims(1, 2);
        let k = softmax(part(1).transpose().unsqueeze::<3>().matmul(by_channel), 2);
        let k = k.reshape([frames, heads, head_dim, positions]);
        let v = rows.matmul(part(2)).reshape([frames, positions, heads, head_dim]).swap_dims(1, 2);
        let context = k.matmul(v) * (head_dim as f64).powf(-0.5);
        let heard = q.swap_dims(1, 2).matmul(context).swap_dims(1, 2).reshape([frames * positions, hidden]);
        let out = heard.matmul(self.out.clone()) + self.bias.clone().unsqueeze();
        out.reshape([frames, positions, channels])
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tolerance};

    use super::*;
    use crate::noise::NoiseSource;

    #[test]
    fn kernel_and_twin_agree() {
        let device = Device::flex();
        let mut noise = NoiseSource::new(4);
        for ([frames, positions, channels], heads, head_dim) in
            [([2, 5, 6], 2, 8), ([3, 64, 32], 4, 32), ([1, 1, 3], 1, 4), ([2, 9, 130], 3, 20)]
        {
            let hidden = heads * head_dim;
            let block = LinearAttention {
                heads,
                head_dim,
                gain: noise.normal([channels], &device),
                qkv: noise.normal([channels, 3 * hidden], &device) * 0.3,
                out: noise.normal([hidden, channels], &device) * 0.3,
                bias: noise.normal([channels], &device),
            };
            let x: Tensor<3> = noise.normal([frames, positions, channels], &device) * 2.0 + 1.0;
            let kernel = block.on_cpu(&x).unwrap().into_data();
            kernel.assert_approx_eq::<f32>(&block.twin(x).into_data(), Tolerance::absolute(1e-4));
        }
    }

    #[cfg(feature = "gpu")]
    #[test]
    fn kernel_and_twin_agree_on_the_gpu() {
        use crate::kernels::gpu::tests::{difference, gpu, on};
        let Some(gpu) = gpu() else { return };
        let cpu = Device::flex();
        let mut noise = NoiseSource::new(25);
        for ([frames, positions, channels], heads, head_dim) in
            [([2, 5, 6], 2, 8), ([3, 64, 32], 4, 32), ([1, 1, 3], 1, 4), ([2, 200, 130], 3, 20)]
        {
            let hidden = heads * head_dim;
            let block = LinearAttention {
                heads,
                head_dim,
                gain: noise.normal([channels], &cpu),
                qkv: noise.normal([channels, 3 * hidden], &cpu) * 0.3,
                out: noise.normal([hidden, channels], &cpu) * 0.3,
                bias: noise.normal([channels], &cpu),
            };
            let there = LinearAttention {
                gain: on(&gpu, &block.gain),
                qkv: on(&gpu, &block.qkv),
                out: on(&gpu, &block.out),
                bias: on(&gpu, &block.bias),
                ..block
            };
            let x: Tensor<3> = noise.normal([frames, positions, channels], &cpu) * 2.0 + 1.0;
            let Some(found) = kernel::launch(&there, &on(&gpu, &x)) else { panic!("the kernel did not run") };
            assert!(difference(found, block.twin(x)) < 1e-4);
        }
    }

    #[cfg(feature = "native")]
    #[test]
    fn derivatives_are_those_of_the_twin() {
        let device = Device::flex().autodiff();
        let mut noise = NoiseSource::new(17);
        for ([frames, positions, channels], heads, head_dim) in [([20, 5, 6], 2, 8), ([3, 64, 32], 4, 32)] {
            let hidden = heads * head_dim;
            let block = LinearAttention {
                heads,
                head_dim,
                gain: noise.normal::<1>([channels], &device).require_grad(),
                qkv: (noise.normal::<2>([channels, 3 * hidden], &device) * 0.3).detach().require_grad(),
                out: noise.normal::<2>([hidden, channels], &device).require_grad(),
                bias: noise.normal::<1>([channels], &device).require_grad(),
            };
            let x = noise.normal::<3>([frames, positions, channels], &device).require_grad();
            let weights = noise.normal::<3>([frames, positions, channels], &device);
            let gradients = |out: Tensor<3>| {
                let gradients = (out * weights.clone()).sum().backward();
                [
                    x.grad(&gradients).unwrap().into_data(),
                    block.gain.grad(&gradients).unwrap().into_data(),
                    block.qkv.grad(&gradients).unwrap().into_data(),
                    block.out.grad(&gradients).unwrap().into_data(),
                    block.bias.grad(&gradients).unwrap().into_data(),
                ]
            };
            let expected = gradients(block.twin(x.clone()));
            for (kernel, expected) in gradients(block.in_graph(&x).unwrap()).iter().zip(&expected) {
                kernel.assert_approx_eq::<f32>(expected, Tolerance::relative(1e-3).set_absolute(1e-3));
            }
        }
    }
}
