//! Hashes by which a run or a bundle knows again what it was made from.

use std::io;
use std::path::Path;

use anyhow::{Context, Result};
use half::f16;
use sha2::{Digest, Sha256};

use super::whole_file::open_file;
use crate::lfae::{is_decoder, is_lfae};
use crate::weights::{StateDict, is_derived};

/// Hash of the half of an auto-encoder that finds motion and encodes the portrait: what stage 2 learns and is given.
///
/// It is the same for a run in single precision and for its bundle in half precision, and fine-tuning the decoder does
/// not change it. `None` if the networks that find motion are not among the weights.
pub(crate) fn of_motion(weights: &StateDict) -> Option<String> {
    weights.iter().find(|(key, _)| key.starts_with("region_predictor."))?;
    Some(of_weights(weights, |key| is_lfae(key) && !is_decoder(key) && !is_derived(key)))
}

/// Hash of those weights whose key `is_seen`, in half precision.
pub(crate) fn of_weights(weights: &StateDict, is_seen: impl Fn(&str) -> bool) -> String {
    let mut hash = Sha256::new();
    for (key, data) in weights.iter().filter(|(key, _)| is_seen(key)) {
        hash.update(key);
        hash.update(format!("{:?}", data.shape().to_vec()));
        let halves: Vec<u8> = data.iter::<f32>().flat_map(|value| f16::from_f32(value).to_le_bytes()).collect();
        hash.update(halves);
    }
    in_hexadecimal(hash)
}

/// Hash of a file.
pub(crate) fn of_file(path: &Path) -> Result<String> {
    let failed = || format!("cannot read {}", path.display());
    let mut hash = Sha256::new();
    io::copy(&mut open_file(path).with_context(failed)?, &mut hash).with_context(failed)?;
    Ok(in_hexadecimal(hash))
}

/// The result of a hash.
pub(crate) fn in_hexadecimal(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;
    use crate::{config::LfdmConfig, lfae::official_key, weights::WeightDtype, weights::collect_module};

    #[test]
    fn the_half_that_finds_motion_is_known_again() {
        let weights = collect_module(&LfdmConfig::faces_64(2).lfae.init(&Device::flex()), &official_key);
        let hash = of_motion(&weights).unwrap();
        let bytes = weights.to_safetensors(WeightDtype::F16, None).unwrap();
        assert_eq!(of_motion(&StateDict::from_safetensors(&bytes).unwrap()).as_ref(), Some(&hash), "in half precision");

        let with = |key: &str| {
            let mut changed = weights.clone();
            let data = changed.get(key).unwrap();
            let mut values: Vec<f32> = data.iter().collect();
            values[0] += 0.1;
            let shape = data.shape().to_vec();
            changed.insert(key, TensorData::new(values, shape));
            of_motion(&changed).unwrap()
        };
        assert_eq!(with("generator.final.weight"), hash, "the decoder does not count");
        assert_ne!(with("generator.first.conv.weight"), hash, "the encoder does");
        assert_ne!(with("region_predictor.regions.weight"), hash, "finding motion does");
        assert_eq!(of_motion(&weights.filter(|key| key.starts_with("generator."))), None);
    }
}
