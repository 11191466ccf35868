//! The diffusion model: parts, whole forward passes, sampling trajectories, training loss.

use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Int, Tensor, TensorData};
use lfdm::config::{DiffusionConfig, Parameterization, ScheduleKind, Threshold, UnetConfig, Upsampling};
use lfdm::diffusion::attention::{FrameTables, MAX_DISTANCE, relative_bucket, rotary_frequencies};
use lfdm::diffusion::unet::sinusoids;
use lfdm::diffusion::{
    DdimTimes, Denoise, Denoiser, DiffusionModel, Estimate, MotionCodec, NoiseSchedule, Sampler, Trajectory,
    official_key, sample_quantile, split, threshold,
};
use lfdm::weights::{collect_gradients, collect_module, load_module};

use crate::golden::{Golden, Report};

pub fn compare(golden: &Golden, report: &mut Report) {
    let device = Device::flex();
    let model = model(golden, 1000, &device);
    schedules(golden, report);
    diffusion_formulas(golden, report, &device);
    parts(golden, report, &model, &device);
    steps_from_golden_outputs(golden, report, &device);
    if golden.is_full() {
        forward_passes(golden, report, &model, &device);
        single_steps(golden, report, &model, &device);
        trajectories(golden, report, &model, &device);
        training_loss(golden, report);
    }
}

/// The configuration that the official code hard-codes or takes as arguments.
pub fn config(golden: &Golden, timesteps: usize) -> DiffusionConfig {
    let settings = &golden.manifest["config"];
    let number = |field: &str| settings[field].as_u64().unwrap() as usize;
    DiffusionConfig {
        unet: UnetConfig {
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
    }
}

/// The model with the set's weights. A small set lacks some: what they feed is not compared.
pub fn model(golden: &Golden, timesteps: usize, device: &Device) -> DiffusionModel {
    let model = config(golden, timesteps)
        .init(golden.manifest["config"]["feature_channels"].as_u64().unwrap() as usize, device);
    let mut weights = golden.weights.sub("diffusion").filter(|key| key.starts_with("denoise_fn."));
    if !golden.is_full() {
        let mut complete = collect_module(&model, &official_key);
        complete.merge(weights);
        weights = complete;
    }
    load_module(model, &weights, &official_key).unwrap()
}

fn schedules(golden: &Golden, report: &mut Report) {
    for timesteps in [1000, 8] {
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
        split(Parameterization::Epsilon, &row(&x0, index), row(&noise, index), schedule.alpha_cumprod(time)).0
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
    let quantile = sample_quantile(x.clone().abs().flatten(1, 4), 0.9);
    report.compare(golden, "units/thres/quantile_raw", quantile.clone());
    report.compare(golden, "units/thres/s", quantile.clamp_min(1.0));
    let rule = Threshold::Dynamic { quantile: 0.9, bound: 1.0 };
    report.compare(golden, "units/thres/y", threshold(x, rule));

    let codec = MotionCodec::official([4, 6], true, device);
    let grid = codec.decode(Tensor::zeros([1, 3, 2, 4, 6], device)).flow;
    report.compare(golden, "dm/get_grid", grid.permute([3, 0, 1, 2]).unsqueeze::<5>());
}

fn parts(golden: &Golden, report: &mut Report, model: &DiffusionModel, device: &Device) {
    let unet = &model.denoise_fn;
    for (name, frames, max_distance) in [("bucket40", 40, MAX_DISTANCE), ("bucket96_md128", 96, 128)] {
        let bucket = |cell: usize| relative_bucket(cell / frames, cell % frames, max_distance) as i64;
        let buckets: Vec<i64> = (0..frames * frames).map(bucket).collect();
        let buckets = Tensor::<2, Int>::from_data(TensorData::new(buckets, [frames, frames]), device);
        report.compare_whole(golden, &format!("units/relpos/{name}"), buckets);
    }
    report.compare(golden, "units/relpos/bias", unet.time_rel_pos_bias.forward(10));
    report.compare(golden, "units/relpos/bias40", unet.time_rel_pos_bias.forward(40));

    // The tables carry the attention's scale, 32^(-1/4) on each side.
    let q = golden.tensor::<4>("units/rotary/q", device).swap_dims(1, 2);
    let rotated = FrameTables::new(10, 32, None, device).rotate(q) * 32f64.powf(0.25);
    report.compare(golden, "units/rotary/y", rotated.swap_dims(1, 2));

    report.compare_list(golden, "units/rotary/freqs", &rotary_frequencies(32).collect::<Vec<_>>());

    for dim in [16, 64] {
        let table = sinusoids(&golden.whole("units/sinus/t"), dim, device);
        report.compare(golden, &format!("units/sinus/dim{dim}"), table);
    }
    report.compare(golden, "units/time_mlp/y", unet.time_mlp.forward(&golden.whole("units/sinus/t"), device));

    let input = |name: &str| golden.tensor::<5>(&format!("units/parts/{name}"), device);
    let mut check = |name: &str, output: Tensor<5>| report.compare(golden, &format!("units/parts/{name}"), output);
    let tables = unet.frame_tables(10);
    let without_bias = FrameTables::new(10, 32, None, device);

    let x = input("x_d1");
    let linear = &unet.downs[0].linear_attn;
    check("layernorm", on_positions(&x, |x| linear.norm.forward(x).swap_dims(1, 2)));
    check("sla_raw", on_positions(&x, |x| linear.attend(x.swap_dims(1, 2))));
    check("sla", on_positions(&x, |x| linear.forward(x)));
    check("down", on_frames(&x, |x| unet.downs[0].resample.as_ref().unwrap().forward(x)));

    let x = input("x_d2");
    let frames = &unet.downs[1].frame_attn;
    check("tattn_raw", on_positions(&x, |x| frames.attend(x.swap_dims(1, 2), &tables)));
    check("tattn", on_positions(&x, |x| frames.forward(x, &tables)));
    check("tattn_nobias", on_positions(&x, |x| frames.forward(x, &without_bias)));

    if golden.has("units/parts/x_mid") {
        let x = input("x_mid");
        check("mid_spatial", on_positions(&x, |x| unet.mid_spatial_attn.forward(x)));
        check("mid_temporal", on_positions(&x, |x| unet.mid_temporal_attn.forward(x, &tables)));
    }

    let resnet = &unet.downs[1].resnet1;
    let embedding = golden.tensor::<2>("units/parts/temb", device);
    let film = resnet.mlp.as_ref().unwrap().forward(burn::tensor::activation::silu(embedding));
    check("resnet_t", on_frames(&input("x_d1b"), |x| resnet.forward(x, 2, Some(&film))));
    let x = input("x_final");
    check("resnet_not", on_frames(&x, |x| unet.final_conv.resnet.forward(x, 1, None)));
    check("final_conv", on_frames(&x, |x| unet.final_conv.forward(x, 1)));
    check("occlusion_map", on_frames(&x, |x| unet.occlusion_map.forward(x, 1)));
    check("up", on_frames(&input("x_up"), |x| unet.ups[0].resample.as_ref().unwrap().forward(x)));

    let weight = unet.init_conv.weight.val();
    let bias = unet.init_conv.bias.as_ref().map(|bias| bias.val());
    let whole = |x| conv2d(x, weight.clone(), bias.clone(), ConvOptions::new([1, 1], [3, 3], [1, 1], 1));
    check("init_conv", on_frames(&input("x_init"), whole));
}

/// Single sampler steps, with the official network output in place of a network.
fn steps_from_golden_outputs(golden: &Golden, report: &mut Report, device: &Device) {
    struct Recorded {
        output: Tensor<5>,
        alpha_cumprod: f64,
    }
    impl Denoise for Recorded {
        fn denoise(&self, x: &Tensor<5>, _step: usize) -> Estimate {
            let (x0, noise) = split(Parameterization::Epsilon, x, self.output.clone(), self.alpha_cumprod);
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

fn forward_passes(golden: &Golden, report: &mut Report, model: &DiffusionModel, device: &Device) {
    let unet = &model.denoise_fn;
    let input = golden.tensor::<5>("dm/unet/x", device);
    let condition = golden.tensor::<2>("dm/unet/cond", device);
    let times = golden.whole("dm/unet/t");
    let null = unet.null_condition();
    report.compare(golden, "dm/unet/null_cond_emb", null.clone());

    // This input has other reference features in every frame.
    let [_, channels, frames, height, width] = input.dims();
    let x = input.clone().narrow(1, 0, 3);
    let latent = input.narrow(1, 3, channels - 3).swap_dims(1, 2).reshape([2 * frames, channels - 3, height, width]);
    let reference = unet.reference(latent.clone());
    let run = |x: &Tensor<5>, times: &[usize], condition: Tensor<2>| {
        let [batch, _, frames, _, _] = x.dims();
        let reference = reference.clone().narrow(0, 0, batch * frames);
        unet.forward(x.clone(), &reference, &unet.conditioning(times, condition), &unet.frame_tables(frames))
    };
    report.compare(golden, "dm/unet/y_cond", run(&x, &times, condition.clone()));
    report.compare(golden, "dm/unet/y_null", run(&x, &times, null.clone().repeat_dim(0, 2)));
    let mixed = Tensor::cat(vec![condition.clone().narrow(0, 0, 1), null], 0);
    report.compare(golden, "dm/unet/y_mask_FT", run(&x, &times, mixed));

    for scale in [0.0, 1.0, 2.0] {
        // One denoiser is prepared for one time, so each sample of the batch, which has its own, is predicted by itself.
        let sample = |index: usize| {
            let part = |x: &Tensor<5>| x.clone().narrow(0, index, 1);
            let latent = latent.clone().narrow(0, index * frames, frames);
            let condition = condition.clone().narrow(0, index, 1);
            let denoiser = model.denoiser(latent, condition, &times[index..=index], frames, scale);
            denoiser.predict(&part(&x), 0)
        };
        report.compare(golden, &format!("dm/unet/y_scale{scale}"), Tensor::cat(vec![sample(0), sample(1)], 0));
    }

    let first = x.narrow(0, 0, 1);
    let condition = condition.narrow(0, 0, 1);
    for time in [0, 999] {
        report.compare(golden, &format!("dm/unet/y_t{time}"), run(&first, &[time], condition.clone()));
    }
    report.compare(golden, "dm/unet/y_frames3", run(&first.clone().narrow(2, 0, 3), &[500], condition.clone()));

    report.compare(golden, "dm/unet/taps/time_mlp", unet.time_mlp.forward(&[500], device));
    let conditioning = unet.conditioning(&[500], condition);
    let mut tap = |name: &str, output: &Tensor<4>| {
        let two_frames = output.clone().narrow(0, 0, 2).swap_dims(0, 1).unsqueeze::<5>();
        report.compare(golden, &format!("dm/unet/taps/{name}"), two_frames);
    };
    let reference = reference.clone().narrow(0, 0, frames);
    let output = unet.forward_with(first, &reference, &conditioning, &unet.frame_tables(frames), &mut tap);
    report.compare(golden, "dm/unet/y_t500", output);
}

fn single_steps(golden: &Golden, report: &mut Report, model: &DiffusionModel, device: &Device) {
    let x = golden.tensor::<5>("dm/psample/x", device);
    let latent = golden.tensor::<4>("dm/psample/fea", device);
    let condition = golden.tensor::<2>("dm/unet/cond", device);
    let updates = Sampler::Ddpm.updates(model.schedule(), 1000);
    let step = |time: usize, scale: f64, fresh: &dyn Fn() -> Tensor<5>| {
        let denoiser = model.denoiser(latent.clone(), condition.clone(), &[time], 10, scale);
        Trajectory::new(vec![updates[999 - time]]).step(&denoiser, x.clone(), fresh)
    };
    for time in [0, 1, 500, 999] {
        let fresh = || golden.tensor::<5>(&format!("dm/psample/t{time}/noise0"), device);
        report.compare(golden, &format!("dm/psample/t{time}/y"), step(time, 1.0, &fresh));
    }
    report.compare(golden, "dm/psample/t500_scale2_mean", step(500, 2.0, &|| x.zeros_like()));
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
        let denoiser = model.denoiser(latent.clone(), condition.clone(), &trajectory.times(), 10, scale);
        walk(golden, &name, &mut trajectory, &denoiser, device, &mut |part, x| {
            report.compare(golden, &format!("{name}/{part}"), x.clone());
        });
    }
}

/// Runs a recorded trajectory from its first noise, showing every intermediate tensor that the set may hold.
pub fn walk(
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

fn training_loss(golden: &Golden, report: &mut Report) {
    let device = Device::flex().autodiff();
    let model = model(golden, 1000, &device);
    let tensor = |name: &str| golden.tensor::<5>(&format!("train/dm/plosses/{name}"), &device);
    let latent = golden.tensor::<4>("train/dm/plosses/fea", &device);
    let times = golden.whole("train/dm/plosses/t");
    for (case, texts) in
        [("cond", ["anger", "happiness"]), ("nonetext", ["anger", "None"]), ("mixed", ["anger", "happiness"])]
    {
        let condition = texts.map(|text| golden.tensor::<1>(&format!("train/dm/emb_{text}"), &device).unsqueeze::<2>());
        let condition = Tensor::cat(condition.to_vec(), 0);
        let null: Vec<bool> = golden
            .whole(&format!("train/dm/plosses/{case}/null_cond_mask"))
            .into_iter()
            .map(|flag| flag == 1)
            .collect();
        let loss = model.loss(tensor("x0"), latent.clone(), condition, &times, tensor("noise"), &null);
        report.compare(golden, &format!("train/dm/plosses/{case}/loss"), loss.clone());

        let prefix = format!("train/dm/plosses/{case}/grad/");
        let names = golden.names(&prefix);
        if !names.is_empty() {
            let gradients = collect_gradients(&model, &loss.backward(), &official_key);
            for name in names {
                let key = format!("denoise_fn.{}", &name[prefix.len()..]);
                let data = gradients.get(&key).unwrap_or_else(|| panic!("no gradient of {key}"));
                report.compare_data(golden, name, data);
            }
        }
    }
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
            let sampler = match steps < timesteps {
                true => Sampler::Ddim { eta, times: DdimTimes::Official },
                false => Sampler::Ddpm,
            };
            Loop { name: name.clone(), sampler, steps, timesteps, scale: info["cond_scale"].as_f64().unwrap() }
        })
        .collect()
}

/// Runs `part` on `[batch, channels, frames, height, width]` with frames folded into the batch.
fn on_frames(x: &Tensor<5>, part: impl FnOnce(Tensor<4>) -> Tensor<4>) -> Tensor<5> {
    let [batch, channels, frames, height, width] = x.dims();
    let y = part(x.clone().swap_dims(1, 2).reshape([batch * frames, channels, height, width]));
    let [_, channels, height, width] = y.dims();
    y.reshape([batch, frames, channels, height, width]).swap_dims(1, 2)
}

/// [`on_frames`] for parts that see positions in one axis.
fn on_positions(x: &Tensor<5>, part: impl FnOnce(Tensor<3>) -> Tensor<3>) -> Tensor<5> {
    let [_, _, _, height, width] = x.dims();
    on_frames(x, |x| {
        let y = part(x.flatten(2, 3));
        let [n, channels, _] = y.dims();
        y.reshape([n, channels, height, width])
    })
}
