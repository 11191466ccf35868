//! The script: both stages, the bundle, and a portrait that moves.

use std::path::{Path, PathBuf};

/// What the script calls, and with what.
pub(super) struct Script {
    /// This program.
    pub(super) lfdm: PathBuf,
    pub(super) data: PathBuf,
    /// The model to begin with.
    pub(super) init: PathBuf,
    /// How clips are read, as options.
    pub(super) reading: Vec<String>,
    pub(super) steps: u64,
    pub(super) batch: u16,
    /// Name of the bundle.
    pub(super) name: String,
}

impl Script {
    /// The options of `lfdm train` for stage 1 that are the script's own, seen from its directory.
    pub(super) fn lfae(&self) -> Vec<String> {
        let options = ["lfae", "--config", "config.json", "--batch", &self.batch.to_string()].map(str::to_owned);
        [&options[..], &self.reading].concat()
    }

    /// The same for stage 2 of the auto-encoder in `lfae`.
    pub(super) fn dm(&self, lfae: &Path) -> Vec<String> {
        let lfae = lfae.display().to_string();
        let options = ["dm", "--lfae", &lfae, "--batch", &self.batch.to_string()].map(str::to_owned);
        [&options[..], &self.reading].concat()
    }

    pub(super) fn text(&self) -> String {
        let path = |path: &Path| quoted(&path.display().to_string());
        let line = |words: Vec<String>| words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
        let value = |name: &str| match name {
            "LFDM" => Some(path(&self.lfdm)),
            "DATA" => Some(path(&self.data)),
            "INIT" => Some(path(&self.init)),
            "STEPS" => Some(self.steps.to_string()),
            "TRAIN_LFAE" => Some(line(self.lfae())),
            "TRAIN_DM" => Some(line(self.dm(Path::new("runs/lfae")))),
            "NAME" => Some(quoted(&self.name)),
            _ => None,
        };
        // Part by part: what is filled in can look like a place to be filled.
        let parts = TEMPLATE.split('%');
        parts.map(|part| value(part).unwrap_or_else(|| part.to_owned())).collect()
    }
}

/// As a shell takes it for one word.
pub(super) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./,=:+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

const TEMPLATE: &str = r#"#!/bin/sh
# From clips to a moving portrait; `lfdm new` wrote it. Change what you like. Ctrl-C keeps what there is, and running
# it again goes on from there, or further, with more STEPS.
set -eu
CDPATH= cd -- "$(dirname -- "$0")"

lfdm=%LFDM%
data=%DATA%
init=%INIT%
: "${STEPS:=%STEPS%}"

# train RUN OPTIONS: begins with the weights of $init, or continues the run.
train() {
    run=$1
    shift
    if [ -n "$(find "$run" -maxdepth 1 -name 'step-*' 2>/dev/null)" ]; then
        set -- "$@" --resume
    else
        set -- "$@" --init "$init"
    fi
    "$lfdm" train "$@" --data "$data" --out "$run" --steps "$STEPS"
}

# Stage 1 learns to move these people, stage 2 how they move, as this stage 1 sees it: when that goes further, stage 2
# begins anew.
train runs/lfae %TRAIN_LFAE%
dm=$(find runs/lfae -maxdepth 1 -name 'step-*' | sort | tail -n 1 | sed 's|.*step-0*|runs/dm-|')
train "$dm" %TRAIN_DM%

# The model, and what it makes of somebody whom it has never seen. Export says that nobody has stated a licence; that is
# for you to do (--licence).
"$lfdm" export --lfae runs/lfae --dm "$dm" --name %NAME% --out model
"$lfdm" animate --model model --image portrait.png --label all --gif --replace --out clips
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_words_in_a_shell() {
        for (word, expected) in
            [("a-b/c.mp4", "a-b/c.mp4"), ("my clips", "'my clips'"), ("it's $HOME", r"'it'\''s $HOME'"), ("", "''")]
        {
            assert_eq!(quoted(word), expected);
        }
    }

    #[test]
    fn the_script_names_what_it_was_made_for() {
        let script = Script {
            lfdm: "/bin/lfdm".into(),
            data: "/my clips/%STEPS%".into(),
            init: "/models/faces-64".into(),
            reading: vec!["--crop".into(), "0.1,0.2,0.6".into()],
            steps: 30,
            batch: 4,
            name: "mine".into(),
        };
        let text = script.text();
        assert_eq!(text.matches('%').count(), 2, "{text}");
        for line in [
            "data='/my clips/%STEPS%'\n",
            ": \"${STEPS:=30}\"\n",
            "train runs/lfae lfae --config config.json --batch 4 --crop 0.1,0.2,0.6\n",
            "train \"$dm\" dm --lfae runs/lfae --batch 4 --crop 0.1,0.2,0.6\n",
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
    }
}
