//! One TLS session without I/O: bytes in, bytes out.

use std::sync::Arc;

use rustls::client::UnbufferedClientConnection;
use rustls::crypto::SupportedKxGroup;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncryptError, UnbufferedStatus, WriteTraffic,
};
use rustls::{ClientConfig, CommonState, HandshakeKind, ProtocolVersion, ServerConfig};
use rustls_pki_types::ServerName;

use super::ciphers;
use super::error::TlsError;
use super::sni;

/// Bytes that a record adds to its plain text at most: header, nonce, tag, content type.
const RECORD_OVERHEAD_BYTES: usize = 32;

/// Room tried first for a handshake message; larger ones are told their size.
const HANDSHAKE_BYTES: usize = 512;

/// Room for an alert.
const ALERT_BYTES: usize = 64;

/// Plain text of one record at most (RFC 8446 section 5.1).
const RECORD_BYTES_MAX: usize = 16_384;

/// A session with one peer.
///
/// Between calls it keeps only the part of a record whose rest has not come yet: an idle session
/// costs its keys and nothing else.
pub struct TlsSession {
    side: Side,
    /// Bytes received that are not a whole record or handshake message yet. The connection keeps
    /// offsets into them, so every call must present them again.
    rest: Vec<u8>,
    /// The name from a client's hello; `None` until it was seen.
    sni: Option<Box<str>>,
    /// The certificate that a server's side has chosen.
    shown: Option<Arc<rustls::sign::CertifiedKey>>,
    hello_seen: bool,
    handshake_done: bool,
    peer_closed: bool,
    /// What ended the session; nothing goes in or out after it.
    failed: Option<TlsError>,
}

/// Working memory that all sessions of a core share.
#[derive(Debug, Default)]
pub struct Scratch {
    incoming: Vec<u8>,
}

enum Side {
    Server(Box<UnbufferedServerConnection>),
    Client(Box<UnbufferedClientConnection>),
}

/// How a session stands after bytes were fed to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Plain text may be sent.
    pub handshake_done: bool,
    /// The peer sent `close_notify`: no more plain text will come.
    pub peer_closed: bool,
}

/// What a finished handshake agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsInfo {
    /// `TLSv1.2` or `TLSv1.3`.
    pub version: &'static str,
    /// OpenSSL's name of the cipher.
    pub cipher: &'static str,
    /// Strength of the cipher in bits.
    pub cipher_bits: u16,
    /// OpenSSL's name of the key exchange's group; empty where a session was resumed without one.
    pub curve: &'static str,
    /// The name the client asked for; server side only.
    pub sni: Option<Box<str>>,
    /// The protocol chosen by ALPN.
    pub alpn: Option<Vec<u8>>,
    /// The session was resumed from a ticket.
    pub resumed: bool,
    /// The peer's certificate, DER.
    pub peer_certificate: Option<Vec<u8>>,
    /// The certificate that we showed, DER; server side only.
    pub own_certificate: Option<Vec<u8>>,
}

impl TlsSession {
    pub(super) fn accept(config: Arc<ServerConfig>) -> Result<TlsSession, TlsError> {
        let connection = UnbufferedServerConnection::new(config)?;
        Ok(TlsSession::new(Side::Server(Box::new(connection))))
    }

    pub(super) fn connect(
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
    ) -> Result<TlsSession, TlsError> {
        let connection = UnbufferedClientConnection::new(config, name)?;
        Ok(TlsSession::new(Side::Client(Box::new(connection))))
    }

    fn new(side: Side) -> TlsSession {
        TlsSession {
            side,
            rest: Vec::new(),
            sni: None,
            shown: None,
            hello_seen: false,
            handshake_done: false,
            peer_closed: false,
            failed: None,
        }
    }

    /// Whether plain text may be sent.
    pub fn handshake_done(&self) -> bool {
        self.handshake_done
    }

    /// Takes what came from the peer; what it must get is appended to `cipher`, what it sent to
    /// `plain`. A client's session starts with nothing in `incoming`.
    ///
    /// After an error `cipher` holds the alert that tells the peer why.
    pub fn feed(
        &mut self,
        incoming: &[u8],
        scratch: &mut Scratch,
        cipher: &mut Vec<u8>,
        plain: &mut Vec<u8>,
    ) -> Result<Progress, TlsError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let bytes = &mut scratch.incoming;
        bytes.clear();
        bytes.append(&mut self.rest);
        bytes.extend_from_slice(incoming);
        if !self.hello_seen && matches!(self.side, Side::Server(_)) {
            self.look_for_sni(bytes);
        }
        let mut used = 0;
        let mut outcome = Outcome::default();
        loop {
            let step = Step {
                cipher,
                plain,
                outcome: &mut outcome,
            };
            let stepped = match &mut self.side {
                Side::Server(side) => step.handle(side.process_tls_records(&mut bytes[used..])),
                Side::Client(side) => step.handle(side.process_tls_records(&mut bytes[used..])),
            };
            used = bytes.len().min(used + stepped.discard);
            // After a failure the connection must not look at input again, only yield its alert.
            let alert = outcome.error.is_some() && self.state().wants_write();
            if !(alert || (stepped.go_on && outcome.error.is_none())) {
                break;
            }
        }
        self.rest = bytes[used..].to_vec();
        if !self.handshake_done && matches!(self.side, Side::Server(_)) {
            self.shown = sni::take_chosen().or(self.shown.take());
        }
        self.handshake_done |= outcome.ready;
        self.peer_closed |= outcome.peer_closed;
        self.failed.clone_from(&outcome.error);
        match outcome.error {
            Some(error) => Err(error),
            None => Ok(Progress {
                handshake_done: self.handshake_done,
                peer_closed: self.peer_closed,
            }),
        }
    }

    /// Appends `plain` to `cipher` as records; fails before the handshake is done.
    pub fn encrypt(&mut self, plain: &[u8], cipher: &mut Vec<u8>) -> Result<(), TlsError> {
        if !self.handshake_done {
            return Err(TlsError::Protocol(
                "plain text before the end of the handshake".to_owned(),
            ));
        }
        if plain.is_empty() {
            return Ok(());
        }
        let records = plain.len().div_ceil(RECORD_BYTES_MAX);
        let room = plain.len() + records * RECORD_OVERHEAD_BYTES;
        self.with_traffic(cipher, |traffic, cipher| {
            append(cipher, room, |out| traffic.encrypt(plain, out))
        })
    }

    /// Appends the alert that ends our direction (RFC 8446 section 6.1); nothing before the
    /// handshake is done.
    pub fn close_notify(&mut self, cipher: &mut Vec<u8>) {
        if self.handshake_done {
            // A session that cannot say farewell is closed without it.
            let _ = self.with_traffic(cipher, |traffic, cipher| {
                append(cipher, ALERT_BYTES, |out| traffic.queue_close_notify(out))
            });
        }
    }

    /// What the handshake agreed on; `None` before it is done.
    pub fn info(&self) -> Option<TlsInfo> {
        if !self.handshake_done {
            return None;
        }
        let state = self.state();
        let suite = state.negotiated_cipher_suite()?.suite();
        let group = state
            .negotiated_key_exchange_group()
            .map(SupportedKxGroup::name);
        Some(TlsInfo {
            version: match state.protocol_version()? {
                ProtocolVersion::TLSv1_2 => "TLSv1.2",
                _ => "TLSv1.3",
            },
            cipher: ciphers::openssl_name(suite),
            cipher_bits: ciphers::strength_bits(suite),
            curve: group.map_or("", ciphers::openssl_curve),
            sni: self.sni.clone(),
            alpn: state.alpn_protocol().map(<[u8]>::to_vec),
            resumed: state.handshake_kind() == Some(HandshakeKind::Resumed),
            peer_certificate: state
                .peer_certificates()
                .and_then(|chain| chain.first())
                .map(|leaf| leaf.to_vec()),
            own_certificate: self
                .shown
                .as_ref()
                .and_then(|shown| shown.cert.first())
                .map(|leaf| leaf.to_vec()),
        })
    }

    fn state(&self) -> &CommonState {
        match &self.side {
            Side::Server(connection) => connection,
            Side::Client(connection) => connection,
        }
    }

    fn look_for_sni(&mut self, incoming: &[u8]) {
        let mut scratch = Vec::new();
        match wire::hello::parse(incoming, &mut scratch) {
            Ok(None) => {}
            Ok(Some(hello)) => {
                let name = hello
                    .server_name()
                    .and_then(|name| std::str::from_utf8(name).ok());
                self.sni = name.map(Box::from);
                self.hello_seen = true;
            }
            Err(_) => self.hello_seen = true,
        }
    }

    /// Runs `send` where the session may send plain text, after what it has to send by itself.
    fn with_traffic(
        &mut self,
        cipher: &mut Vec<u8>,
        mut send: impl FnMut(&mut dyn Traffic, &mut Vec<u8>) -> Result<(), TlsError>,
    ) -> Result<(), TlsError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        loop {
            let rest = &mut self.rest[..];
            let (discard, sent) = match &mut self.side {
                Side::Server(side) => traffic(side.process_tls_records(rest), cipher, &mut send)?,
                Side::Client(side) => traffic(side.process_tls_records(rest), cipher, &mut send)?,
            };
            self.rest.drain(..discard.min(self.rest.len()));
            if let Some(sent) = sent {
                return sent;
            }
        }
    }
}

/// What happened while records were consumed.
#[derive(Default)]
struct Outcome {
    ready: bool,
    peer_closed: bool,
    error: Option<TlsError>,
}

/// Where one step of the state machine puts what it yields.
struct Step<'a> {
    cipher: &'a mut Vec<u8>,
    plain: &'a mut Vec<u8>,
    outcome: &'a mut Outcome,
}

/// Whether there is another step to do, and how many bytes this one has used up.
struct Stepped {
    discard: usize,
    go_on: bool,
}

impl Step<'_> {
    fn handle<Data>(self, status: UnbufferedStatus<'_, '_, Data>) -> Stepped {
        let mut discard = status.discard;
        let mut go_on = true;
        match status.state {
            Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                while let Some(record) = traffic.next_record() {
                    match record {
                        Ok(record) => {
                            discard += record.discard;
                            self.plain.extend_from_slice(record.payload);
                        }
                        Err(error) => {
                            self.outcome.error = Some(error.into());
                            break;
                        }
                    }
                }
            }
            Ok(ConnectionState::EncodeTlsData(mut data)) => {
                if let Err(error) = append(self.cipher, HANDSHAKE_BYTES, |out| data.encode(out)) {
                    self.outcome.error = Some(error);
                    go_on = false;
                }
            }
            Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
            Ok(ConnectionState::PeerClosed) => self.outcome.peer_closed = true,
            Ok(ConnectionState::WriteTraffic(_)) => {
                self.outcome.ready = true;
                go_on = false;
            }
            Ok(ConnectionState::Closed) => {
                self.outcome.peer_closed = true;
                go_on = false;
            }
            // Early data is never offered, so it never comes.
            Ok(_) => go_on = false,
            Err(error) => {
                self.outcome.error.get_or_insert(error.into());
            }
        }
        Stepped { discard, go_on }
    }
}

/// Plain text or an alert, whichever side sends it.
trait Traffic {
    fn encrypt(&mut self, plain: &[u8], out: &mut [u8]) -> Result<usize, EncryptError>;
    fn queue_close_notify(&mut self, out: &mut [u8]) -> Result<usize, EncryptError>;
}

impl<Data> Traffic for WriteTraffic<'_, Data> {
    fn encrypt(&mut self, plain: &[u8], out: &mut [u8]) -> Result<usize, EncryptError> {
        WriteTraffic::encrypt(self, plain, out)
    }

    fn queue_close_notify(&mut self, out: &mut [u8]) -> Result<usize, EncryptError> {
        WriteTraffic::queue_close_notify(self, out)
    }
}

/// One step towards the state in which `send` may run: the bytes used up, and `Some` once it has run.
fn traffic<Data>(
    status: UnbufferedStatus<'_, '_, Data>,
    cipher: &mut Vec<u8>,
    send: &mut impl FnMut(&mut dyn Traffic, &mut Vec<u8>) -> Result<(), TlsError>,
) -> Result<(usize, Option<Result<(), TlsError>>), TlsError> {
    let sent = match status.state? {
        ConnectionState::WriteTraffic(mut traffic) => Some(send(&mut traffic, cipher)),
        ConnectionState::EncodeTlsData(mut data) => {
            append(cipher, HANDSHAKE_BYTES, |out| data.encode(out))?;
            None
        }
        ConnectionState::TransmitTlsData(data) => {
            data.done();
            None
        }
        ConnectionState::PeerClosed => None,
        _ => return Err(TlsError::Protocol("the session cannot send now".to_owned())),
    };
    Ok((status.discard, sent))
}

/// How much room an encoder that failed would need.
trait Shortage: std::fmt::Display {
    fn required(&self) -> Option<usize>;
}

impl Shortage for EncryptError {
    fn required(&self) -> Option<usize> {
        match self {
            EncryptError::InsufficientSize(short) => Some(short.required_size),
            EncryptError::EncryptExhausted => None,
        }
    }
}

impl Shortage for EncodeError {
    fn required(&self) -> Option<usize> {
        match self {
            EncodeError::InsufficientSize(short) => Some(short.required_size),
            EncodeError::AlreadyEncoded => None,
        }
    }
}

/// Appends what `encode` writes into `room` bytes, or into as many as it then asks for.
fn append<E: Shortage>(
    out: &mut Vec<u8>,
    mut room: usize,
    mut encode: impl FnMut(&mut [u8]) -> Result<usize, E>,
) -> Result<(), TlsError> {
    let start = out.len();
    loop {
        out.resize(start + room, 0);
        match encode(&mut out[start..]) {
            Ok(written) => {
                out.truncate(start + written);
                return Ok(());
            }
            Err(error) => match error.required() {
                Some(required) if required > room => room = required,
                _ => {
                    out.truncate(start);
                    return Err(TlsError::Protocol(error.to_string()));
                }
            },
        }
    }
}
