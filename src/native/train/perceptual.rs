//! Perceptual loss over VGG19 (Johnson et al. 2016, with FOMM's pyramid), the official
//! reconstruction term.
//!
//! The weights are the user's: torchvision's `vgg19`, as `.pth` or safetensors. Nothing is downloaded.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::pool::MaxPool2dConfig;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::lfae::blocks::conv;
use crate::tensor::anti_alias;
use crate::weights::{StateDict, WeightsError, collect_module, load_module};

/// Position of each convolution in torchvision's `vgg19().features`.
const PLACES: [usize; 13] = [0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28];
/// Convolutions that a 2x2 maximum follows.
const POOLED: [usize; 4] = [1, 3, 7, 11];
/// Convolutions whose activations are compared: `relu1_1`, `relu2_1`, `relu3_1`, `relu4_1`, `relu5_1`.
const COMPARED: [usize; LAYERS] = [0, 2, 4, 8, 12];
pub(super) const LAYERS: usize = 5;
/// Sides of the smallest picture that has features of every layer.
pub(super) const SMALLEST: usize = 16;
/// Means and deviations of ImageNet's channels.
const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];

/// Which layers of VGG19 are compared, and at which scales of the picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PerceptualPyramid {
    /// Weight of each layer, from `relu1_1` to `relu5_1`. The list may be shorter; deeper layers are
    /// then left out.
    pub layers: Vec<f64>,
    /// Scales of the picture, each one over a whole number. All count alike.
    pub scales: Vec<f64>,
}

impl Default for PerceptualPyramid {
    /// All layers alike, at the scales that a picture of 64 pixels has.
    fn default() -> Self {
        Self { layers: vec![1.0; LAYERS], scales: vec![1.0, 0.5, 0.25] }
    }
}

/// The convolutions of VGG19 up to `relu5_1` (Simonyan and Zisserman 2015). They are never trained.
#[derive(Module, Debug)]
pub struct Vgg19 {
    convolutions: Vec<Conv2d>,
}

impl Vgg19 {
    /// The widths are those of `weights`, whose keys are torchvision's: `features.{place}.weight`
    /// and `.bias`. Other keys, such as those of the classifier, are left alone.
    ///
    /// # Errors
    /// Missing and misshapen keys, all of them.
    pub fn new(weights: &StateDict, device: &Device) -> Result<Self, WeightsError> {
        let width = |place: usize, otherwise: usize| {
            let weight = weights.get(&format!("{}weight", key_of(place)));
            weight.and_then(|weight| weight.shape().first().copied()).unwrap_or(otherwise)
        };
        let mut input = 3;
        let convolutions = PLACES.map(|place| {
            let output = width(place, input);
            let convolution = conv([input, output], 3, 1, device);
            input = output;
            convolution
        });
        let used = weights.clone().filter(|name| PLACES.iter().any(|&place| name.starts_with(&key_of(place))));
        Ok(load_module(Self { convolutions: convolutions.to_vec() }, &used, &torchvision_key)?.no_grad())
    }

    /// The weights that it was made of, under torchvision's keys.
    pub fn to_state(&self) -> StateDict {
        collect_module(self, &torchvision_key)
    }

    /// The activations that are compared, coarser and coarser.
    ///
    /// # Shapes
    /// - `image`: `[batch, 3, height, width]` in [0, 1], sides of at least 16
    pub fn features(&self, image: Tensor<4>) -> Vec<Tensor<4>> {
        let device = image.device();
        let per_channel = |values: [f32; 3]| Tensor::<1>::from_floats(values, &device).reshape([1, 3, 1, 1]);
        let mut out = (image - per_channel(MEAN)) / per_channel(DEVIATION);
        let halve = MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init();
        let mut features = Vec::with_capacity(COMPARED.len());
        for (index, convolution) in self.convolutions.iter().enumerate() {
            out = relu(convolution.forward(out));
            if COMPARED.contains(&index) {
                features.push(out.clone());
            }
            if POOLED.contains(&index) {
                out = halve.forward(out);
            }
        }
        features
    }

    /// Mean absolute difference of the activations, summed over the pyramid's scales and, with
    /// their weights, over its layers. The pictures may be without gradients.
    ///
    /// # Shapes
    /// - `prediction`, `target`: `[batch, 3, height, width]` in [0, 1]; the smallest scale has
    ///   sides of at least 16
    /// - result: `[1]`
    pub fn loss(&self, prediction: &Tensor<4>, target: &Tensor<4>, pyramid: &PerceptualPyramid) -> Tensor<1> {
        let device = target.device();
        let vgg = self.on(&device);
        let mut loss = Tensor::zeros([1], &device);
        for &scale in &pyramid.scales {
            let features = |image: &Tensor<4>| vgg.features(anti_alias(image.clone(), scale));
            let (predicted, real) = (features(prediction), features(&target.clone().detach()));
            for ((predicted, real), &weight) in predicted.into_iter().zip(real).zip(&pyramid.layers) {
                loss = loss + (predicted - real.detach()).abs().mean() * weight;
            }
        }
        loss
    }

    /// The same network on `device`, with gradients only where `device` has them.
    fn on(&self, device: &Device) -> Self {
        let has_gradients = self.convolutions.iter().any(|convolution| convolution.weight.device().is_autodiff());
        if has_gradients && !device.is_autodiff() { self.valid() } else { self.clone() }.to_device(device)
    }
}

/// The key of torchvision for a path in the module.
fn torchvision_key(path: &str) -> String {
    let rest = path.trim_start_matches("convolutions.");
    let Some((index, leaf)) = rest.split_once('.') else { return path.to_owned() };
    index.parse::<usize>().map_or_else(|_| path.to_owned(), |index| format!("{}{leaf}", key_of(PLACES[index])))
}

/// What torchvision's keys of a convolution begin with.
fn key_of(place: usize) -> String {
    format!("features.{place}.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::NoiseSource;
    use burn::tensor::TensorData;

    /// A network of the real depth and small width, under torchvision's keys, with a classifier
    /// that nobody asked for.
    fn weights(widths: [usize; 13]) -> StateDict {
        let mut noise = NoiseSource::new(3);
        let device = Device::flex();
        let mut weights = StateDict::default();
        let mut input = 3;
        for (place, output) in PLACES.into_iter().zip(widths) {
            let kernel: Tensor<4> = noise.normal([output, input, 3, 3], &device);
            let scale = (2.0 / (9 * input) as f64).sqrt();
            weights.insert(format!("features.{place}.weight"), (kernel * scale).into_data());
            weights.insert(format!("features.{place}.bias"), TensorData::zeros::<f32, _>([output]));
            input = output;
        }
        weights.insert("classifier.0.bias", TensorData::zeros::<f32, _>([7]));
        weights
    }

    const WIDTHS: [usize; 13] = [2, 2, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 5];

    #[test]
    fn features_halve_their_sides_and_equal_pictures_have_no_distance() {
        let device = Device::flex();
        let vgg = Vgg19::new(&weights(WIDTHS), &device).unwrap();
        let mut noise = NoiseSource::new(4);
        let [a, b]: [Tensor<4>; 2] = [(); 2].map(|()| noise.normal([1, 3, 64, 64], &device) * 0.2 + 0.5);
        let shapes: Vec<_> = vgg.features(a.clone()).iter().map(Tensor::dims).collect();
        assert_eq!(shapes, [[1, 2, 64, 64], [1, 3, 32, 32], [1, 4, 16, 16], [1, 5, 8, 8], [1, 5, 4, 4]]);
        let pyramid = PerceptualPyramid { scales: vec![1.0, 0.5], ..Default::default() };
        let distance = |a: &Tensor<4>, b: &Tensor<4>| vgg.loss(a, b, &pyramid).into_scalar::<f32>();
        assert_eq!(distance(&a, &a), 0.0);
        assert!(distance(&a, &b) > 0.0);
    }

    #[test]
    fn every_layer_has_its_own_weight() {
        let device = Device::flex();
        let vgg = Vgg19::new(&weights(WIDTHS), &device).unwrap();
        let mut noise = NoiseSource::new(4);
        let [a, b]: [Tensor<4>; 2] = [(); 2].map(|()| noise.normal([1, 3, 64, 64], &device) * 0.2 + 0.5);
        let distance = |layers: &[f64], scales: &[f64]| {
            let pyramid = PerceptualPyramid { layers: layers.to_vec(), scales: scales.to_vec() };
            vgg.loss(&a, &b, &pyramid).into_scalar::<f32>()
        };
        let layer_distance = |layer: usize, scale: f64| {
            let [a, b] = [&a, &b].map(|image| vgg.features(anti_alias(image.clone(), scale))[layer].clone());
            (a - b).abs().mean().into_scalar::<f32>()
        };
        let composed = |layers: &[f64], scales: &[f64]| -> f32 {
            let terms =
                |&scale: &f64| layers.iter().enumerate().map(move |(i, w)| *w as f32 * layer_distance(i, scale));
            scales.iter().flat_map(terms).sum()
        };
        let unequal = [10.0, 8.0, 6.0, 4.0, 2.0];
        for (layers, scales) in [(&unequal[..], &[1.0, 0.5, 0.25][..]), (&unequal[..], &[0.5]), (&[0.0, 3.0], &[1.0])] {
            let (actual, expected) = (distance(layers, scales), composed(layers, scales));
            assert!((actual - expected).abs() < 1e-5 * expected, "{layers:?} at {scales:?}: {actual}, not {expected}");
        }
        let first_for_all = distance(&[10.0; LAYERS], &[1.0]);
        assert!((distance(&unequal, &[1.0]) - first_for_all).abs() > 0.01 * first_for_all);
    }

    #[test]
    fn a_network_is_made_of_what_it_says_of_itself() {
        let weights = weights(WIDTHS).filter(|key| key.starts_with("features."));
        let state = Vgg19::new(&weights, &Device::flex()).unwrap().to_state();
        assert!(weights.iter().eq(state.iter()));
    }

    #[test]
    fn what_is_missing_is_named() {
        let weights = weights(WIDTHS).filter(|key| key != "features.28.bias");
        let message = Vgg19::new(&weights, &Device::flex()).unwrap_err().to_string();
        assert!(message.contains("missing features.28.bias"), "{message}");
    }
}
