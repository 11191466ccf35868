//! Measured clips as folders of frames, for people to look at and for other recognisers.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use image::RgbaImage;
use serde::Serialize;

use crate::native::data::{ClipSet, Crop};
use crate::native::staging::{Place, Staging};
use crate::native::video::Video;
use crate::portrait::planar_to_rgba;

/// The file next to the clips that describes them.
const DESCRIPTION: &str = "clips.json";

/// A directory of `<origin>/<subject>/<label>/0001.png …`, which `--data` can read. It is complete
/// or does not exist.
pub(crate) struct ClipFolders {
    staging: Staging,
    target: PathBuf,
    subjects: Vec<String>,
    labels: Vec<String>,
    /// Whether a person has several clips of a label, as with several seeds. They get folders
    /// `<label>/1`, `<label>/2` and so on.
    numbered: bool,
}

/// What is written to [`DESCRIPTION`].
#[derive(Serialize)]
struct Description<'a> {
    labels: &'a [String],
    frames: usize,
    /// Frame at which expressions are strongest, counted from 0, while files are counted from 1.
    apex_frame: usize,
    /// The part of the data's frames that is used, `[left, top, side]` in shares of their side.
    #[serde(skip_serializing_if = "Option::is_none")]
    crop: Option<Crop>,
}

impl ClipFolders {
    /// A directory for the clips of `data`, and for `seeds` generated clips for each of them.
    ///
    /// # Errors
    /// A directory that is not empty or cannot be written.
    pub(crate) fn create(target: &Path, data: &ClipSet, seeds: usize) -> Result<Self> {
        let place = Place::of(target).context("--clips-out")?;
        ensure!(place.is_free(), "--clips-out {} exists and is not empty; name a new directory", target.display());
        let staging = place.staging().with_context(|| cannot_write(target))?;
        let description = Description {
            labels: data.labels(),
            frames: data.frames(),
            apex_frame: data.apex_frame(),
            crop: data.crop(),
        };
        fs::write(staging.path().join(DESCRIPTION), serde_json::to_vec_pretty(&description)?)
            .with_context(|| cannot_write(target))?;
        let places: Vec<[usize; 2]> = data.clips().map(|clip| [clip.subject(), clip.label()]).collect();
        Ok(Self {
            staging,
            target: target.to_owned(),
            subjects: (0..data.len()).map(|subject| data.subject_name(subject).to_owned()).collect(),
            labels: data.labels().to_vec(),
            numbered: seeds > 1 || places.windows(2).any(|pair| pair[0] == pair[1]),
        })
    }

    /// Writes a clip. Several clips of one origin, person and label are numbered.
    pub(crate) fn add(&self, origin: &str, subject: usize, label: usize, video: &Video) -> Result<()> {
        let names = [origin, &self.subjects[subject], &self.labels[label]].map(folder_name);
        let mut folder: PathBuf = [self.staging.path()].into_iter().chain(names.iter().map(Path::new)).collect();
        if self.numbered {
            folder = next_take(&folder);
        }
        fs::create_dir_all(&folder).with_context(|| cannot_write(&self.target))?;
        for (index, frame) in video.frames().enumerate() {
            let side = video.size() as u32;
            let picture = RgbaImage::from_raw(side, side, planar_to_rgba(frame)).context("a frame is not square")?;
            let path = folder.join(format!("{:04}.png", index + 1));
            picture.save(&path).with_context(|| cannot_write(&self.target))?;
        }
        Ok(())
    }

    /// Gives the directory its name.
    pub(crate) fn publish(self) -> Result<()> {
        self.staging.publish().with_context(|| cannot_write(&self.target))
    }
}

/// The folder of the first number that no clip has yet.
fn next_take(folder: &Path) -> PathBuf {
    let mut take = 1;
    while folder.join(take.to_string()).exists() {
        take += 1;
    }
    folder.join(take.to_string())
}

fn cannot_write(target: &Path) -> String {
    format!("cannot write the clips to {}", target.display())
}

/// The name with letters, digits, `-` and `_` kept and a dash for everything else, so that no name
/// leads elsewhere.
fn folder_name(name: &str) -> String {
    let parts = name.split(|letter: char| !(letter.is_alphanumeric() || "-_".contains(letter)));
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::data::{SYNTHETIC, Split};

    const SIZE: usize = 16;

    fn data() -> ClipSet {
        ClipSet::open(Path::new(SYNTHETIC), None, SIZE, Split::Val).unwrap()
    }

    #[test]
    fn written_clips_are_clips_to_read() {
        let (data, dir) = (data(), tempfile::tempdir().unwrap());
        let target = dir.path().join("clips");
        let folders = ClipFolders::create(&target, &data, 1).unwrap();
        for clip in data.clips() {
            folders.add("real", clip.subject(), clip.label(), &Video::new(SIZE, clip.all_frames())).unwrap();
        }
        assert!(!target.exists(), "half of them would pass for all");
        folders.publish().unwrap();

        let read = ClipSet::open(&target.join("real"), None, SIZE, Split::All).unwrap();
        assert_eq!((read.clip_count(), read.frames()), (data.clip_count(), data.frames()));
        for clip in read.clips() {
            let index = |names: &[String], name: &str| names.iter().position(|known| known == name).unwrap();
            let subject = (0..data.len()).find(|&i| data.subject_name(i) == read.subject_name(clip.subject())).unwrap();
            let original = data.clip(subject, index(data.labels(), &read.labels()[clip.label()]));
            assert!(
                (0..data.frames()).all(|frame| clip.rgba(frame) == original.rgba(frame)),
                "clip of {}",
                clip.subject()
            );
        }
        let description: serde_json::Value =
            serde_json::from_slice(&fs::read(target.join(DESCRIPTION)).unwrap()).unwrap();
        assert_eq!(description["apex_frame"], data.apex_frame());

        let refused = ClipFolders::create(&target, &data, 1).err().unwrap().to_string();
        assert!(refused.contains("name a new directory"), "{refused}");
    }

    #[test]
    fn clips_of_several_seeds_are_numbered() {
        let (data, dir) = (data(), tempfile::tempdir().unwrap());
        let target = dir.path().join("clips");
        let folders = ClipFolders::create(&target, &data, 2).unwrap();
        let video = Video::new(SIZE, data.clip(0, 1).all_frames());
        for origin in ["real", "generated, 2 steps", "generated, 2 steps"] {
            folders.add(origin, 0, 1, &video).unwrap();
        }
        folders.publish().unwrap();
        let label = Path::new(data.subject_name(0)).join(&data.labels()[1]);
        let has = |origin: &str, take: &str| target.join(origin).join(&label).join(take).join("0001.png").exists();
        assert!(has("real", "1") && has("generated-2-steps", "1") && has("generated-2-steps", "2"));
        assert!(!has("real", "2") && !has("generated-2-steps", "3"));
    }

    #[test]
    fn no_name_leads_elsewhere() {
        assert_eq!(
            ["very happy", "../../up", "s_01-b", "grün"].map(folder_name),
            ["very-happy", "up", "s_01-b", "grün"]
        );
    }
}
