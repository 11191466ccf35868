//! Auto-encoders that repeat real clips, in their inference form.

use anyhow::Result;
use burn::tensor::{Device, Tensor, TensorData};

use crate::{
    lfae::LatentFlowAutoencoder,
    native::{baseline::FrameAutoencoder, video::Video},
};

/// An auto-encoder of clips.
pub(super) trait Rebuild {
    /// The clip as the auto-encoder repeats it.
    fn rebuild(&self, real: &Video) -> Result<Video>;
}

/// An auto-encoder with its batch norms folded, and the device it is on.
pub(super) struct OnDevice<M> {
    pub(super) model: M,
    pub(super) device: Device,
}

/// From frame 0 and the motion that the auto-encoder sees in the clip.
impl Rebuild for OnDevice<LatentFlowAutoencoder> {
    fn rebuild(&self, real: &Video) -> Result<Video> {
        let (size, frames) = (real.size(), real.len());
        let driving = TensorData::new(real.pixels().to_vec(), [frames, 3, size, size]);
        let driving = Tensor::<4>::from_data(driving, &self.device);
        let source = driving.clone().narrow(0, 0, 1);
        let motion = self.model.estimate_motion(source.clone().repeat_dim(0, frames), driving);
        let decoded = self.model.decode(source.clone(), &self.model.encode(source), &motion);
        Ok(Video::new(size, decoded.prediction.try_into_data()?.iter::<f32>().collect()))
    }
}

/// Frame by frame.
impl Rebuild for OnDevice<FrameAutoencoder> {
    fn rebuild(&self, real: &Video) -> Result<Video> {
        let (size, frames) = (real.size(), real.len());
        let pixels = TensorData::new(real.pixels().to_vec(), [frames, 3, size, size]);
        let rebuilt = self.model.rebuild(Tensor::from_data(pixels, &self.device));
        Ok(Video::new(size, rebuilt.try_into_data()?.iter::<f32>().collect()))
    }
}
