package dev.tern.core.wire;

/// The records of a range, by their hashes.
///
/// @param range how far it goes, less than was asked for where that is much
/// @param hashes of each record there, deletes included; in order of the storage keys
/// @param bytes that were read
public record TreeListing(TreeRange range, long[] hashes, int bytes) {}
