//! What travels between a trainer and its workers: words and tensors, as a safetensors file in memory, and the ways
//! from modules and their gradients into such a file and back.
//!
//! Parameters travel in the order in which a module visits them, since both ends make the module from the same
//! configuration.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result, bail, ensure};
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Shape, Tensor, TensorData};
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::weights::StateDict;

/// The entry of the header that holds the words.
const WORDS: &str = "words";

/// Words and tensors of 32-bit floats, by name.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Parcel {
    words: String,
    tensors: BTreeMap<String, TensorData>,
}

impl Parcel {
    /// A parcel of words alone.
    pub(crate) fn new(words: &impl Serialize) -> Result<Self> {
        Ok(Self { words: serde_json::to_string(words)?, tensors: BTreeMap::new() })
    }

    /// The same with a tensor.
    pub(crate) fn with<const D: usize>(mut self, name: &str, tensor: Tensor<D>) -> Self {
        self.tensors.insert(name.to_owned(), tensor.into_data());
        self
    }

    /// The same with weights, whose names begin with `prefix`.
    pub(crate) fn with_weights(mut self, prefix: &str, weights: &StateDict) -> Self {
        self.tensors.extend(weights.iter().map(|(key, data)| (format!("{prefix}.{key}"), data.clone())));
        self
    }

    /// What the words say.
    pub(crate) fn words<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.words).context("the words of a message are of another kind")
    }

    /// A tensor, on `device`.
    ///
    /// # Errors
    /// One that is missing or has another rank.
    pub(crate) fn tensor<const D: usize>(&mut self, name: &str, device: &Device) -> Result<Tensor<D>> {
        let data = self.tensors.remove(name).with_context(|| format!("a message lacks {name}"))?;
        ensure!(data.rank() == D, "{name} has {} dimensions in a message, not {D}", data.rank());
        Ok(Tensor::from_data(data, device))
    }

    /// Takes the weights out whose names begin with `prefix`; `None` where there are none.
    pub(crate) fn weights(&mut self, prefix: &str) -> Option<StateDict> {
        let mut weights = StateDict::default();
        let prefix = format!("{prefix}.");
        for (key, data) in std::mem::take(&mut self.tensors) {
            match key.strip_prefix(&prefix) {
                Some(key) => weights.insert(key, data),
                None => drop(self.tensors.insert(key, data)),
            }
        }
        (!weights.is_empty()).then_some(weights)
    }

    /// The same with a list of values, of which some may be missing.
    pub(crate) fn with_list(mut self, prefix: &str, values: Vec<Option<TensorData>>) -> Self {
        let named = values.into_iter().enumerate();
        self.tensors.extend(named.filter_map(|(place, data)| Some((entry(prefix, place), data?))));
        self
    }

    /// Takes the value at a place of a list out.
    fn take(&mut self, prefix: &str, place: usize) -> Option<TensorData> {
        self.tensors.remove(&entry(prefix, place))
    }

    /// Takes a list out that lacks nothing.
    pub(crate) fn list(&mut self, prefix: &str) -> Vec<TensorData> {
        (0..).map_while(|place| self.take(prefix, place)).collect()
    }

    /// The bytes of a safetensors file.
    ///
    /// # Errors
    /// Tensors of other numbers than 32-bit floats.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut views = Vec::with_capacity(self.tensors.len());
        for (name, data) in &self.tensors {
            ensure!(data.dtype() == DType::F32, "{name} is of {:?}, and only 32-bit floats travel", data.dtype());
            views.push((name, TensorView::new(safetensors::Dtype::F32, data.shape().to_vec(), data.as_bytes())?));
        }
        Ok(safetensors::serialize(views, Some(HashMap::from([(WORDS.to_owned(), self.words.clone())])))?)
    }

    /// # Errors
    /// Bytes that [`to_bytes`](Self::to_bytes) does not make.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let (_, header) = SafeTensors::read_metadata(bytes).context("a message is damaged")?;
        let words =
            header.metadata().as_ref().and_then(|metadata| metadata.get(WORDS)).context("a message has no words")?;
        let file = SafeTensors::deserialize(bytes).context("a message is damaged")?;
        let tensor = |(name, view): (String, TensorView<'_>)| {
            ensure!(view.dtype() == safetensors::Dtype::F32, "{name} is of {:?} in a message", view.dtype());
            let shape = Shape::from(view.shape().to_vec());
            Ok((name, TensorData::from_bytes_vec(view.data().to_vec(), shape, DType::F32)))
        };
        Ok(Self { words: words.clone(), tensors: file.tensors().into_iter().map(tensor).collect::<Result<_>>()? })
    }
}

fn entry(prefix: &str, place: usize) -> String {
    format!("{prefix}.{place}")
}

/// The parameters and the running statistics of `module`, in the order of a visit.
pub(crate) fn values_of<M: Module>(module: &M) -> Vec<TensorData> {
    let mut values = Values { values: Vec::new(), only_statistics: false };
    module.visit(&mut values);
    values.values
}

/// What a forward pass in training changes: the running statistics of batch norms, in the order of a visit. `module`
/// has gradients.
pub(crate) fn statistics_of<M: Module>(module: &M) -> Vec<TensorData> {
    let mut values = Values { values: Vec::new(), only_statistics: true };
    module.visit(&mut values);
    values.values
}

struct Values {
    values: Vec<TensorData>,
    only_statistics: bool,
}

impl ModuleVisitor for Values {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val();
        if !(self.only_statistics && value.is_require_grad()) {
            self.values.push(value.into_data());
        }
    }
}

/// `module` with these parameters and statistics, which are of one like it.
///
/// # Errors
/// Values of another module.
pub(crate) fn with_values<M: Module>(module: M, values: Vec<TensorData>) -> Result<M> {
    fill(module, values, false)
}

/// Gives `module` these running statistics, which it shares with its clones. `module` has gradients.
///
/// # Errors
/// Statistics of another module.
pub(crate) fn set_statistics<M: Module>(module: &M, statistics: Vec<TensorData>) -> Result<()> {
    fill(module.clone(), statistics, true).map(|_| ())
}

fn fill<M: Module>(module: M, values: Vec<TensorData>, only_statistics: bool) -> Result<M> {
    let mut filler = Filler { values: values.into_iter(), only_statistics, fits: true };
    let module = module.map(&mut filler);
    ensure!(filler.fits && filler.values.next().is_none(), "the weights of a message are those of another network");
    Ok(module)
}

struct Filler {
    values: std::vec::IntoIter<TensorData>,
    only_statistics: bool,
    fits: bool,
}

impl ModuleMapper for Filler {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let old = param.val();
        if self.only_statistics && old.is_require_grad() {
            return param;
        }
        match self.values.next() {
            Some(data) if data.shape() == &old.shape() => {
                param.map(|_| Tensor::from_data(data, &old.device()).set_require_grad(old.is_require_grad()))
            }
            _ => {
                self.fits = false;
                param
            }
        }
    }
}

/// The gradients of the parameters of `module`, in the order of a visit. What the loss does not reach has none.
pub(crate) fn gradients_to_values<M: Module>(module: &M, gradients: GradientsParams) -> Vec<Option<TensorData>> {
    let mut taker = GradientTaker { gradients, values: Vec::new() };
    module.visit(&mut taker);
    taker.values
}

struct GradientTaker {
    gradients: GradientsParams,
    values: Vec<Option<TensorData>>,
}

impl ModuleVisitor for GradientTaker {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.values.push(self.gradients.remove::<D>(param.id).map(Tensor::into_data));
    }
}

/// The gradients of the parameters of `module`, on its device, out of a parcel that lists them in the order of a visit.
///
/// # Errors
/// Gradients of another module.
pub(crate) fn gradients_of<M: Module>(module: &M, parcel: &mut Parcel, prefix: &str) -> Result<GradientsParams> {
    let mut giver =
        GradientGiver { parcel, prefix, place: 0, gradients: GradientsParams::new(), strangers: Vec::new() };
    module.visit(&mut giver);
    let GradientGiver { gradients, strangers, .. } = giver;
    match strangers.first() {
        Some(place) => bail!("the gradient of parameter {place} has the shape of another network"),
        None => Ok(gradients),
    }
}

struct GradientGiver<'a> {
    parcel: &'a mut Parcel,
    prefix: &'a str,
    place: usize,
    gradients: GradientsParams,
    strangers: Vec<usize>,
}

impl ModuleVisitor for GradientGiver<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(data) = self.parcel.take(self.prefix, self.place) {
            let value = param.val();
            if data.shape() == &value.shape() {
                self.gradients.register(param.id, Tensor::<D>::from_data(data, &value.device().inner()));
            } else {
                self.strangers.push(self.place);
            }
        }
        self.place += 1;
    }
}

#[cfg(test)]
mod tests {
    use burn::nn::{BatchNormConfig, LinearConfig};

    use super::*;

    #[test]
    fn numbers_travel_to_the_bit() {
        let numbers = [0.1_f32, -0.0, f32::NAN, f32::INFINITY, f32::MIN_POSITIVE / 2.0, 3.4e38];
        let host = Device::flex();
        let parcel = Parcel::new(&("words", 7)).unwrap().with("x", Tensor::<1>::from_floats(numbers, &host));
        let parcel = parcel.with_list("list", vec![None, Some(TensorData::from([1.5_f32]))]);
        let mut read = Parcel::from_bytes(&parcel.to_bytes().unwrap()).unwrap();
        assert_eq!(read.words::<(String, u8)>().unwrap(), ("words".to_owned(), 7));
        let bits = |x: &[f32]| x.iter().map(|number| number.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&read.tensor::<1>("x", &host).unwrap().into_data().iter().collect::<Vec<_>>()), bits(&numbers));
        assert!(read.take("list", 0).is_none() && read.take("list", 1).is_some());
        let message = read.tensor::<1>("x", &host).unwrap_err().to_string();
        assert!(message.contains("lacks x"), "{message}");
    }

    #[test]
    fn damaged_messages_are_refused() {
        let bytes = Parcel::new(&1).unwrap().with("x", Tensor::<1>::zeros([9], &Device::flex())).to_bytes().unwrap();
        assert!(Parcel::from_bytes(&bytes).is_ok());
        for end in 0..bytes.len() {
            assert!(Parcel::from_bytes(&bytes[..end]).is_err(), "the first {end} bytes of {}", bytes.len());
        }
        assert!(Parcel::new(&"words").unwrap().words::<u8>().is_err());
    }

    #[test]
    fn weights_and_gradients_find_their_parameters_again() {
        let device = Device::flex().autodiff();
        let [here, there] = [(); 2].map(|()| LinearConfig::new(3, 2).init(&device));
        let there = with_values(there, values_of(&here)).unwrap();
        assert_eq!(values_of(&there), values_of(&here));
        assert_ne!(there.weight.id, here.weight.id);
        let x = Tensor::<2>::from_floats([[1.0, -2.0, 0.5]], &device);
        // The bias gets no gradient.
        let gradients = |module: &burn::nn::Linear| {
            let loss = x.clone().matmul(module.weight.val()).square().sum();
            GradientsParams::from_grads(loss.backward(), module)
        };
        let list = gradients_to_values(&there, gradients(&there));
        assert_eq!(list.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false]);
        let mut parcel = Parcel::new(&()).unwrap().with_list("gradient", list);
        let back = gradients_of(&here, &mut parcel, "gradient").unwrap();
        let [local, remote] = [gradients(&here), back].map(|all| all.get::<2>(here.weight.id).unwrap().into_data());
        assert_eq!(local, remote);

        let wider = LinearConfig::new(4, 2).init(&device);
        assert!(with_values(wider.clone(), values_of(&here)).is_err());
        let mut parcel = Parcel::new(&()).unwrap().with_list("g", gradients_to_values(&there, gradients(&there)));
        assert!(gradients_of(&wider, &mut parcel, "g").is_err());
    }

    #[test]
    fn statistics_are_what_a_forward_pass_changes() {
        let device = Device::flex().autodiff();
        let norm = BatchNormConfig::new(2).init(&device);
        assert_eq!((values_of(&norm).len(), statistics_of(&norm).len()), (4, 2));
        let replica = norm.valid().train();
        replica.forward(Tensor::<3>::from_floats([[[1.0, 2.0], [5.0, 9.0]]], &device));
        let moved = statistics_of(&replica.valid().train());
        assert_ne!(moved, statistics_of(&norm), "a replica has its own");
        set_statistics(&norm, moved.clone()).unwrap();
        assert_eq!(statistics_of(&norm), moved);
        assert!(set_statistics(&norm, moved[..1].to_vec()).is_err());
    }
}
