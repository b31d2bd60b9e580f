package dev.tern.core.wire;

import dev.tern.core.version.Rank;

/// A key met by a scan.
///
/// @param slot its slot
/// @param hash of the key in its keyspace, unsigned 32 bits: its place in the slot
/// @param key the user key
/// @param rank of its version that wins
/// @param live whether the version has a value that has not expired
public record ScannedKey(int slot, long hash, byte[] key, Rank rank, boolean live) {
  /// Whether the key lies at this slot and hash.
  public boolean isAt(int otherSlot, long otherHash) {
    return slot == otherSlot && hash == otherHash;
  }
}
