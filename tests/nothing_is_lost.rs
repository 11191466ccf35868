//! What the user has survives the program: its directories, its runs, its disk when it is full, and its signals.
#![cfg(all(unix, feature = "native"))]

mod tiny;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

const FACES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/faces");
const LABELS: usize = 7;
const LFAE: &str = "train lfae --data FACES --config config.json --batch 2 --lr 0.0003";
const DM: &str = "train dm --data FACES --views 1 --batch 2 --lr 0.0003";

fn command(dir: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lfdm"));
    let arguments = arguments.split_whitespace().map(|argument| if argument == "FACES" { FACES } else { argument });
    command.args(arguments).current_dir(dir);
    command
}

/// Its error if it fails.
fn lfdm(dir: &Path, arguments: &str) -> Result<(), String> {
    let output = command(dir, arguments).output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!message.contains("panicked"), "{arguments}: {message}");
    if output.status.success() { Ok(()) } else { Err(message) }
}

fn run(dir: &Path, arguments: &str) {
    lfdm(dir, arguments).unwrap_or_else(|error| panic!("{arguments}: {error}"));
}

fn refusal(dir: &Path, arguments: &str) -> String {
    lfdm(dir, arguments).err().unwrap_or_else(|| panic!("{arguments}: it was accepted"))
}

/// A directory with the configuration of a small model.
fn workplace() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("config.json"), serde_json::to_vec(&tiny::config(32, 4, LABELS)).unwrap()).unwrap();
    dir
}

fn wait_for(path: &Path) {
    let since = Instant::now();
    while !path.exists() {
        assert!(since.elapsed() < Duration::from_mins(5), "there is no {}", path.display());
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

fn bytes(path: impl AsRef<Path>) -> Vec<u8> {
    fs::read(path.as_ref()).unwrap_or_else(|error| panic!("{}: {error}", path.as_ref().display()))
}

/// Everything below a directory, by name.
fn listing(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_run_belongs_to_one_process_and_a_signal_saves_it() {
    let dir = workplace();
    let dir = dir.path();
    let steps = "--steps 40 --save-every 1000 --preview-every 1000";
    run(dir, &format!("{LFAE} --out whole {steps}"));

    let mut child = command(dir, &format!("{LFAE} --out cut {steps}")).stderr(Stdio::piped()).spawn().unwrap();
    // The first step is saved, however many there are between checkpoints.
    wait_for(&dir.join("cut/step-00000001"));
    let refused = refusal(dir, &format!("{LFAE} --out cut {steps} --resume"));
    assert!(refused.contains("another process is training in cut"), "{refused}");
    signal(&child, "-TERM");
    let output = child.wait_with_output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("stopped by a signal after step"), "{message}");
    let newest = listing(&dir.join("cut")).into_iter().find(|name| name.starts_with("step-")).unwrap();
    assert!(newest.as_str() > "step-00000001" && newest.as_str() < "step-00000040", "{newest}");

    run(dir, &format!("{LFAE} --out cut {steps} --resume"));
    for file in ["losses.jsonl", "validation.jsonl", "step-00000040/average.safetensors"] {
        assert!(bytes(dir.join("whole").join(file)) == bytes(dir.join("cut").join(file)), "{file} differs");
    }

    // Ctrl-C, and a checkpoint by time.
    let timed = format!("{LFAE} --out timed --save-minutes 0 {steps}");
    child = command(dir, &timed).stderr(Stdio::piped()).spawn().unwrap();
    wait_for(&dir.join("timed/step-00000003"));
    signal(&child, "-INT");
    let output = child.wait_with_output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("stopped by a signal after step"), "{message}");

    // Where validations may take no time, the first and the last are all there are.
    run(dir, &format!("{LFAE} --out budget --steps 3 --preview-every 1 --validation-share 0"));
    let validations = fs::read_to_string(dir.join("budget/validation.jsonl")).unwrap();
    let step = |line: &str| serde_json::from_str::<Value>(line).unwrap()["step"].as_f64().unwrap();
    assert_eq!(validations.lines().map(step).collect::<Vec<_>>(), [0.0, 3.0]);
}

#[test]
fn resuming_refuses_what_would_make_another_run() {
    let dir = workplace();
    let dir = dir.path();
    run(dir, &format!("{LFAE} --out run --steps 1"));
    let losses = bytes(dir.join("run/losses.jsonl"));
    let fewer = dir.join("fewer");
    fs::create_dir(&fewer).unwrap();
    for entry in fs::read_dir(FACES).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, fewer.join(path.file_name().unwrap())).unwrap();
    }
    run(dir, &format!("{LFAE} --data fewer --out run --steps 2 --resume").replace("--data FACES ", ""));
    let other = bytes(fewer.join("s000000_k0.webp"));
    fs::write(fewer.join("s000001_k0.webp"), other).unwrap();

    let resume = |options: &str| refusal(dir, &format!("{LFAE} --out run --steps 3 --resume {options}"));
    assert!(resume("--seed 1").contains("--seed was 0 and is now 1"));
    assert!(resume("--clip 0.5").contains("--clip was the stage's own and is now 0.5"));
    assert!(resume("--crop 0.1,0.1,0.8").contains("crop was"));
    // Not that the clips are too short for so many.
    assert!(resume("--frames 40").contains("--frames was 4 and is now 40"));
    assert!(resume("--flow FACES").contains("the clips are others"));
    let data = refusal(dir, &format!("{LFAE} --data fewer --out run --steps 3 --resume").replace("--data FACES ", ""));
    assert!(data.contains("the clips are others (--data"), "{data}");
    assert!(bytes(dir.join("run/losses.jsonl")).starts_with(&losses), "a refusal has cut the log");
}

#[test]
fn stage_2_learns_the_motion_of_the_auto_encoder_that_it_was_given() {
    let dir = workplace();
    let dir = dir.path();
    for (name, seed) in [("a", 1), ("b", 2)] {
        run(dir, &format!("{LFAE} --out {name} --seed {seed} --steps 2"));
        run(dir, &format!("{DM} --lfae {name} --out dm-{name} --steps 1"));
    }
    let refused = refusal(dir, "export --lfae a --dm dm-b --name mixed --out mixed");
    assert!(refused.contains("dm-b learned from another auto-encoder than the one in a"), "{refused}");
    run(dir, "export --lfae b --dm dm-b --name b --out model-b");
    // A video is as fast as the clips that it was learned from.
    let [clips, model] = [Path::new(FACES).join("meta.json"), dir.join("model-b/manifest.json")]
        .map(|path| serde_json::from_slice::<Value>(&bytes(path)).unwrap()["fps"].as_f64().unwrap());
    assert_eq!((clips, model), (2.0, 2.0));
    let refused = refusal(dir, "export --lfae a --dm model-b --name mixed --out mixed");
    assert!(refused.contains("model-b learned from another auto-encoder"), "{refused}");
    let refused = refusal(
        dir,
        "train consistency --data FACES --lfae a --dm dm-b --guidance 1 --stage-steps 1 --out c --steps 1 \
                      --lr 0.001",
    );
    assert!(refused.contains("dm-b learned from another auto-encoder"), "{refused}");

    // The bundle knows, and one that does not still serves.
    let path = dir.join("model-b/manifest.json");
    let mut manifest: Value = serde_json::from_slice(&bytes(&path)).unwrap();
    assert_eq!(manifest["training"]["dm"]["motion"].as_str().unwrap().len(), 64);
    manifest["training"]["dm"].as_object_mut().unwrap().remove("motion");
    fs::write(&path, manifest.to_string()).unwrap();
    run(dir, "export --lfae model-b --dm model-b --name again --out again");
    run(dir, "export --lfae b --dm model-b --name again --out again");
    assert!(refusal(dir, "export --lfae a --dm model-b --name mixed --out mixed").contains("another auto-encoder"));

    // Stored motion of `a` is not taken for that of `b`, although both were trained for as many steps.
    fs::create_dir(dir.join("dm-c")).unwrap();
    let sets = ["motion-train.safetensors", "motion-val.safetensors"];
    for set in sets {
        fs::copy(dir.join("dm-a").join(set), dir.join("dm-c").join(set)).unwrap();
    }
    run(dir, &format!("{DM} --lfae b --out dm-c --steps 1"));
    for set in sets {
        assert!(bytes(dir.join("dm-c").join(set)) == bytes(dir.join("dm-b").join(set)), "{set} is a's");
    }
    let refused = refusal(dir, &format!("{DM} --lfae a --out dm-b --steps 2 --resume"));
    assert!(refused.contains("the auto-encoder is another one"), "{refused}");

    // Nor is another diffusion model tuned in the middle of a run.
    run(dir, &format!("{DM} --lfae a --seed 2 --out dm-d --steps 1"));
    let tune = "train consistency --data FACES --lfae a --guidance 1 --stage-steps 1 --batch 2 --out c";
    run(dir, &format!("{tune} --dm dm-a --steps 1"));
    let refused = refusal(dir, &format!("{tune} --dm dm-d --steps 2 --resume"));
    assert!(refused.contains("--dm is another one"), "{refused}");
    run(dir, &format!("{tune} --dm dm-a --steps 2 --resume"));
}

#[test]
fn nothing_of_the_users_is_replaced() {
    let dir = workplace();
    let dir = dir.path();
    run(dir, &format!("{LFAE} --out runs/lfae --steps 1"));
    run(dir, &format!("{DM} --lfae runs/lfae --out runs/dm --steps 1"));
    let export = |out: &str| format!("export --lfae runs/lfae --dm runs/dm --name tiny --out {out}");
    fs::create_dir(dir.join("thesis")).unwrap();
    fs::write(dir.join("thesis/thesis.tex"), b"years of work").unwrap();
    assert!(refusal(dir, &export("thesis")).contains("holds thesis.tex"));
    for out in ["runs", "runs/lfae", "runs/dm/step-00000001"] {
        assert!(refusal(dir, &export(out)).contains("would replace what"), "{out}");
    }
    assert!(refusal(dir, &export(".")).contains("is where you are"));
    assert_eq!(listing(&dir.join("runs")), ["dm", "lfae"]);
    run(dir, &export("model"));
    run(dir, &export("model"));
    fs::write(dir.join("model/notes.txt"), b"mine").unwrap();
    assert!(refusal(dir, &export("model")).contains("holds notes.txt"));
    fs::remove_file(dir.join("model/notes.txt")).unwrap();

    image::RgbImage::new(64, 64).save(dir.join("portrait.png")).unwrap();
    let animate = |out: &str| format!("animate --model model --image portrait.png --label fear --steps 1 --out {out}");
    run(dir, &animate("frames"));
    run(dir, &animate("frames"));
    assert!(refusal(dir, &animate("thesis")).contains("holds thesis.tex"));
    assert!(refusal(dir, "export-onnx --model model --out model").contains("would replace what"));
    run(dir, "export-onnx --model model --out onnx");
    run(dir, "export-onnx --model model --out onnx");

    // What a run writes into its own data would be learned the next time.
    let inside = refusal(dir, "train lfae --data thesis --config config.json --lr 0.001 --out thesis/run --steps 1");
    assert!(inside.contains("which is read as a whole"), "{inside}");
    for arguments in [
        "eval --model model --data thesis --out thesis/meta.json",
        "sheet --model model --data thesis --out thesis/0001.png",
        "new thesis/project --data thesis --init model",
        "new model/project --data thesis --init model",
    ] {
        assert!(refusal(dir, arguments).contains("which is read as a whole"), "{arguments}");
    }
    assert_eq!(listing(&dir.join("thesis")), ["thesis.tex"]);
    assert!(!dir.join("thesis/run").exists());

    // Other programs keep such logs, too.
    fs::create_dir(dir.join("logs")).unwrap();
    fs::write(dir.join("logs/losses.jsonl"), b"{\"epoch\": 3}\n").unwrap();
    assert!(refusal(dir, &format!("{LFAE} --out logs --steps 1")).contains("losses.jsonl is of another run"));
    assert_eq!(bytes(dir.join("logs/losses.jsonl")), b"{\"epoch\": 3}\n");
    assert_eq!(listing(&dir.join("logs")), ["losses.jsonl"], "a refusal leaves everything as it was");
    assert!(refusal(dir, &format!("{LFAE} --out logs --steps 1 --resume")).contains("no checkpoint in logs"));
    assert_eq!(listing(&dir.join("logs")), ["losses.jsonl"]);
    // Neither a model nor clips become a run.
    let model = listing(&dir.join("model"));
    assert!(refusal(dir, &format!("{LFAE} --init model --out model --steps 1")).contains("manifest.json is of no run"));
    assert_eq!(listing(&dir.join("model")), model);

    // Other programs call their frames the same.
    fs::create_dir(dir.join("mine")).unwrap();
    fs::copy(dir.join("portrait.png"), dir.join("mine/frame_000.png")).unwrap();
    assert!(refusal(dir, &animate("mine")).contains("holds frame_000.png"));
    assert_eq!(bytes(dir.join("mine/frame_000.png")), bytes(dir.join("portrait.png")));
    inputs_are_no_outputs(dir);
    assert_eq!(bytes(dir.join("thesis/thesis.tex")), b"years of work");
}

/// A file that a command reads, or that lies in what it reads, is not written: in `dir` are `model` and `portrait.png`.
fn inputs_are_no_outputs(dir: &Path) {
    let portrait = bytes(dir.join("portrait.png"));
    fs::write(dir.join("me.gif"), &portrait).unwrap();
    fs::write(dir.join("model/preview.png"), &portrait).unwrap();
    let manifest = bytes(dir.join("model/manifest.json"));
    for (arguments, spared) in [
        ("animate --model model --image me.gif --label fear --steps 1 --out me.gif", "me.gif"),
        ("animate --model model --image me.gif --label fear --steps 1 --out new.gif --sheet me.gif", "me.gif"),
        (
            "animate --model model --image portrait.png --label fear --out new.gif --sheet ./portrait.png",
            "portrait.png",
        ),
        ("eval --model model --data FACES --out model/manifest.json", "model/manifest.json"),
        ("sheet --model model --data FACES --out model/preview.png", "model/preview.png"),
    ] {
        let before = bytes(dir.join(spared));
        let refused = refusal(dir, arguments);
        assert!(refused.contains("would replace what"), "{arguments}: {refused}");
        assert_eq!(bytes(dir.join(spared)), before, "{arguments}");
    }
    assert!(!dir.join("new.gif").exists(), "found before anything is made");

    // Nor are two results one.
    for arguments in [
        "animate --model model --image portrait.png --label fear --steps 1 --out new.png --sheet new.png",
        "animate --model model --image portrait.png --label fear --steps 1 --out one.gif --sheet ./one.gif",
        "eval --model model --data FACES --steps 1 --out clips/report.json --clips-out clips",
        "eval --model model --data FACES --steps 1 --out clips --clips-out clips",
    ] {
        refusal(dir, arguments);
        assert!(["new.png", "one.gif", "clips"].iter().all(|name| !dir.join(name).exists()), "{arguments}");
    }
    assert_eq!([bytes(dir.join("me.gif")), bytes(dir.join("model/manifest.json"))], [portrait, manifest]);
}

/// What has no end, or is no file, is not read to its end.
#[test]
fn a_device_is_no_file() {
    let dir = workplace();
    let dir = dir.path();
    run(dir, &format!("{LFAE} --out lfae --steps 1"));
    run(dir, &format!("{DM} --lfae lfae --out dm --steps 1"));
    run(dir, "export --lfae lfae --dm dm --name tiny --out model");
    fs::create_dir(dir.join("odd")).unwrap();
    for name in ["odd/manifest.json", "odd/meta.json", "zeros.safetensors", "zeros.pth", "zeros.png"] {
        std::os::unix::fs::symlink("/dev/zero", dir.join(name)).unwrap();
    }
    let bert = "conditions --bert BERT --out vectors.safetensors --labels";
    let bert = bert.replace("BERT", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/bert/now"));
    let fifo = |name: &str| assert!(Command::new("mkfifo").arg(dir.join(name)).status().unwrap().success());
    for name in ["held", "full", "waits", "split"] {
        fs::create_dir(dir.join(name)).unwrap();
    }
    for name in ["held/frame_000.png", "waits/.lock", "split/splits.json", "pipe.pth"] {
        fifo(name);
    }
    std::os::unix::fs::symlink("/dev/full", dir.join("full/losses.jsonl")).unwrap();
    fs::create_dir_all(dir.join("clips/me")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", dir.join("clips/me/fear.gif")).unwrap();
    image::RgbImage::new(64, 64).save(dir.join("me.png")).unwrap();
    for clip in ["split/anna/joy", "split/bert/joy"] {
        fs::create_dir_all(dir.join(clip)).unwrap();
        (0..4).for_each(|frame| drop(fs::copy(dir.join("me.png"), dir.join(clip).join(format!("{frame}.png")))));
    }
    for arguments in [
        "animate --model model --image me.png --label fear --out held",
        "animate --model model --image me.png --label fear,anger --gif --resume --out clips",
        "train lfae --data FACES --config config.json --out full --steps 1",
        "train lfae --data FACES --config config.json --out waits --steps 1",
        "train lfae --data split --config config.json --out run --steps 1",
        "import --lfae pipe.pth --dm pipe.pth --config config.json --conditions zeros.safetensors --out imported",
        &*format!("{bert} /dev/zero"),
        "import --lfae zeros.pth --dm zeros.pth --config /dev/zero --conditions zeros.safetensors --out imported",
        "import --lfae zeros.pth --dm zeros.pth --config config.json --conditions zeros.safetensors --out imported",
        "train lfae --data FACES --config /dev/zero --out run --steps 1",
        "train lfae --data FACES --official-config /dev/zero --vgg zeros.pth --out run --steps 1",
        "train dm --data FACES --lfae lfae --config /dev/zero --out run --steps 1",
        "train lfae --data FACES --config config.json --vgg zeros.safetensors --out run --steps 1",
        "train lfae --data odd --config config.json --out run --steps 1",
        "eval --model model --data FACES --i3d zeros.safetensors --out report.json",
        "eval --model odd --data FACES --out report.json",
        "animate --model model --image zeros.png --label fear --out clip.gif",
        "animate --model odd --image zeros.png --label fear --out clip.gif",
    ] {
        // A call that reads on has to be ended.
        let mut child = command(dir, arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let since = Instant::now();
        while child.try_wait().unwrap().is_none() && since.elapsed() < Duration::from_mins(1) {
            std::thread::sleep(Duration::from_millis(10));
        }
        let ends = child.try_wait().unwrap().is_some_and(|status| !status.success());
        let _ = child.kill();
        let message = child.wait_with_output().unwrap().stderr;
        let message = String::from_utf8_lossy(&message);
        assert!(ends && message.contains("error: ") && !message.contains("panicked"), "{arguments}: {message}");
    }
}

/// Commands that no checkpoint saves end at once, and leave what was there before.
#[test]
fn a_signal_leaves_nothing_half_written() {
    let dir = workplace();
    let dir = dir.path();
    run(dir, &format!("{LFAE} --out lfae --steps 1"));
    run(dir, &format!("{DM} --lfae lfae --out dm --steps 1"));
    run(dir, "export --lfae lfae --dm dm --name tiny --out model");
    let before = listing(dir);
    let begun = |dir: &Path| listing(dir).into_iter().find(|name| name.starts_with(".staging-"));
    for (arguments, name, code, words) in [
        ("eval --model model --data FACES --seeds 500 --out report.json --clips-out clips", "-TERM", 143, "signal"),
        ("eval --model model --data FACES --seeds 500 --out report.json --clips-out clips", "-INT", 130, "signal"),
        ("eval --model model --data FACES --seeds 500 --out report.json --clips-out clips", "-HUP", 129, "signal"),
        ("new project --data FACES --init model", "-TERM", 1, "--no-rehearsal"),
    ] {
        if name == "-HUP" && outlives_its_terminal() {
            continue;
        }
        let mut child = command(dir, arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let since = Instant::now();
        while begun(dir).is_none() {
            assert!(since.elapsed() < Duration::from_mins(5) && child.try_wait().unwrap().is_none(), "{arguments}");
            std::thread::sleep(Duration::from_millis(5));
        }
        if arguments.starts_with("new") {
            // It listens from the rehearsal on.
            let project = dir.join(begun(dir).unwrap());
            while !listing(&project).iter().any(|name| name.starts_with(".rehearsal-")) {
                std::thread::sleep(Duration::from_millis(5));
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments}: {message}");
        assert!(message.contains("stopped by a signal") && message.contains(words), "{arguments}: {message}");
        assert_eq!(listing(dir), before, "{arguments}");
    }
    // What a kill leaves does not stand in the way.
    fs::create_dir(dir.join(".staging-abc123")).unwrap();
    run(dir, "new project --data FACES --init model --no-rehearsal");
    assert!(refusal(dir, "new project --data FACES --init model").contains("holds a project already"));
}

/// Whether somebody has called the tests with `nohup`.
fn outlives_its_terminal() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    ignored.is_none_or(|ignored| ignored & 1 != 0)
}

/// Nobody has to read what is said.
#[test]
fn an_output_that_is_closed_or_full_is_no_panic() {
    let dir = workplace();
    for (script, code) in [("config | true", 0), ("config > /dev/full", 1), ("config > /dev/full 2> /dev/full", 1)] {
        let script = format!("set -o pipefail; {} {script}", env!("CARGO_BIN_EXE_lfdm"));
        let output = Command::new("bash").args(["-c", &script]).current_dir(dir.path()).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{script}: {message}");
        assert!(!message.contains("panicked"), "{script}: {message}");
    }
    assert!(refusal(dir.path(), "--threads 20000 config").contains("--threads"));
    let eval = "eval --model nothing --data FACES --out r.json --seeds 2 --seed 18446744073709551615";
    assert!(refusal(dir.path(), eval).contains("--seed must be at most"));
}

/// A file system that takes only files of up to 8 kB stands for a full disk.
#[test]
fn a_full_disk_leaves_nothing_half_written() {
    let dir = workplace();
    let dir = dir.path();
    run(dir, &format!("{LFAE} --out lfae --steps 1"));
    run(dir, &format!("{DM} --lfae lfae --out dm --steps 1"));
    run(dir, "export --lfae lfae --dm dm --name tiny --out model");
    image::RgbImage::new(400, 400).save(dir.join("portrait.png")).unwrap();
    fs::write(dir.join("clip.gif"), b"an earlier clip").unwrap();
    let before = listing(dir);

    for arguments in [
        "animate --model model --image portrait.png --label fear --steps 1 --photo-size 400 --out clip.gif",
        "animate --model model --image portrait.png --label fear --steps 1 --photo-size 400 --out frames",
        "sheet --model model --data FACES --steps 1 --out sheet.png",
        "export --lfae lfae --dm dm --name tiny --out other",
        "export-pth --model model --out pth",
        "export-onnx --model model --out onnx",
        "eval --model model --data FACES --steps 1 --out report.json --clips-out clips",
        "train dm --data FACES --lfae lfae --out motion --steps 1 --lr 0.001",
    ] {
        let program = env!("CARGO_BIN_EXE_lfdm");
        let script = format!("ulimit -f 8; exec {program} {}", arguments.replace("FACES", FACES));
        let output = Command::new("bash").args(["-c", &script]).current_dir(dir).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && !message.contains("panicked"), "{arguments}: {message}");
        assert!(message.contains("File too large") && !message.contains("ZipWriter"), "{arguments}: {message}");
    }
    assert_eq!(bytes(dir.join("clip.gif")), b"an earlier clip");
    let left = listing(dir).into_iter().filter(|name| !before.contains(name)).collect::<Vec<_>>();
    assert_eq!(left, ["motion"], "a run directory may be begun");
    assert_eq!(listing(&dir.join("motion")), [".lock"]);
}

/// A server without a graphics adapter trains on, and says that it has none.
#[test]
fn no_graphics_adapter_is_needed_to_resume() {
    let dir = workplace();
    let dir = dir.path();
    let blind = |arguments: &str| {
        let mut command = command(dir, arguments);
        for variable in ["VK_DRIVER_FILES", "VK_ICD_FILENAMES", "__EGL_VENDOR_LIBRARY_FILENAMES", "LIBGL_DRIVERS_PATH"]
        {
            command.env(variable, "/absent");
        }
        let output = command.output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!message.contains("panicked"), "{arguments}: {message}");
        if output.status.success() { Ok(()) } else { Err(message) }
    };
    blind(&format!("{LFAE} --out run --steps 1")).unwrap();
    blind(&format!("{LFAE} --out run --steps 2 --resume")).unwrap();
    if cfg!(feature = "gpu")
        && let Err(message) = blind(&format!("{LFAE} --out other --steps 1 --device gpu"))
    {
        assert!(message.contains("no graphics adapter"), "{message}");
    }
    if cfg!(feature = "gpu") {
        let several = format!("{LFAE} --out third --steps 1 --device gpu --devices 2 --accumulate 2");
        let message = blind(&several).unwrap_err();
        assert!(message.contains("no graphics adapter") || message.contains("--devices 2 asks for 2"), "{message}");
    }
}

/// The settings of a run are a file, which anybody can change.
#[test]
fn a_run_with_settings_that_make_no_model_is_refused() {
    let dir = workplace();
    let dir = dir.path();
    run(dir, &format!("{LFAE} --out run --steps 1"));
    let state = dir.join("run/step-00000001/state.json");
    let mut settings: Value = serde_json::from_slice(&bytes(&state)).unwrap();
    settings["settings"]["config"]["image_size"] = serde_json::json!([65, 65]);
    fs::write(&state, settings.to_string()).unwrap();
    let refused = refusal(dir, "eval --reconstruction --model run --data FACES --out report.json");
    assert!(refused.contains("image_size"), "{refused}");
}

/// An hour of measuring is not lost to a report that cannot be written.
#[test]
fn eval_says_at_once_that_it_cannot_write() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), b"").unwrap();
    let refused = refusal(dir.path(), "eval --model absent --data FACES --out file/report.json");
    assert!(refused.contains("cannot write file/report.json") && !refused.contains("absent"), "{refused}");
}
