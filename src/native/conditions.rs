//! `lfdm conditions`: the vectors of labels, for `lfdm import` and `lfdm train dm`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use burn::tensor::Device;

use super::bert::TextEncoder;
use super::staging::{ensure_no_input, write_file};
use super::whole_file::read_small_file;
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
