//! A set of clips on disk, as `lfdm train` reads it.
//!
//! Of each person and take there is a sheet of frames, a file with what its clips show, and as asked for other
//! appearances of the first frame, regions and flow. Files are written aside and moved into their places, the one with
//! the clips last, so that an interrupted run loses at most the takes in work and goes on where it was.

mod contact;
mod error;
mod figures;
mod files;
mod flow;
mod ids;
mod meta;
mod progress;
mod sheet;
mod studio;
mod take;

use std::{collections::BTreeMap, fs, path::PathBuf, sync::Mutex};

use rayon::{ThreadPoolBuilder, prelude::*};
use serde::Serialize;
use serde_json::Value;

pub use self::{
    contact::Contact,
    error::DatasetError,
    figures::{Figures, Set},
    ids::{Ids, Splits},
};
use self::{
    meta::{Description, Earlier, Present},
    progress::Progress,
};
use crate::expression::Strengths;

/// Makes pictures of people.
pub trait Photographer: Sync {
    /// What is told of a frame before it is photographed.
    type Pose: Serialize;

    /// Names of the labels, in the order of the rows of a sheet.
    fn labels(&self) -> Vec<&'static str>;

    /// What the clip of a person and take shows in a row, at `strengths` if there are such.
    fn clip(
        &self,
        person_and_take: (u64, u32),
        row: usize,
        options: &Options,
        strengths: Option<&Strengths>,
    ) -> Clip<Self::Pose>;

    /// Seats a person for a take.
    fn sit<'a>(&'a self, id: u64, take: u32, options: &Options) -> Box<dyn Sitting<Self::Pose> + 'a>;

    /// What people are made from. A set whose people were made from something else is not continued.
    fn assets(&self) -> String;
}

/// A clip to be photographed.
#[derive(Clone, Debug, Serialize)]
pub struct Clip<P> {
    /// The label of its row.
    pub label: &'static str,
    /// How much of which labels it shows.
    pub strengths: BTreeMap<&'static str, f32>,
    /// The frame in which it has them.
    pub apex: usize,
    /// One per frame; the first is the same for all labels of a take.
    #[serde(rename = "frames")]
    pub poses: Vec<P>,
}

/// A person before the camera.
pub trait Sitting<P> {
    /// What is to be said of the person: an object.
    fn attributes(&self) -> Value;

    /// Takes a picture. The first call has the pose of rest, from which flow is counted; `frame` tells frames apart.
    fn frame(&mut self, pose: &P, frame: u64) -> Frame;

    /// The same in another appearance, `[y, x, rgb]`: nothing moves, all colours change.
    fn reference(&mut self, pose: &P, appearance: u32) -> Vec<u8>;
}

/// A picture with what is known of it.
pub struct Frame {
    /// `[y, x, rgb]`.
    pub rgb: Vec<u8>,
    /// What each pixel shows: a [`crate::mesh::Region`], or an area of a figure.
    pub regions: Vec<u8>,
    /// For each pixel the displacement to its place in the first frame (x, y; 2 is the width) and whether it is seen
    /// there; needed where [`Options::flow_size`] is set.
    pub flow: Option<Vec<[f32; 3]>>,
}

/// How sheets are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Lossy, a tenth of the size.
    Webp,
    /// Lossless.
    Png,
}

impl Format {
    fn end(self) -> &'static str {
        match self {
            Self::Webp => ".webp",
            Self::Png => ".png",
        }
    }
}

/// What all takes of a set have in common.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Options {
    /// Pixels of a side of a frame.
    pub size: usize,
    /// Samples per pixel each way.
    pub samples: usize,
    /// Frames of a clip.
    pub frames: usize,
    /// Multiplies the motion of the head.
    pub motion: f32,
    /// Other appearances of the first frame.
    pub references: u32,
    /// Cells of a side of the grid that flow is averaged to; none for no flow.
    pub flow_size: Option<usize>,
    /// Whether to write what each pixel shows.
    pub regions: bool,
    /// How sheets are coded.
    pub format: Format,
    /// Quality of WebP, from 0 to 100.
    pub quality: f32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            size: 128,
            samples: 2,
            frames: 16,
            motion: 1.,
            references: 0,
            flow_size: None,
            regions: false,
            format: Format::Webp,
            quality: 92.,
        }
    }
}

impl Options {
    fn check(&self, rows: usize) -> Result<(), DatasetError> {
        let Self { size, frames, references, format, .. } = *self;
        let columns = frames.max(references as usize);
        let problem = if size == 0 || self.samples == 0 {
            "a picture needs at least one pixel and one sample".to_owned()
        } else if frames < 2 {
            format!("a clip needs at least 2 frames, not {frames}")
        } else if !self.motion.is_finite() || self.motion < 0. {
            format!("heads cannot move {} times as much; choose 0 or more", self.motion)
        } else if !(0. ..=100.).contains(&self.quality) {
            format!("{} is no quality of WebP; choose 0 to 100", self.quality)
        } else if let Some(cells) = self.flow_size.filter(|&cells| cells == 0 || !size.is_multiple_of(cells)) {
            format!("{cells} cells do not divide {size} pixels; choose a flow size that does")
        } else if format == Format::Webp && columns.max(rows).saturating_mul(size) > sheet::WEBP_LIMIT {
            format!(
                "{columns} tiles of {size} pixels are more than a WebP file has ({}); choose png",
                sheet::WEBP_LIMIT
            )
        } else {
            return Ok(());
        };
        Err(DatasetError::Options(problem))
    }
}

/// A set to be made.
#[derive(Clone, Debug)]
pub struct Order {
    /// The directory; it is made if it is not there.
    pub out: PathBuf,
    /// The people.
    pub ids: Vec<u64>,
    /// The takes of each.
    pub takes: Vec<u32>,
    /// Who belongs to which split. Who is in none is trained on.
    pub splits: Splits,
    /// Takes that are made at once.
    pub jobs: usize,
    /// Whether this is a final test; see [`is_final_test`].
    pub final_test: bool,
    /// Whether to say nothing of the progress.
    pub quiet: bool,
    /// What all takes have in common.
    pub options: Options,
}

impl Order {
    /// Refuses what cannot be made, in a set with this many labels.
    pub fn check(&self, labels: usize) -> Result<(), DatasetError> {
        admit(&self.ids, self.final_test)?;
        self.options.check(labels)?;
        self.splits.check()
    }
}

/// What became of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Takes that were made.
    pub made: usize,
    /// Takes that were there.
    pub found: usize,
}

/// Whether the environment says that this is a final test, for which reserved people may be made.
pub fn is_final_test() -> bool {
    std::env::var_os("FACES_FINAL_TEST").is_some_and(|value| !value.is_empty())
}

/// Refuses people who are kept for final tests unless this is one.
pub fn admit(ids: &[u64], final_test: bool) -> Result<(), DatasetError> {
    ids::admit(ids, final_test)
}

/// How many takes are made before the description of the set is written anew, for those who watch.
const BETWEEN_DESCRIPTIONS: usize = 64;

/// Makes what is missing of a set.
pub fn write<P: Photographer>(photographer: &P, order: &Order) -> Result<Summary, DatasetError> {
    let labels = photographer.labels();
    order.check(labels.len())?;
    let Order { out, options, .. } = order;
    fs::create_dir_all(out).map_err(|source| DatasetError::Io { path: out.clone(), source })?;
    let earlier = Earlier::read(out)?;
    let settings = meta::settings(options, photographer.assets());
    earlier.admit(&settings, out)?;
    let splits = earlier.extend(order.splits.clone());
    splits.check()?;

    let pool = ThreadPoolBuilder::new()
        .num_threads(order.jobs)
        .build()
        .map_err(|problem| DatasetError::Threads { jobs: order.jobs, problem: problem.to_string() })?;
    let description = Description { dir: out, labels, options, settings, splits };
    pool.install(|| fill(photographer, order, &description))
}

fn fill<P: Photographer>(photographer: &P, order: &Order, description: &Description) -> Result<Summary, DatasetError> {
    let Order { out, options, .. } = order;
    let present = Present::find(out, options, description.labels.len())?;
    let all = order.ids.iter().flat_map(|&id| order.takes.iter().map(move |&take| (id, take)));
    let (found, missing): (Vec<_>, Vec<_>) = all.partition(|&(id, take)| present.has(id, take));

    // From the first one on, the directory has a description, so that a second run knows its settings.
    description.write(&present)?;
    let progress = Progress::new(missing.len(), order.quiet);
    let state = Mutex::new((present, 0));
    // In order, one by one: takes of the same person come at about the same time.
    missing.iter().copied().par_bridge().try_for_each(|(id, take)| {
        let subject = take::make(photographer, (id, take), out, options)?;
        let mut state = state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        state.0.add(id, take, subject);
        state.1 += 1;
        progress.step();
        if state.1 % BETWEEN_DESCRIPTIONS == 0 { description.write(&state.0) } else { Ok(()) }
    })?;
    progress.finish();
    let (present, made) = state.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    description.write(&present)?;
    Ok(Summary { made, found: found.len() })
}

#[cfg(test)]
mod tests;
