//! The blend on the CPU, a row of pixels at a time.

use crate::kernels::cpu::{chunks, dispatch};
use crate::motion::FlowResize;

/// What is blended. Maps have their channels last.
pub(super) struct WarpBlend<'a> {
    /// `[images, height, width, channels]`, one for all frames or one for each.
    pub(super) image: &'a [f32],
    pub(super) images: usize,
    pub(super) size: [usize; 2],
    pub(super) channels: usize,
    /// `[frames, rows, columns, 2]`, xy.
    pub(super) flow: &'a [f32],
    pub(super) grid: [usize; 2],
    /// `[frames, rows, columns]`
    pub(super) occlusion: &'a [f32],
    pub(super) mask: [usize; 2],
    /// Like the result.
    pub(super) painted: Option<&'a [f32]>,
    pub(super) resize: FlowResize,
}

/// Two cells of a grid's axis, and the share of the second.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct Between {
    low: usize,
    high: usize,
    share: f32,
}

impl Between {
    /// Half-pixel centres without anti-aliasing: PyTorch's `interpolate(align_corners=False)`.
    pub(in crate::kernels) fn new(place: usize, outputs: usize, inputs: usize) -> Self {
        let source = ((place as f32 + 0.5) * inputs as f32 / outputs as f32 - 0.5).max(0.0);
        let low = (source as usize).min(inputs - 1);
        Self { low, high: (low + 1).min(inputs - 1), share: source - low as f32 }
    }

    pub(in crate::kernels) fn all(outputs: usize, inputs: usize) -> Vec<Self> {
        (0..outputs).map(|place| Self::new(place, outputs, inputs)).collect()
    }
}

/// A map interpolated at one place.
#[inline(always)]
pub(in crate::kernels) fn interpolated(at: impl Fn(usize, usize) -> f32, down: Between, across: Between) -> f32 {
    let row = |row: usize| {
        let (low, high) = (at(row, across.low), at(row, across.high));
        low + (high - low) * across.share
    };
    let (low, high) = (row(down.low), row(down.high));
    low + (high - low) * down.share
}

impl WarpBlend<'_> {
    /// All of `frames`, `[frames, height, width, channels]`.
    pub(super) fn frames(&self, frames: usize) -> Vec<f32> {
        let [height, width] = self.size;
        let row = width * self.channels;
        let mut out = vec![0.0; frames * height * row];
        let [across, masked] = [self.grid, self.mask].map(|grid| Between::all(width, grid[1]));
        // Some rows at a time: a row of few channels is too little work to hand to a thread.
        let rows = (4096 / row).clamp(1, height);
        chunks(&mut out, rows * row, |index, out| {
            for (line, out) in out.chunks_exact_mut(row).enumerate() {
                let line = index * rows + line;
                dispatch(Row {
                    blend: self,
                    frame: line / height,
                    y: line % height,
                    across: &across,
                    masked: &masked,
                    out,
                });
            }
        });
        out
    }

    /// Where pixel (`x`, `y`) of `frame` comes from, in pixels, xy.
    #[inline(always)]
    fn source(&self, frame: usize, [x, y]: [usize; 2], down: Between, across: Between) -> [f32; 2] {
        let [rows, columns] = self.grid;
        let flow = &self.flow[frame * rows * columns * 2..][..rows * columns * 2];
        let size = [self.size[1], self.size[0]];
        std::array::from_fn(|axis| {
            let mut place = interpolated(|row, column| flow[(row * columns + column) * 2 + axis], down, across);
            let side = size[axis] as f32;
            if self.resize == FlowResize::Displacements {
                // Beyond the centres of the outermost cells places stand still, displacements go on.
                let cells = [columns, rows][axis] as f32;
                let cell = ([x, y][axis] as f32 + 0.5) * cells / side - 0.5;
                place += (cell - cell.clamp(0.0, cells - 1.0)) * 2.0 / cells;
            }
            let pixel = ((place + 1.0) * side - 1.0) * 0.5;
            if self.resize == FlowResize::Displacements { pixel.clamp(0.0, side - 1.0) } else { pixel }
        })
    }
}

/// One row of one frame.
struct Row<'a> {
    blend: &'a WarpBlend<'a>,
    frame: usize,
    y: usize,
    across: &'a [Between],
    masked: &'a [Between],
    out: &'a mut [f32],
}

impl pulp::NullaryFnOnce for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { blend, frame, y, across, masked, out } = self;
        let [height, width] = blend.size;
        let channels = blend.channels;
        let down = Between::new(y, height, blend.grid[0]);
        let down_masked = Between::new(y, height, blend.mask[0]);
        let [mask_rows, mask_columns] = blend.mask;
        let occlusion = &blend.occlusion[frame * mask_rows * mask_columns..][..mask_rows * mask_columns];
        let image = frame.min(blend.images - 1) * height * width * channels;
        for (x, out) in out.chunks_exact_mut(channels).enumerate() {
            let [from_x, from_y] = blend.source(frame, [x, y], down, across[x]);
            let trust = interpolated(|row, column| occlusion[row * mask_columns + column], down_masked, masked[x]);
            let (left, top) = (from_x.floor(), from_y.floor());
            let (right, below) = (from_x - left, from_y - top);
            // A neighbour outside the image is black.
            let neighbour = |dx: f32, dy: f32, weight: f32| {
                let (x, y) = (left + dx, top + dy);
                let inside = x >= 0.0 && y >= 0.0 && x < width as f32 && y < height as f32;
                let at = if inside { (y as usize * width + x as usize) * channels } else { 0 };
                (&blend.image[image + at..][..channels], if inside { weight * trust } else { 0.0 })
            };
            let (first, first_weight) = neighbour(0.0, 0.0, (1.0 - right) * (1.0 - below));
            let (second, second_weight) = neighbour(1.0, 0.0, right * (1.0 - below));
            let (third, third_weight) = neighbour(0.0, 1.0, (1.0 - right) * below);
            let (fourth, fourth_weight) = neighbour(1.0, 1.0, right * below);
            let corners = first.iter().zip(second).zip(third.iter().zip(fourth));
            for (out, ((first, second), (third, fourth))) in out.iter_mut().zip(corners) {
                *out = first * first_weight + second * second_weight + third * third_weight + fourth * fourth_weight;
            }
            if let Some(painted) = blend.painted {
                let begin = ((frame * height + y) * width + x) * channels;
                for (out, painted) in out.iter_mut().zip(&painted[begin..begin + channels]) {
                    *out += painted * (1.0 - trust);
                }
            }
        }
    }
}
