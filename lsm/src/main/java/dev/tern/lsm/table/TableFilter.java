package dev.tern.lsm.table;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// A part of a table's filter, in memory: that of the keys from one bound to the next.
///
/// Any thread, inside an epoch.
final class TableFilter extends Resident {
  final MemorySegment memory;
  final int probes;
  private final TableReader reader;
  private final int part;

  /// @param memory of the arena
  /// @throws dev.tern.env.DecodeException if it is no filter
  TableFilter(TableReader reader, int part, Arena arena, MemorySegment memory) {
    int checked = Bloom.probes(memory);
    super(reader.owner, arena, memory.byteSize());
    this.reader = reader;
    this.part = part;
    this.memory = memory;
    this.probes = checked;
  }

  boolean mayContain(long hash) {
    return Bloom.mayContain(memory, bytes, probes, hash);
  }

  @Override
  void unlink() {
    reader.forget(this, part);
  }

  @Override
  int files() {
    return 0;
  }

  @Override
  void free() {
    // There is nothing but memory.
  }
}
