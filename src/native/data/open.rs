//! The way from a directory to a [`ClipSet`]: what the directory holds decides how it is read.

use std::path::Path;

use super::{
    args::{DataArgs, SplitArgs},
    clip_set::{ClipSet, PIXELS_PER_CELL},
    error::DataError,
    folders,
    meta::META,
    notices, sheets,
    split::Split,
    synthetic::{self, SYNTHETIC},
};

impl DataArgs {
    /// Decodes one split of a directory, or draws it if `dir` is [`SYNTHETIC`].
    ///
    /// Frames are area-averaged to `size` by `size` pixels. [`Sampling`](super::Sampling) picks
    /// `frames` frames of longer clips; `None` stands for the length of the shortest clip.
    /// `flow_dir` may hold exact flow for sheets.
    pub(crate) fn open(
        &self,
        dir: &Path,
        flow_dir: Option<&Path>,
        size: usize,
        frames: Option<usize>,
        split: Split,
    ) -> Result<ClipSet, DataError> {
        if size == 0 || !size.is_multiple_of(PIXELS_PER_CELL) {
            return Err(DataError::Size { size, multiple: PIXELS_PER_CELL });
        }
        let contents = if dir == Path::new(SYNTHETIC) {
            synthetic::draw(flow_dir.is_some(), size, split)?
        } else if dir.join(META).is_file() {
            sheets::read(dir, flow_dir, size, self.memory, split)?
        } else {
            let tile = self.crop.map_or(size, |crop| crop.tile_for(size));
            folders::read(dir, flow_dir, self, tile, frames, split)?
        };
        let contents = match self.crop {
            None => contents,
            Some(crop) => crop.cut(contents),
        };
        if contents.tile < size {
            let tile = contents.tile;
            notices::warn(format!(
                "--crop leaves {tile}x{tile} pixels, enlarged to {size}x{size}; a model learns the blur"
            ));
        }
        ClipSet::new(contents, self.crop, size, frames)
    }
}

impl SplitArgs {
    /// [`DataArgs::open`] without flow.
    pub(crate) fn open(&self, size: usize, frames: Option<usize>) -> Result<ClipSet, DataError> {
        self.reading.open(&self.data, None, size, frames, self.split)
    }
}

impl ClipSet {
    /// Opens one split of a directory with the default options.
    ///
    /// # Errors
    /// A directory without usable clips, or a size that is not a multiple of 4.
    pub fn open(dir: &Path, flow_dir: Option<&Path>, size: usize, split: Split) -> Result<Self, DataError> {
        DataArgs::default().open(dir, flow_dir, size, None, split)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::native::data::{
        fixtures::{folders, read},
        layouts::Layout,
    };

    #[test]
    fn unusable_directories_say_what_to_do() {
        let message = |dir: &Path, frames| read(dir, frames, Split::All).err().unwrap().to_string();
        let clips = [("anna/smile", 6), ("bert/smile", 3), ("carl/smile", 3)];
        let dir = folders(&clips.map(|(name, frames)| (name, frames, [16, 16], 0)));
        let short = message(dir.path(), Some(5));
        assert!(short.contains("2 of 3") && short.contains("bert/smile has 3") && short.contains("fewer"), "{short}");
        let missing = message(&dir.path().join("absent"), None);
        assert!(missing.contains("cannot read") && missing.contains("absent"), "{missing}");

        let data = read(dir.path(), None, Split::All).unwrap();
        let unknown = data.with_labels(&["wave".to_owned()]).err().unwrap().to_string();
        assert!(unknown.contains("does not know smile") && unknown.contains("knows wave"), "{unknown}");
        let flow = DataArgs::default().open(dir.path(), Some(dir.path()), 16, None, Split::All).err().unwrap();
        assert!(flow.to_string().contains("leave out --flow"), "{flow}");
        let size = DataArgs::default().open(dir.path(), None, 18, None, Split::All).err().unwrap();
        assert!(size.to_string().contains("multiple of 4"), "{size}");
        let natops = DataArgs { layout: Layout::Natops, ..DataArgs::default() };
        let natops = natops.open(dir.path(), None, 16, None, Split::All).err().unwrap().to_string();
        assert!(natops.contains("g01s01p01"), "{natops}");

        for person in ["anna", "bert", "carl"] {
            fs::remove_dir_all(dir.path().join(person)).unwrap();
        }
        let empty = message(dir.path(), None);
        assert!(empty.contains("meta.json") && empty.contains("bert/wave.mp4"), "{empty}");
    }
}
