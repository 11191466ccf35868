//! The motion that a trained auto-encoder sees in every clip, which stage 2 learns.
//!
//! The auto-encoder is frozen, so the reference latents and the motion of all clips are computed
//! once, kept in half precision, and stored in the run directory for `--resume`.

use std::path::Path;

use anyhow::{Context, Result};
use burn::tensor::{Device, Tensor, TensorData};
use half::f16;
use indicatif::{ProgressBar, ProgressIterator};
use rayon::prelude::*;

use serde::{Deserialize, Serialize};

use super::args::RunArgs;
use super::denoising::{Batch, Choice};
use super::frozen::FrozenLfae;
use crate::config::{Diffused, LfdmConfig};
use crate::diffusion::{MotionCodec, MotionStatistics};
use crate::lfae::LatentFlowAutoencoder;
use crate::motion::Motion;
use crate::native::data::{Clip, ClipSet, Crop, Sampling, Split};
use crate::weights::{StateDict, WeightDtype};

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
    /// The part of the frames that is seen, if not all of it.
    pub(super) crop: Option<Crop>,
    pub(super) sampling: Sampling,
}

impl MotionSettings {
    /// Clips of the model's length, under its labels.
    pub(super) fn open_clips(&self, run: &RunArgs, split: Split) -> Result<ClipSet> {
        let LfdmConfig { image_size: [size, _], frames, .. } = self.config;
        let data = run.reading.open(&run.data, None, size, Some(frames), split)?;
        Ok(data.with_labels(&self.labels)?)
    }

    /// The motion of the training and of the validation split, from the first of `stores` that has
    /// it. Otherwise it is computed and stored in the run directory.
    pub(super) fn open_or_compute(&self, run: &RunArgs, lfae: &FrozenLfae, stores: &[&Path]) -> Result<[MotionSet; 2]> {
        std::fs::create_dir_all(&run.out).with_context(|| format!("cannot create {}", run.out.display()))?;
        let device = run.device.open();
        let lfae = lfae.init(&device)?;
        let set = |split, name| -> Result<MotionSet> {
            if let Some(set) = stores.iter().find_map(|store| MotionSet::open(&store.join(name), self)) {
                return Ok(set);
            }
            let set = MotionSet::compute(&lfae, &self.open_clips(run, split)?, self, &device);
            set.save(&run.out.join(name), self)?;
            Ok(set)
        };
        Ok([set(Split::Train, "motion-train.safetensors")?, set(Split::Val, "motion-val.safetensors")?])
    }

    /// All that stored motion depends on.
    fn key(&self) -> String {
        let config = &self.config;
        let views = (self.views, self.max_zoom, self.crop, self.sampling);
        serde_json::json!([self.lfae_step, config.lfae, config.image_size, config.frames, views]).to_string()
    }
}

/// Reference latents and motion of all clips, in half precision. Another view of a clip is a clip
/// of its own.
pub(super) struct MotionSet {
    labels: usize,
    pub(super) frames: usize,
    /// `[channels, height, width]` of a latent.
    latent: [usize; 3],
    /// Height and width of the motion.
    grid: [usize; 2],
    /// Reference and label of each clip.
    clips: Vec<(usize, usize)>,
    /// `[references, channels, height, width]`: clips that begin with the same frame share one.
    latents: Vec<f16>,
    /// `[clips, frames, height, width, 3]`: absolute flow xy and occlusion.
    motions: Vec<f16>,
}

impl MotionSet {
    fn compute(lfae: &LatentFlowAutoencoder, data: &ClipSet, settings: &MotionSettings, device: &Device) -> Self {
        let (size, frames) = (data.size(), data.frames());
        let config = &settings.config;
        let [height, width] = config.latent_size();
        let mut set = Self {
            labels: data.labels().len(),
            frames,
            latent: [config.latent_channels(), height, width],
            grid: config.flow_size(),
            clips: Vec::new(),
            latents: Vec::new(),
            motions: Vec::new(),
        };
        let halves = |data: TensorData, into: &mut Vec<f16>| into.extend(data.iter::<f32>().map(f16::from_f32));
        let views = usize::from(settings.views);
        tracing::info!("computing the motion of {} clips", data.clip_count() * views);
        let views = data.all_views(views, settings.max_zoom);
        for (subject, seed, view) in views.iter().copied().progress_with(ProgressBar::new(views.len() as u64)) {
            let clips: Vec<Clip<'_>> =
                data.clips_of(subject).map(|clip| clip.sampled(settings.sampling, seed)).collect();
            for clips in clips.chunk_by(Clip::begins_like) {
                let pixels = TensorData::new(clips[0].frame_through(view, 0), [1, 3, size, size]);
                let source = Tensor::<4>::from_data(pixels, device);
                halves(lfae.encode(source.clone()).latent().into_data(), &mut set.latents);

                let count = clips.len() * frames;
                let pixels: Vec<f32> = (0..count)
                    .into_par_iter()
                    .flat_map_iter(|index| clips[index / frames].frame_through(view, index % frames))
                    .collect();
                let driving = Tensor::<4>::from_data(TensorData::new(pixels, [count, 3, size, size]), device);
                let motion = lfae.estimate_motion(source.repeat_dim(0, count), driving);
                let stacked = Tensor::cat(vec![motion.flow, motion.occlusion.permute([0, 2, 3, 1])], 3);
                halves(stacked.into_data(), &mut set.motions);
                let reference = set.references() - 1;
                set.clips.extend(clips.iter().map(|clip| (reference, clip.label())));
            }
        }
        set
    }

    /// `count` clips of as many labels and people as possible.
    pub(super) fn assorted(&self, count: usize) -> Vec<usize> {
        let clip = |index: usize| {
            let label = (index + 1) % self.labels;
            let of_label: Vec<usize> = (0..self.clips.len()).filter(|&clip| self.clips[clip].1 == label).collect();
            if of_label.is_empty() { index % self.clips.len() } else { of_label[index % of_label.len()] }
        };
        (0..count).map(clip).collect()
    }

    /// How many clips there are.
    pub(super) fn len(&self) -> usize {
        self.clips.len()
    }

    fn references(&self) -> usize {
        self.latents.len() / self.latent.iter().product::<usize>()
    }

    fn clip_len(&self) -> usize {
        self.frames * self.grid[0] * self.grid[1] * 3
    }

    /// The chosen clips on the host, as they are diffused.
    pub(super) fn batch(&self, codec: &MotionCodec, choice: Choice, noise: Tensor<5>) -> Batch {
        let host = Device::flex();
        let Choice { clips, times, null } = choice;
        let encoded = |&clip: &usize| codec.encode(&self.motion(&[clip], &host), 1);
        Batch {
            x0: Tensor::cat(clips.par_iter().map(encoded).collect(), 0),
            latents: self.latents(&clips, &host),
            condition: self.conditions(&clips, &host),
            times,
            null,
            noise,
        }
    }

    /// One-hot labels of the clips, `[clips, labels]`.
    pub(super) fn conditions(&self, clips: &[usize], device: &Device) -> Tensor<2> {
        let mut values = vec![0.0f32; clips.len() * self.labels];
        for (row, &clip) in clips.iter().enumerate() {
            values[row * self.labels + self.clips[clip].1] = 1.0;
        }
        Tensor::from_data(TensorData::new(values, [clips.len(), self.labels]), device)
    }

    /// Latents of the clips' references, `[clips, channels, height, width]`.
    pub(super) fn latents(&self, clips: &[usize], device: &Device) -> Tensor<4> {
        let [channels, height, width] = self.latent;
        let length = channels * height * width;
        let values: Vec<f32> = clips
            .iter()
            .map(|&clip| self.clips[clip].0)
            .flat_map(|reference| &self.latents[reference * length..(reference + 1) * length])
            .map(|value| value.to_f32())
            .collect();
        Tensor::from_data(TensorData::new(values, [clips.len(), channels, height, width]), device)
    }

    /// Motion of `clips * frames` frames.
    fn motion(&self, clips: &[usize], device: &Device) -> Motion {
        let [height, width] = self.grid;
        let length = self.clip_len();
        let values: Vec<f32> = clips
            .iter()
            .flat_map(|clip| &self.motions[clip * length..(clip + 1) * length])
            .map(|value| value.to_f32())
            .collect();
        let n = clips.len() * self.frames;
        let stacked = Tensor::<4>::from_data(TensorData::new(values, [n, height, width, 3]), device);
        Motion { flow: stacked.clone().narrow(3, 0, 2), occlusion: stacked.narrow(3, 2, 1).permute([0, 3, 1, 2]) }
    }

    /// Of all motion, for the codec.
    pub(super) fn statistics(&self, diffused: Diffused) -> MotionStatistics {
        let device = Device::flex();
        let mut statistics = MotionStatistics::new(self.grid, diffused);
        for clip in 0..self.clips.len() {
            statistics.add(&self.motion(&[clip], &device));
        }
        statistics
    }

    /// Reads a set that was computed with the same settings; `None` if there is none, or one of
    /// other settings.
    fn open(path: &Path, settings: &MotionSettings) -> Option<Self> {
        let bytes = std::fs::read(path).ok()?;
        let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).ok()?;
        let metadata = header.metadata().as_ref()?;
        if metadata.get("key")? != &settings.key() {
            return None;
        }
        let clips = serde_json::from_str(metadata.get("clips")?).ok()?;
        let dict = StateDict::from_safetensors(&bytes).ok()?;
        let (latents, motions) = (dict.get("latents")?, dict.get("motions")?);
        let (latent_shape, motion_shape) = (latents.shape().to_vec(), motions.shape().to_vec());
        let halves = |data: &TensorData| data.iter::<f32>().map(f16::from_f32).collect();
        Some(Self {
            labels: settings.labels.len(),
            frames: motion_shape[1],
            clips,
            latent: [latent_shape[1], latent_shape[2], latent_shape[3]],
            grid: [motion_shape[2], motion_shape[3]],
            latents: halves(latents),
            motions: halves(motions),
        })
    }

    fn save(&self, path: &Path, settings: &MotionSettings) -> Result<()> {
        let ([channels, height, width], [rows, columns]) = (self.latent, self.grid);
        let mut dict = StateDict::default();
        let floats = |values: &[f16]| values.iter().map(|value| value.to_f32()).collect::<Vec<_>>();
        dict.insert("latents", TensorData::new(floats(&self.latents), [self.references(), channels, height, width]));
        let shape = [self.clips.len(), self.frames, rows, columns, 3];
        dict.insert("motions", TensorData::new(floats(&self.motions), shape));
        let clips = serde_json::to_string(&self.clips)?;
        let metadata = [("key".to_owned(), settings.key()), ("clips".to_owned(), clips)].into();
        let bytes = dict.to_safetensors(WeightDtype::F16, Some(metadata))?;
        let temporary = path.with_extension("partial");
        std::fs::write(&temporary, bytes)
            .and_then(|()| std::fs::rename(&temporary, path))
            .with_context(|| format!("cannot write {}", path.display()))
    }
}
