//! The weights that a network begins with if it has more, or fewer, parts than the one whose
//! weights it gets.

use burn::tensor::TensorData;

use crate::config::Diffused;
use crate::lfae::{FINE_REFINEMENT, PAINTER};
use crate::weights::StateDict;

/// Weights of stage 1, for a model that may have one more level of the generator, and refinements
/// or a painter that the other lacks, or the other way round.
///
/// The levels of the other lie inside the deeper generator, and the outermost stay as `fresh` drew
/// them, so the training of a model of twice the size begins with what the smaller one has learned.
/// Fresh refinements and a fresh painter change nothing yet; those that the model does not have are
/// left behind.
pub(super) fn adapt_lfae(weights: StateDict, fresh: &StateDict) -> StateDict {
    let is_deeper = levels(fresh) == levels(&weights) + 1;
    let outermost_mask = format!("{PAINTER}masks.{}.", levels(&weights) + 1);
    let is_outermost =
        |key: &str| OUTERMOST.iter().any(|prefix| key.starts_with(prefix)) || key.starts_with(&outermost_mask);
    let mut adapted = fresh.clone().filter(|key| is_deeper || is_addition(key));
    for (key, data) in weights.iter() {
        if is_addition(key) && fresh.get(key).is_none() {
            continue;
        }
        if !is_deeper {
            adapted.insert(key, data.clone());
        } else if !is_outermost(key) {
            adapted.insert(one_level_down(key).unwrap_or_else(|| key.to_owned()), data.clone());
        }
    }
    // A painter of coarser motion knows the means of a finer one.
    let means: Vec<_> = (0..=FLOW).map(|channel| (channel, channel)).collect();
    embed(&mut adapted, fresh, &format!("{PAINTER}motion.weight"), 1, &means);
    adapted
}

const DOWN: &str = "generator.down_blocks.";
const OUTERMOST: [&str; 2] = ["generator.first.", "generator.final."];

/// Levels of the generator.
fn levels(weights: &StateDict) -> usize {
    let has_level = |level: &usize| weights.get(&format!("{DOWN}{level}.conv.weight")).is_some();
    (0..weights.len()).take_while(has_level).count()
}

/// Whether a parameter is of a part that some models have and others lack.
fn is_addition(key: &str) -> bool {
    ["refinement.", FINE_REFINEMENT, PAINTER].iter().any(|prefix| key.starts_with(prefix))
}

/// The key of a down block in a generator with another level around it.
fn one_level_down(key: &str) -> Option<String> {
    let (level, rest) = key.strip_prefix(DOWN)?.split_once('.')?;
    Some(format!("{DOWN}{}.{rest}", level.parse::<usize>().ok()? + 1))
}

/// Weights of a network that denoises motion or wavelets of it, for one that denoises other ones: what
/// one knows of a band, the other knows of the same band. Bands that only the other has are as `fresh`
/// drew them, and those that it lacks are left behind.
pub(super) fn adapt_denoiser(mut weights: StateDict, fresh: &StateDict) -> StateDict {
    const INPUT: &str = "denoise_fn.init_conv.weight";
    /// With their planes of motion.
    const OUTPUTS: [(&str, usize); 2] = [("denoise_fn.final_conv.1.", FLOW), ("denoise_fn.occlusion_map.1.", 1)];
    let (Some(from), Some(to)) = (diffused(&weights), diffused(fresh)) else { return weights };
    // The channels of the flow, then those of the occlusion, then the reference's latent.
    let after = |planes: usize| move |(known, new)| (known + planes * bands(from), new + planes * bands(to));
    let latent = weights.get(INPUT).map_or(0, |weight| weight.shape()[1].saturating_sub(from.channels()));
    let of_occlusion = shared_channels(1, from, to).into_iter().map(after(FLOW));
    let of_latent = (0..latent).map(|channel| (channel, channel)).map(after(FLOW + 1));
    let inputs: Vec<_> = shared_channels(FLOW, from, to).into_iter().chain(of_occlusion).chain(of_latent).collect();
    embed(&mut weights, fresh, INPUT, 1, &inputs);
    for (output, planes) in OUTPUTS {
        for parameter in ["weight", "bias"] {
            let key = format!("{output}{parameter}");
            embed(&mut weights, fresh, &key, 0, &shared_channels(planes, from, to));
        }
    }
    forget_conditions(&mut weights, fresh);
    weights
}

/// Where conditions have another length, keeps what the network knows of times, and takes what it knows of conditions
/// from `fresh`: other labels mean other things.
fn forget_conditions(weights: &mut StateDict, fresh: &StateDict) {
    const NULL: &str = "denoise_fn.null_cond_emb";
    let Some(times) = weights.get("denoise_fn.time_mlp.3.bias").map(TensorData::num_elements) else { return };
    let shape = |dict: &StateDict, key: &str| dict.get(key).map(|data| data.shape().to_vec());
    for (key, wanted) in fresh.iter() {
        let (known, to) = (shape(weights, key), wanted.shape().to_vec());
        if known.as_ref().is_none_or(|known| *known == to) {
            continue;
        }
        if key == NULL {
            weights.insert(key, wanted.clone());
        } else if key.ends_with(".mlp.1.weight") {
            // `[features, times and condition]`
            embed_columns(weights, wanted, key, times);
        }
    }
}

/// Puts the first `kept` columns of the matrix `key` of `weights` in place of those of `wanted`.
fn embed_columns(weights: &mut StateDict, wanted: &TensorData, key: &str, kept: usize) {
    let Some(known) = weights.get(key) else { return };
    let (from, to) = (known.shape().to_vec(), wanted.shape().to_vec());
    if from.len() != 2 || to.len() != 2 || from[0] != to[0] || from[1].min(to[1]) < kept {
        return;
    }
    let (known, mut values): (Vec<f32>, Vec<f32>) = (known.iter().collect(), wanted.iter().collect());
    for (target, source) in values.chunks_exact_mut(to[1]).zip(known.chunks_exact(from[1])) {
        target[..kept].copy_from_slice(&source[..kept]);
    }
    weights.insert(key, TensorData::new(values, to));
}

/// Planes of the flow.
const FLOW: usize = 2;

/// What a network of motion denoises, by the channels of its occlusion, which is one plane.
fn diffused(weights: &StateDict) -> Option<Diffused> {
    let count = weights.get("denoise_fn.occlusion_map.1.bias")?.shape()[0];
    Diffused::MOTION.into_iter().find(|&diffused| bands(diffused) == count)
}

/// Channels of each plane.
fn bands(diffused: Diffused) -> usize {
    diffused.channels() / (FLOW + 1)
}

/// Where the channels of `planes` planes that both networks denoise stand in either.
fn shared_channels(planes: usize, from: Diffused, to: Diffused) -> Vec<(usize, usize)> {
    let over_grid = |diffused: Diffused| diffused.cells() * diffused.cells();
    let place = |diffused, [frame, cell, plane]: [usize; 3]| (frame * over_grid(diffused) + cell) * planes + plane;
    let frames = 0..from.frames().min(to.frames());
    let bands = frames.flat_map(|frame| (0..over_grid(from).min(over_grid(to))).map(move |cell| [frame, cell]));
    bands
        .flat_map(|[frame, cell]| (0..planes).map(move |plane| [frame, cell, plane]))
        .map(|band| (place(from, band), place(to, band)))
        .collect()
}

/// Puts slices of the parameter `key` of `weights` into that of `fresh`, if the two differ in their
/// length along `axis` alone: each slice goes from the first place of a pair in `places` to the second.
fn embed(weights: &mut StateDict, fresh: &StateDict, key: &str, axis: usize, places: &[(usize, usize)]) {
    let (Some(known), Some(wanted)) = (weights.get(key), fresh.get(key)) else { return };
    let (from, to) = (known.shape().to_vec(), wanted.shape().to_vec());
    if from.len() != to.len() || (0..from.len()).any(|i| (from[i] == to[i]) == (i == axis)) {
        return;
    }
    let slice: usize = from[axis + 1..].iter().product();
    let (known, mut values): (Vec<f32>, Vec<f32>) = (known.iter().collect(), wanted.iter().collect());
    for outer in 0..from[..axis].iter().product() {
        for &(source, target) in places.iter().filter(|(source, target)| *source < from[axis] && *target < to[axis]) {
            let (source, target) = ((outer * from[axis] + source) * slice, (outer * to[axis] + target) * slice);
            values[target..target + slice].copy_from_slice(&known[source..source + slice]);
        }
    }
    weights.insert(key, TensorData::new(values, to));
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::config::LfdmConfig;
    use crate::lfae::official_key;
    use crate::weights::{collect_module, load_module};

    #[test]
    fn weights_of_a_smaller_model_lie_inside_the_larger_one() {
        let device = Device::flex();
        let (mut small, mut large) = (LfdmConfig::faces_64(3).lfae, LfdmConfig::faces_128(3).lfae);
        for config in [&mut small, &mut large] {
            config.generator.painter = true;
        }
        let weights = collect_module(&small.init(&device), &official_key);
        let fresh = collect_module(&large.init(&device), &official_key);
        let deeper = adapt_lfae(weights.clone(), &fresh);
        let same = |large: &str, small: &str| deeper.get(large) == weights.get(small);
        assert!(same("generator.down_blocks.2.conv.weight", "generator.down_blocks.1.conv.weight"));
        assert!(same("generator.up_blocks.1.conv.weight", "generator.up_blocks.1.conv.weight"));
        assert!(same("region_predictor.regions.weight", "region_predictor.regions.weight"));
        for outermost in ["first.conv", "final", "down_blocks.0.conv", "up_blocks.2.conv"] {
            let key = format!("generator.{outermost}.weight");
            assert_eq!(deeper.get(&key), fresh.get(&key), "{key}");
        }
        assert!(load_module(large.init(&device), &deeper, &official_key).is_ok());
        assert_eq!(adapt_lfae(fresh.clone(), &fresh).len(), fresh.len());

        let older = weights.clone().filter(|key| !key.starts_with("refinement.") && !key.starts_with(PAINTER));
        assert!(older.len() < weights.len());
        assert!(load_module(small.init(&device), &adapt_lfae(older, &weights), &official_key).is_ok());
    }

    #[test]
    fn a_denoiser_of_wavelets_begins_with_what_one_of_motion_knows() {
        let device = Device::flex();
        let mut config = LfdmConfig::faces_64(3).diffusion;
        let key = crate::diffusion::official_key;
        let known = collect_module(&config.init(4, &device), &key);
        config.unet.diffused = Diffused::MotionWavelets;
        let fresh = collect_module(&config.init(4, &device), &key);
        let begun = adapt_denoiser(known.clone(), &fresh);
        assert!(load_module(config.init(4, &device), &begun, &key).is_ok());
        let row = |dict: &StateDict, key: &str, axis: usize, index: usize| {
            let data = dict.get(&format!("denoise_fn.{key}")).unwrap();
            let shape = data.shape().to_vec();
            let inner: usize = shape[axis + 1..].iter().product();
            let is_in_row = |place: usize| place / inner % shape[axis] == index;
            data.iter::<f32>().enumerate().filter_map(|(i, x)| is_in_row(i).then_some(x)).collect::<Vec<f32>>()
        };
        // Flow x and y; occlusion; the latent.
        for (of_motion, of_wavelets) in [(0, 0), (1, 1), (2, 8), (3, 12), (6, 15)] {
            let key = "init_conv.weight";
            assert_eq!(row(&begun, key, 1, of_wavelets), row(&known, key, 1, of_motion));
        }
        for (key, of_motion, drawn) in [("final_conv.1.weight", 1, 2), ("occlusion_map.1.weight", 0, 3)] {
            assert_eq!(row(&begun, key, 0, of_motion), row(&known, key, 0, of_motion));
            assert_eq!(row(&begun, key, 0, drawn), row(&fresh, key, 0, drawn));
        }
        assert_eq!(adapt_denoiser(fresh.clone(), &fresh).len(), fresh.len());

        let back = adapt_denoiser(begun, &known);
        assert!(known.iter().all(|(key, data)| back.get(key) == Some(data)), "the motion's part comes back as it was");
    }

    #[test]
    fn a_denoiser_of_pairs_begins_with_what_one_of_frames_knows_and_gives_it_back() {
        const KEYS: [&str; 5] = [
            "init_conv.weight",
            "final_conv.1.weight",
            "final_conv.1.bias",
            "occlusion_map.1.weight",
            "occlusion_map.1.bias",
        ];
        let device = Device::flex();
        let key = crate::diffusion::official_key;
        let weights = |diffused| {
            let mut config = LfdmConfig::faces_64(3).diffusion;
            config.unet.diffused = diffused;
            collect_module(&config.init(4, &device), &key)
        };
        let rows = |dict: &StateDict, key: &str, axis: usize, rows: &[usize]| {
            let data = dict.get(&format!("denoise_fn.{key}")).unwrap();
            let shape = data.shape().to_vec();
            let inner: usize = shape[axis + 1..].iter().product();
            let values: Vec<f32> = data.iter().collect();
            let row = |row: usize| {
                let is_in_row = move |place: usize| place / inner % shape[axis] == row;
                values.iter().enumerate().filter_map(|(i, x)| is_in_row(i).then_some(*x)).collect::<Vec<f32>>()
            };
            rows.iter().map(|&index| row.clone()(index)).collect::<Vec<_>>()
        };
        for (frames, pairs, inputs, flow, occlusion) in [
            // Flow x and y and their differences, occlusion and its difference, the latent.
            (Diffused::Motion, Diffused::MotionPairs, vec![0, 1, 4, 6, 7, 8, 9], 2, 1),
            (
                Diffused::MotionWavelets,
                Diffused::MotionWaveletPairs,
                (0..8).chain(16..20).chain(24..28).collect(),
                8,
                4,
            ),
        ] {
            let (known, fresh) = (weights(frames), weights(pairs));
            let begun = adapt_denoiser(known.clone(), &fresh);
            let all: Vec<usize> = (0..inputs.len()).collect();
            assert_eq!(rows(&begun, KEYS[0], 1, &inputs), rows(&known, KEYS[0], 1, &all));
            for (keys, means) in [(&KEYS[1..3], flow), (&KEYS[3..5], occlusion)] {
                let (means, differences): (Vec<usize>, Vec<usize>) =
                    ((0..means).collect(), (means..2 * means).collect());
                for key in keys {
                    assert_eq!(rows(&begun, key, 0, &means), rows(&known, key, 0, &means), "{key}");
                    assert_eq!(rows(&begun, key, 0, &differences), rows(&fresh, key, 0, &differences), "{key}");
                }
            }
            let back = adapt_denoiser(begun, &known);
            assert!(known.iter().all(|(key, data)| back.get(key) == Some(data)), "the means come back as they were");
        }
    }

    #[test]
    fn other_labels_keep_all_but_the_conditions() {
        let device = Device::flex();
        let key = crate::diffusion::official_key;
        let [known, fresh] =
            [7, 2].map(|labels| collect_module(&LfdmConfig::faces_64(labels).diffusion.init(4, &device), &key));
        let begun = adapt_denoiser(known.clone(), &fresh);
        assert!(load_module(LfdmConfig::faces_64(2).diffusion.init(4, &device), &begun, &key).is_ok());
        let changed: Vec<&str> =
            begun.iter().filter(|(key, data)| known.get(key) != Some(data)).map(|(key, _)| key).collect();
        assert!(
            changed.iter().all(|key| key.ends_with(".mlp.1.weight") || key.ends_with("null_cond_emb")),
            "{changed:?}"
        );
        let first_row =
            |dict: &StateDict| dict.get("denoise_fn.downs.0.0.mlp.1.weight").unwrap().iter::<f32>().collect::<Vec<_>>();
        let times = known.get("denoise_fn.time_mlp.3.bias").unwrap().num_elements();
        assert_eq!(first_row(&begun)[..times], first_row(&known)[..times]);
        assert_eq!(first_row(&begun)[times..times + 2], first_row(&fresh)[times..times + 2]);
    }

    #[test]
    fn what_a_plainer_model_has_not_stays_behind() {
        let device = Device::flex();
        let plain = LfdmConfig::faces_64(3).lfae;
        let mut rich = LfdmConfig::faces_64(3).with_fine_motion().lfae;
        rich.generator.painter = true;
        let [weights, fresh] = [rich, plain.clone()].map(|config| collect_module(&config.init(&device), &official_key));
        let begun = adapt_lfae(weights.clone(), &fresh);
        assert!(load_module(plain.init(&device), &begun, &official_key).is_ok());
        assert!(begun.iter().all(|(key, data)| weights.get(key) == Some(data)));
    }
}
