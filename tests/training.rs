//! Every stage learns, and survives being killed and other accidents, on the set that needs no files.
#![cfg(feature = "native")]

mod tiny;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use lfdm::bundle::Bundle;
use lfdm::config::Diffused;
use lfdm::lfae::{is_decoder, is_lfae};
use lfdm::native::data::{ClipSet, Split};
use lfdm::weights::StateDict;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Labels of the synthetic set.
const LABELS: usize = 4;
const FRAMES: usize = 8;
/// Enough for the flow refinement, whose heads begin at zero, to have learned something.
const STAGE_1_STEPS: u64 = 70;

fn lfdm(dir: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lfdm"));
    command.args(arguments.split_whitespace()).current_dir(dir);
    command
}

fn run(dir: &Path, arguments: &str) {
    let output = lfdm(dir, arguments).output().unwrap();
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// What a run that must fail says.
fn failure(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{command:?} succeeded: {message}");
    message
}

fn lines(path: &Path) -> Vec<Value> {
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A directory with the configuration of a small model.
fn workplace(painter: bool) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut config = tiny::config(64, FRAMES, LABELS);
    config.lfae.generator.painter = painter;
    fs::write(dir.path().join("config.json"), serde_json::to_vec(&config).unwrap()).unwrap();
    dir
}

const LFAE: &str = "train lfae --data synthetic --flow synthetic --config config.json --batch 4 --lr 0.001";

/// A figure of people that were never trained on, first and last.
fn held_out(run: &Path, figure: &str) -> (f64, f64) {
    let values: Vec<f64> =
        lines(&run.join("validation.jsonl")).iter().map(|line| line[figure].as_f64().unwrap()).collect();
    println!("{}: {figure} {values:?}", run.display());
    (values[0], values[values.len() - 1])
}

fn weights(run: &Path, step: u64) -> StateDict {
    let path = run.join(format!("step-{step:08}/average.safetensors"));
    StateDict::from_safetensors(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn held_out_error_falls_in_every_stage() {
    // The decoder gets its painter when it is fine-tuned.
    let dir = workplace(false);
    let dir = dir.path();
    run(dir, &format!("{LFAE} --out lfae --steps {STAGE_1_STEPS}"));
    let (first, last) = held_out(&dir.join("lfae"), "loss");
    assert!(last < 0.8 * first, "stage 1: {first} to {last}");

    std::thread::scope(|scope| {
        scope.spawn(|| fine_tuning_changes_the_decoder_alone(dir));
        scope.spawn(|| an_adversary_sharpens_and_stays_behind(dir));

        run(dir, "train dm --data synthetic --lfae lfae --out dm --views 1 --batch 4 --lr 0.006 --steps 80");
        let (first, last) = held_out(&dir.join("dm"), "loss");
        assert!(last < 0.9 * first, "stage 2: {first} to {last}");
        let (first, last) = held_out(&dir.join("dm"), "unexplained");
        assert!(last < first, "stage 2, where sampling begins: {first} to {last}");
        scope.spawn(|| gradients_add_up(dir));
        scope.spawn(|| finer_motion_is_learned_on_top(dir));
        scope.spawn(|| pairs_of_frames_are_learned_too(dir));
        tuning_leads_to_the_end_of_the_flow(dir);
    });
    parts_of_several_runs_make_a_model(dir);
}

/// Two halves of a batch make the gradient of the whole, on one device and on two.
fn gradients_add_up(dir: &Path) {
    let losses = |out: &str, options: &str| {
        fs::create_dir(dir.join(out)).unwrap();
        for set in ["motion-train.safetensors", "motion-val.safetensors"] {
            fs::copy(dir.join("dm").join(set), dir.join(out).join(set)).unwrap();
        }
        run(
            dir,
            &format!("train dm --data synthetic --lfae lfae --out {out} --views 1 --lr 0.004 --steps 4 {options}"),
        );
        lines(&dir.join(out).join("losses.jsonl"))
    };
    let whole = losses("whole", "--batch 4 --min-snr 5");
    let halves = losses("halves", "--batch 2 --accumulate 2 --min-snr 5");
    let devices = losses("devices", "--batch 2 --accumulate 2 --devices 2 --min-snr 5");
    assert_eq!(halves, devices, "how many devices compute is not what they compute");
    for (whole, halves) in whole.iter().zip(&halves) {
        let [whole, halves] = [whole, halves].map(|line| line["loss"].as_f64().unwrap());
        assert!((whole - halves).abs() < 1e-4 * whole, "{whole} in one piece, {halves} in two");
    }

    // In stage 1 every part draws its own pairs, whichever thread asks for them first.
    let losses = |devices: usize| {
        let out = format!("lfae-{devices}");
        let batch = format!("--batch 2 --accumulate 2 --devices {devices}");
        run(dir, &format!("{LFAE} --out {out} --steps 4").replace("--batch 4", &batch));
        lines(&dir.join(out).join("losses.jsonl"))
    };
    assert_eq!(losses(1), losses(2));
}

fn tuning_leads_to_the_end_of_the_flow(dir: &Path) {
    let tune =
        "train consistency --data synthetic --lfae lfae --dm dm --guidance 1.5 --stage-steps 10 --batch 4 --lr 0.003";
    run(dir, &format!("{tune} --out tuned --steps 50"));
    let (first, last) = held_out(&dir.join("tuned"), "one_step");
    assert!(last < 0.85 * first, "one step: {first} to {last}");
}

fn fine_tuning_changes_the_decoder_alone(dir: &Path) {
    write_grey_clips(&dir.join("grey"));
    run(dir, "finetune --painter --model lfae --data grey --out fine --batch 4 --lr 0.01 --steps 60");
    let (first, last) = held_out(&dir.join("fine"), "loss");
    assert!(last < 0.97 * first, "fine-tuning: {first} to {last}");

    let (before, after) = (weights(&dir.join("lfae"), STAGE_1_STEPS), weights(&dir.join("fine"), 60));
    assert!(before.len() < after.len(), "the painter has joined");
    assert!(after.iter().all(|(key, _)| is_decoder(key) || before.get(key).is_some()));
    for (key, data) in before.iter() {
        assert!(is_decoder(key) || after.get(key) == Some(data), "{key} has changed");
    }
    let changed = before.iter().filter(|&(key, data)| after.get(key) != Some(data)).count();
    assert!(changed > 10, "{changed} tensors of the decoder have changed");
}

/// The adversary learns beside the decoder, goes on learning after an interruption, and stays behind when the
/// model leaves.
fn an_adversary_sharpens_and_stays_behind(dir: &Path) {
    let tune = "finetune --adversary 0.5 --feature-matching 2 --motion-augmentation 0.5 --model lfae --data synthetic \
                --batch 4 --lr 0.002 --save-every 4 --steps 8";
    let losses = |out: &str, options: &str| {
        run(dir, &format!("{tune} --out {out} {options}"));
        lines(&dir.join(out).join("losses.jsonl"))
    };
    let whole = losses("sharp", "");
    let judging = |line: &Value| line["judging"].as_f64().unwrap();
    assert!(judging(&whole[7]) < judging(&whole[0]), "{} to {}", judging(&whole[0]), judging(&whole[7]));
    assert!(whole.iter().all(|line| (0.0..1.0).contains(&line["matching"].as_f64().unwrap())), "{whole:?}");
    losses("stopped", "--max-minutes 0.0001");
    assert_eq!(losses("stopped", "--resume"), whole);

    // A further run begins with the judge of this one.
    run(dir, "finetune --adversary 0.5 --model sharp --data synthetic --batch 4 --lr 0.002 --out sharper --steps 1");
    let judged = judging(&lines(&dir.join("sharper/losses.jsonl"))[0]);
    assert!(judged < judging(&whole[0]), "{} to {judged}", judging(&whole[0]));

    let (before, after) = (weights(&dir.join("lfae"), STAGE_1_STEPS), weights(&dir.join("sharp"), 8).filter(is_lfae));
    assert!(
        after.iter().map(|(key, _)| key).eq(before.iter().map(|(key, _)| key)),
        "the same model, with other weights"
    );
}

/// A finer grid begins as the coarse one, and stage 2 goes on from what it knew of that.
fn finer_motion_is_learned_on_top(dir: &Path) {
    let finer = "finetune --finer --flow synthetic --motion-warm-up 30 --model lfae --data synthetic --out finer";
    run(dir, &format!("{finer} --batch 4 --lr 0.003 --steps 40"));
    // The losses of its steps are of other pairs each: which ten are the harder ones depends on the processor.
    let (first, last) = held_out(&dir.join("finer"), "loss");
    assert!(last < first, "finer motion: {first} to {last}");
    let (before, after) = (weights(&dir.join("lfae"), STAGE_1_STEPS), weights(&dir.join("finer"), 40));
    for (key, data) in before.iter() {
        assert!(is_decoder(key) || after.get(key) == Some(data), "{key} has changed");
    }

    run(
        dir,
        "train dm --init dm --data synthetic --lfae finer --out fine-dm --views 1 --batch 4 --lr 0.004 --steps 10",
    );
    run(dir, "export --lfae finer --dm fine-dm --name finer --out finer-bundle");
    let message = failure(&mut lfdm(dir, "export --lfae finer --dm dm --name mixed --out mixed"));
    assert!(message.contains("another auto-encoder"), "{message}");
}

/// Stage 2 learns frames in pairs, from random weights and from those of single frames.
fn pairs_of_frames_are_learned_too(dir: &Path) {
    let pairs = "train dm --pairs --data synthetic --lfae lfae --views 1 --batch 4";
    run(dir, &format!("{pairs} --out pairs --lr 0.006 --steps 80"));
    let (first, last) = held_out(&dir.join("pairs"), "loss");
    assert!(last < 0.9 * first, "in pairs: {first} to {last}");
    run(dir, &format!("{pairs} --init dm --out paired --lr 0.006 --steps 10"));
    let ((fresh, _), (inherited, _)) = (held_out(&dir.join("pairs"), "loss"), held_out(&dir.join("paired"), "loss"));
    assert!(inherited < fresh, "what single frames taught is worth nothing: {inherited} and {fresh}");

    run(dir, "export --lfae lfae --dm pairs --name pairs --out pairs-bundle");
    let bundle = Bundle::open_dir(&dir.join("pairs-bundle")).unwrap();
    assert_eq!(bundle.manifest.config.diffusion.unet.diffused, Diffused::MotionPairs);
    run(dir, "train dm --data synthetic --lfae pairs-bundle --out again --views 1 --batch 4 --lr 0.004 --steps 2");
}

fn parts_of_several_runs_make_a_model(dir: &Path) {
    run(dir, "export --lfae sharp --dm dm --name sharp --detail-guidance 2.5 --out sharp-bundle");
    let bundle = Bundle::open_dir(&dir.join("sharp-bundle")).unwrap();
    assert_eq!(bundle.manifest.config.diffusion.detail_guidance, 2.5);
    assert!(!bundle.weights.iter().any(|(key, _)| key.contains("adversary")));
    run(dir, "export --lfae fine --dm tuned --name tiny --guidance 1 --steps 2 --out bundle");
    run(dir, "export --lfae lfae --dm bundle --name tiny --out restored");
    run(dir, "export --lfae bundle --dm dm --name tiny --out untuned");
    let manifest = |bundle: &str| -> Value {
        serde_json::from_slice(&fs::read(dir.join(bundle).join("manifest.json")).unwrap()).unwrap()
    };
    let (bundle, restored) = (manifest("bundle"), manifest("restored"));
    assert_eq!(bundle["config"]["diffusion"]["consistency"], true);
    assert_eq!(bundle["training"]["dm"]["steps"], 50);
    assert_eq!(restored["training"]["dm"], bundle["training"]["dm"]);
    let untuned = manifest("untuned");
    assert_eq!(untuned["config"]["diffusion"]["consistency"], false);
    assert_eq!(untuned["training"]["lfae"], bundle["training"]["lfae"]);
}

/// The drawn people without colours, in noise, as sheets of clips.
fn write_grey_clips(dir: &Path) {
    fs::create_dir(dir).unwrap();
    let mut ids: Vec<Vec<u32>> = Vec::new();
    for (split, people) in [(Split::Train, 6), (Split::Val, 2)] {
        let clips = ClipSet::open(Path::new("synthetic"), None, 64, split).unwrap();
        ids.push((0..people).map(|subject| clips.subject_id(subject)).collect());
        let frames = clips.frames();
        for subject in 0..people {
            let mut sheet = image::RgbImage::new(64 * frames as u32, 64 * LABELS as u32);
            for (label, frame) in (0..LABELS).flat_map(|label| (0..frames).map(move |frame| (label, frame))) {
                for (index, rgba) in clips.clip(subject, label).rgba(frame).chunks_exact(4).enumerate() {
                    let (x, y) = (index % 64 + 64 * frame, index / 64 + 64 * label);
                    let grey = rgba[..3].iter().map(|&value| u32::from(value)).sum::<u32>() / 3;
                    let noise = (x * 7919 + y * 104_729 + index * 31) as u32 % 17;
                    let value = (grey + noise).saturating_sub(8).min(255) as u8;
                    sheet.put_pixel(x as u32, y as u32, image::Rgb([value; 3]));
                }
            }
            sheet.save(dir.join(format!("s{:06}_k0.webp", clips.subject_id(subject)))).unwrap();
        }
    }
    let clips = ClipSet::open(Path::new("synthetic"), None, 64, Split::Val).unwrap();
    let meta = json!({
        "actions": clips.labels(), "frames": clips.frames(), "size": 64, "fps": clips.fps(),
        "apex_frame": clips.apex_frame(),
        "splits": { "train": ids[0], "val": ids[1] },
    });
    fs::write(dir.join("meta.json"), meta.to_string()).unwrap();
}

#[test]
fn what_goes_wrong_is_said_and_the_last_checkpoint_stays() {
    let dir = workplace(true);
    let dir = dir.path();
    run(dir, &format!("{LFAE} --out run --steps 4 --save-every 2"));
    let kept = |what: &str| {
        let names: Vec<String> = fs::read_dir(dir.join("run"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert!(names.iter().any(|name| name == "step-00000004"), "{what}: {names:?}");
        assert!(!names.iter().any(|name| name.starts_with(".saving-")), "{what} leaves a mess: {names:?}");
    };

    let arguments = format!("{LFAE} --out run --resume --save-every 1");
    let message = failure(&mut lfdm(dir, &format!("{arguments} --steps 9 --lr 1e30").replace("--lr 0.001 ", "")));
    assert!(message.contains("the loss is") && message.contains("the checkpoint of step 4"), "{message}");
    kept("a loss that is no number");

    let message =
        failure(&mut lfdm(dir, &format!("{arguments} --steps 6 --separation 2").replace("--batch 4", "--batch 2")));
    assert!(message.contains("batch was 4 and is now 2"), "{message}");
    assert!(message.contains("recipe.separation was 0.5 and is now 2"), "{message}");

    // As on a full disk, writing fails beyond so many blocks.
    #[cfg(unix)]
    {
        let program = env!("CARGO_BIN_EXE_lfdm");
        let script = format!("trap '' XFSZ; ulimit -f 32; exec {program} {arguments} --steps 6");
        let message = failure(Command::new("sh").args(["-c", &script]).current_dir(dir));
        assert!(message.contains("cannot save step 5"), "{message}");
        kept("a full disk");
    }

    run(dir, &format!("{arguments} --steps 6"));
    assert!(dir.join("run/step-00000006").exists() && dir.join("run/plots/loss.svg").exists());
}

#[test]
fn a_killed_run_goes_on_as_if_nothing_had_happened() {
    let dir = workplace(true);
    let dir = dir.path();
    run(dir, &format!("{LFAE} --out whole --steps 12 --save-every 3"));

    let arguments = format!("{LFAE} --out killed --steps 12 --save-every 3");
    let mut child = lfdm(dir, &arguments).stderr(Stdio::null()).spawn().unwrap();
    let since = Instant::now();
    // After a checkpoint, in the middle of whatever it does then.
    while !dir.join("killed/step-00000003").exists() && !dir.join("killed/step-00000006").exists() {
        assert!(since.elapsed() < Duration::from_mins(10), "no checkpoint");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success(), "it was over before it could be killed");
    run(dir, &format!("{arguments} --resume"));

    for log in ["losses.jsonl", "validation.jsonl"] {
        assert_eq!(lines(&dir.join("whole").join(log)), lines(&dir.join("killed").join(log)), "{log}");
    }
    let bytes = |name: &str| fs::read(dir.join(name).join("step-00000012/average.safetensors")).unwrap();
    assert!(bytes("whole") == bytes("killed"), "the weights differ");
}
