//! The trials that once broke the program, on the program itself: about 2400 calls with odd settings, damaged files,
//! kills and full disks. None may panic, hang, take gigabytes, or leave a half-written result.
//!
//! They take half an hour, so `tests/hostile/run.sh` asks for them.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use image::{ImageFormat, RgbImage};
use lfdm::bundle::Bundle;
use lfdm::weights::WeightDtype;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::tiny::official::{CONFIG, MODEL};
use super::{BERT, FACES, damage, numbers, odd_numbers, pickles};

/// Computing longer than this is a hang, on a machine that may have much else to do.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most memory in kB.
const MEMORY: u64 = 2_000_000;

const IMPORT: &str = "import --lfae pth/lfae.pth --dm pth/dm.pth --config config.yaml \
    --conditions pth/conditions.safetensors --frames 4 --out imported";
const ANIMATE: &str = "animate --model model --image portrait.png --label joy --steps 1 --out clip.gif";

/// How many trials of a series did what they must not.
#[derive(Debug, Default)]
struct Count {
    trials: usize,
    succeeded: usize,
    panics: usize,
    hangs: usize,
    gigabytes: usize,
    half_written: usize,
}

struct Trials {
    dir: TempDir,
    counts: BTreeMap<&'static str, Count>,
    failures: Vec<String>,
}

/// What a call did.
struct Outcome {
    succeeded: bool,
    message: String,
}

#[test]
#[ignore = "half an hour; tests/hostile/run.sh asks for it"]
fn trials() {
    let mut trials = Trials::prepare();
    trials.odd_yamls(127);
    trials.odd_manifests(376);
    trials.damaged_files(1170);
    trials.odd_pickles(150);
    trials.odd_options();
    trials.odd_advice();
    trials.damaged_text_encoders(200);
    trials.endless_files();
    trials.full_disks();
    trials.signals(40);
    trials.kills(53);
    for (series, count) in &trials.counts {
        println!("{series}: {count:?}");
    }
    println!("{} trials", trials.counts.values().map(|count| count.trials).sum::<usize>());
    assert!(trials.failures.is_empty(), "{}", trials.failures.join("\n"));
}

impl Trials {
    /// A directory with a model, its checkpoints, a portrait and clips.
    fn prepare() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        MODEL.write_dir(&at("model"), WeightDtype::F32).unwrap();
        fs::write(at("config.yaml"), CONFIG).unwrap();
        portrait().save(at("portrait.png")).unwrap();
        let this = Self { dir, counts: BTreeMap::new(), failures: Vec::new() };
        let exported = this.call("export-pth --model model --out pth", None).0;
        assert!(exported.succeeded, "{}", exported.message);
        this
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Calls the program, and says how long it computed and what memory it took.
    fn call(&self, arguments: &str, limit: Option<u64>) -> (Outcome, Duration, u64) {
        // A pipe: limits of files do not hold for what it says.
        let mut child = self.command(arguments, limit).stderr(Stdio::piped()).spawn().unwrap();
        let (mut computed, mut memory) = (Duration::ZERO, 0);
        let since = Instant::now();
        let succeeded = loop {
            if let Some((seconds, kilobytes)) = usage(&child) {
                (computed, memory) = (seconds, kilobytes);
            }
            if let Some(status) = child.try_wait().unwrap() {
                break status.success();
            }
            if computed > PATIENCE || memory > MEMORY || since.elapsed() > 12 * PATIENCE {
                child.kill().unwrap();
                child.wait().unwrap();
                computed = computed.max(if memory > MEMORY { computed } else { 2 * PATIENCE });
                break false;
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        let mut said = Vec::new();
        child.stderr.take().unwrap().read_to_end(&mut said).unwrap();
        let message = String::from_utf8_lossy(&said).into_owned();
        (Outcome { succeeded, message }, computed, memory)
    }

    /// With files of at most `limit` blocks of 1 kB, if there is a limit.
    fn command(&self, arguments: &str, limit: Option<u64>) -> Command {
        let program = env!("CARGO_BIN_EXE_lfdm");
        let mut command = match limit {
            None => Command::new(program),
            Some(blocks) => {
                let mut command = Command::new("bash");
                let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec {program} \"$@\"");
                command.args(["-c", &script, "lfdm"]);
                command
            }
        };
        command.args(arguments.split_whitespace()).current_dir(self.dir.path());
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    /// One trial: what `out` held before is gone, so that whatever is there afterwards is this call's.
    fn attempt(&mut self, series: &'static str, what: &str, arguments: &str, limit: Option<u64>, out: &str) -> bool {
        let out = self.at(out);
        remove(&out);
        let (outcome, computed, memory) = self.call(arguments, limit);
        let count = self.counts.entry(series).or_default();
        count.trials += 1;
        count.succeeded += usize::from(outcome.succeeded);
        let mut problems = Vec::new();
        if outcome.message.contains("panicked") || outcome.message.contains("overflowed its stack") {
            count.panics += 1;
            problems.push("it panicked");
        }
        if computed > PATIENCE {
            count.hangs += 1;
            problems.push("it hung");
        }
        if memory > MEMORY {
            count.gigabytes += 1;
            problems.push("it took gigabytes");
        }
        let is_half = out.exists() && !(outcome.succeeded && is_whole(&out)) || left_over(self.dir.path());
        if is_half {
            count.half_written += 1;
            problems.push("its result is half-written");
        }
        if outcome.message.trim().is_empty() && !outcome.succeeded && problems.is_empty() {
            problems.push("it failed without a word");
        }
        if !problems.is_empty() {
            let message = outcome.message.lines().take(4).collect::<Vec<_>>().join(" | ");
            println!("{series}, {what}: {}: {message}", problems.join(", "));
            self.failures.push(format!("{series}, {what}: {}: {message}", problems.join(", ")));
        }
        remove(&out);
        outcome.succeeded
    }

    /// Settings of official YAML files replaced by odd ones. What is imported must animate.
    fn odd_yamls(&mut self, trials: usize) {
        let original: Value = serde_yaml_ng::from_str(CONFIG).unwrap();
        for (path, odd) in odd_settings(&original, trials) {
            let mut changed = original.clone();
            *changed.pointer_mut(&path).unwrap() = odd.clone();
            fs::write(self.at("odd.yaml"), serde_yaml_ng::to_string(&changed).unwrap()).unwrap();
            let arguments = IMPORT.replace("config.yaml", "odd.yaml");
            let what = format!("{path} = {odd}");
            if self.attempt("odd YAMLs", &what, &arguments, None, "imported") {
                let arguments = arguments.replace("--out imported", "--out kept");
                assert!(self.call(&arguments, None).0.succeeded);
                let animate = ANIMATE.replace("--model model", "--model kept");
                let animates = self.attempt("models of odd YAMLs", &what, &animate, None, "clip.gif");
                if !animates {
                    self.failures.push(format!("odd YAMLs, {what}: it was imported, and does not animate"));
                }
                remove(&self.at("kept"));
            }
        }
    }

    /// A manifest with one number changed.
    fn odd_manifests(&mut self, trials: usize) {
        let path = self.at("model/manifest.json");
        let text = fs::read(&path).unwrap();
        let original: Value = serde_json::from_slice(&text).unwrap();
        let mut paths = Vec::new();
        numbers("", &original, &mut paths);
        let odd = odd_numbers();
        let pairs: Vec<_> = paths.iter().flat_map(|path| odd.iter().map(move |odd| (path, odd))).collect();
        for index in 0..trials {
            let (pointer, odd) = pairs[index * pairs.len() / trials];
            let mut changed = original.clone();
            *changed.pointer_mut(pointer).unwrap() = odd.clone();
            fs::write(&path, changed.to_string()).unwrap();
            self.attempt("odd manifests", &format!("{pointer} = {odd}"), ANIMATE, None, "clip.gif");
        }
        fs::write(&path, text).unwrap();
    }

    /// Checkpoints, weights, manifests, YAML files, portraits and clips with some bytes changed or missing.
    fn damaged_files(&mut self, trials: usize) {
        let clips = self.at("clips");
        fs::create_dir_all(&clips).unwrap();
        for entry in fs::read_dir(FACES).unwrap().map(|entry| entry.unwrap()) {
            fs::copy(entry.path(), clips.join(entry.file_name())).unwrap();
        }
        for (name, format) in [("p.png", ImageFormat::Png), ("p.jpg", ImageFormat::Jpeg), ("p.gif", ImageFormat::Gif)] {
            portrait().save_with_format(self.at(name), format).unwrap();
        }
        portrait().save_with_format(self.at("p.webp"), ImageFormat::WebP).unwrap();
        let shard = first_shard(&self.at("model"));
        let animate = |image: &str| ANIMATE.replace("portrait.png", image);
        let eval = "eval --reconstruction --model model --data clips --split all --out report.json";
        let cases: Vec<(String, String, &str)> = [
            ("pth/lfae.pth", IMPORT, "imported"),
            ("pth/dm.pth", IMPORT, "imported"),
            ("pth/conditions.safetensors", IMPORT, "imported"),
            ("config.yaml", IMPORT, "imported"),
            ("model/manifest.json", ANIMATE, "clip.gif"),
            (&shard, ANIMATE, "clip.gif"),
            ("p.png", &animate("p.png"), "clip.gif"),
            ("p.jpg", &animate("p.jpg"), "clip.gif"),
            ("p.gif", &animate("p.gif"), "clip.gif"),
            ("p.webp", &animate("p.webp"), "clip.gif"),
            ("clips/meta.json", eval, "report.json"),
            ("clips/s000000_k0.webp", eval, "report.json"),
        ]
        .map(|(file, arguments, out)| (file.to_owned(), arguments.to_owned(), out))
        .to_vec();
        for index in 0..trials {
            let (file, arguments, out) = &cases[index % cases.len()];
            let path = self.at(file);
            let original = fs::read(&path).unwrap();
            let mut bytes = original.clone();
            damage(&mut bytes, &mut ChaCha8Rng::seed_from_u64(index as u64));
            fs::write(&path, &bytes).unwrap();
            self.attempt("damaged files", &format!("{file} by {index}"), arguments, None, out);
            fs::write(&path, original).unwrap();
        }
    }

    /// Pickles that were once too much, and random programs of their machine.
    fn odd_pickles(&mut self, trials: u64) {
        let arguments = IMPORT.replace("pth/lfae.pth", "odd.pth");
        let random = (0..trials).map(|seed| (format!("seed {seed}"), pickles::random(seed)));
        for (name, bytes) in pickles::known().into_iter().chain(random) {
            fs::write(self.at("odd.pth"), bytes).unwrap();
            self.attempt("odd pickles", &name, &arguments, None, "imported");
        }
    }

    /// Options that nobody should give.
    fn odd_options(&mut self) {
        let options = "--steps --guidance --seed --photo-size --crop --sheet --contrast --sampler --label";
        let values = ["0", "-1", "1e30", "nan", "18446744073709551616", "0,0,0", "\u{1b}[31m", "inf,inf", "1,0"];
        for option in options.split_whitespace() {
            for value in values {
                let others = ANIMATE.replace("--steps 1", if option == "--steps" { "" } else { "--steps 1" });
                let others = others.replace("--label joy", if option == "--label" { "" } else { "--label joy" });
                let arguments = format!("{others} {option}={value}");
                self.attempt("odd options", &format!("animate {option}={value}"), &arguments, None, "clip.gif");
            }
        }
        fs::write(self.at("config.json"), serde_json::to_vec(&super::tiny::config(32, 4, 7)).unwrap()).unwrap();
        let train = format!("train lfae --data {FACES} --config config.json --out run");
        let options = "--batch --accumulate --lr --clip --steps --save-every --preview-every --max-zoom --separation \
            --validation-share --save-minutes --memory --blur --frames --reconstruction --first-frame";
        for option in options.split_whitespace() {
            for value in ["0", "-1", "nan", "1e300", "4294967296"] {
                let steps = if option == "--steps" { "" } else { "--steps 1" };
                let batch = if option == "--batch" { "" } else { "--batch 1" };
                let arguments = format!("{train} {batch} {steps} {option}={value} --max-minutes 0.05");
                self.attempt("odd options", &format!("train {option}={value}"), &arguments, None, "nothing");
                remove(&self.at("run"));
            }
        }
    }

    /// What a bundle says for its users. What is exported must animate by it.
    fn odd_advice(&mut self) {
        let export = "export --lfae model --dm model --name odd --out exported";
        for option in ["--steps", "--guidance", "--fps", "--detail-guidance", "--affine-guidance"] {
            for value in ["0", "1e-30", "50", "999999", "1e9", "nan"] {
                let arguments = format!("{export} {option}={value}");
                let what = format!("export {option}={value}");
                if self.attempt("odd options", &what, &arguments, None, "exported") {
                    assert!(self.call(&arguments, None).0.succeeded);
                    let animate = ANIMATE.replace("--model model", "--model exported").replace("--steps 1", "");
                    if !self.attempt("models of odd options", &what, &animate, None, "clip.gif") {
                        self.failures.push(format!("{what}: it was exported, and does not animate"));
                    }
                    remove(&self.at("exported"));
                }
            }
        }
    }

    /// Files of a text encoder with some bytes changed or missing.
    fn damaged_text_encoders(&mut self, trials: usize) {
        fs::write(self.at("labels.txt"), "joy\nswipe to the left\n").unwrap();
        for layout in ["now", "then"] {
            let dir = self.at(layout);
            fs::create_dir_all(&dir).unwrap();
            for entry in fs::read_dir(Path::new(BERT).join(layout)).unwrap().map(|entry| entry.unwrap()) {
                fs::copy(entry.path(), dir.join(entry.file_name())).unwrap();
            }
            let files: Vec<PathBuf> = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()).collect();
            let arguments = format!("conditions --bert {layout} --labels labels.txt --out vectors.safetensors");
            for index in 0..trials / 2 {
                let path = &files[index % files.len()];
                let original = fs::read(path).unwrap();
                let mut bytes = original.clone();
                damage(&mut bytes, &mut ChaCha8Rng::seed_from_u64(index as u64));
                fs::write(path, &bytes).unwrap();
                let what = format!("{} by {index}", path.display());
                self.attempt("damaged text encoders", &what, &arguments, None, "vectors.safetensors");
                fs::write(path, original).unwrap();
            }
        }
    }

    /// Devices in place of files: their size is 0, and they have no end.
    fn endless_files(&mut self) {
        for name in ["zero.pth", "zero.png", "zero.safetensors"] {
            std::os::unix::fs::symlink("/dev/zero", self.at(name)).unwrap();
        }
        let train = format!("train lfae --data {FACES} --batch 1 --frames 4 --out run --steps 1");
        let eval = format!("eval --model model --data {FACES} --out report.json");
        for (arguments, out) in [
            (IMPORT.replace("pth/lfae.pth", "zero.pth"), "imported"),
            (IMPORT.replace("pth/dm.pth", "zero.pth"), "imported"),
            (IMPORT.replace("config.yaml", "/dev/zero"), "imported"),
            (IMPORT.replace("pth/conditions.safetensors", "zero.safetensors"), "imported"),
            (ANIMATE.replace("portrait.png", "zero.png"), "clip.gif"),
            (format!("{train} --config /dev/zero"), "nothing"),
            (format!("{train} --official-config /dev/zero --vgg zero.pth"), "nothing"),
            (format!("{train} --config config.json --vgg zero.safetensors"), "nothing"),
            (format!("{eval} --i3d zero.safetensors"), "report.json"),
            ("conditions --bert now --labels /dev/zero --out vectors.safetensors".to_owned(), "vectors.safetensors"),
        ] {
            if self.attempt("endless files", &arguments, &arguments, None, out) {
                self.failures.push(format!("{arguments}: it was read to its end"));
            }
            // A run directory may be begun.
            remove(&self.at("run"));
        }
    }

    /// Calls that are ended at any moment by a signal that they can hear.
    fn signals(&mut self, signals: u64) {
        let eval = format!("eval --model model --data {FACES} --seeds 50 --out report.json --clips-out clips-out");
        let new = format!("new project --data {FACES} --init model");
        let many = "animate --model model --image portrait.png --label all --steps 50 --out many".to_owned();
        let one = ANIMATE.replace("--steps 1", "--steps 500");
        let commands = [(&eval, "report.json"), (&new, "project"), (&many, "nothing"), (&one, "clip.gif")];
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        for index in 0..signals {
            let (arguments, out) = commands[index as usize % commands.len()];
            let child = self.command(arguments, None).stderr(Stdio::piped()).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(u64::from(rng.next_u32() % 2500)));
            let signal = ["-TERM", "-INT"][rng.next_u32() as usize % 2];
            let _ = Command::new("kill").args([signal, &child.id().to_string()]).stderr(Stdio::null()).status();
            let output = child.wait_with_output().unwrap();
            let message = String::from_utf8_lossy(&output.stderr).into_owned();
            let out = self.at(out);
            let is_half = out.exists() && !is_whole(&out) || left_over(self.dir.path());
            let count = self.counts.entry("signals").or_default();
            count.trials += 1;
            count.succeeded += usize::from(output.status.success());
            count.half_written += usize::from(is_half);
            count.panics += usize::from(message.contains("panicked"));
            if is_half || message.contains("panicked") {
                self.failures.push(format!("{signal} of {arguments}: {message}"));
            }
            for name in ["report.json", "clips-out", "project", "many", "clip.gif"] {
                remove(&self.at(name));
            }
        }
    }

    /// Files can only have so many kB.
    fn full_disks(&mut self) {
        let eval = format!("eval --reconstruction --model model --data {FACES} --out report.json");
        let commands = [
            (ANIMATE, "clip.gif"),
            ("animate --model model --image portrait.png --label joy --steps 1 --out frames", "frames"),
            ("animate --model model --image portrait.png --label all --steps 1 --gif --out many", "many"),
            (IMPORT, "imported"),
            ("export-pth --model model --out other-pth", "other-pth"),
            ("export-onnx --model model --out onnx", "onnx"),
            (&eval, "report.json"),
        ];
        for (arguments, out) in commands {
            for blocks in [0, 1, 2, 4, 8, 16, 64] {
                // Of several clips, those that are complete may stay.
                let out = if out == "many" { "nothing" } else { out };
                self.attempt("full disks", &format!("{blocks} kB, {arguments}"), arguments, Some(blocks), out);
                remove(&self.at("many"));
            }
        }
    }

    /// Trainings that are killed at any moment reach the same losses and weights.
    fn kills(&mut self, kills: u64) {
        let config = super::tiny::config(32, 4, 7);
        fs::write(self.at("config.json"), serde_json::to_vec(&config).unwrap()).unwrap();
        let train = format!(
            "train lfae --data {FACES} --config config.json --batch 2 --steps 60 --save-every 3 --preview-every 1000"
        );
        let whole = self.call_long(&format!("{train} --out whole"));
        assert!(whole.succeeded, "{}", whole.message);
        let count = Count { trials: kills as usize, ..Count::default() };
        self.counts.insert("kills", count);
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for kill in 0..kills {
            let resume = if self.has_checkpoint("cut") { "--resume" } else { "" };
            let command = format!("{train} --out cut {resume}");
            let mut child = self.command(&command, None).stderr(Stdio::null()).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(u64::from(rng.next_u32() % 3000)));
            child.kill().unwrap();
            child.wait().unwrap();
            // Some runs end before; then another one begins.
            if kill % 8 == 7 {
                self.finish_killed(&train, kill);
                remove(&self.at("cut"));
            }
        }
        self.finish_killed(&train, kills);
    }

    fn finish_killed(&mut self, train: &str, kill: u64) {
        let resume = if self.has_checkpoint("cut") { "--resume" } else { "" };
        let ended = self.call_long(&format!("{train} --out cut {resume}"));
        let is_same = ["losses.jsonl", "step-00000060/average.safetensors"].iter().all(|file| {
            let [whole, cut] = ["whole", "cut"].map(|run| fs::read(self.at(run).join(file)).ok());
            whole.is_some() && whole == cut
        });
        if !(ended.succeeded && is_same) {
            let count = self.counts.entry("kills").or_default();
            count.half_written += 1;
            count.panics += usize::from(ended.message.contains("panicked"));
            self.failures.push(format!("after kill {kill} the run is another one: {}", ended.message));
        }
    }

    fn has_checkpoint(&self, run: &str) -> bool {
        let Ok(entries) = fs::read_dir(self.at(run)) else { return false };
        entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("step-"))
    }

    fn call_long(&self, arguments: &str) -> Outcome {
        let output = self.command(arguments, None).stderr(Stdio::piped()).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        Outcome { succeeded: output.status.success(), message }
    }
}

/// Time that a process has computed, and the most memory in kB that it had.
fn usage(child: &Child) -> Option<(Duration, u64)> {
    let read = |name: &str| fs::read_to_string(format!("/proc/{}/{name}", child.id())).ok();
    let stat = read("stat")?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    let status = read("status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
    Some((Duration::from_millis(10 * ticks), peak?))
}

/// Whether a result can be used.
fn is_whole(out: &Path) -> bool {
    if out.is_dir() {
        let is_bundle = out.join("manifest.json").exists();
        return !is_bundle || Bundle::open_dir(out).is_ok();
    }
    let bytes = fs::read(out).unwrap();
    match out.extension().and_then(|extension| extension.to_str()) {
        Some("gif") => bytes.starts_with(b"GIF89a") && bytes.ends_with(b";"),
        Some("json") => serde_json::from_slice::<Value>(&bytes).is_ok(),
        _ => true,
    }
}

/// Whether a call has left something in the making, which then goes.
fn left_over(dir: &Path) -> bool {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    let left: Vec<_> = entries.filter(|entry| entry.file_name().to_string_lossy().contains("staging")).collect();
    for entry in &left {
        remove(&entry.path());
    }
    !left.is_empty()
}

fn remove(path: &Path) {
    let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
}

fn portrait() -> RgbImage {
    RgbImage::from_fn(48, 40, |x, y| image::Rgb([(x * 5) as u8, (y * 6) as u8, (x ^ y) as u8]))
}

/// The first file of weights, below the directory of the model.
fn first_shard(model: &Path) -> String {
    let manifest: Value = serde_json::from_slice(&fs::read(model.join("manifest.json")).unwrap()).unwrap();
    format!("model/{}", manifest["files"][0]["name"].as_str().unwrap())
}

/// So many settings of a YAML file, each with an odd value.
fn odd_settings(original: &Value, count: usize) -> Vec<(String, Value)> {
    let mut paths = Vec::new();
    numbers("", original, &mut paths);
    let words = [json!(null), json!("many"), json!([]), json!({}), json!(true)];
    let odd: Vec<Value> = odd_numbers().into_iter().chain(words).collect();
    let pairs: Vec<_> = paths.iter().flat_map(|path| odd.iter().map(move |odd| (path.clone(), odd.clone()))).collect();
    (0..count).map(|index| pairs[index * pairs.len() / count].clone()).collect()
}
