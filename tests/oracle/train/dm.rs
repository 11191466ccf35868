//! Stage 2: diffusion loss, condition dropout, gradients, and whole optimisation steps from a video on.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use lfdm::config::LfdmConfig;
use lfdm::diffusion::{DiffusionModel, MotionCodec, official_key};
use lfdm::lfae::LatentFlowAutoencoder;
use lfdm::motion::Motion;
use lfdm::weights::{StateDict, collect_gradients, collect_module, load_module};

use super::{DM_BETAS, LEARNING_RATE, adam, compare_gradients, compare_parameters};
use crate::golden::{Golden, Report};

const GRADIENT_ORDER: &str = "train/dm/gradnorm_order";

pub(crate) fn compare(golden: &Golden, report: &mut Report, device: &Device) {
    losses(golden, report, device);
    optimisation(golden, report, device);
}

/// `p_losses`: one loss, and its gradients, per way of dropping the condition.
fn losses(golden: &Golden, report: &mut Report, device: &Device) {
    let info = golden.manifest["info"]["train/dm/plosses"].as_str().unwrap();
    let tensor = |name: &str| golden.tensor::<5>(&format!("train/dm/plosses/{name}"), device);
    let (x0, noise) = (tensor("x0"), tensor("noise"));
    let latent = golden.tensor::<4>("train/dm/plosses/fea", device);
    let times = golden.whole("train/dm/plosses/t");
    let suffix = "/loss";
    for name in golden.names("train/dm/plosses/").into_iter().filter(|name| name.ends_with(suffix)) {
        let case = name.strip_suffix(suffix).unwrap();
        let label = case.rsplit('/').next().unwrap();
        let texts = texts(info, &format!("{label}=["));
        // The probability stands behind the texts of the case that draws.
        let (_, behind) = info.split_once(&format!("{label}=[")).unwrap();
        let model = model(golden, probability(behind), device);
        let null = null_rows(golden, report, case, &texts, &model);

        let x = model.q_sample(x0.clone(), noise.clone(), &times);
        let output = model.predict(x.clone(), latent.clone(), condition(golden, &texts, device), &times, &null);
        let loss = model.error(output.clone(), x0.clone(), noise.clone(), &times);
        report.compare(golden, name, loss.clone());
        let estimate = format!("{case}/pred_x0");
        if golden.has(&estimate) {
            report.compare(golden, &estimate, model.clean_estimate(&x, output, &times));
        }
        let gradients = collect_gradients(&model, &loss.backward(), &official_key).sub("denoise_fn");
        compare_gradients(golden, report, case, GRADIENT_ORDER, &gradients);
    }
}

/// `optimize_parameters`: from a video to the parameters after a step of Adam, with what the reconstruction looks like.
fn optimisation(golden: &Golden, report: &mut Report, device: &Device) {
    let info = golden.manifest["info"]["train/dm/full"].as_str().unwrap();
    let texts = texts(info, "texts [");
    let inner = Device::flex();
    let lfae = autoencoder(golden, &inner);
    let video: Tensor<5> = golden.tensor("train/dm/full/video", &inner);
    let [batch, channels, frames, height, width] = video.dims();
    let pictures = video.permute([0, 2, 1, 3, 4]).reshape([batch * frames, channels, height, width]);
    let reference = Tensor::cat((0..batch).map(|clip| pictures.clone().narrow(0, clip * frames, 1)).collect(), 0);
    let sources = repeat_rows(&reference, frames);
    let features = lfae.encode(reference);
    let real = lfae.estimate_motion(sources.clone(), pictures.clone());
    let [_, rows, columns, _] = real.flow.dims();
    let residual = golden.manifest["config"]["use_residual_flow"].as_bool().unwrap();
    let codec = MotionCodec::official([rows, columns], residual, &inner);
    let x0 = Tensor::<5>::from_data(codec.encode(&real, batch).into_data(), device);
    let latent = Tensor::<4>::from_data(features.latent().into_data(), device);
    let source_features = lfae.encode(sources.clone());

    let mut model = model(golden, probability(info), device);
    let mut optimizer = adam(DM_BETAS);
    for step in 0.. {
        let case = format!("train/dm/full/step{step}");
        let name = |what: &str| format!("{case}/{what}");
        if !golden.has(&name("loss")) {
            assert!(step > 0, "the set has no {case}");
            break;
        }
        let times = golden.whole(&name("randint0"));
        let noise = golden.tensor::<5>(&name("noise1"), device);
        let null = null_rows(golden, report, &case, &texts, &model);
        let x = model.q_sample(x0.clone(), noise.clone(), &times);
        let output = model.predict(x.clone(), latent.clone(), condition(golden, &texts, device), &times, &null);
        let loss = model.error(output.clone(), x0.clone(), noise, &times);
        report.compare(golden, &name("loss"), loss.clone());

        let fake = codec.decode(model.clean_estimate(&x, output, &times).inner());
        let decoded = lfae.decode(sources.clone(), &source_features, &fake);
        let distance = |picture: &Tensor<4>| (picture.clone() - pictures.clone()).abs().mean();
        report.compare(golden, &name("rec_loss"), distance(&decoded.prediction));
        report.compare(golden, &name("rec_warp_loss"), distance(&lfae.generator.deform(&sources, &fake)));
        if golden.has(&name("real_vid_grid")) {
            report.compare(golden, &name("ref_img_fea"), features.latent());
            for (kind, motion) in [("real", &real), ("fake", &fake)] {
                let (grid, confidence) = videos(motion, batch);
                report.compare(golden, &name(&format!("{kind}_vid_grid")), grid);
                report.compare(golden, &name(&format!("{kind}_vid_conf")), confidence);
                let out = lfae.decode(sources.clone(), &source_features, motion).prediction;
                let prefix = name(&format!("{kind}_out_vid_f"));
                for name in golden.names(&prefix) {
                    let frame: usize = name[prefix.len()..].parse().unwrap();
                    let rows = (0..batch).map(|clip| out.clone().narrow(0, clip * frames + frame, 1));
                    report.compare(golden, name, Tensor::cat(rows.collect(), 0));
                }
            }
        }

        let backward = loss.backward();
        let gradients = collect_gradients(&model, &backward, &official_key).sub("denoise_fn");
        compare_gradients(golden, report, &case, GRADIENT_ORDER, &gradients);
        let parameters = GradientsParams::from_grads(backward, &model);
        model = optimizer.step(LEARNING_RATE, model, parameters);
        let parameters = collect_module(&model.valid(), &official_key).sub("denoise_fn");
        compare_parameters(golden, report, &case, &gradients, &parameters);
    }
}

/// The model, which drops conditions with `probability`.
fn model(golden: &Golden, probability: f64, device: &Device) -> DiffusionModel {
    let mut config = crate::dm::config(golden, 1000);
    config.null_condition_probability = probability;
    let weights: StateDict = golden.weights.sub("diffusion").filter(|key| key.starts_with("denoise_fn."));
    load_module(config.init(crate::dm::latent_channels(golden), device), &weights, &official_key).unwrap()
}

fn autoencoder(golden: &Golden, device: &Device) -> LatentFlowAutoencoder {
    let config = LfdmConfig::from_official(&golden.yaml(), 1).unwrap().lfae;
    let weights = golden.weights.clone().filter(|key| !key.starts_with("diffusion."));
    load_module(config.init(device), &weights, &lfdm::lfae::official_key).unwrap()
}

/// Which samples lose their condition: those whose text is "None", and those that the recorded draw says.
fn null_rows(golden: &Golden, report: &mut Report, case: &str, texts: &[&str], model: &DiffusionModel) -> Vec<bool> {
    let draws = format!("{case}/null_uniform0");
    let drawn = |row: usize| {
        golden.has(&draws) && model.config().drops_condition(golden.data(&draws).iter::<f64>().nth(row).unwrap())
    };
    let rows: Vec<bool> = texts.iter().enumerate().map(|(row, &text)| text == "None" || drawn(row)).collect();
    let values: Vec<f64> = rows.iter().map(|&row| f64::from(row)).collect();
    report.compare_list(golden, &format!("{case}/null_cond_mask"), &values);
    rows
}

/// The recorded embeddings of `texts`, `[texts, condition_dim]`.
fn condition(golden: &Golden, texts: &[&str], device: &Device) -> Tensor<2> {
    let embedding = |text: &&str| golden.tensor::<1>(&format!("train/dm/emb_{text}"), device).unsqueeze::<2>();
    Tensor::cat(texts.iter().map(embedding).collect(), 0)
}

/// The list of quoted words that follows `before` in a description.
fn texts<'a>(info: &'a str, before: &str) -> Vec<&'a str> {
    let (_, behind) = info.split_once(before).unwrap_or_else(|| panic!("no `{before}` in: {info}"));
    let (list, _) = behind.split_once(']').unwrap();
    list.split(',').map(|word| word.trim().trim_matches('\'')).collect()
}

/// The number that follows `null_cond_prob` in a description; nothing is dropped where there is none.
fn probability(info: &str) -> f64 {
    let Some((_, behind)) = info.split_once("null_cond_prob") else { return 0.0 };
    let number = behind.trim_start_matches([' ', '=']);
    let end = number.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(number.len());
    number[..end].parse().unwrap_or_else(|error| panic!("`{}`: {error}", &number[..end]))
}

/// Every image `count` times in a row.
fn repeat_rows(images: &Tensor<4>, count: usize) -> Tensor<4> {
    let [batch, channels, height, width] = images.dims();
    images.clone().unsqueeze_dim::<5>(1).repeat_dim(1, count).reshape([batch * count, channels, height, width])
}

/// Flow and occlusion as videos, `[batch, 2 or 1, frames, height, width]`.
fn videos(motion: &Motion, batch: usize) -> (Tensor<5>, Tensor<5>) {
    let [n, height, width, _] = motion.flow.dims();
    let frames = n / batch;
    let grid = motion.flow.clone().reshape([batch, frames, height, width, 2]).permute([0, 4, 1, 2, 3]);
    let confidence = motion.occlusion.clone().reshape([batch, frames, 1, height, width]).swap_dims(1, 2);
    (grid, confidence)
}
