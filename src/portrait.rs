//! The reference image, brought to the model's size the same way on every platform.

use thiserror::Error;

/// Most pixels of a portrait: decoded, 100 megapixels are already 400 MB.
pub const MAX_PIXELS: u64 = 100_000_000;

/// Shortest side of a portrait, in pixels: a smaller one shows too little of a face to animate.
pub const MIN_SIDE: usize = 16;

/// An image that cannot be a reference.
#[derive(Debug, Error, PartialEq)]
pub enum PortraitError {
    /// A side is shorter than [`MIN_SIDE`].
    #[error("the image is {width}x{height} pixels; each side must have at least {MIN_SIDE}")]
    TooSmall {
        /// In pixels.
        width: usize,
        /// In pixels.
        height: usize,
    },
    /// It has more than [`MAX_PIXELS`].
    #[error("the image is {width}x{height} pixels, more than 100 megapixels; save a smaller copy and use that")]
    TooLarge {
        /// In pixels.
        width: usize,
        /// In pixels.
        height: usize,
    },
    /// The buffer does not match the size.
    #[error("the pixel buffer holds {found} bytes, but {width}x{height} RGBA pixels take {expected}")]
    BufferSize {
        /// In pixels.
        width: usize,
        /// In pixels.
        height: usize,
        /// Bytes of the buffer.
        found: usize,
        /// Bytes of that many RGBA pixels.
        expected: usize,
    },
}

/// A reference image of the model's size: planar RGB in `[0, 1]`.
///
/// ```
/// use lfdm::portrait::Portrait;
///
/// // A red picture, wider than high: its middle is what the model sees.
/// let rgba = [255, 0, 0, 255].repeat(40 * 20);
/// let portrait = Portrait::from_rgba(40, 20, &rgba, [16, 16])?;
/// assert_eq!(portrait.size(), [16, 16]);
/// assert_eq!(portrait.to_rgba()[..4], [255, 0, 0, 255]);
/// # Ok::<(), lfdm::portrait::PortraitError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Portrait {
    size: [usize; 2],
    pixels: Vec<f32>,
}

impl Portrait {
    /// The largest centred crop of the model's aspect ratio, area-averaged (or bilinearly enlarged) to its size.
    ///
    /// Transparent parts become white, as on a page. Pixels are averaged as stored (sRGB), like the training data.
    ///
    /// # Shapes
    /// - `rgba`: `width * height * 4` bytes, rows from the top, straight (not premultiplied) alpha
    /// - `size`: `[height, width]` of the result
    ///
    /// # Errors
    /// [`PortraitError`] for an image that is too small or too large, or a buffer of another size.
    pub fn from_rgba(width: usize, height: usize, rgba: &[u8], size: [usize; 2]) -> Result<Self, PortraitError> {
        if width < MIN_SIDE || height < MIN_SIDE {
            return Err(PortraitError::TooSmall { width, height });
        }
        if width as u64 * height as u64 > MAX_PIXELS {
            return Err(PortraitError::TooLarge { width, height });
        }
        let expected = width * height * 4;
        if rgba.len() != expected {
            return Err(PortraitError::BufferSize { width, height, found: rgba.len(), expected });
        }

        let [crop_height, crop_width] = crop([height, width], size);
        let (top, left) = ((height - crop_height) / 2, (width - crop_width) / 2);
        let mut pixels = resample_rgb([crop_height, crop_width], size, |y, row| {
            let start = ((top + y) * width + left) * 4;
            let source = rgba[start..start + crop_width * 4].chunks_exact(4);
            for (target, pixel) in row.chunks_exact_mut(3).zip(source) {
                let alpha = f32::from(pixel[3]);
                for (value, &channel) in target.iter_mut().zip(pixel) {
                    *value = (f32::from(channel) * alpha / 255.0 + (255.0 - alpha)) / 255.0;
                }
            }
        });
        // The weights of a pixel may add up to a little more than 1.
        for value in &mut pixels {
            *value = value.min(1.0);
        }
        Ok(Self { size, pixels })
    }

    /// The crop that [`from_rgba`](Self::from_rgba) takes for a model of `size`, at its own resolution, or
    /// smaller if a side is longer than `max_side` pixels.
    ///
    /// # Shapes
    /// - as for [`from_rgba`](Self::from_rgba)
    ///
    /// # Errors
    /// As for [`from_rgba`](Self::from_rgba).
    pub fn at_photo_size(
        width: usize,
        height: usize,
        rgba: &[u8],
        size: [usize; 2],
        max_side: usize,
    ) -> Result<Self, PortraitError> {
        let sides = crop([height, width], size);
        let longest = sides[0].max(sides[1]).max(1);
        let scale = max_side.min(longest) as f64 / longest as f64;
        Self::from_rgba(width, height, rgba, sides.map(|side| ((side as f64 * scale).round() as usize).max(1)))
    }

    /// Nobody.
    #[cfg(feature = "gpu")]
    pub(crate) fn grey(size: [usize; 2]) -> Self {
        Self { size, pixels: vec![0.5; 3 * size[0] * size[1]] }
    }

    /// `[height, width]`.
    pub fn size(&self) -> [usize; 2] {
        self.size
    }

    /// The pixels.
    ///
    /// # Shapes
    /// `[3, height, width]`, RGB in `[0, 1]`.
    pub fn pixels(&self) -> &[f32] {
        &self.pixels
    }

    /// The pixels as `height * width * 4` RGBA bytes, opaque.
    pub fn to_rgba(&self) -> Vec<u8> {
        planar_to_rgba(&self.pixels)
    }
}

/// Planar colours as bytes.
///
/// # Shapes
/// - `pixels`: `[3, height, width]`, RGB; values outside `[0, 1]` are clamped
/// - returns `height * width * 4` bytes, opaque
pub(crate) fn planar_to_rgba(pixels: &[f32]) -> Vec<u8> {
    let area = pixels.len() / 3;
    let (red, rest) = pixels.split_at(area);
    let (green, blue) = rest.split_at(area);
    red.iter().zip(green).zip(blue).flat_map(|((&r, &g), &b)| [to_byte(r), to_byte(g), to_byte(b), 255]).collect()
}

/// `[0, 1]` to `0..=255`, rounded; NaN becomes 0.
pub(crate) fn to_byte(value: f32) -> u8 {
    (value * 255.0 + 0.5) as u8
}

/// Resamples an RGB image: the exact area average where an axis shrinks, bilinear where it grows.
///
/// It asks for one row at a time, so a large photo is never held as floats.
///
/// # Shapes
/// - `from`, `to`: `[height, width]`
/// - `read_row`: fills a row of `width * 3` interleaved values
/// - returns `[3, height, width]`, planar
pub(crate) fn resample_rgb(from: [usize; 2], to: [usize; 2], read_row: impl Fn(usize, &mut [f32])) -> Vec<f32> {
    let [height, width] = to;
    let area = height * width;
    let columns: Vec<_> = (0..width).map(|x| taps(x, from[1], width)).collect();
    let mut source = vec![0.0; from[1] * 3];
    let mut row = vec![0.0; width * 3];
    let mut pixels = vec![0.0; area * 3];

    for y in 0..height {
        row.fill(0.0);
        for (source_y, row_weight) in taps(y, from[0], height) {
            read_row(source_y, &mut source);
            for (target, column) in row.chunks_exact_mut(3).zip(&columns) {
                for &(source_x, weight) in column {
                    for (value, sample) in target.iter_mut().zip(&source[source_x * 3..]) {
                        *value += row_weight * weight * sample;
                    }
                }
            }
        }
        for (x, pixel) in row.chunks_exact(3).enumerate() {
            for (channel, &value) in pixel.iter().enumerate() {
                pixels[channel * area + y * width + x] = value;
            }
        }
    }
    pixels
}

/// Source positions and weights (sum 1) of output sample `index` when an axis of `from` samples becomes one of `to`.
///
/// Where an axis shrinks, both are laid out on its `from * to` smallest common parts, so that no rounding can leave a
/// sample without sources.
fn taps(index: usize, from: usize, to: usize) -> Vec<(usize, f32)> {
    if from >= to {
        // Products of two sides pass the 32 bits that `usize` has in a page.
        let [index, from, to] = [index, from, to].map(|value| value as u64);
        let (start, end) = (index * from, (index + 1) * from);
        (start / to..end.div_ceil(to))
            .map(|i| (i as usize, end.min((i + 1) * to) - start.max(i * to)))
            .map(|(i, overlap)| (i, (overlap as f64 / from as f64) as f32))
            .collect()
    } else {
        let centre = ((index as f64 + 0.5) * (from as f64 / to as f64) - 0.5).clamp(0.0, (from - 1) as f64);
        let (low, fraction) = (centre as usize, centre.fract() as f32);
        vec![(low, 1.0 - fraction), ((low + 1).min(from - 1), fraction)]
    }
}

/// Size of the largest crop of `image` with the aspect ratio of `target`; both `[height, width]`.
fn crop(image: [usize; 2], target: [usize; 2]) -> [usize; 2] {
    let [height, width] = image;
    if height * target[1] > width * target[0] {
        [(width * target[0] / target[1]).max(1), width]
    } else {
        [height, (height * target[1] / target[0]).max(1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn solid(width: usize, height: usize, pixel: [u8; 4]) -> Vec<u8> {
        pixel.repeat(width * height)
    }

    #[test]
    fn halving_averages_two_by_two_pixels() {
        let bytes: Vec<u8> = (0..32 * 32).flat_map(|i| [(i % 251) as u8, (i % 13) as u8, 7, 255]).collect();
        let portrait = Portrait::from_rgba(32, 32, &bytes, [16, 16]).unwrap();
        let at = |x: usize, y: usize, c: usize| f32::from(bytes[(y * 32 + x) * 4 + c]) / 255.0;
        for (x, y) in [(0, 0), (5, 3), (15, 15)] {
            for c in 0..3 {
                let (x2, y2) = (2 * x, 2 * y);
                let mean = (at(x2, y2, c) + at(x2 + 1, y2, c) + at(x2, y2 + 1, c) + at(x2 + 1, y2 + 1, c)) / 4.0;
                assert!((portrait.pixels()[c * 256 + y * 16 + x] - mean).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn any_ratio_keeps_a_flat_image_flat_and_a_ramp_monotonic() {
        for (width, height) in [(16, 16), (17, 63), (64, 64), (97, 31), (300, 200)] {
            let flat =
                Portrait::from_rgba(width, height, &solid(width, height, [51, 102, 204, 255]), [64, 48]).unwrap();
            for (channel, value) in [0.2, 0.4, 0.8].into_iter().enumerate() {
                let plane = &flat.pixels()[channel * 64 * 48..(channel + 1) * 64 * 48];
                assert!(plane.iter().all(|p| (p - value).abs() < 1e-5), "{width}x{height}");
            }
            let ramp: Vec<u8> =
                (0..width * height).flat_map(|i| [(i % width * 255 / width) as u8, 0, 0, 255]).collect();
            let ramp = Portrait::from_rgba(width, height, &ramp, [64, 48]).unwrap();
            assert!(ramp.pixels()[..48].windows(2).all(|w| w[1] >= w[0]), "{width}x{height}");
        }
    }

    /// Output samples of a shrinking axis where rounding could go wrong: all whose first source begins with them, and
    /// some between.
    fn critical(from: usize, to: usize) -> impl Iterator<Item = usize> {
        let mut remainder = (from, to);
        while remainder.1 > 0 {
            remainder = (remainder.1, remainder.0 % remainder.1);
        }
        let period = to / remainder.0;
        (0..to).step_by(period).chain([to / 2, to * 5 / 7, to - 1])
    }

    fn assert_whole(index: usize, from: usize, to: usize) {
        let taps = taps(index, from, to);
        let sum: f32 = taps.iter().map(|&(_, weight)| weight).sum();
        assert!((sum - 1.0).abs() < 1e-4, "{from} to {to}: the weights of sample {index} sum to {sum}");
        assert!(
            taps.iter().all(|&(at, weight)| at < from && weight >= 0.0),
            "{from} to {to}, sample {index}: {taps:?}"
        );
    }

    #[test]
    fn the_weights_of_every_sample_sum_to_one() {
        let sides = 1..=if cfg!(target_family = "wasm") { 256 } else { 4096 };
        for from in sides.clone() {
            for to in sides.clone().take_while(|&to| to <= from) {
                critical(from, to).for_each(|index| assert_whole(index, from, to));
            }
        }
        for (from, to) in (1..200).flat_map(|from| (1..300).map(move |to| (from, to))) {
            (0..to).for_each(|index| assert_whole(index, from, to));
        }
    }

    #[test]
    fn flat_pictures_stay_flat_where_a_sample_begins_with_a_source() {
        for (from, to) in
            [([416, 416], [384, 384]), ([208, 208], [192, 96]), ([131, 98], [49, 49]), ([98, 49], [131, 98])]
        {
            let pixels = resample_rgb(from, to, |_, row| row.fill(0.5));
            assert!(pixels.iter().all(|value| (value - 0.5).abs() < 1e-5), "{from:?} to {to:?}");
        }
    }

    #[test]
    fn the_crop_is_centred() {
        // 20 columns of black, 40 of white, 20 of black: the square crop of 40 rows is all white.
        let bytes: Vec<u8> =
            (0..80 * 40).flat_map(|i| [if (20..60).contains(&(i % 80)) { 255 } else { 0 }; 4]).collect();
        let opaque: Vec<u8> = bytes.chunks(4).flat_map(|p| [p[0], p[1], p[2], 255]).collect();
        let portrait = Portrait::from_rgba(80, 40, &opaque, [16, 16]).unwrap();
        assert!(portrait.pixels().iter().all(|&p| p > 0.999));
    }

    #[test]
    fn transparent_pixels_show_white() {
        let portrait = Portrait::from_rgba(16, 16, &solid(16, 16, [0, 0, 0, 0]), [16, 16]).unwrap();
        assert_eq!(portrait.to_rgba(), solid(16, 16, [255; 4]));
        let half = Portrait::from_rgba(16, 16, &solid(16, 16, [0, 0, 0, 51]), [16, 16]).unwrap();
        assert!((half.pixels()[0] - 0.8).abs() < 1e-6);
    }

    #[test]
    fn unusable_buffers_are_named() {
        assert_eq!(Portrait::from_rgba(4, 500, &[], [64, 64]), Err(PortraitError::TooSmall { width: 4, height: 500 }));
        assert!(matches!(Portrait::from_rgba(20_000, 20_000, &[], [64, 64]), Err(PortraitError::TooLarge { .. })));
        assert!(matches!(
            Portrait::from_rgba(16, 16, &[0; 12], [64, 64]),
            Err(PortraitError::BufferSize { expected: 1024, .. })
        ));
    }
}
