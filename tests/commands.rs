//! The whole way with the program alone: train both stages for a few steps, export, animate, evaluate, draw a sheet.
#![cfg(feature = "native")]

mod tiny;

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

const LABELS: usize = 7;
const FRAMES: usize = 4;
const FACES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/faces");

/// Runs `lfdm` in `dir`, where FACES stands for the fixture; its error if it fails.
fn lfdm(dir: &Path, arguments: &str) -> Result<(), String> {
    let arguments = arguments.split_whitespace().map(|argument| if argument == "FACES" { FACES } else { argument });
    let output = Command::new(env!("CARGO_BIN_EXE_lfdm")).args(arguments).current_dir(dir).output().unwrap();
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

fn read(path: impl AsRef<Path>) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn from_clips_to_a_video() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let run = |arguments: &str| lfdm(dir, arguments).unwrap_or_else(|error| panic!("{arguments}: {error}"));
    fs::write(dir.join("config.json"), serde_json::to_vec(&tiny::config(64, FRAMES, LABELS)).unwrap()).unwrap();

    let lfae = "train lfae --data FACES --flow FACES --out lfae --config config.json --batch 2 --lr 0.0003 --steps";
    run(&format!("{lfae} 2"));
    let refused = lfdm(dir, &format!("{lfae} 3")).unwrap_err();
    assert!(refused.contains("--resume"), "{refused}");
    run(&format!("{lfae} 3 --resume"));
    accounted(&dir.join("lfae/times.jsonl"));
    run("train lfae --data FACES --init lfae --out tuned --config config.json --batch 1 --lr 0.0003 \
         --steps 1 --flow-warm-up 1 --flow FACES");
    run("train dm --data FACES --lfae lfae --out dm --batch 2 --lr 0.0003 --steps 2");
    run("export --lfae lfae --dm dm --name tiny --out models/tiny");
    run("train dm --data FACES --lfae lfae --init models/tiny --out dm2 --views 1 --batch 1 --lr 0.0003 --steps 1");
    let refused =
        lfdm(dir, "train lfae --data FACES --init lfae --out other --batch 1 --lr 0.0003 --steps 1 --frames 4")
            .unwrap_err();
    assert!(refused.contains("cannot begin with the weights in lfae"), "{refused}");
    let manifest = read(dir.join("models/tiny/manifest.json"));
    assert_eq!(manifest["labels"][4], "happiness");
    assert_eq!(manifest["training"]["lfae"]["steps"], 3);

    let clips = image::open(Path::new(FACES).join("s000400_k0.webp")).unwrap();
    clips.crop_imm(0, 0, 64, 64).save(dir.join("portrait.png")).unwrap();
    run("animate --model models/tiny --image portrait.png --label fear --steps 2 --out fear.gif");
    assert!(fs::read(dir.join("fear.gif")).unwrap().starts_with(b"GIF89a"));

    // Both places that hold an auto-encoder; the weights of the bundle are rounded to half precision.
    run("eval --model models/tiny --data FACES --steps 1 --out reports/bundle.json");
    run("eval --model lfae --data FACES --out reports/run.json");
    let [bundle, trained] = ["bundle", "run"].map(|name| read(dir.join(format!("reports/{name}.json"))));
    let [ours, theirs] = [&bundle, &trained].map(|report| &report["reconstruction"]["apex"]);
    assert_eq!((&ours["images"], &bundle["reconstruction"]["all_frames"]["images"]), (&json!(6), &json!(18)));
    assert_eq!(ours["repeat_frame_0"], theirs["repeat_frame_0"]);
    let frame = |comparison: &Value| comparison["reconstruction"]["psnr"]["frame"].as_f64().unwrap();
    assert!((frame(ours) - frame(theirs)).abs() < 0.1, "{bundle} {trained}");
    assert!(trained["generation"].is_null(), "a run of stage 1 generates nothing");
    assert!(bundle["generation"]["clips"][3]["label_accuracy"].is_null(), "nobody was there to judge");

    run("train classifier --data FACES --out judge --size 32 --batch 2 --steps 2");
    run("eval --model models/tiny --data FACES --classifier judge --steps 1,2 --seeds 2 --guidance 1 \
         --out reports/judged.json \
         --clips-out clips");
    judged(&read(dir.join("reports/judged.json"))["generation"]);
    assert_eq!(read(dir.join("clips/clips.json"))["labels"][3], "fear");
    for clip in
        ["real/400/fear/1", "auto-encoder/400/fear/1", "generated-1-steps/400/fear/1", "generated-2-steps/400/fear/2"]
    {
        let frame = image::open(dir.join("clips").join(clip).join("0004.png")).unwrap();
        assert_eq!((frame.width(), frame.height()), (64, 64), "{clip}");
    }
    run("eval --model lfae --data clips/real --split all --out reports/again.json");
    let [again, before] = ["again", "run"].map(|name| read(dir.join(format!("reports/{name}.json"))));
    assert_eq!(again["reconstruction"]["all_frames"], before["reconstruction"]["all_frames"]);
    run("train classifier --data synthetic --out other-judge --size 32 --batch 2 --steps 1");
    let refused =
        lfdm(dir, "eval --model models/tiny --data FACES --classifier other-judge --out no.json").unwrap_err();
    assert!(refused.contains("does not know anger, disgust, fear"), "{refused}");
    let refused = lfdm(dir, "eval --model models/tiny --data FACES --classifier lfae --out no.json").unwrap_err();
    assert!(refused.contains("--classifier lfae: not a run of `lfdm train classifier`"), "{refused}");

    run("sheet --model models/tiny --data FACES --people 1 --columns 3 --real --zoom 1.3 --steps 1 --out sheet.png");
    assert_eq!(image::open(dir.join("sheet.png")).unwrap().height() as usize, 2 * LABELS * (64 + 2));
}

/// Folders of frames where not everybody has every label and clips differ in length, also from the model's.
#[test]
fn folders_of_frames_train_both_stages() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let run = |arguments: &str| lfdm(dir, arguments).unwrap_or_else(|error| panic!("{arguments}: {error}"));
    fs::write(dir.join("config.json"), serde_json::to_vec(&tiny::config(32, 3, 2)).unwrap()).unwrap();
    let sheets = ["s000000_k0.webp", "s000001_k0.webp"].map(|name| image::open(Path::new(FACES).join(name)).unwrap());
    for (clip, sheet, row, frames) in
        [("anna/smile", 0, 4, 4), ("anna/frown/1", 0, 5, 3), ("anna/frown/2", 0, 1, 4), ("bert/smile", 1, 4, 4)]
    {
        let clip = dir.join("people").join(clip);
        fs::create_dir_all(&clip).unwrap();
        for frame in 0..frames {
            let tile = sheets[sheet].crop_imm(64 * frame, 64 * row, 64, 64);
            tile.save(clip.join(format!("{frame}.png"))).unwrap();
        }
    }
    fs::write(dir.join("people/splits.json"), r#"{"train": ["anna"], "val": ["bert"]}"#).unwrap();

    run("train lfae --data people --out lfae --config config.json --batch 2 --lr 0.0003 --steps 1 --augment photo");
    run("train dm --data people --lfae lfae --out dm --batch 2 --lr 0.0003 --steps 1 --sampling very_random");
    run("export --lfae lfae --dm dm --name people --out model");
    assert_eq!(read(dir.join("model/manifest.json"))["labels"], json!(["frown", "smile"]));
    run("sheet --model model --data people --people 1 --columns 2 --real --steps 1 --out sheet.png");
    assert_eq!(image::open(dir.join("sheet.png")).unwrap().height(), 2 * (32 + 2), "bert has one label");
    run("train classifier --data people --out judge --frames 3 --size 32 --batch 2 --steps 1");
    run("eval --model model --data people --split all --classifier judge --steps 1 --out report.json");
    let report = read(dir.join("report.json"));
    assert_eq!(
        (&report["reconstruction"]["people"], &report["generation"]["clips"][3]["clips"]),
        (&json!(2), &json!(4))
    );
    run("eval --model model --data people --clips 1 --steps 1 --out report.json");
    let report = read(dir.join("report.json"));
    assert_eq!(report["reconstruction"]["labels"].as_object().unwrap().len(), 1, "bert has one label: {report}");
    let refused = lfdm(dir, "sheet --model model --data FACES --out other.png").unwrap_err();
    assert!(refused.contains("does not know") && refused.contains("it knows frown, smile"), "{refused}");
}

/// Stage 1 learns nothing of labels: it serves clips of any, and can be measured on any.
#[test]
fn an_auto_encoder_serves_other_labels_than_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let run = |arguments: &str| lfdm(dir, arguments).unwrap_or_else(|error| panic!("{arguments}: {error}"));
    fs::write(dir.join("config.json"), serde_json::to_vec(&tiny::config(32, 3, 2)).unwrap()).unwrap();
    let sheet = image::open(Path::new(FACES).join("s000000_k0.webp")).unwrap();
    let clip = |name: &str, row: u32, frames: u32| {
        fs::create_dir_all(dir.join(name)).unwrap();
        for frame in 0..frames {
            let tile = sheet.crop_imm(64 * frame, 64 * row, 64, 64);
            tile.save(dir.join(name).join(format!("{frame}.png"))).unwrap();
        }
    };
    for (name, row) in [("own/train/anna", 4), ("own/train/bert", 5), ("own/test/carl", 1)] {
        clip(name, row, 4);
    }
    for (name, row) in [("acted/train/anna/nod", 4), ("acted/train/bert/blink", 5), ("acted/val/carl/nod", 1)] {
        clip(name, row, 4);
    }
    run("train lfae --data own --out lfae --config config.json --batch 2 --steps 1");
    run("eval --reconstruction --model lfae --data own --out report.json");
    let report = read(dir.join("report.json"));
    assert_eq!(report["reconstruction"]["all_frames"]["images"], 3, "{report}");
    run("train dm --data acted --lfae lfae --out dm --batch 2 --steps 1");
    run("export --lfae lfae --dm dm --name acted --out model");
    let manifest = read(dir.join("model/manifest.json"));
    assert_eq!(manifest["labels"], json!(["blink", "nod"]));
    assert_eq!(manifest["licence"], "not stated; ask whoever trained the weights");
    assert_eq!((&manifest["default_steps"], &manifest["default_guidance"]), (&json!(8), &json!(4.0)));
    run("eval --reconstruction --model model --data FACES --out report.json");

    // Another number of labels keeps what fits.
    run("train dm --data FACES --lfae lfae --init model --out dm-7 --batch 2 --steps 1 --views 1");
    run("export --lfae lfae --dm model --name again --fps 12 --licence CC0-1.0 --out again");
    let manifest = read(dir.join("again/manifest.json"));
    assert_eq!((&manifest["licence"], &manifest["fps"]), (&json!("CC0-1.0"), &json!(12.0)));

    let refused =
        lfdm(dir, "train lfae --data own --out other --config config.json --frames 16 --steps 1").unwrap_err();
    assert!(refused.contains("shorter than the 16 frames") && refused.contains("--frames 4"), "{refused}");
}

#[test]
fn baselines_learn_and_are_measured_as_lfdm_is() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let run = |arguments: &str| lfdm(dir, arguments).unwrap_or_else(|error| panic!("{arguments}: {error}"));
    let diffusion = tiny::config(16, 4, LABELS).diffusion;
    fs::write(dir.join("diffusion.json"), serde_json::to_vec(&diffusion).unwrap()).unwrap();
    let shared = "--data FACES --frames 4 --views 1 --config diffusion.json --batch 4 --lr 0.006";
    run(&format!("train vdm {shared} --size 16 --out vdm --steps 30"));
    run("train autoencoder --data FACES --size 16 --out autoencoder --batch 2 --lr 0.003 --steps 60");
    run(&format!("train ldm {shared} --autoencoder autoencoder --out ldm --steps 20"));
    run(&format!("train ldm {shared} --autoencoder autoencoder --out ldm --steps 30 --resume"));
    for name in ["vdm", "autoencoder", "ldm"] {
        let text = fs::read_to_string(dir.join(name).join("validation.jsonl")).unwrap();
        let losses: Vec<f64> =
            text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["loss"].as_f64().unwrap()).collect();
        assert!(losses[losses.len() - 1] < 0.95 * losses[0], "{name}: {losses:?}");
        assert!(fs::read_dir(dir.join(name).join("previews")).unwrap().count() > 1);
    }
    let refused = lfdm(dir, &format!("train ldm {shared} --autoencoder vdm --out other --steps 1")).unwrap_err();
    assert!(refused.contains("--autoencoder vdm is not a run of `lfdm train autoencoder`"), "{refused}");

    let report = |name: &str| -> Value {
        run(&format!("eval --model {name} --data FACES --steps 1,2 --guidance 2 --out reports/{name}.json"));
        read(dir.join(format!("reports/{name}.json")))
    };
    let [vdm, ldm, autoencoder] = ["vdm", "ldm", "autoencoder"].map(report);
    let origins = |report: &Value| -> Vec<String> {
        let clips = report["generation"]["clips"].as_array().unwrap();
        clips.iter().map(|clips| clips["origin"].as_str().unwrap().to_owned()).collect()
    };
    let generated = ["generated, 1 steps", "generated, 2 steps"];
    assert_eq!(origins(&vdm), [["real", "repeat frame 0"], generated].concat());
    assert_eq!(origins(&ldm), [vec!["real", "repeat frame 0", "auto-encoder"], generated.to_vec()].concat());
    assert!(vdm["reconstruction"].is_null() && ldm["reconstruction"]["apex"].is_object());
    assert_eq!(ldm["reconstruction"], autoencoder["reconstruction"]);
    assert!(autoencoder["generation"].is_null() && autoencoder["cost"].is_null());

    let flops = |report: &Value| report["cost"]["flops_per_step"].as_u64().unwrap();
    assert!(flops(&vdm) > 15 * flops(&ldm) && flops(&ldm) > 0, "{vdm} {ldm}");
    for network in [&vdm["cost"]["denoiser"], &ldm["cost"]["denoiser"], &ldm["cost"]["autoencoder"]] {
        assert!(network["parameters"].as_u64().unwrap() > 0 && network["training_seconds"].as_f64().is_some(), "{ldm}");
    }
    assert!(vdm["cost"]["autoencoder"].is_null());
}

/// Each of two processes says what its time went to.
fn accounted(path: &Path) {
    let text = fs::read_to_string(path).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let counts: Vec<[u64; 2]> =
        lines.iter().map(|line| ["step", "steps_done"].map(|name| line[name].as_f64().unwrap() as u64)).collect();
    assert_eq!(counts, [[2, 2], [3, 1]]);
    for line in &lines {
        let seconds = |name: &str| line[name].as_f64().unwrap();
        let parts = ["data", "forward", "backward", "optimiser", "validation", "checkpoints"].map(seconds);
        assert!(parts.iter().all(|&seconds| seconds > 0.0) && seconds("clips_per_second") > 0.0, "{line}");
        assert!((parts.iter().sum::<f64>() + seconds("other") - seconds("seconds")).abs() < 1e-6, "{line}");
    }
}

/// What a report says of generated clips, two seeds each in one and two steps.
fn judged(generation: &Value) {
    let clips = generation["clips"].as_array().unwrap();
    let origins: Vec<&str> = clips.iter().map(|clips| clips["origin"].as_str().unwrap()).collect();
    assert_eq!(origins, ["real", "repeat frame 0", "auto-encoder", "generated, 1 steps", "generated, 2 steps"]);
    let counts: Vec<u64> = clips.iter().map(|clips| clips["clips"].as_u64().unwrap()).collect();
    assert_eq!(counts, [7, 7, 7, 14, 14]);
    assert!(generation["networks"][0].as_str().unwrap().starts_with("lfdm action network "));
    let figure = |row: usize, name: &str| clips[row][name].as_f64().unwrap();
    assert_eq!((figure(1, "motion"), figure(1, "identity_drift")), (0.0, 0.0));
    assert!(figure(0, "motion") > 0.0 && figure(0, "identity_drift") < figure(0, "motion"));
    assert!(figure(3, "diversity") > 0.0 && clips[2]["diversity"].is_null());
    assert!((0.0..=1.0).contains(&figure(3, "label_accuracy")));
    let frechet = |row: usize, name: &str| clips[row]["frechet"][0][name].as_f64();
    assert!(frechet(4, "fvd").unwrap() > 0.0 && frechet(4, "subject_conditional").unwrap() > 0.0);
    assert_eq!(frechet(0, "fvd"), None, "one person has no halves");
    // One person has one clip per label, which has no spread.
    assert_eq!(frechet(4, "class_conditional"), None);
}

#[test]
fn missing_inputs_are_named() {
    let dir = tempfile::tempdir().unwrap();
    for arguments in [
        "eval --model absent --data FACES --out report.json",
        "export --lfae absent --dm absent --name x --out report.json",
        "train lfae --data absent --out run --steps 1 --lr 0.1",
        "train lfae --data FACES --init absent --out run --steps 1 --lr 0.1",
        "eval --model absent --data FACES --classifier absent --out report.json",
        "train classifier --data absent --out run",
        "train dm --data FACES --lfae absent --out run --steps 1 --lr 0.1",
        "train vdm --data absent --out run --steps 1 --lr 0.1",
        "train ldm --data FACES --autoencoder absent --out run --steps 1 --lr 0.1",
    ] {
        let message = lfdm(dir.path(), arguments).unwrap_err();
        assert!(message.contains("absent") && !message.contains("panicked"), "{arguments}: {message}");
        assert!(!dir.path().join("report.json").exists());
    }
}
