//! Packetdrill's C interface: the unmodified `packetdrill` drives this stack in virtual time.
//!
//! ```text
//! cargo build --release -p handclasp-drill-so
//! so=$PWD/target/release/libhandclasp_drill_so.so
//! LD_PRELOAD=$so packetdrill --so_filename=$so --ip_version=ipv4 script.pkt
//! ```
//!
//! Packetdrill loads the library, asks [`packetdrill_interface_init`] for its calls, and makes
//! them instead of the system's; its clock is asked here too, so that a minute of a script takes
//! no time. `LD_PRELOAD` is for the one call that packetdrill does not make through the
//! interface: `getsockopt` for `tcp_info` in `%{ }%` ([`interpose::getsockopt`]).
//!
//! Options for the stack are given as packetdrill's own, with commas between:
//! `--so_flags=mtu=1400,local_ip=10.0.0.1`. Settings of the kernel's (`/proc/sys/net/ipv4`) go
//! for this stack too, so that scripts set them in the way they know.
//!
//! # Safety
//!
//! What C hands over is trusted as C trusts it: pointers are null or good for the length that
//! comes with them. `memory` turns them into slices, and nothing else touches them.
#![cfg(target_os = "linux")]
// A C interface cannot be had without; see above.
#![deny(unsafe_op_in_unsafe_fn)]

mod calls;
mod host;
pub mod interpose;
mod memory;
mod settings;
mod table;

use libc::c_char;

pub use table::Interface;

/// Fills in packetdrill's table of calls.
///
/// # Safety
///
/// `out` is good for an [`Interface`], and `flags` is null or a string of C's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn packetdrill_interface_init(flags: *const c_char, out: *mut Interface) {
    // SAFETY: the caller's promise.
    let flags = unsafe { memory::text(flags) };
    if let Err(trouble) = host::start(&flags) {
        eprintln!("handclasp: --so_flags: {trouble}");
        std::process::exit(2);
    }
    // SAFETY: the caller's promise.
    unsafe { out.write(table::INTERFACE) };
}
