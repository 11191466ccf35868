//! Colours and patterns that fill the shapes of a backdrop.

use glam::{Vec2, Vec3};

use crate::{
    look::field::{Field, chance_at},
    noise::smooth,
};

/// What a shape is filled with.
#[derive(Clone, Debug)]
pub(crate) enum Fill {
    /// One colour.
    Plain(Vec3),
    /// From one colour at `from` to another at `to`.
    Linear { from: Vec2, to: Vec2, colours: [Vec3; 2] },
    /// A glow: the first colour in the middle, the second far outside.
    Radial { centre: Vec2, radius: Vec2, colours: [Vec3; 2] },
    /// Two colours by noise with `scale` cells each way, turned by radians: plaster, leaves, canvas, water.
    Mottled { colours: [Vec3; 2], scale: Vec2, turn: f32, octaves: usize, contrast: f32, offset: Vec2 },
    /// A sky above a horizon.
    Sky(Sky),
    /// Rows of bricks or tiles.
    Bricks(Bricks),
    /// Boards of wood.
    Planks(Planks),
    /// Paper with a figure that repeats.
    Paper { colours: [Vec3; 2], figure: Figure, scale: f32, offset: Vec2 },
    /// Cloth that hangs in folds: dark and light, `frequency` folds in the width.
    Folds { colours: [Vec3; 2], frequency: f32, turn: f32, offset: Vec2 },
    /// Lit and dark windows of a house far away.
    Windows { wall: Vec3, lit: Vec3, dark: Vec3, cell: Vec2, share: f32, seed: u64 },
}

/// A sky with clouds that come closer together towards the horizon.
#[derive(Clone, Debug)]
pub(crate) struct Sky {
    pub(crate) zenith: Vec3,
    pub(crate) low: Vec3,
    pub(crate) cloud: Vec3,
    pub(crate) shade: Vec3,
    /// From 0, clear, to 1, overcast.
    pub(crate) cover: f32,
    pub(crate) horizon: f32,
    pub(crate) scale: f32,
    pub(crate) offset: Vec2,
}

/// Bricks, tiles or panels.
#[derive(Clone, Debug)]
pub(crate) struct Bricks {
    pub(crate) colours: [Vec3; 2],
    pub(crate) mortar: Vec3,
    pub(crate) size: Vec2,
    pub(crate) gap: f32,
    /// By how much of a brick each second row is moved.
    pub(crate) stagger: f32,
    pub(crate) rough: f32,
    pub(crate) seed: u64,
}

/// Boards side by side.
#[derive(Clone, Debug)]
pub(crate) struct Planks {
    pub(crate) colours: [Vec3; 2],
    pub(crate) width: f32,
    pub(crate) upright: bool,
    pub(crate) gap: f32,
    pub(crate) seed: u64,
}

/// What repeats on wallpaper.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Figure {
    Stripes,
    Dots,
    Diamonds,
    Leaves,
    Checks,
}

impl Fill {
    /// The colour at a place of the unit square, where a pixel has this width.
    pub(crate) fn colour(&self, place: Vec2, pixel: f32, field: &Field) -> Vec3 {
        match self {
            Self::Plain(colour) => *colour,
            Self::Linear { from, to, colours } => {
                let axis = *to - *from;
                let share = (place - *from).dot(axis) / axis.length_squared().max(1e-6);
                colours[0].lerp(colours[1], smooth(0., 1., share))
            }
            Self::Radial { centre, radius, colours } => {
                let distance = ((place - *centre) / *radius).length_squared();
                colours[1].lerp(colours[0], 1. / (1. + distance * (1. + 0.5 * distance)))
            }
            Self::Mottled { colours, scale, turn, octaves, contrast, offset } => {
                let turned = if *turn == 0. { place } else { Vec2::from_angle(-turn).rotate(place) };
                let noise = field.layered(turned * *scale + *offset, *octaves);
                colours[0].lerp(colours[1], (0.5 + contrast * noise).clamp(0., 1.))
            }
            Self::Sky(sky) => sky.colour(place, field),
            Self::Bricks(bricks) => bricks.colour(place, pixel, field),
            Self::Planks(planks) => planks.colour(place, pixel, field),
            Self::Paper { colours, figure, scale, offset } => {
                let share = figure.coverage(place * *scale + *offset, pixel * scale);
                colours[0].lerp(colours[1], share)
            }
            Self::Folds { colours, frequency, turn, offset } => {
                let turned = Vec2::from_angle(-turn).rotate(place);
                let drift = field.layered(Vec2::new(turned.x * frequency * 0.5, turned.y * 1.3) + *offset, 2);
                let phase = turned.x * frequency + 1.1 * drift;
                let fold = (std::f32::consts::TAU * phase).sin() * (0.7 + 0.3 * field.at(*offset + phase));
                colours[0].lerp(colours[1], (0.5 + 0.5 * fold).clamp(0., 1.))
            }
            Self::Windows { wall, lit, dark, cell, share, seed } => {
                let (at, inside) = cells(place / *cell);
                let glass = if chance_at(*seed, at[0], at[1]) < *share { *lit } else { *dark };
                let edge = (inside - 0.5).abs() - Vec2::new(0.27, 0.32);
                let width = pixel / cell.x;
                wall.lerp(glass, (0.5 - edge.max_element() / width).clamp(0., 1.))
            }
        }
    }
}

impl Sky {
    fn colour(&self, place: Vec2, field: &Field) -> Vec3 {
        let above = (self.horizon - place.y).max(0.);
        let clear = self.low.lerp(self.zenith, smooth(0., 0.8, above));
        // A plane overhead, seen at an angle: clouds shrink towards the horizon.
        let far = self.scale / (above + 0.25);
        let spot = Vec2::new((place.x - 0.5) * far, 1.6 * far) + self.offset;
        let noise = field.layered(spot, 4);
        let edge = 0.9 - 1.8 * self.cover;
        let thick = smooth(edge - 0.25, edge + 0.45, noise) * smooth(-0.02, 0.12, above);
        clear.lerp(self.cloud.lerp(self.shade, smooth(0.2, 1., thick) * self.cover), thick)
    }
}

impl Bricks {
    fn colour(&self, place: Vec2, pixel: f32, field: &Field) -> Vec3 {
        let row = (place.y / self.size.y).floor();
        let moved = Vec2::new(place.x + self.stagger * self.size.x * row.rem_euclid(2.), place.y);
        let (at, inside) = cells(moved / self.size);
        let share = chance_at(self.seed, at[0], at[1]);
        let noise = field.layered(place * 40. + share * 9., 2) + 0.8 * field.at(place * 5.);
        let colour = self.colours[0].lerp(self.colours[1], share) * (1. + self.rough * noise).max(0.1);
        let edge = (0.5 - (inside - 0.5).abs()) * self.size;
        let bare = (0.5 + (edge.min_element() - self.gap / 2.) / pixel.max(self.gap * 0.3)).clamp(0., 1.);
        (self.mortar * (1. + 0.6 * self.rough * noise).max(0.1)).lerp(colour, bare)
    }
}

impl Planks {
    fn colour(&self, place: Vec2, pixel: f32, field: &Field) -> Vec3 {
        let (across, along) = if self.upright { (place.x, place.y) } else { (place.y, place.x) };
        let board = (across / self.width).floor();
        let inside = across / self.width - board;
        let share = chance_at(self.seed, board as i32, 0);
        let spot = Vec2::new(across * 60., along * 3.) + share * 50.;
        let grain = field.layered(spot + field.at(spot * Vec2::new(0.1, 0.7)) * 3., 2);
        let colour = self.colours[0].lerp(self.colours[1], share) * (1. + 0.22 * grain);
        let edge = inside.min(1. - inside) * self.width;
        let gap = (0.5 - (edge - self.gap / 2.) / pixel.max(self.gap * 0.5)).clamp(0., 1.);
        colour * (1. - 0.7 * gap)
    }
}

impl Figure {
    /// How much of the figure is at a place whose unit is one repetition.
    fn coverage(self, place: Vec2, pixel: f32) -> f32 {
        let (at, inside) = cells(place);
        let centred = inside - 0.5;
        let odd = (at[0] + at[1]) & 1 == 1;
        let distance = match self {
            Self::Stripes => centred.x.abs() - 0.25,
            Self::Dots => centred.length() - if odd { 0.28 } else { 0.16 },
            Self::Diamonds => centred.x.abs() + centred.y.abs() - 0.36,
            Self::Leaves => {
                let side = if odd { centred } else { Vec2::new(-centred.x, centred.y) };
                let turned = Vec2::from_angle(0.7).rotate(side);
                turned.x.abs() - 0.17 * (1. - (2.2 * turned.y).powi(2))
            }
            Self::Checks => 0.5 - (f32::from(u8::from(centred.x > 0.)) + f32::from(u8::from(centred.y > 0.))) / 2.,
        };
        (0.5 - distance / pixel.max(0.02)).clamp(0., 1.)
    }
}

/// The cell of a place, and where in it the place is.
fn cells(place: Vec2) -> ([i32; 2], Vec2) {
    let floor = place.floor();
    (floor.as_ivec2().to_array(), place - floor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn bricks_have_mortar_between_them_and_differ() {
        let (brick, mortar) = ([Vec3::X, Vec3::Y], Vec3::Z);
        let size = Vec2::new(0.2, 0.1);
        let bricks = Bricks { colours: brick, mortar, size, gap: 0.02, stagger: 0.5, rough: 0., seed: 5 };
        let field = Field::draw(&mut Random::new("field", &[1]));
        let at = |x: f32, y: f32| bricks.colour(Vec2::new(x, y), 0.001, &field);
        assert_eq!(at(0.2, 0.05), mortar, "between two bricks");
        assert_eq!(at(0.2, 0.15).z, 0., "the next row is staggered");
        assert_ne!(at(0.1, 0.05), at(0.3, 0.05));
    }

    #[test]
    fn skies_pale_towards_the_horizon() {
        let colours = [Vec3::new(0.1, 0.2, 0.8), Vec3::new(0.6, 0.7, 0.9)];
        let sky = Sky {
            zenith: colours[0],
            low: colours[1],
            cloud: Vec3::ONE,
            shade: Vec3::splat(0.5),
            cover: 0.,
            horizon: 0.8,
            scale: 1.,
            offset: Vec2::ZERO,
        };
        let field = Field::draw(&mut Random::new("field", &[1]));
        assert!(sky.colour(Vec2::new(0.5, 0.79), &field).distance(colours[1]) < 0.05);
        assert!(sky.colour(Vec2::new(0.5, 0.), &field).x < 0.3);
    }
}
