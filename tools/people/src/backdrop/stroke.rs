//! What backdrops are made of: shapes filled with colours and patterns.

use glam::{Vec2, Vec3};

use super::fill::Fill;
use crate::look::field::Field;

/// A shape in the unit square, x to the right and y down.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    /// Everything.
    All,
    /// A box with round corners, turned clockwise by radians.
    Box { centre: Vec2, half: Vec2, turn: f32, round: f32 },
    /// An ellipse, turned clockwise by radians.
    Ellipse { centre: Vec2, half: Vec2, turn: f32 },
    /// What lies inside all edges of a convex outline, clockwise on the picture.
    Convex(Vec<Vec2>),
    /// What lies below a rough line: hills, tree tops, roofs.
    Below { height: f32, slope: f32, rough: f32, frequency: f32, octaves: usize, offset: f32 },
    /// An ellipse with a rough outline: crowns of trees, bushes, stains.
    Blob { centre: Vec2, half: Vec2, rough: f32, frequency: f32, offset: Vec2 },
}

/// How a stroke changes what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Paint covers.
    Cover,
    /// Light adds.
    Add,
    /// Shade and tinted light multiply.
    Times,
}

/// A filled shape.
#[derive(Clone, Debug)]
pub(crate) struct Stroke {
    pub(crate) shape: Shape,
    pub(crate) fill: Fill,
    pub(crate) mode: Mode,
    pub(crate) opacity: f32,
    /// Width of its edge.
    pub(crate) soft: f32,
}

impl Stroke {
    /// An opaque stroke with a sharp edge.
    pub(crate) fn new(shape: Shape, fill: Fill) -> Self {
        Self { shape, fill, mode: Mode::Cover, opacity: 1., soft: 0. }
    }

    /// Paints into square rows of pixels.
    pub(crate) fn paint(&self, size: usize, pixels: &mut [Vec3], field: &Field) {
        let pixel = 1. / size as f32;
        let soft = self.soft.max(pixel);
        let (low, high) = self.shape.bounds(soft);
        let range = |low: f32, high: f32| {
            let bound = |value: f32| (value * size as f32).clamp(0., size as f32);
            (bound(low).floor() as usize, bound(high).ceil() as usize)
        };
        let ((left, right), (top, bottom)) = (range(low.x, high.x), range(low.y, high.y));
        let line = self.shape.line(size, field);
        for y in top..bottom {
            for x in left..right {
                let place = (Vec2::new(x as f32, y as f32) + 0.5) * pixel;
                let distance = line.get(x).map_or_else(|| self.shape.distance(place, field), |line| line - place.y);
                let coverage = self.opacity * (0.5 - distance / soft).clamp(0., 1.);
                if coverage > 0. {
                    let target = &mut pixels[y * size + x];
                    let colour = self.fill.colour(place, pixel, field);
                    *target = match self.mode {
                        Mode::Cover => target.lerp(colour, coverage),
                        Mode::Add => *target + colour * coverage,
                        Mode::Times => *target * Vec3::ONE.lerp(colour, coverage),
                    };
                }
            }
        }
    }
}

impl Shape {
    /// About how far `place` is outside; negative inside.
    fn distance(&self, place: Vec2, field: &Field) -> f32 {
        match self {
            Self::All => -1e3,
            Self::Box { centre, half, turn, round } => {
                let beyond = unturn(place - centre, *turn).abs() - *half + *round;
                beyond.max(Vec2::ZERO).length() + beyond.max_element().min(0.) - round
            }
            Self::Ellipse { centre, half, turn } => ellipse(unturn(place - centre, *turn), *half),
            Self::Convex(corners) => convex(corners, place),
            // Of its line only, which is drawn once for each column.
            Self::Below { height, .. } => height - place.y,
            Self::Blob { centre, half, rough, frequency, offset } => {
                let noise = field.layered(place * *frequency + *offset, 3);
                ellipse(place - centre, *half) + rough * half.min_element() * noise
            }
        }
    }

    /// The height of a rough line at each column; empty for other shapes.
    fn line(&self, size: usize, field: &Field) -> Vec<f32> {
        let Self::Below { height, slope, rough, frequency, octaves, offset } = self else {
            return Vec::new();
        };
        let at = |column: usize| {
            let x = (column as f32 + 0.5) / size as f32;
            let noise = field.layered(Vec2::new(x * frequency + offset, *offset), *octaves);
            height + slope * (x - 0.5) + rough * noise
        };
        (0..size).map(at).collect()
    }

    /// The corners of what it may cover, with an edge of width `soft`.
    fn bounds(&self, soft: f32) -> (Vec2, Vec2) {
        let around = |centre: Vec2, reach: f32| (centre - reach - soft, centre + reach + soft);
        match self {
            Self::All => (Vec2::ZERO, Vec2::ONE),
            Self::Box { centre, half, turn, .. } if *turn == 0. => (centre - *half - soft, centre + *half + soft),
            Self::Box { centre, half, .. } => around(*centre, half.length()),
            Self::Ellipse { centre, half, .. } => around(*centre, half.max_element()),
            Self::Convex(corners) => {
                let low = corners.iter().copied().fold(Vec2::MAX, Vec2::min);
                let high = corners.iter().copied().fold(Vec2::MIN, Vec2::max);
                (low - soft, high + soft)
            }
            Self::Below { height, slope, rough, .. } => {
                (Vec2::new(0., height - slope.abs() / 2. - 1.5 * rough.abs() - soft), Vec2::ONE)
            }
            Self::Blob { centre, half, rough, .. } => around(*centre, half.max_element() * (1. + 1.5 * rough)),
        }
    }
}

fn unturn(offset: Vec2, turn: f32) -> Vec2 {
    if turn == 0. { offset } else { Vec2::from_angle(-turn).rotate(offset) }
}

/// About how far an offset from an ellipse's centre is outside it.
fn ellipse(offset: Vec2, half: Vec2) -> f32 {
    let unit = offset / half;
    let length = unit.length();
    // The gradient's length turns the value into a distance.
    (length - 1.) * length / (unit / half).length().max(1e-6)
}

/// The greatest distance from the edges of a convex outline.
fn convex(corners: &[Vec2], place: Vec2) -> f32 {
    let next = corners.iter().cycle().skip(1);
    corners.iter().zip(next).fold(f32::MIN, |most, (&from, &to)| {
        let along = (to - from).normalize_or_zero();
        most.max(along.y * (place.x - from.x) - along.x * (place.y - from.y))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn share_covered(shape: Shape) -> f32 {
        let mut pixels = vec![Vec3::ZERO; 200 * 200];
        let field = Field::draw(&mut Random::new("field", &[3]));
        Stroke::new(shape, Fill::Plain(Vec3::ONE)).paint(200, &mut pixels, &field);
        pixels.iter().map(|pixel| pixel.x).sum::<f32>() / 40_000.
    }

    #[test]
    fn shapes_cover_their_area_wherever_they_are_turned() {
        let (centre, half) = (Vec2::splat(0.5), Vec2::new(0.3, 0.1));
        for turn in [0., 0.7] {
            let area = share_covered(Shape::Box { centre, half, turn, round: 0. });
            assert!((area - 0.12).abs() < 0.002, "{area}");
            let area = share_covered(Shape::Ellipse { centre, half, turn });
            assert!((area - std::f32::consts::PI * 0.03).abs() < 0.002, "{area}");
        }
        let triangle = [Vec2::new(0.5, 0.2), Vec2::new(0.8, 0.8), Vec2::new(0.2, 0.8)];
        assert!((share_covered(Shape::Convex(triangle.into())) - 0.18).abs() < 0.002);
    }

    #[test]
    fn rough_shapes_stay_within_their_bounds() {
        let blob = Shape::Blob {
            centre: Vec2::splat(0.5),
            half: Vec2::splat(0.2),
            rough: 0.8,
            frequency: 9.,
            offset: Vec2::splat(3.),
        };
        let field = Field::draw(&mut Random::new("field", &[3]));
        let (low, high) = blob.bounds(0.);
        for at in 0..10_000 {
            let place = Vec2::new((at % 100) as f32, (at / 100) as f32) / 100.;
            let outside = place.cmplt(low).any() || place.cmpgt(high).any();
            assert!(!outside || blob.distance(place, &field) > -0.005, "{place}");
        }
    }
}
