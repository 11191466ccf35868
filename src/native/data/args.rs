//! Options that say how clips are read.

use std::path::PathBuf;

use super::{crop::Crop, layouts::Layout, split::Split, tiles::Fit};

/// How clips are read from a directory.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct DataArgs {
    /// How the directory of `--data` is laid out.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) layout: Layout,
    /// How frames become squares [default: pad for the three data sets of the paper, as there; crop
    /// for others]
    #[arg(long, value_enum)]
    pub(crate) fit: Option<Fit>,
    /// Use only a square part of every frame, given as LEFT,TOP,SIDE in shares of its side, such as
    /// 0.2,0.25,0.6. Faces should fill it.
    #[arg(long, value_name = "LEFT,TOP,SIDE")]
    pub(crate) crop: Option<Crop>,
    /// Memory for the clips of a split, in GiB. Long clips keep fewer frames, evenly spaced, to fit; sheets stay packed
    /// and are unpacked again and again.
    #[arg(long, value_name = "GIB", default_value_t = 8.0)]
    pub(crate) memory: f64,
}

impl Default for DataArgs {
    fn default() -> Self {
        Self { layout: Layout::Auto, fit: None, crop: None, memory: 8.0 }
    }
}

/// Which clips a command looks at.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct SplitArgs {
    /// Directory of clips, in any form that training takes.
    #[arg(long)]
    pub(crate) data: PathBuf,
    #[command(flatten)]
    pub(super) reading: DataArgs,
    /// Whose clips to use.
    #[arg(long, value_enum, default_value_t = Split::Val)]
    pub(crate) split: Split,
}
