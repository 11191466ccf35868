//! The networks that look at clips: the action network, which also names their label, and I3D.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use sha2::{Digest, Sha256};

use crate::native::action::{ActionNetwork, Judgement};
use crate::native::checkpoint::TrainedModel;
use crate::native::data::ClipSet;
use crate::native::i3d::{self, I3d};
use crate::native::model::read_tensors;
use crate::native::train::classifier::Settings;
use crate::native::video::Video;
use crate::weights::{StateDict, WeightDtype, WeightsError, load_module};

/// A network that has learned what moves in videos.
pub(crate) trait VideoNetwork {
    /// What stands beside every figure that rests on it: figures of two networks do not compare.
    fn name(&self) -> &str;

    fn look(&self, video: &Video) -> Result<Impression>;
}

/// What a network makes of a clip.
pub(crate) struct Impression {
    pub features: Vec<f64>,
    /// Index of the label, if the network names one; beyond the data's labels for any other that it has learned.
    pub label: Option<usize>,
}

/// The action network of a run of `lfdm train classifier`.
pub(crate) struct ActionJudge {
    network: ActionNetwork,
    size: usize,
    name: String,
    /// The data's index of each of the network's labels; beyond them for one that the data lacks.
    labels: Vec<usize>,
    device: Device,
}

impl ActionJudge {
    /// # Errors
    /// No such run, or one whose network lacks the label of a clip.
    pub(crate) fn open(run: &Path, data: &ClipSet, device: &Device) -> Result<Self> {
        let TrainedModel { step, settings, weights, .. } = TrainedModel::<Settings>::open(run)
            .with_context(|| format!("--classifier {}: not a run of `lfdm train classifier`", run.display()))?;
        let known = &settings.network.labels;
        let labels = data.labels();
        let shown: BTreeSet<usize> = data.clips().map(|clip| clip.label()).collect();
        let unknown: Vec<&str> = shown
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

    fn look(&self, video: &Video) -> Result<Impression> {
        let pixels = TensorData::new(video.resized([self.size; 2]), [1, video.len(), 3, self.size, self.size]);
        let Judgement { features, logits } = self.network.forward(Tensor::from_data(pixels, &self.device));
        let logits: Vec<f32> = logits.try_into_data()?.iter::<f32>().collect();
        let said = (0..logits.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b]));
        Ok(Impression { features: finite(features, &self.name)?, label: said.map(|said| self.labels[said]) })
    }
}

/// I3D, whose features are its logits, as the field's Frechet video distance has them (Unterthiner et al. 2018).
pub(crate) struct I3dJudge {
    network: I3d,
    name: String,
    device: Device,
}

impl I3dJudge {
    /// `weights`: a safetensors file or a PyTorch checkpoint. `frames`: of the clips that it will see.
    ///
    /// # Errors
    /// No such file, weights of another network, or clips that are too short for it.
    pub(crate) fn open(weights: &Path, frames: usize, device: &Device) -> Result<Self> {
        ensure!(
            frames >= i3d::MIN_FRAMES,
            "--i3d looks at clips of {} frames or more, and these have {frames}; leave it out, or train a model of longer clips",
            i3d::MIN_FRAMES
        );
        let tensors = read_tensors(weights)?;
        let network = I3d::new(&tensors, device).with_context(|| {
            format!(
                "--i3d {}: not the weights of I3D under PyTorch's keys (rgb_imagenet.pt of pytorch-i3d, i3d_pretrained_400.pt of FVD)",
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

    fn look(&self, video: &Video) -> Result<Impression> {
        let side = i3d::SIZE;
        let pixels = TensorData::new(video.resized([side; 2]), [1, video.len(), 3, side, side]);
        let clip = Tensor::<5>::from_data(pixels, &self.device).swap_dims(1, 2) * 2.0 - 1.0;
        Ok(Impression { features: finite(self.network.forward(clip), &self.name)?, label: None })
    }
}

/// The values of a feature tensor; a Gaussian of values that are not numbers has no distance.
pub(crate) fn finite<const D: usize>(features: Tensor<D>, name: &str) -> Result<Vec<f64>> {
    let values: Vec<f64> = features.try_into_data()?.iter::<f32>().map(f64::from).collect();
    ensure!(values.iter().all(|value| value.is_finite()), "{name}: features are not numbers; its weights are damaged");
    Ok(values)
}

/// The beginning of a SHA-256 of weights.
pub(crate) fn fingerprint(weights: &StateDict) -> Result<String, WeightsError> {
    let digest = Sha256::digest(weights.to_safetensors(WeightDtype::F32, None)?);
    Ok(digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn i3d_comes_from_a_file_and_says_what_it_cannot_look_at() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("i3d.safetensors");
        fs::write(&path, i3d::tests::weights().to_safetensors(WeightDtype::F32, None).unwrap()).unwrap();
        let device = Device::flex();
        let open = |frames| I3dJudge::open(&path, frames, &device);
        let judge = open(i3d::MIN_FRAMES).unwrap();
        assert!(judge.name().starts_with("I3D ") && judge.name().ends_with(", 5 logits"), "{}", judge.name());
        let still = Video::new(32, vec![0.5; i3d::MIN_FRAMES * 3 * 32 * 32]);
        let Impression { features, label } = judge.look(&still).unwrap();
        assert_eq!((features.len(), label), (5, None));

        let message = |opened: Result<I3dJudge>| format!("{:#}", opened.err().unwrap());
        assert!(message(open(8)).contains("clips of 9 frames or more, and these have 8"));
        fs::write(&path, StateDict::default().to_safetensors(WeightDtype::F32, None).unwrap()).unwrap();
        let message = message(open(16));
        assert!(message.contains("not the weights of I3D") && message.contains("missing Conv3d_1a_7x7"), "{message}");
    }
}
