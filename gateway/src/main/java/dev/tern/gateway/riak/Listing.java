package dev.tern.gateway.riak;

import dev.tern.core.keyspace.Keyspace;
import dev.tern.core.keyspace.ScanOutcome;
import dev.tern.core.keyspace.Scope;
import dev.tern.core.keyspace.Unanswered;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// The keys of a bucket or the buckets of a type, from a walk through all keys of the type: costly,
/// as it is in Riak. Pages are sent as they come, and the next one is looked for when the client
/// has taken the one before.
final class Listing {
  /// Keys looked at in one step.
  private static final int STEP = 1_000;

  /// Distinct buckets that one request may find.
  private static final int MAX_BUCKETS = 100_000;

  /// Steps that failed one after the other before the walk is given up.
  private static final int MAX_FAILURES = 20;

  private static final Fields.Shape KEYS = Fields.Shape.ofBytes(1, 3).andNumbers(2);
  private static final Fields.Shape BUCKETS = Fields.Shape.ofBytes(3).andNumbers(1, 2);

  private final String type;
  private final byte @Nullable [] prefix;
  private final int code;

  /// Whether pages are sent as they come.
  private final boolean streams;

  private final Set<byte[]> buckets = new TreeSet<>(Arrays::compareUnsigned);
  private Fields.Message page = new Fields.Message();
  private int failures;

  private Listing(String type, byte @Nullable [] prefix, int code, boolean streams) {
    this.type = type;
    this.prefix = prefix;
    this.code = code;
    this.streams = streams;
  }

  /// RpbListKeysReq: always streamed.
  static Listing ofKeys(byte[] message) {
    byte[][] bucket = {{}};
    String[] type = {KeyRequest.DEFAULT_TYPE};
    Fields.read(
        message,
        KEYS,
        (field, in) -> {
          switch (field) {
            case 1 -> bucket[0] = in.readByteArray();
            case 3 -> type[0] = KeyRequest.text(in);
            default -> {
              return false;
            }
          }
          return true;
        });
    if (bucket[0].length == 0) {
      throw new RiakException("Bucket cannot be zero-length");
    }
    return new Listing(type[0], BucketKey.prefix(bucket[0]), Code.KEYS, /* streams= */ true);
  }

  /// RpbListBucketsReq.
  static Listing ofBuckets(byte[] message) {
    boolean[] streams = {false};
    String[] type = {KeyRequest.DEFAULT_TYPE};
    Fields.read(
        message,
        BUCKETS,
        (field, in) -> {
          switch (field) {
            case 2 -> streams[0] = in.readBool();
            case 3 -> type[0] = KeyRequest.text(in);
            default -> {
              return false;
            }
          }
          return true;
        });
    return new Listing(type[0], null, Code.BUCKETS, streams[0]);
  }

  String type() {
    return type;
  }

  void start(Keyspace keyspace, Answer answer) {
    step(keyspace, 0, answer);
  }

  private void step(Keyspace keyspace, long cursor, Answer answer) {
    if (answer.isAbandoned()) {
      return;
    }
    keyspace.scan(
        cursor,
        STEP,
        Scope.CLUSTER,
        outcome -> {
          switch (outcome) {
            case ScanOutcome.Page found -> found(keyspace, found, answer);
            case Unanswered why -> {
              if (++failures < MAX_FAILURES) {
                step(keyspace, cursor, answer);
              } else {
                answer.error(RiakRequests.text(why, "r"));
              }
            }
          }
        });
  }

  private void found(Keyspace keyspace, ScanOutcome.Page found, Answer answer) {
    failures = 0;
    boolean any = false;
    for (byte[] joined : found.keys()) {
      byte[] name = prefix == null ? bucket(joined) : BucketKey.key(joined, prefix);
      if (name != null) {
        page.bytes(1, name);
        any = true;
      }
    }
    if (buckets.size() > MAX_BUCKETS) {
      answer.error("the type has more than %d buckets".formatted(MAX_BUCKETS));
    } else if (found.next() != 0) {
      if (any && streams) {
        byte[] full = page.encoded();
        page = new Fields.Message();
        answer.more(code, full, () -> step(keyspace, found.next(), answer));
      } else {
        step(keyspace, found.next(), answer);
      }
    } else if (streams || prefix != null) {
      answer.last(code, page.flag(2, true).encoded());
    } else {
      answer.last(code, page.encoded());
    }
  }

  private byte @Nullable [] bucket(byte[] joined) {
    byte[] bucket = BucketKey.bucket(joined);
    return bucket != null && buckets.add(bucket) ? bucket : null;
  }
}
