use std::{
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
};

use half::f16;
use serde_json::json;

use super::*;
use crate::expression::{self, Label, Pose};

/// Paints gradients that depend on the person, the take and the smile, and counts its frames.
#[derive(Default)]
struct Painter {
    frames: AtomicUsize,
    palette: &'static str,
}

struct Easel<'a> {
    painter: &'a Painter,
    id: u64,
    take: u32,
    options: Options,
}

impl Photographer for Painter {
    type Pose = Pose;

    fn labels(&self) -> Vec<&'static str> {
        Label::ALL.map(Label::name).into()
    }

    fn clip(&self, take: (u64, u32), row: usize, options: &Options, strengths: Option<&Strengths>) -> Clip<Pose> {
        let strengths = strengths.cloned();
        let clip =
            expression::clip(take.0, take.1, Label::ALL[row], &expression::Options { strengths, ..clips(options) });
        let strengths = clip.strengths.iter().map(|(label, strength)| (label.name(), *strength)).collect();
        Clip { label: clip.label.name(), strengths, apex: clip.apex, poses: clip.poses }
    }

    fn sit<'a>(&'a self, id: u64, take: u32, options: &Options) -> Box<dyn Sitting<Pose> + 'a> {
        Box::new(Easel { painter: self, id, take, options: options.clone() })
    }

    fn assets(&self) -> String {
        self.palette.to_owned()
    }
}

impl Easel<'_> {
    fn paint(&self, shade: f32) -> Vec<u8> {
        let (size, shade) = (self.options.size, (shade * 40.) as usize);
        let pixel = |at: usize| {
            let [red, green] = [at % size, at / size].map(|place| place * 200 / size);
            [red + self.id as usize, green + shade.min(50), 60 + 30 * self.take as usize]
                .map(|value| value.min(255) as u8)
        };
        (0..size * size).flat_map(pixel).collect()
    }
}

impl Sitting<Pose> for Easel<'_> {
    fn attributes(&self) -> Value {
        json!({ "hair": "none", "age": 0.5 })
    }

    fn frame(&mut self, pose: &Pose, frame: u64) -> Frame {
        self.painter.frames.fetch_add(1, Ordering::Relaxed);
        let area = self.options.size * self.options.size;
        let shift = if frame == 0 { 0. } else { 0.25 };
        let flow = self.options.flow_size.map(|_| vec![[shift, 0., 1.]; area]);
        let smile = pose.units.named("mouthSmileLeft");
        Frame { rgb: self.paint(smile), regions: vec![(frame % 7) as u8; area], flow }
    }

    fn reference(&mut self, _: &Pose, appearance: u32) -> Vec<u8> {
        self.paint(appearance as f32)
    }
}

fn clips(options: &Options) -> expression::Options {
    expression::Options { frames: options.frames, motion: options.motion, strengths: None }
}

fn order(dir: &Path) -> Order {
    Order {
        out: dir.to_owned(),
        ids: vec![0, 1, 2],
        takes: vec![0, 1],
        splits: "train=0:2,val=2".parse().unwrap(),
        jobs: 2,
        final_test: false,
        quiet: true,
        options: Options {
            size: 16,
            frames: 4,
            references: 3,
            flow_size: Some(4),
            regions: true,
            ..Options::default()
        },
    }
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn bytes(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn a_set_has_what_the_trainer_reads() {
    let dir = tempfile::tempdir().unwrap();
    let painter = Painter::default();
    let summary = write(&painter, &order(dir.path())).unwrap();
    assert_eq!(summary, Summary { made: 6, found: 0 });
    assert_eq!(painter.frames.into_inner(), 6 * (1 + 7 * 3), "the first frame of a take is taken once");

    let meta = json(&dir.path().join("meta.json"));
    assert_eq!(meta["actions"][4], "happiness");
    assert_eq!(
        (&meta["frames"], &meta["size"], &meta["fps"], &meta["apex_frame"]),
        (&json!(4), &json!(16), &json!(8), &json!(2))
    );
    assert_eq!((&meta["splits"]["train"], &meta["splits"]["val"]), (&json!([0, 1]), &json!([2])));
    assert_eq!(meta["files"], "s{id:06d}_k{take}.webp");
    assert_eq!(meta["clip_files"], "s{id:06d}_k{take}.json");
    assert_eq!(
        (&meta["reference_files"], &meta["references"]),
        (&json!("s{id:06d}_k{take}_references.webp"), &json!(3))
    );
    assert_eq!(meta["region_files"], "s{id:06d}_k{take}_regions.png");
    assert_eq!(meta["flow_files"], "s{id:06d}_k{take}_flow4.npy");
    assert_eq!(meta["takes"], json!([0, 1]));
    assert_eq!(meta["subjects"][1], json!({ "id": 1, "hair": "none", "age": 0.5, "takes": [0, 1] }));

    let size = |name: &str| image::image_dimensions(dir.path().join(name)).unwrap();
    assert_eq!(size("s000001_k1.webp"), (64, 112));
    assert_eq!(size("s000001_k1_references.webp"), (48, 16));
    let regions = image::open(dir.path().join("s000001_k1_regions.png")).unwrap().into_luma8();
    // Row 2, column 3 is frame 2 * 4 + 3 of the take.
    assert_eq!(regions.get_pixel(3 * 16 + 5, 2 * 16 + 5).0[0], 11 % 7);

    let flow = fs::read(dir.path().join("s000001_k1_flow4.npy")).unwrap();
    let flow = npyz::NpyFile::new(flow.as_slice()).unwrap();
    assert_eq!(flow.shape(), [7, 4, 4, 4, 3]);
    let flow: Vec<f16> = flow.into_vec().unwrap();
    assert_eq!(flow[0].to_f32(), 0., "the first frame of a row does not move");
    assert_eq!(flow[4 * 4 * 3].to_f32(), 0.25);
}

#[test]
fn recorded_strengths_and_poses_are_those_that_were_applied() {
    let dir = tempfile::tempdir().unwrap();
    let order = order(dir.path());
    write(&Painter::default(), &order).unwrap();
    let record = json(&dir.path().join("s000002_k1.json"));
    for (row, label) in Label::ALL.into_iter().enumerate() {
        let clip = expression::clip(2, 1, label, &clips(&order.options));
        let written = &record["clips"][row];
        assert_eq!(written["label"], label.name());
        assert_eq!(written["apex"], clip.apex);
        let strengths: std::collections::BTreeMap<String, f32> =
            serde_json::from_value(written["strengths"].clone()).unwrap();
        assert!(
            strengths
                .iter()
                .map(|(name, strength)| (name.as_str(), *strength))
                .eq(clip.strengths.iter().map(|(label, strength)| (label.name(), *strength)))
        );
        for (pose, written) in clip.poses.iter().zip(written["frames"].as_array().unwrap()) {
            assert!(written["units"].as_object().unwrap().values().all(Value::is_number));
            for (name, weight) in pose.units.active() {
                let there = written["units"].get(name).map_or(0., |weight| weight.as_f64().unwrap());
                assert!((there - f64::from(weight)).abs() <= 5.1e-4, "{name}: {there} instead of {weight}");
            }
            assert!((written["head"]["yaw"].as_f64().unwrap() - f64::from(pose.head.yaw)).abs() <= 5.1e-5);
            assert_eq!(written["gaze"].as_array().unwrap().len(), 2);
        }
        assert_eq!(written["frames"][0], record["clips"][0]["frames"][0], "all rows begin alike");
    }
}

#[test]
fn frame_0_is_equal_in_all_rows() {
    let dir = tempfile::tempdir().unwrap();
    let mut order = order(dir.path());
    order.options.format = Format::Png;
    write(&Painter::default(), &order).unwrap();
    let sheet = image::open(dir.path().join("s000001_k0.png")).unwrap().into_rgb8();
    for row in 1..7 {
        for (x, y) in [(0, 0), (7, 3), (15, 15)] {
            assert_eq!(sheet.get_pixel(x, y), sheet.get_pixel(x, row * 16 + y));
        }
    }
    assert_ne!(sheet.get_pixel(2 * 16 + 7, 4 * 16 + 3), sheet.get_pixel(7, 4 * 16 + 3), "happiness does not show");
}

#[test]
fn sets_are_the_same_every_time_whatever_the_number_of_jobs() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(&Painter::default(), &order(one.path())).unwrap();
    write(&Painter::default(), &Order { jobs: 1, ..order(other.path()) }).unwrap();
    assert_eq!(bytes(one.path()), bytes(other.path()));
}

#[test]
fn an_interrupted_run_goes_on_and_damaged_files_are_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let painter = Painter::default();
    write(&painter, &order(dir.path())).unwrap();
    let whole = bytes(dir.path());
    assert_eq!(write(&painter, &order(dir.path())).unwrap(), Summary { made: 0, found: 6 });

    let cut = |name: &str| {
        let path = dir.path().join(name);
        let file = fs::read(&path).unwrap();
        fs::write(&path, &file[..file.len() - 1]).unwrap();
    };
    cut("s000000_k0.webp");
    cut("s000000_k1_flow4.npy");
    cut("s000001_k0_regions.png");
    cut("s000001_k1.json");
    fs::remove_file(dir.path().join("s000002_k0_references.webp")).unwrap();
    fs::remove_file(dir.path().join("meta.json")).unwrap();
    assert_eq!(write(&painter, &order(dir.path())).unwrap(), Summary { made: 5, found: 1 });
    assert_eq!(bytes(dir.path()), whole);
}

#[test]
fn a_set_grows_and_keeps_its_splits() {
    let dir = tempfile::tempdir().unwrap();
    write(&Painter::default(), &order(dir.path())).unwrap();
    let more = |ids: Vec<u64>, takes: Vec<u32>| {
        let more = Order { ids, takes, splits: Splits::default(), ..order(dir.path()) };
        write(&Painter::default(), &more).unwrap();
        json(&dir.path().join("meta.json"))
    };
    let meta = more(vec![7], vec![0, 1]);
    assert_eq!((&meta["splits"]["train"], &meta["splits"]["val"]), (&json!([0, 1, 7]), &json!([2])));

    let meta = more(vec![1], vec![2]);
    assert_eq!((&meta["takes"], &meta["splits"]["train"]), (&json!([0, 1]), &json!([0, 1, 7])), "one has a third take");
    assert_eq!((&meta["subjects"][0]["takes"], &meta["subjects"][1]["takes"]), (&json!([0, 1]), &json!([0, 1, 2])));

    let meta = more(vec![7], vec![2]);
    assert_eq!((&meta["takes"], &meta["splits"]["train"]), (&json!([0, 1, 2]), &json!([1, 7])), "half of them have it");
    assert_eq!(meta["splits"]["val"], json!([]));
    let meta = more(vec![0, 1, 2, 7], vec![2]);
    assert_eq!((&meta["splits"]["train"], &meta["splits"]["val"]), (&json!([0, 1, 7]), &json!([2])));
}

#[test]
fn other_settings_do_not_mix() {
    let dir = tempfile::tempdir().unwrap();
    write(&Painter::default(), &order(dir.path())).unwrap();
    let mut other = order(dir.path());
    other.options.size = 32;
    let message = write(&Painter::default(), &other).unwrap_err().to_string();
    assert!(message.contains("`size` 16") && message.contains("32"), "{message}");

    let painter = Painter { palette: "oil", ..Painter::default() };
    let message = write(&painter, &order(dir.path())).unwrap_err().to_string();
    assert!(message.contains("`assets` \"\"") && message.contains("oil"), "{message}");

    fs::write(dir.path().join("meta.json"), b"{}").unwrap();
    let message = write(&Painter::default(), &order(dir.path())).unwrap_err().to_string();
    assert!(message.contains("`settings` is missing"), "{message}");
}

#[test]
fn reserved_people_are_refused_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("set");
    let reserved = Order { ids: vec![5, 100_000], splits: Splits::default(), takes: vec![0], ..order(&out) };
    let message = write(&Painter::default(), &reserved).unwrap_err().to_string();
    assert!(message.contains("person 100000") && message.contains("FACES_FINAL_TEST"), "{message}");
    assert!(!out.exists());

    write(&Painter::default(), &Order { final_test: true, ..reserved }).unwrap();
    let meta = json(&out.join("meta.json"));
    assert_eq!((&meta["splits"]["train"], &meta["splits"]["test"]), (&json!([5]), &json!([100_000])));
}

#[test]
fn options_that_do_not_go_together_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let problem = |change: fn(&mut Options)| {
        let mut order = order(dir.path());
        change(&mut order.options);
        write(&Painter::default(), &order).unwrap_err().to_string()
    };
    assert!(problem(|options| options.flow_size = Some(5)).contains("do not divide"));
    assert!(problem(|options| options.frames = 1).contains("at least 2 frames"));
    assert!(problem(|options| options.quality = f32::NAN).contains("no quality"));
    assert!(problem(|options| options.motion = -1.).contains("choose 0 or more"));
    assert!(problem(|options| options.size = 4000).contains("choose png"));
}

#[test]
fn a_contact_sheet_has_a_row_for_each_person_or_clip() {
    let options = Options { size: 16, frames: 4, ..Options::default() };
    let mut contact = Contact {
        ids: vec![3, 4, 5],
        take: 0,
        rows: vec![4, 3],
        strengths: None,
        every_frame: false,
        references: 1,
        jobs: 2,
        options,
    };
    let size = |contact: &Contact| {
        let png = contact.make(&Painter::default()).unwrap();
        let picture = image::load_from_memory(&png).unwrap();
        (picture.width() / 16, picture.height() / 16)
    };
    assert_eq!(size(&contact), (3, 3));
    contact.every_frame = true;
    assert_eq!(size(&contact), (4, 6));
    contact.ids = vec![100_000];
    assert!(contact.make(&Painter::default()).unwrap_err().to_string().contains("final tests"));
}
