//! Random thin-plate transforms, for the equivariance losses (FOMM, Sec. 3.1).

use burn::tensor::ops::{GridSampleOptions, GridSamplePaddingMode, InterpolateMode};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::matrix2::Matrix2;
use crate::tensor::coordinate_grid;

/// How strong the transforms are, as in the official configuration's `transform_params`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TransformParams {
    /// Deviation of the entries of the affine part.
    pub sigma_affine: f64,
    /// Deviation of the weights of the radial part.
    pub sigma_tps: f64,
    /// Control points per axis.
    pub points: usize,
}

impl Default for TransformParams {
    fn default() -> Self {
        Self { sigma_affine: 0.05, sigma_tps: 0.005, points: 5 }
    }
}

/// `z -> A z + t + sum_k w_k U(|z - p_k|_1)`, the radial part added to x and y alike, with `U(r) =
/// r^2 ln(r + 1e-6)`.
pub struct ThinPlateTransform {
    /// `A` and `t`, `[batch, 2, 3]`.
    pub theta: Tensor<3>,
    /// `w`, `[batch, 1, points^2]`.
    pub weights: Tensor<3>,
    /// `p`, `[points^2, 2]`.
    pub control_points: Tensor<2>,
}

const TINY: f64 = 1e-6;

impl ThinPlateTransform {
    /// A transform of the given strength, from standard normal noise.
    ///
    /// # Shapes
    /// - `affine_noise`: `[batch, 2, 3]`
    /// - `tps_noise`: `[batch, 1, points^2]`
    pub fn new(params: &TransformParams, affine_noise: Tensor<3>, tps_noise: Tensor<3>) -> Self {
        let device = affine_noise.device();
        let identity = Tensor::<2>::from_floats([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], &device);
        Self {
            theta: affine_noise.mul_scalar(params.sigma_affine) + identity.unsqueeze(),
            weights: tps_noise.mul_scalar(params.sigma_tps),
            control_points: coordinate_grid([params.points, params.points], &device)
                .reshape([params.points * params.points, 2]),
        }
    }

    /// Shapes of the two noises that [`new`](Self::new) takes.
    pub fn noise_shapes(params: &TransformParams, batch: usize) -> ([usize; 3], [usize; 3]) {
        ([batch, 2, 3], [batch, 1, params.points * params.points])
    }

    /// The transformed picture, mirrored at its border.
    ///
    /// # Shapes
    /// - `frame`, result: `[batch, 3, height, width]`; no gradient flows through
    pub fn frame(&self, frame: Tensor<4>) -> Tensor<4> {
        let [batch, _, height, width] = frame.dims();
        let grid =
            coordinate_grid([height, width], &self.device()).reshape([1, height * width, 2]).repeat_dim(0, batch);
        let places = self.points(grid).reshape([batch, height, width, 2]).without_autodiff();
        let options =
            GridSampleOptions::new(InterpolateMode::Bilinear).with_padding_mode(GridSamplePaddingMode::Reflection);
        let tracked = frame.device().is_autodiff();
        let moved = frame.without_autodiff().grid_sample_2d(places, options);
        if tracked { moved.autodiff() } else { moved }
    }

    /// Where points go.
    ///
    /// # Shapes
    /// - `points`, result: `[batch, count, 2]`, xy
    pub fn points(&self, points: Tensor<3>) -> Tensor<3> {
        let [batch, _, _] = points.dims();
        let linear = self.theta.clone().slice([0..batch, 0..2, 0..2]);
        let translation = self.theta.clone().slice([0..batch, 0..2, 2..3]).swap_dims(1, 2);
        let radius = self.radius(points.clone());
        let bumps = radius.clone() * radius.clone() * (radius + TINY).log();
        let radial = (bumps * self.weights.clone()).sum_dim(2);
        points.matmul(linear.swap_dims(1, 2)) + translation + radial
    }

    /// Derivative of [`points`](Self::points), in closed form; the official code differentiates its
    /// graph twice instead.
    ///
    /// # Shapes
    /// - `points`: `[batch, count, 2]`
    /// - returns entries of `[batch, count]`
    pub fn jacobian(&self, points: Tensor<3>) -> Matrix2 {
        let [batch, count, _] = points.dims();
        let radius = self.radius(points.clone());
        let slope =
            radius.clone() * (radius.clone() + TINY).log() * 2.0 + radius.clone() * radius.clone() / (radius + TINY);
        let pull = slope * self.weights.clone();
        let gradient =
            |axis: usize| (pull.clone() * self.offset(points.clone(), axis).sign()).sum_dim(2).reshape([batch, count]);
        let entry = |i: usize, j: usize| self.theta.clone().slice([0..batch, i..i + 1, j..j + 1]).reshape([batch, 1]);
        let (x, y) = (gradient(0), gradient(1));
        Matrix2 { a: x.clone() + entry(0, 0), b: y.clone() + entry(0, 1), c: x + entry(1, 0), d: y + entry(1, 1) }
    }

    /// L1 distance of every point to every control point, `[batch, count, points^2]`.
    fn radius(&self, points: Tensor<3>) -> Tensor<3> {
        self.offset(points.clone(), 0).abs() + self.offset(points, 1).abs()
    }

    fn offset(&self, points: Tensor<3>, axis: usize) -> Tensor<3> {
        let [batch, count, _] = points.dims();
        let [controls, _] = self.control_points.dims();
        let control = self.control_points.clone().slice([0..controls, axis..axis + 1]).reshape([1, 1, controls]);
        points.slice([0..batch, 0..count, axis..axis + 1]) - control
    }

    fn device(&self) -> Device {
        self.theta.device()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Distribution, Tolerance};

    fn transform(batch: usize, sigma_tps: f64, device: &Device) -> ThinPlateTransform {
        let params = TransformParams { sigma_tps, ..Default::default() };
        let (affine, tps) = ThinPlateTransform::noise_shapes(&params, batch);
        let normal = Distribution::Normal(0.0, 1.0);
        ThinPlateTransform::new(&params, Tensor::random(affine, normal, device), Tensor::random(tps, normal, device))
    }

    #[test]
    fn the_jacobian_is_the_slope_of_the_points() {
        let device = Device::flex();
        let transform = transform(2, 0.05, &device);
        // Between the control points: at their coordinates the L1 distance has a kink, where no
        // slope can be measured.
        let middles = coordinate_grid([4, 5], &device).reshape([1, 20, 2]) * 0.75;
        let middles = (middles * 2.0 + 0.5).floor() * 0.5 + 0.25;
        let points = middles + Tensor::random([2, 20, 2], Distribution::Uniform(-0.15, 0.15), &device);
        let jacobian = transform.jacobian(points.clone());
        let step = 1e-3f32;
        let slope = |axis: usize| {
            let mut direction = [0.0f32; 2];
            direction[axis] = step;
            let direction = Tensor::<1>::from_floats(direction, &device).reshape([1, 1, 2]);
            let ahead = transform.points(points.clone() + direction.clone());
            (ahead - transform.points(points.clone() - direction)) / (2.0 * step)
        };
        let column = |slope: Tensor<3>, row: usize| slope.slice([0..2, 0..20, row..row + 1]).reshape([2, 20]);
        for (analytic, axis, row) in [(jacobian.a, 0, 0), (jacobian.b, 1, 0), (jacobian.c, 0, 1), (jacobian.d, 1, 1)] {
            let numeric = column(slope(axis), row);
            analytic.into_data().assert_approx_eq::<f32>(&numeric.into_data(), Tolerance::absolute(2e-2));
        }
    }
}
