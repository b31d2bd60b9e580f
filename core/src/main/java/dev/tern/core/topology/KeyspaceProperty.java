package dev.tern.core.topology;

import dev.tern.core.keyspace.KeyspaceConfig.Durability;
import dev.tern.core.keyspace.Resolution;
import dev.tern.core.ring.ZonePolicy;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.lsm.CompactionStyle;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// What an operator may say of a keyspace: one constant a property, with its name, type, default,
/// range, help and bytes. Settings, their codec, the administration's JSON and the flags of `tern
/// keyspace` follow from [#ALL]; a new property is a constant here, at the end of that list.
///
/// @param <T> Long or an enumeration
public final class KeyspaceProperty<T> {
  /// How people write a value.
  public enum Kind {
    NUMBER,
    /// Milliseconds; people write `500ms`, `90s`, `30d`.
    DURATION,
    /// One of a few words.
    CHOICE
  }

  private static final int MAX_N = 16;

  public static final KeyspaceProperty<Long> N =
      number("n", "-n", 3, 1, MAX_N, "replicas of each key (usual: 3)").keptForEver();

  public static final KeyspaceProperty<ZonePolicy> ZONES =
      choice("zones", ZonePolicy.SPREAD, ZonePolicy.values(), "spread or ignore").keptForEver();

  public static final KeyspaceProperty<Resolution> RESOLUTION =
      choice(
              "resolution",
              Resolution.LWW,
              Resolution.values(),
              "of concurrent writes: lww or siblings")
          .keptForEver();

  /// At most n, and a majority of n where n is given and this is not.
  public static final KeyspaceProperty<Long> R =
      number("r", "-r", 2, 1, MAX_N, "default read level (usual: a majority)");

  /// At most n, and a majority of n where n is given and this is not.
  public static final KeyspaceProperty<Long> W =
      number("w", "-w", 2, 1, MAX_N, "default write level (usual: a majority)");

  public static final KeyspaceProperty<Durability> DURABILITY =
      choice("durability", Durability.SYNC, Durability.values(), "none, os or sync");

  /// 0 for never.
  public static final KeyspaceProperty<Long> TTL =
      duration(
          "ttlMillis",
          "--ttl",
          0,
          0,
          Long.MAX_VALUE,
          "after which a value without an expiry of its own goes: 90s, 15m, 12h, 30d; 0");

  public static final KeyspaceProperty<CompactionStyle> COMPACTION =
      choice(
              "compaction",
              CompactionStyle.LEVELED,
              CompactionStyle.values(),
              "leveled or size-tiered")
          .keptForEver();

  public static final KeyspaceProperty<Long> TIMEOUT =
      duration(
          "timeoutMillis",
          "--timeout",
          5_000,
          1,
          Integer.MAX_VALUE,
          "default deadline of a request: 500ms, 5s");

  /// In the order of their bytes.
  public static final List<KeyspaceProperty<?>> ALL =
      List.of(N, ZONES, RESOLUTION, R, W, DURABILITY, TTL, COMPACTION, TIMEOUT);

  private final String name;
  private final String flag;
  private final Kind kind;
  private final T usual;
  private final long least;
  private final long most;
  private final List<T> choices;
  private final String help;
  private final boolean kept;

  private KeyspaceProperty(
      String name,
      String flag,
      Kind kind,
      T usual,
      long least,
      long most,
      List<T> choices,
      String help,
      boolean kept) {
    this.name = name;
    this.flag = flag;
    this.kind = kind;
    this.usual = usual;
    this.least = least;
    this.most = most;
    this.choices = choices;
    this.help = help;
    this.kept = kept;
  }

  private static KeyspaceProperty<Long> number(
      String name, String flag, long usual, long least, long most, String help) {
    return new KeyspaceProperty<>(
        name, flag, Kind.NUMBER, usual, least, most, List.of(), help, /* kept= */ false);
  }

  private static KeyspaceProperty<Long> duration(
      String name, String flag, long usual, long least, long most, String help) {
    return new KeyspaceProperty<>(
        name, flag, Kind.DURATION, usual, least, most, List.of(), help, /* kept= */ false);
  }

  private static <E extends Enum<E>> KeyspaceProperty<E> choice(
      String name, E usual, E[] choices, String help) {
    return new KeyspaceProperty<>(
        name,
        "--" + name,
        Kind.CHOICE,
        usual,
        0,
        choices.length - 1,
        List.of(choices),
        help,
        /* kept= */ false);
  }

  private KeyspaceProperty<T> keptForEver() {
    return new KeyspaceProperty<>(
        name, flag, kind, usual, least, most, choices, help, /* kept= */ true);
  }

  /// As JSON names it.
  public String name() {
    return name;
  }

  /// As the command line names it.
  public String flag() {
    return flag;
  }

  public Kind kind() {
    return kind;
  }

  /// For the command line's help.
  public String help() {
    return help;
  }

  /// What a keyspace has where nothing is said.
  public T usual() {
    return usual;
  }

  /// Whether a keyspace keeps it as it was made.
  public boolean isKept() {
    return kept;
  }

  /// A value as people read it and JSON has it: a number, or a word.
  public Object told(T value) {
    return value instanceof Enum<?> constant ? word(constant) : value;
  }

  private static String word(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /// The value that [#told] gives so.
  ///
  /// @param told a Long or a word
  /// @throws IllegalArgumentException if there is no such value, with the reason
  @SuppressWarnings("unchecked") // A property that is no choice is one of Long.
  public T of(Object told) {
    if (kind == Kind.CHOICE) {
      return ofWord(String.valueOf(told));
    }
    if (told instanceof Long) {
      return (T) told;
    }
    throw new IllegalArgumentException("'" + name + "' is a whole number");
  }

  private T ofWord(String word) {
    String wanted = word.toLowerCase(Locale.ROOT).replace('_', '-');
    StringBuilder known = new StringBuilder();
    for (T choice : choices) {
      String each = String.valueOf(told(choice));
      if (each.equals(wanted)) {
        return choice;
      }
      known.append(known.isEmpty() ? "" : ", ").append(each);
    }
    throw new IllegalArgumentException("%s is one of %s, not %s".formatted(name, known, word));
  }

  /// Why a value cannot be; null if it can.
  @Nullable String problem(T value) {
    if (!(value instanceof Long number) || number >= least && number <= most) {
      return null;
    }
    return most == Long.MAX_VALUE || most == Integer.MAX_VALUE
        ? "%s is %d or more, not %d".formatted(name, least, number)
        : "%s lies between %d and %d, not %d".formatted(name, least, most, number);
  }

  // ---- bytes: a choice is a u8, a number a varint

  void encode(T value, ByteWriter out) {
    switch (value) {
      case Enum<?> constant -> out.writeByte(constant.ordinal());
      case Long number when most <= Integer.MAX_VALUE -> out.writeVarInt((int) (long) number);
      case Long number -> out.writeVarLong(number);
      default -> throw new IllegalArgumentException(name + " is no " + value);
    }
  }

  /// @throws dev.tern.env.DecodeException if the bytes are no value
  T decode(ByteReader in) {
    if (kind == Kind.CHOICE) {
      return choices.get(in.readOneOf(places()));
    }
    return of(most <= Integer.MAX_VALUE ? (long) in.readVarInt() : in.readVarLong());
  }

  private Integer[] places() {
    Integer[] places = new Integer[choices.size()];
    Arrays.setAll(places, place -> place);
    return places;
  }
}
