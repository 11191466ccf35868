//! `meta.json`: what a set of sheets holds, and how its people become clips.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use half::f16;
use serde::Deserialize;

use super::{
    contents::{Contents, StoredClip, Subject},
    error::DataError,
    flow::ExactFlow,
    pixels::Pixels,
    references::References,
    split::Split,
};
use crate::{condition::Strengths, native::whole_file::read_file};

/// The file that makes a directory one of sheets.
pub(crate) const META: &str = "meta.json";

/// A person with all takes.
pub(super) struct Person {
    pub(super) id: u32,
    pub(super) takes: Vec<Take>,
}

/// All labels of a person, from one frame 0.
pub(super) struct Take {
    /// For each label `[frame, y, x, rgb]`.
    pub(super) rows: Vec<Pixels>,
    /// For each label, unless every row is its label with strength 1.
    pub(super) strengths: Option<Vec<Strengths>>,
    pub(super) references: Option<Arc<References>>,
    /// Cells of a side, and for each label `[frame, y, x, (dx, dy, visibility)]`.
    pub(super) flow: Option<(usize, Vec<Vec<f16>>)>,
}

/// What `meta.json` says.
#[derive(Deserialize)]
pub(super) struct Meta {
    /// The labels, one per row.
    pub(super) actions: Vec<String>,
    pub(super) frames: usize,
    /// Side of a tile in pixels.
    pub(super) size: usize,
    pub(super) fps: usize,
    pub(super) apex_frame: usize,
    /// Numbers of the takes that each person has.
    #[serde(default = "first_take")]
    pub(super) takes: Vec<u32>,
    /// Name of a take's file with the strengths of its clips, if there is one.
    #[serde(default)]
    pub(super) clip_files: Option<String>,
    /// Name of a take's file with frame 0 in other appearances, if there is one.
    #[serde(default)]
    pub(super) reference_files: Option<String>,
    /// How many appearances such a file has.
    #[serde(default)]
    pub(super) references: usize,
    pub(super) splits: Splits,
}

/// The ids of the people of each split.
#[derive(Deserialize)]
pub(super) struct Splits {
    pub(super) train: Vec<u32>,
    pub(super) val: Vec<u32>,
}

/// What a take's file says about its clips; more than this is for others.
#[derive(Deserialize)]
struct ClipFile {
    clips: Vec<ClipEntry>,
}

#[derive(Deserialize)]
struct ClipEntry {
    strengths: BTreeMap<String, f32>,
}

fn first_take() -> Vec<u32> {
    vec![0]
}

impl Meta {
    pub(super) fn read(dir: &Path) -> Result<Self, DataError> {
        let path = dir.join(META);
        let text = read_file(&path).map_err(|source| DataError::Io { path: path.clone(), source })?;
        let meta: Self =
            serde_json::from_slice(&text).map_err(|source| DataError::MetaFormat { path: path.clone(), source })?;
        match meta.problem() {
            None => Ok(meta),
            Some(problem) => Err(DataError::Unusable { path, problem: problem.into() }),
        }
    }

    /// What makes the set unusable.
    fn problem(&self) -> Option<&'static str> {
        if self.actions.is_empty() {
            Some("`actions` is empty")
        } else if self.frames < 2 {
            Some("`frames` must be at least 2")
        } else if self.apex_frame >= self.frames {
            Some("`apex_frame` lies outside the clip")
        } else if self.takes.is_empty() {
            Some("`takes` is empty; leave it out, or list their numbers")
        } else if self.reference_files.is_some() && self.references == 0 {
            Some("`reference_files` needs `references`, the number of tiles in each")
        } else {
            None
        }
    }

    /// Refuses tiles that would have to be enlarged as a whole: a model would learn the blur.
    pub(super) fn admit(&self, size: usize, path: &Path) -> Result<(), DataError> {
        if size <= self.size {
            return Ok(());
        }
        let problem = format!("has tiles of {0}x{0} pixels, too small for a model of {size}x{size}", self.size);
        Err(DataError::Unusable { path: path.to_owned(), problem })
    }

    pub(super) fn ids(&self, split: Split) -> Vec<u32> {
        match split {
            Split::Train => self.splits.train.clone(),
            Split::Val => self.splits.val.clone(),
            Split::All => self.splits.train.iter().chain(&self.splits.val).copied().collect(),
        }
    }

    /// Bytes of a take's unpacked pixels.
    pub(super) fn take_bytes(&self) -> usize {
        self.actions.len() * self.frames * self.size.pow(2) * 3
    }

    /// The strengths of a take's clips, row by row.
    pub(super) fn read_strengths(&self, dir: &Path, id: u32, take: u32) -> Result<Option<Vec<Strengths>>, String> {
        let Some(pattern) = &self.clip_files else { return Ok(None) };
        let path = dir.join(file_name(pattern, id, take));
        let explain = |problem: &dyn std::fmt::Display| format!("{}: {problem}", path.display());
        let text = read_file(&path).map_err(|e| explain(&e))?;
        let ClipFile { clips } = serde_json::from_slice(&text).map_err(|e| explain(&e))?;
        if clips.len() != self.actions.len() {
            return Err(explain(&format!("has {} clips, not {}", clips.len(), self.actions.len())));
        }
        let checked = clips.into_iter().map(|clip| {
            let strengths = Strengths::new(clip.strengths).map_err(|e| explain(&e))?;
            strengths.weights(&self.actions).map_err(|e| explain(&e))?;
            Ok(strengths)
        });
        checked.collect::<Result<Vec<_>, String>>().map(Some)
    }

    /// Where a take's other appearances are, if the set has any.
    pub(super) fn find_references(&self, dir: &Path, id: u32, take: u32) -> Result<Option<Arc<References>>, String> {
        let Some(pattern) = &self.reference_files else { return Ok(None) };
        let path = dir.join(file_name(pattern, id, take));
        if !path.is_file() {
            return Err(format!("{} is missing", path.display()));
        }
        let (count, tile) = (self.references, self.size);
        Ok(Some(Arc::new(References { path, count, tile, part: None, digest: Arc::default() })))
    }

    pub(super) fn contents(self, people: Vec<Person>, skipped: Vec<String>) -> Contents {
        let (mut subjects, mut clips) = (Vec::with_capacity(people.len()), Vec::new());
        for Person { id, takes } in people {
            let subject = subjects.len();
            let is_only = takes.len() == 1;
            let mut of_person: Vec<StoredClip> = (0..)
                .zip(takes)
                .flat_map(|(number, take): (usize, Take)| {
                    let take_name = if is_only { String::new() } else { format!(" (take {number})") };
                    take.clips(subject, self.frames, |label| format!("{id} {}{take_name}", self.actions[label]))
                })
                .collect();
            of_person.sort_by_key(|clip| clip.label);
            clips.extend(of_person);
            subjects.push(Subject { id, name: id.to_string() });
        }
        Contents {
            tile: self.size,
            fps: self.fps,
            apex: self.apex_frame as f64 / (self.frames - 1) as f64,
            labels: self.actions,
            subjects,
            clips,
            skipped,
        }
    }
}

impl Take {
    /// Its clips, by label.
    fn clips(self, subject: usize, frames: usize, name: impl Fn(usize) -> String) -> Vec<StoredClip> {
        let Self { rows, strengths, references, flow } = self;
        let (side, mut flows) = flow.map_or((0, None), |(side, flows)| (side, Some(flows.into_iter())));
        let mut strengths = strengths.map(Vec::into_iter);
        let rows = rows.into_iter().enumerate();
        rows.map(|(label, pixels)| StoredClip {
            subject,
            label,
            name: name(label),
            frames,
            pixels,
            alpha: None,
            flow: flows.as_mut().and_then(Iterator::next).map(|cells| ExactFlow { side, cells }),
            strengths: strengths.as_mut().and_then(Iterator::next),
            references: references.clone(),
        })
        .collect()
    }
}

/// A name such as `s{id:06d}_k{take}.json` for a person and a take.
fn file_name(pattern: &str, id: u32, take: u32) -> String {
    pattern
        .replace("{id:06d}", &format!("{id:06}"))
        .replace("{id:06}", &format!("{id:06}"))
        .replace("{id}", &id.to_string())
        .replace("{take}", &take.to_string())
}
