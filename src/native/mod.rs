//! The command line and what only it needs: files, data, training, evaluation.

mod action_network;
pub mod animate;
pub mod baseline;
pub mod bundle_dir;
mod checkpoint;
pub mod cli;
mod contact_sheet;
pub mod data;
mod device;
mod eval;
pub mod export;
pub mod export_pth;
mod generate;
pub mod image_file;
pub mod import;
mod metrics;
mod model;
mod progress;
pub mod pth;
pub mod sheet;
pub(crate) mod staging;
pub mod train;
mod video;
