//! A training set that needs no files: drawn faces with a few expressions, and the exact flow of each.
//!
//! A frame is frame 0 looked up through a smooth displacement, so flow and picture agree by
//! construction; an opening mouth is the one thing that no displacement explains.

use std::path::Path;

use half::f16;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use rayon::prelude::*;

use super::{
    contents::Contents,
    error::DataError,
    meta::{Meta, Person, Splits, Take},
    pixels::Pixels,
    random::between,
    split::Split,
};

/// The name of this set in place of a directory; in place of a directory of flow, its exact flow.
pub(crate) const SYNTHETIC: &str = "synthetic";

/// Pixels of a tile, each way.
const TILE: usize = 64;
/// Cells of the exact flow, each way.
const CELLS: usize = 32;
/// Frames per clip: rest, the expression, and back.
const FRAMES: usize = 16;
/// Suggested frames per second.
const FPS: usize = 8;
/// The frame of the full expression.
const APEX: usize = 8;
const LABELS: [&str; 4] = ["neutral", "happiness", "sadness", "surprise"];

/// People of the training and of the validation split.
const PEOPLE: (u32, u32) = (48, 12);

/// Samples per pixel and per flow cell, each way.
const SAMPLES: usize = 2;

/// How far outside of a shape something of it is left: half a pixel.
const SOFT: f32 = 1.0 / TILE as f32;

/// Draws the people of one split, for a model of `size`.
pub(super) fn draw(with_flow: bool, size: usize, split: Split) -> Result<Contents, DataError> {
    let meta = meta();
    meta.admit(size, Path::new(SYNTHETIC))?;
    let people = meta.ids(split).into_par_iter().map(|id| draw_person(id, with_flow)).collect();
    Ok(meta.contents(people, Vec::new()))
}

/// What the `meta.json` of the set would say.
fn meta() -> Meta {
    let (train, val) = PEOPLE;
    Meta {
        actions: LABELS.map(str::to_owned).to_vec(),
        frames: FRAMES,
        size: TILE,
        fps: FPS,
        apex_frame: APEX,
        takes: vec![0],
        clip_files: None,
        reference_files: None,
        references: 0,
        splits: Splits { train: (0..train).collect(), val: (train..train + val).collect() },
    }
}

fn draw_person(id: u32, with_flow: bool) -> Person {
    let mut rng = ChaCha8Rng::seed_from_u64(0x5EED ^ u64::from(id));
    let face = Face::draw(&mut rng);
    let clips = LABELS.map(|label| Clip {
        face: &face,
        label,
        sway: [between(&mut rng, -0.06, 0.06), between(&mut rng, -0.03, 0.03)],
    });
    let rows = clips.iter().map(|clip| Pixels::Plain(clip.pixels())).collect();
    let flow = with_flow.then(|| (CELLS, clips.iter().map(Clip::flow).collect()));
    Person { id, takes: vec![Take { rows, strengths: None, references: None, flow }] }
}

/// Everything that tells one face from another.
struct Face {
    skin: [f32; 3],
    hair: [f32; 3],
    lips: [f32; 3],
    iris: [f32; 3],
    backdrop: [[f32; 3]; 2],
    /// Half axes.
    axes: [f32; 2],
    eyes: Eyes,
    /// Height and half width of the mouth.
    mouth: [f32; 2],
}

struct Eyes {
    height: f32,
    distance: f32,
    /// Of the brows, above the eyes.
    brows: f32,
}

/// Where a place of a frame comes from.
struct Origin {
    place: [f32; 2],
    /// How much of the inside of the mouth shows there instead.
    inside: f32,
}

/// One expression of a face.
struct Clip<'a> {
    face: &'a Face,
    label: &'static str,
    /// How far the head moves until the expression is there.
    sway: [f32; 2],
}

impl Clip<'_> {
    /// `[frame, y, x, rgb]`.
    fn pixels(&self) -> Vec<u8> {
        let seen = |strength, place| {
            let Origin { place, inside } = self.origin(strength, place);
            mix(self.face.colour(place), [0.25, 0.08, 0.08], inside)
        };
        grids(TILE, seen, |value| (value.clamp(0.0, 1.0) * 255.0 + 0.5) as u8)
    }

    /// `[frame, y, x, (dx, dy, visibility)]`.
    fn flow(&self) -> Vec<f16> {
        let moved = |strength, place: [f32; 2]| {
            let origin = self.origin(strength, place);
            [origin.place[0] - place[0], origin.place[1] - place[1], 1.0 - origin.inside]
        };
        grids(CELLS, moved, f16::from_f32)
    }

    fn origin(&self, strength: f32, place: [f32; 2]) -> Origin {
        self.face.origin(self.label, strength, self.sway, place)
    }
}

impl Face {
    fn draw(rng: &mut ChaCha8Rng) -> Self {
        let tone = between(rng, 0.35, 0.95);
        let mut colour = |low: f32, high: f32| [(); 3].map(|()| between(rng, low, high));
        let (hair, iris, backdrop) = (colour(0.05, 0.6), colour(0.1, 0.6), [colour(0.2, 0.9), colour(0.2, 0.9)]);
        Self {
            skin: [tone, 0.78 * tone, 0.64 * tone],
            lips: [0.75 * tone, 0.42 * tone, 0.42 * tone],
            hair,
            iris,
            backdrop,
            axes: [between(rng, 0.5, 0.62), between(rng, 0.68, 0.8)],
            eyes: Eyes {
                height: between(rng, -0.18, -0.08),
                distance: between(rng, 0.2, 0.27),
                brows: between(rng, 0.13, 0.18),
            },
            mouth: [between(rng, 0.36, 0.44), between(rng, 0.18, 0.26)],
        }
    }

    /// Frame 0 at a place in [-1, 1].
    fn colour(&self, [x, y]: [f32; 2]) -> [f32; 3] {
        let ellipse = |[cx, cy]: [f32; 2], axes: [f32; 2]| ellipse([x - cx, y - cy], axes);
        let [width, height] = self.axes;
        let hair = ellipse([0.0, -0.12], [width + 0.1, height + 0.06]);
        let mut colour = self.hair;
        if hair < 1.0 {
            let backdrop = mix(self.backdrop[0], self.backdrop[1], 0.5 + 0.35 * y + 0.15 * (7.0 * x).sin());
            colour = mix(backdrop, colour, hair);
        }
        let skin = ellipse([0.0, 0.06], [width, height]);
        if skin > 0.0 {
            // Lit from the upper left, and a little uneven, so that every place differs from its
            // neighbours.
            let light = 1.0 - 0.22 * (x + y) + 0.05 * (11.0 * x + 5.0 * y).sin() * (9.0 * y).cos();
            colour = mix(colour, self.skin.map(|value| value * light), skin);
        }
        let nose = ellipse([0.03, 0.14], [0.05, 0.13]);
        colour = mix(colour, self.skin.map(|value| value * 0.72), 0.6 * nose);
        for side in [-1.0, 1.0] {
            let eye = [side * self.eyes.distance, self.eyes.height];
            colour = mix(colour, [0.95; 3], ellipse(eye, [0.11, 0.06]));
            colour = mix(colour, self.iris, ellipse(eye, [0.05, 0.05]));
            colour =
                mix(colour, self.hair.map(|v| 0.6 * v), ellipse([eye[0], eye[1] - self.eyes.brows], [0.14, 0.035]));
        }
        mix(colour, self.lips, ellipse([0.0, self.mouth[0]], [self.mouth[1], 0.06]))
    }

    /// Where a place of a frame comes from, with the expression at `strength` and the head moved by
    /// `sway` times that.
    fn origin(&self, label: &str, strength: f32, sway: [f32; 2], place: [f32; 2]) -> Origin {
        let [x, y] = place;
        // The head moves as a whole, and the backdrop stands still; the step between lies in the hair.
        let radius = length([x / (self.axes[0] + 0.2), (y + 0.05) / (self.axes[1] + 0.2)]);
        let head = 1.0 - smooth_step((radius - 0.85) / 0.5);
        let mut moved = sway.map(|sway| sway * strength * head);
        let mut bump = |centre: [f32; 2], size: f32, by: [f32; 2]| {
            let distance = ((x - centre[0]).powi(2) + (y - centre[1]).powi(2)) / (2.0 * size * size);
            for (moved, by) in moved.iter_mut().zip(by) {
                *moved += strength * by * (-distance).exp();
            }
        };
        let [mouth, corner] = self.mouth;
        let eyes = &self.eyes;
        for side in [-1.0, 1.0] {
            match label {
                "happiness" => bump([side * corner, mouth], 0.12, [side * 0.07, -0.1]),
                "sadness" => {
                    bump([side * corner, mouth], 0.12, [-side * 0.02, 0.09]);
                    bump([side * 0.4 * eyes.distance, eyes.height - eyes.brows], 0.09, [0.0, -0.07]);
                }
                "surprise" => bump([side * eyes.distance, eyes.height - eyes.brows], 0.12, [0.0, -0.1]),
                _ => {}
            }
        }
        let mut inside = 0.0;
        if label == "surprise" {
            // The lower lip and the chin go down, and what was never seen appears between the lips.
            let open = 0.16 * strength;
            if y > mouth {
                bump([0.0, mouth + open], 0.18, [0.0, 0.16]);
            }
            let radius = length([x / (0.75 * corner), (y - mouth - 0.5 * open) / (0.5 * open + 1e-3)]);
            inside = covered((radius - 1.0) * (0.5 * open)) * smooth_step(open / 0.05);
        }
        Origin { place: [x - moved[0], y - moved[1]], inside }
    }
}

/// The means of three values, which depend on how much of the expression is there, over each cell of all frames.
fn grids<T>(side: usize, value: impl Fn(f32, [f32; 2]) -> [f32; 3], round: fn(f32) -> T) -> Vec<T> {
    let strength = |frame| (std::f32::consts::PI * frame as f32 / FRAMES as f32).sin();
    let grid = |frame| {
        let strength = strength(frame);
        grid_means(side, |place| value(strength, place))
    };
    (0..FRAMES).flat_map(grid).flatten().map(round).collect()
}

/// The mean of `value` over each cell of a `side` by `side` grid on [-1, 1].
fn grid_means(side: usize, value: impl Fn([f32; 2]) -> [f32; 3]) -> Vec<[f32; 3]> {
    let fine = side * SAMPLES;
    let place = |i: usize| (2 * i + 1) as f32 / fine as f32 - 1.0;
    let cell = |index: usize| {
        let (row, column) = (index / side * SAMPLES, index % side * SAMPLES);
        let mut sum = [0.0; 3];
        for sample in 0..SAMPLES * SAMPLES {
            let sampled = value([place(column + sample % SAMPLES), place(row + sample / SAMPLES)]);
            sum.iter_mut().zip(sampled).for_each(|(sum, value)| *sum += value);
        }
        sum.map(|sum| sum / (SAMPLES * SAMPLES) as f32)
    };
    (0..side * side).map(cell).collect()
}

fn mix(from: [f32; 3], to: [f32; 3], share: f32) -> [f32; 3] {
    let share = share.clamp(0.0, 1.0);
    [0, 1, 2].map(|channel| from[channel] + (to[channel] - from[channel]) * share)
}

/// How much of an ellipse with half axes `axes` is at `offset` from its middle.
fn ellipse([x, y]: [f32; 2], [width, height]: [f32; 2]) -> f32 {
    let thin = width.min(height);
    // Most places are far from most shapes, and there are many places.
    let reach = 1.0 + SOFT / thin;
    if x.abs() > reach * width || y.abs() > reach * height {
        return 0.0;
    }
    covered((length([x / width, y / height]) - 1.0) * thin)
}

/// Faster than `hypot`, which guards against sizes that do not occur here.
fn length([x, y]: [f32; 2]) -> f32 {
    (x * x + y * y).sqrt()
}

/// 1 inside and 0 outside of a shape, by the distance to its edge: soft over a pixel.
fn covered(distance: f32) -> f32 {
    (0.5 - 0.5 * distance / SOFT).clamp(0.0, 1.0)
}

fn smooth_step(x: f32) -> f32 {
    let x = x.clamp(0.0, 1.0);
    x * x * (3.0 - 2.0 * x)
}
