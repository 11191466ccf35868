//! Pictures of flow and occlusion.

use crate::portrait::{planar_to_rgba, resample_rgb};

/// The displacement drawn in full colour: 1/16 of the image's width (the width is 2 in units of the flow).
///
/// It is fixed, so that two pictures can be compared; the strongest expressions of the faces set reach it.
pub const FULL_COLOUR: f32 = 0.125;

/// A backward flow in the colours of Baker et al.'s wheel (A Database and Evaluation Methodology for Optical
/// Flow, 2011): hue is the direction of the displacement, saturation its length up to [`FULL_COLOUR`]; white is
/// rest.
///
/// # Shapes
/// - `flow`: `[grid_height, grid_width, 2]`, absolute xy, identity at `(2 i + 1) / n - 1`
/// - `grid`: `[grid_height, grid_width]`
/// - `size`: `[height, width]` of the picture
/// - returns `height * width * 4` RGBA bytes
pub fn flow_to_rgba(flow: &[f32], grid: [usize; 2], size: [usize; 2]) -> Vec<u8> {
    let identity = |i: usize, n: usize| (2 * i + 1) as f32 / n as f32 - 1.0;
    // Displacements are enlarged, not absolute positions: those are cut off at the border.
    let fine = resample_rgb(grid, size, |y, row| {
        for (x, cell) in row.chunks_exact_mut(3).enumerate() {
            let start = (y * grid[1] + x) * 2;
            cell[0] = flow[start] - identity(x, grid[1]);
            cell[1] = flow[start + 1] - identity(y, grid[0]);
            cell[2] = 0.0;
        }
    });
    let area = size[0] * size[1];
    let wheel = colour_wheel();
    let mut planes = vec![0.0; area * 3];
    for i in 0..area {
        let colour = flow_colour(&wheel, fine[i] / FULL_COLOUR, fine[area + i] / FULL_COLOUR);
        for (channel, value) in colour.into_iter().enumerate() {
            planes[channel * area + i] = value;
        }
    }
    planar_to_rgba(&planes)
}

/// Occlusion as grey: white where the warped reference is kept, black where the decoder paints.
///
/// # Shapes
/// - `occlusion`: `[grid_height, grid_width]` in `[0, 1]`
/// - `grid`: `[grid_height, grid_width]`
/// - `size`: `[height, width]` of the picture
/// - returns `height * width * 4` RGBA bytes
pub fn occlusion_to_rgba(occlusion: &[f32], grid: [usize; 2], size: [usize; 2]) -> Vec<u8> {
    planar_to_rgba(&resample_rgb(grid, size, |y, row| {
        for (cell, value) in row.chunks_exact_mut(3).zip(&occlusion[y * grid[1]..]) {
            cell.fill(*value);
        }
    }))
}

/// The 55 hues of the Middlebury wheel, unevenly spaced because the eye is.
fn colour_wheel() -> Vec<[f32; 3]> {
    // Steps of each segment, and which channel rises or falls in it.
    const SEGMENTS: [(usize, [f32; 3], [f32; 3]); 6] = [
        (15, [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]),
        (6, [1.0, 1.0, 0.0], [-1.0, 0.0, 0.0]),
        (4, [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]),
        (11, [0.0, 1.0, 1.0], [0.0, -1.0, 0.0]),
        (13, [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]),
        (6, [1.0, 0.0, 1.0], [0.0, 0.0, -1.0]),
    ];
    let mut wheel = Vec::with_capacity(55);
    for (steps, start, change) in SEGMENTS {
        for step in 0..steps {
            let share = step as f32 / steps as f32;
            wheel.push([0, 1, 2].map(|channel| start[channel] + change[channel] * share));
        }
    }
    wheel
}

/// Colour of a displacement, 1 being full colour; longer ones are no stronger.
fn flow_colour(wheel: &[[f32; 3]], dx: f32, dy: f32) -> [f32; 3] {
    let radius = dx.hypot(dy);
    let angle = (-dy).atan2(-dx) / std::f32::consts::PI;
    let place = (angle + 1.0) / 2.0 * (wheel.len() - 1) as f32;
    let (low, share) = (place as usize, place.fract());
    let (left, right) = (wheel[low % wheel.len()], wheel[(low + 1) % wheel.len()]);
    [0, 1, 2].map(|channel| {
        let hue = (1.0 - share) * left[channel] + share * right[channel];
        1.0 - radius.min(1.0) * (1.0 - hue)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uniform_flow(dx: f32, dy: f32) -> Vec<f32> {
        let identity = |i: usize| (2 * i + 1) as f32 / 4.0 - 1.0;
        (0..16).flat_map(|i| [identity(i % 4) + dx, identity(i / 4) + dy]).collect()
    }

    fn colour(dx: f32, dy: f32) -> [u8; 3] {
        let picture = flow_to_rgba(&uniform_flow(dx, dy), [4, 4], [8, 8]);
        assert_eq!(picture.len(), 8 * 8 * 4);
        assert!(picture.chunks(4).all(|pixel| pixel == &picture[..4]), "a uniform flow has one colour");
        [picture[0], picture[1], picture[2]]
    }

    #[test]
    fn rest_is_white_and_directions_have_the_wheel_s_colours() {
        assert_eq!(colour(0.0, 0.0), [255; 3]);
        // Reference colours: right is red, down yellow-ish, left cyan-ish, up violet.
        assert_eq!(colour(FULL_COLOUR, 0.0), [255, 0, 0]);
        let [down, left, up] = [colour(0.0, FULL_COLOUR), colour(-FULL_COLOUR, 0.0), colour(0.0, -FULL_COLOUR)];
        assert!(down[0] > 200 && down[1] > 200 && down[2] < 50, "{down:?}");
        assert!(left[0] < 50 && left[1] > 150 && left[2] > 200, "{left:?}");
        assert!(up[2] > 200 && up[1] < 50, "{up:?}");
    }

    #[test]
    fn longer_displacements_are_more_saturated() {
        let [weak, strong] = [colour(0.03, 0.0), colour(0.1, 0.0)];
        assert!(weak[1] > strong[1] && weak[0] == 255 && strong[0] == 255);
        assert_eq!(colour(0.5, 0.0), colour(FULL_COLOUR, 0.0), "beyond full colour nothing changes");
    }

    #[test]
    fn occlusion_is_grey() {
        let picture = occlusion_to_rgba(&[0.0, 1.0, 0.0, 1.0], [2, 2], [2, 2]);
        assert_eq!(picture, [0, 0, 0, 255, 255, 255, 255, 255, 0, 0, 0, 255, 255, 255, 255, 255]);
    }
}
