//! The pixels of clips: in memory as they are, or still compressed, for sets that are larger than memory.

use std::{
    borrow::Cow,
    collections::VecDeque,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use sha2::{Digest, Sha256};

/// Sheets that are kept unpacked, at most: as many as a few threads look at, at a time.
const UNPACKED: usize = 16;

/// The frames of a clip.
pub(super) enum Pixels {
    /// `[frame, y, x, rgb]`
    Plain(Vec<u8>),
    /// A row of a sheet, which is unpacked when somebody looks at it.
    Packed(PackedRow),
}

/// A row of a sheet.
pub(super) struct PackedRow {
    sheet: Arc<PackedSheet>,
    row: usize,
    /// The part of each tile that is used, if not all of it.
    part: Option<Part>,
    /// Hash of what it unpacks to, so that nobody has to unpack it for that.
    digest: [u8; 32],
}

/// A square part of square tiles, in pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) tile: usize,
    pub(super) left: usize,
    pub(super) top: usize,
    pub(super) side: usize,
}

/// A sheet as its file has it.
pub(super) struct PackedSheet {
    /// Its place in the cache.
    id: usize,
    unpack: Box<dyn Fn() -> Vec<Vec<u8>> + Send + Sync>,
    cache: Arc<SheetCache>,
}

/// The sheets that were looked at last, unpacked.
#[derive(Default)]
pub(super) struct SheetCache(Mutex<VecDeque<(usize, Arc<Unpacked>)>>);

/// For each row `[frame, y, x, rgb]`, once somebody has waited for it.
type Unpacked = OnceLock<Vec<Vec<u8>>>;

impl Pixels {
    /// One frame, of tiles with sides of `tile` pixels.
    ///
    /// # Shapes
    ///
    /// - returns `[y, x, rgb]`
    pub(super) fn frame(&self, index: usize, tile: usize) -> Cow<'_, [u8]> {
        match self {
            Self::Plain(pixels) => Cow::Borrowed(nth(pixels, index, tile)),
            Self::Packed(PackedRow { sheet, row, part, .. }) => {
                let rows = sheet.rows();
                let pixels = &rows.get_or_init(|| (sheet.unpack)())[*row];
                Cow::Owned(match part {
                    None => nth(pixels, index, tile).to_vec(),
                    Some(part) => part.of(nth(pixels, index, part.tile), 3),
                })
            }
        }
    }

    /// This part of all frames.
    pub(super) fn cut(self, part: Part) -> Self {
        match self {
            Self::Plain(pixels) => Self::Plain(part.of(&pixels, 3)),
            Self::Packed(row) => Self::Packed(PackedRow { part: Some(part), ..row }),
        }
    }

    /// Feeds `hash` with what tells these pixels from others.
    pub(super) fn feed(&self, hash: &mut Sha256) {
        match self {
            Self::Plain(pixels) => hash.update(pixels),
            Self::Packed(PackedRow { digest, part, .. }) => {
                hash.update(digest);
                hash.update(format!("{part:?}"));
            }
        }
    }
}

impl Part {
    /// This part of tiles in turn, `[y, x, channel]` each.
    pub(super) fn of(self, tiles: &[u8], channels: usize) -> Vec<u8> {
        let Self { tile, left, top, side } = self;
        let rows = tiles.chunks_exact(tile * channels).enumerate();
        rows.filter(|(row, _)| (top..top + side).contains(&(row % tile)))
            .flat_map(|(_, row)| &row[left * channels..(left + side) * channels])
            .copied()
            .collect()
    }
}

impl PackedSheet {
    /// The rows of a sheet, which unpack to `rows`.
    pub(super) fn into_rows(self, rows: &[Vec<u8>]) -> Vec<Pixels> {
        let sheet = Arc::new(self);
        let row = |(row, pixels): (usize, &Vec<u8>)| {
            let digest = Sha256::digest(pixels).into();
            Pixels::Packed(PackedRow { sheet: sheet.clone(), row, part: None, digest })
        };
        rows.iter().enumerate().map(row).collect()
    }

    /// `unpack` makes `[frame, y, x, rgb]` for each row; `id` is unique within the cache.
    pub(super) fn new(
        id: usize,
        cache: &Arc<SheetCache>,
        unpack: impl Fn() -> Vec<Vec<u8>> + Send + Sync + 'static,
    ) -> Self {
        Self { id, unpack: Box::new(unpack), cache: cache.clone() }
    }

    /// Its rows, which may have to be unpacked yet: not under the lock, so that others need not wait.
    fn rows(&self) -> Arc<Unpacked> {
        let mut recent = self.cache.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = recent.iter().position(|(id, _)| *id == self.id).and_then(|place| recent.remove(place));
        let (id, rows) = known.unwrap_or_else(|| (self.id, Arc::default()));
        recent.push_back((id, rows.clone()));
        if recent.len() > UNPACKED {
            recent.pop_front();
        }
        rows
    }
}

fn nth(pixels: &[u8], index: usize, tile: usize) -> &[u8] {
    let length = tile * tile * 3;
    &pixels[index * length..(index + 1) * length]
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Two rows of two frames of 2x2 pixels, each of which says where it is.
    fn rows(sheet: usize) -> Vec<Vec<u8>> {
        let row = |row: usize| (0..24).map(|i| (100 * sheet + 50 * row + i) as u8).collect();
        vec![row(0), row(1)]
    }

    #[test]
    fn packed_pixels_are_those_of_plain_ones_and_cut_alike() {
        let cache = Arc::default();
        let packed = |row: usize| PackedSheet::new(row, &cache, || rows(1)).into_rows(&rows(1)).remove(row);
        let part = Part { tile: 2, left: 1, top: 0, side: 1 };
        for row in 0..2 {
            let plain = Pixels::Plain(rows(1)[row].clone());
            for frame in 0..2 {
                assert_eq!(packed(row).frame(frame, 2), plain.frame(frame, 2));
            }
            assert_eq!(packed(row).cut(part).frame(1, 1), plain.cut(part).frame(1, 1));
        }
        assert_eq!(packed(1).cut(part).frame(1, 1)[..], rows(1)[1][15..18]);
    }

    #[test]
    fn sheets_are_unpacked_once_while_they_are_in_use() {
        let (cache, unpacked) = (Arc::default(), Arc::new(AtomicUsize::new(0)));
        let sheet = |id: usize| {
            let unpacked = unpacked.clone();
            let unpack = move || {
                unpacked.fetch_add(1, Ordering::Relaxed);
                rows(id)
            };
            PackedSheet::new(id, &cache, unpack).into_rows(&rows(id)).remove(0)
        };
        let sheets: Vec<Pixels> = (0..=UNPACKED).map(sheet).collect();
        let count = || unpacked.load(Ordering::Relaxed);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| sheets[0].frame(1, 2));
            }
        });
        assert_eq!(count(), 1, "four threads share it");
        let hash = |pixels: &Pixels| {
            let mut hash = Sha256::new();
            pixels.feed(&mut hash);
            hash.finalize()
        };
        let first = hash(&sheets[0]);
        assert!(sheets[1..].iter().all(|other| hash(other) != first));
        assert_eq!(count(), 1, "nothing is unpacked to be hashed");
        assert!(sheets.iter().all(|sheet| sheet.frame(0, 2).len() == 12));
        assert_eq!(count(), UNPACKED + 1);
        sheets[UNPACKED].frame(1, 2);
        assert_eq!(count(), UNPACKED + 1, "the last ones stay");
        sheets[0].frame(1, 2);
        assert_eq!(count(), UNPACKED + 2, "the first one went");
    }
}
