//! The vectors of a model's labels.

use burn::tensor::{Device, Tensor, TensorData};

use super::NEUTRAL;
use super::contrast::Contrast;
use super::error::ConditionError;
use super::strengths::Strengths;
use crate::weights::StateDict;

const KEY: &str = "conditions";

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

    /// `table[neutral] + sum of s_i (table[label_i] - table[neutral])` for strengths `s_i`. A plain label is its row of
    /// the table, to the last bit.
    ///
    /// # Shapes
    /// - result: `[1, condition_dim]`
    ///
    /// # Errors
    /// As [`Strengths::weights`].
    pub fn vector(&self, strengths: &Strengths) -> Result<Tensor<2>, ConditionError> {
        let weights = strengths.weights(&self.labels)?;
        // Rows that do not count are left out, so that the others keep their bits, even a zero's sign.
        let counted = weights.iter().enumerate().filter(|&(_, &weight)| weight != 0.0);
        let rows = counted.map(|(row, &weight)| {
            let vector = self.vectors.clone().narrow(0, row, 1);
            if weight == 1.0 { vector } else { vector * weight }
        });
        let sum = rows.reduce(|sum, row| sum + row);
        Ok(sum.unwrap_or_else(|| Tensor::zeros([1, self.dim()], &self.vectors.device())))
    }

    /// What guidance compares labels with; `None` for the null condition, which is the U-Net's.
    ///
    /// # Shapes
    /// - result: `[1, condition_dim]`
    ///
    /// # Errors
    /// [`ConditionError::NoContrast`] without a label [`NEUTRAL`] that is asked for.
    pub(crate) fn contrast(&self, contrast: Contrast) -> Result<Option<Tensor<2>>, ConditionError> {
        match contrast {
            Contrast::Null => Ok(None),
            Contrast::Neutral => self.vector(&NEUTRAL.into()).map(Some).map_err(|_| ConditionError::NoContrast),
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
            let vector = table.vector(&"frown".into()).unwrap().into_data().try_to_vec::<f32>().unwrap();
            assert_eq!(vector, [0.0, 1.0, 0.0]);
        }
    }

    #[test]
    fn an_unknown_label_names_the_known_ones() {
        let table = ConditionTable::one_hot(labels(), &Device::flex());
        let message = table.vector(&"wink".into()).unwrap_err().to_string();
        assert_eq!(message, "unknown label `wink`; this model knows smile, frown, blink");
    }

    #[test]
    fn plain_labels_keep_every_bit_and_others_count_from_neutral() {
        let device = Device::flex();
        let labels = ["smile", "neutral", "frown"].map(str::to_owned).to_vec();
        let rows = [[0.1f32, -0.0, 1.0 / 3.0], [0.7, 1e-8, -0.3], [-2.5, 0.2, 1e7]];
        let table = ConditionTable::new(labels.clone(), Tensor::from_data(rows, &device)).unwrap();
        let vector = |text: &str| {
            let strengths = Strengths::parse(text, &labels).unwrap();
            table.vector(&strengths).unwrap().into_data().try_to_vec::<f32>().unwrap()
        };
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        for (label, row) in labels.iter().zip(&rows) {
            assert_eq!(bits(&vector(label)), bits(row), "{label}");
        }
        assert_eq!(bits(&vector("smile=0")), bits(&rows[1]));
        assert_eq!(bits(&vector("smile=1,frown=0")), bits(&rows[0]));
        for (index, value) in vector("smile=1.25,frown=0.5").into_iter().enumerate() {
            let [smile, neutral, frown] = rows.map(|row| f64::from(row[index]));
            let expected = neutral + 1.25 * (smile - neutral) + 0.5 * (frown - neutral);
            assert!((f64::from(value) - expected).abs() <= 1e-6 * expected.abs().max(1.0), "{value} {expected}");
        }
    }

    #[test]
    fn a_table_needs_one_row_per_label() {
        let vectors = Tensor::zeros([2, 4], &Device::flex());
        assert!(matches!(ConditionTable::new(labels(), vectors), Err(ConditionError::Rows { rows: 2, labels: 3 })));
    }
}
