//! A portrait and a label become a GIF, through the same calls that the page and the command line make.
//!
//! `cargo run --release --features native --example animate -- www/samples/3628.jpg happiness smile.gif`

use std::{env, fs, path::Path};

use anyhow::{Context, Result};
use burn::tensor::Device;
use lfdm::{
    bundle::{Bundle, Part},
    condition::Strengths,
    gif,
    native::image_file::read_portrait,
    pipeline::{Animator, Event, Request},
};

/// The smaller of the shipped models.
const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/www/models/faces-64");

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [picture, label, out] = arguments.as_slice() else {
        anyhow::bail!("usage: animate PICTURE LABEL OUT.gif");
    };

    let bundle = Bundle::open_parts(Path::new(MODEL), &[Part::Generation])?;
    let manifest = bundle.manifest.clone();
    let animator = Animator::load(bundle, &Device::flex())?;
    let [height, width] = manifest.config.image_size;
    let portrait = read_portrait(Path::new(picture), [height, width])?;
    let request = Request {
        strengths: Strengths::parse(label, animator.labels())?,
        seed: 7,
        steps: manifest.default_steps,
        guidance: manifest.default_guidance,
        contrast: manifest.default_contrast,
        sampler: manifest.default_sampler(),
    };

    // Each call of `next` is one unit of work; not calling it pauses, dropping the generation cancels.
    let mut generation = animator.generate(&portrait, &request)?;
    let mut frames = Vec::new();
    while let Some(event) = pollster::block_on(generation.next()) {
        match event? {
            Event::Encoded => println!("encoded"),
            Event::Step { index, total, .. } => println!("step {} of {total}", index + 1),
            Event::Frame(frame) => frames.push(frame.rgba),
            Event::Done(timings) => println!("{:.1} s", timings.total_ms / 1000.0),
        }
    }
    let bytes = gif::encode(&frames, width.try_into()?, height.try_into()?, manifest.fps)?;
    fs::write(out, bytes).with_context(|| format!("cannot write {out}"))
}
