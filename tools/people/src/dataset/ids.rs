//! Lists of numbers, as they are written on the command line, and the splits that people belong to.

use std::{collections::BTreeMap, str::FromStr};

use super::DatasetError;
use crate::person::RESERVED_FROM;

/// Numbers in rising order, written as `0:400`, `1,5,9` or both: `0:3,10`. The end of a range is not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ids(pub Vec<u64>);

/// The most numbers that one list has. More is a typing error that would fill the memory.
const MOST: u64 = 10_000_000;

impl FromStr for Ids {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut ids = Vec::new();
        for part in text.split(',').map(str::trim) {
            let (start, end) = match part.split_once(':') {
                Some((start, end)) => (number(start)?, number(end)?),
                None => (number(part)?, number(part)?.saturating_add(1)),
            };
            if start >= end {
                return Err(format!("`{part}` is empty: it should begin below its end, which is not in it"));
            }
            if end - start > MOST {
                return Err(format!("`{part}` has more than {MOST} numbers"));
            }
            ids.extend(start..end);
        }
        ids.sort_unstable();
        ids.dedup();
        Ok(Self(ids))
    }
}

fn number(text: &str) -> Result<u64, String> {
    text.trim().parse().map_err(|_| format!("`{text}` is no number; write 0:400 or 1,5,9"))
}

/// The people of each split.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Splits(pub BTreeMap<String, Vec<u64>>);

impl FromStr for Splits {
    type Err = String;

    /// Reads `train=0:3000,val=4000:4040,4100`: a split goes on until the next one begins.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut lists: Vec<(&str, Vec<&str>)> = Vec::new();
        for part in text.split(',') {
            match (part.split_once('='), lists.last_mut()) {
                (Some((name, first)), _) => lists.push((name.trim(), vec![first])),
                (None, Some((_, list))) => list.push(part),
                (None, None) => return Err(format!("`{part}` names no split; write train=0:3000,val=4000:4040")),
            }
        }
        let mut splits = BTreeMap::new();
        for (name, list) in lists {
            let Ids(ids) = list.join(",").parse()?;
            if name.is_empty() || splits.insert(name.to_owned(), ids).is_some() {
                return Err(format!("the split `{name}` has no name, or is there twice"));
            }
        }
        Ok(Self(splits))
    }
}

impl Splits {
    /// Refuses people in two splits, and people of the final tests anywhere but in `test`.
    pub(super) fn check(&self) -> Result<(), DatasetError> {
        let mut splits_of: BTreeMap<u64, &String> = BTreeMap::new();
        for (split, ids) in &self.0 {
            for &id in ids {
                if id >= RESERVED_FROM && split != TEST {
                    return Err(DatasetError::ReservedInSplit { id, split: split.clone() });
                }
                if let Some(one) = splits_of.insert(id, split) {
                    return Err(DatasetError::TwoSplits { id, one: one.clone(), other: split.clone() });
                }
            }
        }
        Ok(())
    }

    /// The splits of the people who are there. Who is in none is trained on, or in `test` if reserved.
    pub(super) fn of_present(&self, present: &[u64]) -> BTreeMap<&str, Vec<u64>> {
        let named: BTreeMap<u64, &str> =
            self.0.iter().flat_map(|(split, ids)| ids.iter().map(|&id| (id, split.as_str()))).collect();
        let mut splits: BTreeMap<&str, Vec<u64>> = [("train", Vec::new()), ("val", Vec::new())].into();
        for &id in present {
            let otherwise = if id >= RESERVED_FROM { TEST } else { "train" };
            splits.entry(named.get(&id).copied().unwrap_or(otherwise)).or_default().push(id);
        }
        splits
    }
}

/// The split of people whom no model saw and nobody looked at.
const TEST: &str = "test";

/// Refuses people of the final tests unless they are `allowed`.
pub(super) fn admit(ids: &[u64], allowed: bool) -> Result<(), DatasetError> {
    match ids.iter().find(|&&id| id >= RESERVED_FROM) {
        Some(&id) if !allowed => Err(DatasetError::Reserved { id }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read() {
        let read = |text: &str| text.parse::<Ids>().map(|ids| ids.0);
        assert_eq!(read("0:3,10"), Ok(vec![0, 1, 2, 10]));
        assert_eq!(read("5, 1,1"), Ok(vec![1, 5]));
        for bad in ["", "3:1", "a", "1:", "-1", "0:99999999999", "18446744073709551615"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn splits_are_read_and_checked() {
        let splits: Splits = "train=0:3,7,val=4:6".parse().unwrap();
        assert_eq!(splits.0["train"], [0, 1, 2, 7]);
        assert_eq!(splits.0["val"], [4, 5]);
        splits.check().unwrap();
        assert!("0:3".parse::<Splits>().unwrap_err().contains("names no split"));
        assert!("train=1,train=2".parse::<Splits>().is_err());

        let check = |text: &str| text.parse::<Splits>().unwrap().check().unwrap_err().to_string();
        assert!(check("train=0:3,val=2:4").contains("person 2"));
        assert!(check("train=99999:100002").contains("final tests"));
        "train=0:3,test=100000:100002".parse::<Splits>().unwrap().check().unwrap();
    }

    #[test]
    fn who_is_in_no_split_is_trained_on_unless_reserved() {
        let splits: Splits = "val=4:6".parse().unwrap();
        let present = splits.of_present(&[0, 4, 100_000]);
        assert_eq!((&present["train"], &present["val"]), (&vec![0], &vec![4]));
        assert_eq!(present["test"], [100_000]);
    }

    #[test]
    fn reserved_people_need_permission() {
        let message = admit(&[1, 100_000], false).unwrap_err().to_string();
        assert!(message.contains("100000") && message.contains("FACES_FINAL_TEST"), "{message}");
        admit(&[1, 100_000], true).unwrap();
        admit(&[1, 99_999], false).unwrap();
    }
}
