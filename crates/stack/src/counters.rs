//! What happened, counted, under the names that nstat uses.

use handclasp_tcp::connection::RecoveryCounts;

/// Declares the counters with their names.
macro_rules! counters {
    ($($(#[$doc:meta])* $field:ident = $name:literal,)*) => {
        /// Totals since the host began. IPv4 and IPv6 count together.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Counters {
            $($(#[$doc])* pub $field: u64,)*
            /// What loss recovery did, on all connections together.
            pub tcp_recovery: RecoveryCounts,
        }

        impl Counters {
            /// All of them with the names that nstat uses, in a fixed order.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$(($name, self.$field)),*].into_iter().chain(self.tcp_recovery.iter())
            }
        }
    };
}

counters! {
    /// Packets that came in.
    ip_in_receives = "IpInReceives",
    /// Packets dropped for a fault in their IP header.
    ip_in_hdr_errors = "IpInHdrErrors",
    /// Packets dropped for their addresses: not for us, or from nobody.
    ip_in_addr_errors = "IpInAddrErrors",
    /// Packets of a protocol that is not spoken here.
    ip_in_unknown_protos = "IpInUnknownProtos",
    /// Packets handed to a transport.
    ip_in_delivers = "IpInDelivers",
    /// Packets that transports wanted sent.
    ip_out_requests = "IpOutRequests",
    /// Of these, those that had no route.
    ip_out_no_routes = "IpOutNoRoutes",
    /// Fragments that came in.
    ip_reasm_reqds = "IpReasmReqds",
    /// Packets put together from fragments.
    ip_reasm_oks = "IpReasmOKs",
    /// Fragments refused.
    ip_reasm_fails = "IpReasmFails",
    /// Packets whose fragments did not come in time.
    ip_reasm_timeout = "IpReasmTimeout",
    /// ICMP messages that came in.
    icmp_in_msgs = "IcmpInMsgs",
    /// ICMP messages that were malformed.
    icmp_in_errors = "IcmpInErrors",
    /// ICMP messages with a wrong checksum.
    icmp_in_csum_errors = "IcmpInCsumErrors",
    /// ICMP messages sent.
    icmp_out_msgs = "IcmpOutMsgs",
    /// Connections that we opened.
    tcp_active_opens = "TcpActiveOpens",
    /// Connections that peers opened and completed.
    tcp_passive_opens = "TcpPassiveOpens",
    /// Attempts to open, ours or peers', that came to nothing.
    tcp_attempt_fails = "TcpAttemptFails",
    /// Open connections that ended badly.
    tcp_estab_resets = "TcpEstabResets",
    /// Segments that came in; coalesced ones count as the packets they were read as.
    tcp_in_segs = "TcpInSegs",
    /// Segments sent; a burst counts as those it is cut into.
    tcp_out_segs = "TcpOutSegs",
    /// Segments sent again.
    tcp_retrans_segs = "TcpRetransSegs",
    /// Segments that were malformed.
    tcp_in_errs = "TcpInErrs",
    /// Segments with a wrong checksum.
    tcp_in_csum_errors = "TcpInCsumErrors",
    /// RSTs sent.
    tcp_out_rsts = "TcpOutRsts",
    /// Handshakes held up because the accept queue was full.
    tcp_ext_listen_overflows = "TcpExtListenOverflows",
    /// SYNs and last ACKs of handshakes dropped by listeners, for whatever reason.
    tcp_ext_listen_drops = "TcpExtListenDrops",
    /// SYN cookies sent.
    tcp_ext_syncookies_sent = "TcpExtSyncookiesSent",
    /// SYN cookies that came back.
    tcp_ext_syncookies_recv = "TcpExtSyncookiesRecv",
    /// ACKs that looked like a SYN cookie's and were none, or too old.
    tcp_ext_syncookies_failed = "TcpExtSyncookiesFailed",
    /// SYNs that found the SYN queue full and got a cookie.
    tcp_ext_req_q_full_do_cookies = "TcpExtTCPReqQFullDoCookies",
    /// SYNs that found the SYN queue full and were dropped.
    tcp_ext_req_q_full_drop = "TcpExtTCPReqQFullDrop",
    /// Connections that went through TIME-WAIT to its end.
    tcp_ext_tw = "TcpExtTW",
    /// TIME-WAIT entries that made way for a new connection of the same sockets.
    tcp_ext_tw_recycled = "TcpExtTWRecycled",
    /// TIME-WAIT entries that made room for others.
    tcp_ext_time_wait_overflow = "TcpExtTCPTimeWaitOverflow",
    /// ICMP errors that quote nothing a connection has in flight.
    tcp_ext_out_of_window_icmps = "TcpExtOutOfWindowIcmps",
    /// Data of our SYNs that was taken with them.
    tcp_ext_fast_open_active = "TcpExtTCPFastOpenActive",
    /// Opens with data in the SYN that came to nothing faster.
    tcp_ext_fast_open_active_fail = "TcpExtTCPFastOpenActiveFail",
    /// Connections that a good cookie opened.
    tcp_ext_fast_open_passive = "TcpExtTCPFastOpenPassive",
    /// Cookies that were none of ours.
    tcp_ext_fast_open_passive_fail = "TcpExtTCPFastOpenPassiveFail",
    /// Fast opens that found too many others under way.
    tcp_ext_fast_open_listen_overflow = "TcpExtTCPFastOpenListenOverflow",
    /// Requests for a cookie.
    tcp_ext_fast_open_cookie_reqd = "TcpExtTCPFastOpenCookieReqd",
    /// Datagrams delivered.
    udp_in_datagrams = "UdpInDatagrams",
    /// Datagrams for ports that nobody has.
    udp_no_ports = "UdpNoPorts",
    /// Datagrams that were malformed.
    udp_in_errors = "UdpInErrors",
    /// Datagrams with a wrong checksum.
    udp_in_csum_errors = "UdpInCsumErrors",
    /// Datagrams that found their socket's queue full.
    udp_rcvbuf_errors = "UdpRcvbufErrors",
    /// Datagrams sent.
    udp_out_datagrams = "UdpOutDatagrams",
}
