//! `lfdm conditions`: the vectors of labels, for `lfdm import` and `lfdm train dm`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use burn::tensor::{Device, Tensor, TensorData};

use super::bert::TextEncoder;
use super::staging::{ensure_no_input, write_file};
use super::whole_file::{read_file, read_small_file};
use crate::condition::ConditionTable;
use crate::weights::{StateDict, WeightDtype};

/// Most bytes of a file of labels.
const LARGEST: u64 = 1 << 20;
/// The name in a safetensors file that no tensor can have.
const RESERVED: &str = "__metadata__";

/// Options of `lfdm conditions`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Directory of the text encoder as Hugging Face lays it out, bert-base-cased for the official
    /// models: config.json, model.safetensors or `pytorch_model.bin`, tokenizer.json or vocab.txt.
    #[arg(long, value_name = "DIR")]
    bert: PathBuf,
    /// Text file with a label on each line, a word or a sentence, as the model was trained with it.
    #[arg(long, value_name = "FILE")]
    labels: PathBuf,
    /// Safetensors file to write, for `lfdm import --conditions` and `lfdm train dm --conditions`.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Computes the vectors and writes them.
pub(crate) fn run(args: &Args) -> Result<()> {
    ensure_no_input(&args.out, &[&args.bert, &args.labels])?;
    let labels = read_labels(&args.labels)?;
    let encoder = TextEncoder::open(&args.bert, &Device::flex())?;
    let mut vectors = StateDict::default();
    for label in &labels {
        vectors.insert(label, encoder.encode(label)?);
    }
    let bytes = vectors.to_safetensors(WeightDtype::F32, None)?;
    write_file(&args.out, &bytes).with_context(|| format!("cannot write {}", args.out.display()))?;
    tracing::info!("{}: {} vectors of {} numbers", args.out.display(), labels.len(), encoder.width());
    Ok(())
}

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

fn read_labels(path: &Path) -> Result<Vec<String>> {
    let unreadable = || format!("cannot read {}", path.display());
    let bytes = read_small_file(path, LARGEST).with_context(unreadable)?;
    let text = String::from_utf8(bytes)
        .with_context(|| format!("{} is no text; name a file with a label on each line", path.display()))?;
    parse_labels(&text).with_context(|| path.display().to_string())
}

/// The labels of a text, a line each, without the spaces around them.
fn parse_labels(text: &str) -> Result<Vec<String>> {
    let mut lines: BTreeMap<&str, usize> = BTreeMap::new();
    let mut labels = Vec::new();
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let (number, label) = (index + 1, line.trim());
        ensure!(!label.is_empty(), "line {number} is empty; write a label on it, or remove it");
        ensure!(
            label != RESERVED,
            "line {number} is `{RESERVED}`, which no tensor can be called; choose another label"
        );
        if let Some(earlier) = lines.insert(label, number) {
            anyhow::bail!("lines {earlier} and {number} are both `{label}`; remove one");
        }
        labels.push(label.to_owned());
    }
    ensure!(!labels.is_empty(), "it is empty; write a label on each line");
    Ok(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_label() {
        let labels = parse_labels("\u{feff}anger\r\nswipe to the left \nwave").unwrap();
        assert_eq!(labels, ["anger", "swipe to the left", "wave"]);
    }

    #[test]
    fn lines_that_are_no_labels_are_named() {
        for (text, part) in [
            ("", "it is empty"),
            ("\n", "line 1 is empty"),
            ("joy\n\nfear\n", "line 2 is empty"),
            ("joy\n \t\n", "line 2 is empty"),
            ("joy\nfear\n joy", "lines 1 and 3 are both `joy`"),
            ("__metadata__", "no tensor can be called"),
        ] {
            let message = parse_labels(text).unwrap_err().to_string();
            assert!(message.contains(part), "{text:?}: {message}");
        }
    }
}
