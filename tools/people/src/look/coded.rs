//! Pictures that were coded, made small or shown on a screen.

use glam::{Vec2, Vec3};
use image::{DynamicImage, ExtendedColorType, codecs::jpeg};

use super::{
    Step,
    display::{DISPLAY, bytes, each_pixel, luma},
    grid::Grid,
};
use crate::picture::Picture;

/// Stored as JPEG.
#[derive(Clone, Debug)]
pub(super) struct Jpeg {
    pub(super) quality: u8,
    /// Whether colours are stored at half the size, as most programs do.
    pub(super) halved: bool,
}

impl Step for Jpeg {
    fn apply(&self, picture: &mut Picture, _: u64) {
        let shown = if self.halved { bytes(&with_coarse_colours(picture)) } else { bytes(picture) };
        let Some(decoded) = through_jpeg(&shown, picture.size() as u32, self.quality) else {
            unreachable!("a picture that was just encoded has no faults");
        };
        for (pixel, bytes) in picture.pixels_mut().iter_mut().zip(decoded.chunks_exact(3)) {
            *pixel = DISPLAY.light3(Vec3::new(f32::from(bytes[0]), f32::from(bytes[1]), f32::from(bytes[2])) / 255.);
        }
    }
}

/// Encodes and decodes.
fn through_jpeg(bytes: &[u8], size: u32, quality: u8) -> Option<Vec<u8>> {
    let mut coded = Vec::with_capacity(bytes.len() / 8);
    let mut encoder = jpeg::JpegEncoder::new_with_quality(&mut coded, quality);
    encoder.encode(bytes, size, size, ExtendedColorType::Rgb8).ok()?;
    let decoder = jpeg::JpegDecoder::new(std::io::Cursor::new(coded)).ok()?;
    Some(DynamicImage::from_decoder(decoder).ok()?.into_rgb8().into_raw())
}

/// Colours at half the size, brightness whole.
fn with_coarse_colours(picture: &Picture) -> Picture {
    let size = picture.size();
    let colours = Grid::from(size, picture.pixels(), |pixel| pixel - luma(pixel)).halved().resized(size);
    let mut coarse = picture.clone();
    for (pixel, colour) in coarse.pixels_mut().iter_mut().zip(colours.cells) {
        *pixel = (colour + luma(*pixel)).max(Vec3::ZERO);
    }
    coarse
}

/// Stored small and shown large.
#[derive(Clone, Debug)]
pub(super) struct LowResolution {
    /// By how much it was made smaller.
    pub(super) factor: f32,
    pub(super) enlarge: Enlarge,
    /// Sharpening of the small picture.
    pub(super) sharpen: f32,
}

/// How pixels are made more.
#[derive(Clone, Copy, Debug)]
pub(super) enum Enlarge {
    /// Squares.
    Squares,
    /// Bilinear.
    Smooth,
}

impl Step for LowResolution {
    fn apply(&self, picture: &mut Picture, _: u64) {
        let size = picture.size();
        let few = ((size as f32 / self.factor) as usize).max(8);
        let small = Grid::of(picture).gaussian(self.factor * 0.42).resized(few);
        let soft = small.gaussian(0.9);
        let sharper = small.cells.iter().zip(&soft.cells);
        let cells = sharper.map(|(&cell, &soft)| (cell + (cell - soft) * self.sharpen).max(Vec3::ZERO)).collect();
        let small = Grid { size: few, cells };
        *picture = match self.enlarge {
            Enlarge::Smooth => small.resized(size),
            Enlarge::Squares => {
                let square = |at: usize| (at * few / size) as isize;
                Grid::make(size, |x, y| small.at(square(x), square(y)))
            }
        }
        .picture();
    }
}

/// A photograph of a screen: bands where its pixels meet those of the sensor, and a reflection.
#[derive(Clone, Debug)]
pub(super) struct Screen {
    /// Bands in the width, each way.
    pub(super) bands: Vec2,
    /// Bending of the bands.
    pub(super) bend: f32,
    pub(super) strength: f32,
    /// How far apart the bands of the colours are.
    pub(super) rainbow: f32,
    pub(super) lines: f32,
    pub(super) glare: Vec3,
    pub(super) glare_from: Vec2,
}

impl Step for Screen {
    fn apply(&self, picture: &mut Picture, _: u64) {
        let size = picture.size();
        each_pixel(picture, |x, y, pixel| {
            let place = (Vec2::new(x as f32, y as f32) + 0.5) / size as f32;
            let phase = place.dot(self.bands) + self.bend * (place - self.glare_from).length_squared();
            let phases = Vec3::new(phase, phase + self.rainbow, phase + 2. * self.rainbow) * std::f32::consts::TAU;
            let bands = Vec3::ONE + Vec3::new(phases.x.sin(), phases.y.sin(), phases.z.sin()) * self.strength;
            let line = if y % 2 == 0 { 1. + self.lines } else { 1. - self.lines };
            let glare = self.glare / (1. + 8. * (place - self.glare_from).length_squared());
            pixel * bands * line + glare
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene() -> Picture {
        Picture::paint(64, |x, y| Vec3::new(0.5 + 0.4 * (30. * x).sin(), 0.5 + 0.4 * (25. * y).sin(), 0.3 * x))
    }

    fn apart(step: &dyn Step) -> f32 {
        let mut picture = scene();
        step.apply(&mut picture, 0);
        let (before, after) = (scene().to_srgb(), picture.to_srgb());
        before.iter().zip(&after).map(|(a, b)| f32::from(a.abs_diff(*b))).sum::<f32>() / before.len() as f32
    }

    #[test]
    fn lower_qualities_lose_more() {
        let [good, bad] = [95, 25].map(|quality| apart(&Jpeg { quality, halved: false }));
        assert!(good < 2. && bad > 1.5 * good && bad < 20., "{good} and {bad} of 255");
        assert!(apart(&Jpeg { quality: 95, halved: true }) > good);
    }

    #[test]
    fn squares_are_of_one_colour() {
        let mut picture = scene();
        LowResolution { factor: 4., enlarge: Enlarge::Squares, sharpen: 0. }.apply(&mut picture, 0);
        assert_eq!(picture.at(8, 8), picture.at(11, 11));
        assert_ne!(picture.at(8, 8), picture.at(12, 8));
        assert!(apart(&LowResolution { factor: 2., enlarge: Enlarge::Smooth, sharpen: 0. }) < 25.);
    }
}
