//! A WebSocket between a training and a worker: messages of bytes in both directions, and signs of life. Nobody waits
//! for ever for another end that is silent.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use tungstenite::client::{ClientRequestBuilder, client_with_config};
use tungstenite::error::ProtocolError;
use tungstenite::handshake::client::Response;
use tungstenite::handshake::server::Callback;
use tungstenite::handshake::{HandshakeError, HandshakeRole};
use tungstenite::protocol::WebSocketConfig;
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{Data, OpCode};
use tungstenite::{Bytes, Error, Message, WebSocket, accept_hdr_with_config};

/// How long a connection may take to begin.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// How often a worker that computes shows that it is alive, and after what silence the other end is lost.
const HEARTBEAT: Duration = Duration::from_secs(5);
const SILENCE: Duration = Duration::from_secs(30);
/// How long a trainer, which may be stopped for a while, can take to read what a worker computed.
const STALL: Duration = Duration::from_mins(10);
/// Bytes of a message, at most: a thousand million weights.
const LARGEST: usize = u32::MAX as usize;
/// Bytes of a frame, at most. A message is cut into frames, so that memory is taken as bytes arrive, and not as they
/// are announced.
const FRAME: usize = 1 << 20;

/// One end of a connection that has begun.
#[derive(Debug)]
pub(super) struct Connection {
    socket: WebSocket<Line>,
}

impl Connection {
    /// Asks the other end of `stream` for a connection; also gives its answer.
    ///
    /// # Errors
    /// [`Error::Http`] if the other end refuses, with its answer.
    pub(super) fn ask(stream: TcpStream, request: ClientRequestBuilder) -> Result<(Self, Response), Error> {
        let begun = client_with_config(request, Line::begin(stream)?, Some(config()));
        let (socket, answer) = begun.map_err(failure)?;
        Ok((Self::begun(socket, SILENCE)?, answer))
    }

    /// Lets the other end of `stream` ask, and `judge` it.
    pub(super) fn answer(stream: TcpStream, judge: impl Callback) -> Result<Self, Error> {
        let socket = accept_hdr_with_config(Line::begin(stream)?, judge, Some(config())).map_err(failure)?;
        Self::begun(socket, STALL)
    }

    /// `stall`: how long the other end may take to read.
    fn begun(mut socket: WebSocket<Line>, stall: Duration) -> Result<Self, Error> {
        let line = socket.get_mut();
        line.deadline = None;
        line.stream.set_read_timeout(Some(SILENCE))?;
        line.stream.set_write_timeout(Some(stall))?;
        Ok(Self { socket })
    }

    /// Sends a message.
    pub(super) fn send(&mut self, message: impl Into<Bytes>) -> Result<()> {
        let message = message.into();
        ensure!(message.len() <= LARGEST, "a message of {} bytes is too large to be sent", message.len());
        self.write(message).map_err(|error| {
            if is_silence(&error) { anyhow!("it has stopped reading what is sent to it") } else { words(error) }
        })
    }

    fn write(&mut self, mut rest: Bytes) -> Result<(), Error> {
        let mut kind = Data::Binary;
        loop {
            let frame = rest.split_to(rest.len().min(FRAME));
            let is_last = rest.is_empty();
            self.socket.write(Message::Frame(Frame::message(frame, OpCode::Data(kind), is_last)))?;
            if is_last {
                return self.socket.flush();
            }
            kind = Data::Continue;
        }
    }

    /// The next message, from an end that shows that it is alive until it has one.
    pub(super) fn receive(&mut self) -> Result<Bytes> {
        loop {
            if let Some(message) = message_of(self.socket.read().map_err(words)?)? {
                return Ok(message);
            }
        }
    }

    /// The next message, however long it takes; `None` if the other end leaves instead. That its machine is gone shows
    /// when the system gives up on what is sent there.
    pub(super) fn wait(&mut self) -> Result<Option<Bytes>> {
        loop {
            match self.socket.read() {
                Ok(Message::Close(_)) => return Ok(None),
                Ok(message) => {
                    if let Some(message) = message_of(message)? {
                        return Ok(Some(message));
                    }
                }
                Err(error) if is_silence(&error) => self.ping().map_err(words)?,
                Err(error) if is_farewell(&error) => return Ok(None),
                Err(error) => return Err(words(error)),
            }
        }
    }

    /// Does `work` while the other end is shown that this one is alive.
    pub(super) fn alive<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let (stop, stopped) = channel::<()>();
        thread::scope(|scope| {
            scope.spawn(move || {
                while stopped.recv_timeout(HEARTBEAT) == Err(RecvTimeoutError::Timeout) {
                    // What is wrong with the connection is said when the work is sent.
                    if self.ping().is_err() {
                        return;
                    }
                }
            });
            let _stop = stop;
            work()
        })
    }

    fn ping(&mut self) -> Result<(), Error> {
        self.socket.send(Message::Ping(Bytes::new()))
    }
}

fn config() -> WebSocketConfig {
    WebSocketConfig::default().max_message_size(Some(LARGEST)).max_frame_size(Some(FRAME))
}

/// The bytes of a message, if it is one of bytes.
fn message_of(message: Message) -> Result<Option<Bytes>> {
    match message {
        Message::Binary(bytes) => Ok(Some(bytes)),
        Message::Ping(_) | Message::Pong(_) => Ok(None),
        Message::Close(_) => Err(words(Error::ConnectionClosed)),
        Message::Text(_) | Message::Frame(_) => Err(anyhow!("the other end sends something else than bytes")),
    }
}

fn failure<R: HandshakeRole>(error: HandshakeError<R>) -> Error {
    match error {
        HandshakeError::Failure(error) => error,
        HandshakeError::Interrupted(_) => Error::Io(ErrorKind::TimedOut.into()),
    }
}

/// Whether nothing has come for the time of a limit.
pub(super) fn is_silence(error: &Error) -> bool {
    matches!(error, Error::Io(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
}

/// Whether the other end has just gone.
fn is_farewell(error: &Error) -> bool {
    match error {
        Error::ConnectionClosed | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => true,
        Error::Io(error) => matches!(
            error.kind(),
            ErrorKind::UnexpectedEof
                | ErrorKind::ConnectionReset
                | ErrorKind::ConnectionAborted
                | ErrorKind::BrokenPipe
        ),
        _ => false,
    }
}

/// What went wrong with a connection that had begun.
fn words(error: Error) -> anyhow::Error {
    if is_silence(&error) {
        anyhow!("it has not been heard of for {} seconds", SILENCE.as_secs())
    } else if is_farewell(&error) {
        anyhow!("it has closed the connection")
    } else {
        // Its text holds that of its cause.
        anyhow!("{error}")
    }
}

/// TCP, with a time at which a beginning must be over.
#[derive(Debug)]
struct Line {
    stream: TcpStream,
    deadline: Option<Instant>,
}

impl Line {
    fn begin(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream, deadline: Some(Instant::now() + PATIENCE) })
    }
}

impl Read for Line {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if let Some(deadline) = self.deadline {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
            self.stream.set_read_timeout(Some(left))?;
        }
        self.stream.read(bytes)
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use tungstenite::handshake::server::NoCallback;

    use super::*;

    /// Two ends of a connection over loopback: that of the client, and that of the server.
    fn pair() -> [Connection; 2] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let client = thread::spawn(move || {
            let uri = format!("ws://{address}/").parse().unwrap();
            Connection::ask(TcpStream::connect(address).unwrap(), ClientRequestBuilder::new(uri)).unwrap().0
        });
        let server = Connection::answer(listener.accept().unwrap().0, NoCallback).unwrap();
        [client.join().unwrap(), server]
    }

    #[test]
    fn messages_of_all_lengths_arrive_in_both_directions() {
        let [mut client, mut server] = pair();
        for length in [0, 1, 126, 0x1_0000, FRAME - 1, FRAME, FRAME + 1, 3 * FRAME + 5] {
            let message: Vec<u8> = (0..length).map(|place| (place * 7 + place / 256) as u8).collect();
            thread::scope(|scope| {
                scope.spawn(|| client.send(message.clone()).unwrap());
                assert!(server.wait().unwrap().unwrap() == message, "{length} bytes");
            });
            thread::scope(|scope| {
                scope.spawn(|| server.send(message.clone()).unwrap());
                assert!(client.receive().unwrap() == message, "{length} bytes");
            });
        }
    }

    #[test]
    fn who_is_silent_is_lost_and_who_is_at_work_is_not() {
        let [mut client, mut server] = pair();
        let soon = Duration::from_millis(50);
        client.socket.get_ref().stream.set_read_timeout(Some(soon)).unwrap();
        let message = client.receive().unwrap_err().to_string();
        assert!(message.contains("not been heard of"), "{message}");
        // A sign of life is no message, and neither end is confused by a wait.
        server.ping().unwrap();
        assert!(client.receive().is_err());
        server.socket.get_ref().stream.set_read_timeout(Some(soon)).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(4 * soon);
                client.send(b"late".to_vec()).unwrap();
            });
            assert_eq!(server.wait().unwrap().unwrap(), &b"late"[..]);
        });
        assert_eq!(server.alive(|| 7), 7);

        drop(client);
        assert!(server.wait().unwrap().is_none());
        let [client, server] = pair();
        drop(server);
        let mut client = client;
        assert_eq!(client.receive().unwrap_err().to_string(), "it has closed the connection");
    }

    #[test]
    fn who_reads_nothing_is_lost_in_other_words() {
        let [client, mut server] = pair();
        server.socket.get_ref().stream.set_write_timeout(Some(Duration::from_millis(50))).unwrap();
        // More than the buffers of both ends hold.
        let message = server.send(vec![0; 1 << 26]).unwrap_err().to_string();
        assert!(message.contains("stopped reading"), "{message}");
        drop(client);
    }

    #[test]
    fn no_memory_is_taken_for_what_is_only_announced() {
        let [mut client, mut server] = pair();
        // A frame of 2^40 bytes, masked as a client does.
        let mut head = vec![0x82, 0xff];
        head.extend((1_u64 << 40).to_be_bytes());
        client.socket.get_mut().write_all(&head).unwrap();
        client.socket.get_mut().write_all(&[0; 4]).unwrap();
        let message = server.wait().unwrap_err().to_string();
        assert!(message.contains("too"), "{message}");
    }
}
