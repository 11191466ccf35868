//! What the WebGPU kernels share: their launch, and the product under convolutions and projections.
//!
//! The sizes of a launch travel as words of a uniform, which the runtime keeps: a buffer of their own would be a write,
//! and each write ends the submission before it.

pub(super) mod product;
#[cfg(test)]
pub(crate) mod tests;

use burn::tensor::{DType, Shape, Tensor};
use burn_cubecl::CubeDevice;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_wgpu::{CubeBackend, CubeTensor, KernelSource, SourceKernel, SourceTemplate, into_contiguous};
use cubecl::prelude::{CubeCount, CubeDim, KernelId};
use cubecl::server::{KernelArguments, MetadataBindingInfo};

/// A kernel in WGSL.
#[derive(Clone)]
pub(super) struct Shader {
    /// The name of its file.
    pub(super) name: &'static str,
    /// Its text, with names in double braces for `numbers`.
    pub(super) source: &'static str,
    /// What a pipeline is made for.
    pub(super) numbers: Vec<(&'static str, u32)>,
}

impl KernelSource for Shader {
    fn source(&self) -> SourceTemplate {
        let template = SourceTemplate::new(self.source);
        self.numbers.iter().fold(template, |template, &(name, number)| template.register(name, number.to_string()))
    }

    fn id(&self) -> KernelId {
        KernelId::new::<Self>().info((self.name, self.numbers.clone()))
    }

    fn lang(&self) -> &'static str {
        "wgsl"
    }
}

impl Shader {
    /// Runs the kernel in so many workgroups. Its last binding is the uniform, as wide as `info`.
    pub(super) fn launch(self, workgroups: [usize; 3], tensors: &[&CubeTensor], info: &[u32]) {
        let Some(first) = tensors.first() else { unreachable!("a kernel has an output") };
        let [x, y, z] = workgroups.map(|count| count as u32);
        let words = info.chunks(2).map(|pair| u64::from(pair[0]) | u64::from(*pair.get(1).unwrap_or(&0)) << 32);
        let mut arguments =
            KernelArguments::new().with_buffers(tensors.iter().map(|tensor| tensor.handle.clone().binding()).collect());
        arguments.info = MetadataBindingInfo::custom(words.collect());
        let kernel = SourceKernel::new(self, CubeDim::new_1d(1));
        first.client.launch(Box::new(kernel), CubeCount::Static(x, y, z), arguments);
    }
}

/// The tensor as it lies on a WebGPU device, if it lies on one in single precision and carries no gradient.
pub(super) fn on_gpu<const D: usize>(tensor: &Tensor<D>) -> Option<CubeTensor> {
    let primitive = tensor.clone().try_into_primitive::<CubeBackend>().ok()?;
    (matches!(primitive.device, CubeDevice::Wgpu(_)) && primitive.dtype == DType::F32).then_some(primitive)
}

/// The same, contiguous.
pub(super) fn contiguous<const D: usize>(tensor: &Tensor<D>) -> Option<CubeTensor> {
    on_gpu(tensor).map(into_contiguous)
}

/// A new tensor beside another one; its contents are whatever was there.
pub(super) fn empty<const D: usize>(beside: &CubeTensor, shape: [usize; D]) -> CubeTensor {
    empty_of(beside, shape, DType::F32)
}

/// The same, of 32-bit words.
pub(super) fn empty_words<const D: usize>(beside: &CubeTensor, shape: [usize; D]) -> CubeTensor {
    empty_of(beside, shape, DType::I32)
}

fn empty_of<const D: usize>(beside: &CubeTensor, shape: [usize; D], dtype: DType) -> CubeTensor {
    empty_device_contiguous_dtype(beside.client.clone(), beside.device.clone(), Shape::from(shape), dtype)
}

/// Workgroups of 256 invocations for so many elements, and the invocations along their first axis: one axis alone does
/// not reach far.
pub(super) fn elementwise(elements: usize) -> ([usize; 3], u32) {
    const MOST: usize = 65_535;
    let workgroups = elements.div_ceil(256);
    let across = workgroups.min(MOST);
    ([across, workgroups.div_ceil(across.max(1)), 1], across as u32 * 256)
}

/// What is bound where an operand is missing: a binding cannot be absent, and none may be bound twice for writing.
pub(super) fn absent(beside: &CubeTensor) -> CubeTensor {
    empty(beside, [1])
}

/// The tensor of a kernel's output.
pub(super) fn tensor<const D: usize>(primitive: CubeTensor) -> Tensor<D> {
    Tensor::from_primitive::<CubeBackend>(primitive)
}
