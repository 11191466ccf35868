//! The diffusion model: parts, whole forward passes, sampling trajectories, training loss.

use burn::tensor::module::layer_norm;
use burn::tensor::{Device, Int, Tensor, TensorData};
use lfdm::config::{Diffused, DiffusionConfig, Parameterization, ScheduleKind, Threshold, UnetConfig, Upsampling};
use lfdm::diffusion::attention::{FrameTables, MAX_DISTANCE, relative_bucket, rotary_frequencies};
use lfdm::diffusion::unet::sinusoids;
use lfdm::diffusion::{
    DdimTimes, Denoise, Denoiser, DiffusionModel, Estimate, MotionCodec, NoiseSchedule, Sampler, Trajectory,
    clean_and_noise, official_key, threshold,
};
use lfdm::kernels::Convolution;
use lfdm::kernels::attention::NORM_EPSILON;
use lfdm::weights::{collect_module, load_module};

use crate::golden::{Golden, Report};

pub(crate) fn compare(golden: &Golden, report: &mut Report) {
    let device = Device::flex();
    let model = model(golden, 1000, &device);
    schedules(golden, report);
    ddim_times(golden);
    diffusion_formulas(golden, report, &device);
    parts(golden, report, &model, &device);
    steps_from_golden_outputs(golden, report, &device);
    if golden.is_full() {
        forward_passes(golden, report, &model, &device);
        single_steps(golden, report, &model, &device);
        trajectories(golden, report, &model, &device);
    }
}

/// The configuration that the official code hard-codes or takes as arguments.
pub(crate) fn config(golden: &Golden, timesteps: usize) -> DiffusionConfig {
    let settings = &golden.manifest["config"];
    let number = |field: &str| settings[field].as_u64().unwrap() as usize;
    DiffusionConfig {
        unet: UnetConfig {
            diffused: Diffused::Motion,
            dim: number("dim"),
            dim_mults: settings["dim_mults"].as_array().unwrap().iter().map(|m| m.as_u64().unwrap() as usize).collect(),
            heads: number("attn_heads"),
            head_dim: number("attn_dim_head"),
            groups: 8,
            init_kernel: 7,
            condition_dim: number("bert"),
            learned_null_condition: settings["learn_null_cond"].as_bool().unwrap(),
            upsampling: match (settings["use_deconv"].as_bool().unwrap(), settings["padding_mode"].as_str().unwrap()) {
                (true, _) => Upsampling::Deconvolution,
                (false, "reflect") => Upsampling::NearestReflect,
                (false, _) => Upsampling::NearestZeros,
            },
        },
        timesteps,
        schedule: ScheduleKind::Cosine,
        parameterization: Parameterization::Epsilon,
        threshold: Threshold::Dynamic { quantile: 0.9, bound: 1.0 },
        null_condition_probability: settings["null_cond_prob"].as_f64().unwrap(),
        guidance_interval: [0.0, 1.0],
        detail_guidance: 1.0,
        affine_guidance: 1.0,
        consistency: false,
    }
}

/// The model with the set's weights. A small set lacks some: what they feed is not compared.
pub(crate) fn model(golden: &Golden, timesteps: usize, device: &Device) -> DiffusionModel {
    let model = config(golden, timesteps).init(latent_channels(golden), device);
    let mut weights = golden.weights.sub("diffusion").filter(|key| key.starts_with("denoise_fn."));
    if !golden.is_full() {
        let mut complete = collect_module(&model, &official_key);
        complete.merge(weights);
        weights = complete;
    }
    load_module(model, &weights, &official_key).unwrap()
}

/// Channels of the reference latent.
pub(crate) fn latent_channels(golden: &Golden) -> usize {
    golden.manifest["config"]["feature_channels"].as_u64().unwrap() as usize
}

fn schedules(golden: &Golden, report: &mut Report) {
    for timesteps in golden.parts("dm/sched") {
        let timesteps: usize = timesteps.parse().unwrap();
        let schedule = NoiseSchedule::new(ScheduleKind::Cosine, timesteps);
        let buffers: [(&str, &dyn Fn(usize) -> f64); 12] = [
            ("betas", &|t| schedule.beta(t)),
            ("alphas_cumprod", &|t| schedule.alpha_cumprod(t)),
            ("alphas_cumprod_prev", &|t| schedule.alpha_cumprod_prev(t)),
            ("sqrt_alphas_cumprod", &|t| schedule.alpha_cumprod(t).sqrt()),
            ("sqrt_one_minus_alphas_cumprod", &|t| (1.0 - schedule.alpha_cumprod(t)).sqrt()),
            ("log_one_minus_alphas_cumprod", &|t| (1.0 - schedule.alpha_cumprod(t)).ln()),
            ("sqrt_recip_alphas_cumprod", &|t| schedule.alpha_cumprod(t).recip().sqrt()),
            ("sqrt_recipm1_alphas_cumprod", &|t| (schedule.alpha_cumprod(t).recip() - 1.0).sqrt()),
            ("posterior_variance", &|t| schedule.posterior_variance(t)),
            ("posterior_log_variance_clipped", &|t| schedule.posterior_log_variance(t)),
            ("posterior_mean_coef1", &|t| schedule.posterior_mean(t).0),
            ("posterior_mean_coef2", &|t| schedule.posterior_mean(t).1),
        ];
        for (name, buffer) in buffers {
            let values: Vec<f64> = (0..timesteps).map(buffer).collect();
            report.compare_list(golden, &format!("dm/sched{timesteps}/{name}"), &values);
        }
    }
}

/// `T1000_S10: [909, ..., 90, 0]`: the times, and the zero at which sampling ends.
fn ddim_times(golden: &Golden) {
    let table = golden.manifest["ddim_times"].as_object().into_iter().flatten();
    for (case, times) in table {
        let (timesteps, steps) = case.trim_start_matches('T').split_once("_S").unwrap();
        let schedule = NoiseSchedule::new(ScheduleKind::Cosine, timesteps.parse().unwrap());
        let sampler = Sampler::Ddim { eta: 1.0, times: DdimTimes::Official };
        let updates = sampler.updates(&schedule, steps.parse().unwrap());
        let found: Vec<u64> = updates.iter().map(|update| update.time as u64).chain([0]).collect();
        assert_eq!(
            times.as_array().unwrap().iter().map(|time| time.as_u64().unwrap()).collect::<Vec<_>>(),
            found,
            "{case}"
        );
    }
}

fn diffusion_formulas(golden: &Golden, report: &mut Report, device: &Device) {
    let schedule = NoiseSchedule::new(ScheduleKind::Cosine, 1000);
    let x0 = golden.tensor::<5>("dm/diff/x0", device);
    let noise = golden.tensor::<5>("dm/diff/noise", device);
    let times = golden.whole("dm/diff/t");
    let model = model(golden, 1000, device);
    report.compare(golden, "dm/diff/q_sample", model.q_sample(x0.clone(), noise.clone(), &times));

    let row = |x: &Tensor<5>, index: usize| x.clone().narrow(0, index, 1);
    let per_sample = |formula: &dyn Fn(usize, usize) -> Tensor<5>| {
        Tensor::cat(times.iter().enumerate().map(|(index, &time)| formula(index, time)).collect(), 0)
    };
    let start = per_sample(&|index, time| {
        clean_and_noise(Parameterization::Epsilon, &row(&x0, index), row(&noise, index), schedule.alpha_cumprod(time)).0
    });
    report.compare(golden, "dm/diff/predict_start", start);
    let mean = per_sample(&|index, time| {
        let (c0, ct) = schedule.posterior_mean(time);
        row(&x0, index) * c0 + row(&noise, index) * ct
    });
    report.compare(golden, "dm/diff/q_posterior_mean", mean);
    let variances: Vec<f64> = times.iter().map(|&time| schedule.posterior_log_variance(time)).collect();
    report.compare_list(golden, "dm/diff/q_posterior_logvar", &variances);

    let x = golden.tensor::<5>("units/thres/x", device);
    let quantile = lfdm::kernels::quantile(x.clone().abs().flatten(1, 4), 0.9);
    report.compare(golden, "units/thres/quantile_raw", quantile.clone());
    report.compare(golden, "units/thres/s", quantile.clamp_min(1.0));
    let rule = Threshold::Dynamic { quantile: 0.9, bound: 1.0 };
    report.compare(golden, "units/thres/y", threshold(x, rule));

    let [_, _, frames, height, width] = golden.tensor::<5>("dm/get_grid", device).dims();
    let codec = MotionCodec::official([height, width], true, device);
    let grid = codec.decode(Tensor::zeros([1, 3, frames, height, width], device)).flow;
    report.compare(golden, "dm/get_grid", grid.permute([3, 0, 1, 2]).unsqueeze::<5>());
}

fn parts(golden: &Golden, report: &mut Report, model: &DiffusionModel, device: &Device) {
    let unet = &model.denoise_fn;
    for name in golden.names("units/relpos/bucket") {
        // `bucket96_md128`: 96 frames, of which those from 128 on share a bucket.
        let max_distance = name.split_once("_md").map_or(MAX_DISTANCE, |(_, distance)| distance.parse().unwrap());
        let frames = golden.data(name).shape()[0];
        let bucket = |cell: usize| relative_bucket(cell / frames, cell % frames, max_distance) as i64;
        let buckets: Vec<i64> = (0..frames * frames).map(bucket).collect();
        let buckets = Tensor::<2, Int>::from_data(TensorData::new(buckets, [frames, frames]), device);
        report.compare_whole(golden, name, buckets);
    }
    for name in golden.names("units/relpos/bias") {
        report.compare(golden, name, unet.time_rel_pos_bias.forward(golden.data(name).shape()[1]));
    }

    // The tables carry the attention's scale, head_dim^(-1/4) on each side.
    let q = golden.tensor::<4>("units/rotary/q", device).swap_dims(1, 2);
    let [_, frames, _, head_dim] = q.dims();
    let rotated = FrameTables::new(frames, head_dim, None, device).rotate(q) * (head_dim as f64).powf(0.25);
    report.compare(golden, "units/rotary/y", rotated.swap_dims(1, 2));
    report.compare_list(golden, "units/rotary/freqs", &rotary_frequencies(head_dim).collect::<Vec<_>>());

    for name in golden.names("units/sinus/dim") {
        let table = sinusoids(&golden.whole("units/sinus/t"), golden.data(name).shape()[1], device);
        report.compare(golden, name, table);
    }
    report.compare(golden, "units/time_mlp/y", unet.time_mlp.forward(&golden.whole("units/sinus/t"), device));

    let input = |name: &str| golden.tensor::<5>(&format!("units/parts/{name}"), device);
    let mut check = |name: &str, output: Tensor<5>| report.compare(golden, &format!("units/parts/{name}"), output);
    let frames = input("x_d1").dims()[2];
    let tables = unet.frame_tables(frames);
    let without_bias = FrameTables::new(frames, head_dim, None, device);

    let x = input("x_d1");
    let linear = &unet.downs[0].linear_attn;
    check("layernorm", on_frames(&x, |x| layer_norm(x, linear.norm.gamma.val(), None, NORM_EPSILON)));
    check("sla_raw", on_frames(&x, |x| linear.block().attend(x.clone().flatten(1, 2)).reshape(x.dims())));
    check("sla", on_frames(&x, |x| linear.forward(x)));
    check("down", on_frames(&x, |x| Convolution::of(unet.downs[0].resample.as_ref().unwrap()).forward(x)));

    let x = input("x_d2");
    let frames = &unet.downs[1].frame_attn;
    let [_, _, length, _, _] = x.dims();
    let raw = |x: Tensor<4>| {
        let [n, height, width, channels] = x.dims();
        let tokens = x.reshape([n / length, length, height * width, channels]);
        frames.block(&tables).attend(tokens).reshape([n, height, width, channels])
    };
    check("tattn_raw", on_frames(&x, raw));
    check("tattn", on_frames(&x, |x| frames.forward(x, &tables)));
    check("tattn_nobias", on_frames(&x, |x| frames.forward(x, &without_bias)));

    if golden.has("units/parts/x_mid") {
        let x = input("x_mid");
        check("mid_spatial", on_frames(&x, |x| unet.mid_spatial_attn.forward(x)));
        check("mid_temporal", on_frames(&x, |x| unet.mid_temporal_attn.forward(x, &tables)));
    }

    let resnet = &unet.downs[1].resnet1;
    let embedding = golden.tensor::<2>("units/parts/temb", device);
    let film = resnet.mlp.as_ref().unwrap().forward(burn::tensor::activation::silu(embedding));
    let x = input("x_d1b");
    check("resnet_t", on_frames(&x, |frames| resnet.forward(frames, x.dims()[0], Some(&film))));
    let x = input("x_final");
    let batch = x.dims()[0];
    check("resnet_not", on_frames(&x, |x| unet.final_conv.resnet.forward(x, batch, None)));
    check("final_conv", on_frames(&x, |x| unet.final_conv.forward(x, batch)));
    let occlusion = unet.occlusion_map.as_ref().expect("the official model has a head for occlusion");
    check("occlusion_map", on_frames(&x, |x| occlusion.forward(x, batch)));
    check("up", on_frames(&input("x_up"), |x| unet.ups[0].resample.as_ref().unwrap().forward(x)));

    check("init_conv", on_frames(&input("x_init"), |x| Convolution::of(&unet.init_conv).forward(x)));
}

/// Single sampler steps, with the official network output in place of a network.
fn steps_from_golden_outputs(golden: &Golden, report: &mut Report, device: &Device) {
    struct Recorded {
        output: Tensor<5>,
        alpha_cumprod: f64,
    }
    impl Denoise for Recorded {
        fn denoise(&self, x: &Tensor<5>, _step: usize) -> Estimate {
            let (x0, noise) = clean_and_noise(Parameterization::Epsilon, x, self.output.clone(), self.alpha_cumprod);
            Estimate { x0: threshold(x0, Threshold::Dynamic { quantile: 0.9, bound: 1.0 }), noise }
        }
    }

    for Loop { name, sampler, steps, timesteps, .. } in loops(golden) {
        let schedule = NoiseSchedule::new(ScheduleKind::Cosine, timesteps);
        let updates = sampler.updates(&schedule, steps);
        let last = updates.len() - 1;
        for (step, result) in [(0, "x1".to_owned()), (last, "final".to_owned())] {
            let tensor = |part: &str| golden.tensor::<5>(&format!("{name}/{part}"), device);
            if !golden.has(&format!("{name}/eps{step}")) {
                continue;
            }
            let update = updates[step];
            let denoiser =
                Recorded { output: tensor(&format!("eps{step}")), alpha_cumprod: schedule.alpha_cumprod(update.time) };
            let fresh = || tensor(&format!("noise{}", step + 1));
            let x = Trajectory::new(vec![update]).step(&denoiser, tensor(&format!("x{step}")), fresh);
            report.compare(golden, &format!("{name}/{result}"), x);
        }
    }
}

/// The time at which the set looks into the network.
const TAPPED_TIME: usize = 500;

fn forward_passes(golden: &Golden, report: &mut Report, model: &DiffusionModel, device: &Device) {
    let unet = &model.denoise_fn;
    let input = golden.tensor::<5>("dm/unet/x", device);
    let condition = golden.tensor::<2>("dm/unet/cond", device);
    let times = golden.whole("dm/unet/t");
    let null = unet.null_condition();
    report.compare(golden, "dm/unet/null_cond_emb", null.clone());

    // This input has other reference features in every frame.
    let [batch, channels, frames, height, width] = input.dims();
    let x = input.clone().narrow(1, 0, 3);
    let latent =
        input.narrow(1, 3, channels - 3).swap_dims(1, 2).reshape([batch * frames, channels - 3, height, width]);
    let reference = unet.reference(latent.clone());
    let run = |x: &Tensor<5>, times: &[usize], condition: Tensor<2>| {
        let [batch, _, frames, _, _] = x.dims();
        let reference = reference.clone().narrow(0, 0, batch * frames);
        unet.forward(x.clone(), &reference, &unet.conditioning(times, condition), &unet.frame_tables(frames))
    };
    report.compare(golden, "dm/unet/y_cond", run(&x, &times, condition.clone()));
    report.compare(golden, "dm/unet/y_null", run(&x, &times, null.clone().repeat_dim(0, batch)));
    let mixed = Tensor::cat(vec![condition.clone().narrow(0, 0, 1), null], 0);
    report.compare(golden, "dm/unet/y_mask_FT", run(&x, &times, mixed));

    for name in golden.names("dm/unet/y_scale") {
        let scale: f64 = name["dm/unet/y_scale".len()..].parse().unwrap();
        // One denoiser is prepared for one time, so each sample of the batch, which has its own, is predicted
        // by itself.
        let sample = |index: usize| {
            let part = |x: &Tensor<5>| x.clone().narrow(0, index, 1);
            let latent = latent.clone().narrow(0, index * frames, frames);
            let condition = condition.clone().narrow(0, index, 1);
            let denoiser = Denoiser::new(model, latent, condition, &times[index..=index], frames, scale);
            denoiser.predict(&part(&x), 0)
        };
        report.compare(golden, name, Tensor::cat((0..batch).map(sample).collect(), 0));
    }

    let first = x.narrow(0, 0, 1);
    let condition = condition.narrow(0, 0, 1);
    for time in golden.parts("dm/unet/y_t") {
        let output = run(&first, &[time.parse().unwrap()], condition.clone());
        report.compare(golden, &format!("dm/unet/y_t{time}"), output);
    }
    for name in golden.names("dm/unet/y_frames") {
        let frames = golden.data(name).shape()[2];
        report.compare(golden, name, run(&first.clone().narrow(2, 0, frames), &[TAPPED_TIME], condition.clone()));
    }

    report.compare(golden, "dm/unet/taps/time_mlp", unet.time_mlp.forward(&[TAPPED_TIME], device));
    let conditioning = unet.conditioning(&[TAPPED_TIME], condition);
    let mut tap = |name: &str, output: &Tensor<4>| {
        // The set holds the first frames only.
        let name = format!("dm/unet/taps/{name}");
        let frames = golden.data(&name).shape()[2];
        report.compare(golden, &name, output.clone().narrow(0, 0, frames).permute([3, 0, 1, 2]).unsqueeze::<5>());
    };
    let reference = reference.clone().narrow(0, 0, frames);
    unet.forward_with(first, &reference, &conditioning, &unet.frame_tables(frames), &mut tap);
}

fn single_steps(golden: &Golden, report: &mut Report, model: &DiffusionModel, device: &Device) {
    let x = golden.tensor::<5>("dm/psample/x", device);
    let latent = golden.tensor::<4>("dm/psample/fea", device);
    let condition = golden.tensor::<2>("dm/unet/cond", device);
    let frames = x.dims()[2];
    let updates = Sampler::Ddpm.updates(model.schedule(), model.schedule().len());
    let step = |time: usize, scale: f64, fresh: &dyn Fn() -> Tensor<5>| {
        let denoiser = Denoiser::new(model, latent.clone(), condition.clone(), &[time], frames, scale);
        Trajectory::new(vec![updates[updates.len() - 1 - time]]).step(&denoiser, x.clone(), fresh)
    };
    for case in golden.parts("dm/psample/t") {
        if let Ok(time) = case.parse() {
            let fresh = || golden.tensor::<5>(&format!("dm/psample/t{case}/noise0"), device);
            report.compare(golden, &format!("dm/psample/t{case}/y"), step(time, 1.0, &fresh));
        } else if let Some((time, scale)) = case.strip_suffix("_mean").and_then(|case| case.split_once("_scale")) {
            let mean = step(time.parse().unwrap(), scale.parse().unwrap(), &|| x.zeros_like());
            report.compare(golden, &format!("dm/psample/t{case}"), mean);
        }
    }
}

fn trajectories(golden: &Golden, report: &mut Report, model: &DiffusionModel, device: &Device) {
    let latent = golden.tensor::<4>("dm/psample/fea", device).narrow(0, 0, 1);
    let condition = golden.tensor::<2>("dm/unet/cond", device).narrow(0, 0, 1);
    for Loop { name, sampler, steps, timesteps, scale } in loops(golden) {
        let other;
        let model = if timesteps == model.schedule().len() {
            model
        } else {
            other = self::model(golden, timesteps, device);
            &other
        };
        let mut trajectory = Trajectory::new(sampler.updates(model.schedule(), steps));
        let frames = golden.data(&format!("{name}/noise0")).shape()[2];
        let denoiser = Denoiser::new(model, latent.clone(), condition.clone(), &trajectory.times(), frames, scale);
        walk(golden, &name, &mut trajectory, &denoiser, device, &mut |part, x| {
            report.compare(golden, &format!("{name}/{part}"), x.clone());
        });
    }
}

/// Runs a recorded trajectory from its first noise, showing every intermediate tensor that the set may hold.
pub(crate) fn walk(
    golden: &Golden,
    name: &str,
    trajectory: &mut Trajectory,
    denoiser: &Denoiser,
    device: &Device,
    show: &mut dyn FnMut(&str, &Tensor<5>),
) -> Tensor<5> {
    let noise = |index: usize| golden.tensor::<5>(&format!("{name}/noise{index}"), device);
    let mut x = noise(0);
    while !trajectory.is_done() {
        let step = trajectory.taken();
        if golden.has(&format!("{name}/x{step}")) {
            show(&format!("x{step}"), &x);
        }
        if golden.has(&format!("{name}/eps{step}")) {
            show(&format!("eps{step}"), &denoiser.predict(&x, step));
        }
        x = trajectory.step(denoiser, x, || noise(step + 1));
    }
    if golden.has(&format!("{name}/final")) {
        show("final", &x);
    }
    x
}

/// A sampling loop of the set.
struct Loop {
    name: String,
    sampler: Sampler,
    steps: usize,
    timesteps: usize,
    scale: f64,
}

fn loops(golden: &Golden) -> Vec<Loop> {
    let info = golden.manifest["info"].as_object().unwrap();
    let with_times = info.iter().filter(|(_, info)| info["times"].is_array());
    with_times
        .map(|(name, info)| {
            let whole = |field: &str| info[field].as_u64().unwrap() as usize;
            let (timesteps, steps) = (whole("T"), whole("S"));
            let eta = info["eta"].as_f64().unwrap();
            let sampler =
                if steps < timesteps { Sampler::Ddim { eta, times: DdimTimes::Official } } else { Sampler::Ddpm };
            Loop { name: name.clone(), sampler, steps, timesteps, scale: info["cond_scale"].as_f64().unwrap() }
        })
        .collect()
}

/// Runs `part` on `[batch, channels, frames, height, width]` as the network sees it, with frames folded into the batch
/// and channels last.
fn on_frames(x: &Tensor<5>, part: impl FnOnce(Tensor<4>) -> Tensor<4>) -> Tensor<5> {
    let [batch, channels, frames, height, width] = x.dims();
    let y = part(x.clone().permute([0, 2, 3, 4, 1]).reshape([batch * frames, height, width, channels]));
    let [_, height, width, channels] = y.dims();
    y.reshape([batch, frames, height, width, channels]).permute([0, 4, 1, 2, 3])
}
