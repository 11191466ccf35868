//! Official checkpoints into a bundle and back, with the program alone.
//!
//! The checkpoints are written here. Where `LFDM_ORACLE` names a directory with checkpoints of the official
//! implementation (`lfae.pth`, `dm.pth` and their `config.yaml`), those are imported too, and compared with
//! `weights_a.safetensors` and `lfae_a_legacy_format.pth` if these lie in it or next to it.
#![cfg(feature = "native")]

mod tiny;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use burn::tensor::{Device, Tensor, TensorData};
use image::AnimationDecoder as _;
use lfdm::bundle::Bundle;
use lfdm::condition::ConditionTable;
use lfdm::native::pth::{self, Checkpoint, Entry};
use lfdm::weights::{StateDict, WeightDtype};
use tempfile::TempDir;

use self::tiny::official::{CONFIG, LABELS, MODEL, model};

const BERT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/bert/now");
const MALICIOUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/pth/malicious.pth");

/// Runs `lfdm` in `dir`; its messages, or its error if it fails.
fn lfdm(dir: &Path, arguments: &str) -> Result<String, String> {
    lfdm_with(dir, &arguments.split_whitespace().collect::<Vec<_>>())
}

/// The same with arguments that have spaces.
fn lfdm_with(dir: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(env!("CARGO_BIN_EXE_lfdm")).args(arguments).current_dir(dir).output().unwrap();
    let messages = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(messages) } else { Err(messages) }
}

/// A directory with the model as `model/`, its checkpoints as `pth/` and its `config.yaml`.
fn exported() -> TempDir {
    exported_of(&MODEL)
}

fn exported_of(model: &Bundle) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    model.write_dir(&dir.path().join("model"), WeightDtype::F32).unwrap();
    fs::write(dir.path().join("config.yaml"), CONFIG).unwrap();
    let messages = lfdm(dir.path(), "export-pth --model model --out pth").unwrap();
    assert!(!messages.contains("WARN"), "{messages}");
    dir
}

const IMPORT: &str = "import --lfae pth/lfae.pth --dm pth/dm.pth --config config.yaml \
    --conditions pth/conditions.safetensors --labels joy,calm,fear --frames 4";

fn bytes(data: &TensorData) -> Vec<u8> {
    data.as_bytes().to_vec()
}

/// Every float tensor of a checkpoint, by its key in it.
fn tensors(path: &Path) -> BTreeMap<String, TensorData> {
    let mut checkpoint = Checkpoint::open(path).unwrap();
    let tensors = checkpoint.tensors().unwrap().into_iter();
    tensors.filter_map(|(key, tensor)| Some((key, checkpoint.read(&tensor).unwrap()?))).collect()
}

/// Copies a checkpoint with other tensors.
fn edit(from: &Path, to: &Path, change: impl Fn(&mut BTreeMap<String, TensorData>)) {
    let mut all = tensors(from);
    change(&mut all);
    let mut parts: BTreeMap<String, Vec<(String, TensorData)>> = BTreeMap::new();
    for (key, data) in all {
        let (part, key) = key.split_once('.').unwrap();
        parts.entry(part.to_owned()).or_default().push((key.to_owned(), data));
    }
    let root: Vec<_> = parts.iter().map(|(part, tensors)| (part.as_str(), Entry::Tensors(tensors.clone()))).collect();
    pth::write(to, &root).unwrap();
}

#[test]
fn a_model_survives_the_way_to_pytorch_and_back_bit_by_bit() {
    let dir = exported();
    let dir = dir.path();
    let messages = lfdm(dir, &format!("{IMPORT} --out again --name official --dtype f32")).unwrap();
    assert!(!messages.contains("WARN"), "{messages}");
    let again = Bundle::open_dir(&dir.join("again")).unwrap();
    assert_eq!(again.manifest.config, MODEL.manifest.config);
    assert_eq!(again.manifest.labels, LABELS);
    assert_eq!(again.weights.len(), MODEL.weights.len());
    for (key, data) in MODEL.weights.iter() {
        assert_eq!(again.weights.get(key).map(bytes), Some(bytes(data)), "{key}");
    }
    lfdm(dir, "export-pth --model again --out pth2").unwrap();
    for file in ["lfae.pth", "dm.pth", "conditions.safetensors"] {
        assert_eq!(
            fs::read(dir.join("pth").join(file)).unwrap(),
            fs::read(dir.join("pth2").join(file)).unwrap(),
            "{file}"
        );
    }
    let refused = lfdm(dir, "export-pth --model again --out pth2").unwrap_err();
    assert!(refused.contains("pth2 exists already"), "{refused}");
}

#[test]
fn an_imported_model_makes_videos() {
    let dir = exported();
    let dir = dir.path();
    // As DataParallel saves, and with an optimiser and a network beside that LFDM does not have.
    for (file, part) in [("lfae.pth", "generator"), ("dm.pth", "diffusion")] {
        edit(&dir.join("pth").join(file), &dir.join(file), |all| {
            let prefixed = |key: String| match key.strip_prefix(part) {
                Some(rest) => format!("{part}.module{rest}"),
                None => key,
            };
            *all = std::mem::take(all).into_iter().map(|(key, data)| (prefixed(key), data)).collect();
            all.insert("optimizer.moment".into(), TensorData::from([f32::NAN]));
            all.insert("avd_network.fc.weight".into(), TensorData::from([1.0f32]));
        });
    }
    let import = IMPORT.replace("pth/lfae", "lfae").replace("pth/dm", "dm");
    for options in ["--out models/half", "--out models/half --residual-flow --fps 12"] {
        lfdm(dir, &format!("{import} {options}")).unwrap();
        image::RgbImage::from_fn(32, 32, |x, y| image::Rgb([x as u8 * 8, y as u8 * 8, 90]))
            .save(dir.join("p.png"))
            .unwrap();
        for sampler in ["dpm-solver", "ddim"] {
            let animate = "animate --model models/half --image p.png --label calm --steps 3 --out calm.gif";
            lfdm(dir, &format!("{animate} --sampler {sampler}")).unwrap();
            assert!(fs::read(dir.join("calm.gif")).unwrap().starts_with(b"GIF89a"));
        }
    }
    let bundle = Bundle::open_dir(&dir.join("models/half")).unwrap();
    assert_eq!((bundle.manifest.name.as_str(), bundle.manifest.fps), ("half", 12.0));
    let floats: usize = bundle.weights.iter().map(|(_, data)| data.num_elements()).sum();
    let stored: usize = bundle.manifest.files.iter().map(|file| file.bytes).sum();
    assert!(stored < 3 * floats + 100_000, "{stored} bytes for {floats} numbers are not half precision");
}

/// The message of an import that must fail and leave nothing behind.
fn refusal(dir: &Path, arguments: &str) -> String {
    let list = || {
        let mut names: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        names
    };
    let before = list();
    let message = lfdm(dir, &format!("{arguments} --out made/out")).expect_err(arguments);
    assert_eq!(list(), before, "{message}");
    assert!(!message.contains("panicked"), "{message}");
    message
}

fn assert_says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
}

#[test]
fn damaged_and_hostile_files_are_refused() {
    let dir = exported();
    let dir = dir.path();
    let with = |dm: &str| IMPORT.replace("pth/dm.pth", dm);

    let whole = fs::read(dir.join("pth/dm.pth")).unwrap();
    fs::write(dir.join("short.pth"), &whole[..whole.len() / 2]).unwrap();
    assert_says(&refusal(dir, &with("short.pth")), &["short.pth is damaged", "zip archive", "download it again"]);
    assert_says(&refusal(dir, &with(MALICIOUS)), &["malicious.pth", "`posix.system`", "nothing in it was run"]);
    assert_says(&refusal(dir, &with("config.yaml")), &["config.yaml is not a checkpoint"]);
    assert_says(&refusal(dir, &with("absent.pth")), &["absent.pth cannot be read"]);
    assert_says(
        &refusal(dir, &with("pth/lfae.pth")),
        &["pth/lfae.pth holds no weights of denoise_fn", "right way round"],
    );

    let key = "diffusion.denoise_fn.init_conv.bias";
    let set = |name: &str, value: f32| {
        edit(&dir.join("pth/dm.pth"), &dir.join(name), |all| {
            drop(all.insert(key.into(), TensorData::from([value; 8])));
        });
    };
    set("nan.pth", f32::NAN);
    assert_says(
        &refusal(dir, &with("nan.pth")),
        &["nan.pth: NaN or infinite", "earlier checkpoint", "denoise_fn.init_conv.bias"],
    );
    set("large.pth", 1e6);
    assert_says(
        &refusal(dir, &with("large.pth")),
        &["too large for half precision", "--dtype f32", "denoise_fn.init_conv.bias"],
    );
    lfdm(dir, &format!("{} --out large --dtype f32", with("large.pth"))).unwrap();

    fs::create_dir(dir.join("mine")).unwrap();
    fs::write(dir.join("mine/thesis.txt"), "x").unwrap();
    let message = lfdm(dir, &format!("{IMPORT} --out mine")).unwrap_err();
    assert_says(&message, &["mine holds thesis.txt"]);
    assert!(dir.join("mine/thesis.txt").exists());
}

#[test]
fn everything_that_does_not_fit_is_listed_at_once() {
    let dir = exported();
    let dir = dir.path();
    edit(&dir.join("pth/lfae.pth"), &dir.join("lfae.pth"), |all| {
        all.remove("bg_predictor.fc.bias").unwrap();
        all.insert("generator.extra.weight".into(), TensorData::from([1.0f32]));
        all.insert("discriminator.weight".into(), TensorData::from([1.0f32]));
    });
    edit(&dir.join("pth/dm.pth"), &dir.join("dm.pth"), |all| {
        all.insert("diffusion.denoise_fn.time_mlp.1.bias".into(), TensorData::from([0.0f32; 5]));
        all.insert("diffusion.betas".into(), TensorData::from([0.1f32; 10]));
    });
    let other = CONFIG.replace("num_regions: 3", "num_regions: 4");
    fs::write(dir.join("other.yaml"), other).unwrap();
    let import = "import --lfae lfae.pth --dm dm.pth --config other.yaml \
                  --conditions pth/conditions.safetensors --labels joy,glee";
    assert_says(
        &refusal(dir, import),
        &[
            "lfae.pth with other.yaml: ",
            "missing bg_predictor.fc.bias; unexpected generator.extra.weight",
            "`region_predictor.regions.weight` should be [4, 7, 7, 7] and is [3, 7, 7, 7]",
            "lfae.pth: not weights of LFDM",
            "discriminator.weight",
            "dm.pth with other.yaml: ",
            "`denoise_fn.time_mlp.1.bias` should be [32] and is [5]",
            "dm.pth: `diffusion.betas`",
            "pth/conditions.safetensors has no vector for `glee`; it knows calm, fear, joy",
        ],
    );

    fs::write(dir.join("incomplete.yaml"), "dataset_params: { frame_shape: 32 }").unwrap();
    let message = refusal(dir, &IMPORT.replace("config.yaml", "incomplete.yaml"));
    assert_says(&message, &["incomplete.yaml", "`model_params` is missing"]);
    fs::write(dir.join("broken.yaml"), "a: [").unwrap();
    assert_says(&refusal(dir, &IMPORT.replace("config.yaml", "broken.yaml")), &["broken.yaml is not a YAML file"]);
}

#[test]
fn conditions_need_the_length_that_the_u_net_takes() {
    let dir = exported();
    let dir = dir.path();
    let write = |name: &str, labels: &[(&str, usize)]| {
        let mut dict = StateDict::default();
        for &(label, length) in labels {
            dict.insert(label, TensorData::zeros::<f32, _>([length]));
        }
        fs::write(dir.join(name), dict.to_safetensors(WeightDtype::F32, None).unwrap()).unwrap();
    };
    let with = |name: &str| IMPORT.replace("pth/conditions.safetensors", name).replace("--labels joy,calm,fear", "");
    write("long.safetensors", &[("joy", 3), ("calm", 768)]);
    let message = refusal(dir, &with("long.safetensors"));
    assert_says(&message, &["long.safetensors: the vector of `calm` should be [3] and is [768]"]);
    write("none.safetensors", &[]);
    assert_says(&refusal(dir, &with("none.safetensors")), &["none.safetensors holds no vectors"]);
    assert_says(&refusal(dir, &with("config.yaml")), &["config.yaml", "not a safetensors file"]);
    assert_says(&refusal(dir, &with("absent.safetensors")), &["cannot read absent.safetensors"]);

    // A setting that nobody knows does no harm, but is named.
    let config = fs::read_to_string(dir.join("config.yaml")).unwrap();
    fs::write(dir.join("config.yaml"), format!("{config}  later_params: {{ width: 3 }}\n")).unwrap();
    write("two.safetensors", &[("joy", 3), ("calm", 3)]);
    let messages = lfdm(dir, &format!("{} --out two", with("two.safetensors"))).unwrap();
    assert_says(&messages, &["config.yaml: `model_params.later_params` is not a setting that lfdm knows"]);
    assert_eq!(Bundle::open_dir(&dir.join("two")).unwrap().manifest.labels, ["calm", "joy"]);
}

/// Runs only where `LFDM_ORACLE` names a set; what the set lacks is not compared.
#[test]
fn the_official_checkpoints_become_exactly_their_weights() {
    let Some(set) = std::env::var_os("LFDM_ORACLE").map(PathBuf::from) else { return };
    let set = fs::canonicalize(set).unwrap();
    let beside = |name: &str| {
        let found = [set.join(name), set.join("..").join(name)].into_iter().find(|path| path.exists());
        if found.is_none() {
            println!("skipped: {name} is neither in {} nor next to it", set.display());
        }
        found
    };
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let mut conditions = StateDict::default();
    conditions.insert("wave", TensorData::zeros::<f32, _>([768]));
    fs::write(dir.join("c.safetensors"), conditions.to_safetensors(WeightDtype::F32, None).unwrap()).unwrap();

    let golden =
        beside("weights_a.safetensors").map(|path| StateDict::from_safetensors(&fs::read(path).unwrap()).unwrap());
    let is_buffer = |key: &str| {
        let schedule = key.starts_with("diffusion.") && !key.contains("denoise_fn");
        schedule
            || key.ends_with("rotary_emb.freqs")
            || key.ends_with("down.weight")
            || key.ends_with("num_batches_tracked")
    };
    let checkpoints = [("zip", Some(set.join("lfae.pth"))), ("legacy", beside("lfae_a_legacy_format.pth"))];
    for (name, lfae) in checkpoints {
        let Some(lfae) = lfae else { continue };
        let (lfae, set) = (lfae.display(), set.display());
        let import =
            format!("import --lfae {lfae} --dm {set}/dm.pth --config {set}/config.yaml --conditions c.safetensors");
        lfdm(dir, &format!("{import} --frames 10 --dtype f32 --out {name}")).unwrap();
        let Some(golden) = &golden else { continue };
        let weights = Bundle::open_dir(&dir.join(name)).unwrap().weights;
        let mut compared = 0;
        for (key, data) in weights.iter().filter(|(key, _)| !key.starts_with("motion.") && *key != "conditions") {
            let key = if key.starts_with("denoise_fn") { format!("diffusion.{key}") } else { key.to_owned() };
            let golden = golden.get(&key).unwrap_or_else(|| panic!("{key} is not in the set"));
            assert_eq!((data.shape(), bytes(data)), (golden.shape(), bytes(golden)), "{key}");
            compared += 1;
        }
        assert_eq!(compared, golden.iter().filter(|(key, _)| !is_buffer(key)).count());
        println!("{name}: {compared} tensors are equal bit by bit");
    }

    // Buffers that the bundle does not hold come back as well: the official implementation loads strictly.
    lfdm(dir, "export-pth --model zip --out pth").unwrap();
    for file in ["lfae.pth", "dm.pth"] {
        let shapes = |path: &Path| -> BTreeMap<String, Vec<usize>> {
            let tensors = Checkpoint::open(path).unwrap().tensors().unwrap().into_iter();
            tensors.map(|(key, tensor)| (key, tensor.shape().to_vec())).collect()
        };
        let (ours, theirs) = (dir.join("pth").join(file), set.join(file));
        assert_eq!(shapes(&ours), shapes(&theirs), "{file}");
        let ours = tensors(&ours);
        for (key, data) in tensors(&theirs) {
            for (a, b) in ours[&key].iter::<f64>().zip(data.iter::<f64>()) {
                assert!(
                    if is_buffer(&key) { (a - b).abs() <= 2e-6 * b.abs().max(1e-6) } else { a == b },
                    "{key}: {a}, not {b}"
                );
            }
        }
    }

    image::RgbImage::new(64, 64).save(dir.join("p.png")).unwrap();
    lfdm(dir, "animate --model zip --image p.png --label wave --steps 2 --out wave.gif").unwrap();
    assert!(dir.join("wave.gif").exists());
}

/// A directory as [`exported`], of a model that takes `width` numbers per sentence.
fn exported_of_sentences(width: usize) -> TempDir {
    let vectors = Tensor::zeros([1, width], &Device::flex());
    let dir = exported_of(&model(&ConditionTable::new(vec!["a label".into()], vectors).unwrap()));
    image::RgbImage::from_fn(32, 32, |x, y| image::Rgb([x as u8 * 8, y as u8 * 8, 90]))
        .save(dir.path().join("p.png"))
        .unwrap();
    dir
}

#[test]
fn a_model_of_sentences_takes_any_sentence() {
    let dir = exported_of_sentences(32);
    let dir = dir.path();
    fs::write(dir.join("labels.txt"), "anger\r\nswipe to the left\n").unwrap();
    lfdm(dir, &format!("conditions --bert {BERT} --labels labels.txt --out labels.safetensors")).unwrap();
    let vectors = StateDict::from_safetensors(&fs::read(dir.join("labels.safetensors")).unwrap()).unwrap();
    assert_eq!(vectors.iter().map(|(label, _)| label).collect::<Vec<_>>(), ["anger", "swipe to the left"]);

    let import = "import --lfae pth/lfae.pth --dm pth/dm.pth --config config.yaml --conditions labels.safetensors \
        --frames 4 --dtype f32";
    lfdm(dir, &format!("{import} --out both")).unwrap();
    lfdm(dir, &format!("{import} --labels anger --out one")).unwrap();
    let gif = |model: &str, arguments: &[&str]| {
        let model = ["animate", "--model", model, "--image", "p.png", "--out", "clip.gif"];
        lfdm_with(dir, &[&model[..], arguments].concat()).unwrap();
        // Its frames alone: the file says of which model it is.
        let file = std::io::Cursor::new(fs::read(dir.join("clip.gif")).unwrap());
        let frames = image::codecs::gif::GifDecoder::new(file).unwrap().into_frames().collect_frames().unwrap();
        frames.into_iter().map(|frame| frame.into_buffer().into_raw()).collect::<Vec<_>>()
    };
    let by_label = gif("both", &["--label", "swipe to the left"]);
    assert!(
        gif("one", &["--text", "swipe to the left", "--bert", BERT]) == by_label,
        "the same sentence, another clip"
    );
    assert!(
        gif("one", &["--text", "swipe, to the right!", "--bert", BERT]) != by_label,
        "another sentence, the same clip"
    );

    let several =
        ["animate", "--model", "one", "--image", "p.png", "--label", "anger", "--bert", BERT, "--gif", "--out", "all"];
    lfdm_with(dir, &[&several[..], &["--text", "swipe to the left", "right, left"]].concat()).unwrap();
    for name in ["anger", "swipe to the left", "right, left"] {
        assert!(dir.join("all/p").join(format!("{name}.gif")).exists(), "{name}");
    }
}

#[test]
fn what_cannot_be_said_in_words_is_said_at_once() {
    let dir = exported_of_sentences(16);
    let dir = dir.path();
    MODEL.write_dir(&dir.join("labels"), WeightDtype::F16).unwrap();
    let refused = |model: &str, text: &str, bert: &str| {
        let animate = ["animate", "--model", model, "--image", "p.png", "--out", "clip.gif", "--text", text, "--bert"];
        let message = lfdm_with(dir, &[&animate[..], &[bert]].concat()).unwrap_err();
        assert!(!message.contains("panicked") && !dir.join("clip.gif").exists(), "{message}");
        message
    };
    let message = refused("labels", "a smile", BERT);
    assert_says(&message, &["trained on labels, not on sentences", "--label", "joy, calm, fear"]);
    let message = refused("model", "a smile", BERT);
    assert_says(&message, &["takes 16 numbers per sentence", "makes 32", "bert-base-cased"]);
    assert_says(&refused("model", "a smile", "absent"), &["absent is no directory", "vocab.txt"]);

    let arguments = ["animate", "--model", "model", "--image", "p.png", "--out", "clip.gif", "--text", "a smile"];
    assert_says(&lfdm_with(dir, &arguments).unwrap_err(), &["--bert <DIR>"]);
    assert_says(&lfdm_with(dir, &arguments[..7]).unwrap_err(), &["--label <LABEL>"]);

    let conditions = |labels: &str, out: &str| {
        fs::write(dir.join("labels.txt"), labels).unwrap();
        let message = lfdm(dir, &format!("conditions --bert {BERT} --labels labels.txt --out {out}")).unwrap_err();
        assert!(!dir.join("out.safetensors").exists(), "{message}");
        message
    };
    assert_says(&conditions("joy\n\nfear\n", "out.safetensors"), &["labels.txt: line 2 is empty"]);
    assert_says(&conditions("joy\na [SEP] b\n", "out.safetensors"), &["`a [SEP] b` holds `[SEP]`"]);
    assert_says(&conditions("joy\n", "labels.txt"), &["labels.txt would replace what"]);
}

/// `torch.compile`, `DataParallel`, an average beside the model, and counters of its trainer.
#[test]
fn wrapped_weights_and_those_with_an_average_beside_them_are_read() {
    let dir = exported();
    let dir = dir.path();
    let (mut model, mut average) = (Vec::new(), Vec::new());
    for (key, data) in tensors(&dir.join("pth/dm.pth")) {
        let key = key.strip_prefix("diffusion.").unwrap_or(&key).to_owned();
        let zeros = TensorData::new(vec![0.0f32; data.num_elements()], data.shape().clone());
        let is_schedule = !key.starts_with("denoise_fn.");
        average.push((format!("module.{key}"), if is_schedule { data.clone() } else { zeros }));
        model.push((format!("_orig_mod.module.{key}"), data));
    }
    average.push(("initted".to_owned(), TensorData::new(vec![1.0f32], [0usize; 0])));
    let root = [("step", Entry::Int(7)), ("model", Entry::Tensors(model)), ("ema", Entry::Tensors(average))];
    pth::write(&dir.join("pth/both.pth"), &root).unwrap();
    let import = |options: &str| {
        lfdm(dir, &format!("{} --out both --dtype f32 {options}", IMPORT.replace("pth/dm.pth", "pth/both.pth")))
    };
    let refused = import("").unwrap_err();
    assert!(refused.contains("more than once, in ema, model; choose a set of weights with --branch"), "{refused}");
    let refused = import("--branch average").unwrap_err();
    assert!(refused.contains("no weights under --branch average; it has ema, model"), "{refused}");
    import("--branch model").unwrap();
    let read = Bundle::open_dir(&dir.join("both")).unwrap();
    for (key, data) in MODEL.weights.iter() {
        assert_eq!(read.weights.get(key).map(bytes), Some(bytes(data)), "{key}");
    }
    import("--branch ema").unwrap();
    let read = Bundle::open_dir(&dir.join("both")).unwrap();
    let weight = read.weights.get("denoise_fn.init_conv.weight").unwrap();
    assert!(weight.iter::<f32>().all(|value| value == 0.0));
}

/// What made bundles that no command could run.
#[test]
fn sizes_that_make_no_model_are_refused() {
    let dir = exported();
    let dir = dir.path();
    for odd in ["65", "0", "100000000", "33.5"] {
        let config = CONFIG.replace("frame_shape: 32", &format!("frame_shape: {odd}"));
        fs::write(dir.join("config.yaml"), config).unwrap();
        let refused = lfdm(dir, &format!("{IMPORT} --out odd")).unwrap_err();
        assert!(!refused.contains("panicked") && !dir.join("odd").exists(), "{odd}: {refused}");
        assert!(refused.contains("image_size") || refused.contains("frame_shape"), "{odd}: {refused}");
    }
}
