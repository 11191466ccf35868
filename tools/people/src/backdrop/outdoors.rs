//! Places outdoors: hills, trees, parks, snow, the sea and leaves out of focus.

use glam::{Vec2, Vec3};

use super::{
    fill::{Fill, Sky},
    sketch::{Sketch, anywhere, depth_of_field, near},
    stroke::{Mode, Shape, Stroke},
};
use crate::{
    random::Random,
    texture::{hsv, srgb},
};

/// The light of a time of day and the colours of a season.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hour {
    zenith: Vec3,
    low: Vec3,
    cloud: Vec3,
    /// What the ground's colours are multiplied with.
    pub(super) light: Vec3,
    sun: Option<Vec3>,
}

impl Hour {
    /// Any hour of the day.
    pub(super) fn draw(random: &mut Random) -> Self {
        match *random.weighted(&[(0, 4.), (1, 3.), (2, 2.5), (3, 1.)]) {
            0 => Self::noon(random),
            1 => Self::overcast(random),
            2 => Self::sunset(random),
            _ => Self::dusk(random),
        }
    }

    fn noon(random: &mut Random) -> Self {
        let bright = random.between(0.7, 1.2);
        let zenith = srgb(66, 128, 206).lerp(srgb(120, 170, 225), random.unit()) * bright;
        let light = Vec3::new(1., 0.97, 0.9) * random.between(0.7, 1.1);
        Self { zenith, low: srgb(190, 215, 240) * bright, cloud: Vec3::splat(1.1 * bright), light, sun: None }
    }

    fn overcast(random: &mut Random) -> Self {
        let grey = random.between(0.4, 1.3);
        let zenith = Vec3::new(0.85, 0.92, 1.) * grey * 0.8;
        Self {
            zenith,
            low: Vec3::splat(grey),
            cloud: Vec3::splat(grey * 0.9),
            light: Vec3::splat(grey * 0.6),
            sun: None,
        }
    }

    fn sunset(random: &mut Random) -> Self {
        let low = srgb(255, 150, 70).lerp(srgb(250, 190, 150), random.unit()) * random.between(0.7, 1.3);
        let zenith = srgb(70, 90, 150).lerp(srgb(150, 100, 140), random.unit()) * random.between(0.5, 1.2);
        let sun = Some(Vec3::new(1., 0.6, 0.25) * random.between(0.4, 1.6));
        let light = Vec3::new(1., 0.68, 0.42) * random.between(0.25, 0.7);
        Self { zenith, low, cloud: srgb(255, 180, 140), light, sun }
    }

    fn dusk(random: &mut Random) -> Self {
        let blue = srgb(40, 58, 110) * random.between(0.5, 1.5);
        let low = srgb(120, 110, 150).lerp(srgb(190, 130, 120), random.unit()) * 0.7;
        Self { zenith: blue, low, cloud: blue * 1.4, light: Vec3::new(0.5, 0.6, 1.) * 0.25, sun: None }
    }

    /// Fills all with its sky, the horizon at `horizon`.
    pub(super) fn sky(&self, random: &mut Random, sketch: &mut Sketch, horizon: f32) {
        let cover = random.between(-0.1, 0.95);
        let (scale, offset) = (random.between(0.5, 1.3), anywhere(random));
        let (zenith, low, cloud) = (self.zenith, self.low, self.cloud);
        let shade = cloud * 0.62;
        sketch.fill(Fill::Sky(Sky { zenith, low, cloud, shade, cover, horizon, scale, offset }));
        if let Some(sun) = self.sun {
            let centre = Vec2::new(random.between(-0.1, 1.1), horizon - random.between(-0.02, 0.25));
            sketch.glow(centre, Vec2::splat(random.between(0.15, 0.5)), sun);
            let disc = Shape::Ellipse { centre, half: Vec2::splat(0.025), turn: 0. };
            sketch.add(Stroke { mode: Mode::Add, soft: 0.02, ..Stroke::new(disc, Fill::Plain(sun * 6.)) });
        }
    }

    /// How a thing looks through the air: far ones take the colour of the low sky.
    fn through_air(&self, colour: Vec3, far: f32) -> Vec3 {
        (colour * self.light).lerp(self.low * 0.75, far)
    }
}

/// The colours of what grows in a season.
#[derive(Clone, Copy, Debug)]
struct Season {
    leaves: Vec3,
    grass: Vec3,
    snow: bool,
}

impl Season {
    fn draw(random: &mut Random) -> Self {
        let season = match *random.weighted(&[(0, 5.), (1, 2.), (2, 1.5), (3, 1.2)]) {
            0 => Self { leaves: srgb(72, 104, 46), grass: srgb(108, 134, 66), snow: false },
            1 => Self { leaves: srgb(180, 110, 40), grass: srgb(140, 126, 70), snow: false },
            2 => Self { leaves: srgb(40, 60, 46), grass: srgb(226, 230, 236), snow: true },
            _ => Self { leaves: srgb(130, 124, 80), grass: srgb(206, 178, 128), snow: false },
        };
        let (leaves, grass) = (near(random, season.leaves, 0.25), near(random, season.grass, 0.1));
        Self { leaves, grass, ..season }
    }
}

/// Hills, a meadow and trees under a sky.
pub(super) fn landscape(random: &mut Random, sketch: &mut Sketch) {
    let (hour, season) = (Hour::draw(random), Season::draw(random));
    let horizon = random.between(0.35, 0.8);
    hour.sky(random, sketch, horizon);
    if random.chance(0.7) {
        ridges(random, sketch, horizon, &hour, &season);
    }
    let grass = hour.through_air(season.grass, 0.);
    let meadow = Shape::Below {
        height: horizon,
        slope: random.normal(0., 0.04),
        rough: 0.015,
        frequency: 3.,
        octaves: 2,
        offset: 5.,
    };
    let (scale, offset) = (Vec2::new(5., 26.), anywhere(random));
    let colours = [grass, grass * 0.6];
    let fill = Fill::Mottled { colours, scale, turn: 0., octaves: 3, contrast: 0.7, offset };
    sketch.add(Stroke::new(meadow, fill));
    treeline(random, sketch, horizon, &hour, &season);
    let blur = depth_of_field(random, 0.003, 0.05);
    sketch.blur(blur * 0.5);
    for _ in 0..random.below(4) {
        let x = if random.chance(0.5) { random.between(-0.1, 0.25) } else { random.between(0.75, 1.1) };
        let foot = Vec2::new(x, horizon + random.between(0.02, 0.25));
        tree(random, sketch, foot, random_height(foot.y - horizon), &hour, &season);
    }
    sketch.finish(blur);
}

/// Trees nearer to us are higher on the picture.
fn random_height(below_horizon: f32) -> f32 {
    0.3 + 2.2 * below_horizon
}

fn ridges(random: &mut Random, sketch: &mut Sketch, horizon: f32, hour: &Hour, season: &Season) {
    let count = 1 + random.below(4);
    let (rough, frequency) = (random.between(0.02, 0.12), random.between(1., 4.));
    for ridge in 0..count {
        let far = 0.85 - 0.6 * ridge as f32 / count as f32;
        let height = horizon - (0.22 - 0.05 * ridge as f32).max(0.02) * random.between(0.3, 1.);
        let colour = if season.snow && far > 0.5 { Vec3::splat(0.75) } else { season.leaves };
        let shape = Shape::Below {
            height,
            slope: random.normal(0., 0.06),
            rough: rough * (1. - 0.15 * ridge as f32),
            frequency: frequency * (1. + 0.4 * ridge as f32),
            octaves: 5,
            offset: random.between(0., 60.),
        };
        sketch.add(Stroke::new(shape, Fill::Plain(hour.through_air(colour, far))));
    }
}

/// A wood at the end of the meadow.
fn treeline(random: &mut Random, sketch: &mut Sketch, horizon: f32, hour: &Hour, season: &Season) {
    if random.chance(0.35) {
        return;
    }
    let from = random.between(-0.2, 0.8);
    let (reach, crown) = (random.between(0.3, 1.2), random.between(0.02, 0.07));
    for _ in 0..(reach / crown * 1.6) as usize {
        let x = from + random.between(0., reach);
        let half = Vec2::new(crown, crown * random.between(0.7, 1.5));
        let colour = hour.through_air(near(random, season.leaves, 0.25), random.between(0.15, 0.35));
        let (rough, offset) = (0.4, anywhere(random));
        let shape = Shape::Blob { centre: Vec2::new(x, horizon - half.y * 0.7), half, rough, frequency: 30., offset };
        sketch.add(Stroke::new(shape, Fill::Plain(colour)));
    }
}

fn tree(random: &mut Random, sketch: &mut Sketch, foot: Vec2, height: f32, hour: &Hour, season: &Season) {
    let bark = hour.through_air(srgb(84, 66, 52), 0.);
    sketch.bar(foot - Vec2::Y * height * 0.25, Vec2::new(height * 0.025, height * 0.27), 0., bark);
    if season.snow || random.chance(0.25) {
        conifer(random, sketch, foot, height, hour, season);
    } else {
        crown(random, sketch, foot, height, hour, season);
    }
}

fn conifer(random: &mut Random, sketch: &mut Sketch, foot: Vec2, height: f32, hour: &Hour, season: &Season) {
    let needles = hour.through_air(near(random, srgb(38, 62, 44), 0.2), 0.05);
    for tier in 0..5 {
        let (low, half) = (0.08 + 0.17 * tier as f32, 0.22 - 0.038 * tier as f32);
        let base = foot - Vec2::Y * height * low;
        let corners = [(0., -0.3), (half, 0.), (-half, 0.)].map(|(x, y)| base + Vec2::new(x, y) * height);
        sketch.convex(corners.to_vec(), needles * (0.8 + 0.1 * tier as f32));
        if season.snow {
            let snow = hour.through_air(Vec3::splat(0.85), 0.);
            let corners =
                [(0., -0.3), (half * 0.7, -0.08), (-half * 0.7, -0.08)].map(|(x, y)| base + Vec2::new(x, y) * height);
            sketch.convex(corners.to_vec(), snow.lerp(needles, 0.25));
        }
    }
}

fn crown(random: &mut Random, sketch: &mut Sketch, foot: Vec2, height: f32, hour: &Hour, season: &Season) {
    let middle = foot - Vec2::Y * height * 0.65;
    for lump in 0..12 {
        // The later lumps are higher and catch more light.
        let lift = lump as f32 / 12.;
        let centre = middle
            + Vec2::new(random.normal_within(0., 0.16, 2.), 0.12 - 0.3 * lift + random.normal(0., 0.05)) * height;
        let half = Vec2::new(random.between(0.1, 0.18), random.between(0.08, 0.15)) * height;
        let leaves = hour.through_air(near(random, season.leaves, 0.15) * (0.5 + 0.8 * lift), 0.05);
        let (scale, offset) = (Vec2::splat(26. / height.max(0.3)), anywhere(random));
        let fill =
            Fill::Mottled { colours: [leaves, leaves * 0.45], scale, turn: 0.5, octaves: 2, contrast: 0.9, offset };
        let shape = Shape::Blob { centre, half, rough: 0.5, frequency: 14. / height.max(0.3), offset };
        sketch.add(Stroke::new(shape, fill));
    }
}

/// Leaves close behind, from a garden hedge to a wood against the light, out of focus.
pub(super) fn foliage(random: &mut Random, sketch: &mut Sketch) {
    let season = Season::draw(random);
    let light = Hour::draw(random).light;
    let leaves = if season.snow { season.leaves } else { season.leaves * 1.3 } * light;
    let (scale, offset) = (Vec2::splat(random.between(3., 7.)), anywhere(random));
    let colours = [leaves * 0.7, leaves * 0.08];
    sketch.fill(Fill::Mottled { colours, scale, turn: 0.6, octaves: 4, contrast: 0.9, offset });
    trunks(random, sketch, light);
    let (count, size) = (random.between(60., 260.) as usize, random.between(0.02, 0.06));
    for _ in 0..count {
        let centre = Vec2::new(random.unit(), random.unit());
        let half = Vec2::new(size, size * random.between(0.3, 0.7)) * random.between(0.5, 1.3);
        let colour = near(random, leaves, 0.5) * random.between(0.3, 2.2);
        sketch.ellipse(centre, half, random.between(0., 6.), colour);
    }
    let blur = depth_of_field(random, 0.008, 0.05);
    let points = random.between(0., 9.).powi(2) as usize;
    let gap = (Vec3::new(0.9, 1., 0.85) * light).lerp(leaves * 3., random.unit());
    sparkle(random, sketch, points, blur, gap);
    sketch.finish(blur);
    // Above, where the sky comes through.
    if random.chance(0.4) {
        let glow = light * random.between(0.2, 0.9);
        sketch.glow(Vec2::new(random.unit(), -0.1), Vec2::new(0.5, 0.3), glow);
    }
}

fn trunks(random: &mut Random, sketch: &mut Sketch, light: Vec3) {
    for _ in 0..random.below(5) {
        let bark = near(random, srgb(90, 72, 58), 0.3) * light;
        let half = Vec2::new(random.between(0.008, 0.04), 0.7);
        sketch.bar(Vec2::new(random.unit(), 0.5), half, random.normal(0., 0.08), bark);
    }
}

/// Small bright gaps, which the blur makes discs of light.
fn sparkle(random: &mut Random, sketch: &mut Sketch, points: usize, blur: f32, colour: Vec3) {
    let radius = 0.009;
    let gain = (blur / radius).powi(2).max(1.);
    for _ in 0..points {
        let centre = Vec2::new(random.unit(), random.unit() * random.between(0.4, 1.));
        let light = colour * random.between(0.05, 0.6) * gain;
        let shape = Shape::Ellipse { centre, half: Vec2::splat(radius), turn: 0. };
        sketch.add(Stroke { mode: Mode::Add, ..Stroke::new(shape, Fill::Plain(light)) });
    }
}

/// The sea or a lake, with sand or grass before it.
pub(super) fn shore(random: &mut Random, sketch: &mut Sketch) {
    let hour = Hour::draw(random);
    let horizon = random.between(0.3, 0.65);
    hour.sky(random, sketch, horizon);
    if random.chance(0.4) {
        let season = Season::draw(random);
        ridges(random, sketch, horizon, &hour, &season);
    }
    let water = srgb(40, 92, 120).lerp(srgb(60, 140, 150), random.unit());
    let water = (water * hour.light).lerp(hour.low, 0.3);
    let (scale, offset) = (Vec2::new(4., 60.), anywhere(random));
    let colours = [water, hour.low.lerp(water, 0.4)];
    let sea = Shape::Below { height: horizon, slope: 0., rough: 0., frequency: 1., octaves: 1, offset: 0. };
    sketch.add(Stroke::new(sea, Fill::Mottled { colours, scale, turn: 0., octaves: 3, contrast: 0.7, offset }));
    if random.chance(0.7) {
        let height = horizon + random.between(0.12, 0.35);
        let beach =
            Shape::Below { height, slope: random.normal(0., 0.15), rough: 0.02, frequency: 3., octaves: 2, offset: 9. };
        let sand = near(random, srgb(214, 190, 150), 0.15) * hour.light;
        let (scale, offset) = (Vec2::new(20., 50.), anywhere(random));
        let foam = Fill::Plain(Vec3::splat(0.9) * hour.light);
        sketch.add(Stroke { soft: 0.05, ..Stroke::new(beach.clone(), foam) });
        let fill = Fill::Mottled { colours: [sand, sand * 0.75], scale, turn: 0., octaves: 3, contrast: 0.6, offset };
        let lower = match beach {
            Shape::Below { height, slope, rough, frequency, octaves, offset } => {
                Shape::Below { height: height + 0.03, slope, rough, frequency, octaves, offset }
            }
            other => other,
        };
        sketch.add(Stroke { soft: 0.01, ..Stroke::new(lower, fill) });
    }
    sketch.finish(depth_of_field(random, 0.002, 0.04));
}

/// Warm or cool light for houses: the same hours as in the country.
pub(super) fn house_colour(random: &mut Random) -> Vec3 {
    match random.below(4) {
        0 => near(random, srgb(150, 90, 70), 0.2),
        1 => hsv(random.between(0.08, 0.14), random.between(0.1, 0.35), random.between(0.6, 0.95)),
        2 => hsv(random.unit(), random.between(0.05, 0.3), random.between(0.4, 0.9)),
        _ => Vec3::splat(random.between(0.2, 0.7)),
    }
}
