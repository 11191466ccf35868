//! Stage 1: regions, background, flow, encoder, decoder, and the whole pipeline from noise to frames.

use burn::tensor::{Device, Tensor};
use lfdm::config::LfdmConfig;
use lfdm::diffusion::{DdimTimes, Denoiser, MotionCodec, Sampler, Trajectory};
use lfdm::lfae::{LatentFlowAutoencoder, Regions, official_key};
use lfdm::motion::Motion;
use lfdm::tensor::{anti_alias, coordinate_grid, resize, upsample_nearest, warp};
use lfdm::weights::load_module;

use crate::golden::{Golden, Report};
use crate::units::{compare_axes, compare_factors};

pub(crate) fn compare(golden: &Golden, report: &mut Report) {
    let device = Device::flex();
    geometry(golden, report, &device);
    let config = LfdmConfig::from_official(&golden.yaml(), 1).unwrap();
    let weights = golden.weights.clone().filter(|key| !key.starts_with("diffusion."));
    let model = load_module(config.lfae.init(&device), &weights, &official_key).unwrap();
    // Folded batch norms are what inference uses; both forms must be the official model.
    for model in [model.clone(), model.fold_batch_norm()] {
        for case in ["lfae/c0", "lfae/nonsquare"] {
            reconstruction(golden, report, &model, case, &device);
        }
        frames_from_flow(golden, report, &model, &device);
        frames_from_noise(golden, report, &model, &device);
    }
}

fn geometry(golden: &Golden, report: &mut Report, device: &Device) {
    for scale in golden.parts("units/aa/").into_iter().filter(|part| part.parse::<f64>().is_ok()) {
        for (input, output) in [("x", "y"), ("x_odd", "y_odd")] {
            let [batch, channels, _, height, width] = golden.tensor::<5>(&format!("units/aa/{input}"), device).dims();
            let image = golden.tensor::<5>(&format!("units/aa/{input}"), device);
            let image = image.reshape([batch, channels, height, width]);
            let expected = format!("units/aa/{scale}/{output}");
            report.compare(golden, &expected, anti_alias(image, scale.parse().unwrap()));
        }
    }
    for name in golden.names("units/coordgrid_") {
        report.compare(golden, name, coordinate_grid(sides(name), device));
    }

    let image: Tensor<4> = golden.tensor("units/sample/im", device);
    let [batch, _, height, width] = image.dims();
    report.compare(golden, "units/sample/zeros", warp(image.clone(), golden.tensor("units/sample/grid", device)));
    let identity = coordinate_grid([height, width], device).unsqueeze::<4>().repeat_dim(0, batch);
    report.compare(golden, "units/sample/identity_grid", warp(image.clone(), identity));
    for name in golden.names("units/interp/").into_iter().filter(|name| name.contains('x')) {
        report.compare(golden, name, resize(image.clone(), sides(name)));
    }
    report.compare(golden, "units/interp/nearest2", upsample_nearest(image));
}

/// Height and width at the end of a name: `coordgrid_5x7`.
fn sides(name: &str) -> [usize; 2] {
    let (_, size) = name.rsplit_once('_').unwrap();
    let (height, width) = size.split_once('x').unwrap();
    [height.parse().unwrap(), width.parse().unwrap()]
}

/// One frame driven by another, with every intermediate result that has a name.
fn reconstruction(golden: &Golden, report: &mut Report, model: &LatentFlowAutoencoder, case: &str, device: &Device) {
    let video: Tensor<5> = golden.tensor(&format!("{case}/video"), device);
    let source = frame(video.clone(), 0);
    let estimate = model.estimate(source.clone(), frame(video, 1));
    for (side, regions) in [("source_region", &estimate.source), ("driving_region", &estimate.driving)] {
        let Regions { shift, heatmap, covariance, affine } = regions;
        let name = |what: &str| format!("{case}/{side}/{what}");
        report.compare(golden, &name("shift"), shift.clone());
        report.compare(golden, &name("heatmap"), heatmap.clone());
        if let (Some(covariance), Some(affine)) = (covariance, affine) {
            report.compare(golden, &name("covar"), covariance.to_tensor());
            compare_axes(golden, report, &name("affine"), affine);
            if golden.has(&name("u")) {
                compare_factors(golden, report, affine, [&name("u"), &name("d")]);
            }
        }
    }

    // The taps exist for some cases only, the results for all.
    let mut check = |name: &str, actual: Tensor<5>| {
        let name = format!("{case}/{name}");
        if golden.has(&name) || name.contains("/generator/") {
            report.compare(golden, &name, actual);
        }
    };
    let predictor = &model.flow_predictor.region_predictor;
    let yaml = golden.yaml();
    let scale = |path: &[&str]| {
        let section = path.iter().fold(&yaml["model_params"], |value, key| &value[key]);
        section["scale_factor"].as_f64().unwrap_or(1.0)
    };
    let small = anti_alias(source.clone(), scale(&["region_predictor_params"]));
    let feature_map = predictor.predictor.forward(small.clone());
    check("region/down", small.unsqueeze());
    check("region/logits", predictor.regions.forward(feature_map.clone()).unsqueeze());
    check("region/feature_map", feature_map.unsqueeze());

    let down = anti_alias(source.clone(), scale(&["generator_params", "pixelwise_flow_predictor_params"]));
    check("pfp/down", down.unsqueeze());
    check("bg_params", estimate.background.unsqueeze());
    check("pfp/heatmap", estimate.taps.heatmaps.unsqueeze());
    if golden.has(&format!("{case}/pfp/sparse_motion_nobg")) {
        let flow_predictor = &model.flow_predictor.pixelwise;
        let (_, taps) = flow_predictor.forward(source.clone(), &estimate.source, &estimate.driving, None);
        check("pfp/sparse_motion_nobg", taps.sparse_motions.narrow(1, 0, 1));
    }
    check("pfp/sparse_motion", estimate.taps.sparse_motions);
    if let Some(deformed) = estimate.taps.deformed {
        check("pfp/deformed_source", deformed);
    }
    check("pfp/mask", estimate.taps.mask.unsqueeze());
    if let Some(logits) = estimate.taps.occlusion_logits {
        check("pfp/occlusion_logits", logits.unsqueeze());
        check("generator/occlusion_map", estimate.motion.occlusion.clone().unsqueeze());
    }
    check("generator/optical_flow", estimate.motion.flow.clone().unsqueeze());

    let features = model.encode(source.clone());
    check("stages/first", features.levels()[0].clone().narrow(0, 0, 1).unsqueeze());
    check("generator/bottle_neck_feat", features.latent().unsqueeze());
    let deformed = model.generator.deform(&source, &estimate.motion);
    let decoded = model.decode(source, &features, &estimate.motion);
    check("generator/deformed", deformed.unsqueeze());
    check("generator/prediction", decoded.prediction.unsqueeze());
}

/// `compute_fea` and `forward_with_flow`: the decoder on a given motion.
fn frames_from_flow(golden: &Golden, report: &mut Report, model: &LatentFlowAutoencoder, device: &Device) {
    if !golden.has("lfae/c0/fwf/flow") {
        assert!(!golden.is_full());
        return;
    }
    let source = frame(golden.tensor("lfae/c0/video", device), 0);
    let features = model.encode(source.clone());
    report.compare(golden, "lfae/c0/compute_fea", features.latent());
    let motion =
        Motion { flow: golden.tensor("lfae/c0/fwf/flow", device), occlusion: golden.tensor("lfae/c0/fwf/occ", device) };
    report.compare(golden, "lfae/c0/fwf/deformed", model.generator.deform(&source, &motion));
    let mut tap = |name: &str, value: &Tensor<4>| {
        let name = format!("lfae/c0/fwf/taps/{name}");
        if golden.has(&name) {
            report.compare(golden, &name, value.clone().narrow(0, 0, 1));
        }
    };
    let decoded = model.generator.decode_with(source, &features, &motion, &mut tap);
    report.compare(golden, "lfae/c0/fwf/prediction", decoded.prediction);
}

/// The official `sample_one_video`: the reference encoded once, the sampled motion decoded frame by frame.
fn frames_from_noise(golden: &Golden, report: &mut Report, model: &LatentFlowAutoencoder, device: &Device) {
    if !golden.is_full() {
        return;
    }
    let reference = frame(golden.tensor("dm/pipeline/image", device), 0);
    let features = model.encode(reference.clone());
    report.compare(golden, "dm/pipeline/sample_img_fea", features.latent());

    let Pipeline { steps, eta, scale, stride } = Pipeline::of(golden);
    let diffusion = crate::dm::model(golden, 1000, device);
    let condition = golden.tensor::<2>("dm/unet/cond", device).narrow(0, 0, 1);
    let sampler = Sampler::Ddim { eta, times: DdimTimes::Official };
    let mut trajectory = Trajectory::new(sampler.updates(diffusion.schedule(), steps));
    let frames = golden.data("dm/pipeline/noise0").shape()[2];
    let denoiser = Denoiser::new(&diffusion, features.latent(), condition, &trajectory.times(), frames, scale);
    let sampled = crate::dm::walk(golden, "dm/pipeline", &mut trajectory, &denoiser, device, &mut |_, _| {});
    let [_, _, _, height, width] = sampled.dims();
    let residual = golden.manifest["config"]["use_residual_flow"].as_bool().unwrap();
    let motion = MotionCodec::official([height, width], residual, device).decode(sampled);
    report.compare(golden, "dm/pipeline/sample_vid_grid", motion.flow.clone().permute([3, 0, 1, 2]).unsqueeze::<5>());
    report.compare(
        golden,
        "dm/pipeline/sample_vid_conf",
        motion.occlusion.clone().permute([1, 0, 2, 3]).unsqueeze::<5>(),
    );

    let warped = model.generator.deform(&reference, &motion);
    let decoded = model.decode(reference, &features, &motion);
    let video = |images: Tensor<4>| {
        let kept = (0..frames).step_by(stride).map(|index| images.clone().narrow(0, index, 1)).collect();
        Tensor::cat(kept, 0).permute([1, 0, 2, 3]).unsqueeze::<5>()
    };
    report.compare(golden, "dm/pipeline/sample_out_vid", video(decoded.prediction));
    report.compare(golden, "dm/pipeline/sample_warped_vid", video(warped));
}

/// How the manifest says the pipeline was called.
struct Pipeline {
    steps: usize,
    eta: f64,
    scale: f64,
    /// The set holds every `stride`-th frame.
    stride: usize,
}

impl Pipeline {
    fn of(golden: &Golden) -> Self {
        let info = golden.manifest["info"]["dm/pipeline"].as_str().unwrap();
        let number = |before: &str| -> f64 {
            let (_, behind) = info.split_once(before).unwrap_or_else(|| panic!("no `{before}` in: {info}"));
            let end = behind.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(behind.len());
            behind[..end].parse().unwrap()
        };
        let frames = golden.data("dm/pipeline/noise0").shape()[2];
        let kept = golden.data("dm/pipeline/sample_out_vid").shape()[2];
        Self {
            steps: number("DDIM ") as usize,
            eta: number("eta="),
            scale: number("cond_scale="),
            stride: (1..frames).find(|stride| frames.div_ceil(*stride) == kept).unwrap_or(1),
        }
    }
}

/// Frame `index` of `[batch, channels, frames, height, width]`.
fn frame(video: Tensor<5>, index: usize) -> Tensor<4> {
    let [batch, channels, _, height, width] = video.dims();
    video.narrow(2, index, 1).reshape([batch, channels, height, width])
}
