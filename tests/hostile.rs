//! Files that nobody meant well: none may panic, hang, or fill the memory.
//!
//! Every file is a good one with something changed, by a generator with a fixed seed, so that a failure repeats.
//! `LFDM_HOSTILE_SECONDS` says how long each of the six kinds is tried [default: 4, half a minute for all]; an hour and
//! a half is what `tests/hostile/run.sh` gives them. `tests/hostile/fuzz.sh` is guided by coverage.
#![cfg(feature = "native")]

#[path = "hostile/pickles.rs"]
mod pickles;
#[path = "hostile/readers.rs"]
mod readers;
mod tiny;
#[cfg(unix)]
#[path = "hostile/trials.rs"]
mod trials;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use burn::tensor::Device;
use lfdm::bundle::{Bundle, Manifest};
use lfdm::condition::ConditionTable;
use lfdm::config::{LfdmConfig, UnetConfig};
use lfdm::diffusion::{self, MotionCodec};
use lfdm::lfae;
use lfdm::native::official::parse_yaml;
use lfdm::pipeline::Animator;
use lfdm::weights::collect_module;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use serde_json::{Value, json};

use self::{readers::Shards, tiny::official::CONFIG};

const BERT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/bert");
const FACES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/faces");
/// Longest time for one file.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most memory of the whole process, in kB.
const MEMORY: u64 = 2_000_000;

fn seconds() -> u64 {
    std::env::var("LFDM_HOSTILE_SECONDS").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(4)
}

/// Calls `attempt` with generators of seeds 0, 1, 2, … until the time is over, and at least `fewest` times.
fn try_all(fewest: u64, attempt: impl Fn(&mut ChaCha8Rng)) {
    let since = Instant::now();
    let mut seed = 0;
    while seed < fewest || since.elapsed().as_secs() < seconds() {
        endure(&format!("seed {seed}"), || attempt(&mut ChaCha8Rng::seed_from_u64(seed)));
        seed += 1;
    }
    println!("{seed} files");
}

/// Fails for a panic, a hang, or too much memory.
fn endure(name: &str, attempt: impl FnOnce()) {
    let since = Instant::now();
    assert!(catch_unwind(AssertUnwindSafe(attempt)).is_ok(), "{name}: it panicked");
    assert!(since.elapsed() < PATIENCE, "{name}: it took {:?}", since.elapsed());
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
    assert!(peak.unwrap_or(0) < MEMORY, "{name}: {peak:?} kB");
}

/// Changes some bytes, moves or repeats a part, or cuts the end off.
fn damage(bytes: &mut Vec<u8>, rng: &mut ChaCha8Rng) {
    for _ in 0..=rng.next_u32() % 4 {
        if bytes.len() < 8 {
            return;
        }
        let place = |rng: &mut ChaCha8Rng| rng.next_u32() as usize % bytes.len();
        let (from, to) = (place(rng), place(rng));
        let length = (1 + rng.next_u32() as usize % 40).min(bytes.len() - from.max(to));
        match rng.next_u32() % 6 {
            0 | 1 => bytes[from] = rng.next_u32() as u8,
            2 => bytes[from] = [0, 1, 0x7f, 0x80, 0xff][to % 5],
            3 => bytes.copy_within(from..from + length, to),
            4 => {
                let part = bytes[from..from + length].to_vec();
                bytes.splice(to..to, part);
            }
            _ => bytes.truncate(from.max(bytes.len() / 2)),
        }
    }
}

fn fixtures() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pth");
    let mut paths: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "pth"));
    paths.sort();
    assert!(!paths.is_empty());
    paths
}

#[test]
fn damaged_checkpoints() {
    let originals: Vec<Vec<u8>> = fixtures().iter().map(|path| fs::read(path).unwrap()).collect();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("damaged.pth");
    try_all(200, |rng| {
        let mut bytes = originals[rng.next_u32() as usize % originals.len()].clone();
        damage(&mut bytes, rng);
        readers::checkpoint(&path, &bytes);
    });
}

#[test]
fn pickles_that_were_too_much_and_random_ones() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("odd.pth");
    let known = pickles::known();
    assert_eq!(known.len(), 12);
    for (name, bytes) in known {
        endure(&name, || readers::checkpoint(&path, &bytes));
    }
    try_all(300, |rng| readers::checkpoint(&path, &pickles::random(rng.next_u64())));
}

#[test]
fn damaged_bundles() {
    let dir = tempfile::tempdir().unwrap();
    let model = Shards::write(dir.path());
    let shards = model.read();
    try_all(60, |rng| {
        let (name, original) = &shards[rng.next_u32() as usize % shards.len()];
        let mut bytes = original.clone();
        // The header, which says what there is, is a small part of the file.
        let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        let rest = bytes.split_off(if rng.next_u32() % 4 == 0 { bytes.len() } else { header });
        damage(&mut bytes, rng);
        bytes.extend(rest);
        model.load_with(name, &bytes);
    });
}

/// A copy of a layout of the small text encoder.
fn text_encoder(layout: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(Path::new(BERT).join(layout)).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, dir.path().join(path.file_name().unwrap())).unwrap();
    }
    dir
}

#[test]
fn damaged_text_encoders() {
    let [now, then] = ["now", "then"].map(text_encoder);
    let files = [
        (&now, "config.json"),
        (&now, "tokenizer.json"),
        (&now, "model.safetensors"),
        (&then, "config.json"),
        (&then, "tokenizer_config.json"),
        (&then, "vocab.txt"),
        (&then, "pytorch_model.bin"),
    ];
    for (dir, file) in files {
        assert!(readers::text_encoder(dir.path(), file, &fs::read(dir.path().join(file)).unwrap()), "{file}");
    }
    try_all(140, |rng| {
        let (dir, file) = files[rng.next_u32() as usize % files.len()];
        let mut bytes = fs::read(dir.path().join(file)).unwrap();
        damage(&mut bytes, rng);
        readers::text_encoder(dir.path(), file, &bytes);
    });
}

#[test]
fn text_encoders_with_one_number_changed() {
    for (layout, file) in [("now", "config.json"), ("then", "config.json"), ("now", "tokenizer.json")] {
        let dir = text_encoder(layout);
        let original: Value = serde_json::from_slice(&fs::read(dir.path().join(file)).unwrap()).unwrap();
        let mut paths = Vec::new();
        numbers("", &original, &mut paths);
        // Of the vocabulary a part is enough.
        let (mut tried, mut encodes) = (0, 0);
        for path in paths.iter().step_by(if paths.len() > 100 { 10 } else { 1 }) {
            for odd in odd_numbers() {
                let mut changed = original.clone();
                *changed.pointer_mut(path).unwrap() = odd.clone();
                tried += 1;
                endure(&format!("{file}, {path} = {odd}"), || {
                    encodes += usize::from(readers::text_encoder(dir.path(), file, changed.to_string().as_bytes()));
                });
            }
        }
        println!("{layout}/{file}: {tried} files, {encodes} of them plausible");
        assert!(tried > encodes && encodes > 0, "{tried} {encodes}");
    }
}

/// Writes what fuzzing begins with: good files, and those that were once too much.
#[test]
#[ignore = "tests/hostile/fuzz.sh asks for it"]
fn seeds_of_fuzzing() {
    /// Longer pickles are only deep, and slow everything that grows out of them.
    const MOST: usize = 20_000;
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    let write = |target: &str, name: &str, bytes: &[u8]| {
        fs::create_dir_all(corpus.join(target)).unwrap();
        fs::write(corpus.join(target).join(name.replace(' ', "-")), bytes).unwrap();
    };
    for path in fixtures() {
        write("checkpoint", &path.file_name().unwrap().to_string_lossy(), &fs::read(&path).unwrap());
    }
    for (name, bytes) in pickles::known().into_iter().filter(|(_, bytes)| bytes.len() <= MOST) {
        write("checkpoint", &name, &bytes);
    }
    for (name, text) in odd_yamls().into_iter().filter(|(_, text)| text.len() <= MOST) {
        write("yaml", name, text.as_bytes());
    }
    write("yaml", "official", CONFIG.as_bytes());
    write("manifest", "faces-64", &fs::read(shipped_manifest()).unwrap());
    let dir = tempfile::tempdir().unwrap();
    let shards = Shards::write(dir.path()).read();
    write("manifest", "tiny", &fs::read(dir.path().join("manifest.json")).unwrap());
    for (name, bytes) in shards {
        write("bundle", &name, &bytes);
    }
}

fn shipped_manifest() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("www/models/faces-64/manifest.json")
}

/// YAML files that were, or might be, too much, by name.
fn odd_yamls() -> Vec<(&'static str, String)> {
    let laughs = (1..40).fold("a0: &a0 [x]\n".to_owned(), |text, level| {
        let before = level - 1;
        format!("{text}a{level}: &a{level} [*a{before}, *a{before}, *a{before}, *a{before}]\n")
    });
    vec![
        ("lists in lists", "[".repeat(200_000)),
        ("maps in maps", "{a: ".repeat(200_000)),
        ("blocks in blocks", (0..3000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect()),
        ("anchors of anchors", laughs),
        ("itself", "a: &a\n  b: *a\n".to_owned()),
        ("65 pixels", CONFIG.replace("frame_shape: 32", "frame_shape: 65")),
        ("the same key twice", CONFIG.replace("num_channels: 3", "num_regions: 3")),
        ("a tag", CONFIG.replace("num_regions: 3", "num_regions: !!python/object/apply:os.system [true]")),
        ("nothing", String::new()),
    ]
}

#[test]
fn damaged_yaml_and_such_that_never_ends() {
    assert!(LfdmConfig::from_official(&parse_yaml(CONFIG).unwrap(), 4).is_ok());
    for (name, text) in &odd_yamls() {
        endure(name, || readers::yaml(text.as_bytes()));
    }
    try_all(1000, |rng| {
        let mut bytes = CONFIG.as_bytes().to_vec();
        damage(&mut bytes, rng);
        readers::yaml(&bytes);
    });
}

/// A small model that animates.
fn model() -> Bundle {
    let device = Device::flex();
    let labels = ["calm", "joy"].map(str::to_owned).to_vec();
    let config = tiny::config(32, 4, labels.len());
    let mut weights = collect_module(&config.lfae.init(&device), &lfae::official_key);
    let denoiser = config.diffusion.init(config.latent_channels(), &device);
    weights.merge(collect_module(&denoiser, &diffusion::official_key));
    weights.merge(ConditionTable::one_hot(labels.clone(), &device).to_state());
    weights.merge(MotionCodec::official(config.flow_size(), false, &device).to_state());
    Bundle { manifest: tiny::manifest("tiny", config, labels), weights }
}

/// Every number in `value`, by its JSON pointer.
fn numbers(path: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(section) => {
            section.iter().for_each(|(key, value)| numbers(&format!("{path}/{key}"), value, found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| numbers(&format!("{path}/{index}"), value, found));
        }
        Value::Number(_) => found.push(path.to_owned()),
        _ => {}
    }
}

fn odd_numbers() -> Vec<Value> {
    vec![
        json!(0),
        json!(1),
        json!(2),
        json!(3),
        json!(5),
        json!(7),
        json!(65),
        json!(1000),
        json!(4096),
        json!(1u64 << 31),
        json!(1u64 << 62),
        json!(u64::MAX),
        json!(-1),
        json!(0.3),
        json!(1e30),
    ]
}

/// Each number of a manifest replaced by odd ones: what is accepted must load, or say why it does not.
#[test]
fn manifests_with_one_number_changed() {
    let Bundle { mut manifest, weights } = model();
    manifest.files.push(lfdm::bundle::WeightFile {
        name: "weights-0.safetensors".into(),
        part: lfdm::bundle::Part::Generation,
        bytes: 1,
        sha256: String::new(),
    });
    let original = serde_json::to_value(&manifest).unwrap();
    let mut paths = Vec::new();
    numbers("", &original, &mut paths);
    let (mut tried, mut loaded) = (0, 0);
    for path in &paths {
        for odd in odd_numbers() {
            let mut changed = original.clone();
            *changed.pointer_mut(path).unwrap() = odd.clone();
            tried += 1;
            endure(&format!("{path} = {odd}"), || {
                let Ok(manifest) = Manifest::parse(&serde_json::to_vec(&changed).unwrap()) else { return };
                loaded += 1;
                drop(Animator::load(Bundle { manifest, weights: weights.clone() }, &Device::flex()));
            });
        }
    }
    println!("{tried} manifests, {loaded} of them plausible");
    assert!(loaded > paths.len(), "nothing gets through");
}

#[test]
fn manifests_that_never_end() {
    for text in ["[".repeat(500_000), "{\"a\":".repeat(500_000), "[1e999]".to_owned(), "\"\\ud800\"".to_owned()] {
        endure(&text[..6], || drop(Manifest::parse(text.as_bytes())));
    }
}

#[test]
fn damaged_manifests() {
    let original = fs::read(shipped_manifest()).unwrap();
    assert!(Manifest::parse(&original).is_ok());
    try_all(1000, |rng| {
        let mut bytes = original.clone();
        damage(&mut bytes, rng);
        drop(Manifest::parse(&bytes));
    });
}

/// An official YAML, as JSON.
fn official() -> Value {
    let hourglass = json!({ "block_expansion": 32, "max_features": 1024, "num_blocks": 5 });
    let with = |more: Value| {
        let mut all = hourglass.clone();
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    json!({
        "dataset_params": { "frame_shape": 128 },
        "model_params": {
            "num_regions": 10, "num_channels": 3, "estimate_affine": true, "revert_axis_swap": true,
            "bg_predictor_params": with(json!({ "bg_type": "affine" })),
            "region_predictor_params": with(json!({ "temperature": 0.1, "scale_factor": 0.25, "pca_based": true })),
            "generator_params": {
                "block_expansion": 64, "max_features": 512, "num_down_blocks": 2, "num_bottleneck_blocks": 6,
                "skips": true,
                "pixelwise_flow_predictor_params": with(json!({
                    "scale_factor": 0.25, "use_deformed_source": true, "estimate_occlusion_map": true,
                })),
            },
        },
    })
}

/// Odd numbers in an official YAML make no model, or one that is bounded.
#[test]
fn official_files_with_one_number_changed() {
    let original = official();
    assert_eq!(LfdmConfig::from_official(&original, 40).unwrap().validate(), Ok(()));
    with_one_number_changed(&original, |config| {
        let _ = (config.flow_size(), config.latent_size(), config.latent_channels());
    });
    let small: Value = serde_yaml_ng::from_str(CONFIG).unwrap();
    let made = std::cell::Cell::new(0);
    with_one_number_changed(&small, |mut config| {
        let unet = config.diffusion.unet.clone();
        config.diffusion.unet = UnetConfig { dim: 8, dim_mults: vec![1], heads: 2, head_dim: 8, ..unet };
        if config.validate().is_ok() {
            drop(config.lfae.init(&Device::flex()));
            drop(config.diffusion.init(config.latent_channels(), &Device::flex()));
            made.set(made.get() + 1);
        }
    });
    println!("{} models", made.get());
    assert!(made.get() > 20, "hardly any is plausible");
}

/// Gives `use_it` every plausible configuration that differs from the official YAML `original` in one odd number.
fn with_one_number_changed(original: &Value, use_it: impl Fn(LfdmConfig)) {
    let mut paths = Vec::new();
    numbers("", original, &mut paths);
    for path in &paths {
        for odd in odd_numbers() {
            let mut changed = original.clone();
            *changed.pointer_mut(path).unwrap() = odd.clone();
            endure(&format!("{path} = {odd}"), || match LfdmConfig::from_official(&changed, 40) {
                Ok(config) if config.validate().is_ok() => use_it(config),
                _ => {}
            });
        }
    }
}
