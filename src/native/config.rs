//! `lfdm config`: a configuration to begin one's own with.

use anyhow::Result;
use serde_json::to_string_pretty;

use super::preset::Preset;
use super::printable::say;

/// Options of `lfdm config`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// The model whose configuration it is.
    #[arg(long, value_enum, default_value_t)]
    preset: Preset,
    /// Only stage 2, which `lfdm train dm --config` takes [default: all, which `lfdm train lfae --config` takes]
    #[arg(long)]
    diffusion: bool,
    /// Labels of the clips.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..))]
    labels: u16,
    /// Frames of a clip.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(2..=512))]
    frames: u16,
}

/// Prints the configuration as JSON.
pub(crate) fn run(args: &Args) -> Result<()> {
    say(&template(args)?)?;
    Ok(())
}

fn template(args: &Args) -> Result<String> {
    let mut config = args.preset.config(args.labels.into());
    config.frames = args.frames.into();
    Ok(if args.diffusion { to_string_pretty(&config.diffusion)? } else { to_string_pretty(&config)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{DiffusionConfig, LfdmConfig};

    #[test]
    fn templates_are_configurations() {
        for preset in [Preset::Faces64, Preset::Faces128] {
            let mut args = Args { preset, diffusion: false, labels: 2, frames: 12 };
            let config: LfdmConfig = serde_json::from_str(&template(&args).unwrap()).unwrap();
            assert_eq!(config.validate(), Ok(()));
            assert_eq!((config.frames, config.diffusion.unet.condition_dim), (12, 2));
            args.diffusion = true;
            assert_eq!(serde_json::from_str::<DiffusionConfig>(&template(&args).unwrap()).unwrap(), config.diffusion);
        }
    }
}
