//! The diffusion model: network, forward process, training losses.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

use super::config::{DiffusionConfig, Parameterization};
use super::samplers::Sampler;
use super::schedule::NoiseSchedule;
use super::threshold::threshold;
use super::unet::Unet3d;

/// The denoising network with the forward process it is trained for.
///
/// ```no_run
/// use burn::tensor::Device;
/// use lfdm::{
///     config::LfdmConfig,
///     diffusion::{Sampler, Sampling},
///     noise::NoiseSource,
/// };
///
/// let (config, device, mut noise) = (LfdmConfig::faces_64(7), Device::flex(), NoiseSource::new(1));
/// let model = config.diffusion.init(config.latent_channels(), &device);
/// let [height, width] = config.diffused_size();
/// let latent = noise.normal([1, config.latent_channels(), height, width], &device);
/// let condition = noise.normal([1, 7], &device);
/// let sampling = Sampling { sampler: Sampler::Deis, steps: 8, guidance: 1.0 };
/// let motion = model.sample(latent, condition, config.frames, sampling, &mut noise);
/// assert_eq!(motion.dims()[2], config.frames);
/// ```
#[derive(Module, Debug)]
pub struct DiffusionModel {
    /// The network.
    pub denoise_fn: Unet3d,
    #[module(skip)]
    pub(super) config: DiffusionConfig,
    #[module(skip)]
    schedule: NoiseSchedule,
}

impl DiffusionConfig {
    /// Whether a training sample loses its condition, given a draw from [0, 1).
    pub fn drops_condition(&self, uniform: f64) -> bool {
        uniform < self.null_condition_probability
    }

    /// The sampler that the model is trained for.
    pub fn default_sampler(&self) -> Sampler {
        if self.consistency { Sampler::Consistency } else { Sampler::default() }
    }

    /// Allocates the model; `latent_channels` is the number of channels of the reference latent.
    pub fn init(&self, latent_channels: usize, device: &Device) -> DiffusionModel {
        DiffusionModel {
            denoise_fn: self.unet.init(latent_channels, device),
            config: self.clone(),
            schedule: NoiseSchedule::new(self.schedule, self.timesteps),
        }
    }
}

impl Parameterization {
    /// The weight of Min-SNR-gamma (Hang et al. 2023, Sec. 3.4): an error of the clean sample
    /// counts `min(snr, gamma)`, whatever the network predicts.
    pub fn min_snr_weight(self, snr: f64, gamma: f64) -> f64 {
        match self {
            Self::Epsilon if snr <= gamma => 1.0,
            Self::Epsilon => gamma / snr,
            Self::Velocity => snr.min(gamma) / (snr + 1.0),
        }
    }
}

impl DiffusionModel {
    /// The settings that the model was made with.
    pub fn config(&self) -> &DiffusionConfig {
        &self.config
    }

    /// The noise schedule of the forward process.
    pub fn schedule(&self) -> &NoiseSchedule {
        &self.schedule
    }

    /// A sample of `q(x_t | x_0)`: `sqrt(abar_t) x_0 + sqrt(1 - abar_t) noise`.
    ///
    /// # Shapes
    /// - `x0`, `noise` and result: `[batch, channels, frames, height, width]`
    /// - `times`: `batch` times
    pub fn q_sample(&self, x0: Tensor<5>, noise: Tensor<5>, times: &[usize]) -> Tensor<5> {
        let (signal, sigma) = self.levels(times, &x0.device());
        x0 * signal + noise * sigma
    }

    /// The network's output for noisy motion at one time per sample, as training needs it.
    ///
    /// # Shapes
    /// - `x` and result: `[batch, channels, frames, height, width]`
    /// - `latent`: `[batch, latent_channels, height, width]`
    /// - `condition`: `[batch, condition_dim]`
    /// - `times`, `dropped`: `batch` diffusion times, and whether to drop the condition
    pub fn predict(
        &self,
        x: Tensor<5>,
        latent: Tensor<4>,
        condition: Tensor<2>,
        times: &[usize],
        dropped: &[bool],
    ) -> Tensor<5> {
        let unet = &self.denoise_fn;
        let frames = x.dims()[2];
        let conditioning = unet.conditioning(times, self.drop_condition(condition, dropped));
        unet.forward(x, &unet.reference(latent), &conditioning, &unet.frame_tables(frames))
    }

    /// Mean squared error of the network's prediction of noise or velocity (LFDM, Eq. 5).
    ///
    /// # Shapes
    /// - `x0`, `noise`: `[batch, channels, frames, height, width]`, motion encoded by the model's
    ///   [`MotionCodec`](super::MotionCodec) and standard normal noise
    /// - `output`: what [`predict`](Self::predict) makes of their mixture,
    ///   [`q_sample`](Self::q_sample)
    /// - result: `[1]`
    pub fn error(&self, output: Tensor<5>, x0: Tensor<5>, noise: Tensor<5>, times: &[usize]) -> Tensor<1> {
        self.squared_error(output, x0, noise, times).mean()
    }

    /// [`error`](Self::error) that weighs every time by
    /// [`min_snr_weight`](Parameterization::min_snr_weight).
    ///
    /// # Shapes
    /// - as for [`error`](Self::error)
    pub fn min_snr_error(
        &self,
        output: Tensor<5>,
        x0: Tensor<5>,
        noise: Tensor<5>,
        times: &[usize],
        gamma: f64,
    ) -> Tensor<1> {
        let parameterization = self.config.parameterization;
        let weights: Vec<f64> =
            times.iter().map(|&time| parameterization.min_snr_weight(self.schedule.snr(time), gamma)).collect();
        let weights = Tensor::<5>::from_data(TensorData::new(weights, [times.len(), 1, 1, 1, 1]), &x0.device());
        (self.squared_error(output, x0, noise, times) * weights).mean()
    }

    /// The squared error of every value of the prediction, shaped as [`error`](Self::error)'s
    /// arguments.
    fn squared_error(&self, output: Tensor<5>, x0: Tensor<5>, noise: Tensor<5>, times: &[usize]) -> Tensor<5> {
        let target = match self.config.parameterization {
            Parameterization::Epsilon => noise,
            Parameterization::Velocity => {
                let (signal, sigma) = self.levels(times, &x0.device());
                noise * signal - x0 * sigma
            }
        };
        let error = output - target;
        error.clone() * error
    }

    /// The training loss: [`q_sample`](Self::q_sample), [`predict`](Self::predict),
    /// [`error`](Self::error).
    ///
    /// # Shapes
    /// - `x0`, `noise`: `[batch, channels, frames, height, width]`
    /// - the rest as for [`predict`](Self::predict)
    /// - result: `[1]`
    pub fn loss(
        &self,
        x0: Tensor<5>,
        latent: Tensor<4>,
        condition: Tensor<2>,
        times: &[usize],
        noise: Tensor<5>,
        dropped: &[bool],
    ) -> Tensor<1> {
        let x = self.q_sample(x0.clone(), noise.clone(), times);
        self.error(self.predict(x, latent, condition, times, dropped), x0, noise, times)
    }

    /// The clean motion that `output` implies, thresholded.
    ///
    /// # Shapes
    /// - `x`, `output` and result: `[batch, channels, frames, height, width]`
    /// - `times`: `batch` times
    pub fn clean_estimate(&self, x: &Tensor<5>, output: Tensor<5>, times: &[usize]) -> Tensor<5> {
        threshold(self.predicted_x0(x, output, times), self.config.threshold)
    }

    /// [`clean_estimate`](Self::clean_estimate) without thresholding.
    ///
    /// # Shapes
    /// - as for [`clean_estimate`](Self::clean_estimate)
    pub fn predicted_x0(&self, x: &Tensor<5>, output: Tensor<5>, times: &[usize]) -> Tensor<5> {
        match self.config.parameterization {
            Parameterization::Epsilon => {
                let of_x = self.per_sample(times, &x.device(), |abar| abar.recip().sqrt());
                let of_output = self.per_sample(times, &x.device(), |abar| (abar.recip() - 1.0).sqrt());
                x.clone() * of_x - output * of_output
            }
            Parameterization::Velocity => {
                let (signal, sigma) = self.levels(times, &x.device());
                x.clone() * signal - output * sigma
            }
        }
    }

    /// `condition` with the null condition in the rows that `dropped` marks.
    fn drop_condition(&self, condition: Tensor<2>, dropped: &[bool]) -> Tensor<2> {
        let keep: Vec<f32> = dropped.iter().map(|&dropped| f32::from(!dropped)).collect();
        let keep = Tensor::<2>::from_data(TensorData::new(keep, [dropped.len(), 1]), &condition.device());
        condition * keep.clone() + self.denoise_fn.null_condition() * (keep * -1.0 + 1.0)
    }

    /// `sqrt(abar)` and `sqrt(1 - abar)` per sample, `[batch, 1, 1, 1, 1]`.
    fn levels(&self, times: &[usize], device: &Device) -> (Tensor<5>, Tensor<5>) {
        let signal = self.per_sample(times, device, f64::sqrt);
        let sigma = self.per_sample(times, device, |abar| (1.0 - abar).sqrt());
        (signal, sigma)
    }

    /// A function of abar per sample, `[batch, 1, 1, 1, 1]`.
    fn per_sample(&self, times: &[usize], device: &Device, function: fn(f64) -> f64) -> Tensor<5> {
        let values: Vec<f64> = times.iter().map(|&time| function(self.schedule.alpha_cumprod(time))).collect();
        Tensor::from_data(TensorData::new(values, [times.len(), 1, 1, 1, 1]), device)
    }
}

/// Whether an official key belongs to the denoising network.
pub fn is_denoiser(key: &str) -> bool {
    key.starts_with("denoise_fn.")
}

#[cfg(all(test, feature = "native"))]
mod tests {
    use super::*;
    use crate::diffusion::config::Diffused;
    use crate::noise::NoiseSource;
    use burn::module::{ModuleVisitor, Param};

    /// Names of parameters that a loss does not reach.
    struct Unreached<'a> {
        gradients: &'a burn::tensor::Gradients,
        path: Vec<String>,
        names: Vec<String>,
    }

    impl ModuleVisitor for Unreached<'_> {
        fn enter_module(&mut self, name: &str, _container: &str) {
            self.path.push(name.to_owned());
        }

        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.path.pop();
        }

        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let reached = param.val().grad(self.gradients).is_some_and(|gradient| {
                let largest: f32 = gradient.abs().max().into_scalar();
                largest > 0.0 && largest.is_finite()
            });
            if !reached {
                self.names.push(self.path.join("."));
            }
        }
    }

    #[test]
    fn the_loss_reaches_every_parameter() {
        let device = Device::flex().autodiff();
        let mut config = crate::config::LfdmConfig::faces_64(3).diffusion;
        config.unet.dim = 8;
        config.unet.dim_mults = vec![1, 2];
        config.unet.learned_null_condition = true;
        for diffused in Diffused::MOTION {
            config.unet.diffused = diffused;
            let model = config.init(4, &device);
            let mut source = NoiseSource::new(4);
            let mut video = || source.normal::<5>([2, diffused.channels(), 4, 8, 8], &device);
            let (x0, noise) = (video(), video());
            let latent = source.normal::<4>([2, 4, 8, 8], &device);
            let condition = source.normal::<2>([2, 3], &device);
            let loss = model.loss(x0, latent, condition, &[100, 800], noise, &[false, true]);
            let value: f32 = loss.clone().into_scalar();
            assert!((0.3..10.0).contains(&value), "loss {value} of an untrained model");
            let gradients = loss.backward();
            let mut unreached = Unreached { gradients: &gradients, path: Vec::new(), names: Vec::new() };
            model.visit(&mut unreached);
            assert_eq!(unreached.names, Vec::<String>::new(), "{diffused:?}");
        }
    }

    #[test]
    fn min_snr_weighs_errors_of_the_clean_sample_the_same_in_both_parameterisations() {
        for (snr, clean) in [(0.0, 0.0), (0.3, 0.3), (5.0, 5.0), (80.0, 5.0)] {
            // |x0 error|^2 is |noise error|^2 / snr, and |velocity error|^2 / (snr + 1).
            let velocity = Parameterization::Velocity.min_snr_weight(snr, 5.0) * (snr + 1.0);
            let epsilon = Parameterization::Epsilon.min_snr_weight(snr, 5.0) * snr;
            assert!((velocity - clean).abs() < 1e-12 && (epsilon - clean).abs() < 1e-12, "{snr}: {velocity} {epsilon}");
        }
    }

    #[test]
    fn a_weighted_loss_is_the_mean_of_weighted_samples() {
        let device = Device::flex();
        let mut config = crate::config::LfdmConfig::faces_64(3).diffusion;
        config.unet.dim = 8;
        config.unet.dim_mults = vec![1, 2];
        let model = config.init(4, &device);
        let mut source = NoiseSource::new(4);
        let mut video = || source.normal::<5>([2, 3, 4, 8, 8], &device);
        let (output, x0, noise) = (video(), video(), video());
        let times = [100, 900];
        let row = |x: &Tensor<5>, row| x.clone().narrow(0, row, 1);
        let expected: f64 = (0..2)
            .map(|i| {
                let error =
                    model.error(row(&output, i), row(&x0, i), row(&noise, i), &times[i..=i]).into_scalar::<f32>();
                f64::from(error) * Parameterization::Velocity.min_snr_weight(model.schedule().snr(times[i]), 5.0) / 2.0
            })
            .sum();
        let weighted = model.min_snr_error(output, x0, noise, &times, 5.0).into_scalar::<f32>();
        assert!((f64::from(weighted) - expected).abs() < 1e-5 * expected, "{weighted} instead of {expected}");
    }
}
