package dev.tern.core.topology;

import dev.tern.core.keyspace.KeyspaceConfig.Durability;
import dev.tern.core.keyspace.Resolution;
import dev.tern.core.ring.ZonePolicy;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.lsm.CompactionStyle;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/// What an operator says of a keyspace: its name, and a value of each [KeyspaceProperty]. Any
/// values; [#problem] tells whether they make sense. Immutable.
public final class KeyspaceSettings {
  static final int MAX_NAME_LENGTH = 64;

  private final String name;

  /// In the order of [KeyspaceProperty#ALL], each of its property's type.
  private final List<Object> values;

  private KeyspaceSettings(String name, List<Object> values) {
    this.name = name;
    this.values = List.copyOf(values);
  }

  /// The usual: N=3 R=2 W=2, forced to disk, levels, for ever.
  public static KeyspaceSettings usual(String name) {
    List<Object> values = new ArrayList<>();
    KeyspaceProperty.ALL.forEach(property -> values.add(property.usual()));
    return new KeyspaceSettings(name, values);
  }

  /// These with another value of a property.
  public <T> KeyspaceSettings with(KeyspaceProperty<T> property, T value) {
    List<Object> changed = new ArrayList<>(values);
    changed.set(KeyspaceProperty.ALL.indexOf(property), value);
    return new KeyspaceSettings(name, changed);
  }

  /// These with another value of a number or a duration.
  public KeyspaceSettings with(KeyspaceProperty<Long> property, int value) {
    return with(property, (Long) (long) value);
  }

  /// The value of a property.
  @SuppressWarnings("unchecked") // Values come in through [#with] and [KeyspaceProperty] only.
  public <T> T get(KeyspaceProperty<T> property) {
    return (T) values.get(KeyspaceProperty.ALL.indexOf(property));
  }

  private int number(KeyspaceProperty<Long> property) {
    return Math.clamp(get(property), Integer.MIN_VALUE, Integer.MAX_VALUE);
  }

  /// For doors and people.
  public String name() {
    return name;
  }

  /// Replicas of each key.
  public int n() {
    return number(KeyspaceProperty.N);
  }

  /// How replicas are spread.
  public ZonePolicy zones() {
    return get(KeyspaceProperty.ZONES);
  }

  /// Of concurrent writes.
  public Resolution resolution() {
    return get(KeyspaceProperty.RESOLUTION);
  }

  /// Default read level.
  public int r() {
    return number(KeyspaceProperty.R);
  }

  /// Default write level.
  public int w() {
    return number(KeyspaceProperty.W);
  }

  /// Of an acknowledged write.
  public Durability durability() {
    return get(KeyspaceProperty.DURABILITY);
  }

  /// After which a value without an expiry of its own expires; 0 for never.
  public long ttlMillis() {
    return get(KeyspaceProperty.TTL);
  }

  /// Of its tables.
  public CompactionStyle compaction() {
    return get(KeyspaceProperty.COMPACTION);
  }

  /// Default deadline of a request.
  public int timeoutMillis() {
    return number(KeyspaceProperty.TIMEOUT);
  }

  /// Where its replicas stand.
  public PlacementPolicy policy() {
    return new PlacementPolicy(n(), zones());
  }

  /// Why this cannot be a keyspace; null if it can.
  public @Nullable String problem() {
    if (!nameIsGood()) {
      return "a keyspace's name is 1 to 64 of a-z, 0-9, '.', '_', '-' and begins with a letter or"
          + " digit, not '"
          + name
          + "'";
    }
    String problem = problem(KeyspaceProperty.N);
    if (problem == null && (r() < 1 || r() > n() || w() < 1 || w() > n())) {
      problem = "r and w lie between 1 and n = %d, not r=%d w=%d".formatted(n(), r(), w());
    }
    for (KeyspaceProperty<?> property : KeyspaceProperty.ALL) {
      problem = problem == null ? problem(property) : problem;
    }
    return problem;
  }

  private <T> @Nullable String problem(KeyspaceProperty<T> property) {
    return property.problem(get(property));
  }

  /// A property that is kept for ever and that these settings have otherwise; null for none.
  @Nullable KeyspaceProperty<?> changesKept(KeyspaceSettings other) {
    for (KeyspaceProperty<?> property : KeyspaceProperty.ALL) {
      if (property.isKept() && !get(property).equals(other.get(property))) {
        return property;
      }
    }
    return null;
  }

  private boolean nameIsGood() {
    boolean good = !name.isEmpty() && name.length() <= MAX_NAME_LENGTH;
    for (int i = 0; i < name.length() && good; i++) {
      char c = name.charAt(i);
      boolean alphanumeric = c >= 'a' && c <= 'z' || c >= '0' && c <= '9';
      good = alphanumeric || i > 0 && (c == '.' || c == '_' || c == '-');
    }
    return good;
  }

  // ---- bytes: string name, then the properties in their order

  void encode(ByteWriter out) {
    out.writeString(name);
    KeyspaceProperty.ALL.forEach(property -> encode(property, out));
  }

  private <T> void encode(KeyspaceProperty<T> property, ByteWriter out) {
    property.encode(get(property), out);
  }

  /// @throws dev.tern.env.DecodeException if the bytes are no settings
  static KeyspaceSettings decode(ByteReader in) {
    String name = in.readString();
    List<Object> values = new ArrayList<>();
    KeyspaceProperty.ALL.forEach(property -> values.add(property.decode(in)));
    return new KeyspaceSettings(name, values);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof KeyspaceSettings settings
        && name.equals(settings.name)
        && values.equals(settings.values);
  }

  @Override
  public int hashCode() {
    return Objects.hash(name, values);
  }

  @Override
  public String toString() {
    StringJoiner text = new StringJoiner(", ", "keyspace " + name + " (", ")");
    for (int i = 0; i < values.size(); i++) {
      text.add(KeyspaceProperty.ALL.get(i).name() + "=" + values.get(i));
    }
    return text.toString();
  }
}
