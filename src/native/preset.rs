//! The models that we ship, by their names on the command line.

use crate::config::LfdmConfig;

/// The demo models.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Preset {
    #[default]
    #[value(name = "faces-64")]
    Faces64,
    #[value(name = "faces-128")]
    Faces128,
}

impl Preset {
    pub(crate) fn config(self, labels: usize) -> LfdmConfig {
        match self {
            Self::Faces64 => LfdmConfig::faces_64(labels),
            Self::Faces128 => LfdmConfig::faces_128(labels),
        }
    }
}
