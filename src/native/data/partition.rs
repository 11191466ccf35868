//! Which subjects of a set of folders are trained on and which are held out.

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{error::DataError, layouts::Published, notices, split::Split};
use crate::native::whole_file::read_file;

/// One of so many subjects is held out, unless a file says otherwise.
const HELD_OUT: usize = 10;

/// The file next to the clips that names who is trained on and who is held out.
const FILE: &str = "splits.json";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SplitFile {
    train: Vec<String>,
    val: Vec<String>,
}

/// The subjects to train on, and those held out.
#[derive(Debug, PartialEq)]
pub(super) struct Partition {
    train: BTreeSet<String>,
    val: BTreeSet<String>,
}

impl Partition {
    /// The partition that `splits.json` in `dir` names, or else the published one. Without either,
    /// a tenth of the subjects, at least one, is held out.
    pub(super) fn of(
        dir: &Path,
        subjects: &BTreeSet<String>,
        published: Option<&Published>,
    ) -> Result<Self, DataError> {
        let path = dir.join(FILE);
        let (partition, why) = match (read_file(&path), published) {
            (Ok(text), _) => (Self::listed(&path, &text, subjects)?, format!("as {FILE} says")),
            (Err(error), _) if error.kind() != io::ErrorKind::NotFound => {
                return Err(DataError::Io { path, source: error });
            }
            (Err(_), Some(published)) => {
                (Self::published(published, subjects), format!("as {} is split", published.name))
            }
            (Err(_), None) => (Self::drawn(subjects), format!("by the hash of their names; {FILE} can name them")),
        };
        let [train, val] = [&partition.train, &partition.val].map(BTreeSet::len);
        notices::info(format!("{train} subjects to train on, {val} held out, {why}"));
        let left_out = subjects.iter().filter(|&subject| !partition.contains(subject, Split::All));
        let left_out: Vec<&str> = left_out.map(String::as_str).collect();
        if !left_out.is_empty() {
            notices::info(format!("subjects in neither are left out: {}", left_out.join(", ")));
        }
        Ok(partition)
    }

    pub(super) fn contains(&self, subject: &str, split: Split) -> bool {
        match split {
            Split::Train => self.train.contains(subject),
            Split::Val => self.val.contains(subject),
            Split::All => self.train.contains(subject) || self.val.contains(subject),
        }
    }

    fn listed(path: &Path, text: &[u8], subjects: &BTreeSet<String>) -> Result<Self, DataError> {
        let unusable = |problem| DataError::Unusable { path: PathBuf::from(path), problem };
        let SplitFile { train, val } = serde_json::from_slice(text)
            .map_err(|e| unusable(format!("must read {{\"train\": [names], \"val\": [names]}}: {e}")))?;
        let partition = Self { train: train.into_iter().collect(), val: val.into_iter().collect() };
        let unknown: Vec<_> =
            partition.train.union(&partition.val).filter(|&name| !subjects.contains(name)).cloned().collect();
        if !unknown.is_empty() {
            return Err(unusable(format!("names subjects that have no clips here: {}", unknown.join(", "))));
        }
        let both: Vec<_> = partition.train.intersection(&partition.val).cloned().collect();
        if !both.is_empty() {
            return Err(unusable(format!(
                "has subjects on both sides, who would not be held out: {}",
                both.join(", ")
            )));
        }
        Ok(partition)
    }

    fn published(published: &Published, subjects: &BTreeSet<String>) -> Self {
        let present = |names: &[&str]| {
            names.iter().filter(|&&name| subjects.contains(name)).map(|&name| name.to_owned()).collect()
        };
        Self { train: present(published.train), val: present(published.test) }
    }

    fn drawn(subjects: &BTreeSet<String>) -> Self {
        let mut order: Vec<&String> = subjects.iter().collect();
        order.sort_by_cached_key(|name| Sha256::digest(name.as_bytes()));
        let held_out = (subjects.len() / HELD_OUT).max(1);
        let (val, train) = order.split_at(held_out.min(order.len()));
        if train.is_empty() {
            notices::warn("there is only one subject, so validation sees the training clips".to_owned());
            return Self { train: subjects.clone(), val: subjects.clone() };
        }
        let set = |names: &[&String]| names.iter().map(|&name| name.clone()).collect();
        Self { train: set(train), val: set(val) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subjects(count: usize) -> BTreeSet<String> {
        (0..count).map(|i| format!("person{i}")).collect()
    }

    fn partition(text: Option<&str>, count: usize) -> Result<Partition, String> {
        let dir = tempfile::tempdir().unwrap();
        if let Some(text) = text {
            std::fs::write(dir.path().join(FILE), text).unwrap();
        }
        Partition::of(dir.path(), &subjects(count), None).map_err(|error| error.to_string())
    }

    #[test]
    fn a_tenth_and_at_least_one_is_held_out_the_same_each_time() {
        for (count, held_out) in [(2, 1), (9, 1), (30, 3)] {
            let partition = partition(None, count).unwrap();
            assert_eq!((partition.train.len(), partition.val.len()), (count - held_out, held_out));
            assert!(partition.train.is_disjoint(&partition.val));
        }
        assert_eq!(partition(None, 30), partition(None, 30));
        let alone = partition(None, 1).unwrap();
        assert_eq!(alone.train, alone.val);
    }

    #[test]
    fn a_file_decides_and_must_be_right() {
        let named = partition(Some(r#"{"train": ["person2"], "val": ["person0"]}"#), 3).unwrap();
        assert!(named.contains("person2", Split::Train) && named.contains("person0", Split::Val));
        assert!(!named.contains("person1", Split::All));

        let message = partition(Some(r#"{"train": ["person9"], "val": []}"#), 3).unwrap_err();
        assert!(message.contains("splits.json") && message.contains("person9"), "{message}");
        let message = partition(Some(r#"{"train": ["person1"], "val": ["person1"]}"#), 3).unwrap_err();
        assert!(message.contains("both sides") && message.contains("person1"), "{message}");
        let message = partition(Some(r#"{"test": []}"#), 3).unwrap_err();
        assert!(message.contains("must read"), "{message}");
    }
}
