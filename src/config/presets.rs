//! The models that this project ships.

use super::{
    BackgroundConfig, BackgroundMotion, Diffused, DiffusionConfig, FlowConfig, GeneratorConfig, HourglassConfig,
    LfaeConfig, LfdmConfig, Parameterization, RefinementConfig, RegionAffine, RegionConfig, ScheduleKind, Threshold,
    UnetConfig, Upsampling,
};
use crate::motion::FlowResize;

impl LfdmConfig {
    /// 64x64 pixels, 16 frames, motion on a 16x16 grid; a one-hot condition of `labels` numbers.
    pub fn faces_64(labels: usize) -> Self {
        Self { image_size: [64, 64], frames: 16, lfae: faces_lfae(), diffusion: faces_diffusion(labels) }
    }

    /// The paper's size: 128x128 pixels on the flow grid of [`faces_64`](Self::faces_64). A flow at an eighth of
    /// the image still carries the expression and makes the diffusion model four times cheaper. The generator has
    /// one level more; the other networks are those of the smaller model, so training can begin with its weights.
    pub fn faces_128(labels: usize) -> Self {
        let mut config = Self::faces_64(labels);
        config.image_size = [128, 128];
        config.lfae.region.scale_factor /= 2.0;
        config.lfae.flow.scale_factor /= 2.0;
        config.lfae.generator.block_expansion /= 2;
        config.lfae.generator.down_blocks += 1;
        if let Some(refinement) = &mut config.lfae.refinement {
            refinement.scale_factor /= 2.0;
        }
        config
    }

    /// The same model with motion on a grid twice as fine, diffused as wavelets: `lfdm finetune --finer` teaches
    /// stage 1; stage 2 goes on from the coarse model.
    pub fn with_fine_motion(mut self) -> Self {
        if self.lfae.fine_refinement.is_some() {
            return self;
        }
        // It has four times the cells of the first refinement to look at, and less to find.
        let first = self.lfae.refinement.as_ref().map_or(REFINEMENT, |refinement| refinement.hourglass);
        self.lfae.fine_refinement = Some(RefinementConfig {
            hourglass: HourglassConfig { block_expansion: (first.block_expansion / 2).max(4), ..first },
            scale_factor: (8.0 * self.lfae.flow.scale_factor).min(1.0),
            iterations: 2,
        });
        self.diffusion.unet.diffused = match self.diffusion.unet.diffused {
            Diffused::MotionPairs => Diffused::MotionWaveletPairs,
            _ => Diffused::MotionWavelets,
        };
        // Differences between cells have heavier tails: in some clips half a percent of them reach 8 deviations.
        if let Threshold::Dynamic { bound, .. } = &mut self.diffusion.threshold {
            *bound *= 2.0;
        }
        self
    }

    /// The same model whose stage 2 denoises two frames at a time: `lfdm train dm --pairs`.
    pub fn with_frame_pairs(mut self) -> Self {
        let diffused = &mut self.diffusion.unet.diffused;
        *diffused = match *diffused {
            Diffused::Motion => Diffused::MotionPairs,
            Diffused::MotionWavelets => Diffused::MotionWaveletPairs,
            other => other,
        };
        self
    }
}

const REFINEMENT: HourglassConfig = HourglassConfig { block_expansion: 64, blocks: 3, max_features: 128 };

fn faces_lfae() -> LfaeConfig {
    LfaeConfig {
        channels: 3,
        regions: 16,
        revert_axis_swap: true,
        region: RegionConfig {
            hourglass: HourglassConfig { block_expansion: 16, blocks: 3, max_features: 128 },
            temperature: 0.1,
            scale_factor: 0.5,
            padding: 3,
            affine: RegionAffine::Pca,
        },
        background: BackgroundConfig {
            hourglass: HourglassConfig { block_expansion: 8, blocks: 3, max_features: 64 },
            motion: BackgroundMotion::Affine,
        },
        flow: FlowConfig {
            hourglass: HourglassConfig { block_expansion: 32, blocks: 3, max_features: 256 },
            scale_factor: 0.25,
            deformed_source: true,
            covariance_heatmap: true,
            occlusion: true,
            resize: FlowResize::Displacements,
        },
        refinement: Some(RefinementConfig { hourglass: REFINEMENT, scale_factor: 1.0, iterations: 2 }),
        fine_refinement: None,
        generator: GeneratorConfig {
            block_expansion: 32,
            max_features: 128,
            down_blocks: 2,
            bottleneck_blocks: 3,
            skips: true,
            painter: false,
        },
    }
}

fn faces_diffusion(labels: usize) -> DiffusionConfig {
    DiffusionConfig {
        unet: UnetConfig {
            diffused: Diffused::Motion,
            dim: 32,
            dim_mults: vec![1, 2, 4],
            heads: 4,
            head_dim: 32,
            groups: 8,
            init_kernel: 7,
            condition_dim: labels,
            learned_null_condition: false,
            upsampling: Upsampling::NearestZeros,
        },
        timesteps: 1000,
        schedule: ScheduleKind::Cosine,
        parameterization: Parameterization::Velocity,
        threshold: Threshold::DEVIATIONS,
        null_condition_probability: 0.1,
        // Four of the default sampler's eight steps, the second to the fifth.
        guidance_interval: [0.55, 0.95],
        detail_guidance: 1.0,
        affine_guidance: 1.0,
        consistency: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_diffused_in_pairs_if_there_are_no_odd_ones() {
        for (config, channels) in [(LfdmConfig::faces_64(7), 6), (LfdmConfig::faces_128(7).with_fine_motion(), 24)] {
            let mut pairs = config.clone().with_frame_pairs();
            assert_eq!(pairs.validate(), Ok(()));
            assert_eq!(pairs.diffusion.unet.diffused.channels(), channels);
            assert_eq!((config.diffused_frames(), pairs.diffused_frames()), (16, 8));
            assert_eq!(pairs.diffused_size(), config.diffused_size());
            assert_eq!(pairs.clone().with_frame_pairs(), pairs, "no pairs of pairs");
            let json = serde_json::to_string(&pairs).unwrap();
            assert_eq!(serde_json::from_str::<LfdmConfig>(&json).unwrap(), pairs);
            pairs.frames = 15;
            let error = pairs.validate().unwrap_err();
            assert_eq!(error.field, "frames");
            assert!(error.to_string().contains("15"), "{error}");
        }
        let coarse = LfdmConfig::faces_64(7);
        assert_eq!(coarse.clone().with_frame_pairs().with_fine_motion(), coarse.with_fine_motion().with_frame_pairs());
    }

    #[test]
    fn fine_motion_is_diffused_as_wavelets() {
        for config in [LfdmConfig::faces_64(7), LfdmConfig::faces_128(7)] {
            assert_eq!(config.validate(), Ok(()));
            let mut fine = config.clone().with_fine_motion();
            assert_eq!(fine.validate(), Ok(()));
            assert_eq!((fine.flow_size(), fine.diffused_size()), ([32, 32], [16, 16]));
            assert_eq!(fine.clone().with_fine_motion(), fine, "it cannot get finer");
            let json = serde_json::to_string(&fine).unwrap();
            assert_eq!(serde_json::from_str::<LfdmConfig>(&json).unwrap(), fine);
            fine.diffusion.unet.diffused = Diffused::Motion;
            assert_eq!(fine.validate().unwrap_err().field, "diffusion.unet.diffused");
        }
    }
}
