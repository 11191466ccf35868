//! Clips become tiles: square frames of one size, evenly thinned to what memory allows.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};

use image::RgbaImage;

use super::{frames, layouts::Region, media::Media, sampling::Sampling};
use crate::portrait::{resample_rgb, to_byte};

/// How a frame becomes a square.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Fit {
    /// Cut the longer side down to its middle.
    Crop,
    /// Add black bars along the longer sides.
    Pad,
}

/// Which part of a frame becomes a tile.
#[derive(Clone, Copy)]
pub(super) struct Framing {
    pub(super) fit: Fit,
    /// The part that is cut out of pictures of its size first.
    pub(super) region: Option<Region>,
}

/// The tiles of one clip.
#[derive(Default)]
pub(super) struct Tiles {
    pub(super) frames: usize,
    /// `[frame, y, x, rgb]`, colours premultiplied by `alpha`.
    pub(super) pixels: Vec<u8>,
    /// `[frame, y, x]`, if any pixel is transparent.
    pub(super) alpha: Option<Vec<u8>>,
    /// Number of readable frames before any were left out.
    pub(super) seen: usize,
    /// How many frames had each width and height.
    pub(super) sizes: BTreeMap<(u32, u32), usize>,
    /// Frames that cannot be read, each with the reason.
    pub(super) bad: Vec<String>,
}

/// One frame.
struct Tile {
    rgb: Vec<u8>,
    alpha: Option<Vec<u8>>,
}

impl Framing {
    /// The frames of a clip as tiles of `tile` by `tile` pixels, at most `limit` of them.
    ///
    /// # Errors
    /// A GIF or a video that cannot be read at all.
    pub(super) fn read(self, media: &Media, tile: usize, limit: usize) -> Result<Tiles, String> {
        let mut tiles = Tiles::default();
        let mut kept = Thinned::new(limit);
        frames::visit(media, &mut |frame| {
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
        for tile in kept {
            tiles.pixels.extend(tile.rgb);
        }
        Ok(tiles)
    }

    /// Side of the square that the first frame becomes.
    pub(super) fn first_side(self, media: &Media) -> Option<usize> {
        let mut side = None;
        let visited = frames::visit(media, &mut |frame| match frame {
            Ok(image) => {
                side = Some(self.square(image.dimensions()).side);
                ControlFlow::Break(())
            }
            Err(_) => ControlFlow::Continue(()),
        });
        visited.ok().and(side)
    }

    /// The square that a picture of this width and height becomes.
    fn square(self, (width, height): (u32, u32)) -> Square {
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
        Square { side, columns: Overlap::centred(left, width, side), rows: Overlap::centred(top, height, side) }
    }

    /// A picture as a tile of `tile` by `tile` pixels.
    fn tile(self, image: &RgbaImage, tile: usize) -> Tile {
        let square = self.square(image.dimensions());
        let area = tile * tile;
        // Colours times alpha, so that what nobody sees does not bleed into its neighbours.
        let colours = square.average(image, tile, 0.0, |pixel, channel| {
            f32::from(pixel[channel]) / 255.0 * f32::from(pixel[3]) / 255.0
        });
        let is_transparent = image.as_raw().chunks_exact(4).any(|pixel| pixel[3] < 255);
        Tile {
            rgb: (0..area).flat_map(|i| [0, 1, 2].map(|channel| colours[channel * area + i])).collect(),
            alpha: is_transparent.then(|| {
                let mut alpha = square.average(image, tile, 1.0, |pixel, _| f32::from(pixel[3]) / 255.0);
                alpha.truncate(area);
                alpha
            }),
        }
    }
}

/// Where the used part of a picture lies in the square that it becomes.
struct Square {
    side: usize,
    columns: Overlap,
    rows: Overlap,
}

/// What picture and square share along an axis: where it begins in either, and its length.
struct Overlap {
    in_picture: usize,
    in_square: usize,
    length: usize,
}

impl Square {
    /// Area means over the square of a value for each pixel and channel, which is `outside` where
    /// there is no picture.
    ///
    /// # Shapes
    ///
    /// - returns `[3, tile, tile]`
    fn average(
        &self,
        image: &RgbaImage,
        tile: usize,
        outside: f32,
        value: impl Fn(&[u8], usize) -> f32 + Sync,
    ) -> Vec<u8> {
        let Self { side, columns, rows } = self;
        let stride = image.width() as usize;
        let planes = resample_rgb([*side; 2], [tile; 2], |y, row| {
            row.fill(outside);
            if (rows.in_square..rows.in_square + rows.length).contains(&y) {
                let start = ((rows.in_picture + y - rows.in_square) * stride + columns.in_picture) * 4;
                let pixels = image.as_raw()[start..start + columns.length * 4].chunks_exact(4);
                for (target, pixel) in row[columns.in_square * 3..].chunks_exact_mut(3).zip(pixels) {
                    target.iter_mut().enumerate().for_each(|(channel, target)| *target = value(pixel, channel));
                }
            }
        });
        planes.into_iter().map(to_byte).collect()
    }
}

impl Overlap {
    /// The middle of a part that is longer than the square, or else all of it in the middle of the
    /// square.
    fn centred(start: usize, length: usize, side: usize) -> Self {
        if length > side {
            Self { in_picture: start + (length - side) / 2, in_square: 0, length: side }
        } else {
            Self { in_picture: start, in_square: (side - length) / 2, length }
        }
    }
}

/// Evenly spaced values of a row, which may be long and whose length is not known in advance.
struct Thinned<T> {
    limit: usize,
    /// One of so many is kept.
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
            assert_eq!(crop.square((width, height)).side, 32.max(width.min(height)) as usize);
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
        assert_eq!(framing.square((30, 10)).side, 30);
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
