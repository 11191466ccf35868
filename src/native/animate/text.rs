//! Sentences in place of labels, for official models, which were trained on the vectors of a text encoder.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Result, ensure};
use burn::tensor::{Device, Tensor};

use crate::{
    bundle::{Bundle, sha256},
    condition::ConditionTable,
    native::bert::TextEncoder,
};

/// What the person does, in words.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct TextArgs {
    /// What the person does, in words, for an official model, which was trained on sentences. Several
    /// make a clip of each.
    #[arg(long, value_name = "SENTENCE", num_args = 1.., requires = "bert")]
    pub(super) text: Vec<String>,
    /// Directory of the text encoder that the model was trained with, as for `lfdm conditions`.
    #[arg(long, value_name = "DIR", requires = "text")]
    bert: Option<PathBuf>,
}

impl TextArgs {
    /// Makes every sentence a label of the model; returns the hashes of their vectors.
    ///
    /// # Errors
    /// A model that was trained on labels, an encoder that cannot be read or is of another width, or a sentence that
    /// it cannot encode.
    pub(super) fn teach(&self, bundle: &mut Bundle) -> Result<BTreeMap<String, String>> {
        let mut hashes = BTreeMap::new();
        let Some(dir) = &self.bert else { return Ok(hashes) };
        let device = Device::flex();
        let mut labels = bundle.manifest.labels.clone();
        let known = ConditionTable::from_state(&bundle.weights, labels.clone(), &device)?;
        ensure!(
            !is_one_hot(&known),
            "this model was trained on labels, not on sentences; choose with --label one that it knows: {}",
            labels.join(", ")
        );
        let encoder = TextEncoder::open(dir, &device)?;
        ensure!(
            encoder.width() == known.dim(),
            "the model takes {} numbers per sentence, and the text encoder in {} makes {}; name the encoder that the \
             model was trained with, bert-base-cased for official ones",
            known.dim(),
            dir.display(),
            encoder.width()
        );
        let mut rows =
            labels.iter().map(|label| known.vector(&label.as_str().into())).collect::<Result<Vec<_>, _>>()?;
        for sentence in &self.text {
            if !labels.contains(sentence) {
                let vector = encoder.encode(sentence)?;
                hashes.insert(sentence.clone(), sha256(vector.as_bytes()));
                rows.push(Tensor::<1>::from_data(vector, &device).unsqueeze());
                labels.push(sentence.clone());
            }
        }
        let table = ConditionTable::new(labels.clone(), Tensor::cat(rows, 0))?.to_state();
        bundle.weights.merge(table);
        bundle.manifest.labels = labels;
        Ok(hashes)
    }
}

/// Whether each label has a number of its own, as in models that were trained here.
fn is_one_hot(table: &ConditionTable) -> bool {
    let one_hot = ConditionTable::one_hot(table.labels().to_vec(), &Device::flex()).to_state();
    let table = table.to_state();
    one_hot.iter().eq(table.iter())
}
