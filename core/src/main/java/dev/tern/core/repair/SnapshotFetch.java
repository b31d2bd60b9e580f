package dev.tern.core.repair;

import dev.tern.core.replica.ArrivingSnapshot;
import dev.tern.core.wire.Message;
import dev.tern.core.wire.SnapshotChunk;

/// A snapshot of another replica on its way to a partition here: which one it is, and where its
/// rows have come to. On the shard's loop.
final class SnapshotFetch {
  private static final byte[] NOTHING = {};

  final ArrivingSnapshot rows;

  /// By which the replica that gives it knows it; 0 before the first chunk.
  private long session;

  private byte[] cursor = NOTHING;

  /// Whether a chunk is being written, or all are being taken in: nothing may be asked for.
  boolean busy;

  /// Whether it is handed over to be taken in: its place among the fetches is given free when that
  /// has ended, whatever becomes of the partition's exchange.
  boolean handedOver;

  SnapshotFetch(ArrivingSnapshot rows) {
    this.rows = rows;
  }

  Message.AskChunk ask(Exchange exchange) {
    return new Message.AskChunk(
        exchange.group, exchange.partition.number(), exchange.fetchId, session, cursor);
  }

  /// Whether a chunk is the next one of it.
  boolean isNext(SnapshotChunk chunk) {
    return chunk.session() != 0 && (session == 0 || session == chunk.session());
  }

  /// A chunk is written.
  void took(SnapshotChunk chunk) {
    session = chunk.session();
    cursor = chunk.next();
  }
}
