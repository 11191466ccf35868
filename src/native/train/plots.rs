//! Pictures of a run's logs: one SVG per metric, with the training loss as means over stretches of
//! steps and the held-out value over it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use plotters::prelude::*;
use serde_json::Value;

use crate::native::staging::write_file;
use crate::native::whole_file::read_file;

const SIZE: (u32, u32) = (900, 450);
/// Points of a curve: more would hide the trend in the noise.
const STRETCHES: usize = 300;

/// `(step, value)` in the order of the log.
type Curve = Vec<(f64, f64)>;

/// Draws `losses.jsonl` and `validation.jsonl` of the run into `plots/`, and `plots/index.html`, a page of all charts.
pub(super) fn draw(run: &Path) -> Result<()> {
    let directory = run.join("plots");
    fs::create_dir_all(&directory).with_context(|| format!("cannot create {}", directory.display()))?;
    let (mut training, mut held_out) = (curves(&run.join("losses.jsonl")), curves(&run.join("validation.jsonl")));
    let names: Vec<String> = training.keys().chain(held_out.keys()).cloned().collect();
    let mut page = String::from("<!doctype html>\n<meta charset=\"utf-8\">\n<title>lfdm</title>\n");
    for name in names {
        let lines = [training.remove(&name), held_out.remove(&name)].map(Option::unwrap_or_default);
        if lines.iter().any(|line| line.len() > 1) {
            let path = directory.join(format!("{name}.svg"));
            let failed = || format!("cannot draw {}", path.display());
            let svg = chart(&name, [&means(&lines[0]), &lines[1]]).with_context(failed)?;
            write_file(&path, svg.as_bytes()).with_context(failed)?;
            writeln!(page, "<img src=\"{name}.svg\" alt=\"{name}\" width=\"600\">")?;
        }
    }
    let path = directory.join("index.html");
    write_file(&path, page.as_bytes()).with_context(|| format!("cannot write {}", path.display()))
}

/// Every metric of a log by its name; values that are not numbers are left out.
fn curves(path: &Path) -> BTreeMap<String, Curve> {
    let mut curves: BTreeMap<String, Curve> = BTreeMap::new();
    for line in String::from_utf8(read_file(path).unwrap_or_default()).unwrap_or_default().lines() {
        let Ok(Value::Object(metrics)) = serde_json::from_str(line) else { continue };
        let Some(step) = metrics.get("step").and_then(Value::as_f64) else { continue };
        for (name, value) in metrics.iter().filter(|(name, _)| *name != "step") {
            if let Some(value) = value.as_f64() {
                curves.entry(name.clone()).or_default().push((step, value));
            }
        }
    }
    curves
}

/// The curve's means over stretches of equal length.
fn means(curve: &[(f64, f64)]) -> Curve {
    let mean = |stretch: &[(f64, f64)]| {
        let count = stretch.len() as f64;
        let (steps, values) = stretch.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
        (steps / count, values / count)
    };
    curve.chunks(curve.len().div_ceil(STRETCHES).max(1)).map(mean).collect()
}

fn chart(name: &str, [training, held_out]: [&Curve; 2]) -> Result<String> {
    let points = || training.iter().chain(held_out);
    let last = points().map(|point| point.0).fold(1.0, f64::max);
    let (low, high) = points().fold((f64::MAX, f64::MIN), |(low, high), point| (low.min(point.1), high.max(point.1)));
    let room = (0.05 * (high - low)).max(1e-6);

    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .margin(16)
        .caption(name, ("sans-serif", 22))
        .x_label_area_size(36)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..last, low - room..high + room)?;
    chart.configure_mesh().x_desc("step").light_line_style(WHITE).draw()?;
    for (curve, colour, label) in [(training, BLUE, "training"), (held_out, RED, "held out")] {
        if !curve.is_empty() {
            let line = LineSeries::new(curve.iter().copied(), colour.stroke_width(2));
            let key = move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2));
            chart.draw_series(line)?.label(label).legend(key);
        }
    }
    chart.configure_series_labels().background_style(WHITE.mix(0.8)).border_style(BLACK.mix(0.3)).draw()?;
    area.present()?;
    drop((chart, area));
    Ok(svg)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_becomes_a_chart() {
        let run = tempfile::tempdir().unwrap();
        let losses: String =
            (0..1000).map(|step| format!("{{\"step\":{step},\"loss\":{}}}\n", 1.0 / f64::from(step + 1))).collect();
        fs::write(run.path().join("losses.jsonl"), losses + "{\"step\":").unwrap();
        fs::write(
            run.path().join("validation.jsonl"),
            "{\"step\":0,\"loss\":1,\"psnr\":20}\n{\"step\":999,\"loss\":0.5,\"psnr\":null}\n",
        )
        .unwrap();
        draw(run.path()).unwrap();
        let svg = fs::read_to_string(run.path().join("plots/loss.svg")).unwrap();
        assert!(svg.contains("held out") && svg.contains("<polyline"), "{svg}");
        let page = fs::read_to_string(run.path().join("plots/index.html")).unwrap();
        assert_eq!(page.matches("<img").count(), 1, "{page}");
        assert!(page.contains("src=\"loss.svg\""), "{page}");
        assert!(!run.path().join("plots/psnr.svg").exists(), "one point is no curve");
        assert!(means(&curves(&run.path().join("losses.jsonl"))["loss"]).len() <= STRETCHES);
    }
}
