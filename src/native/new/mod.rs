//! `lfdm new`: from a folder of clips to a script that makes a model of them.
//!
//! It reads the clips as training will, looks for faces in their first frames to propose a crop ([`crop`]), writes the
//! script ([`script`]) and rehearses it for a few steps ([`rehearsal`]), which shows how long it will take and whether
//! anything will be refused. The directory appears when all of that has gone well.

mod crop;
mod rehearsal;
mod script;

use std::{
    fs,
    path::{Path, PathBuf, absolute},
};

use anyhow::{Context, Result, ensure};
use image::{RgbaImage, imageops};

use self::{crop::Proposal, rehearsal::Rehearsal, script::Script};
use super::{
    data::{Clip, ClipSet, DataArgs, Split},
    face_finder::find_face,
    model::open_weights,
    printable::say,
    progress::Progress,
    staging::{Place, Staging, ensure_apart},
};
use crate::config::LfdmConfig;

/// The file that makes the model.
const SCRIPT: &str = "train.sh";
/// Faces are looked for in frames of so many pixels, or of the model's size if there are no more.
const SIDE: usize = 128;

/// Options of `lfdm new`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Directory to make, for the script now, and for what it will make.
    dir: PathBuf,
    /// Directory of the clips: PERSON/LABEL with the frames of a clip, or PERSON/LABEL.mp4, or any other form that
    /// training takes.
    #[arg(long, value_name = "CLIPS")]
    data: PathBuf,
    #[command(flatten)]
    reading: DataArgs,
    /// The model to begin with: its sizes, and its weights.
    #[arg(long, value_name = "MODEL", default_value = "www/models/faces-64")]
    init: PathBuf,
    /// Steps of each stage.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..))]
    steps: u64,
    /// Clips that are learned from at a time.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..))]
    batch: u16,
    /// Only write the script, and leave open how long it will take.
    #[arg(long)]
    no_rehearsal: bool,
}

/// Looks at the clips, writes the script and rehearses it.
pub(crate) fn run(args: &Args) -> Result<()> {
    let place = ensure_free(args)?;
    let (mut config, _) = open_weights(&args.init)
        .with_context(|| format!("cannot begin with {}; name another model with --init", args.init.display()))?;
    let clips = Clips::read(args, config.image_size[0])?;
    say(&clips.in_words())?;
    fit(&mut config, &clips)?;
    say(&format!("length: {} frames at least, of which the model will make {}", clips.shortest(), config.frames))?;
    let crop = clips.propose(args)?;

    let script = Script {
        lfdm: in_a_script("this program", std::env::current_exe().context("cannot tell where this program is")?)?,
        data: in_a_script("--data", absolute(&args.data)?)?,
        init: in_a_script("--init", absolute(&args.init)?)?,
        reading: args.reading.words(crop),
        steps: args.steps,
        batch: args.batch,
        name: name_of(&args.dir),
    };
    let project = place.staging().with_context(|| cannot_write(&args.dir))?;
    write(&project, &script, &config, &clips.portrait(crop)?).with_context(|| cannot_write(&args.dir))?;
    if !args.no_rehearsal {
        say(&format!("rehearsing {} steps of each stage, to see how long they take …", rehearsal::STEPS))?;
        say(&Rehearsal::of(&script, project.path())?.in_words(args.steps))?;
    }
    project.publish().with_context(|| cannot_write(&args.dir))?;
    say(&format!("written: {0}/train.sh, {0}/config.json, {0}/portrait.png", args.dir.display()))?;
    say(&format!("to begin: sh {}", script::quoted(&begins_with_a_place(&args.dir.join(SCRIPT)))))?;
    Ok(())
}

/// # Errors
/// A place that is taken, by a project or by something else.
fn ensure_free(args: &Args) -> Result<Place> {
    let (dir, name) = (&args.dir, args.dir.display());
    ensure!(
        !dir.join(SCRIPT).exists(),
        "{name} holds a project already, and sh {name}/{SCRIPT} goes on with it; name another directory for a new one"
    );
    ensure_apart(dir, &[&args.data, &args.init])?;
    let place = Place::of(dir)?;
    ensure!(place.is_free(), "{name} is not empty; name a new directory");
    Ok(place)
}

/// Clips to train on, and those of the people who are held out.
struct Clips {
    train: ClipSet,
    held_out: ClipSet,
}

impl Clips {
    /// For a model of `size`.
    fn read(args: &Args, size: usize) -> Result<Self> {
        let open = |split, size| args.reading.open(&args.data, None, size, None, split);
        // Sheets may have no more pixels than the model.
        let train = open(Split::Train, size.max(SIDE)).or_else(|_| open(Split::Train, size))?;
        let held_out = open(Split::Val, train.size())?;
        Ok(Self { train, held_out })
    }

    /// Side of their frames in pixels.
    fn side(&self) -> u32 {
        self.train.size() as u32
    }

    fn in_words(&self) -> String {
        let Self { train, held_out } = self;
        let people: Vec<&str> = (0..held_out.len()).map(|subject| held_out.subject_name(subject)).take(3).collect();
        let more = if held_out.len() > people.len() { ", …" } else { "" };
        format!(
            "clips: {} of {} people to train on, {} of {} who are held out ({}{more}); labels: {}",
            train.clip_count(),
            train.len(),
            held_out.clip_count(),
            held_out.len(),
            people.join(", "),
            train.labels().join(", ")
        )
    }

    /// Frames that all clips have but for one in twenty, which training may leave out.
    fn shortest(&self) -> usize {
        let usual = |set: &ClipSet| {
            let mut lengths: Vec<usize> = set.lengths().collect();
            lengths.sort_unstable();
            lengths.get(lengths.len() / 20).copied().unwrap_or_default()
        };
        usual(&self.train).min(usual(&self.held_out))
    }

    /// The crop that was asked for, or one that makes faces as large as models know them.
    fn propose(&self, args: &Args) -> Result<Option<[f64; 3]>> {
        if let Some(crop) = args.reading.crop {
            return Ok(Some(crop.into()));
        }
        let bar = Progress::new("looking for faces", self.train.clip_count() + self.held_out.clip_count());
        let clips = self.train.clips().chain(self.held_out.clips()).inspect(|_| bar.inc(1));
        let faces: Vec<_> = clips.map(|clip| Ok(find_face(&self.picture(clip)?))).collect::<Result<_>>()?;
        bar.finish();
        let proposal = Proposal::of(&faces, self.side());
        say(&proposal.in_words())?;
        Ok(proposal.crop())
    }

    /// The first frame of somebody who is held out, as the model will see it.
    fn portrait(&self, crop: Option<[f64; 3]>) -> Result<RgbaImage> {
        let clip = self.held_out.clips().next().context("nobody is held out")?;
        let frame = self.picture(clip)?;
        let Some(part) = crop.filter(|_| self.held_out.crop().is_none()) else { return Ok(frame) };
        let [left, top, side] = part.map(|share| (share * f64::from(self.side())) as u32);
        let part = imageops::crop_imm(&frame, left, top, side.max(1), side.max(1)).to_image();
        Ok(imageops::resize(&part, self.side(), self.side(), imageops::FilterType::Triangle))
    }

    /// The first frame of a clip.
    fn picture(&self, clip: Clip<'_>) -> Result<RgbaImage> {
        RgbaImage::from_raw(self.side(), self.side(), clip.rgba(0)).context("a frame has another size")
    }
}

/// Makes `config` one of the clips' labels and of a length that they have.
fn fit(config: &mut LfdmConfig, clips: &Clips) -> Result<()> {
    config.frames = config.frames.min(clips.shortest());
    config.diffusion.unet.condition_dim = clips.train.labels().len();
    if config.validate().is_err() && config.frames > 2 {
        // Some models denoise frames in pairs.
        config.frames -= config.frames % 2;
    }
    Ok(config.validate()?)
}

/// What the model will be called.
fn name_of(dir: &Path) -> String {
    dir.file_name().map_or_else(|| "mine".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// A path that no program takes for an option.
fn begins_with_a_place(path: &Path) -> String {
    let text = path.display().to_string();
    if text.starts_with('-') { format!("./{text}") } else { text }
}

/// A path that a script can name.
fn in_a_script(what: &str, path: PathBuf) -> Result<PathBuf> {
    ensure!(path.to_str().is_some(), "{what} {} has a name that is not UTF-8; rename it first", path.display());
    Ok(path)
}

/// Writes what makes a project.
fn write(project: &Staging, script: &Script, config: &LfdmConfig, portrait: &RgbaImage) -> Result<()> {
    let at = |name: &str| project.path().join(name);
    fs::write(at(SCRIPT), script.text())?;
    fs::write(at("config.json"), serde_json::to_string_pretty(config)? + "\n")?;
    portrait.save(at("portrait.png"))?;
    Ok(())
}

fn cannot_write(dir: &Path) -> String {
    format!("cannot write {}", dir.display())
}
