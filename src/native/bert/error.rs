//! What can be wrong with a text encoder, or with a sentence.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::config::ConfigError;
use crate::native::pth;
use crate::weights::WeightsError;

/// What the directory of a text encoder holds.
pub(super) const LAYOUT: &str = "config.json, model.safetensors or pytorch_model.bin, and tokenizer.json or vocab.txt";

/// Why the vector of a sentence could not be computed.
#[derive(Debug, Error)]
pub enum BertError {
    /// A file or the directory makes no text encoder.
    #[error("{} {problem}", path.display())]
    File {
        /// The file or the directory.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        problem: Problem,
    },
    /// The encoder has no answer to the sentence.
    #[error("the sentence `{sentence}` {problem}")]
    Sentence {
        /// The sentence, or the beginning of a long one.
        sentence: String,
        /// What is wrong with it.
        #[source]
        problem: SentenceProblem,
    },
}

/// What is wrong with a file of a text encoder.
#[derive(Debug, Error)]
pub enum Problem {
    /// There is no such directory.
    #[error("is no directory; name the one that holds {LAYOUT}")]
    NoDirectory,
    /// The directory lacks a file.
    #[error("holds no {0}; name a directory as Hugging Face lays out bert-base-cased: {LAYOUT}")]
    Missing(&'static str),
    /// It has more bytes than such a file can have.
    #[error("has {bytes} bytes, and such a file has at most {most}; is it the right one?")]
    Size {
        /// Bytes of the file.
        bytes: u64,
        /// The most that are read.
        most: u64,
    },
    /// The system refused.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// It is no JSON, or something is missing from it.
    #[error("is damaged or is not such a file of a BERT: {0}; download it again")]
    Json(#[from] serde_json::Error),
    /// It belongs to another network.
    #[error("belongs to another network: {0}; the official models were trained with bert-base-cased")]
    Foreign(String),
    /// It contradicts itself.
    #[error("is damaged: {0}; download it again")]
    Damaged(String),
    /// A number in it makes no network.
    #[error("makes no network: {0}")]
    Config(#[from] ConfigError),
    /// There are more or fewer tokens than the network has vectors for.
    #[error("has {found} tokens, but config.json says {expected}; take both from the same download")]
    Vocabulary {
        /// Tokens of the vocabulary.
        found: usize,
        /// Tokens that the network knows.
        expected: usize,
    },
    /// The weights cannot be read, or do not fit config.json.
    #[error("cannot be used: {0}")]
    Weights(#[from] WeightsError),
    /// The PyTorch file cannot be read.
    #[error(transparent)]
    Pth(#[from] pth::Problem),
}

/// What is wrong with a sentence.
#[derive(Debug, Error)]
pub enum SentenceProblem {
    /// Nothing is left of it.
    #[error("has no word; write what happens in the video")]
    Empty,
    /// It holds what BERT marks its input with.
    #[error("holds `{0}`, which means something else to BERT; leave it out")]
    Special(&'static str),
    /// The encoder has no place for so many tokens.
    #[error("has {tokens} tokens with BERT's marks around it, and the encoder takes at most {most}; shorten it")]
    Long {
        /// Tokens of the sentence.
        tokens: usize,
        /// The most that are possible.
        most: usize,
    },
    /// The result is no number.
    #[error("gives NaN or infinite numbers; the encoder's weights are damaged, download them again")]
    NotFinite,
}

/// Says which file a problem is with.
pub(super) fn at<P: Into<Problem>>(path: &Path) -> impl Fn(P) -> BertError {
    let path = path.to_owned();
    move |problem| BertError::File { path: path.clone(), problem: problem.into() }
}

/// Says which sentence a problem is with.
pub(super) fn with(sentence: &str) -> impl Fn(SentenceProblem) -> BertError {
    let quoted = beginning_of(sentence);
    move |problem| BertError::Sentence { sentence: quoted.clone(), problem }
}

/// What is quoted of a sentence: all of it, or the beginning of a long one.
pub(super) fn beginning_of(sentence: &str) -> String {
    /// Letters.
    const MOST: usize = 60;
    let mut quoted: String = sentence.chars().take(MOST).collect();
    if quoted.len() < sentence.len() {
        quoted.push('…');
    }
    quoted
}
