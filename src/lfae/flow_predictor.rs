//! Flow predictor: regions and background of two frames -> the motion between them (LFDM, Sec. 3.2; MRAA, Fig. 2), refined if the model
//! is ours.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::Motion;
use super::background::BackgroundMotionPredictor;
use super::pixelwise::{FlowTaps, PixelwiseFlowPredictor};
use super::refinement::{FlowRefinement, centred};
use super::region::{RegionPredictor, Regions};
use crate::config::LfaeConfig;

/// The networks that find out how a driving frame follows from a reference. Generation does without them.
#[derive(Module, Debug)]
pub struct FlowPredictor {
    pub region_predictor: RegionPredictor,
    pub bg_predictor: BackgroundMotionPredictor,
    pub pixelwise: PixelwiseFlowPredictor,
    pub refinement: Option<FlowRefinement>,
}

/// Everything stage 1 says about a pair of frames.
#[derive(Debug, Clone)]
pub struct Estimate {
    pub source: Regions,
    pub driving: Regions,
    /// `[batch, 3, 3]`
    pub background: Tensor<3>,
    pub motion: Motion,
    /// Logits of the occlusion, `[batch, 1, height, width]`; `None` for a model without occlusion.
    pub occlusion_logits: Option<Tensor<4>>,
    /// The motion before its refinement; `None` for a model without one.
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
        }
    }
}

impl FlowPredictor {
    /// # Shapes
    /// - `source`, `driving`: `[batch, 3, height, width]` in [0, 1]
    pub fn forward(&self, source: Tensor<4>, driving: Tensor<4>) -> Estimate {
        let source_regions = self.region_predictor.forward(source.clone());
        let driving_regions = self.region_predictor.forward(driving.clone());
        let background = self.bg_predictor.forward(source.clone(), driving.clone());
        let (motion, taps) =
            self.pixelwise.forward(source.clone(), &source_regions, &driving_regions, Some(background.clone()));
        let logits = taps.occlusion_logits.clone();
        let (motion, occlusion_logits, regional) = match &self.refinement {
            None => (motion, logits, None),
            Some(refinement) => {
                let regional = Motion { flow: centred(motion.flow), ..motion };
                let (motion, logits) = refinement.forward(source, driving, regional.clone(), logits);
                (motion, logits, Some(regional))
            }
        };
        let (source, driving) = (source_regions, driving_regions);
        Estimate { source, driving, background, motion, occlusion_logits, regional, taps }
    }

    pub(super) fn fold(self) -> Self {
        Self {
            region_predictor: self.region_predictor.fold(),
            bg_predictor: self.bg_predictor.fold(),
            pixelwise: self.pixelwise.fold(),
            refinement: self.refinement.map(FlowRefinement::fold),
        }
    }
}
