//! The kinds of looks and how they are drawn.

use glam::{Vec2, Vec3};

use super::{
    Look,
    brush::Habit,
    coded::{Enlarge, Jpeg, LowResolution, Screen},
    drawing::Drawing,
    field::Field,
    grain::{FilmGrain, SensorNoise},
    lens::{Bloom, Defocus, Fringes, Motion},
    paint::{Cartoon, Oil, Watercolour},
    print::{Aged, Halftone},
    stone::Statue,
    tone::{Mix, Tone},
};
use crate::random::Random;

/// A kind of look.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) still: bool,
    pub(super) draw: fn(&mut Random, &mut Look),
}

const fn moving(name: &'static str, draw: fn(&mut Random, &mut Look)) -> Kind {
    Kind { name, still: false, draw }
}

const fn still(name: &'static str, draw: fn(&mut Random, &mut Look)) -> Kind {
    Kind { name, still: true, draw }
}

/// The kinds, with how often they come.
pub(super) const KINDS: [(Kind, f32); 17] = [
    (moving("camera", camera), 0.5),
    (moving("black and white", black_and_white), 0.06),
    (moving("faded", faded), 0.04),
    (moving("jpeg", jpeg), 0.035),
    (moving("blurred", blurred), 0.035),
    (moving("noisy", noisy), 0.035),
    (moving("film", film), 0.05),
    (moving("low resolution", low_resolution), 0.025),
    (moving("screen", screen), 0.02),
    (moving("old photograph", old_photograph), 0.035),
    (moving("oil", oil), 0.06),
    (moving("watercolour", watercolour), 0.02),
    (moving("cartoon", cartoon), 0.025),
    (moving("pencil", pencil), 0.03),
    (moving("charcoal", charcoal), 0.02),
    (moving("statue", statue), 0.02),
    (still("halftone", halftone), 0.01),
];

/// A plain camera: a little of everything.
fn camera(random: &mut Random, look: &mut Look) {
    lens(random, look);
    look.add(response(random).ready());
    if random.chance(0.7) {
        look.add(sensor(random, 0.25));
    }
    if random.chance(0.3) {
        look.add(Jpeg { quality: random.between(60., 92.) as u8, halved: random.chance(0.7) });
    }
}

fn lens(random: &mut Random, look: &mut Look) {
    if random.chance(0.25) {
        look.add(Fringes { shift: random.between(0.0005, 0.003) });
    }
    if random.chance(0.3) {
        let (strength, radius) = (random.between(0.1, 0.5), random.between(0.01, 0.05));
        look.add(Bloom { strength, radius, threshold: 0.85, tint: Vec3::ONE });
    }
    if random.chance(0.25) {
        look.add(Defocus { radius: random.between(0.002, 0.007) });
    }
}

/// Exposure, white balance, contrast and colours of a camera.
fn response(random: &mut Random) -> Tone {
    let exposure = random.normal_within(0., 0.3, 2.).exp2();
    let (warm, green) = (random.normal_within(0., 0.07, 2.), random.normal_within(0., 0.02, 2.));
    Tone {
        gains: Vec3::new(1. + warm, 1. + green, 1. - warm) * exposure,
        contrast: random.normal_within(0.03, 0.14, 2.),
        black: Vec3::splat(random.normal(0., 0.02).max(0.)),
        mix: Mix::Saturation(random.normal_within(1., 0.18, 2.)),
        vignette: random.normal(0., 0.2).max(0.),
        ..Tone::NEUTRAL
    }
}

/// A sensor, from quiet to `most` noisy.
fn sensor(random: &mut Random, most: f32) -> SensorNoise {
    let level = random.unit() * random.unit() * most;
    SensorNoise {
        seed: random.seed(),
        shot: level * 0.2,
        read: level * random.between(0.02, 0.08),
        chroma: random.between(0., 0.9),
        soft: if random.chance(0.5) { 0. } else { random.between(0.4, 0.8) },
    }
}

fn black_and_white(random: &mut Random, look: &mut Look) {
    lens(random, look);
    look.add(grey_tone(random).ready());
    if random.chance(0.6) {
        look.add(grain(random, false));
    }
}

/// Grey, as some film or filter sees it; sometimes toned in sepia, selenium or blue.
fn grey_tone(random: &mut Random) -> Tone {
    // Panchromatic, with a red, yellow or green filter, and orthochromatic, which does not see red.
    let filters = [
        (0.3, 0.59, 0.11),
        (0.33, 0.33, 0.33),
        (0.75, 0.25, 0.),
        (0.45, 0.5, 0.05),
        (0.1, 0.8, 0.1),
        (0.04, 0.5, 0.46),
    ];
    let (red, green, blue) = *random.pick(&filters);
    let (black, white) = match *random.weighted(&[(0, 5.), (1, 2.5), (2, 1.), (3, 0.7)]) {
        0 => (Vec3::ZERO, Vec3::ONE),
        1 => (Vec3::new(0.14, 0.08, 0.04), Vec3::new(1., 0.92, 0.76)),
        2 => (Vec3::new(0.07, 0.04, 0.07), Vec3::new(0.98, 0.96, 0.95)),
        _ => (Vec3::new(0.03, 0.07, 0.16), Vec3::new(0.9, 0.97, 1.)),
    };
    let strength = random.between(0.4, 1.2);
    Tone {
        gains: Vec3::splat(random.normal_within(0., 0.3, 2.).exp2()),
        contrast: random.normal_within(0.08, 0.18, 2.),
        black: black * strength + random.normal(0., 0.03).max(0.),
        white: Vec3::ONE.lerp(white, strength),
        mix: Mix::Grey(Vec3::new(red, green, blue)),
        vignette: random.normal(0.05, 0.25).max(0.),
    }
}

fn grain(random: &mut Random, coloured: bool) -> FilmGrain {
    let (strength, size) = (0.008 + 0.03 * random.unit() * random.unit(), random.between(0.002, 0.006));
    FilmGrain { seed: random.seed(), strength, size, coloured }
}

/// A colour print whose dyes have gone.
fn faded(random: &mut Random, look: &mut Look) {
    let casts = [(1., 0.9, 0.72), (1., 0.84, 0.86), (0.92, 0.96, 0.82), (0.86, 0.95, 1.), (1., 0.93, 0.84)];
    let (red, green, blue) = *random.pick(&casts);
    let cast = Vec3::new(red, green, blue);
    let fading = random.between(0.12, 0.32);
    look.add(
        Tone {
            gains: Vec3::splat(random.normal_within(0., 0.25, 2.).exp2()),
            contrast: random.between(-0.3, 0.05),
            black: cast * cast * fading,
            white: cast * random.between(0.88, 0.98),
            mix: Mix::Saturation(random.between(0.35, 0.85)),
            vignette: random.normal(0., 0.2).max(0.),
        }
        .ready(),
    );
    if random.chance(0.5) {
        look.add(grain(random, true));
    }
    if random.chance(0.3) {
        look.add(Defocus { radius: random.between(0.003, 0.008) });
    }
}

fn jpeg(random: &mut Random, look: &mut Look) {
    look.add(response(random).ready());
    look.add(Jpeg { quality: random.between(25., 70.) as u8, halved: random.chance(0.7) });
}

fn blurred(random: &mut Random, look: &mut Look) {
    if random.chance(0.6) {
        look.add(Defocus { radius: random.between(0.006, 0.022) });
    } else {
        let path = Vec2::from_angle(random.between(0., std::f32::consts::PI)) * random.between(0.012, 0.045);
        look.add(Motion { path });
    }
    look.add(response(random).ready());
    if random.chance(0.5) {
        look.add(sensor(random, 0.4));
    }
}

fn noisy(random: &mut Random, look: &mut Look) {
    let tone = response(random);
    look.add(Tone { gains: tone.gains * random.between(0.5, 1.1), ..tone }.ready());
    let level = random.between(0.15, 0.8);
    let (read, chroma, soft) = (level * random.between(0.01, 0.035), random.between(0.2, 1.1), random.between(0., 0.9));
    look.add(SensorNoise { seed: random.seed(), shot: level * 0.11, read, chroma, soft });
    if random.chance(0.4) {
        look.add(Jpeg { quality: random.between(45., 85.) as u8, halved: true });
    }
}

/// Colour film: warm lights, cool shadows or the other way round, halation and grain.
fn film(random: &mut Random, look: &mut Look) {
    let (strength, radius) = (random.between(0.2, 0.8), random.between(0.015, 0.04));
    look.add(Bloom { strength, radius, threshold: 0.7, tint: Vec3::new(1., 0.45, 0.2) });
    let shadow = [(0.02, 0.06, 0.09), (0.07, 0.04, 0.09), (0.03, 0.07, 0.04), (0.07, 0.05, 0.03)];
    let light = [(1., 0.97, 0.86), (0.96, 1., 0.95), (1., 0.94, 0.92), (0.97, 0.98, 1.)];
    let (shadow, light) = (*random.pick(&shadow), *random.pick(&light));
    let tone = response(random);
    look.add(
        Tone {
            contrast: random.between(-0.05, 0.32),
            black: Vec3::from(shadow) * random.between(0.3, 1.5),
            white: Vec3::from(light),
            mix: Mix::Saturation(random.between(0.7, 1.35)),
            ..tone
        }
        .ready(),
    );
    let coloured = random.chance(0.7);
    look.add(grain(random, coloured));
}

fn low_resolution(random: &mut Random, look: &mut Look) {
    look.add(response(random).ready());
    let enlarge = if random.chance(0.2) { Enlarge::Squares } else { Enlarge::Smooth };
    look.add(LowResolution { factor: random.between(1.7, 3.8), enlarge, sharpen: random.between(0., 0.9) });
    if random.chance(0.4) {
        look.add(Jpeg { quality: random.between(35., 75.) as u8, halved: true });
    }
}

fn screen(random: &mut Random, look: &mut Look) {
    let tone = response(random);
    look.add(Tone { black: Vec3::new(0.05, 0.06, 0.09) * random.between(0.3, 1.6), ..tone }.ready());
    look.add(Screen {
        bands: Vec2::from_angle(random.between(0., std::f32::consts::PI)) * random.between(2., 22.),
        bend: random.normal(0., 4.),
        strength: random.between(0.02, 0.1),
        rainbow: random.between(0., 0.33),
        lines: random.between(0., 0.05),
        glare: Vec3::new(0.8, 0.9, 1.) * random.unit() * random.between(0., 0.2),
        glare_from: Vec2::new(random.unit(), random.unit()),
    });
    look.add(sensor(random, 0.5));
}

fn old_photograph(random: &mut Random, look: &mut Look) {
    if random.chance(0.5) {
        look.add(Defocus { radius: random.between(0.002, 0.009) });
    }
    let tone = grey_tone(random);
    let sepia = random.between(0.2, 1.);
    let (black, white) = (Vec3::new(0.2, 0.14, 0.09), Vec3::new(0.93, 0.84, 0.67));
    look.add(
        Tone {
            contrast: random.between(-0.25, 0.2),
            black: tone.black.lerp(black, sepia),
            white: tone.white.lerp(white, sepia),
            vignette: random.between(0., 0.9),
            ..tone
        }
        .ready(),
    );
    look.add(Aged::draw(random));
    look.add(grain(random, false));
}

fn habit(random: &mut Random) -> Habit {
    Habit {
        turn: random.between(0., std::f32::consts::PI),
        wave: random.between(0., 1.),
        strength: random.between(0.5, 3.) * 1e-3,
        offset: Vec2::new(random.between(0., 60.), random.between(0., 60.)),
    }
}

/// Oil, from a fine old master under varnish to broad fresh strokes.
fn oil(random: &mut Random, look: &mut Look) {
    let old = random.chance(0.5);
    let tone = response(random);
    let broad = random.unit();
    let varnish = if old { Vec3::new(1., 0.93, 0.74).lerp(Vec3::ONE, random.unit() * 0.7) } else { Vec3::ONE };
    look.add(
        Tone {
            contrast: random.between(0., 0.25),
            black: Vec3::new(0.05, 0.04, 0.03) * random.between(0., 1.5),
            white: varnish,
            mix: Mix::Saturation(if old { random.between(0.6, 1.05) } else { random.between(0.9, 1.6) }),
            ..tone
        }
        .ready(),
    );
    look.add(Oil {
        field: Field::draw(random),
        seed: random.seed(),
        habit: habit(random),
        brush: 0.008 + 0.013 * broad,
        smear: 0.012 + 0.022 * broad,
        bristles: random.between(0.015, 0.075),
        canvas: random.between(0., 0.07),
        cracks: if old && random.chance(0.5) { random.between(0.1, 0.45) } else { 0. },
    });
}

fn watercolour(random: &mut Random, look: &mut Look) {
    let tone = response(random);
    look.add(Tone { gains: tone.gains * 1.25, contrast: random.between(0., 0.2), vignette: 0., ..tone }.ready());
    look.add(Watercolour {
        field: Field::draw(random),
        habit: habit(random),
        brush: random.between(0.01, 0.02),
        paper: Vec3::new(1., 0.985, 0.95).lerp(Vec3::ONE, random.unit()) * random.between(0.94, 1.),
        thin: random.between(0.05, 0.35),
        rims: random.between(1., 4.),
    });
}

fn cartoon(random: &mut Random, look: &mut Look) {
    let tone = response(random);
    look.add(Tone { contrast: random.between(0., 0.25), vignette: 0., ..tone }.ready());
    look.add(Cartoon {
        field: Field::draw(random),
        habit: habit(random),
        brush: random.between(0.01, 0.018),
        levels: random.between(4., 9.),
        saturation: random.between(1., 1.8),
        pen: random.between(0.005, 0.009),
        ink: random.between(0.3, 1.),
    });
}

fn pencil(random: &mut Random, look: &mut Look) {
    let coloured = random.chance(0.35);
    let inks = [(0.16, 0.16, 0.18), (0.16, 0.16, 0.18), (0.1, 0.14, 0.32), (0.3, 0.2, 0.14)];
    look.add(Drawing {
        field: Field::draw(random),
        paper: Vec3::new(1., 0.98, 0.93).lerp(Vec3::ONE, random.unit()) * random.between(0.9, 1.),
        ink: Vec3::from(*random.pick(&inks)),
        colour: if coloured { random.between(0.6, 1.) } else { 0. },
        hatching: if random.chance(0.6) { random.between(30., 70.) } else { 0. },
        turn: random.between(0.3, 1.2),
        shade: random.between(0.15, 0.6),
        tooth: random.between(0.1, 0.35),
        pen: random.between(0.004, 0.008),
        outline: random.between(0.5, 0.9),
        chalk: 0.,
    });
}

fn charcoal(random: &mut Random, look: &mut Look) {
    let papers = [(0.95, 0.93, 0.88), (0.78, 0.7, 0.58), (0.7, 0.72, 0.74), (0.85, 0.76, 0.62)];
    let inks = [(0.07, 0.07, 0.07), (0.07, 0.07, 0.07), (0.45, 0.17, 0.1)];
    let paper = Vec3::from(*random.pick(&papers));
    look.add(Drawing {
        field: Field::draw(random),
        paper,
        ink: Vec3::from(*random.pick(&inks)),
        colour: 0.,
        hatching: 0.,
        turn: 0.,
        shade: random.between(0.55, 0.85),
        tooth: random.between(0.15, 0.4),
        pen: random.between(0.006, 0.012),
        outline: random.between(0.4, 0.8),
        chalk: if paper.x < 0.9 { random.between(0.2, 0.8) } else { 0. },
    });
}

fn statue(random: &mut Random, look: &mut Look) {
    let materials = [
        [(0.3, 0.29, 0.29), (0.82, 0.81, 0.79), (1., 1., 0.99)],
        [(0.34, 0.32, 0.3), (0.84, 0.8, 0.73), (1., 0.98, 0.93)],
        [(0.22, 0.23, 0.25), (0.6, 0.61, 0.62), (0.88, 0.89, 0.9)],
        [(0.3, 0.16, 0.1), (0.72, 0.47, 0.34), (0.92, 0.74, 0.6)],
        [(0.06, 0.05, 0.04), (0.42, 0.32, 0.2), (0.98, 0.86, 0.6)],
    ];
    let material = *random.weighted(&materials.map(|material| (material, 1.)));
    look.add(Statue {
        field: Field::draw(random),
        colours: material.map(Vec3::from),
        wide: random.between(0.15, 0.45),
        contrast: random.between(1.1, 1.7),
        rough: random.between(0., 0.02),
    });
    look.add(Tone { gains: Vec3::splat(random.normal_within(0., 0.15, 2.).exp2()), ..Tone::NEUTRAL }.ready());
}

fn halftone(random: &mut Random, look: &mut Look) {
    look.add(response(random).ready());
    let paper = Vec3::new(0.97, 0.94, 0.86).lerp(Vec3::ONE, random.unit());
    look.add(Halftone { dots: random.between(36., 64.), coloured: random.chance(0.5), paper });
}
