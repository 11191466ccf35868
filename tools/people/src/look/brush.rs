//! Brushes: a picture smoothed into patches whose edges stay (Kyprianidis et al., Image and Video Abstraction by
//! Anisotropic Kuwahara Filtering, 2009), and smeared along what it shows.
//!
//! The means over the sectors of the filter are samples of a blurred picture, beside the pixel: as smooth as sums
//! over sectors, at a tenth of the cost.

use glam::{Vec2, Vec3, Vec4};

use super::{
    display::{luma, place_of},
    field::Field,
    grid::Grid,
};

/// Which way strokes go at every pixel, and how surely.
#[derive(Clone, Debug)]
pub(super) struct Flow(Grid<Vec3>);

impl Flow {
    /// Along the edges of a picture; where there are none, along the `habit` of a painter, which stays the same from
    /// frame to frame.
    pub(super) fn of(shown: &Grid<Vec3>, spread: f32, field: &Field, habit: Habit) -> Self {
        let size = shown.size;
        let grey = Grid::from(size, &shown.cells, luma);
        let mut tensors = Vec::with_capacity(size * size);
        for y in 0..size as isize {
            for x in 0..size as isize {
                let across = grey.at(x + 1, y) - grey.at(x - 1, y);
                let down = grey.at(x, y + 1) - grey.at(x, y - 1);
                tensors.push(Vec3::new(
                    across * across - down * down,
                    2. * across * down,
                    across * across + down * down,
                ));
            }
        }
        let mut tensors = Grid { size, cells: tensors }.gaussian(spread);
        // A habit turns slowly: few directions, and between them means.
        let few = size.div_ceil(8);
        let habits = Grid::make(few, |x, y| (habit.direction(place_of(x, y, few), field) * habit.strength).extend(0.));
        for (tensor, habit) in tensors.cells.iter_mut().zip(habits.resized(size).cells) {
            *tensor = along(*tensor, habit.truncate());
        }
        Self(tensors)
    }
}

/// The unit direction of a stroke, and how surely it is so, 0 to 1. Both arguments hold double angles: `tensor` of the
/// gradient, with its strength; `habit` of the stroke.
fn along(tensor: Vec3, habit: Vec2) -> Vec3 {
    let doubled = habit - tensor.truncate();
    let length = doubled.length();
    // Half the angle, without angles.
    let half = if doubled.x > 0. {
        Vec2::new(doubled.x + length, doubled.y)
    } else {
        Vec2::new(doubled.y, length - doubled.x)
    };
    half.try_normalize().unwrap_or(Vec2::X).extend(length / (tensor.z + habit.length() + 1e-6))
}

/// How a painter moves the brush where nothing guides it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Habit {
    pub(super) turn: f32,
    /// Turns of the brush across the picture.
    pub(super) wave: f32,
    /// How strong an edge must be to be followed.
    pub(super) strength: f32,
    pub(super) offset: Vec2,
}

impl Habit {
    /// The double angle of the stroke at a place.
    fn direction(&self, place: Vec2, field: &Field) -> Vec2 {
        Vec2::from_angle(2. * self.turn + 5. * self.wave * field.at(place * 3. + self.offset))
    }
}

/// The picture in patches of about `radius` pixels.
pub(super) fn patches(shown: &Grid<Vec3>, flow: &Flow, radius: f32) -> Grid<Vec3> {
    let size = shown.size;
    let squared = |colour: Vec3| colour.extend(luma(colour) * luma(colour));
    let blurred = Grid::from(size, &shown.cells, squared).gaussian(radius * 0.55);
    Grid::make(size, |x, y| patch(&blurred, Vec2::new(x as f32, y as f32), flow.0.cells[y * size + x], radius))
}

/// The mean of eight sectors around a place; even ones count most.
#[inline]
fn patch(blurred: &Grid<Vec4>, place: Vec2, flow: Vec3, radius: f32) -> Vec3 {
    const DIAGONAL: f32 = std::f32::consts::FRAC_1_SQRT_2;
    const SECTORS: [(f32, f32); 4] = [(1., 0.), (DIAGONAL, DIAGONAL), (0., 1.), (-DIAGONAL, DIAGONAL)];
    const LUMA: Vec4 = Vec4::new(0.299, 0.587, 0.114, 0.);
    // Long and narrow where the direction is sure.
    let stretch = 1. + 0.6 * flow.z;
    let tangent = flow.truncate();
    let (long, short) = (tangent * (radius * stretch), tangent.perp() * (radius / stretch));
    let (mut sum, mut weights) = (Vec4::ZERO, 0.);
    for (along, across) in SECTORS {
        let offset = long * along + short * across;
        for there in [place + offset, place - offset] {
            // What is blurred needs no sampling between cells.
            let mean = blurred.nearest(there.x, there.y);
            let grey = mean.dot(LUMA);
            let even = 1. / (3e-4 + (mean.w - grey * grey).max(0.));
            let weight = even * even * even;
            sum += mean * weight;
            weights += weight;
        }
    }
    sum.truncate() / weights
}

/// The picture, with `bristles` as a fourth channel, smeared over `reach` pixels both ways along the flow.
pub(super) fn smear(shown: &Grid<Vec3>, bristles: &Grid<f32>, flow: &Flow, reach: f32) -> Grid<Vec4> {
    let size = shown.size;
    let whole = shown.cells.iter().zip(&bristles.cells).map(|(colour, &bristle)| colour.extend(bristle));
    let whole = Grid { size, cells: whole.collect() };
    let steps = (reach.ceil() as usize).clamp(1, 4);
    let stride = reach / steps as f32;
    Grid::make(size, |x, y| {
        let place = Vec2::new(x as f32, y as f32);
        let start = flow.0.cells[y * size + x].truncate();
        let mut sum = whole.cells[y * size + x];
        for way in [start, -start] {
            let (mut there, mut direction) = (place, way);
            for _ in 0..steps {
                there += direction * stride;
                sum += whole.nearest(there.x, there.y);
                let next = flow.0.nearest(there.x, there.y).truncate();
                // Directions have no sign; go on, not back.
                direction = if next.dot(direction) < 0. { -next } else { next };
            }
        }
        sum / (2 * steps + 1) as f32
    })
}

/// Lines where brightness falls, as a pen would draw them: 1 on paper, 0 on a line (Winnemöller et al., an extended
/// difference of Gaussians, 2012).
pub(super) fn lines(grey: &Grid<f32>, width: f32, threshold: f32, steep: f32) -> Grid<f32> {
    let (narrow, wide) = (grey.gaussian(width), grey.gaussian(width * 1.6));
    let cells = narrow.cells.iter().zip(&wide.cells).map(|(narrow, wide)| {
        let difference = narrow - 0.97 * wide - threshold;
        if difference > 0. { 1. } else { (1. + (steep * difference).tanh()).max(0.) }
    });
    Grid { size: grey.size, cells: cells.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    const HABIT: Habit = Habit { turn: 0., wave: 0., strength: 1e-4, offset: Vec2::ZERO };

    fn field() -> Field {
        Field::draw(&mut Random::new("field", &[1]))
    }

    /// A slanting edge with noise on both sides.
    fn noisy_edge() -> Grid<Vec3> {
        let cells = (0..64 * 64).map(|at| {
            let side = if at % 64 + at / 64 < 64 { 0.3 } else { 0.7 };
            Vec3::splat(side + 0.03 * super::super::field::normal_at(1, at % 64, at / 64))
        });
        Grid { size: 64, cells: cells.collect() }
    }

    #[test]
    fn strokes_follow_edges_and_else_the_habit() {
        let flow = Flow::of(&noisy_edge(), 2., &field(), HABIT);
        let edge = flow.0.at(32, 32).truncate();
        assert!((edge.x + edge.y).abs() < 0.15, "along the slanting edge: {edge}");
        let plain = Grid { size: 16, cells: vec![Vec3::splat(0.5); 256] };
        let habit = Habit { turn: 1.2, ..HABIT };
        let direction = Flow::of(&plain, 2., &field(), habit).0.at(8, 8).truncate();
        assert!(direction.dot(Vec2::from_angle(1.2)).abs() > 0.999, "{direction}");
    }

    #[test]
    fn patches_lose_noise_and_keep_edges() {
        let shown = noisy_edge();
        let flow = Flow::of(&shown, 2., &field(), HABIT);
        let smooth = patches(&shown, &flow, 3.);
        let roughness =
            |grid: &Grid<Vec3>| (0..400).map(|at| (grid.cells[at % 20 * 64 + at / 20].x - 0.3).powi(2)).sum::<f32>();
        assert!(roughness(&smooth) < 0.1 * roughness(&shown));
        let step = smooth.at(34, 34).x - smooth.at(29, 29).x;
        assert!(step > 0.3, "the edge is still steep: {step}");
    }
}
