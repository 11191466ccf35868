//! The whole way with the program alone: train both stages for a few steps, export, animate, evaluate, draw a sheet.
#![cfg(feature = "native")]

mod tiny;

use std::fs;
use std::path::Path;
use std::process::Command;

use image::AnimationDecoder as _;
use lfdm::weights::{StateDict, WeightDtype};
use serde_json::{Value, json};

const LABELS: usize = 7;
const FRAMES: usize = 4;
const FACES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/faces");
const BERT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/bert/now");

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
    assert_eq!(image::open(dir.join("sheet.png")).unwrap().height() as usize, HEADINGS + 2 * LABELS * (64 + 2));
    previews_have_headings(&dir.join("lfae"), 64);
    previews_have_headings(&dir.join("dm"), 64);
}

#[test]
fn exact_flow_is_learned_and_tuned_for_few_steps() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let run = |arguments: &str| lfdm(dir, arguments).unwrap_or_else(|error| panic!("{arguments}: {error}"));
    fs::write(dir.join("config.json"), serde_json::to_vec(&tiny::config(64, FRAMES, LABELS)).unwrap()).unwrap();
    // One person has flow; the others borrow it.
    fs::create_dir(dir.join("flows")).unwrap();
    for id in ["000000", "000001", "000400"] {
        let flow = Path::new(FACES).join("s000000_k0_flow16.npy");
        fs::copy(flow, dir.join(format!("flows/s{id}_k0_flow16.npy"))).unwrap();
    }
    run("train lfae --data FACES --out lfae --config config.json --batch 2 --lr 0.0003 --steps 1");
    let dm = "train dm --data FACES --lfae lfae --views 1 --batch 2 --lr 0.0003 --steps 1";
    run(&format!("{dm} --flow flows --out exact"));
    run(&format!("{dm} --out seen"));
    let motion = |run: &str| fs::read(dir.join(run).join("motion-train.safetensors")).unwrap();
    assert!(motion("exact") != motion("seen"));

    let tune = "train consistency --data FACES --lfae lfae --guidance 1.5 --stage-steps 1 --batch 2 --lr 0.0003";
    let refused = lfdm(dir, &format!("{tune} --dm exact --steps 1 --out tuned")).unwrap_err();
    assert!(refused.contains("exact learned exact flow: give the directory of the flows with --flow"), "{refused}");
    let refused = lfdm(dir, &format!("{tune} --dm seen --flow flows --steps 1 --out tuned")).unwrap_err();
    assert!(refused.contains("seen learned the motion that the auto-encoder sees: leave out --flow"), "{refused}");
    assert!(!dir.join("tuned").exists());
    run(&format!("{tune} --dm exact --flow flows --steps 2 --out tuned"));
    assert!(!dir.join("tuned/motion-train.safetensors").exists(), "the motion of exact serves");
    run("export --lfae lfae --dm tuned --name tiny --out models/tiny");
}

/// Height of the words above the columns of a sheet.
const HEADINGS: usize = 8 + 2 * 2;

/// A preview of a run whose frames have sides of `size` pixels says what its columns are.
fn previews_have_headings(run: &Path, size: usize) {
    let previews = fs::read_dir(run.join("previews")).unwrap().map(|entry| entry.unwrap().path());
    let newest = image::open(previews.max().unwrap()).unwrap();
    assert_eq!(newest.height() as usize % (size + 2), HEADINGS, "{}", run.display());
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
    assert_eq!(
        image::open(dir.join("sheet.png")).unwrap().height() as usize,
        HEADINGS + 2 * (32 + 2),
        "bert has one label"
    );
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
    for name in ["own/train/anna/x.heic", "own/old.tiff"] {
        fs::write(dir.join(name), b"no picture that is read").unwrap();
    }
    let words = said(dir, "train lfae --data own --out lfae --config config.json --batch 2 --steps 1");
    assert_eq!(words.matches("left out 2 files").count(), 1, "once for both splits: {words}");
    run("eval --reconstruction --model lfae --data own --out report.json");
    let report = read(dir.join("report.json"));
    assert_eq!(report["reconstruction"]["all_frames"]["images"], 3, "{report}");
    run("train dm --data acted --lfae lfae --out dm --batch 2 --steps 1");
    run("export --lfae lfae --dm dm --name acted --out model");
    let manifest = read(dir.join("model/manifest.json"));
    assert_eq!(manifest["labels"], json!(["blink", "nod"]));
    assert_eq!(manifest["licence"], "not stated; ask whoever trained the weights");
    assert_eq!((&manifest["default_steps"], &manifest["default_guidance"]), (&json!(8), &json!(4.0)));
    let refused = lfdm(dir, "export --lfae lfae --dm dm --name acted --licence= --out none").unwrap_err();
    assert!(refused.contains("a value is required for '--licence"), "{refused}");
    run("eval --reconstruction --model model --data FACES --out report.json");
    let report = read(dir.join("report.json"));
    assert_eq!(report["reconstruction"]["all_frames"]["images"], 21, "neutral counts, too: {report}");

    // A bundle knows blink and nod, and its auto-encoder serves seven other labels.
    run("train dm --data FACES --lfae model --out dm-8 --batch 2 --steps 1 --views 1");
    let refused =
        lfdm(dir, "train dm --data acted --lfae lfae --out x --appearances 0.5 --batch 2 --steps 1").unwrap_err();
    assert!(refused.contains("--appearances needs other appearances"), "{refused}");
    assert!(!dir.join("x/motion-train.safetensors").exists(), "found before the motion has taken hours");

    // Another number of labels keeps what fits.
    run("train dm --data FACES --lfae lfae --init model --out dm-7 --batch 2 --steps 1 --views 1");
    run("export --lfae lfae --dm model --name again --fps 12 --licence CC0-1.0 --out again");
    let manifest = read(dir.join("again/manifest.json"));
    assert_eq!((&manifest["licence"], &manifest["fps"]), (&json!("CC0-1.0"), &json!(12.0)));

    // What a bundle advises stays when it is joined with another auto-encoder.
    run("export --lfae lfae --dm model --name advised --steps 5 --guidance 2 --fps 25 --out advised");
    run("export --lfae lfae --dm advised --name again --out again");
    let manifest = read(dir.join("again/manifest.json"));
    let advice = ["default_steps", "default_guidance", "fps"].map(|name| manifest[name].as_f64());
    assert_eq!(advice, [Some(5.0), Some(2.0), Some(25.0)]);

    for (name, row) in [("odd/train/an\u{1b}]0;owned\u{7}na/nod", 4), ("odd/test/ca\u{1b}[31mrl/nod\u{1b}[2J", 1)] {
        clip(name, row, 4);
    }
    for arguments in [
        "eval --reconstruction --model lfae --data odd --out report.json",
        "new project --data odd --init lfae --no-rehearsal",
    ] {
        let words = said(dir, arguments);
        assert!(!words.contains('\u{1b}'), "a code reaches the terminal: {words:?}");
    }

    let refused =
        lfdm(dir, "train lfae --data own --out other --config config.json --frames 16 --steps 1").unwrap_err();
    assert!(refused.contains("shorter than the 16 frames") && refused.contains("--frames 4"), "{refused}");
}

/// As in the paper, labels can be the vectors that a text encoder has for them; then any sentence is one.
#[test]
fn labels_are_numbers_or_the_vectors_of_a_text_encoder() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let run = |arguments: &str| lfdm(dir, arguments).unwrap_or_else(|error| panic!("{arguments}: {error}"));
    fs::write(dir.join("config.json"), serde_json::to_vec(&tiny::config(64, FRAMES, LABELS)).unwrap()).unwrap();
    run("train lfae --data FACES --out lfae --config config.json --batch 2 --steps 1");
    let dm = "train dm --data FACES --lfae lfae --batch 2 --views 1 --steps";
    run(&format!("{dm} 1 --out encoded --bert {BERT}"));

    // From a file they are the same, to the last bit.
    let labels = ["anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"];
    fs::write(dir.join("labels.txt"), labels.join("\n")).unwrap();
    run(&format!("conditions --bert {BERT} --labels labels.txt --out labels.safetensors"));
    run(&format!("{dm} 1 --out read --conditions labels.safetensors"));
    let weights = |run: &str| fs::read(dir.join(run).join("step-00000001/average.safetensors")).unwrap();
    assert_eq!(weights("encoded"), weights("read"));

    // The run belongs to its vectors.
    let mut vectors = StateDict::from_safetensors(&fs::read(dir.join("labels.safetensors")).unwrap()).unwrap();
    vectors.insert("anger", vectors.get("fear").unwrap().clone());
    fs::write(dir.join("others.safetensors"), vectors.to_safetensors(WeightDtype::F32, None).unwrap()).unwrap();
    let refused = lfdm(dir, &format!("{dm} 2 --out read --resume --conditions others.safetensors")).unwrap_err();
    assert!(refused.contains("the vectors of the labels"), "{refused}");
    fs::write(dir.join("labels.txt"), labels[1..].join("\n")).unwrap();
    run(&format!("conditions --bert {BERT} --labels labels.txt --out few.safetensors"));
    let refused = lfdm(dir, &format!("{dm} 1 --out x --conditions few.safetensors")).unwrap_err();
    assert!(refused.contains("few.safetensors has no vector for `anger`"), "{refused}");
    let refused = lfdm(dir, &format!("{dm} 2 --out read --resume")).unwrap_err();
    assert!(refused.contains("condition_dim"), "{refused}");
    run(&format!("{dm} 2 --out read --resume --conditions labels.safetensors"));
    let diffusion = &read(dir.join("config.json"))["diffusion"];
    fs::write(dir.join("diffusion.json"), diffusion.to_string()).unwrap();
    let refused =
        lfdm(dir, &format!("{dm} 1 --out x --conditions labels.safetensors --config diffusion.json")).unwrap_err();
    assert!(refused.contains("vectors of 32 numbers, so `condition_dim`"), "{refused}");
    let refused = lfdm(dir, &format!("{dm} 1 --out x --bert lfae")).unwrap_err();
    assert!(refused.contains("config.json"), "{refused}");
    assert!(!dir.join("x").join("motion-train.safetensors").exists(), "found before the motion has taken hours");

    run("export --lfae lfae --dm encoded --name sentences --out model");
    let portrait = image::open(Path::new(FACES).join("s000000_k0.webp")).unwrap().crop_imm(0, 0, 64, 64);
    portrait.save(dir.join("portrait.png")).unwrap();
    let clip = |wish: &[&str]| {
        let fixed = ["animate", "--model", "model", "--image", "portrait.png", "--steps", "2", "--out", "clip.gif"];
        let output = Command::new(env!("CARGO_BIN_EXE_lfdm")).args(fixed).args(wish).current_dir(dir).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        frames_of(&dir.join("clip.gif"))
    };
    let label = clip(&["--label", "fear"]);
    assert!(clip(&["--text", "fear", "--bert", BERT]) == label, "a label is its own sentence");
    assert!(clip(&["--text", "a sudden fear", "--bert", BERT]) != label, "another sentence is another clip");
}

/// The frames of a GIF, which also says of which wish it is.
fn frames_of(path: &Path) -> Vec<Vec<u8>> {
    let file = std::io::Cursor::new(fs::read(path).unwrap());
    let frames = image::codecs::gif::GifDecoder::new(file).unwrap().into_frames().collect_frames().unwrap();
    frames.into_iter().map(|frame| frame.into_buffer().into_raw()).collect()
}

/// A picture of 160x120 pixels with a face of the fixture in its right half.
fn with_face(frame: u32, row: u32) -> image::RgbaImage {
    let sheet = image::open(Path::new(FACES).join("s000001_k0.webp")).unwrap().into_rgba8();
    let face = image::imageops::crop_imm(&sheet, 64 * frame, 64 * row, 64, 64).to_image();
    let mut picture = image::RgbaImage::from_pixel(160, 120, image::Rgba([90, 120, 150, 255]));
    image::imageops::replace(&mut picture, &face, 70, 40);
    picture
}

/// What a successful command says.
fn said(dir: &Path, arguments: &str) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_lfdm")).args(arguments.split_whitespace()).current_dir(dir).output().unwrap();
    let all = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&all).into_owned();
    assert!(output.status.success(), "{arguments}: {text}");
    text
}

/// From clips with small faces to a portrait that moves, by `lfdm new` and the script that it writes.
#[test]
fn a_new_project_leads_to_a_moving_portrait() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let run = |arguments: &str| lfdm(dir, arguments).unwrap_or_else(|error| panic!("{arguments}: {error}"));
    fs::write(dir.join("config.json"), serde_json::to_vec(&tiny::config(32, FRAMES, LABELS)).unwrap()).unwrap();
    run("train lfae --data FACES --out lfae --config config.json --batch 2 --steps 1");
    run("train dm --data FACES --lfae lfae --out dm --batch 2 --views 1 --steps 1");
    run("export --lfae lfae --dm dm --name tiny --out model");
    for (row, clip) in ["anna/nod", "anna/wink", "bert/nod", "carl/wink"].into_iter().enumerate() {
        let clip = dir.join("clips").join(clip);
        fs::create_dir_all(&clip).unwrap();
        (0..4).for_each(|frame| with_face(frame, row as u32).save(clip.join(format!("{frame}.png"))).unwrap());
    }

    let words = said(dir, "new first --data clips --init model --steps 2 --batch 2");
    for part in
        ["labels: nod, wink", "4 frames at least", "found in 4 of 4 first frames; --crop 0.", "time: stage 1 about"]
    {
        assert!(words.contains(part), "{part} is not in {words}");
    }
    let names = |dir: &Path| -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(
        names(&dir.join("first")),
        ["config.json", "portrait.png", "train.sh"],
        "of the rehearsal nothing stays"
    );
    assert!(lfdm(dir, "new first --data clips --init model").unwrap_err().contains("holds a project already"));
    // The middle of the face is at 102,71 of the picture, which is at 82,71 of the square.
    let script = fs::read_to_string(dir.join("first/train.sh")).unwrap();
    let crop = script.split("--crop ").nth(1).unwrap().split_whitespace().next().unwrap();
    let crop: Vec<f64> = crop.split(',').map(|number| number.parse().unwrap()).collect();
    let middle = [crop[0] + 0.5 * crop[2], crop[1] + 0.52 * crop[2]].map(|share| share * 120.0);
    assert!((middle[0] - 82.0).abs() < 8.0 && (middle[1] - 71.0).abs() < 8.0, "{crop:?}");
    assert!((0.35..0.6).contains(&crop[2]), "{crop:?}");

    // Again, and further.
    let mine = dir.join("first/clips/portrait/mine.gif");
    for steps in ["2", "2", "3", "2"] {
        let output = Command::new("sh").arg("first/train.sh").env("STEPS", steps).current_dir(dir).output().unwrap();
        assert!(output.status.success(), "{steps}: {}", String::from_utf8_lossy(&output.stderr));
        fs::write(&mine, b"my own").unwrap();
    }
    assert_eq!(fs::read(&mine).unwrap(), b"my own");
    for label in ["nod", "wink"] {
        assert!(fs::read(dir.join(format!("first/clips/portrait/{label}.gif"))).unwrap().starts_with(b"GIF89a"));
    }

    // What stage 2 would refuse is known before anything has cost hours.
    let refused = lfdm(dir, "new other --data clips --init absent").unwrap_err();
    assert!(refused.contains("cannot begin with absent"), "{refused}");

    framed(dir);
}

/// `animate` in `dir`, where `model` is, with portraits that are not as models know them.
fn framed(dir: &Path) {
    with_face(0, 0).save(dir.join("wide.png")).unwrap();
    let animate =
        |options: &str| said(dir, &format!("animate --model model --image wide.png --label fear --steps 1 {options}"));
    let hint = animate("--out plain.gif");
    assert!(hint.contains("the face in wide.png is 3") && hint.contains("--frame cuts around it"), "{hint}");
    let found = animate("--frame --out framed.gif");
    let square = found.split("framed as with --crop ").nth(1).unwrap().split_whitespace().next().unwrap();
    animate(&format!("--crop {square} --out by-hand.gif"));
    let read = |name: &str| fs::read(dir.join(name)).unwrap();
    assert!(read("framed.gif") == read("by-hand.gif") && read("framed.gif") != read("plain.gif"));

    let refused = |options: &str| {
        lfdm(dir, &format!("animate --model model --label fear --steps 1 --out refused.gif {options}")).unwrap_err()
    };
    let beyond = refused("--image wide.png --crop 100,0,100");
    assert!(beyond.contains("wide.png") && beyond.contains("160x120 pixels"), "{beyond}");
    image::RgbImage::new(64, 64).save(dir.join("black.png")).unwrap();
    let nobody = refused("--image black.png --frame");
    assert!(nobody.contains("no face was found in black.png") && nobody.contains("--crop"), "{nobody}");
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
        previews_have_headings(&dir.join(name), 16);
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

#[test]
fn imaginator_learns_against_adversaries_and_makes_clips_in_one_pass() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let run = |arguments: &str| lfdm(dir, arguments).unwrap_or_else(|error| panic!("{arguments}: {error}"));
    let refused = |arguments: &str| lfdm(dir, arguments).unwrap_err();
    let train = "train imaginator --data FACES --size 16 --frames 4 --channels 4 --views 1 --batch 4 --lr 0.01";
    run(&format!("{train} --out whole --steps 50"));
    run(&format!("{train} --out parts --steps 20"));
    run(&format!("{train} --out parts --steps 50 --resume"));
    let file = |run: &str, name: &str| fs::read(dir.join(run).join(name)).unwrap();
    for name in ["losses.jsonl", "step-00000050/average.safetensors"] {
        assert!(file("whole", name) == file("parts", name), "{name} of a resumed run is that of an uninterrupted one");
    }
    let values = |log: &str, name: &str| -> Vec<f64> {
        let text = String::from_utf8(file("whole", log)).unwrap();
        text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()[name].as_f64().unwrap()).collect()
    };
    let held_out = values("validation.jsonl", "reconstruction");
    assert!(held_out[1] < 0.9 * held_out[0], "{held_out:?}");
    for adversary in ["judging_images", "judging_videos"] {
        let losses = values("losses.jsonl", adversary);
        assert!(losses.iter().any(|loss| *loss < 0.95 * losses[0]), "{adversary}: {losses:?}");
    }
    previews_have_headings(&dir.join("whole"), 16);

    run("eval --model whole --data FACES --seeds 2 --out report.json");
    let report = read(dir.join("report.json"));
    let (generation, cost) = (&report["generation"], &report["cost"]);
    assert_eq!(
        (&generation["clips"][2]["origin"], &generation["clips"][2]["clips"]),
        (&json!("generated"), &json!(14))
    );
    assert!(generation["clips"][2]["diversity"].as_f64().unwrap() > 0.0, "noise matters: {generation}");
    assert!(generation["guidance"].is_null() && cost["flops_per_step"].is_null(), "{report}");
    assert!(cost["flops_per_clip"].as_u64().unwrap() > 0 && cost["generator"]["parameters"].as_u64().unwrap() > 0);
    assert!(cost["generator"]["training_seconds"].as_f64().is_some() && report["reconstruction"].is_null());

    let pass = refused("eval --model whole --data FACES --steps 4 --guidance 2 --out no.json");
    assert!(pass.contains("in one pass") && pass.contains("--steps, --guidance"), "{pass}");
    let other = refused(&format!("{train} --out whole --steps 60 --resume --reconstruction 10"));
    assert!(other.contains("reconstruction was"), "{other}");
    for (options, named) in [("--size 48", "power of two"), ("--batch 1", "--batch"), ("--channels 0", "--channels")] {
        let message = refused(&format!("train imaginator --data absent --out run {options}"));
        assert!(message.contains(named) && !message.contains("absent"), "{options}: {message}");
    }
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

/// Nothing that stage 2 will refuse costs hours of stage 1 before: it is refused before the clips are read.
#[test]
fn what_cannot_be_trained_is_refused_before_the_clips_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let original = serde_json::to_value(tiny::config(32, FRAMES, LABELS)).unwrap();
    for (option, named) in [("--batch 0", "--batch"), ("--lr 0", "--lr"), ("--lr nan", "--lr"), ("--clip 0", "--clip")]
    {
        for stage in ["lfae", "dm --lfae www"] {
            let stage = stage.replace("www", concat!(env!("CARGO_MANIFEST_DIR"), "/www/models/faces-64"));
            let refused = lfdm(dir, &format!("train {stage} --data absent --out run --steps 1 {option}")).unwrap_err();
            assert!(refused.contains(named) && !refused.contains("absent"), "{stage} {option}: {refused}");
        }
    }
    for stage in ["vdm", "imaginator", "autoencoder", "classifier"] {
        let refused = lfdm(dir, &format!("train {stage} --size 65536 --data absent --out run --steps 1")).unwrap_err();
        assert!(refused.contains("--size") && !refused.contains("absent"), "{stage}: {refused}");
    }
    let lfae = concat!(env!("CARGO_MANIFEST_DIR"), "/www/models/faces-64");
    let dm = format!("train dm --lfae {lfae} --init absent-model --data absent-clips --out run --steps 1");
    let refused = lfdm(dir, &dm).unwrap_err();
    assert!(refused.contains("absent-model") && !refused.contains("absent-clips"), "{refused}");
    for (pointer, value) in [
        ("/frames", json!(0)),
        ("/diffusion/timesteps", json!(0)),
        ("/diffusion/unet/condition_dim", json!(0)),
        ("/diffusion/unet/dim_mults", json!([1, 2, 4, 8, 16])),
    ] {
        let mut config = original.clone();
        *config.pointer_mut(pointer).unwrap() = value;
        fs::write(dir.join("config.json"), config.to_string()).unwrap();
        let refused = lfdm(dir, "train lfae --data absent --out run --config config.json --steps 1").unwrap_err();
        let name = pointer.rsplit('/').next().unwrap();
        assert!(refused.contains(name) && !refused.contains("absent"), "{pointer}: {refused}");
    }
}

/// Where there is no terminal, a run speaks from its first step on.
#[test]
fn a_run_speaks_from_its_first_step_on() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(dir.join("config.json"), serde_json::to_vec(&tiny::config(32, FRAMES, LABELS)).unwrap()).unwrap();
    let words = said(dir, &format!("train lfae --data {FACES} --out run --config config.json --batch 1 --steps 2"));
    assert!(words.find("validating before the first step") < words.find("step 1 of 2"), "{words}");
    assert!(
        words.contains("step 1 of 2") && (words.contains("nearer to the real ones") || words.contains("further from")),
        "{words}"
    );
    // The first word is the time.
    let mut lines: Vec<&str> = words.lines().filter_map(|line| Some(line.split_once(' ')?.1)).collect();
    let count = lines.len();
    lines.sort_unstable();
    lines.dedup();
    assert_eq!(lines.len(), count, "something is said twice: {words}");
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
        "train imaginator --data absent --out run --steps 1",
        "train ldm --data FACES --autoencoder absent --out run --steps 1 --lr 0.1",
    ] {
        let message = lfdm(dir.path(), arguments).unwrap_err();
        assert!(message.contains("absent") && !message.contains("panicked"), "{arguments}: {message}");
        assert!(!dir.path().join("report.json").exists());
    }
}
