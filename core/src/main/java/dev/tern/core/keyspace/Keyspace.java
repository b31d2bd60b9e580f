package dev.tern.core.keyspace;

/// The operations of one keyspace, as one event loop sees it. All methods are called on that loop,
/// return at once, and complete on that loop.
///
/// Keys are 0 to [#MAX_KEY_BYTES] bytes, values up to [#MAX_VALUE_BYTES]; what is larger is
/// refused. Arrays handed in belong to the keyspace afterwards.
public interface Keyspace {
  int MAX_KEY_BYTES = 64 << 10;
  int MAX_VALUE_BYTES = 16 << 20;

  /// On whose behalf this handle is used.
  Caller caller();

  /// The keyspace's id.
  int id();

  /// How many replicas a key has: n, or as many as there are members. A level above it is refused.
  int replicas();

  /// Whether a plain put that was acknowledged at a level is newer than all that were acknowledged
  /// before it began: two sets of so many replicas meet.
  boolean putsFollow(Level level);

  /// The live value of a key, as the newest of `r` replicas' answers.
  void read(byte[] key, Level level, Completion<? super ReadOutcome> completion);

  /// All that a key holds, with the context that replaces it.
  void fetch(byte[] key, Level level, Completion<? super FetchOutcome> completion);

  /// Whether a context of a key has seen all of these siblings: nothing has changed since. A
  /// context of another key, keyspace or cluster has not.
  boolean seen(byte[] key, byte[] context, Versions versions);

  /// How concurrent writes are resolved.
  Resolution resolution();

  /// Changes a key; done when the change is durable (as the keyspace demands) on `w` replicas.
  void update(byte[] key, Update update, Level level, Completion<? super UpdateOutcome> completion);

  /// One step through all keys in an order of slots. What is there from the first step (cursor 0)
  /// to the last appears at least once. The cursor is stateless: any node, any time.
  ///
  /// @param count about how many keys to return
  void scan(long cursor, int count, Scope scope, Completion<? super ScanOutcome> completion);

  /// How many keys there are, how many of them expire, and their bytes.
  void count(Scope scope, Completion<? super CountOutcome> completion);

  /// How many live keys one slot holds at this node (an expensive look, not a total). It says
  /// nothing of expiring keys and bytes: both are 0.
  void countSlot(int slot, Completion<? super CountOutcome> completion);
}
