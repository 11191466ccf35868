//! How well the auto-encoder rebuilds the frames of real clips.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Display},
};

use rayon::prelude::*;
use serde::Serialize;

use super::table::cell;
use crate::native::{data::ClipSet, metrics::Fidelity, video::Video};

const DEFINITION: &str = "How well frames of clips with an expression are rebuilt: by LFDM from frame 0 and the motion \
     between it and the frame, by an auto-encoder of frames from the frame alone. PSNR in dB over RGB in 0..1, SSIM of \
     the luma with Gaussian windows of 11x11 pixels (Wang et al. 2004), L1 over RGB of 255; sharpness is the mean \
     magnitude of the luma's Laplacian relative to the target frame's. Each is computed per image and averaged over \
     images. `moving` covers the pixels whose mean absolute difference over RGB between frame 0 and the frame exceeds \
     8 of 255. Images are area-averaged to the model's size.";

/// The part of the report about rebuilt frames.
#[derive(Serialize)]
pub(super) struct Reconstruction {
    definition: &'static str,
    people: usize,
    /// Frame at which expressions are strongest.
    apex_frame: usize,
    apex: Comparison,
    /// All frames but the first.
    all_frames: Comparison,
    /// Apex frames, by label.
    labels: BTreeMap<String, Comparison>,
}

/// The auto-encoder compared with doing nothing.
#[derive(Serialize)]
struct Comparison {
    images: usize,
    repeat_frame_0: Fidelity,
    reconstruction: Fidelity,
}

/// The frames of a clip but the first.
struct MeasuredClip {
    label: usize,
    /// How close frame 0 comes to the frame, and how close the auto-encoder does.
    frames: Vec<[Fidelity; 2]>,
}

/// Measures rebuilt frames, clip by clip.
#[derive(Default)]
pub(super) struct FrameMeasurements(Vec<MeasuredClip>);

impl FrameMeasurements {
    /// Measures a clip, which should have an expression: others do not show how well expressions
    /// are rebuilt.
    pub(super) fn add(&mut self, label: usize, real: &Video, rebuilt: &Video) {
        let size = [real.size(); 2];
        let source = real.frame(0);
        let frames = (1..real.len())
            .into_par_iter()
            .map(|index| {
                let target = real.frame(index);
                [source, rebuilt.frame(index)].map(|output| Fidelity::of(source, target, output, size))
            })
            .collect();
        self.0.push(MeasuredClip { label, frames });
    }

    /// The means over everything that was measured.
    pub(super) fn report(self, data: &ClipSet) -> Reconstruction {
        let apex = data.apex_frame();
        let labels: BTreeSet<usize> = self.0.iter().map(|clip| clip.label).collect();
        Reconstruction {
            definition: DEFINITION,
            people: data.len(),
            apex_frame: apex,
            apex: self.at(apex, None),
            all_frames: Comparison::of(self.0.iter().flat_map(|clip| &clip.frames).copied().collect()),
            labels: labels
                .into_iter()
                .map(|label| (data.labels()[label].clone(), self.at(apex, Some(label))))
                .collect(),
        }
    }

    /// The figures of one frame of the clips, of one label or of all.
    fn at(&self, frame: usize, label: Option<usize>) -> Comparison {
        let clips = self.0.iter().filter(|clip| label.is_none_or(|label| clip.label == label));
        // Frame 0 is not among the measured ones.
        Comparison::of(clips.filter_map(|clip| clip.frames.get(frame.checked_sub(1)?)).copied().collect())
    }
}

impl Comparison {
    fn of(frames: Vec<[Fidelity; 2]>) -> Self {
        let (repeated, rebuilt): (Vec<_>, Vec<_>) =
            frames.iter().map(|&[repeated, rebuilt]| (repeated, rebuilt)).unzip();
        Self {
            images: frames.len(),
            repeat_frame_0: Fidelity::mean(&repeated),
            reconstruction: Fidelity::mean(&rebuilt),
        }
    }

    /// Two rows of the table.
    fn rows(&self, name: &str) -> String {
        row(&format!("{name}, repeat frame 0"), &self.repeat_frame_0)
            + &row(&format!("{name}, auto-encoder"), &self.reconstruction)
    }
}

fn row(name: &str, Fidelity { psnr, ssim, l1, sharpness }: &Fidelity) -> String {
    format!(
        "{name:36} {:>6.2} / {:<6} {:>6.4} / {:<6} {:>6.2} / {:<6} {:>6.2} / {}\n",
        psnr.frame,
        cell(psnr.moving, 2),
        ssim.frame,
        cell(ssim.moving, 4),
        l1.frame,
        cell(l1.moving, 2),
        sharpness.frame,
        cell(sharpness.moving, 2)
    )
}

impl Display for Reconstruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "reconstruction, {} people, frame / moving pixels", self.people)?;
        writeln!(f, "{:36} {:>15} {:>15} {:>15} {:>15}", "", "PSNR (dB)", "SSIM", "L1 (of 255)", "sharpness")?;
        for (label, comparison) in &self.labels {
            f.write_str(&comparison.rows(label))?;
        }
        f.write_str(&self.apex.rows(&format!("{} apex frames", self.apex.images)))?;
        f.write_str(&self.all_frames.rows(&format!("{} frames", self.all_frames.images)))
    }
}
