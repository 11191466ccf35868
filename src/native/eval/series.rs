//! Clips of one origin, as the networks and the drift see them, and the figures that follow.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use super::{
    drift::identity_drift,
    frechet::Gaussian,
    judges::{Prediction, VideoNetwork},
};
use crate::native::{
    metrics::{mean, mean_if_any},
    video::Video,
};

/// Clips of one origin: real, rebuilt, generated.
#[derive(Default)]
pub(super) struct Series {
    pub(super) samples: Vec<Sample>,
    /// Per person and label, the mean distance between clips of different seeds.
    pub(super) diversity: Vec<f64>,
    /// Time that each clip took.
    pub(super) seconds: Vec<f64>,
}

/// What is kept of a clip.
pub(super) struct Sample {
    pub(super) subject: usize,
    label: usize,
    /// The label that the action network names.
    predicted: Option<usize>,
    /// By network.
    features: Vec<Vec<f64>>,
    drift: f64,
    motion: f64,
}

/// The figures of a series.
#[derive(Serialize)]
pub(super) struct Scores {
    pub(super) origin: String,
    pub(super) clips: usize,
    pub(super) label_accuracy: Option<f64>,
    /// Accuracy by label.
    pub(super) labels: BTreeMap<String, f64>,
    pub(super) identity_drift: f64,
    pub(super) motion: f64,
    pub(super) diversity: Option<f64>,
    pub(super) seconds_per_clip: Option<f64>,
    /// By network.
    pub(super) frechet: Vec<FrechetDistances>,
}

/// Frechet distances in the features of one network; `None` for too few clips.
#[derive(Clone, Copy, Serialize)]
pub(super) struct FrechetDistances {
    pub(super) fvd: Option<f64>,
    /// Mean over labels.
    pub(super) class_conditional: Option<f64>,
    /// Mean over people.
    pub(super) subject_conditional: Option<f64>,
}

impl Sample {
    /// Measures a clip; `reference` is the real frame 0.
    pub(super) fn of(
        networks: &[Box<dyn VideoNetwork>],
        subject: usize,
        label: usize,
        reference: &[f32],
        video: &Video,
    ) -> Result<Self> {
        let predictions = networks.iter().map(|network| network.predict(video)).collect::<Result<Vec<Prediction>>>()?;
        Ok(Self {
            subject,
            label,
            predicted: predictions.iter().find_map(|prediction| prediction.label),
            features: predictions.into_iter().map(|prediction| prediction.features).collect(),
            drift: identity_drift(reference, video),
            motion: video.distance(&Video::still(video.size(), reference, video.len())),
        })
    }
}

impl Series {
    /// The figures of these clips.
    pub(super) fn scores(&self, origin: &str, labels: &[String], frechet: Vec<FrechetDistances>) -> Scores {
        let mean_of = |figure: fn(&Sample) -> f64| mean(&self.samples.iter().map(figure).collect::<Vec<_>>());
        let by_label = |(label, name): (usize, &String)| Some((name.clone(), self.accuracy(Some(label))?));
        Scores {
            origin: origin.to_owned(),
            clips: self.samples.len(),
            label_accuracy: self.accuracy(None),
            labels: labels.iter().enumerate().filter_map(by_label).collect(),
            identity_drift: mean_of(|sample| sample.drift),
            motion: mean_of(|sample| sample.motion),
            diversity: mean_if_any(&self.diversity),
            seconds_per_clip: mean_if_any(&self.seconds),
            frechet,
        }
    }

    /// Share of clips, of one label or of all, whose label the action network names.
    fn accuracy(&self, label: Option<usize>) -> Option<f64> {
        let right: Vec<f64> = self
            .samples
            .iter()
            .filter(|sample| label.is_none_or(|label| sample.label == label))
            .filter_map(|sample| Some(f64::from(u8::from(sample.predicted? == sample.label))))
            .collect();
        mean_if_any(&right)
    }

    /// Distances of these clips from the real ones, by network.
    pub(super) fn frechet(&self, real: &Self, networks: usize) -> Vec<FrechetDistances> {
        let [ours, real] = [self, real].map(|series| series.samples.iter().collect::<Vec<_>>());
        (0..networks).map(|network| FrechetDistances::between(&ours, &real, network)).collect()
    }

    /// Distances of every other person's clips from the rest, by network.
    pub(super) fn halves(&self, networks: usize) -> Vec<FrechetDistances> {
        let (even, odd): (Vec<_>, Vec<_>) = self.samples.iter().partition(|sample| sample.subject % 2 == 0);
        (0..networks).map(|network| FrechetDistances::between(&even, &odd, network)).collect()
    }
}

impl FrechetDistances {
    /// Distances of our clips from the real ones in the features of one network.
    fn between(ours: &[&Sample], real: &[&Sample], network: usize) -> Self {
        Self {
            fvd: distance(ours, real, network, |_| true),
            class_conditional: mean_over_groups(ours, real, network, |sample| sample.label),
            subject_conditional: mean_over_groups(ours, real, network, |sample| sample.subject),
        }
    }
}

/// The Frechet distance between the clips that count, on either side.
fn distance(ours: &[&Sample], real: &[&Sample], network: usize, is_counted: impl Fn(&Sample) -> bool) -> Option<f64> {
    let [ours, real] = [ours, real].map(|samples| {
        let counted = samples.iter().filter(|sample| is_counted(sample));
        Gaussian::of(&counted.map(|sample| sample.features[network].as_slice()).collect::<Vec<_>>())
    });
    Some(ours?.distance(&real?))
}

/// The mean of the distances between clips of the same group.
fn mean_over_groups(ours: &[&Sample], real: &[&Sample], network: usize, group: fn(&Sample) -> usize) -> Option<f64> {
    let last = real.iter().map(|sample| group(sample)).max()?;
    let distances: Vec<f64> =
        (0..=last).filter_map(|index| distance(ours, real, network, |sample| group(sample) == index)).collect();
    mean_if_any(&distances)
}

/// The mean distance over all pairs; `None` for a single clip.
pub(super) fn mean_distance(takes: &[Video]) -> Option<f64> {
    let distances: Vec<f64> =
        takes.iter().enumerate().flat_map(|(index, a)| takes[index + 1..].iter().map(|b| a.distance(b))).collect();
    mean_if_any(&distances)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(subject: usize, label: usize, predicted: Option<usize>, features: [f64; 2]) -> Sample {
        Sample { subject, label, predicted, features: vec![features.to_vec()], drift: 1.0, motion: 2.0 }
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
        let FrechetDistances { fvd, class_conditional, subject_conditional } = scores.frechet[0];
        assert!((class_conditional.unwrap() - f64::midpoint(0.0, 4.0)).abs() < 1e-9);
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
