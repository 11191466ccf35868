//! `lfdm worker`: lends a device of this machine to trainings on others.
//!
//! Every connection has a thread, a model and nothing on disk. A training that goes away leaves nothing behind, and a
//! worker that goes away costs a training one part.

use std::any::Any;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use burn::tensor::{Device, TensorData};
use tungstenite::Error;
use tungstenite::handshake::server::{Callback, ErrorResponse, Request as Call, Response};
use tungstenite::http::{HeaderName, HeaderValue, StatusCode};

use super::account::Stopwatch;
use super::autoencoder::AutoencoderObjective;
use super::baseline::BaselineObjective;
use super::classifier::ClassifierObjective;
use super::connection::{Connection, PATIENCE, is_silence};
use super::consistency::ConsistencyObjective;
use super::diffusion::DiffusionObjective;
use super::finetune::DecoderObjective;
use super::imaginator::ImaginatorObjective;
use super::lfae::LfaeObjective;
use super::parcel::{Parcel, gradients_to_values, with_values};
use super::parts::compute;
use super::remote::{
    Answer, DEVICE_FIELD, GRADIENTS, PATH, Request, STATISTICS, Token, VALUES, VERSION, VERSION_FIELD, WEIGHTS,
};
use super::stage::{Cargo as _, Draw, Objective, Outcome};
use crate::native::device::DeviceArgs;

/// Connections at once, at most: each has a thread, and the strangers among them [`PATIENCE`] to say who they are.
const MOST: usize = 64;
/// How long to wait before the next connection when one has failed.
const PAUSE: Duration = Duration::from_millis(100);

/// `lfdm worker`
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Address to listen on: 0.0.0.0:3000 for all networks of this machine, 127.0.0.1:3000 for tunnels that end here.
    #[arg(long, value_name = "ADDRESS")]
    listen: SocketAddr,
    /// File with a word that trainings must know, of at least 16 characters. It is sent in the clear.
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
    #[command(flatten)]
    device: DeviceArgs,
}

/// Serves until the process ends.
pub(crate) fn run(args: &Args) -> Result<()> {
    let host = Host {
        token: Token::read(&args.token_file)?,
        device: args.device.open()?.autodiff(),
        device_name: args.device.name(),
        version: VERSION,
    };
    let listener = TcpListener::bind(args.listen)
        .with_context(|| format!("cannot listen on {}; choose another address or port", args.listen))?;
    tracing::info!("lfdm {VERSION} listens on ws://{}, computes on {}", listener.local_addr()?, host.device_name);
    host.serve(&listener);
    Ok(())
}

/// What a worker lends, and to whom.
#[derive(Clone)]
struct Host {
    token: Token,
    device: Device,
    device_name: String,
    version: &'static str,
}

impl Host {
    /// Every connection on a thread of its own.
    fn serve(&self, listener: &TcpListener) {
        let places = Arc::new(());
        for stream in listener.incoming() {
            let stream = match stream {
                Ok(stream) => stream,
                Err(error) => {
                    tracing::warn!("a connection has failed: {error}");
                    // Such as too many open files, which pass.
                    thread::sleep(PAUSE);
                    continue;
                }
            };
            let peer = stream.peer_addr().map_or_else(|_| "somebody".to_owned(), |peer| peer.to_string());
            if Arc::strong_count(&places) > MOST {
                tracing::warn!("{peer} is turned away: {MOST} others are here");
                continue;
            }
            let (host, place) = (self.clone(), places.clone());
            let talk = move || {
                match host.talk(stream, &peer) {
                    Ok(()) => tracing::info!("{peer} has left"),
                    Err(error) => tracing::warn!("{peer}: {error:#}"),
                }
                drop(place);
            };
            if let Err(error) = thread::Builder::new().name("trainer".to_owned()).spawn(talk) {
                tracing::warn!("no thread for a trainer: {error}");
            }
        }
    }

    /// A whole connection.
    fn talk(&self, stream: TcpStream, peer: &str) -> Result<()> {
        let mut connection = Connection::answer(stream, self).map_err(|error| match error {
            Error::Http(answer) => {
                let reason = answer.into_body().unwrap_or_default();
                anyhow!("refused: {}", String::from_utf8_lossy(&reason).trim_end())
            }
            error if is_silence(&error) => anyhow!("has asked for nothing in {} seconds", PATIENCE.as_secs()),
            error => anyhow!("does not speak as a training does: {error}"),
        })?;
        tracing::info!("{peer} trains here");
        self.work(&mut connection)
    }

    fn work(&self, connection: &mut Connection) -> Result<()> {
        let Some(request) = request(connection)? else { return Ok(()) };
        let Request::Objective(name) = request else { bail!("asks for a part before an objective") };
        let Some(objective) = parcel(connection)? else { return Ok(()) };
        match name.as_str() {
            LfaeObjective::NAME => self.work_on::<LfaeObjective>(connection, objective),
            DecoderObjective::NAME => self.work_on::<DecoderObjective>(connection, objective),
            AutoencoderObjective::NAME => self.work_on::<AutoencoderObjective>(connection, objective),
            DiffusionObjective::NAME => self.work_on::<DiffusionObjective>(connection, objective),
            ConsistencyObjective::NAME => self.work_on::<ConsistencyObjective>(connection, objective),
            BaselineObjective::NAME => self.work_on::<BaselineObjective>(connection, objective),
            ImaginatorObjective::NAME => self.work_on::<ImaginatorObjective>(connection, objective),
            ClassifierObjective::NAME => self.work_on::<ClassifierObjective>(connection, objective),
            _ => fail(connection, &anyhow!("it knows no objective of that name")),
        }
    }

    /// Computes parts until the trainer leaves.
    fn work_on<O: Objective>(&self, connection: &mut Connection, objective: Parcel) -> Result<()> {
        let prepare = || -> Result<(O, O::Model)> {
            let objective = O::unpack(objective, &self.device)?;
            let model = objective.init(&self.device);
            Ok((objective, model))
        };
        let (objective, fresh) = match connection.alive(|| caught(prepare)) {
            Ok(prepared) => prepared,
            Err(error) => return fail(connection, &error),
        };
        answer(connection, &Parcel::new(&Answer::Ready)?)?;
        // What is wrong with weights is said of the part that needs them.
        let mut model = Err(anyhow!("a part came before its weights"));
        while let Some(request) = request(connection)? {
            let Some(mut content) = parcel(connection)? else { break };
            match request {
                Request::Objective(_) => bail!("asks for a second objective"),
                Request::Weights => model = caught(|| with_values(fresh.clone(), content.list(WEIGHTS))),
                Request::Part(draw) => {
                    let model = match &model {
                        Ok(model) => model,
                        Err(error) => return fail(connection, error),
                    };
                    match connection.alive(|| caught(|| self.compute(&objective, model, content, draw))) {
                        Ok(part) => answer(connection, &part)?,
                        Err(error) => return fail(connection, &error),
                    }
                }
            }
        }
        Ok(())
    }

    fn compute<O: Objective>(&self, objective: &O, model: &O::Model, batch: Parcel, draw: Draw) -> Result<Parcel> {
        let batch = O::Batch::unpack(batch, &self.device)?;
        let outcome = compute(objective, model, batch, draw, &self.device, &mut Stopwatch::idle())?;
        let Outcome { values, gradients, statistics } = outcome;
        let names = values.iter().map(|(name, _)| name.to_string()).collect();
        let values = values.iter().map(|(_, value)| Some(TensorData::from([*value]))).collect();
        let answer = Parcel::new(&Answer::Part(names))?
            .with_list(VALUES, values)
            .with_list(GRADIENTS, gradients_to_values(model, gradients))
            .with_list(STATISTICS, statistics.into_iter().map(Some).collect());
        Ok(answer)
    }
}

impl Callback for &Host {
    /// Begins a connection, or says why not: who does not know the token learns nothing else.
    fn on_request(self, call: &Call, mut answer: Response) -> Result<Response, ErrorResponse> {
        let version = HeaderValue::from_static(self.version);
        let refused = |status, reason: &str, version: Option<HeaderValue>| {
            let mut answer = ErrorResponse::new(Some(format!("{reason}\n")));
            *answer.status_mut() = status;
            answer.headers_mut().extend(version.map(|version| (HeaderName::from_static(VERSION_FIELD), version)));
            answer
        };
        if !self.token.is_in(call.headers()) {
            return Err(refused(StatusCode::UNAUTHORIZED, "another token, or none", None));
        }
        if call.headers().get(VERSION_FIELD) != Some(&version) {
            return Err(refused(StatusCode::UPGRADE_REQUIRED, "another version of lfdm", Some(version)));
        }
        if call.uri().path() != PATH {
            return Err(refused(StatusCode::NOT_FOUND, "asks for something else", Some(version)));
        }
        let device = HeaderValue::from_str(&self.device_name).unwrap_or(HeaderValue::from_static("a device"));
        answer.headers_mut().insert(VERSION_FIELD, version);
        answer.headers_mut().insert(DEVICE_FIELD, device);
        Ok(answer)
    }
}

/// What a panic says is an error: the trainer has to hear of it.
fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    let words = |panic: Box<dyn Any + Send>| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
    };
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(anyhow!("it panicked: {}", words(panic))))
}

/// The next request; `None` if the trainer leaves.
fn request(connection: &mut Connection) -> Result<Option<Request>> {
    parcel(connection)?.map(|parcel| parcel.words()).transpose()
}

/// What belongs to a request; `None` if the trainer leaves.
fn parcel(connection: &mut Connection) -> Result<Option<Parcel>> {
    connection.wait()?.map(|bytes| Parcel::from_bytes(&bytes)).transpose()
}

fn answer(connection: &mut Connection, answer: &Parcel) -> Result<()> {
    connection.send(answer.to_bytes()?)
}

/// Says what went wrong, at both ends.
fn fail(connection: &mut Connection, error: &anyhow::Error) -> Result<()> {
    answer(connection, &Parcel::new(&Answer::Failed(format!("{error:#}")))?)?;
    bail!("{error:#}")
}

#[cfg(test)]
mod tests {
    use super::super::remote::Remote;
    use super::super::stage::Loss;
    use super::*;
    use crate::native::action_network::{ActionConfig, ActionNetwork};

    /// Says that it is the objective `NAME`, with words of its own.
    struct Pretender<const CLASSIFIER: bool>(Parcel);

    impl<const CLASSIFIER: bool> Objective for Pretender<CLASSIFIER> {
        type Model = ActionNetwork;
        type Batch = super::super::classifier::Batch;
        const NAME: &'static str = if CLASSIFIER { ClassifierObjective::NAME } else { "pretender" };

        fn init(&self, device: &Device) -> ActionNetwork {
            config().init(device)
        }

        fn loss(&self, _model: &ActionNetwork, _batch: Self::Batch, _draw: Draw, device: &Device) -> Loss {
            Loss::zero(device)
        }

        fn pack(&self) -> Result<Parcel> {
            Parcel::from_bytes(&self.0.to_bytes()?)
        }

        fn unpack(parcel: Parcel, _device: &Device) -> Result<Self> {
            Ok(Self(parcel))
        }
    }

    fn config() -> ActionConfig {
        ActionConfig { size: 32, labels: vec!["joy".to_owned(), "fear".to_owned()] }
    }

    #[test]
    fn what_fails_there_is_said_here() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "a-word-for-this-test").unwrap();
        let token = Token::read(file.path()).unwrap();
        let device = Device::flex().autodiff();
        let host =
            Host { token: token.clone(), device: device.clone(), device_name: "cpu".to_owned(), version: VERSION };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("ws://{}", listener.local_addr().unwrap()).parse().unwrap();
        thread::spawn(move || host.serve(&listener));
        let call = || Remote::call(&address, &token).unwrap();
        let words = |error: anyhow::Error| format!("{error:#}");

        let message = words(call().learn(&Pretender::<false>(Parcel::new(&config()).unwrap())).unwrap_err());
        assert!(message.contains(&format!("{address}")) && message.contains("knows no objective"), "{message}");
        let message = words(call().learn(&Pretender::<true>(Parcel::new(&"words").unwrap())).unwrap_err());
        assert!(message.contains("of another kind"), "{message}");

        let objective = Pretender::<true>(Parcel::new(&config()).unwrap());
        let (model, draw) = (objective.init(&device), Draw::of(0, 0, 1));
        let weights = super::super::remote::weights_of(&model).unwrap();
        let batch = Parcel::new(&[0]).unwrap();
        for (weights, reason) in [(Some(weights), "lacks clips"), (None, "before its weights")] {
            let mut remote = call();
            remote.learn(&objective).unwrap();
            let message = words(remote.compute(&model, weights, draw, &batch).err().unwrap());
            assert!(message.contains(reason) && remote.is_lost(), "{message}");
        }
    }

    #[test]
    fn a_panic_is_an_error_with_its_words() {
        let message = caught::<()>(|| panic!("no {} of it", 7)).unwrap_err().to_string();
        assert_eq!(message, "it panicked: no 7 of it");
        assert_eq!(caught(|| Ok(7)).unwrap(), 7);
    }
}
