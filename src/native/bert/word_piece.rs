//! BERT's tokeniser: a sentence becomes numbers of words and of pieces of words.
//!
//! The answers are those of the crate `tokenizers` with BERT's normaliser, pre-tokeniser and model, which the fixture
//! holds it to. A `tokenizer.json` can describe any other pipeline, regular expressions among it; what is not
//! BERT's is refused by its name.

use std::collections::HashMap;

use serde::Deserialize;
use unicode_categories::UnicodeCategories;
use unicode_normalization::UnicodeNormalization;

use super::error::{Problem, SentenceProblem};

const UNKNOWN: &str = "[UNK]";
const START: &str = "[CLS]";
const END: &str = "[SEP]";
/// Tokens that no sentence may hold: the crate would read them as what they mean to BERT.
const SPECIAL: [&str; 5] = [UNKNOWN, START, END, "[PAD]", "[MASK]"];
/// What a piece that does not begin a word begins with.
const CONTINUATION: &str = "##";
/// Longer words are unknown.
const LONGEST_WORD: usize = 100;

/// A vocabulary, and how text is prepared for it.
#[derive(Debug)]
pub(super) struct WordPiece {
    ids: HashMap<String, usize>,
    size: usize,
    normalizer: Normalizer,
    unknown: usize,
    start: usize,
    end: usize,
}

/// The tokens of a sentence.
#[derive(Debug, PartialEq)]
pub(super) struct Tokens {
    /// With BERT's marks at both ends.
    pub ids: Vec<usize>,
    /// How many words are not in the vocabulary, not even in pieces.
    pub unknown: usize,
}

/// How text is cleaned before it is split into words.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
struct Normalizer {
    clean_text: bool,
    handle_chinese_chars: bool,
    /// As `lowercase` if it is not said.
    strip_accents: Option<bool>,
    lowercase: bool,
}

impl WordPiece {
    /// Reads a `tokenizer.json`.
    pub(super) fn from_json(json: &[u8]) -> Result<Self, Problem> {
        #[derive(Deserialize)]
        struct File {
            normalizer: Normalizer,
            model: Model,
            added_tokens: Vec<Added>,
        }
        #[derive(Deserialize)]
        struct Model {
            unk_token: String,
            continuing_subword_prefix: String,
            max_input_chars_per_word: usize,
            vocab: HashMap<String, usize>,
        }
        #[derive(Deserialize)]
        struct Added {
            id: usize,
            content: String,
        }
        Kinds::read(json)?.ensure_bert()?;
        let File { normalizer, model, added_tokens } = serde_json::from_slice(json)?;
        let settings = (&*model.unk_token, &*model.continuing_subword_prefix, model.max_input_chars_per_word);
        if settings != (UNKNOWN, CONTINUATION, LONGEST_WORD) {
            return Err(Problem::Foreign(format!(
                "it has {settings:?} for {UNKNOWN}, {CONTINUATION} and {LONGEST_WORD}"
            )));
        }
        if let Some(added) = added_tokens.iter().find(|added| model.vocab.get(&added.content) != Some(&added.id)) {
            return Err(Problem::Foreign(format!("it adds the token `{}` to the vocabulary", added.content)));
        }
        let size = model.vocab.len();
        if let Some((token, id)) = model.vocab.iter().find(|&(_, &id)| id >= size) {
            return Err(Problem::Damaged(format!("`{token}` has the number {id} in a vocabulary of {size} tokens")));
        }
        Self::new(model.vocab, size, normalizer)
    }

    /// Reads a `vocab.txt`, a token per line, with the `tokenizer_config.json` beside it if there is one.
    pub(super) fn from_lines(vocabulary: &str, settings: Option<&[u8]>) -> Result<Self, Problem> {
        #[derive(Deserialize, Default)]
        struct Settings {
            do_lower_case: Option<bool>,
            strip_accents: Option<bool>,
            tokenize_chinese_chars: Option<bool>,
        }
        let settings: Settings = settings.map_or(Ok(Settings::default()), serde_json::from_slice)?;
        let tokens: Vec<&str> = vocabulary.lines().map(str::trim_end).collect();
        let normalizer = Normalizer {
            clean_text: true,
            handle_chinese_chars: settings.tokenize_chinese_chars.unwrap_or(true),
            strip_accents: settings.strip_accents,
            lowercase: settings.do_lower_case.unwrap_or_else(|| !has_capitals(&tokens)),
        };
        let ids = tokens.iter().enumerate().map(|(id, &token)| (token.to_owned(), id)).collect();
        Self::new(ids, tokens.len(), normalizer)
    }

    fn new(ids: HashMap<String, usize>, size: usize, normalizer: Normalizer) -> Result<Self, Problem> {
        let find = |token: &str| {
            ids.get(token).copied().ok_or_else(|| Problem::Foreign(format!("its vocabulary has no token {token}")))
        };
        let (unknown, start, end) = (find(UNKNOWN)?, find(START)?, find(END)?);
        Ok(Self { ids, size, normalizer, unknown, start, end })
    }

    /// Tokens of the vocabulary.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// The tokens of a sentence.
    ///
    /// # Errors
    /// A sentence without a word, or with one of BERT's marks.
    pub(super) fn tokens(&self, sentence: &str) -> Result<Tokens, SentenceProblem> {
        if let Some(mark) = SPECIAL.into_iter().find(|&mark| sentence.contains(mark)) {
            return Err(SentenceProblem::Special(mark));
        }
        let text = self.normalizer.apply(sentence);
        let mut tokens = Tokens { ids: vec![self.start], unknown: 0 };
        for word in text.split(char::is_whitespace).flat_map(words) {
            if let Some(pieces) = self.pieces(word) {
                tokens.ids.extend(pieces);
            } else {
                tokens.ids.push(self.unknown);
                tokens.unknown += 1;
            }
        }
        if tokens.ids.len() == 1 {
            return Err(SentenceProblem::Empty);
        }
        tokens.ids.push(self.end);
        Ok(tokens)
    }

    /// The longest pieces of a word that are in the vocabulary, from its beginning on; `None` for a word that cannot
    /// be made of pieces.
    fn pieces(&self, word: &str) -> Option<Vec<usize>> {
        if word.chars().count() > LONGEST_WORD {
            return None;
        }
        let mut pieces = Vec::new();
        let mut rest = word;
        while !rest.is_empty() {
            let mark = if pieces.is_empty() { "" } else { CONTINUATION };
            let ends = rest.char_indices().map(|(start, letter)| start + letter.len_utf8()).rev();
            let (end, id) = { ends }.find_map(|end| Some((end, *self.ids.get(&format!("{mark}{}", &rest[..end]))?)))?;
            pieces.push(id);
            rest = &rest[end..];
        }
        Some(pieces)
    }
}

/// What the parts of a `tokenizer.json` are, whatever else they hold.
#[derive(Deserialize)]
struct Kinds {
    normalizer: Option<Kind>,
    pre_tokenizer: Option<Kind>,
    model: Option<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type")]
    name: Option<String>,
}

impl Kinds {
    fn read(json: &[u8]) -> Result<Self, Problem> {
        Ok(serde_json::from_slice(json)?)
    }

    fn ensure_bert(&self) -> Result<(), Problem> {
        for (part, kind, expected) in [
            ("normalizer", &self.normalizer, "BertNormalizer"),
            ("pre_tokenizer", &self.pre_tokenizer, "BertPreTokenizer"),
            ("model", &self.model, "WordPiece"),
        ] {
            let name = kind.as_ref().map_or("nothing", |kind| kind.name.as_deref().unwrap_or("unnamed"));
            // The files of 2020 do not name the model.
            if name != expected && (part, name) != ("model", "unnamed") {
                return Err(Problem::Foreign(format!("its `{part}` is {name}, not {expected}")));
            }
        }
        Ok(())
    }
}

/// Whether a vocabulary tells capital letters from small ones. The marks of BERT are capitals in all.
fn has_capitals(tokens: &[&str]) -> bool {
    tokens.iter().any(|token| !token.starts_with('[') && token.chars().any(char::is_uppercase))
}

impl Normalizer {
    fn apply(self, text: &str) -> String {
        let mut text = text.to_owned();
        if self.clean_text {
            text = text.chars().filter(|&c| !is_noise(c)).map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
        }
        if self.handle_chinese_chars {
            text = text.chars().flat_map(apart).collect();
        }
        if self.strip_accents.unwrap_or(self.lowercase) {
            text = text.nfd().filter(|c| !c.is_mark_nonspacing()).collect();
        }
        if self.lowercase {
            text = text.chars().flat_map(char::to_lowercase).collect();
        }
        text
    }
}

/// What is no part of a text: codes, private and unassigned characters.
fn is_noise(c: char) -> bool {
    c == '\0' || c == '\u{fffd}' || c.is_other() && !['\t', '\n', '\r'].contains(&c)
}

/// A letter, with spaces around one that is a word of its own: those of Chinese, not of Japanese or Korean alone.
fn apart(c: char) -> impl Iterator<Item = char> {
    let is_word = matches!(
        u32::from(c),
        0x4E00..=0x9FFF
            | 0x3400..=0x4DBF
            | 0x20000..=0x2A6DF
            | 0x2A700..=0x2B73F
            | 0x2B740..=0x2B81F
            | 0x2B920..=0x2CEAF
            | 0xF900..=0xFAFF
            | 0x2F800..=0x2FA1F
    );
    let space = is_word.then_some(' ');
    space.into_iter().chain([c]).chain(space)
}

/// The words of what stands between two spaces: every punctuation mark is one.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_mark = |c: char| c.is_ascii_punctuation() || c.is_punctuation();
    text.split_inclusive(is_mark).flat_map(move |part| {
        let mark = part.chars().next_back().filter(|&c| is_mark(c)).map_or(0, char::len_utf8);
        let (word, mark) = part.split_at(part.len() - mark);
        [word, mark].into_iter().filter(|word| !word.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn word_piece() -> WordPiece {
        WordPiece::from_lines("[UNK]\n[CLS]\n[SEP]\nun\n##afford\n##able\naffordable\n!\r\nU", None).unwrap()
    }

    fn file() -> Value {
        json!({
            "added_tokens": [{ "id": 1, "content": "[CLS]", "special": true }],
            "normalizer": {
                "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null,
                "lowercase": false,
            },
            "pre_tokenizer": { "type": "BertPreTokenizer" },
            "model": {
                "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                "max_input_chars_per_word": 100, "vocab": { "[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "un": 3 },
            },
        })
    }

    fn refusal(change: impl Fn(&mut Value)) -> String {
        let mut json = file();
        change(&mut json);
        WordPiece::from_json(json.to_string().as_bytes()).map(|read| read.size).unwrap_err().to_string()
    }

    #[test]
    fn words_are_split_into_the_longest_pieces() {
        let tokens = |text: &str| word_piece().tokens(text).unwrap();
        assert_eq!(tokens("unaffordable!"), Tokens { ids: vec![1, 3, 4, 5, 7, 2], unknown: 0 });
        assert_eq!(tokens("affordable un!un"), Tokens { ids: vec![1, 6, 3, 7, 3, 2], unknown: 0 });
        assert_eq!(tokens("unaffordably U"), Tokens { ids: vec![1, 0, 8, 2], unknown: 1 });
    }

    #[test]
    fn a_vocabulary_says_whether_it_knows_capitals_unless_its_settings_do() {
        let lowercase = |lines, settings| WordPiece::from_lines(lines, settings).unwrap().normalizer.lowercase;
        let (cased, uncased) = ("[UNK]\n[CLS]\n[SEP]\nAnna", "[UNK]\n[CLS]\n[SEP]\nanna");
        assert!(!lowercase(cased, None) && lowercase(uncased, None));
        assert!(lowercase(cased, Some(b"{\"do_lower_case\": true}")));
        assert!(!lowercase(uncased, Some(b"{\"do_lower_case\": false, \"model_max_length\": 512}")));
    }

    #[test]
    fn sentences_without_words_or_with_marks_of_bert_are_refused() {
        for (sentence, part) in [("", "no word"), (" \t\u{200b}", "no word"), ("a [SEP] b", "`[SEP]`")] {
            let message = word_piece().tokens(sentence).unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn tokenisers_of_other_networks_are_refused_by_name() {
        assert!(WordPiece::from_json(file().to_string().as_bytes()).is_ok());
        for (part, kind) in [("normalizer", "Precompiled"), ("pre_tokenizer", "Metaspace"), ("model", "BPE")] {
            let message = refusal(|json| json[part] = json!({ "type": kind }));
            assert!(message.contains(part) && message.contains(kind), "{message}");
        }
        assert!(refusal(|json| json["normalizer"] = Value::Null).contains("`normalizer` is nothing"));
        assert!(
            refusal(|json| json["model"]["max_input_chars_per_word"] = json!(1u64 << 40)).contains("1099511627776")
        );
        assert!(refusal(|json| json["model"]["vocab"]["un"] = json!(9)).contains("`un` has the number 9"));
        assert!(refusal(|json| json["added_tokens"][0]["content"] = json!("<face>")).contains("`<face>`"));
        let message = WordPiece::from_lines("[UNK]\n[CLS]\na", None).unwrap_err().to_string();
        assert!(message.contains("no token [SEP]"), "{message}");
    }

    #[test]
    fn the_files_of_2020_do_not_name_their_model() {
        let mut json = file();
        json["model"].as_object_mut().unwrap().remove("type").unwrap();
        assert_eq!(WordPiece::from_json(json.to_string().as_bytes()).unwrap().size(), 4);
    }
}
