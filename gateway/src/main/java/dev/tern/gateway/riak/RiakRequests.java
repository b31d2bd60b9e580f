package dev.tern.gateway.riak;

import dev.tern.core.keyspace.Caller;
import dev.tern.core.keyspace.FetchOutcome;
import dev.tern.core.keyspace.Keyspace;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.Resolution;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.keyspace.Versions;
import dev.tern.core.node.Node;
import dev.tern.core.version.ValueType;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;

/// Carries out the requests of one connection.
final class RiakRequests {
  /// What this node answers for its version: what it behaves as.
  private static final String VERSION = "3.0";

  /// Clients need none since Riak has vnode vector clocks.
  private static final byte[] CLIENT_ID = new Fields.Message().bytes(1, new byte[4]).encoded();

  private final Node node;
  private final int shard;
  private final Caller caller;
  private final String reserved;
  private final PropertiesCache properties;

  /// By type: its keyspace, as long as it has that id.
  private final Map<String, Keyspace> types = new LinkedHashMap<>();

  private long keysMade;

  /// @param reserved name of a keyspace that is no bucket type
  /// @param properties of the shard's connections
  RiakRequests(Node node, int shard, Caller caller, String reserved, PropertiesCache properties) {
    this.node = node;
    this.shard = shard;
    this.caller = caller;
    this.reserved = reserved;
    this.properties = properties;
  }

  /// What a message asks for.
  Task task(int code, byte[] message) {
    try {
      return read(code, message);
    } catch (RiakException e) {
      return Task.free(answer -> answer.error(String.valueOf(e.getMessage())));
    }
  }

  private Task read(int code, byte[] message) {
    return switch (code) {
      case Code.PING -> Task.free(answer -> answer.last(Code.PONG, Answer.NOTHING));
      case Code.GET_CLIENT_ID ->
          Task.free(answer -> answer.last(Code.CLIENT_ID, CLIENT_ID.clone()));
      case Code.SET_CLIENT_ID ->
          Task.free(answer -> answer.last(Code.CLIENT_ID_SET, Answer.NOTHING));
      case Code.GET_SERVER_INFO -> Task.free(answer -> answer.last(Code.SERVER_INFO, serverInfo()));
      case Code.GET -> Task.of(KeyRequest.get(message), this::get);
      case Code.PUT -> Task.of(KeyRequest.put(message), this::put);
      case Code.DELETE -> Task.of(KeyRequest.delete(message), this::delete);
      case Code.LIST_BUCKETS -> Task.alone(Listing.ofBuckets(message), this::list);
      case Code.LIST_KEYS -> Task.alone(Listing.ofKeys(message), this::list);
      case Code.GET_BUCKET -> Task.alone(BucketRequest.of(message), this::getBucket);
      case Code.SET_BUCKET -> Task.alone(BucketRequest.setting(message), this::setBucket);
      case Code.RESET_BUCKET -> Task.alone(BucketRequest.of(message), this::resetBucket);
      case Code.GET_TYPE -> Task.alone(BucketRequest.ofType(message), this::getBucket);
      case Code.SET_TYPE -> Task.alone(BucketRequest.ofType(message), this::setBucket);
      case Code.GET_PLACEMENT -> {
        String type = BucketRequest.ofType(message).type();
        yield Task.free(
            answer ->
                answer.last(Code.PLACEMENT, Placements.encoded(node.view(), type(type).id())));
      }
      default -> Task.free(answer -> answer.error("Unknown message code: " + code));
    };
  }

  private void list(Listing listing, Answer answer) {
    listing.start(type(listing.type()), answer);
  }

  private byte[] serverInfo() {
    String name = "tern@" + node.self().host();
    return new Fields.Message().string(1, name).string(2, VERSION).encoded();
  }

  private Keyspace type(String type) {
    var present = node.view().keyspace(type);
    if (present == null || type.equals(reserved)) {
      types.remove(type);
      throw new RiakException("No bucket-type named '" + type + "' (no_type)");
    }
    Keyspace known = types.get(type);
    if (known == null || known.id() != present.id()) {
      known = node.keyspace(shard, type, caller);
      types.put(type, known);
      properties.isKeyspace(type, known.id());
    }
    return known;
  }

  /// Whether siblings are kept where nothing is said: not in Riak's first type, which is older than
  /// them.
  private static boolean multi(Keyspace keyspace, String type) {
    return keyspace.resolution() == Resolution.SIBLINGS && !type.equals(KeyRequest.DEFAULT_TYPE);
  }

  private static boolean multi(Keyspace keyspace, String type, BucketProperties properties) {
    boolean kept = properties.flag(BucketProperties.ALLOW_MULT, multi(keyspace, type));
    return keyspace.resolution() == Resolution.SIBLINGS
        && kept
        && !properties.flag(BucketProperties.LAST_WRITE_WINS, false);
  }

  /// Goes on with what a request needs to know; errors on the way are answered.
  private void with(
      KeyRequest request, Answer answer, Keyspace keyspace, Consumer<BucketProperties> then) {
    properties.with(
        keyspace,
        request.type,
        request.bucket,
        found -> {
          try {
            then.accept(found);
          } catch (RiakException e) {
            answer.error(String.valueOf(e.getMessage()));
          }
        },
        why -> answer.error(text(why, "r")));
  }

  private static byte[] key(KeyRequest request) {
    return BucketKey.of(request.bucket, java.util.Objects.requireNonNull(request.key));
  }

  private void get(KeyRequest request, Answer answer) {
    Keyspace keyspace = type(request.type);
    with(
        request,
        answer,
        keyspace,
        found -> {
          Level level = found.level(request, keyspace.replicas());
          boolean multi = multi(keyspace, request.type, found);
          keyspace.fetch(
              key(request),
              level,
              outcome -> {
                switch (outcome) {
                  case FetchOutcome.Held held ->
                      answer.last(Code.GOT, got(keyspace, request, held.versions(), multi));
                  case Unanswered why -> answer.error(text(why, level.pr() > 0 ? "pr" : "r"));
                }
              });
        });
  }

  private static byte[] got(
      Keyspace keyspace, KeyRequest request, Versions versions, boolean multi) {
    Fields.Message message = new Fields.Message();
    if (!versions.hasValue()) {
      if (request.deletedVclock && !versions.siblings().isEmpty()) {
        message.bytes(2, versions.context());
      }
      return message.encoded();
    }
    if (request.ifModified != null && keyspace.seen(key(request), request.ifModified, versions)) {
      return message.flag(3, true).encoded();
    }
    Contents.add(message, 1, Contents.resolved(versions, multi), request.head);
    return message.bytes(2, versions.context()).encoded();
  }

  private void put(KeyRequest request, Answer answer) {
    Keyspace keyspace = type(request.type);
    byte[] content = Contents.checked(java.util.Objects.requireNonNull(request.content));
    boolean keyMade = request.key == null;
    if (request.key == null) {
      request.key = newKey();
    }
    with(
        request,
        answer,
        keyspace,
        found -> {
          Level level = found.level(request, keyspace.replicas());
          boolean multi = multi(keyspace, request.type, found);
          boolean body = request.returnBody || request.returnHead;
          Update.Match match =
              request.ifNoneMatch
                  ? Update.Match.ABSENT
                  : request.ifNotModified ? Update.Match.UNMODIFIED : Update.Match.NONE;
          Update.Store store =
              new Update.Store(
                  ValueType.RIAK_OBJECT,
                  content,
                  Update.NO_EXPIRY,
                  request.vclock,
                  /* overwrites= */ !multi,
                  match,
                  body);
          keyspace.update(
              key(request),
              store,
              level,
              outcome ->
                  whenStored(
                      outcome,
                      level.pw() > 0 ? "pw" : "w",
                      answer,
                      stored -> {
                        if (stored.applied()) {
                          answer.last(Code.STORED, stored(request, stored, multi, keyMade));
                        } else {
                          unmatched(request, keyspace, level, answer);
                        }
                      }));
        });
  }

  private void unmatched(KeyRequest request, Keyspace keyspace, Level level, Answer answer) {
    if (request.ifNoneMatch) {
      answer.error("match_found");
      return;
    }
    keyspace.fetch(
        key(request),
        level,
        outcome -> {
          switch (outcome) {
            case FetchOutcome.Held held ->
                answer.error(held.versions().hasValue() ? "modified" : "notfound");
            case Unanswered why -> answer.error(text(why, "r"));
          }
        });
  }

  private static byte[] stored(
      KeyRequest request, UpdateOutcome.Stored stored, boolean multi, boolean keyMade) {
    if (stored.versions() == null && !keyMade) {
      return Answer.NOTHING;
    }
    Fields.Message message = new Fields.Message();
    Versions versions = stored.versions();
    if (versions != null) {
      Contents.add(message, 1, Contents.resolved(versions, multi), !request.returnBody);
      message.bytes(2, versions.context());
    }
    if (keyMade) {
      message.bytes(3, java.util.Objects.requireNonNull(request.key));
    }
    return message.encoded();
  }

  private byte[] newKey() {
    java.util.UUID id = java.util.UUID.randomUUID();
    String text =
        Long.toUnsignedString(id.getMostSignificantBits(), Character.MAX_RADIX)
            + Long.toUnsignedString(id.getLeastSignificantBits() + ++keysMade, Character.MAX_RADIX);
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private void delete(KeyRequest request, Answer answer) {
    Keyspace keyspace = type(request.type);
    with(
        request,
        answer,
        keyspace,
        found -> {
          Level level = found.level(request, keyspace.replicas());
          if (request.vclock.length > 0) {
            remove(request, keyspace, level, request.vclock, answer);
            return;
          }
          keyspace.fetch(
              key(request),
              level,
              outcome -> {
                switch (outcome) {
                  case FetchOutcome.Held held when held.versions().hasValue() ->
                      remove(request, keyspace, level, held.versions().context(), answer);
                  case FetchOutcome.Held nothing -> answer.last(Code.DELETED, Answer.NOTHING);
                  case Unanswered why -> answer.error(text(why, "r"));
                }
              });
        });
  }

  private static void remove(
      KeyRequest request, Keyspace keyspace, Level level, byte[] context, Answer answer) {
    Update.Store delete =
        new Update.Store(
            null, Update.NO_EXPIRY, context, false, Update.Match.NONE, /* returnVersions= */ false);
    keyspace.update(
        key(request),
        delete,
        level,
        outcome ->
            whenStored(
                outcome,
                level.pw() > 0 ? "pw" : "w",
                answer,
                stored -> answer.last(Code.DELETED, Answer.NOTHING)));
  }

  /// Goes on with a store that came to its end; answers what came between.
  private static void whenStored(
      UpdateOutcome outcome, String level, Answer answer, Consumer<UpdateOutcome.Stored> then) {
    switch (outcome) {
      case UpdateOutcome.Stored stored -> then.accept(stored);
      case UpdateOutcome.Done done -> throw new IllegalStateException("a store came to " + done);
      case UpdateOutcome.Rejected rejected -> answer.error(rejected.why().toString());
      case Unanswered why -> answer.error(text(why, level));
    }
  }

  private void getBucket(BucketRequest request, Answer answer) {
    Keyspace keyspace = type(request.type());
    properties.read(
        keyspace,
        request.type(),
        request.bucket(),
        found -> {
          byte[] full = found.full(keyspace.replicas(), multi(keyspace, request.type()));
          answer.last(Code.BUCKET, new Fields.Message().bytes(1, full).encoded());
        },
        why -> answer.error(text(why, "r")));
  }

  private void setBucket(BucketRequest request, Answer answer) {
    Keyspace keyspace = type(request.type());
    BucketProperties wanted = BucketProperties.decode(request.properties());
    String problem = wanted.problem(keyspace.replicas());
    if (problem != null) {
      answer.error(problem);
      return;
    }
    PropertiesCache.one(
        keyspace,
        request.bucket(),
        before -> save(request, keyspace, wanted.over(before).encoded(), answer, Code.BUCKET_SET),
        why -> answer.error(text(why, "r")));
  }

  private void resetBucket(BucketRequest request, Answer answer) {
    byte[] nothing = BucketProperties.NONE.encoded();
    save(request, type(request.type()), nothing, answer, Code.BUCKET_RESET);
  }

  private void save(
      BucketRequest request, Keyspace keyspace, byte[] properties, Answer answer, int code) {
    Update.Store store =
        new Update.Store(
            ValueType.RIAK_PROPERTIES,
            properties,
            Update.NO_EXPIRY,
            new byte[0],
            true,
            Update.Match.NONE,
            false);
    keyspace.update(
        BucketKey.properties(request.bucket()),
        store,
        Level.DEFAULT,
        outcome -> {
          this.properties.forget(request.type());
          whenStored(outcome, "w", answer, stored -> answer.last(code, Answer.NOTHING));
        });
  }

  /// What Riak says of it.
  ///
  /// @param level whose answers were too few: r, pr, w or pw
  static String text(Unanswered why, String level) {
    return switch (why) {
      case Unanswered.Unknown unknown -> "timeout";
      case Unanswered.Refused refused ->
          switch (refused.reason()) {
            case UNAVAILABLE, UNREADABLE -> unavailable(refused, level);
            case OVERLOADED -> overload(refused.retryAfterMillis());
            case DISK_FULL -> "disk_full, " + refused.message();
            case TRY_AGAIN, INVALID, LOADING, MOVING -> refused.message();
          };
    };
  }

  /// Riak's word, and how long to wait if that is known: the first word is what clients go by.
  private static String overload(long retryAfterMillis) {
    return retryAfterMillis == 0
        ? "overload"
        : "overload, retry after %d ms".formatted(retryAfterMillis);
  }

  private static String unavailable(Unanswered.Refused refused, String level) {
    Unanswered.Shortfall shortfall = refused.shortfall();
    return shortfall.needed() == 0
        ? refused.message()
        : "{%s_val_unsatisfied,%d,%d}".formatted(level, shortfall.needed(), shortfall.answered());
  }
}
