//! Many small pictures in one, with a caption before each row.

use std::path::Path;

use anyhow::{Context, Result};
use font8x8::{BASIC_FONTS, UnicodeFonts};
use image::{Rgb, RgbImage};

/// Pixels between tiles.
const GAP: usize = 2;
/// Letters are enlarged by this: 16 pixels high.
const LETTER_SCALE: usize = 2;
const LETTER: usize = 8 * LETTER_SCALE;
const PAPER: Rgb<u8> = Rgb([255; 3]);
const INK: Rgb<u8> = Rgb([32; 3]);

/// Rows of tiles of one size.
pub(crate) struct ContactSheet {
    tile: [usize; 2],
    rows: Vec<(String, Vec<Vec<u8>>)>,
}

impl ContactSheet {
    /// An empty sheet.
    ///
    /// # Shapes
    ///
    /// - tile: `[height, width]` of every picture
    pub(crate) fn new(tile: [usize; 2]) -> Self {
        Self { tile, rows: Vec::new() }
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
        self.draw().save(path).with_context(|| format!("cannot write {}", path.display()))
    }

    fn draw(&self) -> RgbImage {
        let [height, width] = self.tile;
        let letters = self.rows.iter().map(|(caption, _)| caption.chars().count()).max().unwrap_or(0);
        let margin = if letters == 0 { 0 } else { letters * LETTER + 2 * GAP };
        let columns = self.rows.iter().map(|(_, tiles)| tiles.len()).max().unwrap_or(0);
        let mut picture = RgbImage::from_pixel(
            (margin + columns * (width + GAP)).max(1) as u32,
            (self.rows.len() * (height + GAP)).max(1) as u32,
            PAPER,
        );
        for (row, (caption, tiles)) in self.rows.iter().enumerate() {
            let top = row * (height + GAP);
            write_text(&mut picture, GAP, top + height.saturating_sub(LETTER) / 2, caption);
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

fn write_text(picture: &mut RgbImage, left: usize, top: usize, text: &str) {
    for (i, letter) in text.chars().enumerate() {
        let glyph = BASIC_FONTS.get(letter).or_else(|| BASIC_FONTS.get('?')).unwrap_or_default();
        for y in 0..LETTER {
            for x in 0..LETTER {
                let inked = glyph[y / LETTER_SCALE] >> (x / LETTER_SCALE) & 1 == 1;
                let (x, y) = ((left + i * LETTER + x) as u32, (top + y) as u32);
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
    }
}
