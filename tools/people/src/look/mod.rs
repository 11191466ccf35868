//! Looks: what cameras, prints and painters make of a picture.
//!
//! A look is a list of steps. All choices are made when it is drawn; what is new in every frame, noise and grain,
//! comes from the frame's number, so that a clip is the same whichever frames are made first.

mod brush;
mod coded;
pub(crate) mod display;
mod drawing;
pub(crate) mod field;
mod grain;
pub(crate) mod grid;
mod kinds;
mod lens;
mod paint;
mod print;
mod stone;
mod tone;

use std::{fmt::Debug, sync::Arc};

use self::kinds::{KINDS, Kind};
use crate::{picture::Picture, random::Random};

/// One thing that a look does to a finished picture.
trait Step: Debug + Send + Sync {
    /// Changes the picture of a frame.
    fn apply(&self, picture: &mut Picture, frame: u64);
}

/// What a camera, a print or a painter makes of a picture.
#[derive(Clone, Debug)]
pub struct Look {
    kind: &'static str,
    still: bool,
    steps: Vec<Arc<dyn Step>>,
}

impl Look {
    /// Draws a look; about half are plain cameras.
    pub fn draw(random: &mut Random) -> Self {
        let kind = *random.weighted(&KINDS);
        Self::of(kind, random)
    }

    fn of(kind: Kind, random: &mut Random) -> Self {
        let mut look = Self { kind: kind.name, still: kind.still, steps: Vec::new() };
        (kind.draw)(random, &mut look);
        look
    }

    /// Its kind: `"camera"`, `"oil"`, …
    pub fn kind(&self) -> &str {
        self.kind
    }

    /// Whether it is for single pictures only: its pattern would stand still before a face that moves.
    pub fn is_still(&self) -> bool {
        self.still
    }

    /// Changes a finished picture in linear light. The same frame is always changed alike.
    pub fn apply(&self, picture: &mut Picture, frame: u64) {
        for step in &self.steps {
            step.apply(picture, frame);
        }
    }

    fn add(&mut self, step: impl Step + 'static) {
        self.steps.push(Arc::new(step));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use glam::{Vec2, Vec3};

    use super::{display::DISPLAY, *};

    /// Something like a face before a wall, moved by `shift` of the width.
    fn sitter(size: usize, shift: f32) -> Picture {
        Picture::paint(size, |x, y| {
            let place = Vec2::new(x - 0.5 - shift, y - 0.5);
            let edge = ((0.3 - (place * Vec2::new(1.2, 1.)).length()) * 40.).clamp(0., 1.);
            let skin = Vec3::new(0.55, 0.3, 0.2) * (1. + place.x - 0.4 * (place.y * 40.).sin().powi(8));
            Vec3::new(0.1, 0.2, 0.25 + 0.2 * y).lerp(skin, edge) + f32::from(u8::from(place.length() < 0.02)) * 2.
        })
    }

    fn every_kind(variants: u64) -> impl Iterator<Item = Look> {
        (0..variants * KINDS.len() as u64).map(|at| {
            let (kind, _) = KINDS[at as usize % KINDS.len()];
            Look::of(kind, &mut Random::new("look", &[at]))
        })
    }

    fn applied(look: &Look, mut picture: Picture, frame: u64) -> Picture {
        look.apply(&mut picture, frame);
        picture
    }

    /// The mean difference of what two pictures show, of 255.
    fn apart(a: &Picture, b: &Picture) -> f32 {
        let (a, b) = (a.to_srgb(), b.to_srgb());
        a.iter().zip(&b).map(|(&a, &b)| f32::from(a.abs_diff(b))).sum::<f32>() / a.len() as f32
    }

    #[test]
    fn looks_keep_the_size_and_give_light() {
        for look in every_kind(4) {
            for size in [96, 133] {
                let picture = applied(&look, sitter(size, 0.), 3);
                assert_eq!(picture.size(), size, "{}", look.kind());
                let good = |pixel: &Vec3| pixel.is_finite() && pixel.min_element() >= 0.;
                assert!(picture.pixels().iter().all(good), "{}", look.kind());
            }
        }
    }

    #[test]
    fn a_look_is_the_same_whenever_it_is_drawn_and_applied() {
        for (look, again) in every_kind(2).zip(every_kind(2)) {
            let (first, second) = (applied(&look, sitter(96, 0.), 5), applied(&again, sitter(96, 0.), 5));
            assert_eq!(first.pixels(), second.pixels(), "{}", look.kind());
        }
    }

    #[test]
    fn only_noise_and_grain_change_from_frame_to_frame() {
        for look in every_kind(2) {
            let (first, second) = (applied(&look, sitter(96, 0.), 0), applied(&look, sitter(96, 0.), 1));
            let change = apart(&first, &second);
            let painted = ["oil", "watercolour", "cartoon", "pencil", "charcoal", "statue", "halftone"];
            let limit = if painted.contains(&look.kind()) { 0. } else { 25. };
            assert!(change <= limit, "{}: {change} of 255", look.kind());
        }
    }

    #[test]
    fn painted_strokes_do_not_flicker() {
        let (before, after) = (sitter(128, 0.), sitter(128, 0.004));
        let moved = apart(&before, &after);
        for look in every_kind(3).filter(|look| !look.is_still()) {
            let (before, after) = (applied(&look, before.clone(), 0), applied(&look, after.clone(), 0));
            let change = apart(&before, &after);
            assert!(change < 3. * moved + 1., "{}: {change} for {moved} of 255", look.kind());
        }
    }

    #[test]
    fn half_of_the_looks_are_cameras_and_all_kinds_come() {
        let mut random = Random::new("looks", &[]);
        let kinds: Vec<&str> = (0..2000).map(|_| random.weighted(&KINDS).name).collect();
        let share = |name: &str| kinds.iter().filter(|&&kind| kind == name).count() as f32 / 2000.;
        assert!((share("camera") - 0.5).abs() < 0.05);
        assert!(KINDS.iter().all(|(kind, _)| share(kind.name) > 0.003));
    }

    fn photograph(path: &Path) -> Picture {
        let photo = image::open(path).unwrap().into_rgb8();
        let mut picture = Picture::plain(photo.width() as usize, Vec3::ZERO);
        for (pixel, bytes) in picture.pixels_mut().iter_mut().zip(photo.pixels()) {
            *pixel = DISPLAY.light3(Vec3::from(bytes.0.map(f32::from)) / 255.);
        }
        picture
    }

    #[test]
    #[ignore = "makes pictures to look at"]
    fn contact_sheet() {
        let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../www/samples");
        let faces = ["3628", "3652", "3676"].map(|name| photograph(&samples.join(name).with_extension("jpg")));
        let variants: u64 = std::env::var("VARIANTS").map_or(2, |value| value.parse().unwrap());
        let tile = 212;
        let (columns, rows) = (KINDS.len() as u32, faces.len() as u32 * variants as u32);
        let mut canvas = image::RgbImage::new(columns * tile, rows * tile);
        for (at, look) in every_kind(variants).enumerate() {
            for (face, picture) in faces.iter().enumerate() {
                let result = applied(&look, picture.clone(), 0);
                let size = result.size() as u32;
                let shown = image::RgbImage::from_raw(size, size, result.to_srgb()).unwrap();
                let shown = image::imageops::resize(&shown, tile, tile, image::imageops::FilterType::Triangle);
                let row = (at as u32 / columns) * faces.len() as u32 + face as u32;
                image::imageops::replace(
                    &mut canvas,
                    &shown,
                    i64::from(at as u32 % columns * tile),
                    i64::from(row * tile),
                );
            }
        }
        canvas.save(crate::picture::looking_folder().join("looks.png")).unwrap();
    }

    /// Milliseconds that this thread has computed, whatever else runs.
    fn computed() -> f32 {
        let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        stat.split(' ').next().unwrap().parse::<f64>().unwrap() as f32 * 1e-6
    }

    #[test]
    #[ignore = "measures"]
    fn costs() {
        let picture = sitter(128, 0.);
        for (at, (kind, _)) in KINDS.iter().enumerate() {
            let costs = every_kind(4).skip(at).step_by(KINDS.len()).map(|look| {
                let started = computed();
                (0..20).for_each(|frame| drop(applied(&look, picture.clone(), frame)));
                (computed() - started) / 20.
            });
            let costs: Vec<String> = costs.map(|cost| format!("{cost:.2}")).collect();
            println!("{}: {} ms of 128 pixels", kind.name, costs.join(" "));
        }
    }
}
