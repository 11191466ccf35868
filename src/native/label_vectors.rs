//! What labels are to a network that is trained or imported: vectors of a text encoder, from it or from a file.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use burn::tensor::{Device, Tensor, TensorData};

use super::bert::TextEncoder;
use super::whole_file::read_file;
use crate::condition::ConditionTable;
use crate::weights::StateDict;

/// What labels are to a network that is trained.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ConditionArgs {
    /// Directory of a text encoder, as `lfdm conditions` takes it: labels are its vectors of them, and the model can be
    /// asked for any sentence [default: labels are numbers to the model]
    #[arg(long, value_name = "DIR")]
    bert: Option<PathBuf>,
    /// Safetensors file with a vector for each label, which `lfdm conditions` or another text encoder made.
    #[arg(long, value_name = "FILE", conflicts_with = "bert")]
    conditions: Option<PathBuf>,
}

impl ConditionArgs {
    /// The vectors of `labels`; `None` if they are numbers.
    pub(crate) fn open(&self, labels: &[String]) -> Result<Option<ConditionTable>> {
        if let Some(dir) = &self.bert {
            return encoded(dir, labels).map(Some);
        }
        let Some(path) = &self.conditions else { return Ok(None) };
        let mut problems = Vec::new();
        let table = read(path, Some(labels), None, &mut problems)?;
        ensure!(table.is_some(), "{}; write the file anew with `lfdm conditions`", problems.join("; "));
        Ok(table)
    }
}

/// The vectors that the text encoder in `dir` has for `labels`.
fn encoded(dir: &Path, labels: &[String]) -> Result<ConditionTable> {
    let device = Device::flex();
    let encoder = TextEncoder::open(dir, &device)?;
    let vectors = labels.iter().map(|label| Ok(Tensor::<1>::from_data(encoder.encode(label)?, &device)));
    Ok(ConditionTable::new(labels.to_vec(), Tensor::stack(vectors.collect::<Result<_>>()?, 0))?)
}

/// The vectors of `labels`, or of all labels in the file in alphabetical order. Each has `width` numbers, or as many as
/// the first. Adds to `problems` and returns nothing if one is missing or has another length.
///
/// # Errors
/// A file that cannot be read, or is no safetensors file.
pub(crate) fn read(
    path: &Path,
    labels: Option<&[String]>,
    width: Option<usize>,
    problems: &mut Vec<String>,
) -> Result<Option<ConditionTable>> {
    let bytes = read_file(path).with_context(|| format!("cannot read {}", path.display()))?;
    let vectors = StateDict::from_safetensors(&bytes).with_context(|| format!("cannot use {}", path.display()))?;
    let known: Vec<String> = vectors.iter().map(|(label, _)| label.to_owned()).collect();
    let labels = labels.map_or_else(|| known.clone(), <[String]>::to_vec);
    let before = problems.len();
    if labels.is_empty() {
        problems.push(format!("{} holds no vectors; it needs one tensor per label", path.display()));
    }
    let first = || labels.iter().find_map(|label| vectors.get(label)).map(TensorData::num_elements);
    let length = width.or_else(first).unwrap_or(0);
    let mut table = Vec::with_capacity(labels.len() * length);
    for label in &labels {
        match vectors.get(label) {
            None => {
                problems.push(format!("{} has no vector for `{label}`; it knows {}", path.display(), known.join(", ")));
            }
            Some(vector) if vector.num_elements() != length || vector.shape().last() != Some(&length) => {
                let shape = vector.shape().to_vec();
                let what = format!("the vector of `{label}` should be [{length}] and is {shape:?}");
                let why = if width.is_some() { "the U-Net was trained with" } else { "it comes from" };
                problems.push(format!("{}: {what}; {why} another text encoder", path.display()));
            }
            Some(vector) => table.extend(vector.iter::<f32>()),
        }
    }
    if problems.len() > before {
        return Ok(None);
    }
    let vectors = Tensor::from_data(TensorData::new(table, [labels.len(), length]), &Device::flex());
    Ok(Some(ConditionTable::new(labels, vectors)?))
}
