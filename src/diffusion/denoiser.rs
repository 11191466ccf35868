//! The trained network as a denoiser: parameterisation, guidance and thresholding, prepared once
//! per video.

use burn::tensor::Tensor;

use super::affine::affine;
use super::attention::FrameTables;
use super::codec::{detail, detail_channels};
use super::config::{DiffusionConfig, Parameterization};
use super::model::DiffusionModel;
use super::samplers::{Denoise, Estimate};
use super::threshold::threshold;
use super::unet::{Conditioning, Unet3d};
use crate::kernels::{combine, extrapolate};

/// The network prepared for one video, or a batch of them: whatever is the same in all steps is
/// computed already. That is the reference latent's convolution, what times and condition do to
/// every block, rotary tables and position bias.
#[derive(Debug, Clone)]
pub struct Denoiser {
    unet: Unet3d,
    config: DiffusionConfig,
    guidance: Guidance,
    reference: Tensor<4>,
    tables: FrameTables,
    steps: Vec<Step>,
}

/// How much the condition counts (Ho and Salimans 2021).
#[derive(Debug, Clone, Copy, PartialEq)]
enum Guidance {
    /// Scale 0: the output for what the condition is compared with, alone.
    Contrast,
    /// Scale 1: the conditional output alone.
    Conditional,
    /// Both outputs, from one pass over a doubled batch; at times outside the guidance interval,
    /// the conditional output alone.
    Scaled(f64),
}

/// What a denoiser has ready for one time.
#[derive(Debug, Clone)]
struct Step {
    alpha_cumprod: f64,
    /// Whether the time lies in the guidance interval.
    is_guided: bool,
    conditioning: Conditioning,
}

impl Denoiser {
    /// Prepares `model` for one video of `frames` frames, or `batch` videos at once, guided by the
    /// scale `guidance` away from the null condition.
    ///
    /// # Shapes
    /// - `latent`: `[batch, latent_channels, height, width]`
    /// - `condition`: `[batch, condition_dim]`
    /// - `times`: the diffusion time of each step
    pub fn new(
        model: &DiffusionModel,
        latent: Tensor<4>,
        condition: Tensor<2>,
        times: &[usize],
        frames: usize,
        guidance: f64,
    ) -> Self {
        let null = model.denoise_fn.null_condition();
        Self::with_contrast(model, latent, [condition, null], times, frames, guidance)
    }

    /// [`new`](Self::new), guided away from another condition than the null condition.
    ///
    /// # Shapes
    /// - `latent`: `[batch, latent_channels, height, width]`
    /// - `condition`: `[batch, condition_dim]`
    /// - `contrast`: `[1, condition_dim]`
    /// - `times`: the diffusion time of each step
    pub fn with_contrast(
        model: &DiffusionModel,
        latent: Tensor<4>,
        [condition, contrast]: [Tensor<2>; 2],
        times: &[usize],
        frames: usize,
        guidance: f64,
    ) -> Self {
        let unet = model.denoise_fn.clone();
        let [batch, width] = condition.dims();
        let contrast = contrast.expand([batch, width]);
        let config = model.config();
        let (guidance, variants) = match guidance {
            0.0 => (Guidance::Contrast, contrast),
            1.0 => (Guidance::Conditional, condition),
            scale => (Guidance::Scaled(scale), Tensor::cat(vec![condition, contrast], 0)),
        };

        let rows = variants.dims()[0];
        let row_times: Vec<usize> = times.iter().flat_map(|&time| std::iter::repeat_n(time, rows)).collect();
        let all = unet.conditioning(&row_times, variants.repeat_dim(0, times.len()));
        let [from, to] = config.guidance_interval.map(|share| share * model.schedule().len() as f64);
        let step = |(index, &time): (usize, &usize)| {
            let is_guided = (from..to).contains(&(time as f64));
            // The rows of the condition come before those of the contrast.
            let conditioning = all.narrow(index * rows, if is_guided { rows } else { batch });
            Step { alpha_cumprod: model.schedule().alpha_cumprod(time), is_guided, conditioning }
        };
        Self {
            config: config.clone(),
            guidance,
            reference: unet.reference(latent),
            tables: unet.frame_tables(frames),
            steps: times.iter().enumerate().map(step).collect(),
            unet,
        }
    }

    /// The network's output at the `step`-th time, guided where guidance applies.
    ///
    /// # Shapes
    /// - `x` and result: `[batch, channels, frames, height, width]`
    pub fn predict(&self, x: &Tensor<5>, step: usize) -> Tensor<5> {
        let conditioning = &self.steps[step].conditioning;
        self.guide(self.unet.forward(x.clone(), &self.reference, conditioning, &self.tables), step)
    }

    /// How many passes of the network the `step`-th time takes: 2 where guidance applies, else 1.
    pub fn passes(&self, step: usize) -> usize {
        self.scale(step).map_or(1, |_| 2)
    }

    /// One of the [`passes`](Self::passes): the first has the condition, the second what it is compared with.
    ///
    /// # Shapes
    /// - `x` and result: `[batch, channels, frames, height, width]`
    pub fn pass(&self, x: &Tensor<5>, step: usize, pass: usize) -> Tensor<5> {
        let batch = x.dims()[0];
        let conditioning = self.steps[step].conditioning.narrow(pass * batch, batch);
        self.unet.forward(x.clone(), &self.reference, &conditioning, &self.tables)
    }

    /// This denoiser for a step whose `passes` are known already, in their order. Its estimates are
    /// the same.
    pub fn knowing(&self, passes: Vec<Tensor<5>>) -> impl Denoise {
        Known { denoiser: self, output: Tensor::cat(passes, 0) }
    }

    /// The scale of guidance, if it applies at the `step`-th time.
    fn scale(&self, step: usize) -> Option<f64> {
        match self.guidance {
            Guidance::Scaled(scale) if self.steps[step].is_guided => Some(scale),
            _ => None,
        }
    }

    /// The outputs of all passes as one.
    ///
    /// # Shapes
    /// - `output`: `[passes * batch, channels, frames, height, width]`
    /// - result: `[batch, channels, frames, height, width]`
    fn guide(&self, output: Tensor<5>, step: usize) -> Tensor<5> {
        let Some(scale) = self.scale(step) else { return output };
        let batch = output.dims()[0] / 2;
        let [conditional, contrast] = [0, 1].map(|pass| output.clone().narrow(0, pass * batch, batch));
        if let Some(gains) = gains_of_guidance(scale, &self.config) {
            return extrapolate(conditional, contrast, &gains);
        }
        let difference = conditional.clone() - contrast;
        conditional + added_by_guidance(difference, scale, &self.config)
    }

    fn estimate(&self, x: &Tensor<5>, output: Tensor<5>, step: usize) -> Estimate {
        let (x0, noise) = clean_and_noise(self.config.parameterization, x, output, self.steps[step].alpha_cumprod);
        Estimate { x0: threshold(x0, self.config.threshold), noise }
    }
}

impl Denoise for Denoiser {
    fn denoise(&self, x: &Tensor<5>, step: usize) -> Estimate {
        self.estimate(x, self.predict(x, step), step)
    }
}

/// A denoiser and what its network says at one step.
struct Known<'a> {
    denoiser: &'a Denoiser,
    /// Of all passes: `[passes * batch, channels, frames, height, width]`.
    output: Tensor<5>,
}

impl Denoise for Known<'_> {
    fn denoise(&self, x: &Tensor<5>, step: usize) -> Estimate {
        self.denoiser.estimate(x, self.denoiser.guide(self.output.clone(), step), step)
    }
}

/// What guidance adds to the conditional output: `(scale - 1) * difference`, with the `difference`
/// between it and the one that it is compared with: the unconditional one (Ho and Salimans 2021), or
/// that of another label.
///
/// Where that strengthens the condition, it can strengthen the detail of the motion by more or less
/// (frequency-decoupled guidance; Sadat et al. 2025, arXiv 2506.19713), and the motion of the whole foreground
/// likewise.
///
/// # Shapes
/// - `difference` and result: `[batch, channels, frames, height, width]`
pub(crate) fn added_by_guidance(difference: Tensor<5>, scale: f64, config: &DiffusionConfig) -> Tensor<5> {
    let of_detail = (config.detail_guidance - 1.0) * (scale - 1.0).max(0.0);
    let difference = match config.affine_guidance {
        factor if factor != 1.0 && scale > 1.0 => {
            difference.clone() + affine(&difference, config.unet.diffused) * (factor - 1.0)
        }
        _ => difference,
    };
    let added = difference.clone() * (scale - 1.0);
    if of_detail == 0.0 { added } else { added + detail(difference, config.unet.diffused) * of_detail }
}

/// What [`added_by_guidance`] multiplies each channel of the difference with, if that is all it does: the detail of
/// wavelets lies in channels of its own.
fn gains_of_guidance(scale: f64, config: &DiffusionConfig) -> Option<Vec<f64>> {
    let diffused = config.unet.diffused;
    if diffused.cells() == 1 || config.affine_guidance != 1.0 {
        return None;
    }
    let of_detail = (config.detail_guidance - 1.0) * (scale - 1.0).max(0.0);
    let gain = |is_detail: bool| scale - 1.0 + if is_detail { of_detail } else { 0.0 };
    Some(detail_channels(diffused).into_iter().map(gain).collect())
}

/// How many conditions a step evaluates where guidance applies.
pub(super) fn variants(guidance: f64) -> usize {
    match guidance {
        0.0 | 1.0 => 1,
        _ => 2,
    }
}

/// The clean sample and the noise that the network's output stands for.
///
/// # Shapes
/// - all: `[batch, channels, frames, height, width]`
pub fn clean_and_noise(
    parameterization: Parameterization,
    x: &Tensor<5>,
    output: Tensor<5>,
    alpha_cumprod: f64,
) -> (Tensor<5>, Tensor<5>) {
    let (signal, sigma) = (alpha_cumprod.sqrt(), (1.0 - alpha_cumprod).sqrt());
    match parameterization {
        Parameterization::Epsilon => {
            let terms = vec![(signal.recip(), x.clone()), (-(alpha_cumprod.recip() - 1.0).sqrt(), output.clone())];
            (combine(terms), output)
        }
        Parameterization::Velocity => {
            let x0 = combine(vec![(signal, x.clone()), (-sigma, output.clone())]);
            (x0, combine(vec![(sigma, x.clone()), (signal, output)]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Diffused, LfdmConfig};
    use crate::noise::NoiseSource;
    use burn::tensor::{Device, Distribution};

    #[test]
    fn gains_are_what_guidance_adds_to_wavelets() {
        let device = Device::flex();
        for diffused in [Diffused::MotionWavelets, Diffused::MotionWaveletPairs] {
            let mut config = LfdmConfig::faces_64(1).diffusion;
            (config.unet.diffused, config.detail_guidance) = (diffused, 3.0);
            let mut noise = NoiseSource::new(2);
            let [conditional, contrast] =
                [(); 2].map(|()| noise.normal::<5>([2, diffused.channels(), 3, 4, 4], &device));
            for scale in [0.5, 2.5] {
                let gains = gains_of_guidance(scale, &config).unwrap();
                let added = added_by_guidance(conditional.clone() - contrast.clone(), scale, &config);
                let out = extrapolate(conditional.clone(), contrast.clone(), &gains);
                assert!((out - conditional.clone() - added).abs().max().into_scalar::<f32>() < 1e-4);
            }
        }
    }

    #[test]
    fn both_parameterisations_recover_what_was_mixed() {
        let device = Device::flex();
        let [x0, noise] = [0, 1].map(|_| Tensor::<5>::random([1, 3, 2, 2, 2], Distribution::Normal(0.0, 1.0), &device));
        let (signal, sigma) = (0.3f64.sqrt(), 0.7f64.sqrt());
        let x = x0.clone() * signal + noise.clone() * sigma;
        let velocity = noise.clone() * signal - x0.clone() * sigma;
        for (kind, output) in [(Parameterization::Epsilon, noise.clone()), (Parameterization::Velocity, velocity)] {
            let (found, found_noise) = clean_and_noise(kind, &x, output, 0.3);
            assert!((found - x0.clone()).abs().max().into_scalar::<f32>() < 1e-5);
            assert!((found_noise - noise.clone()).abs().max().into_scalar::<f32>() < 1e-5);
        }
    }

    fn small_model(change: impl FnOnce(&mut DiffusionConfig), device: &Device) -> DiffusionModel {
        let mut config = LfdmConfig::faces_64(3).diffusion;
        config.unet.dim = 8;
        config.unet.dim_mults = vec![1, 2];
        change(&mut config);
        config.init(4, device)
    }

    #[test]
    fn guidance_of_detail_reaches_detail_alone() {
        let device = Device::flex();
        // One network: tests beside this one draw from the same source of initial weights.
        let network = small_model(|_| {}, &device);
        let [even, sharp] = [1.0, 3.0].map(|share| {
            let mut model = network.clone();
            model.config.detail_guidance = share;
            let mut source = NoiseSource::new(2);
            let x = source.normal::<5>([1, 3, 4, 8, 8], &device);
            let (latent, condition) = (source.normal([1, 4, 8, 8], &device), source.normal([1, 3], &device));
            [0.5, 1.0, 2.0, 4.0].map(|scale| {
                let denoiser = Denoiser::new(&model, latent.clone(), condition.clone(), &[700], 4, scale);
                denoiser.predict(&x, 0)
            })
        });
        let distance = |a: Tensor<5>, b: Tensor<5>| (a - b).abs().max().into_scalar::<f32>();
        assert!(distance(even[0].clone(), sharp[0].clone()) < 1e-6, "weaker guidance ignores the share");
        assert!(distance(even[1].clone(), sharp[1].clone()) < 1e-6, "no guidance leaves detail alone");
        // Detail as with a guidance that adds three times as much, the rest as with the given one.
        let expected = even[2].clone() + detail(even[3].clone() - even[2].clone(), Diffused::Motion);
        assert!(distance(sharp[2].clone(), expected) < 1e-5);
        assert!(distance(sharp[2].clone(), even[2].clone()) > 1e-3, "detail must matter for this test");
    }

    #[test]
    fn guidance_may_leave_the_whole_where_it_is() {
        let config = DiffusionConfig { affine_guidance: 0.0, ..LfdmConfig::faces_64(3).diffusion };
        let difference = NoiseSource::new(5).normal::<5>([1, 3, 2, 8, 8], &Device::flex());
        let whole = affine(&difference, Diffused::Motion);
        let distance = |a: Tensor<5>, b: Tensor<5>| (a - b).abs().max().into_scalar::<f32>();
        let added = added_by_guidance(difference.clone(), 3.0, &config);
        assert!(distance(added, (difference.clone() - whole) * 2.0) < 1e-5);
        let weakened = added_by_guidance(difference.clone(), 0.5, &config);
        assert!(distance(weakened, difference * -0.5) < 1e-6, "weaker guidance ignores the factor");
    }

    #[test]
    fn guidance_against_a_condition_leaves_that_condition_alone() {
        let device = Device::flex();
        let model = small_model(|_| {}, &device);
        let mut source = NoiseSource::new(2);
        let x = source.normal::<5>([1, 3, 4, 8, 8], &device);
        let latent = source.normal::<4>([1, 4, 8, 8], &device);
        let [label, neutral] = [0, 1].map(|_| source.normal::<2>([1, 3], &device));
        let predict = |condition: &Tensor<2>, scale: f64| {
            let conditions = [condition.clone(), neutral.clone()];
            Denoiser::with_contrast(&model, latent.clone(), conditions, &[700], 4, scale).predict(&x, 0)
        };
        let distance = |a: Tensor<5>, b: Tensor<5>| (a - b).abs().max().into_scalar::<f32>();
        let [plain, still] = [&label, &neutral].map(|condition| predict(condition, 1.0));
        assert!(distance(predict(&neutral, 4.0), still.clone()) < 1e-5, "there is nothing to exaggerate");
        assert!(distance(predict(&label, 0.0), still.clone()) < 1e-6);
        assert!(distance(predict(&label, 3.0), plain.clone() + (plain - still) * 2.0) < 1e-4);
    }

    #[test]
    fn guidance_blends_both_outputs_and_spares_the_one_it_does_not_need() {
        let device = Device::flex();
        let model = small_model(|config| config.guidance_interval = [0.3, 0.9], &device);
        let mut source = NoiseSource::new(2);
        let x = source.normal::<5>([1, 3, 4, 8, 8], &device);
        let latent = source.normal::<4>([1, 4, 8, 8], &device);
        let condition = source.normal::<2>([1, 3], &device);
        let at = |step: usize, condition: &Tensor<2>, scale: f64| {
            Denoiser::new(&model, latent.clone(), condition.clone(), &[900, 300, 299], 4, scale).predict(&x, step)
        };
        let predict = |condition: &Tensor<2>, scale: f64| at(1, condition, scale);
        let unet = &model.denoise_fn;
        let pass_at = |time: usize, condition: Tensor<2>| {
            let conditioning = unet.conditioning(&[time], condition);
            unet.forward(x.clone(), &unet.reference(latent.clone()), &conditioning, &unet.frame_tables(4))
        };
        let (conditional, null) = (pass_at(300, condition.clone()), pass_at(300, unet.null_condition()));
        let distance = |a: Tensor<5>, b: Tensor<5>| (a - b).abs().max().into_scalar::<f32>();
        assert!(distance(conditional.clone(), null.clone()) > 1e-3, "the condition must matter for this test");
        assert!(distance(predict(&condition, 1.0), conditional.clone()) < 1e-5);
        assert!(distance(predict(&condition, 0.0), null.clone()) < 1e-5);
        let blended = null.clone() + (conditional - null) * 2.5;
        assert!(distance(predict(&condition, 2.5), blended) < 1e-4);
        // One step earlier it has not begun, one later it is over.
        for (step, time) in [(0, 900), (2, 299)] {
            assert!(distance(at(step, &condition, 2.5), pass_at(time, condition.clone())) < 1e-5);
            assert!(distance(at(step, &condition, 0.0), pass_at(time, unet.null_condition())) < 1e-5);
        }
    }
}
