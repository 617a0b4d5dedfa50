//! Enough of HTTP/1.1 for a page to be fetched.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use handclasp_stack::open::ConnectError;
use handclasp_stack::store::ConnId;
use handclasp_tcp::Config;
use handclasp_tcp::connection::Error;

use super::Outgoing;
use crate::app::{App, Next, View};

/// The end of a message's head.
const HEAD_END: &[u8] = b"\r\n\r\n";

/// What a server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status line and the fields.
    pub head: String,
    /// The rest.
    pub body: Vec<u8>,
}

/// Why there is no [`Response`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The connection could not be begun.
    Connect(ConnectError),
    /// The connection failed.
    Connection(Error),
    /// What came was no response.
    NoResponse,
}

/// Where a [`Get`] leaves what came of it.
pub type Answer = Rc<RefCell<Option<Result<Response, Failure>>>>;

/// Fetches a page, once.
pub struct Get {
    remote: SocketAddr,
    config: Arc<Config>,
    id: Option<ConnId>,
    request: Outgoing,
    received: Vec<u8>,
    answer: Answer,
}

impl Get {
    /// Fetches `path` from `remote`; the answer will be found in the second part.
    #[must_use]
    pub fn new(remote: SocketAddr, path: &str) -> (Self, Answer) {
        let answer = Answer::default();
        let head = format!("GET {path} HTTP/1.1\r\nHost: {remote}\r\nConnection: close\r\n\r\n");
        let get = Self {
            remote,
            config: Arc::default(),
            id: None,
            request: Outgoing::new(head.into_bytes()),
            received: Vec::new(),
            answer: answer.clone(),
        };
        (get, answer)
    }

    /// Gives the connection these settings.
    #[must_use]
    pub fn config(mut self, config: Arc<Config>) -> Self {
        self.config = config;
        self
    }

    fn go_on(&mut self, host: &mut View<'_>) -> Result<Option<Response>, Failure> {
        let id = match self.id {
            Some(id) => id,
            None => host.connect(&self.config, None, self.remote).map_err(Failure::Connect)?,
        };
        self.id = Some(id);
        self.request.write(host, id).map_err(Failure::Connection)?;
        let mut buffer = [0; 4096];
        while let Some(n) = host.read(id, &mut buffer).map_err(Failure::Connection)? {
            if n == 0 {
                return split(&self.received).map(Some).ok_or(Failure::NoResponse);
            }
            self.received.extend_from_slice(&buffer[..n]);
        }
        Ok(None)
    }
}

fn split(message: &[u8]) -> Option<Response> {
    let end = message.windows(HEAD_END.len()).position(|window| window == HEAD_END)?;
    let (head, body) = message.split_at(end + HEAD_END.len());
    Some(Response { head: String::from_utf8_lossy(head).into_owned(), body: body.to_vec() })
}

impl App for Get {
    fn poll(&mut self, host: &mut View<'_>) -> Next {
        let Some(result) = self.go_on(host).transpose() else { return Next::Wait };
        self.answer.replace(Some(result));
        if let Some(id) = self.id {
            host.close(id);
        }
        Next::Done
    }
}

/// Answers one request with a page, and closes.
#[derive(Debug)]
pub struct Page {
    id: ConnId,
    received: Vec<u8>,
    response: Outgoing,
    asked: bool,
}

impl Page {
    /// Answers on a connection with this body.
    #[must_use]
    pub fn new(id: ConnId, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close", body.len());
        let response = Outgoing::new([head.as_bytes(), HEAD_END, body].concat());
        Self { id, received: Vec::new(), response, asked: false }
    }

    /// Says whether the response was written.
    fn go_on(&mut self, host: &mut View<'_>) -> Result<bool, Error> {
        let mut buffer = [0; 1024];
        while !self.asked {
            match host.read(self.id, &mut buffer)? {
                None => return Ok(false),
                Some(0) => return Ok(true),
                Some(n) => self.received.extend_from_slice(&buffer[..n]),
            }
            self.asked = self.received.ends_with(HEAD_END);
        }
        self.response.write(host, self.id)
    }
}

impl App for Page {
    fn poll(&mut self, host: &mut View<'_>) -> Next {
        if self.go_on(host) == Ok(false) {
            return Next::Wait;
        }
        host.close(self.id);
        Next::Done
    }
}
