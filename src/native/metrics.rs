//! How close one picture comes to another: PSNR, SSIM, L1 and sharpness.

use serde::Serialize;

/// A pixel moves when its channels differ by more than this on average.
const MOVING: f32 = 8.0 / 255.0;

/// The structural similarity's Gaussian window.
const WINDOW: usize = 11;
const SIGMA: f64 = 1.5;
/// Its constants for values in `[0, 1]`.
const C1: f64 = 0.01 * 0.01;
const C2: f64 = 0.03 * 0.03;

/// A figure over a whole frame, and over its moving pixels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Score {
    pub(crate) frame: f64,
    /// Over pixels whose mean absolute difference between source and target, over RGB, exceeds 8 of
    /// 255; `None` for a frame where nothing moves.
    pub(crate) moving: Option<f64>,
}

/// How close a frame comes to its target.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Fidelity {
    /// In dB, over RGB.
    pub(crate) psnr: Score,
    /// Structural similarity of the luma: see [`ssim`].
    pub(crate) ssim: Score,
    /// Mean absolute difference over RGB, of 255.
    pub(crate) l1: Score,
    /// Detail relative to the target's: see [`sharpness`].
    pub(crate) sharpness: Score,
}

impl Score {
    /// The mean of the scores, not the score of the mean error: every frame counts the same.
    /// The arithmetic mean.
    pub(crate) fn mean(values: &[Self]) -> Self {
        let frames: Vec<f64> = values.iter().map(|score| score.frame).collect();
        let moving: Vec<f64> = values.iter().filter_map(|score| score.moving).collect();
        Self { frame: mean(&frames), moving: mean_if_any(&moving) }
    }
}

impl Fidelity {
    /// # Shapes
    ///
    /// - `source`, `target`, `output`: `[3, height, width]` in `[0, 1]`: the frame that everything
    ///   starts from, the frame to be met, and the attempt
    /// - `size`: `[height, width]`, at least 11 each
    pub(crate) fn of(source: &[f32], target: &[f32], output: &[f32], size: [usize; 2]) -> Self {
        Self {
            psnr: psnr(source, target, output),
            ssim: ssim(source, target, output, size),
            l1: l1(source, target, output),
            sharpness: sharpness(source, target, output, size),
        }
    }

    /// The mean of every figure.
    pub(crate) fn mean(values: &[Self]) -> Self {
        let mean = |score: fn(&Self) -> Score| Score::mean(&values.iter().map(score).collect::<Vec<_>>());
        Self {
            psnr: mean(|value| value.psnr),
            ssim: mean(|value| value.ssim),
            l1: mean(|value| value.l1),
            sharpness: mean(|value| value.sharpness),
        }
    }
}

/// Peak signal-to-noise ratio in dB, over RGB.
///
/// # Shapes
///
/// As for [`Fidelity::of`].
pub(crate) fn psnr(source: &[f32], target: &[f32], output: &[f32]) -> Score {
    let squares = over_channels(target, output, |difference| difference * difference);
    let Score { frame, moving } = score(&squares, &moving(source, target));
    Score { frame: decibel(frame), moving: moving.map(decibel) }
}

/// Mean absolute difference over RGB, of 255.
fn l1(source: &[f32], target: &[f32], output: &[f32]) -> Score {
    score(&over_channels(target, output, |difference| 255.0 * difference.abs()), &moving(source, target))
}

/// Mean structural similarity (Wang et al. 2004, Sec. III): Gaussian windows of 11x11 pixels and a
/// deviation of 1.5, of the luma (BT.601), where the whole window lies within the picture. A window
/// moves when the pixel in its middle does.
///
/// # Shapes
///
/// As for [`Fidelity::of`].
fn ssim(source: &[f32], target: &[f32], output: &[f32], [height, width]: [usize; 2]) -> Score {
    let blurred = |values: Vec<f64>| blur(&values, [height, width]);
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).collect::<Vec<_>>();
    let (x, y) = (luma(target), luma(output));
    let [xx, yy, xy] = [product(&x, &x), product(&y, &y), product(&x, &y)].map(blurred);
    let [x, y] = [x, y].map(blurred);
    let similarity: Vec<f64> = (0..x.len())
        .map(|i| {
            let (mean_x, mean_y) = (x[i], y[i]);
            let variances = xx[i] - mean_x * mean_x + yy[i] - mean_y * mean_y;
            let covariance = xy[i] - mean_x * mean_y;
            (2.0 * mean_x * mean_y + C1) * (2.0 * covariance + C2)
                / ((mean_x * mean_x + mean_y * mean_y + C1) * (variances + C2))
        })
        .collect();
    let margin = WINDOW / 2;
    let moving = moving(source, target);
    let middles: Vec<bool> = (margin..height - margin)
        .flat_map(|y| &moving[y * width + margin..(y + 1) * width - margin])
        .copied()
        .collect();
    score(&similarity, &middles)
}

/// Mean magnitude of the luma's Laplacian (4 neighbours) relative to the target's: 1 is as sharp,
/// less is blurred, more is noisy. The outermost pixels do not count. It ignores whether detail is
/// in its place: moving a frame leaves it as sharp.
///
/// # Shapes
///
/// As for [`Fidelity::of`].
pub(crate) fn sharpness(source: &[f32], target: &[f32], output: &[f32], size @ [height, width]: [usize; 2]) -> Score {
    /// Added to both, so that two flat pictures are equally sharp.
    const FLAT: f64 = 1e-6;
    let moving = moving(source, target);
    let inner: Vec<bool> = (1..height - 1).flat_map(|y| &moving[y * width + 1..(y + 1) * width - 1]).copied().collect();
    let [target, output] = [target, output].map(|image| score(&laplacian(&luma(image), size), &inner));
    let ratio = |output: f64, target: f64| (output + FLAT) / (target + FLAT);
    Score {
        frame: ratio(output.frame, target.frame),
        moving: output.moving.zip(target.moving).map(|(output, target)| ratio(output, target)),
    }
}

/// Magnitudes of the Laplacian where all four neighbours lie within the picture: `[height - 2,
/// width - 2]`.
fn laplacian(values: &[f64], [height, width]: [usize; 2]) -> Vec<f64> {
    let at = |i: usize| (4.0 * values[i] - values[i - 1] - values[i + 1] - values[i - width] - values[i + width]).abs();
    (1..height - 1).flat_map(|y| y * width + 1..(y + 1) * width - 1).map(at).collect()
}

/// Means over Gaussian windows that lie within the picture: `[height - 10, width - 10]`.
fn blur(values: &[f64], [height, width]: [usize; 2]) -> Vec<f64> {
    let kernel = gaussian();
    let columns = width + 1 - WINDOW;
    let rows: Vec<f64> = (0..height)
        .flat_map(|y| (0..columns).map(move |x| y * width + x))
        .map(|start| kernel.iter().zip(&values[start..]).map(|(weight, value)| weight * value).sum())
        .collect();
    (0..(height + 1 - WINDOW) * columns)
        .map(|start| {
            kernel.iter().zip(rows[start..].iter().step_by(columns)).map(|(weight, value)| weight * value).sum()
        })
        .collect()
}

fn gaussian() -> [f64; WINDOW] {
    let middle = (WINDOW / 2) as f64;
    let kernel: [f64; WINDOW] = std::array::from_fn(|i| (-0.5 * ((i as f64 - middle) / SIGMA).powi(2)).exp());
    let total: f64 = kernel.iter().sum();
    kernel.map(|weight| weight / total)
}

/// The luma (BT.601) of an image, `[height, width]`.
fn luma(image: &[f32]) -> Vec<f64> {
    let area = image.len() / 3;
    let at = |i: usize| f64::from(image[i]);
    (0..area).map(|i| 0.299 * at(i) + 0.587 * at(i + area) + 0.114 * at(i + 2 * area)).collect()
}

/// Which pixels move between source and target, `[height, width]`.
fn moving(source: &[f32], target: &[f32]) -> Vec<bool> {
    let area = target.len() / 3;
    (0..area)
        .map(|place| {
            let change: f32 = [0, area, 2 * area].iter().map(|i| (source[place + i] - target[place + i]).abs()).sum();
            change / 3.0 > MOVING
        })
        .collect()
}

/// A function of the differences, averaged over RGB: `[height, width]`.
fn over_channels(target: &[f32], output: &[f32], function: impl Fn(f64) -> f64) -> Vec<f64> {
    let area = target.len() / 3;
    let at = |i: usize| function(f64::from(output[i] - target[i]));
    (0..area).map(|i| (at(i) + at(i + area) + at(i + 2 * area)) / 3.0).collect()
}

/// The mean of a map over all pixels, and over the moving ones.
fn score(map: &[f64], moving: &[bool]) -> Score {
    let moved: Vec<f64> = map.iter().zip(moving).filter(|(_, moving)| **moving).map(|(value, _)| *value).collect();
    Score { frame: mean(map), moving: mean_if_any(&moved) }
}

pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The arithmetic mean; `None` of no values.
pub(crate) fn mean_if_any(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| mean(values))
}

/// A mean square error in dB; identical pictures have 100 dB, so that means stay finite.
fn decibel(mean_square: f64) -> f64 {
    -10.0 * mean_square.max(1e-10).log10()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moving_pixels_are_counted_alone() {
        // Four pixels; the last changes by 0.2 in every channel, the third by 0.09 in one, which is
        // 0.03 on average.
        let source = [0.5; 12];
        let mut target = source;
        (target[3], target[7], target[11]) = (0.7, 0.7, 0.7);
        target[2] = 0.59;
        let found = psnr(&source, &target, &source);
        assert!((found.moving.unwrap() - 10.0 * (1.0f64 / 0.04).log10()).abs() < 1e-4);
        assert!((found.frame - 10.0 * (12.0f64 / (3.0 * 0.04 + 0.0081)).log10()).abs() < 1e-4);
        assert_eq!(psnr(&source, &source, &source), Score { frame: 100.0, moving: None });

        let found = l1(&source, &target, &source);
        assert!((found.moving.unwrap() - 255.0 * 0.2).abs() < 1e-4);
        assert!((found.frame - 255.0 * (3.0 * 0.2 + 0.09) / 12.0).abs() < 1e-4);
    }

    #[test]
    fn equal_pictures_are_as_similar_as_can_be() {
        let size = [13, 17];
        let image: Vec<f32> = (0..3 * 13 * 17).map(|i| (i * 37 % 101) as f32 / 100.0).collect();
        let found = ssim(&[0.0; 3 * 13 * 17], &image, &image, size);
        assert!((found.frame - 1.0).abs() < 1e-12 && (found.moving.unwrap() - 1.0).abs() < 1e-12);
        assert!(ssim(&image, &image, &image.iter().map(|value| 1.0 - value).collect::<Vec<_>>(), size).frame < 0.0);
    }

    #[test]
    fn sharpness_is_detail_relative_to_the_target() {
        let size = [12, 16];
        let target: Vec<f32> = (0..3 * 12 * 16).map(|i| (i * 37 % 101) as f32 / 100.0).collect();
        let (black, white) = (vec![0.0; target.len()], vec![1.0; target.len()]);
        let of = |output: &[f32]| sharpness(&white, &target, output, size);
        let same = of(&target);
        assert!((same.frame - 1.0).abs() < 1e-9 && (same.moving.unwrap() - 1.0).abs() < 1e-9);
        let half: Vec<f32> = target.iter().map(|value| 0.3 + 0.5 * value).collect();
        assert!((of(&half).frame - 0.5).abs() < 1e-4);
        assert!(of(&black).frame < 1e-4);
        assert_eq!(sharpness(&black, &black, &black, size), Score { frame: 1.0, moving: None });
    }

    #[test]
    fn similarity_follows_its_formula() {
        // Flat pictures have no structure: the luminance term is left.
        let flat = |value: f32| vec![value; 3 * 121];
        let found = ssim(&flat(0.0), &flat(0.25), &flat(0.75), [11, 11]);
        assert!((found.frame - (2.0 * 0.1875 + C1) / (0.0625 + 0.5625 + C1)).abs() < 1e-9);

        // One white pixel in the middle against black: its weight is the mean, and nearly the variance.
        let mut dot = flat(0.0);
        for channel in 0..3 {
            dot[channel * 121 + 60] = 1.0;
        }
        let total: f64 = (-5..=5).map(|i| (-f64::from(i * i) / 4.5).exp()).sum();
        let weight = (1.0 / total).powi(2);
        let expected = C1 * C2 / ((weight * weight + C1) * (weight - weight * weight + C2));
        let found = ssim(&flat(0.0), &dot, &flat(0.0), [11, 11]);
        assert!((found.frame - expected).abs() < 1e-9, "{} {expected}", found.frame);
        assert_eq!(found.moving, Some(found.frame), "the only window moves");
    }
}
