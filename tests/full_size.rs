//! The official model at its full size: 128x128 pixels, 40 frames, a U-Net of 42.7 million parameters.
//!
//! Minutes long, so it runs when asked: `cargo test --release --features native --test full_size -- --ignored
//! --nocapture`. With `LFDM_FULL_SIZE=<dir>` the bundle stays there, for the page's own test of it
//! (`tests/browser/full-size.test.js`).
#![cfg(feature = "native")]

mod tiny;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use burn::module::Module;
use burn::tensor::{Device, Distribution, Tensor};
use lfdm::bundle::{Bundle, Manifest, Part};
use lfdm::condition::ConditionTable;
use lfdm::config::LfdmConfig;
use lfdm::diffusion::{self, MotionCodec};
use lfdm::lfae;
use lfdm::weights::{WeightDtype, collect_module};

/// The sizes of the official configuration for MUG.
const CONFIG: &str = "
dataset_params: { frame_shape: 128 }
model_params:
  num_regions: 10
  num_channels: 3
  estimate_affine: true
  revert_axis_swap: true
  bg_predictor_params: { block_expansion: 32, max_features: 1024, num_blocks: 5, bg_type: affine }
  region_predictor_params:
    { temperature: 0.1, block_expansion: 32, max_features: 1024, num_blocks: 5, scale_factor: 0.25, pca_based: true }
  generator_params:
    block_expansion: 64
    max_features: 512
    num_down_blocks: 2
    num_bottleneck_blocks: 6
    skips: true
    pixelwise_flow_predictor_params:
      block_expansion: 64
      max_features: 1024
      num_blocks: 5
      scale_factor: 0.25
      use_deformed_source: true
      use_covar_heatmap: true
      estimate_occlusion_map: true
";
const LABELS: [&str; 6] = ["anger", "disgust", "fear", "happiness", "sadness", "surprise"];
const FRAMES: usize = 40;

/// Parameters of the official model's parts in millions, counted in PyTorch.
const MILLIONS: [(&str, f64); 5] = [
    ("encoder and decoder", 7.9),
    ("pixelwise flow predictor", 37.7),
    ("region predictor", 14.1),
    ("background predictor", 6.3),
    ("U-Net", 42.7),
];

/// The model with random weights; its parts have the official numbers of parameters.
fn model() -> Bundle {
    let device = Device::flex();
    device.seed(1);
    let config = LfdmConfig::from_official(&serde_yaml_ng::from_str(CONFIG).unwrap(), FRAMES).unwrap();
    let stage_1 = config.lfae.init(&device);
    let stage_2 = config.diffusion.init(config.latent_channels(), &device);
    let predictor = &stage_1.flow_predictor;
    let counts = [
        stage_1.generator.num_params(),
        predictor.pixelwise.num_params(),
        predictor.region_predictor.num_params(),
        predictor.bg_predictor.num_params(),
        stage_2.num_params(),
    ];
    for ((part, millions), count) in MILLIONS.into_iter().zip(counts) {
        println!("{part}: {count} parameters");
        assert!((count as f64 / 1e6 - millions).abs() < 0.1, "{part}: {count}, not {millions} million");
    }
    let mut weights = collect_module(&stage_1, &lfae::official_key);
    weights.merge(collect_module(&stage_2, &diffusion::official_key));
    let labels: Vec<String> = LABELS.map(str::to_owned).to_vec();
    let vectors = Tensor::random([LABELS.len(), 768], Distribution::Normal(0.0, 0.3), &device);
    weights.merge(ConditionTable::new(labels.clone(), vectors).unwrap().to_state());
    weights.merge(MotionCodec::official(config.flow_size(), false, &device).to_state());
    let manifest =
        Manifest { fps: 10.0, default_steps: 10, default_guidance: 1.0, ..tiny::manifest("mug128", config, labels) };
    Bundle { manifest, weights }
}

/// Runs `lfdm` in `dir` and shows its messages.
fn lfdm(dir: &Path, arguments: &str) {
    let arguments = arguments.split_whitespace();
    let output = Command::new(env!("CARGO_BIN_EXE_lfdm")).args(arguments).current_dir(dir).output().unwrap();
    let messages = String::from_utf8_lossy(&output.stderr);
    println!("{messages}");
    assert!(output.status.success());
}

#[test]
#[ignore = "takes minutes and 3 GB"]
fn the_official_size_is_imported_and_sampled() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    model().write_dir(&dir.join("random"), WeightDtype::F32).unwrap();
    fs::write(dir.join("mug128.yaml"), CONFIG).unwrap();
    lfdm(dir, "export-pth --model random --out pth");

    let out = std::env::var_os("LFDM_FULL_SIZE").map_or_else(|| dir.join("mug128"), PathBuf::from);
    let out = std::path::absolute(out).unwrap();
    let path = out.display();
    lfdm(
        dir,
        &format!(
            "import --lfae pth/lfae.pth --dm pth/dm.pth --config mug128.yaml \
             --conditions pth/conditions.safetensors --out {path}"
        ),
    );
    let manifest = Manifest::parse(&fs::read(out.join("manifest.json")).unwrap()).unwrap();
    for part in [Part::Generation, Part::FlowPrediction] {
        let files: Vec<usize> = manifest.files.iter().filter(|file| file.part == part).map(|file| file.bytes).collect();
        println!("{part:?}: {} shards, {:.1} MB", files.len(), files.iter().sum::<usize>() as f64 / 1e6);
    }

    image::RgbImage::from_fn(128, 128, |x, y| image::Rgb([2 * x as u8, 2 * y as u8, 128]))
        .save(dir.join("p.png"))
        .unwrap();
    lfdm(
        dir,
        &format!(
            "animate --model {path} --image p.png --label happiness --sampler ddim-official --steps 10 --out video"
        ),
    );
    assert_eq!(fs::read_dir(dir.join("video")).unwrap().count(), FRAMES);
}
