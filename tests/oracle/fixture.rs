//! Cuts the small set of this repository out of a full one:
//! `LFDM_ORACLE=<dir> cargo test --test oracle -- --ignored write_the_small_set`.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use serde_json::{Map, Value};

use crate::golden::weights_file;

/// What the small set keeps: whole groups, and single tensors of large ones. Later rules win.
const TENSORS: &[(bool, &str)] = &[
    (true, "units/"),
    (false, "units/genvar/nodeform"),
    (false, "units/relpos/bucket96"),
    (false, "units/relpos/bias40"),
    (false, "units/parts/layernorm"),
    (false, "units/parts/tattn_nobias"),
    (false, "units/parts/x_mid"),
    (false, "units/parts/mid_"),
    (true, "lfae/nonsquare/"),
    (true, "lfae/c0/"),
    (false, "lfae/c0/stages/"),
    (false, "lfae/c0/pfp/deformed_source"),
    (false, "lfae/c0/fwf/taps/"),
    (false, "lfae/c0/fwf/deformed"),
    (false, "lfae/c0/region/"),
    (false, "lfae/c0/compute_fea"),
    (false, "lfae/c0/generator/deformed"),
    (true, "train/lfae/"),
    (false, "train/lfae/vgg_feats/real_"),
    (true, "dm/sched"),
    (true, "dm/diff/"),
    (true, "dm/get_grid"),
    (true, "dm/ddim5_eta1/x0"),
    (true, "dm/ddim5_eta1/eps0"),
    (true, "dm/ddim5_eta1/noise1"),
    (true, "dm/ddim5_eta1/x1"),
    (true, "dm/ddim5_eta0/x4"),
    (true, "dm/ddim5_eta0/eps4"),
    (true, "dm/ddim5_eta0/final"),
];

/// States of trajectories that the small set enters in the middle: what a full set computes is given here.
const GIVEN: &[&str] = &["dm/ddim5_eta1/x0", "dm/ddim5_eta1/eps0", "dm/ddim5_eta0/x4", "dm/ddim5_eta0/eps4"];

/// Weights of the U-Net's parts that `units/` covers; stage 1 is kept whole.
const WEIGHTS: &[(bool, &str)] = &[
    (true, "generator."),
    (true, "region_predictor."),
    (true, "bg_predictor."),
    (true, "diffusion.denoise_fn.time_rel_pos_bias."),
    (true, "diffusion.denoise_fn.time_mlp."),
    (true, "diffusion.denoise_fn.init_conv."),
    (true, "diffusion.denoise_fn.downs.0.2."),
    (true, "diffusion.denoise_fn.downs.0.4."),
    (true, "diffusion.denoise_fn.downs.1.0."),
    (true, "diffusion.denoise_fn.downs.1.3."),
    (true, "diffusion.denoise_fn.ups.0.4."),
    (true, "diffusion.denoise_fn.final_conv."),
    (true, "diffusion.denoise_fn.occlusion_map."),
];

const MAX_BYTES: usize = 6 << 20;

#[test]
#[ignore = "rewrites tests/fixtures/oracle from a full set"]
fn write_the_small_set() {
    let source = std::env::var_os("LFDM_ORACLE").map(std::path::PathBuf::from).expect("LFDM_ORACLE names the full set");
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/oracle");
    std::fs::create_dir_all(&target).unwrap();

    let mut manifest: Value = serde_json::from_slice(&std::fs::read(source.join("manifest.json")).unwrap()).unwrap();
    let Value::Object(tensors) = manifest["tensors"].take() else { panic!("the manifest lists tensors") };
    let kept: Map<String, Value> = tensors.into_iter().filter(|(name, _)| keeps(TENSORS, name)).collect();
    let mut files: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, entry) in &kept {
        files.entry(entry["file"].as_str().unwrap()).or_default().push(name);
    }
    let mut total = 0;
    for (file, names) in files {
        total += copy(&source.join(file), &target.join(file), |name| names.contains(&name));
    }
    let weights = weights_file(&source, &manifest).expect("the set's weights as safetensors");
    total += copy(&weights, &target.join("weights_a.safetensors"), |key| keeps(WEIGHTS, key));

    let short = |(name, entry): (&String, &Value)| {
        let fields = ["file", "role", "max_abs", "f32_noise_max", "ill_conditioned", "adam_sign_flip"];
        let fields = fields.into_iter().filter(|&field| !entry[field].is_null());
        let mut short: Map<String, Value> = fields.map(|field| (field.to_owned(), entry[field].clone())).collect();
        if GIVEN.contains(&name.as_str()) {
            short["role"] = "in".into();
        }
        (name.clone(), short.into())
    };
    let short: Map<String, Value> = kept.iter().map(short).collect();
    let used = |name: &str, info: &Value| {
        info["times"].is_array() || name.starts_with("units/") || name.starts_with("train/lfae")
    };
    let info: Map<String, Value> = manifest["info"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, info)| used(name, info))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    let small = serde_json::json!({
        "set": manifest["set"], "made_with": manifest["made_with"], "config": manifest["config"], "info": info,
        "tensors": short,
    });
    let text = serde_json::to_string(&small).unwrap().replace("},\"", "},\n\"");
    std::fs::write(target.join("manifest.json"), &text).unwrap();
    total += text.len();
    let yaml = std::fs::read(source.join("config.yaml")).unwrap();
    std::fs::write(target.join("config.yaml"), &yaml).unwrap();
    total += yaml.len();
    println!("{total} bytes");
    assert!(total < MAX_BYTES, "{total} bytes are too many for the repository");
}

fn keeps(rules: &[(bool, &str)], name: &str) -> bool {
    rules.iter().rev().find(|(_, prefix)| name.starts_with(prefix)).is_some_and(|&(keep, _)| keep)
}

/// Copies the chosen tensors of a safetensors file; returns the bytes written.
fn copy(from: &Path, to: &Path, keep: impl Fn(&str) -> bool) -> usize {
    let bytes = std::fs::read(from).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let kept: Vec<(String, TensorView)> = file.tensors().into_iter().filter(|(name, _)| keep(name)).collect();
    let written = safetensors::serialize(kept, None).unwrap();
    std::fs::write(to, &written).unwrap();
    written.len()
}
