//! Conditioning augmentation (Ho et al. 2022, "Cascaded Diffusion Models for High Fidelity Image
//! Generation") for the decoder, whose condition is motion.
//!
//! Detail of motion that stage 2 makes up is as strong as real detail but knows less where it
//! belongs. A decoder that has met such motion in its training does not rely on the detail.

use burn::tensor::module::avg_pool2d;
use burn::tensor::ops::AvgPoolOptions;
use burn::tensor::{Tensor, TensorData};

use crate::motion::Motion;
use crate::noise::NoiseSource;
use crate::tensor::{WAVELETS, coordinate_grid, haar, inverse_haar};

/// Keeps the root of the strength differentiable where there is no detail.
const MIN_DETAIL: f32 = 1e-6;

/// `motion`, in which a `share` of the batch has lost some of its detail to noise that is as strong
/// in the neighbourhood, channel by channel. Detail is what differs within two by two cells
/// ([`haar`]).
pub(super) fn augment_motion(motion: Motion, share: f32, noise: &mut NoiseSource) -> Motion {
    let Motion { flow, occlusion } = motion;
    let device = flow.device();
    let [batch, height, width, _] = flow.dims();
    // The slope of the grid itself is no detail.
    let grid = coordinate_grid([height, width], &device).unsqueeze::<4>();
    let displacement = (flow - grid.clone()).permute([0, 3, 1, 2]);
    let bands = haar(Tensor::cat(vec![displacement, occlusion], 1));
    let planes = bands.dims()[1] / WAVELETS;
    let detail = bands.clone().narrow(1, planes, bands.dims()[1] - planes);
    let around = AvgPoolOptions::new([3, 3]).with_stride([1, 1]).with_padding([1, 1]).with_count_include_pad(false);
    let strength = (avg_pool2d(detail.clone().square(), around) + MIN_DETAIL * MIN_DETAIL).sqrt();

    let (mut kept, mut made_up) = (Vec::with_capacity(batch), Vec::with_capacity(batch));
    for _ in 0..batch {
        let [chance, share_kept, level] = [(); 3].map(|()| noise.uniform() as f32);
        let share_kept = if chance < share { share_kept } else { 1.0 };
        kept.push(share_kept);
        made_up.push((1.0 - share_kept * share_kept).sqrt() * level);
    }
    let [kept, made_up] =
        [kept, made_up].map(|shares| Tensor::<4>::from_data(TensorData::new(shares, [batch, 1, 1, 1]), &device));
    let drawn = noise.normal(detail.dims(), &device);
    let detail = detail * kept + strength * drawn * made_up;
    let moved = inverse_haar(Tensor::cat(vec![bands.narrow(1, 0, planes), detail], 1));
    Motion {
        flow: moved.clone().narrow(1, 0, 2).permute([0, 2, 3, 1]) + grid,
        occlusion: moved.narrow(1, 2, 1).clamp(0.0, 1.0),
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tolerance};

    use super::*;

    #[test]
    fn augmented_motion_keeps_its_means_and_about_its_detail() {
        let device = Device::flex();
        let mut noise = NoiseSource::new(0);
        let grid = coordinate_grid([8, 8], &device).unsqueeze::<4>();
        let flow = grid.clone() + noise.normal::<4>([64, 8, 8, 2], &device) * 0.1;
        let occlusion = (noise.normal([64, 1, 8, 8], &device) * 0.05 + 0.5).clamp(0.0, 1.0);
        let motion = Motion { flow, occlusion };
        let bands = |motion: &Motion| {
            let displacement = (motion.flow.clone() - grid.clone()).permute([0, 3, 1, 2]);
            let bands = haar(Tensor::cat(vec![displacement, motion.occlusion.clone()], 1));
            [bands.clone().narrow(1, 0, 3), bands.narrow(1, 3, 9)]
        };
        let [means, detail] = bands(&motion);
        let near = |a: Tensor<4>, b: &Tensor<4>| {
            a.into_data().assert_approx_eq::<f32>(&b.to_data(), Tolerance::absolute(1e-5));
        };

        let [same_means, same_detail] = bands(&augment_motion(motion.clone(), 0.0, &mut noise));
        near(same_means, &means);
        near(same_detail, &detail);

        let [kept_means, other_detail] = bands(&augment_motion(motion, 1.0, &mut noise));
        near(kept_means, &means);
        let energy = |detail: &Tensor<4>| detail.clone().square().mean().into_scalar::<f32>();
        // A third is kept on average, and of the other two a third comes back as noise.
        let ratio = energy(&other_detail) / energy(&detail);
        assert!((0.45..0.7).contains(&ratio), "{ratio}");
        let likeness = (other_detail * detail.clone()).mean().into_scalar::<f32>() / energy(&detail);
        assert!((0.4..0.6).contains(&likeness), "half of the detail is kept on average, not {likeness}");
    }
}
