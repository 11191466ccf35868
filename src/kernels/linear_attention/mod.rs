//! A residual block of linear attention over the positions of each frame (Shen et al. 2021): `x + attention(norm(x))`.

pub(in crate::kernels) mod cpu;

use burn::tensor::Tensor;
use burn::tensor::activation::softmax;
use burn::tensor::module::layer_norm;

use self::cpu::LinearAttentionWeights;
use crate::kernels::attention::NORM_EPSILON;
use crate::kernels::attention::cpu::AttentionShape;
use crate::kernels::cpu::tensors::{contiguous, elements, on_cpu, packed, tensor};

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
        self.on_cpu(&x).unwrap_or_else(|| self.twin(x))
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
}
