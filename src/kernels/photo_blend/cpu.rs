//! A photo's frames on the CPU, a row of pixels at a time.

use super::TRUSTED;
use crate::kernels::cpu::{chunks, dispatch};
use crate::kernels::warp_blend::cpu::{Between, interpolated};

/// What the frames are made of.
pub(super) struct PhotoFrames<'a> {
    /// `[3, height, width]`
    pub(super) photo: &'a [f32],
    /// `[height, width]`
    pub(super) feather: &'a [f32],
    pub(super) size: [usize; 2],
    /// `[frames, rows, columns, 2]`, xy.
    pub(super) flow: &'a [f32],
    pub(super) grid: [usize; 2],
    /// The size that the flow is smoothly enlarged to.
    pub(super) smooth: [usize; 2],
    /// `[frames, rows, columns]`
    pub(super) occlusion: &'a [f32],
    pub(super) mask: [usize; 2],
    /// The size that the occlusion is smoothly enlarged to.
    pub(super) trusted: [usize; 2],
    /// `[frames, 3, rows, columns]`
    pub(super) painted: &'a [f32],
    pub(super) painting: [usize; 2],
}

/// What the rows of a frame share.
struct Frame<'a> {
    of: &'a PhotoFrames<'a>,
    /// Displacements on the smooth grid, x and y.
    displacement: [Vec<f32>; 2],
    /// How far the photo is trusted.
    trust: Vec<f32>,
    /// At the photo's size, red, green and blue.
    painted: [Vec<f32>; 3],
    across: Vec<Between>,
    trusted_across: Vec<Between>,
}

impl PhotoFrames<'_> {
    /// All of `frames`, `[frames, height, 3, width]`.
    pub(super) fn frames(&self, frames: usize) -> Vec<f32> {
        let [height, width] = self.size;
        let mut out = vec![0.0; frames * height * 3 * width];
        for (index, out) in out.chunks_exact_mut(height * 3 * width).enumerate() {
            let frame = self.frame(index);
            chunks(out, 3 * width, |y, out| dispatch(Row { frame: &frame, y, out }));
        }
        out
    }

    fn frame(&self, index: usize) -> Frame<'_> {
        let [rows, columns] = self.grid;
        let flow = &self.flow[index * rows * columns * 2..][..rows * columns * 2];
        let displacement = [0, 1].map(|axis| {
            let centre = |cell: usize| {
                let (place, count) = if axis == 0 { (cell % columns, columns) } else { (cell / columns, rows) };
                (2 * place + 1) as f32 / count as f32 - 1.0
            };
            let plane: Vec<f32> = (0..rows * columns).map(|cell| flow[2 * cell + axis] - centre(cell)).collect();
            enlarged(&plane, self.grid, self.smooth)
        });
        let mask = self.mask[0] * self.mask[1];
        let mut trust = enlarged(&self.occlusion[index * mask..][..mask], self.mask, self.trusted);
        let (none, all) = TRUSTED;
        for trust in &mut trust {
            let x = ((*trust - none) / (all - none)).clamp(0.0, 1.0);
            *trust = x * x * (3.0 - 2.0 * x);
        }
        let area = self.painting[0] * self.painting[1];
        let painted = [0, 1, 2].map(|channel| {
            let plane = &self.painted[(3 * index + channel) * area..][..area];
            enlarged(plane, self.painting, self.size)
        });
        let width = self.size[1];
        let (across, trusted_across) = (Between::all(width, self.smooth[1]), Between::all(width, self.trusted[1]));
        Frame { of: self, displacement, trust, painted, across, trusted_across }
    }
}

/// One row of a frame.
struct Row<'a> {
    frame: &'a Frame<'a>,
    y: usize,
    /// `[3, width]`
    out: &'a mut [f32],
}

impl pulp::NullaryFnOnce for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { frame, y, out } = self;
        let &PhotoFrames { photo, feather, size: [height, width], smooth, trusted, .. } = frame.of;
        let (down, trusted_down) = (Between::new(y, height, smooth[0]), Between::new(y, height, trusted[0]));
        let [displaced_x, displaced_y] = &frame.displacement;
        let (red, rest) = out.split_at_mut(width);
        let (green, blue) = rest.split_at_mut(width);
        for x in 0..width {
            let at = |plane: &[f32]| interpolated(|row, column| plane[row * smooth[1] + column], down, frame.across[x]);
            let from = |place: usize, displacement: f32, side: usize| {
                (place as f32 + displacement * 0.5 * side as f32).clamp(0.0, side as f32 - 1.0)
            };
            let (from_x, from_y) = (from(x, at(displaced_x), width), from(y, at(displaced_y), height));
            let trust = interpolated(
                |row, column| frame.trust[row * trusted[1] + column],
                trusted_down,
                frame.trusted_across[x],
            );
            let (left, top) = (from_x as usize, from_y as usize);
            let (right, below) = ((left + 1).min(width - 1), (top + 1).min(height - 1));
            let [share_x, share_y] = [from_x - left as f32, from_y - top as f32];
            let pixel = y * width + x;
            for (channel, out) in [&mut *red, green, blue].into_iter().enumerate() {
                let plane = &photo[channel * height * width..][..height * width];
                let line = |row: usize| {
                    let (first, second) = (plane[row * width + left], plane[row * width + right]);
                    first + (second - first) * share_x
                };
                let (upper, lower) = (line(top), line(below));
                let moved = upper + (lower - upper) * share_y;
                let painted = frame.painted[channel][pixel];
                let (shown, still) = (painted + (moved - painted) * trust, plane[pixel]);
                out[x] = ((shown - still) * feather[pixel] + still).clamp(0.0, 1.0);
            }
        }
    }
}

/// Four neighbours of a place, which are the last ones again beyond the border, and how much each counts: Keys' cubic.
struct Taps {
    at: [usize; 4],
    weights: [f32; 4],
}

impl Taps {
    fn new(place: usize, outputs: usize, inputs: usize) -> Self {
        let source = (place as f32 + 0.5) * inputs as f32 / outputs as f32 - 0.5;
        let low = source.floor();
        let share = source - low;
        let inner = |d: f32| (1.5 * d - 2.5) * d * d + 1.0;
        let outer = |d: f32| ((-0.5 * d + 2.5) * d - 4.0) * d + 2.0;
        let at = [-1, 0, 1, 2].map(|tap| (low as isize + tap).clamp(0, inputs as isize - 1) as usize);
        Self { at, weights: [outer(share + 1.0), inner(share), inner(1.0 - share), outer(2.0 - share)] }
    }
}

/// A plane, enlarged by cubics.
fn enlarged(plane: &[f32], [rows, columns]: [usize; 2], [height, width]: [usize; 2]) -> Vec<f32> {
    let taps: Vec<Taps> = (0..width).map(|x| Taps::new(x, width, columns)).collect();
    let mut wide = Vec::with_capacity(rows * width);
    for row in plane.chunks_exact(columns) {
        wide.extend(taps.iter().map(|Taps { at, weights }| (0..4).map(|tap| weights[tap] * row[at[tap]]).sum::<f32>()));
    }
    let mut out = vec![0.0; height * width];
    for (y, out) in out.chunks_exact_mut(width).enumerate() {
        let Taps { at, weights } = Taps::new(y, height, rows);
        dispatch(Sum { rows: at.map(|row| &wide[row * width..][..width]), weights, out });
    }
    out
}

/// Four rows as one.
struct Sum<'a> {
    rows: [&'a [f32]; 4],
    weights: [f32; 4],
    out: &'a mut [f32],
}

impl pulp::NullaryFnOnce for Sum<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { rows: [first, second, third, fourth], weights: [a, b, c, d], out } = self;
        let rows = first.iter().zip(second).zip(third.iter().zip(fourth));
        for (out, ((first, second), (third, fourth))) in out.iter_mut().zip(rows) {
            *out = a * first + b * second + c * third + d * fourth;
        }
    }
}
