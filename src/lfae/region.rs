//! Region predictor: places and affine frames of the K regions of an image (MRAA, Sec. 3.2).

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor};

use super::blocks::conv;
use super::config::{RegionAffine, RegionConfig};
use super::hourglass::Hourglass;
use crate::matrix2::Matrix2;
use crate::tensor::{anti_alias, coordinate_grid};

/// Heat maps -> centre, covariance and affine frame of each region.
#[derive(Module, Debug)]
pub struct RegionPredictor {
    /// Features of every place.
    pub predictor: Hourglass,
    /// Logits of the heat maps.
    pub regions: Conv2d,
    jacobian: Option<Conv2d>,
    #[module(skip)]
    config: RegionConfig,
}

/// The regions of a batch of images.
#[derive(Debug, Clone)]
pub struct Regions {
    /// Centres `[batch, regions, 2]`, xy in [-1, 1].
    pub shift: Tensor<3>,
    /// Spatial distribution of each region, `[batch, regions, height, width]`, summing to 1.
    pub heatmap: Tensor<4>,
    /// Covariance of the heat map; `None` when regions only translate.
    pub covariance: Option<Matrix2>,
    /// Affine frame; `None` when regions only translate.
    pub affine: Option<Matrix2>,
}

impl RegionConfig {
    /// A predictor of `regions` regions for images of `channels` channels.
    pub fn init(&self, channels: usize, regions: usize, device: &Device) -> RegionPredictor {
        let features = self.hourglass.out_channels(channels);
        RegionPredictor {
            predictor: self.hourglass.init(channels, device),
            regions: conv([features, regions], 7, self.padding, device),
            jacobian: (self.affine == RegionAffine::Regression).then(|| conv([features, 4], 7, self.padding, device)),
            config: self.clone(),
        }
    }
}

impl RegionPredictor {
    /// Finds the regions of each image.
    ///
    /// # Shapes
    /// - `image`: `[batch, 3, height, width]` in [0, 1]
    pub fn forward(&self, image: Tensor<4>) -> Regions {
        let features = self.predictor.forward(anti_alias(image, self.config.scale_factor));
        let logits = self.regions.forward(features.clone());
        let [batch, regions, height, width] = logits.dims();
        let flat = softmax(logits.reshape([batch, regions, height * width]) / self.config.temperature, 2);

        // With sum(p) = 1, centre and second moments are one product of the heat maps with (x, y, xx, xy, yy).
        let grid = coordinate_grid([height, width], &flat.device()).reshape([height * width, 2]);
        let shift = flat.clone().matmul(grid.clone().unsqueeze::<3>());
        let affine_and_covariance = match self.config.affine {
            RegionAffine::None => None,
            RegionAffine::Pca => {
                let covariance = covariance(flat.clone(), shift.clone(), grid);
                Some((covariance.principal_axes(), covariance))
            }
            RegionAffine::Regression => self.jacobian.as_ref().map(|head| {
                let entries = head.forward(features).reshape([batch, 4, height * width]);
                let affine = flat.clone().matmul(entries.swap_dims(1, 2)).reshape([batch, regions, 2, 2]);
                let affine = Matrix2::from_tensor(affine);
                let covariance = affine.product(&affine.transpose());
                (affine, covariance)
            }),
        };
        let (affine, covariance) = affine_and_covariance.unzip();
        Regions { shift, heatmap: flat.reshape([batch, regions, height, width]), covariance, affine }
    }

    pub(super) fn fold(self) -> Self {
        Self { predictor: self.predictor.fold(), ..self }
    }
}

/// `sum p (g - c) (g - c)^T` over the grid, centred before squaring so that small regions do not cancel.
///
/// # Shapes
/// - `heatmap`: `[batch, regions, places]`
/// - `shift`: `[batch, regions, 2]`
/// - `grid`: `[places, 2]`
fn covariance(heatmap: Tensor<3>, shift: Tensor<3>, grid: Tensor<2>) -> Matrix2 {
    let [batch, regions, places] = heatmap.dims();
    let centred = |axis: usize| {
        let grid = grid.clone().slice([0..places, axis..axis + 1]).reshape([1, 1, places]);
        grid - shift.clone().slice([0..batch, 0..regions, axis..axis + 1])
    };
    let (x, y) = (centred(0), centred(1));
    let moment =
        |u: &Tensor<3>, v: &Tensor<3>| (heatmap.clone() * u.clone() * v.clone()).sum_dim(2).reshape([batch, regions]);
    let xy = moment(&x, &y);
    Matrix2 { a: moment(&x, &x), b: xy.clone(), c: xy, d: moment(&y, &y) }
}
