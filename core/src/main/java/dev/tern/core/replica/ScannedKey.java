package dev.tern.core.replica;

import dev.tern.core.version.Rank;

/// A key met by a scan.
///
/// @param slot its slot
/// @param position its place in the slot: a 48-bit hash of the key
/// @param key the user key
/// @param rank of its version that wins
/// @param live whether the version has a value that has not expired
public record ScannedKey(int slot, long position, byte[] key, Rank rank, boolean live) {}
