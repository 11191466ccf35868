//! `lfdm eval`: how well a model rebuilds and generates clips of people it was not trained on.
//!
//! `command` opens the `model` under test and goes through the clips of a split. `rebuild` repeats
//! each with the model's auto-encoder, and `reconstruction` measures the frames. `generation`
//! measures whole clips, real, rebuilt and generated: a `series` of clips of one origin has the
//! figures of the action network and `i3d` (through `judges`), which `frechet` compares, and its
//! `drift` from frame 0. `cost` counts operations and parameters, `clip_folders` keeps the clips
//! for others to judge, and `report` has it all.
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

pub(crate) use command::{Args, run};
