//! Pictures for people who watch a training.

use std::path::Path;

use anyhow::Result;
use burn::tensor::{Device, Tensor, TensorData};

use super::stage::Metrics;
use crate::condition::{Contrast, NEUTRAL};
use crate::diffusion::Sampler;
use crate::lfae::LatentFlowAutoencoder;
use crate::native::contact_sheet::ContactSheet;
use crate::native::data::{Clip, ClipSet};
use crate::native::metrics::{Score, psnr, sharpness};
use crate::pipeline::{Portrait, Request};
use crate::viz::{flow_to_rgba, occlusion_to_rgba};

/// The columns of [`reconstructions`], in words that fit above 64 pixels.
const COLUMNS: [&str; 7] = ["source", "real", "warped", "rebuilt", "painted", "flow", "seen"];

/// The PSNRs over what moves, of [`reconstructions`] and of frame 0.
pub(super) const PSNRS: [&str; 2] = ["psnr_moving", "psnr_repeat_moving"];

/// People in a preview of reconstructions; the metrics that come with it are of them only.
pub(super) const PEOPLE: usize = 8;

/// Draws one generated clip per label into a sheet at `path`, each of another of the `people`,
/// every other frame, under its number. `generate` returns the frames as RGBA bytes.
pub(super) fn generated_clips(
    labels: &[String],
    people: &ClipSet,
    (steps, sampler): (usize, Sampler),
    path: &Path,
    generate: impl Fn(&Portrait, &Request) -> Result<Vec<Vec<u8>>>,
) -> Result<()> {
    let size = [people.size(); 2];
    let mut sheet = ContactSheet::new(size).with_headings((0..people.frames()).step_by(2));
    for (index, label) in labels.iter().enumerate().skip(1) {
        let Some(clip) = people.clips_of(index % people.len()).next() else { continue };
        let portrait = Portrait::from_rgba(size[1], size[0], &clip.rgba(0), size)?;
        let request = Request {
            strengths: label.as_str().into(),
            seed: index as u64,
            steps,
            guidance: 1.0,
            contrast: Contrast::Null,
            sampler,
        };
        sheet.push(label, generate(&portrait, &request)?.into_iter().step_by(2).collect());
    }
    sheet.save(path)
}

/// Reconstructs the apex frames of the first people of `data`. Writes a sheet with, from left to
/// right, source, driving frame, warped source, output, painting, flow and occlusion. Returns the
/// PSNRs in dB over the frame and over its moving pixels, those of repeating frame 0 for
/// comparison, and how sharp the moving pixels are.
pub(super) fn reconstructions(
    model: &LatentFlowAutoencoder,
    device: &Device,
    data: &ClipSet,
    path: &Path,
) -> Result<Metrics> {
    let size @ [height, width] = [data.size(); 2];
    let grid = [data.grid(); 2];
    let image = |values: Vec<f32>| Tensor::<4>::from_data(TensorData::new(values, [1, 3, height, width]), device);
    let (mut repeated, mut reconstructed, mut detail) = (Vec::new(), Vec::new(), Vec::new());
    let mut sheet = ContactSheet::new(size).with_headings(COLUMNS);
    for subject in 0..data.len().min(PEOPLE) {
        let moving: Vec<Clip<'_>> =
            data.clips_of(subject).filter(|clip| data.labels()[clip.label()] != NEUTRAL).collect();
        for (index, clip) in moving.iter().enumerate() {
            let source = image(clip.frame(0));
            let driving = image(clip.frame(data.apex_frame()));
            let motion = model.estimate_motion(source.clone(), driving.clone());
            let decoded = model.decode(source.clone(), &model.encode(source.clone()), &motion);
            let deformed = model.generator.deform(&source, &motion);
            let images = [source, driving, deformed, decoded.prediction, decoded.painted].map(values);
            let [source, driving, _, output, _] = &images;
            repeated.push(psnr(source, driving, source));
            reconstructed.push(psnr(source, driving, output));
            detail.push(sharpness(source, driving, output, size));
            if index == subject % moving.len() {
                let mut tiles: Vec<_> = images.iter().map(|image| rgba(image)).collect();
                tiles.push(flow_to_rgba(&values(motion.flow), grid, size));
                tiles.push(occlusion_to_rgba(&values(motion.occlusion), grid, size));
                sheet.push(&data.labels()[clip.label()], tiles);
            }
        }
    }
    sheet.save(path)?;
    let (repeated, reconstructed) = (Score::mean(&repeated), Score::mean(&reconstructed));
    let moving = |score: &Score| score.moving.unwrap_or(f64::NAN);
    Ok(vec![
        ("psnr", reconstructed.frame),
        ("psnr_moving", moving(&reconstructed)),
        ("psnr_repeat", repeated.frame),
        ("psnr_repeat_moving", moving(&repeated)),
        ("sharpness_moving", moving(&Score::mean(&detail))),
    ])
}

fn values(image: Tensor<4>) -> Vec<f32> {
    image.into_data().iter::<f32>().collect()
}

/// Planar RGB in [0, 1] as opaque RGBA bytes.
fn rgba(planar: &[f32]) -> Vec<u8> {
    let plane = planar.len() / 3;
    let byte = |value: f32| (value.clamp(0.0, 1.0) * 255.0).round() as u8;
    (0..plane).flat_map(|i| [byte(planar[i]), byte(planar[i + plane]), byte(planar[i + 2 * plane]), 255]).collect()
}
