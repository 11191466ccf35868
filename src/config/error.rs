use thiserror::Error;

/// A setting from which no model can be built.
#[derive(Debug, Error, PartialEq)]
#[error("config: `{field}` {problem}")]
pub struct ConfigError {
    /// Path of the setting, e.g. `lfae.region.scale_factor`.
    pub field: String,
    /// What is wrong with it and what is accepted.
    pub problem: String,
}

impl ConfigError {
    pub(crate) fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }
}
