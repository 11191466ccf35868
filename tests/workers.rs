//! Parts of a step computed by workers, here over loopback: the same losses and weights to the bit, whoever computes,
//! and clear words when a worker is not what it should be, or no more.
#![cfg(all(unix, feature = "native"))]

mod tiny;

use std::fs;
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

const FACES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/faces");
const LABELS: usize = 7;
const LFAE: &str = "train lfae --data FACES --config config.json --batch 1 --lr 0.0003";
const TOKEN: &str = "a-word-for-these-tests-alone";

fn command(dir: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lfdm"));
    let arguments = arguments.split_whitespace().map(|argument| if argument == "FACES" { FACES } else { argument });
    command.args(arguments).current_dir(dir);
    command
}

/// What it says, and whether it succeeds.
fn output(dir: &Path, arguments: &str) -> (bool, String) {
    let output = command(dir, arguments).output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!message.contains("panicked"), "{arguments}: {message}");
    (output.status.success(), message)
}

fn run(dir: &Path, arguments: &str) -> String {
    let (is_good, message) = output(dir, arguments);
    assert!(is_good, "{arguments}: {message}");
    message
}

fn refusal(dir: &Path, arguments: &str) -> String {
    let (is_good, message) = output(dir, arguments);
    assert!(!is_good, "{arguments} was accepted: {message}");
    message
}

/// A directory with the configuration of a small model, and a token.
fn workplace() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("config.json"), serde_json::to_vec(&tiny::config(32, 4, LABELS)).unwrap()).unwrap();
    fs::write(dir.path().join("token"), format!("{TOKEN}\n")).unwrap();
    dir
}

/// A process that computes for others until it is dropped.
struct Worker {
    process: Child,
    address: String,
    version: String,
}

impl Worker {
    fn start(dir: &Path) -> Self {
        let mut process = command(dir, "worker --listen 127.0.0.1:0 --token-file token --threads 1")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(process.stderr.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        let address = line.split_whitespace().find(|word| word.starts_with("ws://"));
        let address = address.unwrap_or_else(|| panic!("{line}")).trim_end_matches(',').to_owned();
        let version = line.split_whitespace().find(|word| word.starts_with(concat!(env!("CARGO_PKG_VERSION"), "+")));
        let version = version.unwrap_or_else(|| panic!("{line}")).to_owned();
        assert!(line.contains("cpu"), "{line}");
        // Read on, so that it can say more.
        thread::spawn(move || said.lines().for_each(drop));
        Self { process, address, version }
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address.trim_start_matches("ws://")).unwrap()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn assert_same(dir: &Path, [one, other]: [&str; 2], files: &[&str]) {
    let bytes =
        |run: &str, file: &str| fs::read(dir.join(run).join(file)).unwrap_or_else(|e| panic!("{run}/{file}: {e}"));
    for file in files {
        assert!(bytes(one, file) == bytes(other, file), "{file} of {one} is not that of {other}");
    }
}

/// Two processes that compute for others, as options of a training, and one of them beside a device of its own.
fn two_workers(dir: &Path) -> ([Worker; 2], [String; 2]) {
    let (a, b) = (Worker::start(dir), Worker::start(dir));
    let both = format!("--devices {},{} --token-file token", a.address, b.address);
    let mixed = format!("--devices cpu,{} --token-file token", a.address);
    ([a, b], [both, mixed])
}

#[test]
fn where_parts_are_computed_is_not_what_comes_out() {
    let dir = workplace();
    let dir = dir.path();
    let (_workers, [both, mixed]) = two_workers(dir);
    // Several parts to a device, and running statistics of batch norms, in stage 1; everything random, in both.
    let steps = "--accumulate 3 --lr-schedule constant";
    let lfae = format!("{LFAE} {steps}");
    let dm = format!("train dm --data FACES --lfae lfae-one --views 1 --batch 1 --lr 0.0003 {steps}");
    let files = ["losses.jsonl", "validation.jsonl", "step-00000002/average.safetensors"];
    for (stage, train) in [("lfae", &lfae), ("dm", &dm)] {
        let one = format!("{stage}-one");
        run(dir, &format!("{train} --steps 2 --out {one}"));
        for (name, devices) in [("two", "--devices cpu,cpu"), ("remote", &*both)] {
            let out = format!("{stage}-{name}");
            run(dir, &format!("{train} --steps 2 --out {out} {devices}"));
            assert_same(dir, [&one, &out], &files);
        }
    }
    let losses = fs::read_to_string(dir.join("lfae-remote/losses.jsonl")).unwrap();
    assert!(losses.lines().count() == 2 && losses.contains("\"reconstruction\""), "{losses}");

    // Begun there and continued here: what is saved is the same too.
    run(dir, &format!("{lfae} --steps 1 --out moved {mixed}"));
    run(dir, &format!("{lfae} --steps 2 --out moved --resume"));
    assert_same(dir, ["lfae-one", "moved"], &["losses.jsonl", "step-00000002/average.safetensors"]);
}

#[test]
#[ignore = "six more trainings take minutes"]
fn every_other_network_trains_elsewhere_as_it_does_here() {
    let dir = workplace();
    let dir = dir.path();
    let (_workers, [both, _]) = two_workers(dir);
    run(dir, &format!("{LFAE} --steps 1 --out lfae-one"));
    run(dir, "train dm --data FACES --lfae lfae-one --views 1 --batch 1 --lr 0.0003 --steps 1 --out dm-one");
    for (out, what) in [
        ("decoder", "finetune --painter --adversary 0.5 --motion-augmentation 0.5 --model lfae-one"),
        ("tuned", "train consistency --lfae lfae-one --dm dm-one --guidance 1.5 --stage-steps 1"),
        ("frames", "train autoencoder --size 32"),
        ("pixels", "train vdm --size 16 --frames 4 --views 1"),
        ("clips", "train imaginator --size 16 --frames 4 --channels 4 --views 1"),
        ("judge", "train classifier --size 32"),
    ] {
        let what = format!("{what} --data FACES --batch 2 --lr 0.0003 --accumulate 2 --steps 2");
        run(dir, &format!("{what} --out {out}"));
        run(dir, &format!("{what} --out {out}-there {both}"));
        assert_same(dir, [out, &format!("{out}-there")], &["losses.jsonl", "step-00000002/average.safetensors"]);
    }
}

fn wait_for(path: &Path, child: &mut Child) {
    let since = Instant::now();
    while !path.exists() {
        assert!(
            child.try_wait().unwrap().is_none() && since.elapsed() < Duration::from_mins(5),
            "no {}",
            path.display()
        );
        thread::sleep(Duration::from_millis(5));
    }
}

fn said(child: Child) -> (bool, String) {
    let output = child.wait_with_output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_worker_that_dies_costs_a_part_and_no_run() {
    let dir = workplace();
    let dir = dir.path();
    let steps = "--accumulate 2 --steps 12 --save-every 1000";
    run(dir, &format!("{LFAE} {steps} --out whole"));
    let files = ["losses.jsonl", "step-00000012/average.safetensors"];

    let (a, b) = (Worker::start(dir), Worker::start(dir));
    let devices = format!("--devices {},{} --token-file token", a.address, b.address);
    let mut training =
        command(dir, &format!("{LFAE} {steps} --out survived {devices}")).stderr(Stdio::piped()).spawn().unwrap();
    wait_for(&dir.join("survived/step-00000001"), &mut training);
    let lost = b.address.clone();
    drop(b);
    let (is_good, message) = said(training);
    assert!(is_good && message.contains(&format!("the worker {lost} (cpu) is lost")), "{message}");
    assert_same(dir, ["whole", "survived"], &files);

    // When nobody is left, the run stops with a checkpoint, and goes on from there.
    let devices = format!("--devices {} --token-file token", a.address);
    let mut training =
        command(dir, &format!("{LFAE} {steps} --out stopped {devices}")).stderr(Stdio::piped()).spawn().unwrap();
    wait_for(&dir.join("stopped/step-00000001"), &mut training);
    let lost = a.address.clone();
    drop(a);
    let (is_good, message) = said(training);
    assert!(!is_good && message.contains("no device is left to train on"), "{message}");
    assert!(
        message.contains(&lost) && message.contains("saved in stopped") && message.contains("--resume"),
        "{message}"
    );
    run(dir, &format!("{LFAE} {steps} --out stopped --resume"));
    assert_same(dir, ["whole", "stopped"], &files);
}

/// Answers whoever calls with these words, and closes or stays silent.
fn stranger(words: String, stays: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("ws://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let mut callers = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(words.as_bytes());
            if stays {
                callers.push(stream);
            }
        }
    });
    address
}

// The clips do not exist: workers are called before anybody looks for them.
const TRAIN: &str = "train lfae --data nowhere --config config.json --out run --accumulate 2";

#[test]
fn who_is_no_worker_of_ours_is_refused_before_anything_is_read() {
    let dir = workplace();
    let dir = dir.path();
    let worker = Worker::start(dir);
    fs::write(dir.join("other"), "another-word-for-tests").unwrap();
    let with = |devices: &str| refusal(dir, &format!("{TRAIN} --devices {devices}"));

    let message = with(&format!("{} --token-file other", worker.address));
    assert!(message.contains("does not know this token") && message.contains(&worker.address), "{message}");
    let message = with(&worker.address);
    assert!(message.contains("workers want a token"), "{message}");
    let message = with("cpu,cpu --token-file token");
    assert!(message.contains("--devices names none"), "{message}");
    let message = with(&format!("cpu,cpu,{} --token-file token", worker.address));
    assert!(message.contains("give --accumulate 3"), "{message}");
    let message = with("gpu-of-mine,cpu");
    assert!(message.contains("--devices names gpu-of-mine, but --device is cpu"), "{message}");
    let message = with("http://a:3000");
    assert!(message.contains("neither a number of devices"), "{message}");

    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let message = with(&format!("ws://{nobody} --token-file token"));
    assert!(message.contains("no worker answers") && message.contains("lfdm worker --listen"), "{message}");
    // The same version, built from other sources.
    let other = format!("{}+0123456789abcdef", env!("CARGO_PKG_VERSION"));
    let message = with(&format!(
        "{} --token-file token",
        stranger(format!("HTTP/1.1 426 Upgrade Required\r\nLfdm-Version: {other}\r\n\r\n"), false)
    ));
    assert!(
        message.contains(&format!("is lfdm {other}, and this is lfdm {}+", env!("CARGO_PKG_VERSION"))),
        "{message}"
    );
    assert!(message.contains("built from the same sources"), "{message}");
    for words in ["HTTP/1.1 404 Not Found\r\n\r\n", "HTTP/1.1 101 Yes\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", ""] {
        let message = with(&format!("{} --token-file token", stranger(words.to_owned(), false)));
        assert!(
            message.contains("no worker of lfdm") || message.contains("does not answer like a worker"),
            "{message}"
        );
    }

    // A worker that is good is called, and then the clips are missed.
    let message = with(&format!("cpu,{} --token-file token", worker.address));
    assert!(message.contains("nowhere"), "{message}");
}

#[test]
fn nobody_waits_for_a_silent_end() {
    let dir = workplace();
    let worker = Worker::start(dir.path());
    let silent = stranger(String::new(), true);
    let since = Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| {
            let message = refusal(dir.path(), &format!("{TRAIN} --devices {silent} --token-file token"));
            assert!(message.contains(&silent) && message.contains("has not answered for 10 seconds"), "{message}");
        });
        // Half a request, and a byte every second: neither keeps its place.
        for is_slow in [false, true] {
            let worker = &worker;
            scope.spawn(move || {
                let mut stream = worker.connect();
                stream.write_all(b"GET /parts HTTP/1.1\r\n").unwrap();
                stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
                while stream.read(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock) {
                    assert!(since.elapsed() < Duration::from_mins(1), "a silent end is still there");
                    if is_slow {
                        let _ = stream.write_all(b"x");
                    }
                }
            });
        }
    });
    assert!(since.elapsed() >= Duration::from_secs(10));
}

#[test]
fn a_worker_serves_nobody_else() {
    let dir = workplace();
    let worker = Worker::start(dir.path());
    let ask = |request: &[u8]| {
        let mut stream = worker.connect();
        // What is not read is not there to be answered.
        let _ = stream.write_all(request);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    };
    let call = |path: &str, token: &str, version: &str| {
        ask(format!(
            "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Authorization: Bearer {token}\r\nlfdm-version: {version}\r\n\r\n"
        )
        .as_bytes())
    };
    let answer = call("/parts", "wrong", &worker.version);
    assert!(answer.starts_with("HTTP/1.1 401 ") && answer.ends_with("another token, or none\n"), "{answer}");
    assert!(!answer.contains("version"), "{answer}");
    // Another version, and the same of other sources.
    let released = env!("CARGO_PKG_VERSION");
    for other in ["0.0.1", released, &format!("{released}+0123456789abcdef")] {
        let answer = call("/parts", TOKEN, other);
        assert!(answer.starts_with("HTTP/1.1 426 ") && answer.contains(&worker.version), "{answer}");
    }
    let answer = call("/", TOKEN, &worker.version);
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    // Garbage, a head without end, and one of a thousand fields are let go.
    let (endless, fields) = ("a".repeat(300_000), "a: b\r\n".repeat(1000));
    for garbage in [&[0xff; 5000][..], endless.as_bytes(), format!("GET / HTTP/1.1\r\n{fields}\r\n").as_bytes()] {
        assert_eq!(ask(garbage), "");
    }
    assert!(call("/parts", "wrong", "").starts_with("HTTP/1.1 401 "), "it still serves");

    for (name, word) in [("short", "word"), ("empty", ""), ("blank", "\n"), ("long", &"x".repeat(5000))] {
        fs::write(dir.path().join(name), word).unwrap();
        let message = refusal(dir.path(), &format!("worker --listen 127.0.0.1:0 --token-file {name}"));
        assert!(message.contains(&format!("--token-file {name}")), "{message}");
    }
    let taken = worker.address.trim_start_matches("ws://");
    let message = refusal(dir.path(), &format!("worker --listen {taken} --token-file token"));
    assert!(message.contains("cannot listen on") && message.contains("choose another"), "{message}");
}
