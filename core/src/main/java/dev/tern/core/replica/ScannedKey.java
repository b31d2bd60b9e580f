package dev.tern.core.replica;

/// A key met by a scan.
///
/// @param slot its slot
/// @param position its place in the slot: a 48-bit hash of the key
/// @param key the user key
/// @param stamp of its version
/// @param replica id that minted its version
/// @param live whether the version has a value that has not expired
public record ScannedKey(
    int slot, long position, byte[] key, long stamp, int replica, boolean live) {}
