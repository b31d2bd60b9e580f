package dev.tern.core.node;

import dev.tern.core.keyspace.Caller;
import dev.tern.core.keyspace.Completion;
import dev.tern.core.keyspace.CountOutcome;
import dev.tern.core.keyspace.FetchOutcome;
import dev.tern.core.keyspace.Keyspace;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.ReadOutcome;
import dev.tern.core.keyspace.Resolution;
import dev.tern.core.keyspace.ScanOutcome;
import dev.tern.core.keyspace.Scope;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Unanswered.Reason;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.keyspace.Versions;
import dev.tern.core.quorum.Behind;
import dev.tern.core.topology.Slots;
import dev.tern.core.wire.ScanCursor;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/// A keyspace as the loop of one shard sees it: a request for another shard's key is handed over
/// once and its outcome handed back.
final class LocalKeyspace implements Keyspace {
  /// Steps that one scan request takes before it returns what it has.
  private static final int MAX_SCAN_STEPS = 64;

  private final List<Shard> shards;
  private final Shard home;

  /// As it was last seen; [#config] looks again.
  private KeyspaceConfig config;

  private final Caller caller;

  /// @param caller on whose behalf the handle is used
  LocalKeyspace(List<Shard> shards, int shard, KeyspaceConfig config, Caller caller) {
    this.caller = caller;
    this.shards = shards;
    this.home = shards.get(shard);
    this.config = config;
  }

  private Shard owner(int slot) {
    int partition = home.coordinator().view().partitionOf(slot);
    return shards.size() == 1 ? home : shards.get(partition % shards.size());
  }

  /// The keyspace's present settings; if it was dropped the last ones, with which a coordinator
  /// refuses.
  private KeyspaceConfig config() {
    KeyspaceConfig present = home.coordinator().view().keyspace(config.id());
    if (present != null) {
      config = present;
    }
    return config;
  }

  @Override
  public Caller caller() {
    return caller;
  }

  @Override
  public int id() {
    return config.id();
  }

  @Override
  public int replicas() {
    return Math.min(config().n(), home.coordinator().view().members().size());
  }

  @Override
  public boolean putsFollow(Level level) {
    int n = replicas();
    return !level.sloppy() && !level.writesLocally() && 2 * level.writes(config().w(), n) > n;
  }

  @Override
  public void read(byte[] key, Level level, Completion<? super ReadOutcome> completion) {
    if (key.length > MAX_KEY_BYTES) {
      completion.complete(tooLarge("key", key.length, MAX_KEY_BYTES));
      return;
    }
    Shard shard = owner(Slots.of(key));
    KeyspaceConfig keyspace = config();
    if (shard == home) {
      shard.coordinator().read(keyspace, key, level, completion);
    } else {
      shard.loop().execute(() -> shard.coordinator().read(keyspace, key, level, back(completion)));
    }
  }

  @Override
  public void fetch(byte[] key, Level level, Completion<? super FetchOutcome> completion) {
    if (key.length > MAX_KEY_BYTES) {
      completion.complete(tooLarge("key", key.length, MAX_KEY_BYTES));
      return;
    }
    Shard shard = owner(Slots.of(key));
    KeyspaceConfig keyspace = config();
    if (shard == home) {
      shard.coordinator().fetch(keyspace, key, level, completion);
    } else {
      shard.loop().execute(() -> shard.coordinator().fetch(keyspace, key, level, back(completion)));
    }
  }

  @Override
  public boolean seen(byte[] key, byte[] context, Versions versions) {
    return home.coordinator().seen(config(), key, context, versions);
  }

  @Override
  public Resolution resolution() {
    return config().resolution();
  }

  @Override
  public void update(
      byte[] key, Update update, Level level, Completion<? super UpdateOutcome> completion) {
    if (key.length > MAX_KEY_BYTES) {
      completion.complete(tooLarge("key", key.length, MAX_KEY_BYTES));
      return;
    }
    byte[] value =
        update instanceof Update.Put put
            ? put.value()
            : update instanceof Update.Store store ? store.value() : null;
    if (value != null && value.length > MAX_VALUE_BYTES) {
      completion.complete(tooLarge("value", value.length, MAX_VALUE_BYTES));
      return;
    }
    Shard shard = owner(Slots.of(key));
    KeyspaceConfig keyspace = config();
    if (shard == home) {
      shard.coordinator().update(keyspace, key, update, level, false, completion);
    } else {
      Completion<UpdateOutcome> back = back(completion);
      shard
          .loop()
          .execute(() -> shard.coordinator().update(keyspace, key, update, level, false, back));
    }
  }

  private <T> Completion<T> back(Completion<? super T> completion) {
    return outcome -> home.loop().execute(() -> completion.complete(outcome));
  }

  private static Unanswered.Refused tooLarge(String what, int bytes, int most) {
    return new Unanswered.Refused(
        Reason.INVALID, "the %s has %d bytes, at most %d fit".formatted(what, bytes, most), 0);
  }

  @Override
  public void scan(
      long cursor, int count, Scope scope, Completion<? super ScanOutcome> completion) {
    if (cursor < 0 || cursor >= ScanCursor.END) {
      completion.complete(new ScanOutcome.Page(List.of(), 0));
      return;
    }
    new ScanSteps(scope, count, completion).step(cursor);
  }

  /// Takes steps of a scan, each on the shard that owns the cursor's slot, until enough keys are
  /// there.
  private final class ScanSteps {
    private final Scope scope;
    private final int count;
    private final Completion<? super ScanOutcome> completion;
    private final List<byte[]> keys = new ArrayList<>();
    private int steps;

    ScanSteps(Scope scope, int count, Completion<? super ScanOutcome> completion) {
      this.scope = scope;
      this.count = Math.max(1, count);
      this.completion = completion;
    }

    void step(long cursor) {
      Shard shard = owner(ScanCursor.slot(cursor));
      int limit = Math.max(1, count - keys.size());
      KeyspaceConfig keyspace = config();
      Completion<ScanOutcome> next = back(this::stepped);
      shard
          .loop()
          .execute(
              () -> shard.coordinator().scan(keyspace, cursor, limit, scope == Scope.NODE, next));
    }

    private void stepped(ScanOutcome outcome) {
      if (!(outcome instanceof ScanOutcome.Page page)) {
        completion.complete(outcome);
        return;
      }
      keys.addAll(page.keys());
      if (page.next() == 0 || keys.size() >= count || ++steps >= MAX_SCAN_STEPS) {
        completion.complete(new ScanOutcome.Page(keys, page.next()));
      } else {
        step(page.next());
      }
    }
  }

  @Override
  public void count(Scope scope, Completion<? super CountOutcome> completion) {
    if (scope == Scope.NODE) {
      CountOutcome.Count led = Node.ledCount(shards, home, config().id());
      completion.complete(led == null ? Behind.refusal() : led);
    } else {
      home.coordinator().count(config(), completion);
    }
  }

  @Override
  public void countSlot(int slot, Completion<? super CountOutcome> completion) {
    Shard shard = owner(slot);
    if (slot < 0 || slot >= Slots.COUNT || !shard.store().records().holds(slot)) {
      completion.complete(CountOutcome.Count.NONE);
      return;
    }
    Completion<CountOutcome> done = back(completion);
    shard.loop().execute(() -> countFrom(shard, slot, ScanCursor.of(slot, 0), 0, done));
  }

  private void countFrom(
      Shard shard, int slot, long cursor, long before, Completion<? super CountOutcome> done) {
    shard
        .replica()
        .reads()
        .scan(
            config().id(),
            cursor,
            1000,
            config().durability(),
            /* alone= */ true,
            new BitSet(0),
            (page, failure) -> {
              if (page == null) {
                done.complete(
                    new Unanswered.Refused(Reason.UNAVAILABLE, String.valueOf(failure), 0));
                return;
              }
              long here =
                  page.keys().stream().filter(key -> key.slot() == slot && key.live()).count();
              if (ScanCursor.slot(page.next()) == slot) {
                countFrom(shard, slot, page.next(), before + here, done);
              } else {
                done.complete(new CountOutcome.Count(before + here, 0, 0));
              }
            });
  }
}
