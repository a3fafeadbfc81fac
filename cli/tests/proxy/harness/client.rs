//! A client that sends exactly what it is told.

use super::PATIENCE;
use super::message::{Expect, Message};
use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// A connection to the proxy.
pub struct Client<S: Read = TcpStream> {
    pub reader: BufReader<S>,
}

impl Client {
    #[track_caller]
    pub fn connect(to: SocketAddr) -> Client {
        let stream = TcpStream::connect(to).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream.set_write_timeout(Some(PATIENCE)).expect("a timeout");
        stream.set_nodelay(true).expect("nodelay");
        Client {
            reader: BufReader::new(stream),
        }
    }

    pub fn stream(&self) -> &TcpStream {
        self.reader.get_ref()
    }

    pub fn shut_write(&self) {
        self.stream()
            .shutdown(Shutdown::Write)
            .expect("a half-close");
    }
}

impl Client<UnixStream> {
    #[track_caller]
    pub fn connect_unix(path: &Path) -> Client<UnixStream> {
        let stream = UnixStream::connect(path).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        Client {
            reader: BufReader::new(stream),
        }
    }
}

impl<S: Read + Write> Client<S> {
    pub fn over(stream: S) -> Client<S> {
        Client {
            reader: BufReader::new(stream),
        }
    }

    #[track_caller]
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.reader
            .get_mut()
            .write_all(bytes.as_ref())
            .expect("sent");
        self
    }

    #[track_caller]
    pub fn response(&mut self) -> Message {
        self.try_response()
            .expect("a response")
            .expect("a response, not the end")
    }

    pub fn try_response(&mut self) -> io::Result<Option<Message>> {
        Message::read(&mut self.reader, Expect::Response)
    }

    /// The response to a HEAD request.
    #[track_caller]
    pub fn response_to_head(&mut self) -> Message {
        let message = Message::read(&mut self.reader, Expect::Bodyless);
        message
            .expect("a response")
            .expect("a response, not the end")
    }

    /// Only the head of a response, the body stays.
    #[track_caller]
    pub fn response_head(&mut self) -> Message {
        Message::read_head(&mut self.reader)
            .expect("a head")
            .expect("a head, not the end")
    }

    /// Sends a GET request and reads the answer.
    #[track_caller]
    pub fn get(&mut self, path: &str) -> Message {
        self.send(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n"))
            .response()
    }

    #[track_caller]
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.reader.read_exact(&mut bytes).expect("so many bytes");
        bytes
    }

    /// All that comes before the end.
    #[track_caller]
    pub fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self.reader.read_to_end(&mut bytes) {
            Ok(_) => bytes,
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => bytes,
            Err(error) => panic!("waiting for the end: {error}"),
        }
    }

    /// The connection ends here, without another byte.
    #[track_caller]
    pub fn ends(&mut self) {
        let rest = self.rest();
        assert!(
            rest.is_empty(),
            "unexpected: {}",
            String::from_utf8_lossy(&rest)
        );
    }
}

/// One GET request on a connection of its own.
#[track_caller]
pub fn get(to: SocketAddr, path: &str) -> Message {
    Client::connect(to).get(path)
}
