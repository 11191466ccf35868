//! BERT, the text encoder of the official models, from the files that Hugging Face publishes.
//!
//! A sentence becomes the vector that the official implementation conditions on: the last hidden state, averaged over
//! all tokens but the first.

mod config;
mod encoder;
mod error;
mod word_piece;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Int, Tensor, TensorData};

use config::BertConfig;
use encoder::{Encoder, known_key, official_key};
use error::{at, beginning_of, with};
use word_piece::WordPiece;

pub use error::{BertError, Problem, SentenceProblem};

use super::pth::Checkpoint;
use super::whole_file::read_file;
use crate::weights::{StateDict, load_module};

const CONFIG: &str = "config.json";
const SAFETENSORS: &str = "model.safetensors";
const PYTORCH: &str = "pytorch_model.bin";
const TOKENIZER: &str = "tokenizer.json";
const VOCABULARY: &str = "vocab.txt";
const SETTINGS: &str = "tokenizer_config.json";

/// Most bytes of a configuration, of a vocabulary, and of weights. The largest BERT has 1.4 GB.
const LARGEST_CONFIG: u64 = 1 << 20;
const LARGEST_VOCABULARY: u64 = 64 << 20;
const LARGEST_WEIGHTS: u64 = 4 << 30;

/// A text encoder with its tokeniser, on a device.
#[derive(Debug)]
pub struct TextEncoder {
    dir: PathBuf,
    config: BertConfig,
    word_piece: WordPiece,
    encoder: Encoder,
    device: Device,
}

impl TextEncoder {
    /// Reads the encoder in `dir`, which is laid out as `bert-base-cased` by Hugging Face, today or in 2019.
    ///
    /// # Errors
    /// [`BertError::File`] for a file that is missing, damaged, of another network, or does not fit the others.
    pub fn open(dir: &Path, device: &Device) -> Result<Self, BertError> {
        if !dir.is_dir() {
            return Err(at(dir)(Problem::NoDirectory));
        }
        let path = find(dir, [CONFIG, CONFIG])?;
        let config = read(&path, LARGEST_CONFIG).and_then(|json| BertConfig::parse(&json)).map_err(at(&path))?;
        let word_piece = read_vocabulary(dir, config.vocab_size)?;
        let encoder = read_weights(dir, Encoder::new(&config, device))?;
        Ok(Self { dir: dir.to_owned(), config, word_piece, encoder, device: device.clone() })
    }

    /// Where it was read from.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// How many numbers stand for a sentence.
    pub fn width(&self) -> usize {
        self.config.hidden_size
    }

    /// The condition vector of a sentence: its last hidden states, averaged over all tokens but the first, which is
    /// BERT's mark `[CLS]`; the last, `[SEP]`, counts (`bert_embed` of the official implementation).
    ///
    /// # Shapes
    /// - result: `[width]`
    ///
    /// # Errors
    /// [`BertError::Sentence`] for a sentence that is empty, too long, or holds a mark of BERT.
    pub fn encode(&self, sentence: &str) -> Result<TensorData, BertError> {
        let tokens = self.tokens(sentence)?;
        let count = tokens.len();
        let tokens = Tensor::<2, Int>::from_data(TensorData::new(tokens, [1, count]), &self.device);
        let hidden = self.encoder.forward(tokens).narrow(1, 1, count - 1);
        let vector = hidden.mean_dim(1).reshape([self.width()]).into_data();
        if vector.iter::<f32>().any(|value| !value.is_finite()) {
            return Err(with(sentence)(SentenceProblem::NotFinite));
        }
        Ok(vector)
    }

    /// The numbers of the tokens of a sentence.
    fn tokens(&self, sentence: &str) -> Result<Vec<i64>, BertError> {
        let tokens = self.word_piece.tokens(sentence).map_err(with(sentence))?;
        let (count, most) = (tokens.ids.len(), self.config.max_position_embeddings);
        if count > most {
            return Err(with(sentence)(SentenceProblem::Long { tokens: count, most }));
        }
        if tokens.unknown > 0 {
            tracing::warn!(
                "`{}`: {} of its words are not in the vocabulary of {}, to which all such words are the same",
                beginning_of(sentence),
                tokens.unknown,
                self.dir.display()
            );
        }
        Ok(tokens.ids.into_iter().map(|id| id as i64).collect())
    }
}

/// The first of two files that the directory has.
fn find(dir: &Path, names: [&'static str; 2]) -> Result<PathBuf, BertError> {
    let found = names.iter().map(|name| dir.join(name)).find(|path| path.is_file());
    found.ok_or_else(|| at(dir)(Problem::Missing(names[0])))
}

/// The bytes of a file that has at most so many.
fn read(path: &Path, most: u64) -> Result<Vec<u8>, Problem> {
    let bytes = fs::metadata(path)?.len();
    if bytes > most {
        return Err(Problem::Size { bytes, most });
    }
    Ok(read_file(path)?)
}

fn read_vocabulary(dir: &Path, expected: usize) -> Result<WordPiece, BertError> {
    let path = find(dir, [TOKENIZER, VOCABULARY])?;
    let bytes = read(&path, LARGEST_VOCABULARY).map_err(at(&path))?;
    let word_piece = if path.ends_with(TOKENIZER) {
        WordPiece::from_json(&bytes)
    } else {
        let settings = dir.join(SETTINGS);
        let settings =
            settings.is_file().then(|| read(&settings, LARGEST_CONFIG).map_err(at(&settings))).transpose()?;
        let text = String::from_utf8(bytes).map_err(|error| at(&path)(Problem::Damaged(error.to_string())))?;
        WordPiece::from_lines(&text, settings.as_deref())
    };
    let word_piece = word_piece.map_err(at(&path))?;
    let found = word_piece.size();
    if found == expected { Ok(word_piece) } else { Err(at(&path)(Problem::Vocabulary { found, expected })) }
}

fn read_weights(dir: &Path, encoder: Encoder) -> Result<Encoder, BertError> {
    let path = find(dir, [SAFETENSORS, PYTORCH])?;
    let all = if path.ends_with(SAFETENSORS) { read_safetensors(&path) } else { read_pytorch(&path) };
    let weights = all.map_err(at(&path))?;
    let names: BTreeMap<String, &str> = weights.iter().filter_map(|(key, _)| Some((known_key(key)?, key))).collect();
    let key = |path: &str| {
        let key = official_key(path);
        names.get(&key).map_or(key, |&name| name.to_owned())
    };
    load_module(encoder, &weights, &key).map_err(at(&path))
}

fn read_safetensors(path: &Path) -> Result<StateDict, Problem> {
    let weights = StateDict::from_safetensors(&read(path, LARGEST_WEIGHTS)?)?;
    Ok(weights.filter(|key| known_key(key).is_some()))
}

fn read_pytorch(path: &Path) -> Result<StateDict, Problem> {
    let mut checkpoint = Checkpoint::open(path).map_err(|error| error.problem)?;
    let mut weights = StateDict::default();
    for (key, tensor) in checkpoint.tensors().map_err(|error| error.problem)? {
        if known_key(&key).is_none() {
            continue;
        }
        if let Some(data) = checkpoint.read(&tensor).map_err(|error| error.problem)? {
            weights.insert(key, data);
        }
    }
    Ok(weights)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use tempfile::TempDir;

    use super::error::LAYOUT;
    use super::*;

    const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/bert");

    /// A sentence, and what transformers makes of it.
    #[derive(Deserialize)]
    struct Expected {
        sentence: String,
        cased: Vec<i64>,
        #[serde(default)]
        lower: Vec<i64>,
        /// None for a sentence that is too long.
        vector: Option<Vec<f32>>,
    }

    fn expected(dir: &Path) -> Vec<Expected> {
        serde_json::from_slice(&fs::read(dir.join("expected.json")).unwrap()).unwrap()
    }

    fn fixture(layout: &str) -> PathBuf {
        Path::new(FIXTURES).join(layout)
    }

    /// The largest difference to what transformers computes, relative to the largest number of the sentence.
    fn largest_difference(encoder: &TextEncoder, expected: &[Expected]) -> f64 {
        let difference = |expected: &Expected| {
            let theirs = expected.vector.as_ref()?;
            let ours = encoder.encode(&expected.sentence).unwrap();
            assert_eq!(ours.num_elements(), theirs.len());
            let largest = theirs.iter().map(|value| value.abs()).fold(0.0, f32::max);
            let errors = ours.iter::<f32>().zip(theirs).map(|(ours, theirs)| (ours - theirs).abs());
            Some(f64::from(errors.fold(0.0, f32::max) / largest))
        };
        let differences: Vec<f64> = expected.iter().filter_map(difference).collect();
        assert!(differences.len() > expected.len() / 2);
        differences.into_iter().fold(0.0, f64::max)
    }

    #[test]
    fn both_layouts_agree_with_transformers() {
        let expected = expected(Path::new(FIXTURES));
        for layout in ["now", "then"] {
            let encoder = TextEncoder::open(&fixture(layout), &Device::flex()).unwrap();
            let difference = largest_difference(&encoder, &expected);
            println!("{layout}: {difference:.1e}");
            assert!(difference < 1e-5, "{layout}: {difference:e}");
        }
    }

    /// `LFDM_BERT` names a directory with bert-base-cased and the `expected.json` that the fixture's script writes.
    #[test]
    fn the_real_weights_agree_with_transformers() {
        let Some(dir) = std::env::var_os("LFDM_BERT") else { return };
        let encoder = TextEncoder::open(Path::new(&dir), &Device::flex()).unwrap();
        let expected = expected(Path::new(&dir));
        for expected in expected.iter().filter(|expected| expected.vector.is_some()) {
            assert_eq!(encoder.tokens(&expected.sentence).unwrap(), expected.cased, "{}", expected.sentence);
        }
        let difference = largest_difference(&encoder, &expected);
        println!("{difference:.1e}");
        assert!(difference < 1e-5, "{difference:e}");
    }

    #[test]
    fn tokens_are_those_of_the_crate_that_transformers_uses() {
        let dir = fixture("then");
        let lines = fs::read_to_string(dir.join(VOCABULARY)).unwrap();
        let json = fs::read(fixture("now").join(TOKENIZER)).unwrap();
        let cased = [WordPiece::from_json(&json), WordPiece::from_lines(&lines, Some(b"{\"do_lower_case\": false}"))];
        let lower = [WordPiece::from_lines(&lines, Some(b"{\"do_lower_case\": true}"))];
        let of = |word_piece: &WordPiece, sentence: &str| -> Vec<i64> {
            word_piece.tokens(sentence).unwrap().ids.into_iter().map(|id| id as i64).collect()
        };
        let (cased, lower) = (cased.map(Result::unwrap), lower.map(Result::unwrap));
        for Expected { sentence, cased: is_cased, lower: is_lower, .. } in expected(Path::new(FIXTURES)) {
            for word_piece in &cased {
                assert_eq!(of(word_piece, &sentence), is_cased, "{sentence}");
            }
            for word_piece in &lower {
                assert_eq!(of(word_piece, &sentence), is_lower, "{sentence}");
            }
        }
    }

    /// A copy of a layout.
    fn copy(layout: &str) -> TempDir {
        let dir = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(fixture(layout)).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, dir.path().join(path.file_name().unwrap())).unwrap();
        }
        dir
    }

    /// The message for a copy of a layout after `damage`.
    fn after(layout: &str, damage: impl Fn(&Path)) -> String {
        let dir = copy(layout);
        damage(dir.path());
        TextEncoder::open(dir.path(), &Device::flex()).map(drop).expect_err("the damage was not noticed").to_string()
    }

    fn replace(path: &Path, from: &str, to: &str) {
        let text = fs::read_to_string(path).unwrap();
        assert!(text.contains(from), "{from}");
        fs::write(path, text.replace(from, to)).unwrap();
    }

    fn assert_says(message: &str, parts: &[&str]) {
        for part in parts {
            assert!(message.contains(part), "`{part}` is not in: {message}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let absent = TextEncoder::open(Path::new("absent"), &Device::flex()).unwrap_err().to_string();
        assert_says(&absent, &["absent is no directory", LAYOUT]);
        for (layout, file) in
            [("now", CONFIG), ("now", SAFETENSORS), ("now", TOKENIZER), ("then", PYTORCH), ("then", VOCABULARY)]
        {
            let message = after(layout, |dir| fs::remove_file(dir.join(file)).unwrap());
            let first = file.replace(PYTORCH, SAFETENSORS).replace(VOCABULARY, TOKENIZER);
            assert_says(&message, &[&format!("holds no {first}"), LAYOUT]);
        }
    }

    #[test]
    fn files_that_do_not_belong_together_are_told_apart() {
        let vocabulary = after("then", |dir| {
            let lines = fs::read_to_string(dir.join(VOCABULARY)).unwrap() + "more\n";
            fs::write(dir.join(VOCABULARY), lines).unwrap();
        });
        assert_says(&vocabulary, &["vocab.txt has", "tokens, but config.json says", "same download"]);
        let layers =
            after("now", |dir| replace(&dir.join(CONFIG), "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3"));
        assert_says(&layers, &["model.safetensors", "missing encoder.layer.2.attention.self.query.weight"]);
        let fewer =
            after("now", |dir| replace(&dir.join(CONFIG), "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1"));
        assert_says(&fewer, &["unexpected encoder.layer.1."]);
        let places = after("then", |dir| replace(&dir.join(CONFIG), "s\": 40", "s\": 41"));
        assert_says(&places, &["pytorch_model.bin", "should be [41, 32] and is [40, 32]"]);
        let other = after("now", |dir| replace(&dir.join(CONFIG), "\"bert\"", "\"roberta\""));
        assert_says(&other, &["config.json belongs to another network", "roberta", "bert-base-cased"]);
    }

    #[test]
    fn damaged_files_are_refused() {
        for (layout, file) in [("now", SAFETENSORS), ("then", PYTORCH)] {
            let message = after(layout, |dir| {
                let bytes = fs::read(dir.join(file)).unwrap();
                fs::write(dir.join(file), &bytes[..bytes.len() / 2]).unwrap();
            });
            assert!(message.contains(file) && message.contains("again"), "{message}");
        }
        for (layout, file) in [("now", CONFIG), ("now", TOKENIZER), ("then", SETTINGS)] {
            let message = after(layout, |dir| fs::write(dir.join(file), "{\"").unwrap());
            assert_says(&message, &["is damaged or is not such a file", "download it again"]);
        }
        let bytes = after("then", |dir| fs::write(dir.join(VOCABULARY), b"[CLS]\n\xff\n").unwrap());
        assert_says(&bytes, &["vocab.txt is damaged", "download it again"]);
        let malicious = Path::new(FIXTURES).with_file_name("pth").join("malicious.pth");
        let message = after("then", |dir| assert!(fs::copy(&malicious, dir.join(PYTORCH)).is_ok()));
        assert_says(&message, &["pytorch_model.bin asks for `posix.system`", "nothing in it was run"]);
    }

    #[test]
    fn sentences_without_an_answer_are_quoted() {
        let encoder = TextEncoder::open(&fixture("now"), &Device::flex()).unwrap();
        let message = |sentence: &str| encoder.encode(sentence).unwrap_err().to_string();
        assert_says(&message(" "), &["the sentence ` ` has no word"]);
        assert_says(&message("a [MASK] b"), &["`[MASK]`", "leave it out"]);
        assert!(encoder.encode(&"a ".repeat(38)).is_ok());
        assert_says(&message(&"a ".repeat(39)), &["`a a a", "…`", "has 41 tokens", "at most 40", "shorten it"]);
    }
}
