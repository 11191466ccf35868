//! The report: what was measured, for programs as JSON and for people as text.

use std::fmt::{self, Display};

use anyhow::Result;
use serde::Serialize;

use super::{cost::Cost, generation::Generation, reconstruction::Reconstruction};

/// What was measured of a model.
#[derive(Serialize)]
pub(super) struct Report {
    pub(super) split: &'static str,
    /// Side of the frames in pixels.
    pub(super) size: usize,
    /// `None` for a model without an auto-encoder.
    pub(super) reconstruction: Option<Reconstruction>,
    pub(super) generation: Option<Generation>,
    pub(super) cost: Option<Cost>,
}

impl Report {
    /// The report as a file holds it.
    pub(super) fn to_json(&self) -> Result<Vec<u8>> {
        Ok(serde_json::to_vec_pretty(self)?)
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(reconstruction) = &self.reconstruction {
            writeln!(f, "{reconstruction}")?;
        }
        if let Some(generation) = &self.generation {
            writeln!(f, "{generation}")?;
        }
        if let Some(cost) = &self.cost {
            write!(f, "{cost}")?;
        }
        Ok(())
    }
}
