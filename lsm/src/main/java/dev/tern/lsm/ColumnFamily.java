package dev.tern.lsm;

import dev.tern.lsm.manifest.Manifest;
import dev.tern.lsm.read.ReadState;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// A key space of its own within a store: tables of its own, the log shared with the others, so
/// that one batch may change several at once.
///
/// It belongs to the opening of the store that gave it: another store, and the same store opened
/// again, refuse it. Any thread.
public final class ColumnFamily {
  /// No name and no label is longer.
  static final int MOST_NAME_BYTES = 64 << 10;

  private final Object owner;
  private final int id;
  private final String name;
  private final FamilyOptions options;

  /// @param owner what stands for the open store
  ColumnFamily(Object owner, int id, String name, FamilyOptions options) {
    if (id < 0) {
      throw new IllegalArgumentException("a column family numbered " + id);
    }
    this.owner = owner;
    this.id = id;
    this.name = Objects.requireNonNull(name);
    this.options = Objects.requireNonNull(options);
  }

  /// A name or a label is written as UTF-8, which has no half of a surrogate pair: such a name
  /// would be another one after the next opening. Each whole state of the manifest has all of them,
  /// and a manifest is bounded.
  static void checkName(String name) {
    if (name.length() > MOST_NAME_BYTES
        || name.getBytes(StandardCharsets.UTF_8).length > MOST_NAME_BYTES) {
      throw new IllegalArgumentException(
          "a name of %d characters: it may have %d bytes as UTF-8"
              .formatted(name.length(), MOST_NAME_BYTES));
    }
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(name)) {
      throw new IllegalArgumentException("the name of a column family is no text: " + name);
    }
  }

  /// @param strict whether it must have all these options, or their style only
  void checkOptions(FamilyOptions wanted, boolean strict) {
    if (strict ? !options.equals(wanted) : options.style() != wanted.style()) {
      throw new IllegalArgumentException(
          "%s is there, and its options are fixed; asked for with %s. Lsm.columnFamilies() gives it as it is"
              .formatted(this, wanted));
    }
  }

  Object owner() {
    return owner;
  }

  /// As the manifest has it.
  Manifest.Family named() {
    return new Manifest.Family(
        id,
        name,
        options.style().ordinal(),
        options.compression().ordinal(),
        options.ttlMillis(),
        options.maxBytes());
  }

  /// Its sources.
  ///
  /// @param store what stands for the store that is open
  /// @throws IllegalArgumentException if it is another store's, or of an earlier opening of this
  ///   one
  ReadState.Family in(ReadState state, Object store) {
    ReadState.Family found = state.family(id);
    if (found == null || owner != store) {
      throw new IllegalArgumentException(
          "%s is not of this store, or not of this opening of it".formatted(this));
    }
    return found;
  }

  /// Its number within the store, never reused.
  public int id() {
    return id;
  }

  /// What it was opened by.
  public String name() {
    return name;
  }

  /// Fixed at its creation.
  public FamilyOptions options() {
    return options;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof ColumnFamily that
        && owner == that.owner
        && id == that.id
        && name.equals(that.name)
        && options.equals(that.options);
  }

  @Override
  public int hashCode() {
    return Objects.hash(id, name);
  }

  @Override
  public String toString() {
    return "column family %s (%d, %s)".formatted(name, id, options);
  }
}
