//! Flow predictor: regions and background of two frames -> the motion between them (LFDM, Sec. 3.2; MRAA, Fig. 2), refined if the model
//! is ours.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::background::BackgroundMotionPredictor;
use super::config::LfaeConfig;
use super::pixelwise::{FlowTaps, PixelwiseFlowPredictor};
use super::refinement::{FlowRefinement, centred};
use super::region::{RegionPredictor, Regions};
use crate::motion::Motion;

/// The networks that find out how a driving frame follows from a reference. Generation does without them.
#[derive(Module, Debug)]
pub struct FlowPredictor {
    pub region_predictor: RegionPredictor,
    pub bg_predictor: BackgroundMotionPredictor,
    pub pixelwise: PixelwiseFlowPredictor,
    pub refinement: Option<FlowRefinement>,
    pub fine_refinement: Option<FlowRefinement>,
}

/// Everything stage 1 says about a pair of frames.
#[derive(Debug, Clone)]
pub struct Estimate {
    pub source: Regions,
    pub driving: Regions,
    /// `[batch, 3, 3]`
    pub background: Tensor<3>,
    pub motion: Motion,
    /// Logits of its occlusion, `[batch, 1, height, width]`; `None` for a model without occlusion.
    pub occlusion_logits: Option<Tensor<4>>,
    /// The motion before any refinement; `None` for a model without one.
    pub regional: Option<Motion>,
    pub taps: FlowTaps,
}

impl LfaeConfig {
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
    /// # Shapes
    /// - `source`, `driving`: `[batch, 3, height, width]` in [0, 1]
    pub fn forward(&self, source: Tensor<4>, driving: Tensor<4>) -> Estimate {
        let coarse = self.coarse(source.clone(), driving.clone());
        let Some(refinement) = &self.fine_refinement else { return coarse };
        let (motion, occlusion_logits) = refinement.finer(source, driving, &coarse.motion, coarse.occlusion_logits);
        Estimate { motion, occlusion_logits, ..coarse }
    }

    /// What [`forward`](Self::forward) says before the fine refinement, on the grid of the regions' mixture.
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
