//! A hash of clips, by which a run knows again what it learned from.

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::{clip_set::ClipSet, contents::StoredClip};
use crate::native::fingerprint::in_hexadecimal;

impl ClipSet {
    /// Hash of all frames in memory and their exact flow, of the people and the labels: whatever changes the clips, be
    /// it other files or another way to read them, changes it.
    pub(crate) fn fingerprint(&self) -> String {
        let clips: Vec<String> = self.clips.par_iter().map(|clip| self.hash_of(clip)).collect();
        let mut hash = Sha256::new();
        hash.update(format!("{:?}", [self.size(), self.grid(), self.tile, self.frames()]));
        hash.update(clips.concat());
        in_hexadecimal(hash)
    }

    fn hash_of(&self, clip: &StoredClip) -> String {
        let StoredClip { subject, label, frames, pixels, alpha, flow, strengths, references, .. } = clip;
        let mut hash = Sha256::new();
        hash.update(format!("{:?}", (self.subject_id(*subject), &self.labels()[*label], frames, strengths)));
        pixels.feed(&mut hash);
        hash.update(alpha.as_deref().unwrap_or_default());
        if let Some(flow) = flow {
            let cells: Vec<u8> = flow.cells.iter().flat_map(|cell| cell.to_le_bytes()).collect();
            hash.update(cells);
        }
        hash.update(references.as_ref().map(|references| references.digest()).unwrap_or_default());
        in_hexadecimal(hash)
    }
}

/// Hash of the clips of a training and those that were held out.
pub(crate) fn fingerprint_of(sets: [&ClipSet; 2]) -> String {
    let mut hash = Sha256::new();
    hash.update(sets.map(ClipSet::fingerprint).concat());
    in_hexadecimal(hash)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::native::data::{DataArgs, Split, fixtures::folders, tiles::Fit};

    #[test]
    fn other_clips_and_other_ways_to_read_them_are_told_apart() {
        let dir = folders(&[("anna/smile", 4, [24, 16], 0), ("bert/smile", 4, [24, 16], 1)]);
        let hash =
            |args: &DataArgs, dir: &Path, size| args.open(dir, None, size, None, Split::All).unwrap().fingerprint();
        let plain = hash(&DataArgs::default(), dir.path(), 16);
        assert_eq!(hash(&DataArgs::default(), dir.path(), 16), plain);
        let again = folders(&[("anna/smile", 4, [24, 16], 0), ("bert/smile", 4, [24, 16], 1)]);
        assert_eq!(hash(&DataArgs::default(), again.path(), 16), plain, "the same clips in another place");
        // Two frames of four.
        let thinned = DataArgs { memory: 3.5e-6, ..DataArgs::default() };
        assert_ne!(hash(&thinned, dir.path(), 16), plain);
        let padded = DataArgs { fit: Some(Fit::Pad), ..DataArgs::default() };
        for other in [hash(&padded, dir.path(), 16), hash(&DataArgs::default(), dir.path(), 8)] {
            assert_ne!(other, plain);
        }
        let darker = folders(&[("anna/smile", 4, [24, 16], 0), ("bert/smile", 4, [24, 16], 2)]);
        assert_ne!(hash(&DataArgs::default(), darker.path(), 16), plain, "another picture");
    }
}
