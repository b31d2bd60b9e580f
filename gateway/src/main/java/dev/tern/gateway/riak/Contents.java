package dev.tern.gateway.riak;

import dev.tern.core.keyspace.Versions;
import java.util.List;

/// What a key holds, as RpbContent: the client's fields as they came, and after them what the store
/// knows.
final class Contents {
  private static final int VALUE = 1;
  private static final int CONTENT_TYPE = 2;
  private static final int CHARSET = 3;
  private static final int CONTENT_ENCODING = 4;
  private static final int VTAG = 5;
  private static final int LINKS = 6;
  private static final int LAST_MODIFIED = 7;
  private static final int LAST_MODIFIED_MICROS = 8;
  private static final int USER_META = 9;
  private static final int INDEXES = 10;
  private static final int DELETED = 11;
  private static final int TTL = 12;
  private static final int PAIR_KEY = 1;
  private static final int MICROS = 1_000_000;
  private static final byte[] NO_BYTES = {};

  private static final Fields.Shape SHAPE =
      Fields.Shape.ofBytes(
              VALUE, CONTENT_TYPE, CHARSET, CONTENT_ENCODING, VTAG, LINKS, USER_META, INDEXES)
          .andNumbers(LAST_MODIFIED, LAST_MODIFIED_MICROS, DELETED, TTL);
  private static final Fields.Shape PAIR = Fields.Shape.ofBytes(PAIR_KEY, 2);
  private static final Fields.Shape LINK = Fields.Shape.ofBytes(1, 2, 3);

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
      content.raw(told(stored, head));
    }
    content.string(VTAG, sibling.id());
    content.number(LAST_MODIFIED, (int) (sibling.stamp() / MICROS));
    content.number(LAST_MODIFIED_MICROS, (int) (sibling.stamp() % MICROS));
    if (stored == null) {
      content.flag(DELETED, true);
    }
    return content.encoded();
  }

  /// What is stored, in the form of a content. What another door has stored is none: it is told as
  /// a value without more.
  private static byte[] told(byte[] stored, boolean head) {
    try {
      return written(stored, head);
    } catch (RiakException e) {
      return head ? EMPTY_VALUE : new Fields.Message().bytes(VALUE, stored).encoded();
    }
  }

  /// A client's content without what only the store may say, and without fields that no client
  /// knows.
  ///
  /// @throws RiakException if it is none
  static byte[] checked(byte[] content) {
    return written(content, /* head= */ false);
  }

  /// Reads a content and writes it anew, so that whatever was stored, a client can read the answer.
  ///
  /// @param head with an empty value in place of the content's
  /// @throws RiakException if the bytes are no content, or one without its value
  private static byte[] written(byte[] content, boolean head) {
    Fields.Message kept = new Fields.Message();
    boolean[] valued = {false};
    Fields.read(
        content,
        SHAPE,
        (field, in) -> {
          switch (field) {
            case VALUE -> {
              byte[] value = in.readByteArray();
              // The last of several counts, as in any reader of protocol buffers.
              kept.bytes(VALUE, head ? NO_BYTES : value);
              valued[0] = true;
            }
            case TTL -> kept.number(TTL, in.readUInt32());
            case LINKS -> kept.bytes(LINKS, link(in.readByteArray()));
            case USER_META, INDEXES -> kept.bytes(field, pair(in.readByteArray()));
            case CONTENT_TYPE, CHARSET, CONTENT_ENCODING -> kept.bytes(field, in.readByteArray());
            default -> {
              // The store says these: vtag, times, deleted.
              return false;
            }
          }
          return true;
        });
    if (!valued[0]) {
      throw new RiakException("the content has no value");
    }
    return kept.encoded();
  }

  private static byte[] link(byte[] link) {
    Fields.read(link, LINK, (field, in) -> false);
    return link;
  }

  private static byte[] pair(byte[] pair) {
    boolean[] keyed = {false};
    Fields.read(
        pair,
        PAIR,
        (field, in) -> {
          keyed[0] |= field == PAIR_KEY;
          return false;
        });
    if (!keyed[0]) {
      throw new RiakException("a pair of the content's metadata or indexes has no key");
    }
    return pair;
  }
}
