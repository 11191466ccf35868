//! Which part of a picture becomes the portrait: the square around the face, as the page frames it
//! (`www/app/crop.js`), one given by hand, or else the middle.

use std::{
    fmt::{self, Display},
    path::Path,
    str::FromStr,
};

use anyhow::{Context, Result, ensure};
use image::{RgbaImage, imageops};

use super::{
    face_finder::{Face, find_face},
    image_file,
};
use crate::{
    bundle::sha256,
    portrait::{MIN_SIDE, Portrait},
};

/// Where a face is in the pictures that the models learned from, against the side of the square.
const FACE: Face = Face { x: 0.5, y: 0.52, size: 0.66 };
/// A smaller square would only be a blur.
const SMALLEST_SIDE: f64 = 48.0;
/// Squares that overlap less show the face at another size or place than the models know.
const FRAMED_ALIKE: f64 = 0.5;

/// How portraits are cut out of their pictures.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct FramingArgs {
    /// Find the face in each picture and cut out the square around it, as the page does [default: the largest square,
    /// from the middle]
    #[arg(long, conflicts_with = "crop")]
    frame: bool,
    /// Cut out this square: LEFT,TOP,SIDE in pixels of the picture, such as 120,80,400.
    #[arg(long, value_name = "LEFT,TOP,SIDE")]
    crop: Option<Square>,
}

/// The part of a picture that becomes the portrait.
pub(super) struct Framed {
    rgba: RgbaImage,
    /// What the user should know of it.
    pub(super) remark: Option<String>,
}

/// A square in a picture, in its pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Square {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) side: f64,
}

impl FramingArgs {
    /// Reads a picture and cuts the portrait out of it.
    ///
    /// # Errors
    /// A file that is no picture, no face where one was to be found, or a square that reaches beyond the picture.
    pub(super) fn read(&self, path: &Path) -> Result<Framed> {
        let rgba = image_file::read(path)?.into_rgba8();
        if let Some(square) = self.crop {
            let rgba = square.cut(&rgba).with_context(|| path.display().to_string())?;
            return Ok(Framed { rgba, remark: None });
        }
        let face = find_face(&rgba);
        if !self.frame {
            return Ok(Framed { remark: hint(path, rgba.dimensions(), face), rgba });
        }
        let face = face.with_context(|| {
            format!("no face was found in {}; say where it is with --crop LEFT,TOP,SIDE in pixels", path.display())
        })?;
        let square = Square::around(face, rgba.dimensions(), SMALLEST_SIDE);
        let Face { x, y, size } = face;
        let remark = format!(
            "{}: the face is at {x:.0},{y:.0} and {size:.0} pixels wide; framed as with --crop {square}",
            path.display()
        );
        Ok(Framed { rgba: square.cut(&rgba)?, remark: Some(remark) })
    }
}

impl Framed {
    /// The portrait at a model's `size` (`[height, width]`).
    pub(super) fn portrait(&self, size: [usize; 2]) -> Result<Portrait> {
        let [width, height] = self.sides();
        Ok(Portrait::from_rgba(width, height, &self.rgba, size)?)
    }

    /// Hash of the size and the pixels that were cut out.
    pub(super) fn hash(&self) -> String {
        sha256(&[format!("{:?}", self.sides()).as_bytes(), self.rgba.as_raw()].concat())
    }

    /// The same in its own resolution, with sides of at most `max_side` pixels.
    pub(super) fn photo(&self, size: [usize; 2], max_side: usize) -> Result<Portrait> {
        let [width, height] = self.sides();
        Ok(Portrait::at_photo_size(width, height, &self.rgba, size, max_side)?)
    }

    fn sides(&self) -> [usize; 2] {
        [self.rgba.width(), self.rgba.height()].map(|side| side as usize)
    }
}

impl Square {
    /// The largest, in the middle.
    fn whole((width, height): (u32, u32)) -> Self {
        let side = width.min(height);
        Self { left: f64::from(width - side) / 2.0, top: f64::from(height - side) / 2.0, side: side.into() }
    }

    /// The one in which a found face is where the models expect it, of a side of at least `smallest` pixels. It does
    /// not leave the picture.
    pub(super) fn around(face: Face, (width, height): (u32, u32), smallest: f64) -> Self {
        let [width, height] = [width, height].map(f64::from);
        let largest = width.min(height);
        let side = (face.size / FACE.size).clamp(smallest.min(largest), largest);
        let inside = |middle: f64, place: f64, length: f64| (middle - place * side).clamp(0.0, length - side);
        Self { left: inside(face.x, FACE.x, width), top: inside(face.y, FACE.y, height), side }
    }

    /// Intersection over union.
    pub(super) fn overlap(self, other: Self) -> f64 {
        let common =
            |first: f64, second: f64| ((first + self.side).min(second + other.side) - first.max(second)).max(0.0);
        let shared = common(self.left, other.left) * common(self.top, other.top);
        shared / (self.side.powi(2) + other.side.powi(2) - shared)
    }

    fn cut(self, picture: &RgbaImage) -> Result<RgbaImage> {
        let [left, top, side] = [self.left, self.top, self.side].map(|value| value.round() as u32);
        let (width, height) = picture.dimensions();
        let is_inside = |start: u32, length: u32| start.checked_add(side).is_some_and(|end| end <= length);
        ensure!(
            is_inside(left, width) && is_inside(top, height),
            "--crop {self} reaches beyond the picture, which is {width}x{height} pixels"
        );
        Ok(imageops::crop_imm(picture, left, top, side, side).to_image())
    }
}

impl FromStr for Square {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const FORM: &str = "it must be LEFT,TOP,SIDE in pixels of the picture, such as 120,80,400";
        let numbers = text.split(',').map(|number| number.trim().parse().ok()).collect::<Option<Vec<u32>>>();
        let Some(&[left, top, side]) = numbers.as_deref() else { return Err(FORM.into()) };
        if (side as usize) < MIN_SIDE {
            return Err(format!("its side must be at least {MIN_SIDE} pixels; {FORM}"));
        }
        Ok(Self { left: left.into(), top: top.into(), side: side.into() })
    }
}

impl Display for Square {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0},{:.0},{:.0}", self.left, self.top, self.side)
    }
}

/// What a portrait that is used as it is may lack.
fn hint(path: &Path, (width, height): (u32, u32), face: Option<Face>) -> Option<String> {
    let whole = Square::whole((width, height));
    let path = path.display();
    if let Some(face) = face {
        let square = Square::around(face, (width, height), SMALLEST_SIDE);
        if square.overlap(whole) < FRAMED_ALIKE {
            let share = 100.0 * face.size / whole.side;
            return Some(format!(
                "the face in {path} is {share:.0} % as wide as the square that is used, and models of faces know them \
                 at {:.0} %; --frame cuts around it, as --crop {square} does",
                100.0 * FACE.size
            ));
        }
    }
    (width != height).then(|| {
        format!(
            "{path} is {width}x{height} pixels, of which the middle square is used; --frame and --crop choose another"
        )
    })
}

#[cfg(test)]
mod tests {
    use image::Rgba;

    use super::*;

    #[test]
    fn a_square_by_hand_is_whole_pixels_inside_of_the_picture() {
        assert_eq!("120, 80,400".parse(), Ok(Square { left: 120.0, top: 80.0, side: 400.0 }));
        for text in ["0.2,0.25,0.6", "1,2", "1,2,3,4", "-1,0,50", "", "a,b,c"] {
            assert!(text.parse::<Square>().unwrap_err().contains("in pixels"), "{text}");
        }
        assert!("0,0,15".parse::<Square>().unwrap_err().contains("at least 16"));
        let picture = RgbaImage::from_fn(60, 40, |x, y| Rgba([x as u8, y as u8, 0, 255]));
        let cut = |text: &str| text.parse::<Square>().unwrap().cut(&picture);
        let part = cut("20,10,30").unwrap();
        assert_eq!((part.dimensions(), part.get_pixel(0, 0).0), ((30, 30), [20, 10, 0, 255]));
        assert_eq!(part.get_pixel(29, 29).0, [49, 39, 0, 255]);
        for text in ["20,11,30", "31,0,30", "0,0,41", "4294967295,0,30"] {
            assert!(cut(text).unwrap_err().to_string().contains("is 60x40 pixels"), "{text}");
        }
    }

    #[test]
    fn the_square_around_a_face_is_the_pages() {
        // Values of `around` in www/app/crop.js.
        let around = |x, y, size, picture| Square::around(Face { x, y, size }, picture, SMALLEST_SIDE);
        assert_eq!(around(300.0, 260.0, 132.0, (800, 600)), Square { left: 200.0, top: 156.0, side: 200.0 });
        assert_eq!(around(20.0, 580.0, 132.0, (800, 600)), Square { left: 0.0, top: 400.0, side: 200.0 });
        assert_eq!(around(400.0, 300.0, 500.0, (800, 600)), Square { left: 100.0, top: 0.0, side: 600.0 });
        assert_eq!(around(400.0, 300.0, 6.0, (800, 600)).side, 48.0);
        assert_eq!(around(10.0, 10.0, 6.0, (40, 30)).side, 30.0);
    }

    #[test]
    fn portraits_that_models_see_badly_get_a_hint() {
        let hint = |size, face| hint(Path::new("a.jpg"), size, face).unwrap_or_default();
        let face = |x, size| Some(Face { x, y: 300.0, size });
        assert_eq!(hint((600, 600), face(300.0, 390.0)), "");
        assert_eq!(hint((600, 600), None), "");
        let small = hint((600, 600), face(300.0, 120.0));
        assert!(small.contains("20 % as wide") && small.contains("--crop 209,205,182"), "{small}");
        assert!(hint((800, 600), face(400.0, 390.0)).contains("800x600 pixels, of which the middle"));
        assert!(hint((1600, 600), face(200.0, 390.0)).contains("--frame cuts around it"), "it lies outside");
    }
}
