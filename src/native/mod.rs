//! The command line and what it alone needs: files, data, training, evaluation.

mod action_network;
mod animate;
mod baseline;
pub mod bundle_dir;
mod checkpoint;
pub mod cli;
mod contact_sheet;
pub mod data;
mod device;
mod eval;
mod export;
mod export_onnx;
mod export_pth;
mod generate;
pub mod image_file;
mod import;
mod metrics;
mod model;
mod networks;
mod official;
mod pace;
mod progress;
pub mod pth;
mod sheet;
mod staging;
pub mod train;
mod video;
