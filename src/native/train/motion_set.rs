//! The motion that a trained auto-encoder sees in every clip, which stage 2 learns.
//!
//! The auto-encoder is frozen, so the reference latents and the motion of all clips are computed
//! once and stored in the run directory in half precision, for this run and for `--resume`. They stay
//! there: whoever learns a clip reads it. Where a renderer knows the motion, it can take the place of what the
//! auto-encoder sees.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::args::RunArgs;
use super::denoising::{Batch, Choice};
use super::frozen::FrozenLfae;
use super::motion_file::{MotionFile, MotionWriter};
use crate::condition::{ConditionTable, StrengthRange, Strengths};
use crate::config::{Diffused, LfdmConfig};
use crate::diffusion::{MotionCodec, MotionStatistics};
use crate::lfae::LatentFlowAutoencoder;
use crate::motion::Motion;
use crate::native::data::{Clip, ClipSet, Crop, Sampling, Split, View};
use crate::native::progress::Progress;

/// Whose motion is learned, of which clips.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct MotionSettings {
    pub(super) config: LfdmConfig,
    pub(super) labels: Vec<String>,
    /// The step of the auto-encoder whose motion is learned.
    pub(super) lfae_step: u64,
    /// Views of each person, and the largest enlargement among them.
    pub(super) views: u16,
    pub(super) max_zoom: f32,
    /// Other looks that are made of each reference.
    #[serde(default, skip_serializing_if = "is_none")]
    pub(super) looks: u16,
    /// Whether the motion is the renderer's and not what the auto-encoder sees.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) exact: bool,
    /// The part of the frames that is seen, if not all of it.
    pub(super) crop: Option<Crop>,
    pub(super) sampling: Sampling,
}

impl MotionSettings {
    /// Clips of the model's length, under their own labels.
    pub(super) fn read_clips(&self, run: &RunArgs, flow: Option<&Path>, split: Split) -> Result<ClipSet> {
        let LfdmConfig { image_size: [size, _], frames, .. } = self.config;
        Ok(run.reading.open(&run.data, flow, size, Some(frames), split)?)
    }

    /// The same, under the labels of the model.
    pub(super) fn open_clips(&self, run: &RunArgs, flow: Option<&Path>, split: Split) -> Result<ClipSet> {
        Ok(self.read_clips(run, flow, split)?.with_labels(&self.labels)?)
    }

    /// Takes the labels of the clips in place of those that the auto-encoder was trained beside, unless these cover
    /// them: stage 1 learns nothing of labels, so that it fits clips of any.
    pub(super) fn adopt_labels(&mut self, clips: &ClipSet) {
        if !clips.labels().iter().all(|label| self.labels.contains(label)) {
            self.labels = clips.labels().to_vec();
        }
    }

    /// The motion of the training `clips` and of the validation split, from the first of `stores` that has
    /// it. Otherwise it is computed and stored in the run directory.
    pub(super) fn open_or_compute(
        &self,
        run: &RunArgs,
        flow: Option<&Path>,
        lfae: &FrozenLfae,
        stores: &[&Path],
        clips: &ClipSet,
    ) -> Result<Lessons> {
        let device = run.device.open()?;
        let network = lfae.init(&device)?;
        let set = |clips: &ClipSet, data: &str, name: &str| -> Result<MotionSet> {
            let key = self.key(lfae, data);
            if let Some(set) = stores.iter().find_map(|store| MotionSet::open(&store.join(name), self, &key)) {
                return Ok(set);
            }
            MotionSet::compute(&network, clips, self, &key, &run.out.join(name), &device)
        };
        let data = clips.fingerprint();
        let train = set(clips, &data, "motion-train.safetensors")?;
        let people = self.open_clips(run, flow, Split::Val)?;
        let held_out = people.fingerprint();
        let validation = set(&people, &held_out, "motion-val.safetensors")?;
        Ok(Lessons { data: data + &held_out, train, validation, people })
    }

    /// A unit vector for each label.
    fn one_hot(&self) -> ConditionTable {
        ConditionTable::one_hot(self.labels.clone(), &Device::flex())
    }

    /// All that stored motion depends on; `data` is the fingerprint of its clips.
    fn key(&self, lfae: &FrozenLfae, data: &str) -> String {
        let config = &self.config;
        let views = (self.views, self.max_zoom, self.crop, self.sampling);
        let seen = json!([lfae.fingerprint, data, config.lfae, config.image_size, config.frames, views, self.looks]);
        // Motion that the auto-encoder saw keeps the key that it has always had.
        if self.exact { json!({ "exact": seen }).to_string() } else { seen.to_string() }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_none(looks: &u16) -> bool {
    *looks == 0
}

/// What stage 2 learns from.
pub(super) struct Lessons {
    /// Fingerprints of the clips of both splits.
    pub(super) data: String,
    pub(super) train: MotionSet,
    pub(super) validation: MotionSet,
    /// The people of the validation split, for previews.
    pub(super) people: ClipSet,
}

impl Lessons {
    /// With other vectors for the same labels than one-hot ones.
    pub(super) fn with_conditions(mut self, table: &ConditionTable) -> Self {
        for set in [&mut self.train, &mut self.validation] {
            set.conditions = table.clone();
        }
        self
    }
}

/// Reference latents and motion of all clips, in a file. Another view of a clip is a clip of its own.
pub(super) struct MotionSet {
    /// What the labels are to the network, in the order of [`Entry::label`].
    conditions: ConditionTable,
    clips: Vec<Entry>,
    /// The latents of each reference: its own, and those of its other appearances. Clips that begin with the same
    /// frame share a reference.
    references: Vec<Range<usize>>,
    file: MotionFile,
}

/// What is known of a clip.
struct Entry {
    reference: usize,
    label: usize,
    /// If they are not the label's alone.
    strengths: Option<Strengths>,
}

impl MotionSet {
    fn compute(
        lfae: &LatentFlowAutoencoder,
        data: &ClipSet,
        settings: &MotionSettings,
        key: &str,
        path: &Path,
        device: &Device,
    ) -> Result<Self> {
        let frames = data.frames();
        let config = &settings.config;
        let ([height, width], [rows, columns]) = (config.latent_size(), config.flow_size());
        let latent = [config.latent_channels(), height, width];
        let mut writer = MotionWriter::create(path, &latent, &[frames, rows, columns, 3])?;
        let (mut entries, mut references) = (Vec::new(), Vec::new());
        let views = data.all_views(usize::from(settings.views), settings.max_zoom);
        let all = data.clip_count() * usize::from(settings.views);
        tracing::info!("computing the motion of {all} clips");
        let progress = Progress::new("motion of clips", all);
        for (subject, seed, view) in views.iter().copied() {
            let clips: Vec<Clip<'_>> =
                data.clips_of(subject).map(|clip| clip.sampled(settings.sampling, seed)).collect();
            for clips in by_beginning(&clips) {
                let source = images(vec![clips[0].frame_through(view, 0)], data.size(), device);
                writer.push_latents(&lfae.encode(source.clone()).latent().into_data())?;
                let others = appearances(clips[0], view, usize::from(settings.looks), seed);
                let start = references.last().map_or(0, |range: &Range<usize>| range.end);
                references.push(start..start + 1 + others.len());
                if !others.is_empty() {
                    let others = images(others, data.size(), device);
                    writer.push_latents(&lfae.encode(others).latent().into_data())?;
                }

                let count = clips.len() * frames;
                let motion = if settings.exact {
                    exact_motion(&clips, view, [rows, columns], frames)?
                } else {
                    let pixels: Vec<Vec<f32>> = (0..count)
                        .into_par_iter()
                        .map(|index| clips[index / frames].frame_through(view, index % frames))
                        .collect();
                    lfae.estimate_motion(source.repeat_dim(0, count), images(pixels, data.size(), device))
                };
                let stacked = Tensor::cat(vec![motion.flow, motion.occlusion.permute([0, 2, 3, 1])], 3);
                writer.push_motions(&stacked.into_data())?;
                let reference = references.len() - 1;
                entries.extend(clips.iter().map(|clip| Entry::of(clip, reference)));
                progress.inc(clips.len());
            }
        }
        progress.finish();
        let file = writer.finish(metadata(&entries, &references, key)?)?;
        Ok(Self { conditions: settings.one_hot(), clips: entries, references, file })
    }

    /// `count` clips of as many labels and people as possible.
    pub(super) fn assorted(&self, count: usize) -> Vec<usize> {
        let clip = |index: usize| {
            let label = (index + 1) % self.labels().len();
            let of_label: Vec<usize> = (0..self.clips.len()).filter(|&clip| self.clips[clip].label == label).collect();
            if of_label.is_empty() { index % self.clips.len() } else { of_label[index % of_label.len()] }
        };
        (0..count).map(clip).collect()
    }

    fn labels(&self) -> &[String] {
        self.conditions.labels()
    }

    /// What the labels are to the network.
    pub(super) fn conditions(&self) -> &ConditionTable {
        &self.conditions
    }

    /// How many clips there are.
    pub(super) fn len(&self) -> usize {
        self.clips.len()
    }

    /// Whether any reference has other appearances.
    pub(super) fn has_appearances(&self) -> bool {
        self.references.iter().any(|latents| latents.len() > 1)
    }

    /// Which strengths its clips have.
    pub(super) fn strengths(&self) -> StrengthRange {
        let (mixed, plain): (Vec<&Entry>, Vec<&Entry>) = self.clips.iter().partition(|clip| clip.strengths.is_some());
        let plain: Vec<Strengths> =
            plain.iter().map(|clip| self.label_of(clip)).take(self.labels().len() * 2).collect();
        StrengthRange::of(mixed.iter().filter_map(|clip| clip.strengths.as_ref()).chain(&plain))
    }

    /// The chosen clips on the host, as they are diffused.
    pub(super) fn batch(&self, codec: &MotionCodec, choice: Choice, noise: Tensor<5>) -> Result<Batch> {
        let host = Device::flex();
        let Choice { clips, times, null, appearances } = choice;
        let encoded = |&clip: &usize| Ok(codec.encode(&self.motion(clip, &host)?, 1));
        Ok(Batch {
            x0: Tensor::cat(clips.par_iter().map(encoded).collect::<Result<_>>()?, 0),
            latents: self.latents(&clips, &appearances, &host)?,
            condition: self.conditions_of(&clips, &host)?,
            times,
            null,
            noise,
        })
    }

    /// What the clips' labels and strengths are to the network, `[clips, condition]`.
    pub(super) fn conditions_of(&self, clips: &[usize], device: &Device) -> Result<Tensor<2>> {
        let vector = |&clip: &usize| {
            let clip = &self.clips[clip];
            self.conditions.vector(&clip.strengths.clone().unwrap_or_else(|| self.label_of(clip)))
        };
        let vectors = Tensor::cat(clips.iter().map(vector).collect::<Result<_, _>>()?, 0);
        Ok(Tensor::from_data(vectors.into_data(), device))
    }

    /// The label of a clip alone, as it is.
    fn label_of(&self, clip: &Entry) -> Strengths {
        self.labels()[clip.label].as_str().into()
    }

    /// Latents of the clips' references in one of their appearances, `[clips, channels, height, width]`: their own,
    /// or the one that a number in `[0, 1)` picks among the others.
    pub(super) fn latents(&self, clips: &[usize], appearances: &[Option<f64>], device: &Device) -> Result<Tensor<4>> {
        let mut values = Vec::new();
        for (&clip, appearance) in clips.iter().zip(appearances) {
            let Range { start, end } = self.references[self.clips[clip].reference];
            let others = end - start - 1;
            let place = appearance.filter(|_| others > 0).map_or(0, |share| 1 + (share * others as f64) as usize);
            values.extend(self.file.latent(start + place)?);
        }
        let &[channels, height, width] = self.file.latents().shape.as_slice() else {
            unreachable!("checked in `open`")
        };
        Ok(Tensor::from_data(TensorData::new(values, [clips.len(), channels, height, width]), device))
    }

    /// Motion of the frames of a clip.
    fn motion(&self, clip: usize, device: &Device) -> Result<Motion> {
        let &[frames, height, width, _] = self.file.motions().shape.as_slice() else {
            unreachable!("checked in `open`")
        };
        let values = TensorData::new(self.file.motion(clip)?, [frames, height, width, 3]);
        let stacked = Tensor::<4>::from_data(values, device);
        Ok(Motion { flow: stacked.clone().narrow(3, 0, 2), occlusion: stacked.narrow(3, 2, 1).permute([0, 3, 1, 2]) })
    }

    /// Of all motion, for the codec.
    pub(super) fn statistics(&self, diffused: Diffused) -> Result<MotionStatistics> {
        let device = Device::flex();
        let shape = &self.file.motions().shape;
        let mut statistics = MotionStatistics::new([shape[1], shape[2]], diffused);
        for clip in 0..self.clips.len() {
            statistics.add(&self.motion(clip, &device)?);
        }
        Ok(statistics)
    }

    /// Opens a set that was computed with the same settings; `None` if there is none, or one of
    /// other settings.
    fn open(path: &Path, settings: &MotionSettings, key: &str) -> Option<Self> {
        let (file, metadata) = MotionFile::open(path).ok()?;
        let text = |key: &str| metadata.get(key)?.as_str();
        if text("key")? != key || [file.latents().shape.len(), file.motions().shape.len()] != [3, 4] {
            return None;
        }
        let places: Vec<(usize, usize)> = serde_json::from_str(text("clips")?).ok()?;
        let mut strengths: BTreeMap<usize, Strengths> = serde_json::from_str(text("strengths").unwrap_or("{}")).ok()?;
        let count = 1 + places.iter().map(|place| place.0).max()?;
        let sizes: Vec<usize> = match text("appearances") {
            None => vec![1; count],
            Some(sizes) => serde_json::from_str(sizes).ok()?,
        };
        let entry = |(index, (reference, label))| Entry { reference, label, strengths: strengths.remove(&index) };
        let clips: Vec<Entry> = places.into_iter().enumerate().map(entry).collect();
        let references = ranges(&sizes);
        let is_whole = references.len() == count
            && references.last()?.end == file.latents().count
            && clips.len() == file.motions().count
            && clips.iter().all(|clip| clip.label < settings.labels.len());
        is_whole.then(|| Self { conditions: settings.one_hot(), clips, references, file })
    }
}

impl Entry {
    fn of(clip: &Clip<'_>, reference: usize) -> Self {
        Self { reference, label: clip.label(), strengths: clip.mixture().cloned() }
    }
}

/// The other appearances of a clip's first frame: those that its data has, and as many other `looks`.
fn appearances(clip: Clip<'_>, view: View, looks: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut others = clip.references_through(view).unwrap_or_else(|problem| {
        tracing::warn!("a take without other appearances: {problem}");
        Vec::new()
    });
    others.extend(clip.looks_through(view, looks, seed));
    others
}

/// What a file of motion says about its clips. Sets without strengths and appearances look as they always did.
fn metadata(entries: &[Entry], references: &[Range<usize>], key: &str) -> Result<serde_json::Value> {
    let places: Vec<(usize, usize)> = entries.iter().map(|entry| (entry.reference, entry.label)).collect();
    let strengths: BTreeMap<usize, &Strengths> =
        entries.iter().enumerate().filter_map(|(index, entry)| Some((index, entry.strengths.as_ref()?))).collect();
    let sizes: Vec<usize> = references.iter().map(ExactSizeIterator::len).collect();
    let mut metadata = serde_json::Map::new();
    let mut insert = |key: &str, text: String| metadata.insert(key.to_owned(), text.into());
    insert("key", key.to_owned());
    insert("clips", serde_json::to_string(&places)?);
    if !strengths.is_empty() {
        insert("strengths", serde_json::to_string(&strengths)?);
    }
    if sizes.iter().any(|&size| size > 1) {
        insert("appearances", serde_json::to_string(&sizes)?);
    }
    Ok(metadata.into())
}

/// Ranges of these lengths, one after the other.
fn ranges(lengths: &[usize]) -> Vec<Range<usize>> {
    let mut end = 0;
    let next = |&length: &usize| {
        let start = end;
        end += length;
        start..end
    };
    lengths.iter().map(next).collect()
}

/// The clips of a person, together those that begin with the same frame, in their order.
fn by_beginning<'a>(clips: &[Clip<'a>]) -> Vec<Vec<Clip<'a>>> {
    let mut groups: Vec<Vec<Clip<'a>>> = Vec::new();
    for clip in clips {
        match groups.iter_mut().find(|group| group[0].begins_like(clip)) {
            Some(group) => group.push(*clip),
            None => groups.push(vec![*clip]),
        }
    }
    groups
}

/// What the renderer says of the motion of clips, as an auto-encoder would see it.
///
/// # Errors
/// A clip without exact flow, and a grid that is not square.
fn exact_motion(clips: &[Clip<'_>], view: View, [rows, columns]: [usize; 2], frames: usize) -> Result<Motion> {
    ensure!(rows == columns, "exact flow is square, and this model's grid has {rows}x{columns} cells");
    let (mut flow, mut occlusion) = (Vec::new(), Vec::new());
    let centre = |index: usize| (2 * index + 1) as f32 / rows as f32 - 1.0;
    for clip in clips {
        for frame in 0..frames {
            let exact = clip.flow_through(view, frame, rows).with_context(|| {
                format!("{} has no exact flow; leave out --flow to learn what the auto-encoder sees", clip.name())
            })?;
            for (cell, xy) in exact.displacement.chunks_exact(2).enumerate() {
                flow.extend([centre(cell % columns) + xy[0], centre(cell / columns) + xy[1]]);
            }
            occlusion.extend(exact.visibility);
        }
    }
    let (device, count) = (Device::flex(), clips.len() * frames);
    Ok(Motion {
        flow: Tensor::from_data(TensorData::new(flow, [count, rows, columns, 2]), &device),
        occlusion: Tensor::from_data(TensorData::new(occlusion, [count, 1, rows, columns]), &device),
    })
}

/// # Shapes
/// - result: `[pictures, 3, size, size]`
fn images(pictures: Vec<Vec<f32>>, size: usize, device: &Device) -> Tensor<4> {
    let count = pictures.len();
    Tensor::from_data(TensorData::new(pictures.concat(), [count, 3, size, size]), device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::HourglassConfig;
    use crate::native::data::fixtures::{copy_faces, faces_with_takes};
    use crate::tensor::pixel_grid;
    use crate::weights::StateDict;

    /// A small auto-encoder with random weights, and what its motion is of.
    fn settings(labels: Vec<String>) -> MotionSettings {
        let hourglass = HourglassConfig { block_expansion: 4, blocks: 2, max_features: 8 };
        let mut config = LfdmConfig::faces_64(labels.len());
        (config.image_size, config.frames) = ([32; 2], 4);
        config.lfae.regions = 3;
        config.lfae.region.hourglass = hourglass;
        config.lfae.background.hourglass = hourglass;
        config.lfae.flow.hourglass = hourglass;
        config.lfae.refinement = None;
        config.lfae.generator.block_expansion = 8;
        config.lfae.generator.max_features = 16;
        config.lfae.generator.bottleneck_blocks = 1;
        let (sampling, crop, exact) = (Sampling::Uniform, None, false);
        MotionSettings { config, labels, lfae_step: 1, views: 1, max_zoom: 1.0, looks: 1, exact, crop, sampling }
    }

    #[test]
    fn takes_have_references_of_their_own_in_several_appearances() {
        let dir = faces_with_takes();
        let data = ClipSet::open(dir.path(), None, 32, Split::Train).unwrap();
        let (device, labels) = (Device::flex(), data.labels().len());
        let settings = settings(data.labels().to_vec());
        let path = dir.path().join("motion.safetensors");
        let lfae = settings.config.lfae.init(&device);
        let computed = MotionSet::compute(&lfae, &data, &settings, "key", &path, &device).unwrap();
        let opened = MotionSet::open(&path, &settings, "key").unwrap();
        assert!(MotionSet::open(&path, &settings, "another key").is_none(), "other weights, data or settings");
        for set in [computed, opened] {
            assert_eq!(set.len(), 2 * 2 * labels);
            // Its own, two from the data, and a look.
            assert_eq!(set.references, [0..4, 4..8, 8..12, 12..16]);
            assert_eq!(set.strengths(), StrengthRange { sum: [1.0, 1.25], labels: 1 });

            // The first take's clips of a person come first, then those of the second.
            let conditions = set.conditions_of(&[1, labels + 1], &device).unwrap();
            let values: Vec<f32> = conditions.into_data().iter::<f32>().collect();
            assert_eq!(values[..2], [0.0, 1.0], "anger");
            assert_eq!(values[labels..labels + 2], [-0.25, 1.25], "stronger anger, counted from neutral");

            let latent = |clip: usize, appearance: Option<f64>| {
                let latents = set.latents(&[clip], &[appearance], &device).unwrap();
                latents.into_data().iter::<f32>().collect::<Vec<_>>()
            };
            let seen = [None, Some(0.0), Some(0.5), Some(0.99)].map(|appearance| latent(1, appearance));
            for (index, latents) in seen.iter().enumerate() {
                assert!(seen[..index].iter().all(|other| other != latents), "appearance {index} is like another");
            }
            assert_eq!(latent(1, None), latent(2, None), "one reference for the clips of a take");
            assert_ne!(latent(1, None), latent(labels + 1, None));

            let motion =
                |clip: usize| set.motion(clip, &device).unwrap().flow.into_data().iter::<f32>().collect::<Vec<_>>();
            assert_eq!(motion(0).len(), 4 * 8 * 8 * 2);
            assert_ne!(motion(1), motion(2));
        }
    }

    #[test]
    fn stored_motion_is_known_by_weights_data_and_settings() {
        let settings = settings(vec!["calm".into(), "joy".into()]);
        let lfae = |fingerprint: &str| FrozenLfae {
            path: "runs/lfae".into(),
            config: settings.config.clone(),
            labels: settings.labels.clone(),
            step: 1,
            fingerprint: Some(fingerprint.to_owned()),
            weights: StateDict::default(),
        };
        let key = settings.key(&lfae("weights"), "data");
        assert_eq!(settings.clone().key(&lfae("weights"), "data"), key);
        let others = [
            settings.key(&lfae("weights"), "other data"),
            settings.key(&lfae("other weights"), "data"),
            MotionSettings { views: 2, ..settings.clone() }.key(&lfae("weights"), "data"),
            MotionSettings { looks: 0, ..settings.clone() }.key(&lfae("weights"), "data"),
            MotionSettings { exact: true, ..settings.clone() }.key(&lfae("weights"), "data"),
        ];
        for (index, other) in others.iter().enumerate() {
            assert!(*other != key && !others[..index].contains(other), "{other}");
        }
    }

    #[test]
    fn exact_motion_is_the_renderers() {
        let dir = copy_faces();
        let device = Device::flex();
        // Of these people the first alone has exact flow.
        let open = |people: &[u32]| {
            let meta = dir.path().join("meta.json");
            let mut changed: serde_json::Value = serde_json::from_slice(&std::fs::read(&meta).unwrap()).unwrap();
            changed["splits"]["train"] = json!(people);
            std::fs::write(&meta, changed.to_string()).unwrap();
            ClipSet::open(dir.path(), Some(dir.path()), 32, Split::Train).unwrap()
        };
        let (data, without) = (open(&[0]), open(&[0, 1]));
        let settings = MotionSettings { exact: true, ..settings(data.labels().to_vec()) };
        let path = tempfile::tempdir().unwrap();
        let path = path.path().join("motion.safetensors");
        let lfae = settings.config.lfae.init(&device);
        let set = MotionSet::compute(&lfae, &data, &settings, "key", &path, &device).unwrap();
        let motion = set.motion(1, &device).unwrap();
        let rest = pixel_grid([8, 8], &device).unsqueeze::<4>();
        let away = motion.flow.clone() - rest;
        let of_frame = |frame| away.clone().narrow(0, frame, 1).abs().max().into_scalar::<f32>();
        assert!(of_frame(0) < 1e-3, "in half precision");
        let exact = data.clips().nth(1).unwrap().flow_through(data.views(0, 1, 1.0)[0], 2, 8).unwrap();
        let most = exact.displacement.iter().fold(0f32, |most, value| most.max(value.abs()));
        assert!(most > 0.01 && (of_frame(2) - most).abs() < 1e-3, "{most}");

        let refused = MotionSet::compute(&lfae, &without, &settings, "key", &path, &device).err().unwrap().to_string();
        assert!(refused.contains("has no exact flow") && refused.contains("leave out --flow"), "{refused}");
    }

    #[test]
    fn plain_sets_are_stored_as_they_always_were() {
        let entries = [(0, 0), (0, 1)].map(|(reference, label)| Entry { reference, label, strengths: None });
        let metadata = metadata(&entries, &ranges(&[1]), "key").unwrap();
        assert_eq!(metadata["clips"], "[[0,0],[0,1]]");
        assert_eq!(metadata.as_object().unwrap().len(), 2, "{metadata}");
    }
}
