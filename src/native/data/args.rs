//! Options that say how clips are read.

use std::path::PathBuf;

use clap::ValueEnum;

use super::{crop::Crop, layouts::Layout, split::Split, tiles::Fit};
use crate::native::numbers;

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
    #[arg(long, value_name = "GIB", default_value_t = 8.0, value_parser = numbers::memory)]
    pub(crate) memory: f64,
}

impl DataArgs {
    /// The same options as words of a command line, with another crop.
    pub(crate) fn words(&self, crop: Option<[f64; 3]>) -> Vec<String> {
        let layout = Some(self.layout).filter(|layout| *layout != Layout::Auto);
        let memory = Some(self.memory).filter(|memory| *memory != Self::default().memory);
        let options = [
            ("--layout", layout.and_then(name_of)),
            ("--fit", self.fit.and_then(name_of)),
            ("--crop", crop.map(|[left, top, side]| format!("{left},{top},{side}"))),
            ("--memory", memory.map(|memory| memory.to_string())),
        ];
        let given = options.into_iter().filter_map(|(option, value)| Some([option.to_owned(), value?]));
        given.flatten().collect()
    }
}

/// What a value is called on the command line.
fn name_of(value: impl ValueEnum) -> Option<String> {
    Some(value.to_possible_value()?.get_name().to_owned())
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

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Words {
        #[command(flatten)]
        args: DataArgs,
    }

    #[test]
    fn options_as_words_are_the_same_options() {
        assert_eq!(DataArgs::default().words(None), Vec::<String>::new());
        let args = DataArgs { layout: Layout::Folders, fit: Some(Fit::Pad), crop: None, memory: 2.5 };
        let words = args.words(Some([0.1, 0.25, 0.5]));
        let again = Words::parse_from([String::new()].into_iter().chain(words)).args;
        assert_eq!((again.layout, again.fit, again.memory), (args.layout, args.fit, args.memory));
        assert_eq!(again.crop, Some([0.1, 0.25, 0.5].into()));
    }
}
