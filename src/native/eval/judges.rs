//! The networks that judge clips: the action network, which also names their label, and I3D.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use sha2::{Digest, Sha256};

use super::i3d::{self, I3d};
use crate::native::action_network::{ActionNetwork, ActionOutput};
use crate::native::checkpoint::TrainedModel;
use crate::native::data::ClipSet;
use crate::native::model::read_tensors;
use crate::native::train::classifier::Settings;
use crate::native::video::Video;
use crate::weights::{StateDict, WeightDtype, WeightsError, load_module};

/// A network that has learned what moves in videos.
pub(crate) trait VideoNetwork {
    /// Its name in reports. It tells weights apart, since figures of two networks do not compare.
    fn name(&self) -> &str;

    /// What the network makes of a clip.
    fn predict(&self, video: &Video) -> Result<Prediction>;
}

/// What a network makes of a clip.
pub(crate) struct Prediction {
    pub(crate) features: Vec<f64>,
    /// Index of the label among the data's, if the network names labels. A label that the data
    /// lacks has an index beyond them.
    pub(crate) label: Option<usize>,
}

/// The action network of a run of `lfdm train classifier`.
pub(crate) struct ActionJudge {
    network: ActionNetwork,
    size: usize,
    name: String,
    /// For each label of the network its index among the data's labels, or one beyond them if the
    /// data lacks it.
    labels: Vec<usize>,
    device: Device,
}

impl ActionJudge {
    /// The network of the newest checkpoint of `run`.
    ///
    /// # Errors
    /// A directory that is no such run, or a network that lacks the label of a clip.
    pub(crate) fn open(run: &Path, data: &ClipSet, device: &Device) -> Result<Self> {
        let TrainedModel { step, settings, weights, .. } = TrainedModel::<Settings>::open(run)
            .with_context(|| format!("--classifier {}: not a run of `lfdm train classifier`", run.display()))?;
        let known = &settings.network.labels;
        let labels = data.labels();
        let used: BTreeSet<usize> = data.clips().map(|clip| clip.label()).collect();
        let unknown: Vec<&str> = used
            .into_iter()
            .map(|label| labels[label].as_str())
            .filter(|&label| !known.iter().any(|known| known == label))
            .collect();
        ensure!(
            unknown.is_empty(),
            "the classifier in {} does not know {}; it knows {}. Train one on this data: `lfdm train classifier`",
            run.display(),
            unknown.join(", "),
            known.join(", ")
        );
        let network = load_module(settings.network.init(device), &weights, &str::to_owned)
            .with_context(|| format!("cannot use the classifier in {}", run.display()))?;
        let name = format!(
            "lfdm action network {}, {:.1} M parameters, {step} steps",
            fingerprint(&weights)?,
            network.num_params() as f64 / 1e6
        );
        let index = |known| labels.iter().position(|label| label == known).unwrap_or(labels.len());
        let labels = known.iter().map(index).collect();
        Ok(Self { network, size: settings.network.size, name, labels, device: device.clone() })
    }
}

impl VideoNetwork for ActionJudge {
    fn name(&self) -> &str {
        &self.name
    }

    fn predict(&self, video: &Video) -> Result<Prediction> {
        let pixels = TensorData::new(video.resized([self.size; 2]), [1, video.len(), 3, self.size, self.size]);
        let ActionOutput { features, logits } = self.network.forward(Tensor::from_data(pixels, &self.device));
        let logits: Vec<f32> = logits.try_into_data()?.iter::<f32>().collect();
        let likeliest = (0..logits.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b]));
        Ok(Prediction { features: finite(features, &self.name)?, label: likeliest.map(|label| self.labels[label]) })
    }
}

/// I3D. Its logits are its features, as in the field's Frechet video distance (Unterthiner et al.
/// 2018).
pub(crate) struct I3dJudge {
    network: I3d,
    name: String,
    device: Device,
}

impl I3dJudge {
    /// I3D with the weights of a safetensors file or a PyTorch checkpoint, for clips of `frames`
    /// frames.
    ///
    /// # Errors
    /// No such file, weights of another network, or clips that are too short for it.
    pub(crate) fn open(weights: &Path, frames: usize, device: &Device) -> Result<Self> {
        ensure!(
            frames >= i3d::MIN_FRAMES,
            "--i3d needs clips of at least {} frames, and these have {frames}; leave it out, or train a model of \
             longer clips",
            i3d::MIN_FRAMES
        );
        let tensors = read_tensors(weights)?;
        let network = I3d::new(&tensors, device).with_context(|| {
            format!(
                "--i3d {}: not the weights of I3D under PyTorch's keys (rgb_imagenet.pt of pytorch-i3d, \
                 i3d_pretrained_400.pt of FVD)",
                weights.display()
            )
        })?;
        let name = format!("I3D {}, {} logits", fingerprint(&tensors)?, network.actions());
        Ok(Self { network, name, device: device.clone() })
    }
}

impl VideoNetwork for I3dJudge {
    fn name(&self) -> &str {
        &self.name
    }

    fn predict(&self, video: &Video) -> Result<Prediction> {
        let side = i3d::SIZE;
        let pixels = TensorData::new(video.resized([side; 2]), [1, video.len(), 3, side, side]);
        let clip = Tensor::<5>::from_data(pixels, &self.device).swap_dims(1, 2) * 2.0 - 1.0;
        Ok(Prediction { features: finite(self.network.forward(clip), &self.name)?, label: None })
    }
}

/// The values of a feature tensor.
///
/// # Errors
/// Values that are not finite, whose Gaussian would have no distance.
fn finite<const D: usize>(features: Tensor<D>, name: &str) -> Result<Vec<f64>> {
    let values: Vec<f64> = features.try_into_data()?.iter::<f32>().map(f64::from).collect();
    ensure!(
        values.iter().all(|value| value.is_finite()),
        "{name} gives features that are not numbers; its weights are damaged"
    );
    Ok(values)
}

/// The beginning of the SHA-256 of weights.
fn fingerprint(weights: &StateDict) -> Result<String, WeightsError> {
    let digest = Sha256::digest(weights.to_safetensors(WeightDtype::F32, None)?);
    Ok(digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn i3d_comes_from_a_file_and_refuses_short_clips() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("i3d.safetensors");
        fs::write(&path, i3d::tests::weights().to_safetensors(WeightDtype::F32, None).unwrap()).unwrap();
        let device = Device::flex();
        let open = |frames| I3dJudge::open(&path, frames, &device);
        let judge = open(i3d::MIN_FRAMES).unwrap();
        assert!(judge.name().starts_with("I3D ") && judge.name().ends_with(", 5 logits"), "{}", judge.name());
        let still = Video::new(32, vec![0.5; i3d::MIN_FRAMES * 3 * 32 * 32]);
        let Prediction { features, label } = judge.predict(&still).unwrap();
        assert_eq!((features.len(), label), (5, None));

        let message = |opened: Result<I3dJudge>| format!("{:#}", opened.err().unwrap());
        assert!(message(open(8)).contains("at least 9 frames, and these have 8"));
        fs::write(&path, StateDict::default().to_safetensors(WeightDtype::F32, None).unwrap()).unwrap();
        let message = message(open(16));
        assert!(message.contains("not the weights of I3D") && message.contains("missing Conv3d_1a_7x7"), "{message}");
    }
}
