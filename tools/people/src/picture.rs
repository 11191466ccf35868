//! Square pictures of linear light.

use glam::Vec3;

/// A square picture of linear light, rows from the top. Values above 1 are brighter than paper white.
#[derive(Clone, Debug)]
pub struct Picture {
    size: usize,
    pixels: Vec<Vec3>,
}

impl Picture {
    /// A picture of one colour.
    pub fn plain(size: usize, colour: Vec3) -> Self {
        Self { size, pixels: vec![colour; size * size] }
    }

    /// A picture whose pixel at x, y in `[0, 1]` (centres) is what `paint` gives.
    pub fn paint(size: usize, mut paint: impl FnMut(f32, f32) -> Vec3) -> Self {
        let place = |at: usize| (at as f32 + 0.5) / size as f32;
        let pixels = (0..size * size).map(|at| paint(place(at % size), place(at / size))).collect();
        Self { size, pixels }
    }

    /// Pixels each way.
    pub fn size(&self) -> usize {
        self.size
    }

    /// All pixels.
    pub fn pixels(&self) -> &[Vec3] {
        &self.pixels
    }

    /// All pixels, to be changed.
    pub fn pixels_mut(&mut self) -> &mut [Vec3] {
        &mut self.pixels
    }

    /// The pixel at `x`, `y`, or the nearest one inside.
    pub fn at(&self, x: isize, y: isize) -> Vec3 {
        let inside = |value: isize| value.clamp(0, self.size as isize - 1) as usize;
        self.pixels[inside(y) * self.size + inside(x)]
    }

    /// Bilinear, at a place in pixels whose centres are at halves.
    pub fn sample(&self, x: f32, y: f32) -> Vec3 {
        let (left, top) = ((x - 0.5).floor(), (y - 0.5).floor());
        let (right_share, bottom_share) = (x - 0.5 - left, y - 0.5 - top);
        let (left, top) = (left as isize, top as isize);
        let upper = self.at(left, top).lerp(self.at(left + 1, top), right_share);
        let lower = self.at(left, top + 1).lerp(self.at(left + 1, top + 1), right_share);
        upper.lerp(lower, bottom_share)
    }

    /// sRGB bytes, `[y, x, rgb]`: a soft shoulder above 0.6, so that highlights do not clip.
    pub fn to_srgb(&self) -> Vec<u8> {
        self.pixels.iter().flat_map(|pixel| pixel.to_array().map(develop)).collect()
    }
}

/// Linear light to a byte of sRGB.
fn develop(light: f32) -> u8 {
    let light = light.max(0.);
    let shown = if light > 0.6 { 0.6 + 0.4 * (1. - (-(light - 0.6) / 0.4).exp()) } else { light };
    (shown.powf(1. / 2.2) * 255. + 0.5) as u8
}

/// Where tests that make pictures to look at leave them.
#[cfg(test)]
pub(crate) fn looking_folder() -> std::path::PathBuf {
    let folder = std::env::temp_dir().join("lfdm-people");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
