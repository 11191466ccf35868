//! Commands, logging and exit codes of the `lfdm` program.

use std::io::{IsTerminal, Write as _, stderr};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use rayon::ThreadPoolBuilder;
use tracing_subscriber::EnvFilter;

use super::printable::{one_paragraph, printable};
use super::{
    animate, conditions, config, eval, export, export_onnx, export_pth, import, interruption, new, pace, sheet, train,
};

/// Latent Flow Diffusion Models: a portrait and a label become a video.
#[derive(Parser)]
#[command(version, propagate_version = true)]
struct Cli {
    /// Threads that compute on the CPU at once, so that several runs can share a machine; reading
    /// ahead has a thread beside these [default: as many as there are cores]
    #[arg(
        long,
        global = true,
        display_order = 900,
        value_name = "N",
        allow_negative_numbers = true,
        value_parser = clap::value_parser!(u16).range(1..=1024),
    )]
    threads: Option<u16>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a video of each portrait and label.
    Animate(animate::Args),
    /// Train one of the two stages, a baseline, or the network that judges clips.
    #[command(subcommand)]
    Train(Train),
    /// Fine-tune the decoder of a trained model on a new domain, from clips without labels.
    Finetune(train::finetune::Args),
    /// Lend a device of this machine to trainings on others, which name it in `--devices`.
    Worker(train::worker::Args),
    /// Look at clips, and write a script that makes a model of them.
    New(new::Args),
    /// Bundle the two trained stages for the page and for `lfdm animate`.
    Export(export::Args),
    /// Print a model configuration to begin one's own with.
    Config(config::Args),
    /// Write the networks of a bundle as ONNX graphs for other runtimes.
    ExportOnnx(export_onnx::Args),
    /// Measure the auto-encoder and generated clips on held-out people.
    Eval(eval::Args),
    /// Draw generated clips of held-out people into one picture.
    Sheet(sheet::Args),
    /// Make a bundle from PyTorch checkpoints of the official implementation.
    Import(import::Args),
    /// Compute the vectors of labels or sentences with BERT, for the import of a text-conditioned model.
    Conditions(conditions::Args),
    /// Measure what each network takes on this machine.
    #[command(hide = true)]
    Pace(pace::Args),
    /// Write the weights of a bundle as PyTorch checkpoints for the official implementation.
    ExportPth(export_pth::Args),
}

#[derive(Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one, and it is moved once")]
enum Train {
    /// Stage 1: the latent flow auto-encoder.
    Lfae(train::lfae::Args),
    /// Stage 2: the diffusion model of the motion that stage 1 finds.
    Dm(train::diffusion::Args),
    /// Tune a trained stage 2 until 1 to 4 steps are enough.
    Consistency(train::consistency::Args),
    /// Baseline of the paper: video diffusion in pixels.
    Vdm(train::baseline::VdmArgs),
    /// The frame auto-encoder that `ldm` needs.
    Autoencoder(train::autoencoder::Args),
    /// Baseline of the paper: video diffusion in the latents of a frame auto-encoder.
    Ldm(train::baseline::LdmArgs),
    /// Baseline of the paper: ImaGINator, which makes a clip in one pass and learns against two adversaries.
    Imaginator(train::imaginator::Args),
    /// The action network, which judges clips in `lfdm eval`.
    Classifier(train::classifier::Args),
}

/// What burn reads to choose the device for tensors that nobody chose one for. Those of an optimiser's state, for
/// example, are made there and moved afterwards; by default it would be a GPU, even where there is none.
const DEFAULT_DEVICE: &[u8] = b"BURN_DEVICE=flex";

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    // Before any other thread is there to read the environment. What the user has set stays.
    let unset = dotenvy::from_read(DEFAULT_DEVICE);
    debug_assert!(unset.is_ok());

    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,lfdm=info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_ansi(stderr().is_terminal())
        .with_writer(stderr)
        .log_internal_errors(false)
        .init();

    let cli = Cli::parse();
    let result = interruption::heed().and_then(|()| cli.threads.map_or(Ok(()), limit_threads));
    let result = result.and_then(|()| run(cli.command));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where even this cannot be written, the exit code says it.
            let _ = writeln!(stderr(), "error: {}", printable(&one_paragraph(&error)));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Animate(args) => animate::run(&args),
        Command::Train(Train::Lfae(args)) => train::lfae::run(&args),
        Command::Train(Train::Dm(args)) => train::diffusion::run(&args),
        Command::Train(Train::Consistency(args)) => train::consistency::run(&args),
        Command::Train(Train::Vdm(args)) => train::baseline::vdm(&args),
        Command::Train(Train::Autoencoder(args)) => train::autoencoder::run(&args),
        Command::Train(Train::Ldm(args)) => train::baseline::ldm(&args),
        Command::Train(Train::Imaginator(args)) => train::imaginator::run(&args),
        Command::Train(Train::Classifier(args)) => train::classifier::run(&args),
        Command::Finetune(args) => train::finetune::run(&args),
        Command::Worker(args) => train::worker::run(&args),
        Command::New(args) => new::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Config(args) => config::run(&args),
        Command::ExportOnnx(args) => export_onnx::run(&args),
        Command::Eval(args) => eval::run(&args),
        Command::Sheet(args) => sheet::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Conditions(args) => conditions::run(&args),
        Command::Pace(args) => pace::run(&args),
        Command::ExportPth(args) => export_pth::run(&args),
    }
}

/// Gives the pool that all loops and products on the CPU share so many threads.
fn limit_threads(threads: u16) -> Result<()> {
    ThreadPoolBuilder::new()
        .num_threads(threads.into())
        .thread_name(|index| format!("compute-{index}"))
        .build_global()
        .with_context(|| format!("cannot start {threads} threads; choose fewer with --threads"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// The command and those below it, by their words.
    fn all_commands(command: &clap::Command, words: &[String]) -> Vec<(Vec<String>, clap::Command)> {
        let words = [words, &[command.get_name().to_owned()]].concat();
        let below = command.get_subcommands().flat_map(|command| all_commands(command, &words)).collect();
        [vec![(words, command.clone())], below].concat()
    }

    #[test]
    fn every_number_has_its_bounds() {
        let is_real = |arg: &clap::Arg| {
            let value = arg.get_value_parser().type_id();
            value == std::any::TypeId::of::<f32>() || value == std::any::TypeId::of::<f64>()
        };
        let mut seen = 0;
        for (words, command) in all_commands(&Cli::command(), &[]) {
            for arg in command.get_arguments().filter(|arg| is_real(arg)) {
                for number in ["nan", "inf", "-inf", "1e300"] {
                    let option = format!("--{}={number}", arg.get_long().unwrap());
                    let line = words.iter().cloned().chain([option.clone()]);
                    let error = Cli::try_parse_from(line).err().unwrap();
                    assert_eq!(error.kind(), clap::error::ErrorKind::ValueValidation, "{words:?} {option}: {error}");
                }
                seen += 1;
            }
        }
        assert!(seen > 60, "{seen} options are numbers");
    }

    #[test]
    fn every_training_has_steps_and_a_rate_that_one_can_keep() {
        let mut program = Cli::command();
        program.build();
        let train = program.find_subcommand("train").unwrap().get_subcommands();
        let trainings: Vec<_> = train.filter(|command| command.get_name() != "help").collect();
        assert_eq!(trainings.len(), 8);
        for command in trainings.into_iter().chain(program.find_subcommand("finetune")) {
            for option in ["steps", "lr"] {
                let arg = command.get_arguments().find(|arg| arg.get_id() == option).unwrap();
                assert!(!arg.is_required_set() && arg.get_default_values().len() == 1, "{command} --{option}");
            }
        }
    }

    /// What the guide says of the first hour.
    fn first_hour() -> String {
        let guide = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/training.md")).unwrap();
        let section = guide.split("\n## ").find(|section| section.starts_with("The first hour")).unwrap();
        section.to_owned()
    }

    /// The lines of its blocks of commands.
    fn commands(text: &str) -> Vec<String> {
        let blocks = text.split("```sh\n").skip(1).filter_map(|rest| Some(rest.split_once("```")?.0));
        blocks.flat_map(str::lines).map(str::to_owned).collect()
    }

    #[test]
    fn the_first_hour_begins_with_new_and_needs_no_flow() {
        let guide = first_hour();
        assert!(commands(&guide)[0].starts_with("lfdm new "), "{guide}");
        assert!(!guide.contains("--flow"), "own clips have none");
    }

    #[test]
    fn commands_of_the_first_hour_are_accepted() {
        let is_placeholder = |word: &str| word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase());
        let commands = commands(&first_hour());
        let whole = commands.iter().filter(|line| !line.split_whitespace().any(is_placeholder));
        let ours: Vec<&String> = whole.filter(|line| line.starts_with("lfdm ")).collect();
        assert!(ours.len() >= 2, "{commands:?}");
        for line in ours {
            let parsed = Cli::try_parse_from(line.split_whitespace());
            assert!(parsed.is_ok(), "{line}: {}", parsed.err().unwrap());
        }
    }

    #[test]
    fn a_new_project_begins_with_a_model_that_is_there() {
        let mut program = Cli::command();
        program.build();
        let new = program.find_subcommand("new").unwrap();
        let init = new.get_arguments().find(|arg| arg.get_id() == "init").unwrap();
        let model = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(&init.get_default_values()[0]);
        assert!(model.join("manifest.json").exists(), "{}", model.display());
    }
}
