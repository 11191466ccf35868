//! Frame 0 of a take in other appearances: read when somebody asks for them, and never kept.

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use sha2::{Digest, Sha256};

use super::{error::DataError, pixels::Part};
use crate::native::whole_file::read_file;

/// Other skins, hair, light and clothes of the person that a take begins with, in exactly the same place.
#[derive(Debug, Clone)]
pub(super) struct References {
    /// One row of `count` square tiles.
    pub(super) path: PathBuf,
    pub(super) count: usize,
    /// Side of a tile in the file.
    pub(super) tile: usize,
    /// The part of each that is used, if not all of it.
    pub(super) part: Option<Part>,
    /// Hash of the file, once for all clips of the take.
    pub(super) digest: Arc<OnceLock<[u8; 32]>>,
}

impl References {
    /// Hash of the file. One that cannot be read is missed by whoever needs the tiles.
    pub(super) fn digest(&self) -> [u8; 32] {
        *self.digest.get_or_init(|| Sha256::digest(read_file(&self.path).unwrap_or_default()).into())
    }

    /// This part of them.
    pub(super) fn cut(&self, part: Part) -> Self {
        Self { part: Some(part), ..self.clone() }
    }

    /// The tiles, `[y, x, rgb]` each.
    ///
    /// # Errors
    /// A file that cannot be read, or is of another size.
    pub(super) fn read(&self) -> Result<Vec<Vec<u8>>, DataError> {
        let Self { path, count, tile, .. } = self;
        let unusable = |problem: String| DataError::Unusable { path: path.clone(), problem };
        let image = image::ImageReader::open(path)
            .and_then(image::ImageReader::with_guessed_format)
            .map_err(|source| DataError::Io { path: path.clone(), source })?
            .decode()
            .map_err(|error| unusable(error.to_string()))?
            .into_rgb8();
        let (width, height) = (image.width() as usize, image.height() as usize);
        if [width, height] != [count * tile, *tile] {
            return Err(unusable(format!("is {width}x{height}, not {}x{tile}", count * tile)));
        }
        let column = |index: usize| Part { tile: width, left: index * tile, top: 0, side: *tile };
        let tiles = (0..*count).map(|index| column(index).of(image.as_raw(), 3));
        Ok(tiles.map(|pixels| self.part.map_or(pixels.clone(), |part| part.of(&pixels, 3))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_cut_out_and_other_sizes_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s000000_k0_references.webp");
        let picture = image::RgbImage::from_fn(12, 4, |x, y| image::Rgb([x as u8, y as u8, 7]));
        picture.save(&path).unwrap();
        let references = References { path: path.clone(), count: 3, tile: 4, part: None, digest: Arc::default() };
        let tiles = references.read().unwrap();
        assert_eq!((tiles.len(), tiles[1].len()), (3, 48));
        assert_eq!(tiles[1][..6], [4, 0, 7, 5, 0, 7]);
        assert_eq!(tiles[2][45..], [11, 3, 7]);
        let part = references.cut(Part { tile: 4, left: 2, top: 1, side: 2 });
        assert_eq!(part.read().unwrap()[1], [6, 1, 7, 7, 1, 7, 6, 2, 7, 7, 2, 7]);

        let message = References { count: 4, ..references.clone() }.read().unwrap_err().to_string();
        assert!(message.contains("is 12x4, not 16x4"), "{message}");
        std::fs::write(&path, b"RIFF").unwrap();
        assert!(references.read().unwrap_err().to_string().contains("s000000_k0_references.webp"));
    }
}
