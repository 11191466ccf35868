//! Sheets: `meta.json`, and for each person and take one WebP picture with a row per label and a column per
//! frame, square tiles without gaps.
//!
//! Frame 0 is the same for all labels of a take. It is always taken from row 0, so that its coding noise
//! is the same, too. Next to the sheets or elsewhere there may be exact flow:
//! `s{id:06}_k{take}_flow{N}.npy`, float16 `[label, frame, N, N, 3]`, the displacement of [`FlowFrame`]
//! and its visibility as channel 2. A take without such a file has no flow. The strengths of a take's clips
//! and other appearances of its frame 0 are in files that `meta.json` names.
//!
//! Sheets that do not fit into memory stay as they are in their files, and are unpacked while somebody looks
//! at them.
//!
//! [`FlowFrame`]: super::FlowFrame

use std::{
    fmt::Display,
    fs,
    io::Cursor,
    path::{Path, PathBuf},
    sync::Arc,
};

use half::f16;
use rayon::prelude::*;

use super::{
    contents::Contents,
    error::{DataError, tolerate},
    meta::{META, Meta, Person, Take},
    pixels::{PackedSheet, Pixels, SheetCache},
    split::Split,
};
use crate::native::{progress::Progress, whole_file::read_file};

const GIB: f64 = (1u64 << 30) as f64;

/// Reads the people of one split. Beyond `memory` GiB they stay packed.
pub(super) fn read(
    dir: &Path,
    flow_dir: Option<&Path>,
    size: usize,
    memory: f64,
    split: Split,
) -> Result<Contents, DataError> {
    let meta = Meta::read(dir)?;
    meta.admit(size, &dir.join(META))?;
    let ids = meta.ids(split);
    let flow_files = flow_dir.map(list_flow_files).transpose()?.unwrap_or_default();
    let needed = (ids.len() * meta.takes.len() * meta.take_bytes()) as f64 / GIB;
    let cache = (needed > memory).then(Arc::<SheetCache>::default);
    if cache.is_some() {
        tracing::info!(
            "the pixels would take {needed:.1} GiB, so sheets stay packed; --memory {needed:.0} unpacks them"
        );
    }
    let reader = Reader { dir, meta: &meta, flow_files: &flow_files, cache: cache.as_ref() };

    let progress = Progress::new("reading sheets", ids.len());
    let results: Vec<Result<Person, String>> =
        ids.par_iter().map(|&id| reader.person(id)).inspect(|_| progress.inc(1)).collect();
    progress.finish();

    let (mut people, mut skipped) = (Vec::with_capacity(ids.len()), Vec::new());
    for result in results {
        match result {
            Ok(person) => people.push(person),
            Err(problem) => skipped.push(problem),
        }
    }
    let first_take = meta.takes[0];
    if people.is_empty() && ids.iter().all(|&id| !dir.join(sheet_name(id, first_take)).exists()) {
        return Err(DataError::NoSheets {
            dir: dir.to_owned(),
            split,
            expected: ids.len(),
            first: ids.first().map(|&id| sheet_name(id, first_take)).unwrap_or_default(),
        });
    }
    tolerate("sheets", ids.len(), &skipped)?;
    let has_flow = |person: &&Person| person.takes.iter().any(|take| take.flow.is_some());
    tracing::info!("{} people ({split}), {} with exact flow", people.len(), people.iter().filter(has_flow).count());
    Ok(meta.contents(people, skipped))
}

/// Reads people of a directory.
struct Reader<'a> {
    dir: &'a Path,
    meta: &'a Meta,
    flow_files: &'a [(u32, u32, PathBuf)],
    /// For sheets that stay packed.
    cache: Option<&'a Arc<SheetCache>>,
}

impl Reader<'_> {
    /// A person with all takes; one that is damaged spoils the others, as their number is known.
    fn person(&self, id: u32) -> Result<Person, String> {
        let takes = self.meta.takes.iter().enumerate().map(|(place, &take)| self.take(id, take, place));
        Ok(Person { id, takes: takes.collect::<Result<_, _>>()? })
    }

    fn take(&self, id: u32, take: u32, place: usize) -> Result<Take, String> {
        let Self { dir, meta, flow_files, cache } = self;
        let layout = SheetLayout { rows: meta.actions.len(), frames: meta.frames, tile: meta.size };
        let path = dir.join(sheet_name(id, take));
        let bytes = read_file(&path).map_err(|problem| format!("{}: {problem}", path.display()))?;
        let rows = layout.unpack(&bytes).map_err(|problem| format!("{}: {problem}", path.display()))?;
        let rows = match cache {
            None => rows.into_iter().map(Pixels::Plain).collect(),
            Some(cache) => {
                let unpack = move || layout.unpack(&bytes).expect("it was unpacked when the set was opened");
                let id = id as usize * meta.takes.len() + place;
                PackedSheet::new(id, cache, unpack).into_rows(&rows)
            }
        };
        let flow = flow_files.iter().find(|file| (file.0, file.1) == (id, take)).and_then(|(_, _, path)| {
            read_flow(path, meta).inspect_err(|problem| tracing::warn!("no flow for person {id}: {problem}")).ok()
        });
        let strengths = meta.read_strengths(dir, id, take)?;
        Ok(Take { rows, strengths, references: meta.find_references(dir, id, take)?, flow })
    }
}

/// The file of a person's take.
fn sheet_name(id: u32, take: u32) -> String {
    format!("s{id:06}_k{take}.webp")
}

/// What a sheet looks like.
#[derive(Clone, Copy)]
struct SheetLayout {
    rows: usize,
    frames: usize,
    /// Side of a tile in pixels.
    tile: usize,
}

impl SheetLayout {
    /// For each row of a WebP file `[frame, y, x, rgb]`.
    fn unpack(self, file: &[u8]) -> Result<Vec<Vec<u8>>, String> {
        let Self { rows, frames, tile } = self;
        let explain = |problem: &dyn Display| problem.to_string();
        let sheet = image::ImageReader::new(Cursor::new(file))
            .with_guessed_format()
            .map_err(|e| explain(&e))?
            .decode()
            .map_err(|e| explain(&e))?
            .into_rgb8();
        let (width, height) = (frames * tile, rows * tile);
        if (sheet.width() as usize, sheet.height() as usize) != (width, height) {
            return Err(format!("is {}x{}, not {width}x{height}", sheet.width(), sheet.height()));
        }
        let clip = |row: usize| {
            let mut pixels = Vec::with_capacity(tile * width * 3);
            for frame in 0..frames {
                let row = if frame == 0 { 0 } else { row };
                for y in 0..tile {
                    let start = ((row * tile + y) * width + frame * tile) * 3;
                    pixels.extend_from_slice(&sheet.as_raw()[start..start + tile * 3]);
                }
            }
            pixels
        };
        Ok((0..rows).map(clip).collect())
    }
}

/// The people and takes that have a flow file, with its path.
fn list_flow_files(dir: &Path) -> Result<Vec<(u32, u32, PathBuf)>, DataError> {
    let explain = |source| DataError::FlowDirectory { path: dir.to_owned(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).map_err(explain)? {
        let path = entry.map_err(explain)?.path();
        let place = path.file_name().and_then(|name| name.to_str()).and_then(|name| {
            let (person, side) = name.strip_prefix('s')?.strip_suffix(".npy")?.split_once("_flow")?;
            let (id, take) = person.split_once("_k")?;
            side.parse::<usize>().ok()?;
            Some((id.parse().ok()?, take.parse().ok()?))
        });
        files.extend(place.map(|(id, take)| (id, take, path)));
    }
    Ok(files)
}

/// The exact flow of a person: cells of a side, and for each label `[frame, y, x, (dx, dy,
/// visibility)]`.
fn read_flow(path: &Path, meta: &Meta) -> Result<(usize, Vec<Vec<f16>>), String> {
    let explain = |problem: &dyn Display| format!("{}: {problem}", path.display());
    let bytes = read_file(path).map_err(|e| explain(&e))?;
    let array = npyz::NpyFile::new(bytes.as_slice()).map_err(|e| explain(&e))?;
    let shape: Vec<usize> = array.shape().iter().map(|&n| n as usize).collect();
    let clips = [meta.actions.len(), meta.frames];
    let side = match shape.as_slice() {
        &[labels, frames, side, columns, 3] if [labels, frames] == clips && side == columns && side > 0 => side,
        _ => return Err(explain(&format!("has shape {shape:?}, not [{}, {}, N, N, 3]", clips[0], clips[1]))),
    };
    if array.order() != npyz::Order::C {
        return Err(explain(&"is stored in Fortran order"));
    }
    let cells: Vec<f16> = array.into_vec().map_err(|e| explain(&e))?;
    if cells.iter().any(|value| !value.is_finite()) {
        return Err(explain(&"holds values that are not finite"));
    }
    Ok((side, cells.chunks_exact(meta.frames * side * side * 3).map(<[f16]>::to_vec).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::data::{
        ClipSet, DataArgs,
        fixtures::{copy_faces, faces, faces_with_takes, open_faces},
    };

    fn open(dir: &Path) -> Result<ClipSet, DataError> {
        ClipSet::open(dir, Some(dir), 32, Split::Train)
    }

    #[test]
    fn reads_people_labels_and_frames() {
        let data = open_faces();
        assert_eq!((data.len(), data.frames(), data.size(), data.grid()), (2, 4, 32, 8));
        assert_eq!(data.labels()[4], "happiness");
        assert_eq!([data.subject_id(0), data.subject_id(1)], [0, 1]);
        assert_eq!(ClipSet::open(&faces(), None, 64, Split::All).unwrap().len(), 3);

        let frame = data.clip(0, 4).frame(2);
        assert_eq!(frame.len(), 3 * 32 * 32);
        assert!(frame.iter().all(|v| (0.0..=1.0).contains(v)));
        assert_ne!(frame, data.clip(0, 6).frame(2), "happiness and surprise look the same");
        assert_eq!(
            data.clip(0, 4).frame(0),
            data.clip(0, 6).frame(0),
            "frame 0 belongs to the person, not to the label"
        );
        assert_eq!(data.clip(0, 4).all_frames()[2 * 3 * 32 * 32..3 * 3 * 32 * 32], frame);
    }

    #[test]
    fn an_empty_directory_says_what_it_must_hold() {
        let dir = tempfile::tempdir().unwrap();
        let message = open(dir.path()).err().unwrap().to_string();
        assert!(message.contains("meta.json"), "{message}");

        fs::copy(faces().join(META), dir.path().join(META)).unwrap();
        let message = open(dir.path()).err().unwrap().to_string();
        assert!(message.contains("none of the 2 sheets") && message.contains("s000000_k0.webp"), "{message}");
    }

    #[test]
    fn bad_sheets_are_skipped_up_to_one_in_twenty() {
        let dir = copy_faces();
        let meta = fs::read_to_string(dir.path().join(META)).unwrap();
        let mut meta: serde_json::Value = serde_json::from_str(&meta).unwrap();
        meta["splits"]["train"] = (0..40).collect();
        fs::write(dir.path().join(META), meta.to_string()).unwrap();
        for id in 2..40 {
            fs::copy(dir.path().join("s000001_k0.webp"), dir.path().join(format!("s{id:06}_k0.webp"))).unwrap();
        }
        fs::write(dir.path().join("s000005_k0.webp"), b"RIFF").unwrap();
        let data = open(dir.path()).unwrap();
        assert_eq!(data.len(), 39);
        assert!(data.skipped()[0].contains("s000005_k0.webp"), "{:?}", data.skipped());

        for id in [6, 7] {
            fs::write(dir.path().join(format!("s{id:06}_k0.webp")), b"").unwrap();
        }
        let message = open(dir.path()).err().unwrap().to_string();
        assert!(message.contains("3 of 40") && message.contains("s000007_k0.webp"), "{message}");
    }

    #[test]
    fn a_sheet_of_another_size_is_named_with_both_sizes() {
        let dir = copy_faces();
        for name in ["s000000_k0.webp", "s000001_k0.webp"] {
            image::RgbImage::new(64, 64).save(dir.path().join(name)).unwrap();
        }
        let message = open(dir.path()).err().unwrap().to_string();
        assert!(message.contains("s000001_k0.webp: is 64x64, not 256x448"), "{message}");
    }

    #[test]
    fn takes_are_further_clips_with_a_first_frame_strengths_and_appearances_of_their_own() {
        let dir = faces_with_takes();
        let data = open(dir.path()).unwrap();
        let labels = data.labels().len();
        assert_eq!((data.len(), data.clip_count()), (2, 2 * 2 * labels));
        let clips: Vec<_> = data.clips_of(0).collect();
        assert_eq!(clips.iter().map(crate::native::data::Clip::label).collect::<Vec<_>>()[..4], [0, 0, 1, 1]);
        assert!(clips[0].begins_like(&clips[2]) && clips[1].begins_like(&clips[3]), "one frame for each take");
        assert!(!clips[0].begins_like(&clips[1]), "and another for the other");
        let texts: Vec<String> = clips[2..4].iter().map(|clip| clip.strengths().to_string()).collect();
        let label = &data.labels()[1];
        assert_eq!(texts, [label.clone(), format!("{label}=1.25")]);

        let views = data.views(0, 2, 1.5);
        for view in views {
            let references = clips[1].references_through(view).unwrap();
            assert_eq!((references.len(), references[0].len()), (2, 3 * 32 * 32));
            assert!(references[0].iter().all(|&value| value == 0.0));
            assert!(references[1].iter().all(|&value| (value - 200.0 / 255.0).abs() < 0.01));
        }
        assert!(open_faces().clip(0, 1).references_through(data.views(0, 1, 1.0)[0]).unwrap().is_empty());
    }

    #[test]
    fn what_takes_lack_or_have_wrong_is_named() {
        let spoil = |name: &str, content: &[u8]| {
            let dir = faces_with_takes();
            for id in [0, 1] {
                fs::write(dir.path().join(format!("s{id:06}_{name}")), content).unwrap();
            }
            open(dir.path()).err().unwrap().to_string()
        };
        assert!(spoil("k3.json", br#"{"clips": []}"#).contains("s000000_k3.json: has 0 clips, not 7"));
        assert!(spoil("k3.webp", b"RIFF").contains("s000000_k3.webp"));
        let dir = faces_with_takes();
        let path = dir.path().join("s000000_k0.json");
        let text = fs::read_to_string(&path).unwrap();
        for (from, to, problem) in [(":1.0", ":-1.0", "has the strength -1"), ("anger", "ire", "unknown label `ire`")] {
            for id in [0, 1] {
                fs::write(dir.path().join(format!("s{id:06}_k0.json")), text.replace(from, to)).unwrap();
            }
            let message = open(dir.path()).err().unwrap().to_string();
            assert!(message.contains(problem), "{message}");
        }
        let dir = faces_with_takes();
        for id in [0, 1] {
            fs::remove_file(dir.path().join(format!("s{id:06}_k3_references.webp"))).unwrap();
        }
        assert!(open(dir.path()).err().unwrap().to_string().contains("s000000_k3_references.webp is missing"));
    }

    #[test]
    fn sheets_that_stay_packed_show_the_same() {
        let dir = faces_with_takes();
        let read = |memory: f64| {
            let reading = DataArgs { memory, crop: Some("0.25,0,0.5".parse().unwrap()), ..DataArgs::default() };
            reading.open(dir.path(), None, 32, None, Split::Train).unwrap()
        };
        let (plain, packed) = (read(8.0), read(0.0));
        assert!(matches!(packed.clip(0, 0).stored.pixels, Pixels::Packed(_)));
        for (plain, packed) in plain.clips().zip(packed.clips()) {
            assert_eq!(plain.all_frames(), packed.all_frames());
            assert!(plain.begins_like(&plain) && plain.frame(0) == packed.frame(0));
        }
    }
}
