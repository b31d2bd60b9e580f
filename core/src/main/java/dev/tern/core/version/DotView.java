package dev.tern.core.version;

import dev.tern.env.ByteWriter;

/// A set of dots to be read: who is handed one cannot change it. Its owner may, and then the view
/// shows the change; [#copy] keeps what it shows now.
///
/// [DotSet] is the one implementation, so that a view costs nothing.
public sealed interface DotView permits DotSet {
  boolean contains(int replica, long counter);

  /// Whether all dots of another set are in this.
  boolean covers(DotView other);

  /// The dots that are in this and not in another set; a set of the caller's.
  DotSet minus(DotView other);

  /// The dots that are in both sets; a set of the caller's.
  DotSet and(DotView other);

  boolean isEmpty();

  /// How many runs there are, of all replicas.
  int runs();

  /// How many dots there are.
  long size();

  /// Tells of each run, in order of counters within a replica.
  void forEach(DotSet.Runs told);

  /// The same dots; a set of the caller's.
  DotSet copy();

  /// The largest counter noted of a replica, 0 if none.
  long highest(int replica);

  /// Writes the set as [DotSet] says.
  void encode(ByteWriter out);

  /// The bytes that [#encode] writes.
  byte[] encoded();
}
