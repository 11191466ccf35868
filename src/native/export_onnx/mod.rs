//! `lfdm export-onnx`: the networks of generation as ONNX graphs, for other runtimes.

mod example;
mod generator;
mod graph;
mod proto;
mod unet;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use burn::tensor::{Device, TensorData};
use serde_json::json;

use self::proto::Model;
use super::networks::Networks;
use super::staging::{Place, ensure_replaceable};
use crate::{
    bundle::{Bundle, Manifest, Part},
    diffusion::DiffusionModel,
    pipeline::Animator,
    weights::{StateDict, WeightDtype},
};

/// What the directory holds, and nothing else does.
const FILES: [&str; 6] =
    ["encoder.onnx", "denoiser.onnx", "decoder.onnx", "tables.safetensors", "example.safetensors", ABOUT];

/// Says what the other files are, and by which program.
const ABOUT: &str = "about.json";
/// What the name and version of this program begin with.
const PROGRAM: &str = "lfdm ";

/// Protobuf messages end here.
const MAX_BYTES: usize = i32::MAX as usize;

/// Options of `lfdm export-onnx`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Directory of the model: manifest.json and its weights.
    #[arg(long)]
    model: PathBuf,
    /// Directory to write; an earlier export is replaced once the new one is complete.
    #[arg(long)]
    out: PathBuf,
}

/// Writes the graphs, the tables that sampling needs, and an example of what the networks compute.
pub(crate) fn run(args: &Args) -> Result<()> {
    let place = refuse_what_is_not_ours(&args.out, &args.model)?;
    let device = Device::flex();
    let bundle = Bundle::open_parts(&args.model, &[Part::Generation])?;
    let unusable = || format!("cannot use the model in {}", args.model.display());
    Animator::load(bundle.clone(), &device).with_context(unusable)?;
    let Bundle { manifest, weights } = bundle;
    let networks = Networks::load(&manifest.config, &weights, &device).with_context(unusable)?;

    let failed = || format!("cannot write {}", args.out.display());
    let staging = place.staging().with_context(failed)?;
    let write = |name: &str, bytes: &[u8]| fs::write(staging.path().join(name), bytes).with_context(failed);
    let [generator, unet] = networks.weights();
    for (name, graph) in [
        ("encoder.onnx", generator::encoder(&manifest.config, &generator, &unet)),
        ("denoiser.onnx", unet::denoiser(&manifest.config, &unet)),
        ("decoder.onnx", generator::decoder(&manifest.config, &generator)),
    ] {
        write(name, &encoded(name, &graph)?)?;
    }
    let tables = tables(&weights, &networks.diffusion);
    write("tables.safetensors", &tables.to_safetensors(WeightDtype::F32, None)?)?;
    let example = example::compute(&manifest.config, &networks, &tables, &device);
    write("example.safetensors", &example.to_safetensors(WeightDtype::F32, None)?)?;
    write(ABOUT, &serde_json::to_vec_pretty(&about(&manifest))?)?;
    staging.publish().with_context(failed)?;
    tracing::info!("{}: {}", args.out.display(), FILES.join(", "));
    Ok(())
}

/// What sampling needs besides the networks: `conditions`, one row for each label, and
/// `null_condition`; `motion.mean` and `motion.std`, by which what is denoised becomes motion;
/// `alphas_cumprod` of all times.
fn tables(weights: &StateDict, diffusion: &DiffusionModel) -> StateDict {
    let mut tables = weights.clone().filter(|key| ["conditions", "motion.mean", "motion.std"].contains(&key));
    tables.insert("null_condition", diffusion.denoise_fn.null_condition().into_data());
    let schedule = diffusion.schedule();
    let alphas: Vec<f32> = (0..schedule.len()).map(|time| schedule.alpha_cumprod(time) as f32).collect();
    tables.insert("alphas_cumprod", TensorData::new(alphas, [schedule.len()]));
    tables
}

fn about(manifest: &Manifest) -> serde_json::Value {
    let Manifest { name, config, labels, strengths, fps, default_steps, default_guidance, licence, .. } = manifest;
    json!({
        "name": name,
        "config": config,
        "labels": labels,
        "strengths": strengths,
        "fps": fps,
        "default_steps": default_steps,
        "default_guidance": default_guidance,
        "licence": licence,
        "created_with": format!("{PROGRAM}{}", env!("CARGO_PKG_VERSION")),
    })
}

fn encoded(name: &str, graph: &Model) -> Result<Vec<u8>> {
    let bytes = graph.encode();
    ensure!(
        bytes.len() <= MAX_BYTES,
        "{name} would have {:.1} GB, and an ONNX file can have 2; this model is too large",
        bytes.len() as f64 / 1e9
    );
    Ok(bytes)
}

/// Replaces nothing but an earlier export.
fn refuse_what_is_not_ours(out: &Path, model: &Path) -> Result<Place> {
    // Other programs write files of these names, too.
    let is_export = is_ours(&out.join(ABOUT));
    ensure_replaceable(out, |name| is_export && FILES.contains(&name), &[model])
}

/// Whether `about` says that this program wrote what lies beside it.
fn is_ours(about: &Path) -> bool {
    let about: Option<serde_json::Value> = fs::read(about).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    about.is_some_and(|about| about["created_with"].as_str().is_some_and(|program| program.starts_with(PROGRAM)))
}

#[cfg(test)]
mod tests {
    use crate::config::LfdmConfig;
    use std::collections::BTreeSet;

    use super::proto::GraphProto;
    use super::*;
    use crate::config::{Diffused, Upsampling};
    use crate::motion::FlowResize;

    /// The three graphs of a model with random weights.
    fn graphs(change: impl FnOnce(&mut LfdmConfig)) -> Vec<GraphProto> {
        let mut config = LfdmConfig::faces_64(3);
        config.frames = 4;
        config.diffusion.unet.dim = 8;
        config.diffusion.unet.groups = 4;
        change(&mut config);
        config.validate().unwrap();
        let networks = Networks::init(&config, &Device::flex());
        let [generator, unet] = networks.weights();
        let files = [
            generator::encoder(&config, &generator, &unet),
            unet::denoiser(&config, &unet),
            generator::decoder(&config, &generator),
        ];
        files.into_iter().map(|file| file.graph).collect()
    }

    /// Every name stands for one tensor, which is there before its use; constants have their size.
    fn check(graph: &GraphProto) {
        let mut known = BTreeSet::new();
        let inputs = graph.inputs.iter().map(|input| &input.name);
        for name in inputs.chain(graph.constants.iter().map(|constant| &constant.name)) {
            assert!(known.insert(name), "`{name}` is there twice");
        }
        for constant in &graph.constants {
            let numbers: usize = constant.shape.iter().product();
            let size = if constant.element == proto::FLOAT { 4 } else { 8 };
            assert_eq!(constant.bytes.len(), numbers * size, "`{}`", constant.name);
        }
        for node in &graph.nodes {
            for input in node.inputs.iter().filter(|input| !input.is_empty()) {
                assert!(known.contains(input), "`{}` needs `{input}`", node.name);
            }
            assert!(known.insert(&node.output), "`{}` is there twice", node.output);
        }
        assert!(graph.outputs.iter().all(|output| known.contains(&output.name)));
    }

    fn shape(graph: &GraphProto, output: &str) -> Vec<usize> {
        graph.outputs.iter().find(|port| port.name == output).unwrap().shape.clone()
    }

    #[test]
    fn every_kind_of_model_makes_sound_graphs() {
        let changes: [fn(&mut LfdmConfig); 6] = [
            |_| {},
            |config| config.diffusion.unet.upsampling = Upsampling::Deconvolution,
            |config| config.diffusion.unet.upsampling = Upsampling::NearestReflect,
            |config| config.lfae.generator.painter = true,
            |config| config.lfae.flow.resize = FlowResize::Places,
            |config| (config.lfae.generator.skips, config.lfae.flow.occlusion) = (false, false),
        ];
        for change in changes {
            let [encoder, denoiser, decoder] = graphs(change).try_into().unwrap();
            [&encoder, &denoiser, &decoder].into_iter().for_each(check);
            assert_eq!(shape(&encoder, "features_2"), [1, 128, 16, 16]);
            assert_eq!(shape(&encoder, "reference"), [1, 8, 16, 16]);
            assert_eq!(shape(&denoiser, "output"), [1, 3, 4, 16, 16]);
            assert_eq!(shape(&decoder, "prediction"), [1, 3, 64, 64]);
        }
    }

    #[test]
    fn wavelets_have_a_finer_flow() {
        let [_, denoiser, decoder] = graphs(|config| {
            let config_128 = LfdmConfig::faces_128(3);
            (config.image_size, config.lfae) = (config_128.image_size, config_128.lfae);
            config.lfae.fine_refinement = config.lfae.refinement.clone();
            config.lfae.generator.painter = true;
            config.diffusion.unet.diffused = Diffused::MotionWavelets;
        })
        .try_into()
        .unwrap();
        [&denoiser, &decoder].into_iter().for_each(check);
        assert_eq!(shape(&denoiser, "output"), [1, 12, 4, 16, 16]);
        assert_eq!(shape(&decoder, "prediction"), [1, 3, 128, 128]);
    }

    #[test]
    fn pairs_are_half_as_many_frames() {
        let [_, denoiser, decoder] = graphs(|config| *config = config.clone().with_frame_pairs()).try_into().unwrap();
        [&denoiser, &decoder].into_iter().for_each(check);
        assert_eq!(shape(&denoiser, "output"), [1, 6, 2, 16, 16]);
        assert_eq!(shape(&decoder, "prediction"), [1, 3, 64, 64]);
    }

    #[test]
    fn only_an_earlier_export_is_replaced() {
        let parent = tempfile::tempdir().unwrap();
        let (out, model) = (parent.path().join("onnx"), parent.path().join("model"));
        refuse_what_is_not_ours(&out, &model).unwrap();
        fs::create_dir(&out).unwrap();
        fs::write(out.join("encoder.onnx"), b"another program's").unwrap();
        let refused = || refuse_what_is_not_ours(&out, &model).unwrap_err().to_string();
        assert!(refused().contains("holds encoder.onnx"));
        fs::write(out.join(ABOUT), br#"{ "created_with": "another program" }"#).unwrap();
        assert!(refused().contains("holds about.json"));
        fs::write(out.join(ABOUT), br#"{ "created_with": "lfdm 0.1.0" }"#).unwrap();
        refuse_what_is_not_ours(&out, &model).unwrap();
        fs::write(out.join("thesis.tex"), b"years of work").unwrap();
        assert!(refused().contains("thesis.tex"));
        let message = format!("{:#}", refuse_what_is_not_ours(&out.join("thesis.tex"), &model).unwrap_err());
        assert!(message.contains("is a file"), "{message}");
    }
}
