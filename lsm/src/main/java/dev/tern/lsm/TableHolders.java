package dev.tern.lsm;

import dev.tern.lsm.memtable.Memtable;
import dev.tern.lsm.read.ReadState;
import dev.tern.lsm.table.Table;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;

/// Counts the read states that hold each table and memtable, and the compactions that hold a table:
/// what nobody holds any more is closed, and its file or its memory goes.
///
/// Invariant: a table or memtable that a state names is held once by it, from before readers see
/// the state until nobody uses it. Any thread; the counts are changed under one lock, which no
/// reader takes.
final class TableHolders {
  private final Tools tools;
  private final ReentrantLock lock = new ReentrantLock();

  /// Files whose deletion failed: the next opening removes them, as the manifest does not name
  /// them.
  private final LongAdder undeleted = new LongAdder();

  TableHolders(Tools tools) {
    this.tools = tools;
  }

  void retain(ReadState state) {
    lock.lock();
    try {
      for (ReadState.Family family : state.families) {
        if (family != null) {
          family.levels().all().forEach(Table::hold);
          family.active().hold();
          family.immutable().forEach(Memtable::hold);
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /// One more holds each of these tables, which a state holds.
  void hold(List<Table> held) {
    lock.lock();
    try {
      held.forEach(Table::hold);
    } finally {
      lock.unlock();
    }
  }

  /// Ends what [#hold] began; the tables that nobody else held.
  List<Table> release(List<Table> held) {
    lock.lock();
    try {
      return held.stream().filter(Table::letGo).toList();
    } finally {
      lock.unlock();
    }
  }

  /// The tables that only this state held: nobody uses them any more. The memtables are dealt with.
  List<Table> release(ReadState state) {
    List<Table> free = new ArrayList<>();
    List<Memtable> old = new ArrayList<>();
    lock.lock();
    try {
      for (ReadState.Family family : state.families) {
        if (family != null) {
          for (Table table : family.levels().all()) {
            if (table.letGo()) {
              free.add(table);
            }
          }
          old.addAll(family.immutable());
          old.add(family.active());
        }
      }
      old.removeIf(memtable -> !memtable.letGo());
    } finally {
      lock.unlock();
    }
    old.forEach(Memtable::recycle);
    return free;
  }

  /// Closes tables that nobody uses, and deletes their files. Blocks. Want of memory at one of them
  /// keeps no other one open.
  ///
  /// @param files whether the files too; if not, the next opening removes them
  void delete(List<Table> free, boolean files) {
    for (Table table : free) {
      try {
        table.close();
        if (files) {
          tools.files().delete(table.path);
        }
      } catch (IOException | VirtualMachineError e) {
        undeleted.increment();
      }
    }
  }

  /// Deletes a file that nothing names, if it is there.
  void deleteQuietly(String path) {
    try {
      if (tools.files().exists(path)) {
        tools.files().delete(path);
      }
    } catch (IOException | VirtualMachineError e) {
      undeleted.increment();
    }
  }

  /// Files whose deletion failed.
  long undeleted() {
    return undeleted.sum();
  }
}
