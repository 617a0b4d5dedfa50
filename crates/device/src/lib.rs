//! Where packets come from and go: TUN, packet sockets, channels.
