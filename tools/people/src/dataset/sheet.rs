//! Many tiles in one picture, and the file that it becomes.

use image::{ExtendedColorType, ImageEncoder, codecs::png};
use webp::{Encoder, PixelLayout, WebPConfig};

/// A picture of square tiles in rows, without gaps.
pub(super) struct Sheet {
    columns: usize,
    rows: usize,
    /// Pixels of a side of a tile.
    size: usize,
    /// Bytes of a pixel.
    channels: usize,
    bytes: Vec<u8>,
}

impl Sheet {
    /// A black one.
    pub(super) fn new(columns: usize, rows: usize, size: usize, channels: usize) -> Self {
        Self { columns, rows, size, channels, bytes: vec![0; columns * rows * size * size * channels] }
    }

    /// Width and height in pixels.
    pub(super) fn dimensions(&self) -> [u32; 2] {
        [self.columns, self.rows].map(|tiles| (tiles * self.size) as u32)
    }

    /// Puts a tile, `[y, x, channel]`, into its place.
    pub(super) fn put(&mut self, row: usize, column: usize, tile: &[u8]) {
        let line = self.size * self.channels;
        assert_eq!(tile.len(), self.size * line, "the tile has another size");
        for (y, pixels) in tile.chunks_exact(line).enumerate() {
            let start = ((row * self.size + y) * self.columns + column) * line;
            self.bytes[start..start + line].copy_from_slice(pixels);
        }
    }

    /// A lossy WebP file, for three channels.
    pub(super) fn to_webp(&self, quality: f32) -> Result<Vec<u8>, String> {
        let mut config = WebPConfig::new().map_err(|()| "libwebp does not know its own settings".to_owned())?;
        config.quality = quality;
        config.method = METHOD;
        let [width, height] = self.dimensions();
        let encoder = Encoder::new(&self.bytes, PixelLayout::Rgb, width, height);
        let file = encoder.encode_advanced(&config).map_err(|problem| format!("{problem:?}"))?;
        Ok(file.to_vec())
    }

    /// A PNG file, grey or in colour.
    pub(super) fn to_png(&self) -> Result<Vec<u8>, String> {
        let mut file = Vec::new();
        let colour = if self.channels == 1 { ExtendedColorType::L8 } else { ExtendedColorType::Rgb8 };
        let [width, height] = self.dimensions();
        png::PngEncoder::new_with_quality(&mut file, png::CompressionType::Fast, png::FilterType::Up)
            .write_image(&self.bytes, width, height, colour)
            .map_err(|problem| problem.to_string())?;
        Ok(file)
    }
}

/// How hard libwebp tries, from 0 to 6. At 2 a tile of 128 pixels takes just under a millisecond; 4 takes twice as long
/// and saves 3 %.
const METHOD: i32 = 2;

/// The most pixels that a WebP file has each way.
pub(super) const WEBP_LIMIT: usize = 16_383;

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn gradient(columns: usize, rows: usize, size: usize) -> Sheet {
        let mut sheet = Sheet::new(columns, rows, size, 3);
        for place in 0..columns * rows {
            let paint = |at: usize| {
                let (x, y) = (at % size, at / size);
                [x * 255 / size, y * 255 / size, place * 9 % 256].map(|value| value as u8)
            };
            let tile: Vec<u8> = (0..size * size).flat_map(paint).collect();
            sheet.put(place / columns, place % columns, &tile);
        }
        sheet
    }

    #[test]
    fn tiles_are_where_they_were_put() {
        let mut sheet = Sheet::new(3, 2, 4, 1);
        sheet.put(1, 2, &[7; 16]);
        let picture = image::load_from_memory(&sheet.to_png().unwrap()).unwrap().into_luma8();
        assert_eq!(picture.dimensions(), (12, 8));
        for (x, y, pixel) in picture.enumerate_pixels() {
            assert_eq!(pixel.0[0], if x >= 8 && y >= 4 { 7 } else { 0 }, "{x} {y}");
        }
    }

    #[test]
    fn webp_is_near_and_png_is_exact() {
        let sheet = gradient(4, 2, 32);
        let read = |file: Vec<u8>| image::load_from_memory(&file).unwrap().into_rgb8().into_raw();
        assert_eq!(read(sheet.to_png().unwrap()), sheet.bytes);
        let lossy = read(sheet.to_webp(92.).unwrap());
        let error: f64 =
            lossy.iter().zip(&sheet.bytes).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / lossy.len() as f64;
        assert!(error < 4., "{error}");
        assert!(sheet.to_webp(30.).unwrap().len() < sheet.to_webp(95.).unwrap().len());
    }

    /// What a tile takes, by the sheet named by `PEOPLE_SHEET`.
    #[test]
    #[ignore = "measures"]
    fn time_of_a_tile() {
        let picture = image::open(std::env::var("PEOPLE_SHEET").unwrap()).unwrap().into_rgb8();
        let [columns, rows] = [picture.width(), picture.height()].map(|side| side as usize / 128);
        let sheet = Sheet { columns, rows, size: 128, channels: 3, bytes: picture.into_raw() };
        for method in 0..=4 {
            let mut config = WebPConfig::new().unwrap();
            config.quality = 92.;
            config.method = method;
            let [width, height] = sheet.dimensions();
            let start = Instant::now();
            let file = Encoder::new(&sheet.bytes, PixelLayout::Rgb, width, height).encode_advanced(&config).unwrap();
            let time = start.elapsed().as_secs_f64() * 1e3 / (columns * rows) as f64;
            println!("method {method}: {time:.2} ms a tile, {} bytes", file.len());
        }
        let start = Instant::now();
        let file = sheet.to_png().unwrap();
        println!("png: {:.2} ms a tile, {} bytes", start.elapsed().as_secs_f64() * 1e3 / 112., file.len());
    }
}
