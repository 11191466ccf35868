//! The network: embeddings and a stack of transformer layers (Devlin et al. 2019).

use burn::module::Module;
use burn::nn::{Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::activation::{gelu, softmax};
use burn::tensor::{Device, Int, Tensor};

use super::config::BertConfig;

/// BERT without its heads.
#[derive(Module, Debug)]
pub(super) struct Encoder {
    embeddings: Embeddings,
    layers: Vec<Layer>,
}

impl Encoder {
    pub(super) fn new(config: &BertConfig, device: &Device) -> Self {
        Self {
            embeddings: Embeddings::new(config, device),
            layers: (0..config.num_hidden_layers).map(|_| Layer::new(config, device)).collect(),
        }
    }

    /// The last hidden state of one sentence.
    ///
    /// # Shapes
    /// - `tokens`: `[1, tokens]`
    /// - result: `[1, tokens, hidden_size]`
    pub(super) fn forward(&self, tokens: Tensor<2, Int>) -> Tensor<3> {
        self.layers.iter().fold(self.embeddings.forward(tokens), |x, layer| layer.forward(x))
    }
}

/// What a token is, plus where it stands. All tokens belong to the first of the two sentences that BERT tells apart.
#[derive(Module, Debug)]
struct Embeddings {
    words: Embedding,
    positions: Embedding,
    types: Embedding,
    norm: LayerNorm,
}

impl Embeddings {
    fn new(config: &BertConfig, device: &Device) -> Self {
        let table = |rows| EmbeddingConfig::new(rows, config.hidden_size).init(device);
        Self {
            words: table(config.vocab_size),
            positions: table(config.max_position_embeddings),
            types: table(config.type_vocab_size),
            norm: norm(config, device),
        }
    }

    /// # Shapes
    /// - `tokens`: `[1, tokens]`
    /// - result: `[1, tokens, hidden_size]`
    fn forward(&self, tokens: Tensor<2, Int>) -> Tensor<3> {
        let count = tokens.dims()[1];
        let positions = self.positions.weight.val().narrow(0, 0, count).unsqueeze();
        let first = self.types.weight.val().narrow(0, 0, 1).unsqueeze();
        self.norm.forward(self.words.forward(tokens) + positions + first)
    }
}

/// Attention and two projections with a GELU between them, each added to its input and then normalised.
#[derive(Module, Debug)]
struct Layer {
    query: Linear,
    key: Linear,
    value: Linear,
    attended: Linear,
    attended_norm: LayerNorm,
    inner: Linear,
    outer: Linear,
    outer_norm: LayerNorm,
    heads: usize,
}

impl Layer {
    fn new(config: &BertConfig, device: &Device) -> Self {
        let linear = |from, to| LinearConfig::new(from, to).init(device);
        let (channels, inner) = (config.hidden_size, config.intermediate_size);
        Self {
            query: linear(channels, channels),
            key: linear(channels, channels),
            value: linear(channels, channels),
            attended: linear(channels, channels),
            attended_norm: norm(config, device),
            inner: linear(channels, inner),
            outer: linear(inner, channels),
            outer_norm: norm(config, device),
            heads: config.num_attention_heads,
        }
    }

    /// # Shapes
    /// - `x` and result: `[1, tokens, hidden_size]`
    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let x = self.attended_norm.forward(self.attended.forward(self.attend(x.clone())) + x);
        self.outer_norm.forward(self.outer.forward(gelu(self.inner.forward(x.clone()))) + x)
    }

    /// Attention of every token to all. There is no padding to be masked: sentences come one at a time.
    ///
    /// # Shapes
    /// - `x` and result: `[1, tokens, hidden_size]`
    fn attend(&self, x: Tensor<3>) -> Tensor<3> {
        let dims @ [_, tokens, channels] = x.dims();
        let head = channels / self.heads;
        let project =
            |linear: &Linear| linear.forward(x.clone()).reshape([1, tokens, self.heads, head]).swap_dims(1, 2);
        let scores = project(&self.query).matmul(project(&self.key).transpose()) / (head as f64).sqrt();
        softmax(scores, 3).matmul(project(&self.value)).swap_dims(1, 2).reshape(dims)
    }
}

fn norm(config: &BertConfig, device: &Device) -> LayerNorm {
    LayerNormConfig::new(config.hidden_size).with_epsilon(config.layer_norm_eps).init(device)
}

/// The parts of the network under our names and Hugging Face's.
const NAMES: [(&str, &str); 12] = [
    ("embeddings.words", "embeddings.word_embeddings"),
    ("embeddings.positions", "embeddings.position_embeddings"),
    ("embeddings.types", "embeddings.token_type_embeddings"),
    ("embeddings.norm", "embeddings.LayerNorm"),
    ("query", "attention.self.query"),
    ("key", "attention.self.key"),
    ("value", "attention.self.value"),
    ("attended", "attention.output.dense"),
    ("attended_norm", "attention.output.LayerNorm"),
    ("inner", "intermediate.dense"),
    ("outer", "output.dense"),
    ("outer_norm", "output.LayerNorm"),
];

/// The key of a parameter in Hugging Face's files, for its path in [`Encoder`].
pub(super) fn official_key(path: &str) -> String {
    let (path, leaf) = path.rsplit_once('.').unwrap_or(("", path));
    let leaf = match leaf {
        "gamma" => "weight",
        "beta" => "bias",
        other => other,
    };
    let theirs = |ours: &str| NAMES.iter().find(|(name, _)| *name == ours).map_or("", |(_, theirs)| theirs);
    match path.strip_prefix("layers.").and_then(|rest| rest.split_once('.')) {
        Some((index, part)) => format!("encoder.layer.{index}.{}.{leaf}", theirs(part)),
        None => format!("{}.{leaf}", theirs(path)),
    }
}

/// The key that [`official_key`] gives a tensor of any BERT file; `None` for heads, the pooler, and what follows from
/// the sizes. Files of models with heads have all of BERT under `bert.`; those that were converted from TensorFlow call
/// gain and bias as it does.
pub(super) fn known_key(key: &str) -> Option<String> {
    let key = key.strip_prefix("bert.").unwrap_or(key);
    let is_ours = key.starts_with("encoder.") || key.starts_with("embeddings.");
    let is_buffer = ["embeddings.position_ids", "embeddings.token_type_ids"].contains(&key);
    (is_ours && !is_buffer)
        .then(|| key.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias"))
}
