package dev.tern.env;

/// Where a node reports what an operator should be able to see later. `runtime` writes a log line
/// of each event and keeps the last ones for a page, the simulator keeps a trace of the seed.
///
/// Threads: any. An implementation returns at once, throws nothing, and drops what it cannot keep.
public interface Events {
  /// Reports to nobody.
  Events NONE = event -> {};

  /// Takes an event that just happened.
  void happened(NodeEvent event);
}
