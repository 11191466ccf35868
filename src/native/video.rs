//! Clips on the host, wherever they come from: data, auto-encoder or diffusion model.

use rayon::prelude::*;

use super::metrics::mean;
use crate::portrait::resample_rgb;

/// Frames of one square size.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Video {
    size: usize,
    /// `[frames, 3, size, size]`, RGB in `[0, 1]`.
    pixels: Vec<f32>,
}

impl Video {
    /// A clip of square frames.
    ///
    /// # Shapes
    ///
    /// - `pixels`: `[frames, 3, size, size]`, RGB in `[0, 1]`
    pub(crate) fn new(size: usize, pixels: Vec<f32>) -> Self {
        debug_assert!(!pixels.is_empty() && pixels.len().is_multiple_of(3 * size * size));
        Self { size, pixels }
    }

    /// One frame, repeated.
    pub(crate) fn still(size: usize, frame: &[f32], frames: usize) -> Self {
        Self::new(size, frame.repeat(frames))
    }

    /// A clip of frames in opaque RGBA bytes.
    pub(crate) fn from_rgba<'a>(size: usize, frames: impl Iterator<Item = &'a [u8]>) -> Self {
        let planes = |rgba: &'a [u8]| {
            (0..3).flat_map(move |channel| rgba.iter().skip(channel).step_by(4).map(|&byte| f32::from(byte) / 255.0))
        };
        Self::new(size, frames.flat_map(planes).collect())
    }

    /// Pixels of a side.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Number of frames.
    pub(crate) fn len(&self) -> usize {
        self.pixels.len() / self.frame_len()
    }

    /// `[frames, 3, size, size]`, RGB in `[0, 1]`
    pub(crate) fn pixels(&self) -> &[f32] {
        &self.pixels
    }

    /// `[3, size, size]`
    pub(crate) fn frame(&self, index: usize) -> &[f32] {
        &self.pixels[index * self.frame_len()..][..self.frame_len()]
    }

    /// `[3, size, size]` of each frame.
    pub(crate) fn frames(&self) -> impl Iterator<Item = &[f32]> {
        self.pixels.chunks_exact(self.frame_len())
    }

    /// Every frame at another size: area means where it shrinks, bilinear where it grows.
    ///
    /// # Shapes
    ///
    /// - returns `[frames, 3, height, width]`
    pub(crate) fn resized(&self, to: [usize; 2]) -> Vec<f32> {
        let size = self.size;
        if [size; 2] == to {
            return self.pixels.clone();
        }
        let resized = |frame: &[f32]| {
            resample_rgb([size; 2], to, |y, row| {
                for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
                    for (channel, value) in pixel.iter_mut().enumerate() {
                        *value = frame[(channel * size + y) * size + x];
                    }
                }
            })
        };
        self.pixels.par_chunks_exact(self.frame_len()).flat_map_iter(resized).collect()
    }

    /// Mean absolute difference, of 255, over the frames that both have.
    pub(crate) fn distance(&self, other: &Self) -> f64 {
        let differences: Vec<f64> = self.frames().zip(other.frames()).map(|(a, b)| distance(a, b)).collect();
        mean(&differences)
    }

    fn frame_len(&self) -> usize {
        3 * self.size * self.size
    }
}

/// Mean absolute difference, of 255.
fn distance(a: &[f32], b: &[f32]) -> f64 {
    255.0 * a.iter().zip(b).map(|(a, b)| f64::from((a - b).abs())).sum::<f64>() / a.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_planes() {
        let rgba: Vec<u8> = [[255, 0, 51, 255], [0, 255, 51, 255], [0, 0, 51, 255], [0, 0, 51, 255]].concat();
        let video = Video::from_rgba(2, [rgba.as_slice(), &rgba].into_iter());
        assert_eq!((video.len(), video.size()), (2, 2));
        assert_eq!(video.frame(1), [1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.2, 0.2, 0.2, 0.2]);
        assert_eq!(video, Video::still(2, video.frame(0), 2));
        assert_eq!(video.resized([1, 1]), [0.25, 0.25, 0.2, 0.25, 0.25, 0.2]);
    }

    #[test]
    fn the_distance_is_a_mean_over_common_frames() {
        let black = Video::new(1, vec![0.0; 6]);
        let brighter = Video::new(1, [[0.0; 3], [0.2; 3], [1.0; 3]].concat());
        assert!((black.distance(&brighter) - 25.5).abs() < 1e-5);
        assert_eq!(brighter.distance(&brighter), 0.0);
    }
}
