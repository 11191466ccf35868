//! Kernels with hand-written derivatives in the tensor library's graph.

use std::fmt;
use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::{Autodiff, BackendTypes, Flex};
use burn::tensor::{DType, Tensor};

type Differentiable = Autodiff<Flex>;

/// A tensor in the graph, as it lies on the CPU in single precision.
pub(in crate::kernels) struct Tracked(<Differentiable as BackendTypes>::FloatTensorPrimitive);

impl Tracked {
    /// `None` if the tensor lies elsewhere, has another precision or is in no graph.
    pub(in crate::kernels) fn new<const D: usize>(tensor: &Tensor<D>) -> Option<Self> {
        let tensor = tensor.clone().try_into_primitive::<Differentiable>().ok()?;
        (tensor.primitive().dtype() == DType::F32).then_some(Self(tensor))
    }

    /// Its memory, in order.
    pub(in crate::kernels) fn contiguous(&self) -> FlexTensor {
        self.0.primitive().to_contiguous()
    }

    /// Its memory as it lies.
    pub(in crate::kernels) fn primitive(&self) -> &FlexTensor {
        self.0.primitive()
    }
}

/// Gradients of `N` inputs by the gradient of the output; only those that are wanted are used.
type Pull<const N: usize> = dyn Fn(FlexTensor, [bool; N]) -> [Option<FlexTensor>; N] + Send + Sync;

struct State<const N: usize>(Arc<Pull<N>>);

impl<const N: usize> Clone for State<N> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<const N: usize> fmt::Debug for State<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a derivative")
    }
}

#[derive(Debug)]
struct HandWritten;

impl<const N: usize> Backward<Flex, N> for HandWritten {
    type State = State<N>;

    fn backward(self, ops: Ops<State<N>, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node).to_contiguous();
        let wanted = ops.parents.each_ref().map(Option::is_some);
        for (parent, gradient) in ops.parents.into_iter().zip((ops.state.0)(gradient, wanted)) {
            if let (Some(parent), Some(gradient)) = (parent, gradient) {
                grads.register::<Flex>(parent.id, gradient);
            }
        }
    }
}

/// The `output` that was computed of `inputs`, in their graph: `pull` gives their gradients.
pub(in crate::kernels) fn differentiable<const N: usize, const D: usize>(
    inputs: [&Tracked; N],
    output: FlexTensor,
    pull: impl Fn(FlexTensor, [bool; N]) -> [Option<FlexTensor>; N] + Send + Sync + 'static,
) -> Tensor<D> {
    let nodes = inputs.map(|input| input.0.node());
    let tensor = match HandWritten.prepare::<NoCheckpointing>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(operation) => operation.finish(State(Arc::new(pull)), output),
        OpsKind::UnTracked(operation) => operation.finish(output),
    };
    Tensor::from_primitive::<Differentiable>(tensor)
}
