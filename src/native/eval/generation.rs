//! Clips that the model generates, compared with real ones, with frame 0 repeated, and with what
//! its auto-encoder, if it has one, makes of real ones.

use std::fmt::{self, Display};

use anyhow::Result;
use serde::Serialize;

use super::{
    clip_folders::ClipFolders,
    judges::VideoNetwork,
    model::{ClipModel, Denoising},
    series::{FrechetDistances, Sample, Scores, Series, mean_distance},
    table::cell,
};
use crate::{
    condition::{Contrast, Strengths},
    native::{data::Clip, video::Video},
    pipeline::{Portrait, Request, Sampler},
};

const DEFINITION: &str = "`label_accuracy`: share of clips whose label the action network names. \
     `identity_drift`: mean absolute difference, of 255, between the 8x8 blocks of every frame and the most similar \
     blocks of the real frame 0 at most one block away. `motion`: mean absolute difference, of 255, between frames and \
     the real frame 0. `diversity`: mean absolute difference, of 255, between clips of one person and label with \
     different seeds. `fvd`: Frechet distance between the network's features of these clips and of the real ones; \
     `class_conditional` and `subject_conditional` are means over labels and over people. It depends on the number of \
     clips: compare equal ones. For the real clips it compares every other person with the rest, so each side has \
     half as many clips, and no person is on both.";

/// How clips are generated.
pub(super) struct Plan {
    /// Clips for every real one.
    pub(super) seeds: usize,
    pub(super) first_seed: u64,
    /// `None` for a model that makes a clip in one pass.
    pub(super) denoising: Option<Denoising>,
}

impl Plan {
    /// The series of generated clips: the number of steps of each, if there are any.
    fn series(&self) -> Vec<Option<usize>> {
        match &self.denoising {
            Some(denoising) => denoising.steps.iter().copied().map(Some).collect(),
            None => vec![None],
        }
    }

    fn request(&self, strengths: Strengths, seed: u64, steps: Option<usize>) -> Request {
        // A single pass heeds the label and the seed alone.
        let (guidance, contrast, sampler) = match &self.denoising {
            Some(denoising) => (denoising.guidance, denoising.contrast, denoising.sampler),
            None => (1.0, Contrast::Null, Sampler::default()),
        };
        Request { strengths, seed, steps: steps.unwrap_or(1), guidance, contrast, sampler }
    }
}

/// Measures whole clips as they come.
pub(super) struct ClipMeasurements<'a> {
    labels: &'a [String],
    networks: Vec<Box<dyn VideoNetwork>>,
    model: Option<(&'a dyn ClipModel, Plan)>,
    frames: usize,
    real: Series,
    repeated: Series,
    /// Empty for a model without an auto-encoder.
    rebuilt: Series,
    /// One for each of the plan's.
    generated: Vec<Series>,
    /// Where clips are written, for others to judge.
    folders: Option<&'a ClipFolders>,
}

/// The part of the report about whole clips.
#[derive(Serialize)]
pub(super) struct Generation {
    definition: &'static str,
    people: usize,
    frames: usize,
    seeds: usize,
    first_seed: u64,
    guidance: Option<f32>,
    contrast: Option<Contrast>,
    sampler: Option<String>,
    networks: Vec<String>,
    clips: Vec<Scores>,
}

impl<'a> ClipMeasurements<'a> {
    /// Measurements of clips of `frames` frames, generated ones among them if there is a model.
    pub(super) fn new(
        labels: &'a [String],
        networks: Vec<Box<dyn VideoNetwork>>,
        model: Option<(&'a dyn ClipModel, Plan)>,
        frames: usize,
    ) -> Self {
        let generated = model.iter().flat_map(|(_, plan)| plan.series()).map(|_| Series::default()).collect();
        let [real, repeated, rebuilt] = [(); 3].map(|()| Series::default());
        Self { labels, networks, model, frames, real, repeated, rebuilt, generated, folders: None }
    }

    /// Also writes every clip that is real, rebuilt or generated.
    pub(super) fn kept_in(self, folders: Option<&'a ClipFolders>) -> Self {
        Self { folders, ..self }
    }

    /// Number of real clips so far.
    pub(super) fn len(&self) -> usize {
        self.real.samples.len()
    }

    /// Generates and measures everything that belongs to one real clip.
    pub(super) fn add(
        &mut self,
        clip: &Clip<'_>,
        portrait: &Portrait,
        real: Video,
        rebuilt: Option<Video>,
    ) -> Result<()> {
        let (subject, label, strengths) = (clip.subject(), clip.label(), clip.strengths());
        let index = self.len();
        let reference = real.frame(0);
        let sample = |video: &Video| Sample::of(&self.networks, subject, label, reference, video);
        self.real.samples.push(sample(&real)?);
        self.repeated.samples.push(sample(&Video::still(real.size(), reference, real.len()))?);
        if let Some(rebuilt) = &rebuilt {
            self.rebuilt.samples.push(sample(rebuilt)?);
        }
        let keep = |origin: &str, video: &Video| {
            self.folders.iter().try_for_each(|folders| folders.add(origin, subject, label, video))
        };
        keep("real", &real)?;
        rebuilt.iter().try_for_each(|rebuilt| keep("auto-encoder", rebuilt))?;

        let Some((model, plan)) = &self.model else { return Ok(()) };
        for (steps, series) in plan.series().into_iter().zip(&mut self.generated) {
            let mut takes = Vec::with_capacity(plan.seeds);
            for take in 0..plan.seeds {
                // Another seed for each clip, the same for every number of steps.
                let seed = plan.first_seed + (index * plan.seeds + take) as u64;
                let (video, seconds) = model.generate(portrait, &plan.request(strengths.clone(), seed, steps))?;
                series.samples.push(sample(&video)?);
                keep(&generated(steps), &video)?;
                series.seconds.push(seconds);
                takes.push(video);
            }
            series.diversity.extend(mean_distance(&takes));
        }
        Ok(())
    }

    /// The figures of everything that was measured.
    pub(super) fn report(self) -> Generation {
        let networks = self.networks.len();
        let scores =
            |origin: &str, series: &Series| series.scores(origin, self.labels, series.frechet(&self.real, networks));
        let mut clips = vec![
            self.real.scores("real", self.labels, self.real.halves(networks)),
            scores("repeat frame 0", &self.repeated),
        ];
        if !self.rebuilt.samples.is_empty() {
            clips.push(scores("auto-encoder", &self.rebuilt));
        }
        let plan = self.model.as_ref().map(|(_, plan)| plan);
        for (steps, series) in plan.iter().flat_map(|plan| plan.series()).zip(&self.generated) {
            clips.push(scores(&generated(steps), series));
        }
        let denoising = plan.and_then(|plan| plan.denoising.as_ref());
        Generation {
            definition: DEFINITION,
            people: self.real.samples.iter().map(|sample| sample.subject + 1).max().unwrap_or(0),
            frames: self.frames,
            seeds: plan.map_or(0, |plan| plan.seeds),
            first_seed: plan.map_or(0, |plan| plan.first_seed),
            guidance: denoising.map(|denoising| denoising.guidance),
            contrast: denoising.map(|denoising| denoising.contrast),
            sampler: denoising.map(|denoising| denoising.sampler.to_string()),
            networks: self.networks.iter().map(|network| network.name().to_owned()).collect(),
            clips,
        }
    }
}

/// The origin of clips generated in so many denoising steps, or without any.
fn generated(steps: Option<usize>) -> String {
    steps.map_or_else(|| "generated".to_owned(), |steps| format!("generated, {steps} steps"))
}

impl Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "clips of {} frames, {} people", self.frames, self.people)?;
        if self.seeds > 0 {
            write!(f, "; {} seeds per person and label, from {} on", self.seeds, self.first_seed)?;
        }
        if let (Some(guidance), Some(sampler)) = (self.guidance, &self.sampler) {
            write!(f, ", {sampler}, guidance {guidance}")?;
        }
        if self.contrast == Some(Contrast::Neutral) {
            write!(f, " against neutral")?;
        }
        writeln!(
            f,
            "\n{:24} {:>6} {:>9} {:>7} {:>7} {:>10} {:>7}",
            "", "clips", "label ok", "drift", "motion", "diversity", "s/clip"
        )?;
        for scores in &self.clips {
            writeln!(
                f,
                "{:24} {:>6} {:>9} {:>7.2} {:>7.2} {:>10} {:>7}",
                scores.origin,
                scores.clips,
                cell(scores.label_accuracy.map(|share| 100.0 * share), 1),
                scores.identity_drift,
                scores.motion,
                cell(scores.diversity, 2),
                cell(scores.seconds_per_clip, 2)
            )?;
        }
        for (network, name) in self.networks.iter().enumerate() {
            writeln!(f, "\n{:24} {:>9} {:>10} {:>12}   Frechet distance ({name})", "", "FVD", "by label", "by person")?;
            for scores in &self.clips {
                let FrechetDistances { fvd, class_conditional, subject_conditional } = scores.frechet[network];
                writeln!(
                    f,
                    "{:24} {:>9} {:>10} {:>12}",
                    scores.origin,
                    cell(fvd, 3),
                    cell(class_conditional, 3),
                    cell(subject_conditional, 3)
                )?;
            }
        }
        Ok(())
    }
}
