package dev.tern.gateway.riak;

import com.google.protobuf.CodedInputStream;
import dev.tern.core.keyspace.Level;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.IntStream;

/// Properties of a bucket or a type (RpbBucketProps): what was set; what was not follows from the
/// type, and then from the keyspace.
final class BucketProperties {
  /// How long a loop goes by what it has read, nanoseconds.
  static final long FRESH_NANOS = 2_000_000_000L;

  static final BucketProperties NONE = new BucketProperties(Map.of());

  static final int N_VAL = 1;
  static final int ALLOW_MULT = 2;
  static final int LAST_WRITE_WINS = 3;
  private static final int HAS_PRECOMMIT = 5;
  private static final int HAS_POSTCOMMIT = 7;
  private static final int CHASH_KEYFUN = 8;
  private static final int LINKFUN = 9;
  private static final int OLD_VCLOCK = 10;
  private static final int YOUNG_VCLOCK = 11;
  private static final int BIG_VCLOCK = 12;
  private static final int SMALL_VCLOCK = 13;
  static final int PR = 14;
  static final int R = 15;
  static final int W = 16;
  static final int PW = 17;
  static final int DW = 18;
  static final int RW = 19;
  private static final int BASIC_QUORUM = 20;
  private static final int NOTFOUND_OK = 21;
  private static final int SEARCH = 23;
  private static final int LAST_NUMBER = 23;

  /// Riak's numbers for levels by name.
  private static final int ONE = -2;

  private static final int QUORUM = -3;

  // Not Riak's: replicas in the datacenter of the node that is asked.
  private static final int LOCAL_ONE = -11;
  private static final int LOCAL_QUORUM = -12;

  // Not Riak's: linearizable gets and puts, where the last write wins.
  private static final int LINEARIZABLE = -13;

  private static final int ALL = -4;
  private static final int DEFAULT = -5;

  private static final Fields.Shape SHAPE =
      Fields.Shape.ofBytes()
          .andNumbers(IntStream.rangeClosed(1, LAST_NUMBER).filter(f -> isNumber(f)).toArray());

  /// By field number; flags are 0 and 1.
  private final Map<Integer, Integer> values;

  private BucketProperties(Map<Integer, Integer> values) {
    this.values = values;
  }

  private static boolean isNumber(int field) {
    return field >= 1
        && field <= LAST_NUMBER
        && field != 4
        && field != 6
        && field != CHASH_KEYFUN
        && field != LINKFUN
        && field != 22;
  }

  /// Reads numbers and flags; hooks, functions and what belongs to search are not kept.
  ///
  /// @throws RiakException if the bytes are no properties
  static BucketProperties decode(byte[] message) {
    Map<Integer, Integer> values = new LinkedHashMap<>();
    Fields.read(message, SHAPE, (field, in) -> take(values, field, in));
    return new BucketProperties(values);
  }

  private static boolean take(Map<Integer, Integer> values, int field, CodedInputStream in)
      throws IOException {
    if (!isNumber(field)) {
      return false;
    }
    values.put(field, (int) in.readUInt64());
    return true;
  }

  byte[] encoded() {
    Fields.Message message = new Fields.Message();
    values.forEach(message::number);
    return message.encoded();
  }

  /// This where it says something, and else another.
  BucketProperties over(BucketProperties other) {
    Map<Integer, Integer> both = new LinkedHashMap<>(other.values);
    both.putAll(values);
    return new BucketProperties(both);
  }

  int number(int field, int otherwise) {
    return values.getOrDefault(field, otherwise);
  }

  boolean flag(int field, boolean otherwise) {
    return number(field, otherwise ? 1 : 0) != 0;
  }

  /// Why a keyspace of `n` replicas cannot have these, null if it can.
  @org.jspecify.annotations.Nullable
  String problem(int n) {
    int wanted = number(N_VAL, n);
    return wanted < 1 || wanted > n
        ? "n_val lies between 1 and %d, the replicas of the bucket type's keyspace".formatted(n)
        : null;
  }

  /// All that a client is told.
  ///
  /// @param n replicas of the keyspace
  /// @param multi whether siblings are kept where nothing is said
  byte[] full(int n, boolean multi) {
    byte[] standard =
        new Fields.Message()
            .bytes(1, "riak_core_util".getBytes(java.nio.charset.StandardCharsets.US_ASCII))
            .bytes(2, "chash_std_keyfun".getBytes(java.nio.charset.StandardCharsets.US_ASCII))
            .encoded();
    byte[] links =
        new Fields.Message()
            .bytes(1, "riak_kv_wm_link_walker".getBytes(java.nio.charset.StandardCharsets.US_ASCII))
            .bytes(2, "mapreduce_linkfun".getBytes(java.nio.charset.StandardCharsets.US_ASCII))
            .encoded();
    Map<Integer, Integer> all = new LinkedHashMap<>();
    all.put(N_VAL, n);
    all.put(ALLOW_MULT, multi ? 1 : 0);
    all.put(LAST_WRITE_WINS, 0);
    all.put(HAS_PRECOMMIT, 0);
    all.put(HAS_POSTCOMMIT, 0);
    all.put(OLD_VCLOCK, 86_400);
    all.put(YOUNG_VCLOCK, 20);
    all.put(BIG_VCLOCK, 50);
    all.put(SMALL_VCLOCK, 50);
    all.put(PR, 0);
    all.put(R, QUORUM);
    all.put(W, QUORUM);
    all.put(PW, 0);
    all.put(DW, QUORUM);
    all.put(RW, QUORUM);
    all.put(BASIC_QUORUM, 0);
    all.put(NOTFOUND_OK, 1);
    all.put(SEARCH, 0);
    all.putAll(values);
    Fields.Message message = new Fields.Message();
    all.forEach(message::number);
    return message.bytes(CHASH_KEYFUN, standard).bytes(LINKFUN, links).encoded();
  }

  /// How many replicas a level asks for.
  ///
  /// @param asked of the request, 0 if it says nothing
  /// @param field of the level in the properties
  /// @return 0 for the keyspace's default
  private int count(int asked, int field, int n) {
    int level = asked == 0 || asked == DEFAULT ? number(field, DEFAULT) : asked;
    return switch (level) {
      case ONE -> 1;
      case QUORUM -> n / 2 + 1;
      case ALL -> n;
      case DEFAULT -> 0;
      case LOCAL_ONE -> Level.LOCAL_ONE;
      case LOCAL_QUORUM -> Level.LOCAL_QUORUM;
      case LINEARIZABLE -> Level.ATOMIC;
      default -> level;
    };
  }

  /// The level of a request of a bucket.
  ///
  /// @param replicas of the keyspace
  /// @throws RiakException if it asks for more replicas than there are
  Level level(KeyRequest request, int replicas) {
    int n = request.n > 0 ? request.n : Math.min(number(N_VAL, replicas), replicas);
    int r = count(request.r != 0 ? request.r : request.rw, R, n);
    int w = count(request.w != 0 ? request.w : request.rw, W, n);
    int pr = count(request.pr, PR, n);
    int pw = count(request.pw, PW, n);
    int dw = count(request.dw, DW, n);
    boolean named = r >= Level.ATOMIC && w >= Level.ATOMIC;
    for (int count : new int[] {n, Math.max(r, 0), Math.max(w, 0), pr, pw, dw}) {
      if (!named || count < 0 || count > n || n > replicas) {
        throw new RiakException("{n_val_violation,%d}".formatted(Math.min(n, replicas)));
      }
    }
    return new Level(n, r, w, pr, pw, dw, request.sloppy, request.timeoutMillis);
  }
}
