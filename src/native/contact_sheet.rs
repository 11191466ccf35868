//! Many small pictures in one, with a caption before each row.

use std::io::Cursor;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use font8x8::{BASIC_FONTS, UnicodeFonts};
use image::{ImageFormat, Rgb, RgbImage};

use super::staging::{ensure_no_input, ensure_writable, write_file};

/// Pixels between tiles.
const GAP: usize = 2;
/// Side of the font's letters, which headings have.
const SMALL_LETTER: usize = 8;
/// Side of the letters of captions.
const LETTER: usize = 2 * SMALL_LETTER;
const PAPER: Rgb<u8> = Rgb([255; 3]);
const INK: Rgb<u8> = Rgb([32; 3]);

/// Rows of tiles of one size.
pub(crate) struct ContactSheet {
    tile: [usize; 2],
    headings: Vec<String>,
    rows: Vec<(String, Vec<Vec<u8>>)>,
}

impl ContactSheet {
    /// An empty sheet.
    ///
    /// # Shapes
    ///
    /// - tile: `[height, width]` of every picture
    pub(crate) fn new(tile: [usize; 2]) -> Self {
        Self { tile, headings: Vec::new(), rows: Vec::new() }
    }

    /// The same sheet with a word above each column.
    pub(crate) fn with_headings(self, headings: impl IntoIterator<Item = impl ToString>) -> Self {
        Self { headings: headings.into_iter().map(|heading| heading.to_string()).collect(), ..self }
    }

    /// Lets a command that reads `inputs` save a sheet at `path`, before it has computed what the sheet shows.
    ///
    /// # Errors
    /// A name without the ending of a picture, an input, or a place that cannot be written to.
    pub(crate) fn check(path: &Path, inputs: &[&Path]) -> Result<()> {
        ensure_no_input(path, inputs)?;
        format_of(path)?;
        ensure_writable(path).with_context(|| cannot_write(path))
    }

    /// Adds a row. Captions take no room if all of them are empty.
    ///
    /// # Shapes
    ///
    /// - tiles: each `height * width * 4` RGBA bytes, shown opaque
    pub(crate) fn push(&mut self, caption: impl Into<String>, tiles: Vec<Vec<u8>>) {
        self.rows.push((caption.into(), tiles));
    }

    /// Draws the sheet to a file, whose extension says the format.
    pub(crate) fn save(&self, path: &Path) -> Result<()> {
        let failed = || cannot_write(path);
        let format = format_of(path)?;
        let mut bytes = Cursor::new(Vec::new());
        self.draw().write_to(&mut bytes, format).with_context(failed)?;
        write_file(path, bytes.get_ref()).with_context(failed)
    }

    fn draw(&self) -> RgbImage {
        let [height, width] = self.tile;
        let letters = self.rows.iter().map(|(caption, _)| caption.chars().count()).max().unwrap_or(0);
        let margin = if letters == 0 { 0 } else { letters * LETTER + 2 * GAP };
        let columns = self.rows.iter().map(|(_, tiles)| tiles.len()).max().unwrap_or(0);
        let head = if self.headings.is_empty() { 0 } else { SMALL_LETTER + 2 * GAP };
        let mut picture = RgbImage::from_pixel(
            (margin + columns * (width + GAP)).max(1) as u32,
            (head + self.rows.len() * (height + GAP)).max(1) as u32,
            PAPER,
        );
        for (column, heading) in self.headings.iter().enumerate() {
            write_text(&mut picture, [margin + column * (width + GAP), GAP], SMALL_LETTER, heading);
        }
        for (row, (caption, tiles)) in self.rows.iter().enumerate() {
            let top = head + row * (height + GAP);
            write_text(&mut picture, [GAP, top + height.saturating_sub(LETTER) / 2], LETTER, caption);
            for (column, tile) in tiles.iter().enumerate() {
                let left = margin + column * (width + GAP);
                for (i, pixel) in tile.chunks_exact(4).take(width * height).enumerate() {
                    let (x, y) = ((left + i % width) as u32, (top + i / width) as u32);
                    picture.put_pixel(x, y, Rgb([pixel[0], pixel[1], pixel[2]]));
                }
            }
        }
        picture
    }
}

/// The format that the name of a picture asks for.
fn format_of(path: &Path) -> Result<ImageFormat> {
    let format = ImageFormat::from_path(path).with_context(|| cannot_write(path))?;
    ensure!(format.writing_enabled(), "{}: use .png, .jpg or .webp", cannot_write(path));
    Ok(format)
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}

/// Writes in letters of `side` pixels, a multiple of those of the font.
fn write_text(picture: &mut RgbImage, [left, top]: [usize; 2], side: usize, text: &str) {
    let scale = side / SMALL_LETTER;
    for (i, letter) in text.chars().enumerate() {
        let glyph = BASIC_FONTS.get(letter).or_else(|| BASIC_FONTS.get('?')).unwrap_or_default();
        for y in 0..side {
            for x in 0..side {
                let inked = glyph[y / scale] >> (x / scale) & 1 == 1;
                let (x, y) = ((left + i * side + x) as u32, (top + y) as u32);
                if inked && let Some(pixel) = picture.get_pixel_mut_checked(x, y) {
                    *pixel = INK;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_and_captions_are_in_their_places() {
        let mut sheet = ContactSheet::new([20, 10]);
        sheet.push("ab", vec![[255, 0, 0, 255].repeat(200), [0, 255, 0, 255].repeat(200)]);
        sheet.push("", vec![[0, 0, 255, 255].repeat(200)]);
        let picture = sheet.draw();
        let margin = (2 * LETTER + 2 * GAP) as u32;
        assert_eq!(picture.dimensions(), (margin + 24, 44));
        assert_eq!(picture.get_pixel(margin, 0).0, [255, 0, 0]);
        assert_eq!(picture.get_pixel(margin + 12, 19).0, [0, 255, 0]);
        assert_eq!(picture.get_pixel(margin + 9, 41).0, [0, 0, 255]);
        assert_eq!(picture.get_pixel(margin + 10, 0), &PAPER);
        let ink = |from: u32| (from..from + 16).flat_map(|x| (0..20).map(move |y| (x, y)));
        for letter in [GAP as u32, GAP as u32 + 16] {
            assert!(ink(letter).filter(|&(x, y)| picture.get_pixel(x, y) == &INK).count() > 20);
        }

        let headed = sheet.with_headings(["i", "j"]).draw();
        let head = (SMALL_LETTER + 2 * GAP) as u32;
        assert_eq!(headed.dimensions(), (margin + 24, 44 + head));
        assert_eq!(headed.get_pixel(margin, head).0, [255, 0, 0]);
        for column in [margin, margin + 12] {
            let is_inked = |(x, y): (u32, u32)| headed.get_pixel(column + x, y) == &INK;
            assert!((0..8).flat_map(|x| (0..head).map(move |y| (x, y))).any(is_inked), "no heading at {column}");
        }
    }
}
