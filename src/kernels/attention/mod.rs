//! A residual attention block: `x + attention(norm(x))`, with softmax, inside groups of tokens. Tokens are the frames
//! of a position, or the positions of a frame.

pub(in crate::kernels) mod cpu;
#[cfg(feature = "native")]
mod gradient;
#[cfg(feature = "gpu")]
pub(in crate::kernels) mod kernel;

#[cfg(feature = "native")]
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;
use burn::tensor::activation::softmax;
use burn::tensor::module::layer_norm;

use self::cpu::{AttentionShape, AttentionWeights, Places, turns};
#[cfg(feature = "native")]
use crate::kernels::cpu::gradient::{Tracked, differentiable};
#[cfg(feature = "native")]
use crate::kernels::cpu::tensors::primitive;
use crate::kernels::cpu::tensors::{contiguous, elements, on_cpu, packed, tensor};
use crate::kernels::otherwise;

/// Added to the variance of the layer norm.
pub const NORM_EPSILON: f64 = 1e-5;

/// Weights whose queries carry the attention's scale, which no rotation does for them.
struct Scaled(AttentionWeights);

/// The weights of the block.
#[derive(Debug, Clone)]
pub struct Attention {
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
    /// What queries and keys of each token are multiplied with, `[tokens, head_dim, head_dim]`: rotations of pairs of
    /// neighbouring channels, times `head_dim^(-1/4)`. `None` scales the queries alone.
    pub rotation: Option<Tensor<3>>,
    /// Added to the products of queries and keys, `[heads, tokens, tokens]`.
    pub positions: Option<Tensor<3>>,
}

impl Attention {
    /// `x + attention(norm(x))`; tokens with the same first and third index hear each other.
    ///
    /// # Shapes
    /// - `x` and result: `[outer, tokens, inner, channels]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
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
    fn in_graph(&self, x: &Tensor<4>) -> Option<Tensor<4>> {
        let dims = x.dims();
        let [outer, tokens, inner, channels] = dims;
        let &Self { heads, head_dim, .. } = self;
        let shape = AttentionShape { outer, tokens, inner, channels, heads, head_dim };
        let (x, gain) = (Tracked::new(x)?, Tracked::new(&self.gain)?);
        let (qkv, out) = (Tracked::new(&self.qkv)?, Tracked::new(&self.out)?);
        let rotation = match &self.rotation {
            None => None,
            Some(rotation) => Some(turns(elements(&Tracked::new(rotation)?.contiguous()), head_dim)),
        };
        let positions = match &self.positions {
            None => None,
            Some(positions) => Some(Tracked::new(positions)?),
        };
        let values = [&x, &gain, &qkv, &out].map(Tracked::contiguous);
        let bias = positions.as_ref().map(Tracked::contiguous);
        let [_, weights @ ..] = values.each_ref().map(elements);
        let packed = AttentionWeights::new(&shape, weights, rotation.is_some());
        let places = Places { rotation: rotation.as_deref(), positions: bias.as_ref().map(elements) };
        let result = primitive(cpu::attention(elements(&values[0]), &shape, &packed, places), dims);
        let pull = move |gradient: FlexTensor| {
            let [x, gain, qkv, out] = values.each_ref().map(elements);
            let places = Places { rotation: rotation.as_deref(), positions: bias.as_ref().map(elements) };
            let weights = gradient::Weights { gain, qkv, out, places };
            let by = gradient::gradients(x, &shape, &weights, elements(&gradient));
            let hidden = heads * head_dim;
            let matrices = [
                primitive(by.x, dims),
                primitive(by.gain, [channels]),
                primitive(by.qkv, [channels, 3 * hidden]),
                primitive(by.out, [hidden, channels]),
            ];
            (matrices.map(Some), primitive(by.positions, [heads, tokens, tokens]))
        };
        Some(match &positions {
            None => differentiable([&x, &gain, &qkv, &out], result, move |gradient, _| pull(gradient).0),
            Some(positions) => differentiable([&x, &gain, &qkv, &out, positions], result, move |gradient, _| {
                let ([x, gain, qkv, out], positions) = pull(gradient);
                [x, gain, qkv, out, Some(positions)]
            }),
        })
    }

    fn on_cpu(&self, x: &Tensor<4>) -> Option<Tensor<4>> {
        let [outer, tokens, inner, channels] = x.dims();
        let &Self { heads, head_dim, .. } = self;
        let shape = AttentionShape { outer, tokens, inner, channels, heads, head_dim };
        let x = contiguous(x)?;
        let primitive = |tensor: &Tensor<2>| on_cpu(tensor);
        let [qkv, out] = [&self.qkv, &self.out].map(primitive);
        let gain = on_cpu(&self.gain)?;
        let (qkv, out) = (qkv?, out?);
        let tables = [&self.rotation, &self.positions].map(|table| table.as_ref().map(contiguous));
        let [rotation, positions] = match &tables {
            [None, None] => [None, None],
            [Some(rotation), None] => [Some(rotation.as_ref()?), None],
            [None, Some(positions)] => [None, Some(positions.as_ref()?)],
            [Some(rotation), Some(positions)] => [Some(rotation.as_ref()?), Some(positions.as_ref()?)],
        };
        let turns = rotation.map(|rotation| turns(elements(rotation), head_dim));
        let places = Places { rotation: turns.as_deref(), positions: positions.map(elements) };
        let values = [contiguous(&self.gain)?, contiguous(&self.qkv)?, contiguous(&self.out)?];
        // The tables are not packed: every video has its own.
        let pack = || AttentionWeights::new(&shape, values.each_ref().map(elements), places.rotation.is_some());
        let attend = |weights: &AttentionWeights| cpu::attention(elements(&x), &shape, weights, places);
        let out = match places.rotation {
            None => attend(&packed(&[&gain, &qkv, &out], || Scaled(pack())).0),
            Some(_) => attend(&packed(&[&gain, &qkv, &out], pack)),
        };
        Some(tensor(out, [outer, tokens, inner, channels]))
    }

    /// [`forward`](Self::forward) in tensor operations, for any device and with gradients.
    ///
    /// # Shapes
    /// - as [`forward`](Self::forward)
    pub fn twin(&self, x: Tensor<4>) -> Tensor<4> {
        let normed = layer_norm(x.clone(), self.gain.clone(), None, NORM_EPSILON);
        x + self.attend(normed)
    }

    /// The attention alone, without norm and residual, in tensor operations.
    ///
    /// # Shapes
    /// - `x` and result: `[outer, tokens, inner, channels]`
    pub fn attend(&self, x: Tensor<4>) -> Tensor<4> {
        let [outer, tokens, inner, channels] = x.dims();
        let &Self { heads, head_dim, .. } = self;
        let hidden = heads * head_dim;
        let x = x.reshape([outer * tokens * inner, channels]);

        let part = |index: usize| x.clone().matmul(self.qkv.clone().narrow(1, index * hidden, hidden));
        let turned = |x: Tensor<2>| match &self.rotation {
            None => x,
            // One small matrix for all positions and heads of a token: a product, no gathers.
            Some(rotation) => x
                .reshape([outer, tokens, inner * heads, head_dim])
                .matmul(rotation.clone().unsqueeze())
                .reshape([outer * tokens * inner, hidden]),
        };
        let split = |x: Tensor<2>| x.reshape([outer, tokens, inner, heads, head_dim]);
        let mut q = split(turned(part(0))).permute([0, 2, 3, 1, 4]);
        if self.rotation.is_none() {
            q = q * (head_dim as f64).powf(-0.5);
        }
        let k = split(turned(part(1))).permute([0, 2, 3, 4, 1]);
        let mut scores = q.matmul(k);
        if let Some(positions) = &self.positions {
            scores = scores + positions.clone().unsqueeze();
        }
        let v = split(part(2)).permute([0, 2, 3, 1, 4]);
        let heard = softmax(scores, 4).matmul(v).permute([0, 3, 1, 2, 4]);
        let heard = heard.reshape([outer * tokens * inner, hidden]);
        heard.matmul(self.out.clone()).reshape([outer, tokens, inner, channels])
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tolerance};

    use super::*;
    use crate::diffusion::attention::rotations;
    use crate::noise::NoiseSource;

    #[test]
    fn kernel_and_twin_agree() {
        let device = Device::flex();
        let mut noise = NoiseSource::new(3);
        // Fewer groups than a vector has lanes, more, and both kinds of tokens; odd numbers of tokens.
        for ([outer, tokens, inner, channels], heads, head_dim, tabled) in [
            ([2, 5, 3, 6], 2, 8, true),
            ([1, 16, 64, 32], 4, 32, true),
            ([37, 7, 1, 12], 2, 6, false),
            ([1, 1, 1, 8], 1, 4, true),
        ] {
            let hidden = heads * head_dim;
            let block = Attention {
                heads,
                head_dim,
                gain: noise.normal([channels], &device),
                qkv: noise.normal([channels, 3 * hidden], &device) * 0.3,
                out: noise.normal([hidden, channels], &device) * 0.3,
                rotation: tabled.then(|| rotations(tokens, head_dim, &device)),
                positions: tabled.then(|| noise.normal([heads, tokens, tokens], &device)),
            };
            let x: Tensor<4> = noise.normal([outer, tokens, inner, channels], &device) * 2.0 + 1.0;
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
        let mut noise = NoiseSource::new(24);
        for ([outer, tokens, inner, channels], heads, head_dim, tabled) in [
            ([2, 5, 3, 6], 2, 8, true),
            ([1, 16, 16, 32], 4, 32, true),
            ([37, 7, 1, 12], 2, 6, false),
            ([2, 40, 2, 70], 2, 32, true),
            ([1, 1, 1, 8], 1, 4, true),
        ] {
            let hidden = heads * head_dim;
            let block = Attention {
                heads,
                head_dim,
                gain: noise.normal([channels], &cpu),
                qkv: noise.normal([channels, 3 * hidden], &cpu) * 0.3,
                out: noise.normal([hidden, channels], &cpu),
                rotation: tabled.then(|| rotations(tokens, head_dim, &cpu)),
                positions: tabled.then(|| noise.normal([heads, tokens, tokens], &cpu)),
            };
            // As layers keep them: views in another order.
            let turned = |matrix: &Tensor<2>| on(&gpu, &matrix.clone().transpose()).transpose();
            let there = Attention {
                gain: on(&gpu, &block.gain),
                qkv: turned(&block.qkv),
                out: turned(&block.out),
                rotation: block.rotation.as_ref().map(|rotation| on(&gpu, rotation)),
                positions: block
                    .positions
                    .as_ref()
                    .map(|positions| on(&gpu, &positions.clone().permute([1, 2, 0])).permute([2, 0, 1])),
                ..block
            };
            let x: Tensor<4> = noise.normal([outer, tokens, inner, channels], &cpu) * 2.0 + 1.0;
            let Some(found) = kernel::launch(&there, &on(&gpu, &x)) else { panic!("the kernel did not run") };
            assert!(difference(found, block.twin(x)) < 2e-4);
        }
    }

    #[cfg(feature = "native")]
    #[test]
    fn derivatives_are_those_of_the_twin() {
        let device = Device::flex().autodiff();
        let mut noise = NoiseSource::new(18);
        for ([outer, tokens, inner, channels], heads, head_dim, tabled) in
            [([2, 5, 3, 6], 2, 8, true), ([1, 16, 70, 32], 2, 32, true), ([37, 7, 1, 12], 2, 6, false)]
        {
            let hidden = heads * head_dim;
            let positions = noise.normal::<3>([heads, tokens, tokens], &device).require_grad();
            let block = Attention {
                heads,
                head_dim,
                gain: noise.normal::<1>([channels], &device).require_grad(),
                qkv: (noise.normal::<2>([channels, 3 * hidden], &device) * 0.3).detach().require_grad(),
                out: noise.normal::<2>([hidden, channels], &device).require_grad(),
                rotation: tabled.then(|| rotations(tokens, head_dim, &device)),
                positions: tabled.then(|| positions.clone()),
            };
            let x = noise.normal::<4>([outer, tokens, inner, channels], &device).require_grad();
            let weights = noise.normal::<4>([outer, tokens, inner, channels], &device);
            let gradients = |out: Tensor<4>| {
                let gradients = (out * weights.clone()).sum().backward();
                let mut all = vec![
                    x.grad(&gradients).unwrap().into_data(),
                    block.gain.grad(&gradients).unwrap().into_data(),
                    block.qkv.grad(&gradients).unwrap().into_data(),
                    block.out.grad(&gradients).unwrap().into_data(),
                ];
                all.extend(tabled.then(|| positions.grad(&gradients).unwrap().into_data()));
                all
            };
            let expected = gradients(block.twin(x.clone()));
            for (kernel, expected) in gradients(block.in_graph(&x).unwrap()).iter().zip(&expected) {
                kernel.assert_approx_eq::<f32>(expected, Tolerance::relative(1e-3).set_absolute(2e-3));
            }
        }
    }
}
