//! A first guess at where the face is, as the page makes it (`www/app/face-finder.js`).
//!
//! The detector is pico (Markuš et al., Object Detection with Pixel Intensity Comparisons Organized in Decision
//! Trees, 2013): a cascade of small decision trees, each of which compares pairs of pixels. Its trained cascade for
//! frontal faces is the page's, so that both find the same faces.

use std::sync::LazyLock;

use image::RgbaImage;

use crate::portrait::resample_rgb;

/// The page's cascade.
static CASCADE: LazyLock<Cascade> =
    LazyLock::new(|| Cascade::parse(include_bytes!("../../www/vendor/pico/facefinder")).unwrap_or_default());

/// The picture is searched at this size: enough for a face that is worth animating, and quick.
const SEARCHED_SIDE: usize = 240;
/// Smallest face, against the shorter side of the picture.
const SMALLEST: f64 = 0.15;
/// From one size that is searched for to the next.
const GROWTH: f64 = 1.08;
/// How far the window moves, against its own size.
const STRIDE: f64 = 0.08;
/// Detections that overlap this much are one face.
const SAME_FACE: f64 = 0.2;
/// The summed score under which a face is a guess not worth showing.
const CONFIDENT: f64 = 20.0;

/// Centre and diameter of a face, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Face {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) size: f64,
}

/// The most certain frontal face in a picture, in its pixels.
pub(super) fn find_face(picture: &RgbaImage) -> Option<Face> {
    let (grey, scale) = Grey::of(picture);
    let best = cluster(CASCADE.search(&grey)).into_iter().next().filter(|best| best.score >= CONFIDENT)?;
    let Face { x, y, size } = best.face;
    Some(Face { x: x / scale, y: y / scale, size: size / scale })
}

/// A window that looks like a face, or several that are one.
#[derive(Debug, Clone, Copy)]
struct Detection {
    face: Face,
    score: f64,
}

/// Brightness of a picture.
struct Grey {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Grey {
    /// A picture at the size that is searched, and what its sides were multiplied by.
    fn of(picture: &RgbaImage) -> (Self, f64) {
        let [from_width, from_height] = [picture.width(), picture.height()].map(|side| side as usize);
        let scale = (SEARCHED_SIDE as f64 / from_width.min(from_height) as f64).min(1.0);
        let [width, height] = [from_width, from_height].map(|side| ((side as f64 * scale).round() as usize).max(1));
        let rows = resample_rgb([from_height, from_width], [height, width], |y, row| {
            let source = picture.as_raw()[y * from_width * 4..].chunks_exact(4);
            for (target, pixel) in row.chunks_exact_mut(3).zip(source) {
                let alpha = f32::from(pixel[3]) / 255.0;
                for (value, &channel) in target.iter_mut().zip(pixel) {
                    *value = f32::from(channel) * alpha + 255.0 * (1.0 - alpha);
                }
            }
        });
        let (red, rest) = rows.split_at(width * height);
        let (green, blue) = rest.split_at(width * height);
        let brightness =
            |((r, g), b): ((&f32, &f32), &f32)| (0.299 * r.round() + 0.587 * g.round() + 0.114 * b.round()) as u8;
        (Self { width, height, pixels: red.iter().zip(green).zip(blue).map(brightness).collect() }, scale)
    }
}

/// What the file holds.
#[derive(Default)]
struct Cascade {
    depth: u32,
    trees: Vec<Tree>,
}

/// One decision tree.
struct Tree {
    /// Two places each, y before x, in 1/256 of the window.
    tests: Vec<[i8; 4]>,
    leaves: Vec<f32>,
    /// The sum of all scores so far at which a window stays in the running.
    threshold: f32,
}

impl Cascade {
    /// The file, little endian: 8 bytes of training notes, depth and number of trees as i32; then, per tree,
    /// `2^depth - 1` tests (four i8), `2^depth` leaves as f32, and the threshold so far as f32.
    fn parse(file: &[u8]) -> Option<Self> {
        let (header, mut rest) = file.split_at_checked(16)?;
        let depth = number(&header[8..])?;
        let trees = number(&header[12..])?;
        let mut take = |count: usize| {
            let (taken, left) = rest.split_at_checked(count)?;
            rest = left;
            Some(taken)
        };
        let leaves = 1usize.checked_shl(depth)?;
        let tree = |_| {
            let tests = take(4 * (leaves - 1))?.chunks_exact(4).map(|test| [0, 1, 2, 3].map(|i| test[i] as i8));
            let tests = tests.collect();
            let leaves =
                take(4 * leaves)?.chunks_exact(4).filter_map(|leaf| Some(f32::from_le_bytes(leaf.try_into().ok()?)));
            let leaves = leaves.collect();
            Some(Tree { tests, leaves, threshold: f32::from_le_bytes(take(4)?.try_into().ok()?) })
        };
        Some(Self { depth, trees: (0..trees).map(tree).collect::<Option<_>>()? })
    }

    /// Every window that all trees accept.
    fn search(&self, grey: &Grey) -> Vec<Detection> {
        let shorter = grey.width.min(grey.height) as f64;
        let mut found = Vec::new();
        let mut size = shorter * SMALLEST;
        while size <= shorter {
            let stride = ((size * STRIDE) as usize).max(1);
            let margin = (size / 2.0) as usize + 1;
            for y in (margin..=grey.height - margin.min(grey.height)).step_by(stride) {
                for x in (margin..=grey.width - margin.min(grey.width)).step_by(stride) {
                    let face = Face { x: x as f64, y: y as f64, size };
                    found.extend(self.classify(grey, face).map(|score| Detection { face, score }));
                }
            }
            size *= GROWTH;
        }
        found
    }

    /// The score of one window; `None` as soon as a tree rejects it, which the first few do almost everywhere.
    fn classify(&self, grey: &Grey, window: Face) -> Option<f64> {
        let last = f64::from(self.trees.last()?.threshold);
        let mut score = 0.0;
        for tree in &self.trees {
            score += f64::from(tree.leaves[tree.leaf(self.depth, grey, window)]);
            if score <= f64::from(tree.threshold) {
                return None;
            }
        }
        Some(score - last).filter(|&score| score > 0.0)
    }
}

impl Tree {
    /// The leaf that a window ends in.
    fn leaf(&self, depth: u32, grey: &Grey, window: Face) -> usize {
        let place = |middle: f64, offset: i8| ((256.0 * middle + f64::from(offset) * window.size) as usize) >> 8;
        let at = |dy, dx| grey.pixels[place(window.y, dy) * grey.width + place(window.x, dx)];
        let mut node = 1;
        for _ in 0..depth {
            let [y1, x1, y2, x2] = self.tests[node - 1];
            node = 2 * node + usize::from(at(y1, x1) <= at(y2, x2));
        }
        node - self.leaves.len()
    }
}

/// The number that the bytes begin with.
fn number(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.first_chunk()?))
}

/// Joins windows on the same face: mean place and size, summed score; the best first.
fn cluster(mut rest: Vec<Detection>) -> Vec<Detection> {
    rest.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut faces = Vec::new();
    while let Some(best) = rest.first().map(|best| best.face) {
        let (members, others): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|other| overlap(best, other.face) > SAME_FACE);
        let mean = |value: fn(&Face) -> f64| {
            members.iter().map(|member| value(&member.face)).sum::<f64>() / members.len() as f64
        };
        let face = Face { x: mean(|face| face.x), y: mean(|face| face.y), size: mean(|face| face.size) };
        faces.push(Detection { face, score: members.iter().map(|member| member.score).sum() });
        rest = others;
    }
    faces.sort_by(|a, b| b.score.total_cmp(&a.score));
    faces
}

/// Intersection over union of two square windows.
fn overlap(a: Face, b: Face) -> f64 {
    let common = |first: f64, second: f64| {
        let end = (first + a.size / 2.0).min(second + b.size / 2.0);
        (end - (first - a.size / 2.0).max(second - b.size / 2.0)).max(0.0)
    };
    let shared = common(a.x, b.x) * common(a.y, b.y);
    shared / (a.size.powi(2) + b.size.powi(2) - shared)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use image::{Rgba, imageops};

    use super::*;

    /// The first tile of a sheet of 64 pixels.
    fn tile(id: u32) -> RgbaImage {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/faces/s{id:06}_k0.webp"));
        imageops::crop_imm(&image::open(path).unwrap().into_rgba8(), 0, 0, 64, 64).to_image()
    }

    fn assert_found(picture: &RgbaImage, [x, y, size]: [f64; 3], tolerance: f64) {
        let found = find_face(picture).unwrap();
        for (found, expected) in [(found.x, x), (found.y, y), (found.size, size)] {
            assert!((found - expected).abs() < tolerance, "{found} instead of {expected}");
        }
    }

    /// 64 pixels of a face on a picture of 200x230.
    fn placed() -> RgbaImage {
        let mut picture = RgbaImage::from_pixel(200, 230, Rgba([90, 120, 150, 255]));
        imageops::replace(&mut picture, &tile(1), 100, 120);
        picture
    }

    #[test]
    fn faces_are_where_the_page_finds_them() {
        // What `search` and `cluster` of www/app/face-finder.js give for the same pixels.
        let sample = |id: u32| {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/portraits/{id}.png"));
            image::open(path).unwrap().into_rgba8()
        };
        assert_found(&sample(411), [111.4, 116.28571428571429, 134.40971765605047], 1e-9);
        assert_found(&sample(427), [88.1, 117.46, 126.09140719681862], 1e-9);
        // And for pixels of another decoder of WebP.
        assert_found(&tile(0), [29.9, 34.8, 39.4], 0.5);
        assert_found(&tile(1), [33.2, 31.3, 36.4], 0.5);
        assert_found(&placed(), [133.2, 151.3, 36.7], 0.5);
        assert_eq!(find_face(&tile(400)), None, "the page finds it with a score of 8.5, too little");
    }

    #[test]
    fn large_pictures_are_searched_smaller_and_transparent_ones_on_white() {
        let large = imageops::resize(&placed(), 1200, 1380, imageops::FilterType::Triangle);
        assert_found(&large, [6.0 * 133.2, 6.0 * 151.3, 6.0 * 36.7], 12.0);
        let mut cut_out = placed();
        for (x, y, pixel) in cut_out.enumerate_pixels_mut() {
            if !(100..164).contains(&x) || !(120..184).contains(&y) {
                *pixel = Rgba([0, 0, 0, 0]);
            }
        }
        assert_found(&cut_out, [133.2, 151.3, 36.7], 3.0);
    }

    #[test]
    fn nothing_is_found_where_there_is_nothing() {
        for (width, height) in [(1, 1), (16, 16), (3, 700), (320, 200)] {
            assert_eq!(find_face(&RgbaImage::from_pixel(width, height, Rgba([128, 128, 128, 255]))), None);
            let stripes = RgbaImage::from_fn(width, height, |x, _| Rgba([(x / 7 % 2 * 255) as u8; 4]));
            assert_eq!(find_face(&stripes), None, "{width}x{height}");
        }
    }

    #[test]
    fn a_cascade_that_breaks_off_is_none() {
        let file = include_bytes!("../../www/vendor/pico/facefinder");
        assert_eq!(Cascade::parse(file).unwrap().trees.len(), 468);
        for length in [0, 15, 16, 100, file.len() - 1] {
            assert!(Cascade::parse(&file[..length]).is_none(), "{length}");
        }
    }
}
