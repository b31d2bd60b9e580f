package dev.tern.gateway.riak;

import dev.tern.core.keyspace.Versions;
import java.util.ArrayList;
import java.util.List;

/// What a key holds, as RpbContent: the client's fields as they came, and after them what the store
/// knows.
final class Contents {
  private static final int VALUE = 1;
  private static final int VTAG = 5;
  private static final int LAST_MODIFIED = 7;
  private static final int LAST_MODIFIED_MICROS = 8;
  private static final int DELETED = 11;
  private static final int MICROS = 1_000_000;
  private static final byte[] EMPTY_VALUE =
      new Fields.Message().bytes(VALUE, new byte[0]).encoded();

  private Contents() {}

  /// Only the newest value where siblings are not wanted.
  static Versions resolved(Versions versions, boolean multi) {
    if (multi || versions.siblings().size() < 2) {
      return versions;
    }
    for (Versions.Sibling sibling : versions.siblings()) {
      if (sibling.value() != null) {
        return new Versions(List.of(sibling), versions.context());
      }
    }
    return new Versions(List.of(versions.siblings().getFirst()), versions.context());
  }

  /// Appends the siblings as fields of a number.
  ///
  /// @param head without the values
  static void add(Fields.Message message, int field, Versions versions, boolean head) {
    for (Versions.Sibling sibling : versions.siblings()) {
      message.bytes(field, content(sibling, head));
    }
  }

  private static byte[] content(Versions.Sibling sibling, boolean head) {
    byte[] stored = sibling.value();
    Fields.Message content = new Fields.Message();
    if (stored == null) {
      content.raw(EMPTY_VALUE);
    } else {
      content.raw(head ? withoutValue(stored) : stored);
    }
    content.string(VTAG, sibling.id());
    content.number(LAST_MODIFIED, (int) (sibling.stamp() / MICROS));
    content.number(LAST_MODIFIED_MICROS, (int) (sibling.stamp() % MICROS));
    if (stored == null) {
      content.flag(DELETED, true);
    }
    return content.encoded();
  }

  private static byte[] withoutValue(byte[] stored) {
    Fields.Message head = new Fields.Message().raw(EMPTY_VALUE);
    Fields.read(
        stored,
        (field, in) -> {
          if (field == VALUE) {
            return false;
          }
          // All fields of a content are byte strings, but for the numbers that the store makes.
          if (field == LAST_MODIFIED || field == LAST_MODIFIED_MICROS || field == DELETED) {
            return false;
          }
          head.bytes(field, in.readByteArray());
          return true;
        });
    return head.encoded();
  }

  /// A client's content without what only the store may say.
  ///
  /// @throws RiakException if it is none
  static byte[] checked(byte[] content) {
    List<Integer> made = new ArrayList<>(0);
    Fields.read(
        content,
        (field, in) -> {
          if (field == VTAG
              || field >= LAST_MODIFIED && field <= LAST_MODIFIED_MICROS
              || field == DELETED) {
            made.add(field);
          }
          return false;
        });
    if (made.isEmpty()) {
      return content;
    }
    Fields.Message kept = new Fields.Message();
    Fields.read(
        content,
        (field, in) -> {
          if (made.contains(field)) {
            return false;
          }
          kept.bytes(field, in.readByteArray());
          return true;
        });
    return kept.encoded();
  }
}
