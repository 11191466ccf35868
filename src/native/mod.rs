//! The command line and what only it needs: files, data, training, evaluation.

pub mod data;
