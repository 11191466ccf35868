//! Conditions: the vector that stands for a label in the diffusion model.

use burn::tensor::{Device, Tensor, TensorData};
use thiserror::Error;

use crate::weights::{StateDict, WeightsError};

const KEY: &str = "conditions";

/// A condition that the model does not know.
#[derive(Debug, Error)]
pub enum ConditionError {
    /// The model has no such label.
    #[error("unknown label `{label}`; this model knows {}", known.join(", "))]
    UnknownLabel {
        /// The label.
        label: String,
        /// The model's labels.
        known: Vec<String>,
    },
    /// The table has not one row for each label.
    #[error("the condition table has {rows} rows for {labels} labels; export the model again")]
    Rows {
        /// Rows of the table.
        rows: usize,
        /// Labels of the model.
        labels: usize,
    },
    /// The table is missing.
    #[error(transparent)]
    Weights(#[from] WeightsError),
}

/// One vector per label: one-hot for models trained here, sentence embeddings for official ones.
#[derive(Debug, Clone)]
pub struct ConditionTable {
    labels: Vec<String>,
    /// `[labels, condition_dim]`
    vectors: Tensor<2>,
}

impl ConditionTable {
    /// A table of any vectors, one for each label.
    ///
    /// # Shapes
    /// - `vectors`: `[labels, condition_dim]`
    ///
    /// # Errors
    /// [`ConditionError::Rows`] for another number of rows.
    pub fn new(labels: Vec<String>, vectors: Tensor<2>) -> Result<Self, ConditionError> {
        let rows = vectors.dims()[0];
        if rows != labels.len() {
            return Err(ConditionError::Rows { rows, labels: labels.len() });
        }
        Ok(Self { labels, vectors })
    }

    /// A unit vector for each label.
    pub fn one_hot(labels: Vec<String>, device: &Device) -> Self {
        let count = labels.len();
        let mut values = vec![0.0f32; count * count];
        values.iter_mut().step_by(count + 1).for_each(|value| *value = 1.0);
        Self { labels, vectors: Tensor::from_data(TensorData::new(values, [count, count]), device) }
    }

    /// Reads the tensor `conditions`.
    ///
    /// # Errors
    /// [`ConditionError`] if it is missing or has another number of rows.
    pub fn from_state(dict: &StateDict, labels: Vec<String>, device: &Device) -> Result<Self, ConditionError> {
        Self::new(labels, dict.tensor(KEY, device)?)
    }

    /// The table as the tensor `conditions`.
    pub fn to_state(&self) -> StateDict {
        let mut dict = StateDict::default();
        dict.insert(KEY, self.vectors.to_data());
        dict
    }

    /// The labels that have a vector, in the table's order.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// Length of a condition vector.
    pub fn dim(&self) -> usize {
        self.vectors.dims()[1]
    }

    /// # Shapes
    /// - result: `[1, condition_dim]`
    ///
    /// # Errors
    /// [`ConditionError::UnknownLabel`], which lists the known ones
    pub fn vector(&self, label: &str) -> Result<Tensor<2>, ConditionError> {
        match self.labels.iter().position(|known| known == label) {
            Some(row) => Ok(self.vectors.clone().narrow(0, row, 1)),
            None => Err(ConditionError::UnknownLabel { label: label.to_owned(), known: self.labels.clone() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> Vec<String> {
        ["smile", "frown", "blink"].map(str::to_owned).to_vec()
    }

    #[test]
    fn labels_select_their_vector_also_after_a_round_trip() {
        let device = Device::flex();
        let table = ConditionTable::one_hot(labels(), &device);
        let reread = ConditionTable::from_state(&table.to_state(), labels(), &device).unwrap();
        for table in [table, reread] {
            let vector = table.vector("frown").unwrap().into_data().try_to_vec::<f32>().unwrap();
            assert_eq!(vector, [0.0, 1.0, 0.0]);
        }
    }

    #[test]
    fn an_unknown_label_names_the_known_ones() {
        let table = ConditionTable::one_hot(labels(), &Device::flex());
        let message = table.vector("wink").unwrap_err().to_string();
        assert_eq!(message, "unknown label `wink`; this model knows smile, frown, blink");
    }

    #[test]
    fn a_table_needs_one_row_per_label() {
        let vectors = Tensor::zeros([2, 4], &Device::flex());
        assert!(matches!(ConditionTable::new(labels(), vectors), Err(ConditionError::Rows { rows: 2, labels: 3 })));
    }
}
