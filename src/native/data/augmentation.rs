//! Random changes of frames: how the same motion would look to another camera.

use image::{ExtendedColorType, ImageFormat, codecs::jpeg::JpegEncoder};
use rand_chacha::{ChaCha8Rng, rand_core::RngCore};
use serde::{Deserialize, Serialize};

use super::random::{between, chance, stream};
use crate::{native::numbers, portrait::to_byte};

/// The probability of each change.
///
/// One draw holds for all frames of a pair or clip. Only noise differs from frame to frame, as a
/// camera's does. Noise and the marks of JPEG are in the driving frame, too: as nothing foretells
/// them, their mean, the clean picture, is what a model learns.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Augmentation {
    /// Mirrors the frames.
    pub(crate) flip: f32,
    /// Swaps source and driving frame.
    pub(crate) time_flip: f32,
    /// Changes brightness, contrast, saturation and white balance.
    pub(crate) colours: f32,
    /// Takes out the colours.
    pub(crate) grey: f32,
    /// Blurs with a Gaussian.
    pub(crate) blur: f32,
    /// Adds sensor noise.
    pub(crate) noise: f32,
    /// Adds the marks of JPEG compression.
    pub(crate) jpeg: f32,
    /// Puts another background than white behind transparent frames.
    pub(crate) backdrop: f32,
}

/// Options for an [`Augmentation`].
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(crate) struct AugmentArgs {
    /// How frames are changed at random. The options below override single probabilities.
    #[arg(long, value_enum, default_value_t)]
    augment: Preset,
    /// Probability of mirroring a pair [default: from --augment]
    #[arg(long, value_parser = numbers::probability)]
    flip: Option<f32>,
    /// Probability of swapping source and driving frame. Pairs without frame 0 come in both orders
    /// anyway [default: from --augment]
    #[arg(long, value_parser = numbers::probability)]
    time_flip: Option<f32>,
    /// Probability of changing brightness, contrast, saturation and white balance [default: from
    /// --augment]
    #[arg(long, value_parser = numbers::probability)]
    colours: Option<f32>,
    /// Probability of greyscale [default: from --augment]
    #[arg(long, value_parser = numbers::probability)]
    grey: Option<f32>,
    /// Probability of a Gaussian blur [default: from --augment]
    #[arg(long, value_parser = numbers::probability)]
    blur: Option<f32>,
    /// Probability of sensor noise [default: from --augment]
    #[arg(long, value_parser = numbers::probability)]
    noise: Option<f32>,
    /// Probability of JPEG compression [default: from --augment]
    #[arg(long, value_parser = numbers::probability)]
    jpeg: Option<f32>,
    /// Probability of a random background instead of white, for frames with transparency [default:
    /// from --augment]
    #[arg(long, value_parser = numbers::probability)]
    backdrop: Option<f32>,
}

/// Probabilities under one name.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Preset {
    /// Frames as they are.
    None,
    /// Mirrored and recoloured frames.
    #[default]
    Plain,
    /// Also grey, blurred, noisy and compressed frames, as photos are.
    Photo,
}

impl AugmentArgs {
    /// The probabilities of the preset, but for those given by themselves.
    pub(crate) fn augmentation(&self) -> Augmentation {
        let base = match self.augment {
            Preset::None => Augmentation::NONE,
            Preset::Plain => Augmentation::PLAIN,
            Preset::Photo => Augmentation::PHOTO,
        };
        Augmentation {
            flip: self.flip.unwrap_or(base.flip),
            time_flip: self.time_flip.unwrap_or(base.time_flip),
            colours: self.colours.unwrap_or(base.colours),
            grey: self.grey.unwrap_or(base.grey),
            blur: self.blur.unwrap_or(base.blur),
            noise: self.noise.unwrap_or(base.noise),
            jpeg: self.jpeg.unwrap_or(base.jpeg),
            backdrop: self.backdrop.unwrap_or(base.backdrop),
        }
    }
}

impl Augmentation {
    /// Frames as they are.
    pub(crate) const NONE: Self =
        Self { flip: 0.0, time_flip: 0.0, colours: 0.0, grey: 0.0, blur: 0.0, noise: 0.0, jpeg: 0.0, backdrop: 0.0 };
    /// Mirrored and recoloured frames.
    pub(crate) const PLAIN: Self = Self { flip: 0.5, colours: 1.0, ..Self::NONE };
    /// Frames as photos are: also grey, blurred, noisy and compressed.
    pub(crate) const PHOTO: Self = Self { grey: 0.1, blur: 0.3, noise: 0.3, jpeg: 0.3, backdrop: 0.5, ..Self::PLAIN };

    /// One draw, the same for the same state of `rng`. It always takes the same count of numbers
    /// from it, so that one probability does not change what is drawn for the others.
    pub(crate) fn draw(&self, rng: &mut ChaCha8Rng) -> Change {
        Change {
            mirror: chance(rng, self.flip),
            time_flip: chance(rng, self.time_flip),
            colours: chance(rng, self.colours).then_some(Colours::draw(rng)),
            grey: chance(rng, self.grey),
            blur: chance(rng, self.blur).then_some(between(rng, 0.3, 1.5)),
            noise: chance(rng, self.noise)
                .then_some(Noise { deviation: between(rng, 0.005, 0.04), seed: rng.next_u64() }),
            jpeg: chance(rng, self.jpeg).then_some(between(rng, 30.0, 90.0) as u8),
            backdrop: match (chance(rng, self.backdrop), Backdrop::draw(rng)) {
                (true, drawn) => drawn,
                (false, _) => Backdrop::WHITE,
            },
        }
    }
}

/// One draw of an [`Augmentation`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    pub(crate) mirror: bool,
    pub(crate) time_flip: bool,
    pub(crate) backdrop: Backdrop,
    colours: Option<Colours>,
    grey: bool,
    /// Standard deviation in pixels of a picture with sides of 128.
    blur: Option<f32>,
    noise: Option<Noise>,
    /// Quality from 1 to 100.
    jpeg: Option<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Noise {
    deviation: f32,
    seed: u64,
}

impl Change {
    /// Changes a picture in the order in which things happen in a camera: light, lens, sensor,
    /// file. Whoever reads the frame takes care of mirroring, time and background.
    ///
    /// # Shapes
    ///
    /// - frame: `[3, size, size]`, RGB in `[0, 1]`, changed in place
    /// - place: which of the frames that share the draw it is
    pub(crate) fn apply(&self, frame: &mut [f32], place: u64) {
        let size = (frame.len() / 3).isqrt();
        if let Some(colours) = &self.colours {
            colours.apply(frame);
        }
        if self.grey {
            greyscale(frame);
        }
        if let Some(deviation) = self.blur {
            blur(frame, size, deviation * size as f32 / 128.0);
        }
        if let Some(noise) = self.noise {
            noise.apply(frame, place);
        }
        if let Some(quality) = self.jpeg {
            compress(frame, size, quality);
        }
    }
}

/// One change of colours.
#[derive(Debug, Clone, PartialEq)]
struct Colours {
    brightness: f32,
    contrast: f32,
    saturation: f32,
    gain: [f32; 3],
}

impl Colours {
    fn draw(rng: &mut ChaCha8Rng) -> Self {
        Self {
            brightness: between(rng, -0.08, 0.08),
            contrast: between(rng, 0.8, 1.2),
            saturation: between(rng, 0.7, 1.3),
            gain: [(); 3].map(|()| between(rng, 0.92, 1.08)),
        }
    }

    fn apply(&self, frame: &mut [f32]) {
        let area = frame.len() / 3;
        for i in 0..area {
            let mut pixel = [0, 1, 2].map(|channel| frame[channel * area + i] * self.gain[channel]);
            let grey = luma(pixel);
            for value in &mut pixel {
                let saturated = grey + (*value - grey) * self.saturation;
                *value = (saturated - 0.5) * self.contrast + 0.5 + self.brightness;
            }
            for (channel, value) in pixel.into_iter().enumerate() {
                frame[channel * area + i] = value.clamp(0.0, 1.0);
            }
        }
    }
}

fn luma([red, green, blue]: [f32; 3]) -> f32 {
    0.299 * red + 0.587 * green + 0.114 * blue
}

fn greyscale(frame: &mut [f32]) {
    let area = frame.len() / 3;
    for i in 0..area {
        let grey = luma([0, 1, 2].map(|channel| frame[channel * area + i]));
        for channel in 0..3 {
            frame[channel * area + i] = grey;
        }
    }
}

/// Gaussian blur along the rows and then along the columns; the border is repeated outwards.
fn blur(frame: &mut [f32], size: usize, deviation: f32) {
    let radius = (3.0 * deviation).ceil() as usize;
    let weight = |distance: usize| (-0.5 * (distance as f32 / deviation).powi(2)).exp();
    let kernel: Vec<f32> = (0..=2 * radius).map(|i| weight(i.abs_diff(radius))).collect();
    let total: f32 = kernel.iter().sum();
    let mut line = vec![0.0; size];
    for plane in frame.chunks_exact_mut(size * size) {
        for (step, stride) in [(1, size), (size, 1)] {
            for start in (0..size).map(|i| i * stride) {
                for (i, value) in line.iter_mut().enumerate() {
                    *value = plane[start + i * step];
                }
                for i in 0..size {
                    let sample = |k: usize| line[(i + k).saturating_sub(radius).min(size - 1)];
                    let sum: f32 = kernel.iter().enumerate().map(|(k, weight)| weight * sample(k)).sum();
                    plane[start + i * step] = sum / total;
                }
            }
        }
    }
}

impl Noise {
    fn apply(self, frame: &mut [f32], place: u64) {
        let mut rng = stream(self.seed, place);
        // The sum of four bytes is near enough to normal, and costs one draw.
        let deviation = (4.0 * (256.0f32.powi(2) - 1.0) / 12.0).sqrt();
        for value in frame {
            let sum: u16 = rng.next_u32().to_le_bytes().into_iter().map(u16::from).sum();
            *value = (*value + self.deviation * (f32::from(sum) - 510.0) / deviation).clamp(0.0, 1.0);
        }
    }
}

fn compress(frame: &mut [f32], size: usize, quality: u8) {
    let area = size * size;
    let rgb: Vec<u8> = (0..area).flat_map(|i| [0, 1, 2].map(|channel| to_byte(frame[channel * area + i]))).collect();
    let mut file = Vec::new();
    let compressed = JpegEncoder::new_with_quality(&mut file, quality)
        .encode(&rgb, size as u32, size as u32, ExtendedColorType::Rgb8)
        .and_then(|()| image::load_from_memory_with_format(&file, ImageFormat::Jpeg))
        .expect("a square in memory makes a JPEG")
        .into_rgb8();
    for (i, pixel) in compressed.pixels().enumerate() {
        for channel in 0..3 {
            frame[channel * area + i] = f32::from(pixel[channel]) / 255.0;
        }
    }
}

/// The background of transparent frames: a gradient from one colour to another that stands still.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Backdrop {
    from: [f32; 3],
    to: [f32; 3],
    /// Cosine and sine.
    direction: [f32; 2],
}

impl Backdrop {
    /// White, as on a page, and as portraits are read.
    pub(crate) const WHITE: Self = Self { from: [1.0; 3], to: [1.0; 3], direction: [1.0, 0.0] };

    fn draw(rng: &mut ChaCha8Rng) -> Self {
        let mut colour = || [(); 3].map(|()| between(rng, 0.0, 1.0));
        let (from, to) = (colour(), colour());
        let angle = between(rng, 0.0, std::f32::consts::TAU);
        Self { from, to, direction: [angle.cos(), angle.sin()] }
    }

    /// The colour at a place in `[-1, 1]`.
    pub(crate) fn at(&self, [x, y]: [f32; 2]) -> [f32; 3] {
        let share = (0.5 + 0.5 * (x * self.direction[0] + y * self.direction[1])).clamp(0.0, 1.0);
        [0, 1, 2].map(|channel| self.from[channel] + (self.to[channel] - self.from[channel]) * share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: usize = 32;

    /// A smooth picture whose channels differ.
    fn picture() -> Vec<f32> {
        let value =
            |channel: usize, x: usize, y: usize| 0.5 + 0.3 * ((channel + 1) as f32 * 0.1 * (x + y) as f32).sin();
        (0..3 * SIZE * SIZE).map(|i| value(i / (SIZE * SIZE), i % SIZE, i / SIZE % SIZE)).collect()
    }

    /// The picture after the first draw of which `wanted` is certain.
    fn changed(wanted: Augmentation, seed: u64, place: u64) -> Vec<f32> {
        let mut frame = picture();
        wanted.draw(&mut stream(seed, 0)).apply(&mut frame, place);
        frame
    }

    fn distance(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f32>() / a.len() as f32
    }

    #[test]
    fn a_draw_repeats_for_its_seed_and_holds_for_all_frames_but_for_noise() {
        let all = Augmentation { grey: 1.0, blur: 1.0, jpeg: 1.0, ..Augmentation::PLAIN };
        assert_eq!(changed(all, 3, 0), changed(all, 3, 0));
        assert_eq!(changed(all, 3, 0), changed(all, 3, 1));
        assert_ne!(changed(all, 3, 0), changed(all, 4, 0));

        let noisy = Augmentation { noise: 1.0, ..Augmentation::NONE };
        assert_eq!(changed(noisy, 3, 1), changed(noisy, 3, 1));
        assert_ne!(changed(noisy, 3, 0), changed(noisy, 3, 1));
        assert_eq!(changed(Augmentation::NONE, 3, 0), picture());
    }

    #[test]
    fn one_probability_does_not_move_the_others_draws() {
        let draw = |augmentation: Augmentation| augmentation.draw(&mut stream(5, 5));
        let (plain, grey) = (draw(Augmentation::PLAIN), draw(Augmentation { grey: 1.0, ..Augmentation::PLAIN }));
        assert_eq!(grey, Change { grey: true, ..plain });
    }

    #[test]
    fn each_change_does_what_it_is_called() {
        let plane = SIZE * SIZE;
        let grey = changed(Augmentation { grey: 1.0, ..Augmentation::NONE }, 0, 0);
        assert_eq!(grey[..plane], grey[plane..2 * plane]);

        // Noise has no mean; its deviation is the drawn one.
        let noisy = changed(Augmentation { noise: 1.0, ..Augmentation::NONE }, 0, 0);
        let difference: Vec<f32> = noisy.iter().zip(picture()).map(|(a, b)| a - b).collect();
        let mean = difference.iter().sum::<f32>() / difference.len() as f32;
        let deviation = (difference.iter().map(|d| d * d).sum::<f32>() / difference.len() as f32).sqrt();
        assert!(mean.abs() < 0.002 && (0.004..0.042).contains(&deviation), "{mean} {deviation}");

        // A blur keeps the mean and takes out what is finer than itself.
        let mut stripes: Vec<f32> = (0..3 * plane).map(|i| (i % 2) as f32).collect();
        blur(&mut stripes, SIZE, 1.5);
        assert!(stripes.chunks(SIZE).all(|row| row[4..SIZE - 4].iter().all(|v| (v - 0.5).abs() < 0.01)));

        let compressed = changed(Augmentation { jpeg: 1.0, ..Augmentation::NONE }, 0, 0);
        let error = distance(&compressed, &picture());
        assert!((0.001..0.05).contains(&error), "{error}");
    }

    #[test]
    fn single_probabilities_override_the_preset() {
        let args = AugmentArgs { augment: Preset::Photo, jpeg: Some(0.0), ..AugmentArgs::default() };
        assert_eq!(args.augmentation(), Augmentation { jpeg: 0.0, ..Augmentation::PHOTO });
    }
}
