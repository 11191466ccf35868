//! An adversary for the decoder: a network that tells painted patches from real ones (PatchGAN;
//! Isola et al. 2017).
//!
//! The absolute difference to a frame is least for the median of all frames that are possible, and
//! where motion is known only to a fraction of a pixel, that median is blurred: teeth, lids and
//! wrinkles go first. A judge of patches sees blur in any frame. It learns together with the
//! decoder, in the same step, and no bundle contains it.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Initializer, PaddingConfig2d};
use burn::tensor::activation::{leaky_relu, relu};
use burn::tensor::{Device, Tensor};

use crate::noise::NoiseSource;
use crate::tensor::anti_alias;

/// Channels after each convolution, the verdict last.
const CHANNELS: [usize; 4] = [32, 64, 128, 1];
/// The first two halve the sides. A verdict sees 26x26 pixels.
const STRIDES: [usize; 4] = [2, 2, 1, 1];
const KERNELS: [usize; 4] = [4, 4, 3, 3];
/// How much smaller the sides of the map of verdicts are than those of the picture.
pub(super) const REDUCTION: usize = 4;

/// Slope of the activations below zero.
const LEAK: f64 = 0.2;

/// Deviation of the noise that shows how steep the judge is, for pictures between -1 and 1. It is
/// small because detail is faint, and a judge must be steep to see it.
const PERTURBATION: f64 = 0.01;
/// Weight of the square by which that noise changes the verdict.
const STEEPNESS: f64 = 10.0;

/// Keeps the distance of features finite where there are none.
const EPSILON: f64 = 1e-6;

/// Judges overlapping patches.
#[derive(Module, Debug)]
pub(super) struct Adversary {
    convolutions: Vec<Conv2d>,
}

/// The losses of both sides, each to be minimised by its own network.
pub(super) struct AdversarialLosses {
    /// How unreal the adversary finds the painted pictures: the decoder's loss, which does not
    /// reach the adversary.
    pub(super) fooling: Tensor<1>,
    /// Distance between the adversary's features of painted and real pictures, as a share of the
    /// features' own size, averaged over its layers: feature matching (Wang et al. 2018, pix2pixHD,
    /// Sec. 3.2). It does not reach the adversary either.
    pub(super) mismatch: Tensor<1>,
    /// The adversary's loss, which does not reach the decoder.
    pub(super) judging: Tensor<1>,
}

impl Adversary {
    pub(super) fn new(device: &Device) -> Self {
        // So that signals keep their size from layer to layer.
        let gain = (2.0 / (1.0 + LEAK * LEAK)).sqrt();
        let initializer = Initializer::KaimingNormal { gain, fan_out_only: false };
        let mut input = 3;
        let convolutions = [0, 1, 2, 3].map(|index| {
            let (side, stride) = (KERNELS[index], STRIDES[index]);
            let config = Conv2dConfig::new([input, CHANNELS[index]], [side, side]).with_stride([stride, stride]);
            input = CHANNELS[index];
            config
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .with_initializer(initializer.clone())
                .init(device)
        });
        Self { convolutions: convolutions.to_vec() }
    }

    /// The features after each convolution but the last, and the verdict on every patch, the higher
    /// the more real.
    ///
    /// # Shapes
    /// - `image`: `[batch, 3, height, width]` in [0, 1], sides divisible by 4
    /// - features: `[batch, channels, height / 2, width / 2]` and then quarters of the sides
    /// - verdict: `[batch, 1, height / 4, width / 4]`
    fn judge(&self, image: Tensor<4>) -> (Vec<Tensor<4>>, Tensor<4>) {
        let [before @ .., last] = self.convolutions.as_slice() else { unreachable!("an adversary has convolutions") };
        let mut x = image * 2.0 - 1.0;
        let features = before.iter().map(|convolution| {
            x = leaky_relu(convolution.forward(x.clone()), LEAK);
            x.clone()
        });
        let features = features.collect();
        (features, last.forward(x))
    }

    /// Hinge losses (Lim and Ye 2017). A penalty on what a little noise changes keeps the judge
    /// from being too steep around real pictures; it approximates the gradient penalty R1 without
    /// second derivatives (Lin et al. 2025, "Diffusion Adversarial Post-Training").
    ///
    /// # Shapes
    /// - `painted`, `real`: `[batch, 3, height, width]` in [0, 1], sides divisible by 4
    /// - `focus`: `[batch, 1, height, width]`, how much each pixel counts
    pub(super) fn losses(
        &self,
        painted: &Tensor<4>,
        real: &Tensor<4>,
        focus: Tensor<4>,
        mut noise: NoiseSource,
    ) -> AdversarialLosses {
        let batch = real.dims()[0];
        let mut reduction = 1;
        let focuses = STRIDES.map(|stride| {
            reduction *= stride;
            anti_alias(focus.clone(), 1.0 / reduction as f64)
        });
        let [.., of_verdict] = &focuses;
        let moved = real.clone() + noise.normal::<4>(real.dims(), &real.device()) * (PERTURBATION / 2.0);
        let (features, verdicts) = self.judge(Tensor::cat(vec![real.clone(), painted.clone().detach(), moved], 0));
        let [on_real, on_painted, on_moved]: [Tensor<4>; 3] =
            std::array::from_fn(|part| verdicts.clone().narrow(0, part * batch, batch));
        let mean = |verdicts: Tensor<4>| weighted_mean(verdicts, of_verdict);
        let steepness = mean((on_moved - on_real.clone()).square());
        let judging = mean(relu(-on_real + 1.0)) + mean(relu(on_painted + 1.0)) + steepness * STEEPNESS;

        // Last, because parameters are drawn when first read: if a frozen copy were the first to
        // read them, they would stay frozen.
        let (painted_features, verdict) = self.clone().no_grad().judge(painted.clone());
        let distances = painted_features.into_iter().zip(features).zip(&focuses).map(|((painted, all), focus)| {
            let real = all.narrow(0, 0, batch).detach();
            weighted_mean((painted - real.clone()).abs(), focus) / (weighted_mean(real.abs(), focus) + EPSILON)
        });
        let mismatch = Tensor::cat(distances.collect(), 0).mean();
        let fooling = mean(-verdict);
        AdversarialLosses { fooling, mismatch, judging }
    }
}

/// The mean of a map over batch, channels and places, weighted by `focus`.
///
/// # Shapes
/// - `map`: `[batch, channels, height, width]`
/// - `focus`: `[batch, 1, height, width]`
fn weighted_mean(map: Tensor<4>, focus: &Tensor<4>) -> Tensor<1> {
    (map.mean_dim(1) * focus.clone()).sum() / focus.clone().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::{resize, upsample_nearest};
    use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};

    /// Random checks of four pixels, and the same checks blurred.
    fn checks(noise: &mut NoiseSource, device: &Device) -> [Tensor<4>; 2] {
        let colours: Tensor<4> = noise.normal([4, 3, 8, 8], device);
        let sharp = upsample_nearest(upsample_nearest((colours * 20.0).clamp(-1.0, 1.0) * 0.4 + 0.5));
        let blurred = resize(anti_alias(sharp.clone(), 0.5), [32, 32]);
        [sharp, blurred]
    }

    #[test]
    fn the_map_of_verdicts_is_a_quarter_of_the_picture() {
        let device = Device::flex();
        let adversary = Adversary::new(&device);
        let (features, verdict) = adversary.judge(Tensor::zeros([2, 3, 64, 32], &device));
        assert_eq!(verdict.dims(), [2, 1, 16, 8]);
        let sizes: Vec<_> = features.iter().map(Tensor::dims).collect();
        assert_eq!(sizes, [[2, 32, 32, 16], [2, 64, 16, 8], [2, 128, 16, 8]]);
    }

    #[test]
    fn a_judge_learns_to_see_blur_and_points_away_from_it() {
        let device = Device::flex().autodiff();
        device.seed(1);
        let (mut adversary, mut noise) = (Adversary::new(&device), NoiseSource::new(5));
        let mut optimizer: ModuleOptimizer = AdamConfig::new().init();
        let focus = Tensor::ones([4, 1, 32, 32], &device);
        let losses = |adversary: &Adversary, painted: &Tensor<4>, sharp: &Tensor<4>, step: u64| {
            adversary.losses(painted, sharp, focus.clone(), NoiseSource::new(step))
        };
        let mut first = None;
        let mut last = 0.0;
        for step in 0..40 {
            let [sharp, blurred] = checks(&mut noise, &device);
            let judging = losses(&adversary, &blurred, &sharp, step).judging;
            last = judging.clone().into_scalar::<f32>();
            first.get_or_insert(last);
            let gradients = GradientsParams::from_grads(judging.backward(), &adversary);
            adversary = optimizer.step(2e-3, adversary, gradients);
        }
        assert!(last < 0.5 * first.unwrap(), "{first:?} to {last}");

        // A little of what the judge asks for brings the blurred picture nearer to the sharp one.
        let [sharp, blurred] = checks(&mut noise, &device);
        let painted = blurred.clone().require_grad();
        let gradients = losses(&adversary, &painted, &sharp, 99).fooling.backward();
        let Some(gradient) = painted.grad(&gradients) else { panic!("the decoder hears nothing") };
        let asked = -Tensor::<4>::from_inner(gradient);
        assert!((asked * (sharp - blurred)).sum().into_scalar::<f32>() > 0.0);
    }

    #[test]
    fn features_match_where_pictures_do_and_lead_there() {
        let device = Device::flex().autodiff();
        let (adversary, mut noise) = (Adversary::new(&device), NoiseSource::new(6));
        let [sharp, blurred] = checks(&mut noise, &device);
        let focus = Tensor::ones([4, 1, 32, 32], &device);
        let mismatch =
            |painted: &Tensor<4>| adversary.losses(painted, &sharp, focus.clone(), NoiseSource::new(1)).mismatch;
        assert!(mismatch(&sharp).into_scalar::<f32>() < 1e-6);
        // The distance is one of the features' own size, so that it does not depend on how large a
        // judge has made them.
        let far = mismatch(&blurred).into_scalar::<f32>();
        assert!((0.05..1.0).contains(&far), "{far}");

        let painted = blurred.clone().require_grad();
        let gradients = mismatch(&painted).backward();
        let Some(gradient) = painted.grad(&gradients) else { panic!("the decoder hears nothing") };
        let asked = -Tensor::<4>::from_inner(gradient);
        assert!((asked * (sharp.clone() - blurred)).sum().into_scalar::<f32>() > 0.0);
        assert!(adversary.convolutions.iter().all(|convolution| convolution.weight.grad(&gradients).is_none()));
    }

    #[test]
    fn neither_side_moves_the_other() {
        let device = Device::flex().autodiff();
        let (adversary, mut noise) = (Adversary::new(&device), NoiseSource::new(6));
        let [sharp, blurred] = checks(&mut noise, &device);
        let painted = blurred.require_grad();
        let focus = Tensor::ones([4, 1, 32, 32], &device);
        let losses = || adversary.losses(&painted, &sharp, focus.clone(), NoiseSource::new(1));
        let of_fooling = losses().fooling.backward();
        assert!(painted.grad(&of_fooling).is_some());
        assert!(adversary.convolutions.iter().all(|convolution| convolution.weight.grad(&of_fooling).is_none()));
        let of_judging = losses().judging.backward();
        assert!(painted.grad(&of_judging).is_none());
        assert!(adversary.convolutions.iter().all(|convolution| convolution.weight.grad(&of_judging).is_some()));
    }
}
