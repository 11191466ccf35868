//! Clips of moving people, in memory, delivered at a model's size.
//!
//! A directory becomes a [`ClipSet`] in three steps:
//!
//! 1. `args` holds the options, and `open` picks a reader by what the directory holds.
//! 2. The reader fills `contents`:
//!     - `sheets` reads `meta.json` (`meta`) and one picture per person and take, with exact flow, strengths and
//!       other appearances (`references`) if there are any;
//!     - `synthetic` draws people, for the directory of that name;
//!     - `folders` reads frames, GIFs and videos. `tree` and `layouts` find them, `natural` sorts
//!       them, `partition` holds people out, `frames` decodes a clip (`media`) with `gif_decoder`
//!       and `ffmpeg`, and `tiles` makes its frames square.
//! 3. `crop` may cut the contents, and `clip_set` presents them to a model of some size, length and
//!    labels.
//!
//! Training draws `pairs` of frames (stage 1) or a `clip_batch` (the action network) from the set:
//! parts of frames (`pixels`) by `view`, picked by `sampling`, changed by `augmentation`, with exact
//! `flow` if there is any; stage 2 also asks for other `look`s of frame 0. `random` gives numbers
//! for a seed and a step; `prefetch` draws ahead of the use; `fingerprint` is a hash of all that is
//! in memory; `notices` says things once.
//!
//! Clips differ in length, and not every subject has every label.

mod args;
mod augmentation;
mod clip_batch;
mod clip_set;
mod contents;
mod crop;
mod error;
mod ffmpeg;
mod fingerprint;
#[cfg(test)]
pub(super) mod fixtures;
mod flow;
mod folders;
mod frames;
mod gif_decoder;
mod layouts;
mod look;
mod media;
mod meta;
mod natural;
mod notices;
mod open;
mod pairs;
mod partition;
mod pixels;
mod prefetch;
mod random;
mod references;
mod sampling;
mod sheets;
mod split;
mod synthetic;
mod tiles;
mod tree;
mod view;

#[cfg(test)]
pub(crate) use self::synthetic::SYNTHETIC;
pub(crate) use self::{
    args::{DataArgs, SplitArgs},
    augmentation::{AugmentArgs, Augmentation},
    clip_batch::ClipBatch,
    crop::Crop,
    fingerprint::fingerprint_of,
    media::pictures,
    meta::META,
    pairs::{PairBatch, PairOptions},
    prefetch::Prefetch,
    sampling::Sampling,
    tree::warn_of_unread_in,
    view::View,
};
pub use self::{
    clip_set::{Clip, ClipSet},
    error::DataError,
    split::Split,
};
