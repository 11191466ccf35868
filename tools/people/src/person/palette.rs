//! Colours of people.

use glam::Vec3;

use crate::{
    random::Random,
    texture::{hsv, srgb},
};

/// Skin from light to dark, sRGB.
const TONES: [(u8, u8, u8); 10] = [
    (236, 198, 176),
    (228, 184, 158),
    (218, 168, 138),
    (204, 150, 116),
    (188, 132, 94),
    (158, 106, 74),
    (128, 82, 57),
    (100, 62, 43),
    (80, 50, 36),
    (64, 40, 30),
];

/// Colours of hair, sRGB, and how common they are on light skin and on dark.
const HAIR: [((u8, u8, u8), f32, f32); 10] = [
    ((20, 16, 15), 0.08, 0.55),
    ((42, 28, 21), 0.17, 0.33),
    ((74, 48, 32), 0.18, 0.1),
    ((98, 60, 38), 0.12, 0.02),
    ((112, 52, 30), 0.06, 0.),
    ((164, 86, 40), 0.06, 0.),
    ((132, 96, 64), 0.12, 0.),
    ((158, 124, 82), 0.1, 0.),
    ((200, 166, 112), 0.08, 0.),
    ((222, 204, 170), 0.03, 0.),
];

/// The colours of one appearance of a person: everything that light and shape do not decide.
#[derive(Clone, Debug)]
pub struct Palette {
    /// 0: light skin, 1: dark.
    pub darkness: f32,
    /// Skin.
    pub skin: Vec3,
    /// Hair of the head.
    pub hair: Vec3,
    /// Brows.
    pub brows: Vec3,
    /// Lipstick, and how much of it.
    pub lipstick: (Vec3, f32),
    /// Eye shadow, and how much of it.
    pub eye_shadow: (Vec3, f32),
    /// Kohl around the eyes.
    pub liner: f32,
    /// Redness of cheeks, nose and ears.
    pub blush: f32,
    /// How strong freckles are; 0 for none.
    pub freckles: f32,
    /// Strength of highlights on skin.
    pub shine: f32,
    /// Share of hairs in a shaved beard's shadow.
    pub stubble: f32,
    /// Seed of everything that is painted.
    pub seed: u64,
}

impl Palette {
    /// Colours that suit a shape, or, `freely`, any colours at all.
    pub fn draw(random: &mut Random, origins: [f32; 3], age: f32, feminine: bool, freely: bool) -> Self {
        let darkness = if freely || random.chance(0.12) { random.unit().powf(1.2) } else { darkness(random, origins) };
        let cast = Vec3::new(1., random.between(0.96, 1.05), random.between(0.92, 1.1));
        let hair = hair(random, if origins[1] > 0.5 { darkness.max(0.6) } else { darkness }, age);
        let brows = (hair * random.between(0.55, 0.85)).clamp(Vec3::splat(0.004), Vec3::new(0.2, 0.15, 0.11));
        let made_up = if feminine { 0.45 } else { 0.03 };
        let amount = |random: &mut Random, high: f32| {
            if random.chance(made_up) { random.between(0.15, high) } else { 0. }
        };
        Self {
            darkness,
            skin: tone(darkness) * cast * random.between(0.9, 1.07),
            hair,
            brows,
            lipstick: (lipstick(random) * (1. - 0.5 * darkness), amount(random, 0.85)),
            eye_shadow: (hsv(random.unit(), random.between(0.1, 0.7), random.between(0.15, 0.7)), amount(random, 0.6)),
            liner: amount(random, 0.9),
            blush: random.between(0.25, 1.3),
            freckles: if darkness < 0.35 && random.chance(0.25) { random.between(0.3, 1.) } else { 0. },
            shine: random.between(0.02, 0.13),
            stubble: if !feminine && random.chance(0.45) { random.between(0.1, 0.6) } else { 0. },
            seed: random.seed(),
        }
    }
}

fn darkness(random: &mut Random, origins: [f32; 3]) -> f32 {
    let mean = origins[0] * 0.14 + origins[1] * 0.26 + origins[2] * 0.72;
    random.normal_within(mean, 0.13, 2.5).clamp(0., 1.)
}

fn tone(darkness: f32) -> Vec3 {
    let place = darkness.clamp(0., 1.) * (TONES.len() - 1) as f32;
    let first = (place as usize).min(TONES.len() - 2);
    let colour = |index: usize| srgb(TONES[index].0, TONES[index].1, TONES[index].2);
    colour(first).lerp(colour(first + 1), place - first as f32)
}

fn hair(random: &mut Random, darkness: f32, age: f32) -> Vec3 {
    let natural: Vec<_> =
        HAIR.iter().map(|&(colour, light, dark)| (colour, light + (dark - light) * darkness.min(0.6) / 0.6)).collect();
    let &(red, green, blue) = random.weighted(&natural);
    let mut colour = srgb(red, green, blue) * random.between(0.7, 1.35);
    let grey = ((age - 0.4) / 0.4).clamp(0., 1.) * random.between(0.2, 1.15);
    let white = if random.chance(0.45) { srgb(206, 203, 198) } else { srgb(128, 124, 120) };
    colour = colour.lerp(white, grey.min(1.));
    if random.chance(0.04) {
        colour = hsv(random.unit(), random.between(0.4, 0.9), random.between(0.3, 0.9));
    }
    colour.clamp(Vec3::splat(0.004), Vec3::splat(0.75))
}

fn lipstick(random: &mut Random) -> Vec3 {
    let colours =
        [(176, 40, 48), (190, 74, 78), (150, 46, 70), (200, 90, 80), (140, 60, 60), (96, 24, 40), (214, 120, 120)];
    let &(red, green, blue) = random.pick(&colours);
    srgb(red, green, blue)
}
