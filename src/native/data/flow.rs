//! Exact motion, as a renderer wrote it.

use half::f16;

use super::view::View;

/// Exact motion from frame 0 to one frame.
pub(crate) struct FlowFrame {
    /// `[grid, grid, 2]`: xy displacement from a cell of the frame to its place in frame 0,
    /// normalised (2 is the image width).
    pub(crate) displacement: Vec<f32>,
    /// `[grid, grid]`: the share of the cell that frame 0 shows, in `[0, 1]`.
    pub(crate) visibility: Vec<f32>,
}

impl FlowFrame {
    /// No motion, everything visible.
    pub(super) fn rest(grid: usize) -> Self {
        Self { displacement: vec![0.0; 2 * grid * grid], visibility: vec![1.0; grid * grid] }
    }
}

/// The renderer's flow of one clip.
pub(super) struct ExactFlow {
    /// Cells per row and column.
    pub(super) side: usize,
    /// `[frame, y, x, (dx, dy, visibility)]`.
    pub(super) cells: Vec<f16>,
}

impl ExactFlow {
    /// The flow that `view` shows, on a `grid` by `grid` grid.
    pub(super) fn through(&self, view: View, tile: usize, frame: usize, grid: usize) -> FlowFrame {
        let length = self.side * self.side * 3;
        let window = [view.left, view.top, view.side].map(|pixels| (pixels * self.side) as f64 / tile as f64);
        let mut flow = pool(&self.cells[frame * length..(frame + 1) * length], self.side, window, grid);
        if view.mirror {
            flow.displacement.chunks_exact_mut(2).for_each(|xy| xy[0] = -xy[0]);
            // Reversing every number of a row swaps x and y too; reversing the cells does not.
            for row in flow.displacement.chunks_exact_mut(2 * grid) {
                row.reverse();
                row.chunks_exact_mut(2).for_each(|xy| xy.swap(0, 1));
            }
            flow.visibility.chunks_exact_mut(grid).for_each(<[f32]>::reverse);
        }
        flow
    }

    /// The flow of the part `[left, top, side]` of tiles of `tile` pixels, in cells of about the
    /// same size. What comes from outside of the part is not visible.
    pub(super) fn cut(&self, part: [usize; 3], tile: usize) -> Self {
        let window = part.map(|pixels| (pixels * self.side) as f64 / tile as f64);
        let side = (window[2].round() as usize).max(1);
        let centre = |i: usize| (2 * i + 1) as f32 / side as f32 - 1.0;
        let mut cells = Vec::new();
        for frame in self.cells.chunks_exact(self.side * self.side * 3) {
            let FlowFrame { displacement, visibility } = pool(frame, self.side, window, side);
            for (cell, (xy, visible)) in displacement.chunks_exact(2).zip(visibility).enumerate() {
                let [x, y] = [centre(cell % side) + xy[0], centre(cell / side) + xy[1]];
                let inside = x.abs() <= 1.0 && y.abs() <= 1.0;
                cells.extend([xy[0], xy[1], if inside { visible } else { 0.0 }].map(f16::from_f32));
            }
        }
        Self { side, cells }
    }
}

/// The flow under a window on a coarser grid: area means of the visibility, and of the displacement
/// weighted by it.
///
/// # Shapes
///
/// - fine: `[side, side, 3]`; displacements in halves of the tile
/// - window: `[left, top, side]` in fine cells
/// - returns a `grid` by `grid` flow; displacements in halves of the window
fn pool(fine: &[f16], side: usize, [left, top, length]: [f64; 3], grid: usize) -> FlowFrame {
    // Fine cells under a coarse one along an axis, with the share of the coarse cell that each covers.
    let overlaps = |index: usize, start: f64| -> Vec<(usize, f32)> {
        let step = length / grid as f64;
        let (low, high) = (start + index as f64 * step, start + (index + 1) as f64 * step);
        (low as usize..side)
            .map(|i| (i, high.min((i + 1) as f64) - low.max(i as f64)))
            .take_while(|&(_, overlap)| overlap > 1e-9)
            .map(|(i, overlap)| (i, (overlap / step) as f32))
            .collect()
    };
    let columns: Vec<_> = (0..grid).map(|x| overlaps(x, left)).collect();
    let enlargement = (side as f64 / length) as f32;
    let mut flow =
        FlowFrame { displacement: Vec::with_capacity(grid * grid * 2), visibility: Vec::with_capacity(grid * grid) };
    for y in 0..grid {
        let rows = overlaps(y, top);
        for column in &columns {
            // Visible and plain sums: where nothing is visible the plain mean is as good a guess as
            // any.
            let (mut visible, mut seen, mut plain) = (0.0, [0.0; 2], [0.0; 2]);
            for &(fine_y, height) in &rows {
                for &(fine_x, width) in column {
                    let area = height * width;
                    let [dx, dy, visibility] = [0, 1, 2].map(|i| fine[(fine_y * side + fine_x) * 3 + i].to_f32());
                    visible += area * visibility;
                    for (axis, value) in [dx, dy].into_iter().enumerate() {
                        seen[axis] += area * visibility * value;
                        plain[axis] += area * value;
                    }
                }
            }
            let mean = if visible > 0.0 { seen.map(|sum| sum / visible) } else { plain };
            flow.displacement.extend(mean.map(|value| value * enlargement));
            flow.visibility.push(visible);
        }
    }
    flow
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pooling_weights_displacements_by_visibility() {
        let fine = [[1.0, 0.0, 1.0], [3.0, 0.0, 0.0], [1.0, 2.0, 0.5], [9.0, 9.0, 0.0]];
        let fine: Vec<f16> = fine.concat().into_iter().map(f16::from_f32).collect();
        let pooled = pool(&fine, 2, [0.0, 0.0, 2.0], 1);
        assert_eq!(pooled.displacement[0], 1.0);
        assert!((pooled.displacement[1] - 2.0 / 3.0).abs() < 1e-3);
        assert_eq!(pooled.visibility, [0.375]);

        // The top left quarter: one cell, twice as long in halves of the window.
        let pooled = pool(&fine, 2, [0.0, 0.0, 1.0], 1);
        assert_eq!((pooled.displacement, pooled.visibility), (vec![2.0, 0.0], vec![1.0]));
        // A window over parts of cells weighs them by their area.
        let pooled = pool(&fine, 2, [0.5, 0.0, 1.0], 1);
        assert_eq!((pooled.displacement, pooled.visibility), (vec![2.0, 0.0], vec![0.5]));
    }
}
