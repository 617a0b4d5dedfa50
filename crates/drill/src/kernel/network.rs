//! The kernel's interface, addresses and routes, and who reads what it sends.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread::JoinHandle;
use std::time::Instant;

use handclasp_lab::error::{Error, Result};
use handclasp_lab::link::Links;
use handclasp_lab::tun::Tun;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::pipe::{PipeFlags, pipe_with};

use super::News;
use crate::run::Setup;

/// What packetdrill calls the interface, and scripts' commands with it.
const INTERFACE: &str = "tun0";

/// Makes the interface in the namespace of this thread, as the script wants it.
pub(super) fn make(setup: &Setup) -> Result<Tun> {
    let tun = Tun::new(INTERFACE)?;
    // The kernel is to say nothing of its own accord. Without IPv6 there is nothing to set.
    for (name, value) in [("addr_gen_mode", "1"), ("accept_ra", "0"), ("accept_dad", "0")] {
        let _ = std::fs::write(format!("/proc/sys/net/ipv6/conf/{INTERFACE}/{name}"), value);
    }
    let mut links = Links::open()?;
    links.set_mtu(INTERFACE, setup.mtu.into())?;
    links.add_address(INTERFACE, setup.local, setup.prefix)?;
    links.set_up(INTERFACE)?;
    // Before that IPv6 has no address there.
    links.wait_until_running(INTERFACE)?;
    let everywhere: IpAddr = match setup.local {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    links.add_route(everywhere, 0, setup.gateway)?;
    Ok(tun)
}

/// A thread that reads what the kernel sends and notes when. It ends when this value does.
pub(super) struct Reader {
    /// Closed to end the thread.
    stop: Option<OwnedFd>,
    thread: Option<JoinHandle<()>>,
}

impl Reader {
    pub(super) fn start(tun: Arc<Tun>, tell: Sender<News>) -> Result<Self> {
        let (stopped, stop) = pipe_with(PipeFlags::CLOEXEC)
            .map_err(|errno| Error::Os { doing: "make a pipe".to_owned(), source: errno.into() })?;
        let thread = std::thread::spawn(move || read(&tun, &stopped, &tell));
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // It does nothing that could panic.
            let _ = thread.join();
        }
    }
}

fn read(tun: &Tun, stopped: &OwnedFd, tell: &Sender<News>) {
    let mut buffer = vec![0; 65_536];
    loop {
        let mut fds = [PollFd::new(tun, PollFlags::IN), PollFd::new(stopped, PollFlags::IN)];
        let polled = poll(&mut fds, None);
        let at = Instant::now();
        if polled.is_err() || !fds[1].revents().is_empty() {
            return;
        }
        let Ok(len) = tun.receive(&mut buffer) else { return };
        if tell.send(News::Sent(at, buffer[..len].to_vec())).is_err() {
            return;
        }
    }
}
