//! Pixels or latents of all clips, computed once and kept in memory: what the baselines learn.
//!
//! Pixels are kept as bytes, latents in half precision.

use anyhow::Result;
use burn::tensor::{Device, Tensor, TensorData};
use half::f16;
use rayon::prelude::*;

use super::args::{RunArgs, ViewArgs};
use super::claim::Claim;
use crate::native::baseline::{COLOURS, FrameAutoencoder, FrameCodec};
use crate::native::data::{Clip, ClipSet, Split, fingerprint_of};
use crate::native::progress::Progress;
use crate::portrait::to_byte;

/// Frames that are encoded at a time.
const FRAMES_PER_PASS: usize = 128;
/// A channel that never changes is not blown up further than this.
const MIN_STD: f64 = 1e-3;

/// Options of all that learn clips as they are.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct ClipArgs {
    #[command(flatten)]
    pub(super) run: RunArgs,
    /// Frames per clip.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(2..))]
    frames: u16,
    #[command(flatten)]
    pub(super) views: ViewArgs,
}

/// What a run learns from, and its claim on the place where it is kept.
pub(super) struct Clips {
    pub(super) claim: Claim,
    pub(super) train: ClipSet,
    /// People of the validation split, with the labels of `train`.
    pub(super) people: ClipSet,
    pub(super) labels: Vec<String>,
    /// By which a resumed run knows its clips again.
    pub(super) fingerprint: String,
}

impl ClipArgs {
    /// Frames per clip.
    pub(super) fn frames(&self) -> usize {
        usize::from(self.frames)
    }

    /// Claims the run and reads the clips.
    ///
    /// # Errors
    /// A run that cannot be, and clips that cannot be read.
    pub(super) fn open(&self, size: usize) -> Result<Clips> {
        let (run, frames) = (&self.run, self.frames());
        let claim = run.claim()?;
        run.ensure_frames(frames)?;
        let open = |split| run.reading.open(&run.data, None, size, Some(frames), split);
        let train = open(Split::Train)?;
        let labels = train.labels().to_vec();
        let people = open(Split::Val)?.with_labels(&labels)?;
        let fingerprint = fingerprint_of([&train, &people]);
        Ok(Clips { claim, train, people, labels, fingerprint })
    }
}

/// Pixels or latents of all clips. Another view of a clip is a clip of its own.
pub(super) struct VideoSet {
    /// How many labels there are.
    labels: usize,
    /// `[frames, channels, height, width]` of a clip.
    shape: [usize; 4],
    /// The label of each clip.
    clips: Vec<usize>,
    samples: Samples,
}

/// `[clips, frames, channels, height, width]`
enum Samples {
    Pixels(Vec<u8>),
    Latents(Vec<f16>),
}

impl VideoSet {
    /// The pixels of `data`.
    pub(super) fn of_pixels(data: &ClipSet, views: ViewArgs) -> Self {
        let mut bytes = Vec::new();
        let clips = prepare(data, views, |pixels| bytes.extend(pixels.into_iter().map(to_byte)));
        let shape = [data.frames(), COLOURS, data.size(), data.size()];
        Self { labels: data.labels().len(), shape, clips, samples: Samples::Pixels(bytes) }
    }

    /// The latents of `data`, `[channels, height, width]` of each frame.
    pub(super) fn of_latents(
        data: &ClipSet,
        views: ViewArgs,
        autoencoder: &FrameAutoencoder,
        [channels, height, width]: [usize; 3],
        device: &Device,
    ) -> Self {
        let (size, mut halves) = (data.size(), Vec::new());
        let area = COLOURS * size * size;
        let clips = prepare(data, views, |pixels| {
            for pixels in pixels.chunks(FRAMES_PER_PASS * area) {
                let pixels = TensorData::new(pixels.to_vec(), [pixels.len() / area, COLOURS, size, size]);
                let latents = autoencoder.encode(Tensor::from_data(pixels, device)).into_data();
                halves.extend(latents.iter::<f32>().map(f16::from_f32));
            }
        });
        let shape = [data.frames(), channels, height, width];
        Self { labels: data.labels().len(), shape, clips, samples: Samples::Latents(halves) }
    }

    /// `[frames, channels, height, width]` of a clip.
    pub(super) fn shape(&self) -> [usize; 4] {
        self.shape
    }

    pub(super) fn len(&self) -> usize {
        self.clips.len()
    }

    /// The clip's values in the order of its shape, of pixels in [0, 1].
    fn values(&self, clip: usize) -> Vec<f32> {
        let length: usize = self.shape.iter().product();
        let range = clip * length..(clip + 1) * length;
        match &self.samples {
            Samples::Pixels(bytes) => bytes[range].iter().map(|&byte| f32::from(byte) / 255.0).collect(),
            Samples::Latents(halves) => halves[range].iter().map(|half| half.to_f32()).collect(),
        }
    }

    /// Values of a clip by channel.
    fn by_channel(&self, clip: usize) -> impl Iterator<Item = (usize, f32)> {
        let [_, channels, height, width] = self.shape;
        self.values(clip)
            .into_iter()
            .enumerate()
            .map(move |(index, value)| (index / (height * width) % channels, value))
    }

    /// Clips as they are diffused, `[clips, frames, channels, height, width]`.
    pub(super) fn videos(&self, clips: &[usize], codec: &FrameCodec) -> TensorData {
        let [frames, channels, height, width] = self.shape;
        let normalised = |(channel, value)| codec.normalise(channel, value);
        let values: Vec<f32> = clips.par_iter().flat_map_iter(|&clip| self.by_channel(clip).map(normalised)).collect();
        TensorData::new(values, [clips.len(), frames, channels, height, width])
    }

    /// One-hot labels of the clips, `[clips, labels]`.
    pub(super) fn conditions(&self, clips: &[usize]) -> TensorData {
        let mut values = vec![0.0f32; clips.len() * self.labels];
        for (row, &clip) in clips.iter().enumerate() {
            values[row * self.labels + self.clips[clip]] = 1.0;
        }
        TensorData::new(values, [clips.len(), self.labels])
    }

    /// Mean and deviation of each channel over all clips.
    pub(super) fn statistics(&self) -> [Vec<f32>; 2] {
        let [frames, channels, height, width] = self.shape;
        let (mut sum, mut sum_of_squares) = (vec![0.0f64; channels], vec![0.0f64; channels]);
        for (channel, value) in (0..self.len()).flat_map(|clip| self.by_channel(clip)) {
            let value = f64::from(value);
            sum[channel] += value;
            sum_of_squares[channel] += value * value;
        }
        let count = (self.len() * frames * height * width).max(1) as f64;
        let mean = |channel: usize| sum[channel] / count;
        let variance = |channel: usize| (sum_of_squares[channel] / count - mean(channel).powi(2)).max(0.0);
        let std = |channel: usize| variance(channel).sqrt().max(MIN_STD) as f32;
        [(0..channels).map(|channel| mean(channel) as f32).collect(), (0..channels).map(std).collect()]
    }
}

/// Hands the pixels of all clips in all views to `keep`, some whole clips at a time, and returns their labels.
fn prepare(
    data: &ClipSet,
    ViewArgs { views, max_zoom, sampling }: ViewArgs,
    mut keep: impl FnMut(Vec<f32>),
) -> Vec<usize> {
    let (frames, mut labels) = (data.frames(), Vec::new());
    let progress = Progress::new("preparing clips", data.clip_count() * usize::from(views));
    for (subject, number, view) in data.all_views(usize::from(views), max_zoom).iter().copied() {
        let clips: Vec<Clip<'_>> = data.clips_of(subject).map(|clip| clip.sampled(sampling, number)).collect();
        labels.extend(clips.iter().map(Clip::label));
        progress.inc(clips.len());
        let pixels = clips
            .into_par_iter()
            .flat_map_iter(|clip| (0..frames).flat_map(move |frame| clip.frame_through(view, frame)))
            .collect();
        keep(pixels);
    }
    progress.finish();
    labels
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::native::baseline::AutoencoderConfig;
    use crate::native::data::{DataArgs, SYNTHETIC, Sampling, Split};

    const VIEWS: ViewArgs = ViewArgs { views: 2, max_zoom: 1.5, sampling: Sampling::Uniform };

    fn clips() -> ClipSet {
        DataArgs::default().open(Path::new(SYNTHETIC), None, 16, Some(4), Split::Val).unwrap()
    }

    #[test]
    fn pixels_are_the_clips_and_their_views() {
        let data = clips();
        let set = VideoSet::of_pixels(&data, VIEWS);
        assert_eq!(set.len(), 2 * data.clip_count());
        let first = data.clips().next().unwrap();
        let videos = set.videos(&[0], &FrameCodec::pixels());
        assert_eq!(videos.shape().to_vec(), [1, 4, 3, 16, 16]);
        let furthest = videos.iter::<f32>().zip(first.all_frames()).map(|(x, pixel)| (x - (2.0 * pixel - 1.0)).abs());
        assert!(furthest.fold(0.0, f32::max) <= 1.01 / 255.0, "rounded to bytes");

        let labels = data.labels().len();
        let condition = set.conditions(&[1, 2]).try_to_vec::<f32>().unwrap();
        assert_eq!(
            (condition[set.clips[1]], condition[labels + set.clips[2]], condition.iter().sum::<f32>()),
            (1.0, 1.0, 2.0)
        );
    }

    #[test]
    fn latents_are_diffused_with_unit_variance() {
        let device = Device::flex();
        let small = AutoencoderConfig { block_expansion: 4, max_features: 8, ..AutoencoderConfig::default() };
        // A channel that random weights leave constant has no variance to bring to 1: draw others.
        let drawn = (0..20).find_map(|_| {
            let autoencoder = small.init(&device);
            let set = VideoSet::of_latents(&clips(), VIEWS, &autoencoder, [4; 3], &device);
            let varies = set.statistics()[1].iter().all(|&std| std > MIN_STD as f32);
            varies.then_some((autoencoder, set))
        });
        let (autoencoder, set) = drawn.expect("twenty auto-encoders with a constant channel");
        let codec = FrameCodec::latents(autoencoder, set.statistics());
        let all: Vec<usize> = (0..set.len()).collect();
        let x = Tensor::<5>::from_data(set.videos(&all, &codec), &device);
        assert_eq!(x.dims()[1..], [4, 4, 4, 4]);
        let mean = x.clone().mean_dims(&[0, 1, 3, 4]);
        let variance = (x.clone() * x).mean_dims(&[0, 1, 3, 4]);
        assert!(mean.abs().max().into_scalar::<f32>() < 1e-3);
        assert!((variance - 1.0).abs().max().into_scalar::<f32>() < 1e-2);
    }
}
