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
    shapes: Shapes,
}

/// Where the parts of frame 0 are.
struct Shapes {
    hair: Ellipse,
    skin: Ellipse,
    nose: Ellipse,
    sides: [Side; 2],
    mouth: Ellipse,
}

/// What each half of a face has.
struct Side {
    eye: Ellipse,
    iris: Ellipse,
    brow: Ellipse,
}

struct Ellipse {
    middle: [f32; 2],
    axes: [f32; 2],
    /// How far something of it is left, each way. Most places are far from most shapes, and there are many places.
    reach: [f32; 2],
}

struct Eyes {
    height: f32,
    distance: f32,
    /// Of the brows, above the eyes.
    brows: f32,
}

/// A place of a frame, and what is the same there in all frames of a clip.
struct Spot {
    place: [f32; 2],
    /// How far the full expression moves it.
    pull: [f32; 2],
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
        let seen = |strength, spot: &Spot| {
            let Origin { place, inside } = self.origin(strength, spot);
            mix(self.face.colour(place), [0.25, 0.08, 0.08], inside)
        };
        self.grids(TILE, seen, |value| (value.clamp(0.0, 1.0) * 255.0 + 0.5) as u8)
    }

    /// `[frame, y, x, (dx, dy, visibility)]`.
    fn flow(&self) -> Vec<f16> {
        let moved = |strength, spot: &Spot| {
            let origin = self.origin(strength, spot);
            [origin.place[0] - spot.place[0], origin.place[1] - spot.place[1], 1.0 - origin.inside]
        };
        self.grids(CELLS, moved, f16::from_f32)
    }

    /// The means of three values, which depend on how much of the expression is there, over each cell of all frames.
    fn grids<T: Copy>(&self, side: usize, value: impl Fn(f32, &Spot) -> [f32; 3], round: fn(f32) -> T) -> Vec<T> {
        let spots = self.spots(side);
        let grid = |frame| -> Vec<T> {
            let strength = (std::f32::consts::PI * frame as f32 / FRAMES as f32).sin();
            grid_means(&spots, |spot| value(strength, spot)).flatten().map(round).collect()
        };
        // The way back shows the same as the way there.
        let there: Vec<Vec<T>> = (0..=APEX).map(grid).collect();
        (0..FRAMES).flat_map(|frame| there[frame.min(FRAMES - frame)].iter().copied()).collect()
    }

    /// The samples of a `side` by `side` grid on [-1, 1], those of a cell one after the other.
    fn spots(&self, side: usize) -> Vec<Spot> {
        let at = |i: usize| (2 * i + 1) as f32 / (side * SAMPLES) as f32 - 1.0;
        let spot = |index: usize| {
            let (cell, sample) = (index / SAMPLES.pow(2), index % SAMPLES.pow(2));
            let (row, column) = (cell / side * SAMPLES, cell % side * SAMPLES);
            let place = [at(column + sample % SAMPLES), at(row + sample / SAMPLES)];
            Spot { place, pull: self.face.pull(self.label, self.sway, place) }
        };
        (0..(side * SAMPLES).pow(2)).map(spot).collect()
    }

    fn origin(&self, strength: f32, spot: &Spot) -> Origin {
        self.face.origin(self.label, strength, spot)
    }
}

impl Face {
    fn draw(rng: &mut ChaCha8Rng) -> Self {
        let tone = between(rng, 0.35, 0.95);
        let mut colour = |low: f32, high: f32| [(); 3].map(|()| between(rng, low, high));
        let (hair, iris, backdrop) = (colour(0.05, 0.6), colour(0.1, 0.6), [colour(0.2, 0.9), colour(0.2, 0.9)]);
        let axes = [between(rng, 0.5, 0.62), between(rng, 0.68, 0.8)];
        let eyes = Eyes {
            height: between(rng, -0.18, -0.08),
            distance: between(rng, 0.2, 0.27),
            brows: between(rng, 0.13, 0.18),
        };
        let mouth = [between(rng, 0.36, 0.44), between(rng, 0.18, 0.26)];
        Self {
            skin: [tone, 0.78 * tone, 0.64 * tone],
            lips: [0.75 * tone, 0.42 * tone, 0.42 * tone],
            hair,
            iris,
            backdrop,
            shapes: Shapes::of(axes, &eyes, mouth),
            axes,
            eyes,
            mouth,
        }
    }

    /// Frame 0 at a place in [-1, 1].
    fn colour(&self, place: [f32; 2]) -> [f32; 3] {
        let [x, y] = place;
        let shapes = &self.shapes;
        let hair = shapes.hair.share(place);
        let mut colour = self.hair;
        if hair < 1.0 {
            let backdrop = mix(self.backdrop[0], self.backdrop[1], 0.5 + 0.35 * y + 0.15 * (7.0 * x).sin());
            colour = mix(backdrop, colour, hair);
        }
        let skin = shapes.skin.share(place);
        if skin > 0.0 {
            // Lit from the upper left, and a little uneven, so that every place differs from its
            // neighbours.
            let light = 1.0 - 0.22 * (x + y) + 0.05 * (11.0 * x + 5.0 * y).sin() * (9.0 * y).cos();
            colour = mix(colour, self.skin.map(|value| value * light), skin);
        }
        colour = mix(colour, self.skin.map(|value| value * 0.72), 0.6 * shapes.nose.share(place));
        for Side { eye, iris, brow } in &shapes.sides {
            colour = mix(colour, [0.95; 3], eye.share(place));
            colour = mix(colour, self.iris, iris.share(place));
            colour = mix(colour, self.hair.map(|v| 0.6 * v), brow.share(place));
        }
        mix(colour, self.lips, shapes.mouth.share(place))
    }

    /// How far the full expression moves a place, with the head moved by `sway`; less of it moves it by as much less.
    /// Only the lower lip of an opening mouth takes another way.
    fn pull(&self, label: &str, sway: [f32; 2], place: [f32; 2]) -> [f32; 2] {
        let [x, y] = place;
        // The head moves as a whole, and the backdrop stands still; the step between lies in the hair.
        let radius = length([x / (self.axes[0] + 0.2), (y + 0.05) / (self.axes[1] + 0.2)]);
        let head = 1.0 - smooth_step((radius - 0.85) / 0.5);
        let [mouth, corner] = self.mouth;
        let eyes = &self.eyes;
        let brow = eyes.height - eyes.brows;
        let bumps = [-1.0, 1.0].map(|side| match label {
            "happiness" => bump(place, [side * corner, mouth], 0.12, [side * 0.07, -0.1]),
            "sadness" => sum(
                bump(place, [side * corner, mouth], 0.12, [-side * 0.02, 0.09]),
                bump(place, [side * 0.4 * eyes.distance, brow], 0.09, [0.0, -0.07]),
            ),
            "surprise" => bump(place, [side * eyes.distance, brow], 0.12, [0.0, -0.1]),
            _ => [0.0; 2],
        });
        bumps.into_iter().fold(sway.map(|sway| sway * head), sum)
    }

    /// Where a place of a frame comes from, with the expression at `strength`.
    fn origin(&self, label: &str, strength: f32, spot: &Spot) -> Origin {
        let [x, y] = spot.place;
        let [mouth, corner] = self.mouth;
        let mut moved = spot.pull.map(|pull| strength * pull);
        let mut inside = 0.0;
        if label == "surprise" {
            // The lower lip and the chin go down, and what was never seen appears between the lips.
            let open = 0.16 * strength;
            if y > mouth {
                moved = sum(moved, bump(spot.place, [0.0, mouth + open], 0.18, [0.0, open]));
            }
            let radius = length([x / (0.75 * corner), (y - mouth - 0.5 * open) / (0.5 * open + 1e-3)]);
            inside = covered((radius - 1.0) * (0.5 * open)) * smooth_step(open / 0.05);
        }
        Origin { place: [x - moved[0], y - moved[1]], inside }
    }
}

impl Shapes {
    fn of([width, height]: [f32; 2], eyes: &Eyes, mouth: [f32; 2]) -> Self {
        let side = |side: f32| {
            let eye = [side * eyes.distance, eyes.height];
            Side {
                eye: Ellipse::new(eye, [0.11, 0.06]),
                iris: Ellipse::new(eye, [0.05, 0.05]),
                brow: Ellipse::new([eye[0], eye[1] - eyes.brows], [0.14, 0.035]),
            }
        };
        Self {
            hair: Ellipse::new([0.0, -0.12], [width + 0.1, height + 0.06]),
            skin: Ellipse::new([0.0, 0.06], [width, height]),
            nose: Ellipse::new([0.03, 0.14], [0.05, 0.13]),
            sides: [side(-1.0), side(1.0)],
            mouth: Ellipse::new([0.0, mouth[0]], [mouth[1], 0.06]),
        }
    }
}

impl Ellipse {
    fn new(middle: [f32; 2], axes: [f32; 2]) -> Self {
        let reach = 1.0 + SOFT / axes[0].min(axes[1]);
        Self { middle, axes, reach: axes.map(|axis| reach * axis) }
    }

    /// How much of it is at a place.
    fn share(&self, place: [f32; 2]) -> f32 {
        let [x, y] = [0, 1].map(|axis| place[axis] - self.middle[axis]);
        let [width, height] = self.axes;
        if x.abs() > self.reach[0] || y.abs() > self.reach[1] {
            return 0.0;
        }
        covered((length([x / width, y / height]) - 1.0) * width.min(height))
    }
}

/// The means of `value` over the cells of a grid.
fn grid_means(spots: &[Spot], value: impl Fn(&Spot) -> [f32; 3]) -> impl Iterator<Item = [f32; 3]> {
    let samples = SAMPLES.pow(2);
    spots.chunks_exact(samples).map(move |cell| {
        let mut sum = [0.0; 3];
        for spot in cell {
            sum.iter_mut().zip(value(spot)).for_each(|(sum, value)| *sum += value);
        }
        sum.map(|sum| sum / samples as f32)
    })
}

/// A motion that is `by` in the middle and less around it.
fn bump(place: [f32; 2], middle: [f32; 2], size: f32, by: [f32; 2]) -> [f32; 2] {
    let distance = ((place[0] - middle[0]).powi(2) + (place[1] - middle[1]).powi(2)) / (2.0 * size * size);
    by.map(|by| by * (-distance).exp())
}

fn sum(a: [f32; 2], b: [f32; 2]) -> [f32; 2] {
    [a[0] + b[0], a[1] + b[1]]
}

fn mix(from: [f32; 3], to: [f32; 3], share: f32) -> [f32; 3] {
    let share = share.clamp(0.0, 1.0);
    [0, 1, 2].map(|channel| from[channel] + (to[channel] - from[channel]) * share)
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
