//! From tensors of the CPU device to slices, and back.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use burn::backend::Flex;
use burn::backend::flex::{FlexTensor, Layout};
use burn::tensor::{Bytes, DType, Shape, Tensor};

/// The tensor's memory, in order, if it lies on the CPU in single precision and carries no gradient.
pub(in crate::kernels) fn contiguous<const D: usize>(tensor: &Tensor<D>) -> Option<FlexTensor> {
    on_cpu(tensor).map(|tensor| tensor.to_contiguous())
}

/// The tensor as it lies, under the same conditions.
pub(in crate::kernels) fn on_cpu<const D: usize>(tensor: &Tensor<D>) -> Option<FlexTensor> {
    let primitive = tensor.clone().try_into_primitive::<Flex>().ok()?;
    (primitive.dtype() == DType::F32).then_some(primitive)
}

/// The elements of a contiguous tensor.
pub(in crate::kernels) fn elements(tensor: &FlexTensor) -> &[f32] {
    let Some(elements) = tensor.as_slice() else { unreachable!("the tensor was made contiguous") };
    elements
}

/// A tensor of new memory.
pub(in crate::kernels) fn tensor<const D: usize>(elements: Vec<f32>, shape: [usize; D]) -> Tensor<D> {
    Tensor::from_primitive::<Flex>(primitive(elements, shape))
}

/// [`tensor`] without its handle.
pub(in crate::kernels) fn primitive<const D: usize>(elements: Vec<f32>, shape: [usize; D]) -> FlexTensor {
    FlexTensor::new(Bytes::from_elems(elements), Layout::contiguous(Shape::from(shape)), DType::F32)
}

/// Weights in a kernel's own order, for as long as the tensors that they were made of live.
///
/// An entry holds a weak reference to the memory of each tensor. While there is one, the tensor library neither frees
/// the address nor writes in place, so that equal places mean equal contents.
#[derive(Default)]
struct Cache {
    entries: HashMap<Key, Entry>,
}

/// What is packed, and as what.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    kind: TypeId,
    places: Vec<Place>,
}

/// Where a tensor's elements lie.
#[derive(PartialEq, Eq, Hash)]
struct Place {
    address: usize,
    offset: usize,
    shape: Vec<usize>,
    strides: Vec<isize>,
}

struct Entry {
    memory: Vec<Weak<Bytes>>,
    packed: Arc<dyn Any + Send + Sync>,
}

static CACHE: LazyLock<Mutex<Cache>> = LazyLock::new(Mutex::default);

/// Weights of more elements are packed whenever they are used: they serve maps so large that it takes no time, and the
/// copies would fill the memory of a page.
const MOST: usize = 1 << 20;

/// What `pack` makes of `weights`, made once.
pub(in crate::kernels) fn packed<T: Any + Send + Sync>(weights: &[&FlexTensor], pack: impl FnOnce() -> T) -> Arc<T> {
    if weights.iter().map(|weights| weights.layout().num_elements()).sum::<usize>() > MOST {
        return Arc::new(pack());
    }
    let memory: Vec<Arc<Bytes>> = weights.iter().map(|weights| weights.data_arc()).collect();
    let place = |(weights, memory): (&&FlexTensor, &Arc<Bytes>)| {
        let layout = weights.layout();
        Place {
            address: Arc::as_ptr(memory).addr(),
            offset: layout.start_offset(),
            shape: layout.shape().to_vec(),
            strides: layout.strides().to_vec(),
        }
    };
    let key = Key { kind: TypeId::of::<T>(), places: weights.iter().zip(&memory).map(place).collect() };
    let cache = || CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    let known = cache().entries.get(&key).map(|entry| entry.packed.clone());
    if let Some(Ok(known)) = known.map(Arc::downcast) {
        return known;
    }
    let packed = Arc::new(pack());
    let mut cache = cache();
    // Weights of steps and models that are over.
    cache.entries.retain(|_, entry| entry.memory.iter().all(|memory| memory.strong_count() > 0));
    cache.entries.insert(key, Entry { memory: memory.iter().map(Arc::downgrade).collect(), packed: packed.clone() });
    packed
}
