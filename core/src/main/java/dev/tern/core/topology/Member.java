package dev.tern.core.topology;

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

  /// Empty for a zone that names none.
  public String datacenter() {
    return zone.substring(0, Math.max(0, zone.indexOf('/')));
  }

  /// TCP ports; 0 where there is no such door.
  public record Ports(int internode, int redis, int riak, int etcd, int admin) {}
}
