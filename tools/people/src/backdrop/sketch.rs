//! The list of strokes of a backdrop, and short words to add them.

use glam::{Vec2, Vec3};

use super::{
    fill::Fill,
    stroke::{Mode, Shape, Stroke},
};
use crate::{random::Random, texture::hsv};

/// What a backdrop is painted from, the farthest plane first.
#[derive(Clone, Debug)]
pub(super) struct Sketch {
    pub(super) kind: &'static str,
    pub(super) planes: Vec<Plane>,
}

/// Strokes at one distance. The blur is of this plane and all before it, so that farther planes are softer.
#[derive(Clone, Debug, Default)]
pub(super) struct Plane {
    pub(super) strokes: Vec<Stroke>,
    /// Radius of the disc of confusion, as a share of the picture's width.
    pub(super) blur: f32,
}

impl Sketch {
    /// An empty sketch.
    pub(super) fn new(kind: &'static str) -> Self {
        Self { kind, planes: vec![Plane::default()] }
    }

    /// How many of `size` pixels are to be painted; more would cost much and show little.
    pub(super) fn enough_pixels(&self, size: usize) -> usize {
        let sharpest = self.planes.last().map_or(0., |plane| plane.blur).max(1e-3);
        // Five pixels from the middle of a disc to its rim make a smooth one, and lenses leave no backdrop so sharp
        // that two thirds of large pictures are not enough.
        let enough = ((5. / sharpest) as usize).clamp(128, (size * 2 / 3).max(192));
        enough.min(size)
    }

    /// Adds a stroke to the nearest plane.
    pub(super) fn add(&mut self, stroke: Stroke) {
        if let Some(plane) = self.planes.last_mut() {
            plane.strokes.push(stroke);
        }
    }

    /// Blurs all there is; what is added next lies before it.
    pub(super) fn blur(&mut self, radius: f32) {
        if let Some(plane) = self.planes.last_mut() {
            plane.blur = radius;
        }
        self.planes.push(Plane::default());
    }

    /// Blurs all there is and ends the sketch.
    pub(super) fn finish(&mut self, radius: f32) {
        if let Some(plane) = self.planes.last_mut() {
            plane.blur = radius;
        }
    }

    /// Fills everything.
    pub(super) fn fill(&mut self, fill: Fill) {
        self.add(Stroke::new(Shape::All, fill));
    }

    /// An upright box from its corners.
    pub(super) fn rect(&mut self, low: Vec2, high: Vec2, fill: Fill) {
        self.add(Stroke::new(rect(low, high), fill));
    }

    /// A turned box.
    pub(super) fn bar(&mut self, centre: Vec2, half: Vec2, turn: f32, colour: Vec3) {
        self.add(Stroke::new(Shape::Box { centre, half, turn, round: 0. }, Fill::Plain(colour)));
    }

    /// An ellipse of one colour.
    pub(super) fn ellipse(&mut self, centre: Vec2, half: Vec2, turn: f32, colour: Vec3) {
        self.add(Stroke::new(Shape::Ellipse { centre, half, turn }, Fill::Plain(colour)));
    }

    /// A convex outline of one colour, its corners clockwise on the picture.
    pub(super) fn convex(&mut self, corners: Vec<Vec2>, colour: Vec3) {
        self.add(Stroke::new(Shape::Convex(corners), Fill::Plain(colour)));
    }

    /// A glow that adds light.
    pub(super) fn glow(&mut self, centre: Vec2, radius: Vec2, colour: Vec3) {
        let fill = Fill::Radial { centre, radius, colours: [colour, Vec3::ZERO] };
        self.add(Stroke { mode: Mode::Add, ..Stroke::new(Shape::All, fill) });
    }

    /// Light that grows from `dark` to `bright` along a random direction, by multiplication.
    pub(super) fn falloff(&mut self, random: &mut Random, dark: f32, bright: f32) {
        let middle = Vec2::splat(0.5);
        let reach = Vec2::from_angle(random.between(0., std::f32::consts::TAU)) * random.between(0.5, 0.9);
        let colours = [Vec3::splat(dark), Vec3::splat(bright)];
        let fill = if random.chance(0.5) {
            Fill::Linear { from: middle - reach, to: middle + reach, colours }
        } else {
            let radius = Vec2::splat(random.between(0.4, 0.9));
            Fill::Radial { centre: middle + reach * 0.7, radius, colours: [colours[1], colours[0]] }
        };
        self.add(Stroke { mode: Mode::Times, ..Stroke::new(Shape::All, fill) });
    }
}

/// An upright box from its corners.
pub(super) fn rect(low: Vec2, high: Vec2) -> Shape {
    Shape::Box { centre: (low + high) / 2., half: (high - low) / 2., turn: 0., round: 0. }
}

/// A random place in noise.
pub(super) fn anywhere(random: &mut Random) -> Vec2 {
    Vec2::new(random.between(0., 64.), random.between(0., 64.))
}

/// A colour of any hue.
pub(super) fn any_colour(random: &mut Random, saturation: [f32; 2], value: [f32; 2]) -> Vec3 {
    hsv(random.unit(), random.between(saturation[0], saturation[1]), random.between(value[0], value[1]))
}

/// A colour near another: brighter or darker, and a little of another hue.
pub(super) fn near(random: &mut Random, colour: Vec3, amount: f32) -> Vec3 {
    let change = Vec3::ONE + random.normal3(amount * 0.4) + random.normal(0., amount);
    (colour * change.max(Vec3::splat(0.1))).max(Vec3::ZERO)
}

/// A colour near one of several.
pub(super) fn near_one_of(random: &mut Random, colours: &[Vec3], amount: f32) -> Vec3 {
    let colour = *random.pick(colours);
    near(random, colour, amount)
}

/// A blur between none and very soft, most often soft.
pub(super) fn depth_of_field(random: &mut Random, sharp: f32, soft: f32) -> f32 {
    let share = random.unit();
    sharp + (soft - sharp) * share * share.sqrt()
}
