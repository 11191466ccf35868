//! A contact sheet: people side by side, to look at.

use rayon::{ThreadPoolBuilder, prelude::*};

use super::{Clip, DatasetError, Options, Photographer, admit, is_final_test, sheet::Sheet};
use crate::expression::Strengths;

/// What a contact sheet shows.
#[derive(Clone, Debug)]
pub struct Contact {
    /// The people.
    pub ids: Vec<u64>,
    /// The take of each.
    pub take: u32,
    /// The labels of each, by their rows in a sheet.
    pub rows: Vec<usize>,
    /// What the clips show at the apex instead of what is drawn for them.
    pub strengths: Option<Strengths>,
    /// Whether there is a row for each clip with all of its frames, instead of one for each person with the apexes.
    pub every_frame: bool,
    /// How many other appearances of the first frame end a row of apexes.
    pub references: u32,
    /// People that are photographed at once.
    pub jobs: usize,
    /// How they are photographed.
    pub options: Options,
}

impl Contact {
    /// Photographs and gives a PNG file.
    pub fn make<P: Photographer>(&self, photographer: &P) -> Result<Vec<u8>, DatasetError> {
        admit(&self.ids, is_final_test())?;
        self.options.check(self.rows.len())?;
        let pool = ThreadPoolBuilder::new()
            .num_threads(self.jobs)
            .build()
            .map_err(|problem| DatasetError::Threads { jobs: self.jobs, problem: problem.to_string() })?;
        let rows: Vec<Vec<Vec<u8>>> =
            pool.install(|| self.ids.par_iter().flat_map_iter(|&id| self.rows_of(photographer, id)).collect());
        let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
        let mut sheet = Sheet::new(columns, rows.len(), self.options.size, 3);
        for (row, tiles) in rows.iter().enumerate() {
            for (column, tile) in tiles.iter().enumerate() {
                sheet.put(row, column, tile);
            }
        }
        sheet.to_png().map_err(DatasetError::Options)
    }

    /// The rows of a person.
    fn rows_of<P: Photographer>(&self, photographer: &P, id: u64) -> Vec<Vec<Vec<u8>>> {
        let mut sitting = photographer.sit(id, self.take, &self.options);
        let mut shoot = |clip: &Clip<P::Pose>, frame: usize| sitting.frame(&clip.poses[frame], frame as u64).rgb;
        let strengths = self.strengths.as_ref();
        let clip = |&row: &usize| photographer.clip((id, self.take), row, &self.options, strengths);
        let clips: Vec<_> = self.rows.iter().map(clip).collect();
        if self.every_frame {
            return clips.iter().map(|clip| (0..clip.poses.len()).map(|frame| shoot(clip, frame)).collect()).collect();
        }
        let mut row: Vec<Vec<u8>> = clips.iter().map(|clip| shoot(clip, clip.apex)).collect();
        if let Some(rest) = clips.first().and_then(|clip| clip.poses.first()) {
            row.extend((0..self.references).map(|appearance| sitting.reference(rest, appearance)));
        }
        vec![row]
    }
}
