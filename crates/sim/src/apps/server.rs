//! Listens, and starts a program for every connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use handclasp_stack::listen::{Backlog, ListenerId};
use handclasp_stack::store::ConnId;
use handclasp_tcp::Config;
use handclasp_wire::time::Instant;

use crate::app::{App, Next, View};

/// A program that listens for as long as it runs, which is for ever.
pub struct Server<F> {
    at: SocketAddr,
    make: F,
    config: Arc<Config>,
    backlog: Backlog,
    pause: Duration,
    listener: Option<ListenerId>,
    next: Instant,
}

impl<F> Server<F> {
    /// Listens at `at`, and makes a program for every connection that is accepted.
    #[must_use]
    pub fn new(at: SocketAddr, make: F) -> Self {
        Self {
            at,
            make,
            config: Arc::default(),
            backlog: Backlog::default(),
            pause: Duration::ZERO,
            listener: None,
            next: Instant::ZERO,
        }
    }

    /// Gives accepted connections these settings.
    #[must_use]
    pub fn config(mut self, config: Arc<Config>) -> Self {
        self.config = config;
        self
    }

    /// Lets so many wait.
    #[must_use]
    pub const fn backlog(mut self, backlog: Backlog) -> Self {
        self.backlog = backlog;
        self
    }

    /// Accepts one connection and then none for so long.
    #[must_use]
    pub const fn pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }
}

impl<A: App + 'static, F: FnMut(ConnId) -> A> App for Server<F> {
    /// # Panics
    /// Its address is taken, or none of its host's.
    fn poll(&mut self, host: &mut View<'_>) -> Next {
        let listener = *self.listener.get_or_insert_with(|| {
            host.listen(self.at, self.backlog, &self.config).expect("the address is free")
        });
        while host.now() >= self.next {
            let Some(accepted) = host.accept(listener) else { return Next::Wait };
            host.spawn((self.make)(accepted.id), accepted.id);
            self.next = host.now() + self.pause;
        }
        Next::WaitUntil(self.next)
    }
}
