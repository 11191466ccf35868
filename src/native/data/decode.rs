//! Folders become clips in memory: squares of one size, no more of them than memory is granted.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    path::Path,
};

use image::RgbaImage;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::{
    Contents, DataArgs, DataError, Split, Stored, Subject,
    folders::{Found, Media, natural},
    gif, is_tolerable,
    layouts::Region,
    progress_bar,
    sampling::Sampling,
    splits::Sides,
    video,
};
use crate::{
    native::image_file,
    portrait::{resample_rgb, to_byte},
};

/// Tiles are larger than the model's frames by up to this factor, for enlarged views.
const CLOSE_UP: f64 = 1.5;

/// Of clips whose files do not say it.
const FPS: usize = 8;

const GIB: f64 = (1u64 << 30) as f64;

/// What is done with the frames of a clip, as they come.
pub(super) type Visit<'a> = &'a mut dyn FnMut(Result<RgbaImage, String>) -> ControlFlow<()>;

/// How a frame becomes a square.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Fit {
    /// The middle of the longer side.
    Crop,
    /// All of it, with black bars.
    Pad,
}

/// Reads the clips of one split of a directory of folders.
pub(super) fn open(
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
    if found.is_empty() {
        return Err(DataError::NoClips { dir: dir.to_owned(), layout });
    }
    if flow_dir.is_some() {
        return Err(DataError::NoFlow { dir: dir.to_owned() });
    }
    if let Some(published) = published {
        tracing::info!("{} holds {}", dir.display(), published.name);
    }
    let labels = match published {
        Some(published) => published.labels.iter().map(|&label| label.to_owned()).collect(),
        None => names(&found, |clip| &clip.label),
    };
    for (label, subject) in lonely_labels(&found) {
        tracing::warn!("only {subject} has clips of `{label}`, so nobody else can validate it");
    }
    let everybody: BTreeSet<String> = found.iter().map(|clip| clip.subject.clone()).collect();
    let sides = Sides::of(dir, &everybody, published)?;
    let chosen: Vec<Found> = found.into_iter().filter(|clip| sides.has(&clip.subject, split)).collect();
    if chosen.is_empty() {
        return Err(DataError::EmptySplit { dir: dir.to_owned(), split });
    }
    if let Some(clip) = chosen.iter().find(|clip| matches!(clip.media, Media::Video(_)))
        && !video::is_available()
    {
        return Err(DataError::NoFfmpeg { path: clip.media.path().to_owned() });
    }

    let fit = args.fit.unwrap_or(if published.is_some() { Fit::Pad } else { Fit::Crop });
    let frame = Framing { fit, region: published.and_then(|published| published.region) };
    let side = chosen.iter().find_map(|clip| frame.first_side(&clip.media)).unwrap_or(size);
    let room = |tile| frames_within(args.memory, chosen.len(), tile, frames.unwrap_or(2)).map(|limit| (tile, limit));
    // Frames matter more than sharp close-ups.
    let (tile, limit) = room(side.clamp(size, (size as f64 * CLOSE_UP) as usize)).or_else(|_| room(size))?;

    let progress = progress_bar("clips", chosen.len());
    let read: Vec<Result<Tiles, String>> =
        chosen.par_iter().map(|clip| frame.read(&clip.media, tile, limit)).inspect(|_| progress.inc(1)).collect();
    progress.finish_and_clear();
    collect(&chosen, read, labels, tile)
}

/// The frames that a clip may keep so that all fit into `gib`, at least `needed`.
fn frames_within(gib: f64, clips: usize, tile: usize, needed: usize) -> Result<usize, DataError> {
    let one_each = (clips * tile * tile * 3) as f64 / GIB;
    let limit = (gib / one_each) as usize;
    if limit < needed {
        return Err(DataError::Memory { clips, tile, frames: needed, needed: one_each * needed as f64, granted: gib });
    }
    Ok(limit)
}

fn collect(
    chosen: &[Found],
    read: Vec<Result<Tiles, String>>,
    labels: Vec<String>,
    tile: usize,
) -> Result<Contents, DataError> {
    let subjects = names(chosen, |clip| &clip.subject);
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
            bad_clips.push(format!("{name}: motion takes two frames or more, this has {}", tiles.frames));
            continue;
        }
        clips.push(Stored {
            subject: place(&subjects, &found.subject),
            label: place(&labels, &found.label),
            name,
            frames: tiles.frames,
            pixels: tiles.pixels,
            alpha: tiles.alpha,
            flow: None,
        });
    }
    is_tolerable("frames", all_frames, &bad_frames)?;
    is_tolerable("clips", chosen.len(), &bad_clips)?;
    if sizes.len() > 1 {
        let sizes: Vec<_> =
            sizes.iter().map(|((width, height), count)| format!("{count} of {width}x{height}")).collect();
        tracing::info!("frames differ in size ({}); all become {tile}x{tile}", sizes.join(", "));
    }
    if thinned > 0 {
        tracing::info!("{thinned} clips keep evenly spaced frames only, for --memory");
    }
    tracing::info!("{} clips of {} subjects, {tile}x{tile} pixels", clips.len(), subjects.len());
    clips.sort_by_key(|clip| (clip.subject, clip.label));
    let subject = |name: String| Subject { id: id(&name), name };
    bad_clips.extend(bad_frames);
    Ok(Contents {
        tile,
        fps: FPS,
        // Nothing says where an expression or a gesture is strongest; on average, that is in the middle.
        apex: 0.5,
        labels,
        subjects: subjects.into_iter().map(subject).collect(),
        clips,
        skipped: bad_clips,
    })
}

/// What a property of the clips can be, in natural order.
fn names(clips: &[Found], property: impl Fn(&Found) -> &String) -> Vec<String> {
    let mut names: Vec<String> = clips.iter().map(property).collect::<BTreeSet<_>>().into_iter().cloned().collect();
    names.sort_by_cached_key(|name| natural(name));
    names
}

/// Labels of which all clips are of one subject, with that subject; none if there is one subject only.
fn lonely_labels(clips: &[Found]) -> Vec<(&str, &str)> {
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

/// The same for a name in every set and split.
fn id(name: &str) -> u32 {
    let digest = Sha256::digest(name.as_bytes());
    u32::from_le_bytes([digest[0], digest[1], digest[2], digest[3]])
}

/// Which part of a frame becomes a tile.
#[derive(Clone, Copy)]
struct Framing {
    fit: Fit,
    region: Option<Region>,
}

/// A clip in memory.
#[derive(Default)]
struct Tiles {
    frames: usize,
    /// `[frame, y, x, rgb]`
    pixels: Vec<u8>,
    /// `[frame, y, x]`, if any pixel is transparent.
    alpha: Option<Vec<u8>>,
    /// Good frames before any were left out.
    seen: usize,
    sizes: BTreeMap<(u32, u32), usize>,
    bad: Vec<String>,
}

struct Tile {
    rgb: Vec<u8>,
    alpha: Option<Vec<u8>>,
}

impl Framing {
    fn read(self, media: &Media, tile: usize, limit: usize) -> Result<Tiles, String> {
        let mut tiles = Tiles::default();
        let mut kept = Thinned::new(limit);
        visit(media, &mut |frame| {
            match frame {
                Ok(image) => {
                    *tiles.sizes.entry(image.dimensions()).or_default() += 1;
                    kept.pass(|| self.tile(&image, tile));
                }
                Err(problem) => tiles.bad.push(problem),
            }
            ControlFlow::Continue(())
        })?;
        tiles.seen = kept.seen;
        let kept = kept.finish();
        tiles.frames = kept.len();
        if kept.iter().any(|tile| tile.alpha.is_some()) {
            let opaque = vec![255; tile * tile];
            tiles.alpha = Some(kept.iter().flat_map(|tile| tile.alpha.as_ref().unwrap_or(&opaque)).copied().collect());
        }
        tiles.pixels = Vec::with_capacity(kept.len() * tile * tile * 3);
        kept.into_iter().for_each(|tile| tiles.pixels.extend(tile.rgb));
        Ok(tiles)
    }

    /// Side of the square that the first frame gives.
    fn first_side(self, media: &Media) -> Option<usize> {
        let mut side = None;
        let visited = visit(media, &mut |frame| match frame {
            Ok(image) => {
                side = Some(self.square(image.dimensions()).1);
                ControlFlow::Break(())
            }
            Err(_) => ControlFlow::Continue(()),
        });
        visited.ok().and(side)
    }

    /// The part of a picture that is used, `[left, top, width, height]`, and the side of the square that it comes into.
    fn square(self, (width, height): (u32, u32)) -> ([usize; 4], usize) {
        let [left, top, width, height] = match self.region {
            Some(region) if region.of == [width, height] => {
                [region.from[0], region.from[1], region.size[0], region.size[1]]
            }
            _ => [0, 0, width, height],
        }
        .map(|value| value as usize);
        let side = match self.fit {
            Fit::Crop => width.min(height),
            Fit::Pad => width.max(height),
        };
        ([left, top, width, height], side)
    }

    fn tile(self, image: &RgbaImage, tile: usize) -> Tile {
        let ([left, top, width, height], side) = self.square(image.dimensions());
        // Where the picture begins, where that is in the square, and how much of it is there.
        let along = |start: usize, length: usize| {
            if length > side { (start + (length - side) / 2, 0, side) } else { (start, (side - length) / 2, length) }
        };
        let ((from_x, to_x, columns), (from_y, to_y, rows)) = (along(left, width), along(top, height));
        let stride = image.width() as usize;
        let averaged = |outside: f32, value: &dyn Fn(&[u8], usize) -> f32| {
            let planes = resample_rgb([side; 2], [tile; 2], |y, row| {
                row.fill(outside);
                if (to_y..to_y + rows).contains(&y) {
                    let start = ((from_y + y - to_y) * stride + from_x) * 4;
                    let pixels = image.as_raw()[start..start + columns * 4].chunks_exact(4);
                    for (target, pixel) in row[to_x * 3..].chunks_exact_mut(3).zip(pixels) {
                        target.iter_mut().enumerate().for_each(|(channel, target)| *target = value(pixel, channel));
                    }
                }
            });
            planes.into_iter().map(to_byte).collect::<Vec<u8>>()
        };
        let area = tile * tile;
        // Colours times alpha, so that what nobody sees does not bleed into its neighbours.
        let colours = averaged(0.0, &|pixel, channel| f32::from(pixel[channel]) / 255.0 * f32::from(pixel[3]) / 255.0);
        let transparent = image.as_raw().chunks_exact(4).any(|pixel| pixel[3] < 255);
        Tile {
            rgb: (0..area).flat_map(|i| [0, 1, 2].map(|channel| colours[channel * area + i])).collect(),
            alpha: transparent.then(|| {
                let mut alpha = averaged(1.0, &|pixel, _| f32::from(pixel[3]) / 255.0);
                alpha.truncate(area);
                alpha
            }),
        }
    }
}

fn visit(media: &Media, visit: Visit<'_>) -> Result<(), String> {
    match media {
        Media::Frames(dir, names) => {
            for name in names {
                let frame = image_file::read(&dir.join(name)).map(image::DynamicImage::into_rgba8);
                if visit(frame.map_err(|e| e.to_string())) == ControlFlow::Break(()) {
                    break;
                }
            }
            Ok(())
        }
        Media::Gif(path) => {
            gif::visit(path, &mut |frame| visit(frame.map_err(|problem| format!("{}: {problem}", path.display()))))
        }
        Media::Video(path) => video::visit(path, visit),
    }
}

/// Evenly spaced values of a row that may be long and whose length is not known in advance.
struct Thinned<T> {
    limit: usize,
    /// One in so many is kept.
    stride: usize,
    seen: usize,
    kept: Vec<T>,
}

impl<T> Thinned<T> {
    fn new(limit: usize) -> Self {
        Self { limit, stride: 1, seen: 0, kept: Vec::new() }
    }

    fn pass(&mut self, make: impl FnOnce() -> T) {
        if self.seen.is_multiple_of(self.stride) {
            if self.kept.len() == 2 * self.limit {
                let mut even = [true, false].into_iter().cycle();
                self.kept.retain(|_| even.next() == Some(true));
                self.stride *= 2;
            }
            self.kept.push(make());
        }
        self.seen += 1;
    }

    fn finish(self) -> Vec<T> {
        if self.kept.len() <= self.limit {
            return self.kept;
        }
        let picks: BTreeSet<usize> = Sampling::Uniform.picks(self.kept.len(), self.limit, 0).into_iter().collect();
        self.kept.into_iter().enumerate().filter(|(i, _)| picks.contains(i)).map(|(_, value)| value).collect()
    }
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage, Rgba};

    use super::*;

    #[test]
    fn long_rows_are_thinned_evenly() {
        for length in [1, 5, 8, 9, 16, 17, 100, 1000] {
            let mut thinned = Thinned::new(8);
            (0..length).for_each(|i| thinned.pass(|| i));
            assert_eq!(thinned.seen, length);
            let kept = thinned.finish();
            assert_eq!((kept[0], kept.len()), (0, length.min(8)), "{length}");
            let gaps: Vec<_> = kept.windows(2).map(|pair| pair[1] - pair[0]).collect();
            let (shortest, longest) = (gaps.iter().min(), gaps.iter().max());
            assert!(longest.zip(shortest).is_none_or(|(long, short)| *long <= 2 * short), "{length}: {kept:?}");
        }
    }

    /// Black, with a white square in the middle.
    fn picture(width: u32, height: u32) -> RgbaImage {
        let side = width.min(height);
        let inside = |at: u32, length: u32| at.abs_diff(length / 2) <= side / 2;
        RgbaImage::from_fn(width, height, |x, y| {
            let white = inside(x, width) && inside(y, height);
            Rgba(if white { [255; 4] } else { [0, 0, 0, 255] })
        })
    }

    #[test]
    fn frames_are_cropped_or_padded_to_squares() {
        let crop = Framing { fit: Fit::Crop, region: None };
        for (width, height) in [(64, 32), (32, 64), (40, 40)] {
            assert_eq!(crop.square((width, height)).1, 32.max(width.min(height)) as usize);
            let tile = crop.tile(&picture(width, height), 16);
            assert!(tile.rgb.iter().all(|&value| value == 255) && tile.alpha.is_none(), "{width}x{height}");
        }
        let pad = Framing { fit: Fit::Pad, region: None };
        let wide = pad.tile(&RgbaImage::from_pixel(64, 32, Rgba([255; 4])), 16);
        let rows: Vec<bool> = wide.rgb.chunks(16 * 3).map(|row| row.iter().all(|&value| value == 255)).collect();
        assert_eq!(rows, (0..16).map(|y| (4..12).contains(&y)).collect::<Vec<_>>());
    }

    #[test]
    fn a_region_is_cut_out_of_pictures_of_its_size_only() {
        let region = Region { of: [20, 10], from: [10, 0], size: [10, 10] };
        let framing = Framing { fit: Fit::Pad, region: Some(region) };
        let half = |width| RgbaImage::from_fn(width, 10, |x, _| Rgba([if x < 10 { 0 } else { 255 }, 0, 0, 255]));
        assert!(framing.tile(&half(20), 5).rgb.chunks(3).all(|pixel| pixel == [255, 0, 0]));
        assert_eq!(framing.square((30, 10)).1, 30);
    }

    #[test]
    fn transparency_is_kept_apart_and_colours_do_not_bleed() {
        let image =
            RgbaImage::from_fn(4, 4, |x, _| if x < 2 { Rgba([200, 100, 50, 255]) } else { Rgba([255, 0, 0, 0]) });
        let tile = Framing { fit: Fit::Crop, region: None }.tile(&image, 2);
        assert_eq!(tile.alpha.unwrap(), [255, 0, 255, 0]);
        assert_eq!(tile.rgb[..6], [200, 100, 50, 0, 0, 0]);
    }

    #[test]
    fn memory_bounds_the_frames_of_a_clip() {
        // 1024 tiles of 3 MiB are 3 GiB for one frame each.
        assert_eq!(frames_within(30.0, 1024, 1024, 2).unwrap(), 10);
        let message = frames_within(30.0, 1024, 1024, 16).unwrap_err().to_string();
        assert!(message.contains("48.0 GiB") && message.contains("--memory"), "{message}");
    }

    #[test]
    fn labels_of_one_subject_are_named() {
        let clip = |subject: &str, label: &str| Found {
            subject: subject.to_owned(),
            label: label.to_owned(),
            media: Media::Gif(Default::default()),
        };
        let clips = [clip("anna", "smile"), clip("bert", "smile"), clip("bert", "frown"), clip("bert", "frown")];
        assert_eq!(lonely_labels(&clips), [("frown", "bert")]);
        assert_eq!(lonely_labels(&clips[1..]), []);
    }

    #[test]
    fn frames_of_gifs_and_folders_come_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let colours = [[255, 0, 0], [0, 255, 0], [0, 0, 255]];
        let frames: Vec<Vec<u8>> = colours.iter().map(|&[r, g, b]| [r, g, b, 255].repeat(16 * 16)).collect();
        let gif = dir.path().join("a.gif");
        std::fs::write(&gif, crate::gif::encode(&frames, 16, 16, 8.0).unwrap()).unwrap();
        let names = ["1.png", "2.jpg", "10.png"].map(str::to_owned).to_vec();
        for (name, colour) in names.iter().zip(colours) {
            RgbImage::from_pixel(16, 16, Rgb(colour)).save(dir.path().join(name)).unwrap();
        }
        for media in [Media::Gif(gif), Media::Frames(dir.path().to_owned(), names)] {
            let tiles = Framing { fit: Fit::Crop, region: None }.read(&media, 4, 9).unwrap();
            assert_eq!((tiles.frames, tiles.seen, tiles.bad.len()), (3, 3, 0));
            for (frame, colour) in tiles.pixels.chunks_exact(4 * 4 * 3).zip(colours) {
                let near = |(value, wanted): (&u8, u8)| value.abs_diff(wanted) < 4;
                assert!(frame[..3].iter().zip(colour).all(near), "{:?} is not {colour:?}", &frame[..3]);
            }
        }
    }
}
