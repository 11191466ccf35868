//! `lfdm eval`: how well a model rebuilds and generates clips of people it was not trained on.
//!
//! - `command` opens everything and goes through the clips of a split; `report` holds the result.
//! - `model` is the model under test, `rebuild` its auto-encoder, `cost` its size and operations.
//! - `reconstruction` measures rebuilt frames.
//! - `generation` measures whole clips: a `series` for each origin (real, rebuilt, generated), by
//!   the networks of `judges` (the action network and `i3d`), whose features `frechet` compares,
//!   and by the `drift` from frame 0.
//! - `clip_folders` writes the clips for others to judge, and `table` the cells of tables.
//!
//! Evaluation opens what training made, so it may use `train`, never the other way round.

mod clip_folders;
mod command;
mod cost;
mod drift;
mod frechet;
mod generation;
mod i3d;
mod judges;
mod model;
mod rebuild;
mod reconstruction;
mod report;
mod series;
mod table;

pub(crate) use command::{Args, run};
