//! `lfdm eval`: how well the auto-encoder rebuilds expressions that it was not trained on.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use burn::tensor::{Device, Tensor, TensorData};
use indicatif::ProgressBar;
use serde::Serialize;

use super::{
    data::{ClipSet, Split},
    device::DeviceArgs,
    metrics::Psnr,
    model::open_lfae,
};
use crate::lfae::{LatentFlowAutoencoder, Motion};

/// Clips without an expression do not tell how well expressions are rebuilt.
const NEUTRAL: &str = "neutral";

/// `lfdm eval`
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Directory of a model, or run directory of `lfdm train lfae`.
    #[arg(long)]
    model: PathBuf,
    /// Directory of the clips.
    #[arg(long)]
    data: PathBuf,
    #[arg(long, value_enum, default_value_t = Split::Val)]
    split: Split,
    /// JSON report.
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    device: DeviceArgs,
}

#[derive(Serialize)]
struct Report {
    definition: &'static str,
    people: usize,
    images: usize,
    size: usize,
    frame: usize,
    #[serde(flatten)]
    total: Comparison,
    labels: BTreeMap<String, Comparison>,
}

/// The auto-encoder against doing nothing.
#[derive(Serialize)]
struct Comparison {
    repeat_frame_0: Psnr,
    reconstruction: Psnr,
}

const DEFINITION: &str = "Reconstruction of the apex frame from frame 0 and the apex frame itself. PSNR in dB, per image over \
     RGB in 0..1, averaged over images; `moving` is over the pixels whose mean absolute difference over RGB between frame 0 \
     and the apex frame exceeds 8 of 255. Images are area-averaged to the model's size.";

pub fn run(args: &Args) -> Result<()> {
    let device = args.device.open();
    let (config, model) = open_lfae(&args.model, &device)?;
    let [height, width] = config.image_size;
    ensure!(height == width, "the model is for {width}x{height} pixels, but clips are square");
    let data = ClipSet::open(&args.data, None, height, args.split)?;
    let expressions: Vec<usize> = (0..data.labels().len()).filter(|&label| data.labels()[label] != NEUTRAL).collect();

    let mut scores: Vec<Vec<(Psnr, Psnr)>> = vec![Vec::new(); expressions.len()];
    let bar = ProgressBar::new(data.len() as u64);
    for subject in 0..data.len() {
        let rebuilt = rebuild(&model, &data, subject, &expressions, &device)?;
        for ((&label, rebuilt), scores) in expressions.iter().zip(rebuilt).zip(&mut scores) {
            let source = data.frame(subject, label, 0);
            let target = data.frame(subject, label, data.apex_frame());
            scores.push((Psnr::of(&source, &target, &source), Psnr::of(&source, &target, &rebuilt)));
        }
        bar.inc(1);
    }
    bar.finish_and_clear();

    let report = Report {
        definition: DEFINITION,
        people: data.len(),
        images: scores.iter().map(Vec::len).sum(),
        size: data.size(),
        frame: data.apex_frame(),
        total: Comparison::of(&scores.concat()),
        labels: expressions
            .iter()
            .zip(&scores)
            .map(|(&label, scores)| (data.labels()[label].clone(), Comparison::of(scores)))
            .collect(),
    };
    write(&report, &args.out)?;
    println!("{:12} {:>18}   {:>18}", "", "repeat frame 0", "reconstruction");
    for (label, comparison) in &report.labels {
        println!("{label:12} {comparison}");
    }
    println!("{:12} {}", "all", report.total);
    Ok(())
}

/// The apex frames of one person, `[3, size, size]` each, in one batch.
fn rebuild(
    model: &LatentFlowAutoencoder,
    data: &ClipSet,
    subject: usize,
    labels: &[usize],
    device: &Device,
) -> Result<Vec<Vec<f32>>> {
    let size = data.size();
    let image = |pixels: Vec<f32>| {
        let batch = pixels.len() / (3 * size * size);
        Tensor::<4>::from_data(TensorData::new(pixels, [batch, 3, size, size]), device)
    };
    let source = image(data.frame(subject, 0, 0));
    let driving = image(labels.iter().flat_map(|&label| data.frame(subject, label, data.apex_frame())).collect());
    let Motion { flow, occlusion } = model.estimate_motion(source.clone().repeat_dim(0, labels.len()), driving);
    let features = model.encode(source.clone());
    let decoded = model.decode(source, &features, &Motion { flow, occlusion });
    let values: Vec<f32> = decoded.prediction.try_into_data()?.iter::<f32>().collect();
    Ok(values.chunks_exact(3 * size * size).map(<[f32]>::to_vec).collect())
}

impl Comparison {
    fn of(scores: &[(Psnr, Psnr)]) -> Self {
        let (repeated, rebuilt): (Vec<_>, Vec<_>) = scores.iter().copied().unzip();
        Self { repeat_frame_0: Psnr::mean(&repeated), reconstruction: Psnr::mean(&rebuilt) }
    }
}

impl std::fmt::Display for Comparison {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>18}   {:>18}", self.repeat_frame_0.to_string(), self.reconstruction.to_string())
    }
}

fn write(report: &Report, path: &Path) -> Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))?;
    }
    fs::write(path, serde_json::to_vec_pretty(report)?).with_context(|| format!("cannot write {}", path.display()))
}
