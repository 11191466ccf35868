//! Flow predictor: regions and background of two frames -> the motion between them (LFDM, Sec. 3.2; MRAA, Fig. 2),
//! refined in our models.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::background::BackgroundMotionPredictor;
use super::config::LfaeConfig;
use super::pixelwise::{FlowTaps, PixelwiseFlowPredictor};
use super::refinement::{FlowRefinement, centred};
use super::region::{RegionPredictor, Regions};
use crate::motion::Motion;

/// The networks that estimate the motion from a reference to a driving frame. Generation does not need them.
#[derive(Module, Debug)]
pub struct FlowPredictor {
    /// Finds the regions of one frame.
    pub region_predictor: RegionPredictor,
    /// Finds the motion of the background between two frames.
    pub bg_predictor: BackgroundMotionPredictor,
    /// Mixes the motions of regions and background into flow and occlusion.
    pub pixelwise: PixelwiseFlowPredictor,
    /// Corrects them on the same grid.
    pub refinement: Option<FlowRefinement>,
    /// Corrects them on a grid twice as fine.
    pub fine_refinement: Option<FlowRefinement>,
}

/// All that stage 1 estimates from a pair of frames.
#[derive(Debug, Clone)]
pub struct Estimate {
    /// Regions of the source.
    pub source: Regions,
    /// Regions of the driving frame.
    pub driving: Regions,
    /// Homography of the background, driving to source: `[batch, 3, 3]`.
    pub background: Tensor<3>,
    /// The motion from source to driving frame.
    pub motion: Motion,
    /// Logits of its occlusion, `[batch, 1, height, width]`; `None` for a model without occlusion.
    pub occlusion_logits: Option<Tensor<4>>,
    /// The motion before any refinement; `None` for a model without one.
    pub regional: Option<Motion>,
    /// What the pixelwise flow predictor computed on its way.
    pub taps: FlowTaps,
}

impl LfaeConfig {
    /// The networks of training and evaluation.
    pub fn init_flow_predictor(&self, device: &Device) -> FlowPredictor {
        FlowPredictor {
            region_predictor: self.region.init(self.channels, self.regions, device),
            bg_predictor: self.background.init(self.channels, device),
            pixelwise: self.init_pixelwise(device),
            refinement: self.init_refinement(device),
            fine_refinement: self.init_fine_refinement(device),
        }
    }
}

impl FlowPredictor {
    /// Estimates the motion from `source` to `driving`.
    ///
    /// # Shapes
    /// - `source`, `driving`: `[batch, 3, height, width]` in [0, 1]
    pub fn forward(&self, source: Tensor<4>, driving: Tensor<4>) -> Estimate {
        let coarse = self.coarse(source.clone(), driving.clone());
        let Some(refinement) = &self.fine_refinement else { return coarse };
        let (motion, occlusion_logits) =
            refinement.forward_upsampled(source, driving, &coarse.motion, coarse.occlusion_logits);
        Estimate { motion, occlusion_logits, ..coarse }
    }

    /// The estimate before the fine refinement, on the grid of the pixelwise flow predictor.
    ///
    /// # Shapes
    /// - as for [`forward`](Self::forward)
    pub fn coarse(&self, source: Tensor<4>, driving: Tensor<4>) -> Estimate {
        let source_regions = self.region_predictor.forward(source.clone());
        let driving_regions = self.region_predictor.forward(driving.clone());
        let background = self.bg_predictor.forward(source.clone(), driving.clone());
        let (mut motion, taps) =
            self.pixelwise.forward(source.clone(), &source_regions, &driving_regions, Some(background.clone()));
        let mut occlusion_logits = taps.occlusion_logits.clone();
        let mut regional = None;
        if self.refinement.is_some() || self.fine_refinement.is_some() {
            motion = Motion { flow: centred(motion.flow), ..motion };
            regional = Some(motion.clone());
        }
        if let Some(refinement) = &self.refinement {
            (motion, occlusion_logits) = refinement.forward(source, driving, motion, occlusion_logits);
        }
        let (source, driving) = (source_regions, driving_regions);
        Estimate { source, driving, background, motion, occlusion_logits, regional, taps }
    }

    pub(super) fn fold(self) -> Self {
        Self {
            region_predictor: self.region_predictor.fold(),
            bg_predictor: self.bg_predictor.fold(),
            pixelwise: self.pixelwise.fold(),
            refinement: self.refinement.map(FlowRefinement::fold),
            fine_refinement: self.fine_refinement.map(FlowRefinement::fold),
        }
    }
}
