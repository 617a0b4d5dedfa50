//! System calls: made, and what they return checked.

use std::net::SocketAddr;
use std::task::Poll;
use std::time::Duration;

use handclasp_wire::time::Instant;

use super::flow::Flow;
use super::{Checked, Run};
use crate::linux::{
    AF_UNSPEC, Errno, F_GETFL, F_SETFL, SO_LINGER, SOCK_NONBLOCK, SOL_SOCKET, SOL_TCP,
    TCP_CONGESTION, TCP_INFO, symbol,
};
use crate::script::{Call, Expr};
use crate::sockets::{Answer, Watched};

/// How far a call has come that blocks.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    since: Instant,
    /// Bytes that it has written.
    done: usize,
    /// When it gives up.
    pub(super) until: Option<Instant>,
    /// The descriptor that it works on.
    pub(super) fd: Option<i32>,
}

impl Progress {
    pub(super) const fn new(since: Instant) -> Self {
        Self { since, done: 0, until: None, fd: None }
    }
}

/// What a call returned.
#[derive(Clone, Debug)]
pub(super) struct Returned {
    value: Result<i64, Errno>,
    /// What was wrong with what it wrote through its arguments.
    wrong: Option<String>,
}

impl Returned {
    const fn of(value: Result<i64, Errno>) -> Self {
        Self { value, wrong: None }
    }
}

type Attempt = Checked<Poll<Returned>>;

fn now(result: Result<(), Errno>) -> Attempt {
    Ok(Poll::Ready(Returned::of(result.map(|()| 0))))
}

fn later<T>(answer: Answer<T>, value: impl FnOnce(T) -> i64) -> Attempt {
    Ok(answer.map(|result| Returned::of(result.map(value))))
}

impl Run<'_> {
    /// Makes a call, or tries again.
    pub(super) fn attempt(&mut self, call: &Call, progress: &mut Progress) -> Attempt {
        let fd = || self.descriptor(call, 0);
        match call.name.as_str() {
            "socket" => self.make_socket(call),
            "bind" => {
                let (fd, local) = (fd()?, self.address(call, 1, self.setup.bound())?);
                now(self.sockets.bind(fd, local))
            }
            "listen" => {
                let (fd, backlog) = (fd()?, self.number_at(call, 1)?);
                now(self.sockets.listen(fd, backlog))
            }
            "accept" | "accept4" => self.accept(call),
            "connect" => self.connect(call),
            "read" | "recv" | "recvfrom" | "readv" | "recvmsg" => self.read(call),
            "write" | "send" | "sendto" | "writev" | "sendmsg" => self.write(call, progress),
            "close" => {
                progress.fd = Some(fd()?);
                later(self.sockets.close(fd()?), |()| 0)
            }
            "shutdown" => {
                let (fd, how) = (fd()?, self.number_at(call, 1)?);
                now(self.sockets.shutdown(fd, how))
            }
            "fcntl" => self.fcntl(call),
            "ioctl" => self.ioctl(call),
            "setsockopt" => self.set_option(call),
            "getsockopt" => self.get_option(call),
            "poll" => self.poll(call, progress),
            "epoll_create" | "epoll_create1" => {
                let fd = self.sockets.epoll_create();
                self.bind_descriptor(call, fd)
            }
            "epoll_ctl" => self.epoll_ctl(call),
            "epoll_wait" => self.epoll_wait(call, progress),
            name => self.fail(format!("the call {name} is not supported")),
        }
    }

    /// Checks what a call returned.
    pub(super) fn check_call(&self, call: &Call, returned: Returned) -> Checked {
        let text = &call.text;
        let (actual, errno) = match returned.value {
            Ok(value) => (value, None),
            Err(errno) => (-1, Some(errno)),
        };
        let told = errno.map_or(String::new(), |errno| format!(" {errno}"));
        let expected = match &call.result {
            Expr::Any => actual,
            result => self.number(result)?,
        };
        if actual != expected {
            return self.fail(format!("this call returned {actual}{told}:\n  {text}"));
        }
        if let Some(name) = &call.errno
            && errno.is_none_or(|errno| Some(i64::from(errno.0)) != symbol(name))
        {
            return self.fail(format!("this call failed with{told}, not {name}:\n  {text}"));
        }
        match returned.wrong {
            Some(wrong) => self.fail(format!("{wrong}:\n  {text}")),
            None => Ok(()),
        }
    }

    /// Remembers what the script calls a new descriptor.
    fn bind_descriptor(&mut self, call: &Call, fd: i32) -> Attempt {
        let called = self.number(&call.result)?;
        if called >= 0 {
            self.descriptors.insert(called, fd);
        }
        let value = if called >= 0 { called } else { i64::from(fd) };
        Ok(Poll::Ready(Returned::of(Ok(value))))
    }

    fn make_socket(&mut self, call: &Call) -> Attempt {
        let family = match self.argument(call, 0)? {
            Expr::Any => self.family(),
            family => self.number(family)?,
        };
        let (kind, protocol) = (self.number_at(call, 1)?, self.flags_at(call, 2)?);
        match self.sockets.socket(family, kind, protocol) {
            Ok(fd) => {
                self.subject = Some(fd);
                // Packets of the sockets before are none of this one's.
                self.others.extend(self.flow.take());
                self.bind_descriptor(call, fd)
            }
            Err(errno) => Ok(Poll::Ready(Returned::of(Err(errno)))),
        }
    }

    fn accept(&mut self, call: &Call) -> Attempt {
        let fd = self.descriptor(call, 0)?;
        let flags = self.flags_at(call, 3)?;
        match self.sockets.accept(fd, flags & SOCK_NONBLOCK != 0) {
            Poll::Ready(Ok((child, _))) => {
                self.subject = Some(child);
                self.bind_descriptor(call, child)
            }
            other => later(other, |_| 0),
        }
    }

    fn connect(&mut self, call: &Call) -> Attempt {
        let fd = self.descriptor(call, 0)?;
        let argument = self.argument(call, 1)?;
        let unspecified = |expr: &Expr| self.number(expr).is_ok_and(|n| n == AF_UNSPEC);
        let family = argument.field("sa_family");
        let dissolve =
            *argument != Expr::Any && (unspecified(argument) || family.is_some_and(unspecified));
        if dissolve {
            return later(self.sockets.connect(fd, None), |()| 0);
        }
        let remote = self.address(call, 1, self.setup.peer())?;
        if self.flow.as_ref().is_none_or(|flow| flow.remote != remote) {
            let before = self.flow.replace(Flow::new(SocketAddr::new(self.setup.local, 0), remote));
            self.others.extend(before);
        }
        later(self.sockets.connect(fd, Some(remote)), |()| 0)
    }

    fn read(&mut self, call: &Call) -> Attempt {
        let fd = self.descriptor(call, 0)?;
        let buffer = self.argument(call, 1)?;
        if is_null(buffer) {
            return now(Err(Errno::EFAULT));
        }
        let (len, flags) = match call.name.as_str() {
            "readv" => (self.buffers(buffer)?, 0),
            "recvmsg" => (self.message(buffer)?, self.flags_at(call, 2)?),
            _ => (self.length(self.argument(call, 2)?)?, self.flags_at(call, 3)?),
        };
        later(self.sockets.read(fd, len, flags), |n| n as i64)
    }

    fn write(&mut self, call: &Call, progress: &mut Progress) -> Attempt {
        let fd = self.descriptor(call, 0)?;
        let buffer = self.argument(call, 1)?;
        if is_null(buffer) {
            return now(Err(Errno::EFAULT));
        }
        let (len, flags) = match call.name.as_str() {
            "writev" => (self.buffers(buffer)?, 0),
            "sendmsg" => (self.message(buffer)?, self.flags_at(call, 2)?),
            _ => (self.length(self.argument(call, 2)?)?, self.flags_at(call, 3)?),
        };
        later(self.sockets.write(fd, len, flags, &mut progress.done), |n| n as i64)
    }

    /// The bytes of a message's buffers.
    fn message(&self, expr: &Expr) -> Checked<usize> {
        match expr.field("msg_iov") {
            Some(buffers) => self.buffers(buffers),
            None => self.fail(format!("{expr} is no message")),
        }
    }

    fn fcntl(&mut self, call: &Call) -> Attempt {
        let (fd, verb) = (self.descriptor(call, 0)?, self.number_at(call, 1)?);
        match verb {
            F_GETFL => Ok(Poll::Ready(Returned::of(self.sockets.flags(fd)))),
            F_SETFL => {
                let flags = self.number_at(call, 2)?;
                now(self.sockets.set_flags(fd, flags))
            }
            _ => now(Err(Errno::EINVAL)),
        }
    }

    fn ioctl(&mut self, call: &Call) -> Attempt {
        let (fd, request) = (self.descriptor(call, 0)?, self.number_at(call, 1)?);
        let found = self.sockets.ioctl(fd, request);
        let wrong = match (found, call.arguments.get(2)) {
            (Ok(found), Some(Expr::List(_))) => self.differs("it told", found, call, 2)?,
            _ => None,
        };
        Ok(Poll::Ready(Returned { value: found.map(|_| 0), wrong }))
    }

    /// What to say where the argument at `at` is not what was found.
    fn differs(&self, what: &str, found: i64, call: &Call, at: usize) -> Checked<Option<String>> {
        let expected = match self.argument(call, at)? {
            Expr::Any => return Ok(None),
            expected => self.number(expected)?,
        };
        Ok((found != expected).then(|| format!("{what} {found}, not {expected}")))
    }

    fn set_option(&mut self, call: &Call) -> Attempt {
        let fd = self.descriptor(call, 0)?;
        let (level, name) = (self.number_at(call, 1)?, self.number_at(call, 2)?);
        let value = self.argument(call, 3)?;
        now(match (value, (level, name)) {
            (linger, (SOL_SOCKET, SO_LINGER)) => {
                let field = |name| linger.field(name).map_or(Ok(0), |expr| self.number(expr));
                let seconds = field("linger")?.unsigned_abs();
                let on = field("onoff")? != 0;
                self.sockets.set_linger(fd, on.then(|| Duration::from_secs(seconds)))
            }
            (Expr::Text(text), (SOL_TCP, TCP_CONGESTION)) => self.sockets.set_congestion(fd, text),
            (Expr::Text(_) | Expr::Any | Expr::Struct(_), _) => {
                self.notes.insert(format!("an option was not set: {}", call.text));
                Ok(())
            }
            _ => {
                let value = self.number(value)?;
                self.sockets.set_option(fd, level, name, value)
            }
        })
    }

    fn get_option(&mut self, call: &Call) -> Attempt {
        let fd = self.descriptor(call, 0)?;
        let (level, name) = (self.number_at(call, 1)?, self.number_at(call, 2)?);
        let open = matches!(self.argument(call, 3)?, Expr::Any | Expr::Text(_));
        if open || (level, name) == (SOL_TCP, TCP_INFO) {
            return now(Ok(()));
        }
        let found = self.sockets.option(fd, level, name);
        let wrong = match found {
            // Both are 32 bits wide, and a script may write either sign.
            Ok(found) => {
                let expected = self.number_at(call, 3)?;
                let same = expected as u32 == found as u32;
                (!same).then(|| format!("the option is {found}, not {expected}"))
            }
            Err(_) => None,
        };
        Ok(Poll::Ready(Returned { value: found.map(|_| 0), wrong }))
    }

    /// A time in milliseconds; `None` for ever.
    fn timeout(
        &self,
        call: &Call,
        at: usize,
        progress: &mut Progress,
    ) -> Checked<Option<Duration>> {
        let millis = u64::try_from(self.number_at(call, at)?).ok();
        let timeout = millis.map(Duration::from_millis);
        progress.until = timeout.map(|timeout| progress.since + timeout);
        Ok(timeout)
    }

    fn poll(&mut self, call: &Call, progress: &mut Progress) -> Attempt {
        let timeout = self.timeout(call, 2, progress)?;
        let Expr::List(items) = self.argument(call, 0)? else {
            return self.fail("poll takes a list");
        };
        let (mut wanted, mut expected) = (Vec::new(), Vec::new());
        for item in items {
            let field = |name| item.field(name).map_or(Ok(0), |expr| self.number(expr));
            wanted.push((self.live(field("fd")?), field("events")?));
            expected.push(field("revents")?);
        }
        let answer = self.sockets.poll(&wanted, timeout, progress.since);
        Ok(answer.map(|found| {
            let found = found.unwrap_or_default();
            let wrong = found.iter().zip(&expected).find(|(found, expected)| found != expected);
            Returned {
                value: Ok(found.iter().filter(|events| **events != 0).count() as i64),
                wrong: wrong.map(|(found, _)| format!("revents is {}", event_names(*found))),
            }
        }))
    }

    /// The data of an event: a descriptor or another number.
    fn watched(&self, expr: &Expr) -> Checked<Watched> {
        let events = expr.field("events").map_or(Ok(0), |expr| self.number(expr))?;
        let names = ["fd", "ptr", "u32", "u64"];
        let data = names.iter().find_map(|name| expr.field(name));
        let data = data.map_or(Ok(0), |expr| self.number(expr))?;
        Ok(Watched { events, data })
    }

    fn epoll_ctl(&mut self, call: &Call) -> Attempt {
        let (epoll, verb) = (self.descriptor(call, 0)?, self.number_at(call, 1)?);
        let fd = self.descriptor(call, 2)?;
        let watched = match call.arguments.get(3) {
            Some(event) => self.watched(event)?,
            None => Watched { events: 0, data: 0 },
        };
        now(self.sockets.epoll_ctl(epoll, verb, fd, watched))
    }

    fn epoll_wait(&mut self, call: &Call, progress: &mut Progress) -> Attempt {
        let epoll = self.descriptor(call, 0)?;
        let timeout = self.timeout(call, 3, progress)?;
        let most = self.length(self.argument(call, 2)?)?;
        let expected: Vec<Watched> = match self.argument(call, 1)? {
            Expr::List(items) => {
                items.iter().map(|item| self.watched(item)).collect::<Checked<_>>()?
            }
            Expr::Any => Vec::new(),
            event => vec![self.watched(event)?],
        };
        let answer = self.sockets.epoll_wait(epoll, most, timeout, progress.since);
        Ok(answer.map(|result| {
            let found = result.as_deref().unwrap_or_default();
            let wrong = found.iter().zip(&expected).find(|(found, expected)| found != expected);
            let wrong = wrong.map(|(found, _)| {
                format!("the event is {} of {}", event_names(found.events), found.data)
            });
            Returned { value: result.map(|found| found.len() as i64), wrong }
        }))
    }
}

/// No buffer at all.
fn is_null(buffer: &Expr) -> bool {
    matches!(buffer, Expr::Word(word) if word == "NULL") || *buffer == Expr::Int(0)
}

fn event_names(events: i64) -> String {
    let names = ["POLLIN", "POLLPRI", "POLLOUT", "POLLERR", "POLLHUP", "POLLNVAL", "POLLRDHUP"];
    let told = names.iter().filter(|name| symbol(name).is_some_and(|bit| events & bit != 0));
    let told: Vec<&str> = told.copied().collect();
    if told.is_empty() { "0".to_owned() } else { told.join("|") }
}
