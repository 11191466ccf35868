//! The whole way with the program alone: train both stages for a few steps, export, animate, evaluate, draw a sheet.
#![cfg(feature = "native")]

mod tiny;

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

const LABELS: usize = 7;
const FRAMES: usize = 4;
const FACES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/faces");

/// Runs `lfdm` in `dir`, where FACES stands for the fixture; its error if it fails.
fn lfdm(dir: &Path, arguments: &str) -> Result<(), String> {
    let arguments = arguments.split_whitespace().map(|argument| if argument == "FACES" { FACES } else { argument });
    let output = Command::new(env!("CARGO_BIN_EXE_lfdm")).args(arguments).current_dir(dir).output().unwrap();
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

fn json(path: impl AsRef<Path>) -> Value {
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
    run(
        "train lfae --data FACES --init lfae --out tuned --config config.json --batch 1 --lr 0.0003 --steps 1 --flow-warm-up 1 --flow FACES",
    );
    run("train dm --data FACES --lfae lfae --out dm --batch 2 --lr 0.0003 --steps 2");
    run("export --lfae lfae --dm dm --name tiny --out models/tiny");
    run("train dm --data FACES --lfae lfae --init models/tiny --out dm2 --views 1 --batch 1 --lr 0.0003 --steps 1");
    let refused =
        lfdm(dir, "train lfae --data FACES --init lfae --out other --batch 1 --lr 0.0003 --steps 1").unwrap_err();
    assert!(refused.contains("cannot begin with the weights in lfae"), "{refused}");
    let manifest = json(dir.join("models/tiny/manifest.json"));
    assert_eq!(manifest["labels"][4], "happiness");
    assert_eq!(manifest["training"]["lfae"]["steps"], 3);

    let clips = image::open(Path::new(FACES).join("s000400_k0.webp")).unwrap();
    clips.crop_imm(0, 0, 64, 64).save(dir.join("portrait.png")).unwrap();
    run("animate --model models/tiny --image portrait.png --label fear --steps 2 --out fear.gif");
    assert!(fs::read(dir.join("fear.gif")).unwrap().starts_with(b"GIF89a"));

    // Both places that hold an auto-encoder; the weights of the bundle are rounded to half precision.
    run("eval --model models/tiny --data FACES --out reports/bundle.json");
    run("eval --model lfae --data FACES --out reports/run.json");
    let [bundle, trained] = ["bundle", "run"].map(|name| json(dir.join(format!("reports/{name}.json"))));
    assert_eq!(bundle["images"], 6);
    assert_eq!(bundle["repeat_frame_0"], trained["repeat_frame_0"]);
    let frame = |report: &Value| report["reconstruction"]["frame"].as_f64().unwrap();
    assert!((frame(&bundle) - frame(&trained)).abs() < 0.1, "{bundle} {trained}");

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
    assert_eq!(json(dir.join("model/manifest.json"))["labels"], serde_json::json!(["frown", "smile"]));
    run("sheet --model model --data people --people 1 --columns 2 --real --steps 1 --out sheet.png");
    assert_eq!(image::open(dir.join("sheet.png")).unwrap().height(), 2 * (32 + 2), "bert has one label");
    let refused = lfdm(dir, "sheet --model model --data FACES --out other.png").unwrap_err();
    assert!(refused.contains("does not know") && refused.contains("it knows frown, smile"), "{refused}");
}

#[test]
fn missing_inputs_are_named() {
    let dir = tempfile::tempdir().unwrap();
    for arguments in [
        "eval --model absent --data FACES --out report.json",
        "export --lfae absent --dm absent --name x --out report.json",
        "train lfae --data absent --out run --steps 1 --lr 0.1",
        "train lfae --data FACES --init absent --out run --steps 1 --lr 0.1",
        "train dm --data FACES --lfae absent --out run --steps 1 --lr 0.1",
    ] {
        let message = lfdm(dir.path(), arguments).unwrap_err();
        assert!(message.contains("absent") && !message.contains("panicked"), "{arguments}: {message}");
        assert!(!dir.path().join("report.json").exists());
    }
}
