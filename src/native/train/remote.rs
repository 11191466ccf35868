//! Workers on other machines: what a trainer and a worker say to each other, and the trainer's side of it.
//!
//! A connection begins with the token and the fingerprint of the program. Then the trainer sends the objective, once,
//! and for every step the weights, and after them parts, each of which is answered with its loss, its gradients and, of
//! the first part, the running statistics. A worker keeps nothing else.

use std::borrow::Cow;
use std::fmt;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::str::FromStr;

use anyhow::{Context, Result, anyhow, bail, ensure};
use burn::module::Module;
use burn::tensor::TensorData;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tungstenite::client::ClientRequestBuilder;
use tungstenite::http::{HeaderMap, StatusCode, Uri, header};
use tungstenite::{Bytes, Error};

use super::connection::{Connection, PATIENCE, is_silence};
use super::parcel::{Parcel, gradients_of, values_of};
use super::stage::{Draw, Objective, Outcome};
use crate::native::whole_file::read_small_file;

/// Names of the fields beside those of WebSocket.
pub(super) const VERSION_FIELD: &str = "lfdm-version";
pub(super) const DEVICE_FIELD: &str = "lfdm-device";
pub(super) const PATH: &str = "/parts";
/// The version of this program, and the fingerprint of its sources: others may compute something else.
pub(super) const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "+", env!("LFDM_SOURCES"));

/// Prefixes of the lists in an answer.
pub(super) const GRADIENTS: &str = "gradient";
pub(super) const STATISTICS: &str = "statistic";
pub(super) const VALUES: &str = "value";
/// That of a list of weights.
pub(super) const WEIGHTS: &str = "weight";

/// What a trainer asks for. Each request but the last is followed by a parcel of its own.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Request {
    /// Compute with the objective of this name, which follows.
    Objective(String),
    /// Compute with the weights that follow, from now on.
    Weights,
    /// Compute a part with the batch that follows.
    Part(Draw),
}

/// What a worker answers.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    /// The objective is there.
    Ready,
    /// A part is computed: the names of its values, which come with gradients and statistics.
    Part(Vec<String>),
    /// It cannot be done, and why.
    Failed(String),
}

/// What trainers and workers share, so that nobody else is served.
#[derive(Clone)]
pub(crate) struct Token(String);

impl Token {
    /// # Errors
    /// A file that is not there, or that holds no word of at least 16 characters.
    pub(super) fn read(path: &Path) -> Result<Self> {
        const LARGEST: u64 = 4096;
        const SHORTEST: usize = 16;
        let bytes =
            read_small_file(path, LARGEST).with_context(|| format!("cannot read --token-file {}", path.display()))?;
        let text = String::from_utf8(bytes).unwrap_or_default();
        let token = text.trim();
        ensure!(
            token.len() >= SHORTEST && token.bytes().all(|byte| byte.is_ascii_graphic()),
            "--token-file {} must hold one word of at least {SHORTEST} letters and digits; `openssl rand -hex 32` \
             makes one",
            path.display()
        );
        Ok(Self(token.to_owned()))
    }

    /// The field of a request that shows the token.
    fn field(&self) -> String {
        format!("Bearer {}", self.0)
    }

    /// Whether the fields of a request show the same token; how long that takes says nothing of it.
    pub(super) fn is_in(&self, fields: &HeaderMap) -> bool {
        let shown = fields.get(header::AUTHORIZATION);
        shown.is_some_and(|shown| Sha256::digest(shown) == Sha256::digest(self.field()))
    }
}

/// Where a worker listens, `ws://HOST:PORT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address(String);

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || format!("`{text}` is not the address of a worker");
        let uri: Uri = text.parse().map_err(|_| refused())?;
        let place = uri.authority().filter(|place| !place.as_str().contains('@') && !place.host().is_empty());
        match place {
            Some(place)
                if uri.scheme_str() == Some("ws")
                    && uri.path_and_query().is_none_or(|path| path.as_str() == "/")
                    && place.port_u16().is_some_and(|port| port > 0) =>
            {
                Ok(Self(place.to_string()))
            }
            _ => Err(refused()),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ws://{}", self.0)
    }
}

/// A worker that is connected.
pub(crate) struct Remote {
    address: Address,
    device: String,
    connection: Connection,
    is_lost: bool,
}

impl Remote {
    /// Calls the worker at `address`.
    ///
    /// # Errors
    /// In words that say what to do: nobody there, another token, another version, something else that listens.
    pub(super) fn call(address: &Address, token: &Token) -> Result<Self> {
        let stream = connect(address).with_context(|| {
            format!(
                "no worker answers at {address}; is `lfdm worker --listen` running there, on an address and a port \
                 that this machine can reach?"
            )
        })?;
        let uri = format!("{address}{PATH}").parse().with_context(|| format!("{address} cannot be called"))?;
        let request = ClientRequestBuilder::new(uri)
            .with_header(header::AUTHORIZATION.as_str(), token.field())
            .with_header(VERSION_FIELD, VERSION);
        let (connection, answer) = Connection::ask(stream, request).map_err(|error| refusal(address, error))?;
        ensure_same_version(address, answer.headers())?;
        let device = text(answer.headers(), DEVICE_FIELD).unwrap_or("a device").to_owned();
        Ok(Self { address: address.clone(), device, connection, is_lost: false })
    }

    /// What it is called in messages.
    pub(super) fn name(&self) -> String {
        format!("the worker {} ({})", self.address, self.device)
    }

    /// Whether a request has failed; nobody asks a lost worker again.
    pub(super) fn is_lost(&self) -> bool {
        self.is_lost
    }

    /// Gives it the objective that it is to compute.
    pub(super) fn learn<O: Objective>(&mut self, objective: &O) -> Result<()> {
        let learn = |remote: &mut Self| {
            remote.send(&Request::Objective(O::NAME.to_owned()))?;
            remote.connection.send(objective.pack()?.to_bytes()?)?;
            match remote.receive()?.words()? {
                Answer::Ready => Ok(()),
                other => unexpected(other),
            }
        };
        learn(self).with_context(|| format!("{} cannot prepare itself", self.name()))
    }

    /// Has it compute a part, with new `weights` if it does not have those of the step yet.
    pub(super) fn compute<M: Module>(
        &mut self,
        model: &M,
        weights: Option<Bytes>,
        draw: Draw,
        batch: &Parcel,
    ) -> Result<Outcome> {
        let outcome = self.try_compute(model, weights, draw, batch);
        self.is_lost = outcome.is_err();
        outcome
    }

    fn try_compute<M: Module>(
        &mut self,
        model: &M,
        weights: Option<Bytes>,
        draw: Draw,
        batch: &Parcel,
    ) -> Result<Outcome> {
        if let Some(weights) = weights {
            self.send(&Request::Weights)?;
            self.connection.send(weights)?;
        }
        self.send(&Request::Part(draw))?;
        self.connection.send(batch.to_bytes()?)?;
        let mut parcel = self.receive()?;
        let names = match parcel.words()? {
            Answer::Part(names) => names,
            other => return unexpected(other),
        };
        let values: Vec<f32> =
            parcel.list(VALUES).iter().flat_map(|data| data.iter::<f32>().collect::<Vec<_>>()).collect();
        ensure!(
            !names.is_empty() && names.len() == values.len(),
            "a part has {} values for {} names",
            values.len(),
            names.len()
        );
        Ok(Outcome {
            values: names.into_iter().map(Cow::Owned).zip(values).collect(),
            gradients: gradients_of(model, &mut parcel, GRADIENTS)?,
            statistics: parcel.list(STATISTICS),
        })
    }

    fn send(&mut self, request: &Request) -> Result<()> {
        self.connection.send(Parcel::new(request)?.to_bytes()?)
    }

    fn receive(&mut self) -> Result<Parcel> {
        Parcel::from_bytes(&self.connection.receive()?)
    }
}

fn unexpected<T>(answer: Answer) -> Result<T> {
    match answer {
        Answer::Failed(reason) => bail!("{reason}"),
        other => bail!("it answered something else: {other:?}"),
    }
}

fn connect(address: &Address) -> Result<TcpStream> {
    let mut last = None;
    for socket in address.0.to_socket_addrs().context("the name of the machine is not known")? {
        match TcpStream::connect_timeout(&socket, PATIENCE) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(error),
        }
    }
    match last {
        Some(error) => Err(error.into()),
        None => bail!("the name of the machine has no address"),
    }
}

/// Why a connection did not begin, and what to do.
fn refusal(address: &Address, error: Error) -> anyhow::Error {
    match error {
        Error::Http(answer) if answer.status() == StatusCode::UNAUTHORIZED => {
            anyhow!("the worker {address} does not know this token: --token-file must hold the same there and here")
        }
        Error::Http(answer) => match ensure_same_version(address, answer.headers()) {
            Err(error) => error,
            Ok(()) => anyhow!("the worker {address} refused the connection: {}", answer.status()),
        },
        error if is_silence(&error) => anyhow!(
            "what listens at {address} has not answered for {} seconds, as a worker of lfdm would; if it is one, its \
             machine is too busy or the process is stopped",
            PATIENCE.as_secs()
        ),
        error => anyhow!(
            "what listens at {address} does not answer like a worker of lfdm, or has no place for one more training: \
             {error}"
        ),
    }
}

/// # Errors
/// A worker of another version, or none of ours.
fn ensure_same_version(address: &Address, fields: &HeaderMap) -> Result<()> {
    match text(fields, VERSION_FIELD) {
        Some(VERSION) => Ok(()),
        Some(theirs) => bail!(
            "the worker {address} is lfdm {theirs}, and this is lfdm {VERSION}: both must be built from the same \
             sources, since others may compute something else"
        ),
        None => bail!("what listens at {address} is no worker of lfdm"),
    }
}

/// The value of a field, if it is text.
fn text<'a>(fields: &'a HeaderMap, name: &str) -> Option<&'a str> {
    fields.get(name).and_then(|value| value.to_str().ok())
}

/// The weights of a step, as every worker gets them.
pub(super) fn weights_of<M: Module>(model: &M) -> Result<Bytes> {
    let values: Vec<Option<TensorData>> = values_of(&model.valid()).into_iter().map(Some).collect();
    Ok(Parcel::new(&())?.with_list(WEIGHTS, values).to_bytes()?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_of_a_host_and_a_port() {
        for (text, place) in
            [("ws://a:3000", "a:3000"), ("ws://10.0.0.7:1/", "10.0.0.7:1"), ("ws://[::1]:80", "[::1]:80")]
        {
            assert_eq!(text.parse::<Address>().unwrap().0, place);
        }
        for text in [
            "a:3000",
            "ws://a",
            "ws://:3000",
            "ws://a:0",
            "ws://a:70000",
            "ws://a b:1",
            "http://a:1",
            "ws://a:1/x",
            "ws://me@a:1",
            "",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_token_is_one_long_word() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let read = |text: &str| {
            std::fs::write(file.path(), text).unwrap();
            Token::read(file.path()).map_err(|error| error.to_string())
        };
        let token = read("0123456789abcdef\r\n\n").unwrap();
        let shows = |text: &str| token.is_in(&HeaderMap::from_iter([(header::AUTHORIZATION, text.parse().unwrap())]));
        assert!(shows("Bearer 0123456789abcdef"));
        assert!(!shows("Bearer 0123456789abcdeF") && !shows("0123456789abcdef") && !shows(""));
        assert!(!token.is_in(&HeaderMap::new()));
        for text in ["", "\n", "short", "two words of a certain length", "sixteen\r\nHost: evil"] {
            assert!(read(text).err().unwrap().contains("at least 16"), "{text}");
        }
        assert!(Token::read(Path::new("nowhere")).err().unwrap().to_string().contains("--token-file nowhere"));
    }
}
