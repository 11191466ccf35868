//! The part of motion that moves the whole foreground.

use burn::tensor::{Device, Tensor, TensorData};

use super::config::Diffused;
use crate::kernels::project;

/// Half width and half height of the foreground, where the images' are 1: portraits are framed alike.
const FOREGROUND: [f32; 2] = [0.7, 0.85];

/// The shift, turn and stretch of the foreground that comes nearest to `x`, which fades out around it: the least
/// squares fit of a plane to each channel of flow, weighted by an ellipse around the middle. Occlusion has none.
///
/// # Shapes
/// - `x` and result: `[batch, channels, frames, height, width]`, motion or wavelets of it
pub(super) fn affine(x: &Tensor<5>, diffused: Diffused) -> Tensor<5> {
    let [batch, channels, frames, height, width] = x.dims();
    if let Diffused::Channels(_) = diffused {
        return x.zeros_like();
    }
    // Flow x and y come before occlusion, whatever bands there are of each.
    let of_flow = channels * 2 / 3;
    let [measure, planes] = planes([height, width], &x.device());
    let flow = x.clone().narrow(1, 0, of_flow).reshape([batch * of_flow * frames, height * width]);
    let fitted = project(project(flow, &measure, None), &planes.transpose(), None);
    let fitted = fitted.reshape([batch, of_flow, frames, height, width]);
    Tensor::cat(vec![fitted, x.clone().narrow(1, of_flow, channels - of_flow).zeros_like()], 1)
}

/// What measures the three planes of a flattened map, and the planes, both within the foreground. An ellipse is
/// symmetric, so the planes are orthogonal already.
///
/// # Shapes
/// - results: `[height * width, 3]`
fn planes([height, width]: [usize; 2], device: &Device) -> [Tensor<2>; 2] {
    let place = |index: usize, length: usize| (2 * index + 1) as f32 / length as f32 - 1.0;
    let cells: Vec<([f32; 3], f32)> = (0..height * width)
        .map(|cell| {
            let (x, y) = (place(cell % width, width), place(cell / width, height));
            let radius = (x / FOREGROUND[0]).powi(2) + (y / FOREGROUND[1]).powi(2);
            ([1.0, x, y], (-radius.powi(4)).exp())
        })
        .collect();
    let norms = [0, 1, 2].map(|plane| cells.iter().map(|(values, weight)| weight * values[plane].powi(2)).sum::<f32>());
    let table = |divisors: [f32; 3]| {
        let weighted = |(values, weight): &([f32; 3], f32)| [0, 1, 2].map(|i| weight * values[i] / divisors[i]);
        let values: Vec<f32> = cells.iter().flat_map(weighted).collect();
        Tensor::<2>::from_data(TensorData::new(values, [height * width, 3]), device)
    };
    [table(norms), table([1.0; 3])]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::NoiseSource;

    /// A map of `[1, channels, 1, 8, 6]` from a value for each channel and place.
    fn map(channels: usize, value: impl Fn(usize, f32, f32) -> f32) -> Tensor<5> {
        let place = |index: usize, length: usize| (2 * index + 1) as f32 / length as f32 - 1.0;
        let values = (0..channels * 48).map(|i| value(i / 48, place(i % 6, 6), place(i / 6 % 8, 8))).collect();
        Tensor::from_data(TensorData::new::<f32, _>(values, [1, channels, 1, 8, 6]), &Device::flex())
    }

    fn values(x: Tensor<5>) -> Vec<f32> {
        x.into_data().try_to_vec().unwrap()
    }

    #[test]
    fn motion_of_the_whole_is_found_where_the_foreground_is() {
        let moved = map(3, |channel, x, y| [0.3 - 0.2 * x + 0.1 * y, 0.5 * y, 0.7][channel]);
        let (found, moved) = (values(affine(&moved, Diffused::Motion)), values(moved));
        for channel in 0..2 {
            // The middle cells are foreground, corners are not.
            for (cell, is_foreground) in [(3 * 6 + 2, true), (4 * 6 + 3, true), (0, false), (47, false)] {
                let expected = if is_foreground { moved[channel * 48 + cell] } else { 0.0 };
                let found = found[channel * 48 + cell];
                assert!((found - expected).abs() < 1e-3, "channel {channel}, cell {cell}: {found} {expected}");
            }
        }
        assert!(found[96..].iter().all(|&value| value == 0.0), "occlusion does not move");
    }

    #[test]
    fn what_is_found_does_not_depend_on_what_is_orthogonal_to_it() {
        let wavelets = Diffused::MotionWavelets;
        let x = NoiseSource::new(3).normal::<5>([2, 12, 3, 8, 8], &Device::flex());
        // The products of x and y with even powers are orthogonal to planes, within any ellipse.
        let place = |index: usize| (2 * index + 1) as f32 / 8.0 - 1.0;
        let saddle: Vec<f32> = (0..2 * 12 * 3 * 64).map(|i| 4.0 * place(i % 8) * place(i / 8 % 8)).collect();
        let saddle = Tensor::<5>::from_data(TensorData::new(saddle, [2, 12, 3, 8, 8]), &Device::flex());
        let distance = affine(&(x.clone() + saddle), wavelets) - affine(&x, wavelets);
        assert!(distance.abs().max().into_scalar::<f32>() < 1e-4);
        assert!(affine(&x, wavelets).abs().max().into_scalar::<f32>() > 0.05, "noise has a plane in it");
    }
}
