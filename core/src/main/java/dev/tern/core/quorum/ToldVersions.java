package dev.tern.core.quorum;

import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.Versions;
import dev.tern.core.version.DotSet;
import dev.tern.core.version.HybridClock;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Version;
import dev.tern.env.DecodeException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What clients are told of records, and what they tell of what they have seen.
final class ToldVersions {
  private static final byte[] NO_CONTEXT = {};

  private ToldVersions() {}

  /// What clients are told of a record.
  ///
  /// @param wall what has expired by then has no value
  /// @param scope what the context is good for
  static Versions of(@Nullable Siblings record, long wall, ContextScope scope) {
    if (record == null) {
      return new Versions(List.of(), NO_CONTEXT);
    }
    List<Versions.Sibling> siblings = new ArrayList<>(record.count());
    for (int i = 0; i < record.count(); i++) {
      Version version = record.get(i);
      String id = name(version.replica(), version.counter());
      byte[] value = version.liveAt(wall) ? version.value() : null;
      long time = version.stamp().time();
      long micros = HybridClock.millis(time) * 1000 + (time & 0xffff) % 1000;
      siblings.add(new Versions.Sibling(id, value, micros, version.expiryMillis()));
    }
    return new Versions(siblings, scope.seal(record.seen()));
  }

  private static String name(int replica, long counter) {
    return Integer.toUnsignedString(replica, Character.MAX_RADIX)
        + "."
        + Long.toUnsignedString(counter, Character.MAX_RADIX);
  }

  /// Whether a context has seen all siblings; one that is none of the scope has not.
  static boolean seen(byte[] context, Versions versions, ContextScope scope) {
    try {
      DotSet seen = scope.unseal(context);
      for (Versions.Sibling sibling : versions.siblings()) {
        int dot = sibling.id().indexOf('.');
        int replica = Integer.parseUnsignedInt(sibling.id().substring(0, dot), Character.MAX_RADIX);
        String counter = sibling.id().substring(dot + 1);
        if (!seen.contains(replica, Long.parseUnsignedLong(counter, Character.MAX_RADIX))) {
          return false;
        }
      }
      return true;
    } catch (DecodeException e) {
      return false;
    }
  }

  /// The dots that the writer has seen, by a context that [ContextScope#unseal] has let pass.
  static DotSet context(Update.Store store) {
    return ContextScope.opened(store.context());
  }
}
