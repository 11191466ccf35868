//! What every stage that paints frames shares: the loss of a decoded frame, its options, its data
//! and its optimiser.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use burn::grad_clipping::GradientClippingConfig;
use burn::optim::AdamConfig;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::args::RunArgs;
use super::losses::{Pairs, hidden, motion_focus, pyramid_l1};
use super::parcel::Parcel;
use super::perceptual::{PerceptualPyramid, Vgg19};
use super::stage::Loss;
use crate::lfae::Decoded;
use crate::native::data::{Augmentation, ClipSet, PairBatch, PairOptions, Prefetch};
use crate::native::fingerprint;
use crate::native::model::read_tensors;
use crate::native::numbers;

/// How much each term of the decoder's loss counts, and which pairs of frames it learns from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, clap::Args)]
pub(crate) struct DecodingRecipe {
    /// Weight of the L1 distance between painted and real frame, over three scales of pixels and of
    /// their differences.
    #[arg(long, value_name = "WEIGHT", default_value_t = 10.0, value_parser = numbers::weight)]
    pub(crate) reconstruction: f64,
    /// Weight of the perceptual loss, which needs `--vgg`.
    #[arg(long, value_name = "WEIGHT", default_value_t = 10.0, value_parser = numbers::weight)]
    pub(crate) perceptual: f64,
    /// Layers and scales of the perceptual loss.
    #[arg(skip)]
    pub(crate) pyramid: PerceptualPyramid,
    /// How much more a pixel counts that moves.
    #[arg(long, value_name = "WEIGHT", default_value_t = 3.0, value_parser = numbers::weight)]
    pub(crate) motion_focus: f64,
    /// How much more a pixel counts that frame 0 does not show, such as teeth behind closed lips, according to exact
    /// flow. There are few of those, and the decoder has nothing to go by but what it has learned.
    #[arg(long, value_name = "WEIGHT", default_value_t = 0.0, value_parser = numbers::weight)]
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) hidden_focus: f64,
    /// Weight of the same L1 distance for the frame as painted before the occlusion blends the
    /// warped source in. It makes the decoder learn to paint even where an occlusion near 1 would
    /// hide its painting from the loss.
    #[arg(long, value_name = "WEIGHT", default_value_t = 2.0, value_parser = numbers::weight)]
    pub(crate) painting: f64,
    /// Probability that the source is frame 0, as it is in generation.
    #[arg(long, value_name = "PROBABILITY", default_value_t = 0.75, value_parser = numbers::probability)]
    pub(crate) first_frame: f32,
    /// Largest random enlargement of a pair of frames. Close-ups teach expressions sooner, and
    /// visitors' photos come in any framing.
    #[arg(long, default_value_t = 1.5, value_parser = numbers::zoom)]
    pub(crate) max_zoom: f32,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(weight: &f64) -> bool {
    *weight == 0.0
}

impl DecodingRecipe {
    pub(super) fn pair_options(&self, augmentation: Augmentation) -> PairOptions {
        PairOptions { first_frame_probability: self.first_frame, augmentation, max_zoom: self.max_zoom }
    }

    /// How much each pixel counts, 1 where nothing happens.
    ///
    /// # Shapes
    /// - result: `[batch, 1, height, width]`
    pub(super) fn focus(&self, pairs: &Pairs) -> Tensor<4> {
        let focus = motion_focus(pairs, self.motion_focus);
        if self.hidden_focus == 0.0 { focus } else { focus + hidden(pairs) * self.hidden_focus }
    }

    /// The loss of a decoded frame.
    pub(super) fn loss(&self, decoded: Decoded, pairs: &Pairs, vgg: Option<&Vgg19>) -> Loss {
        let focus = self.focus(pairs);
        let reconstruction = pyramid_l1(decoded.prediction.clone(), &pairs.driving, &focus);
        let painting = pyramid_l1(decoded.painted, &pairs.driving, &focus);
        let mut loss = Loss::zero(&pairs.driving.device());
        loss.add("reconstruction", reconstruction, self.reconstruction);
        loss.add("painting", painting, self.painting);
        if let Some(vgg) = vgg {
            let perceptual = vgg.loss(&decoded.prediction, &pairs.driving, &self.pyramid);
            loss.add("perceptual", perceptual, self.perceptual);
        }
        loss
    }
}

/// Batches of pairs by [`Draw::index`](super::stage::Draw::index), drawn ahead of their use for the
/// seed of the run. `options` are those of a step.
pub(super) fn prefetch(
    data: ClipSet,
    run: &RunArgs,
    options: impl Fn(u64) -> PairOptions + Send + Sync + 'static,
) -> Prefetch<PairBatch> {
    let (batch, seed, parts) = (run.batch, run.seed, u64::from(run.accumulate));
    Prefetch::new(run.ahead(), move |index| data.pairs(&options(index / parts), batch, seed, index))
}

/// What a run that paints must find again to be resumed: the network of its perceptual loss, if it has one.
pub(super) fn files(vgg: Option<&Path>) -> Result<BTreeMap<String, String>> {
    vgg.map(|path| Ok(("--vgg".to_owned(), fingerprint::of_file(path)?))).into_iter().collect()
}

/// The network of the perceptual loss, on the device of the run.
pub(super) fn open_vgg(path: &Path, run: &RunArgs) -> Result<Vgg19> {
    Vgg19::new(&read_tensors(path)?, &run.device.open()?.autodiff())
        .with_context(|| format!("{} does not hold torchvision's VGG19", path.display()))
}

/// The prefix of its weights in a parcel.
const VGG: &str = "vgg";

/// Adds the network of the perceptual loss, if there is one.
pub(super) fn pack_vgg(parcel: Parcel, vgg: Option<&Vgg19>) -> Parcel {
    match vgg {
        Some(vgg) => parcel.with_weights(VGG, &vgg.to_state()),
        None => parcel,
    }
}

/// The network of the perceptual loss, if the parcel has one.
pub(super) fn unpack_vgg(parcel: &mut Parcel, device: &Device) -> Result<Option<Vgg19>> {
    Ok(parcel.weights(VGG).map(|weights| Vgg19::new(&weights, device)).transpose()?)
}

/// The optimiser of all that paints.
pub(super) fn adam() -> AdamConfig {
    // One almost degenerate region makes a gradient that would otherwise saturate occlusion and
    // masks for good.
    let clipping = GradientClippingConfig::Norm(2.0);
    AdamConfig::new().with_beta_1(0.5).with_beta_2(0.999).with_epsilon(1e-8).with_grad_clipping(Some(clipping))
}
