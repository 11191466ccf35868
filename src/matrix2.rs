//! 2x2 algebra on regions: the affine motions of MRAA.

use burn::tensor::Tensor;

/// 2x2 matrices, one per region, kept as their four entries so that no small batched product is ever launched.
///
/// # Shapes
/// Every entry is `[batch, regions]`.
#[derive(Debug, Clone)]
pub struct Matrix2 {
    /// First row, first column.
    pub a: Tensor<2>,
    /// First row, second column.
    pub b: Tensor<2>,
    /// Second row, first column.
    pub c: Tensor<2>,
    /// Second row, second column.
    pub d: Tensor<2>,
}

impl Matrix2 {
    /// The four entries of each matrix.
    ///
    /// # Shapes
    /// - `matrix`: `[batch, regions, 2, 2]`
    pub fn from_tensor(matrix: Tensor<4>) -> Self {
        let [batch, regions, _, _] = matrix.dims();
        let entry = |i: usize, j: usize| {
            matrix.clone().slice([0..batch, 0..regions, i..i + 1, j..j + 1]).reshape([batch, regions])
        };
        Self { a: entry(0, 0), b: entry(0, 1), c: entry(1, 0), d: entry(1, 1) }
    }

    /// The matrices as one tensor.
    ///
    /// # Shapes
    /// Returns `[batch, regions, 2, 2]`.
    pub fn to_tensor(&self) -> Tensor<4> {
        let [batch, regions] = self.a.dims();
        Tensor::stack::<3>(vec![self.a.clone(), self.b.clone(), self.c.clone(), self.d.clone()], 2)
            .reshape([batch, regions, 2, 2])
    }

    /// `self` times `other`.
    pub fn product(&self, other: &Self) -> Self {
        Self {
            a: self.a.clone() * other.a.clone() + self.b.clone() * other.c.clone(),
            b: self.a.clone() * other.b.clone() + self.b.clone() * other.d.clone(),
            c: self.c.clone() * other.a.clone() + self.d.clone() * other.c.clone(),
            d: self.c.clone() * other.b.clone() + self.d.clone() * other.d.clone(),
        }
    }

    /// The inverse; infinite where the determinant is 0.
    pub fn inverse(&self) -> Self {
        let determinant = self.a.clone() * self.d.clone() - self.b.clone() * self.c.clone();
        let scale = determinant.recip();
        Self {
            a: self.d.clone() * scale.clone(),
            b: self.b.clone().neg() * scale.clone(),
            c: self.c.clone().neg() * scale.clone(),
            d: self.a.clone() * scale,
        }
    }

    /// Rows and columns exchanged.
    pub fn transpose(&self) -> Self {
        Self { a: self.a.clone(), b: self.c.clone(), c: self.b.clone(), d: self.d.clone() }
    }

    /// Every entry times `factor`, `[batch, regions]`.
    pub fn scale(&self, factor: Tensor<2>) -> Self {
        Self {
            a: self.a.clone() * factor.clone(),
            b: self.b.clone() * factor.clone(),
            c: self.c.clone() * factor.clone(),
            d: self.d.clone() * factor,
        }
    }

    /// Principal axes of a covariance matrix: `U sqrt(S)`, the longer axis first, with LAPACK's signs, with which the
    /// official checkpoints were trained.
    ///
    /// Axes have no sign of their own. The motion between two regions is `A_source A_driving^-1`: it needs the same
    /// `det U` on both sides, and with `revert_axis_swap` nothing else.
    pub fn principal_axes(&self) -> Self {
        const TINY: f32 = 1e-12;
        let mean = (self.a.clone() + self.d.clone()) * 0.5;
        let half_gap = (self.a.clone() - self.d.clone()) * 0.5;
        let radius = (half_gap.clone() * half_gap.clone() + self.b.clone() * self.b.clone() + TINY).sqrt();
        // The major axis is (half_gap + radius, b) and equally (b, radius - half_gap): use the one that does not
        // cancel.
        let wide = half_gap.clone().greater_equal_elem(0.0);
        let x = self.b.clone().mask_where(wide.clone(), radius.clone() + half_gap.clone());
        let y = (radius.clone() - half_gap).mask_where(wide, self.b.clone());
        let length = (x.clone() * x.clone() + y.clone() * y.clone()).sqrt();
        let (x, y) = (x / length.clone(), y / length);
        // `gesdd` reflects the first column of the matrix onto the first axis and rotates the rest (`slasv2`). So
        // det U is always -1, and the major axis points left unless the rest outweighs the first column.
        let square = |entry: &Tensor<2>| entry.clone() * entry.clone();
        let first_column = square(&self.a) + square(&self.b);
        let rest = self.a.clone() * self.d.clone() - square(&self.b);
        let right = self.b.clone().greater_elem(0.0).bool_and(rest.greater(first_column));
        let sign = x.clone().greater_equal_elem(0.0).equal(right).float() * 2.0 - 1.0;
        let major = (mean.clone() + radius.clone()).clamp_min(TINY).sqrt() * sign.clone();
        let minor = (mean - radius).clamp_min(TINY).sqrt() * sign;
        Self { a: x.clone() * major.clone(), b: y.clone() * minor.clone(), c: y * major, d: x.neg() * minor }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Distribution, Tolerance};

    use super::*;

    fn close(left: Tensor<4>, right: Tensor<4>) {
        left.into_data().assert_approx_eq::<f32>(&right.into_data(), Tolerance::absolute(1e-5));
    }

    #[test]
    fn principal_axes_rebuild_the_covariance_with_negative_determinant() {
        let device = Device::flex();
        let root: Tensor<4> = Tensor::random([3, 50, 2, 2], Distribution::Normal(0.0, 0.4), &device);
        let root = Matrix2::from_tensor(root);
        let covariance = root.product(&root.transpose());
        let axes = covariance.principal_axes();
        close(axes.product(&axes.transpose()).to_tensor(), covariance.to_tensor());
        let determinant = axes.a * axes.d - axes.b * axes.c;
        assert!(determinant.max().into_scalar::<f32>() < 0.0);
    }

    #[test]
    fn a_matrix_times_its_inverse_is_the_identity() {
        let device = Device::flex();
        let matrix: Tensor<4> = Tensor::random([2, 3, 2, 2], Distribution::Uniform(0.1, 0.4), &device);
        let matrix = Matrix2::from_tensor(matrix + Tensor::<2>::eye(2, &device).unsqueeze());
        let identity = Tensor::<2>::eye(2, &device).unsqueeze::<4>().expand([2, 3, 2, 2]);
        close(matrix.product(&matrix.inverse()).to_tensor(), identity);
    }
}
