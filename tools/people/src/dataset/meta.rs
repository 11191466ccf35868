//! `meta.json`, which says what a set holds.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::Path,
};

use rayon::prelude::*;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    DatasetError, Options,
    files::{self, Files, write_whole},
    ids::Splits,
};
use crate::expression::apex_index;

const META: &str = "meta.json";

/// What of a set is there: for each person the takes, and who that is.
#[derive(Default)]
pub(super) struct Present(BTreeMap<u64, BTreeMap<u32, Value>>);

impl Present {
    /// Looks for takes whose files are all there and whole.
    pub(super) fn find(dir: &Path, options: &Options, rows: usize) -> Result<Self, DatasetError> {
        let explain = |source: io::Error| DatasetError::Io { path: dir.to_owned(), source };
        let names: Vec<_> = fs::read_dir(dir)
            .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.file_name())).collect())
            .map_err(explain)?;
        let takes: Vec<_> = names.iter().filter_map(|name| Files::parse(name.to_str()?)).collect();
        let subjects: Vec<_> = takes.par_iter().map(|&take| Files::new(dir, take, options, rows).subject()).collect();
        let mut present = Self::default();
        for ((id, take), subject) in takes.into_iter().zip(subjects) {
            if let Some(subject) = subject {
                present.add(id, take, subject);
            }
        }
        Ok(present)
    }

    pub(super) fn add(&mut self, id: u64, take: u32, subject: Value) {
        self.0.entry(id).or_default().insert(take, subject);
    }

    pub(super) fn has(&self, id: u64, take: u32) -> bool {
        self.0.get(&id).is_some_and(|takes| takes.contains_key(&take))
    }

    /// The takes that at least half of the people have. While a set grows by takes, the new one counts for nobody until
    /// it counts for most: the trainer wants the same takes of all.
    fn takes(&self) -> BTreeSet<u32> {
        let mut people: BTreeMap<u32, usize> = BTreeMap::new();
        for take in self.0.values().flat_map(BTreeMap::keys) {
            *people.entry(*take).or_default() += 1;
        }
        people.into_iter().filter(|&(_, count)| 2 * count >= self.0.len()).map(|(take, _)| take).collect()
    }

    /// The people who have all of `takes`.
    fn people_with(&self, takes: &BTreeSet<u32>) -> Vec<u64> {
        let has_all = |there: &BTreeMap<u32, Value>| takes.iter().all(|take| there.contains_key(take));
        self.0.iter().filter(|(_, there)| has_all(there)).map(|(&id, _)| id).collect()
    }

    /// What is known of each person, with the takes that there are of them.
    fn subjects(&self) -> Vec<Value> {
        let subject = |takes: &BTreeMap<u32, Value>| {
            let mut subject = takes.values().next()?.clone();
            subject.as_object_mut()?.insert("takes".into(), takes.keys().copied().collect());
            Some(subject)
        };
        self.0.values().filter_map(subject).collect()
    }
}

/// What an earlier run wrote about a set.
#[derive(Default)]
pub(super) struct Earlier {
    settings: Map<String, Value>,
    splits: Splits,
}

impl Earlier {
    /// Nothing, if there is no set yet.
    pub(super) fn read(dir: &Path) -> Result<Self, DatasetError> {
        let path = dir.join(META);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(DatasetError::Io { path, source }),
        };
        let explain = |problem: &str| DatasetError::Meta { path: path.clone(), problem: problem.to_owned() };
        let meta: Value = serde_json::from_slice(&text).map_err(|problem| explain(&problem.to_string()))?;
        let settings =
            meta.get("settings").and_then(Value::as_object).ok_or_else(|| explain("`settings` is missing"))?;
        let splits = meta.get("planned_splits").or_else(|| meta.get("splits")).cloned();
        let splits = splits.ok_or_else(|| explain("`splits` is missing"))?;
        let splits = serde_json::from_value(splits).map_err(|problem| explain(&problem.to_string()))?;
        Ok(Self { settings: settings.clone(), splits: Splits(splits) })
    }

    /// Refuses to mix two kinds of files in a directory.
    pub(super) fn admit(&self, settings: &Map<String, Value>, dir: &Path) -> Result<(), DatasetError> {
        let differs =
            |(setting, here): &(&String, &Value)| self.settings.get(*setting).is_some_and(|there| there != *here);
        settings.iter().find(differs).map_or(Ok(()), |(setting, here)| {
            let there = self.settings[setting].to_string();
            Err(DatasetError::Other { dir: dir.to_owned(), setting: setting.clone(), there, here: here.to_string() })
        })
    }

    /// `splits`, and the earlier ones of people whom those do not name.
    pub(super) fn extend(self, mut splits: Splits) -> Splits {
        let named: BTreeSet<u64> = splits.0.values().flatten().copied().collect();
        for (split, ids) in self.splits.0 {
            splits.0.entry(split).or_default().extend(ids.into_iter().filter(|id| !named.contains(id)));
        }
        splits.0.values_mut().for_each(|ids| ids.sort_unstable());
        splits
    }
}

/// What all takes of a set have in common, `assets` among it.
pub(super) fn settings(options: &Options, assets: String) -> Map<String, Value> {
    let mut settings = match serde_json::to_value(options) {
        Ok(Value::Object(settings)) => settings,
        _ => Map::new(),
    };
    settings.insert("assets".into(), assets.into());
    settings
}

#[derive(Serialize)]
struct Meta<'a> {
    actions: &'a [&'static str],
    frames: usize,
    size: usize,
    fps: usize,
    apex_frame: usize,
    takes: BTreeSet<u32>,
    layout: &'static str,
    files: String,
    clip_files: String,
    references: u32,
    reference_files: Option<String>,
    region_files: Option<String>,
    flow_files: Option<String>,
    splits: BTreeMap<&'a str, Vec<u64>>,
    /// As they were ordered, with people who are not there yet or lack a take.
    planned_splits: &'a BTreeMap<String, Vec<u64>>,
    licence: &'static str,
    made_by: &'static str,
    settings: &'a Map<String, Value>,
    subjects: Vec<Value>,
}

/// All that a set's description says but who is there.
pub(super) struct Description<'a> {
    pub(super) dir: &'a Path,
    pub(super) labels: Vec<&'static str>,
    pub(super) options: &'a Options,
    pub(super) settings: Map<String, Value>,
    pub(super) splits: Splits,
}

impl Description<'_> {
    /// Writes the description of a set with the people who are there.
    pub(super) fn write(&self, present: &Present) -> Result<(), DatasetError> {
        let path = self.dir.join(META);
        let text = serde_json::to_vec_pretty(&self.of(present))
            .map_err(|problem| DatasetError::Encode { path: path.clone(), problem: problem.to_string() })?;
        write_whole(&path, &text)
    }

    fn of(&self, present: &Present) -> Meta<'_> {
        let options = self.options;
        let takes = present.takes();
        let splits = self.splits.of_present(&present.people_with(&takes));
        let references = (options.references > 0).then(|| files::references_end(options.format));
        Meta {
            actions: &self.labels,
            frames: options.frames,
            size: options.size,
            fps: 8,
            apex_frame: apex_index(options.frames),
            takes,
            layout: "one sheet per person and take; row = label (order of \"actions\"), column = frame; square tiles \
                     of \"size\" pixels, no gaps",
            files: Files::pattern(options.format.end()),
            clip_files: Files::pattern(files::CLIPS),
            references: options.references,
            reference_files: references.map(|end| Files::pattern(&end)),
            region_files: options.regions.then(|| Files::pattern(files::REGIONS)),
            flow_files: options.flow_size.map(|cells| Files::pattern(&files::flow_end(cells))),
            splits,
            planned_splits: &self.splits.0,
            licence: "CC0-1.0 (rendered from CC0 parts)",
            made_by: concat!("lfdm-people ", env!("CARGO_PKG_VERSION")),
            settings: &self.settings,
            subjects: present.subjects(),
        }
    }
}
