//! The terms of stage 1's losses, each a function of what the networks found and of the frames that
//! they saw.

use anyhow::Result;
use burn::tensor::activation::softplus;
use burn::tensor::{Device, Tensor, TensorData};

use super::parcel::Parcel;
use super::stage::Cargo;
use super::tps::ThinPlateTransform;
use crate::lfae::Regions;
use crate::matrix2::Matrix2;
use crate::motion::Motion;
use crate::native::data::PairBatch;
use crate::tensor::{anti_alias, pixel_grid, resize, warp};

/// Pairs of frames on the device, with exact flow where the data has it.
pub(super) struct Pairs {
    /// `[batch, 3, height, width]` in [0, 1].
    pub(super) source: Tensor<4>,
    /// `[batch, 3, height, width]` in [0, 1].
    pub(super) driving: Tensor<4>,
    /// `[batch, grid, grid, 2]`, xy of the places in the source, normalised.
    flow: Tensor<4>,
    /// Share of each cell that the source shows, `[batch, 1, grid, grid]`.
    visibility: Tensor<4>,
    /// 1 where the flow is exact, 0 where there is none, `[batch, 1, 1, 1]`.
    is_exact: Tensor<4>,
    /// Whether all of it is.
    all_exact: bool,
}

impl Pairs {
    pub(super) fn new(pairs: PairBatch, device: &Device) -> Self {
        let (batch, size, grid) = (pairs.batch, pairs.size, pairs.grid);
        let image = |values: Vec<f32>| Tensor::from_data(TensorData::new(values, [batch, 3, size, size]), device);
        Self {
            source: image(pairs.source),
            driving: image(pairs.driving),
            flow: Tensor::from_data(TensorData::new(pairs.flow, [batch, grid, grid, 2]), device),
            visibility: Tensor::from_data(TensorData::new(pairs.visibility, [batch, 1, grid, grid]), device),
            all_exact: pairs.flow_mask.iter().all(|&mask| mask == 1.0),
            is_exact: Tensor::from_data(TensorData::new(pairs.flow_mask, [batch, 1, 1, 1]), device),
        }
    }

    /// The exact motion of those pairs that have it, and for the others what `estimate` says.
    ///
    /// # Shapes
    /// - both: of `batch` frames on the grid of the exact flow
    pub(super) fn exact_motion_or(&self, estimate: impl FnOnce() -> Motion) -> Motion {
        let exact = Motion { flow: self.flow.clone(), occlusion: self.visibility.clone() };
        if self.all_exact {
            return exact;
        }
        let estimated = estimate();
        let choose = |exact: Tensor<4>, other: Tensor<4>| other.clone() + (exact - other) * self.is_exact.clone();
        Motion { flow: choose(exact.flow, estimated.flow), occlusion: choose(exact.occlusion, estimated.occlusion) }
    }

    /// Pairs with exact flow, at least 1 so that it can divide, `[1]`.
    fn exact_count(&self) -> Tensor<1> {
        self.is_exact.clone().sum().clamp_min(1.0)
    }
}

impl Cargo for Pairs {
    fn pack(self) -> Result<Parcel> {
        Ok(Parcel::new(&self.all_exact)?
            .with("source", self.source)
            .with("driving", self.driving)
            .with("flow", self.flow)
            .with("visibility", self.visibility)
            .with("is_exact", self.is_exact))
    }

    fn unpack(mut parcel: Parcel, device: &Device) -> Result<Self> {
        Ok(Self {
            all_exact: parcel.words()?,
            source: parcel.tensor("source", device)?,
            driving: parcel.tensor("driving", device)?,
            flow: parcel.tensor("flow", device)?,
            visibility: parcel.tensor("visibility", device)?,
            is_exact: parcel.tensor("is_exact", device)?,
        })
    }
}

/// Regions must move with the picture: centres (FOMM, Eq. 9) and frames (Eq. 12), under a
/// thin-plate transform of the driving frame. Returns the errors of both, unweighted.
///
/// # Shapes
/// - both results: `[1]`
pub fn equivariance(
    driving: &Regions,
    transformed: &Regions,
    transform: &ThinPlateTransform,
    revert_axis_swap: bool,
) -> (Tensor<1>, Tensor<1>) {
    let shift = (driving.shift.clone() - transform.points(transformed.shift.clone())).abs().mean();
    let affine = match (&driving.affine, &transformed.affine) {
        (Some(driving), Some(affine)) => {
            let moved = transform.jacobian(transformed.shift.clone()).product(affine);
            distance_to_identity(&driving.inverse().product(&moved), revert_axis_swap)
        }
        _ => Tensor::zeros([1], &driving.shift.device()),
    };
    (shift, affine)
}

fn distance_to_identity(matrix: &Matrix2, revert_axis_swap: bool) -> Tensor<1> {
    let matrix = if revert_axis_swap { matrix.scale(matrix.a.clone().sign()) } else { matrix.clone() };
    let [b, k] = matrix.a.dims();
    let identity = Tensor::<2>::eye(2, &matrix.a.device()).unsqueeze::<4>().expand([b, k, 2, 2]);
    (matrix.to_tensor() - identity).abs().mean()
}

/// How many others lie at a region's centre, on average: a Gaussian of a tenth of the image's
/// half-width counts them (Zhang et al. 2018, "Unsupervised Discovery of Object Landmarks as
/// Structural Representations", Eq. 4).
///
/// # Shapes
/// - `centres`: `[batch, regions, 2]`
pub(super) fn crowding(centres: &Tensor<3>) -> Tensor<1> {
    const SIGMA: f32 = 0.1;
    let [batch, regions, _] = centres.dims();
    let rows = centres.clone().unsqueeze_dim::<4>(2).expand([batch, regions, regions, 2]);
    let columns = centres.clone().unsqueeze_dim::<4>(1).expand([batch, regions, regions, 2]);
    let squared_distance = (rows - columns).powi_scalar(2).sum_dim(3);
    let neighbours = (squared_distance * (-0.5 / (SIGMA * SIGMA))).exp().sum();
    neighbours / (batch * regions) as f32 - 1.0
}

/// Regions must stay on the same point of the face: a centre of the driving frame, carried to the
/// source by the exact flow, is the source's.
///
/// # Shapes
/// - `source`, `driving`: `[batch, regions, 2]`
pub(super) fn tracking(source: &Tensor<3>, driving: &Tensor<3>, pairs: &Pairs) -> Tensor<1> {
    let [batch, regions, _] = driving.dims();
    let [_, height, width, _] = pairs.flow.dims();
    let displacement = pairs.flow.clone() - pixel_grid([height, width], &pairs.flow.device()).unsqueeze();
    // The point moves, not the place where the field is read: its slope is noise.
    let places = driving.clone().detach().reshape([batch, regions, 1, 2]);
    let displacement = warp(displacement.permute([0, 3, 1, 2]), places).reshape([batch, 2, regions]).swap_dims(1, 2);
    let mask = pairs.is_exact.clone().reshape([batch, 1, 1]);
    let count = pairs.exact_count() * (regions * 2) as f32;
    ((source.clone() - driving.clone() - displacement).abs() * mask).sum() / count
}

/// Squared error of the flow over visible cells, in pixels of a 64-pixel image, over the exact pairs.
///
/// The motion may lie on a coarser grid than the exact flow: before a fine refinement it does.
pub(super) fn flow_error(motion: &Motion, pairs: &Pairs) -> Tensor<1> {
    let [batch, height, width, _] = motion.flow.dims();
    let onto = |x: Tensor<4>| resize(x, [height, width]);
    let exact = onto(pairs.flow.clone().permute([0, 3, 1, 2])).permute([0, 2, 3, 1]);
    let weight = (onto(pairs.visibility.clone()) * pairs.is_exact.clone()).reshape([batch, height, width, 1]);
    let error = (motion.flow.clone() - exact) * 32.0;
    let cells = pairs.exact_count() * (height * width) as f32;
    (error.clone() * error * weight).sum() / cells
}

/// Cross-entropy of the occlusion with these logits over the exact pairs. It takes the logits
/// because a saturated occlusion must still feel the pull back.
///
/// # Shapes
/// - `logits`: `[batch, 1, height, width]`, of the exact flow's grid
pub(super) fn visibility_error(logits: Option<Tensor<4>>, pairs: &Pairs) -> Tensor<1> {
    match logits {
        None => Tensor::zeros([1], &pairs.flow.device()),
        Some(logits) => {
            let [_, _, height, width] = logits.dims();
            let entropy = softplus(logits.clone(), 1.0) - logits * pairs.visibility.clone();
            let cells = pairs.exact_count() * (height * width) as f32;
            (entropy * pairs.is_exact.clone()).sum() / cells
        }
    }
}

/// L1 pyramid of the source as the motion alone warps it, over what the source shows: exact
/// visibility says what that is, or else the occlusion.
///
/// # Shapes
/// - `warped`: `[batch, 3, height, width]` in [0, 1]
pub(super) fn warping_error(warped: Tensor<4>, motion: &Motion, pairs: &Pairs, focus: f64) -> Tensor<1> {
    let [_, _, height, width] = warped.dims();
    let size = [height, width];
    let is_exact = pairs.is_exact.clone();
    let visible = resize(pairs.visibility.clone(), size) * is_exact.clone()
        + resize(motion.occlusion.clone().detach(), size) * (is_exact.neg() + 1.0);
    pyramid_l1(warped, &pairs.driving, &(motion_focus(pairs, focus) * visible))
}

/// `1 + focus` where a pixel changes by a tenth of the range or more, 1 where it stays.
///
/// # Shapes
/// - result: `[batch, 1, height, width]`
pub(super) fn motion_focus(pairs: &Pairs, focus: f64) -> Tensor<4> {
    let change = (pairs.driving.clone() - pairs.source.clone()).abs().max_dim(1);
    change.mul_scalar(10.0).clamp_max(1.0).mul_scalar(focus) + 1.0
}

/// The share of each pixel that the source does not show; 0 in pairs without exact flow.
///
/// # Shapes
/// - result: `[batch, 1, height, width]`
pub(super) fn hidden(pairs: &Pairs) -> Tensor<4> {
    let [_, _, height, width] = pairs.driving.dims();
    (-resize(pairs.visibility.clone(), [height, width]) + 1.0) * pairs.is_exact.clone()
}

/// L1 over three scales, of the pixels and of their differences to the right and down, which keeps
/// edges sharp.
///
/// # Shapes
/// - `prediction`, `target`: `[batch, 3, height, width]` in [0, 1]
/// - `focus`: `[batch, 1, height, width]`
pub(super) fn pyramid_l1(prediction: Tensor<4>, target: &Tensor<4>, focus: &Tensor<4>) -> Tensor<1> {
    let error = prediction - target.clone();
    let terms = [1.0, 0.5, 0.25].map(|scale| {
        // Blurring and subsampling are linear: the error's pyramid is the pyramids' error.
        let (error, focus) = (anti_alias(error.clone(), scale), anti_alias(focus.clone(), scale));
        let [batch, channels, height, width] = error.dims();
        let inner = error.clone().slice([0..batch, 0..channels, 0..height - 1, 0..width - 1]);
        let right = error.clone().slice([0..batch, 0..channels, 0..height - 1, 1..width]) - inner.clone();
        let down = error.clone().slice([0..batch, 0..channels, 1..height, 0..width - 1]) - inner;
        let near = focus.clone().slice([0..batch, 0..1, 0..height - 1, 0..width - 1]);
        (error.abs() * focus).mean() + ((right.abs() + down.abs()) * near).mean()
    });
    let [full, half, quarter] = terms;
    full + half + quarter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crowding_counts_the_others_at_a_centre() {
        let device = Device::flex();
        let count = |centres: [[f32; 2]; 3]| crowding(&Tensor::<3>::from_data([centres], &device)).into_scalar::<f32>();
        assert_eq!(count([[0.2, 0.1]; 3]), 2.0);
        assert!(count([[0.0, 0.0], [0.7, 0.0], [0.0, 0.7]]) < 1e-6);
        assert!((count([[0.0, 0.0], [0.0, 0.0], [0.0, 0.7]]) - 2.0 / 3.0).abs() < 1e-6);
    }

    /// Two pairs of one cell each.
    fn two_pairs(flow_mask: Vec<f32>) -> PairBatch {
        PairBatch {
            batch: 2,
            size: 4,
            grid: 1,
            source: vec![0.0; 96],
            driving: vec![0.0; 96],
            flow: vec![0.1, 0.2, 0.3, 0.4],
            visibility: vec![0.5, 0.6],
            flow_mask,
        }
    }

    #[test]
    fn what_is_hidden_is_what_exact_flow_does_not_show() {
        let hidden = hidden(&Pairs::new(two_pairs(vec![1.0, 0.0]), &Device::flex()));
        assert_eq!(hidden.dims(), [2, 1, 4, 4]);
        let values: Vec<f32> = hidden.into_data().iter().collect();
        assert_eq!((&values[..16], &values[16..]), ([0.5; 16].as_slice(), [0.0; 16].as_slice()));
    }

    #[test]
    fn motion_is_exact_where_it_is_known() {
        let device = Device::flex();
        let values = |motion: Motion| {
            let [flow, occlusion] = [motion.flow, motion.occlusion].map(|x| x.into_data().iter().collect::<Vec<f32>>());
            [flow, occlusion].concat()
        };
        let estimate = || Motion {
            flow: Tensor::zeros([2, 1, 1, 2], &Device::flex()),
            occlusion: Tensor::ones([2, 1, 1, 1], &Device::flex()),
        };
        let known = Pairs::new(two_pairs(vec![1.0; 2]), &device);
        assert_eq!(values(known.exact_motion_or(|| unreachable!())), [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]);
        let mixed = Pairs::new(two_pairs(vec![0.0, 1.0]), &device);
        assert_eq!(values(mixed.exact_motion_or(estimate)), [0.0, 0.0, 0.3, 0.4, 1.0, 0.6]);
    }

    /// Cells far from the border: there the sampled field fades to zero.
    #[test]
    fn tracking_is_zero_where_regions_ride_on_the_flow() {
        let device = Device::flex();
        let (grid, shift) = (8, [0.125, -0.25]);
        let identity = pixel_grid([grid, grid], &device).unsqueeze_dim::<4>(0);
        let offset = Tensor::<1>::from_floats(shift, &device).reshape([1, 1, 1, 2]);
        let pairs = |is_exact: f32| Pairs {
            source: Tensor::zeros([1, 3, 4, 4], &device),
            driving: Tensor::zeros([1, 3, 4, 4], &device),
            flow: identity.clone() + offset.clone(),
            visibility: Tensor::ones([1, 1, grid, grid], &device),
            is_exact: Tensor::full([1, 1, 1, 1], is_exact, &device),
            all_exact: is_exact == 1.0,
        };
        let driving = Tensor::<3>::from_data([[[0.1, 0.2], [-0.3, 0.0]]], &device);
        let source = driving.clone() + Tensor::<1>::from_floats(shift, &device).reshape([1, 1, 2]);
        let distance = |source: &Tensor<3>, is_exact| tracking(source, &driving, &pairs(is_exact)).into_scalar::<f32>();
        assert!(distance(&source, 1.0) < 1e-6);
        assert!((distance(&driving, 1.0) - f32::midpoint(0.125, 0.25)).abs() < 1e-6);
        assert_eq!(distance(&driving, 0.0), 0.0, "without exact flow there is nothing to follow");
    }
}
