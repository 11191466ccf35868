//! Stage 1: regions, background, flow, encoder, decoder, and the whole pipeline from noise to frames.

use burn::tensor::{Device, Tensor};
use lfdm::config::LfdmConfig;
use lfdm::diffusion::{DdimTimes, MotionCodec, Sampler, Trajectory};
use lfdm::lfae::{LatentFlowAutoencoder, Motion, Regions, official_key};
use lfdm::tensor::{anti_alias, coordinate_grid, resize, upsample_nearest, warp};
use lfdm::weights::load_module;

use crate::golden::{Golden, Report};

pub fn compare(golden: &Golden, report: &mut Report) {
    let device = Device::flex();
    geometry(golden, report, &device);
    let config = LfdmConfig::from_official(&golden.yaml(), 10).unwrap();
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
    for scale in ["0.5", "0.25", "0.125"] {
        for (input, output) in [("x", "y"), ("x_odd", "y_odd")] {
            let [batch, channels, _, height, width] = golden.tensor::<5>(&format!("units/aa/{input}"), device).dims();
            let image = golden.tensor::<5>(&format!("units/aa/{input}"), device);
            let image = image.reshape([batch, channels, height, width]);
            let expected = format!("units/aa/{scale}/{output}");
            report.compare(golden, &expected, anti_alias(image, scale.parse().unwrap()));
        }
    }
    report.compare(golden, "units/coordgrid_5x7", coordinate_grid([5, 7], device));

    let image: Tensor<4> = golden.tensor("units/sample/im", device);
    let [batch, _, height, width] = image.dims();
    report.compare(golden, "units/sample/zeros", warp(image.clone(), golden.tensor("units/sample/grid", device)));
    let identity = coordinate_grid([height, width], device).unsqueeze::<4>().repeat_dim(0, batch);
    report.compare(golden, "units/sample/identity_grid", warp(image.clone(), identity));
    report.compare(golden, "units/interp/up_28x36", resize(image.clone(), [28, 36]));
    report.compare(golden, "units/interp/odd_11x13", resize(image.clone(), [11, 13]));
    report.compare(golden, "units/interp/nearest2", upsample_nearest(image));
}

/// One frame driven by another, with every intermediate result that has a name.
fn reconstruction(golden: &Golden, report: &mut Report, model: &LatentFlowAutoencoder, case: &str, device: &Device) {
    let video: Tensor<5> = golden.tensor(&format!("{case}/video"), device);
    let source = frame(video.clone(), 0);
    let estimate = model.estimate(source.clone(), frame(video, 1));
    // The taps exist for some cases only, the results for all.
    let mut check = |name: &str, actual: Tensor<5>| {
        let name = format!("{case}/{name}");
        if golden.has(&name) || !name.contains("/pfp/") {
            report.compare(golden, &name, actual);
        }
    };
    for (name, regions) in [("source_region", &estimate.source), ("driving_region", &estimate.driving)] {
        let Regions { shift, heatmap, covariance, affine } = regions;
        check(&format!("{name}/shift"), shift.clone().unsqueeze());
        check(&format!("{name}/heatmap"), heatmap.clone().unsqueeze());
        check(&format!("{name}/covar"), covariance.as_ref().unwrap().to_tensor().unsqueeze());
        // Axes have no sign: each column is compared by the sign of the official one.
        let affine = affine.as_ref().unwrap().to_tensor();
        let official: Tensor<4> = golden.tensor(&format!("{case}/{name}/affine"), device);
        let sign = (affine.clone() * official).sum_dim(2).sum_dim(3).sign();
        check(&format!("{name}/affine"), (affine * sign).unsqueeze());
    }
    check("bg_params", estimate.background.unsqueeze());
    check("pfp/heatmap", estimate.taps.heatmaps.unsqueeze());
    check("pfp/sparse_motion", estimate.taps.sparse_motions);
    check("pfp/deformed_source", estimate.taps.deformed.unwrap());
    check("pfp/mask", estimate.taps.mask.unsqueeze());
    check("pfp/occlusion_logits", estimate.taps.occlusion_logits.unwrap().unsqueeze());
    check("generator/optical_flow", estimate.motion.flow.clone().unsqueeze());
    check("generator/occlusion_map", estimate.motion.occlusion.clone().unsqueeze());

    let features = model.encode(source.clone());
    check("generator/bottle_neck_feat", features.latent().unsqueeze());
    let decoded = model.decode(source, &features, &estimate.motion);
    check("generator/deformed", decoded.deformed.unsqueeze());
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
    let decoded = model.decode(source, &features, &motion);
    report.compare(golden, "lfae/c0/fwf/deformed", decoded.deformed);
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

    let diffusion = crate::dm::model(golden, 1000, device);
    let condition = golden.tensor::<2>("dm/unet/cond", device).narrow(0, 0, 1);
    let sampler = Sampler::Ddim { eta: 1.0, times: DdimTimes::Official };
    let mut trajectory = Trajectory::new(sampler.updates(diffusion.schedule(), 10));
    let denoiser = diffusion.denoiser(features.latent(), condition, &trajectory.times(), 10, 1.0);
    let sampled = crate::dm::walk(golden, "dm/pipeline", &mut trajectory, &denoiser, device, &mut |_, _| {});
    let [_, _, frames, height, width] = sampled.dims();
    report.compare(golden, "dm/pipeline/sample_vid_grid", sampled.clone().narrow(1, 0, 2));
    let residual = golden.manifest["config"]["use_residual_flow"].as_bool().unwrap();
    let motion = MotionCodec::official([height, width], residual, device).decode(sampled);

    let decoded = model.decode(reference, &features, &motion);
    // The set holds every third frame.
    let video = |images: Tensor<4>| {
        let kept = (0..frames).step_by(3).map(|index| images.clone().narrow(0, index, 1)).collect();
        Tensor::cat(kept, 0).permute([1, 0, 2, 3]).unsqueeze::<5>()
    };
    report.compare(golden, "dm/pipeline/sample_out_vid", video(decoded.prediction));
    report.compare(golden, "dm/pipeline/sample_warped_vid", video(decoded.deformed));
}

/// Frame `index` of `[batch, channels, frames, height, width]`.
fn frame(video: Tensor<5>, index: usize) -> Tensor<4> {
    let [batch, channels, _, height, width] = video.dims();
    video.narrow(2, index, 1).reshape([batch, channels, height, width])
}
