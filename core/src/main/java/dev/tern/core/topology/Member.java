package dev.tern.core.topology;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/// A node of the cluster as the others see it.
///
/// @param number how frames and lists name it; 1 or more, never reused
/// @param name 40 lower-case hexadecimal digits, for people and for clients that want such a name
/// @param zone where it stands; replicas are spread over zones first. What is before a `/` names
///   the datacenter: `eu/a` and `eu/b` are zones of `eu`; zones without one are all in the same
/// @param host an address all members and clients reach
/// @param ports where its doors listen
public record Member(int number, String name, String zone, String host, Ports ports) {
  /// The highest number.
  public static final int MAX_NUMBER = 1 << 16;

  private static final int MAX_ZONE = 128;

  /// A name that a zone may have from now on: it is shown in tables and written in lists of
  /// members.
  ///
  /// @throws IllegalArgumentException if it is empty, long, or has a control character
  public static String checkedZone(String zone) {
    if (zone.isBlank()
        || zone.length() > MAX_ZONE
        || zone.chars().anyMatch(Character::isISOControl)) {
      throw new IllegalArgumentException(
          "a zone has a name of 1 to %d characters, none of which is a control character"
              .formatted(MAX_ZONE));
    }
    return zone;
  }

  /// Empty for a zone that names none.
  public String datacenter() {
    return zone.substring(0, Math.max(0, zone.indexOf('/')));
  }

  /// TCP ports by the names of doors. Names that this version does not know are kept, so that a
  /// door of a later one needs no other format.
  ///
  /// @param byDoor from 1 to [#MAX]; a door that is not there is not open
  public record Ports(SortedMap<String, Integer> byDoor) {
    /// The highest port.
    public static final int MAX = 65_535;

    /// Nowhere.
    public static final Ports NONE = new Ports(Collections.emptySortedMap());

    public static final String INTERNODE = "internode";
    public static final String ADMIN = "admin";
    public static final String REDIS = "redis";
    public static final String RIAK = "riak";

    private static final int MAX_NAME = 32;

    public Ports {
      byDoor = Collections.unmodifiableSortedMap(new TreeMap<>(byDoor));
      byDoor.forEach(
          (door, port) -> {
            if (!isName(door) || port < 1 || port > MAX) {
              throw new IllegalArgumentException("door %s at port %d".formatted(door, port));
            }
          });
    }

    /// Whether a door may be called so: 1 to 32 lower-case letters, digits and hyphens.
    static boolean isName(String door) {
      return !door.isEmpty()
          && door.length() <= MAX_NAME
          && door.chars().allMatch(c -> c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-');
    }

    /// These and one more.
    ///
    /// @param port 0 to leave them as they are
    public Ports with(String door, int port) {
      if (port == 0) {
        return this;
      }
      TreeMap<String, Integer> more = new TreeMap<>(byDoor);
      more.put(door, port);
      return new Ports(more);
    }

    /// The port of a door, 0 if it is not open.
    public int of(String door) {
      return byDoor.getOrDefault(door, 0);
    }

    public int internode() {
      return of(INTERNODE);
    }

    public int admin() {
      return of(ADMIN);
    }

    public int redis() {
      return of(REDIS);
    }

    public int riak() {
      return of(RIAK);
    }

    /// `admin 8071, internode 7071, redis 6379`.
    @Override
    public String toString() {
      StringBuilder text = new StringBuilder();
      byDoor.forEach(
          (door, port) ->
              text.append(text.isEmpty() ? "" : ", ").append(door).append(' ').append(port));
      return text.toString();
    }
  }
}
