//! What loss recovery counts, under the names that nstat uses.

/// Declares the counts with their names.
macro_rules! counts {
    ($($(#[$doc:meta])* $field:ident = $name:literal,)*) => {
        /// What loss recovery did since a connection, or a host, began.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct RecoveryCounts {
            $($(#[$doc])* pub $field: u64,)*
        }

        impl RecoveryCounts {
            /// All of them with the names that nstat uses, in a fixed order.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$(($name, self.$field)),*].into_iter()
            }

            /// What came to them after `earlier`.
            #[must_use]
            pub(crate) const fn since(&self, earlier: &Self) -> Self {
                Self { $($field: self.$field.wrapping_sub(earlier.$field)),* }
            }

            /// Adds `more`.
            pub const fn add(&mut self, more: &Self) {
                $(self.$field = self.$field.wrapping_add(more.$field);)*
            }
        }
    };
}

counts! {
    /// Retransmission timeouts.
    timeouts = "TcpExtTCPTimeouts",
    /// Timeouts during fast recovery, with SACK.
    sack_recovery_fails = "TcpExtTCPSackRecoveryFail",
    /// Timeouts during fast recovery, without SACK.
    reno_recovery_fails = "TcpExtTCPRenoRecoveryFail",
    /// Fast recoveries with SACK.
    sack_recoveries = "TcpExtTCPSackRecovery",
    /// Fast recoveries without SACK.
    reno_recoveries = "TcpExtTCPRenoRecovery",
    /// Segments sent again in fast recovery.
    fast_retransmits = "TcpExtTCPFastRetrans",
    /// Segments sent again after a timeout.
    slow_start_retransmits = "TcpExtTCPSlowStartRetrans",
    /// Retransmissions found lost again.
    lost_retransmits = "TcpExtTCPLostRetransmit",
    /// Tail loss probes sent.
    loss_probes = "TcpExtTCPLossProbes",
    /// Losses that a probe repaired.
    loss_probe_recoveries = "TcpExtTCPLossProbeRecovery",
    /// D-SACKs of what we sent.
    dsacks_received = "TcpExtTCPDSACKRecv",
    /// D-SACKs that say nothing about a retransmission of ours.
    dsacks_ignored = "TcpExtTCPDSACKIgnoredNoUndo",
    /// Times that the path first showed that it reorders.
    reorderings = "TcpExtTCPSACKReorder",
    /// Peers that threw away what they had selectively acknowledged.
    renegings = "TcpExtTCPSACKReneging",
    /// Timeouts that F-RTO found spurious.
    spurious_timeouts = "TcpExtTCPSpuriousRTOs",
    /// Reductions after a timeout undone by timestamps or D-SACK.
    loss_undos = "TcpExtTCPLossUndo",
    /// Fast recoveries undone by timestamps.
    full_undos = "TcpExtTCPFullUndo",
    /// Reductions undone by D-SACK.
    dsack_undos = "TcpExtTCPDSACKUndo",
}
