//! The report: what was measured, for programs as JSON and for people as text.

use std::{
    fmt::{self, Display},
    fs,
    path::Path,
};

use anyhow::{Context, Result};
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
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))?;
        }
        fs::write(path, serde_json::to_vec_pretty(self)?).with_context(|| format!("cannot write {}", path.display()))
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
