//! The sizes of a BERT, as `config.json` says them.

use serde::Deserialize;

use super::error::Problem;
use crate::config::ConfigError;
use crate::config::bounds::{count, within};

/// The settings that the encoder's result depends on, under Hugging Face's names.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct BertConfig {
    pub vocab_size: usize,
    pub hidden_size: usize,
    pub num_hidden_layers: usize,
    pub num_attention_heads: usize,
    pub intermediate_size: usize,
    pub max_position_embeddings: usize,
    #[serde(default = "two")]
    pub type_vocab_size: usize,
    #[serde(default = "tiny")]
    pub layer_norm_eps: f64,
    // What must have a certain value.
    hidden_act: String,
    #[serde(default = "absolute")]
    position_embedding_type: String,
}

fn two() -> usize {
    2
}

fn tiny() -> f64 {
    1e-12
}

fn bert() -> String {
    "bert".into()
}

fn absolute() -> String {
    "absolute".into()
}

/// What kind of network it is, whatever else the file states. The files of 2019 do not say it.
#[derive(Deserialize)]
struct Kind {
    #[serde(default = "bert")]
    model_type: String,
}

impl BertConfig {
    /// Reads the text of a `config.json`.
    pub(super) fn parse(json: &[u8]) -> Result<Self, Problem> {
        let Kind { model_type } = serde_json::from_slice(json)?;
        ensure_is("model_type", &model_type, "bert")?;
        let config: Self = serde_json::from_slice(json)?;
        ensure_is("hidden_act", &config.hidden_act, "gelu")?;
        ensure_is("position_embedding_type", &config.position_embedding_type, "absolute")?;
        config.validate()?;
        Ok(config)
    }

    /// Bounds everything that sizes a tensor. The largest BERT has 1024 channels in 24 layers; bert-base-cased has a
    /// vocabulary of 28 996 tokens, some have four times as many.
    fn validate(&self) -> Result<(), ConfigError> {
        within("vocab_size", self.vocab_size, &(1..=1_000_000))?;
        within("hidden_size", self.hidden_size, &(1..=4096))?;
        within("num_hidden_layers", self.num_hidden_layers, &(1..=64))?;
        within("num_attention_heads", self.num_attention_heads, &(1..=64))?;
        within("intermediate_size", self.intermediate_size, &(1..=16_384))?;
        within("max_position_embeddings", self.max_position_embeddings, &(2..=4096))?;
        within("type_vocab_size", self.type_vocab_size, &(1..=16))?;
        within("layer_norm_eps", self.layer_norm_eps, &(0.0..=0.1))?;
        if !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            let problem =
                format!("must be a multiple of the {} heads; it is {}", self.num_attention_heads, self.hidden_size);
            return Err(ConfigError::new("hidden_size", problem));
        }
        let [tokens, channels, inner, places, heads] = [
            self.vocab_size,
            self.hidden_size,
            self.intermediate_size,
            self.max_position_embeddings,
            self.num_attention_heads,
        ]
        .map(|size| size as f64);
        count("vocab_size", "weights", tokens * channels)?;
        count("intermediate_size", "weights", inner * channels)?;
        count("max_position_embeddings", "attention", heads * places * places)
    }
}

fn ensure_is(setting: &str, value: &str, expected: &str) -> Result<(), Problem> {
    if value == expected {
        return Ok(());
    }
    Err(Problem::Foreign(format!("its `{setting}` is {value}, not {expected}")))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// The sizes of bert-base-cased.
    fn base() -> Value {
        json!({
            "model_type": "bert", "vocab_size": 28996, "hidden_size": 768, "num_hidden_layers": 12,
            "num_attention_heads": 12, "intermediate_size": 3072, "max_position_embeddings": 512,
            "type_vocab_size": 2, "layer_norm_eps": 1e-12, "hidden_act": "gelu", "use_cache": true,
        })
    }

    fn refusal(setting: &str, value: Value) -> String {
        let mut json = base();
        json[setting] = value;
        let parsed = BertConfig::parse(json.to_string().as_bytes());
        parsed.map(|_| setting.to_owned()).expect_err("it was accepted").to_string()
    }

    #[test]
    fn what_the_files_of_2019_leave_out_is_known() {
        let mut json = base();
        for setting in ["model_type", "type_vocab_size", "layer_norm_eps"] {
            json.as_object_mut().unwrap().remove(setting).unwrap();
        }
        let config = BertConfig::parse(json.to_string().as_bytes()).unwrap();
        assert_eq!((config.type_vocab_size, config.layer_norm_eps), (2, 1e-12));
    }

    #[test]
    fn another_network_is_named() {
        for (setting, value) in
            [("model_type", "roberta"), ("hidden_act", "relu"), ("position_embedding_type", "relative_key")]
        {
            let message = refusal(setting, json!(value));
            assert!(message.contains(setting) && message.contains(value), "{message}");
            assert!(message.contains("bert-base-cased"), "{message}");
        }
        let other = BertConfig::parse(br#"{"model_type": "gpt2", "n_embd": 768}"#).unwrap_err().to_string();
        assert!(other.contains("gpt2"), "the missing sizes are not the point: {other}");
    }

    #[test]
    fn sizes_that_make_no_network_are_refused() {
        for (setting, value) in [
            ("vocab_size", json!(0)),
            ("vocab_size", json!(1u64 << 40)),
            ("vocab_size", json!(900_000)),
            ("hidden_size", json!(770)),
            ("hidden_size", json!(1 << 20)),
            ("num_hidden_layers", json!(1_000_000)),
            ("num_attention_heads", json!(0)),
            ("intermediate_size", json!(1u64 << 33)),
            ("max_position_embeddings", json!(4096)),
            ("type_vocab_size", json!(0)),
            ("layer_norm_eps", json!(-1.0)),
        ] {
            let message = refusal(setting, value);
            assert!(message.contains(&format!("`{setting}`")), "{message}");
        }
        assert!(refusal("hidden_size", json!("wide")).contains("download it again"));
    }
}
