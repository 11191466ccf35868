//! Whether all networks of a model can see its images, and how large what they make of them is.

use std::ops::RangeInclusive;

use super::bounds::{count, within};
use super::{ConfigError, LfdmConfig, UnetConfig};

/// Sides of images in pixels.
pub(crate) const SIDES: RangeInclusive<usize> = 16..=1024;
/// Frames of a video.
const FRAMES: RangeInclusive<usize> = 1..=512;

impl LfdmConfig {
    /// Checks that all networks can see the images, and what they make of them.
    pub(super) fn validate_sizes(&self) -> Result<(), ConfigError> {
        let Self { lfae, diffusion, .. } = self;
        for side in self.image_size {
            within("image_size", side, &SIDES)?;
        }
        within("frames", self.frames, &FRAMES)?;

        self.divides("image_size", 1.0, lfae.generator.down_blocks)?;
        self.divides("lfae.region", lfae.region.scale_factor, lfae.region.hourglass.blocks)?;
        self.divides("lfae.flow", lfae.flow.scale_factor, lfae.flow.hourglass.blocks)?;
        self.divides("lfae.background", 1.0, lfae.background.hourglass.blocks.min(4))?;
        for (path, refinement, grid) in [
            ("lfae.refinement", &lfae.refinement, lfae.flow.scale_factor),
            ("lfae.fine_refinement", &lfae.fine_refinement, lfae.motion_scale()),
        ] {
            if let Some(refinement) = refinement {
                self.divides(path, grid, refinement.hourglass.blocks)?;
                self.divides(path, refinement.scale_factor, 0)?;
            }
        }
        let smallest = self.image_size[0].min(self.image_size[1]);
        if smallest >> lfae.background.hourglass.blocks == 0 {
            let problem = "halves the image more often than it can be halved";
            return Err(ConfigError::new("lfae.background.hourglass.blocks", problem));
        }
        let heat_map = smallest as f64 * lfae.region.scale_factor + 2.0 * lfae.region.padding as f64;
        if heat_map < 7.0 {
            let problem = "leaves nothing of the heat maps, whose convolution takes 6 cells away; 3 keeps their size";
            return Err(ConfigError::new("lfae.region.padding", problem));
        }

        let area = |[height, width]: [usize; 2]| (height * width) as f64;
        let pixels = area(self.image_size);
        count("lfae.generator.block_expansion", "a map", pixels * lfae.generator.block_expansion as f64)?;
        count(
            "lfae.regions",
            "maps of all regions",
            pixels * lfae.flow.scale_factor.powi(2) * 3.0 * lfae.regions as f64,
        )?;

        let unet = &diffusion.unet;
        if self.flow_size().iter().any(|side| !side.is_multiple_of(unet.diffused.cells())) {
            return Err(ConfigError::new("diffusion.unet.diffused", "as wavelets needs a motion grid with even sides"));
        }
        let levels = unet.dim_mults.len() - 1;
        let grid = self.diffused_size();
        if grid.iter().any(|side| *side == 0 || !side.is_multiple_of(1 << levels)) {
            let [height, width] = grid;
            let problem = format!(
                "halves a grid of {height}x{width} cells {levels} times, which both sides must be divisible by"
            );
            return Err(ConfigError::new("diffusion.unet.dim_mults", problem));
        }
        unet.validate_maps("diffusion.unet.dim", "diffusion.unet.heads", grid, self.diffused_frames())
    }

    /// Checks that what a network sees at `scale` has whole cells, and that they can be halved `halvings` times.
    fn divides(&self, path: &str, scale: f64, halvings: usize) -> Result<(), ConfigError> {
        for side in self.image_size {
            let cells = side as f64 * scale;
            if cells.fract() != 0.0 || !(cells as usize).is_multiple_of(1 << halvings) {
                let problem = format!(
                    "sees {side} pixels at a scale of {scale} and halves them {halvings} times; choose an image side \
                     that is a multiple of {}",
                    (f64::from(1 << halvings) / scale).round()
                );
                return Err(ConfigError::new(path, problem));
            }
        }
        Ok(())
    }
}

impl UnetConfig {
    /// Checks what the network makes of `frames` frames of `grid` cells. `maps` and `heads` are named as the reasons.
    pub(crate) fn validate_maps(
        &self,
        maps: &str,
        heads: &str,
        [height, width]: [usize; 2],
        frames: usize,
    ) -> Result<(), ConfigError> {
        let [cells, frames] = [(height * width) as f64, frames as f64];
        count(maps, "maps of all frames", cells * frames * self.dim as f64)?;
        let levels = self.dim_mults.len().saturating_sub(1);
        let deepest = cells / 4f64.powi(levels as i32);
        count(heads, "attention between cells", deepest * deepest * frames * self.heads as f64)?;
        count(heads, "attention between frames", frames * frames * cells * self.heads as f64)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Every number of a configuration, by its JSON pointer.
    fn numbers(path: &str, value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(section) => {
                section.iter().for_each(|(key, value)| numbers(&format!("{path}/{key}"), value, found));
            }
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(i, value)| numbers(&format!("{path}/{i}"), value, found));
            }
            Value::Number(_) => found.push(path.to_owned()),
            _ => {}
        }
    }

    #[test]
    fn every_number_is_bounded_and_named() {
        for config in [LfdmConfig::faces_64(7), LfdmConfig::faces_128(7).with_fine_motion()] {
            assert_eq!(config.validate(), Ok(()));
            let json = serde_json::to_value(&config).unwrap();
            let mut paths = Vec::new();
            numbers("", &json, &mut paths);
            assert!(paths.len() > 30, "{paths:?}");
            for path in paths {
                let mut changed = json.clone();
                let is_whole = changed.pointer(&path).unwrap().is_u64();
                *changed.pointer_mut(&path).unwrap() = if is_whole { json!(1u64 << 40) } else { json!(1e12) };
                let config: LfdmConfig = serde_json::from_value(changed).unwrap();
                let error = config.validate().err().unwrap_or_else(|| panic!("{path} can be 2^40"));
                let last = path.rsplit('/').find(|name| name.parse::<usize>().is_err()).unwrap();
                assert!(error.to_string().contains(last), "{path}: {error}");
            }
        }
    }

    #[test]
    fn sizes_that_no_network_can_halve_are_refused() {
        let with = |change: fn(&mut LfdmConfig)| {
            let mut config = LfdmConfig::faces_64(7);
            change(&mut config);
            config.validate().map_err(|error| error.field).unwrap_err()
        };
        assert_eq!(with(|config| config.image_size = [65, 65]), "image_size");
        assert_eq!(with(|config| config.frames = 0), "frames");
        assert_eq!(with(|config| config.diffusion.unet.dim_mults = vec![]), "diffusion.unet.dim_mults");
        assert_eq!(with(|config| config.diffusion.unet.dim_mults = vec![1; 6]), "diffusion.unet.dim_mults");
        assert_eq!(with(|config| config.diffusion.unet.groups = 5), "diffusion.unet.groups");
        assert_eq!(with(|config| config.diffusion.unet.head_dim = 7), "diffusion.unet.head_dim");
        assert_eq!(with(|config| config.diffusion.unet.init_kernel = 4), "diffusion.unet.init_kernel");
        assert_eq!(with(|config| config.lfae.channels = 4), "lfae.channels");
        assert_eq!(with(|config| config.lfae.region.temperature = 0.0), "lfae.region.temperature");
        assert_eq!(with(|config| config.lfae.region.hourglass.blocks = 7), "lfae.region");
    }
}
