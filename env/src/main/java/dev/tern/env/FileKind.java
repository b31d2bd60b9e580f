package dev.tern.env;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// The kinds of files there are, and the format of each that this version of Tern reads and writes.
/// The formats are drawn in docs/formats.md.
public enum FileKind {
  /// A write-ahead log of a store.
  LOG("ternwlog", "write-ahead log", 3),

  /// A sorted table of a store.
  TABLE("terntabl", "table", 4),

  /// The list of a store's files.
  MANIFEST("ternmani", "manifest", 8),

  /// A segment of the log of Raft groups.
  RAFT_SEGMENT("ternraft", "Raft log segment", 2),

  /// A snapshot of a Raft group.
  SNAPSHOT("ternsnap", "Raft snapshot", 2),

  /// The topology that a node last knew.
  KNOWN_TOPOLOGY("ternknow", "known topology", 2),

  /// The mark of a member that has lost its part of the topology log.
  FORGETFUL("ternforg", "mark of a forgetful member", 2),

  /// How often a node was started.
  GENERATION("terngene", "generation of a node", 2);

  private static final FileKind[] ALL = values();

  /// The first eight bytes of each file of this kind.
  final long magic;

  private final String noun;
  private final int format;

  FileKind(String magic, String noun, int format) {
    this.magic = new ByteReader(magic.getBytes(StandardCharsets.US_ASCII)).readLong();
    this.noun = noun;
    this.format = format;
  }

  /// The format of this kind that is read and written.
  public int format() {
    return format;
  }

  /// The kind in words, without an article.
  public String noun() {
    return noun;
  }

  /// The kind of a file that begins so, null if it is none known here.
  public static @Nullable FileKind of(byte[] beginning) {
    if (beginning.length >= Long.BYTES) {
      long magic = new ByteReader(beginning).readLong();
      for (FileKind kind : ALL) {
        if (kind.magic == magic) {
          return kind;
        }
      }
    }
    return null;
  }
}
