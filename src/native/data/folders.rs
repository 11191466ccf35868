//! Folders of frames, GIFs and videos become clips in memory, no larger than memory is granted.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::{
    args::DataArgs,
    contents::{Contents, StoredClip, Subject},
    error::{DataError, tolerate},
    ffmpeg,
    layouts::Published,
    media::Media,
    natural::natural_key,
    notices,
    partition::Partition,
    pixels::Pixels,
    split::Split,
    tiles::{Fit, Framing, Tiles},
    tree::{self, FoundClip},
};
use crate::native::progress::Progress;

/// Tiles are larger than the model's frames by up to this factor, to keep enlarged views sharp.
const CLOSE_UP: f64 = 1.5;

/// Frames per second of clips whose files do not say.
const FPS: usize = 8;

const GIB: f64 = (1u64 << 30) as f64;

/// Reads the clips of one split of a directory of folders. The model sees frames of `size` pixels,
/// and `frames` of them if that is known.
pub(super) fn read(
    dir: &Path,
    flow_dir: Option<&Path>,
    args: &DataArgs,
    size: usize,
    frames: Option<usize>,
    split: Split,
) -> Result<Contents, DataError> {
    let layout = args.layout.resolve(dir)?;
    let published = layout.published();
    let found = layout.find(dir)?;
    tree::warn_of_unread(dir);
    if found.is_empty() {
        return Err(DataError::NoClips { dir: dir.to_owned(), expected: layout.example() });
    }
    if flow_dir.is_some() {
        return Err(DataError::NoFlow { dir: dir.to_owned() });
    }
    if let Some(published) = published {
        notices::info(format!("{} holds {}", dir.display(), published.name));
    }
    let labels = match published {
        Some(published) => published.labels.iter().map(|&label| label.to_owned()).collect(),
        None => sorted_names(&found, |clip| &clip.label),
    };
    for (label, subject) in labels_of_one_subject(&found) {
        notices::warn(format!("only {subject} has clips of `{label}`, so nobody else can validate it"));
    }
    let chosen = choose(dir, found, published, split)?;

    let fit = args.fit.unwrap_or(if published.is_some() { Fit::Pad } else { Fit::Crop });
    let framing = Framing { fit, region: published.and_then(|published| published.region) };
    let side = chosen.iter().find_map(|clip| framing.first_side(&clip.media)).unwrap_or(size);
    let close_up = side.clamp(size, (size as f64 * CLOSE_UP) as usize);
    let needed = frames.unwrap_or(2);
    // Frames matter more than sharp close-ups.
    let (tile, limit) = match frames_within(args.memory, chosen.len(), close_up, needed) {
        Ok(limit) => (close_up, limit),
        Err(_) => (size, frames_within(args.memory, chosen.len(), size, needed)?),
    };

    let progress = Progress::new("reading clips", chosen.len());
    let read: Vec<Result<Tiles, String>> =
        chosen.par_iter().map(|clip| framing.read(&clip.media, tile, limit)).inspect(|_| progress.inc(1)).collect();
    progress.finish();
    collect(&chosen, read, labels, tile)
}

/// The clips whose subjects belong to the split.
fn choose(
    dir: &Path,
    found: Vec<FoundClip>,
    published: Option<&Published>,
    split: Split,
) -> Result<Vec<FoundClip>, DataError> {
    let is_of_split = |clip: &FoundClip| split == Split::All || clip.split == Some(split);
    if found.iter().any(|clip| clip.split.is_some()) {
        let chosen: Vec<FoundClip> = found.into_iter().filter(is_of_split).collect();
        return readable(dir, chosen, split);
    }
    let everybody: BTreeSet<String> = found.iter().map(|clip| clip.subject.clone()).collect();
    let partition = Partition::of(dir, &everybody, published)?;
    let chosen: Vec<FoundClip> = found.into_iter().filter(|clip| partition.contains(&clip.subject, split)).collect();
    readable(dir, chosen, split)
}

/// The chosen clips, if there are any and if they can be read.
fn readable(dir: &Path, chosen: Vec<FoundClip>, split: Split) -> Result<Vec<FoundClip>, DataError> {
    if chosen.is_empty() {
        return Err(DataError::EmptySplit { dir: dir.to_owned(), split });
    }
    if let Some(clip) = chosen.iter().find(|clip| matches!(clip.media, Media::Video(_)))
        && !ffmpeg::is_available()
    {
        return Err(DataError::NoFfmpeg { path: clip.media.path().to_owned() });
    }
    Ok(chosen)
}

/// How many frames a clip may keep so that all clips fit into `gib`: at least `needed`.
fn frames_within(gib: f64, clips: usize, tile: usize, needed: usize) -> Result<usize, DataError> {
    let one_each = (clips * tile * tile * 3) as f64 / GIB;
    let limit = (gib / one_each) as usize;
    if limit < needed {
        return Err(DataError::Memory { clips, tile, frames: needed, needed: one_each * needed as f64, granted: gib });
    }
    Ok(limit)
}

/// The clips that were read, with what could not be read among `skipped`.
fn collect(
    chosen: &[FoundClip],
    read: Vec<Result<Tiles, String>>,
    labels: Vec<String>,
    tile: usize,
) -> Result<Contents, DataError> {
    let subjects = sorted_names(chosen, |clip| &clip.subject);
    let place = |names: &[String], name: &str| names.iter().position(|known| known == name).unwrap_or_default();
    let (mut clips, mut bad_clips, mut bad_frames) = (Vec::new(), Vec::new(), Vec::new());
    let (mut all_frames, mut thinned, mut sizes) = (0, 0, BTreeMap::<(u32, u32), usize>::new());
    for (found, tiles) in chosen.iter().zip(read) {
        let name = found.media.path().display().to_string();
        let tiles = match tiles {
            Ok(tiles) => tiles,
            Err(problem) => {
                bad_clips.push(format!("{name}: {problem}"));
                continue;
            }
        };
        all_frames += tiles.seen + tiles.bad.len();
        thinned += usize::from(tiles.frames < tiles.seen);
        bad_frames.extend(tiles.bad);
        for (size, count) in tiles.sizes {
            *sizes.entry(size).or_default() += count;
        }
        if tiles.frames < 2 {
            bad_clips.push(format!("{name}: a clip needs two frames, this one has {}", tiles.frames));
            continue;
        }
        clips.push(StoredClip {
            subject: place(&subjects, &found.subject),
            label: place(&labels, &found.label),
            name,
            frames: tiles.frames,
            pixels: Pixels::Plain(tiles.pixels),
            alpha: tiles.alpha,
            flow: None,
            strengths: None,
            references: None,
        });
    }
    tolerate("frames", all_frames, &bad_frames)?;
    tolerate("clips", chosen.len(), &bad_clips)?;
    if sizes.len() > 1 {
        let sizes: Vec<_> =
            sizes.iter().map(|((width, height), count)| format!("{count} of {width}x{height}")).collect();
        notices::info(format!("frames differ in size ({}); all become {tile}x{tile}", sizes.join(", ")));
    }
    if thinned > 0 {
        notices::info(format!("{thinned} clips keep only some of their frames, evenly spaced, to fit into --memory"));
    }
    notices::info(format!("{} clips of {} subjects, {tile}x{tile} pixels", clips.len(), subjects.len()));
    clips.sort_by_key(|clip| (clip.subject, clip.label));
    let subject = |name: String| Subject { id: id_of(&name), name };
    bad_clips.extend(bad_frames);
    Ok(Contents {
        tile,
        fps: FPS,
        // Nothing says where an expression or a gesture is strongest; on average it is in the middle.
        apex: 0.5,
        labels,
        subjects: subjects.into_iter().map(subject).collect(),
        clips,
        skipped: bad_clips,
    })
}

/// All values of a property of the clips, in natural order.
fn sorted_names(clips: &[FoundClip], property: impl Fn(&FoundClip) -> &String) -> Vec<String> {
    let mut names: Vec<String> = clips.iter().map(property).collect::<BTreeSet<_>>().into_iter().cloned().collect();
    names.sort_by_cached_key(|name| natural_key(name));
    names
}

/// Labels that only one subject has clips of, with that subject; nothing if there is only one
/// subject anyway.
fn labels_of_one_subject(clips: &[FoundClip]) -> Vec<(&str, &str)> {
    let mut subjects = BTreeMap::<&str, BTreeSet<&str>>::new();
    for clip in clips {
        subjects.entry(&clip.label).or_default().insert(&clip.subject);
    }
    if subjects.values().flatten().collect::<BTreeSet<_>>().len() < 2 {
        return Vec::new();
    }
    subjects
        .into_iter()
        .filter(|(_, subjects)| subjects.len() == 1)
        .filter_map(|(label, subjects)| subjects.into_iter().next().map(|subject| (label, subject)))
        .collect()
}

/// A number for a name, the same in every set and split.
fn id_of(name: &str) -> u32 {
    let digest = Sha256::digest(name.as_bytes());
    u32::from_le_bytes([digest[0], digest[1], digest[2], digest[3]])
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use super::*;
    use crate::{
        native::data::{
            Augmentation, Clip, PairOptions, Sampling,
            fixtures::{folders, read},
        },
        portrait::to_byte,
    };

    #[test]
    fn memory_bounds_the_frames_of_a_clip() {
        // 1024 tiles of 3 MiB are 3 GiB for one frame each.
        assert_eq!(frames_within(30.0, 1024, 1024, 2).unwrap(), 10);
        let message = frames_within(30.0, 1024, 1024, 16).unwrap_err().to_string();
        assert!(message.contains("48.0 GiB") && message.contains("--memory"), "{message}");
    }

    #[test]
    fn labels_of_one_subject_are_named() {
        let clip = |subject: &str, label: &str| FoundClip {
            subject: subject.to_owned(),
            label: label.to_owned(),
            media: Media::Gif(PathBuf::new()),
            split: None,
        };
        let clips = [clip("anna", "smile"), clip("bert", "smile"), clip("bert", "frown"), clip("bert", "frown")];
        assert_eq!(labels_of_one_subject(&clips), [("frown", "bert")]);
        assert_eq!(labels_of_one_subject(&clips[1..]), []);
    }

    #[test]
    fn clips_of_folders_differ_in_length_size_and_labels() {
        let dir = folders(&[
            ("anna/smile/take1", 12, [40, 30], 10),
            ("anna/smile/take2", 4, [20, 20], 20),
            ("anna/wave", 4, [40, 30], 30),
            ("bert/wave", 9, [40, 30], 40),
        ]);
        let data = read(dir.path(), None, Split::All).unwrap();
        assert_eq!((data.len(), data.clip_count(), data.frames(), data.apex_frame()), (2, 4, 4, 2));
        assert_eq!(data.labels(), ["smile", "wave"]);
        // The middle 30x30 of the first clip, but no more than 1.5 times the model's 16.
        assert_eq!(data.tile, 24);
        let clips: Vec<_> = data.clips().map(|clip| (clip.subject(), clip.label())).collect();
        assert_eq!(clips, [(0, 0), (0, 0), (0, 1), (1, 1)]);
        assert!(data.find(1, 0).is_none() && data.clips_of(1).len() == 1);
        let bytes = |clip: Clip<'_>| (0..4).map(|frame| clip.rgba(frame)[..2].to_vec()).collect::<Vec<_>>();
        assert_eq!(bytes(data.clip(0, 0)), [[10, 0], [10, 3], [10, 7], [10, 11]]);
        assert_eq!(bytes(data.clip(1, 1)), [[40, 0], [40, 2], [40, 5], [40, 8]]);
        assert_ne!(bytes(data.clip(0, 0).sampled(Sampling::VeryRandom, 1)), bytes(data.clip(0, 0)));
        assert!(!data.clip(0, 0).begins_like(&data.clip(0, 1)) && data.clip(0, 1).begins_like(&data.clip(0, 1)));

        // Pairs come from all frames of all clips, also from those that the model's 4 leave out.
        let pairs = data.pairs(&PairOptions { augmentation: Augmentation::NONE, ..PairOptions::default() }, 200, 0, 0);
        let drawn: BTreeSet<_> =
            pairs.driving.chunks(3 * 256).map(|frame| [frame[0], frame[256]].map(to_byte)).collect();
        assert!(drawn.len() > 25 && drawn.contains(&[10, 1]) && drawn.contains(&[40, 7]), "{drawn:?}");
    }

    #[test]
    fn one_side_never_sees_the_other() {
        let names: Vec<String> = (0..20).map(|i| format!("p{i}/smile")).collect();
        let clips: Vec<_> = names.iter().map(|name| (name.as_str(), 2, [16, 16], 0)).collect();
        let dir = folders(&clips);
        let people = |split| {
            let data = read(dir.path(), None, split).unwrap();
            (0..data.len()).map(|subject| data.subject_name(subject).to_owned()).collect::<BTreeSet<_>>()
        };
        let (train, val) = (people(Split::Train), people(Split::Val));
        assert_eq!((train.len(), val.len()), (18, 2));
        assert!(train.is_disjoint(&val));
        assert_eq!(people(Split::All).len(), 20);

        fs::write(dir.path().join("splits.json"), r#"{"train": ["p3", "p4"], "val": []}"#).unwrap();
        assert_eq!(people(Split::Train).into_iter().collect::<Vec<_>>(), ["p3", "p4"]);
        let message = read(dir.path(), None, Split::Val).err().unwrap().to_string();
        assert!(message.contains("split `val`") && message.contains("splits.json"), "{message}");
    }

    #[test]
    fn damaged_frames_are_skipped_up_to_one_in_twenty() {
        let dir = folders(&[("anna/smile", 30, [16, 16], 0), ("bert/smile", 30, [16, 16], 0)]);
        let damage = |name: &str| fs::write(dir.path().join(name), b"no picture").unwrap();
        damage("anna/smile/0.png");
        damage("anna/smile/7.png");
        let data = read(dir.path(), Some(16), Split::All).unwrap();
        assert_eq!((data.clips[0].frames, data.skipped().len()), (28, 2));
        assert!(data.skipped()[0].contains("anna/smile/0.png"), "{:?}", data.skipped());
        assert_eq!(data.clip(0, 0).rgba(0)[1], 1, "the first frame that is left");

        damage("bert/smile/1.png");
        damage("bert/smile/2.png");
        let message = read(dir.path(), Some(16), Split::All).err().unwrap().to_string();
        assert!(message.contains("4 of 60 frames") && message.contains("bert/smile/2.png"), "{message}");
    }

    #[test]
    fn of_two_clips_one_may_be_broken() {
        let dir = folders(&[("anna/smile", 4, [16, 16], 0), ("bert/smile", 4, [16, 16], 0)]);
        fs::write(dir.path().join("bert/wave.gif"), b"no GIF").unwrap();
        fs::write(dir.path().join("splits.json"), r#"{"train": ["anna"], "val": ["bert"]}"#).unwrap();
        let data = read(dir.path(), None, Split::Val).unwrap();
        assert_eq!((data.clip_count(), data.skipped().len()), (1, 1));
        fs::remove_dir_all(dir.path().join("bert/smile")).unwrap();
        let message = read(dir.path(), None, Split::Val).err().unwrap().to_string();
        assert!(message.contains("1 of 1 clips") && message.contains("wave.gif"), "{message}");
    }

    #[test]
    fn transparent_frames_show_what_is_behind_them() {
        let dir = folders(&[]);
        fs::create_dir_all(dir.path().join("anna/smile")).unwrap();
        for name in ["0.png", "1.png"] {
            let half = |x, _| image::Rgba(if x < 8 { [200, 0, 0, 255] } else { [0; 4] });
            image::RgbaImage::from_fn(16, 16, half).save(dir.path().join("anna/smile").join(name)).unwrap();
        }
        let data = read(dir.path(), None, Split::All).unwrap();
        let row = &data.clip(0, 0).rgba(0)[..16 * 4];
        assert_eq!((&row[..4], &row[15 * 4..]), (&[200, 0, 0, 255][..], &[255; 4][..]));

        let augmentation = Augmentation { backdrop: 1.0, ..Augmentation::NONE };
        let pairs = data.pairs(&PairOptions { augmentation, ..PairOptions::default() }, 1, 0, 0);
        assert!(pairs.source[15] < 0.99, "the background is still white");
        assert_eq!(pairs.source, pairs.driving, "the background stands still");
        assert!((pairs.source[0] - 200.0 / 255.0).abs() < 1e-6);
    }
}
