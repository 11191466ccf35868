//! Pictures of what a model does, for people who watch a training.

use std::path::Path;

use anyhow::{Context, Result};
use burn::tensor::{Device, Tensor, TensorData};
use image::{Rgb, RgbImage};

use crate::lfae::LatentFlowAutoencoder;
use crate::native::data::FacesDataset;

/// Pictures are enlarged by this.
const ZOOM: usize = 2;
/// People in a preview; the figures beside it are of them only.
const PEOPLE: usize = 8;

/// Reconstructs the apex frames of the first people of `data`, writes a sheet of source, driving, warped, output, painting and occlusion,
/// and returns PSNRs: over the frame, and over the pixels that move by more than 8 of 255.
pub(crate) fn reconstructions(model: &LatentFlowAutoencoder, data: &FacesDataset, path: &Path) -> Result<String> {
    let (size, apex) = (data.size(), data.apex_frame());
    let device = Device::flex();
    let image = |values: Vec<f32>| Tensor::<4>::from_data(TensorData::new(values, [1, 3, size, size]), &device);
    let (mut rows, mut scores) = (Vec::new(), Vec::new());
    for subject in 0..data.len().min(PEOPLE) {
        for label in 1..data.labels().len() {
            let source = image(data.frame(subject, label, 0));
            let driving = image(data.frame(subject, label, apex));
            let motion = model.estimate_motion(source.clone(), driving.clone());
            let decoded = model.decode(source.clone(), &model.encode(source.clone()), &motion);
            let [before, target, output] = [&source, &driving, &decoded.prediction].map(pixels);
            scores.push((psnr(&before, &before, &target), psnr(&before, &output, &target)));
            if label == 1 + subject % (data.labels().len() - 1) {
                let occlusion = crate::tensor::resize(motion.occlusion, [size, size]).repeat_dim(1, 3);
                let row = [&source, &driving, &decoded.deformed, &decoded.prediction, &decoded.painted, &occlusion];
                rows.push(row.map(pixels));
            }
        }
    }
    sheet(&rows, size).save(path).with_context(|| format!("cannot write {}", path.display()))?;
    let mean = |pick: fn(&((f64, f64), (f64, f64))) -> f64| scores.iter().map(pick).sum::<f64>() / scores.len() as f64;
    Ok(format!(
        "apex PSNR {:.2} / {:.2} dB over frame / moving pixels; repeating frame 0 gives {:.2} / {:.2}",
        mean(|score| score.1.0),
        mean(|score| score.1.1),
        mean(|score| score.0.0),
        mean(|score| score.0.1)
    ))
}

fn pixels(image: &Tensor<4>) -> Vec<f32> {
    image.clone().into_data().iter::<f32>().collect()
}

/// PSNR of `output` against `target`, over all pixels and over those that differ between `before` and `target`.
fn psnr(before: &[f32], output: &[f32], target: &[f32]) -> (f64, f64) {
    let plane = target.len() / 3;
    let (mut all, mut moving, mut count) = (0.0, 0.0, 0usize);
    for place in 0..plane {
        let channels = [place, place + plane, place + 2 * plane];
        let error: f64 = channels.iter().map(|&i| f64::from(output[i] - target[i]).powi(2)).sum();
        all += error;
        if channels.iter().any(|&i| (before[i] - target[i]).abs() > 8.0 / 255.0) {
            moving += error;
            count += 3;
        }
    }
    let decibel = |error: f64| -10.0 * error.max(1e-10).log10();
    (decibel(all / target.len() as f64), decibel(moving / count.max(1) as f64))
}

/// Planar RGB tiles of `size` x `size`, one row of the picture each.
fn sheet<const N: usize>(rows: &[[Vec<f32>; N]], size: usize) -> RgbImage {
    let mut picture = RgbImage::new((N * size * ZOOM) as u32, (rows.len() * size * ZOOM) as u32);
    for (x, y, pixel) in picture.enumerate_pixels_mut() {
        let (x, y) = (x as usize / ZOOM, y as usize / ZOOM);
        let tile = &rows[y / size][x / size];
        let at = |channel: usize| (tile[(channel * size + y % size) * size + x % size].clamp(0.0, 1.0) * 255.0) as u8;
        *pixel = Rgb([at(0), at(1), at(2)]);
    }
    picture
}
