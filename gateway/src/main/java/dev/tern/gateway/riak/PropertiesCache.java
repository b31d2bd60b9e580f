package dev.tern.gateway.riak;

import dev.tern.core.keyspace.FetchOutcome;
import dev.tern.core.keyspace.Keyspace;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Versions;
import dev.tern.env.Clock;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;

/// The properties of buckets as one loop last read them. Old ones serve while newer ones are read.
final class PropertiesCache {
  /// Buckets remembered.
  private static final int MAX_BUCKETS = 4_096;

  private final Clock clock;

  private static final class Cached {
    BucketProperties properties = BucketProperties.NONE;
    long readNanos;
    boolean reading;
  }

  private final Map<String, Cached> buckets =
      new LinkedHashMap<>(16, 0.75f, /* accessOrder= */ true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Cached> eldest) {
          return size() > MAX_BUCKETS;
        }
      };

  /// By type: the id of the keyspace whose properties are remembered.
  private final Map<String, Integer> keyspaces = new LinkedHashMap<>();

  PropertiesCache(Clock clock) {
    this.clock = clock;
  }

  private static String name(String type, byte[] bucket) {
    return type + '\0' + new String(bucket, StandardCharsets.ISO_8859_1);
  }

  /// Tells the properties of a bucket, those of its type included.
  ///
  /// @param bucket empty for the type's own
  void with(
      Keyspace keyspace,
      String type,
      byte[] bucket,
      Consumer<BucketProperties> told,
      Consumer<Unanswered> failed) {
    Cached cached = buckets.get(name(type, bucket));
    if (cached == null) {
      read(keyspace, type, bucket, told, failed);
      return;
    }
    boolean old = clock.monotonicNanos() - cached.readNanos > BucketProperties.FRESH_NANOS;
    if (old && !cached.reading) {
      cached.reading = true;
      read(keyspace, type, bucket, newer -> {}, why -> cached.reading = false);
    }
    told.accept(cached.properties);
  }

  /// Reads them now.
  void read(
      Keyspace keyspace,
      String type,
      byte[] bucket,
      Consumer<BucketProperties> told,
      Consumer<Unanswered> failed) {
    one(
        keyspace,
        new byte[0],
        ofType -> {
          Consumer<BucketProperties> both =
              own -> {
                Cached fresh = new Cached();
                fresh.properties = own.over(ofType);
                fresh.readNanos = clock.monotonicNanos();
                buckets.put(name(type, bucket), fresh);
                told.accept(fresh.properties);
              };
          if (bucket.length == 0) {
            both.accept(BucketProperties.NONE);
          } else {
            one(keyspace, bucket, both, failed);
          }
        },
        failed);
  }

  /// What was set of a bucket itself.
  static void one(
      Keyspace keyspace,
      byte[] bucket,
      Consumer<BucketProperties> told,
      Consumer<Unanswered> failed) {
    keyspace.fetch(
        BucketKey.properties(bucket),
        Level.DEFAULT,
        outcome -> {
          switch (outcome) {
            case FetchOutcome.Held held -> told.accept(decode(held.versions()));
            case Unanswered why -> failed.accept(why);
          }
        });
  }

  private static BucketProperties decode(Versions versions) {
    for (Versions.Sibling sibling : versions.siblings()) {
      if (sibling.value() != null) {
        try {
          return BucketProperties.decode(sibling.value());
        } catch (RiakException e) {
          // Not written by this door: the bucket goes by its defaults until they are set anew.
          return BucketProperties.NONE;
        }
      }
    }
    return BucketProperties.NONE;
  }

  /// A type is this keyspace now: what is remembered of another of the same name is forgotten.
  void isKeyspace(String type, int id) {
    Integer before = keyspaces.put(type, id);
    if (before != null && before != id) {
      forget(type);
    }
  }

  /// Somebody on this loop has changed them.
  void forget(String type) {
    buckets.keySet().removeIf(name -> name.startsWith(type + '\0'));
  }
}
