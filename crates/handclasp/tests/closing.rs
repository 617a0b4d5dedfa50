//! How connections with the kernel end: half-closes, resets, and what a drop does.
#![cfg(target_os = "linux")]

mod common;

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream as KernelStream};
use std::time::Duration;

use common::{Link, be_dialled, blocking, dial, isolated, isolated_on, network, run, until};
use handclasp::tcp::State;
use handclasp::{Stack, TcpStream};
use handclasp_lab::lab::Lab;
use handclasp_lab::sock_diag;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What the kernel reads until its end of the connection is over.
async fn read_to_end(mut kernel: KernelStream) -> std::io::Result<Vec<u8>> {
    blocking(move || {
        let mut heard = Vec::new();
        kernel.read_to_end(&mut heard).map(|_| heard)
    })
    .await
}

/// The kernel resets its end when it is closed.
fn reset_on_close(kernel: &KernelStream) {
    rustix::net::sockopt::set_socket_linger(kernel, Some(Duration::ZERO)).unwrap();
}

/// The kernel sees `state` at its end, now or soon.
async fn kernel_is_in(lab: &Lab, kernel: &KernelStream, state: sock_diag::State) {
    let mut diag = lab.sock_diag().unwrap();
    let (local, remote) = (kernel.local_addr().unwrap(), kernel.peer_addr().unwrap());
    until(|| diag.state(local, remote).unwrap() == state).await;
}

fn states(stack: &Stack) -> Vec<State> {
    stack.connections().iter().map(|entry| entry.state).collect()
}

async fn we_end_first(link: Link, v6: bool) {
    let (lab, stack) = network(link);
    let (mut stream, mut kernel) = dial(&lab, &stack, v6).await;
    stream.write_all(b"that is all").await.unwrap();
    stream.shutdown().await.unwrap();
    let error = stream.write_all(b"no more").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    stream.flushed().await.unwrap();
    assert_eq!(stream.info().state, State::FinWait2);
    kernel_is_in(&lab, &kernel, sock_diag::State::CloseWait).await;

    let kernel = blocking(move || {
        let mut heard = String::new();
        kernel.read_to_string(&mut heard).unwrap();
        assert_eq!(heard, "that is all");
        kernel.write_all(b"and an answer").unwrap();
    });
    kernel.await;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "and an answer");
    until(|| states(&stack) == [State::TimeWait]).await;
}

#[test]
fn after_our_fin_the_kernel_goes_on_sending() {
    isolated().run(|| run(we_end_first(Link::Packet, false)));
}

#[test]
fn after_our_fin_the_kernel_goes_on_sending_over_tun_and_ipv6() {
    isolated_on(Link::Tun).run(|| run(we_end_first(Link::Tun, true)));
}

async fn the_kernel_ends_first(link: Link, v6: bool) {
    let (lab, stack) = network(link);
    let (mut stream, mut kernel) = be_dialled(&lab, &stack, v6).await;
    kernel.write_all(b"that is all").unwrap();
    kernel.shutdown(Shutdown::Write).unwrap();
    let mut heard = String::new();
    stream.read_to_string(&mut heard).await.unwrap();
    assert_eq!(heard, "that is all");
    assert_eq!(stream.info().state, State::CloseWait);
    kernel_is_in(&lab, &kernel, sock_diag::State::FinWait2).await;

    stream.write_all(b"and an answer").await.unwrap();
    drop(stream);
    assert_eq!(read_to_end(kernel).await.unwrap(), b"and an answer");
    until(|| states(&stack).is_empty()).await;
}

#[test]
fn after_the_kernels_fin_we_go_on_sending() {
    isolated().run(|| run(the_kernel_ends_first(Link::Packet, false)));
}

#[test]
fn after_the_kernels_fin_we_go_on_sending_over_tun_and_ipv6() {
    isolated_on(Link::Tun).run(|| run(the_kernel_ends_first(Link::Tun, true)));
}

/// Runs `test` on a connection that we opened.
fn on_a_connection<T, F>(test: T)
where
    T: FnOnce(Lab, Stack, TcpStream, KernelStream) -> F,
    F: Future<Output = ()>,
{
    run(async {
        let (lab, stack) = network(Link::Packet);
        let (stream, kernel) = dial(&lab, &stack, false).await;
        test(lab, stack, stream, kernel).await;
    });
}

#[test]
fn an_abort_resets_the_kernels_end() {
    isolated().run(|| {
        on_a_connection(|_lab, stack, stream, kernel| async move {
            stream.abort();
            let error = read_to_end(kernel).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
            until(|| states(&stack).is_empty()).await;
            assert_eq!(stack.counters().tcp_out_rsts, 1);
        });
    });
}

#[test]
fn a_reset_of_the_kernels_ends_reads_and_writes() {
    isolated().run(|| {
        on_a_connection(|_lab, stack, mut stream, kernel| async move {
            reset_on_close(&kernel);
            drop(kernel);
            let error = stream.read(&mut [0; 8]).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
            let error = stream.write(b"anyone?").await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
            drop(stream);
            until(|| states(&stack).is_empty()).await;
            assert_eq!(stack.counters().tcp_estab_resets, 1);
        });
    });
}

#[test]
fn a_reset_wakes_a_writer_that_waits() {
    isolated().run(|| {
        on_a_connection(|_lab, _stack, mut stream, kernel| async move {
            reset_on_close(&kernel);
            let writer = tokio::spawn(async move {
                loop {
                    if let Err(e) = stream.write_all(&[0; 65_536]).await {
                        return e.kind();
                    }
                }
            });
            // The kernel reads nothing, so that the writer fills both buffers.
            tokio::time::sleep(Duration::from_millis(300)).await;
            drop(kernel);
            assert_eq!(writer.await.unwrap(), ErrorKind::ConnectionReset);
        });
    });
}

#[test]
fn data_that_came_before_a_reset_is_read_before_the_error() {
    isolated().run(|| {
        on_a_connection(|_lab, _stack, mut stream, mut kernel| async move {
            reset_on_close(&kernel);
            kernel.write_all(b"last words").unwrap();
            until(|| stream.info().unread == 10).await;
            drop(kernel);
            until(|| stream.info().error.is_some()).await;
            let mut heard = [0; 10];
            stream.read_exact(&mut heard).await.unwrap();
            assert_eq!(&heard, b"last words");
            let error = stream.read(&mut heard).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        });
    });
}

#[test]
fn a_drop_with_unread_data_resets() {
    isolated().run(|| {
        on_a_connection(|_lab, stack, stream, mut kernel| async move {
            kernel.write_all(b"does anyone read this?").unwrap();
            stream.readable().await;
            drop(stream);
            let error = read_to_end(kernel).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
            until(|| states(&stack).is_empty()).await;
            assert_eq!(stack.memory_used(), 0);
        });
    });
}

#[test]
fn a_drop_with_nothing_unread_sends_what_was_written_and_a_fin() {
    isolated().run(|| {
        on_a_connection(|_lab, stack, mut stream, kernel| async move {
            // More than the kernel's end takes at once: the rest goes in the background.
            stream.write_all(&[7; 100_000]).await.unwrap();
            drop(stream);
            assert_eq!(read_to_end(kernel).await.unwrap(), [7; 100_000]);
            until(|| states(&stack) == [State::TimeWait]).await;
            assert_eq!(stack.memory_used(), 0);
        });
    });
}

#[test]
fn what_the_kernel_sends_after_our_close_is_answered_with_a_reset() {
    isolated().run(|| {
        on_a_connection(|lab, stack, stream, mut kernel| async move {
            drop(stream);
            kernel_is_in(&lab, &kernel, sock_diag::State::CloseWait).await;
            kernel.write_all(b"are you still there?").unwrap();
            kernel_is_in(&lab, &kernel, sock_diag::State::Closed).await;
            let error = kernel.write_all(b"hello?").unwrap_err();
            assert!(
                matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset),
                "{error}"
            );
            until(|| states(&stack).is_empty()).await;
        });
    });
}

#[test]
fn a_drop_while_the_kernel_sends_at_full_speed_resets() {
    isolated().run(|| {
        on_a_connection(|_lab, stack, mut stream, mut kernel| async move {
            let sender = tokio::task::spawn_blocking(move || {
                loop {
                    if let Err(e) = kernel.write_all(&[0; 65_536]) {
                        return e.kind();
                    }
                }
            });
            stream.read_exact(&mut [0; 100_000]).await.unwrap();
            drop(stream);
            let kind = sender.await.unwrap();
            assert!(matches!(kind, ErrorKind::BrokenPipe | ErrorKind::ConnectionReset), "{kind}");
            until(|| states(&stack).is_empty()).await;
            assert_eq!(stack.memory_used(), 0);
        });
    });
}

#[test]
fn a_linger_of_zero_resets() {
    isolated().run(|| {
        on_a_connection(|_lab, _stack, mut stream, kernel| async move {
            stream.set_linger(Some(Duration::ZERO));
            drop(stream);
            let error = read_to_end(kernel).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        });
    });
}

#[test]
fn a_linger_gives_the_background_close_so_long_and_no_longer() {
    isolated().run(|| {
        on_a_connection(|_lab, stack, mut stream, kernel| async move {
            // The kernel does not read: what fills its window stays unacknowledged.
            let writing = async {
                loop {
                    stream.write_all(&[0; 65_536]).await.unwrap();
                }
            };
            tokio::time::timeout(Duration::from_millis(500), writing).await.unwrap_err();
            stream.set_linger(Some(Duration::from_millis(300)));
            drop(stream);
            until(|| states(&stack).is_empty()).await;
            let error = read_to_end(kernel).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
            assert_eq!(stack.memory_used(), 0);
        });
    });
}

#[test]
fn both_ends_may_close_at_once() {
    isolated().run(|| {
        on_a_connection(|_lab, stack, stream, kernel| async move {
            // Neither hears of the other's FIN before it sends its own, most of the time; it
            // must not matter.
            let kernel = tokio::task::spawn_blocking(move || drop(kernel));
            drop(stream);
            kernel.await.unwrap();
            until(|| states(&stack).iter().all(|state| *state == State::TimeWait)).await;
        });
    });
}

#[test]
fn dropping_the_writing_half_ends_only_that_direction() {
    isolated().run(|| {
        on_a_connection(|_lab, stack, stream, mut kernel| async move {
            let (mut from, to) = stream.into_split();
            drop(to);
            let kernel = blocking(move || {
                assert_eq!(kernel.read(&mut [0; 8]).unwrap(), 0);
                kernel.write_all(b"still here").unwrap();
            });
            kernel.await;
            let mut heard = String::new();
            from.read_to_string(&mut heard).await.unwrap();
            assert_eq!(heard, "still here");
            drop(from);
            until(|| states(&stack) == [State::TimeWait]).await;
        });
    });
}

#[test]
fn halves_that_were_put_together_again_are_one_stream() {
    isolated().run(|| {
        on_a_connection(|_lab, _stack, stream, kernel| async move {
            let (from, to) = stream.into_split();
            let mut stream = from.reunite(to).unwrap();
            stream.write_all(b"whole").await.unwrap();
            drop(stream);
            assert_eq!(read_to_end(kernel).await.unwrap(), b"whole");
        });
    });
}
