//! The command line and what only it needs: files, data, training, evaluation.

pub mod cli;
pub mod data;
pub(crate) mod preview;
pub mod train;
