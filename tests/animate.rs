//! From a model on disk to a video on disk, with a small model of random weights: `lfdm animate` and the library
//! underneath.
#![cfg(feature = "native")]

mod tiny;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use burn::tensor::{Device, Tensor};
use lfdm::bundle::Bundle;
use lfdm::condition::{ConditionTable, Contrast, Strengths};
use lfdm::config::{Diffused, LfdmConfig};
use lfdm::diffusion::{self, Sampler};
use lfdm::lfae;
use lfdm::pipeline::{Animator, Event, Frame, Generation, Job, PipelineError, Portrait, Request, RequestError};
use lfdm::tensor::{haar, haar_of_pairs};
use lfdm::weights::{StateDict, WeightDtype, collect_module};
use tempfile::TempDir;

const SIZE: usize = 32;
const FRAMES: usize = 4;

fn labels() -> Vec<String> {
    ["calm", "joy", "fear"].map(str::to_owned).to_vec()
}

/// Made once: initial weights come from a generator that all threads share.
static BUNDLE: LazyLock<Bundle> = LazyLock::new(random_bundle);

fn bundle() -> Bundle {
    BUNDLE.clone()
}

fn random_bundle() -> Bundle {
    random_bundle_of(tiny::config(SIZE, FRAMES, labels().len()))
}

fn random_bundle_of(config: LfdmConfig) -> Bundle {
    let device = Device::flex();
    device.seed(7);
    let mut weights = collect_module(&config.lfae.init(&device), &lfae::official_key);
    let denoiser = config.diffusion.init(config.latent_channels(), &device);
    weights.merge(collect_module(&denoiser, &diffusion::official_key));
    weights.merge(ConditionTable::one_hot(labels(), &device).to_state());
    let grid = lfdm::tensor::pixel_grid(config.flow_size(), &device).permute([2, 0, 1]);
    let [height, width] = config.flow_size();
    let occlusion = Tensor::<3>::full([1, height, width], 0.5, &device);
    let diffused = config.diffusion.unet.diffused;
    let mean = [grid, occlusion]
        .map(|planes| planes.unsqueeze::<4>().repeat_dim(0, diffused.frames()))
        .map(|planes| if diffused.cells() > 1 { haar(planes) } else { planes })
        .map(|planes| if diffused.frames() > 1 { haar_of_pairs(planes) } else { planes });
    let std = if diffused == Diffused::Motion { vec![0.2, 0.2, 0.3] } else { vec![0.2; diffused.channels()] };
    weights.insert("motion.mean", Tensor::cat(mean.to_vec(), 1).squeeze_dim::<3>(0).into_data());
    weights.insert("motion.std", Tensor::<1>::from_floats(std.as_slice(), &device).into_data());
    Bundle { manifest: tiny::manifest("tiny", config, labels()), weights }
}

fn request(label: &str, seed: u64) -> Request {
    Request {
        strengths: label.into(),
        seed,
        steps: 3,
        guidance: 4.0,
        contrast: Contrast::Null,
        sampler: Sampler::default(),
    }
}

fn portrait() -> Portrait {
    let pixels: Vec<u8> = (0..40 * 40).flat_map(|i| [(i * 7 % 256) as u8, (i % 40 * 6) as u8, 90, 255]).collect();
    Portrait::from_rgba(40, 40, &pixels, [SIZE; 2]).unwrap()
}

fn events(animator: &Animator, request: &Request) -> Vec<Event> {
    let mut generation = animator.generate(&portrait(), request).unwrap();
    std::iter::from_fn(|| pollster::block_on(generation.next())).map(Result::unwrap).collect()
}

fn frames(animator: &Animator, request: &Request) -> Vec<Frame> {
    let frame = |event| match event {
        Event::Frame(frame) => Some(frame),
        _ => None,
    };
    events(animator, request).into_iter().filter_map(frame).collect()
}

fn animator() -> Animator {
    Animator::load(bundle(), &Device::flex()).unwrap()
}

#[test]
fn events_come_in_order() {
    let events = events(&animator(), &request("joy", 1));
    let kinds: Vec<String> = events
        .iter()
        .map(|event| match event {
            Event::Encoded => "encoded".into(),
            Event::Step { index, total, .. } => format!("step {index}/{total}"),
            Event::Frame(frame) => format!("frame {}/{}", frame.index, frame.total),
            Event::Done(_) => "done".into(),
        })
        .collect();
    let expected = "encoded,step 0/3,step 1/3,step 2/3,frame 0/4,frame 1/4,frame 2/4,frame 3/4,done";
    assert_eq!(kinds.join(","), expected);

    let Some(Event::Done(timings)) = events.last() else { panic!("no timings") };
    let phases = timings.encode_ms + timings.denoise_ms + timings.decode_ms;
    assert!(timings.decode_ms > 0.0 && (phases - timings.total_ms).abs() < 1e-6);
}

#[test]
fn a_seed_is_a_video_and_labels_and_seeds_differ() {
    let (first, second) = (animator(), animator());
    let joy = frames(&first, &request("joy", 1));
    assert_eq!(joy.len(), FRAMES);
    assert!(joy == frames(&first, &request("joy", 1)), "the same model again");
    assert!(joy == frames(&second, &request("joy", 1)), "the same weights loaded again");
    assert!(joy != frames(&first, &request("fear", 1)), "the label changes nothing");
    assert!(joy != frames(&first, &request("joy", 2)), "the seed changes nothing");
    assert!(joy.iter().any(|frame| frame.rgba != joy[0].rgba), "nothing moves");
    for frame in &joy {
        for picture in [&frame.rgba, &frame.flow, &frame.occlusion] {
            assert_eq!(picture.len(), SIZE * SIZE * 4);
        }
    }
}

#[test]
fn a_mixture_is_a_video_of_its_own() {
    let animator = animator();
    let mixed = |text: &str| {
        let strengths = Strengths::parse(text, &labels()).unwrap();
        frames(&animator, &Request { strengths, ..request("joy", 1) })
    };
    let joy = frames(&animator, &request("joy", 1));
    assert!(joy == mixed("joy=1") && joy == mixed("joy=1,fear=0"), "strength 1 is the label as it is");
    let half = mixed("joy=0.5,fear=0.5");
    assert!(half != joy && half != mixed("fear") && half != mixed("joy=0.75,fear=0.25"));
}

#[test]
fn previews_and_photo_frames_come_beside_the_video_and_do_not_change_it() {
    let animator = animator();
    let plain = frames(&animator, &request("joy", 1));
    let rgba: Vec<u8> = (0..200 * 150).flat_map(|i| [(i % 200) as u8, 120, 90, 255]).collect();
    let photo = Portrait::at_photo_size(200, 150, &rgba, [SIZE; 2], 100).unwrap();
    let mut generation = animator.generate(&portrait(), &request("joy", 1)).unwrap();
    generation = generation.with_previews().at_photo_size(&photo);
    let mut previews = Vec::new();
    let mut count = 0;
    while let Some(event) = pollster::block_on(generation.next()) {
        match event.unwrap() {
            Event::Step { preview, .. } => previews.push(preview.expect("a preview for every step")),
            Event::Frame(mut frame) => {
                let picture = frame.photo.take().expect("a photo for every frame");
                assert_eq!((picture.size, picture.rgba.len()), ([100, 100], 100 * 100 * 4));
                assert!(frame == plain[count], "frame {count}");
                count += 1;
            }
            Event::Encoded | Event::Done(_) => {}
        }
    }
    assert_eq!((previews.len(), count), (3, FRAMES));
    let [height, width] = previews[0].size;
    assert!(previews.iter().all(|preview| preview.flow.len() == FRAMES * height * width * 4));
    assert!(previews[0] != previews[2], "the motion does not become clearer");
}

#[test]
fn finer_motion_makes_a_video_of_its_own_grid() {
    let mut config = tiny::config(SIZE, FRAMES, labels().len()).with_fine_motion();
    config.lfae.generator.painter = true;
    let animator = Animator::load(random_bundle_of(config.clone()), &Device::flex()).unwrap();
    let events = events(&animator, &request("joy", 1));
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Frame(_))).count(), FRAMES);
    let mut generation = animator.generate(&portrait(), &request("joy", 1)).unwrap().with_previews();
    let shown = std::iter::from_fn(|| pollster::block_on(generation.next())).find_map(|event| match event.unwrap() {
        Event::Step { preview, .. } => preview,
        _ => None,
    });
    assert_eq!(shown.map(|preview| preview.size), Some(config.flow_size()));
    assert_eq!(config.flow_size(), [SIZE / 2; 2]);

    // Statistics of coarse motion do not fit it.
    let mut mixed = random_bundle_of(config);
    mixed.weights.merge(bundle().weights.filter(|key| key.starts_with("motion.")));
    let message = Animator::load(mixed, &Device::flex()).err().unwrap().to_string();
    assert!(message.contains("[3, 8, 8]") && message.contains("[12, 8, 8]"), "{message}");
}

#[test]
fn frames_in_pairs_make_a_video_of_all_frames() {
    let coarse = tiny::config(SIZE, FRAMES, labels().len());
    for config in [coarse.clone(), coarse.with_fine_motion()] {
        let grid = config.flow_size();
        let mut bundle = random_bundle_of(config.with_frame_pairs());
        // Guidance of detail knows the bands too.
        bundle.manifest.config.diffusion.detail_guidance = 2.0;
        let animator = Animator::load(bundle, &Device::flex()).unwrap();
        let made = frames(&animator, &request("joy", 1));
        assert_eq!(made.len(), FRAMES);
        assert!(made.windows(2).all(|frames| frames[0].flow != frames[1].flow), "both frames of a pair move");
        let mut generation = animator.generate(&portrait(), &request("joy", 1)).unwrap().with_previews();
        let shown =
            std::iter::from_fn(|| pollster::block_on(generation.next())).find_map(|event| match event.unwrap() {
                Event::Step { preview, .. } => preview,
                _ => None,
            });
        assert_eq!(shown.map(|preview| preview.flow.len()), Some(FRAMES * grid[0] * grid[1] * 4));
    }
}

/// All events of `leader`, of whose jobs every `share`-th is done by `helper`, another one is left to
/// `next`, and the others are done by the leader itself. Also how many jobs the helper did.
fn events_with(mut leader: Generation, helper: &Generation, share: usize) -> (Vec<Event>, usize) {
    let (mut events, mut helped) = (Vec::new(), 0);
    loop {
        // As a page does it: what is known already is not asked for again.
        for (index, job) in pollster::block_on(leader.jobs()).unwrap().iter().enumerate() {
            let who = match index % share {
                0 => helper,
                1 if share > 2 => continue,
                _ => &leader,
            };
            helped += usize::from(index % share == 0);
            let output = pollster::block_on(who.compute(job)).unwrap();
            leader.supply(output);
        }
        match pollster::block_on(leader.next()) {
            Some(Ok(Event::Done(_))) => return (events, helped),
            event => events.push(event.unwrap().unwrap()),
        }
    }
}

#[test]
fn what_is_computed_elsewhere_is_the_same_to_the_last_bit() {
    let fine = {
        let mut config = tiny::config(SIZE, FRAMES, labels().len()).with_fine_motion();
        config.lfae.generator.painter = true;
        random_bundle_of(config)
    };
    let pairs = random_bundle_of(tiny::config(SIZE, FRAMES, labels().len()).with_frame_pairs());
    let guided_in = |mut bundle: Bundle, interval| {
        bundle.manifest.config.diffusion.guidance_interval = interval;
        bundle
    };
    let rgba: Vec<u8> = (0..200 * 150).flat_map(|i| [(i % 200) as u8, (i % 90) as u8, 90, 255]).collect();
    let photo = Portrait::at_photo_size(200, 150, &rgba, [SIZE; 2], 100).unwrap();
    let guided = Request { steps: 4, ..request("joy", 3) };
    let plain = Request { guidance: 1.0, ..guided.clone() };
    let stochastic = Request { sampler: Sampler::Consistency, ..guided.clone() };
    for (bundle, request, with_photo, guided_steps) in [
        (guided_in(bundle(), [0.0, 1.0]), &guided, false, 4),
        (guided_in(bundle(), [0.3, 0.8]), &guided, false, 2),
        (bundle(), &plain, true, 0),
        (guided_in(fine.clone(), [0.0, 1.0]), &guided, true, 4),
        (guided_in(fine, [0.0, 1.0]), &stochastic, false, 4),
        (guided_in(pairs, [0.0, 1.0]), &guided, true, 4),
    ] {
        let start = || {
            let animator = Animator::load(bundle.clone(), &Device::flex()).unwrap();
            let generation = animator.generate(&portrait(), request).unwrap().with_previews();
            if with_photo { generation.at_photo_size(&photo) } else { generation }
        };
        let mut alone = start();
        let mut expected: Vec<Event> =
            std::iter::from_fn(|| pollster::block_on(alone.next())).map(Result::unwrap).collect();
        expected.pop();
        let mut helper = start();
        pollster::block_on(helper.next()).unwrap().unwrap();
        for (share, helped) in [(1, 2 * guided_steps + FRAMES), (2, guided_steps + FRAMES / 2), (3, guided_steps + 2)] {
            let (events, found) = events_with(start(), &helper, share);
            assert!(events == expected, "{request:?}, every {share}-th job elsewhere");
            assert!(found >= helped, "{found} of {helped} jobs, {share}");
        }
    }
}

#[test]
fn a_job_is_done_only_by_a_generation_that_can() {
    let mut bundle = bundle();
    bundle.manifest.config.diffusion.guidance_interval = [0.0, 1.0];
    let animator = Animator::load(bundle, &Device::flex()).unwrap();
    let start = || animator.generate(&portrait(), &request("joy", 1)).unwrap();
    let (mut leader, idle, mut done) = (start(), start(), start());
    assert!(pollster::block_on(leader.jobs()).unwrap().is_empty(), "the encoding is for everyone");
    pollster::block_on(leader.next()).unwrap().unwrap();
    while pollster::block_on(done.next()).is_some() {}
    let jobs = pollster::block_on(leader.jobs()).unwrap();
    let Job::Predict { step, pass, x } = &jobs[1] else { panic!("a guided step has two passes") };
    let of_another_size = Job::Predict { step: *step, pass: *pass, x: x[1..].to_vec() };
    let of_no_step = Job::Predict { step: 3, pass: 0, x: x.clone() };
    let of_no_pass = Job::Predict { step: 0, pass: 2, x: x.clone() };
    let of_no_frame = Job::Decode { index: 0, flow: vec![0.0; 3], occlusion: vec![0.0] };
    for (who, job) in [
        (&idle, &jobs[0]),
        (&done, &jobs[0]),
        (&leader, &of_another_size),
        (&leader, &of_no_step),
        (&leader, &of_no_pass),
        (&leader, &of_no_frame),
    ] {
        assert!(matches!(pollster::block_on(who.compute(job)), Err(PipelineError::Job)), "{job:?}");
    }

    // What comes late changes nothing.
    let late = pollster::block_on(leader.compute(&jobs[0])).unwrap();
    pollster::block_on(leader.next()).unwrap().unwrap();
    leader.supply(late);
    let rest: Vec<Event> = std::iter::from_fn(|| pollster::block_on(leader.next())).map(Result::unwrap).collect();
    let expected = events(&animator, &request("joy", 1));
    assert!(rest[..rest.len() - 1] == expected[2..expected.len() - 1]);
}

#[test]
fn every_sampler_makes_a_video() {
    let animator = animator();
    let ddim = Sampler::Ddim { eta: 1.0, times: diffusion::DdimTimes::Trailing };
    let videos = [Sampler::DpmSolverPp2m, ddim].map(|sampler| {
        let request = Request { sampler, ..request("joy", 1) };
        let video = frames(&animator, &request);
        assert!(video == frames(&animator, &request), "{sampler:?} draws noise beside the seed");
        video
    });
    assert!(videos[0] != videos[1], "the samplers agree bit for bit");
}

#[test]
fn impossible_requests_are_refused_by_name() {
    let animator = animator();
    let refuse = |change: &dyn Fn(&mut Request)| {
        let mut request = request("joy", 0);
        change(&mut request);
        animator.generate(&portrait(), &request).err().expect("accepted").to_string()
    };
    for steps in [0, 1001, 10_000] {
        assert!(refuse(&|request| request.steps = steps).contains(&format!("steps: {steps}")));
    }
    for guidance in [f32::NAN, f32::INFINITY, -1.0, 21.0] {
        assert!(refuse(&|request| request.guidance = guidance).starts_with("guidance: "));
    }
    for eta in [f64::NAN, -0.1, 1.5] {
        let sampler = Sampler::Ddim { eta, times: diffusion::DdimTimes::Trailing };
        assert!(refuse(&|request| request.sampler = sampler).starts_with("sampler: eta"));
    }
    let message = refuse(&|request| request.strengths = "glee".into());
    assert!(message.contains("glee") && message.contains("calm, joy, fear"), "{message}");
    let half = Strengths::parse("joy=0.5", &labels()).unwrap();
    let message = refuse(&|request| request.strengths = half.clone());
    assert!(message.starts_with("strengths: this model has no label `neutral`"), "{message}");

    let small = Portrait::from_rgba(40, 40, &[0; 6400], [16, 16]).unwrap();
    let refused = animator.generate(&small, &request("joy", 0));
    assert!(matches!(refused, Err(RequestError::PortraitSize { .. })));
}

#[test]
fn a_model_that_lacks_weights_is_not_loaded() {
    let without = |key: &str| {
        let mut bundle = bundle();
        assert!(bundle.weights.get(key).is_some(), "{key} is no key");
        let kept: StateDict = bundle.weights.clone().filter(|other| other != key);
        bundle.weights = kept;
        Animator::load(bundle, &Device::flex()).err().expect("loaded").to_string()
    };
    for key in ["generator.first.conv.weight", "motion.std", "conditions"] {
        assert!(without(key).contains(key), "{}", without(key));
    }
    let mut relabelled = bundle();
    relabelled.manifest.labels.pop();
    assert!(Animator::load(relabelled, &Device::flex()).is_err());
}

/// A model on disk, a portrait, and the program.
struct Workplace {
    dir: TempDir,
}

impl Workplace {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        bundle().write_dir(&dir.path().join("model"), WeightDtype::F16).unwrap();
        let portrait = image::RgbImage::from_fn(48, 40, |x, y| image::Rgb([x as u8 * 5, y as u8 * 6, 100]));
        portrait.save(dir.path().join("portrait.png")).unwrap();
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn command(&self, image: &str, out: &str, options: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lfdm"));
        command
            .arg("animate")
            .args(["--model".as_ref(), self.path("model").as_os_str()])
            .args(["--image".as_ref(), self.path(image).as_os_str()])
            .args(["--out".as_ref(), self.path(out).as_os_str()])
            .args(options);
        command
    }

    fn animate(&self, image: &str, out: &str, options: &[&str]) -> Output {
        self.command(image, out, options).output().unwrap()
    }

    /// The error of a run that must fail.
    fn refusal(&self, image: &str, options: &[&str]) -> String {
        let output = self.animate(image, "refused.gif", options);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "accepted: {message}");
        assert!(!message.contains("panicked"), "{message}");
        assert!(!self.path("refused.gif").exists());
        message
    }
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_program_writes_gifs_and_frames_and_repeats_itself() {
    let place = Workplace::new();
    let options = ["--label", "joy", "--seed", "3", "--steps", "2", "--guidance", "3"];
    for out in ["a.gif", "b.gif"] {
        let output = place.animate("portrait.png", out, &options);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let gif = read(&place.path("a.gif"));
    assert!(gif.starts_with(b"GIF89a"));
    assert_eq!(gif, read(&place.path("b.gif")));

    let sheet = place.path("sheet.png");
    let options = [&options[..], &["--sheet", sheet.to_str().unwrap()]].concat();
    assert!(place.animate("portrait.png", "frames", &options).status.success());
    let png = |index: usize| image::open(place.path(&format!("frames/frame_{index:03}.png"))).unwrap().into_rgba8();
    assert_eq!(png(0).dimensions(), (SIZE as u32, SIZE as u32));
    assert_ne!(png(0), png(FRAMES - 1));
    assert!(!place.path(&format!("frames/frame_{FRAMES:03}.png")).exists());
    assert!(image::open(sheet).is_ok());
}

/// A folder of portraits beside the one that the workplace has.
fn with_folder(place: &Workplace) {
    fs::create_dir(place.path("people")).unwrap();
    fs::copy(place.path("portrait.png"), place.path("people/anna.10.png")).unwrap();
    let other = image::RgbImage::from_fn(40, 48, |x, y| image::Rgb([90, x as u8 * 5, y as u8 * 5]));
    other.save(place.path("people/anna.9.png")).unwrap();
    fs::write(place.path("people/read.me"), b"no picture").unwrap();
    fs::write(place.path("people/carl.heic"), b"none that is read").unwrap();
}

#[test]
fn clips_of_a_folder_are_those_of_its_portraits_one_by_one() {
    let place = Workplace::new();
    with_folder(&place);
    let options = ["--seed", "3", "--steps", "2"];
    let make = |image: &str, out: &str, more: &[&str]| {
        let output = place.animate(image, out, &[&options[..], more].concat());
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{message}");
        message
    };
    let message = make("people", "gifs", &["--label", "joy,calm", "--label", "joy", "--gif"]);
    assert!(message.contains("left out a file") && message.contains("carl.heic"), "{message}");
    make("people", "mixed", &["--label", "joy=0.75,fear=0.25", "calm", "--gif"]);
    make("people/anna.9.png", "alone.gif", &["--label", "fear=0.25,joy=0.75"]);
    assert_eq!(read(&place.path("alone.gif")), read(&place.path("mixed/anna.9/fear=0.25,joy=0.75.gif")));
    make("people", "frames", &["--label", "all", "--image", place.path("portrait.png").to_str().unwrap()]);
    for (image, stem) in [("people/anna.9.png", "anna.9"), ("people/anna.10.png", "anna.10")] {
        for label in ["joy", "calm"] {
            make(image, "alone.gif", &["--label", label]);
            assert_eq!(read(&place.path("alone.gif")), read(&place.path(&format!("gifs/{stem}/{label}.gif"))));
            make(image, "alone", &["--label", label]);
            for frame in 0..FRAMES {
                let frame = format!("frame_{frame:03}.png");
                let batch = place.path(&format!("frames/{stem}/{label}")).join(&frame);
                assert_eq!(read(&place.path("alone").join(&frame)), read(&batch));
            }
        }
    }
    let files = |dir: &str| fs::read_dir(place.path(dir)).unwrap().count();
    assert_eq!([files("gifs"), files("gifs/anna.9"), files("frames"), files("frames/portrait")], [2, 2, 3, 3]);

    // What is there is refused, or kept.
    let kept = place.path("gifs/anna.9/joy.gif");
    let before = (read(&kept), fs::metadata(&kept).unwrap().modified().unwrap());
    fs::remove_file(place.path("gifs/anna.10/joy.gif")).unwrap();
    let again = ["--label", "joy,calm", "--gif", "--steps", "2", "--seed", "3"];
    let output = place.animate("people", "gifs", &again);
    assert!(String::from_utf8_lossy(&output.stderr).contains("add --resume"));
    assert!(!output.status.success() && !place.path("gifs/anna.10/joy.gif").exists());
    let message = make("people", "gifs", &["--label", "joy,calm", "--gif", "--resume"]);
    assert!(message.contains("made 1 of 4 clips"), "{message}");
    assert_eq!((read(&kept), fs::metadata(&kept).unwrap().modified().unwrap()), before);
    make("people/anna.10.png", "alone.gif", &["--label", "joy"]);
    assert_eq!(read(&place.path("gifs/anna.10/joy.gif")), read(&place.path("alone.gif")));
}

#[test]
fn a_batch_goes_on_only_with_the_settings_that_it_began_with() {
    let place = Workplace::new();
    with_folder(&place);
    let call = |options: &[&str]| {
        let base = ["--label", "joy", "calm", "--steps", "1"];
        let output = place.animate("people", "clips", &[&base[..], options].concat());
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(message) } else { Err(message) }
    };
    for kind in [&["--gif"][..], &[]] {
        let call = |options: &[&str]| call(&[options, kind].concat());
        call(&[]).unwrap();
        let missing = place.path(if kind.is_empty() { "clips/anna.9/calm" } else { "clips/anna.9/calm.gif" });
        let lose = || if missing.is_dir() { fs::remove_dir_all(&missing) } else { fs::remove_file(&missing) };
        lose().unwrap();
        for (options, part) in [
            (&["--resume", "--seed", "1"][..], "seed was 0 and is now 1"),
            (&["--resume", "--guidance", "3.9"], "and is now 3.9;"),
            (&["--resume", "--sampler", "ddim"], "sampler was"),
            (&["--resume", "--photo-size", "48"], "photo_size was null and is now 48"),
            (&["--resume", "--crop", "0,0,32"], "framed_picture was"),
        ] {
            let message = call(options).unwrap_err();
            assert!(message.contains("was made with other settings") && message.contains(part), "{message}");
            assert!(!missing.exists());
        }
        assert!(call(&["--resume"]).unwrap().contains("made 1 of 4 clips"));

        // A clip that is not whole, and all of them again.
        let broken =
            place.path(if kind.is_empty() { "clips/anna.9/joy/frame_001.png" } else { "clips/anna.9/joy.gif" });
        let whole = fs::read(&broken).unwrap();
        fs::write(&broken, &whole[..whole.len() - 4]).unwrap();
        assert!(call(&["--resume"]).unwrap_err().contains("anna.9/joy") && call(&["--resume"]).is_err());
        if kind.is_empty() {
            let notes = place.path("clips/anna.9/joy/notes.txt");
            fs::write(&notes, b"mine").unwrap();
            assert!(call(&["--replace"]).unwrap_err().contains("holds notes.txt"));
            fs::remove_file(notes).unwrap();
        }
        assert!(call(&["--replace"]).unwrap().contains("made 4 of 4 clips"));
        assert_eq!(fs::read(&broken).unwrap(), whole);

        // Another model, another picture, a clip that says nothing of itself.
        lose().unwrap();
        let manifest = place.path("model/manifest.json");
        let text = fs::read_to_string(&manifest).unwrap();
        fs::write(&manifest, text.replace("\"fps\": ", "\"fps\": 1")).unwrap();
        let message = call(&["--resume"]).unwrap_err();
        assert!(message.contains("model was"), "{message}");
        fs::write(&manifest, text).unwrap();
        let (picture, other) = (place.path("people/anna.10.png"), place.path("people/anna.9.png"));
        let bytes = fs::read(&picture).unwrap();
        fs::copy(&other, &picture).unwrap();
        let message = call(&["--resume"]).unwrap_err();
        assert!(message.contains("anna.10") && message.contains("framed_picture was"), "{message}");
        fs::write(&picture, bytes).unwrap();
        fs::remove_dir_all(place.path("clips")).unwrap();
        let silent = if kind.is_empty() { "clips/anna.10/joy/frame_000.png" } else { "clips/anna.10/joy.gif" };
        fs::create_dir_all(place.path(silent).parent().unwrap()).unwrap();
        fs::copy(&other, place.path(silent)).unwrap();
        let message = call(&["--resume"]).unwrap_err();
        assert!(message.contains("does not say how it was made"), "{message}");
        let message = call(&["--replace"]).unwrap_err();
        let words = if kind.is_empty() { "holds frame_000.png, which" } else { "does not say how it was made" };
        assert!(message.contains(words), "{message}");
        fs::remove_dir_all(place.path("clips")).unwrap();
    }
}

#[test]
fn a_batch_is_checked_before_anything_is_computed() {
    let place = Workplace::new();
    with_folder(&place);
    let refuse = |out: &str, options: &[&str]| {
        let output = place.animate("people", out, options);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && !message.contains("panicked"), "{message}");
        message
    };
    let message = refuse("out", &["--label", "joy,glee"]);
    assert!(message.contains("`glee`") && message.contains("calm, joy, fear"), "{message}");
    assert!(refuse("out", &["--label", "joy", "fear=0.5"]).contains("no label `neutral`"));
    assert!(refuse("out", &["--label", "joy", "--guidance", "99"]).contains("from 0 to 20"));
    assert!(refuse("out.gif", &["--label", "joy"]).contains("--gif"));
    assert!(refuse("people/read.me", &["--label", "joy"]).contains("is a file"));
    let sheet = place.path("sheet.png");
    assert!(refuse("out", &["--label", "joy", "--sheet", sheet.to_str().unwrap()]).contains("--sheet"));

    fs::copy(place.path("people/anna.9.png"), place.path("anna.10.png")).unwrap();
    let twin = place.path("anna.10.png");
    let message = refuse("out", &["--label", "joy", "--image", twin.to_str().unwrap()]);
    assert!(message.contains("people/anna.10.png") && message.contains("rename one"), "{message}");

    fs::write(place.path("people/empty.png"), b"").unwrap();
    fs::write(place.path("people/words.jpg"), b"no picture at all").unwrap();
    let message = refuse("out", &["--label", "joy"]);
    assert!(message.contains("empty.png") && message.contains("words.jpg"), "{message}");
    fs::create_dir(place.path("nobody")).unwrap();
    assert!(place.refusal("nobody", &["--label", "joy"]).contains("nobody holds no PNG"));
    assert!(place.refusal("portrait.png", &["--label", "joy", "--resume"]).contains("--resume"));
    assert!(!place.path("out").exists() && !place.path("out.gif").exists());
}

#[test]
fn threads_are_as_many_as_asked_for_and_make_the_same_video() {
    let place = Workplace::new();
    for (out, threads) in [("one.gif", "1"), ("three.gif", "3")] {
        let options = ["--label", "joy", "--steps", "2", "--threads", threads];
        let output = place.animate("portrait.png", out, &options);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(read(&place.path("one.gif")), read(&place.path("three.gif")));
    for threads in ["0", "-1", "many"] {
        assert!(place.refusal("portrait.png", &["--label", "joy", "--threads", threads]).contains("--threads"));
    }
}

/// Counted by their names, which the system tells.
#[cfg(target_os = "linux")]
#[test]
fn no_more_threads_compute_than_asked_for() {
    let place = Workplace::new();
    let mut child = place
        .command("portrait.png", "long.gif", &["--label", "joy", "--sampler", "ddpm", "--threads", "3"])
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let tasks = PathBuf::from(format!("/proc/{}/task", child.id()));
    let mut most = (0, 0);
    while child.try_wait().unwrap().is_none() && most.1 < 3 {
        let Ok(entries) = fs::read_dir(&tasks) else { break };
        let names: Vec<String> =
            entries.filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok()).collect();
        let computing = names.iter().filter(|name| name.starts_with("compute-")).count();
        most = (most.0.max(names.len()), most.1.max(computing));
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    // Long enough for more to appear, if there were more.
    std::thread::sleep(std::time::Duration::from_millis(100));
    let all = fs::read_dir(&tasks).map_or(most.0, Iterator::count);
    child.kill().ok();
    child.wait().unwrap();
    assert_eq!(most.1, 3);
    assert!(all <= 3 + 2, "{all} threads: three that compute, the main one and that of the bar");
}

#[test]
fn the_program_names_what_is_wrong() {
    let place = Workplace::new();
    assert!(place.refusal("portrait.png", &["--label", "glee"]).contains("calm, joy, fear"));
    for (label, problem) in [
        ("joy=-1,fear=2", "`joy` has the strength -1"),
        ("joy=NaN", "`joy` has the strength NaN"),
        ("joy=1.5,fear=1", "the strengths add up to 2.5"),
        ("joy=0.5,glee=0.5", "unknown label `glee`"),
    ] {
        let message = place.refusal("portrait.png", &["--label", label]);
        assert!(message.contains(problem), "{label}: {message}");
    }
    assert!(place.refusal("portrait.png", &["--label", "joy", "--steps", "0"]).contains("from 1 to 1000"));
    assert!(place.refusal("portrait.png", &["--label", "joy", "--steps", "10000"]).contains("from 1 to 1000"));
    assert!(place.refusal("portrait.png", &["--label", "joy", "--guidance", "NaN"]).contains("from 0 to 20"));

    fs::write(place.path("empty.png"), b"").unwrap();
    assert!(place.refusal("empty.png", &["--label", "joy"]).contains("empty.png"));
    fs::write(place.path("words.jpg"), b"not an image").unwrap();
    assert!(place.refusal("words.jpg", &["--label", "joy"]).contains("words.jpg"));
    assert!(place.refusal("absent.png", &["--label", "joy"]).contains("absent.png"));
}

#[test]
fn codes_in_labels_reach_no_terminal() {
    let place = Workplace::new();
    let mut named = bundle();
    named.manifest.labels[1] = "\u{1b}]0;owned\u{7}joy".to_owned();
    named.write_dir(&place.path("model"), WeightDtype::F16).unwrap();
    let message = place.refusal("portrait.png", &["--label", "glee"]);
    assert!(!message.contains('\u{1b}') && message.contains("\\u{1b}"), "{message:?}");
}

#[test]
fn the_program_uses_no_damaged_model() {
    let place = Workplace::new();
    let weights = place.path("model/weights-0.safetensors");
    let intact = read(&weights);

    fs::write(&weights, &intact[..intact.len() - 100]).unwrap();
    assert!(place.refusal("portrait.png", &["--label", "joy"]).contains("weights-0.safetensors"));

    let mut tampered = intact.clone();
    tampered[intact.len() / 2] ^= 0x10;
    fs::write(&weights, tampered).unwrap();
    assert!(place.refusal("portrait.png", &["--label", "joy"]).contains("SHA-256"));

    fs::remove_file(&weights).unwrap();
    assert!(place.refusal("portrait.png", &["--label", "joy"]).contains("weights-0.safetensors is missing"));

    fs::remove_file(place.path("model/manifest.json")).unwrap();
    assert!(place.refusal("portrait.png", &["--label", "joy"]).contains("manifest.json"));
}
