//! The launch of `shaders/product.wgsl`: convolutions and projections.

use burn::tensor::Tensor;
use burn_wgpu::CubeTensor;

use super::{Shader, absent, empty, on_gpu};

/// Tiles that keep any device busy: from so many on, larger ones save more than they leave idle.
const MANY: usize = 512;

/// The weights and how they lie.
pub(in crate::kernels) struct Weights {
    pub(in crate::kernels) tensor: CubeTensor,
    /// From one weight to that of the next output channel, of the next input channel and of the next place.
    pub(in crate::kernels) strides: [usize; 3],
}

/// A scale and a shift per sample and channel, and what follows them.
pub(in crate::kernels) struct Terms {
    /// `[samples, channels]`
    pub(in crate::kernels) scale: CubeTensor,
    /// `[samples, channels]`
    pub(in crate::kernels) shift: CubeTensor,
    /// SiLU; otherwise a rectifier.
    pub(in crate::kernels) is_silu: bool,
}

/// What is done besides the product.
#[derive(Default)]
pub(in crate::kernels) enum Prologue {
    #[default]
    None,
    /// Of the input, as it is read.
    Input(Terms),
    /// Of the residual, before it is added.
    Residual(Terms),
    /// Layer norm of the input's channels with this gain and epsilon.
    Norm(CubeTensor, f32),
}

/// What becomes of the input's pixels before the kernel sees them.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(in crate::kernels) enum Spread {
    /// They stay.
    #[default]
    None,
    /// Each is there twice, down and across.
    Twice,
    /// Zeros between them, and the kernel backwards: a transposed convolution of stride 2.
    Zeros,
}

/// A convolution of maps, `[images, height, width, channels]`.
pub(in crate::kernels) struct Product {
    pub(in crate::kernels) input: CubeTensor,
    /// Of the input.
    pub(in crate::kernels) shape: [usize; 4],
    pub(in crate::kernels) weights: Weights,
    /// Output channels.
    pub(in crate::kernels) columns: usize,
    pub(in crate::kernels) kernel: [usize; 2],
    pub(in crate::kernels) stride: [usize; 2],
    pub(in crate::kernels) padding: [usize; 2],
    pub(in crate::kernels) spread: Spread,
    /// `[columns]`
    pub(in crate::kernels) bias: Option<CubeTensor>,
    /// Like the output, for so many images: each serves several in a row if there are fewer.
    pub(in crate::kernels) residual: Option<(CubeTensor, usize)>,
    pub(in crate::kernels) prologue: Prologue,
    /// A rectifier at the end.
    pub(in crate::kernels) is_rectified: bool,
}

impl Product {
    /// A product of each pixel with `weights`, and nothing else.
    pub(in crate::kernels) fn of_pixels(
        input: CubeTensor,
        shape: [usize; 4],
        weights: Weights,
        columns: usize,
    ) -> Self {
        Self {
            input,
            shape,
            weights,
            columns,
            kernel: [1, 1],
            stride: [1, 1],
            padding: [0, 0],
            spread: Spread::None,
            bias: None,
            residual: None,
            prologue: Prologue::None,
            is_rectified: false,
        }
    }

    /// Height and width of the output.
    pub(in crate::kernels) fn out_size(&self) -> [usize; 2] {
        let sides = self.seen();
        [0, 1].map(|axis| (sides[axis] + 2 * self.padding[axis] - self.kernel[axis]) / self.stride[axis] + 1)
    }

    /// Height and width of the input as the kernel sees it.
    fn seen(&self) -> [usize; 2] {
        [self.shape[1], self.shape[2]].map(|side| match self.spread {
            Spread::None => side,
            Spread::Twice => 2 * side,
            Spread::Zeros => 2 * side - 1,
        })
    }

    /// The output, `[images, height, width, columns]`.
    pub(in crate::kernels) fn launch(&self) -> CubeTensor {
        let [images, _, _, channels] = self.shape;
        let [height, width] = self.seen();
        let [out_height, out_width] = self.out_size();
        let rows = images * out_height * out_width;
        let output = empty(&self.input, [images, out_height, out_width, self.columns]);
        let spare = || absent(&self.input);
        let (kind, [scale, shift], is_silu, epsilon) = match &self.prologue {
            Prologue::None => (0, [spare(), spare()], false, 0.0),
            Prologue::Input(terms) => (1, [terms.scale.clone(), terms.shift.clone()], terms.is_silu, 0.0),
            Prologue::Residual(terms) => (2, [terms.scale.clone(), terms.shift.clone()], terms.is_silu, 0.0),
            Prologue::Norm(gain, epsilon) => (3, [gain.clone(), spare()], false, *epsilon),
        };
        let samples = if kind == 1 || kind == 2 { scale.meta.shape()[0] } else { 1 };
        let residuals = self.residual.as_ref().map_or(0, |&(_, images)| images);
        let residual = self.residual.as_ref().map_or_else(spare, |(residual, _)| residual.clone());
        let bias = self.bias.clone().unwrap_or_else(spare);
        let [by_column, by_channel, by_tap] = self.weights.strides;
        let sizes = [
            rows,
            self.columns,
            channels,
            samples,
            images,
            height,
            width,
            out_height,
            out_width,
            self.kernel[0],
            self.kernel[1],
            self.stride[0],
            self.stride[1],
            self.padding[0],
            self.padding[1],
            self.spread as usize,
            by_column,
            by_channel,
            by_tap,
            usize::from(self.bias.is_some()),
            residuals,
            kind,
            usize::from(is_silu),
            usize::from(self.is_rectified),
        ];
        let info: Vec<u32> = sizes.into_iter().map(|size| size as u32).chain([epsilon.to_bits()]).collect();
        let (shader, [tall, wide]) = tile(rows, self.columns);
        let workgroups = [self.columns.div_ceil(wide), rows.div_ceil(tall), 1];
        let tensors = [&self.input, &self.weights.tensor, &bias, &residual, &scale, &shift, &output];
        shader.launch(workgroups, &tensors, &info);
        output
    }
}

/// The kernel for an output of so many rows and columns, and the shape of its tiles.
fn tile(rows: usize, columns: usize) -> (Shader, [usize; 2]) {
    let tiles = |[tall, wide]: [usize; 2]| rows.div_ceil(tall) * columns.div_ceil(wide);
    let shape = if columns <= 4 {
        // Pictures and masks.
        [128, 4]
    } else if columns >= 64 && tiles([64, 64]) >= MANY {
        [64, 64]
    } else {
        [32, 32]
    };
    let numbers = vec![("rows", shape[0] as u32), ("columns", shape[1] as u32)];
    let source = include_str!("../../../shaders/product.wgsl");
    (Shader { name: "product", source, numbers }, shape)
}

/// A projection's weights, `[in, out]`, as they lie: layers store them the other way round.
pub(in crate::kernels) fn rows(weight: &Tensor<2>) -> Option<Weights> {
    let tensor = on_gpu(weight)?;
    let strides = [tensor.meta.strides()[1], tensor.meta.strides()[0], 0];
    Some(Weights { tensor, strides })
}
