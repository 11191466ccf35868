//! Training: thin-plate transforms, the perceptual pyramid, losses, gradients and optimiser steps of both stages.

mod dm;
mod lfae;

use burn::module::{Module, Param};
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor};
use lfdm::native::train::multi_step;
use lfdm::weights::StateDict;

use crate::golden::{Golden, Report};

/// Adam of the official training, both stages but for the momenta.
const LEARNING_RATE: f64 = 2e-4;
const LFAE_BETAS: (f32, f32) = (0.5, 0.999);
const DM_BETAS: (f32, f32) = (0.9, 0.99);

/// Elements with a gradient of rounding size, against the largest: Adam moves them by the whole rate, in either
/// direction.
const ROUNDING: f64 = 1e-4;

pub(crate) fn compare(golden: &Golden, report: &mut Report) {
    let device = Device::flex().autodiff();
    if golden.has("units/adam/p0") {
        optimizer(golden, report, &device);
    }
    if golden.has("train/lfae/video") {
        lfae::compare(golden, report, &device);
    }
    if golden.has("train/dm/plosses/x0") {
        dm::compare(golden, report, &device);
    }
}

fn adam((beta_1, beta_2): (f32, f32)) -> ModuleOptimizer {
    AdamConfig::new().with_beta_1(beta_1).with_beta_2(beta_2).with_epsilon(1e-8).init()
}

/// Steps on given gradients, with the official schedule.
fn optimizer(golden: &Golden, report: &mut Report, device: &Device) {
    #[derive(Module, Debug)]
    struct Point {
        place: Param<Tensor<2>>,
    }
    for (case, betas) in [("lfae", LFAE_BETAS), ("dm", DM_BETAS)] {
        let tensor = |name: &str| golden.tensor::<2>(&format!("units/adam/{name}"), device);
        let mut point = Point { place: Param::from_tensor(tensor("p0").require_grad()) };
        let mut optimizer = adam(betas);
        for step in 0..golden.names("units/adam/g").len() as u64 {
            // A linear loss has the gradient that is wanted.
            let loss = (point.place.val() * tensor(&format!("g{step}"))).sum();
            let gradients = GradientsParams::from_grads(loss.backward(), &point);
            point = optimizer.step(multi_step(LEARNING_RATE, &[1, 3], step), point, gradients);
            report.compare(golden, &format!("units/adam/{case}/p{}", step + 1), point.place.val());
        }
    }
}

/// Single gradients, and the norms of all in the order that the manifest gives.
fn compare_gradients(golden: &Golden, report: &mut Report, case: &str, order: &str, gradients: &StateDict) {
    let find = |key: &str| gradients.get(key).unwrap_or_else(|| panic!("no gradient of {key}"));
    let prefix = format!("{case}/grad/");
    for name in golden.names(&prefix) {
        report.compare_data(golden, name, find(&name[prefix.len()..]));
    }
    let norms = format!("{case}/gradnorms");
    if golden.has(&norms) {
        let order = golden.manifest["info"][order].as_array().unwrap();
        let norm = |key: &serde_json::Value| {
            find(key.as_str().unwrap()).iter::<f64>().map(|value| value * value).sum::<f64>().sqrt()
        };
        report.compare_list(golden, &norms, &order.iter().map(norm).collect::<Vec<_>>());
    }
}

/// Parameters and running statistics after a step with `gradients`.
fn compare_parameters(golden: &Golden, report: &mut Report, case: &str, gradients: &StateDict, parameters: &StateDict) {
    for kind in ["after", "after_bn"] {
        let prefix = format!("{case}/{kind}/");
        for name in golden.names(&prefix) {
            let key = &name[prefix.len()..];
            let actual = parameters.get(key).unwrap_or_else(|| panic!("no parameter {key}"));
            let flips = golden.entry(name)["adam_sign_flip"] == true;
            let gradient: Option<Vec<f64>> =
                flips.then(|| gradients.get(key).unwrap().iter::<f64>().map(f64::abs).collect());
            let largest = gradient.iter().flatten().fold(0.0, |max: f64, &value| max.max(value));
            report.compare_where(golden, name, actual, |i| {
                gradient.as_ref().is_none_or(|gradient| gradient[i] > ROUNDING * largest)
            });
        }
    }
}
