//! Golden sets: reading them, comparing with them, keeping the books.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Int, Tensor, TensorData};
use lfdm::native::pth::Checkpoint;
use lfdm::weights::StateDict;
use safetensors::SafeTensors;
use serde_json::Value;

/// Tolerance against the largest absolute value of a golden tensor.
const RELATIVE: f64 = 1e-5;
/// Tolerance against the official implementation's own single-precision error.
const NOISE_FACTOR: f64 = 5.0;

/// What the crate computes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Precision {
    Single,
    Double,
}

/// A golden set: tensors by name, and the weights they were made with.
pub(crate) struct Golden {
    pub(crate) manifest: Value,
    directory: PathBuf,
    tensors: BTreeMap<String, TensorData>,
    pub(crate) weights: StateDict,
}

impl Golden {
    /// The set that `LFDM_ORACLE` names, or the small one of this repository.
    pub(crate) fn open() -> Self {
        let fixture = || Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/oracle");
        let directory = std::env::var_os("LFDM_ORACLE").map_or_else(fixture, PathBuf::from);
        let read = |path: PathBuf| std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));

        let manifest: Value = serde_json::from_slice(&read(directory.join("manifest.json"))).unwrap();
        let files: BTreeSet<&str> = entries(&manifest).map(|(_, entry)| entry["file"].as_str().unwrap()).collect();
        let mut tensors = BTreeMap::new();
        for file in files {
            let bytes = read(directory.join(file));
            for (name, view) in SafeTensors::deserialize(&bytes).unwrap().tensors() {
                tensors.insert(name, to_f32(&view));
            }
        }

        let weights = match weights_file(&directory, &manifest) {
            Some(path) => StateDict::from_safetensors(&read(path)).unwrap(),
            None => checkpoints(&directory),
        };
        Self { manifest, directory, tensors, weights }
    }

    /// Whether this is a full set: only then are the weights complete.
    #[expect(clippy::unused_self, reason = "a property of the set, wherever it comes from")]
    pub(crate) fn is_full(&self) -> bool {
        std::env::var_os("LFDM_ORACLE").is_some()
    }

    /// The official YAML configuration.
    pub(crate) fn yaml(&self) -> Value {
        let text = std::fs::read_to_string(self.directory.join("config.yaml")).unwrap();
        serde_yaml_ng::from_str(&text).unwrap()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// Names that start with `prefix`.
    pub(crate) fn names(&self, prefix: &str) -> Vec<&str> {
        self.tensors.keys().map(String::as_str).filter(|name| name.starts_with(prefix)).collect()
    }

    /// The different next parts of the names that start with `prefix`: cases, times, scales.
    pub(crate) fn parts(&self, prefix: &str) -> BTreeSet<&str> {
        self.names(prefix).into_iter().map(|name| name[prefix.len()..].split('/').next().unwrap()).collect()
    }

    /// The weights of a small extra module, by their keys.
    pub(crate) fn state(&self, prefix: &str) -> StateDict {
        let mut state = StateDict::default();
        for name in self.names(prefix) {
            state.insert(&name[prefix.len()..], self.data(name).clone());
        }
        state
    }

    pub(crate) fn data(&self, name: &str) -> &TensorData {
        self.tensors.get(name).unwrap_or_else(|| panic!("the set has no `{name}`"))
    }

    pub(crate) fn tensor<const D: usize>(&self, name: &str, device: &Device) -> Tensor<D> {
        Tensor::from_data(self.data(name).clone(), device)
    }

    /// A tensor of whole numbers.
    pub(crate) fn whole(&self, name: &str) -> Vec<usize> {
        self.data(name).iter::<f32>().map(|value| value as usize).collect()
    }

    pub(crate) fn entry(&self, name: &str) -> &Value {
        &self.manifest["tensors"][name]
    }
}

/// What was compared, by group: the first two parts of a name.
pub(crate) struct Report {
    precision: Precision,
    groups: BTreeMap<String, Group>,
    failures: Vec<String>,
    compared: BTreeSet<String>,
}

#[derive(Default)]
struct Group {
    compared: usize,
    worst: f64,
    worst_name: String,
}

impl Report {
    pub(crate) fn new(precision: Precision) -> Self {
        Self { precision, groups: BTreeMap::new(), failures: Vec::new(), compared: BTreeSet::new() }
    }

    /// The share of the tolerances that this precision may use: ours is as far from the exact value as the
    /// official one, and in the worst case on the other side.
    fn slack(&self) -> f64 {
        match self.precision {
            Precision::Single => 2.0,
            Precision::Double => 1.0,
        }
    }

    /// Compares `actual` with the golden tensor `name`; a small set may not hold it.
    pub(crate) fn compare<const D: usize>(&mut self, golden: &Golden, name: &str, actual: Tensor<D>) {
        if golden.has(name) {
            let shape = actual.dims().to_vec();
            self.compare_values(golden, name, &shape, &actual.into_data().iter::<f64>().collect::<Vec<_>>());
        } else {
            assert!(!golden.is_full(), "the full set has no `{name}`");
        }
    }

    /// [`compare`](Self::compare) for a list.
    pub(crate) fn compare_list(&mut self, golden: &Golden, name: &str, actual: &[f64]) {
        if golden.has(name) {
            self.compare_values(golden, name, &[actual.len()], actual);
        } else {
            assert!(!golden.is_full(), "the full set has no `{name}`");
        }
    }

    /// [`compare`](Self::compare) for tensor data.
    pub(crate) fn compare_data(&mut self, golden: &Golden, name: &str, actual: &TensorData) {
        self.compare_values(golden, name, actual.shape(), &actual.iter::<f64>().collect::<Vec<_>>());
    }

    /// [`compare_data`](Self::compare_data) where `counts`; the other elements are taken as right.
    pub(crate) fn compare_where(
        &mut self,
        golden: &Golden,
        name: &str,
        actual: &TensorData,
        counts: impl Fn(usize) -> bool,
    ) {
        let expected = golden.data(name).iter::<f64>();
        let values = actual.iter::<f64>().zip(expected).enumerate();
        let values: Vec<f64> = values.map(|(i, (value, expected))| if counts(i) { value } else { expected }).collect();
        self.compare_values(golden, name, actual.shape(), &values);
    }

    /// [`compare`](Self::compare) for whole numbers, which must be equal.
    pub(crate) fn compare_whole<const D: usize>(&mut self, golden: &Golden, name: &str, actual: Tensor<D, Int>) {
        self.compare(golden, name, actual.float());
    }

    /// Whether the rest of the outputs under `prefix` is left to the run in double precision: for what lies
    /// behind the kinks of L1 and ReLU, on one side of them or the other by a rounding that differs between
    /// processors.
    pub(crate) fn leaves_to_double(&mut self, golden: &Golden, prefix: &str) -> bool {
        if self.precision == Precision::Double {
            return false;
        }
        let before = self.compared.len();
        let outputs = golden.names(prefix).into_iter().filter(|name| golden.entry(name)["role"] == "out");
        self.compared.extend(outputs.map(str::to_owned));
        println!("oracle: {prefix}: {} left to double precision", self.compared.len() - before);
        true
    }

    /// Prints one line per group and the verdict, and panics on any tensor that is out of tolerance or was not
    /// compared.
    pub(crate) fn finish(self, golden: &Golden) {
        println!("oracle: {:?} precision, {} x tolerance", self.precision, self.slack());
        for (name, group) in &self.groups {
            let Group { compared, worst, worst_name } = group;
            println!("oracle: {name:24} {compared:4} compared, worst {worst:7.4} of tolerance ({worst_name})");
        }
        for failure in &self.failures {
            println!("oracle: out of tolerance: {failure}");
        }
        // The set's own notes exclude tensors whose true value is zero.
        let is_output = |entry: &Value| entry["role"] == "out" && entry["ill_conditioned"] != true;
        let outputs = entries(&golden.manifest).filter(|(_, entry)| is_output(entry)).map(|(name, _)| name);
        let missing: Vec<&String> = outputs.filter(|name| !self.compared.contains(*name)).collect();
        for name in &missing {
            println!("oracle: missing: {name}");
        }
        let worst = self.groups.values().map(|group| group.worst).fold(0.0, f64::max);
        let compared: usize = self.groups.values().map(|group| group.compared).sum();
        let (failed, missing) = (self.failures.len(), missing.len());
        println!("oracle: worst error {worst:.4} of tolerance");
        println!("oracle: {compared} compared, {failed} out of tolerance, {missing} missing");
        assert!(compared > 0, "nothing was compared");
        assert!(failed == 0 && missing == 0, "{failed} tensors are out of tolerance, {missing} were not compared");
    }

    fn compare_values(&mut self, golden: &Golden, name: &str, shape: &[usize], actual: &[f64]) {
        if golden.entry(name)["ill_conditioned"] == true {
            return;
        }
        let data = golden.data(name);
        let squeeze = |shape: &[usize]| shape.iter().copied().filter(|&side| side != 1).collect::<Vec<_>>();
        assert_eq!(squeeze(shape), squeeze(data.shape()), "shape of `{name}`");

        let expected: Vec<f64> = data.iter::<f64>().collect();
        let number = |field: &str| golden.entry(name)[field].as_f64();
        let largest = number("max_abs").unwrap_or_else(|| expected.iter().fold(0.0, |max, value| value.abs().max(max)));
        let tolerance = (NOISE_FACTOR * number("f32_noise_max").unwrap_or(0.0)).max(RELATIVE * largest).max(1e-12);
        let tolerance = tolerance * self.slack();
        let distance = |(a, b): (&f64, &f64)| if a.is_finite() { (a - b).abs() } else { f64::INFINITY };
        let error = actual.iter().zip(&expected).map(distance).fold(0.0, f64::max);

        self.compared.insert(name.to_owned());
        let group = self.groups.entry(name.split('/').take(2).collect::<Vec<_>>().join("/")).or_default();
        group.compared += 1;
        if error / tolerance >= group.worst {
            group.worst = error / tolerance;
            name.clone_into(&mut group.worst_name);
        }
        if error > tolerance {
            self.failures.push(format!("{name}: error {error:.3e}, tolerance {tolerance:.3e}"));
        }
    }
}

/// `weights_<set>.safetensors`, in the set's directory or beside it.
pub(crate) fn weights_file(directory: &Path, manifest: &Value) -> Option<PathBuf> {
    let name = format!("weights_{}.safetensors", manifest["set"].as_str().unwrap_or("a").to_lowercase());
    [directory.join(&name), directory.join("..").join(&name)].into_iter().find(|path| path.exists())
}

/// The weights of the official checkpoints.
fn checkpoints(directory: &Path) -> StateDict {
    let mut weights = StateDict::default();
    for file in ["lfae.pth", "dm.pth"] {
        let mut checkpoint = Checkpoint::open(&directory.join(file)).unwrap();
        for (name, tensor) in checkpoint.tensors().unwrap() {
            if let Some(data) = checkpoint.read(&tensor).unwrap().filter(|_| !name.starts_with("optimizer")) {
                weights.insert(name, data);
            }
        }
    }
    weights
}

/// Name and description of every tensor of a manifest.
fn entries(manifest: &Value) -> impl Iterator<Item = (&String, &Value)> {
    manifest["tensors"].as_object().unwrap().iter()
}

fn to_f32(view: &safetensors::tensor::TensorView<'_>) -> TensorData {
    use safetensors::Dtype;
    let values: Vec<f32> = match view.dtype() {
        Dtype::F32 => view.data().chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect(),
        Dtype::I64 => {
            view.data().chunks_exact(8).map(|bytes| i64::from_le_bytes(bytes.try_into().unwrap()) as f32).collect()
        }
        Dtype::U8 => view.data().iter().map(|&byte| f32::from(byte)).collect(),
        other => panic!("golden tensors of type {other:?}"),
    };
    TensorData::new(values, view.shape().to_vec())
}
