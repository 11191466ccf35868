//! `lfdm import`: the official implementation's checkpoints as a bundle.
//!
//! Everything is read and compared first, and a bundle is written only when all of it fits: one try shows every
//! problem.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use burn::tensor::Device;
use clap::ValueEnum;
use half::{bf16, f16};
use serde_json::json;

use super::bundle_dir::{ensure_bundle_replaceable, summary};
use super::label_vectors;
use super::numbers;
use super::official::{BETAS, SCHEDULE, read_config};
use super::pth::{Checkpoint, TensorRef};
use crate::{
    bundle::{Bundle, FORMAT, Manifest},
    condition::{Contrast, StrengthRange},
    config::{Diffused, LfdmConfig, ScheduleKind, UnetConfig, Upsampling},
    diffusion::{self, MotionCodec, NoiseSchedule},
    lfae,
    pipeline::Animator,
    weights::{StateDict, WeightDtype, is_derived, load_module},
};

const LFAE_PARTS: [&str; 3] = ["generator", "region_predictor", "bg_predictor"];
const DENOISER: &str = "denoise_fn";
/// Other contents of official checkpoints. MRAA's animation network is not part of LFDM.
const IGNORED: [&str; 2] = ["optimizer", "avd_network"];
/// Largest difference of two schedules that are the same, in single precision.
const SAME_BETA: f64 = 1e-5;
/// The largest number that half precision can hold.
const LARGEST_HALF: f32 = 65_504.0;

/// Options of `lfdm import`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Checkpoint of stage 1: `generator`, `region_predictor` and `bg_predictor`.
    #[arg(long)]
    lfae: PathBuf,
    /// Checkpoint of stage 2: diffusion.
    #[arg(long)]
    dm: PathBuf,
    /// YAML file that both were trained with; it describes stage 1 and the size of the images.
    #[arg(long)]
    config: PathBuf,
    /// Safetensors file with one condition vector per label, as `lfdm conditions` writes it: the tensor's
    /// name is the label.
    #[arg(long)]
    conditions: PathBuf,
    /// Which weights to take from a checkpoint that has several sets, such as `ema` and `model`.
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,
    /// Labels of the model, in this order [default: all of --conditions, in alphabetical order]
    #[arg(long, value_delimiter = ',')]
    labels: Option<Vec<String>>,
    /// Directory to write; a bundle that is there is replaced once the new one is complete.
    #[arg(long)]
    out: PathBuf,
    /// Name of the model [default: the name of the directory]
    #[arg(long)]
    name: Option<String>,
    /// Frames per video that the diffusion model was trained with.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u16).range(1..))]
    frames: u16,
    /// Frames per second of the training clips.
    #[arg(long, default_value_t = 8.0, value_parser = numbers::fps)]
    fps: f32,
    /// Denoising steps that suit the model.
    #[arg(long, default_value_t = 20, value_parser = numbers::steps)]
    steps: usize,
    /// Guidance that suits the model.
    #[arg(long, default_value_t = 1.0, value_parser = numbers::guidance)]
    guidance: f32,
    /// For a diffusion model that was trained on residual flow (`use_residual_flow`).
    #[arg(long)]
    residual_flow: bool,
    /// Padding of the U-Net's upsampling (`padding_mode`), for one without deconvolutions.
    #[arg(long, value_enum, default_value_t = Padding::Reflect)]
    padding: Padding,
    /// Number format of the bundle's weights.
    #[arg(long, value_enum, default_value_t = WeightDtype::F16)]
    dtype: WeightDtype,
    /// Licence of the weights and origin of the training data.
    #[arg(
        long,
        default_value = "not stated; ask whoever trained the weights",
        value_parser = clap::builder::NonEmptyStringValueParser::new(),
    )]
    licence: String,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Padding {
    Reflect,
    Zeros,
}

/// Reads and compares everything, then writes the bundle.
pub(crate) fn run(args: &Args) -> Result<()> {
    ensure_bundle_replaceable(&args.out, &[&args.lfae, &args.dm, &args.config, &args.conditions])?;
    let device = Device::flex();
    let mut problems = Vec::new();
    let mut config = read_config(&args.config, usize::from(args.frames))?;
    let mut weights = read_lfae(&args.lfae, args, &mut problems)?;
    let (denoiser, betas) = read_dm(&args.dm, args, &mut problems)?;

    match unet(&denoiser, &config.diffusion.unet, args.padding) {
        Ok(unet) => config.diffusion.unet = unet,
        Err(problem) => problems.push(format!("{} {problem}", args.dm.display())),
    }
    if let Some(betas) = betas {
        config.diffusion.timesteps = betas.len();
        if config.diffusion.validate().is_ok() && !are_of_schedule(&betas, config.diffusion.schedule) {
            let what = "`diffusion.betas` do not follow the cosine schedule, the only one that lfdm knows";
            problems.push(format!("{}: {what}", args.dm.display()));
        }
    }
    // What is built from sizes that make no model can panic, or fill the memory.
    match config.validate() {
        Ok(()) => problems.extend(misfits(args, &config, &weights, &denoiser, &device)),
        Err(problem) => problems.push(format!("{} with {}: {problem}", args.dm.display(), args.config.display())),
    }

    let width = config.diffusion.unet.condition_dim;
    let conditions = label_vectors::read(&args.conditions, args.labels.as_deref(), Some(width), &mut problems)?;
    let (Some(conditions), true) = (conditions, problems.is_empty()) else {
        bail!(
            "nothing was imported, because the files do not make one model:\n- {}\n\
             Use the checkpoints of one training and the YAML file that they were trained with",
            problems.join("\n- ")
        );
    };

    weights.merge(denoiser);
    weights.merge(conditions.to_state());
    weights.merge(MotionCodec::official(config.flow_size(), args.residual_flow, &device).to_state());
    let bundle = Bundle { manifest: manifest(args, config, conditions.labels().to_vec()), weights };
    Animator::load(bundle.clone(), &device).context("the checkpoints make no complete model")?;
    let manifest = bundle.write_dir(&args.out, args.dtype)?;
    tracing::info!("{}: {}", args.out.display(), summary(&manifest));
    Ok(())
}

/// Whether a checkpoint was trained with the betas of `kind`, which it may have rounded to half precision.
fn are_of_schedule(betas: &[f64], kind: ScheduleKind) -> bool {
    let schedule = NoiseSchedule::new(kind, betas.len());
    let rounding = rounding(betas);
    let is_same = |(t, beta): (usize, &f64)| (beta - schedule.beta(t)).abs() <= SAME_BETA + rounding * schedule.beta(t);
    betas.iter().enumerate().all(is_same)
}

/// The largest relative error of numbers that were rounded to the format that these all have.
fn rounding(values: &[f64]) -> f64 {
    if values.iter().all(|&value| f64::from(bf16::from_f64(value)) == value) {
        2f64.powi(-8)
    } else if values.iter().all(|&value| f64::from(f16::from_f64(value)) == value) {
        2f64.powi(-11)
    } else {
        0.0
    }
}

/// What both checkpoints lack or have too much of, before anything is built from them.
fn misfits(args: &Args, config: &LfdmConfig, lfae: &StateDict, denoiser: &StateDict, device: &Device) -> Vec<String> {
    let stage_1 = load_module(config.lfae.init(device), lfae, &lfae::official_key).map(drop);
    let stage_2 = config.diffusion.init(config.latent_channels(), device);
    let stage_2 = load_module(stage_2, denoiser, &diffusion::official_key).map(drop);
    [(&args.lfae, stage_1), (&args.dm, stage_2)]
        .into_iter()
        .filter_map(|(path, result)| Some((path, result.err()?)))
        .map(|(path, error)| format!("{} with {}: {error}", path.display(), args.config.display()))
        .collect()
}

fn manifest(args: &Args, config: LfdmConfig, labels: Vec<String>) -> Manifest {
    Manifest {
        format: FORMAT,
        name: args.name.clone().or_else(|| file_name(&args.out)).unwrap_or_else(|| "imported".into()),
        config,
        labels,
        strengths: StrengthRange::ONE_HOT,
        fps: args.fps,
        default_steps: args.steps,
        default_guidance: args.guidance,
        default_contrast: Contrast::Null,
        licence: args.licence.clone(),
        created_with: concat!("lfdm ", env!("CARGO_PKG_VERSION")).into(),
        training: json!({ "imported": { "lfae": file_name(&args.lfae), "dm": file_name(&args.dm) } }),
        files: Vec::new(),
    }
}

fn file_name(path: &Path) -> Option<String> {
    path.file_name().map(|name| name.to_string_lossy().into_owned())
}

fn read_lfae(path: &Path, args: &Args, problems: &mut Vec<String>) -> Result<StateDict> {
    let found = read_checkpoint(path, &LFAE_PARTS, args, problems)?;
    ensure_any(path, &found, &LFAE_PARTS)?;
    Ok(found)
}

/// The U-Net's weights, and the schedule's betas if they are there.
fn read_dm(path: &Path, args: &Args, problems: &mut Vec<String>) -> Result<(StateDict, Option<Vec<f64>>)> {
    let found = read_checkpoint(path, &[DENOISER, BETAS], args, problems)?;
    let betas = found.get(BETAS).map(|betas| betas.iter::<f64>().collect());
    let denoiser = found.filter(|key| key != BETAS);
    ensure_any(path, &denoiser, &[DENOISER])?;
    Ok((denoiser, betas))
}

fn ensure_any(path: &Path, found: &StateDict, parts: &[&str]) -> Result<()> {
    ensure!(
        !found.is_empty(),
        "{} holds no weights of {}; are --lfae and --dm the right way round?",
        path.display(),
        parts.join(", ")
    );
    Ok(())
}

/// The float tensors of `parts`, without buffers that follow from the configuration.
fn read_checkpoint(path: &Path, parts: &[&str], args: &Args, problems: &mut Vec<String>) -> Result<StateDict> {
    let mut checkpoint = Checkpoint::open(path)?;
    let mut sets: BTreeMap<String, Vec<(String, TensorRef)>> = BTreeMap::new();
    let (mut unexpected, mut infinite, mut large) = (vec![], vec![], vec![]);
    for (key, tensor) in checkpoint.tensors()? {
        match place_of(&key, parts) {
            Some((_, official)) if is_derived(&official) => {}
            Some((set, official)) => sets.entry(set).or_default().push((official, tensor)),
            None if is_ignored(&key) || tensor.is_counter() => {}
            None => unexpected.push(key),
        }
    }
    let tensors =
        one_of_each(sets, args.branch.as_deref()).map_err(|problem| anyhow!("{} {problem}", path.display()))?;
    let mut dict = StateDict::default();
    for (key, tensor) in tensors {
        let Some(data) = checkpoint.read(&tensor)? else { continue };
        if data.iter::<f32>().any(|value| !value.is_finite()) {
            infinite.push(key.clone());
        } else if args.dtype == WeightDtype::F16 && data.iter::<f32>().any(|value| value.abs() > LARGEST_HALF) {
            large.push(key.clone());
        }
        dict.insert(key, data);
    }
    for (keys, what) in [
        (unexpected, "not weights of LFDM (is this another kind of model?)"),
        (infinite, "NaN or infinite (the file is damaged or its training diverged; take an earlier checkpoint)"),
        (large, "too large for half precision (add --dtype f32)"),
    ] {
        if !keys.is_empty() {
            problems.push(format!("{}: {what}: {}", path.display(), keys.join(", ")));
        }
    }
    Ok(dict)
}

/// What PyTorch's wrappers put into keys, at any depth: `DataParallel` and `torch.compile`.
const WRAPPERS: [&str; 2] = ["module", "_orig_mod"];

/// The dict that a tensor of one of `parts` lies in, which may have any name, and its key from that part on, both
/// without wrappers.
fn place_of(key: &str, parts: &[&str]) -> Option<(String, String)> {
    let names: Vec<&str> = key.split('.').filter(|name| !WRAPPERS.contains(name)).collect();
    let start = names.iter().position(|name| parts.contains(name))?;
    Some((names[..start].join("."), names[start..].join(".")))
}

/// The tensors of all sets, or of those sets called `branch` if a tensor is in several.
fn one_of_each(
    mut sets: BTreeMap<String, Vec<(String, TensorRef)>>,
    branch: Option<&str>,
) -> Result<BTreeMap<String, TensorRef>, String> {
    let names =
        sets.keys().map(|name| if name.is_empty() { "the outermost" } else { name }).collect::<Vec<_>>().join(", ");
    if let Some(branch) = branch.filter(|_| sets.len() > 1) {
        sets.retain(|name, _| name == branch || name.rsplit('.').next() == Some(branch));
        if sets.is_empty() {
            return Err(format!("has no weights under --branch {branch}; it has {names}"));
        }
    }
    let mut tensors = BTreeMap::new();
    for (key, tensor) in sets.into_values().flatten() {
        if tensors.contains_key(&key) {
            return Err(format!("has `{key}` more than once, in {names}; choose a set of weights with --branch"));
        }
        tensors.insert(key, tensor);
    }
    Ok(tensors)
}

fn is_ignored(key: &str) -> bool {
    let mut names = key.split('.');
    names.clone().any(|name| IGNORED.iter().any(|ignored| name.starts_with(ignored)))
        || names.next_back().is_some_and(|name| SCHEDULE.contains(&name))
}

/// The U-Net's sizes, read from its weights because the official YAML lacks them; what is missing stays as in
/// `official`.
fn unet(weights: &StateDict, official: &UnetConfig, padding: Padding) -> Result<UnetConfig, String> {
    let find = |key: &str| weights.get(&format!("{DENOISER}.{key}")).map(|data| data.shape().to_vec());
    let side = |key: &str, axis: usize| find(key).and_then(|shape| shape.get(axis).copied());
    let dim = side("init_conv.weight", 0).unwrap_or(official.dim);
    let heads = side("time_rel_pos_bias.relative_attention_bias.weight", 1).unwrap_or(official.heads);
    let widths: Vec<usize> = (0..).map_while(|level| side(&format!("downs.{level}.0.block1.proj.weight"), 0)).collect();
    if dim < 4
        || heads == 0
        || std::iter::once(&dim).chain(&widths).any(|width| width % dim != 0 || width % official.groups != 0)
    {
        return Err(format!(
            "has a U-Net with {heads} heads and the widths {dim}, {widths:?}; widths must be multiples of {} and of \
             the first",
            official.groups
        ));
    }
    let embedding = side("downs.0.0.mlp.1.weight", 1);
    let projected = side("downs.0.3.fn.fn.fn.to_qkv.weight", 0);
    Ok(UnetConfig {
        diffused: Diffused::Motion,
        dim,
        dim_mults: if widths.is_empty() {
            official.dim_mults.clone()
        } else {
            widths.iter().map(|width| width / dim).collect()
        },
        heads,
        head_dim: projected.map_or(official.head_dim, |rows| rows / (3 * heads)),
        groups: official.groups,
        init_kernel: find("init_conv.weight").and_then(|shape| shape.last().copied()).unwrap_or(official.init_kernel),
        condition_dim: embedding.and_then(|side| side.checked_sub(4 * dim)).unwrap_or(official.condition_dim),
        learned_null_condition: find("null_cond_emb").is_some(),
        upsampling: match (find("ups.0.4.1.weight").is_some(), padding) {
            (false, _) => Upsampling::Deconvolution,
            (true, Padding::Reflect) => Upsampling::NearestReflect,
            (true, Padding::Zeros) => Upsampling::NearestZeros,
        },
    })
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;

    use super::*;

    #[test]
    fn keys_are_found_in_any_wrapping() {
        let key = |key| place_of(key, &LFAE_PARTS).map(|place| place.1);
        for wrapped in [
            "generator.first.weight",
            "module.generator.first.weight",
            "model.generator.module.first.weight",
            "_orig_mod.module.generator._orig_mod.first.weight",
        ] {
            assert_eq!(key(wrapped).as_deref(), Some("generator.first.weight"));
        }
        assert_eq!(key("discriminator.weight"), None);
        let betas = place_of("diffusion.module.betas", &[DENOISER, BETAS]).unwrap();
        assert_eq!(betas, ("diffusion".to_owned(), "betas".to_owned()));
        assert!(is_ignored("optimizer_diff.state.x") && is_ignored("diffusion.posterior_variance"));
        assert!(!is_ignored("discriminator.weight"));
    }

    #[test]
    fn a_schedule_is_known_again_in_half_precision() {
        let schedule = NoiseSchedule::new(ScheduleKind::Cosine, 1000);
        let betas: Vec<f64> = (0..1000).map(|time| schedule.beta(time)).collect();
        let rounded = |round: fn(f64) -> f64| betas.iter().map(|&beta| round(beta)).collect::<Vec<_>>();
        for betas in [
            rounded(|beta| f64::from(beta as f32)),
            rounded(|beta| f16::from_f64(beta).into()),
            rounded(|beta| bf16::from_f64(beta).into()),
        ] {
            assert!(are_of_schedule(&betas, ScheduleKind::Cosine));
        }
        let linear: Vec<f64> = (0..1000).map(|time| f16::from_f64(1e-4 + 2e-5 * f64::from(time)).into()).collect();
        assert!(!are_of_schedule(&linear, ScheduleKind::Cosine));
        assert!(!are_of_schedule(&rounded(|beta| beta * 1.001), ScheduleKind::Cosine));
    }

    #[test]
    fn the_sizes_of_the_u_net_are_those_of_its_weights() {
        let official = LfdmConfig::faces_64(768).diffusion.unet;
        for (learned, upsampling) in [(true, Upsampling::NearestReflect), (false, Upsampling::Deconvolution)] {
            let config = UnetConfig {
                diffused: Diffused::Motion,
                dim: 16,
                dim_mults: vec![1, 3],
                heads: 2,
                head_dim: 12,
                groups: 8,
                init_kernel: 5,
                condition_dim: 9,
                learned_null_condition: learned,
                upsampling,
            };
            let unet_module = config.init(4, &Device::flex());
            let weights = crate::weights::collect_module(&unet_module, &diffusion::official_key).prefixed(DENOISER);
            assert_eq!(unet(&weights, &official, Padding::Reflect), Ok(config));
        }
        let missing = unet(&StateDict::default(), &official, Padding::Zeros).unwrap();
        assert_eq!(missing.dim_mults, official.dim_mults);
        let mut odd = StateDict::default();
        odd.insert("denoise_fn.init_conv.weight", TensorData::zeros::<f32, _>([12, 7, 1, 7, 7]));
        assert!(unet(&odd, &official, Padding::Zeros).unwrap_err().contains("multiples of 8"));
    }
}
