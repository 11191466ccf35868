//! State dicts: tensors by key, in PyTorch's names and layout, and their way into and out of burn modules.
//!
//! One layout serves bundles, checkpoints and the official `.pth` files: keys are the official ones, `Linear` weights
//! are `[out, in]`, norms have `weight`, `bias`, `running_mean` and `running_var`. Here, and only here, these are
//! translated to what burn stores.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{DType, Device, Shape, Tensor, TensorData};
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use thiserror::Error;

/// Weights that cannot be read or do not fit a model.
#[derive(Debug, Error)]
pub enum WeightsError {
    /// The file is damaged or has another format.
    #[error("not a safetensors file: {0}; fetch or export it again")]
    Format(#[from] safetensors::SafeTensorError),
    /// A tensor has a float type that weights do not use.
    #[error("tensor `{key}` has type {dtype}, which no weight uses; expected F32, F16 or BF16")]
    Dtype {
        /// The tensor.
        key: String,
        /// Its type, as the file names it.
        dtype: String,
    },
    /// A tensor holds NaN or infinite values.
    #[error("tensor `{key}` holds NaN or infinite values; the file is damaged or its training diverged")]
    NotFinite {
        /// The tensor.
        key: String,
    },
    /// Keys or shapes differ from the model's.
    #[error("the weights do not fit the configuration: {0}")]
    Mismatch(Mismatch),
}

/// Every difference between the keys and shapes of a state dict and a module.
#[derive(Debug, Default)]
pub struct Mismatch {
    /// Keys that the module needs and the dict lacks.
    pub missing: Vec<String>,
    /// Keys of the dict that no parameter takes.
    pub unexpected: Vec<String>,
    /// `(key, expected shape, found shape)`.
    pub misshapen: Vec<(String, Vec<usize>, Vec<usize>)>,
}

impl Mismatch {
    fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty() && self.misshapen.is_empty()
    }
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut parts = Vec::new();
        if !self.missing.is_empty() {
            parts.push(format!("missing {}", self.missing.join(", ")));
        }
        if !self.unexpected.is_empty() {
            parts.push(format!("unexpected {}", self.unexpected.join(", ")));
        }
        for (key, expected, found) in &self.misshapen {
            parts.push(format!("`{key}` should be {expected:?} and is {found:?}"));
        }
        f.write_str(&parts.join("; "))
    }
}

/// Number format of stored weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "native", derive(clap::ValueEnum))]
pub enum WeightDtype {
    /// 4 bytes; what training computes with.
    F32,
    /// 2 bytes; what bundles carry by default.
    F16,
}

impl WeightDtype {
    /// Bytes of a number.
    pub fn size(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 => 2,
        }
    }
}

/// Float tensors by key, in PyTorch's names and layout.
///
/// ```
/// use burn::tensor::TensorData;
/// use lfdm::weights::{StateDict, WeightDtype};
///
/// let mut weights = StateDict::default();
/// weights.insert("motion.std", TensorData::from([0.25_f32, 0.5]));
/// let bytes = weights.to_safetensors(WeightDtype::F16, None)?;
/// let read = StateDict::from_safetensors(&bytes)?;
/// assert_eq!(read.get("motion.std"), weights.get("motion.std"));
/// # Ok::<(), lfdm::weights::WeightsError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct StateDict {
    tensors: BTreeMap<String, TensorData>,
}

impl StateDict {
    /// Reads every float tensor of a safetensors file as f32. Integer tensors (`num_batches_tracked`) are not
    /// weights and are left out.
    ///
    /// # Errors
    /// [`WeightsError`] for a malformed file, a NaN or infinite value, or an exotic float type.
    pub fn from_safetensors(bytes: &[u8]) -> Result<Self, WeightsError> {
        use safetensors::Dtype::{BF16, BOOL, F16, F32, F64, I8, I16, I32, I64, U8, U16, U32, U64};
        let file = SafeTensors::deserialize(bytes)?;
        let mut tensors = BTreeMap::new();
        for (key, view) in file.tensors() {
            let dtype = match view.dtype() {
                F32 => DType::F32,
                F16 => DType::F16,
                BF16 => DType::BF16,
                F64 => DType::F64,
                BOOL | U8 | I8 | U16 | I16 | U32 | I32 | U64 | I64 => continue,
                other => return Err(WeightsError::Dtype { key, dtype: format!("{other:?}") }),
            };
            let data = TensorData::from_bytes_vec(view.data().to_vec(), Shape::from(view.shape().to_vec()), dtype)
                .convert_dtype(DType::F32);
            if data.iter::<f32>().any(|value| !value.is_finite()) {
                return Err(WeightsError::NotFinite { key });
            }
            tensors.insert(key, data);
        }
        Ok(Self { tensors })
    }

    /// The bytes of a safetensors file, with `metadata` in its header.
    ///
    /// # Errors
    /// [`WeightsError::Format`] for what the safetensors writer refuses.
    pub fn to_safetensors(
        &self,
        dtype: WeightDtype,
        metadata: Option<std::collections::HashMap<String, String>>,
    ) -> Result<Vec<u8>, WeightsError> {
        let (burn_dtype, file_dtype) = match dtype {
            WeightDtype::F32 => (DType::F32, safetensors::Dtype::F32),
            WeightDtype::F16 => (DType::F16, safetensors::Dtype::F16),
        };
        let converted: Vec<_> =
            self.tensors.iter().map(|(key, data)| (key, data.clone().convert_dtype(burn_dtype))).collect();
        let views = converted
            .iter()
            .map(|(key, data)| Ok((*key, TensorView::new(file_dtype, data.shape().to_vec(), data.as_bytes())?)))
            .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
        Ok(safetensors::serialize(views, metadata)?)
    }

    /// Adds a tensor, converted to f32, or replaces the one under `key`.
    pub fn insert(&mut self, key: impl Into<String>, data: TensorData) {
        self.tensors.insert(key.into(), data.convert_dtype(DType::F32));
    }

    /// The tensor under `key`.
    pub fn get(&self, key: &str) -> Option<&TensorData> {
        self.tensors.get(key)
    }

    /// All tensors in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &TensorData)> {
        self.tensors.iter().map(|(key, data)| (key.as_str(), data))
    }

    /// Number of tensors.
    pub fn len(&self) -> usize {
        self.tensors.len()
    }

    /// Whether there are no tensors.
    pub fn is_empty(&self) -> bool {
        self.tensors.is_empty()
    }

    /// Adds all tensors of `other`, which replace those under the same keys.
    pub fn merge(&mut self, other: StateDict) {
        self.tensors.extend(other.tensors);
    }

    /// The tensors under `prefix.`, without the prefix.
    pub fn sub(&self, prefix: &str) -> StateDict {
        let tensors = self
            .tensors
            .iter()
            .filter_map(|(key, data)| Some((key.strip_prefix(prefix)?.strip_prefix('.')?.to_owned(), data.clone())));
        StateDict { tensors: tensors.collect() }
    }

    /// The same tensors under `prefix.`.
    pub fn prefixed(self, prefix: &str) -> StateDict {
        StateDict { tensors: self.tensors.into_iter().map(|(key, data)| (format!("{prefix}.{key}"), data)).collect() }
    }

    /// Removes and returns the tensors whose key the predicate accepts.
    pub fn take(&mut self, which: impl Fn(&str) -> bool) -> StateDict {
        let (taken, left) = std::mem::take(&mut self.tensors).into_iter().partition(|(key, _)| which(key));
        self.tensors = left;
        StateDict { tensors: taken }
    }

    /// Keeps the tensors whose key the predicate accepts.
    pub fn filter(mut self, keep: impl Fn(&str) -> bool) -> StateDict {
        self.tensors.retain(|key, _| keep(key));
        self
    }

    /// The tensor `key` of rank `D` on `device`.
    ///
    /// # Errors
    /// [`WeightsError::Mismatch`] if it is missing or has another rank.
    pub fn tensor<const D: usize>(&self, key: &str, device: &Device) -> Result<Tensor<D>, WeightsError> {
        let mismatch = match self.get(key) {
            None => Mismatch { missing: vec![key.to_owned()], ..Default::default() },
            Some(data) if data.rank() != D => {
                Mismatch { misshapen: vec![(key.to_owned(), vec![0; D], data.shape().to_vec())], ..Default::default() }
            }
            Some(data) => return Ok(Tensor::from_data(data.clone(), device)),
        };
        Err(WeightsError::Mismatch(mismatch))
    }
}

/// Fills `module` from `dict`. `rename` maps a module path (`down_blocks.0.conv.weight`) to its key.
///
/// Shapes are compared without their axes of length 1, so a `[1, C, 1, 1, 1]` gain fills a `[C]` parameter and a
/// `(1, 3, 3)` kernel a 2D convolution.
///
/// # Errors
/// [`WeightsError::Mismatch`] with every missing, unexpected and misshapen key.
pub fn load_module<M: Module>(module: M, dict: &StateDict, rename: &dyn Fn(&str) -> String) -> Result<M, WeightsError> {
    let mut loader = Loader { path: Path::default(), dict, rename, used: Vec::new(), mismatch: Mismatch::default() };
    let module = module.map(&mut loader);
    let Loader { used, mut mismatch, .. } = loader;
    mismatch.unexpected = dict.tensors.keys().filter(|key| !used.contains(key) && !is_derived(key)).cloned().collect();
    if mismatch.is_empty() { Ok(module) } else { Err(WeightsError::Mismatch(mismatch)) }
}

/// The parameters and running statistics of `module`, under the keys that `rename` gives their paths.
pub fn collect_module<M: Module>(module: &M, rename: &dyn Fn(&str) -> String) -> StateDict {
    let mut collector = Collector {
        path: Path::default(),
        rename,
        dict: StateDict::default(),
        #[cfg(feature = "native")]
        gradients: None,
    };
    module.visit(&mut collector);
    collector.dict
}

/// The gradients of `module`'s parameters, under the keys that `rename` gives their paths; zeros where none arrived.
#[cfg(feature = "native")]
pub fn collect_gradients<M: Module>(
    module: &M,
    gradients: &burn::tensor::Gradients,
    rename: &dyn Fn(&str) -> String,
) -> StateDict {
    let (path, dict) = (Path::default(), StateDict::default());
    let mut collector = Collector { path, rename, dict, gradients: Some(gradients) };
    module.visit(&mut collector);
    collector.dict
}

/// Whether `key` is a buffer of the official checkpoints that follows from the configuration: an anti-alias kernel or
/// rotary frequencies.
pub(crate) fn is_derived(key: &str) -> bool {
    key.ends_with("rotary_emb.freqs") || key == "down.weight" || key.ends_with(".down.weight")
}

/// Where a traversal stands: names with their container types.
#[derive(Default)]
struct Path(Vec<(String, String)>);

impl Path {
    fn enter(&mut self, name: &str, container: &str) {
        self.0.push((name.to_owned(), container.to_owned()));
    }

    fn leave(&mut self) {
        self.0.pop();
    }

    /// The path with PyTorch's leaf names, and whether the tensor is a transposed `Linear` weight.
    fn resolve(&self) -> (String, bool) {
        let mut names: Vec<&str> = self.0.iter().map(|(name, _)| name.as_str()).collect();
        let container = self.0.last().map_or("", |(_, container)| container.as_str());
        let mut transposed = false;
        if let Some(leaf) = names.last_mut() {
            transposed = container == "Struct:Linear" && *leaf == "weight";
            if container == "Struct:BatchNorm" || container == "Struct:GroupNorm" {
                *leaf = match *leaf {
                    "gamma" => "weight",
                    "beta" => "bias",
                    other => other,
                };
            }
        }
        (names.join("."), transposed)
    }
}

struct Loader<'a> {
    path: Path,
    dict: &'a StateDict,
    rename: &'a dyn Fn(&str) -> String,
    used: Vec<String>,
    mismatch: Mismatch,
}

impl ModuleMapper for Loader<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.leave();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (path, transposed) = self.path.resolve();
        let key = (self.rename)(&path);
        let Some(data) = self.dict.get(&key) else {
            self.mismatch.missing.push(key);
            return param;
        };
        let shape = param.lazy_shape();
        let mut expected: Vec<usize> = shape.to_vec();
        if transposed {
            expected.reverse();
        }
        self.used.push(key.clone());
        if squeezed(&expected) != squeezed(data.shape()) {
            self.mismatch.misshapen.push((key, expected, data.shape().to_vec()));
            return param;
        }
        let mut dims = [0; D];
        dims.copy_from_slice(&expected);
        let mut tensor = Tensor::<D>::from_data(reshaped(data, &dims), &param.lazy_device());
        if transposed {
            tensor = tensor.swap_dims(0, 1);
        }
        // The random values that the parameter would start from are never drawn.
        let id = param.id;
        param.transform_for_load(tensor, id)
    }
}

struct Collector<'a> {
    path: Path,
    rename: &'a dyn Fn(&str) -> String,
    dict: StateDict,
    /// Collects these instead of the values.
    #[cfg(feature = "native")]
    gradients: Option<&'a burn::tensor::Gradients>,
}

impl ModuleVisitor for Collector<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.leave();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let (path, transposed) = self.path.resolve();
        let value = param.val();
        #[cfg(feature = "native")]
        let value = match self.gradients {
            Some(gradients) => value.grad(gradients).unwrap_or_else(|| value.zeros_like().inner()),
            None => value,
        };
        let tensor = if transposed { value.swap_dims(0, 1) } else { value };
        self.dict.insert((self.rename)(&path), tensor.into_data());
    }
}

fn squeezed(shape: &[usize]) -> Vec<usize> {
    shape.iter().copied().filter(|&side| side != 1).collect()
}

fn reshaped(data: &TensorData, dims: &[usize]) -> TensorData {
    TensorData::from_bytes_vec(data.as_bytes().to_vec(), Shape::from(dims.to_vec()), data.dtype())
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};

    #[derive(Module, Debug)]
    struct Pair {
        fc: Linear,
        norm: BatchNorm,
    }

    fn pair(device: &Device) -> Pair {
        Pair { fc: LinearConfig::new(3, 2).init(device), norm: BatchNormConfig::new(2).init(device) }
    }

    #[test]
    fn a_module_survives_the_round_trip_in_pytorch_layout() {
        let device = Device::flex();
        let module = pair(&device);
        let dict = collect_module(&module, &str::to_owned);
        assert_eq!(dict.get("fc.weight").map(|data| data.shape().to_vec()), Some(vec![2, 3]));
        let keys: Vec<_> = dict.iter().map(|(key, _)| key.to_owned()).collect();
        assert_eq!(keys, ["fc.bias", "fc.weight", "norm.bias", "norm.running_mean", "norm.running_var", "norm.weight"]);

        let bytes = dict.to_safetensors(WeightDtype::F32, None).unwrap();
        let reread = StateDict::from_safetensors(&bytes).unwrap();
        let other = load_module(pair(&device), &reread, &str::to_owned).unwrap();
        assert_eq!(other.fc.weight.val().into_data(), module.fc.weight.val().into_data());
    }

    #[test]
    fn every_key_that_does_not_fit_is_listed() {
        let device = Device::flex();
        let mut dict = collect_module(&pair(&device), &str::to_owned).filter(|key| key != "norm.bias");
        dict.insert("fc.weight", TensorData::zeros::<f32, _>([2, 4]));
        dict.insert("extra", TensorData::zeros::<f32, _>([1]));
        let message = load_module(pair(&device), &dict, &str::to_owned).unwrap_err().to_string();
        for part in ["missing norm.bias", "unexpected extra", "`fc.weight` should be [2, 3] and is [2, 4]"] {
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn weights_that_are_not_numbers_are_refused() {
        let mut dict = StateDict::default();
        dict.insert("w", TensorData::from([1.0f32, f32::NAN]));
        let bytes = dict.to_safetensors(WeightDtype::F16, None).unwrap();
        assert!(matches!(StateDict::from_safetensors(&bytes), Err(WeightsError::NotFinite { key }) if key == "w"));
        assert!(matches!(StateDict::from_safetensors(&bytes[..20]), Err(WeightsError::Format(_))));
    }
}
