//! Training: the thin-plate transform, the perceptual pyramid, losses, gradients and optimiser steps of both stages.

use burn::module::{Flag, Module, ModuleMapper, Param};
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor, TensorData};
use lfdm::config::LfdmConfig;
use lfdm::lfae::official_key;
use lfdm::native::train::lfae::equivariance;
use lfdm::native::train::multi_step;
use lfdm::native::train::perceptual::Vgg19;
use lfdm::native::train::tps::{ThinPlateTransform, TransformParams};
use lfdm::tensor::Matrix2;
use lfdm::weights::{StateDict, collect_gradients, collect_module, load_module};

use crate::golden::{Golden, Report};

/// Adam of the official training, both stages but for the momenta.
const LEARNING_RATE: f64 = 2e-4;
const LFAE_BETAS: (f32, f32) = (0.5, 0.999);
const DM_BETAS: (f32, f32) = (0.9, 0.99);

pub fn compare(golden: &Golden, report: &mut Report) {
    if !golden.has("train/lfae/video") {
        assert!(!golden.is_full());
        return;
    }
    let device = Device::flex().autodiff();
    optimizer(golden, report, &device);
    geometry(golden, report, &device);
    let vgg = vgg(golden, &device);
    features(golden, report, &vgg, &device);
    for mode in ["eval", "train"] {
        autoencoder(golden, report, &vgg, mode, &device);
    }
}

fn adam((beta_1, beta_2): (f32, f32)) -> ModuleOptimizer {
    AdamConfig::new().with_beta_1(beta_1).with_beta_2(beta_2).with_epsilon(1e-8).init()
}

/// Four steps on given gradients, with the official schedule.
fn optimizer(golden: &Golden, report: &mut Report, device: &Device) {
    #[derive(Module, Debug)]
    struct Point {
        place: Param<Tensor<2>>,
    }
    for (case, betas) in [("lfae", LFAE_BETAS), ("dm", DM_BETAS)] {
        let tensor = |name: &str| golden.tensor::<2>(&format!("units/adam/{name}"), device);
        let mut point = Point { place: Param::from_tensor(tensor("p0").require_grad()) };
        let mut optimizer = adam(betas);
        for step in 0..4 {
            // A linear loss has the gradient that is wanted.
            let loss = (point.place.val() * tensor(&format!("g{step}"))).sum();
            let gradients = GradientsParams::from_grads(loss.backward(), &point);
            point = optimizer.step(multi_step(LEARNING_RATE, &[1, 3], step), point, gradients);
            report.compare(golden, &format!("units/adam/{case}/p{}", step + 1), point.place.val());
        }
    }
}

fn transform(golden: &Golden, step: usize, device: &Device) -> ThinPlateTransform {
    let noise = |index: usize| golden.tensor::<3>(&format!("train/lfae/step{step}/noise{index}"), device);
    let config = &golden.yaml()["train_params"]["transform_params"];
    let number = |name: &str| config[name].as_f64().unwrap();
    let params = TransformParams {
        sigma_affine: number("sigma_affine"),
        sigma_tps: number("sigma_tps"),
        points: config["points_tps"].as_u64().unwrap() as usize,
    };
    ThinPlateTransform::new(&params, noise(0), noise(1))
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
    for scale in ["1", "0.5", "0.25"] {
        let features =
            |image: &Tensor<4>| vgg.features(lfdm::tensor::anti_alias(image.clone(), scale.parse().unwrap()));
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

/// Two steps on one batch with running statistics (`eval`), one with the batch's (`train`).
///
/// Not compared yet, and therefore listed as missing: the third step, and with the batch's statistics the gradients, which differ by
/// half a percent, and what follows from them.
fn autoencoder(golden: &Golden, report: &mut Report, vgg: &Vgg19, mode: &str, device: &Device) {
    let yaml = golden.yaml();
    let training = &yaml["train_params"];
    let weight = |name: &str| training["loss_weights"][name].as_f64().unwrap();
    let perceptual_weight = training["loss_weights"]["perceptual"][0].as_f64().unwrap();
    let scales: Vec<f64> = training["scales"].as_array().unwrap().iter().map(|scale| scale.as_f64().unwrap()).collect();

    let config = LfdmConfig::from_official(&yaml, 10).unwrap().lfae;
    let weights = golden.weights.clone().filter(|key| !key.starts_with("diffusion."));
    let mut model = load_module(config.init(device), &weights, &official_key).unwrap();
    let running = mode == "eval";
    if running {
        model = model.map(&mut RunningStatistics);
    }
    let mut optimizer = adam(LFAE_BETAS);
    let (source, driving) = (frame(golden, 0, device), frame(golden, 1, device));
    for step in 0..if running { 2 } else { 1 } {
        let case = format!("train/lfae/{mode}/step{step}");
        let name = |what: &str| format!("{case}/{what}");
        let transform = transform(golden, step, device);

        let estimate = model.estimate(source.clone(), driving.clone());
        let features = model.encode(source.clone());
        let decoded = model.decode(source.clone(), &features, &estimate.motion);
        let transformed = model.region_predictor.forward(transform.frame(driving.clone()));
        let perceptual = vgg.loss(&decoded.prediction, &driving, &scales) * perceptual_weight;
        let (shift, affine) = equivariance(&estimate.driving, &transformed, &transform, config.revert_axis_swap);
        let (shift, affine) = (shift * weight("equivariance_shift"), affine * weight("equivariance_affine"));
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
            for (what, axes) in
                [("transformed_affine", transformed.affine), ("driving_affine", estimate.driving.affine)]
            {
                report.compare(golden, &name(what), signed(golden, &name(what), &axes.unwrap()));
            }
        }

        let backward = total.backward();
        if running {
            compare_gradients(golden, report, &case, &collect_gradients(&model, &backward, &official_key));
        }
        let parameters = GradientsParams::from_grads(backward, &model);
        model = optimizer.step(LEARNING_RATE, model, parameters);
        let kinds: &[&str] = if running { &["after", "after_bn"] } else { &["after_bn"] };
        compare_parameters(golden, report, &case, kinds, &collect_module(&model.valid(), &official_key));
    }
}

/// Keeps batch norms on their running statistics though gradients flow.
struct RunningStatistics;

impl ModuleMapper for RunningStatistics {
    fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
        flag.with_value(false)
    }
}

/// Axes with the sign of the official ones: they have none of their own.
fn signed(golden: &Golden, name: &str, axes: &Matrix2) -> Tensor<4> {
    let axes = axes.to_tensor().inner();
    let official = Tensor::<4>::from_data(golden.data(name).clone(), &axes.device());
    let sign = (official * axes.clone()).sum_dim(2).sum_dim(3).sign();
    axes * sign
}

/// Single gradients, and the norms of all.
fn compare_gradients(golden: &Golden, report: &mut Report, case: &str, gradients: &StateDict) {
    let find = |key: &str| gradients.get(key).unwrap_or_else(|| panic!("no gradient of {key}"));
    let prefix = format!("{case}/grad/");
    for name in golden.names(&prefix) {
        if golden.entry(name)["ill_conditioned"] != true {
            report.compare_data(golden, name, find(&name[prefix.len()..]));
        }
    }
    let norms = format!("{case}/gradnorms");
    if golden.has(&norms) {
        let order = golden.manifest["info"]["train/lfae/gradnorm_order"].as_array().unwrap();
        let norm = |key: &serde_json::Value| {
            find(key.as_str().unwrap()).iter::<f64>().map(|value| value * value).sum::<f64>().sqrt()
        };
        report.compare_list(golden, &norms, &order.iter().map(norm).collect::<Vec<_>>());
    }
}

/// Parameters and running statistics after a step.
fn compare_parameters(golden: &Golden, report: &mut Report, case: &str, kinds: &[&str], parameters: &StateDict) {
    for kind in kinds {
        let prefix = format!("{case}/{kind}/");
        for name in golden.names(&prefix) {
            let entry = golden.entry(name);
            if entry["ill_conditioned"] == true {
                continue;
            }
            let key = &name[prefix.len()..];
            let actual = parameters.get(key).unwrap_or_else(|| panic!("no parameter {key}"));
            // A gradient of rounding size moves a parameter by the whole rate, in either direction.
            let gradient = (entry["adam_sign_flip"] == true).then(|| golden.data(&format!("{case}/grad/{key}")));
            let gradient: Option<Vec<f64>> = gradient.map(|gradient: &TensorData| gradient.iter::<f64>().collect());
            let largest = gradient.iter().flatten().fold(0.0, |max: f64, value| max.max(value.abs()));
            report.compare_where(golden, name, actual, |i| {
                gradient.as_ref().is_none_or(|gradient| gradient[i].abs() > 1e-4 * largest)
            });
        }
    }
}
