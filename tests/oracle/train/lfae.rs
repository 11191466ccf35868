//! Stage 1: thin-plate transform, perceptual pyramid, losses, gradients and steps.

use burn::module::{Flag, Module, ModuleMapper, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use lfdm::config::LfdmConfig;
use lfdm::lfae::official_key;
use lfdm::native::train::losses::equivariance;
use lfdm::native::train::official::OfficialTraining;
use lfdm::native::train::perceptual::Vgg19;
use lfdm::native::train::tps::ThinPlateTransform;
use lfdm::weights::{StateDict, collect_gradients, collect_module, load_module};

use super::{LEARNING_RATE, LFAE_BETAS, adam, compare_gradients, compare_parameters};
use crate::golden::{Golden, Report};
use crate::units::compare_axes;

pub(crate) fn compare(golden: &Golden, report: &mut Report, device: &Device) {
    geometry(golden, report, device);
    let vgg = vgg(golden, device);
    features(golden, report, &vgg, device);
    for mode in ["eval", "train"] {
        autoencoder(golden, report, &vgg, mode, device);
    }
}

/// The settings of the set, as the product reads them.
fn training(golden: &Golden) -> OfficialTraining {
    OfficialTraining::read(&golden.yaml()).unwrap()
}

fn transform(golden: &Golden, step: usize, device: &Device) -> ThinPlateTransform {
    let noise = |index: usize| golden.tensor::<3>(&format!("train/lfae/step{step}/noise{index}"), device);
    ThinPlateTransform::new(&training(golden).transform, noise(0), noise(1))
}

fn geometry(golden: &Golden, report: &mut Report, device: &Device) {
    let transform = transform(golden, 0, device);
    report.compare(golden, "train/lfae/step0/theta", transform.theta.clone());
    report.compare(golden, "train/lfae/step0/control_params", transform.weights.clone());
    let points = transform.control_points.clone();
    let side = (points.dims()[0] as f64).sqrt() as usize;
    report.compare(golden, "train/lfae/step0/control_points", points.reshape([1, side, side, 2]));
    report.compare(golden, "train/lfae/step0/transformed_frame", transform.frame(frame(golden, 1, device)));

    let coordinates = golden.tensor::<3>("train/lfae/tps/coords", device);
    report.compare(golden, "train/lfae/tps/warp", transform.points(coordinates.clone()));
    report.compare(golden, "train/lfae/tps/jacobian", transform.jacobian(coordinates).to_tensor());
}

/// Frame 0 is the source, frame 1 the driving frame.
fn frame(golden: &Golden, index: usize, device: &Device) -> Tensor<4> {
    golden.tensor::<5>("train/lfae/video", device).narrow(2, index, 1).squeeze_dim(2)
}

/// The set's stand-in of reduced width, whose keys name torchvision's place after that of the slice.
fn vgg(golden: &Golden, device: &Device) -> Vgg19 {
    let mut weights = StateDict::default();
    let state = golden.state("train/lfae/vgg/state/");
    for name in golden.names("train/lfae/vgg/state/slice") {
        let key = &name["train/lfae/vgg/state/".len()..];
        let (_, rest) = key.split_once('.').unwrap();
        weights.insert(format!("features.{rest}"), state.get(key).unwrap().clone());
    }
    Vgg19::new(&weights, device).unwrap()
}

/// Features of the untrained model's picture and of the real one.
fn features(golden: &Golden, report: &mut Report, vgg: &Vgg19, device: &Device) {
    let predicted: Tensor<4> = golden.tensor("train/lfae/eval/step0/prediction", device);
    let real = frame(golden, 1, device);
    for scale in training(golden).perceptual.scales {
        let features = |image: &Tensor<4>| vgg.features(lfdm::tensor::anti_alias(image.clone(), scale));
        let pairs = features(&predicted).into_iter().zip(features(&real));
        for (layer, (predicted, real)) in pairs.enumerate() {
            let name = |what: &str| format!("train/lfae/vgg_feats/scale{scale}/{what}");
            report.compare(golden, &name(&format!("gen{layer}_mean_abs")), predicted.clone().abs().mean());
            report.compare(golden, &name(&format!("absdiff{layer}")), (predicted - real.clone()).abs().mean());
            let whole = format!("train/lfae/vgg_feats/real_relu{}_scale{scale}", layer + 1);
            if golden.has(&whole) {
                report.compare(golden, &whole, real);
            }
        }
    }
}

/// Consecutive steps on one batch, with running statistics (`eval`) or with the batch's (`train`).
fn autoencoder(golden: &Golden, report: &mut Report, vgg: &Vgg19, mode: &str, device: &Device) {
    let training = training(golden);
    let config = LfdmConfig::from_official(&golden.yaml(), 1).unwrap().lfae;
    let weights = golden.weights.clone().filter(|key| !key.starts_with("diffusion."));
    let mut model = load_module(config.init(device), &weights, &official_key).unwrap();
    if mode == "eval" {
        model = model.map(&mut RunningStatistics);
    }
    let mut optimizer = adam(LFAE_BETAS);
    let (source, driving) = (frame(golden, 0, device), frame(golden, 1, device));
    for step in 0.. {
        let case = format!("train/lfae/{mode}/step{step}");
        let name = |what: &str| format!("{case}/{what}");
        if !golden.has(&name("loss_total")) {
            assert!(step > 0, "the set has no {case}");
            break;
        }
        let transform = transform(golden, step, device);

        let estimate = model.estimate(source.clone(), driving.clone());
        let features = model.encode(source.clone());
        let decoded = model.decode(source.clone(), &features, &estimate.motion);
        let transformed = model.flow_predictor.region_predictor.forward(transform.frame(driving.clone()));
        let perceptual = vgg.loss(&decoded.prediction, &driving, &training.perceptual);
        let (shift, affine) = equivariance(&estimate.driving, &transformed, &transform, config.revert_axis_swap);
        let (shift, affine) = (shift * training.equivariance_shift, affine * training.equivariance_affine);
        let total = perceptual.clone() + shift.clone() + affine.clone();
        for (term, value) in [
            ("perceptual", perceptual),
            ("equivariance_shift", shift),
            ("equivariance_affine", affine),
            ("total", total.clone()),
        ] {
            report.compare(golden, &name(&format!("loss_{term}")), value);
        }
        if golden.has(&name("prediction")) {
            report.compare(golden, &name("prediction"), decoded.prediction);
            report.compare(golden, &name("optical_flow"), estimate.motion.flow);
            report.compare(golden, &name("occlusion_map"), estimate.motion.occlusion);
            report.compare(golden, &name("transformed_shift"), transformed.shift);
            compare_axes(golden, report, &name("transformed_affine"), &transformed.affine.unwrap());
            compare_axes(golden, report, &name("driving_affine"), &estimate.driving.affine.unwrap());
        }

        // Batch norms over the batch pass one flipped sign on to every gradient.
        if mode == "train" && report.leaves_to_double(golden, "train/lfae/train/") {
            break;
        }
        let backward = total.backward();
        let gradients = collect_gradients(&model, &backward, &official_key);
        compare_gradients(golden, report, &case, "train/lfae/gradnorm_order", &gradients);
        let parameters = GradientsParams::from_grads(backward, &model);
        model = optimizer.step(LEARNING_RATE, model, parameters);
        compare_parameters(golden, report, &case, &gradients, &collect_module(&model.valid(), &official_key));
    }
}

/// Keeps batch norms on their running statistics though gradients flow.
struct RunningStatistics;

impl ModuleMapper for RunningStatistics {
    fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
        flag.with_value(false)
    }
}
