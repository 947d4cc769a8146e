//! Where a key lies on this machine's disk: never outside the chosen folder.
