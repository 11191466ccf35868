//! How well the auto-encoder repeats real clips from their frame 0 and the motion that it sees in them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;
use serde::Serialize;

use crate::lfae::LatentFlowAutoencoder;
use crate::native::data::ClipSet;
use crate::native::metrics::Fidelity;
use crate::native::video::Video;

const DEFINITION: &str = "Reconstruction of frames of the clips with an expression: by LFDM from frame 0 and the motion between it and the frame, by an \
     auto-encoder of frames from the frame alone. PSNR in dB over RGB in 0..1, \
     SSIM of the luma with Gaussian windows of 11x11 pixels (Wang et al. 2004), L1 over RGB of 255; sharpness is the mean magnitude of the luma's Laplacian over that of the frame to be met; each per image, averaged over images. \
     `moving` is over the pixels whose mean absolute difference over RGB between frame 0 and the frame exceeds 8 of 255. Images \
     are area-averaged to the model's size.";

/// The part of the report about real clips.
#[derive(Serialize)]
pub(crate) struct Reconstruction {
    definition: &'static str,
    people: usize,
    /// Frame at which expressions are strongest.
    apex_frame: usize,
    apex: Comparison,
    /// Of all frames but the first.
    all_frames: Comparison,
    /// The apex by label.
    labels: BTreeMap<String, Comparison>,
}

/// The auto-encoder against doing nothing.
#[derive(Serialize)]
struct Comparison {
    images: usize,
    repeat_frame_0: Fidelity,
    reconstruction: Fidelity,
}

/// Frames of a clip, each repeated from frame 0 and rebuilt.
struct Measured {
    label: usize,
    frames: Vec<[Fidelity; 2]>,
}

/// Collects what is measured clip by clip.
#[derive(Default)]
pub(crate) struct Measurements(Vec<Measured>);

impl Measurements {
    /// Of a clip with an expression: others do not tell how well expressions are rebuilt.
    pub(crate) fn add(&mut self, label: usize, real: &Video, rebuilt: &Video) {
        let size = [real.size(); 2];
        let source = real.frame(0);
        let frames = (1..real.len())
            .into_par_iter()
            .map(|index| {
                let target = real.frame(index);
                [source, rebuilt.frame(index)].map(|output| Fidelity::of(source, target, output, size))
            })
            .collect();
        self.0.push(Measured { label, frames });
    }

    pub(crate) fn report(self, data: &ClipSet) -> Reconstruction {
        let apex = data.apex_frame();
        // Without frame 0.
        let at_apex = |of: &dyn Fn(usize) -> bool| -> Comparison {
            let clips = self.0.iter().filter(|clip| of(clip.label));
            Comparison::of(clips.filter_map(|clip| clip.frames.get(apex.checked_sub(1)?)).copied().collect())
        };
        let labels: BTreeSet<usize> = self.0.iter().map(|clip| clip.label).collect();
        Reconstruction {
            definition: DEFINITION,
            people: data.len(),
            apex_frame: apex,
            apex: at_apex(&|_| true),
            all_frames: Comparison::of(self.0.iter().flat_map(|clip| &clip.frames).copied().collect()),
            labels: labels
                .into_iter()
                .map(|label| (data.labels()[label].clone(), at_apex(&|other| other == label)))
                .collect(),
        }
    }
}

/// The clip as the auto-encoder repeats it.
pub(crate) fn rebuild(model: &LatentFlowAutoencoder, real: &Video, device: &Device) -> Result<Video> {
    let (size, frames) = (real.size(), real.len());
    let driving = TensorData::new(real.pixels().to_vec(), [frames, 3, size, size]);
    let driving = Tensor::<4>::from_data(driving, device);
    let source = driving.clone().narrow(0, 0, 1);
    let motion = model.estimate_motion(source.clone().repeat_dim(0, frames), driving);
    let decoded = model.decode(source.clone(), &model.encode(source), &motion);
    Ok(Video::new(size, decoded.prediction.try_into_data()?.iter::<f32>().collect()))
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

    fn rows(&self, name: &str) -> String {
        let row = |name: &str, Fidelity { psnr, ssim, l1, sharpness }: &Fidelity| {
            let moving = |value: Option<f64>, digits: usize| {
                value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
            };
            format!(
                "{name:36} {:>6.2} / {:<6} {:>6.4} / {:<6} {:>6.2} / {:<6} {:>6.2} / {}\n",
                psnr.frame,
                moving(psnr.moving, 2),
                ssim.frame,
                moving(ssim.moving, 4),
                l1.frame,
                moving(l1.moving, 2),
                sharpness.frame,
                moving(sharpness.moving, 2)
            )
        };
        row(&format!("{name}, repeat frame 0"), &self.repeat_frame_0)
            + &row(&format!("{name}, auto-encoder"), &self.reconstruction)
    }
}

impl std::fmt::Display for Reconstruction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "reconstruction, {} people, frame / moving pixels", self.people)?;
        writeln!(f, "{:36} {:>15} {:>15} {:>15} {:>15}", "", "PSNR (dB)", "SSIM", "L1 (of 255)", "sharpness")?;
        for (label, comparison) in &self.labels {
            f.write_str(&comparison.rows(label))?;
        }
        f.write_str(&self.apex.rows(&format!("{} apex frames", self.apex.images)))?;
        f.write_str(&self.all_frames.rows(&format!("{} frames", self.all_frames.images)))
    }
}
