//! A video at the photo's own resolution.
//!
//! Flow has no resolution: enlarged, it warps the photo itself, and every pore and hair moves with it. Where
//! the occlusion says that warping cannot know the content, as in an opening mouth, the decoder's enlarged
//! pixels replace it. Toward its border the video fades into the still photo, so that it can be laid over the
//! picture it was cut from.

use burn::tensor::{Device, Tensor, TensorData};

use crate::{kernels::PhotoBlend, lfae::Decoded, motion::Motion, portrait::Portrait};

/// Width of the fade at the border, as a share of the side.
const FEATHER: f64 = 0.1;
/// Flow and occlusion are enlarged smoothly by this factor before the warp enlarges them on.
const SMOOTH: usize = 4;

/// A photo on its device, ready to be warped.
#[derive(Debug, Clone)]
pub struct PhotoWarp(PhotoBlend);

impl PhotoWarp {
    /// Prepares `photo`, which shows the same crop as the portrait that the motion is made for, at any size. `grid` is
    /// the size of the motion.
    pub fn new(photo: &Portrait, grid: [usize; 2], device: &Device) -> Self {
        let [height, width] = photo.size();
        let pixels = TensorData::new(photo.pixels().to_vec(), [1, 3, height, width]);
        let fade = |length: usize| {
            let inside = move |i: usize| (i as f64 + 0.5).min((length - i) as f64 - 0.5) / (FEATHER * length as f64);
            (0..length).map(move |i| smooth_step(inside(i).min(1.0)))
        };
        let feather: Vec<f64> = fade(height).flat_map(|row| fade(width).map(move |column| row * column)).collect();
        Self(PhotoBlend {
            photo: Tensor::from_data(pixels, device),
            feather: Tensor::from_data(TensorData::new(feather, [1, 1, height, width]), device),
            smooth: [(SMOOTH * grid[0]).min(height), (SMOOTH * grid[1]).min(width)],
        })
    }

    /// Numbers of a frame.
    pub(crate) fn values(&self) -> usize {
        self.0.photo.dims().iter().product()
    }

    /// The frames of a motion.
    ///
    /// # Shapes
    /// - `motion`: of some frames
    /// - `decoded`: those frames
    /// - returns `[frames, 3, height, width]` in [0, 1], of the photo's size
    pub fn frames(&self, motion: &Motion, decoded: &Decoded) -> Tensor<4> {
        self.0.forward(&motion.flow, &decoded.occlusion, &decoded.prediction)
    }
}

/// From 0 to 1 without a crease at either end.
fn smooth_step(x: f64) -> f64 {
    x * x * (3.0 - 2.0 * x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::pixel_grid;

    /// A picture of vertical stripes, `period` pixels each pair.
    fn stripes(side: usize, period: usize) -> Portrait {
        let pixel = |i: usize| {
            let value = if (i % side) % period < period / 2 { 230 } else { 20 };
            [value, value, value, 255]
        };
        let rgba: Vec<u8> = (0..side * side).flat_map(pixel).collect();
        Portrait::from_rgba(side, side, &rgba, [side; 2]).unwrap()
    }

    fn motion(shift: f32, occlusion: f32, device: &Device) -> Motion {
        let shift = Tensor::<1>::from_floats([shift, 0.0], device).reshape([1, 1, 1, 2]);
        Motion {
            flow: pixel_grid([8, 8], device).unsqueeze::<4>() + shift,
            occlusion: Tensor::full([1, 1, 8, 8], occlusion, device),
        }
    }

    /// A frame of one grey.
    fn decoded(grey: f32, occlusion: Tensor<4>) -> Decoded {
        let frame = Tensor::full([1, 3, 32, 32], grey, &occlusion.device());
        Decoded { prediction: frame.clone(), painted: frame, occlusion }
    }

    fn distance(a: Tensor<4>, b: Tensor<4>) -> f32 {
        (a - b).abs().max().into_scalar()
    }

    #[test]
    fn rest_is_the_photo_and_motion_moves_its_finest_lines() {
        let device = Device::flex();
        let warp = PhotoWarp::new(&stripes(128, 8), [8; 2], &device);
        let frame = |shift: f32| {
            let motion = motion(shift, 1.0, &device);
            warp.frames(&motion, &decoded(0.5, motion.occlusion.clone()))
        };
        let still = frame(0.0);
        assert!(distance(still, warp.0.photo.clone()) < 1e-3);

        // Half a period to the left: light and dark change places, as sharp as before, but not on the border.
        let moved = frame(2.0 * 4.0 / 128.0);
        let inside = |x: &Tensor<4>| x.clone().slice([0..1, 0..3, 32..96, 32..96]);
        let other = warp.0.photo.clone().neg() + (230.0 + 20.0) / 255.0;
        assert!(distance(inside(&moved), inside(&other)) < 1e-3);
        let border = |x: &Tensor<4>| x.clone().slice([0..1, 0..3, 0..128, 0..1]);
        assert!(distance(border(&moved), border(&warp.0.photo)) < 0.02);
    }

    #[test]
    fn the_decoder_paints_where_warping_cannot_know() {
        let device = Device::flex();
        let warp = PhotoWarp::new(&stripes(64, 8), [8; 2], &device);
        // By the cells of the motion, or by the pixels of the decoder, whose word counts.
        for (of_motion, of_decoder, cells) in [(0.2, 0.2, 8), (0.9, 0.2, 32)] {
            let occlusion = Tensor::full([1, 1, cells, cells], of_decoder, &device);
            let frame = warp.frames(&motion(0.0, of_motion, &device), &decoded(0.25, occlusion));
            let inside = frame.slice([0..1, 0..3, 16..48, 16..48]);
            assert!(distance(inside.clone(), inside.full_like(0.25)) < 1e-3);
        }
    }
}
