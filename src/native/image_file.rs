//! Reading a picture from disk as it is meant to be seen.

use std::{
    fs::{self, File},
    io::{self, BufReader},
    path::{Path, PathBuf},
};

use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader};
use thiserror::Error;

use super::whole_file::read_file;
use crate::portrait::{MAX_PIXELS, Portrait, PortraitError};

/// Why a file cannot be used as a portrait.
#[derive(Debug, Error)]
pub enum ImageFileError {
    /// It cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It has no bytes.
    #[error("{} is empty (0 bytes); save or download the image again", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// It has no known format.
    #[error("{} is not an image that lfdm reads; use PNG, JPEG, WebP, GIF or BMP", path.display())]
    NotAnImage {
        /// The file.
        path: PathBuf,
    },
    /// It has more than [`MAX_PIXELS`].
    #[error("{} is {width}x{height} pixels, more than 100 megapixels; use a smaller copy", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Pixels per row.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// A JPEG whose picture has no end; its decoder would paint the rest grey.
    #[error("{} breaks off in the middle of the picture; save or download the image again", path.display())]
    CutOff {
        /// The file.
        path: PathBuf,
    },
    /// It ends too early or contradicts itself.
    #[error("{} is damaged: {source}; save or download the image again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the decoder says.
        source: ImageError,
    },
    /// Its pixels make no portrait.
    #[error("{}: {source}", path.display())]
    Portrait {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: PortraitError,
    },
}

/// Reads an image, turns it as its EXIF orientation says, and prepares it for a model's `size` (`[height, width]`).
pub fn read_portrait(path: &Path, size: [usize; 2]) -> Result<Portrait, ImageFileError> {
    let rgba = read(path)?.into_rgba8();
    Portrait::from_rgba(rgba.width() as usize, rgba.height() as usize, rgba.as_raw(), size)
        .map_err(|source| ImageFileError::Portrait { path: path.to_owned(), source })
}

/// Decodes an image and turns it as its EXIF orientation says.
pub(super) fn read(path: &Path) -> Result<DynamicImage, ImageFileError> {
    let owned = || path.to_owned();
    let io = |source| ImageFileError::Io { path: owned(), source };
    if fs::metadata(path).map_err(io)?.len() == 0 {
        return Err(ImageFileError::Empty { path: owned() });
    }
    // By content alone: a name may lie.
    let file = BufReader::new(File::open(path).map_err(io)?);
    let reader = ImageReader::new(file).with_guessed_format().map_err(io)?;
    match reader.format() {
        None => return Err(ImageFileError::NotAnImage { path: owned() }),
        Some(ImageFormat::Jpeg) if is_cut_off(&read_file(path).map_err(io)?) => {
            return Err(ImageFileError::CutOff { path: owned() });
        }
        Some(_) => {}
    }
    let damaged = |source| match source {
        ImageError::Unsupported(_) => ImageFileError::NotAnImage { path: owned() },
        source => ImageFileError::Damaged { path: owned(), source },
    };
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    // Asked before decoding: the header of a small file can promise any size.
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(ImageFileError::TooLarge { path: owned(), width, height });
    }
    let orientation = decoder.orientation().map_err(damaged)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    image.apply_orientation(orientation);
    Ok(image)
}

/// Whether a JPEG ends before the marker that ends its picture. The thumbnail in its header may have one of its own,
/// but compressed pixels can contain neither marker.
fn is_cut_off(jpeg: &[u8]) -> bool {
    const START_OF_SCAN: [u8; 2] = [0xFF, 0xDA];
    const END_OF_IMAGE: [u8; 2] = [0xFF, 0xD9];
    let last = |marker: [u8; 2]| jpeg.windows(2).rposition(|bytes| bytes == marker);
    last(END_OF_IMAGE) < last(START_OF_SCAN)
}

#[cfg(test)]
mod tests {
    use image::{ImageEncoder, Rgb, RgbImage, Rgba, RgbaImage, codecs::jpeg::JpegEncoder};

    use super::*;

    /// Left half red, right half blue.
    fn halves(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, _| if x < width / 2 { Rgb([255, 0, 0]) } else { Rgb([0, 0, 255]) })
    }

    /// A TIFF header with one entry: orientation.
    fn exif(orientation: u8) -> Vec<u8> {
        let mut block = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
        block.extend([orientation, 0, 0, 0, 0, 0, 0]);
        block
    }

    #[test]
    fn exif_orientation_is_applied() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("turned.jpg");
        let mut bytes = Vec::new();
        let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
        encoder.set_exif_metadata(exif(6)).unwrap();
        encoder.write_image(halves(64, 64).as_raw(), 64, 64, image::ExtendedColorType::Rgb8).unwrap();
        fs::write(&path, bytes).unwrap();

        // Orientation 6 is shown turned 90 degrees clockwise: the left half comes to the top.
        let pixels = read_portrait(&path, [16, 16]).unwrap();
        let [top, bottom] = [2 * 16 + 8, 13 * 16 + 8].map(|i| [pixels.pixels()[i], pixels.pixels()[2 * 256 + i]]);
        assert!(top[0] > 0.9 && top[1] < 0.1, "{top:?}");
        assert!(bottom[0] < 0.1 && bottom[1] > 0.9, "{bottom:?}");
    }

    #[test]
    fn alpha_shows_white() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("alpha.png");
        RgbaImage::from_pixel(20, 20, Rgba([0, 0, 0, 0])).save(&path).unwrap();
        assert!(read_portrait(&path, [16, 16]).unwrap().pixels().iter().all(|&value| value == 1.0));
    }

    #[test]
    fn unusable_files_are_named_with_the_reason() {
        let dir = tempfile::tempdir().unwrap();
        let message = |name: &str, bytes: &[u8]| {
            let path = dir.path().join(name);
            fs::write(&path, bytes).unwrap();
            let message = read_portrait(&path, [16, 16]).unwrap_err().to_string();
            assert!(message.contains(name), "{message}");
            message
        };
        assert!(message("empty.png", b"").contains("0 bytes"));
        assert!(message("text.png", b"this is not an image, whatever its name says").contains("not an image"));

        let mut png = io::Cursor::new(Vec::new());
        halves(64, 64).write_to(&mut png, image::ImageFormat::Png).unwrap();
        let mut png = png.into_inner();
        assert!(message("cut.png", &png[..png.len() / 2]).contains("damaged"));

        // Width and height of the header, with its CRC: 20000 x 20000.
        png[16..24].copy_from_slice(&[0, 0, 0x4e, 0x20, 0, 0, 0x4e, 0x20]);
        let crc = crc32(&png[12..29]);
        png[29..33].copy_from_slice(&crc.to_be_bytes());
        assert!(message("huge.png", &png).contains("100 megapixels"));

        let message = read_portrait(&dir.path().join("absent.png"), [16, 16]).unwrap_err().to_string();
        assert!(message.contains("absent.png"), "{message}");
    }

    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0u32, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 })
        })
    }

    #[test]
    fn half_a_jpeg_is_refused_and_not_painted_grey() {
        let dir = tempfile::tempdir().unwrap();
        let mut bytes = Vec::new();
        let noise = RgbImage::from_fn(64, 64, |x, y| Rgb([(x * 37 + y * 91) as u8, (x * y) as u8, (x ^ y) as u8]));
        JpegEncoder::new(&mut bytes).write_image(noise.as_raw(), 64, 64, image::ExtendedColorType::Rgb8).unwrap();
        let path = dir.path().join("half.jpg");
        fs::write(&path, &bytes).unwrap();
        assert!(read(&path).is_ok());
        fs::write(&path, [&bytes[..], b"an appendix"].concat()).unwrap();
        assert!(read(&path).is_ok(), "cameras append what they like");
        for share in [2, 3, 10] {
            fs::write(&path, &bytes[..bytes.len() - bytes.len() / share]).unwrap();
            let message = read(&path).unwrap_err().to_string();
            assert!(message.contains("breaks off") || message.contains("damaged"), "{message}");
        }
    }
}
