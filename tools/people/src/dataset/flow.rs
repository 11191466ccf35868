//! Exact flow on the cells of a grid.

use std::io;

use half::f16;
use npyz::WriterBuilder;

/// Averages flow over `cells` x `cells` cells: the mean displacement of what is visible, and the share that is.
///
/// # Shapes
/// - `flow`: `[size, size]` of (x, y, visibility); `cells` divides `size`
/// - returns `[cells, cells]` of the same
pub(super) fn pool(flow: &[[f32; 3]], size: usize, cells: usize) -> Vec<[f16; 3]> {
    let side = size / cells;
    let cell = |at: usize| {
        let (left, top) = (at % cells * side, at / cells * side);
        let pixels = (0..side * side).map(|pixel| flow[(top + pixel / side) * size + left + pixel % side]);
        // A cell of which nothing is visible has the mean of what is hidden.
        let (mut x, mut y, mut weight, mut seen) = (0., 0., 0., 0.);
        for [dx, dy, visible] in pixels {
            let share = visible + 1e-3;
            (x, y, weight, seen) = (x + dx * share, y + dy * share, weight + share, seen + visible);
        }
        [x / weight, y / weight, seen / (side * side) as f32].map(f16::from_f32)
    };
    (0..cells * cells).map(cell).collect()
}

/// A NumPy file of the flow of all clips of a take, `[labels, frames, cells, cells, 3]`.
pub(super) fn encode(flow: &[[f16; 3]], labels: usize, frames: usize, cells: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let shape = [labels, frames, cells, cells, 3].map(|n| n as u64);
    let mut writer = npyz::WriteOptions::new().default_dtype().shape(&shape).writer(&mut bytes).begin_nd()?;
    writer.extend(flow.iter().flatten().copied())?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_has_the_mean_of_what_is_visible() {
        let mut flow = vec![[0., 0., 0.]; 16];
        flow[0] = [0.4, -0.2, 1.];
        flow[5] = [0.2, 0., 1.];
        flow[1] = [5., 5., 0.];
        let pooled = pool(&flow, 4, 2);
        assert_eq!(pooled.len(), 4);
        let [x, y, seen] = pooled[0].map(f16::to_f32);
        assert!((x - 0.3).abs() < 5e-3 && (y + 0.1).abs() < 5e-3, "{x} {y}");
        assert_eq!(seen, 0.5);
        assert_eq!(pooled[3].map(f16::to_f32), [0.; 3]);
    }

    #[test]
    fn a_file_says_its_shape() {
        let cells: Vec<[f16; 3]> = (0..2 * 3 * 4).map(|n| [f16::from_f32(n as f32); 3]).collect();
        let bytes = encode(&cells, 2, 3, 2).unwrap();
        let file = npyz::NpyFile::new(bytes.as_slice()).unwrap();
        assert_eq!(file.shape(), [2, 3, 2, 2, 3]);
        assert_eq!(file.into_vec::<f16>().unwrap(), cells.as_flattened());
    }
}
