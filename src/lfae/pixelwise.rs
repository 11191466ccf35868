//! Pixelwise flow predictor: region and background motions -> dense backward flow and occlusion (MRAA, Sec. 3.3).

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::activation::{sigmoid, softmax};
use burn::tensor::{Device, Tensor};

use super::blocks::conv;
use super::config::{FlowConfig, LfaeConfig};
use super::hourglass::Hourglass;
use super::region::Regions;
use crate::matrix2::Matrix2;
use crate::motion::Motion;
use crate::tensor::{anti_alias, coordinate_grid, warp};

/// Chooses for every cell among the K region motions and the background's.
#[derive(Module, Debug)]
pub struct PixelwiseFlowPredictor {
    hourglass: Hourglass,
    mask: Conv2d,
    occlusion: Option<Conv2d>,
    #[module(skip)]
    config: FlowConfig,
    #[module(skip)]
    revert_axis_swap: bool,
}

/// What [`PixelwiseFlowPredictor::forward`] computed on its way.
#[derive(Debug, Clone)]
pub struct FlowTaps {
    /// `[batch, regions + 1, height, width]`, driving minus source, background first.
    pub heatmaps: Tensor<4>,
    /// `[batch, regions + 1, height, width, 2]`
    pub sparse_motions: Tensor<5>,
    /// `[batch, regions + 1, 3, height, width]`; `None` when the source is not fed.
    pub deformed: Option<Tensor<5>>,
    /// `[batch, regions + 1, height, width]`, softmax over the second axis.
    pub mask: Tensor<4>,
    /// `[batch, 1, height, width]` before the sigmoid.
    pub occlusion_logits: Option<Tensor<4>>,
}

impl LfaeConfig {
    /// A predictor that mixes the motions of the model's regions and of the background.
    pub fn init_pixelwise(&self, device: &Device) -> PixelwiseFlowPredictor {
        let per_motion = 1 + if self.flow.deformed_source { self.channels } else { 0 };
        let inputs = (self.regions + 1) * per_motion;
        let features = self.flow.hourglass.out_channels(inputs);
        PixelwiseFlowPredictor {
            hourglass: self.flow.hourglass.init(inputs, device),
            mask: conv([features, self.regions + 1], 7, 3, device),
            occlusion: self.flow.occlusion.then(|| conv([features, 1], 7, 3, device)),
            config: self.flow.clone(),
            revert_axis_swap: self.revert_axis_swap,
        }
    }
}

impl PixelwiseFlowPredictor {
    /// Mixes the motions of regions and background, cell by cell.
    ///
    /// # Shapes
    /// - `source`: `[batch, 3, height, width]` in [0, 1]
    /// - `background`: `[batch, 3, 3]`, driving to source, `None` if it stands still
    /// - returns flow and occlusion on the grid of `height * scale_factor` by `width * scale_factor`
    pub fn forward(
        &self,
        source: Tensor<4>,
        source_regions: &Regions,
        driving_regions: &Regions,
        background: Option<Tensor<3>>,
    ) -> (Motion, FlowTaps) {
        let source = anti_alias(source, self.config.scale_factor);
        let [batch, channels, height, width] = source.dims();
        let device = source.device();
        let grid = coordinate_grid([height, width], &device);

        let heatmaps = self.heatmaps(source_regions, driving_regions, grid.clone());
        let sparse_motions = self.sparse_motions(source_regions, driving_regions, background, grid);
        let [_, motions, _, _, _] = sparse_motions.dims();

        let deformed = self.config.deformed_source.then(|| {
            let sources =
                source.unsqueeze_dim::<5>(1).repeat_dim(1, motions).reshape([batch * motions, channels, height, width]);
            let warped = warp(sources, sparse_motions.clone().reshape([batch * motions, height, width, 2]));
            warped.reshape([batch, motions, channels, height, width])
        });
        // Per motion its heat map, then its warped source, as the checkpoints interleave them.
        let input = match deformed.clone() {
            Some(deformed) => Tensor::cat(vec![heatmaps.clone().unsqueeze_dim::<5>(2), deformed], 2).reshape([
                batch,
                motions * (1 + channels),
                height,
                width,
            ]),
            None => heatmaps.clone(),
        };

        let features = self.hourglass.forward(input);
        let mask = softmax(self.mask.forward(features.clone()), 1);
        let flow =
            (sparse_motions.clone() * mask.clone().unsqueeze_dim::<5>(4)).sum_dim(1).reshape([batch, height, width, 2]);
        let occlusion_logits = self.occlusion.as_ref().map(|head| head.forward(features));
        let occlusion = match occlusion_logits.clone() {
            Some(logits) => sigmoid(logits),
            None => Tensor::ones([batch, 1, height, width], &device),
        };
        (Motion { flow, occlusion }, FlowTaps { heatmaps, sparse_motions, deformed, mask, occlusion_logits })
    }

    /// Gaussians of the driving regions minus Gaussians of the source regions; zeros for the background come first.
    fn heatmaps(&self, source: &Regions, driving: &Regions, grid: Tensor<3>) -> Tensor<4> {
        let gaussians = |regions: &Regions| {
            let covariance = regions.covariance.as_ref().filter(|_| self.config.covariance_heatmap);
            gaussian_heatmaps(regions.shift.clone(), covariance, grid.clone())
        };
        let difference = gaussians(driving) - gaussians(source);
        let [batch, _, height, width] = difference.dims();
        Tensor::cat(vec![Tensor::zeros([batch, 1, height, width], &difference.device()), difference], 1)
    }

    /// `z -> A_source A_driving^-1 (z - c_driving) + c_source` for each region (MRAA, Eq. 4); the background's
    /// homography comes first.
    fn sparse_motions(
        &self,
        source: &Regions,
        driving: &Regions,
        background: Option<Tensor<3>>,
        grid: Tensor<3>,
    ) -> Tensor<5> {
        let [batch, regions, _] = driving.shift.dims();
        let [height, width, _] = grid.dims();
        let places = height * width;
        let grid = grid.reshape([places, 2]);

        let offset = grid.clone().unsqueeze::<4>() - driving.shift.clone().unsqueeze_dim::<4>(2);
        let moved = match (&source.affine, &driving.affine) {
            (Some(source), Some(driving)) => {
                let mut affine = source.product(&driving.inverse());
                if self.revert_axis_swap {
                    affine = affine.scale(affine.a.clone().sign());
                }
                offset.matmul(affine.transpose().to_tensor())
            }
            _ => offset,
        };
        let moved = moved + source.shift.clone().unsqueeze_dim::<4>(2);

        let still = grid.clone().unsqueeze::<3>().repeat_dim(0, batch);
        let behind = match background {
            None => still,
            Some(homography) => {
                let ones = Tensor::ones([batch, places, 1], &grid.device());
                let mapped = Tensor::cat(vec![still, ones], 2).matmul(homography.swap_dims(1, 2));
                let depth = mapped.clone().slice([0..batch, 0..places, 2..3]);
                mapped.slice([0..batch, 0..places, 0..2]) / depth
            }
        };
        Tensor::cat(vec![behind.unsqueeze_dim::<4>(1), moved], 1).reshape([batch, regions + 1, height, width, 2])
    }

    pub(super) fn fold(self) -> Self {
        Self { hourglass: self.hourglass.fold(), ..self }
    }
}

/// Variance of a region drawn without its covariance (MRAA's `region_var`).
const FIXED_VARIANCE: f32 = 0.01;

/// A Gaussian for each region: `exp(-d^T C^-1 d / 2)`, not normalised.
///
/// # Shapes
/// - `centres`: `[batch, regions, 2]`
/// - `grid`: `[height, width, 2]`
/// - returns `[batch, regions, height, width]`
pub fn gaussian_heatmaps(centres: Tensor<3>, covariance: Option<&Matrix2>, grid: Tensor<3>) -> Tensor<4> {
    let [batch, regions, _] = centres.dims();
    let [height, width, _] = grid.dims();
    let offset = |axis: usize| {
        let grid = grid.clone().slice([0..height, 0..width, axis..axis + 1]).reshape([1, 1, height * width]);
        grid - centres.clone().slice([0..batch, 0..regions, axis..axis + 1])
    };
    let (x, y) = (offset(0), offset(1));
    let distance = match covariance {
        None => (x.clone() * x + y.clone() * y) / FIXED_VARIANCE,
        Some(covariance) => {
            let inverse = covariance.inverse();
            let column = |entry: &Tensor<2>| entry.clone().unsqueeze_dim::<3>(2);
            let cross = column(&inverse.b) + column(&inverse.c);
            x.clone() * x.clone() * column(&inverse.a) + x * y.clone() * cross + y.clone() * y * column(&inverse.d)
        }
    };
    (distance * -0.5).exp().reshape([batch, regions, height, width])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::LfdmConfig;
    use crate::noise::NoiseSource;

    const REGIONS: usize = 4;

    fn predictor(revert_axis_swap: bool) -> PixelwiseFlowPredictor {
        let mut config = LfdmConfig::faces_64(1).lfae;
        config.regions = REGIONS;
        config.revert_axis_swap = revert_axis_swap;
        config.flow.hourglass.block_expansion = 4;
        config.init_pixelwise(&Device::flex())
    }

    fn regions(noise: &mut NoiseSource) -> Regions {
        let device = Device::flex();
        let root = Matrix2::from_tensor(noise.normal::<4>([2, REGIONS, 2, 2], &device) * 0.2);
        let covariance = root.product(&root.transpose());
        Regions {
            shift: noise.normal::<3>([2, REGIONS, 2], &device) * 0.4,
            heatmap: Tensor::zeros([2, REGIONS, 1, 1], &device),
            affine: Some(covariance.principal_axes()),
            covariance: Some(covariance),
        }
    }

    /// The axes of every region times 1 or -1; with `mirrored` the minor axis times -1 too, so `det U` changes.
    fn with_other_signs(regions: &Regions, noise: &mut NoiseSource, mirrored: bool) -> Regions {
        let sign = noise.normal::<2>([2, REGIONS], &Device::flex()).sign();
        let affine = regions.affine.as_ref().map(|axes| {
            let Matrix2 { a, b, c, d } = axes.scale(sign);
            if mirrored { Matrix2 { a, b: b.neg(), c, d: d.neg() } } else { Matrix2 { a, b, c, d } }
        });
        Regions { affine, ..regions.clone() }
    }

    fn distance<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> f32 {
        (a - b).abs().max().into_scalar()
    }

    #[test]
    fn flow_does_not_depend_on_the_signs_of_the_region_axes() {
        let predictor = predictor(true);
        let mut noise = NoiseSource::new(1);
        let (source, driving) = (regions(&mut noise), regions(&mut noise));
        let image = noise.normal::<4>([2, 3, 64, 64], &Device::flex()) * 0.2 + 0.5;
        let flow = |source: &Regions, driving: &Regions| {
            let (motion, taps) = predictor.forward(image.clone(), source, driving, None);
            (motion.flow, taps.sparse_motions)
        };
        let (expected, motions) = flow(&source, &driving);
        let scale: f32 = motions.abs().max().into_scalar();
        for mirrored in [false, true] {
            let source = with_other_signs(&source, &mut noise, mirrored);
            let driving = with_other_signs(&driving, &mut noise, mirrored);
            let (found, _) = flow(&source, &driving);
            assert!(distance(found, expected.clone()) < 1e-6 * scale, "mirrored: {mirrored}");
        }
        // The test means something only if a convention that changes from frame to frame is another motion.
        let (other, _) = flow(&with_other_signs(&source, &mut noise, true), &driving);
        assert!(distance(other, expected) > 1e-2);
    }

    #[test]
    fn equal_regions_move_nothing() {
        for revert_axis_swap in [true, false] {
            let predictor = predictor(revert_axis_swap);
            let mut noise = NoiseSource::new(2);
            let regions = regions(&mut noise);
            let image = noise.normal::<4>([2, 3, 64, 64], &Device::flex()) * 0.2 + 0.5;
            let (motion, taps) = predictor.forward(image, &regions, &regions, None);
            let grid = coordinate_grid([16, 16], &Device::flex());
            let still = grid.clone().unsqueeze::<5>().expand([2, REGIONS + 1, 16, 16, 2]);
            assert!(distance(taps.sparse_motions, still) < 1e-4);
            assert!(distance(motion.flow, grid.unsqueeze::<4>().expand([2, 16, 16, 2])) < 1e-4);
            assert_eq!(taps.heatmaps.abs().max().into_scalar::<f32>(), 0.0);
        }
    }
}
