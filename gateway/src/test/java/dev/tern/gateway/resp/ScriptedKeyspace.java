package dev.tern.gateway.resp;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.tern.core.keyspace.Caller;
import dev.tern.core.keyspace.Completion;
import dev.tern.core.keyspace.CountOutcome;
import dev.tern.core.keyspace.Evaluation;
import dev.tern.core.keyspace.FetchOutcome;
import dev.tern.core.keyspace.Keyspace;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.ReadOutcome;
import dev.tern.core.keyspace.Resolution;
import dev.tern.core.keyspace.ScanOutcome;
import dev.tern.core.keyspace.Scope;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.keyspace.Versions;
import dev.tern.core.version.ValueType;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/// A keyspace in memory that answers at once, or when the test says so. It notes what it was asked.
/// Requests take effect in the order in which they come, whenever they are answered.
final class ScriptedKeyspace implements Keyspace {
  /// What was asked, in order: `read k`, `Put k`, `Add k`.
  final List<String> asked = new ArrayList<>();

  /// Whether requests wait for [#answerNext].
  boolean waits;

  /// What every request comes to instead; null for what it asks for.
  Unanswered failure;

  private final TreeMap<String, byte[]> values = new TreeMap<>();
  private final TreeMap<String, Long> expiries = new TreeMap<>();
  private final ArrayDeque<Runnable> waiting = new ArrayDeque<>();

  /// Answers the oldest request that waits.
  void answerNext() {
    waiting.remove().run();
  }

  /// Answers the newest request that waits.
  void answerLast() {
    waiting.removeLast().run();
  }

  int waiting() {
    return waiting.size();
  }

  private static String text(byte[] bytes) {
    return new String(bytes, ISO_8859_1);
  }

  private <T> void end(Completion<? super T> completion, T outcome) {
    if (waits) {
      waiting.add(() -> completion.complete(outcome));
    } else {
      completion.complete(outcome);
    }
  }

  @Override
  public void read(byte[] key, Level level, Completion<? super ReadOutcome> completion) {
    asked.add("read " + text(key));
    byte[] value = values.get(text(key));
    if (failure != null) {
      end(completion, failure);
    } else if (value == null) {
      end(completion, ReadOutcome.Missing.INSTANCE);
    } else {
      end(completion, new ReadOutcome.Found(value, expiries.get(text(key))));
    }
  }

  @Override
  public void update(
      byte[] key, Update update, Level level, Completion<? super UpdateOutcome> completion) {
    asked.add(update.getClass().getSimpleName() + " " + text(key));
    if (failure != null) {
      end(completion, failure);
      return;
    }
    String name = text(key);
    byte[] before = values.get(name);
    ValueType type = before == null ? ValueType.NONE : ValueType.BYTES;
    long expiry = expiries.getOrDefault(name, 0L);
    Evaluation after = Evaluation.of(update, type, before, expiry, 1_000_000);
    if (after.changed() && after.value() == null) {
      values.remove(name);
      expiries.remove(name);
    } else if (after.changed()) {
      values.put(name, after.value());
      expiries.put(name, after.expiryMillis());
    }
    end(completion, after.outcome());
  }

  @Override
  public void scan(
      long cursor, int count, Scope scope, Completion<? super ScanOutcome> completion) {
    asked.add("scan");
    List<byte[]> keys = new ArrayList<>();
    values.keySet().forEach(key -> keys.add(key.getBytes(ISO_8859_1)));
    end(completion, new ScanOutcome.Page(keys, 0));
  }

  @Override
  public void count(Scope scope, Completion<? super CountOutcome> completion) {
    asked.add("count");
    end(completion, new CountOutcome.Count(values.size(), 0, 0));
  }

  @Override
  public void countSlot(int slot, Completion<? super CountOutcome> completion) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void fetch(byte[] key, Level level, Completion<? super FetchOutcome> completion) {
    throw new UnsupportedOperationException();
  }

  @Override
  public boolean seen(byte[] key, byte[] context, Versions versions) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Caller caller() {
    return Caller.NODE;
  }

  @Override
  public int id() {
    return 1;
  }

  @Override
  public int replicas() {
    return 1;
  }

  @Override
  public boolean putsFollow(Level level) {
    return true;
  }

  @Override
  public Resolution resolution() {
    return Resolution.LWW;
  }
}
