//! One take of a person: photographed, and written.

use std::path::Path;

use half::f16;
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Clip, DatasetError, Format, Frame, Options, Photographer, Sitting,
    files::{self, Files, write_whole},
    flow,
    sheet::Sheet,
};

/// What is known of the clips of a take.
#[derive(Serialize)]
struct Record<'a, P> {
    subject: &'a Value,
    clips: &'a [Clip<P>],
}

/// Photographs a take and writes its files; returns what is known of the person.
pub(super) fn make<P: Photographer>(
    photographer: &P,
    (id, take): (u64, u32),
    dir: &Path,
    options: &Options,
) -> Result<Value, DatasetError> {
    let rows = photographer.labels().len();
    let files = Files::new(dir, (id, take), options, rows);
    let mut sitting = photographer.sit(id, take, options);
    let clips: Vec<_> = (0..rows).map(|row| photographer.clip((id, take), row, options, None)).collect();
    let mut pictures = Pictures::new(options, rows);
    pictures.shoot(sitting.as_mut(), &clips);
    pictures.write(&files)?;
    write_references(sitting.as_mut(), &clips[0].poses[0], &files, options)?;

    // This file comes last: whoever finds it finds all of them.
    let subject = subject(id, sitting.attributes());
    let path = files.path(files::CLIPS);
    let text = serde_json::to_vec(&Record { subject: &subject, clips: &clips })
        .map_err(|problem| DatasetError::Encode { path: path.clone(), problem: problem.to_string() })?;
    write_whole(&path, &text)?;
    Ok(subject)
}

/// The attributes of a person, with their number.
fn subject(id: u64, attributes: Value) -> Value {
    match attributes {
        Value::Object(mut attributes) => {
            attributes.insert("id".into(), id.into());
            Value::Object(attributes)
        }
        _ => json!({ "id": id }),
    }
}

/// What the frames of a take become.
struct Pictures<'a> {
    options: &'a Options,
    rows: usize,
    sheet: Sheet,
    regions: Sheet,
    flow: Vec<[f16; 3]>,
}

impl<'a> Pictures<'a> {
    fn new(options: &'a Options, rows: usize) -> Self {
        let sheet = |channels| Sheet::new(options.frames, rows, options.size, channels);
        Self { options, rows, sheet: sheet(3), regions: sheet(1), flow: Vec::new() }
    }

    /// Takes all pictures. The first frame is the same in all rows, and taken once.
    fn shoot<P>(&mut self, sitting: &mut dyn Sitting<P>, clips: &[Clip<P>]) {
        let first = sitting.frame(&clips[0].poses[0], 0);
        for (row, clip) in clips.iter().enumerate() {
            self.put(row, 0, &first);
            for (column, pose) in clip.poses.iter().enumerate().skip(1) {
                let frame = sitting.frame(pose, (row * self.options.frames + column) as u64);
                self.put(row, column, &frame);
            }
        }
    }

    fn put(&mut self, row: usize, column: usize, frame: &Frame) {
        self.sheet.put(row, column, &frame.rgb);
        if self.options.regions {
            self.regions.put(row, column, &frame.regions);
        }
        if let (Some(cells), Some(flow)) = (self.options.flow_size, &frame.flow) {
            self.flow.extend(flow::pool(flow, self.options.size, cells));
        }
    }

    fn write(&self, files: &Files) -> Result<(), DatasetError> {
        write_picture(&self.sheet, files, self.options.format.end(), self.options)?;
        if self.options.regions {
            let path = files.path(files::REGIONS);
            let png = self.regions.to_png().map_err(|problem| DatasetError::Encode { path: path.clone(), problem })?;
            write_whole(&path, &png)?;
        }
        if let Some(cells) = self.options.flow_size {
            let path = files.path(&files::flow_end(cells));
            let npy = flow::encode(&self.flow, self.rows, self.options.frames, cells)
                .map_err(|problem| DatasetError::Encode { path: path.clone(), problem: problem.to_string() })?;
            write_whole(&path, &npy)?;
        }
        Ok(())
    }
}

/// The first frame in other appearances.
fn write_references<P>(
    sitting: &mut dyn Sitting<P>,
    pose: &P,
    files: &Files,
    options: &Options,
) -> Result<(), DatasetError> {
    if options.references == 0 {
        return Ok(());
    }
    let mut strip = Sheet::new(options.references as usize, 1, options.size, 3);
    for appearance in 0..options.references {
        strip.put(0, appearance as usize, &sitting.reference(pose, appearance));
    }
    write_picture(&strip, files, &files::references_end(options.format), options)
}

fn write_picture(sheet: &Sheet, files: &Files, end: &str, options: &Options) -> Result<(), DatasetError> {
    let path = files.path(end);
    let encoded = match options.format {
        Format::Webp => sheet.to_webp(options.quality),
        Format::Png => sheet.to_png(),
    };
    write_whole(&path, &encoded.map_err(|problem| DatasetError::Encode { path: path.clone(), problem })?)
}
