//! Clips that the model generates, beside real ones, frame 0 repeated, and what its auto-encoder, if it has one, makes of real ones.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use super::clips::ClipFolders;
use super::drift::identity_drift;
use super::frechet::Gaussian;
use super::judges::{Impression, VideoNetwork};
use super::subject::ClipModel;
use crate::native::metrics::mean;
use crate::native::video::Video;
use crate::pipeline::{Portrait, Request, Sampler};

const DEFINITION: &str = "`label_accuracy`: clips whose label the action network names. `identity_drift`: mean absolute difference, of 255, \
     between the 8x8 blocks of every frame and the most similar blocks of the real frame 0 at most one block away. `motion`: mean absolute \
     difference, of 255, between frames and the real frame 0. `diversity`: mean absolute difference, of 255, between clips of one person and \
     label with different seeds. `fvd`: Frechet distance between the network's features of these clips and of the real ones; \
     `class_conditional` and `subject_conditional` are means over labels and over people. It depends on the number of clips: compare equal ones. \
     The real clips are split into every other person and the rest, so there are half as many on each side, and no person is on both.";

/// How clips are generated.
pub(crate) struct Plan {
    pub seeds: usize,
    pub first_seed: u64,
    pub guidance: f32,
    pub sampler: Sampler,
    /// Numbers of denoising steps, each of which is measured.
    pub steps: Vec<usize>,
}

/// Looks at clips as they come and keeps what was measured of them.
pub(crate) struct Comparison<'a> {
    labels: &'a [String],
    networks: Vec<Box<dyn VideoNetwork>>,
    model: Option<(&'a dyn ClipModel, Plan)>,
    frames: usize,
    real: Series,
    repeated: Series,
    /// Empty for a model without an auto-encoder.
    rebuilt: Series,
    /// One per number of steps.
    generated: Vec<Series>,
    /// Where clips are kept, for others to judge.
    folders: Option<&'a ClipFolders>,
}

/// Clips of one origin.
#[derive(Default)]
struct Series {
    samples: Vec<Sample>,
    /// Per person and label, the mean distance between clips of different seeds.
    diversity: Vec<f64>,
    seconds: Vec<f64>,
}

/// What is kept of a clip.
struct Sample {
    subject: usize,
    label: usize,
    /// The label that the action network names.
    said: Option<usize>,
    /// By network.
    features: Vec<Vec<f64>>,
    drift: f64,
    motion: f64,
}

/// The part of the report about generated clips.
#[derive(Serialize)]
pub(crate) struct Generation {
    definition: &'static str,
    people: usize,
    frames: usize,
    seeds: usize,
    first_seed: u64,
    guidance: Option<f32>,
    sampler: Option<String>,
    networks: Vec<String>,
    clips: Vec<Scores>,
}

#[derive(Serialize)]
struct Scores {
    origin: String,
    clips: usize,
    label_accuracy: Option<f64>,
    labels: BTreeMap<String, f64>,
    identity_drift: f64,
    motion: f64,
    diversity: Option<f64>,
    seconds_per_clip: Option<f64>,
    /// By network, in the order of `networks`.
    frechet: Vec<Frechet>,
}

#[derive(Clone, Copy, Serialize)]
struct Frechet {
    fvd: Option<f64>,
    class_conditional: Option<f64>,
    subject_conditional: Option<f64>,
}

impl<'a> Comparison<'a> {
    /// `frames`: of every clip that is compared.
    pub(crate) fn new(
        labels: &'a [String],
        networks: Vec<Box<dyn VideoNetwork>>,
        model: Option<(&'a dyn ClipModel, Plan)>,
        frames: usize,
    ) -> Self {
        let generated = model.iter().flat_map(|(_, plan)| &plan.steps).map(|_| Series::default()).collect();
        let [real, repeated, rebuilt] = [(); 3].map(|()| Series::default());
        Self { labels, networks, model, frames, real, repeated, rebuilt, generated, folders: None }
    }

    /// Also writes every clip that is real, rebuilt or generated.
    pub(crate) fn kept_in(self, folders: Option<&'a ClipFolders>) -> Self {
        Self { folders, ..self }
    }

    /// Real clips so far.
    pub(crate) fn len(&self) -> usize {
        self.real.samples.len()
    }

    /// Generates and measures everything that belongs to one real clip.
    pub(crate) fn add(
        &mut self,
        subject: usize,
        label: usize,
        portrait: &Portrait,
        real: Video,
        rebuilt: Option<Video>,
    ) -> Result<()> {
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
        for (&steps, series) in plan.steps.iter().zip(&mut self.generated) {
            let mut takes = Vec::with_capacity(plan.seeds);
            for take in 0..plan.seeds {
                let request = Request {
                    label: self.labels[label].clone(),
                    // Another seed for each clip, the same for every number of steps.
                    seed: plan.first_seed + (index * plan.seeds + take) as u64,
                    steps,
                    guidance: plan.guidance,
                    sampler: plan.sampler,
                };
                let (video, seconds) = model.generate(portrait, &request)?;
                series.samples.push(sample(&video)?);
                keep(&generated(steps), &video)?;
                series.seconds.push(seconds);
                takes.push(video);
            }
            series.diversity.extend(mean_distance(&takes));
        }
        Ok(())
    }

    pub(crate) fn report(self) -> Generation {
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
        for (&steps, series) in plan.iter().flat_map(|plan| &plan.steps).zip(&self.generated) {
            clips.push(scores(&generated(steps), series));
        }
        Generation {
            definition: DEFINITION,
            people: self.real.samples.iter().map(|sample| sample.subject + 1).max().unwrap_or(0),
            frames: self.frames,
            seeds: plan.map_or(0, |plan| plan.seeds),
            first_seed: plan.map_or(0, |plan| plan.first_seed),
            guidance: plan.map(|plan| plan.guidance),
            sampler: plan.map(|plan| plan.sampler.to_string()),
            networks: self.networks.iter().map(|network| network.name().to_owned()).collect(),
            clips,
        }
    }
}

impl Sample {
    fn of(
        networks: &[Box<dyn VideoNetwork>],
        subject: usize,
        label: usize,
        reference: &[f32],
        video: &Video,
    ) -> Result<Self> {
        let impressions = networks.iter().map(|network| network.look(video)).collect::<Result<Vec<Impression>>>()?;
        Ok(Self {
            subject,
            label,
            said: impressions.iter().find_map(|impression| impression.label),
            features: impressions.into_iter().map(|impression| impression.features).collect(),
            drift: identity_drift(reference, video),
            motion: video.distance(&Video::still(video.size(), reference, video.len())),
        })
    }
}

impl Series {
    fn scores(&self, origin: &str, labels: &[String], frechet: Vec<Frechet>) -> Scores {
        let figures = |of: fn(&Sample) -> f64| mean(&self.samples.iter().map(of).collect::<Vec<_>>());
        let accuracy = |of: &dyn Fn(usize) -> bool| -> Option<f64> {
            let said: Vec<f64> = self
                .samples
                .iter()
                .filter(|sample| of(sample.label))
                .filter_map(|sample| Some(f64::from(u8::from(sample.said? == sample.label))))
                .collect();
            (!said.is_empty()).then(|| mean(&said))
        };
        Scores {
            origin: origin.to_owned(),
            clips: self.samples.len(),
            label_accuracy: accuracy(&|_| true),
            labels: labels
                .iter()
                .enumerate()
                .filter_map(|(label, name)| Some((name.clone(), accuracy(&|other| other == label)?)))
                .collect(),
            identity_drift: figures(|sample| sample.drift),
            motion: figures(|sample| sample.motion),
            diversity: (!self.diversity.is_empty()).then(|| mean(&self.diversity)),
            seconds_per_clip: (!self.seconds.is_empty()).then(|| mean(&self.seconds)),
            frechet,
        }
    }

    /// These clips against the real ones.
    fn frechet(&self, real: &Self, networks: usize) -> Vec<Frechet> {
        let [ours, real] = [self, real].map(|series| series.samples.iter().collect::<Vec<_>>());
        (0..networks).map(|network| Frechet::between(&ours, &real, network)).collect()
    }

    /// Every other person's clips against the rest.
    fn halves(&self, networks: usize) -> Vec<Frechet> {
        let (even, odd): (Vec<_>, Vec<_>) = self.samples.iter().partition(|sample| sample.subject % 2 == 0);
        (0..networks).map(|network| Frechet::between(&even, &odd, network)).collect()
    }
}

impl Frechet {
    fn between(ours: &[&Sample], real: &[&Sample], network: usize) -> Self {
        let distance = |of: &dyn Fn(&Sample) -> bool| {
            let gaussian = |samples: &[&Sample]| {
                let features =
                    samples.iter().filter(|sample| of(sample)).map(|sample| sample.features[network].as_slice());
                Gaussian::of(&features.collect::<Vec<_>>())
            };
            Some(gaussian(ours)?.distance(&gaussian(real)?))
        };
        let conditional = |of: fn(&Sample) -> usize| {
            let last = real.iter().map(|sample| of(sample)).max()?;
            let distances: Vec<f64> =
                (0..=last).filter_map(|group| distance(&|sample: &Sample| of(sample) == group)).collect();
            (!distances.is_empty()).then(|| mean(&distances))
        };
        Self {
            fvd: distance(&|_| true),
            class_conditional: conditional(|sample| sample.label),
            subject_conditional: conditional(|sample| sample.subject),
        }
    }
}

/// The origin of clips of that many denoising steps.
fn generated(steps: usize) -> String {
    format!("generated, {steps} steps")
}

/// Over all pairs; `None` without any.
fn mean_distance(takes: &[Video]) -> Option<f64> {
    let distances: Vec<f64> =
        takes.iter().enumerate().flat_map(|(index, a)| takes[index + 1..].iter().map(|b| a.distance(b))).collect();
    (!distances.is_empty()).then(|| mean(&distances))
}

impl std::fmt::Display for Generation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let figure = |value: Option<f64>, digits: usize| {
            value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
        };
        write!(f, "clips of {} frames, {} people", self.frames, self.people)?;
        if let (Some(guidance), Some(sampler)) = (self.guidance, &self.sampler) {
            let Self { seeds, first_seed, .. } = self;
            write!(f, "; {seeds} seeds per person and label, from {first_seed} on, {sampler}, guidance {guidance}")?;
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
                figure(scores.label_accuracy.map(|share| 100.0 * share), 1),
                scores.identity_drift,
                scores.motion,
                figure(scores.diversity, 2),
                figure(scores.seconds_per_clip, 2)
            )?;
        }
        for (network, name) in self.networks.iter().enumerate() {
            writeln!(f, "\n{:24} {:>9} {:>10} {:>12}   Frechet distance ({name})", "", "FVD", "by label", "by person")?;
            for scores in &self.clips {
                let Frechet { fvd, class_conditional, subject_conditional } = scores.frechet[network];
                writeln!(
                    f,
                    "{:24} {:>9} {:>10} {:>12}",
                    scores.origin,
                    figure(fvd, 3),
                    figure(class_conditional, 3),
                    figure(subject_conditional, 3)
                )?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(subject: usize, label: usize, said: Option<usize>, features: [f64; 2]) -> Sample {
        Sample { subject, label, said, features: vec![features.to_vec()], drift: 1.0, motion: 2.0 }
    }

    fn series(shift: f64) -> Series {
        let clips = [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1), (3, 0), (3, 1)];
        let samples = clips.map(|(subject, label)| {
            let features = [subject as f64 + shift * label as f64, 3.0 * label as f64];
            sample(subject, label, Some(if subject == 3 { 0 } else { label }), features)
        });
        Series { samples: samples.into(), ..Series::default() }
    }

    #[test]
    fn conditional_distances_are_means_over_their_groups() {
        let (real, ours) = (series(0.0), series(2.0));
        let labels = ["a", "b"].map(str::to_owned);
        let scores = ours.scores("ours", &labels, ours.frechet(&real, 1));
        // Label a is untouched, label b moves by 2 along the first axis.
        let Frechet { fvd, class_conditional, subject_conditional } = scores.frechet[0];
        assert!((class_conditional.unwrap() - (0.0 + 4.0) / 2.0).abs() < 1e-9);
        assert!(fvd.unwrap() > 1.0 && subject_conditional.unwrap() > 1.0);
        assert_eq!(scores.label_accuracy, Some(7.0 / 8.0));
        assert_eq!(scores.labels, [("a".to_owned(), 1.0), ("b".to_owned(), 0.75)].into());
        assert_eq!((scores.identity_drift, scores.motion, scores.diversity), (1.0, 2.0, None));

        let same = real.frechet(&real, 1)[0];
        assert!(same.fvd.unwrap() < 1e-9 && same.subject_conditional.unwrap() < 1e-9);
        // People 0 and 2 against 1 and 3: one apart, and nobody on both sides.
        let halves = real.halves(1)[0];
        assert!((halves.fvd.unwrap() - 1.0).abs() < 1e-9 && halves.subject_conditional.is_none());
    }

    #[test]
    fn equal_takes_have_no_diversity() {
        let take = |value: f32| Video::new(1, vec![value; 6]);
        assert_eq!(mean_distance(&[take(0.2)]), None);
        assert_eq!(mean_distance(&[take(0.2), take(0.2), take(0.2)]), Some(0.0));
        let found = mean_distance(&[take(0.2), take(0.2), take(0.4)]).unwrap();
        assert!((found - 2.0 / 3.0 * 51.0).abs() < 1e-4, "{found}");
    }
}
