//! The three data sets of the paper, as its official code reads them: where their clips lie, which
//! subjects are trained on and which tested, and which part of a picture is used.
//!
//! - MUG (Aifanti et al. 2010): `001/happiness/take000/img_0000.jpg`; subjects 002, 003 and 049
//!   have sessions, of which the first is used.
//! - UTD-MHAD (Chen et al. 2015): `a1_s1_t1/*.png`, cropped before, or the published
//!   `a1_s1_t1_color.avi`, cropped here.
//! - NATOPS (Song et al. 2011): `g01s01p01/*.png`, the takes that its `segmentation.txt` cuts out
//!   of the videos; cropped here.

use std::path::Path;

use super::{
    error::DataError,
    media::Media,
    natural::entries,
    tree::{self, FoundClip},
};

/// How a directory of clips is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Layout {
    /// One of the paper's three data sets if the names say so, otherwise folders.
    #[default]
    Auto,
    /// `subject/label/…`
    Folders,
    /// MUG facial expressions: `001/happiness/take000/img_0000.jpg`.
    Mug,
    /// UTD-MHAD actions: `a1_s1_t1/…png` or `a1_s1_t1_color.avi`.
    Mhad,
    /// NATOPS gestures: `g01s01p01/…png`.
    Natops,
}

/// What is known of a data set.
pub(super) struct Published {
    pub(super) name: &'static str,
    pub(super) labels: &'static [&'static str],
    pub(super) train: &'static [&'static str],
    pub(super) test: &'static [&'static str],
    pub(super) region: Option<Region>,
}

/// The part of a picture that is used, if the picture still has its original size.
#[derive(Debug, Clone, Copy)]
pub(super) struct Region {
    /// `[width, height]`
    pub(super) of: [u32; 2],
    /// `[left, top]`
    pub(super) from: [u32; 2],
    /// `[width, height]`
    pub(super) size: [u32; 2],
}

impl Layout {
    /// The layout of `dir`, never [`Self::Auto`].
    pub(super) fn resolve(self, dir: &Path) -> Result<Self, DataError> {
        if self != Self::Auto {
            return Ok(self);
        }
        let names = entries(dir)?;
        Ok(if names.iter().any(|name| mhad(name).is_some()) {
            Self::Mhad
        } else if names.iter().any(|name| natops(name).is_some()) {
            Self::Natops
        // Other sets, too, have numbers for names.
        } else if MUG.train.iter().chain(MUG.test).all(|id| names.iter().any(|name| name == id)) {
            Self::Mug
        } else {
            Self::Folders
        })
    }

    /// What is known of the data set; `None` for folders of one's own.
    pub(super) fn published(self) -> Option<&'static Published> {
        match self {
            Self::Auto | Self::Folders => None,
            Self::Mug => Some(&MUG),
            Self::Mhad => Some(&MHAD),
            Self::Natops => Some(&NATOPS),
        }
    }

    /// What a directory without clips should have held.
    pub(super) fn example(self) -> &'static str {
        match self {
            Self::Auto | Self::Folders => {
                "it must hold meta.json and its sheets, or folders of frames (png, jpg), GIFs or videos (mp4, avi) \
                 like these:\n\n  \
                 anna/smile/0001.png 0002.png …\n  anna/wave/take1/0001.png 0002.png …\n  bert/smile.gif\n  \
                 bert/wave.mp4\n"
            }
            Self::Mug => "MUG has folders like 001/happiness/take000/img_0000.jpg",
            Self::Mhad => "UTD-MHAD has folders like a1_s1_t1/a1_s1_t1_000.png, or videos like a1_s1_t1_color.avi",
            Self::Natops => {
                "NATOPS has folders like g01s01p01/0000.png, one for each take that its segmentation.txt cuts out of \
                 a video"
            }
        }
    }

    /// All clips in `dir`.
    pub(super) fn find(self, dir: &Path) -> Result<Vec<FoundClip>, DataError> {
        match self {
            Self::Auto | Self::Folders => tree::find(dir),
            Self::Mug => find_mug(dir),
            Self::Mhad => find_named(dir, mhad),
            Self::Natops => find_named(dir, natops),
        }
    }
}

fn find_mug(dir: &Path) -> Result<Vec<FoundClip>, DataError> {
    let mut found = Vec::new();
    for subject in entries(dir)?.into_iter().filter(|name| MUG.train.iter().chain(MUG.test).any(|id| id == name)) {
        let (path, session) = (dir.join(&subject), dir.join(&subject).join("session0"));
        found.extend(tree::find_labels(if session.is_dir() { &session } else { &path }, &subject)?);
    }
    found.retain(|clip| MUG.labels.contains(&clip.label.as_str()));
    Ok(found)
}

/// Clips whose names say label and subject.
fn find_named(dir: &Path, parse: impl Fn(&str) -> Option<(&'static str, String)>) -> Result<Vec<FoundClip>, DataError> {
    let mut found = Vec::new();
    for name in entries(dir)? {
        if let Some((label, subject)) = parse(&name) {
            let media = Media::of(&dir.join(name))?;
            found.extend(media.map(|media| FoundClip { subject, label: label.to_owned(), media, split: None }));
        }
    }
    Ok(found)
}

/// Label and subject of `a1_s1_t1`.
fn mhad(name: &str) -> Option<(&'static str, String)> {
    let [action, subject, _] = numbers(name, ['a', 's', 't'])?;
    Some((MHAD.labels.get(action.checked_sub(1)?)?, format!("s{subject}")))
}

/// Label and subject of `g01s01p01`.
fn natops(name: &str) -> Option<(&'static str, String)> {
    let [gesture, subject, _] = numbers(name, ['g', 's', 'p'])?;
    Some((NATOPS.labels.get(gesture.checked_sub(1)?)?, format!("s{subject:02}")))
}

/// The numbers of a name like `a1_s10_t2_color.avi`, each behind its letter.
fn numbers<const N: usize>(name: &str, letters: [char; N]) -> Option<[usize; N]> {
    let mut rest = name;
    let mut numbers = [0; N];
    for (letter, number) in letters.into_iter().zip(&mut numbers) {
        rest = rest.strip_prefix('_').unwrap_or(rest).strip_prefix(letter)?;
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        *number = rest[..end].parse().ok()?;
        rest = &rest[end..];
    }
    rest.chars().next().is_none_or(|next| "_.".contains(next)).then_some(numbers)
}

const MUG: Published = Published {
    name: "MUG",
    labels: &["anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"],
    train: &[
        "008", "017", "021", "028", "030", "031", "034", "036", "037", "038", "039", "042", "043", "044", "045", "055",
        "060", "061", "062", "063", "071", "075", "076", "077", "083", "084",
    ],
    test: &[
        "001", "002", "006", "007", "010", "013", "014", "020", "027", "032", "033", "040", "046", "048", "049", "052",
        "064", "065", "066", "070", "072", "073", "074", "078", "079", "082",
    ],
    region: None,
};

const MHAD: Published = Published {
    name: "UTD-MHAD",
    labels: &[
        "right arm swipe to the left",
        "right arm swipe to the right",
        "right hand wave",
        "two hand front clap",
        "right arm throw",
        "cross arms in the chest",
        "basketball shooting",
        "draw x",
        "draw circle clockwise",
        "draw circle counter clockwise",
        "draw triangle",
        "right hand bowling",
        "front boxing",
        "baseball swing from right",
        "tennis forehand swing",
        "two arms curl",
        "tennis serve",
        "two hand push",
        "knock on door",
        "hand catch",
        "pick up and throw",
        "jogging",
        "walking",
        "sit to stand",
        "stand to sit",
        "forward lunge (left foot forward)",
        "squat",
    ],
    train: &["s1", "s2", "s3", "s5"],
    test: &["s4", "s6", "s7", "s8"],
    // Where the depth camera saw anything in any clip.
    region: Some(Region { of: [640, 480], from: [156, 0], size: [336, 480] }),
};

const NATOPS: Published = Published {
    name: "NATOPS",
    labels: &[
        "I Have Command",
        "All Clear",
        "Not Clear",
        "Spread Wings",
        "Fold Wings",
        "Lock Wings",
        "Up Hook",
        "Down Hook",
        "Remove Tiedowns",
        "Remove Chocks",
        "Insert Chocks",
        "Move Ahead",
        "Turn Left",
        "Turn Right",
        "Next Marshaller",
        "Slow Down",
        "Stop",
        "Nosegear Steering",
        "Hot Brakes",
        "Brakes On",
        "Brakes Off",
        "Install Tiedowns",
        "Fire",
        "Cut Engine",
    ],
    // Subject 1 is in neither.
    train: &["s03", "s04", "s08", "s09", "s12", "s13", "s15", "s17", "s19", "s20"],
    test: &["s02", "s05", "s06", "s07", "s10", "s11", "s14", "s16", "s18"],
    region: Some(Region { of: [320, 240], from: [30, 10], size: [260, 229] }),
};

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for name in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"").unwrap();
        }
        dir
    }

    fn names(layout: Layout, dir: &Path) -> Vec<(String, String)> {
        layout.find(dir).unwrap().into_iter().map(|clip| (clip.subject, clip.label)).collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|&(subject, label)| (subject.to_owned(), label.to_owned())).collect()
    }

    #[test]
    fn mug_has_subjects_labels_and_takes() {
        let mut files = vec![
            "001/anger/take000/img_0000.jpg".to_owned(),
            "001/anger/take001/img_0000.jpg".to_owned(),
            "001/talking/take000/img_0000.jpg".to_owned(),
            "002/session0/fear/take000/img_0000.jpg".to_owned(),
            "002/session1/fear/take000/img_0000.jpg".to_owned(),
            "100/fear/take000/img_0000.jpg".to_owned(),
        ];
        let dir = tree(&files.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(names(Layout::Mug, dir.path()), pairs(&[("001", "anger"), ("001", "anger"), ("002", "fear")]));
        assert_eq!(
            Layout::Auto.resolve(dir.path()).unwrap(),
            Layout::Folders,
            "two of its subjects do not make it MUG"
        );

        files.extend(MUG.train.iter().chain(MUG.test).map(|id| format!("{id}/neutral/take000/img_0000.jpg")));
        let dir = tree(&files.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(Layout::Auto.resolve(dir.path()).unwrap(), Layout::Mug);
    }

    #[test]
    fn mhad_and_natops_name_their_clips() {
        let mhad = tree(&["a1_s2_t1/a1_s2_t1_000.png", "a27_s8_t4_color.avi", "a28_s1_t1/0.png", "a1_s1/0.png"]);
        assert_eq!(Layout::Auto.resolve(mhad.path()).unwrap(), Layout::Mhad);
        let found = names(Layout::Mhad, mhad.path());
        assert_eq!(found, pairs(&[("s2", "right arm swipe to the left"), ("s8", "squat")]));

        let natops = tree(&["g01s10p01/g01s10p01-0000-0055.png", "g24s03p20/x.png", "segmentation.txt"]);
        assert_eq!(Layout::Auto.resolve(natops.path()).unwrap(), Layout::Natops);
        assert_eq!(names(Layout::Natops, natops.path()), pairs(&[("s10", "I Have Command"), ("s03", "Cut Engine")]));
    }

    #[test]
    fn the_published_splits_share_no_subject() {
        for (published, subjects) in [(&MUG, 52), (&MHAD, 8), (&NATOPS, 19)] {
            let mut all: Vec<_> = published.train.iter().chain(published.test).collect();
            all.sort();
            all.dedup();
            assert_eq!(all.len(), subjects, "{}", published.name);
        }
        assert_eq!((MUG.labels.len(), MHAD.labels.len(), NATOPS.labels.len()), (7, 27, 24));
    }
}
