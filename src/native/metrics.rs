//! How close a picture comes to another.

/// A pixel moves when its channels differ by more than this on average.
const MOVING: f32 = 8.0 / 255.0;

/// PSNR in dB over a frame, and over those of its pixels that move.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub(crate) struct Psnr {
    pub frame: f64,
    /// Over pixels whose mean absolute difference between source and target, over RGB, exceeds 8 of 255. A frame without any
    /// has none.
    pub moving: Option<f64>,
}

impl Psnr {
    /// # Shapes
    ///
    /// All `[3, height, width]` in `[0, 1]`: the frame that everything starts from, the frame to be met, and the attempt.
    pub(crate) fn of(source: &[f32], target: &[f32], output: &[f32]) -> Self {
        let area = target.len() / 3;
        let (mut all, mut moving, mut moved) = (0.0, 0.0, 0usize);
        for place in 0..area {
            let channels = [place, place + area, place + 2 * area];
            let error: f64 = channels.iter().map(|&i| f64::from(output[i] - target[i]).powi(2)).sum();
            let change: f32 = channels.iter().map(|&i| (source[i] - target[i]).abs()).sum();
            all += error;
            if change / 3.0 > MOVING {
                moving += error;
                moved += 3;
            }
        }
        Self { frame: decibel(all / (3 * area) as f64), moving: (moved > 0).then(|| decibel(moving / moved as f64)) }
    }

    /// The mean of the values, not the value of the mean error: every frame counts the same.
    pub(crate) fn mean(values: &[Self]) -> Self {
        let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
        let moving: Vec<f64> = values.iter().filter_map(|psnr| psnr.moving).collect();
        Self {
            frame: mean(values.iter().map(|psnr| psnr.frame).collect()),
            moving: (!moving.is_empty()).then(|| mean(moving)),
        }
    }
}

impl std::fmt::Display for Psnr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.moving {
            Some(moving) => write!(f, "{:.2} / {moving:.2} dB", self.frame),
            None => write!(f, "{:.2} dB, nothing moves", self.frame),
        }
    }
}

/// Identical pictures are put at 100 dB, so that a mean stays finite.
fn decibel(mean_square: f64) -> f64 {
    -10.0 * mean_square.max(1e-10).log10()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moving_pixels_are_counted_alone() {
        // Four pixels; the last changes by 0.2 in every channel, the third by 0.09 in one, which is 0.03 on average.
        let source = [0.5; 12];
        let mut target = source;
        (target[3], target[7], target[11]) = (0.7, 0.7, 0.7);
        target[2] = 0.59;
        let psnr = Psnr::of(&source, &target, &source);
        assert!((psnr.moving.unwrap() - 10.0 * (1.0f64 / 0.04).log10()).abs() < 1e-4);
        assert!((psnr.frame - 10.0 * (12.0f64 / (3.0 * 0.04 + 0.0081)).log10()).abs() < 1e-4);
        assert_eq!(Psnr::of(&source, &source, &source), Psnr { frame: 100.0, moving: None });
    }
}
