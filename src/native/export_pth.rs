//! `lfdm export-pth`: the weights of a bundle as checkpoints that the official implementation loads.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use burn::tensor::{Device, Shape, TensorData};

use super::official::SCHEDULE;
use super::pth::{self, Entry};
use super::staging::Place;
use crate::{
    bundle::Bundle,
    condition::ConditionTable,
    config::{LfdmConfig, Parameterization},
    diffusion::{MotionCodec, NoiseSchedule, attention::rotary_frequencies},
    lfae::PAINTER,
    pipeline::Animator,
    tensor::anti_alias_kernel,
    weights::{StateDict, WeightDtype},
};

/// Rounding to half precision changes a number of the order of 1 by less than this.
const HALF_PRECISION: f32 = 1e-3;

type Tensors = Vec<(String, TensorData)>;

/// Options of `lfdm export-pth`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Directory of the model: manifest.json and its weights.
    #[arg(long)]
    model: PathBuf,
    /// New directory for lfae.pth, dm.pth and conditions.safetensors.
    #[arg(long)]
    out: PathBuf,
}

/// Writes the checkpoints.
pub(crate) fn run(args: &Args) -> Result<()> {
    let place = Place::of(&args.out).context("--out")?;
    ensure!(!args.out.exists(), "--out {} exists already; name another directory", args.out.display());
    let device = Device::flex();
    let bundle = Bundle::open_dir(&args.model)?;
    Animator::load(bundle.clone(), &device)
        .with_context(|| format!("cannot use the model in {}", args.model.display()))?;
    let Bundle { manifest, weights } = bundle;
    warn_of_what_is_lost(&manifest.config, &weights)?;

    let conditions = ConditionTable::from_state(&weights, manifest.labels.clone(), &device)?;
    let mut vectors = StateDict::default();
    for label in conditions.labels() {
        vectors.insert(label, conditions.vector(&label.as_str().into())?.squeeze_dim::<1>(0).into_data());
    }

    let failed = || format!("cannot write {}", args.out.display());
    let staging = place.staging().with_context(failed)?;
    pth::write(&staging.path().join("lfae.pth"), &lfae(&manifest.config, &weights)).with_context(failed)?;
    pth::write(&staging.path().join("dm.pth"), &dm(&manifest.config, &weights)).with_context(failed)?;
    let bytes = vectors.to_safetensors(WeightDtype::F32, None)?;
    fs::write(staging.path().join("conditions.safetensors"), bytes).with_context(failed)?;
    staging.publish().with_context(failed)?;
    tracing::info!("{}: lfae.pth, dm.pth, conditions.safetensors", args.out.display());
    Ok(())
}

/// Names what the official files cannot hold of this model.
fn warn_of_what_is_lost(config: &LfdmConfig, weights: &StateDict) -> Result<()> {
    let device = Device::flex();
    let same = |official: &StateDict, key: &str| match (official.get(key), weights.get(key)) {
        (Some(official), Some(found)) => {
            let pairs = official.iter::<f32>().zip(found.iter::<f32>());
            official.shape() == found.shape() && { pairs }.all(|(a, b)| (a - b).abs() < HALF_PRECISION)
        }
        _ => false,
    };
    let official =
        [false, true].map(|residual| MotionCodec::official(config.flow_size(), residual, &device).to_state());
    if !official.iter().any(|official| official.iter().all(|(key, _)| same(official, key))) {
        tracing::warn!(
            "this model's motion is normalised by its training set; the official implementation would take it as it is"
        );
    }
    if config.lfae.refinement.is_some() {
        tracing::warn!(
            "this model refines the flow of its regions; the official implementation would leave it unrefined"
        );
    }
    ensure!(
        config.lfae.fine_refinement.is_none(),
        "this model's motion has a finer grid than its regions, which the official implementation does not know"
    );
    if config.lfae.generator.painter {
        tracing::warn!(
            "this model's decoder sees the motion; the official implementation would decode without its painter"
        );
    }
    if config.diffusion.parameterization != Parameterization::Epsilon {
        tracing::warn!("this model predicts the velocity; the official implementation would take it for the noise");
    }
    Ok(())
}

/// `{example, epoch, generator, region_predictor, bg_predictor}`
fn lfae(config: &LfdmConfig, weights: &StateDict) -> Vec<(&'static str, Entry)> {
    let weights = weights.clone().filter(|key| !key.starts_with(PAINTER));
    let part = |name: &str, blur: Option<(&str, f64)>| {
        let mut tensors = with_counters(weights.sub(name));
        tensors.extend(
            blur.filter(|(_, scale)| *scale != 1.0)
                .map(|(key, scale)| (key.to_owned(), anti_alias_weight(config.lfae.channels, scale))),
        );
        Entry::Tensors(tensors)
    };
    let flow_blur = ("pixelwise_flow_predictor.down.weight", config.lfae.flow.scale_factor);
    let region_blur = ("down.weight", config.lfae.region.scale_factor);
    vec![
        ("example", Entry::Int(0)),
        ("epoch", Entry::Int(0)),
        ("generator", part("generator", Some(flow_blur))),
        ("region_predictor", part("region_predictor", Some(region_blur))),
        ("bg_predictor", part("bg_predictor", None)),
    ]
}

/// `{example, diffusion}`
fn dm(config: &LfdmConfig, weights: &StateDict) -> Vec<(&'static str, Entry)> {
    let mut tensors = schedule(&NoiseSchedule::new(config.diffusion.schedule, config.diffusion.timesteps));
    let frequencies: Vec<f32> = rotary_frequencies(config.diffusion.unet.head_dim).map(|angle| angle as f32).collect();
    let frequencies = TensorData::new(frequencies.clone(), [frequencies.len()]);
    for (key, data) in weights.sub("denoise_fn").iter() {
        let key = format!("denoise_fn.{key}");
        if let Some(attention) = key.strip_suffix(".to_qkv.weight")
            && attention.ends_with(".fn.fn.fn")
            && !attention.contains("mid_spatial_attn")
        {
            tensors.push((format!("{attention}.rotary_emb.freqs"), frequencies.clone()));
        }
        let shape = official_shape(&key, data.shape());
        tensors.push((key, reshaped(data, shape)));
    }
    vec![("example", Entry::Int(0)), ("diffusion", Entry::Tensors(tensors))]
}

/// Official batch norms also count their batches; nothing reads the number.
fn with_counters(weights: StateDict) -> Tensors {
    let counter = |key: &str| {
        let norm = key.strip_suffix("running_var")?;
        Some((format!("{norm}num_batches_tracked"), TensorData::new(vec![0i64], Vec::<usize>::new())))
    };
    let tensors = weights
        .iter()
        .flat_map(|(key, data)| [Some((key.to_owned(), data.clone())), counter(key)].into_iter().flatten());
    tensors.collect()
}

/// The two-dimensional kernel of `anti_alias`, once per channel.
fn anti_alias_weight(channels: usize, scale: f64) -> TensorData {
    let kernel = anti_alias_kernel(scale);
    let plane = kernel.iter().flat_map(|row| kernel.iter().map(move |column| (row * column) as f32));
    let values: Vec<f32> = std::iter::repeat_n(plane.collect::<Vec<_>>(), channels).flatten().collect();
    TensorData::new(values, [channels, 1, kernel.len(), kernel.len()])
}

fn schedule(schedule: &NoiseSchedule) -> Tensors {
    let buffer = |name: &str, t: usize| {
        let abar = schedule.alpha_cumprod(t);
        match name {
            "betas" => schedule.beta(t),
            "alphas_cumprod" => abar,
            "alphas_cumprod_prev" => schedule.alpha_cumprod_prev(t),
            "sqrt_alphas_cumprod" => abar.sqrt(),
            "sqrt_one_minus_alphas_cumprod" => (1.0 - abar).sqrt(),
            "log_one_minus_alphas_cumprod" => (1.0 - abar).ln(),
            "sqrt_recip_alphas_cumprod" => abar.recip().sqrt(),
            "sqrt_recipm1_alphas_cumprod" => (abar.recip() - 1.0).sqrt(),
            "posterior_variance" => schedule.posterior_variance(t),
            "posterior_log_variance_clipped" => schedule.posterior_log_variance(t),
            "posterior_mean_coef1" => schedule.posterior_mean(t).0,
            _ => schedule.posterior_mean(t).1,
        }
    };
    let tensor = |name: &str| {
        let values: Vec<f32> = (0..schedule.len()).map(|t| buffer(name, t) as f32).collect();
        (name.to_owned(), TensorData::new(values, [schedule.len()]))
    };
    SCHEDULE.into_iter().map(tensor).collect()
}

/// The shape in the official module, with its axes of length 1: convolutions are three-dimensional, and the projections
/// of spatial linear attention are convolutions.
fn official_shape(key: &str, shape: &[usize]) -> Vec<usize> {
    let linear_attention = key.contains(".2.fn.fn.to_");
    match *shape {
        [channels] if key.ends_with(".gamma") => vec![1, channels, 1, 1, 1],
        [to, from] if linear_attention => vec![to, from, 1, 1],
        [to, from, height, width] if !linear_attention => vec![to, from, 1, height, width],
        _ => shape.to_vec(),
    }
}

fn reshaped(data: &TensorData, shape: Vec<usize>) -> TensorData {
    TensorData::from_bytes_vec(data.as_bytes().to_vec(), Shape::from(shape), data.dtype())
}
